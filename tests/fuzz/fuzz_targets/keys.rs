//! The screen: whatever is pressed, pasted, clicked and answered, nothing panics, selection and cursors stay
//! inside, and the screen can be drawn.
//!
//! An input is what a terminal sends, one byte a key, with bytes from 0x80 for other keys and for what comes
//! from elsewhere; see [`act`].

#![no_main]

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseEvent, MouseEventKind};
use jiff::{SignedDuration, Timestamp};
use libfuzzer_sys::fuzz_target;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use switchboard::app::effect::{Effect, ScreenEnd, Target, ClipboardEffect, ProbeEffect, StoreEffect, VaultEffect};
use switchboard::app::message::{Copied, Loaded, StoreOffer, ClipboardMessage, ProbeMessage, StoreMessage, VaultMessage};
use switchboard::app::model::{FieldText, Pane};
use switchboard::app::{Message, Model, SecretInput, hints};
use switchboard::domain::{
    AnsweredBy, Cause, CheckId, Checks, Connection, Handle, Name, PassphrasePurpose, Phases, Reason, Remedy, Secret,
    SecretRef, ServiceId, Verdict, Who,
};
use switchboard::ui::{Theme, draw, pane_at};

const NAMES: [&str; 6] = ["a", "b", "c", "東京", "e-2", "gone"];
const NAMED: [KeyCode; 14] = [
    KeyCode::Up,
    KeyCode::Down,
    KeyCode::Left,
    KeyCode::Right,
    KeyCode::Home,
    KeyCode::End,
    KeyCode::PageUp,
    KeyCode::PageDown,
    KeyCode::Delete,
    KeyCode::Insert,
    KeyCode::BackTab,
    KeyCode::F(5),
    KeyCode::Null,
    KeyCode::CapsLock,
];
const LETTERS: [char; 10] = [
    'é', '漢', 'ß', '\u{301}', '\u{200b}', '\u{202e}', '😀', '\u{85}', '\u{0}', 'İ',
];

fuzz_target!(|input: &[u8]| {
    let mut scene = Scene::new();
    let mut bytes = input.iter().copied();
    while let Some(byte) = bytes.next() {
        act(&mut scene, byte, &mut bytes);
        scene.check();
    }
    scene.draw();
});

/// What one byte means; some take further ones.
fn act(scene: &mut Scene, byte: u8, more: &mut impl Iterator<Item = u8>) {
    let mut next = || more.next().unwrap_or_default();
    match byte {
        b'\t' => scene.press(KeyCode::Tab, KeyModifiers::NONE),
        b'\r' | b'\n' => scene.press(KeyCode::Enter, KeyModifiers::NONE),
        0x1b => scene.press(KeyCode::Esc, KeyModifiers::NONE),
        0x7f => scene.press(KeyCode::Backspace, KeyModifiers::NONE),
        1..0x1b => scene.press(KeyCode::Char((byte | 0x60).into()), KeyModifiers::CONTROL),
        b' '..0x7f => scene.press(KeyCode::Char(byte.into()), KeyModifiers::NONE),
        0x80..0x90 => {
            let code = NAMED[usize::from(byte - 0x80) % NAMED.len()];
            scene.press(code, KeyModifiers::NONE);
        }
        0x90..0xa0 => {
            let letter = LETTERS[usize::from(byte - 0x90) % LETTERS.len()];
            scene.press(KeyCode::Char(letter), KeyModifiers::NONE);
        }
        0xa0 => scene.press(KeyCode::Char(next().into()), KeyModifiers::ALT),
        0xa1 => {
            let modifiers = KeyModifiers::from_bits_truncate(next());
            scene.press(KeyCode::Char(next().into()), modifiers);
        }
        0xa2 => {
            let length = usize::from(next());
            let text: Vec<u8> = more.take(length).collect();
            scene.paste(&String::from_utf8_lossy(&text));
        }
        0xa3 => scene.wait(i64::from(next()) * 60),
        0xa4 => scene.wait(i64::from(next()) * 60_000),
        0xa5 => scene.send(Message::Resized(next().into(), u16::from(next()) % 64)),
        0xa6 => {
            let at = (u16::from(next()), u16::from(next()));
            if let Some((pane, row)) = pane_at(&scene.model, at.0, at.1) {
                scene.send(Message::Clicked(pane, row));
            }
        }
        0xa7 => {
            let pane = Pane::ALL[usize::from(next()) % Pane::ALL.len()];
            scene.send(Message::Clicked(pane, next().into()));
        }
        0xa8 => scene.wheel(next() % 2 == 0),
        0xa9 => {
            let name = named(next());
            let verdict = verdict(next(), Some(name.clone()));
            scene.send(Message::Probe(ProbeMessage::WatchStarted(name)));
            scene.send(Message::Probe(ProbeMessage::Watched(verdict)));
        }
        0xaa => scene.answer(next()),
        0xab => scene.send(Message::ConfigurationLoaded(Box::new(loaded(next())))),
        0xac => scene.send(Message::ConfigurationFailed(
            "line 3: no\u{1b}[2J".to_owned(),
        )),
        0xad => scene.draw(),
        0xae => scene.unasked(next()),
        _ => scene.send(Message::Woke),
    }
}

