//! Which directives a response is under (RFC 9111, sections 5.2 and 5.3; RFC 9213, section 2.2).

use super::freshness::{date, explicit_lifetime};
use super::{Audience, Settings};
use crate::fields::{CacheControl, parse_date_received};
use http::header::{CACHE_CONTROL, EXPIRES, HeaderMap, HeaderName, PRAGMA};
use std::time::{Duration, SystemTime};

/// The directives of a response that count for this cache.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Governing {
    /// Those of the first targeted field that says anything, or else of `Cache-Control`.
    pub directives: CacheControl,
    /// `Expires`, if nothing targeted takes its place. What is no date, or is said twice, is the beginning of time: it has expired.
    pub expires: Option<SystemTime>,
    /// `Pragma: no-cache`, and nothing newer beside it. A response says nothing by it (section 5.4), but what says so is not to be guessed
    /// a lifetime for.
    pub is_old_no_cache: bool,
}

impl Governing {
    /// Reads the fields of a response that was received at `received`.
    pub fn read(response: &HeaderMap, received: SystemTime, settings: &Settings) -> Self {
        let targets = match settings.audience {
            Audience::Everybody => settings.targets.as_slice(),
            Audience::One => &[],
        };
        let targeted = targets.iter().find_map(|name| CacheControl::parse_targeted(lines(response, name)));
        match targeted {
            Some(directives) => Self { directives, ..Self::default() },
            None => Self::untargeted(response, received).said_to(settings.audience),
        }
    }

    /// What of this is said to a cache that stores for this audience: a private one is not told what shared ones are.
    fn said_to(mut self, audience: Audience) -> Self {
        if audience == Audience::One {
            let directives = &mut self.directives;
            (directives.s_maxage, directives.proxy_revalidate, directives.private) = (None, false, None);
        }
        self
    }

    /// The same for a cache that no targeted field is meant for.
    pub fn untargeted(response: &HeaderMap, received: SystemTime) -> Self {
        Self {
            directives: CacheControl::parse(lines(response, &CACHE_CONTROL)),
            expires: expires(response, received),
            is_old_no_cache: !response.contains_key(CACHE_CONTROL)
                && !response.contains_key(EXPIRES)
                && has_no_cache(lines(response, &PRAGMA)),
        }
    }
}

impl Governing {
    /// The freshness lifetime that the response itself says (section 4.2.1).
    pub fn lifetime(&self, response: &HeaderMap, received: SystemTime) -> Option<Duration> {
        explicit_lifetime(self, date(response, received)).map(|(lifetime, _)| lifetime)
    }
}

/// The values of all lines of a field.
pub(super) fn lines<'f>(fields: &'f HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'f [u8]> {
    fields.get_all(name).iter().map(http::HeaderValue::as_bytes)
}

/// Whether `Pragma` says `no-cache` (section 5.4).
pub(super) fn has_no_cache<'l>(lines: impl IntoIterator<Item = &'l [u8]>) -> bool {
    let members = lines.into_iter().flat_map(|line| line.split(|byte| *byte == b','));
    members.into_iter().any(|member| member.trim_ascii().eq_ignore_ascii_case(b"no-cache"))
}

/// How long before 1970 the earliest time is that a date can name: whatever else a response says, this was before it.
const BEGINNING: Duration = Duration::from_hours(719_528 * 24);

/// Section 5.3: a date, or something that has expired. Of several lines either the first may count or none (section 4.2.1): none does.
fn expires(response: &HeaderMap, received: SystemTime) -> Option<SystemTime> {
    let mut lines = lines(response, &EXPIRES);
    let line = lines.next()?;
    let date = parse_date_received(line, received).filter(|_| lines.next().is_none());
    Some(date.unwrap_or_else(|| SystemTime::UNIX_EPOCH.checked_sub(BEGINNING).unwrap_or(SystemTime::UNIX_EPOCH)))
}
