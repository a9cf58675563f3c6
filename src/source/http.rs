//! A source that is fetched over HTTP: its declaration and the call it makes.
//!
//! What it sends besides is in `body`, what an answer means in `answer`.
//! Nothing goes upstream that the declaration does not name: no header, no cookie, no query value of the visitor's.

use super::answer::Reading;
use super::body::{Body, Sent, link_pairs, write_pairs};
use super::decl::Decl;
use super::keep::Keep;
use super::outcome::Trouble;
use super::piece::{Pieces, refuse_secrets};
use super::target::{NoCall, PathTemplate, Target, encode_segment, write_pair};
use super::upstream::{Calling, Upstream, forwarded_name, header_name, header_pieces, split_url};
use super::{Context, code};
use crate::config::{Binding, Kind, Node, Part, Reference, Template, scalar_text, wrong_type};
use crate::diagnostic::{Finding, Findings, Place, Spanned};
use crate::fields::is_credential;
use crate::upstream::{BodyLimits, Call, Failure, Timeouts, Url};
use crate::value::{JsonLimits, Value};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// A source that is fetched over HTTP.
#[derive(Debug, Clone)]
pub struct Http<R = Reference> {
    /// Which upstream of the site is called.
    pub upstream: usize,
    path: PathTemplate<R>,
    /// The query that was written within `url`, pair by pair, values encoded where they stand.
    written_query: Vec<Template<R>>,
    query: Vec<(String, Vec<Pieces<R>>)>,
    headers: Vec<(HeaderName, Pieces<R>)>,
    /// Header fields of the visitor's request that are sent along.
    pub forward_headers: Vec<HeaderName>,
    /// Cookies of the visitor's request that are sent along.
    pub forward_cookies: Vec<String>,
    /// Where the names of these header fields stand, and those of the cookies.
    pub forwarded_at: (Vec<Place>, Vec<Place>),
    /// Whether a field is written that makes a credential of a cookie or a field of the visitor's request.
    writes_credential: bool,
    sent: Sent<R>,
    pub(super) reading: Reading,
    calling: Calling,
    /// What is kept of its answers; nothing, if there is none.
    pub keep: Option<Keep<R>>,
    /// What its call is made with, by name: `owner` for `{params.owner}`, `repo.id` for a key of another source.
    pub parameters: Vec<(String, R)>,
}

/// A call as far as it is known before there is data.
#[derive(Debug)]
pub struct Sketch {
    /// The method.
    pub method: String,
    /// The URL; why there is no call if the request itself keeps it from being made.
    pub url: Result<String, NoCall>,
    /// The names of the header fields that are sent, in alphabetical order.
    pub fields: Vec<String>,
    /// Whether a call that fails may be made again.
    pub is_repeatable: bool,
    /// How it is made.
    pub calling: Calling,
}

/// Bounds on what an upstream may send.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnswerLimits {
    /// Bytes.
    pub body: BodyLimits,
    /// JSON values.
    pub json: JsonLimits,
    /// Until the head of the answer.
    pub first_byte: Option<std::time::Duration>,
}

