//! Templates to trees: one parser for the body of a layout or a partial.
//!
//! Nothing stops at the first finding: what cannot be read is left out, and the rest is read as if it were not there. Depth is
//! counted before every descent, so no text can exhaust the stack.

use super::code;
use super::context::{Stand, Tracker};
use super::escape::Sink;
use super::expr::{Names, Parsed, Reader, Trouble, chain};
use super::lex::{Lexer, Tag, Token, cut, is_space};
use super::program::Build;
use super::tree::{Asked, Base, Block, Chain, NameId, Node, Operand, Output};
use crate::diagnostic::{Code, FileId, Finding, Place, did_you_mean};
use std::ops::Range;

/// A tag that begins something, and what the reference says of it.
#[derive(Debug, Clone, Copy)]
pub struct TagDocs {
    /// Its name.
    pub name: &'static str,
    /// What it makes of where values come from.
    pub effect: TagEffect,
    /// What it does: Markdown.
    pub docs: &'static str,
    /// A use of it.
    pub example: &'static str,
}

/// What a tag makes of where values come from, and with it of whether they are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagEffect {
    /// It has to do with no value, and prints none.
    Nothing,
    /// It prints values as `{{ }}` does.
    Prints,
    /// It looks at values; what its block prints is escaped there.
    Chooses,
    /// It gives a value a name, and the value stays what it is.
    Binds,
    /// What its block printed is escaped, and so it is markup.
    Captures,
    /// It gives values to a partial, whose outputs are escaped for the place where it is called.
    Calls,
    /// It prints words of the layout, which are markup.
    Literal,
    /// It shows what its block printed as text between tags of its own.
    Shows,
}

impl TagEffect {
    /// The same in words, for the reference.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::Nothing => "It prints no value.",
            Self::Prints => "Values are escaped for their place.",
            Self::Chooses => "What its block prints is escaped there.",
            Self::Binds => "Values stay what they are, text or markup.",
            Self::Captures => "What its block prints is escaped there, and is markup from then on.",
            Self::Calls => {
                "Values that a partial gets stay what they are, and are escaped there for the place of the call."
            }
            Self::Literal => "Its block is markup, as all that the layout itself says.",
            Self::Shows => "Its block is escaped whole, markup too.",
        }
    }
}

