//! The model checker's locks, counters, tasks and time, where the product has those of the standard library and of tokio.
//!
//! What the checker has none of are stand-ins that come to the same: any other thread may go on before each operation of the map of
//! stored responses and of the news of a flight, which then happens at once (both are other people's, and checked by them); time is
//! up whenever the schedule says so; a fill that panics, or whose runtime stops, is dropped where it stands, as the real ones are.

pub(super) use quick_cache::sync::DefaultLifecycle;
pub(super) use shuttle::sync::atomic::AtomicU64;
pub(super) use shuttle::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

use futures_util::FutureExt as _;
use futures_util::future::{Either, select};
use shuttle::sync::atomic::{AtomicBool, Ordering};
use std::cell::Cell;
use std::future::Future;
use std::hash::{BuildHasher, Hash};
use std::ops::{Deref, DerefMut};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

/// A moment at which any other thread may go on.
pub(super) fn step() {
    AtomicBool::new(false).load(Ordering::SeqCst);
}

/// So long that it never is over.
pub(super) const FOREVER: Duration = Duration::MAX;

/// It took too long.
#[derive(Debug)]
pub(super) struct Elapsed;

/// Runs `future` until the schedule says that its time is up, which may be at once.
pub(super) async fn timeout<F: Future>(limit: Duration, future: F) -> Result<F::Output, Elapsed> {
    if limit == FOREVER {
        return Ok(future.await);
    }
    let clock = shuttle::future::spawn(async { step() });
    match select(pin!(future), clock).await {
        Either::Left((made, _)) => Ok(made),
        Either::Right(_) => Err(Elapsed),
    }
}

/// How a task ends that does not end by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Death {
    Panic,
    Stop,
}

shuttle::thread_local! {
    /// That the task on this thread dies now, and of what.
    static DEATH: Cell<Option<Death>> = Cell::new(None);
}

/// Ends the task that this is called in.
pub(super) async fn die(of: Death) {
    DEATH.with(|death| death.set(Some(of)));
    std::future::pending::<()>().await;
}

/// Whether this task is ending by a panic.
pub(super) fn panicking() -> bool {
    DEATH.with(Cell::get) == Some(Death::Panic)
}

/// The task is gone without a result.
#[derive(Debug)]
pub(super) struct Gone;

/// Starts a task, which [`die`] may end.
pub(super) fn spawn<F>(future: F) -> impl Future<Output = Result<F::Output, Gone>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    shuttle::future::spawn(Mortal(Some(Box::pin(future)))).map(|end| end.unwrap_or(Err(Gone)))
}

struct Mortal<F>(Option<Pin<Box<F>>>);

impl<F: Future> Future for Mortal<F> {
    type Output = Result<F::Output, Gone>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(task) = &mut self.0 else { return Poll::Ready(Err(Gone)) };
        match task.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending if DEATH.with(Cell::get).is_some() => {
                // What the task owns goes away while it is still known how it died.
                self.0 = None;
                Poll::Ready(Err(Gone))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

/// The map of stored responses: before each of its operations others may go on.
#[derive(Debug)]
pub(super) struct Cache<K, V, W, B>(quick_cache::sync::Cache<K, V, W, B>);

impl<K: Eq + Hash, V: Clone, W: quick_cache::Weighter<K, V> + Clone, B: BuildHasher + Clone> Cache<K, V, W, B> {
    pub(super) fn with_options(
        options: quick_cache::Options,
        weighter: W,
        hasher: B,
        lifecycle: DefaultLifecycle<K, V>,
    ) -> Self {
        Self(quick_cache::sync::Cache::with_options(options, weighter, hasher, lifecycle))
    }
}

impl<K, V, W, B> Deref for Cache<K, V, W, B> {
    type Target = quick_cache::sync::Cache<K, V, W, B>;

    fn deref(&self) -> &Self::Target {
        step();
        &self.0
    }
}

/// News for all who wait: before each operation others may go on.
pub(super) mod watch {
    use super::{Deref, DerefMut, step};
    use tokio::sync::watch;

    #[derive(Debug)]
    pub(in super::super) struct Sender<T>(watch::Sender<T>);

    #[derive(Debug, Clone)]
    pub(in super::super) struct Receiver<T>(watch::Receiver<T>);

    pub(in super::super) fn channel<T>(first: T) -> (Sender<T>, Receiver<T>) {
        let (sender, receiver) = watch::channel(first);
        (Sender(sender), Receiver(receiver))
    }

    impl<T> Deref for Sender<T> {
        type Target = watch::Sender<T>;

        fn deref(&self) -> &Self::Target {
            step();
            &self.0
        }
    }

    impl<T> Deref for Receiver<T> {
        type Target = watch::Receiver<T>;

        fn deref(&self) -> &Self::Target {
            step();
            &self.0
        }
    }

    impl<T> DerefMut for Receiver<T> {
        fn deref_mut(&mut self) -> &mut Self::Target {
            step();
            &mut self.0
        }
    }
}
