//! A token being made or changed, step by step. Back and forth loses nothing that was typed.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tui_input::Input;

use super::account::TokenRow;
use super::exchange::{Changed, Made, Offered};
use super::failure::Trouble;
use super::{EXPIRY_LIMIT, Fetch};
use crate::domain::Name;
use crate::domain::token::{
    ALL_MODULES, DESCRIPTION_LIMIT, Difference, Guard, LABEL_LIMIT, Module, NewToken, Token,
    TokenEdit, USUAL_END, difference, parse_expiry,
};

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

/// Which way: from step to step, and from line to line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// To the one after.
    Next,
    /// To the one before.
    Previous,
}

/// A line of the first step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WizardLine {
    /// What it is called.
    Label,
    /// The person's own id of it.
    ExternalId,
    /// What it is for.
    Description,
    /// When it ends.
    Expires,
}

impl WizardLine {
    /// In the order in which they stand.
    const ALL: [Self; 4] = [
        Self::Label,
        Self::ExternalId,
        Self::Description,
        Self::Expires,
    ];

    /// Its title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Label => "Label",
            Self::ExternalId => "External id",
            Self::Description => "Description",
            Self::Expires => "Expires",
        }
    }

    /// Characters at most.
    pub const fn limit(self) -> usize {
        match self {
            Self::Label | Self::ExternalId => LABEL_LIMIT,
            Self::Description => DESCRIPTION_LIMIT,
            Self::Expires => EXPIRY_LIMIT,
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
    /// The lines of the first step.
    pub lines: WizardLines,
    /// Which of them has the cursor.
    pub line: WizardLine,
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

/// The lines of the first step, as typed.
#[derive(Debug)]
pub struct WizardLines {
    /// What it is called.
    pub label: WizardField,
    /// The person's own id of it.
    pub external_id: WizardField,
    /// What it is for.
    pub description: WizardField,
    /// When it ends; not there where a token is changed.
    pub expires: Option<WizardField>,
}

impl WizardLines {
    fn of_new() -> Self {
        Self {
            label: WizardField::new(""),
            external_id: WizardField::new(""),
            description: WizardField::new(""),
            expires: Some(WizardField::new(USUAL_END)),
        }
    }

    fn of(token: &Token) -> Self {
        let field = |text: &Option<String>| WizardField::new(text.as_deref().unwrap_or_default());
        Self {
            label: field(&token.name),
            external_id: field(&token.external_id),
            description: field(&token.description),
            expires: None,
        }
    }

    /// Those that are there, in the order in which they stand.
    pub fn shown(&self) -> impl Iterator<Item = (WizardLine, &WizardField)> {
        let lines = WizardLine::ALL.into_iter();
        lines.filter_map(|line| Some((line, self.field(line)?)))
    }

    fn field(&self, line: WizardLine) -> Option<&WizardField> {
        match line {
            WizardLine::Label => Some(&self.label),
            WizardLine::ExternalId => Some(&self.external_id),
            WizardLine::Description => Some(&self.description),
            WizardLine::Expires => self.expires.as_ref(),
        }
    }

    /// What stands in `line`, to be typed in; nothing where it is not there.
    pub fn field_mut(&mut self, line: WizardLine) -> Option<&mut WizardField> {
        match line {
            WizardLine::Label => Some(&mut self.label),
            WizardLine::ExternalId => Some(&mut self.external_id),
            WizardLine::Description => Some(&mut self.description),
            WizardLine::Expires => self.expires.as_mut(),
        }
    }

    /// The line before or after `line`.
    pub fn beside(&self, line: WizardLine, turn: Turn) -> Option<WizardLine> {
        let lines = self.shown().map(|(line, _)| line);
        match turn {
            Turn::Next => lines.skip_while(|shown| *shown != line).nth(1),
            Turn::Previous => lines.take_while(|shown| *shown != line).last(),
        }
    }
}

/// What stands in one line.
#[derive(Debug)]
pub struct WizardField {
    /// What was typed.
    pub input: Input,
    /// What stood here at first.
    before: String,
}

impl WizardField {
    fn new(text: &str) -> Self {
        Self {
            input: Input::new(text.to_owned()),
            before: text.to_owned(),
        }
    }

    /// What was typed, without blanks at its ends.
    pub fn text(&self) -> &str {
        self.input.value().trim()
    }

    /// What was typed, where anything was.
    fn given(&self) -> Option<String> {
        Some(self.text().to_owned()).filter(|text| !text.is_empty())
    }

    fn is_changed(&self) -> bool {
        self.text() != self.before.trim()
    }

    /// What was typed, where it is not what stood here.
    fn changed(&self) -> Option<String> {
        self.is_changed().then(|| self.text().to_owned())
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
            lines: WizardLines::of_new(),
            line: WizardLine::Label,
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
        Self {
            lines: WizardLines::of(&row.token),
            chosen: row.token.modules().into_iter().map(str::to_owned).collect(),
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
    pub fn beside(&self, turn: Turn) -> Option<WizardStep> {
        let at = self.steps().iter().position(|step| *step == self.step)?;
        let next = match turn {
            Turn::Next => at + 1,
            Turn::Previous => at.checked_sub(1)?,
        };
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
        let mut lines = self.lines.shown();
        lines.any(|(_, field)| field.is_changed()) || self.chosen != before || self.extension > 0
    }

    /// What is wrong with the lines, and which one.
    pub fn wrong(&self, now: Timestamp) -> Option<(WizardLine, String)> {
        if self.lines.label.text().is_empty() {
            return Some((WizardLine::Label, "a token needs a label".to_owned()));
        }
        let expires = self.lines.expires.as_ref();
        match expires.map(|field| parse_expiry(field.text(), now)) {
            Some(Err(problem)) => Some((WizardLine::Expires, problem.to_string())),
            Some(Ok(Some(at))) if at.parse::<Timestamp>().is_ok_and(|at| at <= now) => {
                Some((WizardLine::Expires, "that is over already".to_owned()))
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
        let lines = &self.lines;
        Some(NewToken {
            name: lines.label.text().to_owned(),
            extension: self.chosen_extension()?.extension.id.clone()?,
            external_id: lines.external_id.given(),
            description: lines.description.given(),
            owner: None,
            expires: parse_expiry(lines.expires.as_ref()?.text(), now).ok()?,
        })
    }

    /// What changes of the fields.
    pub fn edit(&self) -> TokenEdit {
        TokenEdit {
            name: self.lines.label.changed(),
            external_id: self.lines.external_id.changed(),
            description: self.lines.description.changed(),
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
    use crate::domain::token::Permission;

    fn now() -> Timestamp {
        "2026-11-23T10:00:00Z".parse().unwrap()
    }

    fn name() -> Name {
        Name::parse("market").unwrap()
    }

    fn set(wizard: &mut Wizard, line: WizardLine, text: &str) {
        wizard.lines.field_mut(line).unwrap().input = Input::new(text.to_owned());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let mut wizard = Wizard::new(name());
        assert_eq!(wizard.wrong(now()).unwrap().0, WizardLine::Label);
        set(&mut wizard, WizardLine::Label, "reports");
        assert_eq!(wizard.wrong(now()), None);
        for wrong in ["soon", "", "2020-01-01"] {
            set(&mut wizard, WizardLine::Expires, wrong);
            let line = wizard.wrong(now()).unwrap().0;
            assert_eq!(line, WizardLine::Expires, "{wrong}");
        }
    }

    #[test]
    fn the_lines_follow_each_other_and_a_changed_token_has_no_end() {
        let new = Wizard::new(name());
        let old = Wizard::editing(name(), TokenRow::of(Token::default()));
        let titles = |wizard: &Wizard| -> Vec<_> {
            let lines = wizard.lines.shown();
            lines.map(|(line, _)| line.title()).collect()
        };
        let all = ["Label", "External id", "Description", "Expires"];
        assert_eq!(titles(&new), all);
        assert_eq!(titles(&old), all[..3]);
        for (wizard, last) in [(&new, WizardLine::Expires), (&old, WizardLine::Description)] {
            let lines = &wizard.lines;
            let mut walked = vec![WizardLine::Label];
            while let Some(next) = lines.beside(walked[walked.len() - 1], Turn::Next) {
                assert_eq!(lines.beside(next, Turn::Previous), walked.last().copied());
                walked.push(next);
            }
            assert_eq!(walked.last(), Some(&last));
            assert_eq!(lines.beside(WizardLine::Label, Turn::Previous), None);
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
        set(&mut wizard, WizardLine::Label, "new");
        set(&mut wizard, WizardLine::Description, "");
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
