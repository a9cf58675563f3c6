//! What fields are: declarations, what fits them by either way, what is said of the rest.

use super::*;
use crate::config::{Decode as _, Kind, Named, Node, read_toml};
use crate::diagnostic::{Files, Findings};
use crate::submission::{Content, Entry, Form, UploadedFile};
use crate::value::{JsonLimits, Value, parse_json, write_json};
use bytes::Bytes;
use proptest::prelude::*;

fn compiled(text: &str, wire: Wire) -> (Fields, Vec<String>) {
    let mut files = Files::default();
    let mut findings = Findings::default();
    let file = files.add("a.toml", text);
    let table = read_toml(file, 0..text.len(), &files, &mut findings);
    let place = table.place;
    let decl = Named::<FieldDecl>::decode(&Node { kind: Kind::Table(table), place }, &mut findings).unwrap();
    let fields = Fields::compile(Some(&decl), wire, &mut findings);
    (fields, findings.iter().map(|finding| finding.message.clone()).collect())
}

fn fields(text: &str, wire: Wire) -> Fields {
    let (fields, findings) = compiled(text, wire);
    assert!(findings.is_empty(), "{text}: {findings:?}");
    fields
}

fn sent(pairs: &[(&str, &str)]) -> Form {
    let entries = pairs.iter().map(|(name, value)| ((*name).to_owned(), Entry::Text((*value).to_owned())));
    Form { entries: entries.collect() }
}

fn json(value: impl Into<Value>) -> String {
    let mut text = String::new();
    write_json(&value.into(), &mut text);
    text
}

/// The typed value of the field `x`, or what is said of it.
fn one(declared: &str, pairs: &[(&str, &str)]) -> Result<String, String> {
    let judged = fields(&format!("[x]\n{declared}"), Wire::Form).judge(sent(pairs), &|path| path.starts_with("/known"));
    match judged.errors.first() {
        Some((name, message)) => {
            assert_eq!((&**name, judged.errors.len()), ("x", 1));
            Err(message.clone())
        }
        None => Ok(json(judged.typed.get("x").cloned().unwrap_or_default())),
    }
}

#[test]
fn each_type_has_its_texts() {
    for (declared, fitting, misfits) in [
        ("", &[("a", "\"a\""), (" a ", "\" a \""), ("  ", "null"), ("", "null")][..], &["a\nb", "a\rb", "a\u{7}"][..]),
        ("type = 'text'", &[("a\r\nb\rc\n", "\"a\\nb\\nc\\n\"")], &["a\u{7}", "\u{1b}[2J"]),
        (
            "type = 'int'",
            &[("7", "7"), (" -7 ", "-7"), ("007", "7"), ("+7", "7")],
            &["7.0", "1e3", "9223372036854775808", "x", "0x7"],
        ),
        (
            "type = 'number'",
            &[("7", "7"), ("-7.5", "-7.5"), ("1e3", "1000.0")],
            &["inf", "NaN", "1,5", "1e999", "-", "0x1"],
        ),
        (
            "type = 'bool'",
            &[("on", "true"), ("TRUE", "true"), ("1", "true"), ("off", "false"), ("", "false")],
            &["maybe", "2"],
        ),
        ("type = 'date'", &[("2026-11-21", "\"2026-11-21\"")], &["2026-02-29", "21.11.2026", "2026-11-21T00:00"]),
        (
            "type = 'email'",
            &[(" a.b+c@example.com ", "\"a.b+c@example.com\""), ("a@localhost", "\"a@localhost\"")],
            &["a", "@b", "a@", "a@b@c", "a b@c", "a@-b", "a@b..c", "a@b\r\nBcc: c@d", "\"a\"@b", "a@\u{e9}.fr"],
        ),
        (
            "type = 'url'",
            &[("https://example.com/a?b#c", "\"https://example.com/a?b#c\"")],
            &[
                "example.com",
                "javascript:alert(1)",
                "https:///x",
                "https://a b/",
                "https://u@evil.example",
                "data:,x",
                "https:\\\\a",
                "//a",
            ],
        ),
        (
            "type = 'uuid'",
            &[("F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", "\"f81d4fae-7dec-11d0-a765-00a0c91e6bf6\"")],
            &["f81d"],
        ),
        ("type = 'slug'", &[("a-b-1", "\"a-b-1\"")], &["A", "a--b", "a_b"]),
        (
            "type = 'path'",
            &[("/known/a?b=c", "\"/known/a?b=c\"")],
            &["/unknown", "known", "//known", "https://known", "/known\\a"],
        ),
        ("type = 'password'", &[(" a ", "\" a \""), (" ", "\" \""), ("", "null")], &["a\nb"]),
    ] {
        for (text, expected) in fitting {
            assert_eq!(one(declared, &[("x", text)]).as_deref(), Ok(*expected), "{declared} {text:?}");
        }
        for text in misfits {
            assert!(one(declared, &[("x", text)]).is_err(), "{declared} {text:?}");
        }
    }
}

