//! What is remembered about each upstream between calls, found again after a reload.
//!
//! A site is data and holds none of this: whoever puts a site into service asks the registry for the state of each of its upstreams and
//! keeps it beside the site. As long as anybody keeps it, the same name with the same settings is the same state.

use super::balance::{Balance, Outcome, Pick, Spread};
use super::breaker::{Admission, Breaker, BreakerSettings, Health};
use super::forward::{Peer, below};
use super::limit::Limit;
use super::patience::Patience;
use super::retry::Budget;
use super::{Answer, Failure, Trust};
use http::HeaderValue;
use http::uri::PathAndQuery;
use reqwest::Url;
use rustls::pki_types::ServerName;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

/// What a declaration says about an upstream as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UpstreamSettings {
    /// How many calls at once; at least one.
    pub max_concurrent: usize,
    /// When to leave it alone; `None`: never.
    pub breaker: Option<BreakerSettings>,
    /// Where it is. Needed for what is passed on and for several addresses; other calls say where they go.
    pub whereabouts: Option<Whereabouts>,
}

impl Default for UpstreamSettings {
    fn default() -> Self {
        Self { max_concurrent: 32, breaker: Some(BreakerSettings::default()), whereabouts: None }
    }
}

/// Where an upstream is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Whereabouts {
    /// Scheme, host, port and path, as `https://shop.example.com/api`: whom requests are for, whatever machine they go to.
    pub base: String,
    /// The machines, if that is not for the name to say.
    pub addresses: Vec<Address>,
    /// How requests are spread over them.
    pub spread: Spread,
    /// Which addresses may be connected to.
    pub trust: Trust,
}

/// A machine: an address or a name, and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// An address or a name; IPv6 without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Address {
    /// `10.0.0.1:8080`, `[fd00::1]:8080` or `name:8080`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|&port| is_number && port > 0)?;
        let url = Url::parse(&format!("http://{host}:{port}")).ok()?;
        // The parser knows every way of writing an address and brings it into one form; of anything else in the text something is left.
        let is_all =
            url.username().is_empty() && url.password().is_none() && url.path() == "/" && url.query().is_none();
        let is_host = is_all && !host.contains(['/', '\\', '?', '#', '@']) && url.fragment().is_none();
        let host = url.host_str().filter(|_| is_host)?;
        Some(Self { host: without_brackets(host).to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(out, "[{}]:{}", self.host, self.port)
        } else {
            write!(out, "{}:{}", self.host, self.port)
        }
    }
}

fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// The machines of an upstream, and what requests to any of them say of where they go.
#[derive(Debug)]
pub(super) struct Peers {
    /// The machines as they are for calls that may connect to public addresses only. No connection of one kind of trust is ever used for
    /// the other.
    public: Box<[Arc<Peer>]>,
    /// And for calls that may connect to any.
    private: Box<[Arc<Peer>]>,
    /// What the upstream declares.
    trust: Trust,
    pub(super) balance: Balance,
    /// What the `Host` field says.
    pub(super) authority: HeaderValue,
    /// The path that all requests begin with, without a final slash.
    prefix: String,
    /// Whether they were declared: calls of sources go to them as well, then.
    is_declared: bool,
}

impl Peers {
    fn new(whereabouts: &Whereabouts, now: Instant) -> Option<Self> {
        let Whereabouts { base, addresses, spread, trust } = whereabouts;
        let url = Url::parse(base).ok()?;
        let host = url.host_str()?;
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let host = without_brackets(host);
        let server_name = match url.scheme() {
            "https" => Some(ServerName::try_from(host.to_owned()).ok()?),
            _ => None,
        };
        let own = [Address { host: host.to_owned(), port: url.port_or_known_default()? }];
        let is_declared = !addresses.is_empty();
        let addresses = if is_declared { addresses } else { own.as_slice() };
        let peers = |trust| {
            let peer = |address: &Address| Arc::new(Peer::new(address.clone(), server_name.clone(), trust));
            addresses.iter().map(peer).collect()
        };
        Some(Self {
            public: peers(Trust::Public),
            private: peers(Trust::Private),
            trust: *trust,
            balance: Balance::new(addresses.len(), *spread, now),
            authority: HeaderValue::from_str(&authority).ok()?,
            prefix: url.path().trim_end_matches('/').to_owned(),
            is_declared,
        })
    }

