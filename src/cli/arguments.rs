//! What can be said on the command line, and the help that teaches it: one table, from which usage, help and errors come.

use crate::config::{Archive, Origin};
use crate::extract::Format as BodyFormat;
use crate::site::Declaration;
use crate::starter::{self, Starter};
use clap::builder::styling::{AnsiColor, Styles};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::path::PathBuf;
use std::sync::Arc;

const ABOUT: &str = "Serves a whole web site from declarations: TOML routes, Liquid layouts, Markdown, and data fetched at request time.";

const LONG_ABOUT: &str = "\
Serves a whole web site from declarations: TOML routes, Liquid layouts, Markdown, and data fetched at request time.

A site is a folder:
  site.toml   the site, the server, the upstreams; it may be empty
  routes/     one TOML file is one route: routes/about.toml answers /about
  layouts/    Liquid, escaped by default
  content/    Markdown, and the files that routes publish

It is checked as a whole before it serves. Edits are noticed while it serves: a sound one takes over at once, a broken one is explained \
and the last good site keeps serving.";

const AFTER: &str = "\
Examples:
  siteserver                                      serve ./site.toml on 127.0.0.1:4000
  siteserver --config shop/site.toml              serve another site
  siteserver --set 'server.listen=[\"[::]:8080\"]'  serve on another address
  siteserver new my-site                          make a site to begin with
  siteserver dev                                  work on it: live reload, findings, data
  siteserver check                                say everything that is wrong
  siteserver check --explain config/unknown-key   say what a finding means
  siteserver routes                               list what it serves
  siteserver explain '/repos/acme/anvil?page=2'   say what it would do with a request
  siteserver schema --write                       let editors complete and check its files
  siteserver purge --path /about                  make stored pages anew
  siteserver password                             hash a password, for [auth.basic]
  siteserver bundle --output shop                 write one program with the site inside
  siteserver try liquid card.html --data a.json   try a template; try jsonpath, try markdown
  siteserver completions bash                     write what completes these words in a shell

Signals while it serves:
  SIGHUP           loads the site anew; the old one keeps serving if the new one has errors
  SIGTERM, SIGINT  answers what is under way, then stops; once more stops at once

Exit codes:
  0  fine, also after a stop by signal
  1  the site has errors, also in what --set says; it cannot be served; or what was asked for cannot be done
  2  wrong usage: there is no such command, argument or name";

const AFTER_DEV: &str = "\
Examples:
  siteserver dev
  siteserver dev --config shop/site.toml
  siteserver dev --set 'server.listen=[\"127.0.0.1:4001\"]'

All that is its own lies below /_siteserver/; `siteserver serve` has nothing of it.";

const AFTER_NEW: &str = "\
Examples:
  siteserver new my-site
  siteserver new my-shop --starter shop
  siteserver new route /about
  siteserver new source https://api.example.com/products --into routes/index.toml";

const AFTER_NEW_ROUTE: &str = "\
Examples:
  siteserver new route /about
  siteserver new route '/shop/{sku}'
  siteserver new route '/docs/{*page}'
  siteserver new route /api/hello
  siteserver new route /contact --kind form";

const AFTER_NEW_SOURCE: &str = "\
Examples:
  siteserver new source https://api.example.com/products
  siteserver new source 'https://api.example.com/products/{params.sku}' --param sku=A-1 --into routes/shop/sku.toml
  siteserver new source http://127.0.0.1:3000/me --allow-private --header 'Authorization: Bearer abc'";

const AFTER_SERVE: &str = "\
Examples:
  siteserver
  siteserver --config shop/site.toml
  siteserver serve --set server.listen='[\"0.0.0.0:8080\"]' --set log.format=json
  siteserver serve --quiet

Once it listens, one line on the standard error tells the address, the number of routes, and how long it took to load them. The access \
log is on the standard output.

Signals:
  SIGHUP           loads the site anew; the old one keeps serving if the new one has errors
  SIGTERM, SIGINT  answers what is under way, then stops; once more stops at once";

const AFTER_CHECK: &str = "\
Examples:
  siteserver check
  siteserver check --config shop/site.toml --quiet
  siteserver check --format json | jq -r '.findings[].code'
  siteserver check --explain config/unknown-key
  siteserver check --explain";

