//! Where in the markup each output of an `.html` or `.xml` layout stands: a small tokenizer over the literal parts.
//!
//! It follows the HTML tokenizer (WHATWG HTML, section 13.2.5) as far as escaping needs: text, tags, attributes by quote and
//! kind, comments, elements whose content is not markup, and drawings and formulas, where the rules are nearly those of XML. XML
//! (where feeds, drawings and whole pages are written) differs in few places: sections of character data, tags that close themselves,
//! and names that mean something to HTML alone. Where it is unsure it says [`Stand::Refused`], never "safe".

use super::super::escape::{Sink, UrlPart};
use super::attribute::Kind;
use super::foreign::Foreign;
use super::script::{Role, Script};
use super::url::Url;
use super::{Clash, Stand};

/// Follows the markup, literal by literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tracker {
    state: State,
    /// The element whose tag is open, or whose content this is if it is not markup; in HTML in lower case.
    element: String,
    /// The attribute at hand, in lower case.
    attribute: String,
    /// The literal beginning of its value, where that changes what the rest means.
    value: String,
    /// The URL at hand.
    url: Url,
    /// What the `<script>` at hand is for.
    role: Role,
    /// Whether its type has been said.
    is_typed: bool,
    /// Where in its text.
    script: Script,
    /// The drawings and formulas around.
    foreign: Foreign,
    /// Whether this is in a section of character data within a script or a style.
    in_section: bool,
    /// Whether it is XML.
    xml: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    TagOpen,
    TagName,
    InTag,
    /// After a `/` in a tag, which counts only before `>`.
    Slash,
    AttributeName,
    AfterName,
    BeforeValue,
    Quoted {
        quote: u8,
        kind: Kind,
    },
    Unquoted,
    Comment,
    /// `<![CDATA[ … ]]>` in XML and in drawings.
    CharacterData,
    /// `<!doctype …>` and whatever else ends at the next `>`.
    Declaration,
    /// In an element whose content is not markup.
    Raw,
}

/// Where a point is, for those who collect what stands in the markup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Sight {
    Text,
    TagOpen,
    TagName,
    /// In a tag, in none of its names and values.
    InTag,
    AttributeName,
    BeforeValue,
    /// In the value of an attribute.
    Value,
    /// In an element whose content is not markup.
    Raw,
    /// In what begins with `<!` or `<?` and ends at the next `>`.
    Declaration,
    /// In a comment, a section of character data.
    Aside,
}

impl Sight {
    /// Whether this is between the name of a tag and its end.
    pub(in super::super) fn is_in_tag(self) -> bool {
        matches!(self, Self::TagName | Self::InTag | Self::AttributeName | Self::BeforeValue | Self::Value)
    }

    /// Whether what stands here is a text of its own: a value, a declaration, or the content of an element that is not markup.
    pub(in super::super) fn is_kept(self) -> bool {
        matches!(self, Self::Value | Self::Raw | Self::Declaration)
    }
}

pub(super) const RAW_ELEMENTS: [&str; 8] =
    ["iframe", "noembed", "noframes", "script", "style", "textarea", "title", "xmp"];

/// The longest literal beginning of a value that is looked at.
const LONGEST_VALUE: usize = 64;

/// How a section of character data begins.
const SECTION: &[u8] = b"<![CDATA[";

const USE_DATA: &str = "put it in a `data-…` attribute, or in `<script type=\"application/json\">` with `| json`";

impl Tracker {
    /// At the beginning of HTML.
    pub(in super::super) fn html() -> Self {
        Self {
            state: State::Text,
            element: String::new(),
            attribute: String::new(),
            value: String::new(),
            url: Url::default(),
            role: Role::Code,
            is_typed: false,
            script: Script::default(),
            foreign: Foreign::default(),
            in_section: false,
            xml: false,
        }
    }

    /// At the beginning of XML.
    pub(in super::super) fn xml() -> Self {
        Self { xml: true, ..Self::html() }
    }

    /// Whether it is XML.
    pub(in super::super) fn is_xml(&self) -> bool {
        self.xml
    }

    /// At the beginning of the same format.
    pub(super) fn fresh(&self) -> Self {
        Self { xml: self.xml, ..Self::html() }
    }

