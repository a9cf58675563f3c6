//! What would be done with a request, told instead of done: nothing is fetched, made or stored.
//!
//! Each thing that is told is asked of the function that does it: where the request leads of `decide`, what is read of it of [`Inputs`],
//! what runs when of the plan, what is kept under which key of the key itself, which fields are sent of `respond`. A rule that stood here
//! would be a second one, and wrong one day. Files are looked at, because what is sent with them is made of what they are.

mod inputs;
mod kept;
mod lifetimes;
mod plan;
mod settings;

use super::decide::{Decision, Found, Refusal, decide, target};
use super::field;
use super::inputs::{Inputs, Misfit};
use super::keep::Keeping;
use super::respond::{self, Exchange, View};
use super::runtime::{Service, Subject};
use super::{Arrival, guard, proxy};
use crate::cache::{KeyPart, Lookup, Section, is_compressible, rules};
use crate::config::{Binding, format_duration};
use crate::diagnostic::{Place, did_you_mean};
use crate::explanation::{Anonymous, Explanation, Key, Named, Outcome, Page, Privacy, Step, Store, Verdict};
use crate::fields::is_credential;
use crate::resource::{Auto, Proxy, Resource};
use crate::router::Match;
use crate::router::Methods;
use crate::site::{self, CookieInput, Route, Variant, slots};
use crate::source::encode_segment;
use crate::value::Value;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use std::sync::Arc;
use std::time::Duration;

/// What [`handle`](super::handle) would do with a request.
pub async fn explain(service: &Arc<Service>, request: &Parts, arrival: &Arrival<'_>) -> Explanation {
    let host = request.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let mut explanation = Explanation {
        method: request.method.to_string(),
        target: target(request).to_owned(),
        host: host.map(ToOwned::to_owned),
        verdict: verdict(Outcome::Route, StatusCode::OK, String::new()),
        route: None,
        page: None,
    };
    let found = match decide(service, request, arrival.is_loopback) {
        Decision::Route(found) => found,
        Decision::Elsewhere { location, route } => {
            let why = match route {
                Some(_) => "another spelling of a URL of this route",
                None => "the host is an alias of the site's",
            };
            explanation.route = route.map(named);
            explanation.verdict = Verdict {
                location: Some(location),
                ..verdict(Outcome::Redirect, StatusCode::PERMANENT_REDIRECT, why.to_owned())
            };
            return explanation;
        }
        Decision::Options(found) => {
            let methods = found.as_ref().map_or(Methods::READ, |found| found.route.methods);
            explanation.route = found.map(|found| named(found.route));
            let why = format!("told the methods: {}", methods.allow());
            explanation.verdict = verdict(Outcome::Options, StatusCode::NO_CONTENT, why);
            return explanation;
        }
        Decision::MethodNotAllowed(route) => {
            explanation.route = Some(named(route));
            let why = format!("the route has the methods {}", route.methods.allow());
            explanation.verdict = verdict(Outcome::Refused, StatusCode::METHOD_NOT_ALLOWED, why);
            return explanation;
        }
        Decision::Refused { because, route } => {
            explanation.route = route.map(named);
            explanation.verdict = refused(service, request, because);
            return explanation;
        }
    };
    let Found { position, route, matched } = found;
    explanation.route = Some(named(route));
    let exchange = Exchange { request, route: Some(route), position: Some(position), arrival };
    let Some(subject) = service.subjects.get(position) else { return explanation };
    let inputs = match Inputs::read(&service.site, route, &matched, &request.headers, arrival.wall) {
        Ok(inputs) => inputs,
        Err(misfit) => {
            explanation.verdict = unfit(misfit);
            return explanation;
        }
    };
    let why = format!("`{}` matches", matched.params.pattern().as_str());
    explanation.verdict = verdict(Outcome::Route, route.status, why);
    let slots = inputs.slots(route, subject, &service.site);
    let variant = route.variant_for(&request.headers);
    let told = Told { service, route, variant, subject, matched: &matched, inputs: &inputs, exchange, slots: &slots };
    let mut page = told.page();
    if let Resource::Files(folder) = &route.resource {
        let answer = super::file(service, &matched, folder, exchange).await;
        if answer.response.status() == StatusCode::NOT_FOUND {
            let why = "there is no such file, or none that may be served".to_owned();
            explanation.verdict = verdict(Outcome::Refused, StatusCode::NOT_FOUND, why);
            return explanation;
        }
        explanation.verdict.status = answer.response.status().as_u16();
        let mut fields = answer.response.headers().clone();
        if !route.guards.is_empty() {
            guard::keep_for_one(&mut fields);
        }
        page.fields = listed(&fields);
    } else if route.status.is_redirection() {
        explanation.verdict.location = told.location();
    } else if told.view().is_none() {
        let why = "the tree has no document of this name".to_owned();
        explanation.verdict = verdict(Outcome::Refused, StatusCode::NOT_FOUND, why);
        return explanation;
    }
    if !route.guards.is_empty() {
        let why = "what is told here is what somebody is answered whom the guards let in; they are asked before anything else, and not here";
        page.notes.insert(0, why.to_owned());
    }
    explanation.page = Some(page);
    explanation
}

