//! What tokens of an account look like: the pane, and the sheets over it, at several sizes and without colours.
#![expect(
    clippy::unwrap_used,
    reason = "a test of pictures: whatever is missing shall fail it"
)]

#[path = "support/sample.rs"]
#[expect(dead_code, reason = "the sample of another test")]
mod sample;

use crossterm::event::KeyEvent;
use insta::assert_snapshot;
use jiff::civil::date;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use sample::{after, model, name, select};
use switchboard::app::effect::Effect;
use switchboard::app::handles::{Revealed, RevealedHandle};
use switchboard::app::keymap::KeyPress;
use switchboard::app::model::Pane;
use switchboard::app::tokens::exchange::{Made, Offered, RowPage};
use switchboard::app::tokens::{
    ChangeAnswer, TokenRow, TokenSheet, TokensAnswer, TokensChange, TokensEffect, TokensMessage,
    TokensQuery, TokensRenewal, Trouble, TroubleKind,
};
use switchboard::app::{Message, Model};
use switchboard::domain::token::{
    Counted, Day, Expiry, Extension, Module, Moment, NotUpdated, Permission, Person, RenewalAction,
    RenewalStep, Renewed, Status, Summary, Token, Unfinished, Usage,
};
use switchboard::domain::{Handle, Secret};
use switchboard::ui::{self, ColourDepth, Theme, ThemeName};

const OWN: &str = "SU-160-984-311";

fn screen(model: &Model) -> TestBackend {
    let (width, height) = model.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let theme = Theme::shipped(ThemeName::Dark, ColourDepth::NoColor);
    terminal
        .draw(|frame| ui::draw(model, &theme, frame))
        .unwrap();
    terminal.backend().clone()
}

fn text(model: &Model) -> String {
    screen(model).to_string()
}

/// Keys by their names; what was asked for about tokens.
fn press(model: &mut Model, names: &str) -> Vec<TokensEffect> {
    let mut asked = Vec::new();
    for name in names.split_whitespace() {
        let press = KeyPress::parse(name).unwrap();
        let key = KeyEvent::new(press.code, press.modifiers);
        model.drawn(model.now - jiff::SignedDuration::from_secs(1));
        asked.extend(model.update(model.now, Message::Key(key)));
    }
    of_tokens(asked)
}

fn types(model: &mut Model, text: &str) {
    for c in text.chars() {
        let key = KeyEvent::from(crossterm::event::KeyCode::Char(c));
        model.update(model.now, Message::Key(key));
    }
}

fn of_tokens(effects: Vec<Effect>) -> Vec<TokensEffect> {
    effects
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Tokens(effect) => Some(effect),
            _ => None,
        })
        .collect()
}

fn told(model: &mut Model, message: TokensMessage) {
    model.update(model.now, Message::Tokens(message));
}

fn token(number: u64) -> Token {
    const KINDS: [(&str, Status, Expiry); 5] = [
        ("Reports export", Status::Active, Expiry::Never),
        ("Zapier", Status::Expiring, Expiry::Unknown),
        ("Old integration", Status::Inactive, Expiry::Never),
        (
            "Nightly sync of all subscriptions",
            Status::Pending,
            Expiry::Unknown,
        ),
        ("会社の統合", Status::Expired, Expiry::Unknown),
    ];
    let at = usize::try_from(number).unwrap() % KINDS.len();
    let (label, status, mut expires) = KINDS[at].clone();
    if expires == Expiry::Unknown {
        let day = ["2026-11-29", "2027-06-01", "2026-11-01"][at % 3];
        expires = Expiry::At(Moment::read(day));
    }
    let held = |id: &str, name: &str| Permission {
        module: Some(id.into()),
        name: Some(name.into()),
        granted: Some(Moment::read("2026-03-02")),
        id: None,
    };
    Token {
        id: Some(if number == 0 {
            OWN.into()
        } else {
            format!("SU-500-000-{number:03}")
        }),
        name: Some(label.into()),
        description: Some("for the nightly run".into()),
        external_id: Some(format!("ext-{number}")),
        owner: Person {
            name: Some("Ann Example".into()),
            email: Some("ann@example.com".into()),
            ..Person::default()
        },
        status,
        extension: Extension {
            id: Some("EXT-002".into()),
            name: Some("Reports".into()),
            ..Extension::default()
        },
        secret: Some(Secret::new("s3cret")),
        created: Some(Moment::read("2026-03-02T08:00:00Z")),
        created_by: Person {
            id: Some("UR-1".into()),
            name: Some("Ann Example".into()),
            email: None,
        },
        expires,
        permissions: Some(match at {
            2 => vec![held("MD-0000", "All")],
            _ => vec![held("MD-0001", "Products"), held("MD-0003", "Reports")],
        }),
        ..Token::default()
    }
}

