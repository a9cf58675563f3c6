//! Where threads and tasks meet: the locks, counters, news, tasks and time of `collapse`, `purge` and `store`.
//!
//! Those three use no others, because the tests compile them a second time with a model checker's in the place of this module, and
//! let it try the orders in which they may meet (`tests/model`).

pub(super) use quick_cache::sync::{Cache, DefaultLifecycle};
pub(super) use std::sync::atomic::AtomicU64;
pub(super) use std::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
pub(super) use std::thread::panicking;
pub(super) use tokio::spawn;
pub(super) use tokio::sync::watch;
pub(super) use tokio::time::timeout;
