//! Files and terminals that are not what they should be: pipes that nobody writes to, folders, devices, far too
//! much, sizes that no screen has. Each is told, nothing is waited for without an end.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::pty::{Home, Terminal};
use crate::{User, assert_no_panic, assert_told, is_here, set_mode};

/// One line of shell; whatever waits for ever is killed and seen by its code.
fn limited(command: &str) -> String {
    format!("timeout -s KILL 60 {command}")
}

#[test]
fn a_configuration_that_is_no_file_is_told() {
    let user = User::new();
    let file = user.configuration();
    let text = fs::read_to_string(&file).unwrap();
    let commands = ["connection list", "connection edit shop --note x"];
    for (make, word) in [
        ("mkfifo -m 600 \"$file\"", "is not a file"),
        ("mkdir -m 700 \"$file\"", "is not a file"),
        ("ln -s /dev/zero \"$file\"", "is not a file"),
        ("ln -s switchboard.toml \"$file\"", "symbolic links"),
        (
            "head -c 17000000 /dev/zero >\"$file\"; chmod 600 \"$file\"",
            "larger than",
        ),
    ] {
        for command in commands {
            let command = limited(&format!("\"$0\" {command}"));
            let path = file.display();
            let lines = format!("file={path}; rm -rf \"$file\"; {make}; {command}");
            let done = user.shell(&lines);
            assert_told(&done, &["switchboard.toml", word]);
            assert!(!done.err.contains("chmod"), "{make}: {done:?}");
        }
        let done = user.shell(&format!("rm -rf {}", file.display()));
        assert_eq!(done.code, 0, "{done:?}");
    }
    fs::write(&file, text).unwrap();
    set_mode(&file, 0o600);
    assert_eq!(user.run(&["probe", "shop"]).code, 0, "and it works again");
}

/// The screen is there all the same, and goes on once there is a file.
#[test]
fn the_screen_waits_for_no_pipe() {
    let home = Home::new();
    let folder = home.path().join(".config/switchboard");
    fs::create_dir_all(&folder).unwrap();
    set_mode(&folder, 0o700);
    let lines = "mkfifo -m 600 .config/switchboard/switchboard.toml; exec \"$0\"";
    let mut terminal = Terminal::start(home.shell(lines), 100, 30);
    terminal.wait_for("Nothing was changed, and nothing is saved until it can be read.");
    fs::remove_file(folder.join("switchboard.toml")).unwrap();
    terminal.wait_for("none yet");
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
}

#[test]
fn service_files_and_logs_that_are_pipes_are_told() {
    let user = User::new();
    let services = user.configuration().with_file_name("services");
    fs::create_dir(&services).unwrap();
    set_mode(&services, 0o700);
    let made = user.shell(&format!("mkfifo -m 600 {}/a.toml log", services.display()));
    assert_eq!(made.code, 0, "{made:?}");
    let done = user.shell(&limited("\"$0\" service list"));
    assert!(
        done.out.contains("blesta"),
        "the others are known: {done:?}"
    );
    for word in ["left out: ", "a.toml", "is not a file"] {
        assert!(done.err.contains(word), "{word:?} in {done:?}");
    }
    fs::remove_dir_all(services).unwrap();
    let done = user.shell(&limited("\"$0\" --log log connection list"));
    assert_told(&done, &["log"]);
    // A log that can't be written stops nothing, and is told once, at the end.
    let done = user.shell("\"$0\" --log /dev/full -vv probe shop --format json");
    assert_eq!(done.json()["reason"].as_str(), Some("connected"));
    assert_eq!(done.err.lines().count(), 1, "{}", done.err);
    let told = "the log /dev/full is not complete: No space left on device";
    assert!(done.err.contains(told), "{}", done.err);
    symlink("/dev/zero", user.path().join("zero")).unwrap();
    for read in [
        "probe --targets zero",
        "service check zero",
        "connection import zero",
    ] {
        let done = user.shell(&limited(&format!("\"$0\" {read}")));
        assert_told(&done, &["zero", "larger than"]);
    }
}

