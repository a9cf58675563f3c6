//! `[auth]` and `[cookie-keys]` as they are written in `site.toml`.

use crate::config::{Described, Named, Node, OneOrMany, Schema, Template, declare};
use crate::diagnostic::Spanned;
use crate::identity::Algorithm;
use crate::source::{CallMethod, CallingDecl, QueryValue, Selects, TypeName};
use std::time::Duration;

declare! {
    /// By what it is known who a visitor is. Without a guard it is optional: `user` is nobody where a request carries no credential. The first
    /// of these that a request carries a credential for says who it is, in the order `jwt`, `basic`, `forward`.
    pub(in crate::site) struct AuthDecl {
        /// Tokens: JSON Web Tokens, as `Authorization: Bearer` or in a cookie. Their claims are `user`.
        "jwt": jwt: JwtDecl,
        /// Names and passwords: `Authorization: Basic`. What the file says of a user is `user`, with the name as `user.name`.
        "basic": basic: BasicDecl,
        /// An upstream that is asked who the visitor is, with the visitor's credential. What is taken of its answer is `user`: an answer of 2xx is
        /// somebody, 401, 403 and 404 are nobody, and everything else is a 503.
        "forward": forward: Node as ForwardDecl,
    }
}

declare! {
    /// Tokens, and which of them are believed. Each has an end (`exp`), unless `max-age` gives it one.
    pub(in crate::site) struct JwtDecl requires ["algorithm"] {
        /// What they are signed with, one or a list. A token that names another algorithm is refused, and so is one whose key is of another type.
        "algorithm": algorithm: Spanned<OneOrMany<Algorithm>>,
        /// Where the issuer publishes its keys (a JWK Set): scheme, host and path, from the environment or written. It is fetched when the first
        /// token comes, and again in the background before `refresh` is over.
        "jwks": jwks: Template,
        /// The secret of `HS256` and its like, from the environment: `"{env.JWT_KEY}"`; with `base64:` before it, its octets in Base64.
        "key": key: Template,
        /// A file with public keys, relative to the site: PEM, a JWK or a JWK Set. It may not lie below `content/`.
        "key-file": key_file: Spanned<String>,
        /// Who must have issued a token (`iss`): one, or one of a list; default anybody who has the key.
        "issuer": issuer: Spanned<OneOrMany<Spanned<String>>>,
        /// Whom a token must be meant for (`aud`): one, or one of a list; default anybody.
        "audience": audience: Spanned<OneOrMany<Spanned<String>>>,
        /// How far the clocks of the issuer and of this server may be apart; default `30s`, at most `5m`.
        "leeway": leeway: Spanned<Duration>,
        /// How old a token may be, by the time at which it was issued (`iat`); default as old as it says itself.
        "max-age": max_age: Duration,
        /// The cookie that holds a token; default none. A token in `Authorization` goes before it.
        "cookie": cookie: Spanned<String>,
        /// Whether a token may stand in `Authorization: Bearer`; default `true`.
        "bearer": bearer: Spanned<bool>,
        /// What a challenge calls the place; default `site.name`, else the host.
        "realm": realm: Spanned<String>,
        /// With `jwks`: how long a key set counts as fresh; default `10m`.
        "refresh": refresh: Spanned<Duration>,
        /// With `jwks`: how long after that the last key set is believed while no other can be had; then tokens are answered with 503. Default `24h`.
        "stale": stale: Spanned<Duration>,
        /// With `jwks`: how often, at most, a token with an unknown key makes the keys be fetched again; default `30s`.
        "retry": retry: Spanned<Duration>,
        /// With `jwks`: whether private addresses (loopback, local networks) may be connected to; default `false`.
        "allow-private": allow_private: Spanned<bool>,
    }
}

declare! {
    /// Names and passwords.
    pub(in crate::site) struct BasicDecl requires ["users"] {
        /// The file with the users, relative to the site, not below `content/`. A TOML file has a table for each: `[alice]` with
        /// `password = "$argon2id$…"`, and whatever else is to be `user`. In another file each line is `name:$argon2id$…`. It is read when the site is.
        "users": users: Spanned<String>,
        /// What a challenge calls the place: browsers show it; default `site.name`, else the host.
        "realm": realm: Spanned<String>,
    }
}

declare! {
    /// An upstream that is asked who the visitor is.
    pub(in crate::site) struct ForwardDecl {
        ..calling: CallingDecl,
        /// The upstream to ask, by its name in `[upstreams]`; with `path`.
        "upstream": upstream: Spanned<String>,
        /// The whole address to ask, instead.
        "url": url: Spanned<Template>,
        /// The path below the upstream's `base-url`.
        "path": path: Spanned<Template>,
        /// The method; default `"GET"`.
        "method": method: Spanned<CallMethod>,
        /// Query values of the call.
        "query": query: Named<Node> as Named<QueryValue>,
        /// Header fields of the call.
        "headers": headers: Named<Template>,
        /// Cookies of the visitor's that say who it is, to be sent along. A request with none of these, and none of `forward-headers`, is nobody's.
        "forward-cookies": forward_cookies: Vec<Spanned<String>>,
        /// Header fields of the visitor's that say who it is, to be sent along.
        "forward-headers": forward_headers: Vec<Spanned<String>>,
        /// What is taken of the answer, by the names that it has in `user`: `{ header = "x-user-id" }`, or a selector as in `extract`. Default: the
        /// whole JSON object that it is, or nothing if it has no content.
        "claims": claims: Named<Node> as Named<Claim>,
        /// What a challenge calls the place, where the upstream's answer holds no challenge; default `site.name`, else the host.
        "realm": realm: Spanned<String>,
    }
}

/// What may be written for a claim.
pub(in crate::site) struct Claim;

impl Described for Claim {
    fn schema() -> Schema {
        Schema::Either(vec![Selects::schema(), ClaimDecl::schema()])
    }
}

declare! {
    /// A claim, and where it stands in the answer: a header field, or what a selector finds in its content.
    pub(in crate::site) struct ClaimDecl {
        /// The header field of the answer.
        "header": header: Spanned<String>,
        /// The selector (RFC 9535), or several of which the first that matches is taken.
        "select": select: Node as OneOrMany<Selects>,
        /// With `select`: what the value must be; a misfit counts as missing.
        "type": kind: Spanned<String> as TypeName,
        /// With `select`: the value when nothing fits.
        "default": default: Spanned<Node>,
    }
}

declare! {
    /// The keys of cookies that are `signed` or `sealed`.
    pub(in crate::site) struct CookieKeysDecl requires ["keys"] {
        /// Secrets of 32 bytes or more, from the environment: `["{env.COOKIE_KEY}", "{env.COOKIE_KEY_OLD:}"]`. The first makes cookies, all of them
        /// open them; one with an empty default may be unset. What is no longer opened by any counts as absent.
        "keys": keys: Spanned<Vec<Template>>,
    }
}
