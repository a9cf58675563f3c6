//! The header of a part: `Content-Disposition` (RFC 7578, section 4.2), and what else may stand there (sections 4.4, 4.7 and 4.8).
//!
//! Senders write names as the HTML standard has it, with `%22`, `%0D` and `%0A` for what would end them, or with a backslash before a quote as
//! older ones and curl do; both are read. What a file is called is cut down to a name: it is shown, and passed on, and never opened.

use super::Refusal;

/// What the header of a part says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct PartHead {
    /// The field that it is the value of.
    pub(super) name: String,
    /// What the sender calls the file; `Some` for every file, also for one without a name.
    pub(super) file: Option<String>,
    /// Its media type, if that is written.
    pub(super) media_type: Option<String>,
}

/// At most so many header fields of one part.
const MOST_LINES: usize = 16;

/// The longest name of a field, in octets.
const LONGEST_NAME: usize = 256;

/// The longest name of a file, in characters: what is longer is cut.
const LONGEST_FILE_NAME: usize = 255;

const MALFORMED: Refusal = Refusal::Malformed("the header of a part cannot be read");

/// Reads the lines before the empty one.
pub(super) fn part_head(octets: &[u8]) -> Result<PartHead, Refusal> {
    let text = std::str::from_utf8(octets).map_err(|_other| Refusal::Encoding)?;
    let mut head = None;
    let mut media_type = None;
    let mut encoding = false;
    for (at, line) in text.split("\r\n").enumerate() {
        if at == MOST_LINES {
            return Err(Refusal::Malformed("a part has too many header fields"));
        }
        let (name, value) = line.split_once(':').ok_or(MALFORMED)?;
        let is_name = !name.is_empty() && name.bytes().all(is_token);
        if !is_name || value.chars().any(|character| character.is_control() && character != '\t') {
            return Err(MALFORMED);
        }
        let value = value.trim_matches([' ', '\t']);
        if name.eq_ignore_ascii_case("content-disposition") {
            if head.replace(disposition(value)?).is_some() {
                return Err(Refusal::Malformed("a part has two names"));
            }
        } else if name.eq_ignore_ascii_case("content-type") {
            let readable = value.len() <= LONGEST_NAME && value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
            if !readable || media_type.replace(value.to_owned()).is_some() {
                return Err(Refusal::Malformed("a part has a media type that cannot be read"));
            }
        } else if name.eq_ignore_ascii_case("content-transfer-encoding") {
            let is_plain = ["7bit", "8bit", "binary"].iter().any(|plain| value.eq_ignore_ascii_case(plain));
            if !is_plain || std::mem::replace(&mut encoding, true) {
                return Err(Refusal::Malformed("a part has a transfer encoding"));
            }
        }
    }
    let head: PartHead = head.ok_or(Refusal::Malformed("a part has no name"))?;
    Ok(PartHead { media_type, ..head })
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Reads `form-data; name="…"; filename="…"`.
fn disposition(value: &str) -> Result<PartHead, Refusal> {
    let kind = value.split(';').next().unwrap_or_default();
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return Err(Refusal::Malformed("a part is no `form-data`"));
    }
    let (mut name, mut file, mut extended) = (None, None, None);
    let mut left = value.get(kind.len()..).unwrap_or_default();
    loop {
        left = left.trim_start_matches([' ', '\t']);
        if left.is_empty() {
            break;
        }
        left = left.strip_prefix(';').ok_or(MALFORMED)?.trim_start_matches([' ', '\t']);
        if left.is_empty() {
            break;
        }
        let (key, rest) = left.split_once('=').ok_or(MALFORMED)?;
        if key.is_empty() || !key.bytes().all(is_token) {
            return Err(MALFORMED);
        }
        let (text, rest) = match rest.strip_prefix('"') {
            Some(opened) => quoted(opened).ok_or(MALFORMED)?,
            None => {
                let end = rest.bytes().position(|byte| !is_token(byte)).unwrap_or(rest.len());
                let (token, rest) =
                    rest.split_at_checked(end).filter(|(token, _)| !token.is_empty()).ok_or(MALFORMED)?;
                (token.to_owned(), rest)
            }
        };
        left = rest;
        let slot = match &*key.to_ascii_lowercase() {
            "name" => &mut name,
            "filename" => &mut file,
            "filename*" => &mut extended,
            // Nothing else is defined, and what is ignored here could mean something elsewhere.
            _ => return Err(MALFORMED),
        };
        if slot.replace(text).is_some() {
            return Err(Refusal::Malformed("a part has two names"));
        }
    }
    let name = name.ok_or(Refusal::Malformed("a part has no name"))?;
    if name.len() > LONGEST_NAME || name.contains('\0') {
        return Err(Refusal::Malformed("a part has a name that is too long"));
    }
    // The other form is not to be sent (RFC 7578, section 4.2); where it is alone it still says that this is a file.
    Ok(PartHead { name, file: file.or(extended.map(|_undecoded| String::new())), media_type: None })
}

/// The text up to the closing quote, and what follows that.
fn quoted(opened: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut left = opened.char_indices().peekable();
    while let Some((at, character)) = left.next() {
        match character {
            '"' => return Some((unescaped(&text), opened.get(at + 1..)?)),
            '\\' if left.peek().is_some_and(|(_, next)| matches!(next, '"' | '\\')) => text.push(left.next()?.1),
            other => text.push(other),
        }
    }
    None
}

