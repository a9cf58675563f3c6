//! What a program reads: which paths below which roots, followed through variables, loops, filters and partials.
//!
//! An abstract run. Instead of a value, every expression yields the paths it may be a part of ([`Paths`]); what is printed,
//! compared or given to a filter is read whole, what is only walked through is read in part. Where the program branches the
//! possibilities are united, and loops and partials are gone through until nothing new appears, so that nothing that can be
//! read is missed. In doubt more is said than is read, never less.

use super::callers::{Caller, Callers};
use super::code;
use super::filter;
use super::program::Program;
use super::tree::{
    Asked, Base, Block, Call, Chain, Command, FilterCall, For, Group, NameId, Node, Offset, Operand, Over, Path, Step,
    Target, Terms,
};
use crate::diagnostic::{FileId, Finding, Findings, Place};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Longer paths are read whole at this length.
const LONGEST: usize = 12;
/// More possibilities than this are united to their roots.
const MOST: usize = 64;
/// Rounds before everything is taken to be read whole.
const ROUNDS: usize = 16;

/// A first word that is read from the data.
#[derive(Debug, Clone)]
pub struct Root {
    /// The word.
    pub name: Arc<str>,
    /// Where it is read first.
    pub place: Place,
    /// Whether it surely means data. A name that the layout itself sets on some ways but not on all is read from the data on
    /// the others; when there is no such data it is `null`, and that is no mistake.
    pub certain: bool,
}

/// A path that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Which of [`super::Layout::roots`] it begins at.
    pub root: usize,
    /// What follows the root.
    pub segments: Vec<Segment>,
    /// Where it is read first.
    pub place: Place,
    /// Whether the value is used with everything below it; else only whether it exists, its length or its order matter.
    pub whole: bool,
    /// The calls that lead there, if it is read in a partial; the nearest first.
    pub callers: Box<[Caller]>,
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// The member of this name.
    Key(Arc<str>),
    /// The item at this place, from the end if negative.
    Index(i64),
    /// Any item or member: those a loop goes through, and keys known only at run time.
    Any,
    /// `size`: the member of this name if there is one, else the length.
    Size,
    /// `first`: the member of this name if there is one, else the first item.
    First,
    /// `last`: the member of this name if there is one, else the last item.
    Last,
}

/// How often a layout that prints the present time has to be rendered for that to be true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Granularity {
    /// Only the year is printed, or nothing that changes.
    Year,
    /// The month is printed.
    Month,
    /// The date is printed.
    Day,
    /// Hours are printed.
    Hour,
    /// Minutes are printed.
    Minute,
    /// Seconds are printed, or it is not known what is.
    Second,
}

/// What was found out about a program.
#[derive(Debug, Default)]
pub(super) struct Analysis {
    pub(super) roots: Vec<Root>,
    pub(super) root_names: Vec<NameId>,
    pub(super) reads: Vec<Read>,
    pub(super) now: Option<Granularity>,
    /// Whether data may ask for the time, too.
    pub(super) data_asks: bool,
    /// The first word of each path whose name or first key is computed.
    pub(super) computed: Vec<(Option<Arc<str>>, Place)>,
    /// What `| raw` keeps from being escaped: the tag or output, and the positions of the roots that it may be made of.
    pub(super) raw: Vec<(Place, Vec<usize>)>,
}

/// First words whose members are named by the author, never computed.
const SCOPES: [&str; 10] = ["params", "query", "cookies", "form", "request", "user", "site", "page", "vars", "env"];

impl Analysis {
    /// Findings for look-ups whose name is known only at request time.
    pub(super) fn refused_lookups(&self) -> Findings {
        let mut findings = Findings::default();
        for (scope, place) in &self.computed {
            let message = match scope {
                None => "the first word of a path is not computed".to_owned(),
                Some(scope) if SCOPES.contains(&&**scope) => format!("a member of `{scope}` is not computed"),
                Some(_) => continue,
            };
            let help = "write the name out: what is read is known before it is requested";
            findings.push(Finding::new(&code::DYNAMIC_LOOKUP, *place, message).help(help));
        }
        findings
    }

