//! The guards of a route: what all levels around it say, compiled and linked; and routes that lie where a guarded section's do, outside of it.

use super::super::inputs::CookieInput;
use super::super::{Auth, Credentials, Identities, Identity, Privacy, Route, Routers, code};
use super::Shared;
use super::scope::{Reads, Scope};
use super::section::Sections;
use super::{kind, privacy};
use crate::config::{Binding, Declared as _, Reference, TreeFile};
use crate::diagnostic::{Finding, Findings, Place};
use crate::fields::is_of_person;
use crate::resource::{Decl, Guard, GuardDecl, GuardsDecl, Knowing, Refusal, required};
use crate::router::{Pattern, Routing};
use crate::source::{Kind, Source};
use http::header::HeaderName;
use std::sync::Arc;

/// What a guard counts on, and is not there.
enum Lack {
    One(Identity),
    /// Any identity at all.
    All,
}

/// What is missing of what a guard counts on: one of these `kinds`, or any at all if it counts on whatever there is.
fn lacking(auth: &Auth, kinds: &[Identity]) -> Option<Lack> {
    let missing = kinds.iter().find(|kind| !auth.written.has(**kind));
    missing.map(|kind| Lack::One(*kind)).or_else(|| auth.written.is_empty().then_some(Lack::All))
}

/// What is said of a route's guards.
#[derive(Default)]
pub(super) struct Guards {
    /// The outermost first.
    levels: Vec<Guard<Reference>>,
    /// The sources that they ask, by position.
    sources: Vec<usize>,
    /// By what each of these knows who asks.
    speaking: Vec<(usize, Credentials)>,
    /// Whether any of them has mistakes, which are told.
    is_broken: bool,
}

impl Guards {
    /// What `decl` says with all levels around it, of a route that has these `sources`, others of which may be `broken`.
    pub(super) fn compile(
        decl: &Decl,
        (sources, broken): (&[Source], &[String]),
        cookies: &[CookieInput],
        known: &[Route],
        shared: &mut Shared<'_>,
    ) -> Self {
        let speaking = |source: &Source| credentials_of(source, cookies, known);
        let mut guards = Self { is_broken: decl.is_lost("guard"), ..Self::default() };
        let Some(GuardsDecl::Levels(levels)) = &decl.guard else { return guards };
        for level in levels {
            match guard(level, (sources, broken), &speaking, shared) {
                Some(guard) => {
                    if let Knowing::Source(at) = guard.by {
                        guards.sources.push(at);
                        guards.speaking.extend(sources.get(at).map(|source| (at, speaking(source))));
                    }
                    guards.levels.push(guard);
                }
                None => guards.is_broken = true,
            }
        }
        guards
    }

    /// The sources that are asked.
    pub(super) fn sources(&self) -> &[usize] {
        &self.sources
    }

    /// The source whose value `user` is.
    pub(super) fn source_of_user(&self) -> Option<usize> {
        match self.levels.last().map(|guard| &guard.by) {
            Some(Knowing::Source(at)) => Some(*at),
            Some(Knowing::Identities(_)) | None => None,
        }
    }

    /// Whether a level with mistakes says that a source knows who asks.
    pub(super) fn names_broken(&self, decl: &Decl) -> bool {
        let Some(GuardsDecl::Levels(levels)) = &decl.guard else { return self.is_broken };
        self.is_broken && levels.last().is_none_or(|level| level.source.is_some())
    }

    /// Whether there are any, be they with mistakes.
    pub(super) fn are_there(&self) -> bool {
        self.is_broken || !self.levels.is_empty()
    }

    /// What a request may carry by which they know who asks.
    pub(super) fn credentials(&self, shared: &Shared<'_>) -> Credentials {
        let mut all = Credentials::default();
        for guard in &self.levels {
            match &guard.by {
                Knowing::Identities(among) => all.extend(&shared.auth.credentials(*among)),
                Knowing::Source(at) => all.extend(&self.speaks_for(*at).unwrap_or_default()),
            }
        }
        all
    }

