//! Where connections come from: addresses as they are written, sockets bound to them, and the loop that accepts.

use std::fmt;
use std::fs::Permissions;
use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixSocket, UnixStream};
use tokio::task::JoinSet;

use super::census::{Census, Full};
use super::gate::Refusal;
use super::service::{Connection, Server, Service};
use super::socket::Socket;
use super::{Ended, Exchange, Facts, RequestId, refusal};

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    /// An IP address and a port; port 0 is any free one.
    Tcp(SocketAddr),
    /// A file that is a Unix socket.
    Unix(PathBuf),
}

impl ListenAddress {
    /// Whether only programs of this machine can reach it over the network.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Self::Unix(_) => false,
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Why a text is no address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// A name may stand for any address, also for one on the open network.
    #[error("names are not looked up: write an IP address and a port, as in `127.0.0.1:4000`")]
    Name,
    /// There is an address, and what follows it is no port.
    #[error("the port is missing or none: write an IP address and a port, as in `127.0.0.1:4000`")]
    NoPort,
    /// Only a whole path says which file it is, wherever the server is started.
    #[error("the path of a Unix socket begins with `/`, as in `unix:/run/site.sock`")]
    RelativePath,
}

impl FromStr for ListenAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = Path::new(path);
            let names_a_file = path.is_absolute() && path.file_name().is_some();
            return if names_a_file { Ok(Self::Unix(path.to_owned())) } else { Err(AddressError::RelativePath) };
        }
        match text.parse() {
            Ok(address) => Ok(Self::Tcp(address)),
            Err(_) => Err(if begins_with_an_address(text) { AddressError::NoPort } else { AddressError::Name }),
        }
    }
}

fn begins_with_an_address(text: &str) -> bool {
    let host = text.rsplit_once(':').map_or(text, |(host, _)| host);
    [text, host].iter().any(|text| text.trim_matches(['[', ']']).parse::<IpAddr>().is_ok())
}

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {cause}")]
pub struct ListenError {
    /// The address.
    pub address: ListenAddress,
    /// What the system says.
    #[source]
    pub cause: io::Error,
}

/// A bound socket: clients may connect from here on, and are accepted when the server runs.
#[derive(Debug)]
pub struct Listener {
    address: Arc<ListenAddress>,
    socket: Bound,
}

#[derive(Debug)]
enum Bound {
    Tcp(TcpListener),
    Unix { listener: UnixListener, file: SocketFile },
}

/// Connections that the system holds until they are accepted.
const BACKLOG: u32 = 4096;

impl Listener {
    /// Binds `address`. Must be called within the runtime.
    pub fn bind(address: &ListenAddress) -> Result<Self, ListenError> {
        Self::bind_for(Clients::All, address)
    }

    /// The same, but to a Unix socket only programs of the same user may connect.
    pub fn bind_for_owner(address: &ListenAddress) -> Result<Self, ListenError> {
        Self::bind_for(Clients::Owner, address)
    }

    fn bind_for(clients: Clients, address: &ListenAddress) -> Result<Self, ListenError> {
        let failed = |cause| ListenError { address: address.clone(), cause };
        match address {
            ListenAddress::Tcp(address) => {
                let listener = bind_tcp(*address).map_err(failed)?;
                let address = listener.local_addr().map_err(failed)?;
                Ok(Self { address: Arc::new(ListenAddress::Tcp(address)), socket: Bound::Tcp(listener) })
            }
            ListenAddress::Unix(path) => {
                let (listener, file) = bind_unix(path, clients).map_err(failed)?;
                Ok(Self { address: Arc::new(address.clone()), socket: Bound::Unix { listener, file } })
            }
        }
    }

    /// The address, with the port that was chosen if any would do.
    pub fn address(&self) -> &ListenAddress {
        &self.address
    }

