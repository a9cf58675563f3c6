//! Routes that pass an upstream's answers on.
//!
//! What is declared of them, compiled: which upstream, how its paths are written here and there, what it is told. Requests are sent, and
//! answers kept, elsewhere.

use super::cache::ProxyCache;
use super::decl::Forwarded;
use std::sync::Arc;

/// A route that passes an upstream's answers on.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// The position of the upstream.
    pub upstream: usize,
    /// The paths that it is asked for.
    pub target: ProxyTarget,
    /// Whether it is sent the `Host` of the request.
    pub preserve_host: bool,
    /// In which fields it is told who asked.
    pub forwarded: Forwarded,
    /// Whether `Via` is added to.
    pub via: bool,
    /// Whether clients may switch to WebSocket.
    pub websocket: bool,
    /// What is kept of its answers; nothing, if there is none.
    pub cache: Option<ProxyCache>,
}

/// The paths that an upstream is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxyTarget {
    /// Those of the requests, octet by octet.
    Same,
    /// The same with another beginning: what stands behind it is passed on octet by octet.
    Mounted {
        /// How the paths of requests begin, with a slash at the end.
        here: Arc<str>,
        /// How those begin that the upstream is asked for, with a slash at the end.
        there: Arc<str>,
    },
    /// One that is put together of literal text and parameters.
    Composed(Arc<[TargetPart]>),
}

/// A part of a path that is put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetPart {
    /// Text as it is sent.
    Literal(Arc<str>),
    /// What stands for the parameter of this name, octet by octet.
    Parameter(Arc<str>),
}

impl ProxyTarget {
    /// The path in the site of what the upstream calls `path`: where the answer to a request leads, and for which paths a cookie is. `None` if
    /// it is not known.
    pub fn here(&self, path: &str) -> Option<String> {
        match self {
            Self::Same => Some(path.to_owned()),
            Self::Mounted { here, there } => moved(path, there, here),
            Self::Composed(_) => None,
        }
    }

    /// The path that the upstream is asked for in place of `path`, if that is known without its parameters: `path` as it was sent.
    pub fn there(&self, path: &str) -> Option<String> {
        match self {
            Self::Same => Some(path.to_owned()),
            Self::Mounted { here, there } => moved(path, here, there),
            Self::Composed(_) => None,
        }
    }
}

/// `path` with the beginning `to` in place of `from`, if it begins so; both end in a slash, which a path that is no longer may lack.
fn moved(path: &str, from: &str, to: &str) -> Option<String> {
    let rest = if from.strip_suffix('/') == Some(path) { Some("") } else { path.strip_prefix(from) };
    rest.map(|rest| format!("{to}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_there_and_back() {
        let mounted = ProxyTarget::Mounted { here: "/shop/".into(), there: "/old/app/".into() };
        for (here, there) in [
            ("/shop/a/b", "/old/app/a/b"),
            ("/shop/", "/old/app/"),
            ("/shop/%2e//x?", "/old/app/%2e//x?"),
            ("/shop/old/app/", "/old/app/old/app/"),
        ] {
            assert_eq!(mounted.there(here).as_deref(), Some(there));
            assert_eq!(mounted.here(there).as_deref(), Some(here));
        }
        assert_eq!(mounted.there("/shop").as_deref(), Some("/old/app/"));
        assert_eq!(mounted.here("/old/app").as_deref(), Some("/shop/"));
        for foreign in ["/shopping", "/sho", "/", "/%73hop/a"] {
            assert_eq!(mounted.there(foreign), None);
        }
        assert_eq!(ProxyTarget::Same.there("/a//b").as_deref(), Some("/a//b"));
    }
}
