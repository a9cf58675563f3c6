//! How the program behaves at a terminal, in a pipe and in a shell: colours, progress, help, completions, manual pages, exit codes.

use crate::support::SAFETY_NET;
use crate::support::site::{Folder, binary};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::ffi::OsStr;
use std::fs::{File, OpenOptions, read_dir, read_to_string};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Instant;

crate::cases!(
    colours_are_for_terminals,
    whoever_waits_at_a_terminal_is_told,
    nobody_else_is_told,
    quiet_says_only_what_is_wrong,
    verbose_says_what_was_read,
    quiet_and_verbose_are_no_pair,
    every_help_has_examples,
    help_is_an_answer_and_a_mistake_is_not,
    a_reader_who_leaves_does_no_harm,
    what_cannot_be_written_is_no_success,
    a_site_is_its_folder,
    a_part_of_a_site_is_no_site,
    a_shell_completes_the_commands,
    manual_pages_are_whole,
);

const SOUND: &str = "-- site.toml --\n-- routes/hello.toml --\njson = { hello = \"world\" }\n";
const BROKEN: &str = "-- site.toml --\n[server]\nprot = 1\n";
const ESCAPE: char = '\u{1b}';

/// The site of an archive, and its `--config`.
fn site(archive: &str) -> (Folder, [String; 2]) {
    let folder = Folder::new();
    folder.unpack(archive);
    let config = folder.path().join("site.toml").display().to_string();
    (folder, ["--config".to_owned(), config])
}

/// A command at a terminal.
struct AtTerminal {
    child: Child,
    terminal: File,
    shown: String,
}

impl AtTerminal {
    fn start(mut command: Command) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&terminal).and_then(|()| unlockpt(&terminal)).expect("a terminal");
        let name = ptsname(&terminal, Vec::new()).expect("its name");
        let name = Path::new(OsStr::from_bytes(name.as_bytes()));
        let open = || Stdio::from(OpenOptions::new().read(true).write(true).open(name).expect("the other end"));
        command.env("TERM", "xterm").stdin(open()).stdout(open()).stderr(open());
        let child = command.spawn().expect("the binary");
        // With it go the ends that the command has not inherited, so that the last of them is closed when it ends.
        drop(command);
        Self { child, terminal: File::from(terminal), shown: String::new() }
    }

    /// Reads on until `what` was shown.
    fn shows(&mut self, what: &str) {
        while !self.shown.contains(what) {
            assert!(self.read(), "{what:?} is not in {:?}", self.shown);
        }
    }

    /// All that it shows, and how it ends.
    fn end(mut self) -> (String, ExitStatus) {
        while self.read() {}
        (std::mem::take(&mut self.shown), self.child.wait().expect("an end"))
    }

    fn read(&mut self) -> bool {
        let mut bytes = [0; 4096];
        // A terminal whose other end is closed is an error.
        let read = self.terminal.read(&mut bytes).unwrap_or(0);
        self.shown.push_str(&String::from_utf8_lossy(&bytes[..read]));
        read > 0
    }
}

impl Drop for AtTerminal {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn run(arguments: &[&str], config: &[String]) -> (Option<i32>, String, String) {
    let output = binary().args(arguments).args(config).output().expect("the binary");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn colours_are_for_terminals() {
    let (_folder, config) = site(BROKEN);
    let wrong: [&[&str]; 4] = [&["check"], &["routes"], &["--help"], &["--nonsense"]];
    for arguments in wrong {
        let (_, out, err) = run(arguments, &config);
        assert!(!format!("{out}{err}").contains(ESCAPE), "in a pipe: {out}{err}");
        let at_terminal = |name: &str, value: &str| {
            let mut command = binary();
            command.args(arguments).args(&config).env_remove("NO_COLOR").env(name, value);
            AtTerminal::start(command).end().0
        };
        assert!(at_terminal("IRRELEVANT", "1").contains(ESCAPE), "{arguments:?} has colours");
        let spared = at_terminal("NO_COLOR", "1");
        assert!(spared.len() > 20 && !spared.contains(&format!("{ESCAPE}[3")), "{arguments:?}: {spared}");
    }
}

/// A server that answers one purge, when it is let go.
struct Held {
    address: SocketAddr,
    asked: Receiver<()>,
    release: Sender<()>,
}

impl Held {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let ((told, asked), (release, released)) = (channel(), channel());
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut request = Vec::new();
            while !request.ends_with(b"{\"all\":true}") {
                let mut byte = [0];
                stream.read_exact(&mut byte).expect("a request");
                request.push(byte[0]);
            }
            told.send(()).expect("a test");
            released.recv_timeout(SAFETY_NET).expect("a test");
            let body = "{\"entries\":2,\"bytes\":9}";
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).expect("a client");
        });
        Self { address, asked, release }
    }

    fn site(&self) -> String {
        format!("-- site.toml --\n[admin]\nlisten = \"{}\"\n", self.address)
    }

    fn asked(&self) {
        self.asked.recv_timeout(SAFETY_NET).expect("a request");
    }

    fn release(&self) {
        self.release.send(()).expect("a server");
    }
}

