//! What the gate promises: a purge outdates the fills it covers, and is remembered no longer than they run.

use crate::cache::purge::{Gate, Outdated, Ticket};
use crate::cache::{Revision, Scope, Tag};
use std::sync::Arc;

const SITE: Revision = Revision(1);

fn tags(names: &[&str]) -> Vec<Tag> {
    names.iter().map(|name| Tag::new(name)).collect()
}

fn admitted(gate: &Gate, ticket: &Ticket, names: &[&str]) -> Result<(), Outdated> {
    gate.admit(ticket, &tags(names).into(), || ())
}

#[test]
fn a_purge_outdates_the_fills_it_covers_and_no_later_ones() {
    let gate = Arc::new(Gate::new(SITE));
    let before = gate.begin(SITE);
    gate.purge(&Scope::Tags(tags(&["a", "b"])));
    let after = gate.begin(SITE);
    assert_eq!(admitted(&gate, &before, &["b", "c"]), Err(Outdated::Purged));
    assert_eq!(admitted(&gate, &before, &["c"]), Ok(()));
    assert_eq!(admitted(&gate, &after, &["a", "b"]), Ok(()));
    gate.purge(&Scope::All);
    assert_eq!(admitted(&gate, &after, &[]), Err(Outdated::Purged));
    assert_eq!(admitted(&gate, &gate.begin(SITE), &["a"]), Ok(()));
    let epochs = [before.epoch(), after.epoch(), gate.epoch(SITE), gate.epoch(Revision(2))];
    let distinct: std::collections::HashSet<_> = epochs.into_iter().collect();
    assert_eq!(distinct.len(), epochs.len());
}

#[test]
fn a_fill_of_another_revision_is_outdated() {
    let gate = Arc::new(Gate::new(SITE));
    let before = gate.begin(SITE);
    gate.advance(Revision(2));
    assert_eq!(admitted(&gate, &before, &["a"]), Err(Outdated::Revision));
    // A request that still uses the old site and fills only now.
    assert_eq!(admitted(&gate, &gate.begin(SITE), &["a"]), Err(Outdated::Revision));
    assert_eq!(admitted(&gate, &gate.begin(Revision(2)), &["a"]), Ok(()));
}

#[test]
fn purges_are_remembered_only_while_an_older_fill_runs() {
    let gate = Arc::new(Gate::new(SITE));
    gate.purge(&Scope::Tags(tags(&["a"])));
    assert_eq!(gate.remembered(), 0, "nobody runs");
    let first = gate.begin(SITE);
    gate.purge(&Scope::Tags(tags(&["b"])));
    let second = gate.begin(SITE);
    gate.purge(&Scope::Tags(tags(&["c"])));
    assert_eq!(gate.remembered(), 2);
    drop(first);
    gate.purge(&Scope::Tags(tags(&["d"])));
    assert_eq!(gate.remembered(), 2, "b is older than every fill");
    assert_eq!(admitted(&gate, &second, &["b"]), Ok(()));
    assert_eq!(admitted(&gate, &second, &["c"]), Err(Outdated::Purged));
    drop(second);
    gate.purge(&Scope::Tags(Vec::new()));
    assert_eq!(gate.remembered(), 0);
}