fn page(total: u64) -> RowPage {
    RowPage {
        rows: (0..total.min(100))
            .map(|n| TokenRow::of(token(n)))
            .collect(),
        total: Some(total),
        own_id: OWN.into(),
    }
}

/// The tokens pane of a Connect connection, nothing loaded.
fn pane(width: u16, height: u16) -> Model {
    let mut model = model(width, height);
    select(&mut model, "connect");
    model.focus = Pane::Tokens;
    model
}

/// The same with so many tokens, the one after the key in use selected.
fn listed(width: u16, height: u16, total: u64) -> Model {
    let mut model = pane(width, height);
    let asked = press(&mut model, "l");
    let [
        TokensEffect::Query {
            generation,
            query: TokensQuery::Page { .. },
            ..
        },
    ] = asked.as_slice()
    else {
        unreachable!("{asked:?}");
    };
    told(
        &mut model,
        TokensMessage::Answered {
            generation: *generation,
            answer: TokensAnswer::Page {
                offset: 0,
                page: Ok(page(total)),
            },
        },
    );
    press(&mut model, "down down");
    model
}

fn trouble(kind: TroubleKind) -> Trouble {
    Trouble {
        text: "granting MD-0003 to SU-500-000-001: this key may not do that: it lacks the module \
               Integrations (403 AUTH_002); You do not have permission"
            .into(),
        kind,
    }
}

#[test]
fn the_pane() {
    assert_snapshot!("tokens_100x30_offer", screen(&pane(100, 30)));
    assert_snapshot!("tokens_100x30", screen(&listed(100, 30, 25_000)));
    assert_snapshot!("tokens_80x24", screen(&listed(80, 24, 12)));
    assert_snapshot!("tokens_40x12", screen(&listed(40, 12, 12)));
    assert_snapshot!("tokens_200x50", screen(&listed(200, 50, 12)));
    let mut zoomed = listed(100, 30, 12);
    press(&mut zoomed, "z");
    assert_snapshot!("tokens_100x30_zoomed", screen(&zoomed));
}

#[test]
fn the_war_room_shows_no_label_and_no_id() {
    let mut hidden = listed(200, 50, 12);
    press(&mut hidden, "W");
    let seen = text(&hidden);
    for telling in ["Reports export", "SU-500", OWN, "Ann", "nightly", "ext-1"] {
        assert!(!seen.contains(telling), "{telling}: {seen}");
    }
    assert!(seen.contains("token-1"), "{seen}");
    press(&mut hidden, "enter");
    let seen = text(&hidden);
    for telling in ["Zapier", "SU-500", "Ann", "nightly", "example.com"] {
        assert!(!seen.contains(telling), "{telling}: {seen}");
    }
}

#[test]
fn the_filter_is_typed_where_the_heads_are() {
    let mut filtered = listed(100, 30, 12);
    press(&mut filtered, "/");
    types(&mut filtered, "zap");
    let shown = screen(&filtered);
    assert!(shown.cursor_visible());
    assert_snapshot!("tokens_100x30_filter", shown);
}