    /// Every name may be data, and any time may be asked for.
    pub(super) fn of_everything(program: &Program) -> Self {
        let place = Place::new(program.file, 0..0);
        let roots = program.names.iter().map(|name| Root { name: Arc::clone(name), place, certain: false });
        let ids = (0..program.names.len()).filter_map(|id| u32::try_from(id).ok()).map(NameId);
        Self {
            roots: roots.collect(),
            root_names: ids.collect(),
            now: Some(Granularity::Second),
            data_asks: true,
            ..Self::default()
        }
    }
}

/// The paths that a value may be part of; none for a value that is made.
type Paths = BTreeSet<(NameId, Vec<Segment>)>;

/// What is known of a variable at a point.
#[derive(Debug, Clone, Default, PartialEq)]
struct Var {
    /// Bound by a loop or a parameter of `include`.
    bound: Option<Paths>,
    /// Not on every way.
    bound_maybe: bool,
    /// Set by a tag.
    set: Option<Paths>,
    /// Set on every way.
    set_surely: bool,
}

impl Var {
    /// What is known where two ways meet.
    fn join(&mut self, other: &Self) {
        self.bound_maybe |= other.bound_maybe || self.bound.is_some() != other.bound.is_some();
        unite(&mut self.bound, other.bound.as_ref());
        unite(&mut self.set, other.set.as_ref());
        self.set_surely &= other.set_surely;
    }
}

fn unite(into: &mut Option<Paths>, other: Option<&Paths>) {
    if let Some(other) = other {
        into.get_or_insert_default().extend(other.iter().cloned());
    }
}

type Vars = BTreeMap<NameId, Var>;

fn join(into: &mut Vars, other: &Vars) {
    for (name, var) in other {
        into.entry(*name).or_default().join(var);
    }
    for (name, var) in into.iter_mut() {
        if !other.contains_key(name) {
            var.join(&Var::default());
        }
    }
}

struct Walk<'p> {
    program: &'p Program,
    vars: Vars,
    /// Everything that any tag sets a name to, on any way.
    ever_set: BTreeMap<NameId, Paths>,
    /// The variables each partial may be called with.
    entries: HashMap<u32, Vars>,
    /// The names that each partial surely sets.
    exits: HashMap<u32, BTreeSet<NameId>>,
    /// The names that each partial may set.
    sets: HashMap<u32, BTreeSet<NameId>>,
    setting: BTreeSet<NameId>,
    reads: BTreeMap<(NameId, Vec<Segment>), (Place, bool)>,
    callers: Callers,
    roots: BTreeMap<NameId, (Place, bool)>,
    order: Vec<NameId>,
    computed: BTreeMap<u32, (Option<Arc<str>>, Place)>,
    now: Option<Granularity>,
    /// The roots that went into what filters made, by the names that were set to it.
    made: BTreeMap<NameId, BTreeSet<NameId>>,
    /// The roots that go into each `| raw`.
    raw: Vec<(Place, BTreeSet<NameId>)>,
    changed: bool,
}

/// Analyses a program whose names are not slots yet.
pub(super) fn analyse(program: &Program) -> Analysis {
    let mut walk = Walk::new(program);
    walk.changed = true;
    let mut rounds = 0;
    while walk.changed && rounds < ROUNDS {
        walk.changed = false;
        rounds += 1;
        walk.stages();
    }
    if walk.changed {
        walk.read_everything();
    }
    walk.finish()
}

/// The analysis of a condition on its own.
pub(super) fn analyse_condition(program: &Program, terms: &Terms) -> Analysis {
    let mut walk = Walk::new(program);
    walk.terms(terms);
    walk.finish()
}

