//! What a route reads of a request: declared inputs, typed; what is not declared does not exist.
//!
//! Reading costs no more than the declared inputs. The key is made from their texts; the values that pages see are made on a
//! miss only.

use super::runtime::Subject;
use crate::cache::{KeyBuilder, Revision, Section, Tag};
use crate::config::scalar_text;
use crate::fields::cookies;
use crate::resource::{OnInvalid, Resource, TreeDocument};
use crate::router::{CanonicalPath, InputType, Kind, Match, Query, QueryValue, Routing, decode};
use crate::site::{CookieInput, FLASH_COOKIE, QueryInput, Route, Site, Variant, Writing, slots};
use crate::source;
use crate::value::{Object, ObjectBuilder, Value};
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::SystemTime;

/// The inputs of one request.
pub(super) struct Inputs<'r> {
    matched: &'r Match<'r, 'r, usize>,
    fields: &'r HeaderMap,
    query: Vec<Taken<'r>>,
    cookies: Vec<Option<Cow<'r, str>>>,
    /// `request.language`, if the route reads it.
    language: Option<&'r Arc<str>>,
}

/// A declared query value as the request has it.
enum Taken<'r> {
    Absent,
    One(Cow<'r, str>),
    Many(Vec<Cow<'r, str>>),
}

/// A query value that does not fit, on a route that says so.
#[derive(Debug, Clone, Copy)]
pub(super) enum Misfit<'r> {
    NotFound(&'r QueryInput),
    BadRequest(&'r QueryInput),
}

impl<'r> Misfit<'r> {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// What does not fit.
    pub(super) fn input(self) -> &'r QueryInput {
        let (Self::NotFound(input) | Self::BadRequest(input)) = self;
        input
    }
}

/// What a page of a route of this revision is made from, if it shows this document.
pub(super) fn of_document(route: u64, document: Option<&TreeDocument>) -> Revision {
    Revision(document.map_or(route, |document| route.rotate_left(1) ^ document.revision))
}

impl<'r> Inputs<'r> {
    /// Reads the declared inputs of `route`.
    pub(super) fn read(
        site: &'r Site,
        route: &'r Route,
        matched: &'r Match<'r, 'r, usize>,
        fields: &'r HeaderMap,
        time: SystemTime,
    ) -> Result<Self, Misfit<'r>> {
        let query = Query::new(matched.query);
        let query = route
            .inputs
            .query
            .iter()
            .map(|input| take(input, query, &|text| leads_to_a_route(site, route, text)))
            .collect::<Result<_, _>>()?;
        Ok(Self { query, ..Self::of_path(site, route, matched, fields, time) })
    }

    /// The same of a request whose query is not looked at.
    pub(super) fn of_path(
        site: &'r Site,
        route: &'r Route,
        matched: &'r Match<'r, 'r, usize>,
        fields: &'r HeaderMap,
        time: SystemTime,
    ) -> Self {
        let query = route.inputs.query.iter().map(|_| Taken::Absent).collect();
        let cookies = route.inputs.cookies.iter().map(|input| cookie(site, input, fields, time)).collect();
        let language = route.inputs.request.language.then(|| site.languages.negotiate(fields));
        Self { matched, fields, query, cookies, language }
    }

    /// Whether the request has the query value at `position`, and has it so that it fits.
    pub(super) fn has_query(&self, position: usize) -> bool {
        self.query.get(position).is_some_and(|taken| !matches!(taken, Taken::Absent))
    }

    /// The same of the cookie at `position`.
    pub(super) fn has_cookie(&self, position: usize) -> bool {
        self.cookies.get(position).is_some_and(Option::is_some)
    }

    /// The key of the page: everything that its bytes depend on.
    pub(super) fn key(&self, variant: Variant<'_>, subject: &Subject) -> KeyBuilder {
        let route = variant.route;
        let mut key = KeyBuilder::new(&subject.name);
        for name in subject.params.names() {
            match self.matched.params.get(name) {
                Some(text) => key.text(Section::Param, name, &text),
                None => key.absent(Section::Param, name),
            };
        }
        for (input, taken) in route.inputs.query.iter().zip(&self.query).filter(|(input, _)| input.is_read) {
            match taken {
                Taken::Absent => key.absent(Section::Query, &input.name),
                Taken::One(text) => key.text(Section::Query, &input.name, text),
                Taken::Many(texts) => key.texts(Section::Query, &input.name, texts.iter().map(|text| &**text)),
            };
        }
        for name in &route.inputs.headers {
            let mut lines = self.fields.get_all(name).iter();
            match (lines.next(), lines.next()) {
                (None, _) => key.absent(Section::Header, name.as_str()),
                (Some(line), None) => key.bytes(Section::Header, name.as_str(), line.as_bytes()),
                // Pages see lines joined, as RFC 9110 (section 5.3) reads them, but for those that are no text; upstreams get each.
                (Some(_), Some(_)) => {
                    let lines: Vec<&[u8]> = self.fields.get_all(name).iter().map(HeaderValue::as_bytes).collect();
                    key.lines(Section::Header, name.as_str(), &lines)
                }
            };
        }
        for (input, taken) in route.inputs.cookies.iter().zip(&self.cookies).filter(|(input, _)| input.is_read) {
            // As the page reads it: who says nothing, and who says what stands anyway, see the same page.
            let default = || scalar_text(&input.default).ok().filter(|_| !input.default.is_null());
            match taken.as_deref().map(Cow::Borrowed).or_else(default) {
                Some(text) => key.text(Section::Cookie, &input.name, &text),
                None => key.absent(Section::Cookie, &input.name),
            };
        }
        // The variants are in the order of their names, as all parts are. Nothing of what says who asks is in such a request. All the same its page can never be taken for one that is made for somebody.
        if variant.is_anonymous {
            key.value(Section::Variant, "anonymous", &Value::Bool(true));
        }
        // An edit of one document drops its own page, and leaves those of its neighbours.
        if let Some(document) = self.document(route) {
            key.bytes(Section::Variant, "document", &document.revision.to_be_bytes());
        }
        // The choice, whatever was said to make it: there is one page for each language.
        if let Some(language) = self.language {
            key.text(Section::Variant, "language", language);
        }
        // `page.path` and `page.url` are the page's own: a route with several paths has a page for each.
        if route.patterns.len() > 1 {
            key.text(Section::Variant, "path", self.matched.path.as_str());
        }
        key
    }

    /// What the page depends on that not all pages of its route do.
    pub(super) fn tags(&self, route: &Route) -> Vec<Tag> {
        let document = self.document(route).and_then(|document| document.tag.as_deref());
        [Tag::derived("path", self.matched.path.as_str())].into_iter().chain(document.map(Tag::new)).collect()
    }

    /// What the page is made from, as a number that is equal as long as that is.
    pub(super) fn revision(&self, route: &Route) -> Revision {
        of_document(route.revision, self.document(route))
    }

    /// The slots of the request's data, those of sources still empty.
    pub(super) fn slots(&self, route: &Route, subject: &Subject, site: &Site) -> Vec<Value> {
        let mut values = route.constants.clone();
        let mut set = |slot: usize, value: Value| {
            if let Some(place) = values.get_mut(slot) {
                *place = value;
            }
        };
        let params = subject.params.names().iter().map(|wanted| {
            let found = self.matched.params.iter().find(|(name, ..)| wanted.is(name));
            // An empty rest fits no type, and is an empty path all the same.
            found.map_or(Value::Null, |(_, text, kind)| kind.check(&text).unwrap_or_else(|| Value::text(&*text)))
        });
        set(slots::PARAMS, Object::shaped(Arc::clone(&subject.params), params).into());
        if !route.inputs.query.is_empty() {
            let values = route
                .inputs
                .query
                .iter()
                .zip(&self.query)
                .map(|(input, taken)| (&*input.name, query_value(input, taken)));
            set(slots::QUERY, Value::Object(values.collect()));
        }
        if !route.inputs.cookies.is_empty() {
            let value = |input: &CookieInput, taken: Option<&str>| match taken {
                Some(text) => input.kind.check(text).unwrap_or_default(),
                None => input.default.clone(),
            };
            let values = route
                .inputs
                .cookies
                .iter()
                .zip(&self.cookies)
                .map(|(input, taken)| (&*input.name, value(input, taken.as_deref())));
            set(slots::COOKIES, Value::Object(values.collect()));
        }
        set(slots::REQUEST, self.request(route));
        match self.document(route) {
            Some(document) => {
                set(slots::CONTENT, document.html.clone());
                set(slots::PAGE, self.page(&document.page, route, site));
            }
            None => set(slots::PAGE, self.page(&route.page, route, site)),
        }
        values
    }

    /// `request`: the fields that the route reads, and no others.
    fn request(&self, route: &Route) -> Value {
        let mut request = ObjectBuilder::default();
        if route.inputs.request.path {
            request.push("path", self.matched.path.as_str().into());
        }
        if route.inputs.request.url {
            request.push("url", self.url(route).into());
        }
        if route.inputs.request.method {
            request.push("method", "GET".into());
        }
        if let Some(language) = self.language {
            request.push("language", Value::text(Arc::clone(language)));
        }
        if route.inputs.request.flash {
            request.push("flash", flash(self.fields).map_or(Value::Null, Value::text));
        }
        if !route.inputs.headers.is_empty() {
            let field = |name: &HeaderName| {
                let lines: Vec<&str> = self.fields.get_all(name).iter().filter_map(|line| line.to_str().ok()).collect();
                (!lines.is_empty()).then(|| lines.join(", "))
            };
            let fields: Object =
                route.inputs.headers.iter().map(|name| (name.as_str(), Value::from(field(name)))).collect();
            request.push("headers", fields.into());
        }
        request.finish().into()
    }

    /// The document that the request is about, if the route is a tree of them.
    pub(super) fn document<'t>(&self, route: &'t Route) -> Option<&'t TreeDocument> {
        let Resource::Tree(tree) = &route.resource else { return None };
        tree.document(&self.matched.params.get(&tree.parameter)?)
    }

    /// `page`: what is known of it at load, and where it is.
    fn page(&self, page: &Object, route: &Route, site: &Site) -> Value {
        let path = self.matched.path.as_str();
        let canonical = self.canonical(route, site);
        let canonical = canonical.as_ref().map_or(path, |canonical| canonical.as_path().as_str());
        let values = page.iter().map(|(name, value)| match name.as_str() {
            "path" => path.into(),
            "url" => format!("{}{canonical}", route.origin.as_deref().unwrap_or_default()).into(),
            _ => value.clone(),
        });
        Object::shaped(Arc::clone(page.shape()), values).into()
    }

    /// The same page's path by the first pattern of a route that has several; `None` if that has other parameters, too.
    fn canonical(&self, route: &Route, site: &Site) -> Option<CanonicalPath> {
        let first = route.canonical.as_ref()?;
        let params: Vec<(&str, Cow<'_, str>)> =
            self.matched.params.iter().map(|(name, text, _)| (name, text)).collect();
        first.build(site.routers.slash(), |wanted| {
            params.iter().find(|(name, _)| *name == wanted).map(|(_, text)| &**text)
        })
    }

    /// `request.url`: the canonical path, and the declared query values that are there, in the order of their names.
    fn url(&self, route: &Route) -> String {
        let mut url = format!("{}{}", route.origin.as_deref().unwrap_or_default(), self.matched.path.as_str());
        let mut separator = '?';
        let mut push = |key: &str, text: &str, url: &mut String| {
            url.push(separator);
            separator = '&';
            source::encode_segment(key, url);
            url.push('=');
            source::encode_segment(text, url);
        };
        for (input, taken) in route.inputs.query.iter().zip(&self.query) {
            match taken {
                Taken::Absent => {}
                Taken::One(text) => push(&input.key, text, &mut url),
                Taken::Many(texts) => texts.iter().for_each(|text| push(&input.key, text, &mut url)),
            }
        }
        url.write_str("").unwrap_or_default();
        url
    }

    /// The header fields that sources send along, or that the routes read that they ask; nothing else of the request goes any further.
    pub(super) fn visitor(&self, route: &Route) -> HeaderMap {
        let mut visitor = HeaderMap::new();
        let mut take = |name: &HeaderName| {
            if !visitor.contains_key(name) {
                for value in self.fields.get_all(name) {
                    visitor.append(name.clone(), value.clone());
                }
            }
        };
        for planned in &route.sources {
            let (names, cookie) = match &planned.source.kind {
                source::Kind::Http(http) => (&http.forward_headers, !http.forward_cookies.is_empty()),
                source::Kind::Route(asking) => (&asking.asked.visitor, false),
                source::Kind::Value(_) | source::Kind::Chosen(_) => continue,
            };
            names.iter().chain(cookie.then_some(&header::COOKIE)).for_each(&mut take);
        }
        visitor
    }
}

