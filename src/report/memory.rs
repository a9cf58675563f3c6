//! How much memory a site may take at most, from its limits.
//!
//! What is counted is what visitors and upstreams can make grow. The program and the compiled site come on top, a few megabytes for
//! most sites, and do not grow.

use crate::site::{Limits, Site};
use crate::value::{Object, Value};

/// No buffer of a connection is smaller, whatever a head may have.
const LEAST_BUFFER: u64 = 8 << 10;

/// Bytes of memory at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceiling {
    /// The page store.
    pub pages: u64,
    /// Data that pages were made of.
    pub data: u64,
    /// Small files of folders.
    pub files: u64,
    /// Heads of requests, of all connections together.
    pub heads: u64,
    /// A page while it is made, for each request under way.
    pub page: u64,
    /// An answer of an upstream while it is read, for each call under way.
    pub answer: u64,
    connections: u64,
}

impl Ceiling {
    /// That of a site which keeps so many bytes of `files`.
    pub fn of(site: &Site, files: u64) -> Self {
        let Limits { store, connections, request_head, render, answer, .. } = &site.settings.limits;
        let wide = |count: usize| count as u64;
        let connections = wide(*connections);
        let (of_pages, data) = store.shared_out();
        Self {
            pages: of_pages.capacity,
            data,
            files,
            heads: connections.saturating_mul(wide(*request_head).max(LEAST_BUFFER)),
            page: wide(render.output_bytes),
            answer: wide(answer.body.raw).saturating_add(wide(answer.body.decoded)),
            connections,
        }
    }

    /// What is bounded for all visitors together.
    pub fn together(&self) -> u64 {
        self.pages.saturating_add(self.data).saturating_add(self.files).saturating_add(self.heads)
    }

    /// One line about it.
    pub fn line(&self) -> String {
        let Self { pages, data, files, heads, page, answer, connections } = *self;
        format!(
            "memory: {} at most ({} of pages, {} of their data, {} of small files, {} of request heads on {connections} connections), and while it is made \
             {} for each page and {} for each answer of an upstream",
            size(self.together()),
            size(pages),
            size(data),
            size(files),
            size(heads),
            size(page),
            size(answer),
        )
    }

    /// The same for other programs, in bytes.
    pub fn as_json(&self) -> Value {
        let Self { pages, data, files, heads, page, answer, connections: _ } = *self;
        let members = [
            ("together", self.together()),
            ("pages", pages),
            ("data", data),
            ("files", files),
            ("request_heads", heads),
            ("each_page_being_made", page),
            ("each_answer_being_read", answer),
        ];
        members.into_iter().map(|(name, bytes)| (name, Value::from(bytes))).collect::<Object>().into()
    }
}

/// Bytes in the largest unit of which there are ten, or one without a rest.
fn size(bytes: u64) -> String {
    let units = [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let fits = |(unit, _): &(u64, &str)| bytes >= 10 * unit || (bytes >= *unit && bytes.is_multiple_of(*unit));
    match units.into_iter().find(fits) {
        Some((unit, name)) => format!("{} {name}", bytes.div_ceil(unit)),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_up() {
        for (bytes, expected) in [
            (0, "0 B"),
            (4 << 20, "4 MiB"),
            ((4 << 20) + 1, "4097 KiB"),
            ((409 << 20) - 5, "409 MiB"),
            (1 << 30, "1 GiB"),
            (3 << 29, "1536 MiB"),
        ] {
            assert_eq!(size(bytes), expected, "{bytes}");
        }
    }
}
