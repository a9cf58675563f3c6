//! Examples of the specifications, what documentation needs beyond them, and hostile texts.

use super::*;
use proptest::prelude::*;

fn document(text: &str) -> Rendered {
    render(text, &Options::document(), None).unwrap()
}

fn html(text: &str) -> String {
    document(text).html
}

fn untrusted(text: &str) -> String {
    render(text, &Options::untrusted(), None).unwrap().html
}

/// Of each section of `CommonMark` 0.31.2 some examples, which must come out byte for byte.
#[test]
fn common_mark() {
    for (text, expected) in [
        ("\tfoo\tbaz\t\tbim\n", "<pre><code>foo\tbaz\t\tbim\n</code></pre>\n"),
        ("  - foo\n\n\tbar\n", "<ul>\n<li>\n<p>foo</p>\n<p>bar</p>\n</li>\n</ul>\n"),
        (
            "\\!\\\"\\#\\$\\%\\&\\'\\(\\)\\*\\+\\,\\-\\.\\/\\:\\;\\<\\=\\>\\?\\@\\[\\\\\\]\\^\\_\\`\\{\\|\\}\\~\n",
            "<p>!&quot;#$%&amp;'()*+,-./:;&lt;=&gt;?@[\\]^_`{|}~</p>\n",
        ),
        (
            "<https://example.com?find=\\*>\n",
            "<p><a href=\"https://example.com?find=%5C*\">https://example.com?find=\\*</a></p>\n",
        ),
        ("&nbsp; &amp; &copy; &AElig; &Dcaron;\n", "<p>\u{a0} &amp; © Æ Ď</p>\n"),
        ("&#35; &#1234; &#992; &#0;\n", "<p># Ӓ Ϡ \u{fffd}</p>\n"),
        ("- `one\n- two`\n", "<ul>\n<li>`one</li>\n<li>two`</li>\n</ul>\n"),
        ("***\n---\n___\n", "<hr />\n<hr />\n<hr />\n"),
        ("- foo\n***\n- bar\n", "<ul>\n<li>foo</li>\n</ul>\n<hr />\n<ul>\n<li>bar</li>\n</ul>\n"),
        ("# foo\n####### foo\n", "<h1>foo</h1>\n<p>####### foo</p>\n"),
        ("## foo ##\n  ###   bar    ###\n", "<h2>foo</h2>\n<h3>bar</h3>\n"),
        ("Foo *bar*\n=========\n\nFoo\n---\n", "<h1>Foo <em>bar</em></h1>\n<h2>Foo</h2>\n"),
        ("    a simple\n      indented code block\n", "<pre><code>a simple\n  indented code block\n</code></pre>\n"),
        ("```\n<\n >\n```\n", "<pre><code>&lt;\n &gt;\n</code></pre>\n"),
        ("~~~~    ruby startline=3 $%@#$\ndef\n~~~~~~~\n", "<pre><code class=\"language-ruby\">def\n</code></pre>\n"),
        ("````;\n````\n", "<pre><code class=\"language-;\"></code></pre>\n"),
        ("<div>\n*hello*\n\n*a*\n</div>\n", "<div>\n*hello*\n<p><em>a</em></p>\n</div>\n"),
        ("- <div>\n- foo\n", "<ul>\n<li>\n<div>\n</li>\n<li>foo</li>\n</ul>\n"),
        ("[foo]: /url \"title\"\n\n[foo]\n", "<p><a href=\"/url\" title=\"title\">foo</a></p>\n"),
        ("> # Foo\n> bar\n> baz\n", "<blockquote>\n<h1>Foo</h1>\n<p>bar\nbaz</p>\n</blockquote>\n"),
        (">\n", "<blockquote>\n</blockquote>\n"),
        ("10) foo\n    - bar\n", "<ol start=\"10\">\n<li>foo\n<ul>\n<li>bar</li>\n</ul>\n</li>\n</ol>\n"),
        ("- foo\n-\n- bar\n", "<ul>\n<li>foo</li>\n<li></li>\n<li>bar</li>\n</ul>\n"),
        (
            "* a\n  > b\n  ```\n  c\n  ```\n* d\n",
            "<ul>\n<li>a\n<blockquote>\n<p>b</p>\n</blockquote>\n<pre><code>c\n</code></pre>\n</li>\n<li>d</li>\n</ul>\n",
        ),
        ("`` foo ` bar ``\n", "<p><code>foo ` bar</code></p>\n"),
        ("**foo *bar **baz** bim* bop**\n", "<p><strong>foo <em>bar <strong>baz</strong> bim</em> bop</strong></p>\n"),
        ("foo***bar***baz\n", "<p>foo<em><strong>bar</strong></em>baz</p>\n"),
        ("[link](</my uri>)\n", "<p><a href=\"/my%20uri\">link</a></p>\n"),
        ("[link](foo%20b&auml;)\n", "<p><a href=\"foo%20b%C3%A4\">link</a></p>\n"),
        ("[a](url &quot;tit&quot;)\n", "<p>[a](url &quot;tit&quot;)</p>\n"),
        (
            "![foo *bar*](train.jpg \"train & tracks\")\n",
            "<p><img src=\"train.jpg\" alt=\"foo bar\" title=\"train &amp; tracks\" /></p>\n",
        ),
        ("![[[foo](uri1)](uri2)](uri3)\n", "<p><img src=\"uri3\" alt=\"[foo](uri2)\" /></p>\n"),
        ("<foo@bar.example.com>\n", "<p><a href=\"mailto:foo@bar.example.com\">foo@bar.example.com</a></p>\n"),
        ("<a foo=\"bar\" bam = 'baz' /> <!-- c -->\n", "<p><a foo=\"bar\" bam = 'baz' /> <!-- c --></p>\n"),
        ("foo  \nbaz\\\nbar\n", "<p>foo<br />\nbaz<br />\nbar</p>\n"),
        ("hello $.;'there\n", "<p>hello $.;'there</p>\n"),
        ("https://example.com ~~a~~ [^1]\n\n[^1]: b\n", "<p>https://example.com ~~a~~ <a href=\"b\">^1</a></p>\n"),
        ("| a |\n| - |\n", "<p>| a |\n| - |</p>\n"),
    ] {
        assert_eq!(render(text, &Options::common_mark(), None).unwrap().html, expected, "{text}");
    }
}

