//! What a page says about itself: its title and description, its header fields, its tags.
//!
//! How they are written is known to the floor below; here their names are resolved, and what never changes is told from what does.

use super::kind;
use super::scope::{Reads, Scope};
use crate::config::{BAD_VALUE, Binding, Template};
use crate::diagnostic::{Finding, Findings, Spanned};
use crate::resource::{Decl, HeaderDecl};
use crate::source;
use http::HeaderValue;
use http::header::HeaderName;
use std::sync::Arc;

/// What a page says about itself, and its header fields.
pub(super) struct Fields {
    /// `title`, if it changes.
    pub(super) title: Option<Template<Binding>>,
    /// `description`, if it changes.
    pub(super) description: Option<Template<Binding>>,
    /// Fields whose values never change.
    pub(super) fixed: Vec<(HeaderName, HeaderValue)>,
    /// Those with placeholders.
    pub(super) headers: Vec<(HeaderName, Template<Binding>)>,
    /// Those that are inherited, or sent by themselves, and are not to be.
    pub(super) removed: Vec<HeaderName>,
    /// Declared tags.
    pub(super) tags: Vec<Arc<str>>,
    /// Those with placeholders.
    pub(super) changing_tags: Vec<Template<Binding>>,
}

impl Fields {
    /// With its names resolved; nothing if its title or its description cannot be compiled.
    pub(super) fn link(decl: &Decl, scope: &Scope<'_>, reads: &mut Reads, findings: &mut Findings) -> Option<Self> {
        let mut link = |written: &Option<Spanned<Template>>, what: &str, findings: &mut Findings| match written {
            None => Some(None),
            Some(template) => {
                source::refuse_secrets(&template.value, what, scope.environment, findings);
                let linked = template.value.try_map(|reference| scope.bind(reference, reads, findings))?;
                // What never changes is part of `page`.
                Some(Some(linked).filter(|linked| linked.as_literal().is_none()))
            }
        };
        let title = link(&decl.title, "`title`", findings);
        let description = link(&decl.description, "`description`", findings);
        let (mut tags, mut changing_tags) = (Vec::new(), Vec::new());
        for written in decl.cache.iter().flat_map(|cache| cache.0.rules.tags.iter().flatten()) {
            match written.value.as_literal() {
                Some(text) if text.is_empty() || text.contains(char::is_control) => {
                    let message = "a tag that is empty, or holds control characters";
                    let help = "tags = [\"products\"]";
                    findings.push(Finding::new(&BAD_VALUE, written.place, message).help(help));
                }
                Some(text) => tags.push(text.into()),
                None => changing_tags.extend(link(&Some(written.clone()), "a tag", findings).flatten()),
            }
        }
        let (mut fixed, mut headers, mut removed) = (Vec::new(), Vec::new(), Vec::new());
        for (name, written) in decl.headers.iter().flat_map(|named| &named.0) {
            let field = kind::header_name(name, findings);
            if let (None, Some(template)) = (&field, written.value()) {
                source::refuse_secrets(template, "a header of an answer", scope.environment, findings);
                template.try_map(|reference| scope.bind(reference, reads, findings));
            }
            let Some(field) = field else { continue };
            // Names of fields have no case, and what stands last was written nearest.
            fixed.retain(|(other, _)| *other != field);
            headers.retain(|(other, _)| *other != field);
            removed.retain(|other| *other != field);
            let template = match written {
                HeaderDecl::Value(template) => template,
                HeaderDecl::Removed => {
                    removed.push(field);
                    continue;
                }
            };
            source::refuse_secrets(template, "a header of an answer", scope.environment, findings);
            match template.as_literal() {
                Some(text) => match HeaderValue::from_str(text) {
                    Ok(value) => fixed.push((field, value)),
                    Err(_) => {
                        let message =
                            format!("the value of `{}` holds bytes that no header field may hold", name.value);
                        let help = "no line breaks and no other control characters";
                        findings.push(Finding::new(&BAD_VALUE, template.place, message).help(help));
                    }
                },
                None => {
                    kind::refuse_changing(&field, template, findings);
                    let linked = template.try_map(|reference| scope.bind(reference, reads, findings));
                    headers.extend(linked.map(|template| (field, template)));
                }
            }
        }
        Some(Self { title: title?, description: description?, fixed, headers, removed, tags, changing_tags })
    }
}
