//! Who calls a partial with what: what is wrong with a path that a partial reads may be wrong where the path was given to it.
//!
//! It is noted while it is found out what a program reads, and knows nothing of what there is to be read.

use super::reads::Segment;
use super::tree::NameId;
use crate::diagnostic::{FileId, Place};
use std::collections::BTreeMap;

/// A call that leads to where something is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The argument, or the call.
    pub place: Place,
    /// How many segments of the path the argument has, if the call gives what is read.
    pub given: Option<usize>,
}

/// The calls of a program's partials.
#[derive(Debug, Default)]
pub(super) struct Callers {
    /// The first call of each partial.
    called: BTreeMap<FileId, Place>,
    /// The first argument that gives a partial this path.
    given: BTreeMap<(FileId, NameId, Vec<Segment>), Place>,
}

impl Callers {
    pub(super) fn note_call(&mut self, partial: FileId, place: Place) {
        self.called.entry(partial).or_insert(place);
    }

    pub(super) fn note_argument(&mut self, partial: FileId, path: &(NameId, Vec<Segment>), place: Place) {
        self.given.entry((partial, path.0, path.1.clone())).or_insert(place);
    }

    /// The calls that lead to where a path is read, the nearest first, up to where the path comes from.
    pub(super) fn of(&self, (root, segments): &(NameId, Vec<Segment>), read: Place) -> Box<[Caller]> {
        let mut found: Vec<Caller> = Vec::new();
        let mut file = read.file;
        while let Some(call) = self.called.get(&file) {
            let argument = (0..=segments.len()).rev().find_map(|length| {
                let key = (file, *root, segments.get(..length)?.to_vec());
                Some((length, *self.given.get(&key)?))
            });
            let Some((length, place)) = argument else {
                // Further up nobody gives it, either.
                found.push(Caller { place: *call, given: None });
                break;
            };
            // A partial that calls itself is refused elsewhere; here it must only come to an end.
            let ends = place.file == read.file || found.iter().any(|caller| caller.place.file == place.file);
            found.push(Caller { place, given: Some(length) });
            if ends {
                break;
            }
            file = place.file;
        }
        found.into()
    }
}
