//! `[auth.*]` and `[cookie-keys]`: who is believed, and by which keys. Nothing is fetched here; files of the site are read.

use super::super::auth::{
    Auth, AuthDecl, Basic, BasicDecl, ClaimDecl, CookieKeysDecl, FetchedKeys, ForwardAuth, ForwardDecl, Jwt, JwtDecl,
    Keys,
};
use super::super::settings::Decl;
use super::super::{Credentials, code};
use super::site::Declared;
use crate::config::{
    BAD_VALUE, Declared as _, Entry, Environment, Kind, MISSING_KEY, Node, OneOrMany, PLACEHOLDER_NOT_READ, Secret,
    Table, Template, Tree, read_toml, wrong_type,
};
use crate::diagnostic::{FileId, Files, Finding, Findings, Place, Spanned};
use crate::identity::{
    Algorithm, Believed, CookieKeys, HashError, Identity, KeyError, KeySet, LONGEST_PASSWORD, PasswordHash, Rules,
    SHORTEST_COOKIE_KEY, Users,
};
use crate::source::{self, CallMethod, PUBLIC_CREDENTIAL, Source, Upstreams, origin_of};
use crate::upstream::Trust;
use crate::value::{Object, ObjectBuilder, Value};
use http::header::HeaderName;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Clocks that are further apart should be set.
const MOST_LEEWAY: Duration = Duration::from_mins(5);
/// A key set is asked for no more often than this, whatever is written.
const LEAST_REFRESH: Duration = Duration::from_secs(1);

/// What is needed to read who is believed.
pub(super) struct Reading<'r> {
    pub(super) tree: &'r Tree,
    pub(super) files: &'r mut Files,
    pub(super) environment: &'r Environment,
    pub(super) upstreams: &'r mut Upstreams,
    pub(super) findings: &'r mut Findings,
}

