//! One connection: hyper's HTTP/1 over our transport, and around each request what the handler should not have to think of. That is its id
//! and its time, its body if nobody reads it, its record in the log, and a panic.

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version, response};
use http_body::Body;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::rt::Write as _;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use std::convert::Infallible;
use std::error::Error;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use super::body::{Content, Delivery, Home, RequestBody, Rest};
use super::gate::Refusal;
use super::io::Transport;
use super::ledger::{Answered, Ledger};
use super::listen::ListenAddress;
use super::refusal;
use super::socket::Socket;
use super::tidy::Tidy;
use super::tunnel::Tunnel;
use super::{AccessLog, Exchange, Facts, Limits, RequestId, Shutdown};
use crate::fields::{TrustedProxies, connection_options};

/// What answers requests. The server carries them to it and its answers back, and knows nothing else of it.
///
/// A request that asks for another protocol, and may have it, carries hyper's `OnUpgrade` in its extensions. Whoever takes it and answers 101
/// has the connection; it lasts as long as what `OnUpgrade` gives is kept.
pub trait Service: Send + Sync + 'static {
    /// The content of its answers.
    type Body: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + Unpin + 'static;

    /// Answers one request. Dropped unfinished if the connection ends before.
    fn call(
        &self,
        head: &Parts,
        body: RequestBody,
        arrival: &Arrival,
    ) -> impl Future<Output = Answer<Self::Body>> + Send;
}

impl<F, A, B> Service for F
where
    F: Fn(Request<RequestBody>, Arrival) -> A + Send + Sync + 'static,
    A: Future<Output = Answer<B>> + Send,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + Unpin + 'static,
{
    type Body = B;

    fn call(&self, head: &Parts, body: RequestBody, arrival: &Arrival) -> impl Future<Output = Answer<B>> + Send {
        self(Request::from_parts(head.clone(), body), arrival.clone())
    }
}

/// A response, and what the log should say about it.
#[derive(Debug)]
pub struct Answer<B> {
    /// What the client gets. `Date`, `Content-Length` and what concerns the connection are added by the server.
    pub response: Response<B>,
    /// What the log gets.
    pub facts: Facts,
}

impl<B> From<Response<B>> for Answer<B> {
    fn from(response: Response<B>) -> Self {
        Self { response, facts: Facts::default() }
    }
}

/// The circumstances of a request. The server reads the machine's clock; a handler waits and measures from here.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The request's name.
    pub id: RequestId,
    /// When it arrived, for measuring.
    pub instant: Instant,
    /// When it arrived, for telling.
    pub time: SystemTime,
    /// The connection it came by.
    pub connection: Arc<Connection>,
}

/// The two ends of a connection, and what the exchange that is under way wants of it.
#[derive(Debug)]
pub struct Connection {
    /// The client's address; none on a Unix socket.
    pub peer: Option<SocketAddr>,
    /// The address that was listened on.
    pub listener: Arc<ListenAddress>,
    watched: AtomicBool,
}

impl Connection {
    /// A connection from `peer`.
    pub(super) fn new(peer: Option<SocketAddr>, listener: Arc<ListenAddress>) -> Self {
        Self { peer, listener, watched: AtomicBool::new(false) }
    }

    /// Ends the exchange that is under way when its client is gone, also while there is nothing to be sent to it: the call, or the content of
    /// its answer, is dropped at once. A client that has only ended its sending direction is waited for a little.
    ///
    /// To be said again for each exchange; nobody is watched by default, because most answers are worth making to their end.
    pub fn watch(&self) {
        self.watched.store(true, Ordering::Relaxed);
    }

    /// Whether the exchange ends with its client.
    pub(super) fn is_watched(&self) -> bool {
        self.watched.load(Ordering::Relaxed)
    }
}

/// What all connections share.
#[derive(Debug)]
pub(super) struct Server<S> {
    pub(super) service: S,
    pub(super) limits: Arc<Limits>,
    pub(super) log: AccessLog,
    pub(super) shutdown: Shutdown,
    pub(super) tidy: Arc<Tidy>,
    http: http1::Builder,
}

