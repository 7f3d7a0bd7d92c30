//! A person who types, corrects, saves, edits and removes, and the simple model of what they mean.

use proptest::prelude::*;
use switchboard::app::effect::{Effect, StoreEffect, VaultEffect};
use switchboard::app::message::{ProbeMessage, StoreMessage, VaultMessage};
use switchboard::app::model::{Overlay, Question};
use switchboard::app::{Message, Model};
use switchboard::domain::{Name, PassphrasePurpose, Reason};

use super::world::{Kept, World, named, store_needed, verdict};

/// What becomes of a save.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    /// It is saved.
    Well,
    /// It fails; it is tried again.
    Fails,
    /// A store and a passphrase are asked for first.
    Store,
    /// The vault must be opened first.
    Locked,
}

/// One thing that the person does, or that happens meanwhile.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    New,
    Edit(usize),
    /// Into one of the four fields.
    Type(usize, String),
    Erase(usize, usize),
    Clear(usize),
    /// The secrets of the form come, or can't be had.
    Loaded(bool),
    Save(Fate),
    Remove(usize),
    Discard,
    Pause(i64),
    Probed(bool, usize),
    Watched(usize, usize),
    Size(u16, u16),
    Look,
    Order,
    Reload,
}

pub(crate) fn act() -> impl Strategy<Value = Act> {
    let text = |field: usize| {
        match field {
            0 => "[a-z0-9]{1,8}".boxed(),
            1 => "[a-z]{1,6}".boxed(),
            _ => "[A-Z][a-z0-9]{9,14}".boxed(),
        }
        .prop_map(move |text| Act::Type(field, text))
    };
    let fate = prop_oneof![
        Just(Fate::Well),
        Just(Fate::Fails),
        Just(Fate::Store),
        Just(Fate::Locked)
    ];
    prop_oneof![
        2 => Just(Act::New),
        3 => (0_usize..6).prop_map(Act::Edit),
        6 => (0_usize..4).prop_flat_map(text),
        2 => (0_usize..4, 1_usize..5).prop_map(|(field, count)| Act::Erase(field, count)),
        1 => (1_usize..4).prop_map(Act::Clear),
        2 => any::<bool>().prop_map(Act::Loaded),
        4 => fate.prop_map(Act::Save),
        1 => (0_usize..6).prop_map(Act::Remove),
        1 => Just(Act::Discard),
        2 => (0_i64..3_000).prop_map(Act::Pause),
        2 => (any::<bool>(), 0_usize..80).prop_map(|(late, which)| Act::Probed(late, which)),
        1 => (0_usize..6, 0_usize..80).prop_map(|(at, which)| Act::Watched(at, which)),
        1 => (20_u16..160, 6_u16..50).prop_map(|(columns, rows)| Act::Size(columns, rows)),
        1 => Just(Act::Look),
        1 => Just(Act::Order),
        1 => Just(Act::Reload),
    ]
}

/// What stands in the form, as the person knows it.
#[derive(Clone, Debug)]
struct Form {
    editing: Option<String>,
    cursor: usize,
    meant: Kept,
    /// The stored secrets are in their fields.
    loaded: bool,
    /// Key and token were typed into.
    touched: [bool; 2],
    /// Something was done to it.
    dirty: bool,
    /// What it was opened with, where it is of a saved one.
    opened: Option<Kept>,
}

impl Form {
    /// Whether leaving it would lose something: what was typed and taken away again has not changed a saved one, but for
    /// a secret.
    fn is_unsaved(&self) -> bool {
        let as_opened = self.opened.as_ref() == Some(&self.meant) && self.touched == [false; 2];
        self.dirty && !as_opened
    }
}

/// The person.
#[derive(Debug, Default)]
pub(crate) struct Person {
    form: Option<Form>,
    /// How often something was saved.
    pub(crate) saves: usize,
}

