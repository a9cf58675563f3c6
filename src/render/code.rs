//! The findings of this floor.

use crate::diagnostic::codes;

codes! {
    /// A tag that does not exist.
    ///
    /// Nothing would be printed for it, so it is refused. The tags are those of Liquid; the reference lists them.
    ///
    /// Correct the spelling. What another template language has as a tag is often a filter here: `{{ '/docs' | absolute_url }}`.
    UNKNOWN_TAG = Error "layout/unknown-tag"
        help "`{% … %}` takes a tag of Liquid: `if`, `for`, `assign`, `render`; the reference lists them all";

    /// A filter that does not exist.
    ///
    /// Its input would be printed unchanged, which looks right until it does not, so it is refused.
    ///
    /// Correct the spelling; the reference lists all filters with their arguments.
    UNKNOWN_FILTER = Error "layout/unknown-filter"
        help "the reference lists all filters with their arguments";

    /// A filter with too few or too many arguments, with a named argument that it does not have, or with a value that is of no use to it.
    ///
    /// A missing argument would count as `nil`, and one too many would be ignored; division by zero prints nothing. A language or a directive
    /// of `date` that nobody knows is a warning: the code is shown without colours, the directive as it was written.
    ///
    /// Arguments follow a colon and are separated by commas: `{{ text | replace: "a", "b" }}`.
    FILTER_ARGUMENTS = Error "layout/filter-arguments"
        help "arguments follow a colon, separated by commas: `{{ text | replace: \"a\", \"b\" }}`";

    /// A `{% if %}`, `{% for %}` or other block without its end tag, or `{{` without `}}`.
    ///
    /// Everything after it would belong to the block, up to the end of the page.
    ///
    /// Close it: `{% endif %}`, `{% endfor %}`. To print two braces as text, write `{% raw %}{{{% endraw %}`.
    UNCLOSED = Error "layout/unclosed"
        help "close it; what was opened last is closed first";

    /// An end tag, or an `else`, that closes nothing.
    ///
    /// Either its block is missing, or it stands within another block that must be closed first.
    ///
    /// Remove it, or move it behind the end of the inner block.
    STRAY_TAG = Error "layout/stray-tag"
        help "remove it, or move it to where its block is open";

    /// An expression or the words of a tag that cannot be read.
    ///
    /// It would be `nil`, and a condition false, without a word.
    ///
    /// Compare with `==`, not `=`; write text in quotes; a `for` is `{% for item in list %}`; there is no arithmetic: `{{ a | plus: 1 }}`.
    BAD_EXPRESSION = Error "layout/bad-expression";

    /// A field that `forloop` or `tablerowloop` does not have.
    ///
    /// It would print nothing, and a condition on it would never hold.
    ///
    /// The fields are `index`, `index0`, `rindex`, `rindex0`, `first`, `last` and `length`, for `forloop` also `name` and `parentloop`, for
    /// `tablerowloop` also `row`, `col`, `col0`, `col_first` and `col_last`.
    UNKNOWN_LOOP_FIELD = Error "layout/unknown-loop-field";

    /// Blocks or brackets inside each other beyond the limit.
    ///
    /// A layout that nests so deeply cannot be read by people either, and could exhaust the server.
    ///
    /// Move the inner blocks to a partial: `{% render "card", item: item %}`.
    TOO_DEEP = Error "layout/too-deep";

    /// A layout longer than a mebibyte, or with more parts than are compiled.
    ///
    /// Layouts are kept in memory whole and compiled at each load.
    ///
    /// Long texts belong in `content/`, lists of data into a source.
    TOO_LARGE = Error "layout/too-large"
        help "long texts belong in `content/`, lists of data into a source";

    /// `layout = "…"` in the front matter of a layout names a layout that does not exist.
    ///
    /// The inner layout would have nothing around it, and the page no head.
    ///
    /// The name is the path below `layouts/`, with its extension: `layout = "base.html"`.
    UNKNOWN_LAYOUT = Error "layout/unknown-layout"
        help "write the file below `layouts/`, or correct the name";

    /// Layouts that nest each other in a circle.
    ///
    /// Each would have to be finished before the other.
    ///
    /// Take `layout` out of the outermost one: it prints `{{ content }}`, and nothing is around it.
    LAYOUT_CYCLE = Error "layout/layout-cycle"
        help "take `layout` out of the front matter of the outermost one";

    /// `{% render %}` or `{% include %}` of a partial that does not exist.
    ///
    /// Partials stand below `layouts/partials/` and have the extension of the layout that calls them: in `page.html`,
    /// `{% render "card" %}` is `layouts/partials/card.html`.
    ///
    /// Correct the name, or write the file.
    UNKNOWN_PARTIAL = Error "layout/unknown-partial"
        help "write it below `layouts/partials/`, with the extension of this layout";

    /// The name of a partial that is not written as a string.
    ///
    /// What a layout reads must be known before it is rendered: its cache key, its privacy and its sources follow from it.
    ///
    /// Choose by a condition, and write each name out:
    ///
    /// ```liquid
    /// {% if item.video %}{% render "video", item: item %}{% else %}{% render "image", item: item %}{% endif %}
    /// ```
    PARTIAL_NAME = Error "layout/partial-name";

    /// Partials that call each other in a circle, or deeper than the limit.
    ///
    /// A page must come to an end whatever the data.
    ///
    /// Use a loop instead of a partial that calls itself.
    PARTIAL_CYCLE = Error "layout/partial-cycle"
        help "use a loop instead of a partial that calls itself";

    /// A member of a scope that is computed: `cookies[name]`, with a name known only at request time.
    ///
    /// What a page reads of a request is part of its cache key. If it were known only while the page is made, a page could be stored and
    /// shown to somebody else.
    ///
    /// Write the name out: `{{ cookies.theme }}`, and declare it: `[cookies.theme]`.
    DYNAMIC_LOOKUP = Error "layout/dynamic-lookup";

    /// An output where no escaping makes data safe: in a script, a style, an `on…` attribute, an attribute without quotes, a comment, or in
    /// the place of a name.
    ///
    /// Whoever controls the value could run a script in the page of somebody else.
    ///
    /// Put quotes around attributes. Hand data to scripts as JSON, or in a `data-…` attribute:
    ///
    /// ```liquid
    /// <script type="application/json" id="data">{{ repo | json }}</script>
    /// <div data-name="{{ repo.name }}"></div>
    /// ```
    UNSAFE_PLACE = Error "layout/unsafe-place";

    /// A value in an attribute that a library runs as code: `x-…`, `@…` and `:…` of Alpine, `v-…` of Vue, `hx-on…` and `hx-vals="js:…"` of
    /// htmx, `(…)` and `[…]` of Angular.
    ///
    /// A browser takes such an attribute for a text, so the value is escaped as one. The library reads the text behind that and runs it: a
    /// quote in the value ends a string of the code.
    ///
    /// Write the value as JSON where the code has an expression, without quotes around it, or put it in an attribute of its own:
    ///
    /// ```liquid
    /// <div x-data='{ name: {{ name | json }} }'></div>
    /// <div x-data="{ name: $el.dataset.name }" data-name="{{ name }}"></div>
    /// ```
    ///
    /// What `x-html`, `v-html`, `[innerHTML]`, `:href`, `:src` and their kin are given may be markup or a script, whatever form it has. Write
    /// such a value where the layout escapes it: between tags, or in a plain `href`.
    RUN_BY_LIBRARY = Warning "layout/run-by-library"
        help "write `| json` without quotes around it, or put the value in a `data-…` attribute and read it from there";

    /// A string that holds a piece of a tag: one that it begins and does not end, or the reverse.
    ///
    /// What is put together of pieces while a page is made has no structure that is known before. Such a string is a text like any other:
    /// its `<` is printed as `&lt;`.
    ///
    /// Write the tag in the layout itself, or capture it whole:
    ///
    /// ```liquid
    /// {% capture link %}<a href="{{ url }}">{{ name }}</a>{% endcapture %}
    /// ```
    PIECE_OF_MARKUP = Warning "layout/piece-of-markup"
        help "write the tag in the layout itself, or whole within `{% capture %}`";

    /// The branches of a block end in different places of the markup, one within a tag and another outside it.
    ///
    /// What follows stands in an attribute or in text depending on the data, so it cannot be escaped for where it stands.
    ///
    /// Open and close tags and quotes within the same branch:
    ///
    /// ```liquid
    /// <a href="{{ url }}"{% if current %} aria-current="page"{% endif %}>
    /// ```
    BRANCH_CONTEXT = Error "layout/branch-context";
}
