//! The tags: one function each, from the words of the tag to a node. To add one, write it here and in `TAGS` of `tags.rs`.

use super::code;
use super::context::Tracker;
use super::expr::{Parsed, Reader, chain, mended, operand, terms, trouble};
use super::filter;
use super::lex::{Lexer, Tag, Token, cut, is_space};
use super::mend;
use super::parse::{End, Known, Loop, Parser};
use super::program::{Manner, no_partial};
use super::tree::{
    Arm, Base, Block, Branch, Call, Case, Chain, Cycle, FilterCall, For, Group, NameId, Node, Offset, Operand, Output,
    Over, Path, Refused, Subject, TableRow, Target,
};
use crate::diagnostic::did_you_mean;
use crate::highlight;
use regex::Regex;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::LazyLock;

/// What a tag became, and whether it prints nothing.
type Made = (Option<Node>, bool);

/// Text in a block that prints nothing else would be nothing but white space in the page. Without it the block prints nothing
/// at all, so the markup stands where it stood before.
fn without_text(block: &mut Block) {
    block.nodes.retain(|node| !matches!(node, Node::Text(..)));
}

/// A name that a tag sets; those with a `?` can only be read.
fn settable<'s>(reader: &mut Reader<'s, '_>) -> Parsed<&'s str> {
    let (word, range) = reader.word("a name")?;
    if word.ends_with('?') { trouble(range, "a name that is set cannot end in `?`") } else { Ok(word) }
}

/// What a template that is tried may `assign`: as in Liquid any run of signs that names are made of, wherever it stands, in front
/// of `=`. `x.y` is a name then, which is found as `['x.y']`, and no part of `x`.
static ASSIGNED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"((?:\(?[\w.\[\]-]\)?)+)\s*=\s*").ok());

/// What it may `capture`: the first such run.
static CAPTURED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"((?:\(?[\w.\[\]-]\)?)+)").ok());

