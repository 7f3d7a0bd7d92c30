//! The words of the screen, and those of the use cases: the same things on two floors that don't know each other.

use crate::app::message::{self, ClipboardMessage, Loaded};
use crate::app::watching::WatchingSettings;
use crate::app::{Draft, Message};
use crate::clipboard::{self, Certainty, Placed};
use crate::domain::{Name, Origin, Secret, SecretRef, Who, error_chain};
use crate::service::{Catalog, Trigger};
use crate::store::secrets::Offer;
use crate::store::{Configuration, StoreKind};
use crate::work::services::LoadedServices;
use crate::work::ticket::Audience;
use crate::work::{self, Edit, Unsaved};

/// For whom a ticket is worded: whoever must act.
pub fn reader(who: Who) -> Audience {
    match who {
        Who::You => Audience::Me,
        Who::Host => Audience::Host,
        Who::Vendor => Audience::Vendor,
    }
}

/// What is to be saved.
pub fn draft(
    draft: Draft,
    replaces: Option<Name>,
    store: Option<SecretRef>,
) -> work::ConnectionEdit {
    let edit = |value: Option<Secret>, changed: bool| match value {
        _ if !changed => Edit::Keep,
        Some(value) if !value.is_empty() => Edit::Set(value),
        _ => Edit::Clear,
    };
    let copies = draft.copies.as_ref();
    // Of a value that nobody has seen, the origin beside it counts, but where the URL was taken to another one here: who
    // does that is asked.
    let here = Origin::parse(&draft.connection.url);
    let opened = draft.opened.as_ref();
    let moved = opened.is_none_or(|opened| Origin::parse(&opened.url) != here);
    let seen = draft.key.is_some() || (copies.is_none() && moved);
    let origin_confirmed = agreed(&draft) && seen;
    let keeps_key = copies.is_some_and(|copy| copy.keeps_key);
    let keeps_token = copies.is_some_and(|copy| copy.keeps_token);
    work::ConnectionEdit {
        connection: draft.connection,
        key: edit(draft.key, draft.key_changed && !keeps_key),
        token: edit(draft.token, draft.token_changed && !keeps_token),
        replaces,
        opened: draft.opened,
        store: store.as_ref().map(StoreKind::of),
        origin_confirmed,
        copies: draft.copies.map(|copy| copy.name),
    }
}

/// What is to be probed: values where they were typed, references where they stand unchanged, so that the
/// guard of their origin is asked.
pub fn unsaved(
    draft: Draft,
    editing: Option<Name>,
    trigger: Trigger,
    origin_confirmed: bool,
) -> Unsaved {
    let mut connection = draft.connection;
    if draft.copies.is_some() {
        // Nothing is known yet of whom the original's places are for under the new name: only what was loaded goes.
        connection.key = None;
        connection.token = None;
    }
    let here = Origin::parse(&connection.url);
    // A key that was typed for another origin goes nowhere, and neither does the stored one in its place.
    let elsewhere = draft.key_origin.is_some() && draft.key_origin != here && !origin_confirmed;
    if draft.key_changed && (elsewhere || draft.key.is_none()) {
        connection.key = None;
    }
    if draft.token_changed && draft.token.is_none() {
        connection.token = None;
    }
    Unsaved {
        connection,
        key: draft.key.filter(|_| draft.key_changed && !elsewhere),
        token: draft.token.filter(|_| draft.token_changed),
        trigger,
        origin_confirmed,
        editing,
        timeout: None,
        key_held_back: draft.key_held_back,
    }
}

/// Whether the person agreed that the key in the form is for its URL.
fn agreed(draft: &Draft) -> bool {
    draft.key_origin.is_some() && draft.key_origin == Origin::parse(&draft.connection.url)
}

/// The places where a new secret can be typed into: the others are written into the configuration by hand.
pub fn offers(offers: Vec<Offer>) -> Vec<message::StoreOffer> {
    offers.into_iter().filter_map(offer).collect()
}

fn offer(offer: Offer) -> Option<message::StoreOffer> {
    let reference = match offer.kind {
        StoreKind::Keyring => SecretRef::Keyring("NAME/key".into()),
        StoreKind::Vault => SecretRef::Vault("NAME/key".into()),
        StoreKind::Ask => SecretRef::Ask,
        StoreKind::Env | StoreKind::File | StoreKind::Cmd => return None,
    };
    let label = format!("{}: {}", offer.kind.word(), offer.about);
    Some(message::StoreOffer {
        reference,
        label,
        unavailable: offer.works.err().map(|why| error_chain(&why)),
    })
}

