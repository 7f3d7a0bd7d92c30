//! Name servers that are slow: a name that takes its time holds up nothing but itself.

use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::netns::{Link, permitted};

/// How late each answer is.
const LATE: Duration = Duration::from_secs(2);

/// A name server that knows every name as 192.0.2.2, and takes its time. Run by the tests below, in a
/// namespace, until it is killed.
#[test]
#[ignore = "runs until it is killed; the tests of slow names run it"]
fn slow_name_server() {
    let socket = UdpSocket::bind("127.0.0.1:53").unwrap();
    println!("ready");
    let mut question = [0; 512];
    loop {
        let (length, from) = socket.recv_from(&mut question).unwrap();
        let question = question[..length].to_vec();
        let socket = socket.try_clone().unwrap();
        std::thread::spawn(move || {
            // Late on purpose: this is the server under test's conditions, not a test that waits.
            let (_keep, wait) = std::sync::mpsc::channel::<()>();
            let _ = wait.recv_timeout(LATE);
            socket.send_to(&answer(&question), from)
        });
    }
}

/// An A record for what was asked; no other kind of record exists.
fn answer(question: &[u8]) -> Vec<u8> {
    let mut end = 12;
    while question[end] != 0 {
        end += 1 + usize::from(question[end]);
    }
    let is_a = question[end + 1..end + 3] == [0, 1];
    let mut answer = question[..end + 5].to_vec();
    answer[2..4].copy_from_slice(&[0x81, 0x80]);
    answer[4..12].copy_from_slice(&[0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
    if is_a {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 2]);
    }
    answer
}

/// The name server in the machine called `here`.
struct NameServer(Child);

impl NameServer {
    fn start(link: &Link) -> Self {
        link.here.etc(
            "resolv.conf",
            "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n",
        );
        let this = std::env::current_exe().unwrap();
        let mut command = Command::new("/usr/sbin/ip");
        command.args(["netns", "exec", link.here.name()]).arg(this);
        command.args([
            "--exact",
            "names::slow_name_server",
            "--ignored",
            "--nocapture",
        ]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = std::io::BufReader::new(child.stdout.take().unwrap());
        let ready = std::io::BufRead::lines(out).any(|line| line.unwrap().contains("ready"));
        assert!(ready, "the name server did not start");
        Self(child)
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_slow_name_is_waited_for_and_its_time_is_told() {
    if !permitted() {
        return;
    }
    let link = Link::new();
    let _nginx = link.there.nginx("192.0.2.2:8080");
    let _names = NameServer::start(&link);
    let done = link.here.probe("http://slow.example:8080", &[]);
    let verdict = done.json();
    assert_eq!(verdict["reason"], "connected", "{verdict:#}");
    let time = verdict["phases_ms"]["dns"].as_f64().unwrap();
    assert!(time >= 1_900.0, "{time}");

    let began = Instant::now();
    let done = link
        .here
        .probe("http://slow.example:8080", &["--timeout", "500ms"]);
    let verdict = done.json();
    assert_eq!(verdict["reason"], "dns-failed", "{verdict:#}");
    assert!(
        began.elapsed() < LATE,
        "the program does not wait for a look-up that was given up"
    );
    let told = format!("{} {}", verdict["cause"], verdict["evidence"]);
    assert!(told.contains("name"), "{told}");
}

/// Sixty slow names and 20 that need none, in one list: these don't stand behind those.
#[test]
fn slow_names_hold_up_nobody_else() {
    if !permitted() {
        return;
    }
    let link = Link::new();
    let _nginx = link.there.nginx("192.0.2.2:8080");
    let _names = NameServer::start(&link);
    let home = tempfile::tempdir().unwrap();
    let slow = (0..60).map(|at| format!("http://slow{at}.example:8080\n"));
    let fast = (0..20).map(|at| format!("http://192.0.2.2:8080/{at}\n"));
    let list: String = slow.chain(fast).collect();
    std::fs::write(home.path().join("list"), list).unwrap();
    let began = Instant::now();
    let arguments = [
        "probe",
        "--targets",
        "list",
        "--concurrency",
        "1024",
        "--timeout",
        "30s",
        "--format",
        "ndjson",
    ];
    let done = link.here.switchboard(home.path(), &arguments);
    assert_eq!(done.code, 0, "{}", done.err);
    let first: Vec<_> = done.out.lines().take(20).collect();
    assert!(
        first
            .iter()
            .all(|line| line.contains("http://192.0.2.2:8080/")),
        "{first:#?}"
    );
    assert_eq!(done.out.lines().count(), 80);
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
}
