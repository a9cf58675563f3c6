//! Gives the program a name that changes with whatever its pages may depend on: its own text and the versions of what it is built of.
//!
//! Entity tags are made of what a page is made of, and the program is one of these things: after an upgrade that renders otherwise, no browser
//! may be told that its copy is current. The same text gives the same name on every machine.

use std::error::Error;
use std::hash::{DefaultHasher, Hasher as _};
use std::path::{Path, PathBuf};
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
    for path in ["build.rs", "src", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={path}");
    }
    Ok(())
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { find(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
