//! Tokens of an account on the whole screen: their life by keys, over the rehearsal's service.
#![expect(
    clippy::unwrap_used,
    clippy::too_many_lines,
    reason = "a test: whatever is missing shall fail it"
)]

mod support;

use std::cell::Cell;
use std::io;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use support::commands::switchboard;
use support::person::{self, Person};
use switchboard::app::effect::ScreenEnd;
use switchboard::clipboard::Terminal;
use switchboard::config::Environment;
use switchboard::domain::{Connection, Name, Secret, ServiceId};
use switchboard::sim::{Access, Answer, Behaviour, Connect, Mishap, ServicePort, Sim, SimSettings};
use switchboard::work::{Core, Rehearsed};

const OWN: &str = "SU-160-984-311";

thread_local! {
    static SKIPPED: Cell<SignedDuration> = const { Cell::new(SignedDuration::ZERO) };
}

/// Some time goes by at once.
fn skip(time: SignedDuration) {
    SKIPPED.set(SKIPPED.get() + time);
}

/// Runs the screen over `core`, by a clock that takes leaps.
async fn session(
    core: Core,
    size: (u16, u16),
    plot: impl AsyncFnOnce(&mut Person),
) -> io::Result<ScreenEnd> {
    let now = || Timestamp::now() + SKIPPED.get();
    person::lasting(core, size, now, plot).await.0
}

/// An account behind two connections, and the core of the screen.
struct Stage {
    sim: Sim,
    connect: Connect,
    stand: ServicePort,
    core: Core,
}

impl Stage {
    async fn new(others: usize) -> Self {
        Self::with(others, |connect| connect, |_| {}).await
    }

    async fn with(
        others: usize,
        change: impl FnOnce(Connect) -> Connect,
        set: impl Fn(&mut Connection),
    ) -> Self {
        let mut sim = Sim::bare(SimSettings::default()).unwrap();
        let (id, secret) = sim.connect_pair();
        let connect = change(Connect::new(&id, &secret, others));
        let stand = sim.serve(Behaviour::Connect(connect.clone())).unwrap();
        let url = format!("{}/public/v1", stand.url);
        let connections = ["market", "second"].map(|name| {
            let name = Name::parse(name).unwrap();
            let mut connection = Connection::new(name, ServiceId::connect(), &url);
            connection.username.clone_from(&id);
            set(&mut connection);
            Rehearsed {
                connection,
                key: Some(Secret::new(secret.as_str())),
                token: None,
            }
        });
        let over_ssh = Environment::of([("SSH_CONNECTION", "a 1 b 22"), ("TERM", "xterm")]);
        let core = Core::rehearsal(over_ssh, connections.into())
            .await
            .unwrap()
            .with_terminal(Terminal::Silent);
        Self {
            sim,
            connect,
            stand,
            core,
        }
    }

    /// How often `method` was used on a path with this end.
    fn asked(&self, method: &str, end: &str) -> usize {
        let log = self.sim.log();
        let seen = log.at(self.stand.port);
        seen.iter()
            .filter(|seen| seen.method == method && seen.path.ends_with(end))
            .count()
    }

    /// Waits until a path with this end was read so often, and not more.
    async fn asked_so_often(&self, end: &str, times: usize) {
        let limit = std::time::Duration::from_secs(60);
        let port = self.stand.port;
        let reads = |log: &switchboard::sim::Log| {
            let seen = log.at(port);
            seen.iter()
                .filter(|seen| seen.method == "GET" && seen.path.ends_with(end))
                .count()
        };
        let waited = self.sim.wait_for(|log| reads(log) >= times);
        tokio::time::timeout(limit, waited).await.unwrap();
        assert_eq!(self.asked("GET", end), times);
    }

    fn status(&self, id: &str) -> String {
        let row = self.connect.token_row(id).unwrap();
        row["status"].as_str().unwrap().to_owned()
    }
}

