//! The commands, black-box: every reason of the rehearsal, formats, exit codes, connections, bad input.
#![expect(
    clippy::unwrap_used,
    clippy::too_many_lines,
    reason = "what is missing shall fail the test, and a table is as long as it is"
)]

mod support;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;
use std::sync::mpsc;

use serde_json::{Value, json};
use support::commands::{BINARY, Done, begin, finish, switchboard};
use support::forms_of;
use switchboard::domain::{Reason, State};
use switchboard::sim::{CatalogEntry, Sim, SimSettings};

/// The rehearsal on a runtime of its own.
struct Rehearsal {
    sim: Sim,
    runtime: tokio::runtime::Runtime,
}

impl Rehearsal {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let inside = runtime.enter();
        let sim = Sim::start(SimSettings::default()).unwrap();
        drop(inside);
        Self { sim, runtime }
    }

    fn entry(&self, reason: Reason) -> &CatalogEntry {
        self.sim.entry(reason).unwrap()
    }
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        let _inside = self.runtime.enter();
    }
}

fn probe(entry: &CatalogEntry) -> Done {
    let home = tempfile::tempdir().unwrap();
    let url = entry.url.clone().unwrap();
    let mut arguments = vec![
        "probe",
        "--url",
        &url,
        "--service",
        &entry.service,
        "--format",
        "json",
    ];
    let mut variables = Vec::new();
    if let Some(username) = &entry.username {
        arguments.extend(["--username", username]);
    }
    if let Some(key) = &entry.key
        && !entry.args.iter().any(|word| word == "--key-env")
    {
        arguments.extend(["--key-env", "SIM_KEY"]);
        variables.push(("SIM_KEY", key.as_str()));
    }
    if let Some(token) = &entry.token {
        arguments.extend(["--token-env", "SIM_TOKEN"]);
        variables.push(("SIM_TOKEN", token.as_str()));
    }
    if let Some(cms_url) = &entry.cms_url {
        arguments.extend(["--cms-url", cms_url]);
    }
    arguments.extend(entry.args.iter().map(String::as_str));
    switchboard(home.path(), &arguments, &variables, "")
}

#[test]
fn every_reason_of_the_rehearsal_is_told_with_its_exit_code() {
    let rehearsal = Rehearsal::start();
    let mut reached = BTreeSet::new();
    for entry in rehearsal
        .sim
        .entries()
        .iter()
        .filter(|entry| entry.url.is_some())
    {
        let done = probe(entry);
        let verdict = done.json();
        let got = (
            verdict["reason"].as_str().unwrap(),
            verdict["status"].as_u64().unwrap(),
        );
        let expected = (entry.reason.id(), u64::from(entry.status));
        assert_eq!(
            got, expected,
            "{} {:?}: {}",
            verdict["url"], entry.args, verdict["cause"]
        );
        assert_eq!(
            verdict["state"].as_str().unwrap(),
            entry.reason.state().id()
        );
        assert_eq!(
            done.code,
            i32::from(entry.reason.state().exit_code()),
            "{}",
            entry.reason
        );
        if entry.reason.state() != State::Ok {
            let steps = verdict["remedy"]["steps"].as_array().unwrap();
            assert!(!steps.is_empty(), "{} says nothing to do", entry.reason);
        }
        let username = entry.username.as_deref().unwrap_or_default();
        for secret in [&entry.key, &entry.token].into_iter().flatten() {
            for form in forms_of(username, secret) {
                let shown = done.out.contains(&form) || done.err.contains(&form);
                assert!(!shown, "{} shows a secret", entry.reason);
            }
        }
        reached.insert(entry.reason);
    }
    let without: Vec<_> = Reason::ALL
        .iter()
        .filter(|reason| !reached.contains(reason))
        .collect();
    // Those that need a sequence, a namespace, or `token verify`: each has a test of its own.
    let elsewhere = [
        Reason::IdentityChanged,
        Reason::DnsFailed,
        Reason::Offline,
        Reason::AuthPaused,
        Reason::TokenValid,
        Reason::TokenUnverifiable,
    ];
    assert_eq!(without, elsewhere.iter().collect::<Vec<_>>());
}

fn keys_of(object: &Value) -> Vec<&str> {
    let keys = object.as_object().unwrap().keys();
    keys.map(String::as_str).collect()
}

/// Scripts rely on it: every key of the contract is there in every verdict, `null` where nothing is known.
#[test]
fn every_part_of_a_verdict_is_there_and_null_where_nothing_is_known() {
    let rehearsal = Rehearsal::start();
    let known = probe(rehearsal.entry(Reason::TlsExpiring)).json();
    let unknown = probe(rehearsal.entry(Reason::Refused)).json();
    for verdict in [&known, &unknown] {
        assert_eq!(verdict["schema_version"], 1);
        let remedy = ["doc", "snippet", "steps", "url", "who"];
        assert_eq!(keys_of(&verdict["remedy"]), remedy);
        let phases = ["body", "connect", "dns", "tls", "total", "wait"];
        assert_eq!(keys_of(&verdict["phases_ms"]), phases);
        for check in verdict["checks"].as_array().unwrap() {
            assert_eq!(keys_of(check), ["detail", "id", "ms", "state"]);
        }
        let addresses = verdict["addresses"].as_array().unwrap();
        assert!(!addresses.is_empty());
        for address in addresses {
            assert_eq!(keys_of(address), ["address", "ms", "state"]);
        }
    }
    let tls = [
        "days_left",
        "issuer",
        "names",
        "not_after",
        "subject",
        "version",
    ];
    assert_eq!(keys_of(&known["tls"]), tls);
    assert_eq!(keys_of(&known["identity"]), ["host", "id", "name"]);
    // Nothing came beyond the refused connection.
    for part in [
        "tls",
        "identity",
        "service_version",
        "retry_at",
        "connection",
    ] {
        assert_eq!(unknown.get(part), Some(&Value::Null), "{part}");
    }
    for phase in ["connect", "tls", "wait", "body"] {
        assert_eq!(unknown["phases_ms"][phase], Value::Null, "{phase}");
    }
    for check in &unknown["checks"].as_array().unwrap()[3..] {
        let unreached = json!({"id": check["id"], "state": "unknown", "detail": null, "ms": null});
        assert_eq!(*check, unreached);
    }
}