impl<'p> Walk<'p> {
    fn new(program: &'p Program) -> Self {
        Self {
            program,
            vars: Vars::new(),
            ever_set: BTreeMap::new(),
            entries: HashMap::new(),
            exits: HashMap::new(),
            sets: HashMap::new(),
            setting: BTreeSet::new(),
            reads: BTreeMap::new(),
            callers: Callers::default(),
            roots: BTreeMap::new(),
            order: Vec::new(),
            computed: BTreeMap::new(),
            now: None,
            made: BTreeMap::new(),
            raw: Vec::new(),
            changed: false,
        }
    }

    fn stages(&mut self) {
        for (number, stage) in self.program.stages.iter().enumerate() {
            self.vars.clear();
            if let Some(content) = self.program.content.filter(|_| number > 0) {
                self.bind(content, Some(Paths::new()));
            }
            self.block(&stage.body);
        }
        for (number, partial) in self.program.partials.iter().enumerate() {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            let Some(entry) = self.entries.get(&number) else { continue };
            self.vars.clone_from(entry);
            self.setting.clear();
            self.block(&partial.body);
            let surely = |var: &Var| var.set_surely;
            let exit: BTreeSet<NameId> =
                self.vars.iter().filter(|(_, var)| surely(var)).map(|(name, _)| *name).collect();
            let sets = std::mem::take(&mut self.setting);
            self.changed |= self.exits.insert(number, exit.clone()) != Some(exit);
            self.changed |= self.sets.insert(number, sets.clone()) != Some(sets);
        }
    }

    fn finish(self) -> Analysis {
        let slot = |name: &NameId| self.order.iter().position(|root| root == name);
        let roots = self.order.iter().map(|name| {
            let (place, certain) =
                self.roots.get(name).copied().unwrap_or_else(|| (Place::new(self.program.file, 0..0), false));
            Root { name: self.program.names.get(name.index()).cloned().unwrap_or_else(|| "".into()), place, certain }
        });
        let raw =
            self.raw.iter().map(|(place, roots)| (*place, roots.iter().filter_map(slot).collect::<Vec<_>>())).collect();
        let reads = self.reads.iter().filter_map(|(path, (place, whole))| {
            let callers = self.callers.of(path, *place);
            Some(Read { root: slot(&path.0)?, segments: path.1.clone(), place: *place, whole: *whole, callers })
        });
        Analysis {
            roots: roots.collect(),
            reads: reads.collect(),
            now: self.now,
            data_asks: false,
            computed: self.computed.into_values().collect(),
            root_names: self.order.clone(),
            raw,
        }
    }

    /// The last resort: every root, whole.
    fn read_everything(&mut self) {
        for (name, (place, _)) in self.roots.clone() {
            self.record(name, Vec::new(), true, place);
        }
    }

    fn record(&mut self, root: NameId, segments: Vec<Segment>, whole: bool, place: Place) {
        let read = self.reads.entry((root, segments)).or_insert((place, whole));
        read.1 |= whole;
    }

    /// The value at `paths` is used.
    fn used(&mut self, paths: &Paths, whole: bool, place: Place) {
        for (root, segments) in paths {
            self.record(*root, segments.clone(), whole, place);
        }
    }

    // Variables

    fn bind(&mut self, name: NameId, paths: Option<Paths>) -> (Option<Paths>, bool) {
        let var = self.vars.entry(name).or_default();
        (std::mem::replace(&mut var.bound, paths), std::mem::replace(&mut var.bound_maybe, false))
    }

    fn unbind(&mut self, name: NameId, (paths, maybe): (Option<Paths>, bool)) {
        let var = self.vars.entry(name).or_default();
        (var.bound, var.bound_maybe) = (paths, maybe);
    }

    fn set(&mut self, name: NameId, paths: Paths) {
        self.setting.insert(name);
        let ever = self.ever_set.entry(name).or_default();
        let before = ever.len();
        ever.extend(paths.iter().cloned());
        self.changed |= ever.len() != before;
        let var = self.vars.entry(name).or_default();
        var.set = Some(paths);
        var.set_surely = true;
    }

