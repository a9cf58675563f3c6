//! Where in the markup each output stands, as tables.

use super::markup::Tracker;
use super::{Sink, Stand};
use crate::render::escape::{Holder, Look, UrlPart};

/// A value whose part only the page tells.
fn seen(quote: u8, holder: Holder, hosts: bool, rests: bool) -> Stand {
    Stand::Fine(Sink::Url(UrlPart::Seen(Look { quote, holder, hosts, rests, encoded: false })))
}

fn after(text: &str) -> Stand {
    let mut tracker = Tracker::html();
    tracker.literal(text);
    tracker.stand()
}

#[test]
fn every_place_is_recognised() {
    use UrlPart::{Host, Name, Opaque, Path, Query, Root, Start};
    let url = |part| Stand::Fine(Sink::Url(part));
    for (text, expected) in [
        ("", Stand::Fine(Sink::Text)),
        ("a < b", Stand::Fine(Sink::Text)),
        ("<p>", Stand::Fine(Sink::Text)),
        ("<p class=\"", Stand::Fine(Sink::Attribute)),
        ("<p\nCLASS = '", Stand::Fine(Sink::Attribute)),
        ("<a href=\"", url(Start)),
        ("<a href='x", url(Start)),
        ("<a href='/", url(Root)),
        ("<a href='/x/", url(Path)),
        ("<a href='x/", url(Path)),
        ("<a href='?a=", url(Query)),
        ("<a href='/x?a=b&amp;c=", url(Query)),
        ("<a href='/x#", url(Query)),
        ("<a href='mailto:", url(Opaque)),
        ("<a href='https://", url(Host)),
        ("<a href='https://a.example/", url(Path)),
        ("<img srcset=\"", seen(b'"', Holder::Images, true, false)),
        ("<link imagesrcset='/a 1x, /", seen(b'\'', Holder::Images, true, false)),
        ("<a ping='", seen(b'\'', Holder::Words, true, false)),
        ("<a href=\"x\">", Stand::Fine(Sink::Text)),
        ("<!-- x --><p>", Stand::Fine(Sink::Text)),
        ("<!doctype html>", Stand::Fine(Sink::Text)),
        ("<title>a <b> ", Stand::Fine(Sink::Attribute)),
        ("<textarea>", Stand::Fine(Sink::Attribute)),
        ("<script>let a = 'x'; b = ", Stand::OnlyJson(Sink::Code, "in a script")),
        ("<script></script>", Stand::Fine(Sink::Text)),
        ("<script><!-- <script> </script> --></script>", Stand::Fine(Sink::Text)),
        ("<script type='application/json'>{\"a\": \"", Stand::Fine(Sink::JsonText)),
        ("<script type=application/ld+json>{\"a\": ", Stand::OnlyJson(Sink::Script, "in a script")),
        ("<script src='/js/", url(Name)),
        ("<script src='js/", url(Name)),
        ("<script src='?v=", url(Query)),
        ("<script src='https://example.com/", url(Name)),
        ("<script src='//example.com/", url(Name)),
        ("<base href='/docs/", url(Name)),
        ("<![CDATA[ > <a title='", Stand::Fine(Sink::Attribute)),
        ("<style></STYLE ><p>", Stand::Fine(Sink::Text)),
        ("</ a=\"> ", Stand::Fine(Sink::Text)),
        ("<<!-- > <script> --><p title='", Stand::Fine(Sink::Attribute)),
        ("</><p title='", Stand::Fine(Sink::Attribute)),
        ("<a href='https:", url(Host)),
        ("<a href=' \tx-java", url(Start)),
        ("<img src='data:image/png;base64,", url(Opaque)),
        ("<meta name=description content='", Stand::Fine(Sink::Attribute)),
        ("<meta name=description content='5; ", Stand::Fine(Sink::Attribute)),
        ("<meta property='og:title' content='", Stand::Fine(Sink::Attribute)),
        ("<meta content='5;url=/", Stand::Fine(Sink::Attribute)),
        ("<meta http-equiv=content-language content='", Stand::Fine(Sink::Attribute)),
        ("<meta http-equiv=refresh content='5;\tURL = \"/", url(Root)),
        ("<meta http-equiv=refresh content='5 /", url(Root)),
        ("<meta http-equiv http-equiv=refresh content='", Stand::Fine(Sink::Attribute)),
        ("<link rel=canonical href='", url(Start)),
        ("<link rel='alternate next' href='", url(Start)),
        ("<link href='", url(Start)),
        ("<link rel=preload as=image href='", url(Start)),
        ("<link rel=stylesheet href='/css/", url(Path)),
        ("<link rel=stylesheet href='https://a.example/", url(Path)),
        ("<link rel rel=stylesheet href='", url(Start)),
        ("<script type type='application/json'>a = ", Stand::OnlyJson(Sink::Code, "in a script")),
        ("<img attributionsrc='", seen(b'\'', Holder::Words, true, false)),
        ("<param value='", url(Start)),
        ("<noscript><p title='", Stand::Fine(Sink::Attribute)),
        ("<plaintext><p title='", Stand::Fine(Sink::Attribute)),
        ("<SCRIPT/SRC='/a/", url(Name)),
        ("<script></script \t/ x='>'><p>", Stand::Fine(Sink::Text)),
        ("<scr\0ipt>", Stand::Fine(Sink::Text)),
        ("<p\u{c}title='", Stand::Fine(Sink::Attribute)),
        ("<!--><p>", Stand::Fine(Sink::Text)),
        ("<!---><script>", Stand::OnlyJson(Sink::Code, "in a script")),
        ("<!-- a --!><p title='", Stand::Fine(Sink::Attribute)),
    ] {
        assert_eq!(after(text), expected, "{text}");
    }
}

