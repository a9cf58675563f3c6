//! Where a finding stands about what a partial reads: in the partial, or where it is called with something that is not there.
//!
//! It knows what was found and which calls lead to the place, and asks whoever has found it about the arguments of those calls.

use super::super::code;
use crate::diagnostic::{Finding, Findings, Place};
use crate::render::Read;

/// So many calls that lead to a place anybody would follow.
const MOST: usize = 3;

/// What was found about a read, with the calls that lead to it. `judge` says what is found about as many of its segments at another place.
pub(super) fn explained(found: Findings, read: &Read, judge: impl Fn(usize, Place) -> Findings) -> Findings {
    if read.callers.is_empty() {
        return found;
    }
    let mut explained = Findings::default();
    explained.extend(found.iter().map(|finding| one(finding.clone(), read, &judge)));
    explained
}

fn one(finding: Finding, read: &Read, judge: &impl Fn(usize, Place) -> Findings) -> Finding {
    let is_same = |other: &&Finding| std::ptr::eq(other.code, finding.code) && other.message == finding.message;
    // If an argument has the mistake already, the outermost such is where it was made.
    for caller in read.callers.iter().rev() {
        let Some(given) = caller.given else { continue };
        if let Some(made) = judge(given, caller.place).iter().find(is_same) {
            return made.clone().related(read.place, "read in the partial here");
        }
    }
    let lacks_name = finding.code.name == code::UNKNOWN_NAME.name;
    read.callers.iter().take(MOST).fold(finding, |finding, caller| match caller.given {
        Some(_) => finding.related(caller.place, "given to the partial here"),
        None if lacks_name => finding.related(caller.place, "the partial is called here without it"),
        None => finding,
    })
}
