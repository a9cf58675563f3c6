//! The findings of this floor.

use crate::diagnostic::codes;

codes! {
    /// A file of the site cannot be read: it is missing, it is a folder, or permission is denied.
    UNREADABLE = Error "config/unreadable";
    /// A file is larger than any declaration needs to be. Data belongs in files that a route or a source names.
    TOO_LARGE = Error "config/too-large";
    /// More files, or deeper folders, than a site may have.
    TOO_MANY = Error "config/too-many-files";
    /// A file is not UTF-8. TOML, layouts and Markdown are UTF-8 by definition.
    NOT_UTF8 = Error "config/not-utf8";
    /// A name that is not UTF-8. No URL and no declaration can name such a file, so it is passed over.
    ODD_NAME = Warning "config/odd-name";
    /// The text is not TOML. The place is where the parser stopped understanding.
    SYNTAX = Error "config/syntax";
    /// Tables nested deeper than any declaration needs.
    TOO_DEEP = Error "config/too-deep";
    /// A key that nothing reads. Keys are checked at every depth, because a misspelt one would be ignored in silence.
    UNKNOWN_KEY = Error "config/unknown-key";
    /// A key in a free table (`vars`, `json`, …) that is a key of the file itself: it probably slipped below the table's header.
    SLIPPED_KEY = Warning "config/slipped-key";
    /// A value of another type than the key takes.
    WRONG_TYPE = Error "config/wrong-type";
    /// A value of the right type that the key does not take.
    BAD_VALUE = Error "config/bad-value";
    /// A key that must be there is not.
    MISSING_KEY = Error "config/missing-key";
    /// A duration, a size or a rate without its unit. `"10s"`, `"250ms"`, `"64KiB"`: a bare number would mean something else to
    /// everybody who reads it.
    BARE_NUMBER = Error "config/bare-number";
    /// A placeholder that cannot be read: `{name.field}` is a path of names, `{'{'}` is a brace.
    BAD_PLACEHOLDER = Error "placeholder/syntax";
    /// Two braces. Liquid's `{{ … }}` is for layouts; in TOML one brace is a placeholder.
    DOUBLE_BRACE = Error "placeholder/double-brace";
    /// A placeholder in a string that is never filled in.
    PLACEHOLDER_NOT_READ = Error "placeholder/not-read-here";
    /// A `--set` argument that is not `KEY=VALUE`, or whose key is not a path of names.
    BAD_SET = Error "config/bad-set";
    /// An environment variable that the site names, without a default, is not set.
    ENV_UNSET = Error "env/unset";
}
