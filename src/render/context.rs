//! Where in the markup each output of an `.html` layout stands: a small tokenizer over the literal parts.
//!
//! It follows the HTML tokenizer (WHATWG HTML, section 13.2.5) as far as escaping needs: text, tags, attributes by quote and
//! kind, comments, and elements whose content is not markup. Where it is unsure it says [`Stand::Refused`], never "safe".

use super::escape::Sink;

/// What may be printed at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    /// Anything, through this sink.
    Fine(Sink),
    /// Only what the `json` filter made.
    OnlyJson,
    /// Only what the layout itself names: the address of a script.
    OnlyOwn,
    /// Nothing: why, and what to do instead.
    Refused(&'static str, &'static str),
}

/// Follows the markup, literal by literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tracker {
    state: State,
    /// The element whose tag is open, in lower case.
    element: String,
    /// The attribute at hand, in lower case.
    attribute: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    TagOpen,
    TagName,
    InTag,
    AttributeName,
    AfterName,
    BeforeValue,
    Quoted {
        quote: u8,
        kind: Kind,
        settled: bool,
    },
    Unquoted,
    Comment,
    /// `<!doctype …>` and other declarations.
    Declaration,
    /// In an element whose content is not markup.
    Raw {
        script: Script,
    },
}

/// Where in a script: within which quotes, and the last byte that is not white space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Script {
    quote: u8,
    escaped: bool,
    last: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Url,
    Code,
    Style,
    Document,
}

/// Attributes that a browser follows. `srcset` only ever names images, and its spaces matter, so it is plain.
const URL_ATTRIBUTES: [&str; 12] = [
    "action",
    "background",
    "cite",
    "data",
    "formaction",
    "href",
    "manifest",
    "ping",
    "poster",
    "src",
    "xlink:href",
    "longdesc",
];

const RAW_ELEMENTS: [&str; 8] = ["script", "style", "textarea", "title", "iframe", "noembed", "noframes", "xmp"];

const USE_DATA: &str = "put it in a `data-…` attribute, or in `<script type=\"application/json\">` with `| json`";

impl Tracker {
    pub(super) fn new() -> Self {
        Self { state: State::Text, element: String::new(), attribute: String::new() }
    }

    /// Whether the markup is between tags.
    pub(super) fn is_text(&self) -> bool {
        self.state == State::Text
    }

    /// Whether what is escaped as text is also safe here.
    pub(super) fn takes_text(&self) -> bool {
        match self.state {
            State::Text => true,
            State::Quoted { kind, .. } => kind == Kind::Plain,
            State::Raw { .. } => matches!(self.element.as_str(), "textarea" | "title"),
            State::TagOpen
            | State::TagName
            | State::InTag
            | State::AttributeName
            | State::AfterName
            | State::BeforeValue
            | State::Unquoted
            | State::Comment
            | State::Declaration => false,
        }
    }

    /// What may be printed here.
    pub(super) fn stand(&self) -> Stand {
        match self.state {
            State::Text => Stand::Fine(Sink::Text),
            State::Quoted { kind: Kind::Plain, .. } => Stand::Fine(Sink::Attribute),
            State::Quoted { kind: Kind::Url, settled: false, .. } if self.element == "script" => Stand::OnlyOwn,
            State::Quoted { kind: Kind::Url, settled, .. } => Stand::Fine(Sink::Url { start: !settled }),
            State::Quoted { kind: Kind::Code, .. } => Stand::Refused("in an attribute that is a script", USE_DATA),
            State::Quoted { kind: Kind::Style, .. } => {
                Stand::Refused("in a `style` attribute", "choose a `class` by `{% if %}` or `{% case %}` instead")
            }
            State::Quoted { kind: Kind::Document, .. } => Stand::Refused("in a `srcdoc` attribute", USE_DATA),
            State::Raw { script } => self.stand_in_raw(script),
            State::Comment => Stand::Refused("in a comment of the markup", "use `{% comment %}` for notes"),
            State::Declaration => Stand::Refused("in a declaration of the markup", "write it out"),
            State::Unquoted | State::BeforeValue => {
                Stand::Refused("in an attribute without quotes", "write quotes around the value")
            }
            State::TagOpen | State::TagName => {
                Stand::Refused("in the name of an element", "choose the element by `{% if %}` or `{% case %}`")
            }
            State::InTag | State::AttributeName | State::AfterName => {
                Stand::Refused("in a tag, outside an attribute's value", "write the attribute's name and quotes out")
            }
        }
    }