    /// By what the source at this position knows who asks, if one of them asks it.
    pub(super) fn speaks_for(&self, at: usize) -> Option<Credentials> {
        self.speaking.iter().find(|(known, _)| *known == at).map(|(_, credentials)| credentials.clone())
    }

    /// With their names resolved.
    pub(super) fn link(&self, scope: &Scope<'_>, shared: &mut Shared<'_>) -> Option<Vec<Guard>> {
        let guards: Vec<_> = self.levels.iter().map(|guard| link(guard, scope, shared)).collect();
        let guards: Option<Vec<_>> = guards.into_iter().collect();
        guards.filter(|_| !self.is_broken)
    }
}

/// By what a source knows who asks: what it sends along of it, and what it is addressed by. What says no more than which language, or which of
/// a few variants somebody likes, says nothing of that. Of a route in process it is what that one must have.
fn credentials_of(source: &Source, cookies: &[CookieInput], known: &[Route]) -> Credentials {
    let mut all = Credentials::default();
    match &source.kind {
        Kind::Http(http) => {
            all.cookies = http.forward_cookies.iter().map(|name| Arc::from(name.as_str())).collect();
            all.fields = http.forward_headers.iter().filter(|name| is_of_person(name)).cloned().collect();
        }
        Kind::Route(asking) => {
            if let Some(route) = known.get(asking.asked.route).filter(|route| privacy::is_for_somebody(route)) {
                all.extend(&route.known_by);
                if let Privacy::Personal { credentials, .. } = &route.privacy {
                    all.extend(credentials);
                }
            }
            return all;
        }
        Kind::Value(_) | Kind::Chosen(_) => return all,
    }
    for reference in source.references() {
        match (reference.root.as_str(), reference.keys.as_slice()) {
            ("cookies", [name, ..]) => {
                let open = cookies.iter().find(|cookie| *cookie.name == **name && !cookie.is_enumerated());
                all.cookies.extend(open.map(|cookie| Arc::clone(&cookie.key)));
            }
            ("request", [kind, name, ..]) if kind == "headers" => {
                let field = HeaderName::from_bytes(name.as_bytes()).ok();
                all.fields.extend(field.filter(is_of_person));
            }
            _ => {}
        }
    }
    all.sort();
    all
}

fn guard(
    decl: &GuardDecl,
    (sources, broken): (&[Source], &[String]),
    speaking: &dyn Fn(&Source) -> Credentials,
    shared: &mut Shared<'_>,
) -> Option<Guard<Reference>> {
    let claims = required(decl, &mut shared.findings);
    let by = knowing(decl, (sources, broken), speaking, shared);
    let unauthorized = decl.on_unauthorized.as_ref().map_or(&Refusal::Status, |refusal| &refusal.value);
    let forbidden = decl.on_forbidden.as_ref().map_or(&Refusal::Status, |refusal| &refusal.value);
    let mut is_sound = true;
    for refusal in [unauthorized, forbidden] {
        if let Refusal::Redirect { target, .. } = refusal {
            is_sound &= kind::redirect(target, None, shared.environment, &mut shared.findings);
        }
    }
    if let (Some(written), Refusal::NotFound) = (&decl.on_unauthorized, unauthorized) {
        // Whoever is nobody would never be told how to become somebody, and browsers would never ask for a password.
        let message = "`\"not-found\"` for whoever is not known";
        let help = "on-unauthorized = \"status\" or { redirect = \"/login\" }; `on-forbidden` may be \"not-found\"";
        shared.findings.push(Finding::new(&crate::config::BAD_VALUE, written.place, message).help(help));
        is_sound = false;
    }
    let (claims, by) = (claims?, by?);
    is_sound.then(|| Guard {
        claims,
        by,
        on_unauthorized: unauthorized.clone(),
        on_forbidden: forbidden.clone(),
        place: decl.place,
    })
}

