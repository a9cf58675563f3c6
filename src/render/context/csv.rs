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
    /// On one way through branches that, on another where a cell begins.
    Ended,
    /// Within the quotes of a cell.
    Quoted(Cell),
    /// After a quote within quotes: the end of the cell, unless another follows.
    Closed(Cell),
}

/// What stands in a quoted cell before the byte at hand; the order is that of worry, so that the greater of two is right for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cell {
    /// Text of the layout, which begins no formula.
    Text,
    /// Nothing, or white space: a formula could begin.
    Blank,
    /// A value, which may have been empty, or begun a formula.
    Printed,
    /// The layout begins a formula.
    Formula,
}

impl Cell {
    /// Takes a byte of the layout.
    fn followed_by(self, byte: u8) -> Self {
        match (self, byte) {
            // What is not ASCII may be white space: who prints looks.
            (Self::Blank, byte) if !byte.is_ascii_graphic() => Self::Blank,
            (Self::Blank, b'=' | b'+' | b'-' | b'@') => Self::Formula,
            (Self::Blank, _) => Self::Text,
            (other, _) => other,
        }
    }

    fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Text, Self::Blank) | (Self::Blank, Self::Text) => Self::Printed,
            _ => self.max(other),
        }
    }
}

impl Tracker {
    pub(super) fn is_at_rest(self) -> bool {
        !matches!(self, Self::Quoted(_))
    }

    pub(super) fn stand(self) -> Stand {
        match self {
            Self::Start => Stand::Fine(Sink::CsvCell),
            Self::Quoted(Cell::Formula) => Stand::Refused("within a formula", "print a cell that is one value"),
            Self::Quoted(cell) => Stand::Fine(Sink::CsvQuoted { start: cell != Cell::Text }),
            Self::Bare | Self::Whole | Self::Ended | Self::Closed(_) => {
                Stand::Refused("within a cell without quotes", "write double quotes around the whole cell")
            }
        }
    }

    pub(super) fn output(&mut self) {
        *self = match *self {
            Self::Start => Self::Whole,
            Self::Quoted(Cell::Blank) => Self::Quoted(Cell::Printed),
            other @ (Self::Quoted(_) | Self::Bare | Self::Whole | Self::Ended | Self::Closed(_)) => other,
        };
    }

    /// Where what is printed several times begins each time, if it begins here.
    pub(super) fn before_any_run(self) -> Self {
        match self {
            Self::Quoted(Cell::Text | Cell::Blank) => Self::Quoted(Cell::Printed),
            other @ (Self::Quoted(_) | Self::Start | Self::Bare | Self::Whole | Self::Ended | Self::Closed(_)) => other,
        }
    }

    /// Whether a partial that was entered at `entry` may end here: its caller does not see a formula that it begins.
    pub(super) fn returns_to(self, entry: Self) -> bool {
        self.join(entry).is_some() && (self == entry || self != Self::Quoted(Cell::Formula))
    }

    /// Where the second run of a loop's body begins that leaves `end` behind. Between cells each value gets its own.
    pub(super) fn after_a_run(self, end: Self) -> Option<Self> {
        let is_quoted = matches!((self, end), (Self::Quoted(_), Self::Quoted(_)));
        self.join(end).filter(|joined| is_quoted && *joined != self)
    }

    pub(super) fn literal(&mut self, text: &str) -> Option<Clash> {
        let mut clash = None;
        for (at, byte) in text.bytes().enumerate() {
            *self = match (*self, byte) {
                (Self::Quoted(cell), b'"') => Self::Closed(cell),
                (Self::Closed(cell), b'"') => Self::Quoted(cell.followed_by(b'"')),
                (Self::Quoted(cell), byte) => Self::Quoted(cell.followed_by(byte)),
                (_, b',' | b';' | b'\t' | b'\r' | b'\n') => Self::Start,
                (Self::Start, b'"') => Self::Quoted(Cell::Blank),
                (Self::Whole | Self::Ended, _) => {
                    clash.get_or_insert(Clash {
                        at,
                        message: "a value in a cell without quotes is followed by more than it",
                        help: "write double quotes around the whole cell",
                    });
                    Self::Bare
                }
                (Self::Start | Self::Bare | Self::Closed(_), _) => Self::Bare,
            };
        }
        clash
    }

    pub(super) fn join(self, other: Self) -> Option<Self> {
        match (self, other) {
            _ if self == other => Some(self),
            (Self::Quoted(one), Self::Quoted(other)) => Some(Self::Quoted(one.join(other))),
            (Self::Quoted(_), _) | (_, Self::Quoted(_)) => None,
            (Self::Bare, _) | (_, Self::Bare) => Some(Self::Bare),
            (Self::Closed(one), Self::Closed(other)) => Some(Self::Closed(one.join(other))),
            // The separator may be left out after the last cell of a row.
            _ => Some(Self::Ended),
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
            (&["\""], Tracker::Quoted(Cell::Blank)),
            (&["\" \t\u{a0}"], Tracker::Quoted(Cell::Blank)),
            (&["\"a, "], Tracker::Quoted(Cell::Text)),
            (&["\"", " "], Tracker::Quoted(Cell::Printed)),
            (&["\"", "a"], Tracker::Quoted(Cell::Printed)),
            (&["\" =SUM("], Tracker::Quoted(Cell::Formula)),
            (&["\"-", ""], Tracker::Quoted(Cell::Formula)),
            (&["\"a=", ""], Tracker::Quoted(Cell::Text)),
            (&["\"a\"\"b"], Tracker::Quoted(Cell::Text)),
            (&["\"\"\"="], Tracker::Quoted(Cell::Text)),
            (&["\"a\"\t"], Tracker::Start),
        ] {
            assert_eq!(after(parts), (expected, None), "{parts:?}");
        }
        assert_eq!(after(&["", " x"]).1.map(|clash| clash.at), Some(0));
    }

    #[test]
    fn a_row_may_end_without_a_separator() {
        let quoted = Tracker::Quoted;
        assert_eq!(quoted(Cell::Text).join(quoted(Cell::Blank)), Some(quoted(Cell::Printed)));
        assert_eq!(quoted(Cell::Formula).join(quoted(Cell::Text)), Some(quoted(Cell::Formula)));
        let mut ended = Tracker::Whole.join(Tracker::Start).unwrap();
        assert!(matches!(ended.stand(), Stand::Refused(..)), "a value may stand before it");
        assert_eq!((ended.literal("\n"), ended), (None, Tracker::Start));
        assert_eq!(Tracker::Quoted(Cell::Blank).join(Tracker::Start), None);
    }
}
