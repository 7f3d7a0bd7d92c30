//! Questions with yes and no: what will happen is said before it does.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::view::View;
use super::{dialog_width, lines, open_box, put_lines};
use crate::app::model::Question;

pub(super) fn draw(view: &View<'_>, question: &Question, body: Rect, buf: &mut Buffer) {
    let theme = view.theme;
    let (title, text, yes, no) = words(view, question);
    let width = dialog_width(body);
    let mut all = lines(&text, width, theme.text);
    all.push(Line::default());
    all.push(Line::from(vec![
        Span::styled("y", theme.key),
        Span::styled(format!(" {yes}"), theme.text),
        Span::raw("     "),
        Span::styled("n", theme.key),
        Span::styled(format!(" {no}"), theme.text),
    ]));
    let inside = open_box(view, body, (width, all.len()), title, buf);
    // Where the box is too low for everything, the answers stay in sight.
    let hidden = all.len().saturating_sub(usize::from(inside.height));
    let answers = all.pop();
    all.truncate(all.len().saturating_sub(hidden));
    all.extend(answers);
    put_lines(buf, inside, all);
}

fn words(
    view: &View<'_>,
    question: &Question,
) -> (&'static str, String, &'static str, &'static str) {
    match question {
        Question::Remove(name) => (
            "Delete",
            format!(
                "Remove “{}” and its secrets from this machine? The service at the other end keeps its key.",
                view.name(name)
            ),
            "delete",
            "keep",
        ),
        Question::SaveAllTheSame => (
            "Save",
            "The last test did not end well. Save all the same?".to_owned(),
            "save",
            "go on editing",
        ),
        Question::LoseDraft => (
            "Not saved",
            "What was typed is not saved and would be lost. Leave it?".to_owned(),
            "lose it",
            "go on editing",
        ),
        Question::QuitUnsaved => (
            "Not saved",
            "What was typed is not saved and would be lost. Quit all the same?".to_owned(),
            "quit",
            "stay",
        ),
        Question::SendKeyTo(host) => (
            "New host",
            format!(
                "Send the stored key to {}? It was entered for another one.",
                view.host(host)
            ),
            "send it there",
            "don't send",
        ),
        Question::Bisect(_) | Question::BisectDraft => (
            "Find the cause",
            "Up to 4 requests are sent: Basic, headers, /index.php/api, corrected URL. If none is \
             accepted, the key is paused."
                .to_owned(),
            "send them",
            "don't",
        ),
        Question::LeaveSheet => (
            "Not sent",
            "What stands here was not sent, or is kept nowhere else, and would be lost. Leave it?"
                .to_owned(),
            "lose it",
            "stay",
        ),
        Question::LockLosesSecrets => (
            "Lock",
            "Locking forgets the secrets that were typed and not saved. Lock?".to_owned(),
            "lock",
            "not yet",
        ),
    }
}
