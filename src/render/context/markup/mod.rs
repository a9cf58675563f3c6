//! Where in the markup each output of an `.html` or `.xml` layout stands: a small tokenizer over the literal parts.
//!
//! It follows the HTML tokenizer (WHATWG HTML, section 13.2.5) as far as escaping needs: text, tags, attributes by quote and
//! kind, comments, elements whose content is not markup, and drawings and formulas, where the rules are nearly those of XML. XML
//! (where feeds, drawings and whole pages are written) differs in few places: sections of character data, tags that close themselves,
//! and names that mean something to HTML alone. Where it is unsure it says [`Stand::Refused`], never "safe".
//!
//! `partial` says what a partial is told of the place that it is called from, and what is known behind it; `raw` follows what is no
//! markup; `split` looks at the borders of literal parts; `stand` says what may be printed.

mod partial;
mod raw;
mod split;
mod stand;

use super::super::escape::{Holder, Sink};
use super::attribute::{Kind, has_kinds, holder};
use super::foreign::Foreign;
use super::said::{Power, Said, Word, deciders};
use super::script::{Role, Script};
use super::url::{Chosen, Taken, Url};
use super::{Clash, Guard, Stand};
use partial::{Bound, Reach};
use split::Half;

/// Follows the markup, literal by literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tracker {
    state: State,
    /// The element whose tag is open, or whose content this is if it is not markup; in HTML in lower case.
    element: String,
    /// The attribute at hand, in lower case.
    attribute: String,
    /// Its value so far, where that changes what the rest means.
    value: Word,
    /// The URL at hand.
    url: Url,
    /// What the tag at hand has said of itself, or that of the `<script>` whose text this is.
    said: Said,
    /// Whether a value was printed that must not be if the tag goes on to say that browsers act by it.
    fed: bool,
    /// What a partial must not end, because its caller began it.
    bound: Bound,
    /// Whether this is in a partial behind whose call white space or the end of the tag follows.
    reach: Reach,
    /// How the literal part before ended.
    half: Half,
    /// Where in the text of a script.
    script: Script,
    /// The drawings and formulas around.
    foreign: Foreign,
    /// Whether this is in a section of character data within a script or a style.
    in_section: bool,
    /// What is wrong with the literal part at hand.
    complaint: Option<Complaint>,
    /// Whether it is XML.
    xml: bool,
}

/// A message and what to do instead.
type Complaint = (&'static str, &'static str);

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
    /// `<?…?>` in XML.
    Instruction,
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

/// How a section of character data begins.
const SECTION: &[u8] = b"<![CDATA[";

const LOST_DRAWING: Complaint = (
    "it is not clear whether this is in a drawing or a formula, where browsers read it in another way",
    "close each element of the drawing with its own end tag, before the end of what is around it",
);

const TAG_IN_CODE: Complaint = (
    "what looks like a tag within a script or a style is one in a drawing, and in XML",
    "put the code into `<![CDATA[ … ]]>`, or into HTML outside of the drawing, or write `\\x3c`",
);

const PASSED_OVER: Complaint = (
    "browsers pass over this tag in a `<select>` or a `<frameset>`",
    "close that element before, or leave the tag out",
);

const SAID_TOO_LATE: Complaint = (
    "this makes browsers act by a value that was printed before it",
    "write this attribute first, and what it gives power to behind it",
);

const DECLARED_MARKUP: Complaint = (
    "what a document type declares changes the markup behind it",
    "leave out what stands in brackets, and write what it stands for where it is needed",
);

const NO_NAME: Complaint = (
    "this `=` has no name before it here, and a partial may have written one",
    "write the name of an attribute and its value in the same file",
);

const SAID_BEHIND_PARTIAL: Complaint = (
    "a partial that was called before this in the same tag may have said it already",
    "write this attribute before the call",
);

const HIDDEN_END: Complaint =
    ("a browser that runs scripts ends the `<noscript>` here", "write `<` as `&lt;`, or leave the text out");