struct Scene {
    model: Model,
    now: Timestamp,
    asked: Vec<Effect>,
}

impl Scene {
    fn new() -> Self {
        let now = Timestamp::from_second(1_800_000_000).expect("in 2027");
        let model = Model::new((100, 30), now);
        let mut scene = Self {
            asked: model.start(),
            model,
            now,
        };
        scene.send(Message::ConfigurationLoaded(Box::new(loaded(5))));
        scene
    }

    fn send(&mut self, message: Message) {
        let asked = self.model.update(self.now, message);
        self.asked.extend(asked);
    }

    fn press(&mut self, code: KeyCode, modifiers: KeyModifiers) {
        let event = KeyEvent::new_with_kind(code, modifiers, KeyEventKind::Press);
        if self.model.takes_secret() {
            self.send(Message::SecretInput(SecretInput::Key(event)));
        } else {
            self.send(Message::Key(event));
        }
    }

    fn paste(&mut self, text: &str) {
        if self.model.takes_secret() {
            self.send(Message::SecretInput(SecretInput::Paste(Secret::new(text))));
        } else {
            self.send(Message::Pasted(text.to_owned()));
        }
    }

    /// Time goes by; the model is woken when it asked to be, and must not ask without an end.
    fn wait(&mut self, milliseconds: i64) {
        let end = self.now + SignedDuration::from_millis(milliseconds);
        let mut wakes = 0;
        while let Some(wake) = self.model.next_wake().filter(|wake| *wake <= end) {
            self.now = self.now.max(wake);
            self.send(Message::Woke);
            wakes += 1;
            assert!(wakes < 10_000, "the model never rests: {wake}");
        }
        self.now = end;
    }

    fn wheel(&mut self, up: bool) {
        let kind = if up {
            MouseEventKind::ScrollUp
        } else {
            MouseEventKind::ScrollDown
        };
        let event = MouseEvent {
            kind,
            column: 3,
            row: 3,
            modifiers: KeyModifiers::NONE,
        };
        self.send(Message::Mouse(event, None));
    }

