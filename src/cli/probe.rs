//! `switchboard probe`: saved connections, an unsaved one, or a list of URLs.

mod list;
mod route;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use super::arguments::{Format, ProbeArguments, RouteArguments, TokenSource};
use super::context::Context;
use super::fault::Fault;
use super::output::{self, human, nagios};
use super::{second, sources};
use crate::domain::endpoint::redacted;
use crate::domain::text::inert;
use crate::domain::{Connection, Name, Secret, SecretRef, State, Verdict, span};
use crate::service::{Trigger, hints};
use crate::work::offline::SideBySide;
use crate::work::{Unsaved, WorkError, silent};

use route::refuse_password;
pub use route::{apply_route, apply_sending};

/// Runs the command; gives the exit code of the worst verdict.
pub async fn run(context: &Context, arguments: ProbeArguments) -> Result<u8, Fault> {
    if let Some(url) = arguments.url.clone() {
        let unsaved = unsaved(context, &url, &arguments).await?;
        if let Some(host) = &arguments.via {
            return second::unsaved(context, unsaved, host, arguments.format).await;
        }
        let verdict = Box::pin(context.core.probe_unsaved(unsaved, &silent)).await;
        return written(context, &[verdict], arguments.format, Shape::One);
    }
    refuse_in_vain(&arguments)?;
    if let Some(proxy) = &arguments.way.proxy {
        refuse_password(proxy)?;
    }
    if let Some(path) = &arguments.targets {
        return list::run(context, path, &arguments).await;
    }
    let (names, shape) = chosen(context, &arguments).await?;
    // One that can't be read is told as what it is; what fails below is about secrets.
    context.core.connections().await?;
    if let Err(fault) = context.have_keys_of(&names).await {
        // Whoever is there tries again; who is not is told of all that needs no passphrase.
        if sources::somebody_is_there() {
            return Err(fault);
        }
        let left = "what is in the vault is not at hand";
        output::say(&format!("switchboard: {}: {left}", fault.text()));
    }
    super::remote_token::go_on(context, &names).await;
    if let Some(host) = &arguments.via {
        return second::saved(context, &names, shape, host, &arguments).await;
    }
    saved(context, names, shape, &arguments).await
}

/// Refuses options of an unsaved connection where they would change nothing: somebody who gives another key
/// must not read the verdict on the saved one.
fn refuse_in_vain(arguments: &ProbeArguments) -> Result<(), Fault> {
    let ProbeArguments {
        username,
        key,
        cms_url,
        service,
        way,
        ..
    } = arguments;
    let mut options = vec![
        (username.is_some(), "--username"),
        (key.key_stdin, "--key-stdin"),
        (key.key_fd.is_some(), "--key-fd"),
        (key.key_env.is_some(), "--key-env"),
        (cms_url.is_some(), "--cms-url"),
        (arguments.sending.auth.is_some(), "--auth"),
        (arguments.sending.allow_http, "--allow-http"),
    ];
    options.extend(of_secrets(&arguments.token, arguments.cms.as_deref(), way));
    let is_saved = arguments.targets.is_none();
    if is_saved {
        options.push((service.is_some(), "--service"));
        options.extend(of_way(way));
    } else {
        // (The targets of a list are of the service http, and asked without a key.)
        let is_other = service.as_deref().is_some_and(|service| service != "http");
        options.extend([(is_other, "--service"), (arguments.full, "--full")]);
    }
    refuse_given(&options, "--url", is_saved)
}