impl<'s> Parser<'_, 's> {
    /// The name that a tag sets in a template that is tried, and what follows it; none if it is read as in a site.
    fn loosely_set(&self, tag: &Tag, pattern: Option<&Regex>) -> Option<(&'s str, Range<usize>)> {
        if self.build.manner != Manner::Trial {
            return None;
        }
        let found = pattern?.captures(cut(self.text, tag.markup.clone()))?;
        let rest = tag.markup.start + found.get(0)?.end()..tag.markup.end;
        Some((found.get(1)?.as_str(), rest))
    }

    /// The node of a tag that is known; `None` for any other tag.
    pub(super) fn known_tag(
        &mut self,
        name: &str,
        tag: &Tag,
        lexer: &mut Lexer<'s>,
        block: &mut Block,
    ) -> Option<Made> {
        Some(match name {
            "if" => self.conditional(tag, lexer, false),
            "unless" => self.conditional(tag, lexer, true),
            "case" => self.case(tag, lexer),
            "for" => self.for_loop(tag, lexer),
            "tablerow" => self.table_row(tag, lexer),
            "break" => {
                self.leave_loop(tag);
                (Some(Node::Break), false)
            }
            "continue" => {
                self.leave_loop(tag);
                (Some(Node::Continue), false)
            }
            "assign" => (self.assign(tag), true),
            "capture" => (self.capture(tag, lexer), true),
            "increment" => (self.count(tag, false), false),
            "decrement" => (self.count(tag, true), false),
            "cycle" => (self.cycle(tag), false),
            "echo" => (self.echo(tag), false),
            "render" => (self.call(tag, true), false),
            "include" => (self.call(tag, false), false),
            "highlight" => (self.highlight(tag, lexer, block), false),
            "ifchanged" => self.if_changed(tag, lexer),
            "raw" => self.raw(tag, lexer, block),
            "comment" => (self.comment(tag, lexer), true),
            "doc" => (self.doc(tag, lexer), true),
            "#" => (self.remark(tag), true),
            "liquid" => {
                self.liquid(tag, block);
                (None, true)
            }
            _ => return None,
        })
    }

    fn conditional(&mut self, tag: &Tag, lexer: &mut Lexer<'s>, negated: bool) -> Made {
        let end = if negated { "endunless" } else { "endif" };
        let entry = self.tracker.clone();
        let mut ends: Vec<Option<Tracker>> = Vec::new();
        let mut branches = Vec::new();
        let (mut blank, mut has_else) = (true, false);
        let mut condition = Some(self.read(tag, terms));
        let mut negated = negated;
        loop {
            self.tracker.clone_from(&entry);
            let Some((body, stop)) = self.inner(lexer, tag, end, &["else", "elsif"]) else { break };
            ends.push(self.tracker.clone());
            blank &= body.blank;
            // A condition that could not be read never holds; there is a finding about it.
            branches.push(Branch { condition: condition.take().map(Option::unwrap_or_default), negated, body });
            negated = false;
            let Some(stop) = stop else { break };
            match cut(self.text, stop.name.clone()) {
                "elsif" => condition = Some(self.read(&stop, terms)),
                "else" => {
                    self.else_is_bare(&stop, false);
                    condition = None;
                    has_else = true;
                }
                _ => break,
            }
        }
        if !has_else {
            ends.push(entry.clone());
        }
        self.join(&ends, tag);
        if blank {
            self.tracker = entry;
            for branch in &mut branches {
                without_text(&mut branch.body);
            }
        }
        (Some(Node::If(branches)), blank)
    }

    /// What stands behind an `else` would be passed over in silence: most often a condition.
    fn else_is_bare(&mut self, part: &Tag, of_loop: bool) {
        if part.markup.is_empty() || self.build.manner == Manner::Trial {
            return;
        }
        let words = cut(self.text, part.markup.clone()).trim();
        let condition = words.strip_prefix("if").map_or(words, str::trim_start);
        let help = if of_loop {
            "write `{% else %}`: its block is printed when there is no item".to_owned()
        } else {
            format!("with a condition it is `{{% elsif {condition} %}}`")
        };
        self.find(&code::BAD_EXPRESSION, part.markup.clone(), "`else` takes no condition", Some(help));
    }

    fn case(&mut self, tag: &Tag, lexer: &mut Lexer<'s>) -> Made {
        let subject = self.read(tag, operand);
        let entry = self.tracker.clone();
        let mut ends: Vec<Option<Tracker>> = vec![entry.clone()];
        let mut arms = Vec::new();
        let mut blank = true;
        // What stands before the first `when` is never printed.
        let mut stop = self.inner(lexer, tag, "endcase", &["when", "else"]).and_then(|(_, stop)| stop);
        let mut known: Vec<String> = Vec::new();
        // Where one of the arms so far may have ended, or none; nowhere if they end in different places.
        let mut start = Some(entry.clone());
        while let Some(part) = stop {
            let values = match cut(self.text, part.name.clone()) {
                "when" => Some(self.read(&part, when_values).unwrap_or_default()),
                "else" => {
                    if !part.markup.is_empty() {
                        let message = "the `else` of a `case` takes no values";
                        let help = "for values of its own, write `{% when \"a\", \"b\" %}`".to_owned();
                        self.find(&code::BAD_EXPRESSION, part.markup.clone(), message, Some(help));
                    }
                    None
                }
                _ => break,
            };
            // Every value that fits has its arm printed, and an arm as often as values of it fit: what may be printed again begins
            // where what was printed before has ended.
            let is_behind_else = arms.iter().any(|arm: &Arm| arm.values.is_none());
            let again =
                values.as_deref().map_or(is_behind_else, |values| !are_distinct(values, &mut known) || is_behind_else);
            if again && start.is_none() {
                let message = "an arm may be printed behind another one, which ends in another place of the markup";
                let help = "write out the values of each `when`, every one once".to_owned();
                self.find(&code::BRANCH_CONTEXT, part.whole.clone(), message, Some(help));
            }
            let begin = start.clone().filter(|_| again).unwrap_or_else(|| entry.clone());
            self.tracker.clone_from(&begin);
            let first = lexer.clone();
            let mut arm = self.inner(lexer, tag, "endcase", &["when", "else"]);
            if again && values.as_ref().is_some_and(|values| values.len() > 1) {
                let mut more =
                    begin.as_ref().zip(self.tracker.as_ref()).and_then(|(begin, end)| begin.after_a_run(end));
                let mut is_second = true;
                while let Some(begin) = more {
                    lexer.clone_from(&first);
                    self.tracker = Some(begin.clone());
                    arm = self.inner(lexer, tag, "endcase", &["when", "else"]);
                    let end = self.tracker.as_ref().filter(|_| std::mem::take(&mut is_second));
                    more = end.and_then(|end| begin.after_more_runs(end));
                }
            }
            let Some((body, next)) = arm else { break };
            ends.push(self.tracker.clone());
            if again && values.as_ref().is_some_and(|values| values.len() > 1) {
                self.join(&[begin, self.tracker.clone()], &part);
            }
            start = start.and_then(|start| match (start, &self.tracker) {
                (Some(start), Some(end)) => start.join(end).map(Some),
                (None, _) | (_, None) => Some(None),
            });
            blank &= body.blank;
            arms.push(Arm { values, body });
            stop = next;
        }
        if arms.iter().any(|arm| arm.values.is_none()) {
            ends.remove(0);
        }
        self.join(&ends, tag);
        if blank {
            self.tracker = entry;
            for arm in &mut arms {
                without_text(&mut arm.body);
            }
        }
        (subject.map(|subject| Node::Case(Box::new(Case { subject, arms }))), blank)
    }

    fn for_loop(&mut self, tag: &Tag, lexer: &mut Lexer<'s>) -> Made {
        let head = self.read(tag, |reader| loop_head(reader, false));
        if let Some(head) = &head {
            self.build.encoded.remove(&head.variable);
        }
        let entry = self.tracker.clone();
        let mut ends = vec![entry.clone()];
        let (mut body, mut otherwise) = (Block::default(), None);
        let start = lexer.clone();
        self.loops.push(Loop::at(entry.clone()));
        let mut first = self.inner(lexer, tag, "endfor", &["else"]);
        self.leave_body(tag);
        let again = entry.as_ref().zip(self.tracker.as_ref()).and_then(|(entry, end)| entry.after_a_run(end));
        if let Some(again) = again {
            // What the first run leaves in a URL or a script is what the second begins with.
            first = self.another_run(lexer, &start, tag, again.clone());
            let more = self.tracker.as_ref().and_then(|end| again.after_more_runs(end));
            if let Some(more) = more {
                first = self.another_run(lexer, &start, tag, more);
            }
        }
        if let Some((inner, stop)) = first {
            body = inner;
            ends.push(self.tracker.clone());
            let is_else = |stop: &Tag| cut(self.text, stop.name.clone()) == "else";
            if let Some(stop) = stop.filter(is_else) {
                self.else_is_bare(&stop, true);
                self.tracker.clone_from(&entry);
                otherwise = self.inner(lexer, tag, "endfor", &[]).map(|(inner, _)| inner);
                ends.push(self.tracker.clone());
            }
        }
        self.join(&ends, tag);
        let blank = body.blank && otherwise.as_ref().is_none_or(|block| block.blank);
        if blank {
            self.tracker = entry;
            without_text(&mut body);
            otherwise.iter_mut().for_each(without_text);
        }
        let node = head.map(|head| {
            let name = head.series.as_str().into();
            let series = self.build.series(&head.series);
            let over = Over { series, ..head.over };
            Node::For(Box::new(For {
                variable: head.variable,
                name,
                over,
                body,
                otherwise,
                place: self.place(tag.whole.clone()),
            }))
        });
        (node, blank)
    }

    /// Follows the body of a loop once more, from where `begin` is.
    fn another_run(
        &mut self,
        lexer: &mut Lexer<'s>,
        start: &Lexer<'s>,
        tag: &Tag,
        begin: Tracker,
    ) -> Option<(Block, End)> {
        lexer.clone_from(start);
        self.loops.push(Loop::at(Some(begin.clone())));
        self.tracker = Some(begin);
        let run = self.inner(lexer, tag, "endfor", &["else"]);
        self.leave_body(tag);
        run
    }

    /// The body of a loop has ended here, or where it was left.
    fn leave_body(&mut self, tag: &Tag) {
        let Some(mut left) = self.loops.pop().map(|one| one.left).filter(|left| !left.is_empty()) else { return };
        left.push(self.tracker.clone());
        self.join(&left, tag);
    }

    fn table_row(&mut self, tag: &Tag, lexer: &mut Lexer<'s>) -> Made {
        let head = self.read(tag, |reader| loop_head(reader, true));
        if self.tracker.as_ref().is_some_and(|tracker| !tracker.takes_elements()) {
            self.find(
                &code::UNSAFE_PLACE,
                tag.whole.clone(),
                "`tablerow` makes table rows, which stand between tags",
                None,
            );
        }
        let entry = self.tracker.clone();
        self.loops.push(Loop::at(entry.clone()));
        let body = self.inner(lexer, tag, "endtablerow", &[]).map(|(body, _)| body).unwrap_or_default();
        let blank = body.blank;
        self.loops.pop();
        self.join(&[entry, self.tracker.clone()], tag);
        let node = head.map(|head| {
            let series = self.build.series(&head.series);
            Node::TableRow(Box::new(TableRow {
                variable: head.variable,
                over: Over { series, ..head.over },
                columns: head.columns,
                body,
                place: self.place(tag.whole.clone()),
            }))
        });
        (node, blank)
    }

    fn assign(&mut self, tag: &Tag) -> Option<Node> {
        let (name, value) = match self.loosely_set(tag, ASSIGNED.as_ref()) {
            Some((name, rest)) => {
                let nothing = Chain { value: Operand::Nil, filters: Vec::new() };
                let value = self.read_range(rest, cut(self.text, tag.name.clone()), |reader| {
                    if reader.at_end() { Ok(nothing) } else { reader.chain() }
                })?;
                (self.name(name), value)
            }
            None => self.read(tag, |reader| {
                let name = settable(reader)?;
                if !reader.take("=") {
                    let at = reader.position();
                    return trouble(at..at, "`=` is expected here, as in `assign name = value`");
                }
                Ok((reader.names.id(name), reader.chain()?))
            })?,
        };
        self.note_filters(&value);
        self.note_raw(&value, &tag.whole);
        self.note_pieces(&value, &tag.whole);
        let is_encoded = self.is_encoded(&value);
        self.set(name, is_encoded);
        Some(Node::Assign { name, value, place: self.place(tag.whole.clone()) })
    }

    fn capture(&mut self, tag: &Tag, lexer: &mut Lexer<'s>) -> Option<Node> {
        let name = match self.loosely_set(tag, CAPTURED.as_ref()) {
            Some((name, _)) => Some(self.name(name)),
            None => self.read(tag, |reader| {
                let name = match reader.string()? {
                    Some(name) => name,
                    None => settable(reader)?,
                };
                Ok(reader.names.id(name))
            }),
        };
        // What is captured is markup of its own, wherever the tag stands; in other formats it is a text, escaped when it is printed.
        let outer = self.tracker.clone();
        self.tracker = outer.as_ref().filter(|tracker| tracker.is_markup()).map(Tracker::fresh);
        let escapes = self.tracker.is_some();
        self.captures.push(self.loops.len());
        let around = std::mem::take(&mut self.printed);
        let body = self.inner(lexer, tag, "endcapture", &[]);
        let printed = std::mem::replace(&mut self.printed, around);
        self.captures.pop();
        let (body, _) = body?;
        if let Some(name) = name {
            self.set(name, printed.is_encoded());
        }
        if self.tracker.as_ref().is_some_and(|tracker| !tracker.is_at_rest()) {
            let message = "what is captured ends within a tag, a comment or a script";
            self.find(&code::BRANCH_CONTEXT, tag.whole.clone(), message, None);
        }
        self.tracker = outer;
        Some(Node::Capture { name: name?, body, escapes, place: self.place(tag.whole.clone()) })
    }

    fn count(&mut self, tag: &Tag, decrement: bool) -> Option<Node> {
        let name = if self.build.manner == Manner::Trial {
            // Whatever stands there is the name, and be it nothing.
            self.name(cut(self.text, tag.markup.clone()).trim())
        } else {
            self.read(tag, |reader| {
                let name = settable(reader)?;
                Ok(reader.names.id(name))
            })?
        };
        // A whole number is JSON.
        let sink = self.sink(Known { json: true, number: true, own: false }, &tag.whole);
        Some(Node::Count { name, decrement, sink })
    }

    fn cycle(&mut self, tag: &Tag) -> Option<Node> {
        self.printed.take_any();
        let (group, values) = self.read(tag, |reader| {
            let first = reader.operand()?;
            let (group, mut values) =
                if reader.take(":") { (Some(first), vec![reader.operand()?]) } else { (None, vec![first]) };
            while reader.take(",") && !reader.at_end() {
                values.push(reader.operand()?);
            }
            Ok((group, values))
        })?;
        let group = group.map_or_else(|| Group::Listed(self.turns(&values)), Group::Named);
        let sink = self.sink(Known::default(), &tag.whole);
        self.warn_of_pieces(&values.iter().collect::<Vec<_>>(), &tag.whole);
        Some(Node::Cycle(Box::new(Cycle { group, values, sink, place: self.place(tag.whole.clone()) })))
    }

    /// Cycles that list the same literals take turns together; one that lists a variable is alone.
    fn turns(&mut self, values: &[Operand]) -> u32 {
        let mut listed = String::from("cycle");
        for value in values {
            if matches!(value, Operand::Path(_) | Operand::Range(_)) {
                return self.build.own_series();
            }
            write!(listed, ",{value:?}").unwrap_or_default();
        }
        self.build.series(&listed)
    }

    fn echo(&mut self, tag: &Tag) -> Option<Node> {
        if tag.markup.is_empty() {
            return None;
        }
        let chain = self.read(tag, chain)?;
        Some(self.printed(chain, tag.whole.clone()))
    }

    /// Code in colours. What it holds is code whatever it looks like, so nothing in it is escaped before it all is. Without
    /// outputs it is a constant of the layout; with them it is captured under a name that cannot be written, and filtered.
    fn highlight(&mut self, tag: &Tag, lexer: &mut Lexer<'s>, block: &mut Block) -> Option<Node> {
        let markup = cut(self.text, tag.markup.clone());
        let (language, options) = markup.split_once(is_space).unwrap_or((markup, ""));
        let is_known = |option: &str| option.is_empty() || option == "linenos" || option.starts_with("linenos=");
        if language.is_empty() || !options.split(is_space).all(is_known) {
            let help =
                "write one word, as in `{% highlight rust %}`; `linenos` may follow, though lines are not numbered";
            let help = help.to_owned();
            self.find(&code::BAD_EXPRESSION, tag.whole.clone(), "`highlight` takes the name of a language", Some(help));
        } else if self.build.manner == Manner::Site
            && let Some(wrong) = mend::language(language)
        {
            let place = self.place(tag.markup.clone());
            self.find_arguments(place, wrong);
        }
        if self.tracker.as_ref().is_some_and(|tracker| !tracker.takes_elements()) {
            let message = "`highlight` makes a block, which stands between tags";
            self.find(&code::UNSAFE_PLACE, tag.whole.clone(), message, None);
        }
        let outer = self.tracker.take();
        let body = self.inner(lexer, tag, "endhighlight", &[]);
        self.tracker = outer;
        let (body, _) = body?;
        if let Some(text) = literal_text(&body) {
            let html = highlight::block(&text, language);
            self.build.literal_bytes += html.len();
            return Some(Node::Text(html.into(), self.place(tag.whole.clone())));
        }
        let place = self.place(tag.whole.clone());
        let name = self.name("{% highlight %}");
        block.nodes.push(Node::Capture { name, body, escapes: false, place });
        let arguments = vec![Operand::text(language)];
        let filters =
            vec![FilterCall { filter: filter::find("highlight")?, arguments, named: Vec::new(), each: None, place }];
        let value = Operand::Path(Box::new(Path { base: Base::Name(name), steps: Vec::new(), place }));
        let sink = self.sink(Known::default(), &tag.whole);
        Some(Node::Output(Output { chain: Chain { value, filters }, sink, place }))
    }

    fn if_changed(&mut self, tag: &Tag, lexer: &mut Lexer<'s>) -> Made {
        let entry = self.tracker.clone();
        let Some((body, _)) = self.inner(lexer, tag, "endifchanged", &[]) else { return (None, true) };
        self.join(&[entry, self.tracker.clone()], tag);
        let blank = body.blank;
        (Some(Node::IfChanged { body, place: self.place(tag.whole.clone()) }), blank)
    }

    fn call(&mut self, tag: &Tag, isolated: bool) -> Option<Node> {
        let Words { name, at, subject, alias, parameters } = self.read(tag, call_words)?;
        self.warn_of_pieces(&parameters.iter().map(|(_, value)| value).collect::<Vec<_>>(), &tag.whole);
        let is_trial = self.build.manner == Manner::Trial;
        if let Ok(name) = name
            && !isolated
            && !self.loops.is_empty()
            && self.build.may_leave(name)
        {
            self.leave_loop(tag);
        }
        let is_repeated = subject.as_ref().is_some_and(|(_, each)| *each);
        let last = name.as_ref().ok().map(|name| name.rsplit('/').next().unwrap_or(name));
        let bound = alias.or(last).map(|name| self.name(name));
        let encoded = self.encoded_within(isolated, subject.as_ref().zip(bound), &parameters);
        self.printed.take_any();
        let entry = self.entry_of_partial(tag, is_repeated);
        let place = self.place(at.clone());
        let (target, own) = match name {
            // What is missing matters to a template that is tried only when it is called.
            Ok(name) if is_trial && !self.build.has_partial(name) => {
                return Some(Node::Refused(Box::new(Refused { complaint: no_partial(name).into(), place })));
            }
            Ok(name) => (Target::Partial(self.build.partial(name, entry, encoded, place)?), Some(name)),
            Err(computed) if is_trial && !isolated => {
                let any = self.build.any_partial(entry.as_ref(), place);
                (Target::Computed { name: computed, any }, None)
            }
            Err(_) => {
                let help = "what a layout reads is known before it is rendered: choose by `{% if %}` or `{% case %}`";
                let message = "the name of a partial is written as a string";
                self.find(&code::PARTIAL_NAME, at, message, Some(help.to_owned()));
                return None;
            }
        };
        let subject = match (subject, own) {
            (Some((value, each)), _) => Some(Subject { value, each, name: bound }),
            // What has the name of the partial is its subject: Liquid says so of `include`, but nothing that is checked does, because
            // nobody would know whether a name is missing.
            (None, Some(name)) if is_trial && !isolated => {
                let base = Base::Name(self.name(name));
                let value = Operand::Path(Box::new(Path { base, steps: Vec::new(), place }));
                Some(Subject { value, each: false, name: bound })
            }
            (None, _) => None,
        };
        let place = self.place(tag.whole.clone());
        Some(Node::Call(Box::new(Call { target, isolated, subject, parameters, place })))
    }

    /// The names that hold what is ready for a URL where a partial begins.
    fn encoded_within(
        &self,
        isolated: bool,
        subject: Option<(&(Operand, bool), NameId)>,
        parameters: &[(NameId, Operand)],
    ) -> BTreeSet<NameId> {
        let mut encoded = if isolated { BTreeSet::new() } else { self.build.encoded.clone() };
        let subject = subject.map(|((value, each), name)| (name, !each && self.is_ready(value)));
        let parameters = parameters.iter().map(|(name, value)| (*name, self.is_ready(value)));
        for (name, is_ready) in subject.into_iter().chain(parameters) {
            if is_ready {
                encoded.insert(name);
            } else {
                encoded.remove(&name);
            }
        }
        encoded
    }

    /// What a partial that is called here needs to know of the place; a finding if it cannot stand here.
    ///
    /// What is called for each item of a list begins where it ended before.
    fn entry_of_partial(&mut self, tag: &Tag, is_repeated: bool) -> Option<Tracker> {
        let is_apart = !is_repeated && self.is_apart(tag);
        let tracker = self.tracker.as_mut()?;
        let mut begin = tracker.clone();
        if is_repeated {
            begin.called_before();
        }
        let entry = begin.for_partial(is_apart);
        tracker.called();
        if entry.is_none() {
            let help = "call it between tags, among the attributes of a tag or within a quoted attribute";
            let message = "a partial cannot stand here";
            self.find(&code::UNSAFE_PLACE, tag.whole.clone(), message, Some(help.to_owned()));
        }
        entry
    }

    /// Whether white space that is printed, or a `>`, follows a tag.
    fn is_apart(&self, tag: &Tag) -> bool {
        let written = cut(self.text, tag.whole.clone());
        let rest = self.text.get(tag.whole.end..).unwrap_or_default();
        let next = rest.trim_ascii_start();
        let is_trimmed = written.ends_with("-%}") || ["{{-", "{%-"].iter().any(|trims| next.starts_with(trims));
        // A line of `{% liquid %}` prints no line end.
        written.ends_with("%}") && (rest.starts_with('>') || (!is_trimmed && next.len() < rest.len()))
    }

    fn raw(&mut self, tag: &Tag, lexer: &mut Lexer<'s>, block: &mut Block) -> Made {
        let Some(range) = self.verbatim(tag, lexer, "endraw") else { return (None, true) };
        self.refuse_arguments("raw", tag);
        let text = self.follow(range, &mut block.nodes);
        (None, text.is_empty())
    }

    fn doc(&mut self, tag: &Tag, lexer: &mut Lexer<'s>) -> Option<Node> {
        let body = self.verbatim(tag, lexer, "enddoc")?;
        self.refuse_arguments("doc", tag);
        if cut(self.text, body.clone()).contains("{% doc %}") {
            self.find(&code::BAD_EXPRESSION, body, "`doc` does not nest", Some("close the outer one first".to_owned()));
        }
        None
    }

    /// A finding about what stands behind the name of a tag that takes nothing.
    fn refuse_arguments(&mut self, name: &str, tag: &Tag) {
        if !tag.markup.is_empty() {
            let (message, help) = (format!("`{name}` takes no arguments"), format!("write `{{% {name} %}}`"));
            self.find(&code::BAD_EXPRESSION, tag.markup.clone(), &message, Some(help));
        }
    }

    fn verbatim(&mut self, tag: &Tag, lexer: &mut Lexer<'s>, end: &str) -> Option<Range<usize>> {
        let body = if lexer.is_lines() { self.lines_until(lexer, end) } else { lexer.verbatim(end) };
        if body.is_none() {
            self.never_closed(tag);
        }
        body
    }

    fn lines_until(&mut self, lexer: &mut Lexer<'s>, end: &str) -> Option<Range<usize>> {
        let mut body: Option<Range<usize>> = None;
        while let Some(token) = lexer.next() {
            let Token::Tag(line) = token else { continue };
            if cut(self.text, line.name.clone()) == end {
                return Some(body.unwrap_or(line.whole.start..line.whole.start));
            }
            let start = body.map_or(line.whole.start, |body| body.start);
            body = Some(start..line.whole.end);
        }
        None
    }

    fn never_closed(&mut self, tag: &Tag) {
        let name = cut(self.text, tag.name.clone());
        self.find(&code::UNCLOSED, tag.whole.clone(), &format!("`{name}` is not closed by `end{name}`"), None);
    }

    fn comment(&mut self, tag: &Tag, lexer: &mut Lexer<'s>) -> Option<Node> {
        let mut depth = 1_usize;
        while depth > 0 {
            let Some(inner) = lexer.next_tag() else {
                self.never_closed(tag);
                return None;
            };
            match cut(self.text, inner.name.clone()) {
                "comment" => depth += 1,
                "endcomment" => depth -= 1,
                "raw" if !lexer.is_lines() => {
                    lexer.verbatim("endraw");
                }
                _ => {}
            }
        }
        None
    }

    fn remark(&mut self, tag: &Tag) -> Option<Node> {
        let mut at = tag.markup.start;
        for line in cut(self.text, tag.markup.clone()).split_inclusive('\n') {
            let content = line.trim();
            if at > tag.markup.start && !content.is_empty() && !content.starts_with('#') {
                let start = at + (line.len() - line.trim_start().len());
                let message = "every line of a comment begins with `#`";
                let help = "write `#` before it, or close the tag".to_owned();
                self.find(&code::BAD_EXPRESSION, start..start + content.len(), message, Some(help));
                break;
            }
            at += line.len();
        }
        None
    }
}