/// What somebody who builds against a service relies on: a line for each reason, one that says when all are up,
/// and an end by a signal that leaves nothing behind.
#[test]
fn the_rehearsal_tells_its_services_and_ends_by_a_signal() {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(BINARY);
    command.arg("sim");
    let mut child = begin(&mut command, home.path(), &[]);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let mut told = Vec::new();
    while let Some(line) = lines.next().filter(|line| line.get("ready").is_none()) {
        told.push(line);
    }
    let reasons: Vec<_> = told
        .iter()
        .map(|one| one["reason"].as_str().unwrap())
        .collect();
    let all: Vec<_> = Reason::ALL.iter().map(|one| one.id()).collect();
    assert_eq!(reasons, all);
    let port = |one: &Value| url::Url::parse(one["url"].as_str()?).ok()?.port();
    let ports: Vec<u16> = told.iter().filter_map(port).collect();
    assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), ports.len());
    let of = |reason: Reason| {
        told.iter()
            .find(|one| one["reason"] == reason.id())
            .unwrap()
    };
    for (reason, code) in [
        (Reason::Connected, 0),
        (Reason::TlsExpiring, 1),
        (Reason::Refused, 2),
    ] {
        let one = of(reason);
        let word = |key: &str| one[key].as_str().unwrap_or_default();
        let mut arguments = vec!["probe", "--format", "json", "--url", word("url")];
        arguments.extend(["--service", word("service")]);
        if one["key"].is_string() {
            arguments.extend(["--username", word("username"), "--key-env", "KEY"]);
        }
        arguments.extend(
            one["args"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it.as_str().unwrap()),
        );
        let done = switchboard(home.path(), &arguments, &[("KEY", word("key"))], "");
        assert_eq!(done.json()["reason"], one["reason"], "{done:?}");
        assert_eq!(
            (done.json()["status"].clone(), done.code),
            (one["status"].clone(), code)
        );
    }
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    assert!(lines.next().is_none(), "the line of readiness is the last");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let here = ("127.0.0.1", port(of(Reason::Connected)).unwrap());
    assert!(TcpStream::connect(here).is_err(), "nobody listens any more");
    let authority = of(Reason::TlsExpiring)["args"][1].as_str().unwrap();
    assert!(!std::path::Path::new(authority).exists(), "{authority}");
}

#[test]
fn a_saved_connection_is_probed_by_name_and_pauses_after_two_rejections() {
    let rehearsal = Rehearsal::start();
    let rejecting = rehearsal.entry(Reason::CredentialsRejected);
    let home = tempfile::tempdir().unwrap();
    let (url, key) = (
        rejecting.url.clone().unwrap(),
        rejecting.key.clone().unwrap(),
    );
    let port = rejecting.port().unwrap();
    let username = rejecting.username.clone().unwrap();
    let key = [("SHOP_KEY", key.as_str())];
    let add = [
        "connection",
        "add",
        "shop",
        "--service",
        "blesta",
        "--url",
        &url,
        "--username",
        &username,
        "--key-ref",
        "env:SHOP_KEY",
        "--tag",
        "eu",
    ];
    assert_eq!(switchboard(home.path(), &add, &key, "").code, 0);
    let again = switchboard(home.path(), &add, &key, "");
    assert_eq!(again.code, 3, "{again:?}");
    assert!(
        again.err.contains("already a connection named shop"),
        "{}",
        again.err
    );
    let reasons: Vec<String> = (0..10)
        .map(|_| {
            let done = switchboard(
                home.path(),
                &["probe", "shop", "--format", "json"],
                &key,
                "",
            );
            done.json()["reason"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(reasons[0], "credentials-rejected");
    assert!(
        reasons[2..].iter().all(|reason| reason == "auth-paused"),
        "{reasons:?}"
    );
    let sent = rehearsal.sim.log().keys_sent(port);
    assert_eq!(sent, 2, "how often the key was sent: {reasons:?}");
    let paused = switchboard(
        home.path(),
        &["probe", "--tag", "eu", "--format", "json"],
        &key,
        "",
    )
    .json();
    assert!(
        paused[0]["retry_at"].is_string(),
        "an array even of one, with the time of the next try: {paused}"
    );
}

#[test]
fn ten_programs_at_once_share_one_budget() {
    let rehearsal = Rehearsal::start();
    let rejecting = rehearsal.entry(Reason::CredentialsRejected);
    let home = tempfile::tempdir().unwrap();
    let url = rejecting.url.clone().unwrap();
    let key = rejecting.key.clone().unwrap();
    let arguments = [
        "probe",
        "--url",
        &url,
        "--service",
        "blesta",
        "--username",
        "shop-api",
        "--key-env",
        "K",
        "--format",
        "json",
    ];
    let run = || switchboard(home.path(), &arguments, &[("K", &key)], "");
    let all: Vec<Done> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..10).map(|_| scope.spawn(run)).collect();
        let ended = started.into_iter().map(|one| one.join().unwrap());
        ended.collect()
    });
    for done in &all {
        let reason = &done.json()["reason"];
        let told = ["credentials-rejected", "auth-paused"]
            .iter()
            .any(|it| reason == it);
        assert!(told, "{done:?}");
    }
    let sent = rehearsal.sim.log().keys_sent(rejecting.port().unwrap());
    assert_eq!(sent, 2, "how often the key was sent: {all:?}");
}