fn whoever_waits_at_a_terminal_is_told() {
    let held = Held::start();
    let (_folder, config) = site(&held.site());
    let mut command = binary();
    command.args(["purge", "--all"]).args(&config);
    let mut waiting = AtTerminal::start(command);
    waiting.shows("purging: 1 s");
    held.release();
    let (shown, status) = waiting.end();
    assert!(status.success(), "{shown}");
    let last = shown.rsplit(ESCAPE).next().unwrap_or_default();
    assert!(last.starts_with("[Kpurged: 2 stored items"), "the line is gone when it is done: {shown:?}");
}

fn nobody_else_is_told() {
    let held = Held::start();
    let (_folder, config) = site(&held.site());
    let command = binary().args(["purge", "--all"]).args(&config).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let command = command.expect("the binary");
    held.asked();
    held.release();
    let output = command.wait_with_output().expect("an end");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "purged: 2 stored items, 9 bytes\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

fn quiet_says_only_what_is_wrong() {
    let (_folder, config) = site(SOUND);
    for flag in ["-q", "--quiet"] {
        assert_eq!(run(&["check", flag], &config), (Some(0), String::new(), String::new()));
    }
    let (_folder, config) = site(BROKEN);
    let (code, out, err) = run(&["check", "-q"], &config);
    assert!(code == Some(1) && err.is_empty(), "{err}");
    assert!(out.contains("config/unknown-key") && !out.contains("cannot be served"), "{out}");
    // Of a server the only word is the last: it cannot listen on what another one has.
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let sound = format!("{SOUND}-- site.toml --\n[server]\nlisten = [\"{}\"]\n", taken.local_addr().expect("one"));
    let (_folder, config) = site(&sound);
    let (code, out, err) = run(&["-q"], &config);
    assert_eq!((code, out.as_str(), err.lines().count()), (Some(1), "", 1), "{err}");
    assert!(err.starts_with("error: "), "{err}");
    // And one that can says nothing of where it listens, of edits and of the end.
    let folder = Folder::new();
    let socket = folder.path().join("site.sock");
    folder.unpack(&format!("{SOUND}-- site.toml --\n[server]\nlisten = [\"unix:{}\"]\n", socket.display()));
    let mut command = binary();
    command.arg("--quiet").arg("--config").arg(folder.path().join("site.toml"));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary");
    let begun = Instant::now();
    let mut stream = loop {
        match UnixStream::connect(&socket) {
            Ok(stream) => break stream,
            Err(_) => assert!(begun.elapsed() < SAFETY_NET, "nobody listens"),
        }
        thread::yield_now();
    };
    // Whoever is answered knows that signals mean what they should.
    stream.write_all(b"GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::TERM).expect("a process");
    let output = child.wait_with_output().expect("an end");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

fn verbose_says_what_was_read() {
    let (_folder, config) = site(SOUND);
    for flag in ["-v", "--verbose"] {
        let (code, out, _) = run(&["check", flag], &config);
        assert_eq!(code, Some(0));
        assert!(out.starts_with("2 files read, 0 layouts compiled, 0 documents rendered in "), "{out}");
        assert!(out.contains("\nmemory: "), "{out}");
    }
}

fn quiet_and_verbose_are_no_pair() {
    let (code, out, err) = run(&["check", "-q", "-v"], &[]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("cannot be used with"), "{err}");
}

/// The commands that a help lists, each with `within` before it.
fn commands(within: &[String]) -> Vec<Vec<String>> {
    let output = binary().args(within).arg("--help").output().expect("the binary");
    let help = String::from_utf8(output.stdout).expect("UTF-8");
    let listed = help.split("\nCommands:\n").nth(1).unwrap_or_default().lines().take_while(|line| !line.is_empty());
    let names = listed.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.map(|name| within.iter().cloned().chain([name.to_owned()]).collect()).collect()
}

fn every_help_has_examples() {
    let all = commands(&[]);
    assert!(all.len() > 9, "{all:?}");
    for command in all.into_iter().chain([Vec::new()]) {
        let output = binary().args(&command).arg("--help").output().expect("the binary");
        let help = String::from_utf8(output.stdout).expect("UTF-8");
        let examples = help.split("\nExamples:\n").nth(1).unwrap_or_default();
        let mut lines = examples.lines().take_while(|line| !line.is_empty());
        assert!(lines.any(|line| line.contains("siteserver")), "{command:?} has no example:\n{help}");
    }
}

fn help_is_an_answer_and_a_mistake_is_not() {
    let (code, out, err) = run(&["--help"], &[]);
    assert!(code == Some(0) && out.contains("Exit codes:") && err.is_empty(), "{err}");
    let (code, out, err) = run(&["chek"], &[]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("check"), "it is said what was probably meant: {err}");
    for (typed, meant) in [
        (&["nwe"][..], "'new'"),
        (&["sevre"], "'serve'"),
        (&["explian", "/"], "'explain'"),
        (&["chekc"], "'check'"),
        (&["new", "x", "--statrer", "shop"], "'--starter'"),
        (&["check", "--confg", "x"], "'--config'"),
        (&["schema", "ruote"], "'route'"),
    ] {
        let (code, out, err) = run(typed, &[]);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{typed:?}");
        assert!(err.contains("tip: ") && err.contains(meant), "{typed:?}: {err}");
    }
    let (_, _, err) = run(&["something-else-altogether"], &[]);
    assert!(!err.contains("tip: "), "{err}");
    // A site whose declarations are wrong is no wrong use of the program, wherever they stand.
    let (_folder, config) = site(SOUND);
    for set in ["nothing", "server.prot=1", "server.listen=1"] {
        let (code, out, _) = run(&["check", "--set", set], &config);
        assert!(code == Some(1) && out.contains("--set 1:1:"), "{set}: {out}");
    }
    let (code, out, _) = run(&["--version"], &[]);
    assert_eq!((code, out), (Some(0), format!("siteserver {}\n", env!("CARGO_PKG_VERSION"))));
}

fn a_reader_who_leaves_does_no_harm() {
    let (_folder, config) = site(SOUND);
    for arguments in [&["check", "--explain"][..], &["--help"], &["routes"], &["schema", "route"]] {
        let mut command = binary();
        command.args(arguments).args(&config).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("an end");
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(0) && err.is_empty(), "{arguments:?}: {:?} {err}", output.status);
    }
}

fn what_cannot_be_written_is_no_success() {
    let (_folder, config) = site(SOUND);
    for arguments in [&["schema", "route"][..], &["routes"], &["completions", "zsh"], &["check"], &["--help"], &["man"]]
    {
        let full = OpenOptions::new().write(true).open("/dev/full").expect("a disk without room");
        let output = binary().args(arguments).args(&config).stdout(full).output().expect("the binary");
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {err}");
        assert!(err.starts_with("error: the standard output cannot be written: "), "{arguments:?}: {err}");
    }
}

fn a_site_is_its_folder() {
    let (folder, _) = site(SOUND);
    let (code, out, err) = run(&["check", "--config", &folder.path().display().to_string()], &[]);
    assert!(code == Some(0) && out.starts_with("the site is sound: 1 route"), "{out}{err}");
    let nothing = Folder::new();
    let (code, out, _) = run(&["check", "--config", &nothing.path().display().to_string()], &[]);
    assert!(code == Some(1) && out.contains("site/missing") && out.contains("siteserver new"), "{out}");
}

fn a_part_of_a_site_is_no_site() {
    let folder = Folder::new();
    folder.unpack("-- site.toml --\n-- routes/shop/index.toml --\njson = 1\n-- layouts/a.html --\n-- notes.txt --\n-- own.toml --\n");
    let at = |path: &str| folder.path().join(path).display().to_string();
    for path in ["routes/shop/index.toml", "layouts/a.html"] {
        let (code, out, err) = run(&["check", "--config", &at(path)], &[]);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
        let advice = format!("is a part of a site: --config takes its `{}`", at("site.toml"));
        assert!(err.contains(&advice), "{err}");
    }
    let (code, _, err) = run(&["--config", &at("notes.txt")], &[]);
    assert!(code == Some(2) && err.contains("is no site: --config takes a `site.toml`"), "{err}");
    let (code, out, _) = run(&["check", "--config", &at("own.toml")], &[]);
    assert!(code == Some(0), "a site may be called otherwise: {out}");
    let nowhere = Folder::new();
    let output = binary().current_dir(nowhere.path()).args(["schema", "--write"]).output().expect("the binary");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && err.contains("there is no site at `./site.toml`"), "{err}");
    assert!(read_dir(nowhere.path()).expect("a folder").next().is_none(), "nothing is written");
    let (code, _, err) = run(&["bundle", "--extract", &at("copy")], &[]);
    assert!(
        code == Some(1) && err.contains("this program has no site inside") && err.contains("siteserver bundle"),
        "{err}"
    );
    assert!(!folder.path().join("copy").exists());
}

fn a_shell_completes_the_commands() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, script, err) = run(&["completions", shell], &[]);
        assert!(code == Some(0) && script.contains("siteserver") && script.contains("openapi"), "{shell}: {err}");
        folder.write(shell, &script);
    }
    let completed = |words: &str, at: usize| {
        let ask = format!(
            "source ./bash; COMP_WORDS=({words}); COMP_CWORD={at}; \
             _siteserver siteserver \"${{COMP_WORDS[{at}]}}\" \"${{COMP_WORDS[{at} - 1]}}\"; echo ${{COMPREPLY[@]}}"
        );
        let output = Command::new("bash").arg("-c").arg(ask).current_dir(folder.path()).output().expect("bash");
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    };
    assert_eq!(completed("siteserver che", 1), "check");
    assert_eq!(completed("siteserver check --ex", 2), "--explain");
    assert_eq!(completed("siteserver completions ba", 2), "bash");
}

