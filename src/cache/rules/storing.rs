//! Whether a response may be stored (RFC 9111, sections 3, 3.3 and 3.5), and on what terms.

use super::freshness::{date, explicit_lifetime, initial_age, last_modified, lifetime};
use super::governing::Governing;
use super::reference::Reference;
use super::settings::{Audience, Cookies, Rank, Written};
use super::status::{is_heuristically_cacheable, is_never_stored, is_understood};
use super::{Demand, Exchange, LifetimeSource, Part, Reusable, Settings, Terms, VaryNames, groups};
use crate::fields::{CacheControl, Scope};
use http::header::{AUTHORIZATION, CONTENT_LOCATION, COOKIE, ETAG, LAST_MODIFIED, SET_COOKIE};
use http::{HeaderName, Method, StatusCode};
use std::time::Duration;

/// Why a response is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NotStored {
    /// No response to this method answers a later request.
    #[error("the method is not one whose responses are stored")]
    Method,
    /// A response to POST that does not say that it stands for its target, and for how long (RFC 9110, section 9.3.3).
    #[error("a response to POST is stored only with a lifetime and a Content-Location that is its own target")]
    Post,
    /// The status is about one request, or its definition forbids storing it.
    #[error("a response of this status is never stored")]
    Status,
    /// The status is not one that is stored by default, and the response does not say for how long it is fresh.
    #[error("a response of this status is stored only if it says for how long it is fresh")]
    StatusWithoutLifetime,
    /// `must-understand`, and a status whose rules are not known here (section 5.2.2.3).
    #[error("the response says must-understand, and its status is not known")]
    NotUnderstood,
    /// The response says `no-store` (section 5.2.2.5).
    #[error("the response says no-store")]
    NoStore,
    /// The request says `no-store` (section 5.2.1.5).
    #[error("the request says no-store")]
    RequestNoStore,
    /// The response is for one person (section 5.2.2.7).
    #[error("the response says private")]
    Private,
    /// The request carried a credential, and the response does not say that it is for others (section 3.5).
    #[error("the request carried Authorization, and the response says neither public nor must-revalidate nor s-maxage")]
    Authorization,
    /// The response sets a cookie, and does not say what is asked of those that do.
    #[error("the response sets a cookie")]
    SetCookie,
    /// The request carried a cookie, and the response says neither that it is for others nor how to tell whether it is the same for them.
    #[error("the request carried a cookie, and the response has neither a lifetime nor ETag")]
    Cookie,
    /// Nothing is known of what chose the response (section 4.1).
    #[error("the response says Vary: *")]
    VaryAnything,
    /// A part of which it is not known where it belongs (section 3.3).
    #[error("a partial response does not say in bytes which part it is")]
    Part,
    /// It must be validated before each reuse, and has nothing to be validated by.
    #[error("the response says no-cache, and has neither ETag nor Last-Modified")]
    NoCache,
    /// It is never fresh, and has nothing to be validated by.
    #[error("the response has neither a lifetime nor ETag nor Last-Modified")]
    NoLifetime,
    /// It was as old as it may be when it came, and has nothing to be validated by.
    #[error("the response was stale when it came, and has neither ETag nor Last-Modified")]
    Stale,
}

impl NotStored {
    /// Whether what was stored before for the same request is to be dropped although nothing takes its place: the origin has said something later
    /// (section 4), and it was no error. What was about the one request or its sender leaves the store as it was.
    pub fn displaces(self, status: StatusCode) -> bool {
        let is_of_all = match self {
            Self::NotUnderstood
            | Self::NoStore
            | Self::VaryAnything
            | Self::NoCache
            | Self::NoLifetime
            | Self::Stale => true,
            Self::StatusWithoutLifetime => true,
            Self::Method | Self::Post | Self::Status | Self::Part => false,
            Self::RequestNoStore | Self::Private | Self::Authorization | Self::SetCookie | Self::Cookie => false,
        };
        is_of_all && !status.is_server_error()
    }