const AFTER_ROUTES: &str = "\
Examples:
  siteserver routes
  siteserver routes --config shop/site.toml";

const AFTER_SCHEMA: &str = "\
Examples:
  siteserver schema --write
  siteserver schema route > route.schema.json
  siteserver schema --openapi > api.json";

const AFTER_COMPLETIONS: &str = "\
Examples:
  siteserver completions bash > ~/.local/share/bash-completion/completions/siteserver
  siteserver completions zsh > ~/.zfunc/_siteserver
  siteserver completions fish > ~/.config/fish/completions/siteserver.fish";

const AFTER_MAN: &str = "\
Examples:
  siteserver man | man -l -
  siteserver man check | man -l -
  siteserver man --write ~/.local/share/man/man1";

const AFTER_TRY: &str = "\
Examples:
  siteserver try liquid card.html --data product.json
  siteserver try liquid page.html --data page.json --partials layouts/partials
  echo '{{ 3 | times: 14 }}' | siteserver try liquid -
  siteserver try jsonpath '$.items[?@.price < 10].name' answer.json --paths
  curl -s https://api.example.com/feed.xml | siteserver try jsonpath '$..title' - --format xml
  siteserver try markdown page.md --options table,footnotes
  siteserver try markdown page.md --as document

With --lines, each line of the standard input is a JSON object, answered by a line of the standard output at once:
  try liquid     {\"template\", \"data\", \"templates\"}  ->  {\"output\"}, or {\"error\", \"stage\": \"parse\" or \"render\"}
  try jsonpath   {\"selector\", \"document\"}            ->  {\"values\", \"paths\"}, or {\"error\"}
  try markdown   {\"markdown\", \"options\"}             ->  {\"html\"}, or {\"error\"}";

const AFTER_PASSWORD: &str = "\
Examples:
  siteserver password
  printf '%s' \"$PASSWORD\" | siteserver password

A user in the file of [auth.basic]:
  [alice]
  password = \"$argon2id$v=19$m=19456,t=2,p=1$...\"
  role = \"admin\"";

const AFTER_PURGE: &str = "\
Examples:
  siteserver purge --tag layout:card.html --tag source:repo
  siteserver purge --path /about --soft
  siteserver purge --source repo --param owner=octocat --param name=hello
  siteserver purge --all --format json";

const AFTER_BUNDLE: &str = "\
Examples:
  siteserver bundle --output shop        write `shop`: this program with the site inside
  ./shop                                 serve that site, wherever the file is, without any other
  ./shop check                           every command works on the site inside
  ./shop --set server.listen='[\"[::]:8080\"]'
  ./shop --version                       say which program and which site it is
  ./shop --config shop/site.toml         serve another site after all
  ./shop bundle --extract copy           write the files inside into the folder `copy`";

const AFTER_EXPLAIN: &str = "\
Examples:
  siteserver explain /
  siteserver explain '/search?q=lamp&utm_source=x'
  siteserver explain https://www.example.com/account --header 'Cookie: session=1'
  siteserver explain /api/products --method OPTIONS
  siteserver explain / --format json | jq .page.store.key";

/// The colours of help and of what is wrong with a command line; they are left out where nobody would see them.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "siteserver", version, about = ABOUT, long_about = LONG_ABOUT, after_help = AFTER)]
#[command(disable_help_subcommand = true, max_term_width = 120, styles = STYLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) site: SiteArguments,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// Where the options that all commands share stand in the help of each: behind its own.
const LAST: usize = 100;

/// Which site, and how it differs from its files.
#[derive(Debug, Clone, Args)]
pub(super) struct SiteArguments {
    /// The site's `site.toml`, or the folder that it is in; every path in the site is relative to that folder
    #[arg(long, global = true, value_name = "PATH", default_value = "./site.toml", display_order = LAST)]
    pub(super) config: PathBuf,
    /// Sets one key of `site.toml` to a TOML value or else a string; may be repeated, later ones win
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", display_order = LAST + 1)]
    pub(super) sets: Vec<String>,
    #[command(flatten)]
    pub(super) voice: Voice,
    /// Whether the site was asked for by name.
    #[arg(skip)]
    pub(super) is_named: bool,
    /// The site inside this program, unless another one was asked for.
    #[arg(skip)]
    pub(super) inside: Option<Arc<Archive>>,
}

impl SiteArguments {
    /// Where the site's files are.
    pub(super) fn origin(&self) -> Origin {
        self.inside.clone().map_or_else(|| Origin::Folder(self.config.clone()), Origin::Inside)
    }
}

/// How much is said.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct Voice {
    /// Say only what is wrong: no line at the start, no counts, no progress
    #[arg(long, short, global = true, conflicts_with = "verbose", display_order = LAST + 2)]
    pub(super) quiet: bool,
    /// Say more: what was read and how long it took; while it serves, also what went wrong on single connections and calls
    #[arg(long, short, global = true, display_order = LAST + 3)]
    pub(super) verbose: bool,
}

/// What to do.
#[derive(Debug, Default, Subcommand)]
pub(super) enum Command {
    /// Serve the site; what happens without a command
    #[default]
    #[command(after_help = AFTER_SERVE)]
    Serve,
    /// Make a new site, or add a route or a source to one
    ///
    /// It runs at once, and `check` has nothing to say about it. Every file says in a comment what may be changed there; editors complete and
    /// check its TOML files. The site is named after its folder.
    #[command(after_help = AFTER_NEW)]
    New(NewArguments),
    /// Serve the site to its author: the browser shows each edit at once, and what is wrong with it
    ///
    /// Pages reload when a file of the site is saved. An edit with errors is shown over the page, with the lines that it is about; the last good
    /// site keeps serving until it is mended. A panel shows the sources of a page with their times, calls and data, and what the caches make of
    /// it. What is answered is else what `serve` answers. It listens on this machine alone, and answers to this machine's own names.
    #[command(after_help = AFTER_DEV)]
    Dev,
    /// Say everything that is wrong with the site, and stop
    ///
    /// Errors end with exit code 1, warnings and notes alone with 0. Environment variables that the site needs may be unset here: that is a
    /// warning, because a site is often checked on another machine than the one that serves it.
    #[command(after_help = AFTER_CHECK)]
    Check(CheckArguments),
    /// List the routes of the site: URLs, kinds, files, layouts, sources, cache policy, privacy
    #[command(after_help = AFTER_ROUTES)]
    Routes,
    /// Purge stored pages of a running server: by tag, path, source, or all
    ///
    /// The server is the one that serves this site: it is asked at `admin.listen`, with the token that `admin.token` names. What is purged
    /// is made anew when it is next asked for; the answer is how many stored items that were, pages and what sources keep, and their bytes.
    #[command(after_help = AFTER_PURGE)]
    Purge(PurgeArguments),
    /// Say what the server would do with a request, without asking anybody
    ///
    /// Its route and inputs, what governs it and where that was written, which sources would be asked in which order, who may keep the
    /// answer for how long and under which key, whether it is one person's and why, its header fields. It is told by the functions that
    /// answer requests. Nothing is sent anywhere; what only data can tell stands as a placeholder.
    #[command(after_help = AFTER_EXPLAIN)]
    Explain(ExplainArguments),
    /// Write one program with the site inside, which serves it without any other file
    ///
    /// The site is checked first: with errors nothing is written. The program is this one. What is inside are site.toml, the files below routes/,
    /// layouts/ and content/ but those whose names begin with a dot, and the files beside them that the site names. Values of environment
    /// variables are never inside: they are read when the program starts, and so is --set. With `SOURCE_DATE_EPOCH` in the environment no time of a file
    /// is later than that, so that two checkouts of the same files make the same program.
    #[command(after_help = AFTER_BUNDLE)]
    Bundle(BundleArguments),
    /// Write what may stand in the files of a site, as JSON Schema, so that editors complete and check them
    #[command(after_help = AFTER_SCHEMA)]
    Schema(SchemaArguments),
    /// Hash a password, for the file of users that `[auth.basic]` names
    ///
    /// It is read from the standard input, which a terminal does not show, and its Argon2 hash is written to the standard output.
    #[command(after_help = AFTER_PASSWORD)]
    Password,
    /// Try a template on data, a selector on a document, or Markdown, without a site
    ///
    /// What is tried behaves as it does in a site, and costs no more than it may there. What is wrong is said with its place.
    #[command(after_help = AFTER_TRY)]
    Try(TryArguments),
    /// Write the completions of a shell to the standard output
    #[command(after_help = AFTER_COMPLETIONS)]
    Completions(CompletionsArguments),
    /// Write the manual page to the standard output, or that of a command, or all of them to a folder
    #[command(after_help = AFTER_MAN)]
    Man(ManArguments),
}

/// Whose completions.
#[derive(Debug, Args)]
pub(super) struct CompletionsArguments {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub(super) shell: Shell,
}

/// Which manual page.
#[derive(Debug, Args)]
pub(super) struct ManArguments {
    /// The command, with the one within it: `check`, `try liquid`
    #[arg(value_name = "COMMAND", conflicts_with = "write")]
    pub(super) command: Vec<String>,
    /// Write the pages of all commands to this folder
    #[arg(long, value_name = "FOLDER")]
    pub(super) write: Option<PathBuf>,
}

/// What to make.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, disable_help_subcommand = true)]
pub(super) struct NewArguments {
    #[command(subcommand)]
    pub(super) what: Option<Addition>,
    /// The folder to make. It must not be there, or be empty; one called `route` or `source` is written `./route`
    #[arg(value_name = "DIR", required = true)]
    pub(super) folder: Option<PathBuf>,
    /// What to begin with
    #[arg(long, value_parser = starters(), value_name = "STARTER", default_value = "minimal")]
    pub(super) starter: Starter,
}

/// The sites to begin with, by their names.
fn starters() -> impl TypedValueParser<Value = Starter> {
    let known: Vec<_> = starter::all().map(|it| PossibleValue::new(it.name).help(it.about)).collect();
    PossibleValuesParser::new(known).try_map(|name: String| starter::named(&name).ok_or("no such starter"))
}

/// What is added to a site that is there.
#[derive(Debug, Subcommand)]
pub(super) enum Addition {
    /// Add a route, with its layout or its document
    ///
    /// `/shop/{sku}` is routes/shop/sku.toml with a type for the parameter, and layouts/shop/sku.html. Nothing is written over, and a URL
    /// that another route answers is refused. The site is checked with what is new.
    #[command(after_help = AFTER_NEW_ROUTE)]
    Route(RouteArguments),
    /// Ask a URL, and propose what a page may take of its answer
    ///
    /// JSON, CSV, YAML and XML are understood. The proposal has names, selectors and types, what must be there, and how long it may be
    /// kept. It goes to the standard output, or to the end of a route.
    #[command(after_help = AFTER_NEW_SOURCE)]
    Source(SourceArguments),
}

/// Which route.
#[derive(Debug, Args)]
pub(super) struct RouteArguments {
    /// The URL's path, with parameters in braces: `/about`, `/shop/{sku}`, `/docs/{*page}`
    #[arg(value_name = "PATH")]
    pub(super) path: String,
    /// What it is; else what the path looks like
    #[arg(long, value_enum, value_name = "KIND")]
    pub(super) kind: Option<RouteKind>,
}

/// The kinds of routes that can be begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum RouteKind {
    /// A layout, and data if it has sources
    Page,
    /// A Markdown file; with `{*page}` a tree of them
    Document,
    /// JSON; below /api without being asked
    Json,
    /// The files of a folder, with `{*file}`
    Files,
    /// Another URL
    Redirect,
    /// A page that takes what people send
    Form,
    /// What an upstream answers, with `{*rest}`
    Proxy,
}

/// Which source.
#[derive(Debug, Args)]
pub(super) struct SourceArguments {
    /// The URL to ask, with the placeholders that the source will have: `https://api.example.com/products/{params.sku}`
    #[arg(value_name = "URL")]
    pub(super) url: String,
    /// What the source is called; else the last word of the path
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// The route whose file it is added to, as `routes/shop/sku.toml`; else it is written to the standard output
    #[arg(long, value_name = "FILE")]
    pub(super) into: Option<PathBuf>,
    /// What a placeholder stands for in this call; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = pair)]
    pub(super) params: Vec<(String, String)>,
    /// A header field of the call; may be repeated. What may be a credential is not written down
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub(super) headers: Vec<String>,
    /// Ask also an address of this machine or of a private network
    #[arg(long)]
    pub(super) allow_private: bool,
}

/// What to purge.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
pub(super) struct PurgeArguments {
    /// Pages that carry this tag; may be repeated
    #[arg(long = "tag", value_name = "TAG", group = "what")]
    pub(super) tags: Vec<String>,
    /// The pages of this path; may be repeated
    #[arg(long = "path", value_name = "PATH", group = "what")]
    pub(super) paths: Vec<String>,
    /// Pages that are made of this source
    #[arg(long, value_name = "NAME", group = "what")]
    pub(super) source: Option<String>,
    /// Only what the source answered for this value of one of its parameters; may be repeated, and then all must fit
    #[arg(long = "param", value_name = "NAME=VALUE", requires = "source", value_parser = pair)]
    pub(super) params: Vec<(String, String)>,
    /// Everything
    #[arg(long, group = "what", conflicts_with_all = ["tags", "paths", "source", "params"])]
    pub(super) all: bool,
    /// Declare it stale, so that it is still served while it is made anew, as its policy allows
    #[arg(long)]
    pub(super) soft: bool,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: Format,
}

/// What to write, and where.
#[derive(Debug, Args)]
pub(super) struct BundleArguments {
    /// The program to write; one that is there is replaced in one step
    #[arg(long, short, value_name = "FILE", default_value = "site")]
    pub(super) output: PathBuf,
    /// Write the files of the site inside this program into a folder instead, which must be empty or not be there
    #[arg(long, value_name = "DIR", conflicts_with = "output")]
    pub(super) extract: Option<PathBuf>,
}

/// Which request.
#[derive(Debug, Args)]
pub(super) struct ExplainArguments {
    /// A path with its query, or a whole URL, whose host counts; a path is asked of the site's own host, as if on this machine
    #[arg(value_name = "URL")]
    pub(super) url: String,
    /// A header field of the request; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub(super) headers: Vec<String>,
    /// The method of the request
    #[arg(long, default_value = "GET", value_name = "METHOD")]
    pub(super) method: String,
    /// How it is told
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: Format,
}

/// `NAME=VALUE`.
fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Which schema, and where to.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct SchemaArguments {
    /// The kind of file whose schema is written to the standard output
    #[arg(value_parser = declarations(), value_name = "FILE")]
    pub(super) of: Option<Declaration>,
    /// Write all schemas below `.siteserver/` beside site.toml, and a `.taplo.toml` that points editors to them unless there is one
    #[arg(long)]
    pub(super) write: bool,
    /// Write the site's own API to the standard output, as OpenAPI 3.1: its JSON routes and forms, with all that they take and answer
    #[arg(long)]
    pub(super) openapi: bool,
}

/// The kinds of files that hold declarations, by their names.
fn declarations() -> impl TypedValueParser<Value = Declaration> {
    let known = Declaration::ALL.map(|of| PossibleValue::new(of.name()).help(of.what()));
    let find = |name: String| Declaration::ALL.into_iter().find(|of| of.name() == name).ok_or("no such kind of file");
    PossibleValuesParser::new(known).try_map(find)
}

/// What to try.
#[derive(Debug, Args)]
pub(super) struct TryArguments {
    #[command(subcommand)]
    pub(super) what: Trial,
}

/// What can be tried.
#[derive(Debug, Subcommand)]
pub(super) enum Trial {
    /// Render a Liquid template on its own
    ///
    /// Names are not checked, because nothing is declared; what Liquid refuses is an error. Front matter is passed over. Dates without a zone are
    /// in that of the environment variable TZ, or else in UTC.
    Liquid(LiquidArguments),
    /// Select from a document by JSONPath (RFC 9535)
    ///
    /// Each value that is selected is written on a line of its own, as JSON.
    Jsonpath(JsonpathArguments),
    /// Render Markdown to HTML
    Markdown(MarkdownArguments),
}

/// Which template, and with what.
#[derive(Debug, Args)]
pub(super) struct LiquidArguments {
    /// The template's file; `-` is the standard input
    #[arg(value_name = "TEMPLATE", required_unless_present = "lines", conflicts_with = "lines")]
    pub(super) template: Option<PathBuf>,
    /// A JSON file with an object, whose members the template reads by their names; `-` is the standard input
    #[arg(long, value_name = "FILE", conflicts_with = "lines")]
    pub(super) data: Option<PathBuf>,
    /// The folder of the partials: `{% render "card" %}` is `card.html` there, if the template is called `….html`
    #[arg(long, value_name = "FOLDER", conflicts_with = "lines")]
    pub(super) partials: Option<PathBuf>,
    /// How outputs are escaped
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub(super) escape: Escaping,
    /// Answer lines of JSON with lines of JSON, until the standard input ends
    #[arg(long)]
    pub(super) lines: bool,
}

/// How outputs are escaped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Escaping {
    /// As in a layout called `.html`, for where they stand
    #[default]
    Html,
    /// As in a layout called `.xml`
    Xml,
    /// Not at all
    None,
}

