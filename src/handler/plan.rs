//! Which source runs when, when a rule is decided, and how the gathering ends. Pure: it is told what happened.
//!
//! - A source runs as soon as those it mentions have settled. There are no waves.
//! - Rules are decided first to last, each as soon as the sources it reads and all rules before it are. One that holds ends
//!   the gathering at once.
//! - A source that fails for good ends the gathering too, unless a rule that does not need it may still hold. If several
//!   fail, the gravest decides (unauthorized, then not found, then failed), then the order of names. So sources that might
//!   weigh more are still waited for, and even begun, and no others: which source was quicker never shows in the answer.
//! - A rule that needs a failed source cannot be decided; neither can those after it.

use crate::site::{Route, Then, slots};
use crate::source::{Fatal, Http, Kind, Listing, OnError, OnNotFound, OnUnauthorized, Source};

/// What of a route's sources and rules does not change from request to request.
#[derive(Debug)]
pub(super) struct Graph {
    sources: Vec<Node>,
    rules: Vec<Needs>,
}

#[derive(Debug)]
struct Node {
    /// Those that must have settled before.
    after: Box<[usize]>,
    /// The lowest [`Fatal::rank`] that it can fail with; [`HARMLESS`] if it cannot.
    gravest: u8,
}

/// The rank of what cannot end a page.
const HARMLESS: u8 = u8::MAX;

#[derive(Debug)]
struct Needs {
    /// Sources that must have settled before the rule can be decided.
    condition: Box<[usize]>,
    /// Those that must have settled before it can be carried out.
    target: Box<[usize]>,
}

impl Graph {
    /// The graph of a route.
    pub(super) fn of(route: &Route) -> Self {
        let node =
            |planned: &crate::site::Planned| Node { after: planned.after.clone(), gravest: gravest(&planned.source) };
        let needs = |rule: &crate::site::Rule| Needs {
            condition: rule.after.clone(),
            target: match &rule.then {
                Then::Redirect { after, .. } => after.clone(),
                Then::Layout { layout, .. } => {
                    layout.slots.iter().flatten().filter_map(|slot| slot.checked_sub(slots::FIRST_SOURCE)).collect()
                }
                Then::Status(_) => Box::default(),
            },
        };
        Self { sources: route.sources.iter().map(node).collect(), rules: route.rules.iter().map(needs).collect() }
    }
}

fn gravest<R>(source: &Source<R>) -> u8 {
    let outcomes = &source.outcomes;
    let forwards = match &source.kind {
        Kind::Http(http) => Http::forwards_credential(http),
        // Its sources may.
        Kind::Route(asking) => asking.asked.personal.is_some(),
        Kind::Value(_) | Kind::Chosen(_) => false,
    };
    let refused = match outcomes.on_unauthorized {
        OnUnauthorized::Status | OnUnauthorized::Redirect(_) => 0,
        OnUnauthorized::Fail => 2,
        OnUnauthorized::Omit => HARMLESS,
    };
    let absent = match outcomes.on_not_found {
        OnNotFound::NotFound => 1,
        OnNotFound::Fail => 2,
        OnNotFound::Fallback | OnNotFound::Omit => HARMLESS,
    };
    let failed = if outcomes.on_error == OnError::Fail { 2 } else { HARMLESS };
    let refused = if forwards { refused } else { HARMLESS };
    // A page past the end is absent, whatever the source says of its own absence.
    let past_the_end = if source.listing.as_ref().is_some_and(Listing::may_be_absent) { 1 } else { HARMLESS };
    refused.min(absent).min(failed).min(past_the_end)
}

/// How far a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Settled,
    Failed,
}

/// How a gathering ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// Everything is there: the page is made.
    Complete,
    /// This rule holds.
    Rule(usize),
    /// The page cannot be made, because of this source.
    Failed(usize, Fatal),
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It is over.
    End(Ending),
    /// Begin these sources, then wait for one of those that run.
    Run(Vec<usize>),
}

/// One gathering under way.
#[derive(Debug)]
pub(super) struct Plan<'g> {
    graph: &'g Graph,
    states: Vec<State>,
    /// The first rule that is not decided.
    undecided: usize,
    /// The rule that holds, if one does.
    fired: Option<usize>,
    failure: Option<(usize, Fatal)>,
}

impl<'g> Plan<'g> {
    /// Nothing has begun.
    pub(super) fn new(graph: &'g Graph) -> Self {
        let states = vec![State::Waiting; graph.sources.len()];
        Self { graph, states, undecided: 0, fired: None, failure: None }
    }

    /// The source at `position` has a value.
    pub(super) fn settled(&mut self, position: usize) {
        self.states[position] = State::Settled;
    }