/// Every tag that begins something, in alphabetical order.
pub static TAGS: &[TagDocs] = &[
    TagDocs {
        name: "assign",
        effect: TagEffect::Binds,
        docs: "Sets a variable.",
        example: "{% assign total = price | times: 2 %}",
    },
    TagDocs {
        name: "break",
        effect: TagEffect::Nothing,
        docs: "Ends the loop around it.",
        example: "{% for item in items %}{% if item.last %}{% break %}{% endif %}{% endfor %}",
    },
    TagDocs {
        name: "capture",
        effect: TagEffect::Captures,
        docs: "Sets a variable to what its block prints, which is markup then.",
        example: "{% capture name %}{{ first }} {{ last }}{% endcapture %}",
    },
    TagDocs {
        name: "case",
        effect: TagEffect::Chooses,
        docs: "Chooses the block whose value is equal; `else` for any other.",
        example: r#"{% case kind %}{% when "a", "b" %}one of two{% else %}another{% endcase %}"#,
    },
    TagDocs {
        name: "comment",
        effect: TagEffect::Nothing,
        docs: "Prints nothing.",
        example: "{% comment %}for those who read the layout{% endcomment %}",
    },
    TagDocs {
        name: "continue",
        effect: TagEffect::Nothing,
        docs: "Goes on with the next item of the loop around it.",
        example: "{% for item in items %}{% unless item.new %}{% continue %}{% endunless %}{{ item.name }}{% endfor %}",
    },
    TagDocs {
        name: "cycle",
        effect: TagEffect::Prints,
        docs: "Prints its values in turn; with a name before a colon, each name takes turns of its own.",
        example: r#"{% for item in items %}{% cycle "odd", "even" %}{% endfor %}"#,
    },
    TagDocs {
        name: "decrement",
        effect: TagEffect::Prints,
        docs: "Takes one from a counter, and prints it.",
        example: "{% decrement left %}",
    },
    TagDocs {
        name: "doc",
        effect: TagEffect::Nothing,
        docs: "Says what a layout is for; prints nothing.",
        example: "{% doc %}A card of one product.{% enddoc %}",
    },
    TagDocs {
        name: "echo",
        effect: TagEffect::Prints,
        docs: "Prints a value, as `{{ }}` does; for `{% liquid %}`.",
        example: "{% echo name | upcase %}",
    },
    TagDocs {
        name: "for",
        effect: TagEffect::Binds,
        docs: "Goes through a list, an object or a range, with `limit`, `offset`, `reversed`; `else` if there is nothing. Within it `forloop` has `index`, `first`, `last`, `length`.",
        example: "{% for item in items limit: 3 %}{{ forloop.index }} {{ item.name }}{% else %}none{% endfor %}",
    },
    TagDocs {
        name: "highlight",
        effect: TagEffect::Shows,
        docs: "Prints its block as code in the language that it names, escaped, with [classes for colours](code.md).",
        example: "{% highlight rust %}let x = 1;{% endhighlight %}",
    },
    TagDocs {
        name: "if",
        effect: TagEffect::Chooses,
        docs: "Prints its block if a condition holds; `elsif` and `else` otherwise. Conditions have `==`, `!=`, `<`, `>`, `<=`, `>=`, `contains`, `and`, `or`.",
        example: "{% if item.price > 10 and item.stock %}buy{% elsif item.soon %}soon{% else %}gone{% endif %}",
    },
    TagDocs {
        name: "ifchanged",
        effect: TagEffect::Chooses,
        docs: "Prints its block if that differs from the last time.",
        example: "{% for item in items %}{% ifchanged %}{{ item.group }}{% endifchanged %}{% endfor %}",
    },
    TagDocs {
        name: "include",
        effect: TagEffect::Calls,
        docs: "Prints a partial that sees the variables of its caller.",
        example: r#"{% include "card" %}"#,
    },
    TagDocs {
        name: "increment",
        effect: TagEffect::Prints,
        docs: "Adds one to a counter, and prints what it was before.",
        example: "{% increment count %}",
    },
    TagDocs {
        name: "liquid",
        effect: TagEffect::Chooses,
        docs: "Tags one a line, without their signs.",
        example: "{% liquid\nassign total = price | times: 2\necho total\n%}",
    },
    TagDocs {
        name: "raw",
        effect: TagEffect::Literal,
        docs: "Prints its block as it is: braces are not read.",
        example: "{% raw %}{{ as it is }}{% endraw %}",
    },
    TagDocs {
        name: "render",
        effect: TagEffect::Calls,
        docs: "Prints a partial that sees only what it is given, and the first words of the route.",
        example: r#"{% render "card", item: item %}"#,
    },
    TagDocs {
        name: "tablerow",
        effect: TagEffect::Binds,
        docs: "Goes through a list as rows and cells of a table, with `cols`.",
        example: "<table>{% tablerow item in items cols: 2 %}{{ item.name }}{% endtablerow %}</table>",
    },
    TagDocs {
        name: "unless",
        effect: TagEffect::Chooses,
        docs: "Prints its block if a condition does not hold.",
        example: "{% unless item.stock %}gone{% endunless %}",
    },
];

/// Filters whose result is a piece of a URL.
const ENCODING: [&str; 4] = ["cgi_escape", "uri_escape", "url_encode", "url_escape"];

/// Whether a chain is `content` as it is.
fn is_content(chain: &Chain, names: &Names) -> bool {
    let Operand::Path(path) = &chain.value else { return false };
    let is_name = |name: NameId| names.find("content") == Some(name);
    chain.filters.is_empty() && path.steps.is_empty() && matches!(path.base, Base::Name(name) if is_name(name))
}

/// The tag that ended a block, and what it said.
pub(super) type End = Option<Tag>;

pub(super) struct Parser<'b, 's> {
    pub(super) build: &'b mut Build<'s>,
    pub(super) text: &'s str,
    file: FileId,
    /// Follows the markup in `.html`.
    pub(super) tracker: Option<Tracker>,
    escapes: bool,
    /// Whether this layout is around another one, whose output is its `content`.
    is_outer: bool,
    /// Where the loops that are open began in the markup.
    pub(super) loops: Vec<Option<Tracker>>,
    /// The end tags of the blocks that are open.
    open: Vec<&'static str>,
    /// How many of them a `{% liquid %}` tag may not close.
    floor: usize,
    depth: usize,
    /// A tag that ended an inner block by mistake and is now looked at by the outer one.
    pending: Option<Tag>,
    /// Unknown tags, whose end tags are no news.
    unknown: Vec<&'s str>,
    gave_up: bool,
}