    async fn accept(&self) -> io::Result<(Socket, Option<SocketAddr>)> {
        match &self.socket {
            Bound::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // Answers are written in one piece: to wait for more only delays them.
                stream.set_nodelay(true)?;
                Ok((Socket::Tcp(stream), Some(peer)))
            }
            Bound::Unix { listener, .. } => Ok((Socket::Unix(listener.accept().await?.0), None)),
        }
    }

    /// Stops listening, and gives the connections that nobody has accepted: their clients count as served as soon as they are connected.
    ///
    /// The system offers no way to do both in one step on TCP, so nothing comes between asking for the last one and closing.
    fn close(self) -> Vec<(Socket, Option<SocketAddr>)> {
        match self.socket {
            Bound::Tcp(listener) => {
                let waiting: Vec<_> = listener
                    .into_std()
                    .map(|listener| std::iter::from_fn(|| listener.accept().ok()).collect())
                    .unwrap_or_default();
                waiting.into_iter().filter_map(|(stream, peer)| Some((adopt_tcp(stream).ok()?, Some(peer)))).collect()
            }
            Bound::Unix { listener, file } => {
                // First of all the name, so that nobody new comes.
                drop(file);
                let waiting: Vec<_> = listener
                    .into_std()
                    .map(|listener| std::iter::from_fn(|| listener.accept().ok()).collect())
                    .unwrap_or_default();
                waiting.into_iter().filter_map(|(stream, _)| Some((adopt_unix(stream).ok()?, None))).collect()
            }
        }
    }
}

fn adopt_tcp(stream: std::net::TcpStream) -> io::Result<Socket> {
    stream.set_nonblocking(true)?;
    stream.set_nodelay(true)?;
    TcpStream::from_std(stream).map(Socket::Tcp)
}

fn adopt_unix(stream: std::os::unix::net::UnixStream) -> io::Result<Socket> {
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream).map(Socket::Unix)
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restarted server does not wait for the connections of the one before to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Who may connect to a Unix socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clients {
    /// Whoever the process lets use the files that it makes.
    All,
    /// Its own user.
    Owner,
}

fn bind_unix(path: &Path, clients: Clients) -> io::Result<(UnixListener, SocketFile)> {
    let listener = match listen_unix(path, clients) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_abandoned(path) => {
            std::fs::remove_file(path)?;
            listen_unix(path, clients)
        }
        result => result,
    }?;
    let metadata = std::fs::symlink_metadata(path)?;
    Ok((listener, SocketFile { path: path.to_owned(), identity: (metadata.dev(), metadata.ino()) }))
}

fn listen_unix(path: &Path, clients: Clients) -> io::Result<UnixListener> {
    match clients {
        Clients::All => UnixListener::bind(path),
        Clients::Owner => {
            let socket = UnixSocket::new_stream()?;
            socket.bind(path)?;
            // Nobody can connect before it listens.
            std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
            socket.listen(BACKLOG)
        }
    }
}

/// Whether `path` is a socket that nobody listens on: left behind by a server that was killed.
fn is_abandoned(path: &Path) -> bool {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    is_socket
        && std::os::unix::net::UnixStream::connect(path)
            .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

/// The file of a Unix socket, removed with it, unless another server has put its own in the place.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = std::fs::symlink_metadata(&self.path)
            .is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == self.identity);
        if ours && let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "the socket's file cannot be removed");
        }
    }
}

/// Raises the number of files that the process may have open as far as the system lets it, and gives it, if there is one: every connection
/// is a file.
pub fn raise_open_files() -> io::Result<Option<u64>> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    Ok(maximum)
}

/// How long to wait when the system has nothing to make a connection of.
const BREATH: Duration = Duration::from_millis(50);

/// Accepts connections until the server drains, then serves those that wait, and returns when all have ended or may last no longer.
pub(super) async fn accept<S: Service>(listener: Listener, server: Arc<Server<S>>, census: Arc<Census>) -> Ended {
    let mut connections = JoinSet::new();
    let mut draining = std::pin::pin!(server.shutdown.draining());
    let mut strained = false;
    loop {
        tokio::select! {
            biased;
            () = &mut draining => break,
            Some(_) = connections.join_next() => {}
            arrived = listener.accept() => match arrived {
                Ok((socket, peer)) => {
                    strained = false;
                    begin(socket, peer, &listener.address, &server, &census, &mut connections);
                }
                Err(error) if concerns_one_client(&error) => {}
                Err(error) => {
                    if !strained {
                        tracing::warn!(%error, "connections cannot be accepted");
                    }
                    strained = true;
                    tokio::time::sleep(BREATH).await;
                }
            },
        }
    }
    let address = Arc::clone(&listener.address);
    for (socket, peer) in listener.close() {
        begin(socket, peer, &address, &server, &census, &mut connections);
    }
    tokio::select! {
        biased;
        () = async { while connections.join_next().await.is_some() {} } => return Ended::Drained,
        () = tokio::time::sleep(server.limits.drain) => {}
        () = server.shutdown.ending() => {}
    }
    connections.shutdown().await;
    Ended::CutOff
}

