//! Running a program: nodes write into one buffer, values are borrowed from the data, every step is counted.

mod call;

use super::budget::Budget;
use super::compare;
use super::escape::{self, Sink};
use super::filter::{self, Arguments, Effect, Env, Fault};
use super::program::Program;
use super::scope::{LoopState, Scope};
use super::tree::{
    Asked, Base, Block, Case, Chain, Cycle, Each, For, Group, Join, NameId, Node, Offset, Operand, Output, Over, Path,
    Refused, Step, TableRow, Terms,
};
use super::val::{Val, View, to_i64};
use super::{Buffer, Context, RenderError};
use crate::diagnostic::Place;
use crate::value::{List, NULL, Object, Origin, Value};
use std::cell::Cell;
use std::fmt::Write as _;

/// Where to go on after a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

const NO_BOUND: Fault = Fault::Complaint("a loop's bound is no number");
const NO_COUNT: Fault = Fault::Complaint("what is counted on is no number");
const NO_END: Fault = Fault::Complaint("the end of a range is no integer");

/// The error in a box: a result passes through every block, and fits two registers so.
type Ran<T> = Result<T, Box<RenderError>>;

/// One render.
pub(super) struct Run<'r, 'e> {
    program: &'r Program,
    env: Env<'e>,
    scope: Scope<'r>,
    /// The data's members by name, for a [`super::Fragment`]'s computed names.
    pub(super) globals: Option<&'r Value>,
    /// Whether a filter that cannot use its values is an error.
    pub(super) strict: bool,
    /// Whether this is within a partial that `render` calls.
    rendering: bool,
    /// What went wrong where a value was needed at once. It is told when the render ends: whether it does is all that counts.
    pending: Cell<Option<Fault>>,
    loop_at: Option<u32>,
    cycles: Vec<(Turn, usize)>,
    series: Vec<(u32, i64)>,
    /// What the parameters of the running `include`s hide, to be put back.
    hidden: Vec<(NameId, Option<Val<'r>>)>,
    changed: Option<String>,
    iterations: usize,
    depth: usize,
    /// The last loop or call that began, for an error about depth.
    near: Place,
    /// The length of the buffer that is one byte too many.
    end: usize,
    /// The least trusted of what was printed into the buffer.
    least: Cell<Origin>,
}

/// Which cycle a position belongs to.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Named(String),
    Listed(u32),
}

/// The items of a loop. Nothing is made for them before their turn comes.
enum Items<'r> {
    None,
    One(Val<'r>),
    List(&'r [Value]),
    Shared(List),
    Object(&'r Object),
    SharedObject(Object),
    Range(i64, i64),
}

impl<'r> Items<'r> {
    fn of(val: Val<'r>) -> Self {
        match val {
            Val::Ref(Value::List(items)) => Self::List(items),
            Val::Own(Value::List(items)) => Self::Shared(items),
            Val::Ref(Value::Object(object)) => Self::Object(object),
            Val::Own(Value::Object(object)) => Self::SharedObject(object),
            Val::Range(from, to) => Self::Range(from, to),
            Val::Pair(..) => Self::of(Val::Own(val.into_value())),
            val @ (Val::Ref(Value::Text(_)) | Val::Own(Value::Text(_)) | Val::Str(..) | Val::String(..)) => {
                if val.view().is_empty() { Self::None } else { Self::One(val) }
            }
            Val::Nil | Val::Ref(_) | Val::Own(_) | Val::Loop(_) => Self::None,
        }
    }

    fn len(&self) -> i64 {
        match self {
            Self::None => 0,
            Self::One(_) => 1,
            Self::List(items) => to_i64(items.len()),
            Self::Shared(items) => to_i64(items.len()),
            Self::Object(object) => to_i64(object.len()),
            Self::SharedObject(object) => to_i64(object.len()),
            Self::Range(from, to) => to.saturating_sub(*from).saturating_add(1).max(0),
        }
    }

    fn get(&self, index: i64) -> Val<'r> {
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        match self {
            Self::None => Val::Nil,
            Self::One(val) => val.clone(),
            Self::List(items) => items.get(at).map_or(Val::Nil, Val::Ref),
            Self::Shared(items) => items.get(at).cloned().map_or(Val::Nil, Val::Own),
            Self::Object(object) => object.pair(at).map_or(Val::Nil, |(key, value)| Val::Pair(key, value)),
            Self::SharedObject(object) => object
                .pair(at)
                .map_or(Val::Nil, |(key, value)| Val::list(vec![Value::Text(key.clone()), value.clone()])),
            Self::Range(from, _) => Val::int(from.saturating_add(index)),
        }
    }
}

/// The part of a loop's items that it runs over.
struct Part<'r> {
    items: Items<'r>,
    from: i64,
    length: i64,
    reversed: bool,
}

