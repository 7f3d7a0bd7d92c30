//! Dialogs with fields: the vault's passphrase, and a further token.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use tui_input::Input;

use super::super::input as line_input;
use super::super::text::{inset, put, row};
use super::super::view::View;
use super::{dialog_width, lines, open_box, put_lines};
use crate::app::model::{AddTokenDialog, PassphraseDialog};
use crate::domain::PassphrasePurpose;

/// One field of a dialog.
pub(in crate::ui) struct DialogField<'a> {
    pub(in crate::ui) label: &'static str,
    pub(in crate::ui) input: &'a Input,
    pub(in crate::ui) focused: bool,
}

/// What stands in a dialog, from top to bottom.
pub(in crate::ui) struct Dialog<'a> {
    pub(in crate::ui) title: String,
    pub(in crate::ui) text: &'static str,
    pub(in crate::ui) fields: Vec<DialogField<'a>>,
    pub(in crate::ui) problem: Option<&'a str>,
    pub(in crate::ui) busy: Option<&'static str>,
}

pub(super) fn draw_passphrase(
    view: &View<'_>,
    dialog: &PassphraseDialog,
    body: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let first = DialogField {
        label: "Passphrase",
        input: &dialog.first.mirror,
        focused: !dialog.on_second,
    };
    let (title, text, fields, busy) = match dialog.kind {
        PassphrasePurpose::Open => (
            "Unlock",
            "The vault is locked. Its passphrase opens it until this program locks or ends.",
            vec![first],
            "opening the vault …",
        ),
        PassphrasePurpose::Create => {
            let again = DialogField {
                label: "Again",
                input: &dialog.second.mirror,
                focused: dialog.on_second,
            };
            (
                "New vault",
                "Choose a passphrase for the vault. Nobody can bring it back if it is forgotten.",
                vec![first, again],
                "making the vault …",
            )
        }
    };
    let is_chosen = dialog.kind == PassphrasePurpose::Create;
    let remark = is_chosen.then(|| dialog.first.value.remark_on_passphrase());
    let remark = remark.flatten();
    let dialog = Dialog {
        title: title.to_owned(),
        text,
        fields,
        problem: dialog.problem.as_deref().or(remark),
        busy: dialog.busy.then_some(busy),
    };
    draw(view, &dialog, body, buf)
}

pub(super) fn draw_add_token(
    view: &View<'_>,
    dialog: &AddTokenDialog,
    body: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let dialog = Dialog {
        title: format!("Add a token to {}", view.name(&dialog.name)),
        text: "A further handle that is kept with the connection, to reveal and to copy.",
        fields: vec![
            DialogField {
                label: "Label",
                input: &dialog.label,
                focused: !dialog.on_value,
            },
            DialogField {
                label: "Token",
                input: &dialog.value.mirror,
                focused: dialog.on_value,
            },
        ],
        problem: dialog.problem.as_deref(),
        busy: dialog.busy.then_some("storing it …"),
    };
    draw(view, &dialog, body, buf)
}

pub(in crate::ui) fn draw(
    view: &View<'_>,
    dialog: &Dialog<'_>,
    body: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let theme = view.theme;
    let width = dialog_width(body);
    let text = lines(dialog.text, width, theme.faint);
    let last = match (dialog.busy, dialog.problem) {
        (Some(busy), _) => lines(busy, width, theme.probing),
        (None, Some(problem)) => lines(&view.failure(problem), width, theme.error),
        (None, None) => vec![Line::default()],
    };
    let wanted = text.len() + 1 + dialog.fields.len() + 1 + last.len();
    let inside = open_box(view, body, (width, wanted), &dialog.title, buf);
    // Where the box is too low, the words go first: the fields stay.
    let short = wanted.saturating_sub(usize::from(inside.height));
    let skipped = short.min(text.len() + 1);
    let mut above = text;
    above.push(Line::default());
    let above = above.split_off(skipped);
    let top = above.len();
    put_lines(buf, inside, above);
    let mut cursor = None;
    for (at, field) in dialog.fields.iter().enumerate() {
        let position = draw_field(view, field, row(inside, top + at), buf);
        cursor = cursor.or(position);
    }
    for (at, line) in last.into_iter().enumerate() {
        put(buf, row(inside, top + dialog.fields.len() + 1 + at), line);
    }
    cursor.filter(|_| dialog.busy.is_none())
}

fn draw_field(
    view: &View<'_>,
    field: &DialogField<'_>,
    line: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let theme = view.theme;
    let marker = if field.focused { "▸ " } else { "  " };
    put(
        buf,
        line,
        Line::from(vec![
            Span::styled(marker, theme.marker),
            Span::styled(field.label, theme.faint),
        ]),
    );
    let style = if field.focused {
        theme.input
    } else {
        theme.text
    };
    let position = line_input::draw(field.input, inset(line, 14, 0), style, buf);
    position.filter(|_| field.focused)
}
