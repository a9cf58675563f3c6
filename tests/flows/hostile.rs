//! Data stays data: whatever comes in, by whichever way, the page that comes out has the elements, attributes and fields of a page made
//! from a harmless value, and no URL in it runs anything.
//!
//! Pages are read as browsers read them (`support::browser`), feeds as a strict parser does (`support::xml`).

use super::site;
use crate::support::answers::Reply;
use crate::support::browser::{Page, Piece, runs};
use crate::support::canary::percent;
use crate::support::fault::FaultServer;
use crate::support::http::{Response, compose};
use crate::support::proof;
use crate::support::site::{Folder, Site, binary};
use crate::support::xml;
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};

crate::cases!(
    what_looks_at_pages_sees_what_escapes,
    values_of_requests_stay_in_their_places,
    values_of_upstreams_stay_in_their_places,
    values_that_authors_wrote_stay_in_their_places,
    foreign_markup_stays_within_its_element_and_runs_nothing,
    feeds_stay_well_formed,
    json_stays_json,
    fields_and_redirects_stay_one_line_to_one_place,
    error_pages_repeat_nothing,
    places_where_nothing_is_safe_do_not_load,
);

/// What has left its place somewhere before.
pub(super) const VECTORS: &[&str] = &[
    "",
    "plain",
    "a & b &amp; c &lt;d&gt;",
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</p></section></body><script>alert(1)</script>",
    "</textarea></title></style></iframe></noscript></xmp><img src=x onerror=alert(1)>",
    "\"><img src=x onerror=alert(1)>",
    "'><svg onload=alert(1)>",
    "\" onmouseover=\"alert(1)",
    "' onfocus='alert(1)' autofocus='",
    "` onclick=alert(1)",
    "x onclick=alert(1) style=x:expression(alert(1))",
    "\\\" onclick=\\\"alert(1)",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "java\nscript:alert(1)",
    "java\r\nscript:alert(1)",
    "\u{1}\u{1f} javascript:alert(1)",
    "\u{b}\u{c}javascript:alert(1)",
    "javascript&colon;alert(1)",
    "javascript&#58;alert(1)",
    "javascript&#x3a alert(1)",
    "&#106;avascript:alert(1)",
    "&#0000106&#0000097vascript:alert(1)",
    "&Tab;javascript:alert(1)",
    "java&NewLine;script:alert(1)",
    "javascript%3Aalert(1)",
    "%6aavascript:alert(1)",
    "javascript://example.com/%0Aalert(1)",
    "javascript:/*--></title></style></textarea></script><svg/onload='+/\"/+/onmouseover=1/+/[*/[]/+alert(1)//'>",
    "vbscript:msgbox(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "DATA:image/svg+xml,<svg onload=alert(1)>",
    "feed:javascript:alert(1)",
    "view-source:javascript:alert(1)",
    "//evil.example/x",
    "/\\evil.example",
    "https:javascript:alert(1)",
    "<!--",
    "--><script>alert(1)</script><!--",
    "--!><script>alert(1)</script>",
    "<![CDATA[",
    "]]><script>alert(1)</script>",
    "<!DOCTYPE x [<!ENTITY y \"z\">]>",
    "<?xml version=\"1.0\"?><?php phpinfo() ?>",
    "<a href=javascript:alert(1)>x</a>",
    "<style>*{background:url(javascript:alert(1))}</style>",
    "<iframe srcdoc=\"<script>alert(1)</script>\"></iframe>",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "<svg><p><style><g title=\"</style><img src=x onerror=alert(1)>\"></svg>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\"></noscript>",
    "<template><script>alert(1)</script></template><base href=//evil.example>",
    "<form><form id=\"href\"><input name=attributes></form>",
    "<scr\0ipt>alert(1)</scr\0ipt>",
    "\0",
    "{{ 7 | times: 7 }}{% raw %}",
    "{params.v}{env.HOME}",
    "${alert(1)}`${alert(1)}`",
    "\u{2028}alert(1)\u{2029}",
    "\u{feff}\u{202e}\u{ff1c}script\u{ff1e}",
    "+ADw-script+AD4-alert(1)",
    "\u{85}\u{a0}javascript:alert(1)",
    "x\r\nSet-Cookie: evil=1\r\n\r\n<script>alert(1)</script>",
    "x\nX-Evil: 1",
    "[x](javascript:alert(1)) ![y](data:text/html,z) <javascript:alert(1)>",
    "[x]: javascript:alert(1)\n[x]\n\n<script>alert(1)</script>\n\n```html\" onclick=\"alert(1)\n</code>\n```",
    "# x {#\"onclick=alert(1)}\n\n[a](\"onmouseover=alert(1)//) [b](<x\" onclick=\"alert(1)>)",
    "<img src=x onerror=alert(1)>",
    "<img/src/onerror=alert(1)>",
    "<image src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><script href=data:,alert(1) />",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><a><animate attributeName=href values=javascript:alert(1) /><text>x</text></a></svg>",
    "<svg><use href=\"data:image/svg+xml,<svg id='x' onload='alert(1)'/>#x\"/></svg>",
    "<svg><foreignObject><iframe srcdoc='<script>alert(1)</script>'></foreignObject></svg>",
    "<math href=\"javascript:alert(1)\">x</math>",
    "<math><mi xlink:href=\"javascript:alert(1)\">x</mi></math>",
    "<math><annotation-xml encoding=\"text/html\"><img src=x onerror=alert(1)></annotation-xml></math>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<select autofocus onfocus=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<iframe src=javascript:alert(1)>",
    "<form action=javascript:alert(1)><button>x</button></form>",
    "<button form=x formaction=javascript:alert(1)>x</button>",
    "<meta http-equiv=refresh content=\"0;url=javascript:alert(1)\">",
    "<link rel=stylesheet href=data:text/css,*{color:red}>",
    "<link rel=import href=data:text/html,<script>alert(1)</script>>",
    "<table background=javascript:alert(1)>",
    "<a href=\"jav&#x09;ascript:alert(1)\">x</a>",
    "<a href=\"\u{1}javascript:alert(1)\">x</a>",
    "<a href=javascript&colon;alert(1)>x</a>",
    "<div style=\"background:url(javascript:alert(1))\">",
    "<style>@import'data:text/css,*{}';</style>",
    "<xss onpointerrawupdate=alert(1) style=display:block>x</xss>",
    "<x contenteditable onblur=alert(1)>x</x>",
    "\"autofocus onfocus=alert(1) x=\"",
    "'-alert(1)-'",
    "\"-alert(1)-\"",
    "\\'-alert(1)//",
    "';alert(1)//",
    "\";alert(1);//",
    "</script><svg onload=alert(1)>",
    "`-alert(1)-`",
    "*/alert(1)/*",
    "\u{2029}*/alert(1)//",
    "-->\nalert(1)",
    "<!--<script>",
    "<!--<script>--></script><img src=x onerror=alert(1)>",
    "]]>\n<img src=x onerror=alert(1)>",
    "</noscript><img src=x onerror=alert(1)>",
    "</template><img src=x onerror=alert(1)>",
    "<plaintext><img src=x onerror=alert(1)>",
    "<listing>&lt;img src=x onerror=alert(1)&gt;</listing>",
    "<isindex type=image src=1 onerror=alert(1)>",
    "<%00script>alert(1)</%00script>",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
    "jAvAsCrIpT&colon;alert&lpar;1&rpar;",
    "\u{200b}javascript:alert(1)",
    "javascript\u{3a}alert(1)",
    "blob:https://evil.example/x",
    "filesystem:https://evil.example/x",
    "about:blank#<script>alert(1)</script>",
    "intent://x#Intent;scheme=javascript;end",
    "<a href=\"https://evil.example\" target=_blank>x</a>",
    "x\" style=\"animation-name:x\" onanimationstart=\"alert(1)",
    "x' accesskey='x' onclick='alert(1)",
    "x\" srcdoc=\"<script>alert(1)</script>",
    "0;url=javascript:alert(1)",
    "x, javascript:alert(1) 2x",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
];