impl Reading<'_> {
    /// The identities of a site, and the keys of its cookies.
    pub(super) fn read(mut self, decl: &Decl, declared: &Declared) -> (Auth, Option<CookieKeys>) {
        let auth = self.auth(decl, &declared.scope, declared.url.as_deref());
        let keys = decl.cookie_keys.as_ref();
        (auth, keys.and_then(|written| cookie_keys(written, self.environment, self.findings)))
    }

    /// The identities of a site that pages see as `site`, and that is seen at `url`.
    fn auth(&mut self, decl: &Decl, site: &Value, url: Option<&str>) -> Auth {
        let Some(AuthDecl { place: _, lost: _, jwt, basic, forward }) = &decl.auth else { return Auth::default() };
        let host = url.and_then(|url| url.split_once("://")).map(|(_, authority)| authority);
        let name = site.get("name").and_then(Value::as_str).or(host).map(Arc::from);
        let realm = |written: Option<&Spanned<String>>| {
            written.map(|realm| Arc::from(realm.value.as_str())).or_else(|| name.clone())
        };
        let table = forward.as_ref().and_then(|node| {
            let table = node.as_table();
            if table.is_none() {
                self.findings.push(wrong_type(node, "a table"));
            }
            table
        });
        let written = [
            (Identity::Jwt, jwt.is_some()),
            (Identity::Basic, basic.is_some()),
            (Identity::Forward, forward.is_some()),
        ];
        let lost = decl.auth.as_ref().map(|auth| &auth.lost).into_iter().flatten();
        let lost =
            Identity::ALL.into_iter().zip(Identity::WORDS).filter(|(_, word)| lost.clone().any(|key| key == *word));
        let written = written.into_iter().filter_map(|(identity, is_written)| is_written.then_some(identity));
        Auth {
            written: written.chain(lost.map(|(identity, _)| identity)).collect(),
            jwt: jwt.as_ref().and_then(|decl| self.jwt(decl, realm(decl.realm.as_ref()))),
            basic: basic.as_ref().and_then(|decl| self.basic(decl, realm(decl.realm.as_ref()))),
            forward: table.and_then(|table| {
                let decl = ForwardDecl::read(table, self.findings);
                self.forward(&decl, table, realm(decl.realm.as_ref()))
            }),
        }
    }

    fn jwt(&mut self, decl: &JwtDecl, realm: Option<Arc<str>>) -> Option<Jwt> {
        let Some(algorithms) = &decl.algorithm else {
            if !decl.is_lost("algorithm") {
                let message = "`[auth.jwt]` without `algorithm`";
                let help = "say what tokens are signed with: algorithm = \"RS256\"";
                self.findings.push(Finding::new(&MISSING_KEY, decl.place, message).help(help));
            }
            return None;
        };
        let OneOrMany(algorithms_of) = &algorithms.value;
        if algorithms_of.is_empty() {
            self.findings
                .push(Finding::new(&code::AUTH_RULES, algorithms.place, "no algorithm").help("algorithm = \"RS256\""));
            return None;
        }
        let leeway = decl.leeway.map_or(Duration::from_secs(30), |leeway| leeway.value);
        if let Some(written) = decl.leeway.filter(|_| leeway > MOST_LEEWAY) {
            let message = "more than 5 minutes between two clocks";
            let help = "set the clocks, and write at most \"5m\": an expired token would be believed as long";
            self.findings.push(Finding::new(&code::AUTH_RULES, written.place, message).help(help));
        }
        let rules = Rules {
            algorithms: algorithms_of.clone(),
            issuers: self.names(decl.issuer.as_ref(), "issuer"),
            audiences: self.names(decl.audience.as_ref(), "audience"),
            leeway,
            max_age: decl.max_age,
        };
        let keys = self.keys(decl, &rules.algorithms, algorithms.place);
        let is_said = decl.audience.is_some() || decl.is_lost("audience");
        if let Some(jwks) = decl.jwks.as_ref().filter(|_| !is_said) {
            let message = "tokens are believed whoever they are meant for";
            self.findings.push(Finding::new(&code::ANY_AUDIENCE, jwks.place, message));
        }
        let cookie = decl.cookie.as_ref().and_then(|name| self.cookie(name));
        let bearer = decl.bearer.is_none_or(|bearer| bearer.value);
        if let Some(written) = decl.bearer.filter(|_| !bearer && decl.cookie.is_none() && !decl.is_lost("cookie")) {
            let message = "a token may stand nowhere: `bearer` is `false`, and there is no `cookie`";
            let help = "name the cookie that holds it: cookie = \"token\"";
            self.findings.push(Finding::new(&code::AUTH_CREDENTIAL, written.place, message).help(help));
        }
        Some(Jwt { rules, keys: keys?, cookie, bearer, realm })
    }

    /// The texts of a key that may hold one or several.
    fn names(&mut self, written: Option<&Spanned<OneOrMany<Spanned<String>>>>, key: &str) -> Vec<Arc<str>> {
        let Some(Spanned { value: OneOrMany(names), place }) = written else { return Vec::new() };
        if names.is_empty() || names.iter().any(|name| name.value.is_empty()) {
            let message = format!("an empty `{key}`, which would let any pass");
            let help = format!("name it, or leave `{key}` out");
            self.findings.push(Finding::new(&code::AUTH_RULES, *place, message).help(help));
        }
        names.iter().map(|name| Arc::from(name.value.as_str())).collect()
    }

    fn cookie(&mut self, name: &Spanned<String>) -> Option<Arc<str>> {
        // A token (RFC 6265, section 4.1.1), which is what a header name is too.
        if HeaderName::from_bytes(name.value.as_bytes()).is_ok() {
            return Some(name.value.as_str().into());
        }
        let message = format!("`{}` is not the name of a cookie", name.value);
        self.findings.push(Finding::new(&BAD_VALUE, name.place, message).help("cookie = \"token\""));
        None
    }

    /// What tokens are verified with, which one of three keys says.
    fn keys(&mut self, decl: &JwtDecl, algorithms: &[Algorithm], place: Place) -> Option<Keys> {
        let written = [
            ("jwks", decl.jwks.as_ref().map(|jwks| jwks.place)),
            ("key", decl.key.as_ref().map(|key| key.place)),
            ("key-file", decl.key_file.as_ref().map(|file| file.place)),
        ];
        let mut places = written.iter().filter_map(|(key, place)| place.map(|place| (*key, place)));
        let Some((first, first_place)) = places.next() else {
            if !written.iter().any(|(key, _)| decl.is_lost(key)) {
                let message = "`[auth.jwt]` without a key";
                let help = "write `jwks`, the URL of the issuer's keys; `key-file`, a public key; or `key`, a secret";
                self.findings.push(Finding::new(&code::AUTH_KEYS, decl.place, message).help(help));
            }
            return None;
        };
        if let Some((second, second_place)) = places.next() {
            let message = format!("both `{first}` and `{second}`");
            let finding = Finding::new(&code::AUTH_KEYS, second_place, message);
            self.findings.push(finding.related(first_place, "the other").help("keep one"));
            return None;
        }
        if first != "jwks" {
            let of_fetched = [
                ("refresh", decl.refresh.map(|it| it.place)),
                ("stale", decl.stale.map(|it| it.place)),
                ("retry", decl.retry.map(|it| it.place)),
                ("allow-private", decl.allow_private.map(|it| it.place)),
            ];
            for (key, place) in of_fetched.into_iter().filter_map(|(key, place)| place.map(|place| (key, place))) {
                let message = format!("`{key}` without `jwks`");
                self.findings.push(Finding::new(&code::AUTH_KEYS, place, message).help("leave it out"));
            }
        }
        if let Some(jwks) = &decl.jwks {
            if let Some(symmetric) = algorithms.iter().find(|algorithm| algorithm.is_symmetric()) {
                let message = format!("`{}` takes a secret, and what is published is none", symmetric.name());
                let help = "keep the algorithms of public keys, such as \"RS256\" or \"ES256\"";
                let finding = Finding::new(&code::AUTH_KEYS, place, message).related(jwks.place, "published here");
                self.findings.push(finding.help(help));
                return None;
            }
            return self.fetched(decl, jwks).map(Keys::Fetched);
        }
        if let Some(file) = &decl.key_file {
            let text = self.file(file, &code::AUTH_KEYS).map(|id| self.files.text(id).to_owned())?;
            let read = KeySet::read(&text, algorithms, Believed::Own);
            let refuse = |why: KeyError| {
                let message = format!("`{}` is of no use here: {why}", file.value);
                Finding::new(&code::AUTH_KEYS, file.place, message).help(way_out(why))
            };
            return read.map_err(|why| self.findings.push(refuse(why))).ok().map(Keys::Own);
        }
        self.secret_key(decl.key.as_ref()?, algorithms).map(Keys::Own)
    }

    fn secret_key(&mut self, key: &Template, algorithms: &[Algorithm]) -> Option<KeySet> {
        let help = "key = \"{env.JWT_KEY}\"";
        let (secret, before) =
            secret(key, "the key of tokens", &code::AUTH_KEYS, help, self.environment, self.findings)?;
        if !matches!(before.as_str(), "" | "base64:") {
            let message = "a part of the key is written in the site";
            self.findings.push(Finding::new(&code::AUTH_KEYS, key.place, message).help(help));
            return None;
        }
        // That it is not set has been said.
        if secret.expose().is_empty() {
            return Some(KeySet::default());
        }
        let read = KeySet::of_secret(&format!("{before}{}", secret.expose()), algorithms);
        let refuse = |why: KeyError| {
            let message = format!("what `{}` stands for is of no use here: {why}", key.as_written());
            Finding::new(&code::AUTH_KEYS, key.place, message).help(way_out(why))
        };
        read.map_err(|why| self.findings.push(refuse(why))).ok()
    }

    fn fetched(&mut self, decl: &JwtDecl, jwks: &Template) -> Option<FetchedKeys> {
        let (origin, url) = origin_of(jwks, self.environment, self.findings)?;
        let is_private = decl.allow_private.is_some_and(|allow| allow.value);
        if url.scheme() != "https" && !is_private && url.host_str() != Some("unset.invalid") {
            let message =
                format!("whoever stands on the way to `{}` could put in keys of their own", jwks.as_written());
            let help = "begin it with `https://`; in a network of your own: allow-private = true";
            self.findings.push(Finding::new(&code::AUTH_KEYS, jwks.place, message).help(help));
            return None;
        }
        let time = |written: Option<Spanned<Duration>>, default| written.map_or(default, |written| written.value);
        Some(FetchedKeys {
            upstream: self.upstreams.of_origin(&origin),
            url,
            trust: if is_private { Trust::Private } else { Trust::Public },
            refresh: time(decl.refresh, Duration::from_mins(10)).max(LEAST_REFRESH),
            stale: time(decl.stale, Duration::from_hours(24)),
            retry: time(decl.retry, Duration::from_secs(30)).max(LEAST_REFRESH),
        })
    }

    /// A file of the site that is not for visitors.
    fn file(&mut self, written: &Spanned<String>, missing: &'static crate::diagnostic::Code) -> Option<FileId> {
        if written.value == "content" || written.value.starts_with("content/") {
            let message = format!("`{}` lies where routes publish files from", written.value);
            self.findings.push(Finding::new(&code::AUTH_PUBLISHED, written.place, message));
            return None;
        }
        let before = self.findings.len();
        let file = self.tree.read_beside(&written.value, self.files, self.findings);
        if file.is_none() && self.findings.len() == before {
            let message = format!("there is no file `{}` in the site's folder", written.value);
            let help = "name it relative to `site.toml`; what a link outside leads to is not read";
            self.findings.push(Finding::new(missing, written.place, message).help(help));
        }
        file
    }

    fn basic(&mut self, decl: &BasicDecl, realm: Option<Arc<str>>) -> Option<Basic> {
        let Some(written) = &decl.users else {
            if !decl.is_lost("users") {
                let message = "`[auth.basic]` without `users`";
                self.findings.push(Finding::new(&MISSING_KEY, decl.place, message).help("users = \"users.toml\""));
            }
            return None;
        };
        let file = self.file(written, &code::AUTH_USERS)?;
        let users = if Path::new(&written.value).extension() == Some("toml".as_ref()) {
            self.users_of_toml(file)
        } else {
            self.users_of_lines(file)
        };
        if users.is_empty() && !self.findings.has_errors() {
            let message = format!("there is no user in `{}`", written.value);
            let help = "[alice] with password = \"$argon2id$…\"";
            self.findings.push(Finding::new(&code::AUTH_USERS, written.place, message).help(help));
        }
        Some(Basic { users: Users::new(users), realm })
    }

    fn users_of_toml(&mut self, file: FileId) -> Vec<(Arc<str>, PasswordHash, Value)> {
        let table = read_toml(file, 0..self.files.text(file).len(), self.files, self.findings);
        let mut users = Vec::new();
        for Entry { key, node } in &table {
            let Some(user) = node.as_table() else {
                self.findings.push(wrong_type(node, "a table"));
                continue;
            };
            let mut claims = ObjectBuilder::default();
            claims.push("name", key.value.as_str().into());
            let mut password = None;
            for Entry { key: claim, node } in user {
                match claim.value.as_str() {
                    "password" => password = Some(node),
                    "name" => {
                        let message = "`name` of a user, which is what the table is called";
                        let finding = Finding::new(&code::AUTH_USERS, claim.place, message);
                        self.findings.push(finding.help("call the claim otherwise: full_name"));
                    }
                    name => claims.push(name, node.to_value()),
                }
            }
            let Some(password) = password else {
                let message = format!("the user `{}` has no `password`", key.value);
                let help = "password = \"$argon2id$…\"";
                self.findings.push(Finding::new(&code::AUTH_USERS, key.place, message).help(help));
                continue;
            };
            let Some(text) = password.as_text() else {
                self.findings.push(wrong_type(password, "a string"));
                continue;
            };
            let hash = self.hash(&key.value, &text.content, key.place, password.place);
            users.extend(hash.map(|hash| (Arc::from(key.value.as_str()), hash, claims.finish().into())));
        }
        users
    }

    fn users_of_lines(&mut self, file: FileId) -> Vec<(Arc<str>, PasswordHash, Value)> {
        let text: String = self.files.text(file).to_owned();
        let mut users: Vec<(Arc<str>, PasswordHash, Value)> = Vec::new();
        let mut begin = 0;
        for line in text.split_inclusive('\n') {
            let (start, content) = (begin, line.trim_end());
            begin += line.len();
            if content.trim().is_empty() || content.starts_with('#') {
                continue;
            }
            let place = Place::new(file, start..start + content.len());
            let Some((name, hash)) = content.split_once(':').filter(|(name, _)| !name.is_empty()) else {
                let finding = Finding::new(&code::AUTH_USERS, place, "a line without a name and a hash");
                self.findings.push(finding.help("write `alice:$argon2id$…`"));
                continue;
            };
            if users.iter().any(|(known, ..)| **known == *name) {
                let message = format!("the user `{name}` twice");
                self.findings.push(Finding::new(&code::AUTH_USERS, place, message).help("keep one"));
                continue;
            }
            let claims: Object = [("name", Value::from(name))].into_iter().collect();
            users.extend(self.hash(name, hash, place, place).map(|hash| (Arc::from(name), hash, claims.into())));
        }
        users
    }

    /// The hash of a user; findings that do not show it.
    fn hash(&mut self, name: &str, text: &str, name_place: Place, place: Place) -> Option<PasswordHash> {
        // The name ends at the first colon (RFC 7617, section 2).
        if name.len() > LONGEST_PASSWORD || name.contains([':', '\n']) || name.chars().any(char::is_control) {
            let message = "no user can sign in with this name";
            let help = "a name has no colon and no control character";
            self.findings.push(Finding::new(&code::AUTH_USERS, name_place, message).help(help));
            return None;
        }
        let refuse = |why: HashError| {
            let help = match why {
                HashError::NotArgon2 | HashError::Malformed => "make one: siteserver password",
                HashError::TooCostly => "make another: siteserver password",
            };
            Finding::new(&code::AUTH_USERS, place, format!("the password of `{name}`: {why}")).help(help)
        };
        PasswordHash::parse(text).map_err(|why| self.findings.push(refuse(why))).ok()
    }

    fn forward(&mut self, decl: &ForwardDecl, table: &Table, realm: Option<Arc<str>>) -> Option<ForwardAuth> {
        let (header_claims, selected) = self.claims(decl);
        // The call is that of a source, whose keys these are.
        let mut source = source::Decl::empty(decl.place);
        let known: Vec<&str> = ForwardDecl::keys().iter().map(|key| key.name).collect();
        for entry in table {
            let name = entry.key.value.as_str();
            if known.contains(&name) && !matches!(name, "claims" | "realm") {
                // What is wrong with it has been told.
                source.set(entry, &mut Findings::default());
            }
        }
        let reads_content = decl.claims.is_none() || selected.is_some();
        source.extract = selected;
        // Whatever the method is, asking who somebody is changes nothing.
        source.sending.safe =
            decl.method.filter(|method| method.value != CallMethod::Get).map(|method| method.map(|_| true));
        let credentials = Credentials {
            cookies: decl.forward_cookies.iter().flatten().map(|name| name.value.as_str().into()).collect(),
            fields: decl
                .forward_headers
                .iter()
                .flatten()
                .filter_map(|name| HeaderName::from_bytes(name.value.as_bytes()).ok())
                .collect(),
        };
        let is_lost = decl.is_lost("forward-cookies") || decl.is_lost("forward-headers");
        if credentials == Credentials::default() && !is_lost {
            let message = "nothing of a request says who asks";
            let help = "name what does: forward-cookies = [\"session\"], or forward-headers = [\"authorization\"]";
            self.findings.push(Finding::new(&code::AUTH_CREDENTIAL, decl.place, message).help(help));
        }
        let name = Spanned::new("auth.forward".to_owned(), decl.place);
        let mut context = source::Context {
            upstreams: self.upstreams,
            environment: self.environment,
            given: None,
            searched: None,
            is_sent: false,
        };
        let compiled = Source::compile(&name, &source, &mut context, self.findings)?;
        let references = compiled.references();
        for reference in &references {
            let message = format!("`{{{}}}` in a call of `[auth.forward]`", reference.spelled());
            let help = "of the request, what `forward-cookies` and `forward-headers` name is sent along";
            self.findings.push(Finding::new(&PLACEHOLDER_NOT_READ, reference.place, message).help(help));
        }
        let source = compiled.link(|_| None)?;
        Some(ForwardAuth { source, reads_content, header_claims, credentials, realm })
    }

    /// The claims that stand in header fields, and the others as the fields of an extraction.
    fn claims(&mut self, decl: &ForwardDecl) -> (Vec<(Arc<str>, HeaderName)>, Option<Node>) {
        let (mut headers, mut selected, mut place) = (Vec::new(), Table::empty(decl.place), decl.place);
        for (name, node) in decl.claims.iter().flat_map(|named| &named.0) {
            place = node.place;
            let Kind::Table(table) = &node.kind else {
                selected.insert(name.clone(), node.clone());
                continue;
            };
            let claim = ClaimDecl::read(table, self.findings);
            let Some(header) = &claim.header else {
                selected.insert(name.clone(), node.clone());
                continue;
            };
            if claim.select.is_some() || claim.kind.is_some() || claim.default.is_some() {
                let message = format!("the claim `{}` is taken from a header field and from the content", name.value);
                self.findings.push(Finding::new(&BAD_VALUE, node.place, message).help("keep one of the two"));
            }
            match HeaderName::from_bytes(header.value.as_bytes()) {
                Ok(field) => headers.push((Arc::from(name.value.as_str()), field)),
                Err(_) => {
                    let message = format!("`{}` is not the name of a header field", header.value);
                    let finding = Finding::new(&BAD_VALUE, header.place, message);
                    self.findings.push(finding.help("{ header = \"x-user-id\" }"));
                }
            }
        }
        let is_empty = selected.is_empty();
        (headers, (!is_empty).then_some(Node { kind: Kind::Table(selected), place }))
    }
}

