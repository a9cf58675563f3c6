//! What is needed by templates and by finished HTML.

use super::{Needs, ObstacleKind, Origin, Use, digest};
use crate::diagnostic::Files;
use crate::render::{KeptLayouts, LayoutSource, Library};
use std::sync::Arc;

/// What an unescaped layout needs, so that any template compiles, and its text.
fn layout(body: &str, partials: &[(&str, &str)]) -> (Needs, String) {
    (compiled(("page.html", body), partials, true), body.to_owned())
}

fn escaped(body: &str) -> Needs {
    compiled(("page.html", body), &[], false)
}

fn xml(body: &str) -> Needs {
    compiled(("page.xml", body), &[], false)
}

fn compiled(page: (&str, &str), partials: &[(&str, &str)], escape_none: bool) -> Needs {
    let mut files = Files::default();
    let mut sources = Vec::new();
    for (name, body) in partials.iter().copied().chain([page]) {
        let file = files.add(name, body);
        let (name, body) = (name.to_owned(), 0..body.len());
        sources.push(LayoutSource { name, file, body, outer: None, escape_none });
    }
    let mut findings = crate::diagnostic::Findings::default();
    let library = Library::compile(&sources, &files, &KeptLayouts::default(), &mut findings);
    assert!(findings.is_empty(), "{findings:?}");
    let layout = Arc::clone(library.get(page.0).unwrap());
    layout.needs().clone()
}

fn needs(body: &str) -> Needs {
    layout(body, &[]).0
}

fn origins(needs: &Needs) -> Vec<(Use, Origin)> {
    let known = |path: &[String]| (path.join(".") == "vars.cdn").then(|| "https://cdn.example".to_owned());
    needs.origins(&known).into_iter().collect()
}

fn host(host: &str) -> Origin {
    Origin::Host(host.to_owned())
}

