//! What can't be undone: the label is typed; and renewals, step by step.

use ratatui::text::{Line, Span};

use super::super::reveal;
use super::super::text::clean;
use super::super::view::View;
use super::account::day;
use super::sheet::{Scroll, SheetPage, TypedLine, line_to_type, named, opened, trouble, words};
use crate::app::Action;
use crate::app::tokens::TroubleKind;
use crate::app::tokens::exchange::TokenOperation;
use crate::app::tokens::sheet::{Confirm, Renewal, RenewalStage, UnfinishedSheet};
use crate::domain::Name;
use crate::domain::secret::MASK;
use crate::domain::token::{Expiry, NotUpdated, RenewalAction, RenewalStep, Renewed};

pub(super) fn confirm(view: &View<'_>, sheet: &Confirm, room: usize) -> SheetPage {
    let theme = view.theme;
    let label = clean(&view.model.shown_label(&sheet.label));
    let mut body = Vec::new();
    let what = match sheet.doing {
        TokenOperation::Rotate => "The old secret is dead at once, wherever it is used.",
        TokenOperation::Disable => "It opens nothing until it is enabled again.",
        TokenOperation::Edit => "Without these modules it is refused where they are asked for.",
        TokenOperation::Delete => "It is gone for good: nobody can bring it back.",
        TokenOperation::Renew => {
            "The secret of the earlier renewal is dead at once, wherever it is used."
        }
        TokenOperation::Create | TokenOperation::Enable => "Nothing is taken away by it.",
    };
    body.extend(words(what, theme.text, room));
    body.push(Line::default());
    let ask = format!("To {} it, type its label: {label}", sheet.doing.verb());
    body.extend(words(&ask, theme.text, room));
    let mut typed = Some(TypedLine::named(body.len(), &sheet.typed));
    body.push(line_to_type(view, "Label", &sheet.typed, !sheet.on_name));
    if !sheet.in_use.is_empty() {
        let names: Vec<_> = sheet.in_use.iter().map(|name| view.name(name)).collect();
        let ask = format!(
            "and the name of a connection that runs on it: {}",
            names.join(", ")
        );
        body.extend(words(&ask, theme.text, room));
        if sheet.on_name {
            typed = Some(TypedLine::named(body.len(), &sheet.typed_name));
        }
        body.push(line_to_type(
            view,
            "Connection",
            &sheet.typed_name,
            sheet.on_name,
        ));
    }
    body.push(Line::default());
    body.extend(match (&sheet.problem, sheet.sent) {
        (_, Some(_)) => words("asking the service …", theme.probing, room),
        (Some(problem), None) => words(
            &clean(&view.model.shown_sentence(problem)),
            theme.error,
            room,
        ),
        (None, None) => vec![Line::default()],
    });
    let last = body.len();
    SheetPage {
        title: format!("{} {label}", capital(sheet.doing.verb())),
        // It stays in sight however low the box is: everything else can be read in the footer.
        above: who_is_cut_off(view, sheet, room),
        body,
        scroll: Scroll::Around(last.saturating_sub(1)),
        typed: typed.filter(|_| sheet.sent.is_none()),
        ..SheetPage::default()
    }
}

