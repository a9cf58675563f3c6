//! Where in the markup each output of an `.html` or `.xml` layout stands: a small tokenizer over the literal parts.
//!
//! It follows the HTML tokenizer (WHATWG HTML, section 13.2.5) as far as escaping needs: text, tags, attributes by quote and
//! kind, comments, and elements whose content is not markup. XML (where feeds, drawings and whole pages are written) differs in few
//! places: sections of character data, tags that close themselves, and names that mean something to HTML alone.
//! Where it is unsure it says [`Stand::Refused`], never "safe".

use super::escape::Sink;
use std::collections::BTreeSet;

/// What may be printed at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    /// Anything, through this sink.
    Fine(Sink),
    /// Only what the `json` filter made.
    OnlyJson,
    /// Only what the layout itself names: the address of a script, or of all that a page links to.
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
    /// What may stand before the first `:` of the URL at hand, one for each way through the branches, as browsers read it.
    schemes: BTreeSet<String>,
    /// Whether it is XML.
    xml: bool,
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
        scheme: Scheme,
    },
    Unquoted,
    Comment,
    /// `<![CDATA[ … ]]>` in XML.
    CharacterData,
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

/// What is known of the scheme of a URL; the order is that of worry, so that the greater of two is right for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Scheme {
    /// There is one or none, and it runs nothing; what follows cannot be a host either.
    Settled,
    /// The same so far, but another slash would begin a host.
    Root,
    /// Within the name of a host.
    Named,
    /// Where the name of a host begins.
    Host,
    /// Nothing yet: what follows could give one.
    Open,
    /// Nothing, and a value has been printed that could be the beginning of one.
    Fed,
    /// It runs code, or is a document of its own.
    Runs,
}

impl Scheme {
    /// What is known after either of two branches.
    fn join(self, other: Self) -> Self {
        match (self, other) {
            // Only the next byte tells, and not the same one: a host may begin.
            (Self::Root, Self::Named) | (Self::Named, Self::Root) => Self::Host,
            _ => self.max(other),
        }
    }

    /// Whether what follows could still give a scheme.
    fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Fed)
    }

    /// Takes a byte after the scheme, as far as the host: browsers take `\\` for `/` and skip control characters.
    fn followed_by(self, byte: u8) -> Self {
        match (self, byte) {
            (_, byte) if byte <= b' ' => self,
            (Self::Root | Self::Host, b'/' | b'\\') => Self::Host,
            (Self::Root, _) | (Self::Named, b'/' | b'\\') | (Self::Named | Self::Host, b'?' | b'#') => Self::Settled,
            (Self::Named | Self::Host, _) => Self::Named,
            (Self::Settled | Self::Open | Self::Fed | Self::Runs, _) => self,
        }
    }
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

/// Of these, those that mean the same wherever they stand in XML.
const URL_ATTRIBUTES_OF_XML: [&str; 4] = ["formaction", "href", "src", "xlink:href"];

/// How the attributes of XHTML and SVG begin that are scripts. In other vocabularies `on` begins many a harmless word.
const EVENTS: [&str; 22] = [
    "onabort",
    "onani",
    "onbefore",
    "onbegin",
    "onblur",
    "onchange",
    "onclick",
    "ondblclick",
    "ondrag",
    "onend",
    "onerror",
    "onfocus",
    "oninput",
    "onkey",
    "onload",
    "onmouse",
    "onpointer",
    "onrepeat",
    "onscroll",
    "onsubmit",
    "ontoggle",
    "ontouch",
];

/// Schemes whose URLs are code or documents.
const RUNNING: [&str; 3] = ["javascript", "vbscript", "data"];

/// How character references begin that could be part of a scheme, or its colon.
const HIDING: [&[u8]; 4] = [b"&#", b"&colon;", b"&Tab;", b"&NewLine;"];

/// What a `data:` URL may be when a value is printed into it: these run nothing.
const MEDIA: [&[u8]; 4] = [b"image/", b"audio/", b"video/", b"font/"];

/// The most ways through branches that are told apart within one URL.
const MOST_WAYS: usize = 16;

const RAW_ELEMENTS: [&str; 8] = ["script", "style", "textarea", "title", "iframe", "noembed", "noframes", "xmp"];

const USE_DATA: &str = "put it in a `data-…` attribute, or in `<script type=\"application/json\">` with `| json`";

impl Tracker {
    /// At the beginning of HTML.
    pub(super) fn html() -> Self {
        Self {
            state: State::Text,
            element: String::new(),
            attribute: String::new(),
            schemes: BTreeSet::new(),
            xml: false,
        }
    }

