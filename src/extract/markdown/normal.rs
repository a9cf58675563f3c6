//! The text that is parsed: every line ends with LF, the last one too, and NUL is U+FFFD (`CommonMark`, sections 2.1 and 2.3).
//!
//! Places are told in the text that its author wrote, so each byte that is more or less here is remembered.

use std::ops::Range;

/// A text as the grammar wants it.
#[derive(Debug)]
pub(super) struct Normal {
    /// What is parsed.
    pub text: String,
    /// Where the two texts are apart: from which byte of `text` on, and the byte of the author's text that stands there.
    shifts: Vec<(usize, usize)>,
    /// The length of the author's text.
    length: usize,
}

impl Normal {
    /// `written`, in one pass.
    pub(super) fn of(written: &str) -> Self {
        let mut text = String::with_capacity(written.len() + 1);
        let mut shifts = Vec::new();
        let mut from = 0;
        for at in memchr::memchr2_iter(b'\r', 0, written.as_bytes()) {
            text.push_str(written.get(from..at).unwrap_or_default());
            from = at + 1;
            match written.as_bytes().get(at..from + 1) {
                // The LF that follows ends the line; what ends before it ends before both.
                Some([b'\r', b'\n']) => shifts.push((text.len() + 1, from + 1)),
                Some([b'\r', _]) => text.push('\n'),
                Some(_) | None if written.as_bytes().get(at) == Some(&b'\r') => text.push('\n'),
                Some(_) | None => {
                    text.push(char::REPLACEMENT_CHARACTER);
                    shifts.push((text.len(), from));
                }
            }
        }
        text.push_str(written.get(from..).unwrap_or_default());
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        Self { text, shifts, length: written.len() }
    }

    /// The bytes of the author's text that `range` of the parsed one was read from.
    pub(super) fn written(&self, range: &Range<usize>) -> Range<usize> {
        self.place(range.start)..self.place(range.end)
    }

    fn place(&self, at: usize) -> usize {
        let next = self.shifts.partition_point(|&(from, _)| from <= at);
        let place = match next.checked_sub(1).and_then(|last| self.shifts.get(last)) {
            Some(&(from, written)) => written + (at - from),
            None => at,
        };
        place.min(self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_alike_and_places_are_the_author_s() {
        for (written, text) in [
            ("", ""),
            ("a", "a\n"),
            ("a\n", "a\n"),
            ("a\r\nb\r\n", "a\nb\n"),
            ("a\rb\r", "a\nb\n"),
            ("\r\r\n\n\r", "\n\n\n\n"),
            ("\0a\0", "\u{fffd}a\u{fffd}\n"),
            ("é\r\n\0ü\rß", "é\n\u{fffd}ü\nß\n"),
        ] {
            let normal = Normal::of(written);
            assert_eq!(normal.text, text, "{written:?}");
            for (at, letter) in text.char_indices().filter(|(_, letter)| letter.is_alphabetic()) {
                let range = normal.written(&(at..at + letter.len_utf8()));
                assert_eq!(written.get(range), Some(letter.to_string().as_str()), "{written:?} at {at}");
            }
            assert_eq!(normal.written(&(0..text.len())), 0..written.len(), "{written:?}");
        }
    }
}
