//! Patterns and request targets: one canonical form of each, found again by what it was found with.
#![no_main]

use libfuzzer_sys::fuzz_target;
use siteserver::router::{Canonical, Pattern, Query, Router, Routing, TrailingSlash, canonicalise};
use siteserver_fuzz::{parts, sow};

/// So many patterns and targets of an input are used.
const MOST: usize = 40;

fuzz_target!(init: sow("path"), |data: &[u8]| {
    let Some([text]) = parts(data) else { return };
    let (patterns, targets) = text.split_once("\n\n").unwrap_or((text, text));
    for slash in [TrailingSlash::Never, TrailingSlash::Always] {
        let mut router = Router::new(slash);
        for (number, text) in patterns.lines().take(MOST).enumerate() {
            match Pattern::parse(text) {
                Ok(pattern) => router.insert(pattern, number).map_or_else(|conflict| assert!(conflict.other < number), drop),
                Err(errors) => assert!(!errors.is_empty() && errors.iter().all(|error| text.get(error.range.clone()).is_some())),
            }
        }
        for target in targets.lines().take(MOST) {
            one(&router, target);
        }
    }
});

fn one(router: &Router<usize>, target: &str) {
    if let Ok(canonical) = canonicalise(target, router.slash()) {
        let path = canonical.as_path();
        assert!(path.as_str().is_ascii() && path.as_str().starts_with('/') && !path.as_str().starts_with("//"));
        assert_eq!(canonicalise(path.as_str(), router.slash()), Ok(Canonical::Already(path)));
    }
    match router.route(target) {
        Routing::Matched(found) => {
            let values: Vec<_> = found.params.iter().collect();
            let value_of =
                |name: &str| values.iter().find(|(known, _, _)| *known == name).map(|(_, value, _)| &**value);
            let built = found.params.pattern().build(router.slash(), value_of);
            assert_eq!(built.as_ref().map(|built| built.as_path().as_str()), Some(found.path.as_str()), "{target}");
            for (name, _) in Query::new(found.query).pairs().take(100) {
                assert!(Query::new(found.query).first(&name).is_some(), "{target}: {name}");
            }
        }
        Routing::Redirect { location, route } => match router.route(&location) {
            Routing::Matched(found) => assert_eq!(found.route, route, "{target} to {location}"),
            _ => panic!("{target} is sent to {location}, which is not found"),
        },
        Routing::Misfit(_) | Routing::NotFound | Routing::Server | Routing::BadTarget => {}
    }
}