#[test]
fn one_thing_is_said_of_what_does_not_fit() {
    for (declared, pairs, expected) in [
        ("required = true", &[][..], "Please fill this in."),
        ("required = true", &[("x", " \t")], "Please fill this in."),
        ("required = true\nenum = ['a']", &[], "Please choose one."),
        ("required = true\nrepeat = true", &[("x", "")], "Please fill this in."),
        ("type = 'bool'\nrequired = true", &[], "This must be ticked."),
        ("type = 'bool'\nrequired = true", &[("x", "off")], "This must be ticked."),
        ("type = 'file'\nrequired = true", &[], "Please choose a file."),
        ("type = 'int'", &[("x", "x")], "This must be a whole number."),
        ("type = 'int'\nmin = 3", &[("x", "2")], "This must be at least 3."),
        ("type = 'int'\nmax = 3", &[("x", "4")], "This must be at most 3."),
        ("type = 'number'\nmax = 3.5", &[("x", "4")], "This must be at most 3.5."),
        ("type = 'date'\nmin = '2026-01-02'", &[("x", "2026-01-01")], "This must not be before 2026-01-02."),
        ("type = 'date'\nmax = 2026-01-02", &[("x", "2026-01-03")], "This must not be after 2026-01-02."),
        ("min-length = 1\nmax-length = 2", &[("x", "\u{e9}\u{e9}\u{e9}")], "This must have at most 2 characters."),
        ("min-length = 3", &[("x", "\u{e9}\u{e9}")], "This must have at least 3 characters."),
        ("max-length = 1", &[("x", "ab")], "This must have at most 1 character."),
        ("pattern = 'a|b+'", &[("x", "ab")], "This does not have the right form."),
        ("enum = ['a', 'b']", &[("x", "A")], "Please choose one of the values there are."),
        ("type = 'int'\nenum = ['1', '2']", &[("x", "3")], "Please choose one of the values there are."),
        ("repeat = true\nmax-items = 2", &[("x", "1"), ("x", "2"), ("x", "3")], "There may be at most 2."),
        ("type = 'int'\nmax = 3\nmessage = 'Up to three, please'", &[("x", "4")], "Up to three, please"),
        ("required = true\nmessage = 'Tell us'", &[], "Tell us"),
    ] {
        assert_eq!(one(declared, pairs), Err(expected.to_owned()), "{declared} {pairs:?}");
    }
    // A line end counts as one character, as browsers count it.
    assert!(one("type = 'text'\nmax-length = 3", &[("x", "a\r\nb")]).is_ok());
}

#[test]
fn what_is_not_there_has_a_value_too() {
    for (declared, pairs, expected) in [
        ("", &[][..], "null"),
        ("type = 'bool'", &[], "false"),
        ("type = 'bool'\ndefault = true", &[], "true"),
        ("default = 'a'", &[("x", "")], "\"a\""),
        ("type = 'int'\ndefault = 3", &[], "3"),
        ("repeat = true", &[], "[]"),
        ("repeat = true\ndefault = ['a']", &[], "[\"a\"]"),
        ("repeat = true", &[("x", "a"), ("x", ""), ("x", "b")], "[\"a\",\"b\"]"),
        ("type = 'int'\nrepeat = true", &[("x", "1"), ("x", "2")], "[1,2]"),
        ("type = 'file'", &[], "null"),
        ("type = 'file'\nrepeat = true", &[], "[]"),
    ] {
        assert_eq!(one(declared, pairs).as_deref(), Ok(expected), "{declared} {pairs:?}");
    }
}

