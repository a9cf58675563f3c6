//! A site served by this process over real sockets, whose stored answers live by a clock that the test moves.

use super::http::{Connection, Response};
use super::site::Folder;
use siteserver::config::{Environment, Secrets};
use siteserver::handler::{Clock, Runtime, SteppedClock};
use siteserver::server::{AccessLog, Current, Ended, Limits, ListenAddress, Listener, LogFormat, Shutdown, serve};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// A site whose hours pass when it is told so. Waits for upstreams are as long as ever.
#[derive(Debug)]
pub(crate) struct SteppedSite {
    address: SocketAddr,
    clock: SteppedClock,
    _executor: tokio::runtime::Runtime,
    _serving: JoinHandle<Ended>,
    _folder: Folder,
}

impl SteppedSite {
    /// Serves the site of an archive on a free port.
    pub(crate) fn start(archive: &str) -> Self {
        let folder = Folder::new();
        folder.unpack(archive);
        let loaded = siteserver::site::load(&folder.path().join("site.toml"), &[], &Environment::default());
        let site = Arc::new(loaded.site.unwrap_or_else(|| panic!("{:?}", loaded.findings)));
        let clock = Clock::stepped();
        let runtime = Arc::new(Runtime::with_clock(&site, &clock).expect("a client"));
        let executor =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("an executor");
        let entered = executor.enter();
        let listener = Listener::bind(&"127.0.0.1:0".parse().expect("an address")).expect("a port");
        let ListenAddress::Tcp(address) = *listener.address() else { panic!("not a TCP address") };
        let (log, _writer) = AccessLog::to(io::sink(), LogFormat::Json, Secrets::default()).expect("a log");
        let current = Current::new(site, runtime);
        let life = serve(vec![listener], Limits::default(), current, log, Shutdown::new());
        drop(entered);
        Self { address, clock, _serving: executor.spawn(life), _executor: executor, _folder: folder }
    }

    /// So much time passes.
    pub(crate) fn advance(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// A GET on a connection of its own; an error if the answer breaks off.
    pub(crate) fn get(&self, target: &str) -> io::Result<Response> {
        self.get_with(target, &[])
    }

    /// The same with these header fields.
    pub(crate) fn get_with(&self, target: &str, fields: &[(&str, &str)]) -> io::Result<Response> {
        let mut connection = Connection::open(self.address);
        connection.send(super::http::compose("GET", target, fields, b""))?;
        connection.response()
    }
}
