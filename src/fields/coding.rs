//! Content codings (RFC 9110, section 8.4.1): the ones that we make, and the choice among them (section 12.5.3).

use super::weight::{FULL, Weight, weighted};
use http::{HeaderMap, header};

/// A content coding of a stored representation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    /// No coding.
    Identity,
    /// `gzip` (RFC 1952).
    Gzip,
    /// `br` (RFC 7932).
    Brotli,
    /// `zstd` (RFC 8878).
    Zstd,
}

impl Coding {
    /// What the names of files end in that lie in a coding beside others: `site.css.br`.
    pub const ENDINGS: [(Self, &str); 3] = [(Self::Brotli, ".br"), (Self::Zstd, ".zst"), (Self::Gzip, ".gz")];

    /// Its token in `Content-Encoding` and `Accept-Encoding`.
    pub fn token(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// The coding of a token, if it is one that we make; tokens have no case.
    pub fn from_token(token: &str) -> Option<Self> {
        let codings = [Self::Identity, Self::Gzip, Self::Brotli, Self::Zstd];
        let named = codings.into_iter().find(|coding| token.eq_ignore_ascii_case(coding.token()));
        // RFC 9110, section 8.4.1.3: `x-gzip` is `gzip`.
        named.or(if token.eq_ignore_ascii_case("x-gzip") { Some(Self::Gzip) } else { None })
    }
}

/// Which of `available` to send, by the request's `Accept-Encoding`. Allocates nothing.
///
/// The greatest weight wins; of equal ones `br`, then `zstd`, then `gzip`, then no coding. Without the field there is no
/// coding. [`Coding::Identity`] is always available, and sent even if the request refuses it when there is nothing else:
/// content that cannot be read is for the client to refuse.
pub fn negotiate(fields: &HeaderMap, available: &[Coding]) -> Coding {
    let mut weights = Weights::default();
    for line in fields.get_all(header::ACCEPT_ENCODING) {
        match line.as_bytes() {
            // What browsers send.
            b"gzip, deflate, br, zstd" => weights.accept(&[Coding::Gzip, Coding::Brotli, Coding::Zstd]),
            b"gzip, deflate, br" => weights.accept(&[Coding::Gzip, Coding::Brotli]),
            b"gzip, deflate" | b"gzip" => weights.accept(&[Coding::Gzip]),
            other => weights.read(other),
        }
    }
    weights.best(available)
}

/// What a request says of each coding.
#[derive(Debug, Default)]
struct Weights {
    brotli: Option<Weight>,
    zstd: Option<Weight>,
    gzip: Option<Weight>,
    identity: Option<Weight>,
    /// `*`: all that are not mentioned.
    others: Option<Weight>,
}

impl Weights {
    fn slot(&mut self, coding: Coding) -> &mut Option<Weight> {
        match coding {
            Coding::Identity => &mut self.identity,
            Coding::Gzip => &mut self.gzip,
            Coding::Brotli => &mut self.brotli,
            Coding::Zstd => &mut self.zstd,
        }
    }

    fn accept(&mut self, codings: &[Coding]) {
        for coding in codings {
            *self.slot(*coding) = Some(FULL);
        }
    }

    fn read(&mut self, line: &[u8]) {
        let Ok(line) = std::str::from_utf8(line) else { return };
        for member in line.split(',') {
            let Some((token, weight)) = weighted(member) else { continue };
            match token {
                "*" => self.others = Some(weight),
                token => {
                    if let Some(coding) = Coding::from_token(token) {
                        *self.slot(coding) = Some(weight);
                    }
                }
            }
        }
    }

    fn best(&self, available: &[Coding]) -> Coding {
        let mut best = Coding::Identity;
        // Unmentioned, no coding is acceptable, but nobody asked for it: any coding that was asked for goes before it.
        let mut greatest = self.identity.unwrap_or(0);
        for (coding, weight) in [(Coding::Gzip, self.gzip), (Coding::Zstd, self.zstd), (Coding::Brotli, self.brotli)] {
            let weight = weight.or(self.others).unwrap_or(0);
            if weight > 0 && weight >= greatest && available.contains(&coding) {
                best = coding;
                greatest = weight;
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Coding::{Brotli, Gzip, Identity, Zstd};
    use http::HeaderValue;
    use proptest::prelude::*;

    const ALL: &[Coding] = &[Identity, Gzip, Brotli, Zstd];

    fn chosen(line: &str, available: &[Coding]) -> Coding {
        let line = HeaderValue::from_bytes(line.as_bytes()).unwrap();
        negotiate(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, line)]), available)
    }

    #[test]
    fn the_best_coding_is_chosen() {
        for (line, expected) in [
            ("gzip, deflate, br, zstd", Brotli),
            ("gzip, deflate, br", Brotli),
            ("gzip, deflate", Gzip),
            ("zstd, gzip", Zstd),
            ("GZip", Gzip),
            ("x-gzip", Gzip),
            ("*", Brotli),
            ("*;q=0", Identity),
            ("br;q=0, *", Zstd),
            ("br;q=0.2, gzip;q=0.8", Gzip),
            ("br ; Q=0.2 , gzip ;q=0.201", Gzip),
            ("br;q=0.5, gzip;q=0.5", Brotli),
            ("br;q=0.000", Identity),
            ("br;q=2, gzip", Gzip),
            ("br;q=, gzip;q=0.1", Gzip),
            ("br;level=3", Identity),
            ("identity, br;q=0.5", Identity),
            ("identity, br", Brotli),
            ("identity;q=0.5, br;q=0.1, gzip;q=0.6", Gzip),
            ("identity;q=0", Identity),
            ("identity;q=0, gzip;q=0.1", Gzip),
            ("compress, deflate", Identity),
            ("", Identity),
            (",,;,=", Identity),
        ] {
            assert_eq!(chosen(line, ALL), expected, "{line}");
        }
    }

    #[test]
    fn only_what_there_is_can_be_chosen() {
        assert_eq!(chosen("gzip, deflate, br, zstd", &[Gzip]), Gzip);
        assert_eq!(chosen("br, zstd;q=0.5", &[Gzip, Zstd]), Zstd);
        assert_eq!(chosen("br", &[]), Identity);
        assert_eq!(negotiate(&HeaderMap::new(), ALL), Identity);
    }

    #[test]
    fn several_lines_are_one_list() {
        let mut fields = HeaderMap::new();
        fields.append(header::ACCEPT_ENCODING, HeaderValue::from_static("br;q=0.1"));
        fields.append(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        assert_eq!(negotiate(&fields, ALL), Gzip);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn what_is_refused_or_missing_is_never_sent(
            line in "((br|gzip|zstd|identity|\\*)(;q=(0|1|0\\.[0-9]{1,3}))?,?){0,5}",
            gzip in any::<bool>(),
        ) {
            let available: &[Coding] = if gzip { &[Gzip] } else { &[Zstd, Brotli] };
            let chosen = chosen(&line, available);
            prop_assert!(chosen == Identity || available.contains(&chosen));
            prop_assert!(chosen == Identity || line.contains(chosen.token()) || line.contains('*'));
        }
    }
}