/// Pieces for values nobody has thought of.
const PIECES: &[&str] = &[
    "<",
    ">",
    "\"",
    "'",
    "`",
    "&",
    "&#",
    ";",
    "=",
    "/",
    "\\",
    "/>",
    "</",
    "<!--",
    "-->",
    "--!>",
    "]]>",
    "<![CDATA[",
    "<script",
    "<a href=",
    "<img src=",
    " onerror=",
    "javascript",
    ":",
    "alert(1)",
    "data:",
    "text/html,",
    "vbscript:",
    "&colon;",
    "&Tab;",
    "&#x6a;",
    "%3a",
    "%0a",
    " ",
    "\t",
    "\n",
    "\r",
    "\0",
    "\u{b}",
    "\u{1f}",
    "\u{7f}",
    "\u{2028}",
    "\u{ffff}",
    "é",
    "{{",
    "}}",
    "{%",
    "style",
    "svg",
    "title",
    "textarea",
    "](",
    "[x]",
    "!",
    "#",
    "?",
    "x",
];

/// The known values and as many random ones; prints the seed, and takes it back from `HOSTILE_SEED`.
fn values(random: usize) -> Vec<String> {
    let now = || u64::from(SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").subsec_nanos());
    let given = std::env::var("HOSTILE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = given.unwrap_or_else(now);
    println!("HOSTILE_SEED={seed}");
    let mut state = seed;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % below
    };
    let mut values: Vec<String> = VECTORS.iter().map(|&value| value.to_owned()).collect();
    for _ in 0..if proof::is_full() { 10 * random } else { random } {
        let length = 1 + next(12);
        values.push((0..length).map(|_| PIECES[next(PIECES.len())]).collect());
    }
    values
}

/// Every place of a page where a value may be printed, and every filter that makes text of text.
pub(super) fn places() -> String {
    let filters = [
        "append: v",
        "prepend: v",
        "capitalize",
        "downcase",
        "upcase",
        "default: v",
        "escape",
        "escape_once",
        "h",
        "lstrip",
        "rstrip",
        "strip",
        "newline_to_br",
        "remove: 'a'",
        "remove: v",
        "replace: 'a', v",
        "replace_first: 'x', v",
        "replace_last: 'x', v",
        "slice: 1, 40",
        "split: 'a' | join: v",
        "split: '' | reverse | join",
        "split: ':' | first",
        "squish",
        "strip_html",
        "strip_newlines",
        "truncate: 30",
        "truncate: 9, v",
        "truncatewords: 2, v",
        "url_encode",
        "url_decode",
        "base64_encode",
        "base64_encode | base64_decode",
        "json",
        "size",
        "date: v",
        "pluralize: v, v",
        "relative_url",
        "raw | append: v",
        "escape | url_decode",
        "url_encode | escape | url_decode",
    ];
    let of_filter = |(at, filter): (usize, &&str)| {
        format!(
            "<p id=\"f{at}\" title=\"{{{{ v | {filter} }}}}\" class='{{{{ made | {filter} }}}}'>{{{{ v | {filter} }}}}|{{{{ made | {filter} }}}}</p>\
             <a href=\"{{{{ v | {filter} }}}}\">x</a><a href='{{{{ made | {filter} }}}}'>x</a>\n"
        )
    };
    // What `raw` lets through is the author's own doing; appended to, it is text again.
    let filters: String = filters.iter().enumerate().map(of_filter).collect();
    format!(
        r#"-- layouts/partials/places.html --
<section>
<p id="text">{{{{ v }}}}</p>
<p id="double" title="{{{{ v }}}}" data-v="a {{{{ v }}}} b">x</p>
<p id='single' title='{{{{ v }}}}' class='{{{{ v }}}}'>x</p>
<a href="{{{{ v }}}}">x</a><a href='{{{{ v }}}}'>x</a><a href=" {{{{ v }}}}">x</a><a href="{{{{ v }}}}{{{{ v }}}}">x</a>
<a href="/x/{{{{ v }}}}">x</a><a href="?q={{{{ v }}}}#{{{{ v }}}}">x</a><a href="https://{{{{ v }}}}/">x</a><a href="mailto:{{{{ v }}}}">x</a>
<a href="{{{{ v }}}}/x:y">x</a><a href="{{{{ v }}}}?x:y">x</a><a href="{{{{ v }}}}&amp;x=y:z">x</a><a href="java{{{{ v }}}}">x</a>
<a href="{{% if v %}}{{{{ v }}}}{{% endif %}}">x</a>
<a href="{{% cycle v, 'x' %}}">x</a><a href="{{% echo v %}}" ping="{{{{ v }}}}">x</a>
<img src="{{{{ v }}}}" alt="{{{{ v }}}}" srcset="{{{{ v }}}} 2x" longdesc="{{{{ v }}}}"><img src="data:image/png;base64,{{{{ v }}}}" id="png">
<form action="{{{{ v }}}}"><button formaction='{{{{ v }}}}' value="{{{{ v }}}}">x</button><input value="{{{{ v }}}}" formaction="{{{{ v }}}}"></form>
<iframe src="{{{{ v }}}}"></iframe><embed src="{{{{ v }}}}"><object data="{{{{ v }}}}"></object><video poster="{{{{ v }}}}" src="{{{{ v }}}}"></video>
<blockquote cite="{{{{ v }}}}">x</blockquote><svg><a xlink:href="{{{{ v }}}}" href="{{{{ v }}}}">x</a><set attributeName="href" to="{{{{ v }}}}"></set></svg>
<textarea id="area">{{{{ v }}}}</textarea>
<script id="script">{{{{ v | json }}}}</script><script type="application/json" id="data">{{{{ v | json }}}}</script>
<noscript><a href="{{{{ v }}}}" title="{{{{ v }}}}">{{{{ v }}}}</a></noscript>
{{% capture made %}}{{{{ v }}}}{{% endcapture %}}{{% capture link %}}/{{{{ v }}}}{{% endcapture %}}
<p id="made" title="{{{{ made }}}}" class='{{{{ made }}}}'>{{{{ made }}}}</p><a href="{{{{ made }}}}">x</a><a href="{{{{ link }}}}">{{{{ link }}}}</a>
<a href="/s?q={{{{ v | escape }}}}&amp;p={{{{ made }}}}">x</a><a href="/{{{{ v | escape_once }}}}">x</a><a href="/{{{{ made }}}}/{{{{ made }}}}">x</a>
{{% capture titled %}}<b title="{{{{ v }}}}" class='{{{{ v }}}} {{{{ request.path }}}}'>x</b>{{% endcapture %}}<p id="titled">{{{{ titled | remove: '"' | remove: "'" }}}}</p>
{{{{ "<i title='" }}}}{{{{ v }}}}'>x</i>
{{% assign parts = v | split: ":" %}}<a href="{{% for part in parts %}}{{{{ part }}}}{{% endfor %}}">x</a>
{{% assign parts = v | split: "" %}}<a href="{{% for part in parts %}}{{{{ part }}}}{{% endfor %}}">x</a>
{{% if v contains "<" %}}{{% endif %}}{{% case v %}}{{% when "<" %}}{{% else %}}{{% endcase %}}
{filters}</section>
"#
    )
}

/// A layout that prints `value` in all places.
pub(super) fn layout(name: &str, value: &str) -> String {
    format!(
        "-- layouts/{name} --\n<!doctype html>\n<html><head><title>{{{{ {value} }}}}</title></head>\n<body class=\"{{{{ {value} }}}}\">\n\
         {{% render \"places\", v: {value} %}}</body></html>\n"
    )
}

/// What the page does to this value wherever it stands.
fn assert_harmless(page: &Page, harmless: &[String], value: &str, whence: &str) {
    let shape = page.shape();
    if shape != harmless {
        let at = shape.iter().zip(harmless).take_while(|(left, right)| left == right).count();
        panic!("{value:?} from {whence} changes the page: {:?} instead of {:?}", shape.get(at), harmless.get(at));
    }
    let running: Vec<_> = page
        .running()
        .into_iter()
        .filter(|(element, name, url)| {
            !(element == "img" && name == "src" && url.starts_with("data:image/png;base64,"))
        })
        .collect();
    assert!(running.is_empty(), "{value:?} from {whence} runs: {running:?}");
}

/// And that what is read there is the value itself, no more and no less.
fn assert_whole(page: &Page, value: &str, whence: &str) {
    // As a browser reads any text: line breaks are one character.
    let read = value.replace("\r\n", "\n").replace('\r', "\n");
    let shown = |text: Option<&str>| text.map(|text| text.replace('\u{fffd}', "\0"));
    let expected = Some(read.replace('\u{fffd}', "\0"));
    assert_eq!(shown(page.text("text")), expected, "text, from {whence}");
    for (id, name) in
        [("double", "title"), ("single", "title"), ("single", "class"), ("made", "title"), ("made", "class")]
    {
        assert_eq!(shown(page.attribute(id, name)), expected, "{id} {name}, from {whence}");
    }
    for id in ["script", "data"] {
        let json = page.text(id).expect("a script");
        let parsed: serde_json::Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
        assert_eq!(parsed, value, "{id}, from {whence}");
        assert!(!json.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{json}");
    }
    assert_eq!(page.attribute("png", "src").map(|src| src.starts_with("data:image/png;base64,")), Some(true));
}

fn page(response: &Response, what: &str) -> Page {
    assert_eq!(response.status, 200, "{what}: {}", response.text());
    assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"), "{what}");
    Page::read(response.text())
}

fn what_looks_at_pages_sees_what_escapes() {
    let shape = |html: &str| Page::read(html).shape();
    let harmless = shape("<p title=\"x\">x</p>");
    for html in [
        "<p title=\"\"><b>\">x</p>",
        "<p title=\"\" onclick=\"\">x</p>",
        "<p title=\"x\"><!-- -->x</p>",
        "<p title=\"x\"></p></p>",
        "<p title=\"x\"><script>x</p>",
        "<p title=x\" x>x</p>",
    ] {
        assert_ne!(shape(html), harmless, "{html}");
    }
    assert_eq!(shape("<p title=\"&quot;&gt;<b>\">&lt;b&gt;\n\0x</p>"), harmless);
    assert_eq!(shape("<title><b></title><script>'</b>'</script>"), ["<title >", "</title>", "<script >", "</script>"]);
    for url in ["javascript:x", " \u{1}JAVA\tSC\nRIPT:x", "\u{c}data:x", "vb\rscript:"] {
        assert!(runs(url), "{url:?}");
    }
    for url in ["", "/javascript:", "x:javascript:", "%6aavascript:x", "java script:x", "#javascript:"] {
        assert!(!runs(url), "{url:?}");
    }
    assert_eq!(Page::read("<a href='&#106;ava&Tab;script&colon;x'><img src=data:y>").running().len(), 2);
    for broken in [
        "<a>",
        "<a></b>",
        "<a x=y/>",
        "<a x='<'/>",
        "<a>&x;</a>",
        "<a>&</a>",
        "<a>\u{1}</a>",
        "<a>]]></a>",
        "<a x='' x=''/>",
    ] {
        assert!(xml::read(broken).is_err(), "{broken}");
    }
    assert!(xml::read("<?xml version='1.0'?><!-- x --><a x='&lt;'><b y=\"'\"/>&#65;<![CDATA[<]]></a>").is_ok());
}

fn values_of_requests_stay_in_their_places() {
    let fault = FaultServer::start();
    let places = places();
    let site = site(
        &fault,
        &format!(
            "-- routes/path.toml --\npath = \"/path/{{v}}\"\nlayout = \"path.html\"\n\
             -- routes/rest.toml --\npath = \"/rest/{{*v}}\"\nlayout = \"path.html\"\n\
             -- routes/query.toml --\nlayout = \"query.html\"\n[query.v]\n\
             -- routes/header.toml --\nlayout = \"header.html\"\n\
             -- routes/cookie.toml --\nlayout = \"cookie.html\"\n[cookies.v]\n\
             -- routes/url.toml --\npath = \"/url/{{*v}}\"\nlayout = \"url.html\"\n{}{}{}{}{}{places}",
            layout("path.html", "params.v"),
            layout("query.html", "query.v"),
            layout("header.html", "request.headers.x-value"),
            layout("cookie.html", "cookies.v"),
            layout("url.html", "request.url"),
        ),
    );
    let harmless = page(&site.get("/query?v=x"), "harmless").shape();
    let values = values(300);
    let mut seen = [0; 5];
    let mut connection = site.connect();
    for value in &values {
        let coded = percent(value);
        let mut ask = |at: usize, whence: &str, target: &str, fields: &[(&str, &str)], exact: bool| {
            let mut response = connection.request("GET", target, fields, b"");
            if response.status == 308 {
                let canonical = response.header("location").expect("a redirect").to_owned();
                assert!(canonical.starts_with('/') && !canonical.starts_with("//"), "{canonical}");
                response = connection.request("GET", &canonical, fields, b"");
                assert_ne!(response.status, 308, "{target}: {canonical}");
            }
            // What no path and no field may hold is refused, and the refusal says nothing of it.
            if matches!(response.status, 400 | 404) {
                assert!(at != 1, "{value:?}: {}", response.status);
                return;
            }
            let page = page(&response, whence);
            assert_harmless(&page, &harmless, value, whence);
            if exact {
                assert_whole(&page, value, whence);
            }
            seen[at] += 1;
        };
        if !value.is_empty() {
            ask(0, "a path", &format!("/path/{coded}"), &[], true);
            ask(1, "a query", &format!("/query?v={coded}"), &[], !value.contains('\0'));
            ask(4, "the URL", &format!("/url/{coded}"), &[], false);
        }
        ask(0, "the rest of a path", &format!("/rest/{coded}"), &[], !value.contains('/'));
    }
    for value in &values {
        // A client of its own for each: what is no field or no cookie may cost the connection.
        let field = value.replace(['\r', '\n', '\0'], " ");
        let (field, cookie) = (field.trim(), format!("v={}", field.replace(';', ",")));
        for (at, whence, target, name, text) in
            [(2, "a field", "/header", "X-Value", field), (3, "a cookie", "/cookie", "Cookie", cookie.as_str())]
        {
            let response = site.request("GET", target, &[(name, text)], b"");
            if response.status != 400 {
                assert_harmless(&page(&response, whence), &harmless, text, whence);
                seen[at] += 1;
            }
        }
    }
    assert!(seen.iter().all(|&seen| seen > values.len() / 6), "{seen:?} of {}", values.len());
}

fn values_of_upstreams_stay_in_their_places() {
    let fault = FaultServer::start();
    let source = "[sources.a]\nupstream = \"up\"\npath = \"/data\"\n";
    let site = site(
        &fault,
        &format!(
            "-- routes/value.toml --\nlayout = \"value.html\"\n{source}\
             -- routes/typed.toml --\nlayout = \"typed.html\"\n{source}extract.v = {{ select = \"$.v\", type = \"string\" }}\n\
             -- routes/url.toml --\nlayout = \"link.html\"\n{source}extract.v = {{ select = \"$.v\", type = \"url\" }}\n\
             -- routes/key.toml --\nlayout = \"key.html\"\n{source}\
             -- routes/titled.toml --\nlayout = \"titled.html\"\ntitle = \"On {{a.v}}\"\ndescription = \"{{a.v}}\"\n{source}\
             -- routes/fallback.toml --\nlayout = \"fallback.html\"\n{source}fallback = {{ v = \"harmless\" }}\n\
             -- layouts/link.html --\n<a href=\"{{{{ a.v }}}}\" title='{{{{ a.v }}}}'>{{{{ a.v }}}}</a>\n\
             -- layouts/key.html --\n{{% for pair in a.object %}}{{% render \"places\", v: pair[0] %}}{{% endfor %}}\
             <p title=\"{{{{ a.object }}}}\">{{{{ a.object }}}}{{{{ a }}}}</p>\n{}{}{}{}{}",
            layout("value.html", "a.v"),
            layout("typed.html", "a.v"),
            layout("titled.html", "page.title").replace("</head>", "<meta content=\"{{ page.description }}\"></head>"),
            layout("fallback.html", "a.v"),
            places(),
        ),
    );
    let put =
        |value: &str| fault.put("/data", Reply::json(json!({ "v": value, "object": { value: value } }).to_string()));
    put("harmless");
    let routes = ["/value", "/typed", "/url", "/key", "/titled", "/fallback"];
    let shapes = routes.map(|route| page(&site.get(route), route).shape());
    let mut connection = site.connect();
    for value in values(200) {
        put(&value);
        for (route, harmless) in routes.iter().zip(&shapes) {
            let page = page(&connection.get(route), route);
            assert_harmless(&page, harmless, &value, route);
            if *route == "/value" {
                assert_whole(&page, &value, route);
            }
        }
        // What surrounds the data may be as hostile: status text, fields, an error's body.
        let line = value.replace(['\r', '\n', '\0'], " ");
        let body = json!({ "v": "x", "object": { "x": "x" } }).to_string();
        let raw = format!(
            "HTTP/1.1 200 {line}\r\nX-Value: {line}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let raw = Reply::of("", "").delivered(crate::support::answers::Delivery::Raw(raw.into_bytes()));
        fault.put("/data", raw);
        let response = site.get("/value");
        if response.status == 200 {
            assert_harmless(&page(&response, "status text"), &shapes[0], &value, "status text");
        }
        fault.put("/data", Reply::of("text/html", value.clone()).status(500));
        assert_harmless(&page(&connection.get("/fallback"), "fallback"), &shapes[5], &value, "the body of an error");
    }
}

/// A basic string of TOML.
fn toml(text: &str) -> String {
    let escaped = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() || c == '\u{feff}' => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(escaped).collect::<String>())
}

fn values_that_authors_wrote_stay_in_their_places() {
    let fault = FaultServer::start();
    let archive = |value: &str| {
        let quoted = toml(value);
        format!(
            "-- routes/vars.toml --\nlayout = \"vars.html\"\n[vars]\nv = {quoted}\n\
             -- routes/document.toml --\ncontent = \"document.md\"\nlayout = \"document.html\"\n\
             -- content/document.md --\n+++\nv = {quoted}\ntitle = {quoted}\n+++\nText.\n\
             -- routes/yaml.toml --\ncontent = \"yaml.md\"\nlayout = \"document.html\"\n\
             -- content/yaml.md --\n---\nv: {}\ntitle: x\n---\nText.\n{}{}{}",
            json!(value),
            layout("vars.html", "vars.v"),
            layout("document.html", "page.v").replace("</head>", "<meta content=\"{{ page.title }}\"></head>"),
            places(),
        )
    };
    let routes = ["/vars", "/document", "/yaml"];
    let harmless = {
        let site = site(&fault, &archive("harmless"));
        routes.map(|route| page(&site.get(route), route).shape())
    };
    // A site is loaded for each, so there are only those that are hostile in each their own way.
    let values = values(0);
    let braces = |value: &String| value.contains('{') || value.contains('}') || value.contains("--");
    let values =
        values.iter().filter(|value| !braces(value) && !value.contains(['\0', '\u{b}', '\u{1f}', '\u{1}', '\u{85}']));
    for value in values.step_by(2) {
        let site = site(&fault, &archive(value));
        for (route, harmless) in routes.iter().zip(&harmless) {
            let page = page(&site.get(route), route);
            assert_harmless(&page, harmless, value, route);
            assert_whole(&page, value, route);
        }
    }
}

/// Elements that hold nothing.
const VOID: [&str; 6] = ["br", "hr", "img", "input", "wbr", "col"];

/// What markup from outside may be made of.
fn assert_tame(pieces: &[Piece], value: &str) {
    for piece in pieces {
        let (name, attributes) = match piece {
            Piece::Start(name, attributes) => (name, attributes.as_slice()),
            Piece::Comment(_) | Piece::Doctype => panic!("{value:?} leaves {piece:?}"),
            Piece::End(name) => (name, [].as_slice()),
            Piece::Text(_) => continue,
        };
        let forbidden = [
            "script",
            "style",
            "iframe",
            "object",
            "embed",
            "form",
            "button",
            "textarea",
            "select",
            "svg",
            "math",
            "base",
            "link",
            "meta",
            "template",
            "noscript",
            "title",
            "html",
            "body",
            "head",
            "frame",
            "frameset",
            "applet",
            "xmp",
            "plaintext",
            "noembed",
            "noframes",
        ];
        assert!(!forbidden.contains(&name.as_str()), "{value:?} leaves {piece:?}");
        for (attribute, _) in attributes {
            let forbidden = ["style", "srcdoc", "formaction", "action", "ping", "background", "xlink:href"]
                .contains(&attribute.as_str());
            assert!(!forbidden && !attribute.starts_with("on"), "{value:?} leaves {piece:?}");
        }
    }
}

fn foreign_markup_stays_within_its_element_and_runs_nothing() {
    let fault = FaultServer::start();
    let route = |kind: &str| {
        format!(
            "-- routes/{kind}.toml --\nlayout = \"page.html\"\n[sources.a]\nupstream = \"up\"\npath = \"/data\"\n\
             extract.v = {{ select = \"$.v\", type = \"{kind}\" }}\n"
        )
    };
    let site = site(
        &fault,
        &format!(
            "{}{}-- layouts/page.html --\n<div id=\"in\">{{{{ a.v }}}}</div><p id=\"after\" title=\"{{{{ a.v }}}}\" class='{{{{ a.v }}}}'>x</p>\
             <a href=\"{{{{ a.v }}}}\">x</a><p id=\"made\">{{{{ a.v | strip_html }}}}|{{{{ a.v | truncate: 20 }}}}|{{{{ a.v | slice: 1, 30 }}}}|{{{{ a.v | url_decode }}}}</p>\
             <textarea>{{{{ a.v }}}}</textarea><script>{{{{ a.v | json }}}}</script>\n",
            route("html"),
            route("markdown"),
        ),
    );
    let mut connection = site.connect();
    let tail = |page: &Page| {
        let after = page.position("after").unwrap_or_else(|| panic!("the page is lost: {:?}", page.pieces()));
        let tail = Page::shape(page);
        let kept = page.pieces()[after..].iter().filter(|piece| !matches!(piece, Piece::Text(_))).count();
        tail[tail.len() - kept..].to_vec()
    };
    fault.put("/data", Reply::json(json!({ "v": "x" }).to_string()));
    let harmless = tail(&page(&connection.get("/html"), "harmless"));
    for value in values(400) {
        fault.put("/data", Reply::json(json!({ "v": value }).to_string()));
        for route in ["/html", "/markdown"] {
            let page = page(&connection.get(route), route);
            assert_eq!(tail(&page), harmless, "{value:?} as {route}");
            assert!(page.running().is_empty(), "{value:?} as {route} runs {:?}", page.running());
            let (start, end) = (page.position("in").unwrap() + 1, page.position("after").unwrap() - 1);
            let inside = &page.pieces()[start..end];
            assert_tame(inside, &value);
            // What is opened inside is closed inside, and nothing else is.
            let mut open = Vec::new();
            for piece in inside {
                match piece {
                    Piece::Start(name, _) if !VOID.contains(&name.as_str()) => open.push(name),
                    Piece::End(name) => assert_eq!(open.pop(), Some(name), "{value:?} as {route}: {inside:?}"),
                    Piece::Start(..) | Piece::Text(_) | Piece::Comment(_) | Piece::Doctype => {}
                }
            }
            assert!(open.is_empty(), "{value:?} as {route}: {open:?}");
        }
    }
}

fn feeds_stay_well_formed() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/feed.toml --\nlayout = \"feed.xml\"\n[sources.a]\nupstream = \"up\"\npath = \"/data\"\n\
         -- layouts/feed.xml --\n<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns:x=\"http://www.w3.org/1999/xhtml\">\n\
         <title id=\"{{ a.v }}\">{{ a.v }}</title><link href=\"{{ a.v }}\" title='{{ a.v }}'/><x:a href=' {{ a.v }}'/><x:form action=\"{{ a.v }}\"/>\
         <x:img src=\"/{{ a.v }}\"/><d><![CDATA[{{ a.v }}]]></d><x:script>{{ a.v | json }}</x:script>\
         {% capture made %}{{ a.v }}{% endcapture %}<m x=\"{{ made }}\">{{ made }}</m>{% for pair in a.object %}<k n='{{ pair[0] }}'>{{ pair[0] | upcase }}</k>{% endfor %}\n\
         </feed>\n",
    );
    let shape = |pieces: &[Piece]| -> Vec<String> {
        let shape = |piece: &Piece| match piece {
            Piece::Start(name, attributes) => {
                Some(format!("<{name} {:?}>", attributes.iter().map(|(name, _)| name).collect::<Vec<_>>()))
            }
            Piece::End(name) => Some(format!("</{name}>")),
            Piece::Comment(_) | Piece::Doctype => Some("?".to_owned()),
            Piece::Text(_) => None,
        };
        pieces.iter().filter_map(shape).collect()
    };
    let mut connection = site.connect();
    let mut feed = |value: &str| {
        fault.put("/data", Reply::json(json!({ "v": value, "object": { value: 1 } }).to_string()));
        let response = connection.get("/feed");
        assert_eq!(response.status, 200);
        xml::read(response.text()).unwrap_or_else(|error| panic!("{value:?}: {error}:\n{}", response.text()))
    };
    let harmless = shape(&feed("harmless"));
    for value in values(300) {
        let pieces = feed(&value);
        assert_eq!(shape(&pieces), harmless, "{value:?}");
        for piece in &pieces {
            let Piece::Start(name, attributes) = piece else { continue };
            for (attribute, url) in attributes {
                let is_url = matches!(attribute.as_str(), "href" | "action" | "src");
                assert!(!(is_url && runs(url)), "{value:?} runs in {name} {attribute}: {url:?}");
            }
        }
        let foreign = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r') || matches!(c, '\u{ffff}');
        if !value.contains(foreign) && !value.is_empty() {
            let title = pieces.iter().position(|piece| matches!(piece, Piece::Start(name, _) if name == "title"));
            assert_eq!(pieces[title.unwrap() + 1], Piece::Text(value.clone()));
        }
    }
}