/// What a block prints that only has text.
fn literal_text(block: &Block) -> Option<String> {
    let texts = block.nodes.iter().map(|node| if let Node::Text(text, _) = node { Some(&**text) } else { None });
    texts.collect()
}

/// The words of `render` and `include`.
struct Words<'s> {
    /// As a string, or computed.
    name: Result<&'s str, Operand>,
    /// Where it stands.
    at: Range<usize>,
    /// What follows `with`, or `for`.
    subject: Option<(Operand, bool)>,
    alias: Option<&'s str>,
    parameters: Vec<(NameId, Operand)>,
}

/// `"name" for list as item, key: value`.
fn call_words<'s>(reader: &mut Reader<'s, '_>) -> Parsed<Words<'s>> {
    let start = reader.position();
    let name = match reader.string()? {
        Some(name) => Ok(name),
        None => Err(reader.operand()?),
    };
    let at = start..reader.position();
    let subject = if reader.take_word("with") {
        // `with key: value` has parameters and no subject.
        if reader.parameter_comes() { None } else { Some((reader.operand()?, false)) }
    } else if reader.take_word("for") {
        Some((reader.operand()?, true))
    } else {
        None
    };
    let alias = if reader.take_word("as") { Some(settable(reader)?) } else { None };
    let mut parameters = Vec::new();
    while !reader.at_end() {
        reader.take(",");
        if reader.at_end() {
            break;
        }
        let (key, _) = reader.word("a parameter")?;
        if !reader.take(":") {
            let at = reader.position();
            return trouble(at..at, "`:` is expected here, as in `name: value`");
        }
        parameters.push((reader.names.id(key), reader.operand()?));
    }
    Ok(Words { name, at, subject, alias, parameters })
}

