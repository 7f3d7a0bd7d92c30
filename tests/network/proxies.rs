//! Proxies: HTTP CONNECT and SOCKS5, each a few lines on loopback that write down what they are asked for.

use std::io::{Read, Write, copy};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::support::commands::{Done, switchboard};
use crate::support::rig::{Certificates, Nginx, available, free_port};

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// A proxy. It lives as long as the tests.
struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Serves each connection with `serve`, which gets a place for what it was asked.
    fn start(serve: fn(TcpStream, &Mutex<Vec<String>>) -> std::io::Result<()>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, into) = (stream.unwrap(), Arc::clone(&into));
                // A client that goes away in between is none of the proxy's business.
                std::thread::spawn(move || drop(serve(stream, &into)));
            }
        });
        Self { port, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn url(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}", self.port)
    }
}

/// Carries bytes both ways until both have ended.
fn tunnel(client: TcpStream, server: TcpStream) -> std::io::Result<()> {
    let (mut up_from, mut up_to) = (client.try_clone()?, server.try_clone()?);
    let up = std::thread::spawn(move || {
        let _ = copy(&mut up_from, &mut up_to);
        let _ = up_to.shutdown(Shutdown::Write);
    });
    let (mut from, mut to) = (server, client);
    let _ = copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
    // Either way the connection has ended.
    let _ = up.join();
    Ok(())
}

fn head(stream: &mut TcpStream) -> std::io::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// `CONNECT host:port`, and nothing else.
fn connects(mut client: TcpStream, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let head = head(&mut client)?;
    let target = head
        .strip_prefix("CONNECT ")
        .and_then(|rest| rest.split(' ').next());
    let server = target.map(TcpStream::connect);
    asked.lock().unwrap().push(head);
    match server {
        Some(Ok(server)) => {
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
            tunnel(client, server)
        }
        _ => client.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"),
    }
}

/// Wants a password of its own.
fn wants_password(mut client: TcpStream, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let head = head(&mut client)?;
    asked.lock().unwrap().push(head);
    client.write_all(
        b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
    )
}

/// SOCKS5 without a password, for IPv4 addresses.
fn socks(mut client: TcpStream, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut greeting = [0; 2];
    client.read_exact(&mut greeting)?;
    let mut methods = vec![0; usize::from(greeting[1])];
    client.read_exact(&mut methods)?;
    client.write_all(&[5, 0])?;
    let mut request = [0; 10];
    client.read_exact(&mut request)?;
    let [5, 1, 0, 1, a, b, c, d, high, low] = request else {
        return client.write_all(&[5, 8, 0, 1, 0, 0, 0, 0, 0, 0]);
    };
    let target = format!("{a}.{b}.{c}.{d}:{}", u16::from_be_bytes([high, low]));
    asked.lock().unwrap().push(target.clone());
    match TcpStream::connect(target) {
        Ok(server) => {
            client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
            tunnel(client, server)
        }
        Err(_) => client.write_all(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]),
    }
}

/// Probes `url` with a key by the proxy.
fn probe(url: &str, more: &[&str], variables: &[(&str, &str)]) -> Done {
    let home = tempfile::tempdir().unwrap();
    let probe = ["probe", "--url", url, "--format", "json", "--key-env", "K"];
    let variables = [&[("K", KEY)], variables].concat();
    switchboard(home.path(), &[&probe[..], more].concat(), &variables, "")
}

/// nginx over TLS, and the file of its authority.
fn secure(made: &Certificates) -> (Nginx, String, String) {
    let (certificate, key) =
        made.leaf("good", "IP:127.0.0.1", "20200101000000Z", "20450101000000Z");
    let nginx = Nginx::start_on_free_port(&format!(
        "server {{ listen 127.0.0.1:{{port}} ssl; ssl_certificate {}; ssl_certificate_key {};
         default_type application/json; location / {{ return 200 '{{}}'; }} }}",
        certificate.display(),
        key.display()
    ));
    let url = nginx.url().replace("http:", "https:");
    (nginx, url, made.authority().display().to_string())
}

#[test]
fn an_http_proxy_tunnels_and_never_sees_the_key() {
    if !available() {
        return;
    }
    let made = Certificates::new();
    let (nginx, url, authority) = secure(&made);
    let proxy = Proxy::start(connects);
    let by = proxy.url("http");
    let done = probe(&url, &["--ca-file", &authority, "--proxy", &by], &[]);
    assert_eq!(
        (done.json()["reason"].as_str(), done.code),
        (Some("connected"), 0),
        "{done:?}"
    );
    let asked = proxy.asked();
    assert!(!asked.is_empty());
    for head in &asked {
        assert!(
            head.starts_with(&format!("CONNECT 127.0.0.1:{} ", nginx.port)),
            "{head}"
        );
        assert!(
            !head.to_lowercase().contains("\nauthorization") && !head.contains(KEY),
            "{head}"
        );
    }
    assert!(
        nginx.log().contains("basic=Bearer"),
        "the key went to the service: {}",
        nginx.log()
    );
}

