//! What a new route begins with, kind by kind: its declaration, its layout, its document.
//!
//! Each is text that `check` accepts as it stands. It knows no file system.

use super::super::arguments::RouteKind;
use super::place::Asked;
use super::propose::quoted;
use super::route::Planned;
use anyhow::bail;
use std::fmt::Write as _;

/// What is known of the site that the files are fitted to.
#[derive(Debug, Default)]
pub(super) struct About {
    /// `layouts/base.html`, if there is one.
    pub(super) base: Option<String>,
    /// The first declared upstream.
    pub(super) upstream: Option<String>,
    /// A layout of the site that shows documents.
    pub(super) documents: Option<String>,
}

/// The files of a route of this kind; without one, of the kind that its URL suggests.
pub(super) fn files(asked: &Asked, kind: Option<RouteKind>, about: &About) -> anyhow::Result<Vec<Planned>> {
    let kind = kind.unwrap_or_else(|| likely(asked));
    let has_rest = asked.folder().is_some();
    if matches!(kind, RouteKind::Files | RouteKind::Proxy) && !has_rest {
        bail!("a route of this kind is for all below a path: write `{}/{{*rest}}`", asked.path.trim_end_matches('/'));
    }
    Ok(match kind {
        RouteKind::Page => page(asked, about),
        RouteKind::Form => form(asked, about),
        RouteKind::Json => vec![route(asked, &json(asked))],
        RouteKind::Document if has_rest => tree(asked, about),
        RouteKind::Document => document(asked, about),
        RouteKind::Files => vec![
            route(
                asked,
                &format!(
                    "# The files below content/{0}, byte for byte.\n\n{1}files = \"{0}\"\n",
                    asked.place,
                    path_of(asked)
                ),
            ),
            kept(
                format!("content/{}/example.txt", asked.place),
                "Put files here: they are served as they are.\n".to_owned(),
            ),
        ],
        RouteKind::Redirect => vec![route(asked, &redirect(asked))],
        RouteKind::Proxy => vec![route(asked, &proxy(asked, about)?)],
    })
}

/// What a URL looks like: `/api/x` is JSON, `/docs/{*page}` a tree of documents, `/assets/{*file}` a folder of files.
fn likely(asked: &Asked) -> RouteKind {
    if let Some(rest) = asked.pattern.rest_name() {
        return if rest.starts_with("file") { RouteKind::Files } else { RouteKind::Document };
    }
    let is_api = asked.path == "/api" || asked.path.starts_with("/api/");
    if is_api || asked.path.rsplit_once('.').is_some_and(|(_, extension)| extension == "json") {
        RouteKind::Json
    } else {
        RouteKind::Page
    }
}

fn route(asked: &Asked, text: &str) -> Planned {
    Planned { path: format!("routes/{}.toml", asked.place), text: text.to_owned(), may_stay: false }
}

/// A file that stays as it is if it is there already.
fn kept(path: String, text: String) -> Planned {
    Planned { path, text, may_stay: true }
}

/// The line that says the path, where the place of the file does not.
fn path_of(asked: &Asked) -> String {
    if asked.is_said_by_place { String::new() } else { format!("path = {}\n", quoted(&asked.path)) }
}

/// What people would call it: `about-us` is `About us`.
fn title(asked: &Asked) -> String {
    let spaced = asked.name().replace(['-', '_'], " ");
    let mut letters = spaced.chars();
    let title: String = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
    if asked.path == "/" { "Welcome".to_owned() } else { title }
}

/// The parameters and a good guess at their types. A rest has none: it is a path.
fn params(asked: &Asked) -> String {
    let mut text = String::new();
    let typed = asked.pattern.names().filter(|name| Some(*name) != asked.pattern.rest_name());
    for (place, name) in typed.enumerate() {
        if place == 0 {
            text.push_str(
                "\n# What may stand there; anything else is a 404 before anybody is asked. `type` is \"string\", \"int\", \"uuid\", \"slug\",\n\
                 # \"date\" or \"path\"; besides there are `enum`, `pattern`, `min`, `max` and `max-length`.",
            );
        }
        write!(text, "\n[params.{name}]\n{}\n", guess(name)).unwrap_or_default();
    }
    text
}

/// What a parameter of this name mostly is.
fn guess(name: &str) -> &'static str {
    let last = name.rsplit('_').next().unwrap_or(name);
    match last {
        "id" | "number" | "no" | "page" | "index" => "type = \"int\"\nmin = 1",
        "year" => "type = \"int\"\nmin = 1900\nmax = 2100",
        "month" => "type = \"int\"\nmin = 1\nmax = 12",
        "day" => "type = \"int\"\nmin = 1\nmax = 31",
        "date" => "type = \"date\"",
        "uuid" | "guid" => "type = \"uuid\"",
        "slug" | "tag" | "category" | "topic" => "type = \"slug\"",
        "lang" | "language" | "locale" => "pattern = \"[a-z]{2}\"",
        "sku" | "code" | "ref" => "pattern = \"[A-Za-z0-9-]+\"\nmax-length = 40",
        _ => "max-length = 100",
    }
}

