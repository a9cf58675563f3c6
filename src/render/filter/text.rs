//! Filters on strings. A result that is part of its input is borrowed from it.

use super::number::whole_integer;
use super::{Arguments, Env, Fault, Made};
use crate::highlight;
use crate::render::context;
use crate::render::lex::is_space;
use crate::render::val::{Val, View, to_i64};
use crate::render::{Buffer, escape};
use crate::value::{Origin, Text, Value};
use std::borrow::Cow;
use std::ops::Range;

/// A string made of, or borrowed from, the input; `apply` sets its origin.
fn chars(text: Cow<'_, str>) -> Val<'_> {
    match text {
        Cow::Borrowed(text) => Val::Str(text, Origin::Outside),
        Cow::Owned(text) => Val::String(text, Origin::Outside),
    }
}

/// The part of `text` that `part` picks, without a copy if the text is borrowed.
fn part<'r>(text: Cow<'r, str>, part: impl for<'t> Fn(&'t str) -> &'t str) -> Val<'r> {
    match text {
        Cow::Borrowed(text) => Val::Str(part(text), Origin::Outside),
        Cow::Owned(text) => Val::text(part(&text)),
    }
}

/// The words of `text`, with ASCII white space between them.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// An argument that must be an integer, or a string of one.
pub(super) fn integer(val: &Val<'_>) -> Result<i64, Fault> {
    match val.view() {
        View::Int(number) => Ok(number),
        View::Str(text, _) => whole_integer(text).ok_or(Fault::Complaint("an integer is needed")),
        View::UInt(_) => Ok(i64::MAX),
        View::Nil | View::Bool(_) | View::Float(_) | View::List(_) | View::Object(_) | View::Range(..) => {
            Err(Fault::Complaint("an integer is needed"))
        }
        View::Empty | View::Blank | View::Pair(..) | View::Loop => Err(Fault::Complaint("an integer is needed")),
    }
}

pub(super) fn append<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    joined(&input, arguments.get(0), env)
}

pub(super) fn prepend<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    joined(arguments.get(0), &input, env)
}

fn joined<'r>(left: &Val<'_>, right: &Val<'_>, env: &Env<'_>) -> Made<'r> {
    let (left, right) = (left.chars(&env.budget), right.chars(&env.budget));
    let length = left.len() + right.len();
    // `apply` counts the result; here it only must not be made if it is beyond all bounds.
    if length > env.budget.limits().made_bytes {
        return Err(Fault::TooMuch);
    }
    let mut out = String::with_capacity(length);
    out.push_str(&left);
    out.push_str(&right);
    Ok(Val::text(out))
}

pub(super) fn upcase<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let text = input.chars(&env.budget);
    let cased = if env.escapes && input.origin() == Origin::Markup {
        in_markup(&text, char::to_uppercase)
    } else {
        text.to_uppercase()
    };
    Ok(Val::text(cased))
}

pub(super) fn downcase<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let text = input.chars(&env.budget);
    let cased = if env.escapes && input.origin() == Origin::Markup {
        in_markup(&text, char::to_lowercase)
    } else {
        text.to_lowercase()
    };
    Ok(Val::text(cased))
}

/// Markup with other letters. Character references are names and stay; so do the few letters of other scripts whose other case is
/// one of ASCII, because what was no word of HTML or of a URL must not become one: `ſ`, `K`.
fn in_markup<I: Iterator<Item = char>>(text: &str, cased: impl Fn(char) -> I) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let reference = escape::reference_length(rest);
        let length = if reference > 0 { reference } else { character.len_utf8() };
        let (taken, after) = rest.split_at(length);
        if reference > 0 || (!character.is_ascii() && cased(character).any(|other| other.is_ascii())) {
            out.push_str(taken);
        } else {
            out.extend(cased(character));
        }
        rest = after;
    }
    out
}

