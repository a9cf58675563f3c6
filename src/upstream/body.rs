//! Collecting the body of an answer and undoing its content coding, with a cap on each of the two sizes.
//!
//! Nothing is ever held beyond its cap: the transferred bytes are counted as they arrive, the decoded ones as they are made. One coding
//! is undone, never a stack of them. Bodies above [`SMALL`] take one of a few places, so that their sum is bounded as well.
//! Content codings: RFC 9110, section 8.4; RFC 1952, RFC 7932, RFC 8878.

use super::reply::Reply;
use super::{BodyLimits, CodingFault, Failure, Part};
use crate::fields::Coding;
use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap};
use std::io::{self, Read};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The codings we undo, as we ask for them.
pub(super) const ACCEPTED: &str = "gzip, br, zstd";

/// Bodies up to this size need no place of their own, in bytes.
pub const SMALL: usize = 1 << 20;
/// How much is decoded before others get their turn, in bytes.
const STEP: usize = 64 << 10;
/// The largest window that a zstd stream may ask for, as a power of two: 8 MiB (RFC 9659).
const ZSTD_WINDOW: u32 = 23;

/// Few places for large bodies, and the one that this body has taken if it needed to.
pub(super) struct Room<'c> {
    places: &'c Arc<Semaphore>,
    taken: Option<OwnedSemaphorePermit>,
}

impl<'c> Room<'c> {
    pub(super) fn new(places: &'c Arc<Semaphore>) -> Self {
        Self { places, taken: None }
    }

    /// Waits for a place once a body has grown to a size that needs one.
    async fn grow_to(&mut self, size: usize) {
        if size > SMALL && self.taken.is_none() {
            self.taken = Arc::clone(self.places).acquire_owned().await.ok();
        }
    }

    pub(super) fn into_place(self) -> Option<OwnedSemaphorePermit> {
        self.taken
    }
}

/// The decoded body of `reply`.
pub(super) async fn read(reply: &mut Reply, limits: BodyLimits, room: &mut Room<'_>) -> Result<Bytes, Failure> {
    let coding = coding(reply.headers())?;
    let raw = collect(reply, limits.raw, room).await?;
    // An answer without content may carry the field all the same (HEAD, 204, 304).
    if coding == Coding::Identity || raw.is_empty() {
        return if raw.len() > limits.decoded { Err(Failure::TooLarge(Part::Decoded)) } else { Ok(raw) };
    }
    decode(coding, &raw, limits.decoded, room).await
}

/// The one coding of a body.
fn coding(headers: &HeaderMap) -> Result<Coding, Failure> {
    let mut found = Coding::Identity;
    for value in headers.get_all(header::CONTENT_ENCODING) {
        let value = value.to_str().map_err(|_not_ascii| Failure::Undecodable(CodingFault::Unknown))?;
        for token in value.split(',').map(str::trim) {
            let coding = match token.to_ascii_lowercase().as_str() {
                "" | "identity" => continue,
                "gzip" | "x-gzip" => Coding::Gzip,
                "br" => Coding::Brotli,
                "zstd" => Coding::Zstd,
                _ => return Err(Failure::Undecodable(CodingFault::Unknown)),
            };
            if found != Coding::Identity {
                return Err(Failure::Undecodable(CodingFault::Stacked));
            }
            found = coding;
        }
    }
    Ok(found)
}

/// The body as transferred. A body that arrives in one piece is not copied.
async fn collect(reply: &mut Reply, most: usize, room: &mut Room<'_>) -> Result<Bytes, Failure> {
    let announced = reply.content_length().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    if announced.is_some_and(|length| length > most) {
        return Err(Failure::TooLarge(Part::Body));
    }
    let Some(first) = reply.chunk().await? else { return Ok(Bytes::new()) };
    let mut next = reply.chunk().await?;
    if next.is_none() && first.len() <= most {
        room.grow_to(first.len()).await;
        return Ok(first);
    }
    // Room for what is announced, but not on credit: a peer may announce much and send little.
    let mut whole = BytesMut::with_capacity(announced.unwrap_or(0).min(8 * STEP).max(first.len()));
    whole.extend_from_slice(&first);
    while let Some(piece) = next {
        if whole.len() + piece.len() > most {
            return Err(Failure::TooLarge(Part::Body));
        }
        room.grow_to(whole.len() + piece.len()).await;
        whole.extend_from_slice(&piece);
        next = reply.chunk().await?;
    }
    if whole.len() > most { Err(Failure::TooLarge(Part::Body)) } else { Ok(whole.freeze()) }
}

/// Undoes `coding`, a step at a time so that other tasks of this thread get their turns.
async fn decode(coding: Coding, raw: &[u8], most: usize, room: &mut Room<'_>) -> Result<Bytes, Failure> {
    let mut reader = Decoder::new(coding, raw).map_err(broken)?;
    let mut decoded = Vec::with_capacity(raw.len().saturating_mul(4).min(STEP));
    loop {
        let step = STEP.min(most.saturating_sub(decoded.len()).saturating_add(1));
        let grown = reader.by_ref().take(step as u64).read_to_end(&mut decoded).map_err(broken)?;
        if decoded.len() > most {
            return Err(Failure::TooLarge(Part::Decoded));
        }
        if grown < step {
            return Ok(decoded.into());
        }
        room.grow_to(decoded.len()).await;
        tokio::task::yield_now().await;
    }
}

fn broken(_error: io::Error) -> Failure {
    Failure::Undecodable(CodingFault::Broken)
}

