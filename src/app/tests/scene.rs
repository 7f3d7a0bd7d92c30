//! A screen without a terminal: keys, pastes, answers and time go in, and what was asked for is kept.

use crossterm::event::KeyEvent;
use jiff::{SignedDuration, Timestamp};

use crate::app::effect::{Effect, ProbeEffect, StoreEffect, Target};
use crate::app::keymap::KeyPress;
use crate::app::message::{Loaded, Message, ProbeMessage, SecretInput};
use crate::app::model::{Form, Model, Overlay, Question};
use crate::app::{Draft, FieldId};
use crate::domain::{
    AnsweredBy, CheckId, Checks, Connection, Name, Phases, Reason, Remedy, Secret, SecretRef,
    ServiceId, State, Verdict, Who,
};
use crate::service::Trigger;

pub(super) struct Scene {
    pub(super) model: Model,
    pub(super) now: Timestamp,
    effects: Vec<Effect>,
    /// The handles whose dates were asked for, each time.
    pub(super) dated: Vec<Vec<SecretRef>>,
}

impl Scene {
    /// Before the configuration was read.
    pub(super) fn starting() -> Self {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        Self {
            model: Model::new((100, 30), now),
            now,
            effects: Vec::new(),
            dated: Vec::new(),
        }
    }

    /// With these connections, and nothing asked for yet.
    pub(super) fn with(connections: Vec<Connection>) -> Self {
        let mut scene = Self::starting();
        scene.send(Message::ConfigurationLoaded(Box::new(Loaded {
            connections: connections.into_iter().map(Into::into).collect(),
            ..Loaded::default()
        })));
        scene.effects.clear();
        scene.dated.clear();
        scene
    }

    /// Without connections.
    pub(super) fn empty() -> Self {
        Self::with(Vec::new())
    }

    pub(super) fn send(&mut self, message: Message) -> &mut Self {
        for effect in self.model.update(self.now, message) {
            match effect {
                Effect::Store(StoreEffect::DateHandles(asked)) => self.dated.push(asked),
                other => self.effects.push(other),
            }
        }
        self
    }

    /// Keys by their names, divided by blanks: `n`, `ctrl-s`, `shift-tab`. A person has looked at the screen for a second
    /// before each.
    pub(super) fn keys(&mut self, names: &str) -> &mut Self {
        for name in names.split_whitespace() {
            let press = KeyPress::parse(name).unwrap_or_else(|| panic!("{name} is no key"));
            self.model.drawn(self.now - SignedDuration::from_secs(1));
            self.model.answered = None;
            self.press(press);
        }
        self
    }

