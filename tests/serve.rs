//! The exporter with real parts: Prometheus discovers and scrapes it with the configuration in `assets/`,
//! promtool checks it, blackbox exporter is asked for the same names.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what is missing shall fail the test"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use switchboard::domain::Reason;
use switchboard::sim::{Behaviour, CatalogEntry, Fault, Sim, SimSettings};
use tempfile::TempDir;

/// Far beyond what working programs need, on a busy machine too.
const LIMIT: Duration = Duration::from_secs(90);
const ASSETS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/prometheus");

/// Whether these commands are here. Where the test command installed everything, they must be.
fn available(commands: &[&str]) -> bool {
    let missing: Vec<_> = commands
        .iter()
        .filter(|command| !Path::new("/usr/bin").join(command).exists())
        .collect();
    if !missing.is_empty() {
        support::not_installed(&format!("{missing:?}"));
    }
    missing.is_empty()
}

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Starts `command` and reads its stderr until `find` finds where it listens.
    fn until(mut command: Command, find: impl Fn(&str) -> Option<String>) -> (Self, String) {
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut running = Self(child.unwrap());
        let mut lines = BufReader::new(running.0.stderr.take().unwrap()).lines();
        let mut said = String::new();
        let found = loop {
            let Some(Ok(line)) = lines.next() else {
                panic!("it ended: {said}");
            };
            if let Some(found) = find(&line) {
                break found;
            }
            said.push_str(&line);
            said.push('\n');
        };
        // A full pipe would stop it.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        (running, found)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    fn ended(&mut self) -> ExitStatus {
        self.0.wait().unwrap()
    }
}

/// The body of `GET path`.
fn get(address: &str, path: &str) -> String {
    let (head, body) = ask(address, "GET", path);
    assert!(head.contains(" 200 "), "{path}: {head}\n{body}");
    body
}

fn ask(address: &str, method: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    // 1.0: no chunks, and the end of the body is the connection's.
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// Looks until `look` finds what it looks for.
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let begun = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(state) => assert!(begun.elapsed() < LIMIT, "{what}: {state}"),
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

/// A user with connections, one for each rehearsal entry that a saved connection can be made of.
struct Home {
    folder: TempDir,
    names: BTreeSet<String>,
    secrets: Vec<String>,
}

impl Home {
    fn over<'a>(entries: impl IntoIterator<Item = &'a CatalogEntry>, most: usize) -> Self {
        let mut home = Self {
            folder: tempfile::tempdir().unwrap(),
            names: BTreeSet::new(),
            secrets: Vec::new(),
        };
        let mut text = "version = 1\n".to_owned();
        for entry in entries {
            if home.names.len() < most
                && let Some(table) = home.table(entry)
            {
                text.push_str(&table);
                home.names.insert(entry.reason.id().to_owned());
            }
        }
        home.private("config/switchboard.toml", &text);
        home
    }

    /// The entry as a table of the configuration; nothing where it needs more than one.
    fn table(&mut self, entry: &CatalogEntry) -> Option<String> {
        let id = entry.reason.id();
        let mut table = String::new();
        let mut field = |name: &str, value: &str| {
            let _ = writeln!(table, "{name} = {value:?}");
        };
        field("name", id);
        field("service", entry.service);
        field("url", entry.url.as_ref()?);
        field("username", entry.username.as_deref().unwrap_or_default());
        if let Some(cms) = &entry.cms_url {
            field("cms_url", cms);
        }
        let mut timeout = 5;
        for option in entry.args.chunks(2) {
            match option {
                [flag, file] if flag == "--ca-file" => field("ca_file", file),
                [flag, url] if flag == "--proxy" => field("proxy", url),
                [flag, _] if flag == "--timeout" => timeout = 1,
                _ => return None,
            }
        }
        for (what, value) in [("key", &entry.key), ("token", &entry.token)] {
            if let Some(value) = value {
                let path = self.private(&format!("secrets/{id}-{what}"), value);
                field(what, &format!("file:{}", path.display()));
                self.secrets.push(value.clone());
            }
        }
        Some(format!(
            "[[connection]]\n{table}timeout_s = {timeout}\ntags = [\"sim\"]\n"
        ))
    }

    fn private(&self, path: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(path);
        let folder = path.parent().unwrap();
        fs::create_dir_all(folder).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
        command.env_clear().env("HOME", self.folder.path());
        command.env("SWITCHBOARD_CONFIG_DIR", self.folder.path().join("config"));
        command.env("SWITCHBOARD_STATE_DIR", self.folder.path().join("state"));
        command.args(arguments).stdin(Stdio::null());
        command
    }

    fn serve(&self) -> (Running, String) {
        let command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        Running::until(command, |line| {
            let (_, address) = line.split_once("on http://")?;
            Some(address.to_owned())
        })
    }
}

