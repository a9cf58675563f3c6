//! What a route reads of a request, as it was read, and what of the request it does not read.

use super::Told;
use crate::explanation::{Input, State};
use crate::fields::{cookies, is_credential};
use crate::router::Query;
use crate::site::slots;
use crate::value::{Object, Value, write_json};

impl Told<'_> {
    /// Every declared input, with its value as the page sees it.
    pub(super) fn inputs(&self) -> Vec<Input> {
        let slots = self.slots;
        let declared = &self.route.inputs;
        let value = |slot: usize, name: &str| slots.get(slot).and_then(|scope| scope.get(name)).unwrap_or(&Value::Null);
        let fields = &self.exchange.request.headers;
        let mut inputs = Vec::new();
        for (name, _, kind) in self.matched.params.iter() {
            inputs.push(Input {
                name: format!("params.{name}"),
                kind: Some(kind.kind().name()),
                value: Some(json(value(slots::PARAMS, name))),
                state: State::Present,
                is_read: true,
            });
        }
        let query = Query::new(self.matched.query);
        for (at, input) in declared.query.iter().enumerate() {
            let has_some = query.all(&input.key).next().is_some();
            inputs.push(Input {
                name: format!("query.{}", input.name),
                kind: Some(input.kind.kind().name()),
                value: Some(json(value(slots::QUERY, &input.name))),
                state: state(self.inputs.has_query(at), has_some),
                is_read: input.is_read,
            });
        }
        for (at, input) in declared.cookies.iter().enumerate() {
            let has_some = cookies(fields).any(|(name, _)| name == input.key.as_bytes());
            inputs.push(Input {
                name: format!("cookies.{}", input.name),
                kind: Some(input.kind.kind().name()),
                value: input.is_enumerated().then(|| json(value(slots::COOKIES, &input.name))),
                state: state(self.inputs.has_cookie(at), has_some),
                is_read: input.is_read,
            });
        }
        let request = slots.get(slots::REQUEST).and_then(Value::as_object);
        for (name, said) in request.into_iter().flat_map(Object::iter).filter(|(_, said)| said.as_object().is_none()) {
            inputs.push(Input {
                name: format!("request.{name}"),
                kind: None,
                value: Some(json(said)),
                state: State::Present,
                is_read: true,
            });
        }
        let headers = slots.get(slots::REQUEST).and_then(|request| request.get("headers"));
        for name in &declared.headers {
            let said = headers.and_then(|headers| headers.get(name.as_str())).unwrap_or(&Value::Null);
            inputs.push(Input {
                name: format!("request.headers.{name}"),
                kind: None,
                value: (!is_credential(name)).then(|| json(said)),
                state: state(!said.is_null(), false),
                is_read: true,
            });
        }
        inputs
    }

    /// What the request has and the route declares nothing about.
    pub(super) fn ignored(&self) -> Vec<String> {
        let declared = &self.route.inputs;
        let fields = &self.exchange.request.headers;
        let forwarded = self.inputs.visitor(self.route);
        let mut ignored = Vec::new();
        for (name, _) in Query::new(self.matched.query).pairs() {
            if !declared.query.iter().any(|input| *input.key == *name) {
                ignored.push(format!("query `{name}`"));
            }
        }
        for (name, _) in cookies(fields) {
            let is_declared = declared.cookies.iter().any(|input| input.key.as_bytes() == name);
            let is_sent_along = self.route.sources.iter().any(|planned| planned.source.sends_cookie(name));
            if !is_declared && !is_sent_along {
                ignored.push(format!("cookie `{}`", name.escape_ascii()));
            }
        }
        for name in fields.keys() {
            let is_read = declared.headers.contains(name) || forwarded.contains_key(name);
            if !is_read && !self.is_of_the_protocol(name) {
                ignored.push(format!("header `{name}`"));
            }
        }
        ignored.dedup();
        ignored
    }
}

fn state(is_taken: bool, has_some: bool) -> State {
    match (is_taken, has_some) {
        (true, _) => State::Present,
        (false, true) => State::Unfit,
        (false, false) => State::Absent,
    }
}

fn json(value: &Value) -> String {
    let mut text = String::new();
    write_json(value, &mut text);
    text
}
