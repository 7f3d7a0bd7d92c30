//! What only a sequence shows: another account behind the same URL, what changed since it last worked, and that
//! the lock-out budget holds however the programs end.
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use switchboard::sim::{
    Behaviour, Blesta, BlestaState, Control, Log, ServerHeader, ServicePort, Sim, SimSettings,
    Style,
};

use crate::support::commands::{BINARY, Done, begin, switchboard};
use crate::support::rig::{Certificates, Nginx, available, free_port};

/// A key of the right shape that opens nothing.
const WRONG: &str = "ffffffffffffffffffffffffffffffff";

/// The rehearsal on a runtime of its own, with one Blesta.
struct Stage {
    sim: Sim,
    stand: ServicePort,
    blesta: Blesta,
    runtime: tokio::runtime::Runtime,
    home: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let inside = runtime.enter();
        let mut sim = Sim::bare(SimSettings::default()).unwrap();
        let blesta = sim.blesta();
        let stand = sim.serve(Behaviour::Blesta(blesta.clone())).unwrap();
        drop(inside);
        Self {
            sim,
            stand,
            blesta,
            runtime,
            home: tempfile::tempdir().unwrap(),
        }
    }

    fn control(&self) -> &Control {
        self.sim.control(&self.stand.url).unwrap()
    }

    fn keys_sent(&self) -> usize {
        self.sim.log().keys_sent(self.stand.port)
    }

    /// Waits until `test` holds for what was seen.
    fn until(&self, test: impl FnMut(&Log) -> bool) {
        let limit = Duration::from_secs(60);
        let waited = self.runtime.block_on(async {
            let wait = tokio::time::timeout(limit, self.sim.wait_for(test));
            wait.await.is_ok()
        });
        assert!(waited, "what was waited for never came");
    }

    /// Saves the Blesta as `shop`, its key in the variable `SHOP_KEY`.
    fn save(&self) {
        let pair = [
            "--username",
            &self.blesta.username,
            "--key-ref",
            "env:SHOP_KEY",
        ];
        let add = ["connection", "add", "shop", "--service", "blesta", "--url"];
        let arguments = [&add[..], &[&self.stand.url], &pair].concat();
        assert_eq!(self.run(&arguments, &self.blesta.key).code, 0);
    }

    fn run(&self, arguments: &[&str], key: &str) -> Done {
        switchboard(self.home.path(), arguments, &[("SHOP_KEY", key)], "")
    }

    /// Probes the saved connection.
    fn probe(&self) -> Value {
        self.run(&["probe", "shop", "--format", "json"], &self.blesta.key)
            .json()
    }

    /// Probes without saving, with `key`.
    fn probe_with(&self, key: &str, more: &[&str]) -> Value {
        let arguments = [
            &["probe", "--service", "blesta", "--format", "json", "--url"][..],
            &[self.stand.url.as_str(), "--username", &self.blesta.username],
            &["--key-env", "SHOP_KEY"],
            more,
        ]
        .concat();
        self.run(&arguments, key).json()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Whatever is still held back may go, so that nothing waits for ever.
        self.control().release();
        let _inside = self.runtime.enter();
    }
}

fn changes(verdict: &Value) -> Vec<&str> {
    let lines = verdict["changed_since_last_good"].as_array().unwrap();
    lines.iter().map(|line| line.as_str().unwrap()).collect()
}

#[test]
fn another_company_is_accepted_by_command() {
    let stage = Stage::new();
    stage.save();
    assert_eq!(stage.probe()["reason"], "connected");
    let mut other = stage.blesta.clone();
    other.companies[0].id = 7;
    other.companies[0].name = "Other Ltd".to_owned();
    stage.control().set(Behaviour::Blesta(other));
    let changed = stage.probe();
    assert_eq!(changed["reason"], "identity-changed", "{changed:#}");
    let steps = changed["remedy"]["steps"].to_string();
    assert!(steps.contains("connection accept"), "{steps}");
    let done = stage.run(&["connection", "accept", "shop"], &stage.blesta.key);
    assert_eq!(done.code, 0, "{done:?}");
    for _ in 0..2 {
        let accepted = stage.probe();
        assert_eq!(accepted["reason"], "connected", "{accepted:#}");
        assert_eq!(accepted["identity"]["name"], "Other Ltd");
    }
}

