//! The house stays as it is drawn: who may name whom, who may read a secret, who may touch the world.
#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::similar_names,
    reason = "a test of files: whatever is missing shall fail it"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Every room with the rooms that it may name. An arrow that is not here is not in the house.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("service", &["domain"]),
    ("config", &["service", "domain"]),
    ("jobs", &[]),
    ("store", &["jobs", "service", "domain"]),
    ("http", &["service", "domain"]),
    ("probe", &["http", "jobs", "service", "domain"]),
    ("tokens", &["http", "service", "domain"]),
    ("clipboard", &["jobs", "service", "domain"]),
    (
        "work",
        &[
            "config",
            "store",
            "probe",
            "tokens",
            "clipboard",
            "jobs",
            "service",
            "domain",
        ],
    ),
    ("app", &["service", "domain"]),
    ("ui", &["app", "service", "domain"]),
    ("sim", &["domain"]),
    ("serve", BELOW_ROOTS),
    ("tui", BELOW_ROOTS),
    (
        "cli",
        &[
            "tui",
            "serve",
            "sim",
            "ui",
            "app",
            "work",
            "config",
            "store",
            "probe",
            "tokens",
            "clipboard",
            "jobs",
            "service",
            "domain",
        ],
    ),
];

const BELOW_ROOTS: &[&str] = &[
    "ui",
    "app",
    "work",
    "config",
    "store",
    "probe",
    "tokens",
    "clipboard",
    "jobs",
    "service",
    "domain",
];

/// The places that may call `expose()`: where a key leaves for the wire, its store, the clipboard or an eye.
const MAY_EXPOSE: &[&str] = &[
    "domain/secret.rs",
    "service/sign",
    "probe/transport",
    "tokens/client",
    "store/",
    "clipboard",
    "ui/reveal.rs",
    "cli/output/reveal.rs",
];

/// Words of the outside world, and the rooms that may use them.
const WORLD: &[(&str, &[&str])] = &[
    ("env::var", &["config/", "config.rs"]),
    ("env::temp_dir", &["config/", "config.rs"]),
    // The rehearsal owns a folder of certificates that live as long as it does.
    ("std::fs", &["store/", "store.rs", "sim/certificates.rs"]),
    ("process::exit", &["tui/"]),
    ("stdout().lock()", &["cli/output", "tui/"]),
    ("stderr().lock()", &["cli/output"]),
];

/// Outside crates and the rooms that they live in; whoever else needs one asks the room.
const CRATES: &[(&str, &[&str])] = &[
    ("ratatui", &["ui", "tui"]),
    ("crossterm", &["app", "tui", "clipboard"]),
    ("tui_input", &["app", "ui"]),
    ("clap", &["cli"]),
    ("axum", &["serve"]),
    (
        "tokio",
        &[
            "work",
            "http",
            "jobs",
            "probe",
            "tokens",
            "store",
            "clipboard",
            "tui",
            "serve",
            "sim",
            "cli",
        ],
    ),
    ("reqwest", &["http", "probe", "tokens"]),
    ("rustls", &["http", "probe", "tokens", "sim"]),
    ("confy", &["config", "store"]),
    ("toml_edit", &["store"]),
    ("rusqlite", &["store"]),
    ("age", &["store"]),
    ("arboard", &["clipboard"]),
    ("nix", &["jobs", "store"]),
];

/// What builds where tests are built alone: with tokio's scheduler for many threads (`work::task_thread` says why there
/// is none), and with its clock that stands still.
const OF_TESTS: &[&str] = &[
    "block_in_place",
    "multi_thread",
    "Runtime::new(",
    "tokio::main",
    "time::pause(",
    "time::advance(",
];

/// The rooms that are pure: they never wait, and the time is handed to them.
const PURE: &[&str] = &["domain", "service", "app", "ui"];

/// What no pure room does.
const IMPURE: &[&str] = &[
    ".await",
    "async fn",
    "Timestamp::now",
    "Instant::now",
    "SystemTime",
    "std::thread",
    "std::process",
    "TcpStream",
];

struct File {
    path: String,
    room: String,
    /// Without comments, and without the tests at its end.
    code: String,
    text: String,
}

fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths: Vec<PathBuf> = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            paths.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let path = path
                .strip_prefix(&root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let room = path.split(['/', '.']).next().unwrap().to_owned();
            files.push(File {
                code: code(&text),
                room,
                path,
                text,
            });
        }
    }
    files.retain(|file| !file.path.ends_with("/tests.rs") && !file.path.contains("/tests/"));
    assert!(files.len() > 10, "the sources were not found");
    files
}

