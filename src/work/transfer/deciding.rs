//! What becomes of what a file brings, beside what is here: nothing that is here is overwritten, and what is missing
//! here is filled in.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{ImportAction, Incoming, Item, refuse_labels};
use crate::domain::{
    AddressFamily, AuthStyle, Connection, HandleSlot, Name, Secret, SecretRef, ServiceId,
    error_chain,
};
use crate::service::import::TakenNames;
use crate::store::configuration::refuse_fields;
use crate::store::transfer;
use crate::work::core::Core;
use crate::work::error::WorkError;
use crate::work::secrets::reference;

/// Values of connections here that a file may bring too, as far as they can be read without asking anybody.
#[derive(Debug, Default)]
struct KeptValues {
    values: HashMap<(Name, HandleSlot), Secret>,
    /// One of them is in a vault that is locked.
    is_locked: bool,
}

/// What is here, by where it goes.
struct Here<'a> {
    by_place: HashMap<Place, Vec<&'a Connection>>,
}

/// Where a connection goes: what makes two of them one.
#[derive(PartialEq, Eq, Hash)]
struct Place {
    service: ServiceId,
    /// Without a slash at its end.
    url: String,
    username: String,
}

impl Place {
    fn of(connection: &Connection) -> Self {
        Self {
            service: connection.service.clone(),
            url: connection.url.trim_end_matches('/').to_owned(),
            username: connection.username.clone(),
        }
    }
}

impl<'a> Here<'a> {
    fn new(here: &'a [Arc<Connection>]) -> Self {
        let mut by_place: HashMap<_, Vec<&Connection>> = HashMap::new();
        for one in here {
            by_place.entry(Place::of(one)).or_default().push(one);
        }
        Self { by_place }
    }

    fn beside(&self, item: &Item) -> &[&'a Connection] {
        let found = self.by_place.get(&Place::of(&item.connection));
        found.map_or(&[], Vec::as_slice)
    }
}

impl Core {
    /// Says of each item what becomes of it. The same is told by a dry run and done by the import.
    pub(super) async fn decide(
        &self,
        incoming: &mut Incoming,
        here: &[Arc<Connection>],
        rename: bool,
    ) {
        for item in &mut incoming.items {
            if let Err(problem) = self.refuse_item(item).await {
                item.action = ImportAction::Refused(error_chain(&problem));
                // It may be what is refused.
                item.connection.username = String::new();
            }
        }
        let places = Here::new(here);
        let kept = self.kept_values(&places, &incoming.items).await;
        incoming.is_unread = kept.is_locked;
        decide(&mut incoming.items, here, &kept, rename);
    }

    /// Refuses what the configuration would not take.
    async fn refuse_item(&self, item: &mut Item) -> Result<(), WorkError> {
        let connection = &item.connection;
        self.refuse_open_secrets(connection, None).await?;
        refuse_labels(connection, &item.added)?;
        let added = item.added.iter().map(|(_, value)| value);
        let mut values = item.key.iter().chain(&item.token).chain(added);
        if values.any(Secret::is_too_long) {
            let why = "a secret of it is longer than 64 KiB, which no key or token is";
            return Err(WorkError::failed("saving", why));
        }
        refuse_fields(connection, None)
            .and_then(|()| transfer::export(std::slice::from_ref(connection)))
            .map_err(|problem| WorkError::failed("saving", problem))?;
        // It can be described and mended later.
        let unaskable = self.unaskable(connection, None).await;
        item.notes.extend(unaskable.into_iter().map(|(_, why)| why));
        Ok(())
    }

    /// The values in the vault, where it is open, of connections that items with values may be.
    async fn kept_values(&self, here: &Here<'_>, items: &[Item]) -> KeptValues {
        let mut kept = KeptValues::default();
        let mut seen = HashSet::new();
        let with_values = items.iter().filter(|item| item.holds_secrets());
        for one in with_values.flat_map(|item| here.beside(item)) {
            if !seen.insert(one.name.clone()) {
                continue;
            }
            let slots = [HandleSlot::Key, HandleSlot::Token];
            for slot in slots.into_iter().chain(HandleSlot::of_added(one)) {
                // Others would ask somebody, or run a program.
                if !matches!(reference(one, &slot), Some((SecretRef::Vault(_), _))) {
                    continue;
                }
                match self.secret(one, &slot).await {
                    Ok(value) => {
                        kept.values.insert((one.name.clone(), slot), value);
                    }
                    Err(WorkError::PassphraseNeeded(_)) => kept.is_locked = true,
                    Err(_) => {}
                }
            }
        }
        kept
    }
}