pub(super) fn capitalize<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let text = input.chars(&env.budget);
    let mut characters = text.chars();
    if env.escapes && input.origin() == Origin::Markup {
        let first = text.len() - characters.next().map_or("", |_| characters.as_str()).len();
        let (first, rest) = text.split_at(first);
        let capital = in_markup(first, char::to_uppercase);
        return Ok(Val::text(capital + &in_markup(rest, char::to_lowercase)));
    }
    // A letter whose capital is several, as that of `ß`, gets a single one: `Ss`.
    let mut capital = characters.next().map(char::to_uppercase).into_iter().flatten();
    let mut out: String = capital.next().into_iter().collect();
    out.extend(capital.flat_map(char::to_lowercase));
    out.push_str(&characters.as_str().to_lowercase());
    Ok(Val::text(out))
}

fn is_stripped(character: char) -> bool {
    is_space(character) || character == '\0'
}

pub(super) fn strip<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    Ok(part(input.into_chars(&env.budget), |text| text.trim_matches(is_stripped)))
}

pub(super) fn lstrip<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    Ok(part(input.into_chars(&env.budget), |text| text.trim_start_matches(is_stripped)))
}

pub(super) fn rstrip<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    Ok(part(input.into_chars(&env.budget), |text| text.trim_end_matches(is_stripped)))
}

pub(super) fn squish<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let mut out = String::new();
    let text = input.chars(&env.budget);
    // In markup no other space becomes one that browsers pass over in front of a URL.
    let is_ascii = env.escapes && input.origin() == Origin::Markup;
    let is_between = |character: char| character.is_whitespace() && (character.is_ascii() || !is_ascii);
    for word in text.split(is_between).filter(|word| !word.is_empty()) {
        out.push_str(if out.is_empty() { "" } else { " " });
        out.push_str(word);
    }
    Ok(Val::text(out))
}

pub(super) fn strip_newlines<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let text = input.into_chars(&env.budget);
    if !text.contains('\n') {
        return Ok(chars(text));
    }
    Ok(Val::text(text.replace("\r\n", "").replace('\n', "")))
}

/// Escapes what is not markup yet, unless the format has no markup.
fn escaped<'r>(input: Val<'r>, env: &Env<'_>) -> Cow<'r, str> {
    if input.is_markup() || !env.escapes {
        return input.into_chars(&env.budget);
    }
    let text = input.into_chars(&env.budget);
    let mut out = Buffer::with_capacity(text.len() + text.len() / 8);
    escape::escape(&text, &mut out);
    Cow::Owned(out.into_string())
}

pub(super) fn newline_to_br<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let is_markup = env.escapes && input.is_markup();
    let text = escaped(input, env);
    if !text.contains('\n') {
        return Ok(chars(text));
    }
    if is_markup && text.contains('<') {
        return Ok(Val::text(context::with_breaks(&text)));
    }
    Ok(Val::text(text.replace("\r\n", "\n").replace('\n', "<br />\n")))
}

pub(super) fn escape<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let text = input.chars(&env.budget);
    let mut out = Buffer::with_capacity(text.len() + text.len() / 8);
    escape::escape(&text, &mut out);
    Ok(Val::text(out.into_string()))
}

pub(super) fn escape_once<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let text = input.chars(&env.budget);
    let mut out = Buffer::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = rest.find('&') {
        let (before, after) = rest.split_at(at);
        escape::escape(before, &mut out);
        let (reference, behind) = after.split_at(escape::reference_length(after));
        if is_kept(reference) {
            out.push_str(reference);
            rest = behind;
        } else {
            out.push_str("&amp;");
            rest = after.get(1..).unwrap_or("");
        }
    }
    escape::escape(rest, &mut out);
    Ok(Val::text(out.into_string()))
}

/// Whether `escape_once` takes it for a character reference: as in Liquid a name of letters, or a decimal number.
fn is_kept(reference: &str) -> bool {
    let inner = reference.trim_start_matches('&').trim_end_matches(';');
    let digits = inner.strip_prefix('#');
    let are_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    !inner.is_empty() && digits.map_or_else(|| inner.bytes().all(|byte| byte.is_ascii_alphabetic()), are_digits)
}

pub(super) fn raw<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    Ok(chars(input.into_chars(&env.budget)))
}

