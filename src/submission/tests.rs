//! Bodies as browsers send them, as nobody should, and cut by the network wherever it likes.

use super::*;
use crate::fields::MediaType;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body::Frame;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::task::{Context, Poll};

/// A body in pieces.
struct Pieces(VecDeque<Bytes>);

impl Pieces {
    fn of(body: &[u8], cuts: &[usize]) -> Self {
        let mut pieces = VecDeque::new();
        let mut left = body;
        for cut in cuts {
            let (piece, rest) = left.split_at(cut % (left.len() + 1));
            pieces.push_back(Bytes::copy_from_slice(piece));
            left = rest;
        }
        pieces.push_back(Bytes::copy_from_slice(left));
        Self(pieces)
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.get_mut().0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }
}

/// The fields of these tests.
fn accepts(name: &str) -> Option<Accepts> {
    match name {
        "a" | "b" => Some(Accepts::Text { repeats: false }),
        "tags" => Some(Accepts::Text { repeats: true }),
        "photo" => Some(Accepts::File { most: 1, length: 1000 }),
        "files" => Some(Accepts::File { most: 3, length: 200_000 }),
        _ => None,
    }
}

fn of_type(content_type: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))])
}

const URL_ENCODED: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=XX";

/// What was read, as text: names, values, and of files all that is known.
async fn read(content_type: &'static str, body: Pieces, most: u64) -> Result<Vec<(String, String)>, ReadError> {
    let format = FormFormat::of(&of_type(content_type))?;
    let folder = std::env::temp_dir();
    let form =
        Form::read(&format, body, Limits { most, texts: 100_000, fields: Limits::FIELDS, folder: &folder }, accepts)
            .await?;
    let shown = form.entries.into_iter().map(|(name, entry)| (name, shown(&entry)));
    Ok(shown.collect())
}

