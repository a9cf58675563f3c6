//! Messages at random: what origins and clients send, and what none should.

use super::read::Lines;

/// A generator whose seed repeats a run (`SplitMix64`).
pub(super) struct Random(u64);

impl Random {
    /// With its seed, which is printed, and how many rounds there are.
    #[expect(clippy::print_stdout, reason = "a test says its seed")]
    pub(super) fn new() -> (u64, Self, u32) {
        let seed = std::env::var("LITERAL_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| u64::from(jiff::Timestamp::now().subsec_nanosecond().unsigned_abs()));
        let rounds = if std::env::var_os("SITESERVER_PROVE").is_some() { 2_000_000 } else { 20_000 };
        println!("LITERAL_SEED={seed}");
        (seed, Self(seed), rounds)
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.bits() % end as u64).unwrap()
    }

    pub(super) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// The name in some case.
    fn cased(&mut self, name: &str) -> String {
        match self.below(6) {
            0 => name.to_uppercase(),
            1 => name.chars().map(|c| if self.one_in(2) { c.to_ascii_uppercase() } else { c }).collect(),
            _ => name.to_owned(),
        }
    }

    /// A number of seconds in some spelling.
    fn number(&mut self) -> String {
        match self.below(14) {
            0 => {
                self.pick(&["2147483647", "2147483648", "2147483649", "4294967296", "18446744073709551616"]).to_owned()
            }
            1 => self.pick(&["-1", "+5", "5.0", "a", "", "0x5", "5a", "1e3", "'60'", "60;x", "٣"]).to_owned(),
            2 => format!("00{}", self.below(100)),
            3..=5 => self.pick(&["60", "600", "3600", "86400"]).to_owned(),
            6 => "0".to_owned(),
            _ => self.below(200).to_string(),
        }
    }

    fn argument(&mut self, text: &str) -> String {
        match self.below(10) {
            0 => format!("\"{text}\""),
            1 if text.len() > 1 && text.is_ascii() => format!("\"{}\\{}\"", &text[..1], &text[1..]),
            _ => text.to_owned(),
        }
    }

    fn directive(&mut self, numbers: &[&str], flags: &[&str]) -> String {
        let (name, argument) = match self.below(20) {
            0 => {
                let odd = self.pick(&[
                    "foo",
                    "x=\"a, no-store\"",
                    "x=\"a, max-age=60\"",
                    "foo=bar",
                    "max-age-x=5",
                    "x-max-age=5",
                    "=5",
                    "\"no-store\"",
                    "no store",
                    "x=\"\\\", private, \\\"\"",
                    "a=b=no-store",
                    "",
                    " ",
                    "x=\"open, no-store , max-age=60",
                    "x=\"open",
                    "max-age",
                    "s-maxage",
                    "max-stale",
                    "no-store=1",
                    "no-cache=",
                    "private=\"\"",
                    "public=1",
                    "must-revalidate=\"x\"",
                ]);
                return odd.to_owned();
            }
            1..=9 => {
                let (name, number) = (self.pick(numbers), self.number());
                (name, Some(self.argument(&number)))
            }
            10 | 11 => {
                let fields = self.pick(&["x-p", "x-p, X-q", "set-cookie", "x p", "", " , ", "cache-control", "etag"]);
                let name = self.pick(&["private", "no-cache"]);
                let is_token = !fields.is_empty() && !fields.contains([' ', ',']);
                (name, Some(if is_token && self.one_in(3) { fields.to_owned() } else { format!("\"{fields}\"") }))
            }
            _ => (self.pick(flags), None),
        };
        let name = self.cased(name);
        match argument {
            None => name,
            Some(argument) => match self.below(40) {
                0 => format!("{name} ={argument}"),
                1 => format!("{name}= {argument}"),
                _ => format!("{name}={argument}"),
            },
        }
    }

    fn control(&mut self, lines: &mut Lines, numbers: &[&str], flags: &[&str]) {
        for _ in 0..self.pick(&[0, 1, 1, 1, 1, 2]) {
            let count = self.pick(&[1, 1, 2, 2, 3, 4]);
            let all: Vec<String> = (0..count).map(|_| self.directive(numbers, flags)).collect();
            let between = self.pick(&[", ", ",", " , ", ",\t", ",,", ", ,"]);
            let value = all.join(between);
            let name = self.cased("cache-control");
            lines.push((name, value.trim_matches([' ', '\t']).to_owned()));
        }
    }

