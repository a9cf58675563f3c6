//! The cases as they are written, and the dates in them. Knows nothing of servers.

use jiff::{SignedDuration, Timestamp};

/// One case.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    /// A path that is its own.
    pub(super) url: String,
    pub(super) is_optional: bool,
    pub(super) steps: Vec<Step>,
}

/// One request, and what is to come of it.
#[derive(Debug, Default)]
pub(super) struct Step {
    pub(super) method: String,
    pub(super) suffix: String,
    pub(super) fields: Vec<(String, String)>,
    pub(super) body: String,
    pub(super) origin: Option<Origin>,
    pub(super) want: Want,
    pub(super) status: Option<u16>,
    pub(super) has: Vec<(String, String)>,
    pub(super) expected_body: Option<String>,
    pub(super) sent: Vec<(String, String)>,
}

/// What the origin answers; without a status it closes the connection.
#[derive(Debug, Default)]
pub(super) struct Origin {
    pub(super) status: Option<u16>,
    pub(super) fields: Vec<(String, String)>,
    pub(super) body: Option<String>,
}

/// Who answers; with the number of a step, if it is not the last answer's body that is wanted.
#[derive(Debug, Default, Clone, Copy)]
pub(super) enum Want {
    #[default]
    Any,
    Unasked,
    Asked,
    Hit(Option<usize>),
    Validated(Option<usize>),
    Refreshed(Option<usize>),
    Until(usize),
}

/// The cases of a group.
pub(super) fn cases(group: &str, text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let wrong = || panic!("{group}.txt:{}: {line}", number + 1);
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let (sign, rest) = line.split_once(' ').unwrap_or((line, ""));
        if sign == "==" {
            let mut words = rest.split(' ');
            let name = words.next().unwrap_or_default().to_owned();
            assert!(!cases.iter().any(|case| case.name == name), "{group}.txt:{}: {name} is there twice", number + 1);
            let url = format!("/{group}/{name}");
            cases.push(Case { name, url, is_optional: words.next() == Some("optional"), steps: Vec::new() });
            continue;
        }
        let Some(case) = cases.last_mut() else { return wrong() };
        if sign == ">" && !rest.contains(':') {
            let (method, suffix) = rest.split_once(' ').unwrap_or((rest, ""));
            case.steps.push(Step { method: method.to_owned(), suffix: suffix.to_owned(), ..Step::default() });
            continue;
        }
        let Some(step) = case.steps.last_mut() else { return wrong() };
        match sign {
            ">" => step.fields.push(field(rest)),
            ">>" => rest.clone_into(&mut step.body),
            "<" if rest == "close" => step.origin = Some(Origin::default()),
            "<" => match (rest.parse().ok(), &mut step.origin) {
                (Some(status), origin) => *origin = Some(Origin { status: Some(status), ..Origin::default() }),
                (None, Some(origin)) => origin.fields.push(field(rest)),
                (None, None) => return wrong(),
            },
            "<<" => step.origin.get_or_insert_default().body = Some(rest.to_owned()),
            "=" => step.want = want(rest).unwrap_or_else(|| panic!("{group}.txt:{}: {line}", number + 1)),
            "?" => match rest.parse() {
                Ok(status) => step.status = Some(status),
                Err(_) => step.has.push(field(rest)),
            },
            "??" => step.expected_body = Some(rest.to_owned()),
            "^" => step.sent.push(field(rest)),
            _ => return wrong(),
        }
    }
    cases
}

fn field(line: &str) -> (String, String) {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    (name.to_owned(), value.strip_prefix(' ').unwrap_or(value).to_owned())
}

fn want(text: &str) -> Option<Want> {
    let (word, number) = text.split_once(' ').unwrap_or((text, ""));
    let number = if number.is_empty() { None } else { Some(number.parse().ok()?) };
    Some(match word {
        "any" => Want::Any,
        "unasked" => Want::Unasked,
        "asked" => Want::Asked,
        "hit" => Want::Hit(number),
        "validated" => Want::Validated(number),
        "refreshed" => Want::Refreshed(number),
        "until" => Want::Until(number?),
        _ => return None,
    })
}

/// A text with its dates and addresses.
pub(super) fn filled(text: &str, url: &str, origin: &str) -> String {
    let mut text = text.replace("{url}", url).replace("{origin}", origin);
    while let Some((before, rest)) = text.split_once("{now") {
        let (inside, after) = rest.split_once('}').expect("a brace");
        let (offset, form) = inside.split_once(' ').unwrap_or((inside, ""));
        let offset: i64 = if offset.is_empty() { 0 } else { offset.parse().expect("seconds") };
        let moment = Timestamp::now() + SignedDuration::from_secs(offset);
        let form = match form {
            "850" => "%A, %d-%b-%y %H:%M:%S GMT",
            "asctime" => "%a %b %e %H:%M:%S %Y",
            _ => "%a, %d %b %Y %H:%M:%S GMT",
        };
        text = format!("{before}{}{after}", moment.strftime(form));
    }
    text
}