    /// In a token, as `Cache-Status` has it in its `detail`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Post => "post",
            Self::Status => "status",
            Self::StatusWithoutLifetime => "status-without-lifetime",
            Self::NotUnderstood => "must-understand",
            Self::NoStore => "no-store",
            Self::RequestNoStore => "request-no-store",
            Self::Private => "private",
            Self::Authorization => "authorization",
            Self::SetCookie => "set-cookie",
            Self::Cookie => "cookie",
            Self::VaryAnything => "vary",
            Self::Part => "part",
            Self::NoCache => "no-cache",
            Self::NoLifetime => "no-lifetime",
            Self::Stale => "stale-on-arrival",
        }
    }
}

/// Whether the response of an exchange may be stored (section 3), and what it says about its reuse.
///
/// What is stored for validation alone is so only if it has a validator. The response to a HEAD is not stored, as it answers no GET; it may
/// freshen what is stored ([`super::head_verdict`]).
pub fn store(exchange: &Exchange<'_>, settings: &Settings) -> Result<Terms, NotStored> {
    assess(exchange, settings, None)
}

/// The same of a stored response that was [freshened](super::freshen): `exchange` is the one that did so, with the status that is stored and the
/// fields as they are now. What is stored stays the part that it was.
pub fn store_again(before: &Terms, exchange: &Exchange<'_>, settings: &Settings) -> Result<Terms, NotStored> {
    assess(exchange, settings, before.part.as_ref())
}

fn assess(exchange: &Exchange<'_>, settings: &Settings, part: Option<&Part>) -> Result<Terms, NotStored> {
    let governing = Governing::read(exchange.response, exchange.received, settings);
    let is_all_ours = settings.written.is_some_and(|written| written.rank == Rank::BeatsAll);
    let unheard = CacheControl::default();
    let directives = if is_all_ours { &unheard } else { &governing.directives };

    if is_never_stored(exchange.status) {
        return Err(NotStored::Status);
    }
    let said = explicit_lifetime(&governing, date(exchange.response, exchange.received));
    match *exchange.method {
        Method::GET => {}
        Method::POST if is_of_target(exchange) && said.is_some() => {}
        Method::POST => return Err(NotStored::Post),
        _ => return Err(NotStored::Method),
    }
    is_permitted(exchange, directives, &governing.directives, settings)?;
    let vary = VaryNames::of(exchange.response).ok_or(NotStored::VaryAnything)?;
    let withheld = withheld(directives)?;
    let part = match (exchange.status, part) {
        (_, Some(part)) => Some(part.clone()),
        (StatusCode::PARTIAL_CONTENT, None) => {
            Some(Part::of(exchange.request, exchange.response).ok_or(NotStored::Part)?)
        }
        _ => None,
    };
    if exchange.response.contains_key(SET_COOKIE) {
        let is_said = said.is_some_and(|(lifetime, _)| !lifetime.is_zero());
        is_cookie_for_everybody(&governing.directives, is_said, settings.cookies)?;
    }
    // Section 3, the last point: one of these has to be there.
    let (lifetime, lifetime_source) = lifetime(exchange, &governing, settings);
    let initial_age = initial_age(exchange.response, exchange.received, exchange.delay);
    // What is declared against all that the origin says counts from when it came here, whatever way it took.
    let is_ours = is_all_ours && lifetime_source == LifetimeSource::Written && !lifetime.is_zero();
    let lifetime = if is_ours { lifetime.saturating_add(initial_age) } else { lifetime };
    let is_cacheable =
        directives.public || lifetime_source != LifetimeSource::None || is_heuristically_cacheable(exchange.status);
    if !is_cacheable {
        return Err(NotStored::StatusWithoutLifetime);
    }

    let reusable = reusable(directives);
    let written = settings.written_for(exchange.status, said.is_some());
    let (stale_while_revalidate, said_stale_if_error) = stale_windows(directives, reusable, written);
    // Who sent a cookie may have been answered for himself. Where nothing is said that lets others have it, it answers nobody before the origin has
    // said that it is theirs too, and a date does not say so: all that one application sends may have changed at the same time.
    let is_for_others = directives.public
        || directives.s_maxage.is_some()
        || !(lifetime.is_zero() && stale_while_revalidate.is_zero())
        || said_stale_if_error.is_some_and(|window| !window.is_zero());
    let may_be_anybodys =
        settings.audience == Audience::Everybody && exchange.request.contains_key(COOKIE) && !is_for_others;
    if may_be_anybodys && !exchange.response.contains_key(ETAG) {
        return Err(NotStored::Cookie);
    }
    let reusable = if may_be_anybodys { Reusable::Validated } else { reusable };
    let stale_if_error = match reusable {
        Reusable::Freely => said_stale_if_error.unwrap_or(settings.stale_when_unreachable),
        Reusable::AsItSays => said_stale_if_error.unwrap_or_default(),
        Reusable::WhileFresh | Reusable::Validated => Duration::ZERO,
    };
    let terms = Terms {
        lifetime,
        lifetime_source,
        initial_age,
        received: exchange.received,
        date: date(exchange.response, exchange.received),
        last_modified: last_modified(exchange.response, exchange.received),
        has_validator: exchange.response.contains_key(ETAG) || exchange.response.contains_key(LAST_MODIFIED),
        reusable,
        is_immutable: directives.immutable,
        stale_while_revalidate,
        stale_if_error,
        is_stale_if_error_said: said_stale_if_error.is_some(),
        vary,
        withheld,
        groups: groups(exchange.response),
        part,
    };
    is_of_use(&terms).map(|()| terms)
}

