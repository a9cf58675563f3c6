//! Routes that no request reaches, because others answer all of their URLs before them.

use super::super::Routers;
use super::super::code;
use crate::diagnostic::{Finding, Findings, Place};
use crate::router::{Pattern, Routing};

/// A pattern whose URLs can be counted: every parameter is one of a few values.
pub(super) struct Finite {
    /// The route it belongs to.
    route: usize,
    host: Option<String>,
    pattern: Pattern,
    place: Place,
}

impl Finite {
    /// The pattern, if its URLs can be counted and it has any parameter.
    pub(super) fn of(pattern: &Pattern, host: Option<&str>, place: Place, route: usize) -> Option<Self> {
        let mut names = pattern.names();
        let is_finite =
            names.len() > 0 && names.all(|name| pattern.input_type(name).is_some_and(|kind| kind.choices().is_some()));
        is_finite.then(|| Self { route, host: host.map(str::to_owned), pattern: pattern.clone(), place })
    }

    /// Every combination of values, in the order of the parameters. Patterns bound their number when they are read.
    fn combinations(&self) -> Vec<Vec<(&str, &str)>> {
        let mut all = vec![Vec::new()];
        for name in self.pattern.names() {
            let choices = self.pattern.input_type(name).and_then(|kind| kind.choices());
            let choices: Vec<&str> = choices.into_iter().flatten().collect();
            all = all
                .into_iter()
                .flat_map(|begun: Vec<(&str, &str)>| {
                    choices.iter().map(move |choice| {
                        let mut longer = begun.clone();
                        longer.push((name, *choice));
                        longer
                    })
                })
                .collect();
        }
        all
    }
}

/// Warns of patterns none of whose URLs leads to their own route. `places` are the paths of all routes.
pub(super) fn warn(finite: &[Finite], routers: &Routers, places: &[Option<Place>], findings: &mut Findings) {
    for counted in finite {
        let Finite { route, host, pattern, place } = counted;
        let mut others = Vec::new();
        let reached = counted.combinations().iter().any(|values| {
            let value_of = |name: &str| values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            let path = pattern.build(routers.slash(), value_of);
            let routing = path.as_ref().map(|path| routers.route(host.as_deref(), path.as_path().as_str()));
            let found = if let Some(Routing::Matched(found)) = routing { Some(*found.route) } else { None };
            others.extend(found.filter(|found| found != route));
            found.is_none_or(|found| found == *route)
        });
        if reached {
            continue;
        }
        let message = format!("no request reaches `{}`: other routes answer all of its URLs", pattern.as_str());
        let mut finding = Finding::new(&code::SHADOWED, *place, message)
            .help("remove this route or the others, or add the value that is missing to `enum`");
        others.sort_unstable();
        others.dedup();
        for other in others.into_iter().filter_map(|other| places.get(other).copied().flatten()).take(5) {
            finding = finding.related(other, "answers before it");
        }
        findings.push(finding);
    }
}
