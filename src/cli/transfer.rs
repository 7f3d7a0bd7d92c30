//! `switchboard connection import`, `export` and `apply`.

mod apply;
mod asked;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

pub use apply::run as apply;
pub use asked::{asked, import as import_asked};

use super::arguments::DataFormat;
use super::arguments::transfer::{BundleArguments, ExportArguments, ExportFormat, ImportArguments};
use super::connection::parsed;
use super::context::{Context, chosen as chosen_passphrase};
use super::fault::Fault;
use super::{output, sources};
use crate::domain::endpoint::redacted;
use crate::domain::{Connection, Secret};
use crate::service::import::FORMS;
use crate::store::transfer::Sensitive;
use crate::store::vault::bundle::{SealTo, is_under_passphrase};
use crate::store::{StoreKind, files};
use crate::work::transfer::{BundleKey, ImportAction, ImportOptions, Incoming, Item};

/// What came in, and what did not: `--format json`.
#[derive(Serialize)]
struct Report<'a> {
    schema_version: u8,
    dry_run: bool,
    taken: Vec<ImportedLine<'a>>,
    left_out: Vec<Left>,
    /// References and settings that run programs or read this machine.
    sensitive: Vec<SensitiveLine>,
    trusted: bool,
}

#[derive(Serialize)]
struct ImportedLine<'a> {
    name: &'a str,
    service: &'a str,
    url: String,
    username: &'a str,
    /// Which values came along: `key`, `token`, or an added one's label.
    secrets: Vec<&'a str>,
    notes: &'a [String],
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
    if arguments.without_secrets {
        incoming.items.iter_mut().for_each(Item::forget_secrets);
    }
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
        opener,
    };
    let path = shown_path(&arguments.file);
    context
        .with_vault(async || context.core.read_import(path, bytes, &reader).await)
        .await
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
        if context.core.comes_together(item).await {
            together.push((at, item));
        } else if item.comes_in() {
            alone.push((at, item));
        }
    }
    let plain = together.iter().map(|(_, item)| item.connection.clone());
    let plain: Vec<_> = plain.collect();
    let mut tried = !plain.is_empty();
    // One of them may be refused: then each comes in for itself, and that one stays out.
    if tried && context.core.import_together(plain, store).await.is_err() {
        tried = false;
        alone.splice(0..0, together);
    }
    for (at, item) in alone {
        let done = context
            .with_vault(async || context.core.import_one(item, store).await)
            .await;
        match done {
            Ok(_) => {}
            // The first failure is of all: no store, no passphrase, a full disk. Nothing came in yet.
            Err(fault) if !tried => return Err(fault),
            Err(fault) => failed.push((at, fault.text)),
        }
        tried = true;
    }
    let programs = std::mem::take(&mut incoming.programs);
    // What came in before is told all the same.
    if let Err(problem) = context.core.import_programs(programs).await {
        incoming.left_out.push(problem.to_string());
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
    Ok(u8::from(!report.left_out.is_empty()))
}