pub(super) fn strip_html<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    // What is left of markup is text, so its character references become characters again.
    let markup = env.escapes && input.is_markup();
    let text = without_tags(input.into_chars(&env.budget));
    Ok(if markup && text.contains('&') { Val::text(unescaped(&text)) } else { chars(text) })
}

fn unescaped(text: &str) -> String {
    const REFERENCES: [(&str, &str); 5] =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    REFERENCES.iter().fold(text.to_owned(), |text, (reference, character)| text.replace(reference, character))
}

fn without_tags(text: Cow<'_, str>) -> Cow<'_, str> {
    const WHOLE: [(&str, &str); 3] = [("<script", "</script>"), ("<style", "</style>"), ("<!--", "-->")];
    if !text.contains('<') {
        return text;
    }
    let lower = text.to_ascii_lowercase();
    // An end that was not found once is not there for later openings either.
    let mut exhausted = [false; 4];
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(open) = memchr::memchr(b'<', text.as_bytes().get(at..).unwrap_or_default()).map(|found| at + found) {
        out.push_str(text.get(at..open).unwrap_or(""));
        let rest = lower.get(open..).unwrap_or("");
        let kinds = WHOLE.iter().copied().enumerate().filter(|(_, (start, _))| rest.starts_with(start));
        let kinds = kinds.map(|(kind, (_, end))| (kind, end)).chain([(WHOLE.len(), ">")]);
        let mut close = None;
        for (kind, end) in kinds {
            if close.is_none() && !exhausted[kind] {
                close = memchr::memmem::find(rest.as_bytes(), end.as_bytes()).map(|found| open + found + end.len());
                exhausted[kind] = close.is_none();
            }
        }
        at = close.unwrap_or_else(|| {
            out.push('<');
            open + 1
        });
    }
    out.push_str(text.get(at..).unwrap_or(""));
    Cow::Owned(out)
}

pub(super) fn replace<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    substituted(input, arguments, env)
}

pub(super) fn remove<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    substituted(input, arguments, env)
}

fn substituted<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let text = input.into_chars(&env.budget);
    let (old, new) = (arguments.get(0).chars(&env.budget), arguments.get(1).chars(&env.budget));
    if !text.contains(&*old) {
        return Ok(chars(text));
    }
    let growth = new.len().saturating_sub(old.len());
    if growth > 0 {
        let times = if old.is_empty() { text.chars().count() + 1 } else { text.matches(&*old).count() };
        if growth.saturating_mul(times) > env.budget.limits().made_bytes {
            return Err(Fault::TooMuch);
        }
    }
    if !new.contains('\\') {
        return Ok(Val::text(text.replace(&*old, &new)));
    }
    let (mut out, mut kept) = (String::new(), 0);
    for (at, found) in text.match_indices(&*old) {
        out.push_str(text.get(kept..at).unwrap_or(""));
        push_referring(&new, &text, at..at + found.len(), &mut out);
        kept = at + found.len();
        if out.len() > env.budget.limits().made_bytes {
            return Err(Fault::TooMuch);
        }
    }
    out.push_str(text.get(kept..).unwrap_or(""));
    Ok(Val::text(out))
}

/// What takes the place of `found` in `text`. As in Ruby, `\0` and `\&` stand for what was found, `` \` `` and `\'` for what is before
/// and behind it, `\1` to `\9` for nothing, and `\\` for a backslash.
fn push_referring(new: &str, text: &str, found: Range<usize>, out: &mut String) {
    let mut rest = new;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut characters = after.chars();
        match characters.next() {
            Some('0' | '&') => out.push_str(text.get(found.clone()).unwrap_or("")),
            Some('`') => out.push_str(text.get(..found.start).unwrap_or("")),
            Some('\'') => out.push_str(text.get(found.end..).unwrap_or("")),
            Some('1'..='9') => {}
            Some('\\') | None => out.push('\\'),
            Some(other) => out.extend(['\\', other]),
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
}

pub(super) fn replace_first<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let text = input.into_chars(&env.budget);
    let (old, new) = (arguments.get(0).chars(&env.budget), arguments.get(1).chars(&env.budget));
    let found = text.find(&*old);
    let Some(at) = found.filter(|_| new.contains('\\')) else {
        return Ok(spliced(text, found, arguments, env));
    };
    let end = at + old.len();
    let mut out = text.get(..at).unwrap_or("").to_owned();
    push_referring(&new, &text, at..end, &mut out);
    out.push_str(text.get(end..).unwrap_or(""));
    Ok(Val::text(out))
}

