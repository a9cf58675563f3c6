//! What an author writes in `[form]` and `[methods.post]`, and of a field in either.

use crate::config::{
    Declared, Decode, Described, Kind, Named, Node, OneOrMany, Schema, Shape, Size, Template, Within, declare, words,
    wrong_type,
};
use crate::diagnostic::{Findings, Spanned};
use crate::source::{CallMethod, Extract, QueryValue};
use std::time::Duration;

use super::FieldKind;

declare! {
    /// A field of a form, or a member of the JSON that a method takes. What is sent and not declared is refused.
    pub struct FieldDecl {
        /// `"string"` (one line), `"text"`, `"int"`, `"number"`, `"bool"`, `"date"`, `"email"`, `"url"`, `"uuid"`, `"slug"`, `"path"` (of this
        /// site), `"password"` or `"file"`; of JSON also `"object"` and `"list"`. Default string.
        "type": kind: Spanned<String> as KindName,
        /// Whether it must be there; of a bool, whether it must be true. Default `false`.
        "required": required: Spanned<bool>,
        /// The least number, or the first date.
        "min": min: Node as Bound,
        /// The greatest number, or the last date.
        "max": max: Node as Bound,
        /// The fewest characters.
        "min-length": min_length: Spanned<usize>,
        /// The most characters.
        "max-length": max_length: Spanned<usize>,
        /// A regular expression that the whole text matches.
        "pattern": pattern: Spanned<String>,
        /// The only values there are.
        "enum": choices: Spanned<Vec<String>>,
        /// The value when none is sent; a page shows it before anything is.
        "default": default: Node,
        /// Its name in what is sent, when that differs.
        "name": name: Spanned<String>,
        /// Whether it is a list: each value of its name is an item.
        "repeat": repeat: Spanned<bool>,
        /// How many items the list may have; default 32.
        "max-items": max_items: Spanned<usize>,
        /// What is said of a value that does not fit, instead of what is wrong with it.
        "message": message: Spanned<String>,
        /// How long a file may be; default `"1MiB"`.
        "max-size": max_size: Spanned<Size>,
        /// The media types that a file may say it has: `["image/png", "image/*"]`. Any, if this is not written. Nobody looks into the file.
        "types": types: Spanned<Vec<String>>,
    }
}

/// The name of a type.
struct KindName;

impl Described for KindName {
    fn schema() -> Schema {
        Schema::words(FieldKind::NAMES.iter().map(|(name, _)| *name))
    }
}

/// A number, or a date.
struct Bound;

impl Described for Bound {
    fn schema() -> Schema {
        Schema::Either(vec![Schema::Number, Schema::text("a date such as `\"2026-11-21\"`", None)])
    }
}

declare! {
    /// What people send here. `GET` shows the page with the form, `POST` sends it: it is checked, passed on, and answered.
    pub struct FormDecl {
        ..taking: TakingDecl,
        /// The fields that may be sent; any other is refused.
        "fields": fields: Named<FieldDecl>,
        /// Where to after it was taken: a path, to which the visitor is sent with 303; `{ redirect, flash }`; or `{ layout }`, which answers at once.
        "success": success: Spanned<SuccessDecl>,
        /// A field that people do not see and programs fill in: a form with it is answered as if it had been taken, and nothing is sent.
        "honeypot": honeypot: Spanned<String>,
    }
}

declare! {
    /// What programs may send to a JSON route, by method.
    pub struct MethodsDecl {
        /// What is sent with `POST`.
        "post": post: MethodDecl,
        /// What is sent with `PUT`.
        "put": put: MethodDecl,
        /// What is sent with `PATCH`.
        "patch": patch: MethodDecl,
        /// What is sent with `DELETE`; without `fields`, nothing needs to be.
        "delete": delete: MethodDecl,
    }
}

declare! {
    /// What is sent with one method, and what is answered.
    pub struct MethodDecl {
        ..taking: TakingDecl,
        /// The members of the JSON object that is sent; any other is refused.
        "fields": fields: Named<FieldDecl>,
        /// A file with a JSON Schema, relative to the site, that the object must fit; instead of `fields`. Its members are `form.name`, unchecked
        /// by `siteserver check`. It refers to nothing outside of itself.
        "schema": schema: Spanned<String>,
        /// The JSON that is answered. Without it, the answer is 204.
        "json": json: Spanned<Shape>,
        /// The status of the answer; default 200, without `json` 204.
        "status": status: Spanned<u16>,
        /// Header fields of the answer, such as `location`.
        "headers": headers: Named<Template>,
    }
}

declare! {
    /// What becomes of what was sent.
    pub struct TakingDecl {
        /// The call that passes it on, or several of them, made one after the other. None, if it is enough that it was sent.
        "send": send: OneOrMany<SendDecl>,
        /// What is taken from the answer: `form.result.id`. Of several calls, from the last; the others have `extract`.
        "result": result: Node as Extract,
        /// What an upstream that refuses it (4xx) says of the fields, and of the whole, as selectors into its JSON.
        "rejected": rejected: RejectedDecl,
        /// Tags that are purged once it was taken, before the answer.
        "invalidate": invalidate: OneOrMany<Spanned<Template>>,
        /// Cookies that the upstream sets which the visitor gets, for this host alone, out of the reach of scripts.
        "pass-cookies": pass_cookies: OneOrMany<Spanned<String>>,
        /// How often the same visitor may send it: `{ requests = 5, per = "1m" }`.
        "rate-limit": rate_limit: RateDecl,
        /// The field that makes of a second request with the same value a repetition of the first, which is answered as that was. The header field
        /// `Idempotency-Key` does the same, and is sent along; `true` if it alone does.
        "idempotency-key": idempotency_key: RepeatKeyDecl,
        /// How long the whole body may be; default 64 KiB for a form, besides its files, and 256 KiB for JSON.
        "max-size": max_size: Spanned<Size>,
    }
}

