//! The form: the fields of a connection with a lamp each, edited or only shown.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::text::{clean, inset, put, row};
use super::view::{View, lamp_style, service_name};
use super::{input, reveal, saved};
use crate::app::model::{Entry, Field, FieldLamp, FieldText, Form, LoadState, Pane};
use crate::app::secret_field::SecretField;
use crate::app::{Action, FieldId};
use crate::domain::secret::MASK;

/// Cells of the labels, with the blank behind.
const LABEL: u16 = 10;

/// Columns of the pane: what is left out first where there is little room are the words beside the lamps.
struct Columns {
    marker: Rect,
    label: Rect,
    value: Rect,
    lamp: Rect,
}

impl Columns {
    fn of(row: Rect) -> Self {
        let lamp = match row.width {
            0..30 => 0,
            30..48 => 2,
            48..62 => 17,
            62..80 => 24,
            _ => 30,
        };
        let part = |from: u16, to: u16| {
            let x = row.x + from.min(row.width);
            let width = to.min(row.width).saturating_sub(from);
            Rect { x, width, ..row }
        };
        let value = row.width.saturating_sub(lamp);
        Self {
            marker: part(0, 1),
            label: part(1, 1 + LABEL),
            value: part(1 + LABEL, value.saturating_sub(1)),
            lamp: part(value, row.width.saturating_sub(u16::from(lamp > 0))),
        }
    }
}

/// Draws the pane. Returns where the cursor stands while a field is edited.
pub(super) fn draw(view: &View<'_>, area: Rect, buf: &mut Buffer) -> Option<Position> {
    match (view.form(), view.entry()) {
        (Some(form), _) => draw_fields(view, form, area, buf),
        (None, Some(entry)) => {
            draw_saved(view, entry, area, buf);
            None
        }
        (None, None) => {
            draw_empty(view, area, buf);
            None
        }
    }
}

fn draw_fields(view: &View<'_>, form: &Form, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let hint_row = area.height > 4;
    let rows = Rect {
        height: area.height - u16::from(hint_row),
        ..area
    };
    let shown = if form.further {
        form.fields.len()
    } else {
        FieldId::FIRST.len()
    };
    let fields = form
        .fields
        .get(..shown.min(form.fields.len()))
        .unwrap_or_default();
    let height = usize::from(rows.height);
    // The focused field stays in the middle, so that the next one is in sight in either direction.
    let last = fields.len().saturating_sub(height);
    let offset = form.cursor.saturating_sub(height / 2).min(last);
    let mut cursor = None;
    for (at, field) in fields.iter().enumerate().skip(offset).take(height) {
        let focused = at == form.cursor && view.focused(Pane::Form);
        let columns = Columns::of(row(rows, at - offset));
        let position = draw_field(view, form, field, focused, &columns, buf);
        cursor = cursor.or(position);
    }
    if hint_row {
        draw_hint(view, form, row(area, usize::from(area.height) - 1), buf);
    }
    cursor
}

fn draw_field(
    view: &View<'_>,
    form: &Form,
    field: &Field,
    focused: bool,
    columns: &Columns,
    buf: &mut Buffer,
) -> Option<Position> {
    let theme = view.theme;
    if focused {
        put(
            buf,
            columns.marker,
            Line::from(Span::styled("▸", theme.marker)),
        );
    }
    draw_label(view, label(field.id), columns, buf);
    draw_lamp(view, &field.lamp, columns, buf);
    let style = if focused { theme.input } else { theme.text };
    let cursor = match &field.text {
        FieldText::Plain(input) if focused && view.model.war_room => {
            let dots = "•".repeat(input.value().chars().count());
            input::draw_text(&dots, input.cursor(), columns.value, style, buf)
        }
        FieldText::Plain(input) if focused => input::draw(input, columns.value, style, buf),
        FieldText::Plain(input) => {
            let text = plain(view, field.id, input.value());
            put(buf, columns.value, Line::from(Span::styled(text, style)));
            None
        }
        FieldText::Secret(secret) => {
            draw_secret(view, form, (field.id, secret), focused, columns, buf)
        }
    };
    cursor.filter(|_| focused)
}

