//! Layouts within layouts, partials, and what all of them read.

use super::support::{context, data, file, findings, html, site};
use crate::diagnostic::{Findings, Place};
use crate::render::{Condition, Granularity, Limits, Segment};
use crate::value::Value;

/// What a layout reads, one path a line; `!` marks what is read whole.
fn reads(layouts: &[(&str, &str, &str)]) -> Vec<String> {
    let all = site(layouts);
    let layout = all.layout("page.html");
    let mut lines: Vec<String> = layout
        .reads()
        .iter()
        .map(|read| {
            let mut line = layout.roots()[read.root].name.to_string();
            for segment in &read.segments {
                match segment {
                    Segment::Key(key) => line.extend([".", key]),
                    Segment::Index(index) => line.push_str(&["[", &index.to_string(), "]"].concat()),
                    Segment::Any => line.push_str("[*]"),
                    Segment::Size => line.push_str(".size"),
                    Segment::First => line.push_str(".first"),
                    Segment::Last => line.push_str(".last"),
                }
            }
            if read.whole {
                line.push('!');
            }
            line
        })
        .collect();
    lines.sort();
    lines
}

fn page(body: &str) -> Vec<String> {
    reads(&[("page.html", "", body)])
}

#[test]
fn reads_follow_loops_variables_and_filters() {
    for (body, expected) in [
        ("{{ a.b }}", vec!["a.b!"]),
        ("{% for p in products.items %}{{ p.name }}{% endfor %}", vec!["products.items", "products.items[*].name!"]),
        ("{% if user %}{{ site.name }}{% endif %}", vec!["site.name!", "user"]),
        ("{% assign x = a.b %}{{ x.c }}", vec!["a.b.c!"]),
        ("{% assign x = 'y' %}{{ x }}", vec![]),
        ("{{ x }}{% assign x = 'y' %}", vec!["x!"]),
        ("{% if a %}{% assign x = b %}{% endif %}{{ x }}", vec!["a", "b!", "x!"]),
        ("{{ a.list.size }}{{ a.list[0].b }}", vec!["a.list.size!", "a.list[0].b!"]),
        ("{{ a | where: 'k', b | map: 'n' }}", vec!["a", "a[*].k!", "a[*].n!", "b!"]),
        (
            "{% for x in a limit: n %}{% for y in x.z %}{{ y }}{% endfor %}{% endfor %}",
            vec!["a", "a[*].z", "a[*].z[*]!", "n!"],
        ),
        ("{{ a[b.c].d }}", vec!["a[*].d!", "b.c!"]),
        ("{% capture x %}{{ a }}{% endcapture %}{{ x }}", vec!["a!"]),
        ("{% for i in (1..n) %}{{ forloop.index }}{% endfor %}", vec!["n!"]),
        ("{% for i in a %}{{ y.k }}{% assign y = i %}{% endfor %}", vec!["a", "a[*].k!", "y.k!"]),
        ("{{ a.b | default: c.d }}", vec!["a.b!", "c.d!"]),
        ("{{ 'x' | append: a }}", vec!["a!"]),
        ("{% case a.b %}{% when c %}{{ d }}{% endcase %}", vec!["a.b!", "c!", "d!"]),
    ] {
        assert_eq!(page(body), expected, "{body}");
    }
}

#[test]
fn reads_follow_partials_and_layouts() {
    let card = ("partials/card.html", "", "{{ p.name }}{{ site.name }}{{ hidden }}");
    assert_eq!(
        reads(&[("page.html", "", "{% for p in items %}{% render 'card', p: p %}{% endfor %}"), card]),
        ["hidden!", "items", "items[*].name!", "site.name!"]
    );
    assert_eq!(
        reads(&[("page.html", "", "{% for p in a %}{% include 'card' %}{% endfor %}{% assign hidden = b %}"), card]),
        ["a", "a[*].name!", "hidden!", "site.name!"]
    );
    assert_eq!(
        reads(&[("page.html", "", "{% render 'card' for list as p %}"), card]),
        ["hidden!", "list", "list.name!", "list[*].name!", "site.name!"]
    );
    assert_eq!(
        reads(&[
            ("page.html", "base.html", "{{ a }}"),
            ("base.html", "", "<title>{{ page.title }}</title>{{ content }}")
        ]),
        ["a!", "page.title!"]
    );
    assert_eq!(page("{{ content }}"), ["content!"]);
}

#[test]
fn roots_say_whether_they_surely_mean_data() {
    let all = site(&[("page.html", "", "{{ a }}{% if a %}{% assign b = 1 %}{% endif %}{{ b }}")]);
    let roots: Vec<_> =
        all.layout("page.html").roots().iter().map(|root| (root.name.to_string(), root.certain)).collect();
    assert_eq!(roots, [("a".to_owned(), true), ("b".to_owned(), false)]);
}

