//! Testing while typing: when a probe runs, how far, and which answers count.

use super::scene::{KEY, Scene, fine_until, named, shop, shops, verdict};
use crate::app::effect::{Effect, ProbeEffect, Target};
use crate::app::message::ProbeMessage;
use crate::app::model::ProbeState;
use crate::app::{FieldId, Message, lamps};
use crate::domain::{CheckId, Reason, SecretRef, State};
use crate::service::Trigger;

#[test]
fn ten_letters_in_one_go_are_one_run() {
    let mut scene = Scene::empty();
    scene.keys("n");
    for c in "a.example.".chars() {
        scene.types(&c.to_string()).wait(100);
    }
    assert_eq!(scene.probes(), []);
    scene.wait(299);
    assert_eq!(scene.probes(), [], "400 ms have not gone by");
    scene.wait(1);
    let probe = scene.probe();
    assert_eq!(probe.trigger, Trigger::UrlTyping);
    assert_eq!(probe.draft().connection.url, "a.example.");
    scene.wait(60_000);
    assert_eq!(scene.probes(), [], "nothing was typed since");
}

#[test]
fn the_trigger_follows_the_cursor() {
    let mut scene = Scene::empty();
    scene.keys("n").types("a.example").wait(400);
    assert_eq!(scene.probe().trigger, Trigger::UrlTyping);
    scene.draft_is(verdict(Reason::ServiceFound));
    scene.keys("tab").types("api").wait(400);
    assert_eq!(scene.probe().trigger, Trigger::Typing);
    scene.keys("tab").types(KEY).wait(400);
    let probe = scene.probe();
    assert_eq!(probe.trigger, Trigger::Typing);
    assert!(probe.carries(KEY));
    scene.keys("enter");
    assert_eq!(scene.probe().trigger, Trigger::Asked);
    scene.keys("alt-r");
    assert_eq!(scene.probe().trigger, Trigger::Asked);
}

#[test]
fn while_the_url_is_edited_no_secret_goes_along() {
    let mut scene = Scene::empty();
    scene.keys("n").types("a.example").keys("tab").types("api");
    scene
        .keys("tab")
        .types(KEY)
        .keys("tab")
        .types("token")
        .wait(400);
    assert!(scene.probe().carries(KEY));
    scene.keys("up up up").types(".org").wait(400);
    let probe = scene.probe();
    assert_eq!(probe.trigger, Trigger::UrlTyping);
    assert_eq!((&probe.draft().key, &probe.draft().token), (&None, &None));
    assert!(probe.draft().key_held_back, "it is there all the same");
    assert!(!probe.origin_confirmed);
}

#[test]
fn leaving_the_url_tests_again_only_with_credentials_at_hand() {
    let mut scene = Scene::empty();
    scene.keys("n").types("a.example").wait(400);
    scene.effects();
    scene.keys("tab");
    scene.wait(5_000);
    assert_eq!(scene.probes(), [], "nothing new could be found out");
    scene.types("api").keys("tab").types(KEY).wait(400);
    scene.effects();
    scene.keys("up up").types("/x").wait(400);
    assert_eq!(scene.probe().trigger, Trigger::UrlTyping);
    scene.keys("tab");
    scene.wait(400);
    let probe = scene.probe();
    assert_eq!(probe.trigger, Trigger::Typing);
    assert!(probe.carries(KEY), "same origin, another path");
}

#[test]
fn a_newer_run_cancels_the_older_and_late_answers_are_dropped() {
    let mut scene = Scene::empty();
    scene.keys("n").types("a.example").wait(400);
    let first = scene.probe();
    scene.types("/");
    assert_eq!(
        scene.effects(),
        [Effect::Probe(ProbeEffect::Cancel(Target::Draft))]
    );
    let late = |generation| {
        Message::Probe(ProbeMessage::Finished {
            target: Target::Draft,
            generation,
            verdict: Box::new(verdict(Reason::Refused)),
        })
    };
    scene.send(late(first.generation));
    assert_eq!(scene.form().verdict, None);
    scene.wait(400);
    let second = scene.probe();
    assert!(second.generation > first.generation);
    scene.send(late(first.generation));
    assert_eq!(scene.form().verdict, None);
    scene.send(late(second.generation));
    assert!(scene.form().verdict.is_some());
    assert_eq!(scene.form().probe, ProbeState::Idle);
}

