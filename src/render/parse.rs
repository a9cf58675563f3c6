//! Templates to trees: one parser for the body of a layout or a partial.
//!
//! Nothing stops at the first finding: what cannot be read is left out, and the rest is read as if it were not there. Depth is
//! counted before every descent, so no text can exhaust the stack.

use super::assets::AssetUse;
use super::code;
use super::context::{Stand, Tracker};
use super::escape::{Sink, UrlPart};
use super::expr::{Names, Parsed, Reader, Trouble, chain};
use super::filter::Effect;
use super::fixed::Fixed;
use super::lex::{Lexer, Tag, Token, cut, is_space};
use super::mend;
use super::program::{Build, Manner};
use super::tags::TAGS;
use super::tree::{Asked, Base, Block, Chain, FilterCall, NameId, Node, Operand, Output};
use crate::diagnostic::{Code, FileId, Finding, Level, Place, suggest};
use crate::value::Text;
use std::ops::Range;
use std::sync::Arc;

/// Filters whose result is a piece of a URL.
const ENCODING: [&str; 5] = ["cgi_escape", "uri_escape", "url_encode", "url_escape", "url_param_escape"];

/// Filters that leave it one.
const AFTER_ENCODING: [&str; 8] =
    ["downcase", "escape", "escape_once", "remove", "replace", "replace_first", "strip", "upcase"];

/// Filters that make a number of whatever goes in.
const NUMBERS: [&str; 12] =
    ["abs", "at_least", "at_most", "ceil", "divided_by", "floor", "minus", "modulo", "plus", "round", "size", "times"];

/// What is known of a value before it is there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    /// It is JSON.
    pub(super) json: bool,
    /// The layout itself names it.
    pub(super) own: bool,
    /// It is a number.
    pub(super) number: bool,
}

/// A loop that is open.
pub(super) struct Loop {
    /// Where it began in the markup.
    pub(super) begin: Option<Tracker>,
    /// Where it was left, or its body was.
    pub(super) left: Vec<Option<Tracker>>,
}

impl Loop {
    pub(super) fn at(begin: Option<Tracker>) -> Self {
        Self { begin, left: Vec::new() }
    }
}

/// Whether a chain is `content` as it is.
fn is_content(chain: &Chain, names: &Names) -> bool {
    let Operand::Path(path) = &chain.value else { return false };
    let is_name = |name: NameId| names.find("content") == Some(name);
    chain.filters.is_empty() && path.steps.is_empty() && matches!(path.base, Base::Name(name) if is_name(name))
}

/// What a chain prints that is written in it, besides its value.
fn printed(chain: &Chain) -> Vec<&Operand> {
    let handed_on = chain.filters.iter().filter_map(|call| match call.filter.effect {
        Effect::Keeps => call.arguments.first(),
        Effect::Exchanges => call.arguments.get(1),
        Effect::Inherits if ["default", "join", "pluralize"].contains(&call.filter.name) => call.arguments.first(),
        Effect::Inherits | Effect::Markup | Effect::Text => None,
    });
    std::iter::once(&chain.value).chain(handed_on).collect()
}

/// Whether a text has a quote with an attribute or the end of a tag behind it.
fn holds_attribute(text: &str) -> bool {
    text.split(['"', '\'']).skip(1).any(|behind| {
        let name = behind.trim_ascii();
        let is_name = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':'))
        };
        let is_attribute = name.len() < behind.trim_ascii_end().len()
            && name
                .split_once('=')
                .is_some_and(|(name, value)| is_name(name.trim_ascii()) && value.trim_ascii().is_empty());
        is_attribute || behind.starts_with('>') || name.starts_with("/>")
    })
}

/// The tag that ended a block, and what it said.
pub(super) type End = Option<Tag>;

/// What a text has been made of.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Printed {
    encoded: bool,
    other: bool,
}

impl Printed {
    /// Whether all values in it are ready for a URL.
    pub(super) fn is_encoded(self) -> bool {
        self.encoded && !self.other
    }

