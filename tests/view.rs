//! What the screen looks like: the sample model at several sizes, with and without colours.
#![expect(
    clippy::unwrap_used,
    reason = "a test of pictures: whatever is missing shall fail it"
)]

#[path = "view/fields.rs"]
mod fields;
#[path = "view/narrow.rs"]
mod narrow;
#[path = "support/sample.rs"]
mod sample;
#[path = "view/watching.rs"]
mod watching;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use insta::{assert_debug_snapshot, assert_snapshot};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};
use sample::{after, connection, empty, entry, form, good, model, name, select, stripped};
use switchboard::app::handles::{CopySubject, Revealed, RevealedHandle};
use switchboard::app::message::StoreOffer;
use switchboard::app::model::{
    AddTokenDialog, FieldText, Form, ListOrder, LoadState, Lock, Overlay, Pane, PassphraseDialog,
    Question, UrlHint,
};
use switchboard::app::notice::{About, CopiedNotice, Notice};
use switchboard::app::secret_field::{SecretField, ShownField};
use switchboard::app::shared_token::{Check, SharedTokenSheet};
use switchboard::app::{FieldId, Message, Model, hints};
use switchboard::domain::{
    Handle, HandleSlot, Name, PassphrasePurpose, Reason, Secret, SecretRef, State,
};
use switchboard::service::verify::VerifyStep;
use switchboard::tui::cells::Cells;
use switchboard::ui::{self, ColourDepth, Theme, ThemeName};
use tui_input::Input;

fn mono() -> Theme {
    Theme::shipped(ThemeName::Dark, ColourDepth::NoColor)
}

fn drawn(model: &Model, theme: &Theme) -> TestBackend {
    let (width, height) = model.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| ui::draw(model, theme, frame))
        .unwrap();
    terminal.backend().clone()
}

fn screen(model: &Model) -> TestBackend {
    drawn(model, &mono())
}

/// Everything that stands on the screen, in one text.
fn text(model: &Model) -> String {
    screen(model).to_string()
}

#[test]
fn four_panes() {
    assert_snapshot!("100x30", screen(&model(100, 30)));
    assert_snapshot!("120x40", screen(&model(120, 40)));
}

#[test]
fn three_panes() {
    assert_snapshot!("80x24", screen(&model(80, 24)));
    assert_snapshot!("60x16", screen(&model(60, 16)));
    let mut tokens = model(80, 24);
    tokens.focus = Pane::Tokens;
    assert_snapshot!("80x24_tokens", screen(&tokens));
}

#[test]
fn what_is_unusual_is_told_before_the_counts_are_told_in_words() {
    for width in [44, 60, 66, 75, 80, 100] {
        for (is_set, word) in [(true, "war-room"), (false, "paused")] {
            let mut unusual = model(width, 24);
            unusual.war_room = is_set;
            unusual.watching = is_set;
            unusual.lock = Lock::NeverOpened;
            let shown = text(&unusual);
            let row = shown.lines().next().unwrap_or_default();
            for word in [word, "vault locked", "● 3", "✖ 1"] {
                assert!(row.contains(word), "{width}: {row}");
            }
        }
    }
}

#[test]
fn one_pane_and_one_line() {
    assert_snapshot!("20x5", screen(&model(20, 5)));
    assert_snapshot!("10x3", screen(&model(10, 3)));
    for pane in Pane::ALL {
        let mut one = model(40, 12);
        one.focus = pane;
        assert_snapshot!(format!("40x12_{pane:?}"), screen(&one));
    }
}

/// In the smallest windows, too, what is asked and chosen stands there.
#[test]
fn overlays_show_what_they_are_about_in_every_size() {
    for (width, height) in [(80, 24), (40, 12), (24, 6)] {
        let at = |overlay| {
            let mut shown = model(width, height);
            shown.overlay = Some(overlay);
            text(&shown)
        };
        let palette = at(Overlay::Palette {
            input: Input::default(),
            row: 0,
        });
        let first = hints::palette(&model(width, height), "")[0].1.name;
        let row = format!("▸ {first}");
        assert!(palette.contains(&row), "{width}x{height}\n{palette}");
        let host = "api.example.com".to_owned();
        let asked = at(Overlay::Confirm(Question::SendKeyTo(host)));
        assert!(
            asked.contains("api.example.com"),
            "{width}x{height}\n{asked}"
        );
    }
}

#[test]
fn a_warning_says_why_and_what_to_do() {
    let mut warned = model(120, 50);
    select(&mut warned, "staging");
    assert_snapshot!("verdict_stripped", screen(&warned));
    warned.size = (72, 24);
    warned.focus = Pane::Response;
    warned.response_scroll = 9;
    assert_snapshot!("verdict_scrolled", screen(&warned));
    warned.response_scroll = u16::MAX;
    assert_snapshot!("verdict_end", screen(&warned));
}

#[test]
fn other_verdicts() {
    for chosen in ["legacy", "partner", "connect", "東京支店の請求サーバー"] {
        let mut shown = model(100, 30);
        select(&mut shown, chosen);
        // File names of snapshots are ASCII.
        let plain = if chosen.is_ascii() { chosen } else { "wide" };
        assert_snapshot!(format!("verdict_{plain}"), screen(&shown));
    }
}

#[test]
fn the_key_of_a_hint_is_never_cut() {
    for (width, height) in [(80, 24), (100, 30), (200, 50)] {
        let mut edited = model(width, height);
        edited.focus = Pane::Form;
        let mut form = form();
        form.hint = Some(UrlHint {
            text: "The URL names the folder of Blesta, not the staff area in it.".into(),
            url: Some("https://billing.example.com/blesta/with/a/long/path".into()),
        });
        edited.form = Some(form);
        let picture = text(&edited);
        assert!(picture.contains("! The URL names the folder"), "{picture}");
        let whole =
            picture.contains("Alt-u uses https://billing.example.com/blesta/with/a/long/path");
        assert_eq!(whole, width == 200, "{picture}");
        assert!(picture.contains("Alt-u uses https://b"), "{picture}");
    }
}