    /// Answers what was asked for last, in a way that `how` decides.
    fn answer(&mut self, how: u8) {
        let well = how % 2 == 0;
        let no = || "no: \u{1b}]0;x\u{7}".to_owned();
        let message = match self.asked.pop() {
            Some(Effect::Probe(ProbeEffect::Start {
                target, generation, ..
            })) if well => Message::Probe(ProbeMessage::Finished {
                target,
                generation,
                verdict: verdict(how, None),
            }),
            Some(Effect::Probe(ProbeEffect::Start {
                target, generation, ..
            })) => Message::Probe(ProbeMessage::Progressed {
                target,
                generation,
                checks: Box::new(verdict(how, None).checks),
            }),
            Some(Effect::Store(StoreEffect::LoadSecrets(name))) if well => Message::Store(StoreMessage::SecretsLoaded {
                name,
                key: Ok(Some(Secret::new("stored"))),
                key_origin: None,
                token: Err(Cause::new(no())),
            }),
            Some(Effect::Store(StoreEffect::Save { draft, .. })) if well => {
                Message::Store(StoreMessage::Saved(Box::new(draft.connection), 0))
            }
            Some(Effect::Store(StoreEffect::Save { .. })) if how % 3 == 0 => Message::Store(StoreMessage::SaveFailed(no())),
            Some(Effect::Store(StoreEffect::Save { .. } | StoreEffect::AddToken { .. })) if how % 5 == 0 => store_needed(),
            Some(Effect::Store(StoreEffect::Save { .. } | StoreEffect::LoadSecrets(_))) => {
                Message::Vault(VaultMessage::PassphraseNeeded(PassphrasePurpose::Create))
            }
            Some(Effect::Store(StoreEffect::AddToken { name, .. })) if well => {
                Message::Store(StoreMessage::TokenAdded(Box::new(connection(name))))
            }
            Some(Effect::Store(StoreEffect::AddToken { .. })) => Message::Store(StoreMessage::TokenAddFailed(no())),
            Some(Effect::Store(StoreEffect::Remove(name))) if well => Message::Store(StoreMessage::Removed(name, 0)),
            Some(Effect::Store(StoreEffect::Remove(_))) => Message::Store(StoreMessage::RemoveFailed(no())),
            Some(Effect::Vault(VaultEffect::Unlock { .. })) if well => Message::Vault(VaultMessage::Unlocked),
            Some(Effect::Vault(VaultEffect::Unlock { .. })) => Message::Vault(VaultMessage::UnlockFailed(no())),
            Some(Effect::Vault(VaultEffect::Lock)) => Message::Vault(VaultMessage::Locked),
            Some(Effect::Reveal(name, slot)) => Message::Revealed {
                name,
                slot,
                result: if well {
                    Ok(Handle::plain(Secret::new("h\u{1b}[31m漢")))
                } else {
                    Err(Cause::new(no()))
                },
            },
            Some(Effect::Clipboard(ClipboardEffect::CopyHandle { .. })) if well => Message::Clipboard(ClipboardMessage::Copied(Copied {
                words: "→ your terminal (OSC 52)".to_owned(),
                placed: how % 4 == 0,
                clears_in_s: Some(how.into()),
            })),
            Some(Effect::Clipboard(ClipboardEffect::CopyHandle { .. })) => Message::Vault(VaultMessage::PassphraseNeeded(PassphrasePurpose::Open)),
            Some(Effect::Probe(ProbeEffect::Resume(name))) => Message::Probe(ProbeMessage::Resumed(name)),
            Some(Effect::Probe(ProbeEffect::ResumeDraft(_))) => Message::Probe(ProbeMessage::DraftResumed),
            Some(Effect::Clipboard(ClipboardEffect::Clear)) => Message::Clipboard(ClipboardMessage::Cleared(no())),
            Some(_) | None => Message::Noticed(no()),
        };
        self.send(message);
    }

    /// An answer to what was never asked.
    fn unasked(&mut self, which: u8) {
        let name = named(which);
        self.send(match which / 16 {
            0 => Message::Vault(VaultMessage::Unlocked),
            1 => Message::Store(StoreMessage::Removed(name, 0)),
            2 => Message::Store(StoreMessage::Saved(Box::new(connection(name)), 0)),
            3 => Message::Store(StoreMessage::TokenAdded(Box::new(connection(name)))),
            4 => store_needed(),
            5 => Message::Vault(VaultMessage::PassphraseNeeded(PassphrasePurpose::Open)),
            6 => Message::Vault(VaultMessage::Locked),
            7 => Message::Probe(ProbeMessage::Resumed(name)),
            8 => Message::Probe(ProbeMessage::DraftResumed),
            9 => Message::Probe(ProbeMessage::Finished {
                target: Target::Saved(name),
                generation: self.model.generation,
                verdict: verdict(which, None),
            }),
            10 => Message::Probe(ProbeMessage::Finished {
                target: Target::Draft,
                generation: self.model.generation,
                verdict: verdict(which, None),
            }),
            11 => Message::EndRequested(ScreenEnd::Signal(143)),
            12 => Message::Vault(VaultMessage::UnlockFailed("no".to_owned())),
            13 => Message::StopRequested,
            _ => Message::Store(StoreMessage::SecretsLoaded {
                name,
                key: Ok(None),
                key_origin: None,
                token: Ok(Some(Secret::new("token"))),
            }),
        });
    }

