//! Notices edits of a site's files, and says so once they have come to rest.
//!
//! Watched are the site's folder, the folders below it that hold declarations, and every folder above it: when one of them is replaced
//! (a checkout, a deployment by renaming or by a link), the watch is set up anew on what is there then. Names alone decide what counts;
//! nothing is read here. An edit is never lost: whatever happens after the quiet that ended one notice begins the next.

use notify::event::{AccessKind, AccessMode};
use notify::{Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The folders of a site that declarations are read from.
const FOLDERS: [&str; 3] = ["routes", "layouts", CONTENT];

/// The one of them that holds what is published as it is.
const CONTENT: &str = "content";

/// Editors write in several steps: an edit is over when nothing has happened for this long.
const QUIET: Duration = Duration::from_millis(60);

/// Files that change all the time do not put a notice off for longer than this.
const PATIENCE: Duration = Duration::from_secs(1);

/// A watch on a site. What happens from its making on is noticed, and told from [`Watch::spawn`] on.
#[derive(Debug)]
pub struct Watch {
    place: SitePlace,
    watcher: Option<RecommendedWatcher>,
    sender: Sender<Change>,
    receiver: Receiver<Change>,
    troubles: Troubles,
    quiet: Duration,
}

/// What was edited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// The names of the style sheets below `content/` that were edited.
    pub styles: BTreeSet<String>,
    /// Whether anything else was.
    pub is_more: bool,
}

/// What an event means for the watch.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    /// A style sheet below `content/`, by its name.
    Style(String),
    /// Another file of the site.
    Content,
    /// A folder that is watched, or one above it: the watch may look at a folder that is no longer there.
    Structure,
}

impl Watch {
    /// Watches the site whose `site.toml` is `config`. If the system does not let it, nothing is noticed and a warning says so.
    pub fn new(config: &Path) -> Self {
        let (sender, receiver) = channel();
        let place = SitePlace::new(config);
        let mut troubles = Troubles::default();
        let watcher = arm(&place, &sender, &mut troubles);
        Self { place, watcher, sender, receiver, troubles, quiet: QUIET }
    }

    /// The same, for which an edit is over when nothing has happened for as long as `quiet`. One that was not over is told again.
    #[must_use]
    pub fn quiet(self, quiet: Duration) -> Self {
        Self { quiet, ..self }
    }

    /// Calls `edited` after each edit, on a thread of its own, as long as the process lives.
    pub fn spawn(self, edited: impl Fn(Edit) + Send + 'static) -> io::Result<()> {
        thread::Builder::new().name("watch".to_owned()).spawn(move || self.run(edited))?;
        Ok(())
    }

    fn run(mut self, edited: impl Fn(Edit)) {
        self.troubles.tell();
        while let Ok(first) = self.receiver.recv() {
            let (edit, is_of_structure) = settle(first, &self.receiver, self.quiet);
            if is_of_structure {
                // The new watch stands before the old one goes: nothing happens unseen between the two.
                self.watcher = arm(&self.place, &self.sender, &mut self.troubles);
                self.troubles.tell();
            }
            edited(edit);
        }
    }
}

/// Waits until nothing happens any more, and tells what has happened, and whether the watch has to look anew.
fn settle(first: Change, receiver: &Receiver<Change>, quiet: Duration) -> (Edit, bool) {
    let end = Instant::now() + PATIENCE;
    let (mut edit, mut is_of_structure) = (Edit::default(), false);
    let mut change = first;
    loop {
        match change {
            Change::Style(name) => {
                edit.styles.insert(name);
            }
            Change::Content => edit.is_more = true,
            Change::Structure => (edit.is_more, is_of_structure) = (true, true),
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return (edit, is_of_structure);
        }
        change = match receiver.recv_timeout(quiet.min(left)) {
            Ok(next) => next,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return (edit, is_of_structure),
        };
    }
}

/// Sets up a watch on what is there now, from above to below: what appears meanwhile is seen by the folder above it.
fn arm(place: &SitePlace, sender: &Sender<Change>, troubles: &mut Troubles) -> Option<RecommendedWatcher> {
    let handler = {
        let (place, sender) = (place.clone(), sender.clone());
        move |event: notify::Result<Event>| {
            let changes = match event {
                Ok(event) => place.changes(&event),
                // Part of the tree is not watched: to look anew either mends it or says why it cannot be.
                Err(_) => vec![Change::Structure],
            };
            for change in changes {
                // Nobody listens only when the process ends.
                sender.send(change).unwrap_or_default();
            }
        }
    };
    let config = Config::default().with_follow_symlinks(false);
    let mut watcher = match RecommendedWatcher::new(handler, config) {
        Ok(watcher) => watcher,
        Err(error) => {
            troubles.add(&error);
            return None;
        }
    };
    let mut above: Vec<&Path> = place.root.ancestors().skip(1).collect();
    above.reverse();
    for folder in above {
        // One that may not be looked at cannot be helped, and is hardly ever replaced.
        watcher.watch(folder, RecursiveMode::NonRecursive).unwrap_or_default();
    }
    // With `.` at its end the path means the folder also where the name is a link to it.
    let below = FOLDERS.map(|folder| (place.root.join(folder).join("."), RecursiveMode::Recursive));
    for (path, mode) in std::iter::once((place.root.join("."), RecursiveMode::NonRecursive)).chain(below) {
        if let Err(error) = watcher.watch(&path, mode)
            && !is_absent(&error)
        {
            troubles.add(&error);
        }
    }
    Some(watcher)
}

