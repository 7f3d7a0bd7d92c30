//! Tokens of an account: asked for on demand, late answers dropped, nothing changed that was not meant.

use jiff::SignedDuration;

use super::scene::{Scene, named, shop};
use crate::app::effect::{Effect, ScreenEnd, TerminalEffect, TokenCopy};
use crate::app::entries::Entries;
use crate::app::handles::RevealedHandle;
use crate::app::message::{Message, StoreMessage, VaultMessage};
use crate::app::model::{Overlay, Pane, Question};
use crate::app::tokens::exchange::{Changed, Made, Offered, RowPage, Switch};
use crate::app::tokens::sheet::{Ending, Ends, ExpiryHorizon, RenewalStage};
use crate::app::tokens::wizard::{WizardOutcome, WizardStep};
use crate::app::tokens::{
    ChangeAnswer, TokenRow, TokenSheet, TokensAnswer, TokensChange, TokensEffect, TokensMessage,
    TokensQuery, TokensRenewal, Trouble, TroubleKind,
};
use crate::domain::token::{
    Difference, Extension, Group, Guard, Permission, RenewalAction, Status, Token, Unfinished,
};
use crate::domain::{Connection, Handle, HandleSlot, PassphrasePurpose, Secret, ServiceId};

fn market(name: &str) -> Connection {
    let mut connection = shop(name);
    connection.url = "https://api.example.com/public/v1".to_owned();
    connection.username = "SU-1".to_owned();
    connection.service = ServiceId::connect();
    connection
}

fn row(number: u64) -> TokenRow {
    TokenRow::of(Token {
        id: Some(format!("SU-{number}")),
        name: Some(format!("token {number}")),
        status: Status::Active,
        secret: Some(Secret::new("s3cret")),
        ..Token::default()
    })
}

fn page(offset: u64, total: u64) -> RowPage {
    RowPage {
        rows: (offset..total.min(offset + 100)).map(row).collect(),
        total: Some(total),
        own_id: "SU-1".to_owned(),
    }
}

fn trouble(kind: TroubleKind) -> Trouble {
    Trouble {
        text: "the service says no".to_owned(),
        kind,
    }
}

impl Scene {
    /// The effects about tokens since this was last called.
    fn asked(&mut self) -> Vec<TokensEffect> {
        let effects = self.effects().into_iter();
        effects
            .filter_map(|effect| match effect {
                Effect::Tokens(effect) => Some(effect),
                _ => None,
            })
            .collect()
    }

    fn told(&mut self, message: TokensMessage) -> &mut Self {
        self.send(Message::Tokens(message))
    }

    /// The page asked for comes.
    fn page_comes(&mut self, total: u64) -> &mut Self {
        let asked = self.asked();
        let [
            TokensEffect::Query {
                generation,
                query: TokensQuery::Page { offset, .. },
                ..
            },
        ] = asked.as_slice()
        else {
            panic!("{asked:?}");
        };
        self.told(TokensMessage::Answered {
            generation: *generation,
            answer: TokensAnswer::Page {
                offset: *offset,
                page: Ok(page(*offset, total)),
            },
        })
    }

    fn sheet(&self) -> &TokenSheet {
        self.model.tokens.sheet().expect("a sheet is open")
    }
}

/// The list of an account with so many tokens, its first row selected.
fn listed(total: u64) -> Scene {
    let mut scene = Scene::with(vec![market("market"), market("other"), shop("shop")]);
    scene.keys("tab tab tab l");
    scene.page_comes(total);
    scene.keys("down");
    assert_eq!(scene.model.selected_token().map(|(at, _)| at), Some(0));
    scene
}

/// Where letters type over the tokens of an account, and what opens it.
pub(super) fn typing_places() -> Vec<(String, Scene)> {
    let opened = ["t", "/", "N", "d"].map(|opens| {
        let mut scene = listed(3);
        scene.keys(opens);
        (opens.to_owned(), scene)
    });
    Vec::from(opened)
}

#[test]
fn nothing_is_asked_that_nobody_asked_for() {
    let mut scene = Scene::with(vec![market("market"), shop("shop")]);
    scene.keys("tab tab tab tab down up tab tab tab");
    assert_eq!(scene.asked(), []);
    assert_eq!(scene.model.focus, Pane::Tokens);
    scene.keys("down enter");
    assert_eq!(scene.asked().len(), 1, "Enter on the row that offers it");
    scene.keys("down down up z z");
    assert_eq!(scene.asked(), [], "one page at a time");
}

#[test]
fn pages_come_while_scrolling() {
    let mut scene = listed(25_000);
    assert_eq!(scene.asked(), []);
    scene.keys("end");
    let asked = scene.asked();
    let [
        TokensEffect::Query {
            generation,
            query: TokensQuery::Page { offset: 24_900, .. },
            ..
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}");
    };
    scene.told(TokensMessage::Answered {
        generation: *generation,
        answer: TokensAnswer::Page {
            offset: 24_900,
            page: Ok(page(24_900, 25_000)),
        },
    });
    let (at, row) = scene.model.selected_token().unwrap();
    assert_eq!((at, row.and_then(TokenRow::id)), (24_999, Some("SU-24999")));
}

#[test]
fn a_late_answer_is_dropped() {
    let mut scene = Scene::with(vec![market("market"), market("other")]);
    scene.keys("tab tab tab l");
    let asked = scene.asked();
    let [
        TokensEffect::Query {
            generation,
            query: TokensQuery::Page { .. },
            ..
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}");
    };
    let late = || TokensMessage::Answered {
        generation: *generation,
        answer: TokensAnswer::Page {
            offset: 0,
            page: Ok(page(0, 3)),
        },
    };
    // Another group was asked for meanwhile.
    scene.keys("f");
    assert_eq!(scene.asked().len(), 1);
    scene.told(late());
    assert!(!scene.model.account_list().unwrap().loaded);
    // Another connection is chosen.
    scene.keys("esc down");
    assert_eq!(scene.asked(), [TokensEffect::Forget]);
    scene.told(late());
    assert!(scene.model.tokens.list.is_none());
}

#[test]
fn the_lock_ends_what_is_on_its_way() {
    let mut scene = Scene::with(vec![market("market")]);
    scene.keys("tab tab tab l");
    let asked = scene.asked();
    let [
        TokensEffect::Query {
            generation,
            query: TokensQuery::Page { .. },
            ..
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}");
    };
    scene.keys("L");
    scene.told(TokensMessage::Answered {
        generation: *generation,
        answer: TokensAnswer::Page {
            offset: 0,
            page: Ok(page(0, 3)),
        },
    });
    let list = scene.model.account_list().unwrap();
    assert!(!list.loaded && list.loading.is_none());
    assert_eq!(scene.asked(), [], "nothing is asked for while locked");
}

