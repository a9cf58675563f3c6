//! Nodes to [`Shape`]s: data whose strings may hold placeholders.

use super::binding::Shape;
use super::decode::Decode;
use super::node::{Kind, Node};
use super::placeholder::parse_template;
use crate::diagnostic::Findings;
use crate::value::{Text, Value};

impl Decode for Shape {
    const REMOVABLE: bool = false;

    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        Some(match &node.kind {
            Kind::String(text) => {
                let template = parse_template(text, node.place, findings)?;
                match template.as_literal() {
                    Some(text) => Self::Literal(Value::text(text)),
                    None => Self::Template(template),
                }
            }
            Kind::Array(items) => {
                let shapes: Vec<Option<Self>> = items.iter().map(|item| Self::decode(item, findings)).collect();
                let shapes: Vec<Self> = shapes.into_iter().collect::<Option<_>>()?;
                match shapes.iter().map(Self::as_literal).collect::<Option<Vec<_>>>() {
                    Some(values) => Self::Literal(Value::list(values)),
                    None => Self::List(shapes),
                }
            }
            Kind::Table(table) => {
                let member = |entry: &super::node::Entry, findings: &mut Findings| {
                    Some((Text::from(entry.key.value.as_str()), Self::decode(&entry.node, findings)?))
                };
                let members: Vec<Option<(Text, Self)>> = table.iter().map(|entry| member(entry, findings)).collect();
                let members: Vec<(Text, Self)> = members.into_iter().collect::<Option<_>>()?;
                let literal = |(key, member): &(Text, Self)| Some((key.clone(), member.as_literal()?));
                match members.iter().map(literal).collect::<Option<Vec<_>>>() {
                    Some(pairs) => Self::Literal(Value::Object(pairs.into_iter().collect())),
                    None => Self::Object(members),
                }
            }
            Kind::Int(_) | Kind::Float(_) | Kind::Bool(_) | Kind::Datetime(_) => Self::Literal(node.to_value()),
        })
    }
}

impl Shape {
    fn as_literal(&self) -> Option<Value> {
        if let Self::Literal(value) = self { Some(value.clone()) } else { None }
    }
}
