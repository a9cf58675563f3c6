//! Values that are the same for every request, because the site itself declares them: `vars.cdn`, `site.url`. They may say where a script
//! comes from, as what a layout writes out does; the policy of the page names what they say.
//!
//! A variable of the layout may bear the same name. Whether one does is known once all that a layout calls has been read.

use super::code;
use super::context::Stand;
use super::escape::Sink;
use super::expr::Names;
use super::tree::{Base, Block, Call, Chain, NameId, Node, Operand, Step};
use crate::diagnostic::{Finding, Place};

/// A fixed value that was let stand where only such ones may.
pub(super) struct Fixed {
    name: NameId,
    place: Place,
}

impl Fixed {
    /// A chain that prints a fixed value at `place`, if it is one and may stand there as such.
    pub(super) fn of(chain: &Chain, stand: Stand, names: &Names, place: Place) -> Option<Self> {
        let (Operand::Path(path), []) = (&chain.value, chain.filters.as_slice()) else { return None };
        let Base::Name(name) = path.base else { return None };
        let is_key = |step: &Step| matches!(step, Step::Key { .. });
        let is_url = || matches!(path.steps.as_slice(), [Step::Key { key, .. }] if &**key == "url");
        let is_fixed = names.find("vars") == Some(name) && !path.steps.is_empty() && path.steps.iter().all(is_key)
            || names.find("site") == Some(name) && is_url();
        let may_stand = matches!(stand, Stand::OnlyOwn(Sink::Url(_) | Sink::XmlUrl(_), ..));
        (is_fixed && may_stand).then_some(Self { name, place })
    }

    /// A finding if one of `blocks` gives the name to something else.
    pub(super) fn check<'b>(&self, names: &Names, mut blocks: impl Iterator<Item = &'b Block>) -> Option<Finding> {
        let name = names.all().get(self.name.index())?;
        blocks.any(|block| sets(block, self.name)).then(|| {
            let message = format!("`{name}` may be a variable of the layout here, which could choose what runs");
            let help = format!("give the variable called `{name}` another name");
            Finding::new(&code::UNSAFE_PLACE, self.place, message).help(help)
        })
    }
}

/// Whether something in a block sets a variable of this name.
fn sets(block: &Block, name: NameId) -> bool {
    block.nodes.iter().any(|node| match node {
        Node::Text(..) | Node::Guard(_) | Node::Output(_) | Node::Cycle(_) => false,
        Node::Break | Node::Continue | Node::Refused(_) => false,
        Node::If(branches) => branches.iter().any(|branch| sets(&branch.body, name)),
        Node::Case(case) => case.arms.iter().any(|arm| sets(&arm.body, name)),
        Node::For(node) => {
            let otherwise = node.otherwise.as_ref();
            node.variable == name || sets(&node.body, name) || otherwise.is_some_and(|block| sets(block, name))
        }
        Node::TableRow(node) => node.variable == name || sets(&node.body, name),
        Node::Assign { name: set, .. } | Node::Count { name: set, .. } => *set == name,
        Node::Capture { name: set, body, .. } => *set == name || sets(body, name),
        Node::IfChanged { body, .. } => sets(body, name),
        Node::Call(call) => binds(call, name),
    })
}

fn binds(call: &Call, name: NameId) -> bool {
    let of_subject = call.subject.as_ref().and_then(|subject| subject.name);
    of_subject == Some(name) || call.parameters.iter().any(|(parameter, _)| *parameter == name)
}
