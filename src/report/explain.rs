//! What would become of a request, for people and for programs.

use crate::diagnostic::{Files, Place};
use crate::explanation::{
    Anonymous, Call, Explanation, Input, Key, Lifetimes, Named, Origin, Outcome, Page, Privacy, Rule, Setting, Source,
    State, Step, Store, Verdict,
};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The widest first column: longer names push their line to the right.
const NAMES: usize = 14;

/// For people: a few short paragraphs, each thing on a line of its own.
pub fn explain(explanation: &Explanation, files: &Files) -> String {
    let Explanation { method, target, host, verdict, route, page } = explanation;
    let mut text = Text { out: String::new(), files };
    let host = host.as_ref().map_or_else(|| "no host".to_owned(), |host| format!("host {host}"));
    text.line(0, &format!("{method} {target}  ({host})"));
    text.out.push('\n');
    text.verdict(verdict);
    if let Some(Named { file, kind, paths, place }) = route {
        text.row("route", &format!("{file} ({kind})"));
        text.row("path", &format!("{}  {}", paths.join(" "), text.at(*place)));
    }
    if let Some(page) = page {
        text.page(page);
    }
    text.out
}

/// For programs: one JSON object, whose members are documented with the command.
pub fn explain_as_json(explanation: &Explanation, files: &Files) -> String {
    let Explanation { method, target, host, verdict, route, page } = explanation;
    let json = Json { files };
    let Verdict { outcome, status, location, why, hint } = verdict;
    let route = route.as_ref().map(|Named { file, kind, paths, place }| {
        json!({ "file": file, "kind": kind, "paths": paths, "place": json.at(*place) })
    });
    let whole = json!({
        "request": { "method": method, "target": target, "host": host },
        "verdict": { "outcome": word(*outcome), "status": status, "location": location, "why": why, "hint": hint },
        "route": route,
        "page": page.as_ref().map(|page| json.page(page)),
    });
    format!("{whole:#}\n")
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Route => "route",
        Outcome::Redirect => "redirect",
        Outcome::Options => "options",
        Outcome::Refused => "refused",
    }
}

/// `routes/repo.toml:3`; a file as a whole is its name.
fn locate(place: Place, files: &Files) -> String {
    let name = files.name(place.file);
    if place.range().is_empty() {
        name.to_owned()
    } else {
        format!("{name}:{}", files.position(place.file, place.start).line)
    }
}

fn origin(origin: &Origin, files: &Files) -> String {
    match origin {
        Origin::Written(place) => locate(*place, files),
        Origin::Derived(why) => why.clone(),
        Origin::BuiltIn => "built in".to_owned(),
    }
}

/// The text for people, as it grows.
struct Text<'f> {
    out: String,
    files: &'f Files,
}

