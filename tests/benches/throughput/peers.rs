//! What stands beside the program: bare loops that ask the same targets and keep nothing but a count. Each is this
//! bench, started again as `--peer=KIND FILE AT_ONCE [CA]`, on one thread.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::sockets;

/// How often each outcome came: a status, `late` or `failed`.
pub type Tally = BTreeMap<String, usize>;

/// For each question.
pub const LIMIT: Duration = Duration::from_secs(2);

/// Asks, and prints the tally.
pub fn run(kind: &str, arguments: &[String]) {
    let (file, at_once) = (&arguments[0], arguments[1].parse().unwrap());
    let urls: Vec<_> = fs::read_to_string(file)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    let tally = match kind {
        "sockets" => sockets::run(&urls, at_once, LIMIT),
        // It has a limit of its own, and answers after that.
        "exporter" => sockets::run(&urls, at_once, LIMIT * 5),
        "reqwest" => {
            // The machine's authorities are not read for plain http.
            let is_secure = urls.iter().any(|url| url.starts_with("https:"));
            let roots = is_secure.then(|| authority(&arguments[2]));
            let client = reqwest::Client::builder()
                .tls_backend_preconfigured(config(roots.unwrap_or_else(RootCertStore::empty)))
                .pool_max_idle_per_host(0)
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none());
            let client = client.build().unwrap();
            asked(urls, at_once, move |url| {
                let client = client.clone();
                async move { get(&client, &url).await }
            })
        }
        "rustls" => {
            let connector = TlsConnector::from(Arc::new(config(authority(&arguments[2]))));
            asked(urls, at_once, move |url| {
                let connector = connector.clone();
                async move { get_secure(&connector, &url).await }
            })
        }
        _ => panic!("no such peer: {kind}"),
    };
    for (outcome, count) in tally {
        println!("{outcome} {count}");
    }
}

/// Asks all, so many at once. What `ask` gives is the outcome.
fn asked<F>(
    urls: Vec<String>,
    at_once: usize,
    ask: impl Fn(String) -> F + Clone + Send + 'static,
) -> Tally
where
    F: Future<Output = String> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (next, urls) = (Arc::new(AtomicUsize::new(0)), Arc::new(urls));
        let mut workers = JoinSet::new();
        for _ in 0..at_once {
            let (next, urls, ask) = (Arc::clone(&next), Arc::clone(&urls), ask.clone());
            workers.spawn(async move {
                let mut tally = Tally::new();
                while let Some(url) = urls.get(next.fetch_add(1, Ordering::Relaxed)) {
                    *tally.entry(ask(url.clone()).await).or_default() += 1;
                }
                tally
            });
        }
        let mut all = Tally::new();
        for (outcome, count) in workers.join_all().await.into_iter().flatten() {
            *all.entry(outcome).or_default() += count;
        }
        all
    })
}

/// Trusts the one whose certificate is in `file` alone.
fn authority(file: &str) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(file).unwrap())
        .unwrap();
    roots
}

async fn get(client: &reqwest::Client, url: &str) -> String {
    let answer = async {
        let response = client.get(url).timeout(LIMIT).send().await?;
        let status = response.status().as_u16();
        response.bytes().await.map(|_| status.to_string())
    };
    answer.await.unwrap_or_else(|error: reqwest::Error| {
        let late = error.is_timeout();
        if late { "late" } else { "failed" }.to_owned()
    })
}

/// Every handshake a whole one, its chain verified: as the program has it.
fn config(roots: RootCertStore) -> ClientConfig {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config
}

async fn get_secure(connector: &TlsConnector, url: &str) -> String {
    let exchange = async {
        let rest = url.strip_prefix("https://").unwrap();
        let (host, path) = rest.split_once('/').unwrap();
        let address: SocketAddr = host.parse().unwrap();
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::IpAddress(address.ip().into());
        let mut stream = connector.connect(name, stream).await?;
        let question = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(question.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    match tokio::time::timeout(LIMIT, exchange).await {
        Ok(Ok(answer)) => String::from_utf8_lossy(answer.get(9..12).unwrap_or(b"failed")).into(),
        Ok(Err(_)) => "failed".to_owned(),
        Err(_) => "late".to_owned(),
    }
}
