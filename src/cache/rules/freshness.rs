//! For how long a response is fresh, and how old it was when it came (RFC 9111, section 4.2).

use super::governing::{Governing, lines};
use super::settings::{Audience, Rank};
use super::status::is_heuristically_cacheable;
use super::{Exchange, Settings};
use crate::fields::{parse_age, parse_date_received};
use http::header::{AGE, AUTHORIZATION, COOKIE, DATE, HeaderMap, HeaderName, LAST_MODIFIED};
use std::time::{Duration, SystemTime};

/// The longest that a lifetime is guessed.
const LONGEST_GUESS: Duration = Duration::from_hours(24);

/// Where a freshness lifetime comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifetimeSource {
    /// `s-maxage`
    SMaxAge,
    /// `max-age`
    MaxAge,
    /// `Expires`
    Expires,
    /// Guessed from `Last-Modified` (section 4.2.2).
    Heuristic,
    /// Declared for this origin.
    Written,
    /// Nothing says any.
    None,
}

impl LifetimeSource {
    /// Whether the response itself says it (section 4.2.1).
    pub fn is_explicit(self) -> bool {
        matches!(self, Self::SMaxAge | Self::MaxAge | Self::Expires)
    }

    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::SMaxAge => "s-maxage",
            Self::MaxAge => "max-age",
            Self::Expires => "expires",
            Self::Heuristic => "heuristic",
            Self::Written => "declared",
            Self::None => "none",
        }
    }
}

/// The freshness lifetime that the response itself says (section 4.2.1): the first of these that is there counts, for a shared cache.
pub(super) fn explicit_lifetime(governing: &Governing, date: SystemTime) -> Option<(Duration, LifetimeSource)> {
    let seconds = |count: u32| Duration::from_secs(count.into());
    let directives = &governing.directives;
    if let Some(count) = directives.s_maxage {
        return Some((seconds(count), LifetimeSource::SMaxAge));
    }
    if let Some(count) = directives.max_age {
        return Some((seconds(count), LifetimeSource::MaxAge));
    }
    let expires = governing.expires?;
    Some((expires.duration_since(date).unwrap_or_default(), LifetimeSource::Expires))
}

/// The freshness lifetime (section 4.2.1), guessed (section 4.2.2) or declared where that is allowed.
pub(super) fn lifetime(
    exchange: &Exchange<'_>,
    governing: &Governing,
    settings: &Settings,
) -> (Duration, LifetimeSource) {
    let date = date(exchange.response, exchange.received);
    let said = explicit_lifetime(governing, date);
    let written = settings.written_for(exchange.status, said.is_some());
    let written = written.and_then(|written| Some((written.fresh?, written.rank)));
    match (said, written) {
        (Some(said), None | Some((_, Rank::FillsGaps))) => said,
        (_, Some((fresh, _))) => (fresh, LifetimeSource::Written),
        (None, None) => guessed_lifetime(exchange, governing, settings, date)
            .map_or((Duration::ZERO, LifetimeSource::None), |guess| (guess, LifetimeSource::Heuristic)),
    }
}

/// Section 4.2.2: a tenth of the time for which it had not changed, where its status or `public` allow a guess. Nothing is guessed for what was
/// asked for with cookies or a credential and stored for everybody, as it may be one person's and its origin says nothing; nor without `Last-Modified`.
fn guessed_lifetime(
    exchange: &Exchange<'_>,
    governing: &Governing,
    settings: &Settings,
    date: SystemTime,
) -> Option<Duration> {
    let is_public = governing.directives.public;
    let is_shared = settings.audience == Audience::Everybody;
    let has_credential = exchange.request.contains_key(COOKIE) || exchange.request.contains_key(AUTHORIZATION);
    let is_of_person = is_shared && has_credential;
    let is_allowed = settings.heuristics
        && !governing.is_old_no_cache
        && (is_public || (is_heuristically_cacheable(exchange.status) && !is_of_person));
    let unchanged = date.duration_since(last_modified(exchange.response, exchange.received)?).ok()?;
    is_allowed.then_some((unchanged / 10).min(LONGEST_GUESS))
}

/// How old a response was when it came (section 4.2.3): what its `Age` says and how long it was on its way, or what its `Date` tells, whichever
/// is more.
pub fn initial_age(response: &HeaderMap, received: SystemTime, delay: Duration) -> Duration {
    let apparent = received.duration_since(date(response, received)).unwrap_or_default();
    let said = parse_age(lines(response, &AGE)).unwrap_or_default();
    apparent.max(said.saturating_add(delay))
}

/// When the response was made: its `Date`, or when it came if it has none that can be read (RFC 9110, section 6.6.1).
pub(super) fn date(response: &HeaderMap, received: SystemTime) -> SystemTime {
    first_date(response, &DATE, received).unwrap_or(received)
}

/// When the representation changed last.
pub(super) fn last_modified(response: &HeaderMap, received: SystemTime) -> Option<SystemTime> {
    first_date(response, &LAST_MODIFIED, received)
}

fn first_date(fields: &HeaderMap, name: &HeaderName, received: SystemTime) -> Option<SystemTime> {
    lines(fields, name).next().and_then(|line| parse_date_received(line, received))
}
