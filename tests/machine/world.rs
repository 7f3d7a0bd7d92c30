//! The screen and what is outside of it: a disk with connections and secrets, probes that answer late, a
//! clock, and an eye on every frame.

use std::collections::BTreeMap;

use crossterm::event::{KeyCode, KeyEvent};
use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use switchboard::app::effect::{
    ClipboardEffect, Effect, ProbeEffect, StoreEffect, Target, TerminalEffect, VaultEffect,
};
use switchboard::app::keymap::KeyPress;
use switchboard::app::message::{
    ClipboardMessage, Copied, Loaded, ProbeMessage, StoreMessage, StoreOffer, VaultMessage,
};
use switchboard::app::model::{FieldText, ListedConnection, ProbeState};
use switchboard::app::{Draft, Message, Model, SecretInput, hints};
use switchboard::domain::{
    AnsweredBy, Cause, CheckId, Checks, Connection, Endpoint, Handle, Name, PassphrasePurpose,
    Phases, Reason, Remedy, Secret, SecretRef, ServiceId, State, Verdict, Who,
};
use switchboard::ui::{Theme, draw};

/// What is kept outside: a connection, and the values behind its references.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) url: String,
    pub(crate) username: String,
    pub(crate) key: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) further: Further,
}

/// What nobody types into here: an edit leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Further {
    tags: Vec<String>,
    note: String,
    company: Option<String>,
    cms_url: Option<String>,
    interval_s: Option<u32>,
    timeout_s: Option<u32>,
    proxy: Option<String>,
    read_only: bool,
}

impl Further {
    /// Every second connection has all of it.
    fn of_number(at: usize) -> Self {
        if at.is_multiple_of(2) {
            return Self::default();
        }
        Self {
            tags: vec!["eu".to_owned(), "live".to_owned()],
            note: "by the other".to_owned(),
            company: Some("7".to_owned()),
            cms_url: Some("https://cms.example.com".to_owned()),
            interval_s: Some(300),
            timeout_s: Some(7),
            proxy: Some("http://127.0.0.1:9".to_owned()),
            read_only: true,
        }
    }

    fn of(connection: &Connection) -> Self {
        Self {
            tags: connection.tags.clone(),
            note: connection.note.clone(),
            company: connection.company.clone(),
            cms_url: connection.cms_url.clone(),
            interval_s: connection.interval_s,
            timeout_s: connection.timeout_s,
            proxy: connection.proxy.clone(),
            read_only: connection.read_only,
        }
    }

    fn onto(&self, connection: &mut Connection) {
        connection.tags.clone_from(&self.tags);
        connection.note.clone_from(&self.note);
        connection.company.clone_from(&self.company);
        connection.cms_url.clone_from(&self.cms_url);
        connection.interval_s = self.interval_s;
        connection.timeout_s = self.timeout_s;
        connection.proxy.clone_from(&self.proxy);
        connection.read_only = self.read_only;
    }
}

/// The screen, and the world around it.
pub(crate) struct World {
    pub(crate) model: Model,
    pub(crate) now: Timestamp,
    /// What is saved, by name.
    pub(crate) disk: BTreeMap<String, Kept>,
    /// What the screen has asked for and has not been answered.
    pub(crate) asked: Vec<Effect>,
    /// Everything that must never be seen, but where it was asked for.
    pub(crate) secrets: Vec<String>,
    /// Until when a handle may be in the open.
    pub(crate) open_until: Option<Timestamp>,
    /// The generation of the last probe of each target.
    last: BTreeMap<String, u64>,
    ended: bool,
}

pub(crate) fn named(name: &str) -> Name {
    Name::parse(name).unwrap()
}

impl World {
    /// With so many connections, each with a key.
    pub(crate) fn new(count: usize) -> Self {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let disk: BTreeMap<String, Kept> = (0..count)
            .map(|at| {
                let kept = Kept {
                    url: format!("https://h{at}.example.com"),
                    username: format!("apialice{at}"),
                    key: Some(format!("STORED{at}{at}{at}keykeykey")),
                    token: (at % 2 == 1).then(|| format!("STORED{at}{at}{at}toktoktok")),
                    further: Further::of_number(at),
                };
                (format!("shop-{at}"), kept)
            })
            .collect();
        let mut world = Self {
            model: Model::new((100, 30), now),
            now,
            secrets: disk
                .values()
                .flat_map(|one| [one.key.clone(), one.token.clone()])
                .flatten()
                .collect(),
            disk,
            asked: Vec::new(),
            open_until: None,
            last: BTreeMap::new(),
            ended: false,
        };
        world.asked = world.model.start();
        world.asked.clear();
        world.reload();
        world
    }

