//! Where in a table of comma-separated values an output stands (RFC 4180): in a cell of its own, or within the quotes of one.
//!
//! Separators are comma, semicolon and tab, because programs take any of them.

use super::{Clash, Sink, Stand};

/// Follows comma-separated values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tracker {
    /// Where a cell begins.
    #[default]
    Start,
    /// In a cell without quotes.
    Bare,
    /// After a value that is a cell of its own.
    Whole,
    /// Within the quotes of a cell; at its start a formula could begin.
    Quoted { start: bool },
    /// After a quote within quotes: the end of the cell, unless another follows.
    Closed,
}

impl Tracker {
    pub(super) fn is_at_rest(self) -> bool {
        !matches!(self, Self::Quoted { .. })
    }

    pub(super) fn stand(self) -> Stand {
        match self {
            Self::Start => Stand::Fine(Sink::CsvCell),
            Self::Quoted { start } => Stand::Fine(Sink::CsvQuoted { start }),
            Self::Bare | Self::Whole | Self::Closed => {
                Stand::Refused("within a cell without quotes", "write double quotes around the whole cell")
            }
        }
    }

    pub(super) fn output(&mut self) {
        *self = match *self {
            Self::Start => Self::Whole,
            Self::Quoted { .. } => Self::Quoted { start: false },
            other @ (Self::Bare | Self::Whole | Self::Closed) => other,
        };
    }

    pub(super) fn literal(&mut self, text: &str) -> Option<Clash> {
        let mut clash = None;
        for (at, byte) in text.bytes().enumerate() {
            *self = match (*self, byte) {
                (Self::Quoted { .. }, b'"') => Self::Closed,
                (Self::Closed, b'"') => Self::Quoted { start: false },
                (Self::Quoted { .. }, _) => Self::Quoted { start: false },
                (_, b',' | b';' | b'\t' | b'\r' | b'\n') => Self::Start,
                (Self::Start, b'"') => Self::Quoted { start: true },
                (Self::Whole, _) => {
                    clash.get_or_insert(Clash {
                        at,
                        message: "a value in a cell without quotes is followed by more than it",
                        help: "write double quotes around the whole cell",
                    });
                    Self::Bare
                }
                (Self::Start | Self::Bare | Self::Closed, _) => Self::Bare,
            };
        }
        clash
    }

    pub(super) fn join(self, other: Self) -> Option<Self> {
        match (self, other) {
            _ if self == other => Some(self),
            (Self::Quoted { .. }, Self::Quoted { .. }) => Some(Self::Quoted { start: true }),
            (Self::Quoted { .. }, _) | (_, Self::Quoted { .. }) => None,
            // The separator may be left out after the last cell of a row.
            (Self::Start, _) | (_, Self::Start) => Some(Self::Start),
            _ => Some(Self::Bare),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(parts: &[&str]) -> (Tracker, Option<Clash>) {
        let mut tracker = Tracker::default();
        let mut clash = None;
        for (number, part) in parts.iter().enumerate() {
            if number > 0 {
                tracker.output();
            }
            clash = clash.or(tracker.literal(part));
        }
        (tracker, clash)
    }

    #[test]
    fn cells_are_followed() {
        for (parts, expected) in [
            (&["", ","][..], Tracker::Start),
            (&["a;"], Tracker::Start),
            (&["a\n"], Tracker::Start),
            (&["a"], Tracker::Bare),
            (&["\""], Tracker::Quoted { start: true }),
            (&["\"a, "], Tracker::Quoted { start: false }),
            (&["\"", " "], Tracker::Quoted { start: false }),
            (&["\"a\"\"b"], Tracker::Quoted { start: false }),
            (&["\"a\"\t"], Tracker::Start),
        ] {
            assert_eq!(after(parts), (expected, None), "{parts:?}");
        }
        assert_eq!(after(&["", " x"]).1.map(|clash| clash.at), Some(0));
    }

    #[test]
    fn a_row_may_end_without_a_separator() {
        assert_eq!(Tracker::Whole.join(Tracker::Start), Some(Tracker::Start));
        assert_eq!(Tracker::Quoted { start: true }.join(Tracker::Start), None);
    }
}
