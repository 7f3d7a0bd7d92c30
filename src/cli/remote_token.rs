//! `switchboard token …` for the tokens behind a Connect connection.

mod list;
mod permissions;
mod renewal;
mod usage;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::arguments::DataFormat;
use super::arguments::token::{
    CreateArguments, Destructive, EditArguments, RemoteTokenCommand, Which,
};
use super::connection::parsed;
use super::context::Context;
use super::fault::Fault;
use super::output::{self, tokens as shown};
use super::sources::{self, somebody_is_there};
use crate::domain::shape::is_token_id;
use crate::domain::text::{inert, shell_word};
use crate::domain::token::{USUAL_END, parse_expiry};
use crate::domain::{Handle, Name, PassphrasePurpose, ServiceId, error_chain};
use crate::tokens::{NewToken, Status, Token, TokenEdit};
use crate::work::WorkError;
use crate::work::tokens::{Account, Difference, Edited, Guard, TokenError, WholeToken, difference};

/// Runs the command.
pub async fn run(context: &Context, command: RemoteTokenCommand) -> Result<u8, Fault> {
    match command {
        RemoteTokenCommand::List(arguments) => list::run(context, &arguments).await,
        RemoteTokenCommand::Show { which } => {
            let account = account(context, &which.name).await?;
            let token = modules_told(account.whole_token(&which.id).await?);
            written(which.format, &token, || {
                shown::details(&token, account.own_id())
            })
        }
        RemoteTokenCommand::Create(arguments) => create(context, *arguments).await,
        RemoteTokenCommand::Edit(arguments) => edit(context, *arguments).await,
        RemoteTokenCommand::Enable { which, .. } => {
            let account = account(context, &which.name).await?;
            account.enable(&which.id).await?;
            changed(&account, &which).await
        }
        RemoteTokenCommand::Disable(arguments) => {
            let account = account(context, &arguments.which.name).await?;
            let guard = asked(&account, "disable", &arguments).await?;
            account.disable(&arguments.which.id, guard).await?;
            changed(&account, &arguments.which).await
        }
        RemoteTokenCommand::Delete(arguments) => {
            let account = account(context, &arguments.which.name).await?;
            let guard = asked(&account, "delete", &arguments).await?;
            account.delete(&arguments.which.id, guard).await?;
            output::say(&format!("{} is deleted", inert(&arguments.which.id, 128)));
            let done = json!({ "id": arguments.which.id, "status": "deleted" });
            written(arguments.which.format, &done, String::new)
        }
        RemoteTokenCommand::Renew(arguments) => renewal::renew(context, arguments).await,
        RemoteTokenCommand::Rotate(arguments) => renewal::rotate(context, arguments).await,
        RemoteTokenCommand::Permissions {
            which,
            grant,
            revoke,
            even_in_use,
        } => {
            let guard = guard(even_in_use);
            permissions::run(context, &which, Difference { grant, revoke }, guard).await
        }
        RemoteTokenCommand::Usage { which } => usage::run(context, &which).await,
    }
}

/// The id of the token at the service that `id` names, as the service writes it; nothing where it names a handle that is
/// kept here.
pub async fn remote_id(
    context: &Context,
    name: &str,
    id: Option<&str>,
) -> Result<Option<String>, Fault> {
    let written = id.map(str::to_ascii_uppercase);
    let Some(written) = written.filter(|id| is_token_id(id)) else {
        return Ok(None);
    };
    let connection = context.core.connection(&parsed(name)?).await?;
    let mut kept = connection.added.iter();
    let is_kept = kept.any(|(label, _)| Some(label.as_str()) == id);
    Ok((!is_kept).then_some(written))
}

/// The handle of a token at the service, to reveal or copy.
pub async fn handle(context: &Context, name: &str, id: &str) -> Result<Handle, Fault> {
    let token = account(context, name).await?.token(id).await?;
    token.full_handle().ok_or_else(|| {
        Fault::usage(format!(
            "the service does not show the secret of {}",
            inert(id, 60)
        ))
    })
}

