//! Names to addresses, without the C library: a static binary cannot use it for that, and an empty root directory has none.
//!
//! `localhost` and everything below it is this machine, whatever files say (RFC 6761, section 6.3). Then `/etc/hosts`, then the name
//! servers of `/etc/resolv.conf`; both files are read again when they change. Without name servers other names fail, loudly: no public
//! server is ever asked in their stead.
//!
//! Each [`Resolver`] hands out addresses of one kind of trust. As the client connects to what it was handed, the address that was
//! checked is the address that is used.

use super::{Failure, NameFault, Trust, Unreachable, Wait, address};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::system_conf::parse_resolv_conf;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use std::{fs, io};

const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
/// How long the absence of a name is believed at most: a name that was just created should not stay unknown for an hour.
const LONGEST_ABSENCE: Duration = Duration::from_secs(5);

/// What this machine knows about names.
#[derive(Debug)]
pub(super) struct Names {
    hosts: Watched<Hosts>,
    servers: Watched<Option<TokioResolver>>,
    timeout: Duration,
}

impl Names {
    /// Reads `/etc/hosts` and `/etc/resolv.conf` when the first name needs them. A look-up ends after `timeout`.
    pub(super) fn of_this_machine(timeout: Duration) -> Self {
        Self::from_files("/etc/hosts", "/etc/resolv.conf", timeout)
    }

    fn from_files(hosts: impl Into<PathBuf>, servers: impl Into<PathBuf>, timeout: Duration) -> Self {
        Self { hosts: Watched::new(hosts, parse_hosts), servers: Watched::new(servers, name_servers), timeout }
    }

    /// Asks the name server at `address` for all but local names.
    #[cfg(test)]
    pub(super) fn of_server(address: SocketAddr, timeout: Duration) -> Self {
        let mut server = hickory_resolver::config::NameServerConfig::udp(address.ip());
        server.connections.iter_mut().for_each(|connection| connection.port = address.port());
        let servers = asking(ResolverConfig::from_parts(None, Vec::new(), vec![server]), ResolverOpts::default());
        let names = Self::from_files("/nonexistent/hosts", "/nonexistent/resolv.conf", timeout);
        *names.servers.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((None, Arc::new(servers)));
        names
    }

    async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, NameFault> {
        if is_localhost(name) {
            return Ok(LOOPBACK.to_vec());
        }
        if let Some(addresses) = self.hosts.current().get(&key(name)) {
            return Ok(addresses.clone());
        }
        let Some(servers) = self.servers.current().as_ref().clone() else {
            tracing::warn!(name, "no name server: /etc/resolv.conf is missing or names none");
            return Err(NameFault::NoServers);
        };
        match servers.lookup_ip(name).await {
            Ok(found) => Ok(found.iter().collect()),
            Err(error) if error.is_no_records_found() => Err(NameFault::NotFound),
            Err(error) => {
                tracing::debug!(name, %error, "name look-up failed");
                Err(NameFault::LookupFailed)
            }
        }
    }

    /// The addresses of `host`, which may be one itself, that `trust` allows.
    pub(super) async fn addresses_of(&self, host: &str, trust: Trust) -> Result<Vec<IpAddr>, Failure> {
        let Ok(address) = host.parse() else { return self.addresses(host, trust).await };
        match trust {
            Trust::Public if !address::is_public(address) => Err(refused(address)),
            Trust::Public | Trust::Private => Ok(vec![address]),
        }
    }

    /// The addresses of `name` that `trust` allows, in the order in which to try them.
    async fn addresses(&self, name: &str, trust: Trust) -> Result<Vec<IpAddr>, Failure> {
        let mut found = tokio::time::timeout(self.timeout, self.look_up(name))
            .await
            .map_err(|_elapsed| Failure::Timeout(Wait::Connection))?
            .map_err(|fault| Failure::Unreachable(Unreachable::Name(fault)))?;
        let Some(&first) = found.first() else {
            return Err(Failure::Unreachable(Unreachable::Name(NameFault::NotFound)));
        };
        if trust == Trust::Public {
            found.retain(|&address| address::is_public(address));
        }
        if found.is_empty() { Err(refused(first)) } else { Ok(found) }
    }
}

/// What a call that may reach public addresses only gets to hear about another one.
pub(super) fn refused(address: IpAddr) -> Failure {
    Failure::RefusedAddress(address::special_purpose(address).unwrap_or("public"))
}

