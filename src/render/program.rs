//! A program: a layout, the layouts around it and the partials they call, with one table of names.
//!
//! Partials are compiled once for each layout that uses them, because names become slots of that layout.

use super::code;
use super::context::Tracker;
use super::expr::Names;
use super::needs::{self, Needs};
use super::parse::Parser;
use super::reads::{self, Analysis};
use super::tree::{Block, NameId};
use crate::diagnostic::{FileId, Finding, Findings, Place, did_you_mean};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// The depth of partials calling partials.
const PARTIAL_DEPTH: usize = 16;
/// The longest source of a single layout or partial.
const SOURCE_BYTES: usize = 1 << 20;
/// The longest source of a layout with everything it uses.
const PROGRAM_BYTES: usize = 8 << 20;

/// A body to compile.
#[derive(Debug, Clone)]
pub(super) struct Source<'s> {
    pub(super) text: &'s str,
    pub(super) file: FileId,
    pub(super) range: Range<usize>,
    /// Whether values are escaped for where they stand, if its format has places to tell apart.
    pub(super) escapes: bool,
}

/// What is compiled: see the module's documentation.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) names: Vec<Arc<str>>,
    /// From the innermost layout to the outermost.
    pub(super) stages: Vec<Stage>,
    pub(super) partials: Vec<Block>,
    /// Which root each name reads when no variable has it.
    pub(super) root_of: Vec<Option<u32>>,
    pub(super) analysis: Analysis,
    pub(super) literal_bytes: usize,
    /// The innermost layout's file.
    pub(super) file: FileId,
    /// All files it is made of.
    pub(super) files: Vec<FileId>,
    /// The outputs that end in `| raw`.
    pub(super) raw: Vec<Place>,
    /// Where the filter `absolute_url` stands.
    pub(super) absolute_urls: Vec<Place>,
    /// What it makes a browser load and run.
    pub(super) needs: Needs,
    pub(super) forloop: Option<NameId>,
    pub(super) tablerowloop: Option<NameId>,
    pub(super) content: Option<NameId>,
}

#[derive(Debug)]
pub(super) struct Stage {
    pub(super) body: Block,
    /// Whether what it prints is markup, and escaped as such.
    pub(super) is_markup: bool,
}

/// What all parts of a program share while it is compiled.
pub(super) struct Build<'s> {
    pub(super) findings: Findings,
    pub(super) names: Names,
    pub(super) nesting: usize,
    pub(super) literal_bytes: usize,
    pub(super) raw: Vec<Place>,
    pub(super) absolute_urls: Vec<Place>,
    /// The names that were last set to what is ready for a URL.
    pub(super) encoded: BTreeSet<NameId>,
    /// Partials by their full names.
    known: &'s HashMap<String, Source<'s>>,
    extension: &'s str,
    /// The partials that are called, each once for every kind of place that it is called from.
    called: Vec<(String, Option<Tracker>)>,
    /// Who calls whom: the stage or partial at hand is the caller.
    calls: Vec<(Option<u32>, u32, Place)>,
    caller: Option<u32>,
    series: HashMap<String, u32>,
}

impl Build<'_> {
    /// A number for each distinct text.
    pub(super) fn series(&mut self, text: &str) -> u32 {
        let next = u32::try_from(self.series.len()).unwrap_or(u32::MAX);
        *self.series.entry(text.to_owned()).or_insert(next)
    }

    fn full_name(&self, name: &str) -> String {
        let dot = if self.extension.is_empty() { "" } else { "." };
        format!("partials/{name}{dot}{}", self.extension)
    }

    /// The number of the partial called `name` for calls from a place like `entry`; a finding if there is none.
    pub(super) fn partial(&mut self, name: &str, entry: Option<Tracker>, place: Place) -> Option<u32> {
        let full = self.full_name(name);
        if !self.known.contains_key(&full) {
            let written = |full: &str| {
                let short = full.strip_prefix("partials/").unwrap_or(full);
                let dotted = format!(".{}", self.extension);
                short.strip_suffix(dotted.as_str()).unwrap_or(short).to_owned()
            };
            let names: Vec<String> = self.known.keys().map(|full| written(full)).collect();
            let finding = Finding::new(&code::UNKNOWN_PARTIAL, place, format!("there is no partial `{name}`"))
                .help(format!("it would be `layouts/{full}`"))
                .maybe_help(did_you_mean(name, names.iter().map(String::as_str)));
            self.findings.push(finding);
            return None;
        }
        let alike = |(known, at): &(String, Option<Tracker>)| *known == full && *at == entry;
        let position = self.called.iter().position(alike).unwrap_or_else(|| {
            self.called.push((full, entry));
            self.called.len() - 1
        });
        let id = u32::try_from(position).unwrap_or(u32::MAX);
        self.calls.push((self.caller, id, place));
        Some(id)
    }

    /// Findings for partials that call each other in a circle, or too deep.
    fn check_calls(&mut self) {
        let mut depth = vec![0_usize; self.called.len()];
        for round in 0..=PARTIAL_DEPTH {
            let mut deeper = None;
            for &(caller, called, place) in &self.calls {
                let from = caller.map_or(0, |caller| depth.get(caller as usize).copied().unwrap_or(0));
                if let Some(depth) = depth.get_mut(called as usize)
                    && *depth < from + 1
                {
                    *depth = from + 1;
                    deeper = Some(place);
                }
            }
            match deeper {
                None => return,
                Some(place) if round == PARTIAL_DEPTH => {
                    let message = format!("partials call each other in a circle, or deeper than {PARTIAL_DEPTH}");
                    self.findings.push(Finding::new(&code::PARTIAL_CYCLE, place, message));
                }
                Some(_) => {}
            }
        }
    }
}

