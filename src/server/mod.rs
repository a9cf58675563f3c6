//! Sockets, connections, deadlines, the current site, reload and drain.
//!
//! It knows how to carry requests and responses, never what they mean: what answers is a [`Service`], handed to [`serve`]. [`Current`] is
//! the one that answers from a site, and can be given another one while it serves.
//!
//! | File | What |
//! |---|---|
//! | `limits` | what a connection may use |
//! | `gate`, `chunks` | the strict check of a request head, and of a body in chunks, pure |
//! | `refusal` | the answers that the server gives by itself |
//! | `socket`, `alarm` | a socket of either family; one timer for all deadlines |
//! | `io` | the wrapper around a socket: gate and deadlines before hyper |
//! | `ledger`, `body` | how the two sides of a connection learn that an answer is complete |
//! | `service` | one connection, one request |
//! | `tunnel` | a connection that has switched to another protocol |
//! | `listen`, `census` | addresses, accepting, how many |
//! | `tidy` | memory that connections gave back goes on to the system |
//! | `shutdown` | drain and end |
//! | `access_log`, `request_id` | one line for each exchange, and its name |
//! | `current` | the one pointer to what answers requests |
//! | `reload`, `watch` | another site beside the old one; edits that ask for it |
//! | `fixed` | what of a site's settings only a restart changes |
//! | `history` | when the site was loaded, and how the reloads went |
//! | `admin` | what answers those who run the server: purges, metrics, state |
//!
//! The life of a connection: `listen` accepts it, `census` counts it, `service` waits for its first octets and then puts hyper over an
//! `io::Transport`. Each head passes the gate before hyper reads it; the [`Service`] answers; the ledger logs the exchange when the socket
//! has taken the last octet. After a second without a request hyper is taken away again, and with it the memory.
//!
//! A new limit is a field of [`Limits`]; a new reason to refuse a head is a line of the gate and one of its table of tests; a new state of a
//! connection needs a deadline in `io`.

mod access_log;
mod admin;
mod alarm;
mod body;
mod census;
mod chunks;
mod current;
mod fixed;
mod gate;
mod history;
mod io;
mod ledger;
mod limits;
mod listen;
mod refusal;
mod reload;
mod request_id;
mod service;
mod shutdown;
mod socket;
mod tidy;
mod tunnel;
mod watch;

use std::sync::Arc;
use tokio::task::JoinSet;

use service::Server;

pub use access_log::{AccessLog, AccessLogWriter, Exchange, Facts, LogFormat, SourceCall};
pub use admin::{Admin, Watched};
pub use body::RequestBody;
pub use census::Census;
pub use current::Current;
pub use fixed::needs_restart;
pub use limits::Limits;
pub use listen::{AddressError, ListenAddress, ListenError, Listener, raise_open_files};
pub use reload::{Outcome, Reload, Reloaded};
pub use request_id::RequestId;
pub use service::{Answer, Arrival, Connection, Service};
pub use shutdown::Shutdown;
pub use watch::{Edit, Watch};

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ended {
    /// Every request that had arrived was answered.
    Drained,
    /// Some were not: the drain took too long, or was cut short.
    CutOff,
}

/// Serves all `listeners` until `shutdown`, and through the drain.
///
/// When it returns, no connection is left, and no clone of `log` that this function was given.
pub async fn serve<S: Service>(
    listeners: Vec<Listener>,
    limits: Limits,
    service: S,
    log: AccessLog,
    shutdown: Shutdown,
) -> Ended {
    let census = Census::new(&limits);
    serve_counted(listeners, limits, service, log, shutdown, census).await
}

/// The same, for those who want to know of the connections: they are counted in `census`.
pub async fn serve_counted<S: Service>(
    listeners: Vec<Listener>,
    limits: Limits,
    service: S,
    log: AccessLog,
    shutdown: Shutdown,
    census: Arc<Census>,
) -> Ended {
    let server = Arc::new(Server::new(service, limits, log, shutdown));
    let accepting =
        listeners.into_iter().map(|listener| listen::accept(listener, Arc::clone(&server), Arc::clone(&census)));
    let mut accepting: JoinSet<Ended> = accepting.collect();
    drop(server);
    let mut ended = Ended::Drained;
    while let Some(one) = accepting.join_next().await {
        // A listener's task does not panic; if it did, its connections would be gone.
        ended = ended.max(one.unwrap_or(Ended::CutOff));
    }
    ended
}
