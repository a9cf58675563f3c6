//! A tree of documents: its order, its navigation, and what stands around each document.

use super::super::kind::{self, rest_parameter};
use super::super::{Shared, code};
use super::{Document, Rendered, address, below, members, name_in, read, rendered, spoken, title};
use crate::config::TreeFile;
use crate::diagnostic::{Finding, Place, Spanned};
use crate::render::Layout;
use crate::resource::{Decl, NO_FOLDER};
use crate::value::{Object, Value};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A tree that was read.
pub(in super::super) struct ShownTree {
    pub(in super::super) parameter: String,
    /// The layouts that its documents are shown in, each once.
    pub(in super::super) layouts: Vec<Arc<Layout>>,
    pub(in super::super) documents: Vec<ShownPage>,
    /// Whether a layout is named that is not there.
    pub(in super::super) lacks_layout: bool,
}

/// A document of a tree.
pub(in super::super) struct ShownPage {
    /// What the rest parameter says.
    pub(in super::super) name: String,
    pub(in super::super) layout: Option<usize>,
    pub(in super::super) html: Value,
    /// What `page` holds.
    pub(in super::super) page: Vec<(String, Value)>,
}

/// A document on its way into the tree.
struct Leaf {
    name: String,
    document: Arc<Document>,
    rendered: Arc<Rendered>,
    /// `{ title, path, url }`: how others refer to it.
    link: Value,
}

/// The tree below a folder of `content/`.
pub(in super::super) fn shown(
    content: &Spanned<String>,
    decl: &Decl,
    file: &TreeFile,
    shared: &mut Shared<'_>,
) -> Option<ShownTree> {
    let folder = content.value.trim_matches('/');
    let what = ("a tree of documents", "path = \"/docs/{*page}\"");
    let parameter = rest_parameter(decl, file, content.place, what, shared);
    let mut layouts = Layouts { list: Vec::new(), default: None, lacks: false };
    layouts.default = decl.layout.as_ref().and_then(|name| layouts.named(name, shared));
    let leaves = leaves(folder, content.place, shared);
    if leaves.is_empty() {
        // What cannot be read has its finding, and may be what is to be served.
        if below(folder, shared).iter().any(|path| read(path, shared).is_none_or(|document| document.is_unclear())) {
            return None;
        }
        let message = format!("`content/{folder}` holds no document that is to be served");
        shared
            .findings
            .push(Finding::new(&NO_FOLDER, content.place, message).help("documents end in `.md`, and are no drafts"));
        return None;
    }
    let root = Node::root(&leaves);
    let mut around = Around { leaves: &leaves, order: Vec::new(), ancestors: HashMap::new() };
    around.walk(&root, &mut Vec::new());
    let nav = navigation(&root, &leaves);
    let mut documents = Vec::with_capacity(leaves.len());
    for (at, &leaf) in around.order.iter().enumerate() {
        let neighbour = |at: Option<usize>| {
            at.and_then(|at| around.order.get(at)).map_or(Value::Null, |&leaf| leaves[leaf].link.clone())
        };
        let breadcrumbs = around.ancestors.get(&leaf).cloned().unwrap_or_default();
        let leaf = &leaves[leaf];
        let mut page = members(&leaf.document, &leaf.rendered);
        let derived = [
            ("prev", neighbour(at.checked_sub(1))),
            ("next", neighbour(Some(at + 1))),
            ("breadcrumbs", Value::list(breadcrumbs)),
            ("nav", nav.clone()),
        ];
        for (key, value) in derived {
            page.retain(|(name, _)| name != key);
            page.push((key.to_owned(), value));
        }
        let layout = layouts.of(&leaf.document, shared);
        documents.push(ShownPage { name: leaf.name.clone(), layout, html: leaf.rendered.html.clone(), page });
    }
    let Layouts { list, lacks, .. } = layouts;
    Some(ShownTree { parameter: parameter?, layouts: list, documents, lacks_layout: lacks })
}

/// The documents that are served, in the order of their names; two of one name are a finding.
fn leaves(folder: &str, place: Place, shared: &mut Shared<'_>) -> Vec<Leaf> {
    let mut leaves: BTreeMap<String, Leaf> = BTreeMap::new();
    for path in below(folder, shared) {
        let Some(document) = read(&path, shared).filter(|document| !document.is_draft()) else { continue };
        let Some(rendered) = rendered(&document, shared) else { continue };
        let name = name_in(folder, &path);
        if let Some(other) = leaves.get(&name) {
            let message = format!("`{}` and `{path}` have the same URL", other.document.path);
            shared.findings.push(
                Finding::new(&code::SAME_PATH, place, message).help("a folder's own page is its `index.md`: keep one"),
            );
            continue;
        }
        let (path, url) = address(&path, shared);
        let link =
            Object::from_iter([("title", title(&document, Some(&rendered)).into()), ("path", path), ("url", url)]);
        leaves.insert(name.clone(), Leaf { name, document, rendered, link: link.into() });
    }
    leaves.into_values().collect()
}

