//! What languages look like, and that no text can do harm: nothing is lost, everything is escaped, the time is linear.

use super::*;
use proptest::prelude::*;

/// The tokens of `code`, as `[class text]`.
fn tokens(language: &str, code: &str) -> String {
    let mut html = String::new();
    write(code, find(language).unwrap(), &mut Budget::default(), &mut html);
    let marked = html.replace("<span class=\"hl-", "[").replace("\">", " ").replace("</span>", "]");
    unescaped(&marked)
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// What is left of `html` when its spans are taken away.
fn text_of(html: &str) -> String {
    let mut out = String::new();
    for (number, part) in html.split('<').enumerate() {
        if number == 0 {
            out.push_str(part);
            continue;
        }
        let (tag, text) = part.split_once('>').unwrap();
        let known = tag == "/span" || Class::ALL.iter().any(|class| tag == format!("span class=\"{}\"", class.name()));
        assert!(known, "<{tag}>");
        out.push_str(text);
    }
    unescaped(&out)
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn languages() {
    let mut wrong = Vec::new();
    for (language, code, expected) in [
        ("rust", "fn main() {", "[keyword fn] [function main]() {"),
        ("rust", "let x: &'a str = r#\"a\"b\"#;", "[keyword let] x: &[variable 'a] [type str] = [string r#\"a\"b\"#];"),
        (
            "rust",
            "'\\n' 'é' 1_000u32 0..10 1.5e-3",
            "[string '\\n'] [string 'é'] [number 1_000u32] [number 0]..[number 10] [number 1.5e-3]",
        ),
        ("rust", "#[derive(A)]\nvec![1] // b", "[meta #[derive(A)]]\n[function vec!][[number 1]] [comment // b]"),
        (
            "rust",
            "/* a /* b */ c */ Vec<u8> MAX b\"x\"",
            "[comment /* a /* b */ c */] [type Vec]<[type u8]> [constant MAX] [string b\"x\"]",
        ),
        (
            "js",
            "const a = /[/]\\/x/gi.test(b) / 2;",
            "[keyword const] a = [string /[/]\\/x/gi].[function test](b) / [number 2];",
        ),
        (
            "ts",
            "let a: string = `x ${b}\ny`; // c",
            "[keyword let] a: [type string] = [string `x ${b}\ny`]; [comment // c]",
        ),
        ("js", "a.default; await f(null)", "a.default; [keyword await] [function f]([constant null])"),
        (
            "python",
            "@a.b\ndef f(x):\n  \"\"\"d\n\"\"\"\n  return f'{x}' # c",
            "[meta @a.b]\n[keyword def] [function f](x):\n  [string \"\"\"d\n\"\"\"]\n  [keyword return] [string f'{x}'] [comment # c]",
        ),
        (
            "json",
            "{\"a\": [1, -2.5e+3, true], \"b\" : \"c\"}",
            "{[key \"a\"]: [[number 1], -[number 2.5e+3], [constant true]], [key \"b\"] : [string \"c\"]}",
        ),
        ("go", "func f() { x := `a\\` }", "[keyword func] [function f]() { x := [string `a\\`] }"),
        (
            "sql",
            "SELECT count(*) FROM t WHERE a = 'it''s' -- b",
            "[keyword SELECT] [function count](*) [keyword FROM] t [keyword WHERE] a = [string 'it''s'] [comment -- b]",
        ),
        (
            "bash",
            "cd a && ls -l \"$b\" | grep 'c' # d",
            "[function cd] a && [function ls] [key -l] [string \"$b\"] | [function grep] [string 'c'] [comment # d]",
        ),
        (
            "bash",
            "if [ -n \"$x\" ]; then\n  A=1 ${B}#c\nfi",
            "[keyword if] [function [] [key -n] [string \"$x\"] ]; [keyword then]\n  [variable A]=[number 1] [variable ${B}]#c\n[keyword fi]",
        ),
        (
            "bash",
            "for f in *.md; do echo $f; done",
            "[keyword for] f [keyword in] *.md; [keyword do] [function echo] [variable $f]; [keyword done]",
        ),
        (
            "toml",
            "# a\n[b.\"c\"]  # d\ne.f = \"g\"\nh = [1, true]\n",
            "[comment # a]\n[heading [b.\"c\"]]  [comment # d]\n[key e.f] = [string \"g\"]\n[key h] = [[number 1], [constant true]]\n",
        ),
        (
            "toml",
            "a = [\n  [1],\n]\nb = { c = 2026-03-05, \"d\" = '''\ne''' }",
            "[key a] = [\n  [[number 1]],\n]\n[key b] = { [key c] = [number 2026-03-05], [key \"d\"] = [string '''\ne'''] }",
        ),
        ("ini", "; a\n[b]\nc = d", "[comment ; a]\n[heading [b]]\n[key c] = d"),
        (
            "yaml",
            "---\na: b # c\nd:\n  - e: 1\n    'f': [g, true]",
            "[meta ---]\n[key a]: b [comment # c]\n[key d]:\n  - [key e]: [number 1]\n    [key 'f']: [g, [constant true]]",
        ),
        (
            "yaml",
            "- run: |\n    a: b\n\n  c: &d *e",
            "- [key run]: [meta |]\n[string     a: b]\n\n  [key c]: [variable &d] [variable *e]",
        ),
        (
            "css",
            "a:hover, .b #c { color: #fff; --d: 1.5rem } /* e */",
            "[tag a][meta :hover], [tag .b] [tag #c] { [key color]: [number #fff]; [variable --d]: [number 1.5rem] } [comment /* e */]",
        ),
        (
            "css",
            "@media (min-width: 56rem) { a { x: var(--y) !important; } }",
            "[keyword @media] (min-width: [number 56rem]) { [tag a] { [key x]: [function var]([variable --y]) [keyword !important]; } }",
        ),
        (
            "html",
            "<!-- a --><p class=\"b\" hidden>c &amp; d</p>",
            "[comment <!-- a -->][tag <p] [key class]=[string \"b\"] [key hidden][tag >]c [constant &amp;] d[tag </p>]",
        ),
        ("html", "<script>let a = 1</script><br/>", "[tag <script>][keyword let] a = [number 1][tag </script><br/>]"),
        ("html", "<style>a { b: c }</STYLE>", "[tag <style>a] { [key b]: c }[tag </STYLE>]"),
        (
            "xml",
            "<?xml version=\"1.0\"?><a:b c='d'/><![CDATA[<e>]]>",
            "[meta <?xml version=\"1.0\"?>][tag <a:b] [key c]=[string 'd'][tag />][meta <![CDATA[<e>]]>]",
        ),
        (
            "liquid",
            "{% for a in b limit: 2 -%}{{ a.c | default: \"d\" }}",
            "[meta {%] [keyword for] [variable a] [keyword in] [variable b] [key limit]: [number 2] [meta -%}{{] [variable a.c] | [function default]: [string \"d\"] [meta }}]",
        ),
        (
            "liquid",
            "<a href=\"{{ b }}/c\">{% # d %}{% comment %}{{ e }}{% endcomment %}",
            "[tag <a] [key href]=[string \"][meta {{] [variable b] [meta }}][string /c\"][tag >][meta {%] [comment # d ][meta %}{%] [keyword comment] [meta %}][comment {{ e }}][meta {%] [keyword endcomment] [meta %}]",
        ),
        (
            "liquid",
            "{% liquid\n  assign a = 1\n  # b\n%}",
            "[meta {%] [keyword liquid]\n  [keyword assign] [variable a] = [number 1]\n  [comment # b]\n[meta %}]",
        ),
        (
            "diff",
            "--- a\n+++ b\n@@ -1 +1 @@\n-c\n+d\n e",
            "[heading --- a]\n[heading +++ b]\n[meta @@ -1 +1 @@]\n[deleted -c]\n[inserted +d]\n e",
        ),
        (
            "http",
            "GET /a HTTP/1.1\nHost: b\n\n{\"c\": 1}",
            "[keyword GET ]/a [meta HTTP/1.1]\n[key Host]: b\n\n{[key \"c\"]: [number 1]}",
        ),
        ("http", "HTTP/1.1 200 OK\n", "[meta HTTP/1.1 ][number 200 ]OK\n"),
        ("console", "$ ls -l\na.md\n", "[meta $] [function ls] [key -l]\na.md\n"),
        (
            "md",
            "+++\na = 1\n+++\n# b\n- `c` [d](e)\n```js\nnull\n```\n",
            "[meta +++]\n[key a] = [number 1]\n[meta +++]\n[heading # b]\n[meta -] [string `c`] [d]([variable e])\n[meta ```js]\n[constant null]\n[meta ```]\n",
        ),
        (
            "c",
            "#include <a.h>\nint main(void) { return 'x'; }",
            "[meta #include <a.h>]\n[type int] [function main]([type void]) { [keyword return] [string 'x']; }",
        ),
        ("dockerfile", "FROM a AS b\nRUN c $D", "[keyword FROM] a [keyword AS] b\n[keyword RUN] c [variable $D]"),
    ] {
        let found = tokens(language, code);
        if found != expected {
            wrong.push(format!("{language}:\n{found}\ninstead of\n{expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn names_are_found_in_any_case_and_only_once() {
    assert_eq!(find("Rust").map(|language| language.title), Some("Rust"));
    assert!(find("nonsense").is_none() && find("").is_none());
    let mut names: Vec<_> = LANGUAGES.iter().flat_map(|language| language.names).collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(names.iter().all(|name| name.to_lowercase() == **name));
}

#[test]
fn what_is_unknown_or_beyond_the_budget_is_plain() {
    assert_eq!(
        block("a < b", "nonsense"),
        "<pre class=\"highlight\" tabindex=\"0\"><code class=\"language-nonsense\">a &lt; b</code></pre>"
    );
    assert_eq!(block("<", ""), "<pre class=\"highlight\" tabindex=\"0\"><code>&lt;</code></pre>");
    assert!(block("", "\"><script>").contains("class=\"language-&quot;&gt;&lt;script&gt;\""));
    let long = "1 ".repeat(LONGEST_CODE);
    let html = block(&long, "js");
    assert!(!html.contains("span") && html.len() < long.len() + 100);
    let html = block(&"1 ".repeat(100_000), "js");
    assert_eq!(html.matches("<span").count(), MOST_SPANS);
    assert_eq!(html.matches("</span>").count(), MOST_SPANS);
    let mut budget = Budget::new(1);
    let mut out = String::new();
    write("1 2", find("js").unwrap(), &mut budget, &mut out);
    write("3", find("js").unwrap(), &mut budget, &mut out);
    assert_eq!(out, "<span class=\"hl-number\">1</span> 23");
}

/// Pieces that open what others close.
const PIECES: &[&str] = &[
    "\"",
    "'",
    "`",
    "\"\"\"",
    "'''",
    "/",
    "//",
    "/*",
    "*/",
    "\\",
    "#",
    "#[",
    "]",
    "[",
    "{",
    "}",
    "{{",
    "}}",
    "{%",
    "%}",
    "{% comment %}",
    "{% endcomment",
    "{% raw %}",
    "(",
    ")",
    "<",
    ">",
    "<!--",
    "-->",
    "<a ",
    "</",
    "<script>",
    "</script",
    "<style>",
    "=",
    ":",
    ";",
    ",",
    ".",
    "&",
    "&amp;",
    "|",
    "|\n",
    "- ",
    "> ",
    "$",
    "${",
    "$(",
    "@",
    "!",
    "r#\"",
    "b'",
    "é",
    "\u{1F600}",
    "\n",
    "\r\n",
    "\t",
    " ",
    "  ",
    "a",
    "A",
    "fn ",
    "1",
    "0x",
    "1e-",
    "```",
    "```js\n",
    "~~~",
    "+++\n",
    "---\n",
    "- a: |\n  b\n",
    "*",
    "_",
    "--",
    "--[[",
    "GET / HTTP/1.1\n",
    "](",
    "`` ",
    "@@",
    "+",
    "-",
    "%",
    "\0",
    "\u{c}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_everything_is_escaped(
        parts in prop::collection::vec(prop::sample::select(PIECES), 0..40),
        more in ".{0,20}",
        which in 0..LANGUAGES.len(),
    ) {
        let code = parts.concat() + &more;
        let mut html = String::new();
        write(&code, &LANGUAGES[which], &mut Budget::default(), &mut html);
        prop_assert_eq!(text_of(&html), code);
        prop_assert_eq!(html.matches("<span").count(), html.matches("</span>").count());
    }
}

#[test]
fn a_dash_before_no_end_is_kept() {
    for code in ["{{<!--", "{% if a -", "{{-"] {
        let mut html = String::new();
        write(code, find("liquid").unwrap(), &mut Budget::default(), &mut html);
        assert_eq!(text_of(&html), code);
    }
}

/// Text that repeats anything is read in a time that grows with its length. A lexer that looks ahead to the end of the text
/// from each of its tokens would take minutes for this test, which takes less than a second.
#[test]
fn repetition_costs_no_more_than_length() {
    for language in LANGUAGES {
        for piece in PIECES {
            let code = piece.repeat(30_000 / piece.len());
            let mut html = String::new();
            write(&code, language, &mut Budget::default(), &mut html);
            assert!(html.len() >= code.len());
        }
    }
}
