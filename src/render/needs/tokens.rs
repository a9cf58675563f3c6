//! Follows markup as browsers do (WHATWG HTML, section 13.2.5), on several ways at once: through literal text, with a hole where a value
//! is printed.
//!
//! Where branches have left different texts in an attribute or a script, each is kept, up to a few; beyond that it counts as a value.

use super::Needs;
use super::holes::VALUE;
use crate::diagnostic::FileId;
use std::ops::Range;

/// So many texts of one attribute or script are told apart.
const MOST_WAYS: usize = 8;
/// So many places in the markup are followed at once. Layouts whose branches end in different places do not load.
const MOST_STATES: usize = 4;
/// The longest name that means anything.
const LONGEST_NAME: usize = 64;

/// Where something stands: in a file, or in finished HTML.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Spot {
    pub(super) file: Option<FileId>,
    pub(super) range: Range<usize>,
}

/// An attribute, and its values on all ways.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) spot: Spot,
    pub(super) ways: Vec<String>,
}

/// A point in the markup.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct State {
    at: At,
    /// The element whose tag is open, or whose text this is; in lower case, with a `/` if the tag ends it.
    pub(super) element: String,
    pub(super) opened: Spot,
    pub(super) attributes: Vec<Attribute>,
    /// The attribute at hand.
    attribute: String,
    spot: Spot,
    /// Its value, or the text of the element, on each way.
    pub(super) ways: Vec<String>,
    /// How many drawings and formulas are open around.
    foreign: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
enum At {
    #[default]
    Text,
    TagOpen,
    TagName,
    /// In a tag, between attributes; after a `/` if so.
    InTag {
        slash: bool,
    },
    AttributeName,
    AfterName,
    BeforeValue,
    Quoted(u8),
    Unquoted,
    Comment,
    CharacterData,
    /// What ends at the next `>`.
    Declaration,
    /// In an element whose content is text.
    Raw,
}

/// Elements whose content is text.
const RAW: [&str; 8] = ["iframe", "noembed", "noframes", "script", "style", "textarea", "title", "xmp"];

impl Needs {
    /// Follows `text`, which begins at the byte `base` of `file`, from each of `states`.
    pub(super) fn follow(&mut self, states: &mut [State], text: &str, file: Option<FileId>, base: usize) {
        for state in states {
            let mut reader = Reader { needs: self, state, text, file, base };
            let mut at = 0;
            while at < text.len() {
                at += reader.step(at);
            }
        }
    }
}

/// One way through one text.
struct Reader<'r> {
    needs: &'r mut Needs,
    state: &'r mut State,
    text: &'r str,
    file: Option<FileId>,
    base: usize,
}

