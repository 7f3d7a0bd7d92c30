//! The settings that run programs, as a file brings them: only one that is trusted says what runs here.

use super::Incoming;
use crate::store::Settings;
use crate::store::configuration::{Document, EditProblem, SettingValue};
use crate::store::transfer::{self, Sensitive};
use crate::work::core::Core;
use crate::work::error::WorkError;

/// One setting that runs a program, or hands one something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its key: `on_change`, `clipboard_command`, `command_variables`.
    pub key: &'static str,
    /// As it is here; empty where it is not set.
    pub here: Vec<String>,
    /// As the file has it; empty where it says that there is none.
    pub wanted: Vec<String>,
}

impl Program {
    /// What it does.
    pub fn sensitive(&self) -> Sensitive {
        Sensitive::of_setting(self.key, &self.wanted)
    }

    /// Sets it, unless somebody has set it to something else meanwhile.
    pub(super) fn set(&self, document: &mut Document) -> Result<(), EditProblem> {
        if document.words(self.key) != self.here {
            let key = self.key;
            let why = format!("{key} was changed meanwhile by somebody else: look again");
            return Err(EditProblem::Refused(why));
        }
        let words = match self.wanted.as_slice() {
            [] => SettingValue::Default,
            words => SettingValue::Words(words.to_vec()),
        };
        document.set_setting(self.key, words)
    }
}

/// The programs that `settings`, read from `text`, name, or say that there is none; and whether they say anything
/// else.
pub(super) fn taken_out(mut settings: Settings, text: &str) -> (Vec<Program>, bool) {
    let said = transfer::settings_said(text);
    let named = transfer::programs(&mut settings).map(|(key, words)| Program {
        key,
        here: Vec::new(),
        wanted: std::mem::take(words),
    });
    let named = named
        .into_iter()
        .filter(|one| said.iter().any(|key| key == one.key));
    (named.collect(), settings != Settings::default())
}

/// Those of `programs` that are news here, with what is here.
pub(super) fn news(programs: Vec<Program>, mut here: Settings) -> Vec<Program> {
    let here = transfer::programs(&mut here).map(|(key, words)| (key, std::mem::take(words)));
    let beside = programs.into_iter().map(|one| {
        let known = here.iter().find(|(key, _)| *key == one.key);
        let here = known.map(|(_, words)| words.clone()).unwrap_or_default();
        Program { here, ..one }
    });
    beside.filter(|one| one.here != one.wanted).collect()
}

impl Core {
    /// Lists the programs that a file names. They come in where it is trusted and nothing else runs here: an import
    /// overwrites nothing.
    pub(super) async fn screen_programs(
        &self,
        incoming: &mut Incoming,
        trust: bool,
    ) -> Result<(), WorkError> {
        if incoming.programs.is_empty() {
            return Ok(());
        }
        let here = self.settings().await?;
        for one in news(std::mem::take(&mut incoming.programs), here) {
            let is_free = one.here.is_empty();
            if trust && !is_free {
                let Sensitive { field, what, .. } = one.sensitive();
                let here = Sensitive::of_setting(&field, &one.here).what;
                incoming.left_out.push(format!(
                    "{field} stays as it is here: it {here}; in the file, it {what}"
                ));
                continue;
            }
            incoming.sensitive.push(one.sensitive());
            if trust {
                incoming.programs.push(one);
            }
        }
        Ok(())
    }

    /// Sets what [`Core::read_import`] let in.
    pub async fn import_programs(&self, programs: Vec<Program>) -> Result<(), WorkError> {
        if programs.is_empty() {
            return Ok(());
        }
        let edited =
            move |document: &mut Document| programs.iter().try_for_each(|one| one.set(document));
        self.edit(edited).await
    }
}