#[test]
fn what_needs_the_vault_goes_on_once_it_is_open() {
    let mut scene = Scene::with(vec![market("market")]);
    scene.keys("tab tab tab l");
    let effect = scene.asked().remove(0);
    let needed =
        || TokensMessage::PassphraseNeeded(PassphrasePurpose::Open, Box::new(effect.clone()));
    scene.told(needed());
    assert!(matches!(scene.model.overlay, Some(Overlay::Passphrase(_))));
    scene.send(Message::Vault(VaultMessage::Unlocked));
    assert_eq!(scene.asked(), std::slice::from_ref(&effect));
    scene.told(needed());
    scene.keys("esc");
    let list = scene.model.account_list().unwrap();
    assert!(list.loading.is_none() && list.trouble.is_some());
}

#[test]
fn a_filter_is_asked_for_once_typing_rests() {
    let mut scene = listed(300);
    scene.keys("/").types("rep");
    assert_eq!(scene.asked(), []);
    scene.wait(300);
    assert_eq!(scene.asked(), []);
    scene.wait(200);
    let asked = scene.asked();
    assert!(
        matches!(asked.as_slice(), [TokensEffect::Query { query: TokensQuery::Page { listing, offset: 0, .. }, .. }]
            if listing.filter == "rep"),
        "{asked:?}"
    );
    // What was typed while the page was on its way counts, and letters did not act.
    scene.types("orts").keys("enter");
    let asked = scene.asked();
    assert!(
        matches!(asked.as_slice(), [TokensEffect::Query { query: TokensQuery::Page { listing, .. }, .. }]
            if listing.filter == "reports"),
        "{asked:?}"
    );
}

#[test]
fn groups_and_orders_are_the_service_s() {
    let mut scene = listed(300);
    scene.keys("f");
    let asked = scene.asked();
    assert!(
        matches!(asked.as_slice(), [TokensEffect::Query { query: TokensQuery::Page { listing, .. }, .. }]
            if listing.group == Some(Group::Expiring)),
        "{asked:?}"
    );
    scene.keys("f f f f f");
    assert_eq!(scene.model.account_list().unwrap().listing.group, None);
    scene.keys("s");
    assert_eq!(scene.notice(), "what ends next first");
}

#[test]
fn only_the_label_deletes() {
    let mut scene = listed(3);
    scene.keys("down down d");
    scene.types("token").keys("enter");
    assert_eq!(scene.asked(), []);
    scene.types(" 2").keys("enter enter");
    let asked = scene.asked();
    let [
        TokensEffect::Change {
            generation,
            change:
                TokensChange::Switch {
                    id,
                    switch: Switch::Delete,
                    guard,
                    ..
                },
            ..
        },
    ] = asked.as_slice()
    else {
        panic!("sent once: {asked:?}");
    };
    assert_eq!(*guard, Guard::Agreed(Vec::new()), "nobody was named");
    assert_eq!(id, "SU-2");
    // A connection's own deletion is another thing.
    assert!(scene.question().is_none());
    scene.told(TokensMessage::ChangeAnswered {
        generation: *generation,
        answer: ChangeAnswer::Switched(Ok(None)),
    });
    assert!(scene.model.tokens.sheets.is_empty());
    assert_eq!(scene.asked().len(), 1, "the list is read again");
}

#[test]
fn what_was_asked_for_before_a_change_does_not_take_it_back() {
    let with = |status: Status| {
        let mut changed = row(2);
        changed.token.status = status;
        Ok(Box::new(changed))
    };
    let mut scene = listed(3);
    scene.keys("down down enter");
    let asked = scene.asked();
    let [
        TokensEffect::Query {
            generation,
            query: TokensQuery::Token { .. },
            ..
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}");
    };
    let before = *generation;
    scene.keys("x").types("token 2").keys("enter");
    let asked = scene.asked();
    let [
        TokensEffect::Change {
            generation,
            change: TokensChange::Switch { .. },
            ..
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}");
    };
    scene.told(TokensMessage::ChangeAnswered {
        generation: *generation,
        answer: ChangeAnswer::Switched(with(Status::Inactive).map(Some)),
    });
    let asked = scene.asked();
    let [
        TokensEffect::Query {
            generation,
            query: TokensQuery::Token { .. },
            ..
        },
    ] = asked.as_slice()
    else {
        panic!("what is shown is read as it is now: {asked:?}");
    };
    let after = *generation;
    let status = |scene: &Scene| match scene.sheet() {
        TokenSheet::Details(details) => details.row.token.status.clone(),
        other => panic!("{other:?}"),
    };
    for (generation, read) in [(before, Status::Active), (after, Status::Inactive)] {
        scene.told(TokensMessage::Answered {
            generation,
            answer: TokensAnswer::Token(with(read)),
        });
        assert_eq!(status(&scene), Status::Inactive);
    }
}

#[test]
fn a_token_is_copied_in_the_form_that_was_chosen() {
    let mut scene = listed(3);
    let copy = |form| TokensEffect::Copy {
        name: named("market"),
        id: "SU-0".to_owned(),
        form,
    };
    scene.keys("y");
    assert_eq!(scene.asked(), [copy(TokenCopy::Handle)]);
    scene.keys("Y");
    assert_eq!(scene.asked(), [], "asked first");
    scene.keys("down enter");
    assert_eq!(scene.asked(), [copy(TokenCopy::Header)]);
    scene.keys("enter Y down down enter");
    assert_eq!(
        scene.asked().last(),
        Some(&copy(TokenCopy::Username)),
        "of the details too"
    );
    for choice in crate::app::handles::TOKEN_CHOICES {
        assert!(TokenCopy::of(*choice).is_some(), "{choice:?} is offered");
    }
    scene.keys("Y esc W Y");
    assert!(scene.model.overlay.is_none());
}