    /// The source at `position` has failed for good.
    pub(super) fn failed(&mut self, position: usize, fatal: Fatal) {
        self.states[position] = State::Failed;
        let weight = |(position, fatal): &(usize, Fatal)| (fatal.rank(), *position);
        let new = (position, fatal);
        if self.failure.as_ref().is_none_or(|known| weight(&new) < weight(known)) {
            self.failure = Some(new);
        }
    }

    /// What to do now. `holds` decides the rule at a position, whose sources have settled.
    pub(super) fn next(&mut self, mut holds: impl FnMut(usize) -> bool) -> Next {
        while self.fired.is_none()
            && let Some(needs) = self.graph.rules.get(self.undecided)
            && self.all_settled(&needs.condition)
        {
            if holds(self.undecided) {
                self.fired = Some(self.undecided);
            } else {
                self.undecided += 1;
            }
        }
        let wanted = self.wanted();
        if !wanted.contains(&true) {
            return Next::End(self.ending());
        }
        let mut begin = Vec::new();
        for (position, node) in self.graph.sources.iter().enumerate() {
            if self.states[position] == State::Waiting && wanted[position] && self.all_settled(&node.after) {
                self.states[position] = State::Running;
                begin.push(position);
            }
        }
        Next::Run(begin)
    }

    fn ending(&self) -> Ending {
        match (self.fired, &self.failure) {
            (Some(rule), _) if self.all_settled(&self.graph.rules[rule].target) => Ending::Rule(rule),
            (_, Some((position, fatal))) => Ending::Failed(*position, fatal.clone()),
            (Some(rule), None) => Ending::Rule(rule),
            (None, None) => Ending::Complete,
        }
    }

    /// Which unsettled sources can still make a difference.
    fn wanted(&self) -> Vec<bool> {
        let mut wanted = vec![false; self.states.len()];
        if let Some(rule) = self.fired {
            let target = &self.graph.rules[rule].target;
            // A target that cannot be had is a failure, which others may outrank.
            if !target.iter().any(|&position| self.is_lost(position)) {
                target.iter().for_each(|&position| self.want(position, &mut wanted));
                return wanted;
            }
        } else if self.failure.is_none() {
            (0..self.states.len()).for_each(|position| self.want(position, &mut wanted));
            return wanted;
        } else {
            for needs in self.graph.rules.iter().skip(self.undecided) {
                if needs.condition.iter().any(|&position| self.is_lost(position)) {
                    break;
                }
                needs.condition.iter().for_each(|&position| self.want(position, &mut wanted));
            }
        }
        if let Some((failed, fatal)) = &self.failure {
            for (position, node) in self.graph.sources.iter().enumerate() {
                if (node.gravest, position) < (fatal.rank(), *failed) {
                    self.want(position, &mut wanted);
                }
            }
        }
        wanted
    }

    /// Wants the source at `position`, and those it waits for.
    fn want(&self, position: usize, wanted: &mut [bool]) {
        let is_open = matches!(self.states[position], State::Waiting | State::Running);
        if !is_open || wanted[position] || self.is_lost(position) {
            return;
        }
        wanted[position] = true;
        self.graph.sources[position].after.iter().for_each(|&before| self.want(before, wanted));
    }

    /// Whether the source at `position` has failed, or waits for one that has.
    fn is_lost(&self, position: usize) -> bool {
        match self.states[position] {
            State::Failed => true,
            State::Waiting => self.graph.sources[position].after.iter().any(|&before| self.is_lost(before)),
            State::Running | State::Settled => false,
        }
    }

