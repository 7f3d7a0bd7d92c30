//! `switchboard token renew` and `rotate`: what is asked before, and what is said afterwards.

use std::io::IsTerminal;

use serde_json::json;

use super::{account, confirmed, date, written};
use crate::cli::arguments::DataFormat;
use crate::cli::arguments::token::RenewArguments;
use crate::cli::context::Context;
use crate::cli::fault::Fault;
use crate::cli::output;
use crate::domain::text::shell_word;
use crate::domain::token::{NotUpdated, RenewalAction, USUAL_END};
use crate::domain::verdict::whole_seconds;
use crate::domain::{Name, PassphrasePurpose};
use crate::tokens::Expiry;
use crate::work::WorkError;
use crate::work::tokens::{Account, Guard, Renewed, TokenError, unheard};

pub(super) async fn renew(context: &Context, arguments: RenewArguments) -> Result<u8, Fault> {
    let which = &arguments.which;
    let account = account(context, &which.name).await?;
    let expires = until(&account, &arguments).await?;
    let (id, expires) = (&which.id, expires.as_deref());
    let renew = async |account: &Account, guard| {
        let renewing = account.renew(id, expires, guard, &unheard);
        Box::pin(renewing).await
    };
    let first = async |account: &Account| renew(account, Guard::On).await;
    let renewed = match with_vault(context, (&account, id), first).await? {
        Err(TokenError::RenewedAlready { id, names }) => {
            output::say(&format!(
                "Warning: {id} was renewed already. The secret that came with that is dead at once, wherever it is \
                 used{}; the first one stays valid until its own end.",
                running_on_it(&names)
            ));
            if !arguments.yes {
                confirmed(&account, "renew", &which.id).await?;
            }
            // The key in hand may have been replaced on the way here.
            let account = context.core.account(account.name()).await?;
            let lifted = async |account: &Account| renew(account, Guard::Lifted).await;
            with_vault(context, (&account, &id), lifted).await?
        }
        other => other,
    };
    ended(&account, which.format, &handed_out(renewed)?)
}

/// Who runs on the secret that a renewal ends.
fn running_on_it(names: &[Name]) -> String {
    let listed: Vec<_> = names.iter().map(Name::to_string).collect();
    let listed = listed.join(", ");
    match names.len() {
        0 => String::new(),
        1 => format!(" ({listed} runs on it, and gets the new one)"),
        _ => format!(" ({listed} run on it, and get the new one)"),
    }
}

pub(super) async fn rotate(context: &Context, arguments: RenewArguments) -> Result<u8, Fault> {
    let which = &arguments.which;
    let account = account(context, &which.name).await?;
    if !arguments.yes {
        confirmed(&account, "rotate", &which.id).await?;
    }
    let expires = until(&account, &arguments).await?;
    let (id, expires) = (&which.id, expires.as_deref());
    let rotate = async |account: &Account, guard| {
        let rotating = account.rotate(id, expires, guard, &unheard);
        Box::pin(rotating).await
    };
    let guarded = async |account: &Account| rotate(account, Guard::On).await;
    let rotated = match with_vault(context, (&account, id), guarded).await? {
        Err(TokenError::KeyInUse { names, .. }) => {
            let names: Vec<_> = names.iter().map(Name::to_string).collect();
            let verb = if names.len() == 1 { "runs" } else { "run" };
            // Of those whose key can't be read the end of the rotation tells.
            if !names.is_empty() {
                output::say(&format!(
                    "Warning: {} {verb} on this key; the new secret is saved for them before anything else.",
                    names.join(", ")
                ));
            }
            let lifted = async |account: &Account| rotate(account, Guard::Lifted).await;
            with_vault(context, (&account, id), lifted).await?
        }
        other => other,
    };
    ended(&account, which.format, &handed_out(rotated)?)
}

