//! A page's HTML as what readers see: passages, each below a heading.
//!
//! HTML is not understood here as browsers do, only taken apart: what is wrong with it may put words into the wrong passage, and nothing
//! else. Scripts and styles are no text; what stands in `pre` is code.

use memchr::memchr;
use std::ops::Range;

/// The text below one heading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passage {
    /// What a fragment of the page's URL names; empty at the top of the page, and where the heading has no id.
    pub anchor: String,
    /// The heading's text; empty at the top of the page.
    pub heading: String,
    /// The text. Blocks are lines; within code, lines are.
    pub text: String,
    /// The bytes of the text that are code.
    pub code: Vec<Range<usize>>,
}

/// Elements that stand within a line. All others end it.
const INLINE: &[&str] = &[
    "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins", "kbd",
    "label", "mark", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time",
    "tt", "u", "var", "wbr",
];

/// Elements whose content nobody reads.
const UNREAD: &[&str] = &["script", "style", "template", "svg", "iframe", "noscript", "textarea", "select"];

/// The passages of a page, the first of which is what stands before any heading but the page's own.
#[must_use]
pub fn passages(html: &str) -> Vec<Passage> {
    let mut reader = Reader { done: Vec::new(), open: Passage::default(), heading: None, code: None };
    let mut rest = html;
    while let Some(at) = memchr(b'<', rest.as_bytes()) {
        reader.text(rest.get(..at).unwrap_or_default());
        let after = rest.get(at + 1..).unwrap_or_default();
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.find("-->").and_then(|end| comment.get(end + 3..)).unwrap_or_default();
            continue;
        }
        let is_tag = after.starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '/' | '!' | '?'));
        if !is_tag {
            reader.text("<");
            rest = after;
            continue;
        }
        let end = end_of_tag(after);
        let tag = after.get(..end).unwrap_or_default();
        rest = after.get(end + 1..).unwrap_or_default();
        let (is_end, named) = match tag.strip_prefix('/') {
            Some(named) => (true, named),
            None => (false, tag),
        };
        let length = named.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(named.len());
        let (name, attributes) = named.split_at_checked(length).unwrap_or_default();
        let name = name.to_ascii_lowercase();
        if UNREAD.contains(&name.as_str()) && !is_end {
            rest = after_element(rest, &name);
            continue;
        }
        reader.tag(&name, is_end, attributes);
    }
    reader.text(rest);
    reader.finish()
}

/// Where a tag ends, quotes observed.
fn end_of_tag(tag: &str) -> usize {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    tag.len()
}

/// What follows the end of the element `name`, whose start was read.
fn after_element<'h>(html: &'h str, name: &str) -> &'h str {
    let mut rest = html;
    while let Some(at) = memchr(b'<', rest.as_bytes()) {
        rest = rest.get(at + 1..).unwrap_or_default();
        let is_end = rest.strip_prefix('/').and_then(|rest| rest.get(..name.len()));
        if is_end.is_some_and(|end| end.eq_ignore_ascii_case(name)) {
            return rest.get(end_of_tag(rest) + 1..).unwrap_or_default();
        }
    }
    ""
}

/// The value of an attribute.
fn attribute(name: &str, attributes: &str) -> Option<String> {
    let mut rest = attributes;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        let end = rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '/')).unwrap_or(rest.len());
        if rest.is_empty() {
            return None;
        }
        // An equals sign without a name is skipped.
        let (found, after) = rest.split_at_checked(end.max(1))?;
        let value = after.trim_start();
        let (value, after) = match value.strip_prefix('=').map(str::trim_start) {
            None => ("", after),
            Some(value) => match value.chars().next().filter(|first| matches!(first, '"' | '\'')) {
                Some(quote) => {
                    let value = value.get(1..).unwrap_or_default();
                    value.split_once(quote).unwrap_or((value, ""))
                }
                None => {
                    let end = value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len());
                    value.split_at_checked(end)?
                }
            },
        };
        if found.eq_ignore_ascii_case(name) {
            let mut decoded = String::new();
            decode(value, |part| decoded.push_str(part));
            return Some(decoded);
        }
        rest = after;
    }
}

/// Tells the parts of a text with its character references read. Those by other names are left as they are.
fn decode(text: &str, mut part: impl FnMut(&str)) {
    let mut rest = text;
    while let Some(at) = memchr(b'&', rest.as_bytes()) {
        part(rest.get(..at).unwrap_or_default());
        let after = rest.get(at..).unwrap_or_default();
        let reference = after.get(1..).and_then(|after| after.bytes().take(10).position(|byte| byte == b';'));
        let character = reference.and_then(|end| after.get(1..=end)).and_then(character);
        match (character, reference) {
            (Some(character), Some(end)) => {
                part(character.encode_utf8(&mut [0; 4]));
                rest = after.get(end + 2..).unwrap_or_default();
            }
            _ => {
                part("&");
                rest = after.get(1..).unwrap_or_default();
            }
        }
    }
    part(rest);
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        "shy" => Some('\u{ad}'),
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(number)
        }
    }
}

struct Reader {
    done: Vec<Passage>,
    open: Passage,
    /// The open heading: its level, its id, its text.
    heading: Option<(u8, String, String)>,
    /// Where open code begins.
    code: Option<usize>,
}

