//! Against the `liquid` crate, on what both languages have: an independent opinion on the same templates and data.
//!
//! Left out is where the crate is known to differ from Shopify's documentation: missing variables, floats without a fraction,
//! `date` forms, comparisons across types, chains of `and` and `or`, objects printed whole, `capitalize` (which lowers the rest), the size of a string (in characters), runs of
//! white space where words are counted.

use super::support::liquid;
use proptest::prelude::*;

const DATA: &str = r#"{
    "s": "Hello, <b>World</b> & 'all' of \"you\"\nnext  line ", "e": "", "n": 7, "m": -3, "f": 2.5, "t": true, "no": false,
    "l": ["b", "a", "C", "a"], "numbers": [3, 1, 2], "o": {"k": "v", "deep": {"x": "y"}},
    "items": [{"name": "one", "on": true, "n": 2}, {"name": "two", "on": false, "n": 1}]
}"#;

fn theirs(template: &str) -> Result<String, String> {
    let data: serde_json::Value = serde_json::from_str(DATA).unwrap();
    let object = liquid::model::to_object(&data).unwrap();
    let parser = liquid::ParserBuilder::with_stdlib().build().unwrap();
    let template = parser.parse(template).map_err(|error| error.to_string())?;
    template.render(&object).map_err(|error| error.to_string())
}

fn same(template: &str) {
    assert_eq!(Ok(liquid(template, DATA)), theirs(template), "{template}");
}

#[test]
fn templates() {
    for template in [
        "a {{- s -}} b {{ n }}",
        "{% if n > 5 %}big{% elsif n > 2 %}mid{% else %}small{% endif %}",
        "{% unless no %}x{% else %}y{% endunless %}",
        "{% case n %}{% when 1, 7 %}a{% when 2 or 3 %}b{% else %}c{% endcase %}",
        "{% for x in l %}{{ forloop.index }}{{ x }}{% unless forloop.last %},{% endunless %}{% endfor %}",
        "{% for x in l reversed limit: 2 offset: 1 %}{{ x }}{% endfor %}",
        "{% for x in (1..n) %}{% if x == 3 %}{% continue %}{% endif %}{% if x == 5 %}{% break %}{% endif %}{{ x }}{% endfor %}",
        "{% for x in items %}{{ x.name }}{% for y in l %}{{ forloop.index0 }}{% endfor %}{% endfor %}",
        "{% assign x = n | plus: 1 %}{{ x }}{% capture y %}[{{ x }}]{% endcapture %}{{ y }}{{ y.size }}",
        "{% increment c %}{% increment c %}{% decrement d %}",
        "{% comment %}{{ s }}{% endcomment %}{% raw %}{{ s }}{% endraw %}",
        "{% for x in l %}{% cycle 'odd', 'even' %}{% endfor %}",
        "{{ l[0] }}{{ l.first }}{{ l.last }}{{ l.size }}{{ o['k'] }}{{ o.deep.x }}{{ l[-1] }}",
        "{% if l contains 'a' %}y{% endif %}{% if s contains 'World' %}y{% endif %}{% if o contains 'k' %}y{% endif %}",
        "{{ items | map: 'name' | join: '-' }}",
        "{{ items | where: 'on' | map: 'name' | join: '-' }}{{ items | where: 'name', 'two' | map: 'n' | join }}",
        "{{ items | sort: 'n' | map: 'name' | join: ' ' }}",
        "{{ l | sort_natural | uniq | join: ',' }}{{ l | concat: numbers | join: ' ' }}",
        "{{ 'a b c' | split: ' ' | size }}{{ 'a,b,c' | split: ',' | reverse | join: '' }}",
    ] {
        same(template);
    }
}

/// Filters that both have, each with arguments that both take.
fn filter() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "upcase",
        "downcase",
        "strip",
        "lstrip",
        "rstrip",
        "strip_newlines",
        "escape",
        "append: 'x'",
        "prepend: s",
        "replace: 'l', 'L'",
        "replace_first: 'o', ''",
        "remove: 'e'",
        "remove_first: 'l'",
        "slice: 1, 3",
        "slice: -3, 2",
        "truncate: 9",
        "truncate: 12, '--'",
        "strip_html",
        "split: ', ' | first",
        "split: 'l' | first",
        "url_encode | url_decode",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn chains_of_string_filters(filters in proptest::collection::vec(filter(), 0..5), value in "[a-zA-Z ,.<>&]{0,20}") {
        let template = format!("{{% assign v = '{value}' %}}{{{{ v | append: '' {} }}}}",
            filters.iter().map(|filter| format!("| {filter}")).collect::<Vec<_>>().join(" "));
        // Where the crate refuses a template (quotes, odd arguments) there is nothing to compare.
        if let Ok(expected) = theirs(&template) {
            prop_assert_eq!(liquid(&template, DATA), expected, "{}", template);
        }
    }

    #[test]
    fn arithmetic(left in -1000_i64..1000, right in 1_i64..50, filter in proptest::sample::select(vec![
        "plus", "minus", "times", "at_least", "at_most",
    ])) {
        same(&format!("{{{{ {left} | {filter}: {right} }}}}"));
    }
}
