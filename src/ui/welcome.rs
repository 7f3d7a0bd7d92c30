//! What stands in the empty panes at a first start: the keys that lead on, and nothing that must be read.

use ratatui::text::{Line, Span};

use super::text::{clean, wrap};
use super::view::View;
use crate::app::Action;
use crate::app::model::LoadState;

/// Key and words of each way on, the most likely first.
pub(super) fn ways(view: &View<'_>) -> Vec<(String, &'static str)> {
    let all: &[(Action, &str)] = match view.model.loaded {
        LoadState::Loading => &[],
        // Nothing is saved while the file can't be read.
        LoadState::Failed(_) => &[(Action::Demo, "a demo: nothing is saved")],
        LoadState::Ready => &[
            (Action::New, "the first connection"),
            (Action::Demo, "a demo: nothing is saved"),
            (Action::Import, "import: curl commands, .env, accounts"),
        ],
    };
    all.iter()
        .filter_map(|(action, words)| Some((super::key(view, *action)?, *words)))
        .collect()
}

/// Whether it is shown: nothing is here, nothing is being typed, and this is no demo.
pub(super) fn is_due(view: &View<'_>) -> bool {
    let model = view.model;
    model.entries.is_empty()
        && model.visible_form().is_none()
        && model.banner.is_empty()
        && !matches!(model.loaded, LoadState::Loading)
}

/// The ways as lines for a pane of its own, `room` cells wide: key, and as many words as fit. First, why there is
/// nothing else.
pub(super) fn lines(view: &View<'_>, room: usize) -> Vec<Line<'static>> {
    let theme = view.theme;
    let failed = match &view.model.loaded {
        LoadState::Failed(sentence) => wrap(&clean(sentence), room),
        LoadState::Loading | LoadState::Ready => Vec::new(),
    };
    let failed = failed
        .into_iter()
        .map(|line| Line::from(Span::styled(line, theme.error)));
    let ways = ways(view).into_iter().map(|(key, words)| {
        Line::from(vec![
            Span::styled(format!("{key:>2} "), theme.key),
            Span::styled(words, theme.text),
        ])
    });
    failed.chain(ways).collect()
}
