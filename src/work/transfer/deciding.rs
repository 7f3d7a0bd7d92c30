//! What becomes of what a file brings, beside what is here: nothing that is here is overwritten, and what is missing
//! here is filled in.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{ImportAction, Incoming, Item, refuse_labels};
use crate::domain::{Connection, Endpoint, Name, Secret, SecretRef, error_chain};
use crate::service::import::TakenNames;
use crate::store::transfer;
use crate::work::core::Core;
use crate::work::draft::SecretSlot;
use crate::work::error::WorkError;
use crate::work::secrets::reference;

/// Values of connections here that a file may bring too, as far as they can be read without asking anybody.
#[derive(Debug, Default)]
struct KeptValues {
    values: HashMap<(Name, SecretSlot), Secret>,
    /// One of them is in a vault that is locked.
    is_locked: bool,
}

/// What is here, by where it goes.
struct Here<'a> {
    by_place: HashMap<(String, String, String), Vec<&'a Connection>>,
}

/// Service, URL and user name: what makes two connections one.
fn place(connection: &Connection) -> (String, String, String) {
    (
        connection.service.to_string(),
        connection.url.trim_end_matches('/').to_owned(),
        connection.username.clone(),
    )
}

impl<'a> Here<'a> {
    fn new(here: &'a [Arc<Connection>]) -> Self {
        let mut by_place: HashMap<_, Vec<&Connection>> = HashMap::new();
        for one in here {
            by_place.entry(place(one)).or_default().push(one);
        }
        Self { by_place }
    }

    fn beside(&self, item: &Item) -> &[&'a Connection] {
        let found = self.by_place.get(&place(&item.connection));
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
        transfer::export(std::slice::from_ref(connection))
            .map_err(|problem| WorkError::failed("saving", problem))?;
        // It can be described and mended later.
        if let Err(problem) = self.service_of(connection).await {
            item.notes.push(error_chain(&problem));
        }
        if let Err(problem) = Endpoint::parse(&item.connection.url) {
            item.notes.push(format!("its URL is none: {problem}"));
        }
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
            let slots = [SecretSlot::Key, SecretSlot::Token];
            let added = (0..one.added.len()).map(SecretSlot::Added);
            for slot in slots.into_iter().chain(added) {
                // Others would ask somebody, or run a program.
                if !matches!(reference(one, slot), Some((SecretRef::Vault(_), _))) {
                    continue;
                }
                match self.secret(one, slot).await {
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
                filled.insert(twin.name.clone());
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
        }
    }
}

impl KeptValues {
    /// Whether `here` is what the item would make. Two bearer keys for one URL are two connections; one that lacks its
    /// key is the one that the item's is for.
    fn is_same(&self, here: &Connection, item: &Item, is_filled: bool) -> bool {
        let is_told = !item.connection.username.is_empty() || !item.holds_secrets();
        let lacks = here.key.is_none() && !is_filled;
        is_told || (item.key.is_some() && lacks) || self.is_key(here, item.key.as_ref())
    }

    fn is_key(&self, here: &Connection, value: Option<&Secret>) -> bool {
        let key = self.values.get(&(here.name.clone(), SecretSlot::Key));
        key.is_some() && key == value
    }

    /// Leaves of the item what `twin` lacks, and notes what else it brings.
    fn fill(&self, item: &mut Item, twin: &Connection, is_filled: bool) {
        let mut left = Vec::new();
        let mut is_compared = true;
        let mut keeps = |slot: Option<SecretSlot>, what: &str, value: Option<&Secret>, lacks| {
            if lacks && !is_filled {
                return true;
            }
            let known = slot.and_then(|slot| self.values.get(&(twin.name.clone(), slot)));
            if value.is_some() && known != value {
                left.push(what.to_owned());
                is_compared &= known.is_some() || slot.is_none();
            }
            false
        };
        let lacks = twin.key.is_none();
        item.key
            .take_if(|value| !keeps(Some(SecretSlot::Key), "key", Some(value), lacks));
        item.connection
            .key
            .take_if(|_| !keeps(Some(SecretSlot::Key), "key", None, lacks));
        // A token is for the site that it was entered for.
        let lacks = twin.token.is_none() && twin.cms_url == item.connection.cms_url;
        let slot = twin.token.as_ref().map(|_| SecretSlot::Token);
        item.token
            .take_if(|value| !keeps(slot, "token", Some(value), lacks));
        item.connection
            .token
            .take_if(|_| !keeps(slot, "token", None, lacks));
        let slot = |label: &str| {
            let at = twin.added.iter().position(|(known, _)| known == label);
            at.map(SecretSlot::Added)
        };
        item.added.retain(|(label, value)| {
            let slot = slot(label);
            keeps(slot, label, Some(value), slot.is_none())
        });
        item.connection.added.retain(|(label, _)| {
            let slot = slot(label);
            keeps(slot, label, None, slot.is_none())
        });
        item.unlike = (!left.is_empty()).then(|| {
            let (what, name) = (left.join(", "), &twin.name);
            let name = crate::domain::text::shell_word(name.as_str());
            let first = left.first().map_or("key", String::as_str);
            let why = if is_compared {
                "is another one than here"
            } else {
                "was not compared with the one here"
            };
            format!(
                "its {what} in the file {why}, and was left out: `switchboard secret set {name} {first}` takes another"
            )
        });
        item.connection.name = twin.name.clone();
    }
}