fn sim() -> (tokio::runtime::Runtime, Sim) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let sim = {
        let _inside = runtime.enter();
        Sim::start(SimSettings::default()).unwrap()
    };
    (runtime, sim)
}

/// Prometheus with the documented configuration, its addresses and times made for a test.
fn prometheus(folder: &Path, exporter: &str) -> (Running, String) {
    let mut text = fs::read_to_string(format!("{ASSETS}/prometheus.yml")).unwrap();
    for (documented, tested) in [
        ("127.0.0.1:9797", exporter),
        ("interval: 60s", "interval: 8s"),
        ("scrape_timeout: 15s", "scrape_timeout: 8s"),
    ] {
        assert!(text.contains(documented), "{documented} is not in it");
        text = text.replace(documented, tested);
    }
    fs::write(folder.join("prometheus.yml"), text).unwrap();
    fs::copy(format!("{ASSETS}/rules.yml"), folder.join("rules.yml")).unwrap();
    let mut command = Command::new("prometheus");
    command.args([
        "--web.listen-address=127.0.0.1:0",
        "--config.file=prometheus.yml",
    ]);
    command.arg("--storage.tsdb.path=data").current_dir(folder);
    let (running, api) = Running::until(command, listening);
    wait_for("Prometheus is ready", || {
        let (head, body) = ask(&api, "GET", "/-/ready");
        let ready = head.contains(" 200 ");
        ready.then_some(()).ok_or(body)
    });
    (running, api)
}

fn listening(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("msg=\"Listening on\" address=")?;
    Some(rest.trim_end().to_owned())
}

/// What a query finds: for each instance the labels of its series, and the value.
fn query(prometheus: &str, query: &str) -> BTreeMap<String, (Value, String)> {
    let path = format!("/api/v1/query?query={query}");
    let answer: Value = serde_json::from_str(&get(prometheus, &path)).unwrap();
    let found = answer["data"]["result"].as_array().unwrap().iter();
    found
        .map(|series| {
            let instance = series["metric"]["instance"].as_str().unwrap().to_owned();
            let value = series["value"][1].as_str().unwrap().to_owned();
            (instance, (series["metric"].clone(), value))
        })
        .collect()
}

#[test]
fn prometheus_discovers_fifty_connections_and_tells_their_reasons() {
    if !available(&["prometheus", "promtool"]) {
        return;
    }
    let (_runtime, sim) = sim();
    // That one needs a further call, which a scheduled probe leaves out.
    let told = |entry: &&CatalogEntry| entry.reason != Reason::KeyInUseInactive;
    let home = Home::over(sim.entries().iter().filter(told), 50);
    assert_eq!(home.names.len(), 50);
    let (mut serving, exporter) = home.serve();
    let folder = tempfile::tempdir().unwrap();
    let (_prometheus, api) = prometheus(folder.path(), &exporter);

    // The first verdict of each: later ones may know more, such as a key that was rejected twice.
    let mut reasons = BTreeMap::new();
    wait_for("50 connections are probed", || {
        for (name, (labels, _)) in query(&api, "switchboard_failure_info") {
            let reason = labels["reason"].as_str().unwrap().to_owned();
            reasons.entry(name).or_insert(reason);
        }
        let names = home.names.iter();
        let missing: Vec<_> = names.filter(|name| !reasons.contains_key(*name)).collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(format!("missing {missing:?}"))
        }
    });
    let names = home.names.iter();
    let expected: BTreeMap<_, _> = names.map(|name| (name.clone(), name.clone())).collect();
    assert_eq!(reasons, expected);
    let success = query(&api, "probe_success");
    assert_eq!(success.len(), 50);
    for (name, (labels, value)) in success {
        let works = [
            "connected",
            "connected-noisy",
            "rewrite-off",
            "tls-expiring",
            "token-valid",
        ];
        let expected = i32::from(works.contains(&name.as_str())).to_string();
        assert_eq!(value, expected, "{name}");
        assert_eq!(labels["tags"], ",sim,");
    }
    let rules: Value = serde_json::from_str(&get(&api, "/api/v1/rules")).unwrap();
    let rules = rules["data"]["groups"][0]["rules"].as_array().unwrap();
    assert!(!rules.is_empty(), "no rule was loaded");
    for rule in rules {
        assert_ne!(rule["health"], "err", "{rule}");
    }

    for path in ["/sd", "/metrics", "/probe?target=connected"] {
        let text = get(&exporter, path);
        for secret in &home.secrets {
            assert!(!text.contains(secret.as_str()), "{path} holds a secret");
        }
        if path != "/sd" {
            promtool(&["check", "metrics"], &text);
        }
    }
    serving.signal(Signal::TERM);
    assert_eq!(serving.ended().code(), Some(0));
}

