//! Names to slots: what every first word means for one route, which fields it has, and what is read by saying it.

use super::super::inputs::{CookieInput, QueryInput};
use super::super::{code, slots};
use crate::config::{Binding, Declared as _, Env, Environment, Node, Reference, Table};
use crate::diagnostic::{Finding, Findings, Place, did_you_mean};
use crate::resource::Decl;
use crate::source::{self, Astray, Known, Source};
use http::header::{self, HeaderName};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What names mean for one route.
pub(super) struct Scope<'s> {
    /// Path parameters; the flag is that of `{*rest}`.
    pub(super) params: Vec<(String, bool)>,
    /// Whether there are no others: a path that cannot be read may have any.
    pub(super) params_are_known: bool,
    pub(super) query: &'s [QueryInput],
    pub(super) cookies: &'s [CookieInput],
    pub(super) site: Known,
    /// Whether the site says which languages there are, so that one can be chosen.
    pub(super) has_languages: bool,
    pub(super) vars: Known,
    pub(super) page: Known,
    pub(super) user: Asker,
    /// What `form` holds; `None` on a route that takes nothing.
    pub(super) form: Option<Known>,
    /// The sources, and the slot of each.
    pub(super) sources: &'s [Source],
    pub(super) slots: Vec<usize>,
    /// Sources that could not be compiled: they have findings of their own, and may mean anything.
    pub(super) broken: Vec<String>,
    /// Tells which of its variables are no secrets.
    pub(super) environment: &'s Environment,
    pub(super) written: Written<'s>,
}

/// What `user` is.
pub(super) enum Asker {
    /// What the site's identities say: claims, of which it is not known beforehand which there are.
    Identified,
    /// The value of the source at this position, which the route's guard asks; `None` if that has mistakes.
    Source(Option<usize>),
    /// Nothing says who asks.
    Unknown,
}

/// What is written in a route, whether or not it could be read.
pub(super) struct Written<'w> {
    pub(super) decl: &'w Decl,
    pub(super) table: &'w Table,
    /// Whether it may inherit more than is known.
    pub(super) lacks_defaults: bool,
}

impl Written<'_> {
    /// Whether `name` may be a member of the table `key`, or any name if there is none, which could not be read.
    fn may_have(&self, key: &str, name: Option<&str>) -> bool {
        let member = |name| self.table.node(key).and_then(Node::as_table).and_then(|table| table.get(name));
        self.lacks_defaults || self.decl.is_lost(key) || name.and_then(member).is_some()
    }
}

/// What was read, and the first place where it was.
#[derive(Debug, Clone, Default)]
pub(super) struct Reads {
    pub(super) query: BTreeMap<String, Place>,
    pub(super) cookies: BTreeMap<String, Place>,
    pub(super) headers: BTreeMap<String, Place>,
    pub(super) request: BTreeMap<String, Place>,
    /// Who asks.
    pub(super) user: Option<Place>,
    /// Positions of sources.
    pub(super) sources: BTreeMap<usize, Place>,
    /// What is read of each there: `me.id`.
    spelled: BTreeMap<usize, String>,
    /// Fields of sources by position; `None` where one is read as a whole, or by a name that only a request knows.
    fields: BTreeSet<(usize, Option<String>)>,
}

impl Reads {
    /// Adds what `other` read.
    pub(super) fn extend(&mut self, other: &Self) {
        let merge = |into: &mut BTreeMap<String, Place>, from: &BTreeMap<String, Place>| {
            for (name, place) in from {
                into.entry(name.clone()).or_insert(*place);
            }
        };
        merge(&mut self.query, &other.query);
        merge(&mut self.cookies, &other.cookies);
        merge(&mut self.headers, &other.headers);
        merge(&mut self.request, &other.request);
        self.user = self.user.or(other.user);
        for (position, place) in &other.sources {
            self.sources.entry(*position).or_insert(*place);
        }
        for (position, spelled) in &other.spelled {
            self.spelled.entry(*position).or_insert_with(|| spelled.clone());
        }
        self.fields.extend(other.fields.iter().cloned());
    }

