//! A selector on a document: refused at a place of it, or evaluated within its bound and alike whichever way it is asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use siteserver::extract::{Budget, LONGEST_SELECTOR, Selector};
use siteserver::value::{JsonLimits, Value, parse_json};
use siteserver_fuzz::{parts, sow};

fuzz_target!(init: sow("jsonpath"), |data: &[u8]| {
    let Some([text, document]) = parts(data) else { return };
    let selector = match Selector::compile(text) {
        Ok(selector) => selector,
        Err(error) => return assert!(text.get(error.range).is_some() && !error.message.is_empty()),
    };
    let Ok(document) = parse_json(document, JsonLimits::default()) else { return };
    let Ok(located) = selector.all_with_paths(&document, &Budget::default()) else { return };
    let values: Vec<&Value> = located.iter().map(|(_, value)| *value).collect();
    assert_eq!(selector.all(&document, &Budget::default()).as_ref(), Ok(&values));
    assert_eq!(selector.first(&document, &Budget::default()), Ok(values.first().copied()));
    for (path, value) in located.iter().take(50).filter(|(path, _)| path.len() <= LONGEST_SELECTOR) {
        let found = Selector::compile(path).expect("a normalized path is a selector");
        assert_eq!(found.all_with_paths(&document, &Budget::default()), Ok(vec![(path.clone(), *value)]));
    }
});
