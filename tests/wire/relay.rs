//! A service that streams: what a handler can do with bodies and connections, without any site.

use super::server::Server;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::{CONNECTION, CONTENT_LENGTH, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use siteserver::handler::{Body, RequestBodyFault};
use siteserver::server::{Answer, Arrival, Limits, RequestBody};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Semaphore;

/// What a test sees of the service from within.
pub(crate) struct Inside {
    /// Says what was dropped before it had come to its end.
    pub(crate) dropped: Receiver<&'static str>,
    /// Octets of content that `/endless` has made.
    pub(crate) made: Arc<AtomicUsize>,
}

/// A server of it.
pub(crate) fn start(limits: Limits) -> (Server, Inside) {
    let (drops, dropped) = channel();
    let made = Arc::new(AtomicUsize::new(0));
    let inside = Inside { dropped, made: Arc::clone(&made) };
    let server = Server::serving(limits, |starts, held| {
        let relay = Arc::new(Relay { starts, held, drops, made });
        move |request, arrival| {
            let relay = Arc::clone(&relay);
            async move { relay.answer(request, arrival).await }
        }
    });
    (server, inside)
}

struct Relay {
    starts: Sender<()>,
    held: Arc<Semaphore>,
    drops: Sender<&'static str>,
    made: Arc<AtomicUsize>,
}

impl Relay {
    async fn answer(&self, request: Request<RequestBody>, arrival: Arrival) -> Answer<Body> {
        let path = request.uri().path().to_owned();
        let response = match path.as_str() {
            "/read" => read(request.into_body()).await,
            "/read-in-time" => read(request.into_body().in_time()).await,
            "/echo" => Response::new(Body::stream(request.into_body())),
            "/echo-trailers" => with(Response::new(Body::stream(request.into_body())), TRAILER, "checksum"),
            // Answers when it has seen the beginning of the body.
            "/early" => {
                let mut body = request.into_body();
                body.frame().await.unwrap().unwrap();
                status(StatusCode::PAYLOAD_TOO_LARGE, "enough")
            }
            // Has a body, and does not read it before it is let.
            "/later" => {
                self.pause().await;
                read(request.into_body()).await
            }
            "/refuse" => status(StatusCode::NOT_FOUND, "nothing"),
            "/watched" => {
                arrival.connection.watch();
                let guard = Guard(Some((self.drops.clone(), "call")));
                self.pause().await;
                guard.keep();
                text("waited")
            }
            "/watched-stream" => {
                arrival.connection.watch();
                self.starts.send(()).unwrap();
                let guard = Guard(Some((self.drops.clone(), "stream")));
                Response::new(Body::stream(Pieces {
                    first: Some("begun"),
                    then: Then::Never,
                    _guard: guard,
                    exact: None,
                }))
            }
            "/endless" => {
                let guard = Guard(Some((self.drops.clone(), "endless")));
                let then = Then::Always(Arc::clone(&self.made));
                Response::new(Body::stream(Pieces { first: None, then, _guard: guard, exact: None }))
            }
            "/unknown" => Response::new(pieces(Then::End, None)),
            "/known" => Response::new(pieces(Then::End, Some(5))),
            "/told" => with(Response::new(pieces(Then::End, None)), CONTENT_LENGTH, "5"),
            "/coded" => with(Response::new(pieces(Then::End, None)), TRANSFER_ENCODING, "chunked"),
            "/both" => {
                let response = with(Response::new(pieces(Then::End, None)), TRANSFER_ENCODING, "gzip, chunked");
                with(response, CONTENT_LENGTH, "5")
            }
            "/broken" => Response::new(pieces(Then::Error, None)),
            "/broken-known" => Response::new(pieces(Then::Error, Some(10))),
            "/broken-told" => with(Response::new(pieces(Then::Error, None)), CONTENT_LENGTH, "10"),
            "/short" => with(Response::new(pieces(Then::End, None)), CONTENT_LENGTH, "10"),
            "/trailers" => with(Response::new(pieces(Then::Trailers, None)), TRAILER, "checksum"),
            "/trailers-unnamed" => Response::new(pieces(Then::Trailers, None)),
            "/not-modified" => {
                let response = with(Response::new(Body::empty()), CONTENT_LENGTH, "12345");
                with_status(response, StatusCode::NOT_MODIFIED)
            }
            "/no-content" => {
                let response = with(Response::new(Body::empty()), CONTENT_LENGTH, "12345");
                with_status(response, StatusCode::NO_CONTENT)
            }
            "/elsewhere" => with(Response::new(Body::empty()), CONTENT_LENGTH, "12345"),
            "/interim" => with_status(Response::new(Body::empty()), StatusCode::EARLY_HINTS),
            "/switch" | "/switch-whatever" => self.switch(request),
            "/may-switch" => {
                text(if request.extensions().get::<OnUpgrade>().is_some() { "it may" } else { "it may not" })
            }
            path => text(path.trim_start_matches('/')),
        };
        response.into()
    }

    /// Says that it has begun, and waits until it is let go on.
    async fn pause(&self) {
        self.starts.send(()).unwrap();
        self.held.acquire().await.unwrap().forget();
    }

    /// Gives back what comes, in capitals, until the client ends.
    fn switch(&self, mut request: Request<RequestBody>) -> Response<Body> {
        let switched = with_status(Response::new(Body::empty()), StatusCode::SWITCHING_PROTOCOLS);
        let switched = with(with(switched, CONNECTION, "upgrade"), UPGRADE, "shout");
        let Some(upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
            return if request.uri().path() == "/switch-whatever" { switched } else { text("as it was") };
        };
        let guard = Guard(Some((self.drops.clone(), "tunnel")));
        tokio::spawn(async move {
            let _guard = guard;
            let mut connection = TokioIo::new(upgrade.await.unwrap());
            let mut octets = vec![0; 4096];
            while let Ok(count @ 1..) = connection.read(&mut octets).await {
                octets[..count].make_ascii_uppercase();
                if connection.write_all(&octets[..count]).await.is_err() {
                    break;
                }
            }
            drop(connection.shutdown().await);
        });
        switched
    }
}

/// Says how long the body is and which fields came after it, or why there is none.
async fn read(mut body: RequestBody) -> Response<Body> {
    let mut length = 0;
    let mut trailers = HeaderMap::new();
    while let Some(frame) = body.frame().await {
        match frame.map(Frame::into_data) {
            Ok(Ok(data)) => length += data.len(),
            Ok(Err(frame)) => trailers = frame.into_trailers().unwrap_or_default(),
            Err(error) => return status(RequestBodyFault::of(&error).status(), "no body"),
        }
    }
    let names: Vec<String> = trailers.iter().map(|(name, value)| format!(", {name} {value:?}")).collect();
    text(&format!("{length} octets{}", names.concat()))
}

fn text(content: &str) -> Response<Body> {
    Response::new(Bytes::from(content.to_owned()).into())
}

fn status(status: StatusCode, content: &str) -> Response<Body> {
    with_status(text(content), status)
}

fn with_status(mut response: Response<Body>, status: StatusCode) -> Response<Body> {
    *response.status_mut() = status;
    response
}

fn with(mut response: Response<Body>, name: http::HeaderName, value: &'static str) -> Response<Body> {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}

fn pieces(then: Then, exact: Option<u64>) -> Body {
    Body::stream(Pieces { first: Some("hello"), then, _guard: Guard(None), exact })
}

/// Says it when it is dropped too early.
struct Guard(Option<(Sender<&'static str>, &'static str)>);

impl Guard {
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some((drops, name)) = self.0.take() {
            drops.send(name).ok();
        }
    }
}

/// What comes after the first piece.
enum Then {
    End,
    Error,
    Never,
    Trailers,
    Always(Arc<AtomicUsize>),
}

/// A stream.
struct Pieces {
    first: Option<&'static str>,
    then: Then,
    _guard: Guard,
    exact: Option<u64>,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        if let Some(first) = this.first.take() {
            this.exact = this.exact.map(|exact| exact - first.len() as u64);
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(first.as_bytes())))));
        }
        match &this.then {
            Then::End => Poll::Ready(None),
            Then::Error => Poll::Ready(Some(Err(io::Error::other("as the test asks")))),
            Then::Never => Poll::Pending,
            Then::Trailers => {
                this.then = Then::End;
                let mut trailers = HeaderMap::new();
                trailers.insert("checksum", HeaderValue::from_static("abc"));
                trailers.insert("other", HeaderValue::from_static("def"));
                Poll::Ready(Some(Ok(Frame::trailers(trailers))))
            }
            Then::Always(made) => {
                // A piece that is ready at once, but for the turn that others must have.
                if std::pin::pin!(tokio::task::consume_budget()).poll_unpin(cx).is_pending() {
                    return Poll::Pending;
                }
                made.fetch_add(16 * 1024, Ordering::SeqCst);
                Poll::Ready(Some(Ok(Frame::data(vec![b'x'; 16 * 1024].into()))))
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.exact.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