/// The title, with what the parameters say: a page of one thing is called by it.
fn titled(asked: &Asked) -> String {
    let names: Vec<&str> = asked.pattern.names().collect();
    names.iter().fold(title(asked), |title, name| format!("{title} {{params.{name}}}"))
}

/// The example of a source that comments show.
fn source_in_comments(asked: &Asked) -> String {
    let file = format!("routes/{}.toml", asked.place);
    format!(
        "\n# Where its data comes from. `siteserver new source URL --into {file}` looks at an answer, and writes this:\n\
         # [sources.example]\n\
         # url = \"https://api.example.com/example\"\n\
         # extract.name = {{ select = \"$.name\", required = true }}\n"
    )
}

fn page(asked: &Asked, about: &About) -> Vec<Planned> {
    let extension = shown_as(asked);
    let layout = format!("{}.{extension}", asked.place);
    let text = format!(
        "# {}: layouts/{layout} shows it.\n\n{}layout = \"{layout}\"\ntitle = \"{}\"\ndescription = \"One sentence on it, for lists and search engines.\"\n{}{}",
        asked.path,
        path_of(asked),
        titled(asked),
        params(asked),
        source_in_comments(asked),
    );
    let inner = match extension {
        "html" => layout_of(about, "<h1>{{ page.title }}</h1>\n<p>{{ page.description }}</p>\n"),
        "xml" => {
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<page><title>{{ page.title }}</title></page>\n".to_owned()
        }
        _ => "{{ page.title }}\n".to_owned(),
    };
    vec![route(asked, &text), kept(format!("layouts/{layout}"), inner)]
}

/// The extension of a page's layout, which says how it is escaped.
fn shown_as(asked: &Asked) -> &'static str {
    match asked.path.rsplit_once('.') {
        Some((_, "xml")) => "xml",
        Some((_, "txt")) => "txt",
        Some((_, "csv")) => "csv",
        _ => "html",
    }
}

/// A layout that stands in the site's `base.html`, or is a whole page if there is none.
fn layout_of(about: &About, inner: &str) -> String {
    let main = format!("<main id=\"main\">\n{inner}</main>\n");
    match &about.base {
        Some(base) if base.contains("<main") => format!("+++\nlayout = \"base.html\"\n+++\n{inner}"),
        Some(_) => format!("+++\nlayout = \"base.html\"\n+++\n{main}"),
        None => format!(
            "<!doctype html>\n<html lang=\"{{{{ site.language }}}}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{{{{ page.title }}}}</title>\n</head>\n\
             <body>\n{main}</body>\n</html>\n"
        ),
    }
}

fn form(asked: &Asked, about: &About) -> Vec<Planned> {
    let layout = format!("{}.html", asked.place);
    let send = match &about.upstream {
        Some(upstream) => format!("# send = {{ upstream = \"{upstream}\", path = \"/messages\" }}\n"),
        None => "# send = { url = \"https://api.example.com/messages\" }\n".to_owned(),
    };
    let text = format!(
        "# {}: GET shows the form, POST takes what is sent. What does not fit is shown again with what is wrong beside it.\n\n\
         {}layout = \"{layout}\"\ntitle = \"{}\"\n{}\n\
         [form]\n# What fits is passed on to an upstream, once:\n{send}success = {{ layout = \"{layout}\" }}\n\n\
         # What may be sent; anything else is refused.\n[form.fields.email]\ntype = \"email\"\nrequired = true\n\
         message = \"Please tell us where to answer.\"\n\n[form.fields.text]\ntype = \"text\"\nrequired = true\nmax-length = 2000\n",
        asked.path,
        path_of(asked),
        titled(asked),
        params(asked),
    );
    let thanks = format!("{}-thanks.html", asked.place);
    let text = text
        .replace(&format!("success = {{ layout = \"{layout}\" }}"), &format!("success = {{ layout = \"{thanks}\" }}"));
    let inner = "<h1>{{ page.title }}</h1>\n\
        {% if form.status %}<p role=\"alert\">{{ form.error | default: \"Please look at what you have written.\" }}</p>\n{% endif %}\
        <form method=\"post\">\n\
        <p><label for=\"email\">Your address</label>\n\
        <input id=\"email\" type=\"email\" name=\"email\" autocomplete=\"email\" value=\"{{ form.values.email }}\" required aria-describedby=\"email-error\">\n\
        <span id=\"email-error\">{{ form.errors.email }}</span></p>\n\
        <p><label for=\"text\">Your message</label>\n\
        <textarea id=\"text\" name=\"text\" required aria-describedby=\"text-error\">{{ form.values.text }}</textarea>\n\
        <span id=\"text-error\">{{ form.errors.text }}</span></p>\n\
        <p><button type=\"submit\">Send</button></p>\n\
        </form>\n";
    vec![
        route(asked, &text),
        kept(format!("layouts/{layout}"), layout_of(about, inner)),
        kept(
            format!("layouts/{thanks}"),
            layout_of(about, "<h1>{{ page.title }}</h1>\n<p>Thank you. It has arrived.</p>\n"),
        ),
    ]
}