/// Where one pane fills a small screen, what is wrong has the rows below the fields.
#[test]
fn a_small_form_says_what_is_wrong() {
    let mut edited = model(40, 12);
    edited.focus = Pane::Form;
    let mut typed = form();
    typed.hint = Some(UrlHint {
        text: "The URL names the folder of Blesta, not the staff area in it.".into(),
        url: Some("https://billing.example.com/blesta".into()),
    });
    edited.form = Some(typed);
    let picture = text(&edited);
    for part in ["staff area in it.", "Alt-u uses", "example.com/blesta"] {
        assert!(picture.contains(part), "{part}\n{picture}");
    }
    let mut failed = form();
    failed.hint = None;
    failed.verdict = Some(Box::new(stripped()));
    failed.live = switchboard::app::form::live::LiveTest::default();
    edited.form = Some(failed);
    let picture = text(&edited);
    assert!(picture.contains(&stripped().title), "{picture}");
    let mut waits = form();
    waits.cursor = 1;
    waits.live.half_typed = Some(switchboard::app::FieldId::Username);
    edited.form = Some(waits);
    let picture = text(&edited);
    let why = "the key is tested when you leave";
    assert!(picture.contains(why), "{picture}");
}

#[test]
fn the_words_of_lamps_stand_where_the_values_leave_room() {
    for (width, height) in [(60, 16), (40, 12)] {
        let mut shown = model(width, height);
        shown.focus = Pane::Form;
        let picture = text(&shown);
        for word in ["set ", "accepted ", "no CMS URL "] {
            assert!(picture.contains(word), "{word}\n{picture}");
        }
    }
}

#[test]
fn a_long_name_leaves_room_for_how_the_form_stands() {
    for (width, height) in [(100, 30), (60, 16), (40, 12)] {
        let mut shown = model(width, height);
        shown.focus = Pane::Form;
        let mut typed = form();
        typed.editing = Some(name(&"long".repeat(15)));
        typed.dirty = true;
        shown.form = Some(typed);
        let picture = text(&shown);
        assert!(picture.contains("not saved "), "{picture}");
    }
    let mut ordered = model(80, 24);
    ordered.list.order = ListOrder::Latency;
    assert!(text(&ordered).contains("slowest ─"), "{}", text(&ordered));
}

#[test]
fn a_draft_is_marked_and_named_wherever_it_is() {
    let mut elsewhere = model(100, 30);
    let mut typed = form();
    typed.parked = true;
    typed.dirty = true;
    typed.editing = Some(name("shop"));
    elsewhere.form = Some(typed);
    select(&mut elsewhere, "eu");
    assert!(text(&elsewhere).contains("*shop"), "{}", text(&elsewhere));
    for question in [Question::LoseDraft, Question::QuitUnsaved] {
        elsewhere.overlay = Some(Overlay::Confirm(question));
        let asked = text(&elsewhere);
        assert!(asked.contains("What was typed of “shop”"), "{asked}");
    }
}

#[test]
fn what_stays_in_a_locked_vault_is_said_before_the_connection_goes() {
    let mut asked = model(100, 30);
    asked.entries.change(&name("shop"), |entry| {
        let connection = std::sync::Arc::make_mut(&mut entry.connection);
        connection.key = Some(SecretRef::Vault("shop/key".into()));
    });
    asked.overlay = Some(Overlay::Confirm(Question::Remove(name("shop"))));
    assert!(text(&asked).contains("and its secrets"), "{}", text(&asked));
    asked.lock = Lock::NeverOpened;
    let said = text(&asked);
    assert!(
        said.contains("what it keeps of it stays") && !said.contains("and its secrets"),
        "{said}"
    );
}

#[test]
fn the_form() {
    let mut edited = model(100, 30);
    edited.focus = Pane::Form;
    edited.form = Some(form());
    assert_snapshot!("form_url", screen(&edited));
    edited.form.as_mut().unwrap().cursor = 2;
    assert_snapshot!("form_key", screen(&edited));
    let opened = edited.form.as_mut().unwrap();
    opened.further = true;
    opened.cursor = 14;
    opened.hint = None;
    assert_snapshot!("form_further", screen(&edited));
}

#[test]
fn an_empty_field_says_what_it_waits_for() {
    let mut edited = empty(100, 30);
    edited.focus = Pane::Form;
    edited.form = Some(Form::empty());
    assert_snapshot!("form_empty", screen(&edited));
    edited
        .form
        .as_mut()
        .unwrap()
        .set_text(FieldId::Service, "connect");
    edited.form.as_mut().unwrap().cursor = 1;
    assert!(text(&edited).contains("(an id such as SU-160-984-311)"));
}

#[test]
fn no_meaning_is_by_colour_alone() {
    let states = switchboard::domain::State::ALL;
    for (at, one) in states.iter().enumerate() {
        for other in &states[..at] {
            assert_ne!(one.glyph(), other.glyph());
            assert_ne!(one.word(), other.word());
        }
    }
    // Without colours the selection is still seen, and so is which pane has the keys.
    let mut shown = model(100, 30);
    for name in ["legacy", "connect"] {
        select(&mut shown, name);
        let drawn = text(&shown);
        let marked: Vec<&str> = drawn.lines().filter(|line| line.contains("│▸")).collect();
        assert!(
            marked.len() == 1 && marked[0].contains(name),
            "{name}: {marked:?}"
        );
    }
    // The footer says it too, and is left out here.
    let boxes = |pane| {
        let mut shown = model(100, 30);
        shown.focus = pane;
        let buffer = screen(&shown).buffer().clone();
        let rows = usize::from(buffer.area.height) - 1;
        let cells = &buffer.content[..rows * usize::from(buffer.area.width)];
        let seen = cells
            .iter()
            .map(|cell| (cell.symbol().to_owned(), cell.modifier));
        seen.collect::<Vec<_>>()
    };
    assert_ne!(boxes(Pane::List), boxes(Pane::Response));
}