fn draw_secret(
    view: &View<'_>,
    form: &Form,
    (id, secret): (FieldId, &SecretField),
    focused: bool,
    columns: &Columns,
    buf: &mut Buffer,
) -> Option<Position> {
    let theme = view.theme;
    if let Some(open) = reveal::field(view.model, form, id) {
        return input::draw_text(
            &open.text,
            secret.cursor(),
            columns.value,
            theme.revealed,
            buf,
        );
    }
    // While it is typed one dot stands for each character; otherwise not even the length shows.
    if focused && !secret.value.is_empty() {
        return input::draw(&secret.mirror, columns.value, theme.input, buf);
    }
    let text = match (secret.is_set(), form.loading_secrets) {
        (true, true) if secret.value.is_empty() => "fetching …",
        (true, _) => MASK,
        (false, _) => "",
    };
    put(
        buf,
        columns.value,
        Line::from(Span::styled(text, theme.text)),
    );
    Some(Position::new(columns.value.x, columns.value.y))
}

/// What an unfocused field shows: in the war-room nothing that tells whose it is.
fn plain(view: &View<'_>, id: FieldId, text: &str) -> String {
    match id {
        FieldId::Url | FieldId::CmsUrl | FieldId::Proxy => view.url(text),
        FieldId::Username => view.user(text),
        FieldId::Company | FieldId::Name | FieldId::Note => view.line(text),
        _ => clean(text),
    }
}

fn draw_label(view: &View<'_>, label: &'static str, columns: &Columns, buf: &mut Buffer) {
    put(
        buf,
        columns.label,
        Line::from(Span::styled(label, view.theme.faint)),
    );
}

fn draw_lamp(view: &View<'_>, lamp: &FieldLamp, columns: &Columns, buf: &mut Buffer) {
    if lamp.word.is_empty() && !lamp.probing {
        return;
    }
    let word = if lamp.probing {
        "probing"
    } else {
        lamp.word.as_str()
    };
    let glyph = super::view::glyph(view.theme, lamp.state, lamp.probing);
    let style = lamp_style(view.theme, lamp.state, lamp.probing);
    let word = if columns.lamp.width > 2 {
        view.line(word)
    } else {
        String::new()
    };
    let line = vec![glyph, Span::raw(" "), Span::styled(word, style)];
    put(buf, columns.lamp, Line::from(line));
}

fn draw_hint(view: &View<'_>, form: &Form, line: Rect, buf: &mut Buffer) {
    let theme = view.theme;
    let line = inset(line, 1, 1);
    if let Some(hint) = &form.hint {
        let mut spans = vec![
            Span::styled("! ", theme.warn),
            Span::styled(view.line(&hint.text), theme.text),
        ];
        let key = view.model.keymap.field_key(Action::UseUrl);
        if let (Some(url), Some(key)) = (&hint.url, key) {
            spans.push(Span::styled(format!("  {key} "), theme.key));
            spans.push(Span::styled(format!("uses {}", view.url(url)), theme.faint));
        }
        put(buf, line, Line::from(spans));
    }
}

/// The selected connection, with nothing being edited.
fn draw_saved(view: &View<'_>, entry: &Entry, area: Rect, buf: &mut Buffer) {
    let connection = &entry.connection;
    for (at, id) in FieldId::FIRST.into_iter().enumerate() {
        let columns = Columns::of(row(area, at));
        draw_label(view, label(id), &columns, buf);
        draw_lamp(view, &saved::lamp(entry, id), &columns, buf);
        let text = match id {
            FieldId::Url => view.url(&connection.url),
            FieldId::Username => view.user(&connection.username),
            FieldId::Key if connection.key.is_some() => MASK.to_owned(),
            FieldId::Token if connection.token.is_some() => MASK.to_owned(),
            _ => String::new(),
        };
        put(
            buf,
            columns.value,
            Line::from(Span::styled(text, view.theme.text)),
        );
    }
    let about = Line::from(Span::styled(
        saved::about(view, connection),
        view.theme.faint,
    ));
    put(buf, inset(row(area, FieldId::FIRST.len()), 1, 1), about);
}