    /// Where this is.
    pub(in super::super) fn sight(&self) -> Sight {
        match self.state {
            State::Text => Sight::Text,
            State::TagOpen => Sight::TagOpen,
            State::TagName => Sight::TagName,
            State::InTag | State::Slash | State::AfterName => Sight::InTag,
            State::AttributeName => Sight::AttributeName,
            State::BeforeValue => Sight::BeforeValue,
            State::Quoted { .. } | State::Unquoted => Sight::Value,
            State::Declaration => Sight::Declaration,
            State::Comment | State::CharacterData => Sight::Aside,
            State::Raw => Sight::Raw,
        }
    }

    /// The element whose tag is open, or whose content this is if it is not markup.
    pub(in super::super) fn element(&self) -> &str {
        &self.element
    }

    /// Whether this is in a drawing or a formula.
    pub(in super::super) fn is_foreign(&self) -> bool {
        self.foreign.is_inside()
    }

    /// The same point, without what has ended before it.
    pub(in super::super) fn between_tags(&self) -> Self {
        Self { foreign: self.foreign.clone(), ..self.fresh() }
    }

    /// Whether tags and values that follow begin and end alike from both points.
    pub(in super::super) fn reads_like(&self, other: &Self) -> bool {
        let same = self.state == other.state && self.element == other.element && self.foreign == other.foreign;
        let alike = || self.in_section == other.in_section && self.script.hides_like(&other.script);
        same && (self.state != State::Raw || alike())
    }

    /// Whether the markup is between tags.
    pub(super) fn is_text(&self) -> bool {
        self.state == State::Text
    }

    /// The same point for a partial: without what lies behind and cannot matter to it.
    pub(super) fn for_partial(&self) -> Option<Self> {
        let base = Self { state: self.state, ..self.fresh() };
        match self.state {
            State::Text | State::CharacterData | State::Quoted { kind: Kind::Plain | Kind::Images, .. } => Some(base),
            State::Quoted { kind: Kind::Url, .. } => {
                Some(Self { url: self.url.clone(), element: self.element.clone(), ..base })
            }
            State::Raw if matches!(self.element.as_str(), "textarea" | "title") => {
                Some(Self { element: self.element.clone(), ..base })
            }
            // What a partial says of a script's type, its caller would not know.
            State::InTag if local_name(&self.element) != "script" => {
                Some(Self { element: self.element.clone(), ..base })
            }
            State::TagOpen
            | State::TagName
            | State::InTag
            | State::Slash
            | State::AttributeName
            | State::AfterName
            | State::BeforeValue
            | State::Quoted { .. }
            | State::Unquoted
            | State::Comment
            | State::Declaration
            | State::Raw => None,
        }
    }

    /// Whether a partial that was entered at `entry` may end here.
    pub(super) fn returns_to(&self, entry: &Self) -> bool {
        match (self.state, entry.state) {
            (State::AfterName, State::InTag) => true,
            (State::Quoted { kind: Kind::Url, .. }, state) if self.url.runs() => {
                state == self.state && entry.url.runs()
            }
            (state, expected) => state == expected && self.element == entry.element,
        }
    }

    /// What may be printed here.
    pub(super) fn stand(&self) -> Stand {
        match self.stand_in_html() {
            Stand::Fine(sink) if self.xml => Stand::Fine(sink.in_xml()),
            stand @ (Stand::Fine(_) | Stand::OnlyJson(_) | Stand::OnlyOwn(..) | Stand::Refused(..)) => stand,
        }
    }

