//! A program: a layout, the layouts around it and the partials they call, with one table of names.
//!
//! Partials are compiled once for each layout that uses them, because names become slots of that layout.

use super::assets::AssetUse;
use super::code;
use super::context::Tracker;
use super::expr::Names;
use super::fixed::Fixed;
use super::needs::{self, Needs};
use super::parse::Parser;
use super::reads::{self, Analysis};
use super::tree::{Block, NameId, Node, Refused};
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

/// What a template is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// For a site: what Liquid would pass over in silence is a finding, and all it reads is known before it is rendered.
    Site,
    /// To be tried on its own: only what Liquid itself refuses is refused, and not before Liquid would look at it.
    Trial,
}

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
    pub(super) partials: Vec<Partial>,
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
    /// The outputs that are parts of the addresses of scripts.
    pub(super) scripts: Vec<Place>,
    /// The files of layouts that escape nothing.
    pub(super) unescaped: Vec<FileId>,
    /// Where the filter `absolute_url` stands.
    pub(super) absolute_urls: Vec<Place>,
    /// The published files whose URLs it asks for.
    pub(super) assets: Vec<AssetUse>,
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

#[derive(Debug)]
pub(super) struct Partial {
    /// As `{% include %}` says it.
    pub(super) name: Box<str>,
    pub(super) file: FileId,
    pub(super) body: Block,
}

/// What all parts of a program share while it is compiled.
pub(super) struct Build<'s> {
    pub(super) manner: Manner,
    pub(super) findings: Findings,
    pub(super) names: Names,
    pub(super) nesting: usize,
    pub(super) literal_bytes: usize,
    pub(super) raw: Vec<Place>,
    pub(super) scripts: Vec<Place>,
    pub(super) absolute_urls: Vec<Place>,
    pub(super) assets: Vec<AssetUse>,
    /// The names that were last set to what is ready for a URL.
    pub(super) encoded: BTreeSet<NameId>,
    /// The fixed values that stand where only such ones may.
    pub(super) fixed: Vec<Fixed>,
    /// Partials by their full names.
    known: &'s HashMap<String, Source<'s>>,
    extension: &'s str,
    /// The partials that are called, each once for every kind of place that it is called from.
    called: Vec<Called>,
    /// Who calls whom: the stage or partial at hand is the caller.
    calls: Vec<(Option<u32>, u32, Place)>,
    caller: Option<u32>,
    series: HashMap<String, u32>,
}

/// A partial as it is called from some places.
#[derive(Debug, PartialEq, Eq)]
struct Called {
    /// Its full name.
    name: String,
    entry: Option<Tracker>,
    /// The names that hold what is ready for a URL.
    encoded: BTreeSet<NameId>,
}

