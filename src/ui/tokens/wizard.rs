//! The wizard: General, Extension, Permissions, Summary; and the difference where a token is changed.

use ratatui::text::{Line, Span};

use super::super::reveal;
use super::super::text::{clean, fill, pad, width};
use super::super::view::View;
use super::sheet::{Scroll, SheetPage, TypedLine, line_to_type, named, opened, trouble, words};
use crate::app::Action;
use crate::app::tokens::exchange::{Changed, Made, Offered};
use crate::app::tokens::wizard::{Wizard, WizardLine, WizardOutcome, WizardStep};
use crate::app::tokens::{Trouble, TroubleKind};
use crate::domain::secret::MASK;
use crate::domain::token::{Difference, parse_expiry};

/// What the module of all modules means.
pub(super) const ALL_MEANS: &str = "All: every module of the account, also those that come later. Whoever \
                                    holds this token can do all that the account can.";

/// Cells of what is left of a quota: `none of 64 left`.
const QUOTA: usize = 15;
/// Cells of an id, and the least of a name beside it.
const ID: usize = 12;
const LEAST_NAME: usize = 12;

pub(super) fn page(view: &View<'_>, wizard: &Wizard, room: usize) -> SheetPage {
    let mut page = match wizard.step {
        WizardStep::General => general(view, wizard, room),
        WizardStep::Extension => extensions(view, wizard, room),
        WizardStep::Permissions => modules(view, wizard, room),
        WizardStep::Summary => summary(view, wizard, room),
    };
    page.title = match &wizard.editing {
        None => format!("New token · {}", view.name(&wizard.name)),
        Some(row) => format!("Edit {}", clean(&view.model.shown_label(row.label()))),
    };
    page.above.insert(0, steps(view, wizard, room));
    page.above.insert(1, Line::default());
    if let Some(line) = &mut page.typed_above {
        line.at += 2;
    }
    page.below.push(Line::default());
    if let Some(problem) = &wizard.problem {
        page.below.extend(words(problem, view.theme.error, room));
    } else {
        page.below.push(Line::default());
    }
    page.tall = true;
    page
}

