//! What a page makes a browser load and run: the addresses in its markup, its inline scripts and styles, and what no policy could let run
//! without letting anything run.
//!
//! It is found out of the literal parts of a layout, of its partials and of the layouts around it, on all ways through branches, and out
//! of HTML that is finished. The markup is followed by the tracker that escaping relies on; nothing here knows how values are escaped, nor
//! of policies: that a page may load what it needs is said above.
//!
//! `collect` takes down what the tracker comes by, `element` says what an element loads, `style` what a style sheet does, `address` from where;
//! `reference` reads what is written as references, and `walk` goes through a template.

mod address;
mod collect;
mod element;
mod reference;
mod style;
#[cfg(test)]
mod tests;
mod walk;

pub use address::Origin;

use crate::diagnostic::FileId;
use crate::fields;
use std::collections::BTreeSet;
use std::ops::Range;

pub(super) use walk::of_program;

/// So many obstacles are told of one page.
const MOST_OBSTACLES: usize = 256;

/// What something is loaded for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Use {
    /// A base that relative addresses are resolved against.
    Base,
    /// What scripts and links fetch.
    Connection,
    /// A font.
    Font,
    /// Where a form sends its fields.
    Form,
    /// A page within the page.
    Frame,
    /// An image.
    Image,
    /// A manifest of an application.
    Manifest,
    /// Sound, film and their subtitles.
    Media,
    /// What `<object>` and `<embed>` show.
    Object,
    /// A script.
    Script,
    /// A style sheet.
    Style,
}

/// What a page needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// Addresses, in which a character of [`holes`] stands for what is printed.
    addresses: BTreeSet<(Use, String)>,
    scripts: BTreeSet<String>,
    styles: BTreeSet<String>,
    has_styles: bool,
    has_scripts: bool,
    of_requests: Markup,
    paths: Vec<Box<[String]>>,
    printed_raw: BTreeSet<usize>,
    obstacles: Vec<Obstacle>,
    /// Whether a filter changes the text of the document that the layout shows.
    changes_content: bool,
    /// The inline code whose digests are among these.
    inlines: Vec<Inline>,
}

/// An inline script or style, as the obstacle that it would be if it were not the same each time, and where it begins.
type Inline = (ObstacleKind, collect::Spot);

/// Which markup is printed that comes with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Markup {
    #[default]
    None,
    /// It was cleaned.
    Cleaned,
    /// It is as it came.
    Raw,
}

/// What would only run if everything inline could.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// What it is.
    pub kind: ObstacleKind,
    /// The file that it stands in; none if it stands in finished HTML.
    pub file: Option<FileId>,
    /// Where, in bytes.
    pub range: Range<usize>,
}

/// What would only run if everything inline could.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObstacleKind {
    /// A `<script>` whose text is not the same each time.
    Script,
    /// A `<style>` whose text is not the same each time.
    Style,
    /// An `on…` attribute.
    Handler,
    /// A `style` attribute.
    StyleAttribute,
    /// A `javascript:` URL, or a `data:` URL of a script.
    ScriptUrl,
}

impl ObstacleKind {
    /// Whether it is a script, and not a style.
    #[must_use]
    pub fn is_script(self) -> bool {
        matches!(self, Self::Script | Self::Handler | Self::ScriptUrl)
    }
}

/// Characters for private use that stand for what is printed.
mod holes {
    /// Any value.
    pub(super) const VALUE: char = '\u{f0000}';
    /// A URL that begins with that of the site.
    pub(super) const SITE: char = '\u{f0001}';
    /// The first of the values that are known once it is known which route shows the layout.
    const FIRST_PATH: u32 = 0xf_0100;
    const MOST_PATHS: usize = 4096;

    /// What stands for the value of a path.
    pub(super) fn of_path(index: usize) -> char {
        let number = u32::try_from(index).ok().filter(|_| index < MOST_PATHS);
        number.and_then(|number| char::from_u32(FIRST_PATH + number)).unwrap_or(VALUE)
    }

    /// The path whose value a character stands for.
    pub(super) fn path(character: char) -> Option<usize> {
        let index = u32::from(character).checked_sub(FIRST_PATH)? as usize;
        (index < MOST_PATHS).then_some(index)
    }

    /// Whether a character stands for what is printed.
    pub(super) fn is_hole(character: char) -> bool {
        matches!(character, VALUE | SITE) || path(character).is_some()
    }
}

impl Needs {
    /// What finished HTML needs.
    #[must_use]
    pub fn of_html(html: &str) -> Self {
        let mut needs = Self::default();
        needs.follow(&mut vec![collect::State::html()], html, None, 0);
        needs
    }

    /// What finished XML needs.
    #[must_use]
    pub fn of_xml(xml: &str) -> Self {
        let mut needs = Self::default();
        needs.follow(&mut vec![collect::State::xml()], xml, None, 0);
        if !is_shown(xml) {
            needs.obstacles.clear();
        }
        needs
    }

