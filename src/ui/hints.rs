//! Which keys the footer, the help and the palette show: made from the one table.

use crate::app::Action;
use crate::app::Model;
use crate::app::keymap::action::{Row, TABLE};
use crate::app::model::Pane;

/// Keys and words for the footer, the most useful first.
pub(super) fn footer(model: &Model) -> Vec<(String, &'static str)> {
    use Action::{
        Copy, Edit, Filter, Further, Help, Leave, New, NextPane, Open, Palette, Probe, Reveal, Save,
    };
    let typing = model.form.as_ref().is_some_and(|form| !form.parked) && model.focus == Pane::Form;
    let actions: &[Action] = if typing {
        &[Save, Leave, Further, Probe, Reveal, Palette, Help]
    } else {
        match model.focus {
            Pane::List => &[New, Edit, Probe, Reveal, Copy, Filter, Palette, Help],
            Pane::Form => &[Open, New, Probe, Reveal, Copy, NextPane, Palette, Help],
            Pane::Response => &[
                Probe,
                Action::CopySnippet,
                Action::UseUrl,
                Action::Bisect,
                Palette,
                Help,
            ],
            Pane::Tokens => &[
                Reveal,
                Copy,
                Action::CopyAs,
                Action::AddToken,
                Palette,
                Help,
            ],
        }
    };
    let shown = actions.iter().filter_map(|action| {
        let key = if typing {
            model.keymap.field_key(*action)
        } else {
            model.keymap.list_key(*action)
        };
        Some((key?, action.row().hint))
    });
    shown.collect()
}

/// The rows of the help for the focused pane.
pub(super) fn help(model: &Model) -> Vec<(String, &'static Row)> {
    let shown = TABLE
        .iter()
        .filter(|row| row.panes.is_empty() || row.panes.contains(&model.focus));
    shown
        .filter_map(|row| {
            let keys: Vec<String> = model
                .keymap
                .keys(row.action)
                .iter()
                .map(ToString::to_string)
                .collect();
            (!keys.is_empty()).then(|| (keys.join(" "), row))
        })
        .collect()
}

/// The rows of the palette for what was typed.
pub(super) fn palette(model: &Model, typed: &str) -> Vec<(String, &'static Row)> {
    let typed = typed.trim().to_lowercase();
    let rows = TABLE
        .iter()
        .filter(|row| row.name.contains(&typed) || row.help.to_lowercase().contains(&typed));
    rows.map(|row| (model.keymap.list_key(row.action).unwrap_or_default(), row))
        .collect()
}