/// What came of a copy.
pub fn copied(placed: &Placed) -> message::Copied {
    let seconds = |time: std::time::Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
    message::Copied {
        words: placed.words.clone(),
        placed: placed.certainty != Certainty::Shown,
        clears_in_s: placed.clear_after.map(seconds),
    }
}

/// The terminal says that it takes a clipboard.
pub fn announced() -> Message {
    Message::Clipboard(ClipboardMessage::Announced {
        less: clipboard::UNCONFIRMED,
        more: clipboard::ANNOUNCED,
    })
}

/// What the configuration holds, for the screen.
pub fn configuration(configuration: &Configuration, services: &LoadedServices) -> Loaded {
    let settings = &configuration.settings;
    Loaded {
        connections: configuration.connections.clone(),
        warnings: services
            .left_out
            .iter()
            .map(|one| one.why.clone())
            .collect(),
        clipboard_clear_s: settings.clipboard_clear_s,
        lock_after_min: settings.lock_after_minutes,
        reduce_motion: settings.reduce_motion,
        keys: settings.remaps(),
        order: Some(settings.order.clone()),
        watching: WatchingSettings {
            bell: settings.bell,
            notify: settings.notify,
            maintenance: settings.maintenance.clone(),
            interval_s: settings.interval_s,
            on_change: settings.on_change.clone(),
        },
        banner: Vec::new(),
        locked: false,
        catalog: Some(Catalog::clone(&services.catalog)),
    }
}

#[cfg(test)]
mod tests {
    use crate::app::CopyOf;
    use crate::domain::{Connection, Name, Secret, ServiceId};
    use crate::service::Trigger;
    use crate::work::Edit;

    #[test]
    fn a_copy_is_tested_with_values_and_saved_with_references() {
        let url = "https://a.example.com";
        let name = Name::parse("a-2").unwrap();
        let mut connection = Connection::new(name, ServiceId::blesta(), url);
        connection.key = Some("env:KEY".parse().unwrap());
        let draft = crate::app::Draft {
            connection,
            key: Some(Secret::new("k")),
            token: None,
            key_changed: true,
            token_changed: false,
            opened: None,
            key_origin: crate::domain::Origin::parse(url),
            key_held_back: false,
            copies: Some(CopyOf {
                name: Name::parse("a").unwrap(),
                keeps_key: true,
                keeps_token: true,
            }),
        };
        let saved = super::draft(draft.clone(), None, None);
        assert_eq!((saved.key, saved.copies.is_some()), (Edit::Keep, true));
        assert!(saved.connection.key.is_some());
        let tested = super::unsaved(draft, None, Trigger::Asked, false);
        assert_eq!(
            (tested.connection.key, tested.key),
            (None, Some(Secret::new("k")))
        );
    }

    /// What was not loaded is for whom its store says, and not for whatever the file has come to name since.
    #[test]
    fn a_key_that_nobody_has_seen_is_for_no_host_by_a_save_of_something_else() {
        let url = "https://a.example.com";
        let saved = |opened: &str, key: Option<&str>| {
            let at = |url: &str| {
                let name = Name::parse("a").unwrap();
                let mut connection = Connection::new(name, ServiceId::blesta(), url);
                connection.key = Some("vault:a/key".parse().unwrap());
                connection
            };
            let draft = crate::app::Draft {
                connection: at(url),
                key: key.map(Secret::new),
                token: None,
                key_changed: false,
                token_changed: false,
                opened: Some(Box::new(at(opened))),
                key_origin: crate::domain::Origin::parse(url),
                key_held_back: false,
                copies: None,
            };
            super::draft(draft, None, None).origin_confirmed
        };
        assert!(!saved(url, None));
        assert!(!saved("https://a.example.com/blesta", None));
        assert!(saved(url, Some("k")));
        let before = "https://before.example.com";
        assert!(saved(before, None), "the person was asked");
    }

    use crate::app::keymap::{Action, Keymap};
    use crate::store::Settings;

    #[test]
    fn an_empty_list_takes_an_actions_keys_away() {
        let keys = [
            ("delete".to_owned(), Vec::new()),
            ("probe".to_owned(), vec!["f5".to_owned(), "x".to_owned()]),
        ];
        let settings = Settings {
            keys: keys.into(),
            ..Settings::default()
        };
        let (map, _) = Keymap::remapped(&settings.remaps());
        assert!(map.keys(Action::Delete).is_empty());
        assert_eq!(map.keys(Action::Probe).len(), 2);
        assert!(!map.keys(Action::Edit).is_empty(), "the others stay");
    }
}
