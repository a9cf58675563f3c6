//! A new connection to one address of an upstream: its name looked up, every address judged, TCP, TLS, all within one bound.

use super::connection::Live;
use super::pool::Peer;
use super::stream::{Meter, Stream, Way};
use crate::upstream::resolver::Names;
use crate::upstream::{Failure, Unreachable, Wait};
use rustls::ClientConfig;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::time::timeout_at;
use tokio_rustls::TlsConnector;

/// Makes connections.
#[derive(Clone)]
pub(super) struct Connector {
    names: Arc<Names>,
    tls: TlsConnector,
    timeout: Duration,
}

impl Connector {
    pub(super) fn new(names: Arc<Names>, mut tls: ClientConfig, timeout: Duration) -> Self {
        // What is passed through is HTTP/1.1 in both directions.
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self { names, tls: TlsConnector::from(Arc::new(tls)), timeout }
    }

    /// A connection to `peer`, before `deadline`.
    pub(super) async fn connect(&self, peer: &Peer, deadline: Instant) -> Result<Box<Live>, Failure> {
        let end = deadline.min(Instant::now() + self.timeout);
        let connected = timeout_at(end.into(), self.stream(peer, end)).await;
        let way = connected.map_err(|_elapsed| Failure::Timeout(Wait::Connection))??;
        let meter = Arc::new(Meter::default());
        Ok(Box::new(Live::new(Stream::new(way, Arc::clone(&meter)), meter).await?))
    }

    async fn stream(&self, peer: &Peer, end: Instant) -> Result<Way, Failure> {
        let addresses = self.names.addresses_of(&peer.address.host, peer.trust).await?;
        let mut outcome = Err(Failure::Unreachable(Unreachable::Connection));
        let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        for (left, address) in (1..=count).rev().zip(addresses) {
            // One that does not answer leaves time for the others.
            let share = end.saturating_duration_since(Instant::now()) / left;
            outcome = tcp(SocketAddr::new(address, peer.address.port), Instant::now() + share).await;
            if outcome.is_ok() {
                break;
            }
        }
        let tcp = outcome?;
        let Some(name) = &peer.server_name else { return Ok(Way::Plain(tcp)) };
        let tls = self.tls.connect(name.clone(), tcp).await.map_err(|error| unreachable(&error))?;
        Ok(Way::Secure(Box::new(tls)))
    }
}

async fn tcp(address: SocketAddr, end: Instant) -> Result<TcpStream, Failure> {
    let connected = timeout_at(end.into(), TcpStream::connect(address)).await;
    let tcp = connected.map_err(|_elapsed| Failure::Timeout(Wait::Connection))?.map_err(|error| unreachable(&error))?;
    // A head waits for no acknowledgement of what was sent before.
    tcp.set_nodelay(true).map_err(|_closed| Failure::Unreachable(Unreachable::Connection))?;
    Ok(tcp)
}

fn unreachable(error: &io::Error) -> Failure {
    Failure::Unreachable(Unreachable::because(Some(error.kind())))
}
