//! What may be stored, for how long it is fresh, and what may be done with it: RFC 9111, sections 3, 4.2, 5.2 and RFC 5861, sentence by
//! sentence. Moments are seconds since 1970.

use super::narrowed;
use super::read::{
    Argument, Directive, Lines, age, date, date_of, delta_seconds, directives, has, is_token, trimmed, values,
};
use crate::cache::rules::{Cookies, Settings};

/// One exchange: request, response and the two moments of section 4.2.3.
#[derive(Debug, Clone)]
pub(super) struct Exchanged {
    pub(super) method: String,
    pub(super) request: Lines,
    pub(super) status: u16,
    pub(super) response: Lines,
    pub(super) request_time: i64,
    pub(super) response_time: i64,
}

/// Directives in force: those that are said first count.
#[derive(Debug, Clone, Default)]
pub(super) struct Control {
    all: Vec<Directive>,
    /// Whether they are of a targeted field (RFC 9213).
    is_targeted: bool,
}

impl Control {
    pub(super) fn targeted(all: Vec<Directive>) -> Self {
        Self { all, is_targeted: true }
    }

    pub(super) fn says(&self, name: &str) -> bool {
        self.all.iter().any(|directive| directive.name == name)
    }

    /// Seconds of a directive. Section 4.2.1: of two, "either the first occurrence should be used or the response should be considered stale";
    /// "caches are encouraged to consider responses that have invalid freshness information to be stale".
    pub(super) fn seconds(&self, name: &str) -> Option<i128> {
        let directive = self.all.iter().find(|directive| directive.name == name)?;
        match &directive.argument {
            Argument::Said(text) => Some(delta_seconds(text).unwrap_or(0)),
            Argument::None | Argument::Malformed => Some(0),
        }
    }

    /// Whether a directive is about the whole response, or which fields it names; none if it is not there.
    pub(super) fn scope(&self, name: &str) -> Option<Vec<String>> {
        let mut names = Vec::new();
        let mut is_whole = false;
        for directive in self.all.iter().filter(|directive| directive.name == name) {
            match &directive.argument {
                Argument::None | Argument::Malformed => is_whole = true,
                Argument::Said(list) => {
                    let listed: Vec<String> = list
                        .split(',')
                        .map(trimmed)
                        .filter(|name| !name.is_empty())
                        .map(|name| name.to_lowercase())
                        .collect();
                    if listed.is_empty() || !listed.iter().all(|name| is_token(name)) {
                        is_whole = true;
                    }
                    names.extend(listed);
                }
            }
        }
        self.says(name).then(|| if is_whole { Vec::new() } else { names })
    }

    fn is_whole(&self, name: &str) -> bool {
        self.scope(name).is_some_and(|names| names.is_empty())
    }
}

/// Section 5.2, without targeted fields: of a response.
pub(super) fn control(fields: &Lines) -> Control {
    Control { all: directives(fields, "cache-control", true), is_targeted: false }
}

/// Section 5.2.1: of a request.
fn wishes(fields: &Lines) -> Control {
    Control { all: directives(fields, "cache-control", false), is_targeted: false }
}

/// Whether an origin's `Expires` counts, and when: none if it says nothing, the beginning of time if it is no date (section 5.3: "a cache
/// recipient MUST interpret invalid date formats, especially the value "0", as representing a time in the past").
fn expires(exchange: &Exchanged, control: &Control) -> Option<i64> {
    // RFC 9213, section 2.2.
    if control.is_targeted {
        return None;
    }
    let lines = values(&exchange.response, "expires");
    match &lines[..] {
        [] => None,
        [line] => Some(date(line, exchange.response_time).unwrap_or(i64::MIN / 4)),
        // Section 4.2.1: "either the first occurrence should be used or the response should be considered stale".
        _ => {
            assert!(narrowed("of two Expires none counts"));
            Some(i64::MIN / 4)
        }
    }
}

/// RFC 9110, section 6.6.1: a recipient takes the time a message was received for its `Date` if it has none.
pub(super) fn date_value(exchange: &Exchanged) -> i64 {
    date_of(&exchange.response, "date", exchange.response_time).unwrap_or(exchange.response_time)
}