impl Person {
    pub(crate) fn does(&mut self, world: &mut World, act: &Act) {
        match act {
            Act::New => self.opens_new(world),
            Act::Edit(at) => self.edits(world, *at),
            Act::Type(field, text) => self.types(world, *field, text),
            Act::Erase(field, count) => self.erases(world, *field, *count),
            Act::Clear(field) => self.clears(world, *field),
            Act::Loaded(well) => self.hears_secrets(world, *well),
            Act::Save(fate) => self.saves(world, *fate),
            Act::Remove(at) => self.removes(world, *at),
            Act::Discard => self.discards(world),
            Act::Pause(time) => world.wait(*time),
            Act::Probed(late, which) => world.probe_answers(*late, reason(*which)),
            Act::Watched(at, which) => {
                let name = named(&format!("shop-{at}"));
                world.send(Message::Probe(ProbeMessage::WatchStarted(name.clone())));
                world.send(Message::Probe(ProbeMessage::Watched(Box::new(verdict(
                    Some(name),
                    reason(*which),
                )))));
            }
            Act::Size(columns, rows) => world.send(Message::Resized(*columns, *rows)),
            Act::Look => world.keys("alt-? esc alt-: esc"),
            Act::Order => world.keys(if self.form.is_some() { "alt-s" } else { "s" }),
            Act::Reload => world.reload(),
        }
        declines_questions(world);
    }

    /// Nothing of what was meant is lost at the end: what is not saved is asked about.
    pub(crate) fn leaves(&mut self, world: &mut World) {
        let dirty = self.form.as_ref().is_some_and(Form::is_unsaved);
        world.wait(1_000);
        world.keys("alt-q");
        if self.form.is_none() {
            world.keys("q");
        }
        let asks = matches!(
            &world.model.overlay,
            Some(Overlay::Confirm(Question::QuitUnsaved))
        );
        assert_eq!(asks, dirty, "{:?}", self.form);
    }

    fn opens_new(&mut self, world: &mut World) {
        if self.form.is_some() {
            return;
        }
        world.keys("n");
        self.form = Some(Form {
            editing: None,
            cursor: 0,
            meant: Kept::default(),
            loaded: true,
            touched: [false; 2],
            dirty: false,
            opened: None,
        });
        let url = format!("https://n{}.example.com", self.saves);
        self.types(world, 0, &url);
    }

    /// Moves the selection to the connection at `at` of the disk, in the list.
    fn selects(world: &mut World, at: usize) -> Option<String> {
        let name = world.disk.keys().nth(at % world.disk.len().max(1))?.clone();
        world.keys("home");
        for _ in 0..world.disk.len() {
            if world.model.list.selected.as_ref().map(Name::as_str) == Some(&name) {
                return Some(name);
            }
            world.keys("down");
        }
        panic!("{name} can't be reached");
    }

    fn edits(&mut self, world: &mut World, at: usize) {
        if self.form.is_some() {
            return;
        }
        let Some(name) = Self::selects(world, at) else {
            return;
        };
        world.keys("e");
        let kept = world.disk[&name].clone();
        let opened = kept.clone();
        let stored = kept.key.is_some() || kept.token.is_some();
        let cursor = world.model.form.as_ref().expect("it is open").cursor;
        self.form = Some(Form {
            editing: Some(name),
            cursor,
            meant: kept,
            loaded: !stored,
            touched: [false; 2],
            dirty: false,
            opened: Some(opened),
        });
    }

    fn goes_to(&mut self, world: &mut World, field: usize) {
        let Some(form) = &mut self.form else { return };
        while form.cursor != field {
            world.keys(if form.cursor < field {
                "tab"
            } else {
                "shift-tab"
            });
            form.cursor = if form.cursor < field {
                form.cursor + 1
            } else {
                form.cursor - 1
            };
            if let Some(Overlay::Confirm(Question::SendKeyTo(_))) = &world.model.overlay {
                world.wait(1_000);
                world.keys("n");
            }
        }
        world.keys("end");
    }

