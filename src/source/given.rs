//! Data that is read when the site is loaded: one value, or one for each file that a parameter can choose.
//!
//! Who reads it is decided above; here it becomes a source like any other, whose extraction and list operations are done at
//! load as far as no request is needed for them.

use super::extraction::trouble_of_extraction;
use super::{Kind, Listing, Source, Surroundings, Trouble, code};
use crate::config::{Binding, Reference, Shape, Template};
use crate::diagnostic::{Finding, Findings, Place};
use crate::extract::Extraction;
use crate::render::{Context, Limits};
use crate::value::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// Data that was read.
#[derive(Debug)]
pub enum Given {
    /// One value.
    One(Value),
    /// A value for each text that the name of the file can be.
    Chosen {
        /// The name, which parameters with an `enum` choose.
        name: Template,
        /// All that there are.
        values: HashMap<String, Value>,
    },
}

/// Values of which a request chooses one.
#[derive(Debug, Clone)]
pub struct Chosen<R = Reference> {
    name: Template<R>,
    values: Arc<HashMap<String, Value>>,
}

impl<R> Chosen<R> {
    /// All that there are.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.values.values()
    }
}

impl Given {
    /// The kind of a source that has this data. What its extraction cannot take of it is a finding, and then there is none.
    pub(super) fn into_kind(
        self,
        extraction: Option<&Extraction>,
        place: Place,
        findings: &mut Findings,
    ) -> Option<Kind> {
        let mut extract = |value: Value, of: &str| match extraction.map(|extraction| extraction.apply(&value, 0)) {
            None => Some(value),
            Some(Ok(value)) => Some(value),
            Some(Err(error)) => {
                findings.push(Finding::new(&code::UNFIT_DATA, place, format!("the data{of} does not do: {error}")));
                None
            }
        };
        match self {
            Self::One(value) => Some(Kind::Value(Shape::Literal(extract(value, "")?))),
            Self::Chosen { name, values } => {
                let count = values.len();
                let extracted = values.into_iter().filter_map(|(file, value)| {
                    let value = extract(value, &format!(" of `{file}`"))?;
                    Some((file, value))
                });
                let values: HashMap<_, _> = extracted.collect();
                (values.len() == count).then(|| Kind::Chosen(Chosen { name, values: Arc::new(values) }))
            }
        }
    }

    /// The files that parameters choose from.
    pub fn chosen(&self) -> impl Iterator<Item = &str> {
        let values = match self {
            Self::One(_) => None,
            Self::Chosen { values, .. } => Some(values.keys().map(String::as_str)),
        };
        values.into_iter().flatten()
    }

    /// Any of the values: what one file of several lacks, nothing can be sure of.
    pub(super) fn sample(&self) -> Option<&Value> {
        match self {
            Self::One(value) => Some(value),
            Self::Chosen { .. } => None,
        }
    }
}

impl Chosen {
    pub(super) fn references(&self) -> impl Iterator<Item = &Reference> {
        self.name.references()
    }

    pub(super) fn link(&self, resolve: &mut impl FnMut(&Reference) -> Option<Binding>) -> Option<Chosen<Binding>> {
        Some(Chosen { name: self.name.try_map(resolve)?, values: Arc::clone(&self.values) })
    }
}

impl Chosen<Binding> {
    /// Does what is the same for each request to every value; what is left of `listing`.
    fn settle(&mut self, listing: Listing<Binding>) -> Option<Listing<Binding>> {
        let (Some(once), each) = listing.clone().split() else { return Some(listing) };
        let settled = self.values.iter().map(|(name, value)| Some((name.clone(), applied(&once, value.clone())?)));
        match settled.collect::<Option<HashMap<_, _>>>() {
            Some(values) => {
                self.values = Arc::new(values);
                each
            }
            None => Some(listing),
        }
    }

    /// The name of the file that a request chooses; `None` if it names none.
    pub fn name(&self, slots: &[Value]) -> Option<String> {
        self.name.text(slots, |text, out| out.push_str(text)).ok().flatten()
    }

    /// The value that a request chooses.
    pub fn value(&self, slots: &[Value]) -> Result<Value, Trouble> {
        self.name(slots).and_then(|name| self.values.get(&name)).cloned().ok_or(Trouble::NotFound)
    }
}

impl Source<Binding> {
    /// The same source with everything done that is the same for each request.
    pub(super) fn settled_at_load(mut self) -> Self {
        if let Kind::Chosen(chosen) = &mut self.kind {
            self.listing = self.listing.take().and_then(|listing| chosen.settle(listing));
            return self;
        }
        let Kind::Value(Shape::Literal(value)) = &self.kind else { return self };
        let mut value = value.clone();
        if let Some(extraction) = &self.extraction {
            match extraction.apply(&value, 0).map_err(|error| trouble_of_extraction(&error)) {
                Ok(extracted) => value = extracted,
                // What is declared for that is done at each request.
                Err(_trouble) => return self,
            }
            self.extraction = None;
        }
        if let Some(listing) = self.listing.take() {
            let (once, each) = listing.clone().split();
            match once.map(|once| applied(&once, value.clone())) {
                None => self.listing = each,
                Some(Some(applied)) => (value, self.listing) = (applied, each),
                Some(None) => self.listing = Some(listing),
            }
        }
        self.kind = Kind::Value(Shape::Literal(value));
        self
    }
}

/// What operations that mention nothing of a request come to.
fn applied(listing: &Listing<Binding>, value: Value) -> Option<Value> {
    let (limits, time_zone) = (Limits::default(), jiff::tz::TimeZone::UTC);
    let now = jiff::Timestamp::UNIX_EPOCH;
    let context = Context { limits: &limits, now, time_zone: &time_zone, site: crate::render::Site::default() };
    let url = |_: &str, _: i64| String::new();
    listing.apply(value, Surroundings { slots: &[], context: &context, url: &url }, true).ok()
}