#[test]
fn troubles_stand_below_what_is_there() {
    for (kind, words) in [
        (TroubleKind::Rejected, "the key was refused (401)"),
        (
            TroubleKind::Forbidden("Integrations".into()),
            "this key lacks the module Integrations (403)",
        ),
        (TroubleKind::Quiet(after(60)), "wait until 10:01:00 UTC"),
        (TroubleKind::Failed, "the service failed"),
    ] {
        let mut failed = listed(100, 30, 300);
        let asked = press(&mut failed, "l");
        let [
            TokensEffect::Query {
                generation,
                query: TokensQuery::Page { .. },
                ..
            },
        ] = asked.as_slice()
        else {
            unreachable!("{asked:?}");
        };
        told(
            &mut failed,
            TokensMessage::Answered {
                generation: *generation,
                answer: TokensAnswer::Page {
                    offset: 0,
                    page: Err(trouble(kind)),
                },
            },
        );
        let seen = text(&failed);
        assert!(
            seen.contains(words) && seen.contains("tries again"),
            "{seen}"
        );
    }
}

#[test]
fn a_trouble_that_is_too_long_is_seen_to_be_cut_and_says_what_helps() {
    for (width, height) in [(60, 16), (80, 24)] {
        let mut failed = listed(width, height, 300);
        let asked = press(&mut failed, "l");
        let [TokensEffect::Query { generation, .. }] = asked.as_slice() else {
            unreachable!("{asked:?}");
        };
        let mut long = trouble(TroubleKind::Other);
        long.text = format!("{} ", long.text).repeat(8);
        let answer = TokensAnswer::Page {
            offset: 0,
            page: Err(long),
        };
        let generation = *generation;
        told(&mut failed, TokensMessage::Answered { generation, answer });
        let seen = text(&failed);
        let last = seen.lines().find(|line| line.contains("tries again"));
        let (why, _) = last.unwrap().split_once('·').unwrap();
        assert!(why.trim_end().ends_with('…'), "{seen}");
    }
}

#[test]
fn modules_that_could_not_be_read_say_why() {
    let mut shown = listed(100, 30, 12);
    press(&mut shown, "enter");
    press(&mut shown, "tab");
    let mut modules = |unread: Option<&str>| {
        let Some(TokenSheet::Details(details)) = shown.tokens.sheets.last_mut() else {
            panic!("the details are open");
        };
        details.row.token.permissions = None;
        details.row.modules_unread = unread.map(str::to_owned);
        text(&shown)
    };
    assert!(modules(None).contains("The service does not say which modules"));
    let seen = modules(Some("the service refused"));
    assert!(
        seen.contains("Its modules could not be read: the service refused"),
        "{seen}"
    );
}

#[test]
fn steps_of_the_wizard_are_told_whole_in_a_small_window() {
    for (width, height) in [(60, 16), (80, 24)] {
        let mut wizard = at_general(width, height);
        to_extensions(&mut wizard);
        let shown = text(&wizard);
        for part in ["12 of 32 left", "none of 32 left", "Esc leave"] {
            assert!(shown.contains(part), "{part}\n{shown}");
        }
        to_modules(&mut wizard);
        let shown = text(&wizard);
        for part in ["PgUp step back", "Esc leave", "MD-0001"] {
            assert!(shown.contains(part), "{part}\n{shown}");
        }
    }
}

#[test]
fn details_in_three_parts() {
    let mut shown = listed(100, 30, 12);
    press(&mut shown, "enter");
    assert_snapshot!("tokens_details", screen(&shown));
    shown.revealed = Some(Revealed {
        name: name("connect"),
        which: RevealedHandle::Token("SU-500-000-001".into()),
        handle: Handle::plain(Secret::new(format!(
            "ApiKey SU-500-000-001:{}",
            "0a".repeat(20)
        ))),
        until: after(10),
    });
    assert!(text(&shown).contains("ApiKey SU-500-000-001:0a0a0a"));
    press(&mut shown, "tab");
    assert!(!text(&shown).contains("0a0a0a"), "on General alone");
    assert_snapshot!("tokens_permissions", screen(&shown));
    let asked = press(&mut shown, "tab");
    let [
        TokensEffect::Query {
            generation,
            query: TokensQuery::Usage { .. },
            ..
        },
    ] = asked.as_slice()
    else {
        unreachable!("{asked:?}");
    };
    let counted = |code, total| Counted {
        code,
        total,
        since_last_reset: None,
    };
    let day = |day: i8, good, bad| Day {
        date: date(2026, 11, day),
        codes: vec![(200, good), (403, bad)],
    };
    told(
        &mut shown,
        TokensMessage::Answered {
            generation: *generation,
            answer: TokensAnswer::Usage(Ok(Usage {
                summary: Summary {
                    codes: vec![counted(200, 4821), counted(403, 7), counted(500, 1)],
                    since: Some(Moment::read("2026-08-25")),
                },
                days: vec![
                    day(19, 120, 0),
                    day(20, 60, 7),
                    day(21, 3, 0),
                    day(22, 0, 0),
                ],
            })),
        },
    );
    assert_snapshot!("tokens_usage", screen(&shown));
}