#[test]
fn a_company_that_is_not_the_urls_is_accepted_by_its_id_alone() {
    let stage = Stage::new();
    stage.save();
    let mut other = stage.blesta.clone();
    other.companies[0].id = 7;
    other.companies[0].hostname = "other.example".to_owned();
    stage.control().set(Behaviour::Blesta(other));
    let wrong = stage.probe();
    assert_eq!(wrong["reason"], "wrong-company", "{wrong:#}");
    let steps = wrong["remedy"]["steps"].to_string();
    let command = ["connection", "edit", "shop", "--company", "7"];
    assert!(steps.contains(&command.join(" ")), "{steps}");
    // What would change nothing does not say that it did.
    let done = stage.run(&["connection", "accept", "shop"], &stage.blesta.key);
    assert_eq!(done.code, 3, "{done:?}");
    assert!(
        done.err.contains("connection edit shop --company ID"),
        "{done:?}"
    );
    assert_eq!(stage.run(&command, &stage.blesta.key).code, 0);
    assert_eq!(stage.probe()["reason"], "connected");
}

#[test]
fn another_company_behind_the_same_url_is_told() {
    let stage = Stage::new();
    stage.save();
    let first = stage.probe();
    assert_eq!(first["reason"], "connected", "{first:#}");
    assert_eq!(first["identity"]["name"], "Shop Ltd");

    let mut other = stage.blesta.clone();
    other.companies[0].id = 7;
    other.companies[0].name = "Other Ltd".to_owned();
    stage.control().set(Behaviour::Blesta(other));
    for _ in 0..2 {
        let changed = stage.probe();
        assert_eq!(changed["reason"], "identity-changed", "{changed:#}");
        assert_eq!(
            (&changed["state"], &changed["status"]),
            (&"warn".into(), &200.into())
        );
        assert_eq!(changed["answered_by"], "service");
        let text = changed.to_string();
        assert!(
            text.contains("Shop Ltd") && text.contains("Other Ltd"),
            "{text}"
        );
        assert!(!changed["remedy"]["steps"].as_array().unwrap().is_empty());
        let lines = changes(&changed);
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with("identity: Shop Ltd")),
            "another account is never taken for the good one: {lines:?}"
        );
    }
    stage.control().set(Behaviour::Blesta(stage.blesta.clone()));
    assert_eq!(
        stage.probe()["reason"],
        "connected",
        "the pinned one is back"
    );
}

#[test]
fn another_server_shows_in_what_changed() {
    let stage = Stage::new();
    stage.save();
    let good = stage.probe();
    assert_eq!(
        (&good["reason"], changes(&good).len()),
        (&"connected".into(), 0)
    );

    let mut moved = stage.blesta.clone();
    moved.mood = BlestaState::Maintenance;
    stage.control().set(Behaviour::Blesta(moved));
    stage.control().dress(Style {
        server: ServerHeader::Named("nginx/1.22.1".to_owned()),
        ..Style::default()
    });
    let failed = stage.probe();
    assert_eq!(failed["reason"], "maintenance", "{failed:#}");
    assert_eq!(changes(&failed), ["server: Apache, now nginx/1.22.1"]);
}