impl Text<'_> {
    fn at(&self, place: Place) -> String {
        locate(place, self.files)
    }

    fn line(&mut self, depth: usize, text: &str) {
        writeln!(self.out, "{:1$}{text}", "", depth * 2).unwrap_or_default();
    }

    fn head(&mut self, text: &str) {
        self.out.push('\n');
        self.line(0, text);
    }

    fn row(&mut self, name: &str, text: &str) {
        self.line(1, format!("{name:NAMES$}  {text}").trim_end());
    }

    /// What belongs to the row before.
    fn more(&mut self, text: &str) {
        self.row("", text);
    }

    fn verdict(&mut self, verdict: &Verdict) {
        let Verdict { outcome: _, status, location, why, hint } = verdict;
        self.line(0, &format!("{status}  {why}"));
        if let Some(location) = location {
            self.row("location", location);
        }
        if let Some(hint) = hint {
            self.row("hint", hint);
        }
    }

    fn page(&mut self, page: &Page) {
        let Page { inputs, ignored, settings, made_of, waves, rules, privacy, store, lifetimes, fields, notes, .. } =
            page;
        if !(inputs.is_empty() && ignored.is_empty()) {
            self.head("Inputs");
        }
        for input in inputs {
            self.input(input);
        }
        if !ignored.is_empty() {
            self.row("ignored", &ignored.join(", "));
        }
        self.head("Settings");
        for Setting { name, value, origin: from } in settings {
            // The policy is long, and stands among the fields.
            self.row(name, if *name == "csp" { "as below" } else { value });
            self.more(&format!("from: {}", origin(from, self.files)));
        }
        if let [_, _, ..] = made_of.as_slice() {
            let names: Vec<&str> = made_of.iter().map(|file| self.files.name(*file)).collect();
            self.row("made with", &names.join(", "));
        }
        if !waves.is_empty() {
            self.head("Sources, those of a number together");
        }
        self.waves(waves, "");
        if !rules.is_empty() {
            self.head("Rules, first to last");
        }
        for Rule { condition, place, then, after } in rules {
            self.row("if", condition);
            self.more(&format!("then: {then}"));
            if !after.is_empty() {
                self.more(&format!("after: {}", after.join(", ")));
            }
            self.more(&format!("from: {}", self.at(*place)));
        }
        self.head("Privacy");
        match privacy {
            Privacy::Public => self.line(1, "public: nothing of it is one person's"),
            Privacy::Personal { path } => {
                self.line(1, "personal:");
                for Step { what, how, place } in path {
                    let place = self.at(*place);
                    let how = how.as_ref().map_or_else(|| place.clone(), |how| format!("{how}  {place}"));
                    self.row(what, &how);
                }
            }
        }
        if let Some(anonymous) = &page.anonymous {
            self.anonymous(anonymous);
        }
        self.store(store, lifetimes);
        self.head("Header fields");
        for (name, value) in fields {
            self.line(1, &format!("{name}: {value}"));
        }
        for note in notes {
            self.line(1, &format!("({note})"));
        }
    }

    fn anonymous(&mut self, anonymous: &Anonymous) {
        let Anonymous { without, is_shared, is_this, obstacles } = anonymous;
        let said = match (is_shared, is_this, obstacles.is_empty()) {
            (true, true, _) => "share one copy; this request is one of them",
            (true, false, _) => "share one copy; this request is none of them",
            (false, _, true) => "would share one copy if `[cache.server]` said for how long",
            (false, _, false) => "have no page to share",
        };
        self.row("anonymous", &format!("requests without {without} {said}"));
        for (why, place) in obstacles {
            let place = self.at(*place);
            self.more(&format!("{why}  {place}"));
        }
    }

    fn input(&mut self, input: &Input) {
        let Input { name, kind, value, state, is_read } = input;
        let value = match (value, state) {
            (Some(value), _) => value.as_str(),
            (None, State::Present) => "(not shown)",
            (None, State::Absent | State::Unfit) => "",
        };
        let state = match state {
            State::Present => "",
            State::Absent if value.is_empty() => "absent",
            State::Absent => "absent: what stands for it",
            State::Unfit => "does not fit: as if absent",
        };
        let unread = if *is_read { "" } else { "nothing reads it" };
        let words = [value, kind.unwrap_or_default(), state, unread];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        self.row(name, &words.join(", "));
    }

    fn waves(&mut self, waves: &[Vec<Source>], within: &str) {
        for (at, wave) in waves.iter().enumerate() {
            for source in wave {
                self.source(&format!("{within}{}", at + 1), source);
            }
        }
    }

    fn source(&mut self, number: &str, source: &Source) {
        let Source { name, kind, place, after, each, is_personal, call, searches, asks, outcomes } = source;
        let name = format!("{number}  {name}");
        match (call, asks) {
            (Some(Call { method, url, .. }), _) => self.row(&name, &format!("{method} {url}")),
            (None, Some(asks)) => self.row(&name, &format!("{}, which is {}", asks.target, asks.route)),
            (None, None) => self.row(&name, kind),
        }
        if let Some(Call { upstream, addresses, refused, kept, kept_under, fields, timeout, retries, .. }) = call {
            if let Some(refused) = refused {
                self.more(&format!("no call: {refused}"));
            }
            self.more(&format!("upstream {upstream}"));
            if !addresses.is_empty() {
                self.more(&format!("at one of: {}", addresses.join(", ")));
            }
            for Setting { name, value, origin: from } in [timeout, retries] {
                self.more(&format!("{name} {value}, from: {}", origin(from, self.files)));
            }
            self.more(&format!("sends: {}", fields.join(", ")));
            self.more(&format!("keeps: {}, from: {}", kept.value, origin(&kept.origin, self.files)));
            for under in kept_under {
                self.more(under);
            }
        }
        if let Some(searches) = searches {
            self.more(searches);
        }
        if let Some(each) = each {
            self.more(&format!("once for each of {each}"));
        }
        if !after.is_empty() {
            self.more(&format!("after: {}", after.join(", ")));
        }
        if *is_personal {
            self.more("personal: nobody else's request shares it");
        }
        let outcomes: Vec<String> = outcomes.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        if !outcomes.is_empty() {
            self.more(&outcomes.join(", "));
        }
        let place = self.at(*place);
        self.more(&format!("from: {place}"));
        if let Some(asks) = asks {
            self.waves(&asks.waves, &format!("{number}."));
        }
    }

    fn store(&mut self, store: &Store, lifetimes: &Lifetimes) {
        let Lifetimes { browser, cdn, ours } = lifetimes;
        self.head("Caches");
        self.row("browser", browser);
        self.row("on the way", cdn);
        self.row("our store", ours);
        if !store.vary.is_empty() {
            self.row("vary", &store.vary.join(", "));
        }
        if let Some(Key { subject, parts, digest }) = &store.key {
            self.row("key", &format!("{subject}  ({digest})"));
            for (section, name, value) in parts {
                self.more(&format!("{section} {name}: {}", value.as_deref().unwrap_or("absent")));
            }
        }
    }
}

/// The same as JSON.
struct Json<'f> {
    files: &'f Files,
}