/// A reader of decoded bytes.
enum Decoder<'b> {
    Identity(&'b [u8]),
    Gzip(flate2::bufread::MultiGzDecoder<&'b [u8]>),
    Brotli(Box<brotli::Decompressor<&'b [u8]>>),
    Zstd(zstd::stream::read::Decoder<'static, &'b [u8]>),
}

impl<'b> Decoder<'b> {
    fn new(coding: Coding, raw: &'b [u8]) -> io::Result<Self> {
        Ok(match coding {
            Coding::Identity => Self::Identity(raw),
            Coding::Gzip => Self::Gzip(flate2::bufread::MultiGzDecoder::new(raw)),
            Coding::Brotli => Self::Brotli(Box::new(brotli::Decompressor::new(raw, 4 << 10))),
            Coding::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(raw)?;
                decoder.window_log_max(ZSTD_WINDOW)?;
                Self::Zstd(decoder)
            }
        })
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Identity(reader) => reader.read(out),
            Self::Gzip(reader) => reader.read(out),
            Self::Brotli(reader) => reader.read(out),
            Self::Zstd(reader) => reader.read(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn encode(coding: Coding, plain: &[u8]) -> Vec<u8> {
        match coding {
            Coding::Identity => plain.to_vec(),
            Coding::Gzip => {
                let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
                writer.write_all(plain).unwrap();
                writer.finish().unwrap()
            }
            Coding::Brotli => {
                let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
                writer.write_all(plain).unwrap();
                writer.into_inner()
            }
            Coding::Zstd => zstd::encode_all(plain, 3).unwrap(),
        }
    }

    fn decoded(coding: Coding, raw: &[u8], most: usize) -> Result<Bytes, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let places = Arc::new(Semaphore::new(1));
        runtime.block_on(decode(coding, raw, most, &mut Room::new(&places)))
    }

    const CODINGS: [Coding; 3] = [Coding::Gzip, Coding::Brotli, Coding::Zstd];

    #[test]
    fn every_coding_comes_back_as_it_was() {
        let long: Vec<u8> =
            (0..300_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        for coding in CODINGS {
            for plain in [&b""[..], b"{}", &long, &long[..STEP], &long[..=STEP]] {
                let raw = encode(coding, plain);
                assert!(decoded(coding, &raw, long.len()).unwrap() == plain, "{coding:?} {}", plain.len());
            }
        }
    }

    #[test]
    fn the_cap_holds_to_the_byte() {
        let plain = vec![b'x'; 3 * STEP];
        for coding in CODINGS {
            let raw = encode(coding, &plain);
            assert!(decoded(coding, &raw, plain.len()).is_ok(), "{coding:?}");
            for most in [0, 1, STEP - 1, STEP, plain.len() - 1] {
                assert_eq!(decoded(coding, &raw, most), Err(Failure::TooLarge(Part::Decoded)), "{coding:?} {most}");
            }
        }
    }

    #[test]
    fn what_is_truncated_or_broken_is_refused() {
        let plain: Vec<u8> =
            (0..5_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        for coding in CODINGS {
            let raw = encode(coding, &plain);
            for length in [1, 2, 9, 11, raw.len() / 2, raw.len() - 1] {
                let result = decoded(coding, &raw[..length], 1 << 20);
                assert_eq!(result, Err(Failure::Undecodable(CodingFault::Broken)), "{coding:?} cut at {length}");
            }
            assert!(decoded(coding, b"not coded at all", 1 << 20).is_err(), "{coding:?}");
        }
        let mut raw = encode(Coding::Gzip, &plain);
        let checksum = raw.len() - 8;
        raw[checksum] ^= 1;
        assert_eq!(decoded(Coding::Gzip, &raw, 1 << 20), Err(Failure::Undecodable(CodingFault::Broken)));
    }

    #[test]
    fn a_zstd_window_beyond_eight_mebibytes_is_refused() {
        // Magic number, a frame header that asks for a window of the given size, one raw block of one byte.
        let frame = |window| [0x28, 0xb5, 0x2f, 0xfd, 0x00, window, 0x09, 0x00, 0x00, b'x'];
        let (eight_mebibytes, sixteen_mebibytes) = (13 << 3, 14 << 3);
        assert_eq!(decoded(Coding::Zstd, &frame(eight_mebibytes), 1 << 20).unwrap(), "x");
        let refused = decoded(Coding::Zstd, &frame(sixteen_mebibytes), 1 << 20);
        assert_eq!(refused, Err(Failure::Undecodable(CodingFault::Broken)));
    }

    #[test]
    fn one_coding_at_most() {
        let of = |values: &[&str]| {
            let headers: HeaderMap =
                values.iter().map(|value| (header::CONTENT_ENCODING, value.parse().unwrap())).collect();
            coding(&headers)
        };
        assert_eq!(of(&[]), Ok(Coding::Identity));
        assert_eq!(of(&["identity"]), Ok(Coding::Identity));
        assert_eq!(of(&["GZIP"]), Ok(Coding::Gzip));
        assert_eq!(of(&["x-gzip"]), Ok(Coding::Gzip));
        assert_eq!(of(&["identity, br"]), Ok(Coding::Brotli));
        assert_eq!(of(&["zstd,"]), Ok(Coding::Zstd));
        assert_eq!(of(&["gzip, gzip"]), Err(Failure::Undecodable(CodingFault::Stacked)));
        assert_eq!(of(&["gzip", "br"]), Err(Failure::Undecodable(CodingFault::Stacked)));
        assert_eq!(of(&["deflate"]), Err(Failure::Undecodable(CodingFault::Unknown)));
        assert_eq!(of(&["compress, gzip"]), Err(Failure::Undecodable(CodingFault::Unknown)));
    }
}