/// Renews, and says what was ended before that. A new secret may need the vault also where none of the keys is in it:
/// then that is opened or made, and it is done again. None is made for what an earlier run has begun: the vault was there
/// then, and may come back.
async fn with_vault(
    context: &Context,
    (account, id): (&Account, &str),
    renew: impl AsyncFn(&Account) -> Result<Renewed, TokenError>,
) -> Result<Result<Renewed, TokenError>, Fault> {
    match told_of_earlier(renew(account).await) {
        Err(TokenError::Work(WorkError::PassphraseNeeded(what))) => {
            if what == PassphrasePurpose::Create && account.has_begun(id).await? {
                let why =
                    "the vault that the new secret belongs in is missing: put its folder back";
                return Err(Fault::usage(why));
            }
            context.open_or_make(what).await?;
            // The key in hand may have been replaced on the way here.
            let account = context.core.account(account.name()).await?;
            Ok(told_of_earlier(renew(&account).await))
        }
        done => Ok(done),
    }
}

/// Says what was ended before what was asked for failed, and gives why it did.
fn told_of_earlier(done: Result<Renewed, TokenError>) -> Result<Renewed, TokenError> {
    match done {
        Err(TokenError::EarlierEnded {
            action, problem, ..
        }) => {
            ended_first(action);
            Err(*problem)
        }
        done => done,
    }
}

fn ended_first(earlier: RenewalAction) {
    let earlier = earlier.noun();
    output::say(&format!(
        "a {earlier} that was begun earlier was ended first"
    ));
}

/// A new secret that nothing keeps is given to whoever asked, once.
fn handed_out(done: Result<Renewed, TokenError>) -> Result<Renewed, Fault> {
    if let Err(TokenError::NotKept { secret, .. }) = &done {
        output::say("The new secret is nowhere else; it goes to stdout, once.");
        output::reveal::secret(secret, std::io::stdout().is_terminal())?;
    }
    Ok(done?)
}

/// When the new secret ends: as said, else a year from now where the old one ends too.
async fn until(account: &Account, arguments: &RenewArguments) -> Result<Option<String>, Fault> {
    if let Some(text) = &arguments.expires {
        return date(text);
    }
    let token = account.token(&arguments.which.id).await?;
    match token.expires {
        Expiry::At(_) => date(USUAL_END),
        Expiry::Never | Expiry::Unknown => Ok(None),
    }
}

fn ended(account: &Account, format: DataFormat, renewed: &Renewed) -> Result<u8, Fault> {
    let names: Vec<_> = renewed.updated.iter().map(Name::to_string).collect();
    let what = renewed.action.done();
    if let Some(earlier) = renewed.earlier {
        ended_first(earlier);
    }
    if let Some(at) = renewed.aside {
        let at = whole_seconds(at);
        output::say(&format!(
            "a probe has ended it at {at}, and nothing was asked of the service now; for another {} give the command \
             again",
            renewed.action.noun()
        ));
    }
    for NotUpdated { connection, why } in &renewed.unread {
        output::say(&format!("{connection} was left as it is: {why}"));
    }
    for place in &renewed.left_behind {
        output::say(&format!("the old secret is still at {place}"));
    }
    let object = json!({
        "id": renewed.id, "connection": account.name().as_str(), "done": what,
        "updated": names, "expires": renewed.expires.shown(),
        "old_until": renewed.old_until.shown(), "resumed": renewed.resumed,
    });
    written(format, &object, || {
        let mut text = format!("{} {what}, and its new secret proven", renewed.id);
        text.push_str(match renewed.aside {
            Some(_) => " (begun earlier, and ended meanwhile)",
            None if renewed.resumed => " (begun earlier)",
            None => "",
        });
        text.push('\n');
        for name in &names {
            text.extend([name, " uses the new secret\n"]);
        }
        if names.is_empty() {
            let [name, id] = [account.name().as_str(), &renewed.id].map(shell_word);
            text.push_str("no connection here holds it; to see it: switchboard token reveal ");
            text.extend([&name, " ", &id, "\n"]);
        }
        match &renewed.old_until {
            Expiry::At(until) => {
                text.extend(["the old secret is valid until ", &until.shown(), "\n"]);
            }
            Expiry::Never => {
                text.push_str(
                    "the old secret goes on working: it has no end; a rotation ends it\n",
                );
            }
            Expiry::Unknown => {}
        }
        text
    })
}