/// Section 4.2.1, for a shared cache: "the first match of the following".
pub(super) fn explicit_lifetime(exchange: &Exchanged, control: &Control) -> Option<i128> {
    if control.says("s-maxage") {
        return control.seconds("s-maxage");
    }
    if control.says("max-age") {
        return control.seconds("max-age");
    }
    let expires = expires(exchange, control)?;
    Some((i128::from(expires) - i128::from(date_value(exchange))).max(0))
}

/// RFC 9110, section 15.1.
pub(super) fn is_heuristically_cacheable(status: u16) -> bool {
    [200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501].contains(&status)
}

/// Section 4.2.2, in tenths of seconds. "A cache MUST NOT use heuristics to determine freshness when an explicit expiration time is present"; without one, it may
/// where the status is heuristically cacheable or the response says `public`.
fn heuristic_lifetime(exchange: &Exchanged, control: &Control, settings: &Settings) -> Option<i128> {
    if !settings.heuristics {
        return None;
    }
    if !is_heuristically_cacheable(exchange.status) && !control.says("public") {
        return None;
    }
    if !control.says("public")
        && (has(&exchange.request, "cookie") || has(&exchange.request, "authorization"))
        && narrowed("nothing is guessed of what a cookie or a credential asked for")
    {
        return None;
    }
    let is_old_no_cache =
        !control.is_targeted && !has(&exchange.response, "cache-control") && pragma(&exchange.response);
    if is_old_no_cache && narrowed("nothing is guessed of a response with Pragma: no-cache") {
        return None;
    }
    assert!(narrowed("nothing is guessed without Last-Modified"));
    let modified = date_of(&exchange.response, "last-modified", exchange.response_time)?;
    assert!(narrowed("a tenth of the time without a change, at most a day"));
    Some(i128::from(date_value(exchange) - modified).clamp(0, 864_000))
}

fn pragma(fields: &Lines) -> bool {
    directives(fields, "pragma", false)
        .iter()
        .any(|directive| directive.name == "no-cache" && directive.argument == Argument::None)
}

/// How long it is fresh, in tenths of seconds.
fn lifetime(exchange: &Exchanged, control: &Control, settings: &Settings) -> i128 {
    match explicit_lifetime(exchange, control) {
        Some(seconds) => seconds * 10,
        None => heuristic_lifetime(exchange, control, settings).unwrap_or(0),
    }
}

/// Section 4.2.3.
pub(super) fn corrected_initial_age(exchange: &Exchanged) -> i128 {
    let apparent_age = i128::from(exchange.response_time - date_value(exchange)).max(0);
    let response_delay = i128::from(exchange.response_time - exchange.request_time);
    let corrected_age_value = age(&exchange.response) + response_delay;
    apparent_age.max(corrected_age_value)
}

/// Statuses whose rules for caching are known here (section 3, point 3).
fn is_understood(status: u16) -> bool {
    let known = [
        200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 307, 308, 400, 401, 402, 403,
        404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 423, 424, 425, 426, 428, 429,
        431, 451, 500, 501, 502, 503, 504, 505, 506, 507, 508, 511,
    ];
    known.contains(&status)
}