/// A folder, a document, or both.
struct Node<'l> {
    /// The last segment of its name.
    name: &'l str,
    /// Its document.
    leaf: Option<usize>,
    weight: f64,
    children: Vec<Self>,
}

impl<'l> Node<'l> {
    fn root(leaves: &'l [Leaf]) -> Self {
        let mut root = Node { name: "", leaf: None, weight: f64::INFINITY, children: Vec::new() };
        for (at, leaf) in leaves.iter().enumerate() {
            let mut node = &mut root;
            for segment in leaf.name.split('/').filter(|segment| !segment.is_empty()) {
                // Names come sorted, so what begins alike comes together.
                if node.children.last().is_none_or(|last| last.name != segment) {
                    node.children.push(Node { name: segment, leaf: None, weight: f64::INFINITY, children: Vec::new() });
                }
                let Some(last) = node.children.last_mut() else { break };
                node = last;
            }
            node.leaf = Some(at);
            node.weight = leaf.document.matter.get("weight").and_then(Value::as_f64).unwrap_or(f64::INFINITY);
        }
        root.sort();
        root
    }

    /// By weight, then by name.
    fn sort(&mut self) {
        let by_weight = |left: &Self, right: &Self| left.weight.partial_cmp(&right.weight).unwrap_or(Ordering::Equal);
        self.children.sort_by(|left, right| by_weight(left, right).then_with(|| left.name.cmp(right.name)));
        self.children.iter_mut().for_each(Self::sort);
    }
}

/// What stands around each document.
struct Around<'l> {
    leaves: &'l [Leaf],
    /// The documents in the order of reading.
    order: Vec<usize>,
    /// The documents of the folders around each.
    ancestors: HashMap<usize, Vec<Value>>,
}

impl Around<'_> {
    fn walk(&mut self, node: &Node<'_>, above: &mut Vec<Value>) {
        let depth = above.len();
        if let Some(leaf) = node.leaf {
            self.order.push(leaf);
            self.ancestors.insert(leaf, above.clone());
            above.push(self.leaves[leaf].link.clone());
        }
        for child in &node.children {
            self.walk(child, above);
        }
        above.truncate(depth);
    }
}

/// `page.nav`: the tree's own document first, then what is below it.
fn navigation(root: &Node<'_>, leaves: &[Leaf]) -> Value {
    let own = Node { name: root.name, leaf: root.leaf, weight: root.weight, children: Vec::new() };
    let first = root.leaf.map(|_| entry(&own, leaves));
    first.into_iter().chain(root.children.iter().map(|child| entry(child, leaves))).collect::<Vec<_>>().into()
}

fn entry(node: &Node<'_>, leaves: &[Leaf]) -> Value {
    let link = node.leaf.and_then(|leaf| leaves.get(leaf)).map(|leaf| &leaf.link);
    let of_link = |key: &str| link.and_then(|link| link.get(key)).cloned();
    let children: Vec<Value> = node.children.iter().map(|child| entry(child, leaves)).collect();
    let entry: Object = [
        ("title", of_link("title").unwrap_or_else(|| spoken(node.name).into())),
        ("path", of_link("path").unwrap_or_default()),
        ("url", of_link("url").unwrap_or_default()),
        ("children", children.into()),
    ]
    .into_iter()
    .collect();
    entry.into()
}

/// The layouts of a tree.
struct Layouts {
    list: Vec<Arc<Layout>>,
    default: Option<usize>,
    /// Whether one is named that is not there.
    lacks: bool,
}

impl Layouts {
    fn position(&mut self, layout: &Arc<Layout>) -> usize {
        if let Some(known) = self.list.iter().position(|known| Arc::ptr_eq(known, layout)) {
            return known;
        }
        self.list.push(Arc::clone(layout));
        self.list.len() - 1
    }

    /// The layout that a document asks for in its front matter, or that of the tree.
    fn of(&mut self, document: &Document, shared: &mut Shared<'_>) -> Option<usize> {
        document.layout(&shared.files).map_or(self.default, |name| self.named(&name, shared))
    }

    /// The position of the layout of this name.
    fn named(&mut self, name: &Spanned<String>, shared: &mut Shared<'_>) -> Option<usize> {
        let layout = kind::layout(name, shared);
        self.lacks |= layout.is_none();
        layout.map(|layout| self.position(&layout))
    }
}