fn json_stays_json() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/json.toml --\njson = { whole = \"{a}\", v = \"{a.v}\", within = \"<{a.v}>\", q = \"{query.q}\", \"k\\\"</script>\" = 1 }\n\
         query.q = {}\n[sources.a]\nupstream = \"up\"\npath = \"/data\"\n",
    );
    let mut connection = site.connect();
    for value in values(300) {
        let data = json!({ "v": value, "object": { value.as_str(): value } });
        fault.put("/data", Reply::json(data.to_string()));
        let response = connection.get(&format!("/json?q={}", percent(&value)));
        assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")), "{value:?}");
        // No browser takes it for a page.
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
        // No text of a query holds U+0000.
        let is_absent = value.is_empty() || value.contains('\0');
        let query = if is_absent { serde_json::Value::Null } else { json!(value) };
        let within = format!("<{value}>");
        assert_eq!(
            response.json(),
            json!({ "whole": data, "v": value, "within": within, "q": query, "k\"</script>": 1 }),
            "{value:?}"
        );
    }
}

/// The head of an answer, byte for byte.
fn head(site: &Site, target: &str) -> String {
    let mut connection = site.connect();
    connection.send(compose("GET", target, &[("Connection", "close")], b"")).unwrap();
    let answer = connection.rest().unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
    String::from_utf8(answer[..end].to_vec()).expect("UTF-8")
}