#[test]
fn fields_that_no_probe_depends_on_start_none() {
    for checked in [false, true] {
        let mut shop = shop("a");
        if checked {
            shop.token = Some(SecretRef::Vault("a/token".to_owned()));
            shop.cms_url = Some("https://cms.example.com".to_owned());
        }
        let mut scene = Scene::with(vec![shop]);
        scene.keys("e ctrl-o");
        scene.effects();
        assert_eq!(scene.form().focused(), FieldId::Name);
        scene
            .types("x")
            .keys("down down")
            .types("eu, live")
            .wait(1_000);
        assert_eq!(scene.effects(), []);
        scene.keys("down").types(" ").wait(400);
        assert_eq!(scene.text(FieldId::Cms), "joomla");
        assert_eq!(scene.probes().len(), usize::from(checked));
    }
}

#[test]
fn a_saved_connection_is_probed_on_wish_and_the_newest_counts() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("r r");
    let probes = scene.probes();
    assert_eq!(probes.len(), 2);
    let (old, new) = (probes[0].generation, probes[1].generation);
    assert!(new > old);
    let target = probes[0].target.clone();
    let finished = |generation, reason| {
        Message::Probe(ProbeMessage::Finished {
            target: target.clone(),
            generation,
            verdict: Box::new(verdict(reason)),
        })
    };
    scene.send(finished(old, Reason::Refused));
    let state = |scene: &Scene| scene.model.selected_entry().unwrap().state();
    assert_eq!(state(&scene), State::Unknown);
    assert!(scene.model.animating());
    scene.send(finished(new, Reason::Connected));
    assert_eq!(state(&scene), State::Ok);
    assert!(!scene.model.animating());
}

#[test]
fn bisect_says_what_it_costs_first() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("b");
    assert_eq!(scene.effects(), []);
    scene.keys("n b y");
    assert_eq!(scene.probe().trigger, Trigger::Bisect);
    scene.keys("e").types("f").keys("alt-b y");
    let probe = scene.probe();
    assert_eq!(
        (probe.trigger, probe.target),
        (Trigger::Bisect, Target::Draft)
    );
}

#[test]
fn each_field_has_the_lamp_of_its_own_rungs() {
    let mut scene = Scene::empty();
    scene.keys("n");
    assert_eq!(scene.lamp(FieldId::Url), (State::Unknown, "enter a URL"));
    scene.types("https://shop.example.com").wait(400);
    let generation = scene.probe().generation;
    let progress = |last| {
        Message::Probe(ProbeMessage::Progressed {
            target: Target::Draft,
            generation,
            checks: Box::new(fine_until(last)),
        })
    };
    scene.send(progress(CheckId::Connect));
    assert_eq!(scene.lamp(FieldId::Url), (State::Ok, "reachable"));
    assert!(scene.form().field(FieldId::Url).lamp.probing);
    scene.draft_is(verdict(Reason::ServiceFound));
    assert_eq!(scene.lamp(FieldId::Url), (State::Ok, "service found"));
    assert!(!scene.form().field(FieldId::Url).lamp.probing);
    scene.keys("tab").types("api");
    assert_eq!(scene.lamp(FieldId::Username), (State::Ok, "set"));
    assert_eq!(scene.lamp(FieldId::Key), (State::Unknown, "not set"));
    scene.keys("tab").types(KEY).wait(400);
    scene.draft_is(verdict(Reason::CredentialsRejected));
    assert_eq!(scene.lamp(FieldId::Key), (State::Warn, "401 Denied"));
    assert_eq!(scene.lamp(FieldId::Url), (State::Ok, "service found"));
    scene.types("0");
    assert_eq!(
        scene.lamp(FieldId::Key),
        (State::Unknown, "set"),
        "not tested as it is"
    );
    assert_eq!(
        scene.lamp(FieldId::Url),
        (State::Ok, "service found"),
        "the same URL"
    );
    scene.keys("backspace");
    scene.wait(400);
    scene.draft_is(verdict(Reason::Connected));
    assert_eq!(scene.lamp(FieldId::Key), (State::Ok, "accepted"));
    scene.keys("tab").types("t");
    assert_eq!(scene.lamp(FieldId::Token), (State::Unknown, "no CMS URL"));
    scene.keys("up up up").types("x");
    assert_eq!(scene.lamp(FieldId::Url), (State::Unknown, "not tested"));
}

