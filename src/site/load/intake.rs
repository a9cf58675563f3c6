//! What a route takes from its visitors: `[form]` and `[methods]`, compiled and linked.
//!
//! What passes it on is compiled as a source is that may change something: the same addresses, header fields and secrets, and the same findings.

use super::super::intake::{Intake, RateLimit, Send, SendBody, Success};
use super::super::{Called, RepeatKey, code};
use super::kind::{self, Shown};
use super::scope::{Reads, Scope};
use super::{Shared, csp};
use crate::config::{BAD_VALUE, Binding, Declared as _, Reference, Shape, Template};
use crate::diagnostic::{Finding, Findings, Place, Spanned};
use crate::extract::Selector;
use crate::render::Layout;
use crate::resource::form::{
    FieldKind, Fields, FormDecl, JsonSchema, MethodDecl, RateBy, RepeatKeyDecl, SendDecl, SendFormat, SuccessDecl,
    TakingDecl, Wire,
};
use crate::resource::{BAD_STATUS, Decl, Json, Nulls};
use crate::source::{self, CallMethod, Kind, Known, Source};
use http::header::{HeaderName, LOCATION};
use http::{Method, StatusCode};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How long a form may be, and JSON, where nothing is said.
const MOST: (u64, u64) = (64 << 10, 256 << 10);

/// What a route takes by one method, before names are resolved.
pub(super) struct Taking {
    method: Method,
    wire: Wire,
    pub(super) fields: Fields,
    sends: Vec<Sending>,
    success: Answering,
    rejected: Vec<(Arc<str>, Selector)>,
    rejected_message: Option<Selector>,
    invalidate: Vec<Spanned<Template>>,
    pass_cookies: Vec<Box<str>>,
    rate: Option<RateLimit>,
    honeypot: Option<Box<str>>,
    idempotency_key: Option<RepeatKey>,
    most: u64,
    /// What `form.result` is.
    result: Known,
    /// Whether all of it could be compiled.
    is_sound: bool,
}

/// A call, before names are resolved.
struct Sending {
    name: Option<Arc<str>>,
    source: Source,
    format: SendFormat,
    /// `None` for all fields.
    body: Option<Shape>,
    is_empty: bool,
}

/// What is answered, before names are resolved.
enum Answering {
    Redirect {
        target: Template,
        flash: Option<Spanned<Template>>,
    },
    Layout(Option<Arc<Layout>>),
    Json {
        shape: Option<Shape>,
        status: StatusCode,
        headers: Vec<(HeaderName, Template)>,
    },
    /// The page itself, by a redirect.
    Itself,
}

/// All that a route takes.
pub(super) fn compile(decl: &Decl, shown: &Shown, shared: &mut Shared<'_>) -> Vec<Taking> {
    let mut all = Vec::new();
    if let Some(form) = decl.form.as_ref().filter(|_| !matches!(shown, Shown::Json(..))) {
        all.push(of_form(form, shared));
    }
    if let Some(methods) = &decl.methods {
        let written = [
            (Method::POST, &methods.post),
            (Method::PUT, &methods.put),
            (Method::PATCH, &methods.patch),
            (Method::DELETE, &methods.delete),
        ];
        for (method, decl) in written {
            all.extend(decl.as_ref().map(|decl| of_method(method, decl, shared)));
        }
    }
    all
}

fn of_form(decl: &FormDecl, shared: &mut Shared<'_>) -> Taking {
    let fields = Fields::compile(decl.fields.as_ref(), Wire::Form, &mut shared.findings);
    let honeypot = decl.honeypot.as_ref().map(|name| name.value.as_str().into());
    let (success, is_answerable) = match decl.success.as_ref().map(|success| &success.value) {
        None => (Answering::Itself, !decl.is_lost("success")),
        Some(SuccessDecl::Redirect { target, flash }) => {
            let is_safe = leads_to_field(target, &fields)
                || kind::redirect(target, None, shared.environment, &mut shared.findings);
            if let Some(flash) = flash {
                source::refuse_secrets(&flash.value, "`flash`", shared.environment, &mut shared.findings);
            }
            (Answering::Redirect { target: target.clone(), flash: flash.clone() }, is_safe)
        }
        Some(SuccessDecl::Layout(name)) => {
            let layout = kind::layout(name, shared);
            let is_there = layout.is_some();
            (Answering::Layout(layout), is_there)
        }
    };
    let taking = of(&decl.taking, (Method::POST, Wire::Form), fields, success, decl.place, shared);
    Taking { honeypot, is_sound: taking.is_sound && is_answerable && !decl.is_lost("fields"), ..taking }
}