    /// What is read of the source at `position`, as an author would say it.
    pub(super) fn spelled(&self, position: usize) -> &str {
        self.spelled.get(&position).map_or("", String::as_str)
    }

    /// Whether the source at `position` is read field by field.
    pub(super) fn is_read_in_part(&self, position: usize) -> bool {
        self.sources.contains_key(&position) && !self.fields.contains(&(position, None))
    }

    /// Whether a field of the source at `position` is read.
    pub(super) fn reads_field(&self, position: usize, field: &str) -> bool {
        self.fields.contains(&(position, Some(field.to_owned())))
    }
}

/// The fields of `request` that exist; headers are one of them.
const REQUEST_FIELDS: [&str; 6] = ["path", "url", "method", "language", "flash", "headers"];

impl Scope<'_> {
    /// Resolves a placeholder.
    pub(super) fn bind(&self, reference: &Reference, reads: &mut Reads, findings: &mut Findings) -> Option<Binding> {
        if let Some(env) = Env::of_reference(reference) {
            let key = self.public(&env, findings)?;
            return Some(Binding { slot: slots::ENV, keys: [key].into(), from_request: false, is_rest: false });
        }
        let keys: Vec<Option<&str>> = reference.keys.iter().map(|key| Some(key.as_str())).collect();
        let slot = self.resolve(&reference.root, &keys, reference.place, reads, findings)?;
        let source = self.sources.iter().find(|source| source.name.value == reference.root);
        if source.is_some_and(|source| source.known.is_counted(&reference.keys)) {
            let message = format!("`{{{}}}` counts, which is for layouts", reference.spelled());
            let help = format!("print it in a layout, of HTML or of JSON: {{{{ {} }}}}", reference.spelled());
            findings.push(Finding::new(&code::UNKNOWN_FIELD, reference.place, message).help(help));
            return None;
        }
        let is_rest = slot == slots::PARAMS
            && matches!(reference.keys.as_slice(), [name] if self.params.iter().any(|(param, rest)| param == name && *rest));
        Some(Binding {
            slot,
            keys: reference.keys.iter().map(|key| Arc::from(key.as_str())).collect(),
            from_request: matches!(slot, slots::PARAMS | slots::QUERY | slots::COOKIES | slots::REQUEST | slots::FORM),
            is_rest,
        })
    }

    /// What an item is of the list that `reference` names; a finding if that is certainly no list.
    pub(super) fn item_of(
        &self,
        reference: &Reference,
        outer: Option<&Known>,
        findings: &mut Findings,
    ) -> Option<Known> {
        let keys = || reference.keys.iter().map(String::as_str);
        let item = match (reference.root.as_str(), outer) {
            (source::ITEM, Some(item)) => item.item_of(keys()),
            ("site", _) => self.site.item_of(keys()),
            ("vars", _) => self.vars.item_of(keys()),
            ("page", _) => self.page.item_of(keys()),
            ("query", _) => {
                let input = self.query.iter().find(|input| Some(&*input.name) == keys().next());
                // What is not declared has a finding of its own.
                if input.is_none_or(|input| input.repeat.is_some()) { Some(Known::Scalar) } else { None }
            }
            ("user" | "form", _) => Some(Known::Open),
            ("params" | "cookies" | "request" | Env::ROOT, _) => None,
            (root, _) => match self.sources.iter().find(|source| source.name.value == root) {
                Some(source) => source.known.item_of(keys()),
                None => Some(Known::Open),
            },
        };
        if item.is_none() {
            let message = format!("`{}` is no list", reference.spelled());
            let help = "name a list: \"{list.ids}\"";
            findings.push(Finding::new(&source::NOT_A_LIST, reference.place, message).help(help));
        }
        item
    }

    /// Resolves a placeholder that may read `{item}`: one of the items of the list `list`, each of which is an `item`.
    pub(super) fn bind_with_item(
        &self,
        reference: &Reference,
        item: &Known,
        list: &Reference,
        reads: &mut Reads,
        findings: &mut Findings,
    ) -> Option<Binding> {
        if reference.root != source::ITEM {
            return self.bind(reference, reads, findings);
        }
        let keys: Vec<Option<&str>> = reference.keys.iter().map(|key| Some(key.as_str())).collect();
        follow(item, source::ITEM, &keys, reference.place, findings)?;
        Some(Binding {
            slot: slots::ITEM,
            keys: reference.keys.iter().map(|key| Arc::from(key.as_str())).collect(),
            from_request: list.root == "query",
            is_rest: false,
        })
    }

    /// The slot of a first word, what follows it checked; an unknown key in it is a `None`.
    pub(super) fn resolve(
        &self,
        root: &str,
        keys: &[Option<&str>],
        place: Place,
        reads: &mut Reads,
        findings: &mut Findings,
    ) -> Option<usize> {
        if let Some(position) = self.sources.iter().position(|source| source.name.value == root) {
            reads.sources.entry(position).or_insert(place);
            reads.spelled.entry(position).or_insert_with(|| {
                let known = keys.iter().map_while(|key| *key);
                std::iter::once(root).chain(known).collect::<Vec<_>>().join(".")
            });
            reads.fields.insert((position, keys.first().copied().flatten().map(str::to_owned)));
            let source = self.sources.get(position)?;
            follow(&source.known, root, keys, place, findings)?;
            return self.slots.get(position).copied();
        }
        if self.broken.iter().any(|name| name == root) || self.is_lost(root, keys.first().copied().flatten()) {
            return None;
        }
        let Some((_, slot)) = slots::SCOPES.iter().find(|(name, _)| *name == root) else {
            findings.push(self.unknown(root, place));
            return None;
        };
        match *slot {
            slots::ENV => self.variable(keys, place, findings)?,
            slots::SITE => follow(&self.site, root, keys, place, findings)?,
            slots::VARS => follow(&self.vars, root, keys, place, findings)?,
            slots::PAGE => follow(&self.page, root, keys, place, findings)?,
            slots::PARAMS => {
                let names = self.params.iter().map(|(name, _)| name.as_str());
                let is_declared = |key: &str| self.params.iter().any(|(name, _)| name == key);
                if !self.params_are_known && keys.first().copied().flatten().is_none_or(|key| !is_declared(key)) {
                    return None;
                }
                declared(root, keys, names, "the path has no parameter", place, findings)?;
            }
            slots::QUERY => {
                let names = self.query.iter().map(|input| &*input.name);
                for name in declared(root, keys, names, "the route declares no query value", place, findings)? {
                    reads.query.entry(name).or_insert(place);
                }
            }
            slots::USER => self.user(keys, place, reads, findings)?,
            slots::FORM => {
                let Some(form) = &self.form else {
                    let message = "`form` on a route that takes nothing from its visitors";
                    let help = "declare what it takes: [form], or [methods.post] beside `json`";
                    findings.push(Finding::new(&code::NO_FORM, place, message).help(help));
                    return None;
                };
                follow(form, root, keys, place, findings)?;
            }
            slots::COOKIES => {
                let names = self.cookies.iter().map(|input| &*input.name);
                for name in declared(root, keys, names, "the route declares no cookie", place, findings)? {
                    reads.cookies.entry(name).or_insert(place);
                }
            }
            _ => {
                request(keys, place, reads, findings)?;
                if keys.first() == Some(&Some("language")) && !self.has_languages {
                    let message = "`request.language` in a site without `site.languages`";
                    findings.push(Finding::new(&code::NEEDS_LANGUAGES, place, message));
                    return None;
                }
            }
        }
        Some(*slot)
    }

    /// What is read of whoever asks.
    fn user(&self, keys: &[Option<&str>], place: Place, reads: &mut Reads, findings: &mut Findings) -> Option<()> {
        reads.user.get_or_insert(place);
        match &self.user {
            Asker::Identified => Some(()),
            Asker::Source(at) => follow(&self.sources.get((*at)?)?.known, "user", keys, place, findings),
            Asker::Unknown => {
                let message = "`user`, where nothing says who asks";
                let help = "declare an identity in site.toml, [auth.jwt], [auth.basic] or [auth.forward], or a source that knows: [guard] source = \"me\"";
                findings.push(Finding::new(&code::NO_IDENTITY, place, message).help(help));
                None
            }
        }
    }

    /// What a layout or a condition reads of the environment.
    fn variable(&self, keys: &[Option<&str>], place: Place, findings: &mut Findings) -> Option<()> {
        match keys {
            [Some(name)] => {
                let env = Env { name: (*name).to_owned(), default: None, place };
                self.public(&env, findings).map(|_key| ())
            }
            [Some(name), ..] => {
                let message = format!("`env.{name}` has nothing below it");
                findings.push(Finding::new(&code::UNKNOWN_FIELD, place, message).help("it is a single value"));
                None
            }
            _ => {
                let help = "only what is named is read: env.ANALYTICS_ID";
                findings.push(Finding::new(&code::WHOLE_SCOPE, place, "`env` as a whole").help(help));
                None
            }
        }
    }

    /// The key of a variable that is declared as no secret; a finding if it is not.
    fn public(&self, env: &Env, findings: &mut Findings) -> Option<Arc<str>> {
        if self.environment.is_public(&env.name) {
            return Some(self.environment.publish(env, findings));
        }
        // In a string of TOML it has been found as what stands there.
        let is_found = findings.iter().any(|finding| finding.place == Some(env.place));
        if !is_found {
            let message = format!("`env.{}` where its value would be shown", env.name);
            findings
                .push(Finding::new(&source::SECRET_OUT_OF_PLACE, env.place, message).help(source::way_out(&env.name)));
        }
        None
    }

    /// Whether a name would be known if all that is written could be read. What could not be has findings of its own.
    fn is_lost(&self, root: &str, key: Option<&str>) -> bool {
        let is_lost = |known: &[&str]| key.is_none_or(|key| !known.contains(&key)) && self.written.may_have(root, key);
        match root {
            "query" => is_lost(&self.query.iter().map(|input| &*input.name).collect::<Vec<_>>()),
            "cookies" => is_lost(&self.cookies.iter().map(|input| &*input.name).collect::<Vec<_>>()),
            "vars" => self.written.may_have("vars", None),
            _ if slots::SCOPES.iter().any(|(name, _)| *name == root) => false,
            _ => self.written.may_have("sources", Some(root)),
        }
    }

    /// Whether a first word is a scope or a source.
    pub(super) fn knows(&self, root: &str) -> bool {
        slots::SCOPES.iter().any(|(name, _)| *name == root)
            || self.sources.iter().any(|source| source.name.value == root)
    }

    fn unknown(&self, root: &str, place: Place) -> Finding {
        let scopes = slots::SCOPES.iter().map(|(name, _)| *name);
        let names: Vec<&str> = scopes.chain(self.sources.iter().map(|source| source.name.value.as_str())).collect();
        let help = match root {
            source::ITEM => Some(
                "an item is read in a source that has `for-each`, in `where`, and in `json` below `each`".to_owned(),
            ),
            "degraded" => Some("only layouts read it".to_owned()),
            _ => did_you_mean(root, names.iter().copied()),
        };
        let sources: Vec<&str> = self.sources.iter().map(|source| source.name.value.as_str()).collect();
        let help = help.unwrap_or_else(|| match sources.as_slice() {
            [] => format!("declare a source: [sources.{root}]"),
            names => format!("the sources of this route are {}", crate::config::list(names)),
        });
        Finding::new(&code::UNKNOWN_NAME, place, format!("`{root}` is neither a scope nor a source of this route"))
            .help(help)
    }
}