#[test]
fn a_key_comes_from_stdin_and_never_from_an_argument() {
    let rehearsal = Rehearsal::start();
    let entry = rehearsal.entry(Reason::Connected);
    let home = tempfile::tempdir().unwrap();
    let (url, key) = (entry.url.clone().unwrap(), entry.key.clone().unwrap());
    let username = entry.username.clone().unwrap();
    let base = [
        "probe",
        "--url",
        &url,
        "--service",
        "blesta",
        "--username",
        &username,
        "--format",
        "json",
    ];
    let by_stdin = [&base[..], &["--key-stdin"]].concat();
    let done = switchboard(home.path(), &by_stdin, &[], &format!("{key}\r\n"));
    assert_eq!(done.json()["reason"], "connected");
    let by_argument = [&base[..], &["--key", &key]].concat();
    let refused = switchboard(home.path(), &by_argument, &[], "");
    assert_eq!(refused.code, 3);
    let unset = [&base[..], &["--key-env", "NOT_SET"]].concat();
    let done = switchboard(home.path(), &unset, &[], "");
    assert_eq!(
        (done.json()["reason"].as_str().unwrap(), done.code),
        ("secret-unavailable", 3)
    );
}

#[test]
fn the_shared_token_is_verified_by_a_signed_call() {
    let rehearsal = Rehearsal::start();
    let home = tempfile::tempdir().unwrap();
    let entry = rehearsal.entry(Reason::TokenValid);
    let (cms, token) = (entry.cms_url.clone().unwrap(), entry.token.clone().unwrap());
    let verify = [
        "token",
        "verify",
        "--cms-url",
        &cms,
        "--token-env",
        "T",
        "--format",
        "json",
    ];
    let done = switchboard(home.path(), &verify, &[("T", &token)], "");
    assert_eq!(
        (done.json()["reason"].as_str().unwrap(), done.code),
        ("token-valid", 0),
        "{done:?}"
    );
    // However it comes: by a variable, on standard input, by a descriptor.
    let called = &verify[..4];
    let json = ["--format", "json"];
    let by_stdin = [called, &["--token-stdin"], &json].concat();
    let done = switchboard(home.path(), &by_stdin, &[], &format!("{token}\n"));
    assert_eq!(done.json()["reason"], "token-valid", "{done:?}");
    std::fs::write(home.path().join("token"), &token).unwrap();
    let mut command = Command::new("/bin/bash");
    command.args(["-c", "exec \"$0\" \"$@\" 7<token", BINARY]);
    command.args([called, &["--token-fd", "7"], &json].concat());
    let done = finish(command, home.path(), &[], "");
    assert_eq!(done.json()["reason"], "token-valid", "{done:?}");
    let done = switchboard(home.path(), &verify, &[("T", "another")], "");
    assert_eq!(
        (done.json()["reason"].as_str().unwrap(), done.code),
        ("token-mismatch", 1)
    );
    let human = ["token", "verify", "--cms-url", &cms, "--token-env", "T"];
    let done = switchboard(home.path(), &human, &[("T", &token)], "");
    for row in ["API URL", "URL Found", "Token Set", "Token Valid"] {
        assert!(done.out.contains(row), "{}", done.out);
    }
    let made = switchboard(home.path(), &["token", "generate"], &[], "");
    assert_eq!(
        made.out.len(),
        43,
        "32 bytes, URL-safe, without a line end: {:?}",
        made.out
    );
    assert!(
        made.err.contains("Login Token") && made.err.contains("API Token"),
        "{}",
        made.err
    );
}