    /// At the beginning of XML.
    pub(super) fn xml() -> Self {
        Self { xml: true, ..Self::html() }
    }

    /// At the beginning of the same format.
    pub(super) fn fresh(&self) -> Self {
        Self { xml: self.xml, ..Self::html() }
    }

    /// Whether the markup is between tags.
    pub(super) fn is_text(&self) -> bool {
        self.state == State::Text
    }

    /// Whether what is escaped as text is also safe here.
    pub(super) fn takes_text(&self) -> bool {
        match self.state {
            State::Text | State::CharacterData => true,
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
        match self.stand_in_html() {
            Stand::Fine(Sink::Text) if self.xml => Stand::Fine(Sink::XmlText),
            Stand::Fine(Sink::Attribute) if self.xml => Stand::Fine(Sink::XmlAttribute),
            Stand::Fine(Sink::Url { start }) if self.xml => Stand::Fine(Sink::XmlUrl { start }),
            stand @ (Stand::Fine(_) | Stand::OnlyJson | Stand::OnlyOwn | Stand::Refused(..)) => stand,
        }
    }

    fn stand_in_html(&self) -> Stand {
        match self.state {
            // No `>` is left in what is escaped, so that it ends no section either.
            State::Text | State::CharacterData => Stand::Fine(Sink::Text),
            State::Quoted { kind: Kind::Plain, .. } => Stand::Fine(Sink::Attribute),
            State::Quoted { kind: Kind::Url, scheme: Scheme::Runs, .. } => {
                Stand::Refused("in a URL that is a script or a document", USE_DATA)
            }
            State::Quoted { kind: Kind::Url, scheme, .. }
                if scheme != Scheme::Settled && matches!(local_name(&self.element), "script" | "base") =>
            {
                Stand::OnlyOwn
            }
            State::Quoted { kind: Kind::Url, scheme, .. } => Stand::Fine(Sink::Url { start: scheme.is_open() }),
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
        match local_name(&self.element) {
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
            State::Quoted { scheme: scheme @ Scheme::Open, .. } => *scheme = Scheme::Fed,
            State::Text
            | State::CharacterData
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

    /// Where the second run of a loop's body begins that leaves `end` behind; none if that is where the first began, or the
    /// value of no URL. A second run and all that follow are alike: they are followed once.
    pub(super) fn after_a_run(&self, end: &Self) -> Option<Self> {
        if self == end {
            return None;
        }
        let mut joined = self.join(end)?;
        let State::Quoted { kind: Kind::Url, scheme, .. } = &mut joined.state else { return None };
        if *scheme == Scheme::Open {
            *scheme = Scheme::Fed;
        }
        (joined != *self).then_some(joined)
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
            State::CharacterData | State::Declaration | State::Raw { .. } => false,
        };
        if in_tag(self) && in_tag(other) {
            let raw = |tracker: &Self| tracker.is_raw();
            if self.element != other.element && (raw(self) || raw(other)) {
                return None;
            }
            // Where one way is within a name or a value, nothing is sure before white space or the end of the tag.
            let clear = self.state == State::InTag && other.state == State::InTag;
            let state = if clear { State::InTag } else { State::Unquoted };
            return Some(Self { state, element: self.element.clone(), ..self.fresh() });
        }
        match (self.state, other.state) {
            (
                State::Quoted { quote, kind, scheme },
                State::Quoted { quote: other_quote, kind: other_kind, scheme: other_scheme },
            ) if quote == other_quote && kind == other_kind => {
                let schemes: BTreeSet<String> = self.schemes.union(&other.schemes).cloned().collect();
                let scheme = scheme.join(other_scheme);
                let lost = schemes.len() > MOST_WAYS && scheme == Scheme::Open;
                let scheme = if lost { Scheme::Fed } else { scheme };
                Some(Self { state: State::Quoted { quote, kind, scheme }, schemes, ..self.clone() })
            }
            (State::Raw { script }, State::Raw { script: other_script })
                if self.element == other.element && script.quote == other_script.quote =>
            {
                let last = if script.last == b'/' { script.last } else { other_script.last };
                Some(Self { state: State::Raw { script: Script { last, ..script } }, ..self.clone() })
            }
            (State::Text, State::Text) => Some(self.fresh()),
            _ => None,
        }
    }

    /// Follows a literal part. Gives the place of a `:` after which a value that was printed before it would be the scheme of a URL.
    pub(super) fn literal(&mut self, text: &str) -> Option<usize> {
        let bytes = text.as_bytes();
        let (mut at, mut chosen) = (0, None);
        while let Some(&byte) = bytes.get(at) {
            let rest = bytes.get(at..).unwrap_or_default();
            if chosen.is_none()
                && (byte == b':' || HIDING.iter().any(|reference| rest.starts_with(reference)))
                && matches!(self.state, State::Quoted { kind: Kind::Url, scheme: Scheme::Fed, .. })
            {
                chosen = Some(at);
            }
            at += self.step(byte, rest);
        }
        chosen
    }

    /// Takes one byte, or several when they only mean something together; `rest` begins with `byte`.
    fn step(&mut self, byte: u8, rest: &[u8]) -> usize {
        match self.state {
            State::Text => {
                if byte == b'<' {
                    if rest.starts_with(b"<!--") {
                        self.state = State::Comment;
                        return 4 + self.abrupt_end(rest);
                    }
                    if self.xml && rest.starts_with(b"<![CDATA[") {
                        self.state = State::CharacterData;
                        return 9;
                    }
                    self.state = State::TagOpen;
                } else {
                    return memchr::memchr(b'<', rest).unwrap_or(rest.len());
                }
            }
            State::TagOpen => self.tag_open(byte),
            State::TagName => match byte {
                b'>' => self.close_tag(),
                b'/' => self.slash(rest),
                b' ' | b'\t' | b'\n' | b'\r' | 0x0c => self.state = State::InTag,
                _ => self.element.push(char::from(byte.to_ascii_lowercase())),
            },
            State::InTag | State::AfterName => self.in_tag(byte, rest),
            State::AttributeName => match byte {
                b'>' => self.close_tag(),
                b'=' => self.state = State::BeforeValue,
                b'/' => self.slash(rest),
                byte if byte.is_ascii_whitespace() => self.state = State::AfterName,
                _ => self.attribute.push(char::from(byte.to_ascii_lowercase())),
            },
            State::BeforeValue => match byte {
                b'"' | b'\'' => {
                    self.state = State::Quoted { quote: byte, kind: self.kind(), scheme: Scheme::Open };
                    self.schemes = BTreeSet::from([String::new()]);
                }
                b'>' => self.close_tag(),
                byte if byte.is_ascii_whitespace() => {}
                _ => self.state = State::Unquoted,
            },
            State::Quoted { quote, .. } if byte == quote => self.state = State::InTag,
            State::Quoted { quote, kind, scheme } if kind == Kind::Url => {
                let settled = if scheme.is_open() { self.settle(byte, rest) } else { Some(scheme.followed_by(byte)) };
                if let Some(scheme) = settled {
                    self.state = State::Quoted { quote, kind, scheme };
                }
            }
            State::Quoted { .. } => {}
            State::Unquoted => match byte {
                b'>' => self.close_tag(),
                byte if byte.is_ascii_whitespace() => self.state = State::InTag,
                _ => {}
            },
            State::Comment => {
                let ends: &[&[u8]] = if self.xml { &[b"-->"] } else { &[b"-->", b"--!>"] };
                if let Some(end) = ends.iter().find(|end| rest.starts_with(end)) {
                    self.state = State::Text;
                    return end.len();
                }
            }
            State::CharacterData => {
                if rest.starts_with(b"]]>") {
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

    /// In HTML, `<!-->` and `<!--->` are whole comments: how much of them is left after `<!--`, which then have ended.
    fn abrupt_end(&mut self, comment: &[u8]) -> usize {
        let ends: [&[u8]; 2] = [b">", b"->"];
        let after = comment.get(4..).unwrap_or_default();
        let Some(end) = ends.iter().find(|end| !self.xml && after.starts_with(end)) else { return 0 };
        self.state = State::Text;
        end.len()
    }

    /// Takes a byte of a URL whose scheme is not known yet; what is known if this byte tells. `rest` begins with the byte.
    fn settle(&mut self, byte: u8, rest: &[u8]) -> Option<Scheme> {
        match byte {
            b'?' | b'#' => Some(Scheme::Settled),
            b'/' | b'\\' if self.schemes.contains("") => Some(Scheme::Root),
            b'/' | b'\\' => Some(Scheme::Settled),
            b':' => {
                let media = rest.get(1..).is_some_and(|rest| MEDIA.iter().any(|media| rest.starts_with(media)));
                let runs = |scheme: &String| RUNNING.contains(&scheme.as_str()) && !(scheme == "data" && media);
                Some(if self.schemes.iter().any(runs) { Scheme::Runs } else { Scheme::Host })
            }
            // A reference could be any letter, or the colon; an `&` as such is part of no scheme.
            b'&' if HIDING.iter().any(|reference| rest.starts_with(reference)) => Some(Scheme::Runs),
            b'&' => Some(Scheme::Settled),
            byte if byte <= b' ' => None,
            _ => {
                let longest = RUNNING.iter().map(|scheme| scheme.len()).max().unwrap_or_default();
                let longer = |mut scheme: String| {
                    // One byte more than the longest of interest is enough to be another.
                    if scheme.len() <= longest {
                        scheme.push(char::from(byte.to_ascii_lowercase()));
                    }
                    scheme
                };
                self.schemes = std::mem::take(&mut self.schemes).into_iter().map(longer).collect();
                None
            }
        }
    }

    fn is_raw(&self) -> bool {
        if self.xml {
            return matches!(local_name(&self.element), "script" | "style") && !self.element.starts_with('/');
        }
        RAW_ELEMENTS.contains(&self.element.as_str())
    }

    fn kind(&self) -> Kind {
        let attribute = self.attribute.as_str();
        let (url, code) = if self.xml {
            let of_element = matches!((local_name(&self.element), attribute), ("form", "action") | ("object", "data"));
            let code = EVENTS.iter().any(|event| attribute.starts_with(event));
            (of_element || URL_ATTRIBUTES_OF_XML.contains(&attribute), code)
        } else {
            (URL_ATTRIBUTES.contains(&attribute), attribute.starts_with("on"))
        };
        // What SVG animates may be the address of a link.
        let animated = matches!(local_name(&self.element), "set" | "animate");
        match attribute {
            _ if url => Kind::Url,
            _ if code => Kind::Code,
            "to" | "from" | "by" if animated => Kind::Url,
            "values" if animated => Kind::Code,
            "style" => Kind::Style,
            "srcdoc" => Kind::Document,
            _ => Kind::Plain,
        }
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

    fn in_tag(&mut self, byte: u8, rest: &[u8]) {
        match byte {
            b'>' => self.close_tag(),
            b'=' if self.state == State::AfterName => self.state = State::BeforeValue,
            b'/' => self.slash(rest),
            byte if byte.is_ascii_whitespace() => {}
            _ => {
                self.attribute.clear();
                self.attribute.push(char::from(byte.to_ascii_lowercase()));
                self.state = State::AttributeName;
            }
        }
    }

    /// A slash within a tag: in XML the element has no content; in HTML it means nothing. But a drawing within HTML is as XML here, and
    /// has titles: `<title/>` is taken for one of those, because what is safe in markup is safe in the title of a page, and not the
    /// other way round.
    fn slash(&mut self, rest: &[u8]) {
        if self.xml || (self.element == "title" && rest.starts_with(b"/>")) {
            self.element.clear();
        }
        self.state = State::InTag;
    }

    fn close_tag(&mut self) {
        self.attribute.clear();
        if self.is_raw() {
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

/// A name without the prefix that stands for its namespace.
fn local_name(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str) -> Stand {
        let mut tracker = Tracker::html();
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
            ("<script src='js/", url(false)),
            ("<script src='?v=", url(false)),
            ("<script src='https://example.com/", url(false)),
            ("<script src='//example.com/", url(false)),
            ("<script src='/", Stand::OnlyOwn),
            ("<script src=' /\t", Stand::OnlyOwn),
            ("<script src='//", Stand::OnlyOwn),
            ("<script src='\\/", Stand::OnlyOwn),
            ("<script src='https:", Stand::OnlyOwn),
            ("<script src='https:/", Stand::OnlyOwn),
            ("<script src='https://example.", Stand::OnlyOwn),
            ("<base href='", Stand::OnlyOwn),
            ("<base href='//", Stand::OnlyOwn),
            ("<base href='/docs/", url(false)),
            ("<a href='/", url(false)),
            ("<a href='https://", url(false)),
            ("<svg><title/><a href='", url(true)),
            ("<svg><title /></svg><script>", Stand::OnlyJson),
            ("<style></STYLE ><p>", Stand::Fine(Sink::Text)),
            ("<a href='https:", url(false)),
            ("<a href=' \tx-java", url(true)),
            ("<img src='data:image/png;base64,", url(false)),
            ("<!--><p>", Stand::Fine(Sink::Text)),
            ("<!---><script>", Stand::OnlyJson),
            ("<!-- a --!><p title='", Stand::Fine(Sink::Attribute)),
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
            "<a href=\"javascript:show('",
            "<a href=\" \tJava\nScript:",
            "<a href='javascript&colon;",
            "<a href='&#106;avascript:",
            "<a href='vbscript:",
            "<iframe src='data:text/html,",
            "<!-- a --!><script>// -->",
        ] {
            assert!(matches!(after(text), Stand::Refused(..)), "{text}");
        }
    }

    #[test]
    fn no_value_chooses_a_scheme() {
        let after_output = |before: &str, literal: &str| {
            let mut tracker = Tracker::html();
            tracker.literal(before);
            tracker.output();
            tracker.literal(literal)
        };
        for (before, literal) in
            [("<a href='", ":x"), ("<a href=\"java", "://x"), ("<form action='", "script:x"), ("<a href='", "&#58;x")]
        {
            assert!(after_output(before, literal).is_some(), "{before} {literal}");
        }
        for (before, literal) in [
            ("<a href='", "/a:b"),
            ("<a href='", "&amp;a=:"),
            ("<a href='", "&a=:"),
            ("<a href='", "?a:b"),
            ("<a href='urn:", ":x"),
            ("<p title='", ":x"),
            ("<a href='", "'>:"),
        ] {
            assert_eq!(after_output(before, literal), None, "{before} {literal}");
        }
    }

    #[test]
    fn xml_has_rules_of_its_own() {
        let after = |text: &str| {
            let mut tracker = Tracker::xml();
            tracker.literal(text);
            tracker.stand()
        };
        for (text, expected) in [
            ("<title>", Stand::Fine(Sink::XmlText)),
            ("<title><a href='", Stand::Fine(Sink::XmlUrl { start: true })),
            ("<link href=\"", Stand::Fine(Sink::XmlUrl { start: true })),
            ("<x:form action='", Stand::Fine(Sink::XmlUrl { start: true })),
            ("<item action='", Stand::Fine(Sink::XmlAttribute)),
            ("<item online='", Stand::Fine(Sink::XmlAttribute)),
            ("<d><![CDATA[ <a href=", Stand::Fine(Sink::XmlText)),
            ("<![CDATA[ > ]] ]]><a x='", Stand::Fine(Sink::XmlAttribute)),
            ("<?xml version='1.0'?><a>", Stand::Fine(Sink::XmlText)),
            ("<script/><p>", Stand::Fine(Sink::XmlText)),
            ("<script src='/a'/><p>", Stand::Fine(Sink::XmlText)),
            ("<svg:script>a = ", Stand::OnlyJson),
        ] {
            assert_eq!(after(text), expected, "{text}");
        }
        for text in [
            "<a ",
            "<a x=",
            "<a onclick='",
            "<!-- ",
            "<?pi ",
            "<!DOCTYPE ",
            "<x:style>",
            "<a href='javascript:",
            "<!-->",
        ] {
            assert!(matches!(after(text), Stand::Refused(..)), "{text}");
        }
    }

    #[test]
    fn branches_join_where_they_agree() {
        let tracker = |text: &str| {
            let mut tracker = Tracker::html();
            tracker.literal(text);
            tracker
        };
        let joined = |left: &str, right: &str| tracker(left).join(&tracker(right)).map(|tracker| tracker.stand());
        assert_eq!(joined("<b>", "<i>"), Some(Stand::Fine(Sink::Text)));
        assert_eq!(joined("<a href=\"/", "<a href=\""), Some(Stand::Fine(Sink::Url { start: true })));
        assert_eq!(joined("<a href='https:", "<a href='http:"), Some(Stand::Fine(Sink::Url { start: false })));
        assert!(matches!(joined("<a href='javascript:", "<a href='http:"), Some(Stand::Refused(..))));
        for (left, right) in [("/", "//"), ("/", "//x"), ("//x", "/"), ("/a", "/"), ("https:", "/a/")] {
            let joined = joined(&format!("<script src='{left}"), &format!("<script src='{right}"));
            assert_eq!(joined, Some(Stand::OnlyOwn), "{left} or {right}");
        }
        let mut slashes = tracker("<script src='/").join(&tracker("<script src='//x")).unwrap();
        slashes.literal("/");
        assert_eq!(slashes.stand(), Stand::OnlyOwn);
        let mut either = tracker("<a href='https").join(&tracker("<a href='http")).unwrap();
        assert_eq!(either.literal("://"), None);
        assert_eq!(either.stand(), Stand::Fine(Sink::Url { start: false }));
        assert!(joined("<option", "<option selected").is_some());
        assert!(matches!(joined("<a", "<a class=\"x\""), Some(Stand::Refused(..))));
        assert_eq!(joined("<a href=\"", "<a title=\""), None);
        assert_eq!(joined("<p>", "<p class=\""), None);
        assert_eq!(joined("<script>", "<p>"), None);
    }
}