fn promtool(arguments: &[&str], input: &str) {
    let mut command = Command::new("promtool");
    command.args(arguments).stdin(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{arguments:?}: {said}\n{input}");
}

#[test]
fn promtool_is_content_with_rules_and_configuration() {
    if !available(&["promtool"]) {
        return;
    }
    for (what, file) in [("rules", "rules.yml"), ("config", "prometheus.yml")] {
        promtool(&["check", what, &format!("{ASSETS}/{file}")], "");
    }
}

/// Each alert comes when it is due, and says what is so: `tests/serve/alerts.yml` holds what is expected.
#[test]
fn the_alerts_say_what_is_so() {
    if !available(&["promtool"]) {
        return;
    }
    let expected = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/serve/alerts.yml");
    promtool(&["test", "rules", expected], "");
}

/// Name and type of every family.
fn families(text: &str) -> BTreeMap<&str, &str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .collect()
}

#[test]
fn blackbox_exporter_has_the_same_names() {
    if !available(&["prometheus-blackbox-exporter"]) {
        return;
    }
    let (_runtime, sim) = sim();
    let expiring = sim.entry(Reason::TlsExpiring).unwrap();
    let home = Home::over([expiring], 1);
    let (_serving, exporter) = home.serve();
    let ours = get(&exporter, "/probe?target=tls-expiring");

    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("blackbox.yml");
    let module = "modules:\n  any:\n    prober: http\n    http:\n      tls_config:\n        insecure_skip_verify: true\n";
    fs::write(&config, module).unwrap();
    let mut command = Command::new("prometheus-blackbox-exporter");
    command.arg("--web.listen-address=127.0.0.1:0");
    command.arg(format!("--config.file={}", config.display()));
    let (_blackbox, address) = Running::until(command, listening);
    let url = expiring.url.as_ref().unwrap();
    let theirs = get(&address, &format!("/probe?module=any&target={url}"));

    let (ours, theirs) = (families(&ours), families(&theirs));
    for (name, kind) in ours.iter().filter(|(name, _)| name.starts_with("probe_")) {
        assert_eq!(theirs.get(name), Some(kind), "{name} of {theirs:?}");
    }
    for name in [
        "probe_success",
        "probe_duration_seconds",
        "probe_http_duration_seconds",
        "probe_http_status_code",
        "probe_ssl_earliest_cert_expiry",
        "probe_dns_lookup_time_seconds",
    ] {
        assert!(ours.contains_key(name), "{name}");
    }
}

#[test]
fn sighup_reads_the_configuration_again_and_a_broken_one_changes_nothing() {
    let home = Home::over([], 0);
    let path = home.folder.path().join("config/switchboard.toml");
    let table = "[[connection]]\nname = \"a\"\nservice = \"http\"\nurl = \"http://127.0.0.1:1\"\n";
    let (mut serving, exporter) = home.serve();
    assert_eq!(get(&exporter, "/sd"), "[]");
    fs::write(&path, format!("version = 1\n{table}")).unwrap();
    serving.signal(Signal::HUP);
    wait_for("the connection is known", || {
        let list = get(&exporter, "/sd");
        if list.contains("\"a\"") {
            Ok(())
        } else {
            Err(list)
        }
    });
    fs::write(&path, "version = ").unwrap();
    let (head, said) = ask(&exporter, "POST", "/-/reload");
    assert!(
        head.contains(" 500 ") && said.contains("line 1"),
        "{head} {said}"
    );
    assert!(get(&exporter, "/sd").contains("\"a\""));
    let metrics = get(&exporter, "/metrics");
    let failed = "switchboard_config_last_reload_successful 0\n";
    assert!(metrics.contains(failed), "{metrics}");
    assert!(get(&exporter, "/probe?target=a").contains("reason=\"refused\""));
    serving.signal(Signal::TERM);
    assert_eq!(serving.ended().code(), Some(0));
}

