//! The URLs of published files: which ones layouts ask for, and what they are.
//!
//! It knows no routes and no files: who does tells what is published, and under which URLs.

use crate::diagnostic::Place;
use std::collections::HashMap;
use std::sync::Arc;

/// A use of `asset_url`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetUse {
    /// The file, if the layout writes it out.
    pub name: Option<Arc<str>>,
    /// Where it is written, or else where the filter stands.
    pub place: Place,
}

/// The URLs of published files, by what layouts call them.
#[derive(Debug, Clone, Default)]
pub struct AssetUrls(HashMap<Box<str>, Arc<str>>);

impl AssetUrls {
    /// The URL of the file that is called so.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|url| &**url)
    }
}

impl FromIterator<(Box<str>, Arc<str>)> for AssetUrls {
    fn from_iter<I: IntoIterator<Item = (Box<str>, Arc<str>)>>(urls: I) -> Self {
        Self(urls.into_iter().collect())
    }
}