impl<'r> Part<'r> {
    fn get(&self, index: i64) -> Val<'r> {
        let index = if self.reversed { self.length - 1 - index } else { index };
        self.items.get(self.from + index)
    }
}

impl<'r, 'e> Run<'r, 'e> {
    pub(super) fn new(program: &'r Program, roots: &'r [&'r Value], context: &'e Context<'e>) -> Self {
        let escapes = program.stages.first().is_some_and(|stage| stage.is_markup);
        Self {
            program,
            env: Env::new(context, escapes, &program.analysis),
            scope: Scope::new(program, roots),
            globals: None,
            strict: false,
            rendering: false,
            pending: Cell::new(None),
            loop_at: None,
            cycles: Vec::new(),
            series: Vec::new(),
            hidden: Vec::new(),
            changed: None,
            iterations: 0,
            depth: 0,
            near: Place::new(program.file, 0..0),
            end: usize::MAX,
            least: Cell::new(Origin::Authored),
        }
    }

    pub(super) fn budget(&self) -> &Budget {
        &self.env.budget
    }

    /// Renders every stage; the output of each is the `content` of the next.
    pub(super) fn stages(&mut self, out: &mut Buffer) -> Ran<()> {
        let Some((last, inner)) = self.program.stages.split_last() else { return Ok(()) };
        let mut content: Option<Val<'r>> = None;
        for stage in inner {
            let mut buffer = Buffer::with_capacity(self.program.literal_bytes);
            self.stage(&stage.body, stage.is_markup, content.take(), &mut buffer)?;
            content = Some(self.made(buffer.into_string()).settled());
        }
        self.stage(&last.body, last.is_markup, content, out)
    }

    fn stage(&mut self, body: &'r Block, escapes: bool, content: Option<Val<'r>>, out: &mut Buffer) -> Ran<()> {
        self.env.escapes = escapes;
        self.end = out.len().saturating_add(self.env.context.limits.output_bytes);
        if let Some(content) = content {
            self.scope.clear();
            self.cycles.clear();
            self.series.clear();
            self.changed = None;
            if let Some(name) = self.program.content {
                self.scope.bind(name, Some(content));
            }
        }
        self.least.set(Origin::Authored);
        self.block(body, out)?;
        if let Some(fault) = self.pending.take() {
            self.fault::<()>(fault, self.near)?;
        }
        self.within_budget(self.near)?;
        self.bounded(out, self.near)
    }

    /// What was printed into a buffer, as a value. If it was escaped it is markup; if no data is in it, it is the authors' own.
    fn made(&self, buffer: String) -> Val<'r> {
        let origin = match self.least.get() {
            Origin::Authored => Origin::Authored,
            Origin::Outside | Origin::Markup => Origin::Markup,
        };
        Val::String(buffer, origin)
    }

    /// Runs a block, one level deeper than what holds it.
    fn block(&mut self, block: &'r Block, out: &mut Buffer) -> Ran<Flow> {
        let limit = self.env.context.limits.nesting;
        // The outermost block is a whole layout, which is in nothing.
        if self.depth > limit {
            return Err(RenderError::TooDeep { limit, place: self.near }.into());
        }
        self.depth += 1;
        let flow = self.nodes(block, out);
        self.depth -= 1;
        flow
    }

