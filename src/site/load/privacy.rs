//! Whose data a page holds: privacy follows values, from cookies and credentials through sources to the page.

use super::super::inputs::CookieInput;
use super::super::{Credentials, Privacy, Route};
use super::scope::Reads;
use crate::diagnostic::{Place, Spanned};
use crate::fields::is_credential;
use crate::source::{Kind, OnUnauthorized, Source};
use http::header::HeaderName;
use std::sync::Arc;

/// What makes something personal: the way from the person, and the place where it is read.
#[derive(Debug, Clone)]
pub(super) struct Personal {
    pub(super) path: Vec<Spanned<String>>,
    pub(super) place: Place,
}

/// What of `reads` is one person's, if anything; `sources` tells it of those that are settled.
pub(super) fn of_reads(reads: &Reads, cookies: &[CookieInput], sources: &[Option<Personal>]) -> Option<Personal> {
    for (name, place) in &reads.cookies {
        let open = cookies.iter().any(|cookie| *cookie.name == **name && !cookie.is_enumerated());
        if open {
            return Some(Personal { path: vec![Spanned::new(format!("cookies.{name}"), *place)], place: *place });
        }
    }
    let is_credential = |name: &str| HeaderName::from_bytes(name.as_bytes()).is_ok_and(|name| is_credential(&name));
    if let Some((name, place)) = reads.headers.iter().find(|(name, _)| is_credential(name)) {
        return Some(Personal { path: vec![Spanned::new(format!("request.headers.{name}"), *place)], place: *place });
    }
    reads.sources.iter().find_map(|(position, place)| {
        let personal = sources.get(*position)?.as_ref()?;
        Some(Personal { path: personal.path.clone(), place: *place })
    })
}

/// What makes a source personal, if anything: what it sends along, or what it is addressed by.
pub(super) fn of_source(
    source: &Source,
    reads: &Reads,
    cookies: &[CookieInput],
    sources: &[Option<Personal>],
) -> Option<Personal> {
    let mut personal = forwarded(source).or_else(|| of_reads(reads, cookies, sources))?;
    personal.path.push(source.name.as_ref().map(|name| format!("sources.{name}")));
    Some(personal)
}

fn forwarded(source: &Source) -> Option<Personal> {
    let http = match &source.kind {
        Kind::Http(http) => http,
        Kind::Route(asking) => {
            return Some(Personal { path: asking.asked.personal.clone()?, place: source.name.place });
        }
        Kind::Value(_) | Kind::Chosen(_) => return None,
    };
    let cookie = http.forward_cookies.first().map(|name| format!("the cookie `{name}`"));
    let credential = http.forward_headers.iter().find(|name| is_credential(name));
    let path = cookie.or_else(|| credential.map(|name| format!("request.headers.{name}")))?;
    let place = source.name.place;
    Some(Personal { path: vec![Spanned::new(path, place)], place })
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
    let fields = reads.headers.keys().filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok());
    all.fields.extend(fields.filter(is_credential));
    for source in running {
        match &source.kind {
            Kind::Http(http) => {
                all.cookies.extend(http.forward_cookies.iter().map(|name| Arc::from(name.as_str())));
                all.fields.extend(http.forward_headers.iter().filter(|name| is_credential(name)).cloned());
            }
            Kind::Route(asking) => {
                if let Some(Privacy::Personal { credentials, .. }) =
                    known.get(asking.asked.route).map(|route| &route.privacy)
                {
                    all.cookies.extend(credentials.cookies.iter().cloned());
                    all.fields.extend(credentials.fields.iter().cloned());
                }
            }
            Kind::Value(_) | Kind::Chosen(_) => {}
        }
    }
    all.cookies.sort();
    all.cookies.dedup();
    all.fields.sort_by(|left, right| left.as_str().cmp(right.as_str()));
    all.fields.dedup();
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
                let asked = known.get(asking.asked.route).map(|route| &route.privacy);
                matches!(asked, Some(Privacy::Personal { obstacles, .. }) if !obstacles.is_empty())
            }
            Kind::Value(_) | Kind::Chosen(_) => false,
        };
        let why = format!("`{}` is not optional: its `on-unauthorized` comes to {word}", source.name.value);
        is_one.then(|| Spanned::new(why, source.name.place))
    };
    running.filter_map(obstacle).collect()
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