    fn stand_in_raw(&self, script: Script) -> Stand {
        match self.element.as_str() {
            "script" if script.quote == 0 && script.last != b'/' => Stand::OnlyJson,
            "script" => Stand::Refused(
                "within quotes or a comment in a script",
                "leave the quotes out and write `| json`, which makes its own",
            ),
            "textarea" | "title" => Stand::Fine(Sink::Text),
            "style" => Stand::Refused("in a `<style>` element", "choose a `class` instead"),
            _ => Stand::Refused("in an element whose content is not markup", "move it out of the element"),
        }
    }

    /// Something was printed here.
    pub(super) fn output(&mut self) {
        match &mut self.state {
            State::Raw { script } => script.last = b'0',
            State::Text
            | State::TagOpen
            | State::TagName
            | State::InTag
            | State::AttributeName
            | State::AfterName
            | State::BeforeValue
            | State::Quoted { .. }
            | State::Unquoted
            | State::Comment
            | State::Declaration => {}
        }
    }

    /// The markup after either of two branches; none if they leave it in different places.
    pub(super) fn join(&self, other: &Self) -> Option<Self> {
        if self == other {
            return Some(self.clone());
        }
        let in_tag = |tracker: &Self| match tracker.state {
            State::TagName | State::InTag | State::AttributeName | State::AfterName => true,
            State::Unquoted | State::BeforeValue => true,
            State::Text | State::TagOpen | State::Quoted { .. } | State::Comment => false,
            State::Declaration | State::Raw { .. } => false,
        };
        if in_tag(self) && in_tag(other) {
            let raw = |tracker: &Self| RAW_ELEMENTS.contains(&tracker.element.as_str());
            if self.element != other.element && (raw(self) || raw(other)) {
                return None;
            }
            // Where one way is within a name or a value, nothing is sure before white space or the end of the tag.
            let clear = self.state == State::InTag && other.state == State::InTag;
            let state = if clear { State::InTag } else { State::Unquoted };
            return Some(Self { state, element: self.element.clone(), attribute: String::new() });
        }
        match (self.state, other.state) {
            (
                State::Quoted { quote, kind, settled },
                State::Quoted { quote: other_quote, kind: other_kind, settled: other_settled },
            ) if quote == other_quote && kind == other_kind => {
                Some(Self { state: State::Quoted { quote, kind, settled: settled && other_settled }, ..self.clone() })
            }
            (State::Raw { script }, State::Raw { script: other_script })
                if self.element == other.element && script.quote == other_script.quote =>
            {
                let last = if script.last == b'/' { script.last } else { other_script.last };
                Some(Self { state: State::Raw { script: Script { last, ..script } }, ..self.clone() })
            }
            (State::Text, State::Text) => Some(Self::new()),
            _ => None,
        }
    }