/// What forbids storing whatever the response is about. `said` is what the origin says, heard or not.
fn is_permitted(
    exchange: &Exchange<'_>,
    directives: &CacheControl,
    said: &CacheControl,
    settings: &Settings,
) -> Result<(), NotStored> {
    // Section 5.2.2.3: who knows the status may ignore the `no-store` that is for those who do not.
    if directives.must_understand && !is_understood(exchange.status) {
        return Err(NotStored::NotUnderstood);
    }
    if directives.no_store && !directives.must_understand {
        return Err(NotStored::NoStore);
    }
    if settings.obeys_requests && Demand::read(exchange.request).no_store {
        return Err(NotStored::RequestNoStore);
    }
    if directives.private == Some(Scope::Response) {
        return Err(NotStored::Private);
    }
    // Section 3.5. Declared lifetimes do not make a person's response everybody's.
    let is_for_others = said.public || said.must_revalidate || said.s_maxage.is_some();
    let is_shared = settings.audience == Audience::Everybody;
    if is_shared && exchange.request.contains_key(AUTHORIZATION) && !is_for_others {
        return Err(NotStored::Authorization);
    }
    Ok(())
}

/// Whether the response to a POST is what a GET of its target would answer (RFC 9110, section 9.3.3).
fn is_of_target(exchange: &Exchange<'_>) -> bool {
    let mut locations = exchange.response.get_all(CONTENT_LOCATION).iter();
    let (Some(location), None) = (locations.next(), locations.next()) else { return false };
    let Some(base) = exchange.targets.first().filter(|_| exchange.status == StatusCode::OK) else { return false };
    let is_one = |location: Reference| exchange.targets.iter().any(|target| Reference::of(target) == location);
    Reference::resolve(base, location.as_bytes()).is_some_and(is_one)
}

/// Sections 5.2.2.4 and 5.2.2.7: the fields that `private` and `no-cache` name. Of the two ways that the RFC leaves, the rest is stored
/// without them. A field that says how the response is chosen or kept cannot be left out: then nothing is stored.
fn withheld(directives: &CacheControl) -> Result<Vec<HeaderName>, NotStored> {
    let names = |scope: &Option<Scope>| match scope {
        Some(Scope::Fields(names)) => names.clone(),
        Some(Scope::Response) | None => Vec::new(),
    };
    let mut withheld: Vec<HeaderName> = Vec::new();
    for name in names(&directives.private).iter().chain(&names(&directives.no_cache)) {
        // A name that is none names nothing.
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            withheld.push(name);
        }
    }
    let is_needed = withheld.iter().any(|name| {
        matches!(name.as_str(), "vary" | "cache-control" | "content-encoding" | "content-range" | "content-type")
    });
    if is_needed {
        return Err(NotStored::Private);
    }
    withheld.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
    withheld.dedup();
    Ok(withheld)
}

