//! Where a request leads before anything declared is read of it: its host, its URL, its route, its method.
//!
//! Answering and explaining ask the same function, so that they never differ.

use super::runtime::Service;
use crate::resource::Resource;
use crate::router::{BadHost, HostVerdict, Match, MethodVerdict, Routing, as_read, host_field};
use crate::site::Route;
use http::request::Parts;
use http::{Method, StatusCode};

/// Where a request leads.
pub(super) enum Decision<'d> {
    /// To a route, which answers it.
    Route(Found<'d>),
    /// To another spelling of its URL, and the route it leads to; at another host, no route is known.
    Elsewhere { location: String, route: Option<&'d Route> },
    /// To the methods there are, of a route or of the server.
    Options(Option<Found<'d>>),
    /// To the methods there are, of which its own is none.
    MethodNotAllowed(&'d Route),
    /// Nowhere.
    Refused { because: Refusal, route: Option<&'d Route> },
}

impl<'d> Decision<'d> {
    /// The route that answers, or says its methods, and how it was found.
    pub(super) fn found(&self) -> Option<&Found<'d>> {
        match self {
            Self::Route(found) => Some(found),
            Self::Options(found) => found.as_ref(),
            Self::Refused { .. } | Self::Elsewhere { .. } | Self::MethodNotAllowed(_) => None,
        }
    }

    /// Whether the request is passed on if the route has no answer to it. Of one that fits no parameter a guard could not be asked.
    pub(super) fn passes_on(&self) -> bool {
        self.route().is_some_and(|route| {
            route.otherwise.is_some() && (route.guards.is_empty() || matches!(self, Self::Route(_)))
        })
    }

    /// The route that answers, or has no answer to what stands in its path.
    pub(super) fn route(&self) -> Option<&'d Route> {
        match self {
            Self::Route(found) => Some(found.route),
            Self::Refused { because: Refusal::Misfit, route } => *route,
            Self::Refused { .. } | Self::Elsewhere { .. } | Self::Options(_) | Self::MethodNotAllowed(_) => None,
        }
    }
}

/// A route, and how it was found.
pub(super) struct Found<'d> {
    /// Its position.
    pub(super) position: usize,
    pub(super) route: &'d Route,
    pub(super) matched: Match<'d, 'd, usize>,
}

/// Why a request leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It has no host, or none that can be understood.
    Host(BadHost),
    /// Its host is not the site's.
    Misdirected,
    /// It has no target that can be understood.
    Target,
    /// No route claims its path.
    NotFound,
    /// A route claims its path, and not the values in it.
    Misfit,
}

impl Refusal {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Host(_) | Self::Target => StatusCode::BAD_REQUEST,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::NotFound | Self::Misfit => StatusCode::NOT_FOUND,
        }
    }
}

/// Path and query of a request, as they were sent.
pub(super) fn target(request: &Parts) -> &str {
    request.uri.path_and_query().map_or(request.uri.path(), http::uri::PathAndQuery::as_str)
}

/// The proxy that a target leads to which is spelled as no other route would have it: it passes on what it was sent, octet by octet. Only
/// what leads there in either reading is, so that no spelling gets around another route.
fn as_sent<'d>(
    service: &'d Service,
    host: Option<&str>,
    target: &'d str,
    routing: &Routing<'_, '_, usize>,
) -> Option<Found<'d>> {
    let canonical = match routing {
        Routing::Redirect { route, .. } | Routing::Misfit(route) => **route,
        // It has no canonical form. All the same it is read by somebody, who may make something of it that another route stands before.
        Routing::BadTarget | Routing::NotFound => match service.site.routers.route(host, &as_read(target)) {
            Routing::Matched(matched) => *matched.route,
            Routing::Redirect { route, .. } | Routing::Misfit(route) => *route,
            Routing::BadTarget | Routing::NotFound | Routing::Server => return None,
        },
        Routing::Matched(_) | Routing::Server => return None,
    };
    let is_proxy = |position: usize| {
        service.site.routes.get(position).filter(|route| matches!(route.resource, Resource::Proxy(_)))
    };
    is_proxy(canonical)?;
    let matched = service.site.routers.route_as_sent(host, target)?;
    let position = *matched.route;
    let route = is_proxy(position).filter(|_| canonical == position)?;
    Some(Found { position, route, matched })
}

