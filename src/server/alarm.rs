//! One timer for all the deadlines of a connection.
//!
//! Setting a timer costs more than the rest of a request's bookkeeping, so a busy connection hardly ever does: the timer is left to go off
//! too early, and only then set to the deadline that is in force.

use std::future::Future;
use std::pin::Pin;
use std::task::Context;
use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

/// The timer, made at its first use.
#[derive(Debug, Default)]
pub(super) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Whether `deadline` is over. If not, the task is woken in time to ask again.
    ///
    /// The waker is that of the first call that set the timer: a connection stays in one task all its life.
    pub(super) fn is_over(&mut self, deadline: Instant, cx: &mut Context<'_>) -> bool {
        if let Some(sleep) = &self.0
            && sleep.deadline() <= deadline
            && !sleep.is_elapsed()
        {
            return false;
        }
        if Instant::now() >= deadline {
            return true;
        }
        let sleep = if let Some(sleep) = &mut self.0 {
            sleep.as_mut().reset(deadline);
            sleep
        } else {
            self.0.insert(Box::pin(sleep_until(deadline)))
        };
        is_elapsed(sleep, cx)
    }

    /// The same, in whatever task asks: it is this one that is woken.
    pub(super) fn is_over_here(&mut self, deadline: Instant, cx: &mut Context<'_>) -> bool {
        if self.is_over(deadline, cx) {
            return true;
        }
        // One that went off too early wakes the task at once, and is set anew.
        if let Some(sleep) = &mut self.0
            && is_elapsed(sleep, cx)
        {
            cx.waker().wake_by_ref();
        }
        false
    }
}

/// Whether `sleep` is over. If not, it will wake the task.
///
/// Without regard to how much the task has done in its turn: a timer that is put off to the next one is not set, and `is_over` asks once only.
fn is_elapsed(sleep: &mut Pin<Box<Sleep>>, cx: &mut Context<'_>) -> bool {
    Pin::new(&mut unconstrained(sleep.as_mut())).poll(cx).is_ready()
}
