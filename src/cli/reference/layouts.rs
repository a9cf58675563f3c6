//! Filters and tags, from the tables that the renderer finds them in, and what is known of code in pages.

use super::{Page, cell, code};
use crate::highlight::{Class, LANGUAGES, LONGEST_CODE, MOST_SPANS};
use crate::render::{DATE_OF_EXAMPLES, DIRECTIVES, EXAMPLE_DATA, EXAMPLE_PARTIALS, TAGS, filters};
use std::fmt::Write as _;

pub(super) fn pages() -> [Page; 4] {
    [of_filters(), of_dates(), of_tags(), of_code()]
}

fn of_filters() -> Page {
    let mut body = format!(
        "A filter stands behind a value: `{{{{ name | upcase }}}}`. Its arguments follow a colon, separated by commas. A filter never fails a \
         page: of an input or argument that it can do nothing with, most make nothing, and some, as `date`, hand on the input as it is.\n\n\
         Text is [escaped](../docs/explanations/escaping.md) where it is printed; markup is not, as the words of a layout, Markdown and captures are not. \
         Where nothing is said of the result, values stay what they are; numbers and what is nil or true have nothing to escape. The examples are tests; they use this data, and nothing is escaped:\n\n\
         ```json\n{EXAMPLE_DATA}\n```\n\n"
    );
    let links: Vec<String> = filters().map(|filter| format!("[`{0}`](#{0})", filter.name)).collect();
    writeln!(body, "{}", links.join(" · ")).unwrap_or_default();
    let mut letter = None;
    for filter in filters() {
        let initial = filter.name.chars().next();
        if initial != letter {
            letter = initial;
            let heading = initial.map_or(' ', |initial| initial.to_ascii_uppercase());
            writeln!(body, "\n## {heading}").unwrap_or_default();
        }
        let arguments = match filter.arguments.as_str() {
            "no arguments" => String::new(),
            arguments => format!(" Takes {arguments}."),
        };
        let result = filter.origin.map(|origin| format!(" The result is {origin}.")).unwrap_or_default();
        let example = code(&format!("{{{{ {} }}}}", filter.example));
        let printed = printed(filter.printed);
        write!(body, "\n### `{}`\n\n{}{arguments}{result}\n\n{example} {printed}", filter.name, filter.docs)
            .unwrap_or_default();
    }
    Page { name: "filters", title: "Filters", description: "Every filter of layouts, with an example.", body }
}

/// What an example prints: within a line if that can be, else as a block.
fn printed(text: &str) -> String {
    let is_short = !text.contains('\n') && text.len() < 100 && text == text.trim() && !text.is_empty();
    if is_short { format!("prints {}\n", code(text)) } else { format!("prints\n\n```text\n{text}\n```\n") }
}

fn of_dates() -> Page {
    let mut body = format!(
        "The filter `date` writes a date by a pattern, as `strftime` of Ruby does: `{{{{ post.date | date: \"%-d %B %Y\" }}}}`. What is no \
         directive stands in the result as it was written. Between `%` and the letter stand `-` (no padding), `_` (spaces), `0` (zeros), `^` \
         (capitals), `#` (the other case) and a number (the width). [Layouts](../docs/guides/layouts.md#filters) say what counts as a date.\n\n\
         The last column is what `{DATE_OF_EXAMPLES}` prints.\n\n| Directive | Is | Prints |\n|---|---|---|\n"
    );
    for (directive, docs, printed) in DIRECTIVES {
        let shown = match *printed {
            "" => String::new(),
            "\n" => "end of line".to_owned(),
            printed => code(printed),
        };
        writeln!(body, "| `{directive}` | {docs} | {shown} |").unwrap_or_default();
    }
    Page { name: "dates", title: "Patterns of dates", description: "Every directive of the filter date.", body }
}

fn of_tags() -> Page {
    let mut body = format!(
        "A tag stands between `{{%` and `%}}`; a block ends with the tag of the same name behind `end`. How values, conditions and white space \
         are read is in [the language](../docs/guides/liquid.md).\n\nThe examples are tests; they use this data:\n\n\
         ```json\n{EXAMPLE_DATA}\n```\n\nand these partials:\n\n| Partial | Text |\n|---|---|\n"
    );
    for (name, text) in EXAMPLE_PARTIALS {
        writeln!(body, "| `{name}` | {} |", code(text)).unwrap_or_default();
    }
    body.push('\n');
    let links: Vec<String> = TAGS.iter().map(|tag| format!("[`{0}`](#{0})", tag.name)).collect();
    writeln!(body, "{}", links.join(" · ")).unwrap_or_default();
    for tag in TAGS {
        let says = [tag.docs, tag.effect.says()].join(" ");
        write!(body, "\n## `{}`\n\n{}\n", tag.name, says.trim_end()).unwrap_or_default();
        for example in tag.examples {
            write!(body, "\n```liquid\n{}\n```\n\n{}", example.template, printed(example.printed)).unwrap_or_default();
        }
    }
    Page { name: "tags", title: "Tags", description: "Every tag of layouts, with examples and what they print.", body }
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