/// What to do about a key that is of no use.
fn way_out(why: KeyError) -> &'static str {
    match why {
        KeyError::Unreadable => {
            "a public key in PEM begins with `-----BEGIN PUBLIC KEY-----`; a JWK Set is `{\"keys\": […]}`"
        }
        KeyError::Private => {
            "keep it where tokens are made, and write its public key here: openssl pkey -in key.pem -pubout"
        }
        KeyError::Certificate => "take its public key out: openssl x509 -in cert.pem -pubkey -noout",
        KeyError::TooMany => "keep those that are in use",
        KeyError::NoneFits => {
            "the type of a key is that of its algorithm: RSA for RS256, P-256 for ES256, Ed25519 for EdDSA, a secret for HS256"
        }
        KeyError::ShortSecret => "32 bytes or more for HS256, 48 for HS384, 64 for HS512, as of `openssl rand -hex 32`",
        KeyError::PublicAsSecret => {
            "a public key is known to everybody: write it as `key-file`, and its algorithm, such as \"RS256\""
        }
    }
}

/// The one variable of the environment that a secret comes from, and the text before it.
fn secret(
    written: &Template,
    what: &str,
    code: &'static crate::diagnostic::Code,
    help: &str,
    environment: &Environment,
    findings: &mut Findings,
) -> Option<(Secret, String)> {
    let mut refuse = |message: String| findings.push(Finding::new(code, written.place, message).help(help));
    let mut variables = written.environment();
    let (Some(variable), None) = (variables.next(), variables.next()) else {
        refuse(format!("{what} is not a variable of the environment"));
        return None;
    };
    if variable.default.as_ref().is_some_and(|default| !default.is_empty()) || written.references().next().is_some() {
        refuse(format!("a part of {what} is written in the site"));
        return None;
    }
    if environment.is_public(&variable.name) {
        let message = format!("`{}` is {what}, and declared as public", variable.name);
        findings.push(Finding::new(&PUBLIC_CREDENTIAL, variable.place, message));
    }
    let mut rest = written.clone();
    rest.resolve_environment(|_| String::new());
    Some((environment.secret(variable, findings), rest.as_literal().unwrap_or_default().to_owned()))
}

