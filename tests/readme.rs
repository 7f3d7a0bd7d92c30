//! The README says what the program does: its table of keys and its screenshots are the program's own, and its
//! commands are run.
#![expect(clippy::unwrap_used, reason = "what is missing shall fail the test")]

#[path = "support/sample.rs"]
#[expect(dead_code, reason = "the tests of the screen take more of it")]
mod sample;
#[path = "readme/screenshot.rs"]
mod screenshot;
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::commands::{Done, switchboard};
use support::stage::Stage;
use switchboard::app::{Keymap, hints};
use switchboard::sim::Behaviour;
use switchboard::ui::ThemeName;

/// Where the table begins and ends.
const BEGIN: &str = "<!-- keys: made from the program's table, held by a test -->\n";
const END: &str = "<!-- /keys -->";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

/// `UPDATE_README=1` writes anew what is made from the program.
fn updating() -> bool {
    std::env::vars_os().any(|(name, _)| name == "UPDATE_README")
}

#[test]
fn the_table_of_keys_is_the_programs_own() {
    let text = readme();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    let made = hints::markdown(&Keymap::default());
    if updating() {
        let whole = format!("{before}{BEGIN}{made}{END}{after}");
        fs::write(root().join("README.md"), whole).unwrap();
        return;
    }
    assert_eq!(table, made, "run UPDATE_README=1 cargo test --test readme");
}

#[test]
fn it_is_short() {
    let lines = readme().lines().count();
    assert!(lines < 200, "{lines} lines");
}

#[test]
fn the_screenshots_show_the_present_screen() {
    for theme in [ThemeName::Dark, ThemeName::Light] {
        let path = root().join(format!("assets/screenshots/{}.svg", theme.word()));
        let made = screenshot::svg(&sample::model(110, 32), theme);
        if updating() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, made).unwrap();
            continue;
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            screenshot::words(&kept),
            screenshot::words(&made),
            "run UPDATE_README=1 cargo test --test readme"
        );
    }
}

#[test]
fn what_it_names_in_the_source_is_there() {
    let text = readme();
    for part in text.split('`').skip(1).step_by(2) {
        let path = part.trim_end_matches("/*.toml");
        if path.starts_with("src/") || path.starts_with("assets/") || path.starts_with("tests/") {
            let path = path.split_whitespace().next().unwrap();
            assert!(root().join(path).exists(), "{part}");
        }
    }
}

