//! What a call is asked to be made with, and how a source says the same without its secrets.
//!
//! What may be a credential is sent and not written: a user name and a password, query values and header fields that are called like one.
//! A variable of the environment stands for each. It knows of no network and of no file; the environment comes in as a function.

use super::super::arguments::SourceArguments;
use super::propose::{quoted, snake};
use crate::fields::is_credential;
use crate::router::{decode, encode_segment};
use crate::upstream::belongs_to_connection;
use anyhow::{anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, header};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Words of a query value's name that is a credential, beside those of header fields.
const WORDS: [&str; 8] = ["appid", "pass", "passphrase", "passwd", "pat", "pwd", "sig", "signature"];

/// Words before `key` in such a name.
const KEYS: [&str; 12] = [
    "access",
    "api",
    "app",
    "application",
    "auth",
    "client",
    "functions",
    "license",
    "private",
    "rapidapi",
    "service",
    "subscription",
];

/// A call as it was asked for.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// The URL as a source writes it, with its placeholders.
    pub(super) written: String,
    /// The URL that is called.
    pub(super) called: String,
    /// The fields that are sent.
    pub(super) sent: Vec<(HeaderName, HeaderValue)>,
    /// The lines of a source that say the rest: header fields, query values, cookies.
    pub(super) lines: String,
    /// The variables that stand for credentials, each with what it holds.
    pub(super) variables: Vec<(String, String)>,
    /// What is written nowhere.
    secrets: Vec<String>,
}

