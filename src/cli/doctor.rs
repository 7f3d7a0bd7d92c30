//! `switchboard doctor`: what speaks against how secrets and files lie on this machine, with the cure, and where
//! each secret is.

use serde::Serialize;

use super::arguments::DataFormat;
use super::context::Context;
use super::fault::Fault;
use super::secret::{self, SecretRow};
use super::{output, shield};
use crate::app::keymap::Keymap;
use crate::app::model::ListOrder;
use crate::store::Settings;
use crate::ui::ThemeName;
use crate::work::Finding;

/// The exit code of `--strict` where something was found.
const FOUND: u8 = 1;

/// The result as one object.
#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    findings: &'a [Finding],
    not_looked_at: &'a [String],
    secrets: &'a [SecretRow],
}

/// Runs the command. A vault is looked into only where its passphrase was given.
pub async fn run(context: &Context, strict: bool, format: DataFormat) -> Result<u8, Fault> {
    let opened = context.open_vault_if_given().await;
    let mut examination = context.core.examine().await;
    if let Err(fault) = opened {
        examination.find_unless_known("vault", fault.text());
    }
    if let Ok(settings) = context.core.settings().await {
        for odd in odd_settings(&settings) {
            examination.find("configuration", odd);
        }
    }
    for gap in shield::gaps() {
        examination.find("system", gap);
    }
    let mut secrets = secret::rows(context).await.unwrap_or_else(|fault| {
        examination.find_unless_known("configuration", fault.text());
        Vec::new()
    });
    // By what they are about; within that as they were found, so that line 4 stands before line 10.
    examination.findings.sort_by(|a, b| a.about.cmp(&b.about));
    match format {
        DataFormat::Json => output::json(&Report {
            schema_version: 1,
            findings: &examination.findings,
            not_looked_at: &examination.notes,
            secrets: &secrets,
        })?,
        DataFormat::Ndjson => examination.findings.iter().try_for_each(output::ndjson)?,
        DataFormat::Human => {
            for Finding { about, text } in &examination.findings {
                output::text(&format!("▲ {about}: {text}\n"))?;
            }
            for row in &mut secrets {
                // They stand above.
                row.findings.clear();
                output::text(&secret::human(row))?;
            }
            for note in &examination.notes {
                output::say(&format!("not looked at: {note}"));
            }
            if examination.findings.is_empty() {
                output::say("nothing was found");
            }
        }
    }
    Ok(if strict && !examination.findings.is_empty() {
        FOUND
    } else {
        0
    })
}

/// What the screen makes nothing of: it goes on with its own, and doctor says so.
fn odd_settings(settings: &Settings) -> Vec<String> {
    let theme = settings.theme.as_deref();
    let theme = theme.filter(|word| ThemeName::from_word(word).is_none());
    let theme = theme.map(|word| {
        let word = crate::domain::text::inert(word, 40);
        format!("theme: no theme is called {word}: dark, light, high-contrast or mono")
    });
    let (_, keys) = Keymap::remapped(&settings.remaps());
    let order = ListOrder::odd(&settings.order);
    theme.into_iter().chain(order).chain(keys).collect()
}