/// What browsers write for characters that would end a name.
fn unescaped(text: &str) -> String {
    text.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

/// A name out of what a sender calls a file: the last part of a path of any system, without control characters; none if nothing is left.
pub(super) fn file_name(sent: &str) -> Option<Box<str>> {
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    // Characters that turn the direction of text make `exe.txt` of `txt.exe`.
    let disturbs = |character: &char| {
        character.is_control()
            || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    let name: String = last.chars().filter(|character| !disturbs(character)).take(LONGEST_FILE_NAME).collect();
    let name = name.trim();
    (!matches!(name, "" | "." | "..")).then(|| name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(name: &str, file: Option<&str>) -> PartHead {
        PartHead { name: name.to_owned(), file: file.map(str::to_owned), media_type: None }
    }

    #[test]
    fn names_are_read_as_senders_write_them() {
        for (value, expected) in [
            ("form-data; name=\"a\"", head("a", None)),
            ("form-data; name=a", head("a", None)),
            ("Form-Data ;NAME=\"a\"", head("a", None)),
            ("form-data; name=\"a\"; filename=\"b.txt\"", head("a", Some("b.txt"))),
            ("form-data; filename=\"b;c=d\"; name=\"a\"", head("a", Some("b;c=d"))),
            ("form-data; name=\"a\"; filename=\"\"", head("a", Some(""))),
            ("form-data; name=\"a\"; filename=\"say \\\"hi\\\"\"", head("a", Some("say \"hi\""))),
            ("form-data; name=\"a\"; filename=\"say %22hi%22\"", head("a", Some("say \"hi\""))),
            ("form-data; name=\"a\"; filename=\"C:\\dir\\b.txt\"", head("a", Some("C:\\dir\\b.txt"))),
            ("form-data; name=\"caf\u{e9}\"", head("caf\u{e9}", None)),
            ("form-data; name=\"a\"; filename*=UTF-8''b.txt", head("a", Some(""))),
            ("form-data; name=\"a\"; filename=\"b\"; filename*=UTF-8''c", head("a", Some("b"))),
            ("form-data; name=\"a\";", head("a", None)),
        ] {
            let read = part_head(format!("Content-Disposition: {value}").as_bytes());
            assert_eq!(read.as_ref(), Ok(&expected), "{value}");
        }
    }

    #[test]
    fn a_header_that_could_be_read_otherwise_is_refused() {
        for lines in [
            "",
            "Content-Type: text/plain",
            "Content-Disposition: attachment; name=\"a\"",
            "Content-Disposition: form-data",
            "Content-Disposition: form-data; name=\"a",
            "Content-Disposition: form-data; name=\"a\"; name=\"b\"",
            "Content-Disposition: form-data; name=\"a\" name=\"b\"",
            "Content-Disposition: form-data; name=\"a\"; filename=\"b\\\"; name=\"c\"",
            "Content-Disposition: form-data; name=",
            "Content-Disposition: form-data; name=\"a\"; x=y",
            "Content-Disposition: form-data; name*=UTF-8''a",
            "Content-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"b\"",
            "Content-Disposition: form-data; name=\"a\"\r\nContent-Type: a/b\r\nContent-Type: c/d",
            "Content-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64",
            "Content-Disposition: form-data; name=\"a\"\r\n folded",
            "Content-Disposition: form-data; name=\"a\"\nX: y",
            "Content-Disposition : form-data; name=\"a\"",
            "Content-Disposition: form-data; name=\"a\0\"",
            "no header",
        ] {
            assert!(part_head(lines.as_bytes()).is_err(), "{lines}");
        }
        let long = format!("Content-Disposition: form-data; name=\"{}\"", "a".repeat(LONGEST_NAME + 1));
        assert!(part_head(long.as_bytes()).is_err());
        let many = "X-A: b\r\n".repeat(MOST_LINES) + "Content-Disposition: form-data; name=\"a\"";
        assert!(part_head(many.as_bytes()).is_err());
        assert!(part_head(b"Content-Disposition: form-data; name=\"\xff\"").is_err());
    }

    #[test]
    fn the_name_of_a_file_is_a_name() {
        for (sent, expected) in [
            ("b.txt", Some("b.txt")),
            ("../../etc/passwd", Some("passwd")),
            ("..\\..\\boot.ini", Some("boot.ini")),
            ("/etc/", None),
            ("..", None),
            (".", None),
            ("", None),
            ("a\r\nSet-Cookie: b", Some("aSet-Cookie: b")),
            ("a\0.png", Some("a.png")),
            ("\u{202e}gnp.exe", Some("gnp.exe")),
            ("say \"hi\".txt", Some("say \"hi\".txt")),
            ("caf\u{e9}.pdf", Some("caf\u{e9}.pdf")),
            (".htaccess", Some(".htaccess")),
        ] {
            assert_eq!(file_name(sent).as_deref(), expected, "{sent:?}");
        }
        assert_eq!(file_name(&"\u{e9}".repeat(1000)).unwrap().chars().count(), LONGEST_FILE_NAME);
    }
}
