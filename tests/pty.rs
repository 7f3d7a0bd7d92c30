//! The real program in a terminal: the main job from typing to copying, and every way to end.
#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "what is missing shall fail the test"
)]

mod support;

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Pid, Signal};
use support::forms_of;
use support::pty::{Home, Terminal};
use support::stage::Stage;
use switchboard::domain::Secret;
use switchboard::sim::{Behaviour, Blesta};
use switchboard::store::vault::bundle::{Bundle, BundledSecret, SealTo, seal_bundle};

const COLUMNS: u16 = 100;
const ROWS: u16 = 30;

fn start(home: &Home, arguments: &[&str]) -> Terminal {
    Terminal::start(home.command(arguments), COLUMNS, ROWS)
}

/// The demonstration's key, by the seed that it always has.
fn demo_key() -> String {
    Stage::new().sim.blesta().key
}

/// Every lamp of the demonstration has settled.
fn settled(terminal: &Terminal) -> String {
    terminal.wait_until("settled lamps", |screen| {
        screen.contains("● 4 up   ▲ 3 check   ✖ 4 down   ○ 1 unknown") && !screen.contains('◌')
    })
}

/// Selects a connection of the demonstration by its name.
fn select(terminal: &mut Terminal, name: &str) {
    terminal.type_keys(&format!("/{name}\r"));
    terminal.wait_for(&format!("┌ {name} · "));
}

fn line_with<'a>(screen: &'a str, text: &str) -> &'a str {
    screen
        .lines()
        .find(|line| line.contains(text))
        .unwrap_or("")
}

/// The key with its last digit changed into another one.
fn other_digit(key: &str) -> char {
    if key.ends_with('0') { '1' } else { '0' }
}

#[test]
fn the_demonstration_settles_and_follows_one_changed_letter() {
    let home = Home::new();
    let mut terminal = start(&home, &["demo"]);
    let screen = settled(&terminal);
    assert!(
        screen.contains("0 Received: no reply in time")
            && screen.contains("no answer came in time"),
        "the worst one is selected, and names its cause:\n{screen}"
    );
    select(&mut terminal, "shop");
    terminal.type_keys("e");
    terminal.wait_until("the loaded key", |screen| {
        line_with(screen, "Key ").contains(&"•".repeat(32))
    });
    let key = demo_key();
    terminal.type_keys(&format!("\x7f{}", other_digit(&key)));
    let denied = terminal.wait_until("the refusal", |screen| {
        line_with(screen, "▸Key").contains("▲ 401 Denied")
    });
    assert!(
        line_with(&denied, "● up     *shop").contains("up"),
        "{denied}"
    );
    terminal.type_keys(&format!("\x7f{}", &key[31..]));
    terminal.wait_until("the acceptance", |screen| {
        line_with(screen, "▸Key").contains("● accepted")
            && screen.contains("● Successfully Connected")
    });
    // The same content as saved: nothing would be lost, but to be safe it is agreed to.
    terminal.type_keys("\x1bq");
    if terminal
        .wait_until("the end or the question", |screen| {
            screen.contains("Quit all the same?") || screen.contains("A rehearsal")
        })
        .contains("Quit all the same?")
    {
        terminal.says_yes_to("Quit all the same?");
    }
    assert_eq!(terminal.ended().exit_code(), 0);
    let after = terminal.last_screen();
    assert!(
        after.contains(&key) && after.contains("shop-api"),
        "{after}"
    );
    terminal.assert_restored();
    assert!(home.files().is_empty(), "a rehearsal saves nothing");
}

/// A multiplexer without UTF-8 shows `_` for each glyph: down and check could not be told apart.
#[test]
fn where_a_multiplexer_has_no_utf_8_letters_stand_for_glyphs() {
    let home = Home::new();
    let mut command = home.command(&["demo", "--no-color"]);
    command.env("LANG", "C");
    command.env("STY", "1.pts-0.host");
    let mut terminal = Terminal::start(command, COLUMNS, ROWS);
    let screen = terminal.wait_until("the lamps", |screen| {
        screen.contains("! check") && screen.contains("x down") && screen.contains("* up")
    });
    assert!(screen.is_ascii(), "{screen}");
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
}

#[test]
fn quitting_gives_the_terminal_back_and_the_credentials_to_try() {
    let home = Home::new();
    let mut terminal = start(&home, &["demo"]);
    settled(&terminal);
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
    let after = terminal.last_screen();
    assert!(after.contains(&demo_key()), "{after}");
    assert!(after.contains("marketplace (connect)"), "{after}");
    terminal.assert_restored();
    assert!(home.files().is_empty(), "a rehearsal saves nothing");
    Terminal::assert_nothing_left(terminal.process());
}

#[test]
fn a_handle_is_copied_over_ssh_exactly_and_written_nowhere() {
    let home = Home::new();
    let log = home.path().join("log");
    let mut command = home.command(&["demo", "-v", "--log", log.to_str().unwrap()]);
    command.env("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22");
    let mut terminal = Terminal::start(command, COLUMNS, ROWS);
    settled(&terminal);
    select(&mut terminal, "shop");
    terminal.type_keys("y");
    let copied = STANDARD.decode(terminal.wait_for_copy()).unwrap();
    assert_eq!(String::from_utf8(copied).unwrap(), demo_key());
    terminal.wait_for("sent; this terminal does not confirm");
    let key = demo_key();
    assert!(!terminal.screen().contains(&key));
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
    assert!(log.exists(), "a log was asked for");
    let username = Stage::new().sim.blesta().username;
    home.assert_nowhere(&forms_of(&username, &key));
}