#[test]
fn the_key_in_use_needs_the_name_of_who_is_cut_off() {
    let mut scene = listed(3);
    scene.keys("down x");
    let TokenSheet::Confirm(confirm) = scene.sheet() else {
        panic!("{:?}", scene.sheet());
    };
    assert_eq!(confirm.in_use, [named("market"), named("other")]);
    scene.types("token 1").keys("enter enter");
    assert_eq!(scene.asked(), []);
    scene.types("other").keys("enter");
    let asked = scene.asked();
    assert!(
        matches!(
            asked.as_slice(),
            [TokensEffect::Change { change: TokensChange::Switch { guard: Guard::Agreed(names), switch: Switch::Disable, .. }, .. }] if *names == [named("market"), named("other")]
        ),
        "only those who were named: {asked:?}"
    );
}

/// `e` on the row `token 1`, which `market` and `other` run on, and a module taken away: the summary is shown.
fn a_module_less() -> Scene {
    let mut scene = listed(3);
    scene.keys("down e");
    let asked = scene.asked();
    let [
        TokensEffect::Query {
            generation,
            query: TokensQuery::Token { .. },
            ..
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}");
    };
    let held = |id: &str| Permission {
        module: Some(id.to_owned()),
        ..Permission::default()
    };
    let mut whole = row(1);
    whole.token.permissions = Some(vec![held("MD-0001"), held("MD-0002")]);
    scene.told(TokensMessage::Answered {
        generation: *generation,
        answer: TokensAnswer::Token(Ok(Box::new(whole))),
    });
    let Some(TokenSheet::Wizard(wizard)) = scene.model.tokens.sheets.last_mut() else {
        panic!("the wizard");
    };
    wizard.chosen.remove("MD-0001");
    wizard.step = WizardStep::Summary;
    scene.wait(1_000);
    scene
}

#[test]
fn modules_of_the_key_in_use_go_only_with_the_name_of_who_is_cut_off() {
    let mut scene = a_module_less();
    scene.keys("enter");
    assert_eq!(scene.asked(), []);
    let TokenSheet::Confirm(confirm) = scene.sheet() else {
        panic!("{:?}", scene.sheet());
    };
    assert_eq!(confirm.in_use, [named("market"), named("other")]);
    scene.keys("esc enter");
    assert_eq!(scene.asked(), [], "asked again");
    scene
        .types("token 1")
        .keys("enter")
        .types("other")
        .keys("enter");
    let asked = scene.asked();
    let [
        TokensEffect::Change {
            change:
                TokensChange::Edit {
                    guard: Guard::Agreed(_),
                    difference,
                    ..
                },
            ..
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}");
    };
    assert_eq!(difference.revoke, ["MD-0001"]);
    assert!(matches!(scene.sheet(), TokenSheet::Wizard(_)));
}

#[test]
fn who_else_runs_on_an_edited_key_is_asked_for_when_the_answer_tells() {
    let mut scene = a_module_less();
    scene.model.entries = Entries::default();
    scene.model.tokens.list.as_mut().unwrap().own_id = "SU-9".to_owned();
    scene.keys("enter");
    let asked = scene.asked();
    let [
        TokensEffect::Change {
            generation,
            change: TokensChange::Edit {
                guard: Guard::On, ..
            },
            ..
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}");
    };
    scene.told(TokensMessage::ChangeAnswered {
        generation: *generation,
        answer: ChangeAnswer::Edited(Err(trouble(TroubleKind::InUse(vec![named("third")])))),
    });
    scene
        .types("token 1")
        .keys("enter")
        .types("third")
        .keys("enter");
    let asked = scene.asked();
    assert!(
        matches!(
            asked.as_slice(),
            [TokensEffect::Change {
                change: TokensChange::Edit {
                    guard: Guard::Agreed(_),
                    ..
                },
                ..
            }]
        ),
        "{asked:?}"
    );
}

/// What is left of an edit goes on with what was agreed to: whoever has come to run on the key is named first.
#[test]
fn the_rest_of_an_edit_cuts_off_nobody_who_was_not_named() {
    let mut scene = a_module_less();
    scene.keys("enter").types("token 1").keys("enter");
    scene.types("market").keys("enter");
    let left = Difference {
        revoke: vec!["MD-0001".to_owned()],
        ..Difference::default()
    };
    for kind in [
        TroubleKind::Failed,
        TroubleKind::InUse(vec![named("third")]),
    ] {
        let asked = scene.asked();
        let [
            TokensEffect::Change {
                generation,
                change: TokensChange::Edit { guard, .. },
                ..
            },
        ] = asked.as_slice()
        else {
            panic!("{asked:?}");
        };
        let named = vec![named("market"), named("other")];
        assert_eq!(*guard, Guard::Agreed(named));
        let changed = Changed {
            row: Some(row(1)),
            left: left.clone(),
            trouble: Some(trouble(kind)),
        };
        scene.told(TokensMessage::ChangeAnswered {
            generation: *generation,
            answer: ChangeAnswer::Edited(Ok(Box::new(changed))),
        });
        if matches!(scene.sheet(), TokenSheet::Wizard(_)) {
            scene.keys("l");
        }
    }
    scene
        .types("token 1")
        .keys("enter")
        .types("third")
        .keys("enter");
    let asked = scene.asked();
    let [
        TokensEffect::Change {
            change: TokensChange::Edit {
                guard, difference, ..
            },
            ..
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}");
    };
    assert_eq!(*guard, Guard::Agreed(vec![named("third")]));
    assert_eq!(*difference, left, "the rest alone");
}

#[test]
fn a_guard_that_only_the_service_s_answer_shows_asks_again() {
    let mut scene = listed(3);
    scene.keys("d").types("token 0").keys("enter");
    let asked = scene.asked();
    let [
        TokensEffect::Change {
            generation,
            change: TokensChange::Switch { .. },
            ..
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}");
    };
    scene.told(TokensMessage::ChangeAnswered {
        generation: *generation,
        answer: ChangeAnswer::Switched(Err(trouble(TroubleKind::InUse(vec![named("market")])))),
    });
    scene.keys("enter");
    assert_eq!(scene.asked(), []);
    scene.types("market").keys("enter");
    let asked = scene.asked();
    assert!(
        matches!(
            asked.as_slice(),
            [TokensEffect::Change {
                change: TokensChange::Switch {
                    guard: Guard::Agreed(_),
                    ..
                },
                ..
            }]
        ),
        "{asked:?}"
    );
}