#[test]
fn drawings_and_formulas_have_rules_of_their_own() {
    let url = |part| Stand::Fine(Sink::Url(part));
    for (text, expected) in [
        ("<svg><title/><a href='", url(UrlPart::Start)),
        ("<svg><title><b>", Stand::Fine(Sink::Text)),
        ("<svg><title><b></b></title></svg><title><b>", Stand::Fine(Sink::Attribute)),
        ("<svg><title /></svg><script>", Stand::OnlyJson(Sink::Code, "in a script")),
        ("<svg><script/><a title='", Stand::Fine(Sink::Attribute)),
        ("<svg><![CDATA[<a title='", Stand::Fine(Sink::Section)),
        ("<svg><use href='", url(UrlPart::Start)),
        ("<svg><title><![CDATA[ > <a title='", Stand::Fine(Sink::Section)),
        ("<svg><title><b><![CDATA[ > <a title='", Stand::Fine(Sink::Attribute)),
        ("<svg><br/><title><a title='", Stand::Fine(Sink::Attribute)),
        ("<svg><var><title>", Stand::Fine(Sink::Attribute)),
        ("<svg><font color=red><title>", Stand::Fine(Sink::Attribute)),
        ("<svg><font><title>", Stand::Fine(Sink::Text)),
        ("<svg><mi><textarea>", Stand::Fine(Sink::Text)),
        ("<math><mi><textarea>", Stand::Fine(Sink::Attribute)),
        ("<math><mi><mglyph><textarea>", Stand::Fine(Sink::Text)),
        ("<math><annotation-xml encoding='Text/HTML'><textarea>", Stand::Fine(Sink::Attribute)),
        ("<math><annotation-xml><textarea>", Stand::Fine(Sink::Text)),
        ("<math><annotation-xml><svg><desc><textarea>", Stand::Fine(Sink::Attribute)),
    ] {
        assert_eq!(after(text), expected, "{text}");
    }
}

#[test]
fn some_places_are_for_what_the_layout_says() {
    for text in [
        "<script src=\"",
        "<script src='/",
        "<script src=' /\t",
        "<script src='//",
        "<script src='\\/",
        "<script src='https:",
        "<script src='https:/",
        "<script src='https://example.",
        "<script type='",
        "<script type=importmap>{\"imports\": {\"a\": ",
        "<base href='",
        "<base href='//",
        "<link rel=stylesheet href='",
        "<link rel='Alternate StyleSheet' href='//",
        "<link rel=modulepreload href='/",
        "<link rel=manifest href='",
        "<link as=script rel=preload href='",
        "<link rel='style&#115;heet' href='",
        "<link rel='",
        "<link as=\"",
        "<meta http-equiv='",
        "<meta http-equiv=refresh content='",
        "<meta http-equiv=refresh content='5",
        "<meta http-equiv='Content-Security-Policy' content='",
        "<meta http-equiv=refresh content='5&#59;url=",
        "<iframe sandbox='",
        "<iframe allow='",
        "<p nonce='",
        "<script integrity='",
        "<svg><animate attributeName='",
        "<svg><script xlink:href='",
        "<math><annotation-xml encoding='",
        "<param name='",
    ] {
        assert!(matches!(after(text), Stand::OnlyOwn(..)), "{text}");
    }
}

