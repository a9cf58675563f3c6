//! A reader who follows pages word by word: writes the files that they show, runs their commands, and compares what these say.
//!
//! What the blocks of a page mean is told to its readers on `content/docs/tutorial/index.md`:
//!
//! - `sh` is typed. What begins with `# in a second terminal` is a server, which goes on; `# in the second terminal: Ctrl-C` ends it.
//!   Commands without an output behind them must succeed. Those `# in a clone of the project` are typed there; `cargo` does nothing,
//!   since everything is built already.
//! - `text` is what the commands before it print. `…` stands for any text, and alone on a line for any lines.
//! - Anything else is a file. A comment in its first line names it, or else the text before it does: "`layouts/page.html`:".
//!
//! The pages say ports; the reader takes free ones in their place, everywhere alike.

use super::SAFETY_NET;
use super::site::{Folder, Output, listening};
use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// The ports that pages name: of the site, of the listener for those who run it, of a second site.
const PORTS: [u16; 3] = [4000, 4001, 4100];

/// A page's reader may wait a little longer than it says. What happens meanwhile, such as a page that is made anew, has a second on the page,
/// which a machine with much else to do may need for itself.
const PATIENCE: &str = "sleep() { case $1 in *.*) command sleep \"$@\" ;; *) command sleep \"$@\" 2 ;; esac; }";

/// One block of a page.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) line: usize,
    pub(crate) language: String,
    pub(crate) text: String,
    /// The text above it.
    above: String,
}

/// The blocks of a page in their order.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut above = String::new();
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let inside = lines.by_ref().map(|(_, line)| line).take_while(|&line| line != "```");
            let text: String = inside.flat_map(|line| [line, "\n"]).collect();
            let above = std::mem::take(&mut above);
            blocks.push(Block { line: number + 1, language: language.to_owned(), text, above });
        } else if !line.trim().is_empty() {
            line.clone_into(&mut above);
        }
    }
    blocks
}

impl Block {
    /// The file that this is.
    fn name(&self) -> Option<&str> {
        let first = self.text.lines().next()?;
        if let Some(name) = first.strip_prefix("# ").filter(|name| name.contains('.') && !name.contains(' ')) {
            return Some(name);
        }
        self.above.strip_suffix("`:")?.rsplit_once('`').map(|(_, name)| name)
    }

    /// The terminal that these commands are for, if it is not the first, and whether what runs there is to end.
    fn terminal(&self) -> Option<(&str, bool)> {
        let first = self.text.lines().next()?;
        let rest = first.strip_prefix("# in a ").or_else(|| first.strip_prefix("# in the "))?;
        let (name, rest) = rest.split_once(" terminal")?;
        Some((name, rest == ": Ctrl-C"))
    }
}

/// A server that a page has started.
#[derive(Debug)]
struct Server {
    child: Child,
    messages: Output,
}

