//! A whole site, as an archive of its files: TOML to tree to findings, layouts and documents among them. It loads, or says why not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use siteserver::config::Environment;
use siteserver::site::{Memory, draft};
use siteserver_fuzz::{Folder, assert_places, parts, sow};

fuzz_target!(init: sow("config"), |data: &[u8]| {
    let Some([archive]) = parts(data) else { return };
    let folder = Folder::unpack(archive);
    let mut draft = draft(&folder.config(), &[], &Environment::default().lenient(), &Memory::default());
    siteserver::check::check(&mut draft);
    let loaded = draft.finish();
    assert!(loaded.site.is_some() || loaded.findings.has_errors());
    assert_places(&loaded.findings, &loaded.files);
});
