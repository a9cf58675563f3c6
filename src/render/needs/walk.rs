//! What a template needs: its literal parts in the order in which they are printed, on all ways through its branches.

use super::collect::{State, join};
use super::holes::{self, SITE, VALUE};
use super::{Inline, MOST_OBSTACLES, Markup, Needs, holes::of_path, is_shown};
use crate::render::escape::Sink;
use crate::render::filter::{Effect, Filter};
use crate::render::program::Program;
use crate::render::tree::{Base, Block, Call, Chain, FilterCall, NameId, Node, Operand, Output, Step, Target};
use std::collections::{BTreeMap, BTreeSet};

/// Partials within partials. Circles do not load.
const DEEPEST: usize = 32;
/// So often a loop's body is followed until nothing new comes of it.
const MOST_ROUNDS: usize = 4;
/// So many steps are taken in all, a node of the template on one way or a few bytes of its text each, until every loop is followed once only. What
/// loops within loops leave in a value then counts as any value.
const MOST_STEPS: usize = 1 << 15;
/// About so many bytes of text cost as much as a node.
const BYTES_OF_A_STEP: usize = 16;

/// What a layout needs, with the layouts around it and its partials, if it makes markup.
pub(in super::super) fn of_program(program: &Program, extension: &str) -> Needs {
    let xml = extension == "xml";
    let mut walk = Walk {
        program,
        needs: Needs::default(),
        called: Vec::new(),
        captured: BTreeMap::new(),
        documents: program.content.into_iter().map(NameId::index).collect(),
        prints_document: false,
        depth: 0,
        steps: 0,
        xml,
        is_shown: !xml,
    };
    if xml || extension == "html" {
        for stage in &program.stages {
            if let Some(content) = program.content {
                walk.captured.insert(content.index(), walk.needs.inlines.clone());
            }
            walk.block(&stage.body, &mut vec![walk.start()]);
        }
    }
    if !walk.is_shown {
        walk.needs.obstacles.clear();
    }
    walk.needs
}

struct Walk<'p> {
    program: &'p Program,
    needs: Needs,
    called: Vec<Called>,
    /// The inline code in what was captured, by the numbers of names.
    captured: BTreeMap<usize, Vec<Inline>>,
    /// The numbers of the names that hold the document which the layout shows.
    documents: BTreeSet<usize>,
    /// Whether that was printed.
    prints_document: bool,
    depth: usize,
    /// How many steps were taken.
    steps: usize,
    /// Whether it makes XML.
    xml: bool,
    /// Whether it may hold elements that browsers know.
    is_shown: bool,
}

/// A call of a partial that was followed.
struct Called {
    number: u32,
    /// Whether it is called for each item of a list.
    each: bool,
    from: Vec<State>,
    to: Vec<State>,
}