#[test]
fn another_certificate_shows_in_what_changed() {
    if !available() {
        return;
    }
    let made = Certificates::new();
    let home = tempfile::tempdir().unwrap();
    let port = free_port();
    let serve = |(certificate, key): (std::path::PathBuf, std::path::PathBuf)| {
        let block = format!(
            "server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {}; ssl_certificate_key {};
             default_type application/json; location / {{ return 200 '{{}}'; }} }}",
            certificate.display(),
            key.display()
        );
        Nginx::start(&block, &[port])
    };
    let here = "IP:127.0.0.1";
    let nginx = serve(made.leaf("good", here, "20200101000000Z", "20450101000000Z"));
    let authority = made.authority().display().to_string();
    let url = format!("https://127.0.0.1:{port}");
    let add = [
        "connection",
        "add",
        "api",
        "--service",
        "http",
        "--url",
        &url,
    ];
    let add = [&add[..], &["--ca-file", &authority]].concat();
    assert_eq!(switchboard(home.path(), &add, &[], "").code, 0);
    let probe = ["probe", "api", "--format", "json"];
    let good = switchboard(home.path(), &probe, &[], "").json();
    assert_eq!(good["reason"], "connected", "{good:#}");

    drop(nginx);
    let _nginx = serve(made.leaf("late", here, "20200101000000Z", "20210101000000Z"));
    let failed = switchboard(home.path(), &probe, &[], "").json();
    assert_eq!(failed["reason"], "tls-expired", "{failed:#}");
    let lines = changes(&failed);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("certificate: ") && lines[0].contains(", now "));
}

#[test]
fn a_bisect_sends_the_key_four_times_at_most_and_pauses_it() {
    let stage = Stage::new();
    let bisected = stage.probe_with(WRONG, &["--full"]);
    assert_eq!(bisected["reason"], "credentials-rejected", "{bisected:#}");
    let sent = stage.keys_sent();
    assert!((2..=4).contains(&sent), "the key was sent {sent} times");
    for more in [&[][..], &["--full"]] {
        let paused = stage.probe_with(WRONG, more);
        assert_eq!(paused["reason"], "auth-paused", "{paused:#}");
        assert!(paused["retry_at"].is_string(), "{paused:#}");
    }
    assert_eq!(stage.keys_sent(), sent, "a paused key was sent");
}

#[test]
fn ten_different_wrong_keys_are_stopped_at_five() {
    let stage = Stage::new();
    let reasons: Vec<_> = (0..10)
        .map(|number| stage.probe_with(&format!("{number:032x}"), &[])["reason"].clone())
        .collect();
    let sent = stage.keys_sent();
    assert!(
        (1..=5).contains(&sent),
        "{sent} keys were sent: {reasons:?}"
    );
    assert_eq!(reasons[9], "auth-paused", "{reasons:?}");
}

#[test]
fn ten_connections_with_one_wrong_key_send_it_twice() {
    let stage = Stage::new();
    for number in 0..10 {
        let name = format!("shop-{number}");
        let pair = [
            "--username",
            &stage.blesta.username,
            "--key-ref",
            "env:SHOP_KEY",
        ];
        let add = ["connection", "add", &name, "--service", "blesta", "--url"];
        let arguments = [&add[..], &[&stage.stand.url], &pair].concat();
        assert_eq!(stage.run(&arguments, WRONG).code, 0);
    }
    let done = stage.run(&["probe", "--all", "--format", "json"], WRONG);
    let first = done.json();
    let first = first.as_array().unwrap();
    assert_eq!(first.len(), 10);
    let denied =
        |one: &Value| one["reason"] == "credentials-rejected" || one["reason"] == "auth-paused";
    assert!(first.iter().all(denied), "{done:?}");
    let again = stage
        .run(&["probe", "--all", "--format", "json"], WRONG)
        .json();
    assert!(
        again
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["reason"] == "auth-paused")
    );
    assert_eq!(stage.keys_sent(), 2, "how often the key was sent");
}