#[test]
fn the_usual_variables_name_a_proxy_and_hosts_without_one() {
    if !available() {
        return;
    }
    let made = Certificates::new();
    let (_nginx, url, authority) = secure(&made);
    let proxy = Proxy::start(connects);
    let by = proxy.url("http");
    let trusting = ["--ca-file", authority.as_str()];
    let done = probe(&url, &trusting, &[("HTTPS_PROXY", &by)]);
    assert_eq!(done.json()["reason"], "connected", "{done:?}");
    let through = proxy.asked().len();
    assert!(through > 0, "the proxy was not used");
    let straight = [("HTTPS_PROXY", by.as_str()), ("NO_PROXY", "127.0.0.1")];
    let done = probe(&url, &trusting, &straight);
    assert_eq!(done.json()["reason"], "connected", "{done:?}");
    assert_eq!(proxy.asked().len(), through, "NO_PROXY was not obeyed");
}

#[test]
fn a_socks_proxy_connects_for_us() {
    if !available() {
        return;
    }
    let made = Certificates::new();
    let (nginx, url, authority) = secure(&made);
    let proxy = Proxy::start(socks);
    for scheme in ["socks5", "socks5h"] {
        let by = proxy.url(scheme);
        let done = probe(&url, &["--ca-file", &authority, "--proxy", &by], &[]);
        assert_eq!(done.json()["reason"], "connected", "{scheme}: {done:?}");
    }
    let target = format!("127.0.0.1:{}", nginx.port);
    let asked = proxy.asked();
    assert!(
        asked.len() >= 2 && asked.iter().all(|one| *one == target),
        "{asked:?}"
    );
}

#[test]
fn a_proxy_that_fails_is_told_from_a_target_that_fails() {
    if !available() {
        return;
    }
    let made = Certificates::new();
    let (_nginx, url, authority) = secure(&made);
    let nobody = format!("https://127.0.0.1:{}", free_port());
    let (tunnelling, locked) = (Proxy::start(connects), Proxy::start(wants_password));
    let (speaking_socks, absent) = (Proxy::start(socks), free_port());
    for (target, by, status) in [
        (&url, format!("http://127.0.0.1:{absent}"), 0),
        (&url, format!("socks5://127.0.0.1:{absent}"), 0),
        (&url, locked.url("http"), 407),
        (&nobody, tunnelling.url("http"), 502),
        (&nobody, speaking_socks.url("socks5"), 0),
    ] {
        let done = probe(target, &["--ca-file", &authority, "--proxy", &by], &[]);
        let verdict = done.json();
        assert_eq!(verdict["reason"], "proxy-failed", "{by}: {verdict:#}");
        assert_eq!(verdict["status"], status, "{by}: {verdict:#}");
        assert_eq!(done.code, 2);
        let steps = verdict["remedy"]["steps"].as_array().unwrap();
        assert!(!steps.is_empty(), "{verdict:#}");
    }
    assert!(!locked.asked().concat().contains(KEY));
}

/// Answers every plain request itself, as the service would.
fn answers(mut client: TcpStream, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let head = head(&mut client)?;
    asked.lock().unwrap().push(head);
    client.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    )
}

#[test]
fn plain_http_to_loopback_is_no_secret_where_a_proxy_elsewhere_carries_it() {
    let proxy = Proxy::start(answers);
    // The unspecified address leads here, and is no loopback address: it stands for a proxy of the company.
    let elsewhere = format!("http://0.0.0.0:{}", proxy.port);
    let url = "http://127.0.0.1:9";
    let by_variable = [("http_proxy", elsewhere.as_str())];
    let by_flag = ["--proxy", elsewhere.as_str()];
    for (more, variables) in [(&by_flag[..], &[][..]), (&[][..], &by_variable[..])] {
        let verdict = probe(url, more, variables).json();
        assert_eq!(verdict["reason"], "key-withheld", "{verdict:#}");
    }
    let seen = proxy.asked().concat();
    assert!(seen.starts_with("GET http://127.0.0.1:9/"), "{seen}");
    assert!(
        !seen.to_lowercase().contains("\nauthorization") && !seen.contains(KEY),
        "{seen}"
    );

    // Where it is allowed, and by a proxy on this machine, it goes.
    let allowed = [&by_flag[..], &["--allow-http"]].concat();
    let own = ["--proxy", &proxy.url("http")];
    for more in [&allowed[..], &own] {
        let before = proxy.asked().len();
        assert_eq!(probe(url, more, &[]).json()["reason"], "connected");
        assert!(proxy.asked()[before..].concat().contains(KEY));
    }
}

#[test]
fn the_tokens_of_an_account_go_the_same_way_as_a_probe() {
    let proxy = Proxy::start(answers);
    let elsewhere = format!("http://0.0.0.0:{}", proxy.port);
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}/public/v1");
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], none: &str| {
        let variables = [("K", KEY), ("http_proxy", &elsewhere), ("no_proxy", none)];
        switchboard(home.path(), arguments, &variables, "")
    };
    let add = [
        "connection",
        "add",
        "a",
        "--service",
        "connect",
        "--url",
        &url,
    ];
    let key = ["--username", "SU-160-984-311", "--key-ref", "env:K"];
    let added = run(&[&add[..], &key].concat(), "");
    assert_eq!(added.code, 0, "{added:?}");
    // Exempt by host and port: asked straight, where nobody listens.
    let none = format!("127.0.0.1:{port}");
    let straight = run(&["token", "list", "a"], &none);
    assert_eq!(straight.code, 2, "{straight:?}");
    // Not exempt: the key would leave this machine in the open.
    let refused = run(&["token", "list", "a"], "");
    assert!(refused.err.contains("plain http"), "{refused:?}");
    assert_eq!(proxy.asked(), [""; 0], "the proxy saw the key");
}
