//! A table of aligned columns.

/// Space between two columns.
const GAP: usize = 2;

/// Aligns the columns of `rows` beneath `head`. Widths count characters; no line ends in spaces.
pub(super) fn align<const COLUMNS: usize>(head: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    let mut widths = head.map(|word| word.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    line(&mut out, &widths, head.iter().copied());
    for row in rows {
        line(&mut out, &widths, row.iter().map(String::as_str));
    }
    out
}

fn line<'c>(out: &mut String, widths: &[usize], cells: impl Iterator<Item = &'c str>) {
    let mut text = String::new();
    for (cell, width) in cells.zip(widths) {
        text.push_str(cell);
        let padding = width.saturating_sub(cell.chars().count()) + GAP;
        text.extend(std::iter::repeat_n(' ', padding));
    }
    out.push_str(text.trim_end());
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["/é".to_owned(), "page".to_owned()], ["/about".to_owned(), String::new()]];
        assert_eq!(align(["PATH", "KIND"], &rows), "PATH    KIND\n/é      page\n/about\n");
    }
}