    /// Follows a literal part.
    pub(super) fn literal(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            at += self.step(byte, bytes.get(at..).unwrap_or_default());
        }
    }

    /// Takes one byte, or several when they only mean something together; `rest` begins with `byte`.
    fn step(&mut self, byte: u8, rest: &[u8]) -> usize {
        match self.state {
            State::Text => {
                if byte == b'<' {
                    if rest.starts_with(b"<!--") {
                        self.state = State::Comment;
                        return 4;
                    }
                    self.state = State::TagOpen;
                } else {
                    return memchr::memchr(b'<', rest).unwrap_or(rest.len());
                }
            }
            State::TagOpen => self.tag_open(byte),
            State::TagName => match byte {
                b'>' => self.close_tag(),
                b'/' | b' ' | b'\t' | b'\n' | b'\r' | 0x0c => self.state = State::InTag,
                _ => self.element.push(char::from(byte.to_ascii_lowercase())),
            },
            State::InTag | State::AfterName => self.in_tag(byte),
            State::AttributeName => match byte {
                b'>' => self.close_tag(),
                b'=' => self.state = State::BeforeValue,
                b'/' => self.state = State::InTag,
                byte if byte.is_ascii_whitespace() => self.state = State::AfterName,
                _ => self.attribute.push(char::from(byte.to_ascii_lowercase())),
            },
            State::BeforeValue => match byte {
                b'"' | b'\'' => {
                    self.state = State::Quoted { quote: byte, kind: kind_of(&self.attribute), settled: false };
                }
                b'>' => self.close_tag(),
                byte if byte.is_ascii_whitespace() => {}
                _ => self.state = State::Unquoted,
            },
            State::Quoted { quote, kind, settled } => {
                if byte == quote {
                    self.state = State::InTag;
                } else {
                    let settles = matches!(byte, b'/' | b'?' | b'#' | b':');
                    self.state = State::Quoted { quote, kind, settled: settled || settles };
                }
            }
            State::Unquoted => match byte {
                b'>' => self.close_tag(),
                byte if byte.is_ascii_whitespace() => self.state = State::InTag,
                _ => {}
            },
            State::Comment => {
                if rest.starts_with(b"-->") {
                    self.state = State::Text;
                    return 3;
                }
            }
            State::Declaration => {
                if byte == b'>' {
                    self.state = State::Text;
                }
            }
            State::Raw { script } => return self.raw(script, byte, rest),
        }
        1
    }

    fn tag_open(&mut self, byte: u8) {
        self.element.clear();
        self.state = match byte {
            b'/' => {
                // A closing tag opens no element; the slash keeps its name from being one.
                self.element.push('/');
                State::TagName
            }
            b'!' | b'?' => State::Declaration,
            byte if byte.is_ascii_alphabetic() => {
                self.element.push(char::from(byte.to_ascii_lowercase()));
                State::TagName
            }
            b'<' => State::TagOpen,
            _ => State::Text,
        };
    }

    fn in_tag(&mut self, byte: u8) {
        match byte {
            b'>' => self.close_tag(),
            b'=' if self.state == State::AfterName => self.state = State::BeforeValue,
            b'/' => self.state = State::InTag,
            byte if byte.is_ascii_whitespace() => {}
            _ => {
                self.attribute.clear();
                self.attribute.push(char::from(byte.to_ascii_lowercase()));
                self.state = State::AttributeName;
            }
        }
    }

    fn close_tag(&mut self) {
        self.attribute.clear();
        if RAW_ELEMENTS.contains(&self.element.as_str()) {
            self.state = State::Raw { script: Script { quote: 0, escaped: false, last: 0 } };
        } else {
            self.element.clear();
            self.state = State::Text;
        }
    }

    fn raw(&mut self, script: Script, byte: u8, rest: &[u8]) -> usize {
        if byte == b'<' && rest.get(1) == Some(&b'/') {
            let name = rest.get(2..2 + self.element.len()).unwrap_or_default();
            let after = rest.get(2 + self.element.len());
            if name.eq_ignore_ascii_case(self.element.as_bytes())
                && after.is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'))
            {
                let length = 2 + name.len();
                self.element.insert(0, '/');
                self.state = State::TagName;
                return length;
            }
        }
        self.state = State::Raw { script: script.after(byte) };
        1
    }
}

/// The marks of JavaScript's comments, as if they were quotes.
const LINE_COMMENT: u8 = b'\n';
const BLOCK_COMMENT: u8 = b'*';

impl Script {
    /// Follows the quotes and comments of JavaScript; strings end at a line's end, templates do not.
    fn after(self, byte: u8) -> Self {
        let last = if byte.is_ascii_whitespace() { self.last } else { byte };
        if self.escaped {
            return Self { escaped: false, last, ..self };
        }
        let quote = match (self.quote, byte) {
            (0, b'"' | b'\'' | b'`') => byte,
            (0, b'/') if self.last == b'/' => LINE_COMMENT,
            (0, b'*') if self.last == b'/' => BLOCK_COMMENT,
            (LINE_COMMENT | b'"' | b'\'', b'\n') => 0,
            (BLOCK_COMMENT, b'/') if self.last == b'*' => 0,
            (b'"' | b'\'' | b'`', _) if byte == self.quote => 0,
            (open, _) => open,
        };
        // A comment that just ended must not look like the beginning of another.
        let last = if self.quote != 0 && quote == 0 { b';' } else { last };
        Self { quote, escaped: byte == b'\\' && matches!(self.quote, b'"' | b'\'' | b'`'), last }
    }
}