/// Who runs on it; nothing where nobody does.
fn who_is_cut_off(view: &View<'_>, sheet: &Confirm, room: usize) -> Vec<Line<'static>> {
    let theme = view.theme;
    if sheet.in_use.is_empty() {
        return Vec::new();
    }
    let said = format!("▲ This is the key that {}.", runs(view, &sheet.in_use));
    let mut lines = words(&said, theme.down, room);
    let said = match sheet.doing {
        TokenOperation::Rotate | TokenOperation::Renew => {
            "They get the new secret before anything else; whoever else holds the old one is cut off at once."
        }
        TokenOperation::Disable => {
            "Disabling it cuts them off until somebody enables it elsewhere."
        }
        TokenOperation::Edit => {
            "Without a module that they need they are refused, and so may be whoever would give it back."
        }
        TokenOperation::Delete => {
            "Deleting it cuts them off for good. A renewal would keep both secrets working."
        }
        TokenOperation::Create | TokenOperation::Enable => "Nobody is cut off by it.",
    };
    lines.extend(words(said, theme.warn, room));
    lines.push(Line::default());
    lines
}

pub(super) fn page(view: &View<'_>, sheet: &Renewal, room: usize) -> SheetPage {
    let theme = view.theme;
    let label = clean(&view.model.shown_label(&sheet.label));
    let mut page = SheetPage {
        title: format!(
            "{} {label}",
            capital(TokenOperation::from(sheet.how).verb())
        ),
        ..SheetPage::default()
    };
    match &sheet.stage {
        RenewalStage::Asking => ask(view, sheet, room, &mut page),
        RenewalStage::Running { reached, .. } => {
            page.body = steps(view, sheet, *reached, room);
        }
        RenewalStage::Done(renewed) => {
            page.body = steps(view, sheet, Some(RenewalStep::Tidied), room);
            page.body.push(Line::default());
            page.body.extend(done(view, renewed, room));
        }
        RenewalStage::Failed {
            trouble: why,
            reached,
        } => {
            // What goes on later is written down, by whichever run.
            let is_begun = matches!(why.kind, TroubleKind::Unfinished | TroubleKind::SecretLost);
            let begun = is_begun.then_some(RenewalStep::WrittenDown);
            page.body = steps(view, sheet, begun.max(*reached), room);
            page.body.push(Line::default());
            page.body.extend(trouble(view, why, room));
            if why.kind == TroubleKind::Unfinished {
                page.body.extend(goes_on(view, sheet.how, room));
            }
            if let Some((_, replaces)) = sheet.only_secret() {
                page.body.extend(only_secret(view, sheet, replaces, room));
            }
            let last = page.body.len();
            page.scroll = Scroll::Around(last.saturating_sub(1));
        }
    }
    if !matches!(sheet.stage, RenewalStage::Asking) {
        page.above = words(
            match sheet.how {
                RenewalAction::Rotate => {
                    "Another secret at once, kept before anything else, then proven."
                }
                RenewalAction::Renew => {
                    "A second secret beside the old one, proven before anything depends on it."
                }
            },
            theme.faint,
            room,
        );
        page.above.push(Line::default());
    }
    page
}

fn ask(view: &View<'_>, sheet: &Renewal, room: usize, page: &mut SheetPage) {
    let theme = view.theme;
    let said = match sheet.how {
        RenewalAction::Renew if sheet.is_renewed => {
            "It was renewed already. The token gets another renewed secret, and the one that it has is dead at once: \
             where that is used elsewhere, it must be entered anew. The first one stays valid until its own end."
        }
        RenewalAction::Rotate => {
            "The token gets another secret, and the old one is dead at once. Where it is used elsewhere, it must \
             be entered anew."
        }
        RenewalAction::Renew => {
            "The token gets a second secret. The old one stays valid until its own end; it is taken out of here \
             only after probes with the new one were accepted."
        }
    };
    page.body = words(said, theme.text, room);
    if !sheet.in_use.is_empty() {
        let get = match sheet.in_use.len() {
            1 => "it gets",
            _ => "they get",
        };
        let said = format!(
            "It is the key that {}: {get} the new one.",
            runs(view, &sheet.in_use)
        );
        page.body.extend(words(&said, theme.warn, room));
    }
    page.body.push(Line::default());
    page.typed = Some(TypedLine::named(page.body.len(), &sheet.expires));
    page.body
        .push(line_to_type(view, "New one ends", &sheet.expires, true));
    page.body.extend(words(
        "A date, a time from now such as 90d, or never.",
        theme.faint,
        room,
    ));
    page.body.push(Line::default());
    page.body.extend(match &sheet.problem {
        Some(problem) => words(problem, theme.error, room),
        None => vec![Line::default()],
    });
}

/// Every step: done, under way, still to come. A probe that nobody told of is not among them.
fn steps(
    view: &View<'_>,
    sheet: &Renewal,
    reached: Option<RenewalStep>,
    room: usize,
) -> Vec<Line<'static>> {
    let theme = view.theme;
    let mut next = matches!(sheet.stage, RenewalStage::Running { .. });
    let passed = reached.is_some_and(|reached| reached > RenewalStep::Proven);
    let unproven = !sheet.proven && (passed || sheet.how == RenewalAction::Rotate);
    // Who holds it is known at the end alone.
    let held = match &sheet.stage {
        RenewalStage::Done(renewed) => !renewed.updated.is_empty(),
        // What is on the sheet alone is kept nowhere.
        RenewalStage::Failed { .. } => sheet.only_secret().is_none(),
        RenewalStage::Asking | RenewalStage::Running { .. } => true,
    };
    RenewalStep::ALL
        .into_iter()
        .filter(|step| !(unproven && *step == RenewalStep::Proven))
        .filter(|step| held || !step.is_about_holders())
        .flat_map(|step| {
            let over = reached.is_some_and(|reached| step <= reached);
            let (sign, style) = if over {
                ("✓", theme.ok)
            } else if std::mem::take(&mut next) {
                ("◌", theme.probing)
            } else {
                ("·", theme.faint)
            };
            words(&format!("{sign} {}", step.words()), style, room)
        })
        .collect()
}

