//! What footer, help and palette show: made from the one table of keys.

use super::filter::Filter;
use super::keymap::action::{HelpRow, TABLE};
use super::keymap::{Action, HelpGroup, Keymap, Scope};
use super::model::{LoadState, Model, Overlay, Pane};
use super::watching::board::BoardView;
use crate::domain::{Reason, Verdict};

/// Keys and words for the footer, the most useful first: the screen shows as many as fit.
pub fn footer(model: &Model) -> Vec<(String, &'static str)> {
    if let Some(overlay) = &model.overlay {
        return overlay_keys(overlay);
    }
    if let Some(keys) = super::tokens::hints::sheet_keys(model) {
        return keys;
    }
    if model.list.filtering {
        let keys = [("Enter", "keep"), ("Esc", "clear"), ("↑ ↓", "move")];
        let keys = keys.map(|(key, hint)| (key.to_owned(), hint)).into();
        return super::tokens::hints::in_force(model, true, keys);
    }
    if model.is_editing() {
        let keys = |action| model.keymap.field_key(action);
        return rows(field_actions(model), keys);
    }
    footer_of_lists(model)
}

fn footer_of_lists(model: &Model) -> Vec<(String, &'static str)> {
    let keys = |action| model.keymap.list_key(action);
    if model.board.is_open() {
        let shown = rows(model.table_actions(), keys).into_iter();
        return shown
            .map(|(key, hint)| (key, model.board.hint(hint)))
            .collect();
    }
    rows(list_actions(model), keys)
}

fn rows(
    actions: Vec<Action>,
    key: impl Fn(Action) -> Option<String>,
) -> Vec<(String, &'static str)> {
    actions
        .into_iter()
        .filter_map(|action| Some((key(action)?, action.row().hint)))
        .collect()
}

/// Whether a verdict says that credentials arrive by headers and by nothing else.
pub(super) fn by_headers_alone(verdict: &Verdict) -> bool {
    verdict.reason == Reason::AuthorizationStripped
}

fn field_actions(model: &Model) -> Vec<Action> {
    let Some(form) = &model.form else {
        return Vec::new();
    };
    let verdict = form.verdict.as_deref();
    let corrected = form.hint.as_ref().is_some_and(|hint| hint.url.is_some())
        || verdict.is_some_and(|verdict| verdict.remedy.url.is_some());
    let snippet = verdict.is_some_and(|verdict| verdict.remedy.snippet.is_some());
    let mut actions = Vec::new();
    actions.extend(form.undo.as_ref().map(|_| Action::Undo));
    actions.extend(corrected.then_some(Action::UseUrl));
    actions.extend(
        verdict
            .is_some_and(by_headers_alone)
            .then_some(Action::UseHeaders),
    );
    actions.extend([Action::Save, Action::Leave, Action::Accept, Action::Further]);
    actions.extend([Action::Probe, Action::Reveal]);
    actions.extend(snippet.then_some(Action::CopySnippet));
    actions.extend([Action::Palette, Action::Help]);
    actions
}

/// What the war-room refuses.
const REFUSED_TO_GUESTS: [Action; 7] = [
    Action::New,
    Action::Edit,
    Action::Reveal,
    Action::Copy,
    Action::CopyAs,
    Action::AddToken,
    Action::SharedToken,
];

