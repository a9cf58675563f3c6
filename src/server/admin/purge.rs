//! `POST /purge`: what is purged is said in JSON, in exactly one way.

use super::once::Once;
use super::{json, problem};
use crate::cache::{Counts, Parameters, Purge, Scope, Tag};
use crate::router::{TrailingSlash, canonicalise};
use crate::server::Current;
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use serde_json::error::Category;
use serde_json::{Map, Value};

/// What is wrong with a purge, for its sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadPurge {
    /// The body is no JSON.
    #[error("the body is no JSON: {0}")]
    NoJson(String),
    /// It says the same thing twice, and perhaps not the same of it.
    #[error("{0}")]
    Twice(String),
    /// It is JSON, and no object.
    #[error("the body is no JSON object, such as {{\"all\": true}}")]
    NoObject,
    /// A key that says nothing here.
    #[error("unknown key `{0}`: there is `tags`, `path`, `source` with `params`, `all`, and `soft`")]
    UnknownKey(String),
    /// Nothing says what is purged, or several keys do.
    #[error("exactly one of `tags`, `path`, `source` and `all` says what is purged")]
    NotOne,
    /// `params` of nothing.
    #[error("`params` belongs to `source`")]
    ParamsAlone,
    /// A value of another type.
    #[error("`{0}` must be {1}")]
    Type(&'static str, &'static str),
    /// A path that no URL of a site has.
    #[error("`{0}` is not the path of a URL: it begins with `/`, and has no query")]
    Path(String),
}

