//! The rules, case by case: the examples of the RFCs, and what public suites ask of shared caches.

mod differential;
mod freshening;
mod invalidation;
mod literal;
mod partial;
mod properties;
mod reuse;
mod storing;
mod validation;

use super::{Exchange, NotStored, Settings, Terms, store};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use std::time::{Duration, SystemTime};

/// When every response of these cases is received.
const NOW: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

type Lines<'l> = &'l [(&'l str, &'l str)];

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
}

fn fields(lines: Lines<'_>) -> HeaderMap {
    let line = |(name, value): &(&str, &str)| {
        (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    lines.iter().map(line).collect()
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn stored_with(
    settings: &Settings,
    method: &Method,
    request: Lines<'_>,
    status: u16,
    response: Lines<'_>,
) -> Result<Terms, NotStored> {
    let exchange = Exchange {
        method,
        targets: &[&Uri::from_static("http://origin.example/a/b?c"), &Uri::from_static("https://public.example/m?c")],
        request: &fields(request),
        status: StatusCode::from_u16(status).unwrap(),
        response: &fields(response),
        received: now(),
        delay: Duration::ZERO,
    };
    store(&exchange, settings)
}

/// What a 200 to a GET says.
fn stored(response: Lines<'_>) -> Result<Terms, NotStored> {
    stored_with(&Settings::default(), &Method::GET, &[], 200, response)
}

fn terms(response: Lines<'_>) -> Terms {
    stored(response).unwrap_or_else(|reason| panic!("{response:?}: {reason}"))
}
