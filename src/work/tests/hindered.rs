//! Secrets that are not at hand: what keeps each away, which decides what to do.

use super::*;
use crate::service::HinderedBy;

async fn held(core: &Core, connection: &Connection, trust: Trust) -> SecretState {
    let origin = Origin::parse(&connection.url);
    core.held(connection, &HandleSlot::Key, origin.as_ref(), trust)
        .await
}

fn hindered_by(held: &SecretState) -> Option<HinderedBy> {
    match held {
        SecretState::Unavailable(hindrance) => Some(hindrance.by),
        SecretState::Absent | SecretState::Present(_) | SecretState::Unrecordable(_) => None,
    }
}

#[tokio::test]
async fn each_place_says_that_it_is_the_one() {
    let home = Home::new();
    let core = home.core_with(&[("EMPTY", ""), ("TWO_LINES", "a\nb")]);
    core.create_vault(passphrase()).await.unwrap();
    for (reference, by) in [
        ("env:NOT_SET", HinderedBy::Variable),
        ("env:EMPTY", HinderedBy::Variable),
        ("env:TWO_LINES", HinderedBy::Variable),
        ("file:/nowhere/key", HinderedBy::File),
        ("cmd:false", HinderedBy::Program),
        ("cmd:/nowhere/pass shop", HinderedBy::Program),
        ("vault:nothing/key", HinderedBy::Vault),
        ("ask", HinderedBy::Session),
    ] {
        let mut connection = shop(URL);
        connection.key = Some(reference.parse().unwrap());
        let held = held(&core, &connection, Trust::Saved).await;
        assert_eq!(hindered_by(&held), Some(by), "{reference}: {held:?}");
    }
    let mut kept = shop(URL);
    kept.key = Some("vault:shop/key".parse().unwrap());
    core.lock().await;
    let locked = held(&core, &kept, Trust::Saved).await;
    assert_eq!(hindered_by(&locked), Some(HinderedBy::Lock), "{locked:?}");
    let other = home.core();
    let locked = held(&other, &kept, Trust::Saved).await;
    assert_eq!(hindered_by(&locked), Some(HinderedBy::Lock), "{locked:?}");
}

#[tokio::test]
async fn a_form_is_told_apart_from_a_saved_connection() {
    let home = Home::new();
    let core = home.core_with(&[("KEY", "k")]);
    let mut connection = shop(URL);
    connection.key = Some("env:KEY".parse().unwrap());
    let held_as =
        async |connection: &Connection, trust| hindered_by(&held(&core, connection, trust).await);
    let nobody_knows = held_as(&connection, Trust::Unsaved).await;
    assert_eq!(nobody_knows, Some(HinderedBy::Form));
    assert_eq!(held_as(&connection, Trust::Saved).await, None);
    connection.url = "https://evil.example.com".to_owned();
    for (trust, by) in [
        (Trust::Saved, HinderedBy::Origin),
        (Trust::Watched, HinderedBy::Origin),
        (Trust::Unsaved, HinderedBy::Form),
    ] {
        assert_eq!(held_as(&connection, trust).await, Some(by), "{trust:?}");
    }
}

/// Where no origin can be looked up or written down, nothing is wrong with the place of the key.
#[tokio::test]
async fn a_state_that_can_not_be_used_is_said_as_such() {
    let home = Home::new();
    let core = home.core_with(&[("KEY", "k")]);
    let state = core.folders().unwrap().state.clone();
    fs::create_dir_all(state.parent().unwrap()).unwrap();
    fs::write(&state, "in the place of the folder").unwrap();
    for reference in ["env:KEY", "file:/nowhere/key", "cmd:false"] {
        let mut connection = shop(URL);
        connection.key = Some(reference.parse().unwrap());
        for trust in [Trust::Saved, Trust::Watched, Trust::Unsaved] {
            let held = held(&core, &connection, trust).await;
            assert!(
                matches!(&held, SecretState::Unrecordable(why) if why.contains("which host this secret is for")),
                "{reference} {trust:?}: {held:?}"
            );
        }
    }
}
