//! Lines of JSON in, lines of JSON out: one answer to each line, flushed after it, whatever the line holds.
//!
//! A line that cannot be read, or that meets a bug of ours, is answered by `{"error"}`; only the end of the input ends the program.

use crate::value::{JsonLimits, JsonStyle, Value, parse_json, write_json_within};
use std::io::{self, BufRead, Read as _, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// The longest line that is read, in bytes without its end.
const LONGEST_LINE: usize = 64 << 20;
/// The longest answer that is written, in bytes.
const LONGEST_ANSWER: usize = 64 << 20;
/// Room for a line that is kept from one to the next.
const KEPT_ROOM: usize = 1 << 20;
/// The values of a line beside those of the document or data in it, which may have as many as that of a source.
const VALUES_BESIDE: usize = 1_000;

/// Answers the lines of the standard input until it ends, or until nobody reads the answers.
/// `refuse` makes the answer to a line that cannot be read of what is wrong with it.
pub(super) fn answer_all(answer: impl Fn(&Value) -> Value, refuse: impl Fn(&str) -> Value) -> anyhow::Result<ExitCode> {
    match answer_each(io::stdin().lock(), io::stdout().lock(), answer, refuse) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(ExitCode::SUCCESS),
    }
}

fn answer_each(
    mut input: impl BufRead,
    mut output: impl Write,
    answer: impl Fn(&Value) -> Value,
    refuse: impl Fn(&str) -> Value,
) -> io::Result<()> {
    let mut line = Vec::new();
    let mut written = String::new();
    while let Some(fits) = read_line(&mut input, &mut line)? {
        let answered = if fits {
            of_line(&line, &answer).unwrap_or_else(|wrong| refuse(&wrong))
        } else {
            refuse(&format!("the line is longer than {LONGEST_LINE} bytes"))
        };
        written.clear();
        if !write_json_within(
            &answered,
            JsonStyle { indented: false, without_nulls: false, most: LONGEST_ANSWER },
            &mut written,
        ) {
            written.clear();
            written.push_str("{\"error\":\"the answer is too long\"}");
        }
        written.push('\n');
        output.write_all(written.as_bytes())?;
        output.flush()?;
        line.clear();
        line.shrink_to(KEPT_ROOM);
        written.shrink_to(KEPT_ROOM);
    }
    Ok(())
}

/// Reads one line, without its end, into the empty `line`: whether it fits, or `None` if there are no more.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    // A line that just fits is followed by its end.
    let most = LONGEST_LINE as u64 + 1;
    if input.by_ref().take(most).read_until(b'\n', line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        return Ok(Some(true));
    }
    if line.len() as u64 == most {
        input.skip_until(b'\n')?;
        return Ok(Some(false));
    }
    Ok(Some(true))
}

/// The answer to a line, or why it cannot be read.
fn of_line(line: &[u8], answer: &impl Fn(&Value) -> Value) -> Result<Value, String> {
    let text = std::str::from_utf8(line).map_err(|error| format!("the line is not UTF-8: {error}"))?;
    let limits = JsonLimits { nodes: JsonLimits::default().nodes + VALUES_BESIDE };
    match parse_json(text, limits) {
        Ok(request @ Value::Object(_)) => {
            // Nothing that is shared can be left half done: an answer is made of its request alone.
            catch_unwind(AssertUnwindSafe(|| answer(&request)))
                .map_err(|_panic| "this met a bug of siteserver".to_owned())
        }
        Ok(_) => Err("the line is no JSON object".to_owned()),
        Err(error) => Err(format!("the line cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer as object;
    use super::*;

    fn answered(input: &[u8]) -> String {
        let mut output = Vec::new();
        let echo = |request: &Value| match request.get("panic") {
            Some(_) => panic!("asked for"),
            None => object([("saw", request.clone())]),
        };
        answer_each(input, &mut output, echo, super::super::refusal).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn each_line_is_answered_by_one() {
        for (input, expected) in [
            ("", ""),
            ("{\"a\":1}\n{\"a\":2}", "{\"saw\":{\"a\":1}}\n{\"saw\":{\"a\":2}}\n"),
            ("{\"a\":\"\u{2028}é\\n\"}\r\n", "{\"saw\":{\"a\":\"\u{2028}é\\n\"}}\n"),
            ("[]\n", "{\"error\":\"the line is no JSON object\"}\n"),
            ("{\"panic\":1}\n{}\n", "{\"error\":\"this met a bug of siteserver\"}\n{\"saw\":{}}\n"),
        ] {
            assert_eq!(answered(input.as_bytes()), expected, "{input}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_is_told_and_the_next_is_answered() {
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        let many = format!("{{\"a\":[{}1]}}", "1,".repeat(300_000));
        for line in
            [&b""[..], b"{", b"nul", b"{\"a\":\"\xff\"}", br#"{"a":"\ud800"}"#, deep.as_bytes(), many.as_bytes()]
        {
            let said = answered(&[line, b"\n{}\n"].concat());
            let (first, rest) = said.split_once('\n').unwrap();
            assert!(first.starts_with("{\"error\":\""), "{first}");
            assert_eq!(rest, "{\"saw\":{}}\n");
        }
    }

    #[test]
    fn an_endless_line_is_passed_over() {
        let long = [b"{\"a\":\"".to_vec(), vec![b'x'; LONGEST_LINE], b"\"}\n{}\n".to_vec()].concat();
        let expected = format!("{{\"error\":\"the line is longer than {LONGEST_LINE} bytes\"}}\n{{\"saw\":{{}}}}\n");
        assert_eq!(answered(&long), expected);
    }
}