    /// The connection of that name as the configuration has it.
    pub(crate) fn connection(&self, name: &str) -> Connection {
        let kept = &self.disk[name];
        let mut connection = Connection::new(named(name), ServiceId::blesta(), &kept.url);
        connection.username.clone_from(&kept.username);
        let reference = |what: &str| Some(SecretRef::Vault(format!("{name}/{what}")));
        connection.key = kept.key.as_ref().and_then(|_| reference("key"));
        connection.token = kept.token.as_ref().and_then(|_| reference("token"));
        kept.further.onto(&mut connection);
        connection
    }

    /// Another program changed something, or it is the beginning.
    pub(crate) fn reload(&mut self) {
        let connections = self
            .disk
            .keys()
            .map(|name| self.connection(name).into())
            .collect();
        self.send(Message::ConfigurationLoaded(Box::new(Loaded {
            connections,
            clipboard_clear_s: 20,
            lock_after_min: 15,
            ..Loaded::default()
        })));
    }

    /// Hears `message`, and looks at the screen.
    pub(crate) fn send(&mut self, message: Message) {
        if self.ended {
            return;
        }
        let effects = self.model.update(self.now, message);
        for effect in &effects {
            match effect {
                Effect::Probe(ProbeEffect::Start {
                    target, generation, ..
                }) => self.began(target, *generation),
                Effect::Terminal(TerminalEffect::End(_)) => self.ended = true,
                // A newer question ends the older one.
                Effect::Store(StoreEffect::LoadSecrets(_)) => self
                    .asked
                    .retain(|asked| !matches!(asked, Effect::Store(StoreEffect::LoadSecrets(_)))),
                _ => {}
            }
        }
        self.asked.extend(effects);
        self.look();
    }

    /// A newer probe has a higher generation than every older one of its target.
    fn began(&mut self, target: &Target, generation: u64) {
        let before = self.last.insert(format!("{target:?}"), generation);
        assert!(
            before.is_none_or(|before| before < generation),
            "{target:?} {generation} after {before:?}"
        );
    }

    /// Keys by their names. A person has looked at the screen before each.
    pub(crate) fn keys(&mut self, names: &str) {
        for name in names.split_whitespace() {
            let press = KeyPress::parse(name).unwrap_or_else(|| panic!("{name} is no key"));
            self.model.drawn(self.now - SignedDuration::from_secs(1));
            self.model.answered = None;
            self.press(press);
        }
    }

    pub(crate) fn types(&mut self, text: &str) {
        for c in text.chars() {
            self.press(KeyPress::plain(KeyCode::Char(c)));
        }
    }

    pub(crate) fn press(&mut self, press: KeyPress) {
        let event = KeyEvent::new(press.code, press.modifiers);
        let message = if self.model.takes_secret() {
            Message::SecretInput(SecretInput::Key(event))
        } else {
            Message::Key(event)
        };
        self.send(message);
    }

    pub(crate) fn pastes(&mut self, text: &str) {
        let message = if self.model.takes_secret() {
            Message::SecretInput(SecretInput::Paste(Secret::new(text)))
        } else {
            Message::Pasted(text.to_owned())
        };
        self.send(message);
    }

    /// Time goes by; the model is woken when it asked to be.
    pub(crate) fn wait(&mut self, milliseconds: i64) {
        let end = self.now + SignedDuration::from_millis(milliseconds);
        let mut wakes = 0;
        while let Some(wake) = self.model.next_wake().filter(|wake| *wake <= end) {
            self.now = self.now.max(wake);
            self.send(Message::Woke);
            wakes += 1;
            assert!(wakes < 10_000, "the model never rests");
            if self.ended {
                break;
            }
        }
        self.now = end;
        self.look();
    }

    /// Takes the newest thing asked for that `is` one of a kind.
    pub(crate) fn take<T>(&mut self, is: impl Fn(&Effect) -> Option<T>) -> Option<T> {
        let at = self.asked.iter().rposition(|effect| is(effect).is_some())?;
        is(&self.asked.remove(at))
    }

    /// Whether `message` changes nothing at all.
    pub(crate) fn assert_dropped(&mut self, message: Message) {
        let before = format!(
            "{:?} {:?} {:?}",
            self.model.entries, self.model.form, self.model.list
        );
        let asked = self.asked.len();
        self.send(message);
        let after = format!(
            "{:?} {:?} {:?}",
            self.model.entries, self.model.form, self.model.list
        );
        assert!(before == after, "a late answer counted:\n{before}\n{after}");
        assert_eq!(self.asked.len(), asked, "a late answer asked for something");
    }

