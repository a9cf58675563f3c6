//! Flights, the gate and the store in the orders that a model checker tries: their own files, compiled a second time with its
//! primitives (`sync`) in the place of the product's.
//!
//! Each property is a small crowd whose members do what the handler does; the checker runs it under random schedules and under those
//! that find rare orders with few changes of mind (probabilistic concurrency testing). A thread that nothing can wake any more is a
//! failure of its own. All is sequentially consistent here: what orders of memory may add is for the tests with real threads.
//!
//! A failure prints its seed and its schedule; `MODEL_SEED=…` repeats a run. `MODEL_SCHEDULES=…` says how many there are of each
//! property and kind; `script/prove` runs a hundred times as many as an ordinary run.

#![allow(clippy::duplicate_mod, reason = "they are compiled a second time on purpose")]
#![allow(
    dead_code,
    unreachable_pub,
    unfulfilled_lint_expectations,
    reason = "half of their doors are for the product alone"
)]
#![allow(clippy::print_stdout, reason = "a test says its seed")]

#[path = "../../collapse.rs"]
mod collapse;
#[path = "../../purge.rs"]
mod purge;
#[path = "../../store.rs"]
mod store;
mod sync;
#[path = "../../variants.rs"]
mod variants;

use crate::cache::{content, datum, key, responses, stored, tag};

use collapse::{Empty, Filled, Flights, Landing};
use content::{Content, StorableFields};
use futures_util::future::{Either, select};
use http::{HeaderMap, StatusCode};
use key::{Key, KeyBuilder};
use purge::Epoch;
use shuttle::Runner;
use shuttle::future::block_on;
use shuttle::rand::{Rng as _, thread_rng};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::hash::{BuildHasher as _, RandomState};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Purge, Store, StoreLimits};
use stored::{Revision, Stored};
use sync::{Death, FOREVER, die, step};
use tag::{Parameters, Scope, Tag};

/// Schedules of each property and kind in an ordinary run.
const SCHEDULES: usize = 1_000;
/// How often a schedule of the second kind changes its mind.
const CHANGES: usize = 4;

/// Lets the checker try a property.
fn check(property: fn()) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = number("MODEL_SEED").unwrap_or_else(|| RandomState::new().hash_one("seed"));
    let usual = if std::env::var_os("SITESERVER_PROVE").is_some() { 100 * SCHEDULES } else { SCHEDULES };
    let schedules = number("MODEL_SCHEDULES").and_then(|count| usize::try_from(count).ok()).unwrap_or(usual);
    println!("MODEL_SEED={seed} MODEL_SCHEDULES={schedules}");
    let config = shuttle::Config::default;
    Runner::new(RandomScheduler::new_from_seed(seed, schedules), config()).run(property);
    Runner::new(PctScheduler::new_from_seed(seed, CHANGES, schedules), config()).run(property);
}

const SITE: Revision = Revision(1);
const SOME_TIME: Duration = Duration::from_secs(1);

fn some_key() -> Key {
    KeyBuilder::new("page").finish().to_key()
}

/// A page made from the `truth` of its time.
fn page(truth: u64) -> Arc<Stored> {
    let lifetime =
        crate::cache::Lifetime { s_maxage: Some(Duration::from_hours(1)), ..crate::cache::Lifetime::default() };
    let windows = lifetime.allowance().unwrap().from(Instant::now(), Duration::ZERO, crate::cache::Jitter::NONE);
    let content = Content::new(StorableFields::new(HeaderMap::new()).unwrap(), truth.to_string().into(), None);
    let tags = vec![Tag::new("x"), Tag::with_parameters("source", "repo", [("id", "1")])];
    Arc::new(Stored::new(StatusCode::OK, content, windows, tags, SITE))
}

fn truth_of(stored: &Stored) -> u64 {
    std::str::from_utf8(stored.content().identity().body()).unwrap().parse().unwrap()
}

/// A scope that covers every page.
fn some_scope() -> Scope {
    match thread_rng().gen_range(0..3) {
        0 => Scope::All,
        1 => Scope::Tags(vec![Tag::new("x")]),
        _ => Scope::Parameters(Parameters::new("source", "repo", [("id", "1")])),
    }
}

fn some_purge() -> Purge {
    if thread_rng().gen_bool(0.5) { Purge::Soft(Instant::now()) } else { Purge::Hard }
}

/// How many fills of a key there are at this moment.
#[derive(Clone, Default)]
struct Filling(Arc<AtomicUsize>);

impl Filling {
    /// One more, as long as what is returned lives. There must be no other.
    fn alone(&self) -> impl Drop + use<> {
        struct Over(Filling);
        impl Drop for Over {
            fn drop(&mut self) {
                self.0.0.fetch_sub(1, Ordering::SeqCst);
            }
        }
        assert_eq!(self.0.fetch_add(1, Ordering::SeqCst), 0, "one fill at a time");
        Over(self.clone())
    }
}

