//! The network of a watching machine is pulled away: it is told once, not by every connection, and nothing is
//! announced as down. In a network namespace; skipped with a message where none can be made.
#![expect(clippy::too_many_lines, reason = "one story, told in its order")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use support::commands::{BINARY, begin};
use support::netns::{Link, permitted};
use switchboard::domain::{Name, Reason};
use switchboard::store::StateDb;

/// Connections, each at a port of its own.
const COUNT: u16 = 40;
/// Far beyond what is needed, on a busy machine too.
const LIMIT: Duration = Duration::from_secs(120);

/// Ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The lines that were told so far, once one of them holds `words`.
fn until(lines: &Receiver<String>, told: &mut Vec<String>, words: &str) {
    let begun = Instant::now();
    loop {
        let left = LIMIT.saturating_sub(begun.elapsed());
        let line = lines
            .recv_timeout(left)
            .unwrap_or_else(|_| unreachable!("no {words}: {told:?}"));
        told.push(line.clone());
        if line.contains(words) {
            return;
        }
    }
}

#[test]
fn a_machine_without_network_says_so_once() {
    if !permitted() {
        return;
    }
    let link = Link::new();
    let listens: Vec<_> = (0..COUNT)
        .map(|n| format!("192.0.2.2:{}", 8000 + n))
        .collect();
    let _nginx = link.there.nginx(&listens.join("; listen "));
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config");
    fs::create_dir(&config).unwrap();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o700)).unwrap();
    let mut text = "version = 1\n[settings]\ntimeout_s = 2\n".to_owned();
    for (n, listen) in listens.iter().enumerate() {
        let _ = writeln!(
            text,
            "[[connection]]\nname = \"c{n:02}\"\nservice = \"http\"\nurl = \"http://{listen}\""
        );
    }
    let file = config.join("switchboard.toml");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();

    let folder = |name: &str| home.path().join(name).display().to_string();
    let (config, state) = (folder("config"), folder("state"));
    let mut command = link.here.command(BINARY);
    command.args(["watch", "--plain", "--interval", "2s"]);
    let variables = [
        ("SWITCHBOARD_CONFIG_DIR", config.as_str()),
        ("SWITCHBOARD_STATE_DIR", state.as_str()),
    ];
    let mut running = Running(begin(&mut command, home.path(), &variables));
    running.0.stdin.take();
    let out = BufReader::new(running.0.stdout.take().unwrap());
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        out.lines()
            .map_while(Result::ok)
            .try_for_each(|line| sender.send(line))
    });
    let mut told = Vec::new();
    while told
        .iter()
        .filter(|line: &&String| line.contains(" up: "))
        .count()
        < COUNT.into()
    {
        until(&lines, &mut told, " up: ");
    }

    // Of what was found before the machine is known to be offline, one failure each may be.
    let names: Vec<_> = (0..COUNT)
        .map(|n| Name::parse(&format!("c{n:02}")).unwrap())
        .collect();
    let history = StateDb::open(&home.path().join("state")).unwrap();
    let all_have = |count: usize, reason: Reason| {
        let begun = Instant::now();
        let found = |name: &Name| {
            let runs = history.results(name, Timestamp::UNIX_EPOCH).unwrap();
            runs.iter().filter(|run| run.reason == reason).count()
        };
        while !names.iter().all(|name| found(name) >= count) {
            assert!(begun.elapsed() < LIMIT, "they are not all probed again");
            std::thread::park_timeout(Duration::from_millis(200));
        }
    };
    all_have(3, Reason::Connected);

    link.here.ip(&["link", "set", "wire", "down"]);
    until(&lines, &mut told, "this machine is offline");
    // Everybody fails twice, which would be announced.
    all_have(2, Reason::Offline);

    link.here.ip(&["link", "set", "wire", "up"]);
    until(&lines, &mut told, "online again");
    let of = |words: &str| told.iter().filter(|line| line.contains(words)).count();
    assert_eq!(of("this machine is offline"), 1, "{told:?}");
    assert_eq!(of(" down: "), 0, "{told:?}");
    // On this machine's side nothing is left: what was found is no outage of theirs.
    let pasts = history.pasts(&names[..1], Timestamp::now()).unwrap();
    let availability = pasts[0].1.availability;
    assert!(availability.hour.unwrap() > 0.5, "{availability:?}");
}
