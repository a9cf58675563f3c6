//! The events of a text to HTML, one after another, without recursion.

use super::id::Ids;
use super::mask::Mask;
use super::normal::Normal;
use super::note::Notes;
use super::{Heading, LONGEST_OUTPUT, Link, MarkdownError, Options, Rendered, Resolve, autolink, escape, line};
use crate::highlight::{self, Budget, Language};
use pulldown_cmark::{
    Alignment, BlockQuoteKind, CodeBlockKind, CowStr, Event, HeadingLevel, LinkType, Parser, Tag, TagEnd,
};
use std::fmt::Write as _;
use std::ops::Range;

/// How deep quotes, lists and emphasis may nest: what browsers lay out without trouble.
pub(super) const DEEPEST: usize = 256;

/// Elements that GFM shows and does not obey (section 6.11).
const FILTERED: &[&str] =
    &["title", "textarea", "style", "xmp", "iframe", "noembed", "noframes", "script", "plaintext"];

/// Writes `normal`, as it is read with `mask` on.
///
/// Where that makes something else than text of what it covers, which only a text that is out to do so can bring about, it is taken off.
pub(super) fn write(
    normal: &Normal,
    mask: Option<&Mask>,
    options: Options,
    resolve: Option<Resolve<'_>>,
) -> Result<Rendered, MarkdownError> {
    let Some(mask) = mask else {
        return write_events(normal, events(&normal.text, options), options, resolve);
    };
    let mut uncovered = 0;
    let events = events(&mask.text, options).map(|(event, range)| {
        let covered = if matches!(event, Event::Text(_)) { mask.within(&range) } else { 0 };
        uncovered += covered;
        match normal.text.get(range.clone()).filter(|_| covered > 0) {
            Some(written) => (Event::Text(CowStr::Borrowed(written)), range),
            None => (event, range),
        }
    });
    let rendered = write_events(normal, events, options, resolve)?;
    if uncovered == mask.len() {
        return Ok(rendered);
    }
    write(normal, None, options, resolve)
}

/// What the grammar reads in `text`.
fn events(text: &str, options: Options) -> impl Iterator<Item = (Event<'_>, Range<usize>)> {
    Parser::new_ext(text, options.grammar()).into_offset_iter()
}

/// Writes `events`, which were read from `normal`.
fn write_events<'t>(
    normal: &'t Normal,
    events: impl Iterator<Item = (Event<'t>, Range<usize>)>,
    options: Options,
    resolve: Option<Resolve<'_>>,
) -> Result<Rendered, MarkdownError> {
    let source = normal.text.as_str();
    let mut writer = Writer {
        source,
        normal,
        quotes: 0,
        options,
        resolve,
        rendered: Rendered::default(),
        ids: Ids::default(),
        notes: Notes::default(),
        enclosing: Vec::new(),
        set_aside: 0,
        depth: 0,
        containers: 0,
        linked: 0,
        in_code: false,
        code: None,
        colours: Budget::new(options.colours),
        plain: None,
        heading: None,
        table: Table::default(),
        image: None,
    };
    let mut events = events.peekable();
    while let Some((event, range)) = events.next() {
        if let Event::Text(first) = event {
            if writer.looks_for_links() {
                // The grammar splits text at every character that might have meant something; a link may span the parts.
                let mut text = SplitText { decoded: Vec::new(), range: range.clone(), text: String::new() };
                text.push(&first, range, source);
                while let Some((Event::Text(more), range)) =
                    events.next_if(|(event, _)| matches!(event, Event::Text(_)))
                {
                    text.push(&more, range, source);
                }
                writer.linked_text(&text);
            } else {
                writer.text(&first);
            }
        } else {
            writer.event(event, range)?;
        }
        if writer.rendered.html.len() + writer.set_aside > LONGEST_OUTPUT {
            return Err(MarkdownError::TooLongOutput);
        }
    }
    writer.notes.finish(options.id_prefix, &mut writer.rendered.html);
    Ok(writer.rendered)
}

