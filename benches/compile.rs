//! Measures what loading a site costs: 1,000 routes with a source each, 100 layouts and 10,000 documents.
//!
//! Times are printed as ratios to reading the same files with the standard library, one after the other, in the same process; the least of
//! several rounds each, the two taking turns. Memory is what the process holds more with the site than without.

use anyhow::{Context, Result, ensure};
use siteserver::config::Environment;
use siteserver::site::{Memory, load_again};
use std::fs;
use std::hint::black_box;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Routes with a layout, a query value, a source and a policy.
const ROUTES: usize = 1_000;
/// Documents of some 2 KiB, each with its route.
const DOCUMENTS: usize = 10_000;
/// Documents in one folder.
const FOLDER: usize = 500;
/// Layouts of some 2 KiB, each around ten routes.
const LAYOUTS: usize = 100;
/// Rounds, unless `ROUNDS` says otherwise.
const ROUNDS: usize = 5;
/// After this a file's stamp alone tells that it did not change.
const SETTLED: Duration = Duration::from_secs(4);

fn main() -> Result<()> {
    let rounds = std::env::var("ROUNDS").ok().map_or(Ok(ROUNDS), |rounds| rounds.parse()).context("ROUNDS")?;
    let folder = std::env::temp_dir().join(format!("siteserver-compile-{}", std::process::id()));
    let measured = generate(&folder).and_then(|()| measure(&folder, rounds));
    fs::remove_dir_all(&folder).context("the site cannot be removed")?;
    measured
}

/// Writes the site.
fn generate(folder: &Path) -> Result<()> {
    let write = |path: &str, text: &str| -> Result<()> {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().context("a folder")?)?;
        fs::write(path, text)?;
        Ok(())
    };
    write("site.toml", "[site]\nname = \"Large\"\n\n[upstreams.api]\nbase-url = \"https://api.example.com\"\n")?;
    write("routes/_section.toml", "layout = \"page.html\"\n\n[cache]\ns-maxage = \"10s\"\n")?;
    write(
        "layouts/page.html",
        "<!doctype html>\n<title>{{ page.title }}</title>\n{% render \"head\" %}\n<h1>{{ page.title }}</h1>\n{{ content }}\n<p>{{ page.path }}</p>\n",
    )?;
    write("layouts/partials/head.html", "<meta charset=\"utf-8\">\n")?;
    let row = "<tr>{% if thing.name contains 'a' %}<td class=\"{{ thing.name | downcase }}\">{{ thing.name | upcase }}</td>{% else %}<td>{{ page.title | truncate: 20 }}</td>{% endif %}</tr>\n";
    for number in 0..LAYOUTS {
        write(
            &format!("layouts/kinds/{number}.html"),
            &format!(
                "+++\nlayout = \"page.html\"\n+++\n<h2>{number}</h2>\n<ul>{{% for tag in thing.tags %}}<li>{{{{ tag }}}}</li>{{% endfor %}}</ul>\n<table>\n{}</table>\n",
                row.repeat(12)
            ),
        )?;
    }
    for number in 0..ROUTES {
        let kind = number % LAYOUTS;
        write(
            &format!("routes/items/{}/{number}.toml", number / FOLDER),
            &format!(
                "layout = \"kinds/{kind}.html\"\ntitle = \"Item {number}\"\n\n[query.page]\ntype = \"int\"\ndefault = 1\n\n[sources.thing]\nupstream = \"api\"\npath = \"/items/{number}\"\nquery = {{ page = \"{{query.page}}\" }}\nextract.name = {{ select = \"$.name\", required = true }}\nextract.tags = {{ select = \"$.tags[*]\", default = [] }}\n"
            ),
        )?;
    }
    let paragraph =
        "Some *text* with `code`, a [link](https://example.com/) and **more** of it, as documents have.\n\n";
    for number in 0..DOCUMENTS {
        let (folder, name) = (number / FOLDER, number);
        write(&format!("routes/docs/{folder}/{name}.toml"), &format!("content = \"docs/{folder}/{name}.md\"\n"))?;
        write(
            &format!("content/docs/{folder}/{name}.md"),
            &format!(
                "+++\ntitle = \"Document {number}\"\n+++\n\n{0}## One\n\n{0}{0}\n- a\n- b\n\n## Two\n\n{0}\n```rust\nfn main() {{}}\n```\n",
                paragraph.repeat(3)
            ),
        )?;
    }
    Ok(())
}

fn measure(folder: &Path, rounds: usize) -> Result<()> {
    // Whoever reads them warms the cache of the system for the other.
    let mut paths = Vec::new();
    files(folder, &mut paths)?;
    std::thread::sleep(SETTLED);
    let config = folder.join("site.toml");
    let environment = Environment::default();
    let memory = Memory::default();
    let load = |memory: &Memory| -> Result<Duration> {
        let begun = Instant::now();
        let loaded = load_again(&config, &[], &environment, memory);
        let elapsed = begun.elapsed();
        let first = loaded.findings.iter().next();
        let site = loaded.site.with_context(|| format!("the site does not load: {first:?}"))?;
        ensure!(black_box(&site).routes.len() == ROUTES + DOCUMENTS, "{} routes", site.routes.len());
        Ok(elapsed)
    };
    let before = resident()?;
    let kept = load_again(&config, &[], &environment, &memory);
    let held = resident()?.saturating_sub(before);
    let text: u64 = paths.iter().map(|path| fs::metadata(path).map_or(0, |metadata| metadata.len())).sum();
    drop(kept);
    let edited = folder.join("content/docs/0/7.md");
    let (mut read, mut first, mut same, mut one) = (Duration::MAX, Duration::MAX, Duration::MAX, Duration::MAX);
    let mut counts = [(0, 0, 0); 2];
    for round in 0..rounds {
        let begun = Instant::now();
        for path in &paths {
            black_box(fs::read_to_string(path)?);
        }
        read = read.min(begun.elapsed());
        first = first.min(load(&Memory::default())?);
        same = same.min(load(&memory)?);
        counts[0] = (memory.read_count(), memory.rendered_count(), memory.compiled_count());
        fs::write(&edited, format!("# Edited {round}\n"))?;
        one = one.min(load(&memory)?);
        counts[1] = (memory.read_count(), memory.rendered_count(), memory.compiled_count());
        std::thread::sleep(SETTLED);
        load(&memory)?;
    }
    let ratio = |time: Duration| time.as_secs_f64() / read.as_secs_f64();
    let mut out = stdout();
    writeln!(
        out,
        "{ROUTES} routes, {LAYOUTS} layouts and {DOCUMENTS} documents: {} files, {} KiB",
        paths.len(),
        text >> 10
    )?;
    writeln!(out, "reading them           {:>8.1} ms", read.as_secs_f64() * 1000.0)?;
    writeln!(out, "first load             {:>8.2} x", ratio(first))?;
    for (name, time, (files, documents, layouts)) in
        [("reload, no change", same, counts[0]), ("reload, one edit", one, counts[1])]
    {
        writeln!(
            out,
            "{name:<22} {:>8.2} x   {files} files read, {documents} documents rendered, {layouts} layouts compiled",
            ratio(time)
        )?;
    }
    writeln!(
        out,
        "memory of the site     {:>8} KiB, {} for each 100 bytes of its files",
        held >> 10,
        held * 100 / text.max(1)
    )?;
    Ok(())
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { files(&path, found)? } else { found.push(path) }
    }
    Ok(())
}

/// Bytes that the process holds in memory.
fn resident() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
}
