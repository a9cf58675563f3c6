//! What a style sheet loads: other style sheets, images and fonts (CSS Syntax, CSS Cascade).

use super::{Needs, Use};

impl Needs {
    /// Takes the text of a style sheet.
    pub(super) fn style_sheet(&mut self, text: &str) {
        // Names have no case, nor have schemes and hosts, and what is behind a host does not matter.
        let text = &text.to_ascii_lowercase();
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
            let mut before = "";
            for (number, piece) in set.split(['"', '\'']).enumerate() {
                // Every other piece stands between quotes; a type is no address.
                if number % 2 == 1 && piece.contains('/') && !before.trim_end().ends_with("type(") {
                    self.load(Use::Image, piece);
                }
                before = piece;
            }
        }
        for part in text.split("@import").skip(1) {
            let address = behind_comments(part).trim_start_matches("url(").trim_start().trim_start_matches(['"', '\'']);
            let end = address.find(['"', '\'', ')', ';']).unwrap_or(address.len());
            self.load(Use::Style, address.get(..end).unwrap_or_default());
        }
    }
}

/// What follows white space and comments.
fn behind_comments(text: &str) -> &str {
    let mut rest = text.trim_start();
    while let Some((_, after)) = rest.strip_prefix("/*").and_then(|comment| comment.split_once("*/")) {
        rest = after.trim_start();
    }
    rest
}