fn of_method(method: Method, decl: &MethodDecl, shared: &mut Shared<'_>) -> Taking {
    let mut is_sound = ["fields", "json", "schema"].iter().all(|key| !decl.is_lost(key));
    let fields = match &decl.schema {
        None => Fields::compile(decl.fields.as_ref(), Wire::Json, &mut shared.findings),
        Some(file) => {
            let schema = schema(file, decl, shared);
            is_sound &= schema.is_some();
            schema.map(Fields::of_schema).unwrap_or_default()
        }
    };
    let shape = decl.json.as_ref().and_then(|json| {
        source::refuse_secrets_in(&json.value, "the JSON of an answer", shared.environment, &mut shared.findings);
        let mapped = super::json::mapped(&json.value, json.place, &mut shared.findings);
        is_sound &= mapped.is_some();
        mapped
    });
    let default = if decl.json.is_some() { StatusCode::OK } else { StatusCode::NO_CONTENT };
    let status = match decl.status {
        None => default,
        Some(written) => {
            let has_content = decl.json.is_some();
            let status = StatusCode::from_u16(written.value).ok().filter(|status| {
                status.is_success() && status.as_u16() != 206 && (*status == StatusCode::NO_CONTENT) != has_content
            });
            if status.is_none() {
                let message = format!("{} is not a status that this method can answer with", written.value);
                let help = "200, 201 or 202 with `json`, 204 without";
                shared.findings.push(Finding::new(&BAD_STATUS, written.place, message).help(help));
                is_sound = false;
            }
            status.unwrap_or(default)
        }
    };
    let mut headers = Vec::new();
    for (name, template) in decl.headers.iter().flat_map(|named| &named.0) {
        source::refuse_secrets(template, "a header of an answer", shared.environment, &mut shared.findings);
        let field = HeaderName::from_bytes(name.value.as_bytes()).ok().filter(|field| *field == LOCATION);
        match field.or_else(|| kind::header_name(name, &mut shared.findings)) {
            Some(field) => headers.push((field, template.clone())),
            None => is_sound = false,
        }
    }
    let answering = Answering::Json { shape, status, headers };
    let taking = of(&decl.taking, (method, Wire::Json), fields, answering, decl.place, shared);
    Taking { is_sound: taking.is_sound && is_sound, ..taking }
}

/// The schema of a file.
fn schema(file: &Spanned<String>, decl: &MethodDecl, shared: &mut Shared<'_>) -> Option<JsonSchema> {
    let fields = decl.fields.as_ref().and_then(|named| named.0.first());
    if let Some((field, _)) = fields {
        let message = "`schema` beside `fields`";
        let finding = Finding::new(&code::FORM, file.place, message).related(field.place, "the fields");
        shared.findings.push(finding.help("either says what may be sent: keep one"));
        return None;
    }
    let before = shared.findings.len();
    let read = shared.tree.read_beside(&file.value, &mut shared.files, &mut shared.findings);
    let problem = match read.map(|read| JsonSchema::compile(shared.files.text(read))) {
        Some(Ok(schema)) => return Some(schema),
        Some(Err(problem)) => problem.to_string(),
        None if shared.findings.len() > before => return None,
        None => "there is no such file in the site's folder".to_owned(),
    };
    let message = format!("`{}` cannot be used: {problem}", file.value);
    let help = "a JSON Schema in one file: schema = \"schemas/order.json\"";
    shared.findings.push(Finding::new(&code::FORM, file.place, message).help(help));
    None
}

/// Whether a target is a field alone whose values are paths of this site.
fn leads_to_field(target: &Template, fields: &Fields) -> bool {
    let Some(reference) = target.as_single().filter(|reference| reference.root == "form") else { return false };
    let [name] = reference.keys.as_slice() else { return false };
    fields.named(name).is_some_and(|field| field.kind == FieldKind::Path && field.repeat.is_none())
}

