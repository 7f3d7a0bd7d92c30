//! The configuration: read at start, and read again because another copy changed it.

use super::scene::{Scene, named, shop, shops};
use crate::app::effect::{Effect, StoreEffect};
use crate::app::message::{Loaded, StoreMessage, VaultMessage};
use crate::app::model::{ListOrder, LoadState, Overlay, Pane, Question};
use crate::app::tokens::TokensEffect;
use crate::app::watching::WatchingEffect;
use crate::app::{FieldId, Message};
use crate::domain::{Connection, Reason, SecretRef, State};

fn load(scene: &mut Scene, connections: Vec<Connection>) {
    scene.send(Message::ConfigurationLoaded(Box::new(Loaded {
        connections: connections.into_iter().map(Into::into).collect(),
        ..Loaded::default()
    })));
}

#[test]
fn at_start_the_configuration_is_read_and_then_watched() {
    let mut scene = Scene::starting();
    assert_eq!(scene.model.start(), [Effect::LoadConfiguration]);
    load(&mut scene, shops(&["b", "a"]));
    let asked = [
        Effect::Tokens(TokensEffect::FindUnfinished),
        Effect::Watching(WatchingEffect::Switch(true)),
    ];
    assert_eq!(scene.effects(), asked);
    assert_eq!(scene.model.loaded, LoadState::Ready);
    assert_eq!(scene.selected(), "a");
    load(&mut scene, shops(&["b", "a"]));
    assert_eq!(scene.effects(), [], "watching was begun already");
}

/// Without the keys every connection of the vault would be announced as changed, and once more a moment later.
#[test]
fn a_passphrase_of_the_start_opens_the_vault_before_anything_is_watched() {
    let watch = Effect::Watching(WatchingEffect::Switch(true));
    for ended in [
        Message::Vault(VaultMessage::Unlocked),
        Message::Vault(VaultMessage::UnlockFailed("no".to_owned())),
    ] {
        let mut scene = Scene::starting();
        scene.model.opens_first = true;
        load(&mut scene, shops(&["a"]));
        assert!(scene.model.watching && !scene.effects().contains(&watch));
        scene.send(ended.clone());
        assert!(scene.effects().contains(&watch), "{ended:?}");
        // Paused meanwhile, it stays so.
        let mut scene = Scene::starting();
        scene.model.opens_first = true;
        load(&mut scene, shops(&["a"]));
        scene.keys("p").send(ended.clone());
        assert!(!scene.effects().contains(&watch), "{ended:?}");
        // The vault may be the faster one.
        let mut scene = Scene::starting();
        scene.model.opens_first = true;
        scene.send(ended);
        assert!(!scene.effects().contains(&watch));
        load(&mut scene, shops(&["a"]));
        assert!(scene.effects().contains(&watch));
    }
    // A lock ends what opens it, and what is locked is watched as far as that goes.
    let mut scene = Scene::starting();
    scene.model.opens_first = true;
    load(&mut scene, shops(&["a"]));
    scene.keys("L");
    assert!(scene.effects().contains(&watch));
}

#[test]
fn a_configuration_that_is_mended_is_watched_as_one_that_was_well_from_the_start() {
    let mut scene = Scene::starting();
    scene.send(Message::ConfigurationFailed("no permission".to_owned()));
    assert!(!scene.model.watching);
    scene.effects();
    load(&mut scene, shops(&["a"]));
    assert!(
        scene.model.watching
            && scene
                .effects()
                .contains(&Effect::Watching(WatchingEffect::Switch(true)))
    );
    scene.send(Message::ConfigurationFailed("gone again".to_owned()));
    load(&mut scene, shops(&["a"]));
    assert_eq!(scene.effects(), [], "watching was begun already");
}

#[test]
fn a_configuration_that_is_away_is_said_and_costs_nothing() {
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.watched("a", Reason::Connected);
    let why = "switchboard.toml is gone: put it back";
    scene.send(Message::ConfigurationFailed(why.to_owned()));
    assert!(scene.notice().contains(why), "{}", scene.notice());
    assert_eq!(scene.model.entries.len(), 2);
    scene.keys("n");
    assert!(scene.model.form.is_none(), "it could not be saved");
    load(&mut scene, shops(&["a", "b"]));
    assert!(scene.notice().contains("read again"), "{}", scene.notice());
    assert_eq!(
        scene.model.entries.get(&named("a")).unwrap().state(),
        State::Ok
    );
}

