//! What a template needs: its literal parts in the order in which they are printed, on all ways through its branches.

use super::collect::{State, join};
use super::holes::{self, VALUE};
use super::ways::{Texts, Variables, any};
use super::{Inline, MOST_OBSTACLES, Markup, Needs, is_shown};
use crate::render::escape::Sink;
use crate::render::filter::{Effect, Filter};
use crate::render::program::Program;
use crate::render::tree::{Base, Block, Call, Chain, FilterCall, NameId, Node, Operand, Output, Target};
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
        variables: Variables::default(),
        left: None,
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
            walk.variables = Variables::default();
            walk.block(&stage.body, &mut vec![walk.start()]);
        }
    }
    if !walk.is_shown {
        walk.needs.obstacles.clear();
    }
    walk.needs
}

pub(super) struct Walk<'p> {
    pub(super) program: &'p Program,
    pub(super) needs: Needs,
    /// What the variables may hold here.
    pub(super) variables: Variables,
    /// The same where the loop at hand was left or begun anew.
    left: Option<Variables>,
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
    from: (Vec<State>, Variables),
    to: (Vec<State>, Variables),
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
                self.looped(node.variable, &node.body, states);
                if let Some(otherwise) = &node.otherwise {
                    self.branches(std::iter::once(otherwise), false, states);
                }
            }
            Node::TableRow(node) => self.looped(node.variable, &node.body, states),
            Node::IfChanged { body, .. } => self.branches(std::iter::once(body), false, states),
            Node::Capture { name, body, .. } => {
                let texts = self.captured(body);
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
                self.variables.set(*name, texts);
            }
            Node::Assign { name, value, .. } => {
                self.literals(value);
                let code = self.code_in(value);
                self.hold(name.index(), code);
                if self.takes_document(value) {
                    self.documents.insert(name.index());
                }
                let texts = self.texts(value);
                self.variables.set(*name, texts);
            }
            Node::Cycle(cycle) => {
                cycle.values.iter().for_each(|value| self.literal(value));
                print(states, &any());
            }
            Node::Count { .. } => print(states, &any()),
            Node::Call(call) => self.call(call, states),
            Node::Break | Node::Continue => match &mut self.left {
                Some(left) => left.join(&self.variables),
                None => self.left = Some(self.variables.clone()),
            },
            Node::Guard(_) | Node::Refused(_) => {}
        }
    }

    fn branches<'b>(&mut self, bodies: impl Iterator<Item = &'b Block>, has_else: bool, states: &mut Vec<State>) {
        let entry = states.clone();
        let variables = self.variables.clone();
        let mut ends = if has_else { Vec::new() } else { entry.clone() };
        let mut held = (!has_else).then(|| variables.clone());
        for body in bodies {
            let mut end = entry.clone();
            self.variables.clone_from(&variables);
            self.block(body, &mut end);
            join(&mut ends, end);
            match &mut held {
                Some(held) => held.join(&self.variables),
                None => held = Some(self.variables.clone()),
            }
        }
        self.variables = held.unwrap_or(variables);
        *states = ends;
    }

    /// The body of a loop whose variable may be anything.
    fn looped(&mut self, variable: NameId, body: &Block, states: &mut Vec<State>) {
        let hidden = self.variables.bind(variable, any());
        self.repeated(body, states);
        self.variables.unbind(variable, hidden);
    }

    /// The body of a loop, which may run any number of times.
    fn repeated(&mut self, body: &Block, states: &mut Vec<State>) {
        let entry = states.clone();
        let outer = self.left.take();
        for round in 1..=MOST_ROUNDS {
            let before = (states.clone(), self.variables.clone());
            let mut end = before.0.clone();
            self.block(body, &mut end);
            join(states, end);
            self.variables.join(&before.1);
            if let Some(left) = self.left.take() {
                self.variables.join(&left);
            }
            let is_last = self.steps > MOST_STEPS || round == MOST_ROUNDS;
            if round > 1 || is_last {
                for state in &mut *states {
                    state.forget(&entry);
                }
            }
            if *states == before.0 && self.variables == before.1 {
                break;
            }
            if is_last {
                self.variables.forget();
                break;
            }
        }
        self.left = outer;
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
        let parameters = self.parameters(call);
        if call.isolated {
            let mut inner = Variables::default();
            for (name, texts) in parameters {
                inner.set(name, texts);
            }
            let outer = (std::mem::replace(&mut self.variables, inner), self.left.take());
            self.partial(*number, &partial.body, call, states);
            (self.variables, self.left) = outer;
            return;
        }
        let hidden: Vec<_> =
            parameters.into_iter().map(|(name, texts)| (name, self.variables.bind(name, texts))).collect();
        self.partial(*number, &partial.body, call, states);
        for (name, before) in hidden.into_iter().rev() {
            self.variables.unbind(name, before);
        }
    }

    /// What a partial is called with.
    fn parameters(&mut self, call: &Call) -> Vec<(NameId, Texts)> {
        // Calls are told apart no more where there are too many.
        let is_told = self.steps <= MOST_STEPS;
        if !is_told {
            self.variables.forget();
        }
        let given = call.parameters.iter().map(|(name, value)| (*name, Some(value).filter(|_| is_told)));
        let subject = call.subject.as_ref().and_then(|subject| {
            let value = Some(&subject.value).filter(|_| is_told && !subject.each);
            subject.name.map(|name| (name, value))
        });
        given.chain(subject).map(|(name, value)| (name, value.map_or_else(any, |value| self.operand(value)))).collect()
    }

    fn partial(&mut self, number: u32, body: &Block, call: &Call, states: &mut Vec<State>) {
        let each = call.subject.as_ref().is_some_and(|subject| subject.each);
        let from = (states.clone(), self.variables.clone());
        let alike = |known: &&Called| known.number == number && known.each == each && known.from == from;
        if let Some(known) = self.called.iter().find(alike) {
            (*states, self.variables) = known.to.clone();
            return;
        }
        // Who calls itself, which does not load, ends where it began.
        let called = self.called.len();
        self.called.push(Called { number, each, to: from.clone(), from });
        self.depth += 1;
        if each {
            self.repeated(body, states);
        } else {
            self.block(body, states);
        }
        self.depth -= 1;
        if let Some(called) = self.called.get_mut(called) {
            called.to = (states.clone(), self.variables.clone());
        }
    }

    fn output(&mut self, output: &Output, states: &mut [State]) {
        let chain = &output.chain;
        let is_raw = output.sink == Sink::Plain || chain.filters.last().is_some_and(|call| call.filter.name == "raw");
        if chain.filters.iter().any(|call| call.filter.name == "markdownify") {
            self.needs.of_requests = self.needs.of_requests.max(Markup::Cleaned);
        }
        let texts = self.texts(chain);
        self.code_in(chain);
        self.prints_document |= self.takes_document(chain);
        if states.iter().any(State::is_text) {
            self.literals(chain);
            if is_raw && !self.is_content(chain) {
                self.printed_raw(chain, &texts);
            }
        }
        print(states, &texts);
    }

    /// Notes what a chain prints as the markup that it is.
    fn printed_raw(&mut self, chain: &Chain, texts: &Texts) {
        let is_written = matches!(chain.value, Operand::Text(_));
        for text in &**texts {
            match text.chars().next().and_then(holes::path) {
                Some(index) => {
                    self.needs.printed_raw.insert(index);
                }
                // A piece of a tag that a variable holds may be the beginning of anything.
                None if text.contains(VALUE) || (!is_written && text.contains('<')) => {
                    self.needs.of_requests = Markup::Raw;
                }
                None => {}
            }
        }
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

fn print(states: &mut [State], texts: &[String]) {
    for state in states {
        state.print(texts);
    }
}
