//! The exporter over a real port, asked by a plain client; what it says of verdicts, by promtool.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::config::{Environment, Overrides};
use crate::domain::{
    Address, AnsweredBy, Certificate, Name, Reason, Secret, ServiceId, TlsFacts, Window,
};
use crate::work::{ConnectionEdit, CoreOptions, Rehearsed};

const KEY: &str = "5ec2e75ec2e75ec2e75ec2e75ec2e755";

/// For tests in which nothing is told.
fn drop_told(_: &str) {}

struct Served {
    address: std::net::SocketAddr,
    exporter: Arc<Exporter>,
    _stop: oneshot::Sender<()>,
    _task: tokio::task::JoinSet<()>,
}

/// An exporter with a connection that nobody answers for.
async fn served() -> Served {
    served_at_once(64).await
}

/// The same, for so many probes at once.
async fn served_at_once(at_once: usize) -> Served {
    let name = |text| Name::parse(text).unwrap();
    let mut saved = Connection::new(name("shop eu"), ServiceId::blesta(), "http://127.0.0.1:1");
    saved.tags = vec!["eu".to_owned(), "billing".to_owned()];
    let entry = Rehearsed {
        connection: saved,
        key: Some(Secret::new(KEY)),
        token: None,
    };
    let core = Core::rehearsal(Environment::of([]), vec![entry]);
    let exporter = Arc::new(
        Exporter::open(core.await.unwrap(), at_once, Box::new(drop_told))
            .await
            .unwrap(),
    );
    let listen: Listen = "127.0.0.1:0".parse().unwrap();
    let bound = listen.bind().await.unwrap();
    let BoundListener::Tcp(_, address) = &bound else {
        panic!("{bound:?}")
    };
    let address = *address;
    let (end, stopped) = oneshot::channel::<()>();
    let mut task = tokio::task::JoinSet::new();
    let serving = Arc::clone(&exporter).serve(bound, async {
        let _ = stopped.await;
    });
    task.spawn(async { serving.await.unwrap() });
    Served {
        address,
        exporter,
        _stop: end,
        _task: task,
    }
}

impl Served {
    async fn ask(&self, line: &str, headers: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("{line} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path}"), "Host: 127.0.0.1\r\n")
            .await
    }
}

#[tokio::test]
async fn a_known_name_is_probed_and_no_other() {
    let served = served().await;
    let answer = served.get("/probe?target=shop%20eu").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("\nprobe_success 0\n"), "{answer}");
    let info =
        "switchboard_failure_info{reason=\"refused\",answered_by=\"nobody\",state=\"down\"} 1";
    assert!(answer.contains(info), "{answer}");
    for (path, status) in [
        ("/probe?target=http://127.0.0.1:1", "404"),
        ("/probe?target=other", "404"),
        ("/probe?target=", "400"),
        ("/probe", "400"),
        ("/other", "404"),
    ] {
        let answer = served.get(path).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{path}: {answer}"
        );
    }
    let own = served.get("/metrics").await;
    let counted = "switchboard_probes_total{state=\"down\"} 1\n";
    assert!(own.contains(counted), "{own}");
    assert!(own.contains("switchboard_connections 1\n"), "{own}");
    assert!(own.contains("switchboard_probes_in_flight 0\n"), "{own}");
}

#[tokio::test]
async fn connections_that_are_kept_open_for_nothing_shut_nobody_out() {
    let served = served_at_once(1).await;
    let request = b"GET /-/healthy HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    let mut open = Vec::new();
    for number in 0..12 {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"is healthy\n") {
            let read = timeout(Duration::from_secs(30), stream.read_buf(&mut answer)).await;
            assert_ne!(
                read.expect("it waits for an idle one").unwrap(),
                0,
                "{number}"
            );
        }
        open.push(stream);
    }
}

#[tokio::test]
async fn the_list_holds_names_and_tags_and_no_secret() {
    let served = served().await;
    let answer = served.get("/sd").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-type: application/json"), "{head}");
    let expected = serde_json::json!([{
        "targets": ["shop eu"],
        "labels": {"__meta_switchboard_service": "blesta", "__meta_switchboard_tags": ",eu,billing,"},
    }]);
    let found: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(found, expected);
    for path in ["/sd", "/metrics", "/probe?target=shop%20eu", "/"] {
        assert!(!served.get(path).await.contains(KEY), "{path}");
    }
}

