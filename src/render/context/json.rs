//! Where in JSON an output stands: within the quotes of a string, or where a whole value belongs (RFC 8259, section 7).
//!
//! It does not check that the layout makes JSON, only that no value leaves its place.

use super::{Sink, Stand};

/// Follows JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tracker {
    quoted: bool,
    escaped: bool,
}

impl Tracker {
    pub(super) fn is_at_rest(self) -> bool {
        !self.quoted
    }

    pub(super) fn stand(self) -> Stand {
        match self {
            Self { escaped: true, .. } => {
                Stand::Refused("after a backslash", "leave the backslash out: what needs one gets it")
            }
            Self { quoted: true, .. } => Stand::Fine(Sink::JsonText),
            Self { quoted: false, .. } => Stand::OnlyJson(Sink::Script, "outside the quotes of JSON"),
        }
    }

    pub(super) fn literal(&mut self, text: &str) {
        text.bytes().for_each(|byte| self.take(byte));
    }

    /// Takes a literal byte.
    pub(super) fn take(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = self.quoted,
            b'"' => self.quoted = !self.quoted,
            _ => {}
        }
    }

    pub(super) fn join(self, other: Self) -> Option<Self> {
        (self == other).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_followed() {
        let after = |text: &str| {
            let mut tracker = Tracker::default();
            tracker.literal(text);
            tracker.stand()
        };
        for text in ["", "{\"a\":", "{\"a\": [\"\\\"\", ", "\"\\\\\""] {
            assert!(matches!(after(text), Stand::OnlyJson(..)), "{text}");
        }
        for text in ["\"", "{\"a\":\"x", "\"\\\"", "\"\\\\"] {
            assert_eq!(after(text), Stand::Fine(Sink::JsonText), "{text}");
        }
        assert!(matches!(after("\"a\\"), Stand::Refused(..)));
    }
}