fn at_general(width: u16, height: u16) -> Model {
    let mut wizard = listed(width, height, 12);
    press(&mut wizard, "t");
    types(&mut wizard, "night job");
    wizard
}

/// To the next step, whose question is answered.
fn answered(wizard: &mut Model, answer: TokensAnswer) {
    let asked = press(wizard, "pgdn");
    let [TokensEffect::Query { generation, .. }] = asked.as_slice() else {
        unreachable!("{asked:?}");
    };
    let message = TokensMessage::Answered {
        generation: *generation,
        answer,
    };
    told(wizard, message);
}

fn to_extensions(wizard: &mut Model) {
    let offered = |id: &str, name: &str, left| Offered {
        extension: Extension {
            id: Some(id.into()),
            name: Some(name.into()),
            status: None,
            quota: Some(32),
        },
        left: Some(left),
    };
    let extensions = vec![
        offered("EXT-000", "Custom", 12),
        offered("EXT-001", "Flowgear", 0),
    ];
    answered(wizard, TokensAnswer::Extensions(Ok(extensions)));
}

fn to_modules(wizard: &mut Model) {
    let module = |id: &str, name: &str| Module {
        id: Some(id.into()),
        name: Some(name.into()),
    };
    let modules = vec![
        module("MD-0000", "All"),
        module("MD-0001", "Products"),
        module("MD-0003", "Reports"),
    ];
    answered(wizard, TokensAnswer::Modules(Ok(modules)));
}

#[test]
fn the_wizard_step_by_step() {
    let mut wizard = at_general(100, 30);
    assert_snapshot!("tokens_wizard_general", screen(&wizard));
    to_extensions(&mut wizard);
    assert_snapshot!("tokens_wizard_extension", screen(&wizard));
    to_modules(&mut wizard);
    press(&mut wizard, "space");
    assert_snapshot!("tokens_wizard_all", screen(&wizard));
    press(&mut wizard, "space down space down space pgdn");
    assert_snapshot!("tokens_wizard_summary", screen(&wizard));
    wizard.now = after(1);
    let asked = press(&mut wizard, "enter");
    let [
        TokensEffect::Change {
            generation,
            change: TokensChange::Create { .. },
            ..
        },
    ] = asked.as_slice()
    else {
        unreachable!("{asked:?}");
    };
    told(
        &mut wizard,
        TokensMessage::ChangeAnswered {
            generation: *generation,
            answer: ChangeAnswer::Created(Ok(Box::new(Made {
                row: TokenRow::of(token(3)),
                missing: vec!["MD-0003".into()],
                trouble: Some(trouble(TroubleKind::Forbidden("Integrations".into()))),
            }))),
        },
    );
    assert_snapshot!("tokens_wizard_half", screen(&wizard));
}

/// In the smallest windows, too, the field stands there that is typed in.
#[test]
fn sheets_show_what_is_typed_in_every_size() {
    for (width, height) in [(80, 24), (40, 12), (24, 6)] {
        for (keys, field) in [("t", "Label"), ("N", "New one"), ("d", "Label")] {
            let mut shown = listed(width, height, 12);
            press(&mut shown, keys);
            let drawn = text(&shown);
            assert!(drawn.contains(field), "{keys} {width}x{height}\n{drawn}");
        }
    }
}