#[test]
fn a_failing_rung_puts_its_title_on_its_field() {
    let mut scene = Scene::empty();
    scene.keys("n").types("https://shop.example.com").wait(400);
    scene.draft_is(verdict(Reason::DnsNotFound));
    let title = Reason::DnsNotFound.title();
    assert_eq!(scene.lamp(FieldId::Url), (State::Down, title));
}

#[test]
fn a_lifted_pause_is_tried_at_once() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("R");
    assert_eq!(
        scene.effects(),
        [Effect::Probe(ProbeEffect::Resume(super::scene::named("a")))]
    );
    scene.send(Message::Probe(ProbeMessage::Resumed(super::scene::named(
        "a",
    ))));
    assert_eq!(scene.probe().trigger, Trigger::Asked);
    scene.keys("n").types("a.example").keys("alt-R");
    assert!(matches!(
        scene.effects()[..],
        [Effect::Probe(ProbeEffect::ResumeDraft(_))]
    ));
}

#[test]
fn a_key_that_is_not_at_hand_is_not_shown_as_set() {
    let mut scene = Scene::with(vec![shop("shop")]);
    scene.watched("shop", Reason::SecretUnavailable);
    let lamp = &lamps::of_entry(&scene.model.entries[&named("shop")])[2];
    assert_eq!(
        (lamp.state, lamp.word.as_str()),
        (State::Unknown, "Key not at hand")
    );
}

/// Those beside it would go on saying that their key is not sent, and count down.
#[test]
fn what_a_pause_of_all_keys_has_stopped_is_probed_with_its_end() {
    let mut paused = super::scene::shops(&["a", "b", "c", "d", "e"]);
    for at in [0, 1, 3, 4] {
        paused[at].url = "https://same.example.com".to_owned();
    }
    // One that is left out of watching is probed by nobody.
    paused[4].paused = true;
    let mut scene = Scene::with(paused);
    for name in ["a", "b", "c", "e"] {
        scene.watched(name, Reason::AuthPaused);
    }
    scene.watched("d", Reason::Connected).effects();
    let resumed = ProbeMessage::Resumed(super::scene::named("a"));
    scene.send(Message::Probe(resumed));
    let probed: Vec<_> = scene
        .probes()
        .into_iter()
        .map(|probe| (probe.target, probe.trigger))
        .collect();
    let saved = |name: &str| Target::Saved(super::scene::named(name));
    let wanted = [
        (saved("a"), Trigger::Asked),
        (saved("b"), Trigger::Scheduled),
    ];
    assert_eq!(probed, wanted);
}

#[test]
fn a_key_that_a_good_answer_does_not_prove_is_called_so() {
    let mut scene = Scene::with(vec![shop("shop")]);
    let mut good = verdict(Reason::Connected);
    let words = "sent by Basic; a page does not show more";
    good.checks
        .set(CheckId::Credentials, State::Unknown, words, None);
    scene.model.entries.change(&named("shop"), |entry| {
        let mut connection = shop("shop");
        connection.key = Some("env:KEY".parse().unwrap());
        entry.connection = std::sync::Arc::new(connection);
        entry.verdict = Some(Box::new(good));
    });
    let lamp = &lamps::of_entry(&scene.model.entries[&named("shop")])[2];
    assert_eq!(
        (lamp.state, lamp.word.as_str()),
        (State::Unknown, "not proven")
    );
}
