//! The bare program that the benches compare siteserver with: hyper alone, everything prepared or written out by hand.
//!
//! It answers what `benches/site` declares, with the same bytes and the same fields: a page and a file from memory (entity tags, 304, HEAD, and br for
//! the page), a page that is fetched, parsed into types and rendered for each request, and one for which it fetches the data and then
//! sends what it has, which is what a page of unchanged data costs at least. It has no routes, limits, deadlines, log
//! or reload: it is what a site could cost at least, not a server. Run it through `script/bench`; by hand:
//! `bare http://UPSTREAM FILE LAYOUT`.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde::Deserialize;
use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use tokio::net::TcpListener;

type Body = Full<Bytes>;

/// What siteserver sends with pages besides.
const WITH_PAGES: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("x-frame-options", "SAMEORIGIN"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    (
        "content-security-policy",
        "base-uri 'none'; default-src 'self'; font-src 'self' data:; form-action 'self'; frame-ancestors 'self'; img-src 'self' data:; object-src 'none'; script-src 'none'",
    ),
];
/// With those that it has in its store.
const WITH_STORED: [(&str, &str); 2] = [("age", "0"), ("cache-status", "siteserver; hit; ttl=86399")];
/// With files.
const WITH_FILES: [(&str, &str); 3] = [
    ("accept-ranges", "bytes"),
    ("x-content-type-options", "nosniff"),
    ("last-modified", "Sun, 22 Nov 2026 05:00:50 GMT"),
];

fn fields(pairs: &[(&'static str, &'static str)]) -> Vec<(HeaderName, HeaderValue)> {
    pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
}

fn insert(fields: &[(HeaderName, HeaderValue)], headers: &mut HeaderMap) {
    headers.reserve(fields.len() + 6);
    for (name, value) in fields {
        headers.insert(name.clone(), value.clone());
    }
}

/// One representation, ready to be sent.
struct Prepared {
    content: Bytes,
    media_type: HeaderValue,
    tag: HeaderValue,
    policy: HeaderValue,
    coding: Option<HeaderValue>,
    /// Fields of every answer, and of those with content.
    always: Vec<(HeaderName, HeaderValue)>,
    whole: Vec<(HeaderName, HeaderValue)>,
}

impl Prepared {
    fn new(content: impl Into<Bytes>, media_type: &'static str, policy: &'static str) -> Result<Self> {
        let content = content.into();
        let tag = HeaderValue::try_from(format!("\"{}\"", blake3::hash(&content).to_hex()))?;
        Ok(Self {
            content,
            tag,
            media_type: HeaderValue::from_static(media_type),
            policy: HeaderValue::from_static(policy),
            coding: None,
            always: Vec::new(),
            whole: Vec::new(),
        })
    }

    fn with(self, always: &[(&'static str, &'static str)], whole: &[(&'static str, &'static str)]) -> Self {
        Self { always: fields(always), whole: fields(whole), ..self }
    }

    fn brotli(&self) -> Result<Self> {
        let mut coded = Vec::new();
        let parameters = brotli::enc::BrotliEncoderParams { quality: 5, ..Default::default() };
        brotli::BrotliCompress(&mut self.content.as_ref(), &mut coded, &parameters)?;
        let tag = HeaderValue::try_from(format!("{}-br\"", self.tag.to_str()?.trim_end_matches('"')))?;
        Ok(Self {
            content: coded.into(),
            tag,
            coding: Some(HeaderValue::from_static("br")),
            media_type: self.media_type.clone(),
            policy: self.policy.clone(),
            always: self.always.clone(),
            whole: self.whole.clone(),
        })
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Body> {
        let unchanged = request.headers().get(IF_NONE_MATCH).is_some_and(|known| *known == self.tag);
        let content = if unchanged { Bytes::new() } else { self.content.clone() };
        let mut response = Response::new(Full::new(content));
        let headers = response.headers_mut();
        headers.insert(ETAG, self.tag.clone());
        headers.insert(CACHE_CONTROL, self.policy.clone());
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        insert(&self.always, headers);
        if unchanged {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        insert(&self.whole, headers);
        headers.insert(CONTENT_TYPE, self.media_type.clone());
        if let Some(coding) = &self.coding {
            headers.insert(CONTENT_ENCODING, coding.clone());
        }
        response
    }
}

/// What the upstream answers, as far as the page needs it.
#[derive(Deserialize)]
struct Catalogue<'a> {
    request: u64,
    #[serde(borrow)]
    items: Vec<Product<'a>>,
}

#[derive(Deserialize)]
struct Product<'a> {
    #[serde(borrow)]
    sku: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    category: Cow<'a, str>,
    price: f64,
    stock: u32,
    #[serde(borrow)]
    note: Cow<'a, str>,
    #[serde(borrow)]
    page: Cow<'a, str>,
}

impl Product<'_> {
    /// The address of its page, unless that is no link that a page may have.
    fn link(&self) -> &str {
        if self.page.starts_with("https://") { &self.page } else { "#" }
    }
}

/// The text of the layout around what changes; what stands in the loop is written out in [`Layout::render`].
struct Layout {
    before_number: String,
    before_items: String,
    after_items: String,
}

impl Layout {
    fn parse(text: &str) -> Result<Self> {
        let (before_number, rest) = text.split_once("{{ catalogue.request }}").context("the number in the layout")?;
        let (before_items, rest) =
            rest.split_once("{% for product in catalogue.items %}").context("the loop in the layout")?;
        let (_, after_items) = rest.split_once("{% endfor %}").context("the end of the loop in the layout")?;
        Ok(Self {
            before_number: before_number.into(),
            before_items: before_items.into(),
            after_items: after_items.into(),
        })
    }

