//! The form: the fields of a connection with a lamp each, edited or only shown.

mod hint;
mod lamp;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::text::{cells, clean, cut, inset, put, row, width, wrap_line};
use super::view::View;
use super::{input, reveal};
use crate::app::lamps;
use crate::app::model::{
    FieldLamp, FieldText, Form, FormField, ListedConnection, LoadState, Pane, ProbeState,
};
use crate::app::secret_field::SecretField;
use crate::app::{Action, FieldId};
use crate::domain::secret::MASK;
use crate::domain::{Connection, shape};
use lamp::{Columns, Needs, Taken};

/// Cells of a name that are kept in the title.
const LEAST_NAME: usize = 6;

/// Draws the pane. Returns where the cursor stands while a field is edited.
pub(super) fn draw(view: &View<'_>, area: Rect, buf: &mut Buffer) -> Option<Position> {
    match (view.model.visible_form(), view.entry()) {
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
    let fields = shown_fields(form);
    let (rows, hint) = parts(area, fields.len());
    let height = usize::from(rows.height);
    let offset = offset(form, height);
    let mut cursor = None;
    let mut needs = Needs::default();
    for field in fields {
        needs.add(value_width(view, form, field), &field.lamp);
    }
    for (at, field) in fields.iter().enumerate().skip(offset).take(height) {
        let columns = Columns::of(row(rows, at - offset), &needs);
        let position = if at == form.cursor && view.focused(Pane::Form) {
            draw_focused(view, form, field, &columns, buf)
        } else {
            draw_field(view, form, field, &columns, buf);
            None
        };
        cursor = cursor.or(position);
    }
    hint::draw(view, form, hint, buf);
    cursor
}

/// Cells that the field's value takes, in steps: the lamps do not move at each letter that is typed.
fn value_width(view: &View<'_>, form: &Form, field: &FormField) -> usize {
    let shown = match &field.text {
        FieldText::Plain(input) => width(&plain(view, field.id, input.value())),
        FieldText::Secret(secret) => match reveal::field(view.model, form, field.id) {
            Some(open) => width(&open.text),
            None => width(masked(form, secret)).max(width(secret.mirror.value())),
        },
    };
    shown.next_multiple_of(8)
}

/// How many fields are hidden below.
pub(super) fn hidden(view: &View<'_>, area: Rect) -> usize {
    view.model.visible_form().map_or(0, |form| {
        let height = usize::from(parts(area, form.shown_fields()).0.height);
        let end = offset(form, height) + height;
        shown_fields(form).len().saturating_sub(end)
    })
}

/// The rows of the fields, and below them what is left for the hint: one at least, where there is room for it.
fn parts(area: Rect, fields: usize) -> (Rect, Rect) {
    let least = u16::from(area.height > 4);
    let height = cells(fields).min(area.height - least);
    let rows = Rect { height, ..area };
    let hint = Rect {
        y: rows.bottom(),
        height: area.height - height,
        ..area
    };
    (rows, hint)
}

fn shown_fields(form: &Form) -> &[FormField] {
    form.fields
        .get(..form.shown_fields())
        .unwrap_or(&form.fields)
}

/// The first field shown. The focused one stays in the middle, so that the next is in sight in either direction.
fn offset(form: &Form, height: usize) -> usize {
    let last = shown_fields(form).len().saturating_sub(height);
    form.cursor.saturating_sub(height / 2).min(last)
}

/// Which field is drawn in row `at` of the pane.
pub(super) fn field_at(view: &View<'_>, area: Rect, at: u16) -> Option<u16> {
    let Some(form) = view.model.visible_form() else {
        return Some(at).filter(|at| usize::from(*at) < FieldId::FIRST.len());
    };
    let (rows, _) = parts(area, form.shown_fields());
    let field = usize::from(at) + offset(form, usize::from(rows.height));
    (at < rows.height && field < shown_fields(form).len()).then(|| cells(field))
}

/// A field without the cursor. A secret shows not even its length.
fn draw_field(
    view: &View<'_>,
    form: &Form,
    field: &FormField,
    columns: &Columns,
    buf: &mut Buffer,
) {
    draw_label(view, field.id.label(), columns, buf);
    let (text, style) = match &field.text {
        FieldText::Plain(input) => (plain(view, field.id, input.value()), view.theme.text),
        FieldText::Secret(secret) => match reveal::field(view.model, form, field.id) {
            Some(open) => (clean(&open.text), view.theme.revealed),
            None => (masked(form, secret).to_owned(), view.theme.text),
        },
    };
    draw_value(view, (text, style), (&field.lamp, columns), buf);
}

/// A value and the lamp behind it. Where that takes from the value's room, `https://` goes first: it is what a URL without
/// a scheme means.
fn draw_value(
    view: &View<'_>,
    (text, style): (String, Style),
    (lamp, columns): (&FieldLamp, &Columns),
    buf: &mut Buffer,
) {
    let place = columns.beside(view, lamp, Taken::Value(width(&text)), buf);
    let text = match text.strip_prefix("https://") {
        Some(rest) if place.width < columns.value.width && width(&text) > place.width.into() => {
            rest.to_owned()
        }
        _ => text,
    };
    put(buf, place, Line::from(Span::styled(text, style)));
}

/// The field with the cursor.
fn draw_focused(
    view: &View<'_>,
    form: &Form,
    field: &FormField,
    columns: &Columns,
    buf: &mut Buffer,
) -> Option<Position> {
    let theme = view.theme;
    let marker = Line::from(Span::styled("▸", theme.marker));
    put(buf, columns.marker, marker);
    draw_label(view, field.id.label(), columns, buf);
    let place = if form.is_set(field.id) {
        let taken = Taken::Typed(value_width(view, form, field));
        columns.beside(view, &field.lamp, taken, buf)
    } else {
        let place = columns.beside(view, &field.lamp, Taken::Nothing, buf);
        put(buf, place, shape(view, form, field.id));
        place
    };
    match &field.text {
        // What is typed in the war-room is typed blindly: it would tell who it is about.
        FieldText::Plain(input) if view.model.war_room => {
            let dots = "•".repeat(input.value().chars().count());
            input::draw_text(&dots, input.cursor(), place, theme.input, buf)
        }
        FieldText::Plain(input) => input::draw(input, place, theme.input, buf),
        FieldText::Secret(secret) => {
            if let Some(open) = reveal::field(view.model, form, field.id) {
                let style = theme.revealed;
                return input::draw_text(&open.text, secret.cursor(), place, style, buf);
            }
            if !secret.value.is_empty() {
                return input::draw(&secret.mirror, place, theme.input, buf);
            }
            let text = Span::styled(masked(form, secret), theme.text);
            put(buf, place, Line::from(text));
            input::draw_text("", 0, place, theme.input, buf)
        }
    }
}

/// What an empty field waits for, in brackets: without colours nothing else tells it from what is typed.
fn shape(view: &View<'_>, form: &Form, id: FieldId) -> Line<'static> {
    let Some(service) = view.model.catalog.get(&form.service()) else {
        return Line::default();
    };
    let shape = match id {
        FieldId::Url => service.text().example.as_deref(),
        FieldId::Username => service.username().shape.as_deref(),
        FieldId::Key => service.key().shape.as_deref(),
        FieldId::Token => service.token().shape.as_deref(),
        _ => None,
    };
    let shape = shape.map(|shape| format!("({})", clean(shape)));
    Line::from(Span::styled(shape.unwrap_or_default(), view.theme.faint))
}

/// What stands for a secret: always as wide.
fn masked(form: &Form, secret: &SecretField) -> &'static str {
    match (secret.is_set(), form.loading_secrets) {
        (true, true) if secret.value.is_empty() => "fetching …",
        (true, _) => MASK,
        (false, _) => "",
    }
}

/// What an unfocused field shows: in the war-room nothing that tells whose it is.
fn plain(view: &View<'_>, id: FieldId, text: &str) -> String {
    match id {
        FieldId::Url | FieldId::CmsUrl | FieldId::Proxy => view.url(text),
        FieldId::Username => view.user(text),
        FieldId::Tags | FieldId::Note if view.model.war_room => String::new(),
        FieldId::Company | FieldId::Name | FieldId::Note => view.line(text),
        FieldId::Key
        | FieldId::Token
        | FieldId::Service
        | FieldId::Tags
        | FieldId::Cms
        | FieldId::Auth
        | FieldId::Interval
        | FieldId::Timeout
        | FieldId::CaFile
        | FieldId::ClientCert
        | FieldId::ClientKey
        | FieldId::Family
        | FieldId::AllowHttp
        | FieldId::ReadOnly => clean(text),
    }
}

fn draw_label(view: &View<'_>, label: &'static str, columns: &Columns, buf: &mut Buffer) {
    put(
        buf,
        columns.label,
        Line::from(Span::styled(label, view.theme.faint)),
    );
}

/// The selected connection, with nothing being edited.
fn draw_saved(view: &View<'_>, entry: &ListedConnection, area: Rect, buf: &mut Buffer) {
    let connection = &entry.connection;
    let shown = FieldId::FIRST.map(|id| {
        let text = match id {
            FieldId::Url => view.url(&connection.url),
            FieldId::Username => saved_user(view, &connection.username),
            FieldId::Key if connection.key.is_some() => MASK.to_owned(),
            FieldId::Token if connection.token.is_some() => MASK.to_owned(),
            _ => String::new(),
        };
        (id, text, saved_lamp(entry, id as usize))
    });
    let mut needs = Needs::default();
    for (_, text, lamp) in &shown {
        needs.add(width(text), lamp);
    }
    for (at, (id, text, lamp)) in shown.into_iter().enumerate() {
        let columns = Columns::of(row(area, at), &needs);
        draw_label(view, id.label(), &columns, buf);
        draw_value(view, (text, view.theme.text), (&lamp, &columns), buf);
    }
    let about = Line::from(Span::styled(about(view, connection), view.theme.faint));
    put(buf, inset(row(area, FieldId::FIRST.len()), 1, 1), about);
}

/// Its user name, or a mask for it or what somebody wrote there by hand.
fn saved_user(view: &View<'_>, username: &str) -> String {
    if shape::username_holds_secret(username) {
        MASK.to_owned()
    } else {
        view.user(username)
    }
}

/// The lamp of a saved connection's field. A scheduled probe leaves it as it is: nobody waits for that one.
fn saved_lamp(entry: &ListedConnection, at: usize) -> FieldLamp {
    let mut lamps = lamps::of_entry(entry);
    let lamp = &mut lamps[at.min(3)];
    lamp.probing &= match entry.probe {
        ProbeState::Running { .. } => true,
        ProbeState::Idle | ProbeState::Watched => false,
    };
    lamp.clone()
}

/// What else is to be known of a connection, in one line.
fn about(view: &View<'_>, connection: &Connection) -> String {
    let mut parts = Vec::new();
    // What people call a customer, and what they noted, tells more than a name.
    let open = !view.model.war_room;
    if open && !connection.tags.is_empty() {
        parts.push(
            connection
                .tags
                .iter()
                .map(|tag| format!("#{}", view.line(tag)))
                .collect::<Vec<_>>()
                .join(" "),
        );
    }
    if connection.read_only {
        parts.push("read-only".to_owned());
    }
    if connection.allow_http {
        parts.push("key allowed over http".to_owned());
    }
    if let Some(seconds) = connection.interval_s {
        parts.push(format!("every {seconds} s"));
    }
    if open && !connection.note.is_empty() {
        parts.push(view.line(&connection.note));
    }
    parts.join(" · ")
}

const ADDS: &str = " adds a connection: a URL is enough to begin with.";
const CLEARS: &str = " clears the filter: no connection matches it.";
const SELECTS: &str = " selects a row: what was selected is gone.";

fn draw_empty(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let list = &view.model.list;
    let (action, does) = match list.lost {
        _ if view.model.entries.is_empty() => (Action::New, ADDS),
        Some(_) if !list.visible.is_empty() => (Action::Down, SELECTS),
        _ => (Action::Back, CLEARS),
    };
    let key = view.model.keymap.list_key(action).unwrap_or_default();
    let words = match &view.model.loaded {
        LoadState::Ready => vec![
            Span::styled(key, view.theme.key),
            Span::styled(does, view.theme.faint),
        ],
        LoadState::Loading | LoadState::Failed(_) => Vec::new(),
    };
    let lines = wrap_line(Line::from(words), usize::from(inset(area, 1, 1).width));
    for (at, line) in lines.into_iter().enumerate() {
        put(buf, inset(row(area, at), 1, 1), line);
    }
}

/// The pane's title: whose form it is, and how it stands. Where the pane stands `alone` it says that it is the
/// form. In so many cells the name is cut, and not how it stands.
pub(super) fn title(view: &View<'_>, alone: bool, room: usize) -> Line<'static> {
    let style = super::title_style(view, Pane::Form);
    let which = if alone { "Form · " } else { "" };
    let mut title = whose(view, style, room.saturating_sub(width(which)));
    title.spans.insert(0, Span::styled(which, style));
    title
}

fn whose(view: &View<'_>, style: Style, room: usize) -> Line<'static> {
    let faint = view.theme.faint;
    let Some(form) = view.model.visible_form() else {
        let text = view.entry().map_or_else(
            || "Connection".to_owned(),
            |entry| {
                let service = view.service(&entry.connection.service);
                let room = room.saturating_sub(width(&service) + 3).max(LEAST_NAME);
                format!(
                    "{} · {service}",
                    cut(&view.name(&entry.connection.name), room)
                )
            },
        );
        return Line::from(Span::styled(text, style));
    };
    let service = view.service(&form.service());
    let name = match &form.editing {
        Some(name) => view.name(name),
        // It follows the URL: it would push the rest of the title to and fro at each letter.
        None if form.focused() == FieldId::Url && !form.name_chosen => String::new(),
        None => view.line(form.text(FieldId::Name)),
    };
    let state = match (&form.editing, form.saving, form.dirty) {
        (_, true, _) => " · saving …",
        (None, ..) => " · new, not saved",
        (Some(_), _, true) => " · edited, not saved",
        (Some(_), _, false) => " · editing",
    };
    let fits = room >= width(state) + LEAST_NAME;
    let unsaved = form.dirty && !form.saving;
    let state = if fits || !unsaved {
        state
    } else {
        " · not saved"
    };
    let room = room.saturating_sub(width(state));
    // The service goes before the name is cut to nothing.
    let service = if room < width(&service) + 3 + LEAST_NAME {
        String::new()
    } else {
        service
    };
    let beside = if service.is_empty() {
        0
    } else {
        width(&service) + 3
    };
    let name = cut(&name, room.saturating_sub(beside).max(LEAST_NAME));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_leave_a_blank_behind_them() {
        for id in FieldId::FIRST.into_iter().chain(FieldId::FURTHER) {
            assert!(width(id.label()) < usize::from(lamp::LABEL), "{id:?}");
        }
    }
}