fn verdict(outcome: Outcome, status: StatusCode, why: String) -> Verdict {
    Verdict { outcome, status: status.as_u16(), location: None, why, hint: None }
}

fn refused(service: &Service, request: &Parts, because: Refusal) -> Verdict {
    let mut hint = None;
    let path = request.uri.path();
    let why = match because {
        Refusal::Host(bad) => bad.to_string(),
        Refusal::Misdirected => {
            "the host is not the site's: neither `site.url`, nor an alias, nor that of a route".into()
        }
        Refusal::Target => "the target cannot be understood".to_owned(),
        Refusal::NotFound => {
            let patterns = service.site.routes.iter().flat_map(|route| &route.patterns).map(String::as_str);
            hint = did_you_mean(path, patterns.filter(|pattern| !pattern.contains('{')));
            "no route claims this path".to_owned()
        }
        Refusal::Misfit => {
            let host = request.headers.get(header::HOST).and_then(|host| host.to_str().ok());
            let host = host.map(|host| host.split_once(':').map_or(host, |(host, _)| host));
            let misfits = service.site.routers.misfits(host, target(request));
            let said = |(name, text, kind): &(&str, String, &crate::router::InputType)| {
                format!("`{text}` does not fit `params.{name}`, which is of type `{}`", kind.kind().name())
            };
            let said: Vec<String> = misfits.iter().map(said).collect();
            if said.is_empty() { "the route has no such URL".to_owned() } else { said.join("; ") }
        }
    };
    Verdict { hint, ..verdict(Outcome::Refused, because.status(), why) }
}

fn unfit(misfit: Misfit<'_>) -> Verdict {
    let input = misfit.input();
    let why = format!("the value of `query.{}` does not fit its type `{}`", input.name, input.kind.kind().name());
    verdict(Outcome::Refused, misfit.status(), why)
}

fn named(route: &Route) -> Named {
    let kind = match &route.resource {
        Resource::Page(_) => "page",
        Resource::Document(_) => "document",
        Resource::Tree(_) => "documents",
        Resource::Files(_) => "files",
        Resource::Json(_) => "json",
        Resource::Redirect(_) => "redirect",
        Resource::Proxy(_) => "proxy",
    };
    let place = route.places.place("path").unwrap_or_else(|| Place::new(route.file, 0..0));
    Named { file: route.name.to_string(), kind, paths: route.patterns.clone(), place }
}

/// Fields as text, in alphabetical order.
fn listed(fields: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut listed: Vec<_> = fields.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    listed.sort();
    listed
}

/// A request to a route, about which things are told.
struct Told<'t> {
    service: &'t Arc<Service>,
    route: &'t Route,
    /// The route as it answers the request.
    variant: Variant<'t>,
    subject: &'t Subject,
    matched: &'t Match<'t, 't, usize>,
    inputs: &'t Inputs<'t>,
    exchange: Exchange<'t>,
    /// What is known without any source.
    slots: &'t [Value],
}

