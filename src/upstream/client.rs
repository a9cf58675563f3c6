//! One call: its turn, its attempts, its redirects, its body; all of it before the deadline.
//!
//! There is one HTTP client for each kind of trust and of repeatability, with a pool of its own. They follow no redirect, keep no cookie,
//! send no referrer, know no proxy and undo no content coding: what of this is wanted is done here, under our bounds.

use super::body::{self, Room};
use super::breaker::{Admission, Health};
use super::forward::Forwarder;
use super::pieces::InPieces;
use super::registry::{health, health_of};
use super::reply::Reply;
use super::resolver::{Names, Resolver, refused};
use super::roots;
use super::{
    Answer, Bounds, Call, Failure, Forward, Forwarded, Part, Trust, Upload, UpstreamState, Wait, address,
    belongs_to_connection, redirect, retry,
};
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use http::uri::PathAndQuery;
use reqwest::Url;
use rustls::ClientConfig;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// The largest head of an answer that is accepted, in bytes of names and values.
const HEAD_BYTES: usize = 32 << 10;
/// The most header fields of an answer.
const HEAD_FIELDS: usize = 100;
/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(30);
/// How many unused connections to one host are kept.
const IDLE_CONNECTIONS: usize = 32;
/// How we introduce ourselves to servers, unless a call says otherwise.
const USER_AGENT: &str = concat!("siteserver/", env!("CARGO_PKG_VERSION"));

/// What holds for all calls.
#[derive(Debug, Clone, Copy)]
pub struct ClientSettings {
    /// From the name to a usable connection: look-up, TCP, TLS; the look-up alone may take as long.
    pub connect_timeout: Duration,
    /// How many answers with a body above a mebibyte may exist at once; the others wait, within their deadlines.
    pub large_answers: usize,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self { connect_timeout: Duration::from_secs(2), large_answers: 8 }
    }
}

