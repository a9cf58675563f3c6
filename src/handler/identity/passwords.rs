//! Names and passwords (RFC 7617): one that was right is remembered for a short time, any other is verified aside, a few at a time.
//!
//! A verification takes milliseconds and megabytes, by design. So there are few places, a bounded number wait for them, and everybody else is
//! told to come again. A name that is not there costs what a wrong password costs.

use super::Who;
use crate::cache::{Digest, Memo};
use crate::handler::runtime::Service;
use crate::identity::LONGEST_PASSWORD;
use crate::site::{Basic, Identity};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// How long a password that was right is known to be.
const REMEMBERED: Duration = Duration::from_mins(1);
/// Bytes of those that are remembered.
const CAPACITY: u64 = 1 << 20;
/// Bytes of one.
const ENTRY: u64 = 4 << 10;
/// So many wait for a place.
const MOST_WAITING: usize = 32;

#[derive(Debug)]
pub(super) struct Passwords {
    /// Since when they are known to be right.
    right: Memo<Instant>,
    /// Half of the processors at most.
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Default for Passwords {
    fn default() -> Self {
        let processors = available_parallelism().map_or(1, NonZero::get);
        Self {
            right: Memo::new(CAPACITY, ENTRY),
            places: Arc::new(Semaphore::new((processors / 2).max(1))),
            waiting: AtomicUsize::new(0),
        }
    }
}

/// One of those who wait, until it is dropped.
struct Waiting<'p>(&'p AtomicUsize);

impl<'p> Waiting<'p> {
    fn enter(waiting: &'p AtomicUsize) -> Option<Self> {
        let entered = Self(waiting);
        (waiting.fetch_add(1, Ordering::Relaxed) < MOST_WAITING).then_some(entered)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

const WRONG: &str = "the name or the password is wrong";

/// The name and the password that stand in a field.
fn read(text: &str) -> Option<(String, String)> {
    if text.len() > LONGEST_PASSWORD * 3 {
        return None;
    }
    let octets = STANDARD.decode(text).or_else(|_unpadded| STANDARD_NO_PAD.decode(text)).ok()?;
    let text = String::from_utf8(octets).ok()?;
    let (name, password) = text.split_once(':')?;
    // RFC 7617, section 2: no control characters in either.
    let is_sound = |part: &str| part.len() <= LONGEST_PASSWORD && !part.chars().any(char::is_control);
    (is_sound(name) && is_sound(password)).then(|| (name.to_owned(), password.to_owned()))
}

fn digest(service: &Service, hash: &str, name: &str, password: &str) -> Digest {
    let parts = [hash.as_bytes(), name.as_bytes(), password.as_bytes()];
    service.runtime.identities.digest("password", 0, &parts)
}

/// Whom it speaks for, if that is remembered, or if it speaks for nobody whatever it costs to know more.
pub(super) fn at_hand(service: &Service, basic: &Basic, text: &str) -> Option<Who> {
    let Some((name, password)) = read(text) else { return Some(malformed()) };
    let (claims, hash) = (basic.users.claims(&name)?, basic.users.hash(&name)?);
    let right = service.runtime.identities.passwords.right.get(&digest(service, hash.text(), &name, &password))?;
    let age = service.runtime.clock.now().saturating_duration_since(right);
    (age < REMEMBERED).then(|| Who::User(claims.clone()))
}

fn malformed() -> Who {
    Who::refused(Identity::Basic, "the credential is malformed")
}

/// Whom it speaks for.
pub(super) async fn verify(service: &Arc<Service>, basic: &Basic, text: &str, deadline: Instant) -> Who {
    if let Some(who) = at_hand(service, basic, text) {
        return who;
    }
    let Some((name, password)) = read(text) else { return malformed() };
    let Some(hash) = basic.users.hash(&name).cloned() else { return Who::refused(Identity::Basic, WRONG) };
    let passwords = &service.runtime.identities.passwords;
    let Some(waiting) = Waiting::enter(&passwords.waiting) else { return Who::unavailable() };
    let place = tokio::time::timeout_at(deadline.into(), Arc::clone(&passwords.places).acquire_owned()).await;
    let Ok(Ok(place)) = place else { return Who::unavailable() };
    drop(waiting);
    let digest = digest(service, hash.text(), &name, &password);
    // Others who have waited for a place may have brought the same.
    if let Some(who) = at_hand(service, basic, text) {
        return who;
    }
    let verifying = tokio::task::spawn_blocking(move || {
        let is_right = hash.verify(password.as_bytes());
        // Whoever goes away does not make room for another one before this is done.
        drop(place);
        is_right
    });
    let Ok(is_right) = verifying.await else { return Who::unavailable() };
    match basic.users.claims(&name).filter(|_| is_right) {
        Some(claims) => {
            passwords.right.put(digest, service.runtime.clock.now(), 0);
            Who::User(claims.clone())
        }
        None => Who::refused(Identity::Basic, WRONG),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_are_read() {
        let of = |name: &str, password: &str| Some((name.to_owned(), password.to_owned()));
        for (text, expected) in [
            // RFC 7617, sections 2 and 2.1.
            ("QWxhZGRpbjpvcGVuIHNlc2FtZQ==", of("Aladdin", "open sesame")),
            ("QWxhZGRpbjpvcGVuIHNlc2FtZQ", of("Aladdin", "open sesame")),
            ("dGVzdDoxMjPCow==", of("test", "123£")),
            ("YTpiOmM=", of("a", "b:c")),
            ("Og==", of("", "")),
            // No colon, no Base64, no UTF-8, a control character.
            ("YWJj", None),
            ("a:b", None),
            ("dGVzdDoxMjOj", None),
            ("YToBYg==", None),
            ("", None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        assert_eq!(read(&STANDARD.encode(format!("a:{}", "x".repeat(LONGEST_PASSWORD + 1)))), None);
    }

    #[test]
    fn a_bounded_number_waits() {
        let waiting = AtomicUsize::new(0);
        let entered: Vec<_> = (0..MOST_WAITING).map(|_| Waiting::enter(&waiting)).collect();
        assert!(entered.iter().all(Option::is_some) && Waiting::enter(&waiting).is_none());
        drop(entered);
        assert_eq!(waiting.load(Ordering::Relaxed), 0);
        assert!(Waiting::enter(&waiting).is_some());
    }
}
