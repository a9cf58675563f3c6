//! HTML from outside to HTML that can stand in a page.
//!
//! What is safe is decided by `ammonia`, which parses as browsers do and writes again what its lists allow. The work of such a
//! parser grows with the square of nesting and of attributes, so [`tame`] goes before it: one linear pass that leaves shallow,
//! balanced markup.

mod tame;

use crate::highlight::Class;
use ammonia::url::ParseError;
use ammonia::{Builder, Url, UrlRelative};
use memchr::memchr3_iter;
use std::borrow::Cow;
use std::sync::LazyLock;

/// The longest HTML that is sanitised, in bytes.
pub const LONGEST_HTML: usize = 2 << 20;

/// Ids from outside must carry this, so that none takes the place of a page's own.
pub(super) const FOREIGN_ID: &str = "user-content-";

/// Schemes that an address may have; one without a scheme is relative, and fine.
const SCHEMES: [&str; 5] = ["http", "https", "mailto", "tel", "sms"];

/// The classes that our own Markdown writes.
const CLASSES: &[&str] = &[
    "footnotes",
    "footnote-ref",
    "footnote-backref",
    "markdown-alert",
    "markdown-alert-note",
    "markdown-alert-tip",
    "markdown-alert-important",
    "markdown-alert-warning",
    "markdown-alert-caution",
    "markdown-alert-title",
    "highlight",
];

static ALLOWED: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut allowed = Builder::default();
    allowed
        .add_tags(["section", "input"])
        .add_generic_attributes(["class", "id", "dir", "aria-label"])
        .add_tag_attributes("input", ["type", "checked", "disabled"])
        .add_tag_attributes("img", ["loading"])
        .add_tag_attributes("pre", ["tabindex"])
        .url_schemes(SCHEMES.into())
        .url_relative(UrlRelative::PassThrough)
        .attribute_filter(|_, attribute, value| match attribute {
            "class" => classes(value),
            // As our own Markdown writes it: nothing comes before the page's own.
            "tabindex" => (value == "0").then_some(value.into()),
            // No browser follows it, but scripts of a page may.
            "cite" => is_address(value).then_some(value.into()),
            "id" => value.starts_with(FOREIGN_ID).then_some(value.into()),
            _ => Some(value.into()),
        });
    allowed
});

/// `html` with only what is safe in any page, and well-formed in XML, too; `None` if it is longer than [`LONGEST_HTML`].
#[must_use]
pub fn sanitise(html: &str) -> Option<String> {
    (html.len() <= LONGEST_HTML).then(|| for_xml_too(&ALLOWED.clean(&tame::tame(html)).to_string()))
}

/// The one reference by name that is written from a tree, and that XML does not know.
const NO_BREAK_SPACE: &str = "&nbsp;";

/// `html`, which was written from a tree, in the syntax that HTML shares with XML: elements that hold nothing are closed, and no reference
/// has a name that XML does not know. All else is alike in both: quotes, end tags, and no `<` or `>` that belongs to no tag.
fn for_xml_too(html: &str) -> String {
    let (mut out, mut copied, mut is_void) = (String::with_capacity(html.len()), 0, false);
    for at in memchr3_iter(b'<', b'>', b'&', html.as_bytes()) {
        let rest = html.get(at..).unwrap_or_default();
        if rest.starts_with('<') {
            is_void = tame::is_void(rest);
        }
        let (length, replacement) = if is_void && rest.starts_with('>') {
            (0, " /")
        } else if rest.starts_with(NO_BREAK_SPACE) {
            (NO_BREAK_SPACE.len(), "&#160;")
        } else {
            continue;
        };
        out.push_str(html.get(copied..at).unwrap_or_default());
        out.push_str(replacement);
        copied = at + length;
    }
    out.push_str(html.get(copied..).unwrap_or_default());
    out
}

/// Whether this is an address that runs nothing, as browsers read it.
fn is_address(text: &str) -> bool {
    match Url::parse(text) {
        Ok(url) => SCHEMES.contains(&url.scheme()),
        Err(error) => error == ParseError::RelativeUrlWithoutBase,
    }
}

