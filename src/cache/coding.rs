//! Making content codings (RFC 9110, section 8.4): which content is worth it, how hard to try, and the coded bytes.
//!
//! Pure functions of bytes, and the processor's time. Negotiation is in `fields`; who keeps the result is in `content`.

use crate::fields::Coding;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{self, Write};

/// Content shorter than this fits a packet or two however it is coded.
const SHORTEST: usize = 256;
/// What a coding must save: less than this is eaten by the `Content-Encoding` line and by decoding.
const SAVING: usize = 32;
/// Content that is coded in about a millisecond, which a task may spend on a worker thread of the runtime.
const QUICK: usize = 32 * 1024;
/// From here on the middle effort is used, and above [`LARGE`] the least: time grows faster than what it saves.
const MEDIUM: usize = 64 * 1024;
/// See [`MEDIUM`].
const LARGE: usize = 256 * 1024;

/// Whether content of this `Content-Type` gets smaller by coding, as text does and pictures do not.
pub fn is_compressible(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let Some((kind, subtype)) = essence.split_once('/') else { return false };
    match kind {
        "text" => true,
        "font" => matches!(subtype, "ttf" | "otf" | "collection"),
        "image" => matches!(subtype, "svg+xml" | "bmp" | "x-icon" | "vnd.microsoft.icon"),
        "application" => {
            subtype.ends_with("+json")
                || subtype.ends_with("+xml")
                || subtype.ends_with("+text")
                || matches!(
                    subtype,
                    "json"
                        | "xml"
                        | "javascript"
                        | "x-javascript"
                        | "ecmascript"
                        | "wasm"
                        | "yaml"
                        | "toml"
                        | "x-ndjson"
                        | "json-seq"
                        | "sql"
                        | "graphql"
                        | "rtf"
                        | "x-sh"
                )
        }
        "model" => subtype.ends_with("+xml") || subtype.ends_with("+json"),
        _ => false,
    }
}

/// Whether content of this many bytes may get smaller by coding.
pub(super) fn is_worth_trying(length: usize) -> bool {
    length >= SHORTEST
}

/// Whether coding this many bytes takes about a millisecond at most.
pub(super) fn is_quick(length: usize) -> bool {
    length <= QUICK
}

/// `content` in `coding`, or nothing if that is not worth it: the content is short, or hardly gets smaller.
///
/// Takes up to some 30 ms for a mebibyte, so long content belongs on a thread that may block.
pub fn encode(coding: Coding, content: &[u8]) -> Option<Bytes> {
    if !is_worth_trying(content.len()) {
        return None;
    }
    let coded = match coding {
        Coding::Identity => return None,
        Coding::Gzip => gzip(content),
        Coding::Brotli => brotli(content),
        Coding::Zstd => zstd::bulk::compress(content, 3),
    };
    // Writing to memory does not fail; if a coder refuses its input all the same, the content is sent as it is.
    let coded = coded.ok()?;
    (coded.len() + SAVING <= content.len()).then(|| Bytes::from(coded.into_boxed_slice()))
}

fn gzip(content: &[u8]) -> io::Result<Vec<u8>> {
    let level = if content.len() <= LARGE { 6 } else { 4 };
    let mut encoder = GzEncoder::new(Vec::with_capacity(content.len() / 3), Compression::new(level));
    encoder.write_all(content)?;
    encoder.finish()
}

fn brotli(content: &[u8]) -> io::Result<Vec<u8>> {
    let quality = match content.len() {
        length if length <= MEDIUM => 5,
        length if length <= LARGE => 4,
        _ => 3,
    };
    // A window that covers the content; the coder's own memory grows with it.
    let window = (usize::BITS - content.len().leading_zeros()).clamp(16, 22);
    let parameters = brotli::enc::BrotliEncoderParams {
        quality,
        lgwin: i32::try_from(window).unwrap_or(22),
        size_hint: content.len(),
        ..Default::default()
    };
    let mut coded = Vec::with_capacity(content.len() / 3);
    brotli::BrotliCompress(&mut &*content, &mut coded, &parameters)?;
    Ok(coded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    const CODINGS: [Coding; 3] = [Coding::Gzip, Coding::Brotli, Coding::Zstd];

    fn decode(coding: Coding, coded: &[u8]) -> Vec<u8> {
        let mut content = Vec::new();
        match coding {
            Coding::Identity => content.extend_from_slice(coded),
            Coding::Gzip => drop(flate2::read::GzDecoder::new(coded).read_to_end(&mut content).unwrap()),
            Coding::Brotli => drop(brotli::Decompressor::new(coded, 4096).read_to_end(&mut content).unwrap()),
            Coding::Zstd => content = zstd::bulk::decompress(coded, 1 << 24).unwrap(),
        }
        content
    }

    /// Bytes without any pattern: xorshift.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_be_bytes()[0]
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn what_is_coded_decodes_to_the_same() {
        for length in [SHORTEST, 5_000, MEDIUM + 1, LARGE + 1] {
            let content: Vec<u8> = b"<li class=\"item\">".iter().copied().cycle().take(length).collect();
            for coding in CODINGS {
                let coded = encode(coding, &content).unwrap();
                assert!(coded.len() + SAVING <= content.len());
                assert_eq!(decode(coding, &coded), content, "{coding:?} {length}");
            }
        }
    }

    #[test]
    fn what_does_not_get_smaller_is_left_alone() {
        for coding in CODINGS {
            assert_eq!(encode(coding, &[b'a'; SHORTEST - 1]), None, "{coding:?}: too short");
            assert_eq!(encode(coding, &noise(10_000)), None, "{coding:?}: noise");
        }
        assert_eq!(encode(Coding::Identity, &[b'a'; 10_000]), None);
    }

    #[test]
    fn text_is_compressible_and_pictures_are_not() {
        for (content_type, expected) in [
            ("text/html; charset=utf-8", true),
            ("Text/CSS", true),
            ("application/json", true),
            ("application/problem+json", true),
            ("application/feed+json;charset=utf-8", true),
            ("application/atom+xml", true),
            ("image/svg+xml", true),
            ("text/javascript", true),
            ("application/wasm", true),
            ("font/ttf", true),
            ("font/woff2", false),
            ("image/png", false),
            ("image/avif", false),
            ("video/mp4", false),
            ("application/zip", false),
            ("application/pdf", false),
            ("application/octet-stream", false),
            ("", false),
            ("nonsense", false),
        ] {
            assert_eq!(is_compressible(content_type), expected, "{content_type}");
        }
    }
}
