//! Markdown to HTML: `CommonMark` 0.31.2, GitHub's extensions, and what documentation needs (ids, a table of contents, notes).
//!
//! The grammar is `pulldown-cmark`'s; writing is ours, because ids, notes, alerts and alignment must come out so that a strict
//! content security policy passes and nothing collides. Each extension has its switch; without any, the output is the
//! specification's, byte for byte.

mod anchor;
mod autolink;
mod escape;
mod id;
mod line;
mod mask;
mod nesting;
mod normal;
mod note;
mod write;

pub use anchor::anchors;

use super::sanitise::sanitise;
use crate::highlight::MOST_SPANS;
use pulldown_cmark::Options as Grammar;
use std::ops::Range;

/// The longest text that is rendered, in bytes.
pub const LONGEST_MARKDOWN: usize = 8 << 20;

/// The longest HTML that comes of it, in bytes: notes, references and the cells that a short table row lacks multiply.
pub const LONGEST_OUTPUT: usize = 32 << 20;

/// Which extensions are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own, and any combination is meant")]
pub struct Options {
    /// Tables (GFM), aligned by `align`, which needs no inline style.
    pub tables: bool,
    /// `~~struck~~` (GFM).
    pub strikethrough: bool,
    /// Bare URLs and mail addresses become links (GFM).
    pub autolinks: bool,
    /// Nine raw elements are shown and not obeyed (GFM's "disallowed raw HTML").
    pub tag_filter: bool,
    /// `- [x]` (GFM).
    pub task_lists: bool,
    /// `[^1]`, collected at the end, with ways back.
    pub footnotes: bool,
    /// A term, then `: its definition`.
    pub definition_lists: bool,
    /// `> [!NOTE]` and its four companions.
    pub alerts: bool,
    /// `# Title {#id .class}`.
    pub heading_attributes: bool,
    /// Every heading has an id, made from its text unless it is written.
    pub heading_ids: bool,
    /// A fence's language ends at a comma or brace, too: ```` ```rust,ignore ````.
    pub fence_attributes: bool,
    /// How many tokens of the code behind fences are marked for colours, in the languages that [`highlight`](crate::highlight) knows.
    pub colours: usize,
    /// What the specifications leave out for those who do not see the page, or have no pointer: the box of a task has a name, and code,
    /// which may be wider than its place, is reached by the keyboard, which then scrolls it.
    pub accessible: bool,
    /// The output is sanitised, raw HTML and links included.
    pub sanitise: bool,
    /// What ids that we make begin with.
    pub id_prefix: &'static str,
}

impl Options {
    /// `CommonMark` and nothing else. Raw HTML stays as it is.
    #[must_use]
    pub fn common_mark() -> Self {
        Self {
            tables: false,
            strikethrough: false,
            autolinks: false,
            tag_filter: false,
            task_lists: false,
            footnotes: false,
            definition_lists: false,
            alerts: false,
            heading_attributes: false,
            heading_ids: false,
            fence_attributes: false,
            colours: 0,
            accessible: false,
            sanitise: false,
            id_prefix: "",
        }
    }

    /// For the files of a site: every extension, and raw HTML as its author wrote it.
    #[must_use]
    pub fn document() -> Self {
        Self {
            tables: true,
            strikethrough: true,
            autolinks: true,
            task_lists: true,
            footnotes: true,
            definition_lists: true,
            alerts: true,
            heading_attributes: true,
            heading_ids: true,
            fence_attributes: true,
            colours: usize::MAX,
            accessible: true,
            ..Self::common_mark()
        }
    }

    /// For Markdown from outside: what GitHub offers, sanitised, with ids that cannot take the place of the page's.
    #[must_use]
    pub fn untrusted() -> Self {
        Self {
            definition_lists: false,
            heading_attributes: false,
            heading_ids: false,
            colours: MOST_SPANS,
            sanitise: true,
            id_prefix: super::sanitise::FOREIGN_ID,
            ..Self::document()
        }
    }

    fn grammar(self) -> Grammar {
        let mut grammar = Grammar::empty();
        grammar.set(Grammar::ENABLE_TABLES, self.tables);
        grammar.set(Grammar::ENABLE_STRIKETHROUGH, self.strikethrough);
        grammar.set(Grammar::ENABLE_TASKLISTS, self.task_lists);
        grammar.set(Grammar::ENABLE_FOOTNOTES, self.footnotes);
        grammar.set(Grammar::ENABLE_DEFINITION_LIST, self.definition_lists);
        grammar.set(Grammar::ENABLE_GFM, self.alerts);
        grammar.set(Grammar::ENABLE_HEADING_ATTRIBUTES, self.heading_attributes);
        grammar
    }
}

/// A rendered text, and what was learned from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The HTML.
    pub html: String,
    /// The headings, in their order: the table of contents.
    pub toc: Vec<Heading>,
    /// The text of the first heading of level 1.
    pub title: Option<String>,
    /// The text of the first paragraph that stands in nothing else.
    pub description: Option<String>,
    /// Links and images, as they were written.
    pub links: Vec<Link>,
}

/// A heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// From 1 to 6.
    pub level: u8,
    /// Its id; empty if headings have none.
    pub id: String,
    /// Its text, without markup.
    pub title: String,
}

/// A link or an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it leads, as it was written.
    pub destination: String,
    /// Whether it is an image.
    pub image: bool,
    /// The bytes of the whole link in the Markdown text.
    pub range: Range<usize>,
}

/// Decides where a link leads: another destination, or `None` for the one that was written. Bare URLs are not asked about.
pub type Resolve<'r> = &'r dyn Fn(&Link) -> Option<String>;

/// Why a text is not rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MarkdownError {
    /// Longer than [`LONGEST_MARKDOWN`].
    #[error("the text is longer than {LONGEST_MARKDOWN} bytes")]
    TooLong,
    /// More than [`LONGEST_OUTPUT`] would come of it.
    #[error("more than {LONGEST_OUTPUT} bytes of HTML would come of the text")]
    TooLongOutput,
    /// Quotes, lists or emphasis within each other, beyond anything a reader could see.
    #[error("quotes, lists or emphasis nest deeper than {} levels", write::DEEPEST)]
    TooDeep,
    /// Many lines within many quotes or lists: reading each would walk through all of these.
    #[error("quotes and lists nest too deep for a text of so many lines")]
    TooDeepForLength,
    /// What is to be sanitised is longer than [`LONGEST_HTML`](super::LONGEST_HTML).
    #[error("the HTML is too long to be sanitised")]
    TooLongToSanitise,
}

/// Safe HTML of `text` from anywhere; nothing if it is too long or too deep.
#[must_use]
pub fn untrusted(text: &str) -> Option<String> {
    render(text, &Options::untrusted(), None).ok().map(|rendered| rendered.html)
}

/// Renders `text`.
pub fn render(text: &str, options: &Options, resolve: Option<Resolve<'_>>) -> Result<Rendered, MarkdownError> {
    if text.len() > LONGEST_MARKDOWN {
        return Err(MarkdownError::TooLong);
    }
    let text = normal::Normal::of(text);
    if nesting::is_too_much(&text.text) {
        return Err(MarkdownError::TooDeepForLength);
    }
    let mask = mask::Mask::of(&text.text, *options);
    let mut rendered = write::write(&text, mask.as_ref(), *options, resolve)?;
    if options.sanitise {
        rendered.html = sanitise(&rendered.html).ok_or(MarkdownError::TooLongToSanitise)?;
    }
    Ok(rendered)
}

#[cfg(test)]
mod tests;
