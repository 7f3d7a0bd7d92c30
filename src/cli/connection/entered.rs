//! What was entered for a connection, looked at as the form looks at it: refused, cleaned, or pointed out.

use std::path::Path;

use crate::cli::arguments::RouteArguments;
use crate::cli::context::Context;
use crate::cli::fault::Fault;
use crate::cli::output;
use crate::domain::proxy::ProxyUrl;
use crate::domain::{Connection, Endpoint, UrlProblem, error_chain};
use crate::service::{Catalog, hints};
use crate::store::files;

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
    tell_odd_url(&catalog, connection);
    let named = &connection.username;
    if let Some(other) = hints::detect(&catalog, service, &connection.url, named) {
        output::say(&format!(
            "going by URL and user name the service is {other}: --service {other}"
        ));
    }
    Ok(())
}

/// Points out what does not belong in the URL.
pub(in crate::cli) fn tell_odd_url(catalog: &Catalog, connection: &Connection) {
    let known = catalog.get(&connection.service);
    if let Some(hint) = known.and_then(|known| hints::url_hint(known, &connection.url)) {
        let corrected = hint.corrected;
        output::say(&format!("{} Without it: --url {corrected}", hint.say));
    }
}

/// A user name without what nobody sees, which is said.
pub(super) fn username(typed: &str) -> String {
    let cleaned = hints::clean_text(typed);
    for note in &cleaned.notes {
        output::say(&format!("around the user name, {note}"));
    }
    cleaned.value
}

/// Refuses what was given and can't be what is meant, and points out what every probe would fail of as things are.
pub(super) fn check_way(
    connection: &Connection,
    before: &Connection,
    way: &RouteArguments,
) -> Result<(), Fault> {
    if let Some(misfit) = connection.misfit(Some(before)) {
        return Err(Fault::of(misfit));
    }
    if let Some(proxy) = &way.proxy {
        let read = ProxyUrl::new(proxy.as_str()).shown().map_err(Fault::of)?;
        if !proxy.contains("://") {
            output::say(&format!("the proxy will be asked at {read}"));
        }
    }
    let files = [&way.ca_file, &way.client_cert, &way.client_key];
    files
        .into_iter()
        .flatten()
        .for_each(|path| tell_unreadable(path));
    Ok(())
}

/// A file may come later, so that it is missing is said and not refused.
fn tell_unreadable(path: &Path) {
    if let Err(problem) = files::read_pem(path) {
        let why = error_chain(&problem);
        output::say(&format!("no probe will do as things are: {why}"));
    }
}
