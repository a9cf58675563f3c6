//! What an element loads and runs, by its name and its attributes (WHATWG HTML, section 4; Fetch, section 2.2.5).

use super::collect::{Attribute, Spot, State};
use super::holes::is_hole;
use super::reference::{text_of, value_of};
use super::{Markup, Needs, ObstacleKind, Use, digest};
use crate::render::context::is_event_of_xml;
use std::borrow::Cow;

/// Attributes whose `javascript:` URL would run.
const FOLLOWED: [&str; 6] = ["action", "data", "formaction", "href", "src", "xlink:href"];

/// The types of scripts that are JavaScript (WHATWG MIME Sniffing, section 4.6).
const JAVASCRIPT: [&str; 16] = [
    "application/ecmascript",
    "application/javascript",
    "application/x-ecmascript",
    "application/x-javascript",
    "text/ecmascript",
    "text/javascript",
    "text/javascript1.0",
    "text/javascript1.1",
    "text/javascript1.2",
    "text/javascript1.3",
    "text/javascript1.4",
    "text/javascript1.5",
    "text/jscript",
    "text/livescript",
    "text/x-ecmascript",
    "text/x-javascript",
];

impl Needs {
    /// Takes a tag that has ended.
    pub(super) fn element(&mut self, name: &str, attributes: &[Attribute], xml: bool) {
        let attributes = &*with_usual_prefix(attributes, xml);
        for attribute in attributes {
            self.attribute(attribute, xml);
        }
        let of = |wanted: &str| attributes.iter().find(|attribute| attribute.name == wanted);
        let mut load = |attribute: &str, of_use: Use| {
            for way in of(attribute).into_iter().flat_map(|attribute| &attribute.ways) {
                self.load(of_use, way);
            }
        };
        match local(name) {
            "img" => load("src", Use::Image),
            "image" | "feimage" | "feImage" => {
                for name in ["href", "xlink:href"] {
                    load(name, Use::Image);
                }
            }
            "input" => {
                load("src", Use::Image);
                load("formaction", Use::Form);
            }
            "button" => load("formaction", Use::Form),
            "form" => load("action", Use::Form),
            "audio" | "source" | "track" => load("src", Use::Media),
            "video" => {
                load("src", Use::Media);
                load("poster", Use::Image);
            }
            "iframe" | "frame" => {
                load("src", Use::Frame);
                if let Some(document) = of("srcdoc") {
                    self.document(document);
                }
            }
            "embed" => load("src", Use::Object),
            "object" => load("data", Use::Object),
            "base" => load("href", Use::Base),
            "a" | "area" => load("ping", Use::Connection),
            "body" | "table" | "tr" | "td" | "th" | "thead" | "tbody" | "tfoot" => load("background", Use::Image),
            "script" => {
                for name in ["src", "href", "xlink:href"] {
                    load(name, Use::Script);
                }
                for name in ["src", "href", "xlink:href"] {
                    let is_data =
                        |way: &String| way.trim_start().get(..5).is_some_and(|way| way.eq_ignore_ascii_case("data:"));
                    if let Some(address) = of(name).filter(|address| address.ways.iter().any(is_data)) {
                        self.hold_up(ObstacleKind::ScriptUrl, &address.spot);
                    }
                }
                self.has_scripts |= script_types(attributes).iter().any(|kind| is_code(kind));
            }
            "link" => self.link(attributes),
            _ => {}
        }
        for name in ["srcset", "imagesrcset"] {
            for way in of(name).into_iter().flat_map(|attribute| &attribute.ways) {
                self.images(way);
            }
        }
    }

    /// Takes a page that stands in an attribute: the policy of the page around is its own, too.
    fn document(&mut self, attribute: &Attribute) {
        for way in &attribute.ways {
            let inner = Self::of_html(way);
            for obstacle in &inner.obstacles {
                self.hold_up(obstacle.kind, &attribute.spot);
            }
            self.addresses.extend(inner.addresses);
            self.scripts.extend(inner.scripts);
            self.styles.extend(inner.styles);
            self.has_scripts |= inner.has_scripts;
            self.has_styles |= inner.has_styles;
            if way.contains(is_hole) {
                // Only a layout that escapes nothing prints into it.
                self.of_requests = Markup::Raw;
            }
        }
    }

