//! The site inside this program: finding it when the program starts, and writing the program with another one inside.
//!
//! Behind the program stands the archive of the site, and behind that a trailer: the length of the archive (8 bytes, the lowest first), its
//! BLAKE3 digest (32 bytes), and [`MARK`]. A program that is run reads its own file: it is known without a file system of the kernel's, because
//! the kernel tells each program under which path it was started.

use crate::config::Archive;
use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use rustix::param::linux_execfn;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a program with a site inside ends with.
const MARK: [u8; 8] = *b"siteEND1";

/// The length of the trailer.
const TRAILER: u64 = 48;

/// What every program of this system begins with.
const ELF: [u8; 4] = *b"\x7fELF";

/// Who may do what with a program that is written.
const MODE: u32 = 0o755;

/// The file of this program, and where the parts of it are.
struct Program {
    file: File,
    /// How long the program is without a site.
    bare: u64,
    /// The site behind it.
    site: Option<(Bytes, blake3::Hash)>,
}

/// The site inside this program, if there is one.
pub(super) fn find() -> anyhow::Result<Option<Arc<Archive>>> {
    // Who cannot read the program cannot tell, and a program without a site need not be readable.
    let Ok(file) = this() else { return Ok(None) };
    let damaged = "the site inside this program is damaged: copy the file again, or bundle the site anew";
    let site = Program::read(file).context(damaged)?.site;
    let read = |(bytes, digest)| Archive::read(&bytes, digest).map(Arc::new).context(damaged);
    site.map(read).transpose()
}

/// Writes this program with the site in `archive` inside to `output`, in one step. Returns its length.
pub(super) fn write(archive: &Bytes, output: &Path) -> anyhow::Result<u64> {
    let program = this().and_then(Program::read).context("this program cannot read itself")?;
    let name = output.file_name().with_context(|| format!("`{}` is no name of a file", output.display()))?;
    refuse_other(output)?;
    let failed = || format!("cannot write `{}`", output.display());
    let (beside, file) = new_beside(output, name).with_context(failed)?;
    let written = program.write(archive, file).and_then(|length| {
        fs::rename(&beside, output)?;
        Ok(length)
    });
    written.inspect_err(|_| drop(fs::remove_file(&beside))).with_context(failed)
}

/// A new file beside `output`, which takes its place once it is whole.
fn new_beside(output: &Path, name: &OsStr) -> io::Result<(PathBuf, File)> {
    let mut attempt = 0;
    loop {
        let mut beside = OsStr::new(".").to_owned();
        beside.push(name);
        beside.push(format!(".{}.{attempt}", std::process::id()));
        let path = output.with_file_name(beside);
        match OpenOptions::new().write(true).create_new(true).mode(MODE).open(&path) {
            Ok(file) => return Ok((path, file)),
            // One that an earlier attempt has left.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 100 => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Refuses to replace what is no program: a name that was mistyped must not cost a file.
fn refuse_other(output: &Path) -> anyhow::Result<()> {
    let Ok(mut file) = File::open(output) else { return Ok(()) };
    let mut beginning = [0; ELF.len()];
    match file.read_exact(&mut beginning) {
        Ok(()) if beginning == ELF => Ok(()),
        _ => Err(anyhow!("`{}` is there, and is no program: remove it, or choose another name", output.display())),
    }
}

/// The file of this program.
fn this() -> io::Result<File> {
    // This one leads to what runs, also when another file stands in its place by now.
    File::open("/proc/self/exe").or_else(|_| File::open(OsStr::from_bytes(linux_execfn().to_bytes())))
}

impl Program {
    fn read(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        let Some(trailer) = Trailer::read(&file, length)? else {
            // What is cut short ends with something else, but does not begin so.
            let end = end_of_elf(&file).unwrap_or(length).min(length);
            let mut behind = Vec::new();
            let mut rest = &file;
            rest.seek(SeekFrom::Start(end))?;
            rest.take(Archive::MAGIC.len() as u64).read_to_end(&mut behind)?;
            let is_cut = !behind.is_empty() && Archive::MAGIC.starts_with(&behind);
            return if is_cut { Err(cut()) } else { Ok(Self { file, bare: length, site: None }) };
        };
        let bare = length.checked_sub(TRAILER + trailer.length).ok_or_else(cut)?;
        let mut bytes = vec![0; usize::try_from(trailer.length).map_err(io::Error::other)?];
        file.read_exact_at(&mut bytes, bare)?;
        Ok(Self { file, bare, site: Some((bytes.into(), trailer.digest)) })
    }

    /// Writes it with the site in `archive` into a new file.
    fn write(&self, archive: &Bytes, mut output: File) -> io::Result<u64> {
        let mut program = &self.file;
        program.seek(SeekFrom::Start(0))?;
        if io::copy(&mut program.take(self.bare), &mut output)? != self.bare {
            return Err(cut());
        }
        output.write_all(archive)?;
        output.write_all(&(archive.len() as u64).to_le_bytes())?;
        output.write_all(blake3::hash(archive).as_bytes())?;
        output.write_all(&MARK)?;
        // Whatever the user's mask takes away: it is a program.
        output.set_permissions(Permissions::from_mode(MODE))?;
        output.sync_all()?;
        Ok(self.bare + archive.len() as u64 + TRAILER)
    }
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "a part of it is missing")
}

/// What stands at the very end.
struct Trailer {
    length: u64,
    digest: blake3::Hash,
}

impl Trailer {
    /// That of a file of this `length`, if it ends with one.
    fn read(file: &File, length: u64) -> io::Result<Option<Self>> {
        let Some(at) = length.checked_sub(TRAILER) else { return Ok(None) };
        let mut size = [0; 8];
        let mut digest = [0; 32];
        let mut mark = [0; MARK.len()];
        file.read_exact_at(&mut size, at)?;
        file.read_exact_at(&mut digest, at + 8)?;
        file.read_exact_at(&mut mark, at + 40)?;
        let trailer = Self { length: u64::from_le_bytes(size), digest: digest.into() };
        Ok((mark == MARK).then_some(trailer))
    }
}

/// Where a program ends by what its first bytes say: behind the table of its sections, which linkers write last.
fn end_of_elf(file: &File) -> Option<u64> {
    let mut head = [0; 64];
    file.read_exact_at(&mut head, 0).ok()?;
    let is_wide = head.starts_with(&ELF) && head.get(4) == Some(&2);
    let (_, table) = head.split_at_checked(40)?;
    let (_, entries) = head.split_at_checked(58)?;
    let table = u64::from_le_bytes(*table.first_chunk()?);
    let (size, count) = entries.split_first_chunk()?;
    let entries = u64::from(u16::from_le_bytes(*size)) * u64::from(u16::from_le_bytes(*count.first_chunk()?));
    table.checked_add(entries).filter(|end| is_wide && *end > 0)
}