impl Given {
    /// Reads what was asked for; `environment` knows the variables.
    pub(super) fn of(how: &SourceArguments, environment: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let mut given = Self::default();
        let fill = |text: &str, encodes: bool| filled(text, &how.params, &environment, encodes);
        let parts = Parts::of(&how.url);
        given.written = format!("{}{}{}", parts.scheme, parts.host, parts.path);
        given.called = format!("{}{}{}", parts.scheme, fill(parts.host, false)?, fill(parts.path, true)?);
        let mut query: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let (mut is_written, mut is_called) = (false, false);
        let push = |text: &mut String, pair: &str, is_second: &mut bool| {
            text.push(if *is_second { '&' } else { '?' });
            *is_second = true;
            text.push_str(pair);
        };
        for pair in parts.pairs() {
            push(&mut given.called, &fill(pair, true)?, &mut is_called);
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).into_owned();
            if value.is_empty() || !is_credential_value(&name) || is_placeholder(value) {
                push(&mut given.written, pair, &mut is_written);
                continue;
            }
            let written = if value.starts_with("{env.") {
                value.to_owned()
            } else {
                given.secrets.extend([value.to_owned(), decode(value).into_owned()]);
                given.variable(&variable_of(&name), &format!("the value of `{name}`"))
            };
            query.entry(name).or_default().push(written);
        }
        if let Some(user) = parts.user {
            if how.headers.iter().any(|field| field.to_ascii_lowercase().starts_with("authorization:")) {
                bail!("the URL holds a user name, and --header an `authorization`: one of them is sent");
            }
            let pair = decode(user).into_owned();
            let coded = STANDARD.encode(if pair.contains(':') { pair.clone() } else { format!("{pair}:") });
            given.secrets.extend(pair.split(':').chain([user, &*coded]).map(str::to_owned));
            given.sent.push((header::AUTHORIZATION, format!("Basic {coded}").parse()?));
            let holds = "the base64 of `USER:PASSWORD`: `printf '%s' USER:PASSWORD | base64`";
            let name = given.variable("AUTHORIZATION", holds);
            writeln!(given.lines, "headers.authorization = \"Basic {name}\"").unwrap_or_default();
        }
        for text in &how.headers {
            given.header(text, &environment)?;
        }
        for (name, values) in query {
            let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
            let is_bare = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
            let name = if is_bare { name } else { quoted(&name) };
            match &*values {
                [value] => writeln!(given.lines, "query.{name} = {value}").unwrap_or_default(),
                values => writeln!(given.lines, "query.{name} = [{}]", values.join(", ")).unwrap_or_default(),
            }
        }
        Ok(given)
    }

    /// A text for people, without what is written nowhere: another may have sent it back.
    pub(super) fn discreet(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.secrets.iter().filter(|secret| secret.len() > 3) {
            text = text.replace(secret.as_str(), "…");
        }
        text
    }

    /// One field of `--header`. Errors do not repeat its value.
    fn header(&mut self, text: &str, environment: &impl Fn(&str) -> Option<String>) -> anyhow::Result<()> {
        let (name, value) = text.split_once(':').ok_or_else(|| anyhow!("a header field is written 'Name: value'"))?;
        let (name, value) = (name.trim(), value.trim());
        let parsed: HeaderName =
            name.parse().map_err(|_no_name| anyhow!("`{name}` is no name of a header field: write 'Name: value'"))?;
        if belongs_to_connection(&parsed) || parsed == header::HOST || parsed == header::ACCEPT_ENCODING {
            bail!("`{parsed}` is written by siteserver itself: leave it out");
        }
        let whole = if value.contains("{env.") { filled_by(value, environment)? } else { value.to_owned() };
        let sent: HeaderValue =
            whole.parse().map_err(|_no_value| anyhow!("what `{parsed}` holds is sent in no field"))?;
        self.sent.push((parsed.clone(), sent));
        if parsed == header::COOKIE {
            // Cookies are visitors': a source names those that it passes on.
            let pairs: Vec<(&str, &str)> = value.split(';').filter_map(|pair| pair.trim().split_once('=')).collect();
            let names: Vec<String> = pairs.iter().map(|(name, _)| quoted(name)).collect();
            writeln!(self.lines, "forward-cookies = [{}]", names.join(", ")).unwrap_or_default();
            self.secrets.extend(pairs.iter().map(|(_, value)| (*value).to_owned()));
            return Ok(());
        }
        let written = if value.contains("{env.") {
            value.to_owned()
        } else if is_credential_value(parsed.as_str()) || parsed.as_str().ends_with("key") {
            // Only there is the first word no part of the secret (RFC 9110, 11.6.2 and 11.7.2).
            let has_scheme = parsed == header::AUTHORIZATION || parsed == header::PROXY_AUTHORIZATION;
            let (scheme, secret) = value.split_once(' ').filter(|_| has_scheme).unwrap_or(("", value));
            self.secrets.push(secret.to_owned());
            let gap = if scheme.is_empty() { "" } else { " " };
            let name = parsed.as_str().replace(['-', '.'], "_").to_ascii_uppercase();
            format!("{scheme}{gap}{}", self.variable(&name, &format!("the value of `{parsed}`{}", behind(scheme))))
        } else {
            value.replace('{', "{'{'}")
        };
        writeln!(self.lines, "headers.{parsed} = {}", quoted(&written)).unwrap_or_default();
        Ok(())
    }

    /// The placeholder of a variable that stands for a credential; each has its own.
    fn variable(&mut self, wanted: &str, holds: &str) -> String {
        let is_free = |name: &String| self.variables.iter().all(|(known, _)| known != name);
        let names = std::iter::once(wanted.to_owned()).chain((2_usize..).map(|count| format!("{wanted}_{count}")));
        let name = names.into_iter().find(is_free).unwrap_or_default();
        let placeholder = format!("{{env.{name}}}");
        self.variables.push((name, holds.to_owned()));
        placeholder
    }
}

fn behind(scheme: &str) -> String {
    if scheme.is_empty() { String::new() } else { format!(" behind `{scheme}`") }
}

/// A URL as it was written, in pieces. A fragment is never sent, and is not among them.
struct Parts<'t> {
    scheme: &'t str,
    user: Option<&'t str>,
    host: &'t str,
    path: &'t str,
    query: Option<&'t str>,
}

impl<'t> Parts<'t> {
    fn of(url: &'t str) -> Self {
        let url = url.split('#').next().unwrap_or(url);
        let (address, query) = url.split_once('?').map_or((url, None), |(address, query)| (address, Some(query)));
        let begin = address.find("://").map_or(0, |at| at + 3);
        let (scheme, rest) = address.split_at_checked(begin).unwrap_or(("", address));
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        Self { scheme, user, host, path, query }
    }