    /// The answer of a probe: to the one that counts, or a late one of an older generation, which is dropped.
    pub(crate) fn probe_answers(&mut self, late: bool, reason: Reason) {
        let probes: Vec<(Target, u64)> = self
            .asked
            .iter()
            .filter_map(|effect| match effect {
                Effect::Probe(ProbeEffect::Start {
                    target, generation, ..
                }) => Some((target.clone(), *generation)),
                _ => None,
            })
            .collect();
        let newest = |target: &Target| self.last[&format!("{target:?}")];
        let found = probes
            .iter()
            .rev()
            .find(|(target, generation)| (*generation < newest(target)) == late);
        let Some((target, generation)) = found.cloned() else {
            return;
        };
        self.asked.retain(|effect| !matches!(effect, Effect::Probe(ProbeEffect::Start { target: t, generation: g, .. }) if *t == target && *g == generation));
        let name = match &target {
            Target::Saved(name) => Some(name.clone()),
            Target::Draft => None,
        };
        let message = Message::Probe(ProbeMessage::Finished {
            target,
            generation,
            verdict: Box::new(verdict(name, reason)),
        });
        if late {
            self.assert_dropped(message);
        } else {
            self.send(message);
        }
    }

    /// Saves `draft` as the store would: what was not changed is kept, what was emptied is taken out.
    pub(crate) fn put(&mut self, draft: &Draft, replaces: Option<&Name>) -> Kept {
        let old = replaces.and_then(|name| self.disk.remove(name.as_str()));
        let changed = |changed: bool, value: &Option<Secret>, old: Option<String>| {
            if !changed {
                return old;
            }
            value
                .as_ref()
                .filter(|value| !value.is_empty())
                .map(|value| value.expose().to_owned())
        };
        let (old_key, old_token) = old.map_or((None, None), |old| (old.key, old.token));
        let kept = Kept {
            url: draft.connection.url.clone(),
            username: draft.connection.username.clone(),
            key: changed(draft.key_changed, &draft.key, old_key),
            token: changed(draft.token_changed, &draft.token, old_token),
            further: Further::of(&draft.connection),
        };
        let secrets = [&kept.key, &kept.token].into_iter().flatten().cloned();
        self.secrets.extend(secrets);
        self.disk
            .insert(draft.connection.name.to_string(), kept.clone());
        kept
    }

    /// The stored secrets come, or a sentence why not.
    pub(crate) fn secrets_answer(&mut self, well: bool) -> Option<String> {
        let name = self.take(|effect| match effect {
            Effect::Store(StoreEffect::LoadSecrets(name)) => Some(name.clone()),
            _ => None,
        })?;
        let kept = self.disk.get(name.as_str()).cloned().unwrap_or_default();
        let secret = |value: &Option<String>| {
            if well {
                Ok(value.as_ref().map(|value| Secret::new(value.as_str())))
            } else {
                Err(Cause::new("the vault is locked"))
            }
        };
        let origin = Endpoint::parse(&kept.url)
            .ok()
            .map(|endpoint| endpoint.origin());
        self.send(Message::Store(StoreMessage::SecretsLoaded {
            name: name.clone(),
            key: secret(&kept.key),
            key_origin: origin.filter(|_| well),
            token: secret(&kept.token),
        }));
        Some(name.to_string())
    }

    /// Every handle that was asked for comes.
    pub(crate) fn reveal_all(&mut self) {
        while let Some((name, slot)) = self.take(|effect| match effect {
            Effect::Reveal(name, slot) => Some((name.clone(), slot.clone())),
            _ => None,
        }) {
            if self.model.lock.is_locked() {
                self.send(Message::Vault(VaultMessage::PassphraseNeeded(
                    PassphrasePurpose::Open,
                )));
                continue;
            }
            let kept = self.disk.get(name.as_str()).cloned().unwrap_or_default();
            let value = kept.key.unwrap_or_else(|| "none".to_owned());
            let result = Ok(Handle::plain(Secret::new(value)));
            // Until the answer came nothing is in the open; from then on for ten seconds.
            self.open_until = Some(self.now + SignedDuration::from_secs(10));
            self.send(Message::Revealed { name, slot, result });
        }
    }

