//! The services asked over real sockets, by a client that knows nothing of this program.

use std::io::ErrorKind;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::*;

const CALL: &str = "/api/companies/getAll.json";

fn sim() -> Sim {
    Sim::bare(SimSettings::default()).unwrap()
}

fn port(url: &str) -> u16 {
    Url::parse(url).unwrap().port().unwrap()
}

async fn connect(port: u16) -> std::io::Result<TcpStream> {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await
}

/// Sends one request over `stream` and reads what comes until the other side closes.
async fn talk(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    target: &str,
    headers: &str,
) -> std::io::Result<String> {
    let head = format!(
        "GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nConnection: close\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

async fn get(port: u16, target: &str, headers: &str) -> String {
    talk(connect(port).await.unwrap(), target, headers)
        .await
        .unwrap()
}

/// The log as soon as `test` holds; a test that waits for what never comes fails instead of hanging.
async fn seen(sim: &Sim, test: impl FnMut(&Log) -> bool) -> Log {
    tokio::time::timeout(Duration::from_secs(10), sim.wait_for(test))
        .await
        .expect("what was waited for never came")
}

fn status(answer: &str) -> u16 {
    answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0)
}

fn pair(entry: &CatalogEntry) -> String {
    match (&entry.username, &entry.key) {
        (Some(username), Some(key)) if entry.service == "connect" => {
            format!("Authorization: ApiKey {username}:{key}\r\n")
        }
        (Some(username), Some(key)) => {
            format!("BLESTA-API-USER: {username}\r\nBLESTA-API-KEY: {key}\r\n")
        }
        _ => String::new(),
    }
}

#[tokio::test]
async fn every_reason_has_one_entry_in_the_tables_order() {
    let sim = Sim::start(SimSettings::default()).unwrap();
    let reasons: Vec<_> = sim.entries().iter().map(|entry| entry.reason).collect();
    assert_eq!(reasons, Reason::ALL);
    for entry in sim.entries() {
        assert_eq!(entry.state, entry.reason.state());
        assert_eq!(entry.url.is_none(), entry.why.is_some(), "{}", entry.reason);
    }
    let mut ports: Vec<_> = sim
        .entries()
        .iter()
        .filter_map(CatalogEntry::port)
        .collect();
    let count = ports.len();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), count, "each entry has its own port");
}

