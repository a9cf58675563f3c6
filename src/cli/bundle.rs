//! `siteserver bundle`: one program with a checked site inside, and the way back to its files.
//!
//! What is written is what was checked: the files are gathered first, and the site is loaded once more from what was gathered.

use super::arguments::{BundleArguments, SiteArguments};
use super::console::{Terminal, counted, summary};
use super::{USAGE, inside, load, messages};
use crate::config::{Archive, pack};
use crate::site::Loaded;
use anyhow::{Context as _, anyhow, bail};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The variable that bounds all times of what is built (<https://reproducible-builds.org/specs/source-date-epoch/>).
const LATEST: &str = "SOURCE_DATE_EPOCH";

/// Writes the program, or the files of the site inside this one.
pub(super) fn bundle(arguments: &SiteArguments, how: &BundleArguments) -> anyhow::Result<ExitCode> {
    if let Some(folder) = &how.extract {
        let archive = arguments.inside.as_ref().context(
            "this program has no site inside to extract: `--extract` is for one that `siteserver bundle` has written",
        )?;
        extract(archive, folder).with_context(|| format!("cannot extract into `{}`", folder.display()))?;
        if !arguments.voice.quiet {
            let files = counted(archive.files().len(), "file");
            Terminal::stdout().line(&format!("wrote {files} to {}", folder.display()));
        }
        return Ok(ExitCode::SUCCESS);
    }
    if !arguments.sets.is_empty() {
        let way_out = "write it in site.toml, or give it to the program that is written";
        Terminal::stderr().problem(&anyhow!("--set is not put inside: {way_out}"));
        return Ok(ExitCode::from(USAGE));
    }
    let environment = load::environment().lenient();
    let secrets = environment.secrets();
    messages::of_panics(secrets);
    let Loaded { site, findings, files } = load::load(arguments, &environment);
    Terminal::stderr().keeping(secrets).findings(&findings, &files);
    let site = site.ok_or_else(|| anyhow!("nothing is bundled: {}", summary(&findings)))?;
    let bytes = pack(&site.origin, &site.beside, latest()?).context("nothing is bundled")?;
    let archive = Arc::new(Archive::read(&bytes, blake3::hash(&bytes)).context("nothing is bundled")?);
    let within = SiteArguments { inside: Some(Arc::clone(&archive)), ..arguments.clone() };
    let is_same = load::load(&within, &environment).site.is_some_and(|within| within.revision == site.revision);
    if !is_same {
        bail!("nothing is bundled: the site was edited meanwhile; do it again");
    }
    if site.auth.basic.is_some() {
        let what = "the users of `[auth.basic]` are inside, with the hashes of their passwords";
        let way_out = "give the program only to those who may have that file";
        Terminal::stderr().line(&format!("warning: {what}: {way_out}"));
    }
    let length = inside::write(&bytes, &how.output)?;
    if !arguments.voice.quiet {
        let (whole, part) = (size(length), size(bytes.len() as u64));
        let (files, digest) = (counted(archive.files().len(), "file"), archive.digest().to_hex());
        let output = how.output.display();
        Terminal::stdout()
            .write(&format!("wrote {output}: {whole}, of which {part} are the site ({files})\nsite {digest}\n"));
    }
    Ok(ExitCode::SUCCESS)
}

/// No time inside is later than this.
fn latest() -> anyhow::Result<Option<SystemTime>> {
    let Some(text) = std::env::var_os(LATEST) else { return Ok(None) };
    let seconds = text.to_str().and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let time = seconds.and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(seconds));
    time.map(Some)
        .with_context(|| format!("{LATEST} is `{}`: it must be a number of seconds since 1970", text.display()))
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// Writes the files of an archive into a folder of their own.
fn extract(archive: &Archive, folder: &Path) -> anyhow::Result<()> {
    match fs::read_dir(folder) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                bail!("it is not empty");
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir_all(folder)?,
        Err(error) => return Err(error.into()),
    }
    for file in archive.files() {
        // The paths of an archive stay below the folder, and nothing is there that could lead elsewhere.
        let path = folder.join(&*file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut written = File::create_new(&path).with_context(|| file.path.to_string())?;
        written.write_all(&file.bytes)?;
        if let Some(modified) = file.modified {
            written.set_modified(modified)?;
        }
    }
    Ok(())
}