impl<'b, 's> Parser<'b, 's> {
    /// A parser for a body that begins where `tracker` is; without one nothing is escaped.
    pub(super) fn new(
        build: &'b mut Build<'s>,
        text: &'s str,
        file: FileId,
        tracker: Option<Tracker>,
        is_outer: bool,
    ) -> Self {
        let escapes = tracker.is_some();
        Self {
            build,
            text,
            file,
            tracker,
            escapes,
            is_outer,
            loops: Vec::new(),
            open: Vec::new(),
            floor: 0,
            depth: 0,
            pending: None,
            unknown: Vec::new(),
            gave_up: false,
        }
    }

    /// The whole body, which ends where it may.
    pub(super) fn body(&mut self, range: Range<usize>) -> Block {
        let end = range.end;
        let entry = self.tracker.clone();
        let mut lexer = Lexer::template(self.text, range);
        let (block, _) = self.block(&mut lexer, &[], None);
        // Where a branch went astray, the end is astray as well.
        let is_told = self.build.findings.iter().any(|finding| {
            finding.code.name == code::BRANCH_CONTEXT.name && finding.place.is_some_and(|place| place.file == self.file)
        });
        let astray = match (&entry, &self.tracker) {
            (Some(entry), Some(tracker)) if entry.is_at_rest() => {
                (!tracker.is_at_rest()).then_some("the text ends within a tag, a comment, a script or quotes")
            }
            (Some(entry), Some(tracker)) => (!tracker.returns_to(entry))
                .then_some("the partial is called within a tag or quotes, and ends in another place than that"),
            _ => None,
        };
        if let Some(message) = astray.filter(|_| !self.gave_up && !is_told) {
            self.find(&code::BRANCH_CONTEXT, end..end, message, Some("close it in the same file".to_owned()));
        }
        block
    }

    pub(super) fn place(&self, range: Range<usize>) -> Place {
        Place::new(self.file, range)
    }

    pub(super) fn find(&mut self, code: &'static Code, at: Range<usize>, message: &str, help: Option<String>) {
        let finding = Finding::new(code, Place::new(self.file, at), message).maybe_help(help);
        self.build.findings.push(finding);
    }

    pub(super) fn name(&mut self, name: &str) -> NameId {
        self.build.names.id(name)
    }

    /// Reads all of `range`; a finding if that cannot be done.
    pub(super) fn read<T>(
        &mut self,
        range: Range<usize>,
        read: impl FnOnce(&mut Reader<'s, '_>) -> Parsed<T>,
    ) -> Option<T> {
        let manner = self.build.manner;
        let mut reader = Reader::new(self.text, range, &mut self.build.names, self.file, 0, manner);
        let result = read(&mut reader).and_then(|value| reader.finish().map(|()| value));
        match result {
            Ok(value) => Some(value),
            Err(trouble) => {
                let Trouble { code, at, message, help } = *trouble;
                self.find(code, at, &message, help);
                None
            }
        }
    }