#[test]
fn what_the_key_may_not_do_is_closed() {
    let mut scene = listed(3);
    let mut off = row(0);
    off.token.status = Status::Inactive;
    scene.model.tokens.list.as_mut().unwrap().replace(&off);
    scene.keys("x");
    let asked = scene.asked();
    let [
        TokensEffect::Change {
            generation,
            change:
                TokensChange::Switch {
                    switch: Switch::Enable,
                    ..
                },
            ..
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}");
    };
    scene.told(TokensMessage::ChangeAnswered {
        generation: *generation,
        answer: ChangeAnswer::Switched(Err(trouble(TroubleKind::Forbidden("Integrations".into())))),
    });
    scene.keys("x");
    assert_eq!(scene.asked(), []);
    assert!(scene.notice().contains("the service says no"));
}

#[test]
fn leaving_asks_only_where_something_would_be_lost() {
    let mut scene = listed(3);
    scene.keys("t esc");
    assert!(scene.model.tokens.sheets.is_empty() && scene.question().is_none());
    scene.keys("t").types("a").keys("esc");
    assert_eq!(scene.question(), Some(&Question::LeaveSheet));
    scene.keys("n");
    assert!(
        matches!(scene.sheet(), TokenSheet::Wizard(wizard) if wizard.lines.label.text() == "a")
    );
    scene.keys("esc y");
    assert!(scene.model.tokens.sheets.is_empty());
}

#[test]
fn the_steps_keep_what_was_typed() {
    let mut scene = listed(3);
    scene.keys("t").types("job").keys("pgdn");
    let asked = scene.asked();
    let [
        TokensEffect::Query {
            generation,
            query: TokensQuery::Extensions,
            ..
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}");
    };
    scene.keys("pgdn");
    let at = |scene: &Scene| match scene.sheet() {
        TokenSheet::Wizard(wizard) => wizard.step,
        _ => panic!("the wizard"),
    };
    assert_eq!(
        at(&scene),
        WizardStep::Extension,
        "nothing to choose from yet"
    );
    scene.told(TokensMessage::Answered {
        generation: *generation,
        answer: TokensAnswer::Extensions(Err(trouble(TroubleKind::Failed))),
    });
    scene.keys("enter");
    assert_eq!(scene.asked().len(), 1, "tried again");
    scene.keys("pgup");
    assert_eq!(at(&scene), WizardStep::General);
    assert!(
        matches!(scene.sheet(), TokenSheet::Wizard(wizard) if wizard.lines.label.text() == "job")
    );
}

#[test]
fn the_war_room_puts_sheets_aside_and_brings_them_back() {
    let mut scene = listed(3);
    scene.keys("t").types("secret plans").keys("alt-W");
    assert!(scene.model.tokens.sheets.is_empty());
    assert_eq!(scene.model.shown_label("token 0"), "token-1");
    scene.keys("v y d e x");
    assert_eq!(scene.asked(), []);
    scene.keys("W");
    assert!(matches!(scene.sheet(), TokenSheet::Wizard(_)));
}

/// What waits for an answer would wait for ever, and hold back the end of the program.
#[test]
fn what_a_sheet_waits_for_comes_while_it_lies_aside() {
    let answers = [
        Ok(None),
        Err(trouble(TroubleKind::Failed)),
        Err(trouble(TroubleKind::InUse(vec![named("other")]))),
    ];
    for answer in answers {
        let is_done = answer.is_ok();
        let mut scene = listed(3);
        scene.keys("x").types("token 0").keys("enter");
        let asked = scene.asked();
        let [TokensEffect::Change { generation, .. }] = asked.as_slice() else {
            panic!("{asked:?}");
        };
        scene
            .keys("alt-W")
            .told(TokensMessage::ChangeAnswered {
                generation: *generation,
                answer: ChangeAnswer::Switched(answer),
            })
            .keys("W");
        assert!(!scene.model.tokens.is_under_way());
        assert_eq!(scene.model.tokens.sheets.is_empty(), is_done);
    }
    let mut scene = listed(3);
    scene.keys("enter tab tab W");
    for asked in scene.asked() {
        let TokensEffect::Query {
            generation, query, ..
        } = asked
        else {
            continue;
        };
        let no = trouble(TroubleKind::Failed);
        let answer = match query {
            TokensQuery::Token { .. } => TokensAnswer::Token(Err(no)),
            TokensQuery::Usage { .. } => TokensAnswer::Usage(Err(no)),
            other => panic!("{other:?}"),
        };
        scene.told(TokensMessage::Answered { generation, answer });
    }
    scene.keys("W");
    let TokenSheet::Details(details) = scene.sheet() else {
        panic!("{:?}", scene.sheet());
    };
    assert!(details.usage.trouble().is_some() && details.reading.trouble().is_some());
}

#[test]
fn an_action_named_over_a_sheet_does_something_or_says_why_not() {
    let mut scene = listed(3);
    scene.keys("enter :").types("new").keys("enter");
    assert!(scene.notice().starts_with("Esc leads back"));
    assert!(matches!(scene.sheet(), TokenSheet::Details(_)));
    scene.keys("H");
    assert!(scene.model.overlay.is_some(), "over whatever is shown");
    scene.keys("esc :").types("edit").keys("enter");
    assert!(matches!(scene.sheet(), TokenSheet::Wizard(_)));
}

#[test]
fn a_read_only_connection_changes_nothing() {
    let mut account = market("market");
    account.read_only = true;
    let mut scene = Scene::with(vec![account]);
    scene.keys("tab tab tab l");
    scene.page_comes(3);
    scene.keys("down e d x N O t");
    assert!(scene.model.tokens.sheets.is_empty());
    assert_eq!(scene.asked(), []);
    scene.keys("v");
    assert_eq!(scene.asked().len(), 1, "it may be shown");
}

#[test]
fn a_handle_is_shown_for_ten_seconds_where_it_is_still_wanted() {
    let mut scene = listed(3);
    let revealed = |id: &str| TokensMessage::Revealed {
        name: named("market"),
        id: id.to_owned(),
        result: Ok(Handle::plain(Secret::new("h"))),
    };
    scene.keys("v").told(revealed("SU-0"));
    assert!(scene.model.open_handle().is_some());
    assert_eq!(scene.wait(10_000), 10, "each second is shown");
    assert!(scene.model.open_handle().is_none());
    scene.keys("v down").told(revealed("SU-0"));
    assert!(
        scene.model.open_handle().is_none(),
        "another row is selected"
    );
}

