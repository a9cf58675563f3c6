//! What of a site's settings is fixed when the server starts: sockets, threads, the log, the store. A reload cannot change it.

use super::Limits;
use crate::site::{self, Settings};

impl From<&site::Limits> for Limits {
    fn from(limits: &site::Limits) -> Self {
        let site::Limits {
            request_head,
            request_uri,
            request_headers,
            head_timeout,
            write_stall,
            idle,
            body_stall,
            body_total,
            connections,
            connections_per_address,
            drain,
            // What follows concerns what is served, not how it is carried.
            answer: _,
            render: _,
            store: _,
            deadline: _,
        } = limits;
        Self {
            head: *request_head,
            target: *request_uri,
            fields: *request_headers,
            head_time: *head_timeout,
            idle: *idle,
            body_stall: *body_stall,
            body_time: *body_total,
            write_stall: *write_stall,
            connections: *connections,
            connections_per_address: *connections_per_address,
            drain: *drain,
            ..Self::default()
        }
    }
}

/// The settings that differ between a site that is served and one loaded later, and that only a restart can change.
pub fn needs_restart(running: &Settings, loaded: &Settings) -> Vec<&'static str> {
    let Settings { listen, admin, watch, workers, trusted_proxies, access, format, limits } = running;
    let rows = [
        ("server.listen", *listen != loaded.listen),
        ("admin", *admin != loaded.admin),
        ("server.watch", *watch != loaded.watch),
        ("server.workers", *workers != loaded.workers),
        ("server.trusted-proxies", *trusted_proxies != loaded.trusted_proxies),
        ("log.access", *access != loaded.access),
        ("log.format", *format != loaded.format),
        ("limits of connections", Limits::from(limits) != Limits::from(&loaded.limits)),
        ("limits.memory-store, limits.store-entry", limits.store != loaded.limits.store),
    ];
    rows.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::TrustedProxies;
    use crate::site::{AccessLog, LogFormat};
    use std::time::Duration;

    fn settings() -> Settings {
        Settings {
            listen: vec!["127.0.0.1:4000".to_owned()],
            admin: None,
            watch: true,
            workers: None,
            trusted_proxies: TrustedProxies::default(),
            access: AccessLog::Stdout,
            format: LogFormat::Auto,
            limits: site::Limits::compile(None),
        }
    }

    #[test]
    fn the_documented_defaults_are_those_of_connections() {
        assert_eq!(Limits::from(&site::Limits::compile(None)), Limits::default());
    }

    #[test]
    fn what_a_restart_changes_is_named() {
        let running = settings();
        assert!(needs_restart(&running, &settings()).is_empty());
        let mut loaded = settings();
        loaded.listen.push("[::1]:4000".to_owned());
        loaded.limits.idle = Duration::from_secs(1);
        loaded.limits.deadline = Duration::from_secs(1);
        assert_eq!(needs_restart(&running, &loaded), ["server.listen", "limits of connections"]);
    }
}
