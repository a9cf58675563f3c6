//! Programs that are not ours, and that some tests need.

/// Says that a test is skipped because a tool is missing. `script/test`, which installs it, sets `SITESERVER_TOOLS` to `required`: there the
/// test fails, so that nobody takes what was left out for proven.
pub(crate) fn is_missing(tool: &str) {
    let is_required = std::env::var_os("SITESERVER_TOOLS").is_some_and(|word| word == "required");
    assert!(!is_required, "needs {tool}: install it, or leave this out with SITESERVER_TOOLS=optional");
    println!("skipped: needs {tool}");
}