    /// What a name may mean here.
    fn name(&mut self, name: NameId, place: Place) -> Paths {
        let var = self.vars.get(&name).cloned().unwrap_or_default();
        let mut paths = var.bound.clone().unwrap_or_default();
        if var.bound.is_some() && !var.bound_maybe {
            return paths;
        }
        paths.extend(var.set.clone().unwrap_or_default());
        if !var.set_surely {
            let certain = var.set.is_none() && var.bound.is_none();
            if !self.roots.contains_key(&name) {
                self.order.push(name);
            }
            let root = self.roots.entry(name).or_insert((place, certain));
            root.1 |= certain;
            paths.insert((name, Vec::new()));
        }
        paths
    }

    // Expressions

    fn step(&mut self, paths: &Paths, segment: &Segment, place: Place) -> Paths {
        let mut out = Paths::new();
        for (root, segments) in paths {
            let mut segments = segments.clone();
            if segments.len() >= LONGEST {
                self.record(*root, segments.clone(), true, place);
            } else {
                segments.push(segment.clone());
            }
            out.insert((*root, segments));
        }
        if out.len() > MOST {
            let roots: Paths = out.iter().map(|(root, _)| (*root, Vec::new())).collect();
            self.used(&roots, true, place);
            return roots;
        }
        out
    }

    fn path(&mut self, path: &Path) -> Paths {
        let mut paths = match &path.base {
            Base::Name(name) => self.name(*name, path.place),
            Base::Computed(operand) => {
                self.whole(operand, path.place);
                self.computed.insert(path.place.start, (None, path.place));
                Paths::new()
            }
        };
        for (at, step) in path.steps.iter().enumerate() {
            let segment = match step {
                Step::Key { command: Some(Command::Size), .. } => Segment::Size,
                Step::Key { command: Some(Command::First), .. } => Segment::First,
                Step::Key { command: Some(Command::Last), .. } => Segment::Last,
                Step::Key { key, command: None, .. } => Segment::Key(Arc::clone(key)),
                Step::Index(index) => Segment::Index(*index),
                Step::Computed(operand) => {
                    self.whole(operand, path.place);
                    self.computed_key(&paths, at, path.place);
                    Segment::Any
                }
            };
            paths = self.step(&paths, &segment, path.place);
        }
        paths
    }

    /// Notes a computed key directly below a root.
    fn computed_key(&mut self, paths: &Paths, at: usize, place: Place) {
        for (root, segments) in paths {
            let scope = match segments.as_slice() {
                [] => true,
                [Segment::Key(key)] => &**key == "headers",
                _ => false,
            };
            if scope && at <= 1 {
                let name = self.program.names.get(root.index()).cloned();
                self.computed.insert(place.start, (name, place));
            }
        }
    }

    fn operand(&mut self, operand: &Operand) -> Paths {
        match operand {
            Operand::Path(path) => self.path(path),
            Operand::Range(ends) => {
                for end in [&ends.0, &ends.1] {
                    self.whole_anywhere(end);
                }
                Paths::new()
            }
            Operand::Text(text) => {
                if is_now(text) {
                    self.now = Some(Granularity::Second);
                }
                Paths::new()
            }
            Operand::Nil | Operand::Bool(_) | Operand::Int(_) | Operand::Float(_) => Paths::new(),
            Operand::Empty | Operand::Blank => Paths::new(),
        }
    }

    fn whole(&mut self, operand: &Operand, place: Place) {
        let paths = self.operand(operand);
        let place = place_of(operand).unwrap_or(place);
        self.used(&paths, true, place);
    }

    fn whole_anywhere(&mut self, operand: &Operand) {
        let place = place_of(operand).unwrap_or_else(|| Place::new(self.program.file, 0..0));
        self.whole(operand, place);
    }

    fn chain(&mut self, chain: &Chain, place: Place) -> Paths {
        if let Some(granularity) = dated(chain) {
            self.now = self.now.max(Some(granularity));
            return Paths::new();
        }
        let mut paths = self.operand(&chain.value);
        for call in &chain.filters {
            paths = self.filter(paths, call, place);
        }
        paths
    }