#[test]
fn elements_load_by_their_attributes() {
    for (body, expected) in [
        ("<img src='https://a.example/x.png'>", vec![(Use::Image, host("https://a.example"))]),
        ("<IMG SRC=https://a.example/x.png>", vec![(Use::Image, host("https://a.example"))]),
        (
            "<img srcset='https://a.example/1.png 1x, //b.example/2.png 2x'>",
            vec![(Use::Image, host("b.example")), (Use::Image, host("https://a.example"))],
        ),
        ("<img src='{{ image }}'>", vec![(Use::Image, Origin::Own), (Use::Image, Origin::Anywhere)]),
        ("<img src={{ image }}>", vec![(Use::Image, Origin::Own), (Use::Image, Origin::Anywhere)]),
        ("<img src='/i/{{ image }}'>", vec![(Use::Image, Origin::Own)]),
        ("<img src='{{ vars.cdn }}/x.png'>", vec![(Use::Image, host("https://cdn.example"))]),
        ("<img src='{{ vars.other }}/x.png'>", vec![(Use::Image, Origin::Own), (Use::Image, Origin::Anywhere)]),
        ("<script src=\"{{ '/a.js' | absolute_url }}\"></script>", vec![(Use::Script, Origin::Site)]),
        ("<script src=\"{{ 'a.js' | asset_url }}\"></script>", vec![(Use::Script, Origin::Own)]),
        ("<script src=\"{{ a | asset_url }}\"></script>", vec![(Use::Script, Origin::Own)]),
        ("<script src=\"{{ 'a.js' | asset_url | absolute_url }}\"></script>", vec![(Use::Script, Origin::Site)]),
        ("<script src=\"{{ site.url }}/a.js\"></script>", vec![(Use::Script, Origin::Site)]),
        ("<script src=\"{{ 'a.js' | relative_url }}\"></script>", vec![(Use::Script, Origin::Own)]),
        ("<img src=\"{{ 'a.png' | relative_url }}\">", vec![(Use::Image, Origin::Own)]),
        ("<script src='{{ script }}'></script>", vec![]),
        ("<link rel=prefetch href='https://a.example/'>", vec![(Use::Connection, host("https://a.example"))]),
        (
            "<p style='background: URL(HTTPS://A.example/x.png)'>",
            vec![(Use::Font, host("https://a.example")), (Use::Image, host("https://a.example"))],
        ),
        (
            "<style>@IMPORT /* a */ /**/ \"https://a.example/a.css\";</style>",
            vec![(Use::Style, host("https://a.example"))],
        ),
        (
            "<link rel='preload stylesheet' as=style href='https://a.example/x.css'>",
            vec![(Use::Style, host("https://a.example"))],
        ),
        ("<link rel=canonical href='https://a.example/'>", vec![]),
        ("<link rel=preload as=font href='https://a.example/x.woff2'>", vec![(Use::Font, host("https://a.example"))]),
        ("<iframe src='https://a.example/'></iframe>", vec![(Use::Frame, host("https://a.example"))]),
        ("<form action='https://a.example/'></form>", vec![(Use::Form, host("https://a.example"))]),
        (
            "<video poster='https://a.example/x.png'><source src='https://b.example/x.mp4'></video>",
            vec![(Use::Image, host("https://a.example")), (Use::Media, host("https://b.example"))],
        ),
        ("<!-- <img src='https://a.example/x.png'> -->", vec![]),
        ("<!--><img src='https://a.example/x.png'>", vec![(Use::Image, host("https://a.example"))]),
        ("<textarea><img src='https://a.example/x.png'></textarea>", vec![]),
        ("<title>a</title x=\"<img src='https://a.example/x.png'>\">", vec![]),
        ("<a title=\"<img src='https://a.example/x.png'>\" href='https://b.example'>", vec![]),
        (
            "{% if a %}<img src='https://a.example/x.png'>{% else %}<img src='/x.png'>{% endif %}",
            vec![(Use::Image, Origin::Own), (Use::Image, host("https://a.example"))],
        ),
        (
            "<img {% if a %}src='https://a.example/x.png'{% else %}src='/x.png'{% endif %} alt=''>",
            vec![(Use::Image, Origin::Own), (Use::Image, host("https://a.example"))],
        ),
        (
            "<img src='{% if a %}https://a.example{% endif %}/x.png'>",
            vec![(Use::Image, Origin::Own), (Use::Image, host("https://a.example"))],
        ),
        (
            "{% capture x %}<img src='https://a.example/x.png'>{% endcapture %}{{ x }}",
            vec![(Use::Image, host("https://a.example"))],
        ),
        ("{{ '<img src=//a.example/x.png>' }}", vec![(Use::Image, host("a.example"))]),
        (
            "<style>@import 'https://a.example/x.css'; a { background: url(\"https://b.example/x.png\") }</style>",
            vec![
                (Use::Font, host("https://b.example")),
                (Use::Image, host("https://b.example")),
                (Use::Style, host("https://a.example")),
            ],
        ),
        (
            "<style>a { background: image-set('https://a.example/1.png' 1x, \"https://b.example/2.png\" type('image/png') 2x) }</style>",
            vec![(Use::Image, host("https://a.example")), (Use::Image, host("https://b.example"))],
        ),
        ("<script>import(`https://a.example/a.js`)</script>", vec![(Use::Script, host("https://a.example"))]),
        (
            "<script type=importmap>{\"imports\": {\"a\": \"https://a.example/a.js\"}}</script>",
            vec![(Use::Script, host("https://a.example"))],
        ),
        (
            "<script type=module>import a from 'https://a.example/a.js'; let b = 'https://no.example';\nimport(\"//b.example/b.js\")</script>",
            vec![(Use::Script, host("b.example")), (Use::Script, host("https://a.example"))],
        ),
        (
            "<svg><image href='https://a.example/x.png'/><style/></svg><img src='https://b.example/x.png'>",
            vec![(Use::Image, host("https://a.example")), (Use::Image, host("https://b.example"))],
        ),
    ] {
        assert_eq!(origins(&needs(body)), expected, "{body}");
    }
}