impl Tracker {
    /// At the beginning of HTML.
    pub(in super::super) fn html() -> Self {
        Self {
            state: State::Text,
            element: String::new(),
            attribute: String::new(),
            value: Word::default(),
            url: Url::of(Holder::Whole),
            said: Said::default(),
            fed: false,
            bound: Bound::Nothing,
            reach: Reach::On,
            half: Half::default(),
            script: Script::default(),
            foreign: Foreign::default(),
            in_section: false,
            complaint: None,
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
            State::Declaration | State::Instruction => Sight::Declaration,
            State::Comment | State::CharacterData => Sight::Aside,
            State::Raw => Sight::Raw,
        }
    }

    /// The element whose tag is open, or whose content this is if it is not markup.
    pub(in super::super) fn element(&self) -> &str {
        &self.element
    }

    /// Whether a `/` before the `>` would end an element of this name.
    pub(super) fn closes_itself(&self, name: &str) -> bool {
        self.xml || self.foreign.ends_itself(name)
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

    /// Whether the drawings and formulas around are those at `entry`.
    pub(super) fn keeps_drawings(&self, entry: &Self) -> bool {
        self.foreign.returns_to(&entry.foreign)
    }

    /// Something was printed here.
    pub(super) fn output(&mut self) {
        let is_open = self.power() == Power::Open;
        self.half = Half::default();
        if self.state == State::Raw {
            self.script.output(self.said.role());
        } else if let State::Quoted { kind, .. } = self.state {
            if kind == Kind::Expression {
                self.script.output(Role::Code);
            }
            self.value = Word::Unclear;
            self.fed |= is_open && (kind == Kind::Meta || (kind == Kind::Url && self.url.leads_anywhere()));
            if kind.is_url() {
                self.url.output();
            }
        }
    }

    /// Where the second run of a loop's body begins that leaves `end` behind; none if that is where the first began. A second run and
    /// all that follow are alike: they are followed once.
    pub(super) fn after_a_run(&self, end: &Self) -> Option<Self> {
        // Between tags nothing is left of what was behind them, but for the drawings that are open.
        if self == end || (self.is_text() && end.is_text() && self.foreign == end.foreign) {
            return None;
        }
        let joined = self.join(end)?;
        if matches!(self.state, State::Quoted { kind, .. } if kind.is_url()) {
            let url = self.url.after_a_run(&end.url)?;
            return Some(Self { url, ..joined });
        }
        (joined != *self).then_some(joined)
    }

    /// Where further runs begin of a body whose second begins here and leaves `end` behind; none if they begin where the second did.
    /// What has not settled in two runs is not sure in any other.
    pub(super) fn after_more_runs(&self, end: &Self) -> Option<Self> {
        let is_code = self.state == State::Raw || matches!(self.state, State::Quoted { kind: Kind::Expression, .. });
        let joined = self.join(end).filter(|joined| is_code && joined != self)?;
        Some(Self { script: joined.script.lost(), ..joined })
    }

    /// The markup after either of two branches; none if they leave it in different places.
    pub(super) fn join(&self, other: &Self) -> Option<Self> {
        if self == other {
            return Some(self.clone());
        }
        if self.half != other.half {
            let half = self.half.or(other.half);
            return Self { half, ..self.clone() }.join(&Self { half, ..other.clone() });
        }
        let foreign = self.foreign.join(&other.foreign);
        if self.is_in_tag() && other.is_in_tag() {
            if !self.is_of_like(other) {
                return None;
            }
            // Where one way is within a name or a value, nothing is sure before white space or the end of the tag.
            let clear = self.state == State::InTag && other.state == State::InTag;
            let state = if clear { State::InTag } else { State::Unquoted };
            let said = self.said_so_far().join(&other.said_so_far());
            let fed = self.fed || other.fed;
            // What branches say in turn, the runs of a loop say together.
            if fed && said.said_power(local_name(&self.element)) == Power::Acts {
                return None;
            }
            let element = self.element.clone();
            return Some(Self { state, element, said, fed, foreign, bound: self.bound, ..self.fresh() });
        }
        let value = self.value.join(&other.value);
        let said = self.said.join(&other.said);
        let fed = self.fed || other.fed;
        match (self.state, other.state) {
            (State::Quoted { .. }, State::Quoted { .. })
                if self.state == other.state
                    && self.is_of_like(other)
                    && (self.attribute == other.attribute || deciders(local_name(&self.element)).is_empty()) =>
            {
                let mut script = self.script.clone();
                if matches!(self.state, State::Quoted { kind: Kind::Expression, .. }) {
                    script = self.script.join(&other.script).unwrap_or_else(|| self.script.lost());
                }
                Some(Self { url: self.url.join(&other.url), script, foreign, value, said, fed, ..self.clone() })
            }
            (State::Raw, State::Raw) if self.element == other.element && self.in_section == other.in_section => {
                Some(Self { script: self.script.join(&other.script)?, said, foreign, ..self.clone() })
            }
            (State::Text, State::Text) => Some(Self { foreign, ..self.fresh() }),
            _ => None,
        }
    }

    /// Whether what is told of the element at hand is true of the other one as well.
    fn is_of_like(&self, other: &Self) -> bool {
        let matters = |tracker: &Self| {
            means_something(&tracker.element) || tracker.foreign.is_inside() || tracker.foreign.is_lost()
        };
        self.element == other.element || !(matters(self) || matters(other))
    }

    /// What the tag at hand has said, if what it is saying is cut off.
    fn said_so_far(&self) -> Said {
        let mut said = self.said.clone();
        let element = local_name(&self.element);
        if self.state == State::AttributeName {
            said.begin(element, &self.attribute);
        } else if matches!(self.state, State::AfterName | State::BeforeValue | State::Unquoted) {
            said.take(element, &self.attribute, Word::Unclear);
        }
        said
    }

    fn is_in_tag(&self) -> bool {
        let in_name = matches!(self.state, State::TagName | State::AttributeName | State::AfterName);
        in_name || matches!(self.state, State::InTag | State::Slash | State::Unquoted | State::BeforeValue)
    }

    /// The same for a text that stands in no URL, or before all values.
    pub(super) fn literal(&mut self, text: &str) -> Option<Clash> {
        self.guarded_literal(text, &mut Vec::new())
    }

    /// Follows a literal part. Tells of a `:` after which a value that was printed before it would be the scheme of a URL, and of the
    /// slashes that could begin a host.
    pub(super) fn guarded_literal(&mut self, text: &str, guards: &mut Vec<Guard>) -> Option<Clash> {
        let bytes = text.as_bytes();
        if bytes.is_empty() {
            return None;
        }
        let (mut at, mut clash) = (0, None);
        if let Some((message, help)) = self.goes_on_with_sign(bytes) {
            clash = Some(Clash { at, message, help });
        }
        while let Some(&byte) = bytes.get(at) {
            let rest = bytes.get(at..).unwrap_or_default();
            let is_end = matches!(self.state, State::Quoted { quote, .. } if quote == byte);
            let mut taken = Taken::default();
            if let State::Quoted { kind, quote } = self.state
                && kind.is_url()
                && !is_end
            {
                taken = self.url.take(byte, rest);
                guards.extend(taken.is_guarded.then(|| (at, self.url.look(quote))));
            }
            if let Some(chosen) = taken.chosen {
                let (message, help) = match chosen {
                    Chosen::Scheme => (
                        "a value before this `:` could choose a scheme that runs code",
                        "write the scheme out, as in `https:`, or print the whole URL as one value",
                    ),
                    Chosen::Host => (
                        "a value within the name of a host could choose another one",
                        "write the host out, or let it begin with the value, as in `https://{{ shop }}.example.com/`",
                    ),
                };
                clash.get_or_insert(Clash { at, message, help });
            }
            if self.state == State::Raw && self.begins_markup(rest) {
                self.complaint = Some(TAG_IN_CODE);
            } else if self.hides_an_end(rest) {
                self.complaint = Some(HIDDEN_END);
            }
            let length = self.step(rest);
            if let Some((message, help)) = self.complaint.take() {
                clash.get_or_insert(Clash { at, message, help });
            }
            at += length;
        }
        if let Some((message, help)) = self.end_within_sign(bytes) {
            clash.get_or_insert(Clash { at: text.floor_char_boundary(text.len() - 1), message, help });
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
                b'>' => {
                    self.say(Word::default());
                    self.close_tag(false);
                }
                b'=' => self.state = State::BeforeValue,
                b'/' => {
                    self.say(Word::default());
                    self.state = State::Slash;
                }
                byte if is_space(byte) => self.state = State::AfterName,
                _ => self.attribute.push(char::from(byte.to_ascii_lowercase())),
            },
            State::BeforeValue => match byte {
                b'"' | b'\'' => {
                    let kind = self.kind();
                    self.state = State::Quoted { quote: byte, kind };
                    self.url = Url::of(holder(&self.attribute, kind));
                    self.value = Word::default();
                    if self.kind() == Kind::Expression {
                        self.script = Script::default();
                    }
                }
                b'>' => {
                    self.say(Word::default());
                    self.close_tag(false);
                }
                byte if is_space(byte) => {}
                _ => {
                    self.value = Word::default();
                    self.value.push(byte);
                    self.state = State::Unquoted;
                }
            },
            State::Quoted { quote, kind } => self.quoted(rest, quote, kind),
            State::Unquoted => match byte {
                b'>' => {
                    self.end_value();
                    self.close_tag(false);
                }
                byte if is_space(byte) => self.end_value(),
                _ => self.value.push(byte),
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
                // References mean there what it says, and elements have attributes that nobody wrote.
                if byte == b'[' && self.xml {
                    self.complaint = Some(DECLARED_MARKUP);
                }
            }
            State::Instruction => {
                if rest.starts_with(b"?>") {
                    self.state = State::Text;
                    return 2;
                }
            }
            State::Raw => return self.raw(byte, rest),
        }
        1
    }