    fn pairs(&self) -> impl Iterator<Item = &'t str> {
        self.query.into_iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty())
    }
}

/// Whether a query value or a header field of this name is to be kept secret. One that is wrongly taken for one costs its author a variable.
fn is_credential_value(name: &str) -> bool {
    let snake = snake(name);
    if name.to_ascii_lowercase().parse().is_ok_and(|name| is_credential(&name))
        || snake.parse().is_ok_and(|name| is_credential(&name))
    {
        return true;
    }
    let words: Vec<&str> = snake.split('_').collect();
    let has = |word: &str| {
        ["token", "secret", "session", "password", "apikey", "accesskey", "credential"]
            .iter()
            .any(|it| word.contains(it))
    };
    matches!(*words, ["key" | "code"])
        || words.iter().any(|word| WORDS.contains(word) || has(word))
        || words.windows(2).any(|pair| matches!(pair, [before, "key"] if KEYS.contains(before)))
}

/// Whether a value is one that the site fills in by itself, from something else than the environment.
fn is_placeholder(value: &str) -> bool {
    value.starts_with('{') && value.ends_with('}') && !value.starts_with("{env.")
}

/// The variable that stands for a query value. One word says too little: others may use it.
fn variable_of(name: &str) -> String {
    let name = snake(name).to_ascii_uppercase();
    if name.contains('_') || name.starts_with("API") { name } else { format!("API_{name}") }
}

/// The text with a sample value in the place of each placeholder.
fn filled(
    text: &str,
    params: &[(String, String)],
    environment: &impl Fn(&str) -> Option<String>,
    encodes: bool,
) -> anyhow::Result<String> {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (inner, behind) = after.split_once('}').ok_or_else(|| anyhow!("the URL has a brace that is not closed"))?;
        let name = inner.rsplit('.').next().unwrap_or(inner);
        let said =
            params.iter().rev().find(|(known, _)| known == name || known == inner).map(|(_, value)| value.clone());
        let value = match (said, inner.strip_prefix("env.")) {
            (Some(value), _) => value,
            (None, Some(variable)) => of_environment(variable, environment)?,
            (None, None) => bail!("`{{{inner}}}` needs an example to be fetched with: --param {name}=VALUE"),
        };
        whole.push_str(before);
        if encodes {
            whole.push_str(&encode_segment(&value));
        } else {
            whole.push_str(&value);
        }
        rest = behind;
    }
    whole.push_str(rest);
    Ok(whole)
}

/// The text with its variables of the environment, and every other brace as it is.
fn filled_by(text: &str, environment: &impl Fn(&str) -> Option<String>) -> anyhow::Result<String> {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{env.") {
        let (variable, behind) = after.split_once('}').ok_or_else(|| anyhow!("`{{env.` is not closed"))?;
        whole.push_str(before);
        whole.push_str(&of_environment(variable, environment)?);
        rest = behind;
    }
    whole.push_str(rest);
    Ok(whole)
}