#[tokio::test]
async fn foreign_names_and_web_pages_are_refused() {
    let served = served().await;
    for (line, headers) in [
        ("GET /sd", "Host: evil.example\r\n"),
        ("GET /sd", "Host: evil.example:9797\r\n"),
        (
            "POST /-/reload",
            "Host: localhost\r\nOrigin: https://evil.example\r\nContent-Length: 0\r\n",
        ),
        (
            "GET /probe?target=shop%20eu",
            "Host: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n",
        ),
    ] {
        let answer = served.ask(line, headers).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{headers}: {answer}");
    }
    for (line, site) in [
        ("GET /probe?target=shop%20eu", "none"),
        ("GET /metrics", "cross-site"),
    ] {
        let headers = format!("Host: localhost\r\nSec-Fetch-Site: {site}\r\n");
        let answer = served.ask(line, &headers).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let own = served.get("/metrics").await;
    let counted = "switchboard_http_requests_refused_total 4\n";
    assert!(own.contains(counted), "{own}");
}

#[tokio::test]
async fn what_changes_in_the_configuration_is_followed_before_the_next_probe() {
    let served = served().await;
    let answer = served.get("/-/reload").await;
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    let core = &served.exporter.core;
    let name = Name::parse("shop eu").unwrap();
    let known = served.exporter.known().await;
    let mut second = (*known.connections[&name]).clone();
    second.name = Name::parse("second").unwrap();
    second.key = None;
    core.save(crate::work::ConnectionEdit::new(second))
        .await
        .unwrap();
    let answer = served.get("/probe?target=second").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(served.get("/sd").await.contains("second"));
    let headers = "Host: localhost\r\nContent-Length: 0\r\n";
    let answer = served.ask("POST /-/reload", headers).await;
    assert!(answer.ends_with("2 connections\n"), "{answer}");
    core.remove(&Name::parse("second").unwrap()).await.unwrap();
    let answer = served.get("/probe?target=second").await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");

    let answer = served.ask("POST /-/reload", headers).await;
    assert!(answer.ends_with("\r\n1 connection\n"), "{answer}");

    let answer = served.get("/probe?target=shop%20eu").await;
    assert!(answer.contains("\nswitchboard_maintenance 0\n"), "{answer}");
    let mut planned = crate::work::ConnectionEdit::new((*known.connections[&name]).clone());
    let always = Window::starting(jiff::Timestamp::now(), jiff::SignedDuration::from_hours(2));
    planned.connection.maintenance = vec![always.unwrap()];
    planned.replaces = Some(name.clone());
    core.save(planned).await.unwrap();
    let answer = served.get("/probe?target=shop%20eu").await;
    assert!(answer.contains("\nswitchboard_maintenance 1\n"), "{answer}");
    assert!(served.get("/-/healthy").await.starts_with("HTTP/1.1 200"));
}

/// A server that takes connections and never answers, the exporter's only connection, and an exporter with room for
/// so many probes.
async fn hanging(at_once: usize) -> (tokio::net::TcpListener, Exporter, Connection) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let name = Name::parse("hang").unwrap();
    let mut saved = Connection::new(name, ServiceId::http(), &url);
    saved.timeout_s = Some(30);
    let entry = Rehearsed {
        connection: saved.clone(),
        key: None,
        token: None,
    };
    let core = Core::rehearsal(Environment::of([]), vec![entry]).await;
    let exporter = Exporter::open(core.unwrap(), at_once, Box::new(drop_told)).await;
    (listener, exporter.unwrap(), saved)
}

#[tokio::test]
async fn a_probe_whose_time_others_took_is_no_failure() {
    let (_listener, exporter, hang) = hanging(1).await;
    let waits = Some(Duration::from_millis(600));
    let (first, second) = tokio::join!(exporter.probe(&hang, waits), async {
        // It waits for the first, which takes 300 ms, and has so much less.
        exporter.probe(&hang, Some(Duration::from_secs(2))).await
    });
    let first = first.unwrap();
    assert_eq!(first.verdict.reason, Reason::ResponseTimeout);
    assert!(second.is_none(), "{second:?}");
    let own = exporter.own.metrics(false, false);
    assert!(
        own.contains("switchboard_probes_left_out_total 1\n"),
        "{own}"
    );
    assert!(own.contains("switchboard_probes_waiting 0\n"), "{own}");
    exporter.core.settle_history().await;
    let runs = exporter
        .core
        .results(&hang.name, jiff::Timestamp::UNIX_EPOCH)
        .await;
    assert_eq!(runs.unwrap().len(), 1, "nothing is kept of the second");
}

