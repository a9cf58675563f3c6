//! What people may send: declared fields, the judgement of what was sent by them, and what is said of what does not fit.
//!
//! Pure: what was sent comes in as pairs or as JSON, typed values and messages come out. Nothing here knows how it came, or what is done
//! with it.

mod compile;
mod decl;
mod field;
mod judge;
mod schema;

#[cfg(test)]
mod tests;

pub use decl::{
    FieldDecl, FormDecl, MethodDecl, MethodsDecl, RateBy, RateDecl, RejectedDecl, RepeatKeyDecl, SendDecl, SendFormat,
    SuccessDecl, TakingDecl,
};
pub use field::{Field, FieldKind, Fields, Wire};
pub use judge::{Judged, Lead};
pub use schema::{JsonSchema, SchemaProblem};
