//! Files below a folder of `content/`, on the disk or inside this program, byte for byte: the answer to GET and HEAD.
//!
//! | Module | Holds |
//! |---|---|
//! | `open` | opening a file beneath a folder, whatever its name says and whoever changes the folder meanwhile |
//! | `octets` | what a file holds, wherever that is |
//! | `file` | a file found; a small one read and prepared, and a large one open |
//! | `sibling` | codings that were made beforehand, in files beside it |
//! | `shelf` | small files kept in memory, each compared with the disk once a second at most |
//! | `published` | what a route says of the files that it serves |
//! | `respond` | conditions, ranges, fields and content (RFC 9110, sections 13, 14 and 15) |
//!
//! A hit costs a look-up, a copy of the fields as they are sent, and no system call. What reads the disk does so on threads that may block. Which route
//! it is, and what stands in for a file that is absent, the handler knows.

mod file;
mod octets;
mod open;
mod published;
mod respond;
mod shelf;
mod sibling;

pub(super) use published::{Published, RouteFields};
pub use shelf::FILES_KEPT;

use super::body::Body;
use crate::cache::{Content, Prepared, Ready};
use crate::fields::{Coding, negotiate};
use file::{Found, SmallFile};
use http::header::RANGE;
use http::{HeaderMap, Method, Response};
use shelf::Shelf;
use std::sync::Arc;
use std::time::Instant;

/// The codings that small files are sent in.
const CODINGS: &[Coding] = &[Coding::Brotli, Coding::Zstd, Coding::Gzip];

/// The files of every site that this process serves, one after the other: a reload keeps what is in memory.
#[derive(Debug, Default)]
pub(super) struct Assets {
    shelf: Arc<Shelf>,
}

impl Assets {
    /// Whatever is asked for next is looked for on the disk.
    pub(super) fn forget(&self) {
        self.shelf.forget();
    }
}

/// A request for a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct AssetRequest<'a> {
    /// The folder, as its route publishes it.
    pub(super) published: &'a Arc<Published>,
    /// The path of the file below that, decoded.
    pub(super) file: &'a str,
    /// GET or HEAD.
    pub(super) method: &'a Method,
    /// The fields of the request.
    pub(super) fields: &'a HeaderMap,
    /// When the request came, by the machine's clock: the disk is not asked more often because a test says that time has passed.
    pub(super) now: Instant,
}

/// There is no such file, or none that may be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such file")]
pub(super) struct Absent;

/// The answer to a request for a file that is in memory, and need not be compared with the disk.
pub(super) fn at_hand(assets: &Assets, request: AssetRequest<'_>) -> Option<Response<Body>> {
    let (file, named) = assets.shelf.at_hand(request.published, request.file, request.now)?;
    let content = file.content();
    let coding = if content.is_codable() { wanted(&request, CODINGS) } else { Coding::Identity };
    let Ready::Now(prepared) = content.ready(coding) else { return None };
    // Where a coding is not worth it, another one may have been made beforehand.
    let is_wanted = prepared.coding() == coding || !content.is_codable();
    let representation = respond::Small { prepared, modified: file.modified() };
    is_wanted.then(|| respond::respond(&request, representation, named))
}

/// The answer to a request for a file.
pub(super) async fn answer(assets: &Assets, request: AssetRequest<'_>) -> Result<Response<Body>, Absent> {
    match Shelf::find(&assets.shelf, request.published, request.file, request.now).await? {
        Found::Small(small, named) => {
            let coding = choose(&small, &request).await;
            let representation = respond::Small { prepared: made(small.content(), coding), modified: small.modified() };
            Ok(respond::respond(&request, representation, named))
        }
        Found::Large(large, named) => {
            let codings = large.codings();
            let coding = if codings.is_empty() { Coding::Identity } else { wanted(&request, &codings) };
            Ok(respond::respond(&request, large.in_coding(coding), named))
        }
    }
}

/// `content` in `coding` if that has been made, else as it is.
fn made(content: &Content, coding: Coding) -> &Prepared {
    match content.ready(coding) {
        Ready::Now(prepared) => prepared,
        Ready::Unmade { .. } => content.identity(),
    }
}

/// The best of `codings` that the client takes, but none for a part, whose positions are those of the file.
fn wanted(request: &AssetRequest<'_>, codings: &[Coding]) -> Coding {
    let is_part = *request.method == Method::GET && request.fields.contains_key(RANGE);
    if is_part { Coding::Identity } else { negotiate(request.fields, codings) }
}

/// The coding to send, made if need be.
async fn choose(file: &Arc<SmallFile>, request: &AssetRequest<'_>) -> Coding {
    let content = file.content();
    if !content.is_codable() {
        return Coding::Identity;
    }
    let mut coding = wanted(request, CODINGS);
    if !content.is_worth(coding) {
        // Another one may have been made beforehand.
        let worth: Vec<Coding> = CODINGS.iter().copied().filter(|coding| content.is_worth(*coding)).collect();
        coding = wanted(request, &worth);
    }
    match content.ready(coding) {
        Ready::Now(_) => coding,
        Ready::Unmade { quick: true } => {
            content.make(coding);
            coding
        }
        // The first to ask waits for it; who asks meanwhile gets the file as it is, rather than a thread to wait on.
        Ready::Unmade { quick: false } if file.claim(coding) => {
            let made = Arc::clone(file);
            let outcome = tokio::task::spawn_blocking(move || made.content().make(coding).coding()).await;
            // Not made is not wrong: the file can be sent as it is.
            outcome.unwrap_or(Coding::Identity)
        }
        Ready::Unmade { quick: false } => Coding::Identity,
    }
}

#[cfg(test)]
mod tests;
