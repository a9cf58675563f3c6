//! The drawings (SVG) and formulas (`MathML`) that an output stands in, in HTML, where most of HTML's own rules end
//! (WHATWG HTML, section 13.2.6.5).

/// More drawings within texts within drawings than this are not told apart.
const DEEPEST: usize = 16;

/// Elements that end a drawing wherever they begin: they can only be HTML.
const NEVER_INSIDE: [&str; 43] = [
    "b",
    "big",
    "blockquote",
    "body",
    "br",
    "center",
    "code",
    "dd",
    "div",
    "dl",
    "dt",
    "em",
    "embed",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "hr",
    "i",
    "img",
    "li",
    "listing",
    "menu",
    "meta",
    "nobr",
    "ol",
    "p",
    "pre",
    "ruby",
    "s",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tt",
    "u",
    "ul",
];

/// The elements around that change which rules hold, the outermost first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Foreign(Vec<&'static str>);

/// Where drawings and formulas begin.
const ROOTS: [&str; 2] = ["svg", "math"];

/// Within them, where HTML begins again.
const ISLANDS: [&str; 8] = ["foreignobject", "desc", "title", "mi", "mo", "mn", "ms", "mtext"];

impl Foreign {
    /// Whether an element of this name begins a drawing or a formula.
    pub(super) fn begins(element: &str) -> bool {
        ROOTS.contains(&element)
    }

    /// Whether this is in a drawing or a formula, and not in HTML within it.
    pub(super) fn is_inside(&self) -> bool {
        self.0.last().is_some_and(|name| ROOTS.contains(name))
    }

    /// Takes a tag that does not close itself; the name of an end tag begins with `/`.
    pub(super) fn tag(&mut self, name: &str) {
        if let Some(ended) = name.strip_prefix('/') {
            if let Some(at) = self.0.iter().rposition(|open| *open == ended) {
                self.0.truncate(at);
            } else if matches!(ended, "p" | "br") {
                self.leave();
            }
            return;
        }
        let known = |names: &[&'static str]| names.iter().find(|known| **known == name).copied();
        let entered = if self.is_inside() { known(&ISLANDS).or(known(&ROOTS)) } else { known(&ROOTS) };
        if let Some(entered) = entered.filter(|_| self.0.len() < DEEPEST) {
            self.0.push(entered);
        } else if self.is_inside() && NEVER_INSIDE.contains(&name) {
            self.leave();
        }
    }

    /// Back to the HTML around.
    fn leave(&mut self) {
        while self.is_inside() {
            self.0.pop();
        }
    }

    /// What is around after either of two branches.
    pub(super) fn join(&self, other: &Self) -> Self {
        let common = self.0.iter().zip(&other.0).take_while(|(one, other)| one == other);
        Self(common.map(|(name, _)| *name).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawings_end_where_html_begins() {
        let after = |tags: &str| {
            let mut foreign = Foreign::default();
            tags.split(' ').for_each(|tag| foreign.tag(tag));
            foreign.is_inside()
        };
        for tags in
            ["svg", "svg g", "svg /g", "math mrow", "svg title /title", "svg foreignobject svg", "svg title p /title"]
        {
            assert!(after(tags), "{tags}");
        }
        for tags in [
            "p",
            "title",
            "svg /svg",
            "svg p",
            "svg title",
            "svg foreignobject div",
            "math mi",
            "svg g /p",
            "svg svg /svg /svg",
        ] {
            assert!(!after(tags), "{tags}");
        }
    }
}
