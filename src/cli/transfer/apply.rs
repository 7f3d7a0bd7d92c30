//! `switchboard connection apply`: definitions kept in git, shown as a difference before they are made so.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Serialize;

use super::{SensitiveLine, read, sensitive, sensitive_lines, shown_path, trust_line};
use crate::cli::arguments::DataFormat;
use crate::cli::arguments::transfer::ApplyArguments;
use crate::cli::connection::says_yes;
use crate::cli::context::Context;
use crate::cli::fault::Fault;
use crate::cli::{output, secret};
use crate::store::files;
use crate::store::transfer::Difference;
use crate::work::transfer::{ApplyOptions, ApplyPlan, ApplyStep, Program};

/// `--format json`.
#[derive(Serialize)]
struct Report<'a> {
    schema_version: u8,
    dry_run: bool,
    changes: bool,
    steps: Vec<StepLine<'a>>,
    left_out: &'a [String],
    sensitive: Vec<SensitiveLine>,
    trusted: bool,
}

#[derive(Serialize)]
struct StepLine<'a> {
    step: &'static str,
    name: &'a str,
    fields: Cow<'a, [Difference]>,
}

/// Runs the command. Exit code 1 where a dry run would change something.
pub async fn run(context: &Context, arguments: ApplyArguments) -> Result<u8, Fault> {
    let bytes = read(&arguments.file)?;
    let path = shown_path(&arguments.file);
    let text = files::text_of(&bytes, path).map_err(Fault::of)?;
    let how = ApplyOptions {
        trust: arguments.trust,
        prune: arguments.prune,
    };
    let plan = context.core.plan_apply(path, text, how).await?;
    write(&plan, &arguments)?;
    if arguments.dry_run {
        return Ok(u8::from(plan.changes()));
    }
    let removed = plan
        .steps
        .iter()
        .filter(|step| matches!(step, ApplyStep::Remove(_)))
        .count();
    let question = format!("Remove {removed} and the secrets kept here for them alone? [y/N]");
    if removed > 0 && !arguments.yes && !says_yes(&question)? {
        return Err(Fault::usage("nothing was changed"));
    }
    if plan.changes() {
        for step in &plan.steps {
            if let ApplyStep::Remove(name) = step {
                let connection = context.core.connection(name).await?;
                context.open_vault_of(&connection).await?;
            }
        }
        secret::tell(context, &context.core.apply(plan).await?).await;
    }
    Ok(0)
}

fn write(plan: &ApplyPlan, arguments: &ApplyArguments) -> Result<(), Fault> {
    let report = Report {
        schema_version: 1,
        dry_run: arguments.dry_run,
        changes: plan.changes(),
        steps: plan.steps.iter().map(line).collect(),
        left_out: &plan.left_out,
        sensitive: sensitive(&plan.sensitive),
        trusted: arguments.trust,
    };
    match arguments.format {
        DataFormat::Json => output::json(&report)?,
        DataFormat::Ndjson => output::ndjson(&report)?,
        DataFormat::Human => output::text(&plan_text(plan, &report))?,
    }
    Ok(())
}

fn line(step: &ApplyStep) -> StepLine<'_> {
    let (word, name, fields): (_, _, &[Difference]) = match step {
        ApplyStep::Set(program) => return setting(program),
        ApplyStep::Add(connection) => ("add", &connection.name, &[]),
        ApplyStep::Change { after, fields, .. } => ("change", &after.name, fields),
        ApplyStep::Same(name) => ("same", name, &[]),
        ApplyStep::Extra(name) => ("extra", name, &[]),
        ApplyStep::Remove(name) => ("remove", name, &[]),
    };
    StepLine {
        step: word,
        name: name.as_str(),
        fields: fields.into(),
    }
}

fn setting(program: &Program) -> StepLine<'_> {
    let words = |words: &[String]| {
        (!words.is_empty()).then(|| crate::domain::text::inert(&words.join(" "), 200))
    };
    StepLine {
        step: "set",
        name: program.key,
        fields: Cow::Owned(vec![Difference {
            field: program.key,
            before: words(&program.here),
            after: words(&program.wanted),
        }]),
    }
}

fn plan_text(plan: &ApplyPlan, report: &Report<'_>) -> String {
    let mut text = String::new();
    let mut same = 0;
    for (step, line) in plan.steps.iter().zip(&report.steps) {
        let name = line.name;
        let _ = match step {
            ApplyStep::Set(_) => writeln!(text, "~ settings{}", field_lines(&line.fields)),
            ApplyStep::Add(_) => writeln!(text, "+ {name}"),
            ApplyStep::Change { .. } => writeln!(text, "~ {name}{}", field_lines(&line.fields)),
            ApplyStep::Remove(_) => {
                writeln!(text, "- {name}, with the secrets kept here for it alone")
            }
            ApplyStep::Extra(_) => {
                writeln!(text, "· {name} is not in the file; --prune removes it")
            }
            ApplyStep::Same(_) => {
                same += 1;
                Ok(())
            }
        };
    }
    for why in report.left_out {
        let _ = writeln!(text, "! {why}");
    }
    text.push_str(&sensitive_lines(&report.sensitive, report.trusted));
    text.push_str(trust_line(&report.sensitive, report.trusted));
    let end = match (report.changes, report.dry_run) {
        (false, _) if !report.trusted && !report.sensitive.is_empty() => {
            format!("{same} as the file says, but for what was left out; nothing to change\n")
        }
        (false, _) => format!("{same} as the file says; nothing to change\n"),
        (true, true) => "nothing was changed: a dry run\n".to_owned(),
        (true, false) => String::new(),
    };
    text + &end
}

/// A line for each field, below what it is of.
fn field_lines(fields: &[Difference]) -> String {
    let shown = |side: &Option<String>| side.clone().unwrap_or_else(|| "–".into());
    fields.iter().fold(String::new(), |mut text, field| {
        let (before, after) = (shown(&field.before), shown(&field.after));
        let _ = write!(text, "\n    {}: {before} → {after}", field.field);
        text
    })
}