fn json(asked: &Asked) -> String {
    let mut shape = String::new();
    for name in asked.pattern.names() {
        writeln!(shape, "{name} = \"{{params.{name}}}\"").unwrap_or_default();
    }
    if shape.is_empty() {
        shape.push_str("message = \"Hello\"\n");
    }
    format!(
        "# GET {}: the JSON that stands below. A string that is one placeholder keeps its type; `each` and `fields` make lists.\n\n\
         {}\n[json]\n{shape}{}{}",
        asked.path,
        path_of(asked),
        params(asked),
        source_in_comments(asked),
    )
    .replace("\n\n\n", "\n\n")
}

fn document(asked: &Asked, about: &About) -> Vec<Planned> {
    let content = format!("{}.md", asked.place);
    let (layout, more) = documents(about);
    let text = format!(
        "# {}: content/{content} in a layout.\n\n{}content = \"{content}\"\nlayout = \"{layout}\"\n{}",
        asked.path,
        path_of(asked),
        params(asked),
    );
    let document = format!(
        "+++\ntitle = \"{}\"\ndescription = \"One sentence on it, for lists and search engines.\"\n+++\n\nWrite here.\n",
        title(asked)
    );
    [route(asked, &text), kept(format!("content/{content}"), document)].into_iter().chain(more).collect()
}

fn tree(asked: &Asked, about: &About) -> Vec<Planned> {
    let folder = &asked.place;
    let (layout, more) = documents(about);
    let text = format!(
        "# Every Markdown file below content/{folder}/ is a page: content/{folder}/a/b.md is {}/a/b, and an index.md is its folder.\n\n\
         {}content = \"{folder}\"\nlayout = \"{layout}\"\n{}",
        asked.folder().unwrap_or_default(),
        path_of(asked),
        params(asked),
    );
    let index = format!(
        "+++\ntitle = \"{}\"\ndescription = \"One sentence on it, for lists and search engines.\"\n+++\n\nWrite here, and put other files beside this one.\n",
        title(asked)
    );
    [route(asked, &text), kept(format!("content/{folder}/index.md"), index)].into_iter().chain(more).collect()
}

/// The layout of documents: the site's, or a new one.
fn documents(about: &About) -> (String, Option<Planned>) {
    match &about.documents {
        Some(layout) => (layout.clone(), None),
        None => {
            let inner = "<h1>{{ page.title }}</h1>\n{{ content }}\n";
            ("page.html".to_owned(), Some(kept("layouts/page.html".to_owned(), layout_of(about, inner))))
        }
    }
}

fn redirect(asked: &Asked) -> String {
    let target = if asked.path == "/" { "/home" } else { "/" };
    format!(
        "# {} leads elsewhere, with 308 unless `status` says otherwise. The query is dropped, unless it is written: \"/x?q={{query.q}}\".\n\n\
         {}redirect = \"{target}\"\n{}",
        asked.path,
        path_of(asked),
        params(asked),
    )
}

fn proxy(asked: &Asked, about: &About) -> anyhow::Result<String> {
    let Some(upstream) = &about.upstream else {
        bail!(
            "a proxy passes on to an upstream, and site.toml declares none; write there\n\n  [upstreams.old]\n  base-url = \"https://old.example.com\"\n"
        );
    };
    let rest = asked.pattern.rest_name().unwrap_or("rest");
    Ok(format!(
        "# What the upstream answers, through a shared cache: every method, path, query, field and body. `cache = false` turns the cache off.\n\n\
         {}proxy = \"{upstream}\"\n\
         # Without this line the upstream is asked for the whole path; with it, for what stands behind {}.\n\
         # proxy-path = \"/{{params.{rest}}}\"\n{}",
        path_of(asked),
        asked.folder().unwrap_or_default(),
        params(asked),
    ))
}
