//! One linear pass over HTML that leaves shallow, balanced markup of known elements with few attributes.
//!
//! It bounds the work of the parser that decides what is safe, and decides itself only that an input is a task list's box. Its tokens are those of the HTML standard
//! (section 13.2.5) as far as needed; where it understands a text otherwise than a browser would, only its own reading remains.

use memchr::{memchr, memmem};

/// How deep elements may nest; tags beyond are dropped, their text stays.
const DEEPEST: usize = 64;
/// How many attributes of one tag are kept.
const MOST_ATTRIBUTES: usize = 16;

const VOID: &[&str] = &["area", "br", "col", "hr", "img", "input", "wbr"];
/// Elements that end an open paragraph when they begin.
const BLOCKS: &[&str] = &[
    "article",
    "aside",
    "blockquote",
    "center",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "hr",
    "li",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "ul",
];
const INLINE: &[&str] = &[
    "a", "abbr", "acronym", "area", "b", "bdi", "bdo", "br", "caption", "cite", "code", "col", "colgroup", "data",
    "del", "dfn", "em", "i", "img", "input", "ins", "kbd", "map", "mark", "q", "rp", "rt", "rtc", "ruby", "s", "samp",
    "small", "span", "strike", "strong", "sub", "sup", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u",
    "var", "wbr",
];
/// Elements whose content is no markup; it is dropped with them.
const RAW: &[&str] =
    &["iframe", "noembed", "noframes", "plaintext", "script", "style", "textarea", "title", "xmp", "svg", "math"];
const ATTRIBUTES: &[&str] = &[
    "abbr",
    "align",
    "alt",
    "aria-label",
    "charset",
    "checked",
    "cite",
    "class",
    "colspan",
    "datetime",
    "dir",
    "disabled",
    "headers",
    "height",
    "href",
    "hreflang",
    "id",
    "lang",
    "loading",
    "name",
    "open",
    "reversed",
    "rowspan",
    "scope",
    "span",
    "src",
    "start",
    "tabindex",
    "title",
    "type",
    "value",
    "width",
];

/// The markup of `html`, bounded.
pub(super) fn tame(html: &str) -> String {
    let mut taming = Taming { out: String::with_capacity(html.len()), open: Vec::new(), beyond: 0 };
    let mut rest = html;
    while let Some(at) = memchr(b'<', rest.as_bytes()) {
        let (text, tag) = rest.split_at(at);
        taming.out.push_str(text);
        rest = taming.markup(tag);
    }
    taming.out.push_str(rest);
    taming.close_down_to(0);
    taming.out
}

/// Whether `markup` begins with the tag of an element that holds nothing.
pub(super) fn is_void(markup: &str) -> bool {
    let name = markup.strip_prefix('<').unwrap_or_default();
    let end = name.find(|character: char| !character.is_ascii_alphanumeric()).unwrap_or(name.len());
    name.get(..end).is_some_and(|name| VOID.contains(&name))
}

struct Taming {
    out: String,
    /// The elements that are open in `out`.
    open: Vec<&'static str>,
    /// How many open elements were dropped because they nest too deep.
    beyond: usize,
}

/// A tag, read to its end.
struct Tag<'h> {
    name: String,
    attributes: Vec<(String, &'h str)>,
    rest: &'h str,
}