    fn types(&mut self, world: &mut World, field: usize, text: &str) {
        let Some(form) = &self.form else { return };
        // The host stays: whether a key may go to another one is a matter of its own.
        let text = match field {
            0 if form.dirty || form.editing.is_some() => format!("/{text}"),
            _ => text.to_owned(),
        };
        self.goes_to(world, field);
        let Some(form) = &mut self.form else { return };
        if field >= 2 {
            // Whatever is typed behind a stored value that was not loaded replaces it.
            if !form.loaded && !form.touched[field - 2] {
                form.set(field, "");
            }
            form.touched[field - 2] = true;
        }
        let whole = form.get(field) + &text;
        if field >= 2 {
            world.secrets.push(whole.clone());
        }
        form.set(field, &whole);
        form.dirty = true;
        world.types(&text);
    }

    fn erases(&mut self, world: &mut World, field: usize, count: usize) {
        let Some(form) = &self.form else { return };
        let (text, touched) = (form.get(field), field >= 2 && form.touched[field - 2]);
        let there = field < 2 || form.loaded || touched;
        // Not into the host, and nothing where nothing is seen.
        let floor = if field == 0 { 26 } else { 0 };
        if !there || text.len() < floor + count || text.is_empty() {
            return;
        }
        self.goes_to(world, field);
        for _ in 0..count {
            world.keys("backspace");
        }
        let Some(form) = &mut self.form else { return };
        form.set(field, &text[..text.len() - count]);
        form.dirty = true;
        if field >= 2 {
            form.touched[field - 2] = true;
        }
    }

    fn clears(&mut self, world: &mut World, field: usize) {
        let Some(form) = &self.form else { return };
        let touched = field >= 2 && form.touched[field - 2];
        if form.get(field).is_empty() || !(field < 2 || form.loaded || touched) {
            return;
        }
        self.goes_to(world, field);
        world.keys("ctrl-u");
        let Some(form) = &mut self.form else { return };
        form.set(field, "");
        form.dirty = true;
        if field >= 2 {
            form.touched[field - 2] = true;
        }
    }

    fn hears_secrets(&mut self, world: &mut World, well: bool) {
        let name = world.secrets_answer(well);
        if let (Some(name), Some(form)) = (name, &mut self.form)
            && well
            && form.editing.as_ref() == Some(&name)
        {
            form.loaded = true;
        }
    }

    fn saves(&mut self, world: &mut World, fate: Fate) {
        let Some(form) = self.form.clone() else {
            return;
        };
        world.wait(1_000);
        declines_questions(world);
        world.keys("ctrl-s");
        if let Some(Overlay::Confirm(Question::SaveAllTheSame)) = &world.model.overlay {
            world.wait(1_000);
            world.keys("y");
        }
        let fates: &[Fate] = match fate {
            Fate::Well => &[Fate::Well],
            Fate::Fails => &[Fate::Fails],
            Fate::Store => &[Fate::Store, Fate::Well],
            Fate::Locked => &[Fate::Locked, Fate::Well],
        };
        for fate in fates {
            form.is_saved(world, *fate);
        }
        if world.model.form.is_some() {
            return;
        }
        world.reload();
        let names: Vec<String> = world.disk.keys().cloned().collect();
        let shown = world.model.entries.names().map(ToString::to_string);
        let mut shown: Vec<String> = shown.collect();
        shown.sort();
        assert_eq!(shown, names);
        self.form = None;
        self.saves += 1;
    }

    fn removes(&mut self, world: &mut World, at: usize) {
        if self.form.is_some() {
            return;
        }
        let Some(name) = Self::selects(world, at) else {
            return;
        };
        world.keys("d");
        world.wait(1_000);
        world.keys("y");
        let asked = world.take(|effect| match effect {
            Effect::Store(StoreEffect::Remove(name)) => Some(name.to_string()),
            _ => None,
        });
        assert_eq!(asked.as_ref(), Some(&name));
        world.disk.remove(&name);
        world.send(Message::Store(StoreMessage::Removed(named(&name), 0)));
        assert!(!world.model.entries.contains(&named(&name)));
    }

