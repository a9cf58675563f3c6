//! The keys of list operations: what an author writes, what can never apply, and what the shape of the source becomes.

use super::super::code;
use super::super::known::Known;
use super::{Field, Filter, Key, Listing, Paging, Root, Search, Searched, search};
use crate::config::{OneOrMany, Reference, Template, Text, declare, list, words};
use crate::diagnostic::{Finding, Findings, Place, Spanned, did_you_mean};
use crate::render::{Condition, Segment};
use std::sync::Arc;

declare! {
    /// What is done to the list that a source gives, or to the `items` of the object that it gives.
    pub struct Decl {
        /// What is looked for in the documents of a source with `content`, as in `"{query.q}"`: those that have all its words are left, best
        /// first, each with `anchor`, `heading`, `link` and `excerpt`. Nothing looked for is nothing found.
        "search": search: Spanned<Template>,
        /// Which items are kept: a condition in Liquid's words about `item`, as in `"item.tags contains params.tag"`.
        "where": condition: Text,
        /// What the items are sorted by, one path or several: `"-date"` is descending. What lacks it comes last.
        "sort": sort: Spanned<OneOrMany<Text>>,
        /// The path whose values the items are grouped by: a list of `{ name, items }`, by first appearance.
        "group-by": group_by: Text,
        /// The most items, or groups, that are left.
        "limit": limit: Spanned<usize>,
        /// Cuts the list into pages: the source has `items` and `pagination`.
        "paginate": paginate: PageDecl,
        /// What an empty list means; `"not-found"`: this page's 404. Without it, nothing.
        "on-empty": on_empty: Spanned<OnEmpty>,
    }
}

declare! {
    /// How a list is cut into pages.
    pub struct PageDecl {
        /// The query value that says which page, counted from 1: `"{query.page}"`.
        "page": page: Spanned<Template>,
        /// Items on a page.
        "size": size: Spanned<usize>,
        /// The extracted field that says how many items there are in all, where the upstream has cut the page already.
        "total": total: Spanned<String>,
    }
}

words! {
    /// What an empty list means.
    pub enum OnEmpty {
        /// This page's 404.
        "not-found": NotFound,
    }
}

impl Decl {
    /// Whether nothing is done to the list.
    pub(in super::super) fn is_empty(&self) -> bool {
        let Self { place: _, lost: _, search, condition, sort, group_by, limit, paginate, on_empty } = self;
        search.is_none()
            && condition.is_none()
            && sort.is_none()
            && group_by.is_none()
            && limit.is_none()
            && paginate.is_none()
            && on_empty.is_none()
    }
}

/// A compiled declaration, and the shape that the source has after it.
pub(in super::super) struct Compiled {
    /// `None` if it is no use: then anything may be read of the source, whose findings are told already.
    pub listing: Option<Listing>,
    pub known: Known,
}

/// Compiles the keys; `None` if there are none. `known` is what the source gives before them, and `searched` what can be searched of it.
pub(in super::super) fn compile(
    decl: &Decl,
    known: &Known,
    searched: Option<&Searched>,
    findings: &mut Findings,
) -> Option<Compiled> {
    let Decl { place: _, lost: _, search, condition, sort, group_by, limit, paginate, on_empty } = decl;
    let first = search
        .as_ref()
        .map(|search| search.place)
        .or(condition.as_ref().map(|text| text.inner))
        .or(sort.as_ref().map(|sort| sort.place))
        .or(group_by.as_ref().map(|field| field.inner))
        .or(limit.map(|limit| limit.place))
        .or(paginate.as_ref().map(|paginate| paginate.place))
        .or(on_empty.map(|on_empty| on_empty.place))?;
    let Some(lists) = Lists::of(known) else {
        findings.push(
            Finding::new(&code::NO_LIST, first, "this source gives no list, and no object with one as `items`")
                .help("extract a list: extract.items = { each = \"$.data[*]\", fields = { … } }"),
        );
        return Some(Compiled { listing: None, known: Known::Open });
    };
    let before = findings.len();
    // Where there is nothing to search, that is told already.
    let search = search.as_ref().zip(searched);
    let search = search.map(|(words, searched)| Search { words: words.value.clone(), searched: searched.clone() });
    let filter = condition.as_ref().and_then(|text| filter(text, findings));
    let keys = sort.iter().flat_map(|sort| &sort.value.0).filter_map(|text| sort_key(text, findings)).collect();
    let group_by = group_by.as_ref().and_then(|text| field(text, 0, findings));
    for zero in [limit, &paginate.as_ref().and_then(|paginate| paginate.size)].into_iter().flatten() {
        if zero.value == 0 {
            findings.push(
                Finding::new(&code::LIST_CONTRADICTION, zero.place, "a list of no items")
                    .help("write how many there may be, or leave it out"),
            );
        }
    }
    let paging = paginate.as_ref().and_then(|paginate| paging(paginate, decl, known, findings));
    if findings.len() > before {
        return Some(Compiled { listing: None, known: Known::Open });
    }
    let listing = Listing {
        search,
        filter,
        sort: keys,
        group_by,
        limit: limit.map(|limit| limit.value),
        paging,
        empty_is_absent: on_empty.is_some(),
    };
    let known = lists.after(&listing, known);
    Some(Compiled { listing: Some(listing), known })
}

