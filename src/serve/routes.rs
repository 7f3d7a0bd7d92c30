//! What is asked, and what it is answered.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::exposition::CONTENT_TYPE;
use super::{Exporter, discovery, guard, verdict};
use crate::domain::text::{counted, inert};
use crate::domain::{Name, error_chain};

/// How long Prometheus waits for the answer, in seconds.
pub(super) const WAITS: &str = "x-prometheus-scrape-timeout-seconds";

/// Why nothing is told of a connection: an unknown one would resolve or raise alerts that are none.
const NO_ROOM: &str = "not in time: other probes, a look-up, or what gives the key (the program of a cmd:) took the \
                       time of this one; let the scrape wait longer, scrape less often, or share the connections \
                       among several exporters";

/// The routes; over TCP only loopback names are answered.
pub(super) fn router(exporter: Arc<Exporter>, over_tcp: bool) -> Router {
    let router = Router::new()
        .route("/", get(overview))
        .route("/probe", get(probe))
        .route("/metrics", get(metrics))
        .route("/sd", get(targets))
        .route("/-/healthy", get(healthy))
        .route("/-/ready", get(healthy))
        .route("/-/reload", post(reload).put(reload))
        .layer(from_fn_with_state(Arc::clone(&exporter), guard::pages));
    let router = if over_tcp {
        router.layer(from_fn_with_state(Arc::clone(&exporter), guard::names))
    } else {
        router
    };
    router.with_state(exporter)
}

#[derive(Deserialize)]
struct TargetQuery {
    target: Option<String>,
}

async fn probe(
    State(exporter): State<Arc<Exporter>>,
    headers: HeaderMap,
    Query(asked): Query<TargetQuery>,
) -> Response {
    let Some(target) = asked.target.filter(|target| !target.is_empty()) else {
        return refusal(
            StatusCode::BAD_REQUEST,
            "whom? /probe?target=NAME, a saved connection",
        );
    };
    let known = exporter.known().await;
    let connection = Name::parse(&target)
        .ok()
        .and_then(|name| known.connections.get(&name).cloned());
    let Some(connection) = connection else {
        let shown = inert(&target, 64);
        return refusal(
            StatusCode::NOT_FOUND,
            &format!("no connection is called {shown}: /sd lists them"),
        );
    };
    match exporter.probe(&connection, waits(&headers)).await {
        Some(probed) => {
            let content_type = [(header::CONTENT_TYPE, CONTENT_TYPE)];
            let text = verdict::metrics(&probed.verdict, probed.took, probed.planned);
            (content_type, text).into_response()
        }
        None => refusal(StatusCode::SERVICE_UNAVAILABLE, NO_ROOM),
    }
}

/// How long who asks will wait, where that is a time: as to `blackbox_exporter`, 0 says nothing.
pub(super) fn waits(headers: &HeaderMap) -> Option<Duration> {
    let seconds: f64 = headers.get(WAITS)?.to_str().ok()?.parse().ok()?;
    let waits = Duration::try_from_secs_f64(seconds).ok();
    waits.filter(|waits| !waits.is_zero())
}

async fn metrics(State(exporter): State<Arc<Exporter>>) -> Response {
    // Whoever asks wants to know whether the configuration can be read by now.
    exporter.known().await;
    let core = &exporter.core;
    let is_locked = core.is_vault_locked().await;
    let text = exporter.own.metrics(is_locked, core.history_fails());
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response()
}

async fn targets(State(exporter): State<Arc<Exporter>>) -> Response {
    let known = exporter.known().await;
    let watched = known.connections.values().filter(|one| !one.paused);
    let json = discovery::json(watched.map(|one| &**one));
    ([(header::CONTENT_TYPE, "application/json")], json).into_response()
}

async fn healthy() -> &'static str {
    "switchboard is healthy\n"
}

async fn reload(State(exporter): State<Arc<Exporter>>) -> Response {
    match exporter.reload().await {
        Ok(count) => format!("{}\n", counted(count, "connection")).into_response(),
        Err(problem) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &error_chain(&problem)),
    }
}

async fn overview() -> &'static str {
    "switchboard: /probe?target=NAME  /metrics  /sd  /-/healthy  POST /-/reload\n"
}

fn refusal(status: StatusCode, why: &str) -> Response {
    (status, format!("{why}\n")).into_response()
}