    fn stand_in_html(&self) -> Stand {
        match self.state {
            // No `>` is left in what is escaped, so that it ends no section either.
            State::Text | State::CharacterData => Stand::Fine(Sink::Text),
            State::Quoted { kind: Kind::Plain | Kind::Meta, .. } => Stand::Fine(Sink::Attribute),
            State::Quoted { kind: Kind::Images, .. } => Stand::Fine(Sink::Images),
            State::Quoted { kind: Kind::ScriptType, .. } => {
                Stand::OnlyOwn(Sink::Attribute, "in the type of a script", "write the type out")
            }
            State::Quoted { kind: Kind::Url, .. } if self.url.runs() => {
                Stand::Refused("in a URL that is a script or a document", USE_DATA)
            }
            State::Quoted { kind: Kind::Url, .. }
                if self.url.leads_anywhere() && matches!(local_name(&self.element), "script" | "base") =>
            {
                Stand::OnlyOwn(
                    Sink::Url(UrlPart::Start),
                    "that says where a script comes from",
                    "begin the address with text of the layout, as in `/js/`",
                )
            }
            State::Quoted { kind: Kind::Url, .. } => Stand::Fine(Sink::Url(self.url.part())),
            State::Quoted { kind: Kind::Code, .. } => Stand::Refused("in an attribute that is a script", USE_DATA),
            State::Quoted { kind: Kind::Style, .. } => {
                Stand::Refused("in a `style` attribute", "choose a `class` by `{% if %}` or `{% case %}` instead")
            }
            State::Quoted { kind: Kind::Document, .. } => Stand::Refused("in a `srcdoc` attribute", USE_DATA),
            State::Raw => match local_name(&self.element) {
                "script" => self.script.stand(self.role),
                // References are read here, but tags are not.
                "textarea" | "title" => Stand::Fine(Sink::Attribute),
                "style" => Stand::Refused("in a `<style>` element", "choose a `class` instead"),
                _ => Stand::Refused("in an element whose content is not markup", "move it out of the element"),
            },
            State::Comment => Stand::Refused("in a comment of the markup", "use `{% comment %}` for notes"),
            State::Declaration => Stand::Refused("in a declaration of the markup", "write it out"),
            State::Unquoted | State::BeforeValue => {
                Stand::Refused("in an attribute without quotes", "write quotes around the value")
            }
            State::TagOpen | State::TagName => {
                Stand::Refused("in the name of an element", "choose the element by `{% if %}` or `{% case %}`")
            }
            State::InTag | State::Slash | State::AttributeName | State::AfterName => {
                Stand::Refused("in a tag, outside an attribute's value", "write the attribute's name and quotes out")
            }
        }
    }

    /// Something was printed here.
    pub(super) fn output(&mut self) {
        if self.state == State::Raw {
            self.script.output();
        } else if matches!(self.state, State::Quoted { kind: Kind::Url, .. }) {
            self.url.output();
        }
    }

    /// Where the second run of a loop's body begins that leaves `end` behind; none if that is where the first began, or the
    /// value of no URL. A second run and all that follow are alike: they are followed once.
    pub(super) fn after_a_run(&self, end: &Self) -> Option<Self> {
        if self == end || !matches!(self.state, State::Quoted { kind: Kind::Url, .. }) {
            return None;
        }
        let joined = self.join(end)?;
        let url = self.url.after_a_run(&end.url)?;
        Some(Self { url, ..joined })
    }

    /// The markup after either of two branches; none if they leave it in different places.
    pub(super) fn join(&self, other: &Self) -> Option<Self> {
        if self == other {
            return Some(self.clone());
        }
        let foreign = self.foreign.join(&other.foreign);
        if self.is_in_tag() && other.is_in_tag() {
            let matters = |tracker: &Self| tracker.is_raw() || tracker.element == "meta";
            if self.element != other.element && (matters(self) || matters(other)) {
                return None;
            }
            // Where one way is within a name or a value, nothing is sure before white space or the end of the tag.
            let clear = self.state == State::InTag && other.state == State::InTag;
            let state = if clear { State::InTag } else { State::Unquoted };
            let role = self.role.join(other.role);
            let is_typed = self.is_typed || other.is_typed;
            return Some(Self { state, element: self.element.clone(), role, is_typed, foreign, ..self.fresh() });
        }
        match (self.state, other.state) {
            (State::Quoted { .. }, State::Quoted { .. }) if self.state == other.state => {
                Some(Self { url: self.url.join(&other.url), foreign, ..self.clone() })
            }
            (State::Raw, State::Raw) if self.element == other.element && self.in_section == other.in_section => {
                let role = self.role.join(other.role);
                Some(Self { script: self.script.join(&other.script)?, role, foreign, ..self.clone() })
            }
            (State::Text, State::Text) => Some(Self { foreign, ..self.between_tags() }),
            _ => None,
        }
    }

    fn is_in_tag(&self) -> bool {
        let in_name = matches!(self.state, State::TagName | State::AttributeName | State::AfterName);
        in_name || matches!(self.state, State::InTag | State::Slash | State::Unquoted | State::BeforeValue)
    }