#[test]
fn the_first_start() {
    assert_snapshot!("nothing_yet", screen(&empty(100, 30)));
    for (width, height) in [(80, 24), (60, 16), (40, 12), (20, 5)] {
        let small = empty(width, height);
        assert_snapshot!(format!("nothing_yet_{width}x{height}"), screen(&small));
        let shown = text(&small);
        let keys: &[&str] = match height {
            5 => &["n new", "D a demo"],
            _ => &["n new", "D demo", "I import"],
        };
        assert!(keys.iter().all(|key| shown.contains(key)), "{shown}");
    }
    let mut failed = empty(80, 24);
    failed.loaded = LoadState::Failed(
        "/home/ada/.config/switchboard/switchboard.toml line 12: expected `=` after the key".into(),
    );
    assert_snapshot!("not_readable", screen(&failed));
    let mut demo = model(100, 30);
    demo.banner = vec![
        "This is the demo: rehearsal services on loopback, nothing is saved.".into(),
        String::new(),
        "shop (blesta)".into(),
        "  Username  shop-api".into(),
        "  Key       0123456789abcdef0123456789abcdef".into(),
    ];
    select(&mut demo, "connect");
    assert_snapshot!("banner", screen(&demo));
    demo.warnings = vec!["shop is read only by half".into()];
    demo.war_room = true;
    let shown = text(&demo);
    assert!(shown.contains("is read only by half"), "{shown}");
    assert!(!shown.contains("shop"), "{shown}");
}

/// The list is narrow at 80 columns, and its count is long while it is filtered.
#[test]
fn every_letter_of_a_filter_is_in_sight_while_it_fits() {
    let mut narrow = model(80, 24);
    narrow.list.filtering = true;
    narrow.list.visible.truncate(1);
    for typed in ["m", "market", "marketp", "marketplace", "state:unknown"] {
        narrow.list.filter = Input::new(typed.into());
        let shown = screen(&narrow).to_string();
        assert!(shown.contains(&format!("/{typed} ")), "{typed}: {shown}");
    }
}

#[test]
fn filter_and_footer() {
    let mut found = model(100, 24);
    found.list.filtering = true;
    found.list.filter = Input::new("state:up".into());
    found
        .list
        .visible
        .retain(|name| ["eu", "shop", "us"].contains(&name.as_str()));
    found.copied = Some(CopiedNotice {
        words: "copied → your terminal (OSC 52)".into(),
        clears_at: Some(after(18)),
    });
    let shown = screen(&found);
    assert_eq!(shown.cursor_position(), Position::new(11, 1));
    assert_snapshot!("filter", shown);
    found.notice = Some(Notice {
        text: "no connection is paused".into(),
        error: true,
        about: About::Past,
        until: after(5),
    });
    assert!(text(&found).contains("no connection is paused"));
}

/// A dialog keeps its keys in view, a narrow screen the countdown.
#[test]
fn a_copy_leaves_room_for_what_matters_more() {
    let long = "copied → tmux buffer only; no terminal is attached";
    let copied = |width| {
        let mut shown = model(width, 24);
        shown.copied = Some(CopiedNotice {
            words: long.into(),
            clears_at: Some(after(18)),
        });
        shown
    };
    let narrow = text(&copied(60));
    assert!(narrow.contains("…, clears in 18 s"), "{narrow}");
    let mut asked = copied(80);
    assert!(text(&asked).contains(long));
    asked.overlay = Some(Overlay::Confirm(Question::SaveAllTheSame));
    let shown = text(&asked);
    let row = shown.lines().last().unwrap();
    assert!(row.contains("the copy clears in 18 s"), "{row}");
    assert!(!row.contains("tmux") && row.contains("n no"), "{row}");
}

/// Why something failed, and what to do, stands at the end of the sentence.
#[test]
fn a_sentence_about_a_failure_is_shown_to_its_end() {
    let told = "not saved: changing the configuration: /home/somebody/.config/switchboard/switchboard.toml \
                can't be read: Permission denied (os error 13); give this user the permission back, then try again";
    let sizes = [(200, 50), (100, 30), (80, 24), (60, 16)];
    // What is no failure says at its end what to do as well: "Ctrl-Z takes it back".
    let all = sizes.into_iter().zip([true, true, true, false]);
    for ((width, height), error) in all.chain([((100, 30), false)]) {
        let mut failed = model(width, height);
        failed.notice = Some(Notice {
            text: told.to_owned().into(),
            error,
            about: About::Past,
            until: failed.now,
        });
        let words: Vec<String> = text(&failed)
            .lines()
            .map(|line| line.trim_matches(['"', ' ']).to_owned())
            .collect();
        let joined = words.join(" ");
        assert!(
            joined.contains("then try again"),
            "{width}×{height}: {joined}"
        );
        assert!(joined.contains("not saved:"), "{width}×{height}: {joined}");
    }
}

