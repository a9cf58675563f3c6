//! Variables while a program runs: two cells for each name, and what a loop knows of itself.
//!
//! `assign` and `capture` set the outer cell of a name, loops and parameters of `include` the inner one, which hides it. A frame
//! is one such set of cells; `render` runs in a frame of its own.

use super::program::Program;
use super::tree::NameId;
use super::val::Val;
use crate::value::Value;

/// The names by which loops know themselves, and the fields of each.
pub(super) const LOOPS: [(&str, &[&str]); 2] = [
    ("forloop", &["index", "index0", "rindex", "rindex0", "first", "last", "length", "name", "parentloop"]),
    (
        "tablerowloop",
        &[
            "index",
            "index0",
            "rindex",
            "rindex0",
            "first",
            "last",
            "length",
            "col",
            "col0",
            "col_first",
            "col_last",
            "row",
        ],
    ),
];

/// A loop that is running.
#[derive(Debug, Clone, Copy)]
pub(super) struct LoopState<'r> {
    pub(super) name: &'r str,
    pub(super) length: i64,
    pub(super) index: i64,
    pub(super) parent: Option<u32>,
    /// The columns of a `tablerow`; none in a `for`.
    pub(super) columns: Option<i64>,
}

impl<'r> LoopState<'r> {
    /// `forloop.key`, made when it is asked for.
    pub(super) fn field(&self, key: &str) -> Val<'r> {
        let Self { length, index, .. } = *self;
        match key {
            "index" => Val::int(index + 1),
            "index0" => Val::int(index),
            "rindex" => Val::int(length - index),
            "rindex0" => Val::int(length - index - 1),
            "first" => Val::bool(index == 0),
            "last" => Val::bool(index == length - 1),
            "length" => Val::int(length),
            _ => match self.columns {
                None if key == "name" => Val::Str(self.name, crate::value::Origin::Authored),
                None if key == "parentloop" => self.parent.map_or(Val::Nil, Val::Loop),
                None => Val::Nil,
                Some(columns) => column_field(key, index, columns.max(1)),
            },
        }
    }
}

fn column_field<'r>(key: &str, index: i64, columns: i64) -> Val<'r> {
    let column = index % columns;
    match key {
        "col" => Val::int(column + 1),
        "col0" => Val::int(column),
        "col_first" => Val::bool(column == 0),
        "col_last" => Val::bool(column == columns - 1),
        "row" => Val::int(index / columns + 1),
        _ => Val::Nil,
    }
}

/// A frame on the stack of frames.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    start: usize,
    counters: usize,
}

/// The variables of all frames.
pub(super) struct Scope<'r> {
    cells: Vec<Option<Val<'r>>>,
    frame: Frame,
    names: usize,
    /// `increment` and `decrement`: rarely used, so searched.
    counters: Vec<(NameId, i64)>,
    roots: &'r [&'r Value],
    root_of: &'r [Option<u32>],
    pub(super) loops: Vec<LoopState<'r>>,
}

impl<'r> Scope<'r> {
    pub(super) fn new(program: &'r Program, roots: &'r [&'r Value]) -> Self {
        let names = program.names.len();
        let mut cells = Vec::with_capacity(names * 4);
        cells.resize(names * 2, None);
        Self {
            cells,
            frame: Frame { start: 0, counters: 0 },
            names,
            counters: Vec::new(),
            roots,
            root_of: &program.root_of,
            loops: Vec::new(),
        }
    }

    /// Everything unset again, for the next layout around this one.
    pub(super) fn clear(&mut self) {
        self.cells.fill(None);
        self.counters.clear();
        self.loops.clear();
    }

    /// Begins a frame; the one to return to.
    pub(super) fn enter(&mut self) -> Frame {
        let outer = self.frame;
        self.frame = Frame { start: self.cells.len(), counters: self.counters.len() };
        self.cells.resize_with(self.frame.start + self.names * 2, || None);
        outer
    }

    /// Ends the frame and returns to `outer`.
    pub(super) fn leave(&mut self, outer: Frame) {
        self.cells.truncate(self.frame.start);
        self.counters.truncate(self.frame.counters);
        self.frame = outer;
    }

    fn inner(&mut self, name: NameId) -> Option<&mut Option<Val<'r>>> {
        self.cells.get_mut(self.frame.start + name.index())
    }