/// Options of the shared token, and of whom a secret is sent to.
pub(super) fn of_secrets(
    token: &TokenSource,
    cms: Option<&str>,
    way: &RouteArguments,
) -> [(bool, &'static str); 7] {
    [
        (token.token_stdin, "--token-stdin"),
        (token.token_fd.is_some(), "--token-fd"),
        (token.token_env.is_some(), "--token-env"),
        (cms.is_some(), "--cms"),
        (way.ca_file.is_some(), "--ca-file"),
        (way.client_cert.is_some(), "--client-cert"),
        (way.client_key.is_some(), "--client-key"),
    ]
}

/// Options of the way that carry no trust.
pub(super) fn of_way(way: &RouteArguments) -> [(bool, &'static str); 4] {
    [
        (way.proxy.is_some(), "--proxy"),
        (way.ipv4, "-4"),
        (way.ipv6, "-6"),
        (way.timeout.is_some(), "--timeout"),
    ]
}

/// Refuses the first of `options` that was given: it is of use only beside `belongs_to`.
pub(super) fn refuse_given(
    options: &[(bool, &str)],
    belongs_to: &str,
    is_saved: bool,
) -> Result<(), Fault> {
    let Some((_, flag)) = options.iter().find(|(given, _)| *given) else {
        return Ok(());
    };
    let fault = Fault::usage(format!(
        "{flag} belongs to {belongs_to}, and would change nothing here"
    ));
    Err(if is_saved {
        fault.hint("a saved connection has its own: switchboard connection edit")
    } else {
        fault
    })
}

/// On whose wish, and how far.
pub(super) fn trigger(arguments: &ProbeArguments) -> Trigger {
    if arguments.full {
        Trigger::Bisect
    } else {
        Trigger::Asked
    }
}

/// One object, or an array even of one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The object of the only one.
    One,
    /// An array.
    Several,
}

async fn chosen(
    context: &Context,
    arguments: &ProbeArguments,
) -> Result<(Vec<Name>, Shape), Fault> {
    let parse = |text: &String| Name::parse(text).map_err(|error| no_name(Fault::of(error), text));
    if !arguments.names.is_empty() {
        let names = arguments
            .names
            .iter()
            .map(parse)
            .collect::<Result<Vec<_>, _>>()?;
        // One that is named twice would ask for its host's patience twice.
        let mut known = HashSet::new();
        let names: Vec<Name> = names
            .into_iter()
            .filter(|name| known.insert(name.clone()))
            .collect();
        let shape = if arguments.names.len() == 1 {
            Shape::One
        } else {
            Shape::Several
        };
        return Ok((names, shape));
    }
    let connections = context.core.connections().await?;
    let wanted = |connection: &&Arc<Connection>| match &arguments.tag {
        Some(tag) => connection.tags.contains(tag),
        None => arguments.all,
    };
    let names: Vec<Name> = connections
        .iter()
        .filter(wanted)
        .map(|connection| connection.name.clone())
        .collect();
    if names.is_empty() {
        return Err(nothing_chosen(arguments));
    }
    Ok((names, Shape::Several))
}

/// `fault`, with the way to probe a URL where one was given for a name. A password in that is not repeated.
fn no_name(fault: Fault, given: &str) -> Fault {
    if !given.contains("://") {
        return fault;
    }
    let shown = inert(&redacted(given), 120);
    let mut told = Fault::usage(format!("there is no connection named {shown}"));
    told.code = fault.code;
    told.hint("a URL stands behind --url: switchboard probe --url URL")
}

fn nothing_chosen(arguments: &ProbeArguments) -> Fault {
    match &arguments.tag {
        Some(tag) => Fault::usage(format!(
            "no connection has the tag {}",
            crate::domain::text::inert(tag, 60)
        ))
        .hint("switchboard connection list names what there is"),
        None if arguments.all => Fault::usage("there is no saved connection yet")
            .hint("switchboard connection add NAME --service S --url U"),
        None => Fault::usage("what is to be probed?")
            .hint("give a NAME, --all, --tag T, --url URL or --targets FILE"),
    }
}

async fn saved(
    context: &Context,
    names: Vec<Name>,
    shape: Shape,
    arguments: &ProbeArguments,
) -> Result<u8, Fault> {
    for name in &names {
        let known = context.core.connection(name).await;
        known.map_err(|error| match error {
            WorkError::NoSuchConnection(_) => no_name(error.into(), name.as_str()),
            _ => error.into(),
        })?;
    }
    let trigger = trigger(arguments);
    let core = &context.core;
    let limit = usize::try_from(arguments.concurrency).unwrap_or(1);
    let probes = names
        .iter()
        .map(|name| async move { core.probe_saved(name, trigger, &|_| {}).await });
    let mut running = futures_util::stream::StreamExt::buffer_unordered(
        futures_util::stream::iter(probes),
        limit,
    );
    let mut verdicts = Vec::with_capacity(names.len());
    let mut together = SideBySide::default();
    loop {
        let next = futures_util::StreamExt::next(&mut running).await;
        let ended = next.is_none();
        let told = match next {
            Some(verdict) => together.hear(verdict),
            None => std::mem::take(&mut together).end(),
        };
        if arguments.format == Format::Ndjson && shape == Shape::Several {
            told.iter().try_for_each(output::ndjson)?;
        }
        verdicts.extend(told);
        if ended {
            break;
        }
    }
    // What was kept back comes in the order that was asked for.
    verdicts.sort_by_key(|verdict| {
        let of = verdict.connection.as_ref();
        names.iter().position(|name| Some(name) == of)
    });
    context.say_where_nothing_is_remembered().await;
    written(context, &verdicts, arguments.format, shape)
}

async fn unsaved(
    context: &Context,
    url: &str,
    arguments: &ProbeArguments,
) -> Result<Unsaved, Fault> {
    let service = context
        .service(arguments.service.as_deref().unwrap_or("http"))
        .await?;
    let mut from = arguments.key.clone();
    // A variable that is not set is a key that is not at hand: a verdict, as for a saved `env:`.
    let unset = from
        .key_env
        .take_if(|name| context.environment.lookup(name).is_none());
    let unset = unset
        .map(|name| sources::variable("key", &name))
        .transpose()?;
    let (key, token) = sources::pair(&context.environment, &from, &arguments.token)?;
    let name = super::connection::parsed("unsaved")?;
    let mut connection = Connection::new(name, service, url);
    connection.username = arguments.username.clone().unwrap_or_default();
    let is_unset = unset.is_some();
    connection.key = unset;
    connection.cms_url.clone_from(&arguments.cms_url);
    if let Some(given) = &arguments.cms {
        connection.cms = Some(super::connection::cms(context, given).await?);
    }
    apply_route(&mut connection, &arguments.way)?;
    apply_sending(&mut connection, &arguments.sending);
    super::connection::tell_odd_url(&*context.core.catalog().await?, &connection);
    warn_of_odd_key(context, &connection, key.as_ref()).await?;
    let mut unsaved = Unsaved::new(connection);
    unsaved.key = key;
    // Whoever names the variable beside the URL means it for there: that it is not set is all there is to say.
    unsaved.origin_confirmed = is_unset;
    unsaved.token = token;
    unsaved.trigger = trigger(arguments);
    unsaved.timeout = arguments.way.timeout.as_deref().map(duration).transpose()?;
    Ok(unsaved)
}

/// A command sends a key of an odd shape, and says so.
async fn warn_of_odd_key(
    context: &Context,
    connection: &Connection,
    key: Option<&Secret>,
) -> Result<(), Fault> {
    let catalog = context.core.catalog().await?;
    let service = catalog.get(&connection.service);
    if let (Some(service), Some(key)) = (service, key) {
        // As it will be sent.
        let (username, cleaned) = hints::as_sent(service, &connection.username, key);
        if let Some(warning) = hints::odd_shape(service, &username, &cleaned.value) {
            output::say(&format!("switchboard: {warning}"));
        }
    }
    Ok(())
}

/// A time such as `90` (seconds), `10s`, `500ms`, `1m` or `2d`, above zero.
pub fn duration(text: &str) -> Result<Duration, Fault> {
    positive(text, span::read_or_seconds, "90, 500ms")
}

/// A time above zero, as `read` reads it; `shortest` are examples of its own.
pub(super) fn positive(
    text: &str,
    read: fn(&str) -> Option<SignedDuration>,
    shortest: &str,
) -> Result<Duration, Fault> {
    let wrong = || {
        let text = crate::domain::text::inert(text, 40);
        Fault::usage(format!(
            "{text:?} is no time: write {shortest}, 10s, 5m, 2h or 30d"
        ))
    };
    let read = read(text).and_then(|time| Duration::try_from(time).ok());
    read.filter(|time| !time.is_zero()).ok_or_else(wrong)
}

fn written(
    context: &Context,
    verdicts: &[Verdict],
    format: Format,
    shape: Shape,
) -> Result<u8, Fault> {
    match (format, shape, verdicts) {
        (Format::Json, Shape::One, [verdict]) => output::json(verdict)?,
        (Format::Json, ..) => output::json(&verdicts)?,
        (Format::Ndjson, Shape::One, [verdict]) => output::ndjson(verdict)?,
        (Format::Ndjson, ..) => {}
        (Format::Human, ..) => {
            let texts: Vec<_> = verdicts
                .iter()
                .map(|verdict| human::verdict(verdict, context.colours))
                .collect();
            output::data(&texts.join("\n"))?;
        }
        (Format::Nagios, ..) => {
            output::text(&nagios::several(verdicts))?;
        }
    }
    Ok(State::worst(verdicts.iter().map(Verdict::state)).exit_code())
}

/// Whether a connection's key or token is in the vault.
pub fn needs_vault(connection: &Connection) -> bool {
    let in_vault = |reference: &Option<SecretRef>| matches!(reference, Some(SecretRef::Vault(_)));
    in_vault(&connection.key) || in_vault(&connection.token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_in_the_place_of_a_name_is_told_where_it_belongs() {
        let hint = |given: &str| no_name(Fault::usage("there is none"), given).hint;
        assert!(hint("http://shop.example").unwrap().contains("--url URL"));
        assert_eq!(hint("shop"), None);
        let told = no_name(Fault::usage("x"), "https://shop:hunter2@e.example/x").to_string();
        assert!(
            !told.contains("hunter2") && told.contains("e.example"),
            "{told}"
        );
    }

    #[test]
    fn a_bare_number_is_seconds() {
        for text in ["90", "90s", "1m30s"] {
            assert_eq!(duration(text).unwrap(), Duration::from_secs(90), "{text}");
        }
        assert_eq!(duration("500ms").unwrap(), Duration::from_millis(500));
        for text in ["0", "-1", "soon", ""] {
            let said = duration(text).unwrap_err().text();
            assert!(said.contains("write 90, 500ms, 10s"), "{said}");
        }
        assert!(positive("30", span::read, "500ms").is_err());
    }
}