impl Http {
    pub(super) fn compile(decl: &Decl, context: &mut Context<'_>, findings: &mut Findings) -> Option<Self> {
        let (upstream, target) = target(decl, context, findings);
        if let Some(target) = &target {
            refuse_secrets(target, "the path of a source", context.environment, findings);
        }
        let query = decl.query.iter().flat_map(|named| &named.0);
        let query = query.map(|(name, node)| (encoded(&name.value), query_values(node, context, findings))).collect();
        let mut headers = Vec::new();
        for (name, template) in decl.headers.iter().flat_map(|named| &named.0) {
            let value = header_pieces(name, template, context.environment, findings);
            headers.extend(header_name(name, findings).zip(value));
        }
        let is_visitors = |reference: &Reference| match reference.root.as_str() {
            "cookies" => true,
            "request" => reference.keys.first().is_some_and(|key| key == "headers"),
            _ => false,
        };
        let writes_credential = headers
            .iter()
            .any(|(name, value): &(HeaderName, Pieces)| is_credential(name) && value.references().any(is_visitors));
        let forwarded = decl.forward_headers.iter().flatten();
        let (forward_headers, headers_at) =
            forwarded.filter_map(|name| Some((forwarded_name(name, findings)?, name.place))).unzip();
        let cookies = decl.forward_cookies.iter().flatten();
        let (forward_cookies, cookies_at) =
            cookies.filter_map(|name| Some((cookie_name(name, findings)?, name.place))).unzip();
        let sent = Sent::compile(&decl.sending, context, findings);
        let reading = match &decl.sending.graphql {
            Some(_) => Reading::GraphQl,
            None => Reading::of(decl.sending.format.as_ref().map(|format| format.value)),
        };
        // Only now: what is wrong with one part says nothing of the others.
        let (upstream, target, sent) = (upstream?, target?, sent?);
        let Target { path, query: written_query, .. } = Target::split(target);
        let calling = context.upstreams.get(upstream).map(|upstream| upstream.calling).unwrap_or_default();
        let calling = calling.overridden(&decl.calling);
        let kept_there = context.upstreams.get(upstream).and_then(|upstream| upstream.keep.as_ref());
        let keep = Keep::of_source(decl, sent.safe, kept_there, context.environment, findings);
        let mut called = Self {
            upstream,
            path,
            written_query,
            query,
            headers,
            forward_headers,
            forward_cookies,
            forwarded_at: (headers_at, cookies_at),
            writes_credential,
            sent,
            reading,
            calling,
            keep,
            parameters: Vec::new(),
        };
        called.parameters = parameters(&called.sent_references());
        Some(called)
    }

    /// What the placeholders refer to.
    pub fn references(&self) -> Vec<&Reference> {
        let mut all = self.sent_references();
        all.extend(self.keep.iter().flat_map(|keep| &keep.changing_tags).flat_map(Template::references));
        all
    }

    /// What those refer to that are sent.
    fn sent_references(&self) -> Vec<&Reference> {
        let mut all: Vec<&Reference> = self.path.0.references().collect();
        all.extend(self.written_query.iter().flat_map(Template::references));
        all.extend(self.query.iter().flat_map(|(_, values)| values).flat_map(Pieces::references));
        all.extend(self.headers.iter().flat_map(|(_, value)| value.references()));
        all.extend(self.sent.body.iter().flat_map(Body::references));
        all
    }

    /// What the placeholders of the path refer to, where a null means that there is nothing to ask for.
    pub(super) fn path_references(&self) -> Vec<&Reference> {
        self.path.0.references().collect()
    }

    pub(super) fn link(&self, resolve: &mut impl FnMut(&Reference) -> Option<Binding>) -> Option<Http<Binding>> {
        let path = self.path.link(resolve);
        let written_query: Vec<_> = self.written_query.iter().map(|pair| pair.try_map(&mut *resolve)).collect();
        let query = link_pairs(&self.query, resolve);
        let headers: Vec<_> =
            self.headers.iter().map(|(name, value)| Some((name.clone(), value.link(resolve)?))).collect();
        let sent = self.sent.link(resolve);
        let keep = match &self.keep {
            Some(keep) => keep.link(resolve).map(Some),
            None => Some(None),
        };
        let parameters: Vec<_> =
            self.parameters.iter().map(|(name, reference)| Some((name.clone(), resolve(reference)?))).collect();
        Some(Http {
            upstream: self.upstream,
            path: path?,
            written_query: written_query.into_iter().collect::<Option<_>>()?,
            query: query?,
            headers: headers.into_iter().collect::<Option<_>>()?,
            forward_headers: self.forward_headers.clone(),
            forward_cookies: self.forward_cookies.clone(),
            forwarded_at: self.forwarded_at.clone(),
            writes_credential: self.writes_credential,
            sent: sent?,
            reading: self.reading,
            calling: self.calling,
            keep: keep?,
            parameters: parameters.into_iter().collect::<Option<_>>()?,
        })
    }
}

