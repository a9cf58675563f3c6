//! Keys of the file, or of a source, that stand below a header by mistake: everything behind a header belongs to its table.
//!
//! Most tables refuse such a key, because they do not know it or by its type: then [`explain`] says where it probably belongs. In `vars`,
//! `json`, `headers` and their like anything fits, so [`warn`] looks at the value: it must be what the key takes in its own place, and nothing
//! that authors would call so themselves.

use super::super::settings;
use super::section::is_section;
use crate::config::{
    Declared, Entry, Kind, Node, SLIPPED_KEY, Table, Tree, UNKNOWN_KEY, WRONG_TYPE, parse_duration, read_toml,
};
use crate::diagnostic::{FileId, Files, Finding, Findings, Place, Related};
use crate::{resource, source};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// Whether an entry of a free table is probably a key of the table above.
type Belongs = fn(&Entry) -> bool;

/// The free tables of a file, and what may have slipped into each.
const OF_FILES: [(&str, Belongs); 3] = [("vars", of_file), ("json", of_file), ("headers", of_file_in_headers)];

/// The free tables of a source.
const OF_SOURCES: [(&str, Belongs); 7] = [
    ("headers", of_source),
    ("query", of_source),
    ("form", of_source),
    ("body", of_source_in_data),
    ("variables", of_source_in_data),
    ("value", of_source_in_data),
    ("fallback", of_source_in_data),
];

/// Warns of keys below the free tables of a route or a section that belong above the header.
pub(super) fn warn(file: &Table, files: &Files, findings: &mut Findings) {
    for (name, belongs) in OF_FILES {
        look(file, name, name, belongs, OF_A_ROUTE, files, findings);
    }
    let sources = file.node("sources").and_then(Node::as_table);
    for source in sources.into_iter().flatten() {
        let Some(table) = source.node.as_table() else { continue };
        for (name, belongs) in OF_SOURCES {
            let header = format!("sources.{}.{name}", source.key.value);
            look(table, name, &header, belongs, "the source", files, findings);
        }
    }
}

/// Looks into the free table `name` of `owner`.
fn look(
    owner: &Table,
    name: &str,
    header: &str,
    belongs: Belongs,
    whose: &str,
    files: &Files,
    findings: &mut Findings,
) {
    let Some(table) = owner.get(name) else { return };
    // Braces and dotted keys say on purpose where a key belongs; only a header reaches further than was meant.
    if !files.snippet(table.node.place).starts_with('[') {
        return;
    }
    for entry in table.node.as_table().into_iter().flatten() {
        let key = entry.key.value.as_str();
        if owner.get(key).is_none() && belongs(entry) {
            findings.push(
                Finding::new(&SLIPPED_KEY, entry.key.place, format!("`{key}` belongs to `[{header}]` here"))
                    .related(table.node.place, "because this header stands above it")
                    .help(format!("if {whose}'s own `{key}` is meant, write it above the header")),
            );
        }
    }
}

fn text_of(entry: &Entry) -> Option<&str> {
    entry.node.as_text().map(|text| text.content.as_str())
}

fn of_file(entry: &Entry) -> bool {
    let Some(text) = text_of(entry) else { return false };
    match entry.key.value.as_str() {
        "layout" => text.contains('.') && !text.contains(' '),
        "path" | "redirect" => text.starts_with('/'),
        "content" => Path::new(text).extension().is_some_and(|extension| extension == "md"),
        "deadline" => parse_duration(text).is_ok(),
        "content-type" => text.contains('/'),
        _ => false,
    }
}

/// No header field is called `title` or `description`; data of the author's own often is.
fn of_file_in_headers(entry: &Entry) -> bool {
    // The type of an answer is refused among headers, with the same advice.
    (of_file(entry) && entry.key.value != "content-type")
        || (text_of(entry).is_some() && matches!(entry.key.value.as_str(), "title" | "description"))
}

/// Words with a dash are no names that authors invent.
fn of_source_in_data(entry: &Entry) -> bool {
    match entry.key.value.as_str() {
        "on-error" | "on-not-found" | "on-unauthorized" => text_of(entry).is_some(),
        "forward-headers" | "forward-cookies" => matches!(entry.node.kind, Kind::Array(_)),
        "allow-private" => matches!(entry.node.kind, Kind::Bool(_)),
        _ => false,
    }
}

/// Nobody sends a duration or a `true` under these names.
fn of_source(entry: &Entry) -> bool {
    let is_own = match entry.key.value.as_str() {
        "timeout" => text_of(entry).is_some_and(|text| parse_duration(text).is_ok()),
        "optional" => matches!(entry.node.kind, Kind::Bool(true)),
        _ => false,
    };
    is_own || of_source_in_data(entry)
}

/// Tables of `site.toml` whose keys are written at its top by mistake, and the keys. What says where and what one route is is none of them.
fn homes() -> [(&'static str, Vec<&'static str>); 3] {
    let mut shared = keys::<resource::Decl>();
    shared.retain(|key| !matches!(*key, "path" | "content" | "files" | "json" | "redirect"));
    [("defaults", shared), ("site", keys::<settings::SiteDecl>()), ("server", keys::<settings::ServerDecl>())]
}

/// Whether something that all routes would have from `[defaults]` stands at the top of `site.toml`.
pub(super) fn stands_for_defaults(site: &Table) -> bool {
    let (known, shared) = (keys::<settings::Decl>(), keys::<resource::Decl>());
    site.into_iter().map(|entry| entry.key.value.as_str()).any(|key| !known.contains(&key) && shared.contains(&key))
}