/// Asked with the first copy, in one write; late, and in pieces, it is an answer all the same, and no key.
#[test]
fn a_terminal_that_announces_a_clipboard_is_said_to_have_it() {
    let home = Home::new();
    let mut command = home.command(&["demo"]);
    command.env("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22");
    let mut terminal = Terminal::start(command, COLUMNS, ROWS);
    settled(&terminal);
    select(&mut terminal, "shop");
    let questions = |terminal: &Terminal| {
        let raw = terminal.raw();
        let asks = |bytes: &&[u8]| *bytes == b"\x1b\\\x1b[c" || *bytes == b"\x1b[c";
        (raw.windows(3).chain(raw.windows(5)).filter(asks)).count()
    };
    assert_eq!(questions(&terminal), 0, "nothing is asked before");
    terminal.type_keys("y");
    terminal.wait_for("sent; this terminal does not confirm");
    terminal.wait_until("a countdown", |text| text.contains("clears in 18"));
    assert_eq!(questions(&terminal), 2, "once, and behind the copy");
    for piece in ["\x1b[?62;", "22;5", "2c"] {
        terminal.type_keys(piece);
        terminal.let_pass(Duration::from_millis(20));
    }
    terminal.wait_for("copied → your terminal (OSC 52), clears in 1");
    terminal.type_keys("y");
    let again = terminal.wait_for("clears in 20");
    assert!(again.contains("copied → your terminal (OSC 52)"), "{again}");
    assert!(again.contains("y copy"), "no key was pressed: {again}");
    assert_eq!(questions(&terminal), 2);
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
    terminal.assert_restored();
}

/// The answer comes while the program ends: whoever reads next does not get it.
#[test]
fn what_the_terminal_answers_at_the_end_is_not_left_to_the_shell() {
    let home = Home::new();
    let mut command =
        home.shell("\"$0\" demo; echo ready; read -r -t 30 line; printf '<%q>' \"$line\"");
    command.env("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22");
    let mut terminal = Terminal::start(command, COLUMNS, ROWS);
    settled(&terminal);
    select(&mut terminal, "shop");
    terminal.type_keys("y");
    terminal.wait_for_copy();
    terminal.type_keys("q");
    terminal.let_pass(Duration::from_millis(100));
    terminal.type_keys("\x1b[?62;52c");
    terminal.wait_for("ready");
    terminal.type_keys("line\r");
    terminal.wait_for("<line>");
    assert_eq!(terminal.ended().exit_code(), 0);
}

#[test]
fn a_handle_is_shown_and_hidden_again() {
    let home = Home::new();
    let mut terminal = start(&home, &["demo"]);
    settled(&terminal);
    select(&mut terminal, "shop");
    let key = demo_key();
    assert!(!terminal.screen().contains(&key));
    terminal.type_keys("v");
    terminal.wait_for(&key);
    terminal.type_keys("v");
    terminal.wait_until("the hidden key", |screen| !screen.contains(&key));
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
}

/// Types a connection to `url`, sees it accepted, and saves it into a new vault.
fn type_and_save(terminal: &mut Terminal, url: &str, blesta: &Blesta, passphrase: &str) {
    terminal.wait_for("none yet");
    terminal.type_keys("n");
    terminal.wait_for("new, not saved");
    terminal.type_keys(url);
    terminal.wait_for("● service found");
    terminal.type_keys(&format!("\t{}\t{}", blesta.username, blesta.key));
    terminal.wait_for("● Successfully Connected");
    terminal.type_keys("\x13");
    terminal.wait_for("Keep secrets");
    let screen = terminal.wait_for("vault:");
    if !line_with(&screen, "vault:").contains('▸') {
        terminal.type_keys("j");
        terminal.wait_until("the vault's row", |screen| {
            line_with(screen, "vault:").contains("▸ ")
        });
    }
    terminal.type_keys("\r");
    terminal.wait_for("New vault");
    terminal.type_keys(&format!("{passphrase}\r{passphrase}\r"));
    terminal.wait_for("is saved");
}

#[test]
fn a_connection_is_typed_tested_saved_and_there_again() {
    let mut stage = Stage::new();
    let blesta = stage.sim.blesta();
    let stand = stage.raise(|sim| sim.serve(Behaviour::Blesta(blesta.clone())));
    let home = Home::new();
    let mut first = start(&home, &[]);
    type_and_save(&mut first, &stand.url, &blesta, "correct horse");
    assert!(!first.screen().contains(&blesta.key));
    first.type_keys("q");
    assert_eq!(first.ended().exit_code(), 0);
    first.assert_restored();
    home.assert_nowhere(&forms_of(&blesta.username, &blesta.key));
    home.assert_nowhere(&["correct horse"]);

    let mut second = start(&home, &[]);
    second.wait_for("127.0.0.1");
    second.type_keys("v");
    second.wait_for("The vault is locked");
    second.type_keys("wrong horse\r");
    second.wait_for("the passphrase is not the right one");
    assert!(!second.screen().contains(&blesta.key));
    second.type_keys("correct horse\r");
    second.wait_for(&blesta.key);
    second.type_keys("q");
    assert_eq!(second.ended().exit_code(), 0);
    second.assert_restored();
    assert_eq!(
        second.last_screen().trim(),
        "",
        "nothing is left on the screen"
    );
    assert!(!stage.sim.log().all().is_empty());
}

#[test]
fn ctrl_c_ends_the_question_of_an_import_and_not_the_screen() {
    let home = Home::new();
    let mut terminal = start(&home, &[]);
    terminal.wait_for("none yet");
    terminal.type_keys("I");
    terminal.wait_for("File (nothing goes back):");
    terminal.type_keys("\u{3}");
    terminal.wait_for("Enter goes back to the screen.");
    terminal.type_keys("\u{3}");
    terminal.wait_for("┌ Connections");
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
}

#[test]
fn of_the_demonstration_nothing_runs_on_behind_the_screen() {
    let home = Home::new();
    let mut terminal = start(&home, &[]);
    terminal.wait_for("none yet");
    // Threads for files end after a second.
    let pause = Duration::from_millis(1_500);
    terminal.let_pass(pause);
    let threads = terminal.wakes().len();
    terminal.type_keys("D");
    terminal.wait_for("branch");
    terminal.type_keys("q");
    terminal.wait_for("none yet");
    let left = || terminal.wakes().len();
    assert!(
        (0..20).any(|_| {
            terminal.let_pass(pause);
            left() <= threads
        }),
        "{} threads, and not {threads}",
        left()
    );
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
}