    /// The roots that a value may be made of, those that went into a variable before among them.
    fn ingredients(&mut self, operand: &Operand) -> BTreeSet<NameId> {
        let Operand::Path(path) = operand else { return BTreeSet::new() };
        let mut roots: BTreeSet<NameId> = self.path(path).into_iter().map(|(root, _)| root).collect();
        if let Base::Name(name) = path.base {
            roots.extend(self.made.get(&name).into_iter().flatten());
        }
        roots
    }

    fn ingredients_of(&mut self, chain: &Chain) -> BTreeSet<NameId> {
        let mut roots = self.ingredients(&chain.value);
        for call in &chain.filters {
            for operand in call.arguments.iter().chain(call.named.iter().map(|(_, operand)| operand)) {
                roots.extend(self.ingredients(operand));
            }
        }
        roots
    }

    /// A name is given what these roots went into.
    fn made_of(&mut self, name: NameId, roots: BTreeSet<NameId>) {
        let made = self.made.entry(name).or_default();
        let before = made.len();
        made.extend(roots);
        self.changed |= made.len() != before;
    }

    /// Notes the roots that a chain keeps from being escaped, or makes a part of the address of a script.
    fn note_raw(&mut self, chain: &Chain, place: Place) {
        if chain.filters.iter().any(|call| call.filter.name == "raw") || self.program.scripts.contains(&place) {
            let roots = self.ingredients_of(chain);
            match self.raw.iter_mut().find(|(known, _)| *known == place) {
                Some((_, known)) => known.extend(roots),
                None => self.raw.push((place, roots)),
            }
        }
    }

    /// What a filter's result is part of, when its input is part of `paths`.
    fn filter(&mut self, input: Paths, call: &FilterCall, place: Place) -> Paths {
        let items = |walk: &mut Self, paths: &Paths| walk.step(paths, &Segment::Any, place);
        match call.filter.name {
            name if call.each.is_some() => self.each(name, input, call, place),
            "default" => {
                self.used(&input, false, place);
                let mut paths = input;
                for operand in &call.arguments {
                    paths.extend(self.operand(operand));
                }
                for (_, operand) in &call.named {
                    self.whole(operand, place);
                }
                paths
            }
            "size" => {
                self.used(&input, false, place);
                Paths::new()
            }
            "first" => self.step(&input, &Segment::First, place),
            "last" => self.step(&input, &Segment::Last, place),
            "reverse" => {
                self.used(&input, false, place);
                input
            }
            name @ ("where" | "reject" | "find" | "find_index" | "has" | "sort" | "sort_natural" | "map") => {
                self.used(&input, false, place);
                let inner = items(self, &input);
                for operand in call.arguments.iter().skip(1) {
                    self.whole(operand, place);
                }
                let by = match call.arguments.first() {
                    Some(Operand::Text(key)) => self.step(&inner, &Segment::Key(Arc::from(&**key)), place),
                    Some(operand) => {
                        self.whole(operand, place);
                        inner.clone()
                    }
                    None => inner.clone(),
                };
                self.used(&by, true, place);
                match name {
                    "find" => inner,
                    "find_index" | "has" | "map" => Paths::new(),
                    _ => input,
                }
            }
            _ => {
                self.used(&input, true, place);
                for operand in call.arguments.iter().chain(call.named.iter().map(|(_, operand)| operand)) {
                    self.whole(operand, place);
                }
                Paths::new()
            }
        }
    }

    /// The same for a filter that asks an expression about each item.
    fn each(&mut self, name: &str, input: Paths, call: &FilterCall, place: Place) -> Paths {
        let Some(each) = &call.each else { return input };
        self.used(&input, false, place);
        let items = self.step(&input, &Segment::Any, place);
        let outer = self.bind(each.variable, Some(items.clone()));
        match &each.asked {
            Asked::Condition(terms) => self.terms(terms),
            Asked::Value(chain) => {
                let paths = self.chain(chain, place);
                self.used(&paths, true, place);
            }
        }
        self.unbind(each.variable, outer);
        match name {
            "where_exp" => input,
            "find_exp" => items,
            _ => {
                // Groups are new objects, with the items in them.
                self.used(&input, true, place);
                Paths::new()
            }
        }
    }

