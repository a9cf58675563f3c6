//! The layouts of a site: compiled together, rendered one at a time.

use super::assets::AssetUse;
use super::code;
use super::kept::{self, KeptLayouts};
use super::needs::Needs;
use super::program::{self, Manner, Program, Source};
use super::reads::{Analysis, Granularity, Read, Root};
use super::run::Run;
use super::{Buffer, Context, Limits, RenderError};
use crate::diagnostic::{FileId, Files, Finding, Findings, Place, SomeFiles, Spanned, did_you_mean};
use crate::value::Value;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Layouts within layouts.
const LAYOUT_DEPTH: usize = 16;

/// A file below `layouts/`, its front matter already read.
#[derive(Debug, Clone)]
pub struct LayoutSource {
    /// Its path below `layouts/`: `repo.html`, `partials/card.html`.
    pub name: String,
    /// Its text.
    pub file: FileId,
    /// The bytes after the front matter.
    pub body: Range<usize>,
    /// `layout = "base.html"`: the layout that this one's output becomes the `content` of.
    pub outer: Option<Spanned<String>>,
    /// `escape = "none"`: nothing is escaped, whatever the extension.
    pub escape_none: bool,
}

impl LayoutSource {
    fn extension(&self) -> &str {
        extension_of(&self.name)
    }

    fn source<'f>(&self, files: &'f Files) -> Source<'f> {
        let text = files.text(self.file);
        let range = self.body.start.min(text.len())..self.body.end.min(text.len());
        Source { text, file: self.file, range, escapes: !self.escape_none }
    }
}

fn extension_of(name: &str) -> &str {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// All layouts of a site, compiled. Immutable; shared between threads.
#[derive(Debug, Default)]
pub struct Library {
    layouts: BTreeMap<String, Arc<Layout>>,
    unused: Vec<String>,
}

impl Library {
    /// Compiles every layout that was not `kept` from an earlier load; partials are compiled within the layouts that call them.
    pub fn compile(sources: &[LayoutSource], files: &Files, kept: &KeptLayouts, findings: &mut Findings) -> Self {
        let is_partial = |source: &LayoutSource| source.name.starts_with("partials/");
        let by_name: HashMap<&str, &LayoutSource> =
            sources.iter().filter(|source| !is_partial(source)).map(|source| (source.name.as_str(), source)).collect();
        let partials: HashMap<String, Source<'_>> = sources
            .iter()
            .filter(|source| is_partial(source))
            .map(|source| (source.name.clone(), source.source(files)))
            .collect();
        let digests: HashMap<&str, blake3::Hash> = partials
            .iter()
            .map(|(name, source)| (name.as_str(), kept::digest(name, std::iter::once(source))))
            .collect();
        let by_file: HashMap<FileId, &str> =
            partials.iter().map(|(name, source)| (source.file, name.as_str())).collect();
        let mut layouts = BTreeMap::new();
        let mut used: Vec<FileId> = Vec::new();
        for layout in sources.iter().filter(|source| !is_partial(source)) {
            let outer: Vec<Source<'_>> =
                outer_chain(layout, &by_name, findings).into_iter().map(|outer| outer.source(files)).collect();
            let outer: Vec<&Source<'_>> = outer.iter().collect();
            let first = layout.source(files);
            let digest = kept::digest(&layout.name, std::iter::once(&first).chain(outer.iter().copied()));
            let compiled = kept.find(&digest, &digests).unwrap_or_else(|| {
                let nesting = Limits::default().nesting;
                let mut found = Findings::default();
                let program =
                    program::compile(&first, &outer, &partials, layout.extension(), nesting, Manner::Site, &mut found);
                found.append(program.analysis.refused_lookups());
                let called = program.files.iter().filter_map(|file| by_file.get(file));
                let called = called.filter_map(|&name| Some((name.to_owned(), *digests.get(name)?)));
                let called = found.is_empty().then(|| called.collect());
                let compiled = Arc::new(Layout::new(&layout.name, program, files));
                kept.compiled(digest, &compiled, called);
                findings.append(found);
                compiled
            });
            used.extend(&compiled.program.files);
            layouts.insert(layout.name.clone(), compiled);
        }
        let unused: Vec<&LayoutSource> =
            sources.iter().filter(|source| is_partial(source) && !used.contains(&source.file)).collect();
        for partial in &unused {
            // Nobody calls it, but what is wrong in it is worth knowing.
            let first = partial.source(files);
            let nesting = Limits::default().nesting;
            program::compile(&first, &[], &partials, partial.extension(), nesting, Manner::Site, findings);
        }
        Self { layouts, unused: unused.into_iter().map(|partial| partial.name.clone()).collect() }
    }

    /// The layout of this name; partials are none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Layout>> {
        self.layouts.get(name)
    }

    /// The names of all layouts, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.layouts.keys().map(String::as_str)
    }

    /// The partials that no layout calls.
    pub fn unused_partials(&self) -> impl Iterator<Item = &str> {
        self.unused.iter().map(String::as_str)
    }
}

