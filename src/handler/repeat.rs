//! What was answered to requests that carry a key of their own (the `Idempotency-Key` header field, draft-ietf-httpapi-idempotency-key-header):
//! who repeats one, because the first answer got lost, is answered as at first, and nothing is done twice.
//!
//! Bounded in number, bytes and time. What is under way is waited for; whoever was to do it and never answered leaves nothing behind, and the
//! next one begins anew.

use crate::cache::Digest;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// What is to be done with a request that carries a key; `T` is what it came to.
#[derive(Debug)]
pub(super) enum Claim<T> {
    /// What it asks for.
    Do(Ticket<T>),
    /// Nothing: it was done, and came to this.
    Again(Arc<T>),
    /// Nothing: the key belongs to a request that asked for something else.
    Other,
    /// Nothing: too much is under way.
    Full,
}

/// So many keys are remembered.
const MOST: usize = 4096;

/// So many bytes of answers are.
const MOST_BYTES: usize = 8 << 20;

/// The longest answer that is.
const LONGEST: usize = 256 << 10;

/// For how long.
const LIFETIME: Duration = Duration::from_hours(24);

/// What is remembered.
#[derive(Debug)]
pub(super) struct Repeats<T>(Arc<Mutex<Memory<T>>>);

impl<T> Default for Repeats<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Memory { entries: HashMap::new(), order: VecDeque::new(), bytes: 0 })))
    }
}

#[derive(Debug)]
struct Memory<T> {
    entries: HashMap<[u8; 32], Entry<T>>,
    /// Their keys in the order in which they began; of what is gone, perhaps too.
    order: VecDeque<([u8; 32], Instant)>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry<T> {
    asked: Digest,
    begun: Instant,
    state: State<T>,
}

#[derive(Debug)]
enum State<T> {
    UnderWay(watch::Receiver<()>),
    /// What it came to, and how many bytes that takes.
    Answered(Arc<T>, usize),
}

/// The right, and the duty, to do what a request asks for. Dropped without an answer, the next one with the same key has it.
#[derive(Debug)]
pub(super) struct Ticket<T> {
    memory: Arc<Mutex<Memory<T>>>,
    key: [u8; 32],
    begun: Instant,
    is_answered: bool,
    _done: watch::Sender<()>,
}

impl<T> Repeats<T> {
    /// What is to be done with a request of this `key`, which asks for what has the digest `asked`. Waits for one that is under way.
    pub(super) async fn claim(&self, key: Digest, asked: Digest, now: Instant) -> Claim<T> {
        let mut id = [0; 32];
        id.copy_from_slice(key.as_bytes());
        loop {
            let mut under_way = {
                let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                memory.forget_old(now);
                match memory.entries.get(&id) {
                    Some(entry) if entry.asked != asked => return Claim::Other,
                    Some(Entry { state: State::Answered(came_to, _), .. }) => return Claim::Again(Arc::clone(came_to)),
                    Some(Entry { state: State::UnderWay(under_way), .. }) => under_way.clone(),
                    None => {
                        if !memory.make_room() {
                            return Claim::Full;
                        }
                        let (done, under_way) = watch::channel(());
                        memory.order.push_back((id, now));
                        memory.entries.insert(id, Entry { asked, begun: now, state: State::UnderWay(under_way) });
                        let memory = Arc::clone(&self.0);
                        return Claim::Do(Ticket { memory, key: id, begun: now, is_answered: false, _done: done });
                    }
                }
            };
            // Ends with an error when the ticket is gone, which is what is waited for.
            let _gone = under_way.changed().await;
        }
    }
}

impl<T> Memory<T> {
    fn forget_old(&mut self, now: Instant) {
        while let Some((key, begun)) = self.order.front().copied() {
            if now.saturating_duration_since(begun) < LIFETIME {
                break;
            }
            self.order.pop_front();
            if self.is_answered(key, begun) {
                self.remove(key);
            }
        }
    }

    /// Makes room for one more; whether there is any.
    fn make_room(&mut self) -> bool {
        while self.entries.len() >= MOST {
            if !self.forget_oldest() {
                return false;
            }
        }
        true
    }

    /// Forgets the oldest that is answered, if there is one.
    fn forget_oldest(&mut self) -> bool {
        let oldest = self.order.iter().position(|(key, begun)| {
            self.entries
                .get(key)
                .is_none_or(|entry| entry.begun != *begun || matches!(entry.state, State::Answered(..)))
        });
        let Some((key, begun)) = oldest.and_then(|at| self.order.remove(at)) else { return false };
        if self.is_answered(key, begun) {
            self.remove(key);
        }
        true
    }