#[test]
fn what_a_layout_says_is_followed_to_where_it_is_printed() {
    let partials = [
        ("partials/img.html", "<img src=\"{{ src }}\">"),
        ("partials/around.html", "{% render 'img', src: source %}"),
        ("partials/sets.html", "{% assign u = 'https://b.example/' %}"),
    ];
    let image = |origin: Origin| vec![(Use::Image, origin)];
    let one = || image(host("https://a.example"));
    let both = || vec![(Use::Image, host("https://a.example")), (Use::Image, host("https://b.example"))];
    let anywhere = || vec![(Use::Image, Origin::Own), (Use::Image, Origin::Anywhere)];
    let and_anywhere = || [anywhere(), one()].concat();
    for (body, expected) in [
        ("{% render 'img', src: 'https://a.example/x.png' %}", one()),
        ("{% include 'img', src: 'https://a.example/x.png' %}", one()),
        ("{% render 'img' with 'https://a.example/x.png' as src %}", one()),
        ("{% render 'around', source: 'https://a.example/x.png' %}", one()),
        ("{% render 'img', src: 'https://a.example/' %}{% render 'img', src: 'https://b.example/' %}", both()),
        ("{% render 'img', src: x %}", anywhere()),
        ("{% render 'img' for list as src %}", anywhere()),
        ("{% assign u = 'https://a.example/x.png' %}<img src='{{ u }}'>", one()),
        ("{% assign u = 'https://a.example/' %}{% assign v = u | append: x.file %}<img src='{{ v }}'>", one()),
        ("{% assign u = x.file | prepend: 'https://a.example/' | escape %}<img src='{{ u }}'>", one()),
        ("{% assign u = x.file | prepend: 'https://a.example/' | upcase %}<img src='{{ u }}'>", anywhere()),
        ("{% assign u = 'https://a.example' | append: '/b' | escape %}<img src='{{ u }}'>", one()),
        ("{% assign u = vars.cdn | append: '/x.png' %}<img src='{{ u }}'>", image(host("https://cdn.example"))),
        ("{% assign u = '/x.png' | relative_url %}<img src='{{ u }}'>", image(Origin::Own)),
        ("{% assign u = '/x.png' | absolute_url %}<img src='{{ u }}'>", image(Origin::Site)),
        ("{% assign u = x | default: 'https://a.example/' %}<img src='{{ u }}'>", and_anywhere()),
        (
            "{% case x %}{% when 1 %}{% assign u = 'https://a.example/' %}{% else %}{% assign u = 'https://b.example/' %}{% endcase %}<img src='{{ u }}'>",
            both(),
        ),
        (
            "{% assign u = 'https://a.example/' %}{% if x %}{% assign u = 'https://b.example/' %}{% endif %}<img src='{{ u }}'>",
            both(),
        ),
        (
            "{% assign u = 'https://a.example/' %}{% if x %}{% assign u = x %}{% endif %}<img src='{{ u }}'>",
            and_anywhere(),
        ),
        ("{% assign u = 'https://a.example/' %}{% for u in list %}<img src='{{ u }}'>{% endfor %}", anywhere()),
        ("{% for p in list %}{% assign u = 'https://a.example/' | append: p %}<img src='{{ u }}'>{% endfor %}", one()),
        (
            "{% assign u = 'https://a.example/' %}{% for p in list %}<img src='{{ u }}'>{% assign u = 'https://b.example/' %}{% endfor %}",
            both(),
        ),
        (
            "{% assign u = '' %}{% for p in list %}{% if p %}{% assign u = 'https://a.example/' %}{% break %}{% endif %}{% assign u = 'https://b.example/' %}{% endfor %}<img src='{{ u }}'>",
            both(),
        ),
        (
            "{% assign u = 'https://a.example/' %}{% include 'sets' %}<img src='{{ u }}'>",
            image(host("https://b.example")),
        ),
        ("{% assign u = 'https://a.example/' %}{% render 'sets' %}<img src='{{ u }}'>", one()),
        (
            "{% capture u %}https://{% if x %}a{% else %}b{% endif %}.example/{{ x }}{% endcapture %}<img src='{{ u }}'>",
            both(),
        ),
        ("{% capture u %}{% for p in list %}{{ p }}{% endfor %}{% endcapture %}<img src='{{ u }}'>", anywhere()),
        ("{% assign vars = x %}<img src='{{ vars.cdn }}'>", anywhere()),
    ] {
        assert_eq!(origins(&layout(body, &partials).0), expected, "{body}");
    }
}

#[test]
fn lists_and_drawings_load_by_their_attributes() {
    for (body, expected) in [
        (
            "<a ping='https://a.example/ /x\nhttps://b.example/p'>",
            vec![
                (Use::Connection, Origin::Own),
                (Use::Connection, host("https://a.example")),
                (Use::Connection, host("https://b.example")),
            ],
        ),
        (
            "<svg><g mask='url(https://a.example/x.svg#a)' fill='red' style='fill: u\\72l(//b.example/x)'/></svg>",
            vec![
                (Use::Font, host("b.example")),
                (Use::Font, host("https://a.example")),
                (Use::Image, host("b.example")),
                (Use::Image, host("https://a.example")),
            ],
        ),
    ] {
        assert_eq!(origins(&needs(body)), expected, "{body}");
    }
}