#[test]
fn a_bundle_comes_in_from_the_screen_and_the_vault_stays_open() {
    let mut stage = Stage::new();
    let blesta = stage.sim.blesta();
    let stand = stage.raise(|sim| sim.serve(Behaviour::Blesta(blesta.clone())));
    let home = Home::new();
    let mut terminal = start(&home, &[]);
    type_and_save(&mut terminal, &stand.url, &blesta, "correct horse");
    // From a colleague: another one of the same name, whose key goes to the vault.
    let brought = "SU-111-222:from-a-colleague";
    let definitions = "version = 1\n[[connection]]\nname = \"127.0.0.1\"\nservice = \"connect\"\n\
                       url = \"http://127.0.0.1:9/public/v1\"\n";
    let bundle = Bundle {
        definitions: definitions.to_owned(),
        secrets: vec![BundledSecret {
            connection: "127.0.0.1".to_owned(),
            part: "key".to_owned(),
            value: Secret::new(brought),
        }],
    };
    let passphrase = SealTo::Passphrase(Secret::new("battery staple"));
    std::fs::write(
        home.path().join("b.age"),
        seal_bundle(&bundle, &passphrase).unwrap(),
    )
    .unwrap();

    terminal.type_keys("I");
    terminal.wait_for("File (nothing goes back):");
    terminal.type_keys("~/b.age\r");
    terminal.wait_for("bundle passphrase:");
    terminal.type_keys("battery staple\r");
    let offered = terminal.wait_for("Where are its secrets kept:");
    assert!(offered.contains("vault, none [vault]?"), "{offered}");
    terminal.type_keys("\r");
    terminal.wait_for("+ 127.0.0.1-2  connect");
    terminal.type_keys("\r");
    terminal.wait_for("127.0.0.1-2");
    assert!(
        !terminal.screen().contains("locked"),
        "{}",
        terminal.screen()
    );
    terminal.type_keys("/127.0.0.1-2\r");
    terminal.wait_for("┌ 127.0.0.1-2 · ");
    terminal.type_keys("v");
    terminal.wait_for(brought);
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
    home.assert_nowhere(&[brought, "battery staple", "correct horse"]);
}

/// A connection is added by a command on a terminal; `further` are its last arguments.
fn adding(home: &Home, further: &[&str]) -> Terminal {
    let url = "http://127.0.0.1:9";
    let add = [
        "connection",
        "add",
        "shop",
        "--service",
        "blesta",
        "--url",
        url,
    ];
    let key = ["--username", "shop-api", "--key-stdin"];
    start(home, &[&add[..], &key, further].concat())
}

#[test]
fn what_can_t_be_saved_is_told_before_the_key_is_typed() {
    let home = Home::new();
    let mut terminal = adding(&home, &[]);
    assert_eq!(terminal.ended().exit_code(), 3);
    let said = terminal.last_screen();
    assert!(said.contains("--store vault"), "{said}");
    assert!(!said.contains("key: "), "{said}");
}

#[test]
fn two_passphrases_that_differ_are_asked_for_again_and_the_key_is_kept() {
    let home = Home::new();
    let mut terminal = adding(&home, &["--store", "vault"]);
    terminal.wait_for("key: ");
    terminal.type_keys("0123456789abcdef0123456789abcdef\r");
    let tries = ["correct horse battry", "correct horse battery"];
    for (asked, second) in (1..).zip(tries) {
        for (question, typed) in [
            (
                "choose a passphrase for the vault: ",
                "correct horse battery",
            ),
            ("the same again: ", second),
        ] {
            terminal.wait_until(question, |screen| {
                screen.matches(question.trim()).count() == asked
            });
            terminal.type_keys(&format!("{typed}\r"));
        }
    }
    assert_eq!(terminal.ended().exit_code(), 0, "{}", terminal.screen());
}

/// Ends the demonstration by a signal: its code, a restored terminal, nothing left behind.
fn ends_by(signal: Signal, code: u32) {
    let home = Home::new();
    let mut terminal = start(&home, &["demo"]);
    terminal.wait_for("branch");
    let session = terminal.process();
    terminal.signal(signal);
    assert_eq!(terminal.ended().exit_code(), code);
    terminal.last_screen();
    terminal.assert_restored();
    Terminal::assert_nothing_left(session);
}

#[test]
fn sigterm_ends_it_with_143() {
    ends_by(Signal::TERM, 143);
}

#[test]
fn sighup_ends_it_with_129() {
    ends_by(Signal::HUP, 129);
}

#[test]
fn sigint_ends_it_with_130() {
    ends_by(Signal::INT, 130);
}

#[test]
fn sigquit_ends_it_with_131() {
    ends_by(Signal::QUIT, 131);
}

#[test]
fn a_draft_that_a_signal_takes_with_it_is_named_without_what_was_typed() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let home = Home::new();
        let mut terminal = start(&home, &[]);
        terminal.wait_for("none yet");
        terminal.type_keys("nshop.invalid\t");
        terminal.wait_for("shop.invalid");
        terminal.signal(signal);
        assert_eq!(terminal.ended().exit_code(), code);
        let last = terminal.last_screen();
        assert!(
            last.contains("switchboard: a new connection was not saved, and is lost"),
            "{last}"
        );
        assert!(!last.contains("shop.invalid"), "{last}");
        terminal.assert_restored();
    }
}

#[test]
fn other_signals_that_end_a_program_give_the_terminal_back_too() {
    ends_by(Signal::USR1, 138);
    ends_by(Signal::USR2, 140);
    ends_by(Signal::ALARM, 142);
}

