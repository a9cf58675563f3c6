//! A layout linked to a route: each first word that it reads is a slot of the route's data.

use super::PolicyField;
use crate::render::{Buffer, Context, Layout, RenderError};
use crate::value::{NULL, Value};
use std::sync::Arc;

/// A layout and the slots of its roots.
#[derive(Debug, Clone)]
pub struct Linked {
    /// The layout, with its partials and the layouts around it.
    pub layout: Arc<Layout>,
    /// The slot of each of [`Layout::roots`]; `None` reads as `nil`.
    pub slots: Box<[Option<usize>]>,
    /// The policy its pages are sent with, if any is; documents have their own.
    pub csp: Option<PolicyField>,
}

impl Linked {
    /// Renders the layout with a request's data.
    pub fn render(&self, slots: &[Value], context: &Context<'_>, out: &mut Buffer) -> Result<(), RenderError> {
        let value = |slot: &Option<usize>| slot.and_then(|slot| slots.get(slot)).unwrap_or(&NULL);
        let roots: Vec<&Value> = self.slots.iter().map(value).collect();
        self.layout.render(&roots, context, out)
    }
}
