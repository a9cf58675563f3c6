//! The findings of this floor.

use crate::diagnostic::codes;

codes! {
    /// A route's path that cannot be read.
    ///
    /// A path is absolute and made of segments: literal text, `{name}` for one segment, `{*rest}` for all that is left, which stands last.
    ///
    /// ```toml
    /// # routes/repo.toml
    /// path = "/repos/{owner}/{name}"
    /// layout = "repo.html"
    /// ```
    BAD_PATH = Error "route/path"
        help "a path is literal text, `{name}` and at the end `{*rest}`: path = \"/repos/{name}\"";

    /// A route file whose place has no URL: its name holds a brace or a character that no path may hold.
    ///
    /// `routes/about.toml` answers `/about` because its place says so. A route with parameters cannot be named by its place.
    ///
    /// Give the file a plain name, and say the path in it: `path = "/repos/{name}"`.
    NEEDS_PATH = Error "route/needs-path";

    /// Two routes answer the same URLs, and neither is more specific.
    ///
    /// Which of them a visitor gets would depend on the order in which files are read. Names of parameters do not tell routes apart:
    /// `/{a}` and `/{b}` are the same.
    ///
    /// Change one path, remove one file (`about.toml` and `about/index.toml` are both `/about`), or give a parameter an `enum`, which is
    /// more specific than any value.
    SAME_PATH = Error "route/same-path";

    /// A route that no request reaches, because others answer all of its URLs before it.
    ///
    /// Routes are compared segment by segment from the left: literal text comes before a value of an `enum`, that before a parameter, and
    /// that before the rest. If every value of an `enum` is also written out as a route, the route with the parameter is never asked.
    ///
    /// Remove one of them, or add the value that is missing to the `enum`.
    SHADOWED = Warning "route/shadowed";

    /// A `host` of a route that is no host, has a port, is named twice, or is an alias.
    ///
    /// Requests are compared with it without their port, and requests for aliases are sent to `site.url` before any route is looked at.
    ///
    /// ```toml
    /// # in a route
    /// host = "blog.example.com"
    /// ```
    BAD_HOST = Error "route/host";

    /// A `path` in a section or in `[defaults]`: all routes below would have the same URL.
    ///
    /// A route's URL is its own: that of its file's place, or the one it says.
    ///
    /// Write `path` in the routes, or move them to a folder whose name is the beginning that they share.
    SECTION_PATH = Error "section/path";

    /// A section without any route in its folder or below.
    ///
    /// Nothing inherits from it, and nobody checks what it says.
    ///
    /// Move it to the folder of the routes that it is for, or remove it.
    UNUSED_SECTION = Warning "section/unused";

    /// A parameter that is declared below `[params]` and is not in `path`.
    ///
    /// Its type would be checked on nothing.
    ///
    /// Correct the name, or put it in the path: `path = "/repos/{name}"`. What comes behind the `?` is declared below `[query]`.
    UNKNOWN_PARAM = Error "route/unknown-param";

    /// A type of a parameter, a query value or a cookie that cannot be: an unknown name, bounds that exclude everything, a broken pattern, a
    /// default that does not fit.
    ///
    /// A type that nothing fits makes every request a 404.
    ///
    /// ```toml
    /// # in a route
    /// [query.page]
    /// type = "int"              # string, int, uuid, slug, date, path
    /// min = 1
    /// max = 500
    /// default = 1
    /// ```
    BAD_INPUT = Error "input/bad-type";

    /// A query value or a cookie that the route declares and nothing reads.
    ///
    /// What nothing reads is not part of the page: it is not in the cache key, and requests that differ in it get the same page. Perhaps the
    /// name is misspelt where it should be read.
    ///
    /// Read it, in the layout as `{{ query.page }}` or in TOML as `{query.page}`, or leave it out.
    UNUSED_INPUT = Warning "input/unused";

    /// A name that cannot be said: names that authors invent are in `snake_case`.
    ///
    /// Placeholders and Liquid read `latest-news` as a subtraction or not at all, so sources, parameters, query values and cookies are
    /// called by small letters, digits and `_`.
    ///
    /// Rename it. Where the outside calls it otherwise, say so: `[query.sort_by]` with `name = "sort-by"`.
    BAD_NAME = Error "name/not-snake-case";

    /// A source whose name means something else already: a scope, such as `page` or `query`, or a word of Liquid.
    ///
    /// `{{ page.title }}` must mean one thing.
    ///
    /// Call the source by another name.
    RESERVED_NAME = Error "name/reserved";

    /// A first word that is neither a scope nor a source of the route.
    ///
    /// It would print nothing, on every page, without a word. The scopes are `params`, `query`, `cookies`, `request`, `site`, `page` and
    /// `vars`; every other first word is a source that the route declares or inherits.
    ///
    /// Correct the spelling, or declare the source:
    ///
    /// ```toml
    /// # in a route
    /// [sources.offer]
    /// url = "https://api.example.com/offer"
    /// ```
    UNKNOWN_NAME = Error "name/unknown";

    /// A field that the scope or the source does not have.
    ///
    /// A source with `extract` has exactly those fields, `vars` those that are written, `params` those in the path, `query` and `cookies`
    /// those that are declared. A field that is not there would always be empty.
    ///
    /// Correct the spelling, or declare the field: `extract.stars = "$.stargazers_count"`, `[query.page]`, `[vars]`.
    UNKNOWN_FIELD = Error "name/unknown-field"
        help "names of header fields are letters, digits and `-`: request.headers.accept-language";

    /// A scope used whole where only its fields mean something: `{{ request }}`.
    ///
    /// Everything that is read of a request is part of the page's key; the whole request would make every page one of its kind.
    ///
    /// Name the field: `{{ request.path }}`, `{{ request.headers.accept-language }}`.
    WHOLE_SCOPE = Error "name/whole-scope";

    /// Sources that mention each other in a circle: none can be first.
    ///
    /// A source that mentions another runs after it.
    ///
    /// Let one of them do without the others, or fetch once what both need.
    CYCLE = Error "source/cycle";

    /// A source that nothing reads. It is never called.
    ///
    /// Perhaps its name is misspelt where it should be read. Sources that a section declares are not listed: other routes may read them.
    ///
    /// Read it in the layout, in `json`, in a rule or in another source; or leave it out.
    UNUSED_SOURCE = Warning "source/unused";

    /// A field of an extraction that nothing reads.
    ///
    /// It is taken from every answer for nothing, or its name is misspelt where it should be read. A field that is `required` is not
    /// doubted, because it decides whether there is a page; nor is a source that is read as a whole, or that a section declares.
    ///
    /// Read it, `{{ repo.stars }}`, or leave it out.
    UNUSED_FIELD = Warning "extract/unused";

    /// A source that may take longer than the whole request.
    ///
    /// One `deadline` covers a request with all its sources. A source that is still waiting when it ends is cut off then, whatever its own
    /// `timeout` says, and nothing is left for the sources that wait for it.
    ///
    /// Shorten the `timeout`, or give the route a longer `deadline`:
    ///
    /// ```toml
    /// # in a route
    /// deadline = "20s"
    /// ```
    LATE_TIMEOUT = Warning "source/late-timeout";

    /// A value that may be null in the path of a source, which writes no outcome for it.
    ///
    /// With a null there is nothing to ask for: the call is not made, and the page is a 404. That may be meant, so it is only a warning.
    ///
    /// Say so with `on-not-found`, or give the value a default:
    ///
    /// ```toml
    /// # in a route
    /// [query.id]
    /// default = "latest"
    /// ```
    NULLABLE_IN_PATH = Warning "source/nullable-in-path";

    /// The keys of `[auth.jwt]` cannot be had: none are written or several are, they cannot be read, or they do not fit the algorithm.
    ///
    /// A token is worth what its signature is worth. So the algorithm is written in the site and not taken from the token, each key has to be of
    /// the type that the algorithm takes, a public key is never taken for a secret, and a secret is as long as the digest of its algorithm
    /// (RFC 7518, section 3.2).
    ///
    /// Write one of these:
    ///
    /// ```toml
    /// # site.toml
    /// [auth.jwt]
    /// algorithm = "RS256"
    /// jwks = "https://id.example.com/.well-known/jwks.json"
    /// audience = "shop"
    /// ```
    ///
    /// `key-file = "keys/id.pem"` names a file with the public key; `key = "{env.JWT_KEY}"` is the secret of `HS256`, as of
    /// `openssl rand -base64 48`.
    AUTH_KEYS = Error "auth/keys";

    /// A rule for tokens by which some would pass that should not: no issuer, no audience, clocks that are far apart.
    ///
    /// Such a rule looks as if it held something. Leave it out, if anybody's tokens are meant.
    ///
    /// Name who issues tokens (`issuer`), and whom they are for (`audience`); set the clocks, and let `leeway` be at most five minutes.
    AUTH_RULES = Error "auth/rules";

    /// Tokens of an issuer are believed whoever they are meant for.
    ///
    /// An issuer signs tokens for all who trust it. Without `audience`, the token that a visitor has shown to another site opens this one.
    ///
    /// Say which of them are meant for this site: the `aud` that the issuer writes for it.
    ANY_AUDIENCE = Warning "auth/any-audience"
        help "audience = \"shop\"";

    /// The users of `[auth.basic]` cannot be had: the file is not there or cannot be read, or a user in it has no hash of argon2.
    ///
    /// Passwords are kept as what cannot be turned back into them. A hash that takes too long to verify would let anybody keep the server busy
    /// with wrong passwords, so its costs are bounded.
    ///
    /// ```toml
    /// # users.toml
    /// [alice]
    /// password = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$…"
    /// role = "admin"
    /// ```
    ///
    /// `siteserver password` makes such a hash.
    AUTH_USERS = Error "auth/users";

    /// A file with users or keys that lies below `content/`.
    ///
    /// What lies there is for routes to publish.
    ///
    /// Put it beside `site.toml`, or into a folder of its own.
    AUTH_PUBLISHED = Error "auth/published"
        help "put it beside `site.toml`, or into a folder of its own";

    /// An identity that nothing in a request can speak for, or a call of `[auth.forward]` that cannot be made.
    ///
    /// A token stands in `Authorization` or in a cookie. An upstream that is asked who somebody is needs what the visitor has sent; of the
    /// rest of the request nothing is sent along, so that its answer depends on nothing else.
    ///
    /// ```toml
    /// # site.toml
    /// [upstreams.id]
    /// base-url = "https://id.example.com"
    ///
    /// [auth.forward]
    /// upstream = "id"
    /// path = "/whoami"
    /// forward-cookies = ["session"]
    /// ```
    AUTH_CREDENTIAL = Error "auth/credential";

    /// Keys of cookies that are no keys.
    ///
    /// Whoever has the key can make every cookie that the site believes. So keys come from the environment, and are as long as what is made
    /// with them.
    ///
    /// ```toml
    /// # site.toml
    /// [cookie-keys]
    /// keys = ["{env.COOKIE_KEY}", "{env.COOKIE_KEY_OLD:}"]
    /// ```
    BAD_COOKIE_KEYS = Error "cookie-keys/keys"
        help "keys = [\"{env.COOKIE_KEY}\"], of 32 bytes or more, as of `openssl rand -hex 32`";

    /// A page that depends on a person and is declared to be kept for everybody.
    ///
    /// It reads a cookie, a credential or a source that carries one; `public`, `s-maxage` or an inherited `[cache]` would let a cache show
    /// one visitor's page to the next. The message says on which way the person reaches the page;
    /// each step of it is shown where it is written.
    ///
    /// Leave `[cache]` out, so that the page is `private, no-store`; or write `private = true`; or read a cookie that has an `enum`, of which
    /// each value has a page of its own.
    ///
    /// A page that greets people, and is the same for all who are not signed in, has one copy for these in our own store, if the sources that
    /// send credentials along are optional:
    ///
    /// ```toml
    /// # in a route
    /// [cache.server]
    /// max-age = "1m"
    /// ```
    PERSONAL_PUBLIC = Error "cache/personal-public";

    /// A personal page that our own store is told to keep, and of which there is nothing to keep.
    ///
    /// What the store may keep of a page that depends on a person is what it is for those who carry nothing that says who they are. A source
    /// that sends a credential along, and whose refusal ends the page, leaves nothing of it: without the credential there is no page but an
    /// error, or the way to sign in.
    ///
    /// Make each of these sources optional, and let the layout do without them:
    ///
    /// ```toml
    /// # in a route
    /// layout = "page.html"
    ///
    /// [sources.me]
    /// url = "https://api.example.com/me"
    /// forward-cookies = ["session"]
    /// optional = true
    ///
    /// [cache.server]
    /// max-age = "1m"
    /// ```
    NO_ANONYMOUS_COPY = Error "cache/no-anonymous-copy";

    /// The `cookie` header as a whole.
    ///
    /// It holds the cookies of everything on that host, sessions included. A page that reads all of them is one person's.
    ///
    /// Name the cookies that are read:
    ///
    /// ```toml
    /// # in a route
    /// [cookies.theme]
    /// enum = ["light", "dark"]
    /// default = "light"
    /// ```
    COOKIE_HEADER = Error "input/cookie-header";

    /// `request.id` in a page.
    ///
    /// It differs with each request, so no two pages would be equal and nothing could be stored.
    ///
    /// Leave it out. Error pages have `error.id`, which is put in when the page is sent.
    REQUEST_ID = Error "input/request-id";

    /// An address to listen on that is not `IP:port` or `unix:/path`.
    ///
    /// Names are not looked up: what they mean could change from one start to the next.
    ///
    /// ```toml
    /// # site.toml
    /// [server]
    /// listen = ["127.0.0.1:4000", "[::1]:4000"]
    /// ```
    BAD_LISTEN = Error "server/listen";

    /// An admin listener that others than this machine can reach, and no token.
    ///
    /// Whoever reaches it may purge the page store and read what the site does. A loopback address and a Unix socket, which is for the
    /// server's own user alone, need no token.
    ///
    /// ```toml
    /// # site.toml
    /// [admin]
    /// listen = "10.0.0.5:4001"
    /// token = "{env.ADMIN_TOKEN}"
    /// ```
    OPEN_ADMIN = Error "admin/open";

    /// A token of the admin listener that is no secret, or that can be guessed.
    ///
    /// It comes from the environment, whole, because what is written in a site's files is in backups and repositories; and it has 16 bytes
    /// or more.
    ///
    /// ```toml
    /// # site.toml
    /// [admin]
    /// listen = "127.0.0.1:4001"
    /// token = "{env.ADMIN_TOKEN}"
    /// ```
    BAD_TOKEN = Error "admin/token";

    /// An admin listener at an address of the server's own, or a token of none.
    ///
    /// Visitors come to the addresses of `[server]`, and must not reach it: it listens somewhere else.
    ///
    /// ```toml
    /// # site.toml
    /// [admin]
    /// listen = "127.0.0.1:4001"
    /// ```
    ADMIN_LISTEN = Error "admin/listen"
        help "listen = \"127.0.0.1:4001\"";

    /// An entry of `trusted-proxies` that is no address, no network and not `unix:`, or a network of everybody.
    ///
    /// Whoever is trusted can claim any address to have sent a request, and is not bound by limits per address.
    ///
    /// Name the proxies that stand before the server, and nobody else:
    ///
    /// ```toml
    /// # site.toml
    /// [server]
    /// trusted-proxies = ["192.0.2.1", "10.0.0.0/8"]
    /// ```
    BAD_PROXY = Error "server/trusted-proxies";

    /// `site.url` that is not `https://host`, or an alias that is not a host.
    ///
    /// Absolute URLs and redirects are made from it, and requests for other hosts are refused by it. It has no path, no query and no user.
    ///
    /// ```toml
    /// # site.toml
    /// [site]
    /// url = "https://example.com"
    /// aliases = ["www.example.com"]
    /// ```
    BAD_URL = Error "site/url";

    /// `site.money-format` or `site.money-with-currency-format` without a place for the amount.
    ///
    /// Every price would read the same. The format is markup with one placeholder in it: `{{ amount }}` is `1,134.65`,
    /// `{{ amount_no_decimals }}` is `1,135`, `{{ amount_with_comma_separator }}` is `1.134,65`; the message lists them all.
    ///
    /// ```toml
    /// # site.toml
    /// [site]
    /// money-format = "${{ amount }}"
    /// ```
    MONEY_FORMAT = Error "site/money-format";

    /// A language of the site that cannot be: no language tag, one that is named twice, or a `language` that is not among the `languages`.
    ///
    /// Tags are those of BCP 47 (RFC 5646), as browsers and `<html lang>` have them: a language, then a script or a region where that matters,
    /// separated by hyphens. They are compared without regard to case.
    ///
    /// ```toml
    /// # site.toml
    /// [site]
    /// language = "en"                  # for visitors who want none of them; the first, unless written
    /// languages = ["en", "de-AT"]
    /// ```
    BAD_LANGUAGE = Error "site/language"
        help "write a tag such as \"en\", \"de-AT\" or \"zh-Hant\"";

    /// `request.language` in a site that does not say which languages it is written in.
    ///
    /// The language is chosen among those of the site: without them there is nothing to choose.
    ///
    /// ```toml
    /// # site.toml
    /// [site]
    /// languages = ["en", "de"]
    /// ```
    NEEDS_LANGUAGES = Error "site/needs-languages"
        help "say which there are, in site.toml: [site] languages = [\"en\", \"de\"]";

    /// Limits that cannot both hold: the smaller one is reached first, and the other never.
    ///
    /// An entry larger than its store, a decoded body smaller than the coded one: nobody who writes this can mean it.
    ///
    /// Raise the one, or lower the other. Limits that are left out have the defaults that the reference lists.
    LIMITS_CONTRADICTION = Error "limits/contradiction";

    /// A key of `errors` that is no status of an error.
    ///
    /// Error pages are chosen by status.
    ///
    /// ```toml
    /// # in a route
    /// [errors]
    /// 404 = "errors/404.html"
    /// 5xx = "errors/5xx.html"   # all of a class
    /// ```
    BAD_ERROR_KEY = Error "errors/status";

    /// An error page that reads more than `site`, `vars` and `error`.
    ///
    /// Error pages are rendered when the site loads, so that no failure can make them fail; there is no request yet, and no source.
    ///
    /// Leave it out, or move it to a page. `error` has `status`, `title` and `id`.
    ERROR_PAGE_READS = Error "errors/reads";

    /// An error page that cannot be rendered within the limits.
    ///
    /// It would fail again for every visitor who meets an error.
    ///
    /// Make it smaller: an error page needs no long loops.
    ERROR_PAGE_FAILS = Error "errors/fails"
        help "make it smaller: an error page needs no long loops";

    /// A link or an image of a document that leads nowhere.
    ///
    /// Links between documents, and to files, are paths of files from the folder of the document, so that they work in an editor, too. They
    /// become the URLs of the routes that serve those files; a folder is its `index.md`. A link that begins with `/` is a URL of this site,
    /// which a route must answer.
    ///
    /// Correct the path, or write a route that serves the file: `[Sources](sources.md)`, `![The shop](img/shop.png)`.
    BROKEN_LINK = Warning "document/broken-link"
        help "write the path of a file from the folder of this one, or a URL that begins with `/`";

    /// A link of a document to a heading that is not there.
    ///
    /// What stands behind the `#` is the id of a heading: its text in lower case, with `-` for spaces and without punctuation, or the
    /// one that is written, as in `## Install {#setup}`. Visitors come to the beginning of the page instead.
    ///
    /// Correct the name, or give the heading the id that others link to.
    BROKEN_ANCHOR = Warning "document/broken-anchor"
        help "name a heading of that document by its id, or give it that one: `## Title {#name}`";

    /// A pattern of documents that names none: `blog/*` are those in a folder, `blog/**` those below it, too.
    ///
    /// A pattern is a path below `content/` with one of these at its end, and nothing else.
    ///
    /// ```toml
    /// [sources.posts]
    /// content = "blog/**"
    /// ```
    COLLECTION = Error "content/pattern";

    /// A pattern of documents of which there are none.
    ///
    /// The list is always empty: perhaps the folder has another name.
    ///
    /// Correct the pattern, or write the first document.
    EMPTY_COLLECTION = Warning "content/empty"
        help "correct the pattern, or write the first document";

    /// A layout whose name gives its pages a type that values are not escaped for: browsers would show them as a document, or run them, with
    /// whatever the data holds.
    ///
    /// Values are escaped by the extension: `.html`, `.xml`, `.json`, `.csv`. Markup of another extension (`.svg`, `.rss`, `.xhtml`) is made by
    /// a layout in `.xml`, whose route says which type it is:
    ///
    /// ```toml
    /// # in a route
    /// layout = "chart.xml"
    /// content-type = "image/svg+xml"
    /// ```
    ///
    /// A script or a style sheet (`.js`, `.css`) is made by a layout that prints nothing but `site`, `vars` and `env`. Data goes to scripts as JSON.
    /// `escape = "none"` in the front matter of the layout says that the author answers for every value.
    UNESCAPED_FORMAT = Error "layout/unescaped-format";

    /// A rule without a condition, or without anything to do, or with two things to do.
    ///
    /// A rule says what happens instead of the page if its condition holds.
    ///
    /// ```toml
    /// # in a route
    /// vars.closed = false
    ///
    /// [[rules]]
    /// if = "vars.closed"
    /// then = { status = 404 }   # or { redirect = "/archive" }, { status = 410, layout = "gone.html" }
    /// ```
    BAD_RULE = Error "rule/incomplete";

    /// A source with `route` whose path no JSON route of the site answers.
    ///
    /// The route is asked in process, so that its path must be known when the site loads.
    ///
    /// Correct the path, or write the route: a file with `json`. Pages are for people and cannot be asked.
    UNKNOWN_ROUTE = Error "source/unknown-route"
        help "write the path of a route that has `json`";

    /// A published file that a layout asks for by `asset_url`, and that no `files` route publishes, or several do.
    ///
    /// The filter makes the URL of a file that is there. A file is named by its path below the folder of its route: with `files = "assets"`
    /// the name of `content/assets/site.css` is `site.css`. It may be named by its URL too, `/assets/site.css`, which tells files of the same
    /// name apart. Routes that name a `host`, or have another parameter in their path, take no part.
    ///
    /// Correct the name, or publish the folder that the file is in.
    UNKNOWN_ASSET = Error "layout/unknown-asset";

    /// Routes that ask each other in a circle: none can be answered.
    ///
    /// A source with `route` waits for the other route's answer.
    ///
    /// Let one of them do without the others, or move what both need into a source of each.
    ROUTE_CYCLE = Error "source/route-cycle"
        help "let one of them do without the others";

    /// Routes that ask routes that ask routes, more than eight deep, or more than a hundred for one answer.
    ///
    /// Every step waits for the next, so a visitor waits for all of them; and routes that each ask several multiply.
    ///
    /// Ask the route that has the data itself.
    ROUTE_TOO_DEEP = Error "source/route-too-deep"
        help "ask the route that has the data itself";

    /// An inline script that is not the same each time: it prints a value, comes out of a loop, or is in a text that a filter changes.
    ///
    /// Pages are sent with a policy that lets only those inline scripts run whose digests it holds, and the digest of a text that changes
    /// is not known before the page is made. What data may write into a script is what an attacker asks for.
    ///
    /// Hand the data over as JSON, and read it from a script that stays the same:
    ///
    /// ```liquid
    /// <script type="application/json" id="data">{{ repo | json }}</script>
    /// <script>const repo = JSON.parse(document.getElementById("data").textContent);</script>
    /// ```
    CHANGING_SCRIPT = Warning "csp/changing-script"
        help "print the data into `<script type=\"application/json\" id=\"data\">`, and read it from a script that stays the same";

    /// An inline style that is not the same each time, because it comes out of a loop, of many branches or of a filter.
    ///
    /// Pages are sent with a policy that lets only those inline styles hold whose digests it holds.
    ///
    /// Write all rules out, and choose among them by a `class`.
    CHANGING_STYLE = Warning "csp/changing-style"
        help "write all rules out, and choose among them by a `class`";

    /// An `on…` attribute in a layout or a document.
    ///
    /// The policy that pages are sent with lets no such attribute run: browsers cannot tell one that the author wrote from one that got
    /// into the page.
    ///
    /// Listen from a script:
    ///
    /// ```html
    /// <button id="more">More</button>
    /// <script>document.getElementById("more").addEventListener("click", () => { });</script>
    /// ```
    EVENT_HANDLER = Warning "csp/event-handler"
        help "give the element an `id`, and call `addEventListener` in a script";

    /// A `style` attribute in a layout or a document.
    ///
    /// The policy that pages are sent with lets no such attribute hold: with styles alone a page can be made to show what it does not say.
    ///
    /// Give the element a `class`, and write the rule in a style sheet. If there is no other way, allow such attributes, and only them:
    ///
    /// ```toml
    /// csp.style-src-attr = ["'unsafe-inline'"]
    /// ```
    STYLE_ATTRIBUTE = Warning "csp/style-attribute"
        help "give the element a `class`, and write the rule in a style sheet";

    /// A `javascript:` URL in a layout or a document, or the `data:` URL of a `<script>`.
    ///
    /// The policy that pages are sent with lets none run.
    ///
    /// Instead of a link to `javascript:` write a `<button>`, and listen to it from a script. Instead of the `data:` URL write the script
    /// into its element, or into a file: `<script src="/assets/page.js">`.
    SCRIPT_URL = Warning "csp/script-url"
        help "instead of a link write a `<button>`, and call `addEventListener` in a script; instead of a `data:` URL write the script into \
              its element or into a file";

    /// An inline script or style that `csp` keeps from running.
    ///
    /// The digest of each inline script and style that is always the same is in the derived policy. What `csp` adds may take it away:
    /// `"'none'"` takes all that is derived from a directive.
    ///
    /// Take `"'none'"` out of `csp`, or the code out of the page.
    REFUSED_INLINE = Warning "csp/refused-inline"
        help "leave `'none'` out of `csp`, or the code out of the page";

    /// A guard, or `user`, where nothing says who asks.
    ///
    /// Who somebody is must be proved: by a token, by a name and a password, or by an upstream that knows the visitor's cookie.
    ///
    /// Declare an identity in `site.toml`, or name a source that knows:
    ///
    /// ```toml
    /// # in a route
    /// guard = { source = "me" }
    ///
    /// [sources.me]
    /// url = "https://id.example.com/me"
    /// forward-cookies = ["session"]
    /// ```
    NO_IDENTITY = Error "guard/no-identity";

    /// A guard whose source cannot say who asks.
    ///
    /// A guard asks its source before anything else of the request is read, with what the visitor carries: so the source needs a cookie or a
    /// field of the visitor's, and may not read other sources, query values or the page.
    ///
    /// Declare the source where the guard stands, with `forward-cookies` or `forward-headers`.
    GUARD_SOURCE = Error "guard/source";

    /// A route whose URL lies below the folder of a guarded section, and whose file lies elsewhere.
    ///
    /// Sections are folders of files, and visitors see URLs. Whoever reads the section would think that all URLs below it are guarded.
    ///
    /// Move the file into the folder, or write in it who may have the page: `[guard]`, or `guard = false` if it is for everybody.
    OUTSIDE_GUARD = Error "guard/outside";

    /// A route with `guard = false`: everybody may have it, whatever is guarded around it.
    ///
    /// A page to sign in must be open, and so must what it needs. This note lists the routes that are, so that they can be reviewed.
    ///
    /// Take `guard = false` away where the page is not for everybody.
    OPEN_ROUTE = Note "guard/open"
        help "sure that everybody may have it? Otherwise take `guard = false` away";

    /// A guard that sends whoever is not known to a page which the same guard keeps from them.
    ///
    /// Browsers would follow the redirect in a circle.
    ///
    /// Open the page to sign in: `guard = false` in its route, or a file outside of the section.
    GUARD_CIRCLE = Error "guard/circle";

    /// A guarded page that is declared to be kept by caches on the way.
    ///
    /// A cache between the server and its visitors gives what it keeps to everybody who asks for the URL; no guard is asked there. Our own
    /// store is behind the guard, and may keep what is the same for all who pass it.
    ///
    /// ```toml
    /// # in a route
    /// cache = { server = { max-age = "5m" } }
    /// ```
    GUARDED_PUBLIC = Error "cache/guarded";

    /// `form` in a route that takes nothing from its visitors.
    ///
    /// What visitors send is typed and bounded by what a route declares: `[form]` beside a `layout`, `[methods.post]` beside `json`. In other
    /// routes there is no `form`.
    ///
    /// Declare what the route takes, or read the value from `query`.
    NO_FORM = Error "form/none";

    /// What a route takes from its visitors cannot be taken so.
    ///
    /// Of several calls each has a name, by which its answer is read; the last may do without. Files are passed on by
    /// `format = "multipart"` alone. What stands in `rejected.errors` and `idempotency-key` are fields.
    ///
    /// ```toml
    /// # in a route
    /// layout = "contact.html"
    ///
    /// [form]
    /// send = { url = "https://desk.example.com/messages" }
    /// rejected = { errors.email = "$.errors.email" }
    ///
    /// [form.fields.email]
    /// type = "email"
    /// ```
    FORM = Error "form/form";

    /// Two routes set a cookie of the same name, and not the same cookie.
    ///
    /// `[cookies.theme]` reads what `[set-cookies.theme]` sets, wherever that stands: by its name in requests, and with its seal.
    ///
    /// Write `name`, `signed` and `sealed` alike, or give one of them another name.
    COOKIE_DIFFERS = Error "cookie/differs";

    /// A cookie that is to be signed or sealed, in a site without keys.
    ///
    /// What is signed is believed because nobody else has the key.
    ///
    /// Declare one, of 32 bytes or more, that is in the environment:
    ///
    /// ```toml
    /// # site.toml
    /// [cookie-keys]
    /// keys = ["{env.COOKIE_KEY}"]
    /// ```
    NO_COOKIE_KEYS = Error "cookie/no-keys";

    /// A route that sets a cookie, and is declared to be kept.
    ///
    /// Who is given a stored answer would be given somebody else's cookie, so an answer that sets one is never stored, by nobody.
    ///
    /// Take `cache` away, or set the cookie in the answer to a form.
    KEPT_COOKIE = Error "cookie/kept";
}