/// The names of what a call is made with. Two inputs may have one name, a parameter and a query value: the call is known by both.
fn parameters(references: &[&Reference]) -> Vec<(String, Reference)> {
    let mut named: Vec<(String, Reference)> = Vec::new();
    for reference in references {
        let is_input = matches!(reference.root.as_str(), "params" | "query" | "cookies");
        let name = if is_input { reference.keys.join(".") } else { reference.spelled() };
        if !named.iter().any(|(known, there)| *known == name && there.spelled() == reference.spelled()) {
            named.push((name, (*reference).clone()));
        }
    }
    named
}

impl<R> Http<R> {
    /// Which addresses its calls may go to.
    pub fn trust(&self) -> crate::upstream::Trust {
        self.calling.trust
    }

    /// Whether the declaration sends a credential of the visitor's along.
    pub fn forwards_credential(&self) -> bool {
        self.writes_credential || !self.forward_cookies.is_empty() || self.forward_headers.iter().any(is_credential)
    }

    /// What tells its answers from those to the same call of a source that makes something else of them: the same 401 means
    /// another thing to one that sends the visitor's credential, the same text another value in another format.
    pub fn meaning(&self) -> [u8; 2] {
        [u8::from(self.forwards_credential()), self.reading.mark()]
    }
}

impl Http<Binding> {
    /// The call for one request: `slots` is its data so far, `visitor` its header fields.
    pub fn call(
        &self,
        upstream: &Upstream,
        slots: &[Value],
        visitor: &HeaderMap,
        limits: AnswerLimits,
    ) -> Result<Call, NoCall> {
        let url = Url::parse(&self.target(upstream, slots)?).map_err(|_unparsable| NoCall::ForbiddenFromData)?;
        let mut call = Call::new(self.sent.method.clone(), url);
        call.headers = self.fields(upstream, slots, visitor)?;
        if let Some(body) = &self.sent.body {
            call.body = Some(body.bytes(slots)?);
        }
        call.safe = self.sent.safe;
        call.for_visitor = self.forwards_credential();
        call.trust = self.calling.trust;
        call.retries = self.calling.retries;
        let first_byte = limits.first_byte.unwrap_or(Timeouts::default().first_byte);
        call.timeouts = Timeouts { first_byte: first_byte.min(self.calling.timeout), total: self.calling.timeout };
        call.limits = limits.body;
        Ok(call)
    }

    /// Where it goes.
    fn target(&self, upstream: &Upstream, slots: &[Value]) -> Result<String, NoCall> {
        let mut target = upstream.base.clone();
        self.path.write(slots, &mut target)?;
        self.write_query(upstream, slots, &mut target)?;
        Ok(target)
    }

    /// What the call will be, as far as that is known before other sources have their values: `spell` names those of values that are not
    /// known. Secrets are not in it.
    pub fn sketch(
        &self,
        upstream: &Upstream,
        slots: &[Value],
        visitor: &HeaderMap,
        spell: &impl Fn(&Binding) -> Option<String>,
    ) -> Sketch {
        let pairs = |pairs: &[(String, Vec<Pieces<Binding>>)]| {
            let spelled = |values: &Vec<Pieces<Binding>>| values.iter().map(|value| value.spelled(spell)).collect();
            pairs.iter().map(|(key, values)| (key.clone(), spelled(values))).collect()
        };
        let spelled = Self {
            path: PathTemplate(self.path.0.spelled(spell)),
            written_query: self.written_query.iter().map(|pair| pair.spelled(spell)).collect(),
            query: pairs(&self.query),
            headers: self.headers.iter().map(|(name, value)| (name.clone(), value.spelled(spell))).collect(),
            ..self.clone()
        };
        let upstream = Upstream { query: upstream.query.hidden(), ..upstream.clone() };
        let mut fields: Vec<String> = spelled
            .fields(&upstream, slots, visitor)
            .map(|fields| fields.keys().map(ToString::to_string).collect())
            .unwrap_or_default();
        fields.sort();
        Sketch {
            method: self.sent.method.to_string(),
            url: spelled.target(&upstream, slots),
            fields,
            is_repeatable: self.sent.safe,
            calling: self.calling,
        }
    }

