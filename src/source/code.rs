//! The findings of this floor.

use crate::diagnostic::codes;

codes! {
    /// A source names an upstream that `[upstreams]` does not declare.
    ///
    /// Upstreams are declared once, in `site.toml`, so that their address, their credential and their limits stand in one place.
    ///
    /// Correct the name, declare the upstream, or write a whole `url` in the source:
    ///
    /// ```toml
    /// # site.toml
    /// [upstreams.shop]
    /// base-url = "https://shop.example.com/api"
    /// ```
    UNKNOWN_UPSTREAM = Error "source/unknown-upstream";

    /// A source without anything to read.
    ///
    /// The kind of a source is the one key that says where its data comes from. Without one there is nothing to do.
    ///
    /// Give it a whole `url`, or `upstream` with `path`; `route` for a JSON route of this site, `file` for a data file, `content` for
    /// documents, or `value` for data that is written in the route:
    ///
    /// ```toml
    /// # in a route
    /// [sources.repo]
    /// url = "https://api.example.com/repos/acme/anvil"
    /// ```
    NO_KIND = Error "source/no-kind";

    /// A source with keys of two kinds, such as `url` and `value`, or with a key that its kind does not use.
    ///
    /// One of the two would be ignored, and nobody could tell which.
    ///
    /// Keep the one that is meant; for data from two places declare two sources.
    TWO_KINDS = Error "source/two-kinds";

    /// An address that nothing can be fetched from, or whose host could be chosen from outside.
    ///
    /// An address is `http://` or `https://`, a host, and perhaps a port and a path. Scheme, host and port are literal, or come from the
    /// environment when the site starts: nothing from a request can choose where a call goes. Credentials do not belong in an address, which
    /// is logged and shown.
    ///
    /// ```toml
    /// # site.toml
    /// [upstreams.api]
    /// base-url = "{env.API_URL:https://api.example.com/v1}"
    /// headers = { authorization = "Bearer {env.API_TOKEN}" }
    /// ```
    BAD_ADDRESS = Error "source/bad-address"
        help "write it as `https://api.example.com/v1`";

    /// The machines of an upstream that are none, or are said twice; or `balance` where there is nothing to balance.
    ///
    /// `addresses` names the machines that share the work of an upstream, each with its port, because nothing else says it. `base-url` keeps
    /// saying the scheme, the `Host`, the name in the certificate and the path for all of them.
    ///
    /// ```toml
    /// # site.toml
    /// [upstreams.shop]
    /// base-url = "http://shop.internal/api"
    /// addresses = ["10.0.0.1:8080", "10.0.0.2:8080"]
    /// balance = "least-busy"
    /// allow-private = true
    /// ```
    BAD_ADDRESSES = Error "source/bad-addresses";

    /// A header that siteserver writes itself, that has a meaning between two neighbours only, or that is about the visitor's own request.
    ///
    /// `host`, `content-length`, `connection` and their like describe the connection that carries a call, which is not the visitor's.
    /// The `cookie` header is never sent as a whole, because it holds the cookies of everybody on that host. In `forward-headers` also
    /// `range` and the conditions (`if-none-match` and their like) are refused: they are about the page that the visitor asks for, and the
    /// upstream would answer them with a part of the data, or with none.
    ///
    /// Leave the header out; for cookies name those that the upstream needs: `forward-cookies = ["session"]`.
    RESERVED_HEADER = Error "source/reserved-header";

    /// A name that no header field or cookie can have.
    ///
    /// Such a name would break the request apart, or be dropped on the way. Names are made of letters, digits and `-`, `_`, `.` and a
    /// few more signs; no spaces, no colons, no quotes.
    ///
    /// Write the name alone, without colon and value: `forward-headers = ["accept-language"]`.
    BAD_NAME = Error "source/bad-name"
        help "a name is made of letters, digits, `-` and `_`; no spaces, no colon";

    /// A variable of the environment where its value would be shown or stored.
    ///
    /// What comes from the environment is a secret. It may stand in `headers` and `query` of upstreams and sources, which are sent to the
    /// upstream alone; in a title, a path or a JSON shape it would reach visitors, caches and logs.
    ///
    /// Send it in a header. A variable that is no secret is declared as `public` in `site.toml`, and may stand wherever a value may:
    ///
    /// ```toml
    /// # in site.toml
    /// [env.ANALYTICS_ID]
    /// public = true
    /// ```
    ///
    /// ```toml
    /// # in a route
    /// [sources.repo]
    /// url = "https://api.example.com/repos/acme/anvil"
    /// headers = { authorization = "Bearer {env.TOKEN}" }
    /// ```
    SECRET_OUT_OF_PLACE = Error "env/secret-out-of-place";

    /// A variable of the environment that is declared as public is used as a credential.
    ///
    /// The value of a public variable may stand in pages, and nothing that leaves the server is searched for it. What is sent in
    /// `authorization`, or admits to the admin listener, is rarely meant for everybody.
    ///
    /// If it is a secret, take `public` away. If the pages need something besides, give that a variable of its own.
    PUBLIC_CREDENTIAL = Warning "env/public-credential"
        help "take `public` away if it is a secret, and let pages read another variable";

    /// A selector that is not a query of RFC 9535.
    ///
    /// Selectors are compiled when the site loads, so that none fails while a visitor waits. They begin with `$`, the whole answer, and
    /// placeholders are never filled in.
    ///
    /// | Selector | Takes |
    /// |---|---|
    /// | `$.data.name` | one value |
    /// | `$['full name']` | a member whose name is no plain word |
    /// | `$.items[0]`, `$.items[-1]` | the first and the last item |
    /// | `$.items[*].id` | the `id` of every item: a list |
    /// | `$.items[?@.price < 10]` | the items for which it is true |
    BAD_SELECTOR = Error "extract/selector";

    /// An extraction that says two things at once, or nothing.
    ///
    /// With a `default` a value is never missing, so `required` beside it could never be true; `each` makes a list of records and has no
    /// `type` of its own; a field must say what it selects.
    ///
    /// Keep the one that is meant:
    ///
    /// ```toml
    /// # in a route
    /// [sources.repo]
    /// url = "https://api.example.com/repos/acme/anvil"
    ///
    /// [sources.repo.extract]
    /// title = { select = "$.full_name", required = true }
    /// stars = { select = "$.stargazers_count", type = "int", default = 0 }
    /// tags = { each = "$.tags[*]", fields = { name = "$.name" } }
    /// ```
    BAD_EXTRACTION = Error "extract/contradiction";

    /// A type that extraction does not know.
    ///
    /// The type says what a value must be, and what may be done with it in a page: text is escaped, `html` is cleaned and then markup,
    /// `markdown` is rendered.
    ///
    /// The types are `string`, `int`, `number`, `bool`, `date`, `url`, `html`, `markdown`, `list` and `object`. Without a type a value is
    /// taken as it comes.
    UNKNOWN_TYPE = Error "extract/unknown-type";

    /// `optional` and `fallback` on one source.
    ///
    /// `optional = true` leaves a source `nil` in trouble, and `fallback` puts something in its place: it cannot be both.
    ///
    /// Keep `fallback` if the page can show something, `optional` if it does without.
    OPTIONAL_WITH_FALLBACK = Error "source/optional-with-fallback";

    /// An outcome `"fallback"` on a source without a `fallback`.
    ///
    /// There would be nothing to put in the source's place.
    ///
    /// Write what stands for it, in the extracted shape, or choose `"omit"`:
    ///
    /// ```toml
    /// # in a route
    /// [sources.repo]
    /// url = "https://api.example.com/repos/acme/anvil"
    /// extract.stars = "$.stars"
    /// on-error = "fallback"
    /// fallback = { stars = 0 }
    /// ```
    NO_FALLBACK = Error "source/no-fallback";

    /// A fallback of another shape than the extraction makes: a field that no extraction makes, or no table at all.
    ///
    /// Pages read the fallback with the same names as the real answer. A field under another name would never be seen, and only on the
    /// day when the upstream fails.
    ///
    /// Give the fallback the names of the fields below `extract`. A field that is left out is `nil`.
    FALLBACK_SHAPE = Error "source/fallback-shape";

    /// An operation on a list, such as `sort` or `paginate`, on a source that gives none.
    ///
    /// The list is the source's value, or what its value holds as `items`. On anything else the operation would do nothing.
    ///
    /// Extract the list under that name:
    ///
    /// ```toml
    /// # in a route
    /// [sources.products]
    /// url = "https://shop.example.com/products"
    /// extract.items = { each = "$.data[*]", fields = { name = "$.name" } }
    /// sort = "name"
    /// ```
    NO_LIST = Error "list/no-list"
        help "extract the list as `items`: extract.items = { each = \"$.data[*]\", fields = { … } }";

    /// An operation on a list that can never do what it says: a condition without `item`, a list of no items, `where` on a page that the
    /// upstream has cut.
    ///
    /// The page would be empty, or lack what another page of the list holds, without a word.
    ///
    /// A condition asks each item: `where = "item.price > 10"`. Let the upstream filter and sort what it cuts into pages itself, by the values
    /// of `query`.
    LIST_CONTRADICTION = Error "list/contradiction"
        help "keep the one that is meant";

    /// A search that can find nothing: of a list that is none of documents, or for words that no request says.
    ///
    /// `search` looks through the texts of documents, for which an index is made when the site is loaded. Lists that come with a request have
    /// none, and whoever has them can search them better. What is looked for comes from the request; of a list of words there is no text.
    ///
    /// ```toml
    /// # routes/api/search.toml
    /// json.results = "{found}"
    ///
    /// [query.q]
    /// max-length = 100
    ///
    /// [sources.found]
    /// content = "docs/**"
    /// search = "{query.q}"
    /// limit = 20
    /// ```
    LIST_SEARCH = Error "list/search";

    /// A data file that is not there, that is none by its extension, or that a request could name freely.
    ///
    /// Data files stand below `content/` and are JSON, TOML, YAML or CSV. A name may hold a parameter only if that has an `enum`, so that all
    /// files are known, and checked, before the site serves.
    ///
    /// Correct the name, or give the parameter its values:
    ///
    /// ```toml
    /// path = "/{language}/prices"
    /// params.language.enum = ["en", "de"]
    ///
    /// [sources.prices]
    /// file = "data/prices-{params.language}.json"
    /// ```
    DATA_FILE = Error "file/name"
        help "a path below `content/` that ends in `.json`, `.toml`, `.yaml` or `.csv`";

    /// A data file that cannot be read: a mistake in its grammar, or more values than an answer of an upstream may have.
    ///
    /// Data files are read when the site loads, so that none fails while a visitor waits.
    ///
    /// Correct it where the message points. A file with too many values belongs behind an upstream, or `limits.json-nodes` is raised.
    BAD_DATA = Error "file/syntax"
        help "correct the file; nothing of it is used until it can be read";

    /// A data file that lacks what its source requires of it.
    ///
    /// The page could never be made: the file is the same for every request.
    ///
    /// Write the value into the file, correct the selector, or take `required` away and give a `default`.
    UNFIT_DATA = Error "file/lacks"
        help "write it into the file, or correct the selector";

    /// A value of a data file that is not of the type which its field declares.
    ///
    /// It counts as missing, as a misfit in an answer does: the field's `default` stands for it, or nothing does. An upstream may answer
    /// anything, but a file is the author's own. Empty cells of a table mean that there is nothing, and fit every type.
    ///
    /// Correct the file, or the `type`: `12,50` is no `number`, `12.50` is one.
    MISFIT = Warning "file/misfit"
        help "correct the file, or the `type`";

    /// The page of a list that is no integer query value of the route.
    ///
    /// The URLs of the neighbouring pages are made by changing that value, so it must be one that the route declares.
    ///
    /// ```toml
    /// # in a route
    /// [query.page]
    /// type = "int"
    /// min = 1
    /// default = 1
    ///
    /// [sources.products]
    /// value = ["a", "b", "c"]
    /// paginate = { page = "{query.page}", size = 2 }
    /// ```
    LIST_PAGE = Error "list/page";

    /// A call with two bodies, or with variables for none: `body`, `form`, `text` and `graphql` exclude each other.
    ///
    /// A request has one body; the others would be lost.
    ///
    /// Keep the one that the upstream reads. `variables` stand beside `graphql`.
    TWO_BODIES = Error "source/two-bodies"
        help "keep one of `body`, `form`, `text` and `graphql`";

    /// A body on a call that is declared to be a GET, which has none.
    ///
    /// Servers and caches on the way may drop it, or refuse the request (RFC 9110, section 9.3.1).
    ///
    /// Leave `method` out, and the call is a POST; or send the values as `query`.
    BODY_WITH_GET = Error "source/body-with-get"
        help "leave `method` out, or send the values as `query`";

    /// A call of another method than GET that is not said to only read.
    ///
    /// It is made each time the page is made, by whoever asks for it; it is never repeated, and never shared.
    ///
    /// If it only reads, as most GraphQL and search calls do, say so: `safe = true`.
    UNSAFE_METHOD = Warning "source/unsafe-method"
        help "if it only reads: safe = true";

    /// A call that only reads by what it is, and is declared not to.
    ///
    /// A GET reads (RFC 9110, section 9.2.1), and so does a GraphQL document without a mutation: both are repeated after a passing failure and
    /// shared by requests that make them at the same time, whatever `safe` says. If that would do harm, the call is of another method.
    ///
    /// Leave `safe` out, or write the method that the call really has: `method = "POST"`.
    SAFE = Error "source/safe"
        help "leave it out, or write the method that the call really has";

    /// A list is needed to do something for each of its items, and what is named is certainly none.
    ///
    /// Nothing would ever be called.
    ///
    /// Name a list: a source that gives one, or a field of the type `list` or with `each`.
    NOT_A_LIST = Error "source/not-a-list"
        help "name a source, or a field of one, that is a list";

    /// `cache` on a call that may change something.
    ///
    /// Such a call is made each time, as often as it is asked for: an answer that is kept would stand for a change that was not made.
    ///
    /// Leave it out. If the call only reads, as most GraphQL and search calls do, say so: `safe = true`.
    UNSAFE_CACHE = Error "source/unsafe-cache"
        help "leave it out, or, if the call only reads: safe = true";

    /// A directive in the `cache` of a source, or of an upstream, that says nothing there.
    ///
    /// That table is obeyed by siteserver alone, as the cache in front of the upstream. What browsers and networks may keep is said of the page
    /// that is made of the data, by `[cache]` of its route.
    ///
    /// ```toml
    /// # in a route
    /// [sources.products]
    /// url = "https://shop.example.com/products"
    /// cache = { max-age = "30s", stale-if-error = "1h" }
    ///
    /// [cache]
    /// s-maxage = "10s"
    /// ```
    CACHE_DIRECTIVE = Error "source/cache-directive";

    /// A `cache` of a source, or of an upstream, that cannot do what it says.
    ///
    /// `override` makes what is written hold against all that the upstream says, and without a time there is nothing to hold.
    ///
    /// Write the time, or leave `override` out.
    CACHE_CONTRADICTION = Error "source/cache-contradiction"
        help "keep the one that is meant";

    /// A sample that is not there, lies outside of the site's folder, or cannot be read as its source's format.
    ///
    /// A sample stands for an answer of the upstream: what cannot be read tells nothing about selectors.
    ///
    /// Keep one answer as a file of the site, and name it from the folder of `site.toml`: `sample = "fixtures/repo.json"`.
    BAD_SAMPLE = Error "sample/unreadable"
        help "write one answer of the upstream into the file, as it came";

    /// A selector finds nothing in the sample of its source.
    ///
    /// It is misspelt, or the upstream answers differently: its field would be at its default, or the source in trouble, each time.
    ///
    /// Compare the selector with the sample, name by name.
    SAMPLE_FINDS_NOTHING = Warning "sample/finds-nothing"
        help "compare the selector with the sample, name by name";

    /// A selector finds something in the sample that its type does not fit.
    ///
    /// A misfit counts as missing: its field would be at its default, or the source in trouble.
    ///
    /// Name the type that the sample has, or select what is meant.
    SAMPLE_MISFIT = Warning "sample/misfit"
        help "name the type that the sample has, or select what is meant";
}
