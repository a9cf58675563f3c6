//! What governs a route, and where each of it comes from.

use super::Told;
use crate::config::format_duration;
use crate::explanation::{Origin, Setting};
use crate::resource::{Guard, Knowing, Proxy, Resource};
use crate::site::{Identities, Identity, Route, Variant};
use http::HeaderValue;

impl Told<'_> {
    /// The settings.
    pub(super) fn settings(&self) -> Vec<Setting> {
        let route = self.route;
        let at = |key: &str| route.places.place(key);
        if let Resource::Proxy(proxy) = &route.resource {
            return self.of_guards().chain(self.of_proxy(proxy)).collect();
        }
        let mut settings: Vec<_> = self.of_guards().collect();
        settings.extend([
            setting("status", route.status.as_u16().to_string(), Origin::at(at("status"))),
            setting("cache-control", self.variant.policy.written(), cache_origin(self.variant)),
        ]);
        settings.extend(route.set_cookies.iter().map(|cookie| {
            setting("set-cookies", format!("{}, {}", cookie.name, cookie.lasting()), Origin::Written(cookie.place))
        }));
        settings.extend(of_caches(route));
        let limit = || self.service.site.places.place("limits.deadline");
        settings.push(setting("deadline", format_duration(route.deadline), Origin::at(at("deadline").or_else(limit))));
        if let Some(content_type) = &route.content_type {
            let derived = || Origin::Derived("the kind of the route, and the name of its layout".to_owned());
            let origin = at("content-type").map_or_else(derived, Origin::Written);
            settings.push(setting("content-type", text(content_type), origin));
        }
        if let Resource::Files(folder) = &route.resource {
            settings.push(setting("files", folder.path.to_string(), Origin::at(at("files"))));
        }
        if let Some(view) = self.view() {
            if let Some(linked) = view.layout {
                let front_matter = || Origin::Derived("the front matter of the document".to_owned());
                let origin = at("layout").map_or_else(front_matter, Origin::Written);
                settings.push(setting("layout", linked.layout.name().to_owned(), origin));
            }
            if let Some(csp) = view.csp {
                let mut fields = http::HeaderMap::new();
                csp.insert(&mut fields);
                let derived = || Origin::Derived("what the layout loads and runs".to_owned());
                let origin = at("csp").map_or_else(derived, Origin::Written);
                settings.extend(fields.values().map(|value| setting("csp", text(value), origin.clone())));
            }
        }
        settings
    }

    /// Whom the guards let in.
    fn of_guards(&self) -> impl Iterator<Item = Setting> {
        let by = |guard: &Guard| match &guard.by {
            Knowing::Source(at) => {
                let source = self.route.sources.get(*at).map_or("?", |planned| planned.source.name.value.as_str());
                format!("as the source `{source}` says")
            }
            Knowing::Identities(Identities::ALL) => "as an identity of the site says".to_owned(),
            Knowing::Identities(among) => {
                let words: Vec<&str> = among.iter().map(Identity::word).collect();
                format!("as {} says", words.join(" or "))
            }
        };
        self.route
            .guards
            .iter()
            .map(move |guard| setting("guard", format!("{guard}, {}", by(guard)), Origin::Written(guard.place)))
    }

    /// The settings of a route that passes requests on.
    fn of_proxy(&self, proxy: &Proxy) -> Vec<Setting> {
        let at = |key: &str| Origin::at(self.route.places.place(key));
        let upstream = self.service.site.upstreams.get(proxy.upstream).map_or("?", |upstream| &*upstream.name);
        let word = |is: bool| if is { "true" } else { "false" }.to_owned();
        let limit = || self.service.site.places.place("limits.deadline");
        let deadline = Origin::at(self.route.places.place("deadline").or_else(limit));
        vec![
            setting("proxy", upstream.to_owned(), at("proxy")),
            setting("preserve-host", word(proxy.preserve_host), at("preserve-host")),
            setting("via", word(proxy.via), at("via")),
            setting("websocket", word(proxy.websocket), at("websocket")),
            setting("deadline", format_duration(self.route.deadline), deadline),
        ]
    }
}

fn cache_origin(Variant { route, policy, .. }: Variant<'_>) -> Origin {
    let written = || policy.declared.or_else(|| route.places.place("cache"));
    match (policy.derived, written()) {
        (Some(why), _) => Origin::Derived(why.to_owned()),
        (None, Some(place)) => Origin::Written(place),
        (None, None) => Origin::BuiltIn,
    }
}

/// What is written of caches, each where it was written: in the route, in what it inherits, or in the profile that it names.
fn of_caches(route: &Route) -> impl Iterator<Item = Setting> {
    let written = route.policy.settings.iter();
    written.map(|written| setting(written.name, written.value.clone(), Origin::Written(written.place)))
}

pub(super) fn setting(name: &'static str, value: String, origin: Origin) -> Setting {
    Setting { name, value, origin }
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}