/// The names that are read of a scope with exactly `names`: the one that is said, or all for the scope as a whole.
fn declared<'n>(
    root: &str,
    keys: &[Option<&str>],
    names: impl Iterator<Item = &'n str>,
    absent: &str,
    place: Place,
    findings: &mut Findings,
) -> Option<Vec<String>> {
    let names: Vec<&str> = names.collect();
    let Some(Some(name)) = keys.first() else { return Some(names.iter().map(|&name| name.to_owned()).collect()) };
    if names.contains(name) {
        return Some(vec![(*name).to_owned()]);
    }
    let help = did_you_mean(name, names.iter().copied()).unwrap_or_else(|| match root {
        "params" => format!("name it in the path: `{{{name}}}`"),
        _ => format!("declare it: [{root}.{name}]"),
    });
    findings.push(Finding::new(&code::UNKNOWN_FIELD, place, format!("{absent} `{name}`")).help(help));
    None
}

fn request(keys: &[Option<&str>], place: Place, reads: &mut Reads, findings: &mut Findings) -> Option<()> {
    let whole = |what: &str| {
        Finding::new(&code::WHOLE_SCOPE, place, format!("`{what}` as a whole"))
            .help("only what is named is read: request.path, request.headers.accept-language")
    };
    match keys {
        [Some("id"), ..] => {
            let message = "`request.id` differs with each request";
            findings.push(Finding::new(&code::REQUEST_ID, place, message).help("error pages have `error.id`"));
            None
        }
        [Some("headers"), Some(name), ..] => header_field(name, place, reads, findings),
        [Some("headers"), ..] => {
            findings.push(whole("request.headers"));
            None
        }
        [Some(name), ..] if REQUEST_FIELDS.contains(name) => {
            reads.request.entry((*name).to_owned()).or_insert(place);
            Some(())
        }
        [Some(name), ..] => {
            let help = did_you_mean(name, REQUEST_FIELDS)
                .unwrap_or_else(|| format!("`request` has {}", crate::config::list(&REQUEST_FIELDS)));
            findings.push(Finding::new(&code::UNKNOWN_FIELD, place, format!("`request` has no `{name}`")).help(help));
            None
        }
        [] | [None, ..] => {
            findings.push(whole("request"));
            None
        }
    }
}

