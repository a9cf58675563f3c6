//! A folder as one route publishes it: where it is, on the disk or inside this program, and what all answers of the route say besides what describes the file.
//!
//! It is worked out when a site goes into service, so that a small file is kept with all the fields that it is sent with.

use super::super::respond::{holds_document, safety};
use super::file::Named;
use crate::cache::CDN_CACHE_CONTROL;
use crate::config::{Archive, Origin};
use crate::resource::PolicyField;
use http::header::{CACHE_CONTROL, CONTENT_LOCATION, HeaderMap, HeaderName, HeaderValue};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder as one route publishes it.
#[derive(Debug)]
pub(in super::super) struct Published {
    place: Folder,
    fields: RouteFields,
    /// What caches are told of a file whose URL names what it holds; nothing if not everybody may have it.
    of_version: Option<HeaderValue>,
    /// Equal for equal folders that are published alike: what files are kept under.
    identity: Identity,
}

/// Where a folder is.
#[derive(Debug)]
pub(super) enum Folder {
    /// On the disk.
    OnDisk(PathBuf),
    /// In an archive that this program carries, which has it under this prefix.
    Inside { archive: Arc<Archive>, prefix: Box<str> },
}

impl Folder {
    /// As a message names it.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::OnDisk(path) => path,
            Self::Inside { prefix, .. } => Path::new(&**prefix),
        }
    }
}

/// Whether some caches believe this field rather than `Cache-Control`: those of networks, each with a field of its own
/// (RFC 9213, section 2), and the oldest.
fn is_heeded_by_networks(name: &HeaderName) -> bool {
    matches!(name.as_str(), "surrogate-control" | "edge-control" | "expires")
        || name.as_str().ends_with("cdn-cache-control")
}

/// A digest.
pub(super) type Identity = [u8; 32];

/// What the answers of a route say.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct RouteFields {
    /// `Cache-Control`, and what else is told of caching: of answers that hold a file, or stand for one.
    pub(in super::super) caching: HeaderMap,
    /// Other fields that the route adds; they win over those that every file has.
    pub(in super::super) headers: Vec<(HeaderName, HeaderValue)>,
    /// Those of every file that it leaves out.
    pub(in super::super) removed: Vec<HeaderName>,
    /// The policy that HTML is sent with, if any is.
    pub(in super::super) csp: Option<PolicyField>,
    /// Whether there are URLs that name what a file holds.
    pub(in super::super) has_versions: bool,
}

impl Published {
    /// `folder` below `content/` of the site at `origin`, with these `fields`.
    pub(in super::super) fn new(origin: &Origin, folder: &str, fields: RouteFields) -> Self {
        let digest;
        let (root, place) = match origin {
            Origin::Folder(_) => {
                let root = origin.folder().unwrap_or(Path::new("."));
                (root.as_os_str().as_encoded_bytes(), Folder::OnDisk(root.join("content").join(folder)))
            }
            Origin::Inside(archive) => {
                digest = archive.digest();
                let below = if folder.is_empty() { "" } else { "/" };
                let prefix = format!("content/{folder}{below}").into();
                (&digest.as_bytes()[..], Folder::Inside { archive: Arc::clone(archive), prefix })
            }
        };
        let of_version = fields.of_version();
        Self { identity: fields.identity(root, folder), place, fields, of_version }
    }

    /// Whether there are URLs that name what a file holds.
    pub(super) fn has_versions(&self) -> bool {
        self.fields.has_versions
    }

    /// Says in `fields`, which hold what the route says of caching, what is true of a file that is `named` so. What a URL names that names
    /// another version nobody may keep: a cache would have it for that version.
    pub(super) fn say_of(&self, named: Named, fields: &mut HeaderMap) {
        const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
        let said = match (named, &self.of_version) {
            (Named::Plainly, _) => return,
            (Named::ByVersion, Some(of_version)) => of_version.clone(),
            (Named::ByVersion, None) | (Named::ByOtherVersion, _) => NO_STORE,
        };
        fields.insert(CACHE_CONTROL, said);
        fields.remove(CDN_CACHE_CONTROL);
        if named == Named::ByOtherVersion {
            let of_networks: Vec<HeaderName> =
                fields.keys().filter(|name| is_heeded_by_networks(name)).cloned().collect();
            for name in of_networks {
                fields.remove(name);
            }
        }
    }

