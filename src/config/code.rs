//! The findings of this floor.

use crate::diagnostic::codes;

codes! {
    /// A file of the site cannot be read: it is a folder, permission is denied, or the disk fails.
    ///
    /// A site is compiled from all of its files or not at all, because a page that silently lacks a part is worse than a site that says what
    /// is wrong.
    ///
    /// Make the file readable for the user that runs siteserver, or take it away.
    UNREADABLE = Error "config/unreadable"
        help "make it a regular file that siteserver may read, or take it away";

    /// A declaration, a layout or a document is larger than 8 MiB.
    ///
    /// Such files are read whole and kept in memory, so one of this size is data and no declaration: it would slow down every load.
    ///
    /// Move data into a file that a route publishes, or behind an upstream, and declare only where it is.
    TOO_LARGE = Error "config/too-large";

    /// More files, or deeper folders, than a site may have: 250,000 files, 32 folders within folders.
    ///
    /// The bound keeps a folder that was mounted or linked into the site by mistake from being read for ever.
    ///
    /// Look for a folder below `routes/`, `layouts/` or `content/` that does not belong there, such as a checkout or a build.
    TOO_MANY = Error "config/too-many-files"
        help "take out what does not belong to the site, such as a checkout or a build";

    /// A file is not UTF-8.
    ///
    /// TOML, layouts and Markdown are UTF-8 by definition; bytes of another encoding would come out as other characters.
    ///
    /// Save the file as UTF-8. `iconv -f latin1 -t utf8` converts what an old editor wrote.
    NOT_UTF8 = Error "config/not-utf8";

    /// A file whose name is not UTF-8.
    ///
    /// No URL and no declaration can name it, so it is passed over.
    ///
    /// Rename it.
    ODD_NAME = Warning "config/odd-name"
        help "rename it";

    /// Something in the site's folders that is neither a file nor a folder: a symbolic link, a pipe, a socket, a device.
    ///
    /// It is passed over. A link may lead anywhere on the machine, and what it leads to can change without a trace in the site; a pipe
    /// would keep its reader waiting. The site's own folder, and `site.toml`, may be reached over links.
    ///
    /// Put a copy in its place, or remove it. What is mounted over a folder is no link.
    PASSED_OVER = Warning "config/passed-over"
        help "put a regular file in its place, or remove it";

    /// The text is not TOML. The place is where the parser stopped understanding; the mistake may stand a little before it.
    ///
    /// A file that can be read only in part says nothing certain, so nothing else is said about it until it can be read.
    ///
    /// Most often a quote or a bracket is missing, a string has no quotes at all, or a key stands twice in one table:
    ///
    /// ```toml
    /// title = "About us"        # not: title = About us
    /// tags = ["a", "b"]         # not: tags = ["a", "b"
    /// ```
    SYNTAX = Error "config/syntax"
        help "strings stand in quotes, quotes and brackets are closed, and each key stands once";

    /// Tables or arrays nested deeper than 64 levels.
    ///
    /// No declaration nests so deeply; what does is data, or a file made to exhaust its reader.
    ///
    /// Move the data into a JSON file and let a source or a route name it.
    TOO_DEEP = Error "config/too-deep";

    /// A key that nothing reads.
    ///
    /// Keys are checked at every depth, because a misspelt one would be ignored in silence: `s-max-age` would cache nothing, and nobody
    /// would know why. Tables whose keys are the author's own are free: `vars`, `json`, `value`, `fallback`, and the names in `params`,
    /// `query`, `headers` and `extract`.
    ///
    /// Correct the spelling; the help names the key that is nearest, or all keys of the table. Keys are written in kebab-case: `max-age`,
    /// not `max_age`. Data of your own belongs below `[vars]`:
    ///
    /// ```toml
    /// [vars]
    /// colour = "green"
    /// ```
    UNKNOWN_KEY = Error "config/unknown-key";

    /// A key of the file itself stands in a table whose keys are free: it probably slipped below the table's header.
    ///
    /// In TOML everything after a `[header]` belongs to that table, up to the next header. In a table like `[vars]` any key is allowed, so
    /// `layout` below it is data and sets no layout.
    ///
    /// Write the file's own keys above its first header:
    ///
    /// ```toml
    /// layout = "page.html"      # above
    ///
    /// [vars]
    /// colour = "green"
    /// ```
    SLIPPED_KEY = Warning "config/slipped-key";

    /// A value of another type than the key takes: a string where a number belongs, a table where a string does.
    ///
    /// Nothing is converted silently, because `"false"` is not `false` and `"10"` may be meant as a name.
    ///
    /// Write the type that the message asks for:
    ///
    /// ```toml
    /// status = 404              # not: status = "404"
    /// optional = true           # not: optional = "yes"
    /// ```
    WRONG_TYPE = Error "config/wrong-type";

    /// A value of the right type that the key does not take: an unknown word, a number that is too large, a text of another form.
    ///
    /// It is refused and not replaced by a default, because whoever wrote it meant something by it.
    ///
    /// The message says what is allowed; `siteserver schema` gives editors the same list while you type.
    BAD_VALUE = Error "config/bad-value"
        help "write one of the values that the key takes, or leave it out";

    /// A number beyond what the key can mean, such as no connections at all or a thousand retries.
    ///
    /// It would have to be bent into range, and then the site would do something else than it says.
    ///
    /// Write a number within the bounds that the message names, or leave the key out and have its default.
    OUT_OF_RANGE = Error "config/out-of-range";

    /// A key that must be there is not, such as `base-url` of an upstream.
    ///
    /// There is no default that would be right: only the author knows where an upstream is.
    ///
    /// Add the key:
    ///
    /// ```toml
    /// [upstreams.shop]
    /// base-url = "https://shop.example.com/api"
    /// ```
    MISSING_KEY = Error "config/missing-key";

    /// A duration, a size or a rate without its unit.
    ///
    /// A bare number means seconds to one reader and milliseconds to the next, so it is refused everywhere.
    ///
    /// Write number and unit as a string: `"250ms"`, `"10s"`, `"1h30m"`, `"7d"`; `"64KiB"`, `"2MiB"`.
    BARE_NUMBER = Error "config/bare-number";

    /// A placeholder that cannot be read.
    ///
    /// A placeholder is a path of names in braces, `{params.id}`, and nothing else: no filters, no expressions, no spaces. What needs more
    /// belongs in a layout, or into `value` of a source.
    ///
    /// Write the path, close the brace, and write a brace that is meant as such as `{'{'}` or `{'}'}`.
    BAD_PLACEHOLDER = Error "placeholder/syntax";

    /// Two braces in TOML.
    ///
    /// Liquid's `{{ … }}` is for layouts. In TOML one brace is a placeholder; two would be a placeholder within a placeholder.
    ///
    /// ```toml
    /// title = "{repo.title}"    # not: title = "{{ repo.title }}"
    /// ```
    DOUBLE_BRACE = Error "placeholder/double-brace";

    /// A placeholder in a string that is never filled in.
    ///
    /// Names of layouts, patterns, selectors, policies and the settings of upstreams are fixed when the site loads, so that it can be checked
    /// as a whole; `vars`, `fallback` and defaults are data as it is written. A placeholder there would be shown, sent or matched as it stands. In data
    /// it is an error if it names a variable of the environment, and a warning if it begins with the name of a scope.
    ///
    /// Write what the value is, or give it when the server is started: `--set defaults.csp.report-uri=…`. For a choice between layouts write a route
    /// for each, or one layout with `{% if %}`; what changes with a request belongs to a source and not to an upstream. Data with
    /// placeholders is the `value` of a source.
    PLACEHOLDER_NOT_READ = Error "placeholder/not-read-here";

    /// A `--set` argument that is not `KEY=VALUE`, or whose key is not a path of names.
    ///
    /// The value is read as TOML, or else as a string; the shell must be kept from reading the quotes.
    ///
    /// ```sh
    /// siteserver --set 'server.listen=["127.0.0.1:8080"]' --set site.name=Shop
    /// ```
    BAD_SET = Error "config/bad-set";

    /// An environment variable that the site names, without a default, is not set.
    ///
    /// A site that starts without its credentials would fail request by request, later, where nobody looks. In `check` this is a warning,
    /// because a site is often checked on another machine than the one that serves it.
    ///
    /// Set the variable for the process that serves, or give a default: `{env.SHOP_URL:http://localhost:8080}`.
    ENV_UNSET = Error "env/unset";

    /// A secret of fewer than eight bytes.
    ///
    /// The values of secrets are looked for in every page, error and log line before it leaves, so that none gets out by way of an upstream
    /// that repeats what it was sent. A value as short as this one is in too many words to be looked for; besides, it is soon guessed. Where
    /// it may stand is checked as for any other.
    ///
    /// Use a longer one, if whoever issues it lets you.
    SHORT_SECRET = Note "env/short-secret";

    /// The value of a secret is like an ordinary word: letters only, and few of them.
    ///
    /// The values of secrets are looked for in everything that leaves, and what holds one is not sent. With `development`, `password` or
    /// `localhost` as a value, each page that has the word in it is a 500. The finding names the variable and does not show the value.
    ///
    /// Choose a value that cannot be guessed. If it is no secret, say so, and it is not looked for:
    ///
    /// ```toml
    /// # in site.toml
    /// [env.STAGE]
    /// public = true
    /// ```
    WORD_SECRET = Warning "env/word-secret";
}
