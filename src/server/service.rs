//! One connection: hyper's HTTP/1 over our transport, and around each request what the handler should not have to think of. That is its id
//! and its time, its body if nobody reads it, its record in the log, and a panic.

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::{CONNECTION, EXPECT};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode, response};
use http_body::Body;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use std::convert::Infallible;
use std::error::Error;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use super::body::{Content, Delivery, Home, RequestBody};
use super::gate::Refusal;
use super::io::Transport;
use super::ledger::{Answered, Ledger};
use super::listen::ListenAddress;
use super::refusal;
use super::socket::Socket;
use super::tidy::Tidy;
use super::{AccessLog, Exchange, Facts, Limits, RequestId, Shutdown};
use crate::fields::TrustedProxies;

/// What answers requests. The server carries them to it and its answers back, and knows nothing else of it.
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

/// The circumstances of a request. The server reads the clock; a handler takes the time from here.
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

/// The two ends of a connection.
#[derive(Debug)]
pub struct Connection {
    /// The client's address; none on a Unix socket.
    pub peer: Option<SocketAddr>,
    /// The address that was listened on.
    pub listener: Arc<ListenAddress>,
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
        let mut transport =
            Transport::new(socket, Arc::clone(&self.limits), self.shutdown.clone(), Arc::clone(&ledger));
        let connection = Arc::new(connection);
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
                    let (head, incoming) = request.into_parts();
                    Ok::<_, Infallible>(exchange.answer(&head, incoming, &arrival).await)
                }
            });
            let mut http = self.http.serve_connection(transport, service);
            let end = poll_fn(|cx| {
                let end = Pin::new(&mut http).poll(cx);
                if end.is_pending() && ledger.take_rest() { Poll::Ready(None) } else { end.map(Some) }
            });
            match end.await {
                None => {
                    transport = http.into_parts().io;
                    self.tidy.soon();
                }
                Some(Ok(())) => return,
                Some(Err(error)) => {
                    tracing::debug!(%error, "a connection ended early");
                    return;
                }
            }
        }
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
    async fn answer(self, head: &Parts, incoming: Incoming, arrival: &Arrival) -> Response<Delivery<S::Body>> {
        let record = self.begin_record(head, arrival);
        let (body, home) = RequestBody::new(incoming);
        let id = arrival.id;
        let call = AssertUnwindSafe(self.server.service.call(head, body, arrival));
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
                Leftover::TooMuch if !is_refused(response.status) => {
                    let refusal = Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "nothing here reads a body");
                    (response, content) = own(refusal::response(refusal, id));
                }
                Leftover::Late => {
                    let refusal = Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body took too long");
                    (response, content) = own(refusal::response(refusal, id));
                }
                Leftover::TooMuch | Leftover::Unsent | Leftover::Broken => close(&mut response),
            }
        }
        if self.server.shutdown.is_draining() {
            close(&mut response);
        }
        let answered = record.finish(response.status, facts);
        Response::from_parts(response, Delivery::new(content, answered, self.ledger))
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

/// What became of a request's body that the handler left.
enum Leftover {
    /// Nothing of it is left: the next request may follow.
    Nothing,
    /// The client was never told to go on, so it may send the body or not: nobody knows what comes next.
    Unsent,
    /// It is longer than what is taken for nothing.
    TooMuch,
    /// It did not come in time.
    Late,
    /// It ended early.
    Broken,
}

/// Takes what is left of a body off the connection, up to `most` octets.
async fn settle(home: &Home, expects_continue: bool, most: u64) -> Leftover {
    let Some(unread) = home.take() else { return Leftover::Nothing };
    if unread.incoming.size_hint().exact().is_none_or(|length| length > most) {
        return Leftover::TooMuch;
    }
    if expects_continue && unread.untouched {
        return Leftover::Unsent;
    }
    let mut incoming = unread.incoming;
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
