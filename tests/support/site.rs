//! A site written from a text archive into a folder of its own, and served by the real binary.
//!
//! ```text
//! -- site.toml --
//! -- routes/index.toml --
//! layout = "page.html"
//! -- layouts/page.html --
//! <h1>Hello</h1>
//! ```

use super::SAFETY_NET;
use super::http::{Connection, Response};
use super::proof;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Instant;

/// A folder that goes away with its handle.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// A new, empty one.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("siteserver-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    /// A new one with a copy of the site in another.
    pub(crate) fn copy_of_site(original: &Path) -> Self {
        let folder = Self::new();
        for part in ["site.toml", "routes", "layouts", "content"] {
            copy(&original.join(part), &folder.0.join(part));
        }
        folder
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes the files of an archive: `-- path --` opens a file, and the lines up to the next are its content.
    pub(crate) fn unpack(&self, archive: &str) {
        let mut open: Option<(&str, String)> = None;
        for line in archive.lines() {
            if let Some(path) = line.strip_prefix("-- ").and_then(|line| line.trim_end().strip_suffix(" --")) {
                if let Some((path, content)) = open.take() {
                    self.write(path, &content);
                }
                open = Some((path.trim(), String::new()));
            } else if let Some((_, content)) = &mut open {
                content.push_str(line);
                content.push('\n');
            } else {
                assert!(line.trim().is_empty(), "a line before the first file of the archive: {line:?}");
            }
        }
        if let Some((path, content)) = open {
            self.write(path, &content);
        }
    }

    /// Writes one file, as editors do: beside it, then in its place.
    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        let beside = path.with_extension("being-written");
        fs::write(&beside, content).expect("a file");
        fs::rename(&beside, &path).expect("a file");
    }

    /// Removes one file.
    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.0.join(path)).expect("a file");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// Copies a file, or a folder with all below it; what is not there has no copy.