impl Walk<'_> {
    /// At the beginning of what it makes.
    fn start(&self) -> State {
        if self.xml { State::xml() } else { State::html() }
    }

    fn block(&mut self, block: &Block, states: &mut Vec<State>) {
        for node in &block.nodes {
            self.node(node, states);
        }
    }

    fn node(&mut self, node: &Node, states: &mut Vec<State>) {
        self.steps += states.iter().map(|state| 1 + state.ways.len()).sum::<usize>();
        match node {
            Node::Text(text, place) => {
                self.is_shown = self.is_shown || is_shown(text);
                self.steps += text.len() / BYTES_OF_A_STEP * states.len();
                self.needs.follow(states, text, Some(place.file), place.start as usize);
            }
            Node::Output(output) => self.output(output, states),
            Node::If(branches) => {
                let has_else = branches.iter().any(|branch| branch.condition.is_none());
                self.branches(branches.iter().map(|branch| &branch.body), has_else, states);
            }
            Node::Case(case) => {
                let has_else = case.arms.iter().any(|arm| arm.values.is_none());
                self.branches(case.arms.iter().map(|arm| &arm.body), has_else, states);
            }
            Node::For(node) => {
                self.repeated(&node.body, states);
                if let Some(otherwise) = &node.otherwise {
                    self.branches(std::iter::once(otherwise), false, states);
                }
            }
            Node::TableRow(node) => self.repeated(&node.body, states),
            Node::IfChanged { body, .. } => self.branches(std::iter::once(body), false, states),
            Node::Capture { name, body, .. } => {
                // The same code twice is told of once, so that it may stand before those that are new.
                let before = std::mem::take(&mut self.needs.inlines);
                let printed = std::mem::take(&mut self.prints_document);
                self.block(body, &mut vec![self.start()]);
                if std::mem::replace(&mut self.prints_document, printed) {
                    self.documents.insert(name.index());
                }
                let within = std::mem::replace(&mut self.needs.inlines, before);
                for inline in &within {
                    self.needs.inline_at(inline);
                }
                self.hold(name.index(), within);
            }
            Node::Assign { name, value, .. } => {
                self.literals(value);
                let code = self.code_in(value);
                self.hold(name.index(), code);
                if self.takes_document(value) {
                    self.documents.insert(name.index());
                }
            }
            Node::Cycle(cycle) => {
                cycle.values.iter().for_each(|value| self.literal(value));
                print(states, &VALUE.to_string());
            }
            Node::Count { .. } => print(states, &VALUE.to_string()),
            Node::Call(call) => self.call(call, states),
            Node::Guard(_) | Node::Break | Node::Continue | Node::Refused(_) => {}
        }
    }

    fn branches<'b>(&mut self, bodies: impl Iterator<Item = &'b Block>, has_else: bool, states: &mut Vec<State>) {
        let entry = states.clone();
        let mut ends = if has_else { Vec::new() } else { entry.clone() };
        for body in bodies {
            let mut end = entry.clone();
            self.block(body, &mut end);
            join(&mut ends, end);
        }
        *states = ends;
    }

    /// The body of a loop, which may run any number of times.
    fn repeated(&mut self, body: &Block, states: &mut Vec<State>) {
        let entry = states.clone();
        for round in 0..MOST_ROUNDS {
            let before = states.clone();
            let mut end = before.clone();
            self.block(body, &mut end);
            join(states, end);
            let is_last = self.steps > MOST_STEPS;
            if round > 0 || is_last {
                for state in &mut *states {
                    state.forget(&entry);
                }
            }
            if is_last || *states == before {
                return;
            }
        }
    }

    fn call(&mut self, call: &Call, states: &mut Vec<State>) {
        for (name, value) in &call.parameters {
            self.literal(value);
            if self.holds_document(value) {
                self.documents.insert(name.index());
            }
        }
        // In a site the name of a partial is written out.
        let (program, Target::Partial(number)) = (self.program, &call.target) else { return };
        let Some(partial) = program.partials.get(*number as usize).filter(|_| self.depth < DEEPEST) else {
            return;
        };
        let each = call.subject.as_ref().is_some_and(|subject| subject.each);
        let alike = |known: &&Called| known.number == *number && known.each == each && known.from == *states;
        if let Some(known) = self.called.iter().find(alike) {
            states.clone_from(&known.to);
            return;
        }
        // Who calls itself, which does not load, ends where it began.
        let called = self.called.len();
        self.called.push(Called { number: *number, each, from: states.clone(), to: states.clone() });
        self.depth += 1;
        if each {
            self.repeated(&partial.body, states);
        } else {
            self.block(&partial.body, states);
        }
        self.depth -= 1;
        if let Some(called) = self.called.get_mut(called) {
            called.to.clone_from(states);
        }
    }

    fn output(&mut self, output: &Output, states: &mut [State]) {
        let chain = &output.chain;
        let is_raw = output.sink == Sink::Plain || chain.filters.last().is_some_and(|call| call.filter.name == "raw");
        if chain.filters.iter().any(|call| call.filter.name == "markdownify") {
            self.needs.of_requests = self.needs.of_requests.max(Markup::Cleaned);
        }
        let hole = self.hole(chain);
        self.code_in(chain);
        self.prints_document |= self.takes_document(chain);
        if states.iter().any(State::is_text) {
            self.literals(chain);
            match hole.chars().next().and_then(holes::path) {
                Some(index) if is_raw => {
                    self.needs.printed_raw.insert(index);
                }
                _ if is_raw && hole.contains(VALUE) && !self.is_content(chain) => self.needs.of_requests = Markup::Raw,
                _ => {}
            }
        }
        print(states, &hole);
    }

    /// Notes which inline code a variable holds.
    fn hold(&mut self, name: usize, code: Vec<Inline>) {
        let held = self.captured.entry(name).or_default();
        for inline in code {
            if held.len() < MOST_OBSTACLES && !held.contains(&inline) {
                held.push(inline);
            }
        }
    }

    /// The inline code in the variable that a chain begins with. If a filter changes the text of markup, its digest is that of another.
    fn code_in(&mut self, chain: &Chain) -> Vec<Inline> {
        let Operand::Path(path) = &chain.value else { return Vec::new() };
        let Base::Name(name) = path.base else { return Vec::new() };
        let Some(code) = self.captured.get(&name.index()).filter(|_| path.steps.is_empty()).cloned() else {
            return Vec::new();
        };
        if changes_code(chain) {
            for (kind, spot) in &code {
                self.needs.hold_up(*kind, spot);
            }
        }
        code
    }

    /// Whether a chain begins with the document that the layout shows. A filter that changes it is noted.
    fn takes_document(&mut self, chain: &Chain) -> bool {
        let takes = self.holds_document(&chain.value);
        self.needs.changes_content |= takes && changes_code(chain);
        takes
    }

    fn holds_document(&self, operand: &Operand) -> bool {
        let Operand::Path(path) = operand else { return false };
        path.steps.is_empty() && matches!(path.base, Base::Name(name) if self.documents.contains(&name.index()))
    }

    /// Whether a chain prints what the layout is around, which was followed before.
    fn is_content(&self, chain: &Chain) -> bool {
        let Operand::Path(path) = &chain.value else { return false };
        path.steps.is_empty() && matches!(path.base, Base::Name(name) if self.program.content == Some(name))
    }

    /// What stands for what a chain prints.
    fn hole(&mut self, chain: &Chain) -> String {
        let mut filters = chain.filters.iter().map(|call| call.filter.name).filter(|name| *name != "raw");
        let filter = (filters.next(), filters.next());
        match (&chain.value, filter) {
            (Operand::Text(text), (None, _)) => text.to_string(),
            (Operand::Text(text), (Some("relative_url"), None)) if text.starts_with('/') => text.to_string(),
            (Operand::Text(text), (Some("relative_url"), None)) if !text.is_empty() && !text.contains(':') => {
                format!("/{text}")
            }
            (Operand::Text(text), (Some("absolute_url"), None)) if !text.contains("//") => SITE.to_string(),
            (Operand::Path(path), (None, _)) => {
                let Base::Name(name) = path.base else { return VALUE.to_string() };
                let root = self.program.names.get(name.index()).map(ToString::to_string);
                let key = |step: &Step| match step {
                    Step::Key { key, .. } => Some(key.to_string()),
                    Step::Index(_) | Step::Computed(_) => None,
                };
                let keys: Option<Vec<String>> = path.steps.iter().map(key).collect();
                let (Some(root), Some(keys)) = (root, keys) else { return VALUE.to_string() };
                match (root.as_str(), keys.as_slice()) {
                    ("site", [key]) if key == "url" => SITE.to_string(),
                    ("site" | "vars", [_, ..]) => {
                        let path = std::iter::once(root).chain(keys).collect();
                        of_path(self.needs.path(path)).to_string()
                    }
                    _ => VALUE.to_string(),
                }
            }
            _ => VALUE.to_string(),
        }
    }

    /// The strings in a chain that may be printed somewhere.
    fn literals(&mut self, chain: &Chain) {
        self.literal(&chain.value);
        chain.filters.iter().flat_map(|call| &call.arguments).for_each(|argument| self.literal(argument));
    }

    /// A string of the layout that may be printed somewhere: whatever it holds is authored markup, unless it is a piece of a tag.
    fn literal(&mut self, operand: &Operand) {
        if let Operand::Text(text) = operand
            && text.contains('<')
            && operand.piece().is_none()
        {
            self.needs.follow(&mut vec![self.start()], text, None, 0);
        }
    }
}

/// Whether a chain gives markup whose inline code is not what it was.
fn changes_code(chain: &Chain) -> bool {
    let escapes = |call: &FilterCall| {
        call.filter.effect == Effect::Text || matches!(call.filter.name, "escape" | "escape_once" | "h" | "xml_escape")
    };
    !chain.filters.iter().any(escapes) && chain.filters.iter().any(|call| changes_within(call.filter))
}

/// Whether a filter that leaves markup as markup may change what stands between its tags.
fn changes_within(filter: &Filter) -> bool {
    matches!(filter.effect, Effect::Keeps | Effect::Exchanges)
        && !matches!(filter.name, "append" | "lstrip" | "prepend" | "rstrip" | "strip")
}

fn print(states: &mut [State], hole: &str) {
    for state in states {
        state.print(hole);
    }
}