#[test]
fn one_handle_at_most_is_in_the_open() {
    let mut scene = listed(3);
    scene.keys("v").told(TokensMessage::Revealed {
        name: named("market"),
        id: "SU-0".to_owned(),
        result: Ok(Handle::plain(Secret::new("h"))),
    });
    let which = |scene: &Scene| {
        let open = scene.model.open_handle();
        open.map(|open| open.which.clone())
    };
    let token = RevealedHandle::Token("SU-0".to_owned());
    assert_eq!(which(&scene), Some(token));
    scene.keys("esc");
    assert_eq!(which(&scene), None, "Esc hides it first");
    scene.keys("v").told(TokensMessage::Revealed {
        name: named("market"),
        id: "SU-0".to_owned(),
        result: Ok(Handle::plain(Secret::new("h"))),
    });
    scene.keys("tab v");
    assert_eq!(which(&scene), None, "the pane has changed");
    scene.send(Message::Revealed {
        name: named("market"),
        slot: HandleSlot::Key,
        result: Ok(Handle::plain(Secret::new("h"))),
    });
    assert_eq!(which(&scene), Some(RevealedHandle::Held(HandleSlot::Key)));
}

#[test]
fn a_clock_that_was_set_back_keeps_no_handle_in_the_open_and_no_filter_waiting() {
    let mut scene = listed(3);
    scene.keys("v").told(TokensMessage::Revealed {
        name: named("market"),
        id: "SU-0".to_owned(),
        result: Ok(Handle::plain(Secret::new("h"))),
    });
    scene.now -= SignedDuration::from_hours(1);
    scene.send(Message::Woke);
    assert!(scene.model.open_handle().is_some());
    scene.wait(10_000);
    assert!(scene.model.open_handle().is_none());
    scene.keys("/").types("rep");
    scene.effects();
    scene.now -= SignedDuration::from_hours(1);
    scene.send(Message::Woke).wait(1_000);
    assert_eq!(scene.asked().len(), 1);
}

#[test]
fn a_rotation_that_goes_on_is_told_as_one() {
    let mut scene = listed(3);
    scene.told(TokensMessage::UnfinishedFound(Ok(vec![Unfinished {
        id: "SU-1".to_owned(),
        connection: named("market"),
        action: RenewalAction::Rotate,
        since: scene.now,
        holders: vec![named("market")],
    }])));
    scene.keys("enter");
    let Some(TokenSheet::Renewal(sheet)) = scene.model.tokens.sheets.last() else {
        panic!("{:?}", scene.model.tokens.sheets)
    };
    assert_eq!(sheet.how, RenewalAction::Rotate);
}

#[test]
fn the_only_copy_of_a_secret_is_not_lost_by_the_way() {
    let mut scene = listed(3);
    scene.model.lock_after_min = 1;
    scene.keys("O enter").types("token 0").keys("enter");
    let asked = scene.asked();
    let [
        TokensEffect::Renewal {
            generation,
            renewal:
                TokensRenewal::Start {
                    how: RenewalAction::Rotate,
                    ..
                },
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}");
    };
    let only = Handle::plain(Secret::new("s3cret"));
    scene.told(TokensMessage::Renewed {
        generation: *generation,
        result: Err(trouble(TroubleKind::OnlySecret {
            handle: only.clone(),
            replaces: true,
        })),
    });
    scene.keys("y");
    assert_eq!(scene.asked(), [TokensEffect::CopyHeld(only.clone())]);
    scene.wait(60_000);
    assert!(scene.model.lock.is_locked(), "as ever");
    for key in ["v", "y"] {
        scene.keys(key);
        assert!(scene.model.revealed.is_none());
        assert!(matches!(scene.model.overlay, Some(Overlay::Passphrase(_))));
        assert_eq!(scene.asked(), [], "not while locked");
        scene.keys("esc");
    }
    scene.keys("v").send(Message::Vault(VaultMessage::Unlocked));
    assert!(scene.model.revealed.is_some(), "it stayed");
    scene.keys("L");
    assert!(scene.model.lock.is_locked() && scene.model.revealed.is_none());
    scene.keys("y").send(Message::Vault(VaultMessage::Unlocked));
    assert_eq!(scene.asked(), [TokensEffect::CopyHeld(only)]);
    scene.keys("esc");
    assert_eq!(scene.question(), Some(&Question::LeaveSheet));
}

#[test]
fn a_renewal_is_not_left_half_way() {
    let mut scene = listed(3);
    scene.keys("N enter esc");
    assert!(matches!(scene.sheet(), TokenSheet::Renewal(renewal)
        if matches!(renewal.stage, RenewalStage::Running { .. })));
}

#[test]
fn from_the_table_tokens_come_into_sight_before_keys_mean_them() {
    let mut scene = Scene::with(vec![market("market")]);
    scene.keys("w l");
    assert!(!scene.model.board.is_open());
    assert_eq!(scene.model.focus, Pane::Tokens);
    for key in ["x", "N", "O"] {
        let mut scene = listed(3);
        scene.keys("w");
        scene.asked();
        scene.keys(key);
        assert!(!scene.model.board.is_open(), "{key}");
        assert_eq!(scene.model.focus, Pane::Tokens, "{key}");
        assert!(scene.model.tokens.sheets.is_empty(), "{key}");
        assert_eq!(scene.asked(), [], "{key}: not on a row out of sight");
    }
}

#[test]
fn a_certificate_that_ends_is_shown_in_the_panes() {
    let mut scene = Scene::with(vec![shop("shop")]);
    scene.keys("w");
    let mut horizon = ExpiryHorizon::default();
    horizon.note(Ending {
        connection: named("shop"),
        what: Ends::Certificate {
            subject: "shop".to_owned(),
        },
        at: scene.now,
    });
    scene
        .model
        .tokens
        .sheets
        .push(TokenSheet::ExpiryHorizon(horizon));
    scene.keys("enter");
    assert!(!scene.model.board.is_open());
    assert_eq!(scene.model.focus, Pane::Response);
}

#[test]
fn what_is_under_way_is_not_quit_without_a_question() {
    for keys in ["N enter", "d"] {
        let mut scene = listed(3);
        scene.keys(keys);
        if keys == "d" {
            scene.types("token 0").keys("enter");
        }
        assert!(scene.sheet().is_under_way(), "{keys}");
        scene.effects();
        scene.keys("ctrl-c");
        assert_eq!(scene.question(), Some(&Question::QuitUnderWay), "{keys}");
        scene.keys("n");
        assert!(scene.sheet().is_under_way() && scene.effects().is_empty());
        scene.keys("ctrl-c y");
        assert_eq!(
            scene.effects(),
            [Effect::Terminal(TerminalEffect::End(ScreenEnd::Quit))],
            "{keys}"
        );
    }
}

