//! `switchboard token permissions`: the modules of a token, granted and revoked.

use serde_json::json;

use super::super::arguments::token::Which;
use super::super::context::Context;
use super::super::fault::Fault;
use super::super::output;
use super::{account, finished, tell, written};
use crate::domain::text::inert;
use crate::tokens::{Moment, Permission, TokenEdit};
use crate::work::tokens::{Difference, Guard};

pub(super) async fn run(
    context: &Context,
    which: &Which,
    mut change: Difference,
    guard: Guard,
) -> Result<u8, Fault> {
    refuse_both(&change)?;
    let account = account(context, &which.name).await?;
    for modules in [&mut change.grant, &mut change.revoke] {
        let mut named = std::collections::HashSet::new();
        modules.retain(|module| named.insert(module.clone()));
    }
    if !change.grant.is_empty() {
        // The service refuses to grant anew what is granted.
        let held = account.permissions(&which.id).await?;
        let is_held =
            |module: &String| held.iter().any(|held| held.module.as_ref() == Some(module));
        for module in change.grant.extract_if(.., |module| is_held(module)) {
            output::say(&format!("· {} is granted already", inert(&module, 40)));
        }
    }
    tell(&change);
    if !change.is_empty() {
        let edited = account
            .edit(&which.id, &TokenEdit::default(), change, guard)
            .await?;
        finished(edited)?;
    }
    let held = account.permissions(&which.id).await?;
    let objects: Vec<_> = held
        .iter()
        .map(|held| {
            json!({
                "id": held.module, "name": held.name,
                "granted": held.granted.as_ref().map(Moment::shown),
            })
        })
        .collect();
    written(which.format, &objects, || {
        let line = |held: &Permission| {
            let id = held.module.as_deref().unwrap_or("–");
            let name = held.name.as_deref().unwrap_or_default();
            format!("{id}  {name}").trim_end().to_owned() + "\n"
        };
        held.iter().map(line).collect()
    })
}

/// Refuses a module that is to be granted and revoked at once: which of the two is meant is not known. (No two modules
/// differ in case alone.)
fn refuse_both(change: &Difference) -> Result<(), Fault> {
    let revoked = |module: &&String| {
        let is_same = |other: &String| other.trim().eq_ignore_ascii_case(module.trim());
        change.revoke.iter().any(is_same)
    };
    let Some(module) = change.grant.iter().find(revoked) else {
        return Ok(());
    };
    let module = inert(module.trim(), 40);
    let fault = format!("{module} is to be granted and revoked: nothing was changed");
    Err(Fault::usage(fault).hint("give it to one of the two"))
}
