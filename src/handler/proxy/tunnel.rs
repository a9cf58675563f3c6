//! A connection that both sides have switched to another protocol: octets in both directions, and nobody's meaning.

use super::Passing;
use crate::handler::{Answer, Body};
use crate::upstream::Tunnel;
use http::header::{CONNECTION, HeaderValue, UPGRADE};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

/// The door to the other protocol, if the request asks for WebSocket (RFC 6455, section 4.1) and may have it.
pub(super) fn door(request: &Parts) -> Option<(OnUpgrade, HeaderValue)> {
    let wanted = request.headers.get(UPGRADE)?;
    let is_websocket = wanted.as_bytes().trim_ascii().eq_ignore_ascii_case(b"websocket");
    let door = request.extensions.get::<OnUpgrade>().cloned();
    door.filter(|_| is_websocket && request.method == Method::GET).map(|door| (door, wanted.clone()))
}

/// The answer that switches the client too, after which the two are joined until one of them ends.
pub(super) fn joined(passing: &Passing<'_>, door: OnUpgrade, answer: Response<()>, tunnel: Tunnel) -> Answer {
    let fields = answer.into_parts().0.headers;
    let protocol = fields.get(UPGRADE).cloned().unwrap_or(HeaderValue::from_static("websocket"));
    let mut fields = passing.incoming(fields);
    fields.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    fields.insert(UPGRADE, protocol);
    tokio::spawn(async move {
        let mut there = tunnel;
        let joined = match door.await {
            Ok(here) => tokio::io::copy_bidirectional(&mut TokioIo::new(here), &mut there).await,
            Err(error) => Err(std::io::Error::other(error)),
        };
        if let Err(error) = joined {
            tracing::debug!(%error, "a connection that was switched ended badly");
        }
    });
    passing.pass_on(StatusCode::SWITCHING_PROTOCOLS, fields, Body::empty(), None)
}
