//! URLs that name what a file holds: `site.3f2a9c1b4d5e.css` is `site.css` as long as that has this version.
//!
//! The version stands in the name and not in a query, which some caches leave out of their keys, and the file stays in its folder, so
//! that relative addresses in a style sheet lead where they did. It is made of digests alone: equal files have equal URLs on every machine.

use std::fmt;

/// How many bytes of a digest it has, and twice as many digits.
const BYTES: usize = 6;

/// What tells the contents of a file apart that had the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version([u8; BYTES]);

impl Version {
    /// The version of what has this BLAKE3 digest and was made in these codings beforehand, each with its digest: whatever may be sent
    /// under a URL is in its version.
    pub fn of<'d>(digest: &[u8; 32], codings: impl IntoIterator<Item = (&'d str, &'d [u8; 32])>) -> Self {
        let mut codings = codings.into_iter().peekable();
        if codings.peek().is_none() {
            return Self::short(digest);
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(digest);
        for (coding, digest) in codings {
            hasher.update(coding.as_bytes());
            hasher.update(digest);
        }
        Self::short(hasher.finalize().as_bytes())
    }

    fn short(digest: &[u8; 32]) -> Self {
        Self(std::array::from_fn(|at| digest.get(at).copied().unwrap_or_default()))
    }

    fn parse(digits: &str) -> Option<Self> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let digits = digits.as_bytes();
        let mut bytes = [0; BYTES];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let [high, low] = pair else { return None };
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        (digits.len() == 2 * BYTES).then_some(Self(bytes))
    }

    /// The name of the file at `path` with this version in it: before the extension, or at the end if it has none.
    #[must_use]
    pub fn name(self, path: &str) -> String {
        let (stem, extension) = path.split_at_checked(end_of_stem(path)).unwrap_or((path, ""));
        format!("{stem}.{self}{extension}")
    }

    /// The file that such a name stands for, and the version; nothing if it is the name of no version.
    #[must_use]
    pub fn split(path: &str) -> Option<(String, Self)> {
        // Most names are told by their length, or by what stands where the version would.
        let end = end_of_stem(path);
        let ending_there = |end: usize| {
            let start = end.checked_sub(2 * BYTES)?;
            let version = Self::parse(path.get(start..end)?)?;
            let plain = format!("{}{}", path.get(..start)?.strip_suffix('.')?, path.get(end..)?);
            Some((plain, version))
        };
        let found = ending_there(end).or_else(|| ending_there(path.len()))?;
        (found.1.name(&found.0) == path).then_some(found)
    }
}

/// Where the extension begins, with its dot; names that begin with a dot are never published.
fn end_of_stem(path: &str) -> usize {
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    path.rfind('.').filter(|dot| *dot > name).unwrap_or(path.len())
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VERSION: Version = Version([0x3f, 0x2a, 0x9c, 0x1b, 0x4d, 0x5e]);

    #[test]
    fn names_take_a_version_and_give_it_back() {
        for (plain, named) in [
            ("site.css", "site.3f2a9c1b4d5e.css"),
            ("js/a.min.js", "js/a.min.3f2a9c1b4d5e.js"),
            ("LICENSE", "LICENSE.3f2a9c1b4d5e"),
            ("v1.2/LICENSE", "v1.2/LICENSE.3f2a9c1b4d5e"),
            ("é b&c.svg", "é b&c.3f2a9c1b4d5e.svg"),
            ("a.3f2a9c1b4d5e", "a.3f2a9c1b4d5e.3f2a9c1b4d5e"),
        ] {
            assert_eq!(VERSION.name(plain), named);
            assert_eq!(Version::split(named), Some((plain.to_owned(), VERSION)), "{named}");
        }
    }

    #[test]
    fn other_names_are_those_of_no_version() {
        for name in [
            "",
            "site.css",
            "3f2a9c1b4d5e",
            "3f2a9c1b4d5e.css",
            "site3f2a9c1b4d5e.css",
            "site.3F2A9C1B4D5E.css",
            "site.3f2a9c1b4d5.css",
            "site.3f2a9c1b4d5e0.css",
            "site.3f2a9c1b4d5g.css",
            "a.3f2a9c1b4d5e/site.css",
            "ééééééé.css",
        ] {
            assert_eq!(Version::split(name), None, "{name}");
        }
    }

    #[test]
    fn a_version_tells_codings_apart() {
        let (one, two) = ([1; 32], [2; 32]);
        assert_eq!(Version::of(&one, []).to_string(), "010101010101");
        let all = [
            Version::of(&one, []),
            Version::of(&two, []),
            Version::of(&one, [("br", &two)]),
            Version::of(&one, [("gzip", &two)]),
            Version::of(&one, [("br", &one)]),
        ];
        for (at, version) in all.iter().enumerate() {
            assert!(!all[..at].contains(version));
        }
    }

    proptest! {
        #[test]
        fn every_name_comes_back(plain in "([a-c.é/]{0,3}[a-f0-9.]{0,14}){0,3}x[a-f0-9.]{0,14}", bytes: [u8; BYTES]) {
            let version = Version(bytes);
            if let Some((other, found)) = Version::split(&version.name(&plain)) {
                prop_assert_eq!((other, found), (plain, version));
            } else {
                prop_assert!(false, "{} is no version", version.name(&plain));
            }
        }
    }
}