/// A server that answers everything with 503 and this line; how many it has answered.
async fn busy(line: &'static str) -> (String, Arc<AtomicUsize>, tokio::task::JoinSet<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let answered = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&answered);
    let mut task = tokio::task::JoinSet::new();
    task.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            // A look at the way alone sends nothing.
            if stream.read(&mut request).await.unwrap_or(0) == 0 {
                continue;
            }
            count.fetch_add(1, Ordering::SeqCst);
            let answer = format!(
                "HTTP/1.1 503 Busy\r\n{line}Content-Length: 0\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, answered, task)
}

#[tokio::test]
async fn a_host_that_asked_for_quiet_is_not_asked_and_is_as_it_was() {
    for (line, asked) in [("Retry-After: 600\r\n", 1), ("", 3)] {
        let (url, answered, _task) = busy(line).await;
        let saved = Connection::new(Name::parse("busy").unwrap(), ServiceId::http(), &url);
        let entry = Rehearsed {
            connection: saved.clone(),
            key: None,
            token: None,
        };
        let core = Core::rehearsal(Environment::of([]), vec![entry]).await;
        let exporter = Exporter::open(core.unwrap(), 4, Box::new(drop_told)).await;
        let exporter = exporter.unwrap();
        for _ in 0..3 {
            let probed = exporter.probe(&saved, None).await.unwrap();
            assert_eq!(probed.verdict.reason, Reason::GatewayDown);
            assert!(!probed.planned);
        }
        assert_eq!(answered.load(Ordering::SeqCst), asked, "{line}");

        // Planned by now, and told so.
        let mut planned = saved.clone();
        planned.maintenance = vec![Window::Weekly {
            days: [true; 7],
            from: 0,
            to: 24 * 60,
        }];
        exporter.probe(&planned, None).await.unwrap();
        let probed = exporter.probe(&planned, None).await.unwrap();
        assert!(probed.planned, "{probed:?}");

        // Another place there was not asked yet.
        let before = answered.load(Ordering::SeqCst);
        let mut other = saved.clone();
        other.url.push_str("other");
        exporter.probe(&other, None).await.unwrap();
        assert_eq!(answered.load(Ordering::SeqCst), before + 1);
    }
}

#[tokio::test]
async fn whoever_asked_is_told_what_may_have_taken_the_time() {
    let served = served_at_once(1).await;
    let _taken = served.exporter.room.acquire().await.unwrap();
    let headers = "Host: localhost\r\nX-Prometheus-Scrape-Timeout-Seconds: 0.2\r\n";
    let answer = served.ask("GET /probe?target=shop%20eu", headers).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    for what in ["other probes", "a look-up", "cmd:"] {
        assert!(answer.contains(what), "{answer}");
    }
}

#[tokio::test]
async fn one_that_waits_for_its_turn_at_the_host_keeps_the_scrape_s_limit() {
    let (listener, exporter, mut hang) = hanging(5).await;
    // Reaches this machine, and is none of its own addresses.
    hang.url = format!("http://0.0.0.0:{}", listener.local_addr().unwrap().port());
    let mut before = futures_util::stream::FuturesUnordered::new();
    for _ in 0..4 {
        before.push(exporter.probe(&hang, None));
    }
    let mut late = std::pin::pin!(async {
        let mut taken = Vec::new();
        while taken.len() < 4 {
            taken.push(listener.accept().await.unwrap());
        }
        exporter.probe(&hang, Some(Duration::from_secs(1))).await
    });
    let late = tokio::select! {
        // These have 30 seconds.
        _ = futures_util::StreamExt::next(&mut before) => panic!("it waits behind the others"),
        late = &mut late => late,
    };
    assert!(late.is_none(), "nobody was asked: {late:?}");
    let own = exporter.own.metrics(false, false);
    assert!(
        own.contains("switchboard_probes_left_out_total 1\n"),
        "{own}"
    );
}

#[tokio::test]
async fn one_that_waits_too_long_for_room_is_not_begun() {
    let (listener, exporter, hang) = hanging(1).await;
    let taken = exporter.room.acquire().await.unwrap();
    let waits = Some(Duration::from_millis(200));
    assert!(exporter.probe(&hang, waits).await.is_none());
    drop(taken);
    let nobody = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
    assert!(nobody.is_err(), "it was asked");
    let probed = exporter.probe(&hang, waits).await.unwrap();
    assert!(probed.took < Duration::from_secs(20), "{probed:?}");
}

#[tokio::test]
async fn the_scrape_s_own_limit_is_kept_and_results_are_in_the_history() {
    let served = served().await;
    let headers = "Host: localhost\r\nX-Prometheus-Scrape-Timeout-Seconds: 2\r\n";
    served.ask("GET /probe?target=shop%20eu", headers).await;
    let core = &served.exporter.core;
    core.settle_history().await;
    let name = Name::parse("shop eu").unwrap();
    let runs = core.results(&name, jiff::Timestamp::UNIX_EPOCH).await;
    let reasons: Vec<_> = runs.unwrap().iter().map(|run| run.reason).collect();
    assert_eq!(reasons, [Reason::Refused]);
}

#[test]
fn a_time_that_is_none_is_no_limit() {
    for seconds in [
        "0", "-0.0", "1e-12", "-1", "NaN", "inf", "1e300", "soon", "",
    ] {
        let mut headers = axum::http::HeaderMap::new();
        headers.insert(super::routes::WAITS, seconds.parse().unwrap());
        assert_eq!(super::routes::waits(&headers), None, "{seconds}");
    }
}

#[tokio::test]
async fn a_socket_goes_with_the_exporter() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("switchboard.sock");
    let core = Core::rehearsal(Environment::of([]), Vec::new()).await;
    let exporter = Arc::new(
        Exporter::open(core.unwrap(), 64, Box::new(drop_told))
            .await
            .unwrap(),
    );
    let bound = Listen::Unix(path.clone()).bind().await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = exporter.serve(bound, async {
        let _ = stopped.await;
    });
    assert!(tokio::net::UnixStream::connect(&path).await.is_ok());
    stop.send(()).unwrap();
    serving.await.unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn a_configuration_that_is_gone_changes_nothing_and_is_told_once() {
    let home = tempfile::tempdir().unwrap();
    let environment = Environment::of([("HOME", home.path().to_str().unwrap())]);
    let folders = environment.folders(&Overrides::default()).unwrap();
    let path = folders.configuration.clone();
    let core = Core::open(CoreOptions {
        environment,
        folders,
    });
    let shop = Connection::new(
        Name::parse("shop").unwrap(),
        ServiceId::http(),
        "http://a.example",
    );
    core.import_together(vec![shop], None).await.unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&told);
    let tell = move |sentence: &str| hears.lock().unwrap().push(sentence.to_owned());
    let exporter = Exporter::open(core, 64, Box::new(tell)).await.unwrap();
    assert_eq!(exporter.reload().await.unwrap(), 1);
    // A permission is no change of the file, and whoever gave it learns of it here.
    let set = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode));
    set(0o666).unwrap();
    let problem = error_chain(&exporter.reload().await.unwrap_err());
    assert!(problem.contains("others can change"), "{problem}");
    set(0o600).unwrap();
    assert_eq!(exporter.reload().await.unwrap(), 1);
    std::fs::remove_file(&path).unwrap();
    for _ in 0..3 {
        assert_eq!(exporter.known().await.connections.len(), 1);
    }
    let told = told.lock().unwrap().clone();
    let [told] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert!(told.contains("is gone"), "{told}");
    let own = exporter.own.metrics(false, false);
    let failed = "switchboard_config_last_reload_successful 0\n";
    assert!(own.contains(failed), "{own}");
    let problem = error_chain(&exporter.reload().await.unwrap_err());
    assert!(problem.contains("is gone"), "{problem}");
}