    /// Esc leaves an untouched form; a draft is thrown away only after a question.
    fn discards(&mut self, world: &mut World) {
        let Some(form) = self.form.take() else { return };
        world.keys("esc");
        declines_questions(world);
        if !form.is_unsaved() {
            assert!(world.model.form.is_none(), "{:?}", world.model.form);
            return;
        }
        assert!(world.model.form.is_some(), "the draft is kept");
        world.keys(":");
        world.types("discard");
        world.keys("enter");
        world.wait(1_000);
        world.keys("y");
        assert!(world.model.form.is_none(), "{:?}", world.model.overlay);
    }
}

impl Form {
    /// What is asked to be saved is what is meant; then it goes as `fate` says.
    fn is_saved(&self, world: &mut World, fate: Fate) {
        let save = world.take(|effect| match effect {
            Effect::Store(StoreEffect::Save {
                draft, replaces, ..
            }) => Some((draft.clone(), replaces.clone())),
            _ => None,
        });
        let Some((draft, replaces)) = save else {
            let Model {
                notice, overlay, ..
            } = &world.model;
            panic!("nothing is saved of {self:?}: {notice:?} {overlay:?}");
        };
        assert_eq!(replaces.as_ref().map(Name::as_str), self.editing.as_deref());
        // What is typed now is not taken, since it would be lost.
        world.types("zz");
        match fate {
            Fate::Fails => world.send(Message::Store(StoreMessage::SaveFailed(
                "the disk is full".to_owned(),
            ))),
            Fate::Store => {
                world.send(store_needed());
                world.wait(1_000);
                world.keys("enter");
            }
            Fate::Locked => {
                world.send(Message::Vault(VaultMessage::PassphraseNeeded(
                    PassphrasePurpose::Open,
                )));
                world.secrets.push("OPENsesame999".to_owned());
                world.types("OPENsesame999");
                world.keys("enter");
                let unlock = world.take(|effect| {
                    matches!(effect, Effect::Vault(VaultEffect::Unlock { .. })).then_some(())
                });
                assert!(unlock.is_some(), "the passphrase was not taken");
                world.send(Message::Vault(VaultMessage::Unlocked));
            }
            Fate::Well => {
                let kept = world.put(&draft, replaces.as_ref());
                assert_eq!(kept, self.meant, "what was saved is not what was meant");
                let connection = world.connection(draft.connection.name.as_str());
                world.send(Message::Store(StoreMessage::Saved(
                    Box::new(connection.clone()),
                    0,
                )));
                let entry = &world.model.entries[&connection.name];
                assert_eq!(*entry.connection, connection);
                assert!(world.model.form.is_none(), "the form is closed");
            }
        }
    }

    fn get(&self, field: usize) -> String {
        let Kept {
            url,
            username,
            key,
            token,
            further: _,
        } = &self.meant;
        match field {
            0 => url.clone(),
            1 => username.clone(),
            2 => key.clone().unwrap_or_default(),
            _ => token.clone().unwrap_or_default(),
        }
    }

    fn set(&mut self, field: usize, text: &str) {
        let secret = || (!text.is_empty()).then(|| text.to_owned());
        match field {
            0 => text.clone_into(&mut self.meant.url),
            1 => text.clone_into(&mut self.meant.username),
            2 => self.meant.key = secret(),
            _ => self.meant.token = secret(),
        }
    }
}

fn reason(which: usize) -> Reason {
    Reason::ALL[which % Reason::ALL.len()]
}

/// Questions that stand in the way: whether a key may go to a new host. It may not.
fn declines_questions(world: &mut World) {
    if let Some(Overlay::Confirm(Question::SendKeyTo(_))) = &world.model.overlay {
        world.wait(1_000);
        world.keys("n");
    }
}