#[test]
fn overlays() {
    let at = |overlay| {
        let mut shown = model(100, 30);
        shown.overlay = Some(overlay);
        shown
    };
    assert_snapshot!("help", screen(&at(Overlay::Help { scroll: 0 })));
    let palette = Overlay::Palette {
        input: Input::new("copy".into()),
        row: 1,
    };
    assert_snapshot!("palette", screen(&at(palette)));
    assert_snapshot!(
        "delete",
        screen(&at(Overlay::Confirm(Question::Remove(name("shop")))))
    );
    let mut small = model(20, 5);
    let removal = Question::Remove(name("shop"));
    small.overlay = Some(Overlay::Confirm(removal));
    assert!(text(&small).contains("shop: remove it"), "{}", text(&small));
    let offers = vec![
        StoreOffer {
            reference: SecretRef::Vault("shop/key".into()),
            label: "vault, under a passphrase".into(),
            unavailable: None,
        },
        StoreOffer {
            reference: SecretRef::Keyring("shop/key".into()),
            label: "desktop keyring".into(),
            unavailable: Some(
                "no Secret Service answers on this machine: there is no D-Bus session".into(),
            ),
        },
    ];
    assert_snapshot!(
        "choose_store",
        screen(&at(Overlay::ChooseStore { offers, row: 0 }))
    );
    assert_snapshot!("copy_as", screen(&at(copy_as(2))));
    assert_snapshot!("passphrase", screen(&at(Overlay::Passphrase(passphrase()))));
    assert_snapshot!("add_token", screen(&at(Overlay::AddToken(add_token()))));
    assert_snapshot!(
        "shared_token",
        screen(&at(Overlay::SharedToken(shared_token())))
    );
}

#[test]
fn a_question_says_how_it_stands() {
    let mut asked = model(100, 30);
    for (connection, question, says) in [
        ("partner", Question::SaveAllTheSame, "left something open"),
        ("legacy", Question::SaveAllTheSame, "did not end well"),
        ("partner", Question::Bisect(name("partner")), "lifts that"),
        (
            "legacy",
            Question::Bisect(name("legacy")),
            "legacy: up to 4 requests",
        ),
    ] {
        select(&mut asked, connection);
        asked.overlay = Some(Overlay::Confirm(question));
        let text = text(&asked);
        assert!(text.contains(says), "{connection}: {text}");
    }
    // Refused so often that the last refusal has paused it: until then.
    for (until, says) in [(after(60), "lifts that"), (asked.now, "up to 4 requests")] {
        asked.entries.change(&name("legacy"), |entry| {
            let verdict = entry.verdict.as_mut().unwrap();
            verdict.reason = Reason::CredentialsRejected;
            verdict.retry_at = Some(until);
        });
        let text = text(&asked);
        assert!(text.contains(says), "{text}");
    }
}

#[test]
fn a_connection_without_a_key_offers_none() {
    let mut keyless = model(100, 30);
    keyless.overlay = Some(copy_as(0));
    let selected = keyless.list.selected.clone().unwrap();
    keyless.entries.change(&selected, |entry| {
        let mut connection = (*entry.connection).clone();
        connection.key = None;
        connection.token = None;
        entry.connection = std::sync::Arc::new(connection);
    });
    let text = text(&keyless);
    assert!(
        text.contains("sends no key") && !text.contains("SWITCHBOARD_KEY"),
        "{text}"
    );
}

fn copy_as(row: usize) -> Overlay {
    let of = CopySubject {
        name: name("shop"),
        which: Some(RevealedHandle::Held(HandleSlot::Key)),
        label: "API key".to_owned(),
    };
    Overlay::CopyAs { row, of }
}

fn passphrase() -> PassphraseDialog {
    PassphraseDialog {
        kind: PassphrasePurpose::Create,
        first: SecretField::holding(Secret::new("correct horse")),
        second: SecretField::holding(Secret::new("correct")),
        on_second: true,
        problem: Some("the two are not the same".into()),
        busy: false,
    }
}

fn shared_token() -> SharedTokenSheet {
    let row = |label, state, detail: &str| VerifyStep {
        label,
        state,
        detail: detail.to_owned(),
    };
    SharedTokenSheet {
        name: Name::parse("shop").unwrap(),
        is_set: true,
        places: vec![
            "Blesta: Settings > Available Plugins > C!Blesta > Manage".to_owned(),
            "CMS: Components > C!Blesta > Options > General > API Token".to_owned(),
        ],
        check: Check::Made {
            rows: Box::new([
                row("API URL", State::Ok, "https://cms.example.com"),
                row("URL Found", State::Ok, ""),
                row("Token Set", State::Ok, ""),
                row(
                    "Token Valid",
                    State::Warn,
                    "the two tokens are not the same",
                ),
            ]),
            advice: "Enter the token in both places again.".to_owned(),
        },
        scroll: 0,
    }
}

/// It is pasted twice from there: which clipboard has it, and how sure that is, stands beside the places.
#[test]
fn the_shared_token_s_sheet_says_where_its_copy_went() {
    let mut copied = model(80, 24);
    copied.overlay = Some(Overlay::SharedToken(shared_token()));
    let words = "sent; the tmux in front passes it on with set-clipboard on";
    assert!(!text(&copied).contains(words), "{}", text(&copied));
    copied.copied = Some(CopiedNotice {
        words: words.into(),
        clears_at: Some(after(18)),
    });
    let shown = text(&copied);
    assert!(
        shown.contains(words) && shown.contains("the copy clears in 18 s"),
        "{shown}"
    );
}

#[test]
fn the_shared_token_s_places_can_be_scrolled_to() {
    let mut low = model(40, 12);
    low.overlay = Some(Overlay::SharedToken(shared_token()));
    assert!(text(&low).contains("Esc close"), "{}", text(&low));
    assert!(!text(&low).contains("API Token"), "{}", text(&low));
    for _ in 0..20 {
        scrolls(&mut low, KeyCode::Down);
    }
    let end = text(&low);
    assert!(end.contains("API Token") && !end.contains('↓'), "{end}");
    scrolls(&mut low, KeyCode::Up);
    assert!(text(&low).contains("↓ 1 more"), "{}", text(&low));
}