/// Without the tests at the end. A `mod tests;` names another file and may stand anywhere: what follows it counts.
fn without_tests(text: &str) -> &str {
    let tests = text.find("#[cfg(test)]\nmod tests {");
    &text[..tests.unwrap_or(text.len())]
}

fn code(text: &str) -> String {
    let lines = without_tests(text)
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The rooms that `code` names by `crate::room` or `crate::{room, …}`.
fn named(code: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let words = if let Some(group) = rest.strip_prefix('{') {
            first_words(group)
        } else {
            vec![word(rest)]
        };
        rooms.extend(words);
    }
    rooms.retain(|room| !room.is_empty());
    rooms
}

fn word(text: &str) -> String {
    text.trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

fn first_words(group: &str) -> Vec<String> {
    let (mut depth, mut words) = (0, vec![word(group)]);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => words.push(word(&group[at + 1..])),
            _ => {}
        }
    }
    words
}

#[test]
fn every_arrow_is_in_the_picture() {
    let mut wrong = Vec::new();
    for file in files() {
        let Some((_, allowed)) = MAY_NAME.iter().find(|(room, _)| *room == file.room) else {
            let known = matches!(file.path.as_str(), "lib.rs" | "main.rs");
            assert!(known, "src/{} stands in no room", file.path);
            continue;
        };
        for room in named(&file.code) {
            if room != file.room && !allowed.contains(&room.as_str()) {
                wrong.push(format!("src/{} names crate::{room}", file.path));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "arrows that are not in the picture:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_file_says_what_it_is() {
    for file in files() {
        assert!(
            file.text.starts_with("//! "),
            "src/{} has no //! line",
            file.path
        );
    }
}

#[test]
fn secrets_are_read_in_seven_places_only() {
    for file in files() {
        let allowed = MAY_EXPOSE.iter().any(|place| file.path.starts_with(place));
        assert!(
            allowed || !file.code.contains(".expose()"),
            "src/{} calls expose()",
            file.path
        );
    }
}

#[test]
fn the_world_is_touched_where_the_picture_says() {
    for file in files() {
        for (word, places) in WORLD {
            let allowed = places.iter().any(|place| file.path.starts_with(place));
            assert!(
                allowed || !file.code.contains(word),
                "src/{} uses {word}",
                file.path
            );
        }
    }
}

/// Whether `code` names the outside crate `name`, as a path or in a `use`.
fn names_crate(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let starts = before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':');
        starts && code[at + name.len()..].starts_with("::")
    })
}

#[test]
fn outside_crates_live_where_the_picture_says() {
    for file in files() {
        for (name, rooms) in CRATES {
            assert!(
                rooms.contains(&file.room.as_str()) || !names_crate(&file.code, name),
                "src/{} uses the crate {name}",
                file.path
            );
        }
    }
}

#[test]
fn pure_rooms_never_wait_and_read_no_clock() {
    for file in files() {
        if !PURE.contains(&file.room.as_str()) {
            continue;
        }
        for word in IMPURE {
            assert!(
                !file.code.contains(word),
                "src/{} is to be pure and uses {word}",
                file.path
            );
        }
    }
}

#[test]
fn nothing_wants_what_only_tests_build_with() {
    for file in files() {
        for word in OF_TESTS {
            assert!(
                !file.code.contains(word),
                "src/{} uses {word}, which builds in tests alone",
                file.path
            );
        }
    }
}

#[test]
fn drawing_changes_nothing() {
    for file in files().iter().filter(|file| file.room == "ui") {
        let changes = ["&mut Model", "&mut crate::app", "Mutex", "Cell<"];
        for word in changes {
            assert!(
                !file.code.contains(word),
                "src/{} draws, and has {word}",
                file.path
            );
        }
    }
}

/// The text of the crate's docs names tests as `file::test`: each must be there.
#[test]
fn every_invariant_names_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_to_string(root.join("src/lib.rs")).unwrap();
    let named: Vec<&str> = docs
        .lines()
        .filter(|line| line.starts_with("//! |"))
        .flat_map(|line| line.split('`'))
        .filter(|words| words.contains(".rs: "))
        .collect();
    assert!(named.len() > 10, "the invariants were not found: {named:?}");
    for one in named {
        let (file, test) = one.split_once(": ").unwrap();
        let text = fs::read_to_string(root.join(file)).unwrap();
        assert!(
            text.contains(&format!("fn {test}(")),
            "src/lib.rs names {test} of {file}, which is not there"
        );
    }
}

#[test]
fn main_is_thin_and_files_are_small() {
    for file in files() {
        let limit = if file.path == "main.rs" { 20 } else { 500 };
        assert!(
            without_tests(&file.text).lines().count() <= limit,
            "src/{} has over {limit} lines",
            file.path
        );
    }
}