    fn terms(&mut self, terms: &Terms) {
        for (term, _) in &terms.0 {
            let left = self.operand(&term.left);
            self.used(&left, term.right.is_some(), term.place);
            if let Some((_, right)) = &term.right {
                self.whole(right, term.place);
            }
        }
    }

    // Nodes

    fn block(&mut self, block: &'p Block) {
        for node in &block.nodes {
            self.node(node);
        }
    }

    fn node(&mut self, node: &'p Node) {
        match node {
            Node::Text(..) | Node::Guard(_) | Node::Break | Node::Continue | Node::Refused(_) => {}
            Node::Output(output) => {
                self.note_raw(&output.chain, output.place);
                let paths = self.chain(&output.chain, output.place);
                let place = place_of(&output.chain.value).unwrap_or(output.place);
                self.used(&paths, true, place);
            }
            Node::If(branches) => {
                let mut ends: Vec<Vars> = Vec::new();
                let mut complete = false;
                for branch in branches {
                    match &branch.condition {
                        Some(terms) => self.terms(terms),
                        None => complete = true,
                    }
                    let before = self.vars.clone();
                    self.block(&branch.body);
                    ends.push(std::mem::replace(&mut self.vars, before));
                }
                self.meet(ends, complete);
            }
            Node::Case(case) => {
                let place = place_of(&case.subject).unwrap_or_else(|| Place::new(self.program.file, 0..0));
                self.whole(&case.subject, place);
                for arm in &case.arms {
                    for operand in arm.values.iter().flatten() {
                        self.whole(operand, place);
                    }
                    // Several arms may run, one after another.
                    let before = self.vars.clone();
                    self.block(&arm.body);
                    join(&mut self.vars, &before);
                }
            }
            Node::For(node) => self.for_loop(node),
            Node::TableRow(node) => {
                if let Some(columns) = &node.columns {
                    self.whole(columns, node.place);
                }
                let roots = self.ingredients(&node.over.items);
                self.made_of(node.variable, roots);
                let items = self.over(&node.over, node.place);
                self.loop_body(node.variable, items, self.program.tablerowloop, &node.body);
            }
            Node::Assign { name, value, place } => {
                self.note_raw(value, *place);
                let roots = self.ingredients_of(value);
                self.made_of(*name, roots);
                let paths = self.chain(value, *place);
                // A filter that was given the whole value made something new of it; else it is still that value.
                self.set(*name, paths);
            }
            Node::Capture { name, body, .. } => {
                self.block(body);
                self.set(*name, Paths::new());
            }
            Node::Count { name, .. } => self.set(*name, Paths::new()),
            Node::Cycle(cycle) => {
                if let Group::Named(operand) = &cycle.group {
                    self.whole(operand, cycle.place);
                }
                for operand in &cycle.values {
                    self.whole(operand, cycle.place);
                }
            }
            Node::Call(call) => self.call(call),
            Node::IfChanged { body, .. } => {
                self.block(body);
            }
        }
    }

    /// Where branches meet; `complete` if one of them surely runs.
    fn meet(&mut self, ends: Vec<Vars>, complete: bool) {
        let mut ends = ends.into_iter();
        if complete && let Some(first) = ends.next() {
            self.vars = first;
        }
        for end in ends {
            join(&mut self.vars, &end);
        }
    }

    fn over(&mut self, over: &'p Over, place: Place) -> Paths {
        let list = self.operand(&over.items);
        let at = place_of(&over.items).unwrap_or(place);
        self.used(&list, false, at);
        if let Some(limit) = &over.limit {
            self.whole(limit, place);
        }
        if let Some(Offset::Value(offset)) = &over.offset {
            self.whole(offset, place);
        }
        self.step(&list, &Segment::Any, at)
    }

