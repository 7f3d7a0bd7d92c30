//! `switchboard explain` and `switchboard service`: what is known, without asking anybody.

use std::path::Path;

use super::arguments::ServiceCommand;
use super::context::Context;
use super::fault::Fault;
use super::output::{self, human};
use super::texts;
use crate::domain::{Reason, ServiceId, Who};
use crate::service::{Catalog, catalog::ReasonEntry};
use crate::store::files;

/// The whole entry of a reason, or the list of all.
pub async fn reason(context: &Context, word: Option<&str>, service: &str) -> Result<u8, Fault> {
    let Some(word) = word else {
        for reason in Reason::ALL {
            let state = reason.state();
            output::text(&format!(
                "{} {:8} {:24} {}\n",
                state.glyph(),
                state.word(),
                reason.id(),
                reason.title()
            ))?;
        }
        return Ok(0);
    };
    let Ok(reason) = word.parse::<Reason>() else {
        let hint = titled(word);
        let word = crate::domain::text::inert(word, 40);
        return Err(Fault::usage(format!("no reason is called {word}")).hint(hint));
    };
    let service = context.service(service).await?;
    output::text(&entry(
        reason,
        &context.core.catalog().await?.entry(reason, Some(&service)),
    ))?;
    Ok(0)
}

/// Which reasons have a word of a verdict's title, such as its status; else where all of them stand.
fn titled(word: &str) -> String {
    let word = word.trim().to_lowercase();
    let is_meant = |reason: &&Reason| reason.title().to_lowercase().contains(&word);
    let meant = Reason::ALL
        .iter()
        .filter(is_meant)
        .map(|reason| reason.id());
    let meant: Vec<_> = meant.collect();
    if meant.is_empty() || word.len() < 3 {
        return "switchboard explain, without one, lists them all".to_owned();
    }
    format!(
        "such titles have {}; switchboard probe NAME --format json says which one it is, as its reason",
        meant.join(", ")
    )
}

fn entry(reason: Reason, entry: &ReasonEntry) -> String {
    let state = reason.state();
    let mut lines = vec![
        format!("{} {}: {}", state.glyph(), state.word(), entry.title),
        format!("  reason {}, exit code {}", reason.id(), state.exit_code()),
        String::new(),
        format!("  {}", entry.cause),
    ];
    lines.extend(remedy(entry.who, &entry.steps, entry.snippet.as_deref()));
    if let Some(doc) = &entry.doc {
        lines.push(format!("  more: {doc}"));
    }
    for case in &entry.cases {
        lines.push(String::new());
        lines.push(match &case.title {
            Some(title) if *title != entry.title => format!("  Or, as {title}: {}", case.cause),
            Some(_) | None => format!("  Or: {}", case.cause),
        });
        lines.extend(remedy(case.who, &case.steps, case.snippet.as_deref()));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn remedy(who: Who, steps: &[String], snippet: Option<&str>) -> Vec<String> {
    let mut lines = Vec::new();
    if !steps.is_empty() {
        lines.push(String::new());
        lines.push(format!("  What to do ({}):", human::who(who)));
        let steps = steps.iter().enumerate();
        lines.extend(steps.map(|(number, step)| format!("  {}. {step}", number + 1)));
    }
    if let Some(snippet) = snippet {
        lines.push(String::new());
        lines.extend(snippet.lines().map(|line| format!("      {line}")));
    }
    lines
}

/// `switchboard service …`
pub async fn service(context: &Context, command: ServiceCommand) -> Result<u8, Fault> {
    match command {
        ServiceCommand::List => {
            for service in context.core.catalog().await?.services() {
                output::text(&format!("{:12} {}\n", service.id(), service.title()))?;
            }
        }
        ServiceCommand::Show { id } => {
            let id: ServiceId = context.service(&id).await?;
            if let Some(service) = context.core.catalog().await?.get(&id) {
                // Those that come with the program are read from another form of their text.
                let own = service.source();
                let shipped = || texts::text(&format!("services/{id}.toml"));
                output::text(if own.is_empty() { shipped() } else { own })?;
            }
        }
        ServiceCommand::Check { file } => check(&file)?,
    }
    Ok(0)
}

fn check(file: &Path) -> Result<(), Fault> {
    let text = files::read_text(file).map_err(Fault::of)?;
    let label = files::shown(file);
    let ids: Vec<ServiceId> = Catalog::embedded().ids().cloned().collect();
    let catalog = Catalog::with([(label.clone(), text)]).map_err(Fault::of)?;
    let new = catalog
        .ids()
        .filter(|id| !ids.contains(id))
        .map(ServiceId::as_str);
    output::text(&format!(
        "{label}: in order ({})\n",
        new.collect::<Vec<_>>().join(", ")
    ))?;
    // It may be a draft in a shared folder; where services are read from, it would be refused.
    if let Err(problem) = files::refuse_writable_by_others(file) {
        output::say(&format!(
            "where services are read from, this file would be refused: {problem}"
        ));
    }
    Ok(())
}