/// Whether there is nothing to watch: the folders of a site are optional.
fn is_absent(error: &notify::Error) -> bool {
    match &error.kind {
        notify::ErrorKind::PathNotFound => true,
        notify::ErrorKind::Io(error) => {
            matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        }
        notify::ErrorKind::Generic(_)
        | notify::ErrorKind::WatchNotFound
        | notify::ErrorKind::InvalidConfig(_)
        | notify::ErrorKind::MaxFilesWatch => false,
    }
}

/// Why some edits are not noticed. Told once: it does not get better by repetition.
#[derive(Debug, Default)]
struct Troubles {
    untold: Option<String>,
    told: bool,
}

impl Troubles {
    fn add(&mut self, error: &notify::Error) {
        self.untold = Some(error.to_string());
    }

    fn tell(&mut self) {
        if let Some(error) = self.untold.take()
            && !self.told
        {
            self.told = true;
            tracing::warn!(error, "some edits are not noticed by themselves; SIGHUP loads the site anew");
        }
    }
}

/// Where a site is, and which names in it matter.
#[derive(Debug, Clone)]
struct SitePlace {
    /// The site's folder, as written but absolute: a link on the way is followed each time.
    root: PathBuf,
    /// The name of its `site.toml`.
    config: OsString,
}

impl SitePlace {
    fn new(config: &Path) -> Self {
        let absolute = std::path::absolute(config).unwrap_or_else(|_| config.to_owned());
        let root = absolute.parent().unwrap_or(Path::new("/")).to_owned();
        Self { root, config: config.file_name().unwrap_or_default().to_owned() }
    }

    /// What an event means; nothing if it does not concern the site.
    fn changes(&self, event: &Event) -> Vec<Change> {
        if event.need_rescan() {
            return vec![Change::Structure];
        }
        let is_edit = match event.kind {
            EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
            EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Other => {
                true
            }
        };
        if !is_edit {
            return Vec::new();
        }
        event.paths.iter().filter_map(|path| self.change_at(path)).collect()
    }

    fn change_at(&self, path: &Path) -> Option<Change> {
        let Ok(below) = path.strip_prefix(&self.root) else {
            return self.root.starts_with(path).then_some(Change::Structure);
        };
        let names: Vec<&OsStr> = below
            .components()
            .filter_map(|component| if let Component::Normal(name) = component { Some(name) } else { None })
            .collect();
        match names.as_slice() {
            [] => Some(Change::Structure),
            [name] if *name == self.config => Some(Change::Content),
            [name] if FOLDERS.iter().any(|folder| name == folder) => Some(Change::Structure),
            // Kubernetes publishes files by exchanging the link `..data`.
            [name] => name.as_encoded_bytes().starts_with(b"..").then_some(Change::Structure),
            [folder, inner @ ..] => {
                let counts = FOLDERS.iter().any(|known| folder == known) && !inner.iter().copied().any(is_passing);
                let style = inner.last().and_then(|name| name.to_str()).filter(|name| is_style(name));
                let change = match style {
                    Some(name) if *folder == CONTENT => Change::Style(name.to_owned()),
                    _ => Change::Content,
                };
                counts.then_some(change)
            }
        }
    }
}

/// Whether this is the name of a style sheet.
fn is_style(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "css")
}

