//! The language beyond what the public suite covers: our own filters, dates, and behaviour on odd values.

use super::support::{findings, html, liquid, site};
use crate::render::Limits;

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
        "20240305 00:00",
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
            ("{{ '2024-02-30' | date: '%F' }}", "2024-03-01"),
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
            ("{{ big | plus: 1 }}", "18446744073709551616"),
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
            ("{{ 'site.css' | asset_url }}", "/assets/site.3f2a9c1b4d5e.css"),
            ("{{ 'a b&é.js' | asset_url | absolute_url }}", "https://site.example/assets/a%20b&%C3%A9.3f2a9c1b4d5e.js"),
            ("{{ '/a' | absolute_url }}", "https://site.example/a"),
            ("{{ 'https://x.example/' | absolute_url }}", "https://x.example/"),
            ("{{ 'https://site.example/b' | relative_url }}", "/b"),
            (
                "{{ 'a b' | relative_url }} {{ '/é?q=a b#c' | absolute_url }}",
                "/a%20b https://site.example/%C3%A9?q=a%20b#c",
            ),
            ("{{ 'a%20b' | relative_url }} {{ 'mailto:a@b' | relative_url }}", "/a%20b mailto:a@b"),
            ("[{{ nothing | relative_url }}{{ '' | relative_url }}]", "[]"),
            ("{{ '  a  b ' | squish }}", "a b"),
        ],
        r#"{"l":[1,2],"o":{"a":[1,null]}}"#,
    );
}

