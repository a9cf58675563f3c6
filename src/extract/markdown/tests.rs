//! Examples of the specifications, what documentation needs beyond them, and hostile texts.

use super::*;
use proptest::prelude::*;

fn document(text: &str) -> Rendered {
    render(text, &Options::document(), None).unwrap()
}