#[test]
fn links_and_forms_bring_pages_into_frames() {
    let link = "<a href='https://a.example/' target='shown'>";
    let one = vec![(Use::Frame, host("https://a.example"))];
    for (body, frames, expected) in [
        (link, vec!["shown"], one.clone()),
        (link, vec!["other"], vec![]),
        (link, vec![], vec![]),
        ("<form action='https://a.example/' target='shown'>", vec!["shown"], one.clone()),
        ("<button formaction='https://a.example/' formtarget='shown'>", vec!["shown"], one.clone()),
        ("<a href='https://a.example/' target='_blank'>", vec!["_blank"], vec![]),
        ("<a href='https://a.example/'>", vec!["shown"], vec![]),
        ("<a href='https://a.example/' target='{{ x }}'>", vec!["shown"], one),
        (
            "<a href='{{ x }}' target='shown'>",
            vec!["shown"],
            vec![(Use::Frame, Origin::Own), (Use::Frame, Origin::Anywhere)],
        ),
    ] {
        let found = needs(body).origins_within(&frames.iter().copied().collect(), &|_| None);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected, "{body}");
    }
    assert_eq!(needs("<iframe name='shown'></iframe><p name='no'>").frames().collect::<Vec<_>>(), ["shown"]);
}

#[test]
fn imports_are_known_behind_comments() {
    let script = |host: &str| vec![(Use::Script, Origin::Host(format!("https://{host}.example")))];
    let a = || script("a");
    for (text, expected) in [
        ("import(/* c */ 'https://a.example/a.js')", a()),
        ("import/**/'https://a.example/a.js'", a()),
        ("import b from/*x*/'https://a.example/a.js'", a()),
        ("import b from // x\n 'https://a.example/a.js'", a()),
        ("import(/* it's */ 'https://a.example/a.js')", a()),
        ("import /* a */ ( /* b */ // c\n /* d */ 'https://a.example/a.js')", a()),
        ("export * from 'https://a.example/a.js'; b = 'https://no.example/'", a()),
        (
            "import b from 'https://a.example/a.json' with { type: 'json' }",
            vec![(Use::Connection, host("https://a.example"))],
        ),
        (
            "import('https://a.example/a', {with: {'type': \"json\"}})",
            vec![(Use::Connection, host("https://a.example"))],
        ),
        ("import b from 'https://a.example/a.css' with { type: 'css' }", vec![(Use::Style, host("https://a.example"))]),
        ("import b from 'https://a.example/a.js'; c = 'json'", a()),
        ("b = 'import'; c = 'https://no.example/'", vec![]),
    ] {
        assert_eq!(origins(&needs(&format!("<script type=module>{text}</script>"))), expected, "{text}");
    }
}

#[test]
fn texts_that_grow_end() {
    let doubled = "{% assign u = u | append: u %}".repeat(64);
    let either = "{% if x %}{% assign u = u | append: '1' %}{% endif %}".repeat(64);
    for grows in [doubled.as_str(), either.as_str()] {
        for body in [grows.to_owned(), format!("{{% for x in list %}}{grows}{{% endfor %}}")] {
            let needs = needs(&format!("{{% assign u = 'a' %}}{body}<img src='{{{{ u }}}}'>"));
            assert!(origins(&needs).contains(&(Use::Image, Origin::Own)), "{needs:?}");
        }
    }
    let partials = (0..14).map(|at| format!("{{% render 'p{}', u: u %}}{{% render 'p{}', u: 'b' %}}", at + 1, at + 1));
    let partials: Vec<String> = partials.chain(["<img src='{{ u }}'>".to_owned()]).collect();
    let names: Vec<String> = (0..partials.len()).map(|at| format!("partials/p{at}.html")).collect();
    let all: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(partials.iter().map(String::as_str)).collect();
    let (needs, _) = layout("{% render 'p0', u: 'https://a.example/' %}", &all);
    assert!(origins(&needs).contains(&(Use::Image, Origin::Own)), "{needs:?}");
}