#[tokio::test]
async fn a_history_that_is_not_written_is_told() {
    let home = tempfile::tempdir().unwrap();
    let environment = Environment::of([("HOME", home.path().to_str().unwrap())]);
    let folders = environment.folders(&Overrides::default()).unwrap();
    let state = folders.state.join("history.sqlite");
    let core = Core::open(CoreOptions {
        environment,
        folders,
    });
    let name = Name::parse("shop").unwrap();
    let shop = Connection::new(name, ServiceId::http(), "http://127.0.0.1:1");
    core.import_together(vec![shop.clone()], None)
        .await
        .unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&told);
    let tell = move |sentence: &str| hears.lock().unwrap().push(sentence.to_owned());
    let exporter = Exporter::open(core, 64, Box::new(tell)).await.unwrap();
    let probe = async || {
        exporter.probe(&shop, None).await.unwrap();
        exporter.core.settle_history().await
    };
    assert!(probe().await);
    assert!(!exporter.core.history_fails());
    let other = rusqlite::Connection::open(state).unwrap();
    other
        .execute_batch("ALTER TABLE fresh RENAME TO away")
        .unwrap();
    assert!(!probe().await);
    assert!(exporter.core.history_fails());
    probe().await;
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("the history is not written"), "{told:?}");
    let own = exporter.own.metrics(false, true);
    assert!(own.contains("switchboard_history_writable 0\n"), "{own}");
}