/// What stands for `{env.NAME}` or `{env.NAME:default}`.
fn of_environment(variable: &str, environment: &impl Fn(&str) -> Option<String>) -> anyhow::Result<String> {
    let (name, default) = variable.split_once(':').map_or((variable, None), |(name, text)| (name, Some(text)));
    let value = environment(name).or_else(|| default.map(str::to_owned));
    value.ok_or_else(|| anyhow!("the environment variable `{name}` is not set: the call cannot be made without it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(url: &str, headers: &[&str]) -> Given {
        let how = SourceArguments {
            url: url.to_owned(),
            name: None,
            into: None,
            params: vec![("id".to_owned(), "a/7".to_owned()), ("token".to_owned(), "of-a-visitor".to_owned())],
            headers: headers.iter().map(ToString::to_string).collect(),
            allow_private: false,
        };
        Given::of(&how, |name| (name == "KEY").then(|| "of the environment".to_owned())).unwrap()
    }

    #[test]
    fn fields_that_are_called_like_keys_are_credentials() {
        for name in ["Ocp-Apim-Subscription-Key", "X-RapidAPI-Key", "x-functions-key", "DD-APPLICATION-KEY", "X-Token"]
        {
            let given = given("https://a.example/x?code=s3cret", &[&format!("{name}: s3cret")]);
            assert!(!given.lines.contains("s3cret") && !given.written.contains("s3cret"), "{given:?}");
            assert_eq!(given.variables.len(), 2, "{given:?}");
        }
        assert!(
            given("https://a.example/", &["Accept: text/html", "X-Keyboard: de", "X-Country-Code: de"])
                .variables
                .is_empty()
        );
    }

    #[test]
    fn credentials_are_sent_and_not_written() {
        for (url, written, called, lines) in [
            ("https://a.example/x?b=1&c", "https://a.example/x?b=1&c", "https://a.example/x?b=1&c", ""),
            ("https://a.example/{params.id}?b#c", "https://a.example/{params.id}?b", "https://a.example/a%2F7?b", ""),
            (
                "https://a.example/x?api_key=s3cr%65t&b=1",
                "https://a.example/x?b=1",
                "https://a.example/x?api_key=s3cr%65t&b=1",
                "query.api_key = \"{env.API_KEY}\"\n",
            ),
            (
                "https://a.example/x?token=one&token=two",
                "https://a.example/x",
                "https://a.example/x?token=one&token=two",
                "query.token = [\"{env.API_TOKEN}\", \"{env.API_TOKEN_2}\"]\n",
            ),
            (
                "https://a.example/x?key={env.KEY}&token={query.token}",
                "https://a.example/x?token={query.token}",
                "https://a.example/x?key=of%20the%20environment&token=of-a-visitor",
                "query.key = \"{env.KEY}\"\n",
            ),
            (
                "https://us%65r:p%40ss@a.example:8080/x",
                "https://a.example:8080/x",
                "https://a.example:8080/x",
                "headers.authorization = \"Basic {env.AUTHORIZATION}\"\n",
            ),
        ] {
            let given = given(url, &[]);
            assert_eq!((&*given.written, &*given.called, &*given.lines), (written, called, lines));
            if url.contains('@') {
                assert_eq!(given.sent, [(header::AUTHORIZATION, "Basic dXNlcjpwQHNz".parse().unwrap())]);
                assert_eq!(given.discreet("user said p@ss, dXNlcjpwQHNz"), "… said …, …");
            }
        }
    }

    #[test]
    fn header_fields_are_told_by_their_names() {
        let given = given(
            "https://a.example",
            &["X-Kind: {a}", "Authorization: Bearer s3cret", "X-Key: a {env.KEY}", "Cookie: a=1; b=2"],
        );
        assert_eq!(
            given.lines,
            "headers.x-kind = \"{'{'}a}\"\nheaders.authorization = \"Bearer {env.AUTHORIZATION}\"\nheaders.x-key = \"a {env.KEY}\"\n\
             forward-cookies = [\"a\", \"b\"]\n"
        );
        let sent: Vec<&str> = given.sent.iter().map(|(_, value)| value.to_str().unwrap()).collect();
        assert_eq!(sent, ["{a}", "Bearer s3cret", "a of the environment", "a=1; b=2"]);
        assert_eq!(given.variables.len(), 1);
    }

    #[test]
    fn names_of_credentials_are_known() {
        for name in [
            "api_key",
            "apiKey",
            "apikey",
            "key",
            "access_token",
            "accessToken",
            "authToken",
            "X-Amz-Signature",
            "appid",
            "sig",
            "password",
            "client_secret",
            "subscription-key",
            "jwt",
            "sessionid",
            "sharedsecret",
        ] {
            assert!(is_credential_value(name), "{name}");
        }
        for name in ["q", "page", "author", "sort_key", "keyword", "keys", "id", "lang", "design", "pattern", "compass"]
        {
            assert!(!is_credential_value(name), "{name}");
        }
    }
}