impl Build<'_> {
    /// A number for each distinct text.
    pub(super) fn series(&mut self, text: &str) -> u32 {
        let next = u32::try_from(self.series.len()).unwrap_or(u32::MAX);
        *self.series.entry(text.to_owned()).or_insert(next)
    }

    /// A number that no other text has.
    pub(super) fn own_series(&mut self) -> u32 {
        // Text of a template holds no such character at its beginning, where its names stand.
        let own = format!("\0{}", self.series.len());
        self.series(&own)
    }

    /// Whether what is compiled makes markup.
    pub(super) fn makes_markup(&self) -> bool {
        matches!(self.extension, "html" | "xml")
    }

    /// Whether there is a partial of this name.
    pub(super) fn has_partial(&self, name: &str) -> bool {
        self.known.contains_key(&self.full_name(name))
    }

    /// Whether a partial may leave a loop of its caller, itself or by what it includes: whether the words for it are in its text.
    pub(super) fn may_leave(&self, name: &str) -> bool {
        let says = |text: &str, words: &[&str]| words.iter().any(|word| text.contains(word));
        let leaves = |source: &Source<'_>| says(source.text, &["break", "continue"]);
        let Some(source) = self.known.get(&self.full_name(name)) else { return false };
        leaves(source) || (says(source.text, &["include"]) && self.known.values().any(leaves))
    }

    fn full_name(&self, name: &str) -> String {
        let dot = if self.extension.is_empty() { "" } else { "." };
        format!("partials/{name}{dot}{}", self.extension)
    }

    /// What `{% include %}` says for the partial of this full name.
    fn short_name<'f>(&self, full: &'f str) -> &'f str {
        let short = full.strip_prefix("partials/").unwrap_or(full);
        let bare = short.strip_suffix(self.extension).and_then(|short| short.strip_suffix('.'));
        bare.filter(|_| !self.extension.is_empty()).unwrap_or(short)
    }

    /// The number of the partial called `name` for calls from a place like `entry`; a finding if there is none.
    pub(super) fn partial(
        &mut self,
        name: &str,
        entry: Option<Tracker>,
        encoded: BTreeSet<NameId>,
        place: Place,
    ) -> Option<u32> {
        let full = self.full_name(name);
        if !self.known.contains_key(&full) {
            let names = self.known.keys().map(|full| self.short_name(full));
            let finding = Finding::new(&code::UNKNOWN_PARTIAL, place, no_partial(name))
                .help(format!("it would be `layouts/{full}`"))
                .maybe_help(did_you_mean(name, names));
            self.findings.push(finding);
            return None;
        }
        let called = Called { name: full, entry, encoded };
        let position = self.called.iter().position(|known| *known == called).unwrap_or_else(|| {
            self.called.push(called);
            self.called.len() - 1
        });
        let id = u32::try_from(position).unwrap_or(u32::MAX);
        self.calls.push((self.caller, id, place));
        Some(id)
    }

    /// Any partial may be called from a place like `entry`: at `place` its name is computed. The numbers of them all.
    pub(super) fn any_partial(&mut self, entry: Option<&Tracker>, place: Place) -> Box<[u32]> {
        let mut names: Vec<String> = self.known.keys().map(|full| self.short_name(full).to_owned()).collect();
        names.sort_unstable();
        names.iter().filter_map(|name| self.partial(name, entry.cloned(), BTreeSet::new(), place)).collect()
    }

    /// A partial that was read just now, with what was found out about it. One that cannot be read is no concern of a template
    /// that is tried, unless it is called.
    fn judged(&mut self, body: Block, found: Findings) -> Block {
        if self.manner == Manner::Trial
            && let Some(first) = found.iter().find(|finding| finding.place.is_some())
            && let Some(place) = first.place
        {
            let refused = Refused { complaint: first.message.as_str().into(), place };
            return Block { nodes: vec![Node::Refused(Box::new(refused))], blank: false };
        }
        self.findings.append(found);
        body
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

/// What is said of a partial that does not exist.
pub(super) fn no_partial(name: &str) -> String {
    format!("there is no partial `{name}`")
}

/// Compiles `first` and the stages around it with the partials they call. `extension` is that of the layout.
pub(super) fn compile<'s>(
    first: &Source<'s>,
    outer: &[&Source<'s>],
    known: &'s HashMap<String, Source<'s>>,
    extension: &'s str,
    nesting: usize,
    manner: Manner,
    findings: &mut Findings,
) -> Program {
    let mut build = Build {
        manner,
        findings: Findings::default(),
        names: Names::default(),
        nesting,
        literal_bytes: 0,
        raw: Vec::new(),
        scripts: Vec::new(),
        absolute_urls: Vec::new(),
        assets: Vec::new(),
        encoded: BTreeSet::new(),
        fixed: Vec::new(),
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
    while let Some(Called { name, entry, encoded }) = build.called.get(partials.len()) {
        let (Some(source), entry) = (known.get(name), entry.clone()) else { break };
        build.encoded.clone_from(encoded);
        build.caller = u32::try_from(partials.len()).ok();
        if !files.contains(&source.file) {
            files.push(source.file);
        }
        let earlier = std::mem::take(&mut build.findings);
        let parsed = body(&mut build, source, entry, false);
        let found = std::mem::replace(&mut build.findings, earlier);
        partials.push((source.file, build.judged(parsed, found)));
    }
    if manner == Manner::Site {
        build.check_calls();
    }
    let blocks = || parsed.iter().map(|stage| &stage.body).chain(partials.iter().map(|(_, body)| body));
    let renamed = build.fixed.iter().filter_map(|fixed| fixed.check(&build.names, blocks()));
    build.findings.extend(renamed);
    let named = build.called.iter().map(|called| build.short_name(&called.name).into());
    let partials = named.zip(partials).map(|(name, (file, body))| Partial { name, file, body }).collect();
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
        scripts: build.scripts,
        unescaped: sources().filter(|source| !source.escapes).map(|source| source.file).collect(),
        absolute_urls: build.absolute_urls,
        assets: build.assets,
        needs: Needs::default(),
        forloop,
        tablerowloop,
        content,
    };
    findings.append(build.findings);
    program.settle(match manner {
        Manner::Site => reads::analyse(&program),
        // Nothing is declared that it could read too much of.
        Manner::Trial => Analysis::of_everything(&program),
    });
    if manner == Manner::Site {
        program.needs = needs::of_program(&program, extension);
    }
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
            scripts: Vec::new(),
            unescaped: Vec::new(),
            absolute_urls: Vec::new(),
            assets: Vec::new(),
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
