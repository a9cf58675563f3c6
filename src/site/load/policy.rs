//! What the answers of a route may be used for: what is declared, as far as it is true of whose data they hold.

use super::super::code;
use super::super::inputs::CookieInput;
use super::privacy::OfPerson;
use super::scope::Reads;
use crate::diagnostic::{Finding, Findings, Place};
use crate::resource::{Decl, Policy};

/// The policy of a route, and that of its answers to requests that carry no credential, if these share their answers and nobody else does.
pub(super) fn of(
    decl: &Decl,
    of_person: Option<&OfPerson>,
    is_guarded: bool,
    reads: &Reads,
    cookies: &[CookieInput],
    findings: &mut Findings,
) -> (Policy, Option<Policy>) {
    let declared = decl.cache.as_ref().map(|setting| Policy::compile(&setting.0, findings));
    // Where something is sent, that is what is answered with cookies.
    let set_cookies = decl.set_cookies.iter().filter(|_| decl.form.is_none() && decl.methods.is_none());
    if let Some((cookie, _)) = set_cookies.flat_map(|named| &named.0).next() {
        if let Some(place) = declared.as_ref().and_then(|policy| policy.declared.filter(|_| !policy.is_no_store())) {
            let message = format!("this route sets the cookie `{}`, and is declared to be kept", cookie.value);
            let finding = Finding::new(&code::KEPT_COOKIE, place, message).related(cookie.place, "the cookie");
            findings.push(finding.help("leave `cache` out: an answer that sets a cookie is for one visitor, once"));
        }
        return (Policy::for_one_answer(), None);
    }
    let Some(of_person) = of_person else {
        if is_guarded {
            return (guarded(declared, findings), None);
        }
        let mut policy = declared.unwrap_or_else(Policy::revalidate);
        // One copy per value in our store; downstream nobody but the visitor can tell the values apart by the URL.
        if cookies.iter().any(|cookie| reads.cookies.contains_key(&*cookie.name)) {
            policy.keep_from_the_way();
        }
        return (policy, None);
    };
    let Some(mut policy) = declared else { return (Policy::personal(), None) };
    if let Some(place) = policy.declared.filter(|_| policy.is_for_the_way()) {
        findings.push(public(of_person, &policy, place));
        policy.keep_for_one();
        return (policy, None);
    }
    let mut anonymous = policy.may_store().then(|| policy.of_the_anonymous());
    if anonymous.is_some() && is_guarded {
        let of_server = of_server(decl).or(policy.declared);
        findings.extend(of_server.map(|place| nobody_passes(of_person, place)));
        anonymous = None;
    } else if anonymous.is_some() && !of_person.obstacles.is_empty() {
        findings.extend(of_server(decl).or(policy.declared).map(|place| no_copy(of_person, place)));
        anonymous = None;
    }
    policy.keep_for_one();
    (policy, anonymous)
}

/// What our own store is told.
fn of_server(decl: &Decl) -> Option<Place> {
    decl.cache.as_ref()?.0.rules.server.as_ref().map(|server| server.place)
}

/// The policy of a page that is guarded, and is the same for all who may have it: caches on the way ask no guard.
fn guarded(declared: Option<Policy>, findings: &mut Findings) -> Policy {
    let Some(mut policy) = declared else { return Policy::guarded() };
    if let Some(place) = policy.declared.filter(|_| policy.is_for_the_way()) {
        let message = "this page is guarded, and is declared to be kept by caches that ask no guard";
        let help = "our own store may keep it, behind the guard: `[cache.server]`; the visitor alone: `private = true`";
        findings.push(Finding::new(&code::GUARDED_PUBLIC, place, message).help(help));
    }
    policy.keep_behind_guard();
    policy
}

/// Our own store is told to keep what there is none of: whoever is nobody does not get past the guard.
fn nobody_passes(of_person: &OfPerson, place: Place) -> Finding {
    let way = of_person.personal.way();
    let message =
        format!("this page is one person's ({way}), and its guard lets in nobody else: there is no copy for others");
    let help =
        "leave out what our own store is told; data that is the same for everybody is kept by its source: `cache`";
    let finding = Finding::new(&code::NO_ANONYMOUS_COPY, place, message).help(help);
    of_person.personal.path.iter().fold(finding, |finding, step| finding.related(step.place, step.how.as_str()))
}

/// What is declared lets caches on the way keep one person's page.
fn public(of_person: &OfPerson, policy: &Policy, place: Place) -> Finding {
    let OfPerson { personal, credentials, obstacles } = of_person;
    let message = format!("this page is one person's ({}), and is declared to be kept for others", personal.way());
    let instead = if policy.is_private() {
        "the visitor alone keeps it: leave out `cdn`"
    } else {
        "leave `[cache]` out, or write `private = true`"
    };
    let once = if obstacles.is_empty() { "" } else { ", once every source that sends it along is `optional`" };
    let help = format!("{instead}; what it is without {credentials} our own store may keep{once}: `[cache.server]`");
    let finding = Finding::new(&code::PERSONAL_PUBLIC, place, message).help(help);
    personal.path.iter().fold(finding, |finding, step| finding.related(step.place, step.how.as_str()))
}

/// Our own store is told to keep what there is none of: a page for those who are nobody.
fn no_copy(of_person: &OfPerson, place: Place) -> Finding {
    let OfPerson { personal, credentials, obstacles } = of_person;
    let message = format!(
        "this page is one person's ({}), and without {credentials} there is none that our own store could keep",
        personal.way()
    );
    let help = "write `optional = true`, or `on-unauthorized = \"omit\"`, in each of them, so that there is a page without it; or leave out \
                what our own store is told";
    let finding = Finding::new(&code::NO_ANONYMOUS_COPY, place, message).help(help);
    obstacles.iter().fold(finding, |finding, obstacle| finding.related(obstacle.place, obstacle.value.clone()))
}