#[test]
fn github_s_extensions() {
    for (text, expected) in [
        (
            "| a | b | c | d |\n|:-:|--:|:--|---|\n| *1* | 2 | 3\n",
            "<table>\n<thead>\n<tr>\n<th align=\"center\">a</th>\n<th align=\"right\">b</th>\n<th align=\"left\">c</th>\n\
             <th>d</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td align=\"center\"><em>1</em></td>\n<td align=\"right\">2</td>\n\
             <td align=\"left\">3</td>\n<td></td>\n</tr>\n</tbody>\n</table>\n",
        ),
        ("| a |\n| - |\n", "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n</table>\n"),
        ("~~Hi~~ Hello\n", "<p><del>Hi</del> Hello</p>\n"),
        (
            "- [ ] foo\n- [x] bar\n",
            "<ul>\n<li><input type=\"checkbox\" disabled=\"\" aria-label=\"Done\" /> foo</li>\n\
             <li><input type=\"checkbox\" checked=\"\" disabled=\"\" aria-label=\"Done\" /> bar</li>\n</ul>\n",
        ),
        (
            "Visit www.commonmark.org/a_b_c, `www.x.y` or [http://a.b](/c).\n",
            "<p>Visit <a href=\"http://www.commonmark.org/a_b_c\">www.commonmark.org/a_b_c</a>, <code>www.x.y</code> \
             or <a href=\"/c\">http://a.b</a>.</p>\n",
        ),
        (
            "https://a.b/?q=\"x\" & foo@bar.baz\n",
            "<p><a href=\"https://a.b/?q=%22x\">https://a.b/?q=&quot;x</a>&quot; &amp; \
             <a href=\"mailto:foo@bar.baz\">foo@bar.baz</a></p>\n",
        ),
        (
            "&lt;https://a.b/c&gt;, 見http://a.b&copy;.\n",
            "<p>&lt;<a href=\"https://a.b/c\">https://a.b/c</a>&gt;, 見<a href=\"http://a.b\">http://a.b</a>©.</p>\n",
        ),
        (
            "- [ ]\n- [x] \n",
            "<ul>\n<li>[ ]</li>\n<li><input type=\"checkbox\" checked=\"\" disabled=\"\" aria-label=\"Done\" /> </li>\n</ul>\n",
        ),
        (
            "> [!WARNING]\n> Hot.\n",
            "<div class=\"markdown-alert markdown-alert-warning\">\n<p class=\"markdown-alert-title\">Warning</p>\n\
             <p>Hot.</p>\n</div>\n",
        ),
        ("Term\n: Meaning\n", "<dl>\n<dt>Term</dt>\n<dd>Meaning</dd>\n</dl>\n"),
        (
            "```rust,ignore\n```\n",
            "<pre class=\"highlight\" tabindex=\"0\"><code class=\"language-rust\"></code></pre>\n",
        ),
        ("```nonsense\n<\n```\n", "<pre tabindex=\"0\"><code class=\"language-nonsense\">&lt;\n</code></pre>\n"),
    ] {
        assert_eq!(html(text), expected, "{text}");
    }
    let filtered = Options { tag_filter: true, ..Options::common_mark() };
    assert_eq!(
        render(
            "<strong> <title> <style> <em>\n\n<blockquote>\n  <xmp> is </XMP > <titles>\n</blockquote>\n",
            &filtered,
            None
        )
        .unwrap()
        .html,
        "<p><strong> &lt;title> &lt;style> <em></p>\n<blockquote>\n  &lt;xmp> is &lt;/XMP > <titles>\n</blockquote>\n"
    );
}