    fn is_answered(&self, key: [u8; 32], begun: Instant) -> bool {
        self.entries.get(&key).is_some_and(|entry| entry.begun == begun && matches!(entry.state, State::Answered(..)))
    }

    fn remove(&mut self, key: [u8; 32]) {
        if let Some(Entry { state: State::Answered(_, bytes), .. }) = self.entries.remove(&key) {
            self.bytes -= bytes;
        }
    }
}

impl<T> Ticket<T> {
    /// What was asked for is done, and came to this, of so many `bytes`.
    pub(super) fn answer(mut self, came_to: Arc<T>, bytes: usize) {
        if bytes > LONGEST {
            return;
        }
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = memory.entries.get_mut(&self.key) {
            entry.state = State::Answered(came_to, bytes);
            self.is_answered = true;
            memory.bytes += bytes;
        }
        while memory.bytes > MOST_BYTES && memory.forget_oldest() {}
    }
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        if self.is_answered {
            return;
        }
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.entries.get(&self.key).is_some_and(|entry| entry.begun == self.begun) {
            memory.remove(self.key);
            let own = (self.key, self.begun);
            memory.order.retain(|entry| *entry != own);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Digester;

    fn digest(text: &str) -> Digest {
        Digester::new("test").bytes(text.as_bytes()).finish()
    }

    async fn ticket(repeats: &Repeats<&'static str>, key: &str, now: Instant) -> Ticket<&'static str> {
        match repeats.claim(digest(key), digest("asked"), now).await {
            Claim::Do(ticket) => ticket,
            other @ (Claim::Again(_) | Claim::Other | Claim::Full) => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_repeated_key_is_answered_as_the_first_was() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        ticket(&repeats, "a", now).await.answer(Arc::new("first"), 10);
        let again = repeats.claim(digest("a"), digest("asked"), now).await;
        assert!(matches!(again, Claim::Again(came_to) if *came_to == "first"));
        assert!(matches!(repeats.claim(digest("a"), digest("something else"), now).await, Claim::Other));
        drop(ticket(&repeats, "b", now).await);
        ticket(&repeats, "a", now + LIFETIME).await.answer(Arc::new("second"), 10);
    }

    #[tokio::test]
    async fn what_is_under_way_is_waited_for_and_who_gives_up_lets_the_next_begin() {
        let (repeats, now) = (Arc::new(Repeats::default()), Instant::now());
        let first = ticket(&repeats, "a", now).await;
        let claim = || {
            let repeats = Arc::clone(&repeats);
            tokio::spawn(async move { repeats.claim(digest("a"), digest("asked"), now).await })
        };
        let (second, third) = (claim(), claim());
        tokio::task::yield_now().await;
        drop(first);
        let (mut second, mut third) = (second, third);
        let (next, is_second) = tokio::select! {
            next = &mut second => (next.unwrap(), true),
            next = &mut third => (next.unwrap(), false),
        };
        let third = if is_second { third } else { second };
        let Claim::Do(ticket) = next else { panic!("{next:?}") };
        tokio::task::yield_now().await;
        assert!(!third.is_finished());
        ticket.answer(Arc::new("done"), 10);
        assert!(matches!(third.await.unwrap(), Claim::Again(came_to) if *came_to == "done"));
    }

    #[tokio::test]
    async fn memory_is_bounded_and_what_is_under_way_is_never_forgotten() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        for at in 0..100 {
            ticket(&repeats, &at.to_string(), now).await.answer(Arc::new("x"), LONGEST - 100);
        }
        {
            let memory = repeats.0.lock().unwrap();
            assert!(memory.bytes <= MOST_BYTES && memory.entries.len() < 40, "{}", memory.entries.len());
            assert_eq!(memory.order.len(), memory.entries.len());
        }
        ticket(&repeats, "long", now).await.answer(Arc::new("x"), LONGEST + 1);
        assert!(matches!(repeats.claim(digest("long"), digest("asked"), now).await, Claim::Do(_)));
        let mut under_way = Vec::new();
        for at in 0..MOST {
            under_way.push(ticket(&repeats, &format!("under way {at}"), now).await);
        }
        assert!(matches!(repeats.claim(digest("more"), digest("asked"), now).await, Claim::Full));
        under_way.pop();
        assert!(matches!(repeats.claim(digest("more"), digest("asked"), now).await, Claim::Do(_)));
        drop(under_way);
    }
}
