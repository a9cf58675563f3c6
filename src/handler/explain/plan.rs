//! What would be asked for a page, in which order: the plan itself, run with sources that all succeed and rules that never hold. What needs
//! nothing from outside has its value at once, and whatever waits for that alone begins with it.

use super::super::kept::may_carry_credential;
use super::super::plan::{Next, Plan};
use super::super::runtime::{Service, Subject};
use super::kept;
use super::settings::setting;
use super::{speller, speller_of_asked};
use crate::config::Binding;
use crate::config::format_duration;
use crate::explanation::{Asks, Call, Origin, Rule, Source};
use crate::site::{Planned, Route, Then};
use crate::source::{Http, Kind, Listing, OnError, OnNotFound, OnUnauthorized, encode_segment};
use crate::value::Value;
use http::HeaderMap;

/// Names what is not known yet.
type Spell<'s> = &'s dyn Fn(&Binding) -> Option<String>;

/// Tells of the sources of a request.
pub(super) struct Teller<'t> {
    pub(super) service: &'t Service,
    /// The fields of the request that sources may send along.
    pub(super) visitor: &'t HeaderMap,
    /// Whether nothing in them says who asks.
    pub(super) is_anonymous: bool,
}

impl Teller<'_> {
    /// The sources of a route, in waves. Their names begin with `within`.
    pub(super) fn waves(&self, route: &Route, subject: &Subject, slots: &[Value], within: &str) -> Vec<Vec<Source>> {
        let spell: Spell<'_> = if within.is_empty() { &speller(route) } else { &speller_of_asked(route) };
        let mut plan = Plan::new(&subject.graph);
        let mut waves = Vec::new();
        loop {
            let begun = begun_together(&mut plan, route);
            if begun.is_empty() {
                return waves;
            }
            for &position in &begun {
                plan.settled(position);
            }
            let planned = begun.iter().filter_map(|&position| route.sources.get(position));
            waves.push(planned.map(|planned| self.source(route, planned, slots, (within, spell))).collect());
        }
    }

    fn source(&self, route: &Route, planned: &Planned, slots: &[Value], (within, spell): (&str, Spell<'_>)) -> Source {
        let source = &planned.source;
        let after = planned.after.iter().filter_map(|&at| route.sources.get(at));
        let (mut call, mut asks) = (None, None);
        let name = format!("{within}{}", source.name.value);
        let kind = match &source.kind {
            Kind::Http(http) => {
                call = self.call((route, planned), http, slots, &spell);
                "http"
            }
            Kind::Route(asking) => {
                let position = asking.asked.route;
                if let (Some(asked), Some(subject)) =
                    (self.service.site.routes.get(position), self.service.subjects.get(position))
                {
                    let target = asking.sketch(slots, &spell).unwrap_or_else(|why| format!("({why})"));
                    let waves = self.waves(asked, subject, &asked.constants, &format!("{name}."));
                    asks = Some(Asks { route: asked.name.to_string(), target, waves });
                }
                "route"
            }
            Kind::Value(_) if source.listing.as_ref().is_some_and(|listing| listing.index().is_some()) => "search",
            Kind::Value(_) => "value",
            Kind::Chosen(_) => "file",
        };
        Source {
            name,
            kind,
            place: source.name.place,
            after: after.map(|other| format!("{within}{}", other.source.name.value)).collect(),
            each: source
                .for_each
                .as_ref()
                .map(|each| spell(&each.list).unwrap_or_else(|| "a list of the request".to_owned())),
            is_personal: planned.personal && !self.is_anonymous,
            call,
            searches: source.listing.as_ref().and_then(|listing| searches(listing, slots, spell)),
            asks,
            outcomes: outcomes(planned, slots, &spell),
        }
    }

    fn call(
        &self,
        (route, planned): (&Route, &Planned),
        http: &Http<Binding>,
        slots: &[Value],
        spell: &impl Fn(&Binding) -> Option<String>,
    ) -> Option<Call> {
        let upstream = self.service.site.upstreams.get(http.upstream)?;
        let sketch = http.sketch(upstream, slots, self.visitor, spell);
        let (url, refused) = match sketch.url {
            Ok(url) => (url, None),
            Err(why) => (upstream.base.clone(), Some(why.to_string())),
        };
        let retries = if sketch.is_repeatable {
            setting("retries", sketch.calling.retries.to_string(), Origin::at(sketch.calling.retries_place))
        } else {
            setting(
                "retries",
                "0".to_owned(),
                Origin::Derived("a call that may change something is made once".to_owned()),
            )
        };
        let whose = match planned.personal && !self.is_anonymous {
            false => kept::Whose::Everybodys,
            true if may_carry_credential(http, route) => kept::Whose::OnePersons,
            true => kept::Whose::Addressed,
        };
        let names = (planned.source.name.value.as_str(), &*upstream.name);
        let (kept, kept_under) = kept::of(names, http, sketch.is_repeatable, whose);
        Some(Call {
            kept,
            kept_under,
            upstream: upstream.name.to_string(),
            addresses: upstream.addresses.iter().map(ToString::to_string).collect(),
            method: sketch.method,
            url,
            refused,
            fields: sketch.fields,
            timeout: setting(
                "timeout",
                format_duration(sketch.calling.timeout),
                Origin::at(sketch.calling.timeout_place),
            ),
            retries,
        })
    }
}