fn add_token() -> AddTokenDialog {
    AddTokenDialog {
        name: name("shop"),
        label: Input::new("read-only reports".into()),
        value: SecretField::default(),
        on_value: true,
        problem: None,
        busy: false,
        store: None,
    }
}

const HANDLE: &str = "0123456789abcdef0123456789abcdef";

fn revealing(width: u16, height: u16, handle: &str) -> Model {
    let mut shown = model(width, height);
    shown.revealed = Some(Revealed {
        name: name("shop"),
        which: RevealedHandle::Held(HandleSlot::Key),
        handle: Handle::plain(Secret::new(handle)),
        until: after(8),
    });
    shown
}

#[test]
fn a_handle_is_shown_whole_or_not_at_all() {
    assert_snapshot!("revealed", screen(&revealing(100, 30, HANDLE)));
    let long = format!("ApiKey SU-160-984-311:{}", "0123456789abcdef".repeat(12));
    assert_snapshot!("revealed_long", screen(&revealing(100, 30, &long)));
    assert_snapshot!(
        "revealed_where_tokens_are_not_seen",
        screen(&revealing(60, 20, HANDLE))
    );
    let mut added = revealing(100, 30, HANDLE);
    added.entries.change(&name("shop"), |entry| {
        let connection = std::sync::Arc::make_mut(&mut entry.connection);
        let label = "a label that is longer than its column by far".to_owned();
        connection.added = vec![(label, SecretRef::Ask)];
    });
    let slot = HandleSlot::Added("a label that is longer than its column by far".to_owned());
    added.revealed.as_mut().unwrap().which = RevealedHandle::Held(slot);
    added.focus = Pane::Tokens;
    added.token_row = 2;
    let shown = text(&added);
    assert!(shown.contains(&format!("…  {HANDLE}")), "{shown}");
    let mut late = revealing(100, 30, HANDLE);
    late.now = after(8);
    assert!(!text(&late).contains(HANDLE));
    let mut guests = revealing(100, 30, HANDLE);
    guests.war_room = true;
    assert!(!text(&guests).contains(HANDLE));
}

#[test]
fn the_war_room_names_nobody() {
    let mut guests = model(100, 40);
    guests.war_room = true;
    assert_snapshot!("war_room", screen(&guests));
    // What is looked for is typed blindly.
    guests.list.filter = "shop".into();
    guests.list.filtering = true;
    assert!(text(&guests).contains("/••••"), "{}", text(&guests));
    for chosen in guests.list.visible.clone() {
        guests.list.selected = Some(chosen);
        for size in [(100, 50), (80, 40), (40, 40)] {
            guests.size = size;
            let seen = text(&guests);
            for telling in [
                "example",
                "shop",
                "prod",
                "東京",
                "SU-160",
                "203.0.113",
                "2001:db8",
                "Shop Ltd",
            ] {
                assert!(!seen.contains(telling), "{telling} is seen:\n{seen}");
            }
        }
    }
}

/// The war-room over a connection whose secrets are called after whom they are for, and its name.
fn guests_of_secretcorp() -> (Model, Name) {
    let mut guests = model(200, 50);
    guests.war_room = true;
    let name = guests.list.selected.clone().unwrap();
    guests.entries.change(&name, |entry| {
        let connection = std::sync::Arc::make_mut(&mut entry.connection);
        connection.key = Some("file:/srv/secretcorp/key".parse().unwrap());
        connection.token = Some("env:SECRETCORPKEY".parse().unwrap());
        connection.added = vec![("for secretcorp".to_owned(), SecretRef::Ask)];
    });
    (guests, name)
}

/// In the words of files, programs and the system anything can stand: nothing of them is shown.
#[test]
fn the_war_room_shows_no_words_of_this_machine() {
    let why = "/srv/Secret Corp/pass: customers/secretcorp is away";
    let (mut guests, name) = guests_of_secretcorp();
    guests.entries.change(&name, |entry| {
        let mut verdict = (**entry.verdict.as_ref().unwrap()).clone();
        verdict.reason = Reason::SecretUnavailable;
        verdict.cause = format!("The key is not at hand: {why}.");
        verdict.evidence = vec![why.to_owned()];
        entry.verdict = Some(verdict.into());
    });
    guests.notice = Some(Notice {
        text: format!("on_change failed: it ended with 1: {why}").into(),
        error: true,
        about: About::Past,
        until: after(9),
    });
    let more = "more is not shown in the war-room";
    let tells = |guests: &Model, told: &[&str]| {
        let shown = text(guests);
        for of in ["secretcorp", "Secret", "Corp", "srv"] {
            assert!(!shown.contains(of), "{of}:\n{shown}");
        }
        for told in told {
            assert!(shown.contains(told), "{told}:\n{shown}");
        }
    };
    let on_change = format!("on_change failed: {more}");
    let cause = format!("The key is not at hand: {more}.");
    tells(&guests, &[&on_change, &cause, " file ", " ••• "]);
    guests.overlay = Some(Overlay::Passphrase(PassphraseDialog {
        problem: Some(why.to_owned()),
        ..passphrase()
    }));
    tells(&guests, &["something is wrong on this machine"]);
    guests.overlay = None;
    guests.loaded = LoadState::Failed(why.to_owned());
    let wrong = format!("something is wrong on this machine: {more}");
    tells(&guests, &[&wrong]);
    guests.loaded = LoadState::Ready;
    guests.warnings = vec![why.to_owned()];
    guests.entries.change(&name, |entry| entry.verdict = None);
    tells(&guests, &[&wrong]);
}

