//! `switchboard token`: generate, verify, reveal and copy what is held here.

use std::io::IsTerminal;
use std::time::Duration;

use super::arguments::{Format, TokenCommand, VerifyArguments};
use super::connection::parsed;
use super::context::Context;
use super::fault::Fault;
use super::output::{self, human, nagios, reveal};
use super::signals::{self, Signals};
use super::{probe, remote_token, sources};
use crate::clipboard::{BY_HAND, Certainty, Life};
use crate::domain::text::{harmless, shell_word};
use crate::domain::{Connection, CopyForm, HandleSlot, Name, Secret, ServiceId};
use crate::service::{Service, verify};
use crate::work::{shared_token, silent};

/// Runs the command.
pub async fn run(context: &Context, command: TokenCommand) -> Result<u8, Fault> {
    match command {
        TokenCommand::Generate => generate(context).await,
        TokenCommand::Verify(arguments) => verify(context, *arguments).await,
        TokenCommand::Remote(command) => remote_token::run(context, command).await,
        TokenCommand::Reveal { name, id } => {
            let remote = remote_token::remote_id(context, &name, id.as_deref()).await?;
            let handle = if let Some(id) = remote {
                remote_token::handle(context, &name, &id).await?
            } else {
                let (name, slot) = which(context, &name, id.as_deref()).await?;
                context
                    .with_vault(async || context.core.handle(&name, &slot).await)
                    .await?
            };
            reveal::secret(handle.secret(), std::io::stdout().is_terminal())?;
            Ok(0)
        }
        TokenCommand::Copy { name, id } => copy(context, &name, id.as_deref()).await,
    }
}

async fn generate(context: &Context) -> Result<u8, Fault> {
    let token = shared_token::generate()?;
    reveal::secret(&token, std::io::stdout().is_terminal())?;
    let catalog = context.core.catalog().await?;
    let blesta = catalog.get(&ServiceId::blesta());
    for line in blesta.map(Service::token_places).unwrap_or_default() {
        output::say(&line);
    }
    Ok(0)
}

/// The handle that `id` names: the key where nothing is said.
pub(super) async fn which(
    context: &Context,
    name: &str,
    id: Option<&str>,
) -> Result<(Name, HandleSlot), Fault> {
    let name = parsed(name)?;
    let connection = context.core.connection(&name).await?;
    let slot = match id {
        None | Some("key") => HandleSlot::Key,
        Some("token") => HandleSlot::Token,
        Some(label) => {
            let slot = HandleSlot::Added(label.to_owned());
            if !connection.added.iter().any(|(added, _)| added == label) {
                return Err(Fault::usage(format!("{name} has no {slot}")));
            }
            slot
        }
    };
    Ok((name, slot))
}

async fn copy(context: &Context, name: &str, id: Option<&str>) -> Result<u8, Fault> {
    let remote = remote_token::remote_id(context, name, id).await?;
    let mut placed = if let Some(id) = remote {
        let handle = remote_token::handle(context, name, &id).await?;
        let copied = context.core.copy_secret(handle.secret(), Life::Outlive);
        copied.await?
    } else {
        let (name, slot) = which(context, name, id).await?;
        let copy = async || {
            context
                .core
                .copy(&name, &slot, CopyForm::Handle, Life::Outlive)
                .await
        };
        context.with_vault(copy).await?
    };
    if let Some(bytes) = placed.terminal_bytes.take() {
        if !std::io::stdout().is_terminal() {
            return Err(Fault::usage(
                "the way to the clipboard is the terminal, and stdout is none",
            ));
        }
        output::raw(bytes.as_bytes())?;
    }
    // Here is nothing to be selected.
    let words = [Some(name), id].into_iter().flatten();
    let words: Vec<_> = words.map(shell_word).collect();
    let shows = format!("switchboard token reveal {} shows it", words.join(" "));
    output::say(&placed.words.replace(BY_HAND, &shows));
    stay(context, placed.clear_after).await?;
    Ok(if placed.certainty == Certainty::Shown {
        super::fault::OURS
    } else {
        0
    })
}

/// Where the copy can be taken back only by this program, it stays until then, or until it is interrupted.
async fn stay(context: &Context, clear_after: Option<Duration>) -> Result<(), Fault> {
    let Some(lifetime) = clear_after else {
        return Ok(());
    };
    let clears = format!("it is cleared in {} s", lifetime.as_secs());
    if !context.core.clipboard_needs_program().await {
        output::say(&clears);
        return Ok(());
    }
    output::say(&format!("{clears}; Ctrl-C clears it now"));
    let mut signals = Signals::listen(signals::ALL)?;
    signals::are_its_own();
    tokio::select! {
        () = tokio::time::sleep(lifetime) => {}
        () = context.core.clipboard_replaced() => {}
        _ = signals.next() => {}
    }
    if let Some(bytes) = context
        .core
        .clear_clipboard()
        .await
        .and_then(|cleared| cleared.terminal_bytes)
    {
        output::raw(bytes.as_bytes())?;
    }
    Ok(())
}

async fn verify(context: &Context, arguments: VerifyArguments) -> Result<u8, Fault> {
    let (verdict, token_is_set) = if let Some(name) = &arguments.name {
        let VerifyArguments { token, way, .. } = &arguments;
        let mut options = probe::of_secrets(token, arguments.cms.as_deref(), way).to_vec();
        options.extend(probe::of_way(way));
        probe::refuse_given(&options, "--cms-url", true)?;
        let name = parsed(name)?;
        context.have_keys_of(std::slice::from_ref(&name)).await?;
        let connection = context.core.connection(&name).await?;
        let verdict = context.core.verify_saved(&name, &silent).await;
        (verdict, connection.token.is_some())
    } else {
        let (connection, token) = given(context, &arguments).await?;
        let token_is_set = token.is_some();
        let verdict = context.core.verify_unsaved(connection, token, &silent);
        (verdict.await, token_is_set)
    };
    match arguments.format {
        Format::Json => output::json(&verdict)?,
        Format::Ndjson => output::ndjson(&verdict)?,
        Format::Nagios => output::text(&nagios::line(&verdict))?,
        Format::Human => {
            for row in verify::rows(&verdict, token_is_set) {
                let lamp = human::lamp(row.state, context.colours);
                let gap = 9_usize.saturating_sub(row.state.word().len());
                let row = harmless(&format!("{:gap$}{:12} {}", "", row.label, row.detail));
                output::data(&format!("{lamp}{row}\n"))?;
            }
            output::data("\n")?;
            output::data(&human::verdict(&verdict, context.colours))?;
        }
    }
    Ok(verdict.state().exit_code())
}

async fn given(
    context: &Context,
    arguments: &VerifyArguments,
) -> Result<(Connection, Option<Secret>), Fault> {
    let (_, token) = sources::pair(
        &context.environment,
        &super::arguments::KeySource::default(),
        &arguments.token,
    )?;
    // A token alone has nowhere to go to: that is a verdict of its own.
    if arguments.cms_url.is_none() && token.is_none() {
        return Err(Fault::usage("whose token is to be verified?")
            .hint("give a NAME, or --cms-url URL with --token-env VAR"));
    }
    let mut connection = Connection::new(parsed("unsaved")?, ServiceId::blesta(), "");
    connection.cms_url.clone_from(&arguments.cms_url);
    let cms = arguments.cms.as_deref().unwrap_or("joomla");
    connection.cms = Some(super::connection::cms(context, cms).await?);
    probe::apply_route(&mut connection, &arguments.way)?;
    Ok((connection, token))
}