    /// Takes what may be any value.
    pub(super) fn take_any(&mut self) {
        self.other = true;
    }
}

pub(super) struct Parser<'b, 's> {
    pub(super) build: &'b mut Build<'s>,
    pub(super) text: &'s str,
    file: FileId,
    /// Follows the markup in `.html`.
    pub(super) tracker: Option<Tracker>,
    escapes: bool,
    /// Whether anything was printed that is ready for a URL, and anything that is not.
    pub(super) printed: Printed,
    /// Whether this layout is around another one, whose output is its `content`.
    is_outer: bool,
    /// The loops that are open.
    pub(super) loops: Vec<Loop>,
    /// How many loops were open where each capture began that is open.
    pub(super) captures: Vec<usize>,
    /// The end tags of the blocks that are open.
    open: Vec<&'static str>,
    /// How many of them a `{% liquid %}` tag may not close.
    floor: usize,
    depth: usize,
    /// A tag that ended an inner block by mistake and is now looked at by the outer one.
    pending: Option<Tag>,
    /// Unknown tags, whose end tags are no news.
    unknown: Vec<&'s str>,
    /// Those that were taken for another tag.
    taken: Vec<&'s str>,
    gave_up: bool,
}

impl<'b, 's> Parser<'b, 's> {
    /// A parser for a body that begins where `tracker` is; without one nothing is escaped.
    pub(super) fn new(
        build: &'b mut Build<'s>,
        text: &'s str,
        file: FileId,
        tracker: Option<Tracker>,
        is_outer: bool,
    ) -> Self {
        let escapes = tracker.is_some();
        Self {
            build,
            text,
            file,
            tracker,
            escapes,
            printed: Printed::default(),
            is_outer,
            loops: Vec::new(),
            captures: Vec::new(),
            open: Vec::new(),
            floor: 0,
            depth: 0,
            pending: None,
            unknown: Vec::new(),
            taken: Vec::new(),
            gave_up: false,
        }
    }

    /// The whole body, which ends where it may.
    pub(super) fn body(&mut self, range: Range<usize>) -> Block {
        let end = range.end;
        let entry = self.tracker.clone();
        let mut lexer = Lexer::template(self.text, range);
        let (block, _) = self.block(&mut lexer, &[], None);
        // Where a branch went astray, the end is astray as well.
        let is_told = self.build.findings.iter().any(|finding| {
            finding.code.name == code::BRANCH_CONTEXT.name && finding.place.is_some_and(|place| place.file == self.file)
        });
        let astray = match (&entry, &self.tracker) {
            (Some(entry), Some(tracker)) if entry.is_at_rest() && !tracker.is_at_rest() => {
                Some("the text ends within a tag, a comment, a script or quotes")
            }
            (Some(entry), Some(tracker)) if entry.is_at_rest() => (!tracker.keeps_drawings(entry))
                .then_some("the text ends in another place of a drawing or a formula than it began in"),
            (Some(entry), Some(tracker)) => (!tracker.returns_to(entry))
                .then_some("the partial is called within a tag or quotes, and ends in another place than that"),
            _ => None,
        };
        if let Some(message) = astray.filter(|_| !self.gave_up && !is_told) {
            self.find(&code::BRANCH_CONTEXT, end..end, message, Some("close it in the same file".to_owned()));
        }
        block
    }

    pub(super) fn place(&self, range: Range<usize>) -> Place {
        Place::new(self.file, range)
    }

    pub(super) fn find(&mut self, code: &'static Code, at: Range<usize>, message: &str, help: Option<String>) {
        let finding = Finding::new(code, Place::new(self.file, at), message).maybe_help(help);
        self.build.findings.push(finding);
    }

    pub(super) fn name(&mut self, name: &str) -> NameId {
        self.build.names.id(name)
    }

