//! Where a request's data stands: one slot for each scope, then one for each source of the route.
//!
//! Names are resolved to slots when a site is linked; no request ever looks one up.

/// `site`: what `site.toml` says of the site.
pub const SITE: usize = 0;
/// `vars`: the author's own data.
pub const VARS: usize = 1;
/// `params`: path parameters.
pub const PARAMS: usize = 2;
/// `query`: declared query values.
pub const QUERY: usize = 3;
/// `cookies`: declared cookies.
pub const COOKIES: usize = 4;
/// `request`: what the route reads of the request itself.
pub const REQUEST: usize = 5;
/// `page`: the page about itself.
pub const PAGE: usize = 6;
/// `content`: the output that a layout goes around.
pub const CONTENT: usize = 7;
/// `item`: what `for-each` and a mapped list of a `json` route are at; nothing elsewhere.
pub const ITEM: usize = 8;
/// `degraded`: the names of the sources that something else stands for, once all have settled. Read by layouts alone.
pub const DEGRADED: usize = 9;
/// `env`: the variables of the environment that are declared as no secrets.
pub const ENV: usize = 10;
/// `user`: the claims of whoever asks; null for nobody.
pub const USER: usize = 11;
/// `form`: what somebody has sent, and what became of it; null where nothing was.
pub const FORM: usize = 12;
/// The first source.
pub const FIRST_SOURCE: usize = 13;

/// The scopes that authors can name, and their slots. `content` is Liquid's alone.
pub const SCOPES: [(&str, usize); 10] = [
    ("site", SITE),
    ("vars", VARS),
    ("params", PARAMS),
    ("query", QUERY),
    ("cookies", COOKIES),
    ("request", REQUEST),
    ("page", PAGE),
    ("env", ENV),
    ("user", USER),
    ("form", FORM),
];

/// Words that no source can be called by: the scopes, those of later floors, and Liquid's own.
pub const RESERVED: [&str; 30] = [
    "site",
    "vars",
    "params",
    "query",
    "cookies",
    "request",
    "page",
    "form",
    "user",
    "env",
    "content",
    "error",
    "item",
    "degraded",
    "pagination",
    "fragment",
    "forloop",
    "tablerowloop",
    "true",
    "false",
    "nil",
    "null",
    "empty",
    "blank",
    "and",
    "or",
    "contains",
    "not",
    "in",
    "with",
];