/// The HTTP clients could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The TLS library refuses what we ask of it.
    #[error("cannot set up TLS for calls to upstreams")]
    Tls(#[from] rustls::Error),
    /// The HTTP library does.
    #[error("cannot set up HTTP for calls to upstreams")]
    Http(#[from] reqwest::Error),
}

/// Makes calls. One for the whole process; it outlives every site.
#[derive(Debug)]
pub struct Client {
    public: Pair,
    private: Pair,
    forwarder: Forwarder,
    places: Arc<Semaphore>,
}

/// The clients for one kind of trust.
#[derive(Debug)]
struct Pair {
    /// For what may be sent again.
    pooled: reqwest::Client,
    /// For what may not: each call on a connection of its own, as the peer may be just about to close an idle one, and then nobody
    /// could tell whether it had acted upon the call.
    fresh: reqwest::Client,
}

impl Client {
    /// Sets up the clients; connects to nothing.
    pub fn new(settings: ClientSettings) -> Result<Self, BuildError> {
        Self::with_tls(settings, &roots::tls()?)
    }

    pub(super) fn with_tls(settings: ClientSettings, tls: &ClientConfig) -> Result<Self, BuildError> {
        let names = Arc::new(Names::of_this_machine(settings.connect_timeout));
        let pair = |trust| -> Result<Pair, reqwest::Error> {
            let resolver = Resolver { names: Arc::clone(&names), trust };
            Ok(Pair {
                pooled: http_client(settings, tls.clone(), resolver.clone(), IDLE_CONNECTIONS)?,
                fresh: http_client(settings, tls.clone(), resolver, 0)?,
            })
        };
        Ok(Self {
            public: pair(Trust::Public)?,
            private: pair(Trust::Private)?,
            forwarder: Forwarder::new(Arc::clone(&names), tls.clone(), settings.connect_timeout),
            places: Arc::new(Semaphore::new(settings.large_answers.clamp(1, Semaphore::MAX_PERMITS))),
        })
    }

    /// Makes a call: waits for its turn, sends it, sends it again if that is fair, and returns before `deadline` or the call's own total
    /// timeout, whichever comes first.
    pub async fn fetch(
        &self,
        call: &Call,
        upstream: &Arc<UpstreamState>,
        deadline: Instant,
    ) -> Result<Answer, Failure> {
        let started = Instant::now();
        let end = deadline.min(started + call.timeouts.total);
        check_url(&call.url)?;
        if end <= started {
            return Err(Failure::Timeout(Wait::Turn));
        }
        let _turn = upstream.limit.enter(end).await?;
        upstream.budget.earn();
        let mut attempt = 0;
        loop {
            let now = wait_as_asked(upstream, Instant::now(), end).await?;
            let admission = upstream.admit(now)?;
            let outcome = self.attempt(call, upstream, end).await;
            let now = Instant::now();
            upstream.record(admission, health(&outcome), now);
            if let (Ok(answer), false) = (&outcome, call.for_visitor) {
                upstream.patience.heed(answer.status, &answer.headers, now);
            }
            let again = (call.safe && attempt < call.retries)
                .then(|| retry::pause(&outcome, attempt, end.saturating_duration_since(now), retry::jitter()))
                .flatten()
                .filter(|_| upstream.budget.spend());
            let Some(pause) = again else {
                return outcome.map(|answer| Answer { elapsed: now - started, ..answer });
            };
            drop(outcome);
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    /// Passes a request on: waits for its turn, sends it once, and returns when the head of the answer has come.
    ///
    /// `deadline` bounds the waiting for a turn and a connection, and for the head unless the request has a body: that takes as long as it
    /// moves, see [`Bounds`]. A request with which no connection was begun goes to the upstream's next address; one that was begun is
    /// never sent again. Dropping the future, or what it returned, breaks the exchange off.
    pub async fn forward(
        &self,
        forward: Forward,
        upstream: &Arc<UpstreamState>,
        bounds: Bounds,
        deadline: Instant,
    ) -> Result<Forwarded, Failure> {
        // How fast a visitor sends and reads is not the upstream's burden, and no visitor takes its places by being slow: what counts is waiting
        // for the head of an answer, with nothing left to send.
        let place = if forward.body.is_streamed() { None } else { Some(upstream.limit.enter(deadline).await?) };
        let now = wait_as_asked(upstream, Instant::now(), deadline).await?;
        let admission = upstream.admit(now)?;
        let for_visitor = forward.for_visitor;
        let trust = upstream.trust();
        let outcome = self.forwarder.send(forward, upstream, trust, bounds, deadline).await;
        let (health, mut forwarded) = match outcome {
            // Visitors choose what they ask for, and may get a 500 or 501 for it from an upstream that is well.
            Ok(forwarded) if matches!(forwarded.status().as_u16(), 502..=504) => (Health::Bad, forwarded),
            Ok(forwarded) => (Health::Good, forwarded),
            Err(failure) => {
                upstream.record(admission, health_of(failure), Instant::now());
                return Err(failure);
            }
        };
        if !for_visitor && let Forwarded::Answer(answer) = &forwarded {
            upstream.patience.heed(answer.status(), answer.headers(), Instant::now());
        }
        // An answer is good when it has come to its end; what a probe finds out is waited for.
        let tells_breaker = health == Health::Good && admission == Admission::Usual;
        drop(place);
        if !forwarded.told_at_its_end(tells_breaker) {
            upstream.record(admission, health, Instant::now());
        }
        Ok(forwarded)
    }

    /// Sends the call once, along its redirects if it asks for that.
    async fn attempt(&self, call: &Call, upstream: &Arc<UpstreamState>, end: Instant) -> Result<Answer, Failure> {
        let mut url = call.url.clone();
        let mut headers = outgoing(&call.headers);
        let mut followed = 0;
        loop {
            let response = if upstream.has_declared_addresses() && url.origin() == call.url.origin() {
                self.send_to_addresses(call, &url, headers.clone(), upstream, end).await?
            } else {
                check_address(&url, call.trust)?;
                self.send(call, url.clone(), headers.clone(), end).await?
            };
            check_head(&response)?;
            let Some(redirects) = &call.redirects else { return self.receive(call, response, end).await };
            let next =
                redirect::target(redirects, &call.method, &url, &call.url, response.status(), response.headers())?;
            let Some(next) = next else { return self.receive(call, response, end).await };
            if followed == redirects.most {
                return Err(Failure::TooManyRedirects);
            }
            followed += 1;
            if next.origin() != url.origin() {
                headers = outgoing(&redirect::without_credentials(&headers));
            }
            url = next;
        }
    }

    /// Sends one request and waits for the head of its answer.
    async fn send(&self, call: &Call, url: Url, headers: HeaderMap, end: Instant) -> Result<Reply, Failure> {
        let mut request = reqwest::Request::new(call.method.clone(), url);
        *request.headers_mut() = headers;
        *request.body_mut() = match &call.pieces {
            Some(pieces) => Some(reqwest::Body::wrap(InPieces::new(Arc::clone(pieces)))),
            None => call.body.clone().map(Into::into),
        };
        let until = end.min(Instant::now() + call.timeouts.first_byte);
        let response = tokio::time::timeout_at(until.into(), self.http_client(call).execute(request))
            .await
            .map_err(|_elapsed| Failure::Timeout(Wait::FirstByte))?
            .map_err(|error| Failure::from_client(&error, Part::Head))?;
        Ok(Reply::Library(response))
    }

    /// The same to one of the upstream's addresses: the library's client goes where the URL says, and nowhere else.
    async fn send_to_addresses(
        &self,
        call: &Call,
        url: &Url,
        headers: HeaderMap,
        upstream: &Arc<UpstreamState>,
        end: Instant,
    ) -> Result<Reply, Failure> {
        let target = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let target =
            PathAndQuery::try_from(target).map_err(|_odd| Failure::Unsendable("its URL is not one for HTTP"))?;
        let mut forward = Forward::new(call.method.clone(), target);
        forward.headers = headers;
        forward.headers.entry(header::USER_AGENT).or_insert(HeaderValue::from_static(USER_AGENT));
        forward.body = match &call.pieces {
            Some(pieces) => Upload::streamed(InPieces::new(Arc::clone(pieces))),
            None => call.body.clone().map_or_else(Upload::none, Upload::whole),
        };
        let until = end.min(Instant::now() + call.timeouts.first_byte);
        let bounds = Bounds { first_byte: call.timeouts.first_byte, stall: call.timeouts.total };
        let sent = self.forwarder.send(forward, upstream, call.trust, bounds, until);
        let sent = tokio::time::timeout_at(until.into(), sent).await;
        match sent.map_err(|_elapsed| Failure::Timeout(Wait::FirstByte))?? {
            Forwarded::Answer(response) => Ok(Reply::Forwarded(response)),
            Forwarded::Switched(..) => Err(Failure::InvalidResponse),
        }
    }

    /// Takes the body.
    async fn receive(&self, call: &Call, mut response: Reply, end: Instant) -> Result<Answer, Failure> {
        let mut room = Room::new(&self.places);
        let body = tokio::time::timeout_at(end.into(), body::read(&mut response, call.limits, &mut room))
            .await
            .map_err(|_elapsed| Failure::Timeout(Wait::Body))??;
        let status = response.status();
        let mut headers = std::mem::take(response.headers_mut());
        for name in [header::CONTENT_ENCODING, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION] {
            headers.remove(name);
        }
        Ok(Answer { status, headers, body, elapsed: Duration::ZERO, place: room.into_place() })
    }

    fn http_client(&self, call: &Call) -> &reqwest::Client {
        let pair = match call.trust {
            Trust::Public => &self.public,
            Trust::Private => &self.private,
        };
        if call.safe { &pair.pooled } else { &pair.fresh }
    }
}

pub(super) fn http_client(
    settings: ClientSettings,
    tls: ClientConfig,
    resolver: Resolver,
    idle: usize,
) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .dns_resolver(resolver)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .connect_timeout(settings.connect_timeout)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(idle)
        .http1_max_headers(HEAD_FIELDS)
        .http2_max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX))
        .tcp_nodelay(true)
        .tls_backend_preconfigured(tls)
        .build()
}

