//! The last look at what was made, before anybody gets it: what holds a secret of the site is not sent.
//!
//! It happens once, when a page is made; what is stored has been looked through. Files are sent as they are: they are the author's.

use super::meter::Counter;
use crate::config::Tripwire;
use crate::site::{Inputs, Variant, slots};
use crate::value::{Value, write_json};
use http::header::{COOKIE, HeaderMap, HeaderName};

/// What is known when something has been made.
#[derive(Clone, Copy)]
pub(super) struct Lookout<'l> {
    pub(super) tripwire: &'l Tripwire,
    pub(super) variant: Variant<'l>,
    /// The data that it was made of.
    pub(super) slots: &'l [Value],
    /// The header fields of the visitor's request that its sources send along.
    pub(super) visitor: &'l HeaderMap,
    /// How often something was found.
    pub(super) withheld: &'l Counter,
}

impl Lookout<'_> {
    /// Whether one of these texts holds a secret. If so the log is told which one, and where it came from.
    pub(super) fn finds_secret<'t>(self, texts: impl IntoIterator<Item = &'t [u8]>) -> bool {
        if self.tripwire.is_idle() {
            return false;
        }
        texts.into_iter().any(|text| self.tripwire.find(text).is_some() && self.is_told(text))
    }

    /// Whether `text`, which holds a secret, holds one that the visitor did not send. To somebody who sends it nothing is told; and
    /// somebody who guesses must not see by an error that the guess was right.
    #[cold]
    fn is_told(self, text: &[u8]) -> bool {
        let said = self.said();
        let is_sent = |name: &str| said.iter().any(|said| said == name);
        let told: Vec<&str> =
            self.tripwire.find_all(text).into_iter().map(|name| &**name).filter(|name| !is_sent(name)).collect();
        if told.is_empty() {
            return false;
        }
        let sources = self.variant.route.sources.iter().enumerate().filter(|(at, _)| {
            let value = self.slots.get(slots::FIRST_SOURCE + at);
            value.is_some_and(|value| self.all_in(value).iter().any(|name| told.contains(&name.as_str())))
        });
        let sources: Vec<&str> = sources.map(|(_, planned)| planned.source.name.value.as_str()).collect();
        let (secrets, sources) = (told.join(", "), sources.join(", "));
        self.withheld.increment();
        tracing::error!(
            route = &*self.variant.route.name,
            secrets,
            sources,
            "what was made holds a secret, and is not sent"
        );
        true
    }

    /// The secrets in what the request says, as far as it is in the page's key: whoever gets the page has said the same.
    fn said(self) -> Vec<String> {
        let Inputs { query, cookies, .. } = &self.variant.route.inputs;
        let read_query = query.iter().filter(|input| input.is_read).map(|input| (slots::QUERY, &*input.name));
        let read_cookies = cookies.iter().filter(|input| input.is_read).map(|input| (slots::COOKIES, &*input.name));
        let of_inputs = read_query
            .chain(read_cookies)
            .filter_map(|(slot, name)| self.slots.get(slot).and_then(|slot| slot.get(name)));
        let whole = [slots::PARAMS, slots::REQUEST].into_iter().filter_map(|slot| self.slots.get(slot));
        // Of a form only what was typed: the rest is what an upstream has said to it.
        let typed = self.slots.get(slots::FORM).and_then(|form| form.get("values"));
        // Of the whole field only some cookies are in the key, if there is one.
        let is_own = |name: &HeaderName| *name != COOKIE || !self.variant.is_keepable();
        let fields = self.visitor.iter().filter(|(name, _)| is_own(name)).map(|(_, value)| value.as_bytes());
        let in_fields = fields.flat_map(|value| self.tripwire.find_all(value)).map(ToString::to_string);
        whole.chain(of_inputs).chain(typed).flat_map(|value| self.all_in(value)).chain(in_fields).collect()
    }

    /// The secrets in a value.
    fn all_in(self, value: &Value) -> Vec<String> {
        let mut text = String::new();
        write_json(value, &mut text);
        self.tripwire.find_all(text.as_bytes()).into_iter().map(ToString::to_string).collect()
    }
}
