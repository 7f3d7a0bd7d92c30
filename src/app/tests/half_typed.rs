//! What is typed letter by letter: no part of a secret, or of what goes with it, leaves the form.

use super::scene::{KEY, Probe, Scene, fine_until, named, shops, verdict};
use crate::app::message::{StoreMessage, VaultMessage};
use crate::app::model::{Pane, ProbeState};
use crate::app::{FieldId, Message};
use crate::domain::{CheckId, Reason, Secret, State, Verdict};
use crate::service::Trigger;

/// A form of this service at a URL that was found, the cursor in the user name.
fn at(service: &str) -> Scene {
    let mut scene = Scene::empty();
    scene.keys("n").types("https://shop.example.com").wait(400);
    let form = scene.model.form.as_mut().unwrap();
    form.set_text(FieldId::Service, service);
    form.service_chosen = true;
    scene.draft_is(verdict(Reason::ServiceFound)).keys("tab");
    scene.effects();
    scene
}

/// Letter by letter, with a rest after each that is long enough for a test, each of which is answered.
fn slowly(scene: &mut Scene, text: &str, answer: &Verdict) -> Vec<Probe> {
    let mut probes = Vec::new();
    for letter in text.chars() {
        scene.types(&letter.to_string()).wait(600);
        let begun = scene.probes();
        if !begun.is_empty() {
            scene.draft_is(answer.clone());
        }
        probes.extend(begun);
    }
    probes
}

fn found() -> Verdict {
    verdict(Reason::ServiceFound)
}

fn refused(status: u16) -> Verdict {
    let mut refused = verdict(Reason::ServerPassword);
    refused.checks = fine_until(CheckId::Http);
    refused.status = status;
    refused
}

fn secrets(probe: &Probe) -> (Option<&Secret>, Option<&Secret>) {
    (probe.draft().key.as_ref(), probe.draft().token.as_ref())
}

#[test]
fn a_key_of_no_known_shape_is_tested_once_its_field_is_left() {
    for leave in [
        "tab",
        "shift-tab",
        "up",
        "down",
        "ctrl-o",
        "esc",
        "enter",
        "alt-r",
        "click",
    ] {
        let mut scene = at("http");
        scene.keys("tab");
        let early = slowly(&mut scene, "secret-token", &found());
        assert!(!early.is_empty(), "the way there is looked at all the same");
        for probe in &early {
            assert_eq!(probe.trigger, Trigger::HalfTyped);
            assert_eq!(secrets(probe), (None, None));
            assert!(probe.draft().key_held_back);
        }
        assert_eq!(scene.model.withheld(), Some(FieldId::Key));
        if leave == "click" {
            scene.send(Message::Clicked(Pane::Response, 0));
        } else {
            scene.keys(leave);
        }
        scene.wait(400);
        let probe = scene.probe();
        assert!(probe.carries("secret-token"), "{leave}: {probe:?}");
        assert_eq!(scene.model.withheld(), None);
        scene.draft_is(verdict(Reason::Connected)).wait(5_000);
        assert_eq!(scene.probes(), [], "{leave}: once");
    }
}

#[test]
fn a_pasted_key_is_tested_where_the_cursor_is() {
    let mut scene = at("http");
    scene.keys("tab").types("x").keys("backspace");
    scene.pastes("secret-token").wait(400);
    assert!(scene.probe().carries("secret-token"));
    scene.draft_is(verdict(Reason::Connected));
    scene.types("x").wait(400);
    assert_eq!(scene.probe().trigger, Trigger::HalfTyped, "typed on");
    // Taken back, it is there to be worked on.
    let mut scene = at("http");
    scene
        .keys("tab")
        .pastes("Bearer abc\n")
        .keys("ctrl-z")
        .wait(400);
    assert_eq!(scene.probe().trigger, Trigger::HalfTyped);
    let mut scene = at("http");
    scene
        .keys("up")
        .pastes(" https://a.example.com ")
        .keys("ctrl-z");
    assert_eq!(scene.model.withheld(), None, "a URL is no secret");
}