    /// Reads all words of a tag; a finding if that cannot be done.
    pub(super) fn read<T>(&mut self, tag: &Tag, read: impl FnOnce(&mut Reader<'s, '_>) -> Parsed<T>) -> Option<T> {
        self.read_range(tag.markup.clone(), cut(self.text, tag.name.clone()), read)
    }

    /// Reads all of `range`, which stands in the tag called `name` (`""` for an output).
    pub(super) fn read_range<T>(
        &mut self,
        range: Range<usize>,
        name: &str,
        read: impl FnOnce(&mut Reader<'s, '_>) -> Parsed<T>,
    ) -> Option<T> {
        let manner = self.build.manner;
        let mut reader = Reader::new(self.text, range.clone(), &mut self.build.names, self.file, 0, manner);
        let result = read(&mut reader).and_then(|value| reader.finish().map(|()| value));
        match result {
            Ok(value) => Some(value),
            Err(trouble) => {
                let Trouble { code, at, message, help } = trouble.mend(self.text, range, name);
                self.find(code, at, &message, help);
                None
            }
        }
    }

    /// Nodes up to one of `ends`, which is taken. `opening` is where the block began.
    pub(super) fn block(
        &mut self,
        lexer: &mut Lexer<'s>,
        ends: &[&'static str],
        opening: Option<&Tag>,
    ) -> (Block, End) {
        let mut block = Block { nodes: Vec::new(), blank: true };
        loop {
            let token = match self.pending.take() {
                Some(tag) => Some(Token::Tag(tag)),
                None => lexer.next(),
            };
            match token {
                None => {
                    self.unclosed(opening);
                    return (block, None);
                }
                Some(Token::Unclosed(range)) => {
                    let open = cut(self.text, range.clone());
                    let close = if open == "{{" { "}}" } else { "%}" };
                    self.find(&code::UNCLOSED, range, &format!("`{open}` is not closed by `{close}`"), None);
                    self.gave_up = true;
                }
                Some(Token::Text(range)) => self.literal(range, &mut block),
                Some(Token::Output { inside, whole }) => self.output(inside, whole, &mut block),
                Some(Token::Tag(tag)) => {
                    let name = cut(self.text, tag.name.clone());
                    if ends.contains(&name) {
                        return (block, Some(tag));
                    }
                    if self.open.get(self.floor..).unwrap_or_default().contains(&name) {
                        self.unclosed(opening);
                        self.pending = Some(tag);
                        return (block, None);
                    }
                    if self.is_misspelt_end(name, &tag, ends) {
                        return (block, Some(tag));
                    }
                    self.tag(name, &tag, lexer, &mut block);
                }
            }
            if self.gave_up {
                return (block, None);
            }
        }
    }

    /// Whether a tag that does not exist looks like the end of the innermost block; there is a finding about it then.
    fn is_misspelt_end(&mut self, name: &str, tag: &Tag, ends: &[&'static str]) -> bool {
        let (Some(&end), Some(opener)) = (ends.first(), name.strip_prefix("end")) else { return false };
        // The end of what was taken for another tag is no news.
        if self.taken.contains(&opener) && mend::renamed(opener) == end.strip_prefix("end") {
            return true;
        }
        let exists = TAGS.iter().any(|tag| tag.name == opener) || self.unknown.contains(&opener);
        if exists || self.build.manner == Manner::Trial || suggest(name, [end]).is_none() {
            return false;
        }
        let help = Some(format!("did you mean `{end}`?"));
        self.find(&code::UNKNOWN_TAG, tag.name.clone(), &format!("there is no tag `{name}`"), help);
        true
    }

    fn unclosed(&mut self, opening: Option<&Tag>) {
        let Some(tag) = opening else { return };
        if !self.gave_up {
            let name = cut(self.text, tag.name.clone());
            let message = format!("`{name}` is not closed by `end{name}`");
            self.find(&code::UNCLOSED, tag.whole.clone(), &message, None);
        }
    }

    fn literal(&mut self, range: Range<usize>, block: &mut Block) {
        let text = self.follow(range, &mut block.nodes);
        block.blank &= text.trim_matches(is_space).is_empty();
    }

    /// Adds a literal part, after the markup was followed through it; its text.
    pub(super) fn follow(&mut self, range: Range<usize>, nodes: &mut Vec<Node>) -> &'s str {
        let text = cut(self.text, range.clone());
        let mut guards = Vec::new();
        if let Some(clash) = self.tracker.as_mut().and_then(|tracker| tracker.literal(text, &mut guards)) {
            let at = range.start + clash.at;
            let length = text.get(clash.at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
            self.find(&code::UNSAFE_PLACE, at..at + length, clash.message, Some(clash.help.to_owned()));
        }
        self.build.literal_bytes += text.len();
        let mut start = range.start;
        for (at, look) in guards {
            let end = range.start + at;
            if start < end {
                nodes.push(Node::Text(cut(self.text, start..end).into(), self.place(start..end)));
            }
            nodes.push(Node::Guard(look));
            start = end;
        }
        nodes.push(Node::Text(cut(self.text, start..range.end).into(), self.place(start..range.end)));
        text
    }

    fn output(&mut self, inside: Range<usize>, whole: Range<usize>, block: &mut Block) {
        block.blank = false;
        if cut(self.text, inside.clone()).trim().is_empty() {
            return;
        }
        if let Some(chain) = self.read_range(inside, "", chain) {
            block.nodes.push(self.printed(chain, whole));
        }
    }

    /// What prints a chain that stands here.
    pub(super) fn printed(&mut self, chain: Chain, whole: Range<usize>) -> Node {
        if let Some(text) = self.literal_of(&chain, &whole) {
            return text;
        }
        let sink = self.sink_of(&chain, &whole);
        match sink {
            Sink::Text | Sink::XmlText | Sink::Section => self.note_pieces(&chain, &whole),
            Sink::Attribute | Sink::XmlAttribute | Sink::Url(_) | Sink::XmlUrl(_) => self.note_quotes(&chain, &whole),
            Sink::Plain | Sink::Script | Sink::Code | Sink::Member | Sink::Number => {}
            Sink::JsonText => {}
            Sink::CsvCell | Sink::CsvQuoted { .. } | Sink::Nowhere => {}
        }
        Node::Output(Output { chain, sink, place: self.place(whole) })
    }

    /// A string that is printed between tags as it is written: a part of the markup like those around it.
    fn literal_of(&mut self, chain: &Chain, whole: &Range<usize>) -> Option<Node> {
        let (Operand::Text(text), []) = (&chain.value, chain.filters.as_slice()) else { return None };
        let tracker = self.tracker.as_mut().filter(|tracker| tracker.takes_elements())?;
        let clash = tracker.literal(text, &mut Vec::new());
        if let Some(clash) = clash {
            self.find(&code::UNSAFE_PLACE, whole.clone(), clash.message, Some(clash.help.to_owned()));
        }
        self.build.literal_bytes += text.len();
        let start = whole.start + cut(self.text, whole.clone()).find(&**text).unwrap_or_default();
        Some(Node::Text(Box::from(&**text), self.place(start..start + text.len())))
    }

    /// Warns of strings in a chain that hold pieces of tags, if they are printed as they are.
    pub(super) fn note_pieces(&mut self, chain: &Chain, at: &Range<usize>) {
        let makes_text = |call: &FilterCall| {
            call.filter.effect == Effect::Text
                || ["escape", "escape_once", "json", "jsonify"].contains(&call.filter.name)
        };
        if chain.filters.iter().any(makes_text) {
            return;
        }
        self.warn_of_pieces(&printed(chain), at);
    }

    /// Warns of a string in an attribute whose quote is meant to end the value, with more of the tag behind it.
    fn note_quotes(&mut self, chain: &Chain, at: &Range<usize>) {
        let ends_value = |operand: &&Operand| matches!(operand, Operand::Text(text) if holds_attribute(text));
        let is_piece = printed(chain).iter().any(ends_value);
        if is_piece && self.escapes && self.build.manner == Manner::Site {
            let message = "a quote in a string does not end the value that it is printed into";
            let help = "write the attributes in the layout itself, by `{% if %}` where they are not always there";
            self.find(&code::PIECE_OF_MARKUP, at.clone(), message, Some(help.to_owned()));
        }
    }

    /// Warns of those of `operands` that are strings with a piece of a tag.
    pub(super) fn warn_of_pieces(&mut self, operands: &[&Operand], at: &Range<usize>) {
        if !self.escapes || self.build.manner == Manner::Trial || !self.build.makes_markup() {
            return;
        }
        let piece = operands.iter().find_map(|operand| operand.piece());
        // A lone `<` is meant as a text.
        let begins_tag = |piece: &&Text| {
            piece
                .split('<')
                .skip(1)
                .any(|rest| rest.starts_with(|first: char| first.is_ascii_alphabetic() || "/!?_:".contains(first)))
        };
        if let Some(piece) = piece.filter(begins_tag) {
            let written = cut(self.text, at.clone()).find(&**piece).map(|found| at.start + found);
            let at = written.map_or(at.clone(), |start| start..start + piece.len());
            self.find(&code::PIECE_OF_MARKUP, at, "a piece of a tag in a string is printed as text", None);
        }
    }

    /// Remembers where a chain asks for absolute URLs, or for those of published files, and looks at the arguments that are written out.
    pub(super) fn note_filters(&mut self, chain: &Chain) {
        for (at, call) in chain.filters.iter().enumerate() {
            if call.filter.name == "absolute_url" {
                self.build.absolute_urls.push(call.place);
            }
            if call.filter.name == "asset_url" {
                let asset = self.asset_of(if at == 0 { Some(&chain.value) } else { None }, call.place);
                self.build.assets.push(asset);
            }
            if self.build.manner == Manner::Site
                && let Some(wrong) = mend::arguments(call)
            {
                self.find_arguments(call.place, wrong);
            }
            if let Some(Asked::Value(inner)) = call.each.as_ref().map(|each| &each.asked) {
                self.note_filters(inner);
            }
        }
    }

    /// The file whose URL a filter at `place` asks for, if it is the first that a string goes through.
    fn asset_of(&self, value: Option<&Operand>, place: Place) -> AssetUse {
        let Some(Operand::Text(name)) = value else { return AssetUse { name: None, place } };
        let before = cut(self.text, 0..place.start as usize);
        let written = before.rfind(&**name).map(|start| self.place(start..start + name.len()));
        AssetUse { name: Some(Arc::from(&**name)), place: written.unwrap_or(place) }
    }

    /// A finding about arguments that fit and are of no use.
    pub(super) fn find_arguments(&mut self, place: Place, (level, message, help): (Level, String, String)) {
        self.build.findings.push(Finding::new(&code::FILTER_ARGUMENTS, place, message).help(help).level(level));
    }

    /// Remembers where a chain keeps data from being escaped.
    pub(super) fn note_raw(&mut self, chain: &Chain, at: &Range<usize>) {
        if self.escapes && chain.filters.iter().any(|call| call.filter.name == "raw") {
            let place = self.place(at.clone());
            self.build.raw.push(place);
        }
    }

    /// The sink for a chain that stands here.
    pub(super) fn sink_of(&mut self, chain: &Chain, at: &Range<usize>) -> Sink {
        self.note_filters(chain);
        let json = chain.filters.last().is_some_and(|call| matches!(call.filter.name, "json" | "jsonify"));
        let number = chain.filters.last().is_some_and(|call| NUMBERS.contains(&call.filter.name))
            || matches!((&chain.value, chain.filters.as_slice()), (Operand::Int(_) | Operand::Float(_), []));
        self.note_raw(chain, at);
        let is_written = |operand: &Operand| !matches!(operand, Operand::Path(_) | Operand::Range(_));
        let mut arguments = chain
            .filters
            .iter()
            .flat_map(|call| call.arguments.iter().chain(call.named.iter().map(|(_, named)| named)));
        let asks = chain.filters.iter().any(|call| call.each.is_some());
        let own = matches!(chain.value, Operand::Text(_)) && arguments.all(is_written) && !asks;
        if self.is_outer
            && is_content(chain, &self.build.names)
            && let Some(tracker) = self.tracker.as_mut().filter(|tracker| !tracker.is_markup() && tracker.is_at_rest())
        {
            // The output of the inner layout is escaped already.
            tracker.output();
            return Sink::Plain;
        }
        let stand = self.tracker.as_ref().filter(|_| self.build.manner == Manner::Site).map(Tracker::stand);
        let fixed = stand.and_then(|stand| Fixed::of(chain, stand, &self.build.names, self.place(at.clone())));
        let own = own || fixed.is_some();
        self.build.fixed.extend(fixed);
        let is_first = self.tracker.as_ref().is_some_and(Tracker::begins_list);
        let mut sink = self.sink(Known { json, own, number }, at);
        // With nothing of the layout's behind it a host may have a path.
        if let Sink::Url(part @ UrlPart::Host) | Sink::XmlUrl(part @ UrlPart::Host) = &mut sink
            && self.ends_host(at.end)
        {
            *part = UrlPart::Rest;
        }
        if sink.is_in_images() && is_first && self.ends_value(at.end) {
            sink = sink.of_images();
        }
        let is_encoded = self.is_encoded(chain);
        self.printed.encoded |= is_encoded;
        self.printed.other |= !is_encoded;
        if is_encoded { sink.of_encoded() } else { sink }
    }

    /// Whether what the layout goes on with behind `at` ends the name of a host.
    fn ends_host(&self, at: usize) -> bool {
        self.text.get(at..).is_some_and(|rest| rest.starts_with(['"', '\'', '/', '?', '#']))
    }

    /// Whether nothing of the layout follows behind `at` in the value of an attribute, as far as can be seen from here: another
    /// branch is no part of it.
    fn ends_value(&self, at: usize) -> bool {
        let mut rest = self.text.get(at..).unwrap_or_default().trim_start();
        while let Some(tag) = rest.strip_prefix("{%") {
            let word = tag.trim_start_matches(['-', ' ', '\t', '\n', '\r']);
            if ["else", "elsif", "when"].iter().any(|part| word.starts_with(part)) {
                return true;
            }
            let is_end = word.starts_with("end");
            let Some((_, behind)) = tag.split_once("%}").filter(|_| is_end) else { return false };
            rest = behind.trim_start();
        }
        rest.is_empty() || rest.starts_with(['"', '\''])
    }

    /// Whether a chain gives what a filter has made ready for a URL, here or in the assignment before.
    pub(super) fn is_encoded(&self, chain: &Chain) -> bool {
        // What follows may change a sign or two: `replace: "+", "%20"`.
        let mut rest = chain.filters.iter().rev().skip_while(|call| AFTER_ENCODING.contains(&call.filter.name));
        match (&chain.value, rest.next()) {
            (_, Some(last)) => ENCODING.contains(&last.filter.name),
            (value, None) => self.is_ready(value),
        }
    }

    /// Whether an operand is a variable that holds what is ready for a URL.
    pub(super) fn is_ready(&self, operand: &Operand) -> bool {
        let Operand::Path(path) = operand else { return false };
        path.steps.is_empty() && matches!(path.base, Base::Name(name) if self.build.encoded.contains(&name))
    }

    /// A variable is set to what `is_encoded` for a URL, or is not.
    pub(super) fn set(&mut self, name: NameId, is_encoded: bool) {
        if is_encoded {
            self.build.encoded.insert(name);
        } else {
            self.build.encoded.remove(&name);
        }
    }

    /// The sink for a value that stands here.
    pub(super) fn sink(&mut self, known: Known, at: &Range<usize>) -> Sink {
        let Known { json, own, number } = known;
        let Some(tracker) = &mut self.tracker else {
            return Sink::Plain;
        };
        let stand = tracker.stand();
        if tracker.names_script() {
            self.build.scripts.push(Place::new(self.file, at.clone()));
        }
        let is_run = !own && !number && tracker.is_run(json);
        let powerful = "a plain `href` or `src` is escaped as the URL that it is, and markup stands between tags";
        let help = tracker.is_powerful().then(|| powerful.to_owned());
        tracker.output();
        if is_run && self.build.manner == Manner::Site {
            self.find(&code::RUN_BY_LIBRARY, at.clone(), "a value in an attribute that a library runs as code", help);
        }
        let (whereabouts, help) = match stand {
            Stand::Fine(sink) => return sink,
            Stand::OnlyJson(Sink::Code, _) if json => return self.sink_in_code(at),
            Stand::OnlyJson(Sink::Code, _) | Stand::OnlyNumber(..) if number => return Sink::Number,
            Stand::OnlyJson(sink, _) if json || number => return sink,
            Stand::OnlyJson(_, whereabouts) => (whereabouts, "write `| json` last"),
            Stand::OnlyOwn(sink, ..) if own && (json || sink != Sink::Code) => return sink,
            Stand::OnlyOwn(_, whereabouts, help) | Stand::OnlyNumber(whereabouts, help) => (whereabouts, help),
            Stand::Refused(whereabouts, help) => (whereabouts, help),
        };
        let message = format!("a value {whereabouts} could run code or leave its place");
        self.find(&code::UNSAFE_PLACE, at.clone(), &message, Some(help.to_owned()));
        Sink::Nowhere
    }

    /// The sink for JSON in a script, which may be the name of a member.
    fn sink_in_code(&self, at: &Range<usize>) -> Sink {
        let before = self.text.get(..at.start).unwrap_or_default().trim_ascii_end();
        let behind = self.text.get(at.end..).unwrap_or_default().trim_ascii_start();
        if behind.starts_with(':') && before.ends_with(['{', ',', '}']) { Sink::Member } else { Sink::Code }
    }

    /// Parses a body one level deeper; nothing if that is too deep.
    pub(super) fn deeper<T>(&mut self, at: &Tag, parse: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let limit = self.build.nesting;
        if self.depth >= limit {
            let message = format!("more than {limit} blocks inside each other");
            let help = "move the inner ones to a partial".to_owned();
            self.find(&code::TOO_DEEP, at.whole.clone(), &message, Some(help));
            self.gave_up = true;
            return None;
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        Some(parsed)
    }

    /// The body of a block that `end` closes, up to that or to one of `parts`.
    pub(super) fn inner(
        &mut self,
        lexer: &mut Lexer<'s>,
        opening: &Tag,
        end: &'static str,
        parts: &[&'static str],
    ) -> Option<(Block, End)> {
        self.deeper(opening, |parser| {
            parser.open.push(end);
            let mut ends = vec![end];
            ends.extend_from_slice(parts);
            let result = parser.block(lexer, &ends, Some(opening));
            parser.open.pop();
            result
        })
    }

    /// The markup after the branches of `opening`: all must end alike.
    pub(super) fn join(&mut self, branches: &[Option<Tracker>], opening: &Tag) {
        let mut ends = branches.iter().flatten();
        let Some(first) = ends.next() else { return };
        let mut joined = Some(first.clone());
        for end in ends {
            joined = joined.and_then(|tracker| tracker.join(end));
        }
        if joined.is_none() && !self.gave_up {
            let help = "open and close tags, quotes and scripts within the same branch, or in all of them alike";
            let message = "the branches of this block end in different places of the markup";
            self.find(&code::BRANCH_CONTEXT, opening.whole.clone(), message, Some(help.to_owned()));
        }
        self.tracker = Some(joined.unwrap_or_else(|| first.clone()));
    }

    /// `break` and `continue` may leave a body only where the markup is as it was when the body began.
    pub(super) fn leave_loop(&mut self, tag: &Tag) {
        let Some(tracker) = &self.tracker else { return };
        let begin = self.loops.last().and_then(|one| one.begin.clone());
        let entry = begin.unwrap_or_else(|| tracker.fresh());
        if tracker.is_markup() && self.captures.last() == Some(&self.loops.len()) {
            let help = "decide before `{% capture %}` whether the loop goes on";
            let message = "a loop is left within a text that is captured";
            self.find(&code::BRANCH_CONTEXT, tag.whole.clone(), message, Some(help.to_owned()));
        } else if tracker.join(&entry).is_none() {
            let help = "leave the loop between tags, where its body begins";
            let message = "the loop is left within a tag, a comment or a script";
            self.find(&code::BRANCH_CONTEXT, tag.whole.clone(), message, Some(help.to_owned()));
        } else if let Some(one) = self.loops.last_mut() {
            one.left.push(self.tracker.clone());
        }
    }

    fn tag(&mut self, name: &'s str, tag: &Tag, lexer: &mut Lexer<'s>, block: &mut Block) {
        if let Some((node, blank)) = self.known_tag(name, tag, lexer, block) {
            block.blank &= blank;
            block.nodes.extend(node);
            return;
        }
        block.blank = false;
        if let Some(opener) = name.strip_prefix("end").filter(|opener| !opener.is_empty())
            && let Some(at) = self.unknown.iter().rposition(|unknown| *unknown == opener)
        {
            self.unknown.remove(at);
            return;
        }
        let closes = name.strip_prefix("end").is_some_and(|opener| TAGS.iter().any(|tag| tag.name == opener));
        if closes || matches!(name, "else" | "elsif" | "when") {
            let message = format!("`{name}` belongs to no open block");
            self.find(&code::STRAY_TAG, tag.whole.clone(), &message, None);
            return;
        }
        let message =
            if name.is_empty() { "a tag without a name".to_owned() } else { format!("there is no tag `{name}`") };
        let at = if name.is_empty() { tag.whole.clone() } else { tag.name.clone() };
        let meant = mend::tag(name, TAGS.iter().map(|tag| tag.name), self.open.last().copied());
        self.find(&code::UNKNOWN_TAG, at, &message, meant.help);
        match meant.tag.filter(|meant| self.reads_as(name, meant, tag)) {
            // One misspelt letter is one finding: what it sets and what it opens is there.
            Some(meant) => {
                let made = self.known_tag(meant, tag, lexer, block);
                block.nodes.extend(made.and_then(|(node, _)| node));
            }
            None => self.unknown.push(name),
        }
    }

    /// Whether a tag that does not exist can be taken for `meant`: if that has an end, it follows, and no end of the other does, unless
    /// it is the word of another language for the same.
    fn reads_as(&mut self, name: &'s str, meant: &str, tag: &Tag) -> bool {
        const MOST: usize = 32;
        if self.taken.len() >= MOST {
            return false;
        }
        self.taken.push(name);
        let rest = cut(self.text, tag.whole.end..self.text.len());
        let ends = |name: &str| rest.contains(&format!("end{name}"));
        if ends(name) {
            // What stands in `raw` is looked through for its own end only.
            return mend::renamed(name) == Some(meant) && mend::is_block(meant) && meant != "raw";
        }
        !mend::is_block(meant) || ends(meant)
    }

    /// A `{% liquid %}` tag: its lines are tags, and its blocks close within it.
    pub(super) fn liquid(&mut self, tag: &Tag, block: &mut Block) {
        let markup = tag.markup.clone();
        let floor = std::mem::replace(&mut self.floor, self.open.len());
        let parsed = self.deeper(tag, |parser| {
            let mut lines = Lexer::lines(parser.text, markup);
            let (inner, _) = parser.block(&mut lines, &[], None);
            inner
        });
        self.floor = floor;
        if let Some(inner) = parsed {
            block.blank &= inner.blank;
            block.nodes.extend(inner.nodes);
        }
    }
}