/// What becomes of each item beside what is here.
fn decide(items: &mut [Item], here: &[Arc<Connection>], kept: &KeptValues, rename: bool) {
    let places = Here::new(here);
    let mut taken = TakenNames::default();
    for one in here {
        taken.insert(one.name.clone());
    }
    let mut filled = HashSet::new();
    for item in items {
        if matches!(item.action, ImportAction::Refused(_)) {
            continue;
        }
        let twins = places.beside(item).iter();
        let twins = twins.filter(|one| kept.is_same(one, item, filled.contains(&one.name)));
        let nearest = |one: &&&Connection| {
            let is_namesake = one.name == item.connection.name;
            (kept.is_key(one, item.key.as_ref()), is_namesake)
        };
        // The first of those that are equally near.
        let twin = twins.rev().max_by_key(nearest);
        item.action = match twin {
            Some(twin) => {
                kept.fill(item, twin, filled.contains(&twin.name));
                ImportAction::Completed(twin.name.clone())
            }
            None if !taken.contains(&item.connection.name) => ImportAction::New,
            None if rename => {
                let wished = item.connection.name.clone();
                item.connection.name = taken.free(&wished);
                item.notes
                    .push(format!("{wished} is another connection's name here"));
                ImportAction::Renamed(wished)
            }
            None => ImportAction::Taken,
        };
        item.settle();
        if item.comes_in() {
            taken.insert(item.connection.name.clone());
            filled.insert(item.connection.name.clone());
        }
    }
}

impl KeptValues {
    /// Whether `here` is what the item would make. Two bearer keys for one URL are two connections, and so are two
    /// references of other names; one that lacks its key is the one that the item's is for.
    fn is_same(&self, here: &Connection, item: &Item, is_filled: bool) -> bool {
        let one = &item.connection;
        let is_told = !one.username.is_empty() || !(item.holds_secrets() || one.key.is_some());
        let lacks = here.key.is_none() && !is_filled;
        let brings_key = item.key.is_some() || one.key.is_some();
        let is_reference = !item.holds_secrets() && (one.key == here.key || one.name == here.name);
        is_told || (brings_key && lacks) || is_reference || self.is_key(here, item.key.as_ref())
    }

    fn is_key(&self, here: &Connection, value: Option<&Secret>) -> bool {
        let key = self.values.get(&(here.name.clone(), HandleSlot::Key));
        key.is_some() && key == value
    }

    /// Leaves of the item what `twin` lacks, and notes what else it brings.
    fn fill(&self, item: &mut Item, twin: &Connection, is_filled: bool) {
        let mut beside = Beside {
            kept: self,
            twin,
            is_filled,
            left: Vec::new(),
        };
        let lacks = twin.key.is_none();
        item.key
            .take_if(|value| !beside.lacks_value(Some(HandleSlot::Key), "key", value, lacks));
        item.connection
            .key
            .take_if(|brought| !beside.lacks_reference(twin.key.as_ref(), "key", brought, lacks));
        // A token is for the site that it was entered for.
        if twin.cms_url == item.connection.cms_url {
            let lacks = twin.token.is_none();
            let slot = twin.token.as_ref().map(|_| HandleSlot::Token);
            item.token
                .take_if(|value| !beside.lacks_value(slot.clone(), "token", value, lacks));
            let here = twin.token.as_ref();
            item.connection
                .token
                .take_if(|brought| !beside.lacks_reference(here, "token", brought, lacks));
        } else if item.token.take().is_some() | item.connection.token.take().is_some() {
            beside.left.push(("token".to_owned(), Unlike::OtherSite));
        }
        let at = |label: &str| twin.added.iter().position(|(known, _)| known == label);
        item.added.retain(|(label, value)| {
            let slot = at(label).map(|_| HandleSlot::Added(label.clone()));
            let lacks = slot.is_none();
            beside.lacks_value(slot, label, value, lacks)
        });
        item.connection.added.retain(|(label, brought)| {
            let here = at(label).and_then(|at| twin.added.get(at));
            let here = here.map(|(_, reference)| reference);
            beside.lacks_reference(here, label, brought, here.is_none())
        });
        item.unlike = beside.said();
        settle_route(item, twin);
        item.connection.name = twin.name.clone();
    }
}

/// What of an item is not taken beside the connection that is here.
struct Beside<'a> {
    kept: &'a KeptValues,
    twin: &'a Connection,
    /// What it lacks has come in already, of the same file.
    is_filled: bool,
    left: Vec<(String, Unlike)>,
}