/// Which selector, and what it selects from.
#[derive(Debug, Args)]
pub(super) struct JsonpathArguments {
    /// The selector, which begins with `$`
    #[arg(value_name = "SELECTOR", required_unless_present = "lines", conflicts_with = "lines")]
    pub(super) selector: Option<String>,
    /// The document's file; `-` is the standard input
    #[arg(value_name = "DOCUMENT", required_unless_present = "lines", conflicts_with = "lines")]
    pub(super) document: Option<PathBuf>,
    /// What the document is
    #[arg(long, value_parser = formats(), default_value = "json", value_name = "FORMAT", conflicts_with = "lines")]
    pub(super) format: BodyFormat,
    /// Write the normalized path of each value before it
    #[arg(long, conflicts_with = "lines")]
    pub(super) paths: bool,
    /// Answer lines of JSON with lines of JSON, until the standard input ends
    #[arg(long)]
    pub(super) lines: bool,
}

/// The formats that sources read, by their names.
fn formats() -> impl TypedValueParser<Value = BodyFormat> {
    PossibleValuesParser::new(BodyFormat::names().map(PossibleValue::new))
        .try_map(|name: String| BodyFormat::from_name(&name).ok_or("no such format"))
}

/// Which text, and which Markdown.
#[derive(Debug, Args)]
pub(super) struct MarkdownArguments {
    /// The text's file; `-` is the standard input
    #[arg(value_name = "FILE", required_unless_present = "lines", conflicts_with = "lines")]
    pub(super) text: Option<PathBuf>,
    /// Which Markdown it is
    #[arg(long = "as", value_enum, default_value_t, value_name = "KIND", conflicts_with = "lines")]
    pub(super) kind: MarkdownKind,
    /// Extensions that are on
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAMES", conflicts_with = "lines")]
    pub(super) options: Vec<Extension>,
    /// Answer lines of JSON with lines of JSON, until the standard input ends
    #[arg(long)]
    pub(super) lines: bool,
}

