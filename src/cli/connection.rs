//! `switchboard connection`: list, show, add, edit, rename, clone, remove; what travels is in `transfer`.

mod agreement;
mod entered;
mod fields;
pub mod unset;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::arguments::{AddArguments, ConnectionCommand, DataFormat, EditArguments};
use super::context::Context;
use super::fault::Fault;
use super::output;
use super::{secret, sources, transfer};
use crate::domain::budget::LiftedPause;
use crate::domain::endpoint::redacted;
use crate::domain::text::{inert, shell_word};
use crate::domain::verdict::whole_seconds;
use crate::domain::{Connection, Name, Reason, SecretRef, Window, shape};
use crate::store::StoreKind;
use crate::store::files::shown;
use crate::work::{ConnectionEdit, Edit};

pub(super) use entered::tell_odd_url;
pub(super) use fields::cms;

/// Longest value of a field that is shown to people, characters; JSON has it whole.
const LONGEST: usize = 2_000;

/// Runs the command.
pub async fn run(context: &Context, command: ConnectionCommand) -> Result<u8, Fault> {
    match command {
        ConnectionCommand::List { format } => list(context, format).await,
        ConnectionCommand::Show { name, format } => show(context, &name, format).await,
        ConnectionCommand::Add(arguments) => add(context, *arguments).await,
        ConnectionCommand::Edit(arguments) => edit(context, *arguments).await,
        ConnectionCommand::Rename { name, new } => {
            context.core.rename(&parsed(&name)?, &parsed(&new)?).await?;
            Ok(0)
        }
        ConnectionCommand::Clone { name, new } => {
            context
                .core
                .duplicate(&parsed(&name)?, &parsed(&new)?)
                .await?;
            Ok(0)
        }
        ConnectionCommand::Resume { name } => resume(context, &name).await,
        ConnectionCommand::Accept { name } => accept(context, &name).await,
        ConnectionCommand::Remove { name, yes } => remove(context, &name, yes).await,
        ConnectionCommand::Import(arguments) => transfer::import(context, *arguments).await,
        ConnectionCommand::Export(arguments) => transfer::export(context, *arguments).await,
        ConnectionCommand::Apply(arguments) => transfer::apply(context, arguments).await,
    }
}

/// A connection's name.
pub fn parsed(name: &str) -> Result<Name, Fault> {
    Name::parse(name).map_err(Fault::of)
}

/// A connection in JSON: references, never values.
#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    service: &'a str,
    url: String,
    username: Cow<'a, str>,
    key: Option<String>,
    token: Option<String>,
    tags: &'a [String],
    cms: Option<&'a str>,
    cms_url: Option<String>,
    auth: &'static str,
    family: &'static str,
    interval_s: Option<u32>,
    timeout_s: Option<u32>,
    proxy: Option<String>,
    ca_file: Option<String>,
    client_cert: Option<String>,
    client_key: Option<String>,
    allow_http: bool,
    read_only: bool,
    company: Option<&'a str>,
    added: BTreeMap<&'a str, String>,
    note: &'a str,
    paused: bool,
    maintenance: Vec<String>,
}

impl<'a> From<&'a Connection> for Shown<'a> {
    fn from(connection: &'a Connection) -> Self {
        Self {
            name: connection.name.as_str(),
            service: connection.service.as_str(),
            url: redacted(&connection.url),
            username: shape::shown_username(&connection.username),
            key: connection.key.as_ref().map(SecretRef::to_string),
            token: connection.token.as_ref().map(SecretRef::to_string),
            tags: &connection.tags,
            cms: connection.cms.as_deref(),
            cms_url: connection.cms_url.as_deref().map(redacted),
            auth: connection.auth.word(),
            family: connection.family.word(),
            interval_s: connection.interval_s,
            timeout_s: connection.timeout_s,
            proxy: connection.proxy.as_deref().map(masked),
            ca_file: connection.ca_file.as_deref().map(shown),
            client_cert: connection.client_cert.as_deref().map(shown),
            client_key: connection.client_key.as_deref().map(shown),
            allow_http: connection.allow_http,
            read_only: connection.read_only,
            company: connection.company.as_deref(),
            added: connection
                .added
                .iter()
                .map(|(label, reference)| (label.as_str(), reference.to_string()))
                .collect(),
            note: &connection.note,
            paused: connection.paused,
            maintenance: connection
                .maintenance
                .iter()
                .map(Window::to_string)
                .collect(),
        }
    }
}

/// A proxy without the user name and password that somebody wrote into it by hand.
fn masked(proxy: &str) -> String {
    let (scheme, rest) = proxy.split_once("://").unwrap_or(("http", proxy));
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://••••@{host}"),
        None => proxy.to_owned(),
    }
}

