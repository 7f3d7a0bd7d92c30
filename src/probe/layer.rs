//! The layer around reqwest's connector: stamps the connection, and stops it before HTTP where it may not
//! go on.
//!
//! Why the addresses of a name are raced above reqwest: its connector takes all addresses at once and tells
//! neither which were tried nor how each failed, and a second connection of our own would show every server
//! two. So each address is a request of its own, pinned to it by the resolver; connections that stand ask
//! [`super::trace::Race::enter`] here, and all but the first are closed before anything was sent.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::time::Instant;
use tower::{Layer, Service};

use super::trace::{ATTEMPT, Attempt, TraceEvent};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Wraps the connector in [`Stamp`].
#[derive(Clone, Copy, Debug)]
pub(super) struct StampLayer;

impl<S> Layer<S> for StampLayer {
    type Service = Stamp<S>;

    fn layer(&self, inner: S) -> Stamp<S> {
        Stamp { inner }
    }
}

/// The connector, with its beginning and end written down.
#[derive(Clone, Debug)]
pub(super) struct Stamp<S> {
    inner: S,
}

impl<S, R> Service<R> for Stamp<S>
where
    S: Service<R, Error = BoxError>,
    S::Future: Send + 'static,
    S::Response: Send,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let attempt = ATTEMPT.try_with(Arc::clone).ok();
        let connecting = self.inner.call(request);
        Box::pin(async move {
            let Some(attempt) = attempt else {
                return connecting.await;
            };
            attempt.marks().begun = Some(Instant::now());
            let connection = connecting.await?;
            finish(&attempt).map(|()| connection)
        })
    }
}

fn finish(attempt: &Attempt) -> Result<(), BoxError> {
    attempt.marks().joined = Some(Instant::now());
    match attempt.race.enter(attempt.index) {
        TraceEvent::First => Ok(()),
        TraceEvent::ReachedOnly => Err(Box::new(Stopped)),
        TraceEvent::Lost => {
            attempt.marks().lost = true;
            Err(Box::new(Stopped))
        }
    }
}

/// The connection stood, and was closed without a request.
#[derive(Clone, Copy, Debug)]
struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("closed before the request, as was asked")
    }
}

impl std::error::Error for Stopped {}
