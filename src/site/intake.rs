//! What a route takes from its visitors: which fields, whom they are passed on to, and what is answered then.

use crate::config::{Binding, Shape, Template};
use crate::extract::Selector;
use crate::resource::form::{Fields, RateBy, SendFormat, Wire};
use crate::resource::{Json, Linked};
use crate::source::Source;
use crate::value::{Object, Value};
use http::header::HeaderName;
use http::{Method, StatusCode};
use std::sync::Arc;
use std::time::Duration;

/// What a route takes by one method.
#[derive(Debug)]
pub struct Intake {
    /// The method.
    pub method: Method,
    /// How it is sent.
    pub wire: Wire,
    /// What may be sent.
    pub fields: Fields,
    /// The calls that pass it on, in their order.
    pub sends: Vec<Send>,
    /// What is answered when it was taken.
    pub success: Success,
    /// What the upstream says of each field that it refuses.
    pub rejected: Vec<(Arc<str>, Selector)>,
    /// What it says of the whole.
    pub rejected_message: Option<Selector>,
    /// Tags that are purged when it was taken.
    pub invalidate: Vec<Template<Binding>>,
    /// Cookies of the upstream that go through.
    pub pass_cookies: Vec<Box<str>>,
    /// How often somebody may send it.
    pub rate: Option<RateLimit>,
    /// The field that nobody sees.
    pub honeypot: Option<Box<str>>,
    /// By what it is known that a request comes again.
    pub idempotency_key: Option<RepeatKey>,
    /// How long the body may be.
    pub most: u64,
    /// Whether it has to be known who sends it.
    pub reads_user: bool,
    /// The sources that it reads, by position among those of the route.
    pub sources: Vec<usize>,
}

/// By what it is known that a request comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepeatKey {
    /// By the header field `Idempotency-Key`.
    Header,
    /// By that, or else by this field, as the author calls it.
    Field(Arc<str>),
}

/// How often somebody may send something.
#[derive(Debug, Clone, Copy)]
pub struct RateLimit {
    /// So many times at once.
    pub requests: u32,
    /// And as often again after this time.
    pub per: Duration,
    /// Who counts as the same.
    pub by: RateBy,
}

/// A call that passes on what was sent.
#[derive(Debug)]
pub struct Send {
    /// Its name; the only one, and the last, may have none.
    pub name: Option<Arc<str>>,
    /// The call, and what is taken from its answer.
    pub source: Source<Binding>,
    /// How the body is written.
    pub format: SendFormat,
    /// What is in it.
    pub body: SendBody,
}

/// What is in the body of a call.
#[derive(Debug)]
pub enum SendBody {
    /// Nothing: there is none.
    None,
    /// All fields.
    Fields,
    /// What is written.
    Written(Shape<Binding>),
}

/// What is answered when something was taken.
#[derive(Debug)]
pub enum Success {
    /// The visitor is sent elsewhere.
    Redirect {
        /// Where.
        target: Template<Binding>,
        /// What is said there.
        flash: Option<Template<Binding>>,
    },
    /// A page of this layout.
    Layout(Linked),
    /// JSON.
    Json {
        /// What it says.
        json: Json,
        /// With which status.
        status: StatusCode,
        /// And with which fields.
        headers: Vec<(HeaderName, Template<Binding>)>,
    },
    /// Nothing but a status, and fields.
    Nothing {
        /// The status.
        status: StatusCode,
        /// The fields.
        headers: Vec<(HeaderName, Template<Binding>)>,
    },
}

impl Intake {
    /// What `form` is before anything is sent.
    pub fn blank(&self) -> Value {
        let members = [
            ("values", Value::from(self.fields.blank())),
            ("errors", Object::default().into()),
            ("error", Value::Null),
            ("status", Value::Null),
            ("result", Value::Null),
        ];
        Value::Object(members.into_iter().collect())
    }

    /// Whether it is a form of a page, which people fill in.
    pub fn is_form(&self) -> bool {
        self.wire == Wire::Form
    }
}