async fn list(context: &Context, format: DataFormat) -> Result<u8, Fault> {
    let connections = context.core.connections().await?;
    if let Some(lost) = context.core.lost_configuration() {
        output::say(&lost);
    }
    match format {
        DataFormat::Json => output::json(
            &connections
                .iter()
                .map(|one| Shown::from(&**one))
                .collect::<Vec<_>>(),
        )?,
        DataFormat::Ndjson => {
            for connection in &connections {
                output::ndjson(&Shown::from(&**connection))?;
            }
        }
        DataFormat::Human => {
            if connections.is_empty() {
                output::say(
                    "no connection is saved yet: switchboard connection add NAME --service S --url U",
                );
            }
            let width = |of: fn(&Connection) -> usize| {
                connections.iter().map(|one| of(one)).max().unwrap_or(0)
            };
            let names = width(|connection| connection.name.as_str().width());
            let services = width(|connection| connection.service.as_str().len());
            for connection in &connections {
                let Connection {
                    name,
                    service,
                    url,
                    paused,
                    ..
                } = &**connection;
                let url = redacted(url);
                let paused = if *paused { "  paused" } else { "" };
                let gap = names.saturating_sub(name.as_str().width()) + 2;
                output::text(&format!(
                    "{name}{:gap$}{service:services$}  {url}{paused}\n",
                    ""
                ))?;
            }
        }
    }
    Ok(0)
}

async fn show(context: &Context, name: &str, format: DataFormat) -> Result<u8, Fault> {
    let connection = context.core.connection(&parsed(name)?).await?;
    let shown = Shown::from(&connection);
    match format {
        DataFormat::Json => output::json(&shown)?,
        DataFormat::Ndjson => output::ndjson(&shown)?,
        DataFormat::Human => {
            let value = serde_json::to_value(&shown)
                .map_err(std::io::Error::from)
                .map_err(output::OutputProblem)?;
            for (field, value) in value.as_object().into_iter().flatten() {
                let text = match value {
                    serde_json::Value::String(text) if text.is_empty() => "–".to_owned(),
                    serde_json::Value::String(text) => text.clone(),
                    serde_json::Value::Null => "–".to_owned(),
                    serde_json::Value::Array(all) => words(all),
                    serde_json::Value::Object(all) => pairs(all),
                    other => other.to_string(),
                };
                let line = inert(&text, LONGEST);
                output::text(&format!("{field:11} {line}\n"))?;
            }
        }
    }
    Ok(0)
}

/// A list as people read it.
fn words(all: &[serde_json::Value]) -> String {
    let words: Vec<_> = all.iter().filter_map(serde_json::Value::as_str).collect();
    if words.is_empty() {
        "–".to_owned()
    } else {
        words.join(", ")
    }
}

/// Labels with what stands behind them, as people read it.
fn pairs(all: &serde_json::Map<String, serde_json::Value>) -> String {
    let pair = |(label, value): (&String, &serde_json::Value)| {
        format!("{label}: {}", value.as_str().unwrap_or_default())
    };
    let pairs: Vec<_> = all.iter().map(pair).collect();
    if pairs.is_empty() {
        "–".to_owned()
    } else {
        pairs.join(", ")
    }
}

async fn add(context: &Context, arguments: AddArguments) -> Result<u8, Fault> {
    let name = parsed(&arguments.name)?;
    let service = context.service(&arguments.service).await?;
    let mut connection = Connection::new(name, service, arguments.url.trim());
    entered::check_url(context, &connection).await?;
    let (key, token) = fields::put(context, &mut connection, None, &arguments.fields).await?;
    save(
        context,
        connection,
        None,
        (key, token),
        arguments.fields.store.as_deref(),
    )
    .await
}

async fn edit(context: &Context, arguments: EditArguments) -> Result<u8, Fault> {
    unset::refuse_given(&arguments)?;
    let name = parsed(&arguments.name)?;
    let before = context.core.connection(&name).await?;
    let mut connection = before.clone();
    if let Some(service) = &arguments.service {
        connection.service = context.service(service).await?;
    }
    if let Some(url) = &arguments.url {
        url.trim().clone_into(&mut connection.url);
        entered::check_url(context, &connection).await?;
    }
    connection.allow_http &= !arguments.no_allow_http;
    connection.read_only &= !arguments.no_read_only;
    connection.paused &= !arguments.unpause;
    let mut edits = (Edit::Keep, Edit::Keep);
    for field in &arguments.unset {
        unset::field(&mut connection, &mut edits, *field);
    }
    let replaced = Some(&before);
    let (key, token) = fields::put(context, &mut connection, replaced, &arguments.fields).await?;
    fields::change_tags(&mut connection, &arguments.remove_tag, &arguments.add_tag)?;
    let kept = |given: Edit, unset: Edit| if given == Edit::Keep { unset } else { given };
    let edits = (kept(key, edits.0), kept(token, edits.1));
    let agreed = agreement::given(&connection, arguments.send_key_to.as_deref())?;
    if connection == before && edits == (Edit::Keep, Edit::Keep) && !agreed {
        output::say(&format!("nothing of {name} is different from before"));
    }
    let gone = fields::gone(&before, &connection, &arguments.fields);
    let code = save(
        context,
        connection,
        Some((before, agreed)),
        edits,
        arguments.fields.store.as_deref(),
    )
    .await?;
    for line in &gone {
        output::say(line);
    }
    Ok(code)
}

