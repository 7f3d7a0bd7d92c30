//! `switchboard connection import`, `export` and `apply`.

mod apply;
mod asked;
mod export;

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

pub use apply::run as apply;
pub use asked::{asked, import as import_asked};
pub use export::run as export;

use super::arguments::DataFormat;
use super::arguments::transfer::{BundleArguments, ImportArguments};
use super::context::Context;
use super::fault::Fault;
use super::{output, sources};
use crate::domain::endpoint::redacted;
use crate::domain::{Secret, error_chain};
use crate::service::import::FORMS;
use crate::store::transfer::Sensitive;
use crate::store::vault::bundle::is_under_passphrase;
use crate::store::{StoreKind, files};
use crate::work::WorkError;
use crate::work::transfer::{BundleKey, ImportAction, ImportOptions, Incoming, Item};

/// What came in, and what did not: `--format json`.
#[derive(Serialize)]
struct Report<'a> {
    schema_version: u8,
    dry_run: bool,
    taken: Vec<ImportedLine<'a>>,
    left_out: Vec<Left>,
    /// What runs programs, reads this machine or has a key go another way.
    sensitive: Vec<SensitiveLine>,
    trusted: bool,
}

#[derive(Serialize)]
struct ImportedLine<'a> {
    name: &'a str,
    service: &'a str,
    url: String,
    username: &'a str,
    /// It was here already, and lacked these.
    completed: bool,
    /// Which values came along: `key`, `token`, or an added one's label.
    secrets: Vec<&'a str>,
    /// Which come as references to where they are kept here.
    references: Vec<&'a str>,
    notes: Vec<&'a String>,
}

#[derive(Serialize)]
struct Left {
    name: Option<String>,
    why: String,
}

#[derive(Serialize)]
struct SensitiveLine {
    connection: Option<String>,
    field: String,
    what: String,
}

/// `connection import`. Exit code 1 where something stayed out.
pub async fn import(context: &Context, arguments: ImportArguments) -> Result<u8, Fault> {
    let bytes = read(&arguments.file)?;
    let opener = opener(&arguments, &bytes)?;
    import_as(context, &arguments, &bytes, opener).await
}

async fn import_as(
    context: &Context,
    arguments: &ImportArguments,
    bytes: &[u8],
    opener: BundleKey,
) -> Result<u8, Fault> {
    let mut incoming = read_in(context, arguments, bytes, opener).await?;
    let failed = if arguments.dry_run {
        Vec::new()
    } else {
        let store = arguments.store.as_deref().and_then(StoreKind::from_word);
        bring_in(context, &mut incoming, store).await?
    };
    report(&incoming, &failed, arguments)
}

/// What the file brings; nothing is changed.
async fn read_in(
    context: &Context,
    arguments: &ImportArguments,
    bytes: &[u8],
    opener: BundleKey,
) -> Result<Incoming, Fault> {
    let form = arguments.form.as_deref();
    let reader = ImportOptions {
        form: form.and_then(|word| {
            FORMS
                .iter()
                .find(|(known, _)| *known == word)
                .map(|(_, form)| *form)
        }),
        trust: arguments.trust,
        rename: arguments.rename,
        without_secrets: arguments.without_secrets,
        opener,
    };
    let path = shown_path(&arguments.file);
    let read = async || context.core.read_import(path, bytes, &reader).await;
    let incoming = context.with_vault(read).await?;
    if !incoming.is_unread {
        return Ok(incoming);
    }
    // Whether a value of the file is the one that is here is seen in an open vault; nobody is asked for that.
    context.open_vault_if_given().await?;
    Ok(read().await?)
}

/// Adds what comes in. Gives the places of those that were refused all the same, and why.
async fn bring_in(
    context: &Context,
    incoming: &mut Incoming,
    store: Option<StoreKind>,
) -> Result<Vec<(usize, String)>, Fault> {
    let mut failed = Vec::new();
    context.core.sweep().await;
    let (mut together, mut alone) = (Vec::new(), Vec::new());
    for (at, item) in incoming.items.iter().enumerate() {
        if item.comes_together() {
            together.push((at, item));
        } else if item.comes_in() {
            alone.push((at, item));
        }
    }
    let plain = together.iter().map(|(_, item)| item.connection.clone());
    let plain: Vec<_> = plain.collect();
    let mut came_in = !plain.is_empty();
    // One of them may be refused: then each comes in for itself, and that one stays out.
    if came_in && context.core.import_together(plain, store).await.is_err() {
        came_in = false;
        alone.splice(0..0, together);
    }
    let mut first = None;
    for (at, item) in alone {
        let mut is_of_item = false;
        let attempt = async || {
            let done = context.core.import_one(item, store).await;
            is_of_item = matches!(
                &done,
                Err(WorkError::Failed { .. } | WorkError::NameTaken(_))
            );
            done
        };
        match context.with_vault(attempt).await {
            Ok(_) => came_in = true,
            // No store, or no passphrase: that is so for all of them. Nothing came in yet.
            Err(fault) if !came_in && !is_of_item => return Err(fault),
            Err(fault) => {
                failed.push((at, fault.text()));
                first = first.or(Some(fault));
            }
        }
    }
    // So is what refuses each of them in the same words: a full disk.
    let is_of_all = failed
        .iter()
        .all(|(_, why)| failed.first().is_some_and(|(_, one)| one == why));
    if let (false, true, Some(fault)) = (came_in, is_of_all, first) {
        return Err(fault);
    }
    let programs = std::mem::take(&mut incoming.programs);
    // What came in before is told all the same.
    if let Err(problem) = context.core.import_programs(programs).await {
        incoming.left_out.push(error_chain(&problem));
    }
    Ok(failed)
}

