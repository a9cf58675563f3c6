//! Where a server listens: addresses, and the files of Unix sockets.

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use siteserver::server::{AccessLog, Answer, Ended, Limits, ListenAddress, Listener, Shutdown, serve};
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use tokio::runtime::Runtime;

crate::cases!(
    a_port_is_taken_once,
    a_unix_socket_serves_and_is_removed,
    an_abandoned_unix_socket_is_replaced,
    a_unix_socket_in_use_and_other_files_are_left_alone
);

/// A folder that is removed at the end of the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("siteserver-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn a_port_is_taken_once() {
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    let first = Listener::bind(&"127.0.0.1:0".parse().unwrap()).unwrap();
    let error = Listener::bind(first.address()).unwrap_err();
    assert_eq!(error.cause.kind(), std::io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&first.address().to_string()), "{error}");
}

fn a_unix_socket_serves_and_is_removed() {
    let folder = Folder::new("unix-serves");
    let path = folder.0.join("site.sock");
    let runtime = Runtime::new().unwrap();
    let shutdown = Shutdown::new();
    let serving = {
        let _entered = runtime.enter();
        let listener = Listener::bind(&ListenAddress::Unix(path.clone())).unwrap();
        let service = async |_, _| Answer::from(Response::new(Full::new(Bytes::from("hello"))));
        let service = move |request, arrival| {
            Box::pin(service(request, arrival)) as std::pin::Pin<Box<dyn Future<Output = _> + Send>>
        };
        runtime.spawn(serve(vec![listener], Limits::default(), service, AccessLog::off(), shutdown.clone()))
    };
    let mut client = UnixStream::connect(&path).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
    shutdown.drain();
    assert_eq!(runtime.block_on(serving).unwrap(), Ended::Drained);
    assert!(!path.exists());
}

fn an_abandoned_unix_socket_is_replaced() {
    let folder = Folder::new("unix-abandoned");
    let path = folder.0.join("site.sock");
    drop(UnixListener::bind(&path).unwrap());
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    let listener = Listener::bind(&ListenAddress::Unix(path.clone())).unwrap();
    UnixStream::connect(&path).unwrap();
    drop(listener);
    assert!(!path.exists());
}

fn a_unix_socket_in_use_and_other_files_are_left_alone() {
    let folder = Folder::new("unix-used");
    let (used, file) = (folder.0.join("site.sock"), folder.0.join("letter"));
    let _other = UnixListener::bind(&used).unwrap();
    fs::write(&file, "dear reader").unwrap();
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    for path in [&used, &file] {
        let error = Listener::bind(&ListenAddress::Unix(path.clone())).unwrap_err();
        assert_eq!(error.cause.kind(), std::io::ErrorKind::AddrInUse);
    }
    UnixStream::connect(&used).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "dear reader");
}
