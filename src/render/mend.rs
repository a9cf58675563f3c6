//! What somebody meant who wrote what Liquid does not have: the words of other template languages, and how a tag is written.
//!
//! Nothing here decides whether something is wrong; it only says how to mend it.

use super::filter;
use super::tree::{FilterCall, Operand};
use crate::diagnostic::{Level, did_you_mean, suggest};
use crate::highlight;

/// The parts of blocks, which are tags as well.
const PARTS: [&str; 3] = ["else", "elsif", "when"];

/// The tags that have an end tag.
const BLOCKS: [&str; 11] =
    ["capture", "case", "comment", "doc", "for", "highlight", "if", "ifchanged", "raw", "tablerow", "unless"];

/// Tags of other languages that are written the same way here, under another name.
const RENAMED: [(&str, &str); 12] = [
    ("default", "else"),
    ("elif", "elsif"),
    ("elseif", "elsif"),
    ("foreach", "for"),
    ("let", "assign"),
    ("otherwise", "else"),
    ("partial", "render"),
    ("print", "echo"),
    ("set", "assign"),
    ("switch", "case"),
    ("var", "assign"),
    ("verbatim", "raw"),
];

/// Tags of other languages for which something else is written here.
const ELSEWHERE: [(&str, &str); 16] = [
    ("block", "a layout names the one around it in its front matter, and that prints `{{ content }}`"),
    ("each", "write `{% for item in list %}`"),
    ("extends", "a layout names the one around it in its front matter: `layout = \"base.html\"`"),
    ("filter", "filters stand behind a value: `{{ name | upcase }}`; behind a block, `{% capture %}` it first"),
    ("form", "write the `<form>` as HTML"),
    ("import", "a partial is printed by `{% render \"card\", item: item %}`"),
    ("layout", "a layout names the one around it in its front matter: `layout = \"base.html\"`"),
    ("link", "write the path: `<a href=\"/docs/start\">`"),
    ("macro", "write a partial, and call it by `{% render \"card\", item: item %}`"),
    ("paginate", "pages of a list are declared in the route: `list = …`"),
    ("post_url", "write the path: `<a href=\"/posts/first\">`"),
    ("section", "write a partial: `{% render \"header\" %}`"),
    ("url", "write the path: `<a href=\"/docs/start\">`"),
    ("while", "loops have an end: `{% for number in (1..10) %}`, with `{% break %}`"),
    ("with", "set a variable: `{% assign name = value %}`"),
    ("yield", "an outer layout prints `{{ content }}`"),
];

/// Filters of other languages, and what does the same here.
const FILTERS: [(&str, &str); 51] = [
    ("add", "plus"),
    ("addslashes", "json"),
    ("batch", "`{% tablerow item in list cols: 3 %}` makes rows"),
    ("capitalise", "capitalize"),
    ("ceiling", "ceil"),
    ("count", "size"),
    ("date_format", "date"),
    ("dec", "minus"),
    ("dictsort", "sort"),
    ("div", "divided_by"),
    ("divide", "divided_by"),
    ("divideby", "divided_by"),
    ("e", "escape"),
    ("filter", "where"),
    ("format_date", "date"),
    ("groupby", "group_by"),
    ("html_safe", "raw"),
    ("inc", "plus"),
    ("includes", "`contains` compares: `{% if list contains item %}`"),
    ("int", "to_integer"),
    ("json_encode", "json"),
    ("len", "size"),
    ("lenght", "size"),
    ("length", "size"),
    ("linebreaks", "newline_to_br"),
    ("lower", "downcase"),
    ("lowercase", "downcase"),
    ("ltrim", "lstrip"),
    ("markdown", "markdownify"),
    ("mod", "modulo"),
    ("multiply", "times"),
    ("nl2br", "newline_to_br"),
    ("number_format", "number"),
    ("range", "`(1..5)` is a range: `{% for number in (1..5) %}`"),
    ("rtrim", "rstrip"),
    ("safe", "raw"),
    ("select", "where"),
    ("selectattr", "where"),
    ("slug", "slugify"),
    ("striptags", "strip_html"),
    ("substr", "slice"),
    ("substring", "slice"),
    ("subtract", "minus"),
    ("title", "capitalize"),
    ("to_json", "json"),
    ("tojson", "json"),
    ("tolowercase", "downcase"),
    ("touppercase", "upcase"),
    ("trim", "strip"),
    ("upper", "upcase"),
    ("uppercase", "upcase"),
];