#[test]
fn footnotes_are_collected_at_the_end_with_ways_back() {
    let text = "One[^b], two[^a], one again[^B].\n\n[^a]: First.\n\n[^b]: Second.\n\n    More.\n\n[^c]: Never called.\n\nEnd[^none].\n";
    let expected = "<p>One<sup class=\"footnote-ref\"><a href=\"#fn-b\" id=\"fnref-b\" data-footnote-ref>1</a></sup>, \
        two<sup class=\"footnote-ref\"><a href=\"#fn-a\" id=\"fnref-a\" data-footnote-ref>2</a></sup>, \
        one again<sup class=\"footnote-ref\"><a href=\"#fn-b\" id=\"fnref-b-2\" data-footnote-ref>1</a></sup>.</p>\n\
        <p>End[^none].</p>\n\
        <section class=\"footnotes\" data-footnotes>\n<ol>\n<li id=\"fn-b\">\n<p>Second.</p>\n<p>More. \
        <a href=\"#fnref-b\" class=\"footnote-backref\" data-footnote-backref data-footnote-backref-idx=\"1\" \
        aria-label=\"Back to reference 1\">↩</a> \
        <a href=\"#fnref-b-2\" class=\"footnote-backref\" data-footnote-backref data-footnote-backref-idx=\"1-2\" \
        aria-label=\"Back to reference 1-2\">↩<sup class=\"footnote-ref\">2</sup></a></p>\n</li>\n\
        <li id=\"fn-a\">\n<p>First. \
        <a href=\"#fnref-a\" class=\"footnote-backref\" data-footnote-backref data-footnote-backref-idx=\"2\" \
        aria-label=\"Back to reference 2\">↩</a></p>\n</li>\n</ol>\n</section>\n";
    assert_eq!(html(text), expected);
}

#[test]
fn headings_have_ids_and_make_the_table_of_contents() {
    let rendered = document(
        "# The `title` & *more*\n\nFirst\nparagraph.\n\n## A {#own .c k=v}\n\n## A\n\n### A\n\n> ## In a quote\n",
    );
    assert_eq!(
        rendered.html,
        "<h1 id=\"the-title--more\">The <code>title</code> &amp; <em>more</em></h1>\n<p>First\nparagraph.</p>\n\
         <h2 id=\"own\" class=\"c\" k=\"v\">A</h2>\n<h2 id=\"a\">A</h2>\n<h3 id=\"a-1\">A</h3>\n\
         <blockquote>\n<h2 id=\"in-a-quote\">In a quote</h2>\n</blockquote>\n"
    );
    let toc: Vec<_> = rendered.toc.iter().map(|one| (one.level, one.id.as_str(), one.title.as_str())).collect();
    assert_eq!(
        toc,
        [
            (1, "the-title--more", "The title & more"),
            (2, "own", "A"),
            (2, "a", "A"),
            (3, "a-1", "A"),
            (2, "in-a-quote", "In a quote"),
        ]
    );
    assert_eq!(rendered.title.as_deref(), Some("The title & more"));
    assert_eq!(rendered.description.as_deref(), Some("First paragraph."));
}