/// Whether the target of a request that an open proxy would pass on is one that its upstream may read as the URL of a guarded route: with a slash
/// for what is escaped, and without what stands behind a semicolon.
fn leads_behind_a_guard(service: &Service, host: Option<&str>, target: &str, proxy: &Route) -> bool {
    let path = target.split('?').next().unwrap_or_default();
    if !proxy.guards.is_empty() || !path.contains(['%', ';', '\\']) {
        return false;
    }
    let read = as_read(target);
    let bare: String =
        read.split('/').map(|segment| segment.split(';').next().unwrap_or_default()).collect::<Vec<_>>().join("/");
    [read, bare].iter().any(|read| {
        let position = match service.site.routers.route(host, read) {
            Routing::Matched(matched) => *matched.route,
            Routing::Redirect { route, .. } | Routing::Misfit(route) => *route,
            Routing::BadTarget | Routing::NotFound | Routing::Server => return false,
        };
        service.site.routes.get(position).is_some_and(|route| !route.guards.is_empty())
    })
}

/// Where `request` leads, which came to a listener that only this machine reaches if `is_loopback`.
pub(super) fn decide<'d>(service: &'d Service, request: &'d Parts, is_loopback: bool) -> Decision<'d> {
    let refused = |because, route| Decision::Refused { because, route };
    let target = target(request);
    let absolute = request.uri.authority().map(http::uri::Authority::as_str);
    let authority = match host_field(request.version, &request.headers, absolute) {
        Ok(authority) => authority,
        Err(bad) => return refused(Refusal::Host(bad), None),
    };
    match service.site.hosts.verdict(authority.as_ref(), target, is_loopback) {
        HostVerdict::Serve => {}
        HostVerdict::Redirect(location) => return Decision::Elsewhere { location, route: None },
        HostVerdict::Misdirected => return refused(Refusal::Misdirected, None),
    }
    let routes = &service.site.routes;
    let host = authority.map(|authority| authority.host());
    let routing = service.site.routers.route(host, target);
    if let Some(found) = as_sent(service, host, target, &routing) {
        if leads_behind_a_guard(service, host, target, found.route) {
            return refused(Refusal::NotFound, None);
        }
        return Decision::Route(found);
    }
    let matched = match routing {
        Routing::Matched(matched) => matched,
        Routing::Redirect { location, route } => {
            return Decision::Elsewhere { location, route: routes.get(*route) };
        }
        Routing::Server if request.method == Method::OPTIONS => return Decision::Options(None),
        Routing::Misfit(route) => return refused(Refusal::Misfit, routes.get(*route)),
        Routing::NotFound => return refused(Refusal::NotFound, None),
        Routing::Server | Routing::BadTarget => return refused(Refusal::Target, None),
    };
    let position = *matched.route;
    let Some(route) = routes.get(position) else { return refused(Refusal::NotFound, None) };
    if let Resource::Proxy(_) = route.resource {
        if leads_behind_a_guard(service, host, target, route) {
            return refused(Refusal::NotFound, None);
        }
        // Whatever it means, the upstream knows.
        return Decision::Route(Found { position, route, matched });
    }
    match route.methods.verdict(&request.method) {
        MethodVerdict::Get | MethodVerdict::Head | MethodVerdict::Take => {
            Decision::Route(Found { position, route, matched })
        }
        MethodVerdict::Options => Decision::Options(Some(Found { position, route, matched })),
        MethodVerdict::NotAllowed => Decision::MethodNotAllowed(route),
    }
}