#[test]
fn it_listens_to_this_machine_alone() {
    let home = Home::over([], 0);
    let done = home.command(&["serve", "--listen", "0.0.0.0:0"]).output();
    let done = done.unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(3), "{said}");
    assert!(said.contains("reverse proxy"), "{said}");
}

#[test]
fn a_watch_tells_each_change_in_one_line_and_ends_with_the_signal_s_code() {
    let (_runtime, sim) = sim();
    let reasons = ["connected", "refused"];
    let entries = sim.entries().iter();
    let home = Home::over(entries.filter(|one| reasons.contains(&one.reason.id())), 2);
    let mut watching = home
        .command(&["watch", "--format", "ndjson", "--interval", "1s"])
        .stdout(Stdio::piped())
        .spawn()
        .map(Running)
        .unwrap();
    let lines = BufReader::new(watching.0.stdout.take().unwrap()).lines();
    let told: BTreeMap<String, Value> = lines
        .take(2)
        .map(|line| {
            let verdict: Value = serde_json::from_str(&line.unwrap()).unwrap();
            (verdict["reason"].as_str().unwrap().to_owned(), verdict)
        })
        .collect();
    assert_eq!(told.keys().collect::<Vec<_>>(), reasons);
    assert_eq!(told["refused"]["was"], Value::Null);
    watching.signal(Signal::INT);
    assert_eq!(watching.ended().code(), Some(130));

    let kept = home
        .command(&["history", "refused", "--since", "30d"])
        .output();
    let kept = kept.unwrap();
    assert_eq!(kept.status.code(), Some(0), "{kept:?}");
    let kept = String::from_utf8(kept.stdout).unwrap();
    let row = kept.lines().nth(1).unwrap_or_default();
    assert!(
        row.starts_with("refused,") && row.ends_with(",down,refused,0,"),
        "{kept}"
    );

    let done = home
        .command(&["watch", "--plain", "--interval", "1s", "--for", "3s"])
        .output();
    let done = done.unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(0), "{text}");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(
        text.contains(" refused down: 0 Received: refused (refused"),
        "{text}"
    );
    assert!(text.contains(" connected up: "), "{text}");
    assert!(text.is_ascii(), "{text}");
}

/// Takes what is asked at a free port, answers each with 200, and notes the lines.
fn answering() -> (String, std::sync::mpsc::Receiver<String>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (asked, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut line = String::new();
            let _ = stream.read_line(&mut line);
            let answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
            let _ = stream.get_mut().write_all(answer.as_bytes());
            if asked.send(line).is_err() {
                return;
            }
        }
    });
    (address, heard)
}