    fn attribute(&mut self, attribute: &Attribute, xml: bool) {
        let Attribute { name, spot, ways, .. } = attribute;
        let runs = |way: &String| {
            let head: String = way.chars().filter(|character| *character > ' ').take(11).collect();
            head.eq_ignore_ascii_case("javascript:")
        };
        let is_event = if xml { is_event_of_xml(name) } else { name.starts_with("on") && name.len() > 2 };
        if is_event {
            self.hold_up(ObstacleKind::Handler, spot);
        } else if name == "style" {
            self.hold_up(ObstacleKind::StyleAttribute, spot);
            // A policy of the author's own may let it hold.
            for way in ways {
                self.style_sheet(way);
            }
        } else if FOLLOWED.contains(&name.as_str()) && ways.iter().any(runs) {
            self.hold_up(ObstacleKind::ScriptUrl, spot);
        }
    }

    fn link(&mut self, attributes: &[Attribute]) {
        let ways = |wanted: &str| {
            let found = attributes.iter().find(|attribute| attribute.name == wanted);
            found.map(|attribute| attribute.ways.as_slice()).unwrap_or_default()
        };
        let relations: Vec<String> = ways("rel").iter().map(|way| way.to_ascii_lowercase()).collect();
        let kinds: Vec<String> = ways("as").iter().map(|way| way.to_ascii_lowercase()).collect();
        let mut uses: Vec<Use> = Vec::new();
        for relation in relations.iter().flat_map(|relations| relations.split_ascii_whitespace()) {
            match relation {
                "stylesheet" => {
                    self.has_styles = true;
                    uses.push(Use::Style);
                }
                "icon" | "apple-touch-icon" | "apple-touch-icon-precomposed" | "mask-icon" => uses.push(Use::Image),
                "manifest" => uses.push(Use::Manifest),
                // What may be loaded for anything may be loaded ahead (CSP 3, section 6.7.1.2).
                "prefetch" => uses.push(Use::Connection),
                "modulepreload" => uses.push(Use::Script),
                "preload" => uses.extend(kinds.iter().filter_map(|kind| preloaded(kind))),
                // What will be asked there is not said: whatever runs nothing.
                "preconnect" | "dns-prefetch" => {
                    uses.extend([Use::Connection, Use::Font, Use::Image, Use::Media]);
                }
                // A relation that is printed: it may be any that runs nothing.
                other if other.contains(is_hole) => uses.extend([Use::Style, Use::Image, Use::Manifest]),
                _ => {}
            }
        }
        for way in ways("href") {
            for of in &uses {
                self.load(*of, way);
            }
        }
    }

    /// Takes the candidates of a `srcset` (WHATWG HTML, section 4.8.4.2.2).
    fn images(&mut self, list: &str) {
        let mut rest = list;
        loop {
            rest = rest.trim_start_matches(|character: char| character.is_ascii_whitespace() || character == ',');
            let end = rest.find(|character: char| character.is_ascii_whitespace()).unwrap_or(rest.len());
            let Some((address, after)) = rest.split_at_checked(end).filter(|(address, _)| !address.is_empty()) else {
                return;
            };
            self.load(Use::Image, address.trim_end_matches(','));
            let is_last = address.ends_with(',');
            rest = if is_last { after } else { after.split_once(',').map_or("", |(_, after)| after) };
        }
    }

    /// Takes the text of a `<script>` or `<style>` that has ended.
    pub(super) fn inline(&mut self, state: &State) {
        let read = |way: &String| text_of(way, state.is_xml());
        let ways = if state.reads_references() { state.ways.iter().map(read).collect() } else { state.ways.clone() };
        match local(&state.element) {
            "script" => self.inline_script(state, &ways),
            "style" => {
                self.has_styles = true;
                if constant(&ways, &state.opened, ObstacleKind::Style, self) {
                    for text in &ways {
                        self.styles.insert(digest(text));
                        self.style_sheet(text);
                    }
                }
            }
            _ => {}
        }
    }