#[test]
fn places_where_nothing_is_safe_are_refused() {
    for text in [
        "<",
        "<a",
        "<a ",
        "<a x",
        "<a x=",
        "<a x=y",
        "<a onclick=\"",
        "<!-- ",
        "<!doctype ",
        "<script>let a = '",
        "<script>// ",
        "<script>let a = `",
        "<script>let r = /",
        "<iframe srcdoc=\"",
        "<a href=\"javascript:show('",
        "<a href=\" \tJava\nScript:",
        "<a href='javascript&colon;",
        "<a href='&#106;avascript:",
        "<a href='vbscript:",
        "<iframe src='data:text/html,",
        "<!-- a --!><script>// -->",
        "<script type=text/template>",
        "<script><!-- <script> </script>",
        "<script>/*/ ",
        "<a href='javascript&",
        "<a href='&#x3",
        "<a href='/x&",
        "<a href='/?a=1&",
        "<a href='/?a=1&am",
        "<meta http-equiv=refresh content='0;url=javascript:",
        "<iframe src='data:image/svg+xml,",
        "<object data='data:image/",
        "<svg><animate values='",
        "<script type=module><!-- ",
        "<svg><title><script>'",
    ] {
        assert!(matches!(after(text), Stand::Refused(..)), "{text}");
    }
}

#[test]
fn numbers_stand_in_styles() {
    for text in ["<a style='", "<a style=\"width: ", "<style>", "<style>p { width: ", "<svg><style>"] {
        assert!(matches!(after(text), Stand::OnlyNumber(..)), "{text}");
    }
    let mut tracker = Tracker::xml();
    tracker.literal("<x:style>");
    assert!(matches!(tracker.stand(), Stand::OnlyNumber(..)));
}

#[test]
fn no_value_chooses_a_scheme() {
    let after_output = |before: &str, literal: &str| {
        let mut tracker = Tracker::html();
        tracker.literal(before);
        tracker.output();
        tracker.literal(literal).map(|clash| clash.at)
    };
    for (before, literal) in
        [("<a href='", ":x"), ("<a href=\"java", "://x"), ("<form action='", "script:x"), ("<a href='", "&#58;x")]
    {
        assert!(after_output(before, literal).is_some(), "{before} {literal}");
    }
    for (before, literal) in [
        ("<a href='", "/a:b"),
        ("<a href='", "&amp;a=:"),
        ("<a href='", "&a=:"),
        ("<a href='", "?a:b"),
        ("<a href='urn:", ":x"),
        ("<p title='", ":x"),
        ("<a href='", "'>:"),
    ] {
        assert_eq!(after_output(before, literal), None, "{before} {literal}");
    }
}

#[test]
fn xml_has_rules_of_its_own() {
    let after = |text: &str| {
        let mut tracker = Tracker::xml();
        tracker.literal(text);
        tracker.stand()
    };
    for (text, expected) in [
        ("<title>", Stand::Fine(Sink::XmlText)),
        ("<title><a href='", Stand::Fine(Sink::XmlUrl(UrlPart::Start))),
        ("<link href=\"", Stand::Fine(Sink::XmlUrl(UrlPart::Start))),
        ("<x:form action='", Stand::Fine(Sink::XmlUrl(UrlPart::Start))),
        ("<item action='", Stand::Fine(Sink::XmlAttribute)),
        ("<item online='", Stand::Fine(Sink::XmlAttribute)),
        ("<d><![CDATA[ <a href=", Stand::Fine(Sink::Section)),
        ("<![CDATA[ > ]] ]]><a x='", Stand::Fine(Sink::XmlAttribute)),
        ("<?xml version='1.0'?><a>", Stand::Fine(Sink::XmlText)),
        ("<script/><p>", Stand::Fine(Sink::XmlText)),
        ("<script src='/a'/><p>", Stand::Fine(Sink::XmlText)),
        ("<svg:script>a = ", Stand::OnlyJson(Sink::Code, "in a script")),
        ("<Style><color>", Stand::Fine(Sink::XmlText)),
        ("<kml:Style>", Stand::Fine(Sink::XmlText)),
        ("<SCRIPT><a href='", Stand::Fine(Sink::XmlUrl(UrlPart::Start))),
    ] {
        assert_eq!(after(text), expected, "{text}");
    }
    for text in ["<a ", "<a x=", "<a onclick='", "<!-- ", "<?pi ", "<!DOCTYPE ", "<a href='javascript:", "<!-->"] {
        assert!(matches!(after(text), Stand::Refused(..)), "{text}");
    }
}