#[test]
fn each_of_many_branches_is_known() {
    let arms: Vec<String> = (0..12).map(|at| format!("{{% when {at} %}}https://{at}.example/a.js")).collect();
    let arms = arms.concat();
    let needs = needs(&format!("<script src='{{% case a %}}{arms}{{% endcase %}}'></script>"));
    assert_eq!(origins(&needs).len(), 12, "{needs:?}");
}

#[test]
fn loops_within_loops_take_no_longer_each() {
    let depth = 16;
    let loops: Vec<String> =
        (0..depth).map(|at| format!("{{% for x{at} in list %}}<img src='/{{{{ x{at} }}}}'>a")).collect();
    let loops = loops.concat();
    let ends = "b{% endfor %}".repeat(depth);
    let needs = needs(&format!("<script>{loops}{ends}</script><p title='{loops}{ends}'><script>same()</script>"));
    assert!(needs.obstacles().iter().any(|obstacle| obstacle.kind == ObstacleKind::Script), "{needs:?}");
    assert_eq!(needs.scripts().collect::<Vec<_>>(), [digest("same()")]);
}

#[test]
fn a_filter_that_changes_inline_code_is_told() {
    let kinds = |body: &str| needs(body).obstacles().iter().map(|obstacle| obstacle.kind).collect::<Vec<_>>();
    let capture = "{% capture p %}<script>a( )</script><style>b  {}</style>{% endcapture %}";
    for filters in ["squish", "replace: 'a', 'b'", "append: 'x' | upcase", "strip_newlines"] {
        let both = [ObstacleKind::Script, ObstacleKind::Style];
        assert_eq!(kinds(&format!("{capture}{{{{ p | {filters} }}}}")), both, "{filters}");
        assert_eq!(kinds(&format!("{capture}{{% assign q = p %}}{{{{ q | {filters} }}}}")), both, "{filters}");
    }
    for filters in ["strip", "append: 'x'", "escape", "raw", "squish | escape", "size"] {
        assert_eq!(kinds(&format!("{capture}{{{{ p | {filters} }}}}")), [], "{filters}");
    }
    assert_eq!(kinds("{% capture p %}<b>a</b>{% endcapture %}<script>c()</script>{{ p | squish }}"), []);
}

#[test]
fn inline_texts_are_known_on_each_way() {
    let scripts = |body: &str| {
        let needs = needs(body);
        (needs.scripts().map(str::to_owned).collect::<Vec<_>>(), needs.obstacles().len())
    };
    let of = |texts: &[&str]| {
        let mut digests: Vec<String> = texts.iter().map(|text| digest(text)).collect();
        digests.sort();
        (digests, 0)
    };
    for (body, expected) in [
        ("<script>a</script>", of(&["a"])),
        ("<script>a\r\nb</script>", of(&["a\nb"])),
        ("<SCRIPT type=module>a</SCRIPT >", of(&["a"])),
        ("<script>a</scripts></script>", of(&["a</scripts>"])),
        ("<script type='application/json'>{{ x | json }}</script>", of(&[])),
        ("<script type='application/ld+json'>{}</script>", of(&[])),
        ("<script type=speculationrules>{}</script>", of(&["{}"])),
        ("<script src='/a.js'></script>", of(&[])),
        ("<script>a{% if x %}b{% else %}c{% endif %}d</script>", of(&["abd", "acd"])),
        (
            "<script>a{% if x %}b{% endif %}{% case y %}{% when 1 %}c{% endcase %}</script>",
            of(&["a", "ab", "ac", "abc"]),
        ),
        ("<script>{% comment %}x{% endcomment %}{{ 'a' }}</script>", of(&["a"])),
        ("<script{% if m %} type=module{% endif %}>a</script>", of(&["a"])),
        ("<script>a{{ x | json }}</script>", (vec![], 1)),
        ("<script>{% for x in y %}a{% endfor %}</script>", (vec![], 1)),
        ("<script><!-- <script> </script> --></script><b></script>", of(&["<!-- <script> </script> -->"])),
    ] {
        assert_eq!(scripts(body), expected, "{body}");
    }
    let drawn = needs("<svg><style><![CDATA[a{}]]></style></svg>");
    assert_eq!(drawn.styles().collect::<Vec<_>>(), [digest("a{}")], "sections of character data are no text");
    let styles = needs("<style>a{}</style><svg><style>b{}</style></svg>");
    assert_eq!(styles.styles().count(), 2);
    assert!(styles.has_styles());
}

