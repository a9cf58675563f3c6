//! Elements whose content is no markup, and where that ends.

use super::{SECTION, State, Tracker, is_space, split};

impl Tracker {
    /// Whether `rest` ends a `<noscript>` for those browsers only that read nothing else in it.
    pub(super) fn hides_an_end(&self, rest: &[u8]) -> bool {
        const END: &[u8] = b"</noscript";
        self.foreign.in_noscript()
            && !matches!(self.state, State::Text | State::TagOpen)
            && rest.get(..END.len()).is_some_and(|found| found.eq_ignore_ascii_case(END))
    }

    /// Whether the content of a script or a style is read as markup all the same, but for sections of character data: so it is
    /// in XML, and in drawings and formulas within HTML.
    fn reads_raw(&self) -> bool {
        (self.xml || self.foreign.is_inside()) && !self.in_section
    }

    /// Whether `rest`, which stands in a script or a style, begins something that is not its end, or could together with a value
    /// that is printed next.
    pub(super) fn begins_markup(&self, rest: &[u8]) -> bool {
        let may_begin = match rest {
            &[b'<', after, ..] => self.begins_name(after) || matches!(after, b'/' | b'!' | b'?'),
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

    pub(super) fn raw(&mut self, byte: u8, rest: &[u8]) -> usize {
        if self.in_section {
            self.in_section = !rest.starts_with(b"]]>");
        } else if self.ends_raw(rest) && !self.script.is_nested() {
            let length = 2 + self.element.len();
            if length == rest.len() {
                self.complaint = Some(split::SPLIT);
            }
            self.element.insert(0, '/');
            self.state = State::TagName;
            return length;
        } else {
            self.in_section = self.reads_raw() && rest.starts_with(SECTION);
        }
        if self.element.ends_with("script") {
            self.script.take(byte, rest, self.said.role());
        }
        1
    }
}