/// The name of the upstream that `[auth.forward]` asks, as it is written.
pub(super) fn upstream(decl: &Decl) -> Option<String> {
    let forward = decl.auth.as_ref()?.forward.as_ref()?.as_table()?;
    forward.node("upstream").and_then(Node::as_text).map(|name| name.content.clone())
}

/// The keys of cookies, if all are sound.
fn cookie_keys(decl: &CookieKeysDecl, environment: &Environment, findings: &mut Findings) -> Option<CookieKeys> {
    let Some(written) = &decl.keys else {
        if !decl.is_lost("keys") {
            let message = "`[cookie-keys]` without `keys`";
            findings.push(Finding::new(&MISSING_KEY, decl.place, message).help("keys = [\"{env.COOKIE_KEY}\"]"));
        }
        return None;
    };
    let mut secrets: Vec<Secret> = Vec::new();
    let mut is_sound = !written.value.is_empty();
    if written.value.is_empty() {
        findings.push(Finding::new(&code::BAD_COOKIE_KEYS, written.place, "no key"));
    }
    for (at, key) in written.value.iter().enumerate() {
        let help = "keys = [\"{env.COOKIE_KEY}\", \"{env.COOKIE_KEY_OLD:}\"]";
        let Some((secret, before)) =
            secret(key, "a key of cookies", &code::BAD_COOKIE_KEYS, help, environment, findings)
        else {
            is_sound = false;
            continue;
        };
        let may_lack = key.environment().all(|variable| variable.default.is_some());
        let length = secret.expose().len();
        let message = if !before.is_empty() {
            "a part of a key of cookies is written in the site".to_owned()
        } else if at == 0 && may_lack {
            "the first key may be unset, and makes the cookies".to_owned()
        } else if length > 0 && length < SHORTEST_COOKIE_KEY {
            format!("what `{}` stands for is shorter than {SHORTEST_COOKIE_KEY} bytes", key.as_written())
        } else {
            // That it is not set has been said, if it must be.
            secrets.extend((length > 0).then_some(secret));
            continue;
        };
        is_sound = false;
        findings.push(Finding::new(&code::BAD_COOKIE_KEYS, key.place, message));
    }
    CookieKeys::new(secrets.iter().map(|secret| secret.expose().as_bytes())).filter(|_| is_sound)
}