#[test]
fn a_user_name_beside_a_key_is_tested_once_its_field_is_left() {
    for service in ["blesta", "http"] {
        let mut scene = at(service);
        scene.keys("tab").pastes(KEY).wait(400);
        scene.probe();
        scene.draft_is(verdict(Reason::Connected)).keys("shift-tab");
        scene.wait(1_000);
        assert_eq!(scene.probes(), [], "nothing was changed");
        let early = slowly(&mut scene, "shop-api", &found());
        assert!(!early.is_empty());
        assert!(
            early
                .iter()
                .all(|probe| probe.trigger == Trigger::HalfTyped)
        );
        assert!(early.iter().all(|probe| secrets(probe) == (None, None)));
        scene.keys("tab").wait(400);
        let probe = scene.probe();
        assert!(probe.carries(KEY));
        assert_eq!(probe.draft().connection.username, "shop-api");
        // Typed on at once, the pair has not been meant yet.
        scene.draft_is(verdict(Reason::CredentialsRejected));
        scene
            .keys("shift-tab")
            .types("x")
            .keys("tab")
            .types("0")
            .wait(399);
        assert_eq!(scene.probes(), []);
    }
}

#[test]
fn a_key_whose_shape_tells_that_it_is_whole_is_tested_while_it_is_typed() {
    let mut scene = at("blesta");
    scene.types("api").keys("tab").types(KEY).wait(400);
    assert!(scene.probe().carries(KEY));
    scene.draft_is(verdict(Reason::Connected));
    assert_eq!(scene.model.withheld(), None);
    scene.keys("tab").wait(5_000);
    assert_eq!(scene.probes(), [], "it was tested as it stands");
}

#[test]
fn a_shared_token_is_signed_with_once_its_field_is_left() {
    let mut scene = at("blesta");
    let form = scene.model.form.as_mut().unwrap();
    form.set_text(FieldId::CmsUrl, "https://cms.example.com");
    scene.types("api").keys("tab").types(KEY).wait(400);
    scene.probe();
    scene.draft_is(verdict(Reason::Connected)).keys("tab");
    let early = slowly(&mut scene, "secret", &found());
    assert_eq!(early, [], "nor is the key sent once more for each letter");
    assert_eq!(scene.lamp(FieldId::Key), (State::Ok, "accepted"));
    assert_eq!(scene.lamp(FieldId::Token), (State::Unknown, "not tested"));
    assert_eq!(scene.model.withheld(), Some(FieldId::Token));
    scene.keys("tab").wait(400);
    let probe = scene.probe();
    let token = Secret::new("secret");
    assert_eq!(secrets(&probe), (Some(&Secret::new(KEY)), Some(&token)));
    scene.draft_is(verdict(Reason::TokenValid));

    // A half-typed address of the CMS gets no signature.
    scene.keys("ctrl-o down down down down");
    assert_eq!(scene.form().focused(), FieldId::CmsUrl);
    assert_eq!(slowly(&mut scene, ".de", &found()), []);
    assert_eq!(scene.model.withheld(), Some(FieldId::Token));
    scene.keys("up").wait(400);
    assert_eq!(secrets(&scene.probe()).1, Some(&token));
}

#[test]
fn a_pair_that_was_not_tested_yet_goes_without_the_token_that_is_typed() {
    let mut scene = at("blesta");
    let form = scene.model.form.as_mut().unwrap();
    form.set_text(FieldId::CmsUrl, "https://cms.example.com");
    scene
        .types("api")
        .keys("tab")
        .types(KEY)
        .keys("tab")
        .types("s")
        .wait(400);
    let probe = scene.probe();
    assert_eq!(secrets(&probe), (Some(&Secret::new(KEY)), None));
    assert!(
        probe.draft().token_changed,
        "the stored one is not taken in its place"
    );
    scene.draft_is(verdict(Reason::Connected));
    scene.types("hared").wait(5_000);
    assert_eq!(scene.probes(), []);
    assert!(!scene.form().is_tested(), "the token is not");
    scene.keys("enter");
    assert_eq!(secrets(&scene.probe()).1, Some(&Secret::new("shared")));
}

#[test]
fn a_bare_call_that_was_answered_is_not_repeated_for_another_user_name_or_key() {
    let mut scene = Scene::empty();
    scene.keys("n").types("https://shop.example.com").wait(400);
    scene.draft_is(refused(401));
    scene.effects();
    scene.keys("tab");
    assert_eq!(slowly(&mut scene, "shop-api", &refused(401)), []);
    scene.keys("tab");
    assert_eq!(slowly(&mut scene, KEY, &refused(401)), []);
    scene.keys("tab").wait(5_000);
    assert_eq!(scene.probes(), [], "the key would follow that very call");
    let (state, word) = scene.lamp(FieldId::Url);
    assert_eq!(
        (state, word),
        (State::Ok, "answers"),
        "what it said still stands"
    );
    scene.keys("alt-r");
    assert_eq!(scene.probe().trigger, Trigger::Asked);
    scene.draft_is(refused(401));
    scene.keys("up").types("0").keys("tab").wait(1_000);
    assert_eq!(scene.probes(), [], "as it was asked a moment ago");
    // Whoever is asked elsewhere, or by another way, is asked anew.
    scene.keys("ctrl-o down down down down down down down down down");
    assert_eq!(scene.form().focused(), FieldId::Proxy);
    scene.types("x").wait(400);
    assert_eq!(scene.probe().trigger, Trigger::HalfTyped);
}