fn fields_and_redirects_stay_one_line_to_one_place() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/field.toml --\nlayout = \"x.html\"\nheaders = { x-query = \"a{query.q}b\", x-data = \"{a.v}\" }\nquery.q = {}\n\
         [sources.a]\nupstream = \"up\"\npath = \"/data\"\n-- layouts/x.html --\nx\n\
         -- routes/to.toml --\npath = \"/to/{p}\"\nredirect = \"/at/{params.p}\"\n\
         -- routes/rest.toml --\npath = \"/rest/{*p}\"\nredirect = \"/at/{params.p}\"\n\
         -- routes/find.toml --\nredirect = \"/at/x?q={query.q}#{query.q}\"\nquery.q = {}\n\
         -- routes/away.toml --\nredirect = \"https://example.com/{query.q}?x={query.q}\"\nquery.q = {}\n\
         -- routes/ruled.toml --\nlayout = \"x.html\"\nquery.q = {}\nrules = [{ if = \"query.q != nil\", then = { redirect = \"/at/{query.q}\" } }]\n\
         -- routes/at.toml --\npath = \"/at/{*x}\"\njson = true\nquery.q = {}\n",
    );
    let names = |head: &str| -> Vec<String> {
        let names = head.split("\r\n").skip(1).map(|line| line.split(':').next().unwrap_or_default().to_owned());
        names.collect()
    };
    let put = |value: &str| fault.put("/data", Reply::json(json!({ "v": value }).to_string()));
    put("x");
    let harmless = names(&head(&site, "/field?q=x"));
    for value in values(150) {
        let coded = percent(&value);
        put(&value);
        let fields = head(&site, &format!("/field?q={coded}"));
        assert!(!fields.contains(['\0', '\u{b}', '\u{1f}', '\u{7f}']), "{value:?}: {fields:?}");
        assert!(fields.split("\r\n").all(|line| !line.contains(['\r', '\n'])), "{value:?}: {fields:?}");
        // A value that no field can hold, or that is null, is left out or an error; no field is added.
        let found = names(&fields);
        if fields.starts_with("HTTP/1.1 200") {
            assert!(found.iter().all(|name| harmless.contains(name)), "{value:?}: {fields}");
        } else {
            assert!(fields.starts_with("HTTP/1.1 5") || fields.starts_with("HTTP/1.1 4"), "{value:?}: {fields}");
            assert!(
                !fields.contains("x-query") && !fields.to_ascii_lowercase().contains("evil"),
                "{value:?}: {fields}"
            );
        }
        for (target, origin) in [
            (format!("/to/{coded}"), "/at/"),
            (format!("/rest/{coded}"), "/at"),
            (format!("/find?q={coded}"), "/at/x"),
            (format!("/away?q={coded}"), "https://example.com/"),
            (format!("/ruled?q={coded}"), "/at/"),
        ] {
            let fields = head(&site, &target);
            let locations: Vec<&str> =
                fields.split("\r\n").filter_map(|line| line.strip_prefix("location: ")).collect();
            if !fields.starts_with("HTTP/1.1 30") {
                assert!(locations.is_empty(), "{target}: {fields}");
                continue;
            }
            let [location] = locations[..] else { panic!("{target}: {fields}") };
            // Either where the route says, or the canonical form of the very same URL.
            let canonical = target.split('/').nth(1).and_then(|first| first.split('?').next()).unwrap_or_default();
            let own = format!("/{canonical}");
            assert!(location.starts_with(origin) || location.starts_with(&own), "{target}: {location}");
            assert!(!location.starts_with("//") && !location.contains('\\'), "{target}: {location}");
            assert!(location.bytes().all(|byte| byte.is_ascii_graphic()), "{target}: {location:?}");
            assert!(!location.contains(['"', '<', '>']), "{target}: {location}");
            assert!(
                !fields.to_ascii_lowercase().contains("\r\nset-cookie") && !fields.contains("\r\nX-Evil"),
                "{target}: {fields}"
            );
        }
    }
}

