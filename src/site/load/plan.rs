//! The order of sources: which mention which, which are read at all, and that none waits for itself.

use super::super::code;
use crate::diagnostic::{Finding, Findings};
use crate::source::Source;
use std::collections::BTreeSet;

/// For each source the positions of the sources that it mentions.
pub(super) fn dependencies(sources: &[Source]) -> Vec<Vec<usize>> {
    let position = |name: &str| sources.iter().position(|source| source.name.value == name);
    sources
        .iter()
        .map(|source| {
            let mentioned: BTreeSet<usize> =
                source.references().into_iter().filter_map(|reference| position(&reference.root)).collect();
            mentioned.into_iter().collect()
        })
        .collect()
}

/// Finds circles; `true` if there are none.
pub(super) fn has_no_cycle(sources: &[Source], after: &[Vec<usize>], findings: &mut Findings) -> bool {
    // A source settles once all that it mentions have; what never settles is in a circle or waits for one.
    let mut settled = vec![false; sources.len()];
    let mut is_acyclic = true;
    loop {
        let ready: Vec<usize> =
            (0..sources.len()).filter(|&at| !settled[at] && after[at].iter().all(|&other| settled[other])).collect();
        for &at in &ready {
            settled[at] = true;
        }
        if !ready.is_empty() {
            continue;
        }
        let Some(start) = settled.iter().position(|settled| !settled) else { return is_acyclic };
        is_acyclic = false;
        let circle = circle(start, after, &settled);
        findings.push(circle_finding(&circle, sources));
        // Told once; there may be another.
        for at in circle {
            settled[at] = true;
        }
    }
}

/// The circle that following what is not settled leads into, from anywhere.
fn circle(start: usize, after: &[Vec<usize>], settled: &[bool]) -> Vec<usize> {
    let mut path = vec![start];
    loop {
        let here = path.last().copied().unwrap_or(start);
        let next = after[here].iter().copied().find(|&other| !settled[other]).unwrap_or(start);
        if let Some(begin) = path.iter().position(|&seen| seen == next) {
            return path.split_off(begin);
        }
        path.push(next);
    }
}

fn circle_finding(circle: &[usize], sources: &[Source]) -> Finding {
    let names: Vec<String> =
        circle.iter().chain(circle.first()).map(|&at| format!("`{}`", sources[at].name.value)).collect();
    let finding = Finding::new(
        &code::CYCLE,
        sources[circle[0]].name.place,
        format!("sources in a circle: {}", names.join(" needs ")),
    )
    .help("one of them must do without the others");
    circle.iter().skip(1).fold(finding, |finding, &at| finding.related(sources[at].name.place, "waits for the next"))
}

/// The sources that are read, directly or for another that is.
pub(super) fn needed(direct: impl IntoIterator<Item = usize>, after: &[Vec<usize>]) -> BTreeSet<usize> {
    let mut needed = BTreeSet::new();
    let mut open: Vec<usize> = direct.into_iter().collect();
    while let Some(at) = open.pop() {
        if needed.insert(at)
            && let Some(mentioned) = after.get(at)
        {
            open.extend(mentioned.iter().copied());
        }
    }
    needed
}