/// Whether files of this name come and go without meaning anything: those of editors and of version control.
fn is_passing(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let surrounded = |by: &[u8]| name.starts_with(by) && name.ends_with(by);
    name.starts_with(b".")
        || name.ends_with(b"~")
        || [&b".swp"[..], b".swx", b".swo"].iter().any(|ending| name.ends_with(ending))
        || surrounded(b"#")
        || name.starts_with(b"___jb_")
        || name == b"4913"
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{CreateKind, DataChange, ModifyKind};

    fn changes(path: &str) -> Vec<Change> {
        let place = SitePlace { root: "/srv/shop".into(), config: "site.toml".into() };
        let kind = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        place.changes(&Event::new(kind).add_path(path.into()))
    }

    #[test]
    fn names_decide_what_counts() {
        for (path, expected) in [
            ("/srv/shop/site.toml", Some(Change::Content)),
            ("/srv/shop/./routes/./a.toml", Some(Change::Content)),
            ("/srv/shop/layouts/partials/card.html", Some(Change::Content)),
            ("/srv/shop/content/a/b/c.md", Some(Change::Content)),
            ("/srv/shop/content/a/b.css", Some(Change::Style("b.css".to_owned()))),
            ("/srv/shop/layouts/b.css", Some(Change::Content)),
            ("/srv/shop/content/.b.css", None),
            ("/srv/shop/routes", Some(Change::Structure)),
            ("/srv/shop/.", Some(Change::Structure)),
            ("/srv/shop", Some(Change::Structure)),
            ("/srv", Some(Change::Structure)),
            ("/", Some(Change::Structure)),
            ("/srv/shop/..data", Some(Change::Structure)),
            ("/srv/other", None),
            ("/srv/shopping/site.toml", None),
            ("/srv/shop/other.toml", None),
            ("/srv/shop/target/debug/x", None),
            ("/srv/shop/.git/index", None),
            ("/srv/shop/routes/.a.toml.swp", None),
            ("/srv/shop/routes/a.toml~", None),
            ("/srv/shop/routes/4913", None),
            ("/srv/shop/routes/#a.toml#", None),
            ("/srv/shop/content/.cache/x", None),
        ] {
            assert_eq!(changes(path), Vec::from_iter(expected), "{path}");
        }
    }

    #[test]
    fn reading_a_file_is_no_edit() {
        let place = SitePlace::new(Path::new("/srv/shop/site.toml"));
        let event = |kind| place.changes(&Event::new(kind).add_path("/srv/shop/site.toml".into()));
        assert_eq!(event(EventKind::Access(AccessKind::Open(AccessMode::Any))), []);
        assert_eq!(event(EventKind::Access(AccessKind::Close(AccessMode::Read))), []);
        assert_eq!(event(EventKind::Access(AccessKind::Close(AccessMode::Write))), [Change::Content]);
        assert_eq!(event(EventKind::Create(CreateKind::File)), [Change::Content]);
    }

    #[test]
    fn an_edit_of_style_sheets_alone_is_known_as_one() {
        let settled = |all: &[Change]| {
            let (sender, receiver) = channel();
            let (first, rest) = all.split_first().unwrap();
            for change in rest {
                sender.send(change.clone()).unwrap();
            }
            drop(sender);
            settle(first.clone(), &receiver, QUIET)
        };
        let style = |name: &str| Change::Style(name.to_owned());
        let (edit, is_of_structure) = settled(&[style("a.css"), style("b.css"), style("a.css")]);
        assert_eq!((edit.styles.len(), edit.is_more, is_of_structure), (2, false, false));
        assert!(settled(&[style("a.css"), Change::Content]).0.is_more);
        assert!(settled(&[Change::Structure, style("a.css")]).1);
    }

    #[test]
    fn a_relative_place_becomes_absolute_and_keeps_its_links() {
        let place = SitePlace::new(Path::new("./site.toml"));
        assert!(place.root.is_absolute());
        assert_eq!(place.config, "site.toml");
        assert_eq!(place.root, std::env::current_dir().unwrap());
    }

    /// A site in a folder of its own, and what its watch says.
    struct Watched {
        folder: PathBuf,
        notices: Receiver<()>,
    }

    impl Watched {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("siteserver-watch-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            let (sender, notices) = channel();
            let watch = Watch::new(&folder.join("site.toml"));
            watch.spawn(move |_edit| sender.send(()).unwrap_or_default()).unwrap();
            Self { folder, notices }
        }

        fn write(&self, path: &str) {
            let path = self.folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }

        /// The next notice; a minute is only there to end a failed test.
        fn notice(&self) {
            self.notices.recv_timeout(Duration::from_mins(1)).expect("the edit is noticed");
        }
    }

    impl Drop for Watched {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.folder).unwrap_or_default();
        }
    }

    #[test]
    fn edits_are_noticed_one_after_the_other_also_in_new_folders() {
        let watched = Watched::new("edits");
        for path in
            ["site.toml", "routes/a.toml", "routes/b/c/d.toml", "routes/b/c/d.toml", "content/a.md", "site.toml"]
        {
            watched.write(path);
            watched.notice();
        }
    }

    #[test]
    fn a_folder_is_followed_when_it_is_replaced() {
        let watched = Watched::new("replaced");
        watched.write("routes/a.toml");
        watched.notice();
        let aside = watched.folder.with_extension("aside");
        for _ in 0..3 {
            std::fs::rename(&watched.folder, &aside).unwrap();
            watched.write("routes/a.toml");
            watched.notice();
            std::fs::remove_dir_all(&aside).unwrap();
            watched.write("routes/a.toml");
            watched.notice();
        }
    }
}
