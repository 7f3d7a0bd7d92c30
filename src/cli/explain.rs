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
    let service = context.service(service).await?;
    let catalog = context.core.catalog().await?;
    let told = |reason| catalog.entry(reason, Some(&service));
    let reason = match word.parse::<Reason>() {
        Ok(reason) => reason,
        Err(_) => only(word, &titled(word, told))?,
    };
    output::text(&entry(reason, &told(reason)))?;
    Ok(0)
}

/// The reasons that such a title may be of: those that have just it, else those that have these words in theirs. The
/// screen shows titles, and no ids.
fn titled(word: &str, told: impl Fn(Reason) -> ReasonEntry) -> Vec<Reason> {
    let word = word.trim().to_lowercase();
    let having = |is_meant: &dyn Fn(&str) -> bool| -> Vec<Reason> {
        let of = |reason: &Reason| {
            let ReasonEntry { title, cases, .. } = told(*reason);
            let cases = cases.into_iter().filter_map(|case| case.title);
            let mut titles = cases.chain([title, reason.title().to_owned()]);
            titles.any(|title| is_meant(&title.to_lowercase()))
        };
        Reason::ALL.iter().copied().filter(of).collect()
    };
    if word.len() < 3 {
        return Vec::new();
    }
    let just = having(&|title| title == word);
    if just.is_empty() {
        having(&|title| title.contains(&word))
    } else {
        just
    }
}

/// The one that is meant, or which may be.
fn only(word: &str, meant: &[Reason]) -> Result<Reason, Fault> {
    let word = crate::domain::text::inert(word, 40);
    match meant {
        [one] => Ok(*one),
        [] => Err(Fault::usage(format!("no reason is called {word}"))
            .hint("switchboard explain, without one, lists them all")),
        several => {
            let ids: Vec<_> = several.iter().map(|reason| reason.id()).collect();
            let hint = format!(
                "it is one of {}; switchboard probe NAME --format json says which, as its reason",
                ids.join(", ")
            );
            let fault = Fault::usage(format!("several reasons have {word} in their titles"));
            Err(fault.hint(hint))
        }
    }
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
