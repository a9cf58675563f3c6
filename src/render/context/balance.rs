//! Markup whose tags were exchanged, with its elements closed again: what was whole before must not end or swallow what stands
//! around it because one tag of a pair was there and the other was not.
//!
//! It closes what is open at the end and leaves out end tags of what is not open. How elements may stand within each other it does
//! not know.

use super::foreign::VOID;
use super::markup::{Sight, Tracker};

/// Elements within elements; deeper markup is none.
const DEEPEST: usize = 256;

/// Elements that end where the next of their kind begins, if they are not ended before.
const OPTIONAL: [&str; 9] = ["dd", "dt", "li", "option", "p", "rb", "td", "th", "tr"];

/// Elements before which a paragraph ends.
const ENDING_PARAGRAPHS: [&str; 40] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "li",
    "listing",
    "main",
    "menu",
    "nav",
    "ol",
    "p",
    "plaintext",
    "pre",
    "search",
    "section",
    "summary",
    "table",
    "ul",
    "xmp",
];

/// Elements within which the end of a paragraph around them is none of its own.
const HOLDING_PARAGRAPHS: [&str; 12] = [
    "applet",
    "button",
    "caption",
    "foreignobject",
    "html",
    "marquee",
    "object",
    "svg",
    "table",
    "td",
    "template",
    "th",
];

/// `text` with as many end tags as it needs; nothing if it does not end between tags, or is too deep.
pub(in super::super) fn balanced(text: &str) -> Option<String> {
    let mut tracker = Tracker::html();
    let mut elements = Elements { out: String::with_capacity(text.len() + 16), ..Elements::default() };
    let mut rest = text;
    while !rest.is_empty() {
        let mut length = tracker.step(rest.as_bytes());
        if !rest.starts_with('<') {
            let (taken, after) = rest.split_at_checked(length)?;
            elements.out.push_str(taken);
            rest = after;
            continue;
        }
        // A tag, with the content of an element whose content is no markup; or a comment, or a text.
        let name = name_of(rest);
        let (mut is_whole, may_close) = (false, tracker.closes_itself(&name));
        while tracker.sight() != Sight::Text && length < rest.len() {
            length += tracker.step(rest.as_bytes().get(length..)?);
            is_whole |= tracker.sight() == Sight::Raw;
        }
        let (tag, after) = rest.split_at_checked(length)?;
        rest = after;
        elements.take(tag, &name, is_whole, may_close && tag.ends_with("/>"));
        if elements.open.len() > DEEPEST {
            return None;
        }
    }
    if tracker.sight() != Sight::Text {
        return None;
    }
    while let Some(name) = elements.open.pop() {
        elements.end(&name);
    }
    Some(elements.out)
}

/// `text` with a `<br />` before each line break between its tags; within a tag it would be a part of a value.
pub(in super::super) fn with_breaks(text: &str) -> String {
    let mut tracker = Tracker::html();
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut rest = text;
    while !rest.is_empty() {
        let is_text = tracker.sight() == Sight::Text;
        let length = tracker.step(rest.as_bytes()).clamp(1, rest.len());
        let (taken, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if is_text {
            out.push_str(&taken.replace("\r\n", "\n").replace('\n', "<br />\n"));
        } else {
            out.push_str(taken);
        }
        rest = after;
    }
    out
}

/// What is open, and what is written.
#[derive(Default)]
struct Elements {
    open: Vec<String>,
    out: String,
}

impl Elements {
    fn end(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    /// Takes a tag or a comment; `is_whole` if it is an element with its content and its end, and `closes_itself` if a `/` does that.
    fn take(&mut self, tag: &str, name: &str, is_whole: bool, closes_itself: bool) {
        if let Some(ended) = name.strip_prefix('/') {
            return self.close(tag, ended);
        }
        if name.is_empty() || is_whole || closes_itself || VOID.contains(&name) {
            return self.out.push_str(tag);
        }
        if OPTIONAL.contains(&name) && self.open.last().is_some_and(|open| open == name) {
            self.open.pop();
        }
        if ENDING_PARAGRAPHS.contains(&name) {
            let around = self.open.iter().rposition(|open| HOLDING_PARAGRAPHS.contains(&open.as_str()));
            let paragraph = self.open.iter().rposition(|open| open == "p");
            if let Some(at) = paragraph.filter(|at| around.is_none_or(|around| around < *at)) {
                self.open.remove(at);
            }
        }
        self.out.push_str(tag);
        self.open.push(name.to_owned());
    }

    /// Takes an end tag, if it ends something. What is open within that ends before, in words: browsers begin it again otherwise, as a
    /// `<b>`, or do not take the end for one.
    fn close(&mut self, tag: &str, name: &str) {
        if VOID.contains(&name) {
            return self.out.push_str(tag);
        }
        let Some(at) = self.open.iter().rposition(|open| open == name) else { return };
        for inner in self.open.split_off(at).into_iter().skip(1).rev() {
            self.end(&inner);
        }
        self.out.push_str(tag);
    }
}

/// The name of a tag in lower case, with a `/` before it if it ends an element; nothing for what is no tag.
fn name_of(tag: &str) -> String {
    let name = tag.strip_prefix('<').unwrap_or(tag);
    let (slash, bare) = name.strip_prefix('/').map_or(("", name), |bare| ("/", bare));
    if !bare.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return String::new();
    }
    let end = bare.find(|character: char| character.is_ascii_whitespace() || matches!(character, '/' | '>'));
    let bare = bare.get(..end.unwrap_or(bare.len())).unwrap_or("");
    format!("{slash}{}", bare.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lost_its_start_or_its_end_is_whole_again() {
        for (text, expected) in [
            ("", ""),
            ("a < b", "a < b"),
            ("<p>x</p>", "<p>x</p>"),
            ("<p title='</p>'>x", "<p title='</p>'>x</p>"),
            ("x</p>", "x"),
            ("<div><table></table>", "<div><table></table></div>"),
            ("<div><table></table></div> y</div></div>", "<div><table></table></div> y"),
            ("<div><b>x</div></b>", "<div><b>x</b></div>"),
            ("<div><b>x</div>", "<div><b>x</b></div>"),
            ("<span><p>x</span>", "<span><p>x</p></span>"),
            ("<p>a<ul><li>b</ul>", "<p>a<ul><li>b</li></ul>"),
            ("<div/>x", "<div/>x</div>"),
            ("<svg><title>a</title><path/></svg>b", "<svg><title>a</title><path/></svg>b"),
            ("<svg><style>a</style><g/></svg>b", "<svg><style>a</style><g/></svg>b"),
            ("<svg/>a", "<svg/>a"),
            ("<br>a<hr/>b</br>", "<br>a<hr/>b</br>"),
            ("<ul><li>a<li>b</ul>", "<ul><li>a<li>b</li></ul>"),
            ("<P>x", "<P>x</p>"),
            ("<script>'</p><p>'</script>x</script>", "<script>'</p><p>'</script>x"),
            ("<!-- <p> -->x", "<!-- <p> -->x"),
            ("<svg><path d=''/></svg></g>", "<svg><path d=''/></svg>"),
        ] {
            assert_eq!(balanced(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["<p", "<p title='", "<script>", "<!-- "] {
            assert_eq!(balanced(text), None, "{text}");
        }
        assert_eq!(balanced(&"<b>".repeat(DEEPEST + 1)), None);
    }
}
