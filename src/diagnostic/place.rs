//! Places in the author's files: which file, which bytes, which line and column.

use std::ops::{Deref, Range};
use std::sync::{Arc, OnceLock};

/// A file in [`Files`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(u32);

impl FileId {
    /// Its position among the files.
    #[must_use]
    pub fn index(self) -> u32 {
        self.0
    }
}

/// A range of bytes in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file.
    pub file: FileId,
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Place {
    /// `range` in `file`.
    #[must_use]
    pub fn new(file: FileId, range: Range<usize>) -> Self {
        let bound = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { file, start: bound(range.start), end: bound(range.end) }
    }

    /// The bytes.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A value and where it was written.
#[derive(Debug, Clone, Copy)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub place: Place,
}

impl<T> Spanned<T> {
    /// `value`, written at `place`.
    pub fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }

    /// Another value at the same place.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: change(self.value), place: self.place }
    }

    /// The value by reference, at the same place.
    pub fn as_ref(&self) -> Spanned<&T> {
        Spanned { value: &self.value, place: self.place }
    }
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    /// Equal values; where they stand does not matter.
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// A line and a column, both from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in it.
    pub column: usize,
}

/// The texts that findings point into.
#[derive(Debug, Clone, Default)]
pub struct Files(Vec<SourceFile>);

#[derive(Debug, Clone)]
struct SourceFile {
    name: Arc<str>,
    text: Arc<str>,
    /// Where each line begins, once somebody has asked for a position.
    lines: OnceLock<Box<[usize]>>,
}

impl SourceFile {
    fn lines(&self) -> &[usize] {
        self.lines.get_or_init(|| {
            let ends = memchr::memchr_iter(b'\n', self.text.as_bytes()).map(|end| end + 1);
            std::iter::once(0).chain(ends).collect()
        })
    }
}

impl Files {
    /// Adds a text under the name that reports show: a path relative to the site, or `--set 1`.
    pub fn add(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> FileId {
        let id = FileId(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        self.0.push(SourceFile { name: name.into(), text: text.into(), lines: OnceLock::new() });
        id
    }

    /// Every file, in the order in which they were added.
    pub fn ids(&self) -> impl Iterator<Item = FileId> {
        (0..).map(FileId).take(self.0.len())
    }

    /// The file that was added under this name; the first, if there are several.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<FileId> {
        let at = self.0.iter().position(|file| &*file.name == name)?;
        u32::try_from(at).ok().map(FileId)
    }

    /// The name of a file.
    #[must_use]
    pub fn name(&self, id: FileId) -> &str {
        self.0.get(id.0 as usize).map_or("", |file| &file.name)
    }

    /// The text of a file.
    #[must_use]
    pub fn text(&self, id: FileId) -> &str {
        self.0.get(id.0 as usize).map_or("", |file| &file.text)
    }

    /// The text of a file, shared.
    #[must_use]
    pub fn shared_text(&self, id: FileId) -> Arc<str> {
        self.0.get(id.0 as usize).map_or_else(|| "".into(), |file| Arc::clone(&file.text))
    }

    /// The characters at a place.
    #[must_use]
    pub fn snippet(&self, place: Place) -> &str {
        self.text(place.file).get(place.range()).unwrap_or("")
    }

    /// The line and column of a byte offset. A byte within a character counts as that character.
    #[must_use]
    pub fn position(&self, file: FileId, offset: u32) -> Position {
        self.0.get(file.0 as usize).map_or(Position { line: 1, column: 1 }, |file| file.position(offset))
    }

    /// Some of the files, for those who have to tell places later.
    #[must_use]
    pub fn some(&self, ids: impl IntoIterator<Item = FileId>) -> SomeFiles {
        SomeFiles(ids.into_iter().filter_map(|id| Some((id, self.0.get(id.0 as usize)?.clone()))).collect())
    }
}

/// A few of the texts of [`Files`].
#[derive(Debug, Clone, Default)]
pub struct SomeFiles(Box<[(FileId, SourceFile)]>);

impl SomeFiles {
    /// `layouts/page.html:3:14`; nothing for a place in another file.
    #[must_use]
    pub fn locate(&self, place: Place) -> Option<String> {
        let (_, file) = self.0.iter().find(|(id, _)| *id == place.file)?;
        let Position { line, column } = file.position(place.start);
        Some(format!("{}:{line}:{column}", file.name))
    }
}

impl SourceFile {
    fn position(&self, offset: u32) -> Position {
        let text = &self.text;
        let mut offset = (offset as usize).min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let lines = self.lines();
        // The first begins at 0, so there is always one.
        let line = lines.partition_point(|start| *start <= offset);
        let start = lines.get(line.saturating_sub(1)).copied().unwrap_or(0);
        Position { line, column: text.get(start..offset).unwrap_or("").chars().count() + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters() {
        let mut files = Files::default();
        let file = files.add("a.toml", "é = 1\r\nbé = 2\n");
        let at = |offset| {
            let Position { line, column } = files.position(file, offset);
            (line, column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(1), (1, 1), "within a character");
        assert_eq!(at(2), (1, 2));
        assert_eq!(at(8), (2, 1));
        assert_eq!(at(11), (2, 3));
        assert_eq!(at(9999), (3, 1));
    }
}