fn of(
    decl: &TakingDecl,
    (method, wire): (Method, Wire),
    fields: Fields,
    success: Answering,
    place: Place,
    shared: &mut Shared<'_>,
) -> Taking {
    let before = shared.findings.len();
    let mut is_sound = ["send", "result"].iter().all(|key| !decl.is_lost(key));
    let written = decl.send.as_ref().map(|sends| sends.0.as_slice()).unwrap_or_default();
    let mut sends = Vec::with_capacity(written.len());
    let mut sends_are_known = is_sound;
    let mut results: Vec<(String, Known)> = Vec::new();
    for (at, send) in written.iter().enumerate() {
        let is_last = at + 1 == written.len();
        let name = send.name.as_ref();
        if name.is_none() && written.len() > 1 && !is_last {
            let message = "one of several calls without a name";
            let help = "give it a `name`, by which its answer is read: form.result.order.id";
            shared.findings.push(Finding::new(&code::FORM, send.place, message).help(help));
            is_sound = false;
        }
        let extract = send.extract.as_ref().or_else(|| decl.result.as_ref().filter(|_| is_last));
        match sending(send, extract, shared) {
            Some(sending) => {
                let known = sending.source.known.clone();
                if let (Some(name), true) = (name, extract.is_some()) {
                    results.push((name.value.clone(), known));
                } else if let (Known::Record(members), true) = (known, is_last && extract.is_some()) {
                    results.extend(members);
                }
                sends.push(sending);
            }
            None => (is_sound, sends_are_known) = (false, false),
        }
    }
    if let (Some(result), true) = (&decl.result, written.is_empty()) {
        let message = "`result` without a call that could answer";
        shared.findings.push(
            Finding::new(&code::FORM, result.place, message)
                .help("declare it: send = { upstream = \"shop\", path = \"/orders\" }"),
        );
    }
    if fields.has_files() && !sends.iter().any(|send| send.format == SendFormat::Multipart) {
        let message = "files that are passed on to nobody";
        let help = "send = { …, format = \"multipart\" }, which alone can hold files";
        shared.findings.push(Finding::new(&code::FORM, place, message).help(help));
        is_sound = false;
    }
    let (mut rejected, mut rejected_message) = (Vec::new(), None);
    if let Some(written) = &decl.rejected {
        for (name, text) in written.errors.iter().flat_map(|named| &named.0) {
            if fields.named(&name.value).is_none() {
                unknown_field(name, &fields, &mut shared.findings);
            }
            rejected
                .extend(selector(text, &mut shared.findings).map(|selector| (name.value.as_str().into(), selector)));
        }
        rejected_message = written.message.as_ref().and_then(|text| selector(text, &mut shared.findings));
    }
    let idempotency_key = decl.idempotency_key.as_ref().map(|key| match key {
        RepeatKeyDecl::Header => RepeatKey::Header,
        RepeatKeyDecl::Field(name) => {
            if fields.named(&name.value).is_none() && fields.schema().is_none() {
                unknown_field(name, &fields, &mut shared.findings);
            }
            RepeatKey::Field(name.value.as_str().into())
        }
    });
    let rate = decl.rate_limit.as_ref().and_then(|rate| {
        let (requests, per) = (rate.requests.as_ref()?.value.0, rate.per?);
        if per.value < Duration::from_secs(1) {
            let message = "a rate over less than a second";
            shared
                .findings
                .push(Finding::new(&BAD_VALUE, per.place, message).help("rate-limit = { requests = 5, per = \"1m\" }"));
        }
        Some(RateLimit { requests, per: per.value, by: rate.by.map_or(RateBy::Address, |by| by.value) })
    });
    let mut pass_cookies = Vec::new();
    for name in decl.pass_cookies.iter().flat_map(|names| &names.0) {
        if HeaderName::from_bytes(name.value.as_bytes()).is_err() {
            let message = format!("`{}` is not the name of a cookie", name.value);
            shared.findings.push(Finding::new(&BAD_VALUE, name.place, message).help("pass-cookies = [\"session\"]"));
        }
        pass_cookies.push(name.value.as_str().into());
    }
    let default = if wire == Wire::Form { MOST.0 + fields.files_size() } else { MOST.1 };
    let most = decl.max_size.as_ref().map_or(default, |size| size.value.0);
    // What is sent by fields, and what stands around it, takes room too.
    is_sound &= shared.findings.iter().skip(before).all(|finding| finding.level != crate::diagnostic::Level::Error);
    Taking {
        method,
        wire,
        fields,
        sends,
        success,
        rejected,
        rejected_message,
        invalidate: decl.invalidate.iter().flat_map(|tags| tags.0.iter().cloned()).collect(),
        pass_cookies,
        rate,
        honeypot: None,
        idempotency_key,
        most,
        // Of a call with mistakes it is not known what it answers.
        result: if sends_are_known { Known::Record(results) } else { Known::Open },
        is_sound,
    }
}

