//! Gives the program a name that changes with whatever its pages may depend on: its own text and the versions of what it is built of.
//!
//! Entity tags are made of what a page is made of, and the program is one of these things: after an upgrade that renders otherwise, no browser
//! may be told that its copy is current. The same text gives the same name on every machine.
//!
//! And has the addresses that are written into the program when it starts told in a few kilobytes instead of a megabyte (`DT_RELR`), which is
//! read at each start, and stays in memory, if the C library that the program is linked with understands that.

use std::error::Error;
use std::hash::{DefaultHasher, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

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
    if understands_relr() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    for path in ["build.rs", "src", "Cargo.toml", "Cargo.lock"] {
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

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { find(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