    fn check(&self) {
        let model = &self.model;
        match &model.list.selected {
            Some(name) => {
                let row = model.list.row().expect("what is selected is in the list");
                let shown = model.list.offset..model.list.offset + model.list_rows();
                assert!(shown.contains(&row), "{name}: {row} in {shown:?}");
            }
            None => assert!(model.list.visible.is_empty()),
        }
        if let Some(form) = &model.form {
            assert!(form.cursor < form.shown_fields());
            for field in &form.fields {
                match &field.text {
                    FieldText::Plain(input) => {
                        assert!(input.cursor() <= input.value().chars().count());
                        assert!(!input.value().chars().any(char::is_control));
                    }
                    FieldText::Secret(secret) => {
                        assert_eq!(secret.mirror.value().chars().count(), secret.value.length());
                        assert!(secret.cursor() <= secret.value.length());
                    }
                }
            }
        }
        assert!(!model.war_room || model.revealed.is_none());
        hints::footer(model);
        hints::help(model);
    }

    /// Draws the screen at its size.
    fn draw(&mut self) {
        let (columns, rows) = self.model.size;
        let Ok(mut terminal) = Terminal::new(TestBackend::new(columns, rows));
        let theme = Theme::default();
        let Ok(_) = terminal.draw(|frame| draw(&self.model, &theme, frame));
        for cell in terminal.backend().buffer().content() {
            assert!(!cell.symbol().chars().any(char::is_control), "{cell:?}");
        }
        self.model.drawn(self.now);
    }
}

fn named(byte: u8) -> Name {
    Name::parse(NAMES[usize::from(byte) % NAMES.len()]).expect("a name")
}

fn connection(name: Name) -> Connection {
    let url = format!("https://{name}.example.com");
    let mut connection = Connection::new(name, ServiceId::blesta(), &url);
    connection.username = "api".to_owned();
    connection.key = Some(SecretRef::Vault("x/key".to_owned()));
    connection
}

/// A configuration with so many connections, the first of them with further handles.
fn loaded(count: u8) -> Loaded {
    let mut connections: Vec<Connection> = (0..count % 6).map(named).map(connection).collect();
    if let Some(first) = connections.first_mut() {
        first.token = Some(SecretRef::Ask);
        first.added = vec![("one".to_owned(), SecretRef::Ask)];
        first.tags = vec!["eu".to_owned()];
    }
    Loaded {
        connections: connections.into_iter().map(Into::into).collect(),
        lock_after_min: u32::from(count / 16),
        clipboard_clear_s: 20,
        keys: (count >= 128)
            .then(|| vec![("probe".to_owned(), "x".to_owned())])
            .unwrap_or_default(),
        ..Loaded::default()
    }
}

fn store_needed() -> Message {
    let offer = |reference, unavailable| StoreOffer {
        reference,
        label: "here".to_owned(),
        unavailable,
    };
    Message::Store(StoreMessage::StoreNeeded(vec![
        offer(SecretRef::Vault("x".to_owned()), None),
        offer(
            SecretRef::Keyring("x".to_owned()),
            Some("no bus".to_owned()),
        ),
        offer(SecretRef::Ask, None),
    ]))
}

/// A verdict of the reason at `which`, in words of any width.
fn verdict(which: u8, connection: Option<Name>) -> Box<Verdict> {
    let reason = Reason::ALL[usize::from(which) % Reason::ALL.len()];
    let mut checks = Checks::default();
    let reached = usize::from(which) % CheckId::ALL.len();
    for id in CheckId::ALL.into_iter().take(reached) {
        checks.set(id, reason.state(), "fine 漢字", Some(1.0));
    }
    Box::new(Verdict {
        connection,
        service: ServiceId::blesta(),
        url: "https://shop.example.com".to_owned(),
        reason,
        status: u16::from(which) * 3,
        title: reason.title().to_owned(),
        cause: "東京支店の請求サーバー did not answer.".to_owned(),
        answered_by: AnsweredBy::Service,
        evidence: vec!["server: nginx".to_owned(); reached],
        remedy: Remedy {
            who: Who::You,
            steps: vec!["Do this.".to_owned(); reached],
            snippet: (which % 2 == 0).then(|| "RewriteRule a\nb".to_owned()),
            url: (which % 3 == 0).then(|| "https://shop.example.com/new".to_owned()),
            doc: None,
        },
        checks,
        addresses: Vec::new(),
        phases: Phases {
            total: Some(std::time::Duration::from_millis(which.into())),
            ..Phases::default()
        },
        tls: None,
        identity: None,
        service_version: None,
        redirects: Vec::new(),
        retry_at: None,
        changed_since_last_good: vec!["certificate".to_owned(); reached / 3],
        at: Timestamp::from_second(1_800_000_000).expect("in 2027"),
    })
}