#[test]
fn a_renewal_may_stand_half_way_where_the_journal_cannot_be_read() {
    let mut scene = Scene::with(vec![market("m")]);
    scene.told(TokensMessage::UnfinishedFound(Ok(Vec::new())));
    assert_eq!(scene.notice(), "");
    let why = || trouble(TroubleKind::Other);
    scene.told(TokensMessage::UnfinishedFound(Err(why())));
    assert!(scene.model.tokens.sheets.is_empty());
    let said = scene.notice();
    assert!(said.contains("not known: the service says no"), "{said}");
    scene.send(Message::Noticed("no key is sent".to_owned()));
    scene.told(TokensMessage::UnfinishedFound(Err(why())));
    let said = scene.notice();
    assert!(said.starts_with("no key is sent; whether"), "{said}");
    scene.told(TokensMessage::CertificatesFound(Err(why())));
    let said = scene.notice();
    assert!(said.starts_with("certificates seen earlier"), "{said}");
}

/// The account has another token since, of which the last page begins with `first`.
fn comes_with(scene: &mut Scene, first: TokenRow, total: u64) {
    let asked = scene.asked();
    let [
        TokensEffect::Query {
            generation,
            query: TokensQuery::Page { .. },
            ..
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}");
    };
    let mut page = page(0, total - 1);
    page.rows.insert(0, first);
    page.total = Some(total);
    scene.told(TokensMessage::Answered {
        generation: *generation,
        answer: TokensAnswer::Page {
            offset: 0,
            page: Ok(page),
        },
    });
}

fn selected(scene: &Scene) -> Option<&str> {
    scene.model.selected_token().and_then(|(_, row)| row?.id())
}

/// The summary of a new token, with the keys that lead to it.
fn about_to_make() -> Scene {
    let mut scene = listed(3);
    scene.keys("down t").types("new").keys("pgdn");
    let asked = scene.asked();
    let [
        TokensEffect::Query {
            generation,
            query: TokensQuery::Extensions,
            ..
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}");
    };
    scene.told(TokensMessage::Answered {
        generation: *generation,
        answer: TokensAnswer::Extensions(Ok(vec![Offered {
            extension: Extension {
                id: Some("EXT-000".to_owned()),
                ..Extension::default()
            },
            left: None,
        }])),
    });
    scene.keys("enter enter");
    scene.asked();
    scene
}

#[test]
fn the_new_token_is_selected_and_a_list_read_anew_keeps_the_one_that_was() {
    let mut scene = about_to_make();
    scene.wait(1_000);
    scene.keys("enter");
    let asked = scene.asked();
    let [
        TokensEffect::Change {
            generation,
            change: TokensChange::Create { .. },
            ..
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}");
    };
    scene.told(TokensMessage::ChangeAnswered {
        generation: *generation,
        answer: ChangeAnswer::Created(Ok(Box::new(Made {
            row: row(77),
            missing: Vec::new(),
            trouble: None,
        }))),
    });
    comes_with(&mut scene, row(77), 4);
    scene.keys("esc");
    assert_eq!(selected(&scene), Some("SU-77"));
    scene.keys("down l");
    assert_eq!(selected(&scene), None, "on its way");
    comes_with(&mut scene, row(78), 5);
    assert_eq!(selected(&scene), Some("SU-0"), "one further down now");
    let mut other = market("market");
    other.added = vec![("spare".to_owned(), other.key.clone().unwrap())];
    scene.send(Message::Store(StoreMessage::TokenAdded(Box::new(other))));
    assert_eq!(selected(&scene), Some("SU-0"), "below one more handle");
}

/// A token was made, and not let into all its modules; `l` goes on, and the effect is given.
fn half_made() -> (Scene, u64) {
    let mut scene = about_to_make();
    scene.wait(1_000);
    scene.keys("enter");
    let asked = scene.asked();
    let [
        TokensEffect::Change {
            generation,
            change: TokensChange::Create { .. },
            ..
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}");
    };
    scene.told(TokensMessage::ChangeAnswered {
        generation: *generation,
        answer: ChangeAnswer::Created(Ok(Box::new(Made {
            row: row(77),
            missing: vec!["MD-0001".to_owned(), "MD-0002".to_owned()],
            trouble: Some(trouble(TroubleKind::Failed)),
        }))),
    });
    comes_with(&mut scene, row(77), 4);
    scene.keys("l");
    let asked = scene.asked();
    let [
        TokensEffect::Change {
            generation,
            change: TokensChange::Grant { .. },
            ..
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}");
    };
    let generation = *generation;
    (scene, generation)
}

fn made(scene: &Scene) -> &Made {
    let TokenSheet::Wizard(wizard) = scene.sheet() else {
        panic!("{:?}", scene.sheet());
    };
    let Some(WizardOutcome::Made(made)) = wizard.outcome.here() else {
        panic!("{:?}", wizard.outcome);
    };
    made
}

#[test]
fn a_token_that_exists_stays_however_its_modules_fail() {
    let (mut scene, generation) = half_made();
    scene.told(TokensMessage::ChangeAnswered {
        generation,
        answer: ChangeAnswer::Edited(Err(trouble(TroubleKind::Unanswered))),
    });
    assert_eq!(made(&scene).row.id(), Some("SU-77"));
    assert_eq!(made(&scene).missing.len(), 2);

    // One more was granted, and the token could not be looked at.
    let (mut scene, generation) = half_made();
    let left = Difference {
        grant: vec!["MD-0002".to_owned()],
        revoke: Vec::new(),
    };
    scene.told(TokensMessage::ChangeAnswered {
        generation,
        answer: ChangeAnswer::Edited(Ok(Box::new(Changed {
            row: None,
            left,
            trouble: Some(trouble(TroubleKind::Failed)),
        }))),
    });
    assert_eq!(made(&scene).row.id(), Some("SU-77"));
    assert_eq!(made(&scene).missing, ["MD-0002"]);
    scene.asked();
    scene.wait(1_000);
    scene.keys("enter");
    let asked = scene.asked();
    assert!(
        !asked.iter().any(TokensEffect::is_change),
        "never made twice: {asked:?}"
    );
}