#[test]
fn the_description_is_the_first_paragraph_with_text() {
    for (text, description) in [
        ("- a list\n\n> a quote\n\nThe *first* `one`.\n\nNot this.", Some("The first one.")),
        ("![image](a.png)\n\nText with <b>tags</b> and www.a.b.", Some("Text with tags and www.a.b.")),
        ("# Only a heading", None),
    ] {
        assert_eq!(document(text).description.as_deref(), description, "{text}");
    }
}

#[test]
fn links_are_told_and_can_be_led_elsewhere() {
    let text = "[a](b.md#c) ![d](e.png) [f][g] <https://h.i> https://j.k\n\n[g]: l.md\n";
    let resolve = |link: &Link| link.destination.strip_suffix(".md").map(|page| format!("/docs/{page}?x&y"));
    let rendered = render(text, &Options::document(), Some(&resolve)).unwrap();
    assert!(rendered.html.contains("<a href=\"/docs/l?x&amp;y\">f</a>"), "{}", rendered.html);
    assert!(rendered.html.contains("<a href=\"b.md#c\">a</a> <img src=\"e.png\" alt=\"d\" />"), "{}", rendered.html);
    let links: Vec<_> =
        rendered.links.iter().map(|link| (link.destination.as_str(), link.image, &text[link.range.clone()])).collect();
    assert_eq!(
        links,
        [
            ("b.md#c", false, "[a](b.md#c)"),
            ("e.png", true, "![d](e.png)"),
            ("l.md", false, "[f][g]"),
            ("https://j.k", false, "https://j.k"),
        ]
    );
}

#[test]
fn what_comes_from_outside_is_sanitised() {
    for (text, expected) in [
        ("<script>alert(1)</script>\n\n**a**", "\n<p><strong>a</strong></p>\n"),
        ("[a](javascript:alert(1))", "<p><a rel=\"noopener noreferrer\">a</a></p>\n"),
        ("<b onclick=x>a</b> <img src=x onerror=y>", "<p><b>a</b> <img src=\"x\" /></p>\n"),
        ("# Title {#main}", "<h1>Title {#main}</h1>\n"),
        (
            "```rust\nlet a = <b>;\n```\n<span class=\"hl-key x\">c</span>",
            "<pre class=\"highlight\" tabindex=\"0\"><code class=\"language-rust\"><span class=\"hl-keyword\">let</span> a = &lt;b&gt;;\n</code></pre>\n\
             <p><span class=\"hl-key\">c</span></p>\n",
        ),
        (
            "- [x] a",
            "<ul>\n<li><input type=\"checkbox\" disabled=\"\" aria-label=\"Done\" checked=\"\" /> a</li>\n</ul>\n",
        ),
        ("| a |\n|:-:|\n", "<table>\n<thead>\n<tr>\n<th align=\"center\">a</th>\n</tr>\n</thead>\n</table>\n"),
    ] {
        assert_eq!(untrusted(text), expected, "{text}");
    }
    let notes = untrusted("a[^1]\n\n[^1]: b\n");
    assert!(
        notes.contains("href=\"#user-content-fn-1\"") && notes.contains("<li id=\"user-content-fn-1\">"),
        "{notes}"
    );
}

#[test]
fn code_from_outside_has_so_many_colours_and_no_more() {
    let text = format!("```json\n[{}]\n```\n", "1,".repeat(60_000));
    let html = untrusted(&text);
    assert_eq!(html.matches("<span").count(), MOST_SPANS);
    let two = format!("{text}\n{text}");
    assert_eq!(untrusted(&two).matches("<span").count(), MOST_SPANS);
    assert_eq!(render(&two, &Options::document(), None).unwrap().html.matches("<span").count(), 120_000);
    assert!(!render(&text, &Options::common_mark(), None).unwrap().html.contains("span"));
}

