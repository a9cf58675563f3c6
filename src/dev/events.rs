//! The stream that tells the browser of each load (Server-Sent Events, HTML section 9.2): the state at once, then each new one.

use super::state::{State, States};
use crate::handler::Body;
use crate::server::Shutdown;
use bytes::Bytes;
use futures_util::stream;
use http::Response;
use http::header::{self, HeaderValue};
use http_body::Frame;
use http_body_util::StreamBody;
use std::convert::Infallible;
use std::sync::Arc;

/// How soon a browser comes back whose stream has ended, in milliseconds: the server was started again.
const RETRY: u32 = 300;

/// A stream that lasts until the server stops.
pub(super) fn response(states: &States, shutdown: &Shutdown) -> Response<Body> {
    let mut receiver = states.follow();
    receiver.mark_changed();
    let stream = stream::unfold((receiver, shutdown.clone()), |(mut receiver, shutdown)| async move {
        tokio::select! {
            biased;
            // A stream must not keep the server from stopping.
            () = shutdown.draining() => None,
            changed = receiver.changed() => {
                changed.ok()?;
                let state = Arc::clone(&receiver.borrow_and_update());
                Some((Ok::<_, Infallible>(Frame::data(event(&state))), (receiver, shutdown)))
            }
        }
    });
    let mut response = Response::new(Body::stream(StreamBody::new(stream)));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response
}

/// A state is JSON on one line.
fn event(state: &State) -> Bytes {
    format!("retry: {RETRY}\ndata: {}\n\n", state.text).into()
}