#[test]
fn bad_input_gets_a_sentence_and_exit_code_3() {
    let home = tempfile::tempdir().unwrap();
    let cases: [(&[&str], &str); 11] = [
        (&["no-such-command"], "no-such-command"),
        (&["probe"], "what is to be probed"),
        (&["probe", "nobody"], "no connection named nobody"),
        (&["probe", "--all"], "no saved connection"),
        (
            &["probe", "--url", "http://x", "--service", "nope"],
            "no service is called nope",
        ),
        (
            &["probe", "--url", "http://x", "--timeout", "soon"],
            "is no time",
        ),
        (&["explain", "nonsense"], "no reason is called nonsense"),
        (&["explain", "nonsense"], "lists them all"),
        (&["explain", "401"], "one of credentials-rejected, "),
        (
            &[
                "connection",
                "add",
                "x",
                "--service",
                "blesta",
                "--url",
                "https://u:geheim@h",
            ],
            "don't belong in the URL",
        ),
        (&[], "needs a terminal"),
    ];
    for (arguments, sentence) in cases {
        let done = switchboard(home.path(), arguments, &[], "");
        assert_eq!(done.code, 3, "{arguments:?}: {done:?}");
        assert!(done.err.contains(sentence), "{arguments:?}: {}", done.err);
        assert!(!done.err.contains("geheim"), "{}", done.err);
        assert!(done.out.is_empty(), "talk belongs on stderr: {}", done.out);
    }
    for (url, reason) in [
        ("", "url-missing"),
        ("http://a b", "url-invalid"),
        ("https://e.com:99999", "url-invalid"),
        ("ftp://e.com", "url-invalid"),
        ("https://u:geheim@e.com", "url-invalid"),
    ] {
        let done = switchboard(
            home.path(),
            &["probe", "--url", url, "--format", "json"],
            &[],
            "",
        );
        assert_eq!(
            (done.json()["reason"].as_str().unwrap(), done.code),
            (reason, 3),
            "{url}"
        );
        assert!(!done.out.contains("geheim") && !done.err.contains("geheim"));
    }
}

#[test]
fn a_broken_configuration_is_named_with_its_line_and_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/switchboard");
    let first = switchboard(
        home.path(),
        &[
            "connection",
            "add",
            "a",
            "--service",
            "http",
            "--url",
            "http://a.example",
        ],
        &[],
        "",
    );
    assert_eq!(first.code, 0, "{first:?}");
    let file = folder.join("switchboard.toml");
    let broken = "version = 1\n\n[[connection]]\nname = \"secret-looking-value\nurl = 3\n";
    std::fs::write(&file, broken).unwrap();
    for arguments in [
        &["connection", "list"][..],
        &["probe", "a"],
        &[
            "connection",
            "add",
            "b",
            "--service",
            "http",
            "--url",
            "http://b.example",
        ],
    ] {
        let done = switchboard(home.path(), arguments, &[], "");
        assert_eq!(done.code, 3, "{done:?}");
        assert!(
            done.err.contains("switchboard.toml") && done.err.contains("line 4"),
            "{}",
            done.err
        );
        assert!(!done.err.contains("secret-looking"), "{}", done.err);
        assert!(!done.err.contains("vault"), "{}", done.err);
    }
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        broken,
        "it must be left as it is"
    );
}

#[test]
fn explain_tells_every_reason() {
    let home = tempfile::tempdir().unwrap();
    let all = switchboard(home.path(), &["explain"], &[], "");
    for reason in Reason::ALL {
        assert!(all.out.contains(reason.id()), "{reason}");
        let one = switchboard(home.path(), &["explain", reason.id()], &[], "");
        assert_eq!(one.code, 0);
        assert!(one.out.contains(reason.state().word()), "{}", one.out);
        assert!(one.out.lines().count() > 3, "{}", one.out);
    }
    // The screen shows titles.
    for (title, id) in [
        ("401 Denied", "credentials-rejected"),
        ("403 restricted by HAProxy", "server-rule"),
        ("Key not sent: no history", "secret-unavailable"),
        ("header stripped", "authorization-stripped"),
    ] {
        let one = switchboard(home.path(), &["explain", title], &[], "");
        assert_eq!(one.code, 0, "{title}: {one:?}");
        assert!(one.out.contains(&format!("reason {id},")), "{}", one.out);
    }
    let several = switchboard(home.path(), &["explain", "401"], &[], "");
    assert_eq!((several.code, several.out.as_str()), (3, ""));
    assert!(several.err.contains("server-password"), "{several:?}");
}

#[test]
fn a_list_of_urls_is_judged_as_any_http_api() {
    let rehearsal = Rehearsal::start();
    let home = tempfile::tempdir().unwrap();
    let url = |reason| rehearsal.entry(reason).url.clone().unwrap();
    let list = format!(
        "# two\n{}\n{}\n",
        url(Reason::NotTheService),
        url(Reason::Refused)
    );
    let file = home.path().join("targets.txt");
    std::fs::write(&file, list).unwrap();
    let arguments = [
        "probe",
        "--targets",
        file.to_str().unwrap(),
        "--format",
        "ndjson",
    ];
    let done = switchboard(home.path(), &arguments, &[], "");
    assert_eq!(done.out.lines().count(), 2, "{done:?}");
    assert_eq!(done.code, 2, "the worst of them");
    for line in done.out.lines() {
        let verdict: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(verdict["service"], "http");
    }
}

#[test]
fn options_that_would_change_nothing_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let list = home.path().join("targets.txt");
    std::fs::write(&list, "http://127.0.0.1:9\n").unwrap();
    let targets = ["probe", "--targets", list.to_str().unwrap()];
    for (begin, option) in [
        (&["probe", "shop"][..], &["--key-env", "KEY"][..]),
        (&["probe", "--all"], &["--username", "u"]),
        (&["probe", "--tag", "eu"], &["--timeout", "1s"]),
        (&targets, &["--key-env", "KEY"]),
        (&targets, &["--ca-file", "ca.pem"]),
    ] {
        let arguments = [begin, option].concat();
        let done = switchboard(home.path(), &arguments, &[("KEY", "k")], "");
        assert_eq!((done.code, done.out.as_str()), (3, ""), "{done:?}");
        let said = format!("{} belongs to --url", option[0]);
        assert!(done.err.contains(&said), "{done:?}");
    }
}