    fn write_query(&self, upstream: &Upstream, slots: &[Value], target: &mut String) -> Result<(), NoCall> {
        let mut separator = '?';
        let mut push = |pair: &str, target: &mut String| {
            if !pair.is_empty() {
                target.push(separator);
                target.push_str(pair);
                separator = '&';
            }
        };
        push(upstream.query.expose(), target);
        for pair in &self.written_query {
            write_pair(pair, slots, |text| push(text, target))?;
        }
        write_pairs(&self.query, slots, |pair| push(pair, target))?;
        Ok(())
    }

    fn fields(&self, upstream: &Upstream, slots: &[Value], visitor: &HeaderMap) -> Result<HeaderMap, NoCall> {
        let mut fields = HeaderMap::with_capacity(upstream.headers.len() + self.headers.len() + 2);
        for (name, value) in &upstream.headers {
            fields.insert(name.clone(), value.clone());
        }
        for name in &self.forward_headers {
            // The visitor's stands in place of the upstream's, also when the visitor sent none: nobody borrows our credential.
            fields.remove(name);
            for value in visitor.get_all(name) {
                fields.append(name.clone(), value.clone());
            }
        }
        if let Some(cookies) = self.cookies(visitor) {
            fields.insert(header::COOKIE, cookies);
        }
        for (name, pieces) in &self.headers {
            let Some(text) = pieces.text(slots, |text, out| out.push_str(text))? else {
                fields.remove(name);
                continue;
            };
            // A control byte would end the field and begin another: such a call is not made.
            let mut value = HeaderValue::from_str(&text).map_err(|_control_byte| pieces.forbidden(slots))?;
            value.set_sensitive(pieces.secrets().next().is_some());
            fields.insert(name.clone(), value);
        }
        if let Some(body) = &self.sent.body {
            fields.entry(header::CONTENT_TYPE).or_insert_with(|| body.content_type());
        }
        fields.entry(header::ACCEPT).or_insert_with(|| self.reading.accept());
        Ok(fields)
    }

    /// The declared cookies that the visitor sent, in declared order.
    fn cookies(&self, visitor: &HeaderMap) -> Option<HeaderValue> {
        let mut line = String::new();
        for name in &self.forward_cookies {
            let value = crate::fields::cookies(visitor)
                .find_map(|(cookie, value)| (cookie == name.as_bytes()).then_some(value));
            if let Some(Ok(value)) = value.map(std::str::from_utf8) {
                if !line.is_empty() {
                    line.push_str("; ");
                }
                line.push_str(name);
                line.push('=');
                line.push_str(value);
            }
        }
        let mut value = HeaderValue::from_str(&line).ok().filter(|_| !line.is_empty())?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// What a call that was not answered means.
pub fn trouble_of(failure: Failure) -> Trouble {
    Trouble::Error { late: failure.is_timeout(), reason: failure.word() }
}

/// What a call that was not made means.
pub fn trouble_of_no_call(why: NoCall) -> Trouble {
    match why {
        NoCall::NullInPath | NoCall::ForbiddenFromRequest => Trouble::NotFound,
        NoCall::ControlFromRequest => Trouble::BadRequest,
        NoCall::ForbiddenFromData => Trouble::Error { late: false, reason: "unfit-path-value" },
        NoCall::NotText => Trouble::Error { late: false, reason: "not-text" },
    }
}

/// Everything that two calls must share to be answered the same.
pub fn identity(call: &Call) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let mut push = |bytes: &[u8]| {
        out.extend((bytes.len() as u64).to_le_bytes());
        out.extend(bytes);
    };
    push(call.method.as_str().as_bytes());
    push(call.url.as_str().as_bytes());
    push(&[u8::from(call.trust == crate::upstream::Trust::Private)]);
    push(call.body.as_deref().unwrap_or_default());
    let mut fields: Vec<_> = call.headers.iter().collect();
    fields.sort_by_key(|(name, _)| name.as_str());
    for (name, value) in fields {
        push(name.as_str().as_bytes());
        push(value.as_bytes());
    }
    out
}

/// What two calls must share besides to be one call under way: who waits longer, or tries again, must not share the fate of who does not. It is
/// always of the same length.
pub fn patience(call: &Call) -> Vec<u8> {
    let mut out = Vec::with_capacity(40);
    out.extend(call.timeouts.first_byte.as_nanos().to_le_bytes());
    out.extend(call.timeouts.total.as_nanos().to_le_bytes());
    out.extend(call.retries.to_le_bytes());
    out
}

pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    encode_segment(text, &mut out);
    out
}