    fn nodes(&mut self, block: &'r Block, out: &mut Buffer) -> Ran<Flow> {
        for node in &block.nodes {
            let flow = match node {
                Node::Text(text, _) => {
                    out.push_str(text);
                    Flow::On
                }
                Node::Output(output) => self.output(output, out)?,
                Node::Guard(look) => {
                    escape::guard(*look, out);
                    Flow::On
                }
                Node::If(branches) => {
                    let mut flow = Flow::On;
                    for branch in branches {
                        let holds = match &branch.condition {
                            Some(terms) => self.holds(terms)? != branch.negated,
                            None => true,
                        };
                        if holds {
                            flow = self.block(&branch.body, out)?;
                            break;
                        }
                    }
                    flow
                }
                Node::For(node) => self.for_loop(node, out)?,
                Node::Case(case) => self.case(case, out)?,
                Node::Assign { name, value, place } => {
                    let val = self.chain(value, *place)?;
                    self.scope.assign(*name, val);
                    Flow::On
                }
                Node::Capture { name, body, escapes, place } => self.capture(*name, body, *escapes, *place)?,
                Node::Call(call) => self.call(call, out)?,
                Node::Refused(refused) => {
                    let Refused { complaint, place } = &**refused;
                    return Err(RenderError::Refused { complaint: complaint.clone(), place: *place }.into());
                }
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
                Node::Cycle(cycle) => self.cycle(cycle, out)?,
                Node::Count { name, decrement, sink } => {
                    let first = self.first_count(*name)?;
                    let number = self.scope.count(*name, *decrement, first);
                    self.print(View::Int(number), *sink, out);
                    Flow::On
                }
                Node::TableRow(node) => self.table_row(node, out)?,
                Node::IfChanged { body, place } => self.if_changed(body, *place, out)?,
            };
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn output(&mut self, output: &'r Output, out: &mut Buffer) -> Ran<Flow> {
        // Nearly every output is a value that stands in the data.
        if let (Operand::Path(path), []) = (&output.chain.value, output.chain.filters.as_slice())
            && let Some(value) = self.borrowed(path)
        {
            self.print(View::from(value), output.sink, out);
            self.bounded(out, output.place)?;
            return Ok(Flow::On);
        }
        self.output_made(output, out)
    }

    fn output_made(&mut self, output: &'r Output, out: &mut Buffer) -> Ran<Flow> {
        let mut made = Val::Nil;
        let view = if output.chain.filters.is_empty() {
            self.view(&output.chain.value, &mut made)
        } else {
            made = self.chain(&output.chain, output.place)?;
            made.view()
        };
        let start = out.len();
        self.print(view, output.sink, out);
        if out.len() == start {
            out.push_str(output.sink.nothing());
        }
        if let Val::String(text, _) = made {
            self.env.give_back(text);
        }
        self.bounded(out, output.place)?;
        Ok(Flow::On)
    }

    /// Writes a value as it must be written where it lands.
    #[inline]
    fn print(&self, view: View<'_>, sink: Sink, out: &mut Buffer) {
        if let View::Str(text, origin) = view {
            // Not all that is read is written: a link that is dead is short, however long it was.
            self.env.budget.read(text.len()).unwrap_or_default();
            self.least.set(self.least.get().min(origin));
            return escape::write(text, origin, sink, out);
        }
        if let (View::Int(number), true) = (view, sink.takes_digits()) {
            return out.push_str(itoa::Buffer::new().format(number));
        }
        self.print_parts(view, sink, out);
    }

    fn print_parts(&self, view: View<'_>, sink: Sink, out: &mut Buffer) {
        let budget = &self.env.budget;
        let most = self.end.saturating_sub(out.len());
        if sink.takes_whole() {
            let (mut whole, mut of) = (String::new(), Origin::Outside);
            view.print(most, &mut |text, origin| {
                whole.push_str(text);
                of = origin;
                whole.len() <= most && budget.read(text.len() + 1).is_ok()
            });
            return escape::write(&whole, of, sink, out);
        }
        let end = self.end;
        view.print(most, &mut |text, origin| {
            self.least.set(self.least.get().min(origin));
            escape::write(text, origin, sink, out);
            out.len() <= end && budget.read(text.len() + 1).is_ok()
        });
    }

    fn bounded(&self, out: &Buffer, place: Place) -> Ran<()> {
        if out.len() > self.end {
            return Err(RenderError::OutputTooLarge { limit: self.env.context.limits.output_bytes, place }.into());
        }
        Ok(())
    }

    /// What cannot fail leaves it to the next step to ask whether it was too much.
    #[inline]
    fn within_budget(&self, place: Place) -> Ran<()> {
        match self.env.budget.check() {
            Ok(()) => Ok(()),
            Err(fault) => self.fault(fault, place),
        }
    }

    /// Where a counter begins: at nothing, unless there is data of its name, which only a template on its own counts on.
    fn first_count(&self, name: NameId) -> Ran<i64> {
        let name = self.program.names.get(name.index());
        match self.globals.zip(name).and_then(|(data, name)| data.get(name)) {
            Some(Value::Int(number)) => Ok(*number),
            Some(Value::Text(_) | Value::Bool(_) | Value::List(_) | Value::Object(_)) => {
                self.fault(NO_COUNT, self.near)
            }
            Some(Value::Null | Value::UInt(_) | Value::Float(_)) | None => Ok(0),
        }
    }

    /// Counts one run through a body.
    fn iterate(&mut self, place: Place) -> Ran<()> {
        self.iterations += 1;
        let limit = self.env.context.limits.iterations;
        if self.iterations > limit {
            return Err(RenderError::TooManyIterations { limit, place }.into());
        }
        self.within_budget(place)
    }

    /// A filter's or comparison's failure: nothing in a layout, an error where the author is asking.
    fn fault<T: Default>(&self, fault: Fault, place: Place) -> Ran<T> {
        let limits = self.env.context.limits;
        Err(Box::new(match fault {
            Fault::TooMuch => RenderError::TooMuchMade { limit: limits.made_bytes, place },
            Fault::TooMuchRead => RenderError::TooMuchRead { limit: limits.read_bytes, place },
            Fault::TooMany => RenderError::TooManyIterations { limit: limits.iterations, place },
            Fault::Complaint(complaint) if self.strict => RenderError::Unusable { complaint, place },
            Fault::Complaint(_) => return Ok(T::default()),
        }))
    }

    // Values

    fn chain(&mut self, chain: &'r Chain, place: Place) -> Ran<Val<'r>> {
        let mut val = self.operand(&chain.value);
        // Whether markup has exchanged some of its tags, and others of the same pairs may be next.
        let mut is_open = false;
        for call in &chain.filters {
            let exchanges = call.filter.effect == Effect::Exchanges;
            if is_open && !exchanges {
                val = filter::closed(val);
            }
            is_open = exchanges;
            let mut arguments = Arguments { count: call.arguments.len(), ..Arguments::default() };
            for (slot, operand) in arguments.given.iter_mut().zip(&call.arguments) {
                *slot = self.operand(operand);
            }
            for (position, operand) in &call.named {
                if let Some(slot) = arguments.named.get_mut(usize::from(*position)) {
                    *slot = self.operand(operand);
                }
            }
            if let Some(each) = &call.each {
                arguments.each = self.ask_each(each, &val, call.place)?;
            }
            val = match filter::apply(call.filter, val, &mut arguments, &self.env) {
                Ok(val) => val,
                Err(fault) => return self.fault(fault, if self.strict { call.place } else { place }),
            };
        }
        Ok(if is_open { filter::closed(val) } else { val })
    }

    /// What an expression makes of each item of a list.
    fn ask_each(&mut self, each: &'r Each, list: &Val<'r>, place: Place) -> Ran<Vec<(Value, Value)>> {
        let items = match filter::items(list, &self.env) {
            Ok(items) => items,
            Err(fault) => return self.fault(fault, place),
        };
        let hidden = self.scope.bind(each.variable, None);
        let mut asked = Vec::with_capacity(items.len());
        for item in items.into_owned() {
            self.iterate(place)?;
            self.scope.bind(each.variable, Some(Val::Own(item.clone())));
            let answer = match &each.asked {
                Asked::Condition(terms) => Value::Bool(self.holds(terms)?),
                Asked::Value(chain) => match self.chain(chain, place)?.kept(&self.env.budget) {
                    Ok(value) => value,
                    Err(fault) => self.fault(fault, place)?,
                },
            };
            asked.push((item, answer));
        }
        self.scope.bind(each.variable, hidden);
        Ok(asked)
    }

    /// What an operand is, to look at: only what data and template do not hold is put into `made`.
    #[inline]
    fn view<'v>(&self, operand: &'r Operand, made: &'v mut Val<'r>) -> View<'v> {
        match operand {
            Operand::Path(path) => match self.borrowed(path) {
                Some(value) => return View::from(value),
                None => *made = self.walked(path),
            },
            Operand::Int(number) => return View::Int(*number),
            Operand::Text(text) => return View::Str(text, text.origin()),
            Operand::Nil
            | Operand::Bool(_)
            | Operand::Float(_)
            | Operand::Empty
            | Operand::Blank
            | Operand::Range(_) => {
                *made = self.operand(operand);
            }
        }
        made.view()
    }

    fn operand(&self, operand: &'r Operand) -> Val<'r> {
        match operand {
            Operand::Path(path) => self.path(path),
            Operand::Text(text) => Val::Str(text, text.origin()),
            Operand::Int(number) => Val::int(*number),
            Operand::Float(number) => Val::Own(Value::Float(*number)),
            Operand::Bool(value) => Val::bool(*value),
            Operand::Nil => Val::Nil,
            // Only where something is compared with them they are more than a string without characters.
            Operand::Empty | Operand::Blank => Val::Str("", Origin::Authored),
            Operand::Range(ends) => Val::Range(self.end_of_range(&ends.0), self.end_of_range(&ends.1)),
        }
    }

    /// One side of a comparison.
    fn side<'v>(&self, operand: &'r Operand, made: &'v mut Val<'r>) -> View<'v> {
        match operand {
            Operand::Empty => View::Empty,
            Operand::Blank => View::Blank,
            Operand::Nil | Operand::Bool(_) | Operand::Int(_) | Operand::Float(_) => self.view(operand, made),
            Operand::Text(_) | Operand::Range(_) | Operand::Path(_) => self.view(operand, made),
        }
    }