fn listed(list: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    list.iter().find(|(foreign, _)| foreign.eq_ignore_ascii_case(name)).map(|(_, own)| *own)
}

/// What was meant by a tag that does not exist.
pub(super) struct Meant {
    /// What to tell the author.
    pub(super) help: Option<String>,
    /// The tag, if what was written reads as one.
    pub(super) tag: Option<&'static str>,
}

/// What was meant by the tag `name`, where `end` would close the innermost block.
pub(super) fn tag(name: &str, openers: impl Iterator<Item = &'static str>, end: Option<&'static str>) -> Meant {
    let told = |help: &str| Meant { help: Some(help.to_owned()), tag: None };
    if let Some(help) = listed(&ELSEWHERE, name) {
        return told(help);
    }
    if let Some(tag) = renamed(name) {
        return Meant { help: Some(format!("it is `{tag}` in Liquid")), tag: Some(tag) };
    }
    if name == "end" {
        return end.map_or(told("nothing is open here that could end"), |end| told(&format!("write `{{% {end} %}}`")));
    }
    // The end that would fit here is the likeliest.
    let tag = suggest(name, end).or_else(|| suggest(name, openers.chain(PARTS)));
    Meant { help: tag.map(|tag| format!("did you mean `{tag}`?")), tag }
}

/// What a tag of another language is called in Liquid, if it is written the same way.
pub(super) fn renamed(name: &str) -> Option<&'static str> {
    listed(&RENAMED, name)
}

/// Whether a tag has an end tag.
pub(super) fn is_block(tag: &str) -> bool {
    BLOCKS.contains(&tag)
}

/// What was meant by a filter that does not exist.
pub(super) fn filter(name: &str) -> Option<String> {
    let Some(meant) = listed(&FILTERS, name) else {
        return did_you_mean(name, filter::names());
    };
    if filter::find(meant).is_some() { Some(format!("it is `{meant}` in Liquid")) } else { Some(meant.to_owned()) }
}

/// What was meant by a field that a loop does not have.
pub(super) fn loop_field(key: &str, known: &[&'static str]) -> Option<String> {
    let meant = match key {
        "size" | "count" | "total" => "length",
        "counter" | "number" | "i" => "index",
        "counter0" | "key" => "index0",
        "revcounter" => "rindex",
        "parent" => "parentloop",
        "column" => "col",
        "even" | "odd" => return Some("write `{% cycle \"odd\", \"even\" %}`".to_owned()),
        _ => "",
    };
    if known.contains(&meant) {
        return Some(format!("it is `{meant}` in Liquid"));
    }
    did_you_mean(key, known.iter().copied()).or_else(|| Some(format!("it has `{}`", known.join("`, `"))))
}

/// How a tag is written, for what cannot be read in one; `""` is an output.
pub(super) fn form(tag: &str) -> Option<&'static str> {
    Some(match tag {
        "" | "echo" => "an output is a value with its filters: `{{ name | upcase }}`",
        "if" | "elsif" | "unless" => "a condition compares values: `{% if price > 10 and name == \"Anvil\" %}`",
        "case" => "a `case` is about one value: `{% case kind %}{% when \"a\", \"b\" %}…{% endcase %}`",
        "when" => "values are separated by commas or `or`: `{% when \"a\", \"b\" %}`",
        "for" => "a loop is `{% for item in list reversed limit: 3 offset: 1 %}`",
        "tablerow" => "it is `{% tablerow item in list cols: 3 limit: 9 offset: 1 %}`",
        "assign" => "a variable is set as in `{% assign total = price | times: 2 %}`",
        "capture" => "it is `{% capture name %}…{% endcapture %}`",
        "increment" | "decrement" => "it takes the name of a counter: `{% increment count %}`",
        "cycle" => {
            "values are separated by commas: `{% cycle \"odd\", \"even\" %}`; a group stands before a colon: `{% cycle \"rows\": 1, 2 %}`"
        }
        "render" | "include" => {
            "a partial is called as in `{% render \"card\", item: item %}` or `{% render \"card\" for list as item %}`"
        }
        _ => return None,
    })
}