/// Whether a path, with its query, is one that a route of the site answers.
pub(super) fn leads_to_a_route(site: &Site, route: &Route, target: &str) -> bool {
    let host = route.hosts.first().map(|host| &**host);
    let target = target.split('#').next().unwrap_or_default();
    matches!(site.routers.route(host, target), Routing::Matched(_) | Routing::Redirect { .. })
}

fn take<'r>(input: &'r QueryInput, query: Query<'r>, is_known: &dyn Fn(&str) -> bool) -> Result<Taken<'r>, Misfit<'r>> {
    let fits = |text: &str| input.kind.fits(text) && (input.kind.kind() != Kind::Path || is_known(text));
    let misfit = || match input.on_invalid {
        OnInvalid::Default => Ok(Taken::Absent),
        OnInvalid::NotFound => Err(Misfit::NotFound(input)),
        OnInvalid::BadRequest => Err(Misfit::BadRequest(input)),
    };
    let Some(most) = input.repeat else {
        return match query.first(&input.key) {
            None => Ok(Taken::Absent),
            Some(QueryValue::Text(text)) if text.is_empty() => Ok(Taken::Absent),
            Some(QueryValue::Text(text)) if fits(&text) => Ok(Taken::One(text)),
            Some(QueryValue::Text(_) | QueryValue::Invalid) => misfit(),
        };
    };
    let mut items = Vec::new();
    for value in query.all(&input.key) {
        match value {
            QueryValue::Text(text) if text.is_empty() => {}
            QueryValue::Text(text) if fits(&text) && items.len() < most => items.push(text),
            QueryValue::Text(_) | QueryValue::Invalid => return misfit(),
        }
    }
    Ok(if items.is_empty() { Taken::Absent } else { Taken::Many(items) })
}