fn unknown_field(name: &Spanned<String>, fields: &Fields, findings: &mut Findings) {
    let known: Vec<&str> = fields.iter().map(|field| &*field.name).collect();
    let help = crate::diagnostic::did_you_mean(&name.value, known.iter().copied())
        .unwrap_or_else(|| format!("declare it: [form.fields.{}]", name.value));
    let message = format!("there is no field `{}`", name.value);
    findings.push(Finding::new(&code::FORM, name.place, message).help(help));
}

fn selector(text: &Spanned<String>, findings: &mut Findings) -> Option<Selector> {
    Selector::compile(&text.value)
        .map_err(|error| {
            let message = format!("`{}` is no selector: {error}", text.value);
            findings
                .push(Finding::new(&BAD_VALUE, text.place, message).help("a path as of RFC 9535: \"$.errors.email\""));
        })
        .ok()
}

/// One call: a source that is asked when something was sent, and may change something.
fn sending(decl: &SendDecl, extract: Option<&crate::config::Node>, shared: &mut Shared<'_>) -> Option<Sending> {
    let name = decl.name.clone().unwrap_or_else(|| Spanned::new("send".to_owned(), decl.place));
    let mut source = source::Decl::empty(decl.place);
    source.lost.clone_from(&decl.lost);
    source.upstream.clone_from(&decl.upstream);
    source.url.clone_from(&decl.url);
    source.path.clone_from(&decl.path);
    source.query.clone_from(&decl.query);
    source.headers.clone_from(&decl.headers);
    source.forward_headers.clone_from(&decl.forward_headers);
    source.forward_cookies.clone_from(&decl.forward_cookies);
    source.calling.timeout = decl.timeout;
    source.sending.method = Some(decl.method.unwrap_or_else(|| Spanned::new(CallMethod::Post, decl.place)));
    source.extract = extract.cloned();
    let mut context = source::Context {
        upstreams: &mut shared.upstreams,
        environment: shared.environment,
        given: None,
        searched: None,
        is_sent: true,
    };
    let compiled = Source::compile(&name, &source, &mut context, &mut shared.findings)?;
    let is_empty = decl
        .body
        .as_ref()
        .is_some_and(|body| matches!(&body.value, Shape::Literal(value) if value.as_bool() == Some(false)));
    let body = decl.body.as_ref().filter(|_| !is_empty);
    if let Some(body) = body {
        source::refuse_secrets_in(&body.value, "the body of a call", shared.environment, &mut shared.findings);
    }
    Some(Sending {
        name: decl.name.as_ref().map(|name| name.value.as_str().into()),
        source: compiled,
        format: decl.format.as_ref().map_or(SendFormat::Json, |format| format.value),
        body: body.map(|body| body.value.clone()),
        is_empty,
    })
}

impl Taking {
    /// What `form` holds.
    pub(super) fn known(&self) -> Known {
        let record = |of: &dyn Fn(&crate::resource::form::Field) -> Known| {
            Known::Record(self.fields.iter().map(|field| (field.name.to_string(), of(field))).collect())
        };
        let typed = |field: &crate::resource::form::Field| match (field.repeat, field.kind) {
            (Some(_), _) => Known::ListOf(Box::new(Known::Open)),
            (None, FieldKind::File | FieldKind::Object | FieldKind::List) => Known::Open,
            (None, _) => Known::Scalar,
        };
        let mut members: Vec<(String, Known)> =
            self.fields.iter().map(|field| (field.name.to_string(), typed(field))).collect();
        let shown = self.fields.iter().filter(|field| field.kind.is_shown());
        members.push((
            "values".to_owned(),
            Known::Record(shown.map(|field| (field.name.to_string(), typed(field))).collect()),
        ));
        members.push(("errors".to_owned(), record(&|_| Known::Scalar)));
        members.extend(["error", "status"].map(|name| (name.to_owned(), Known::Scalar)));
        members.push(("result".to_owned(), self.result.clone()));
        if self.fields.schema().is_some() {
            members.retain(|(name, _)| name != "values");
            return Known::Partly(members);
        }
        Known::Record(members)
    }

