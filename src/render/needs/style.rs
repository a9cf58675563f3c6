//! What a style sheet loads: other style sheets, images and fonts (CSS Syntax, CSS Cascade).

use super::{Needs, Use};

impl Needs {
    /// Takes the text of a style sheet.
    pub(super) fn style_sheet(&mut self, text: &str) {
        for part in text.split("url(").skip(1) {
            let address = part.trim_start().trim_start_matches(['"', '\'']);
            let end = address.find(['"', '\'', ')']).unwrap_or(address.len());
            let address = address.get(..end).unwrap_or_default();
            self.load(Use::Image, address);
            self.load(Use::Font, address);
        }
        // A set of images may be named by bare strings.
        for part in text.split("image-set(").skip(1) {
            let set = part.split([';', '}']).next().unwrap_or_default();
            for address in set.split(['"', '\'']).skip(1).step_by(2).filter(|address| address.contains('/')) {
                self.load(Use::Image, address);
            }
        }
        for part in text.split("@import").skip(1) {
            let address = part.trim_start().trim_start_matches("url(").trim_start().trim_start_matches(['"', '\'']);
            let end = address.find(['"', '\'', ')', ';']).unwrap_or(address.len());
            self.load(Use::Style, address.get(..end).unwrap_or_default());
        }
    }
}
