//! What becomes of an answer that was made: what caches on the way are told of it, and whether our own store keeps it.
//!
//! Making and explaining ask the same function, so that they never differ. It knows what was declared and what the answer came to, and
//! nothing of how it is stored.

use crate::cache::{Allowance, CDN_CACHE_CONTROL, NotStorable, Tag};
use crate::config::{Binding, Template, scalar_text};
use crate::resource::Resource;
use crate::site::{Route, Variant};
use crate::value::Value;
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

/// What becomes of an answer.
#[derive(Clone, Copy)]
pub(super) struct Keeping<'k> {
    variant: Variant<'k>,
    said: Said,
    /// For how much longer the page's sources are fresh.
    remaining: Duration,
    /// For how long our store keeps it, or why it does not.
    pub(super) kept: Result<Allowance, Refused>,
}

/// What caches on the way are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// What the route declares of its pages.
    Policy,
    /// What it declares of its 404s.
    NotFound,
    /// That nobody keeps it.
    NoStore,
}

/// Why our store does not keep an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("files are kept beside it, as long as they do not change")]
    File,
    #[error("a redirect is worked out each time")]
    Redirect,
    #[error("answers of the upstream are kept as these say")]
    Proxy,
    #[error("the page is one person's")]
    Personal,
    #[error("it does without a source")]
    Degraded,
    #[error("only answers with status 200 are kept")]
    Status,
    #[error("`no-store`")]
    NoStore,
    #[error("`private`")]
    Private,
    #[error("`no-cache`")]
    NoCache,
    #[error("no lifetime is declared")]
    NoLifetime,
}

impl From<NotStorable> for Refused {
    fn from(why: NotStorable) -> Self {
        match why {
            NotStorable::NoStore => Self::NoStore,
            NotStorable::Private => Self::Private,
            NotStorable::NoCache => Self::NoCache,
            NotStorable::NoLifetime => Self::NoLifetime,
        }
    }
}

impl<'k> Keeping<'k> {
    /// What becomes of an answer of `variant` with this `status`, which does without a source if it `is_degraded`, and whose sources are fresh
    /// for `remaining`.
    pub(super) fn of(variant: Variant<'k>, status: StatusCode, is_degraded: bool, remaining: Duration) -> Self {
        let Variant { route, policy, .. } = variant;
        let is_personal = variant.is_personal();
        let not_found = policy.not_found().filter(|_| status == StatusCode::NOT_FOUND && !is_personal);
        let is_error = status.is_client_error() || status.is_server_error();
        let (said, kept) = if is_degraded {
            // For those who wait for it: nobody keeps it as a good one.
            let kept = policy.degraded().filter(|_| status == StatusCode::OK);
            (Said::NoStore, kept.ok_or(Refused::Degraded))
        } else if let Some(allowance) = not_found {
            (Said::NotFound, Ok(allowance))
        } else if is_error && status != route.status {
            (Said::NoStore, Err(Refused::Status))
        } else if status == StatusCode::OK {
            (Said::Policy, policy.allowance(remaining).map_err(Refused::from))
        } else {
            (Said::Policy, Err(Refused::Status))
        };
        let kept = match &route.resource {
            Resource::Files(_) => Err(Refused::File),
            Resource::Redirect(_) => Err(Refused::Redirect),
            Resource::Proxy(_) => Err(Refused::Proxy),
            Resource::Page(_) | Resource::Document(_) | Resource::Tree(_) | Resource::Json(_) => {
                if is_personal {
                    Err(Refused::Personal)
                } else {
                    kept
                }
            }
        };
        Self { variant, said, remaining, kept }
    }

    /// Whether our store may have it all the same, to send it again when it has turned out to be what would be made anew: that is how a cache
    /// obeys `no-cache` (RFC 9111, section 5.2.2.4).
    pub(super) fn is_asked_about(self) -> bool {
        matches!(self.kept, Err(Refused::NoCache | Refused::NoLifetime | Refused::Private))
    }

    /// Whether the value of this field is written for each answer anew.
    pub(super) fn writes(self, name: &HeaderName) -> bool {
        let policy = self.variant.policy;
        let is_of_tags = || policy.tag_header(false).is_some_and(|header| header.name == *name);
        (*name == CACHE_CONTROL && policy.auto().downstream) || *name == CDN_CACHE_CONTROL || is_of_tags()
    }

    /// Says so in the fields of the answer, which depends on `tags`.
    pub(super) fn say<'t>(self, tags: impl Iterator<Item = &'t Tag>, fields: &mut HeaderMap) {
        let policy = self.variant.policy;
        let (cache_control, cdn_cache_control) = match self.said {
            Said::Policy => (policy.cache_control(self.remaining), policy.cdn_cache_control(self.remaining)),
            Said::NotFound => (policy.not_found_cache_control(), None),
            Said::NoStore => (HeaderValue::from_static("no-store"), None),
        };
        fields.insert(CACHE_CONTROL, cache_control);
        match cdn_cache_control {
            Some(value) => drop(fields.insert(CDN_CACHE_CONTROL, value)),
            None => drop(fields.remove(CDN_CACHE_CONTROL)),
        }
        let header = policy.tag_header(self.said == Said::NotFound).filter(|_| self.said != Said::NoStore);
        let Some(header) = header.filter(|_| !self.variant.is_personal()) else { return };
        let (value, left_out) = header.value(tags.map(Tag::as_str));
        if left_out > 0 {
            tracing::warn!(route = &*self.variant.route.name, left_out, "tags do not fit into the field that is sent");
        }
        if let Some(value) = value {
            fields.insert(header.name.clone(), value);
        }
    }
}

/// The tags that a route declares with placeholders, as its data fills them in.
pub(super) fn declared_tags(route: &Route, slots: &[Value]) -> Vec<Tag> {
    filled_tags(&route.changing_tags, slots, &route.name)
}

/// Tags with placeholders that are declared in a `route`, filled in.
pub(super) fn filled_tags(templates: &[Template<Binding>], slots: &[Value], route: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    for template in templates {
        if filled(template, slots, &mut tags).is_err() {
            tracing::warn!(route, "a list or an object in a tag: it is left out");
        }
    }
    tags
}

fn filled(template: &Template<Binding>, slots: &[Value], tags: &mut Vec<Tag>) -> Result<(), crate::config::NotText> {
    let mut add = |text: &str| {
        if !text.is_empty() {
            tags.push(Tag::new(text));
        }
    };
    if let Some(Value::List(items)) = template.as_single().map(|binding| binding.value(slots)) {
        return items.iter().try_for_each(|item| scalar_text(item).map(|text| add(&text)));
    }
    if let Some(text) = template.text(slots, |text, out| out.push_str(text))? {
        add(&text);
    }
    Ok(())
}
