//! The reference of the documentation, written from what declares it: keys, findings, filters, tags, commands.
//!
//! Nothing here is known twice. A test writes the pages to `content/reference/` and fails when they differ.

mod commands;
mod findings;
mod keys;
mod layouts;

/// A page of the reference.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its name: that of its file, without the extension.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What is on it, in a sentence.
    pub description: &'static str,
    /// Its text, in Markdown, without front matter.
    pub body: String,
}

impl Page {
    /// The whole file, which stands at `place` among the pages.
    #[must_use]
    pub fn text(&self, place: usize) -> String {
        let Self { title, description, body, .. } = self;
        format!("+++\ntitle = \"{title}\"\ndescription = \"{description}\"\nweight = {place}\n+++\n\n{body}")
    }
}

/// Every page, in reading order; the first lists the others.
#[must_use]
pub fn pages() -> Vec<Page> {
    let mut pages = keys::pages();
    pages.push(findings::page());
    pages.extend(layouts::pages());
    pages.push(commands::page());
    let entries: Vec<String> =
        pages.iter().map(|page| format!("- [{}]({}.md): {}\n", page.title, page.name, page.description)).collect();
    let body = format!(
        "These pages are written from the declarations that siteserver reads files by, and a test keeps them so. In an editor the same \
         texts are shown while you type: see [Editors](../docs/guides/editors.md).\n\n{}",
        entries.concat()
    );
    let index =
        Page { name: "index", title: "Reference", description: "Every key, finding, filter, tag and command.", body };
    pages.insert(0, index);
    pages
}

/// Text as the cell of a table: one line, without the sign that ends a cell.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// A code span, whatever backticks `text` holds.
fn code(text: &str) -> String {
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}
