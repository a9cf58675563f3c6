//! A server in this process, and clients that speak octets to it.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use siteserver::config::Secrets;
use siteserver::server::{
    AccessLog, Answer, Arrival, Ended, Facts, Limits, ListenAddress, Listener, LogFormat, RequestBody, Service,
    Shutdown, serve,
};
use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::net::{Shutdown as Direction, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// Content that fits in no socket's buffers.
pub(crate) const LARGE: usize = 64 * 1024 * 1024;

/// How long a test waits for what never comes before it fails: no test passes by it.
const NEVER: Duration = Duration::from_mins(1);

/// A running server, and what its log says.
pub(crate) struct Server {
    runtime: Runtime,
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: Shutdown,
    serving: JoinHandle<Ended>,
    log: Receiver<String>,
    /// Each request of `/wait` says here that it has begun.
    pub(crate) begun: Receiver<()>,
    held: Arc<Semaphore>,
}

impl Server {
    /// Serves on a free port of loopback.
    pub(crate) fn start(limits: Limits) -> Self {
        Self::serving(limits, |starts, held| {
            let site = Arc::new(Site { starts, held, large: vec![b'x'; LARGE].into() });
            move |request, arrival| {
                let site = Arc::clone(&site);
                async move { site.answer(request, &arrival).await }
            }
        })
    }

    /// The same, of a service that is made of what `begun` hears and of what `release` gives.
    pub(crate) fn serving<S: Service>(limits: Limits, make: impl FnOnce(Sender<()>, Arc<Semaphore>) -> S) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let entered = runtime.enter();
        let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap()).unwrap();
        let ListenAddress::Tcp(address) = *listener.address() else { panic!("not a TCP address") };
        let (lines, log) = channel();
        let (access_log, _writer) = AccessLog::to(Lines(lines), LogFormat::Json, Secrets::default()).unwrap();
        let (starts, begun) = channel();
        let held = Arc::new(Semaphore::new(0));
        let service = make(starts, Arc::clone(&held));
        let shutdown = Shutdown::new();
        let life = serve(vec![listener], limits, service, access_log, shutdown.clone());
        drop(entered);
        Self { serving: runtime.spawn(life), runtime, address, shutdown, log, begun, held }
    }

    /// Connects.
    pub(crate) fn connect(&self) -> Client {
        Client::new(TcpStream::connect(self.address).unwrap())
    }

    /// The answers to `octets`, until the server ends the connection by itself.
    pub(crate) fn send(&self, octets: &[u8]) -> String {
        let mut client = self.connect();
        client.send(octets);
        client.read_to_end()
    }

    /// The answers to `octets`, which are all that the client has to say.
    pub(crate) fn send_and_finish(&self, octets: &[u8]) -> String {
        let mut client = self.connect();
        client.send(octets);
        client.finish();
        client.read_to_end()
    }

    /// Lets the signals of this process end the server.
    pub(crate) fn obey_signals(&self) {
        let _entered = self.runtime.enter();
        self.shutdown.on_signals().unwrap();
    }

    /// Lets `count` requests of `/wait` go on.
    pub(crate) fn release(&self, count: usize) {
        self.held.add_permits(count);
    }

    /// The next line of the log, if there is one yet.
    pub(crate) fn try_next_log_line(&self) -> Option<serde_json::Value> {
        self.log.try_recv().ok().map(|line| serde_json::from_str(&line).unwrap())
    }

    /// The next line of the log.
    pub(crate) fn next_log_line(&self) -> serde_json::Value {
        serde_json::from_str(&self.log.recv_timeout(NEVER).unwrap()).unwrap()
    }

    /// Waits until the server has ended.
    pub(crate) fn wait(self) -> Ended {
        self.runtime.block_on(self.serving).unwrap()
    }

    /// A client like any other gets its page.
    pub(crate) fn assert_serves(&self) {
        let answer = self.send(b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nhello"), "{answer}");
    }
}

/// What the server under test serves.
struct Site {
    starts: Sender<()>,
    held: Arc<Semaphore>,
    large: Bytes,
}

