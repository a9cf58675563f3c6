//! Tokens: one that was verified before is remembered for as long as it holds, any other is judged from what is cheap to what is not.

use super::keys::Believed;
use super::{Step, Who};
use crate::cache::Memo;
use crate::handler::runtime::Service;
use crate::identity::{KeySet, LONGEST_TOKEN, Refusal, Token, Verified};
use crate::site::{Identity, Jwt, Keys};
use std::sync::Arc;

/// Bytes of all tokens that are remembered.
const REMEMBERED: u64 = 8 << 20;
/// Bytes of the largest of them.
const LARGEST: u64 = 256 << 10;
/// What the claims of a token take in memory, for each byte of the token.
const SPREAD: usize = 8;

/// What tokens say that were verified. Only those are remembered that somebody has signed, so that junk pushes out nothing.
#[derive(Debug)]
pub(super) struct Tokens(Memo<Verified>);

impl Default for Tokens {
    fn default() -> Self {
        Self(Memo::new(REMEMBERED, LARGEST))
    }
}

fn refused(why: Refusal) -> Who {
    Who::refused(Identity::Jwt, why.to_string())
}

/// Whom a token speaks for.
pub(super) fn judge(service: &Arc<Service>, jwt: &Jwt, text: &str) -> Step {
    if text.len() > LONGEST_TOKEN {
        return Step::Known(refused(Refusal::TooLong));
    }
    let fetched = match &jwt.keys {
        Keys::Own(keys) => return Step::Known(verify(service, jwt, text, keys, 0)),
        Keys::Fetched(fetched) => fetched,
    };
    let Some(key_sets) = &service.identity.key_sets else { return Step::Known(Who::unavailable()) };
    // No key makes anything of these.
    let token = match Token::read(text, &jwt.rules) {
        Ok(token) => token,
        Err(why) => return Step::Known(refused(why)),
    };
    let known = match key_sets.believed(service, fetched) {
        Believed::Known(known) => known,
        Believed::Wait(over) => return Step::Wait(over),
        Believed::Nothing { retry_after } => return Step::Known(Who::Unavailable { retry_after }),
    };
    if !token.has_key(&known.keys) {
        return match key_sets.ask_for_unknown(service, fetched, &known) {
            Some(over) => Step::Wait(over),
            None => Step::Known(refused(Refusal::UnknownKey)),
        };
    }
    Step::Known(verify(service, jwt, text, &known.keys, known.generation))
}

/// The same with these keys; `generation` tells them from those before.
fn verify(service: &Service, jwt: &Jwt, text: &str, keys: &KeySet, generation: u64) -> Who {
    let remembered = &service.runtime.identities;
    let now = service.runtime.clock.wall();
    let generation = generation.to_be_bytes();
    let digest = remembered.digest("token", service.identity.generation, &[&generation, text.as_bytes()]);
    let (verified, is_new) = match remembered.tokens.0.get(&digest) {
        Some(verified) => (Ok(verified), false),
        None => (Token::read(text, &jwt.rules).and_then(|token| token.verify(keys, &jwt.rules)), true),
    };
    match verified.and_then(|verified| verified.times.judge(now).map(|()| verified)) {
        Ok(verified) => {
            if is_new {
                remembered.tokens.0.put(digest, verified.clone(), text.len() * SPREAD);
            }
            Who::User(verified.claims)
        }
        Err(why) => refused(why),
    }
}