#[test]
fn branches_join_where_they_agree() {
    let tracker = |text: &str| {
        let mut tracker = Tracker::html();
        tracker.literal(text);
        tracker
    };
    let joined = |left: &str, right: &str| tracker(left).join(&tracker(right)).map(|tracker| tracker.stand());
    assert_eq!(joined("<b>", "<i>"), Some(Stand::Fine(Sink::Text)));
    assert_eq!(joined("<a href=\"/", "<a href=\""), Some(seen(b'"', Holder::Whole, true, true)));
    assert_eq!(joined("<a href='https:", "<a href='http:"), Some(Stand::Fine(Sink::Url(UrlPart::Host))));
    assert!(matches!(joined("<a href='javascript:", "<a href='http:"), Some(Stand::Refused(..))));
    for (left, right) in [("/", "//"), ("/", "//x"), ("//x", "/"), ("/a", "/"), ("https:", "/a/")] {
        let joined = joined(&format!("<script src='{left}"), &format!("<script src='{right}"));
        assert!(matches!(joined, Some(Stand::OnlyOwn(..))), "{left} or {right}");
    }
    let mut slashes = tracker("<script src='/").join(&tracker("<script src='//x")).unwrap();
    let mut guards = Vec::new();
    slashes.guarded_literal("/", &mut guards);
    assert_eq!((guards.len(), slashes.stand()), (1, Stand::Fine(Sink::Url(UrlPart::Name))));
    let mut either = tracker("<a href='https").join(&tracker("<a href='http")).unwrap();
    assert_eq!(either.literal("://"), None);
    assert_eq!(either.stand(), Stand::Fine(Sink::Url(UrlPart::Host)));
    assert!(joined("<option", "<option selected").is_some());
    assert!(matches!(joined("<a", "<a class=\"x\""), Some(Stand::Refused(..))));
    assert_eq!(joined("<a href=\"", "<a title=\""), None);
    assert_eq!(joined("<p>", "<p class=\""), None);
    assert_eq!(joined("<script>", "<p>"), None);
}

/// Where the page is looked at, by the literals between values.
#[test]
fn a_slash_behind_what_may_be_nothing_is_guarded() {
    let guards = |literals: &str| {
        let mut tracker = Tracker::html();
        let mut found = Vec::new();
        for (number, literal) in literals.split('V').enumerate() {
            if number > 0 {
                tracker.output();
            }
            let mut guards = Vec::new();
            tracker.guarded_literal(literal, &mut guards);
            found.extend(guards.into_iter().map(|(at, _)| format!("{number}:{at}")));
        }
        found.join(" ")
    };
    for (literals, expected) in [
        ("<a href='/V/V", "1:0"),
        ("<a href='/V/V/V/", "1:0"),
        ("<a href='/V\n\t/V", "1:2"),
        ("<a href='/V&#47;V", "1:0"),
        ("<a href='/V&Tab;&sol;V", "1:5"),
        ("<a href='/V&#4", "1:0"),
        ("<a href='/V&amp;/", ""),
        ("<a href='/V-x/V/", ""),
        ("<a href='V/V/x", "1:0 2:0"),
        ("<a href='V//x/V", ""),
        ("<a href='https://V/V/", "1:0"),
        ("<a href='https://V.h/V/", ""),
        ("<a href='https://hV/V/", "1:0"),
        ("<a href='x/V/V/V/", ""),
        ("<a href='https://h/V/V/", ""),
        ("<a href='?V/V/", ""),
        ("<a href='/?V/V/", ""),
        ("<a href='mailto:V/", ""),
        ("<img srcset='/V/V 1x, V/ 2x, x/V/", "1:0 3:0 4:0"),
        ("<a title='/V/V/", ""),
        ("V/", ""),
    ] {
        let expected: Vec<&str> = expected.split_whitespace().collect();
        let found = guards(literals);
        let found: Vec<&str> = found.split_whitespace().collect();
        assert_eq!(found, expected, "{literals}");
    }
}

/// What browsers would take in another way than this.
#[test]
fn what_is_read_in_two_ways_is_refused() {
    let clash = |text: &str| Tracker::html().literal(text).map(|clash| clash.at);
    for (text, at) in [
        ("<svg></div><title>", Some("<svg></div><title")),
        ("<svg></div><![CDATA[ ", Some("<svg></div>")),
        ("<svg></p><style>", Some("<svg></p><style")),
        ("<svg><desc><p></desc></svg><script>", Some("<svg><desc><p></desc></svg><script")),
        ("<select><title>", Some("<select><title")),
        ("<frameset><style>", Some("<frameset><style")),
        ("<noscript><p title='</noscript>'>", Some("<noscript><p title='")),
        ("<noscript><!-- </NoScript> -->", Some("<noscript><!-- ")),
        ("<svg></div></svg><title>", None),
        ("<svg></div><p><title>", None),
        ("<select><option></select><title>", None),
        ("<select><script>", None),
        ("<noscript><p title='x'></p></noscript>", None),
        ("<p title='</noscript>'>", None),
    ] {
        assert_eq!(clash(text), at.map(str::len), "{text}");
    }
}