/// Section 3: "A cache MUST NOT store a response to a request unless". The reason if it is not stored.
pub(super) fn stored(exchange: &Exchanged, control: &Control, settings: &Settings) -> Result<(), &'static str> {
    let said = explicit_lifetime(exchange, control);
    // "the request method is understood by the cache"
    match exchange.method.as_str() {
        "GET" => {}
        // RFC 9110, section 9.3.3: "only cacheable when they include explicit freshness information and a Content-Location header field that
        // has the same value as the POST's target URI".
        "POST" => {
            if said.is_none() {
                return Err("a POST without a lifetime");
            }
            let names = values(&exchange.response, "content-location");
            let is_its_own = names.len() == 1 && super::changes::is_target(&names[0]);
            if exchange.status != 200 && narrowed("of answers to a POST a 200 alone is stored") {
                return Err("a POST that says no state");
            }
            if !is_its_own {
                return Err("a POST that is not its target");
            }
        }
        "HEAD" if narrowed("the answer to a HEAD is not stored") => return Err("a HEAD"),
        _ => return Err("a method"),
    }
    // "the response status code is final"
    if exchange.status < 200 {
        return Err("not final");
    }
    // RFC 6585, sections 3 to 6: "MUST NOT be stored by a cache".
    if [428, 429, 431, 511].contains(&exchange.status) {
        return Err("RFC 6585");
    }
    if [304, 407, 412, 416, 417].contains(&exchange.status)
        && narrowed("what answers a condition, range or credential of one request is not stored")
    {
        return Err("of one request");
    }
    if exchange.status > 599 && narrowed("what is no status is not stored") {
        return Err("no status");
    }
    // "if the response status code is 206 or 304, or the must-understand cache directive is present: the cache understands the response
    // status code"
    if control.says("must-understand") && !is_understood(exchange.status) {
        return Err("must-understand");
    }
    // "the no-store cache directive is not present in the response"; section 5.2.2.3: "SHOULD ignore the no-store directive if it understands
    // and implements the status code's caching requirements".
    if control.says("no-store") && !control.says("must-understand") {
        return Err("no-store");
    }
    // Section 5.2.1.5: "a cache MUST NOT store any part of either this request or any response to it".
    if settings.obeys_requests && wishes(&exchange.request).says("no-store") {
        return Err("the request's no-store");
    }
    // "the private response directive is either not present or allows a shared cache to store a modified response"
    if control.is_whole("private") {
        return Err("private");
    }
    // Section 3.5: "unless a response directive is present that allows it": must-revalidate, public, s-maxage.
    if has(&exchange.request, "authorization")
        && !["must-revalidate", "public", "s-maxage"].iter().any(|name| control.says(name))
    {
        return Err("authorization");
    }
    // "the response contains at least one of the following"
    let has_reason = control.says("public") || said.is_some() || is_heuristically_cacheable(exchange.status);
    if !has_reason {
        return Err("nothing says so");
    }
    // Section 4.1: "A stored response with a Vary header field value containing a member "*" always fails to match."
    if vary_names(&exchange.response).is_none() && narrowed("what never matches is not stored") {
        return Err("vary");
    }
    let withheld = withheld(control);
    let structural = ["cache-control", "vary", "content-type", "content-encoding", "content-range"];
    if withheld.iter().any(|name| structural.contains(&name.as_str()))
        && narrowed("what private or no-cache names and cannot be left out forbids storing")
    {
        return Err("a field that cannot be left out");
    }
    if has(&exchange.response, "set-cookie") && !withheld.contains(&"set-cookie".to_owned()) {
        let may = match settings.cookies {
            Cookies::Explicit => said.is_some_and(|seconds| seconds > 0) && !control.is_whole("no-cache"),
            Cookies::Public => control.says("public") || control.says("s-maxage"),
            Cookies::Never => false,
            Cookies::Unsent => true,
        };
        if !may && narrowed("what sets a cookie is stored as declared") {
            return Err("a cookie");
        }
    }
    // Section 3.3: "A cache that does not support the Range and Content-Range header fields MUST NOT store incomplete or partial responses."
    let is_placed = has(&exchange.request, "range") && super::read::content_range(&exchange.response).is_some();
    if exchange.status == 206 && !is_placed {
        assert!(narrowed("a part is stored if it says in bytes where it belongs"));
        return Err("a part");
    }
    if may_be_anybodys(exchange, control, settings)
        && !has(&exchange.response, "etag")
        && narrowed(
            "what a cookie asked for and nothing says is for others is stored with a tag alone, and validated each time",
        )
    {
        return Err("somebody's cookie");
    }
    // What can neither answer nor be validated.
    let has_validator = has(&exchange.response, "etag") || has(&exchange.response, "last-modified");
    if !has_validator
        && is_useless(exchange, control, settings)
        && narrowed("what can neither answer nor be validated is not stored")
    {
        return Err("useless");
    }
    Ok(())
}

fn is_useless(exchange: &Exchanged, control: &Control, settings: &Settings) -> bool {
    let terms = terms(exchange, control, settings);
    let has_window =
        !terms.forbids_stale && (terms.stale_while_revalidate > 0 || (terms.is_sie_said && terms.stale_if_error > 0));
    let (age, lifetime) = (corrected_initial_age(exchange) * 10, lifetime(exchange, control, settings));
    // Nothing forbids that it stands in for an error, or answers who accepts what is stale.
    let is_free = !terms.forbids_stale && !terms.has_s_maxage;
    let stands_in = is_free && lifetime > 0 && age < lifetime + terms.stale_if_error;
    terms.needs_validation || (!has_window && !stands_in && age >= lifetime)
}