/// What the program says of itself is no secret: where advice stands behind a colon, it is shown.
#[test]
fn the_war_room_shows_the_program_s_own_advice() {
    let mut guests = model(200, 50);
    watching::press(&mut guests, "W");
    for (key, said) in [
        ("D", "the war-room would end there: leave it first"),
        ("a", "the war-room opens no form"),
    ] {
        watching::press(&mut guests, key);
        let shown = text(&guests);
        assert!(shown.contains(said), "{shown}");
    }
    let said = "the group that was marked is gone: no connection is selected";
    guests.notice = Some(Notice {
        text: said.to_owned().into(),
        error: true,
        about: About::Selection,
        until: after(9),
    });
    assert!(text(&guests).contains(said), "{}", text(&guests));
    guests.focus = Pane::Tokens;
    let hints = hints::footer(&guests);
    assert!(hints.iter().all(|(key, _)| key != "a"), "{hints:?}");
}

/// Where a key is kept is called after whom it is for, and so is a label that somebody gave.
#[test]
fn the_war_room_tells_of_where_a_key_is_kept_its_kind_alone() {
    let (guests, _) = guests_of_secretcorp();
    let shown = text(&guests);
    assert!(!shown.to_lowercase().contains("secretcorp"), "{shown}");
    for kind in [" file ", " env ", " ••• ", " ask "] {
        assert!(shown.contains(kind), "{kind}:\n{shown}");
    }
}

#[test]
fn where_what_was_selected_is_gone_it_is_said_how_to_go_on() {
    let mut lost = model(100, 30);
    lost.list.lost = Some((lost.list.selected.take(), 1));
    let shown = text(&lost);
    assert!(shown.contains("↓ selects a row"), "{shown}");
    // Where the filter leaves no row there is none to go to.
    lost.list.filter = "zzz".into();
    lost.list.visible.clear();
    let shown = text(&lost);
    assert!(shown.contains("Esc clears the filter"), "{shown}");
}

#[test]
fn a_filter_that_finds_nothing_says_how_to_clear_it() {
    let mut found = model(100, 30);
    found.list.filter = "zzz".into();
    found.list.visible.clear();
    found.list.selected = None;
    let shown = text(&found);
    assert!(shown.contains("Esc clears the filter"), "{shown}");
    let footer = shown.lines().nth(29).unwrap_or_default();
    assert!(
        !footer.contains("edit") && footer.contains("Esc"),
        "{footer}"
    );
}

#[test]
fn colours_stand_for_states() {
    let mut warned = model(60, 16);
    select(&mut warned, "staging");
    let theme = Theme::shipped(ThemeName::Dark, ColourDepth::Sixteen);
    assert_debug_snapshot!("colour_60x16", drawn(&warned, &theme).buffer());
    assert_debug_snapshot!("mono_60x16", drawn(&warned, &mono()).buffer());
}

#[test]
fn without_colours_no_cell_has_one() {
    for (width, height) in [(120, 40), (80, 24), (40, 12)] {
        let mut edited = model(width, height);
        edited.form = Some(form());
        edited.focus = Pane::Form;
        for theme in ThemeName::ALL {
            let theme = Theme::shipped(theme, ColourDepth::NoColor);
            for cell in drawn(&edited, &theme).buffer().content() {
                assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
                let allowed = Modifier::BOLD | Modifier::UNDERLINED | Modifier::REVERSED;
                assert!(allowed.contains(cell.modifier));
            }
        }
    }
}

/// The cells that one change of the model makes the terminal draw anew.
fn changed(before: &Model, after: &Model) -> usize {
    let theme = Theme::shipped(ThemeName::Dark, ColourDepth::True);
    let (before, after) = (drawn(before, &theme), drawn(after, &theme));
    before.buffer().diff(after.buffer()).len()
}

#[test]
fn a_list_move_changes_few_cells() {
    let twins = |selected: &str| {
        let mut twins = empty(120, 40);
        for number in 0..20 {
            let text = format!("conn-{number:04}");
            let mut verdict = good(&text, 40 + number);
            verdict.identity = None;
            let connection = connection(
                &text,
                &format!("http://127.1.0.{}:18080/health", number + 1),
            );
            twins.list.visible.push(name(&text));
            twins
                .entries
                .insert(name(&text), Box::new(entry(connection, Some(verdict))));
        }
        select(&mut twins, selected);
        twins
    };
    // Marker off, marker on, and the digits that differ: name, URL, user, latency, wait.
    let cells = changed(&twins("conn-0001"), &twins("conn-0002"));
    assert!(cells <= 10, "{cells} cells");
}

/// Bytes that the terminal gets for one change of the model.
/// On some terminals lines are all but their background: what is to be read is not written in their colour.
#[test]
fn titles_and_a_kept_filter_are_not_in_the_colour_of_the_lines() {
    for name in [ThemeName::Dark, ThemeName::Light] {
        for depth in [ColourDepth::Sixteen, ColourDepth::TwoFiftySix] {
            let theme = Theme::shipped(name, depth);
            let mut filtered = model(100, 30);
            filtered.list.filter = Input::new("shop".into());
            filtered.focus = Pane::Response;
            let shown = drawn(&filtered, &theme);
            let line: Vec<_> = shown.buffer().content()[100..200].iter().collect();
            let text: String = line.iter().map(|cell| cell.symbol()).collect();
            let at = |words| text.split_once(words).unwrap().0.chars().count();
            for place in [at("shop"), at(" · ") - 1] {
                assert_eq!(line[place].fg, Color::Reset, "{place}: {text}");
            }
            assert_eq!(Some(line[0].fg), theme.border.fg);
        }
    }
}

fn written(before: &Model, after: &Model) -> usize {
    let theme = Theme::shipped(ThemeName::Dark, ColourDepth::True);
    let (width, height) = before.size;
    let mut terminal = Terminal::new(Cells::new(Size { width, height })).unwrap();
    for model in [before, after] {
        terminal.backend_mut().take();
        terminal
            .draw(|frame| ui::draw(model, &theme, frame))
            .unwrap();
    }
    terminal.backend_mut().take().len()
}