/// Stops the screen by Ctrl-Z, and has the shell end the job by a signal while it is in the background.
fn ends_while_stopped(lines: &str, code: u8) {
    let home = Home::new();
    // Until the shell has heard that the job goes on, it waits for none that is stopped, and then forgets the job. Where it
    // hears of the end before it waits, it tells that, and forgets the job as well.
    let ended = "until [ \"$(jobs -sp)\" = '' ]; do :; done; wait $job; echo ENDED $?";
    let begun = "set -m; \"$0\" demo; echo STOPPED $?; job=$(jobs -p)";
    let lines = format!("{begun}; {lines}; {ended}");
    let mut terminal = Terminal::start(home.shell(&lines), COLUMNS, ROWS);
    terminal.wait_for("branch");
    terminal.type_keys("\x1a");
    terminal.wait_for("STOPPED 148");
    let told = [format!("ENDED {code}"), format!("Exit {code} ")];
    terminal.wait_until("its exit code", |screen| {
        told.iter().any(|words| screen.contains(words))
    });
    terminal.ended();
    terminal.assert_given_back();
}

#[test]
fn a_signal_to_a_stopped_job_ends_it() {
    ends_while_stopped("kill %1", 143);
    ends_while_stopped("kill -HUP %1", 129);
}

#[test]
fn a_job_that_was_sent_to_the_background_ends_by_a_signal_too() {
    let stops_again = "bg; until [ \"$(jobs -rp)\" = '' ]; do :; done; kill %1";
    ends_while_stopped(stops_again, 143);
}

#[test]
fn a_signal_ends_it_in_the_midst_of_typing() {
    let home = Home::new();
    let mut terminal = start(&home, &["demo"]);
    terminal.wait_for("branch");
    terminal.type_keys("n");
    terminal.wait_for("new, not saved");
    terminal.type_keys("https://example.com/");
    terminal.wait_for("https://example.com/");
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.ended().exit_code(), 143);
    terminal.last_screen();
    terminal.assert_restored();
}

#[test]
fn a_terminal_that_goes_away_ends_it() {
    let home = Home::new();
    let mut terminal = start(&home, &["demo"]);
    terminal.wait_for("branch");
    let session = terminal.process();
    terminal.hang_up();
    assert_eq!(terminal.ended().exit_code(), 129);
    Terminal::assert_nothing_left(session);
}

#[test]
fn with_sighup_ignored_it_ends_too() {
    let home = Home::new();
    let command = home.shell("trap '' HUP; exec \"$0\" demo");
    let mut terminal = Terminal::start(command, COLUMNS, ROWS);
    terminal.wait_for("branch");
    terminal.hang_up();
    assert_eq!(terminal.ended().exit_code(), 129);
}

#[test]
fn where_no_signal_tells_it_sees_itself_that_the_terminal_is_gone() {
    let home = Home::new();
    // In a session without this terminal nobody sends SIGHUP.
    let lines = "trap '' HUP; setsid -w \"$0\" demo; echo $? >code.new; mv code.new code";
    let mut terminal = Terminal::start(home.shell(lines), COLUMNS, ROWS);
    terminal.wait_for("branch");
    terminal.hang_up();
    terminal.ended();
    assert_eq!(
        std::fs::read_to_string(home.path().join("code"))
            .unwrap()
            .trim(),
        "129"
    );
}

#[test]
fn it_is_suspended_and_continued_by_the_shell() {
    let home = Home::new();
    let lines = "set -m; \"$0\" demo; echo STOPPED $?; read -r line; fg >/dev/null; echo ENDED $?";
    let mut terminal = Terminal::start(home.shell(lines), COLUMNS, ROWS);
    terminal.wait_for("branch");
    terminal.type_keys("\x1a");
    terminal.wait_for("STOPPED 148");
    terminal.assert_given_back();
    terminal.type_keys("go\r");
    terminal.wait_for("branch");
    terminal.type_keys("q");
    terminal.wait_for("ENDED 0");
    terminal.ended();
    terminal.assert_given_back();
}

#[test]
fn on_a_dumb_terminal_it_says_so_and_draws_nothing() {
    for arguments in [&[][..], &["demo"]] {
        let home = Home::new();
        let mut command = home.command(arguments);
        command.env("TERM", "dumb");
        let mut terminal = Terminal::start(command, COLUMNS, ROWS);
        assert_eq!(terminal.ended().exit_code(), 3);
        let screen = terminal.last_screen();
        assert!(screen.contains("by TERM=dumb"), "{screen}");
        assert!(screen.contains("hint:"), "{screen}");
        assert!(!terminal.raw().contains(&0x1b), "no escape sequence");
        terminal.assert_restored();
    }
}

/// What stands on a terminal that knows no alternate screen.
fn on_the_only_screen(raw: &[u8]) -> String {
    let raw = String::from_utf8_lossy(raw);
    let raw = raw.replace("\x1b[?1049h", "").replace("\x1b[?1049l", "");
    let size = |n| std::num::NonZeroU16::new(n).unwrap();
    let mut parser = vt100::Parser::new(size(ROWS), size(COLUMNS), 0);
    parser.process(raw.as_bytes());
    parser.screen().contents()
}

#[test]
fn where_there_is_no_alternate_screen_the_shell_finds_nothing_of_the_drawing() {
    let home = Home::new();
    let lines = "set -m; \"$0\" demo; echo STOPPED $?; read -r line; fg >/dev/null; echo ENDED $?";
    let mut terminal = Terminal::start(home.shell(lines), COLUMNS, ROWS);
    settled(&terminal);
    select(&mut terminal, "shop");
    terminal.type_keys("v");
    terminal.wait_for(&demo_key());
    assert!(on_the_only_screen(&terminal.raw()).contains(&demo_key()));
    terminal.type_keys("\x1a");
    terminal.wait_for("STOPPED 148");
    let shell = on_the_only_screen(&terminal.raw());
    assert!(
        !shell.contains(&demo_key()) && !shell.contains("Connections"),
        "{shell}"
    );
    terminal.type_keys("go\r");
    terminal.wait_for("┌ shop · ");
    assert!(
        !terminal.screen().contains(&demo_key()),
        "it is not shown again"
    );
    terminal.type_keys("q");
    terminal.wait_for("ENDED 0");
    terminal.ended();
    let raw = String::from_utf8(terminal.raw()).unwrap();
    let cleared = raw.split("\x1b[?1049h").filter(|it| it.contains("\x1b[2J"));
    assert!(
        cleared.count() <= 2,
        "2J moves what is shown into a history"
    );
}