/// Text that the grammar has split.
struct SplitText {
    text: String,
    /// Its bytes in the source.
    range: Range<usize>,
    /// Where characters stand in it that the source spells as entities.
    decoded: Vec<usize>,
}

impl SplitText {
    fn push(&mut self, part: &str, range: Range<usize>, source: &str) {
        let written = source.get(range.clone()).unwrap_or_default();
        if written.starts_with('&') && written.ends_with(';') && written != part {
            self.decoded.push(self.text.len());
        }
        self.range.end = range.end;
        self.text.push_str(part);
    }
}

struct Writer<'t, 'r> {
    source: &'t str,
    /// The same, and where its bytes are in the text of its author.
    normal: &'t Normal,
    options: Options,
    resolve: Option<Resolve<'r>>,
    rendered: Rendered,
    ids: Ids,
    notes: Notes,
    /// While a footnote's definition is written: what was written before it, and its label.
    enclosing: Vec<(String, CowStr<'t>)>,
    /// How many bytes are kept for later or from before, besides those of `rendered`.
    set_aside: usize,
    /// How many elements are open.
    depth: usize,
    /// How many of them are quotes, lists, notes or tables.
    containers: usize,
    /// How many quotes are open.
    quotes: usize,
    /// How many links are open; text within them holds no others.
    linked: usize,
    in_code: bool,
    /// The open block of code, if it gets colours.
    code: Option<OpenCode>,
    /// What these may still cost.
    colours: Budget,
    /// The text of the open heading or first paragraph, without markup.
    plain: Option<String>,
    heading: Option<OpenHeading<'t>>,
    table: Table,
    image: Option<OpenImage>,
}

struct OpenHeading<'t> {
    /// Where its tag will stand.
    start: usize,
    id: Option<CowStr<'t>>,
    classes: Vec<CowStr<'t>>,
    attributes: Vec<(CowStr<'t>, Option<CowStr<'t>>)>,
}

#[derive(Default)]
struct Table {
    alignments: Vec<Alignment>,
    column: usize,
    in_head: bool,
    has_rows: bool,
}

struct OpenCode {
    language: &'static Language,
    text: String,
}

struct OpenImage {
    /// How many elements are open within its description.
    depth: usize,
    title: String,
}

