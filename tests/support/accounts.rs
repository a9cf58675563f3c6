//! The program beside the example upstream that remembers accounts, sessions, orders and baskets: `examples/upstream/program`, in this process.

#[path = "../../examples/upstream/program/accounts/mod.rs"]
mod program;

use super::http::{Connection, Response};
use std::net::SocketAddr;
use tokio::runtime::Runtime;

/// One that runs until it is dropped, with tables of its own.
#[derive(Debug)]
pub(crate) struct Accounts {
    address: SocketAddr,
    _runtime: Runtime,
}

impl Accounts {
    /// Starts one.
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        runtime.spawn(program::serve(listener));
        Self { address, _runtime: runtime }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, as `ACCOUNTS` has it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A request to itself, past every site.
    pub(crate) fn request(&self, method: &str, target: &str, fields: &[(&str, &str)], body: &str) -> Response {
        Connection::open(self.address).request(method, target, fields, body.as_bytes())
    }

    /// Signs somebody in; the value of `Cookie` that says so.
    pub(crate) fn sign_in(&self, name: &str) -> String {
        let form = ("content-type", "application/x-www-form-urlencoded");
        let answer = self.request("POST", "/login", &[form], &format!("name={name}&password={name}-secret"));
        let cookie = answer.header("set-cookie").unwrap_or_else(|| panic!("{name} cannot sign in: {answer:?}"));
        cookie.split(';').next().unwrap_or_default().to_owned()
    }
}