/// What becomes of a fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Shared,
    Private,
    Panics,
    IsStopped,
    NeverEnds,
}

impl Fate {
    fn any() -> Self {
        [Self::Shared, Self::Private, Self::Panics, Self::IsStopped, Self::NeverEnds][thread_rng().gen_range(0..5)]
    }
}

/// A fill of this fate. What it makes names who made it.
async fn made(by: usize, fate: Fate, filling: Filling) -> Filled<usize> {
    let _alone = filling.alone();
    for _ in 0..thread_rng().gen_range(0..3) {
        shuttle::future::yield_now().await;
    }
    match fate {
        Fate::Shared => Filled::Shared(by),
        Fate::Private => Filled::Private(by),
        Fate::Panics => {
            die(Death::Panic).await;
            unreachable!("it is gone")
        }
        Fate::IsStopped => {
            die(Death::Stop).await;
            unreachable!("it is gone")
        }
        Fate::NeverEnds => std::future::pending().await,
    }
}

/// Whatever becomes of the fills, and whoever leaves before their end: each who stays is told something that is true, at once or
/// when the fill ends, and one fill runs at a time.
#[test]
fn nobody_is_stranded_whatever_becomes_of_a_fill() {
    check(|| {
        let flights: Flights<&str, usize> = Flights::new();
        let filling = Filling::default();
        let fates: Vec<Fate> = (0..4).map(|_| Fate::any()).collect();
        let clients = (0..4).map(|number| {
            let (flights, filling, fates) = (flights.clone(), filling.clone(), fates.clone());
            let is_patient = thread_rng().gen_bool(0.7);
            shuttle::future::spawn(async move {
                let limit = if fates[number] == Fate::NeverEnds { SOME_TIME } else { FOREVER };
                let fill = made(number, fates[number], filling);
                let flown = pin!(flights.fly("page", limit, || None, fill));
                let landing = if is_patient {
                    flown.await
                } else {
                    // Its own deadline: nothing that others do may hold it.
                    match select(flown, shuttle::future::spawn(async { step() })).await {
                        Either::Left((landing, _)) => landing,
                        Either::Right(_) => return,
                    }
                };
                let has = |fate| fates.contains(&fate);
                match landing {
                    Landing::Shared(by) => assert_eq!(fates[by], Fate::Shared),
                    Landing::Private(by) => assert_eq!((by, fates[by]), (number, Fate::Private), "it is for one only"),
                    Landing::Nothing(Empty::Private) => assert!(has(Fate::Private)),
                    Landing::Nothing(Empty::TimedOut) => assert!(has(Fate::NeverEnds)),
                    Landing::Nothing(Empty::Panicked) => assert!(has(Fate::Panics)),
                    Landing::Nothing(Empty::Stopped) => assert!(has(Fate::IsStopped)),
                }
            })
        });
        let clients: Vec<_> = clients.collect();
        for client in clients {
            block_on(client).unwrap();
        }
        // Flights that everybody has left end all the same.
        while flights.in_the_air() > 0 {
            shuttle::thread::yield_now();
        }
    });
}

/// Those for whom nothing came of a flight fill for themselves, and do not have to wait for each other: they can all meet in the
/// middle of their fills.
#[test]
fn what_is_private_makes_nobody_queue() {
    check(|| {
        const CLIENTS: usize = 3;
        let flights: Flights<&str, usize> = Flights::new();
        // Each client's way to the middle of a fill of its own: as the leader, or because there was nothing for it.
        let middle = Arc::new(tokio::sync::Barrier::new(CLIENTS));
        let clients = (0..CLIENTS).map(|number| {
            let (flights, middle) = (flights.clone(), Arc::clone(&middle));
            shuttle::future::spawn(async move {
                let fill = async move {
                    shuttle::future::yield_now().await;
                    Filled::Private(number)
                };
                match flights.fly("page", FOREVER, || None, fill).await {
                    Landing::Private(by) => assert_eq!(by, number),
                    Landing::Nothing(Empty::Private) => {}
                    other @ (Landing::Shared(_) | Landing::Nothing(_)) => panic!("{other:?}"),
                }
                step();
                middle.wait().await;
            })
        });
        let clients: Vec<_> = clients.collect();
        for client in clients {
            block_on(client).unwrap();
        }
    });
}

/// The store and its flights, used as the handler uses them.
struct World {
    store: Store,
    pages: Flights<(Key, Epoch), Arc<Stored>>,
    /// What pages are made of. It changes, and then it is purged.
    truth: AtomicU64,
    fills: AtomicUsize,
}