#[test]
fn what_gives_a_value_power_stands_before_it() {
    let clash = |before: &str, after: &str| {
        let mut tracker = Tracker::html();
        assert_eq!(tracker.literal(before), None, "{before}");
        assert!(matches!(tracker.stand(), Stand::Fine(_)), "{before}");
        tracker.output();
        tracker.literal(after).is_some()
    };
    for (before, after) in [
        ("<meta content='", "' http-equiv=refresh>"),
        ("<meta content=\"5;url=", "\" HTTP-EQUIV=\"Refresh\">"),
        ("<meta name=x content='", "' http-equiv='Content-Security-Policy'>"),
        ("<link href='", "' rel=stylesheet>"),
        ("<link href='", "/x.css' rel='x manifest'>"),
        ("<link href='/", "' rel=modulepreload>"),
        ("<link rel=preload href='", "' as=script>"),
    ] {
        assert!(clash(before, after), "{before}…{after}");
    }
    for (before, after) in [
        ("<meta content='", "' name=description>"),
        ("<meta content='", "' http-equiv=content-language>"),
        ("<meta http-equiv content='", "' http-equiv=refresh>"),
        ("<link href='", "' rel=canonical>"),
        ("<link href='/css/", "' rel=stylesheet>"),
        ("<link href='", "' rel=icon rel=stylesheet>"),
        ("<link rel=preload href='", "' as=image>"),
        ("<link rel=icon href='", "' as=script>"),
    ] {
        assert!(!clash(before, after), "{before}…{after}");
    }
}

#[test]
fn what_branches_say_of_a_tag_is_not_known_behind_them() {
    let tracker = |text: &str| {
        let mut tracker = Tracker::html();
        tracker.literal(text);
        tracker
    };
    let joined = |one: &str, other: &str, then: &str| {
        let mut joined = tracker(one).join(&tracker(other))?;
        joined.literal(then);
        Some(joined.stand())
    };
    for (one, other, then) in [
        ("<meta ", "<meta http-equiv=refresh ", "content='"),
        ("<meta ", "<meta http-equiv=refresh", " content='"),
        ("<meta ", "<meta http-equ", " content='"),
        ("<link rel=icon ", "<link rel=stylesheet ", "href='"),
        ("<link rel='icon", "<link rel='stylesheet", "' href='"),
        ("<link rel='", "<link rel='style", "sheet' href='"),
    ] {
        assert!(matches!(joined(one, other, then), Some(Stand::OnlyOwn(..))), "{one} or {other}, {then}");
    }
    for (one, other, then) in [
        ("<script type='module", "<script type='application/json", "'>{\"a\": \""),
        ("<script ", "<script type=application/json ", ">{\"a\": \""),
    ] {
        assert!(matches!(joined(one, other, then), Some(Stand::Refused(..))), "{one} or {other}, {then}");
    }
    let is_code = |stand| matches!(stand, Some(Stand::OnlyJson(Sink::Code, _)));
    assert!(is_code(joined("<script ", "<script type=module ", ">a = ")));
    assert!(is_code(joined("<script", "<script defer", ">a = ")));
    for (one, other, then) in [
        ("<a href='", "<base href='", ""),
        ("<script src='", "<img src='", ""),
        ("<link rel='", "<link as='", ""),
        ("<link href='", "<link href='/", "{}' rel=icon>"),
    ] {
        assert_eq!(joined(one, other, then).is_some(), then.ends_with('>'), "{one} or {other}");
    }
    let mut printed = tracker("<link href='");
    printed.output();
    printed.literal("' ");
    assert_eq!(printed.join(&tracker("<link rel=stylesheet ")), None, "in a loop, both may come");
    for (one, other) in [("<a ", "<base "), ("<div", "<svg"), ("<x", "<link"), ("</svg", "</p"), ("<svg><a", "<svg><b")]
    {
        assert_eq!(joined(one, other, " href='"), None, "{one} or {other}");
    }
    assert_eq!(joined("<h1", "<h2", " title='"), Some(Stand::Fine(Sink::Attribute)));
}
