//! What a partial says of a tag, its caller does not see: neither can give power to a value of the other. What is known of a value goes
//! with it into a partial.

use super::support::site;

fn found(page: &str, partial: &str) -> Vec<String> {
    let all = site(&[("page.html", "", page), ("partials/x.html", "", partial)]);
    all.codes()
}

const REFUSED: &str = "layout/unsafe-place";

#[test]
fn a_partial_stands_among_the_attributes_of_any_tag() {
    for (page, partial) in [
        ("<meta {% render 'x' %}>", "name=\"description\" content=\"{{ x }}\""),
        ("<meta name=\"description\" {% render 'x' %}>", "content=\"{{ x }}\""),
        ("<meta http-equiv=\"refresh\" {% render 'x' %}>", "content=\"5; url=/a/{{ x }}\""),
        ("<meta {% render 'x' %} property=\"og:title\" data-a=\"{{ x }}\">", "content=\"{{ x }}\" "),
        ("<link rel=\"icon\" href=\"{{ x }}\" {% render 'x' %}>", "sizes=\"{{ x }}\""),
        ("<link {% render 'x' %} href=\"/a.css\">", "rel=\"stylesheet\" "),
        ("<link rel=\"icon\" {% if a %}{% render 'x' %}{% endif %} href=\"{{ x }}\">", "sizes=\"{{ x }}\" "),
        ("<script src=\"/a.js\" {% render 'x' %}></script>", "async crossorigin=\"{{ x }}\""),
        ("<script type=\"module\" {% render 'x' %}>let a = {{ x | json }};</script>", "async"),
        ("{% for a in list %}<link {% render 'x' %}>{% endfor %}", "rel=\"icon\" href=\"{{ x }}\""),
    ] {
        assert_eq!(found(page, partial), [""; 0], "{page} {partial}");
    }
}

#[test]
fn neither_gives_power_to_a_value_of_the_other() {
    for (page, partial) in [
        ("<meta {% render 'x' %} content=\"{{ x }}\">", "name=\"a\" "),
        ("<meta content=\"{{ x }}\" {% render 'x' %}>", "http-equiv=\"refresh\""),
        ("<meta {% render 'x' %} http-equiv=\"refresh\">", "content=\"{{ x }}\" "),
        (
            "<meta {% render 'x' %}{% render 'x' %}>",
            "{% if a %}http-equiv=\"refresh\" {% else %}content=\"{{ x }}\" {% endif %}",
        ),
        (
            "<meta {% render 'x' for list %}>",
            "{% if a %}http-equiv=\"refresh\" {% else %}content=\"{{ x }}\" {% endif %}",
        ),
        (
            "<meta {% for a in list %}{% render 'x' %} {% endfor %}>",
            "{% if a %}http-equiv=\"refresh\" {% else %}content=\"{{ x }}\" {% endif %}",
        ),
        ("<meta http-equiv=\"refresh\" {% render 'x' %}>", "content=\"{{ x }}\""),
        ("<link {% render 'x' %} href=\"{{ x }}\">", "rel=\"icon\" "),
        ("<link {% render 'x' %} rel=\"stylesheet\">", "href=\"{{ x }}\" "),
        ("<link href=\"{{ x }}\" {% render 'x' %}>", "rel=\"stylesheet\""),
        ("<link {% render 'x' %} as=\"script\">", "rel=\"preload\" href=\"{{ x }}\" "),
        ("<script {% render 'x' %}>let a = {{ x | json }};</script>", "type=\"importmap\""),
        ("<script {% render 'x' %} type=\"application/json\">{{ x | json }}</script>", "type=\"importmap\" "),
        ("<script {% render 'x' %}></script>", "src=\"{{ x }}\""),
    ] {
        let found = found(page, partial);
        assert!(found.iter().any(|found| found.starts_with(REFUSED)), "{page} {partial}: {found:?}");
    }
}

#[test]
fn a_partial_ends_in_a_name_if_that_ends_behind_the_call() {
    for page in [
        "<input {% render 'x' %}>",
        "<input {% render 'x' %} value=\"{{ x }}\">",
        "<input {% render 'x' -%}>",
        "<input {% render 'x' %}\n{% if a %}value=\"{{ x }}\"{% endif %}>",
    ] {
        for partial in ["required", "name=\"{{ x }}\" required", "{% if a %}required{% endif %}", "type=text"] {
            assert_eq!(found(page, partial), [""; 0], "{page} {partial}");
        }
    }
    for page in [
        "<input {% render 'x' %}click=\"a()\">",
        "<input {% render 'x' -%} click=\"a()\">",
        "<input {% render 'x' %} {%- if a %}click=\"{{ x }}\"{% endif %}>",
        "<input {% render 'x' %}{% if a %}click=\"{{ x }}\"{% endif %}>",
        "<input {% render 'x' for list %} value=\"{{ x }}\">",
        "<input {% liquid render 'x'\nrender 'x' %}>",
        "<input {% render 'x' %}/>",
    ] {
        assert_eq!(found(page, "on"), ["layout/branch-context ``"], "{page}");
    }
    for page in ["<input {% render 'x' %} =\"if (1 > {{ x }}) go()\">", "<input {% include 'x' %}\n= \"{{ x }}\">"] {
        assert_eq!(found(page, "onclick").first(), Some(&format!("{REFUSED} `=`")), "{page}");
    }
}