#[test]
fn a_list_move_and_a_letter_write_few_bytes() {
    let plain = |selected: &str| {
        let mut plain = empty(120, 40);
        for number in 0..20 {
            let text = format!("conn-{number:04}");
            let mut held = connection(
                &text,
                &format!("http://127.1.0.{}:18080/health", number + 1),
            );
            held.username = "admin".into();
            plain.list.visible.push(name(&text));
            let entry = Box::new(entry(held, None));
            plain.entries.insert(name(&text), entry);
        }
        select(&mut plain, selected);
        plain
    };
    let moved = written(&plain("conn-0001"), &plain("conn-0002"));
    assert!(moved <= 80, "{moved} bytes");
    let typed = |text: &str| {
        let mut edited = model(120, 40);
        edited.focus = Pane::Form;
        edited.form = Some(form());
        let url = &mut edited.form.as_mut().unwrap().fields[0];
        url.text = FieldText::Plain(Input::new(text.into()));
        edited
    };
    let letter = written(&typed("https://billing"), &typed("https://billing."));
    assert!(letter <= 20, "{letter} bytes");
}

#[test]
fn a_click_finds_its_pane_and_row() {
    let mut clicked = model(100, 30);
    for (column, row, found) in [
        (3, 2, Some((Pane::List, 0))),
        (3, 8, Some((Pane::List, 6))),
        (40, 4, Some((Pane::Form, 2))),
        (40, 8, Some((Pane::Response, 0))),
        (40, 25, Some((Pane::Tokens, 0))),
        (40, 24, None),
        (0, 0, None),
        (99, 29, None),
        (300, 300, None),
    ] {
        assert_eq!(ui::pane_at(&clicked, column, row), found, "{column} {row}");
    }
    clicked.form = Some(form());
    clicked.form.as_mut().unwrap().further = true;
    clicked.form.as_mut().unwrap().cursor = 20;
    assert_eq!(ui::pane_at(&clicked, 40, 2), Some((Pane::Form, 8)));
}

#[test]
fn a_countdown_changes_its_digits_only() {
    let at = |seconds| {
        let mut shown = revealing(100, 30, HANDLE);
        shown.copied = Some(CopiedNotice {
            words: "copied → your terminal (OSC 52)".into(),
            clears_at: Some(after(18)),
        });
        shown.revealed.as_mut().unwrap().until = after(12);
        shown.now = after(seconds);
        shown
    };
    assert!(changed(&at(2), &at(3)) <= 4, "{}", changed(&at(2), &at(3)));
}

#[test]
fn ten_thousand_connections_show_what_twenty_do() {
    let mut many = empty(100, 30);
    for number in 0..10_000 {
        let text = format!("conn-{number:05}");
        many.list.visible.push(name(&text));
        let entry = entry(connection(&text, "https://a.example"), None);
        many.entries.insert(name(&text), Box::new(entry));
    }
    select(&mut many, "conn-09999");
    let seen = text(&many);
    assert!(seen.contains("▸○ unknown co…-09999"), "{seen}");
    assert!(seen.contains("10000 unknown"), "{seen}");
}

#[test]
fn the_cursor_stands_in_the_field() {
    let mut edited = model(100, 30);
    edited.focus = Pane::Form;
    edited.form = Some(form());
    let field = edited.form.as_mut().unwrap();
    field.cursor = 1;
    let shown = screen(&edited);
    assert!(shown.cursor_visible());
    let row: String = (0..100)
        .map(|x| shown.buffer()[(x, 3)].symbol().to_owned())
        .collect();
    assert!(row.contains("▸Username"), "{row}");
    let before = row.chars().take(usize::from(shown.cursor_position().x));
    assert!(before.collect::<String>().ends_with("shop-api"), "{row}");
    edited.overlay = Some(Overlay::Help { scroll: 0 });
    assert!(!screen(&edited).cursor_visible());
    edited.overlay = None;
    edited.focus = Pane::List;
    assert!(!screen(&edited).cursor_visible());
}

#[test]
fn a_secret_in_the_form_shows_only_when_asked() {
    let mut edited = model(100, 30);
    edited.focus = Pane::Form;
    edited.form = Some(form());
    edited.form.as_mut().unwrap().cursor = 2;
    assert!(!text(&edited).contains("0123"));
    edited.form.as_mut().unwrap().shown = Some(ShownField {
        id: FieldId::Key,
        until: after(10),
    });
    assert!(text(&edited).contains("0123"));
    edited.now = after(10);
    assert!(!text(&edited).contains("0123"));
}

#[test]
fn foreign_text_is_inert_in_every_cell() {
    let evil = "a\u{1b}]0;x\u{7}b\u{202e}c\u{9b}31m\u{200b}\u{feff}";
    let mut verdict = stripped();
    verdict.title = evil.into();
    verdict.cause = evil.into();
    verdict.evidence = vec![evil.into()];
    verdict.changed_since_last_good = vec![evil.into()];
    verdict.service_version = Some(evil.into());
    verdict.remedy.steps = vec![evil.into()];
    verdict.remedy.snippet = Some(format!("{evil}\n\t{evil}"));
    verdict.remedy.url = Some(evil.into());
    verdict.redirects = vec![evil.into()];
    for pane in Pane::ALL {
        for (width, height) in [(120, 50), (80, 24), (40, 12)] {
            let mut shown = model(width, height);
            let mut held = connection("shop", evil);
            held.username = evil.into();
            held.note = evil.into();
            held.added = vec![(evil.into(), SecretRef::Env(evil.into()))];
            shown
                .entries
                .insert(name("shop"), Box::new(entry(held, Some(verdict.clone()))));
            shown.notice = Some(Notice {
                text: evil.into(),
                error: false,
                about: About::Past,
                until: after(5),
            });
            shown.focus = pane;
            for cell in screen(&shown).buffer().content() {
                let inert = |c: char| !c.is_control() && !"\u{202e}\u{200b}\u{feff}".contains(c);
                assert!(cell.symbol().chars().all(inert), "{:?}", cell.symbol());
            }
        }
    }
}

