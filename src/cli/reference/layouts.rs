//! Filters and tags, from the tables that the renderer finds them in, and what is known of code in pages.

use super::{Page, cell, code};
use crate::highlight::{Class, LANGUAGES, LONGEST_CODE, MOST_SPANS};
use crate::render::{EXAMPLE_DATA, TAGS, filters};
use std::fmt::Write as _;

pub(super) fn pages() -> [Page; 3] {
    [of_filters(), of_tags(), of_code()]
}

fn of_filters() -> Page {
    let mut body = format!(
        "A filter stands behind a value: `{{{{ name | upcase }}}}`. Its arguments follow a colon, parted by commas. A filter that can do nothing \
         with its input prints nothing, and never fails a page.\n\nThe column *Is* tells whether a page [escapes](../docs/escaping.md) the \
         result: text is escaped, markup is not, as the words of a layout, Markdown and captures are not. Numbers and what is nil or true have \
         nothing to escape. The examples are tests; they use this data, and nothing is escaped:\n\n\
         ```json\n{EXAMPLE_DATA}\n```\n\n| Filter | Arguments | Makes | Is | Example | Prints |\n|---|---|---|---|---|---|\n"
    );
    for filter in filters() {
        let example = code(&format!("{{{{ {} }}}}", filter.example));
        let [arguments, docs, example, printed] =
            [filter.arguments.as_str(), filter.docs, &example, &code(filter.printed)].map(cell);
        writeln!(body, "| `{}` | {arguments} | {docs} | {} | {example} | {printed} |", filter.name, filter.origin)
            .unwrap_or_default();
    }
    Page { name: "filters", title: "Filters", description: "Every filter of layouts, with an example.", body }
}

fn of_tags() -> Page {
    let mut body = String::from(
        "A tag stands between `{%` and `%}`; a block ends with the tag of the same name behind `end`. `{%- … -%}` takes away the space around \
         it. A line that begins with `#` within a tag is a comment.\n\n",
    );
    for tag in TAGS {
        write!(body, "## `{}`\n\n{} {}\n\n```liquid\n{}\n```\n\n", tag.name, tag.docs, tag.effect.says(), tag.example)
            .unwrap_or_default();
    }
    Page { name: "tags", title: "Tags", description: "Every tag of layouts, with an example.", body }
}

fn of_code() -> Page {
    let mut body = format!(
        "The code behind a fence of a Markdown document, and what the filter `highlight` and the tag `highlight` make, is a `pre` element of the \
         class `highlight` with a `code` element of the class `language-…` in it, in which tokens stand in `span` elements. Colours are the \
         style sheet's; nothing is styled inline. Code in a language that is not listed here stays plain, and so does code of more than \
         {} KiB. Markdown that comes from outside gets {MOST_SPANS} tokens in colour, and so does each block that a layout makes.\n\n## Classes\n\n| Class | Marks |\n|---|---|\n",
        LONGEST_CODE >> 10
    );
    for class in Class::ALL {
        writeln!(body, "| `{}` | {} |", class.name(), cell(class.docs())).unwrap_or_default();
    }
    body.push_str("\n## Languages\n\nNames are the same in any case.\n\n| Language | Names |\n|---|---|\n");
    for language in LANGUAGES {
        let names: Vec<String> = language.names.iter().map(|name| code(name)).collect();
        writeln!(body, "| {} | {} |", language.title, names.join(", ")).unwrap_or_default();
    }
    Page {
        name: "code",
        title: "Code in colours",
        description: "The classes of highlighted code, and the languages.",
        body,
    }
}
