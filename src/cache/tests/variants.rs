//! What is noted of the variants of a URL: the oldest make room, and what is gone is forgotten.

use crate::cache::variants::{FEW, Variants};
use std::cell::RefCell;
use std::collections::BTreeSet;

#[test]
fn the_first_that_were_stored_are_too_many() {
    let variants = Variants::default();
    let note = |family, key, most| variants.note((family, key), most, 100, |_| true);
    for key in 1..=3 {
        assert!(note(1, key, 3).is_empty(), "{key}");
    }
    assert!(note(2, 4, 3).is_empty(), "another URL");
    assert!(note(1, 1, 3).is_empty(), "the same again, which is the newest now");
    assert_eq!(note(1, 5, 3), [2]);
    assert_eq!(note(1, 6, 2), [3, 1]);
    assert_eq!(note(1, 7, 0), [5, 6], "what was stored now stays");
    assert_eq!(variants.count(), 2);
}

#[test]
fn what_is_gone_does_not_count() {
    let variants = Variants::default();
    let there = RefCell::new(BTreeSet::new());
    let note = |family, key, most| {
        there.borrow_mut().insert(key);
        let stored = there.borrow().len();
        let dropped = variants.note((family, key), most, stored, |key| there.borrow().contains(&key));
        there.borrow_mut().retain(|key| !dropped.contains(key));
        dropped
    };
    for key in 1..=3 {
        assert!(note(1, key, 3).is_empty());
    }
    there.borrow_mut().remove(&1);
    there.borrow_mut().remove(&3);
    assert!(note(1, 4, 3).is_empty() && note(1, 5, 3).is_empty());
    assert_eq!(note(1, 6, 3), [2]);
    // Whatever leaves the store leaves this, too, sooner or later.
    for key in 100..10_000 {
        note(key, key, 3);
        there.borrow_mut().remove(&(key - 20));
        let stored = there.borrow().len();
        assert!(variants.count() <= stored + stored / 4 + FEW + 2, "{key}");
    }
}
