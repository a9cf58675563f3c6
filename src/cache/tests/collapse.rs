//! What flights promise: one fill, and nobody stranded.

use crate::cache::{Empty, Filled, Flights, Landing};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Barrier, Notify, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Longer than any test.
const LONG: Duration = Duration::from_hours(1);

type Pages = Flights<&'static str, String>;

/// Asks for `"page"` and is polled once, so that it has joined or started a flight when this returns.
fn ask(
    flights: &Pages,
    limit: Duration,
    fill: impl Future<Output = Filled<String>> + Send + 'static,
) -> BoxFuture<'static, Landing<String>> {
    let flights = flights.clone();
    let mut asking = async move { flights.fly("page", limit, || None, fill).await }.boxed();
    assert_eq!((&mut asking).now_or_never(), None, "it waits");
    asking
}

/// Asks as one who must not be the first.
fn join(flights: &Pages) -> BoxFuture<'static, Landing<String>> {
    ask(flights, LONG, async { unreachable!("there is a flight already") })
}

/// A fill that waits for word, and the word.
fn held(outcome: Filled<&'static str>) -> (impl Future<Output = Filled<String>> + Send + 'static, oneshot::Sender<()>) {
    let (release, released) = oneshot::channel::<()>();
    let fill = async move {
        released.await.unwrap();
        match outcome {
            Filled::Shared(made) => Filled::Shared(made.to_owned()),
            Filled::Private(made) => Filled::Private(made.to_owned()),
        }
    };
    (fill, release)
}