/// One file that is not in order is told by whoever meets it, and keeps nobody from the others.
#[test]
fn a_broken_service_file_stops_what_needs_it_alone() {
    let user = User::new();
    let services = user.configuration().with_file_name("services");
    fs::create_dir(&services).unwrap();
    set_mode(&services, 0o700);
    let broken = services.join("own.toml");
    fs::write(
        &broken,
        "[service]\nid = \"own\"\ntitle = \"Own\"\ncolour = 1\n",
    )
    .unwrap();
    set_mode(&broken, 0o600);
    let told = ["own.toml, line 4", "colour"];
    let done = user.run(&["probe", "--url", "http://127.0.0.1:9", "--format", "json"]);
    assert_eq!(done.json()["reason"], "refused", "{done:?}");
    for word in told {
        assert!(done.err.contains(word), "{word:?} in {done:?}");
    }
    let url = "http://127.0.0.1:9";
    let done = user.run(&[
        "probe",
        "--service",
        "own",
        "--url",
        url,
        "--format",
        "json",
    ]);
    assert_told(&done, &["own"]);
    let added = user.run(&["connection", "add", "own", "--service", "own", "--url", url]);
    assert_told(&added, &["own"]);
    let named = format!("\n[[connection]]\nname = \"mine\"\nservice = \"own\"\nurl = \"{url}\"\n");
    let file = user.configuration();
    fs::write(&file, fs::read_to_string(&file).unwrap() + &named).unwrap();
    let done = user.run(&["probe", "mine", "--format", "json"]);
    let verdict = done.json();
    assert_eq!(verdict["reason"], "local-error", "{done:?}");
    for word in told {
        assert!(verdict.to_string().contains(word), "{word:?} in {verdict}");
    }
    let done = user.run(&["doctor", "--strict"]);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.out.contains(told[0]), "{done:?}");
    fs::write(&broken, "[service]\nid = \"own\"\ntitle = \"Own\"\n").unwrap();
    let done = user.run(&["probe", "mine", "--format", "json"]);
    assert_eq!(done.json()["reason"], "refused", "{done:?}");
    assert!(!done.err.contains("left out"), "{done:?}");
}

/// What a shell makes for `<(…)` is read to its end, however long its writer takes.
#[test]
fn pipes_of_a_shell_are_read() {
    let user = User::new();
    let slow = "probe --targets <(sleep 0.3; echo http://127.0.0.1:9) --format ndjson";
    let done = user.shell(&format!("\"$0\" {slow}"));
    assert!(done.out.contains("\"refused\""), "{done:?}");
    let nothing = user.shell(&limited("\"$0\" probe --targets <(true) --format ndjson"));
    assert_no_panic(&nothing);
    assert!(
        nothing.code <= 3 && !nothing.err.contains("nobody writes"),
        "{nothing:?}"
    );
}

/// 65,535 × 65,535 cells are 200 gigabytes.
#[test]
fn a_terminal_that_says_it_is_huge_is_drawn_on_as_far_as_any_is() {
    let home = Home::new();
    let lines = "stty rows 65535 cols 65535; exec \"$0\" demo";
    let mut terminal = Terminal::start(home.shell(lines), 100, 30);
    // Its rows are longer than those of the terminal that is looked at: the words are there.
    terminal.wait_for("quit");
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
    terminal.last_screen();
    terminal.assert_restored();
}

#[test]
fn a_clock_beyond_all_calendars_is_told() {
    if !is_here("/usr/bin/faketime") {
        return;
    }
    let user = User::new();
    for command in ["probe shop", "history", "watch --plain --for 1s"] {
        let done = user.shell(&format!(
            "faketime -f '@9999-12-31 23:59:00' \"$0\" {command}"
        ));
        assert_told(&done, &["clock", "set it"]);
    }
    let done = user.shell("faketime -f '@1970-01-01 00:00:05' \"$0\" probe shop");
    assert_eq!(done.code, 0, "{done:?}");
}