#[test]
fn a_layout_passes_over_what_a_filter_cannot_use() {
    for template in ["{{ 1 | divided_by: none }}", "{{ x | concat: 1 }}", "{{ 'x' | slice: 'y' }}", "{{ x | sort }}"] {
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
fn every_example_of_a_tag_prints_what_is_said() {
    let named = |(name, text): &(&str, &'static str)| (format!("partials/{name}.html"), *text);
    let partials: Vec<(String, &str)> = crate::render::EXAMPLE_PARTIALS.iter().map(named).collect();
    for tag in crate::render::TAGS {
        assert!(!tag.examples.is_empty(), "{}", tag.name);
        for example in tag.examples {
            let page = ("page.html", "", example.template);
            let files = std::iter::once(page).chain(partials.iter().map(|(name, text)| (name.as_str(), "", *text)));
            let site = site(&files.collect::<Vec<_>>());
            assert!(site.findings.is_empty(), "{}: {:?}", tag.name, site.findings);
            assert!(example.template.contains(tag.name));
            let printed = site.render_with("page.html", crate::render::EXAMPLE_DATA, &Limits::default());
            assert_eq!(printed.as_deref(), Ok(example.printed), "{}", example.template);
        }
    }
}

#[test]
fn filters_that_ask_an_expression_about_each_item() {
    all(
        &[
            ("{{ l | where_exp: 'x', 'x.n > 1 and x.t contains \"b\"' | map: 'n' | join }}", "2"),
            ("{{ l | where_exp: 'x', 'x.n != least' | map: 'n' | join: ',' }}", "2,3"),
            ("{{ l | where_exp: \"x\", \"x.none\" | size }}", "0"),
            ("{{ l | find_exp: 'x', 'x.n == 3' | json }}", "{\"n\":3,\"t\":[]}"),
            ("{{ l | find_exp: 'x', 'x.n == 4' | json }}", "null"),
            ("{% assign x = 'kept' %}{{ l | where_exp: 'x', 'x' | size }}{{ x }}", "3kept"),
            ("{% for x in l %}{{ l | where_exp: 'y', 'y.n < x.n' | size }}{% endfor %}", "012"),
            (
                "{% assign g = l | group_by_exp: 'x', 'x.n | modulo: 2' %}{% for p in g %}{{ p.name }}:{{ p.size }}:{{ p.items | map: 'n' | join: '+' }} {% endfor %}",
                "1:2:1+3 0:1:2 ",
            ),
            (
                "{% assign g = l | group_by: 't' %}{% for p in g %}[{{ p.name }}]{{ p.size }}{% endfor %}",
                "[[\"a\", \"b\"]]2[[]]1",
            ),
            ("{{ nothing | where_exp: 'x', 'x' | size }}{{ nothing | group_by: 'x' | size }}", "00"),
            ("{{ (1..5) | where_exp: 'x', 'x > 3' | join }}", "4 5"),
        ],
        r#"{"l":[{"n":1,"t":["a","b"]},{"n":2,"t":["a","b"]},{"n":3,"t":[]}],"least":1}"#,
    );
}

#[test]
fn what_an_expression_reads_is_read_of_each_item() {
    let layout = site(&[(
        "page.html",
        "",
        "{% assign l = products | where_exp: 'p', 'p.tags contains params.tag' %}{% for p in l %}{{ p.name }}{% endfor %}",
    )]);
    let page = layout.layout("page.html");
    let mut reads: Vec<String> = page
        .reads()
        .iter()
        .map(|read| format!("{}{:?}{}", page.roots()[read.root].name, read.segments, if read.whole { "!" } else { "" }))
        .collect();
    reads.sort();
    assert_eq!(
        reads,
        [r#"params[Key("tag")]!"#, r#"products[Any, Key("name")]!"#, r#"products[Any, Key("tags")]!"#, "products[]",]
    );
}

#[test]
fn groups_and_markdown_are_escaped_for_what_they_are() {
    let json = r#"{"l":[{"k":"<b>"}],"m":"a *b* & c"}"#;
    assert_eq!(html("{% assign g = l | group_by_exp: 'x', 'x.k' %}{{ g.first.name }}", json), "&lt;b&gt;");
    assert_eq!(html("{{ m | markdownify | strip }}", json), "<p>a <em>b</em> &amp; c</p>");
    assert_eq!(
        html("{{ 100 | money }}{{ m | money }}{{ 5 | time_tag: m }}", json),
        concat!("$1.00$0.00", "<time datetime=\"1970-01-01T00:00:05+00:00\">a *b* &amp; c</time>")
    );
}

#[test]
fn numbers_as_decimals() {
    all(
        &[
            ("{{ 2.675 | round: 2 }} {{ -2.5 | round }} {{ 1.005 | times: 100 }}", "2.68 -3 100.5"),
            (
                "{{ 0.3 | divided_by: 0.1 }} {{ 10 | divided_by: 3.0 }} {{ 1 | divided_by: 8.0 }}",
                "3.0 3.3333333333333335 0.125",
            ),
            (
                "{{ '3.5abc' | plus: 0 }} {{ '3.5' | plus: 0 }} {{ '+1.5' | plus: 0 }} {{ '1_000' | plus: 1 }}",
                "3 3.5 1 1001",
            ),
            (
                "{{ 99999999999999999999 }} {{ 99999999999999999999 | plus: 1 }}",
                "99999999999999999999 100000000000000000000",
            ),
            ("{{ 9223372036854775807 | times: 10 | divided_by: 10 }}", "9223372036854775807"),
            (
                "{{ 5.0 | divided_by: 2 }} {{ 5 | divided_by: 2 }} {{ -5 | divided_by: 2 }} {{ -7.5 | modulo: 2 }}",
                "2.5 2 -3 0.5",
            ),
            (
                "{{ 1999 | money }} {{ '1050' | money }} {{ 1000 | money_without_trailing_zeros }} {{ 123456789 | money }}",
                "$19.99 $10.50 $10 $1,234,567.89",
            ),
            (
                "{{ 1234567.5 | number_with_delimiter }} {{ 'abc' | number_with_delimiter }} {{ -1234 | number_with_delimiter: ' ' }}",
                "1,234,567.5 0 -1 234",
            ),
            ("{{ true | to_integer }}{{ '12.9kg' | to_integer }}{{ -1.9 | to_integer }}", "112-1"),
        ],
        "{}",
    );
}

#[test]
fn text_as_ruby_has_it() {
    all(
        &[
            ("[{{ '\u{a0} a \u{a0}' | strip }}]", "[\u{a0} a \u{a0}]"),
            (
                "{{ 'one two ' | truncatewords: 2 }}|{{ 'one two' | truncatewords: 2 }}|{{ ' one' | truncatewords: 1 }}",
                "one two...|one two| one",
            ),
            ("{{ 'ßx' | capitalize }} {{ 'éA' | capitalize }}", "Ssx Éa"),
            ("{{ 'hello' | first }}{{ 'hello' | last }}{{ s.first }}{{ s.last }}{{ '' | first }}", "hoéz"),
            ("{{ 'YT9i' | base64_url_safe_decode }}{{ 'YQ' | base64_url_safe_decode }}", "a?ba"),
            ("{{ l | sum: 'n' }}", "6"),
            (
                "{% tablerow i in (1..2) cols: 0 %}{{ i }}{% endtablerow %}",
                "<tr class=\"row1\">\n<td class=\"col1\">1</td><td class=\"col2\">2</td></tr>\n",
            ),
            (
                "[{% tablerow i in none %}{{ i }}{% endtablerow %}]{% tablerow i in z %}{% endtablerow %}",
                "[]<tr class=\"row1\">\n</tr>\n",
            ),
            ("{% if r contains 2.5 %}{% endif %}{% assign r = (1..3) %}{% if r contains 2.5 %}y{% endif %}", "y"),
            (
                "{{ 'a b' | url_param_escape }} {{ 'a/b?c=d e&f' | uri_escape }} {{ 'x/y z' | cgi_escape }}",
                "a%20b a/b?c=d%20e&f x%2Fy+z",
            ),
            (
                "{{ 'a,b' | split: ',' | array_to_sentence_string }}|{{ 'a' | array_to_sentence_string }}|{{ n | array_to_sentence_string }}",
                "a and b|a|",
            ),
        ],
        r#"{"s":"éz","l":[{"n":[1,2]},{"n":"3"},1.5],"z":[]}"#,
    );
}

#[test]
fn the_time_is_never_more_exact_than_the_layout_asks() {
    all(
        &[
            ("{{ 'now' | date: '%F %T' }}", "2024-03-05 10:20:30"),
            ("{{ 'now' | date: '%F' }} {{ 'no' | append: 'w' | date: '%F %T' }}", "2024-03-05 2024-03-05 00:00:00"),
            ("{{ 'no' | append: 'w' | date: '%T' }}{{ 'today' | date: '%Y' }}", "00:00:002024"),
            ("{{ 'no' | append: 'w' | date: '%T' }}", "now"),
            ("{% assign n = 'now' | date: 'now' %}{{ n | date: '%T' }}", "00:00:00"),
            ("{% assign n = 'now' | date: '' %}{{ n | date: '%T' }}", "00:00:00"),
        ],
        "{}",
    );
}

#[test]
fn code_is_escaped_once_and_in_colours_wherever_it_stands() {
    let json = r#"{"c":"\nlet a = \"<b>\";\n","d":"1 < 2"}"#;
    let coloured = concat!(
        "<pre class=\"highlight\" tabindex=\"0\"><code class=\"language-rust\"><span class=\"hl-keyword\">let</span> a = ",
        "<span class=\"hl-string\">&quot;&lt;b&gt;&quot;</span>;</code></pre>"
    );
    assert_eq!(html("{{ c | highlight: 'rust' }}", json), coloured);
    assert_eq!(liquid("{{ c | highlight: 'rust' }}", json), coloured);
    assert_eq!(html("{% highlight rust %}\nlet a = \"<b>\";\n{% endhighlight %}", json), coloured);
    assert_eq!(html("<p>{% highlight rust %}{{ c }}{% endhighlight %}</p>", json), format!("<p>{coloured}</p>"));
    assert_eq!(liquid("{% highlight rust %}{% if d %}{{ c }}{% endif %}{% endhighlight %}", json), coloured);
    assert_eq!(
        html("{% highlight text %}{% raw %}{{ a }}{% endraw %} {{ d }}{% endhighlight %}{{ d }}", json),
        "<pre class=\"highlight\" tabindex=\"0\"><code class=\"language-text\">{{ a }} 1 &lt; 2</code></pre>1 &lt; 2"
    );
    assert_eq!(html("{% capture e %}<i>{% endcapture %}{{ e | highlight: d }}", json).matches("&lt;i&gt;").count(), 1);
    assert_eq!(html("[{{ nothing | highlight: 'rust' }}]", json), "[]");
}

#[test]
fn a_block_of_code_stands_between_tags_and_names_its_language() {
    for (layout, expected) in [
        ("<p title=\"{% highlight rust %}a{% endhighlight %}\">", "layout/unsafe-place `{% highlight rust %}`"),
        ("{% highlight %}a{% endhighlight %}", "layout/bad-expression `{% highlight %}`"),
        ("{% highlight rust numbers %}a{% endhighlight %}", "layout/bad-expression `{% highlight rust numbers %}`"),
        ("{% highlight rust %}a", "layout/unclosed `{% highlight rust %}`"),
    ] {
        assert!(findings(layout).iter().any(|found| found == expected), "{layout}: {:?}", findings(layout));
    }
}