fn begin<S: Service>(
    socket: Socket,
    peer: Option<SocketAddr>,
    listener: &Arc<ListenAddress>,
    server: &Arc<Server<S>>,
    census: &Arc<Census>,
    connections: &mut JoinSet<()>,
) {
    match census.admit(peer.map(|peer| peer.ip())) {
        Ok(seat) => {
            let connection = Connection { peer, listener: Arc::clone(listener) };
            let (life, tidy) = (Arc::clone(server).serve(socket, connection), Arc::clone(&server.tidy));
            connections.spawn(async move {
                life.await;
                drop(seat);
                tidy.soon();
            });
        }
        Err(full) => turn_away(socket, peer, full, server),
    }
}

/// Tells a client that there is no room, without waiting for it.
fn turn_away<S>(socket: Socket, peer: Option<SocketAddr>, full: Full, server: &Server<S>) {
    let reason = match full {
        Full::Server => "the server has no room for another connection",
        Full::Address => "there are too many connections from this address",
    };
    let now = SystemTime::now();
    let refusal = Refusal::new(http::StatusCode::SERVICE_UNAVAILABLE, reason);
    let id = RequestId::next();
    let octets = refusal::octets(refusal, id, false, now);
    let written = match socket {
        Socket::Tcp(stream) => stream.into_std().and_then(|mut stream| stream.write_all(&octets)),
        Socket::Unix(stream) => stream.into_std().and_then(|mut stream| stream.write_all(&octets)),
    };
    if let Err(error) = written {
        tracing::debug!(%error, "a client that was turned away was not told");
    }
    server.log.record(&Exchange {
        time: now,
        id,
        client: peer.map(|peer| peer.ip().to_canonical()),
        method: None,
        path: None,
        status: Some(refusal.status),
        bytes: 0,
        elapsed: Duration::ZERO,
        facts: Facts::default(),
    });
}

/// Whether a failure to accept is about a client that is already gone, and not about the whole process.
fn concerns_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, InvalidInput, NotConnected, TimedOut};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted | InvalidInput | NotConnected | TimedOut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let cases: &[(&str, Result<ListenAddress, AddressError>)] = &[
            ("127.0.0.1:4000", Ok(ListenAddress::Tcp(([127, 0, 0, 1], 4000).into()))),
            ("0.0.0.0:0", Ok(ListenAddress::Tcp(([0, 0, 0, 0], 0).into()))),
            ("[::1]:4000", Ok(ListenAddress::Tcp(([0, 0, 0, 0, 0, 0, 0, 1], 4000).into()))),
            ("unix:/run/site.sock", Ok(ListenAddress::Unix("/run/site.sock".into()))),
            ("unix:site.sock", Err(AddressError::RelativePath)),
            ("unix:/", Err(AddressError::RelativePath)),
            ("unix:", Err(AddressError::RelativePath)),
            ("localhost:4000", Err(AddressError::Name)),
            ("*:4000", Err(AddressError::Name)),
            (":4000", Err(AddressError::Name)),
            ("4000", Err(AddressError::Name)),
            ("", Err(AddressError::Name)),
            ("127.0.0.1", Err(AddressError::NoPort)),
            ("[::1]", Err(AddressError::NoPort)),
            ("::1", Err(AddressError::NoPort)),
            ("127.0.0.1:65536", Err(AddressError::NoPort)),
            ("[::1]:http", Err(AddressError::NoPort)),
        ];
        for (text, expected) in cases {
            assert_eq!(&text.parse::<ListenAddress>(), expected, "{text}");
            if let Ok(address) = expected {
                assert_eq!(&address.to_string(), text);
            }
        }
    }

    #[test]
    fn loopback_is_known() {
        for (text, expected) in
            [("127.9.9.9:1", true), ("[::1]:1", true), ("0.0.0.0:1", false), ("[::]:1", false), ("unix:/a", false)]
        {
            assert_eq!(text.parse::<ListenAddress>().unwrap().is_loopback(), expected, "{text}");
        }
    }

    #[test]
    fn files_may_be_opened_up_to_the_systems_limit() {
        let most = raise_open_files().unwrap();
        assert_eq!(rustix::process::getrlimit(rustix::process::Resource::Nofile).current, most);
    }
}