/// What is searched, and what for.
fn searches(listing: &Listing<Binding>, slots: &[Value], spell: Spell<'_>) -> Option<String> {
    let index = listing.index()?;
    let words = listing.searched()?.spelled(&spell).text(slots, |text, out| out.push_str(text)).ok().flatten();
    let (pages, passages) = (index.page_count(), index.passage_count());
    let words = words.filter(|words| !words.trim().is_empty());
    let sought = words.map_or_else(|| "for nothing, which finds nothing".to_owned(), |words| format!("for `{words}`"));
    Some(format!("searches {pages} documents in {passages} passages {sought}"))
}

/// What begins before anything else is waited for, in that order.
fn begun_together(plan: &mut Plan<'_>, route: &Route) -> Vec<usize> {
    let mut together = Vec::new();
    while let Next::Run(begun) = plan.next(|_rule| false) {
        together.extend(&begun);
        let at_once = begun.into_iter().filter(|&at| {
            let kind = route.sources.get(at).map(|planned| &planned.source.kind);
            matches!(kind, Some(Kind::Value(_) | Kind::Chosen(_)))
        });
        let at_once: Vec<usize> = at_once.collect();
        if at_once.is_empty() {
            break;
        }
        for position in at_once {
            plan.settled(position);
        }
    }
    together
}

fn outcomes(
    planned: &Planned,
    slots: &[Value],
    spell: &impl Fn(&Binding) -> Option<String>,
) -> Vec<(&'static str, String)> {
    let outcomes = &planned.source.outcomes;
    let forwards = match &planned.source.kind {
        Kind::Http(http) => http.forwards_credential(),
        Kind::Route(_) => true,
        // They are there once the site is.
        Kind::Value(_) | Kind::Chosen(_) => return Vec::new(),
    };
    let on_error = match outcomes.on_error {
        OnError::Fail => "fail",
        OnError::Fallback => "fallback",
        OnError::Omit => "omit",
    };
    let on_not_found = match outcomes.on_not_found {
        OnNotFound::NotFound => "not-found",
        OnNotFound::Fallback => "fallback",
        OnNotFound::Omit => "omit",
        OnNotFound::Fail => "fail",
    };
    let mut said = vec![("on-error", on_error.to_owned()), ("on-not-found", on_not_found.to_owned())];
    if forwards {
        let on_unauthorized = match &outcomes.on_unauthorized {
            OnUnauthorized::Status => "status".to_owned(),
            OnUnauthorized::Omit => "omit".to_owned(),
            OnUnauthorized::Fail => "fail".to_owned(),
            OnUnauthorized::Redirect(target) => {
                let target = target.spelled(spell).text(slots, encode_segment);
                format!("302 to {}", target.ok().flatten().unwrap_or_default())
            }
        };
        said.push(("on-unauthorized", on_unauthorized));
    }
    said
}

/// The rules of a route, first to last.
pub(super) fn rules(route: &Route, slots: &[Value]) -> Vec<Rule> {
    let name = |&at: &usize| route.sources.get(at).map(|planned| planned.source.name.value.clone());
    let rule = |rule: &crate::site::Rule| Rule {
        condition: rule.written.value.clone(),
        place: rule.written.place,
        then: match &rule.then {
            Then::Redirect { target, status, .. } => {
                let target = target.spelled(&speller(route)).text(slots, encode_segment);
                format!("{} to {}", status.as_u16(), target.ok().flatten().unwrap_or_default())
            }
            Then::Status(status) => format!("{}, with its error page", status.as_u16()),
            Then::Layout { status, layout } => format!("{}, in {}", status.as_u16(), layout.layout.name()),
        },
        after: rule.after.iter().filter_map(name).collect(),
    };
    route.rules.iter().map(rule).collect()
}