/// The fields that are stored of no response: sections 5.2.2.4 and 5.2.2.7, the qualified forms.
pub(super) fn withheld(control: &Control) -> Vec<String> {
    assert!(narrowed("what private or no-cache names is left out, and the rest is stored"));
    let mut names = control.scope("private").unwrap_or_default();
    if !control.is_whole("no-cache") {
        names.extend(control.scope("no-cache").unwrap_or_default());
    }
    names.sort();
    names.dedup();
    names
}

/// The names of `Vary` (RFC 9110, section 12.5.5); none if one is `*` or no name.
pub(super) fn vary_names(response: &Lines) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for line in values(response, "vary") {
        for name in line.split(',') {
            let name = trimmed(name).to_lowercase();
            if name == "*" || (!name.is_empty() && !is_token(&name)) {
                return None;
            }
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names.sort();
    Some(names)
}

/// What a stored response says of its reuse. Times are tenths of seconds.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a directive")]
pub(super) struct Stored {
    pub(super) lifetime: i128,
    pub(super) initial_age: i128,
    /// `no-cache`
    pub(super) needs_validation: bool,
    /// `must-revalidate` or `proxy-revalidate`
    pub(super) forbids_stale: bool,
    pub(super) has_s_maxage: bool,
    pub(super) is_immutable: bool,
    pub(super) stale_while_revalidate: i128,
    pub(super) stale_if_error: i128,
    pub(super) is_sie_said: bool,
}

/// Whether somebody's cookie asked for it, and nothing says that others may have it.
fn may_be_anybodys(exchange: &Exchanged, control: &Control, settings: &Settings) -> bool {
    let forbids_stale =
        control.says("must-revalidate") || control.says("proxy-revalidate") || control.is_whole("no-cache");
    let has_window =
        |name: &str| !forbids_stale && control.says(name) && control.seconds(name).is_some_and(|seconds| seconds > 0);
    has(&exchange.request, "cookie")
        && !control.says("public")
        && !control.says("s-maxage")
        && lifetime(exchange, control, settings) <= 0
        && !has_window("stale-while-revalidate")
        && !has_window("stale-if-error")
}

pub(super) fn terms(exchange: &Exchanged, control: &Control, settings: &Settings) -> Stored {
    let forbids_stale = control.says("must-revalidate") || control.says("proxy-revalidate");
    // What forbids anything stale leaves nothing of the permission.
    let is_sie_said = control.says("stale-if-error") && !forbids_stale;
    let unsaid = i128::from(settings.stale_when_unreachable.as_secs());
    Stored {
        // Section 1.2.2: what overflows is 2^31.
        lifetime: lifetime(exchange, control, settings).min(10 << 31),
        initial_age: corrected_initial_age(exchange).min(1 << 31) * 10,
        needs_validation: control.is_whole("no-cache") || may_be_anybodys(exchange, control, settings),
        forbids_stale,
        has_s_maxage: control.says("s-maxage"),
        is_immutable: control.says("immutable"),
        stale_while_revalidate: control.seconds("stale-while-revalidate").unwrap_or(0) * 10,
        stale_if_error: 10 * if is_sie_said { control.seconds("stale-if-error").unwrap_or(0) } else { unsaid },
        is_sie_said,
    }
}

/// What may be done with a stored response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Answers,
    /// It answers, and is fetched anew.
    AnswersMeanwhile,
    Validate,
    /// 504
    Refuse,
}