impl Reader<'_> {
    fn rest(&self, at: usize) -> &[u8] {
        self.text.as_bytes().get(at..).unwrap_or_default()
    }

    fn spot(&self, start: usize, end: usize) -> Spot {
        Spot { file: self.file, range: self.base + start..self.base + end }
    }

    /// Takes what stands at the byte `at`; how many bytes that is.
    fn step(&mut self, at: usize) -> usize {
        let Some(&byte) = self.text.as_bytes().get(at) else { return 1 };
        match self.state.at {
            At::Text => return self.between_tags(at),
            At::TagOpen => self.tag_open(byte, at),
            At::TagName => match byte {
                b'>' => self.close(false),
                b'/' => self.state.at = At::InTag { slash: true },
                byte if is_space(byte) => self.state.at = At::InTag { slash: false },
                byte => {
                    push(&mut self.state.element, byte);
                    self.state.opened.range.end = self.base + at + 1;
                }
            },
            At::InTag { slash } => match byte {
                b'>' => self.close(slash),
                b'/' => self.state.at = At::InTag { slash: true },
                byte if is_space(byte) => self.state.at = At::InTag { slash: false },
                byte => self.begin_attribute(byte, at),
            },
            At::AttributeName => match byte {
                b'>' => self.close(false),
                b'=' => self.state.at = At::BeforeValue,
                b'/' => {
                    self.end_attribute();
                    self.state.at = At::InTag { slash: true };
                }
                byte if is_space(byte) => self.state.at = At::AfterName,
                byte => {
                    push(&mut self.state.attribute, byte);
                    self.state.spot.range.end = self.base + at + 1;
                }
            },
            At::AfterName => match byte {
                b'=' => self.state.at = At::BeforeValue,
                b'>' => self.close(false),
                byte if is_space(byte) => {}
                b'/' => {
                    self.end_attribute();
                    self.state.at = At::InTag { slash: true };
                }
                byte => {
                    self.end_attribute();
                    self.begin_attribute(byte, at);
                }
            },
            At::BeforeValue => match byte {
                b'"' | b'\'' => self.state.at = At::Quoted(byte),
                b'>' => self.close(false),
                byte if is_space(byte) => {}
                _ => {
                    self.state.at = At::Unquoted;
                    return 0;
                }
            },
            At::Quoted(quote) => {
                let length = memchr::memchr(quote, self.rest(at)).unwrap_or(self.text.len() - at);
                self.append(at, length);
                if at + length < self.text.len() {
                    self.end_attribute();
                    return length + 1;
                }
                return length.max(1);
            }
            At::Unquoted => {
                let is_end = |byte: &u8| is_space(*byte) || *byte == b'>';
                let length = self.rest(at).iter().position(is_end).unwrap_or(self.text.len() - at);
                self.append(at, length);
                if at + length < self.text.len() {
                    self.end_attribute();
                }
                return length;
            }
            At::Comment => return self.until(at, &[b"-->", b"--!>"]),
            At::CharacterData => return self.until(at, &[b"]]>"]),
            At::Declaration => return self.until(at, &[b">"]),
            At::Raw => return self.raw(at),
        }
        1
    }

    /// Goes on to the first of `ends`, after which there is text again.
    fn until(&mut self, at: usize, ends: &[&[u8]]) -> usize {
        let rest = self.rest(at);
        let found = ends.iter().filter_map(|end| Some((memchr::memmem::find(rest, end)?, end.len()))).min();
        let Some((length, end)) = found else { return rest.len() };
        self.state.at = At::Text;
        length + end
    }

    fn append(&mut self, at: usize, length: usize) {
        let piece = self.text.get(at..at + length).unwrap_or_default();
        append(&mut self.state.ways, piece);
    }

    fn between_tags(&mut self, at: usize) -> usize {
        let rest = self.rest(at);
        match memchr::memchr(b'<', rest) {
            None => return rest.len(),
            Some(0) => {}
            Some(length) => return length,
        }
        if rest.starts_with(b"<!--") {
            // `<!-->` and `<!--->` are whole comments.
            let whole = [&b"<!-->"[..], b"<!--->"].iter().find(|comment| rest.starts_with(comment)).map(|it| it.len());
            if whole.is_none() {
                self.state.at = At::Comment;
            }
            return whole.unwrap_or(4);
        }
        if self.state.foreign > 0 && rest.starts_with(b"<![CDATA[") {
            self.state.at = At::CharacterData;
            return 9;
        }
        self.state.at = At::TagOpen;
        1
    }

    fn tag_open(&mut self, byte: u8, at: usize) {
        let is_end = self.state.element == "/";
        match byte {
            b'/' if !is_end => self.state.element = "/".to_owned(),
            byte if byte.is_ascii_alphabetic() => {
                if !is_end {
                    self.state.element.clear();
                }
                push(&mut self.state.element, byte);
                self.state.opened = self.spot(at.saturating_sub(1), at + 1);
                self.state.at = At::TagName;
            }
            b'!' | b'?' if !is_end => self.state.at = At::Declaration,
            b'>' => self.leave_tag(),
            _ if is_end => {
                self.leave_tag();
                self.state.at = At::Declaration;
            }
            b'<' => {}
            _ => self.leave_tag(),
        }
    }

    fn leave_tag(&mut self) {
        let State { at, element, attributes, attribute, ways, .. } = &mut *self.state;
        *at = At::Text;
        element.clear();
        attributes.clear();
        attribute.clear();
        ways.clear();
    }

    fn begin_attribute(&mut self, byte: u8, at: usize) {
        self.state.attribute.clear();
        push(&mut self.state.attribute, byte);
        self.state.spot = self.spot(at, at + 1);
        self.state.ways = vec![String::new()];
        self.state.at = At::AttributeName;
    }

    fn end_attribute(&mut self) {
        self.state.end_attribute();
    }

    /// The tag ends.
    fn close(&mut self, closes_itself: bool) {
        self.state.end_attribute();
        let name = std::mem::take(&mut self.state.element);
        if let Some(ended) = name.strip_prefix('/') {
            if matches!(ended, "svg" | "math") {
                self.state.foreign = self.state.foreign.saturating_sub(1);
            }
            return self.leave_tag();
        }
        self.needs.element(&name, &self.state.attributes);
        let is_root = matches!(name.as_str(), "svg" | "math");
        let closes_itself = closes_itself && (is_root || self.state.foreign > 0);
        if is_root && !closes_itself {
            self.state.foreign += 1;
        }
        if RAW.contains(&name.as_str()) && !closes_itself {
            self.state.element = name;
            self.state.ways = vec![String::new()];
            self.state.at = At::Raw;
            return;
        }
        self.leave_tag();
    }

    /// Text up to the end tag of the element.
    fn raw(&mut self, at: usize) -> usize {
        let rest = self.rest(at);
        let name = self.state.element.as_bytes();
        let ends = |start: usize| {
            let after = rest.get(start + 2..).unwrap_or_default();
            let is_named = after.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name));
            is_named && after.get(name.len()).is_none_or(|&byte| is_space(byte) || matches!(byte, b'>' | b'/'))
        };
        let Some(length) = memchr::memmem::find_iter(rest, b"</").find(|&start| ends(start)) else {
            let length = rest.len();
            self.append(at, length);
            return length;
        };
        let skipped = length + 2 + name.len();
        self.append(at, length);
        self.needs.inline(self.state);
        let element = format!("/{}", self.state.element);
        self.leave_tag();
        self.state.element = element;
        self.state.at = At::TagName;
        skipped
    }
}

