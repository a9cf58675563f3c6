//! Which route a target belongs to, by the host that it was sent to.
//!
//! A host is compared before any segment of the path: routes that name the host of a request go first, and what none of them claims is
//! for the routes that name none.

use crate::router::{Conflict, InputType, Match, Pattern, Router, Routing, TrailingSlash};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What the rest parameter of a route may stand for.
#[derive(Debug, Clone, Default)]
pub struct Held {
    /// Decoded, without a slash in front.
    pub names: Vec<String>,
    /// Whether versions of them are its URLs, too.
    pub has_versions: bool,
}

/// The routers of a site; routes are positions in its list.
#[derive(Debug)]
pub struct Routers {
    any: Router<usize>,
    /// Hosts in lower case, without a dot at their end.
    of_host: BTreeMap<Box<str>, Router<usize>>,
}

impl Routers {
    /// Without any route.
    pub fn new(slash: TrailingSlash) -> Self {
        Self { any: Router::new(slash), of_host: BTreeMap::new() }
    }

    /// Adds a route for `host`, or for every host. With `held` it has no more URLs than those below its rest parameter.
    pub fn insert(
        &mut self,
        host: Option<&str>,
        pattern: Pattern,
        held: Option<&Held>,
        route: usize,
    ) -> Result<(), Conflict<usize>> {
        let slash = self.slash();
        let router = match host {
            Some(host) => self.of_host.entry(host.into()).or_insert_with(|| Router::new(slash)),
            None => &mut self.any,
        };
        match held {
            Some(Held { names, has_versions: false }) => {
                router.insert_held(pattern, names.iter().map(String::as_str), route)
            }
            Some(Held { names, has_versions: true }) => {
                router.insert_files(pattern, names.iter().map(String::as_str), route)
            }
            None => router.insert(pattern, route),
        }
    }

    /// The route for every host that claims some URL of `pattern` with equal right.
    pub fn rival(&self, pattern: &Pattern) -> Option<usize> {
        self.any.rival(pattern).copied()
    }

    /// Where `target` leads at `host`.
    pub fn route<'t>(&self, host: Option<&str>, target: &'t str) -> Routing<'_, 't, usize> {
        let own = host.and_then(|host| self.of(host)).map(|router| router.route(target));
        own.filter(|found| !matches!(found, Routing::NotFound)).unwrap_or_else(|| self.any.route(target))
    }

    /// The route that `target` leads to at `host` if its path is read as it was sent.
    pub fn route_as_sent<'t>(&self, host: Option<&str>, target: &'t str) -> Option<Match<'_, 't, usize>> {
        let own = host.and_then(|host| self.of(host)).and_then(|router| router.route_as_sent(target));
        own.or_else(|| self.any.route_as_sent(target))
    }

    /// Why `target` is a misfit at `host`: the parameters whose values do not fit, and their types.
    pub fn misfits(&self, host: Option<&str>, target: &str) -> Vec<(&str, String, &InputType)> {
        let own = host.and_then(|host| self.of(host)).map(|router| router.misfits(target));
        own.filter(|found| !found.is_empty()).unwrap_or_else(|| self.any.misfits(target))
    }

    fn of(&self, host: &str) -> Option<&Router<usize>> {
        if self.of_host.is_empty() {
            return None;
        }
        let is_lower = !host.bytes().any(|byte| byte.is_ascii_uppercase());
        let host = if is_lower { Cow::Borrowed(host) } else { Cow::Owned(host.to_ascii_lowercase()) };
        self.of_host.get(&*host)
    }

    /// The hosts that routes name.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.of_host.keys().map(|host| &**host)
    }

    /// All patterns, each with its route; those of no host first.
    pub fn patterns(&self) -> impl Iterator<Item = (&Pattern, usize)> {
        let all = std::iter::once(&self.any).chain(self.of_host.values());
        all.flat_map(Router::patterns).map(|(pattern, &route)| (pattern, route))
    }

    /// Whether canonical paths end in a slash.
    pub fn slash(&self) -> TrailingSlash {
        self.any.slash()
    }
}