#[tokio::test]
async fn reloading_reads_the_service_files_too_and_a_broken_one_changes_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let environment = Environment::of([("HOME", home.path().to_str().unwrap())]);
    let folders = environment.folders(&Overrides::default()).unwrap();
    let services = folders.config().join("services");
    std::fs::create_dir_all(&services).unwrap();
    let core = Core::open(CoreOptions {
        environment,
        folders,
    });
    let exporter = Exporter::open(core.clone(), 64, Box::new(drop_told))
        .await
        .unwrap();
    let file = services.join("own.toml");
    let write = |text: &str| {
        std::fs::write(&file, text).unwrap();
        for (path, mode) in [(&services, 0o700), (&file, 0o600)] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    let known = async || {
        let catalog = core.catalog().await.unwrap();
        catalog.get(&ServiceId::new("own")).is_some()
    };
    assert!(!known().await);
    write("[service]\nid = \"own\"\ntitle = \"Own\"\n");
    assert!(!known().await, "they are read once");
    assert_eq!(exporter.reload().await.unwrap(), 0);
    assert!(known().await);
    write("[service]\nid = \"own\"\n");
    let problem = error_chain(&exporter.reload().await.unwrap_err());
    assert!(problem.contains("own.toml, line"), "{problem}");
    assert!(known().await, "it is what it was");
    std::fs::remove_file(&file).unwrap();
    exporter.reload().await.unwrap();
    assert!(!known().await);
    // One that was left out from the start keeps no other one out.
    write("[service]\nid = \"own\"\n");
    let late = Core::open(CoreOptions {
        environment: core.environment().clone(),
        folders: core.folders().unwrap().clone(),
    });
    late.catalog().await.unwrap();
    let exporter = Exporter::open(late.clone(), 64, Box::new(drop_told))
        .await
        .unwrap();
    assert_eq!(late.services().await.unwrap().left_out.len(), 1);
    std::fs::copy(&file, services.join("other.toml")).unwrap();
    let other = services.join("other.toml");
    std::fs::write(&other, "[service]\nid = \"other\"\ntitle = \"Other\"\n").unwrap();
    exporter.reload().await.unwrap();
    let catalog = late.catalog().await.unwrap();
    assert!(catalog.get(&ServiceId::new("other")).is_some());
    // And one that somebody is about to write takes nothing away by itself.
    std::fs::write(&other, "[serv").unwrap();
    assert!(exporter.reload().await.is_err());
    let kept = late.services().await.unwrap();
    assert!(kept.catalog.get(&ServiceId::new("other")).is_some());
}

#[tokio::test]
async fn a_broken_service_file_keeps_no_number_of_connections_from_being_told() {
    let home = tempfile::tempdir().unwrap();
    let environment = Environment::of([("HOME", home.path().to_str().unwrap())]);
    let folders = environment.folders(&Overrides::default()).unwrap();
    let services = folders.config().join("services");
    std::fs::create_dir_all(&services).unwrap();
    let core = Core::open(CoreOptions {
        environment,
        folders,
    });
    let exporter = Exporter::open(core.clone(), 64, Box::new(drop_told))
        .await
        .unwrap();
    // Read whole once, as when the exporter has run for a while.
    core.catalog().await.unwrap();
    std::fs::write(services.join("own.toml"), "[serv").unwrap();
    let saved = Connection::new(
        Name::parse("new").unwrap(),
        ServiceId::http(),
        "http://127.0.0.1:1",
    );
    core.save(ConnectionEdit::new(saved)).await.unwrap();
    exporter.reload().await.unwrap_err();
    let own = exporter.own.metrics(false, false);
    for line in ["switchboard_connections 1\n", "last_reload_successful 0\n"] {
        assert!(own.contains(line), "{own}");
    }
}

