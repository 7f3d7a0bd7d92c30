//! A token being made or changed, step by step. Back and forth loses nothing that was typed.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tui_input::Input;

use super::Fetch;
use super::account::TokenRow;
use super::exchange::{Changed, Made, Offered};
use super::failure::Trouble;
use crate::domain::Name;
use crate::domain::token::{
    ALL_MODULES, DESCRIPTION_LIMIT, Difference, Guard, LABEL_LIMIT, Module, NewToken, TokenEdit,
    difference, parse_expiry,
};

/// What is written into the line of the end at first: tokens that never end are the ones that leak.
const FIRST_END: &str = "365d";

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WizardStep {
    /// Label, external id, description, end.
    General,
    /// What it is for.
    Extension,
    /// Modules.
    Permissions,
    /// All of it, before and after it is sent.
    Summary,
}

impl WizardStep {
    /// Its title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::General => "General",
            Self::Extension => "Extension",
            Self::Permissions => "Permissions",
            Self::Summary => "Summary",
        }
    }
}

/// A token being made or changed.
#[derive(Debug)]
pub struct Wizard {
    /// Through which connection.
    pub name: Name,
    /// The token as it was, where one is changed.
    pub editing: Option<TokenRow>,
    /// Where we are.
    pub step: WizardStep,
    /// Label, external id, description, end; the end is not there when editing.
    pub lines: Vec<WizardField>,
    /// Which line has the cursor.
    pub line: usize,
    /// What a token can be made for.
    pub extensions: Fetch<Vec<Offered>>,
    /// The selected one.
    pub extension: usize,
    /// The modules of the account.
    pub modules: Fetch<Vec<Module>>,
    /// The chosen ones, by id.
    pub chosen: BTreeSet<String>,
    /// The selected row of those that pass the filter.
    pub module: usize,
    /// As typed.
    pub module_filter: Input,
    /// What must be put right before it goes on.
    pub problem: Option<String>,
    /// What came of it.
    pub outcome: Fetch<WizardOutcome>,
    /// What had come of it before it was gone on with: that stands, whatever becomes of the rest.
    pub before: Option<WizardOutcome>,
    /// What was agreed to when it was sent: what is left of it needs no more.
    pub guard: Guard,
}

/// One line.
#[derive(Debug)]
pub struct WizardField {
    /// What it is.
    pub title: &'static str,
    /// What was typed.
    pub input: Input,
    /// Characters at most.
    pub limit: usize,
    /// What stood here at first.
    before: String,
}

impl WizardField {
    fn new(title: &'static str, text: &str, limit: usize) -> Self {
        Self {
            title,
            input: Input::new(text.to_owned()),
            limit,
            before: text.to_owned(),
        }
    }

    /// What was typed, without blanks at its ends.
    pub fn text(&self) -> &str {
        self.input.value().trim()
    }

    fn changed(&self) -> bool {
        self.text() != self.before.trim()
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum WizardOutcome {
    /// A token exists now.
    Made(Made),
    /// A token was changed.
    Changed(Changed),
}

impl WizardOutcome {
    /// What stands now: what was done `before` it was gone on with is done, also where the rest failed.
    pub fn after(
        before: Option<Self>,
        edited: Result<Box<Changed>, Trouble>,
    ) -> Result<Self, Trouble> {
        Ok(match (before, edited) {
            (Some(Self::Made(made)), Ok(changed)) => Self::Made(Made {
                row: changed.row.unwrap_or(made.row),
                missing: changed.left.grant,
                trouble: changed.trouble,
            }),
            (Some(Self::Made(made)), Err(trouble)) => Self::Made(Made {
                trouble: Some(trouble),
                ..made
            }),
            (Some(Self::Changed(changed)), Err(trouble)) => Self::Changed(Changed {
                trouble: Some(trouble),
                ..changed
            }),
            (Some(Self::Changed(_)) | None, Ok(changed)) => Self::Changed(*changed),
            (None, Err(trouble)) => return Err(trouble),
        })
    }
}

impl Wizard {
    /// For a new token of the account behind `name`.
    pub fn new(name: Name) -> Self {
        Self {
            name,
            editing: None,
            step: WizardStep::General,
            lines: vec![
                WizardField::new("Label", "", LABEL_LIMIT),
                WizardField::new("External id", "", LABEL_LIMIT),
                WizardField::new("Description", "", DESCRIPTION_LIMIT),
                WizardField::new("Expires", FIRST_END, 40),
            ],
            line: 0,
            extensions: Fetch::Not,
            extension: 0,
            modules: Fetch::Not,
            chosen: BTreeSet::new(),
            module: 0,
            module_filter: Input::default(),
            problem: None,
            outcome: Fetch::Not,
            before: None,
            guard: Guard::On,
        }
    }

    /// For changing `row`.
    pub fn editing(name: Name, row: TokenRow) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let token = &row.token;
        Self {
            lines: vec![
                WizardField::new("Label", &text(&token.name), LABEL_LIMIT),
                WizardField::new("External id", &text(&token.external_id), LABEL_LIMIT),
                WizardField::new("Description", &text(&token.description), DESCRIPTION_LIMIT),
            ],
            chosen: token.modules().into_iter().map(str::to_owned).collect(),
            editing: Some(row),
            ..Self::new(name)
        }
    }

    /// The token that is changed is as `row` says: taken in as long as nothing was changed here.
    pub fn is_about(&mut self, row: &TokenRow) {
        let same = self
            .editing
            .as_ref()
            .is_some_and(|old| old.id() == row.id());
        if same && !self.would_lose() && self.outcome == Fetch::Not {
            let fresh = Self::editing(self.name.clone(), row.clone());
            self.lines = fresh.lines;
            self.chosen = fresh.chosen;
            self.editing = fresh.editing;
        }
    }

    /// The steps of this one.
    pub fn steps(&self) -> &'static [WizardStep] {
        match self.editing {
            None => &[
                WizardStep::General,
                WizardStep::Extension,
                WizardStep::Permissions,
                WizardStep::Summary,
            ],
            Some(_) => &[
                WizardStep::General,
                WizardStep::Permissions,
                WizardStep::Summary,
            ],
        }
    }

