//! The languages that `[site]` declares.

use super::super::{Languages, code};
use crate::diagnostic::{Finding, Findings, Spanned, did_you_mean};
use crate::fields::is_language_tag;
use std::sync::Arc;

/// The language of a site that does not say which.
const DEFAULT: &str = "en";

/// `site.language` and `site.languages`; each stands for the other where that is not written.
pub(super) fn compile(
    language: Option<&Spanned<String>>,
    languages: Option<&Spanned<Vec<Spanned<String>>>>,
    findings: &mut Findings,
) -> Languages {
    let language = language.filter(|language| is_tag(language, findings));
    let all = languages.map(|written| distinct(written, findings)).unwrap_or_default();
    let Some(first) = all.first() else {
        let only: Arc<str> = language.map_or(DEFAULT, |language| language.value.as_str()).into();
        return Languages::new(Arc::clone(&only), vec![only]);
    };
    let default = match language {
        None => Arc::clone(first),
        Some(language) => all.iter().find(|tag| ***tag == *language.value).cloned().unwrap_or_else(|| {
            findings.push(elsewhere(language, languages, &all));
            Arc::clone(first)
        }),
    };
    Languages::new(default, all)
}

fn is_tag(written: &Spanned<String>, findings: &mut Findings) -> bool {
    let is_tag = is_language_tag(&written.value);
    if !is_tag {
        let hyphens = written.value.replace('_', "-");
        let help = if is_language_tag(&hyphens) {
            format!("its parts are separated by hyphens: \"{hyphens}\"")
        } else {
            "write a tag such as \"en\", \"de-AT\" or \"zh-Hant\"".to_owned()
        };
        let message = format!("`{}` is not a language tag", written.value);
        findings.push(Finding::new(&code::BAD_LANGUAGE, written.place, message).help(help));
    }
    is_tag
}

/// The tags of a list that are tags, each once.
fn distinct(written: &Spanned<Vec<Spanned<String>>>, findings: &mut Findings) -> Vec<Arc<str>> {
    if written.value.is_empty() {
        let message = "a site without any language";
        let help = "leave `languages` out, or name them: languages = [\"en\", \"de\"]";
        findings.push(Finding::new(&code::BAD_LANGUAGE, written.place, message).help(help));
    }
    let mut known: Vec<&Spanned<String>> = Vec::with_capacity(written.value.len());
    for tag in &written.value {
        if !is_tag(tag, findings) {
            continue;
        }
        match known.iter().find(|other| other.value.eq_ignore_ascii_case(&tag.value)) {
            None => known.push(tag),
            Some(other) => {
                let message = format!("the language `{}` twice", tag.value);
                let finding = Finding::new(&code::BAD_LANGUAGE, tag.place, message);
                findings.push(finding.related(other.place, "first here").help("tags have no case; leave one out"));
            }
        }
    }
    known.into_iter().map(|tag| tag.value.as_str().into()).collect()
}

/// The finding for a `language` that is none of the `languages`.
fn elsewhere(
    language: &Spanned<String>,
    languages: Option<&Spanned<Vec<Spanned<String>>>>,
    all: &[Arc<str>],
) -> Finding {
    let message = format!("`{}` is not among the languages of the site", language.value);
    let help = did_you_mean(&language.value, all.iter().map(|tag| &**tag))
        .unwrap_or_else(|| format!("add it: languages = [\"{}\", …]", language.value));
    let finding = Finding::new(&code::BAD_LANGUAGE, language.place, message).help(help);
    match languages {
        Some(languages) => finding.related(languages.place, "these are"),
        None => finding,
    }
}