fn query_value(input: &QueryInput, taken: &Taken<'_>) -> Value {
    let typed = |kind: &InputType, text: &str| kind.check(text).unwrap_or_default();
    match taken {
        Taken::Absent => input.default.clone(),
        Taken::One(text) => typed(&input.kind, text),
        Taken::Many(texts) => Value::list(texts.iter().map(|text| typed(&input.kind, text)).collect()),
    }
}

/// The first cookie of the input's name; one that does not fit counts as absent, as does an empty one.
/// The value of a cookie; of several of the same name the first, and of those that only we can have made the first that is.
fn cookie<'r>(site: &Site, input: &CookieInput, fields: &'r HeaderMap, time: SystemTime) -> Option<Cow<'r, str>> {
    let mut values = cookies(fields)
        .filter(|(name, _)| *name == input.key.as_bytes())
        .filter_map(|(_, value)| std::str::from_utf8(value).ok());
    let text = match input.written {
        Writing::Foreign => Cow::Borrowed(values.next()?),
        Writing::Encoded => decode(values.next()?),
        Writing::Proven(seal) => {
            let keys = site.cookie_keys.as_ref()?;
            Cow::Owned(values.take(MOST_TRIED).find_map(|value| keys.open(seal, &input.key, value, time))?)
        }
    };
    (!text.contains(char::is_control) && input.kind.fits(&text)).then_some(text)
}

/// What the answer to a form wanted said: text, whoever it comes from.
fn flash(fields: &HeaderMap) -> Option<String> {
    const LONGEST: usize = 1000;
    let (_, value) = cookies(fields).find(|(name, _)| *name == FLASH_COOKIE.as_bytes())?;
    let text = decode(std::str::from_utf8(value).ok()?);
    let is_sound = (1..=LONGEST).contains(&text.chars().count()) && !text.contains(char::is_control);
    is_sound.then(|| text.into_owned())
}

/// So many values of one name are looked at: other hosts of the domain may have set some.
const MOST_TRIED: usize = 4;