    fn end_of_range(&self, operand: &'r Operand) -> i64 {
        match self.operand(operand).view() {
            View::Int(number) => number,
            View::UInt(_) => i64::MAX,
            #[expect(clippy::cast_possible_truncation, reason = "saturates, which is what is wanted")]
            View::Float(number) => {
                if matches!(operand, Operand::Path(_)) {
                    self.pending.set(Some(NO_END));
                }
                number as i64
            }
            View::Str(text, _) => filter::leading_integer(text),
            View::Nil | View::Empty | View::Blank => 0,
            View::Bool(_) | View::List(_) | View::Object(_) | View::Range(..) | View::Pair(..) | View::Loop => {
                self.pending.set(Some(NO_END));
                0
            }
        }
    }

    /// The value of a path that leads through data alone, which is what nearly every path does.
    fn borrowed(&self, path: &'r Path) -> Option<&'r Value> {
        let Base::Name(name) = &path.base else { return None };
        let mut value = self.scope.borrowed(*name)?;
        for step in &path.steps {
            value = match step {
                Step::Key { key, command, guess } => {
                    match value.as_object().and_then(|object| guess.member(object, key)) {
                        Some(member) => member,
                        None if command.is_none() => return Some(&NULL),
                        None => return None,
                    }
                }
                Step::Index(_) | Step::Computed(_) => return None,
            };
        }
        Some(value)
    }

    fn path(&self, path: &'r Path) -> Val<'r> {
        self.borrowed(path).map_or_else(|| self.walked(path), Val::Ref)
    }

    /// The value of any path.
    fn walked(&self, path: &'r Path) -> Val<'r> {
        if let (Base::Name(name), [Step::Key { key, .. }]) = (&path.base, path.steps.as_slice())
            && let Some(state) = self.scope.running(*name)
        {
            return state.field(key);
        }
        let mut val = match &path.base {
            Base::Name(name) => self.scope.get(*name),
            Base::Computed(operand) => self.named(&self.operand(operand).chars(&self.env.budget)),
        };
        for step in &path.steps {
            val = match step {
                Step::Key { key, .. } if matches!(val, Val::Loop(_)) => self.loop_field(&val, key),
                Step::Key { key, command, .. } => val.key(key, *command),
                Step::Index(index) => val.index(*index),
                Step::Computed(operand) => {
                    let key = self.operand(operand);
                    match (&val, key.view()) {
                        (_, View::Int(index)) => val.index(index),
                        (Val::Loop(_), View::Str(key, _)) => self.loop_field(&val, key),
                        (_, View::Str(key, _)) => {
                            self.env.budget.read(key.len()).unwrap_or_default();
                            val.key(key, None)
                        }
                        _ => Val::Nil,
                    }
                }
            };
        }
        val
    }

    /// A name that was computed, if the program knows it.
    fn id_of(&self, name: &str) -> Option<NameId> {
        let known = self.program.names.iter().position(|known| **known == *name);
        known.and_then(|at| u32::try_from(at).ok()).map(NameId)
    }

    /// The variable or root whose name was computed.
    fn named(&self, name: &str) -> Val<'r> {
        let val = self.id_of(name).map_or(Val::Nil, |id| self.scope.get(id));
        if val.is_nil() { self.globals.and_then(|data| data.get(name)).map_or(Val::Nil, Val::Ref) } else { val }
    }

    fn loop_field(&self, itself: &Val<'r>, key: &str) -> Val<'r> {
        let Val::Loop(at) = *itself else { return Val::Nil };
        self.scope.loops.get(at as usize).map_or(Val::Nil, |state| state.field(key))
    }

    /// Whether a condition holds: from left to right, because `and` and `or` bind what follows them.
    pub(super) fn holds(&mut self, terms: &'r Terms) -> Ran<bool> {
        for (term, join) in &terms.0 {
            let holds = match &term.right {
                None => self.view(&term.left, &mut Val::Nil).is_truthy(),
                Some((comparison, right)) => {
                    let (mut left_made, mut right_made) = (Val::Nil, Val::Nil);
                    let left = self.side(&term.left, &mut left_made);
                    let right = self.side(right, &mut right_made);
                    match compare::holds(left, *comparison, right, &self.env.budget) {
                        Ok(holds) => {
                            self.within_budget(term.place)?;
                            holds
                        }
                        Err(complaint) => self.fault(Fault::Complaint(complaint), term.place)?,
                    }
                }
            };
            match (join, holds) {
                (Some(Join::And), true) | (Some(Join::Or), false) => {}
                (Some(Join::And), false) => return Ok(false),
                (Some(Join::Or), true) => return Ok(true),
                (None, holds) => return Ok(holds),
            }
        }
        Ok(false)
    }

    // Blocks

    fn case(&mut self, case: &'r Case, out: &mut Buffer) -> Ran<Flow> {
        let subject = self.operand(&case.subject);
        let mut matched = false;
        for arm in &case.arms {
            let times = match &arm.values {
                None => usize::from(!matched),
                Some(values) => {
                    let equal = |value: &&'r Operand| {
                        compare::equal(subject.view(), self.side(value, &mut Val::Nil), &self.env.budget)
                    };
                    let times = values.iter().filter(equal).count();
                    self.within_budget(self.near)?;
                    matched |= times > 0;
                    times
                }
            };
            for _ in 0..times {
                let flow = self.block(&arm.body, out)?;
                if flow != Flow::On {
                    return Ok(flow);
                }
            }
        }
        Ok(Flow::On)
    }

    /// The bounds of a loop. They may be negative: a loop that begins before the first item begins with it, and one that ends
    /// there runs over nothing.
    fn part(&mut self, over: &'r Over, table: bool, place: Place) -> Ran<Part<'r>> {
        let items = Items::of(self.operand(&over.items));
        let from = match &over.offset {
            None => 0,
            Some(Offset::Value(operand)) => self.bound(operand, table, place)?.unwrap_or(0),
            Some(Offset::Continue) => {
                self.series.iter().find(|(series, _)| *series == over.series).map_or(0, |(_, next)| *next)
            }
        };
        let to = match &over.limit {
            None => i64::MAX,
            Some(operand) => self.bound(operand, table, place)?.map_or(i64::MAX, |limit| from.saturating_add(limit)),
        };
        // A text is one item, wherever one begins or ends.
        let (start, end) = if let Items::One(_) = items { (0, 1) } else { (from.max(0), to.min(items.len())) };
        let length = end.saturating_sub(start).max(0);
        if !table {
            let next = from.saturating_add(length);
            match self.series.iter_mut().find(|(series, _)| *series == over.series) {
                Some((_, known)) => *known = next,
                None => self.series.push((over.series, next)),
            }
        }
        Ok(Part { items, from: start, length, reversed: over.reversed })
    }

    /// What bounds a loop. `tablerow` takes the integer that a value begins with, `for` one that is written in full.
    fn bound(&self, operand: &'r Operand, table: bool, place: Place) -> Ran<Option<i64>> {
        let val = self.operand(operand);
        match val.view() {
            View::Nil if table => Ok(Some(0)),
            View::Nil => Ok(None),
            View::Int(number) => Ok(Some(number)),
            #[expect(clippy::cast_possible_truncation, reason = "saturates, which is what is wanted")]
            View::Float(number) if table || !self.strict => Ok(Some(number as i64)),
            View::Empty | View::Blank if table => Ok(Some(0)),
            View::Str(text, _) if table => Ok(Some(filter::leading_integer(text))),
            View::Str(text, _) => match filter::whole_integer(text) {
                Some(number) => Ok(Some(number)),
                None => self.fault(NO_BOUND, place),
            },
            View::Bool(_) | View::UInt(_) | View::Float(_) | View::List(_) | View::Object(_) | View::Range(..) => {
                self.fault(NO_BOUND, place)
            }
            View::Empty | View::Blank | View::Pair(..) | View::Loop => self.fault(NO_BOUND, place),
        }
    }

    fn for_loop(&mut self, node: &'r For, out: &mut Buffer) -> Ran<Flow> {
        let part = self.part(&node.over, false, node.place)?;
        if part.length == 0 {
            return node.otherwise.as_ref().map_or(Ok(Flow::On), |block| self.block(block, out));
        }
        self.near = node.place;
        let outer = self.begin_loop(&node.name, part.length, None);
        let hidden = self.scope.bind(node.variable, None);
        for index in 0..part.length {
            self.iterate(node.place)?;
            self.step_loop(index);
            self.scope.bind(node.variable, Some(part.get(index)));
            // An error ends the render, so there is nothing to put back.
            let flow = self.block(&node.body, out)?;
            self.bounded(out, node.place)?;
            if flow == Flow::Break {
                break;
            }
        }
        self.scope.bind(node.variable, hidden);
        self.end_loop(outer, false);
        Ok(Flow::On)
    }

    /// Opens a loop; what to give back to `end_loop`.
    fn begin_loop(&mut self, name: &'r str, length: i64, columns: Option<i64>) -> (Option<u32>, Option<Val<'r>>) {
        let at = u32::try_from(self.scope.loops.len()).unwrap_or(u32::MAX);
        let parent = self.loop_at;
        self.scope.loops.push(LoopState { name, length, index: 0, parent, columns });
        let variable = if columns.is_some() { self.program.tablerowloop } else { self.program.forloop };
        let hidden = variable.and_then(|name| self.scope.bind(name, Some(Val::Loop(at))));
        if columns.is_none() {
            self.loop_at = Some(at);
        }
        (parent, hidden)
    }

    fn step_loop(&mut self, index: i64) {
        if let Some(state) = self.scope.loops.last_mut() {
            state.index = index;
        }
    }

    fn end_loop(&mut self, (parent, hidden): (Option<u32>, Option<Val<'r>>), table: bool) {
        self.scope.loops.pop();
        self.loop_at = parent;
        let variable = if table { self.program.tablerowloop } else { self.program.forloop };
        if let Some(name) = variable {
            self.scope.bind(name, hidden);
        }
    }

    fn table_row(&mut self, node: &'r TableRow, out: &mut Buffer) -> Ran<Flow> {
        // An empty list has a row without cells, no list has nothing.
        if !self.operand(&node.over.items).is_truthy() {
            return Ok(Flow::On);
        }
        let part = self.part(&node.over, true, node.place)?;
        let columns = match &node.columns {
            None => None,
            Some(operand) => self.bound(operand, true, node.place)?,
        };
        // Without a positive number of columns there is one row.
        let columns = columns.unwrap_or(part.length);
        let columns = if columns > 0 { columns } else { i64::MAX };
        self.near = node.place;
        let outer = self.begin_loop("", part.length, Some(columns));
        let hidden = self.scope.bind(node.variable, None);
        self.cells(node, &part, columns, out)?;
        self.scope.bind(node.variable, hidden);
        self.end_loop(outer, true);
        Ok(Flow::On)
    }

    fn cells(&mut self, node: &'r TableRow, part: &Part<'r>, columns: i64, out: &mut Buffer) -> Ran<()> {
        out.push_str("<tr class=\"row1\">\n");
        for index in 0..part.length {
            self.iterate(node.place)?;
            self.step_loop(index);
            self.scope.bind(node.variable, Some(part.get(index)));
            let column = index % columns + 1;
            write!(out, "<td class=\"col{column}\">").unwrap_or_default();
            let flow = self.block(&node.body, out)?;
            out.push_str("</td>");
            self.bounded(out, node.place)?;
            if flow == Flow::Break {
                break;
            }
            if column == columns && index + 1 < part.length {
                write!(out, "</tr>\n<tr class=\"row{}\">", index / columns + 2).unwrap_or_default();
            }
        }
        out.push_str("</tr>\n");
        Ok(())
    }

    /// Runs a body into a buffer of its own.
    fn aside(&mut self, body: &'r Block, place: Place) -> Ran<(String, Flow)> {
        let mut buffer = Buffer::default();
        let end = std::mem::replace(&mut self.end, self.env.context.limits.output_bytes);
        let flow = self.block(body, &mut buffer);
        self.end = end;
        let flow = flow?;
        if let Err(fault) = self.env.budget.charge(buffer.len()) {
            self.fault::<()>(fault, place)?;
        }
        Ok((buffer.into_string(), flow))
    }

    fn capture(&mut self, name: NameId, body: &'r Block, escapes: bool, place: Place) -> Ran<Flow> {
        let around = self.least.replace(Origin::Authored);
        let (buffer, flow) = self.aside(body, place)?;
        // What was captured is escaped already, if anything is.
        let captured = if escapes { self.made(buffer) } else { Val::text(buffer) };
        self.scope.assign(name, captured);
        self.least.set(around);
        Ok(flow)
    }

    /// Prints the body where it stands, because what may be printed depends on what was before, and takes it back if it is the same.
    fn if_changed(&mut self, body: &'r Block, place: Place, out: &mut Buffer) -> Ran<Flow> {
        let start = out.len();
        let flow = self.block(body, out)?;
        self.bounded(out, place)?;
        // Whatever was printed may have changed what was before it, as a sign in front of a cell: then it is another.
        let Some(printed) = out.since(start) else {
            self.changed = None;
            return Ok(flow);
        };
        if self.changed.as_deref() == Some(printed) {
            out.truncate(start);
            return Ok(flow);
        }
        if let Err(fault) = self.env.budget.charge(printed.len()) {
            self.fault::<()>(fault, place)?;
        }
        self.changed = Some(printed.to_owned());
        Ok(flow)
    }

    fn cycle(&mut self, cycle: &'r Cycle, out: &mut Buffer) -> Ran<Flow> {
        let turn = match &cycle.group {
            Group::Named(operand) => Turn::Named(self.operand(operand).view().inspected(&self.env.budget)),
            Group::Listed(id) => Turn::Listed(*id),
        };
        let at = self.cycles.iter().position(|(known, _)| *known == turn).unwrap_or_else(|| {
            self.cycles.push((turn, 0));
            self.cycles.len() - 1
        });
        let Some((_, position)) = self.cycles.get_mut(at) else { return Ok(Flow::On) };
        let current = *position;
        *position = if current + 1 >= cycle.values.len() { 0 } else { current + 1 };
        if let Some(operand) = cycle.values.get(current) {
            self.print(self.operand(operand).view(), cycle.sink, out);
            self.bounded(out, cycle.place)?;
        }
        Ok(Flow::On)
    }
}

fn refused<T>(complaint: &str, place: Place) -> Ran<T> {
    Err(RenderError::Refused { complaint: complaint.into(), place }.into())
}
