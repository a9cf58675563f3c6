//! The findings of this floor.

use crate::diagnostic::codes;

codes! {
    /// A source names an upstream that `[upstreams]` does not declare.
    UNKNOWN_UPSTREAM = Error "source/unknown-upstream";
    /// A source without anything to read: it needs `url`, `upstream` with `path`, `route`, `file`, `content` or `value`.
    NO_KIND = Error "source/no-kind";
    /// A source with keys of two kinds, such as `url` and `value`.
    TWO_KINDS = Error "source/two-kinds";
    /// An upstream's address that is not `http://` or `https://`, a host, and perhaps a port and a path. Scheme, host and port are
    /// literal, or come from the environment: nothing from a request can choose where a call goes.
    BAD_ADDRESS = Error "source/bad-address";
    /// A header that siteserver writes itself, or that means something between two neighbours only.
    RESERVED_HEADER = Error "source/reserved-header";
    /// A name that no header field or cookie can have.
    BAD_NAME = Error "source/bad-name";
    /// A variable of the environment where it would be shown or stored. Secrets may stand in headers and query of upstreams and
    /// sources, nowhere else.
    SECRET_OUT_OF_PLACE = Error "env/secret-out-of-place";
    /// A selector that is no query of RFC 9535.
    BAD_SELECTOR = Error "extract/selector";
    /// An extraction that says two things at once, or nothing.
    BAD_EXTRACTION = Error "extract/contradiction";
    /// A type that extraction does not know.
    UNKNOWN_TYPE = Error "extract/unknown-type";
    /// `optional` and `fallback` on one source: it cannot both be left out and be replaced.
    OPTIONAL_WITH_FALLBACK = Error "source/optional-with-fallback";
    /// An outcome `"fallback"` on a source without a `fallback`.
    NO_FALLBACK = Error "source/no-fallback";
    /// A fallback that lacks a field that pages may read, or has one that no extraction makes.
    FALLBACK_SHAPE = Error "source/fallback-shape";
    /// An operation on a list, such as `sort` or `paginate`, on a source that gives none. The list is the source's value, or what
    /// its value holds as `items`.
    NO_LIST = Error "list/no-list";
    /// An operation on a list that can never do what it says: a condition without `item`, a list of no items, `where` on a page
    /// that the upstream has cut.
    LIST_CONTRADICTION = Error "list/contradiction";
    /// A data file that is not there, that is none by its extension, or that a request could name freely.
    DATA_FILE = Error "file/name";
    /// A data file that cannot be read: a mistake in its grammar, or more values than an answer of an upstream may have.
    BAD_DATA = Error "file/syntax";
    /// A data file that lacks what its source requires of it.
    UNFIT_DATA = Error "file/lacks";
    /// The page of a list is an integer query value of the route: the URLs of its neighbours are made by changing it.
    LIST_PAGE = Error "list/page";
    /// A call with two bodies, or with variables for none: `body`, `form`, `text` and `graphql` exclude each other.
    TWO_BODIES = Error "source/two-bodies";
    /// A body on a call that is declared to be a GET, which has none.
    BODY_WITH_GET = Error "source/body-with-get";
    /// A call of another method than GET that is not said to only read. It is made each time the page is made, by whoever asks for
    /// it; it is never repeated, and never shared. What only reads says so with `safe = true`.
    UNSAFE_METHOD = Warning "source/unsafe-method";
    /// A list is needed to do something for each of its items, and what is named is certainly none.
    NOT_A_LIST = Error "source/not-a-list";
}
