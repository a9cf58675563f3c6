//! Cookies that an answer sets (RFC 6265, section 4.1): what an author writes, and the attributes that follow.
//!
//! What nobody has asked for is safe: no script reads such a cookie, no plain connection carries it, no other site's form sends it, and no
//! neighbour of the same domain sets it.

use super::code;
use crate::config::{Binding, Declared as _, MISSING_KEY, Reference, Template, declare, format_duration, words};
use crate::diagnostic::{Finding, Findings, Place, Spanned};
use crate::identity::Seal;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

declare! {
    /// A cookie that an answer sets: with a form or methods, the answer to what somebody has sent and that was taken; else every answer. Null
    /// sets nothing. What sets a cookie is never stored.
    pub struct SetCookieDecl requires ["value"] {
        /// What it holds: `value = "{form.theme}"`.
        "value": value: Spanned<Template>,
        /// Its name in requests and answers; default `__Host-` and its name here, which no neighbouring host can set, and with another `path`, a
        /// `domain` or `secure = false` its name here. `[cookies]` of the same name read it, with its seal.
        "name": name: Spanned<String>,
        /// How long browsers keep it; default until they are closed. `"0s"` removes it.
        "max-age": max_age: Spanned<Duration>,
        /// Below which path it is sent; default `"/"`.
        "path": path: Spanned<String>,
        /// To which domain's hosts it is sent; default to this host alone.
        "domain": domain: Spanned<String>,
        /// Whether it is sent with requests that begin at other sites; default `"lax"`.
        "same-site": same_site: Spanned<SameSite>,
        /// Whether it is sent over TLS alone; default `true`. Browsers take this machine's own addresses for safe without TLS.
        "secure": secure: Spanned<bool>,
        /// Whether scripts cannot read it; default `true`.
        "http-only": http_only: Spanned<bool>,
        /// Whether it is signed with `[cookie-keys]`: everybody may read it, and nobody can change it; default `false`.
        "signed": signed: Spanned<bool>,
        /// Whether it is encrypted with `[cookie-keys]`: nobody can read it or change it; default `false`.
        "sealed": sealed: Spanned<bool>,
    }
}

words! {
    /// Which requests carry a cookie (RFC 6265bis, section 5.6.7).
    pub enum SameSite {
        /// Those that begin at this site.
        "strict": Strict,
        /// Those, and links that lead here.
        "lax": Lax,
        /// All.
        "none": None,
    }
}

/// A cookie that an answer sets.
#[derive(Debug, Clone)]
pub struct SetCookie<R = Binding> {
    /// What the author calls it.
    pub key: Arc<str>,
    /// Its name in requests and answers.
    pub name: Arc<str>,
    /// Its value.
    pub value: Template<R>,
    /// How long it lasts; as long as the browser is open, if nothing is said.
    pub lasts: Option<Duration>,
    /// What is done to its value.
    pub seal: Option<Seal>,
    /// What follows the value in the field.
    pub attributes: Arc<str>,
    /// Where it was written.
    pub place: Place,
}

/// What begins the names of cookies that only this host can have set (RFC 6265bis, section 4.1.3.2).
const HOST: &str = "__Host-";
/// The same of cookies that came over TLS.
const SECURE: &str = "__Secure-";

