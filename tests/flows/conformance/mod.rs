//! What RFC 9111 asks of a shared cache, through the real binary: a `proxy` route without a word about caching, before an origin that follows
//! a script.
//!
//! Each file of this folder is a group, and a test; each case in it has a URL of its own. A case is a list of steps:
//!
//! ```text
//! == name                   a case begins
//! > GET /b?c                a request; what follows the method is put behind the case's URL
//! > accept: a/b             a field of it
//! >> text                   its body
//! < 200                     what the origin answers to it, or `< close`
//! < cache-control: no-store a field of that; `< -date` leaves out the `Date` that is there otherwise
//! << text                   its body; `body of step N` if none is written, and nothing under 204 and 304
//! = asked                   the origin was asked, once, and the client has its answer
//! = hit, = hit 2            it was not, and the client has the body of an earlier step: of the last answer, or of step 2
//! = refreshed               as `hit`, and the origin is asked nevertheless
//! = validated, = validated 2  the origin was asked, and the client has the body of an earlier step
//! = unasked                 the origin was not asked, whatever the client has
//! = any                     whichever
//! = until 2                 asks again until the body is that of step 2
//! ^ if-none-match: "a"      what the origin was sent; `^ name` is there, `^ -name` is not
//! ? 200                     the status that the client has
//! ? age: 10                 a field that it has; `? name` is there, `? -name` is not, `? name: 10..12` is such a number
//! ?? text                   the body that it has
//! ```
//!
//! `{now}`, `{now-60}` and `{now+60}` are dates, `{now+60 850}` and `{now+60 asctime}` in the obsolete forms; `{url}` is the case's URL as
//! a path, `{origin}` the origin's authority. A name with `optional` behind it is a case that no rule demands: it is what a good cache does.

mod script;

use super::site;
use crate::support::SAFETY_NET;
use crate::support::answers::{Delivery, Reply};
use crate::support::fault::{FaultServer, Request};
use crate::support::http::{Connection, Response};
use crate::support::site::Site;
use script::{Case, Origin, Step, Want};
use std::time::Instant;

/// What could be, and is not: the answer to a HEAD is not kept for the next, of parts that do not touch the latest is kept, and the cookie of a 304 is
/// for whoever was answered with it.
const KNOWN: &[&str] = &["head/head-from-head", "parts/three-parts", "updates/set-cookie"];

macro_rules! groups {
    ($($name:ident: $file:literal),+ $(,)?) => {
        crate::cases!($($name),+);
        $(fn $name() {
            run($file, include_str!(concat!($file, ".txt")));
        })+
    };
}

groups! {
    age: "age",
    authorization: "authorization",
    cache_control: "cache_control",
    conditions: "conditions",
    expires: "expires",
    fields: "fields",
    freshness: "freshness",
    head: "head",
    heuristics: "heuristics",
    invalidation: "invalidation",
    methods: "methods",
    parts: "parts",
    requests: "requests",
    stale: "stale",
    status: "status",
    storing: "storing",
    targeted: "targeted",
    updates: "updates",
    validation: "validation",
    vary: "vary",
}

fn run(group: &str, text: &str) {
    let fault = FaultServer::start();
    let site = site(&fault, "-- routes/all.toml --\npath = \"/{*rest}\"\nproxy = \"up\"\n");
    let cases = script::cases(group, text);
    let (mut wrong, mut count) = (Vec::new(), 0);
    for case in &cases {
        count += 1;
        let name = format!("{group}/{}", case.name);
        let is_known = KNOWN.contains(&name.as_str());
        match (play(case, &fault, &site), is_known) {
            (Err(difference), false) => {
                let kind = if case.is_optional { "optional" } else { "required" };
                wrong.push(format!("{name} ({kind}): {difference}"));
            }
            (Ok(()), true) => wrong.push(format!("{name} is met: take it from KNOWN")),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{} of {count} in {group}:\n{}", wrong.len(), wrong.join("\n"));
}

/// What has happened in a case so far.
struct Played {
    /// The body of each step, as the origin would send it.
    bodies: Vec<String>,
    last: String,
}

fn play(case: &Case, fault: &FaultServer, site: &Site) -> Result<(), String> {
    let mut played = Played { bodies: Vec::new(), last: String::new() };
    let mut connection = site.connect();
    for (number, step) in case.steps.iter().enumerate() {
        let number = number + 1;
        let fill = |text: &str| script::filled(text, &case.url, &fault.address().to_string());
        let target = fill(&format!("{}{}", case.url, step.suffix));
        let path = target.split('?').next().unwrap_or(&target);
        let (reply, body) = reply(step, number, fill);
        played.bodies.push(body);
        // What the origin is asked in the background still has the answer of the step before.
        if step.origin.is_some() || !matches!(step.want, Want::Until(_)) {
            fault.put(path, reply);
        }
        let before = fault.total_calls();
        let lines: Vec<(String, String)> =
            step.fields.iter().map(|(name, value)| (name.clone(), fill(value))).collect();
        let lines: Vec<(&str, &str)> = lines.iter().map(|(name, value)| (&**name, &**value)).collect();
        let response = ask(&mut connection, site, &step.method, &target, &lines, step.body.as_bytes());
        let response = if let Want::Until(step) = step.want {
            until(&mut connection, &target, &played.bodies[step - 1])?
        } else {
            response
        };
        let said = |difference: String| {
            let asked = fault.requests_after(before);
            let asked: Vec<String> =
                asked.iter().map(|request| format!("{} {:?}", request.method, request.headers)).collect();
            let body = String::from_utf8_lossy(&response.body);
            format!(
                "step {number}: {difference}\n    the client has {} {:?} {:?}\n    the origin was asked {asked:?}",
                response.status, response.headers, body
            )
        };
        judge(step, &played, &response, fault, before).map_err(said)?;
        expect_fields(step, &response, &fault.requests_after(before), fill).map_err(said)?;
        played.last = String::from_utf8_lossy(&response.body).into_owned();
    }
    Ok(())
}

fn ask(
    connection: &mut Connection,
    site: &Site,
    method: &str,
    target: &str,
    fields: &[(&str, &str)],
    body: &[u8],
) -> Response {
    let response = connection.request(method, target, fields, body);
    if response.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
        *connection = site.connect();
    }
    response
}

/// What the origin answers in a step, and the body of that.
fn reply(step: &Step, number: usize, fill: impl Fn(&str) -> String) -> (Reply, String) {
    let Some(Origin { status, fields, body }) = &step.origin else {
        return (Reply::of("text/plain", "nobody should have asked").status(500), String::new());
    };
    let Some(status) = *status else {
        return (Reply::of("text/plain", "").delivered(Delivery::Cut(0)), String::new());
    };
    let made = if matches!(status, 204 | 304) { String::new() } else { format!("body of step {number}") };
    let body = body.as_ref().map_or(made, |body| fill(body));
    let mut headers: Vec<(String, String)> = fields.iter().map(|(name, value)| (name.clone(), fill(value))).collect();
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("date") || name == "-date") {
        headers.push(("date".to_owned(), fill("{now}")));
    }
    headers.retain(|(name, _)| name != "-date");
    (Reply { status, headers, body: body.clone().into_bytes(), delivery: Delivery::Length }, body)
}

