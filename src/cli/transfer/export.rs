//! `switchboard connection export`: definitions, bundles, curl commands.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use super::passphrase;
use crate::cli::arguments::transfer::{BundleArguments, ExportArguments, ExportFormat};
use crate::cli::connection::parsed;
use crate::cli::context::{Context, chosen as chosen_passphrase};
use crate::cli::fault::Fault;
use crate::cli::output;
use crate::domain::Connection;
use crate::domain::text::{counted, inert};
use crate::store::vault::bundle::SealTo;

/// `connection export`.
pub async fn run(context: &Context, arguments: ExportArguments) -> Result<u8, Fault> {
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
                text.push_str(&context.core.export_curl(connection).await?);
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
        return Err(match &arguments.tag {
            Some(tag) => Fault::usage(format!("no connection has the tag {}", inert(tag, 60))),
            None => Fault::usage("there is no connection to export: nothing is saved yet")
                .hint("switchboard connection add NAME --service S --url U"),
        });
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

/// Whether `path` means stdout: what is redirected is written behind what stands there.
fn is_stdout(path: &Path) -> bool {
    let names = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
    names.iter().any(|name| path == Path::new(name))
}