impl State {
    fn end_attribute(&mut self) {
        if !self.attribute.is_empty() {
            let attribute = Attribute {
                name: std::mem::take(&mut self.attribute),
                spot: self.spot.clone(),
                ways: std::mem::take(&mut self.ways),
            };
            // The first of a name counts.
            if self.attributes.iter().all(|known| known.name != attribute.name) {
                self.attributes.push(attribute);
            }
        }
        self.at = At::InTag { slash: false };
    }

    /// Whether this is between tags.
    pub(super) fn is_text(&self) -> bool {
        self.at == At::Text
    }

    /// Something is printed here, for which `hole` stands.
    pub(super) fn print(&mut self, hole: &str) {
        match self.at {
            At::BeforeValue => {
                self.at = At::Unquoted;
                append(&mut self.ways, hole);
            }
            At::Quoted(_) | At::Unquoted | At::Raw => append(&mut self.ways, hole),
            At::Text | At::TagOpen | At::TagName | At::InTag { .. } | At::AttributeName | At::AfterName => {}
            At::Comment | At::CharacterData | At::Declaration => {}
        }
    }

    /// Something of any length may have been printed here.
    pub(super) fn forget(&mut self) {
        if matches!(self.at, At::Quoted(_) | At::Unquoted | At::Raw) {
            self.ways = vec![VALUE.to_string()];
        }
    }

    fn is_in_tag(&self) -> bool {
        matches!(self.at, At::TagName | At::InTag { .. } | At::AttributeName | At::AfterName | At::Unquoted)
    }

    /// Takes in another point, if it is the same in the markup.
    fn join(&mut self, other: &Self) -> bool {
        let alike = |one: &Self, other: &Self| {
            let same = one.at == other.at && one.element == other.element && one.attribute == other.attribute;
            same && one.foreign == other.foreign
        };
        if !alike(self, other) {
            if !(self.is_in_tag() && other.is_in_tag() && self.element == other.element) {
                return false;
            }
            let mut other = other.clone();
            self.end_attribute();
            other.end_attribute();
            return self.join(&other);
        }
        for attribute in &other.attributes {
            match self.attributes.iter_mut().find(|known| known.name == attribute.name) {
                Some(known) => join_ways(&mut known.ways, &attribute.ways),
                None => self.attributes.push(attribute.clone()),
            }
        }
        // On a way without it there is nothing: for a type, that is a meaning of its own.
        let has = |state: &Self, name: &str| state.attributes.iter().any(|attribute| attribute.name == name);
        let lacking: Vec<bool> = self.attributes.iter().map(|known| !has(other, &known.name)).collect();
        for (attribute, is_lacking) in self.attributes.iter_mut().zip(lacking) {
            if is_lacking && attribute.name == "type" {
                join_ways(&mut attribute.ways, &[String::new()]);
            }
        }
        join_ways(&mut self.ways, &other.ways);
        true
    }
}

/// The points after several branches.
pub(super) fn join(states: &mut Vec<State>, others: Vec<State>) {
    for other in others {
        let is_known = states.iter_mut().any(|state| *state == other || state.join(&other));
        if !is_known && states.len() < MOST_STATES {
            states.push(other);
        }
    }
}

fn join_ways(ways: &mut Vec<String>, others: &[String]) {
    for other in others {
        if !ways.contains(other) {
            ways.push(other.clone());
        }
    }
    if ways.len() > MOST_WAYS {
        *ways = vec![VALUE.to_string()];
    }
}

fn append(ways: &mut Vec<String>, piece: &str) {
    if ways.is_empty() {
        ways.push(String::new());
    }
    ways.iter_mut().for_each(|way| way.push_str(piece));
}

fn push(name: &mut String, byte: u8) {
    if name.len() < LONGEST_NAME {
        name.push(char::from(byte.to_ascii_lowercase()));
    }
}

/// What HTML takes for white space.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}