fn kind_of(attribute: &str) -> Kind {
    if URL_ATTRIBUTES.contains(&attribute) {
        Kind::Url
    } else if attribute.starts_with("on") {
        Kind::Code
    } else if attribute == "style" {
        Kind::Style
    } else if attribute == "srcdoc" {
        Kind::Document
    } else {
        Kind::Plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str) -> Stand {
        let mut tracker = Tracker::new();
        tracker.literal(text);
        tracker.stand()
    }

    #[test]
    fn every_place_is_recognised() {
        let url = |start| Stand::Fine(Sink::Url { start });
        for (text, expected) in [
            ("", Stand::Fine(Sink::Text)),
            ("a < b", Stand::Fine(Sink::Text)),
            ("<p>", Stand::Fine(Sink::Text)),
            ("<p class=\"", Stand::Fine(Sink::Attribute)),
            ("<p\nCLASS = '", Stand::Fine(Sink::Attribute)),
            ("<a href=\"", url(true)),
            ("<a href='x", url(true)),
            ("<a href='/x/", url(false)),
            ("<a href='mailto:", url(false)),
            ("<img srcset=\"", Stand::Fine(Sink::Attribute)),
            ("<a href=\"x\">", Stand::Fine(Sink::Text)),
            ("<!-- x --><p>", Stand::Fine(Sink::Text)),
            ("<!doctype html>", Stand::Fine(Sink::Text)),
            ("<title>a <b> ", Stand::Fine(Sink::Text)),
            ("<textarea>", Stand::Fine(Sink::Text)),
            ("<script>let a = 'x'; b = ", Stand::OnlyJson),
            ("<script>// it's\nlet b = ", Stand::OnlyJson),
            ("<script>/* it's */ b = ", Stand::OnlyJson),
            ("<script></script>", Stand::Fine(Sink::Text)),
            ("<script src=\"", Stand::OnlyOwn),
            ("<script src='/js/", url(false)),
            ("<style></STYLE ><p>", Stand::Fine(Sink::Text)),
        ] {
            assert_eq!(after(text), expected, "{text}");
        }
    }

    #[test]
    fn places_where_nothing_is_safe_are_refused() {
        for text in [
            "<",
            "<a",
            "<a ",
            "<a x",
            "<a x=",
            "<a x=y",
            "<a onclick=\"",
            "<a style='",
            "<!-- ",
            "<!doctype ",
            "<script>let a = '",
            "<script>// ",
            "<script>let a = `",
            "<script>let r = /",
            "<style>",
            "<iframe srcdoc=\"",
        ] {
            assert!(matches!(after(text), Stand::Refused(..)), "{text}");
        }
    }

    #[test]
    fn branches_join_where_they_agree() {
        let tracker = |text: &str| {
            let mut tracker = Tracker::new();
            tracker.literal(text);
            tracker
        };
        let joined = |left: &str, right: &str| tracker(left).join(&tracker(right)).map(|tracker| tracker.stand());
        assert_eq!(joined("<b>", "<i>"), Some(Stand::Fine(Sink::Text)));
        assert_eq!(joined("<a href=\"/", "<a href=\""), Some(Stand::Fine(Sink::Url { start: true })));
        assert!(joined("<option", "<option selected").is_some());
        assert!(matches!(joined("<a", "<a class=\"x\""), Some(Stand::Refused(..))));
        assert_eq!(joined("<a href=\"", "<a title=\""), None);
        assert_eq!(joined("<p>", "<p class=\""), None);
        assert_eq!(joined("<script>", "<p>"), None);
    }
}