/// A probe of the saved connection that is killed while its key is under way: sent, and not answered.
fn kill_between_sending_and_answer(stage: &Stage, home: &Path) {
    let before = stage.keys_sent();
    stage.control().hold();
    let mut command = Command::new(BINARY);
    command.args(["probe", "shop"]);
    let mut child = begin(&mut command, home, &[("SHOP_KEY", &stage.blesta.key)]);
    stage.until(|log| log.keys_sent(stage.stand.port) > before);
    child.kill().unwrap();
    child.wait().unwrap();
    stage.control().release();
}

#[test]
fn a_key_that_was_sent_counts_though_the_program_was_killed() {
    let stage = Stage::new();
    stage.save();
    assert_eq!(stage.probe()["reason"], "connected");
    // The key was changed over there: from now on the one kept here is wrong.
    let mut rekeyed = stage.blesta.clone();
    rekeyed.key = WRONG.to_owned();
    stage.control().set(Behaviour::Blesta(rekeyed));
    let before = stage.keys_sent();
    kill_between_sending_and_answer(&stage, stage.home.path());
    assert_eq!(stage.keys_sent(), before + 1);
    let reasons: Vec<_> = (0..4).map(|_| stage.probe()["reason"].clone()).collect();
    let sent = stage.keys_sent() - before;
    assert!(sent <= 2, "the key was sent {sent} times: {reasons:?}");
    assert_eq!(reasons[3], "auth-paused", "{reasons:?}");
}

#[test]
fn where_a_redirect_leads_no_key_is_seen() {
    if !available() {
        return;
    }
    let target = Nginx::start_on_free_port(
        "server { listen 127.0.0.1:{port}; location / { return 200 'hello'; } }",
    );
    // Poses as the service, and redirects only what carries a key.
    let front = Nginx::start_on_free_port(&format!(
        "server {{ listen 127.0.0.1:{{port}}; default_type application/json; location / {{
            if ($http_authorization) {{ return 302 http://localhost:{0}$request_uri; }}
            if ($http_blesta_api_key) {{ return 302 http://localhost:{0}$request_uri; }}
            return 401 '{{\"message\":\"The authorization details given appear to be invalid.\",\"response\":null}}';
        }} }}",
        target.port
    ));
    // A query of the URL is nobody else's: it goes along neither by itself nor as the page that one came from.
    let home = tempfile::tempdir().unwrap();
    let elsewhere = Nginx::start_on_free_port(&format!(
        "server {{ listen 127.0.0.1:{{port}}; location / {{ return 302 http://localhost:{}/there; }} }}",
        target.port
    ));
    let url = format!("{}/health?token=geheim", elsewhere.url());
    let probe = ["probe", "--url", &url, "--format", "json", "--key-env", "K"];
    let done = switchboard(home.path(), &probe, &[("K", "0123456789abcdef")], "");
    assert_eq!(done.json()["reason"], "redirect-host", "{}", done.out);
    let seen = target.log();
    assert!(seen.contains("\"GET /there HTTP/1.1\" referer=-"), "{seen}");
    assert!(!seen.contains("geheim"), "{seen}");
    for auth in ["basic", "headers"] {
        let home = tempfile::tempdir().unwrap();
        let pair = [("K", "0123456789abcdef0123456789abcdef")];
        let probe = [
            "probe",
            "--service",
            "blesta",
            "--url",
            &front.url(),
            "--format",
            "json",
        ];
        let with = ["--username", "shop-api", "--key-env", "K", "--auth", auth];
        let done = switchboard(home.path(), &[&probe[..], &with].concat(), &pair, "");
        let verdict = done.json();
        assert_eq!(verdict["reason"], "redirect-host", "{verdict:#}");
    }
    let (sent, seen) = (front.log(), target.log());
    assert!(
        sent.contains("basic=Basic") && sent.contains("headers=0123"),
        "{sent}"
    );
    assert!(!seen.is_empty(), "the target is asked once, bare");
    assert!(
        seen.lines().all(|line| line.ends_with("basic=- headers=-")),
        "{seen}"
    );
}