    /// Follows a literal part. Tells of a `:` after which a value that was printed before it would be the scheme of a URL.
    pub(super) fn literal(&mut self, text: &str) -> Option<Clash> {
        let bytes = text.as_bytes();
        let (mut at, mut clash) = (0, None);
        while let Some(&byte) = bytes.get(at) {
            let rest = bytes.get(at..).unwrap_or_default();
            let is_end = matches!(self.state, State::Quoted { quote, .. } if quote == byte);
            if matches!(self.state, State::Quoted { kind: Kind::Url, .. }) && !is_end && self.url.take(byte, rest) {
                clash.get_or_insert(Clash {
                    at,
                    message: "a value before this `:` could choose a scheme that runs code",
                    help: "write the scheme out, as in `https:`, or print the whole URL as one value",
                });
            }
            if self.state == State::Raw && self.begins_markup(rest) {
                clash.get_or_insert(Clash {
                    at,
                    message: "what looks like a tag within a script or a style is one in a drawing, and in XML",
                    help: "put the code into `<![CDATA[ … ]]>`, or into HTML outside of the drawing, or write `\\x3c`",
                });
            }
            at += self.step(rest);
        }
        clash
    }

    /// Takes the first byte of `rest`, or several when they only mean something together; how many.
    pub(in super::super) fn step(&mut self, rest: &[u8]) -> usize {
        let Some(&byte) = rest.first() else { return 0 };
        match self.state {
            State::Text => return self.text(byte, rest),
            // What a `<` before it could begin is a text.
            State::TagOpen if byte == b'<' => return self.text(byte, rest),
            State::TagOpen => self.tag_open(byte),
            State::TagName => match byte {
                b'>' => self.close_tag(false),
                b'/' => self.state = State::Slash,
                byte if is_space(byte) => self.state = State::InTag,
                _ => self.element.push(self.folded(byte)),
            },
            State::InTag | State::AfterName => self.in_tag(byte),
            State::Slash if byte == b'>' => self.close_tag(true),
            State::Slash => self.in_tag(byte),
            State::AttributeName => match byte {
                b'>' => self.close_tag(false),
                b'=' => self.state = State::BeforeValue,
                b'/' => self.state = State::Slash,
                byte if is_space(byte) => self.state = State::AfterName,
                _ => self.attribute.push(char::from(byte.to_ascii_lowercase())),
            },
            State::BeforeValue => match byte {
                b'"' | b'\'' => {
                    self.state = State::Quoted { quote: byte, kind: self.kind() };
                    self.url = Url::default();
                    self.value.clear();
                }
                b'>' => self.close_tag(false),
                byte if is_space(byte) => {}
                _ => {
                    self.value.clear();
                    self.value.push(char::from(byte.to_ascii_lowercase()));
                    self.state = State::Unquoted;
                }
            },
            State::Quoted { quote, .. } if byte == quote => self.end_value(),
            State::Quoted { quote, kind: Kind::Meta } => {
                self.remember(byte);
                if goes_elsewhere(&self.value) {
                    self.state = State::Quoted { quote, kind: Kind::Url };
                    self.url = Url::default();
                }
            }
            State::Quoted { kind: Kind::ScriptType, .. } => self.remember(byte),
            State::Quoted { .. } => {}
            State::Unquoted => match byte {
                b'>' => {
                    self.end_value();
                    self.close_tag(false);
                }
                byte if is_space(byte) => self.end_value(),
                _ => self.remember(byte),
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
            State::Raw => return self.raw(byte, rest),
        }
        1
    }

    fn text(&mut self, byte: u8, rest: &[u8]) -> usize {
        if byte != b'<' {
            return memchr::memchr(b'<', rest).unwrap_or(rest.len());
        }
        if rest.starts_with(b"<!--") {
            self.state = State::Comment;
            return 4 + self.abrupt_end(rest);
        }
        if (self.xml || self.foreign.is_inside()) && rest.starts_with(SECTION) {
            self.state = State::CharacterData;
            return SECTION.len();
        }
        // An end tag without a name is none: `</>` is nothing at all, and `</ …` a comment.
        if !self.xml
            && rest.starts_with(b"</")
            && let Some(&after) = rest.get(2)
            && !after.is_ascii_alphabetic()
        {
            self.state = if after == b'>' { State::Text } else { State::Declaration };
            return if after == b'>' { 3 } else { 2 };
        }
        self.state = State::TagOpen;
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
                self.element.push(self.folded(byte));
                self.role = Role::Code;
                self.is_typed = false;
                State::TagName
            }
            _ => State::Text,
        };
    }

    /// A letter of an element's name, whose case means something in XML alone: there `Style` is none of HTML's elements.
    fn folded(&self, byte: u8) -> char {
        char::from(if self.xml { byte } else { byte.to_ascii_lowercase() })
    }

    fn in_tag(&mut self, byte: u8) {
        match byte {
            b'>' => self.close_tag(false),
            b'=' if self.state == State::AfterName => self.state = State::BeforeValue,
            b'/' => self.state = State::Slash,
            byte if is_space(byte) => {
                if self.state == State::Slash {
                    self.state = State::InTag;
                }
            }
            _ => {
                self.attribute.clear();
                self.attribute.push(char::from(byte.to_ascii_lowercase()));
                self.state = State::AttributeName;
            }
        }
    }

    /// Keeps the beginning of a value.
    fn remember(&mut self, byte: u8) {
        if self.value.len() < LONGEST_VALUE {
            self.value.push(char::from(byte.to_ascii_lowercase()));
        }
    }

    /// The value of an attribute has ended.
    fn end_value(&mut self) {
        // Of two attributes of a name, browsers take the first.
        if self.kind() == Kind::ScriptType && !std::mem::replace(&mut self.is_typed, true) {
            self.role = Role::of(&self.value);
        }
        self.state = State::InTag;
    }

    /// What the value of the attribute at hand is.
    fn kind(&self) -> Kind {
        Kind::of(local_name(&self.element), &self.attribute, self.xml)
    }

    /// Whether the content of the element is not markup.
    fn is_raw(&self) -> bool {
        if self.xml || self.foreign.is_inside() {
            return matches!(local_name(&self.element), "script" | "style") && !self.element.starts_with('/');
        }
        RAW_ELEMENTS.contains(&self.element.as_str())
    }

    fn close_tag(&mut self, closes_itself: bool) {
        self.attribute.clear();
        let closes_itself = closes_itself && (self.xml || self.foreign.is_inside() || Foreign::begins(&self.element));
        if self.is_raw() && !closes_itself {
            self.script = Script::default();
            self.in_section = false;
            self.state = State::Raw;
            return;
        }
        if !self.xml && !closes_itself {
            self.foreign.tag(&self.element);
        }
        self.element.clear();
        self.state = State::Text;
    }

    /// Whether the content of a script or a style is read as markup all the same, but for sections of character data: so it is
    /// in XML, and in drawings and formulas within HTML.
    fn reads_raw(&self) -> bool {
        (self.xml || self.foreign.is_inside()) && !self.in_section
    }

    /// Whether `rest`, which stands in a script or a style, begins something that is not its end, or could together with a value
    /// that is printed next.
    fn begins_markup(&self, rest: &[u8]) -> bool {
        let may_begin = match rest {
            [b'<', after, ..] => after.is_ascii_alphabetic() || matches!(after, b'/' | b'!' | b'?'),
            [b'<'] => true,
            _ => false,
        };
        may_begin && self.reads_raw() && !self.ends_raw(rest) && !rest.starts_with(SECTION)
    }

    /// Whether `rest` is the end tag of the element whose content is not markup.
    fn ends_raw(&self, rest: &[u8]) -> bool {
        let name = self.element.as_bytes();
        rest.starts_with(b"</")
            && rest.get(2..2 + name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name))
            && rest.get(2 + name.len()).is_none_or(|&byte| is_space(byte) || matches!(byte, b'>' | b'/'))
    }

    fn raw(&mut self, byte: u8, rest: &[u8]) -> usize {
        if self.in_section {
            self.in_section = !rest.starts_with(b"]]>");
        } else if self.ends_raw(rest) && !self.script.is_nested() {
            let length = 2 + self.element.len();
            self.element.insert(0, '/');
            self.state = State::TagName;
            return length;
        } else {
            self.in_section = self.reads_raw() && rest.starts_with(SECTION);
        }
        if self.element.ends_with("script") {
            self.script.take(byte, rest, self.role);
        }
        1
    }
}

