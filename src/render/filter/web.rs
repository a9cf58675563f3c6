//! Filters for the web: JSON, URLs and links, Base64.

use super::list::{items, push_json};
use super::{Arguments, Env, Fault, Made};
use crate::render::Buffer;
use crate::render::escape::{self, Sink, UrlPart};
use crate::render::val::Val;
use crate::value::Value;

/// JSON text (RFC 8259). In a script the characters that could end it are escaped where it is printed.
pub(super) fn json<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let mut out = String::new();
    let indented = arguments.named(0).is_truthy();
    if let Val::Ref(value) = input {
        push_json(value, indented, env, &mut out)?;
    } else if let Val::Range(..) = input {
        push_json(&Value::list(items(&input, env)?.into_owned()), indented, env, &mut out)?;
    } else {
        push_json(&input.kept(&env.budget)?, indented, env, &mut out)?;
    }
    Ok(Val::text(out))
}

/// RFC 3986 section 2.3, with `+` for a space as forms have it.
pub(super) fn url_encode<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    Ok(percent_encoded(&input.chars(&env.budget), b"", "+"))
}

/// A whole URL: what structures it (RFC 3986 section 2.2) and escapes that are there stay.
pub(super) fn uri_escape<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    Ok(percent_encoded(&input.chars(&env.budget), b"%:/?#[]@!$&'()*+,;=", "%20"))
}

/// A part of a URL: nothing that structures one stays, but for the slash.
pub(super) fn url_param_escape<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    Ok(percent_encoded(&input.chars(&env.budget), b"/", "%20"))
}

/// Unreserved characters and those in `kept` stay, a space becomes `space`.
fn percent_encoded<'r>(text: &str, kept: &[u8], space: &str) -> Val<'r> {
    let mut out = Buffer::with_capacity(text.len());
    escape::percent_encode(text, kept, space, &mut out);
    Val::text(out.into_string())
}

fn decoded_text<'r>(bytes: Vec<u8>) -> Made<'r> {
    String::from_utf8(bytes).ok().map(Val::text).ok_or(Fault::Complaint("what is decoded is not UTF-8"))
}

pub(super) fn url_decode<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let text = input.chars(&env.budget);
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digit = |ahead: usize| bytes.get(at + ahead).and_then(|&byte| char::from(byte).to_digit(16));
        let decoded = match byte {
            b'%' => digit(1).zip(digit(2)).and_then(|(high, low)| u8::try_from(high * 16 + low).ok()),
            _ => None,
        };
        out.push(decoded.unwrap_or(if byte == b'+' { b' ' } else { byte }));
        at += if decoded.is_some() { 3 } else { 1 };
    }
    decoded_text(out)
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(super) fn base64_encode<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    Ok(Val::text(encode(input.chars(&env.budget).as_bytes(), STANDARD)))
}

pub(super) fn base64_url_safe_encode<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    Ok(Val::text(encode(input.chars(&env.budget).as_bytes(), URL_SAFE)))
}

pub(super) fn base64_decode<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    decode(input.chars(&env.budget).as_bytes(), STANDARD)
}

pub(super) fn base64_url_safe_decode<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    // The padding may be left out here, and the two digits of the other alphabet are understood too.
    let mut digits = input.chars(&env.budget).replace('+', "-").replace('/', "_");
    while !digits.len().is_multiple_of(4) && !digits.ends_with("==") {
        digits.push('=');
    }
    decode(digits.as_bytes(), URL_SAFE)
}

/// RFC 4648 section 4.
fn encode(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4_usize {
            let digit = (group >> (18 - 6 * at)) & 63;
            let symbol = alphabet.get(digit as usize).copied().unwrap_or(b'=');
            out.push(if at <= chunk.len() { char::from(symbol) } else { '=' });
        }
    }
    out
}

fn decode<'r>(bytes: &[u8], alphabet: &[u8; 64]) -> Made<'r> {
    const NOT_BASE64: Fault = Fault::Complaint("the input is not Base64");
    let digits = bytes.iter().position(|&byte| byte == b'=').unwrap_or(bytes.len());
    let padding = bytes.len() - digits;
    let padded = bytes.len().is_multiple_of(4) && padding <= 2 && bytes.iter().skip(digits).all(|&byte| byte == b'=');
    if !padded {
        return Err(NOT_BASE64);
    }
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3);
    let (mut group, mut bits) = (0_u32, 0_u32);
    for byte in bytes.iter().take(digits) {
        let digit = alphabet.iter().position(|symbol| symbol == byte).ok_or(NOT_BASE64)?;
        group = (group << 6 | u32::try_from(digit).unwrap_or(0)) & 0xfff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from((group >> bits) & 255).unwrap_or(0));
        }
    }
    decoded_text(out)
}

/// What may stand in a URL and structures it, or is an escape already; brackets only stand around an address, which no path has.
const OF_URLS: &[u8] = b"%:/?#@!$&'()*+,;=";

/// Whether it begins as `https:` or `mailto:` does (RFC 3986 section 3.1): then it is whole.
fn has_scheme(url: &str) -> bool {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// The site's URL before a path, and what no URL holds escaped; unchanged if it is absolute or the site has no URL.
pub(super) fn absolute_url<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let Some(site) = env.context.site.url else { return Ok(input) };
    let text = input.chars(&env.budget);
    if has_scheme(&text) || text.starts_with("//") {
        return Ok(Val::text(text));
    }
    let mut out = Buffer::from(site.trim_end_matches('/'));
    out.push_ascii(b'/');
    escape::percent_encode(text.trim_start_matches('/'), OF_URLS, "%20", &mut out);
    Ok(Val::text(out.into_string()))
}

/// The URL of a published file, which names what it holds.
pub(super) fn asset_url<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let url = env.context.site.assets.and_then(|assets| assets.get(&input.chars(&env.budget)).map(str::to_owned));
    url.map(Val::text).ok_or(Fault::Complaint("no `files` route publishes such a file"))
}

/// The path of a URL on this site, and what no URL holds escaped.
pub(super) fn relative_url<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let text = input.chars(&env.budget);
    let own = env.context.site.url.map(|site| site.trim_end_matches('/'));
    let path = own.and_then(|site| text.strip_prefix(site)).unwrap_or(&text);
    if path.is_empty() || has_scheme(path) {
        return Ok(Val::text(path));
    }
    let mut out = Buffer::from(if path.starts_with('/') { "" } else { "/" });
    escape::percent_encode(path, OF_URLS, "%20", &mut out);
    Ok(Val::text(out.into_string()))
}

/// A URL without the name of the file that stands for its folder.
pub(super) fn strip_index<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let text = input.chars(&env.budget);
    let folder = ["index.html", "index.htm"].iter().find_map(|file| text.strip_suffix(file));
    Ok(Val::text(folder.filter(|folder| folder.ends_with('/')).unwrap_or(&text)))
}

/// `<a href="…" title="…">…</a>`, each part escaped for its place.
pub(super) fn link_to<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let mut out = Buffer::from("<a href=\"");
    let url = arguments.get(0);
    escape::write(&url.chars(&env.budget), url.origin(), Sink::Url(UrlPart::Start), &mut out);
    if arguments.has(1) {
        out.push_str("\" title=\"");
        escape::write(&arguments.get(1).chars(&env.budget), arguments.get(1).origin(), Sink::Attribute, &mut out);
    }
    out.push_str("\">");
    let sink = if env.escapes { Sink::Text } else { Sink::Plain };
    escape::write(&input.chars(&env.budget), input.origin(), sink, &mut out);
    out.push_str("</a>");
    Ok(Val::text(out.into_string()))
}
