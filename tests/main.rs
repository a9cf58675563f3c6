//! The test binary: every behaviour that users rely on, each under a name of its own.
//!
//! `cargo test --test main` runs them all; any part of a name selects.

#![allow(clippy::print_stdout, reason = "a test says its seed, and why it is skipped")]
#![allow(clippy::panic, clippy::unwrap_used, clippy::string_slice, reason = "a test that panics is a test that fails")]

mod account;
mod adding;
mod blog;
mod bundle;
mod check;
mod cookbook;
mod dev;
mod documentation;
mod empty_root;
mod figures;
mod findings;
mod flows;
mod keys;
mod live;
mod manners;
mod memory;
mod migration;
mod mistakes;
mod new;
mod openapi;
mod quality;
mod reference;
mod reload;
mod review;
mod robust;
mod schema;
mod serve;
mod site_pages;
mod stranger;
mod support;
mod tidy;
mod trying;
mod tutorial;
mod upstream;
mod wire;

use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;

/// Counts what is asked of it, for the tests of memory.
#[global_allocator]
static MEMORY: &stats_alloc::StatsAlloc<std::alloc::System> = &stats_alloc::INSTRUMENTED_SYSTEM;

/// A test written in Rust: its name and its function. A panic is a failure.
pub(crate) type Case = (&'static str, fn());

/// Lists the functions of a module as tests named `module::function`.
#[macro_export]
macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        /// The tests of this module.
        pub(crate) const CASES: &[$crate::Case] = &[$((concat!(module_path!(), "::", stringify!($name)), $name)),+];
    };
}

#[expect(clippy::too_many_lines, reason = "the list of all tests, one group a line")]
fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let groups = [
        account::CASES,
        adding::CASES,
        blog::CASES,
        bundle::CASES,
        check::CASES,
        cookbook::CASES,
        dev::CASES,
        documentation::CASES,
        flows::admin::CASES,
        flows::agreement::CASES,
        flows::caching::CASES,
        flows::answers::CASES,
        flows::client::CASES,
        flows::codings::CASES,
        flows::conformance::CASES,
        flows::cookies::CASES,
        flows::crowds::CASES,
        flows::data::CASES,
        flows::documents::CASES,
        flows::anonymous::CASES,
        flows::apart::CASES,
        flows::asked::CASES,
        flows::browsers::CASES,
        flows::calls::CASES,
        flows::each::CASES,
        flows::explain::CASES,
        flows::faults::CASES,
        flows::files::CASES,
        flows::forms::CASES,
        flows::freshness::CASES,
        flows::graph::CASES,
        flows::hostile::CASES,
        flows::guards::CASES,
        flows::hour::CASES,
        flows::incidents::CASES,
        flows::identity::CASES,
        flows::inputs::CASES,
        flows::lists::CASES,
        flows::search::CASES,
        flows::machines::CASES,
        flows::journeys::CASES,
        flows::json::CASES,
        flows::kept::CASES,
        flows::languages::CASES,
        flows::methods::CASES,
        flows::neighbours::CASES,
        flows::origins::CASES,
        flows::outcomes::CASES,
        flows::personal::CASES,
        flows::policies::CASES,
        flows::proxy::CASES,
        flows::routing::CASES,
        flows::runaway::CASES,
        flows::secrets::CASES,
        flows::sharing::CASES,
        flows::smuggling::CASES,
        flows::spellings::CASES,
        flows::ssrf::CASES,
        flows::together::CASES,
        flows::tripwire::CASES,
        flows::unchanged::CASES,
        flows::variants::CASES,
        flows::versions::CASES,
        flows::visitors::CASES,
        empty_root::CASES,
        figures::CASES,
        findings::CASES,
        keys::CASES,
        live::CASES,
        manners::CASES,
        memory::CASES,
        migration::CASES,
        mistakes::CASES,
        new::CASES,
        openapi::CASES,
        quality::CASES,
        reference::CASES,
        reload::CASES,
        review::CASES,
        robust::CASES,
        schema::CASES,
        serve::CASES,
        site_pages::CASES,
        stranger::CASES,
        tidy::CASES,
        trying::CASES,
        tutorial::CASES,
        upstream::CASES,
        wire::bodies::CASES,
        wire::drain::CASES,
        wire::exchange::CASES,
        wire::listen::CASES,
        wire::malformed::CASES,
        wire::slow::CASES,
        wire::streams::CASES,
        wire::switch::CASES,
    ];
    let tests = groups.into_iter().flatten().map(|&(name, run)| {
        let name = name.strip_prefix("main::").unwrap_or(name);
        Trial::test(name, move || {
            run();
            Ok(())
        })
    });
    let tests = tests.chain(findings::trials()).collect();
    libtest_mimic::run(&arguments, tests).exit_code()
}
