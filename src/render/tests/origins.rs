//! What filters and tags say of where their results come from is true: with data that is hostile, no filter and no tag puts an
//! element into a page that is not there with data that is not.

use super::support::{html, site};
use crate::render::{EXAMPLE_DATA, Limits, TAGS, TagEffect, filters};

/// Each is what one filter or another would turn into an element: as it is, encoded, or cut in the middle.
const HOSTILE: [&str; 7] = [
    "<hostile a='b' c=\"d\">e</hostile>",
    "&lt;hostile&gt;",
    "PGhvc3RpbGU+",
    "%3Chostile%3E",
    "\\u003chostile\\u003e",
    "[a](javascript:hostile) <hostile>",
    "<<hostile>hostile>\n<!--<hostile>",
];

/// JSON in which each string is a hostile one, and in lists and objects, too.
fn data(hostile: &str) -> String {
    let text = hostile.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let object = format!(
        "{{\"name\": \"{text}\", \"price\": \"{text}\", \"stock\": \"{text}\", \"group\": \"{text}\", \"{text}\": \"{text}\"}}"
    );
    let roots = ["name", "first", "last", "kind", "price", "nothing", "newline", "value"];
    let roots: Vec<String> = roots.iter().map(|root| format!("\"{root}\": \"{text}\"")).collect();
    format!(
        "{{{}, \"item\": {object}, \"items\": [{object}, \"{text}\"], \"products\": [{object}, {object}, {object}]}}",
        roots.join(", ")
    )
}

/// What stands behind the filter's name in its example, up to the next filter.
fn arguments(example: &str, name: &str) -> String {
    let call = example.split(" | ").find_map(|call| call.strip_prefix(name).filter(|rest| !rest.starts_with('_')));
    call.unwrap_or_else(|| panic!("the example of `{name}` does not show it: {example}")).to_owned()
}

fn is_hostile(page: &str) -> bool {
    let page = page.to_ascii_lowercase();
    page.contains("<hostile") || page.contains("\"javascript:")
}

#[test]
fn no_filter_makes_an_element_of_text() {
    for filter in filters() {
        if ["raw", "markdownify"].contains(&filter.name) {
            // The one purpose of `raw`, and `check` lists each use; Markdown is sanitised by a floor above.
            continue;
        }
        let call = format!("{}{}", filter.name, arguments(filter.example, filter.name));
        let name = call.split(':').next().unwrap_or("");
        let (one, two) = (format!("{name}: value"), format!("{name}: value, value"));
        for input in ["value", "item", "items", "products"] {
            for call in [&call, &one, &two] {
                let template = format!("{{{{ {input} | {call} }}}}<i title=\"{{{{ {input} | {call} }}}}\"></i>");
                let page = site(&[("page.html", "", &template)]);
                if page.findings.iter().next().is_some() {
                    continue;
                }
                for hostile in HOSTILE {
                    let printed = page.render_with("page.html", &data(hostile), &Limits::default());
                    assert!(
                        !is_hostile(&printed.clone().unwrap_or_default()),
                        "{template} with {hostile}: {printed:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_a_filter_says_of_its_result_is_so() {
    let printed = |call: &str| html(&format!("{{{{ \"<b>x</b>\" | {call} }}}}"), EXAMPLE_DATA);
    for (name, origin, call, expected) in [
        ("append", Some("markup if all that goes in is"), "append: '<i>'", "<b>x</b><i>"),
        ("append", Some("markup if all that goes in is"), "append: newline", "&lt;b&gt;x&lt;/b&gt;\n"),
        ("escape", Some("markup"), "escape", "&lt;b&gt;x&lt;/b&gt;"),
        ("slice", Some("text"), "slice: 0, 3", "&lt;b&gt;"),
        ("default", None, "default: 1", "<b>x</b>"),
    ] {
        assert_eq!(filters().find(|filter| filter.name == name).map(|filter| filter.origin), Some(origin));
        assert_eq!(printed(call), expected, "{call}");
    }
}

#[test]
fn no_tag_makes_an_element_of_text() {
    let card = "{{ item.name }}{{ name }}<i title=\"{{ item.name }}\"></i>";
    for tag in TAGS {
        for example in tag.examples {
            let partials = [("partials/card.html", "", card), ("partials/left.html", "", card)];
            let page = site(&[&[("page.html", "", example.template)], &partials[..]].concat());
            for hostile in HOSTILE {
                let printed = page.render_with("page.html", &data(hostile), &Limits::default());
                let printed = printed.unwrap_or_else(|error| panic!("{}: {error}", tag.name));
                assert!(!is_hostile(&printed), "{}: {printed}", tag.name);
            }
        }
    }
}

#[test]
fn what_a_tag_says_of_values_is_so() {
    let cases = |effect: TagEffect| match effect {
        TagEffect::Nothing => ("{% comment %}{{ v }}{% endcomment %}", ""),
        TagEffect::Prints => ("{% echo v %}", "&lt;b&gt;"),
        TagEffect::Chooses => ("{% if v %}{{ v }}{% endif %}", "&lt;b&gt;"),
        TagEffect::Binds => ("{% assign w = v %}{{ w }}{% assign m = '<i>' %}{{ m }}", "&lt;b&gt;<i>"),
        TagEffect::Captures => ("{% capture w %}<i>{{ v }}{% endcapture %}{{ w }}", "<i>&lt;b&gt;"),
        TagEffect::Calls => ("{% render 'part', v: v, m: '<i>' %}", "&lt;b&gt;<i>"),
        TagEffect::Literal => ("{% raw %}<i>{{ v }}{% endraw %}", "<i>{{ v }}"),
        TagEffect::Shows => (
            "{% highlight text %}<i>{{ v }}{% endhighlight %}",
            "<pre class=\"highlight\" tabindex=\"0\"><code class=\"language-text\">&lt;i&gt;&lt;b&gt;</code></pre>",
        ),
    };
    for tag in TAGS {
        let (template, expected) = cases(tag.effect);
        let page = site(&[("page.html", "", template), ("partials/part.html", "", "{{ v }}{{ m }}")]);
        let printed = page.render_with("page.html", "{\"v\": \"<b>\"}", &Limits::default());
        assert_eq!(printed, Ok(expected.to_owned()), "{}: {}", tag.name, tag.effect.says());
    }
}
