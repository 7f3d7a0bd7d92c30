//! The list of targets for Prometheus' HTTP service discovery: names, services and tags, nothing else.
//!
//! Source: <https://prometheus.io/docs/prometheus/latest/http_sd/>. A URL may hold a secret in its query, so
//! it stays here; the name is the target.

use serde::Serialize;

use crate::domain::Connection;

#[derive(Serialize)]
struct TargetGroup<'a> {
    targets: [&'a str; 1],
    labels: Labels<'a>,
}

#[derive(Serialize)]
struct Labels<'a> {
    #[serde(rename = "__meta_switchboard_service")]
    service: &'a str,
    /// Between commas, also outside, so that `.*,eu,.*` finds one for sure.
    #[serde(rename = "__meta_switchboard_tags")]
    tags: String,
}

/// The targets as JSON, by name.
pub(super) fn json<'a>(connections: impl Iterator<Item = &'a Connection>) -> String {
    let mut connections: Vec<_> = connections.collect();
    connections.sort_by(|a, b| a.name.cmp(&b.name));
    let groups: Vec<_> = connections
        .into_iter()
        .map(|connection| TargetGroup {
            targets: [connection.name.as_str()],
            labels: Labels {
                service: connection.service.as_str(),
                tags: match connection.tags.as_slice() {
                    [] => String::new(),
                    tags => format!(",{},", tags.join(",")),
                },
            },
        })
        .collect();
    // Texts always serialize.
    serde_json::to_string(&groups).unwrap_or_default()
}
