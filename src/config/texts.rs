//! The texts of a site's files, remembered from one load to the next: a file that did not change is not read again.

use super::stamp::{PerFile, Stamp};
use rustix::fs::{Mode, OFlags, open};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

/// Texts by the paths of their files.
pub type Texts = PerFile<Arc<str>>;

/// What a file holds.
#[derive(Debug)]
pub(super) enum Content {
    /// Text.
    Text(Arc<str>),
    /// More bytes than were asked for.
    TooLarge,
    /// Something else than UTF-8: all that stands before it, which is text.
    NotText { before: String },
}

impl PerFile<Arc<str>> {
    /// The text of the file at `path`, of `most` bytes at most.
    pub(super) fn text(&self, path: &Path, most: u64) -> io::Result<Content> {
        let stamp = Stamp::of(&fs::metadata(path)?);
        if let Some(text) = self.find(path, stamp) {
            return Ok(Content::Text(text));
        }
        let now = SystemTime::now();
        let (bytes, stamps) = read(path, most)?;
        let Some(bytes) = bytes else { return Ok(Content::TooLarge) };
        let text = match content(bytes) {
            Content::Text(text) => text,
            other @ (Content::TooLarge | Content::NotText { .. }) => return Ok(other),
        };
        self.put(path, Arc::clone(&text), stamps, now);
        Ok(Content::Text(text))
    }
}

/// What bytes hold.
pub(super) fn content(bytes: Vec<u8>) -> Content {
    match String::from_utf8(bytes) {
        Ok(text) => Content::Text(text.into()),
        Err(error) => {
            let end = error.utf8_error().valid_up_to();
            let mut bytes = error.into_bytes();
            bytes.truncate(end);
            Content::NotText { before: String::from_utf8(bytes).unwrap_or_default() }
        }
    }
}

/// The bytes of a file, unless there are more than `most`, and its stamps before and after. Reading stops at the limit whatever the file
/// claims to hold.
fn read(path: &Path, most: u64) -> io::Result<(Option<Vec<u8>>, [Stamp; 2])> {
    // Opening never waits, and what is open is what is looked at: there is no moment to put something else in its place.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(open(path, flags, Mode::empty())?);
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len().min(most)).unwrap_or_default());
    (&file).take(most + 1).read_to_end(&mut bytes)?;
    let stamps = [Stamp::of(&metadata), Stamp::of(&file.metadata()?)];
    Ok(((bytes.len() as u64 <= most).then_some(bytes), stamps))
}

#[cfg(test)]
mod tests {
    use super::super::stamp::Remembered;
    use super::*;
    use std::path::PathBuf;
    use std::time::Duration;

    struct Site {
        folder: PathBuf,
        texts: Texts,
    }

    impl Site {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("siteserver-texts-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Self { folder, texts: Texts::default() }
        }

        /// Loads the file, and says what it holds and how many files that read.
        fn load(&self) -> (String, usize) {
            self.texts.begin();
            let Content::Text(text) = self.texts.text(&self.folder.join("a"), 100).unwrap() else { panic!("no text") };
            self.texts.end();
            (text.to_string(), self.texts.read_count())
        }

        /// Writes the file, and makes what is remembered of it as old as if that had been long ago.
        fn write(&self, text: &str) {
            fs::write(self.folder.join("a"), text).unwrap();
        }
    }

    impl Drop for Site {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.folder).unwrap_or_default();
        }
    }

    #[test]
    fn stamps_settle() {
        let site = Site::new("settle");
        site.write("one");
        let stamp = Stamp::of(&fs::metadata(site.folder.join("a")).unwrap());
        let now = SystemTime::now();
        assert!(!stamp.is_settled(now), "a second change might not show");
        assert!(stamp.is_settled(now + Duration::from_secs(4)));
        assert!(!stamp.is_settled(SystemTime::UNIX_EPOCH));
    }

    #[test]
    fn what_was_just_written_is_read_again() {
        let site = Site::new("again");
        site.write("one");
        assert_eq!(site.load(), ("one".to_owned(), 1));
        site.write("two");
        assert_eq!(site.load(), ("two".to_owned(), 1), "of the same length, and at once");
    }

    #[test]
    fn what_did_not_change_is_not_read() {
        let site = Site::new("same");
        site.write("one");
        let path = site.folder.join("a");
        let stamp = Stamp::of(&fs::metadata(&path).unwrap());
        // As if it had been read when its stamp had settled.
        let remembered = Remembered { stamp, value: "remembered".into(), load: 0 };
        site.texts.kept().files.insert(path, remembered);
        assert_eq!(site.load(), ("remembered".to_owned(), 0));
        site.write("other");
        assert_eq!(site.load(), ("other".to_owned(), 1));
        // A load that does not ask for it forgets it.
        site.texts.begin();
        site.texts.end();
        assert!(site.texts.kept().files.is_empty());
    }

    #[test]
    fn what_is_no_text_is_told_and_not_remembered() {
        let site = Site::new("odd");
        let path = site.folder.join("a");
        fs::write(&path, b"a\n\xff").unwrap();
        assert!(matches!(site.texts.text(&path, 100), Ok(Content::NotText { before }) if before == "a\n"));
        assert!(matches!(site.texts.text(&path, 2), Ok(Content::TooLarge)));
        assert!(site.texts.text(&site.folder, 100).is_err());
        assert!(site.texts.text(&site.folder.join("none"), 100).is_err());
        assert!(site.texts.kept().files.is_empty());
    }
}