/// The layouts around `layout`, the nearest first.
fn outer_chain<'s>(
    layout: &'s LayoutSource,
    by_name: &HashMap<&str, &'s LayoutSource>,
    findings: &mut Findings,
) -> Vec<&'s LayoutSource> {
    let mut chain: Vec<&LayoutSource> = Vec::new();
    let mut at = layout;
    while let Some(outer) = &at.outer {
        let Some(&next) = by_name.get(outer.value.as_str()) else {
            let message = format!("there is no layout `{}`", outer.value);
            let help = did_you_mean(&outer.value, by_name.keys().copied());
            findings.push(Finding::new(&code::UNKNOWN_LAYOUT, outer.place, message).maybe_help(help));
            break;
        };
        if next.name == layout.name || chain.iter().any(|known| known.name == next.name) || chain.len() >= LAYOUT_DEPTH
        {
            let message = format!("the layout `{}` is nested in itself, or deeper than {LAYOUT_DEPTH}", next.name);
            // A circle is told once: by the first of its members, not by each, nor by those that lead into it.
            let is_first = next.name == layout.name && chain.iter().all(|member| layout.name < member.name);
            if is_first || chain.len() >= LAYOUT_DEPTH {
                findings.push(Finding::new(&code::LAYOUT_CYCLE, outer.place, message));
            }
            break;
        }
        chain.push(next);
        at = next;
    }
    chain
}

/// A layout with the layouts around it and its partials.
#[derive(Debug)]
pub struct Layout {
    name: Arc<str>,
    program: Program,
    /// The texts that it is made of.
    sources: SomeFiles,
    /// Bytes of the last page.
    last: AtomicUsize,
}

impl Layout {
    fn new(name: &str, program: Program, files: &Files) -> Self {
        let last = AtomicUsize::new(program.literal_bytes * 2);
        let sources = files.some(program.files.iter().copied());
        Self { name: name.into(), program, sources, last }
    }

    /// Its path below `layouts/`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What follows the last dot of its name, which says its media type.
    #[must_use]
    pub fn extension(&self) -> &str {
        extension_of(&self.name)
    }

    /// The first words that are read from the data, in the order in which [`Layout::render`] takes their values. `content` is
    /// among them if the innermost layout prints it.
    #[must_use]
    pub fn roots(&self) -> &[Root] {
        &self.program.analysis.roots
    }

    /// Every path that may be read.
    #[must_use]
    pub fn reads(&self) -> &[Read] {
        &self.program.analysis.reads
    }

    /// Whether, and how exactly, the present time is printed.
    #[must_use]
    pub fn uses_now(&self) -> Option<Granularity> {
        self.program.analysis.now
    }

    /// What `| raw` keeps from being escaped: the output or tag, and the [roots](Layout::roots) that it may be made of.
    pub fn raw_outputs(&self) -> impl Iterator<Item = (Place, impl Iterator<Item = &Root>)> {
        let Analysis { raw, roots, .. } = &self.program.analysis;
        let escaped = raw.iter().filter(|(place, _)| self.program.raw.contains(place));
        escaped.map(|(place, of)| (*place, of.iter().filter_map(|root| roots.get(*root))))
    }

    /// What is printed into the address of a script: the output, and the [roots](Layout::roots) that it may be made of.
    pub fn script_addresses(&self) -> impl Iterator<Item = (Place, impl Iterator<Item = &Root>)> {
        let Analysis { raw, roots, .. } = &self.program.analysis;
        let named = raw.iter().filter(|(place, _)| self.program.scripts.contains(place));
        named.map(|(place, of)| (*place, of.iter().filter_map(|root| roots.get(*root))))
    }

    /// Whether its author has switched escaping off, in it and in the layouts around it.
    #[must_use]
    pub fn is_unescaped(&self) -> bool {
        self.program.unescaped.len() == self.program.stages.len()
    }

    /// The files in which escaping is switched off: its own, and those of layouts around it.
    #[must_use]
    pub fn unescaped_files(&self) -> &[FileId] {
        &self.program.unescaped
    }

    /// Where it asks for absolute URLs, which begin with [`Site::url`](super::Site::url).
    #[must_use]
    pub fn absolute_urls(&self) -> &[Place] {
        &self.program.absolute_urls
    }

    /// The published files whose URLs it asks for by `asset_url`.
    #[must_use]
    pub fn assets(&self) -> &[AssetUse] {
        &self.program.assets
    }

    /// What its pages make a browser load and run.
    #[must_use]
    pub fn needs(&self) -> &Needs {
        &self.program.needs
    }

    /// The files it is made of: its own, those around it, its partials.
    #[must_use]
    pub fn files(&self) -> &[FileId] {
        &self.program.files
    }

    /// Bytes of room that the next page probably needs: a little more than the last one did.
    #[must_use]
    pub fn expected_bytes(&self) -> usize {
        let last = self.last.load(Ordering::Relaxed);
        last.saturating_add(last / 16)
    }

    /// A place in it or in its partials, as `layouts/page.html:3:14`.
    #[must_use]
    pub fn locate(&self, place: Place) -> String {
        self.sources.locate(place).unwrap_or_else(|| format!("layouts/{}", self.name))
    }

    /// Appends the page to `out`. `roots` are the values of [`Layout::roots`], in that order; a missing one is `null`.
    ///
    /// After an error `out` holds part of a page.
    pub fn render(&self, roots: &[&Value], context: &Context<'_>, out: &mut Buffer) -> Result<(), RenderError> {
        let before = out.len();
        Run::new(&self.program, roots, context).stages(out).map_err(|error| *error)?;
        let written = out.len() - before;
        // Looked at before it is written: renders on other threads read it, too.
        if self.last.load(Ordering::Relaxed) != written {
            self.last.store(written, Ordering::Relaxed);
        }
        Ok(())
    }
}
