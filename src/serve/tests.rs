//! The exporter over a real port, asked by a plain client; what it says of verdicts, by promtool.

use std::io::Write;
use std::process::{Command, Stdio};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::config::{Environment, Overrides};
use crate::domain::{Address, AnsweredBy, Certificate, Reason, Secret, ServiceId, TlsFacts};
use crate::work::{CoreOptions, Rehearsed};

const KEY: &str = "5ec2e75ec2e75ec2e75ec2e75ec2e755";

struct Served {
    address: std::net::SocketAddr,
    exporter: Arc<Exporter>,
    _stop: oneshot::Sender<()>,
    _task: tokio::task::JoinSet<()>,
}

/// An exporter with a connection that nobody answers for.
async fn served() -> Served {
    let name = |text| Name::parse(text).unwrap();
    let mut saved = Connection::new(name("shop eu"), ServiceId::blesta(), "http://127.0.0.1:1");
    saved.tags = vec!["eu".to_owned(), "billing".to_owned()];
    let entry = Rehearsed {
        connection: saved,
        key: Some(Secret::new(KEY)),
        token: None,
    };
    let core = Core::rehearsal(Environment::of([]), vec![entry]);
    let exporter = Arc::new(Exporter::open(core.await.unwrap()).await.unwrap());
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
async fn reloading_is_asked_for_by_post() {
    let served = served().await;
    let answer = served.get("/-/reload").await;
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    let mut second =
        (*served.exporter.known().connections[&Name::parse("shop eu").unwrap()]).clone();
    second.name = Name::parse("second").unwrap();
    second.key = None;
    let draft = crate::work::Draft::new(second);
    served.exporter.core.save(draft).await.unwrap();
    let answer = served.get("/probe?target=second").await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    let headers = "Host: localhost\r\nContent-Length: 0\r\n";
    let answer = served.ask("POST /-/reload", headers).await;
    assert!(answer.ends_with("2 connections\n"), "{answer}");
    let answer = served.get("/probe?target=second").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(served.get("/-/healthy").await.starts_with("HTTP/1.1 200"));
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

#[tokio::test]
async fn a_socket_goes_with_the_exporter() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("switchboard.sock");
    let core = Core::rehearsal(Environment::of([]), Vec::new()).await;
    let exporter = Arc::new(Exporter::open(core.unwrap()).await.unwrap());
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
async fn a_configuration_that_is_gone_changes_nothing() {
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
    let exporter = Exporter::open(core).await.unwrap();
    assert_eq!(exporter.reload().await.unwrap(), 1);
    std::fs::remove_file(&path).unwrap();
    let problem = exporter.reload().await.unwrap_err().to_string();
    assert!(problem.contains("is gone"), "{problem}");
    assert_eq!(exporter.known().connections.len(), 1);
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
    let exporter = Exporter::open(core.clone()).await.unwrap();
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
    let problem = exporter.reload().await.unwrap_err().to_string();
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
    let exporter = Exporter::open(late.clone()).await.unwrap();
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
        Own::begun(3).metrics(false),
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