    pub(super) fn response_control(&mut self, lines: &mut Lines) {
        self.control(
            lines,
            &["max-age", "max-age", "max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"],
            &[
                "public",
                "public",
                "private",
                "no-store",
                "no-cache",
                "must-revalidate",
                "proxy-revalidate",
                "must-understand",
                "immutable",
                "no-transform",
            ],
        );
    }

    pub(super) fn request_control(&mut self, lines: &mut Lines) {
        if self.one_in(3) {
            self.control(
                lines,
                &["max-age", "max-stale", "min-fresh", "stale-if-error"],
                &["no-cache", "no-store", "only-if-cached", "max-stale", "no-transform"],
            );
        }
        self.line(lines, 20, "pragma", &["no-cache", "No-Cache", "foo", "foo, no-cache", "no-cache=1"]);
    }

    /// A moment some time before or after another, as a date in some form.
    pub(super) fn date(&mut self, around: i64) -> String {
        let odd = [
            "0",
            "",
            "-1",
            "foo",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT",
            "06 Nov 1994 08:49:37 GMT",
            "Sun,  06 Nov 1994 08:49:37 GMT",
            "Sun, 06-Nov-1994 08:49:37 GMT",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 29 Feb 1996 08:49:37 GMT",
            "Sun, 29 Feb 1900 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:37 GMT",
            "Sun, 06 Nov 1994 08:49:60 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Fri, 31 Dec 9999 23:59:59 GMT",
            "Mon, 01 Jan 0001 00:00:00 GMT",
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "Wed, 31 Dec 1969 23:59:59 GMT",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-44 08:49:36 GMT",
            "Sunday, 06-Nov-44 08:49:37 GMT",
            "Sunday, 06-Nov-44 08:49:38 GMT",
            "Sunday, 06-Nov-45 08:49:37 GMT",
            "Sunday, 06-Nov-00 08:49:37 GMT",
            "Sun, 06-Nov-94 08:49:37 GMT",
            "Sun Nov 06 08:49:37 1994",
            "Sun Nov 6 08:49:37 1994",
            "Sun Nov  6 08:49:37 1994 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
            "\"Sun, 06 Nov 1994 08:49:37 GMT\"",
            "Sun, 06 Nov 1994 08.49.37 GMT",
            "Tue, 29 Feb 2000 00:00:00 GMT",
            "1994-11-06T08:49:37Z",
        ];
        if self.one_in(8) {
            return self.pick(&odd).to_owned();
        }
        let away =
            self.pick(&[0, 0, 1, 5, 30, 59, 60, 61, 600, 3600, 8640, 86_400, 864_000, 31_536_000, 1_000_000_000]);
        let moment = around + if self.one_in(2) { away } else { -away };
        let form = self.pick(&[
            "%a, %d %b %Y %H:%M:%S GMT",
            "%a, %d %b %Y %H:%M:%S GMT",
            "%a, %d %b %Y %H:%M:%S GMT",
            "%A, %d-%b-%y %H:%M:%S GMT",
            "%a %b %e %H:%M:%S %Y",
        ]);
        let text = jiff::Timestamp::from_second(moment).unwrap().strftime(form).to_string();
        if self.one_in(10) { self.cased(&text) } else { text }
    }

    /// Adds a line once in so many times, and now and then another.
    pub(super) fn line(&mut self, lines: &mut Lines, one_in: usize, name: &str, of: &[&str]) {
        if self.one_in(one_in) {
            let value = self.pick(of).to_owned();
            let name = self.cased(name);
            lines.push((name, value));
        }
    }

    pub(super) fn dated(&mut self, lines: &mut Lines, one_in: usize, name: &str, around: i64) {
        if self.one_in(one_in) {
            let value = self.date(around);
            lines.push((name.to_owned(), value));
        }
    }

    pub(super) fn age(&mut self, lines: &mut Lines) {
        if self.one_in(3) {
            let mut value = self.number();
            if self.one_in(8) {
                value = format!("{value}{}{}", self.pick(&[", ", ",", " ,"]), self.number());
            }
            lines.push(("age".to_owned(), value));
        }
    }

    pub(super) fn shuffled(&mut self, lines: &mut Lines) {
        for at in (1..lines.len()).rev() {
            let other = self.below(at + 1);
            lines.swap(at, other);
        }
    }
}
