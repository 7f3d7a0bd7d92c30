//! Keys and words of the footer for tokens.

use super::account::LastUse;
use super::exchange::TokenOperation;
use super::sheet::{RenewalStage, Tab};
use super::wizard::{Wizard, WizardOutcome, WizardStep};
use super::{TokenRow, TokenSheet};
use crate::app::keymap::Action;
use crate::app::model::Model;
use crate::domain::token::Status;

type Keys = Vec<(String, &'static str)>;

/// The keys of what lies over the panes, or of the filter being typed; nothing where neither is there.
pub fn sheet_keys(model: &Model) -> Option<Keys> {
    let keys = keys_of_sheet(model)?;
    Some(in_force(model, model.tokens.takes_text(), keys))
}

/// The keys that lead on and back, as they were remapped: where letters type, or where they are actions.
pub(in crate::app) fn in_force(model: &Model, types: bool, mut keys: Keys) -> Keys {
    for (key, _) in &mut keys {
        let (typing, acting) = match key.as_str() {
            "Enter" => (Action::Accept, Action::Open),
            "Esc" => (Action::Leave, Action::Back),
            "Tab" => (Action::NextField, Action::NextPane),
            _ => continue,
        };
        let action = if types { typing } else { acting };
        // Those of fields are no letters, and stand as they are.
        if let Some(shown) = model.keymap.list_key(action) {
            *key = shown;
        }
    }
    keys
}

fn keys_of_sheet(model: &Model) -> Option<Keys> {
    let listed = |actions: &[Action]| actions_of(model, actions);
    Some(match model.tokens.sheet() {
        None if model.tokens.takes_text() => typed(&[("Enter", "keep"), ("Esc", "clear")]),
        None => return None,
        Some(TokenSheet::Details(details)) if details.filtering => {
            typed(&[("Enter", "keep"), ("Esc", "clear")])
        }
        Some(TokenSheet::Details(details)) => {
            let mut keys = typed(&[("Tab", "next part")]);
            // The way out has room on every screen.
            let mut actions = vec![Action::Back, Action::Reveal, Action::Copy];
            if details.tab == Tab::Permissions {
                actions.insert(1, Action::Filter);
            }
            if may_change(model, &details.name) {
                actions.extend([
                    Action::Edit,
                    Action::SwitchToken,
                    Action::RenewToken,
                    Action::RotateToken,
                    Action::Delete,
                ]);
            }
            actions.push(Action::LoadTokens);
            if model.war_room {
                actions.retain(|action| !matches!(action, Action::Reveal | Action::Copy));
            }
            keys.extend(listed(&actions));
            keys
        }
        Some(TokenSheet::Wizard(wizard)) => wizard_keys(model, wizard),
        Some(TokenSheet::Confirm(confirm)) if confirm.sent.is_some() => Vec::new(),
        Some(TokenSheet::Confirm(confirm)) => {
            typed(&[("Enter", confirm.doing.verb()), ("Esc", "leave it")])
        }
        Some(TokenSheet::Renewal(renewal)) => match &renewal.stage {
            RenewalStage::Asking => typed(&[
                ("Enter", TokenOperation::from(renewal.how).verb()),
                ("Esc", "leave it"),
            ]),
            RenewalStage::Running { .. } => Vec::new(),
            RenewalStage::Done(_) => listed(&[Action::Copy, Action::Back]),
            RenewalStage::Failed { .. } if renewal.only_secret().is_some() => {
                listed(&[Action::Reveal, Action::Copy, Action::Back])
            }
            RenewalStage::Failed { .. } => listed(&[Action::Back]),
        },
        Some(TokenSheet::Unfinished(_)) => {
            typed(&[("Enter", "go on"), ("↑ ↓", "choose"), ("Esc", "later")])
        }
        Some(TokenSheet::ExpiryHorizon(_)) => {
            let mut keys = typed(&[("Enter", "open"), ("↑ ↓", "choose")]);
            keys.extend(listed(&[Action::LoadTokens, Action::Back]));
            keys
        }
    })
}

fn wizard_keys(model: &Model, wizard: &Wizard) -> Keys {
    match (wizard.step, wizard.outcome.here()) {
        (WizardStep::General, _) => typed(&[("Enter", "next"), ("Tab", "line"), ("Esc", "leave")]),
        (WizardStep::Extension, _) => typed(&[
            ("Enter", "next"),
            ("↑ ↓", "choose"),
            ("PgUp", "step back"),
            ("Esc", "leave"),
        ]),
        (WizardStep::Permissions, _) => typed(&[
            ("Space", "take"),
            ("Enter", "next"),
            ("Esc", "leave"),
            ("PgUp", "step back"),
            ("↑ ↓", "choose"),
            ("letters", "find"),
        ]),
        (WizardStep::Summary, None) => {
            let word = match wizard.editing {
                None => "create it",
                Some(_) => "send it",
            };
            typed(&[("Enter", word), ("PgUp", "step back"), ("Esc", "leave")])
        }
        (WizardStep::Summary, Some(WizardOutcome::Made(made))) => {
            let mut keys = typed(&[("Enter", "go to details")]);
            if made.trouble.is_some() {
                keys.extend(relabelled(model, Action::LoadTokens, "try again"));
                keys.extend(relabelled(model, Action::Delete, "delete it"));
            }
            keys.extend(actions_of(model, &[Action::Copy, Action::Reveal]));
            keys.extend(typed(&[("Esc", "close")]));
            keys
        }
        (WizardStep::Summary, Some(WizardOutcome::Changed(_))) => {
            let mut keys: Keys = relabelled(model, Action::LoadTokens, "try again")
                .into_iter()
                .collect();
            keys.extend(typed(&[("Esc", "close")]));
            keys
        }
    }
}

fn relabelled(model: &Model, action: Action, word: &'static str) -> Option<(String, &'static str)> {
    Some((model.keymap.list_key(action)?, word))
}

fn typed(keys: &[(&str, &'static str)]) -> Keys {
    keys.iter()
        .map(|(key, hint)| ((*key).to_owned(), *hint))
        .collect()
}

fn actions_of(model: &Model, actions: &[Action]) -> Keys {
    actions
        .iter()
        .filter_map(|action| Some((model.keymap.list_key(*action)?, action.row().hint)))
        .collect()
}

fn may_change(model: &Model, name: &crate::domain::Name) -> bool {
    let entry = model.entries.get(name);
    !model.war_room && entry.is_some_and(|entry| !entry.connection.read_only)
}

/// What can be done in the tokens pane of a connection with an account.
pub fn pane_actions(model: &Model) -> Vec<Action> {
    use Action::{
        AddToken, Copy, CopyAs, Delete, Edit, Expiries, Filter, Help, LoadTokens, NewToken, Open,
        Order, Palette, Quit, RenewToken, Reveal, RotateToken, SwitchToken, TokenGroup, Zoom,
    };
    let mut actions = match (model.account_list(), model.selected_token()) {
        (None, _) => vec![
            LoadTokens, Reveal, Copy, CopyAs, AddToken, NewToken, Palette, Help, Quit,
        ],
        (Some(_), Some(_)) => vec![
            Open,
            Reveal,
            Copy,
            NewToken,
            Edit,
            SwitchToken,
            RenewToken,
            Filter,
            Palette,
            Help,
            RotateToken,
            Delete,
            TokenGroup,
            Order,
            Zoom,
            LoadTokens,
            Expiries,
            Quit,
        ],
        (Some(_), None) => vec![
            Reveal, Copy, NewToken, Filter, TokenGroup, Order, Zoom, LoadTokens, Help, Palette,
            Quit,
        ],
    };
    let name = model.list.selected.as_ref();
    if !name.is_some_and(|name| may_change(model, name)) {
        let changes = |action: &Action| {
            matches!(
                action,
                NewToken | Edit | SwitchToken | RenewToken | RotateToken | Delete
            )
        };
        actions.retain(|action| !changes(action));
    }
    actions
}

/// The words of a token's status; what is not known is shown as it came.
pub fn status(row: &TokenRow, own_id: &str) -> String {
    let word = row.token.status.word().unwrap_or("–");
    if row.id() == Some(own_id) {
        match row.token.status {
            Status::Active => "in use".to_owned(),
            Status::Pending
            | Status::Inactive
            | Status::Deleted
            | Status::Expiring
            | Status::Expired
            | Status::Revitalised
            | Status::Other(_)
            | Status::Missing => format!("in use, {word}"),
        }
    } else {
        word.to_owned()
    }
}

/// The words of a token's last use; whether it is idle does not hang on a colour.
pub fn last_use(last_used: LastUse, idle: bool) -> String {
    match last_used {
        LastUse::Unasked => "…".to_owned(),
        LastUse::Never => "idle, no use".to_owned(),
        LastUse::On(date) if idle => format!("idle {date}"),
        LastUse::On(date) => date.to_string(),
        LastUse::NotTold => "–".to_owned(),
    }
}
