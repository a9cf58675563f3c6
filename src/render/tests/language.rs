//! The language beyond what the public suite covers: our own filters, dates, and behaviour on odd values.

use super::support::{html, liquid, site};

fn all(cases: &[(&str, &str)], json: &str) {
    for (template, expected) in cases {
        assert_eq!(liquid(template, json), *expected, "{template}");
    }
}

#[test]
fn dates_of_every_form_that_people_write() {
    for text in [
        "2024-03-05",
        "2024-03-05T00:00:00Z",
        "2024-03-05 00:00:00",
        "2024-03-05 00:00",
        "2024-03-05T00:00:00.000Z",
        "2024-03-05T00:00:00+00:00",
        "2024-03-05 00:00:00 +0000",
        "2024-03-05 00:00:00 UTC",
        "20240305",
        "Tue, 05 Mar 2024 00:00:00 GMT",
        "Tue, 5 Mar 2024 00:00:00 +0000",
        "March 5, 2024",
        "Mar 5, 2024",
        "5 March 2024",
        "5 Mar 2024",
        "2024/03/05",
        "March 5, 2024 00:00",
        "Mar 5, 2024 12:00 AM",
        "Tue Mar 05 00:00:00 2024",
        "1709596800",
    ] {
        let template = format!("{{{{ '{text}' | date: '%Y-%m-%d %H:%M:%S' }}}}");
        assert_eq!(liquid(&template, "{}"), "2024-03-05 00:00:00", "{text}");
    }
    all(
        &[
            ("{{ 1709634030 | date: '%a, %b %-d, %y %l:%M %p' }}", "Tue, Mar 5, 24 10:20 AM"),
            ("{{ '2024-03-05T10:20:30+02:00' | date: '%H:%M %z' }}", "10:20 +0200"),
            ("{{ 'yesterday' | date: '%Y' }}", "yesterday"),
            ("{{ '' | date: '%Y' }}", ""),
            ("{{ 'now' | date: '%s' }}", "1709634030"),
            ("{{ '2024-03-05' | date: '%B %e, %j %U %%' }}", "March  5, 065 09 %"),
            ("{{ d | date: '%Y' }}", "2024"),
            ("{{ '2024-02-30' | date: '%Y' }}", "2024-02-30"),
        ],
        r#"{"d":"2024-03-05"}"#,
    );
}

#[test]
fn numbers() {
    all(
        &[
            ("{{ 0.1 | plus: 0.2 }}", "0.3"),
            ("{{ missing | number: 2 }}", ""),
            ("{{ 0 | number: 2 }}", "0.00"),
            ("{{ 9223372036854775807 | plus: 1 }}", "9223372036854775808"),
            ("{{ big }}", "18446744073709551615"),
            ("{{ big | plus: 1 }}", "1.8446744073709552e+19"),
            ("{{ -7 | divided_by: 2 }}", "-4"),
            ("{{ -7 | modulo: 3 }}", "2"),
            ("{{ 1234567 | number }}", "1,234,567"),
            ("{{ 1234567.891 | number: 2 }}", "1,234,567.89"),
            ("{{ -1234 | number: 1, '.' }}", "-1.234.0"),
            ("{{ 999 | number }}", "999"),
            ("{{ 1234 | round: -2 }}", "1200"),
            ("{{ 2.5 | round }}", "3"),
        ],
        r#"{"big":18446744073709551615}"#,
    );
}

#[test]
fn our_own_filters() {
    all(
        &[
            ("{{ 1 | pluralize: 'item', 'items' }}", "item"),
            ("{{ 2 | pluralize: 'item', 'items' }}", "items"),
            ("{{ 0 | pluralize: 'star' }}", "stars"),
            ("{{ l | pluralize: 'one', 'many' }}", "many"),
            ("{{ ' Hello, Wörld & Co! ' | slugify }}", "hello-wörld-co"),
            ("{{ o | json }}", "{\"a\":[1,null]}"),
            ("{{ o | json: pretty: true }}", "{\n  \"a\": [\n    1,\n    null\n  ]\n}"),
            ("{{ nothing | json }}", "null"),
            ("{{ (1..3) | json }}", "[1,2,3]"),
            ("{{ '/a' | absolute_url }}", "https://site.example/a"),
            ("{{ 'https://x.example/' | absolute_url }}", "https://x.example/"),
            ("{{ 'https://site.example/b' | relative_url }}", "/b"),
            ("{{ '  a  b ' | squish }}", "a b"),
        ],
        r#"{"l":[1,2],"o":{"a":[1,null]}}"#,
    );
}

#[test]
fn a_layout_passes_over_what_a_filter_cannot_use() {
    for template in ["{{ 1 | divided_by: 0 }}", "{{ x | concat: 1 }}", "{{ 'x' | slice: 'y' }}", "{{ x | sort }}"] {
        assert_eq!(html(template, r#"{"x":[1,"a"]}"#), "", "{template}");
    }
    assert_eq!(html("{% if 'a' < 1 %}x{% else %}y{% endif %}", "{}"), "y");
}

#[test]
fn names_that_begin_like_words() {
    all(
        &[
            ("{{ emptythings }}{{ nilable }}{{ trueish }}{{ blank_x }}", "1234"),
            ("{% if order %}a{% endif %}{% if android and order %}b{% endif %}", "ab"),
            ("{{ o.if }}{{ o['a b'] }}{{ o.for-each }}", "123"),
            ("{%\tif\torder\t-%}\tx\t{%-\tendif\t%}", "x"),
        ],
        r#"{"emptythings":1,"nilable":2,"trueish":3,"blank_x":4,"order":true,"android":1,"o":{"if":1,"a b":2,"for-each":3}}"#,
    );
}

#[test]
fn loops_know_themselves() {
    all(
        &[
            (
                "{% for x in l %}{{ forloop.index }}/{{ forloop.length }}{% unless forloop.last %},{% endunless %}{% endfor %}",
                "1/3,2/3,3/3",
            ),
            ("{% for x in l reversed limit: 2 offset: 1 %}{{ x }}{% endfor %}", "cb"),
            ("{% for p in o %}{{ p[0] }}={{ p[1] }};{{ p.size }}{% endfor %}", "k=v;2"),
            ("{% for p in o %}{{ p | join: '-' }}{% endfor %}", "k-v"),
            ("{% for x in l %}{% assign y = forloop %}{{ y.index0 }}{% endfor %}", "012"),
            ("{% for x in l %}{% for x in o %}{{ x[1] }}{% endfor %}{{ x }}{% endfor %}", "vavbvc"),
            ("{% for x in l %}{% assign x = 'z' %}{{ x }}{% endfor %}{{ x }}", "abcz"),
        ],
        r#"{"l":["a","b","c"],"o":{"k":"v"}}"#,
    );
}

#[test]
fn every_example_of_a_filter_prints_what_is_said() {
    for filter in crate::render::filters() {
        let template = format!("{{{{ {} }}}}", filter.example);
        assert_eq!(liquid(&template, crate::render::EXAMPLE_DATA), filter.printed, "{template}");
        assert!(filter.example.contains(&format!("| {}", filter.name)), "{template}");
    }
}

#[test]
fn every_example_of_a_tag_is_a_template() {
    for tag in crate::render::TAGS {
        let partials = [("page.html", "", tag.example), ("partials/card.html", "", "card")];
        let site = site(&partials);
        assert!(site.findings.is_empty(), "{}: {:?}", tag.name, site.findings);
        assert!(tag.example.contains(tag.name));
    }
}