/// Whether tags begin and end in `text`, in HTML and in XML, and nothing reads on otherwise behind it.
pub(super) fn is_whole(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    // What ends here and has not begun here began around it.
    let ends_another = |name: &&str| {
        let end = lower.find(&format!("</{name}"));
        end.is_some_and(|end| lower.find(&format!("<{name}")).is_none_or(|start| start > end))
    };
    let is_within = |mut tracker: Tracker| {
        let start = tracker.clone();
        tracker.literal(text).is_none() && tracker.reads_like(&start)
    };
    // Comments, declarations and sections of character data have other ends in other places.
    !["<!", "<?"].iter().any(|aside| text.contains(aside))
        && !RAW_ELEMENTS.iter().chain(&["svg", "math", "template"]).any(ends_another)
        && is_within(Tracker::html())
        && is_within(Tracker::xml())
}

/// What HTML takes for white space.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

/// Whether the `content` of a `<meta>` that begins so may say, after a delay, which page comes next.
fn goes_elsewhere(value: &str) -> bool {
    let rest = value.trim_start().trim_start_matches(|character: char| character.is_ascii_digit() || character == '.');
    rest.len() < value.trim_start().len() && rest.starts_with([';', ',', ' '])
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
        use UrlPart::{Path, Query, Rest, Root, Start};
        let url = |part| Stand::Fine(Sink::Url(part));
        for (text, expected) in [
            ("", Stand::Fine(Sink::Text)),
            ("a < b", Stand::Fine(Sink::Text)),
            ("<p>", Stand::Fine(Sink::Text)),
            ("<p class=\"", Stand::Fine(Sink::Attribute)),
            ("<p\nCLASS = '", Stand::Fine(Sink::Attribute)),
            ("<a href=\"", url(Start)),
            ("<a href='x", url(Start)),
            ("<a href='/", url(Root)),
            ("<a href='/x/", url(Path)),
            ("<a href='x/", url(Path)),
            ("<a href='?a=", url(Query)),
            ("<a href='/x?a=b&amp;c=", url(Query)),
            ("<a href='/x#", url(Query)),
            ("<a href='mailto:", url(Rest)),
            ("<a href='https://", url(Rest)),
            ("<a href='https://a.example/", url(Path)),
            ("<img srcset=\"", Stand::Fine(Sink::Images)),
            ("<a href=\"x\">", Stand::Fine(Sink::Text)),
            ("<!-- x --><p>", Stand::Fine(Sink::Text)),
            ("<!doctype html>", Stand::Fine(Sink::Text)),
            ("<title>a <b> ", Stand::Fine(Sink::Attribute)),
            ("<textarea>", Stand::Fine(Sink::Attribute)),
            ("<script>let a = 'x'; b = ", Stand::OnlyJson("in a script")),
            ("<script></script>", Stand::Fine(Sink::Text)),
            ("<script><!-- <script> </script> --></script>", Stand::Fine(Sink::Text)),
            ("<script type='application/json'>{\"a\": \"", Stand::Fine(Sink::JsonText)),
            ("<script type=application/ld+json>{\"a\": ", Stand::OnlyJson("in a script")),
            ("<script src='/js/", url(Path)),
            ("<script src='js/", url(Path)),
            ("<script src='?v=", url(Query)),
            ("<script src='https://example.com/", url(Path)),
            ("<script src='//example.com/", url(Path)),
            ("<base href='/docs/", url(Path)),
            ("<svg><title/><a href='", url(Start)),
            ("<svg><title><b>", Stand::Fine(Sink::Text)),
            ("<svg><title><b></title></svg><title><b>", Stand::Fine(Sink::Attribute)),
            ("<svg><title /></svg><script>", Stand::OnlyJson("in a script")),
            ("<svg><script/><a title='", Stand::Fine(Sink::Attribute)),
            ("<svg><![CDATA[<a title='", Stand::Fine(Sink::Text)),
            ("<![CDATA[ > <a title='", Stand::Fine(Sink::Attribute)),
            ("<style></STYLE ><p>", Stand::Fine(Sink::Text)),
            ("</ a=\"> ", Stand::Fine(Sink::Text)),
            ("<<!-- > <script> --><p title='", Stand::Fine(Sink::Attribute)),
            ("</><p title='", Stand::Fine(Sink::Attribute)),
            ("<a href='https:", url(Rest)),
            ("<a href=' \tx-java", url(Start)),
            ("<img src='data:image/png;base64,", url(Path)),
            ("<meta name=description content='", Stand::Fine(Sink::Attribute)),
            ("<meta http-equiv=refresh content='0; url=", url(Start)),
            ("<meta content='5;url=/", url(Path)),
            ("<!--><p>", Stand::Fine(Sink::Text)),
            ("<!---><script>", Stand::OnlyJson("in a script")),
            ("<!-- a --!><p title='", Stand::Fine(Sink::Attribute)),
        ] {
            assert_eq!(after(text), expected, "{text}");
        }
        for text in [
            "<script src=\"",
            "<script src='/",
            "<script src=' /\t",
            "<script src='//",
            "<script src='\\/",
            "<script src='https:",
            "<script src='https:/",
            "<script src='https://example.",
            "<script type='",
            "<script type=importmap>{\"imports\": {\"a\": ",
            "<base href='",
            "<base href='//",
        ] {
            assert!(matches!(after(text), Stand::OnlyOwn(..)), "{text}");
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
            "<script type=text/template>",
            "<script><!-- <script> </script>",
            "<script>/*/ ",
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
            tracker.literal(literal).map(|clash| clash.at)
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
            ("<title><a href='", Stand::Fine(Sink::XmlUrl(UrlPart::Start))),
            ("<link href=\"", Stand::Fine(Sink::XmlUrl(UrlPart::Start))),
            ("<x:form action='", Stand::Fine(Sink::XmlUrl(UrlPart::Start))),
            ("<item action='", Stand::Fine(Sink::XmlAttribute)),
            ("<item online='", Stand::Fine(Sink::XmlAttribute)),
            ("<d><![CDATA[ <a href=", Stand::Fine(Sink::XmlText)),
            ("<![CDATA[ > ]] ]]><a x='", Stand::Fine(Sink::XmlAttribute)),
            ("<?xml version='1.0'?><a>", Stand::Fine(Sink::XmlText)),
            ("<script/><p>", Stand::Fine(Sink::XmlText)),
            ("<script src='/a'/><p>", Stand::Fine(Sink::XmlText)),
            ("<svg:script>a = ", Stand::OnlyJson("in a script")),
            ("<Style><color>", Stand::Fine(Sink::XmlText)),
            ("<kml:Style>", Stand::Fine(Sink::XmlText)),
            ("<SCRIPT><a href='", Stand::Fine(Sink::XmlUrl(UrlPart::Start))),
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
        assert_eq!(joined("<a href=\"/", "<a href=\""), Some(Stand::Fine(Sink::Url(UrlPart::Start))));
        assert_eq!(joined("<a href='https:", "<a href='http:"), Some(Stand::Fine(Sink::Url(UrlPart::Rest))));
        assert!(matches!(joined("<a href='javascript:", "<a href='http:"), Some(Stand::Refused(..))));
        for (left, right) in [("/", "//"), ("/", "//x"), ("//x", "/"), ("/a", "/"), ("https:", "/a/")] {
            let joined = joined(&format!("<script src='{left}"), &format!("<script src='{right}"));
            assert!(matches!(joined, Some(Stand::OnlyOwn(..))), "{left} or {right}");
        }
        let mut slashes = tracker("<script src='/").join(&tracker("<script src='//x")).unwrap();
        slashes.literal("/");
        assert!(matches!(slashes.stand(), Stand::OnlyOwn(..)));
        let mut either = tracker("<a href='https").join(&tracker("<a href='http")).unwrap();
        assert_eq!(either.literal("://"), None);
        assert_eq!(either.stand(), Stand::Fine(Sink::Url(UrlPart::Rest)));
        assert!(joined("<option", "<option selected").is_some());
        assert!(matches!(joined("<a", "<a class=\"x\""), Some(Stand::Refused(..))));
        assert_eq!(joined("<a href=\"", "<a title=\""), None);
        assert_eq!(joined("<p>", "<p class=\""), None);
        assert_eq!(joined("<script>", "<p>"), None);
    }
}
