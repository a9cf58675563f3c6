//! What each selector of an extraction finds in a document, for whoever looks for a mistake: no value is made of it here.

use super::extraction::{Each, Extraction, Field, Fields, Kept, Path, Presence, Select};
use super::kind::Type;
use super::select::{Budget, Selector, TooMuchWork};
use crate::value::Value;

/// So many records are looked at, and so many values of a list are shown.
const MOST: usize = 20;

/// What one selector finds.
#[derive(Debug, Clone)]
pub struct Step {
    /// The field that it is for; `items.price` for a field of each record. Empty if what is selected is the source's whole value.
    pub field: String,
    /// The selector, as it was written.
    pub selector: String,
    /// What the value must be.
    pub kind: Option<Type>,
    /// What it means that nothing is found.
    pub presence: Presence,
    /// Whether something stands for what is not found.
    pub has_default: bool,
    /// What it found.
    pub found: Found,
}

/// What a selector finds.
#[derive(Debug, Clone)]
pub enum Found {
    /// Nothing at all.
    Nothing,
    /// So many values, of which these are the first.
    Values {
        /// How many there are.
        count: usize,
        /// The first of them.
        first: Vec<Value>,
        /// The first that is not of the declared type, or is `null`.
        misfit: Option<Value>,
        /// Of how many records it found nothing that fits.
        lacking: usize,
    },
    /// It gave up.
    TooMuch,
}

impl Extraction {
    /// What each of its selectors finds in `document`, in the order in which they were declared.
    pub fn steps(&self, document: &Value) -> Vec<Step> {
        let mut steps = Vec::new();
        let budget = Budget::default();
        match self.kept() {
            Kept::Whole(selector) => steps.push(Step {
                field: String::new(),
                selector: selector.to_string(),
                kind: None,
                presence: Presence::Optional,
                has_default: false,
                found: found(selector, None, &[document], &budget),
            }),
            Kept::Fields(fields) => of_fields(fields, &[document], &Path::Root, &budget, &mut steps),
            Kept::Each(each) => of_each(each, &[document], &Path::Root, &budget, &mut steps),
        }
        steps
    }
}

fn of_fields(fields: &Fields, documents: &[&Value], path: &Path<'_>, budget: &Budget, steps: &mut Vec<Step>) {
    for (name, field) in (0..fields.fields().len()).filter_map(|position| fields.field(position)) {
        let path = Path::Field(path, name);
        match field {
            Field::Select(select) => of_select(select, documents, &path, budget, steps),
            Field::Each(each) => of_each(each, documents, &path, budget, steps),
        }
    }
}

fn of_select(select: &Select, documents: &[&Value], path: &Path<'_>, budget: &Budget, steps: &mut Vec<Step>) {
    for selector in &select.selectors {
        // A list of several nodes is of the declared type item by item.
        let kind = select.kind.filter(|kind| selector.is_singular() || *kind != Type::List);
        let found = found(selector, kind, documents, budget);
        let is_enough = matches!(&found, Found::Values { lacking: 0, .. });
        steps.push(Step {
            field: path.to_string(),
            selector: selector.to_string(),
            kind: select.kind,
            presence: select.presence,
            has_default: select.default.is_some(),
            found,
        });
        // The others are not asked.
        if is_enough {
            return;
        }
    }
}

fn of_each(each: &Each, documents: &[&Value], path: &Path<'_>, budget: &Budget, steps: &mut Vec<Step>) {
    steps.push(Step {
        field: path.to_string(),
        selector: each.each.to_string(),
        kind: None,
        presence: each.presence,
        has_default: false,
        found: found(&each.each, None, documents, budget),
    });
    let records = documents.iter().filter_map(|document| each.each.all(document, budget).ok()).flatten();
    let records: Vec<&Value> = records.take(MOST).collect();
    if !records.is_empty() {
        of_fields(&each.fields, &records, path, budget, steps);
    }
}

/// What a selector finds in all of these.
fn found(selector: &Selector, kind: Option<Type>, documents: &[&Value], budget: &Budget) -> Found {
    let fits = |node: &Value| kind.map_or(!node.is_null(), |kind| kind.fit(node).is_some());
    let (mut count, mut first, mut misfit, mut lacking) = (0, Vec::new(), None, 0);
    for document in documents {
        let nodes = match selector.all(document, budget) {
            Ok(nodes) => nodes,
            Err(TooMuchWork) => return Found::TooMuch,
        };
        lacking += usize::from(!nodes.iter().any(|node| fits(node)));
        misfit = misfit.or_else(|| nodes.iter().find(|node| !fits(node)).map(|node| (*node).clone()));
        count += nodes.len();
        let room = MOST - first.len().min(MOST);
        first.extend(nodes.into_iter().take(room).cloned());
    }
    if count == 0 { Found::Nothing } else { Found::Values { count, first, misfit, lacking } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{JsonLimits, Text, parse_json};

    fn field(texts: &[&str], kind: Option<Type>) -> Select {
        let selectors = texts.iter().map(|text| Selector::compile(text).unwrap()).collect();
        Select { selectors, kind, default: None, presence: Presence::Optional, take_first: false }
    }

    fn fields(named: Vec<(Text, Field)>) -> Fields {
        Fields::new(named).unwrap()
    }

    fn told(extraction: &Extraction, document: &str) -> Vec<String> {
        let tell = |step: Step| {
            let found = match step.found {
                Found::Nothing => "nothing".to_owned(),
                Found::TooMuch => "too much".to_owned(),
                Found::Values { count, misfit, lacking, .. } => {
                    format!("{count}, misfit {}, lacking {lacking}", misfit.is_some())
                }
            };
            format!("{} {}: {found}", step.field, step.selector)
        };
        extraction.steps(&parse_json(document, JsonLimits::default()).unwrap()).into_iter().map(tell).collect()
    }

    #[test]
    fn each_selector_tells_what_it_finds() {
        let price = field(&["$.price"], Some(Type::Int));
        let title = field(&["$.name", "$.title"], None);
        let records = fields(vec![("price".into(), Field::Select(price))]);
        let each = Selector::compile("$.items[*]").unwrap();
        let each = Each { each, fields: records, presence: Presence::Required };
        let all = vec![("title".into(), Field::Select(title)), ("items".into(), Field::Each(each))];
        let extraction = Extraction::new(Kept::Fields(fields(all)));
        assert_eq!(
            told(&extraction, r#"{"title":"a","items":[{"price":1},{"price":"x"},{}]}"#),
            [
                "title $.name: nothing",
                "title $.title: 1, misfit false, lacking 0",
                "items $.items[*]: 3, misfit false, lacking 0",
                "items.price $.price: 2, misfit true, lacking 2",
            ]
        );
        assert_eq!(
            told(&extraction, r#"{"name":null,"items":[]}"#),
            ["title $.name: 1, misfit true, lacking 1", "title $.title: nothing", "items $.items[*]: nothing"]
        );
    }

    #[test]
    fn a_whole_value_has_one_step() {
        let extraction = Extraction::new(Kept::Whole(Selector::compile("$.data").unwrap()));
        assert_eq!(told(&extraction, r#"{"data":[1,2]}"#), [" $.data: 1, misfit false, lacking 0"]);
    }
}
