//! `siteserver` serves a whole web site from declarations: TOML routes, Liquid layouts, Markdown, and data fetched at request time.
//!
//! # Map
//!
//! Modules are floors. Imports point down only, and modules on one floor do not know each other; `tests/tidy.rs` holds this.
//!
//! | Floor | Modules |
//! |---|---|
//! | 10 | [`cli`]: commands; arguments and environment enter here |
//! | 9 | [`dev`]: the site while it is developed: live reload, findings and data in the browser |
//! | 8 | [`server`]: sockets, the current site, reload, drain |
//! | 7 | [`handler`]: one request; [`check`]: findings on a site; [`report`]: views of a site |
//! | 6 | [`site`]: compiled, linked, analysed, immutable |
//! | 5 | [`resource`]: kinds of route |
//! | 4 | [`source`]: kinds of data source |
//! | 3 | [`router`], [`submission`], [`upstream`], [`extract`], [`render`], [`search`], [`cache`], [`identity`] |
//! | 2 | [`config`]: files and TOML to spanned tables, scalars, merging; [`explanation`]: what would become of a request |
//! | 1 | [`diagnostic`]: findings; [`fields`]: HTTP header fields; [`highlight`]: colours for code; [`starter`]: sites to begin with |
//! | 0 | [`value`]: data with its origin |

#![cfg_attr(
    test,
    allow(
        unreachable_pub,
        clippy::string_slice,
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test that panics is a test that fails"
    )
)]

pub mod cache;
pub mod check;
pub mod cli;
pub mod config;
pub mod dev;
pub mod diagnostic;
pub mod explanation;
pub mod extract;
pub mod fields;
pub mod handler;
pub mod highlight;
pub mod identity;
pub mod render;
pub mod report;
pub mod resource;
pub mod router;
pub mod search;
pub mod server;
pub mod site;
pub mod source;
pub mod starter;
pub mod submission;
pub mod upstream;
pub mod value;