/// Which Markdown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum MarkdownKind {
    /// CommonMark 0.31.2, and the extensions that --options name
    #[default]
    Commonmark,
    /// As the documents of a site, without their front matter
    Document,
    /// As Markdown that a source fetches, sanitised
    Fetched,
}

/// An extension of `CommonMark`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Extension {
    /// Tables
    Table,
    /// `~~struck~~`
    Strikethrough,
    /// Bare URLs and mail addresses become links
    Autolink,
    /// Nine raw elements are shown and not obeyed
    Tagfilter,
    /// `- [x]`
    Tasklist,
    /// `[^1]`
    Footnotes,
}

/// How to check.
#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// How findings are written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: Format,
    /// Say what a finding's code means, and how to mend it; without a code, list them all
    #[arg(long, value_name = "CODE", num_args = 0..=1, conflicts_with = "format")]
    #[expect(clippy::option_option, reason = "absent, present without a code, present with one")]
    pub(super) explain: Option<Option<String>>,
}

/// How a command writes what it says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: one JSON object
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_table_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn arguments_of_the_site_may_stand_on_both_sides_of_the_command() {
        for line in [["--config", "a.toml", "--set", "a=1", "check"], ["check", "--config", "a.toml", "--set", "a=1"]] {
            let arguments = Arguments::try_parse_from(std::iter::once("siteserver").chain(line)).unwrap();
            assert_eq!(arguments.site.config, PathBuf::from("a.toml"), "{line:?}");
            assert_eq!(arguments.site.sets, ["a=1"], "{line:?}");
            assert!(matches!(arguments.command, Some(Command::Check(_))), "{line:?}");
        }
    }
}