fn list_actions(model: &Model) -> Vec<Action> {
    use Action::{
        AddToken, Bisect, Copy, CopyAs, CopySnippet, Edit, Filter, Help, New, Open, Palette, Probe,
        Quit, Resume, Reveal, SharedToken, UseHeaders, UseUrl, WatchTable,
    };
    let verdict = model.shown_verdict();
    let paused = verdict.is_some_and(crate::domain::Verdict::can_be_resumed);
    let corrected = verdict.is_some_and(|v| v.remedy.url.is_some());
    let snippet = verdict.is_some_and(|v| v.remedy.snippet.is_some());
    let stripped = verdict.is_some_and(by_headers_alone);
    let mut actions = match model.focus {
        Pane::List => vec![
            New, Edit, Probe, Reveal, Copy, Filter, Palette, Help, WatchTable, Quit,
        ],
        Pane::Form => vec![Edit, Probe, Reveal, Copy, New, Palette, Help, Quit],
        Pane::Response => vec![Probe, Bisect, Edit, Palette, Help, Quit],
        Pane::Tokens if model.has_account() => super::tokens::hints::pane_actions(model),
        Pane::Tokens => vec![
            Reveal,
            Copy,
            CopyAs,
            AddToken,
            Palette,
            Help,
            Quit,
            SharedToken,
        ],
    };
    if model.entries.is_empty() {
        actions.retain(|action| matches!(action, New | Open | Palette | Help | Quit));
        if model.banner.is_empty() {
            let at = actions.len().min(1);
            actions.splice(at..at, [Action::Demo, Action::Import]);
        }
        if matches!(model.loaded, LoadState::Failed(_)) {
            actions.retain(|action| !matches!(action, New | Action::Import));
        }
    }
    if model.list.visible.is_empty() && !model.entries.is_empty() {
        actions
            .retain(|action| matches!(action, New | Filter | Palette | Help | WatchTable | Quit));
        actions.insert(0, Action::Back);
    }
    if model.war_room {
        actions.retain(|action| !REFUSED_TO_GUESTS.contains(action));
        actions.push(Action::WarRoom);
    }
    let useful = [
        (paused, Resume),
        (corrected && !model.war_room, UseUrl),
        (stripped && !model.war_room, UseHeaders),
        (snippet && !model.war_room, CopySnippet),
    ];
    let useful = useful.into_iter().filter(|(useful, _)| *useful);
    let at = actions.len().min(2);
    actions.splice(at..at, useful.map(|(_, action)| action));
    actions
}

fn overlay_keys(overlay: &Overlay) -> Vec<(String, &'static str)> {
    let keys: &[(&str, &'static str)] = match overlay {
        Overlay::Help { .. } => &[("↑ ↓", "scroll"), ("Esc", "close")],
        Overlay::Palette { .. } => &[("Enter", "run"), ("↑ ↓", "choose"), ("Esc", "close")],
        Overlay::Confirm(_) => &[("y", "yes"), ("n", "no")],
        Overlay::ChooseStore { .. } | Overlay::CopyAs { .. } => {
            &[("Enter", "take"), ("↑ ↓", "choose"), ("Esc", "cancel")]
        }
        Overlay::Passphrase(_) => &[("Enter", "go on"), ("Esc", "cancel")],
        Overlay::AddToken(_) => &[("Enter", "next, store"), ("Tab", "line"), ("Esc", "cancel")],
        Overlay::SharedToken(sheet) => sheet.keys(),
        Overlay::Watching(overlay) => overlay.keys(),
    };
    keys.iter()
        .map(|(key, hint)| ((*key).to_owned(), *hint))
        .collect()
}

/// What the help is about, where that is no pane: what lies over the panes, and its keys.
pub fn over_the_panes(model: &Model) -> Option<(&'static str, Vec<(String, &'static str)>)> {
    if let Some(sheet) = model.tokens.sheet() {
        return Some((sheet.title(), super::tokens::hints::sheet_keys(model)?));
    }
    matches!(model.board.view, BoardView::Detail(_))
        .then(|| ("One connection", footer_of_lists(model)))
}

