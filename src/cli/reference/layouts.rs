//! Filters and tags, from the tables that the renderer finds them in.

use super::{Page, cell, code};
use crate::render::{EXAMPLE_DATA, TAGS, filters};
use std::fmt::Write as _;

pub(super) fn pages() -> [Page; 2] {
    [of_filters(), of_tags()]
}

fn of_filters() -> Page {
    let mut body = format!(
        "A filter stands behind a value: `{{{{ name | upcase }}}}`. Its arguments follow a colon, parted by commas. A filter that can do nothing \
         with its input prints nothing, and never fails a page. The examples are tests; they use this data, and nothing is escaped:\n\n\
         ```json\n{EXAMPLE_DATA}\n```\n\n| Filter | Arguments | Makes | Example | Prints |\n|---|---|---|---|---|\n"
    );
    for filter in filters() {
        let example = code(&format!("{{{{ {} }}}}", filter.example));
        let [arguments, docs, example, printed] =
            [filter.arguments.as_str(), filter.docs, &example, &code(filter.printed)].map(cell);
        writeln!(body, "| `{}` | {arguments} | {docs} | {example} | {printed} |", filter.name).unwrap_or_default();
    }
    Page { name: "filters", title: "Filters", description: "Every filter of layouts, with an example.", body }
}

fn of_tags() -> Page {
    let mut body = String::from(
        "A tag stands between `{%` and `%}`; a block ends with the tag of the same name behind `end`. `{%- … -%}` takes away the space around \
         it. A line that begins with `#` within a tag is a comment.\n\n",
    );
    for tag in TAGS {
        write!(body, "## `{}`\n\n{}\n\n```liquid\n{}\n```\n\n", tag.name, tag.docs, tag.example).unwrap_or_default();
    }
    Page { name: "tags", title: "Tags", description: "Every tag of layouts, with an example.", body }
}