/// What is asked of a response that sets a cookie, which whoever is answered with it gets (section 7.3). One whose `Set-Cookie` is withheld is
/// asked nothing, as none is stored.
fn is_cookie_for_everybody(directives: &CacheControl, is_said: bool, cookies: Cookies) -> Result<(), NotStored> {
    let is_withheld = |scope: &Option<Scope>| matches!(scope, Some(Scope::Fields(names)) if names.iter().any(|name| name == SET_COOKIE.as_str()));
    let is_allowed = match cookies {
        // What is validated each time is meant to be made for each.
        Cookies::Explicit => is_said && directives.no_cache != Some(Scope::Response),
        Cookies::Public => directives.public || directives.s_maxage.is_some(),
        Cookies::Never => false,
        Cookies::Unsent => true,
    };
    let is_none = is_withheld(&directives.private) || is_withheld(&directives.no_cache);
    if is_allowed || is_none { Ok(()) } else { Err(NotStored::SetCookie) }
}

fn reusable(directives: &CacheControl) -> Reusable {
    if directives.no_cache == Some(Scope::Response) {
        Reusable::Validated
    } else if directives.must_revalidate || directives.proxy_revalidate {
        Reusable::WhileFresh
    } else if directives.s_maxage.is_some() {
        Reusable::AsItSays
    } else {
        Reusable::Freely
    }
}

/// The windows of RFC 5861, where they are said or declared. Beside `s-maxage` they count as what they are, a permission in so many words; what
/// forbids in so many words wins (RFC 9111, section 4.2.4).
fn stale_windows(
    directives: &CacheControl,
    reusable: Reusable,
    written: Option<Written>,
) -> (Duration, Option<Duration>) {
    if matches!(reusable, Reusable::WhileFresh | Reusable::Validated) {
        return (Duration::ZERO, None);
    }
    let seconds = |count: u32| Duration::from_secs(count.into());
    let said = (directives.stale_while_revalidate.map(seconds), directives.stale_if_error.map(seconds));
    let written = written.map(|written| (written.stale_while_revalidate, written.stale_if_error, written.rank));
    let (while_revalidating, on_error) = match written {
        Some((while_revalidating, on_error, Rank::FillsGaps)) => (said.0.or(while_revalidating), said.1.or(on_error)),
        Some((while_revalidating, on_error, Rank::BeatsLifetimes | Rank::BeatsAll)) => {
            (while_revalidating.or(said.0), on_error.or(said.1))
        }
        None => said,
    };
    (while_revalidating.unwrap_or_default(), on_error)
}

/// Whether anything could come of storing it.
fn is_of_use(terms: &Terms) -> Result<(), NotStored> {
    let is_stale_said =
        !terms.stale_while_revalidate.is_zero() || (terms.is_stale_if_error_said && !terms.stale_if_error.is_zero());
    if terms.has_validator {
        return Ok(());
    }
    match (terms.reusable, terms.lifetime.is_zero()) {
        (Reusable::Validated, _) => Err(NotStored::NoCache),
        _ if is_stale_said => Ok(()),
        (_, true) => Err(NotStored::NoLifetime),
        // It may stand in for an error, and for who accepts what is stale.
        (Reusable::Freely, false) if terms.initial_age < terms.lifetime.saturating_add(terms.stale_if_error) => Ok(()),
        (_, false) if terms.initial_age >= terms.lifetime => Err(NotStored::Stale),
        (_, false) => Ok(()),
    }
}