#[tokio::test]
async fn a_line_has_the_documented_form() {
    let sim = Sim::start(SimSettings::default()).unwrap();
    let line = sim.entry(Reason::TlsExpiring).unwrap().to_json();
    let mut at = 0;
    for field in [
        "reason", "state", "status", "service", "url", "username", "key", "token", "cms_url",
        "args",
    ] {
        let found = line.find(&format!("\"{field}\":")).unwrap();
        assert!(found >= at, "{field} in {line}");
        at = found;
    }
    assert!(line.contains(r#""token":null,"cms_url":null,"args":["--ca-file","/"#));
    assert!(!line.contains("why") && !line.contains('\n'));
    let told = sim.entry(Reason::Offline).unwrap().to_json();
    assert!(told.contains(r#""url":null"#) && told.contains(r#""why":"needs"#));
}

#[tokio::test]
async fn plain_entries_answer_with_their_status() {
    let sim = Sim::start(SimSettings::default()).unwrap();
    let mut asked = 0;
    for entry in sim.entries() {
        let url = entry.url.as_deref().unwrap_or_default();
        // Over the limit, behind a 404 first, or bare on purpose: proved below.
        let apart = [
            Reason::BodyTooLarge,
            Reason::RewriteOff,
            Reason::KeyWithheld,
        ];
        if !url.starts_with("http://") || entry.status == 0 || apart.contains(&entry.reason) {
            continue;
        }
        let base = Url::parse(url).unwrap();
        let call = match entry.service {
            "connect" => "/accounts",
            _ => CALL,
        };
        let target = format!("{}{call}", base.path().trim_end_matches('/'));
        let headers = match entry.reason {
            Reason::AuthorizationStripped => "Authorization: Basic eDp5\r\n".to_owned(),
            _ => pair(entry),
        };
        let answer = get(base.port().unwrap(), &target, &headers).await;
        assert_eq!(status(&answer), entry.status, "{}: {answer}", entry.reason);
        asked += 1;
    }
    assert!(asked > 30, "{asked}");
}

#[tokio::test]
async fn rewriting_off_leaves_index_php() {
    let sim = Sim::start(SimSettings::default()).unwrap();
    let entry = sim.entry(Reason::RewriteOff).unwrap();
    let port = port(entry.url.as_deref().unwrap());
    assert!(get(port, CALL, &pair(entry)).await.contains("<title>404"));
    let through = get(port, &format!("/index.php{CALL}"), &pair(entry)).await;
    assert!(through.contains("Shop Ltd"), "{through}");
}

#[tokio::test]
async fn the_unspecified_address_leads_here() {
    let sim = Sim::start(SimSettings::default()).unwrap();
    let entry = sim.entry(Reason::KeyWithheld).unwrap();
    let url = Url::parse(entry.url.as_deref().unwrap()).unwrap();
    let stream = TcpStream::connect(url.socket_addrs(|| None).unwrap()[0]).await;
    let answer = talk(stream.unwrap(), CALL, "").await.unwrap();
    assert_eq!(status(&answer), 401);
}

#[tokio::test]
async fn network_entries_fail_as_they_say() {
    let sim = Sim::start(SimSettings::default()).unwrap();
    let url = |reason| sim.entry(reason).unwrap().url.clone().unwrap();

    let refused = connect(port(&url(Reason::Refused))).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    let no_route = Url::parse(&url(Reason::Unreachable)).unwrap();
    let no_route = TcpStream::connect(no_route.socket_addrs(|| None).unwrap()[0]).await;
    assert_eq!(no_route.unwrap_err().kind(), ErrorKind::NetworkUnreachable);
    let full = connect(port(&url(Reason::ConnectTimeout)));
    let waited = tokio::time::timeout(Duration::from_millis(100), full).await;
    assert!(waited.is_err(), "neither taken nor refused");

    let asked = |reason| {
        let port = port(&url(reason));
        async move { talk(connect(port).await.unwrap(), CALL, "").await }
    };
    let reset = asked(Reason::Reset).await.unwrap_err();
    assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
    assert_eq!(asked(Reason::ClosedEarly).await.unwrap(), "");
    assert!(asked(Reason::NotHttp).await.unwrap().starts_with("SSH-2.0"));
}

#[tokio::test]
async fn bodies_are_spoilt_as_they_say() {
    let mut sim = sim();
    let mut at = |fault| sim.serve(Behaviour::Fault(fault)).unwrap().port;
    let (short, reset, chunk) = (
        at(Fault::ShortBody),
        at(Fault::ResetBody),
        at(Fault::BadChunk),
    );
    let (flood, silent) = (at(Fault::Flood(3_000_000)), at(Fault::SilentBody));

    let short = get(short, "/", "").await;
    assert!(short.contains("Content-Length: 500") && short.ends_with("\"id\":\"1\","));
    let reset = talk(connect(reset).await.unwrap(), "/", "").await;
    assert_eq!(reset.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert!(get(chunk, "/", "").await.contains("\r\n\r\nzz\r\n"));
    assert!(get(flood, "/", "").await.len() > 3_000_000);

    let mut stream = connect(silent).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut beginning = [0; 15];
    stream.read_exact(&mut beginning).await.unwrap();
    assert_eq!(&beginning, b"HTTP/1.1 200 OK");
    drop(stream);
    seen(&sim, |log| {
        log.at(silent).iter().any(|seen| seen.closed_by_client)
    })
    .await;
}

/// A TLS handshake with `port` for `127.0.0.1`, trusting the rehearsal authority.
async fn handshake(
    sim: &Sim,
    port: u16,
    with_certificate: bool,
) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(sim.ca_file()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = if with_certificate {
        let (certificate, key) = sim.client_pair();
        builder
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_file(certificate).unwrap()],
                PrivateKeyDer::from_pem_file(key).unwrap(),
            )
            .unwrap()
    } else {
        builder.with_no_client_auth()
    };
    let name = ServerName::try_from("127.0.0.1").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, connect(port).await?)
        .await
}

async fn tls_error(sim: &Sim, port: u16) -> rustls::Error {
    let error = handshake(sim, port, false).await.unwrap_err();
    let inner = error.into_inner().unwrap();
    *inner.downcast::<rustls::Error>().unwrap()
}

#[tokio::test]
async fn certificates_are_wrong_in_one_way_each() {
    let sim = Sim::start(SimSettings::default()).unwrap();
    let port = |reason| port(sim.entry(reason).unwrap().url.as_deref().unwrap());
    let certificate = async |reason| match tls_error(&sim, port(reason)).await {
        rustls::Error::InvalidCertificate(error) => error,
        other => panic!("{reason}: {other}"),
    };
    let expired = certificate(Reason::TlsExpired).await;
    assert!(matches!(expired, CertificateError::ExpiredContext { .. }));
    let early = certificate(Reason::TlsNotYetValid).await;
    assert!(matches!(early, CertificateError::NotValidYetContext { .. }));
    let name = certificate(Reason::TlsWrongName).await;
    assert!(matches!(
        name,
        CertificateError::NotValidForNameContext { .. }
    ));
    let issuer = certificate(Reason::TlsUnknownIssuer).await;
    assert_eq!(issuer, CertificateError::UnknownIssuer);

    assert_eq!(
        tls_error(&sim, port(Reason::TlsProtocol)).await,
        rustls::Error::AlertReceived(rustls::AlertDescription::ProtocolVersion)
    );
    let not_tls = tls_error(&sim, port(Reason::TlsNotTls)).await;
    assert!(matches!(not_tls, rustls::Error::InvalidMessage(_)));
    let cut = handshake(&sim, port(Reason::TlsFailed), false).await;
    assert_eq!(cut.unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn a_client_certificate_is_asked_for_and_taken() {
    let sim = Sim::start(SimSettings::default()).unwrap();
    let entry = sim.entry(Reason::TlsClientCertificate).unwrap();
    let port = port(entry.url.as_deref().unwrap());
    let with = handshake(&sim, port, true).await.unwrap();
    assert_eq!(status(&talk(with, CALL, "").await.unwrap()), 401);
    let without = handshake(&sim, port, false).await.unwrap();
    let refused = talk(without, CALL, "").await.unwrap_err().to_string();
    assert!(refused.contains("CertificateRequired"), "{refused}");
}

#[tokio::test]
async fn one_port_redirects_to_https_and_speaks_it() {
    let mut sim = sim();
    let behaviour = Behaviour::Redirect(Redirect::Https, sim.blesta());
    let stand = sim.serve_both(behaviour).unwrap();
    let plain = get(stand.port, CALL, "").await;
    assert_eq!(status(&plain), 301);
    assert!(plain.contains("Location: https://127.0.0.1/api/"));
    let secure = handshake(&sim, stand.port, false).await.unwrap();
    assert_eq!(status(&talk(secure, CALL, "").await.unwrap()), 401);
}

#[tokio::test]
async fn plain_http_on_a_tls_port_is_told() {
    let mut sim = sim();
    let behaviour = Behaviour::Blesta(sim.blesta());
    let stand = sim.serve_tls(behaviour, Certificate::Sound).unwrap();
    let answer = get(stand.port, CALL, "").await;
    assert_eq!(status(&answer), 400);
    assert!(answer.contains("plain HTTP request was sent to HTTPS port"));
}

#[tokio::test]
async fn a_held_answer_waits_and_a_lost_client_is_written_down() {
    let mut sim = sim();
    let stand = sim.serve(Behaviour::Plain(Plain { key: None })).unwrap();
    let control = sim.control(&stand.url).unwrap().clone();
    control.hold();

    let patient = get(stand.port, "/status", "");
    let mut hasty = connect(stand.port).await.unwrap();
    hasty
        .write_all(b"GET /hasty HTTP/1.1\r\n\r\n")
        .await
        .unwrap();
    let watch = async {
        seen(&sim, |log| log.at(stand.port).len() == 2).await;
        drop(hasty);
        let log = seen(&sim, |log| {
            log.all().iter().any(|seen| seen.closed_by_client)
        })
        .await;
        assert!(log.all().iter().all(|seen| seen.answered.is_none()));
        control.set(Behaviour::Page(StockPage::Empty));
        control.release();
    };
    let (answer, ()) = tokio::join!(patient, watch);
    assert!(
        answer.contains("\"ok\""),
        "decided when it was asked: {answer}"
    );
    let log = seen(&sim, |log| {
        log.all().iter().any(|seen| seen.answered == Some(200))
    })
    .await;
    let lost: Vec<_> = log
        .all()
        .iter()
        .filter(|seen| seen.closed_by_client)
        .collect();
    assert_eq!((lost.len(), lost[0].path.as_str()), (1, "/hasty"));
    assert!(
        !get(stand.port, "/", "").await.contains("ok"),
        "and changed since"
    );
}

#[tokio::test]
async fn the_log_tells_keys_apart_and_holds_none() {
    let mut sim = sim();
    let blesta = sim.blesta();
    let stand = sim.serve(Behaviour::Blesta(blesta.clone())).unwrap();
    drop(connect(stand.port).await.unwrap());
    get(stand.port, CALL, "").await;
    let pair = format!(
        "BLESTA-API-USER: {}\r\nBLESTA-API-KEY: {}\r\n",
        blesta.username, blesta.key
    );
    get(stand.port, &format!("{CALL}?x=1"), &pair).await;
    get(stand.port, CALL, "Authorization: Basic eDp5\r\n").await;

    let log = seen(&sim, |log| {
        log.connections(stand.port) == 4 && log.keys_sent(stand.port) == 2
    })
    .await;
    let presented: Vec<_> = log.all().iter().map(|seen| seen.presented).collect();
    assert_eq!(
        presented,
        [
            Presented::Nothing,
            Presented::Headers { matched: true },
            Presented::Basic { matched: false },
        ]
    );
    assert_eq!(log.all()[1].query.as_deref(), Some("x=1"));
    assert!(log.all()[1].headers.contains(&"BLESTA-API-KEY".to_owned()));
    assert!(!format!("{log:?}").contains(&blesta.key));
}

#[tokio::test]
async fn answers_read_the_same_however_they_are_dressed() {
    let mut sim = sim();
    let stand = sim.serve(Behaviour::Plain(Plain { key: None })).unwrap();
    let client = reqwest_client();
    for framing in [Framing::Length, Framing::Chunked, Framing::Close] {
        for case in [HeaderCase::Title, HeaderCase::Lower, HeaderCase::Upper] {
            for gzip in [false, true] {
                sim.dress(
                    &stand.url,
                    Style {
                        framing,
                        case,
                        gzip,
                        server: ServerHeader::Named("lighttpd".to_owned()),
                        ..Style::default()
                    },
                );
                let answer = client.get(&stand.url).send().await.unwrap();
                assert_eq!(answer.headers()["server"], "lighttpd");
                let text = answer.text().await.unwrap();
                assert_eq!(text, r#"{"status":"ok"}"#, "{framing:?} {case:?} {gzip}");
            }
        }
    }
}

fn reqwest_client() -> reqwest::Client {
    // Another test may have set the same one before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

#[tokio::test]
async fn a_proxys_request_is_understood() {
    let mut sim = sim();
    let behaviour = Behaviour::Blesta(sim.blesta());
    let stand = sim.serve(behaviour).unwrap();
    let target = format!("http://shop.invalid{CALL}");
    assert_eq!(status(&get(stand.port, &target, "").await), 401);
}

#[tokio::test]
async fn one_connection_takes_several_requests() {
    let mut sim = sim();
    let stand = sim.serve(Behaviour::Plain(Plain { key: None })).unwrap();
    let mut stream = connect(stand.port).await.unwrap();
    for _ in 0..2 {
        stream
            .write_all(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        let mut beginning = [0; 12];
        stream.read_exact(&mut beginning).await.unwrap();
        assert_eq!(&beginning, b"HTTP/1.1 404");
        let mut rest = Vec::new();
        while !rest.ends_with(b"not found\"}") {
            rest.push(stream.read_u8().await.unwrap());
        }
    }
    assert_eq!(sim.log().connections(stand.port), 1);
}

#[tokio::test]
async fn the_demo_shows_every_state() {
    let mut sim = sim();
    let set = sim.demo_set().unwrap();
    let mut names: Vec<_> = set.iter().map(|connection| connection.name).collect();
    assert!(names.len() >= 8);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), set.len(), "names are unique");
    for name in ["shop", "eu", "staging", "legacy"] {
        assert!(names.contains(&name), "{name}");
    }
    let eu = set
        .iter()
        .find(|connection| connection.name == "eu")
        .unwrap();
    let answer = get(port(&eu.url), &format!("/billing{CALL}"), "").await;
    assert_eq!(status(&answer), 401);
}

#[tokio::test]
async fn dropping_it_closes_ports_and_removes_its_folder() {
    let mut sim = sim();
    let stand = sim.serve(Behaviour::Page(StockPage::Empty)).unwrap();
    let folder = sim.authority.folder().to_owned();
    assert!(connect(stand.port).await.is_ok() && folder.exists());
    drop(sim);
    assert!(!folder.exists());
    let begun = std::time::Instant::now();
    while connect(stand.port).await.is_ok() {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "it still listens"
        );
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn it_listens_on_loopback_only() {
    let settings = SimSettings {
        listen: Ipv4Addr::UNSPECIFIED.into(),
        ..SimSettings::default()
    };
    let refused = Sim::bare(settings).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_seed_gives_the_same_keys_again() {
    let keyed = |seed| {
        let settings = SimSettings {
            seed,
            ..SimSettings::default()
        };
        Sim::bare(settings).unwrap().blesta().key
    };
    assert_eq!(keyed(7), keyed(7));
    assert_ne!(keyed(7), keyed(8));
    assert_eq!(keyed(7).len(), 32);
}

#[tokio::test]
async fn ipv6_hosts_stand_in_brackets() {
    let settings = SimSettings {
        listen: std::net::Ipv6Addr::LOCALHOST.into(),
        ..SimSettings::default()
    };
    let mut sim = Sim::bare(settings).unwrap();
    match sim.serve(Behaviour::Page(StockPage::Empty)) {
        Ok(stand) => assert_eq!(stand.url, format!("http://[::1]:{}", stand.port)),
        // Not every machine has it.
        Err(error) => assert_eq!(error.kind(), ErrorKind::AddrNotAvailable),
    }
    assert_eq!(sim.blesta().companies[0].hostname, "[::1]");
}

#[tokio::test]
async fn a_small_reply_grows_over_any_limit() {
    let mut sim = sim();
    let stand = sim
        .serve(Behaviour::Fault(Fault::Bomb(64 * 1024 * 1024)))
        .unwrap();
    let client = reqwest_client();
    let mut answer = client.get(&stand.url).send().await.unwrap();
    let mut length = 0;
    while length <= 2 * 1024 * 1024 {
        length += answer.chunk().await.unwrap().unwrap().len();
    }
    let sent = get(stand.port, "/", "").await.len();
    assert!(sent < 1024 * 1024, "{sent}");
}