    /// Answers whatever was asked for last.
    pub(crate) fn answer(&mut self, well: bool, which: u8) {
        let no = || "it did not work".to_owned();
        let Some(effect) = self.asked.pop() else {
            return;
        };
        let message = match effect {
            Effect::Probe(ProbeEffect::Start { .. })
            | Effect::Store(StoreEffect::LoadSecrets(_))
            | Effect::Reveal(..) => {
                self.asked.push(effect);
                self.secrets_answer(well);
                self.reveal_all();
                let reason = Reason::ALL[usize::from(which) % Reason::ALL.len()];
                return self.probe_answers(false, reason);
            }
            Effect::Store(effect) => self.store_answers(effect, well, which),
            Effect::Vault(VaultEffect::Unlock { .. }) if well => {
                Message::Vault(VaultMessage::Unlocked)
            }
            Effect::Vault(VaultEffect::Unlock { .. }) => {
                Message::Vault(VaultMessage::UnlockFailed(no()))
            }
            Effect::Vault(VaultEffect::Lock) => Message::Vault(VaultMessage::Locked),
            Effect::Clipboard(ClipboardEffect::CopyHandle { .. }) if which.is_multiple_of(3) => {
                Message::Vault(VaultMessage::PassphraseNeeded(PassphrasePurpose::Open))
            }
            Effect::Clipboard(
                ClipboardEffect::CopyHandle { .. } | ClipboardEffect::CopyText(_),
            ) => Message::Clipboard(ClipboardMessage::Copied(Copied {
                words: "→ your terminal".to_owned(),
                placed: well,
                clears_in_s: Some(20),
            })),
            Effect::Clipboard(ClipboardEffect::Clear) => {
                Message::Clipboard(ClipboardMessage::Cleared("cleared".to_owned()))
            }
            Effect::Probe(ProbeEffect::Resume(name)) => Message::Probe(ProbeMessage::Resumed(name)),
            Effect::Probe(ProbeEffect::ResumeDraft(_)) => {
                Message::Probe(ProbeMessage::DraftResumed)
            }
            Effect::LoadConfiguration | Effect::RereadConfiguration => return self.reload(),
            _ => return,
        };
        self.send(message);
    }

    fn store_answers(&mut self, effect: StoreEffect, well: bool, which: u8) -> Message {
        let no = || "it did not work".to_owned();
        Message::Store(match effect {
            StoreEffect::Save {
                draft, replaces, ..
            } if well => {
                self.put(&draft, replaces.as_ref());
                let name = draft.connection.name.as_str();
                StoreMessage::Saved(Box::new(self.connection(name)), 0)
            }
            StoreEffect::Remove(name) if well => {
                self.disk.remove(name.as_str());
                StoreMessage::Removed(name, 0)
            }
            StoreEffect::DateHandles(asked) => {
                let now = self.now;
                StoreMessage::HandlesDated(asked.into_iter().map(|one| (one, now)).collect())
            }
            StoreEffect::Remove(_) | StoreEffect::RemoveToken { .. } => {
                StoreMessage::RemoveFailed(no())
            }
            StoreEffect::Save { .. }
            | StoreEffect::AddToken { .. }
            | StoreEffect::LoadSecrets(_) => match which % 4 {
                0 => StoreMessage::SaveFailed(no()),
                1 => return store_needed(),
                2 => {
                    return Message::Vault(VaultMessage::PassphraseNeeded(PassphrasePurpose::Open));
                }
                _ => {
                    return Message::Vault(VaultMessage::PassphraseNeeded(
                        PassphrasePurpose::Create,
                    ));
                }
            },
        })
    }

    pub(crate) fn forget_that_it_is_shown(&mut self) {
        self.open_until = None;
    }

    /// Looks at the screen as somebody behind the person would, and at what must always hold.
    pub(crate) fn look(&self) {
        self.selection_holds();
        self.probes_are_the_last_ones();
        self.all_are_counted();
        let (columns, rows) = self.model.size;
        let Ok(mut terminal) = Terminal::new(TestBackend::new(columns, rows));
        let theme = Theme::default();
        let Ok(_) = terminal.draw(|frame| draw(&self.model, &theme, frame));
        let screen: String = terminal
            .backend()
            .buffer()
            .content()
            .iter()
            .map(ratatui::buffer::Cell::symbol)
            .collect();
        let asked_for = self.open_until.is_some_and(|until| self.now <= until);
        let may_be_open = asked_for && !self.model.war_room && !self.model.lock.is_locked();
        let in_the_form = self
            .model
            .form
            .as_ref()
            .is_some_and(|form| form.shown.is_some());
        if !may_be_open && !in_the_form {
            // What was saved of a key that was hardly begun, "ec" or "shop", stands in many a word.
            for secret in self.secrets.iter().filter(|secret| secret.len() > 5) {
                assert!(
                    !screen.contains(secret),
                    "{secret} is on the screen:\n{}",
                    terminal.backend()
                );
            }
        }
        if self.model.war_room {
            assert!(self.model.revealed.is_none());
            for (name, kept) in &self.disk {
                let host = kept.url.trim_start_matches("https://");
                for secret in [name.as_str(), host, kept.username.as_str()] {
                    assert!(
                        secret.len() < 6 || !screen.contains(secret),
                        "{secret} is seen in the war-room:\n{}",
                        terminal.backend()
                    );
                }
            }
        }
    }