/// What the client asks for the addresses of a name, for one kind of trust.
#[derive(Debug, Clone)]
pub(super) struct Resolver {
    pub(super) names: Arc<Names>,
    pub(super) trust: Trust,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let Self { names, trust } = self.clone();
        Box::pin(async move {
            let found = names.addresses(name.as_str(), trust).await?;
            // The client fills in the port.
            Ok(Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

fn is_localhost(name: &str) -> bool {
    let name = key(name);
    name == "localhost" || name.ends_with(".localhost")
}

/// The form in which names are compared.
fn key(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

type Hosts = HashMap<String, Vec<IpAddr>>;

/// `/etc/hosts`: an address and its names on each line (hosts(5)). Lines that say anything else say nothing. IPv4 addresses come first,
/// as they do from the name servers.
fn parse_hosts(text: &[u8]) -> Hosts {
    let mut hosts = Hosts::new();
    for line in String::from_utf8_lossy(text).lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(Ok(address)) = words.next().map(str::parse::<IpAddr>) else { continue };
        for name in words {
            hosts.entry(key(name)).or_default().push(address);
        }
    }
    for addresses in hosts.values_mut() {
        addresses.sort_by_key(IpAddr::is_ipv6);
    }
    hosts
}

/// A resolver that asks the name servers of `/etc/resolv.conf` (resolv.conf(5)), if it names any.
fn name_servers(text: &[u8]) -> Option<TokioResolver> {
    let (config, options) = parse_resolv_conf(text).ok()?;
    asking(config, options)
}

fn asking(config: ResolverConfig, options: ResolverOpts) -> Option<TokioResolver> {
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    *builder.options_mut() = options;
    let options = builder.options_mut();
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.negative_max_ttl = Some(LONGEST_ABSENCE);
    // `/etc/hosts` was asked before.
    options.use_hosts_file = hickory_resolver::config::ResolveHosts::Never;
    builder.build().ok()
}

/// What a file says, read again when it changes. A file that cannot be read says what an empty one says.
#[derive(Debug)]
struct Watched<T> {
    path: PathBuf,
    parse: fn(&[u8]) -> T,
    last: Mutex<Option<(Stamp, Arc<T>)>>,
}

/// What changes when a file does; `None` while there is no file.
type Stamp = Option<(SystemTime, u64)>;

impl<T> Watched<T> {
    fn new(path: impl Into<PathBuf>, parse: fn(&[u8]) -> T) -> Self {
        Self { path: path.into(), parse, last: Mutex::new(None) }
    }

    /// One `stat` when nothing has changed. Names are looked up for new connections only, so this is rare.
    fn current(&self) -> Arc<T> {
        let stamp = self.stamp().ok();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((read, value)) = &*last
            && *read == stamp
        {
            return Arc::clone(value);
        }
        let value = Arc::new((self.parse)(&fs::read(&self.path).unwrap_or_default()));
        *last = Some((stamp, Arc::clone(&value)));
        value
    }

    fn stamp(&self) -> io::Result<(SystemTime, u64)> {
        let metadata = fs::metadata(&self.path)?;
        Ok((metadata.modified()?, metadata.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(5);

    fn look_up(names: &Names, name: &str, trust: Trust) -> Result<Vec<String>, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found = runtime.block_on(names.addresses(name, trust));
        found.map(|addresses| addresses.iter().map(IpAddr::to_string).collect())
    }

    fn without_files() -> Names {
        Names::from_files("/nonexistent/hosts", "/nonexistent/resolv.conf", TIMEOUT)
    }

    #[test]
    fn localhost_needs_no_file() {
        let names = without_files();
        for name in ["localhost", "LOCALHOST", "localhost.", "api.localhost", "a.b.localhost."] {
            assert_eq!(look_up(&names, name, Trust::Private), Ok(vec!["127.0.0.1".into(), "::1".into()]), "{name}");
            assert_eq!(look_up(&names, name, Trust::Public), Err(Failure::RefusedAddress("loopback")), "{name}");
        }
    }

    #[test]
    fn without_name_servers_names_fail_and_nobody_else_is_asked() {
        for name in ["example.com", "localhost.example.com", "notlocalhost"] {
            let expected = Err(Failure::Unreachable(Unreachable::Name(NameFault::NoServers)));
            assert_eq!(look_up(&without_files(), name, Trust::Private), expected, "{name}");
        }
        assert!(name_servers(b"").is_none());
        assert!(name_servers(b"search example.com\noptions ndots:2\n").is_none());
    }

    #[test]
    fn hosts_come_from_the_file() {
        let folder = std::env::temp_dir().join(format!("siteserver-hosts-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("hosts");
        let names = Names::from_files(&file, "/nonexistent/resolv.conf", TIMEOUT);
        let unknown = Err(Failure::Unreachable(Unreachable::Name(NameFault::NoServers)));
        assert_eq!(look_up(&names, "shop", Trust::Private), unknown);

        fs::write(
            &file,
            "# mine\n2606:4700::1 shop\n10.0.0.7 Shop intern # inside\n1.1.1.1 shop\nnonsense shop\n9.9.9.9\n",
        )
        .unwrap();
        let all = ["10.0.0.7", "1.1.1.1", "2606:4700::1"].map(String::from).to_vec();
        assert_eq!(look_up(&names, "SHOP.", Trust::Private), Ok(all));
        let public = ["1.1.1.1", "2606:4700::1"].map(String::from).to_vec();
        assert_eq!(look_up(&names, "shop", Trust::Public), Ok(public), "the private one is left out");
        assert_eq!(look_up(&names, "intern", Trust::Public), Err(Failure::RefusedAddress("private")));
        assert_eq!(look_up(&names, "inside", Trust::Private), unknown);

        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(look_up(&names, "shop", Trust::Private), unknown, "the file is gone");
    }

    #[test]
    fn a_hosts_file_cannot_move_localhost() {
        let hosts = parse_hosts(b"93.184.216.34 localhost api.localhost\n");
        assert_eq!(hosts.len(), 2, "it is read, and never asked");
        assert!(is_localhost("localhost") && is_localhost("api.localhost") && !is_localhost("xlocalhost"));
    }
}