#[test]
fn what_cuts_connections_off_says_whom() {
    let mut asked = listed(80, 24, 12);
    press(&mut asked, "up d");
    types(&mut asked, "Reports export");
    press(&mut asked, "enter");
    assert_snapshot!("tokens_confirm_in_use", screen(&asked));
}

#[test]
fn a_renewal_from_asking_to_its_end() {
    let mut renewed = listed(100, 30, 12);
    press(&mut renewed, "N");
    assert_snapshot!("tokens_renew_ask", screen(&renewed));
    let asked = press(&mut renewed, "enter");
    let [
        TokensEffect::Renewal {
            generation,
            renewal: TokensRenewal::Start { .. },
        },
    ] = asked.as_slice()
    else {
        unreachable!("{asked:?}");
    };
    let generation = *generation;
    told(
        &mut renewed,
        TokensMessage::StepReached {
            generation,
            step: RenewalStep::Kept,
        },
    );
    assert_snapshot!("tokens_renew_runs", screen(&renewed));
    let step = RenewalStep::Proven;
    told(
        &mut renewed,
        TokensMessage::StepReached { generation, step },
    );
    let result = Ok(Box::new(Renewed {
        aside: None,
        id: OWN.into(),
        action: RenewalAction::Renew,
        earlier: None,
        updated: vec![name("connect")],
        unread: vec![NotUpdated {
            connection: name("partner"),
            why: "the vault is locked".into(),
        }],
        expires: Expiry::At(Moment::read("2027-11-23")),
        old_until: Expiry::At(Moment::read("2026-12-01")),
        verdicts: Vec::new(),
        left_behind: Vec::new(),
        resumed: false,
    }));
    told(&mut renewed, TokensMessage::Renewed { generation, result });
    assert_snapshot!("tokens_renew_done", screen(&renewed));
}

#[test]
fn what_was_begun_earlier_is_offered() {
    let mut found = pane(80, 24);
    told(
        &mut found,
        TokensMessage::UnfinishedFound(Ok(vec![Unfinished {
            id: OWN.into(),
            connection: name("connect"),
            action: RenewalAction::Renew,
            since: after(-90_000),
            holders: vec![name("connect"), name("partner")],
        }])),
    );
    assert_snapshot!("tokens_unfinished", screen(&found));
}

#[test]
fn one_horizon_of_what_ends() {
    let mut horizon = listed(100, 30, 12);
    press(&mut horizon, "E");
    assert_snapshot!("tokens_horizon", screen(&horizon));
    for (width, height) in [(60, 16), (40, 12)] {
        let mut narrow = listed(width, height, 12);
        press(&mut narrow, "E");
        let shown = text(&narrow);
        assert!(shown.contains("token Night"), "{shown}");
    }
}

#[test]
fn a_narrow_title_keeps_the_pane_its_position_and_the_filter() {
    for (size, filter, parts) in [
        ((40, 12), "", ["Tokens", "· 4/4"]),
        ((60, 16), "", ["Response │ Tokens", "209 tokens"]),
        (
            (80, 24),
            "status:bogus",
            ["Response │ Tokens", "/status:bogus"],
        ),
    ] {
        let mut shown = listed(size.0, size.1, 209);
        shown.tokens.list.as_mut().unwrap().listing.filter = filter.into();
        let picture = text(&shown);
        let title = picture
            .lines()
            .find(|line| line.contains("Tokens"))
            .unwrap();
        assert!(!title.contains('…'), "{picture}");
        for part in parts {
            assert!(title.contains(part), "{part}\n{picture}");
        }
    }
    let mut none = listed(80, 24, 0);
    none.tokens.list.as_mut().unwrap().listing.filter = "zzz".into();
    assert!(text(&none).contains("Esc clears it"), "{}", text(&none));
}

#[test]
fn low_boxes_keep_what_matters() {
    let mut own = listed(40, 12, 12);
    press(&mut own, "up d");
    let asked = text(&own);
    assert!(
        asked.contains("▲ This is the key") && asked.contains("Esc leave"),
        "{asked}"
    );
    let mut granted = listed(40, 12, 12);
    press(&mut granted, "enter tab");
    let shown = text(&granted);
    assert!(shown.contains("granted 2026-03-02"), "{shown}");
    let mut wizard = listed(40, 12, 12);
    press(&mut wizard, "t");
    assert!(
        text(&wizard).contains("▸1 General → 2 → 3 → 4"),
        "{}",
        text(&wizard)
    );
}