/// The demonstration as a shell's job, with the number of its process in a file.
const DEMO_AS_A_JOB: &str = "set -m; (echo $BASHPID >pid; exec \"$0\" demo); echo STOPPED $?; read -r line; \
                             fg >/dev/null; echo ENDED $?";

/// The process whose number a shell has written.
fn noted_process(home: &Home) -> Pid {
    let number = std::fs::read_to_string(home.path().join("pid")).unwrap();
    Pid::from_raw(number.trim().parse().unwrap()).unwrap()
}

/// The line `name` of every thread's status, as a number of bits.
fn bits_of_threads(process: Pid, name: &str) -> Vec<u64> {
    let threads = std::fs::read_dir(format!("/proc/{}/task", process.as_raw_nonzero())).unwrap();
    let bits = threads.flatten().filter_map(|thread| {
        let status = std::fs::read_to_string(thread.path().join("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        u64::from_str_radix(line.trim(), 16).ok()
    });
    bits.collect()
}

/// The bit of the signal to stop, as the kernel writes it.
fn stop_bit() -> u64 {
    1 << (Signal::TSTP.as_raw() - 1)
}

#[test]
fn stopped_by_a_signal_from_outside_it_gives_the_terminal_back_first() {
    let home = Home::new();
    let mut terminal = Terminal::start(home.shell(DEMO_AS_A_JOB), COLUMNS, ROWS);
    settled(&terminal);
    let process = noted_process(&home);
    select(&mut terminal, "shop");
    terminal.type_keys("y");
    terminal.wait_for_copy();
    terminal.type_keys("v");
    terminal.wait_for(&demo_key());
    rustix::process::kill_process(process, Signal::TSTP).unwrap();
    // The shell tells the signal by its number, as after a Ctrl-Z.
    let shell = terminal.wait_for("STOPPED 148");
    assert!(shell.contains("switchboard: clipboard: "), "{shell}");
    terminal.assert_given_back();
    let shell = on_the_only_screen(&terminal.raw());
    assert!(
        !shell.contains(&demo_key()) && !shell.contains("Connections"),
        "{shell}"
    );
    let last = terminal.copies().pop().unwrap();
    assert_eq!(STANDARD.decode(last).unwrap(), b" ", "it is taken back");
    terminal.type_keys("go\r");
    let screen = terminal.wait_for("┌ shop · ");
    assert!(!screen.contains(&demo_key()), "it is not shown again");

    // In a field, too, where the key undoes; and what was typed is there afterwards.
    terminal.type_keys("n");
    terminal.wait_for("new, not saved");
    terminal.type_keys("https://example.com/");
    terminal.wait_for("https://example.com/");
    rustix::process::kill_process(process, Signal::TSTP).unwrap();
    terminal.wait_for("ENDED 148");
    terminal.ended();
    terminal.assert_given_back();
}

#[test]
fn a_stop_from_outside_takes_effect_each_time_and_in_no_thread_before() {
    let home = Home::new();
    let lines = "set -m; (echo $BASHPID >pid; exec \"$0\" demo); echo STOPPED $?; read -r line; \
                 fg >/dev/null; echo AGAIN $?; read -r line; fg >/dev/null; echo ENDED $?";
    let mut terminal = Terminal::start(home.shell(lines), COLUMNS, ROWS);
    settled(&terminal);
    let process = noted_process(&home);
    let blocked = bits_of_threads(process, "SigBlk:");
    assert!(blocked.len() > 1, "{blocked:?}");
    let holds = |bits: &u64| bits & stop_bit() != 0;
    assert!(blocked.iter().all(holds), "{blocked:x?}");
    for said in ["STOPPED 148", "AGAIN 148"] {
        rustix::process::kill_process(process, Signal::TSTP).unwrap();
        terminal.wait_for(said);
        terminal.assert_given_back();
        terminal.type_keys("go\r");
        settled(&terminal);
    }
    let blocked = bits_of_threads(process, "SigBlk:");
    assert!(blocked.iter().all(holds), "{blocked:x?}");
    terminal.type_keys("q");
    terminal.wait_for("ENDED 0");
    terminal.ended();
    terminal.assert_given_back();
}

#[test]
fn where_nobody_could_continue_it_or_stops_are_ignored_it_goes_on() {
    // The first does not even hear of it; the second gives the terminal back, and takes it again.
    for (lines, entered) in [
        ("trap '' TSTP; exec \"$0\" demo", 1),
        ("exec \"$0\" demo", 2),
    ] {
        let home = Home::new();
        let mut terminal = Terminal::start(home.shell(lines), COLUMNS, ROWS);
        settled(&terminal);
        terminal.signal(Signal::TSTP);
        let enters = |raw: &[u8]| {
            raw.windows(8)
                .filter(|it| it.starts_with(b"\x1b[?1049h"))
                .count()
        };
        terminal.wait_for_bytes("the screen again", |raw| enters(raw) == entered);
        terminal.type_keys("n");
        terminal.wait_for("new, not saved");
        terminal.signal(Signal::TERM);
        assert_eq!(terminal.ended().exit_code(), 143);
        terminal.last_screen();
        terminal.assert_restored();
    }
}

#[test]
fn what_the_screen_starts_can_be_stopped() {
    let home = Home::new();
    let note = "grep ^SigBlk: /proc/self/status >mask.new; mv mask.new mask; echo {KEY}";
    let key = demo_key();
    std::fs::write(home.path().join("key"), note.replace("{KEY}", &key)).unwrap();
    let add = "\"$0\" connection add shop --service blesta --url http://127.0.0.1:9 --username u \
               --key-ref \"cmd:sh $HOME/key\" && exec \"$0\"";
    let mut terminal = Terminal::start(home.shell(add), COLUMNS, ROWS);
    terminal.wait_for("┌ shop · ");
    terminal.type_keys("v");
    terminal.wait_for(&key);
    let mask = std::fs::read_to_string(home.path().join("mask")).unwrap();
    let bits = mask.trim().strip_prefix("SigBlk:").unwrap().trim();
    let bits = u64::from_str_radix(bits, 16).unwrap();
    assert_eq!(bits & stop_bit(), 0, "{mask}");
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
}

#[test]
fn of_another_size_after_a_stop_it_is_drawn_to_that() {
    let (home, other) = (Home::new(), Home::new());
    let fresh = Terminal::start(other.command(&[]), 70, 20);
    let fresh = fresh.wait_for("none yet");
    let lines = "set -m; \"$0\"; echo STOPPED $?; read -r line; fg >/dev/null; echo ENDED $?";
    let mut terminal = Terminal::start(home.shell(lines), COLUMNS, ROWS);
    terminal.wait_for("none yet");
    terminal.type_keys("\x1a");
    terminal.wait_for("STOPPED 148");
    // The shell is told of it, who has the terminal now, and not the program.
    terminal.resize(70, 20);
    terminal.type_keys("go\r");
    terminal.wait_until("the screen in its new size", |screen| screen == fresh);
    terminal.type_keys("q");
    terminal.wait_for("ENDED 0");
    terminal.ended();
    terminal.assert_restored();
}

#[test]
fn what_wrote_over_the_screen_goes_by_ctrl_l() {
    let home = Home::new();
    let lines = "mkfifo go; { read -r line <go; printf '\\033[3;3HSCRIBBLE'; } & exec \"$0\"";
    let mut terminal = Terminal::start(home.shell(lines), COLUMNS, ROWS);
    let before = terminal.wait_for("none yet");
    std::fs::write(home.path().join("go"), "now\n").unwrap();
    terminal.wait_for("SCRIBBLE");
    terminal.type_keys("\x0c");
    terminal.wait_until("the screen as it was", |screen| screen == before);
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
}

#[test]
fn stopped_and_continued_from_outside_it_goes_on() {
    let home = Home::new();
    let lines = "mkfifo go; { read -r line <go; printf '\\033[3;3HSCRIBBLE'; } & exec \"$0\"";
    let mut terminal = Terminal::start(home.shell(lines), COLUMNS, ROWS);
    let before = terminal.wait_for("none yet");
    terminal.signal(Signal::STOP);
    terminal.wait_until_stopped();
    // Whoever else has the terminal meanwhile writes over it.
    std::fs::write(home.path().join("go"), "now\n").unwrap();
    terminal.wait_for("SCRIBBLE");
    terminal.signal(Signal::CONT);
    terminal.wait_until("the screen as it was", |screen| screen == before);
    terminal.type_keys("n");
    terminal.wait_for("new, not saved");
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.ended().exit_code(), 143);
    terminal.last_screen();
    terminal.assert_restored();
}

/// A new connection without secrets, saved although it does not answer.
fn save_unanswered(terminal: &mut Terminal, url: &str) {
    terminal.type_keys("n");
    terminal.wait_for("new, not saved");
    terminal.type_keys(url);
    terminal.wait_for(url);
    terminal.type_keys("\x13");
    terminal.wait_for("y save");
    terminal.says_yes_to("y save");
}

#[test]
fn two_copies_keep_each_others_connections() {
    let home = Home::new();
    let (mut left, mut right) = (start(&home, &[]), start(&home, &[]));
    left.wait_for("none yet");
    right.wait_for("none yet");
    save_unanswered(&mut left, "http://127.0.0.2:9");
    left.wait_for("127.0.0.2 is saved");
    save_unanswered(&mut right, "http://127.0.0.3:9");
    right.wait_for("127.0.0.3 is saved");
    save_unanswered(&mut left, "http://127.0.0.4:9");
    left.wait_for("127.0.0.4 is saved");
    for terminal in [&left, &right] {
        terminal.wait_until("all three", |screen| {
            ["127.0.0.2", "127.0.0.3", "127.0.0.4"].iter().all(|name| {
                screen
                    .lines()
                    .any(|line| line.starts_with('│') && line.contains(name))
            }) && screen.contains("─ 3 ┐")
        });
    }
    for terminal in [&mut left, &mut right] {
        terminal.type_keys("q");
        assert_eq!(terminal.ended().exit_code(), 0);
    }
    let listed = support::commands::switchboard(home.path(), &["connection", "list"], &[], "");
    for name in ["127.0.0.2", "127.0.0.3", "127.0.0.4"] {
        assert!(listed.out.contains(name), "{listed:?}");
    }
}

/// Writes a configuration where the program looks for it.
fn configure(home: &Home, text: &str) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let folder = home.path().join(".config/switchboard");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("switchboard.toml");
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o700)).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    file
}

