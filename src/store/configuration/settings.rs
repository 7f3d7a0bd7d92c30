//! The `[settings]` table: every setting with its default and its bounds.

use std::collections::BTreeMap;

use toml::Value;

use super::fields::{FieldProblem, Fields, Table, words};
use crate::domain::{Connection, Window};
use crate::store::secrets::StoreKind;

/// Everything that can be set, with the product's defaults.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one line of the file, independent of the others"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `theme`: `dark`, `light`, `high-contrast` or `mono`; where absent, the one that fits the terminal.
    pub theme: Option<String>,
    /// `order` of the list: `worst` (default), `name`, or another word that the screen knows.
    pub order: String,
    /// `interval_s`: seconds between scheduled probes, 60.
    pub interval_s: u32,
    /// `timeout_s`: seconds that a whole probe may take, 10.
    pub timeout_s: u32,
    /// `clipboard_clear_s`: seconds until the clipboard is cleared, 20; 0 never.
    pub clipboard_clear_s: u32,
    /// `clipboard_command`: program and arguments that take the text on stdin, instead of the built-in routes.
    pub clipboard_command: Vec<String>,
    /// `lock_after_minutes`: idle minutes until everything locks, 15; 0 never.
    pub lock_after_minutes: u32,
    /// `bell`: ring the terminal's bell at changes of state.
    pub bell: bool,
    /// `notify`: raise the terminal's notification at changes of state.
    pub notify: bool,
    /// `on_change`: program and arguments run at changes of state, the verdict as JSON on stdin.
    pub on_change: Vec<String>,
    /// `command_variables`: further variables that the programs of `cmd:` and `on_change` get.
    pub command_variables: Vec<String>,
    /// `maintenance`: when all connections may fail as planned.
    pub maintenance: Vec<Window>,
    /// `mouse`: whether the screen takes the mouse.
    pub mouse: bool,
    /// `reduce_motion`: nothing moves that need not.
    pub reduce_motion: bool,
    /// `store`: where new secrets are kept; asked at the first save where absent.
    pub store: Option<StoreKind>,
    /// `[settings.keys]`: action → the keys that mean it instead of the built-in ones.
    pub keys: BTreeMap<String, Vec<String>>,
}

impl Settings {
    /// Pairs of an action and its keys. Several keys make several pairs; none make one with an empty text, which
    /// takes the action's keys away.
    pub fn remaps(&self) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for (action, keys) in &self.keys {
            if keys.is_empty() {
                pairs.push((action.clone(), String::new()));
            }
            pairs.extend(keys.iter().map(|key| (action.clone(), key.clone())));
        }
        pairs
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: None,
            order: "worst".to_owned(),
            interval_s: 60,
            timeout_s: 10,
            clipboard_clear_s: 20,
            clipboard_command: Vec::new(),
            lock_after_minutes: 15,
            bell: false,
            notify: false,
            on_change: Vec::new(),
            command_variables: Vec::new(),
            maintenance: Vec::new(),
            mouse: false,
            reduce_motion: false,
            store: None,
            keys: BTreeMap::new(),
        }
    }
}

pub(super) const KNOWN: &[&str] = &[
    "theme",
    "order",
    "interval_s",
    "timeout_s",
    "clipboard_clear_s",
    "clipboard_command",
    "lock_after_minutes",
    "bell",
    "notify",
    "on_change",
    "command_variables",
    "maintenance",
    "mouse",
    "reduce_motion",
    "store",
    "keys",
];

const STORES: &[(&str, StoreKind)] = &[
    ("keyring", StoreKind::Keyring),
    ("vault", StoreKind::Vault),
    ("ask", StoreKind::Ask),
];

pub(super) fn read(table: &Table) -> Result<Settings, FieldProblem> {
    let fields = Fields { table, at: 0 };
    let default = Settings::default();
    Ok(Settings {
        theme: given(fields, "theme")?,
        order: text(fields, "order", default.order)?,
        interval_s: fields
            .number("interval_s", Connection::INTERVAL_S)?
            .unwrap_or(default.interval_s),
        timeout_s: fields
            .number("timeout_s", Connection::TIMEOUT_S)?
            .unwrap_or(default.timeout_s),
        clipboard_clear_s: fields
            .number("clipboard_clear_s", 0..=86_400)?
            .unwrap_or(default.clipboard_clear_s),
        clipboard_command: program(fields, "clipboard_command")?,
        lock_after_minutes: fields
            .number("lock_after_minutes", 0..=10_080)?
            .unwrap_or(default.lock_after_minutes),
        bell: fields.flag("bell")?.unwrap_or_default(),
        notify: fields.flag("notify")?.unwrap_or_default(),
        on_change: program(fields, "on_change")?,
        command_variables: fields.words("command_variables")?.unwrap_or_default(),
        maintenance: fields.windows()?,
        mouse: fields.flag("mouse")?.unwrap_or_default(),
        reduce_motion: fields.flag("reduce_motion")?.unwrap_or_default(),
        store: fields.choice("store", STORES)?,
        keys: keys(fields)?,
    })
}

fn text(fields: Fields<'_>, key: &str, default: String) -> Result<String, FieldProblem> {
    Ok(given(fields, key)?.unwrap_or(default))
}

fn given(fields: Fields<'_>, key: &str) -> Result<Option<String>, FieldProblem> {
    match fields.text(key)? {
        Some("") => Err(fields.wrong(key, format!("`{key}` is empty"))),
        text => Ok(text.map(str::to_owned)),
    }
}

fn program(fields: Fields<'_>, key: &str) -> Result<Vec<String>, FieldProblem> {
    let words = fields.words(key)?.unwrap_or_default();
    if words.first().is_some_and(String::is_empty) {
        return Err(fields.wrong(
            key,
            format!("`{key}` starts with the program: [\"program\", \"argument\"]"),
        ));
    }
    Ok(words)
}

fn keys(fields: Fields<'_>) -> Result<BTreeMap<String, Vec<String>>, FieldProblem> {
    const SHAPE: &str =
        "`keys` is a table of actions, each with a key or a list of keys: probe = [\"r\", \"F5\"]";
    let Some((value, span)) = fields.value("keys") else {
        return Ok(BTreeMap::new());
    };
    let table = value
        .as_table()
        .ok_or_else(|| FieldProblem::new(&span, SHAPE))?;
    table
        .iter()
        .map(|(action, value)| {
            let keys = match value {
                Value::String(key) => Some(vec![key.clone()]),
                list => words(list),
            };
            let keys =
                keys.filter(|keys| keys.iter().all(|key| !key.chars().any(char::is_control)));
            keys.map(|keys| (action.clone(), keys))
                .ok_or_else(|| FieldProblem::new(&span, SHAPE))
        })
        .collect()
}