/// Which upstream is called, and what is written behind its address. Each is `None` after a finding.
fn target(decl: &Decl, context: &mut Context<'_>, findings: &mut Findings) -> (Option<usize>, Option<Template>) {
    if let Some(url) = &decl.url {
        let Some((origin, rest)) = split_url(&url.value, context.environment, findings) else { return (None, None) };
        return (Some(context.upstreams.of_origin(&origin)), Some(rest));
    }
    let Some(name) = &decl.upstream else { return (None, None) };
    let upstream = context.upstreams.named(name, findings);
    let Some(path) = &decl.path else {
        return (upstream, Some(Template { parts: Vec::new(), place: name.place }));
    };
    let begins_with_slash = match path.value.parts.first() {
        None => true,
        Some(Part::Literal(text)) => text.starts_with(['/', '?']),
        Some(Part::Value(_) | Part::Env(_)) => false,
    };
    if !begins_with_slash {
        let message = "a path that does not begin with `/`";
        findings.push(Finding::new(&crate::config::BAD_VALUE, path.place, message).help("path = \"/products\""));
    }
    (upstream.filter(|_| begins_with_slash), Some(path.value.clone()))
}

pub(super) fn query_values(node: &Node, context: &Context<'_>, findings: &mut Findings) -> Vec<Pieces> {
    match &node.kind {
        Kind::Array(items) => items.iter().flat_map(|item| query_values(item, context, findings)).collect(),
        Kind::String(text) => {
            let template = crate::config::parse_template(text, node.place, findings);
            template
                .map(|template| Pieces::compile(&encode_literals(template), context.environment, findings))
                .into_iter()
                .collect()
        }
        Kind::Int(_) | Kind::Float(_) | Kind::Bool(_) | Kind::Datetime(_) => {
            let text = scalar_text(&node.to_value()).map(|text| encoded(&text)).unwrap_or_default();
            vec![Pieces { pieces: vec![super::piece::Piece::Literal(text.into())], place: node.place }]
        }
        Kind::Table(_) => {
            findings.push(wrong_type(node, "a string, a number or an array of them"));
            Vec::new()
        }
    }
}

/// Literal parts of a query value are encoded once, at load.
fn encode_literals(mut template: Template) -> Template {
    for part in &mut template.parts {
        if let Part::Literal(text) = part {
            *text = encoded(text).into();
        }
    }
    template
}

fn cookie_name(name: &Spanned<String>, findings: &mut Findings) -> Option<String> {
    // A token (RFC 6265, section 4.1.1), which is what a header name is too.
    if HeaderName::from_bytes(name.value.as_bytes()).is_ok() {
        return Some(name.value.clone());
    }
    let message = format!("`{}` is not the name of a cookie", name.value);
    findings.push(Finding::new(&code::BAD_NAME, name.place, message));
    None
}
