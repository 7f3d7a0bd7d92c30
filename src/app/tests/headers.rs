//! One key switches to headers, where only they work.

use super::scene::{Scene, shops, verdict};
use crate::app::FieldId;
use crate::domain::{AuthStyle, Reason};
use crate::service::Trigger;

#[test]
fn where_the_header_is_stripped_one_key_switches_to_headers() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.watched("a", Reason::AuthorizationStripped).keys("h");
    assert_eq!(scene.text(FieldId::Auth), "headers");
    assert!(scene.form().further, "what was changed is seen");
    let probe = scene.probe();
    assert_eq!(probe.trigger, Trigger::Asked);
    assert_eq!(probe.draft().connection.auth, AuthStyle::Headers);
}

#[test]
fn in_the_form_the_draft_is_switched() {
    let mut scene = Scene::empty();
    scene.keys("n").types("https://shop.example.com").wait(400);
    scene.draft_is(verdict(Reason::AuthorizationStripped));
    scene.probes();
    scene.keys("alt-h");
    assert_eq!(scene.text(FieldId::Auth), "headers");
    assert_eq!(scene.probe().trigger, Trigger::Asked);
}

#[test]
fn elsewhere_nothing_is_switched() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.watched("a", Reason::CredentialsRejected).keys("h");
    assert!(scene.model.form.is_none());
    assert!(
        scene.notice().contains("only headers"),
        "{}",
        scene.notice()
    );
}

#[test]
fn from_the_table_the_form_comes_into_sight() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.watched("a", Reason::CredentialsRejected).keys("w h");
    assert!(scene.model.board.is_open(), "nothing was done");
    scene.watched("a", Reason::AuthorizationStripped).keys("h");
    assert!(!scene.model.board.is_open());
    assert!(scene.model.is_editing());
}