fn draw_empty(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let key = view.model.keymap.list_key(Action::New).unwrap_or_default();
    let words = match &view.model.loaded {
        LoadState::Ready => vec![
            Span::styled(key, view.theme.key),
            Span::styled(
                " adds a connection: a URL is enough to begin with.",
                view.theme.faint,
            ),
        ],
        LoadState::Loading | LoadState::Failed(_) => Vec::new(),
    };
    put(buf, inset(row(area, 0), 1, 1), Line::from(words));
}

/// The pane's title: whose form it is, and how it stands.
pub(super) fn title(view: &View<'_>) -> Line<'static> {
    let style = super::title_style(view, Pane::Form);
    let faint = view.theme.faint;
    let Some(form) = view.form() else {
        let text = view.entry().map_or_else(
            || "Connection".to_owned(),
            |entry| {
                let service = service_name(&entry.connection.service);
                format!("{} · {service}", view.name(&entry.connection.name))
            },
        );
        return Line::from(Span::styled(text, style));
    };
    let service = service_name(&crate::domain::ServiceId::new(&value(
        form,
        FieldId::Service,
    )));
    let name = match &form.editing {
        Some(name) => view.name(name),
        None => view.line(&value(form, FieldId::Name)),
    };
    let state = match (&form.editing, form.saving, form.dirty) {
        (_, true, _) => " · saving …",
        (None, ..) => " · new, not saved",
        (Some(_), _, true) => " · edited, not saved",
        (Some(_), _, false) => " · editing",
    };
    let head: Vec<String> = [name, service]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    let head = if head.is_empty() {
        "Connection".to_owned()
    } else {
        head.join(" · ")
    };
    Line::from(vec![Span::styled(head, style), Span::styled(state, faint)])
}

fn value(form: &Form, id: FieldId) -> String {
    let field = form.fields.iter().find(|field| field.id == id);
    match field.map(|field| &field.text) {
        Some(FieldText::Plain(input)) => clean(input.value()),
        Some(FieldText::Secret(_)) | None => String::new(),
    }
}

/// A field's label; at most nine cells.
const fn label(id: FieldId) -> &'static str {
    match id {
        FieldId::Url => "URL",
        FieldId::Username => "Username",
        FieldId::Key => "Key",
        FieldId::Token => "Token",
        FieldId::Name => "Name",
        FieldId::Service => "Service",
        FieldId::Tags => "Tags",
        FieldId::Cms => "CMS",
        FieldId::CmsUrl => "CMS URL",
        FieldId::Company => "Company",
        FieldId::Auth => "Auth",
        FieldId::Interval => "Interval",
        FieldId::Timeout => "Timeout",
        FieldId::Proxy => "Proxy",
        FieldId::CaFile => "CA file",
        FieldId::ClientCert => "Cert",
        FieldId::ClientKey => "Cert key",
        FieldId::Family => "Addresses",
        FieldId::AllowHttp => "Over http",
        FieldId::ReadOnly => "Read-only",
        FieldId::Note => "Note",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_leave_a_blank_behind_them() {
        for id in FieldId::FIRST.into_iter().chain(FieldId::FURTHER) {
            assert!(
                super::super::text::width(label(id)) < usize::from(LABEL),
                "{id:?}"
            );
        }
    }

    #[test]
    fn columns_never_leave_their_row() {
        for width in 0..200 {
            let row = Rect::new(3, 2, width, 1);
            let columns = Columns::of(row);
            for part in [columns.marker, columns.label, columns.value, columns.lamp] {
                assert!(
                    part.x >= row.x && part.right() <= row.right(),
                    "{width}: {part:?}"
                );
            }
        }
    }
}
