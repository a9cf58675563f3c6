//! Markup whose tags were exchanged, with its elements closed again: what was whole before must not end or swallow what stands
//! around it because one tag of a pair was there and the other was not.
//!
//! It closes what is open at the end and leaves out end tags of what is not open. How elements may stand within each other it does
//! not know.

use super::foreign::VOID;
use super::markup::{RAW_ELEMENTS, Sight, Tracker};

/// Elements within elements; deeper markup is none.
const DEEPEST: usize = 256;

/// Elements that end where the next of their kind begins, if they are not ended before.
const OPTIONAL: [&str; 9] = ["dd", "dt", "li", "option", "p", "rb", "td", "th", "tr"];

/// `text` with as many end tags as it needs; nothing if it does not end between tags, or is too deep.
pub(in super::super) fn balanced(text: &str) -> Option<String> {
    let mut tracker = Tracker::html();
    let mut out = String::with_capacity(text.len() + 16);
    let mut open: Vec<String> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if !(tracker.sight() == Sight::Text && rest.starts_with('<')) {
            let length = tracker.step(rest.as_bytes());
            let (taken, after) = rest.split_at_checked(length)?;
            out.push_str(taken);
            rest = after;
            continue;
        }
        // A tag, with the content of an element whose content is no markup; or a comment, or a text.
        let mut length = tracker.step(rest.as_bytes());
        while tracker.sight() != Sight::Text && length < rest.len() {
            length += tracker.step(rest.as_bytes().get(length..)?);
        }
        let (tag, after) = rest.split_at_checked(length)?;
        rest = after;
        if is_kept(tag, &mut open) {
            out.push_str(tag);
        }
        if open.len() > DEEPEST {
            return None;
        }
    }
    if tracker.sight() != Sight::Text {
        return None;
    }
    for name in open.iter().rev() {
        out.push_str("</");
        out.push_str(name);
        out.push('>');
    }
    Some(out)
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

/// Whether a tag stays; what is open after it.
fn is_kept(tag: &str, open: &mut Vec<String>) -> bool {
    let is_end = tag.starts_with("</");
    let name = tag.trim_start_matches(['<', '/']);
    let name = name.split(|character: char| character.is_ascii_whitespace() || matches!(character, '/' | '>'));
    let name = name.into_iter().next().unwrap_or_default().to_ascii_lowercase();
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) || VOID.contains(&name.as_str()) {
        return true;
    }
    // The whole element, from its start tag to its end.
    if !is_end && RAW_ELEMENTS.contains(&name.as_str()) {
        return true;
    }
    if is_end {
        let found = open.iter().rposition(|open| *open == name);
        if let Some(at) = found {
            open.truncate(at);
        }
        return found.is_some();
    }
    if OPTIONAL.contains(&name.as_str()) && open.last() == Some(&name) {
        open.pop();
    }
    // In HTML no other element closes itself; in a drawing it is closed once more at the end, which is nothing.
    if !tag.ends_with("/>") {
        open.push(name);
    }
    true
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
            ("<div><b>x</div></b>", "<div><b>x</div>"),
            ("<br>a<hr/>b</br>", "<br>a<hr/>b</br>"),
            ("<ul><li>a<li>b</ul>", "<ul><li>a<li>b</ul>"),
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
