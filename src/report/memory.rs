//! How much memory a site may take at most, from its limits.
//!
//! What is counted is what visitors and upstreams can make grow, and what grows with the site: the indexes of what can be searched, and the files that a bundle carries. The program and the compiled
//! site come on top, a few megabytes for most sites, and do not grow. How many pages are made at once has no bound of its own, so what one takes is told for each.

use crate::site::{Limits, Site};
use crate::upstream::{ClientSettings, SMALL_BODY};
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
    /// Indexes of what can be searched.
    pub indexes: u64,
    /// The site's files, if this program carries them.
    pub inside: u64,
    /// Heads of requests, of all connections together.
    pub heads: u64,
    /// Bodies of upstreams while they are received, of all calls together.
    pub answers: u64,
    /// What is written of a page while it is made, for each that is.
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
        let (raw, decoded) = (wide(answer.body.raw), wide(answer.body.decoded));
        let small = wide(SMALL_BODY);
        let calls = site
            .upstreams
            .all()
            .iter()
            .fold(0_u64, |calls, upstream| calls.saturating_add(wide(upstream.max_concurrent)));
        // Larger ones wait for one of a few places, whichever upstream they come from.
        let places =
            if raw.max(decoded) > small { calls.min(wide(ClientSettings::default().large_answers)) } else { 0 };
        let of_small = calls.saturating_mul(raw.min(small).saturating_add(decoded.min(small)));
        Self {
            pages: of_pages.capacity,
            data,
            files,
            indexes: wide(site.index_bytes()),
            inside: site.origin.bytes_held(),
            heads: connections.saturating_mul(wide(*request_head).max(LEAST_BUFFER)),
            page: wide(render.output_bytes),
            answers: of_small.saturating_add(places.saturating_mul(raw.saturating_add(decoded))),
            answer: raw.saturating_add(decoded),
            connections,
        }
    }

    /// What is bounded for all visitors together.
    pub fn together(&self) -> u64 {
        let all = [self.pages, self.data, self.files, self.indexes, self.inside, self.heads, self.answers];
        all.into_iter().fold(0, u64::saturating_add)
    }

    /// One line about it.
    pub fn line(&self) -> String {
        let Self { pages, data, files, indexes, inside, heads, answers, page, answer: _, connections } = *self;
        let searched = match indexes {
            0 => String::new(),
            bytes => format!(", {} of search indexes", size(bytes)),
        };
        let carried = match inside {
            0 => String::new(),
            bytes => format!(", {} of the files inside this program", size(bytes)),
        };
        let received = match answers {
            0 => String::new(),
            bytes => format!(", {} of answers that upstreams are sending", size(bytes)),
        };
        format!(
            "memory: {} at most ({} of pages, {} of their data, {} of small files{searched}{carried}, {} of request heads on {connections} connections{received}), \
             and beside that for each page while it is made {} and the data that it reads",
            size(self.together()),
            size(pages),
            size(data),
            size(files),
            size(heads),
            size(page),
        )
    }

    /// The same for other programs, in bytes.
    pub fn as_json(&self) -> Value {
        let Self { pages, data, files, indexes, inside, heads, answers, page, answer, connections: _ } = *self;
        let members = [
            ("together", self.together()),
            ("pages", pages),
            ("data", data),
            ("files", files),
            ("search_indexes", indexes),
            ("inside", inside),
            ("request_heads", heads),
            ("upstream_answers", answers),
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