/// Where a source's list is, by its shape.
enum Lists<'k> {
    /// It is the value.
    Whole(&'k Known),
    /// It is what the value holds as `items`.
    Items(&'k Known),
    /// Either.
    Unknown,
}

/// Anything.
static OPEN: Known = Known::Open;

impl<'k> Lists<'k> {
    fn of(known: &'k Known) -> Option<Self> {
        let member = |members: &'k [(String, Known)]| members.iter().find(|(name, _)| name == "items");
        match known {
            Known::Open => Some(Self::Unknown),
            Known::ListOf(item) => Some(Self::Whole(item)),
            Known::Record(members) | Known::Partly(members) => match member(members) {
                Some((_, Known::ListOf(item))) => Some(Self::Items(item)),
                Some((_, Known::Open)) => Some(Self::Items(&OPEN)),
                Some((_, Known::Scalar | Known::Record(_) | Known::Partly(_))) => None,
                None if matches!(known, Known::Partly(_)) => Some(Self::Unknown),
                None => None,
            },
            Known::Scalar => None,
        }
    }

    /// The shape of an item.
    fn item(&self) -> &'k Known {
        match self {
            Self::Whole(item) | Self::Items(item) => item,
            Self::Unknown => &OPEN,
        }
    }

    fn after(&self, listing: &Listing, known: &Known) -> Known {
        let item = if listing.search.is_some() { search::found(self.item()) } else { self.item().clone() };
        let mut items = Known::ListOf(Box::new(item));
        if listing.group_by.is_some() {
            let group = vec![("name".to_owned(), Known::Scalar), ("items".to_owned(), items)];
            items = Known::ListOf(Box::new(Known::Record(group)));
        }
        let pagination = listing.paging.as_ref().map(|_| {
            let members = ["page", "size", "pages", "total", "prev_url", "next_url"];
            Known::Record(members.iter().map(|name| ((*name).to_owned(), Known::Scalar)).collect())
        });
        let with = |members: &[(String, Known)]| {
            let others =
                members.iter().filter(|(name, _)| name != "items" && (name != "pagination" || pagination.is_none()));
            let mut members: Vec<_> = others.cloned().collect();
            members.push(("items".to_owned(), items.clone()));
            members.extend(pagination.clone().map(|pagination| ("pagination".to_owned(), pagination)));
            members
        };
        match (self, known) {
            (Self::Items(_), Known::Record(members)) => Known::Record(with(members)),
            (Self::Items(_) | Self::Unknown, Known::Partly(members)) => Known::Partly(with(members)),
            (Self::Unknown, _) if pagination.is_some() => Known::Partly(with(&[])),
            (Self::Unknown, _) => Known::Open,
            (Self::Whole(_) | Self::Items(_), _) if pagination.is_some() => Known::Record(with(&[])),
            (Self::Whole(_) | Self::Items(_), _) => items,
        }
    }
}

/// The shape of an item of the list that a source of this shape gives.
pub(in super::super) fn item_of(known: &Known) -> Known {
    Lists::of(known).map_or(Known::Open, |lists| lists.item().clone())
}

fn filter(text: &Text, findings: &mut Findings) -> Option<Filter<Reference>> {
    let condition = Condition::compile(&text.content, text.inner, findings)?;
    let roots: Vec<&str> = condition.roots().iter().map(|root| &*root.name).collect();
    if !roots.contains(&"item") {
        findings.push(
            Finding::new(&code::LIST_CONTRADICTION, text.inner, "a condition that says nothing about `item`")
                .help("where = \"item.tags contains params.tag\""),
        );
        return None;
    }
    let mut reads = Vec::new();
    let mut first_of: Vec<Option<usize>> = vec![None; roots.len()];
    for read in condition.reads() {
        let Some(&name) = roots.get(read.root).filter(|name| **name != "item") else { continue };
        if let Some(first) = first_of.get_mut(read.root) {
            first.get_or_insert(reads.len());
        }
        // What is known only at run time is a part of what stands before it.
        let keys = keys(&read.segments).map_while(|key| key.map(str::to_owned)).collect();
        reads.push(Reference { root: name.to_owned(), keys, place: read.place });
    }
    let roots = first_of.into_iter().map(|first| first.map_or(Root::Item, Root::Read)).collect();
    Some(Filter { condition: Arc::new(condition), reads, roots })
}

