//! Whose data a page holds: privacy follows values, from cookies and credentials through sources to the page.

use super::super::inputs::{CookieInput, FLASH_COOKIE};
use super::super::{Credentials, Privacy, Route};
use super::scope::Reads;
use crate::diagnostic::{Place, Spanned};
use crate::fields::is_of_person;
use crate::source::{Kind, OnUnauthorized, Source, Step};
use http::header::HeaderName;
use std::sync::Arc;

/// What makes something personal: the way from the person, and the place where it is read.
#[derive(Debug, Clone)]
pub(super) struct Personal {
    pub(super) path: Vec<Step>,
    pub(super) place: Place,
}

/// What reads for the page itself, in the words of steps.
pub(super) const THE_PAGE: &str = "the page";

/// The field of `request` that one person's cookie brings.
const FLASH: &str = "flash";

/// What of `reads` is one person's, if anything; `sources` tells it of those that are settled. It is read by `reader`.
pub(super) fn of_reads(
    reads: &Reads,
    cookies: &[CookieInput],
    sources: &[Option<Personal>],
    reader: &str,
) -> Option<Personal> {
    let first = |value: String, place: Place| {
        let how = format!("{reader} reads `{value}`");
        Personal { path: vec![Step { value, how, place }], place }
    };
    for (name, place) in &reads.cookies {
        let open = cookies.iter().any(|cookie| *cookie.name == **name && !cookie.is_enumerated());
        if open {
            return Some(first(format!("cookies.{name}"), *place));
        }
    }
    let is_of_person = |name: &str| HeaderName::from_bytes(name.as_bytes()).is_ok_and(|name| is_of_person(&name));
    if let Some((name, place)) = reads.headers.iter().find(|(name, _)| is_of_person(name)) {
        return Some(first(format!("request.headers.{name}"), *place));
    }
    if let Some(place) = reads.request.get(FLASH) {
        return Some(first(format!("request.{FLASH}"), *place));
    }
    if let Some(place) = reads.user {
        return Some(first("user".to_owned(), place));
    }
    reads.sources.iter().find_map(|(position, place)| {
        let mut path = sources.get(*position)?.as_ref()?.path.clone();
        // What the source holds goes on from here.
        if let Some(last) = path.last_mut() {
            (last.how, last.place) = (format!("{reader} reads `{}`", reads.spelled(*position)), *place);
        }
        Some(Personal { path, place: *place })
    })
}

/// What makes a source personal, if anything: what it sends along, or what it is addressed by.
pub(super) fn of_source(
    source: &Source,
    reads: &Reads,
    cookies: &[CookieInput],
    sources: &[Option<Personal>],
) -> Option<Personal> {
    let name = &source.name.value;
    let of_reads = || of_reads(reads, cookies, sources, &format!("`{name}`"));
    let mut personal = forwarded(source).or_else(of_reads)?;
    let how = format!("{THE_PAGE} is made with `{name}`");
    personal.path.push(Step { value: format!("sources.{name}"), how, place: source.name.place });
    Some(personal)
}

fn forwarded(source: &Source) -> Option<Personal> {
    let name = &source.name.value;
    let http = match &source.kind {
        Kind::Http(http) => http,
        Kind::Route(asking) => {
            return Some(Personal { path: asking.asked.personal.clone()?, place: asking.place });
        }
        Kind::Value(_) | Kind::Chosen(_) => return None,
    };
    let (headers_at, cookies_at) = &http.forwarded_at;
    let cookie = http.forward_cookies.iter().zip(cookies_at).next();
    let cookie = cookie.map(|(name, place)| (format!("the cookie `{name}`"), *place));
    let credential = || {
        let mut headers = http.forward_headers.iter().zip(headers_at);
        let (name, place) = headers.find(|(name, _)| is_of_person(name))?;
        Some((format!("request.headers.{name}"), *place))
    };
    let (value, place) = cookie.or_else(credential)?;
    let sent = if value.contains('`') { value.clone() } else { format!("`{value}`") };
    Some(Personal { path: vec![Step { how: format!("`{name}` sends {sent} along"), value, place }], place })
}