#[test]
fn a_place_that_was_down_is_asked_again_with_the_whole_key() {
    let mut scene = Scene::empty();
    scene.keys("n").types("https://shop.example.com").wait(400);
    scene.draft_is(refused(503));
    scene.effects();
    scene.keys("tab");
    assert_eq!(slowly(&mut scene, "api", &refused(503)), []);
    scene.keys("tab").types(KEY).wait(400);
    assert!(scene.probe().carries(KEY));
    // A key that goes with the first call is what that call waits for.
    let mut scene = at("http");
    scene.keys("shift-tab").types("/").wait(400);
    scene
        .draft_is(refused(401))
        .keys("tab tab")
        .types("k")
        .keys("tab")
        .wait(400);
    assert!(scene.probes().pop().unwrap().carries("k"));
}

#[test]
fn typing_on_spoils_no_probe_that_is_about_something_else() {
    let mut scene = Scene::empty();
    scene.keys("n").types("https://shop.example.com").wait(400);
    let first = scene.probe();
    scene.keys("tab").types("api");
    assert_eq!(scene.effects(), [], "the place is looked at still");
    scene.wait(5_000);
    assert_eq!(scene.probes(), [], "and not twice at once");
    scene.draft_is(found());
    assert!(scene.form().verdict.is_some() && scene.form().is_stale());
    scene.wait(400);
    let second = scene.probe();
    assert!(second.generation > first.generation);
    scene.draft_is(found()).keys("tab").types(KEY).wait(400);
    assert!(scene.probe().carries(KEY));
    let form = scene.model.form.as_mut().unwrap();
    form.set_text(FieldId::CmsUrl, "https://cms.example.com");
    scene.keys("tab").types("token");
    assert_eq!(scene.effects(), [], "the key is waited for");
    scene.wait(1_000);
    scene.draft_is(verdict(Reason::Connected));
    assert_eq!(scene.lamp(FieldId::Key), (State::Ok, "accepted"));
    assert!(!scene.form().is_tested());
    // Another key is another question.
    scene.keys("tab up").wait(400);
    scene.keys("up").types("0");
    assert_eq!(scene.form().probe, ProbeState::Idle);
}

#[test]
fn a_key_is_tested_where_the_service_has_followed_the_user_name() {
    for pasted in [false, true] {
        let mut scene = Scene::empty();
        scene.keys("n").types("https://api.example.com").wait(400);
        scene.draft_is(refused(404)).keys("tab");
        scene.effects();
        if pasted {
            scene.pastes("SU-160-984-311:0123456789");
        } else {
            scene.types("SU-160-984-311");
        }
        assert_eq!(scene.text(FieldId::Service), "connect");
        assert_eq!(scene.lamp(FieldId::Url), (State::Unknown, "not tested"));
        scene.wait(400);
        let mut probe = scene.probe();
        if !pasted {
            assert_eq!(secrets(&probe), (None, None), "is Connect there?");
            scene.draft_is(found()).keys("tab").types("0123456789");
            scene.keys("tab").wait(400);
            probe = scene.probe();
        }
        assert!(probe.carries("0123456789"), "{probe:?}");
    }
}

#[test]
fn what_would_be_refused_again_is_tested_on_a_wish_and_that_is_known_before() {
    for (status, tested) in [(404, false), (403, false), (408, true), (429, true)] {
        let mut scene = Scene::empty();
        scene.keys("n").types("https://api.example.com/public/v1");
        scene.wait(400);
        scene.draft_is(refused(status)).keys("tab");
        scene
            .types("SU-160-984-311")
            .keys("tab")
            .types("0123456789");
        scene.effects();
        assert_eq!(scene.model.withheld(), Some(FieldId::Key));
        assert_eq!(scene.model.leaving_tests_key(), tested, "{status}");
        assert!(!scene.model.key_waits_for_accept() || !tested, "{status}");
        scene.keys("tab").wait(5_000);
        let begun = scene.probes();
        assert_eq!(begun.len(), usize::from(tested), "{status}: {begun:?}");
        assert_eq!(scene.model.withheld(), None);
        assert_eq!(
            scene.model.key_waits_for_accept(),
            !tested,
            "{status}: as the line says"
        );
        assert!(begun.iter().all(|probe| probe.carries("0123456789")));
        scene.keys("enter");
        assert!(!scene.model.key_waits_for_accept(), "{status}");
        assert!(scene.probe().carries("0123456789"), "{status}");
    }
}

