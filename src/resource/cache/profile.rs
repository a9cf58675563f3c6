//! Policies by name: those that are built in, and those that a site declares.
//!
//! A profile is a table of keys like any other: a route's own are merged into it before anything is read of either, so that each setting
//! keeps the place where it was written. Which names there are is all that is known here.

use super::super::code;
use super::decl::{AUTO, ProfileDecl};
use crate::config::{Declared as _, Kind, Node, Rules, Table, Text, merge, wrong_type};
use crate::diagnostic::{Finding, Findings, Place, Spanned, did_you_mean};

/// The policies that need no declaration, with the time that a page is fresh and the time after that in which it is served while it is made
/// anew. They last as long as the profiles of these names in Next.js's `cacheLife`: until another attempt, and until the end.
pub(super) const BUILT_IN: [(&str, &str, &str); 6] = [
    ("seconds", "1s", "59s"),
    ("minutes", "1m", "59m"),
    ("hours", "1h", "23h"),
    ("days", "1d", "6d"),
    ("weeks", "7d", "23d"),
    ("max", "30d", "335d"),
];

/// The key of a route.
const CACHE: &str = "cache";
/// The key of a route below which its sources stand.
const SOURCES: &str = "sources";
/// What a source says that keeps what its upstream lets caches keep: no profile is called so.
const UPSTREAM: &str = "upstream";
/// The key within it.
const PROFILE: &str = "profile";

/// The policies that a site declares by name.
#[derive(Debug, Default)]
pub struct Profiles {
    declared: Vec<(String, Option<Table>)>,
    /// Whether there may be others, which could not be read.
    are_lost: bool,
}

impl Profiles {
    /// Those of `[cache-profiles]`; `false` takes away a built-in one.
    pub fn read<'d>(
        declared: impl IntoIterator<Item = &'d (Spanned<String>, Node)>,
        are_lost: bool,
        findings: &mut Findings,
    ) -> Self {
        let mut profiles = Self { declared: Vec::new(), are_lost };
        for (name, node) in declared {
            let table = node.as_table();
            match table {
                Some(table) => {
                    let decl = ProfileDecl::read(table, findings);
                    super::Policy::of_profile(&decl, findings);
                }
                None if node.is_false() => {}
                None => {
                    findings.push(wrong_type(node, "a table"));
                    profiles.are_lost = true;
                    continue;
                }
            }
            profiles.declared.push((name.value.clone(), table.cloned()));
        }
        profiles
    }

    /// Puts the keys of the profiles that a route, or a section, names in their places, with those that it writes beside: its own, and those of its
    /// sources.
    pub fn expand(&self, route: &mut Table, findings: &mut Findings) {
        if let Some(Kind::Table(sources)) = route.node_mut(SOURCES).map(|node| &mut node.kind) {
            let names: Vec<String> = sources.iter().map(|entry| entry.key.value.clone()).collect();
            for name in names {
                if let Some(Kind::Table(source)) = sources.node_mut(&name).map(|node| &mut node.kind)
                    && let Some(kept) = source.node_mut(CACHE)
                {
                    self.expand_kept(kept, findings);
                }
            }
        }
        self.expand_own(route, findings);
    }

    /// The same of the `cache` of a source or an upstream, which takes the lifetimes of a profile and nothing else.
    pub fn expand_kept(&self, kept: &mut Node, findings: &mut Findings) {
        let own = kept.as_table();
        let named = own.map_or(Some(&*kept), |own| own.node(PROFILE));
        let Some((name, place)) = named.and_then(|named| Some((named.as_text()?.content.clone(), named.place))) else {
            return;
        };
        if own.is_none() && name == UPSTREAM {
            return;
        }
        let Some(profile) = self.table(&name, place) else {
            if !self.are_lost {
                findings.push(self.unknown(&name, place, Some(UPSTREAM).filter(|_| own.is_none())));
            }
            // Nothing is known of what would be kept.
            kept.kind = Kind::Bool(false);
            return;
        };
        let time = |key: &str| profile.node(key).filter(|node| node.as_text().is_some_and(|text| text.content != AUTO));
        let mut merged = Table::empty(kept.place);
        for (key, node) in [
            ("max-age", time("s-maxage").or_else(|| time("max-age"))),
            ("stale-while-revalidate", time("stale-while-revalidate")),
            ("stale-if-error", time("stale-if-error")),
            ("not-found", time("not-found")),
        ] {
            if let Some(node) = node {
                merged.insert(Spanned::new(key.to_owned(), node.place), node.clone());
            }
        }
        let mut written = own.cloned().unwrap_or_else(|| Table::empty(kept.place));
        written.insert(Spanned::new(PROFILE.to_owned(), place), text(&name, place));
        merge(&mut merged, &written, &Rules::default());
        kept.kind = Kind::Table(merged);
    }

    fn expand_own(&self, route: &mut Table, findings: &mut Findings) {
        let Some(node) = route.node_mut(CACHE) else { return };
        let own = node.as_table();
        let named = own.map_or(Some(&*node), |own| own.node(PROFILE));
        let Some((name, place)) = named.and_then(|named| Some((named.as_text()?.content.clone(), named.place))) else {
            return;
        };
        let Some(mut merged) = self.table(&name, place) else {
            if !self.are_lost {
                findings.push(self.unknown(&name, place, None));
            }
            // Nothing is known of the policy.
            route.remove(CACHE);
            return;
        };
        let mut written = own.cloned().unwrap_or_else(|| Table::empty(node.place));
        written.insert(Spanned::new(PROFILE.to_owned(), place), text(&name, place));
        merge(&mut merged, &written, &Rules::default());
        node.kind = Kind::Table(merged);
    }

    /// The keys of the profile `name`; those that are built in stand where it is named.
    fn table(&self, name: &str, place: Place) -> Option<Table> {
        if let Some((_, declared)) = self.declared.iter().find(|(declared, _)| declared == name) {
            return declared.clone();
        }
        let (_, fresh, stale) = BUILT_IN.iter().find(|(built_in, ..)| *built_in == name)?;
        let mut table = Table::empty(place);
        for (key, value) in [("s-maxage", fresh), ("stale-while-revalidate", stale)] {
            table.insert(Spanned::new(key.to_owned(), place), text(value, place));
        }
        Some(table)
    }

    fn unknown(&self, name: &str, place: Place, other: Option<&'static str>) -> Finding {
        let declared = self.declared.iter();
        let is_there = |name: &str| self.table(name, place).is_some();
        let names = declared.map(|(name, _)| name.as_str()).chain(BUILT_IN.iter().map(|(name, ..)| *name));
        let mut names: Vec<&str> = names.filter(|name| is_there(name)).collect();
        names.sort_unstable();
        names.dedup();
        let help = did_you_mean(name, names.iter().copied().chain(other)).unwrap_or_else(|| {
            format!("there are {}; declare it: [cache-profiles.{name}]", crate::config::list(&names))
        });
        Finding::new(&code::UNKNOWN_PROFILE, place, format!("there is no cache profile `{name}`")).help(help)
    }
}

fn text(content: &str, place: Place) -> Node {
    Node { kind: Kind::String(Text { content: content.to_owned(), inner: place, literal: true }), place }
}