fn until(connection: &mut Connection, target: &str, body: &str) -> Result<Response, String> {
    let end = Instant::now() + SAFETY_NET;
    loop {
        let response = connection.get(target);
        if response.body == body.as_bytes() {
            return Ok(response);
        }
        if Instant::now() > end {
            return Err(format!("{target} stays {:?}", String::from_utf8_lossy(&response.body)));
        }
    }
}

/// Whether the origin was asked as wanted, and the right body came.
fn judge(step: &Step, played: &Played, response: &Response, fault: &FaultServer, before: usize) -> Result<(), String> {
    let has_body = step.method != "HEAD" && response.status != 304;
    let body = String::from_utf8_lossy(&response.body).into_owned();
    let earlier = |number: Option<usize>| number.map_or(&played.last, |number| &played.bodies[number - 1]).clone();
    let (times, expected) = match step.want {
        Want::Any | Want::Until(_) => return Ok(()),
        Want::Unasked => (0, None),
        Want::Asked => (1, played.bodies.last().cloned()),
        Want::Hit(number) => (0, Some(earlier(number))),
        Want::Validated(number) => (1, Some(earlier(number))),
        Want::Refreshed(number) => {
            if !fault.has_arrived(before + 1) {
                return Err("the origin is not asked".to_owned());
            }
            (1, Some(earlier(number)))
        }
    };
    let asked = fault.total_calls() - before;
    if asked != times {
        return Err(format!("the origin was asked {asked} times, not {times}"));
    }
    match step.expected_body.clone().or(expected) {
        Some(expected) if has_body && body != expected => Err(format!("the body is not {expected:?}")),
        _ => Ok(()),
    }
}

fn expect_fields(
    step: &Step,
    response: &Response,
    asked: &[Request],
    fill: impl Fn(&str) -> String,
) -> Result<(), String> {
    let origins = step.origin.as_ref().and_then(|origin| origin.status);
    let default = if matches!(step.want, Want::Asked) { origins } else { None };
    if let Some(status) = step.status.or(default)
        && response.status != status
    {
        return Err(format!("the status is not {status}"));
    }
    for (name, value) in &step.has {
        compare(name, value, &response.headers(name.trim_start_matches('-')), &fill)?;
    }
    for (name, value) in &step.sent {
        let Some(request) = asked.last() else { return Err("the origin was not asked".to_owned()) };
        let bare = name.trim_start_matches('-');
        let lines: Vec<&str> =
            request.headers.iter().filter(|(other, _)| other == bare).map(|(_, value)| value.as_str()).collect();
        compare(name, value, &lines, &fill)?;
    }
    Ok(())
}

fn compare(name: &str, value: &str, lines: &[&str], fill: impl Fn(&str) -> String) -> Result<(), String> {
    let right = if name.starts_with('-') {
        lines.is_empty()
    } else if value.is_empty() {
        !lines.is_empty()
    } else if let Some((least, most)) = value.split_once("..") {
        let number = lines.concat().parse::<u64>();
        number.is_ok_and(|number| {
            least.parse().is_ok_and(|least| number >= least) && most.parse().is_ok_and(|most| number <= most)
        })
    } else {
        lines.join(", ") == fill(value)
    };
    if right { Ok(()) } else { Err(format!("{name}: {value} is wanted, and it is {lines:?}")) }
}