#[test]
fn a_proxys_password_is_not_taken_from_an_argument() {
    let home = tempfile::tempdir().unwrap();
    let arguments = [
        "probe",
        "--url",
        "http://127.0.0.1:9",
        "--proxy",
        "http://u:pr0xypass@127.0.0.1:9",
    ];
    let done = switchboard(home.path(), &arguments, &[], "");
    assert_eq!(done.code, 3, "{done:?}");
    assert!(!format!("{done:?}").contains("pr0xypass"), "{done:?}");
}

#[test]
fn the_rehearsal_takes_the_options_of_the_screen() {
    let home = tempfile::tempdir().unwrap();
    let arguments = ["demo", "--theme", "light", "--mouse"];
    let done = switchboard(home.path(), &arguments, &[], "");
    assert_eq!(done.code, 3);
    assert!(done.err.contains("terminal"), "{done:?}");
}

#[test]
fn fields_are_set_shown_and_taken_away() {
    let home = tempfile::tempdir().unwrap();
    let run = |line: &str| {
        let arguments: Vec<&str> = line.split(' ').collect();
        switchboard(home.path(), &arguments, &[], "")
    };
    let shown = || run("connection show shop --format json").json();
    let add = "connection add shop --service http --url http://127.0.0.1:9/ --username me --key-ref env:KEY \
               --token-ref env:TOKEN --tag eu --interval 5m --timeout 3s --ca-file /ca --client-cert /c \
               --client-key /k --proxy http://127.0.0.1:9 --cms joomla --cms-url http://127.0.0.1:9/cms \
               --company 7 --note words --read-only";
    let add: String = add.split_whitespace().collect::<Vec<_>>().join(" ");
    let done = run(&add);
    assert_eq!(done.code, 0, "{done:?}");
    let full = shown();
    for (field, value) in [
        ("ca_file", "/ca"),
        ("client_cert", "/c"),
        ("client_key", "/k"),
        ("company", "7"),
        ("key", "env:KEY"),
    ] {
        assert_eq!(full[field], value, "{full}");
    }
    assert_eq!(full["read_only"], true);
    let done = run("connection edit shop --client-key /renewed");
    assert_eq!(done.code, 0, "{done:?}");
    let renewed = shown();
    assert_eq!(
        (&renewed["client_cert"], &renewed["client_key"]),
        (&"/c".into(), &"/renewed".into())
    );
    let fields = "username key token tags interval timeout ca-file client-cert proxy cms cms-url company note";
    let unset: Vec<&str> = fields
        .split(' ')
        .flat_map(|field| ["--unset", field])
        .collect();
    let unset = unset.join(" ");
    let done = run(&format!("connection edit shop --no-read-only {unset}"));
    assert_eq!(done.code, 0, "{done:?}");
    let bare = shown();
    let plain = "connection add plain --service http --url http://127.0.0.1:9/";
    assert_eq!(run(plain).code, 0);
    let mut plain = run("connection show plain --format json").json();
    plain["name"] = "shop".into();
    assert_eq!(bare, plain);
    assert_eq!(run("connection edit shop --unset url").code, 3);
}

#[test]
fn what_a_list_takes_the_place_of_is_said() {
    let home = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| switchboard(home.path(), words, &[], "");
    let edit = |words: &[&str]| {
        let done = run(&[&["connection", "edit", "shop"], words].concat());
        assert_eq!(done.code, 0, "{done:?}");
        done.err
    };
    let shown = || run(&["connection", "show", "shop", "--format", "json"]).json();
    let windows = || shown()["maintenance"].as_array().unwrap().clone();
    let add = "connection add shop --service http --url http://127.0.0.1:9/";
    assert_eq!(run(&add.split(' ').collect::<Vec<_>>()).code, 0);

    let (weekly, daily) = ("sun 02:00-04:00", "daily 03:00-03:30");
    assert_eq!(edit(&["--maintenance", weekly, "--maintenance", daily]), "");
    assert_eq!(edit(&["--maintenance", "2h"]), "", "nothing goes");
    let held = windows();
    assert_eq!(
        (held.len(), &held[0], &held[1]),
        (3, &json!(weekly), &json!(daily))
    );
    let told = edit(&["--maintenance", daily]);
    assert!(told.contains(weekly) && !told.contains(daily), "{told}");
    assert_eq!(windows().len(), 2, "the one that is once stays");
    let past = "2020-01-01T00:00Z/2020-01-02T00:00Z";
    let done = run(&["connection", "edit", "shop", "--maintenance", past]);
    assert!(done.code == 3 && done.err.contains("is over"), "{done:?}");
    let told = edit(&["--maintenance", "none", "--maintenance", "2h"]);
    assert!(told.contains(daily), "{told}");
    assert_eq!(windows().len(), 1);

    assert_eq!(edit(&["--tag", "eu, prod", "--tag", "eu"]), "");
    assert_eq!(shown()["tags"], json!(["eu", "prod"]));
    assert_eq!(edit(&["--add-tag", "gold"]), "");
    assert_eq!(shown()["tags"], json!(["eu", "prod", "gold"]));
    let told = edit(&["--tag", "gold"]);
    assert!(told.contains("eu, prod, gold"), "{told}");
    assert_eq!(shown()["tags"], json!(["gold"]));
    assert_eq!(
        edit(&["--remove-tag", "gold", "--add-tag", "silver, eu"]),
        ""
    );
    let told = edit(&["--remove-tag", "prod", "--remove-tag", "silver"]);
    assert_eq!(told.trim(), "shop has no tag prod");
    assert_eq!(shown()["tags"], json!(["eu"]));
}