/// The way to a source that asks a route whose answer is personal by this `path`, at `place`.
pub(super) fn by_route(path: &[Step], asked: &str, source: &str, place: Place) -> Vec<Step> {
    let mut path = path.to_vec();
    if let Some(last) = path.last_mut()
        && let Some(how) = last.how.strip_prefix(THE_PAGE)
    {
        last.how = format!("{asked}{how}");
    }
    path.push(Step { value: asked.to_owned(), how: format!("`{source}` asks {asked}"), place });
    path
}

/// All by which a person may reach a page that reads `reads`, of which its sources do their part, those `running`.
pub(super) fn credentials<'s>(
    reads: &Reads,
    cookies: &[CookieInput],
    running: impl Iterator<Item = &'s Source>,
    known: &[Route],
) -> Credentials {
    let open = cookies.iter().filter(|cookie| reads.cookies.contains_key(&*cookie.name) && !cookie.is_enumerated());
    let mut all = Credentials { cookies: open.map(|cookie| Arc::clone(&cookie.key)).collect(), fields: Vec::new() };
    all.cookies.extend(reads.request.contains_key(FLASH).then(|| Arc::from(FLASH_COOKIE)));
    let fields = reads.headers.keys().filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok());
    all.fields.extend(fields.filter(is_of_person));
    for source in running {
        match &source.kind {
            Kind::Http(http) => {
                all.cookies.extend(http.forward_cookies.iter().map(|name| Arc::from(name.as_str())));
                all.fields.extend(http.forward_headers.iter().filter(|name| is_of_person(name)).cloned());
            }
            Kind::Route(asking) => {
                let Some(route) = known.get(asking.asked.route) else { continue };
                all.extend(&route.known_by);
                if let Privacy::Personal { credentials, .. } = &route.privacy {
                    all.extend(credentials);
                }
            }
            Kind::Value(_) | Kind::Chosen(_) => {}
        }
    }
    all.sort();
    all
}

/// Why there is no page without the credentials that the sources `running` send along, and where: a refusal of none ends it.
pub(super) fn obstacles<'s>(running: impl Iterator<Item = &'s Source>, known: &[Route]) -> Vec<Spanned<String>> {
    let obstacle = |source: &Source| {
        let word = match &source.outcomes.on_unauthorized {
            OnUnauthorized::Omit => return None,
            OnUnauthorized::Status => "\"status\"",
            OnUnauthorized::Fail => "\"fail\"",
            OnUnauthorized::Redirect(_) => "a redirect",
        };
        let is_one = match &source.kind {
            Kind::Http(http) => http.forwards_credential(),
            Kind::Route(asking) => {
                let asked = known.get(asking.asked.route);
                asked.is_some_and(is_for_somebody)
            }
            Kind::Value(_) | Kind::Chosen(_) => false,
        };
        let why = format!("`{}` is not optional: its `on-unauthorized` comes to {word}", source.name.value);
        is_one.then(|| Spanned::new(why, source.name.place))
    };
    running.filter_map(obstacle).collect()
}

/// Whether a route has no answer for whoever carries nothing.
pub(super) fn is_for_somebody(route: &Route) -> bool {
    !route.guards.is_empty() || matches!(&route.privacy, Privacy::Personal { obstacles, .. } if !obstacles.is_empty())
}

/// A page that is one person's.
pub(super) struct OfPerson {
    pub(super) personal: Personal,
    pub(super) credentials: Credentials,
    /// Why there is no page without them.
    pub(super) obstacles: Vec<Spanned<String>>,
}

impl OfPerson {
    /// The privacy of the page.
    pub(super) fn privacy(self) -> Privacy {
        let Self { personal: Personal { path, place }, credentials, obstacles } = self;
        Privacy::Personal { path, place, credentials, obstacles }
    }
}

impl Personal {
    /// The way from the person, in words.
    pub(super) fn way(&self) -> String {
        self.path.iter().map(|step| step.value.as_str()).collect::<Vec<_>>().join(" → ")
    }
}