#[test]
fn layouts_nest_and_partials_share_or_not() {
    let all = site(&[
        (
            "page.html",
            "base.html",
            "{% assign x = 1 %}<p>{{ t }}</p>{% render 'card', t: 'x<' %}{% include 'set' %}{{ y }}",
        ),
        ("base.html", "", "<body>{{ content }}{{ x }}</body>"),
        ("partials/card.html", "", "[{{ t }}{{ x }}{{ u }}]"),
        ("partials/set.html", "", "{% assign y = x %}"),
        ("partials/lone.html", "", ""),
    ]);
    assert_eq!(all.render("page.html", r#"{"t":"<","u":"&"}"#), "<body><p>&lt;</p>[x&lt;&amp;]1</body>");
    assert_eq!(all.library.names().collect::<Vec<_>>(), ["base.html", "page.html"]);
    assert_eq!(all.library.unused_partials().collect::<Vec<_>>(), ["partials/lone.html"]);
    assert_eq!(all.layout("page.html").files().len(), 4);
    assert_eq!(all.layout("page.html").extension(), "html");
}

#[test]
fn findings_say_what_and_where() {
    for (body, expected) in [
        ("{% fro x in y %}{% endfro %}", "layout/unknown-tag `fro`"),
        ("{{ x | upcas }}", "layout/unknown-filter `upcas`"),
        ("{{ x | append }}", "layout/filter-arguments `append`"),
        ("{{ x | upcase: 1 }}", "layout/filter-arguments `upcase: 1`"),
        ("{{ x | replace: 'a', 'b', 'c' }}", "layout/filter-arguments `replace: 'a', 'b', 'c'`"),
        ("{% assign y = x | date %}", "layout/filter-arguments `date`"),
        ("{% for x in y limt: 3 %}{% endfor %}", "layout/bad-expression `limt`"),
        ("{{ l | where_exp }}", "layout/filter-arguments `where_exp`"),
        ("{{ l | where_exp: 'x' }}", "layout/filter-arguments `where_exp`"),
        ("{{ l | where_exp: 'x', c }}", "layout/filter-arguments `c`"),
        ("{{ l | where_exp: x, 'x' }}", "layout/filter-arguments `x`"),
        ("{{ l | where_exp: 'x', 'x', 'x' }}", "layout/bad-expression `, 'x'`"),
        ("{{ l | where_exp: 'x y', 'x' }}", "layout/bad-expression `y`"),
        ("{{ l | where_exp: 'x', 'x.n = 1' }}", "layout/bad-expression `= 1`"),
        ("{{ l | find_exp: 'x', 'x | upcase' }}", "layout/bad-expression `| upcase`"),
        ("{{ l | group_by_exp: 'x', 'x.n | upcas' }}", "layout/unknown-filter `upcas`"),
        ("{{ x | jsonfy }}", "layout/unknown-filter `jsonfy`"),
        ("{{ x | default: 1, allow_fals: true }}", "layout/filter-arguments `allow_fals`"),
        ("{% if x %}", "layout/unclosed `{% if x %}`"),
        ("{% if x %}{% for y in z %}{% endif %}", "layout/unclosed `{% for y in z %}`"),
        ("{{ x", "layout/unclosed `{{`"),
        ("{% endif %}", "layout/stray-tag `{% endif %}`"),
        ("{% else %}", "layout/stray-tag `{% else %}`"),
        ("{{ x y }}", "layout/bad-expression `y`"),
        ("{% if x = 1 %}{% endif %}", "layout/bad-expression `= 1`"),
        ("{% if (a or b) and c %}{% endif %}", "layout/bad-expression `(a `"),
        ("{{ 'x }}", "layout/bad-expression `'`"),
        ("{% render 'none' %}", "layout/unknown-partial `'none'`"),
        ("{% include x %}", "layout/partial-name `x`"),
        ("{{ cookies[name] }}", "layout/dynamic-lookup `cookies[name]`"),
        ("{{ request.headers[name] }}", "layout/dynamic-lookup `request.headers[name]`"),
        ("{{ [name] }}", "layout/dynamic-lookup `[name]`"),
    ] {
        assert_eq!(findings(body), [expected], "{body}");
    }
    assert!(findings("{{ cookies['a'] }}{{ products[i] }}").is_empty());
    let all = site(&[("page.html", "bas.html", ""), ("base.html", "", "")]);
    assert_eq!(
        all.findings.iter().next().and_then(|finding| finding.help.as_deref()),
        Some("did you mean `base.html`?")
    );
}

#[test]
fn circles_are_findings() {
    let all = site(&[("a.html", "b.html", ""), ("b.html", "a.html", "")]);
    assert_eq!(all.findings.iter().filter(|finding| finding.code.name == "layout/layout-cycle").count(), 1);
    let all = site(&[
        ("page.html", "", "{% include 'a' %}"),
        ("partials/a.html", "", "{% render 'b' %}"),
        ("partials/b.html", "", "{% include 'a' %}"),
    ]);
    assert!(all.findings.iter().any(|finding| finding.code.name == "layout/partial-cycle"));
    let rendered = all.render_with("page.html", "{}", &Limits::default());
    assert!(matches!(rendered, Err(crate::render::RenderError::TooDeep { .. })), "{rendered:?}");
}

#[test]
fn the_present_time_is_an_input_with_the_granularity_of_its_format() {
    let now = |body: &str| site(&[("page.html", "", body)]).layout("page.html").uses_now();
    for (format, granularity) in [
        ("%Y", Granularity::Year),
        ("(c) %-Y %%", Granularity::Year),
        ("%^B %Ey", Granularity::Month),
        ("%-d.%-m.%Y", Granularity::Day),
        ("%G-W%V", Granularity::Day),
        ("%F %I%P", Granularity::Hour),
        ("%10Y %:z", Granularity::Hour),
        ("%R", Granularity::Minute),
        ("%s", Granularity::Second),
        ("%c", Granularity::Second),
        ("%Q", Granularity::Second),
        ("%", Granularity::Second),
    ] {
        assert_eq!(now(&format!("{{{{ 'now' | date: '{format}' }}}}")), Some(granularity), "{format}");
    }
    assert_eq!(now("{{ 'today' | date: '%Y' | plus: 1 | append: '!' }}"), Some(Granularity::Year));
    assert_eq!(now("{% capture y %}{{ 'now' | date: '%m' }}{% endcapture %}{{ y }}"), Some(Granularity::Month));
    assert_eq!(
        now("{% for i in l %}{% if i %}{% assign y = 'now' | date: '%F' %}{% endif %}{% endfor %}"),
        Some(Granularity::Day)
    );
    assert_eq!(now("{{ 'now' | date: '%Y' }}{{ 'now' | date: '%H' }}"), Some(Granularity::Hour));
    assert_eq!(now("{{ 'now' | date_to_string }}"), Some(Granularity::Day));
    assert_eq!(now("{{ 'now' | date_to_xmlschema }}"), Some(Granularity::Second));
    assert_eq!(now("{{ 'now' | append: '' | date: '%Y' }}"), Some(Granularity::Second));
    assert_eq!(now("{{ l | where_exp: 'i', 'i == \"now\"' }}"), Some(Granularity::Second));
    assert_eq!(now("{{ '2024-03-05' | date: '%s' }}{{ n | date: '%s' }}"), None);
    assert_eq!(now("{{ 'now' | date: '%Y-%m-%d %H:%M' }}"), Some(Granularity::Minute));
    assert_eq!(now("{% assign n = 'now' %}{{ n | date: '%Y' }}"), Some(Granularity::Second));
    assert_eq!(now("{{ 'today' | date: f }}"), Some(Granularity::Second));
    assert_eq!(now("{{ x | date: '%s' }}"), None);
    assert_eq!(html("{{ 'now' | date: '%Y-%m-%d' }}", "{}"), "2024-03-05");
    assert_eq!(html("{{ x | date: '%Y-%m-%d' }}", r#"{"x":"now"}"#), "now", "data cannot ask for the time");
}

#[test]
fn conditions_stand_alone() {
    let text = "if = \"repo.archived and user == nil\"";
    let (_, file) = file(text);
    let mut findings = Findings::default();
    let place = Place::new(file, 6..text.len() - 1);
    let condition = Condition::compile("repo.archived and user == nil", place, &mut findings).unwrap();
    let names: Vec<_> = condition.roots().iter().map(|root| root.name.to_string()).collect();
    assert_eq!(names, ["repo", "user"]);
    assert_eq!(condition.reads().len(), 2);
    let repo = data(r#"{"archived":true}"#);
    let limits = Limits::default();
    assert!(condition.holds(&[&repo, &Value::Null], &context(&limits)));
    assert!(!condition.holds(&[&repo, &repo], &context(&limits)));
    assert!(!condition.holds(&[&Value::Null, &Value::Null], &context(&limits)));
    assert!(Condition::compile("a ==", place, &mut findings).is_none());
    assert!(Condition::compile("a[b] == c", place, &mut findings).is_some());
    assert!(Condition::compile("[b] == c", place, &mut findings).is_none());
    assert_eq!(findings.len(), 2);
}