#[test]
fn what_no_probe_would_do_with_is_told_when_it_is_given() {
    let home = tempfile::tempdir().unwrap();
    let add = |name: &str, words: &[&str]| {
        let at = ["--service", "http", "--url", "http://127.0.0.1:9/"];
        let words = [&["connection", "add", name], &at[..], words].concat();
        switchboard(home.path(), &words, &[], "")
    };
    let absent = add("one", &["--ca-file", "/nowhere/ca.pem"]);
    assert_eq!(absent.code, 0, "it may come later: {absent:?}");
    assert!(absent.err.contains("/nowhere/ca.pem"), "{absent:?}");
    let bare = add("two", &["--proxy", "squid"]);
    assert!(
        bare.code == 0 && bare.err.contains("http://squid:80"),
        "{bare:?}"
    );
    for (words, told) in [
        (["--proxy", "ftp://squid"], "not ftp"),
        (["--cms-url", "ftp://cms.example"], "ftp://"),
        (
            ["--cms-url", "http://a:hunter2@cms.example"],
            "URL of the CMS",
        ),
    ] {
        let done = add("three", &words);
        assert!(done.code == 3 && done.err.contains(told), "{done:?}");
        assert!(!done.err.contains("hunter2"), "{done:?}");
    }
}

#[test]
fn what_is_paused_is_not_watched_and_that_is_said() {
    let home = tempfile::tempdir().unwrap();
    let run = |line: &str| switchboard(home.path(), &line.split(' ').collect::<Vec<_>>(), &[], "");
    let add = "connection add shop --service http --url http://127.0.0.1:9/ --pause";
    assert_eq!(run(add).code, 0);
    let done = run("watch shop --for 1ms");
    assert_eq!((done.code, done.out.as_str()), (0, ""), "{done:?}");
    let way_out = "switchboard connection edit shop --unpause";
    assert!(
        done.err.contains("is paused") && done.err.contains(way_out),
        "{done:?}"
    );
}

#[test]
fn where_nothing_is_listed_that_is_said_beside_it() {
    let home = tempfile::tempdir().unwrap();
    let run = |line: &str| switchboard(home.path(), &line.split(' ').collect::<Vec<_>>(), &[], "");
    for line in ["connection list", "secret where", "token list --all"] {
        let done = run(line);
        assert_eq!((done.code, done.out.as_str()), (0, ""), "{line}: {done:?}");
        assert!(done.err.starts_with("no "), "{line}: {done:?}");
        let data = run(&format!("{line} --format json"));
        assert_eq!(
            (data.out.trim(), data.err.as_str()),
            ("[]", ""),
            "{line}: {data:?}"
        );
    }
    let nothing = run("connection export");
    assert!(
        nothing.err.contains("add NAME --service S --url U"),
        "{nothing:?}"
    );
}

#[test]
fn a_caveat_beside_a_step_is_told_to_people() {
    let rehearsal = Rehearsal::start();
    let entry = rehearsal.entry(Reason::RewriteOff);
    let home = tempfile::tempdir().unwrap();
    let url = entry.url.as_deref().unwrap();
    let username = entry.username.as_deref().unwrap();
    let arguments = [
        "probe",
        "--service",
        "blesta",
        "--url",
        url,
        "--username",
        username,
        "--key-env",
        "KEY",
    ];
    let variables = [("KEY", entry.key.as_deref().unwrap())];
    let done = switchboard(home.path(), &arguments, &variables, "");
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.out.contains("it is asked through /index.php/api"),
        "{done:?}"
    );
}

#[test]
fn a_token_s_value_comes_by_options_of_its_name() {
    let home = tempfile::tempdir().unwrap();
    let run = |line: &str| switchboard(home.path(), &line.split(' ').collect::<Vec<_>>(), &[], "");
    assert_eq!(
        run("connection add shop --service http --url http://127.0.0.1:9/").code,
        0
    );
    for (line, told) in [
        (
            "secret set shop token --token-stdin",
            "the token given is empty",
        ),
        ("secret set shop --key-stdin", "the key given is empty"),
        (
            "secret add shop bot --token-stdin",
            "the token given is empty",
        ),
        (
            "secret add shop bot --key-stdin",
            "the token given is empty",
        ),
        ("secret set shop token", "--token-stdin"),
    ] {
        let done = run(line);
        assert!(
            done.code == 3 && done.err.contains(told),
            "{line}: {done:?}"
        );
    }
}