impl Taming {
    /// Takes the markup that `html`, which begins with `<`, begins with; gives what follows it.
    fn markup<'h>(&mut self, html: &'h str) -> &'h str {
        let after = html.get(1..).unwrap_or_default();
        match after.bytes().next() {
            Some(b'!') if after.starts_with("!--") => after_first(after.get(1..).unwrap_or_default(), "-->"),
            Some(b'!' | b'?') => after_first(after, ">"),
            Some(b'/') => match after.as_bytes().get(1) {
                Some(byte) if byte.is_ascii_alphabetic() => {
                    let Some(tag) = read_tag(after.get(1..).unwrap_or_default()) else { return "" };
                    self.end(&tag.name);
                    tag.rest
                }
                Some(_) | None => after_first(after, ">"),
            },
            Some(byte) if byte.is_ascii_alphabetic() => {
                let Some(tag) = read_tag(after) else { return "" };
                if let Some(name) = RAW.iter().find(|name| **name == tag.name) {
                    return after_raw(tag.rest, name);
                }
                self.start(&tag);
                tag.rest
            }
            Some(_) | None => {
                self.out.push_str("&lt;");
                after
            }
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        let block = BLOCKS.iter().find(|known| **known == tag.name);
        let Some(&name) = block.or_else(|| INLINE.iter().find(|known| **known == tag.name)) else { return };
        if block.is_some() && self.open.last() == Some(&"p") {
            self.close_down_to(self.open.len() - 1);
        }
        self.close_implied(name);
        let void = VOID.contains(&name);
        if self.open.len() >= DEEPEST {
            self.beyond += usize::from(!void);
            return;
        }
        self.out.push('<');
        self.out.push_str(name);
        if name == "input" {
            return self.task_box(&tag.attributes);
        }
        for (attribute, value) in &tag.attributes {
            self.out.push(' ');
            self.out.push_str(attribute);
            self.out.push_str("=\"");
            self.out.push_str(&value.replace('"', "&quot;"));
            self.out.push('"');
        }
        self.out.push('>');
        if !void {
            self.open.push(name);
        }
    }

    /// An input can only be the box of a task list.
    fn task_box(&mut self, attributes: &[(String, &str)]) {
        self.out.push_str(" type=\"checkbox\" disabled=\"\" aria-label=\"Done\"");
        if attributes.iter().any(|(name, _)| name == "checked") {
            self.out.push_str(" checked=\"\"");
        }
        self.out.push('>');
    }

    /// Elements whose end tag may be left out end where the next of their kind begins.
    fn close_implied(&mut self, name: &str) {
        let (ended, within): (&[&str], &[&str]) = match name {
            "a" => (&["a"], &[]),
            "li" => (&["li"], &["ul", "ol"]),
            "dt" | "dd" => (&["dt", "dd"], &["dl"]),
            "td" | "th" => (&["td", "th"], &["tr", "table"]),
            "tr" => (&["tr"], &["table"]),
            "thead" | "tbody" | "tfoot" => (&["thead", "tbody", "tfoot"], &["table"]),
            _ => return,
        };
        let found = self.open.iter().rposition(|open| ended.contains(open) || within.contains(open));
        if let Some(found) = found
            && self.open.get(found).is_some_and(|open| ended.contains(open))
        {
            self.close_down_to(found);
        }
    }

    fn end(&mut self, name: &str) {
        if self.beyond > 0 {
            self.beyond -= 1;
        } else if let Some(found) = self.open.iter().rposition(|open| *open == name) {
            self.close_down_to(found);
        }
    }

    fn close_down_to(&mut self, length: usize) {
        while self.open.len() > length {
            let Some(name) = self.open.pop() else { return };
            self.out.push_str("</");
            self.out.push_str(name);
            self.out.push('>');
        }
    }
}

/// What follows the first `end` in `html`; nothing if there is none.
fn after_first<'h>(html: &'h str, end: &str) -> &'h str {
    memmem::find(html.as_bytes(), end.as_bytes()).and_then(|at| html.get(at + end.len()..)).unwrap_or_default()
}

/// What follows the content of the element `name`, beginning with its end tag.
fn after_raw<'h>(html: &'h str, name: &str) -> &'h str {
    let mut rest = html;
    while let Some(at) = memmem::find(rest.as_bytes(), b"</") {
        rest = rest.get(at..).unwrap_or_default();
        let found = rest.as_bytes().get(2..2 + name.len());
        if found.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes())) {
            return rest;
        }
        rest = rest.get(2..).unwrap_or_default();
    }
    ""
}

/// Reads a tag from its name on; `None` if it never ends.
fn read_tag(html: &str) -> Option<Tag<'_>> {
    let space = |c: char| c.is_ascii_whitespace();
    let end = html.find(|c: char| space(c) || matches!(c, '/' | '>'))?;
    let name = html.get(..end)?.to_ascii_lowercase();
    let mut attributes = Vec::new();
    let mut rest = html.get(end..)?;
    loop {
        rest = rest.trim_start_matches(|c: char| space(c) || c == '/');
        if let Some(rest) = rest.strip_prefix('>') {
            return Some(Tag { name, attributes, rest });
        }
        // A `=` where a name should begin belongs to the name.
        let length = rest.char_indices().find(|&(at, c)| at > 0 && (space(c) || matches!(c, '/' | '>' | '=')))?.0;
        let (attribute, after) = rest.split_at(length);
        let mut value = "";
        rest = after;
        if let Some(after) = after.trim_start_matches(space).strip_prefix('=') {
            (value, rest) = read_value(after.trim_start_matches(space))?;
        }
        if attributes.len() < MOST_ATTRIBUTES {
            let attribute = attribute.to_ascii_lowercase();
            if ATTRIBUTES.contains(&attribute.as_str()) {
                attributes.push((attribute, value));
            }
        }
    }
}

fn read_value(html: &str) -> Option<(&str, &str)> {
    for quote in ['"', '\''] {
        if let Some(quoted) = html.strip_prefix(quote) {
            return quoted.split_once(quote);
        }
    }
    let end = html.find(|c: char| c.is_ascii_whitespace() || c == '>')?;
    Some(html.split_at(end))
}