    /// Keys that come one behind the other, faster than anybody reads: the screen is drawn in between.
    pub(super) fn keys_in_a_row(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.types(c.encode_utf8(&mut [0; 4]));
            self.model.drawn(self.now);
            self.now += SignedDuration::from_millis(30);
        }
        self
    }

    /// Every character as a key, all in one packet.
    pub(super) fn types(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.press(KeyPress::plain(crossterm::event::KeyCode::Char(c)));
        }
        self
    }

    pub(super) fn press(&mut self, press: KeyPress) -> &mut Self {
        let event = KeyEvent::new(press.code, press.modifiers);
        if self.model.takes_secret() {
            self.send(Message::SecretInput(SecretInput::Key(event)))
        } else {
            self.send(Message::Key(event))
        }
    }

    pub(super) fn pastes(&mut self, text: &str) -> &mut Self {
        if self.model.takes_secret() {
            self.send(Message::SecretInput(SecretInput::Paste(Secret::new(text))))
        } else {
            self.send(Message::Pasted(text.to_owned()))
        }
    }

    /// Time goes by; the model is woken as often as it asked to be. Says how often that was.
    pub(super) fn wait(&mut self, milliseconds: i64) -> usize {
        let end = self.now + SignedDuration::from_millis(milliseconds);
        let mut wakes = 0;
        while let Some(wake) = self.model.next_wake().filter(|wake| *wake <= end) {
            self.now = self.now.max(wake);
            self.send(Message::Woke);
            wakes += 1;
            assert!(wakes < 10_000, "the model never rests: {wake}");
        }
        self.now = end;
        wakes
    }

    /// What was asked for since this was last called, but for dates.
    pub(super) fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// The probes asked for since effects were last taken.
    pub(super) fn probes(&mut self) -> Vec<Probe> {
        self.effects()
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Probe(ProbeEffect::Start {
                    target,
                    generation,
                    trigger,
                    draft,
                    origin_confirmed,
                }) => Some(Probe {
                    target,
                    generation,
                    trigger,
                    draft: draft.map(|draft| *draft),
                    origin_confirmed,
                }),
                _ => None,
            })
            .collect()
    }

    /// The one probe asked for.
    pub(super) fn probe(&mut self) -> Probe {
        let mut probes = self.probes();
        assert_eq!(probes.len(), 1, "{probes:?}");
        probes.remove(0)
    }

    /// The draft's last probe ended like this.
    pub(super) fn draft_is(&mut self, verdict: Verdict) -> &mut Self {
        self.send(Message::Probe(ProbeMessage::Finished {
            target: Target::Draft,
            generation: self.model.generation,
            verdict: Box::new(verdict),
        }))
    }

    /// The watcher found this.
    pub(super) fn watched(&mut self, name: &str, reason: Reason) -> &mut Self {
        let mut verdict = verdict(reason);
        verdict.connection = Some(named(name));
        self.send(Message::Probe(ProbeMessage::Watched(Box::new(verdict))))
    }

    pub(super) fn form(&self) -> &Form {
        self.model.form.as_ref().expect("a form is open")
    }

    pub(super) fn text(&self, id: FieldId) -> &str {
        self.form().text(id)
    }

    pub(super) fn key_is(&self, value: &str) -> bool {
        self.form().secret(FieldId::Key).unwrap().value == Secret::new(value)
    }

    pub(super) fn lamp(&self, id: FieldId) -> (State, &str) {
        let lamp = &self.form().field(id).lamp;
        (lamp.state, &lamp.word)
    }

    pub(super) fn question(&self) -> Option<&Question> {
        match &self.model.overlay {
            Some(Overlay::Confirm(question)) => Some(question),
            _ => None,
        }
    }

    pub(super) fn notice(&self) -> &str {
        self.model.notice.as_ref().map_or("", |notice| &notice.text)
    }

    pub(super) fn visible(&self) -> Vec<&str> {
        self.model.list.visible.iter().map(Name::as_str).collect()
    }

    pub(super) fn selected(&self) -> &str {
        self.model.list.selected.as_ref().map_or("", Name::as_str)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Probe {
    pub(super) target: Target,
    pub(super) generation: u64,
    pub(super) trigger: Trigger,
    pub(super) draft: Option<Draft>,
    pub(super) origin_confirmed: bool,
}

impl Probe {
    pub(super) fn draft(&self) -> &Draft {
        self.draft.as_ref().expect("the probe of a draft")
    }

    pub(super) fn carries(&self, key: &str) -> bool {
        self.draft().key == Some(Secret::new(key))
    }
}

pub(super) fn named(name: &str) -> Name {
    Name::parse(name).unwrap()
}

/// A saved Blesta connection with username and key.
pub(super) fn shop(name: &str) -> Connection {
    let url = format!("https://{name}.example.com");
    let mut connection = Connection::new(named(name), ServiceId::blesta(), &url);
    connection.username = "api".to_owned();
    connection.key = Some(SecretRef::Vault(format!("{name}/key")));
    connection
}

pub(super) fn shops(names: &[&str]) -> Vec<Connection> {
    names.iter().map(|name| shop(name)).collect()
}

/// The rungs as far as `last`, all in order.
pub(super) fn fine_until(last: CheckId) -> Checks {
    let mut checks = Checks::default();
    for id in CheckId::ALL.into_iter().take_while(|id| *id <= last) {
        checks.set(id, State::Ok, "fine", Some(1.0));
    }
    checks
}

/// A verdict with this reason, its rungs to match.
pub(in crate::app) fn verdict(reason: Reason) -> Verdict {
    let checks = match reason {
        Reason::Connected => fine_until(CheckId::Identity),
        Reason::ServiceFound => fine_until(CheckId::Service),
        Reason::CredentialsRejected => {
            let mut checks = fine_until(CheckId::Service);
            checks.set(CheckId::Credentials, State::Warn, "401", None);
            checks
        }
        _ => {
            let mut checks = fine_until(CheckId::Url);
            checks.set(CheckId::Dns, reason.state(), "no", None);
            checks
        }
    };
    Verdict {
        connection: None,
        service: ServiceId::blesta(),
        url: "https://shop.example.com".to_owned(),
        reason,
        status: if reason == Reason::CredentialsRejected {
            401
        } else {
            0
        },
        title: reason.title().to_owned(),
        cause: String::new(),
        answered_by: AnsweredBy::Service,
        evidence: Vec::new(),
        remedy: Remedy {
            who: Who::You,
            steps: Vec::new(),
            snippet: None,
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

/// A key of Blesta's shape.
pub(super) const KEY: &str = "0123456789abcdef0123456789abcdef";