impl<S: Service> Server<S> {
    /// A server of `service`.
    pub(super) fn new(service: S, limits: Limits, log: AccessLog, shutdown: Shutdown) -> Self {
        let mut http = http1::Builder::new();
        // Deadlines and sizes are the transport's business; it hands over nothing but sound heads, so hyper's own bounds only have to be as
        // wide. With half-closing on, hyper does not read while an answer is being made: a client that has finished sending gets its answer.
        http.half_close(true).header_read_timeout(None).max_buf_size(limits.head.max(SMALLEST_BUFFER) + 1);
        if limits.fields > HYPERS_FIELDS {
            http.max_headers(limits.fields);
        }
        Self { service, limits: Arc::new(limits), log, shutdown, tidy: Arc::default(), http }
    }

    /// Serves one connection to its end. hyper is there only while there is something to do: its buffers are most of what a connection costs.
    pub(super) async fn serve(self: Arc<Self>, socket: Socket, connection: Connection) {
        let ledger = Arc::new(Ledger::new(self.log.clone(), connection.peer.map(|peer| peer.ip().to_canonical())));
        let connection = Arc::new(connection);
        let mut transport = Transport::new(
            socket,
            Arc::clone(&self.limits),
            self.shutdown.clone(),
            Arc::clone(&connection),
            Arc::clone(&ledger),
        );
        let mut enlisted = false;
        let mut draining = pin!(self.shutdown.draining());
        loop {
            let awake = poll_fn(|cx| {
                if !enlisted {
                    // Polled once, to be woken once; the transport reads the flag whenever it waits.
                    enlisted = true;
                    let _already: Poll<()> = draining.as_mut().poll(cx);
                }
                transport.poll_awake(cx)
            });
            if !awake.await {
                return;
            }
            let service = service_fn(|request: Request<Incoming>| {
                let exchange = Exchanging { server: Arc::clone(&self), ledger: Arc::clone(&ledger) };
                let arrival = Arrival {
                    id: RequestId::next(),
                    instant: Instant::now(),
                    time: SystemTime::now(),
                    connection: Arc::clone(&connection),
                };
                async move {
                    let (mut head, incoming) = request.into_parts();
                    Ok::<_, Infallible>(exchange.answer(&mut head, incoming, &arrival).await)
                }
            });
            let mut http = self.http.serve_connection(transport, service);
            let turn = poll_fn(|cx| match Pin::new(&mut http).poll(cx) {
                Poll::Ready(end) => Poll::Ready(Turn::End(end)),
                Poll::Pending if ledger.take_rest() => Poll::Ready(Turn::Rest),
                Poll::Pending if ledger.tunnel().is_some() => Poll::Ready(Turn::Switch),
                Poll::Pending => Poll::Pending,
            });
            match turn.await {
                Turn::Rest => {
                    transport = http.into_parts().io;
                    self.tidy.soon();
                }
                Turn::Switch => {
                    let upgrading = http.with_upgrades();
                    // Boxed: what a connection costs by itself is not to grow by what few become.
                    let life = async {
                        if let Err(error) = upgrading.await {
                            tracing::debug!(%error, "a connection ended before it switched");
                        }
                        if let Some(tunnel) = ledger.tunnel() {
                            self.outlast(tunnel).await;
                        }
                    };
                    return Box::pin(life).await;
                }
                Turn::End(Ok(())) => {
                    // hyper ends without this where a request of the connection has asked for another protocol and has not got it.
                    transport = http.into_parts().io;
                    if let Err(error) = poll_fn(|cx| Pin::new(&mut transport).poll_shutdown(cx)).await {
                        tracing::debug!(%error, "a connection ended badly");
                    }
                    return;
                }
                Turn::End(Err(error)) => {
                    tracing::debug!(%error, "a connection ended early");
                    return;
                }
            }
        }
    }

    /// Waits for the end of a connection that others read and write now, and brings it about when the server ends.
    async fn outlast(&self, tunnel: &Arc<Tunnel>) {
        let _cut = CutAtEnd(tunnel);
        tokio::select! {
            biased;
            () = tunnel.over() => return,
            () = self.shutdown.draining() => tunnel.end(),
        }
        tokio::select! {
            biased;
            () = tunnel.over() => return,
            () = tokio::time::sleep(self.limits.last_call) => tunnel.cut(),
        }
        tunnel.over().await;
    }
}

/// What the connection's task has to do when it has polled the protocol.
enum Turn {
    /// Nothing more: the connection has ended.
    End(hyper::Result<()>),
    /// To wait without the protocol.
    Rest,
    /// To hand the connection over.
    Switch,
}

/// Cuts a tunnel when the connection's task ends, by whatever way.
struct CutAtEnd<'t>(&'t Tunnel);

impl Drop for CutAtEnd<'_> {
    fn drop(&mut self) {
        self.0.cut();
    }
}