    /// The step before or after this one.
    pub fn beside(&self, forward: bool) -> Option<WizardStep> {
        let at = self.steps().iter().position(|step| *step == self.step)?;
        let next = if forward { at + 1 } else { at.checked_sub(1)? };
        self.steps().get(next).copied()
    }

    /// Whether letters type.
    pub fn takes_text(&self) -> bool {
        match self.step {
            WizardStep::General | WizardStep::Extension | WizardStep::Permissions => true,
            WizardStep::Summary => false,
        }
    }

    /// Whether an answer is on its way.
    pub fn is_waiting(&self) -> bool {
        self.extensions.is_loading() || self.modules.is_loading() || self.outcome.is_loading()
    }

    /// Whether leaving would lose something: typed and not sent, or sent and not answered yet.
    pub fn would_lose(&self) -> bool {
        if self.outcome.here().is_some() {
            return false;
        }
        let before: BTreeSet<String> = self
            .editing
            .iter()
            .flat_map(|row| row.token.modules())
            .map(str::to_owned)
            .collect();
        self.lines.iter().any(WizardField::changed) || self.chosen != before || self.extension > 0
    }

    /// What is wrong with the lines, and which one.
    pub fn wrong(&self, now: Timestamp) -> Option<(usize, String)> {
        if self
            .lines
            .first()
            .is_some_and(|line| line.text().is_empty())
        {
            return Some((0, "a token needs a label".to_owned()));
        }
        let end = self.lines.get(3).map(|line| parse_expiry(line.text(), now));
        match end {
            Some(Err(problem)) => Some((3, problem.to_string())),
            Some(Ok(Some(at))) if at.parse::<Timestamp>().is_ok_and(|at| at <= now) => {
                Some((3, "that is over already".to_owned()))
            }
            _ => None,
        }
    }

    /// The modules that pass the filter.
    pub fn shown_modules(&self) -> Vec<&Module> {
        let wanted = self.module_filter.value().trim().to_lowercase();
        let passes = |text: &Option<String>| {
            text.as_deref()
                .is_some_and(|text| text.to_lowercase().contains(&wanted))
        };
        let all = self.modules.here().map_or(&[][..], Vec::as_slice);
        all.iter()
            .filter(|module| wanted.is_empty() || passes(&module.id) || passes(&module.name))
            .collect()
    }

    /// Chooses the selected module, or takes it back.
    pub fn switch_module(&mut self) {
        let id = self
            .shown_modules()
            .get(self.module)
            .and_then(|m| m.id.clone());
        if let Some(id) = id
            && !self.chosen.remove(&id)
        {
            self.chosen.insert(id);
        }
    }

    /// Whether all modules are chosen, also those to come.
    pub fn opens_all(&self) -> bool {
        self.chosen.contains(ALL_MODULES)
    }

    /// The modules to be asked for: where all are chosen, no other one says more.
    pub fn wanted(&self) -> Vec<String> {
        if self.opens_all() && self.editing.is_none() {
            return vec![ALL_MODULES.to_owned()];
        }
        self.chosen.iter().cloned().collect()
    }

    /// The chosen extension.
    pub fn chosen_extension(&self) -> Option<&Offered> {
        self.extensions.here()?.get(self.extension)
    }