    /// Takes a byte of a value in quotes.
    fn quoted(&mut self, rest: &[u8], quote: u8, kind: Kind) {
        let &[byte, ..] = rest else { return };
        match kind {
            _ if byte == quote => {
                self.leave(Bound::Quotes);
                self.end_value();
            }
            Kind::Meta => {
                self.value.push(byte);
                if self.power() == Power::Acts && self.value_is(goes_elsewhere) {
                    self.state = State::Quoted { quote, kind: Kind::Url };
                    self.url = Url::of(Holder::Delayed);
                }
            }
            Kind::Url if local_name(&self.element) == "meta" => {
                self.value.push(byte);
                if self.value_is(is_before_url) {
                    self.url = Url::of(Holder::Delayed);
                }
            }
            Kind::Choice => self.value.push(byte),
            Kind::Settings => {
                self.value.push(byte);
                if self.value_is(is_script) {
                    self.state = State::Quoted { quote, kind: Kind::Expression };
                    self.script = Script::default();
                }
            }
            Kind::Expression => {
                // What a reference stands for is not looked up.
                if byte == b'&' && rest.get(1).is_none_or(|&byte| byte == b'#' || byte.is_ascii_alphabetic()) {
                    self.script.lose();
                }
                self.script.take(byte, rest, Role::Code);
            }
            Kind::Plain | Kind::Url | Kind::Images | Kind::Code | Kind::Style | Kind::Document => {}
        }
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
        if self.foreign.is_lost() && rest.starts_with(SECTION) {
            self.find_way();
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
        self.said = Said::default();
        self.fed = false;
        self.state = match byte {
            b'/' => {
                // A closing tag opens no element; the slash keeps its name from being one.
                self.element.push('/');
                State::TagName
            }
            b'?' if self.xml => State::Instruction,
            b'!' | b'?' => State::Declaration,
            byte if self.begins_name(byte) => {
                self.element.push(self.folded(byte));
                State::TagName
            }
            _ => State::Text,
        };
    }

    /// Whether the name of an element may begin so; XML has more letters (XML 1.0, section 2.3).
    fn begins_name(&self, byte: u8) -> bool {
        byte.is_ascii_alphabetic() || (self.xml && (matches!(byte, b'_' | b':') || !byte.is_ascii()))
    }

    /// A letter of an element's name, whose case means something in XML alone: there `Style` is none of HTML's elements.
    fn folded(&self, byte: u8) -> char {
        char::from(if self.xml { byte } else { byte.to_ascii_lowercase() })
    }

    fn in_tag(&mut self, byte: u8) {
        if self.state == State::AfterName && byte != b'=' && !is_space(byte) {
            self.say(Word::default());
        }
        match byte {
            b'>' => self.close_tag(false),
            b'=' if self.state == State::AfterName => self.state = State::BeforeValue,
            // It belongs to a name that a partial or a branch has ended in, or else to none.
            b'=' => self.complaint = Some(NO_NAME),
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

    /// The value of an attribute has ended.
    fn end_value(&mut self) {
        let value = std::mem::take(&mut self.value);
        self.say(value);
        self.state = State::InTag;
    }

    /// The tag at hand has said this with the attribute at hand.
    fn say(&mut self, word: Word) {
        let element = local_name(&self.element);
        if self.said.is_late(element, &self.attribute) {
            self.complaint = Some(SAID_BEHIND_PARTIAL);
        }
        self.said.take(element, &self.attribute, word);
        if self.fed && self.said.said_power(element) == Power::Acts {
            self.fed = false;
            self.complaint = Some(SAID_TOO_LATE);
        }
    }

    /// Whether the value at hand is like this on some way.
    fn value_is(&self, like: fn(&str) -> bool) -> bool {
        matches!(&self.value, Word::Known(words) if words.iter().any(|value| like(value)))
    }

    /// What the value of the attribute at hand is.
    fn kind(&self) -> Kind {
        Kind::of(local_name(&self.element), &self.attribute, self.xml)
    }

    /// Whether the content of the element whose tag is open is not markup.
    fn is_raw(&self) -> bool {
        if self.xml || !self.foreign.takes_as_html(&self.element) {
            return matches!(local_name(&self.element), "script" | "style") && !self.element.starts_with('/');
        }
        RAW_ELEMENTS.contains(&self.element.as_str())
    }

    /// A tag has ended; with a `slash` before its `>`.
    fn close_tag(&mut self, slash: bool) {
        self.leave(Bound::Tag);
        self.attribute.clear();
        let closes_itself = slash && (self.xml || self.foreign.ends_itself(&self.element));
        let is_raw = self.is_raw() && !closes_itself;
        if !self.xml {
            self.take_element(closes_itself, is_raw);
        }
        if is_raw {
            self.script = Script::default();
            self.in_section = false;
            self.state = State::Raw;
            return;
        }
        self.element.clear();
        self.said = Said::default();
        self.state = State::Text;
    }

    /// Takes an element of HTML, or the end of one.
    fn take_element(&mut self, closes_itself: bool, is_raw: bool) {
        if let Some(ended) = self.element.strip_prefix('/') {
            self.foreign.end(ended);
            return;
        }
        if self.foreign.passes_over(&self.element) && is_raw {
            self.complaint = Some(PASSED_OVER);
        }
        self.foreign.start(&self.element, closes_itself, &self.said);
        if self.foreign.is_lost() && RAW_ELEMENTS.contains(&self.element.as_str()) {
            self.find_way();
        }
    }

    /// Says that it is not known whether this is in a drawing, and goes on as if it were not.
    fn find_way(&mut self) {
        self.complaint = Some(LOST_DRAWING);
        self.foreign = Foreign::default();
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
    let rest = behind_delay(value);
    rest.len() < value.len() && rest.starts_with([';', ',', ' ', '\t', '\n', '\r', '\u{c}'])
}

fn behind_delay(value: &str) -> &str {
    value.trim_start_matches(|character: char| character.is_ascii_digit() || character == '.')
}

/// Whether settings that begin so are code.
fn is_script(value: &str) -> bool {
    ["js:", "javascript:"].iter().any(|scheme| value.starts_with(scheme))
}

/// Whether the `content` of a `<meta>` has not come to its URL, but could be on the way there (section 4.2.5.3).
fn is_before_url(value: &str) -> bool {
    let rest = behind_delay(value).trim_ascii_start();
    let rest = rest.strip_prefix([';', ',']).unwrap_or(rest).trim_ascii_start();
    let Some(rest) = rest.strip_prefix("url") else { return "url".starts_with(rest) };
    let Some(rest) = rest.trim_ascii_start().strip_prefix('=') else { return rest.trim_ascii_start().is_empty() };
    matches!(rest.trim_ascii_start(), "" | "'" | "\"")
}

/// Whether an element of this name, or its end, is another thing to browsers than one of any other name.
fn means_something(name: &str) -> bool {
    let name = local_name(name.strip_prefix('/').unwrap_or(name));
    RAW_ELEMENTS.contains(&name) || !deciders(name).is_empty() || Foreign::knows(name) || has_kinds(name)
}

/// A name without the prefix that stands for its namespace.
fn local_name(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}