fn report(
    incoming: &Incoming,
    failed: &[(usize, String)],
    arguments: &ImportArguments,
) -> Result<u8, Fault> {
    let report = collected(incoming, failed, arguments);
    match arguments.format {
        DataFormat::Json => output::json(&report)?,
        DataFormat::Ndjson => output::ndjson(&report)?,
        DataFormat::Human => output::text(&report_text(&report))?,
    }
    Ok(u8::from(!report.left_out.is_empty() || report.is_in_part()))
}

fn collected<'a>(
    incoming: &'a Incoming,
    failed: &[(usize, String)],
    arguments: &ImportArguments,
) -> Report<'a> {
    let why = |at: usize, item: &Item| {
        let failure = failed.iter().find(|(other, _)| *other == at);
        match (&item.action, failure) {
            (_, Some((_, why))) | (ImportAction::Refused(why), _) => Some(why.clone()),
            (ImportAction::Here(name), _) => {
                let unlike = item.unlike.as_ref();
                let unlike = unlike.map_or_else(String::new, |unlike| format!("; {unlike}"));
                Some(format!("it is here already, as {name}{unlike}"))
            }
            (ImportAction::Taken, _) => {
                Some("the name is taken here: --rename gives it a number".to_owned())
            }
            (ImportAction::New | ImportAction::Renamed(_) | ImportAction::Completed(_), None) => {
                None
            }
        }
    };
    let mut taken = Vec::new();
    let mut left_out = Vec::new();
    for (at, item) in incoming.items.iter().enumerate() {
        match why(at, item) {
            None => taken.push(ImportedLine::of(item)),
            Some(why) => left_out.push(Left {
                name: Some(item.connection.name.to_string()),
                why,
            }),
        }
    }
    let rest = incoming.left_out.iter();
    left_out.extend(rest.map(|why| Left {
        name: None,
        why: why.clone(),
    }));
    Report {
        schema_version: 1,
        dry_run: arguments.dry_run,
        taken,
        left_out,
        sensitive: sensitive(&incoming.sensitive),
        trusted: arguments.trust,
    }
}

impl Report<'_> {
    /// Whether something of what comes in stays out, as nobody trusted the file.
    const fn is_in_part(&self) -> bool {
        !self.trusted && !self.sensitive.is_empty()
    }
}

impl<'a> ImportedLine<'a> {
    fn of(item: &'a Item) -> Self {
        let values = [("key", item.key.is_some()), ("token", item.token.is_some())];
        let mut secrets: Vec<&str> = values
            .into_iter()
            .filter_map(|(word, held)| held.then_some(word))
            .collect();
        secrets.extend(item.added.iter().map(|(label, _)| label.as_str()));
        let one = &item.connection;
        let places = [("key", one.key.is_some()), ("token", one.token.is_some())];
        let references = places
            .into_iter()
            .filter_map(|(word, held)| held.then_some(word));
        let added = one.added.iter().map(|(label, _)| label.as_str());
        Self {
            name: item.connection.name.as_str(),
            service: item.connection.service.as_str(),
            url: redacted(&item.connection.url),
            username: &item.connection.username,
            completed: matches!(item.action, ImportAction::Completed(_)),
            secrets,
            references: references.chain(added).collect(),
            notes: item.notes.iter().chain(&item.unlike).collect(),
        }
    }
}

fn sensitive(all: &[Sensitive]) -> Vec<SensitiveLine> {
    let line = |one: &Sensitive| SensitiveLine {
        connection: one.connection.as_ref().map(ToString::to_string),
        field: one.field.clone(),
        what: one.what.clone(),
    };
    all.iter().map(line).collect()
}

/// The lines about what runs programs, reads this machine or has a key go another way.
fn sensitive_lines(all: &[SensitiveLine], trusted: bool) -> String {
    let mut text = String::new();
    for one in all {
        let name = one.connection.as_deref().unwrap_or("settings");
        let verb = if trusted { "let in" } else { "left out" };
        let _ = writeln!(text, "! {name}: {} {verb}: it {}", one.field, one.what);
    }
    text
}