impl Reader {
    fn text(&mut self, html: &str) {
        let is_code = self.code.is_some();
        let out = match &mut self.heading {
            Some((_, _, heading)) => heading,
            None => &mut self.open.text,
        };
        decode(html, |part| {
            for character in part.chars() {
                let ends_in_space = out.is_empty() || out.ends_with([' ', '\n']);
                match character {
                    '\n' if is_code => new_line(out),
                    // Hyphens that are not there stand within words.
                    '\u{ad}' => {}
                    space if space.is_whitespace() || space.is_control() => {
                        if !ends_in_space {
                            out.push(' ');
                        }
                    }
                    character => out.push(character),
                }
            }
        });
    }

    fn tag(&mut self, name: &str, is_end: bool, attributes: &str) {
        if let Some(level) = level_of(name) {
            self.end_heading();
            if !is_end {
                self.heading = Some((level, attribute("id", attributes).unwrap_or_default(), String::new()));
            }
            return;
        }
        if name == "img" {
            self.text(&attribute("alt", attributes).unwrap_or_default());
        }
        if INLINE.contains(&name) || name == "img" {
            return;
        }
        match &mut self.heading {
            Some((_, _, heading)) => space(heading),
            None => new_line(&mut self.open.text),
        }
        if name == "pre" {
            self.end_code();
            self.code = (!is_end).then_some(self.open.text.len());
        }
    }

    fn end_code(&mut self) {
        if let Some(start) = self.code.take().filter(|start| *start < self.open.text.len()) {
            self.open.code.push(start..self.open.text.len());
        }
    }

    /// Below the heading that ends here a passage begins; but what the page is called stands above all of it.
    fn end_heading(&mut self) {
        let Some((level, anchor, heading)) = self.heading.take() else { return };
        let heading = heading.trim().to_owned();
        let is_of_page =
            level == 1 && self.done.is_empty() && self.open.text.is_empty() && self.open.heading.is_empty();
        if is_of_page {
            self.open.heading = heading;
            return;
        }
        self.end_passage();
        self.open = Passage { anchor, heading, ..Passage::default() };
    }

    fn end_passage(&mut self) {
        self.end_code();
        let mut passage = std::mem::take(&mut self.open);
        passage.text.truncate(passage.text.trim_end().len());
        let end = passage.text.len();
        passage.code.iter_mut().for_each(|code| code.end = code.end.min(end));
        passage.code.retain(|code| code.start < code.end);
        passage.text.shrink_to_fit();
        self.done.push(passage);
    }

    fn finish(mut self) -> Vec<Passage> {
        self.end_heading();
        self.end_passage();
        self.done
    }
}

fn space(text: &mut String) {
    if !text.is_empty() && !text.ends_with(' ') {
        text.push(' ');
    }
}

/// Begins a line, unless one has just begun.
fn new_line(text: &mut String) {
    if text.ends_with(' ') {
        text.pop();
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

fn level_of(name: &str) -> Option<u8> {
    match name.as_bytes() {
        [b'h', level @ b'1'..=b'6'] => Some(level - b'0'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(html: &str) -> Vec<String> {
        let tell = |passage: &Passage| {
            let code: Vec<_> = passage.code.iter().filter_map(|code| passage.text.get(code.clone())).collect();
            let Passage { anchor, heading, text, .. } = passage;
            format!("#{anchor}|{heading}|{text}|{}", code.join("+"))
        };
        passages(html).iter().map(tell).collect()
    }

    #[test]
    fn a_page_is_taken_apart_at_its_headings() {
        for (html, expected) in [
            ("", &["#|||"][..]),
            ("<p>a <em>b</em>c</p>\n<p>d</p>", &["#||a bc\nd|"]),
            ("<h1 id=\"t\">T</h1>\n<p>a</p>\n<h2 id=\"b\">B <code>x</code></h2>\n<p>b</p>", &["#|T|a|", "#b|B x|b|"]),
            ("<p>a</p><h1 id='x'>X</h1>", &["#||a|", "#x|X||"]),
            ("<h2>no id</h2>a", &["#|||", "#|no id|a|"]),
            ("<ul><li>a</li><li>b</li></ul><table><tr><td>c</td><td>d</td></tr></table>", &["#||a\nb\nc\nd|"]),
            ("a<pre><code>x = 1\n<span class=\"k\">y</span>  z\n</code></pre>b", &["#||a\nx = 1\ny z\nb|x = 1\ny z\n"]),
            ("a<script>if (a<b) x()</script>b<style>p{}</style>c<!-- d > <p> -->e", &["#||abce|"]),
            ("&lt;a&gt; &amp;amp; &#228;&#x41; &unknown; & b&shy;c", &["#||<a> &amp; äA &unknown; & bc|"]),
            ("<p title=\"a > b\">x</p>a < b<img src=x alt='A &amp; B'>", &["#||x\na < bA & B|"]),
            ("<h2 data-id=1 class = x id=up>U</h2>", &["#|||", "#up|U||"]),
            ("<p>a</p><h2 id=\"b\">B<p>c", &["#||a|", "#b|B c||"]),
        ] {
            assert_eq!(told(html), expected, "{html}");
        }
    }

    proptest! {
        #[test]
        fn any_html_is_taken_apart(html in "(<[/a-z0-9 =\"'!-]{0,9}>|[a-z&;# \n]{0,9}|<pre>|</pre>|<h[12] id=\"a\">|</h2>|<script>|\\PC){0,40}") {
            for passage in passages(&html) {
                prop_assert!(!passage.text.contains("  "));
                for code in &passage.code {
                    prop_assert!(passage.text.get(code.clone()).is_some_and(|code| !code.is_empty()), "{:?}", passage);
                }
            }
        }
    }
}