fn shared(made: &str) -> Landing<String> {
    Landing::Shared(made.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_ask_and_one_fills() {
    let flights = Pages::new();
    let (fill, release) = held(Filled::Shared("made"));
    let leader = ask(&flights, LONG, fill);
    let waiters: Vec<_> = (0..1_000).map(|_| join(&flights)).collect();
    assert_eq!(flights.in_the_air(), 1);
    release.send(()).unwrap();
    assert!(join_all(waiters).await.iter().all(|landing| *landing == shared("made")));
    assert_eq!(leader.await, shared("made"));
    assert_eq!(flights.in_the_air(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flight_survives_the_one_who_started_it() {
    let flights = Pages::new();
    let (fill, release) = held(Filled::Shared("made"));
    let leader = ask(&flights, LONG, fill);
    let waiter = join(&flights);
    drop(leader);
    let late = join(&flights);
    release.send(()).unwrap();
    assert_eq!((waiter.await, late.await), (shared("made"), shared("made")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flight_that_everybody_left_ends_all_the_same() {
    let flights = Pages::new();
    let (fill, release) = held(Filled::Shared("made"));
    let ended = Arc::new(Notify::new());
    let at_end = Arc::clone(&ended);
    let leader = ask(&flights, LONG, async move {
        let made = fill.await;
        at_end.notify_one();
        made
    });
    drop((leader, join(&flights)));
    release.send(()).unwrap();
    ended.notified().await;
    let landed = async {
        while flights.in_the_air() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(30), landed).await.expect("the flight leaves the map");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_strands_nobody() {
    let flights = Pages::new();
    let (fill, release) = held(Filled::Shared("never"));
    let leader = ask(&flights, LONG, async move {
        fill.await;
        std::panic::resume_unwind(Box::new("a bug"));
    });
    let waiters: Vec<_> = (0..10).map(|_| join(&flights)).collect();
    release.send(()).unwrap();
    let landings = join_all(waiters).await;
    assert!(landings.iter().all(|landing| *landing == Landing::Nothing(Empty::Panicked)), "{landings:?}");
    assert_eq!(leader.await, Landing::Nothing(Empty::Panicked));
    assert_eq!(flights.in_the_air(), 0);
    assert_eq!(flights.fly("page", LONG, || None, async { Filled::Shared("anew".into()) }).await, shared("anew"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fill_that_takes_too_long_is_ended() {
    let flights = Pages::new();
    // The flight may be over before the others ask, who then start the next one.
    let asking = (0..10).map(|_| flights.fly("page", Duration::ZERO, || None, std::future::pending()));
    let landings = join_all(asking).await;
    assert!(landings.iter().all(|landing| *landing == Landing::Nothing(Empty::TimedOut)), "{landings:?}");
    assert_eq!(flights.in_the_air(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn waiters_keep_their_own_deadlines() {
    let flights = Pages::new();
    let (fill, release) = held(Filled::Shared("made"));
    let leader = ask(&flights, LONG, fill);
    assert!(timeout(Duration::ZERO, join(&flights)).await.is_err());
    release.send(()).unwrap();
    assert_eq!(leader.await, shared("made"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_private_goes_to_one_and_the_others_fill_beside_each_other() {
    const WAITERS: usize = 20;
    let flights = Pages::new();
    let (fill, release) = held(Filled::Private("for the first"));
    let leader = ask(&flights, LONG, fill);
    let waiters: Vec<_> = (0..WAITERS).map(|_| join(&flights)).collect();
    release.send(()).unwrap();
    let all_at_once = Arc::new(Barrier::new(WAITERS));
    let mut tasks = JoinSet::new();
    for waiter in waiters {
        let all_at_once = Arc::clone(&all_at_once);
        tasks.spawn(async move {
            assert_eq!(waiter.await, Landing::Nothing(Empty::Private));
            all_at_once.wait().await;
        });
    }
    assert_eq!(tasks.join_all().await.len(), WAITERS);
    assert_eq!(leader.await, Landing::Private("for the first".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_runs_once_and_can_be_joined() {
    let flights = Pages::new();
    let (fill, release) = held(Filled::Shared("refreshed"));
    assert!(!flights.refresh_once("page", LONG, || false, std::future::pending()), "not needed any more");
    assert!(flights.refresh_once("page", LONG, || true, fill));
    for _ in 0..10 {
        assert!(!flights.refresh_once("page", LONG, || true, std::future::pending()), "there is one");
    }
    let waiter = join(&flights);
    release.send(()).unwrap();
    assert_eq!(waiter.await, shared("refreshed"));
    assert!(flights.refresh_once("page", LONG, || true, async { Filled::Shared("again".into()) }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_between_missing_and_asking_is_not_made_again() {
    for round in 0..200 {
        let flights = Pages::new();
        let kept: Arc<Mutex<Option<String>>> = Arc::default();
        let fills = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        for number in 0..20 {
            let (flights, kept, fills) = (flights.clone(), Arc::clone(&kept), Arc::clone(&fills));
            tasks.spawn(async move {
                for _ in 0..(number * round) % 7 {
                    tokio::task::yield_now().await;
                }
                let again = || kept.lock().unwrap().clone();
                let into = Arc::clone(&kept);
                let fill = async move {
                    fills.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    *into.lock().unwrap() = Some("made".to_owned());
                    Filled::Shared("made".to_owned())
                };
                assert_eq!(flights.fly("page", LONG, again, fill).await, shared("made"));
            });
        }
        tasks.join_all().await;
        assert_eq!(fills.load(Ordering::SeqCst), 1, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn different_keys_do_not_wait_for_each_other() {
    let flights: Flights<usize, usize> = Flights::new();
    let all_at_once = Arc::new(Barrier::new(100));
    let landings = join_all((0..100).map(|key| {
        let (flights, all_at_once) = (&flights, Arc::clone(&all_at_once));
        flights.fly(key, LONG, || None, async move {
            all_at_once.wait().await;
            Filled::Shared(key)
        })
    }));
    for (key, landing) in landings.await.into_iter().enumerate() {
        assert_eq!(landing, Landing::Shared(key));
    }
}

#[test]
fn a_stopping_runtime_strands_nobody() {
    let flights = Pages::new();
    let stopping = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    let leader = {
        let _entered = stopping.enter();
        assert!(flights.refresh_once("page", LONG, || true, std::future::pending()));
        join(&flights)
    };
    stopping.shutdown_background();
    let waiting = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(waiting.block_on(leader), Landing::Nothing(Empty::Stopped));
    assert_eq!(flights.in_the_air(), 0);
}