/// Why a value or a reference of a file is not taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unlike {
    Another,
    Unread,
    OtherReference,
    OtherSite,
}

impl Unlike {
    const ALL: [Self; 4] = [
        Self::Another,
        Self::Unread,
        Self::OtherReference,
        Self::OtherSite,
    ];

    const fn words(self) -> &'static str {
        match self {
            Self::Another => "is another one than here",
            Self::Unread => "was not compared with the one here",
            Self::OtherReference => "is another reference than here",
            Self::OtherSite => "is for another CMS URL than the one here",
        }
    }
}

impl Beside<'_> {
    /// Whether a value is lacking here. One that is not taken is noted, where it is not the one here.
    fn lacks_value(
        &mut self,
        slot: Option<HandleSlot>,
        what: &str,
        value: &Secret,
        lacks: bool,
    ) -> bool {
        if lacks && !self.is_filled {
            return true;
        }
        let here = slot.map(|slot| (self.twin.name.clone(), slot));
        let known = here.as_ref().and_then(|here| self.kept.values.get(here));
        if known != Some(value) {
            let unlike = match (&here, known) {
                (Some(_), None) => Unlike::Unread,
                _ => Unlike::Another,
            };
            self.left.push((what.to_owned(), unlike));
        }
        false
    }

    /// Likewise of a reference. Two entries of vaults or keyrings are each machine's own, whatever they are called.
    fn lacks_reference(
        &mut self,
        here: Option<&SecretRef>,
        what: &str,
        brought: &SecretRef,
        lacks: bool,
    ) -> bool {
        if lacks && !self.is_filled {
            return true;
        }
        let is_own = |one: &SecretRef| matches!(one, SecretRef::Vault(_) | SecretRef::Keyring(_));
        if here.is_some_and(|here| here != brought && !(is_own(here) && is_own(brought))) {
            self.left.push((what.to_owned(), Unlike::OtherReference));
        }
        false
    }

    fn said(&self) -> Option<String> {
        let name = crate::domain::text::shell_word(self.twin.name.as_str());
        let mut sentences = Vec::new();
        for why in Unlike::ALL {
            let of_it = self.left.iter().filter(|(_, unlike)| *unlike == why);
            let whats: Vec<&str> = of_it.map(|(what, _)| what.as_str()).collect();
            let Some(first) = whats.first() else { continue };
            let way_on = match why {
                Unlike::Another | Unlike::Unread => {
                    format!(": `switchboard secret set {name} {first}` takes another")
                }
                Unlike::OtherReference | Unlike::OtherSite => String::new(),
            };
            let (whats, why) = (whats.join(", "), why.words());
            sentences.push(format!(
                "its {whats} in the file {why}, and was left out{way_on}"
            ));
        }
        (!sentences.is_empty()).then(|| sentences.join("; "))
    }
}

