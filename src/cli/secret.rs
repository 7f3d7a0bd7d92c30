//! `switchboard secret`: where each secret is kept, and how well; set, move, lock.

use jiff::Timestamp;
use serde::Serialize;

use super::arguments::secret::ValueSource;
use super::arguments::{AddTokenArguments, DataFormat, SecretCommand, SetArguments};
use super::connection::{parsed, says_yes};
use super::context::Context;
use super::fault::Fault;
use super::{output, recipient, sources, token};
use crate::domain::SecretRef;
use crate::domain::text::inert;
use crate::domain::{Connection, HandleSlot, Secret};
use crate::store::files::shown;
use crate::store::{SecretPlace, StoreKind};
use crate::work::Edit;
use crate::work::moving::LocatedSecret;

/// One secret's place.
#[derive(Serialize)]
pub(super) struct SecretRow {
    connection: String,
    which: String,
    reference: String,
    store: &'static str,
    path: Option<String>,
    mode: Option<String>,
    git_work_tree: Option<String>,
    changed: Option<Timestamp>,
    age_days: Option<i64>,
    shared_by: usize,
    #[serde(skip)]
    is_locked: bool,
    pub(super) findings: Vec<String>,
}

/// Runs the command.
pub async fn run(context: &Context, command: SecretCommand) -> Result<u8, Fault> {
    match command {
        SecretCommand::Where { format } => places(context, format).await,
        SecretCommand::Set(arguments) => set(context, arguments).await,
        SecretCommand::Add(arguments) => add(context, arguments).await,
        SecretCommand::Remove { name, label, yes } => match label {
            Some(label) => remove(context, &name, &label, yes).await,
            None => remove_unused(context, &name, yes).await,
        },
        SecretCommand::Move { name, which, store } => {
            relocate(context, &name, which.as_deref(), &store).await
        }
        SecretCommand::Recipient(command) => recipient::run(context, command).await,
        SecretCommand::Passphrase(arguments) => recipient::passphrase(context, arguments).await,
        SecretCommand::Lock => {
            context.core.call_to_lock().await?;
            output::say(
                "running screens lock at once; what a command has copied goes when its time is over",
            );
            Ok(0)
        }
    }
}

async fn places(context: &Context, format: DataFormat) -> Result<u8, Fault> {
    context.open_vault_if_given().await?;
    let rows = rows(context).await?;
    match format {
        DataFormat::Json => output::json(&rows)?,
        DataFormat::Ndjson => rows.iter().try_for_each(output::ndjson)?,
        DataFormat::Human => {
            if rows.is_empty() {
                output::say("no connection has a key or a token yet");
            }
            for row in &rows {
                output::text(&human(row))?;
            }
        }
    }
    Ok(0)
}

/// Where the secrets of all connections are.
pub(super) async fn rows(context: &Context) -> Result<Vec<SecretRow>, Fault> {
    let now = Timestamp::now();
    let kept = context.core.secret_locations().await?;
    Ok(kept.into_iter().map(|kept| row(kept, now)).collect())
}

fn row(kept: LocatedSecret, now: Timestamp) -> SecretRow {
    let LocatedSecret {
        place: SecretPlace { connection, part },
        reference,
        location,
    } = kept;
    let age = location.changed.map(|since| now.duration_since(since));
    SecretRow {
        connection: connection.to_string(),
        which: part.to_string(),
        reference: inert(&reference.to_string(), 200),
        store: location.kind.word(),
        path: location.path.as_deref().map(shown),
        mode: location.mode.map(|mode| format!("{mode:04o}")),
        git_work_tree: location.git.as_deref().map(shown),
        changed: location.changed,
        age_days: age.map(|age| age.as_hours() / 24),
        shared_by: location.users.len(),
        is_locked: location.is_locked,
        findings: location.findings,
    }
}

/// A row for people.
pub(super) fn human(row: &SecretRow) -> String {
    let mut facts = Vec::new();
    if let (Some(path), Some(mode)) = (&row.path, &row.mode) {
        facts.push(format!("{path} ({mode})"));
    }
    if let Some(git) = &row.git_work_tree {
        facts.push(format!("in the git work tree {git}"));
    }
    match row.age_days {
        Some(days) => facts.push(format!("{days} days old")),
        None if row.is_locked => facts.push("age unknown while the vault is locked".to_owned()),
        None => {}
    }
    if row.shared_by > 1 {
        facts.push(format!("shared by {}", row.shared_by));
    }
    let mut text = format!("{:20} {:10} {}\n", row.connection, row.which, row.reference);
    let facts = facts.join(" · ");
    if !facts.is_empty() {
        text += "    ";
        text += &facts;
        text += "\n";
    }
    for finding in &row.findings {
        text += "    ▲ ";
        text += finding;
        text += "\n";
    }
    text
}

