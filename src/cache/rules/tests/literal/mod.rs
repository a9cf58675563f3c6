//! The rules beside a second implementation of them, which was written from the prose of RFC 9110, 9111, 5861 and 9213 without a look at the first:
//! slow, on lists of text, with its own readers of every field. Random exchanges go through both, and both must come to the same.
//!
//! Where an RFC leaves a choice, the second implementation asks for it by name ([`narrowed`]): each name stands in the list with what is
//! taken, and why. Either answer is right by the RFC; a name that nothing asks for fails the test.
//!
//! | Module | Does |
//! |---|---|
//! | `read` | reads fields |
//! | `keeping` | sections 3, 4.2, 5.2: what is stored, for how long, and what may be done with it |
//! | `changes` | sections 3.2, 4.1, 4.3, 4.4: variants, validation, freshening, invalidation, parts |
//! | `targeted` | RFC 9213 |
//! | `random` | makes messages at random |
//! | `exchanges`, `messages` | compare |
//!
//! `LITERAL_SEED=…` repeats a run; `SITESERVER_PROVE=1` makes it a hundred times as long.

mod changes;
mod exchanges;
mod keeping;
mod messages;
mod random;
mod read;
mod targeted;

use std::cell::RefCell;
use std::collections::BTreeSet;

/// What is taken where an RFC leaves a choice, and why.
const NARROWINGS: &[(&str, &str)] = &[
    (
        "a time of another type than Integer is none at all",
        "RFC 9213, 2.1, leaves it to the directive; as in Cache-Control (RFC 9111, 4.2.1)",
    ),
    (
        "what forbids does so with any value but false",
        "RFC 9213, 2.1, leaves it to the directive; errs towards asking the origin",
    ),
    (
        "what says how the stored content is to be read stays",
        "RFC 9111, 3.2: fields that the stored response depends upon",
    ),
    ("Last-Modified is a weak validator", "RFC 9110, 8.8.2.2: strong only on conditions that a 304 does not show"),
    (
        "a 304 without a validator is about the one response that was asked about",
        "RFC 9111, 4.3.4, if that has none either; servers leave it out at will",
    ),
    (
        "conditions and ranges are for a stored 200",
        "RFC 9110, 13.2.1 and 14.2: a server ignores them unless it would answer 200",
    ),
    (
        "a malformed tag that comes back is the same",
        "RFC 9110, 13.1.2, knows no such tags: who has it got it from here",
    ),
    (
        "the date of the chosen one goes along unless several tags do",
        "RFC 9111, 4.3.1, asks for it where one response alone is validated, and forbids it nowhere",
    ),
    ("several ranges are answered with the whole", "RFC 9110, 14.2: \"A server MAY ignore the Range header field\""),
    ("the last octets of nothing are unsatisfiable", "RFC 9110, 14.1.2: satisfiable, but no Content-Range can say so"),
    (
        "a request's max-age is no signal that an immutable response be validated",
        "RFC 8246, 2: browsers send it at each reload, which the directive is about",
    ),
    (
        "white space before the equals sign spoils the argument alone",
        "malformed by RFC 9111, 5.2: what forbids may have been meant, and no lifetime",
    ),
    (
        "of answers to a POST a 200 alone is stored",
        "RFC 9110, 8.7: only a 2xx is what Content-Location names; the others hold no representation of it",
    ),
    (
        "an unclosed string hides nothing that forbids",
        "malformed by RFC 9111, 5.2, and may be read as anything: what forbids may have been meant",
    ),
    ("of two Expires none counts", "RFC 9111, 4.2.1: the first, or stale; stale asks the origin"),
    (
        "nothing is guessed of what a cookie or a credential asked for",
        "RFC 9111, 4.2.2, leaves guessing to caches: it may be one person's",
    ),
    (
        "nothing is guessed of a response with Pragma: no-cache",
        "RFC 9111, 5.4: says nothing in responses; who writes it wants nothing kept",
    ),
    ("nothing is guessed without Last-Modified", "RFC 9111, 4.2.2: the only heuristic that it describes"),
    (
        "a tenth of the time without a change, at most a day",
        "RFC 9111, 4.2.2: \"a typical setting of this fraction might be 10%\"",
    ),
    ("the answer to a HEAD is not stored", "RFC 9111, 3: may be; it answers no GET"),
    (
        "what answers a condition, range or credential of one request is not stored",
        "RFC 9111, 3: may be; it would answer those who did not ask so",
    ),
    ("what is no status is not stored", "RFC 9110, 15: to be taken for a 5xx"),
    ("what never matches is not stored", "RFC 9111, 4.1: could be stored for validation"),
    (
        "what private or no-cache names and cannot be left out forbids storing",
        "RFC 9111, 3.1 and 5.2.2.7: without such a field the rest means something else",
    ),
    (
        "what private or no-cache names is left out, and the rest is stored",
        "RFC 9111, 5.2.2.4 and 5.2.2.7: or nothing is stored",
    ),
    ("what sets a cookie is stored as declared", "RFC 9111, 7.3: may be stored; Settings::cookies"),
    (
        "a part is stored if it says in bytes where it belongs",
        "RFC 9111, 3.3: a cache need not know other units or several parts",
    ),
    (
        "what a cookie asked for and nothing says is for others is stored with a tag alone, and validated each time",
        "RFC 9111, 3 and 4.2.4: could be stored, and stand in for an error; it may be one person's",
    ),
    ("what can neither answer nor be validated is not stored", "RFC 9111, 3: may be; nobody would get it"),
    ("a window ends before its last moment", "RFC 5861, 3: a moment either way"),
    (
        "s-maxage forbids no window that the response says",
        "RFC 9111, 4.2.4, against RFC 5861, 3: said in so many words, and by the same origin",
    ),
    ("tags count up to the first that is malformed", "RFC 9110, 13.1.2: what follows cannot be read for sure"),
];

thread_local! {
    static ASKED: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
}

/// Takes a choice of the list. Always true: the text at the place says what is narrowed to.
fn narrowed(name: &'static str) -> bool {
    assert!(NARROWINGS.iter().any(|(other, _)| *other == name), "{name} is not listed");
    ASKED.with_borrow_mut(|asked| asked.insert(name));
    true
}

fn assert_all_asked(which: &[&str]) {
    let idle: Vec<&&str> = ASKED.with_borrow(|asked| which.iter().filter(|name| !asked.contains(**name)).collect());
    assert!(idle.is_empty(), "choices that are never met: {idle:?}");
}
