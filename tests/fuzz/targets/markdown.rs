//! Markdown to HTML with each set of extensions, and sanitised, once and again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use siteserver::config::split_front_matter;
use siteserver::extract::markdown::{Options, anchors, render};
use siteserver::extract::sanitise;
use siteserver_fuzz::{parts, sow};

fuzz_target!(init: sow("markdown"), |data: &[u8]| {
    let Some([text, html]) = parts(data) else { return };
    if let Ok(parts) = split_front_matter(text) {
        assert!(text.get(parts.body).is_some());
    }
    for options in [Options::common_mark(), Options::document(), Options::untrusted()] {
        let Ok(rendered) = render(text, &options, None) else { continue };
        assert_eq!(render(text, &options, None).map(|again| again.html).ok().as_ref(), Some(&rendered.html));
        drop(anchors(&rendered.html));
        assert_clean(&rendered.html);
    }
    assert_clean(html);
});

/// What is clean is not made cleaner.
fn assert_clean(html: &str) {
    let Some(clean) = sanitise(html) else { return };
    let again = sanitise(&clean);
    assert_eq!(again.as_deref().unwrap_or(&clean), clean);
}
