//! Inline code and raw HTML over several lines: what begins the lines after the first belongs to the blocks around them.
//!
//! Quote markers and the space before a paragraph's line are no part of its content (`CommonMark`, sections 4.8 and 5.1).

/// What `written`, inline code with its backticks, holds within `quotes` quotes; `None` if it stands in one line, which is read already.
pub(super) fn code(written: &str, quotes: usize) -> Option<String> {
    if !written.contains('\n') {
        return None;
    }
    let ticks = written.len() - written.trim_end_matches('`').len();
    let inner = written.get(ticks..written.len().checked_sub(ticks)?)?;
    let code = joined(inner, quotes, ' ');
    let padded = code.strip_prefix(' ').and_then(|code| code.strip_suffix(' '));
    match padded {
        Some(inner) if code.bytes().any(|byte| byte != b' ') => Some(inner.to_owned()),
        Some(_) | None => Some(code),
    }
}

/// The raw HTML `written` within `quotes` quotes; `None` if it stands in one line, which is read already.
pub(super) fn html(written: &str, quotes: usize) -> Option<String> {
    written.contains('\n').then(|| joined(written, quotes, '\n'))
}

/// The lines of `written`, without what begins them, and `separator` between them.
fn joined(written: &str, quotes: usize, separator: char) -> String {
    let mut lines = written.split('\n');
    let mut joined = String::with_capacity(written.len());
    joined.push_str(lines.next().unwrap_or_default());
    for line in lines {
        joined.push(separator);
        joined.push_str(content(line, quotes));
    }
    joined
}

/// `line` without the markers of up to `quotes` quotes, which a lazy line leaves out, and the space around them.
fn content(line: &str, quotes: usize) -> &str {
    let mut line = line.trim_start_matches([' ', '\t']);
    for _ in 0..quotes {
        match line.strip_prefix('>') {
            Some(rest) => line = rest.trim_start_matches([' ', '\t']),
            None => break,
        }
    }
    line
}