#[test]
fn the_help_is_of_the_sheet() {
    let mut details = listed(100, 40, 12);
    press(&mut details, "enter ?");
    let help = text(&details);
    assert!(
        help.contains("Help: Token ") && help.contains("The next part"),
        "{help}"
    );
    assert!(!help.contains("A new connection"), "{help}");
}

#[test]
fn no_size_panics_and_foreign_text_is_inert() {
    let evil = "a\u{1b}]0;x\u{7}b\u{202e}c\u{9b}31m\u{200b}\u{feff}";
    let sheets = [
        "",
        "enter",
        "enter tab",
        "enter tab tab",
        "t",
        "e",
        "d",
        "N",
        "O enter",
        "E",
        "f",
        "/",
    ];
    for (width, height) in [
        (20, 5),
        (30, 8),
        (40, 12),
        (60, 16),
        (80, 24),
        (100, 20),
        (200, 50),
    ] {
        for keys in sheets {
            let mut shown = listed(width, height, 300);
            let row = TokenRow::of(Token {
                name: Some(evil.into()),
                description: Some(evil.into()),
                external_id: Some(evil.into()),
                status: Status::Other(evil.into()),
                created_by: Person {
                    name: Some(evil.into()),
                    ..Person::default()
                },
                ..token(1)
            });
            shown.tokens.list.as_mut().unwrap().replace(&row);
            press(&mut shown, keys);
            let drawn = screen(&shown);
            for cell in drawn.buffer().content() {
                let odd =
                    |c: char| c.is_control() || matches!(c, '\u{202e}' | '\u{200b}' | '\u{feff}');
                assert!(!cell.symbol().chars().any(odd), "{keys} {width}×{height}");
            }
        }
    }
}

#[test]
fn a_rotation_ticks_no_probe_that_nobody_made() {
    let mut rotated = listed(100, 30, 12);
    let generation = runs(&mut rotated, "O enter");
    let probed = "a probe with it was accepted";
    assert!(!text(&rotated).contains(probed), "{}", text(&rotated));
    for step in [RenewalStep::Kept, RenewalStep::Switched] {
        told(
            &mut rotated,
            TokensMessage::StepReached { generation, step },
        );
    }
    let shown = text(&rotated);
    assert!(shown.contains("✓ the connections use it"), "{shown}");
    assert!(!shown.contains(probed), "{shown}");
    let mut renewed = listed(100, 30, 12);
    let generation = runs(&mut renewed, "N enter");
    for step in [RenewalStep::Proven, RenewalStep::Switched] {
        told(
            &mut renewed,
            TokensMessage::StepReached { generation, step },
        );
    }
    assert!(text(&renewed).contains(&format!("✓ {probed}")));
}

/// Begins a renewal or rotation, and types the label where that is asked for; its number.
fn runs(model: &mut Model, keys: &str) -> u64 {
    let mut asked = press(model, keys);
    if asked.is_empty() {
        types(model, "Zapier");
        asked = press(model, "enter");
    }
    let [
        TokensEffect::Renewal {
            generation,
            renewal: TokensRenewal::Start { .. },
        },
    ] = asked.as_slice()
    else {
        unreachable!("{asked:?}: {}", text(model));
    };
    *generation
}

#[test]
fn what_has_not_ended_names_the_key_that_goes_on() {
    for (keys, key) in [("N enter", "N"), ("O enter", "O")] {
        let mut failed = listed(100, 30, 12);
        let generation = runs(&mut failed, keys);
        let result = Err(Trouble {
            text: "could not be proven now".into(),
            kind: TroubleKind::Unfinished,
        });
        told(&mut failed, TokensMessage::Renewed { generation, result });
        let said = format!("{key} on this token goes on with it.");
        assert!(text(&failed).contains(&said), "{}", text(&failed));
        assert!(text(&failed).contains("✓ written down here"));
    }
}