    fn for_loop(&mut self, node: &'p For) {
        let roots = self.ingredients(&node.over.items);
        self.made_of(node.variable, roots);
        let items = self.over(&node.over, node.place);
        if let Some(otherwise) = &node.otherwise {
            let before = self.vars.clone();
            self.block(otherwise);
            join(&mut self.vars, &before);
        }
        self.loop_body(node.variable, items, self.program.forloop, &node.body);
    }

    fn loop_body(&mut self, variable: NameId, items: Paths, itself: Option<NameId>, body: &'p Block) {
        let before = self.vars.clone();
        // What a run sets, the next one reads.
        let mut names = BTreeSet::new();
        self.sets_of(body, &mut names);
        for name in names {
            let paths = self.ever_set.get(&name).cloned().unwrap_or_default();
            unite(&mut self.vars.entry(name).or_default().set, Some(&paths));
        }
        let outer = self.bind(variable, Some(items));
        let outer_loop = itself.map(|name| (name, self.bind(name, Some(Paths::new()))));
        self.block(body);
        if let Some((name, outer)) = outer_loop {
            self.unbind(name, outer);
        }
        self.unbind(variable, outer);
        join(&mut self.vars, &before);
    }

    /// The names that a block sets, those of the partials it includes too.
    fn sets_of(&self, block: &Block, names: &mut BTreeSet<NameId>) {
        for node in &block.nodes {
            match node {
                Node::Assign { name, .. } | Node::Count { name, .. } => {
                    names.insert(*name);
                }
                Node::Capture { name, body, .. } => {
                    names.insert(*name);
                    self.sets_of(body, names);
                }
                Node::If(branches) => branches.iter().for_each(|branch| self.sets_of(&branch.body, names)),
                Node::Case(case) => case.arms.iter().for_each(|arm| self.sets_of(&arm.body, names)),
                Node::For(node) => {
                    self.sets_of(&node.body, names);
                    node.otherwise.iter().for_each(|block| self.sets_of(block, names));
                }
                Node::TableRow(node) => self.sets_of(&node.body, names),
                Node::IfChanged { body, .. } => self.sets_of(body, names),
                Node::Call(call) => {
                    if let (Target::Partial(partial), false) = (&call.target, call.isolated) {
                        names.extend(self.sets.get(partial).into_iter().flatten());
                    }
                }
                Node::Text(..) | Node::Output(_) | Node::Break | Node::Continue => {}
                Node::Cycle(_) | Node::Guard(_) | Node::Refused(_) => {}
            }
        }
    }

    fn call(&mut self, call: &'p Call) {
        // The name of a partial is written out wherever it matters what is read.
        let Target::Partial(partial) = call.target else { return };
        let file = self.program.partials.get(partial as usize).map(|partial| partial.file);
        if let Some(file) = file {
            self.callers.note_call(file, call.place);
        }
        let mut given: Vec<(NameId, Paths)> = Vec::new();
        for (name, operand) in &call.parameters {
            let roots = self.ingredients(operand);
            self.made_of(*name, roots);
            let paths = self.operand(operand);
            self.note_arguments(file, &paths, place_of(operand).unwrap_or(call.place));
            given.push((*name, paths));
        }
        if let Some(subject) = &call.subject {
            let roots = self.ingredients(&subject.value);
            if let Some(name) = subject.name {
                self.made_of(name, roots);
            }
            let mut paths = self.operand(&subject.value);
            self.used(&paths, false, call.place);
            // Either the value or, if it is a list, each of its items; `render … with` gives the value, whatever it is.
            if subject.each || !call.isolated {
                let items = self.step(&paths, &Segment::Any, call.place);
                paths.extend(items);
            }
            self.note_arguments(file, &paths, place_of(&subject.value).unwrap_or(call.place));
            given.extend(subject.name.map(|name| (name, paths)));
            if subject.each
                && let Some(forloop) = self.program.forloop.filter(|_| call.isolated)
            {
                given.push((forloop, Paths::new()));
            }
        }
        if call.isolated {
            let set = |paths| Var { set: Some(paths), set_surely: true, ..Var::default() };
            let entry: Vars = given.into_iter().map(|(name, paths)| (name, set(paths))).collect();
            self.enter(partial, entry);
            return;
        }
        let hidden: Vec<_> = given.into_iter().map(|(name, paths)| (name, self.bind(name, Some(paths)))).collect();
        self.enter(partial, self.vars.clone());
        let sets = self.sets.get(&partial).cloned().unwrap_or_default();
        for name in sets {
            let ever = self.ever_set.get(&name).cloned().unwrap_or_default();
            let surely = self.exits.get(&partial).is_some_and(|names| names.contains(&name));
            self.setting.insert(name);
            let var = self.vars.entry(name).or_default();
            unite(&mut var.set, Some(&ever));
            var.set_surely |= surely;
        }
        for (name, outer) in hidden.into_iter().rev() {
            self.unbind(name, outer);
        }
    }