/// hyper takes no smaller maximum for its read buffer.
const SMALLEST_BUFFER: usize = 8192;

/// Fields that hyper takes without being asked, and faster than when it is.
const HYPERS_FIELDS: usize = 100;

/// What one request needs of its server and its connection.
struct Exchanging<S> {
    server: Arc<Server<S>>,
    ledger: Arc<Ledger>,
}

impl<S: Service> Exchanging<S> {
    /// What is large is lent and not handed on: each step that takes it would copy it.
    async fn answer(self, head: &mut Parts, incoming: Incoming, arrival: &Arrival) -> Response<Delivery<S::Body>> {
        let (body, home) = RequestBody::new(incoming, &self.ledger);
        let may_switch = self.offer_switch(head, home.is_some());
        let head = &*head;
        let record = self.begin_record(head, arrival);
        if arrival.connection.is_watched() {
            arrival.connection.watched.store(false, Ordering::Relaxed);
        }
        let id = arrival.id;
        // A panic before the first wait is one of the handler's too.
        let call = AssertUnwindSafe(async { self.server.service.call(head, body, arrival).await });
        let (mut response, mut content, facts) = if let Ok(Answer { response, facts }) = call.catch_unwind().await {
            let (response, content) = response.into_parts();
            (response, Content::Handled(content), facts)
        } else {
            tracing::error!(%id, "a handler panicked");
            let (response, content) = own(refusal::broken(id));
            (response, content, Facts::default())
        };
        if let Some(home) = home {
            let expects_continue = head.headers.contains_key(EXPECT);
            match settle(&home, expects_continue, self.server.limits.unread_body).await {
                Leftover::Nothing => {}
                Leftover::Unwanted(refusal) if !is_refused(response.status) => {
                    (response, content) = own(refusal::response(refusal, id));
                }
                Leftover::Late => {
                    let refusal = Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body took too long");
                    (response, content) = own(refusal::response(refusal, id));
                }
                Leftover::Unwanted(_) | Leftover::Unsent | Leftover::Begun | Leftover::Broken => close(&mut response),
            }
        }
        if response.status.is_informational() {
            if response.status == StatusCode::SWITCHING_PROTOCOLS && may_switch {
                let answered = record.finish(response.status, facts);
                self.switch(answered).await;
                return Response::from_parts(response, Delivery::new(Content::Own(None), None, self.ledger));
            }
            tracing::error!(%id, status = %response.status, "a handler gave an answer that is none");
            (response, content) = own(refusal::broken(id));
        }
        if self.server.shutdown.is_draining() {
            close(&mut response);
        }
        delimit(&mut response, &mut content, head.version, &self.ledger);
        let answered = record.finish(response.status, facts);
        Response::from_parts(response, Delivery::new(content, answered, self.ledger))
    }

    /// Leaves the door to another protocol in `head` if the request may have one (RFC 9110, section 7.8): it asks for one by both fields, has
    /// no body, and the server stays. hyper makes the door for whoever sends `Upgrade` in HTTP/1.1.
    fn offer_switch(&self, head: &mut Parts, has_body: bool) -> bool {
        if head.extensions.get::<OnUpgrade>().is_none() {
            return false;
        }
        let may_switch = !has_body && lists_upgrade(&head.headers) && !self.server.shutdown.is_draining();
        if !may_switch {
            head.extensions.remove::<OnUpgrade>();
        }
        may_switch
    }