    /// What is granted to HTML that nobody has looked at: scripts of its own origin.
    #[must_use]
    pub fn of_unknown() -> Self {
        Self { has_scripts: true, ..Self::default() }
    }

    /// Whether it is nothing that the strictest policy would not allow.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// What is loaded, and from where. `known` gives the values of paths such as `vars.cdn` that are the same for every request.
    pub fn origins(&self, known: &dyn Fn(&[String]) -> Option<String>) -> BTreeSet<(Use, Origin)> {
        let mut origins = BTreeSet::new();
        for (of, address) in &self.addresses {
            let filled = self.filled(address, known);
            origins.extend(address::origins(&filled, *of).into_iter().map(|origin| (*of, origin)));
        }
        origins
    }

    fn filled(&self, address: &str, known: &dyn Fn(&[String]) -> Option<String>) -> String {
        let mut filled = String::with_capacity(address.len());
        for character in address.chars() {
            match holes::path(character).and_then(|index| self.paths.get(index)) {
                Some(path) => match known(path) {
                    Some(value) => filled.push_str(&value),
                    None => filled.push(holes::VALUE),
                },
                None => filled.push(character),
            }
        }
        filled
    }

    /// The digests of inline scripts, as a policy lists them.
    pub fn scripts(&self) -> impl Iterator<Item = &str> {
        self.scripts.iter().map(String::as_str)
    }

    /// The digests of inline styles.
    pub fn styles(&self) -> impl Iterator<Item = &str> {
        self.styles.iter().map(String::as_str)
    }

    /// Whether there is any style sheet, inline or not.
    #[must_use]
    pub fn has_styles(&self) -> bool {
        self.has_styles
    }

    /// Whether there is any script, inline or not: it may load others of its own origin.
    #[must_use]
    pub fn has_scripts(&self) -> bool {
        self.has_scripts || self.of_requests == Markup::Raw
    }

    /// Whether markup is printed that comes with a request. What was cleaned has images, and nothing else that is loaded.
    #[must_use]
    pub fn has_markup_of_requests(&self) -> bool {
        self.of_requests != Markup::None
    }

    /// The paths whose values are printed as the markup that they are.
    pub fn printed_raw(&self) -> impl Iterator<Item = &[String]> {
        self.printed_raw.iter().filter_map(|&index| self.paths.get(index)).map(|path| &**path)
    }

    /// What would only run if everything inline could, in the order of the text.
    #[must_use]
    pub fn obstacles(&self) -> &[Obstacle] {
        &self.obstacles
    }

    /// Whether a filter changes the text of the document that the layout shows, so that its inline code is not what it was.
    #[must_use]
    pub fn changes_content(&self) -> bool {
        self.changes_content
    }

    /// The inline code whose digests are known, as the obstacles that it is where its text is changed.
    pub fn inlines(&self) -> impl Iterator<Item = Obstacle> {
        let obstacle = |(kind, spot): &Inline| Obstacle { kind: *kind, file: spot.file, range: spot.range.clone() };
        self.inlines.iter().map(obstacle)
    }

    fn path(&mut self, path: Box<[String]>) -> usize {
        self.paths.iter().position(|known| *known == path).unwrap_or_else(|| {
            self.paths.push(path);
            self.paths.len() - 1
        })
    }

    fn load(&mut self, of: Use, address: &str) {
        // Nothing behind the host matters.
        let end = address.char_indices().map(|(at, _)| at).nth(256).unwrap_or(address.len());
        self.addresses.insert((of, address.get(..end).unwrap_or_default().to_owned()));
    }

    fn inline_at(&mut self, inline: &Inline) {
        if self.inlines.len() < MOST_OBSTACLES && !self.inlines.contains(inline) {
            self.inlines.push(inline.clone());
        }
    }

    fn hold_up(&mut self, kind: ObstacleKind, spot: &collect::Spot) {
        let obstacle = Obstacle { kind, file: spot.file, range: spot.range.clone() };
        // Whoever has so many has been told.
        if self.obstacles.len() < MOST_OBSTACLES && !self.obstacles.contains(&obstacle) {
            self.obstacles.push(obstacle);
        }
    }
}

/// Whether XML may hold elements that browsers know: those of HTML and of SVG, by their names' namespaces. Without these, attributes that
/// are called `style` or `onload` are of another vocabulary.
fn is_shown(xml: &str) -> bool {
    xml.contains("www.w3.org/1999/xhtml") || xml.contains("www.w3.org/2000/svg")
}

/// The digest of an inline text as browsers take it, after they have read its line ends (WHATWG HTML, section 13.2.3.5).
fn digest(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "\u{fffd}");
    fields::digest_source(&text)
}
