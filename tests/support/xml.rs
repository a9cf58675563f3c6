//! XML as a parser reads it that accepts nothing but well-formed documents (XML 1.0, section 2.1), without document type declarations.

use super::browser::Piece;

/// The tokens of a document; why it is none otherwise.
pub(crate) fn read(xml: &str) -> Result<Vec<Piece>, String> {
    if let Some(c) = xml
        .chars()
        .find(|c| matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}'))
    {
        return Err(format!("{c:?} is no character of XML"));
    }
    let (mut pieces, mut open, mut rest) = (Vec::new(), Vec::new(), xml);
    while !rest.is_empty() {
        rest = if let Some(after) = rest.strip_prefix("<?") {
            after.split_once("?>").ok_or("an instruction without end")?.1
        } else if let Some(after) = rest.strip_prefix("<!--") {
            let (comment, after) = after.split_once("--").ok_or("a comment without end")?;
            pieces.push(Piece::Comment(comment.to_owned()));
            after.strip_prefix('>').ok_or("`--` in a comment")?
        } else if let Some(after) = rest.strip_prefix("<![CDATA[") {
            let (data, after) = after.split_once("]]>").ok_or("a section without end")?;
            pieces.push(Piece::Text(data.to_owned()));
            after
        } else if let Some(after) = rest.strip_prefix("</") {
            let (name, after) = after.split_once('>').ok_or("an end tag without end")?;
            let name = name.trim_end();
            if open.pop().as_deref() != Some(name) {
                return Err(format!("</{name}> ends nothing"));
            }
            pieces.push(Piece::End(name.to_owned()));
            after
        } else if let Some(after) = rest.strip_prefix('<') {
            let (name, attributes, empty, after) = tag(after)?;
            pieces.push(Piece::Start(name.clone(), attributes));
            if empty {
                pieces.push(Piece::End(name));
            } else {
                open.push(name);
            }
            after
        } else {
            let end = rest.find('<').unwrap_or(rest.len());
            let (text, after) = rest.split_at(end);
            if text.contains("]]>") {
                return Err("`]]>` in text".to_owned());
            }
            pieces.push(Piece::Text(decode(text)?));
            after
        };
    }
    if open.is_empty() { Ok(pieces) } else { Err(format!("{open:?} are not closed")) }
}

/// A start tag: its name, its attributes, whether it closes itself, what follows.
type StartTag<'x> = (String, Vec<(String, String)>, bool, &'x str);

fn tag(xml: &str) -> Result<StartTag<'_>, String> {
    let (name, mut rest) = name(xml)?;
    let mut attributes: Vec<(String, String)> = Vec::new();
    loop {
        let trimmed = rest.trim_start();
        if let Some(after) = trimmed.strip_prefix("/>") {
            return Ok((name, attributes, true, after));
        }
        if let Some(after) = trimmed.strip_prefix('>') {
            return Ok((name, attributes, false, after));
        }
        if trimmed.len() == rest.len() {
            return Err(format!("no space before an attribute: {rest:.20}"));
        }
        let (attribute, after) = self::name(trimmed)?;
        let after =
            after.trim_start().strip_prefix('=').ok_or_else(|| format!("{attribute} has no value"))?.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\'')).ok_or("a value without quotes")?;
        let (value, after) = after[1..].split_once(quote).ok_or("a value without end")?;
        if value.contains('<') {
            return Err("`<` in a value".to_owned());
        }
        if attributes.iter().any(|(other, _)| *other == attribute) {
            return Err(format!("{attribute} twice"));
        }
        attributes.push((attribute, decode(value)?));
        rest = after;
    }
}

fn name(xml: &str) -> Result<(String, &str), String> {
    let end = xml.find(|c: char| !(c.is_alphanumeric() || matches!(c, ':' | '_' | '-' | '.'))).unwrap_or(xml.len());
    let (name, rest) = xml.split_at(end);
    let begins = name.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
    if begins { Ok((name.to_owned(), rest)) } else { Err(format!("not a name: {xml:.20}")) }
}

fn decode(text: &str) -> Result<String, String> {
    let mut parts = text.split('&');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (reference, rest) = part.split_once(';').ok_or("an `&` that is no reference")?;
        let number = reference.strip_prefix("#x").map(|hex| u32::from_str_radix(hex, 16));
        let number = number.or_else(|| reference.strip_prefix('#').map(str::parse));
        out.push(match (reference, number) {
            ("amp", _) => '&',
            ("lt", _) => '<',
            ("gt", _) => '>',
            ("quot", _) => '"',
            ("apos", _) => '\'',
            (_, Some(Ok(number))) => char::from_u32(number)
                .filter(|c| *c >= ' ' || matches!(c, '\t' | '\n' | '\r'))
                .ok_or("a forbidden reference")?,
            _ => return Err(format!("the entity {reference} is not declared")),
        });
        out.push_str(rest);
    }
    Ok(out)
}