/// How a command of the README is tried.
enum Try {
    /// It is run, and ends with this code.
    Run(i32),
    /// Its words are understood; it is not run, and why.
    Understood(&'static str),
}

/// How each command is tried, by its beginning.
const TRIES: &[(&str, Try)] = &[
    ("probe --url", Try::Run(0)),
    ("probe --all", Try::Run(0)),
    (
        "probe shop --via",
        Try::Understood("it takes another machine; tests/via.rs has one"),
    ),
    ("connection edit", Try::Run(0)),
    ("connection add", Try::Run(0)),
    ("connection import", Try::Run(0)),
    ("connection export", Try::Run(0)),
    ("connection apply", Try::Run(0)),
    ("evidence", Try::Run(0)),
    ("explain", Try::Run(0)),
    ("token generate", Try::Run(0)),
    (
        "token verify",
        Try::Understood("a CMS is not part of this rehearsal; tests/cli.rs runs it"),
    ),
    ("token reveal", Try::Run(0)),
    (
        "token list --all",
        Try::Understood("its exit code depends on the day; tests/tokens.rs runs it"),
    ),
    ("token list", Try::Run(0)),
    (
        "token renew",
        Try::Understood("it changes the key of the others; tests/tokens.rs runs it"),
    ),
    (
        "watch",
        Try::Understood("it runs until a signal; tests/faults/disk.rs runs it"),
    ),
    (
        "serve",
        Try::Understood("it runs until a signal; tests/serve.rs runs it"),
    ),
    ("secret where", Try::Run(0)),
    ("doctor", Try::Run(0)),
    (
        "sim",
        Try::Understood("it runs until a signal; tests/cli.rs runs it"),
    ),
    ("help", Try::Run(0)),
];

/// Commands that are not the program's own, and why they are not run.
const OTHERS: &[(&str, &str)] = &[
    (
        "cargo run --release -- demo",
        "it takes a terminal; tests/pty.rs runs the demo",
    ),
    ("tests/run", "it runs this test"),
    (
        "cargo install --locked --path .",
        "it builds the whole tree anew",
    ),
    (
        "assets/packaging/build",
        "it builds the whole tree in release mode",
    ),
    ("apt-get install", "it changes this machine"),
];

/// The lines of the README's `sh` blocks, comments taken off, divided where a line holds two commands.
fn commands() -> Vec<String> {
    let text = readme();
    let blocks = text.split("```sh\n").skip(1);
    let lines = blocks.filter_map(|block| block.split("```").next());
    lines
        .flat_map(str::lines)
        .map(|line| line.split(" # ").next().unwrap().trim().to_owned())
        .flat_map(|line| line.split("; ").map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| !line.is_empty())
        .collect()
}

/// A home in which the README's names mean something.
struct Home {
    folder: tempfile::TempDir,
    stage: Stage,
    urls: [(&'static str, String); 2],
    key: String,
}

impl Home {
    fn new() -> Self {
        let mut stage = Stage::new();
        let blesta = stage.sim.blesta();
        let key = blesta.key.clone();
        let user = blesta.username.clone();
        let shop = stage.raise(|sim| sim.serve(Behaviour::Blesta(blesta)));
        let folder = tempfile::tempdir().unwrap();
        let home = Self {
            urls: [
                ("https://billing.example.com", shop.url),
                ("shop-api", user),
            ],
            folder,
            stage,
            key,
        };
        let pass = home.folder.path().join("pass");
        fs::write(&pass, "correct horse\n").unwrap();
        fs::set_permissions(&pass, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        fs::write(
            home.folder.path().join("urls.txt"),
            format!("{}\n", home.urls[0].1),
        )
        .unwrap();
        fs::write(
            home.folder.path().join("notes.txt"),
            "curl https://a.example.com/\n",
        )
        .unwrap();
        home
    }

    fn run(&self, line: &str) -> Done {
        let (line, to) = match line.split_once(" > ") {
            Some((line, to)) => (line, Some(to)),
            None => (line, None),
        };
        let mut line = line.split(" | ").next().unwrap().to_owned();
        for (from, to) in &self.urls {
            line = line.replace(from, to);
        }
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        let pass = self.folder.path().join("pass");
        let variables = [
            ("SWITCHBOARD_PASSPHRASE_FILE", pass.to_str().unwrap()),
            ("KEY", self.key.as_str()),
        ];
        let done = switchboard(self.folder.path(), &words, &variables, &self.key);
        if let Some(to) = to {
            fs::write(self.folder.path().join(to), &done.out).unwrap();
        }
        done
    }
}

#[test]
fn its_commands_are_run() {
    let mut home = Home::new();
    let mut lines: Vec<String> = commands();
    for line in &lines {
        let known = line.starts_with("switchboard ")
            || OTHERS.iter().any(|(start, _)| line.starts_with(start));
        assert!(known, "{line}: say in this test how it is tried");
    }
    lines.retain(|line| line.starts_with("switchboard "));
    assert!(lines.len() > 15, "{lines:?}");
    // What adds comes first: the others name it.
    lines.sort_by_key(|line| !line.contains(" connection add "));
    let (id, secret) = home.stage.sim.connect_pair();
    let connect = home.connect((&id, &secret));
    let add = format!(
        "switchboard connection add marketplace --service connect --url {connect} --username {id} --key-env CONNECT --store vault"
    );
    let first = lines.first().cloned().unwrap();
    assert_eq!(home.run(&first).code, 0, "{:?}", home.run(&first));
    let pass = home.folder.path().join("pass");
    let words: Vec<&str> = add.split_whitespace().skip(1).collect();
    let variables = [
        ("SWITCHBOARD_PASSPHRASE_FILE", pass.to_str().unwrap()),
        ("CONNECT", secret.as_str()),
    ];
    let added = switchboard(home.folder.path(), &words, &variables, "");
    assert_eq!(added.code, 0, "{added:?}");
    for line in &lines[1..] {
        let rest = line.strip_prefix("switchboard ").unwrap();
        let tried = TRIES.iter().find(|(start, _)| rest.starts_with(start));
        match tried.unwrap_or_else(|| panic!("{line}: say in this test how it is tried")) {
            (_, Try::Run(code)) => {
                let done = home.run(line);
                assert_eq!(done.code, *code, "{line}: {done:?}");
            }
            (_, Try::Understood(why)) => {
                let done = home.run(&format!("{line} --help"));
                assert_eq!(done.code, 0, "{line} ({why}): {done:?}");
            }
        }
    }
}

impl Home {
    /// Connect's rehearsal, with the pair that opens it.
    fn connect(&mut self, (id, secret): (&str, &str)) -> String {
        let connect = switchboard::sim::Connect::new(id, secret, 3);
        let stand = self
            .stage
            .raise(|sim| sim.serve(Behaviour::Connect(connect)));
        format!("{}/public/v1", stand.url)
    }
}