#[test]
fn no_size_panics() {
    let theme = Theme::shipped(ThemeName::Dark, ColourDepth::True);
    for mut shown in every_kind() {
        for width in (0..=120).step_by(7).chain([1, 19, 20, 59, 60, 61, 99, 100]) {
            for height in (0..=50).step_by(4).chain([1, 2, 3, 5, 7, 15, 17]) {
                shown.size = (width, height);
                drawn(&shown, &theme);
            }
        }
    }
}

/// The sample with something different in the foreground each time.
fn every_kind() -> Vec<Model> {
    let mut kinds = Vec::new();
    for pane in Pane::ALL {
        let mut zoomed = revealing(100, 30, &HANDLE.repeat(9));
        select(&mut zoomed, "staging");
        zoomed.focus = pane;
        zoomed.zoomed = pane != Pane::List;
        zoomed.response_scroll = 40;
        kinds.push(zoomed);
        let mut edited = model(100, 30);
        edited.form = Some(form());
        edited.form.as_mut().unwrap().cursor = 20;
        edited.form.as_mut().unwrap().further = pane != Pane::List;
        edited.focus = pane;
        edited.list.filtering = pane == Pane::List;
        edited.list.filter = Input::new("東京".repeat(30));
        kinds.push(edited);
    }
    for overlay in [
        Overlay::Help { scroll: 500 },
        Overlay::Palette {
            input: Input::new("o".into()),
            row: 500,
        },
        Overlay::Confirm(Question::BisectDraft),
        Overlay::ChooseStore {
            offers: Vec::new(),
            row: 9,
        },
        copy_as(9),
        Overlay::Passphrase(passphrase()),
        Overlay::AddToken(add_token()),
        Overlay::SharedToken(shared_token()),
    ] {
        let mut covered = model(100, 30);
        covered.overlay = Some(overlay);
        kinds.push(covered);
    }
    kinds
}

#[test]
fn a_key_writes_about_a_kilobyte_at_most() {
    for (keys, most) in [("jk", 320), ("/WseaYdb", 1_200)] {
        for key in keys.chars() {
            let before = model(120, 40);
            let mut pressed = model(120, 40);
            let key_event = KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE);
            pressed.update(after(1), Message::Key(key_event));
            let bytes = written(&before, &pressed);
            assert!(bytes <= most, "{key}: {bytes} bytes");
        }
    }
}

/// A key as the loop hands it over: with what the screen knows of its lines.
fn scrolls(model: &mut Model, code: KeyCode) {
    if let Some(last) = ui::last_line(model) {
        model.update(after(1), Message::Measured(last));
    }
    let key = KeyEvent::new(code, KeyModifiers::NONE);
    model.update(after(1), Message::Key(key));
}

#[test]
fn what_scrolls_comes_to_its_end_and_back_at_every_size() {
    for (width, height) in [(30, 12), (45, 14), (60, 16), (100, 30), (160, 50)] {
        for help in [false, true] {
            let mut shown = model(width, height);
            select(&mut shown, "staging");
            shown.focus = Pane::Response;
            if help {
                scrolls(&mut shown, KeyCode::Char('?'));
            }
            let hidden = ui::last_line(&shown).unwrap();
            let end = if help {
                KeyCode::End
            } else {
                KeyCode::Char('G')
            };
            scrolls(&mut shown, end);
            let picture = text(&shown);
            let below = |line: &str| line.contains('↓') && line.contains(" more ");
            assert!(!picture.lines().any(below), "{width}x{height}\n{picture}");
            scrolls(&mut shown, KeyCode::Up);
            let picture = text(&shown);
            assert!(
                hidden == 0 || picture.contains("↓ 1 more"),
                "{width}x{height}\n{picture}"
            );
        }
    }
}

#[test]
fn the_places_of_secrets_are_told_whole_on_a_narrow_screen() {
    let offers = vec![StoreOffer {
        reference: SecretRef::Vault("shop/key".into()),
        label: "vault: an encrypted file beside the configuration, opened by a passphrase".into(),
        unavailable: None,
    }];
    let mut narrow = model(48, 24);
    narrow.overlay = Some(Overlay::ChooseStore { offers, row: 0 });
    let picture = text(&narrow);
    assert!(
        picture.contains("passphrase") && picture.contains("vault:shop/key"),
        "{picture}"
    );
}

/// The model scrolls without asking the screen: what it counts with must be what the layout gives.
#[test]
fn the_model_counts_with_the_rows_that_the_layout_gives() {
    let rows_of = |model: &Model, pane: Pane| {
        let (columns, rows) = model.size;
        (0..rows)
            .flat_map(|row| (0..columns).step_by(13).map(move |column| (column, row)))
            .filter_map(|(column, row)| ui::pane_at(model, column, row))
            .filter(|(found, _)| *found == pane)
            .map(|(_, at)| usize::from(at) + 1)
            .max()
    };
    for columns in [40, 59, 60, 80, 99, 100, 160] {
        for rows in 8..60 {
            for zoomed in [false, true] {
                let mut drawn = model(columns, rows);
                drawn.zoomed = zoomed;
                for (pane, counted) in [
                    (Pane::List, Model::list_rows as fn(&Model) -> usize),
                    (Pane::Tokens, Model::token_height),
                ] {
                    drawn.focus = pane;
                    let shown = rows_of(&drawn, pane);
                    let counted = Some(counted(&drawn));
                    assert_eq!(counted, shown, "{columns} × {rows} {pane:?}, {zoomed}");
                }
            }
        }
    }
}