#[test]
fn what_the_passphrase_was_not_given_for_can_be_asked_for_again() {
    // Deleted, made, renewed: each comes back as it was before Enter.
    let mut deleted = listed(3);
    deleted.keys("d").types("token 0").keys("enter");
    let mut created = about_to_make();
    created.wait(1_000);
    created.keys("enter");
    let mut renewed = listed(3);
    renewed.keys("N enter");
    for mut scene in [deleted, created, renewed] {
        let effect = scene.asked().pop().expect("something is sent");
        let needed =
            TokensMessage::PassphraseNeeded(PassphrasePurpose::Open, Box::new(effect.clone()));
        scene.told(needed);
        scene.keys("esc");
        assert!(!scene.sheet().is_waiting(), "{:?}", scene.sheet());
        assert!(scene.model.tokens.pending.is_empty());
        scene.wait(1_000);
        scene.keys("enter");
        let again = scene.asked();
        assert!(again.iter().any(TokensEffect::is_change), "{again:?}");
    }
}

#[test]
fn a_renewal_that_replaces_a_renewed_secret_asks_like_a_rotation() {
    let mut scene = listed(3);
    let mut renewed = row(0);
    renewed.is_renewed = true;
    scene.model.tokens.list.as_mut().unwrap().replace(&renewed);
    scene.keys("N enter");
    assert_eq!(scene.asked(), []);
    scene.types("token 0").keys("enter");
    let asked = scene.asked();
    assert!(
        matches!(
            asked.as_slice(),
            [TokensEffect::Renewal {
                renewal: TokensRenewal::Start {
                    how: RenewalAction::Renew,
                    guard: Guard::Agreed(_),
                    ..
                },
                ..
            }]
        ),
        "{asked:?}"
    );

    // The row did not tell, the answer does.
    let mut scene = listed(3);
    scene.keys("N enter");
    let asked = scene.asked();
    let [
        TokensEffect::Renewal {
            generation,
            renewal: TokensRenewal::Start { .. },
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}");
    };
    scene.told(TokensMessage::Renewed {
        generation: *generation,
        result: Err(trouble(TroubleKind::RenewedAlready)),
    });
    assert!(matches!(scene.sheet(), TokenSheet::Confirm(_)));
}

/// Its question would lie in the open, and its Enter find nothing to send.
#[test]
fn what_a_renewal_asks_waits_for_the_end_of_the_war_room() {
    for kind in [
        TroubleKind::RenewedAlready,
        TroubleKind::InUse(vec![named("other")]),
    ] {
        let mut scene = listed(3);
        scene.keys("N enter");
        let asked = scene.asked();
        let [TokensEffect::Renewal { generation, .. }] = asked.as_slice() else {
            panic!("{asked:?}");
        };
        scene.keys("W E");
        scene.told(TokensMessage::Renewed {
            generation: *generation,
            result: Err(trouble(kind)),
        });
        assert!(matches!(scene.sheet(), TokenSheet::ExpiryHorizon(_)));
        scene.asked();
        scene.keys("W");
        assert!(
            matches!(scene.sheet(), TokenSheet::ExpiryHorizon(_)),
            "what was opened meanwhile stays on top"
        );
        scene.keys("esc");
        assert!(matches!(scene.sheet(), TokenSheet::Confirm(_)));
        scene
            .types("token 0")
            .keys("enter")
            .types("other")
            .keys("enter");
        let asked = scene.asked();
        let [
            TokensEffect::Renewal {
                renewal: TokensRenewal::Start { guard, .. },
                ..
            },
        ] = asked.as_slice()
        else {
            panic!("{asked:?}");
        };
        assert!(matches!(guard, Guard::Agreed(_)), "{guard:?}");
    }
}

#[test]
fn a_key_is_in_use_by_whatever_host_a_connection_reaches_the_service() {
    let mut alias = market("alias");
    alias.url = "https://api.example.org/public/v1".to_owned();
    let mut scene = Scene::with(vec![market("market"), alias]);
    scene.keys("down tab tab tab l");
    scene.page_comes(3);
    scene.keys("down down x");
    let TokenSheet::Confirm(confirm) = scene.sheet() else {
        panic!("{:?}", scene.sheet());
    };
    assert_eq!(confirm.in_use, [named("alias"), named("market")]);
}

/// `x` on `token 1`, which is the key in use, as it was sent.
fn switched_off() -> (Scene, u64) {
    let mut scene = listed(3);
    scene.keys("down x").types("token 1").keys("enter");
    scene.types("market").keys("enter");
    let asked = scene.asked();
    let [
        TokensEffect::Change {
            generation,
            change: TokensChange::Switch { .. },
            ..
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}");
    };
    let generation = *generation;
    (scene, generation)
}

#[test]
fn a_key_that_was_switched_off_is_not_told_as_in_force() {
    let (mut scene, generation) = switched_off();
    scene.told(TokensMessage::ChangeAnswered {
        generation,
        answer: ChangeAnswer::Switched(Ok(None)),
    });
    let (_, row) = scene.model.selected_token().unwrap();
    assert_eq!(row.unwrap().token.status, Status::Inactive);
    assert_eq!(scene.probes().len(), 2, "those who run on it");
}

#[test]
fn where_a_change_may_have_been_done_the_service_is_asked() {
    let (mut scene, generation) = switched_off();
    scene.told(TokensMessage::ChangeAnswered {
        generation,
        answer: ChangeAnswer::Switched(Err(trouble(TroubleKind::Uncertain))),
    });
    let asked = scene.asked();
    assert!(
        matches!(
            asked.as_slice(),
            [TokensEffect::Query {
                query: TokensQuery::Page { .. },
                ..
            }]
        ),
        "{asked:?}"
    );
}

#[test]
fn an_enter_that_is_held_down_sends_nothing() {
    let mut scene = about_to_make();
    for _ in 0..12 {
        scene.wait(250);
        scene.keys("enter");
    }
    assert_eq!(scene.asked(), []);
    assert!(scene.notice().contains("too soon"), "{}", scene.notice());
    scene.wait(1_000);
    scene.keys("enter");
    assert_eq!(scene.asked().len(), 1);
}

#[test]
fn the_key_in_use_says_so_before_its_column_ends() {
    let mut row = row(1);
    row.token.status = Status::Expiring;
    let id = row.token.id.clone().unwrap();
    assert_eq!(
        crate::app::tokens::hints::status(&row, &id),
        "in use, expiring"
    );
    assert_eq!(crate::app::tokens::hints::status(&row, "SU-0"), "expiring");
}