#[test]
fn what_the_site_declares_says_where_scripts_come_from() {
    let found = |page: &str| site(&[("page.html", "", page)]).codes();
    for page in [
        "<script src=\"{{ vars.cdn }}/a.js\"></script><link rel=stylesheet href=\"{{ site.url }}/a.css\">",
        "<script src=\"https://{{ vars.cdn.host }}/a.js\"></script><base href=\"{{ site.url }}\">",
        "{% for x in list %}<script src=\"{{ vars.cdn }}/{{ 'a' }}.js\"></script>{% endfor %}",
    ] {
        assert_eq!(found(page), [""; 0], "{page}");
    }
    for page in [
        "<script src=\"{{ cdn }}/a.js\"></script>",
        "<script src=\"{{ vars.cdn | append: x }}/a.js\"></script>",
        "<script src=\"{{ vars[x] }}/a.js\"></script>",
        "<script src=\"{{ site.name }}/a.js\"></script>",
        "{% assign vars = x %}<script src=\"{{ vars.cdn }}/a.js\"></script>",
        "{% for vars in x %}<script src=\"{{ vars.cdn }}/a.js\"></script>{% endfor %}",
        "{% for a in x %}<script src=\"{{ vars.cdn }}/a.js\"></script>{% capture vars %}{% endcapture %}{% endfor %}",
    ] {
        let found = found(page);
        assert!(found.iter().any(|found| found.starts_with(REFUSED)), "{page}: {found:?}");
    }
    for (page, partial) in [
        ("{% render 'x', vars: x %}", "<script src=\"{{ vars.cdn }}/a.js\"></script>"),
        ("{% render 'x' with x as site %}", "<script src=\"{{ site.url }}/a.js\"></script>"),
        ("{% include 'x' for list as vars %}", "<script src=\"{{ vars.cdn }}/a.js\"></script>"),
    ] {
        let all = site(&[("page.html", "", page), ("partials/x.html", "", partial)]);
        assert!(all.codes().iter().any(|found| found.starts_with(REFUSED)), "{page}");
    }
    let page = site(&[("page.html", "", "<script src=\"{{ vars.cdn }}/a.js\"></script>")]);
    for (cdn, expected) in
        [("https://cdn.example", "https://cdn.example/a.js"), ("", "/a.js"), ("javascript:1", "#blocked/a.js")]
    {
        let data = format!("{{\"vars\": {{\"cdn\": \"{cdn}\"}}}}");
        assert_eq!(page.render("page.html", &data), format!("<script src=\"{expected}\"></script>"));
    }
}

#[test]
fn what_is_encoded_stays_so() {
    let render = |page: &str, partial: &str| {
        let all = site(&[("page.html", "", page), ("partials/x.html", "", partial)]);
        all.render("page.html", r#"{"x": "a b&c"}"#)
    };
    for (page, partial, expected) in [
        ("{% capture u %}{{ x | url_encode }}{% endcapture %}<a href=\"?q={{ u }}\">", "", "a+b%26c"),
        (
            "{% capture u %}{% if x %}{{ x | url_encode }}{% endif %}-{% endcapture %}<a href=\"?q={{ u }}\">",
            "",
            "a+b%26c-",
        ),
        (
            "{% capture v %}{{ x | url_encode }}{% endcapture %}{% assign u = v %}{% render 'x', w: u %}",
            "<a href=\"?q={{ w }}\">",
            "a+b%26c",
        ),
        ("{% assign u = x | url_encode %}<a href=\"?q={% render 'x' with u as w %}\">", "{{ w }}", "a+b%26c"),
        ("{% assign w = x | url_encode %}<a href=\"?q={% include 'x' %}\">", "{{ w }}", "a+b%26c"),
        // Whatever is not known to be is encoded.
        (
            "{% assign w = x | url_encode %}{% capture w %}{{ x }}%{% endcapture %}<a href=\"?q={{ w }}\">",
            "",
            "a%20b%26c%25",
        ),
        ("{% assign u = x | url_encode %}<a href=\"?q={% render 'x', w: x %}\">", "{{ w }}", "a%20b%26c"),
        ("{% assign w = x | url_encode %}<a href=\"?q={% include 'x', w: x %}\">", "{{ w }}", "a%20b%26c"),
    ] {
        assert_eq!(render(page, partial), format!("<a href=\"?q={expected}\">"), "{page}");
    }
}

#[test]
fn each_row_of_a_table_is_followed() {
    let data = r#"{"list": ["=1", "=2"]}"#;
    let render =
        |page: &str, partial: &str| site(&[("a.csv", "", page), ("partials/x.csv", "", partial)]).render("a.csv", data);
    for (page, partial, expected) in [
        ("{% render 'x' for list %}", "{{ x }},b\n", "'=1,b\n'=2,b\n"),
        ("\"a{% render 'x' for list %}\"", "{{ x }}\",\"", "\"a=1\",\"'=2\",\"\""),
        ("\"a{% for x in list %}{{ x }}\",\"{% endfor %}\"", "", "\"a=1\",\"'=2\",\"\""),
    ] {
        assert_eq!(render(page, partial), expected, "{page}");
    }
    for (page, partial, expected) in [
        ("\"{% render 'x' for list %}\"", "{{ x }}\",\"=", "layout/branch-context ``"),
        ("\"{% for x in list %}{{ x }}\",\"={% endfor %}\"", "", "layout/unsafe-place `{{ x }}`"),
    ] {
        let all = site(&[("a.csv", "", page), ("partials/x.csv", "", partial)]);
        assert!(all.codes().iter().any(|found| found == expected), "{page}: {:?}", all.codes());
    }
    let capitals = site(&[("a.CSV", "", "{{ x }},{{ y }}\n")]);
    assert_eq!(capitals.render("a.CSV", r#"{"x": "=1", "y": "a,b"}"#), "'=1,\"a,b\"\n");
}
