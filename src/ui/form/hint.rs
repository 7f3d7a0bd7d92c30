//! Below the form's fields: what is odd about the URL, what the focused field takes, what the last test found.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::text::{clean, cut, first_that_fits, inset, put, put_both, row, width, wrap};
use super::super::view::{View, glyph};
use crate::app::model::Form;
use crate::app::{Action, FieldId};

/// Cells of a hint that are kept beside the corrected URL.
const LEAST_HINT: usize = 30;

/// Why a secret waits; else what is odd about the URL, and the one that a key puts in its place; else what the focused
/// field takes, or what the last test found where that stands in no other pane.
pub(super) fn draw(view: &View<'_>, form: &Form, area: Rect, buf: &mut Buffer) {
    let theme = view.theme;
    let area = inset(area, 1, 1);
    // In more than one row it is wrapped.
    let room = match area.height {
        0 | 1 => usize::from(area.width),
        _ => usize::MAX,
    };
    if let Some(waits) = waits(view, room) {
        let parts = wrap(&waits, usize::from(area.width)).into_iter();
        for (at, part) in parts.take(usize::from(area.height)).enumerate() {
            put(buf, row(area, at), Line::styled(part, theme.faint));
        }
        return;
    }
    let Some(hint) = &form.hint else {
        let takes = takes(view, form.focused(), usize::from(area.width));
        let line = match &form.verdict {
            Some(verdict) if takes.is_empty() && area.height > 1 && !form.is_stale() => {
                let glyph = glyph(theme, verdict.state(), false);
                let title = Span::styled(view.line(&verdict.title), theme.text);
                Line::from(vec![glyph, Span::raw(" "), title])
            }
            Some(_) | None => Line::from(Span::styled(takes, theme.faint)),
        };
        return put(buf, row(area, 0), line);
    };
    let room = usize::from(area.width);
    let sign = |sign| Span::styled(sign, theme.warn);
    let odd = |text: String| Span::styled(text, theme.text);
    let said = view.line(&hint.text);
    let key = view.model.keymap.field_key(Action::UseUrl);
    let corrected = hint.url.as_ref().zip(key);
    let short = corrected
        .as_ref()
        .map(|(_, key)| format!("{key} corrects it"));
    let corrected = corrected.map(|(url, key)| format!("{key} uses {}", view.url(url)));
    let (short, corrected) = (short.unwrap_or_default(), corrected.unwrap_or_default());
    if area.height == 1 {
        let beside = room.saturating_sub(width(&said) + 4);
        // Where the sentence is cut all the same, it says what it is about, and the URL what becomes of it.
        let right = if width(&corrected) > beside && width(&short) <= beside {
            short
        } else {
            cut(&corrected, beside.max(room.saturating_sub(LEAST_HINT + 2)))
        };
        let right = Span::styled(right, theme.key);
        let left = Line::from(vec![sign("! "), odd(said)]);
        return put_both(buf, row(area, 0), left, right.into());
    }
    let said = wrap(&said, room.saturating_sub(2)).into_iter();
    let said = said.enumerate().map(|(at, part)| {
        let head = if at == 0 { "! " } else { "  " };
        Line::from(vec![sign(head), odd(part)])
    });
    let corrected = wrap(&corrected, room).into_iter();
    let corrected = corrected.map(|line| Line::styled(line, theme.key));
    for (at, line) in said.chain(corrected).enumerate() {
        put(buf, row(area, at), line);
    }
}

/// Why what is typed is not tested yet, where that waits for the cursor.
fn waits(view: &View<'_>, room: usize) -> Option<String> {
    let model = view.model;
    let form = model.visible_form()?;
    let nothing_else = form.hint.is_none() && takes(view, form.focused(), room).is_empty();
    let by_leaving = match model.withheld() {
        Some(FieldId::Token) => [
            "the token is checked when you leave the field",
            "leave the field: the token is checked",
        ],
        Some(_) if model.leaving_tests_key() => [
            "the key is tested when you leave the field",
            "leave the field: the key is tested",
        ],
        None if !nothing_else || !model.key_waits_for_accept() => return None,
        Some(_) | None => {
            let key = view.model.keymap.field_key(Action::Accept)?;
            let short = format!("{key} tests the key");
            let long = format!("{short}: without one this URL has refused");
            return Some(first_that_fits([&long, &short], room).to_owned());
        }
    };
    Some(first_that_fits(by_leaving, room).to_owned())
}

/// What the field takes, where its label does not tell; in fewer words where there is less room.
fn takes(view: &View<'_>, id: FieldId, room: usize) -> String {
    let choices = view.model.choices();
    if !choices.is_empty() {
        let words = choices.iter().map(|word| match word.as_str() {
            "" => "none".to_owned(),
            word => clean(word),
        });
        let words = words.collect::<Vec<String>>().join(", ");
        let (long, short) = (
            format!("Space takes the next of {words}"),
            format!("Space: {words}"),
        );
        return first_that_fits([&long, &short], room).to_owned();
    }
    let texts = match id {
        FieldId::Tags => ["words, with commas between them"; 2],
        FieldId::Interval => [
            "seconds between two probes, or 5m; empty as in the settings",
            "seconds, or 5m; empty as in the settings",
        ],
        FieldId::Timeout => [
            "seconds that a whole probe may take; empty as in the settings",
            "seconds in all; empty as in the settings",
        ],
        FieldId::Proxy => [
            "http, https or socks5, as in http://proxy:3128",
            "http, https, socks5: http://proxy:3128",
        ],
        FieldId::CaFile => [
            "a PEM file with the authority that signed the server's certificate",
            "a PEM file: who signs certificates there",
        ],
        FieldId::ClientCert => ["a PEM file that the server asks for"; 2],
        FieldId::ClientKey => [
            "a PEM file with the key of that certificate",
            "a PEM file: the certificate's own key",
        ],
        FieldId::Url
        | FieldId::Username
        | FieldId::Key
        | FieldId::Token
        | FieldId::Name
        | FieldId::Service
        | FieldId::Cms
        | FieldId::CmsUrl
        | FieldId::Company
        | FieldId::Auth
        | FieldId::Family
        | FieldId::AllowHttp
        | FieldId::ReadOnly
        | FieldId::Note => [""; 2],
    };
    first_that_fits(texts, room).to_owned()
}
