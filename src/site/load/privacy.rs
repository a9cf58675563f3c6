//! Whose data a page holds: privacy follows values, from cookies and credentials through sources to the page.

use super::super::Privacy;
use super::super::inputs::CookieInput;
use super::scope::Reads;
use crate::diagnostic::Place;
use crate::fields::is_of_person;
use crate::source::{Kind, Source, Step};
use http::header::HeaderName;

/// What makes something personal: the way from the person, and the place where it is read.
#[derive(Debug, Clone)]
pub(super) struct Personal {
    pub(super) path: Vec<Step>,
    pub(super) place: Place,
}

/// What reads for the page itself, in the words of steps.
pub(super) const THE_PAGE: &str = "the page";

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
