//! Which key means what: one table as data, from which footer, help, palette and the README's table are made.
//!
//! In lists letters are actions. In a text field letters type, and every action that has a letter is at
//! Alt + that letter.

pub mod action;
pub mod key;

use std::collections::HashMap;

pub use action::{Action, HelpGroup, HelpRow, Scope};
pub use key::KeyPress;

/// The table as it is in force: the defaults with what the user remapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    keys: HashMap<Action, Vec<KeyPress>>,
    lists: HashMap<KeyPress, Action>,
    fields: HashMap<KeyPress, Action>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self::remapped(&[]).0
    }
}

impl Keymap {
    /// The defaults with `remaps` (action name → keys, several divided by blanks or in pairs of their own; an
    /// empty text takes the action's keys away), and a sentence for everything in them that could not be done.
    pub fn remapped(remaps: &[(String, String)]) -> (Self, Vec<String>) {
        let mut warnings = Vec::new();
        let mut chosen: Vec<(Action, Vec<KeyPress>)> = Vec::new();
        for (name, text) in remaps {
            match Action::from_name(name) {
                None => warnings.push(format!("keys: no action is called \"{}\"", shown(name))),
                Some(action) => {
                    let keys = read_keys(action, text, &mut warnings);
                    match chosen.iter_mut().find(|(other, _)| *other == action) {
                        Some((_, known)) => known.extend(keys),
                        None if keys.is_empty() && !text.trim().is_empty() => {}
                        None => chosen.push((action, keys)),
                    }
                }
            }
        }
        let mut map = Self {
            keys: HashMap::new(),
            lists: HashMap::new(),
            fields: HashMap::new(),
        };
        for (action, keys) in &chosen {
            map.bind(*action, keys, &mut warnings);
        }
        for row in action::TABLE {
            if !chosen.iter().any(|(action, _)| *action == row.action) {
                let keys: Vec<_> = row
                    .keys
                    .iter()
                    .filter_map(|text| KeyPress::parse(text))
                    .collect();
                map.bind(row.action, &keys, &mut warnings);
            }
        }
        (map, warnings)
    }

    /// What `key` means where letters are actions.
    pub fn in_lists(&self, key: KeyPress) -> Option<Action> {
        self.lists.get(&key).copied()
    }

    /// What `key` means in a text field.
    pub fn in_fields(&self, key: KeyPress) -> Option<Action> {
        self.fields.get(&key).copied()
    }

    /// The keys of `action` as they are outside text fields.
    pub fn keys(&self, action: Action) -> &[KeyPress] {
        self.keys.get(&action).map_or(&[], Vec::as_slice)
    }

    /// The first key of `action`, as it is shown where letters are actions.
    pub fn list_key(&self, action: Action) -> Option<String> {
        self.keys(action).first().map(ToString::to_string)
    }

    /// The first key of `action`, as it is shown in a text field: at Alt where it is a letter.
    pub fn field_key(&self, action: Action) -> Option<String> {
        self.keys(action)
            .first()
            .map(|key| key.for_field().to_string())
    }

    fn bind(&mut self, action: Action, keys: &[KeyPress], warnings: &mut Vec<String>) {
        let scope = action.row().scope;
        let mut kept = Vec::with_capacity(keys.len());
        for &key in keys {
            let taken = self.taken(scope, key);
            if let Some(owner) = taken.filter(|owner| *owner != action) {
                warnings.push(format!(
                    "keys: {key} is {} already, so it is not {}",
                    owner.name(),
                    action.name()
                ));
                continue;
            }
            if scope != Scope::Fields {
                self.lists.insert(key, action);
            }
            if scope != Scope::Lists {
                self.fields.insert(key.for_field(), action);
            }
            kept.push(key);
        }
        self.keys.insert(action, kept);
    }

    fn taken(&self, scope: Scope, key: KeyPress) -> Option<Action> {
        let in_lists = self.lists.get(&key).filter(|_| scope != Scope::Fields);
        let in_fields = self
            .fields
            .get(&key.for_field())
            .filter(|_| scope != Scope::Lists);
        in_lists.or(in_fields).copied()
    }
}

fn read_keys(action: Action, text: &str, warnings: &mut Vec<String>) -> Vec<KeyPress> {
    let mut keys = Vec::new();
    for word in text.split_whitespace() {
        match KeyPress::parse(word) {
            Some(key) if action.row().scope == Scope::Fields && key.types() => {
                warnings.push(format!(
                    "keys: {key} types in a text field, so it can't be {}",
                    action.name()
                ));
            }
            Some(key) => keys.push(key),
            None => warnings.push(format!(
                "keys: \"{}\" is no key, such as r, ctrl-s, alt-x, f5, enter or pgup",
                shown(word)
            )),
        }
    }
    keys
}

fn shown(text: &str) -> String {
    crate::domain::text::inert(text, 40)
}