impl<'t> Writer<'t, '_> {
    fn out(&mut self) -> &mut String {
        &mut self.rendered.html
    }

    fn push(&mut self, html: &str) {
        self.rendered.html.push_str(html);
    }

    /// Begins a line, unless one has just begun.
    fn line(&mut self) {
        if !self.rendered.html.is_empty() && !self.rendered.html.ends_with('\n') {
            self.rendered.html.push('\n');
        }
    }

    fn block(&mut self, html: &str) {
        self.line();
        self.push(html);
    }

    fn looks_for_links(&self) -> bool {
        self.options.autolinks && self.linked == 0 && !self.in_code && self.image.is_none()
    }

    fn text(&mut self, text: &str) {
        if let Some(code) = &mut self.code {
            code.text.push_str(text);
            return;
        }
        escape::text(text, &mut self.rendered.html);
        self.remember(text);
    }

    fn remember(&mut self, text: &str) {
        if let Some(plain) = &mut self.plain
            && self.image.is_none()
        {
            plain.push_str(text);
        }
    }

    fn linked_text(&mut self, SplitText { text, range: source, decoded }: &SplitText) {
        let text: &str = text;
        let before = self.source.get(..source.start).and_then(|before| before.chars().next_back());
        let as_written = self.source.get(source.clone()) == Some(text);
        let mut written = 0;
        for link in autolink::find(text, before, decoded) {
            let shown = text.get(link.range.clone()).unwrap_or_default();
            escape::text(text.get(written..link.range.start).unwrap_or_default(), &mut self.rendered.html);
            written = link.range.end;
            self.push("<a href=\"");
            self.push(link.scheme);
            escape::url(shown, &mut self.rendered.html);
            self.push("\">");
            escape::text(shown, &mut self.rendered.html);
            self.push("</a>");
            // Where escapes make the text differ from its source, only the whole has a place.
            let range = if as_written {
                source.start + link.range.start..source.start + link.range.end
            } else {
                source.clone()
            };
            let destination = format!("{}{shown}", link.scheme);
            let range = self.normal.written(&range);
            self.rendered.links.push(Link { destination, image: false, range });
        }
        escape::text(text.get(written..).unwrap_or_default(), &mut self.rendered.html);
        self.remember(text);
    }

    fn event(&mut self, event: Event<'t>, range: Range<usize>) -> Result<(), MarkdownError> {
        if self.image.is_some() {
            self.within_image(&event, range);
            return Ok(());
        }
        match event {
            Event::Start(tag) => {
                self.depth += 1;
                if self.depth > DEEPEST {
                    return Err(MarkdownError::TooDeep);
                }
                self.start(tag, range);
            }
            Event::End(tag) => {
                self.depth = self.depth.saturating_sub(1);
                self.end(tag);
            }
            Event::Text(text) => self.text(&text),
            Event::Code(code) => {
                let read = line::code(self.source.get(range).unwrap_or_default(), self.quotes);
                self.push("<code>");
                self.text(read.as_deref().unwrap_or(&code));
                self.push("</code>");
            }
            Event::Html(html) => self.html(&html),
            Event::InlineHtml(html) => {
                let read = line::html(self.source.get(range).unwrap_or_default(), self.quotes);
                self.inline_html(read.as_deref().unwrap_or(&html));
            }
            Event::SoftBreak => {
                self.push("\n");
                self.remember(" ");
            }
            Event::HardBreak => {
                self.push("<br />\n");
                self.remember(" ");
            }
            Event::Rule => self.block("<hr />\n"),
            Event::FootnoteReference(label) => {
                self.notes.reference(&label, self.options.id_prefix, &mut self.rendered.html);
            }
            Event::TaskListMarker(done) => {
                self.push("<input type=\"checkbox\"");
                self.push(if done { " checked=\"\"" } else { "" });
                self.push(if self.options.accessible {
                    " disabled=\"\" aria-label=\"Done\" /> "
                } else {
                    " disabled=\"\" /> "
                });
            }
            // The grammar of formulas is never switched on.
            Event::InlineMath(text) | Event::DisplayMath(text) => self.text(&text),
        }
        Ok(())
    }

    fn start(&mut self, tag: Tag<'t>, range: Range<usize>) {
        match tag {
            Tag::Paragraph => {
                self.block("<p>");
                if self.containers == 0 && self.rendered.description.is_none() {
                    self.plain = Some(String::new());
                }
            }
            Tag::Heading { id, classes, attrs, .. } => {
                self.line();
                let start = self.rendered.html.len();
                self.heading = Some(OpenHeading { start, id, classes, attributes: attrs });
                self.plain = Some(String::new());
            }
            Tag::BlockQuote(kind) => {
                self.containers += 1;
                self.quotes += 1;
                match kind {
                    None => self.block("<blockquote>\n"),
                    Some(kind) => self.alert(kind),
                }
            }
            Tag::CodeBlock(kind) => self.code_block(&kind),
            Tag::HtmlBlock => self.line(),
            Tag::List(start) => {
                self.containers += 1;
                match start {
                    None => self.block("<ul>\n"),
                    Some(1) => self.block("<ol>\n"),
                    Some(start) => self.block(&format!("<ol start=\"{start}\">\n")),
                }
            }
            Tag::Item => self.block("<li>"),
            Tag::FootnoteDefinition(label) => {
                self.containers += 1;
                self.set_aside += self.rendered.html.len();
                self.enclosing.push((std::mem::take(&mut self.rendered.html), label));
            }
            Tag::DefinitionList => {
                self.containers += 1;
                self.block("<dl>\n");
            }
            Tag::DefinitionListTitle => self.block("<dt>"),
            Tag::DefinitionListDefinition => self.block("<dd>"),
            Tag::Table(alignments) => {
                self.containers += 1;
                self.table = Table { alignments, ..Table::default() };
                self.block("<table>\n");
            }
            Tag::TableHead => {
                self.table.in_head = true;
                self.table.column = 0;
                self.push("<thead>\n<tr>\n");
            }
            Tag::TableRow => {
                self.table.column = 0;
                if !std::mem::replace(&mut self.table.has_rows, true) {
                    self.push("<tbody>\n");
                }
                self.push("<tr>\n");
            }
            Tag::TableCell => self.cell(),
            Tag::Emphasis => self.push("<em>"),
            Tag::Strong => self.push("<strong>"),
            Tag::Strikethrough => self.push("<del>"),
            Tag::Superscript => self.push("<sup>"),
            Tag::Subscript => self.push("<sub>"),
            Tag::Link { link_type, dest_url, title, .. } => self.link(link_type, &dest_url, &title, range),
            Tag::Image { dest_url, title, .. } => {
                self.push("<img src=\"");
                self.destination(&dest_url, true, range);
                self.push("\" alt=\"");
                self.image = Some(OpenImage { depth: 0, title: title.into_string() });
            }
            // Front matter is split off before; its grammar is never switched on.
            Tag::MetadataBlock(_) => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => {
                self.push("</p>\n");
                if let Some(plain) = self.plain.take() {
                    self.rendered.description = Some(plain.trim().to_owned()).filter(|text| !text.is_empty());
                }
            }
            TagEnd::Heading(level) => self.end_heading(level),
            TagEnd::BlockQuote(kind) => {
                self.containers -= 1;
                self.quotes -= 1;
                self.line();
                self.push(if kind.is_some() { "</div>\n" } else { "</blockquote>\n" });
            }
            TagEnd::CodeBlock => {
                self.in_code = false;
                if let Some(OpenCode { language, text }) = self.code.take() {
                    highlight::write(&text, language, &mut self.colours, &mut self.rendered.html);
                }
                self.push("</code></pre>\n");
            }
            TagEnd::HtmlBlock => self.line(),
            TagEnd::List(ordered) => {
                self.containers -= 1;
                self.push(if ordered { "</ol>\n" } else { "</ul>\n" });
            }
            TagEnd::Item => self.push("</li>\n"),
            TagEnd::FootnoteDefinition => {
                self.containers -= 1;
                if let Some((before, label)) = self.enclosing.pop() {
                    self.set_aside -= before.len();
                    let html = std::mem::replace(&mut self.rendered.html, before);
                    self.set_aside += html.len();
                    self.notes.define(&label, html);
                }
            }
            TagEnd::DefinitionList => {
                self.containers -= 1;
                self.push("</dl>\n");
            }
            TagEnd::DefinitionListTitle => self.push("</dt>\n"),
            TagEnd::DefinitionListDefinition => self.push("</dd>\n"),
            TagEnd::Table => {
                self.containers -= 1;
                self.push(if self.table.has_rows { "</tbody>\n</table>\n" } else { "</table>\n" });
            }
            TagEnd::TableHead => {
                self.table.in_head = false;
                self.push("</tr>\n</thead>\n");
            }
            TagEnd::TableRow => self.push("</tr>\n"),
            TagEnd::TableCell => self.push(if self.table.in_head { "</th>\n" } else { "</td>\n" }),
            TagEnd::Emphasis => self.push("</em>"),
            TagEnd::Strong => self.push("</strong>"),
            TagEnd::Strikethrough => self.push("</del>"),
            TagEnd::Superscript => self.push("</sup>"),
            TagEnd::Subscript => self.push("</sub>"),
            TagEnd::Link => {
                self.linked = self.linked.saturating_sub(1);
                self.push("</a>");
            }
            TagEnd::Image | TagEnd::MetadataBlock(_) => {}
        }
    }

    /// The heading's tag goes before its content, which is known only now and may give the id.
    fn end_heading(&mut self, level: HeadingLevel) {
        let title = self.plain.take().unwrap_or_default().trim().to_owned();
        let Some(heading) = self.heading.take() else { return };
        let id = match &heading.id {
            Some(id) => self.ids.unique(format!("{}{id}", self.options.id_prefix)),
            None if self.options.heading_ids => self.ids.for_title(self.options.id_prefix, &title),
            None => String::new(),
        };
        let mut tag = format!("<{level}");
        if !id.is_empty() {
            attribute("id", &id, &mut tag);
        }
        if !heading.classes.is_empty() {
            let classes: Vec<&str> = heading.classes.iter().map(AsRef::as_ref).collect();
            attribute("class", &classes.join(" "), &mut tag);
        }
        for (name, value) in &heading.attributes {
            attribute(name, value.as_deref().unwrap_or_default(), &mut tag);
        }
        tag.push('>');
        self.out().insert_str(heading.start, &tag);
        writeln!(self.out(), "</{level}>").expect("a string takes all");
        if level == HeadingLevel::H1 && self.rendered.title.is_none() && !title.is_empty() {
            self.rendered.title = Some(title.clone());
        }
        self.rendered.toc.push(Heading { level: level as u8, id, title });
    }

    fn alert(&mut self, kind: BlockQuoteKind) {
        let (class, title) = match kind {
            BlockQuoteKind::Note => ("note", "Note"),
            BlockQuoteKind::Tip => ("tip", "Tip"),
            BlockQuoteKind::Important => ("important", "Important"),
            BlockQuoteKind::Warning => ("warning", "Warning"),
            BlockQuoteKind::Caution => ("caution", "Caution"),
        };
        self.block(&format!(
            "<div class=\"markdown-alert markdown-alert-{class}\">\n<p class=\"markdown-alert-title\">{title}</p>\n"
        ));
    }

    fn code_block(&mut self, kind: &CodeBlockKind<'t>) {
        self.in_code = true;
        self.line();
        let language = match kind {
            CodeBlockKind::Fenced(info) => {
                let attributes = self.options.fence_attributes;
                let ends = |c: char| c.is_whitespace() || (attributes && matches!(c, ',' | '{'));
                info.split(ends).next().unwrap_or_default()
            }
            CodeBlockKind::Indented => "",
        };
        let known = if self.options.colours > 0 { highlight::find(language) } else { None };
        if let Some(known) = known {
            self.code = Some(OpenCode { language: known, text: String::new() });
            highlight::open_block(language, &mut self.rendered.html);
            return;
        }
        self.push(if self.options.accessible { "<pre tabindex=\"0\"><code" } else { "<pre><code" });
        if !language.is_empty() {
            attribute("class", &format!("language-{language}"), &mut self.rendered.html);
        }
        self.push(">");
    }

    fn cell(&mut self) {
        let align = match self.table.alignments.get(self.table.column) {
            Some(Alignment::Left) => " align=\"left\"",
            Some(Alignment::Center) => " align=\"center\"",
            Some(Alignment::Right) => " align=\"right\"",
            Some(Alignment::None) | None => "",
        };
        self.table.column += 1;
        let name = if self.table.in_head { "th" } else { "td" };
        write!(self.out(), "<{name}{align}>").expect("a string takes all");
    }

    fn link(&mut self, kind: LinkType, destination: &str, title: &str, range: Range<usize>) {
        self.linked += 1;
        self.push("<a href=\"");
        match kind {
            LinkType::Email => {
                self.push("mailto:");
                escape::url(destination, &mut self.rendered.html);
            }
            LinkType::Autolink => escape::url(destination, &mut self.rendered.html),
            LinkType::Inline
            | LinkType::Reference
            | LinkType::ReferenceUnknown
            | LinkType::Collapsed
            | LinkType::CollapsedUnknown
            | LinkType::Shortcut
            | LinkType::ShortcutUnknown
            | LinkType::WikiLink { .. } => self.destination(destination, false, range),
        }
        self.push("\"");
        if !title.is_empty() {
            attribute("title", title, &mut self.rendered.html);
        }
        self.push(">");
    }

    fn destination(&mut self, destination: &str, image: bool, range: Range<usize>) {
        let range = self.normal.written(&range);
        let link = Link { destination: destination.to_owned(), image, range };
        let resolved = self.resolve.and_then(|resolve| resolve(&link));
        escape::url(resolved.as_deref().unwrap_or(destination), &mut self.rendered.html);
        self.rendered.links.push(link);
    }

    /// An image's description is the text of what is written in it.
    fn within_image(&mut self, event: &Event<'t>, range: Range<usize>) {
        match event {
            Event::Start(_) => {
                if let Some(image) = &mut self.image {
                    image.depth += 1;
                }
            }
            Event::End(_) => {
                if self.image.as_ref().is_some_and(|image| image.depth > 0) {
                    self.image.iter_mut().for_each(|image| image.depth -= 1);
                } else if let Some(image) = self.image.take() {
                    self.depth = self.depth.saturating_sub(1);
                    self.push("\"");
                    if !image.title.is_empty() {
                        attribute("title", &image.title, &mut self.rendered.html);
                    }
                    self.push(" />");
                }
            }
            Event::Code(code) => {
                let read = line::code(self.source.get(range).unwrap_or_default(), self.quotes);
                escape::text(read.as_deref().unwrap_or(code), &mut self.rendered.html);
            }
            Event::InlineHtml(html) => {
                let read = line::html(self.source.get(range).unwrap_or_default(), self.quotes);
                escape::text(read.as_deref().unwrap_or(html), &mut self.rendered.html);
            }
            Event::Text(text) => escape::text(text, &mut self.rendered.html),
            Event::SoftBreak | Event::HardBreak => self.push(" "),
            Event::Html(_)
            | Event::Rule
            | Event::FootnoteReference(_)
            | Event::TaskListMarker(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_) => {}
        }
    }

    fn html(&mut self, html: &str) {
        if self.options.tag_filter {
            self.filtered(html);
        } else {
            self.push(html);
        }
    }

    /// One tag, comment or instruction: what stands within it is no element.
    fn inline_html(&mut self, html: &str) {
        match html.strip_prefix('<') {
            Some(part) if self.options.tag_filter && is_filtered(part, true) => {
                self.push("&lt;");
                self.push(part);
            }
            Some(_) | None => self.push(html),
        }
    }

    /// Raw HTML whose [`FILTERED`] elements are shown.
    fn filtered(&mut self, html: &str) {
        let mut parts = html.split('<');
        self.push(parts.next().unwrap_or_default());
        let mut parts = parts.peekable();
        while let Some(part) = parts.next() {
            self.push(if is_filtered(part, parts.peek().is_none()) { "&lt;" } else { "<" });
            self.push(part);
        }
    }
}

/// Whether `part`, which follows a `<`, begins with the name of one of the [`FILTERED`] elements; another `<` ends no name.
fn is_filtered(part: &str, is_last: bool) -> bool {
    let name = part.strip_prefix('/').unwrap_or(part);
    let end = name.find(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/'));
    let name = match end {
        Some(end) => name.get(..end).unwrap_or_default(),
        None if is_last => name,
        None => return false,
    };
    FILTERED.iter().any(|filtered| filtered.eq_ignore_ascii_case(name))
}

fn attribute(name: &str, value: &str, out: &mut String) {
    out.push(' ');
    escape::text(name, out);
    out.push_str("=\"");
    escape::text(value, out);
    out.push('"');
}