/// Where we are: `1 General → ▸2 Extension → …`; where that has no room, the others are numbers.
fn steps(view: &View<'_>, wizard: &Wizard, room: usize) -> Line<'static> {
    let whole = named_steps(view, wizard, true);
    if whole.width() <= room {
        return whole;
    }
    named_steps(view, wizard, false)
}

fn named_steps(view: &View<'_>, wizard: &Wizard, all: bool) -> Line<'static> {
    let theme = view.theme;
    let mut spans = Vec::new();
    for (at, step) in wizard.steps().iter().enumerate() {
        if at > 0 {
            spans.push(Span::styled(" → ", theme.border));
        }
        let title = match (step, &wizard.editing) {
            (WizardStep::Summary, Some(_)) => "Difference",
            (step, _) => step.title(),
        };
        let here = *step == wizard.step;
        let marked = if here { "▸" } else { "" };
        let style = if here { theme.title_focus } else { theme.faint };
        spans.push(Span::styled(marked, theme.marker));
        let title = if here || all { title } else { "" };
        let step = format!("{} {title}", at + 1);
        spans.push(Span::styled(step.trim_end().to_owned(), style));
    }
    Line::from(spans)
}

fn general(view: &View<'_>, wizard: &Wizard, room: usize) -> SheetPage {
    let theme = view.theme;
    let mut page = SheetPage::default();
    for (at, (line, field)) in wizard.lines.shown().enumerate() {
        let focused = line == wizard.line;
        let drawn = line_to_type(view, line.title(), &field.input, focused);
        page.body.push(drawn);
        if focused {
            page.typed = Some(TypedLine::named(at, &field.input));
        }
    }
    let said = match wizard.line {
        WizardLine::Label => "How people find it: unique in the account, at most 128 characters.",
        WizardLine::ExternalId => "Your own id of it, if you have one; at most 128 characters.",
        WizardLine::Description => {
            "What it is for, for whoever finds it in two years; at most 255 characters."
        }
        WizardLine::Expires => {
            "A date such as 2027-01-31, a time from now such as 90d, or never. One that never ends is the one \
              that leaks unseen."
        }
    };
    page.below.extend(words(said, theme.faint, room));
    page
}

fn extensions(view: &View<'_>, wizard: &Wizard, room: usize) -> SheetPage {
    let theme = view.theme;
    let mut page = SheetPage {
        above: words("What is the token for?", theme.text, room),
        ..SheetPage::default()
    };
    if let Some(why) = wizard.extensions.trouble() {
        page.body = trouble(view, why, room);
        page.body
            .push(Line::from(Span::styled("Enter tries again", theme.faint)));
        return page;
    }
    let Some(offered) = wizard.extensions.here() else {
        page.body = words("asking what there is …", theme.probing, room);
        return page;
    };
    if offered.is_empty() {
        page.body = words(
            "The account has no extension to make tokens for.",
            theme.error,
            room,
        );
    }
    for (at, one) in offered.iter().enumerate() {
        page.body
            .push(extension_line(view, one, at == wizard.extension, room));
    }
    page.scroll = Scroll::Around(wizard.extension);
    page
}

fn extension_line(view: &View<'_>, one: &Offered, selected: bool, room: usize) -> Line<'static> {
    let theme = view.theme;
    let extension = &one.extension;
    let marker = if selected { "▸ " } else { "  " };
    let name = extension.name.as_deref().unwrap_or("–");
    let id = extension.id.as_deref().unwrap_or("–");
    let (left, style) = match (one.left, extension.quota) {
        (Some(0), Some(quota)) => (format!("none of {quota} left"), theme.down),
        (Some(left), Some(quota)) => (format!("{left} of {quota} left"), theme.faint),
        _ => ("quota not known".to_owned(), theme.faint),
    };
    // What is left decides: the id goes before it, and a name is cut for it.
    let beside = width(marker) + QUOTA;
    let id_cells = if room < beside + LEAST_NAME + ID {
        0
    } else {
        ID
    };
    let name_cells = room.saturating_sub(beside + id_cells).min(30);
    Line::from(vec![
        Span::styled(marker, theme.marker),
        Span::styled(
            fill(clean(name), name_cells.saturating_sub(2), name_cells),
            if selected { theme.strong } else { theme.text },
        ),
        Span::styled(pad(&clean(id), id_cells), theme.faint),
        Span::styled(left, style),
    ])
}

fn modules(view: &View<'_>, wizard: &Wizard, room: usize) -> SheetPage {
    let theme = view.theme;
    let mut page = SheetPage::default();
    if let Some(why) = wizard.modules.trouble() {
        page.body = trouble(view, why, room);
        page.body
            .push(Line::from(Span::styled("Enter tries again", theme.faint)));
        return page;
    }
    if wizard.modules.here().is_none() {
        page.body = words("asking for the modules …", theme.probing, room);
        return page;
    }
    page.above.push(Line::from(vec![
        Span::styled("Which modules may it enter?  ", theme.text),
        Span::styled("find ", theme.faint),
    ]));
    page.typed_above = Some(TypedLine {
        at: 0,
        input: wizard.module_filter.clone(),
        indent: 34,
    });
    let shown = wizard.shown_modules();
    for (at, module) in shown.iter().enumerate() {
        let id = module.id.as_deref().unwrap_or("–");
        let name = module.name.as_deref().unwrap_or("–");
        let name_cells = room.saturating_sub(6 + ID).min(40);
        let chosen = wizard.chosen.contains(id);
        let selected = at == wizard.module;
        let style = if chosen { theme.strong } else { theme.text };
        page.body.push(Line::from(vec![
            Span::styled(if selected { "▸ " } else { "  " }, theme.marker),
            Span::styled(if chosen { "[x] " } else { "[ ] " }, style),
            Span::styled(
                fill(clean(name), name_cells.saturating_sub(2), name_cells),
                style,
            ),
            Span::styled(clean(id), theme.faint),
        ]));
    }
    if shown.is_empty() {
        page.body = words("No module matches.", theme.faint, room);
    }
    page.scroll = Scroll::Around(wizard.module);
    page.below = if wizard.opens_all() {
        words(ALL_MEANS, theme.warn, room)
    } else if wizard.chosen.is_empty() {
        words("Without a module it opens nothing.", theme.warn, room)
    } else {
        let chosen = format!("{} chosen", wizard.chosen.len());
        words(&chosen, theme.faint, room)
    };
    page
}

fn summary(view: &View<'_>, wizard: &Wizard, room: usize) -> SheetPage {
    let theme = view.theme;
    let mut page = SheetPage::default();
    match wizard.outcome.here() {
        Some(WizardOutcome::Made(made)) => {
            page.body = exists(view, wizard, made, room);
            return page;
        }
        Some(WizardOutcome::Changed(changed)) => {
            page.body = half_changed(view, wizard, changed, room);
            return page;
        }
        None => {}
    }
    page.body = match &wizard.editing {
        None => what_is_made(view, wizard, room),
        Some(_) => what_differs(view, wizard, room),
    };
    // What Enter does is in sight however low the box is.
    page.below = match &wizard.editing {
        None => words(&what_is_sent(wizard), theme.strong, room),
        Some(_) if wizard.edit().is_empty() && wizard.difference().is_empty() => Vec::new(),
        Some(_) => words(
            "Enter sends this: fields first, then grants, then revocations.",
            theme.strong,
            room,
        ),
    };
    if let Some(why) = wizard.outcome.trouble() {
        page.body.push(Line::default());
        page.body.extend(trouble(view, why, room));
        page.body.push(Line::from(Span::styled(
            "Enter tries again, PgUp goes back",
            theme.faint,
        )));
    } else if wizard.outcome.is_loading() {
        page.below = words("sending …", theme.probing, room);
    }
    page
}

/// What was decided last, and may matter most, comes first.
fn what_is_made(view: &View<'_>, wizard: &Wizard, room: usize) -> Vec<Line<'static>> {
    let theme = view.theme;
    let mut lines = Vec::new();
    let mut typed = Vec::new();
    for (line, field) in wizard.lines.shown() {
        let text = if field.text().is_empty() {
            "–"
        } else {
            field.text()
        };
        let meant = (line == WizardLine::Expires)
            .then(|| parse_expiry(text, view.model.now).ok().flatten())
            .flatten()
            .map(|at| format!(" ({})", at.chars().take(10).collect::<String>()));
        let text = format!("{text}{}", meant.unwrap_or_default());
        typed.extend(named(view, line.title(), &clean(&text), theme.text, room));
    }
    let extension = wizard.chosen_extension().map(|one| &one.extension);
    let extension = extension.map(|one| {
        let parts = [one.name.clone(), one.id.clone()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    });
    let extension = clean(&extension.unwrap_or_default());
    let modules: Vec<_> = wizard
        .wanted()
        .iter()
        .map(|id| format!("{} {id}", wizard.module_name(id)).trim().to_owned())
        .collect();
    let (text, style) = if modules.is_empty() {
        ("none: it will open nothing".to_owned(), theme.warn)
    } else {
        (modules.join(", "), theme.text)
    };
    lines.extend(named(view, "Modules", &clean(&text), style, room));
    if wizard.opens_all() {
        lines.extend(words(ALL_MEANS, theme.warn, room));
    }
    lines.extend(named(view, "Extension", &extension, theme.text, room));
    lines.extend(typed);
    lines
}

fn what_is_sent(wizard: &Wizard) -> String {
    match wizard.wanted().len() {
        0 => "Enter creates it: one request.".to_owned(),
        1 => "Enter creates it, then grants the module: two requests.".to_owned(),
        count => format!(
            "Enter creates it, then grants the modules: {} requests.",
            count + 1
        ),
    }
}

fn what_differs(view: &View<'_>, wizard: &Wizard, room: usize) -> Vec<Line<'static>> {
    let theme = view.theme;
    let (edit, difference) = (wizard.edit(), wizard.difference());
    let before = wizard.editing.as_ref().map(|row| &row.token);
    let mut lines = Vec::new();
    let fields = [
        (
            "Label",
            &edit.name,
            before.and_then(|token| token.name.as_ref()),
        ),
        (
            "External id",
            &edit.external_id,
            before.and_then(|token| token.external_id.as_ref()),
        ),
        (
            "Description",
            &edit.description,
            before.and_then(|token| token.description.as_ref()),
        ),
    ];
    for (name, after, before) in fields {
        let Some(after) = after else { continue };
        let old = format!("- {}", clean(before.map_or("", String::as_str)));
        lines.extend(named(view, name, &old, theme.down, room));
        lines.extend(named(
            view,
            "",
            &format!("+ {}", clean(after)),
            theme.ok,
            room,
        ));
    }
    lines.extend(modules_that_differ(view, wizard, &difference, room));
    if difference
        .grant
        .iter()
        .any(|id| id == crate::domain::token::ALL_MODULES)
    {
        lines.extend(words(ALL_MEANS, theme.warn, room));
    }
    if lines.is_empty() {
        return words("Nothing differs: nothing is sent.", theme.faint, room);
    }
    lines
}

fn modules_that_differ(
    view: &View<'_>,
    wizard: &Wizard,
    difference: &Difference,
    room: usize,
) -> Vec<Line<'static>> {
    let theme = view.theme;
    let signs = [
        ('+', &difference.grant, theme.ok),
        ('-', &difference.revoke, theme.down),
    ];
    let mut lines = Vec::new();
    for (sign, ids, style) in signs {
        for id in ids {
            let text = clean(&format!("{sign} {id} {}", wizard.module_name(id)));
            lines.extend(named(view, "Module", &text, style, room));
        }
    }
    lines
}

/// A token exists: with all its modules, or without some of them.
fn exists(view: &View<'_>, wizard: &Wizard, made: &Made, room: usize) -> Vec<Line<'static>> {
    let theme = view.theme;
    let id = made.row.id().unwrap_or("–");
    let label = clean(&view.model.shown_label(made.row.label()));
    let mut lines = words(&format!("✓ “{label}” exists now."), theme.ok, room);
    match reveal::token(view.model, &wizard.name, id) {
        Some(open) => lines.extend(opened(view, "Handle", &open, room)),
        None => lines.extend(named(view, "Handle", MASK, theme.text, room)),
    }
    lines.extend(named(view, "Id", &view.id(id), theme.text, room));
    let status = made.row.token.status.word().unwrap_or("–");
    lines.extend(named(view, "Status", &clean(status), theme.text, room));
    let Some(why) = &made.trouble else {
        lines.push(Line::default());
        let pending = made.row.token.status == crate::domain::token::Status::Pending;
        if pending && let Some(key) = view.model.keymap.list_key(Action::SwitchToken) {
            let said = format!("It is pending: {key} in its details switches it on.");
            lines.extend(words(&said, theme.faint, room));
        }
        return lines;
    };
    lines.push(Line::default());
    let missing: Vec<_> = made
        .missing
        .iter()
        .map(|id| format!("{id} {}", wizard.module_name(id)))
        .collect();
    let is_not = match why.kind {
        TroubleKind::Uncertain => "It may not be let into",
        _ => "It was not let into",
    };
    let said = format!("{is_not}: {}", missing.join(", "));
    lines.extend(words(&clean(&said), theme.warn, room));
    lines.extend(trouble(view, why, room));
    lines
}

fn half_changed(
    view: &View<'_>,
    wizard: &Wizard,
    changed: &Changed,
    room: usize,
) -> Vec<Line<'static>> {
    let theme = view.theme;
    let is_uncertain = |why: &Trouble| why.kind == TroubleKind::Uncertain;
    let said = if changed.trouble.as_ref().is_some_and(is_uncertain) {
        "Not all is known to be done. What may be left:"
    } else {
        "Not all was done. What is left:"
    };
    let mut lines = words(said, theme.warn, room);
    lines.extend(modules_that_differ(view, wizard, &changed.left, room));
    if let Some(why) = &changed.trouble {
        lines.extend(trouble(view, why, room));
    }
    lines
}
