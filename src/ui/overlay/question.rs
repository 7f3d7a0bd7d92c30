//! Questions with yes and no: what will happen is said before it does.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::view::View;
use super::{dialog_width, lines, open_box, put_lines};
use crate::app::Action;
use crate::app::model::{Lock, Question};
use crate::app::watching::GroupKey;
use crate::domain::{Name, Reason, SecretRef, ServiceId, State, Verdict};

pub(super) fn draw(view: &View<'_>, question: &Question, body: Rect, buf: &mut Buffer) {
    let theme = view.theme;
    let (title, yes, no) = words(question);
    let width = dialog_width(body);
    let mut all = lines(&text(view, question), width, theme.text);
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

/// Whether no test was made of what stands in the form.
fn is_untested(view: &View<'_>) -> bool {
    let form = view.model.visible_form();
    form.is_some_and(|form| !form.is_tested())
}

/// What the last test found: of what stands in the form where it is seen, else of the selected connection.
fn last_test<'a>(view: &'a View<'_>) -> Option<&'a Verdict> {
    match view.model.visible_form() {
        Some(form) => form.verdict.as_deref(),
        None => view.entry()?.verdict.as_deref(),
    }
}

/// Whether the key was too often refused to be sent.
fn is_paused(view: &View<'_>) -> bool {
    let is_ahead = |until| until > view.model.now;
    last_test(view).is_some_and(|verdict| {
        let is_stopped = verdict.can_be_resumed() && verdict.retry_at.is_some_and(is_ahead);
        is_stopped || verdict.reason == Reason::AuthPaused
    })
}

/// Of which connection something was typed: its form need not be the one that is seen.
fn of_whom(view: &View<'_>) -> String {
    let form = view.model.form.as_ref().filter(|form| form.dirty);
    match form.map(|form| form.editing.as_ref()) {
        Some(Some(name)) => format!(" of “{}”", view.name(name)),
        Some(None) => " of a new connection".to_owned(),
        None => String::new(),
    }
}

/// Whether values of the connection lie in the vault, which nobody has opened: they can't be taken out of it.
fn is_kept_locked(view: &View<'_>, name: &Name) -> bool {
    let model = view.model;
    let Some(entry) = model.entries.get(name).filter(|_| model.lock != Lock::Open) else {
        return false;
    };
    let connection = &entry.connection;
    let added = connection.added.iter().map(|(_, kept)| kept);
    let mut kept = connection.key.iter().chain(&connection.token).chain(added);
    kept.any(|kept| matches!(kept, SecretRef::Vault(_)))
}

/// The further ways that a bisection tries.
fn ways(view: &View<'_>) -> &'static str {
    let service = match view.model.visible_form() {
        Some(form) => Some(form.service()),
        None => view.entry().map(|entry| entry.connection.service.clone()),
    };
    if service.is_some_and(|service| service == ServiceId::blesta()) {
        "Basic, headers, /index.php/api, corrected URL"
    } else {
        "the key in each way that the service takes it, and the corrected URL"
    }
}

/// What a bisection sends.
fn bisection(view: &View<'_>) -> String {
    if is_paused(view) {
        let key = super::super::key(view, Action::Resume).unwrap_or_default();
        return format!(
            "the key is paused, so no request carries it: {key} lifts that. Ask without it?"
        );
    }
    format!(
        "up to 4 requests are sent: {}. If none is accepted, the key is paused.",
        ways(view)
    )
}

/// What goes with a connection.
fn removal(view: &View<'_>, name: &Name) -> String {
    let form = view.model.form.as_ref();
    let drafted = form.is_some_and(|form| form.dirty && form.editing.as_ref() == Some(name));
    let draft = if drafted {
        ", what was typed of it and not saved,"
    } else {
        ""
    };
    let secrets = if is_kept_locked(view, name) {
        " from this machine? The vault is locked: what it keeps of it stays there, and doctor names it later."
    } else {
        " and its secrets from this machine?"
    };
    // The name comes first: it is what is asked about, however small the window is.
    format!(
        "{}: remove it{draft}{secrets} The service at the other end keeps its key.",
        view.name(name)
    )
}

/// How many of which group.
fn counted(view: &View<'_>, group: &GroupKey, names: &[Name]) -> String {
    let of = match group {
        Some(tag) => format!("of “{}”", view.id(tag)),
        None => "without a tag".to_owned(),
    };
    match names.len() {
        1 => format!("1 connection {of}"),
        count => format!("{count} connections {of}"),
    }
}

/// What will happen.
fn text(view: &View<'_>, question: &Question) -> String {
    let text = match question {
        Question::Remove(name) => return removal(view, name),
        Question::RemoveToken { name, label } => {
            return format!(
                "{} of “{}”: remove the token from this machine? Whoever gave it still knows it.",
                view.label(label),
                view.name(name)
            );
        }
        // The host comes first: it is what is asked about, however small the window is.
        Question::SendKeyTo(host) => {
            return format!(
                "{}: send the stored key there? It was entered for another host.",
                view.host(host)
            );
        }
        Question::SaveOver(fields) => {
            let labels: Vec<_> = fields.iter().map(|field| field.label()).collect();
            return format!(
                "Another copy of the program has changed {} meanwhile. Save what stands here in its place?",
                labels.join(", ")
            );
        }
        Question::SaveAllTheSame if is_untested(view) => {
            "It was not tested as it stands here. Save all the same?"
        }
        Question::SaveAllTheSame if last_test(view).map(Verdict::state) == Some(State::Unknown) => {
            "The last test left something open. Save all the same?"
        }
        Question::SaveAllTheSame => "The last test did not end well. Save all the same?",
        Question::LoseDraft => {
            return format!("What was typed{} is not saved. Lose it?", of_whom(view));
        }
        Question::QuitUnsaved => {
            return format!(
                "What was typed{} is not saved and would be lost. Quit all the same?",
                of_whom(view)
            );
        }
        Question::Bisect(name) => return format!("{}: {}", view.name(name), bisection(view)),
        Question::BisectDraft => return format!("The draft: {}", bisection(view)),
        Question::PauseAll(group, names, true) => {
            return format!("Leave {} out of watching?", counted(view, group, names));
        }
        Question::PauseAll(group, names, false) => {
            return format!("Watch {} again?", counted(view, group, names));
        }
        Question::QuitUnderWay => {
            "It is under way: this can't be left half-way. Quit all the same?"
        }
        Question::LoseToken => "The token that was typed is stored nowhere. Lose it?",
        Question::LeaveSheet => "What stands here was not sent, or is kept nowhere else. Lose it?",
        Question::LockLosesSecrets => {
            "Locking forgets the secrets that were typed and not saved. Lock?"
        }
    };
    text.to_owned()
}

/// The title, and what yes and no are called.
const fn words(question: &Question) -> (&'static str, &'static str, &'static str) {
    match question {
        Question::Remove(_) | Question::RemoveToken { .. } => ("Delete", "delete", "keep"),
        Question::SaveAllTheSame | Question::SaveOver(_) => ("Save", "save", "go on editing"),
        Question::LoseDraft => ("Not saved", "lose it", "keep it"),
        Question::QuitUnsaved => ("Not saved", "quit", "stay"),
        Question::SendKeyTo(_) => ("New host", "send it there", "don't send"),
        Question::Bisect(_) | Question::BisectDraft => ("Find the cause", "send them", "don't"),
        Question::PauseAll(.., true) => ("Group", "pause", "don't"),
        Question::PauseAll(.., false) => ("Group", "watch", "don't"),
        Question::QuitUnderWay => ("Under way", "quit", "stay"),
        Question::LoseToken => ("Not stored", "lose it", "keep it"),
        Question::LeaveSheet => ("Not sent", "lose it", "keep it"),
        Question::LockLosesSecrets => ("Lock", "lock", "not yet"),
    }
}
