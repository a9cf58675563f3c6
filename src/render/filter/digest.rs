//! Digests of text, as lower-case hexadecimal digits.
//!
//! MD5 and SHA-1 keep no secret and prove nothing; addresses of avatars, cache keys and old signatures are made of them.

use super::{Arguments, Env, Made};
use crate::render::val::Val;
use aws_lc_rs::{digest, hmac};
use std::fmt::Write as _;

pub(super) fn md5<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    of(&input, env, |bytes| hexadecimal(&*md5::compute(bytes)))
}

pub(super) fn sha1<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    of(&input, env, |bytes| hexadecimal(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref()))
}

pub(super) fn sha256<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    of(&input, env, |bytes| hexadecimal(digest::digest(&digest::SHA256, bytes).as_ref()))
}

pub(super) fn blake3<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    of(&input, env, |bytes| hexadecimal(blake3::hash(bytes).as_bytes()))
}

pub(super) fn hmac_sha1<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    signed(&input, arguments, hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, env)
}

pub(super) fn hmac_sha256<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    signed(&input, arguments, hmac::HMAC_SHA256, env)
}

/// RFC 2104, with the argument as the key.
fn signed<'r>(input: &Val<'r>, arguments: &Arguments<'r>, algorithm: hmac::Algorithm, env: &Env<'_>) -> Made<'r> {
    let key = hmac::Key::new(algorithm, arguments.get(0).chars(&env.budget).as_bytes());
    of(input, env, |bytes| hexadecimal(hmac::sign(&key, bytes).as_ref()))
}

/// What is read is paid for: the result is short, however long that was.
fn of<'r>(input: &Val<'r>, env: &Env<'_>, digest: impl FnOnce(&[u8]) -> String) -> Made<'r> {
    let text = input.chars(&env.budget);
    env.budget.charge(text.len())?;
    Ok(Val::text(digest(text.as_bytes())))
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(out, "{byte:02x}").unwrap_or_default();
    }
    out
}
