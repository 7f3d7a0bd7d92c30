//! What was entered for a connection, looked at as the form looks at it: refused, cleaned, or pointed out.

use crate::cli::context::Context;
use crate::cli::fault::Fault;
use crate::cli::output;
use crate::domain::{Connection, Endpoint, UrlProblem};
use crate::service::hints;

/// Refuses a URL that can't be asked, and points out what does not belong in one, or that it is another service's.
pub(super) async fn check_url(context: &Context, connection: &Connection) -> Result<(), Fault> {
    match Endpoint::parse(&connection.url) {
        Ok(_) => {}
        Err(UrlProblem::UserInfo { rest, .. }) => {
            return Err(
                Fault::usage("user name and password don't belong in the URL")
                    .hint(format!("--url {rest} --username U --key-stdin")),
            );
        }
        Err(problem) => return Err(Fault::of(problem)),
    }
    let catalog = context.core.catalog().await?;
    let service = &connection.service;
    let known = catalog.get(service);
    if let Some(hint) = known.and_then(|known| hints::url_hint(known, &connection.url)) {
        let corrected = hint.corrected;
        output::say(&format!("{} Without it: --url {corrected}", hint.say));
    }
    let named = &connection.username;
    if let Some(other) = hints::detect(&catalog, service, &connection.url, named) {
        output::say(&format!(
            "going by URL and user name the service is {other}: --service {other}"
        ));
    }
    Ok(())
}

/// A user name without what nobody sees, which is said.
pub(super) fn username(typed: &str) -> String {
    let cleaned = hints::clean_text(typed);
    for note in &cleaned.notes {
        output::say(&format!("around the user name, {note}"));
    }
    cleaned.value
}
