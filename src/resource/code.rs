//! The findings of this floor.

use crate::diagnostic::codes;

codes! {
    /// A route with keys of two kinds, such as `json` and `redirect`.
    TWO_KINDS = Error "route/two-kinds";
    /// A key that the route's kind does not use.
    FOREIGN_KEY = Error "route/foreign-key";
    /// A page without a layout has nothing to show.
    NO_LAYOUT = Error "route/no-layout";
    /// A layout that does not exist in `layouts/`.
    UNKNOWN_LAYOUT = Error "route/unknown-layout";
    /// A status that this kind of route cannot answer with.
    BAD_STATUS = Error "route/status";
    /// A header field that a route does not declare: siteserver derives it, or another key says it better.
    RESERVED_HEADER = Error "route/reserved-header";
    /// A document that does not exist in `content/`.
    NO_DOCUMENT = Error "route/no-document";
    /// A folder of `content/` that does not exist, or that lies outside.
    NO_FOLDER = Error "route/no-folder";
    /// Files and trees of documents need a path that ends in a rest parameter: `/assets/{*file}`, `/docs/{*page}`.
    FILES_PATH = Error "route/files-path";
    /// Cache directives that contradict each other.
    CACHE_CONTRADICTION = Error "cache/contradiction";
    /// A redirect that could leave the site: its target begins with a placeholder, so a visitor could choose the host.
    OPEN_REDIRECT = Error "route/open-redirect";
    /// A `cors` table that browsers would not understand, or that would let any site read what is the visitor's.
    CORS = Error "route/cors";
}
