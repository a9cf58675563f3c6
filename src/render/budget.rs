//! What a render may still make, put together and read, counted where it happens: no layout takes long, whatever its data.
//!
//! Output and loops are counted where they run. It knows nothing of what is made, only how much.

use super::Limits;
use super::filter::Fault;
use crate::value::Value;
use std::cell::Cell;

/// The budget of one render. What is over it stays over it, so that whoever cannot fail only has to stop: the next one asks.
pub(super) struct Budget {
    limits: Limits,
    made: Cell<usize>,
    nested: Cell<usize>,
    read: Cell<usize>,
}

/// How often a render may put what filters made into something larger: a value so deep that nothing could be done with it, not
/// even forget it, without running out of stack, takes more.
const NESTED: usize = 500;

/// What it takes to look at one value, in bytes that could be read instead.
const LOOK: usize = 32;

/// What has been counted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    made: usize,
    nested: usize,
    read: usize,
}

impl Budget {
    /// Goes on where another one was.
    pub(super) fn resume(&self, spent: Spent) {
        self.made.set(spent.made);
        self.nested.set(spent.nested);
        self.read.set(spent.read);
    }

    pub(super) fn spent(&self) -> Spent {
        Spent { made: self.made.get(), nested: self.nested.get(), read: self.read.get() }
    }

    pub(super) fn new(limits: &Limits) -> Self {
        Self { limits: *limits, made: Cell::new(0), nested: Cell::new(0), read: Cell::new(0) }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Counts `bytes` that are about to be made.
    pub(super) fn charge(&self, bytes: usize) -> Result<(), Fault> {
        self.made.set(self.made.get().saturating_add(bytes));
        if self.made.get() > self.limits.made_bytes { Err(Fault::TooMuch) } else { Ok(()) }
    }

    /// How many bytes may still be made.
    pub(super) fn left(&self) -> usize {
        self.limits.made_bytes.saturating_sub(self.made.get())
    }

    /// Counts a list of `items` that is about to be made.
    pub(super) fn charge_items(&self, items: usize) -> Result<(), Fault> {
        self.charge(items.saturating_mul(size_of::<Value>()))
    }

    /// Counts a value that holds others which filters made.
    pub(super) fn charge_nesting(&self) -> Result<(), Fault> {
        self.nested.set(self.nested.get() + 1);
        if self.nested.get() > NESTED { Err(Fault::TooMuch) } else { Ok(()) }
    }

    /// Counts `bytes` that are about to be read, or have been: one step never reads more than the data holds.
    #[inline]
    pub(super) fn read(&self, bytes: usize) -> Result<(), Fault> {
        self.read.set(self.read.get().saturating_add(bytes));
        if self.read.get() > self.limits.read_bytes { Err(Fault::TooMuchRead) } else { Ok(()) }
    }

    /// Counts `values` that are about to be looked at.
    pub(super) fn read_values(&self, values: usize) -> Result<(), Fault> {
        self.read(values.saturating_mul(LOOK))
    }

    /// Whether nothing has been too much so far.
    #[inline]
    pub(super) fn check(&self) -> Result<(), Fault> {
        if self.read.get() > self.limits.read_bytes {
            return Err(Fault::TooMuchRead);
        }
        if self.made.get() > self.limits.made_bytes { Err(Fault::TooMuch) } else { Ok(()) }
    }
}