    /// Prepares for the answer that is the last of HTTP on this connection.
    async fn switch(&self, answered: Option<Answered>) {
        // What is sent afterwards is counted by the transport alone.
        self.ledger.switch(answered.map(|answered| Answered { taken: u64::MAX, ..answered }));
        // The connection's task sees it between this poll and the next, and prepares hyper for it.
        let mut seen = false;
        poll_fn(|_| if std::mem::replace(&mut seen, true) { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    fn begin_record<'r>(&'r self, head: &'r Parts, arrival: &'r Arrival) -> Record<'r> {
        let Self { server, ledger } = self;
        let is_open = ledger.log().is_on();
        Record { head, arrival, trusted_proxies: &server.limits.trusted_proxies, ledger, is_open }
    }
}

fn own<B>(response: Response<Bytes>) -> (response::Parts, Content<B>) {
    let (response, text) = response.into_parts();
    (response, Content::Own(Some(text)))
}

fn is_refused(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

fn close(response: &mut response::Parts) {
    response.headers.insert(CONNECTION, HeaderValue::from_static("close"));
}

/// Whether `Connection` says that `Upgrade` concerns this connection.
fn lists_upgrade(fields: &HeaderMap) -> bool {
    connection_options(fields).any(|option| option == UPGRADE)
}

/// Sees to it that the end of an answer can be told, whatever fields the handler has given it (RFC 9112, section 6).
fn delimit<B: Body>(response: &mut response::Parts, content: &mut Content<B>, version: Version, ledger: &Ledger) {
    let length = |fields: &HeaderMap| -> Option<u64> { fields.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok() };
    match response.status {
        StatusCode::NOT_MODIFIED => {
            if let Some(length) = length(&response.headers) {
                *content = Content::Claimed(length);
            }
        }
        // It has no content to have a length (RFC 9110, section 8.6).
        StatusCode::NO_CONTENT => drop(response.headers.remove(CONTENT_LENGTH)),
        _ => {}
    }
    if let Content::Handled(body) = content
        && body.size_hint().exact().is_none()
    {
        // The framing is hyper's: by the length, by chunks, or by the end of the connection, one of the three.
        response.headers.remove(TRANSFER_ENCODING);
        if version == Version::HTTP_10 && length(&response.headers).is_none() {
            ledger.end_with_its_answer();
        }
    }
}

/// What became of a request's body that the handler left.
enum Leftover {
    /// Nothing of it is left: the next request may follow.
    Nothing,
    /// The client was never told to go on, so it may send the body or not: nobody knows what comes next.
    Unsent,
    /// Nobody reads it, and it is not of a kind that is taken for nothing.
    Unwanted(Refusal),
    /// The handler has read a part of it, and has answered.
    Begun,
    /// It did not come in time.
    Late,
    /// It ended early.
    Broken,
}

/// Takes what is left of a body off the connection, up to `most` octets.
async fn settle(home: &Home, expects_continue: bool, most: u64) -> Leftover {
    let mut incoming = match home.take() {
        None => return Leftover::Nothing,
        Some(Rest::Untouched(incoming)) => incoming,
        // The answer goes out first: its client may wait for it before it sends any more.
        Some(Rest::Begun) => return Leftover::Begun,
        Some(Rest::Broken) => return Leftover::Broken,
    };
    match incoming.size_hint().exact() {
        None => return Leftover::Unwanted(Refusal::new(StatusCode::LENGTH_REQUIRED, "a body needs `Content-Length`")),
        Some(length) if length > most => {
            return Leftover::Unwanted(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "nothing here reads a body"));
        }
        Some(_) => {}
    }
    if expects_continue {
        return Leftover::Unsent;
    }
    while let Some(frame) = incoming.frame().await {
        match frame {
            Ok(_) => {}
            Err(error) if is_timeout(&error) => return Leftover::Late,
            Err(_) => return Leftover::Broken,
        }
    }
    Leftover::Nothing
}

/// Whether the transport gave up waiting, somewhere below `error`.
fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The record of a request that has no answer yet. Dropped as it is, it says that there never was one.
struct Record<'r> {
    head: &'r Parts,
    arrival: &'r Arrival,
    trusted_proxies: &'r TrustedProxies,
    ledger: &'r Ledger,
    /// Whether there is a log that has not heard of it.
    is_open: bool,
}

impl Record<'_> {
    /// What is to be recorded and counted of an answered request, to go with its body.
    fn finish(mut self, status: StatusCode, mut facts: Facts) -> Option<Answered> {
        let tally = facts.tally.take();
        let exchange = std::mem::take(&mut self.is_open).then(|| self.exchange(Some(status), facts));
        let is_wanted = exchange.is_some() || tally.is_some();
        is_wanted.then_some(Answered { exchange, tally, status, arrival: self.arrival.instant, taken: 0 })
    }

    fn exchange(&self, status: Option<StatusCode>, facts: Facts) -> Exchange {
        Exchange {
            time: self.arrival.time,
            id: self.arrival.id,
            client: self.trusted_proxies.client(self.ledger.peer(), &self.head.headers),
            method: Some(self.head.method.clone()),
            // Copied: to share it would keep hyper's whole read buffer alive.
            path: Some(self.head.uri.path().into()),
            status,
            bytes: 0,
            elapsed: Duration::ZERO,
            facts,
        }
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        if self.is_open {
            let elapsed = self.arrival.instant.elapsed();
            self.ledger.log().record(&Exchange { elapsed, ..self.exchange(None, Facts::default()) });
        }
    }
}