/// Goes on with renewals of these connections' keys that were begun and not ended: the probe that follows
/// shall see the secret that will stay. A new secret may need the vault though the connection's key, the old one, does
/// not: then that is opened, and these are gone on with again.
pub async fn go_on(context: &Context, names: &[Name]) {
    // Of others there is no renewal.
    let connections = context.core.connections().await.unwrap_or_default();
    let mut accounts = connections
        .iter()
        .filter(|one| one.service == ServiceId::connect());
    if !accounts.any(|one| names.contains(&one.name)) {
        return;
    }
    let ended = match context.core.resume_renewals_of(names).await {
        Ok(ended) => ended,
        Err(problem) => {
            return output::say(&format!(
                "switchboard: whether a renewal was left unfinished can't be read: {}",
                error_chain(&problem)
            ));
        }
    };
    let needed = |ended: &Result<_, TokenError>| match ended {
        Err(TokenError::Work(WorkError::PassphraseNeeded(what))) => Some(*what),
        _ => None,
    };
    let mut waiting = ended.iter();
    let waiting = waiting.find_map(|(unfinished, ended)| Some((&unfinished.id, needed(ended)?)));
    let vault = match waiting {
        Some((id, what @ PassphrasePurpose::Open)) => {
            if somebody_is_there()
                && !sources::passphrase_is_given(&context.environment, &context.global)
            {
                output::say(&format!(
                    "{id}, begun earlier: its new secret needs the vault"
                ));
            }
            context.open_or_make(what).await
        }
        // It was there when the renewal began, and may come back.
        Some((_, PassphrasePurpose::Create)) => Err(Fault::usage(
            "the vault that it belongs in is missing: put its folder back",
        )),
        None => Ok(()),
    };
    for (unfinished, mut ended) in ended {
        let needs_vault = needed(&ended).is_some();
        if needs_vault && vault.is_ok() {
            ended = Box::pin(context.core.resume_renewal_aside(&unfinished)).await;
        }
        let id = unfinished.id;
        let Err(problem) = ended.map_err(Fault::from) else {
            output::say(&format!(
                "the new secret of {id} that was asked for earlier is in use"
            ));
            continue;
        };
        let fault = match &vault {
            Err(fault) if needs_vault => fault,
            _ => &problem,
        };
        let hint = fault.hint.as_ref();
        let hint = hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
        output::say(&format!("{id}, begun earlier: {}{hint}", fault.text()));
    }
}

/// The account of a connection, with the vault open where it is needed.
pub(super) async fn account(context: &Context, name: &str) -> Result<Account, Fault> {
    let name = parsed(name)?;
    // A renewal looks into every connection of the same service.
    let connections = context.core.connections().await?;
    let names: Vec<_> = connections
        .into_iter()
        .filter(|other| other.service == ServiceId::connect() || other.name == name)
        .map(|other| other.name.clone())
        .collect();
    // (The others' only where they hold the token: that is asked of the vault, not of the person.)
    context.ask_for(std::slice::from_ref(&name)).await?;
    context.open_vault_for(&names).await?;
    Ok(context.core.account(&name).await?)
}

fn written(
    format: DataFormat,
    object: &impl Serialize,
    human: impl FnOnce() -> String,
) -> Result<u8, Fault> {
    match format {
        DataFormat::Json => output::json(object)?,
        DataFormat::Ndjson => output::ndjson(object)?,
        DataFormat::Human => output::text(&human())?,
    }
    Ok(0)
}

/// The token, after it was said of its modules that they could not be read, where that is so.
fn modules_told(whole: WholeToken) -> Token {
    if let Some(problem) = whole.unread {
        let why = error_chain(&problem);
        output::say(&format!("its modules could not be read: {why}"));
    }
    whole.token
}

/// The token as it is after a change: the answers to changes need not be whole.
async fn changed(account: &Account, which: &Which) -> Result<u8, Fault> {
    let token = match account.whole_token(&which.id).await {
        Ok(whole) => modules_told(whole),
        // A key that was just switched off can't look any more; what was asked for is done.
        Err(problem) => {
            output::say(&format!(
                "done; it can't be shown: {}",
                error_chain(&problem)
            ));
            return Ok(0);
        }
    };
    written(which.format, &token, || {
        shown::details(&token, account.own_id())
    })
}

const fn guard(even_in_use: bool) -> Guard {
    if even_in_use {
        Guard::Lifted
    } else {
        Guard::On
    }
}

/// Asks for the label, and warns where connections run on the token.
async fn asked(account: &Account, doing: &str, arguments: &Destructive) -> Result<Guard, Fault> {
    let guard = guard(arguments.even_in_use);
    if !arguments.yes {
        confirmed(account, doing, &arguments.which.id).await?;
    }
    Ok(guard)
}

/// Has the label typed; an error where it was not, or nobody is there.
async fn confirmed(account: &Account, doing: &str, id: &str) -> Result<(), Fault> {
    if !super::sources::somebody_is_there() {
        return Err(Fault::usage(format!(
            "to {doing} a token its label is asked for, and nobody can be asked here"
        ))
        .hint("give --yes"));
    }
    let token = account.token(id).await?;
    let label = token.name.unwrap_or_else(|| id.to_owned());
    if id.eq_ignore_ascii_case(account.own_id()) {
        let name = account.name();
        output::say(&format!(
            "Warning: this is the key that {name} itself runs on."
        ));
    }
    output::say(&format!("To {doing} it, type its label: {label}"));
    let typed = super::sources::typed_line()?;
    if typed.trim() == label.trim() {
        return Ok(());
    }
    Err(Fault::usage("that is not its label; nothing was changed"))
}

/// An empty name would go to the service, and some take it.
fn refuse_nameless(label: &str) -> Result<(), Fault> {
    if label.trim().is_empty() {
        return Err(Fault::usage("a token needs a name"));
    }
    Ok(())
}