    fn render(&self, catalogue: &Catalogue<'_>) -> Result<String> {
        let mut page = String::with_capacity(16 * 1024);
        write!(page, "{}{}{}", self.before_number, catalogue.request, self.before_items)?;
        for product in &catalogue.items {
            page.push_str("<li class=\"card\" id=\"");
            escape(&mut page, &product.sku);
            page.push_str("\">\n<p class=\"label\">");
            escape(&mut page, &product.category);
            page.push_str("</p>\n<h2><a href=\"");
            escape(&mut page, product.link());
            page.push_str("\" title=\"");
            escape(&mut page, &product.name);
            page.push_str("\">");
            escape(&mut page, &product.name);
            page.push_str("</a></h2>\n<p>");
            escape(&mut page, &product.note);
            page.push_str(" <a class=\"more\" href=\"");
            escape(&mut page, product.link());
            write!(
                page,
                "\">All about it</a></p>\n<p class=\"figures\"><span class=\"price\">{} €</span> ",
                product.price
            )?;
            page.push_str("<span class=\"stock\">");
            if product.stock > 0 {
                write!(page, "{} in stock", product.stock)?;
            } else {
                page.push_str("sold out");
            }
            page.push_str("</span></p>\n</li>\n");
        }
        page.push_str(&self.after_items);
        Ok(page)
    }
}

/// Appends `text` with the five characters of HTML escaped.
fn escape(page: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        let (plain, special) = rest.split_at(at);
        page.push_str(plain);
        let mut characters = special.chars();
        page.push_str(match characters.next() {
            Some('&') => "&amp;",
            Some('<') => "&lt;",
            Some('>') => "&gt;",
            Some('"') => "&quot;",
            _ => "&#39;",
        });
        rest = characters.as_str();
    }
    page.push_str(rest);
}

/// Where the data comes from, and what it is rendered with.
struct Live {
    client: Client<HttpConnector, Empty<Bytes>>,
    upstream: String,
    layout: Layout,
    /// What goes with its pages.
    fields: Vec<(HeaderName, HeaderValue)>,
}

impl Live {
    async fn page(&self, number: &str) -> Result<String> {
        self.layout.render(&serde_json::from_slice(&self.fetch(number).await?)?)
    }

    async fn fetch(&self, number: &str) -> Result<Bytes> {
        let target = format!("{}/products?request={number}", self.upstream).parse()?;
        let response = self.client.get(target).await?;
        ensure!(response.status() == StatusCode::OK, "the upstream answers {}", response.status());
        Ok(response.into_body().collect().await?.to_bytes())
    }

    async fn answer(&self, number: &str) -> Response<Body> {
        match self.page(number).await {
            Ok(page) => {
                let mut response = Response::new(Full::from(page));
                let headers = response.headers_mut();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
                insert(&self.fields, headers);
                response
            }
            Err(_) => status(StatusCode::BAD_GATEWAY),
        }
    }
}

/// Everything the program serves.
struct Site {
    page: Prepared,
    page_br: Prepared,
    file: Prepared,
    live: Live,
}

impl Site {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = status(StatusCode::METHOD_NOT_ALLOWED);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match request.uri().path() {
            "/page" if accepts_brotli(&request) => self.page_br.answer(&request),
            "/page" => self.page.answer(&request),
            "/assets/site.css" => self.file.answer(&request),
            "/same" => match self.live.fetch("0").await {
                Ok(_unchanged) => self.page.answer(&request),
                Err(_) => status(StatusCode::BAD_GATEWAY),
            },
            path => match path.strip_prefix("/live/").filter(|number| number.parse::<i64>().is_ok()) {
                Some(number) => self.live.answer(number).await,
                None => status(StatusCode::NOT_FOUND),
            },
        }
    }
}

fn accepts_brotli(request: &Request<Incoming>) -> bool {
    let accepted = request.headers().get(ACCEPT_ENCODING).and_then(|accepted| accepted.to_str().ok());
    accepted.is_some_and(|accepted| accepted.split(',').any(|coding| coding.trim() == "br"))
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = status;
    response
}

/// Prepares everything, then serves until it is stopped.
async fn serve(upstream: String, file: &str, layout: &str) -> Result<Infallible> {
    let live = Live {
        client: Client::builder(TokioExecutor::new()).build_http(),
        upstream,
        layout: Layout::parse(&std::fs::read_to_string(layout).with_context(|| layout.to_owned())?)?,
        fields: fields(&WITH_PAGES),
    };
    let page = Prepared::new(live.page("0").await?, "text/html; charset=utf-8", "public, max-age=0, s-maxage=86400")?
        .with(&WITH_STORED, &WITH_PAGES);
    let file = std::fs::read(file).with_context(|| file.to_owned())?;
    let file = Prepared::new(file, "text/css; charset=utf-8", "no-cache")?.with(&[], &WITH_FILES);
    let site = Arc::new(Site { page_br: page.brotli()?, page, file, live });

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stderr(), "listening on http://{}", listener.local_addr()?)?;
    loop {
        let (connection, _) = listener.accept().await?;
        connection.set_nodelay(true)?;
        let site = Arc::clone(&site);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let site = Arc::clone(&site);
                async move { Ok::<_, Infallible>(site.answer(request).await) }
            });
            // A client that goes away mid-request is no news here.
            http1::Builder::new().serve_connection(TokioIo::new(connection), service).await.unwrap_or_default();
        });
    }
}

fn main() -> Result<()> {
    // cargo adds arguments of its own, such as `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let [upstream, file, layout] = arguments.as_slice() else {
        writeln!(std::io::stderr(), "usage: bare http://UPSTREAM FILE LAYOUT; script/bench runs it")?;
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    match runtime.block_on(serve(upstream.clone(), file, layout))? {}
}