impl Server {
    fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).expect("a running server");
    }

    /// Waits until it serves what its files say now. Two rounds: the first may answer for what was begun before.
    fn is_up_to_date(&self) {
        for _ in 0..2 {
            let seen = self.messages.count();
            self.signal(rustix::process::Signal::HUP);
            let is_told = |line: &str| line.starts_with("reloaded: ") || line.starts_with("not reloaded");
            assert!(self.messages.line_after(seen, is_told).is_some(), "{}", self.messages.text());
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// One who reads pages, with a folder of their own, and terminals.
#[derive(Debug)]
pub(crate) struct Reader {
    home: Folder,
    current: PathBuf,
    clone: Option<PathBuf>,
    ports: BTreeMap<u16, u16>,
    servers: BTreeMap<String, Server>,
    variables: Vec<(String, String)>,
}

impl Reader {
    /// One who has this program as `siteserver`.
    pub(crate) fn new(program: &Path) -> Self {
        let home = Folder::new();
        let bin = home.path().join("bin");
        let desk = home.path().join("desk");
        fs::create_dir_all(&bin).expect("a folder");
        fs::create_dir_all(&desk).expect("a folder");
        std::os::unix::fs::symlink(program, bin.join("siteserver")).expect("a link");
        // To a person in front of a terminal curl shows no progress of what it prints.
        home.write(".curlrc", "no-progress-meter\n");
        let path = std::env::var("PATH").unwrap_or_default();
        let variables = vec![
            ("PATH".to_owned(), format!("{}:{path}", bin.display())),
            ("HOME".to_owned(), home.path().display().to_string()),
            ("CURL_HOME".to_owned(), home.path().display().to_string()),
            ("LC_ALL".to_owned(), "C.UTF-8".to_owned()),
        ];
        Self { home, current: desk, clone: None, ports: free_ports(), servers: BTreeMap::new(), variables }
    }

    /// The same with a clone of the project.
    pub(crate) fn with_clone(mut self, clone: &Path) -> Self {
        let cargo = self.home.path().join("bin/cargo");
        fs::write(&cargo, "#!/bin/sh\n").expect("a file");
        fs::set_permissions(cargo, fs::Permissions::from_mode(0o755)).expect("permissions");
        self.clone = Some(clone.to_owned());
        self
    }

    /// Where the reader is.
    pub(crate) fn current(&self) -> &Path {
        &self.current
    }

    /// Does all that a page says. What is not as it says is told with the page, the line and both texts.
    pub(crate) fn follow(&mut self, title: &str, page: &str) -> Result<(), String> {
        let blocks = blocks(page);
        let mut blocks = blocks.iter().peekable();
        while let Some(block) = blocks.next() {
            let at = |what: String| format!("{title}:{}: {what}", block.line);
            match block.language.as_str() {
                "sh" => {
                    let output = blocks.next_if(|next| next.language == "text");
                    let said = self.type_in(block, output.is_none()).map_err(at)?;
                    if let Some(expected) = output
                        && !is_as_shown(&expected.text, &said)
                    {
                        let line = expected.line;
                        return Err(format!("{title}:{line}: the page shows\n{}\nand it is\n{said}", expected.text));
                    }
                }
                "text" => return Err(at("an output without a command".to_owned())),
                _ => {
                    let name = block.name().ok_or_else(|| at("a file without a name".to_owned()))?;
                    let path = self.current.join(name);
                    fs::create_dir_all(path.parent().unwrap_or(&self.current))
                        .map_err(|error| at(error.to_string()))?;
                    fs::write(&path, self.with_free_ports(&block.text)).map_err(|error| at(error.to_string()))?;
                }
            }
        }
        Ok(())
    }

    fn type_in(&mut self, block: &Block, must_succeed: bool) -> Result<String, String> {
        if block.text.starts_with("# in a clone of the project\n") {
            let here = std::mem::replace(&mut self.current, self.clone.clone().ok_or("there is no clone")?);
            let said = self.run(&block.text, must_succeed);
            self.current = here;
            return said;
        }
        match block.terminal() {
            None => self.run(&block.text, must_succeed),
            Some((terminal, true)) => self.end(terminal),
            Some((terminal, false)) => self.start(terminal, block.text.split_once('\n').map_or("", |(_, rest)| rest)),
        }
    }

    /// Types commands, and gives what they print.
    pub(crate) fn run(&mut self, commands: &str, must_succeed: bool) -> Result<String, String> {
        self.servers.values().for_each(Server::is_up_to_date);
        let place = self.home.path().join("place");
        let option = if must_succeed { "set -e" } else { "true" };
        let commands = self.with_free_ports(commands);
        let script = format!(
            "exec 2>&1\n{PATIENCE}\n{option}\n{commands}status=$?\npwd > '{}'\nexit $status\n",
            place.display()
        );
        let output = Command::new("timeout")
            .args([&SAFETY_NET.as_secs().to_string(), "bash", "-c", &script])
            .current_dir(&self.current)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .output()
            .map_err(|error| error.to_string())?;
        let said = self.with_ports_of_pages(&String::from_utf8_lossy(&output.stdout));
        if must_succeed && !output.status.success() {
            return Err(format!("{}:\n{commands}{said}", output.status));
        }
        if let Ok(folder) = fs::read_to_string(place) {
            self.current = folder.trim_end().into();
        }
        Ok(said)
    }

    /// Starts the server that the last of these commands is, and gives what it says until it listens.
    pub(crate) fn start(&mut self, terminal: &str, commands: &str) -> Result<String, String> {
        if self.servers.contains_key(terminal) {
            return Err(format!("something runs in the {terminal} terminal already"));
        }
        let commands = commands.trim_end();
        let (before, command) = commands.rsplit_once('\n').unwrap_or(("", commands));
        let mut command = command.to_owned();
        // A site that does not say where it listens does so at the port that pages name.
        let config = command.split_once("--config ").and_then(|(_, rest)| rest.split_whitespace().next());
        let settings = fs::read_to_string(self.current.join(config.unwrap_or("site.toml"))).unwrap_or_default();
        if !settings.contains("[server]") && !command.contains("server.listen") {
            command.push_str(" --set 'server.listen=[\"127.0.0.1:4000\"]'");
        }
        let mut child = Command::new("bash")
            .args(["-c", &self.with_free_ports(&format!("{before}\nexec {command}"))])
            .current_dir(&self.current)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let messages = Output::of(child.stderr.take().expect("a pipe"));
        let server = Server { child, messages };
        if server.messages.line_after(0, |line| listening(line).is_some()).is_none() {
            return Err(format!("nothing listens:\n{command}\n{}", server.messages.text()));
        }
        let said = self.with_ports_of_pages(&server.messages.text());
        self.servers.insert(terminal.to_owned(), server);
        Ok(said)
    }

    /// Ctrl-C: the server ends, and with exit code 0.
    pub(crate) fn end(&mut self, terminal: &str) -> Result<String, String> {
        let mut server =
            self.servers.remove(terminal).ok_or_else(|| format!("nothing runs in the {terminal} terminal"))?;
        server.signal(rustix::process::Signal::INT);
        server.messages.ended();
        let status = server.child.wait().map_err(|error| error.to_string())?;
        if status.success() { Ok(String::new()) } else { Err(format!("{status}: {}", server.messages.text())) }
    }

    fn with_free_ports(&self, text: &str) -> String {
        self.ports
            .iter()
            .fold(text.to_owned(), |text, (page, free)| text.replace(&format!(":{page}"), &format!(":{free}")))
    }

    fn with_ports_of_pages(&self, text: &str) -> String {
        self.ports
            .iter()
            .fold(text.to_owned(), |text, (page, free)| text.replace(&format!(":{free}"), &format!(":{page}")))
    }
}

/// A free port for each that pages name. A server ends and starts again at the same one, so these are below those that the kernel gives away;
/// no two readers of a process try the same ones, and those of another begin elsewhere.
fn free_ports() -> BTreeMap<u16, u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id().wrapping_mul(7_919);
    let ports = std::iter::repeat_with(|| begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000);
    let ports = ports.map(|number| 20_000 + u16::try_from(number).expect("below 10,000"));
    PORTS.into_iter().zip(ports.filter(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok())).collect()
}

/// Whether this was said: `…` stands for any text in a line, and alone on a line for any lines.
fn is_as_shown(shown: &str, said: &str) -> bool {
    let shown: Vec<_> = shown.trim_end().lines().map(str::trim_end).collect();
    let said: Vec<_> = said.trim_end().lines().map(str::trim_end).collect();
    lines_are_as_shown(&shown, &said)
}

fn lines_are_as_shown(shown: &[&str], said: &[&str]) -> bool {
    match shown.split_first() {
        None => said.is_empty(),
        Some((&"…", rest)) => (0..=said.len()).any(|skipped| lines_are_as_shown(rest, &said[skipped..])),
        Some((first, rest)) => said
            .split_first()
            .is_some_and(|(line, others)| line_is_as_shown(first, line) && lines_are_as_shown(rest, others)),
    }
}

fn line_is_as_shown(shown: &str, said: &str) -> bool {
    let Some((before, rest)) = shown.split_once('…') else { return shown == said };
    let Some(said) = said.strip_prefix(before) else { return false };
    (0..=said.len()).filter(|&at| said.is_char_boundary(at)).any(|at| line_is_as_shown(rest, &said[at..]))
}