#[test]
fn settings_are_taken_and_odd_ones_are_said() {
    let mut scene = Scene::starting();
    scene.send(Message::ConfigurationLoaded(Box::new(Loaded {
        order: Some("name".to_owned()),
        keys: vec![
            ("probe".to_owned(), "f5".to_owned()),
            ("fly".to_owned(), "f".to_owned()),
        ],
        clipboard_clear_s: 5,
        banner: vec!["try me".to_owned()],
        ..Loaded::default()
    })));
    assert_eq!(scene.model.list.order, ListOrder::Name);
    assert_eq!(scene.model.clipboard_clear_s, 5);
    assert_eq!(scene.model.banner, ["try me"]);
    assert!(scene.notice().contains("\"fly\""), "{}", scene.notice());
}

#[test]
fn what_is_known_is_kept_where_nothing_changed() {
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene
        .watched("a", Reason::Connected)
        .watched("b", Reason::Connected)
        .keys("end");
    let mut moved = shop("b");
    moved.url = "https://elsewhere.example.com".to_owned();
    let mut noted = shop("a");
    noted.note = "hello".to_owned();
    load(&mut scene, vec![noted, moved, shop("c")]);
    let state = |name| scene.model.entries[&named(name)].state();
    assert_eq!(state("a"), State::Ok);
    assert_eq!(state("b"), State::Unknown, "the verdict was of another URL");
    assert_eq!(scene.selected(), "b", "the selection stays");
}

#[test]
fn a_draft_outlives_a_changed_configuration() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("e").types("x");
    let mut changed = shop("a");
    changed.username = "other".to_owned();
    load(&mut scene, vec![changed.clone()]);
    assert!(scene.form().dirty);
    assert_eq!(
        scene.text(FieldId::Username),
        "other",
        "it was not typed over"
    );
    assert!(scene.key_is("x"));
    let told = "another copy of the program has changed Username of a: it stands in the draft now";
    assert_eq!(scene.notice(), told);
    load(&mut scene, vec![]);
    assert_eq!(scene.form().editing, None, "saving makes it anew");
    assert_eq!(scene.model.focus, Pane::Form);
}

fn type_tags(scene: &mut Scene, text: &str) {
    scene.keys("e ctrl-o");
    while scene.form().focused() != FieldId::Tags {
        scene.keys("down");
    }
    scene.types(text);
}

#[test]
fn what_was_changed_here_and_there_is_asked_about_before_it_is_saved() {
    let mut scene = Scene::with(shops(&["a"]));
    type_tags(&mut scene, "mine");
    let mut theirs = shop("a");
    theirs.tags = vec!["theirs".to_owned()];
    theirs.note = "theirs".to_owned();
    load(&mut scene, vec![theirs.clone()]);
    // Only what was typed is in the way.
    assert_eq!(scene.text(FieldId::Note), "theirs");
    assert_eq!(scene.text(FieldId::Tags), "mine");
    scene.effects();
    scene.keys("ctrl-s");
    let Some(Question::SaveOver(fields)) = scene.question() else {
        panic!("{:?}", scene.question())
    };
    assert_eq!(fields[..], [FieldId::Tags]);
    scene.keys("n");
    assert_eq!(scene.effects(), [], "nothing is written");
    scene.keys("ctrl-s y y");
    let effects = scene.effects();
    let [Effect::Store(StoreEffect::Save { draft, .. })] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(
        draft.opened.as_deref(),
        Some(&theirs),
        "what was seen of it"
    );
    assert_eq!(draft.connection.note, "theirs");
}

#[test]
fn what_comes_while_a_draft_is_saved_is_told_when_that_failed() {
    let mut scene = Scene::with(shops(&["a"]));
    type_tags(&mut scene, "mine");
    scene.keys("ctrl-s y");
    let mut own = shop("a");
    own.tags = vec!["mine".to_owned()];
    own.key = Some("vault:a/key-2".parse().unwrap());
    load(&mut scene, vec![own]);
    assert!(scene.form().disputed.is_empty(), "it may be our own");
    assert!(
        !scene.notice().contains("another copy"),
        "{}",
        scene.notice()
    );
    let mut theirs = shop("a");
    theirs.tags = vec!["theirs".to_owned()];
    load(&mut scene, vec![theirs]);
    scene.send(Message::Store(StoreMessage::SaveFailed(
        "changed meanwhile".to_owned(),
    )));
    scene.keys("ctrl-s");
    assert_eq!(
        scene.question(),
        Some(&Question::SaveOver(vec![FieldId::Tags]))
    );
}

