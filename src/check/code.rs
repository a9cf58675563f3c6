//! The findings of this floor.

use crate::diagnostic::codes;

codes! {
    /// A layout that no route uses, or a partial that no layout calls. It may be left over, or the name of another one is misspelt.
    UNUSED_LAYOUT = Warning "layout/unused";
    /// An upstream that no source calls.
    UNUSED_UPSTREAM = Warning "upstream/unused";
    /// A source with an address that no call may go to: it is this machine's or a private network's, and calls go to the public Internet alone
    /// unless `allow-private = true` says otherwise. Names are looked up when a call is made, and refused then.
    PRIVATE_ADDRESS = Warning "source/private-address";
    /// A redirect to a URL of this site that no route answers: visitors are sent to a 404.
    REDIRECT_NOWHERE = Warning "redirect/nowhere";
    /// Redirects that lead back to where they began: no browser ever arrives.
    REDIRECT_CIRCLE = Error "redirect/circle";
    /// A layout asks for an absolute URL, and `site.url` does not say what it begins with. It is never taken from a request, because whoever
    /// sends one could choose it.
    NEEDS_SITE_URL = Error "site/needs-url";
    /// An output with `| raw` is not escaped. That is right for markup that you trust, and a hole for anything else: data from outside
    /// can hold scripts. Give the field `type = "html"` to have it cleaned instead.
    RAW_OUTPUT = Note "layout/raw-output";
}