/// Whether each of the values of a `when` is written out, and no other value of the same `case` is like it.
fn are_distinct(values: &[Operand], known: &mut Vec<String>) -> bool {
    values.iter().all(|value| {
        let written = format!("{value:?}");
        let is_new = !known.contains(&written);
        known.push(written);
        is_new && matches!(value, Operand::Text(_) | Operand::Int(_) | Operand::Bool(_) | Operand::Nil)
    })
}

/// `value, value or value`.
fn when_values(reader: &mut Reader<'_, '_>) -> Parsed<Vec<Operand>> {
    let mut values = vec![reader.operand()?];
    while reader.take(",") || reader.take_word("or") {
        values.push(reader.operand()?);
    }
    Ok(values)
}

struct Head {
    variable: NameId,
    series: String,
    over: Over,
    columns: Option<Operand>,
}

/// `item in list reversed limit: 2 offset: 1`.
fn loop_head(reader: &mut Reader<'_, '_>, columns_too: bool) -> Parsed<Head> {
    let variable_name = reader.word("a name")?.0.to_owned();
    if !reader.take_word("in") {
        let at = reader.position();
        return trouble(at..at, "`in` is expected here, as in `for item in list`");
    }
    reader.space();
    let start = reader.position();
    let items = reader.operand()?;
    let series = format!("{variable_name}-{}", reader.since(start));
    let variable = reader.names.id(&variable_name);
    let reversed = !columns_too && reader.take_word("reversed");
    let mut over = Over { items, limit: None, offset: None, reversed, series: 0 };
    let mut columns = None;
    while !reader.at_end() {
        if reader.take(",") {
            continue;
        }
        let known: &[&str] = if columns_too { &["cols", "limit", "offset"] } else { &["limit", "offset", "reversed"] };
        let (word, range) = reader.word(&format!("`{}`", known.join("`, `")))?;
        let has_value = reader.take(":");
        // What Liquid passes over, a trial passes over, too.
        if reader.is_trial() && !has_value && (columns_too || word == "reversed") {
            continue;
        }
        if !known.contains(&word) {
            if columns_too && reader.is_trial() {
                reader.operand()?;
                continue;
            }
            let kind = if columns_too { "`tablerow`" } else { "a loop" };
            return mended(range, format!("{kind} has no `{word}`"), did_you_mean(word, known.iter().copied()));
        }
        if word == "reversed" {
            return trouble(range, "`reversed` stands right behind the list, as in `for item in list reversed`");
        }
        if !has_value {
            let help = format!("write `{word}: 3`");
            return mended(range, format!("a colon is missing behind `{word}`"), Some(help));
        }
        match word {
            "limit" => over.limit = Some(reader.operand()?),
            "offset" if reader.take_word("continue") => over.offset = Some(Offset::Continue),
            "offset" => over.offset = Some(Offset::Value(reader.operand()?)),
            "cols" if columns_too => columns = Some(reader.operand()?),
            _ => return trouble(range, format!("a loop has no `{word}` with a value")),
        }
    }
    Ok(Head { variable, series, over, columns })
}