    fn note_arguments(&mut self, partial: Option<FileId>, paths: &Paths, place: Place) {
        let Some(partial) = partial else { return };
        for path in paths {
            self.callers.note_argument(partial, path, place);
        }
    }

    /// A partial may be entered with these variables.
    fn enter(&mut self, partial: u32, vars: Vars) {
        if let Some(entry) = self.entries.get_mut(&partial) {
            let before = entry.clone();
            join(entry, &vars);
            self.changed |= *entry != before;
        } else {
            self.entries.insert(partial, vars);
            self.changed = true;
        }
    }
}

fn place_of(operand: &Operand) -> Option<Place> {
    match operand {
        Operand::Path(path) => Some(path.place),
        Operand::Nil | Operand::Bool(_) | Operand::Int(_) | Operand::Float(_) => None,
        Operand::Text(_) | Operand::Empty | Operand::Blank | Operand::Range(_) => None,
    }
}

pub(super) fn is_now(text: &str) -> bool {
    let text = text.trim();
    text.eq_ignore_ascii_case("now") || text.eq_ignore_ascii_case("today")
}

/// `'now' | date: '…'` with a literal format, which says how exact it is.
fn dated(chain: &Chain) -> Option<Granularity> {
    let Operand::Text(text) = &chain.value else { return None };
    let call = chain.filters.first().filter(|_| is_now(text))?;
    let is_written = |operand: &Operand| !matches!(operand, Operand::Path(_) | Operand::Range(_));
    let plain = chain.filters.iter().skip(1).all(|call| {
        call.each.is_none() && call.arguments.iter().chain(call.named.iter().map(|(_, named)| named)).all(is_written)
    });
    if !plain {
        return None;
    }
    match call.arguments.first() {
        Some(Operand::Text(format)) if call.filter.name == "date" => Some(granularity(format)),
        None => filter::pattern_of(call.filter.name).map(granularity),
        Some(_) => None,
    }
}

fn granularity(format: &str) -> Granularity {
    let mut finest = Granularity::Year;
    let mut rest = format.chars();
    while let Some(character) = rest.next() {
        if character != '%' {
            continue;
        }
        let directive =
            rest.find(|character| !matches!(character, '-' | '_' | '^' | '#' | ':' | 'E' | 'O' | '0'..='9'));
        finest = finest.max(match directive {
            Some('Y' | 'C' | 'y' | '%' | 'n' | 't') => Granularity::Year,
            Some('B' | 'b' | 'h' | 'm') => Granularity::Month,
            // The year of weeks begins on another day than the year.
            Some(character) if "aAdejuUwWVGgDFxv".contains(character) => Granularity::Day,
            Some('H' | 'I' | 'k' | 'l' | 'p' | 'P' | 'z' | 'Z') => Granularity::Hour,
            Some('M' | 'R') => Granularity::Minute,
            Some(_) | None => Granularity::Second,
        });
    }
    finest
}