async fn set(context: &Context, arguments: SetArguments) -> Result<u8, Fault> {
    let name = parsed(&arguments.name)?;
    let before = context.core.connection(&name).await?;
    let value = given(context, &arguments.which, &arguments.source)?;
    let slot = if arguments.which == "token" {
        HandleSlot::Token
    } else {
        HandleSlot::Key
    };
    let store = arguments.store.as_deref().and_then(StoreKind::from_word);
    context.open_vault_of(&before).await?;
    context.core.sweep().await;
    let core = &context.core;
    let keep = async || core.set_secret(&name, &slot, value.clone(), store).await;
    let saved = context.with_vault(keep).await?;
    tell(context, &saved.left_behind).await;
    if slot == HandleSlot::Key {
        tell_sent(context, &saved.connection, &Edit::Set(value)).await;
    }
    Ok(0)
}

async fn add(context: &Context, arguments: AddTokenArguments) -> Result<u8, Fault> {
    let name = parsed(&arguments.name)?;
    context.core.connection(&name).await?;
    let value = given(context, "token", &arguments.source)?;
    let store = arguments.store.as_deref().and_then(StoreKind::from_word);
    context.core.sweep().await;
    let (core, label) = (&context.core, &arguments.label);
    let keep = async || core.add_handle(&name, label, value.clone(), store).await;
    context.with_vault(keep).await?;
    Ok(0)
}

async fn remove(context: &Context, name: &str, label: &str, yes: bool) -> Result<u8, Fault> {
    let name = parsed(name)?;
    let connection = context.core.connection(&name).await?;
    let question = format!("Remove the token {} of {name}? [y/N]", inert(label, 60));
    if !yes && !says_yes(&question)? {
        return Err(Fault::usage("nothing was removed"));
    }
    context.open_vault_of(&connection).await?;
    let removed = context.core.remove_handle(&name, label).await?;
    tell(context, &removed.left_behind).await;
    Ok(0)
}

/// Takes out of the vault what no connection uses, as `doctor` names it.
async fn remove_unused(context: &Context, reference: &str, yes: bool) -> Result<u8, Fault> {
    let Ok(SecretRef::Vault(entry)) = reference.parse() else {
        return Err(Fault::usage("which one? a connection's token by its label")
            .hint("switchboard secret remove NAME LABEL; what nobody uses: vault:NAME, as doctor has it"));
    };
    let question = format!("Take {} out for good? [y/N]", inert(reference, 120));
    if !yes && !says_yes(&question)? {
        return Err(Fault::usage("nothing was removed"));
    }
    let core = &context.core;
    let take_out = async || core.remove_unused(entry.clone()).await;
    context.with_vault(take_out).await?;
    Ok(0)
}

fn given(context: &Context, what: &str, source: &ValueSource) -> Result<Secret, Fault> {
    let value = sources::value(&context.environment, what, source)?;
    value.ok_or_else(|| {
        Fault::usage(format!("where does the new {what} come from?")).hint(format!(
            "give --{what}-stdin, --{what}-fd N or --{what}-env VAR"
        ))
    })
}

async fn relocate(
    context: &Context,
    name: &str,
    which: Option<&str>,
    store: &str,
) -> Result<u8, Fault> {
    let (name, slot) = token::which(context, name, which).await?;
    let kind = StoreKind::from_word(store)
        .ok_or_else(|| Fault::usage(format!("no store is called {}", inert(store, 40))))?;
    context.core.sweep().await;
    let saved = context
        .with_vault(async || context.core.move_secret(&name, &slot, kind).await)
        .await?;
    tell(context, &saved.left_behind).await;
    Ok(0)
}

/// Says where a new key is sent otherwise than it was given.
pub(super) async fn tell_sent(context: &Context, connection: &Connection, key: &Edit) {
    if let Edit::Set(key) = key
        && let Some(note) = context.core.sent_otherwise(connection, key).await
    {
        output::say(&note);
    }
}

/// A value that others share stays theirs where one of them has another from now on.
pub(super) async fn tell_parted(context: &Context, before: &Connection, after: &Connection) {
    let Ok(connections) = context.core.connections().await else {
        return;
    };
    for (what, old, new) in [
        ("key", &before.key, &after.key),
        ("token", &before.token, &after.token),
    ] {
        let (Some(old), Some(new)) = (old, new) else {
            continue;
        };
        let refers = |other: &Connection| [&other.key, &other.token].contains(&&Some(old.clone()));
        let others = connections.iter().filter(|other| refers(other)).count();
        if new != old && others > 0 {
            let (name, new, old) = (&after.name, new.to_string(), old.to_string());
            let (new, old) = (inert(&new, 120), inert(&old, 120));
            let noun = if others == 1 { "another" } else { "others" };
            output::say(&format!(
                "{name} has its {what} in {new} now: {old} stays as it is for {noun}"
            ));
        }
    }
}

/// Values that nobody refers to any more, and that are still somewhere.
pub(super) async fn tell(context: &Context, left_behind: &[SecretRef]) {
    if left_behind.is_empty() {
        return;
    }
    let has_vault = context.core.has_vault().await;
    for reference in left_behind {
        let why = match reference {
            SecretRef::File(_) => "still holds the value: delete it, if nothing else reads it",
            SecretRef::Vault(_) if !has_vault => {
                "could not be taken out: the vault is missing, and holds the old value still if it is put back"
            }
            _ => "could not be taken out: it still holds the old value",
        };
        let reference = inert(&reference.to_string(), 120);
        output::say(&format!("{reference} {why}"));
    }
}