/// The header fields that go out: the call's, without those that belong to the connection, and the codings we undo.
fn outgoing(wanted: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(wanted.len() + 1);
    for (name, value) in wanted {
        if !belongs_to_connection(name) {
            headers.append(name, value.clone());
        }
    }
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(body::ACCEPTED));
    headers
}

/// Waits as long as the upstream asked for, if that is short and ends before `end`; the time afterwards.
async fn wait_as_asked(upstream: &UpstreamState, now: Instant, end: Instant) -> Result<Instant, Failure> {
    let Some(left) = upstream.patience.left(now) else { return Ok(now) };
    if left > retry::LONGEST_PAUSE || now + left >= end {
        return Err(Failure::AskedToWait);
    }
    tokio::time::sleep(left).await;
    Ok(Instant::now())
}

fn check_url(url: &Url) -> Result<(), Failure> {
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(Failure::Unsendable("its URL is not one for HTTP"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Failure::Unsendable("its URL holds user information"));
    }
    Ok(())
}

/// Refuses an address that is written in the URL itself: the client connects to it without asking the resolver.
fn check_address(url: &Url, trust: Trust) -> Result<(), Failure> {
    match (trust, literal_address(url)) {
        (Trust::Public, Some(address)) if !address::is_public(address) => Err(refused(address)),
        _ => Ok(()),
    }
}