#[test]
fn a_watch_asks_what_was_removed_no_more_and_follows_the_rest() {
    let home = Home::over([], 0);
    let (address, heard) = answering();
    let table = |name: &str, path: &str| {
        format!(
            "[[connection]]\nname = {name:?}\nservice = \"http\"\nurl = \"http://{address}/{path}\"\n"
        )
    };
    let write = |tables: &[String]| {
        let text = format!("version = 1\n{}", tables.concat());
        let path = home.private("config/new", &text);
        fs::rename(&path, path.with_file_name("switchboard.toml")).unwrap();
    };
    write(&[table("one", "one"), table("gone", "gone")]);
    let mut watching = home
        .command(&["watch", "one", "gone", "--plain", "--interval", "1s"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map(Running)
        .unwrap();
    let mut said = BufReader::new(watching.0.stderr.take().unwrap()).lines();
    let until = |path: &str| {
        let is_last = |line: &String| line.starts_with(&format!("GET /{path} "));
        let mut lines = Vec::new();
        while !lines.last().is_some_and(is_last) {
            lines.push(heard.recv_timeout(LIMIT).unwrap());
        }
        lines
    };
    until("gone");
    write(&[table("one", "other")]);
    let line = said.next().unwrap().unwrap();
    assert_eq!(line, "switchboard: gone is gone: it is watched no more");
    until("other");
    let after = [until("other"), until("other")].concat();
    assert!(
        !after.iter().any(|line| line.contains("/gone")),
        "{after:?}"
    );
    // One that is away says nothing of any.
    let path = home.folder.path().join("config/switchboard.toml");
    fs::rename(&path, path.with_extension("aside")).unwrap();
    let mut says = |word: &str| {
        let line = said.next().unwrap().unwrap();
        assert!(line.contains(word), "{line}");
    };
    says("switchboard.toml is gone: put it back");
    says("the watch goes on");
    until("other");
    fs::rename(path.with_extension("aside"), &path).unwrap();
    says("read again");
    // The last one as well.
    write(&[]);
    let line = said.next().unwrap().unwrap();
    assert_eq!(line, "switchboard: one is gone: it is watched no more");
    watching.signal(Signal::TERM);
    assert_eq!(watching.ended().code(), Some(143));
}

#[test]
fn a_rotated_log_is_left_at_sighup() {
    let home = Home::over([], 0);
    let path = home.folder.path().join("config/switchboard.toml");
    let (log, old) = (
        home.folder.path().join("log"),
        home.folder.path().join("log.1"),
    );
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0", "--log"]);
    command.arg(&log);
    let (mut serving, _) = Running::until(command, |line| {
        let (_, address) = line.split_once("on http://")?;
        Some(address.to_owned())
    });
    fs::rename(&log, &old).unwrap();
    fs::write(&path, "version = ").unwrap();
    // The first is written wherever its listener was first.
    wait_for("the new log", || {
        serving.signal(Signal::HUP);
        let text = fs::read_to_string(&log).unwrap_or_else(|error| error.to_string());
        let is_written = text.contains("the old one stands");
        is_written.then_some(()).ok_or(text)
    });
    serving.signal(Signal::TERM);
    assert_eq!(serving.ended().code(), Some(0));
}

/// A plugin's words are read from stdout alone.
#[test]
fn a_plugin_says_on_stdout_why_it_failed() {
    let home = Home::over([], 0);
    for (text, why) in [("version = 1\n", "no connection"), ("version = ", "line 1")] {
        home.private("config/switchboard.toml", text);
        for command in [&["probe"][..], &["token", "verify"]] {
            let words = [command, &["nobody", "--format", "nagios"]].concat();
            let done = home.command(&words).output().unwrap();
            let said = String::from_utf8(done.stdout).unwrap();
            assert_eq!(done.status.code(), Some(3), "{said}");
            assert!(said.starts_with("SWITCHBOARD UNKNOWN - "), "{said:?}");
            assert!(said.contains(why), "{said}");
            assert_eq!(said.lines().count(), 1, "{said}");
        }
    }
    // Before it has begun, too.
    for (line, why) in [
        (
            "--log /dev/null/log probe a --format nagios",
            "/dev/null can't be written",
        ),
        ("probe a --format nagios --nonsense", "'--nonsense'"),
        ("probe a --format=nagios --timeout", "'--timeout <TIME>'"),
        (
            "--theme dark probe a --format nagios",
            "'--theme <NAME>' is for the screen",
        ),
        (
            "probe --key-stdin --token-stdin --format nagios",
            "standard input was named for two things",
        ),
    ] {
        let words: Vec<_> = line.split(' ').collect();
        let done = home.command(&words).output().unwrap();
        let said = String::from_utf8(done.stdout).unwrap();
        assert_eq!(
            (done.status.code(), said.lines().count()),
            (Some(3), 1),
            "{said}"
        );
        let told = said.starts_with("SWITCHBOARD UNKNOWN - ") && said.contains(why);
        assert!(told, "{said:?}");
    }
}

/// A change is remembered as announced: who is to be called of it would hear of it never.
#[test]
fn a_call_that_a_change_led_to_is_not_cut_off_by_the_end() {
    let (_runtime, sim) = sim();
    let entries = sim.entries().iter();
    let home = Home::over(entries.filter(|one| one.reason.id() == "refused"), 1);
    let place = |file: &str| home.folder.path().join(file);
    let made = Command::new("mkfifo").arg(place("go-on")).status();
    assert!(made.unwrap().success());
    let script = home.private(
        "called",
        "#!/bin/sh\ncd \"${0%/*}\"\ncat > verdict\nread word < go-on\necho \"$word\" > done\n\
         echo nobody is there >&2\nexit 3\n",
    );
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
    let configuration = place("config/switchboard.toml");
    let text = fs::read_to_string(&configuration).unwrap();
    let head = format!("version = 1\n[settings]\non_change = [{script:?}]\n");
    fs::write(&configuration, text.replacen("version = 1\n", &head, 1)).unwrap();

    let mut watching = home
        .command(&["watch", "--plain", "--interval", "1s"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map(Running)
        .unwrap();
    let verdict: serde_json::Value = wait_for("the call", || {
        let verdict = fs::read_to_string(place("verdict")).unwrap_or_default();
        serde_json::from_str(&verdict).map_err(|error| error.to_string())
    });
    assert_eq!(verdict["reason"], "refused");
    assert_eq!(verdict.get("was"), Some(&serde_json::Value::Null));
    watching.signal(Signal::TERM);
    let mut lines = BufReader::new(watching.0.stderr.take().unwrap()).lines();
    let said = lines.next().unwrap().unwrap();
    assert!(said.contains("waiting for on_change to end"), "{said}");
    fs::write(place("go-on"), "on\n").unwrap();
    assert_eq!(watching.ended().code(), Some(143));
    assert_eq!(fs::read_to_string(place("done")).unwrap(), "on\n");
    let said = lines.next().unwrap().unwrap();
    let why = "on_change failed: it ended with exit status: 3: nobody is there";
    assert!(said.ends_with(why), "{said}");
}

#[test]
fn of_what_is_up_again_on_change_is_told_that_it_was_down() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let inside = runtime.enter();
    let mut sim = Sim::bare(SimSettings::default()).unwrap();
    let blesta = sim.blesta();
    let stand = sim.serve(Behaviour::Fault(Fault::Close)).unwrap();
    drop(inside);
    let home = Home::over([], 0);
    let key = home.private("secrets/key", &blesta.key);
    let script = home.private(
        "called",
        "#!/bin/sh\ncd \"${0%/*}\"\ncat >> told\necho >> told\n",
    );
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
    let (url, username) = (&stand.url, &blesta.username);
    let text = format!(
        "version = 1\n[settings]\non_change = [{script:?}]\n[[connection]]\nname = \"shop\"\n\
         service = \"blesta\"\nurl = {url:?}\nusername = {username:?}\nkey = \"file:{}\"\n",
        key.display()
    );
    home.private("config/switchboard.toml", &text);
    let mut watching = home
        .command(&["watch", "--plain", "--interval", "1s"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(Running)
        .unwrap();
    let told = |nth: usize| {
        let told = wait_for("a call", || {
            let told = fs::read_to_string(home.folder.path().join("told")).unwrap_or_default();
            let mut lines = told.lines().filter(|line| !line.is_empty());
            let line = lines.nth(nth).unwrap_or_default();
            serde_json::from_str::<Value>(line).map_err(|error| format!("{error}: {told}"))
        });
        (told["state"].clone(), told["was"].clone())
    };
    assert_eq!(told(0), ("down".into(), Value::Null));
    let control = sim.control(&stand.url).unwrap();
    control.set(Behaviour::Blesta(blesta));
    assert_eq!(told(1), ("ok".into(), "down".into()));
    watching.signal(Signal::INT);
    assert_eq!(watching.ended().code(), Some(130));
}

/// What the guide shows is what the test above scrapes with: each of its lines stands in the tested file.
#[test]
fn the_guide_shows_the_tested_configuration() {
    let root = env!("CARGO_MANIFEST_DIR");
    let guide = fs::read_to_string(format!("{root}/assets/guide/prometheus.md")).unwrap();
    let (_, rest) = guide.split_once("    scrape_configs:\n").unwrap();
    let (shown, _) = rest.split_once("\n\n").unwrap();
    let tested = fs::read_to_string(format!("{ASSETS}/prometheus.yml")).unwrap();
    assert!(shown.lines().count() > 10, "{shown}");
    for line in shown.lines() {
        let line = line.strip_prefix("    ").unwrap();
        assert!(tested.lines().any(|other| other == line), "{line}");
    }
    assert!(guide.contains("hashmod"));
}
