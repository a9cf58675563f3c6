//! Templates that are tried on their own: Liquid as its reference implementation has it, with nothing declared and nothing checked.

use super::support::{context, data};
use crate::render::{Fragment, Limits};

/// What a template prints; else at which stage it is refused.
fn tried(template: &str, partials: &[(&str, &str)], json: &str) -> Result<String, &'static str> {
    let fragment = Fragment::parse(template, partials).map_err(|_refused| "parse")?;
    let limits = Limits { nesting: Fragment::DEEPEST, ..Limits::default() };
    fragment.render(&data(json), &context(&limits)).map_err(|_refused| "render")
}

fn all(cases: &[(&str, Result<&str, &str>)], partials: &[(&str, &str)], json: &str) {
    for (template, expected) in cases {
        let given = tried(template, partials, json);
        assert_eq!(given.as_deref().map_err(|stage| *stage), *expected, "{template}");
    }
}

#[test]
fn what_does_not_exist_is_passed_over_and_what_is_misused_is_refused_where_it_runs() {
    all(
        &[
            ("{{ 'a' | no_such | upcase }}{{ 1 | no_such: 2, b: 3, 4 }}", Ok("A1")),
            ("{{ 'a' | append }}", Err("render")),
            ("{{ 'a' | append: 'b', 'c' }}", Err("render")),
            ("{{ 'a' | upcase: b: 'c' }}", Err("render")),
            ("{% if false %}{{ 'a' | append }}{% endif %}b", Ok("b")),
            ("{{ nothing | default: 'a', 'b' }}", Ok("a")),
            ("{{ false | default: 'a', allow_false: true, other: 1 }}", Ok("false")),
            ("{{ nothing | default: 'a', 'b', 'c' }}", Err("render")),
            ("{% no_such %}", Err("parse")),
            ("{{ 'a' || upcase }}", Err("parse")),
            ("{{ true.x }}{{ nil.x }}{{ empty.size }}{{ blank[0] }}", Ok("")),
        ],
        &[],
        "{}",
    );
}

#[test]
fn partials_are_looked_at_when_they_are_called() {
    let partials = [
        ("card", "[{{ card }}]"),
        ("parts/card", "<{{ card }}>"),
        ("broken", "{% if %}"),
        ("loop", "{{ forloop.name }} {{ forloop.index }};"),
        ("down", "{{ n }}{% assign n = n | minus: 1 %}{% if n > 0 %}{% include 'down' %}{% endif %}"),
        ("endless", "{% include 'endless' %}"),
        ("within", "{% include 'card' %}"),
        ("turn", "{% cycle 'a', 'b' %}"),
        ("count", "{% increment c %}"),
        ("style", "{{ image }} {{ width }}"),
    ];
    all(
        &[
            ("{% assign name = 'card' %}{% include name %}", Ok("[one]")),
            (
                "{% include kinds.first %}{% include kinds.first with 2 %}{% include kinds.first for list %}",
                Ok("[one][2][1][2]"),
            ),
            (
                "{% include 'parts/card' with 3 %}{% assign name = 'parts/card' %}{% include name with 4 %}",
                Ok("<3><4>"),
            ),
            ("{% include nothing %}", Err("render")),
            ("{% include 'missing' %}", Err("render")),
            ("{% assign name = 'missing' %}{% include name %}", Err("render")),
            ("{% if false %}{% include 'missing' %}{% render 'missing' %}{% include 'broken' %}{% endif %}x", Ok("x")),
            ("{% render 'broken' %}", Err("render")),
            ("{% assign name = 'card' %}{% render name %}", Err("parse")),
            ("{% include 'down' %}", Ok("321")),
            ("{% include 'endless' %}", Err("render")),
            // A partial is about what has its name, whatever parameters say.
            (
                "{% include 'card' %}{% include 'card', card: 2 %}{% assign card = list %}{% include 'card' %}",
                Ok("[one][one][1][2]"),
            ),
            ("{% render 'card' %}{% render 'card', card: 2 %}", Ok("[one][2]")),
            ("{% include 'style' with image: 'a', width: 2 %}", Ok("a 2")),
            ("{% include 'card' with (1..2) %}{% render 'loop' for list %}", Ok("[1..2]loop 1;loop 2;")),
            ("{% render 'within' %}", Err("render")),
            ("{% cycle 'a', 'b' %}{% render 'turn' %}{% render 'turn' %}{% include 'turn' %}", Ok("aaab")),
            ("{% increment c %}{% render 'count' %}{% include 'count' %}", Ok("001")),
        ],
        &partials,
        r#"{"card":"one","kinds":["card"],"list":[1,2],"n":3}"#,
    );
}