    /// Whether it is a form of the page.
    pub(super) fn is_form(&self) -> bool {
        self.wire == Wire::Form
    }

    /// The first words of all that it reads.
    fn roots(&self) -> Vec<String> {
        let mut references: Vec<&Reference> = Vec::new();
        for send in &self.sends {
            references.extend(send.source.references());
            references.extend(send.body.iter().flat_map(Shape::references));
        }
        references.extend(self.invalidate.iter().flat_map(|tag| tag.value.references()));
        let mut roots = Vec::new();
        match &self.success {
            Answering::Redirect { target, flash } => {
                references.extend(target.references());
                references.extend(flash.iter().flat_map(|flash| flash.value.references()));
            }
            Answering::Layout(layout) => {
                let layout = layout.iter().flat_map(|layout| layout.roots());
                roots.extend(layout.map(|root| root.name.to_string()));
            }
            Answering::Json { shape, headers, .. } => {
                references.extend(shape.iter().flat_map(Shape::references));
                references.extend(headers.iter().flat_map(|(_, value)| value.references()));
            }
            Answering::Itself => {}
        }
        roots.extend(references.into_iter().map(|reference| reference.root.clone()));
        roots
    }

    /// The calls that it makes, for the rules about a whole site.
    pub(super) fn calls(&self) -> impl Iterator<Item = Called> {
        self.sends.iter().filter_map(|send| match &send.source.kind {
            Kind::Http(http) => {
                Some(Called { source: send.source.name.clone(), upstream: http.upstream, trust: http.trust() })
            }
            Kind::Route(_) | Kind::Value(_) | Kind::Chosen(_) => None,
        })
    }

    /// Where it sends its visitors.
    pub(super) fn target(&self) -> Option<&Template> {
        match &self.success {
            Answering::Redirect { target, .. } => Some(target).filter(|target| target.as_single().is_none()),
            Answering::Layout(_) | Answering::Json { .. } | Answering::Itself => None,
        }
    }

    /// With its names resolved, of which the `reads` are told.
    fn link(
        self,
        scope: &Scope<'_>,
        reads: &mut Reads,
        policies: &csp::Policies,
        nulls: Nulls,
        shared: &mut Shared<'_>,
    ) -> Option<Intake> {
        let findings = &mut shared.findings;
        let mut sends = Vec::with_capacity(self.sends.len());
        let mut is_sound = self.is_sound;
        for send in &self.sends {
            let source = send.source.link(|reference| scope.bind(reference, reads, findings));
            let body = match &send.body {
                Some(shape) => {
                    shape.try_map(&mut |reference| scope.bind(reference, reads, findings)).map(SendBody::Written)
                }
                None if send.is_empty => Some(SendBody::None),
                None => Some(SendBody::Fields),
            };
            match (source, body) {
                (Some(source), Some(body)) => {
                    sends.push(Send { name: send.name.clone(), source, format: send.format, body });
                }
                _ => is_sound = false,
            }
        }
        let mut template = |template: &Template, findings: &mut Findings| {
            template.try_map(|reference| scope.bind(reference, reads, findings))
        };
        let invalidate: Vec<_> = self.invalidate.iter().map(|tag| template(&tag.value, findings)).collect();
        let success = match &self.success {
            Answering::Itself => None,
            Answering::Redirect { target, flash } => {
                let target = template(target, findings);
                let flash = flash.as_ref().map(|flash| template(&flash.value, findings));
                Some(Success::Redirect { target: target?, flash: flash.map_or(Some(None), |flash| flash.map(Some))? })
            }
            Answering::Layout(layout) => {
                let mut linked = kind::link_layout(layout.as_ref()?, scope, reads, findings)?;
                policies.dress_alone(&mut linked, findings);
                Some(Success::Layout(linked))
            }
            Answering::Json { shape, status, headers } => {
                let headers: Vec<_> =
                    headers.iter().map(|(name, value)| Some((name.clone(), template(value, findings)?))).collect();
                let headers = headers.into_iter().collect::<Option<Vec<_>>>()?;
                Some(match shape {
                    Some(shape) => {
                        let shape = super::json::link(shape, None, scope, reads, findings)?;
                        Success::Json { json: Json { shape, nulls }, status: *status, headers }
                    }
                    None => Success::Nothing { status: *status, headers },
                })
            }
        };
        let success = success.unwrap_or(Success::Nothing { status: StatusCode::SEE_OTHER, headers: Vec::new() });
        let intake = Intake {
            method: self.method,
            wire: self.wire,
            fields: self.fields,
            sends,
            success,
            rejected: self.rejected,
            rejected_message: self.rejected_message,
            invalidate: invalidate.into_iter().collect::<Option<Vec<Template<Binding>>>>()?,
            pass_cookies: self.pass_cookies,
            reads_user: reads.user.is_some() || self.rate.is_some_and(|rate| rate.by == RateBy::User),
            rate: self.rate,
            honeypot: self.honeypot,
            idempotency_key: self.idempotency_key,
            most: self.most,
            sources: Vec::new(),
        };
        is_sound.then_some(intake)
    }
}