async fn create(context: &Context, arguments: CreateArguments) -> Result<u8, Fault> {
    refuse_nameless(&arguments.name)?;
    let expires = arguments.expires.as_deref().unwrap_or(USUAL_END);
    let expires = date(expires)?;
    let account = account(context, &arguments.connection).await?;
    let new = NewToken {
        name: arguments.name,
        extension: arguments.extension,
        external_id: arguments.external_id,
        description: arguments.description,
        owner: None,
        expires,
    };
    let created = account.create(&new, &arguments.modules).await?;
    let id = created.id;
    // The answer to the creation knows nothing of the modules.
    let token = match account.whole_token(&id).await {
        Ok(whole) => modules_told(whole),
        Err(_) => created.token,
    };
    // Whatever became of the modules, the token exists: whoever asked for it gets its id.
    let code = written(arguments.format, &token, || {
        shown::details(&token, account.own_id())
    })?;
    let [name, word] = [account.name().as_str(), &id].map(shell_word);
    if arguments.expires.is_none() {
        output::say(&format!(
            "{id} ends in {USUAL_END}, as nothing was said: --expires DATE or never says it"
        ));
    }
    if token.status == Status::Pending {
        output::say(&format!(
            "{id} is not in force yet: switchboard token enable {name} {word}"
        ));
    }
    let Some(problem) = created.problem else {
        return Ok(code);
    };
    let missing: Vec<_> = created.missing.iter().map(|id| shell_word(id)).collect();
    let missing = missing.join(" --grant ");
    let is_not = match problem {
        TokenError::Uncertain { .. } => "may not be",
        _ => "was not",
    };
    output::say(&format!(
        "{id} exists now, and {is_not} let into all modules; to try again:\n\
         switchboard token permissions {name} {word} --grant {missing}\n\
         to take it away: switchboard token delete {name} {word}"
    ));
    Err(problem.into())
}

async fn edit(context: &Context, arguments: EditArguments) -> Result<u8, Fault> {
    let which = &arguments.which;
    if let Some(label) = &arguments.label {
        refuse_nameless(label)?;
    }
    let account = account(context, &which.name).await?;
    let changes = TokenEdit {
        name: arguments.label,
        external_id: arguments.external_id,
        description: arguments.description,
    };
    let modules = if arguments.modules.is_empty() {
        Difference::default()
    } else {
        // What the token's own answer says of its modules need not be there.
        let held = account.permissions(&which.id).await?;
        difference(
            held.iter().filter_map(|held| held.module.as_deref()),
            arguments.modules.iter().map(String::as_str),
        )
    };
    if changes.is_empty() && modules.is_empty() {
        return changed(&account, which).await;
    }
    tell(&modules);
    let guard = guard(arguments.even_in_use);
    let edited = account.edit(&which.id, &changes, modules, guard).await?;
    finished(edited)?;
    changed(&account, which).await
}

fn tell(modules: &Difference) {
    for module in &modules.grant {
        output::say(&format!("+ {}", inert(module, 40)));
    }
    for module in &modules.revoke {
        output::say(&format!("- {}", inert(module, 40)));
    }
}

fn finished(edited: Edited) -> Result<(), Fault> {
    let Some(problem) = edited.problem else {
        return Ok(());
    };
    output::say(match problem {
        TokenError::Uncertain { .. } => "not all is known to be done; what may be left:",
        _ => "not all was done; what is left:",
    });
    tell(&edited.left);
    Err(problem.into())
}

/// A date, a time from now such as `90d`, or `never`, as the service reads it.
fn date(text: &str) -> Result<Option<String>, Fault> {
    parse_expiry(text, Timestamp::now())
        .map_err(|problem| Fault::step(format!("{:?}", inert(text, 40)), problem))
}

impl From<TokenError> for Fault {
    fn from(error: TokenError) -> Self {
        let code = error.exit_code();
        let hint = match &error {
            TokenError::KeyInUse {
                doing: "taking modules from",
                ..
            } => Some("give --even-in-use if that is meant".to_owned()),
            TokenError::KeyInUse { .. } => {
                Some("give --even-in-use if that is meant, or renew it: that keeps both".to_owned())
            }
            TokenError::Uncertain { name, which, .. } => {
                // The list leaves out what is deleted.
                let words = if is_token_id(which) {
                    ["show", name.as_str(), which].to_vec()
                } else {
                    ["list", name.as_str(), "--filter", which].to_vec()
                };
                let words = shell_words::join(words);
                Some(format!("switchboard token {words} shows it"))
            }
            TokenError::ReadOnly(name) => Some(format!(
                "switchboard connection edit {} --no-read-only changes that",
                shell_word(name.as_str())
            )),
            _ => None,
        };
        match error {
            // These commands take no --store.
            TokenError::Work(WorkError::StoreNeeded(offers)) => {
                Self::from(WorkError::StoreNeeded(Vec::new())).hint(super::fault::settings(&offers))
            }
            TokenError::Work(error) => error.into(),
            error => {
                let fault = Self::of(error).code(code);
                match hint {
                    Some(hint) => fault.hint(hint),
                    None => fault,
                }
            }
        }
    }
}

/// A token with the connection that it was listed through: one flat object.
#[derive(Serialize)]
pub(super) struct Through<'a> {
    pub(super) connection: &'a str,
    #[serde(flatten)]
    pub(super) token: &'a Token,
}
