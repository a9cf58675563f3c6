//! What is done to the list that a source gives, whatever kind it is: `search`, `where`, `sort`, `group-by`, `limit`, `paginate`.
//!
//! Always in that order, after extraction; where in a table the keys stand means nothing. The list is the source's value, or
//! what its value holds as `items`. Items are shared with the value they came from, never copied; the cost is linear in their
//! number, and that of sorting.

mod apply;
mod compile;
mod order;
mod search;

pub(super) use apply::is_list;
pub use apply::{Absent, Surroundings};
pub use compile::Decl;
pub(super) use compile::{Compiled, compile, item_of};

use crate::config::{Binding, Reference, Template};
use crate::diagnostic::Place;
use crate::render::Condition;
use crate::search::Index;
use crate::value::Value;
use std::sync::Arc;

/// The operations on a source's list.
#[derive(Debug, Clone)]
pub struct Listing<R = Reference> {
    search: Option<Search<R>>,
    filter: Option<Filter<R>>,
    sort: Vec<Key>,
    group_by: Option<Field>,
    limit: Option<usize>,
    paging: Option<Paging<R>>,
    /// An empty list is this page's 404.
    empty_is_absent: bool,
}

/// Which items have what is looked for.
#[derive(Debug, Clone)]
struct Search<R> {
    /// What is looked for.
    words: Template<R>,
    searched: Searched,
}

/// What is searched, and from where.
#[derive(Debug, Clone)]
pub struct Searched {
    /// The documents, in the order of the list.
    pub index: Arc<Index>,
    /// Scheme and host of the route that searches, if the site says its own: a document at another is linked to by its whole URL.
    pub origin: Option<Arc<str>>,
}

/// Which items are kept.
#[derive(Debug, Clone)]
struct Filter<R> {
    condition: Arc<Condition>,
    /// What the condition reads besides the item.
    reads: Vec<R>,
    /// What each root of the condition stands for.
    roots: Box<[Root]>,
}

/// What a first word of a condition stands for.
#[derive(Debug, Clone, Copy)]
enum Root {
    /// The item.
    Item,
    /// What this one of the filter's reads begins with.
    Read(usize),
}

/// A path below an item.
#[derive(Debug, Clone)]
struct Field {
    keys: Box<[Arc<str>]>,
    place: Place,
}

/// What items are sorted by.
#[derive(Debug, Clone)]
struct Key {
    field: Field,
    descending: bool,
}

/// How a list is cut into pages.
#[derive(Debug, Clone)]
struct Paging<R> {
    /// The query value that says which page, counted from 1.
    page: R,
    /// Items on a page.
    size: usize,
    /// The field that says how many items there are in all: the upstream has cut the page.
    total: Option<Arc<str>>,
}

impl Listing {
    /// What it refers to besides the items.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        let search = self.search.iter().flat_map(|search| search.words.references());
        let filter = self.filter.iter().flat_map(|filter| &filter.reads);
        search.chain(filter).chain(self.paging.iter().map(|paging| &paging.page))
    }

    /// The paths that it reads of an item, and where; a `None` is an index.
    pub fn item_reads(&self) -> Vec<(Vec<Option<&str>>, Place)> {
        let mut reads = Vec::new();
        if let Some(filter) = &self.filter {
            for read in filter.condition.reads() {
                if filter.roots.get(read.root).is_some_and(|root| matches!(root, Root::Item)) {
                    reads.push((compile::keys(&read.segments).collect(), read.place));
                }
            }
        }
        let fields = self.sort.iter().map(|key| &key.field).chain(&self.group_by);
        reads.extend(fields.map(|field| (field.keys.iter().map(|key| Some(&**key)).collect(), field.place)));
        reads
    }

    /// The query value that says which page is asked for, if there are pages.
    pub fn page(&self) -> Option<&Reference> {
        self.paging.as_ref().map(|paging| &paging.page)
    }

    /// The same with references resolved; `None` if one cannot be.
    pub fn link(&self, resolve: &mut impl FnMut(&Reference) -> Option<Binding>) -> Option<Listing<Binding>> {
        let search = match &self.search {
            Some(Search { words, searched }) => {
                words.try_map(&mut *resolve).map(|words| Some(Search { words, searched: searched.clone() }))
            }
            None => Some(None),
        };
        let filter = match &self.filter {
            Some(filter) => {
                // Every one is looked at, so that each wrong one is found.
                let reads: Vec<_> = filter.reads.iter().map(&mut *resolve).collect();
                let reads = reads.into_iter().collect::<Option<_>>();
                reads.map(|reads| {
                    Some(Filter { condition: Arc::clone(&filter.condition), reads, roots: filter.roots.clone() })
                })
            }
            None => Some(None),
        };
        let paging = match &self.paging {
            Some(Paging { page, size, total }) => {
                resolve(page).map(|page| Some(Paging { page, size: *size, total: total.clone() }))
            }
            None => Some(None),
        };
        Some(Listing {
            search: search?,
            filter: filter?,
            sort: self.sort.clone(),
            group_by: self.group_by.clone(),
            limit: self.limit,
            paging: paging?,
            empty_is_absent: self.empty_is_absent,
        })
    }
}

impl<R> Listing<R> {
    /// Whether it can come to the page's 404.
    pub fn may_be_absent(&self) -> bool {
        self.paging.is_some() || self.empty_is_absent
    }

    /// What is searched, if it is.
    pub fn index(&self) -> Option<&Arc<Index>> {
        self.search.as_ref().map(|search| &search.searched.index)
    }

    /// What is looked for, if something is.
    pub fn searched(&self) -> Option<&Template<R>> {
        self.search.as_ref().map(|search| &search.words)
    }
}

impl Listing<Binding> {
    /// How many items of `value` it looks at: what it costs. Cutting a page looks at none but the page's.
    pub fn items_looked_at(&self, value: &Value) -> usize {
        if let Some(search) = &self.search {
            return search.searched.index.passage_count();
        }
        let looks = self.filter.is_some() || !self.sort.is_empty() || self.group_by.is_some();
        let items = value.as_list().or_else(|| value.get("items").and_then(Value::as_list));
        items.filter(|_| looks).map_or(0, <[Value]>::len)
    }

    /// What can be done once for all requests, and what is left for each; either may be nothing.
    ///
    /// Sorting is for all of them: what a condition takes away leaves the others in their order. A search comes before all else, and its
    /// order is that of what is looked for.
    pub fn split(self) -> (Option<Self>, Option<Self>) {
        if self.search.is_some() {
            return (None, Some(self));
        }
        let Self { search: _, filter, sort, group_by, limit, paging, empty_is_absent } = self;
        let nothing = || Listing {
            search: None,
            filter: None,
            sort: Vec::new(),
            group_by: None,
            limit: None,
            paging: None,
            empty_is_absent: false,
        };
        let (filter_once, filter) = match filter {
            Some(filter) if filter.reads.is_empty() => (Some(filter), None),
            filter => (None, filter),
        };
        let mut once = Listing { filter: filter_once, sort, ..nothing() };
        let mut each = Listing { filter, paging, empty_is_absent, ..nothing() };
        let rest = if each.filter.is_none() { &mut once } else { &mut each };
        (rest.group_by, rest.limit) = (group_by, limit);
        (Some(once).filter(Self::does_something), Some(each).filter(Self::does_something))
    }

    fn does_something(&self) -> bool {
        let Self { search, filter, sort, group_by, limit, paging, empty_is_absent } = self;
        search.is_some()
            || filter.is_some()
            || !sort.is_empty()
            || group_by.is_some()
            || limit.is_some()
            || paging.is_some()
            || *empty_is_absent
    }
}