/// Every change of colours in what was written.
fn colours(terminal: &Terminal) -> std::collections::BTreeSet<String> {
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    raw.split("\x1b[")
        .filter_map(|sequence| Some(sequence.split_once('m')?.0.to_owned()))
        .filter(|codes| codes.chars().all(|c| c.is_ascii_digit() || c == ';'))
        .collect()
}

#[test]
fn the_settings_choose_colours_and_the_mouse() {
    let shown = |settings: &str, arguments: &[&str]| {
        let home = Home::new();
        configure(&home, &format!("version = 1\n\n[settings]\n{settings}"));
        let mut terminal = start(&home, arguments);
        terminal.wait_for("none yet");
        let colours = colours(&terminal);
        let mouse = terminal
            .raw()
            .windows(8)
            .any(|bytes| bytes == b"\x1b[?1000h");
        terminal.type_keys(":mouse\r");
        terminal.wait_for(if mouse { "mouse off" } else { "mouse on" });
        terminal.type_keys("q");
        assert_eq!(terminal.ended().exit_code(), 0);
        (colours, mouse)
    };
    let (plain, off) = shown("", &[]);
    let (set, on) = shown("theme = \"high-contrast\"\nmouse = true\n", &[]);
    assert!(on && !off);
    assert_ne!(set, plain);
    assert_eq!(set, shown("", &["--theme", "high-contrast"]).0);
    let (flag, _) = shown("theme = \"high-contrast\"\n", &["--theme", "dark"]);
    assert_eq!(flag, plain, "the flag comes first");
}