impl Site {
    async fn answer(&self, request: Request<RequestBody>, arrival: &Arrival) -> Answer<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        let content = match path.as_str() {
            "/large" => self.large.clone(),
            "/panic" => panic!("as the test asks"),
            "/id" => arrival.id.to_string().into(),
            "/wait" => {
                self.starts.send(()).unwrap();
                self.held.acquire().await.unwrap().forget();
                "waited".into()
            }
            "/read" => return measure(request).await.into(),
            path => path.trim_start_matches('/').to_owned().into(),
        };
        let facts = Facts { route: Some("test".into()), cache: Some("hit"), ..Facts::default() };
        Answer { response: Response::new(Full::new(content)), facts }
    }
}

/// Says how long the body is.
async fn measure(request: Request<RequestBody>) -> Response<Full<Bytes>> {
    if let Ok(body) = request.into_body().collect().await {
        return Response::new(format!("{} octets", body.to_bytes().len()).into());
    }
    let mut response = Response::new(Full::from("no body"));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

/// Hands over each line that is written to it.
struct Lines(Sender<String>);

impl Write for Lines {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        for line in str::from_utf8(octets).unwrap().lines() {
            // A test that has ended reads no more.
            drop(self.0.send(line.to_owned()));
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One connection of a client.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) fields: HashMap<String, String>,
    pub(crate) content: String,
}

impl Client {
    fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(NEVER)).unwrap();
        stream.set_write_timeout(Some(NEVER)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    /// Sends octets; the server may have hung up already.
    pub(crate) fn try_send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(octets)
    }

    /// Sends octets.
    pub(crate) fn send(&mut self, octets: &[u8]) {
        self.try_send(octets).unwrap();
    }

    /// Ends the sending direction.
    pub(crate) fn finish(&mut self) {
        self.stream.get_mut().shutdown(Direction::Write).unwrap();
    }

    /// The socket, for tests that misuse it.
    pub(crate) fn socket(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    /// What comes, for tests that read it in their own way.
    pub(crate) fn stream(&mut self) -> &mut BufReader<TcpStream> {
        &mut self.stream
    }

    /// So many octets.
    pub(crate) fn exactly(&mut self, count: usize) -> Vec<u8> {
        let mut octets = vec![0; count];
        self.stream.read_exact(&mut octets).unwrap();
        octets
    }

    /// Everything until the server hangs up.
    pub(crate) fn read_to_end(&mut self) -> String {
        let mut text = String::new();
        self.stream.read_to_string(&mut text).unwrap();
        text
    }

    /// How many octets come until the connection ends, in whatever way.
    pub(crate) fn count_to_end(&mut self) -> usize {
        let mut count = 0;
        loop {
            match self.stream.fill_buf() {
                Ok([]) => return count,
                Ok(octets) => {
                    let length = octets.len();
                    count += length;
                    self.stream.consume(length);
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return count,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// One line without its end; none if the connection has ended.
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.strip_suffix("\r\n").map(str::to_owned)
    }

    /// The next answer to a request other than HEAD; none if the connection has ended.
    pub(crate) fn receive(&mut self) -> Option<Received> {
        let mut received = self.receive_head()?;
        let length = received.fields.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut content = vec![0; length];
        self.stream.read_exact(&mut content).unwrap();
        received.content = String::from_utf8(content).unwrap();
        Some(received)
    }

    /// The head of the next answer.
    pub(crate) fn receive_head(&mut self) -> Option<Received> {
        let first = self.line()?;
        let status = first.split(' ').nth(1).unwrap().parse().unwrap();
        let mut fields = HashMap::new();
        loop {
            let line = self.line().expect("the head goes on");
            let Some((name, value)) = line.split_once(": ") else { break };
            fields.insert(name.to_owned(), value.to_owned());
        }
        Some(Received { status, fields, content: String::new() })
    }

    /// Sends a request for `path` and takes the answer.
    pub(crate) fn get(&mut self, path: &str) -> Received {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        self.receive().expect("an answer")
    }
}