    /// Sets the inner cell of a name; its content before.
    pub(super) fn bind(&mut self, name: NameId, val: Option<Val<'r>>) -> Option<Val<'r>> {
        self.inner(name).and_then(|cell| std::mem::replace(cell, val))
    }

    /// Sets the outer cell of a name.
    pub(super) fn assign(&mut self, name: NameId, val: Val<'r>) {
        let at = self.frame.start + self.names + name.index();
        if let Some(cell) = self.cells.get_mut(at) {
            *cell = Some(val.settled());
        }
    }

    fn counters(&mut self) -> &mut [(NameId, i64)] {
        let start = self.frame.counters;
        self.counters.get_mut(start..).unwrap_or_default()
    }

    /// Counts up or down, beginning at `first`; the number to print.
    pub(super) fn count(&mut self, name: NameId, decrement: bool, first: i64) -> i64 {
        let found = self.counters().iter_mut().find(|(counted, _)| *counted == name);
        let step = |value: &mut i64| {
            let before = *value;
            *value = if decrement { before.saturating_sub(1) } else { before.saturating_add(1) };
            if decrement { *value } else { before }
        };
        if let Some((_, value)) = found {
            return step(value);
        }
        let mut value = first;
        let printed = step(&mut value);
        self.counters.push((name, value));
        printed
    }

    /// The value of a name.
    pub(super) fn get(&self, name: NameId) -> Val<'r> {
        let at = self.frame.start + name.index();
        if let Some(Some(val)) = self.cells.get(at) {
            return val.clone();
        }
        if let Some(Some(val)) = self.cells.get(at + self.names) {
            return val.clone();
        }
        if !self.counters.is_empty() {
            let own = self.counters.get(self.frame.counters..).unwrap_or_default();
            if let Some((_, value)) = own.iter().find(|(counted, _)| *counted == name) {
                return Val::int(*value);
            }
        }
        self.root(name)
    }

    /// The running loop that a name means as `forloop` does.
    pub(super) fn running(&self, name: NameId) -> Option<&LoopState<'r>> {
        match self.cells.get(self.frame.start + name.index()) {
            Some(Some(Val::Loop(at))) => self.loops.get(*at as usize),
            Some(_) | None => None,
        }
    }

    /// The value of a name, if it is data and no variable that a tag made.
    pub(super) fn borrowed(&self, name: NameId) -> Option<&'r Value> {
        let at = self.frame.start + name.index();
        for cell in [at, at + self.names] {
            match self.cells.get(cell) {
                Some(Some(Val::Ref(value))) => return Some(value),
                Some(Some(_)) => return None,
                Some(None) | None => {}
            }
        }
        if !self.counters.is_empty() {
            return None;
        }
        let slot = self.root_of.get(name.index()).copied().flatten()?;
        self.roots.get(slot as usize).copied()
    }

    /// The root of a name, whatever variable hides it.
    fn root(&self, name: NameId) -> Val<'r> {
        let slot = self.root_of.get(name.index()).copied().flatten();
        slot.and_then(|slot| self.roots.get(slot as usize)).map_or(Val::Nil, |value| Val::Ref(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_loop_has_a_value() {
        for (name, fields) in LOOPS {
            let columns = (name == "tablerowloop").then_some(2);
            let state = LoopState { name: "item-list", length: 3, index: 1, parent: Some(0), columns };
            for field in fields {
                assert!(!matches!(state.field(field), Val::Nil), "{name}.{field}");
            }
            assert!(matches!(state.field("size"), Val::Nil));
        }
    }
}