fn collected<'a>(
    incoming: &'a Incoming,
    failed: &[(usize, String)],
    arguments: &ImportArguments,
) -> Report<'a> {
    let why = |at: usize, item: &Item| {
        let failure = failed.iter().find(|(other, _)| *other == at);
        match (&item.action, failure) {
            (_, Some((_, why))) => Some(why.clone()),
            (ImportAction::Here(name), _) => Some(format!("it is here already, as {name}")),
            (ImportAction::Taken, _) => {
                Some("the name is taken here: --rename gives it a number".to_owned())
            }
            (ImportAction::New | ImportAction::Renamed(_), None) => None,
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

impl<'a> ImportedLine<'a> {
    fn of(item: &'a Item) -> Self {
        let values = [("key", item.key.is_some()), ("token", item.token.is_some())];
        let mut secrets: Vec<&str> = values
            .into_iter()
            .filter_map(|(word, held)| held.then_some(word))
            .collect();
        secrets.extend(item.added.iter().map(|(label, _)| label.as_str()));
        Self {
            name: item.connection.name.as_str(),
            service: item.connection.service.as_str(),
            url: redacted(&item.connection.url),
            username: &item.connection.username,
            secrets,
            notes: &item.notes,
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

/// `1 secret`, `2 secrets`.
fn counted(count: usize, what: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {what}{end}")
}

/// The lines about references that run programs or read this machine.
fn sensitive_lines(all: &[SensitiveLine], trusted: bool) -> String {
    let mut text = String::new();
    for one in all {
        let name = one.connection.as_deref().unwrap_or("settings");
        let verb = if trusted { "let in" } else { "left out" };
        let _ = writeln!(text, "! {name}: {} {verb}: it {}", one.field, one.what);
    }
    if !all.is_empty() && !trusted {
        text.push_str("  --trust lets these in, once you know who wrote the file\n");
    }
    text
}

/// How what has come in without its key or token is given it.
fn given_later(report: &Report<'_>) -> String {
    let reference = |one: &&SensitiveLine| {
        let name = one.connection.as_deref()?;
        let has_come_in = report.taken.iter().any(|taken| taken.name == name);
        let is_one = matches!(one.field.as_str(), "key" | "token");
        (has_come_in && is_one).then(|| {
            format!(
                "{} --{}-ref …",
                crate::domain::text::shell_word(name),
                one.field
            )
        })
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
        let secrets = match one.secrets.len() {
            0 => "no secret".to_owned(),
            _ => format!("with {}", one.secrets.join(", ")),
        };
        let user = match one.username {
            "" => String::new(),
            user => format!("  {}", inert(user)),
        };
        let _ = writeln!(
            text,
            "+ {}  {}  {}{user}  {secrets}",
            one.name,
            one.service,
            inert(&one.url)
        );
        for note in one.notes {
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
    if !report.trusted && !report.dry_run {
        text.push_str(&given_later(report));
    }
    let (taken, left) = (report.taken.len(), report.left_out.len());
    let end = if report.dry_run {
        format!("{taken} would come in, {left} would stay out; nothing was changed\n")
    } else {
        format!("{taken} came in, {left} stayed out\n")
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
        return files::read_all(stdin, Path::new("standard input"))
            .map_err(|problem| Fault::input(&problem));
    }
    files::read_bytes(file, files::TEXT_LIMIT)
        .map(zeroize::Zeroizing::new)
        .map_err(|problem| Fault::input(&problem))
}

/// Whether `path` means stdout: what is redirected is written behind what stands there.
fn is_stdout(path: &Path) -> bool {
    let names = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
    names.iter().any(|name| path == Path::new(name))
}

fn shown_path(file: &Path) -> &Path {
    if file == Path::new("-") {
        Path::new("standard input")
    } else {
        file
    }
}

/// `connection export`.
pub async fn export(context: &Context, arguments: ExportArguments) -> Result<u8, Fault> {
    of_bundles_alone(&arguments)?;
    let chosen = chosen(context, &arguments).await?;
    let bytes = match arguments.format {
        ExportFormat::Toml => context.core.export_definitions(&chosen)?.into_bytes(),
        ExportFormat::Curl => {
            let mut text = String::new();
            for connection in &chosen {
                if chosen.len() > 1 {
                    let _ = writeln!(text, "# {}", connection.name);
                }
                text.push_str(&context.core.curl(connection).await?);
                text.push('\n');
            }
            text.into_bytes()
        }
        ExportFormat::Bundle => bundle(context, &arguments, &chosen).await?,
    };
    match arguments.output.filter(|path| !is_stdout(path)) {
        Some(path) => context.core.write_export(path, bytes).await?,
        None => output::raw(&bytes)?,
    }
    Ok(0)
}

/// Refuses what would encrypt a bundle where none is asked for: the file would be believed to be encrypted, and to
/// hold the secrets.
fn of_bundles_alone(arguments: &ExportArguments) -> Result<(), Fault> {
    let BundleArguments {
        bundle_passphrase_fd,
        bundle_passphrase_file,
        bundle_passphrase,
    } = &arguments.bundle;
    let given = [
        (!arguments.to.is_empty(), "--to"),
        (bundle_passphrase_fd.is_some(), "--bundle-passphrase-fd"),
        (bundle_passphrase_file.is_some(), "--bundle-passphrase-file"),
        (*bundle_passphrase, "--bundle-passphrase"),
    ];
    let given = given.iter().find(|(given, _)| *given);
    match (arguments.format, given) {
        (ExportFormat::Toml | ExportFormat::Curl, Some((_, flag))) => Err(Fault::usage(format!(
            "{flag} belongs to --format bundle: the other forms are not encrypted, and hold no secret"
        ))),
        (ExportFormat::Bundle, _) | (_, None) => Ok(()),
    }
}

async fn chosen(context: &Context, arguments: &ExportArguments) -> Result<Vec<Connection>, Fault> {
    let mut chosen = Vec::new();
    for name in &arguments.names {
        chosen.push(context.core.connection(&parsed(name)?).await?);
    }
    if arguments.names.is_empty() {
        let all = context.core.connections().await?;
        chosen = all.into_iter().map(Arc::unwrap_or_clone).collect();
        if let Some(tag) = &arguments.tag {
            chosen.retain(|connection| connection.tags.contains(tag));
        }
    }
    if chosen.is_empty() {
        return Err(Fault::usage("there is no such connection to export"));
    }
    Ok(chosen)
}

async fn bundle(
    context: &Context,
    arguments: &ExportArguments,
    chosen: &[Connection],
) -> Result<Vec<u8>, Fault> {
    use std::io::IsTerminal;
    let to_stdout = arguments.output.as_ref().is_none_or(|path| is_stdout(path));
    if to_stdout && std::io::stdout().is_terminal() {
        return Err(Fault::usage("a bundle is no text for a terminal").hint("give --output FILE"));
    }
    let passphrase = passphrase(&arguments.bundle, || chosen_passphrase("bundle"))?;
    let to = match passphrase {
        Some(passphrase) => SealTo::Passphrase(passphrase),
        None => SealTo::Recipients(arguments.to.clone()),
    };
    if matches!(&to, SealTo::Recipients(keys) if keys.is_empty()) {
        return Err(Fault::usage(
            "secrets leave this machine only encrypted: for whom is the bundle?",
        )
        .hint(
            "give --to age1… (switchboard secret recipient own prints theirs), or --bundle-passphrase, \
                 --bundle-passphrase-fd N, --bundle-passphrase-file FILE",
        ));
    }
    let bundled = context
        .with_vault(async || context.core.export_bundle(chosen, to.clone()).await)
        .await?;
    for line in &bundled.left_out {
        output::say(&format!("left out: {line}"));
    }
    output::say(&format!(
        "{}, {}",
        counted(chosen.len(), "connection"),
        counted(bundled.secrets, "secret")
    ));
    Ok(bundled.sealed)
}