#[test]
fn a_url_that_follows_does_not_take_the_key_along() {
    let mut scene = Scene::with(shops(&["a"]));
    type_tags(&mut scene, "mine");
    let origin = scene.form().key_origin.clone();
    assert!(origin.is_some());
    let mut moved = shop("a");
    moved.url = "https://elsewhere.example.com".to_owned();
    load(&mut scene, vec![moved]);
    assert_eq!(scene.text(FieldId::Url), "https://elsewhere.example.com");
    assert_eq!(scene.form().key_origin, origin, "it was entered for that");
    assert_eq!(scene.form().draft().0.key_origin, origin);
}

#[test]
fn what_is_changed_while_a_question_stands_is_asked_about_too() {
    let mut scene = Scene::with(shops(&["a"]));
    type_tags(&mut scene, "mine");
    scene.keys("ctrl-s");
    assert_eq!(scene.question(), Some(&Question::SaveAllTheSame));
    let mut theirs = shop("a");
    theirs.tags = vec!["theirs".to_owned()];
    load(&mut scene, vec![theirs]);
    scene.effects();
    scene.keys("y");
    assert_eq!(
        scene.question(),
        Some(&Question::SaveOver(vec![FieldId::Tags]))
    );
    assert_eq!(scene.effects(), [], "nothing is written");
    // What is typed as the other has it is in nobody's way.
    scene.keys("n ctrl-u").types("theirs").keys("ctrl-s");
    assert_eq!(scene.question(), Some(&Question::SaveAllTheSame));
}

#[test]
fn what_is_paused_meanwhile_is_no_news_for_its_draft() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("e").types("x");
    let before = scene.notice().to_owned();
    let mut paused = shop("a");
    paused.paused = true;
    load(&mut scene, vec![paused]);
    assert_eq!(scene.notice(), before);
    assert!(scene.form().dirty && scene.form().disputed.is_empty());
}

#[test]
fn a_draft_whose_connection_is_gone_brings_its_key_along() {
    let mut scene = Scene::with(shops(&["a"]));
    type_tags(&mut scene, "x");
    let key = Some(crate::domain::Secret::new("stored-key"));
    scene.send(Message::Store(StoreMessage::SecretsLoaded {
        name: named("a"),
        key: Ok(key),
        key_origin: None,
        token: Ok(None),
    }));
    assert!(!scene.form().draft().0.key_changed);
    load(&mut scene, vec![]);
    let (draft, _) = scene.form().draft();
    assert!(
        draft.key_changed && draft.connection.key.is_none(),
        "{draft:?}"
    );
    assert_eq!(draft.key, Some(crate::domain::Secret::new("stored-key")));
}

#[test]
fn an_untouched_form_follows_the_configuration() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("e");
    let mut changed = shop("a");
    changed.username = "other".to_owned();
    load(&mut scene, vec![changed]);
    assert_eq!(scene.text(FieldId::Username), "other");
    assert!(!scene.form().dirty);
}

#[test]
fn an_unreadable_configuration_is_never_written() {
    let mut scene = Scene::starting();
    let why = "switchboard.toml, line 3: expected a value";
    scene.send(Message::ConfigurationFailed(why.to_owned()));
    for keys in ["n", "d", "a", "ctrl-s"] {
        scene.keys(keys);
        assert_eq!(scene.effects(), [], "{keys}");
        assert!(scene.model.form.is_none());
    }
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("e").types("x");
    scene.effects();
    scene.send(Message::ConfigurationFailed(why.to_owned()));
    scene.keys("ctrl-s");
    assert_eq!(scene.effects(), [Effect::RereadConfiguration]);
    scene.send(Message::ConfigurationFailed(why.to_owned()));
    assert_eq!(scene.effects(), []);
    let told = scene.notice();
    assert!(told.starts_with("not saved: "), "{told}");
    assert!(told.contains("line 3"), "{told}");
    assert!(scene.form().dirty, "the draft is kept");
    load(&mut scene, shops(&["a"]));
    assert_eq!(scene.effects(), [], "nobody asks for that any more");
    scene.keys("ctrl-s y");
    assert!(matches!(
        scene.effects()[..],
        [Effect::Store(StoreEffect::Save { .. })]
    ));
}