impl Json<'_> {
    fn at(&self, place: Place) -> Value {
        let position = self.files.position(place.file, place.start);
        json!({ "file": self.files.name(place.file), "line": position.line, "column": position.column })
    }

    fn page(&self, page: &Page) -> Value {
        let Page { inputs, ignored, settings, made_of, waves, rules, privacy, store, lifetimes, fields, notes, .. } =
            page;
        let input = |Input { name, kind, value, state, is_read }: &Input| {
            let state = match state {
                State::Present => "present",
                State::Absent => "absent",
                State::Unfit => "unfit",
            };
            let value: Option<Value> = value.as_ref().and_then(|value| serde_json::from_str(value).ok());
            json!({ "name": name, "type": kind, "value": value, "state": state, "read": is_read })
        };
        let rule = |Rule { condition, place, then, after }: &Rule| json!({ "if": condition, "then": then, "after": after, "place": self.at(*place) });
        let privacy = match privacy {
            Privacy::Public => json!({ "public": true, "path": [] }),
            Privacy::Personal { path } => {
                let step =
                    |Step { what, how, place }: &Step| json!({ "what": what, "how": how, "place": self.at(*place) });
                json!({ "public": false, "path": path.iter().map(step).collect::<Vec<_>>() })
            }
        };
        let Lifetimes { browser, cdn, ours } = lifetimes;
        let field = |(name, value): &(String, String)| json!({ "name": name, "value": value });
        json!({
            "inputs": inputs.iter().map(input).collect::<Vec<_>>(),
            "ignored": ignored,
            "settings": settings.iter().map(|setting| self.setting(setting)).collect::<Vec<_>>(),
            "layouts": made_of.iter().map(|file| self.files.name(*file)).collect::<Vec<_>>(),
            "sources": self.waves(waves),
            "rules": rules.iter().map(rule).collect::<Vec<_>>(),
            "privacy": privacy,
            "anonymous": page.anonymous.as_ref().map(|anonymous| self.anonymous(anonymous)),
            "store": store_as_json(store),
            "lifetimes": { "browser": browser, "cdn": cdn, "store": ours },
            "fields": fields.iter().map(field).collect::<Vec<_>>(),
            "notes": notes,
        })
    }

    fn anonymous(&self, anonymous: &Anonymous) -> Value {
        let Anonymous { without, is_shared, is_this, obstacles } = anonymous;
        let obstacle = |(what, place): &(String, Place)| json!({ "what": what, "place": self.at(*place) });
        let obstacles: Vec<Value> = obstacles.iter().map(obstacle).collect();
        json!({ "without": without, "shared": is_shared, "this": is_this, "obstacles": obstacles })
    }

    fn setting(&self, setting: &Setting) -> Value {
        let Setting { name, value, origin } = setting;
        let (place, why) = match origin {
            Origin::Written(place) => (self.at(*place), Value::Null),
            Origin::Derived(why) => (Value::Null, why.as_str().into()),
            Origin::BuiltIn => (Value::Null, Value::Null),
        };
        json!({ "name": name, "value": value, "place": place, "why": why })
    }

    fn waves(&self, waves: &[Vec<Source>]) -> Value {
        let wave = |wave: &Vec<Source>| wave.iter().map(|source| self.source(source)).collect::<Vec<_>>();
        waves.iter().map(wave).collect::<Vec<_>>().into()
    }

    fn source(&self, source: &Source) -> Value {
        let Source { name, kind, place, after, each, is_personal, call, searches, asks, outcomes } = source;
        let call = call.as_ref().map(|call| {
            let Call { upstream, addresses, method, url, refused, kept, kept_under, fields, timeout, retries } = call;
            json!({
                "upstream": upstream,
                "addresses": addresses,
                "method": method,
                "url": url,
                "refused": refused,
                "fields": fields,
                "timeout": self.setting(timeout),
                "retries": self.setting(retries),
                "kept": self.setting(kept),
                "kept_under": kept_under,
            })
        });
        let asks = asks
            .as_ref()
            .map(|asks| json!({ "route": asks.route, "target": asks.target, "sources": self.waves(&asks.waves) }));
        let outcomes: serde_json::Map<String, Value> =
            outcomes.iter().map(|(key, value)| ((*key).to_owned(), value.as_str().into())).collect();
        json!({
            "name": name,
            "kind": kind,
            "place": self.at(*place),
            "after": after,
            "each": each,
            "personal": is_personal,
            "call": call,
            "searches": searches,
            "asks": asks,
            "outcomes": outcomes,
        })
    }
}

fn store_as_json(store: &Store) -> Value {
    let Store { refused, is_compared, key, vary } = store;
    let part = |(section, name, value): &(&str, String, Option<String>)| json!({ "section": section, "name": name, "value": value });
    let key = key.as_ref().map(|Key { subject, parts, digest }| {
        json!({ "subject": subject, "parts": parts.iter().map(part).collect::<Vec<_>>(), "digest": digest })
    });
    json!({ "kept": refused.is_none(), "why_not": refused, "compared": is_compared, "key": key, "vary": vary })
}