fn knowing(
    decl: &GuardDecl,
    (sources, broken): (&[Source], &[String]),
    speaking: &dyn Fn(&Source) -> Credentials,
    shared: &mut Shared<'_>,
) -> Option<Knowing> {
    let Some(name) = &decl.source else {
        let kinds: Vec<Identity> = decl.auth.as_ref().map(|auth| auth.value.0.clone()).unwrap_or_default();
        let place = decl.auth.as_ref().map_or(decl.place, |auth| auth.place);
        if let Some(missing) = lacking(&shared.auth, &kinds) {
            let (message, help) = match missing {
                Lack::One(kind) => (
                    format!("a guard that counts on `{}`, which this site does not declare", kind.word()),
                    format!("declare it in site.toml: [auth.{}]", kind.word()),
                ),
                Lack::All => (
                    "a guard where nothing says who asks".to_owned(),
                    "declare an identity in site.toml, [auth.jwt], [auth.basic] or [auth.forward], or name a source that knows: \
                     source = \"me\""
                        .to_owned(),
                ),
            };
            shared.findings.push(Finding::new(&code::NO_IDENTITY, place, message).help(help));
            return None;
        }
        let among = if kinds.is_empty() { Identities::ALL } else { kinds.into_iter().collect() };
        return Some(Knowing::Identities(among));
    };
    if let Some(auth) = &decl.auth {
        let message = "`auth` beside `source`";
        let help = "either identities say who asks, or a source: keep one";
        shared
            .findings
            .push(Finding::new(&code::GUARD_SOURCE, auth.place, message).related(name.place, "the source").help(help));
        return None;
    }
    let Some(at) = sources.iter().position(|source| source.name.value == name.value) else {
        if !broken.contains(&name.value) {
            let names: Vec<&str> = sources.iter().map(|source| source.name.value.as_str()).collect();
            let help = crate::diagnostic::did_you_mean(&name.value, names.iter().copied())
                .unwrap_or_else(|| format!("declare it where the guard stands: [sources.{}]", name.value));
            let message = format!("there is no source `{}` for the guard to ask", name.value);
            shared.findings.push(Finding::new(&code::GUARD_SOURCE, name.place, message).help(help));
        }
        return None;
    };
    let source = &sources[at];
    let others =
        |reference: &&Reference| !matches!(reference.root.as_str(), "params" | "cookies" | "request" | "site" | "vars");
    let (message, help) = if source.for_each.is_some() {
        (
            "a guard asks a source once, and this one calls for each item of a list",
            "let the guard ask a source of its own",
        )
    } else if let Some(other) = source.references().into_iter().find(others) {
        let message =
            format!("the guard asks `{}` before anything else is read, and it reads `{}`", name.value, other.spelled());
        let help = "such a source may read `params`, `cookies`, `request.headers`, `site` and `vars`";
        shared
            .findings
            .push(Finding::new(&code::GUARD_SOURCE, other.place, message).related(name.place, "the guard").help(help));
        return None;
    } else if speaking(source) == Credentials::default() {
        (
            "this source sends nothing along that says who asks",
            "forward-cookies = [\"session\"], or forward-headers = [\"authorization\"]",
        )
    } else {
        return Some(Knowing::Source(at));
    };
    let finding =
        Finding::new(&code::GUARD_SOURCE, name.place, message).related(source.name.place, "the source").help(help);
    shared.findings.push(finding);
    None
}

fn link(guard: &Guard<Reference>, scope: &Scope<'_>, shared: &mut Shared<'_>) -> Option<Guard> {
    let mut refusal = |refusal: &Refusal<Reference>| {
        Some(match refusal {
            Refusal::Status => Refusal::Status,
            Refusal::NotFound => Refusal::NotFound,
            Refusal::Redirect { target, next } => Refusal::Redirect {
                target: target.try_map(|reference| place_of(reference, scope, &mut shared.findings))?,
                next: next.clone(),
            },
        })
    };
    let (on_unauthorized, on_forbidden) = (refusal(&guard.on_unauthorized), refusal(&guard.on_forbidden));
    let by = match &guard.by {
        Knowing::Identities(among) => Knowing::Identities(*among),
        Knowing::Source(at) => Knowing::Source(kind::position(scope, *at)?),
    };
    Some(Guard {
        claims: guard.claims.clone(),
        by,
        on_unauthorized: on_unauthorized?,
        on_forbidden: on_forbidden?,
        place: guard.place,
    })
}