/// How the key is sent comes in with the key, where nothing is said of it here. What else the item says of the way to
/// the service is not taken, and noted.
fn settle_route(item: &mut Item, twin: &Connection) {
    let brings_key = item.key.is_some() || item.connection.key.is_some();
    let one = &mut item.connection;
    let mut left = Vec::new();
    if one.auth != twin.auth && !(brings_key && twin.auth == AuthStyle::Auto) {
        if one.auth != AuthStyle::Auto {
            left.push("how its key is sent");
        }
        one.auth = twin.auth;
    }
    if one.proxy.is_some() && one.proxy != twin.proxy {
        left.push("its proxy");
    }
    if one.ca_file.is_some() && one.ca_file != twin.ca_file {
        left.push("its authorities");
    }
    if one.client_cert.is_some() && one.client_cert != twin.client_cert {
        left.push("its client certificate");
    }
    if one.family != AddressFamily::Any && one.family != twin.family {
        left.push("its kind of address");
    }
    if !left.is_empty() {
        let left = left.join(", ");
        item.notes
            .push(format!("not taken, as it is otherwise here: {left}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ServiceId;

    fn connection(name: &str, username: &str) -> Connection {
        let name = Name::parse(name).unwrap();
        Connection {
            username: username.to_owned(),
            ..Connection::new(name, ServiceId::http(), "https://e.com/")
        }
    }

    fn keyed(name: &str, username: &str) -> Arc<Connection> {
        Arc::new(Connection {
            key: Some(SecretRef::Vault(format!("{name}/key"))),
            ..connection(name, username)
        })
    }

    fn item(name: &str, username: &str, key: Option<&str>) -> Item {
        Item {
            key: key.map(Secret::new),
            ..Item::new(Connection {
                url: "https://e.com".to_owned(),
                ..connection(name, username)
            })
        }
    }

    fn kept(values: &[(&str, &str)]) -> KeptValues {
        let entry = |(name, value): &(&str, &str)| {
            let place = (Name::parse(name).unwrap(), HandleSlot::Key);
            (place, Secret::new(*value))
        };
        KeptValues {
            values: values.iter().map(entry).collect(),
            is_locked: false,
        }
    }

    fn completed(name: &str) -> ImportAction {
        ImportAction::Completed(Name::parse(name).unwrap())
    }

    fn is_here(name: &str) -> ImportAction {
        ImportAction::Here(Name::parse(name).unwrap())
    }

    #[test]
    fn what_is_missing_here_is_filled_in_once_and_nothing_is_overwritten() {
        let bare = [Arc::new(connection("a", "me"))];
        let mut items = [item("x", "me", Some("one")), item("y", "me", Some("two"))];
        decide(&mut items, &bare, &kept(&[]), false);
        assert_eq!(items[0].action, completed("a"));
        assert_eq!(items[0].key, Some(Secret::new("one")));
        assert_eq!(items[0].connection.name.as_str(), "a");
        assert_eq!((&items[1].action, &items[1].key), (&is_here("a"), &None));
        let told = items[1].unlike.as_deref().unwrap_or_default();
        assert!(told.contains("was not compared"), "{told}");

        // Of the same user it is the one with the same key that is meant, whatever it is called.
        let twins = [keyed("a", "me"), keyed("b", "me")];
        let both = kept(&[("a", "one"), ("b", "two")]);
        let mut items = [item("a", "me", Some("two"))];
        decide(&mut items, &twins, &both, false);
        assert_eq!((&items[0].action, &items[0].unlike), (&is_here("b"), &None));

        let with_key = [keyed("a", "me")];
        for (value, expected) in [("one", None), ("two", Some("is another one than here"))] {
            let mut items = [item("x", "me", Some(value))];
            decide(&mut items, &with_key, &kept(&[("a", "one")]), false);
            assert_eq!((&items[0].action, &items[0].key), (&is_here("a"), &None));
            let told = items[0].unlike.as_deref();
            assert_eq!(told.is_some(), expected.is_some(), "{told:?}");
            assert!(told.is_none_or(|told| told.contains(expected.unwrap_or_default())));
        }
    }

    #[test]
    fn two_bearer_keys_for_one_url_are_two_connections() {
        let here = [keyed("a", ""), keyed("b", "")];
        let kept = kept(&[("a", "one"), ("b", "two")]);
        for (key, rename, expected) in [
            ("two", false, is_here("b")),
            ("three", false, ImportAction::Taken),
            (
                "three",
                true,
                ImportAction::Renamed(Name::parse("a").unwrap()),
            ),
        ] {
            let mut items = [item("a", "", Some(key))];
            decide(&mut items, &here, &kept, rename);
            assert_eq!(items[0].action, expected);
        }
        // The one that lacks its key gets the first.
        let bare = [Arc::new(connection("a", ""))];
        let mut items = [item("x", "", Some("one")), item("y", "", Some("two"))];
        decide(&mut items, &bare, &KeptValues::default(), false);
        assert_eq!(items[0].action, completed("a"));
        assert_eq!(items[1].action, ImportAction::New);
        // Nobody can tell them apart without a key: the namesake is meant.
        let mut items = [item("b", "", None)];
        decide(&mut items, &here, &kept, false);
        assert_eq!(items[0].action, is_here("b"));
    }

    #[test]
    fn a_token_goes_to_the_site_that_it_is_for() {
        let of = |cms: &str, token: Option<&str>| {
            let mut one = item("a", "me", None);
            one.connection.cms_url = Some(cms.to_owned());
            one.token = token.map(Secret::new);
            one
        };
        let here = [Arc::new(of("https://cms.com", None).connection)];
        for (cms, expected) in [
            ("https://cms.com", completed("a")),
            ("https://other.com", is_here("a")),
        ] {
            let mut items = [of(cms, Some("t0ken"))];
            decide(&mut items, &here, &kept(&[]), false);
            assert_eq!(items[0].action, expected);
            assert_eq!(items[0].token.is_some(), items[0].unlike.is_none());
        }
    }
}