#[test]
fn what_was_typed_is_shown_again_but_for_secrets() {
    let fields = fields(
        "[a]\ntype = 'int'\n[b]\n[c]\ntype = 'password'\n[d]\ntype = 'bool'\n[e]\nrepeat = true\n[f]\ntype = 'file'\n[g]\nname = 'wire-g'\ndefault = 'G'",
        Wire::Form,
    );
    assert_eq!(json(fields.blank()), "{\"a\":null,\"b\":null,\"d\":false,\"e\":[],\"g\":\"G\"}");
    let pairs = [("a", "x<"), ("b", " y "), ("c", "secret"), ("d", "on"), ("e", "1"), ("e", ""), ("wire-g", "g")];
    let judged = fields.judge(sent(&pairs), &|_| true);
    assert_eq!(json(judged.values), "{\"a\":\"x<\",\"b\":\" y \",\"d\":true,\"e\":[\"1\",\"\"],\"g\":\"g\"}");
    assert_eq!(
        json(judged.typed),
        "{\"a\":null,\"b\":\" y \",\"c\":\"secret\",\"d\":true,\"e\":[\"1\"],\"f\":null,\"g\":\"g\"}"
    );
    let judged = fields.judge(sent(&[]), &|_| true);
    assert_eq!(json(judged.values), "{\"a\":null,\"b\":null,\"d\":false,\"e\":[],\"g\":null}");
}

#[test]
fn files_are_judged_by_length_number_and_what_they_say_they_are() {
    let declared = "type = 'file'\nmax-size = '2KiB'\ntypes = ['image/png', 'text/*']\nrepeat = true\nmax-items = 2";
    let fields = fields(&format!("[x]\n{declared}"), Wire::Form);
    assert_eq!(fields.files_size(), 4096);
    let file = |media_type: Option<&str>, length| UploadedFile {
        name: Some("n".into()),
        media_type: media_type.map(Into::into),
        length,
        content: (length <= 2048).then(|| Content::Memory(Bytes::new())),
        digest: [0; 32],
    };
    let verdict = |files: Vec<UploadedFile>| {
        let entries = files.into_iter().map(|file| ("x".to_owned(), Entry::File(file))).collect();
        let judged = fields.judge(Form { entries }, &|_| true);
        judged.errors.first().map(|(_, message)| message.clone())
    };
    let png = || file(Some("image/png"), 1);
    assert_eq!(verdict(vec![png(), file(Some("Text/Plain; charset=utf-8"), 2048)]), None);
    assert_eq!(verdict(vec![file(Some("image/png"), 2049)]).as_deref(), Some("The file must be at most 2 KiB long."));
    assert_eq!(verdict(vec![png(), png(), png()]).as_deref(), Some("There may be at most 2."));
    for media_type in [Some("image/svg+xml"), Some("nonsense"), Some("image/pngx"), None] {
        assert_eq!(verdict(vec![file(media_type, 1)]).as_deref(), Some("A file of this type is not taken."));
    }
}

#[test]
fn members_of_json_have_their_own_types() {
    let fields = fields(
        "[n]\ntype = 'int'\nmin = 1\n[s]\nrequired = true\n[b]\ntype = 'bool'\n[o]\ntype = 'object'\n[l]\ntype = 'list'\n[r]\nrepeat = true\ntype = 'number'\n[w]\nname = 'wire-w'",
        Wire::Json,
    );
    let judge = |text: &str| {
        let judged = fields.judge_json(&parse_json(text, JsonLimits::default()).unwrap(), &|_| true);
        let errors: Vec<String> = judged.errors.iter().map(|(name, message)| format!("{name}: {message}")).collect();
        if errors.is_empty() { Ok(json(judged.typed)) } else { Err(errors.join("; ")) }
    };
    assert_eq!(
        judge("{\"s\":\"x\",\"n\":5.0,\"o\":{\"a\":1},\"l\":[1],\"r\":[1,2.5],\"wire-w\":\"w\"}").as_deref(),
        Ok("{\"n\":5,\"s\":\"x\",\"b\":false,\"o\":{\"a\":1},\"l\":[1],\"r\":[1,2.5],\"w\":\"w\"}")
    );
    for (text, expected) in [
        ("{}", "s: Please fill this in."),
        ("[]", ": This must be an object."),
        ("{\"s\":null}", "s: Please fill this in."),
        ("{\"s\":1}", "s: This must be one line of text."),
        ("{\"s\":\"x\",\"n\":\"5\"}", "n: This must be a whole number."),
        ("{\"s\":\"x\",\"n\":5.5}", "n: This must be a whole number."),
        ("{\"s\":\"x\",\"n\":0}", "n: This must be at least 1."),
        ("{\"s\":\"x\",\"b\":\"true\"}", "b: This must be yes or no."),
        ("{\"s\":\"x\",\"o\":[]}", "o: This must be an object."),
        ("{\"s\":\"x\",\"l\":{}}", "l: This must be a list."),
        ("{\"s\":\"x\",\"r\":1}", "r: This must be a number."),
        ("{\"s\":\"x\",\"r\":[1,\"2\"]}", "r: This must be a number."),
        ("{\"s\":\"x\",\"w\":\"w\"}", "w: There is no such member."),
        ("{\"s\":\"x\",\"n\":0,\"z\":0}", "n: This must be at least 1.; z: There is no such member."),
    ] {
        assert_eq!(judge(text), Err(expected.to_owned()), "{text}");
    }
}