/// What to write instead of `rest`, which cannot be read behind `before`.
pub(super) fn expression(before: &str, rest: &str) -> Option<String> {
    let last = before.split_whitespace().next_back().unwrap_or("");
    let first = rest.split(|character: char| character.is_whitespace() || character == '(').next().unwrap_or("");
    let help = match (last, first) {
        ("not", _) => "write `unless`, or compare with `false`: `a == false`",
        (_, "is" | "eq" | "equals") => "compare with `==`",
        (_, "ne" | "neq" | "isnt") => "compare with `!=`",
        (_, "in") => "ask the list: `list contains item`",
        (_, "not") => "compare with `!=`; whether a list lacks an item, `unless list contains item` asks",
        (_, "if") => "an output has no condition: `{% if a %}{{ b }}{% else %}{{ c }}{% endif %}`",
        _ => sign(before, rest)?,
    };
    Some(help.to_owned())
}

/// The same for signs; those of two or three characters come before those that begin them.
fn sign(before: &str, rest: &str) -> Option<&'static str> {
    let after = |sign: &str| before.ends_with(sign);
    let signs = [
        ("&&", "write `and`"),
        ("&", "write `and`; texts are joined by `append`"),
        ("||", "write `or` in a condition; for an absent value, `{{ a | default: b }}`"),
        ("===", "compare with `==`"),
        ("!==", "compare with `!=`"),
        ("=>", "write `>=`, or `key: value`"),
        ("=<", "write `<=`"),
        ("??", "write `{{ a | default: b }}`"),
        ("?", "there is no `a ? b : c`: write `{% if a %}b{% else %}c{% endif %}`"),
        ("==", "two values are compared, in a condition: `{% if a == b %}`"),
        ("!=", "two values are compared, in a condition: `{% if a != b %}`"),
        ("++", "write `{% assign a = a | plus: 1 %}`"),
        ("--", "write `{% assign a = a | minus: 1 %}`"),
        ("+", "compute with filters: `{{ a | plus: 1 }}`; texts are joined by `append`"),
        ("-", "compute with filters: `{{ a | minus: 1 }}`"),
        ("*", "compute with filters: `{{ a | times: 2 }}`"),
        ("/", "compute with filters: `{{ a | divided_by: 2 }}`"),
        ("%", "compute with filters: `{{ a | modulo: 2 }}`"),
        ("|", "filters stand in outputs and `assign`: `{% assign count = list | size %}`, and then the name"),
        ("(", "there are no calls: `{{ value | filter: argument }}`"),
        ("{", "there are no objects and no outputs within a tag; write the name alone"),
        (";", "one tag is one statement; `{% liquid %}` takes several, one a line"),
    ];
    if rest.starts_with('=') && (after("==") || after("!=")) {
        return Some(if after("==") { "compare with `==`" } else { "compare with `!=`" });
    }
    if rest.starts_with('!') && !rest.starts_with("!=") {
        return Some("write `unless`, or compare with `false`: `a == false`");
    }
    // `||`, of which the first has been read as the beginning of a filter.
    if rest.starts_with('|') && after("|") {
        return Some("write `or` in a condition; for an absent value, `{{ a | default: b }}`");
    }
    let found = signs.iter().find(|(sign, _)| rest.starts_with(sign)).map(|(_, help)| *help);
    found.or_else(|| {
        (rest.starts_with('=') && !before.is_empty())
            .then_some("compare with `==`; `{% assign name = value %}` sets a variable")
    })
}

