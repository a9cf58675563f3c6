//! The findings of this floor.

use crate::diagnostic::codes;

codes! {
    /// A route's path that cannot be read.
    BAD_PATH = Error "route/path";
    /// A route file whose place has no URL: its name holds a brace or a character that no path may hold.
    NEEDS_PATH = Error "route/needs-path";
    /// Two routes answer the same URLs, and neither is more specific.
    SAME_PATH = Error "route/same-path";
    /// A `host` of a route that is no host, has a port, or is an alias: requests for aliases are sent to `site.url` before any route is looked
    /// at.
    BAD_HOST = Error "route/host";
    /// A `path` in a section or in `[defaults]`: all routes below would have the same URL.
    SECTION_PATH = Error "section/path";
    /// A section without any route in its folder or below: nothing inherits from it, and nobody checks it.
    UNUSED_SECTION = Warning "section/unused";
    /// A parameter that is declared and not in `path`.
    UNKNOWN_PARAM = Error "route/unknown-param";
    /// A type of a parameter or a query value that cannot be: an unknown name, bounds that exclude everything, a broken pattern.
    BAD_INPUT = Error "input/bad-type";
    /// A name that authors invent must be `snake_case`, so that placeholders and Liquid can say it.
    BAD_NAME = Error "name/not-snake-case";
    /// A name that means something else already.
    RESERVED_NAME = Error "name/reserved";
    /// A first word that is neither a scope nor a source of the route.
    UNKNOWN_NAME = Error "name/unknown";
    /// A field that the scope or the source does not have.
    UNKNOWN_FIELD = Error "name/unknown-field";
    /// A scope used whole where only its fields mean something.
    WHOLE_SCOPE = Error "name/whole-scope";
    /// Sources that mention each other in a circle: none can be first.
    CYCLE = Error "source/cycle";
    /// A source that nothing reads. It is never called.
    UNUSED_SOURCE = Warning "source/unused";
    /// A value that may be null in the path of a source, which writes no outcome for it.
    NULLABLE_IN_PATH = Warning "source/nullable-in-path";
    /// A page that depends on a person and is declared to be for everybody.
    PERSONAL_PUBLIC = Error "cache/personal-public";
    /// The `cookie` header as a whole. Name the cookies that are read: `[cookies.theme]`.
    COOKIE_HEADER = Error "input/cookie-header";
    /// `request.id` differs with each request: only headers of sources may send it.
    REQUEST_ID = Error "input/request-id";
    /// An address to listen on that is not `IP:port` or `unix:/path`.
    BAD_LISTEN = Error "server/listen";
    /// An entry of `trusted-proxies` that is no address, no network and not `unix:`, or a network of everybody: whoever is trusted can claim
    /// any address to have sent a request.
    BAD_PROXY = Error "server/trusted-proxies";
    /// `site.url` or an alias that is not `https://host`.
    BAD_URL = Error "site/url";
    /// A status in `errors` that is none: `404`, or `4xx` and `5xx` for all of a class.
    BAD_ERROR_KEY = Error "errors/status";
    /// An error page may read `site`, `vars` and `error` only, because it is rendered before any request comes.
    ERROR_PAGE_READS = Error "errors/reads";
    /// An error page that cannot be rendered.
    ERROR_PAGE_FAILS = Error "errors/fails";
    /// A link from a document to another that no route serves. Links between documents are paths of their files.
    BROKEN_LINK = Warning "document/broken-link";
    /// A pattern of documents that names none: `blog/*` are those in a folder, `blog/**` those below it, too.
    COLLECTION = Error "content/pattern";
    /// A pattern of documents of which there are none.
    EMPTY_COLLECTION = Warning "content/empty";
    /// A rule without a condition, or without anything to do.
    BAD_RULE = Error "rule/incomplete";
    /// A source with `route` whose path no JSON route of the site answers.
    UNKNOWN_ROUTE = Error "source/unknown-route";
    /// Routes that ask each other in a circle: none can be answered.
    ROUTE_CYCLE = Error "source/route-cycle";
    /// Routes that ask routes that ask routes, more than eight deep.
    ROUTE_TOO_DEEP = Error "source/route-too-deep";
}
