//! A page as a browser reads it: the tokens of the HTML standard's own tokenizer (WHATWG HTML, section 13.2.5), and what its URLs run.
//!
//! A tree follows from its tokens: what two pages have alike in elements, attributes' names and their order, they have alike as trees.

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use std::cell::RefCell;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A start tag: its name, and its attributes in order with their values decoded.
    Start(String, Vec<(String, String)>),
    /// An end tag.
    End(String),
    /// Text, decoded; neighbours are one.
    Text(String),
    /// A comment.
    Comment(String),
    /// `<!doctype …>`.
    Doctype,
}

/// A page.
#[derive(Debug)]
pub(crate) struct Page {
    pieces: Vec<Piece>,
}

/// Attributes whose value a browser follows, loads or sends something to.
const URLS: [&str; 12] = [
    "action",
    "background",
    "cite",
    "data",
    "formaction",
    "href",
    "longdesc",
    "manifest",
    "ping",
    "poster",
    "src",
    "xlink:href",
];

impl Page {
    /// Reads a page.
    pub(crate) fn read(html: &str) -> Self {
        let input = BufferQueue::default();
        input.push_back(StrTendril::from(html));
        let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
        while !matches!(tokenizer.feed(&input), html5ever::TokenizerResult::Done) {}
        tokenizer.end();
        Self { pieces: tokenizer.sink.0.into_inner() }
    }

    /// All tokens.
    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Everything but text and the values of attributes, which is what data must not change. Line breaks made by a filter do not count.
    pub(crate) fn shape(&self) -> Vec<String> {
        let shape = |piece: &Piece| match piece {
            Piece::Start(name, _) if name == "br" => None,
            Piece::Start(name, attributes) => {
                let names: Vec<&str> = attributes.iter().map(|(name, _)| name.as_str()).collect();
                Some(format!("<{name} {}>", names.join(" ")))
            }
            Piece::End(name) => Some(format!("</{name}>")),
            Piece::Comment(_) => Some("<!---->".to_owned()),
            Piece::Doctype => Some("<!doctype>".to_owned()),
            Piece::Text(_) => None,
        };
        self.pieces.iter().filter_map(shape).collect()
    }

    /// The attributes that hold URLs which run something: element, attribute, value.
    pub(crate) fn running(&self) -> Vec<(String, String, String)> {
        let starts = self.pieces.iter().filter_map(|piece| {
            if let Piece::Start(name, attributes) = piece { Some((name, attributes)) } else { None }
        });
        let all = starts.flat_map(|(element, attributes)| attributes.iter().map(move |pair| (element, pair)));
        let running = all.filter(|(_, (name, value))| URLS.contains(&name.as_str()) && runs(value));
        running.map(|(element, (name, value))| (element.clone(), name.clone(), value.clone())).collect()
    }

    /// The value of an attribute of the element with this `id`.
    pub(crate) fn attribute(&self, id: &str, name: &str) -> Option<&str> {
        let Piece::Start(_, attributes) = self.pieces.get(self.position(id)?)? else { return None };
        attributes.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The text at the beginning of the element with this `id`.
    pub(crate) fn text(&self, id: &str) -> Option<&str> {
        match self.pieces.get(self.position(id)? + 1)? {
            Piece::Text(text) => Some(text),
            Piece::Start(..) | Piece::End(_) | Piece::Comment(_) | Piece::Doctype => Some(""),
        }
    }

    /// Where the start tag with this `id` is.
    pub(crate) fn position(&self, id: &str) -> Option<usize> {
        let has = |attributes: &[(String, String)]| attributes.iter().any(|(name, value)| name == "id" && value == id);
        self.pieces.iter().position(|piece| matches!(piece, Piece::Start(_, attributes) if has(attributes)))
    }
}

/// Whether a browser that follows this URL runs code or opens a document made of it: leading control characters and spaces, and tabs and
/// line breaks anywhere, are nothing to it (WHATWG URL, section 4.4), and neither is case.
pub(crate) fn runs(url: &str) -> bool {
    let url = url.trim_start_matches(|c: char| c <= ' ').replace(['\t', '\n', '\r'], "").to_ascii_lowercase();
    ["javascript:", "data:", "vbscript:"].iter().any(|scheme| url.starts_with(scheme))
}

/// Takes tokens, and tells the tokenizer which elements hold no markup, as a tree builder with scripting does.
#[derive(Debug, Default)]
struct Sink(RefCell<Vec<Piece>>);

impl Sink {
    fn text(&self, more: &str) {
        let mut pieces = self.0.borrow_mut();
        if let Some(Piece::Text(text)) = pieces.last_mut() {
            text.push_str(more);
        } else {
            pieces.push(Piece::Text(more.to_owned()));
        }
    }

    fn tag(&self, tag: &Tag) -> TokenSinkResult<()> {
        let name = tag.name.to_string();
        if tag.kind == TagKind::EndTag {
            self.0.borrow_mut().push(Piece::End(name));
            return TokenSinkResult::Continue;
        }
        let after = match name.as_str() {
            "script" => TokenSinkResult::RawData(RawKind::ScriptData),
            "style" | "xmp" | "iframe" | "noembed" | "noframes" | "noscript" => {
                TokenSinkResult::RawData(RawKind::Rawtext)
            }
            "textarea" | "title" => TokenSinkResult::RawData(RawKind::Rcdata),
            "plaintext" => TokenSinkResult::Plaintext,
            _ => TokenSinkResult::Continue,
        };
        let attributes =
            tag.attrs.iter().map(|attribute| (attribute.name.local.to_string(), attribute.value.to_string()));
        self.0.borrow_mut().push(Piece::Start(name, attributes.collect()));
        after
    }
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) => return self.tag(&tag),
            Token::CharacterTokens(text) => self.text(&text),
            Token::NullCharacterToken => self.text("\0"),
            Token::CommentToken(text) => self.0.borrow_mut().push(Piece::Comment(text.to_string())),
            Token::DoctypeToken(_) => self.0.borrow_mut().push(Piece::Doctype),
            Token::EOFToken | Token::ParseError(_) => {}
        }
        TokenSinkResult::Continue
    }
}