/// The steps of a path as names; a `None` is an index.
pub(super) fn keys(segments: &[Segment]) -> impl Iterator<Item = Option<&str>> {
    segments.iter().map(|segment| match segment {
        Segment::Key(key) => Some(&**key),
        Segment::Size => Some("size"),
        Segment::First => Some("first"),
        Segment::Last => Some("last"),
        Segment::Index(_) | Segment::Any => None,
    })
}

fn sort_key(text: &Text, findings: &mut Findings) -> Option<Key> {
    let descending = text.content.starts_with('-');
    let field = field(text, usize::from(descending), findings)?;
    Some(Key { field, descending })
}

/// The path below an item that `text` says from byte `start` on; a leading `item.` says the same.
fn field(text: &Text, start: usize, findings: &mut Findings) -> Option<Field> {
    let written = text.content.get(start..).unwrap_or_default();
    let path = written.strip_prefix("item.").unwrap_or(written);
    let is_word =
        |word: &str| !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || "{}[]()$'\",|".contains(c));
    if path.split('.').all(is_word) {
        let place = text.place_of(start..text.content.len());
        return Some(Field { keys: path.split('.').map(Arc::from).collect(), place });
    }
    findings.push(
        Finding::new(&crate::config::BAD_VALUE, text.inner, format!("`{written}` is not a path below an item"))
            .help("the name of a field, or names joined by dots: `date`, `author.name`"),
    );
    None
}

fn paging(paginate: &PageDecl, decl: &Decl, known: &Known, findings: &mut Findings) -> Option<Paging<Reference>> {
    let PageDecl { place, lost: _, page, size, total } = paginate;
    let missing = |key: &str, help: &str| {
        Finding::new(&crate::config::MISSING_KEY, *place, format!("`paginate` without `{key}`")).help(help)
    };
    if page.is_none() {
        findings.push(missing("page", "page = \"{query.page}\""));
    }
    if size.is_none() {
        findings.push(missing("size", "size = 24"));
    }
    let (page, size) = (page.as_ref()?, size.as_ref()?);
    let reference = page.value.as_single().filter(|reference| reference.root == "query" && reference.keys.len() == 1);
    if reference.is_none() {
        findings.push(
            Finding::new(&code::LIST_PAGE, page.place, "a page that is not said by a query value")
                .help("page = \"{query.page}\", with [query.page] type = \"int\", default = 1"),
        );
    }
    if let Some(total) = total {
        upstream_cut(total, decl, known, findings);
    }
    let total = total.as_ref().map(|total| total.value.as_str().into());
    Some(Paging { page: reference?.clone(), size: size.value, total })
}

/// What cannot be where the upstream has cut the page.
fn upstream_cut(total: &Spanned<String>, decl: &Decl, known: &Known, findings: &mut Findings) {
    let cut = |place: Place, key: &str| {
        Finding::new(&code::LIST_CONTRADICTION, place, format!("`{key}` beside `total`"))
            .related(total.place, "so the upstream has cut the page, and the rest of the list is not here")
            .help("leave `total` out to cut the list here, or ask the upstream for what is wanted")
    };
    let beside = [
        ("where", decl.condition.as_ref().map(|text| text.inner)),
        ("limit", decl.limit.map(|limit| limit.place)),
        ("group-by", decl.group_by.as_ref().map(|text| text.inner)),
    ];
    for (key, place) in beside {
        if let Some(place) = place {
            findings.push(cut(place, key));
        }
    }
    let unknown = |help: String| {
        let message = format!("the source has no field `{}`", total.value);
        Finding::new(&code::LIST_CONTRADICTION, total.place, message).help(help)
    };
    match known {
        Known::Record(members) => {
            let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
            if !names.contains(&total.value.as_str()) {
                let help = did_you_mean(&total.value, names.iter().copied());
                findings.push(unknown(help.unwrap_or_else(|| format!("it has {}", list(&names)))));
            }
        }
        Known::ListOf(_) => findings.push(unknown("extract it, beside the list as `items`".to_owned())),
        Known::Open | Known::Partly(_) | Known::Scalar => {}
    }
}