fn error_pages_repeat_nothing() {
    let fault = FaultServer::start();
    let archive = "-- routes/page.toml --\npath = \"/page/{id}\"\nlayout = \"x.html\"\nquery.q = { type = \"int\", on-invalid = \"bad-request\" }\n\
                   params.id = { type = \"int\" }\n[sources.a]\nupstream = \"up\"\npath = \"/status/500\"\n\
                   -- routes/json.toml --\npath = \"/json/{id}\"\njson = \"{a}\"\n[sources.a]\nupstream = \"up\"\npath = \"/x/{params.id}\"\n\
                   -- layouts/x.html --\n{{ a }}\n";
    let own = "-- routes/_section.toml --\nerrors = { 404 = \"error.html\", 4xx = \"error.html\", 5xx = \"error.html\" }\n\
               -- layouts/error.html --\n<p title=\"{{ error.title }}\">{{ error.status }} {{ error.id }}</p>\n";
    let id = |text: &str, id: &str| text.replace(id, "ID");
    for archive in [archive.to_owned(), format!("{archive}{own}")] {
        let site = site(&fault, &archive);
        let ask = |target: &str| {
            let response = site.get(target);
            let request = response.header("x-request-id").unwrap_or("none").to_owned();
            (response.status, response, request)
        };
        let mut expected = std::collections::HashMap::new();
        for value in values(60) {
            let coded = percent(&value);
            for target in [
                format!("/nothing/{coded}"),
                format!("/nothing?{coded}"),
                format!("/page/{coded}"),
                format!("/page/1?q={coded}"),
                format!("/json/{coded}"),
                format!("/%zz{coded}"),
            ] {
                let (status, response, request) = ask(&target);
                if status < 400 {
                    continue;
                }
                // But for the id, every error of a kind is the same, whatever it is about.
                let text = id(response.text(), &request);
                let text = if request == "none" { shape_of(&response) } else { text };
                let kind = (status, response.header("content-type").map(str::to_owned));
                let first = expected.entry(kind).or_insert_with(|| text.clone());
                assert_eq!(*first, text, "{target}");
            }
        }
        assert!(expected.len() >= 3, "{:?}", expected.keys());
    }
}

