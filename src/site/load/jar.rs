//! The cookies that a site sets: what one route sets others read, by its name and with its seal.

use super::super::{Seal, code};
use super::scope::{Reads, Scope};
use super::{Shared, input};
use crate::config::{Declared as _, Decode as _, Named, Table};
use crate::diagnostic::{Finding, Findings, Place};
use crate::resource::{Decl, SetCookie, SetCookieDecl};
use crate::source;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is known of a cookie that any route sets.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// Its name in requests.
    pub(super) name: Arc<str>,
    /// What is done to its value.
    pub(super) seal: Option<Seal>,
    place: Place,
}

/// The cookies that routes set, by what their authors call them.
#[derive(Debug, Default)]
pub(super) struct Jar(BTreeMap<String, Known>);

impl Jar {
    /// The cookies that these routes set. Two routes mean the same cookie by one name.
    pub(super) fn of<'t>(tables: impl Iterator<Item = &'t Table>, findings: &mut Findings) -> Self {
        let mut jar = Self::default();
        for node in tables.filter_map(|table| table.node("set-cookies")) {
            // What is wrong with it is told with its route.
            let mut untold = Findings::default();
            let declared = Named::<SetCookieDecl>::decode(node, &mut untold);
            for (key, decl) in declared.iter().flat_map(|named| &named.0) {
                if let Some(cookie) = SetCookie::compile(key, decl, &mut untold) {
                    jar.add(&cookie, findings);
                }
            }
        }
        jar
    }

    fn add<R>(&mut self, cookie: &SetCookie<R>, findings: &mut Findings) {
        let SetCookie { key, name, seal, place, .. } = cookie;
        match self.0.get(&**key) {
            None => {
                let known = Known { name: Arc::clone(name), seal: *seal, place: *place };
                self.0.insert(key.to_string(), known);
            }
            Some(known) if known.name != *name || known.seal != *seal => {
                // One that a section sets is met in each of its routes.
                if findings.iter().any(|finding| finding.place == Some(*place)) {
                    return;
                }
                let message = format!("the cookie `{key}` has another name or another seal elsewhere");
                let help = "who reads it must know which: write the same in both, or call one of them otherwise";
                findings.push(
                    Finding::new(&code::COOKIE_DIFFERS, *place, message).related(known.place, "there").help(help),
                );
            }
            Some(_) => {}
        }
    }

    /// What is known of the cookie that is read as `key`, or that is called `name` in requests if that is said.
    pub(super) fn known(&self, key: &str, name: Option<&str>) -> Option<&Known> {
        match name {
            None => self.0.get(key),
            Some(name) => self.0.values().find(|known| *known.name == *name),
        }
    }
}

/// The cookies that the answers of the route set.
pub(super) fn set_by(
    decl: &Decl,
    scope: &Scope<'_>,
    reads: &mut Reads,
    shared: &mut Shared<'_>,
) -> Option<Vec<SetCookie>> {
    let mut set = Vec::new();
    let mut is_sound = !decl.is_lost("set-cookies");
    for (key, written) in decl.set_cookies.iter().flat_map(|named| &named.0) {
        is_sound &= input::is_snake_case(key, &mut shared.findings);
        let Some(cookie) = SetCookie::compile(key, written, &mut shared.findings) else {
            is_sound = false;
            continue;
        };
        source::refuse_secrets(&cookie.value, "a cookie", shared.environment, &mut shared.findings);
        if cookie.seal.is_some() && !shared.has_cookie_keys {
            let message = format!("`{}` is to be sealed, and there is no key", key.value);
            let help = "declare one in site.toml: [cookie-keys] with keys = [\"{env.COOKIE_KEY}\"]";
            shared.findings.push(Finding::new(&code::NO_COOKIE_KEYS, key.place, message).help(help));
            is_sound = false;
        }
        let linked = cookie.link(|reference| scope.bind(reference, reads, &mut shared.findings));
        is_sound &= linked.is_some();
        set.extend(linked);
    }
    is_sound.then_some(set)
}
