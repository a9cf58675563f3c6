//! The drawings (SVG) and formulas (`MathML`) that an output stands in, in HTML, where most of HTML's own rules end
//! (WHATWG HTML, section 13.2.6.5), and the elements in which browsers pass over what they would read elsewhere.
//!
//! Which elements are open around a drawing is not known. Where an end tag could end one of them, and the drawing with it, it says
//! that it is lost: the few tags that mean something else in a drawing are refused then.

use super::said::{Said, Word};

/// Elements within a drawing beyond which they are not told apart.
const DEEPEST: usize = 64;

/// Elements that end a drawing wherever they begin: they can only be HTML.
const NEVER_INSIDE: [&str; 44] = [
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
    "var",
];

/// Elements that have no end tag.
pub(super) const VOID: [&str; 18] = [
    "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input", "keygen", "link",
    "meta", "param", "source", "track", "wbr",
];

/// Where drawings and formulas begin.
const ROOTS: [(&str, Space); 2] = [("svg", Space::Svg), ("math", Space::Math)];

/// Where tags are passed over that browsers would read elsewhere.
const PICKY: [&str; 2] = ["frameset", "select"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Space {
    Html,
    Svg,
    Math,
}

/// Which elements begin within an element of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// Its own kind.
    Own,
    /// Those of HTML.
    Html,
    /// Those of HTML, but for two.
    Text,
    /// Its own kind, and drawings.
    Drawings,
}