#[test]
fn what_is_read_as_markup_is_hashed_as_it_is_read() {
    let scripts = |needs: &Needs| needs.scripts().map(str::to_owned).collect::<Vec<_>>();
    for body in [
        "<svg><script>a &amp;&amp; b&#40;&NewLine;)</script></svg>",
        "<svg><script><![CDATA[a && b(]]>&#10;)</script></svg>",
        "<svg><script>a &&amp; b&lpar;\n)</script></svg>",
    ] {
        assert_eq!(scripts(&needs(body)), [digest("a && b(\n)")], "{body}");
    }
    assert_eq!(scripts(&needs("<script>a &amp;&amp; b</script>")), [digest("a &amp;&amp; b")], "in HTML it is not");
    for body in ["<h:script>a &amp;&amp; b</h:script>", "<script><![CDATA[a && b]]></script>"] {
        assert_eq!(scripts(&xml(body)), [digest("a && b")], "{body}");
    }
    assert_eq!(needs("<svg><style>a &gt; b {}</style></svg>").styles().collect::<Vec<_>>(), [digest("a > b {}")]);
}

#[test]
fn a_page_in_an_attribute_needs_what_it_holds() {
    let frame = needs(
        "<iframe srcdoc=\"<script>a &amp;&amp; 'b'</script><img src=&quot;https://a.example/x&quot;>\"></iframe>",
    );
    assert_eq!(frame.scripts().collect::<Vec<_>>(), [digest("a && 'b'")]);
    assert_eq!(origins(&frame), [(Use::Image, host("https://a.example"))]);
    assert!(frame.has_scripts());
    let (frame, text) = layout("<iframe srcdoc=\"<p style='a' onclick='b'>\"></iframe>", &[]);
    let kinds: Vec<_> =
        frame.obstacles().iter().map(|obstacle| (obstacle.kind, text.get(obstacle.range.clone()))).collect();
    assert_eq!(kinds, [(ObstacleKind::StyleAttribute, Some("srcdoc")), (ObstacleKind::Handler, Some("srcdoc"))]);
    assert!(needs("<iframe srcdoc='{{ x }}'></iframe>").has_scripts(), "where nothing is escaped");
    assert!(needs("<p srcdoc='<script>a</script>'>").is_nothing());
}

#[test]
fn xml_is_followed_by_its_own_rules() {
    let svg = "<svg xmlns='http://www.w3.org/2000/svg'>";
    for (body, expected) in [
        (
            "<?xml-stylesheet href='https://a.example/x.css' type='text/css'?><a/>",
            vec![(Use::Style, host("https://a.example"))],
        ),
        (
            "<?xml-stylesheet type=\"text/xsl\" href=\"https://a.example/x.xsl?a&amp;b\"?><a/>",
            vec![(Use::Script, host("https://a.example")), (Use::Style, host("https://a.example"))],
        ),
        ("<?xml-stylesheet href='/x.xsl'?><a/>", vec![(Use::Script, Origin::Own), (Use::Style, Origin::Own)]),
        ("<?xml version='1.0' href='https://a.example'?><!-- <?xml-stylesheet href='/x'?> -->", vec![]),
        ("<feImage href='https://a.example/x.png'/>", vec![(Use::Image, host("https://a.example"))]),
        ("<h:img src='https://a.example/x.png'/>", vec![(Use::Image, host("https://a.example"))]),
        ("<IMG src='https://a.example/x.png'/>", vec![]),
    ] {
        assert_eq!(origins(&xml(body)), expected, "{body}");
    }
    for body in ["<feed><title>{{ x }}</title><link href='{{ y }}'/></feed>", "<Style><a>{{ x }}</a></Style>"] {
        assert!(xml(body).is_nothing(), "{body}");
    }
    let kinds = |needs: &Needs| needs.obstacles().iter().map(|obstacle| obstacle.kind).collect::<Vec<_>>();
    let drawn = xml(&format!("{svg}<g style='a' onload='b' once='c'/></svg>"));
    assert_eq!(kinds(&drawn), [ObstacleKind::StyleAttribute, ObstacleKind::Handler]);
    assert!(xml("<g style='a' onload='b'/>").is_nothing(), "a vocabulary that no browser knows");
    assert_eq!(kinds(&Needs::of_xml(&format!("{svg}<g style='a'/></svg>"))), [ObstacleKind::StyleAttribute]);
}