#[test]
fn hostile_texts_end() {
    assert_eq!(render(&">".repeat(10_000), &Options::document(), None), Err(MarkdownError::TooDeep));
    assert_eq!(render(&"x".repeat(LONGEST_MARKDOWN + 1), &Options::document(), None), Err(MarkdownError::TooLong));
    for text in [
        "[".repeat(50_000),
        "*a **b ".repeat(10_000),
        "[^a]".repeat(10_000) + "\n\n[^a]: b[^a]\n",
        "# a\n".repeat(10_000),
        "a@".repeat(50_000),
        "http://".repeat(20_000),
        "www.".repeat(20_000),
        "(www.a_b".repeat(50_000),
        "\\_www.".repeat(50_000),
        "a:".repeat(50_000),
        "https://a.b/".to_owned() + &";".repeat(50_000),
        "https://a.b/".to_owned() + &"&a;".repeat(30_000),
        "<div>".repeat(20_000),
        "| a ".repeat(5_000) + "\n" + &"|-".repeat(5_000) + "\n",
        "![".repeat(20_000) + &"](a)".repeat(20_000),
    ] {
        for options in [Options::document(), Options::untrusted()] {
            let ended = render(&text, &options, None);
            assert!(ended.is_ok() || ended == Err(MarkdownError::TooDeep), "{text:.40}");
        }
    }
    let called = "[^a]".repeat(400_000) + "\n\n[^a]: b\n";
    assert_eq!(render(&called, &Options::document(), None).err(), Some(MarkdownError::TooLongOutput));
}

#[test]
fn lines_may_end_in_any_way() {
    let plain = |text: &str| render(text, &Options::common_mark(), None).unwrap().html;
    for (text, expected) in [
        ("``\r\nfoo\r\n``", "<p><code>foo</code></p>\n"),
        ("a\rb\r\rc", "<p>a\nb</p>\n<p>c</p>\n"),
        ("    foo", "<pre><code>foo\n</code></pre>\n"),
        ("\tfoo", "<pre><code>foo\n</code></pre>\n"),
        ("```\na", "<pre><code>a\n</code></pre>\n"),
        ("a\0b", "<p>a\u{fffd}b</p>\n"),
        ("", ""),
    ] {
        assert_eq!(plain(text), expected, "{text:?}");
    }
}

#[test]
fn inline_code_and_tags_go_on_after_what_begins_a_line() {
    for (text, expected) in [
        ("`foo\n    bar`", "<p><code>foo bar</code></p>\n"),
        ("``\n   foo \n  ``", "<p><code>foo </code></p>\n"),
        ("> `a\n>   b\n c`", "<blockquote>\n<p><code>a b c</code></p>\n</blockquote>\n"),
        ("> `a\n> b > c`", "<blockquote>\n<p><code>a b &gt; c</code></p>\n</blockquote>\n"),
        ("- > `a\n  >  b`", "<ul>\n<li>\n<blockquote>\n<p><code>a b</code></p>\n</blockquote>\n</li>\n</ul>\n"),
        ("> foo <!-- a --\n> b -->", "<blockquote>\n<p>foo <!-- a --\nb --></p>\n</blockquote>\n"),
        ("<a\n   b='c\n  d'>", "<p><a\nb='c\nd'></p>\n"),
        ("![`a\n  b`](c)", "<p><img src=\"c\" alt=\"a b\" /></p>\n"),
    ] {
        assert_eq!(render(text, &Options::common_mark(), None).unwrap().html, expected, "{text:?}");
    }
}

#[test]
fn places_of_links_are_those_of_the_text_as_it_was_written() {
    let text = "a\r\n\0 [b](c)\r\n\r\n\0\0 https://d.e\r![f](g)";
    let links = document(text).links;
    let places: Vec<_> = links.iter().map(|link| &text[link.range.clone()]).collect();
    assert_eq!(places, ["[b](c)", "https://d.e", "![f](g)"]);
}

