//! What a template needs: its literal parts in the order in which they are printed, on all ways through its branches.

use super::collect::{State, join};
use super::holes::{self, SITE, VALUE};
use super::{Markup, Needs, holes::of_path, is_shown};
use crate::render::escape::Sink;
use crate::render::program::Program;
use crate::render::tree::{Base, Block, Call, Chain, Node, Operand, Output, Step, Target};

/// Partials within partials. Circles do not load.
const DEEPEST: usize = 32;
/// So often a loop's body is followed until nothing new comes of it.
const MOST_ROUNDS: usize = 4;

/// What a layout needs, with the layouts around it and its partials, if it makes markup.
pub(in super::super) fn of_program(program: &Program, extension: &str) -> Needs {
    let xml = extension == "xml";
    let mut walk = Walk { program, needs: Needs::default(), called: Vec::new(), depth: 0, xml, is_shown: !xml };
    if xml || extension == "html" {
        for stage in &program.stages {
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
    depth: usize,
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
        match node {
            Node::Text(text, place) => {
                self.is_shown = self.is_shown || is_shown(text);
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
            Node::Capture { body, .. } => self.block(body, &mut vec![self.start()]),
            Node::Assign { value, .. } => self.literals(value),
            Node::Cycle(cycle) => {
                cycle.values.iter().for_each(|value| self.literal(value));
                print(states, &VALUE.to_string());
            }
            Node::Count { .. } => print(states, &VALUE.to_string()),
            Node::Call(call) => self.call(call, states),
            Node::Break | Node::Continue | Node::Refused(_) => {}
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
            if round > 0 {
                for state in &mut *states {
                    state.forget(&entry);
                }
            }
            if *states == before {
                return;
            }
        }
    }

    fn call(&mut self, call: &Call, states: &mut Vec<State>) {
        call.parameters.iter().for_each(|(_, value)| self.literal(value));
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

fn print(states: &mut [State], hole: &str) {
    for state in states {
        state.print(hole);
    }
}
