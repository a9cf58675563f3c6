//! What a change on an upstream makes invalid here (RFC 9111, section 4.4; RFC 9875): what sources have kept of its URLs and groups.
//!
//! Whoever sends a request that may change something tells here what was answered: sources whose calls are not safe, and routes that pass requests
//! on. What is kept of a URL carries its tag, so that it is found whatever chose it.

use super::runtime::Service;
use crate::cache::rules::{self, Invalidated};
use crate::cache::{Digester, Purge, Scope, Tag};
use crate::source::Upstream;
use crate::upstream::Url;
use http::{HeaderMap, Method, StatusCode, Uri};

/// Drops what is kept of the `url` of an upstream, the one at this position, and of all that the answer to this request names: a request of
/// `method`, answered with `status` and these `fields`. Nothing is dropped after a safe method or an error. No fill that began before is stored.
pub(super) fn changed(
    service: &Service,
    upstream: usize,
    (method, url): (&Method, &Url),
    (status, fields): (StatusCode, &HeaderMap),
) {
    let Some(upstream) = service.site.upstreams.get(upstream) else { return };
    let tags = tags(upstream, method, url, status, fields);
    if !tags.is_empty() {
        service.runtime.store.purge(&Scope::Tags(tags), Purge::Hard);
    }
}

fn tags(upstream: &Upstream, method: &Method, url: &Url, status: StatusCode, fields: &HeaderMap) -> Vec<Tag> {
    let Ok(target) = url.as_str().parse::<Uri>() else { return vec![url_tag(upstream, url)] };
    let Some(Invalidated { elsewhere, groups }) = rules::invalidated(method, &[&target], status, fields) else {
        return Vec::new();
    };
    let elsewhere = elsewhere.iter().filter_map(|elsewhere| url.join(&elsewhere.path).ok());
    let urls = std::iter::once(url.clone()).chain(elsewhere).map(|url| url_tag(upstream, &url));
    urls.chain(groups.iter().map(|group| group_tag(upstream, group))).collect()
}

/// The tag of what is kept of a `url` of this upstream: of the URL without the query values that all its calls carry. What a source adds to it
/// may be a credential too, ours or a visitor's, which has no place in a store: it is a digest.
pub(super) fn url_tag(upstream: &Upstream, url: &Url) -> Tag {
    let own = upstream.query.expose();
    let mut url = url.clone();
    url.set_fragment(None);
    if let Some(query) = url.query().filter(|_| !own.is_empty()) {
        let rest =
            query.strip_prefix(own).and_then(|rest| if rest.is_empty() { Some("") } else { rest.strip_prefix('&') });
        let rest = rest.or_else(|| query.strip_suffix(own)?.strip_suffix('&')).map(str::to_owned);
        if let Some(rest) = rest {
            url.set_query(Some(&*rest).filter(|rest| !rest.is_empty()));
        }
    }
    tag_of(url.as_str())
}

fn tag_of(url: &str) -> Tag {
    Tag::derived("url", &Digester::new("url").bytes(url.as_bytes()).finish().short())
}

/// The tag of what is in a group of responses of this upstream.
pub(super) fn group_tag(upstream: &Upstream, name: &str) -> Tag {
    Tag::derived("group", &format!("{}:{name}", upstream.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    #[test]
    fn the_tag_of_a_url_is_without_what_all_calls_carry() {
        let plain = Upstream::of_origin("https://shop.example");
        let keyed = Upstream { query: Secret::new("key=s3cret&v=1"), ..plain.clone() };
        for (upstream, url, expected) in [
            (&plain, "https://shop.example/a?b=1#c", "https://shop.example/a?b=1"),
            (&plain, "https://SHOP.example:443/a", "https://shop.example/a"),
            (&keyed, "https://shop.example/a?key=s3cret&v=1", "https://shop.example/a"),
            (&keyed, "https://shop.example/a?key=s3cret&v=1&b=1", "https://shop.example/a?b=1"),
            (&keyed, "https://shop.example/a?b=1&key=s3cret&v=1", "https://shop.example/a?b=1"),
            (&keyed, "https://shop.example/a?key=s3cret&v=12", "https://shop.example/a?key=s3cret&v=12"),
        ] {
            assert_eq!(url_tag(upstream, &Url::parse(url).unwrap()), tag_of(expected), "{url}");
        }
    }

    #[test]
    fn a_change_names_its_url_and_what_the_answer_names() {
        let upstream = Upstream::of_origin("https://shop.example");
        let url = Url::parse("https://shop.example/a/b?c=1").unwrap();
        let told = |method: Method, status: u16, lines: &[(&'static str, &str)]| {
            let fields: HeaderMap = lines
                .iter()
                .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
                .collect();
            let tags = tags(&upstream, &method, &url, StatusCode::from_u16(status).unwrap(), &fields);
            tags.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let digest = |url: &str| tag_of(url).to_string();
        let own = &*digest("https://shop.example/a/b?c=1");
        assert_eq!(own.len(), "url:".len() + 32);
        let here = ("location", "../d?e=2");
        let groups = ("cache-group-invalidation", "\"one\", \"two\"");
        assert_eq!(told(Method::GET, 200, &[here]), [""; 0]);
        assert_eq!(told(Method::POST, 500, &[here]), [""; 0]);
        assert_eq!(told(Method::POST, 204, &[]), [own]);
        assert_eq!(told(Method::POST, 201, &[here]), [own, &digest("https://shop.example/d?e=2")]);
        assert_eq!(told(Method::PUT, 200, &[("location", "https://other.example/")]), [own]);
        let expected = [own, "group:https://shop.example:one", "group:https://shop.example:two"];
        assert_eq!(told(Method::DELETE, 200, &[groups]), expected);
    }
}