impl Told<'_> {
    fn page(&self) -> Page {
        let slots = self.slots;
        let visitor = self.inputs.visitor(self.route);
        let plan = plan::Teller { service: self.service, visitor: &visitor, is_anonymous: self.variant.is_anonymous };
        Page {
            inputs: self.inputs(),
            ignored: self.ignored(),
            settings: self.settings(),
            made_of: self
                .view()
                .and_then(|view| view.layout)
                .map_or_else(Vec::new, |linked| linked.layout.files().to_vec()),
            waves: plan.waves(self.route, self.subject, slots, ""),
            rules: plan::rules(self.route, slots),
            privacy: privacy(self.route),
            anonymous: anonymous(self.route, self.variant),
            store: self.store(),
            lifetimes: match &self.route.resource {
                Resource::Proxy(proxy) => lifetimes::of_proxy(proxy),
                Resource::Page(_)
                | Resource::Document(_)
                | Resource::Tree(_)
                | Resource::Files(_)
                | Resource::Json(_)
                | Resource::Redirect(_) => lifetimes::of(self.variant.policy, self.keeping().kept, self.is_compared()),
            },
            fields: self.fields(),
            notes: self.notes(),
        }
    }

    fn view(&self) -> Option<View<'_>> {
        View::of(&self.route.resource, self.slots)
    }

    /// What becomes of a page when all goes well.
    fn keeping(&self) -> Keeping<'_> {
        // Of what the sources say nothing is known.
        let unknown = if self.variant.policy.auto().store { Duration::MAX } else { Duration::ZERO };
        Keeping::of(self.variant, self.route.status, false, unknown)
    }

    /// Whether our page store has a page only to send it again when it has turned out to be what would be made anew.
    fn is_compared(&self) -> bool {
        self.variant.is_keepable() && self.keeping().is_asked_about()
    }

    fn store(&self) -> Store {
        let is_page = !matches!(self.route.resource, Resource::Files(_) | Resource::Proxy(_));
        let is_looked_for = (self.variant.is_storable() || self.is_compared()) && is_page;
        let key = match proxy::told(self.service, self.matched, self.exchange).filter(|_| !is_page) {
            Some(told) => told.key.and_then(Result::ok),
            None => is_looked_for.then(|| self.inputs.key(self.variant, self.subject)),
        };
        let key = key.and_then(|key| told_key(key.finish(), &self.route.inputs.cookies));
        let vary = self.route.vary.iter().map(ToString::to_string).collect();
        if let Resource::Proxy(proxy) = &self.route.resource {
            let is_said = self.route.places.place("cache").is_some() || self.route.guards.is_empty();
            let why = if is_said {
                "the route says `cache = false`"
            } else {
                "the route is guarded, and says nothing of `cache`"
            };
            let refused = proxy.cache.is_none().then(|| why.to_owned());
            return Store { refused, is_compared: false, key, vary };
        }
        let refused = self.keeping().kept.err().map(|refused| refused.to_string());
        Store { refused, is_compared: self.is_compared() && is_page, key, vary }
    }

    /// The fields of the answer when all goes well, as far as they are known.
    fn fields(&self) -> Vec<(String, String)> {
        let Self { route, subject, exchange, slots, .. } = self;
        if let Resource::Proxy(_) = route.resource {
            // The upstream says what is sent.
            return Vec::new();
        }
        if route.status.is_redirection() {
            let location = self.location().and_then(|location| HeaderValue::from_str(&location).ok());
            let location = location.unwrap_or(HeaderValue::from_static(""));
            return listed(respond::redirect(route.status, &location, *exchange).response.headers());
        }
        let Some(view) = self.view() else { return Vec::new() };
        let own = view.content_type.map(|content_type| respond::lasting_fields(route, Some(content_type)));
        let mut fields = own.unwrap_or_else(|| subject.fields.clone());
        if let Some(csp) = view.csp {
            csp.insert(&mut fields);
        }
        if self.variant.is_anonymous {
            Keeping::of(self.variant, route.status, false, Duration::ZERO).say(std::iter::empty(), &mut fields);
        }
        if let Some(cors) = &route.cors {
            cors.allow(exchange.request.headers.get(header::ORIGIN), &mut fields);
        }
        let mut listed = listed(&fields);
        for (name, template) in &route.headers {
            listed.retain(|(known, _)| known != name.as_str());
            let text = field::value(&template.spelled(&speller(route)), slots);
            listed.extend(text.ok().flatten().map(|text| (name.to_string(), text)));
        }
        listed.sort();
        listed
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Resource::Proxy(proxy) = &self.route.resource {
            self.notes_on_passing(proxy, &mut notes);
            return notes;
        }
        if matches!(self.route.resource, Resource::Files(_)) || self.route.status.is_redirection() {
            return notes;
        }
        let content_type = self.route.content_type.as_ref().and_then(|value| value.to_str().ok());
        if content_type.is_some_and(is_compressible) {
            notes.push(
                "`vary` names `accept-encoding` too where the content is long enough to be compressed".to_owned(),
            );
        }
        if let Some(proxy) = &self.route.otherwise {
            let upstream = self.service.site.upstreams.get(proxy.upstream).map_or("?", |upstream| &*upstream.name);
            notes.push(format!("a request that would be a 404 is passed on to the upstream `{upstream}`, as it is"));
        }
        self.notes_on_caches(&mut notes);
        if self.variant.is_personal() {
            notes.push("without `etag`: the page is one person's".to_owned());
        } else if self.route.status == StatusCode::OK && self.variant.is_validated() {
            notes.push("`etag` is strong, a digest of what the page is made of".to_owned());
        }
        let layout = self.view().and_then(|view| view.layout);
        if layout.is_some_and(|linked| linked.layout.uses_now().is_some()) {
            notes.push(
                "the layout prints the present time: the page is stale when another one would be printed".to_owned(),
            );
        }
        if !self.route.sources.is_empty() {
            let kept = self.variant.policy.degraded().filter(|_| self.variant.is_storable());
            let kept = kept.map_or_else(
                || "kept by nobody".to_owned(),
                |kept| format!("kept for {} by our store alone", format_duration(kept.fresh())),
            );
            notes.push(format!("a page that does without a source is sent with `cache-control: no-store`, and {kept}"));
        }
        notes
    }

    /// What is known of a request that is passed on.
    fn notes_on_passing(&self, proxy: &Proxy, notes: &mut Vec<String>) {
        let Some(told) = proxy::told(self.service, self.matched, self.exchange) else { return };
        let (method, name) = (&self.exchange.request.method, &told.upstream.name);
        notes.push(match &told.asked {
            Some(asked) => {
                let own =
                    if told.upstream.query.expose().is_empty() { "" } else { ", with the query of every call to it" };
                format!("the answer is what the upstream `{name}` answers to `{method} {asked}`{own}")
            }
            None => "400: the path leaves a folder that it has entered, and could come to something else".to_owned(),
        });
        notes.push(match (told.key, &proxy.cache) {
            (Some(Ok(_)), _) => {
                "our store keeps it as the answer lets a shared cache (RFC 9111), beside others of the URL \
                                 that its `vary` tells apart; `cache-status` says what was done"
                    .to_owned()
            }
            (Some(Err(bypass)), _) => format!("our store is not asked, and keeps nothing: {bypass}"),
            (None, _) => return,
        });
        let Some(rules::Written { rank, .. }) = proxy.cache.as_ref().and_then(|cache| cache.settings.written) else {
            return;
        };
        notes.push(match rank {
            rules::Rank::BeatsAll => {
                "`override = true`: what is declared counts, and not what the answer says".to_owned()
            }
            rules::Rank::BeatsLifetimes | rules::Rank::FillsGaps => {
                "what is declared takes the place of the times that the answer says; what it forbids stays forbidden"
                    .to_owned()
            }
        });
    }

    /// What is said to caches of which not all is known before data is.
    fn notes_on_caches(&self, notes: &mut Vec<String>) {
        let policy = self.variant.policy;
        let Auto { downstream, cdn, .. } = policy.auto();
        let fields = [("cache-control", downstream), ("cdn-cache-control", cdn)];
        for (name, _) in fields.into_iter().filter(|(_, is_auto)| *is_auto) {
            notes.push(format!("`{name}` says an `s-maxage` of zero here; sent is what its sources leave of it"));
        }
        if let Some(not_found) = policy.not_found().filter(|_| !self.variant.is_personal()) {
            let sent = policy.not_found_cache_control();
            let sent = sent.to_str().unwrap_or_default();
            let time = format_duration(not_found.fresh());
            notes.push(format!("a 404 is sent with `cache-control: {sent}`, and kept for {time} by our store"));
        }
        if self.variant.is_storable() && !self.route.inputs.headers.is_empty() {
            let fields: Vec<String> = self.route.inputs.headers.iter().map(|name| format!("`{name}`")).collect();
            let (most, fields) = (policy.variants, fields.join(", "));
            notes.push(format!("our store keeps up to {most} copies of this URL that differ in {fields}"));
        }
        if let Some(header) = policy.tag_header(false) {
            notes.push(format!("`{}` holds the tags of the page", header.name));
        }
    }

    /// Where a redirect leads, as far as that is known.
    fn location(&self) -> Option<String> {
        let Resource::Redirect(target) = &self.route.resource else { return None };
        let spell = speller(self.route);
        if target.references().any(|binding| spell(binding).is_some()) {
            return target.spelled(&spell).text(self.slots, encode_segment).ok().flatten();
        }
        target.location(self.slots).ok()
    }

    /// Fields of the request that answering reads by itself, whatever is declared.
    fn is_of_the_protocol(&self, name: &HeaderName) -> bool {
        let always = [header::HOST, header::COOKIE, header::ACCEPT_ENCODING, header::IF_MATCH, header::IF_NONE_MATCH];
        let of_files = [header::RANGE, header::IF_RANGE, header::IF_MODIFIED_SINCE, header::IF_UNMODIFIED_SINCE];
        always.contains(name)
            || (matches!(self.route.resource, Resource::Files(_)) && of_files.contains(name))
            || (*name == header::ORIGIN && self.route.cors.is_some())
            || (*name == header::ACCEPT_LANGUAGE && self.route.inputs.request.language)
    }
}