pub(super) fn replace_last<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let text = input.into_chars(&env.budget);
    let at = text.rfind(&*arguments.get(0).chars(&env.budget));
    Ok(spliced(text, at, arguments, env))
}

pub(super) fn remove_first<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    replace_first(input, arguments, env)
}

pub(super) fn remove_last<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    replace_last(input, arguments, env)
}

fn spliced<'r>(text: Cow<'r, str>, at: Option<usize>, arguments: &Arguments<'_>, env: &Env<'_>) -> Val<'r> {
    let Some(at) = at else { return chars(text) };
    let (old, new) = (arguments.get(0).chars(&env.budget), arguments.get(1).chars(&env.budget));
    let mut out = String::with_capacity(text.len() + new.len());
    out.push_str(text.get(..at).unwrap_or(""));
    out.push_str(&new);
    out.push_str(text.get(at + old.len()..).unwrap_or(""));
    Val::text(out)
}

pub(super) fn slice<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let start = integer(arguments.get(0))?;
    let length = if arguments.get(1).is_nil() { 1 } else { integer(arguments.get(1))? };
    let bounds = |whole: usize| -> Option<(usize, usize)> {
        let start = if start < 0 {
            whole.checked_sub(usize::try_from(start.unsigned_abs()).ok()?)?
        } else {
            usize::try_from(start).ok()?
        };
        let length = usize::try_from(length).ok()?;
        (start <= whole).then(|| (start, length.min(whole - start)))
    };
    if let View::List(items) = input.view() {
        let (start, length) = bounds(items.len()).unwrap_or_default();
        env.budget.charge_items(length)?;
        return Ok(Val::list(items.get(start..start + length).unwrap_or_default().to_vec()));
    }
    let text = input.into_chars(&env.budget);
    let (start, length) = bounds(text.chars().count()).unwrap_or_default();
    Ok(part(text, |text| {
        let mut rest = text.chars();
        if start > 0 {
            rest.nth(start - 1);
        }
        first_characters(rest.as_str(), length)
    }))
}

fn first_characters(text: &str, count: usize) -> &str {
    let end = text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or("")
}

/// An integer, be it beyond those of the machine: then the nearest of them.
fn any_integer(val: &Val<'_>) -> Result<i64, Fault> {
    let of_digits = |text: &str| {
        let text = text.trim();
        let digits = text.trim_start_matches('-');
        let is_number = text.len() - digits.len() <= 1 && !digits.is_empty();
        let beyond = if digits.len() < text.len() { i64::MIN } else { i64::MAX };
        (is_number && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(beyond)
    };
    integer(val)
        .or_else(|fault| if let View::Str(text, _) = val.view() { of_digits(text).ok_or(fault) } else { Err(fault) })
}

pub(super) fn truncate<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    if input.is_nil() {
        return Ok(Val::Nil);
    }
    let length = if arguments.has(0) { any_integer(arguments.get(0))? } else { 50 };
    let end = if arguments.has(1) { arguments.get(1).chars(&env.budget) } else { "...".into() };
    let text = input.into_chars(&env.budget);
    if to_i64(text.chars().count()) <= length {
        return Ok(chars(text));
    }
    let kept = usize::try_from(length).unwrap_or(0).saturating_sub(end.chars().count());
    let mut out = first_characters(&text, kept).to_owned();
    out.push_str(&end);
    Ok(Val::text(out))
}