    /// What is to be made.
    pub fn new_token(&self, now: Timestamp) -> Option<NewToken> {
        let text = |at: usize| {
            self.lines
                .get(at)
                .map(WizardField::text)
                .unwrap_or_default()
        };
        let given = |at: usize| Some(text(at).to_owned()).filter(|text| !text.is_empty());
        Some(NewToken {
            name: text(0).to_owned(),
            extension: self.chosen_extension()?.extension.id.clone()?,
            external_id: given(1),
            description: given(2),
            owner: None,
            expires: parse_expiry(text(3), now).ok()?,
        })
    }

    /// What changes of the fields.
    pub fn edit(&self) -> TokenEdit {
        let changed = |at: usize| {
            let line = self.lines.get(at).filter(|line| line.changed());
            line.map(|line| line.text().to_owned())
        };
        TokenEdit {
            name: changed(0),
            external_id: changed(1),
            description: changed(2),
        }
    }

    /// Why the modules that are chosen can't be sent: nobody knows what the token is let into, so they can't be compared.
    pub fn blind(&self) -> Option<String> {
        let row = self.editing.as_ref()?;
        if self.chosen.is_empty() || row.token.permissions.is_some() {
            return None;
        }
        Some(match &row.modules_unread {
            Some(why) => {
                format!("its modules could not be read, so none can be changed here: {why}")
            }
            None => {
                "the service does not say which modules it has: none can be changed here".to_owned()
            }
        })
    }

    /// What changes of the modules.
    pub fn difference(&self) -> Difference {
        let before = self.editing.iter().flat_map(|row| row.token.modules());
        difference(before, self.chosen.iter().map(String::as_str))
    }

    /// A module's name for people, beside its id.
    pub fn module_name(&self, id: &str) -> String {
        let known = self.modules.here().into_iter().flatten();
        let name = known
            .filter(|module| module.id.as_deref() == Some(id))
            .find_map(|module| module.name.clone());
        let held = || {
            let mut permissions = self.editing.iter().flat_map(|row| row.token.permissions());
            permissions
                .find(|permission| permission.module.as_deref() == Some(id))
                .and_then(|permission| permission.name.clone())
        };
        name.or_else(held).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::token::{Permission, Token};

    fn now() -> Timestamp {
        "2026-11-23T10:00:00Z".parse().unwrap()
    }

    fn name() -> Name {
        Name::parse("market").unwrap()
    }

    fn set(wizard: &mut Wizard, line: usize, text: &str) {
        wizard.lines[line].input = Input::new(text.to_owned());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let mut wizard = Wizard::new(name());
        assert_eq!(wizard.wrong(now()).unwrap().0, 0);
        set(&mut wizard, 0, "reports");
        assert_eq!(wizard.wrong(now()), None);
        for wrong in ["soon", "", "2020-01-01"] {
            set(&mut wizard, 3, wrong);
            assert_eq!(wizard.wrong(now()).unwrap().0, 3, "{wrong}");
        }
    }

    #[test]
    fn only_what_differs_is_sent() {
        let held = |id: &str| Permission {
            module: Some(id.to_owned()),
            ..Permission::default()
        };
        let row = TokenRow::of(Token {
            name: Some("old".into()),
            description: Some("what for".into()),
            permissions: Some(vec![held("MD-0001"), held("MD-0002")]),
            ..Token::default()
        });
        let mut wizard = Wizard::editing(name(), row);
        assert!(!wizard.would_lose() && wizard.edit().is_empty());
        assert!(wizard.difference().is_empty());
        set(&mut wizard, 0, "new");
        set(&mut wizard, 2, "");
        wizard.chosen.remove("MD-0001");
        wizard.chosen.insert("MD-0003".into());
        assert!(wizard.would_lose());
        let edit = wizard.edit();
        assert_eq!(
            (
                edit.name.as_deref(),
                edit.external_id,
                edit.description.as_deref()
            ),
            (Some("new"), None, Some(""))
        );
        assert_eq!(wizard.difference().grant, ["MD-0003"]);
        assert_eq!(wizard.difference().revoke, ["MD-0001"]);
    }

    #[test]
    fn modules_are_not_compared_with_what_nobody_has_read() {
        let mut wizard = Wizard::editing(name(), TokenRow::of(Token::default()));
        assert_eq!(wizard.blind(), None, "no module is chosen");
        wizard.chosen.insert("MD-0003".into());
        assert!(wizard.blind().unwrap().contains("does not say"));
        wizard.editing.as_mut().unwrap().modules_unread = Some("403".to_owned());
        let said = wizard.blind().unwrap();
        assert!(
            said.contains("could not be read") && said.ends_with("403"),
            "{said}"
        );
    }

    #[test]
    fn all_modules_say_everything() {
        let mut wizard = Wizard::new(name());
        wizard.chosen = ["MD-0003", ALL_MODULES].map(str::to_owned).into();
        assert_eq!(wizard.wanted(), [ALL_MODULES]);
    }
}