fn classes(value: &str) -> Option<Cow<'_, str>> {
    let known = |class: &&str| {
        CLASSES.contains(class)
            || class.strip_prefix("language-").is_some_and(is_word)
            || Class::ALL.iter().any(|token| token.name() == *class)
    };
    let kept: Vec<_> = value.split_ascii_whitespace().filter(known).collect();
    (!kept.is_empty()).then(|| kept.join(" ").into())
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+' | b'#' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_safe_stays_and_what_is_not_goes() {
        for (html, expected) in [
            ("plain & simple", "plain &amp; simple"),
            ("a < b > c", "a &lt; b &gt; c"),
            ("&lt;b&gt; &eacute;", "&lt;b&gt; é"),
            ("<p>a<br>b</p>", "<p>a<br />b</p>"),
            ("a&nbsp;b \u{a0} &amp;nbsp; &rarr;", "a&#160;b &#160; &amp;nbsp; →"),
            ("<hr><wbr><col><p title='a>b&nbsp;'>", "<hr /><wbr /><p title=\"a&gt;b&#160;\"></p>"),
            ("<a href='sms:+49301'>a</a>", "<a href=\"sms:+49301\" rel=\"noopener noreferrer\">a</a>"),
            ("<q cite='javascript:alert(1)'>a</q>", "<q>a</q>"),
            ("<blockquote cite=' &#106;ava\nscript:alert(1)'>a</blockquote>", "<blockquote>a</blockquote>"),
            ("<del cite='data:text/html,x'>a</del><ins cite='http://[x'>b</ins>", "<del>a</del><ins>b</ins>"),
            (
                "<ins cite='https://a.example/'>a</ins><q cite='/a:b'>b</q>",
                "<ins cite=\"https://a.example/\">a</ins><q cite=\"/a:b\">b</q>",
            ),
            ("<a href='a' ping='b' longdesc='c'>a</a>", "<a href=\"a\" rel=\"noopener noreferrer\">a</a>"),
            ("<img src='a' srcset='b' usemap='#c' longdesc='d'>", "<img src=\"a\" />"),
            ("<table background='a'><tr><td background='b'>c", "<table><tbody><tr><td>c</td></tr></tbody></table>"),
            ("<p>a<p>b", "<p>a</p><p>b</p>"),
            ("<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"),
            ("<P CLASS='x language-rust'>a</P>", "<p class=\"language-rust\">a</p>"),
            ("<pre tabindex=0>a</pre>", "<pre tabindex=\"0\">a</pre>"),
            ("<pre tabindex=1>a</pre><p tabindex=0>b", "<pre>a</pre><p>b</p>"),
            ("<b>a<i>b</b>c</i>", "<b>a<i>b</i></b>c"),
            ("<script>alert(1)</script>b", "b"),
            ("<SCRIPT >alert(1)</ScRiPt >b", "b"),
            ("<style>p{}</style><title>t</title>b", "b"),
            ("<script>never closed", ""),
            ("<!-- a --><!doctype html><?php x ?>b", "b"),
            ("<!--><b>a</b>-->", "<b>a</b>--&gt;"),
            ("<a onclick=\"x\" href=\"/a\">a</a>", "<a href=\"/a\" rel=\"noopener noreferrer\">a</a>"),
            ("<a href=\"javascript:alert(1)\">a</a>", "<a rel=\"noopener noreferrer\">a</a>"),
            ("<a href=' &#106;avascript:alert(1)'>a</a>", "<a rel=\"noopener noreferrer\">a</a>"),
            ("<a href=java&#10;script:alert(1)>a</a>", "<a rel=\"noopener noreferrer\">a</a>"),
            ("<a href='data:text/html,x'>a</a>", "<a rel=\"noopener noreferrer\">a</a>"),
            (
                "<a href=\"mailto:a@b.example\">a</a>",
                "<a href=\"mailto:a@b.example\" rel=\"noopener noreferrer\">a</a>",
            ),
            ("<img src=x onerror=alert(1)>", "<img src=\"x\" />"),
            (
                "<img src=\"a\" alt='\"><script>x</script>'>",
                "<img src=\"a\" alt=\"&quot;&gt;&lt;script&gt;x&lt;/script&gt;\" />",
            ),
            ("<svg><p><style><g title=\"</style><img src=x onerror=alert(1)>\"></svg>", ""),
            (
                "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
                "",
            ),
            (
                "<iframe src=x></iframe><object data=x></object><form><input name=q></form>",
                "<input type=\"checkbox\" disabled=\"\" aria-label=\"Done\" />",
            ),
            ("<p style=\"position:fixed\">a</p>", "<p>a</p>"),
            ("<p id=\"main\">a</p><p id=\"user-content-a\">b</p>", "<p>a</p><p id=\"user-content-a\">b</p>"),
            ("</p></div>a", "a"),
            ("<b", ""),
            ("<a href=\"x", ""),
        ] {
            let clean = sanitise(html).unwrap();
            assert_eq!(clean, expected, "{html}");
        }
    }

    #[test]
    fn depth_and_attributes_are_bounded() {
        let depth = sanitise(&"<div>".repeat(100_000)).unwrap();
        assert!(depth.matches("<div>").count() < 100);
        assert!(sanitise(&"<b><i><p>".repeat(50_000)).unwrap().len() < 100_000);
        let attributes =
            format!("<p {}>a</p>", (0..100_000).map(|n| format!("a{n}='>' ")).collect::<Vec<_>>().concat());
        assert_eq!(sanitise(&attributes).unwrap(), "<p>a</p>");
        let same = format!("<p {}>a</p>", "title=x ".repeat(100_000));
        assert_eq!(sanitise(&same).unwrap(), "<p title=\"x\">a</p>");
        assert_eq!(sanitise(&"x".repeat(LONGEST_HTML + 1)), None);
    }

    #[test]
    fn what_is_nested_too_deep_keeps_its_text_and_its_surroundings() {
        let html = format!("{}deep{}<p>after</p>", "<div>".repeat(500), "</div>".repeat(500));
        let clean = sanitise(&html).unwrap();
        assert!(clean.contains("deep") && clean.ends_with("</div><p>after</p>"), "{clean}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

        #[test]
        fn sanitised_html_holds_nothing_that_runs(parts in prop::collection::vec(prop::sample::select(vec![
            "<script>", "</script>", "<p>", "</p>", "<a href=", "\"", "'", ">", "<", "javascript:", "x", " ", "=", "onclick=",
            "<img src=", "<svg>", "</svg>", "<style>", "</style>", "<!--", "-->", "<title>", "</title>", "&lt;", "/", "<b ",
            "<table>", "<td>", "</table>", "<textarea>", "<noscript>", "<template>", "<math>", "<select>", "\0", "<input ", "<br>",
            "&nbsp;", "\u{a0}", "<q cite=",
        ]), 0..30)) {
            let clean = sanitise(&parts.concat()).unwrap();
            // In what is left, every `<` begins a tag and every `>` ends one, since text and attribute values are escaped.
            for tag in clean.split('<').skip(1) {
                let tag = tag.split('>').next().unwrap();
                let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
                prop_assert!(["p", "a", "b", "br", "img", "q", "table", "tbody", "tr", "td", "input"].contains(&name.as_str()), "{}", clean);
                prop_assert!(!tag.contains("=\"javascript:"), "{}", clean);
                let unquoted: String = tag.split('"').step_by(2).collect();
                prop_assert!(!unquoted.contains("onclick"), "{}", clean);
            }
            let mut reader = quick_xml::Reader::from_str(&clean);
            reader.config_mut().check_end_names = true;
            loop {
                match reader.read_event() {
                    Ok(quick_xml::events::Event::Eof) => break,
                    Ok(quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag)) => {
                        for attribute in tag.attributes() {
                            prop_assert!(attribute.is_ok(), "{:?}: {}", attribute, clean);
                        }
                    }
                    Ok(_) => {}
                    Err(error) => prop_assert!(false, "{}: {}", error, clean),
                }
            }
            prop_assert_eq!(sanitise(&clean), Some(clean.clone()));
        }
    }
}
