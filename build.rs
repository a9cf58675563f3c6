//! Gives the program a name that changes with whatever its pages may depend on: its own text and the versions of what it is built of.
//!
//! Entity tags are made of what a page is made of, and the program is one of these things: after an upgrade that renders otherwise, no browser
//! may be told that its copy is current. The same text gives the same name on every machine.
//!
//! Lists the starters, the folders `examples/starter-…`, so that the program holds every file of them, and none is forgotten.
//!
//! And has the addresses that are written into the program when it starts told in a few kilobytes instead of a megabyte (`DT_RELR`), which is
//! read at each start, and stays in memory, if the C library that the program is linked with understands that.

use std::error::Error;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Every program carries the starters, so none of their files is larger than that.
const LARGEST: u64 = 64 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let mut files = vec![root.join("Cargo.toml"), root.join("Cargo.lock")];
    find(&root.join("src"), &mut files)?;
    files.sort();
    // Its keys are the same in every process. Nobody chooses the text of the program so that two versions collide.
    let mut hasher = DefaultHasher::new();
    for file in files {
        let text = fs::read(&file)?;
        hasher.write(file.strip_prefix(&root)?.to_string_lossy().as_bytes());
        hasher.write_usize(text.len());
        hasher.write(&text);
    }
    println!("cargo::rustc-env=SITESERVER_PROGRAM={}-{:016x}", env::var("CARGO_PKG_VERSION")?, hasher.finish());
    starters(&root)?;
    if understands_relr() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    for path in ["build.rs", "src", "examples", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={path}");
    }
    Ok(())
}

/// Whether the program is linked with the GNU C library 2.36 or later, whose static start-up code knows `DT_RELR`.
fn understands_relr() -> bool {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|it| it.split(',').any(|one| one == value));
    let is_for_this_machine = env::var("TARGET").ok() == env::var("HOST").ok();
    if !(is_for_this_machine && is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu")) {
        return false;
    }
    let Ok(output) = Command::new("getconf").arg("GNU_LIBC_VERSION").output() else { return false };
    let said = String::from_utf8_lossy(&output.stdout);
    let mut numbers = said.trim().trim_start_matches("glibc ").split('.').map_while(|part| part.parse::<u32>().ok());
    matches!((numbers.next(), numbers.next()), (Some(2), Some(36..)) | (Some(3..), _))
}

/// Writes `starters.rs`: a list of the starters, each with its files and what is in them.
fn starters(root: &Path) -> Result<(), Box<dyn Error>> {
    let mut list = String::from("&[\n");
    let mut folders: Vec<PathBuf> = fs::read_dir(root.join("examples"))?.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    for folder in folders {
        let Some(name) = folder.file_name().and_then(|name| name.to_str()?.strip_prefix("starter-")) else { continue };
        let mut files = Vec::new();
        find(&folder, &mut files)?;
        files.sort();
        writeln!(list, "    ({name:?}, &[")?;
        for file in files {
            let path = file.strip_prefix(&folder)?.to_str().ok_or("a name that is not text")?;
            // What `siteserver schema --write` leaves behind is made anew by whoever makes a site.
            if path.starts_with(".siteserver/") || path == ".taplo.toml" {
                continue;
            }
            if fs::metadata(&file)?.len() > LARGEST {
                return Err(format!("{} is too large for a starter", file.display()).into());
            }
            let whole = file.to_str().ok_or("a name that is not text")?;
            writeln!(list, "        File {{ path: {path:?}, bytes: include_bytes!({whole:?}) }},")?;
        }
        list.push_str("    ]),\n");
    }
    list.push_str("]\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("starters.rs"), list)?;
    Ok(())
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { find(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