pub(super) fn truncatewords<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    if input.is_nil() {
        return Ok(Val::Nil);
    }
    let count = if arguments.has(0) { usize::try_from(integer(arguments.get(0))?).unwrap_or(0).max(1) } else { 15 };
    let end = if arguments.has(1) { arguments.get(1).chars(&env.budget) } else { "...".into() };
    let text = input.into_chars(&env.budget);
    // Cut is what has anything behind the last word that stays, and be it a space.
    let is_last = |word: &str| word.as_bytes().as_ptr_range().end == text.as_bytes().as_ptr_range().end;
    if words(&text).nth(count - 1).is_none_or(is_last) {
        return Ok(chars(text));
    }
    let mut out = String::new();
    for word in words(&text).take(count) {
        out.push_str(if out.is_empty() { "" } else { " " });
        out.push_str(word);
    }
    out.push_str(&end);
    Ok(Val::text(out))
}

pub(super) fn split<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let text = input.chars(&env.budget);
    let separator = arguments.get(0).chars(&env.budget);
    let mut items: Vec<Value> = Vec::new();
    env.budget.charge(text.len())?;
    // All parts share one buffer, which is the input's own if it has one.
    let shared: std::sync::Arc<str> = (&*text).into();
    let mut add = |part: &str| {
        env.budget.charge_items(1)?;
        items.push(Value::Text(Text::slice_of(&shared, part, Origin::Outside)));
        Ok(())
    };
    match &*separator {
        "" => shared
            .char_indices()
            .try_for_each(|(at, character)| add(shared.get(at..at + character.len_utf8()).unwrap_or("")))?,
        " " => words(&shared).try_for_each(&mut add)?,
        separator => shared.split(separator).try_for_each(&mut add)?,
    }
    while items.last().is_some_and(|item| item.as_str() == Some("")) {
        items.pop();
    }
    Ok(Val::list(items))
}

pub(super) fn default<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, _: &Env<'_>) -> Made<'r> {
    let absent = match input.view() {
        View::Nil => true,
        View::Bool(value) => !value && !arguments.named(0).is_truthy(),
        View::Str(text, _) => text.is_empty(),
        View::List(items) => items.is_empty(),
        View::Object(object) => object.is_empty(),
        View::Empty | View::Blank => true,
        View::Int(_) | View::UInt(_) | View::Float(_) | View::Range(..) | View::Pair(..) | View::Loop => false,
    };
    Ok(if absent { arguments.take(0) } else { input })
}

/// The first word for one, the second for any other number; without a second, the first with an `s`.
pub(super) fn pluralize<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let one = if let View::List(items) = input.view() {
        items.len() == 1
    } else {
        super::number::number_of(input.view()).is_one()
    };
    if one {
        return Ok(arguments.take(0));
    }
    if arguments.has(1) {
        return Ok(arguments.take(1));
    }
    let singular = arguments.take(0);
    let origin = singular.origin();
    Ok(Val::String(format!("{}s", singular.chars(&env.budget)), origin))
}

/// `two words` and `two-words` become `TwoWords`.
pub(super) fn camelize<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let mut out = String::new();
    for word in input.chars(&env.budget).split(|character: char| !character.is_alphanumeric()) {
        let mut characters = word.chars();
        out.extend(characters.next().into_iter().flat_map(char::to_uppercase));
        out.push_str(characters.as_str());
    }
    Ok(Val::text(out))
}

/// Markdown to HTML. Whoever wrote it, it is sanitised.
pub(super) fn markdownify<'r>(input: Val<'r>, _: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    let Some(markdown) = env.context.site.markdown else {
        return Err(Fault::Complaint("there is no Markdown here"));
    };
    let text = input.chars(&env.budget);
    // What is read is paid for as well as what is made: a render must not be long for want of output.
    env.budget.charge(text.len())?;
    markdown(&text).map(Val::text).ok_or(Fault::Complaint("the Markdown is too long or too deep"))
}

/// Code in colours. It is escaped whatever it was: markup, too, is shown as the code that it is.
pub(super) fn highlight<'r>(input: Val<'r>, arguments: &mut Arguments<'r>, env: &Env<'_>) -> Made<'r> {
    if input.is_nil() {
        return Ok(Val::Nil);
    }
    let code = input.chars(&env.budget);
    env.budget.charge(code.len())?;
    Ok(Val::text(highlight::block(&code, arguments.get(0).chars(&env.budget).trim())))
}