#[test]
fn a_broken_configuration_is_told_with_its_line_and_left_alone() {
    let broken = "version = 1\n\n[[connection]\nname = \"shop\"\n";
    let home = Home::new();
    let file = configure(&home, broken);
    let mut terminal = start(&home, &[]);
    terminal.wait_for("not readable");
    let screen = terminal.wait_for("line 3");
    assert!(screen.contains("Nothing was changed"), "{screen}");
    terminal.type_keys("n");
    terminal.wait_for("nothing is changed while");
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
    terminal.assert_restored();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), broken);
}

#[test]
fn a_configuration_that_is_mended_meanwhile_is_read() {
    let home = Home::new();
    configure(&home, "[[connection]\n");
    let mut terminal = start(&home, &[]);
    terminal.wait_for("not readable");
    configure(&home, "version = 1\n");
    terminal.wait_for("none yet");
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
}

#[test]
fn a_read_only_configuration_is_told_and_left_alone() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let file = configure(&home, "# mine\nversion = 1\n");
    // The administrator may write everything: then the program runs as nobody.
    let is_root = rustix::process::geteuid().is_root();
    let lines = if is_root {
        std::fs::copy(
            env!("CARGO_BIN_EXE_switchboard"),
            home.path().join("program"),
        )
        .unwrap();
        for path in [
            ".",
            ".config",
            ".config/switchboard",
            ".config/switchboard/switchboard.toml",
        ] {
            std::os::unix::fs::chown(home.path().join(path), Some(65534), Some(65534)).unwrap();
        }
        "exec setpriv --reuid=65534 --regid=65534 --clear-groups ./program"
    } else {
        "exec \"$0\""
    };
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o400)).unwrap();
    let folder = file.parent().unwrap().to_owned();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o500)).unwrap();
    let mut terminal = Terminal::start(home.shell(lines), COLUMNS, ROWS);
    terminal.wait_for("none yet");
    save_unanswered(&mut terminal, "http://127.0.0.2:9");
    let screen = terminal.wait_for("not saved:");
    assert!(
        screen.contains("http://127.0.0.2:9"),
        "the draft is kept:\n{screen}"
    );
    terminal.type_keys("\x1bq");
    terminal.wait_for("Quit all the same?");
    terminal.says_yes_to("Quit all the same?");
    assert_eq!(terminal.ended().exit_code(), 0);
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        "# mine\nversion = 1\n"
    );
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o700)).unwrap();
}

#[test]
fn a_tiny_terminal_says_what_it_needs_and_grows() {
    let home = Home::new();
    let mut terminal = Terminal::start(home.command(&["demo"]), 10, 3);
    terminal.wait_for("needs 20");
    terminal.type_keys("jk");
    terminal.resize(COLUMNS, ROWS);
    terminal.wait_for("Connections");
    terminal.resize(1, 1);
    terminal.resize(40, 12);
    terminal.wait_for("branch");
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
}

/// The lines of the boxes alone: what else stands there changes by itself.
fn boxes(screen: &str) -> Vec<String> {
    let keep = |c: char| {
        if "┌┐└┘─│├┤".contains(c) {
            c
        } else {
            ' '
        }
    };
    let rows = screen.lines().take(usize::from(ROWS) - 1).skip(1);
    rows.map(|row| row.chars().map(keep).collect()).collect()
}

/// Whether every row of the boxes begins and ends as it should.
fn is_framed(boxes: &[String]) -> bool {
    let last = boxes.len().saturating_sub(1);
    let within = |row: &String| row.starts_with('│') && row.ends_with(['│', '┤']);
    boxes.len() == usize::from(ROWS) - 2
        && boxes[0].starts_with('┌')
        && boxes[0].ends_with('┐')
        && boxes[1..last].iter().all(within)
        && boxes[last].starts_with('└')
        && boxes[last].ends_with('┘')
}

/// A thousand sizes in a second, from 1×1 to 300×100, while somebody types and probes end.
#[test]
fn a_storm_of_resizes_loses_no_key_and_ends_in_the_right_picture() {
    let home = Home::new();
    let mut terminal = start(&home, &["demo"]);
    terminal.wait_for("branch");
    terminal.type_keys("n");
    terminal.wait_for("new, not saved");
    let (mut typed, mut memory) = ("http://127.0.0.1:9/".to_owned(), Vec::new());
    terminal.type_keys(&typed);
    for _ in 0..3 {
        let began = Instant::now();
        for at in 0_u16..1_000 {
            match at % 10 {
                0 => terminal.resize(1, 1),
                5 => terminal.resize(300, 100),
                _ => terminal.resize(1 + at * 37 % 300, 1 + at * 13 % 100),
            }
            if at % 20 == 7 {
                let letter = char::from(b'a' + u8::try_from(at / 20 % 26).unwrap());
                terminal.type_keys(letter.encode_utf8(&mut [0; 4]));
                typed.push(letter);
            }
            // One a millisecond: the program is to see as many of them as it can.
            let due = Duration::from_millis(u64::from(at) + 1);
            terminal.let_pass(due.saturating_sub(began.elapsed()));
        }
        // Smaller for a moment, which the program need not have seen.
        terminal.resize(300, 100);
        terminal.wait_for(&typed);
        terminal.resize(9, 3);
        terminal.resize(300, 100);
        terminal.wait_for(&typed);
        memory.push(terminal.memory());
        terminal.resize(COLUMNS, ROWS);
        let framed = |screen: &str| is_framed(&boxes(screen));
        let picture = boxes(&terminal.wait_until("whole boxes", framed));
        // Drawn anew from nothing, it is the same; the second letter says that it was drawn to its end.
        for keys in ["\x0cZ", "Y"] {
            terminal.type_keys(keys);
            typed.push_str(keys.trim_start_matches('\x0c'));
            terminal.wait_for(&typed[typed.len() - 12..]);
        }
        terminal.wait_until("the same picture", |screen| boxes(screen) == picture);
    }
    let grown = memory[2].saturating_sub(memory[0]);
    assert!(grown < 16 * 1024 * 1024, "bytes held: {memory:?}");
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.ended().exit_code(), 143);
    terminal.last_screen();
    terminal.assert_restored();
}