/// Into the tokens pane, the list loaded.
async fn load(person: &mut Person) {
    person.sees("market").await;
    person.sees("Successfully Connected").await;
    person.press("tab tab tab");
    person.sees("loads the account's tokens").await;
    person.press("l");
    person.sees("newest first").await;
    person.sees_no("loading").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_s_whole_life_by_keys() {
    let stage = Stage::new(12).await;
    let new = "SU-900-000-001";
    session(
        stage.core.clone(),
        (100, 40),
        async |person: &mut Person| {
            load(person).await;
            assert_eq!(
                stage.asked("GET", "/auth/tokens"),
                1,
                "one request to the first page"
            );
            person.sees("Reports export").await;

            person.press("t");
            person.sees("New token").await;
            person.press("enter enter enter enter");
            person.sees("a token needs a label").await;
            person.types("night job");
            person.press("enter enter enter enter");
            person.sees("of 32 left").await;
            person.press("down enter");
            person.sees("Without a module it opens nothing").await;
            // Back and forth: nothing typed is lost.
            person.press("pgup pgup");
            person.sees("night job").await;
            person.press("pgdn pgdn");
            person.sees("Without a module").await;
            person.press("space");
            person.sees("every module of the account").await;
            person.press("space down space enter");
            person.sees("two requests").await;
            skip(SignedDuration::from_secs(1));
            person.press("enter");
            person.sees("exists now").await;
            assert_eq!(stage.asked("POST", "/auth/tokens"), 1);
            assert_eq!(stage.asked("POST", "/permissions"), 1);

            person.press("enter");
            person.sees("pending").await;
            person.press("x");
            person.sees("night job is enabled").await;
            assert_eq!(stage.status(new), "active");
            person.press("v");
            let secret = stage.connect.token_row(new).unwrap()["token"].clone();
            let handle = format!("ApiKey {new}:{}", secret.as_str().unwrap());
            person.sees(&handle).await;
            person.press("v");
            person.sees_no(secret.as_str().unwrap()).await;
            person.press("y");
            person.sees("does not confirm").await;
            assert!(
                person.written().starts_with("\x1b]52;c;"),
                "{}",
                person.written()
            );

            person.press("tab");
            person.sees("Products").await;
            person.press("tab");
            person.sees("Last used").await;
            person.press("tab");

            person.press("x");
            person.sees("type its label").await;
            person.types("night");
            person.press("enter");
            person.sees("that is not its label").await;
            person.types(" job");
            person.press("enter");
            person.sees("night job is disabled").await;
            assert_eq!(stage.status(new), "inactive");
            person.press("x");
            person.sees("night job is enabled").await;

            person.press("e");
            person.sees("Edit night job").await;
            person.types("s");
            person.press("pgdn");
            person.sees("1 chosen").await;
            person.press("down down space up space pgdn");
            let difference = person.sees("Enter sends this").await;
            for line in ["- night job", "+ night jobs", "+ MD-0002", "- MD-0001"] {
                assert!(difference.contains(line), "{line}: {difference}");
            }
            skip(SignedDuration::from_secs(1));
            person.press("enter");
            person.sees("the token is changed").await;
            let row = stage.connect.token_row(new).unwrap();
            assert_eq!(row["name"], "night jobs");
            assert_eq!(row["permissions"][0]["id"], "MD-0002");

            person.press("N");
            person.sees("New one ends").await;
            person.press("enter");
            person.sees("its new secret proven").await;
            person.press("esc");
            person.press("O");
            person.sees("dead at once").await;
            person.press("enter");
            person.sees("type its label").await;
            person.types("night jobs");
            person.press("enter");
            person.sees("Rotated").await;
            person.press("esc");
            assert_ne!(stage.connect.token_row(new).unwrap()["token"], secret);

            person.press("d");
            person.sees("gone for good").await;
            person.types("night jobs");
            person.press("enter");
            person.sees("night jobs is deleted").await;
            assert_eq!(stage.status(new), "deleted");
            person
                .sees_that("the list without it", |screen| {
                    screen.contains("Reports export") && !screen.contains("SU-900")
                })
                .await;
        },
    )
    .await
    .unwrap();
}

/// A row of the service, without what differs from one life to another: secrets and times.
fn told(connect: &Connect, id: &str) -> serde_json::Value {
    let mut row = connect.token_row(id).unwrap();
    for field in ["expiration_date", "renewed_expiration_date"] {
        row[field] = row[field].as_str().and_then(|at| at.get(..10)).into();
    }
    without_secrets_and_times(&mut row);
    row
}

fn without_secrets_and_times(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            fields.retain(|field, _| !["token", "at", "renewed_token"].contains(&field.as_str()));
            fields.values_mut().for_each(without_secrets_and_times);
        }
        serde_json::Value::Array(all) => all.iter_mut().for_each(without_secrets_and_times),
        _ => {}
    }
}