/// A key in its parts. Of a cookie its value is told only if the site declares which there are.
fn told_key(lookup: Lookup<'_>, cookies: &[CookieInput]) -> Option<Key> {
    let parts = lookup.parts()?;
    let is_declared = |name: &str| cookies.iter().any(|cookie| *cookie.name == *name && cookie.is_enumerated());
    let part = |part: KeyPart| {
        let is_shown = part.section != Section::Cookie || is_declared(&part.name);
        let value = part.value.map(|value| if is_shown { value } else { "(not shown)".to_owned() });
        (part.section.name(), part.name, value)
    };
    let digest = blake3::hash(lookup.as_bytes()).to_hex();
    Some(Key {
        subject: parts.subject,
        parts: parts.parts.into_iter().map(part).collect(),
        digest: digest.get(..16).unwrap_or_default().to_owned(),
    })
}

fn privacy(route: &Route) -> Privacy {
    match &route.privacy {
        site::Privacy::Public => Privacy::Public,
        site::Privacy::Personal { path, place, .. } => {
            let step = |step: &crate::source::Step| Step {
                what: step.value.clone(),
                how: Some(step.how.clone()),
                place: step.place,
            };
            let page = Step { what: "the page".to_owned(), how: None, place: *place };
            Privacy::Personal { path: path.iter().map(step).chain([page]).collect() }
        }
    }
}