/// The rows of the help for the focused pane, or for what lies over it: all their keys, what they do, and under which
/// heading they stand.
pub fn help(model: &Model) -> Vec<(String, &'static str, HelpGroup)> {
    let over = over_the_panes(model);
    let own = over.as_ref().map_or(&[][..], |(_, keys)| keys);
    let editing = model.is_editing() || model.tokens.takes_text();
    let said = |row: &HelpRow| {
        let hint = model.board.hint(row.hint);
        own.iter().any(|(_, word)| *word == hint)
    };
    // One connection over time takes the keys of the list, and those on its verdict.
    let works_over_time = |row: &HelpRow| {
        let panes = [Pane::List, Pane::Response];
        let takes = row.panes.is_empty() || panes.iter().any(|pane| row.panes.contains(pane));
        takes && row.action != Action::Open
    };
    let listed = TABLE
        .iter()
        .filter(|row| match over {
            None => row.panes.is_empty() || row.panes.contains(&model.focus),
            Some(_) if model.tokens.sheet().is_some() => {
                row.action.is_of_the_screen() && !said(row)
            }
            Some(_) => works_over_time(row) && !said(row),
        })
        .filter(|row| match row.scope {
            Scope::Lists => !editing,
            Scope::Fields => editing,
            Scope::Both => true,
        })
        .filter_map(|row| {
            let keys = model.keymap.keys(row.action).iter();
            let keys: Vec<String> = if editing {
                keys.map(|key| key.for_field().to_string()).collect()
            } else {
                keys.map(ToString::to_string).collect()
            };
            (!keys.is_empty()).then(|| (keys.join(" "), row.help, row.group))
        });
    let own = own
        .iter()
        .map(|(key, word)| (key.clone(), sentence(word), HelpGroup::Edit));
    own.chain(listed).collect()
}

/// What a word of the footer means at length.
fn sentence(word: &'static str) -> &'static str {
    match word {
        "next part" => "The next part: General, Permissions, Usage",
        "span" => "The next span of time: an hour, a day, 30 days, a year",
        "back" => "Back to what lies below",
        _ => TABLE
            .iter()
            .find(|row| row.hint == word)
            .map_or(word, |row| row.help),
    }
}

/// The table for people, in Markdown: key, key in a text field, what it does. The README's is this one. Moving
/// about is left out: arrows, Tab, Enter and Esc do as everywhere, and the screen's own help lists them.
pub fn markdown(keymap: &Keymap) -> String {
    let told = TABLE.iter().filter(|row| row.group != HelpGroup::Move);
    let rows = told.map(|row| {
        let keys = keymap.keys(row.action);
        let list = |field: bool| -> String {
            let shown = keys
                .iter()
                .map(|key| if field { key.for_field() } else { *key });
            shown
                .map(|key| format!("`{key}`"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let (lists, fields) = match row.scope {
            Scope::Lists => (list(false), String::new()),
            Scope::Fields => (String::new(), list(true)),
            Scope::Both => (list(false), list(true)),
        };
        let lists = if keys.is_empty() {
            format!("`:{}`", row.name)
        } else {
            lists
        };
        format!("| {lists} | {fields} | {} |\n", row.help)
    });
    let head = "| key | in a text field | does |\n|---|---|---|\n".to_owned();
    std::iter::once(head).chain(rows).collect()
}

/// The rows of the palette for what was typed, the best first; with nothing typed all, as in the table.
/// Moving about is left out: it has keys.
pub fn palette(model: &Model, typed: &str) -> Vec<(String, &'static HelpRow)> {
    let mut filter = Filter::letters(typed);
    let mut rows: Vec<(u32, &'static HelpRow)> = TABLE
        .iter()
        .filter(|row| row.group != HelpGroup::Move && row.scope != Scope::Fields)
        .filter_map(|row| Some((filter.score(row.name)?, row)))
        .collect();
    rows.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    let in_field = model.is_editing() || model.tokens.takes_text();
    let key = |row: &HelpRow| {
        if in_field && row.scope == Scope::Both {
            model.keymap.field_key(row.action)
        } else {
            model.keymap.list_key(row.action)
        }
    };
    rows.into_iter()
        .map(|(_, row)| (key(row).unwrap_or_default(), row))
        .collect()
}