#[test]
fn the_selected_token_leaves_its_group_by_no_change() {
    let mut scene = listed(4);
    scene.keys("f").page_comes(4);
    scene.keys("down down");
    assert_eq!(selected(&scene), Some("SU-2"));
    scene.keys("x").types("token 2").keys("enter");
    let asked = scene.asked();
    let [TokensEffect::Change { generation, .. }] = asked.as_slice() else {
        panic!("{asked:?}");
    };
    let mut off = row(2);
    off.token.status = Status::Inactive;
    scene.told(TokensMessage::ChangeAnswered {
        generation: *generation,
        answer: ChangeAnswer::Switched(Ok(Some(Box::new(off)))),
    });
    assert_eq!(scene.asked(), [], "the list stays as it is");
    assert_eq!(selected(&scene), Some("SU-2"));
    // What is no longer in the group goes with the next row, which stays selected.
    scene.keys("down");
    let asked = scene.asked();
    let [TokensEffect::Query { generation, .. }] = asked.as_slice() else {
        panic!("{asked:?}");
    };
    let page = RowPage {
        rows: vec![row(0), row(1), row(3)],
        total: Some(3),
        own_id: String::new(),
    };
    scene.told(TokensMessage::Answered {
        generation: *generation,
        answer: TokensAnswer::Page {
            offset: 0,
            page: Ok(page),
        },
    });
    assert_eq!(selected(&scene), Some("SU-3"));
}

#[test]
fn a_filter_that_means_nothing_says_so() {
    for (typed, said) in [
        (
            "nosuch:x",
            "no field nosuch: status, extension, by and module are known",
        ),
        (
            "status:xx",
            "status: is pending, active, inactive, expiring, expired, revitalised",
        ),
        ("status:Exp", ""),
        ("reports", ""),
    ] {
        let mut scene = listed(3);
        scene.keys("/").types(typed).wait(500);
        scene.page_comes(0);
        assert_eq!(scene.notice(), said, "{typed}");
        scene.types("x");
        assert_eq!(scene.notice(), "", "{typed}");
    }
}

/// The list is read anew, and what was selected is not where it was.
#[test]
fn a_key_meant_for_a_token_that_has_gone_means_no_other_one() {
    let mut scene = listed(4);
    scene.keys("down down l");
    let page_of = |scene: &mut Scene, numbers: &[u64]| {
        let asked = scene.asked();
        let [TokensEffect::Query { generation, .. }] = asked.as_slice() else {
            panic!("{asked:?}");
        };
        let page = RowPage {
            rows: numbers.iter().copied().map(row).collect(),
            total: u64::try_from(numbers.len()).ok(),
            own_id: String::new(),
        };
        scene.told(TokensMessage::Answered {
            generation: *generation,
            answer: TokensAnswer::Page {
                offset: 0,
                page: Ok(page),
            },
        });
    };
    page_of(&mut scene, &[2, 0, 1, 3]);
    assert_eq!(selected(&scene), Some("SU-2"), "wherever it stands");
    scene.keys("l");
    page_of(&mut scene, &[0, 1, 3]);
    assert_eq!(selected(&scene), None);
    for key in "y Y v e d x N O enter".split(' ') {
        scene.keys(key);
        assert_eq!(scene.asked(), [], "{key}");
        let is_open = scene.model.overlay.is_some() || !scene.model.tokens.sheets.is_empty();
        assert!(!is_open && scene.model.form.is_none(), "{key}");
        let said = scene.notice();
        assert!(said.contains("is gone"), "{key}: {said}");
    }
    // It was only left out for a moment.
    scene.keys("l");
    page_of(&mut scene, &[0, 1, 2, 3]);
    assert_eq!(selected(&scene), Some("SU-2"));
    scene.keys("l");
    page_of(&mut scene, &[0, 1, 3]);
    scene.keys("down");
    assert_eq!(selected(&scene), Some("SU-3"), "the one in its place");
    // Nor is the key of the connection meant where no token is left.
    scene.keys("l");
    page_of(&mut scene, &[]);
    for key in "y Y v d enter".split(' ') {
        scene.effects();
        scene.keys(key);
        assert_eq!(scene.effects(), [], "{key}");
        assert!(scene.model.overlay.is_none(), "{key}");
        assert!(scene.notice().contains("is gone"), "{key}");
    }
    scene.keys("l");
    page_of(&mut scene, &[0, 3]);
    assert_eq!(selected(&scene), Some("SU-3"));
    scene.keys("l");
    page_of(&mut scene, &[]);
    scene.keys("down");
    assert_eq!(scene.model.marked_token_row(), Some(0));
}

#[test]
fn a_token_that_was_deleted_here_gives_its_row_to_the_next() {
    let mut scene = listed(4);
    scene.keys("down down d").types("token 2").keys("enter");
    let asked = scene.asked();
    let [TokensEffect::Change { generation, .. }] = asked.as_slice() else {
        panic!("{asked:?}");
    };
    scene.told(TokensMessage::ChangeAnswered {
        generation: *generation,
        answer: ChangeAnswer::Switched(Ok(None)),
    });
    let asked = scene.asked();
    let [TokensEffect::Query { generation, .. }] = asked.as_slice() else {
        panic!("{asked:?}");
    };
    scene.told(TokensMessage::Answered {
        generation: *generation,
        answer: TokensAnswer::Page {
            offset: 0,
            page: Ok(RowPage {
                rows: vec![row(0), row(1), row(3)],
                total: Some(3),
                own_id: String::new(),
            }),
        },
    });
    assert_eq!(selected(&scene), Some("SU-3"));
}

#[test]
fn what_ends_earlier_does_not_come_under_the_marker() {
    let ending = |id: &str, day: i64| Ending {
        connection: named("market"),
        what: Ends::Token {
            id: id.to_owned(),
            label: id.to_owned(),
            in_use: false,
        },
        at: jiff::Timestamp::from_second(1_800_000_000 + day * 86_400).unwrap(),
    };
    let mut horizon = ExpiryHorizon::default();
    for (id, day) in [("a", 1), ("c", 3), ("d", 4)] {
        horizon.note(ending(id, day));
    }
    assert_eq!(horizon.row, 0, "who has not moved sees what ends first");
    horizon.row = 1;
    let marked = |horizon: &ExpiryHorizon| horizon.endings[horizon.row].clone();
    horizon.note(ending("b", 2));
    assert_eq!(marked(&horizon), ending("c", 3));
    horizon.note(ending("a", 9));
    assert_eq!(marked(&horizon), ending("c", 3));
    horizon.note(ending("c", 10));
    assert_eq!((horizon.row, marked(&horizon)), (3, ending("c", 10)));
}