impl World {
    fn new() -> Arc<Self> {
        let (truth, fills) = (AtomicU64::new(0), AtomicUsize::new(0));
        let store = Store::new(StoreLimits { capacity: 1 << 20, entry: 1 << 16 }, SITE);
        Arc::new(Self { store, pages: Flights::new(), truth, fills })
    }

    fn found(&self) -> Option<Arc<Stored>> {
        let stored = self.store.get(some_key().lookup())?;
        matches!(stored.verdict(Instant::now()), crate::cache::Verdict::Fresh { .. }).then_some(stored)
    }

    /// A visitor's request: from the store, or made once for all who ask.
    async fn ask(self: &Arc<Self>, revision: Revision) -> Arc<Stored> {
        if let Some(found) = self.found() {
            return found;
        }
        let ticket = self.store.begin(revision);
        let epoch = ticket.epoch();
        let world = Arc::clone(self);
        let fill = async move {
            world.fills.fetch_add(1, Ordering::SeqCst);
            let made = page(world.truth.load(Ordering::SeqCst));
            shuttle::future::yield_now().await;
            // What may not be stored any more is for those who wait.
            world.store.put(&ticket, some_key(), &made).unwrap_or_default();
            Filled::Shared(made)
        };
        match self.pages.fly((some_key(), epoch), FOREVER, || self.found(), fill).await {
            Landing::Shared(made) => made,
            other @ (Landing::Private(_) | Landing::Nothing(_)) => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_is_stored_is_made_once_for_all() {
    check(|| {
        let world = World::new();
        let clients: Vec<_> = (0..3)
            .map(|_| {
                let world = Arc::clone(&world);
                shuttle::future::spawn(async move { truth_of(&*world.ask(SITE).await) })
            })
            .collect();
        for client in clients {
            assert_eq!(block_on(client).unwrap(), 0);
        }
        assert_eq!(world.fills.load(Ordering::SeqCst), 1);
    });
}

/// A page that is found after a purge, or made for a request that came after it, is made of what was true at the purge or later.
#[test]
fn nothing_from_before_a_purge_is_seen_after_it() {
    check(|| {
        let world = World::new();
        let clients: Vec<_> = (0..2)
            .map(|_| {
                let world = Arc::clone(&world);
                shuttle::future::spawn(async move {
                    for _ in 0..2 {
                        world.ask(SITE).await;
                    }
                })
            })
            .collect();
        let owner = shuttle::future::spawn({
            let world = Arc::clone(&world);
            async move {
                for now in 1..=2 {
                    world.truth.store(now, Ordering::SeqCst);
                    world.store.purge(&some_scope(), some_purge());
                    let seen = world.found();
                    assert!(seen.is_none_or(|seen| truth_of(&seen) >= now), "found after the purge");
                    assert!(truth_of(&*world.ask(SITE).await) >= now, "made for who came after the purge");
                }
            }
        });
        for client in clients {
            block_on(client).unwrap();
        }
        block_on(owner).unwrap();
        assert!(world.found().is_none_or(|seen| truth_of(&seen) == 2), "found in the end");
        world.store.purge(&Scope::All, Purge::Hard);
        assert_eq!(world.store.remembered(), 0, "no fill runs that would have to know");
    });
}

/// The smallest crowd: the steps of one fill and of one purge meet in nearly every way that there is.
#[test]
fn a_fill_that_meets_a_purge_leaves_nothing_old() {
    check(|| {
        let world = World::new();
        let fill = shuttle::thread::spawn({
            let world = Arc::clone(&world);
            move || {
                let ticket = world.store.begin(SITE);
                let made = page(world.truth.load(Ordering::SeqCst));
                // It may be refused, as it should if it is old.
                world.store.put(&ticket, some_key(), &made).unwrap_or_default();
            }
        });
        world.truth.store(1, Ordering::SeqCst);
        world.store.purge(&some_scope(), some_purge());
        fill.join().unwrap();
        assert!(world.found().is_none_or(|seen| truth_of(&seen) == 1));
    });
}

/// The same of a reload: those who still use the old site make their pages, and leave nothing behind.
#[test]
fn nothing_of_an_old_site_is_stored_once_there_is_a_new_one() {
    check(|| {
        const NEW: Revision = Revision(2);
        let world = World::new();
        let late = shuttle::future::spawn({
            let world = Arc::clone(&world);
            async move { drop(world.ask(SITE).await) }
        });
        let owner = shuttle::future::spawn({
            let world = Arc::clone(&world);
            async move {
                world.truth.store(1, Ordering::SeqCst);
                world.store.advance(NEW, |_| false, |_| false, |_| false);
                assert_eq!(truth_of(&*world.ask(NEW).await), 1);
            }
        });
        block_on(late).unwrap();
        block_on(owner).unwrap();
        assert_eq!(world.found().map(|seen| truth_of(&seen)), Some(1));
    });
}