async fn save(
    context: &Context,
    connection: Connection,
    replaces: Option<(Connection, bool)>,
    (key, token): (Edit, Edit),
    store: Option<&str>,
) -> Result<u8, Fault> {
    let store = store.and_then(StoreKind::from_word);
    if let Some((before, agreed)) = &replaces {
        let stays = |edit: &Edit, after: bool| *edit == Edit::Keep && after;
        let key = stays(&key, before.key == connection.key);
        let token = stays(&token, before.token == connection.token);
        // What was agreed to is written beside the value.
        if !(key && token) || *agreed {
            context.open_vault_of(before).await?;
        }
    }
    context.core.sweep().await;
    let (replaces, origin_confirmed) = replaces.unzip();
    let agreed = origin_confirmed == Some(true);
    let draft = ConnectionEdit {
        origin_confirmed: origin_confirmed.unwrap_or(false),
        copies: None,
        key,
        token,
        replaces: replaces.as_ref().map(|before| before.name.clone()),
        // What another program changes in other fields meanwhile stays.
        opened: replaces.map(Box::new),
        store,
        ..ConnectionEdit::new(connection)
    };
    let saved = context
        .with_vault(async || context.core.save(draft.clone()).await)
        .await?;
    secret::tell(context, &saved.left_behind).await;
    if let Some(before) = &draft.opened {
        secret::tell_parted(context, before, &saved.connection).await;
    }
    secret::tell_sent(context, &saved.connection, &draft.key).await;
    if agreed {
        agreement::is_written(context, &saved.connection).await?;
    }
    Ok(0)
}

/// Lifts the pause of a connection's key; says whether there was one.
async fn resume(context: &Context, name: &str) -> Result<u8, Fault> {
    let name = parsed(name)?;
    let lift = async || context.core.resume(&name).await;
    let lifted = context.with_vault(lift).await?;
    let quiet = context.core.quiet_until(&name).await.map(whole_seconds);
    let what = lifted.map(|lifted| match lifted {
        LiftedPause::OfKey => "the key's pause is lifted",
        LiftedPause::OfAllKeys => {
            "the host had refused keys five times: the pause of all keys there is lifted, this one and others"
        }
    });
    output::say(&match (what, quiet) {
        (Some(what), None) => format!("{what}: the next probe sends it again"),
        (Some(what), Some(until)) => format!("{what}; the host asked for quiet until {until}"),
        (None, None) => "the key was not paused".to_owned(),
        (None, Some(until)) => format!(
            "the host asked for quiet until {until}: no key is sent before, and there is no pause to lift"
        ),
    });
    Ok(0)
}

/// Forgets which account was pinned. Which one is meant by the settings, or by the URL, stays: after `wrong-company`
/// nothing would be accepted by it.
async fn accept(context: &Context, name: &str) -> Result<u8, Fault> {
    let name = parsed(name)?;
    let standings = context.core.standings().await?;
    if standings.get(&name).map(|standing| standing.reason) == Some(Reason::WrongCompany) {
        let fault = format!(
            "when it was probed last, {name} reached another company than its settings or its URL said: nothing was changed"
        );
        let word = shell_word(name.as_str());
        return Err(Fault::usage(fault).hint(format!(
            "if that company is meant: switchboard connection edit {word} --company ID; `switchboard probe {word}` shows its ID"
        )));
    }
    output::say(if context.core.accept_identity(&name).await? {
        "the account that the next probe finds is the one that is meant from now on"
    } else {
        "no account was pinned yet: the next probe pins the one that it finds"
    });
    Ok(0)
}

async fn remove(context: &Context, name: &str, yes: bool) -> Result<u8, Fault> {
    let name = parsed(name)?;
    let connection = context.core.connection(&name).await?;
    let question = format!("Remove {name} and the secrets kept here for it alone? [y/N]");
    if !yes && !says_yes(&question)? {
        return Err(Fault::usage("nothing was removed"));
    }
    context.open_vault_of(&connection).await?;
    secret::tell(context, &context.core.remove(&name).await?).await;
    output::say(&format!("{name} is removed"));
    Ok(0)
}

/// Whether the person says yes to what removes something.
pub(super) fn says_yes(question: &str) -> Result<bool, Fault> {
    if !sources::somebody_is_there() {
        return Err(
            Fault::usage("removing asks first, and nobody can be asked here").hint("give --yes"),
        );
    }
    output::say(question);
    let answer = sources::typed_line()?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxys_password_is_not_shown() {
        assert_eq!(
            masked("http://u:ge@heim@proxy:3128"),
            "http://••••@proxy:3128"
        );
        assert_eq!(masked("u:geheim@proxy:3128"), "http://••••@proxy:3128");
        assert_eq!(masked("socks5://proxy:1080"), "socks5://proxy:1080");
    }
}
