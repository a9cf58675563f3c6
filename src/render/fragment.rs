//! A template on its own, with partials and data given as they are: for trying Liquid out, and for its public suites.
//!
//! It behaves as a layout does while it renders, except that what Liquid refuses and a layout would pass over in silence is an
//! error here, because its author is looking. Names are not checked: nothing is declared that they could be checked against.
//!
//! [`Fragment::parse`] goes further: nothing is an error but what Liquid itself refuses, and not before Liquid would look at it.
//! A filter that does not exist hands on its input, the name of a partial may be computed, and a partial may call itself.

use super::program::{self, Manner, Program, Source};
use super::run::Run;
use super::{Buffer, Context, Limits, RenderError};
use crate::diagnostic::{Files, Findings, Place};
use crate::value::Value;
use std::collections::HashMap;

/// How outputs are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Escape {
    /// As in a `.html` layout: for where they stand in the markup.
    #[default]
    Html,
    /// As in a `.xml` layout.
    Xml,
    /// Not at all, as in layouts of other kinds.
    None,
}

impl Escape {
    /// The extension of the layouts that are escaped so.
    fn extension(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Xml => "xml",
            Self::None => "",
        }
    }
}

/// A template that stands alone.
#[derive(Debug)]
pub struct Fragment {
    program: Program,
}

/// What is wrong with a template, with the texts that the findings point into.
#[derive(Debug)]
pub struct FragmentError {
    /// What is wrong.
    pub findings: Findings,
    /// The template, which is called `template`, and its partials.
    pub files: Files,
}

impl Fragment {
    /// How many blocks and partials may stand inside each other in what [`Fragment::parse`] takes: Ruby's Liquid lets partials call
    /// each other a hundred deep, each within a block.
    pub const DEEPEST: usize = 200;

    /// Compiles `text` as Liquid has it; nothing is escaped. `partials` are names, as `{% render %}` says them, and their texts.
    pub fn parse(text: &str, partials: &[(&str, &str)]) -> Result<Self, Box<FragmentError>> {
        Self::parse_escaped(text, partials, Escape::None)
    }

    /// The same with escaping.
    pub fn parse_escaped(text: &str, partials: &[(&str, &str)], escape: Escape) -> Result<Self, Box<FragmentError>> {
        let mut files = Files::default();
        let mut add = |name: &str, text: &str| Place::new(files.add(name, text), 0..text.len());
        let template = add("template", text);
        let partials: Vec<(&str, Place)> = partials.iter().map(|(name, text)| (*name, add(name, text))).collect();
        Self::compile_for(Manner::Trial, template, &partials, &files, escape)
            .map_err(|findings| Box::new(FragmentError { findings, files }))
    }

    /// Compiles what stands at `template` as a site does: also what a layout would pass over in silence is a finding.
    /// `partials` are names, as `{% render %}` says them, and where they stand.
    pub fn compile(
        template: Place,
        partials: &[(&str, Place)],
        files: &Files,
        escape: Escape,
    ) -> Result<Self, Findings> {
        Self::compile_for(Manner::Site, template, partials, files, escape)
    }

    fn compile_for(
        manner: Manner,
        template: Place,
        partials: &[(&str, Place)],
        files: &Files,
        escape: Escape,
    ) -> Result<Self, Findings> {
        let escapes = escape != Escape::None;
        let source = |place: Place| {
            let text = files.text(place.file);
            Source { text, file: place.file, range: place.range(), escapes }
        };
        let extension = escape.extension();
        let dot = if extension.is_empty() { "" } else { "." };
        let named = |(name, place): &(&str, Place)| (format!("partials/{name}{dot}{extension}"), source(*place));
        let known: HashMap<String, Source<'_>> = partials.iter().map(named).collect();
        let mut findings = Findings::default();
        let nesting = match manner {
            Manner::Site => Limits::default().nesting,
            Manner::Trial => Self::DEEPEST,
        };
        let program = program::compile(&source(template), &[], &known, extension, nesting, manner, &mut findings);
        if findings.has_errors() {
            findings.sort();
            return Err(findings);
        }
        Ok(Self { program })
    }

    /// Renders with the members of `data` as first words.
    pub fn render(&self, data: &Value, context: &Context<'_>) -> Result<String, RenderError> {
        let roots: Vec<&Value> = self
            .program
            .analysis
            .roots
            .iter()
            .map(|root| data.get(&root.name).unwrap_or(&crate::value::NULL))
            .collect();
        let mut out = Buffer::with_capacity(self.program.literal_bytes);
        let mut run = Run::new(&self.program, &roots, context);
        run.globals = Some(data);
        run.strict = true;
        run.stages(&mut out).map_err(|error| *error)?;
        Ok(out.into_string())
    }
}
