//! The findings of this floor.

use crate::diagnostic::codes;

codes! {
    /// A route with keys of two kinds, such as `json` and `redirect`.
    ///
    /// The kind of a route is the one key it has of `content`, `files`, `json` and `redirect`; without any it is a page with a `layout`.
    /// With two of them a visitor could be given either.
    ///
    /// Keep one, and write a route of its own for the other. A key that a section or `[defaults]` gives is taken back with `false`.
    TWO_KINDS = Error "route/two-kinds";

    /// A key that the route's kind does not use, written in the route itself.
    ///
    /// It would be ignored: a redirect shows no layout, files have no sources. Inherited keys are ignored without a word, because a section
    /// speaks to routes of all kinds.
    ///
    /// Leave it out, or change the kind.
    FOREIGN_KEY = Error "route/foreign-key";

    /// A route that is a page and has no layout: there is nothing to show.
    ///
    /// A page is data in a layout. Both may be inherited from `[defaults]` or a `_section.toml`.
    ///
    /// ```toml
    /// # routes/about.toml
    /// layout = "page.html"      # layouts/page.html
    /// ```
    ///
    /// A page with a `[form]` has one, too. Or give the route another kind: `content`, `files`, `json`, `proxy`, `redirect`.
    /// `siteserver new route /about` writes a route of any kind with what it needs, `--kind form` one that takes something. If the key is there, look whether it slipped below a table's
    /// header.
    NO_LAYOUT = Error "route/no-layout";

    /// A layout that does not exist in `layouts/`.
    ///
    /// The name is the path below `layouts/`, with its extension, which says how values are escaped and which media type is sent.
    ///
    /// Correct the name, or write the file.
    UNKNOWN_LAYOUT = Error "route/unknown-layout"
        help "write the file below `layouts/`, or correct the name";

    /// A status that this kind of route cannot answer with.
    ///
    /// A page needs a status that has content, so neither 204 nor 304; a redirect needs 301, 302, 303, 307 or 308, because others send
    /// nobody anywhere.
    ///
    /// Leave the key out for 200, or 308 of a redirect, or write one that fits.
    BAD_STATUS = Error "route/status"
        help "redirects take 301, 302, 303, 307 or 308; other answers a status with content, such as 404 or 410";

    /// A header field that a route does not declare: siteserver derives it, or another key says it better.
    ///
    /// `cache-control`, `vary`, `etag` and `content-length` follow from what a page is made of. Written by hand they would be wrong sooner
    /// or later, and a wrong one shows pages to people whom they are not for.
    ///
    /// | Instead of | Write |
    /// |---|---|
    /// | `cache-control` | the table `[cache]` |
    /// | `content-type` | the key `content-type` |
    /// | `location` | the key `redirect` |
    /// | `content-security-policy` | the key `csp` |
    /// | `vary`, `etag`, `content-length` | nothing: they are derived |
    RESERVED_HEADER = Error "route/reserved-header"
        help "a name is made of letters, digits and `-`: no spaces, no colon";

    /// A source in `csp` that no browser would understand as it is meant.
    ///
    /// A directive lists sources as HTTP writes them: hosts (`https://cdn.example.com`), schemes (`data:`), and words in quotes (`'self'`).
    /// Browsers pass over what they do not understand, or take a word without its quotes for the name of a host.
    ///
    /// Write each source as a string of its own, words with both kinds of quotes: `script-src = ["'strict-dynamic'", "https://cdn.example.com"]`.
    CSP_SOURCE = Error "csp/source";

    /// A source in `csp` that lets scripts run which nobody of the site has written.
    ///
    /// With `'unsafe-inline'`, a whole scheme or `*` the policy stops no script that gets into a page, which is what it is for. This note
    /// lists the places, so that they can be reviewed.
    ///
    /// Name the hosts that scripts come from. Inline scripts in layouts need nothing: their digests are in the policy.
    CSP_LOOSE = Note "csp/loose"
        help "name the hosts that scripts come from; those in layouts need nothing";

    /// A document that does not exist in `content/`, or that cannot be rendered.
    ///
    /// The name is the path below `content/`, with its extension: `content = "about.md"` is the file `content/about.md`.
    ///
    /// Correct the name, or write the file.
    NO_DOCUMENT = Error "route/no-document";

    /// A folder of `content/` that does not exist, or that holds no files.
    ///
    /// The name is the path below `content/`: `files = "assets"` serves what is in `content/assets`.
    ///
    /// Correct the name, or put a file there; files whose names begin with a dot are never served.
    NO_FOLDER = Error "route/no-folder";

    /// A file or folder that lies outside the folder of the site that holds its kind: `content/`, or `layouts/`.
    ///
    /// Only what stands below `content/` can be published or read as data, and only what stands below `layouts/` shows pages, so that no
    /// mistake in a declaration shows the rest of the machine. `..` and absolute paths are refused before anything is opened.
    ///
    /// Move or copy the file below that folder, and name it from there.
    OUTSIDE = Error "route/outside";

    /// A route for files, or for a tree of documents, whose path does not end in a rest parameter.
    ///
    /// The rest of the URL names the file in the folder; without a rest parameter there is only one URL for many files. A tree of documents
    /// is likewise `path = "/docs/{*page}"`.
    ///
    /// ```toml
    /// # routes/assets.toml
    /// path = "/assets/{*file}"
    /// files = "assets"
    /// ```
    FILES_PATH = Error "route/files-path";

    /// Cache directives that contradict each other.
    ///
    /// `no-store` beside a lifetime, `private` beside `s-maxage`, `must-revalidate` beside `stale-if-error`: caches would obey one of them,
    /// and which one differs from cache to cache.
    ///
    /// Keep the one that is meant. `s-maxage` alone is what most public pages need:
    ///
    /// ```toml
    /// # in a route
    /// [cache]
    /// s-maxage = "10s"
    /// stale-while-revalidate = "1m"
    /// ```
    CACHE_CONTRADICTION = Error "cache/contradiction";

    /// A cache profile that neither is built in nor is declared.
    ///
    /// `cache = "hours"` and `profile = "hours"` in `[cache]` name a policy. Built in are `seconds`, `minutes`, `hours`, `days`, `weeks` and
    /// `max`; `[cache-profiles]` in `site.toml` declares others, and may replace these.
    ///
    /// Correct the name, or declare the profile:
    ///
    /// ```toml
    /// # site.toml
    /// [cache-profiles.news]
    /// s-maxage = "30s"
    /// stale-while-revalidate = "10m"
    /// ```
    UNKNOWN_PROFILE = Error "cache/unknown-profile";

    /// A `tag-header` that cannot hold the tags of a page.
    ///
    /// Content delivery networks read the tags of what they store in a field of their own: `Cache-Tag` with commas between, or
    /// `Surrogate-Key` with spaces. Fields in which browsers or caches read something else cannot hold tags.
    ///
    /// Write the name that your network documents.
    TAG_HEADER = Error "cache/tag-header";

    /// `immutable` on a path that goes on naming what changes.
    ///
    /// Browsers that were told `immutable` do not ask again, not even when the page is reloaded: what they have stays until its lifetime is
    /// over. That is right for paths that name what they hold by its content, and those have a parameter for it: `/assets/{*file}` with files
    /// such as `app.3f9ac1.js`. A path without any parameter, and the paths of documents, name something that will be edited, and so do files
    /// whose names hold neither a digit nor letters of both cases.
    ///
    /// Leave `immutable` out; `max-age` alone is asked about again when it is over. The URL of a file that `{{ "app.js" | asset_url }}` prints
    /// in a layout names its content, and is sent with `immutable` by itself.
    CACHE_IMMUTABLE = Error "cache/immutable";

    /// A cache setting that means nothing for this route.
    ///
    /// `s-maxage = "auto"` takes the lifetimes of a page's HTTP sources, and there are none; `degraded` is about pages that do without a
    /// source, and `variants` about those that read header fields of requests. Files and redirects are not kept in the page store, which `server` and `degraded` are about, and a file that is not there
    /// belongs to no route. What a route inherits is ignored
    /// where it means nothing; what it writes itself was meant to do something.
    ///
    /// Leave it out, or write a lifetime.
    CACHE_NO_USE = Error "cache/no-use"
        help "leave it out";

    /// A redirect that could leave the site: what it begins with is not written down.
    ///
    /// If a target begins with a placeholder, or with `//`, whoever makes a link chooses the host, and your site's good name sends people
    /// to it.
    ///
    /// Begin with a path, or with a whole origin:
    ///
    /// ```toml
    /// # routes/old.toml
    /// path = "/old/{slug}"
    /// redirect = "/new/{params.slug}"
    /// ```
    OPEN_REDIRECT = Error "route/open-redirect";

    /// Data in a header field that makes browsers or proxies do something.
    ///
    /// Whoever chooses the value of `access-control-allow-origin` chooses which site reads the answer; that of `x-accel-redirect` or
    /// `x-sendfile`, which file a proxy sends; that of `service-worker-allowed`, which pages a script rules over. Escaping keeps data in its
    /// place in a field, and cannot help where the whole place is power.
    ///
    /// Write such a value out, or let it come from `vars`, `site` or a variable of the environment that is declared as public. Which sites may
    /// read answers is declared by itself:
    ///
    /// ```toml
    /// # in a route
    /// [cors]
    /// origins = ["https://app.example.com"]
    /// ```
    POWERFUL_HEADER = Error "route/powerful-header";

    /// A `cors` table that browsers would not understand, or that would let any site read what is the visitor's.
    ///
    /// Browsers take one origin, or `*`; and `*` never together with credentials, because then every site could act as the visitor.
    ///
    /// Name the origins that may read the answers, each with its scheme and without a path: `https://app.example.com`.
    CORS = Error "route/cors"
        help "name origins with their scheme and without a path: \"https://app.example.com\"";

    /// A field of a form, or of JSON that is sent, that cannot be meant so.
    ///
    /// Nothing would fit it, or what is written means nothing for its type: bounds are for numbers and dates, lengths for texts, sizes for
    /// files. `values`, `errors`, `error`, `status` and `result` say something else in `form`, and are no names of fields.
    ///
    /// ```toml
    /// # in a route
    /// [form.fields.email]
    /// type = "email"
    /// required = true
    /// ```
    FORM_FIELD = Error "form/field";

    /// What a guard requires cannot be required of anybody: an empty table or list, or an unknown word.
    ///
    /// `require = "user"` lets in whoever is known. A table names claims of `user`, all of which must hold: a value that the claim is or that
    /// its list holds, a list of values of which one is enough, or `{ present = true }`.
    ///
    /// ```toml
    /// # in a route
    /// [guard]
    /// source = "me"
    /// require = { role = ["admin", "editor"], email_verified = true }
    ///
    /// [sources.me]
    /// url = "https://id.example.com/me"
    /// forward-cookies = ["session"]
    /// ```
    BAD_REQUIREMENT = Error "guard/require";

    /// A cookie that no browser would take as it is written: its name, its path, its domain, or attributes that exclude each other.
    ///
    /// By itself a cookie is as safe as browsers know: `__Host-` before its name, `Secure`, `HttpOnly`, `SameSite=Lax`, for this host alone.
    /// Names that begin with `__Host-` need all of that but the last two.
    ///
    /// ```toml
    /// # in a route
    /// query.theme.enum = ["light", "dark"]
    ///
    /// [set-cookies.theme]
    /// value = "{query.theme}"
    /// max-age = "365d"
    /// ```
    BAD_COOKIE = Error "cookie/attributes";
}
