//! Whose data a page holds: privacy follows values, from cookies and credentials through sources to the page.

use super::super::Privacy;
use super::super::inputs::CookieInput;
use super::scope::Reads;
use crate::diagnostic::{Place, Spanned};
use crate::fields::is_of_person;
use crate::source::{Kind, Source};
use http::header::HeaderName;

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
    let is_of_person = |name: &str| HeaderName::from_bytes(name.as_bytes()).is_ok_and(|name| is_of_person(&name));
    if let Some((name, place)) = reads.headers.iter().find(|(name, _)| is_of_person(name)) {
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
    let credential = http.forward_headers.iter().find(|name| is_of_person(name));
    let path = cookie.or_else(|| credential.map(|name| format!("request.headers.{name}")))?;
    let place = source.name.place;
    Some(Personal { path: vec![Spanned::new(path, place)], place })
}

/// The privacy of a page that is `personal`.
pub(super) fn privacy(personal: Option<&Personal>) -> Privacy {
    let of_person = |personal: &Personal| Privacy::Personal { path: personal.path.clone(), place: personal.place };
    personal.map_or(Privacy::Public, of_person)
}

impl Personal {
    /// The way from the person, in words.
    pub(super) fn way(&self) -> String {
        self.path.iter().map(|step| step.value.as_str()).collect::<Vec<_>>().join(" → ")
    }
}

/// A personal page, for those who ask by name.
impl Privacy {
    /// Whether the page is one person's.
    pub fn is_personal(&self) -> bool {
        matches!(self, Self::Personal { .. })
    }
}