fn copy(from: &Path, to: &Path) {
    if let Ok(entries) = from.read_dir() {
        fs::create_dir_all(to).expect("a folder");
        for entry in entries.flatten() {
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else if from.is_file() {
        fs::copy(from, to).expect("a copy");
    }
}

/// Copies a program that is to be run. Another process writes it: what this one has open for writing, a child that another thread starts just
/// now has open, too, and what anybody has open for writing does not run ("Text file busy").
pub(crate) fn copy_program(from: &Path, to: &Path) {
    let status = Command::new("cp").arg(from).arg(to).status().expect("cp");
    assert!(status.success(), "{} is copied", from.display());
}

/// Whether this is root, who may do what others may not.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The binary, to be run on a folder's site.
pub(crate) fn binary() -> Command {
    let optimised = std::env::var_os("SITESERVER_RELEASE").filter(|_| proof::is_full());
    Command::new(optimised.unwrap_or_else(|| env!("CARGO_BIN_EXE_siteserver").into()))
}

/// The program `name` in a folder, to be run with that folder as its root, if this is root; else in a working folder without a site.
pub(crate) fn program_alone(folder: &Folder, name: &str) -> Command {
    if !is_root() {
        let mut command = Command::new(folder.path().join(name));
        command.current_dir("/");
        return command;
    }
    let mut command = Command::new("chroot");
    command.arg(folder.path()).arg(format!("/{name}"));
    command
}

/// How a site is started; [`Site::start`] suffices for most tests.
#[derive(Debug, Default)]
pub(crate) struct Options {
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    user: Option<u32>,
    under: Vec<String>,
}

impl Options {
    /// Serves it as `siteserver dev` does.
    pub(crate) fn dev() -> Self {
        Self { arguments: vec!["dev".to_owned()], ..Self::default() }
    }

    /// Adds `--set KEY=VALUE`.
    pub(crate) fn set(mut self, key_and_value: &str) -> Self {
        self.arguments.extend(["--set".to_owned(), key_and_value.to_owned()]);
        self
    }

    /// Adds a variable to the environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs it as another user, which only root can.
    pub(crate) fn user(mut self, id: u32) -> Self {
        self.user = Some(id);
        self
    }

    /// Runs it under another program, whose process becomes the binary's: the binary's path and arguments follow those given here.
    pub(crate) fn under(mut self, program: &[&str]) -> Self {
        self.under = program.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// Writes the archive, starts the binary on it and waits until it listens.
    pub(crate) fn start(self, archive: &str) -> Site {
        let folder = Folder::new();
        folder.unpack(archive);
        self.serve(folder)
    }

    /// Starts the binary on the site in a folder and waits until it listens.
    pub(crate) fn serve(self, folder: Folder) -> Site {
        let mut command = self.command(&folder);
        command.arg("--config").arg(folder.path().join("site.toml"));
        self.launch(command, folder)
    }

    /// Starts the program `name` in a folder, which has a site inside, and waits until it listens. It sees nothing but that folder, if this
    /// is root; else its working folder is another one.
    pub(crate) fn serve_program(self, folder: Folder, name: &str) -> Site {
        let command = program_alone(&folder, name);
        self.launch(command, folder)
    }

    fn launch(self, mut command: Command, folder: Folder) -> Site {
        command.args(["--set", "server.listen=[\"127.0.0.1:0\"]"]).args(&self.arguments);
        command.envs(self.environment);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary");
        let access_log = Output::of(child.stdout.take().expect("a pipe"));
        let messages = Output::of(child.stderr.take().expect("a pipe"));
        let mut site = Site { folder, child, address: "0.0.0.0:0".parse().expect("an address"), access_log, messages };
        let Some(line) = site.messages.line_where(|line| listening(line).is_some()) else {
            let status = site.child.try_wait();
            panic!("the site does not listen ({status:?}):\n{}", site.messages.text());
        };
        site.address = listening(&line).expect("just found");
        site
    }
}

impl Options {
    fn command(&self, folder: &Folder) -> Command {
        let mut executable = PathBuf::from(binary().get_program());
        let Some(user) = self.user else {
            let Some((program, arguments)) = self.under.split_first() else { return Command::new(executable) };
            let mut command = Command::new(program);
            command.args(arguments).arg(executable);
            return command;
        };
        // Where it was built, only its own user may look.
        let copy = folder.path().join("siteserver");
        copy_program(&executable, &copy);
        executable = copy;
        let mut command = Command::new(executable);
        command.uid(user).gid(user);
        command
    }
}

/// The address in `listening on http://127.0.0.1:4000 (3 routes, loaded in 2 ms)`.
pub(crate) fn listening(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://")?;
    let end = rest.find(|c: char| !(c.is_ascii_hexdigit() || matches!(c, '.' | ':' | '[' | ']'))).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// A site served by the real binary. Dropping it kills the process.
#[derive(Debug)]
pub(crate) struct Site {
    folder: Folder,
    child: Child,
    address: SocketAddr,
    access_log: Output,
    messages: Output,
}

impl Site {
    /// Writes the archive, starts the binary on it and waits until it listens.
    pub(crate) fn start(archive: &str) -> Self {
        Options::default().start(archive)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The folder of its files, to edit them.
    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// A new connection to it.
    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    /// A GET on a connection of its own.
    pub(crate) fn get(&self, target: &str) -> Response {
        self.connect().get(target)
    }

    /// A request on a connection of its own.
    pub(crate) fn request(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        self.connect().request(method, target, headers, body)
    }

    /// What it has written to stdout so far: the access log.
    pub(crate) fn access_log(&self) -> String {
        self.access_log.text()
    }

    /// Waits for a line of the access log.
    pub(crate) fn wait_for_access(&self, wanted: impl Fn(&str) -> bool) -> String {
        self.access_log
            .line_where(wanted)
            .unwrap_or_else(|| panic!("no such line in the access log:\n{}", self.access_log()))
    }

    /// What it has written to stderr so far.
    pub(crate) fn messages(&self) -> String {
        self.messages.text()
    }

    /// Waits for a line on stderr.
    pub(crate) fn wait_for_message(&self, wanted: impl Fn(&str) -> bool) -> String {
        self.messages
            .line_where(wanted)
            .unwrap_or_else(|| panic!("no such line among the messages:\n{}", self.messages()))
    }

    /// Sends a signal: `HUP`, `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let process = rustix::process::Pid::from_child(&self.child);
        let signal = match name {
            "HUP" => rustix::process::Signal::HUP,
            "TERM" => rustix::process::Signal::TERM,
            "INT" => rustix::process::Signal::INT,
            _ => panic!("no signal `{name}`"),
        };
        rustix::process::kill_process(process, signal).expect("a running process");
    }

    /// Waits until the process has ended, after its output has.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.access_log.ended();
        self.messages.ended();
        self.child.wait().expect("a process")
    }
}

impl Drop for Site {
    #[expect(clippy::print_stderr, reason = "a failed test shows what the server said")]
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        if thread::panicking() {
            eprintln!("the site's messages:\n{}", self.messages.text());
        }
    }
}

/// What a process writes, read all the time so that it never has to wait.
#[derive(Debug)]
pub(crate) struct Output(Arc<(Mutex<Written>, Condvar)>);

#[derive(Debug, Default)]
struct Written {
    lines: Vec<String>,
    ended: bool,
}

impl Output {
    pub(crate) fn of(pipe: impl Read + Send + 'static) -> Self {
        let shared = Arc::<(Mutex<Written>, Condvar)>::default();
        let output = Self(Arc::clone(&shared));
        thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                shared.0.lock().expect("a lock").lines.push(String::from_utf8_lossy(&line).into_owned());
                shared.1.notify_all();
            }
            shared.0.lock().expect("a lock").ended = true;
            shared.1.notify_all();
        });
        output
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.0.0.lock().expect("a lock")
    }

    pub(crate) fn text(&self) -> String {
        self.written().lines.join("\n")
    }

    /// The first line that is wanted; waits for it until the output ends.
    fn line_where(&self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        self.line_after(0, wanted)
    }

    /// The first line that is wanted behind the first so many; waits for it until the output ends.
    pub(crate) fn line_after(&self, mut seen: usize, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let end = Instant::now() + SAFETY_NET;
        let mut written = self.written();
        loop {
            if let Some(line) = written.lines[seen..].iter().find(|line| wanted(line)) {
                return Some(line.clone());
            }
            seen = written.lines.len();
            let left = end.saturating_duration_since(Instant::now());
            if written.ended || left.is_zero() {
                return None;
            }
            written = self.0.1.wait_timeout(written, left).expect("a lock").0;
        }
    }

    /// How many lines there are so far.
    pub(crate) fn count(&self) -> usize {
        self.written().lines.len()
    }

    pub(crate) fn ended(&self) {
        self.line_where(|_| false);
    }
}
