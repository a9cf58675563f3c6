//! Programs that are not ours, and that some tests need.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Says that a test is skipped because a tool is missing. `script/test`, which installs it, sets `SITESERVER_TOOLS` to `required`: there the
/// test fails, so that nobody takes what was left out for proven.
pub(crate) fn is_missing(tool: &str) {
    let is_required = std::env::var_os("SITESERVER_TOOLS").is_some_and(|word| word == "required");
    assert!(!is_required, "needs {tool}: install it, or leave this out with SITESERVER_TOOLS=optional");
    println!("skipped: needs {tool}");
}

/// The name of the browser, if there is one.
pub(crate) fn chromium() -> Option<&'static str> {
    let works =
        |name: &&str| Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find(works)
}

/// Where a program of this name is.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(|file| file.is_file())
}
