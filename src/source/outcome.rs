//! What a source's failure becomes: every failure has a declared outcome.

use super::code;
use crate::config::{
    Binding, Declared, Decode, Described, Node, Reference, Schema, Template, declare, not_a_word, words, wrong_type,
};
use crate::diagnostic::{Finding, Findings, Spanned};
use crate::value::Value;

words! {
    /// What becomes of a page when a source cannot be had: unreachable, too slow, 5xx, too large, unreadable, `required` missing.
    pub enum OnError {
        /// The page fails with 502 or 504.
        "fail": Fail,
        /// The source's `fallback` stands for it.
        "fallback": Fallback,
        /// The source is `nil`.
        "omit": Omit,
    }
}

words! {
    /// What becomes of a page when a source says 404 or 410, or `required = "not-found"` is missing.
    pub enum OnNotFound {
        /// The page answers 404.
        "not-found": NotFound,
        /// The source's `fallback` stands for it.
        "fallback": Fallback,
        /// The source is `nil`.
        "omit": Omit,
        /// The page fails with 502.
        "fail": Fail,
    }
}

/// What becomes of a page when the upstream refuses the visitor's own credential (401, 403).
#[derive(Debug, Clone)]
pub enum OnUnauthorized<R = Reference> {
    /// The page answers with the same status.
    Status,
    /// The visitor is sent elsewhere (302).
    Redirect(Template<R>),
    /// The source is `nil`.
    Omit,
    /// The page fails with 502.
    Fail,
}

const UNAUTHORIZED_WORDS: &[&str] = &["status", "omit", "fail"];

impl Described for OnUnauthorized {
    fn schema() -> Schema {
        Schema::Either(vec![Schema::words(UNAUTHORIZED_WORDS.iter().copied()), RedirectDecl::schema()])
    }
}

declare! {
    /// Sends the visitor elsewhere.
    struct RedirectDecl {
        /// Where: a path of this site, or a whole URL. Sent with 302.
        "redirect": redirect: Template,
    }
}

impl Decode for OnUnauthorized {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        if let Some(table) = node.as_table() {
            if table.is_empty() {
                findings.push(wrong_type(node, "`{ redirect = \"/login\" }`"));
            }
            return RedirectDecl::read(table, findings).redirect.map(Self::Redirect);
        }
        match node.as_text().map(|text| text.content.as_str()) {
            Some("status") => Some(Self::Status),
            Some("omit") => Some(Self::Omit),
            Some("fail") => Some(Self::Fail),
            word => {
                findings.push(not_a_word(node, word, UNAUTHORIZED_WORDS));
                None
            }
        }
    }
}

/// The outcomes of one source.
#[derive(Debug, Clone)]
pub struct Outcomes<R = Reference> {
    /// Of an error.
    pub on_error: OnError,
    /// Of an absence.
    pub on_not_found: OnNotFound,
    /// Of a refusal.
    pub on_unauthorized: OnUnauthorized<R>,
    /// What stands for the source.
    pub fallback: Option<Value>,
    /// Whether the author wrote what an absence becomes: by `on-not-found`, `fallback` or `optional`.
    pub absence_is_declared: bool,
}

/// The keys that declare outcomes, as written.
#[derive(Debug)]
pub(super) struct Written<'d> {
    pub optional: Option<&'d Spanned<bool>>,
    pub fallback: Option<&'d Spanned<Node>>,
    pub on_error: Option<&'d Spanned<OnError>>,
    pub on_not_found: Option<&'d Spanned<OnNotFound>>,
    pub on_unauthorized: Option<&'d Spanned<OnUnauthorized>>,
}

impl Outcomes {
    /// The outcomes that the keys say together: `optional` and `fallback` change the defaults, a written `on-*` wins.
    pub(super) fn compile(written: &Written<'_>, findings: &mut Findings) -> Self {
        let optional = written.optional.is_some_and(|optional| optional.value);
        if let (Some(flag), Some(fallback), true) = (written.optional, written.fallback, optional) {
            findings.push(
                Finding::new(&code::OPTIONAL_WITH_FALLBACK, flag.place, "`optional` beside `fallback`")
                    .related(fallback.place, "the fallback")
                    .help("keep the one that is meant"),
            );
        }
        let has_fallback = written.fallback.is_some();
        let (error, not_found, unauthorized) = match (optional, has_fallback) {
            (true, _) => (OnError::Omit, OnNotFound::Omit, OnUnauthorized::Omit),
            (false, true) => (OnError::Fallback, OnNotFound::Fallback, OnUnauthorized::Status),
            (false, false) => (OnError::Fail, OnNotFound::NotFound, OnUnauthorized::Status),
        };
        let without = |place, key: &str, findings: &mut Findings| {
            let message = format!("`{key} = \"fallback\"` without a `fallback`");
            findings.push(
                Finding::new(&code::NO_FALLBACK, place, message)
                    .help("write what stands for the source: `fallback = …`"),
            );
        };
        if let Some(written) = written.on_error.filter(|on_error| on_error.value == OnError::Fallback && !has_fallback)
        {
            without(written.place, "on-error", findings);
        }
        if let Some(written) = written.on_not_found.filter(|on| on.value == OnNotFound::Fallback && !has_fallback) {
            without(written.place, "on-not-found", findings);
        }
        Self {
            on_error: written.on_error.map_or(error, |on_error| on_error.value),
            on_not_found: written.on_not_found.map_or(not_found, |on_not_found| on_not_found.value),
            on_unauthorized: written.on_unauthorized.map_or(unauthorized, |on| on.value.clone()),
            fallback: written.fallback.map(|node| node.value.to_value()),
            absence_is_declared: optional || has_fallback || written.on_not_found.is_some(),
        }
    }