#[test]
fn urls_are_read_before_emphasis_and_code() {
    let options = Options { autolinks: true, strikethrough: true, ..Options::common_mark() };
    let link = |url: &str| format!("<a href=\"{}\">{url}</a>", url.replace('`', "%60").replace('[', "%5B"));
    for (text, expected) in [
        ("https://a.b/*x*/y", format!("<p>{}</p>\n", link("https://a.b/*x*/y"))),
        ("http://a.b/~~x~~ ~~y~~", format!("<p>{}~~ <del>y</del></p>\n", link("http://a.b/~~x"))),
        ("*http://a.b/*c d*", format!("<p><em>{} d</em></p>\n", link("http://a.b/*c"))),
        ("**http://a.b/c_d**", format!("<p><strong>{}</strong></p>\n", link("http://a.b/c_d"))),
        ("http://a.b/`c d`", format!("<p>{} d`</p>\n", link("http://a.b/`c"))),
        ("http://a.b/[c x](d)", format!("<p>{} x](d)</p>\n", link("http://a.b/[c"))),
        (
            "`http://a.b/*c*` <http://d.e>",
            "<p><code>http://a.b/*c*</code> <a href=\"http://d.e\">http://d.e</a></p>\n".to_owned(),
        ),
        ("[http://a.b/*c*](d)", "<p><a href=\"d\">http://a.b/<em>c</em></a></p>\n".to_owned()),
        ("    http://a.b/*c*", "<pre><code>http://a.b/*c*\n</code></pre>\n".to_owned()),
        ("www. *a*", "<p>www. <em>a</em></p>\n".to_owned()),
    ] {
        assert_eq!(render(text, &options, None).unwrap().html, expected, "{text:?}");
    }
}

#[test]
fn a_lone_task_marker_is_text_and_its_item_goes_on() {
    let options = Options { task_lists: true, ..Options::common_mark() };
    for (text, expected) in [
        ("- [ ]\nfoo", "<ul>\n<li>[ ]\nfoo</li>\n</ul>\n"),
        ("- [x]\n  foo", "<ul>\n<li>[x]\nfoo</li>\n</ul>\n"),
        ("- [\t] foo", "<ul>\n<li>[\t] foo</li>\n</ul>\n"),
    ] {
        assert_eq!(render(text, &options, None).unwrap().html, expected, "{text:?}");
    }
}

#[test]
fn the_filter_of_tags_looks_at_names_alone() {
    let options = Options { tag_filter: true, ..Options::common_mark() };
    for (text, expected) in [
        ("a <!-- <script> --> <script>", "<p>a <!-- <script> --> &lt;script></p>\n"),
        ("<div></script</div>\n<script", "<div></script</div>\n&lt;script\n"),
    ] {
        assert_eq!(render(text, &options, None).unwrap().html, expected, "{text:?}");
    }
}

/// Each of these takes minutes if its parts are looked at more than a few times.
#[test]
fn long_texts_cost_what_they_are_long() {
    let deep = "- ".repeat(80_000) + &"a\n".repeat(80_000);
    assert_eq!(render(&deep, &Options::common_mark(), None), Err(MarkdownError::TooDeepForLength));
    for text in ["*a **a ", "[a](", "_a ", "~a ~~b "] {
        let text = text.repeat(1_400_000 / text.len());
        for options in [Options::document(), Options { autolinks: true, ..Options::common_mark() }] {
            assert!(render(&text, &options, None).is_ok(), "{text:.40}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_text_renders_to_balanced_markup(parts in prop::collection::vec(prop::sample::select(vec![
        "# ", "- ", "> ", "1. ", "\n", "\n\n", "    ", "*", "**", "_", "`", "```", "[", "](", ")", "![", "a", "b ", "é", "|", "\n|-|\n",
        "[^1]", "[^1]: ", "~~", ": ", "[!NOTE]", "[ ] ", "www.a.b", "http://a.b", "a@b.c", "\\", "&amp;", "\"", "{#x}", "\r\n",
    ]), 0..40)) {
        let text = parts.concat();
        let rendered = document(&text);
        let mut open = Vec::new();
        for tag in rendered.html.split('<').skip(1) {
            let name = tag.split([' ', '>', '/']).find(|name| !name.is_empty()).unwrap();
            if let Some(end) = tag.strip_prefix('/') {
                prop_assert_eq!(open.pop(), end.split('>').next(), "{}", rendered.html);
            } else if !["br", "hr", "img", "input"].contains(&name) {
                open.push(name);
            }
        }
        prop_assert!(open.is_empty(), "{}", rendered.html);
        let mut ids: Vec<_> = rendered.toc.iter().map(|heading| &heading.id).collect();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), rendered.toc.len());
        for link in &rendered.links {
            prop_assert!(text.get(link.range.clone()).is_some());
        }
    }
}