#[test]
fn a_token_that_can_be_checked_nowhere_sends_no_key() {
    let rejected = || {
        let mut scene = at("blesta");
        scene.types("api").keys("tab").types(KEY).wait(400);
        scene.probe();
        scene.draft_is(verdict(Reason::CredentialsRejected));
        scene.keys("tab");
        scene
    };
    let mut scene = rejected();
    scene.types("secret");
    assert_eq!(scene.model.withheld(), None, "nothing is promised");
    assert_eq!(scene.lamp(FieldId::Token), (State::Unknown, "no CMS URL"));
    scene.keys("tab").wait(5_000);
    assert_eq!(scene.probes(), []);
    assert!(scene.form().is_tested());
    // With both, it is checked.
    scene.keys("ctrl-o down down down down");
    scene.types("cms.example.com").keys("up").wait(400);
    assert_eq!(secrets(&scene.probe()).1, Some(&Secret::new("secret")));
    // Nor does the URL of a CMS without a token.
    let mut scene = rejected();
    scene.keys("ctrl-o down down down down");
    assert_eq!(scene.form().focused(), FieldId::CmsUrl);
    scene.types("cms.example.com").keys("up").wait(5_000);
    assert_eq!(scene.probes(), []);
}

#[test]
fn no_key_goes_out_by_a_way_or_a_style_that_is_half_typed() {
    for (rows, id, text) in [
        (5, FieldId::Company, "Shop"),
        (9, FieldId::Proxy, "http://proxy:3128"),
    ] {
        let mut scene = at("http");
        scene.keys("tab").pastes("secret-token").wait(400);
        scene.probe();
        scene.draft_is(verdict(Reason::Connected)).keys("ctrl-o");
        scene.keys(&"down ".repeat(rows)).keys("ctrl-u");
        assert_eq!(scene.form().focused(), id);
        let early = slowly(&mut scene, text, &found());
        assert!(!early.is_empty(), "{id:?}");
        for probe in &early {
            assert_eq!(probe.trigger, Trigger::HalfTyped, "{id:?}");
            assert_eq!(secrets(probe), (None, None), "{id:?}");
        }
        scene.keys("tab").wait(400);
        assert!(scene.probe().carries("secret-token"), "{id:?}");
    }
    // A word that is chosen is whole.
    for chosen in [" ", "h"] {
        let mut scene = at("http");
        scene.keys("tab").pastes("secret-token").wait(400);
        scene.probe();
        scene.draft_is(verdict(Reason::Connected)).keys("ctrl-o");
        scene.keys(&"down ".repeat(6)).types(chosen).wait(400);
        assert_eq!(scene.form().focused(), FieldId::Auth);
        assert!(scene.probe().carries("secret-token"), "{chosen:?}");
    }
}

#[test]
fn a_stored_key_that_comes_back_after_a_lock_is_whole() {
    let loaded = || {
        Message::Store(StoreMessage::SecretsLoaded {
            name: named("a"),
            key: Ok(Some(Secret::new(KEY))),
            key_origin: None,
            token: Ok(None),
        })
    };
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("e").send(loaded());
    assert_eq!(scene.form().focused(), FieldId::Key);
    scene.keys("up").types("x");
    assert_eq!(scene.model.withheld(), Some(FieldId::Key));
    scene
        .keys("alt-L")
        .send(Message::Vault(VaultMessage::Locked));
    scene.keys("alt-L").types("p").keys("enter");
    scene
        .send(Message::Vault(VaultMessage::Unlocked))
        .send(loaded());
    assert!(scene.key_is(KEY));
    assert_eq!(scene.form().focused(), FieldId::Username);
    assert_eq!(scene.model.withheld(), None);
}

#[test]
fn a_bare_call_that_is_refused_is_not_repeated_for_each_letter_of_a_key() {
    for status in [404, 503] {
        let mut scene = Scene::with(shops(&["a"]));
        scene
            .keys("e")
            .send(Message::Store(StoreMessage::SecretsLoaded {
                name: named("a"),
                key: Ok(Some(Secret::new(KEY))),
                key_origin: None,
                token: Ok(None),
            }));
        scene.keys("ctrl-u");
        scene.effects();
        let early = slowly(&mut scene, "0123456789", &refused(status));
        assert_eq!(early.len(), 1, "{early:?}");
        scene.keys("enter");
        assert!(scene.probe().carries("0123456789"));
    }
}
