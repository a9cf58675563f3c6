//! Signs of the markup that two literal parts make together, as `</scr` and `ipt>`, because something stands between them that may
//! print nothing.
//!
//! What they begin or end would depend on more than one part. They are refused, in text that is no markup and where a sign ends more
//! than its tag; names of elements and attributes may be put together.

use super::{Complaint, SECTION, State, Tracker, local_name};

/// The last byte of the literal part before, if it could be the first of a sign; more of them after branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Half(u8);

/// What signs begin with, each a bit of [`Half`].
const ANGLE: u8 = 1;
const DASH: u8 = 2;
const BRACKET: u8 = 4;
const QUESTION: u8 = 8;

impl Half {
    /// After either of two branches.
    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a `<` stands there, which a value could go on with.
    pub(super) fn is_angle(self) -> bool {
        self.has(ANGLE)
    }

    fn has(self, first: u8) -> bool {
        self.0 & first != 0
    }

    fn put(&mut self, first: u8, is_there: bool) {
        self.0 |= if is_there { first } else { 0 };
    }
}

pub(super) const SPLIT: Complaint = (
    "this could be a part of a sign of the markup that begins before it or ends behind it",
    "write the sign in one piece, with nothing of Liquid within it",
);

/// Whether a text ends with more than one byte of a sign, and not with all of it.
fn ends_within(text: &[u8], sign: &[u8]) -> bool {
    (2..sign.len()).any(|length| {
        let begun = sign.get(..length).unwrap_or_default();
        text.len().checked_sub(length).and_then(|at| text.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(begun))
    })
}

impl Tracker {
    /// A complaint if `text`, which is the literal part that comes now, goes on with a sign.
    pub(super) fn goes_on_with_sign(&self, text: &[u8]) -> Option<Complaint> {
        let [angle, dash, bracket, question] = [ANGLE, DASH, BRACKET, QUESTION].map(|first| self.half.has(first));
        let begins = |signs: &[&[u8]]| signs.iter().any(|sign| text.starts_with(sign));
        let goes_on = match self.state {
            State::TagOpen => begins(&[b"!", b"/", b"?"]),
            State::TagName => self.element == "/" && !text.first().is_some_and(u8::is_ascii_alphabetic),
            State::Raw => {
                let is_nestable = angle && local_name(&self.element) == "script";
                (angle && begins(&[b"/"]))
                    || (is_nestable && begins(&[b"!"]))
                    || (is_nestable && self.script.is_commented() && begins(&[b"s", b"S"]))
                    || (dash && begins(&[b"-", b">"]))
                    || (bracket && begins(&[b"]>", b">"]))
            }
            State::Comment => dash && begins(&[b">", b"->", b"!>", b"-!>"]),
            State::CharacterData => bracket && begins(&[b"]>", b">"]),
            State::Instruction => question && begins(&[b">"]),
            State::Quoted { .. } | State::Declaration | State::Unquoted => angle && begins(&[b"/"]),
            State::Text | State::InTag | State::Slash => false,
            State::AttributeName | State::AfterName | State::BeforeValue => false,
        };
        goes_on.then_some(SPLIT)
    }

    /// Remembers how the literal part ends that was taken now; a complaint if that is within a sign.
    pub(super) fn end_within_sign(&mut self, text: &[u8]) -> Option<Complaint> {
        let before = std::mem::take(&mut self.half);
        let ends = |byte: u8| text.last() == Some(&byte);
        let in_noscript = self.foreign.in_noscript();
        let mut signs: Vec<Vec<u8>> = Vec::new();
        match self.state {
            State::Raw => {
                // A tag is one if white space or a `>` follows its name.
                signs.push(format!("</{}\0", self.element).into_bytes());
                self.half.put(ANGLE, ends(b'<'));
                self.half.put(BRACKET, self.in_section && ends(b']'));
                if local_name(&self.element) == "script" {
                    signs.extend(self.script.signs_of_hiding().iter().map(|sign| sign.to_vec()));
                    self.half.put(DASH, self.script.hides() && ends(b'-'));
                }
            }
            State::Comment => {
                let is_bang = matches!(text, b"!" | b"-!");
                self.half.put(DASH, ends(b'-') || text.ends_with(b"-!") || (before.has(DASH) && is_bang));
            }
            State::CharacterData => self.half.put(BRACKET, ends(b']')),
            State::Instruction => self.half.put(QUESTION, ends(b'?')),
            State::Declaration => signs.extend([b"<!--".to_vec(), SECTION.to_vec()]),
            State::Text | State::TagOpen | State::TagName | State::InTag | State::Slash => {}
            State::AttributeName | State::AfterName | State::BeforeValue => {}
            State::Quoted { .. } | State::Unquoted => {}
        }
        if in_noscript && !matches!(self.state, State::Text | State::TagOpen | State::TagName) {
            signs.push(b"</noscript\0".to_vec());
            self.half.put(ANGLE, ends(b'<'));
        }
        signs.iter().any(|sign| ends_within(text, sign)).then_some(SPLIT)
    }
}