/// An error without the id of its request: its text with every long run of letters and digits as one.
fn shape_of(response: &Response) -> String {
    let words = response.text().split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words
        .map(|word| if word.len() >= 16 && word.contains(|c: char| c.is_ascii_digit()) { "ID" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
}

fn places_where_nothing_is_safe_do_not_load() {
    for (name, markup) in [
        ("html", "<p style=\"color: {{ query.v }}\">x</p>"),
        ("html", "<p onclick=\"f('{{ query.v }}')\">x</p>"),
        ("html", "<p OnClick='{{ query.v | json }}'>x</p>"),
        ("html", "<p class={{ query.v }}>x</p>"),
        ("html", "<p {{ query.v }}>x</p>"),
        ("html", "<p {{ query.v }}=\"x\">x</p>"),
        ("html", "<p x{{ query.v }}=\"x\">x</p>"),
        ("html", "<{{ query.v }}>x"),
        ("html", "</{{ query.v }}>x"),
        ("html", "<!-- {{ query.v }} -->"),
        ("html", "<!doctype {{ query.v }}>"),
        ("html", "<style>p { color: {{ query.v }} }</style>"),
        ("html", "<script>let a = {{ query.v }};</script>"),
        ("html", "<script>let a = '{{ query.v }}';</script>"),
        ("html", "<script>let a = '{{ query.v | json }}';</script>"),
        ("html", "<script>let a = `{{ query.v | json }}`;</script>"),
        ("html", "<script>// {{ query.v | json }}\n</script>"),
        ("html", "<script src=\"{{ query.v }}\"></script>"),
        ("html", "<script src=\"/{{ query.v }}\"></script>"),
        ("html", "<script src=\"//{{ query.v }}/x.js\"></script>"),
        ("html", "<script src=\"https://{{ query.v }}/x.js\"></script>"),
        ("html", "<script src=\"https://cdn.{{ query.v }}/x.js\"></script>"),
        ("html", "<script src=\"{{ '' | append: query.v }}\"></script>"),
        ("html", "<script src=\"{{ 'x' | replace: 'x', query.v }}\"></script>"),
        ("html", "<base href=\"{{ query.v }}\">"),
        ("html", "<svg><title/></svg><script>{{ query.v }}</script><svg><title>x</title></svg>"),
        ("html", "<svg><title /></svg><p onclick=\"{{ query.v }}\">x</p><svg><title>x</title></svg>"),
        ("html", "<iframe srcdoc=\"{{ query.v }}\"></iframe>"),
        ("html", "<iframe>{{ query.v }}</iframe>"),
        ("html", "<xmp>{{ query.v }}</xmp>"),
        ("html", "<a href=\"javascript:f('{{ query.v }}')\">x</a>"),
        ("html", "<a href=' \tJava\nScript:{{ query.v }}'>x</a>"),
        ("html", "<a href=\"javascript&colon;{{ query.v }}\">x</a>"),
        ("html", "<a href=\"&#x6a;avascript:{{ query.v }}\">x</a>"),
        ("html", "<a href=\"{{ query.v }}:alert(1)\">x</a>"),
        ("html", "<a href=\"{{ query.v }}://example.com/\">x</a>"),
        ("html", "<a href=\"{{ query.v }}script:alert(1)\">x</a>"),
        ("html", "<a href=\"{% if query.v %}{{ query.v }}{% endif %}:alert(1)\">x</a>"),
        ("html", "<a href=\"{% for c in query.v %}{{ c }}{% endfor %}{% raw %}:alert(1){% endraw %}\">x</a>"),
        ("html", "<a href=\"{{ query.v }}&#58;alert(1)\">x</a>"),
        ("html", "<svg><a><animate attributeName=href values=\"{{ query.v }};x\"/></a></svg>"),
        ("html", "<svg><a><set attributeName=href to=\"javascript:{{ query.v }}\"/></a></svg>"),
        (
            "html",
            "<a href=\"{% for c in (1..2) %}{% if forloop.first %}{% else %}:{% endif %}{{ query.v }}{% endfor %}\">x</a>",
        ),
        ("html", "<a href=\"{% if query.v %}javascript{% else %}https{% endif %}:{{ query.v }}\">x</a>"),
        ("html", "<form action=\"vbscript:{{ query.v }}\"></form>"),
        ("html", "<iframe src=\"data:text/html,{{ query.v }}\"></iframe>"),
        ("html", "<object data='data:{{ query.v }}'></object>"),
        ("html", "<!--><script>'{{ query.v }}'</script>-->"),
        ("html", "<!-- --!><script>'{{ query.v }}'</script>-->"),
        ("xml", "<a x={{ query.v }}/>"),
        ("xml", "<a {{ query.v }}='x'/>"),
        ("xml", "<{{ query.v }}/>"),
        ("xml", "<a><!-- {{ query.v }} --></a>"),
        ("xml", "<?xml version=\"{{ query.v }}\"?><a/>"),
        ("xml", "<!DOCTYPE {{ query.v }}><a/>"),
        ("xml", "<a onclick=\"{{ query.v }}\"/>"),
        ("xml", "<a style=\"{{ query.v }}\"/>"),
        ("xml", "<a href=\"javascript:{{ query.v }}\"/>"),
        ("xml", "<a href=\"{{ query.v }}:x\"/>"),
        ("xml", "<x:script>{{ query.v }}</x:script>"),
        ("xml", "<x:style>{{ query.v }}</x:style>"),
    ] {
        let folder = Folder::new();
        folder.unpack(&format!(
            "-- site.toml --\n-- routes/x.toml --\nlayout = \"x.{name}\"\nquery.v = {{}}\n-- layouts/x.{name} --\n{markup}\n"
        ));
        let output =
            binary().arg("--config").arg(folder.path().join("site.toml")).arg("check").output().expect("the binary");
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{markup}: {text}");
        assert!(text.contains("layout/unsafe-place") || text.contains("layout/branch-context"), "{markup}: {text}");
    }
}
