//! What is written of caches, key by key, each with its place: in the route, in what it inherits, or in the profile that it names.

use super::decl::{Decl, Directives, Freshness, ServerDecl};
use crate::config::format_duration;
use crate::diagnostic::{Place, Spanned};
use std::time::Duration;

/// A key of `[cache]` that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheSetting {
    /// Its name, from the route on: `cache.cdn.max-age`.
    pub name: &'static str,
    /// Its value as an author writes it.
    pub value: String,
    /// Where it was written.
    pub place: Place,
}

/// What directives say, below this table.
macro_rules! of_directives {
    ($settings:ident, $directives:expr, $table:literal) => {{
        let Directives {
            place: _,
            lost: _,
            public,
            private,
            no_store,
            no_cache,
            must_revalidate,
            no_transform,
            immutable,
            max_age,
            s_maxage,
            stale_while_revalidate,
            stale_if_error,
        } = $directives;
        $settings.flag(concat!($table, ".public"), *public);
        $settings.flag(concat!($table, ".private"), *private);
        $settings.flag(concat!($table, ".no-store"), *no_store);
        $settings.flag(concat!($table, ".no-cache"), *no_cache);
        $settings.flag(concat!($table, ".must-revalidate"), *must_revalidate);
        $settings.flag(concat!($table, ".no-transform"), *no_transform);
        $settings.flag(concat!($table, ".immutable"), *immutable);
        $settings.time(concat!($table, ".max-age"), *max_age);
        $settings.freshness(concat!($table, ".s-maxage"), *s_maxage);
        $settings.time(concat!($table, ".stale-while-revalidate"), *stale_while_revalidate);
        $settings.time(concat!($table, ".stale-if-error"), *stale_if_error);
    }};
}

/// All that a table says.
pub(super) fn of(decl: &Decl) -> Vec<CacheSetting> {
    let rules = &decl.rules;
    let mut settings = Settings(Vec::new());
    settings.text("cache.profile", decl.profile.as_ref());
    of_directives!(settings, &rules.directives, "cache");
    settings.time("cache.not-found", rules.not_found);
    settings.time("cache.degraded", rules.degraded);
    if let Some(variants) = rules.variants {
        settings.add("cache.variants", variants.value.to_string(), variants.place);
    }
    if let Some(tags) = rules.tags.as_deref()
        && let Some(first) = tags.first()
    {
        let written: Vec<String> = tags.iter().map(|tag| tag.value.as_written()).collect();
        settings.add("cache.tags", written.join(", "), first.place);
    }
    if let Some(server) = &rules.server {
        settings.of_server(server);
    }
    if let Some(cdn) = &rules.cdn {
        of_directives!(settings, &cdn.directives, "cache.cdn");
        settings.text("cache.cdn.tag-header", cdn.tag_header.as_ref());
    }
    settings.flag("cache.override", decl.overrides);
    settings.flag("cache.heuristic", decl.heuristic);
    settings.flag("cache.request-directives", decl.request_directives);
    settings.0
}

struct Settings(Vec<CacheSetting>);

impl Settings {
    fn add(&mut self, name: &'static str, value: String, place: Place) {
        self.0.push(CacheSetting { name, value, place });
    }

    fn flag(&mut self, name: &'static str, flag: Option<Spanned<bool>>) {
        if let Some(flag) = flag {
            self.add(name, flag.value.to_string(), flag.place);
        }
    }

    fn time(&mut self, name: &'static str, time: Option<Spanned<Duration>>) {
        if let Some(time) = time {
            self.add(name, format_duration(time.value), time.place);
        }
    }

    fn freshness(&mut self, name: &'static str, freshness: Option<Spanned<Freshness>>) {
        if let Some(freshness) = freshness {
            let value = match freshness.value {
                Freshness::For(time) => format_duration(time),
                Freshness::Auto => "auto".to_owned(),
            };
            self.add(name, value, freshness.place);
        }
    }

    fn text(&mut self, name: &'static str, text: Option<&Spanned<String>>) {
        if let Some(text) = text {
            self.add(name, text.value.clone(), text.place);
        }
    }

    fn of_server(&mut self, server: &ServerDecl) {
        let ServerDecl { place: _, lost: _, no_store, max_age, s_maxage, stale_while_revalidate, stale_if_error } =
            server;
        self.flag("cache.server.no-store", *no_store);
        self.time("cache.server.max-age", *max_age);
        self.freshness("cache.server.s-maxage", *s_maxage);
        self.time("cache.server.stale-while-revalidate", *stale_while_revalidate);
        self.time("cache.server.stale-if-error", *stale_if_error);
    }
}