declare! {
    /// A call that passes on what was sent.
    pub struct SendDecl {
        /// Its name, by which its answer is read: `form.result.name`.
        "name": name: Spanned<String>,
        /// The upstream to call, by its name in `[upstreams]`; with `path`.
        "upstream": upstream: Spanned<String>,
        /// The whole address to call, instead.
        "url": url: Spanned<Template>,
        /// The path below the upstream's `base-url`.
        "path": path: Spanned<Template>,
        /// The method; default `"POST"`.
        "method": method: Spanned<CallMethod>,
        /// How the body is written: `"json"` (the default), `"form"`, or `"multipart"`, which alone can hold files.
        "format": format: Spanned<SendFormat>,
        /// The body: a table whose strings hold placeholders, such as `"{form.email}"`; default all fields by the names that they are sent by.
        /// `false`: none.
        "body": body: Spanned<Shape>,
        /// Query values of the call.
        "query": query: Named<Node> as Named<QueryValue>,
        /// Header fields of the call.
        "headers": headers: Named<Template>,
        /// Header fields of the visitor's request to send along.
        "forward-headers": forward_headers: Vec<Spanned<String>>,
        /// Cookies of the visitor's request to send along.
        "forward-cookies": forward_cookies: Vec<Spanned<String>>,
        /// What is taken from the answer.
        "extract": extract: Node as Extract,
        /// How long the call may take; default what the upstream says, else `10s`.
        "timeout": timeout: Spanned<Duration>,
    }
}

words! {
    /// How the body of a call is written.
    pub enum SendFormat {
        /// As JSON.
        "json": Json,
        /// As a form (`application/x-www-form-urlencoded`). A list repeats its name; null leaves it out.
        "form": Form,
        /// As a form that can hold files (`multipart/form-data`).
        "multipart": Multipart,
    }
}

declare! {
    /// What is taken from an answer that refuses what was sent: selectors (RFC 9535).
    pub struct RejectedDecl {
        /// What it says of each field, by the field's name: `errors.email = "$.errors.email"`.
        "errors": errors: Named<Spanned<String>>,
        /// What it says of the whole: `form.error`.
        "message": message: Spanned<String>,
    }
}

declare! {
    /// How often the same visitor may send something.
    pub struct RateDecl requires ["requests", "per"] {
        /// How often at once: `{ requests = 5, per = "1m" }` is five times, and five more a minute later.
        "requests": requests: Spanned<Within<1, 1_000_000>>,
        /// After how long as often again.
        "per": per: Spanned<Duration>,
        /// Who counts as the same: `"address"` (the default), or `"user"`, where the site knows its users; others count by their address.
        "by": by: Spanned<RateBy>,
    }
}

words! {
    /// Who counts as the same visitor.
    pub enum RateBy {
        /// Whoever is at the same address, or behind the same 64 bits of one of IPv6.
        "address": Address,
        /// Whoever is signed in as the same user.
        "user": User,
    }
}

/// By what it is known that a request comes again.
#[derive(Debug, Clone)]
pub enum RepeatKeyDecl {
    /// By the header field alone.
    Header,
    /// By that, or by this field.
    Field(Spanned<String>),
}

impl Described for RepeatKeyDecl {
    fn schema() -> Schema {
        Schema::Either(vec![String::schema(), Schema::Boolean])
    }
}

impl Decode for RepeatKeyDecl {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        if let Kind::Bool(true) = node.kind {
            return Some(Self::Header);
        }
        Spanned::decode(node, findings).map(Self::Field)
    }
}

/// Where a visitor is sent, or what is shown, once something was taken.
#[derive(Debug, Clone)]
pub enum SuccessDecl {
    /// Somewhere else.
    Redirect {
        /// Where.
        target: Template,
        /// What is said there: `request.flash`.
        flash: Option<Spanned<Template>>,
    },
    /// A page of this layout.
    Layout(Spanned<String>),
}

declare! {
    /// What is answered once something was taken.
    struct SuccessTable {
        /// Where the visitor is sent, with 303: a path of this site, a whole URL, or a field of `type = "path"` alone.
        "redirect": redirect: Template,
        /// What the page there may say: `request.flash`.
        "flash": flash: Spanned<Template>,
        /// The layout that answers at once, with 200.
        "layout": layout: Spanned<String>,
    }
}

impl Described for SuccessDecl {
    fn schema() -> Schema {
        Schema::Either(vec![Template::schema(), SuccessTable::schema()])
    }
}

impl Decode for SuccessDecl {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        let Some(table) = node.as_table() else {
            return Template::decode(node, findings).map(|target| Self::Redirect { target, flash: None });
        };
        let SuccessTable { redirect, flash, layout, lost, .. } = SuccessTable::read(table, findings);
        match (redirect, layout) {
            (Some(target), None) => Some(Self::Redirect { target, flash }),
            (None, Some(layout)) if flash.is_none() => Some(Self::Layout(layout)),
            (None, None) if !lost.is_empty() => None,
            _ => {
                findings.push(wrong_type(node, "`{ redirect = \"/thanks\" }` or `{ layout = \"thanks.html\" }`"));
                None
            }
        }
    }
}