#[test]
fn a_page_without_scripts_is_known() {
    for body in
        ["<p>", "<script type='application/json'>1</script>", "{{ x }}", "{{ content | raw }}", "{{ x | markdownify }}"]
    {
        assert!(!escaped(body).has_scripts(), "{body}");
    }
    for body in
        ["<script src='/a.js'></script>", "<script src=\"{{ 'a.js' | relative_url }}\"></script>", "{{ x | raw }}"]
    {
        assert!(escaped(body).has_scripts(), "{body}");
    }
    assert!(needs("{{ x }}").has_scripts(), "where nothing is escaped, data may bring scripts");
    assert!(escaped("{{ x | markdownify }}").has_markup_of_requests() && !escaped("{{ x }}").has_markup_of_requests());
}

#[test]
fn what_no_policy_can_let_run_is_found_at_its_place() {
    for (body, kind, written) in [
        ("<p onclick='a()'>", ObstacleKind::Handler, "onclick"),
        ("<p\n class=x STYLE=\"{{ x }}\">", ObstacleKind::StyleAttribute, "STYLE"),
        ("<a href=' java\nscript:a()'>", ObstacleKind::ScriptUrl, "href"),
        ("<b><script>{{ x | json }}</script>", ObstacleKind::Script, "<script"),
        ("<style>{% for x in y %}a{}{% endfor %}</style>", ObstacleKind::Style, "<style"),
    ] {
        let (needs, text) = layout(body, &[]);
        let [obstacle] = needs.obstacles() else { panic!("{body}: {:?}", needs.obstacles()) };
        assert_eq!((obstacle.kind, text.get(obstacle.range.clone())), (kind, Some(written)), "{body}");
        assert!(obstacle.file.is_some());
    }
    assert!(needs("<p title='onclick=\"a()\"' data-style='b'>").obstacles().is_empty());
}

#[test]
fn partials_are_followed_from_where_they_are_called() {
    let partials = [
        ("partials/icon.html", "<img src='https://a.example/x.png'>"),
        ("partials/host.html", "https://b.example"),
        ("partials/again.html", "{% render 'icon' %}{% render 'icon' %}"),
    ];
    let (needs, _) = layout("{% render 'again' %}<iframe src='{% render \"host\" %}/x'></iframe>", &partials);
    assert_eq!(origins(&needs), [(Use::Frame, host("https://b.example")), (Use::Image, host("https://a.example"))]);
}

#[test]
fn many_ways_end() {
    let ifs = "{% if a %}b{% endif %}".repeat(40);
    assert_eq!(needs(&format!("<script>{ifs}</script>")).obstacles().len(), 1);
    assert!(needs(&format!("<p class='{ifs}'>")).is_nothing());
    let attributes = "{% if a %} data-b=c{% endif %}".repeat(40);
    assert!(needs(&format!("<p{attributes}>")).is_nothing());
}

#[test]
fn a_link_of_xml_may_have_any_prefix() {
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:x=\"http://www.w3.org/1999/xlink\">";
    let of = |content: &str| Needs::of_xml(&format!("{svg}{content}</svg>"));
    let script = of("<script x:href=\"https://cdn.example/a.js\"/>");
    assert_eq!(origins(&script), [(Use::Script, host("https://cdn.example"))]);
    assert_eq!(of("<image x:href=\"a.png\"/>"), of("<image xlink:href=\"a.png\"/>"));
    assert_eq!(of("<a x:href=\"javascript:a()\"/>").obstacles().len(), 1);
    assert!(of("<a x:hrefs=\"javascript:a()\"/>").is_nothing());
}

#[test]
fn finished_html_is_read_as_browsers_read_it() {
    let html = "<p style=\"a\"><script>alert(1)</script><img src=data:image/png;base64,A>";
    let needs = Needs::of_html(html);
    assert_eq!(needs.scripts().collect::<Vec<_>>(), [digest("alert(1)")]);
    assert_eq!(origins(&needs), [(Use::Image, Origin::Scheme("data:".to_owned()))]);
    let [obstacle] = needs.obstacles() else { panic!("{needs:?}") };
    assert_eq!((obstacle.file, html.get(obstacle.range.clone())), (None, Some("style")));
    for html in ["", "<p>a <b>b</b></p>", "<a href='/x'>", "a < b", "</", "<", "<p", "<p a='"] {
        assert!(Needs::of_html(html).is_nothing(), "{html}");
    }
}
