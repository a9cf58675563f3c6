//! The recipes of the cookbook, done as they are written.
//!
//! Each page of `content/docs/cookbook`, and three of the explanations, is read from above: its TOML blocks and the blocks behind a line such
//! as "`layouts/page.html`:" are files of a site; a block behind "… answers `GET /products/7`:" is what its upstreams answer; `sh` blocks are
//! run, and the block right behind one is what they print. In that, `…` stands for any text of a line, and on a line of its own for any
//! lines. A line that begins with "Stop the API" stops the upstreams.

use crate::support::site::{Folder, Options, Site, binary};
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

crate::cases!(every_recipe_does_what_it_says, a_recipe_that_lies_is_noticed);

fn every_recipe_does_what_it_says() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("content/docs");
    let listed = docs.join("cookbook").read_dir().expect("a folder").flatten().map(|entry| entry.path());
    let mut pages: Vec<PathBuf> =
        listed.filter(|path| path.file_name().is_some_and(|name| name != "index.md")).collect();
    pages.extend(["escaping", "failure", "keys"].map(|page| docs.join(format!("explanations/{page}.md"))));
    assert!(pages.len() > 15, "only {} recipes were found", pages.len());
    let next = AtomicUsize::new(0);
    let problems: Vec<String> = thread::scope(|scope| {
        let work = || {
            let mut found = Vec::new();
            while let Some(page) = pages.get(next.fetch_add(1, Ordering::Relaxed)) {
                let text = fs::read_to_string(page).expect("text");
                found.extend(Recipe::read(&text).run().err().map(|problem| format!("{}:{problem}", page.display())));
            }
            found
        };
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker that ends")).collect()
    });
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

fn a_recipe_that_lies_is_noticed() {
    let page = "```toml\n# routes/index.toml\njson = { a = 1 }\n```\n\n```sh\ncurl -s http://127.0.0.1:4000/\n```\n\n```json\n{\"a\":1}\n```\n";
    assert_eq!(Recipe::read(page).run(), Ok(()));
    let problem = Recipe::read(&page.replace("{\"a\":1}", "{\"a\":2}")).run().expect_err("another answer");
    assert!(problem.starts_with("6: ") && problem.contains("{\"a\":2}") && problem.contains("{\"a\":1}"), "{problem}");
}

/// What a page says.
#[derive(Debug, Default)]
struct Recipe {
    files: Vec<(String, String)>,
    answers: HashMap<String, Answer>,
    steps: Vec<Step>,
}

/// What an upstream answers.
#[derive(Debug, Clone)]
struct Answer {
    status: String,
    media_type: &'static str,
    content: String,
}

#[derive(Debug)]
enum Step {
    Run { line: usize, commands: String, printed: Option<String> },
    Stop,
}

impl Recipe {
    fn read(page: &str) -> Self {
        let mut recipe = Self::default();
        let mut before = "";
        let mut lines = page.lines().enumerate();
        while let Some((number, line)) = lines.next() {
            let Some(language) = line.strip_prefix("```") else {
                if line.starts_with("Stop the API") {
                    recipe.steps.push(Step::Stop);
                }
                if !line.trim().is_empty() {
                    before = line;
                }
                continue;
            };
            let block: Vec<&str> =
                lines.by_ref().map(|(_, line)| line).take_while(|line| !line.starts_with("```")).collect();
            recipe.block(number + 1, language, &format!("{}\n", block.join("\n")), before);
            before = "";
        }
        recipe
    }

    /// Takes a block in, with the last line of text before it, which is none right behind another block.
    fn block(&mut self, line: usize, language: &str, text: &str, before: &str) {
        let named = before.strip_prefix('`').and_then(|rest| rest.strip_suffix("`:"));
        let answer = before.rsplit_once("answers `").filter(|_| before.ends_with(':')).map(|(_, rest)| rest);
        if let Some(name) = named {
            self.files.push((name.to_owned(), text.to_owned()));
        } else if let Some((target, rest)) = answer.and_then(|answer| answer.split_once('`')) {
            let status = rest.strip_prefix(" with ").map_or("200", |status| status.trim_end_matches(':'));
            let media_type = match language {
                "json" => "application/json",
                "xml" => "application/xml",
                _ => "text/html; charset=utf-8",
            };
            let answer = Answer { status: status.to_owned(), media_type, content: text.to_owned() };
            self.answers.insert(target.to_owned(), answer);
        } else if language == "toml" {
            let name = text.lines().next().and_then(|first| first.strip_prefix("# ")).expect("the name of a file");
            self.files.push((name.to_owned(), text.to_owned()));
        } else if language == "sh" {
            self.steps.push(Step::Run { line, commands: text.to_owned(), printed: None });
        } else if before.is_empty()
            && let Some(Step::Run { printed, .. }) = self.steps.last_mut()
        {
            *printed = Some(text.to_owned());
        }
    }