/// What changed something at the service: verb and path, in order.
fn changes(sim: &Sim) -> Vec<(String, String)> {
    let log = sim.log();
    let changing = log.all().iter().filter(|seen| seen.method != "GET");
    changing
        .map(|seen| (seen.method.clone(), seen.path.clone()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_commands_do_the_same() {
    let new = "SU-900-000-001";
    let (by_keys, by_command) = (Stage::new(12).await, Stage::new(12).await);
    let home = tempfile::tempdir().unwrap();
    let passphrase = home.path().join("passphrase");
    std::fs::write(&passphrase, "correct horse\n").unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&passphrase, private).unwrap();
    let run = |arguments: &[&str], input: &str| {
        let variables = [("SWITCHBOARD_PASSPHRASE_FILE", passphrase.to_str().unwrap())];
        // The rehearsal answers on this runtime's threads meanwhile.
        let done =
            tokio::task::block_in_place(|| switchboard(home.path(), arguments, &variables, input));
        assert_eq!(done.code, 0, "{arguments:?}: {done:?}");
        done.out
    };
    let key = |stage: &Stage| {
        let row = stage.connect.token_row(OWN).unwrap();
        row["token"].as_str().unwrap().to_owned()
    };
    let url = format!("{}/public/v1", by_command.stand.url);
    let add = "connection add market --service connect --store vault --key-stdin --username";
    let add: Vec<&str> = add.split(' ').chain([OWN, "--url", &url]).collect();
    run(&add, &key(&by_command));
    let same = || {
        assert_eq!(changes(&by_keys.sim), changes(&by_command.sim));
        assert_eq!(told(&by_keys.connect, new), told(&by_command.connect, new));
    };

    session(
        by_keys.core.clone(),
        (100, 40),
        async |person: &mut Person| {
            load(person).await;
            person.press("t");
            person.sees("New token").await;
            person.types("night job");
            person.press("enter enter enter enter");
            person.sees("of 32 left").await;
            person.press("down enter");
            person.sees("Without a module it opens nothing").await;
            person.press("down space enter");
            person.sees("two requests").await;
            skip(SignedDuration::from_secs(1));
            person.press("enter");
            person.sees("exists now").await;
            let create =
                "token create market --extension EXT-001 --expires 365d --module MD-0001 --name";
            let create: Vec<&str> = create.split(' ').chain(["night job"]).collect();
            let made = run(&create, "");
            assert!(made.contains(new), "{made}");
            same();

            person.press("enter");
            person.sees("pending").await;
            person.press("x");
            person.sees("night job is enabled").await;
            run(&["token", "enable", "market", new], "");
            same();

            person.press("x");
            person.sees("type its label").await;
            person.types("night job");
            person.press("enter");
            person.sees("night job is disabled").await;
            run(&["token", "disable", "market", new, "--yes"], "");
            same();

            person.press("x");
            person.sees("night job is enabled").await;
            run(&["token", "enable", "market", new], "");

            person.press("e");
            person.sees("Edit night job").await;
            person.types("s");
            person.press("pgdn");
            person.sees("1 chosen").await;
            person.press("down down space up space pgdn");
            person.sees("Enter sends this").await;
            skip(SignedDuration::from_secs(1));
            person.press("enter");
            person.sees("the token is changed").await;
            let edit = "token edit market SU-900-000-001 --module MD-0002 --name";
            let edit: Vec<&str> = edit.split(' ').chain(["night jobs"]).collect();
            run(&edit, "");
            same();

            person.press("v");
            let secret = by_keys.connect.token_row(new).unwrap()["token"].clone();
            let secret = secret.as_str().unwrap();
            person.sees(&format!("ApiKey {new}:{secret}")).await;
            person.press("v");
            let revealed = run(&["token", "reveal", "market", new], "");
            let there = by_command.connect.token_row(new).unwrap()["token"].clone();
            assert_eq!(
                revealed.trim_end(),
                format!("ApiKey {new}:{}", there.as_str().unwrap())
            );

            person.press("N");
            person.sees("New one ends").await;
            person.press("enter");
            person.sees("its new secret proven").await;
            person.press("esc");
            run(&["token", "renew", "market", new, "--yes"], "");
            same();

            person.press("O");
            person.sees("dead at once").await;
            person.press("enter");
            person.sees("type its label").await;
            person.types("night jobs");
            person.press("enter");
            person.sees("Rotated").await;
            person.press("esc");
            run(&["token", "rotate", "market", new, "--yes"], "");
            same();

            person.press("d");
            person.sees("gone for good").await;
            person.types("night jobs");
            person.press("enter");
            person.sees("night jobs is deleted").await;
            run(&["token", "delete", "market", new, "--yes"], "");
            same();
            assert_eq!(by_keys.status(new), "deleted");
        },
    )
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_in_use_is_guarded_and_renewed_for_all_who_hold_it() {
    let stage = Stage::new(3).await;
    session(
        stage.core.clone(),
        (100, 40),
        async |person: &mut Person| {
            load(person).await;
            person.press("end");
            person.press("/");
            person.types("Switchboard");
            person.press("enter");
            person.sees("/Switchboard").await;
            person.sees("1 token ·").await;
            person.press("d");
            person
                .sees("This is the key that market, second run on")
                .await;
            person.types("Switchboard");
            person.press("enter");
            person.press("enter");
            person.sees("none of the connections").await;
            assert_eq!(stage.asked("DELETE", OWN), 0);
            person.press("esc");

            person.press("N");
            person.sees("they get the new one").await;
            person.press("enter");
            let done = person.sees("its new secret proven").await;
            assert!(done.contains("market uses the new secret"), "{done}");
            assert!(done.contains("second uses the new secret"), "{done}");
            assert_eq!(stage.asked("POST", "/renew"), 1);
        },
    )
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_five_thousand_tokens_are_one_page_away() {
    let stage = Stage::new(25_000).await;
    session(
        stage.core.clone(),
        (100, 40),
        async |person: &mut Person| {
            load(person).await;
            person.sees("20,001 tokens").await;
            assert_eq!(stage.asked("GET", "/auth/tokens"), 1);
            person.press("end");
            stage.asked_so_often("/auth/tokens", 2).await;
            person.sees_no("loading").await;
            person.press("/");
            person.types("SU-500-024-996");
            person.sees("1 token ·").await;
            // Once, when typing rested; the last rows may have stood on two pages.
            let asked = stage.asked("GET", "/auth/tokens");
            assert!((3..=4).contains(&asked), "{asked} requests");
            person.press("esc");
            person.sees("20,001 tokens").await;
            person.press("f");
            person.sees("7 tokens · expiring").await;
            person.press("f f f");
            person.sees("5,000 tokens · disabled").await;
        },
    )
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_has_its_words_on_the_screen() {
    let stage = Stage::new(3).await;
    let instead = |status, body: &str| Mishap::Instead(Answer::new(status, "text/plain", body));
    session(
        stage.core.clone(),
        (120, 40),
        async |person: &mut Person| {
            load(person).await;
            for (mishap, words) in [
                (instead(404, "no"), "not found (404)"),
                (
                    instead(403, "<html>"),
                    "by a server before the service (403)",
                ),
                (
                    Mishap::Instead(Answer::json(
                        403,
                        &json!({ "error_code": "X", "errors": ["no"] }),
                    )),
                    "this key lacks the module Integrations (403)",
                ),
                (instead(200, "{"), "the answer is not what this API sends"),
                (instead(200, "[]"), "the account has no tokens"),
            ] {
                stage.connect.plan("GET /auth/tokens", mishap);
                person.press("l");
                person.sees(words).await;
            }
            for _ in 0..3 {
                stage.connect.plan("GET /auth/tokens", Mishap::failed());
            }
            person.press("l");
            person.sees("the service failed").await;
            // Whatever the service says, a row is a row.
            let whole = |rows: &serde_json::Value| {
                Answer::json(200, rows).with("Content-Range", "items 0-1/2")
            };
            let odd = json!([{}, { "id": "SU-1", "status": "dormant" }]);
            stage
                .connect
                .plan("GET /auth/tokens", Mishap::Instead(whole(&odd)));
            person.press("l");
            person.sees("dormant").await;
            stage
                .connect
                .plan("GET /auth/tokens", Mishap::throttled(Some(60)));
            person.press("l");
            person.sees("the service asks to wait until").await;
        },
    )
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_died_says_so() {
    let stage = Stage::new(3).await;
    session(
        stage.core.clone(),
        (100, 40),
        async |person: &mut Person| {
            load(person).await;
            stage.connect.revoke_after(OWN, 0);
            person.press("l");
            person.sees("the key was refused (401)").await;
        },
    )
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_half_made_is_finished_or_taken_away() {
    let stage = Stage::new(3).await;
    session(
        stage.core.clone(),
        (100, 40),
        async |person: &mut Person| {
            load(person).await;
            for way in ["again", "away"] {
                stage
                    .connect
                    .plan("POST /auth/tokens/SU-900", Mishap::failed());
                person.press("t");
                person.sees("New token").await;
                person.types(way);
                person.press("pgdn");
                person.sees("of 32 left").await;
                person.press("enter");
                person.sees("Products").await;
                person.press("down space enter");
                person.sees("two requests").await;
                skip(SignedDuration::from_secs(1));
                person.press("enter");
                person.sees("It may not be let into: MD-0001").await;
                if way == "again" {
                    person.press("l");
                    person.sees("It is pending").await;
                    person.press("esc");
                } else {
                    person.press("d");
                    person.sees("gone for good").await;
                    person.types(way);
                    person.press("enter");
                    person.sees("away is deleted").await;
                }
                person.sees_no("New token").await;
            }
            assert_eq!(stage.asked("DELETE", ""), 1);
        },
    )
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_done_is_not_tried() {
    let read_only = |connection: &mut Connection| connection.read_only = true;
    let stage = Stage::with(3, |connect| connect, read_only).await;
    session(
        stage.core.clone(),
        (100, 40),
        async |person: &mut Person| {
            load(person).await;
            person.press("down");
            person.press("t e x N O d");
            person.sees("is read-only").await;
            person.press("W");
            let hidden = person.sees("token-").await;
            for secret in ["Reports", "SU-500", "Rehearsal Admin", OWN] {
                assert!(!hidden.contains(secret), "{secret}: {hidden}");
            }
            person.press("v");
            person.sees("the war-room shows no handle").await;
        },
    )
    .await
    .unwrap();
    assert_eq!(
        stage.asked("POST", "") + stage.asked("PUT", "") + stage.asked("DELETE", ""),
        0
    );

    let closed = Stage::with(3, |connect| connect.with_access(Access::NoTokens), |_| {}).await;
    session(
        closed.core.clone(),
        (100, 40),
        async |person: &mut Person| {
            person.sees("Successfully Connected").await;
            person.press("tab tab tab l");
            person
                .sees("this key lacks the module Integrations (403)")
                .await;
        },
    )
    .await
    .unwrap();
}
