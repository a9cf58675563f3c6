//! Liquid's conditions on their own: `if = "repo.archived and user == nil"`, `where = "item.tags contains params.tag"`.

use super::Context;
use super::budget::Spent;
use super::expr::{Names, Reader, Trouble};
use super::program::{Manner, Program};
use super::reads::{self, Read, Root};
use super::run::Run;
use super::tree::Terms;
use crate::diagnostic::{Finding, Findings, Place};
use crate::value::Value;

/// What conditions have cost so far that go through many items within the budget of one render.
#[derive(Debug, Clone, Copy, Default)]
pub struct Work(Spent);

/// The items cost more than a render may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMuchWork;

/// A compiled condition.
#[derive(Debug)]
pub struct Condition {
    terms: Terms,
    program: Program,
}

impl Condition {
    /// Compiles `text`. `place` is where its characters stand in the file; if the string holds escapes, findings point at the
    /// nearest character within it.
    pub fn compile(text: &str, place: Place, findings: &mut Findings) -> Option<Self> {
        let mut names = Names::default();
        let start = place.range().start;
        let mut reader = Reader::new(text, 0..text.len(), &mut names, place.file, start, Manner::Site);
        let terms = match reader.terms().and_then(|terms| reader.finish().map(|()| terms)) {
            Ok(terms) => terms,
            Err(trouble) => {
                let Trouble { code, at, message, help } = trouble.mend(text, 0..text.len(), "if");
                let end = place.range().end.max(start);
                let at = (at.start + start).min(end)..(at.end + start).min(end);
                findings.push(Finding::new(code, Place::new(place.file, at), message).maybe_help(help));
                return None;
            }
        };
        let mut program = Program::of_names(&names, place.file);
        program.settle(reads::analyse_condition(&program, &terms));
        let refused = program.analysis.refused_lookups();
        if !refused.is_empty() {
            findings.append(refused);
            return None;
        }
        Some(Self { terms, program })
    }

    /// The first words it reads, in the order in which [`Condition::holds`] takes their values.
    #[must_use]
    pub fn roots(&self) -> &[Root] {
        &self.program.analysis.roots
    }

    /// Every path it reads.
    #[must_use]
    pub fn reads(&self) -> &[Read] {
        &self.program.analysis.reads
    }

    /// Whether it holds for these values of its roots. What cannot be compared does not hold.
    #[must_use]
    pub fn holds(&self, roots: &[&Value], context: &Context<'_>) -> bool {
        Run::new(&self.program, roots, context).holds(&self.terms).unwrap_or(false)
    }

    /// The same for one of many items, which all together may cost what a render may.
    pub fn holds_within(&self, roots: &[&Value], context: &Context<'_>, work: &mut Work) -> Result<bool, TooMuchWork> {
        let mut run = Run::new(&self.program, roots, context);
        run.budget().resume(work.0);
        let holds = run.holds(&self.terms);
        work.0 = run.budget().spent();
        match run.budget().check() {
            Ok(()) => Ok(holds.unwrap_or(false)),
            Err(_) => Err(TooMuchWork),
        }
    }
}