    pub(super) fn identity(&self) -> Identity {
        self.identity
    }

    /// Where it is.
    pub(super) fn place(&self) -> &Folder {
        &self.place
    }

    /// The fields of an answer with the file that `described` describes.
    pub(super) fn of_file(&self, described: HeaderMap) -> HeaderMap {
        let mut fields = self.of_any(described);
        self.tell_caches(&mut fields);
        fields
    }

    /// The fields of a 304 that stands for the file that `described` describes, which has what the stored response may have to be brought
    /// up to date with, and nothing else (RFC 9110, section 15.4.5).
    pub(super) fn of_not_modified(&self, mut described: HeaderMap) -> HeaderMap {
        self.tell_caches(&mut described);
        let located = self.fields.headers.iter().find(|(name, _)| *name == CONTENT_LOCATION);
        if let Some((name, value)) = located {
            described.insert(name, value.clone());
        }
        // The file's tag does not tell whether it changed.
        if let Some(csp) = &self.fields.csp {
            csp.insert(&mut described);
        }
        described
    }

    /// The fields of an answer that is about one request alone, and that nobody keeps.
    pub(super) fn of_refusal(&self, described: HeaderMap) -> HeaderMap {
        let mut fields = self.of_any(described);
        fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        fields
    }

    /// `fields` with those of the route, in place of any of the same names.
    fn of_any(&self, mut fields: HeaderMap) -> HeaderMap {
        let RouteFields { caching: _, headers, removed, csp, has_versions: _ } = &self.fields;
        if holds_document(&fields) {
            safety(&mut fields);
            if let Some(csp) = csp {
                csp.insert(&mut fields);
            }
        }
        for name in removed {
            fields.remove(name);
        }
        for (index, (name, value)) in headers.iter().enumerate() {
            let again = headers.iter().take(index).any(|(earlier, _)| earlier == name);
            if again {
                fields.append(name, value.clone());
            } else {
                fields.insert(name, value.clone());
            }
        }
        fields
    }

    fn tell_caches(&self, fields: &mut HeaderMap) {
        for (name, value) in &self.fields.caching {
            fields.insert(name, value.clone());
        }
    }
}

impl RouteFields {
    /// What caches are told of what never changes: a year, as long as HTTP knows (RFC 9111, section 1.2.2; RFC 8246). Nothing if the route
    /// is for some only, or nobody may keep it, for whatever reason.
    fn of_version(&self) -> Option<HeaderValue> {
        let said = self.caching.get(CACHE_CONTROL).and_then(|said| said.to_str().ok()).unwrap_or_default();
        if !self.has_versions || said.contains("private") || said.contains("no-store") {
            None
        } else if said.contains("no-transform") {
            Some(HeaderValue::from_static("public, max-age=31536000, immutable, no-transform"))
        } else {
            Some(HeaderValue::from_static("public, max-age=31536000, immutable"))
        }
    }

    fn identity(&self, root: &[u8], folder: &str) -> Identity {
        let Self { caching, headers, removed, csp, has_versions } = self;
        let mut hasher = blake3::Hasher::new();
        let mut add = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        add(root);
        add(folder.as_bytes());
        for count in [caching.len(), headers.len(), removed.len()] {
            add(&count.to_le_bytes());
        }
        for (name, value) in caching.iter().chain(headers.iter().map(|(name, value)| (name, value))) {
            add(name.as_str().as_bytes());
            add(value.as_bytes());
        }
        for name in removed {
            add(name.as_str().as_bytes());
        }
        add(&[u8::from(*has_versions)]);
        if let Some(csp) = csp {
            csp.digest(&mut hasher);
        }
        *hasher.finalize().as_bytes()
    }
}