/// How what was left out is let in, by whoever gives options.
const fn trust_line(all: &[SensitiveLine], trusted: bool) -> &'static str {
    if all.is_empty() || trusted {
        ""
    } else {
        "  --trust lets these in, once you know who wrote the file\n"
    }
}

/// How what has come in without its key, its token or its way is given it.
fn given_later(report: &Report<'_>) -> String {
    let reference = |one: &&SensitiveLine| {
        let name = one.connection.as_deref()?;
        let has_come_in = report.taken.iter().any(|taken| taken.name == name);
        let option = match one.field.as_str() {
            "key" => "--key-ref …",
            "token" => "--token-ref …",
            "proxy" => "--proxy …",
            "ca_file" => "--ca-file …",
            "allow_http" => "--allow-http",
            _ => return None,
        };
        has_come_in.then(|| format!("{} {option}", crate::domain::text::shell_word(name)))
    };
    let first = report.sensitive.iter().find_map(|one| reference(&one));
    first.map_or_else(String::new, |first| {
        format!("  or give what has come in without it: switchboard connection edit {first}\n")
    })
}

fn report_text(report: &Report<'_>) -> String {
    let mut text = String::new();
    for one in &report.taken {
        let inert = |text: &str| crate::domain::text::inert(text, 120);
        let secrets = match (one.secrets.as_slice(), one.references.as_slice()) {
            ([], []) => "no secret".to_owned(),
            ([], places) => format!("{} by reference", places.join(", ")),
            (values, []) => format!("with {}", values.join(", ")),
            (values, places) => {
                format!(
                    "with {}, {} by reference",
                    values.join(", "),
                    places.join(", ")
                )
            }
        };
        let user = match one.username {
            "" => String::new(),
            user => format!("  {}", inert(user)),
        };
        let _ = writeln!(
            text,
            "{} {}  {}  {}{user}  {secrets}",
            if one.completed { "~" } else { "+" },
            one.name,
            one.service,
            inert(&one.url)
        );
        for note in &one.notes {
            let _ = writeln!(text, "  · {note}");
        }
    }
    for one in &report.left_out {
        match &one.name {
            Some(name) => {
                let _ = writeln!(text, "- {name}: {}", one.why);
            }
            None => {
                let _ = writeln!(text, "- {}", one.why);
            }
        }
    }
    text.push_str(&sensitive_lines(&report.sensitive, report.trusted));
    text.push_str(trust_line(&report.sensitive, report.trusted));
    if !report.trusted && !report.dry_run {
        text.push_str(&given_later(report));
    }
    let (taken, left) = (report.taken.len(), report.left_out.len());
    let part = if report.is_in_part() {
        ", and what is left out above"
    } else {
        ""
    };
    let end = if report.dry_run {
        format!("{taken} would come in, {left} would stay out{part}; nothing was changed\n")
    } else {
        format!("{taken} came in, {left} stayed out{part}\n")
    };
    text + &end
}

/// What opens a bundle, as the flags say. Whoever is there is asked for a passphrase that is needed.
fn opener(arguments: &ImportArguments, bytes: &[u8]) -> Result<BundleKey, Fault> {
    if let Some(path) = &arguments.identity {
        return Ok(BundleKey::Identity(path.clone()));
    }
    let ask = || sources::prompt("bundle passphrase: ");
    let passphrase = match passphrase(&arguments.bundle, ask)? {
        None if is_under_passphrase(bytes) && sources::somebody_is_there() => Some(ask()?),
        given => given,
    };
    Ok(passphrase.map_or(BundleKey::Vault, BundleKey::Passphrase))
}

/// The bundle's passphrase from where the flags say; `ask` is how somebody is asked for it.
fn passphrase(
    arguments: &BundleArguments,
    ask: impl FnOnce() -> Result<Secret, Fault>,
) -> Result<Option<Secret>, Fault> {
    match sources::bundle_passphrase(arguments)? {
        Some(given) => Ok(Some(given)),
        None if !arguments.bundle_passphrase => Ok(None),
        None if sources::somebody_is_there() => ask().map(Some),
        None => Err(
            Fault::usage("nobody can be asked for the bundle's passphrase here")
                .hint("give --bundle-passphrase-fd N or --bundle-passphrase-file FILE"),
        ),
    }
}

/// The whole file, or standard input for `-`.
fn read(file: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, Fault> {
    if file == Path::new("-") {
        sources::take(sources::STDIN)?;
        let stdin = std::io::stdin().lock();
        return files::read_all(stdin, Path::new("standard input")).map_err(Fault::of);
    }
    files::read_bytes(file, files::TEXT_LIMIT)
        .map(zeroize::Zeroizing::new)
        .map_err(Fault::of)
}

fn shown_path(file: &Path) -> &Path {
    if file == Path::new("-") {
        Path::new("standard input")
    } else {
        file
    }
}