fn shown(entry: &Entry) -> String {
    match entry {
        Entry::Text(text) => text.clone(),
        Entry::File(UploadedFile { name, media_type, length, content, digest: _ }) => {
            let octets = match content {
                None => "not kept".to_owned(),
                Some(Content::Memory(octets)) => String::from_utf8_lossy(octets).into_owned(),
                Some(Content::Disk { file, offset }) => {
                    let mut octets = vec![0; usize::try_from(*length).unwrap()];
                    std::os::unix::fs::FileExt::read_exact_at(&**file, &mut octets, *offset).unwrap();
                    String::from_utf8_lossy(&octets).into_owned()
                }
            };
            format!("{name:?} {media_type:?} {length} {octets}")
        }
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn read_now(content_type: &'static str, body: impl AsRef<[u8]>) -> Result<Vec<(String, String)>, ReadError> {
    run(read(content_type, Pieces::of(body.as_ref(), &[]), 1 << 20))
}

fn refused(content_type: &'static str, body: impl AsRef<[u8]>) -> Refusal {
    match read_now(content_type, &body) {
        Err(ReadError::Refused(refusal)) => refusal,
        other => panic!("{}: {other:?}", String::from_utf8_lossy(body.as_ref())),
    }
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// A part with a text.
fn part(name: &str, value: &str) -> String {
    format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

/// A part with a file.
fn file(name: &str, called: &str, content: &str) -> String {
    format!(
        "--XX\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{called}\"\r\nContent-Type: text/plain\r\n\r\n{content}\r\n"
    )
}

/// A body with everything.
fn everything() -> String {
    let parts = [
        part("a", "one\r\n--X\r\n--XY? no: --X"),
        part("b", ""),
        part("tags", "x"),
        part("tags", "caf\u{e9}"),
        file("photo", "../p.png", "\r\n\r\n-\r--\r\n--"),
        file("files", "", ""),
        file("files", "long.txt", &"0123456789\r\n".repeat(9000)),
        file("files", "short", "s"),
    ];
    parts.concat().replace("--XY", "--WY") + "--XX--\r\n"
}

#[test]
fn a_form_is_read_in_both_encodings() {
    let expected = [pair("a", "x y&"), pair("tags", "1"), pair("tags", "caf\u{e9}"), pair("b", "")];
    let url_encoded = "a=x+y%26&tags=1&&tags=caf%c3%A9&b";
    assert_eq!(read_now(URL_ENCODED, url_encoded).unwrap(), expected);
    let multipart =
        [part("a", "x y&"), part("tags", "1"), part("tags", "caf\u{e9}"), part("b", "")].concat() + "--XX--";
    assert_eq!(read_now(MULTIPART, &multipart).unwrap(), expected);
    assert_eq!(read_now(MULTIPART, format!("\r\n{multipart}\r\n")).unwrap(), expected);
    assert_eq!(read_now(MULTIPART, "--XX--\r\n").unwrap(), []);
    assert_eq!(read_now(URL_ENCODED, "").unwrap(), []);
}

#[test]
fn files_are_kept_with_what_is_said_of_them() {
    let read = read_now(MULTIPART, everything()).unwrap();
    let long = "0123456789\r\n".repeat(9000);
    assert_eq!(
        read,
        [
            pair("a", "one\r\n--X\r\n--WY? no: --X"),
            pair("b", ""),
            pair("tags", "x"),
            pair("tags", "caf\u{e9}"),
            pair("photo", "Some(\"p.png\") Some(\"text/plain\") 12 \r\n\r\n-\r--\r\n--"),
            pair("files", &format!("Some(\"long.txt\") Some(\"text/plain\") 108000 {long}")),
            pair("files", "Some(\"short\") Some(\"text/plain\") 1 s"),
        ]
    );
}

#[test]
fn what_is_too_long_or_one_too_many_is_measured_and_not_kept() {
    let body = file("photo", "p", &"x".repeat(1001)) + "--XX--";
    assert_eq!(read_now(MULTIPART, body).unwrap(), [pair("photo", "Some(\"p\") Some(\"text/plain\") 1001 not kept")]);
    let body = (0..4).map(|at| file("files", &at.to_string(), "x")).collect::<String>() + "--XX--";
    let last = read_now(MULTIPART, body).unwrap().pop().unwrap();
    assert_eq!(last, pair("files", "Some(\"3\") Some(\"text/plain\") 1 not kept"));
}

#[test]
fn who_sends_what_nobody_asked_for_is_refused() {
    let end = "--XX--\r\n";
    let many = |count: usize| vec!["tags=1"; count].join("&");
    assert_eq!(read_now(URL_ENCODED, many(256)).unwrap().len(), 256);
    for count in [257, 1001] {
        assert_eq!(refused(URL_ENCODED, many(count)), Refusal::TooManyFields { most: 256 });
    }
    for (content_type, body, expected) in [
        (URL_ENCODED, "a=1&c=2".to_owned(), Refusal::UnknownField("c".to_owned())),
        (URL_ENCODED, "=1".to_owned(), Refusal::UnknownField(String::new())),
        (URL_ENCODED, "A=1".to_owned(), Refusal::UnknownField("A".to_owned())),
        (URL_ENCODED, "a=1&a=2".to_owned(), Refusal::RepeatedField("a".to_owned())),
        (URL_ENCODED, "a=1&%61=2".to_owned(), Refusal::RepeatedField("a".to_owned())),
        (URL_ENCODED, "photo=p.png".to_owned(), Refusal::TextForFile("photo".to_owned())),
        (URL_ENCODED, "a=%".to_owned(), Refusal::Encoding),
        (URL_ENCODED, "a=%4".to_owned(), Refusal::Encoding),
        (URL_ENCODED, "a=%zz".to_owned(), Refusal::Encoding),
        (URL_ENCODED, "a=%ff".to_owned(), Refusal::Encoding),
        (URL_ENCODED, "a=%00".to_owned(), Refusal::Encoding),
        (URL_ENCODED, "%ff=a".to_owned(), Refusal::Encoding),
        (MULTIPART, part("c", "1") + end, Refusal::UnknownField("c".to_owned())),
        (MULTIPART, part("a", "1") + &part("a", "2") + end, Refusal::RepeatedField("a".to_owned())),
        (MULTIPART, file("a", "x", "1") + end, Refusal::FileForText("a".to_owned())),
        (MULTIPART, part("photo", "1") + end, Refusal::TextForFile("photo".to_owned())),
        (
            MULTIPART,
            file("photo", "1", "1") + &file("photo", "2", "2") + end,
            Refusal::RepeatedField("photo".to_owned()),
        ),
        (MULTIPART, part("a", "\0") + end, Refusal::Encoding),
        (MULTIPART, part("tags", "1").repeat(1001) + end, Refusal::TooManyFields { most: 256 }),
    ] {
        let refusal = refused(content_type, &body);
        assert_eq!(refusal, expected, "{}", body.chars().take(200).collect::<String>());
        assert_eq!(refusal.status(), StatusCode::BAD_REQUEST);
    }
    assert!(matches!(
        refused(MULTIPART, [&b"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\xff\r\n--XX--"[..]].concat()),
        Refusal::Encoding
    ));
    let name = "n".repeat(5000) + "\u{7}=1";
    assert!(matches!(refused(URL_ENCODED, name), Refusal::UnknownField(told) if told.chars().count() == 65));
}

#[test]
fn tricks_with_boundaries_are_refused() {
    let sound = part("a", "1");
    for body in [
        String::new(),
        "--XX".to_owned(),
        "--XX\r\n".to_owned(),
        "preamble\r\n".to_owned() + &sound + "--XX--",
        "\r\n\r\n".to_owned() + &sound + "--XX--",
        "\n".to_owned() + &sound + "--XX--",
        sound.clone(),
        sound.clone() + "--XX",
        sound.clone() + "--XX-",
        sound.clone() + "--XX--epilogue",
        sound.clone() + "--XX--\r\nepilogue",
        sound.clone() + "--XX--\r\n" + &part("b", "2") + "--XX--",
        sound.replace("--XX\r\n", "--XX \r\n") + "--XX--",
        sound.replace("--XX\r\n", "--XX\n") + "--XX--",
        sound.replace("--XX\r\n", "--XXY\r\n") + "--XX--",
        sound.replace("--XX", "--xx") + "--XX--",
        sound.clone() + "--XXY\r\n\r\n--XX--",
        sound.clone() + "--XX\r\n\r\nno header\r\n--XX--",
        "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n--XX--\r\n".to_owned(),
        "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n--XX--\r\n".to_owned(),
        "--XX\nContent-Disposition: form-data; name=\"a\"\n\n1\n--XX--\n".to_owned(),
        format!("--XX\r\nX: {}\r\n", "x".repeat(9000)),
    ] {
        assert!(matches!(refused(MULTIPART, &body), Refusal::Malformed(_) | Refusal::Unfinished), "{body}");
    }
    for content_type in [
        "multipart/form-data",
        "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundary=XX; boundary=YY",
        "multipart/form-data; boundary=XX; Boundary=XX",
        "multipart/form-data; boundary=\"X\\\"X\"",
        "multipart/form-data; boundary=\"XX \"",
        "multipart/form-data; boundary=\"12345678901234567890123456789012345678901234567890123456789012345678901\"",
    ] {
        assert_eq!(refused(content_type, sound.clone() + "--XX--"), Refusal::Boundary, "{content_type}");
    }
}

#[test]
fn only_the_encodings_of_forms_are_read() {
    for (content_type, expected) in [
        ("text/plain", Refusal::MediaType),
        ("application/json", Refusal::MediaType),
        ("multipart/mixed; boundary=XX", Refusal::MediaType),
        ("multipart/form-data; boundary=XX; \"", Refusal::MediaType),
        ("application/x-www-form-urlencoded; charset=iso-8859-1", Refusal::Charset),
        ("nonsense", Refusal::MediaType),
    ] {
        assert_eq!(refused(content_type, "a=1"), expected, "{content_type}");
    }
    assert!(read_now("Application/X-WWW-Form-URLEncoded; charset=UTF-8", "a=1").is_ok());
    assert_eq!(FormFormat::of(&HeaderMap::new()), Err(Refusal::NoMediaType));
    let mut fields = of_type(URL_ENCODED);
    fields.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    assert_eq!(FormFormat::of(&fields), Err(Refusal::Coded));
    fields.insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
    assert_eq!(FormFormat::of(&fields), Ok(FormFormat::UrlEncoded));
    fields.append(header::CONTENT_TYPE, HeaderValue::from_static("multipart/form-data; boundary=XX"));
    assert_eq!(FormFormat::of(&fields), Err(Refusal::MediaType));
}

#[test]
fn a_body_is_as_long_as_it_may_be_and_no_longer() {
    let body = everything();
    let exactly = u64::try_from(body.len()).unwrap();
    let read = |most| run(read(MULTIPART, Pieces::of(body.as_bytes(), &[100; 50]), most));
    assert!(read(exactly).is_ok());
    assert!(matches!(read(exactly - 1), Err(ReadError::Refused(Refusal::TooLarge { .. }))));
    assert!(matches!(read(0), Err(ReadError::Refused(Refusal::TooLarge { most: 0 }))));
}

#[test]
fn texts_are_bounded_by_themselves() {
    let text = |length: usize| part("tags", &"x".repeat(length));
    assert!(read_now(MULTIPART, text(60_000) + &text(40_000) + "--XX--").is_ok());
    assert_eq!(refused(MULTIPART, text(60_000) + &text(40_001) + "--XX--"), Refusal::TooLarge { most: 100_000 });
    assert_eq!(refused(URL_ENCODED, format!("a={}", "x".repeat(100_000))), Refusal::TooLarge { most: 100_000 });
}

#[test]
fn a_body_that_ends_anywhere_else_is_none() {
    let body = (part("a", "1") + &file("photo", "p", "x") + "--XX--").into_bytes();
    for end in 0..body.len() {
        assert!(read_now(MULTIPART, &body[..end]).is_err(), "{}", String::from_utf8_lossy(&body[..end]));
    }
    assert!(read_now(MULTIPART, &body).is_ok());
}

#[test]
fn json_is_read_from_what_says_that_it_is() {
    let read = |content_type, text: &[u8]| run(read_json(&of_type(content_type), Pieces::of(text, &[3]), 20));
    assert!(read("application/json", b"{\"a\":1}").is_ok());
    assert!(read("application/vnd.x+json; charset=utf-8", b"{\"a\":1}").is_ok());
    for (content_type, text, expected) in [
        ("text/plain", &b"{}"[..], Refusal::MediaType),
        (URL_ENCODED, b"{}", Refusal::MediaType),
        ("application/json; charset=utf-16", b"{}", Refusal::Charset),
        ("application/json", b"\"\xff\"", Refusal::Encoding),
        ("application/json", b"\"123456789012345678901\"", Refusal::TooLarge { most: 20 }),
    ] {
        let refusal = read(content_type, text);
        assert!(
            matches!(&refusal, Err(ReadError::Refused(refusal)) if *refusal == expected),
            "{content_type}: {refusal:?}"
        );
    }
    assert!(MediaType::parse("application/json").is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn wherever_the_network_cuts_a_body_it_is_the_same(cuts in prop::collection::vec(0_usize..400, 0..60)) {
        let body = everything();
        let whole = read_now(MULTIPART, &body).unwrap();
        let cut = run(read(MULTIPART, Pieces::of(body.as_bytes(), &cuts), 1 << 20)).unwrap();
        prop_assert_eq!(whole, cut);
    }

    #[test]
    fn what_is_wrong_is_wrong_wherever_it_is_cut(
        body in "(--XX|\r\n|--|Content-Disposition: form-data; name=\"(a|photo)\"(; filename=\"x\")?|x|\r|\n| ){0,14}",
        cuts in prop::collection::vec(0_usize..12, 0..30),
    ) {
        let verdict = |read: Result<Vec<(String, String)>, ReadError>| match read {
            Ok(pairs) => Ok(pairs),
            Err(ReadError::Refused(refusal)) => Err(refusal),
            Err(other) => panic!("{other:?}"),
        };
        let whole = verdict(read_now(MULTIPART, &body));
        let cut = verdict(run(read(MULTIPART, Pieces::of(body.as_bytes(), &cuts), 1 << 20)));
        prop_assert_eq!(whole.is_ok(), cut.is_ok());
        if let (Ok(whole), Ok(cut)) = (whole, cut) {
            prop_assert_eq!(whole, cut);
        }
    }

    #[test]
    fn what_a_form_holds_comes_out_again(texts in prop::collection::vec("[^\0]{0,40}", 0..10)) {
        let mut body = String::new();
        for text in &texts {
            body += &part("tags", text);
        }
        let expected: Vec<_> = texts.iter().map(|text| pair("tags", text)).collect();
        prop_assert_eq!(read_now(MULTIPART, body + "--XX--").unwrap(), expected.clone());
        let escaped = |text: &String| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
        let encoded: Vec<String> = texts.iter().map(|text| format!("tags={}", escaped(text))).collect();
        prop_assert_eq!(read_now(URL_ENCODED, encoded.join("&")).unwrap(), expected);
    }

    #[test]
    fn no_octets_are_too_odd(body in prop::collection::vec(any::<u8>(), 0..300)) {
        for content_type in [MULTIPART, URL_ENCODED] {
            drop(read_now(content_type, &body));
        }
    }
}