    pub(super) fn get(&self, place: usize, trust: Trust) -> Option<&Arc<Peer>> {
        match trust {
            Trust::Public => self.public.get(place),
            Trust::Private => self.private.get(place),
        }
    }
}

/// What is remembered about one upstream between calls.
#[derive(Debug)]
pub struct UpstreamState {
    pub(super) limit: Limit,
    pub(super) budget: Budget,
    pub(super) patience: Patience,
    breaker: Option<Breaker>,
    peers: Option<Peers>,
}

impl UpstreamState {
    /// The state of an upstream that has not been called yet.
    pub fn new(settings: &UpstreamSettings) -> Self {
        let now = Instant::now();
        Self {
            limit: Limit::new(settings.max_concurrent),
            budget: Budget::new(),
            patience: Patience::new(now),
            breaker: settings.breaker.map(|settings| Breaker::new(settings, now)),
            peers: settings.whereabouts.as_ref().and_then(|whereabouts| Peers::new(whereabouts, now)),
        }
    }

    pub(super) fn peers(&self) -> Option<&Peers> {
        self.peers.as_ref()
    }

    /// Whether calls go to addresses that were declared, and not where their URL says.
    pub(super) fn has_declared_addresses(&self) -> bool {
        self.peers.as_ref().is_some_and(|peers| peers.is_declared)
    }

    /// What is asked of it for `target`: the same below the path of its address, byte for byte. `None` if the two cannot stand together:
    /// `*` below a path.
    pub fn target(&self, target: &PathAndQuery) -> Option<PathAndQuery> {
        below(self.peers.as_ref().map_or("", |peers| &peers.prefix), target)
    }

    /// Which addresses what is passed on may be sent to.
    pub(super) fn trust(&self) -> Trust {
        self.peers.as_ref().map_or(Trust::Public, |peers| peers.trust)
    }

    /// A request goes to the address at `place`.
    pub(super) fn begin(&self, place: usize) {
        if let Some(peers) = &self.peers {
            peers.balance.enter(place);
        }
    }

    /// A request has ended there.
    pub(super) fn end(&self, place: usize) {
        if let Some(peers) = &self.peers {
            peers.balance.leave(place);
        }
    }

    /// What became of the request that `pick` was for.
    pub(super) fn record_at(&self, pick: Pick, outcome: Outcome, now: Instant) {
        if let Some(peers) = &self.peers {
            peers.balance.record(pick, outcome, now);
        }
    }

    /// The addresses that were declared, and whether each is left alone at `now` because it failed.
    pub fn addresses(&self, now: Instant) -> impl Iterator<Item = (&Address, bool)> {
        let declared = self.peers.iter().filter(|peers| peers.is_declared);
        declared.flat_map(move |peers| peers.public.iter().map(|peer| peer.address()).zip(peers.balance.aside(now)))
    }

    /// Leave to make one call at `now`.
    pub(super) fn admit(&self, now: Instant) -> Result<Admission, Failure> {
        match &self.breaker {
            Some(breaker) => breaker.admit(now).ok_or(Failure::BreakerOpen),
            None => Ok(Admission::Usual),
        }
    }

    /// Whether it is left alone at `now`, because its last calls failed; `None` if it never is.
    pub fn is_left_alone(&self, now: Instant) -> Option<bool> {
        self.breaker.as_ref().map(|breaker| breaker.is_open(now))
    }

    /// An admitted call ended at `now`.
    pub(super) fn record(&self, admission: Admission, health: Health, now: Instant) {
        if let Some(breaker) = &self.breaker {
            breaker.record(admission, health, now);
        }
    }
}