    fn all_settled(&self, positions: &[usize]) -> bool {
        positions.iter().all(|&position| self.states[position] == State::Settled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNAUTHORIZED: Fatal = Fatal::Unauthorized { status: 401 };
    const FAIL: Fatal = Fatal::Fail { late: false };

    fn graph(sources: &[(&[usize], u8)], rules: &[(&[usize], &[usize])]) -> Graph {
        let node = |(after, gravest): &(&[usize], u8)| Node { after: (*after).into(), gravest: *gravest };
        let needs = |(condition, target): &(&[usize], &[usize])| Needs {
            condition: (*condition).into(),
            target: (*target).into(),
        };
        Graph { sources: sources.iter().map(node).collect(), rules: rules.iter().map(needs).collect() }
    }

    fn run(positions: &[usize]) -> Next {
        Next::Run(positions.to_vec())
    }

    fn no(_rule: usize) -> bool {
        false
    }

    #[test]
    fn independent_sources_run_together_and_a_chain_in_order() {
        let graph = graph(&[(&[], 2), (&[0], 2), (&[], 2), (&[1, 2], 2)], &[]);
        let mut plan = Plan::new(&graph);
        assert_eq!(plan.next(no), run(&[0, 2]));
        plan.settled(0);
        assert_eq!(plan.next(no), run(&[1]), "it does not wait for 2, of which it reads nothing");
        plan.settled(1);
        assert_eq!(plan.next(no), run(&[]));
        plan.settled(2);
        assert_eq!(plan.next(no), run(&[3]));
        plan.settled(3);
        assert_eq!(plan.next(no), Next::End(Ending::Complete));
    }

    #[test]
    fn without_sources_it_ends_at_once() {
        assert_eq!(Plan::new(&graph(&[], &[])).next(no), Next::End(Ending::Complete));
        assert_eq!(Plan::new(&graph(&[], &[(&[], &[])])).next(|_| true), Next::End(Ending::Rule(0)));
    }

    #[test]
    fn a_rule_is_decided_as_soon_as_its_sources_are_there() {
        let graph = graph(&[(&[], 2), (&[], 2)], &[(&[0], &[])]);
        let mut plan = Plan::new(&graph);
        plan.next(no);
        plan.settled(0);
        assert_eq!(plan.next(|_| true), Next::End(Ending::Rule(0)), "source 1 still runs");
    }

    #[test]
    fn rules_are_decided_in_order_whichever_source_is_quicker() {
        let graph = graph(&[(&[], 2), (&[], 2)], &[(&[0], &[]), (&[1], &[])]);
        let mut plan = Plan::new(&graph);
        plan.next(no);
        plan.settled(1);
        assert_eq!(plan.next(|rule| rule == 1), run(&[]), "rule 0 comes first");
        plan.settled(0);
        assert_eq!(plan.next(|_| true), Next::End(Ending::Rule(0)));
    }

    #[test]
    fn a_rule_waits_for_what_its_target_mentions_and_for_nothing_else() {
        let graph = graph(&[(&[], 2), (&[], 2), (&[], 2)], &[(&[], &[1])]);
        let mut plan = Plan::new(&graph);
        assert_eq!(plan.next(|_| true), run(&[1]));
        plan.settled(1);
        assert_eq!(plan.next(|_| true), Next::End(Ending::Rule(0)));
    }

    #[test]
    fn the_gravest_failure_decides_whichever_source_is_quicker() {
        let graph = graph(&[(&[], 2), (&[], 1), (&[], 0)], &[]);
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            let mut plan = Plan::new(&graph);
            assert_eq!(plan.next(no), run(&[0, 1, 2]));
            for position in order {
                if plan.next(no) == run(&[]) {
                    plan.failed(position, [FAIL, Fatal::NotFound, UNAUTHORIZED][position].clone());
                }
            }
            assert_eq!(plan.next(no), Next::End(Ending::Failed(2, UNAUTHORIZED)), "{order:?}");
        }
    }

    #[test]
    fn of_equally_grave_failures_the_first_name_decides() {
        let graph = graph(&[(&[], 2), (&[], 2)], &[]);
        let mut plan = Plan::new(&graph);
        plan.next(no);
        plan.failed(1, Fatal::Fail { late: true });
        assert_eq!(plan.next(no), run(&[]), "source 0 comes before it");
        plan.failed(0, FAIL);
        assert_eq!(plan.next(no), Next::End(Ending::Failed(0, FAIL)));
    }

    #[test]
    fn what_cannot_outrank_a_failure_is_not_waited_for_and_what_can_is_even_begun() {
        let graph = graph(&[(&[], 2), (&[], HARMLESS), (&[1], 1), (&[0], 0)], &[]);
        let mut plan = Plan::new(&graph);
        assert_eq!(plan.next(no), run(&[0, 1]));
        plan.failed(0, FAIL);
        assert_eq!(plan.next(no), run(&[]), "2 may say not found, and waits for 1; 3 waits for 0 in vain");
        plan.settled(1);
        assert_eq!(plan.next(no), run(&[2]));
        plan.settled(2);
        assert_eq!(plan.next(no), Next::End(Ending::Failed(0, FAIL)));
    }

    #[test]
    fn a_rule_goes_before_a_failure_that_it_does_not_need() {
        let graph = graph(&[(&[], 2), (&[], HARMLESS)], &[(&[1], &[])]);
        let mut plan = Plan::new(&graph);
        plan.next(no);
        plan.failed(0, FAIL);
        assert_eq!(plan.next(|_| true), run(&[]));
        plan.settled(1);
        assert_eq!(plan.next(|_| true), Next::End(Ending::Rule(0)));
    }

    #[test]
    fn a_rule_that_needs_a_failed_source_ends_them_all() {
        let graph = graph(&[(&[], 2), (&[], HARMLESS)], &[(&[0], &[]), (&[1], &[])]);
        let mut plan = Plan::new(&graph);
        plan.next(no);
        plan.failed(0, FAIL);
        assert_eq!(plan.next(|_| true), Next::End(Ending::Failed(0, FAIL)));
    }
}
