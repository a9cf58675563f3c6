//! What a code is. Each floor declares its own codes with [`codes!`], beside the rules that use them.

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Worth knowing; nothing is wrong.
    Note,
    /// Probably not what the author means; the site serves.
    Warning,
    /// The site does not serve.
    Error,
}

impl Level {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Note, Self::Warning, Self::Error];

    /// The word that reports use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One rule: its name, how bad its findings are, and its documentation.
#[derive(Debug)]
pub struct Code {
    /// `area/what-is-wrong`.
    pub name: &'static str,
    /// The level of its findings.
    pub level: Level,
    /// What it means, why it is a rule, and how to mend it: Markdown.
    pub docs: &'static str,
}

/// Declares codes with their documentation, and `CODES`, the list of them.
///
/// ```
/// siteserver::diagnostic::codes! {
///     /// A key that nothing reads. Keys are checked at every depth, because a misspelt one would be ignored in silence.
///     UNKNOWN_KEY = Error "config/unknown-key";
/// }
/// assert_eq!(CODES[0].name, "config/unknown-key");
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __codes {
    ($( $(#[doc = $docs:literal])+ $name:ident = $level:ident $text:literal; )*) => {
        $(
            $(#[doc = $docs])+
            #[allow(unreachable_pub, reason = "a door re-exports what it wants of these")]
            pub static $name: $crate::diagnostic::Code = $crate::diagnostic::Code {
                name: $text,
                level: $crate::diagnostic::Level::$level,
                docs: concat!($($docs, "\n"),+),
            };
        )*
        /// Every code declared here.
        #[allow(unreachable_pub, dead_code, reason = "a door re-exports what it wants of these")]
        pub static CODES: &[&$crate::diagnostic::Code] = &[$(&$name),*];
    };
}

pub use crate::__codes as codes;