/// What an outcome says about the upstream: unreachable, timeout and 5xx count, and nothing else does.
pub(super) fn health(outcome: &Result<Answer, Failure>) -> Health {
    match outcome {
        Ok(answer) if answer.status.is_server_error() => Health::Bad,
        Ok(_) => Health::Good,
        Err(failure) => health_of(*failure),
    }
}

/// What a failure says about the upstream.
pub(super) fn health_of(failure: Failure) -> Health {
    match failure {
        // A connection that ends without an answer is as good as none.
        Failure::Unreachable(_) | Failure::Timeout(_) | Failure::Interrupted(_) => Health::Bad,
        Failure::TooLarge(_)
        | Failure::Undecodable(_)
        | Failure::InvalidResponse
        | Failure::RedirectRefused
        | Failure::TooManyRedirects => Health::Good,
        Failure::Unsendable(_)
        | Failure::RefusedAddress(_)
        | Failure::BreakerOpen
        | Failure::AskedToWait
        | Failure::BrokenUpload => Health::Unknown,
    }
}

/// The states of all upstreams in service, by name and settings.
#[derive(Debug, Default)]
pub struct Registry(Mutex<HashMap<(String, UpstreamSettings), Weak<UpstreamState>>>);

impl Registry {
    /// The state of the upstream called `name`: the one in service if it has these settings, else a new one. Called when a site is put
    /// into service, never for a request.
    pub fn state(&self, name: &str, settings: UpstreamSettings) -> Arc<UpstreamState> {
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        states.retain(|_, state| state.strong_count() > 0);
        let key = (name.to_owned(), settings);
        if let Some(state) = states.get(&key).and_then(Weak::upgrade) {
            return state;
        }
        let state = Arc::new(UpstreamState::new(&key.1));
        states.insert(key, Arc::downgrade(&state));
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reload_finds_the_state_again() {
        let registry = Registry::default();
        let settings = UpstreamSettings::default();
        let state = |name: &str, settings: &UpstreamSettings| registry.state(name, settings.clone());
        let first = state("shop", &settings);
        assert!(Arc::ptr_eq(&first, &state("shop", &settings)));
        assert!(!Arc::ptr_eq(&first, &state("blog", &settings)));
        assert!(!Arc::ptr_eq(&first, &state("shop", &UpstreamSettings { max_concurrent: 1, ..settings.clone() })));
        let whereabouts = Whereabouts {
            base: "http://shop.example".to_owned(),
            addresses: Vec::new(),
            spread: Spread::default(),
            trust: Trust::Public,
        };
        let moved = UpstreamSettings { whereabouts: Some(whereabouts), ..settings };
        assert!(!Arc::ptr_eq(&first, &state("shop", &moved)), "no connection to where it was");
    }

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for (text, expected) in [
            ("10.0.0.1:8080", Some("10.0.0.1:8080")),
            ("[FD00::0:1]:80", Some("[fd00::1]:80")),
            ("app-1.internal:8080", Some("app-1.internal:8080")),
            ("APP:80", Some("app:80")),
            ("127.1:80", Some("127.0.0.1:80")),
            ("app", None),
            ("app:", None),
            (":80", None),
            ("app:0", None),
            ("app:65536", None),
            ("app:+80", None),
            ("fd00::1:80", None),
            ("http://app:80", None),
            ("app/x:80", None),
            ("user@app:80", None),
            ("a b:80", None),
            ("app:80/x", None),
        ] {
            assert_eq!(Address::parse(text).map(|address| address.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_nobody_uses_is_forgotten() {
        let registry = Registry::default();
        drop(registry.state("shop", UpstreamSettings::default()));
        let kept = registry.state("blog", UpstreamSettings::default());
        assert_eq!(registry.0.lock().unwrap().len(), 1);
        drop(kept);
    }
}