fn header_field(name: &str, place: Place, reads: &mut Reads, findings: &mut Findings) -> Option<()> {
    let Ok(field) = HeaderName::from_bytes(name.as_bytes()) else {
        let message = format!("`{name}` is not the name of a header field");
        findings.push(Finding::new(&code::UNKNOWN_FIELD, place, message));
        return None;
    };
    if field == header::COOKIE {
        let message = "the `cookie` header as a whole";
        findings.push(
            Finding::new(&code::COOKIE_HEADER, place, message)
                .help("declare the cookies that are read: [cookies.theme]"),
        );
        return None;
    }
    if field.as_str() != name {
        let message = format!("`request` has no header `{name}`");
        findings.push(Finding::new(&code::UNKNOWN_FIELD, place, message).help(format!("did you mean `{field}`?")));
        return None;
    }
    reads.headers.entry(name.to_owned()).or_insert(place);
    Some(())
}

/// Finds what leads nowhere in a value of this shape.
pub(super) fn follow(
    known: &Known,
    root: &str,
    keys: &[Option<&str>],
    place: Place,
    findings: &mut Findings,
) -> Option<()> {
    let astray = match known.follow(keys.iter().copied()) {
        Ok(()) => return Some(()),
        Err(astray) => astray,
    };
    let said = |depth: usize| {
        let mut said = root.to_owned();
        for key in keys.iter().take(depth) {
            said.push_str(&key.map_or_else(|| "[…]".to_owned(), |key| format!(".{key}")));
        }
        said
    };
    let finding = match astray {
        Astray::NoMember { depth, members } => {
            let name = keys.get(depth).copied().flatten().unwrap_or("…");
            let members: Vec<&str> = members.iter().map(String::as_str).collect();
            let help = did_you_mean(name, members.iter().copied()).unwrap_or_else(|| match members.as_slice() {
                [] => format!("`{}` has no fields", said(depth)),
                members => format!("`{}` has {}", said(depth), crate::config::list(members)),
            });
            Finding::new(&code::UNKNOWN_FIELD, place, format!("`{}` has no `{name}`", said(depth))).help(help)
        }
        Astray::Scalar { depth } => {
            let message = format!("`{}` has nothing below it", said(depth));
            Finding::new(&code::UNKNOWN_FIELD, place, message).help("it is a single value")
        }
    };
    findings.push(finding);
    None
}