    /// Makes the site, serves it, and does what the page does. The error begins with a line of the page.
    fn run(self) -> Result<(), String> {
        let folder = Folder::new();
        folder.write("site.toml", "");
        for (name, text) in &self.files {
            folder.write(name, text);
        }
        let site_toml = self.files.iter().find(|(name, _)| name == "site.toml").map_or("", |(_, text)| text);
        let mut upstream = Some(Upstream::start(self.answers));
        let address = upstream.as_ref().map(Upstream::address).expect("just started");
        let mut options = Options::default();
        let mut check = binary();
        for (name, path) in upstreams(site_toml) {
            let base = format!("upstreams.{name}.base-url=http://{address}{path}");
            options = options.set(&base).set(&format!("upstreams.{name}.allow-private=true"));
        }
        let all: String = self.files.iter().map(|(_, text)| text.as_str()).collect();
        let named: Vec<&str> = all.split("{env.").skip(1).filter_map(|rest| rest.split(['}', ':']).next()).collect();
        let environment: Vec<_> = named.into_iter().map(|name| (name.to_owned(), "0123456789abcdef")).collect();
        for (name, value) in &environment {
            options = options.env(name, value);
            check.env(name, value);
        }
        let said = check.current_dir(folder.path()).arg("check").output().expect("the binary");
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        if !said.starts_with("the site is sound") {
            return Err(format!("1: check is not content:\n{said}"));
        }
        if site_toml.contains("[admin]") {
            options = options.set("admin.listen=127.0.0.1:0");
        }
        let site = options.serve(folder);
        for step in self.steps {
            match step {
                Step::Stop => drop(upstream.take()),
                Step::Run { line, commands, printed } => {
                    let got = run(&site, &environment, &commands);
                    if printed.as_ref().is_some_and(|printed| !fits(printed, &got)) {
                        let printed = printed.unwrap_or_default();
                        return Err(format!("{line}: {commands}\nthe page says:\n{printed}\nit prints:\n{got}"));
                    }
                }
            }
        }
        Ok(())
    }
}

/// The upstreams of a `site.toml`, each with the path of its `base-url`.
fn upstreams(site_toml: &str) -> Vec<(&str, &str)> {
    let tables = site_toml.split("\n[upstreams.").skip(1);
    let named = tables.filter_map(|table| {
        let (name, rest) = table.split_once(']')?;
        let url = rest.split("base-url = \"").nth(1)?.split('"').next()?;
        let authority = url.split_once("://")?.1;
        Some((name, authority.find('/').map_or("", |slash| &authority[slash..])))
    });
    named.collect()
}

/// Runs commands of a page against a site, and returns what they print as the page would show it.
fn run(site: &Site, environment: &[(String, &str)], commands: &str) -> String {
    let address = site.address().to_string();
    let mut commands = commands.replace("127.0.0.1:4000", &address);
    if commands.contains("127.0.0.1:4001") {
        commands = commands.replace("127.0.0.1:4001", &admin(site));
    }
    let program = PathBuf::from(binary().get_program());
    let folders = program.parent().into_iter().map(Path::to_owned);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(folders.chain(std::env::split_paths(&path))).expect("folders");
    let mut command = Command::new("bash");
    command.arg("-c").arg(commands).current_dir(site.folder().path()).env("PATH", path);
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    let output = command.output().expect("bash");
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).replace('\r', "").replace(&address, "127.0.0.1:4000")
}

/// Where the admin listener of a site is.
fn admin(site: &Site) -> String {
    let line = site.wait_for_message(|line| line.contains("admin on "));
    let (_, address) = line.split_once("admin on http://").expect("a TCP address");
    address.trim().to_owned()
}

/// Whether what was printed is what a page shows.
fn fits(shown: &str, printed: &str) -> bool {
    let shown: Vec<&str> = shown.trim_end().lines().map(str::trim_end).collect();
    let printed: Vec<&str> = printed.trim_end().lines().map(str::trim_end).collect();
    lines_fit(&shown, &printed)
}

fn lines_fit(shown: &[&str], printed: &[&str]) -> bool {
    match (shown.split_first(), printed.split_first()) {
        (None, None) => true,
        (Some((&"…", rest)), _) => (0..=printed.len()).any(|skipped| lines_fit(rest, &printed[skipped..])),
        (Some((line, rest)), Some((first, others))) => line_fits(line, first) && lines_fit(rest, others),
        _ => false,
    }
}

fn line_fits(shown: &str, printed: &str) -> bool {
    let Some((start, rest)) = shown.split_once('…') else { return shown == printed };
    let Some(mut left) = printed.strip_prefix(start) else { return false };
    let parts: Vec<&str> = rest.split('…').collect();
    let Some((end, middle)) = parts.split_last() else { return true };
    for part in middle {
        let Some((_, behind)) = left.split_once(part) else { return false };
        left = behind;
    }
    left.ends_with(end)
}

/// Answers what a page says that is answered, and everything else with 404, each on a connection of its own. Dropping it stops it.
struct Upstream {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    accepting: Option<thread::JoinHandle<()>>,
}

impl Upstream {
    fn start(answers: HashMap<String, Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let stopped = Arc::new(AtomicBool::new(false));
        let answers = Arc::new(answers);
        let stop = Arc::clone(&stopped);
        let accepting = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let answers = Arc::clone(&answers);
                thread::spawn(move || answer(stream, &answers));
            }
        });
        Self { address, stopped, accepting: Some(accepting) }
    }

    fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // What wakes it up is not answered, and the port is closed after it.
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            accepting.join().expect("a thread that ends");
        }
    }
}

/// Answers one request. Who goes away meanwhile is no problem of the page's.
fn answer(stream: TcpStream, answers: &HashMap<String, Answer>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let request = line.rsplit_once(' ')?.0.to_owned();
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let without_query = request.split('?').next().unwrap_or(&request);
    let nothing = Answer { status: "404".to_owned(), media_type: "application/json", content: "{}\n".to_owned() };
    let Answer { status, media_type, content } =
        answers.get(&request).or_else(|| answers.get(without_query)).unwrap_or(&nothing);
    let content = if request.starts_with("HEAD ") { "" } else { content };
    let length = content.len();
    let head = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    let mut stream = reader.into_inner();
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(content.as_bytes()).ok()
}
