//! What comes from outside cannot leave the place where it is printed.

use super::support::{findings, html, site};
use crate::render::Limits;
use crate::value::Value;

const HOSTILE: &str = r#"{"x":"\"'><script>alert(1)</script>&amp;"}"#;

#[test]
fn text_and_quoted_attributes_are_escaped() {
    let escaped = "&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;";
    assert_eq!(html("<p>{{ x }}</p>", HOSTILE), format!("<p>{escaped}</p>"));
    assert_eq!(html("<p title='{{ x }}'>", HOSTILE), format!("<p title='{escaped}'>"));
    assert_eq!(html("<p title=\"a {{ x }} b\">", HOSTILE), format!("<p title=\"a {escaped} b\">"));
    assert_eq!(html("<title>{{ x }}</title>", HOSTILE), format!("<title>{escaped}</title>"));
}

#[test]
fn links_with_code_are_dead() {
    let page = "<a href=\"{{ x }}\">";
    assert_eq!(html(page, r#"{"x":"javascript:alert(1)"}"#), "<a href=\"#blocked\">");
    assert_eq!(html(page, r#"{"x":" jAva\tscript:alert(1)"}"#), "<a href=\"#blocked\">");
    assert_eq!(html(page, r#"{"x":"https://a.example/?a&b"}"#), "<a href=\"https://a.example/?a&amp;b\">");
    assert_eq!(html("<a href='/u/{{ x }}'>", r#"{"x":"javascript:'"}"#), "<a href='/u/javascript:%27'>");
    let joined = "<a href=\"{{ x }}{{ y }}\">";
    assert_eq!(html(joined, r#"{"x":"java","y":"script:alert(1)"}"#), "<a href=\"java#blocked\">");
    let branched = "<a href=\"{% if z %}/{% endif %}{{ x }}\">";
    assert_eq!(html(branched, r#"{"x":"javascript:1"}"#), "<a href=\"#blocked\">");
}

#[test]
fn markup_is_not_escaped_as_text_but_cannot_leave_an_attribute() {
    let captured = "{% capture c %}<b>{{ x }}</b>{% endcapture %}";
    assert_eq!(html(&format!("{captured}{{{{ c }}}}"), r#"{"x":"<"}"#), "<b>&lt;</b>");
    assert_eq!(
        html(&format!("{captured}<i title=\"{{{{ c }}}}\">"), r#"{"x":"\""}"#),
        "<i title=\"&lt;b&gt;&quot;&lt;/b&gt;\">"
    );
    let one = site(&[("page.html", "", "{{ x }}|<i title='{{ x }}'>|{{ x | append: y }}|{{ x | append: '<hr>' }}")]);
    let data = Value::Object([("x", Value::markup("<b>'")), ("y", Value::text("<"))].into_iter().collect());
    assert_eq!(
        one.render_value("page.html", &data, &Limits::default()),
        Ok("<b>'|<i title='&lt;b&gt;&#39;'>|&lt;b&gt;&#39;&lt;|<b>'<hr>".to_owned())
    );
}

#[test]
fn literals_are_the_authors_own_and_filters_say_what_they_make() {
    for (template, expected) in [
        ("{{ '<br>' }}", "<br>"),
        ("{{ nothing | default: '<br>' }}", "<br>"),
        ("{{ '<br>' | append: x }}", "&lt;br&gt;&lt;"),
        ("{{ x | raw }}", "<"),
        ("{{ x | escape }}", "&lt;"),
        ("{{ y | newline_to_br }}", "&lt;<br />\n&gt;"),
        ("{{ x | upcase }}", "&lt;"),
        ("{{ '<b>' | slice: 0, 2 }}", "&lt;b"),
        ("{% assign z = x %}{{ z }}", "&lt;"),
        ("{% assign z = '<i>' %}{{ z }}", "<i>"),
        ("{{ l | join: '<br>' }}", "a&lt;br&gt;&lt;"),
        ("{{ l }}", "a&lt;"),
        ("{{ o }}", "{&quot;&lt;&quot;=&gt;1}"),
        ("{{ x | json }}", "&quot;&lt;&quot;"),
        ("{% echo x %}", "&lt;"),
        ("{% cycle x %}", "&lt;"),
        ("{{ '<b>a &amp; b</b>' | strip_html }}", "a &amp; b"),
        ("{{ '&amp;lt;' | strip_html }}", "&amp;lt;"),
        ("{{ x | strip_html }}", "&lt;"),
    ] {
        assert_eq!(html(template, r#"{"x":"<","y":"<\n>","l":["a","<"],"o":{"<":1}}"#), expected, "{template}");
    }
}

#[test]
fn pieces_of_tags_are_no_markup() {
    // What is printed where it is written is read with the rest of the layout.
    let data = r#"{"x":"y' onclick=z","c":"\" onfocus=z a=\""}"#;
    for (template, expected) in [
        ("{{ '<a href=\"' }}{{ x }}\">", Ok("<a href=\"y%27%20onclick=z\">")),
        ("{% echo '<i>' %}{{ x }}", Ok("<i>y&#39; onclick=z")),
        ("{{ '<a href=' }}{{ x }}>", Err("layout/unsafe-place `{{ x }}`")),
        ("{{ '<script>' }}{{ x }}</script>", Err("layout/unsafe-place `{{ x }}`")),
        ("{{ \"<div onclick='\" }}{{ x }}'>", Err("layout/unsafe-place `{{ x }}`")),
        ("{% assign o = '<script>' %}{{ o }}{{ x }}</script>", Err("layout/piece-of-markup `<script>`")),
        ("{{ c | default: '<a title=' }}{{ x }}>", Err("layout/piece-of-markup `<a title=`")),
        ("{% render 'part', open: '<b title=' %}", Err("layout/piece-of-markup `<b title=`")),
        ("{% cycle '<b ', '<i>' %}{{ x }}", Err("layout/piece-of-markup `<b `")),
    ] {
        let page = site(&[("page.html", "", template), ("partials/part.html", "", "{{ open }}")]);
        match expected {
            Ok(expected) => assert_eq!(page.render("page.html", data), expected, "{template}"),
            Err(code) => assert_eq!(page.codes(), [code], "{template}"),
        }
    }
    // A warning, because it is printed as what it is: a text.
    let printed =
        |template: &str| site(&[("page.html", "", template)]).render_with("page.html", data, &Limits::default());
    assert_eq!(printed("{% assign o = '<b title=' %}{{ o }}{{ x }}>"), Ok("&lt;b title=y&#39; onclick=z>".to_owned()));
    for template in ["{% if x contains '<b' %}{% endif %}", "{{ '<b' | escape }}", "{{ x | split: '<b' | first }}"] {
        assert_eq!(findings(template), [""; 0], "{template}");
    }
}

#[test]
fn what_is_taken_out_of_markup_with_data_makes_a_text_of_it() {
    let captured = "{% capture c %}<i title=\"{{ x }}\">b</i>{% endcapture %}";
    for (call, expected) in [
        ("remove: '\"'", "&lt;i title=a onclick=b&gt;b&lt;/i&gt;"),
        ("replace: 'title', 'alt'", "&lt;i alt=&quot;a onclick=b&quot;&gt;b&lt;/i&gt;"),
        ("replace: '</i>', '</i><br>'", "<i title=\"a onclick=b\">b</i><br>"),
        ("remove: '</i>'", "<i title=\"a onclick=b\">b</i>"),
        ("replace: '</i>', '</i></div>'", "<i title=\"a onclick=b\">b</i>"),
        ("replace: '</i>', '<b '", "&lt;i title=&quot;a onclick=b&quot;&gt;b&lt;b "),
        ("replace: '</i>', x", "&lt;i title=&quot;a onclick=b&quot;&gt;ba onclick=b"),
        ("append: '<br>'", "<i title=\"a onclick=b\">b</i><br>"),
    ] {
        let template = format!("{captured}{{{{ c | {call} }}}}");
        let page = site(&[("page.html", "", &template)]);
        let printed = page.render_with("page.html", r#"{"x":"a onclick=b"}"#, &Limits::default());
        assert_eq!(printed, Ok(expected.to_owned()), "{call}");
    }
    // Without data it is what the authors wrote.
    let template = "{% capture c %}<i title=\"a\">{{ 1 | plus: 1 }}</i>{% endcapture %}{{ c | remove: '\"' }}";
    assert_eq!(html(template, "{}"), "<i title=a>2</i>");
    let around = site(&[
        ("page.html", "around.html", "<b title=\"{{ x }}\">c</b>"),
        ("around.html", "", "{{ content | remove: '\"' }}"),
    ]);
    assert_eq!(around.render("page.html", r#"{"x":"a"}"#), "&lt;b title=a&gt;c&lt;/b&gt;");
}

#[test]
fn what_filters_make_of_markup_is_no_other_markup() {
    let one = |template: &str, value: Value| {
        let page = site(&[("page.html", "", template)]);
        assert!(page.findings.is_empty(), "{template}: {:?}", page.codes());
        let data: crate::value::Object = [("h", value)].into_iter().collect();
        page.render_value("page.html", &Value::Object(data), &Limits::default()).unwrap()
    };
    for (template, value, expected) in [
        // No word of a URL that it was not, and no space that browsers pass over.
        (
            "{{ h | upcase }}",
            "<a href=\"java\u{17f}cr\u{131}pt:x\">é &lt;</a>",
            "<A HREF=\"JAVA\u{17f}CR\u{131}PT:X\">É &lt;</A>",
        ),
        ("{{ h | downcase }}", "<B>\u{212a}\u{130}É &Auml;", "<b>\u{212a}\u{130}é &Auml;"),
        ("{{ h | capitalize }}", "É\u{212a}<B>", "É\u{212a}<b>"),
        ("{{ h | squish }}", "<a href=\"\u{2003}javascript:x\">a \n b", "<a href=\"\u{2003}javascript:x\">a b"),
        // One of two tags.
        ("{{ h | remove: '<p>' | remove: '</p>' }}<b>", "<p title=\"a\">x</p>", "<p title=\"a\">x</p><b>"),
        ("{{ h | remove: '<p>' | remove: '</p>' }}<b>", "<p>x</p>", "x<b>"),
        (
            "{{ h | replace: '<table>', '<div><table>' | replace: '</table>', '</table></div>' }}",
            "<table></table>x<table></table>",
            "<div><table></table></div>x<div><table></table></div>",
        ),
    ] {
        assert_eq!(one(template, Value::markup(value)), expected, "{template}");
    }
    for (template, expected) in [
        // What the authors wrote, without a part of it, is text.
        ("{% assign o = '<a href=\"#\">' | remove: '#\">' %}{{ o }}{{ h }}\">", "&lt;a href=&quot;x y=z\">"),
        ("{{ '<br>' | replace: '>', '&lt;' }}{{ h }}", "&lt;br&amp;lt;x y=z"),
        ("{{ 'ß' | upcase }}", "SS"),
        // What is captured where nothing is escaped is data.
        (
            "{% highlight text %}{% capture demo %}<b>{{ h }}{% endcapture %}{% endhighlight %}{{ demo }}",
            "<pre class=\"highlight\" tabindex=\"0\"><code class=\"language-text\"></code></pre>&lt;b&gt;x y=z",
        ),
    ] {
        assert_eq!(one(template, Value::text("x y=z")), expected, "{template}");
    }
}

#[test]
fn pieces_of_links_are_what_authors_mean() {
    let data = r#"{"lang":"de","page":{"url":"/docs/a.html"},"base":"https://s.example","site":{"base":"/base"},"image":"//cdn.example/a.png",
        "web":"acme.example/de","mail":"me@a.example","tel":"+49 301","q":"Tom & Jerry","n":7,"t":["javascript","alert(1)"]}"#;
    for (link, expected) in [
        ("/{{ lang }}{{ page.url }}", "/de/docs/a.html"),
        ("{{ site.base }}/{{ lang }}{{ page.url }}", "/base/de/docs/a.html"),
        ("{{ base }}/{{ page.url }}", "https://s.example//docs/a.html"),
        ("/{{ page.url }}", "/docs/a.html"),
        ("/{{ lang }}/{{ page.url }}", "/de//docs/a.html"),
        ("{{ base }}{{ page.url }}", "https://s.example/docs/a.html"),
        ("https://x.example:8080{{ page.url }}", "https://x.example:8080/docs/a.html"),
        ("https://x.example:{{ n }}/", "https://x.example:7/"),
        ("https://10.0.0.1{{ n }}/", "https://10.0.0.1/7/"),
        ("{{ base }}{{ n }}", "https://s.example/7"),
        ("https:{{ image }}", "https://cdn.example/a.png"),
        ("https://{{ web }}", "https://acme.example/de"),
        ("https://{{ web }}.example.com/", "https://acme.example%2Fde.example.com/"),
        ("{% if n == 7 %}mailto:{% elsif n == 8 %}tel:{% endif %}{{ mail }}", "mailto:me@a.example"),
        ("tel:{{ tel }}", "tel:+49%20301"),
        ("mailto:?subject={{ q | url_encode | replace: '+', '%20' }}", "mailto:?subject=Tom%20%26%20Jerry"),
        ("/?q={{ q | url_encode | escape }}", "/?q=Tom+%26+Jerry"),
        ("{{ base }}/it's/{{ page.url }}", "https://s.example/it's//docs/a.html"),
    ] {
        let printed = html(&format!("<a href=\"{link}\">"), data);
        assert_eq!(printed, format!("<a href=\"{expected}\">"), "{link}");
    }
    let repeated = site(&[
        ("page.html", "", "<a href=\"{% render 'seg' for t as i %}\">"),
        ("partials/seg.html", "", "{% if forloop.first %}{% else %}:{% endif %}{{ i }}"),
    ]);
    assert_eq!(repeated.codes(), ["layout/unsafe-place `:`"]);
    let asked =
        "<script src='{{ \"a\" | split: \",\" | group_by_exp: \"i\", \"q\" | map: \"name\" | first }}'></script>";
    assert_eq!(findings(asked).len(), 1, "{:?}", findings(asked));
    assert_eq!(findings("<link rel=\"{% if n %}prev{% else %}next{% endif %}\" href=\"{{ base }}\">"), [""; 0]);
    assert_eq!(findings("<link {% if n %}rel=\"next\"{% else %}rel=\"prev\"{% endif %} href=\"{{ base }}\">"), [""; 0]);
    assert_eq!(findings("<link rel=\"{% if n %}style{% else %}x{% endif %}sheet\" href=\"{{ base }}\">").len(), 1);
    let delayed = "<meta http-equiv=refresh content=\"0; url={% if n == 7 %}/a/{% else %}https://x.example/{% endif %}{{ image }}\">";
    assert_eq!(html(delayed, data), "<meta http-equiv=refresh content=\"0; url=/a///cdn.example/a.png\">");
    let broken = "{% capture c %}<p title=\"{{ q }}\">\nx</p>{% endcapture %}{{ c | newline_to_br }}";
    let printed = html(broken, "{\"q\": \"a\\nb\"}");
    assert_eq!(printed, "<p title=\"a\nb\"><br />\nx</p>");
}

#[test]
fn cells_in_loops_are_parted() {
    let csv = |template: &str, json: &str| {
        site(&[("page.csv", "", template)]).render_with("page.csv", json, &Limits::default())
    };
    let data = r#"{"t":["a","x,y"],"q":"z","f":["-1","1*cmd"]}"#;
    assert_eq!(csv("{% for x in t %}{{ x }}{% endfor %},{{ q }}", data), Ok("a,\"x,y\",z".to_owned()));
    assert_eq!(csv("{% for x in f %}{{ x }}{% endfor %}", data), Ok("-1,1*cmd".to_owned()));
    let joined = "{% for x in t %}{{ x }}{% unless forloop.last %};{% endunless %}{% endfor %}\n";
    assert_eq!(csv(joined, data), Ok("a;\"x,y\"\n".to_owned()));
    let blanks = format!("{{\"a\":\"{}\",\"b\":\"=1+1\"}}", " ".repeat(300));
    assert!(csv("\"{{ a }}{{ b }}\"", &blanks).unwrap().ends_with(" '=1+1\""));
    let rows = "{% for r in rows %}\"{{ r.a }}é{% ifchanged %}{{ r.b }}{% endifchanged %}\"\n{% endfor %}";
    let printed = csv(rows, r#"{"rows":[{},{"a":"-1","b":"z"}]}"#);
    assert_eq!(printed, Ok("\"é\"\n\"'-1éz\"\n".to_owned()));
}

#[test]
fn what_may_be_printed_twice_begins_where_it_ended() {
    for template in [
        "{% case t %}{% when 'new', y %}<p class=\"{% else %}<p class=\"o {% endcase %}{{ x }}\">",
        "<p title={% case x %}{% when 'a' %}\"x\"{% when y %}\"{{ z }}\"{% endcase %}>",
        "<p title={% case x %}{% else %}\"x\"{% when 'a' %}\"{{ z }}\"{% endcase %}>",
        "<a title=\"{% for t in r %}{% capture c %}<i title=\"{% break %}\">{% endcapture %}{% endfor %}\">{{ c }}",
        "<a title=\"{% for t in r %}\">{% include 'leaves' %}<b title=\"{% endfor %}\">",
    ] {
        let page = site(&[("page.html", "", template), ("partials/leaves.html", "", "{% break %}")]);
        assert!(page.findings.has_errors(), "{template}");
    }
    for template in [
        "{% case t %}{% when 'a', 'b' %}<p class=\"a\">{% when 'c' %}<p>{% else %}<p class=\"o\">{% endcase %}{{ x }}",
        "<p{% case t %}{% when x %} class=\"a\"{% when y, z %} title=\"{{ x }}\"{% endcase %}>",
        "{% for t in r %}<b>{% include 'leaves' %}</b>{% endfor %}",
        "<a href=\"{% case t %}{% when 'a' %}/x{% when 'b' %}/y{% endcase %}\">",
    ] {
        let page = site(&[("page.html", "", template), ("partials/leaves.html", "", "{% break %}")]);
        assert_eq!(page.codes(), [""; 0], "{template}");
    }
}

#[test]
fn markup_in_a_url_is_the_characters_that_it_shows() {
    let captured = "{% capture c %}{{ x }}{% endcapture %}";
    for (link, value, expected) in [
        ("/s?q={{ x | escape }}", "a&b=<", "/s?q=a%26b%3D%3C"),
        ("/s?q={{ c }}", "a&b=<", "/s?q=a%26b%3D%3C"),
        ("/{{ x | escape_once }}", "&#47;evil.example", "/evil.example"),
        ("/a/{{ c }}", "b?c", "/a/b%3Fc"),
        ("{{ c }}", "javascript:x", "#blocked"),
        ("{{ c }}", "/a?b&c", "/a?b&amp;c"),
        ("?q={{ x | url_encode }}", "a b%&", "?q=a+b%25%26"),
        ("?q={{ x | uri_escape }}", "a&b", "?q=a%26b"),
        ("?{{ 'a=1&b=2' }}", "", "?a=1&amp;b=2"),
    ] {
        let data = format!("{{\"x\": \"{value}\"}}");
        let printed = html(&format!("{captured}<a href=\"{link}\">"), &data);
        assert_eq!(printed, format!("<a href=\"{expected}\">"), "{link}");
    }
}

#[test]
fn only_json_stands_in_scripts() {
    let page = "<script>let x = {{ x | json }};</script><p>{{ x }}</p>";
    assert_eq!(
        html(page, r#"{"x":"</script>"}"#),
        "<script>let x = \"\\u003c/script\\u003e\";</script><p>&lt;/script&gt;</p>"
    );
    assert_eq!(findings("<script>let x = {{ x }};</script>"), ["layout/unsafe-place `{{ x }}`"]);
    assert_eq!(findings("<script>let x = '{{ x | json }}';</script>"), ["layout/unsafe-place `{{ x | json }}`"]);
}

/// There a script is read as markup: what looks like a tag is one, and its attributes are no script.
#[test]
fn scripts_of_drawings_hold_no_tags() {
    let is_refused = |page: &str| findings(page).first().is_some_and(|found| found == "layout/unsafe-place `<`");
    for script in [
        "<script>x = <p title={{ x | json }}</script>",
        "<script>x = 1 <{{ x | json }}</script>",
        "<script><!-- {{ x | json }} --></script>",
        "<script>'</style>'</script>",
        "<style>a::after { content: '<b>' }</style>",
        "<script><![CDATA[ 1 ]]> <b> </script>",
    ] {
        assert!(is_refused(&format!("<svg>{script}</svg>")), "{script}: {:?}", findings(script));
        assert!(is_refused(&format!("<svg><title></title>{script}</svg>")), "{script}");
        assert!(!is_refused(script), "in HTML it is no markup: {script}");
    }
    for script in [
        "<script>let x = {{ x | json }}, y = 1 < 2;</script>",
        "<script><![CDATA[ let x = {{ x | json }}, y = '<b></script>'; ]]></script><text>{{ x }}</text>",
        "<style>a { color: red }</style>",
    ] {
        assert_eq!(findings(&format!("<svg>{script}</svg>{{{{ x }}}}")), [""; 0], "{script}");
    }
    let hidden = "<svg><script><![CDATA[ '</script>' + {{ x }} ]]></script></svg>";
    assert_eq!(findings(hidden), ["layout/unsafe-place `{{ x }}`"], "the section has not ended");
    assert_eq!(
        findings("<svg><script>{% if a %}<![CDATA[{% endif %} 1 ]]></script></svg>"),
        ["layout/branch-context `{% if a %}`"]
    );
}

/// What the tracker once took for another place than browsers do.
#[test]
fn places_are_those_that_browsers_see() {
    let refused = ["layout/unsafe-place `{{ x | json }}`"];
    for page in [
        "<script>s = \"abc \\\r\n {{ x | json }}\";</script>",
        "<script>// a\rs = `{{ x | json }}`;</script>",
        "<script>// a\u{2028}s = `{{ x | json }}`;</script>",
    ] {
        assert_eq!(findings(page), refused, "{page}");
    }
    let page = "<script type=\"text/javascript\" type=\"application/json\">{\"a\": \"{{ x }}\"}</script>";
    assert_eq!(findings(page), ["layout/unsafe-place `{{ x }}`"], "the first of two attributes counts");
    let xml = |body: &str| {
        let page = site(&[("a.xml", "", body)]);
        (page.codes(), page.render_with("a.xml", "{\"x\": \"javascript:alert(1)\"}", &Limits::default()).unwrap())
    };
    assert!(xml("<a l:href=\"{{ x }}\"/>").1.contains("#blocked"), "a prefix may be any");
    for event in ["onpageshow", "onpaste", "onwheel", "ontransitionend", "onresize"] {
        assert_eq!(
            xml(&format!("<body {event}=\"f('{{{{ x }}}}')\"/>")).0,
            ["layout/unsafe-place `{{ x }}`"],
            "{event}"
        );
    }
    assert_eq!(xml("<option one=\"{{ x }}\" only=\"{{ x }}\"/>").0, [""; 0]);
}

#[test]
fn an_empty_piece_of_a_path_begins_no_host() {
    let page = |data: &str| {
        let template = "<a href=\"/{{ a }}/{{ b }}\"></a>{% for p in l %}<a href=\"/{% for p in l %}{{ p }}/{% endfor %}{{ b }}\"></a>{% endfor %}";
        html(template, data)
    };
    assert_eq!(page("{\"a\": \"\", \"b\": \"evil.example/x\"}"), "<a href=\"/./evil.example/x\"></a>");
    assert_eq!(page("{\"a\": \"\", \"b\": \"/evil.example\"}"), "<a href=\"/./evil.example\"></a>");
    assert_eq!(page("{\"a\": \"u\", \"b\": \"a?b#c\"}"), "<a href=\"/u/a%3Fb%23c\"></a>");
    assert_eq!(
        page("{\"a\": \"u\", \"b\": \"evil.example\", \"l\": [\"\"]}"),
        "<a href=\"/u/evil.example\"></a><a href=\"/./evil.example\"></a>"
    );
}

#[test]
fn places_where_nothing_is_safe_are_findings() {
    for page in [
        "<a onclick=\"f('{{ x }}')\">",
        "<p style=\"color: {{ x }}\">",
        "<style>p { color: {{ x }} }</style>",
        "<p class={{ x }}>",
        "<p {{ x }}>",
        "<{{ x }}>",
        "<!-- {{ x }} -->",
        "<script src=\"{{ x }}\"></script>",
    ] {
        assert!(findings(page).contains(&"layout/unsafe-place `{{ x }}`".to_owned()), "{page}: {:?}", findings(page));
        let page = site(&[("page.html", "", page)]);
        let rendered = page.render_with("page.html", HOSTILE, &Limits::default()).unwrap();
        assert!(!rendered.contains("alert"), "nothing is printed there: {rendered}");
    }
}

#[test]
fn branches_that_leave_different_places_are_findings() {
    assert_eq!(findings("{% if a %}<p class=\"{% endif %}x\">"), ["layout/branch-context `{% if a %}`"]);
    assert_eq!(findings("<option{% if a %} selected{% endif %}>"), [""; 0]);
    assert_eq!(findings("<p title=\"{% for a in b %}{{ a }} {% endfor %}\">"), [""; 0]);
    assert_eq!(findings("<p title=\""), ["layout/branch-context ``"]);
    assert_eq!(findings("<input{% if a %} checked{% endif %} value=\"{{ x }}\">"), [""; 0]);
    assert_eq!(
        findings("{% for a in b %}<i title=\"{% if a %}{% break %}{% endif %}{{ a }}\">{% endfor %}"),
        ["layout/branch-context `{% break %}`"]
    );
    assert_eq!(findings("<p title=\"{% for a in b %}{{ a }}{% break %}{% endfor %}\">"), [""; 0]);
    for glued in ["<a{% if a %} class=\"c\"{% endif %}title=\"{{ x }}\">", "<a{% if a %} {% endif %}title=\"{{ x }}\">"]
    {
        assert_eq!(findings(glued), ["layout/unsafe-place `{{ x }}`"], "the white space may be missing: {glued}");
    }
}

#[test]
fn the_extension_decides() {
    let layouts = [
        ("a.html", "{{ x }}"),
        ("a.xml", "{{ x }}"),
        ("a.txt", "{{ x }}"),
        ("a.json", "\"{{ x }}\""),
        ("b.json", "{{ x | json }}"),
        ("a.csv", "{{ x }}"),
    ];
    let all = site(&layouts.map(|(name, template)| (name, "", template)));
    let rendered = layouts.map(|(name, _)| all.render(name, r#"{"x":"<',"}"#));
    assert_eq!(
        rendered,
        ["&lt;&#39;,", "&lt;&#39;,", "<',", "\"\\u003c',\"", "\"\\u003c',\"", "\"<',\""].map(str::to_owned)
    );
}

#[test]
fn other_formats_have_places_of_their_own() {
    let findings = |name: &str, template: &str| site(&[(name, "", template)]).codes();
    assert_eq!(findings("a.json", "{\"n\": {{ n }}}"), ["layout/unsafe-place `{{ n }}`"]);
    assert_eq!(findings("a.json", "{\"a\": \"{{ a }} {{ b }}\", \"c\": {{ c | json }}}"), [""; 0]);
    assert_eq!(
        findings("a.csv", "{{ a }},\"{{ b }} {{ c }}\"\n{% for r in rows %}{{ r.a }};{{ r.b }}\n{% endfor %}"),
        [""; 0]
    );
    assert_eq!(findings("a.csv", "{{ a }} {{ b }}\n"), ["layout/unsafe-place ` `", "layout/unsafe-place `{{ b }}`"]);
    let rows = "{% for c in row %}{{ c }}{% unless forloop.last %},{% endunless %}{% endfor %}";
    assert_eq!(findings("a.csv", rows), [""; 0]);
}

#[test]
fn a_partial_is_escaped_for_where_it_is_called() {
    let one = site(&[
        (
            "page.html",
            "",
            "<a href=\"{% render 'link', x: x %}\" title=\"{% render 'name', x: x %}\">{% render 'name', x: x %}</a>",
        ),
        ("partials/link.html", "", "/?q={{ x }}"),
        ("partials/name.html", "", "({{ x }})"),
    ]);
    assert_eq!(
        one.render("page.html", r#"{"x":"a&\"b"}"#),
        "<a href=\"/?q=a%26%22b\" title=\"(a&amp;&quot;b)\">(a&amp;&quot;b)</a>"
    );
}