/// Compiles `first` and the stages around it with the partials they call. `extension` is that of the layout.
pub(super) fn compile<'s>(
    first: &Source<'s>,
    outer: &[&Source<'s>],
    known: &'s HashMap<String, Source<'s>>,
    extension: &'s str,
    nesting: usize,
    findings: &mut Findings,
) -> Program {
    let mut build = Build {
        findings: Findings::default(),
        names: Names::default(),
        nesting,
        literal_bytes: 0,
        raw: Vec::new(),
        absolute_urls: Vec::new(),
        encoded: BTreeSet::new(),
        known,
        extension,
        called: Vec::new(),
        calls: Vec::new(),
        caller: None,
        series: HashMap::new(),
    };
    let mut total = 0;
    let mut body = |build: &mut Build<'s>, source: &Source<'s>, tracker: Option<Tracker>, is_outer: bool| {
        total += source.range.len();
        if source.range.len() > SOURCE_BYTES || total > PROGRAM_BYTES {
            let place = Place::new(source.file, source.range.start..source.range.start);
            let message =
                format!("a layout is at most {SOURCE_BYTES} bytes long, and {PROGRAM_BYTES} with all it uses");
            build.findings.push(Finding::new(&code::TOO_LARGE, place, message));
            return Block::default();
        }
        Parser::new(build, source.text, source.file, tracker, is_outer).body(source.range.clone())
    };
    let sources = || std::iter::once(first).chain(outer.iter().copied());
    let parsed: Vec<Stage> = sources()
        .enumerate()
        .map(|(number, source)| {
            let tracker = Tracker::of(extension).filter(|_| source.escapes);
            let is_markup = tracker.as_ref().is_some_and(Tracker::is_markup);
            Stage { body: body(&mut build, source, tracker, number > 0), is_markup }
        })
        .collect();
    let mut files: Vec<FileId> = sources().map(|source| source.file).collect();
    let mut partials = Vec::new();
    while let Some((name, entry)) = build.called.get(partials.len()) {
        let (Some(source), entry) = (known.get(name), entry.clone()) else { break };
        build.caller = u32::try_from(partials.len()).ok();
        if !files.contains(&source.file) {
            files.push(source.file);
        }
        partials.push(body(&mut build, source, entry, false));
    }
    build.check_calls();
    let find = |name: &str| build.names.find(name);
    let (forloop, tablerowloop, content) = (find("forloop"), find("tablerowloop"), find("content"));
    let mut program = Program {
        names: build.names.all().to_vec(),
        stages: parsed,
        partials,
        root_of: Vec::new(),
        analysis: Analysis::default(),
        literal_bytes: build.literal_bytes,
        file: first.file,
        files,
        raw: build.raw,
        absolute_urls: build.absolute_urls,
        needs: Needs::default(),
        forloop,
        tablerowloop,
        content,
    };
    findings.append(build.findings);
    program.settle(reads::analyse(&program));
    program.needs = needs::of_program(&program, extension);
    program
}

impl Program {
    /// A program without templates: for a condition.
    pub(super) fn of_names(names: &Names, file: FileId) -> Self {
        Self {
            names: names.all().to_vec(),
            stages: Vec::new(),
            partials: Vec::new(),
            root_of: Vec::new(),
            analysis: Analysis::default(),
            literal_bytes: 0,
            file,
            files: vec![file],
            raw: Vec::new(),
            absolute_urls: Vec::new(),
            needs: Needs::default(),
            forloop: None,
            tablerowloop: None,
            content: None,
        }
    }

    /// Takes what was found out about it, and with that the slots of its roots.
    pub(super) fn settle(&mut self, analysis: Analysis) {
        self.root_of = vec![None; self.names.len()];
        for (slot, name) in analysis.root_names.iter().enumerate() {
            if let Some(root) = self.root_of.get_mut(name.index()) {
                *root = u32::try_from(slot).ok();
            }
        }
        self.analysis = analysis;
    }
}