/// Section 4: whether a stored response may be used for a request after so many seconds, and if it is.
pub(super) fn reuse(stored: &Stored, request: &Lines, resident: i128, settings: &Settings) -> Verdict {
    let demand = if settings.obeys_requests { wishes(request) } else { Control::default() };
    let only_if_cached = demand.says("only-if-cached");
    let instead = if only_if_cached { Verdict::Refuse } else { Verdict::Validate };
    // Section 5.4: "Pragma: no-cache" counts "when the Cache-Control header field is not also present".
    let wants_validation =
        demand.says("no-cache") || (settings.obeys_requests && !has(request, "cache-control") && pragma(request));
    // "the stored response does not contain the no-cache directive, unless it is successfully validated"; section 5.2.1.4.
    if stored.needs_validation || wants_validation {
        return instead;
    }
    let current_age = stored.initial_age + 10 * resident;
    let max_stale = demand.says("max-stale").then(|| stale_wish(&demand));
    // Section 5.2.1.1: "the client prefers a response whose age is less than or equal to the specified number of seconds".
    // Section 4.2: "response_is_fresh = (freshness_lifetime > current_age)"
    let is_fresh = stored.lifetime > current_age;
    let is_too_old = demand.seconds("max-age").is_some_and(|most| current_age > 10 * most);
    // RFC 8246, section 2: proxies "SHOULD skip conditionally revalidating fresh responses containing the immutable extension unless there is a
    // signal from the client that a validation is necessary (e.g., a no-cache request directive)".
    let is_immutable = stored.is_immutable
        && is_fresh
        && narrowed("a request's max-age is no signal that an immutable response be validated");
    if is_too_old && !is_immutable {
        return instead;
    }
    if is_fresh {
        // Section 5.2.1.3: "a response whose freshness lifetime is no less than its current age plus the specified time".
        let min_fresh = demand.seconds("min-fresh").unwrap_or(0) * 10;
        return if stored.lifetime >= current_age + min_fresh { Verdict::Answers } else { instead };
    }
    // Section 4.2.4: "MUST NOT generate a stale response if it is prohibited by an explicit in-protocol directive (a no-cache response
    // directive, a must-revalidate response directive, or an applicable s-maxage or proxy-revalidate response directive)".
    if stored.forbids_stale {
        return instead;
    }
    let overdue = current_age - stored.lifetime;
    // Section 5.2.1.2. Without a time "the client will accept a stale response of any age".
    let is_accepted = max_stale.is_some_and(|most| most.is_none_or(|most| overdue <= 10 * most));
    let wants_fresh = demand.says("min-fresh");
    if is_accepted && !stored.has_s_maxage && !wants_fresh {
        return Verdict::Answers;
    }
    // RFC 5861, section 3. Section 5.2.1.1: "Unless the max-stale request directive is also present, the client does not wish to receive a
    // stale response."
    let refuses = wants_fresh || (demand.says("max-age") && max_stale.is_none());
    let may_wait = overdue < stored.stale_while_revalidate
        || (overdue == stored.stale_while_revalidate && !narrowed("a window ends before its last moment"));
    if may_wait && !refuses && !only_if_cached && narrowed("s-maxage forbids no window that the response says") {
        return Verdict::AnswersMeanwhile;
    }
    instead
}

fn stale_wish(demand: &Control) -> Option<i128> {
    let directive = demand.all.iter().find(|directive| directive.name == "max-stale")?;
    match &directive.argument {
        Argument::None => None,
        Argument::Said(text) => Some(delta_seconds(text).unwrap_or(0)),
        Argument::Malformed => Some(0),
    }
}

/// Section 4.2.4 and RFC 5861, section 4: whether a stale response stands in for an error. No status: there was no answer.
pub(super) fn stands_in(
    stored: &Stored,
    request: &Lines,
    resident: i128,
    status: Option<u16>,
    settings: &Settings,
) -> bool {
    let demand = if settings.obeys_requests { wishes(request) } else { Control::default() };
    let wants_validation =
        demand.says("no-cache") || (settings.obeys_requests && !has(request, "cache-control") && pragma(request));
    if stored.needs_validation || wants_validation {
        return false;
    }
    let wish = demand.seconds("stale-if-error");
    let errors: &[u16] = if stored.is_sie_said || wish.is_some() { &[500, 502, 503, 504] } else { &[502, 503, 504] };
    if status.is_some_and(|status| !errors.contains(&status)) {
        return false;
    }
    let overdue = stored.initial_age + 10 * resident - stored.lifetime;
    if overdue < 0 {
        return true;
    }
    if stored.forbids_stale || (stored.has_s_maxage && !stored.is_sie_said) {
        return false;
    }
    overdue < stored.stale_if_error || (!stored.has_s_maxage && wish.is_some_and(|most| overdue <= 10 * most))
}