    /// Nodes up to one of `ends`, which is taken. `opening` is where the block began.
    pub(super) fn block(
        &mut self,
        lexer: &mut Lexer<'s>,
        ends: &[&'static str],
        opening: Option<&Tag>,
    ) -> (Block, End) {
        let mut block = Block { nodes: Vec::new(), blank: true };
        loop {
            let token = match self.pending.take() {
                Some(tag) => Some(Token::Tag(tag)),
                None => lexer.next(),
            };
            match token {
                None => {
                    self.unclosed(opening);
                    return (block, None);
                }
                Some(Token::Unclosed(range)) => {
                    let open = cut(self.text, range.clone());
                    let close = if open == "{{" { "}}" } else { "%}" };
                    self.find(&code::UNCLOSED, range, &format!("`{open}` is not closed by `{close}`"), None);
                    self.gave_up = true;
                }
                Some(Token::Text(range)) => self.literal(range, &mut block),
                Some(Token::Output { inside, whole }) => self.output(inside, whole, &mut block),
                Some(Token::Tag(tag)) => {
                    let name = cut(self.text, tag.name.clone());
                    if ends.contains(&name) {
                        return (block, Some(tag));
                    }
                    if self.open.get(self.floor..).unwrap_or_default().contains(&name) {
                        self.unclosed(opening);
                        self.pending = Some(tag);
                        return (block, None);
                    }
                    self.tag(name, &tag, lexer, &mut block);
                }
            }
            if self.gave_up {
                return (block, None);
            }
        }
    }

    fn unclosed(&mut self, opening: Option<&Tag>) {
        let Some(tag) = opening else { return };
        if !self.gave_up {
            let name = cut(self.text, tag.name.clone());
            let message = format!("`{name}` is not closed by `end{name}`");
            self.find(&code::UNCLOSED, tag.whole.clone(), &message, None);
        }
    }

    fn literal(&mut self, range: Range<usize>, block: &mut Block) {
        let text = self.follow(range);
        block.blank &= text.trim_matches(is_space).is_empty();
        self.build.literal_bytes += text.len();
        block.nodes.push(Node::Text(text.into()));
    }

    /// The text of a literal part, after the markup was followed through it.
    pub(super) fn follow(&mut self, range: Range<usize>) -> &'s str {
        let text = cut(self.text, range.clone());
        if let Some(clash) = self.tracker.as_mut().and_then(|tracker| tracker.literal(text)) {
            let at = range.start + clash.at;
            let length = text.get(clash.at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
            self.find(&code::UNSAFE_PLACE, at..at + length, clash.message, Some(clash.help.to_owned()));
        }
        text
    }

    fn output(&mut self, inside: Range<usize>, whole: Range<usize>, block: &mut Block) {
        block.blank = false;
        if cut(self.text, inside.clone()).trim().is_empty() {
            return;
        }
        if let Some(chain) = self.read(inside, chain) {
            let sink = self.sink_of(&chain, &whole);
            block.nodes.push(Node::Output(Output { chain, sink, place: self.place(whole) }));
        }
    }

    /// Remembers where a chain asks for absolute URLs.
    pub(super) fn note_absolute_urls(&mut self, chain: &Chain) {
        for call in &chain.filters {
            if call.filter.name == "absolute_url" {
                self.build.absolute_urls.push(call.place);
            }
            if let Some(Asked::Value(inner)) = call.each.as_ref().map(|each| &each.asked) {
                self.note_absolute_urls(inner);
            }
        }
    }

    /// Remembers where a chain keeps data from being escaped.
    pub(super) fn note_raw(&mut self, chain: &Chain, at: &Range<usize>) {
        if self.escapes && chain.filters.iter().any(|call| call.filter.name == "raw") {
            let place = self.place(at.clone());
            self.build.raw.push(place);
        }
    }

    /// The sink for a chain that stands here.
    pub(super) fn sink_of(&mut self, chain: &Chain, at: &Range<usize>) -> Sink {
        self.note_absolute_urls(chain);
        let json = chain.filters.last().is_some_and(|call| matches!(call.filter.name, "json" | "jsonify"));
        self.note_raw(chain, at);
        let is_written = |operand: &Operand| !matches!(operand, Operand::Path(_) | Operand::Range(_));
        let mut arguments = chain
            .filters
            .iter()
            .flat_map(|call| call.arguments.iter().chain(call.named.iter().map(|(_, named)| named)));
        let own = matches!(chain.value, Operand::Text(_)) && arguments.all(is_written);
        if self.is_outer
            && is_content(chain, &self.build.names)
            && let Some(tracker) = self.tracker.as_mut().filter(|tracker| !tracker.is_markup() && tracker.is_at_rest())
        {
            // The output of the inner layout is escaped already.
            tracker.output();
            return Sink::Plain;
        }
        let sink = self.sink(json, own, at);
        if self.is_encoded(chain) { sink.of_encoded() } else { sink }
    }

    /// Whether a chain gives what a filter has made ready for a URL, here or in the assignment before.
    pub(super) fn is_encoded(&self, chain: &Chain) -> bool {
        match (&chain.value, chain.filters.last()) {
            (_, Some(last)) => ENCODING.contains(&last.filter.name),
            (Operand::Path(path), None) => {
                path.steps.is_empty() && matches!(path.base, Base::Name(name) if self.build.encoded.contains(&name))
            }
            (_, None) => false,
        }
    }

    /// The sink for a value that stands here: `json` if it is JSON, `own` if the layout itself names it.
    pub(super) fn sink(&mut self, json: bool, own: bool, at: &Range<usize>) -> Sink {
        let Some(tracker) = &mut self.tracker else {
            return Sink::Plain;
        };
        let stand = tracker.stand();
        tracker.output();
        let (whereabouts, help) = match stand {
            Stand::Fine(sink) => return sink,
            Stand::OnlyJson(_) if json => return Sink::Script,
            Stand::OnlyJson(whereabouts) => (whereabouts, "write `| json` last"),
            Stand::OnlyOwn(sink, ..) if own => return sink,
            Stand::OnlyOwn(_, whereabouts, help) | Stand::Refused(whereabouts, help) => (whereabouts, help),
        };
        let message = format!("a value {whereabouts} could run code or leave its place");
        self.find(&code::UNSAFE_PLACE, at.clone(), &message, Some(help.to_owned()));
        Sink::Nowhere
    }

    /// Parses a body one level deeper; nothing if that is too deep.
    pub(super) fn deeper<T>(&mut self, at: &Tag, parse: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let limit = self.build.nesting;
        if self.depth >= limit {
            let message = format!("more than {limit} blocks inside each other");
            let help = "move the inner ones to a partial".to_owned();
            self.find(&code::TOO_DEEP, at.whole.clone(), &message, Some(help));
            self.gave_up = true;
            return None;
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        Some(parsed)
    }

    /// The body of a block that `end` closes, up to that or to one of `parts`.
    pub(super) fn inner(
        &mut self,
        lexer: &mut Lexer<'s>,
        opening: &Tag,
        end: &'static str,
        parts: &[&'static str],
    ) -> Option<(Block, End)> {
        self.deeper(opening, |parser| {
            parser.open.push(end);
            let mut ends = vec![end];
            ends.extend_from_slice(parts);
            let result = parser.block(lexer, &ends, Some(opening));
            parser.open.pop();
            result
        })
    }

    /// The markup after the branches of `opening`: all must end alike.
    pub(super) fn join(&mut self, branches: &[Option<Tracker>], opening: &Tag) {
        let mut ends = branches.iter().flatten();
        let Some(first) = ends.next() else { return };
        let mut joined = Some(first.clone());
        for end in ends {
            joined = joined.and_then(|tracker| tracker.join(end));
        }
        if joined.is_none() && !self.gave_up {
            let help = "open and close tags, quotes and scripts within the same branch, or in all of them alike";
            let message = "the branches of this block end in different places of the markup";
            self.find(&code::BRANCH_CONTEXT, opening.whole.clone(), message, Some(help.to_owned()));
        }
        self.tracker = Some(joined.unwrap_or_else(|| first.clone()));
    }

    /// `break` and `continue` may leave a body only where the markup is as it was when the body began.
    pub(super) fn leave_loop(&mut self, tag: &Tag) {
        let Some(tracker) = &self.tracker else { return };
        let entry = self.loops.last().cloned().flatten().unwrap_or_else(|| tracker.fresh());
        if tracker.join(&entry).is_none() {
            let help = "leave the loop between tags, where its body begins";
            let message = "the loop is left within a tag, a comment or a script";
            self.find(&code::BRANCH_CONTEXT, tag.whole.clone(), message, Some(help.to_owned()));
        }
    }

    fn tag(&mut self, name: &'s str, tag: &Tag, lexer: &mut Lexer<'s>, block: &mut Block) {
        if let Some((node, blank)) = self.known_tag(name, tag, lexer, block) {
            block.blank &= blank;
            block.nodes.extend(node);
            return;
        }
        block.blank = false;
        if let Some(opener) = name.strip_prefix("end").filter(|opener| !opener.is_empty())
            && let Some(at) = self.unknown.iter().rposition(|unknown| *unknown == opener)
        {
            self.unknown.remove(at);
            return;
        }
        let closes = name.strip_prefix("end").is_some_and(|opener| TAGS.iter().any(|tag| tag.name == opener));
        if closes || matches!(name, "else" | "elsif" | "when") {
            let message = format!("`{name}` belongs to no open block");
            self.find(&code::STRAY_TAG, tag.whole.clone(), &message, None);
            return;
        }
        self.unknown.push(name);
        let message =
            if name.is_empty() { "a tag without a name".to_owned() } else { format!("there is no tag `{name}`") };
        let at = if name.is_empty() { tag.whole.clone() } else { tag.name.clone() };
        self.find(&code::UNKNOWN_TAG, at, &message, did_you_mean(name, TAGS.iter().map(|tag| tag.name)));
    }

    /// A `{% liquid %}` tag: its lines are tags, and its blocks close within it.
    pub(super) fn liquid(&mut self, tag: &Tag, block: &mut Block) {
        let markup = tag.markup.clone();
        let floor = std::mem::replace(&mut self.floor, self.open.len());
        let parsed = self.deeper(tag, |parser| {
            let mut lines = Lexer::lines(parser.text, markup);
            let (inner, _) = parser.block(&mut lines, &[], None);
            inner
        });
        self.floor = floor;
        if let Some(inner) = parsed {
            block.blank &= inner.blank;
            block.nodes.extend(inner.nodes);
        }
    }
}
