//! Calls of partials: what they see, what is bound for them, and how often they run.

use super::{Flow, Items, Ran, Run, refused};
use crate::render::Buffer;
use crate::render::program::no_partial;
use crate::render::scope::LoopState;
use crate::render::tree::{Block, Call, NameId, Target};
use crate::render::val::{Val, View};

impl<'r> Run<'r, '_> {
    pub(super) fn call(&mut self, call: &'r Call, out: &mut Buffer) -> Ran<Flow> {
        self.near = call.place;
        match &call.target {
            Target::Partial(partial) => {
                let Some(partial) = self.program.partials.get(*partial as usize) else { return Ok(Flow::On) };
                if call.isolated {
                    return self.render(call, &partial.body, out);
                }
                let subject = call.subject.as_ref().map(|subject| (subject.name, self.operand(&subject.value)));
                self.include(call, &partial.body, subject, out)
            }
            Target::Computed { name, any } => self.computed(call, &self.operand(name), any, out),
        }
    }

    /// `{% include name %}`: its subject has the name of the partial, as that of any other.
    fn computed(&mut self, call: &'r Call, name: &Val<'r>, any: &[u32], out: &mut Buffer) -> Ran<Flow> {
        let View::Str(name, _) = name.view() else {
            return refused("the name of a partial is a string", call.place);
        };
        let mut any = any.iter().filter_map(|partial| self.program.partials.get(*partial as usize));
        let Some(partial) = any.find(|partial| *partial.name == *name) else {
            return refused(&no_partial(name), call.place);
        };
        let own = self.id_of(name.rsplit('/').next().unwrap_or(name));
        let subject = match &call.subject {
            Some(subject) => (subject.name.or(own), self.operand(&subject.value)),
            None => (own, self.named(name)),
        };
        self.include(call, &partial.body, Some(subject), out)
    }

    fn render(&mut self, call: &'r Call, body: &'r Block, out: &mut Buffer) -> Ran<Flow> {
        let subject = call.subject.as_ref().map(|subject| (subject, self.operand(&subject.value)));
        let subject = match subject {
            Some((subject, val))
                if subject.each && matches!(val.view(), View::List(_) | View::Range(..) | View::Object(_)) =>
            {
                let items = Items::of(val);
                let length = items.len();
                return self.render_each(call, body, &items, length, out);
            }
            // What is nil is not there: a parameter of the same name is.
            Some((subject, val)) => subject.name.filter(|_| !val.is_nil()).map(|name| (name, val)),
            None => None,
        };
        self.rendered(call, body, subject, None, out)
    }

    fn render_each(
        &mut self,
        call: &'r Call,
        body: &'r Block,
        items: &Items<'r>,
        length: i64,
        out: &mut Buffer,
    ) -> Ran<Flow> {
        let Some(variable) = call.subject.as_ref().and_then(|subject| subject.name) else { return Ok(Flow::On) };
        let name = match &call.target {
            Target::Partial(partial) => {
                self.program.partials.get(*partial as usize).map_or("", |partial| &partial.name)
            }
            Target::Computed { .. } => "",
        };
        for index in 0..length {
            let state = LoopState { name, length, index, parent: None, columns: None };
            let item = Some((variable, items.get(index))).filter(|(_, item)| !item.is_nil());
            self.rendered(call, body, item, Some(state), out)?;
        }
        Ok(Flow::On)
    }

    /// Runs a partial in a frame of its own.
    fn rendered(
        &mut self,
        call: &'r Call,
        body: &'r Block,
        subject: Option<(NameId, Val<'r>)>,
        state: Option<LoopState<'r>>,
        out: &mut Buffer,
    ) -> Ran<Flow> {
        self.iterate(call.place)?;
        let mut parameters = [const { None }; 8];
        let mut more = Vec::new();
        for (at, (name, operand)) in call.parameters.iter().enumerate() {
            let bound = Some((*name, self.operand(operand)));
            match parameters.get_mut(at) {
                Some(slot) => *slot = bound,
                None => more.push(bound),
            }
        }
        let outer = self.scope.enter();
        let loop_at = self.loop_at.take();
        let rendering = std::mem::replace(&mut self.rendering, true);
        // Its cycles begin anew, and so do its loops that continue another; it has printed nothing that could have changed.
        let (cycles, series) = (std::mem::take(&mut self.cycles), std::mem::take(&mut self.series));
        let changed = self.changed.take();
        for (name, val) in parameters.into_iter().chain(more).flatten().chain(subject) {
            self.scope.assign(name, val);
        }
        if let Some(state) = state {
            let at = u32::try_from(self.scope.loops.len()).unwrap_or(u32::MAX);
            self.scope.loops.push(state);
            if let Some(forloop) = self.program.forloop {
                self.scope.assign(forloop, Val::Loop(at));
            }
        }
        let result = self.block(body, out);
        if state.is_some() {
            self.scope.loops.pop();
        }
        self.loop_at = loop_at;
        self.rendering = rendering;
        (self.cycles, self.series, self.changed) = (cycles, series, changed);
        self.scope.leave(outer);
        self.bounded(out, call.place)?;
        // A `break` ends the partial, not its caller's loop.
        result.map(|_| Flow::On)
    }

    fn include(
        &mut self,
        call: &'r Call,
        body: &'r Block,
        subject: Option<(Option<NameId>, Val<'r>)>,
        out: &mut Buffer,
    ) -> Ran<Flow> {
        if self.strict && self.rendering {
            return refused("a partial that `render` calls cannot `include` another", call.place);
        }
        let kept = self.hidden.len();
        for (name, operand) in &call.parameters {
            let val = self.operand(operand).settled();
            let before = self.scope.bind(*name, Some(val));
            self.hidden.push((*name, before));
        }
        let flow = match subject {
            None => self.included(call, body, out),
            Some((name, val)) => {
                let outer = name.and_then(|name| self.scope.bind(name, None));
                let flow = if matches!(val.view(), View::List(_) | View::Pair(..)) {
                    self.include_each(call, body, name, val, out)
                } else {
                    name.map(|name| self.scope.bind(name, Some(val)));
                    self.included(call, body, out)
                };
                name.map(|name| self.scope.bind(name, outer));
                flow
            }
        };
        while self.hidden.len() > kept
            && let Some((name, val)) = self.hidden.pop()
        {
            self.scope.bind(name, val);
        }
        flow
    }

    fn include_each(
        &mut self,
        call: &'r Call,
        body: &'r Block,
        name: Option<NameId>,
        list: Val<'r>,
        out: &mut Buffer,
    ) -> Ran<Flow> {
        let items = Items::of(list);
        for index in 0..items.len() {
            name.map(|name| self.scope.bind(name, Some(items.get(index))));
            let flow = self.included(call, body, out)?;
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn included(&mut self, call: &'r Call, body: &'r Block, out: &mut Buffer) -> Ran<Flow> {
        self.iterate(call.place)?;
        let flow = self.block(body, out)?;
        self.bounded(out, call.place)?;
        Ok(flow)
    }
}