#[test]
fn loops_count_as_ruby_does() {
    let rows = |cells: &str| format!("<tr class=\"row1\">\n{cells}</tr>\n");
    let three = rows("<td class=\"col1\">1</td><td class=\"col2\">2</td><td class=\"col3\">3</td>");
    let word = rows("<td class=\"col1\">ab</td>");
    let none = rows("");
    all(
        &[
            ("{% for i in l offset: -2 %}{{ i }}{% endfor %}", Ok("123")),
            ("{% for i in l limit: 4 offset: -2 %}{{ i }}{% endfor %}", Ok("12")),
            ("{% for i in l limit: -1 %}{{ i }}{% else %}none{% endfor %}", Ok("none")),
            ("{% for i in s limit: 0 offset: 9 %}{{ i }}{% endfor %}", Ok("ab")),
            ("{% for i in l limit: ' 0x2 ' %}{{ i }}{% endfor %}", Ok("12")),
            ("{% for i in l limit: 's' %}{{ i }}{% endfor %}", Err("render")),
            ("{% tablerow i in l offset: 'x' %}{{ i }}{% endtablerow %}", Ok(&three)),
            ("{% tablerow i in l cols: 'x' %}{{ i }}{% endtablerow %}", Ok(&three)),
            ("{% tablerow i in l limit: nothing %}{{ i }}{% endtablerow %}", Ok(&none)),
            ("{% tablerow i in l limit: true %}{{ i }}{% endtablerow %}", Err("render")),
            ("{% tablerow i in nothing limit: true %}{{ i }}{% endtablerow %}", Ok("")),
            ("{% tablerow i in s limit: 0 %}{{ i }}{% endtablerow %}", Ok(&word)),
            ("{{ (1..half) }}", Err("render")),
            ("{{ (1..'3b') }}{% assign r = (3..1) %}{{ r.first }}{{ r.last }}{{ r.size }}", Ok("1..3310")),
            ("{% increment have %}{% increment have %}{{ have }}{% decrement none %}{{ none }}", Ok("567-1-1")),
            // Only what is written out takes turns with what is written alike.
            ("{% cycle 'a','b' %}{% cycle \"a\", 'b' %}{% cycle 'a', 'c' %}", Ok("aba")),
            ("{% cycle s, 'b' %}{% cycle s, 'b' %}", Ok("abab")),
            ("{% cycle 1: 'a', 'b' %}{% cycle '1': 'a', 'b' %}{% cycle 1: 'a', 'b' %}", Ok("aab")),
            ("{% for i in l %} {% break %} {% endfor %}|", Ok(" |")),
        ],
        &[],
        r#"{"l":[1,2,3],"s":"ab","half":2.5,"have":5}"#,
    );
}