impl SetCookie<Reference> {
    /// What is written of the cookie `key`.
    pub fn compile(key: &Spanned<String>, decl: &SetCookieDecl, findings: &mut Findings) -> Option<Self> {
        let before = findings.len();
        let is = |said: &Option<Spanned<bool>>, default| said.map_or(default, |said| said.value);
        let (secure, http_only) = (is(&decl.secure, true), is(&decl.http_only, true));
        let path = decl.path.as_ref().map_or("/", |path| &path.value);
        let domain = decl.domain.as_ref().map(|domain| domain.value.trim_start_matches('.').to_ascii_lowercase());
        let mut wrong = |place: Place, message: String, help: &str| {
            findings.push(Finding::new(&code::BAD_COOKIE, place, message).help(help));
        };
        let is_plain = |text: &str| text.bytes().all(|byte| (0x20..0x7f).contains(&byte) && byte != b';');
        if let Some(path) = decl.path.as_ref().filter(|path| !path.value.starts_with('/') || !is_plain(&path.value)) {
            wrong(path.place, format!("`{}` is not the path of a cookie", path.value), "path = \"/shop\"");
        }
        if let Some(written) = &decl.domain {
            let is_host = crate::router::Authority::parse(domain.as_deref().unwrap_or_default())
                .is_ok_and(|host| host.port().is_none());
            if !is_host {
                wrong(written.place, format!("`{}` is not a domain", written.value), "domain = \"example.com\"");
            }
        }
        let is_of_host = secure && path == "/" && domain.is_none();
        let name = decl.name.as_ref().map_or_else(
            || if is_of_host { format!("{HOST}{}", key.value) } else { key.value.clone() },
            |name| name.value.clone(),
        );
        let name_at = decl.name.as_ref().map_or(key.place, |name| name.place);
        if !is_token(&name) {
            wrong(
                name_at,
                format!("`{name}` is not the name of a cookie"),
                "letters, digits, `-` and `_`: name = \"theme\"",
            );
        }
        let begins = |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        if begins(HOST) && !is_of_host {
            let message = format!("browsers refuse `{name}` unless it is `secure`, for the path `/` and for no domain");
            wrong(name_at, message, "give it another name, or leave `path`, `domain` and `secure` out");
        } else if begins(SECURE) && !secure {
            wrong(name_at, format!("browsers refuse `{name}` unless it is `secure`"), "leave `secure = false` out");
        }
        let same_site = decl.same_site.map_or(SameSite::Lax, |said| said.value);
        if let Some(said) = decl.same_site.filter(|said| said.value == SameSite::None && !secure) {
            let message = "browsers refuse a cookie for all sites that is not `secure`".to_owned();
            wrong(said.place, message, "leave `secure = false` out");
        }
        let seal = match (is(&decl.signed, false), is(&decl.sealed, false)) {
            (true, true) => {
                let place = decl.signed.map_or(decl.place, |signed| signed.place);
                wrong(
                    place,
                    "`signed` beside `sealed`".to_owned(),
                    "what is sealed cannot be changed either: leave `signed` out",
                );
                None
            }
            (true, false) => Some(Seal::Signed),
            (false, true) => Some(Seal::Sealed),
            (false, false) => None,
        };
        let lasts = decl.max_age.map(|said| said.value);
        let mut attributes = format!("; Path={path}");
        if let Some(domain) = domain {
            write!(attributes, "; Domain={domain}").unwrap_or_default();
        }
        if let Some(lasts) = lasts {
            write!(attributes, "; Max-Age={}", lasts.as_secs()).unwrap_or_default();
        }
        attributes.push_str(if secure { "; Secure" } else { "" });
        attributes.push_str(if http_only { "; HttpOnly" } else { "" });
        attributes.push_str(match same_site {
            SameSite::Strict => "; SameSite=Strict",
            SameSite::Lax => "; SameSite=Lax",
            SameSite::None => "; SameSite=None",
        });
        let Some(value) = decl.value.as_ref().map(|value| value.value.clone()) else {
            if !decl.is_lost("value") {
                let message = format!("the cookie `{}` has no `value`", key.value);
                let help = "value = \"{query.theme}\", or \"\" with max-age = \"0s\" to remove it";
                findings.push(Finding::new(&MISSING_KEY, key.place, message).help(help));
            }
            return None;
        };
        (findings.len() == before).then(|| Self {
            key: key.value.as_str().into(),
            name: name.into(),
            value,
            lasts,
            seal,
            attributes: attributes.into(),
            place: key.place,
        })
    }

    /// The same with its names resolved.
    pub fn link(&self, mut resolve: impl FnMut(&Reference) -> Option<Binding>) -> Option<SetCookie> {
        Some(SetCookie {
            key: Arc::clone(&self.key),
            name: Arc::clone(&self.name),
            value: self.value.try_map(&mut resolve)?,
            lasts: self.lasts,
            seal: self.seal,
            attributes: Arc::clone(&self.attributes),
            place: self.place,
        })
    }
}

impl<R> SetCookie<R> {
    /// How long it lasts, in words.
    pub fn lasting(&self) -> String {
        self.lasts.map_or_else(|| "until the browser is closed".to_owned(), format_duration)
    }
}

/// Whether a text is a token (RFC 9110, section 5.6.2), as names of cookies are.
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