/// The sources that the calls and answers of all that a route takes mention, by position.
pub(super) fn mentioned(takings: &[Taking], sources: &[Source]) -> Vec<usize> {
    let at = |root: String| sources.iter().position(|source| source.name.value == root);
    takings.iter().flat_map(|taking| taking.roots().into_iter().filter_map(at)).collect()
}

/// What stands around all that a route takes.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    /// The sources that are asked for it.
    pub(super) asked: &'a BTreeSet<usize>,
    /// Which mention which.
    pub(super) after: &'a [Vec<usize>],
    pub(super) policies: &'a csp::Policies,
}

/// All that a route takes, with names resolved, of which `reads` are told.
pub(super) fn link(
    takings: Vec<Taking>,
    scope: &mut Scope<'_>,
    around: Around<'_>,
    reads: &mut Reads,
    shared: &mut Shared<'_>,
) -> Option<Vec<Intake>> {
    let Around { asked, after, policies } = around;
    let nulls = scope.written.decl.nulls.as_ref().map_or(Nulls::Keep, |nulls| nulls.value);
    let mut linked = Vec::with_capacity(takings.len());
    for taking in takings {
        scope.form = Some(taking.known());
        let mut own = Reads::default();
        let intake = taking.link(scope, &mut own, policies, nulls, shared);
        let sources = ordered(asked, after, |at| kind::position(scope, at));
        linked.push(intake.map(|intake| Intake { sources, ..intake }));
        reads.extend(&own);
    }
    linked.into_iter().collect()
}

/// The upstreams that the calls of a route name.
pub(super) fn named_upstreams(decl: &Decl) -> impl Iterator<Item = String> {
    let of_form = decl.form.iter().map(|form| &form.taking);
    let methods = decl.methods.iter();
    let of_methods = methods.flat_map(|methods| [&methods.post, &methods.put, &methods.patch, &methods.delete]);
    let takings = of_form.chain(of_methods.flatten().map(|method| &method.taking));
    let sends = takings.flat_map(|taking| taking.send.iter().flat_map(|sends| &sends.0));
    sends.filter_map(|send| Some(send.upstream.as_ref()?.value.clone()))
}

/// The sources that are asked before anything is sent, each behind those that it mentions; by position among those of the route.
fn ordered(direct: &BTreeSet<usize>, after: &[Vec<usize>], position: impl Fn(usize) -> Option<usize>) -> Vec<usize> {
    let mut ordered: Vec<usize> = Vec::new();
    while ordered.len() < direct.len() {
        let next = direct.iter().find(|at| {
            !ordered.contains(at) && after[**at].iter().all(|other| ordered.contains(other) || !direct.contains(other))
        });
        let Some(next) = next else { break };
        ordered.push(*next);
    }
    ordered.into_iter().filter_map(position).collect()
}