fn verdict() -> Verdict {
    let time = |second| jiff::Timestamp::from_second(second).unwrap();
    let certificate = |not_after| Certificate {
        subject: "CN=\"a\\b\"".to_owned(),
        issuer: "CN=ca".to_owned(),
        names: vec!["a.example".to_owned(), "b.example".to_owned()],
        not_before: time(0),
        not_after: time(not_after),
        fingerprint: "00ff".to_owned(),
    };
    let ms = |ms| Some(Duration::from_millis(ms));
    Verdict {
        connection: None,
        service: ServiceId::http(),
        url: "https://a.example".to_owned(),
        reason: Reason::TlsExpiring,
        status: 200,
        title: String::new(),
        cause: String::new(),
        answered_by: AnsweredBy::Service,
        evidence: Vec::new(),
        remedy: crate::domain::Remedy {
            who: crate::domain::Who::You,
            steps: Vec::new(),
            snippet: None,
            url: None,
            doc: None,
        },
        checks: crate::domain::Checks::default(),
        addresses: vec![Address {
            address: "[::1]:443".parse().unwrap(),
            state: crate::domain::State::Ok,
            ms: Some(0.4),
        }],
        phases: crate::domain::Phases {
            dns: ms(1),
            connect: ms(2),
            tls: ms(30),
            wait: ms(4),
            body: None,
            total: ms(37),
        },
        tls: Some(TlsFacts {
            version: Some("TLSv1.3".to_owned()),
            chain: vec![certificate(2_000_000_000), certificate(1_900_000_000)],
            verified: true,
        }),
        identity: None,
        service_version: None,
        redirects: vec!["https://a.example/b".to_owned()],
        retry_at: Some(time(1_800_000_000)),
        changed_since_last_good: Vec::new(),
        at: time(1_790_000_000),
    }
}

#[test]
fn a_verdict_is_told_in_blackbox_exporter_s_words() {
    let text = verdict::metrics(&verdict(), Duration::from_millis(40), false);
    for line in [
        "probe_success 1",
        "probe_duration_seconds 0.04",
        "probe_dns_lookup_time_seconds 0.001",
        "probe_http_duration_seconds{phase=\"resolve\"} 0.001",
        "probe_http_duration_seconds{phase=\"connect\"} 0.002",
        "probe_http_duration_seconds{phase=\"tls\"} 0.03",
        "probe_http_duration_seconds{phase=\"processing\"} 0.004",
        "probe_http_duration_seconds{phase=\"transfer\"} 0",
        "probe_http_status_code 200",
        "probe_http_redirects 1",
        "probe_ip_protocol 6",
        "probe_http_ssl 1",
        "probe_ssl_earliest_cert_expiry 1900000000",
        "probe_tls_version_info{version=\"TLS 1.3\"} 1",
        "switchboard_failure_info{reason=\"tls-expiring\",answered_by=\"service\",state=\"warn\"} 1",
        "switchboard_state{state=\"warn\"} 1",
        "switchboard_state{state=\"ok\"} 0",
        "switchboard_retry_at_timestamp_seconds 1800000000",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    let mut down = verdict();
    (down.tls, down.reason, down.status) = (None, Reason::Refused, 0);
    let text = verdict::metrics(&down, Duration::ZERO, true);
    assert!(text.contains("probe_success 0\n") && text.contains("probe_http_ssl 0\n"));
    assert!(!text.contains("cert_expiry"), "unknown is absent:\n{text}");
}

/// `promtool check metrics` from Debian's prometheus.
#[test]
fn promtool_is_content_with_the_metrics() {
    for text in [
        verdict::metrics(&verdict(), Duration::from_millis(40), false),
        Own::begun(3).metrics(false, false),
    ] {
        let child = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            assert!(option_env!("CI").is_none(), "promtool is not installed");
            return;
        };
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(text.as_bytes()).unwrap();
        drop(stdin);
        let done = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{said}\n{text}");
    }
}