#[test]
fn a_field_that_nothing_fits_or_that_means_nothing_is_a_mistake() {
    for (wire, text, expected) in [
        (Wire::Form, "[x]\ntype = 'emial'", "unknown type `emial`"),
        (Wire::Form, "[x]\ntype = 'object'", "a form cannot send what is of type `object`"),
        (Wire::Json, "[x]\ntype = 'file'", "JSON cannot hold a file"),
        (Wire::Form, "[values]", "`form.values` says something else"),
        (Wire::Form, "[a]\nname = 'b'\n[b]", "two fields are sent as `b`"),
        (Wire::Form, "[x]\nname = ''", "no form can send a field of this name"),
        (Wire::Form, "[x]\nmin = 3", "`min` bounds numbers and dates, and the type is `string`"),
        (Wire::Form, "[x]\ntype = 'int'\nmin = 'a'", "`min` is none of the field's values"),
        (Wire::Form, "[x]\ntype = 'int'\nmin = 2\nmax = 1", "`min` is above `max`: nothing fits"),
        (Wire::Form, "[x]\ntype = 'date'\nmax = '2026-13-01'", "`max` is none of the field's values"),
        (Wire::Form, "[x]\nmin-length = 2\nmax-length = 1", "`min-length` is above `max-length`: nothing fits"),
        (Wire::Form, "[x]\nmax-length = 0", "`max-length` is 0: nothing fits"),
        (Wire::Form, "[x]\ntype = 'int'\nmax-length = 3", "`max-length` bounds texts, and the type is `int`"),
        (Wire::Form, "[x]\ntype = 'int'\npattern = 'a'", "`pattern` is for texts, and the type is `int`"),
        (Wire::Form, "[x]\npattern = 'a)(b'", "`pattern` is no regular expression: unopened group"),
        (Wire::Form, "[x]\nenum = []", "`enum` has no values: nothing fits"),
        (Wire::Form, "[x]\nenum = ['a', 'a']", "`enum` has `a` twice"),
        (Wire::Form, "[x]\ntype = 'int'\nenum = ['a']", "`enum` holds what does not fit the rest of this field: `a`"),
        (Wire::Form, "[x]\nmax-items = 3", "`max-items` without `repeat = true`"),
        (Wire::Form, "[x]\nrepeat = true\nmax-items = 0", "a list of at most no items"),
        (Wire::Form, "[x]\ntype = 'int'\ndefault = 'a'", "the default does not fit the field"),
        (Wire::Form, "[x]\nrequired = true\ndefault = 'a'", "a field that is required has a default"),
        (Wire::Form, "[x]\ntype = 'file'\ndefault = 'a'", "a file has no `default` and no `enum`"),
        (Wire::Form, "[x]\ntypes = ['image/png']", "this is about files, and the type is `string`"),
        (Wire::Form, "[x]\ntype = 'file'\ntypes = ['png']", "`png` is no media type"),
    ] {
        assert_eq!(compiled(text, wire).1, [expected], "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_fits_is_within_every_bound_and_what_does_not_has_one_message(text in "\\PC{0,12}|[a-z0-9@./:-]{0,20}") {
        for kind in FieldKind::NAMES.iter().map(|(name, _)| *name).filter(|name| !matches!(*name, "file" | "object" | "list")) {
            let fields = fields(&format!("[x]\ntype = '{kind}'\nrequired = true"), Wire::Form);
            let judged = fields.judge(sent(&[("x", &text)]), &|_| true);
            let is_there = judged.typed.get("x").is_some_and(|value| !value.is_null());
            prop_assert_eq!(is_there, judged.errors.is_empty());
            prop_assert!(judged.errors.len() <= 1);
        }
    }
}