/// The table of `site.toml` in which `entry`, which stands at the top of it, has a meaning; how it is written there.
fn at_home(entry: &Entry) -> Option<String> {
    let key = entry.key.value.as_str();
    let (home, _) = homes().into_iter().find(|(_, keys)| keys.contains(&key))?;
    Some(if entry.node.as_table().is_some() {
        format!("write `[{home}.{key}]`")
    } else {
        format!("write it below `[{home}]`")
    })
}

/// Whose the keys of a route's file are.
const OF_A_ROUTE: &str = "the route";

/// Keys of which a page has one: without any it shows nothing.
const OF_KINDS: [&str; 5] = ["layout", "content", "files", "json", "redirect"];

/// Says of unknown keys, and of values that do not fit, that they are keys of a table further up, if a header stands between, or of one
/// further down, if they stand at the top of `site.toml`.
pub(super) fn explain(tree: &Tree, files: &Files, findings: &mut Findings) {
    let mut tables: HashMap<FileId, Table> = HashMap::new();
    // Routes in which a key that says what they are has slipped.
    let mut slipped: HashSet<FileId> = HashSet::new();
    for finding in findings.since(0) {
        let is_unknown = finding.code.name == UNKNOWN_KEY.name;
        let Some(place) = finding.place.filter(|_| is_unknown || finding.code.name == WRONG_TYPE.name) else {
            continue;
        };
        if Path::new(files.name(place.file)).extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let read = || read_toml(place.file, 0..files.text(place.file).len(), files, &mut Findings::default());
        let table = tables.entry(place.file).or_insert_with(read);
        if is_unknown && Some(place.file) == tree.site {
            let top = table.into_iter().find(|entry| entry.key.place == place);
            if let Some(home) = top.and_then(at_home) {
                finding.help = Some(home);
                continue;
            }
        }
        let root = if Some(place.file) == tree.site {
            Owner { name: "the file".to_owned(), keys: keys::<settings::Decl>(), table }
        } else {
            let name = if is_section(files.name(place.file)) { "the section" } else { OF_A_ROUTE };
            Owner { name: name.to_owned(), keys: keys::<resource::Decl>(), table }
        };
        let Some(slip) = find(table, None, &mut Vec::new(), &mut vec![root], place, files) else { continue };
        let Slip { key, owner, header, header_place } = slip;
        if owner == OF_A_ROUTE && OF_KINDS.contains(&key.as_str()) {
            slipped.insert(place.file);
        }
        let means = format!("if {owner}'s own `{key}` is meant, it probably slipped below `{header}`: write it above");
        finding.help = Some(match finding.help.take().filter(|_| !is_unknown) {
            Some(help) => format!("{help}; {means}"),
            None => means,
        });
        finding
            .related
            .push(Related { place: header_place, message: "because this header stands above it".to_owned() });
    }
    let follows = |finding: &Finding| {
        finding.code.name == resource::NO_LAYOUT.name
            && finding.place.is_some_and(|place| slipped.contains(&place.file))
    };
    findings.retain(|finding| !follows(finding));
}

/// A table in which keys have a meaning.
struct Owner<'t> {
    name: String,
    keys: Vec<&'static str>,
    table: &'t Table,
}

/// A key below a header that another table knows.
struct Slip {
    key: String,
    owner: String,
    header: String,
    header_place: Place,
}

fn keys<T: Declared>() -> Vec<&'static str> {
    T::keys().iter().map(|key| key.name).collect()
}

/// Looks for the entry at `wanted` in a table that was opened by `header`; the `owners` are the tables around it.
fn find<'t>(
    table: &'t Table,
    header: Option<Place>,
    path: &mut Vec<&'t str>,
    owners: &mut Vec<Owner<'t>>,
    wanted: Place,
    files: &Files,
) -> Option<Slip> {
    for entry in table {
        let key = entry.key.value.as_str();
        if entry.key.place == wanted || entry.node.place == wanted {
            let header_place = header?;
            let around = owners.iter().rev().filter(|owner| !std::ptr::eq(owner.table, table));
            let mut knows = around.filter(|owner| owner.keys.contains(&key) && owner.table.get(key).is_none());
            let owner = knows.next()?.name.clone();
            let header = files.snippet(header_place).lines().next().unwrap_or_default().to_owned();
            return Some(Slip { key: key.to_owned(), owner, header, header_place });
        }
        let items = if let Kind::Array(items) = &entry.node.kind { items } else { std::slice::from_ref(&entry.node) };
        path.push(key);
        for node in items {
            let Some(inner) = node.as_table() else { continue };
            let header = Some(node.place).filter(|place| files.snippet(*place).starts_with('['));
            let depth = owners.len();
            owners.extend(owner(path, inner));
            let found = find(inner, header, path, owners, wanted, files);
            owners.truncate(depth);
            if found.is_some() {
                return found;
            }
        }
        path.pop();
    }
    None
}

/// The table at `path` as one in which keys have a meaning that could be meant further down.
fn owner<'t>(path: &[&str], table: &'t Table) -> Option<Owner<'t>> {
    let (name, keys) = match path {
        ["defaults"] => ("[defaults]".to_owned(), keys::<resource::Decl>()),
        ["sources", name] | ["defaults", "sources", name] => (format!("the source `{name}`"), keys::<source::Decl>()),
        ["upstreams", name] => (format!("the upstream `{name}`"), keys::<source::UpstreamDecl>()),
        _ => return None,
    };
    Some(Owner { name, keys, table })
}