fn manual_pages_are_whole() {
    let folder = Folder::new();
    let (code, out, err) = run(&["man", "--write", &folder.path().display().to_string()], &[]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("siteserver-try-liquid.1"), "{out}");
    let formatter = Command::new("groff").arg("--version").output().is_ok_and(|output| output.status.success());
    if !formatter {
        println!("groff is missing: nobody reads the pages");
    }
    let mut seen = 0;
    for entry in read_dir(folder.path()).expect("a folder").flatten() {
        let text = read_to_string(entry.path()).expect("text");
        let name = entry.path().file_stem().expect("a name").to_string_lossy().replace('-', "\\-");
        assert!(text.contains(&name) && text.contains(".SH OPTIONS"), "{name}");
        if formatter {
            let output =
                Command::new("groff").args(["-Kutf8", "-man", "-ww", "-z"]).arg(entry.path()).output().expect("groff");
            assert!(output.stderr.is_empty(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        }
        seen += 1;
    }
    assert!(seen > 12, "only {seen} pages");
    let (code, one, _) = run(&["man", "try", "liquid"], &[]);
    assert_eq!((code, one), (Some(0), read_to_string(folder.path().join("siteserver-try-liquid.1")).expect("text")));
    let (code, out, err) = run(&["man", "chek"], &[]);
    assert!(code == Some(2) && out.is_empty() && err.contains("check"), "{err}");
}