#[test]
fn a_save_goes_on_once_the_configuration_is_read_again() {
    let failed = || Message::ConfigurationFailed("no permission".to_owned());
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("e").types("x").send(failed());
    scene.keys("ctrl-s");
    load(&mut scene, shops(&["a"]));
    assert!(matches!(
        scene.model.overlay,
        Some(Overlay::Confirm(Question::SaveAllTheSame))
    ));
    // What came with it is looked at first: here the form would be a new connection.
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("e").types("x").send(failed());
    scene.keys("ctrl-s");
    load(&mut scene, shops(&[]));
    assert_eq!(scene.form().editing, None);
    // Another row was chosen meanwhile.
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.keys("e").types("x").send(failed());
    scene.keys("ctrl-s esc down");
    scene.effects();
    load(&mut scene, shops(&["a", "b"]));
    assert!(scene.model.overlay.is_none() && scene.form().dirty);
    assert!(scene.notice().starts_with("not saved yet"));
    // Or something was opened over the form.
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("e").types("x").send(failed());
    scene.keys("ctrl-s alt-?");
    load(&mut scene, shops(&["a"]));
    assert!(matches!(scene.model.overlay, Some(Overlay::Help { .. })));
    assert!(scene.notice().starts_with("not saved yet"));
}

#[test]
fn services_come_with_the_configuration_or_without_it() {
    let now = jiff::Timestamp::UNIX_EPOCH;
    let mut model = crate::app::Model::opening((80, 24), now);
    assert_eq!(model.catalog.ids().count(), 0, "nothing is read before");
    model.update(now, Message::ConfigurationFailed("not there".into()));
    assert!(
        model
            .catalog
            .get(&crate::domain::ServiceId::blesta())
            .is_some()
    );
}

#[test]
fn all_that_is_odd_about_a_configuration_is_told() {
    let mut scene = Scene::starting();
    scene.send(Message::ConfigurationLoaded(Box::new(Loaded {
        warnings: ["one", "two", "three", "four"].map(str::to_owned).into(),
        ..Loaded::default()
    })));
    assert_eq!(scene.notice(), "one; two; three (and 1 more)");
}

#[test]
fn handles_are_dated_where_their_places_tell() {
    let asked = |scene: &mut Scene| {
        let mut asked = std::mem::take(&mut scene.dated);
        for one in &mut asked {
            one.sort_by_key(SecretRef::to_string);
        }
        asked
    };
    let mut of_file = shop("b");
    of_file.key = Some(SecretRef::File("/run/key".into()));
    let mut of_env = shop("c");
    of_env.key = Some(SecretRef::Env("KEY".to_owned()));
    let all = vec![shop("a"), of_file.clone(), of_env.clone()];
    let (entry, file) = (shop("a").key.unwrap(), of_file.key.unwrap());
    let mut scene = Scene::starting();
    load(&mut scene, all.clone());
    assert_eq!(asked(&mut scene), [[file.clone(), entry.clone()]]);
    // Nothing is another one.
    load(&mut scene, all.clone());
    assert!(asked(&mut scene).is_empty());
    load(&mut scene, vec![of_env]);
    assert!(asked(&mut scene).is_empty(), "none can be dated");
    // What is locked is dated once it is open.
    let mut scene = Scene::starting();
    scene.send(Message::ConfigurationLoaded(Box::new(Loaded {
        connections: all.into_iter().map(Into::into).collect(),
        locked: true,
        ..Loaded::default()
    })));
    assert_eq!(asked(&mut scene), [[file.clone()]]);
    scene.send(Message::Vault(VaultMessage::Unlocked));
    assert_eq!(asked(&mut scene), [[file, entry]]);
    // And what was put there since.
    let saved = || Box::new(shop("a"));
    scene.send(Message::Store(StoreMessage::Saved(saved(), 0)));
    assert_eq!(asked(&mut scene).len(), 1);
    scene.send(Message::Store(StoreMessage::TokenAdded(saved())));
    assert_eq!(asked(&mut scene).len(), 1);
}
