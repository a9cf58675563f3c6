//! How much work the nesting of blocks may make, told before the grammar reads the text.
//!
//! For each line the grammar walks through all blocks that are open, so a text that opens thousands and then has thousands of lines
//! would take minutes, long before its depth is refused. The depth is estimated from above here, without knowing fences or paragraphs.

/// How many steps these walks may take; each costs some nanoseconds.
const MOST_STEPS: usize = 64 << 20;

/// The width of a tab stop, in columns.
const TAB: usize = 4;

/// Whether blocks that are open, times lines, could be more than [`MOST_STEPS`].
pub(super) fn is_too_much(text: &str) -> bool {
    let mut lines = 0_usize;
    let mut deepest = 0;
    for line in text.split('\n') {
        lines += 1;
        deepest = deepest.max(depth(line));
    }
    lines.saturating_mul(deepest) > MOST_STEPS
}

/// How many blocks the markers that `line` begins with may open or go on: one each, and one for each two columns before them.
fn depth(line: &str) -> usize {
    let rule = rule(line);
    let bytes = line.as_bytes();
    let (mut at, mut columns, mut markers, mut depth) = (0, 0, 0, 0);
    while let Some(byte) = bytes.get(at).filter(|_| at < rule) {
        let length = match byte {
            b' ' | b'\t' => {
                columns += if *byte == b'\t' { TAB } else { 1 };
                at += 1;
                continue;
            }
            b'>' | b'-' | b'+' | b'*' | b':' => 1,
            b'0'..=b'9' => {
                let digits = bytes.iter().skip(at).take(10).take_while(|byte| byte.is_ascii_digit()).count();
                match bytes.get(at + digits) {
                    Some(b'.' | b')') => digits + 1,
                    Some(_) | None => break,
                }
            }
            _ => break,
        };
        at += length;
        if *byte != b'>' && !matches!(bytes.get(at), None | Some(b' ' | b'\t')) {
            break;
        }
        markers += 1;
        depth = markers + columns / 2;
    }
    depth
}

/// Where a thematic break begins that `line` may end with: its characters are no markers.
fn rule(line: &str) -> usize {
    let trimmed = line.trim_end_matches([' ', '\t']);
    match trimmed.bytes().next_back() {
        Some(last @ (b'-' | b'*')) => trimmed.trim_end_matches([' ', '\t', char::from(last)]).len(),
        Some(_) | None => line.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_what_the_markers_of_a_line_open() {
        for (line, expected) in [
            ("", 0),
            ("text > - more", 0),
            ("    indented", 0),
            ("> a", 1),
            (">>> a", 3),
            ("- 1. > a", 4),
            ("    - a", 3),
            ("\t- a", 3),
            ("* * * * *", 0),
            ("> - - - -", 1),
            ("12345678901. a", 0),
            ("-a", 0),
            (": a", 1),
        ] {
            assert_eq!(depth(line), expected, "{line:?}");
        }
    }

    #[test]
    fn only_depth_times_length_is_too_much() {
        assert!(!is_too_much(&"> ".repeat(4_000_000)));
        assert!(!is_too_much(&"a\n".repeat(4_000_000)));
        assert!(!is_too_much(&("- ".repeat(1000) + &"a\n".repeat(30_000))));
        assert!(is_too_much(&("- ".repeat(20_000) + &"a\n".repeat(20_000))));
        let stairs: String = (0..1000).map(|step| "  ".repeat(step) + "* a\n").collect();
        assert!(is_too_much(&(stairs + &"a\n".repeat(200_000))));
    }
}