#[test]
fn a_list_is_printed_item_by_item_and_is_text_as_ruby_shows_it() {
    all(
        &[
            (
                "{{ l }} {{ l | upcase }} {{ 'a' | append: l }}",
                Ok(r#"1a2.0 [1, "A", NIL, [2.0]] a[1, "a", nil, [2.0]]"#),
            ),
            ("{{ h }} {{ h | downcase }}", Ok(r#"{"K"=>"a\"\n\#{x}"} {"k"=>"a\"\n\#{x}"}"#)),
            ("{% for pair in h %}{{ pair | append: '' }}{% endfor %}", Ok(r#"["K", "a\"\n\#{x}"]"#)),
            ("{{ 5 | size }} {{ n.size }} {{ 2.5 | size }}{{ f.size }}", Ok("8 8 0")),
            (
                "{% assign q = empty %}{% if q == empty %}y{% endif %}{% case empty %}{% when e %}n{% else %}y{% endcase %}",
                Ok("yy"),
            ),
            ("{% if l contains 'a' %}y{% endif %}{% if s contains e %}n{% endif %}", Ok("y")),
            (
                "{% if empty == empty %}n{% endif %}{% if blank != blank %}y{% endif %}{% if empty == blank %}n{% endif %}",
                Ok("y"),
            ),
        ],
        &[],
        r#"{"l":[1,"a",null,[2.0]],"h":{"K":"a\"\n#{x}"},"n":7,"f":1.5,"s":"abc","e":[]}"#,
    );
}

#[test]
fn filters_on_odd_values() {
    all(
        &[
            (r"{{ 'a-b' | replace: '-', '[\0\&\1\x\\]' }}", Ok(r"a[--\x\]b")),
            (r#"{{ 'a-b' | replace_first: '-', "\`\'" }}{{ 'a-b' | replace_last: '-', '\0' }}"#, Ok(r"aabba\0b")),
            ("{{ nothing | truncate: nothing }}{{ nothing | truncatewords: 'x' }}{{ '' | truncate: -1 }}", Ok("...")),
            ("{{ 'a' | truncate: nothing }}", Err("render")),
            ("{{ 'ab' | truncate: 99999999999999999999 }}{{ 'ab' | truncate: '-99999999999999999999' }}", Ok("ab...")),
            ("{{ o | sort_natural | join }}", Ok("a e E z Z É é")),
            (
                "{{ 10.0 | divided_by: 0 }} {{ -1.5 | divided_by: 0.0 }} {{ 0.0 | divided_by: 0 }}",
                Ok("Infinity -Infinity NaN"),
            ),
            ("{{ 10 | divided_by: 0 }}", Err("render")),
            ("{{ 1.5 | divided_by: 0 | floor }}", Err("render")),
            ("{{ 1000000000000000.0 }} {{ 999999999999999.0 }}", Ok("1.0e+15 999999999999999.0")),
            ("{{ l | concat: (1..2) }}", Err("render")),
            ("{{ l | sort: 'n' | size }}", Ok("0")),
            ("{{ m | sort: 'n' | map: 'n' | join: ',' }}", Ok("1,2,")),
            ("{{ l | sort_natural: 'n' }}{{ true | sort: 'n' }}{{ 5 | sort: 'n' }}", Ok("5")),
            ("{{ l | compact: 'n' }}{{ l | uniq: 'n' }}{{ l | where: 'n' }}", Ok("")),
            ("{{ 5 | compact: 'n' }}", Err("render")),
            ("{{ 'abc' | map: -1 }}{{ 'abc' | map: 1.9 }}{{ 6 | map: 1 }}{{ -1 | map: 99 }}", Ok("cb11")),
            ("{{ 6 | map: nothing }}", Err("render")),
            ("{{ 6 | uniq: 'n' }}{{ 6 | sort: 'n' }}", Ok("66")),
            ("{{ 'abc' | slice: '0x1' }}", Ok("b")),
            (
                "{{ 'Ö_k 1.' | slugify: 'pretty' }} {{ 'Ö_k 1.' | slugify: 'ascii' }} {{ 'Ö_k 1.' | slugify: 'raw' }}",
                Ok("ö_k-1. k-1 ö_k-1."),
            ),
            ("{{ 'a' | slugify: 'other' }}", Err("render")),
        ],
        &[],
        r#"{"l":[null,{"n":1}],"m":[{"n":2},{},{"n":1}],"o":["é","É","z","Z","a","e","E"]}"#,
    );
}

#[test]
fn names_that_are_set_are_found_as_liquid_finds_them() {
    all(
        &[
            ("{% assign x.y = 1 %}[{{ x.y }}][{{ x }}][{{ ['x.y'] }}]", Ok("[][][1]")),
            ("{% assign a[0] = 1 %}{{ a[0] }}", Ok("5")),
            ("{% assign some words x = 1 | plus: 1 %}{{ x }}", Ok("2")),
            ("{% assign x = %}[{{ x }}]", Ok("[]")),
            ("{% assign (x) = 1 %}{{ ['(x)'] }}", Ok("1")),
            ("{% assign x? = 1 %}", Err("parse")),
            ("{% assign 'x' = 1 %}", Err("parse")),
            ("{% assign x == 1 %}", Err("parse")),
            ("{% capture a.b %}x{% endcapture %}[{{ a.b }}]{{ ['a.b'] }}", Ok("[]x")),
            ("{% capture 'a b' %}x{% endcapture %}{{ a }}", Ok("x")),
            ("{% capture %}{% endcapture %}", Err("parse")),
            ("{% increment a.b %}{% increment a.b %}{{ a.b }}{% increment %}{% decrement x y %}", Ok("010-1")),
            ("{% for i in (1..2) limit: 2 reversed %}{{ i }}{% endfor %}", Ok("12")),
            ("{% for i in (1..3) reversed limit: 2 %}{{ i }}{% endfor %}", Ok("21")),
            ("{% for i in (1..2) more %}{% endfor %}", Err("parse")),
            (
                "{% tablerow i in (1..1) reversed more other: 2 %}{{ i }}{% endtablerow %}",
                Ok("<tr class=\"row1\">\n<td class=\"col1\">1</td></tr>\n"),
            ),
        ],
        &[],
        r#"{"a":[5]}"#,
    );
}

#[test]
fn a_search_ends_with_what_it_finds() {
    all(
        &[
            (
                "{{ l | find: 'z', 42 | json }}{{ l | has: 'z', 42 }}{{ l | find_index: 'z', 42 }}",
                Ok(r#"{"z":42}true0"#),
            ),
            ("{{ s | find: 'pp' }} {{ s | has: 'pp' }} {{ s | find_index: 'pp' }}", Ok("apple true 0")),
            ("{{ m | find: 'z' | json }}{{ m | where: 'z' }}", Err("render")),
            ("{{ m | find: 'z' | json }}{{ m | has: 'z' }}", Ok(r#"{"z":42}true"#)),
            ("{{ m | find: 'y' }}", Err("render")),
            ("[{{ l | has: 'y' }}][{{ l | find_index: 'y' }}][{{ l | where: 'z' }}]", Ok("[][][]")),
            ("{{ 'x' | map: nil }}", Err("render")),
            ("{{ s | where: nil }}", Err("render")),
            ("{{ 'x' | reject: nil, 1 }}{{ 'x' | find: nil }}", Ok("")),
        ],
        &[],
        r#"{"l":[{"z":42},null],"s":["apple","b",null],"m":[{"z":42},5]}"#,
    );
}

#[test]
fn data_may_ask_for_the_time() {
    all(
        &[
            ("{{ d | date: '%Y' }}{{ h.d | date: '%m' }}{{ t | date: '%d' }}", Ok("20240305")),
            ("{% capture x %}now{% endcapture %}{{ x | date: '%Y' }}", Ok("2024")),
            (
                "{{ 'no' | append: 'w' | date: '%Y' }}{% assign l = 'a,now' | split: ',' %}{{ l[1] | date: '%m' }}",
                Ok("202403"),
            ),
            ("{{ '10:20' | date: '%F %R' }} {{ 'May 5' | date: '%F' }}", Ok("2024-03-05 10:20 2024-05-05")),
        ],
        &[],
        r#"{"d":"now","h":{"d":"NOW"},"t":"today"}"#,
    );
}

#[test]
fn what_a_partial_printed_before_has_not_changed_for_the_next() {
    all(
        &[
            ("{% for x in l %}{% render 'once' %}{% endfor %}", Ok("111")),
            ("{% for x in l %}{% include 'once' %}{% endfor %}", Ok("1")),
            ("{% ifchanged %}1{% endifchanged %}{% render 'once' %}{% ifchanged %}1{% endifchanged %}", Ok("11")),
            ("{% render 'once' for l %}", Ok("111")),
        ],
        &[("once", "{% ifchanged %}1{% endifchanged %}")],
        r#"{"l":[1,2,3]}"#,
    );
}

/// The test's thread has 2 MiB, as the server's have.
#[test]
fn blocks_nest_two_hundred_deep_on_a_small_stack() {
    let deepest = Fragment::DEEPEST;
    let within = format!("{}x{}", "l[".repeat(30), "]".repeat(30));
    for (open, close) in [
        ("{% if true %}", "{% endif %}"),
        ("{% unless false %}", "{% endunless %}"),
        ("{% if false %}{% else %}", "{% endif %}"),
        ("{% case 1 %}{% when 1 %}", "{% endcase %}"),
        ("{% for i in (1..1) %}", "{% endfor %}"),
        ("{% for i in (1..0) %}{% else %}", "{% endfor %}"),
        ("{% tablerow i in (1..1) %}", "{% endtablerow %}"),
        ("{% capture c %}", "{% endcapture %}{{ c }}"),
        ("{% ifchanged %}-", "{% endifchanged %}"),
    ] {
        let nested = |depth: usize| format!("{}{{{{ {within} }}}}y{}", open.repeat(depth), close.repeat(depth));
        let printed = tried(&nested(deepest), &[], "{}");
        assert!(printed.as_ref().is_ok_and(|printed| printed.contains('y')), "{open}: {printed:?}");
        assert_eq!(tried(&nested(deepest + 1), &[], "{}"), Err("parse"), "{open}");
    }
    let lines =
        |depth: usize| format!("{{% liquid\n{}echo 1\n{}%}}", "if true\n".repeat(depth), "endif\n".repeat(depth));
    assert_eq!(tried(&lines(deepest - 1), &[], "{}").as_deref(), Ok("1"));
    assert_eq!(tried(&lines(deepest), &[], "{}"), Err("parse"));
    for call in
        ["{% include 'down' %}", "{% render 'down', n: n %}", "{% for i in (1..1) %}{% include 'down' %}{% endfor %}"]
    {
        let body = format!("{{% if n > 0 %}}{{% assign n = n | minus: 1 %}}{call}{{% endif %}}");
        let down = [("down", body.as_str())];
        assert_eq!(tried("{% include 'down' %}", &down, r#"{"n":60}"#).as_deref(), Ok(""), "{call}");
        assert_eq!(tried("{% include 'down' %}", &down, r#"{"n":300}"#), Err("render"), "{call}");
    }
}

#[test]
fn ends_of_blocks_say_no_more_than_their_name() {
    all(
        &[
            ("{% raw %}{{ a }}{% endraw b %}c", Ok("{{ a }}c")),
            ("{% doc %}a{% enddocs %}b{% enddoc\nmore %}c", Ok("c")),
            ("{% raw a %}{% endraw %}", Err("parse")),
            ("{% case 1 %}{% else a %}{% endcase %}", Err("parse")),
            ("{% highlight %}{% endhighlight %}", Err("parse")),
            (
                "{% highlight ruby linenos linenos=table %}a{% endhighlight %}",
                Ok("<pre class=\"highlight\" tabindex=\"0\"><code class=\"language-ruby\">a</code></pre>"),
            ),
        ],
        &[],
        "{}",
    );
}
