//! An import that asks for everything it needs, on the terminal: what `I` on the screen leads to.

use std::path::PathBuf;

use super::{import_as, opener, read, read_in, sensitive, sensitive_lines};
use crate::cli::arguments::transfer::ImportArguments;
use crate::cli::context::Context;
use crate::cli::fault::Fault;
use crate::cli::{output, prompt};
use crate::domain::error_chain;
use crate::store::StoreKind;
use crate::work::transfer::Item;

/// Asks for a file, and takes in what it brings; a name that is taken gets a number, as in the form.
pub async fn import(context: &Context) -> Result<u8, Fault> {
    output::say(
        "Take connections from a file: curl commands, NAME=value lines (.env), ~/.ccli/config.json,\n\
         [[connection]] tables or a bundle. Nothing that is here is overwritten.",
    );
    let Some(file) = asked("File (nothing goes back): ")? else {
        return Ok(0);
    };
    let mut arguments = ImportArguments {
        file: below_home(context, &file),
        rename: true,
        ..ImportArguments::default()
    };
    let bytes = read(&arguments.file)?;
    let opener = opener(&arguments, &bytes)?;
    let incoming = read_in(context, &arguments, &bytes, opener.clone()).await?;
    if !incoming.sensitive.is_empty() {
        output::say(sensitive_lines(&sensitive(&incoming.sensitive), false).trim_end());
        arguments.trust = confirmed("Let these in? Only if you know who wrote the file [n]: ")?;
    }
    let holds_secrets = |item: &Item| item.comes_in() && item.holds_secrets();
    if incoming.items.iter().any(holds_secrets) {
        arguments.store = store(context).await?;
        arguments.without_secrets = arguments.store.is_none();
    }
    import_as(context, &arguments, &bytes, opener).await
}

/// The place that somebody chooses for the secrets, of those that work here; nothing where none is to be kept. A word
/// that is none of them is asked again: it may have meant just that.
async fn store(context: &Context) -> Result<Option<String>, Fault> {
    let offers = context.core.offers().await?;
    let lasting = offers.iter().filter(|offer| offer.kind.lasts());
    let mut words: Vec<&str> = Vec::new();
    for offer in lasting {
        match &offer.works {
            Ok(()) => words.push(offer.kind.word()),
            Err(why) => {
                let why = error_chain(why);
                output::say(&format!("  not {}: {why}", offer.kind.word()));
            }
        }
    }
    let chosen = context.core.settings().await?.store;
    let usual = chosen.map(StoreKind::word);
    let usual = usual.filter(|word| words.contains(word));
    words.push("none");
    let usual = usual.or(words.first().copied()).unwrap_or("none");
    let question = format!(
        "Where are its secrets kept: {} [{usual}]? ",
        words.join(", ")
    );
    loop {
        let answer = asked(&question)?.map(|word| word.to_lowercase());
        let meant = |word: &&str| {
            answer
                .as_deref()
                .is_some_and(|typed| word.starts_with(typed))
        };
        let word = match &answer {
            None => Some(usual),
            Some(_) => words.iter().copied().find(meant),
        };
        match word {
            Some("none") => return Ok(None),
            Some(word) => return Ok(Some(word.to_owned())),
            None => output::say(&format!("Please write one of these: {}.", words.join(", "))),
        }
    }
}

fn confirmed(question: &str) -> Result<bool, Fault> {
    let answer = asked(question)?.map(|word| word.to_lowercase());
    Ok(matches!(answer.as_deref(), Some("y" | "yes")))
}

/// One line that somebody types; nothing where it is empty.
pub fn asked(question: &str) -> Result<Option<String>, Fault> {
    let typed = prompt::line(question)?;
    let line = typed.trim().to_owned();
    Ok((!line.is_empty()).then_some(line))
}

/// No shell has read what was typed here.
fn below_home(context: &Context, file: &str) -> PathBuf {
    match (file.strip_prefix("~/"), &context.environment.home) {
        (Some(rest), Some(home)) => home.join(rest),
        // A name like any other: the terminal itself is read already.
        _ if file == "-" => PathBuf::from("./-"),
        _ => PathBuf::from(file),
    }
}
