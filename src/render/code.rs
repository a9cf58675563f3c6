//! The findings of this floor.

use crate::diagnostic::codes;

codes! {
    /// A tag that Liquid does not have. Nothing would be printed for it, so it is refused.
    UNKNOWN_TAG = Error "layout/unknown-tag";
    /// A filter that does not exist. Its input would be printed unchanged, so it is refused.
    UNKNOWN_FILTER = Error "layout/unknown-filter";
    /// A filter with too few or too many arguments, or with a named argument that it does not have.
    FILTER_ARGUMENTS = Error "layout/filter-arguments";
    /// A `{% if %}`, `{% for %}` or other block without its end tag, or `{{` without `}}`.
    UNCLOSED = Error "layout/unclosed";
    /// An end tag, or an `else`, that closes nothing.
    STRAY_TAG = Error "layout/stray-tag";
    /// An expression or the words of a tag that cannot be read.
    BAD_EXPRESSION = Error "layout/bad-expression";
    /// Blocks or brackets inside each other beyond the limit.
    TOO_DEEP = Error "layout/too-deep";
    /// A layout longer than a mebibyte, or with more parts than are compiled.
    TOO_LARGE = Error "layout/too-large";
    /// `layout = "…"` names a layout that does not exist.
    UNKNOWN_LAYOUT = Error "layout/unknown-layout";
    /// Layouts that nest each other in a circle.
    LAYOUT_CYCLE = Error "layout/layout-cycle";
    /// `{% render %}` or `{% include %}` of a partial that does not exist under `layouts/partials/`.
    UNKNOWN_PARTIAL = Error "layout/unknown-partial";
    /// The name of a partial must be written as a string, so that what a layout reads is known before it is rendered.
    PARTIAL_NAME = Error "layout/partial-name";
    /// Partials that include each other in a circle, or deeper than the limit.
    PARTIAL_CYCLE = Error "layout/partial-cycle";
    /// `cookies[name]` with a name known only at request time: what is read must be known before.
    DYNAMIC_LOOKUP = Error "layout/dynamic-lookup";
    /// An output where no escaping makes data safe: in a script, a style, an `on…` attribute, an attribute without
    /// quotes, a comment, or in the place of a name.
    UNSAFE_PLACE = Error "layout/unsafe-place";
    /// The branches of a block end in different places of the markup, one within a tag and another outside it, so that
    /// what follows cannot be escaped for where it stands.
    BRANCH_CONTEXT = Error "layout/branch-context";
}