/// What a personal route is to those who carry none of its credentials.
fn anonymous(route: &Route, variant: Variant<'_>) -> Option<Anonymous> {
    let site::Privacy::Personal { credentials, obstacles, .. } = &route.privacy else { return None };
    Some(Anonymous {
        without: credentials.to_string(),
        is_shared: route.anonymous.is_some(),
        is_this: variant.is_anonymous,
        obstacles: obstacles.iter().map(|obstacle| (obstacle.value.clone(), obstacle.place)).collect(),
    })
}

/// Names what is not known before any source has its value, and what is not to be shown: `{repo.title}`, `{cookies.session}`.
fn speller(route: &Route) -> impl Fn(&Binding) -> Option<String> {
    move |binding| {
        let is_credential = || match &*binding.keys {
            [headers, name] if **headers == *"headers" => {
                HeaderName::from_bytes(name.as_bytes()).is_ok_and(|name| is_credential(&name))
            }
            _ => false,
        };
        match binding.slot {
            slots::PARAMS | slots::QUERY => None,
            slots::REQUEST if !is_credential() => None,
            _ => speller_of_asked(route)(binding),
        }
    }
}

/// The same for a route that is asked in process: nothing is known of what it is asked with.
fn speller_of_asked(route: &Route) -> impl Fn(&Binding) -> Option<String> {
    move |binding| {
        let root = match binding.slot {
            slots::ITEM => "item",
            slots::PARAMS => "params",
            slots::QUERY => "query",
            slots::COOKIES => "cookies",
            slots::REQUEST => "request",
            slot => {
                let planned = route.sources.get(slot.checked_sub(slots::FIRST_SOURCE)?)?;
                &planned.source.name.value
            }
        };
        let words: Vec<&str> = std::iter::once(root).chain(binding.keys.iter().map(|key| &**key)).collect();
        Some(format!("{{{}}}", words.join(".")))
    }
}
