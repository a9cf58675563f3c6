//! A server of ours that says exactly what a test makes it say.

use crate::upstream::{
    Bounds, Client, ClientSettings, Failure, Forward, Forwarded, Received, Trust, UpstreamSettings, UpstreamState,
    Whereabouts,
};
use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Response};
use http_body_util::BodyExt as _;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Longer than anything here takes; only a hang gets there.
pub(super) const SAFETY_NET: Duration = Duration::from_mins(1);

pub(super) fn later() -> Instant {
    Instant::now() + SAFETY_NET
}

/// Bounds that nothing meets.
pub(super) const PATIENT: Bounds = Bounds { first_byte: SAFETY_NET, stall: SAFETY_NET };

pub(super) fn client() -> Client {
    Client::new(ClientSettings::default()).unwrap()
}

/// A server.
pub(super) struct Origin {
    pub(super) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    /// The heads of all requests.
    heads: Arc<Mutex<Vec<String>>>,
}

impl Origin {
    /// Every connection is served by `serve` in a task of its own.
    pub(super) async fn start<F>(serve: impl Fn(Wire) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, heads) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let origin = Self { address, connections: Arc::clone(&connections), heads: Arc::clone(&heads) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let number = connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(Wire { stream, buffer: Vec::new(), number, heads: Arc::clone(&heads) }));
            }
        });
        origin
    }

    /// One that gives the same answer to every request without a body, and keeps the connection.
    pub(super) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer: Arc<[u8]> = answer.into().into();
        Self::start(move |mut wire| {
            let answer = Arc::clone(&answer);
            async move {
                while wire.head().await.is_some() {
                    wire.say(&answer).await;
                }
            }
        })
        .await
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    pub(super) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn upstream(&self) -> Arc<UpstreamState> {
        upstream(&self.base(), &[])
    }
}

pub(super) fn settings(base: &str, addresses: &[SocketAddr]) -> UpstreamSettings {
    let whereabouts = Whereabouts {
        base: base.to_owned(),
        addresses: addresses
            .iter()
            .map(|address| crate::upstream::Address::parse(&address.to_string()).unwrap())
            .collect(),
        spread: crate::upstream::Spread::default(),
        trust: Trust::Private,
    };
    UpstreamSettings { max_concurrent: 1000, breaker: None, whereabouts: Some(whereabouts) }
}

pub(super) fn upstream(base: &str, addresses: &[SocketAddr]) -> Arc<UpstreamState> {
    Arc::new(UpstreamState::new(&settings(base, addresses)))
}

/// One connection, as the server sees it.
pub(super) struct Wire {
    pub(super) stream: TcpStream,
    buffer: Vec<u8>,
    /// How many came before it.
    pub(super) number: usize,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Wire {
    /// The next head, its empty line included; `None` if the connection has ended.
    pub(super) async fn head(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let head: Vec<u8> = self.buffer.drain(..end + 4).collect();
                let head = String::from_utf8_lossy(&head).into_owned();
                self.heads.lock().unwrap().push(head.clone());
                return Some(head);
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Option<()> {
        let mut bytes = vec![0; 16 << 10];
        let count = self.stream.read(&mut bytes).await.ok().filter(|&count| count > 0)?;
        self.buffer.extend_from_slice(&bytes[..count]);
        Some(())
    }

    /// So many bytes, or what came until the end.
    pub(super) async fn exactly(&mut self, count: usize) -> Vec<u8> {
        while self.buffer.len() < count && self.more().await.is_some() {}
        let count = count.min(self.buffer.len());
        self.buffer.drain(..count).collect()
    }

    /// Everything up to and including `end`, or what came until the end.
    pub(super) async fn until(&mut self, end: &str) -> String {
        loop {
            if let Some(at) = self.buffer.windows(end.len()).position(|window| window == end.as_bytes()) {
                return String::from_utf8(self.buffer.drain(..at + end.len()).collect()).unwrap();
            }
            if self.more().await.is_none() {
                return String::from_utf8_lossy(&std::mem::take(&mut self.buffer)).into_owned();
            }
        }
    }

    pub(super) async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        // Who does not listen any more is not spoken to.
        self.stream.write_all(bytes.as_ref()).await.ok();
    }

    /// Waits until the other side is gone.
    pub(super) async fn gone(&mut self) {
        while self.more().await.is_some() {}
    }
}

/// `GET` of `target`.
pub(super) fn get(target: &'static str) -> Forward {
    asked(Method::GET, target)
}

pub(super) fn asked(method: Method, target: &'static str) -> Forward {
    Forward::new(method, PathAndQuery::from_static(target))
}

pub(super) async fn sent(
    client: &Client,
    forward: Forward,
    upstream: &Arc<UpstreamState>,
) -> Result<Response<Received>, Failure> {
    let forwarded = client.forward(forward, upstream, PATIENT, later());
    match tokio::time::timeout(SAFETY_NET, forwarded).await.expect("no answer in time")? {
        Forwarded::Answer(response) => Ok(response),
        Forwarded::Switched(..) => panic!("switched"),
    }
}

/// A body that was read to its end, and its trailers.
pub(super) async fn whole(body: Received) -> Result<(Bytes, HeaderMap), Failure> {
    let collected = tokio::time::timeout(SAFETY_NET, body.collect()).await.expect("no end in time")?;
    let trailers = collected.trailers().cloned().unwrap_or_default();
    Ok((collected.to_bytes(), trailers))
}

/// Answer and body of `GET target`.
pub(super) async fn text(client: &Client, upstream: &Arc<UpstreamState>) -> Result<String, Failure> {
    let response = sent(client, get("/"), upstream).await?;
    Ok(String::from_utf8(whole(response.into_body()).await?.0.to_vec()).unwrap())
}