#[test]
fn a_moved_url_is_agreed_to_by_its_origin() {
    let rehearsal = Rehearsal::start();
    let good = rehearsal.entry(Reason::Connected);
    let home = tempfile::tempdir().unwrap();
    let (key, username) = (good.key.clone().unwrap(), good.username.clone().unwrap());
    let variables = [("KEY", key.as_str())];
    let run = |words: &[&str]| switchboard(home.path(), words, &variables, "");
    let reason = || run(&["probe", "shop", "--format", "json"]).json()["reason"].clone();
    let add = "connection add shop --service blesta --url http://127.0.0.1:9/ --key-ref env:KEY --username";
    let add: Vec<&str> = add.split(' ').chain([username.as_str()]).collect();
    assert_eq!(run(&add).code, 0);
    let url = good.url.clone().unwrap();
    assert_eq!(run(&["connection", "edit", "shop", "--url", &url]).code, 0);
    assert_eq!(reason(), "secret-unavailable", "nobody agreed to it");
    assert_eq!(rehearsal.sim.log().keys_sent(good.port().unwrap()), 0);
    let other = run(&[
        "connection",
        "edit",
        "shop",
        "--send-key-to",
        "http://127.0.0.1:9",
    ]);
    assert_eq!(other.code, 3, "{other:?}");
    let origin = format!("http://127.0.0.1:{}", good.port().unwrap());
    assert!(other.err.contains(&origin), "it says where: {other:?}");
    assert_eq!(reason(), "secret-unavailable");
    let agreed = run(&["connection", "edit", "shop", "--send-key-to", &origin]);
    assert_eq!(agreed.code, 0, "{agreed:?}");
    assert_eq!(reason(), "connected");
}

#[test]
fn what_is_agreed_for_a_key_in_the_vault_counts() {
    let rehearsal = Rehearsal::start();
    let good = rehearsal.entry(Reason::Connected);
    let home = tempfile::tempdir().unwrap();
    let passphrase = home.path().join("passphrase");
    let mut file = std::fs::OpenOptions::new();
    let file = file
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&passphrase);
    file.unwrap().write_all(b"correct horse\n").unwrap();
    let variables = [("SWITCHBOARD_PASSPHRASE_FILE", passphrase.to_str().unwrap())];
    let run = |words: &[&str], stdin: &str| switchboard(home.path(), words, &variables, stdin);
    let reason = || run(&["probe", "shop", "--format", "json"], "").json()["reason"].clone();
    let (key, username) = (good.key.clone().unwrap(), good.username.clone().unwrap());
    let add = "connection add shop --service blesta --url http://127.0.0.1:9/ --key-stdin --store vault --username";
    let add: Vec<&str> = add.split(' ').chain([username.as_str()]).collect();
    let added = run(&add, &format!("{key}\n"));
    assert_eq!(added.code, 0, "{added:?}");
    let url = good.url.clone().unwrap();
    assert_eq!(
        run(&["connection", "edit", "shop", "--url", &url], "").code,
        0
    );
    assert_eq!(reason(), "secret-unavailable", "nobody agreed to it");
    // Another one of the host that the key was entered for.
    let copied = run(&["connection", "clone", "shop", "before"], "");
    assert_eq!(copied.code, 0, "{copied:?}");
    let back = [
        "connection",
        "edit",
        "before",
        "--url",
        "http://127.0.0.1:9/",
    ];
    assert_eq!(run(&back, "").code, 0);
    let origin = format!("http://127.0.0.1:{}", good.port().unwrap());
    let agreed = run(
        &["connection", "edit", "shop", "--send-key-to", &origin],
        "",
    );
    assert_eq!(agreed.code, 0, "{agreed:?}");
    let told =
        "shop has its key in vault:shop/key-2 now: vault:shop/key stays as it is for another";
    assert!(agreed.err.contains(told), "{agreed:?}");
    assert_eq!(reason(), "connected");
}

/// Reads a request's head and says 200.
fn answer(mut stream: TcpStream) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    let _ =
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
}

#[test]
fn ndjson_is_one_object_for_each_as_they_finish() {
    let home = tempfile::tempdir().unwrap();
    let (go_on, wait) = mpsc::channel::<()>();
    let mut wait = Some(wait);
    for name in ["slow", "quick"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let held = if name == "slow" { wait.take() } else { None };
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if let Some(held) = &held {
                    let _ = held.recv();
                }
                answer(stream);
            }
        });
        let add = [
            "connection",
            "add",
            name,
            "--service",
            "http",
            "--url",
            &url,
        ];
        assert_eq!(switchboard(home.path(), &add, &[], "").code, 0);
    }
    let name = |line: &str| {
        let verdict: serde_json::Value = serde_json::from_str(line).unwrap();
        verdict["connection"].as_str().unwrap().to_owned()
    };
    let one = ["probe", "quick", "--format", "ndjson"];
    let done = switchboard(home.path(), &one, &[], "");
    let told: Vec<_> = done.out.lines().map(name).collect();
    assert_eq!(told, ["quick"], "{done:?}");

    let mut command = Command::new(BINARY);
    command.args(["probe", "slow", "quick", "--format", "ndjson"]);
    let mut child = begin(&mut command, home.path(), &[]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(name(&lines.next().unwrap().unwrap()), "quick");
    go_on.send(()).unwrap();
    assert_eq!(name(&lines.next().unwrap().unwrap()), "slow");
    assert!(lines.next().is_none());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// The signal of `ulimit -f` would end it in the middle, with a file of its own left behind.
#[test]
fn a_write_over_the_limit_of_file_sizes_fails_as_any_other() {
    let home = tempfile::tempdir().unwrap();
    let add = "connection add shop --service http --url http://127.0.0.1:9/";
    let arguments: Vec<&str> = add.split(' ').collect();
    let done = switchboard(home.path(), &arguments, &[], "");
    assert_eq!(done.code, 0, "{done:?}");
    let folder = home.path().join(".config/switchboard");
    let text = || std::fs::read(folder.join("switchboard.toml")).unwrap();
    let before = text();
    let mut command = Command::new("sh");
    let note = "x".repeat(2_000);
    let limited = "ulimit -f 2; exec \"$0\" connection edit shop --note \"$1\"";
    command.args(["-c", limited, BINARY, &note]);
    let done = finish(command, home.path(), &[], "");
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.err.contains("is unchanged"), "{done:?}");
    assert_eq!(text(), before);
    let left = std::fs::read_dir(&folder).unwrap().flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name()).collect();
    assert!(
        left.iter()
            .all(|name| !name.to_string_lossy().ends_with(".tmp")),
        "{left:?}"
    );
}