/// The wrong thing in the clipboard: it is said, goes nowhere, holds nothing up, and what is typed behind it is
/// there. Without an end it is kept from the fields until the end comes.
#[test]
fn a_paste_of_ten_megabytes_goes_nowhere_and_holds_nothing_up() {
    let home = Home::new();
    let mut terminal = start(&home, &["demo"]);
    terminal.wait_for("branch");
    let flood = "0123456789abcdef".repeat(10 * 1024 * 1024 / 16);
    let before = terminal.memory();
    terminal.paste(&flood);
    terminal.wait_for("nothing of it was taken");
    terminal.type_keys("n");
    terminal.wait_for("new, not saved");
    for (field, typed, shown) in [
        ("URL", "ab", "ab"),
        ("Username", "cd", "cd"),
        ("Key", "ef", "••"),
    ] {
        terminal.paste(&flood);
        terminal.type_keys(typed);
        let of_field = format!("▸{field:<10}{shown} ");
        let screen = terminal.wait_for(&of_field);
        assert!(!screen.contains("0123456789"), "{screen}");
        terminal.type_keys("\t");
    }
    terminal.wait_for("▸Token");
    terminal.type_keys("\x1b[200~");
    terminal.type_keys(&flood);
    terminal.type_keys("not yet\x1b[201~gh");
    terminal.wait_for("▸Token     •• ");
    let grown = terminal.memory().saturating_sub(before);
    assert!(grown < 32 * 1024 * 1024, "{grown} bytes are held");
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.ended().exit_code(), 143, "by itself");
    terminal.last_screen();
    terminal.assert_restored();
}

#[test]
fn escape_sequences_of_a_service_never_reach_the_terminal() {
    let mut stage = Stage::new();
    let mut blesta = stage.sim.blesta();
    blesta.companies[0].name = "Ev\x1b]0;pwned\x07il\x1b[31mRed\u{9b}32m\u{202e}Ltd".into();
    let stand = stage.raise(|sim| sim.serve(Behaviour::Blesta(blesta.clone())));
    let home = Home::new();
    let mut terminal = start(&home, &[]);
    terminal.wait_for("none yet");
    terminal.type_keys("n");
    terminal.wait_for("new, not saved");
    terminal.type_keys(&stand.url);
    terminal.wait_for("● service found");
    terminal.type_keys(&format!("\t{}\t{}", blesta.username, blesta.key));
    terminal.wait_for("● Successfully Connected");
    let screen = terminal.wait_for("company ");
    assert!(line_with(&screen, "company ").contains("Red"), "{screen}");
    let raw = terminal.raw();
    for sequence in ["\x1b]0;", "\x07", "\x1b[31mRed", "\u{9b}", "\u{202e}"] {
        let bytes = sequence.as_bytes();
        assert!(
            !raw.windows(bytes.len()).any(|window| window == bytes),
            "{sequence:?} came through"
        );
    }
    terminal.signal(Signal::TERM);
    terminal.ended();
}

#[test]
fn at_rest_it_uses_no_processor_time() {
    let home = Home::new();
    let mut terminal = start(&home, &[]);
    terminal.wait_for("none yet");
    // What is begun at the start has ended by then.
    terminal.let_pass(Duration::from_secs(1));
    let before = (terminal.ticks(), terminal.wakes(), terminal.raw().len());
    terminal.let_pass(Duration::from_secs(2));
    let used = terminal.ticks() - before.0;
    assert!(used <= 1, "{used} ticks in two seconds of rest");
    // A clock that ticks four times a second would wake it eight times.
    let threads = terminal.wakes();
    let since = |(thread, now): (_, &u64)| now - before.1.get(thread).unwrap_or(&0);
    let woken: u64 = threads.iter().map(since).sum();
    assert!(woken <= 4, "woken {woken} times in two seconds of rest");
    assert_eq!(terminal.raw().len(), before.2, "nothing is drawn");
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
}

/// The screen with a thread that panics once the test connects: run by the test below, in a terminal.
#[test]
#[ignore = "takes the terminal; `a_panic_gives_the_terminal_back_and_ends_it` runs it"]
#[expect(clippy::exit, reason = "the code is what is tested")]
#[expect(clippy::disallowed_methods, reason = "told by the test that runs it")]
fn screen_that_panics() {
    use switchboard::{config::Environment, tui, ui, work::Core};
    let at = std::env::var("PANIC_WHEN_CLOSED").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let core = runtime
        .block_on(Core::rehearsal(Environment::of([]), Vec::new()))
        .unwrap();
    std::thread::spawn(move || {
        let mut signal = std::net::TcpStream::connect(at).unwrap();
        let _ = std::io::Read::read(&mut signal, &mut [0]);
        panic!("on purpose");
    });
    let options = tui::Options {
        theme: ui::Theme::shipped(ui::ThemeName::Dark, ui::ColourDepth::NoColor),
        glyphs: tui::Glyphs::Unicode,
        mouse: true,
        banner: Vec::new(),
        passphrase: None,
        goes_on: false,
    };
    std::process::exit(tui::run(core, options).unwrap().end.exit_code().into());
}

#[test]
fn a_panic_gives_the_terminal_back_and_ends_it() {
    let home = Home::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let this = std::env::current_exe().unwrap();
    let mut command = home.program(
        this.to_str().unwrap(),
        &["--exact", "screen_that_panics", "--ignored", "--nocapture"],
    );
    command.env(
        "PANIC_WHEN_CLOSED",
        listener.local_addr().unwrap().to_string(),
    );
    let mut terminal = Terminal::start(command, COLUMNS, ROWS);
    terminal.wait_for("none yet");
    drop(listener.accept().unwrap());
    assert_eq!(terminal.ended().exit_code(), 101);
    let after = terminal.last_screen();
    assert!(
        after.contains("on purpose"),
        "it is told where it can be read:\n{after}"
    );
    assert!(!after.contains("none yet"), "{after}");
    terminal.assert_restored();
}
