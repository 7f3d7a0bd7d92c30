//! `switchboard token usage`: how often a token was used.

use serde_json::json;

use super::super::arguments::token::Which;
use super::super::context::Context;
use super::super::fault::Fault;
use super::super::output::tokens as shown;
use super::{account, written};
use crate::tokens::Moment;

pub(super) async fn run(context: &Context, which: &Which) -> Result<u8, Fault> {
    let usage = account(context, &which.name)
        .await?
        .usage(&which.id)
        .await?;
    let codes: Vec<_> = usage
        .summary
        .codes
        .iter()
        .map(|counted| {
            json!({
                "code": counted.code, "total": counted.total,
                "since_last_reset": counted.since_last_reset,
            })
        })
        .collect();
    let days: Vec<_> = usage
        .days
        .iter()
        .map(|day| {
            let statuses = day
                .codes
                .iter()
                .map(|(code, count)| json!({ "code": code, "count": count }));
            json!({ "date": day.date.to_string(), "statuses": statuses.collect::<Vec<_>>() })
        })
        .collect();
    let object = json!({
        "id": which.id, "statuses": codes, "days": days,
        "started_tracking_at": usage.summary.since.as_ref().map(Moment::shown),
        "last_used": usage.last_used().map(|date| date.to_string()),
    });
    written(which.format, &object, || shown::usage(&usage))
}