/// Written there by hand, or by an earlier version, it is not carried further.
#[test]
fn a_key_in_the_place_of_a_user_name_is_masked_and_each_line_of_it_named() {
    let home = tempfile::tempdir().unwrap();
    let run = |line: &str| {
        let arguments: Vec<&str> = line.split(' ').collect();
        switchboard(home.path(), &arguments, &[], "")
    };
    for name in ["one", "two"] {
        let url = "--service connect --url http://127.0.0.1:9/public/v1 --username";
        let done = run(&format!("connection add {name} {url} SU-1-2-{name}"));
        assert_eq!(done.code, 0, "{done:?}");
    }
    let path = home.path().join(".config/switchboard/switchboard.toml");
    let secret = "f45bee7e79b10ff6eff67902ccb4f3d46724ceb8";
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines = Vec::new();
    let changed = text.lines().enumerate().map(|(at, line)| {
        let changed = match line.strip_prefix("username = ") {
            Some(_) => format!("username = \"SU-1-2:{secret}\"\n"),
            None => format!("{line}\n"),
        };
        lines.extend(line.starts_with("username").then_some(at + 1));
        changed
    });
    std::fs::write(&path, changed.collect::<String>()).unwrap();
    for (line, told) in [
        ("connection list --format json", "••••"),
        ("connection show one", "••••"),
        (
            "connection export",
            "the user name of \"one\" holds what looks like a key",
        ),
        ("doctor", "one has what looks like a key as its user name"),
    ] {
        let done = run(line);
        let all = done.out + &done.err;
        assert!(all.contains(told), "{line}: {all}");
        assert!(!all.contains(secret), "{line}: {all}");
    }
    let named = format!("lines {} and {} of ", lines[0], lines[1]);
    assert!(run("doctor").out.contains(&named), "{named}");
    // What else is to be changed there can be.
    let done = run("connection edit one --note x");
    assert_eq!(done.code, 0, "{done:?}");
}

#[test]
fn what_was_removed_is_said_on_stderr() {
    let home = tempfile::tempdir().unwrap();
    for (line, told) in [
        (
            "connection add shop --service http --url http://127.0.0.1:9",
            "",
        ),
        ("connection remove shop --yes", "shop is removed\n"),
    ] {
        let arguments: Vec<&str> = line.split(' ').collect();
        let done = switchboard(home.path(), &arguments, &[], "");
        assert_eq!((done.code, &*done.err, &*done.out), (0, told, ""));
    }
}

#[test]
fn what_does_not_belong_in_a_url_is_pointed_out_to_who_probes_it_unsaved() {
    let home = tempfile::tempdir().unwrap();
    for (url, service, told) in [
        ("http://127.0.0.1:9/api/x.json", "blesta", true),
        ("http://127.0.0.1:9/?x=1", "blesta", true),
        ("http://127.0.0.1:9", "blesta", false),
        ("http://127.0.0.1:9/api", "http", false),
    ] {
        let arguments = ["probe", "--url", url, "--service", service];
        let done = switchboard(home.path(), &arguments, &[], "");
        let hint = "Without it: --url http://127.0.0.1:9\n";
        assert_eq!(done.err.contains(hint), told, "{url}: {done:?}");
        assert!(!done.out.contains("Without it"), "{done:?}");
    }
}

#[test]
fn a_url_or_a_key_that_is_too_long_stays_out_and_the_others_come_in() {
    let home = tempfile::tempdir().unwrap();
    let long = "x".repeat(70_000);
    let file = home.path().join("three");
    let lines = [
        format!("curl http://127.0.0.1:1/{}", "x".repeat(2_048)),
        format!("curl -u me:{long} http://127.0.0.1:2/"),
        "curl http://127.0.0.1:3/".to_owned(),
    ];
    std::fs::write(&file, lines.join("\n")).unwrap();
    let import = ["connection", "import", file.to_str().unwrap()];
    let done = switchboard(home.path(), &import, &[], "");
    assert_eq!(done.code, 1, "{done:?}");
    for told in [
        "is longer than 2048 characters",
        "the key was left out: it is longer than 64 KiB",
        "2 came in, 1 stayed out",
    ] {
        assert!(done.out.contains(told), "{told} in {done:?}");
    }
    let probe = "probe --url http://127.0.0.1:1 --key-env LONG";
    let arguments: Vec<&str> = probe.split(' ').collect();
    let done = switchboard(home.path(), &arguments, &[("LONG", &long)], "");
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.err.contains("the key given is too long"), "{done:?}");
}