    /// The same outcomes with placeholders resolved.
    pub(super) fn link(&self, resolve: &mut impl FnMut(&Reference) -> Option<Binding>) -> Option<Outcomes<Binding>> {
        Some(Outcomes {
            on_error: self.on_error,
            on_not_found: self.on_not_found,
            on_unauthorized: match &self.on_unauthorized {
                OnUnauthorized::Status => OnUnauthorized::Status,
                OnUnauthorized::Redirect(template) => OnUnauthorized::Redirect(template.try_map(resolve)?),
                OnUnauthorized::Omit => OnUnauthorized::Omit,
                OnUnauthorized::Fail => OnUnauthorized::Fail,
            },
            fallback: self.fallback.clone(),
            absence_is_declared: self.absence_is_declared,
        })
    }
}

/// What went wrong with a source, whatever its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It could not be had; `late` if for lack of time.
    Error {
        /// Whether time ran out: the page then fails with 504, else 502.
        late: bool,
        /// What the log says: a word or two without anything secret.
        reason: &'static str,
    },
    /// It does not exist.
    NotFound,
    /// The visitor's own credential was refused.
    Unauthorized {
        /// 401 or 403.
        status: u16,
    },
    /// The request holds what no call can be made with. No outcome is declared for that: it is the request that is wrong, not the source.
    BadRequest,
}

impl Trouble {
    /// The word for the access log.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Error { reason, .. } => reason,
            Self::NotFound => "not-found",
            Self::Unauthorized { .. } => "unauthorized",
            Self::BadRequest => "bad-request",
        }
    }
}

/// What a source came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Settled {
    /// Its value.
    Whole(Value),
    /// Something else stands for it, and the page is degraded: its fallback, or nothing.
    Degraded(Value),
    /// The page cannot be made.
    Fatal(Fatal),
}

/// How a source ends the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fatal {
    /// With the status of the refusal.
    Unauthorized {
        /// 401 or 403.
        status: u16,
    },
    /// By sending the visitor elsewhere.
    Redirect {
        /// The target.
        location: String,
    },
    /// With the page's 404.
    NotFound,
    /// With 400.
    BadRequest,
    /// With 502, or 504 if time ran out.
    Fail {
        /// Whether time ran out.
        late: bool,
    },
}

impl Fatal {
    /// When several sources fail, the lowest rank decides: a bad request, then unauthorized, then not-found, then fail.
    pub fn rank(&self) -> u8 {
        match self {
            Self::BadRequest => 0,
            Self::Unauthorized { .. } | Self::Redirect { .. } => 1,
            Self::NotFound => 2,
            Self::Fail { .. } => 3,
        }
    }
}

impl Outcomes<Binding> {
    /// What `trouble` becomes for the page.
    pub fn settle(&self, trouble: &Trouble, slots: &[Value]) -> Settled {
        let fallback = || Settled::Degraded(self.fallback.clone().unwrap_or_default());
        let omit = || Settled::Degraded(Value::Null);
        match trouble {
            Trouble::Error { late, .. } => match self.on_error {
                OnError::Fail => Settled::Fatal(Fatal::Fail { late: *late }),
                OnError::Fallback => fallback(),
                OnError::Omit => omit(),
            },
            Trouble::NotFound => match self.on_not_found {
                OnNotFound::NotFound => Settled::Fatal(Fatal::NotFound),
                OnNotFound::Fallback => fallback(),
                OnNotFound::Omit => omit(),
                OnNotFound::Fail => Settled::Fatal(Fatal::Fail { late: false }),
            },
            Trouble::BadRequest => Settled::Fatal(Fatal::BadRequest),
            Trouble::Unauthorized { status } => match &self.on_unauthorized {
                OnUnauthorized::Status => Settled::Fatal(Fatal::Unauthorized { status: *status }),
                OnUnauthorized::Omit => omit(),
                OnUnauthorized::Fail => Settled::Fatal(Fatal::Fail { late: false }),
                OnUnauthorized::Redirect(template) => {
                    let redirect = |location| Settled::Fatal(Fatal::Redirect { location });
                    template.location(slots).map_or(Settled::Fatal(Fatal::Fail { late: false }), redirect)
                }
            },
        }
    }
}