    /// Takes a declaration that has ended: in XML one names style sheets, also those that make another document of this one (XML
    /// Stylesheets, section 4).
    pub(super) fn declaration(&mut self, state: &State) {
        let sheets = state.ways.iter().filter(|_| state.is_xml()).filter_map(|way| way.strip_prefix("?xml-stylesheet"));
        for sheet in sheets {
            let Some(address) = value_of(sheet, "href") else { continue };
            self.load(Use::Style, &address);
            if value_of(sheet, "type").is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/css")) {
                self.has_styles = true;
            } else {
                self.load(Use::Script, &address);
            }
        }
    }

    fn inline_script(&mut self, state: &State, texts: &[String]) {
        let types = script_types(&state.attributes);
        let is_empty = texts.iter().all(String::is_empty);
        if is_empty || !types.iter().any(|kind| is_code(kind)) {
            return;
        }
        if !constant(texts, &state.opened, ObstacleKind::Script, self) {
            return;
        }
        for text in texts {
            self.scripts.insert(digest(text));
            self.imports(text);
            if types.iter().any(|kind| kind == "importmap") {
                self.import_map(text);
            }
        }
    }

    /// Takes what a script imports by an address that is written out.
    fn imports(&mut self, script: &str) {
        let mut before = "";
        for part in script.split(['"', '\'', '`']) {
            let before = std::mem::replace(&mut before, part).trim_end();
            let imports = before.ends_with("from") || before.trim_end_matches('(').trim_end().ends_with("import");
            if imports && part.contains("//") {
                self.load(Use::Script, part);
            }
        }
    }

    /// Takes an import map: what it maps to is loaded as scripts.
    fn import_map(&mut self, text: &str) {
        // Strings of JSON stand between quotes; the keys of the map are asked for by name, and load nothing by themselves.
        for string in text.split('"').filter(|part| part.contains("//")) {
            self.load(Use::Script, string);
        }
    }
}

/// The same attributes, of which those that are a link by any prefix of XML have `xlink`: which namespace a prefix stands for may be
/// said anywhere around.
fn with_usual_prefix(attributes: &[Attribute], xml: bool) -> Cow<'_, [Attribute]> {
    const LINK: &str = "xlink:href";
    let is_link = |name: &str| name != LINK && name.split_once(':').is_some_and(|(_, local)| local == "href");
    if !xml || !attributes.iter().any(|attribute| is_link(&attribute.name)) {
        return attributes.into();
    }
    let renamed = attributes.iter().map(|attribute| {
        let name = if is_link(&attribute.name) { LINK } else { &attribute.name };
        Attribute { name: name.to_owned(), ..attribute.clone() }
    });
    renamed.collect()
}

/// The types of a script on all ways, in lower case.
fn script_types(attributes: &[Attribute]) -> Vec<String> {
    let of_type = attributes.iter().find(|attribute| attribute.name == "type");
    let written = of_type.iter().flat_map(|of_type| &of_type.ways).map(|way| way.trim().to_ascii_lowercase());
    let lacking = of_type.is_none_or(|of_type| of_type.may_lack).then(String::new);
    written.chain(lacking).collect()
}

/// Whether a script of this type is run, or says what is.
fn is_code(kind: &str) -> bool {
    matches!(kind, "" | "module" | "importmap" | "speculationrules") || kind.contains(is_hole) || is_javascript(kind)
}

fn is_javascript(kind: &str) -> bool {
    JAVASCRIPT.contains(&kind.split(';').next().unwrap_or_default().trim())
}

/// What `<link rel=preload>` loads, by its `as`.
fn preloaded(kind: &str) -> Option<Use> {
    Some(match kind {
        "script" | "worker" | "sharedworker" => Use::Script,
        "style" => Use::Style,
        "font" => Use::Font,
        "image" => Use::Image,
        "audio" | "video" | "track" => Use::Media,
        "document" => Use::Frame,
        "fetch" => Use::Connection,
        _ => return None,
    })
}

/// Whether a text is the same on each way through the branches; what it is if not is noted.
fn constant(ways: &[String], opened: &Spot, kind: ObstacleKind, needs: &mut Needs) -> bool {
    let is_constant = !ways.iter().any(|way| way.contains(is_hole));
    if is_constant {
        needs.inline_at(&(kind, opened.clone()));
    } else {
        needs.hold_up(kind, opened);
    }
    is_constant
}

/// A name without the prefix that stands for its namespace.
fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}