impl Holds {
    /// What an element holds that says this of itself.
    fn of(name: &str, space: Space, said: &Said) -> Self {
        let is_html = |encoding: &str| matches!(encoding, "text/html" | "application/xhtml+xml");
        match (space, name) {
            (Space::Svg, "foreignobject" | "desc" | "title") => Self::Html,
            (Space::Math, "mi" | "mo" | "mn" | "ms" | "mtext") => Self::Text,
            (Space::Math, "annotation-xml") => match said.get("encoding") {
                Some(Word::Known(words)) if words.iter().all(|encoding| is_html(encoding)) => Self::Html,
                _ => Self::Drawings,
            },
            _ => Self::Own,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Open {
    name: Box<str>,
    space: Space,
    holds: Holds,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Around {
    /// These, the outermost first, which is a drawing or a formula; none outside of those.
    Known(Vec<Open>),
    /// It is not known whether this is in a drawing. An end tag of this name tells, or an element that stands in none.
    Lost(Option<Box<str>>),
}

/// What is open around.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Foreign {
    around: Around,
    is_picky: bool,
    /// Whether this is in a `<noscript>`, of which browsers that run scripts read nothing but its end.
    in_noscript: bool,
}

impl Default for Foreign {
    fn default() -> Self {
        Self { around: Around::Known(Vec::new()), is_picky: false, in_noscript: false }
    }
}

/// Whether an element of this name begins a drawing or a formula.
fn root(name: &str) -> Option<Space> {
    ROOTS.iter().find(|(root, _)| *root == name).map(|(_, space)| *space)
}

impl Foreign {
    fn top(&self) -> Option<&Open> {
        match &self.around {
            Around::Known(open) => open.last(),
            Around::Lost(_) => None,
        }
    }

    /// Whether the innermost element is one of a drawing or a formula.
    pub(super) fn is_inside(&self) -> bool {
        self.top().is_some_and(|top| top.space != Space::Html)
    }

    /// Whether a tag of this name begins an element of HTML here.
    pub(super) fn takes_as_html(&self, name: &str) -> bool {
        self.top().is_none_or(|top| match top.holds {
            _ if top.space == Space::Html => true,
            Holds::Html => true,
            Holds::Text => !matches!(name, "mglyph" | "malignmark"),
            Holds::Drawings => name == "svg",
            Holds::Own => false,
        })
    }

    /// Whether a `/` before the `>` ends an element of this name.
    pub(super) fn ends_itself(&self, name: &str) -> bool {
        root(name).is_some() || !self.takes_as_html(name)
    }

    /// Whether it is not known if this is in a drawing.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self.around, Around::Lost(_))
    }

    /// Whether browsers may pass over the tag of an element whose content is not markup, and then read the content as markup.
    pub(super) fn passes_over(&self, name: &str) -> bool {
        self.is_picky && name != "script" && self.takes_as_html(name)
    }

    /// Whether this is in what browsers that run scripts do not read.
    pub(super) fn in_noscript(&self) -> bool {
        self.in_noscript
    }

    /// Whether this name is one of those that matter here.
    pub(super) fn knows(name: &str) -> bool {
        let islands = ["foreignobject", "desc", "title", "mi", "mo", "mn", "ms", "mtext", "annotation-xml", "font"];
        root(name).is_some() || islands.contains(&name) || PICKY.contains(&name)
    }

    /// What a partial needs to know of it: the names of what is around do not matter to it, which ends nothing that it has not begun.
    pub(super) fn for_partial(&self) -> Self {
        let around = match &self.around {
            Around::Lost(_) => Around::Lost(None),
            Around::Known(open) => match open.last() {
                Some(top) if top.space != Space::Html => {
                    let name = if top.holds == Holds::Own { "" } else { &*top.name };
                    Around::Known(vec![Open { name: name.into(), ..top.clone() }])
                }
                _ => Around::Known(Vec::new()),
            },
        };
        Self { around, ..*self }
    }

    /// Whether what is around is what was at `entry`.
    pub(super) fn returns_to(&self, entry: &Self) -> bool {
        self.around == entry.around
    }

    /// Takes the tag that begins an element, and ends it, too, if it `closes_itself`.
    pub(super) fn start(&mut self, name: &str, closes_itself: bool, said: &Said) {
        let as_html = self.takes_as_html(name);
        self.is_picky |= as_html && PICKY.contains(&name);
        self.in_noscript |= as_html && name == "noscript";
        match &self.around {
            Around::Lost(root) => {
                // Outside of a drawing now, if it was one without HTML inside.
                if root.is_some() && NEVER_INSIDE.contains(&name) {
                    self.around = Around::Known(Vec::new());
                } else if Self::knows(name) && !closes_itself {
                    self.around = Around::Lost(None);
                }
            }
            Around::Known(_) if as_html => self.begin_in_html(name, closes_itself),
            Around::Known(_) => {
                let is_unclear = said.is_unclear() && matches!(name, "font" | "annotation-xml");
                if NEVER_INSIDE.contains(&name) || (name == "font" && !said.is_empty() && !is_unclear) {
                    self.leave();
                    self.begin_in_html(name, false);
                } else if is_unclear {
                    self.around = Around::Lost(None);
                } else if !closes_itself {
                    let space = self.top().map_or(Space::Html, |top| top.space);
                    self.push(name, space, Holds::of(name, space, said));
                }
            }
        }
    }

    fn begin_in_html(&mut self, name: &str, closes_itself: bool) {
        let is_outside = matches!(&self.around, Around::Known(open) if open.is_empty());
        match root(name) {
            Some(_) if closes_itself => {}
            // Not every browser knows drawings in there.
            Some(_) if self.is_picky => self.around = Around::Lost(is_outside.then(|| name.into())),
            Some(space) => self.push(name, space, Holds::Own),
            None if is_outside || VOID.contains(&name) => {}
            None => self.push(name, Space::Html, Holds::Own),
        }
    }

    fn push(&mut self, name: &str, space: Space, holds: Holds) {
        match &mut self.around {
            Around::Known(open) if open.len() < DEEPEST => open.push(Open { name: name.into(), space, holds }),
            Around::Known(_) | Around::Lost(_) => self.lose(),
        }
    }

    /// Takes the tag that ends an element.
    pub(super) fn end(&mut self, name: &str) {
        self.is_picky &= !PICKY.contains(&name);
        self.in_noscript &= name != "noscript";
        match &mut self.around {
            Around::Lost(root) => {
                if root.as_deref() == Some(name) {
                    self.around = Around::Known(Vec::new());
                }
            }
            Around::Known(open) => {
                let Some(top) = open.last() else { return };
                let found = if top.space == Space::Html {
                    (*top.name == *name).then(|| open.len() - 1)
                } else {
                    let own = open.iter().rposition(|one| one.space == Space::Html).map_or(0, |at| at + 1);
                    open.iter().rposition(|one| *one.name == *name).filter(|&at| at >= own)
                };
                match found {
                    Some(at) => open.truncate(at),
                    // It could end something around the drawing, or nothing.
                    None => self.lose(),
                }
            }
        }
    }

    /// Back to the HTML around.
    fn leave(&mut self) {
        if let Around::Known(open) = &mut self.around {
            while open
                .last()
                .is_some_and(|top| top.space != Space::Html && !matches!(top.holds, Holds::Html | Holds::Text))
            {
                open.pop();
            }
        }
    }

    /// From here on it is not known whether this is in a drawing.
    fn lose(&mut self) {
        self.around = Around::Lost(self.sole_root().map(Into::into));
    }

    /// The name of the drawing around, if there is no HTML in it; empty outside of all.
    fn sole_root(&self) -> Option<&str> {
        match &self.around {
            Around::Lost(root) => root.as_deref(),
            Around::Known(open) => {
                let is_pure = open.iter().all(|one| one.holds == Holds::Own && one.space != Space::Html);
                let name = open.first().map_or("", |root| &*root.name);
                (is_pure && name.is_empty() == open.is_empty()).then_some(name)
            }
        }
    }

    /// What is around after either of two branches.
    pub(super) fn join(&self, other: &Self) -> Self {
        let is_picky = self.is_picky || other.is_picky;
        let in_noscript = self.in_noscript || other.in_noscript;
        if self.around == other.around {
            return Self { is_picky, in_noscript, ..self.clone() };
        }
        let root = match (self.sole_root(), other.sole_root()) {
            (Some(one), Some("")) => Some(one),
            (Some(one), Some(other)) if one.is_empty() || one == other => Some(other),
            _ => None,
        };
        Self { around: Around::Lost(root.map(Into::into)), is_picky, in_noscript }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is around after tags such as `svg g/ /g`.
    fn after(tags: &str) -> Foreign {
        let mut foreign = Foreign::default();
        for tag in tags.split(' ') {
            let mut said = Said::default();
            let (tag, attribute) = tag.split_once('=').unwrap_or((tag, ""));
            let name = tag.trim_end_matches('/');
            if !attribute.is_empty() {
                let decider = if name == "font" { "size" } else { "encoding" };
                said.take(name, decider, Word::of(attribute));
            }
            match name.strip_prefix('/') {
                Some(name) => foreign.end(name),
                None => foreign.start(name, name.len() < tag.len() && foreign.ends_itself(name), &said),
            }
        }
        foreign
    }

    #[test]
    fn drawings_end_where_html_begins() {
        for tags in [
            "svg",
            "svg g",
            "svg g /g",
            "svg g/ path /path",
            "math mrow",
            "svg foreignobject svg",
            "svg title",
            "svg title p /p",
            "svg title /title",
            "svg font",
            "math annotation-xml svg",
            "math mi mglyph",
            "math mi",
            "svg desc/",
            "svg foreignobject p br/ /p /foreignobject g",
        ] {
            assert!(after(tags).is_inside() && !after(tags).is_lost(), "{tags}");
        }
        for tags in [
            "p",
            "title",
            "svg/",
            "svg /svg",
            "svg g /svg",
            "svg p",
            "svg br/",
            "svg var",
            "svg font=1",
            "svg foreignobject div",
            "svg title p",
            "svg svg /svg /svg",
            "math annotation-xml=text/html p",
            "math mi p",
        ] {
            assert!(!after(tags).is_inside() && !after(tags).is_lost(), "{tags}");
        }
    }

    #[test]
    fn html_begins_where_the_kind_of_drawing_says() {
        for (tags, tag, expected) in [
            ("svg", "title", false),
            ("svg title", "title", true),
            ("svg foreignobject", "style", true),
            ("svg mi", "style", false),
            ("svg math mi", "style", false),
            ("math title", "style", false),
            ("math mi", "style", true),
            ("math mi", "mglyph", false),
            ("math mi", "malignmark", false),
            ("math annotation-xml", "svg", true),
            ("math annotation-xml", "title", false),
            ("math annotation-xml=text/html", "title", true),
            ("math annotation-xml=text/plain", "title", false),
            ("math annotation-xml svg", "title", false),
        ] {
            assert_eq!(after(tags).takes_as_html(tag), expected, "{tag} in {tags}");
        }
    }

    #[test]
    fn an_end_that_could_be_another_elements_is_not_guessed() {
        for tags in [
            "svg /div",
            "svg g /p",
            "svg /br",
            "svg desc p /desc",
            "svg desc b svg /b",
            "svg desc p /desc /svg",
            "select svg",
            "svg /div svg /svg",
        ] {
            assert!(after(tags).is_lost(), "{tags}");
        }
        for tags in ["svg /div /svg", "svg /div p", "svg /div g /g table", "select svg path/ /svg", "svg /x path/ /svg"]
        {
            assert!(!after(tags).is_lost() && !after(tags).is_inside(), "{tags}");
        }
        assert!(after("select").passes_over("title") && !after("select /select").passes_over("title"));
    }

    #[test]
    fn branches_join_where_they_agree() {
        let joined = |one: &str, other: &str| after(one).join(&after(other));
        assert!(joined("svg g", "svg g").is_inside());
        for (one, other) in [("p", "svg"), ("svg", "svg g"), ("svg", "math"), ("svg title", "p")] {
            assert!(joined(one, other).is_lost(), "{one} or {other}");
        }
        let mut either = joined("p", "svg");
        either.end("svg");
        assert_eq!(either, Foreign::default());
        let mut either = joined("svg desc", "p");
        either.end("svg");
        assert!(either.is_lost());
    }
}