fn done(view: &View<'_>, renewed: &Renewed, room: usize) -> Vec<Line<'static>> {
    let theme = view.theme;
    let since = match renewed.aside {
        Some(_) => {
            " It was begun earlier and ended meanwhile; nothing was asked of the service now."
        }
        None if renewed.resumed => " It was begun earlier.",
        None => "",
    };
    let said = capital(renewed.action.done()) + ", and its new secret proven." + since;
    let mut lines = words(&said, theme.ok, room);
    if let Some(earlier) = renewed.earlier {
        let noun = earlier.noun();
        let said = format!("A {noun} that was begun earlier was ended first.");
        lines.extend(words(&said, theme.text, room));
    }
    if renewed.updated.is_empty() {
        lines.extend(words("No connection here holds it.", theme.text, room));
    }
    for name in &renewed.updated {
        let said = format!("{} uses the new secret", view.name(name));
        lines.extend(words(&said, theme.text, room));
    }
    for NotUpdated { connection, why } in &renewed.unread {
        let why = view.failure(why);
        let said = format!("{} was left as it is: {why}", view.name(connection));
        lines.extend(words(&said, theme.warn, room));
    }
    for place in &renewed.left_behind {
        let said = format!("the old secret is still at {}", view.reference(place));
        lines.extend(words(&said, theme.warn, room));
    }
    if renewed.old_until == Expiry::Never {
        let said = "The old secret goes on working: it has no end. A rotation ends it.";
        lines.extend(words(said, theme.warn, room));
    }
    for (name, end) in [
        ("Old until", &renewed.old_until),
        ("New until", &renewed.expires),
    ] {
        if let Expiry::At(moment) = end {
            lines.extend(named(view, name, &day(moment), theme.text, room));
        }
    }
    lines
}

/// The key that goes on where it stopped.
fn goes_on(view: &View<'_>, how: RenewalAction, room: usize) -> Vec<Line<'static>> {
    let action = match how {
        RenewalAction::Rotate => Action::RotateToken,
        RenewalAction::Renew => Action::RenewToken,
    };
    let key = super::super::key(view, action).unwrap_or_else(|| format!(":{}", action.name()));
    let said = format!("{key} on this token goes on with it.");
    words(&said, view.theme.text, room)
}

/// The one copy there is of a secret.
fn only_secret(
    view: &View<'_>,
    sheet: &Renewal,
    replaces: bool,
    room: usize,
) -> Vec<Line<'static>> {
    let theme = view.theme;
    let (said, style) = if replaces {
        (
            "▲ The old secret is dead, and the new one is kept nowhere but on this sheet: copy it now.",
            theme.down,
        )
    } else {
        (
            "▲ The new secret is kept nowhere but on this sheet: copy it now. The old one stays valid until its own \
             end.",
            theme.warn,
        )
    };
    let mut lines = words(said, style, room);
    match reveal::token(view.model, &sheet.name, &sheet.id) {
        Some(open) => lines.extend(opened(view, "Handle", &open, room)),
        None => lines.extend(words(MASK, theme.text, room)),
    }
    lines
}

pub(super) fn unfinished(view: &View<'_>, sheet: &UnfinishedSheet, room: usize) -> SheetPage {
    let theme = view.theme;
    let mut above = words(
        "An earlier run has begun these and not ended them. Going on asks the service what has become of each: \
         nothing is renewed twice, and no working secret is lost.",
        theme.text,
        room,
    );
    above.push(Line::default());
    let mut body = Vec::new();
    for (at, one) in sheet.list.iter().enumerate() {
        let marker = if at == sheet.row { "▸ " } else { "  " };
        let names: Vec<_> = one.holders.iter().map(|name| view.name(name)).collect();
        let since = one.since.strftime("%Y-%m-%d %H:%M UTC");
        body.push(Line::from(vec![
            Span::styled(marker, theme.marker),
            Span::styled(view.id(&one.id), theme.strong),
            Span::styled(format!("  {since}  "), theme.faint),
            Span::styled(names.join(", "), theme.text),
        ]));
    }
    SheetPage {
        title: "Renewals that have not ended".to_owned(),
        above,
        body,
        scroll: Scroll::Around(sheet.row),
        ..SheetPage::default()
    }
}

fn runs(view: &View<'_>, names: &[Name]) -> String {
    let list: Vec<_> = names.iter().map(|name| view.name(name)).collect();
    let verb = if list.len() == 1 { "runs on" } else { "run on" };
    format!("{} {verb}", list.join(", "))
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}