/// What a placeholder of a guard's redirect refers to, which stands before anything but the path has been read.
fn place_of(reference: &Reference, scope: &Scope<'_>, findings: &mut Findings) -> Option<Binding> {
    if !matches!(reference.root.as_str(), "params" | "site" | "vars") {
        let message = format!("`{{{}}}` in where a guard sends its visitors", reference.spelled());
        let help = "it is read before anything else: `params`, `site` and `vars` are known there";
        findings.push(Finding::new(&crate::config::BAD_VALUE, reference.place, message).help(help));
        return None;
    }
    scope.bind(reference, &mut Reads::default(), findings)
}

/// Finds routes that lie below the URL of a guarded section's folder, whose files do not: a stranger would not know that they are open.
pub(super) fn refuse_outsiders(unsaid: &[Unsaid], sections: &Sections, findings: &mut Findings) {
    for (folder, place) in sections.guarded() {
        let Ok(around) = Pattern::parse(&format!("/{folder}")) else { continue };
        for (pattern, at) in unsaid.iter().filter_map(|route| route.below(folder, &around)) {
            let message = format!(
                "`{}` lies below `/{folder}`, whose section is guarded, and its file does not",
                pattern.as_str()
            );
            let help = format!(
                "move the file to `routes/{folder}/`, or write what holds for it: `[guard]`, or `guard = false`"
            );
            findings.push(Finding::new(&code::OUTSIDE_GUARD, *at, message).related(*place, "the guard").help(help));
        }
    }
}

/// A route of which nothing says who may have it.
pub(super) struct Unsaid {
    file: String,
    patterns: Vec<(Pattern, Place)>,
}

impl Unsaid {
    /// The route of this file and these patterns, if nothing is said there, nor in what it inherits.
    pub(super) fn of(file: &TreeFile, decl: &Decl, patterns: &[(Pattern, Place)]) -> Option<Self> {
        let is_said = decl.guard.is_some() || decl.is_lost("guard");
        (!is_said).then(|| Self { file: file.path.clone(), patterns: patterns.to_vec() })
    }

    /// Its pattern below `around`, if its file is not in that folder.
    fn below(&self, folder: &str, around: &Pattern) -> Option<&(Pattern, Place)> {
        let is_inside = self.file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        self.patterns.iter().find(|(pattern, _)| !is_inside && pattern.lies_below(around))
    }
}

/// Lists a route that is open where others around it are guarded.
pub(super) fn list_open(decl: &Decl, patterns: &[(Pattern, Place)], findings: &mut Findings) {
    if let Some(GuardsDecl::Open(place)) = &decl.guard {
        let path = patterns.first().map_or("", |(pattern, _)| pattern.as_str());
        let message = format!("`{path}` is open to everybody");
        findings.push(Finding::new(&code::OPEN_ROUTE, *place, message));
    }
}

/// Finds guards that send those who are not known to a page that the same guard keeps from them.
pub(super) fn refuse_circles(routes: &[Route], places: &Routers, findings: &mut Findings) {
    let mut told: Vec<Place> = Vec::new();
    for guard in routes.iter().flat_map(|route| &route.guards) {
        let Refusal::Redirect { target, .. } = &guard.on_unauthorized else { continue };
        let Some(path) = target.as_literal().filter(|target| target.starts_with('/')) else { continue };
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let Routing::Matched(matched) = places.route(None, path) else { continue };
        let login = routes.get(*matched.route);
        if login.is_some_and(|login| login.guards.iter().any(|other| other.place == guard.place))
            && !told.contains(&guard.place)
        {
            told.push(guard.place);
            let message = format!("whoever is not known is sent to `{path}`, which the same guard keeps from them");
            let help = "write `guard = false` in the route of that page";
            findings.push(Finding::new(&code::GUARD_CIRCLE, guard.place, message).help(help));
        }
    }
}