/// What is wrong with the arguments that are written out in a call, which fits otherwise; nothing if all is well.
pub(super) fn arguments(call: &FilterCall) -> Option<(Level, String, String)> {
    let name = call.filter.name;
    let at = |position: usize| call.arguments.get(position);
    let text = |position: usize| match at(position) {
        Some(Operand::Text(text)) => Some(&**text),
        _ => None,
    };
    let of = |known: &[&'static str], position: usize| {
        let said = text(position).filter(|said| !known.contains(said))?;
        let list = known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        let help = did_you_mean(said, known.iter().copied()).unwrap_or_else(|| format!("it knows {list}"));
        Some((Level::Error, format!("`{name}` does not know `{said}`"), help))
    };
    match name {
        "divided_by" | "modulo" => {
            let is_zero = matches!(at(0)?, Operand::Int(0));
            let help = "the output would always be nothing; write another number";
            is_zero.then(|| (Level::Error, format!("`{name}` by zero has no result"), help.to_owned()))
        }
        "slugify" | "handle" | "handleize" => of(&filter::SLUG_MODES, 0),
        "number_of_words" => of(&["auto", "cjk"], 0),
        "highlight" => language(text(0)?),
        "date" => {
            let unknown = filter::unknown_directive(text(0)?)?;
            let help = "the directives are those of `strftime`, and the reference lists them; `%%` prints one `%`";
            Some((
                Level::Warning,
                format!("`date` has no directive `{unknown}` and prints it as it is"),
                help.to_owned(),
            ))
        }
        _ => None,
    }
}

/// What is wrong with the name of a language of code.
pub(super) fn language(name: &str) -> Option<(Level, String, String)> {
    if highlight::find(name).is_some() || matches!(name, "" | "text" | "plain" | "plaintext" | "txt") {
        return None;
    }
    let known = highlight::LANGUAGES.iter().flat_map(|language| language.names.iter().copied());
    let help = did_you_mean(name, known)
        .unwrap_or_else(|| "the code is shown without colours; `text` says that it is meant so".to_owned());
    Some((Level::Warning, format!("no language `{name}` is known"), help))
}

#[cfg(test)]
mod tests {
    use super::super::tags::TAGS;
    use super::*;

    #[test]
    fn what_is_suggested_exists() {
        let exists = |name: &str| TAGS.iter().any(|tag| tag.name == name) || PARTS.contains(&name);
        for (foreign, own) in RENAMED {
            assert!(exists(own) && !exists(foreign), "{foreign}");
        }
        for (foreign, _) in ELSEWHERE {
            assert!(!exists(foreign), "{foreign}");
        }
        for tag in BLOCKS {
            assert!(exists(tag), "{tag}");
        }
        for (foreign, own) in &FILTERS {
            assert!(filter::find(foreign).is_none(), "{foreign}");
            assert!(filter::find(own).is_some() || own.contains(' '), "{own}");
        }
        for tag in TAGS.iter().filter(|tag| tag.name != "break") {
            let is_closed = tag.examples.iter().any(|example| example.template.contains(&format!("end{} ", tag.name)));
            assert_eq!(is_block(tag.name), is_closed, "{}", tag.name);
        }
    }

    #[test]
    fn an_expression_is_mended_by_what_it_looks_like() {
        for (before, rest, expected) in [
            ("a ", "&& b", "`and`"),
            ("a ", "|| b", "`or`"),
            ("a |", "| b", "`or`"),
            ("a ==", "= b", "`==`"),
            ("a ", "=== b", "`==`"),
            ("a !=", "= b", "`!=`"),
            ("", "!a", "`unless`"),
            ("not ", "a", "`unless`"),
            ("a ", "? b : c", "`{% if a %}"),
            ("a ", "= b", "`==`"),
            ("a ", "| size > 0", "`{% assign"),
            ("a ", "in b", "contains"),
            ("a ", "- 1", "minus"),
        ] {
            let help = expression(before, rest).unwrap_or_default();
            assert!(help.contains(expected), "{before}{rest}: {help}");
        }
        assert_eq!(expression("a ", "b"), None);
    }
}
