//! The findings of this floor.

use crate::diagnostic::codes;

codes! {
    /// A layout that no route uses, or a partial that no layout calls.
    ///
    /// It may be left over, or the name of another one is misspelt, so that a visitor sees the wrong page.
    ///
    /// Name it in a route or call it, or remove the file.
    UNUSED_LAYOUT = Warning "layout/unused";

    /// An upstream that no source calls.
    ///
    /// It may be left over, with a credential that nobody needs any more, or a source writes a whole `url` where this upstream was meant.
    ///
    /// Name it in a source, `upstream = "shop"`, or leave it out.
    UNUSED_UPSTREAM = Warning "upstream/unused";

    /// A source with an address that no call may go to: this machine's, or a private network's.
    ///
    /// Calls go to the public Internet alone, so that nobody can make the server ask its own neighbours. Names are looked up when a call is
    /// made, and refused then.
    ///
    /// If the address is meant, say so:
    ///
    /// ```toml
    /// # site.toml
    /// [upstreams.shop]
    /// base-url = "http://127.0.0.1:8080"
    /// allow-private = true
    /// ```
    PRIVATE_ADDRESS = Warning "source/private-address";

    /// A redirect to a URL of this site that no route answers: visitors are sent to a 404.
    ///
    /// Only targets without placeholders are followed; where the others lead is known with a request.
    ///
    /// Correct the target, or write the route. A whole URL, `https://example.com/a`, is another site's and is not followed.
    REDIRECT_NOWHERE = Warning "redirect/nowhere";

    /// Redirects that lead back to where they began, or on for ever: no browser ever arrives.
    ///
    /// The circle may go through several routes, rules and outcomes of sources.
    ///
    /// Give one of them a target that is a page.
    REDIRECT_CIRCLE = Error "redirect/circle"
        help "give one of them a target that is a page";

    /// A layout asks for an absolute URL, and `site.url` does not say what it begins with.
    ///
    /// It is never taken from a request, because whoever sends one could choose it, and a cache would show it to everybody.
    ///
    /// ```toml
    /// # site.toml
    /// [site]
    /// url = "https://example.com"
    /// ```
    NEEDS_SITE_URL = Error "site/needs-url";

    /// An output with `| raw` is not escaped.
    ///
    /// That is right for markup that you wrote yourself, and a hole for anything else: data from outside can hold scripts. This note lists
    /// the places, so that they can be reviewed.
    ///
    /// Where the value comes from an upstream, give the field `type = "html"`: it is cleaned, and then needs no `raw`.
    RAW_OUTPUT = Note "layout/raw-output";

    /// A layout with `escape = "none"`: no value in it is escaped.
    ///
    /// That is right for a format that the server does not know, when every value is made ready for it by hand. Data from outside can change
    /// what such a page means, and in a page of markup it can hold scripts. This note lists the layouts, so that they can be reviewed.
    ///
    /// Take `escape` away where the format is HTML, XML, JSON or CSV, and print with `raw` what is markup already. A script is better a file
    /// that stays the same, and reads its data as JSON.
    UNESCAPED = Note "layout/unescaped"
        help "without `escape` each value is written for its place, and `raw` prints what is markup already";

    /// `| raw` on what comes from outside: from a visitor's request, or from a source that the site does not call trusted.
    ///
    /// Whoever chooses the value can run scripts in the page of everybody who opens it, with all that its visitors may do.
    ///
    /// For markup of an upstream, `type = "html"` in `extract` keeps what is harmless and drops the rest; such a field needs no `raw`. If all
    /// that a source gives is written by people who may write your site, say so:
    ///
    /// ```toml
    /// [sources.cms]
    /// trust = true
    /// ```
    RAW_OUTSIDE = Warning "layout/raw-outside";

    /// The value of a secret is written in a file of the site, or is in its address.
    ///
    /// What is in the files is in backups and repositories, and a page made of it is not sent: the value of a secret is looked for in
    /// everything that leaves. The finding names the variable, the file and the line, and does not show the line. It is a warning if the
    /// value is like an ordinary word (`env/word-secret`): only the pages that hold the word are not sent then.
    ///
    /// Take it out of the file. If it is no secret, it can as well be written as the default, and is not looked for if it is the same:
    /// `{env.STAGE:development}`. If the page is meant to have it, write it in `[vars]` or set it with `--set`, and do not name the
    /// variable in `headers` or `query`.
    ///
    /// A variable that gives `site.url` and is also sent to an upstream is such a value, too: every page prints the address. If it is no
    /// secret, say so, and it is not looked for:
    ///
    /// ```toml
    /// [env.SITE_URL]
    /// public = true
    /// ```
    WRITTEN_SECRET = Error "env/secret-written";
}
