//! A template on its own, with partials and data given as they are: for trying Liquid out, and for its public suites.
//!
//! Nothing is escaped, and what a layout would pass over in silence is an error here, because its author is looking.

use super::program::{self, Program, Source};
use super::run::Run;
use super::{Context, Limits, RenderError};
use crate::diagnostic::{Files, Findings};
use crate::value::Value;
use std::collections::HashMap;

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
    /// The template and its partials.
    pub files: Files,
}

impl Fragment {
    /// Compiles `text`. `partials` are names, as `{% render %}` says them, and their texts.
    pub fn parse(text: &str, partials: &[(&str, &str)]) -> Result<Self, Box<FragmentError>> {
        let mut files = Files::default();
        let main = files.add("template", text);
        let ids: Vec<_> = partials.iter().map(|(name, text)| files.add(*name, *text)).collect();
        let mut findings = Findings::default();
        let program = {
            let source = |file| {
                let text = files.text(file);
                Source { text, file, range: 0..text.len(), escapes: false }
            };
            let known: HashMap<String, Source<'_>> =
                partials.iter().zip(ids).map(|((name, _), file)| (format!("partials/{name}"), source(file))).collect();
            program::compile(&source(main), &[], &known, "", Limits::default().nesting, &mut findings)
        };
        if findings.has_errors() {
            findings.sort();
            return Err(Box::new(FragmentError { findings, files }));
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
        let mut out = String::with_capacity(self.program.literal_bytes);
        let mut run = Run::new(&self.program, &roots, context);
        run.globals = Some(data);
        run.strict = true;
        run.stages(&mut out)?;
        Ok(out)
    }
}