/// The address that stands in a URL instead of a name. The URL parser has brought every way of writing IPv4 into its usual form.
fn literal_address(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).parse().ok()
}

fn check_head(response: &Reply) -> Result<(), Failure> {
    // Nothing was offered to switch to.
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Err(Failure::InvalidResponse);
    }
    let size: usize = response.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if size > HEAD_BYTES || response.headers().len() > HEAD_FIELDS {
        return Err(Failure::TooLarge(Part::Head));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> Option<Failure> {
        let url = Url::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        check_address(&url, Trust::Public).err()
    }

    #[test]
    fn private_addresses_are_refused_however_they_are_written() {
        for url in [
            "http://127.0.0.1/",
            "http://127.0.0.1./",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://017700000001/",
            "http://127.0.0.1:8080/",
            "http://%31%32%37.0.0.1/",
            "http://１２７.0.0.1/",
            "http://[::1]/",
            "http://[0:0:0:0:0:0:0:1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[2002:7f00:1::]/",
        ] {
            assert_eq!(refusal(url), Some(Failure::RefusedAddress("loopback")), "{url}");
        }
        for url in ["http://0/", "http://0.0.0.0/", "http://[::]/", "http://[::ffff:0:0]/"] {
            assert_eq!(refusal(url), Some(Failure::RefusedAddress("unspecified")), "{url}");
        }
        for url in ["http://169.254.169.254/", "http://2852039166/", "http://0xa9fea9fe/", "http://[fe80::1]/"] {
            assert_eq!(refusal(url), Some(Failure::RefusedAddress("link-local")), "{url}");
        }
        for url in ["https://1.1.1.1/", "https://[2606:4700::1]/", "https://example.com/", "https://localhost/"] {
            assert_eq!(refusal(url), None, "{url}: names are for the resolver");
        }
    }

    #[test]
    fn only_http_without_user_information_is_sent() {
        for (url, sendable) in [
            ("http://example.com/", true),
            ("https://example.com:8443/x?y", true),
            ("ftp://example.com/", false),
            ("file:///etc/passwd", false),
            ("https://user@example.com/", false),
            ("https://:pass@example.com/", false),
        ] {
            assert_eq!(check_url(&Url::parse(url).unwrap()).is_ok(), sendable, "{url}");
        }
    }

    #[test]
    fn framing_never_comes_from_a_call() {
        let mut wanted = HeaderMap::new();
        for name in ["connection", "transfer-encoding", "content-length", "x-mine", "accept-encoding"] {
            wanted.insert(name, HeaderValue::from_static("x"));
        }
        let headers = outgoing(&wanted);
        assert_eq!(headers.keys().map(header::HeaderName::as_str).collect::<Vec<_>>(), ["x-mine", "accept-encoding"]);
        assert_eq!(headers["accept-encoding"], body::ACCEPTED);
    }
}