    fn selection_holds(&self) {
        let model = &self.model;
        match &model.list.selected {
            Some(name) => {
                let row = model
                    .list
                    .row()
                    .unwrap_or_else(|| panic!("{name} is selected and not there"));
                assert!(model.entries.contains(name));
                let shown = model.list.offset..model.list.offset + model.list_rows();
                assert!(shown.contains(&row), "{row} in {shown:?}");
            }
            None => assert!(
                model.list.visible.is_empty(),
                "nothing is selected of {:?}",
                model.list.visible
            ),
        }
        let Some(form) = &model.form else { return };
        assert!(form.cursor < form.shown_fields());
        for field in &form.fields {
            match &field.text {
                FieldText::Plain(input) => {
                    assert!(input.cursor() <= input.value().chars().count());
                    assert!(!input.value().chars().any(char::is_control));
                }
                FieldText::Secret(secret) => {
                    assert_eq!(secret.mirror.value().chars().count(), secret.value.length());
                }
            }
        }
        hints::footer(model);
        hints::help(model);
    }

    /// What the title counts is what is there.
    fn all_are_counted(&self) {
        let entries = &self.model.entries;
        let counts = entries.counts(&[], self.model.now);
        let count = |is: &dyn Fn(&ListedConnection) -> bool| {
            entries.values().filter(|entry| is(entry)).count()
        };
        assert_eq!(counts.paused, count(&|entry| entry.connection.paused));
        let planned = |entry: &ListedConnection| {
            let mut windows = entry.connection.maintenance.iter();
            entry.state() != State::Ok
                && windows.any(|window| window.until(self.model.now).is_some())
        };
        assert_eq!(
            counts.planned,
            count(&|entry| !entry.connection.paused && planned(entry))
        );
        for state in State::ALL {
            let stands = |entry: &ListedConnection| {
                !entry.connection.paused && entry.state() == state && !planned(entry)
            };
            assert_eq!(counts.of(state), count(&stands), "{state:?}");
        }
    }

    /// What runs is the last that was started for its target: of two, one does not count.
    fn probes_are_the_last_ones(&self) {
        let running = |probe: &ProbeState, target: &str| {
            if let ProbeState::Running { generation, .. } = probe {
                assert_eq!(self.last.get(target), Some(generation), "{target}");
            }
        };
        for entry in self.model.entries.values() {
            let name = &entry.connection.name;
            running(&entry.probe, &format!("{:?}", Target::Saved(name.clone())));
        }
        if let Some(form) = &self.model.form {
            running(&form.probe, &format!("{:?}", Target::Draft));
        }
    }
}

pub(crate) fn store_needed() -> Message {
    let offer = |reference, unavailable| StoreOffer {
        reference,
        label: "here".to_owned(),
        unavailable,
    };
    Message::Store(StoreMessage::StoreNeeded(vec![
        offer(
            SecretRef::Keyring("x".to_owned()),
            Some("no bus".to_owned()),
        ),
        offer(SecretRef::Vault("x".to_owned()), None),
    ]))
}

pub(crate) fn verdict(connection: Option<Name>, reason: Reason) -> Verdict {
    // A verdict speaks of its own connection.
    let own = connection
        .as_ref()
        .and_then(|name| name.as_str().strip_prefix("shop-"));
    let own = own.unwrap_or("9").to_owned();
    let mut checks = Checks::default();
    for id in CheckId::ALL {
        checks.set(id, reason.state(), "told", Some(1.0));
    }
    Verdict {
        connection,
        service: ServiceId::blesta(),
        url: format!("https://h{own}.example.com"),
        reason,
        status: 200,
        title: reason.title().to_owned(),
        cause: format!("https://h{own}.example.com said so to apialice{own}."),
        answered_by: AnsweredBy::Service,
        evidence: vec![format!("server: nginx at h{own}.example.com")],
        remedy: Remedy {
            who: Who::You,
            steps: vec![format!("Look at shop-{own}.")],
            snippet: Some("RewriteRule a\nb".to_owned()),
            url: None,
            doc: None,
        },
        checks,
        addresses: Vec::new(),
        phases: Phases::default(),
        tls: None,
        identity: None,
        service_version: None,
        redirects: Vec::new(),
        retry_at: None,
        changed_since_last_good: Vec::new(),
        at: Timestamp::from_second(1_800_000_000).unwrap(),
    }
}