/// The answer to a purge: how much it was.
pub(super) async fn response(current: &Current, body: &Bytes) -> Response<Full<Bytes>> {
    let service = current.service();
    let order = match Order::read(body, service.site().routers.slash()) {
        Ok(order) => order,
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let Order { scope, soft, said } = order;
    let purge = if soft { Purge::Soft(service.runtime().clock().now()) } else { Purge::Hard };
    // It looks at every entry.
    let purged = tokio::task::spawn_blocking(move || service.runtime().purge(&scope, purge)).await;
    let Ok(Counts { entries, bytes }) = purged else {
        return problem(StatusCode::INTERNAL_SERVER_ERROR, "the purge broke off");
    };
    tracing::info!(what = said, entries, bytes, "purged");
    json(&serde_json::json!({ "entries": entries, "bytes": bytes }))
}

/// What is purged, and how.
#[derive(Debug)]
struct Order {
    scope: Scope,
    soft: bool,
    /// The same as it was said, for the log.
    said: String,
}

/// Characters of a purge that the log tells.
const TOLD: usize = 500;

impl Order {
    fn read(body: &[u8], slash: TrailingSlash) -> Result<Self, BadPurge> {
        let Once(body) = serde_json::from_slice(body).map_err(|error| match error.classify() {
            Category::Data => BadPurge::Twice(error.to_string()),
            Category::Io | Category::Syntax | Category::Eof => BadPurge::NoJson(error.to_string()),
        })?;
        let said = body.to_string().chars().take(TOLD).collect();
        let Value::Object(mut members) = body else { return Err(BadPurge::NoObject) };
        let [tags, path, source, params, all, soft] =
            ["tags", "path", "source", "params", "all", "soft"].map(|key| members.remove(key));
        if let Some(unknown) = members.keys().next() {
            return Err(BadPurge::UnknownKey(unknown.clone()));
        }
        if params.is_some() && source.is_none() {
            return Err(BadPurge::ParamsAlone);
        }
        let scope = match (tags, path, source, all) {
            (Some(tags), None, None, None) => Scope::Tags(self::tags(tags)?),
            (None, Some(path), None, None) => Scope::Tags(vec![of_path(&path, slash)?]),
            (None, None, Some(source), None) => of_source(&source, params)?,
            (None, None, None, Some(Value::Bool(true))) => Scope::All,
            (None, None, None, Some(_)) => return Err(BadPurge::Type("all", "`true`")),
            _ => return Err(BadPurge::NotOne),
        };
        let soft = match soft {
            None => false,
            Some(Value::Bool(soft)) => soft,
            Some(_) => return Err(BadPurge::Type("soft", "`true` or `false`")),
        };
        Ok(Self { scope, soft, said })
    }
}

fn tags(value: Value) -> Result<Vec<Tag>, BadPurge> {
    const WANTED: BadPurge = BadPurge::Type("tags", "a list of texts, and not empty");
    let Value::Array(items) = value else { return Err(WANTED) };
    let tag = |item: &Value| item.as_str().filter(|tag| !tag.is_empty()).map(Tag::new).ok_or(WANTED);
    let tags = items.iter().map(tag).collect::<Result<Vec<_>, _>>()?;
    if tags.is_empty() { Err(WANTED) } else { Ok(tags) }
}

/// The tag of all that is stored for a path, in whichever way it is spelled.
fn of_path(value: &Value, slash: TrailingSlash) -> Result<Tag, BadPurge> {
    let Value::String(path) = value else { return Err(BadPurge::Type("path", "a text, such as \"/about\"")) };
    let bad = || BadPurge::Path(path.clone());
    if !path.starts_with('/') || path.contains(['?', '#']) {
        return Err(bad());
    }
    let canonical = canonicalise(path, slash).map_err(|_bad| bad())?;
    Ok(Tag::derived("path", canonical.as_path().as_str()))
}

/// What is made of a source, or of its answers to some parameters.
fn of_source(value: &Value, params: Option<Value>) -> Result<Scope, BadPurge> {
    let Some(source) = value.as_str().filter(|source| !source.is_empty()) else {
        return Err(BadPurge::Type("source", "the name of a source"));
    };
    let Some(params) = params else { return Ok(Scope::Tags(vec![Tag::derived("source", source)])) };
    let wanted = BadPurge::Type("params", "an object of texts, and not empty");
    let Value::Object(params) = params else { return Err(wanted) };
    let pairs = pairs(&params).filter(|pairs| !pairs.is_empty()).ok_or(wanted)?;
    Ok(Scope::Parameters(Parameters::new("source", source, pairs)))
}

fn pairs(params: &Map<String, Value>) -> Option<Vec<(&str, &str)>> {
    params.iter().map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Order, BadPurge> {
        Order::read(body.as_bytes(), TrailingSlash::Never)
    }

    #[test]
    fn each_way_to_say_it_is_understood() {
        let tags = |tags: &[&str]| Scope::Tags(tags.iter().copied().map(Tag::new).collect());
        for (body, scope, soft) in [
            (r#"{"tags": ["source:repo", "products"]}"#, tags(&["source:repo", "products"]), false),
            (r#"{"path": "/about", "soft": true}"#, tags(&["path:/about"]), true),
            (r#"{"path": "/about/", "soft": false}"#, tags(&["path:/about"]), false),
            (r#"{"path": "/caf\u00e9"}"#, tags(&["path:/caf%C3%A9"]), false),
            (r#"{"source": "repo"}"#, tags(&["source:repo"]), false),
            (
                r#"{"source": "repo", "params": {"owner": "a b"}}"#,
                Scope::Parameters(Parameters::new("source", "repo", [("owner", "a b")])),
                false,
            ),
            (r#"{"all": true}"#, Scope::All, false),
        ] {
            let order = read(body).unwrap();
            assert_eq!((order.scope, order.soft), (scope, soft), "{body}");
        }
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        for (body, error) in [
            ("", "the body is no JSON: EOF while parsing a value at line 1 column 0"),
            ("[]", "the body is no JSON object, such as {\"all\": true}"),
            ("{}", "exactly one of `tags`, `path`, `source` and `all` says what is purged"),
            (r#"{"soft": true}"#, "exactly one of `tags`, `path`, `source` and `all` says what is purged"),
            (r#"{"path": "/a", "path": "/b"}"#, "the key `path` is there twice at line 1 column 21"),
            (r#"{"source": "a", "params": {"id": "1", "id": "2"}}"#, "the key `id` is there twice at line 1 column 42"),
            (r#"{"all": true, "path": "/"}"#, "exactly one of `tags`, `path`, `source` and `all` says what is purged"),
            (r#"{"all": false}"#, "`all` must be `true`"),
            (r#"{"all": true, "soft": 1}"#, "`soft` must be `true` or `false`"),
            (
                r#"{"tag": "a"}"#,
                "unknown key `tag`: there is `tags`, `path`, `source` with `params`, `all`, and `soft`",
            ),
            (r#"{"tags": []}"#, "`tags` must be a list of texts, and not empty"),
            (r#"{"tags": [""]}"#, "`tags` must be a list of texts, and not empty"),
            (r#"{"tags": "a"}"#, "`tags` must be a list of texts, and not empty"),
            (r#"{"tags": ["a", 1]}"#, "`tags` must be a list of texts, and not empty"),
            (r#"{"path": "about"}"#, "`about` is not the path of a URL: it begins with `/`, and has no query"),
            (r#"{"path": "/a?b=1"}"#, "`/a?b=1` is not the path of a URL: it begins with `/`, and has no query"),
            (r#"{"path": 1}"#, "`path` must be a text, such as \"/about\""),
            (r#"{"source": ""}"#, "`source` must be the name of a source"),
            (r#"{"source": "a", "params": {}}"#, "`params` must be an object of texts, and not empty"),
            (r#"{"source": "a", "params": {"id": 1}}"#, "`params` must be an object of texts, and not empty"),
            (r#"{"tags": ["a"], "params": {"id": "1"}}"#, "`params` belongs to `source`"),
        ] {
            assert_eq!(read(body).unwrap_err().to_string(), error, "{body}");
        }
    }
}
