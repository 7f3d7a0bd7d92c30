//! Words that people, lists, terminals and environments bring: names, references, key names, filters, targets,
//! proxies, first lines of secrets, answers to "what are you". Each is read or refused, and reads the same
//! once it was written down.

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use switchboard::app::keymap::KeyPress;
use switchboard::app::message::Loaded;
use switchboard::app::{Message, Model};
use switchboard::clipboard::Terminal as Kind;
use switchboard::domain::text::{inert, is_active};
use switchboard::domain::{Connection, Name, SecretRef, ServiceId};
use switchboard::store::files::first_line;
use switchboard::ui::{Theme, draw};
use switchboard::work::listed;

fuzz_target!(|input: &[u8]| {
    terminal(input);
    if let Ok(Some(secret)) = first_line(input) {
        assert!(secret.all(|c| c != '\n'));
    }
    let text = String::from_utf8_lossy(input);
    if let Ok(name) = Name::parse(&text) {
        assert_eq!(Name::parse(name.as_str()).as_ref(), Ok(&name));
        assert_eq!(inert(name.as_str(), 1_000), name.as_str());
    }
    if let Ok(reference) = text.parse::<SecretRef>() {
        let again = reference.to_string().parse::<SecretRef>();
        assert_eq!(again.as_ref(), Ok(&reference), "{text:?}");
    }
    KeyPress::parse(&text);
    for url in listed(&text) {
        assert!(!url.is_empty() && url.trim() == url);
    }
    filtered(&text);
});

/// An answer to DA1 or any other noise.
fn terminal(answer: &[u8]) {
    let kind = Kind::announced_in(answer);
    assert!(kind == Kind::Silent || answer.windows(2).any(|two| two == b"52"));
}

/// The filter of the list takes any text, and the screen shows it.
fn filtered(text: &str) {
    let now = Timestamp::UNIX_EPOCH;
    let mut model = Model::new((60, 16), now);
    let connections = ["shop", "eu", "東京"].map(|name| {
        let name = Name::parse(name).expect("a name");
        let mut connection = Connection::new(name, ServiceId::blesta(), "https://a.example");
        connection.tags = vec!["eu".to_owned()];
        connection
    });
    model.update(
        now,
        Message::ConfigurationLoaded(Box::new(Loaded {
            connections: connections.iter().cloned().map(Into::into).collect(),
            ..Loaded::default()
        })),
    );
    let slash = KeyPress::parse("/").expect("a key");
    let event = crossterm::event::KeyEvent::new(slash.code, slash.modifiers);
    model.update(now, Message::Key(event));
    model.update(now, Message::Pasted(text.to_owned()));
    let Ok(mut screen) = Terminal::new(TestBackend::new(60, 16));
    let theme = Theme::default();
    let Ok(_) = screen.draw(|frame| draw(&model, &theme, frame));
    for cell in screen.backend().buffer().content() {
        assert!(
            !cell
                .symbol()
                .chars()
                .any(|c| c != '\u{2060}' && is_active(c)),
            "{cell:?}"
        );
    }
}
