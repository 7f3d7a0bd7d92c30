//! Every way in which a server on loopback can fail, and what the transport says of it.

use std::time::Duration;

use rcgen::{BasicConstraints, IsCa, date_time_ymd};

use super::*;
use crate::domain::State;
use crate::domain::proxy::ProxyUrl;
use crate::domain::reply::TlsFailure;
use crate::domain::{ProxyFailure, Secret, SocksRefusal};
use crate::probe::profile::{EnvironmentProxies, ProxyChoice};
use crate::probe::stub::{Act, Authority, HTTP2_OK, Stub, Versions, self_signed};
use crate::service::Authorization;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\nhi";

fn get(url: &str) -> Request {
    Request {
        method: "GET",
        url: Url::parse(url).unwrap(),
        headers: Vec::new(),
        authorization: Authorization::None,
        stop_after: StopAfter::Body,
    }
}

fn with_key(url: &str) -> Request {
    Request {
        authorization: Authorization::Basic {
            username: "shop".to_owned(),
            key: Secret::new("hunter2"),
        },
        ..get(url)
    }
}

fn reach(url: &str) -> Request {
    Request {
        stop_after: StopAfter::Reach,
        ..get(url)
    }
}

fn plain(stub: &Stub) -> String {
    format!("http://{}/x?y=1", stub.address)
}

fn secure(stub: &Stub) -> String {
    format!("https://{}/x", stub.address)
}

async fn send_by(profile: Profile, request: &Request, within: Duration) -> Reply {
    let transport = Transport::new(profile).unwrap();
    transport.send(request, Instant::now() + within, None).await
}

/// Long enough for whatever ends by itself.
const LONG: Duration = Duration::from_secs(20);
/// For what ends by the deadline alone.
const SHORT: Duration = Duration::from_secs(2);

async fn send(request: &Request) -> Reply {
    send_by(Profile::default(), request, LONG).await
}

async fn fails(act: Act) -> Outcome {
    let stub = Stub::plain(act).await;
    send(&get(&plain(&stub))).await.outcome
}

fn trusting(authority: &Authority) -> Profile {
    Profile {
        extra_roots: vec![authority.pem()],
        ..Profile::default()
    }
}

fn proxied(stub: &Stub, scheme: &str) -> Profile {
    let url = format!("{scheme}://proxyuser:proxypass@{}", stub.address);
    Profile {
        proxy: ProxyChoice::Url(ProxyUrl::new(url)),
        ..Profile::default()
    }
}

fn answered(outcome: Outcome) -> Response {
    match outcome {
        Outcome::Answered(response) => response,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_answer_comes_whole_with_its_phases() {
    let stub = Stub::plain(Act::Answer(OK.to_vec())).await;
    let mut request = get(&plain(&stub));
    request.headers.push(("X-Mine".to_owned(), "1".to_owned()));
    let reply = send(&request).await;
    let [address] = &reply.addresses[..] else {
        panic!("{:?}", reply.addresses)
    };
    assert_eq!((address.address, address.state), (stub.address, State::Ok));
    assert!(address.ms.is_some());
    let phases = reply.phases;
    assert!(phases.connect.is_some() && phases.wait.is_some() && phases.body.is_some());
    assert_eq!((phases.dns, phases.tls, reply.tls), (None, None, None));
    let sum: Duration = phases
        .parts()
        .into_iter()
        .filter_map(|(_, part)| part)
        .sum();
    assert!(sum <= phases.total.unwrap());
    let response = answered(reply.outcome);
    assert_eq!(
        (response.status, response.body.as_slice()),
        (200, &b"hi"[..])
    );
    let twice: Vec<&str> = response
        .headers
        .iter()
        .filter(|(name, _)| name == "x-twice")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(twice, ["1", "2"]);
    let heads = stub.heads();
    let head = heads[0].to_ascii_lowercase();
    assert!(head.starts_with("get /x?y=1 http/1.1\r\n"), "{head}");
    for line in [
        concat!(
            "user-agent: switchboard/",
            env!("CARGO_PKG_VERSION"),
            "\r\n"
        ),
        "accept: application/json, */*;q=0.1\r\n",
        "cache-control: no-cache\r\n",
        "x-mine: 1\r\n",
        "accept-encoding: gzip\r\n",
    ] {
        assert!(head.contains(line), "{line} {head}");
    }
    for name in ["referer", "cookie", "authorization"] {
        assert!(!head.contains(name), "{name} {head}");
    }
}

#[tokio::test]
async fn credentials_are_sent_as_asked() {
    let stub = Stub::plain(Act::Answer(OK.to_vec())).await;
    send(&with_key(&plain(&stub))).await;
    let mut request = get(&plain(&stub));
    request.authorization =
        Authorization::Headers(vec![("BLESTA-API-KEY".to_owned(), Secret::new("käse"))]);
    send(&request).await;
    let heads = stub.heads();
    assert!(
        heads[0].contains("authorization: Basic c2hvcDpodW50ZXIy\r\n"),
        "{heads:?}"
    );
    assert!(heads[1].contains("blesta-api-key: käse\r\n"), "{heads:?}");
}

#[tokio::test]
async fn a_key_that_no_header_carries_is_told_without_it() {
    for authorization in [
        Authorization::Basic {
            username: "a:b".to_owned(),
            key: Secret::new("hunter2"),
        },
        Authorization::Headers(vec![("X-Key".to_owned(), Secret::new("hunter2\n"))]),
        Authorization::Headers(vec![("X Key".to_owned(), Secret::new("hunter2"))]),
    ] {
        let mut request = get("http://127.0.0.1:1/");
        request.authorization = authorization;
        let reply = send(&request).await;
        assert!(
            matches!(reply.outcome, Outcome::Failed(Failure::Local(_))),
            "{reply:?}"
        );
        assert!(!format!("{reply:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn redirects_are_told_and_not_followed() {
    let target = Stub::plain(Act::Answer(OK.to_vec())).await;
    let location = format!(
        "HTTP/1.1 302 Found\r\nLocation: http://{}/\r\nContent-Length: 0\r\n\r\n",
        target.address
    );
    let stub = Stub::plain(Act::Answer(location.into_bytes())).await;
    let response = answered(send(&with_key(&plain(&stub))).await.outcome);
    assert_eq!(response.status, 302);
    assert!(response.header("location").is_some());
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn a_port_without_a_listener_refuses() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let reply = send(&get(&format!("http://{address}/"))).await;
    assert_eq!(reply.outcome, Outcome::Failed(Failure::Refused));
    assert_eq!(reply.addresses[0].state, State::Down);
    assert!(reply.addresses[0].ms.is_some());
}

#[tokio::test]
async fn no_reply_has_a_kind() {
    for (act, failure) in [
        (Act::Reset, Failure::Reset),
        (Act::Close, Failure::ClosedEarly),
        (Act::Answer(Vec::new()), Failure::ClosedEarly),
        (
            Act::Answer(b"HTTP/1.1 200 OK\r\nX-Half".to_vec()),
            Failure::ClosedEarly,
        ),
        (
            Act::Speak(b"SSH-2.0-OpenSSH_9.2p1\r\n".to_vec()),
            Failure::NotHttp,
        ),
        (
            Act::Answer(b"\0\x01\x02garbage\r\n\r\n".to_vec()),
            Failure::NotHttp,
        ),
        (
            Act::Answer(b"HTTP/1.1 abc\r\n\r\n".to_vec()),
            Failure::NotHttp,
        ),
        (
            Act::Answer([&b"HTTP/1.1 200 OK\r\nX: "[..], &vec![b'a'; 600_000]].concat()),
            Failure::HeadTooLarge,
        ),
        (
            Act::Answer(
                b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".to_vec(),
            ),
            Failure::BadLength,
        ),
    ] {
        let name = format!("{act:.60?}");
        // A banner that comes first, or a reset at once, may be met at either end of the write.
        let outcome = fails(act).await;
        assert_eq!(outcome, Outcome::Failed(failure), "{name}");
    }
}

#[tokio::test]
async fn silence_ends_by_the_deadline() {
    let stub = Stub::plain(Act::Wait).await;
    let reply = send_by(Profile::default(), &get(&plain(&stub)), SHORT).await;
    assert_eq!(reply.outcome, Outcome::Failed(Failure::ResponseTimeout));
    // As long as the waiting in vain took.
    assert!(reply.phases.connect.is_some() && reply.phases.wait.is_some());
    assert!(reply.sent);
    assert_eq!(reply.addresses[0].state, State::Ok);
}

fn chunked(body: &[u8]) -> Vec<u8> {
    [
        &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"[..],
        body,
    ]
    .concat()
}

fn gzipped(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn a_body_may_be_cut() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc";
    for (act, failure, kept) in [
        (Act::Answer(head.to_vec()), Failure::ClosedEarly, "abc"),
        (
            Act::Answer(chunked(b"3\r\nabc\r\nzz\r\n")),
            Failure::BadCoding,
            "abc",
        ),
        (
            Act::Answer(chunked(b"3\r\nabc\r\n")),
            Failure::ClosedEarly,
            "abc",
        ),
        (
            Act::Answer(gzipped(b"this is no gzip at all")),
            Failure::BadCoding,
            "",
        ),
        (Act::AnswerAndReset(head.to_vec()), Failure::Reset, "abc"),
    ] {
        let name = format!("{act:.60?}");
        let Outcome::Cut(response, cut) = fails(act).await else {
            panic!("{name}")
        };
        assert_eq!((response.status, &cut), (200, &failure), "{name}");
        // A reset may take what came before it away.
        if cut != Failure::Reset || !response.body.is_empty() {
            assert_eq!(response.body, kept.as_bytes(), "{name}");
        }
    }
}

#[tokio::test]
async fn a_trickle_ends_by_the_deadline_with_its_status() {
    let head = b"HTTP/1.1 503 No\r\nContent-Length: 10\r\n\r\na".to_vec();
    let stub = Stub::plain(Act::AnswerAndWait(head)).await;
    let reply = send_by(Profile::default(), &get(&plain(&stub)), SHORT).await;
    let Outcome::Cut(response, Failure::ResponseTimeout) = reply.outcome else {
        panic!("{reply:?}")
    };
    assert_eq!(
        (response.status, response.body.as_slice()),
        (503, &b"a"[..])
    );
}

/// Two mebibytes of zeros as gzip: one deflate block of fixed codes, a zero and then runs of 258 (RFC 1951,
/// section 3.2.6). Its checksum is missing, but nobody should come that far.
fn bomb() -> Vec<u8> {
    let mut bits: Vec<bool> = vec![true, true, false];
    let code = |bits: &mut Vec<bool>, value: u16, width: u16| {
        bits.extend((0..width).rev().map(|bit| value >> bit & 1 == 1));
    };
    code(&mut bits, 0b0011_0000, 8);
    for _ in 0..2 * BODY_LIMIT / 258 {
        code(&mut bits, 0b1100_0101, 8);
        code(&mut bits, 0, 5);
    }
    let packed = bits.chunks(8).map(|byte| {
        let bit = |(place, set): (usize, &bool)| u8::from(*set) << place;
        byte.iter().enumerate().map(bit).sum::<u8>()
    });
    [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
        .into_iter()
        .chain(packed)
        .collect()
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_read_to_its_end() {
    let long = [
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
            BODY_LIMIT + 1
        )
        .into_bytes(),
        vec![b'a'; BODY_LIMIT + 1],
    ]
    .concat();
    for act in [Act::Answer(long), Act::AnswerAndWait(gzipped(&bomb()))] {
        let Outcome::Cut(response, Failure::BodyTooLarge) = fails(act).await else {
            panic!("over the limit")
        };
        assert_eq!(response.body.len(), BODY_LIMIT);
    }
    let exact = [
        format!("HTTP/1.1 200 OK\r\nContent-Length: {BODY_LIMIT}\r\n\r\n").into_bytes(),
        vec![b'a'; BODY_LIMIT],
    ]
    .concat();
    assert_eq!(
        answered(fails(Act::Answer(exact)).await).body.len(),
        BODY_LIMIT
    );
}

#[tokio::test]
async fn tls_is_verified_and_shown() {
    let authority = Authority::new();
    let stub = Stub::tls(
        authority.server(&["127.0.0.1"], |_| {}),
        Act::Answer(OK.to_vec()),
    )
    .await;
    let reply = send_by(trusting(&authority), &with_key(&secure(&stub)), LONG).await;
    let facts = reply.tls.as_ref().unwrap();
    assert!(facts.verified);
    assert_eq!(facts.version.as_deref(), Some("TLSv1.3"));
    assert_eq!(facts.chain.len(), 1);
    assert_eq!(facts.chain[0].names, ["127.0.0.1"]);
    assert!(facts.chain[0].issuer.contains("Rehearsal authority"));
    let phases = reply.phases;
    assert!(phases.connect.is_some() && phases.tls.is_some() && phases.wait.is_some());
    assert_eq!(answered(reply.outcome).status, 200);
    assert!(stub.heads()[0].contains("authorization: Basic"));
}

#[tokio::test]
async fn http_2_is_spoken_where_it_is_offered() {
    let authority = Authority::new();
    let mut config = authority.server(&["127.0.0.1"], |_| {});
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stub = Stub::tls(config, Act::Http2(HTTP2_OK.to_vec())).await;
    let reply = send_by(trusting(&authority), &get(&secure(&stub)), LONG).await;
    assert_eq!(answered(reply.outcome).status, 200);
    assert_eq!(stub.heads(), ["HTTP/2"]);
}

#[tokio::test]
async fn a_server_that_breaks_off_by_http_2_says_why() {
    let reset = |code: u8| vec![0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, code];
    let goaway = |code: u8| vec![0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, code];
    for (frames, said, processed) in [
        (reset(2), "INTERNAL_ERROR", true),
        (reset(7), "REFUSED_STREAM", false),
        (goaway(11), "ENHANCE_YOUR_CALM", true),
        (reset(0), "NO_ERROR, it was shutting down", true),
        (goaway(0), "NO_ERROR, it was shutting down", false),
    ] {
        let authority = Authority::new();
        let mut config = authority.server(&["127.0.0.1"], |_| {});
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stub = Stub::tls(config, Act::Http2(frames)).await;
        let reply = send_by(trusting(&authority), &get(&secure(&stub)), LONG).await;
        let Outcome::Failed(Failure::Http2 {
            said: why,
            processed: seen,
        }) = &reply.outcome
        else {
            panic!("{said}: {:?}", reply.outcome)
        };
        assert!(why.starts_with(said) && *seen == processed, "{why} {seen}");
        assert!(reply.sent, "it counts as a request that was not answered");
    }
}

/// It names the last request that it has looked at, or will (RFC 9113, 6.8): the first one here is stream 1.
#[tokio::test]
async fn a_server_that_shuts_down_still_answers_what_it_has_taken() {
    let goaway = |last: u8| vec![0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, last, 0, 0, 0, 0];
    let outcome = async |act: Act| {
        let authority = Authority::new();
        let mut config = authority.server(&["127.0.0.1"], |_| {});
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stub = Stub::tls(config, act).await;
        let reply = send_by(trusting(&authority), &with_key(&secure(&stub)), LONG).await;
        assert!(reply.sent && stub.connections() == 1);
        reply.outcome
    };
    let answered_after = |last: u8| Act::Http2([goaway(last), HTTP2_OK.to_vec()].concat());
    assert_eq!(answered(outcome(answered_after(1)).await).status, 200);
    // What it had taken and left unanswered may have been looked at.
    for last in [1, 3] {
        let left = outcome(Act::Http2AndClose(goaway(last))).await;
        let is_unheard = matches!(left, Outcome::Failed(Failure::Reset | Failure::ClosedEarly));
        assert!(is_unheard, "{last}: {left:?}");
    }
    for act in [answered_after(0), Act::Http2AndClose(goaway(0))] {
        let unread = outcome(act).await;
        assert!(
            matches!(
                unread,
                Outcome::Failed(Failure::Http2 {
                    processed: false,
                    ..
                })
            ),
            "{unread:?}"
        );
    }
}

#[tokio::test]
async fn a_body_that_http_2_cuts_off_is_not_called_wrongly_coded() {
    // `:status: 200` without an end, with `content-length: 10` in the second case.
    let head = |block: &[u8]| {
        let mut frame = vec![0, 0, u8::try_from(block.len()).unwrap(), 1, 4, 0, 0, 0, 1];
        frame.extend(block);
        frame
    };
    let reset = [0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 2];
    let short = [0, 0, 2, 0, 1, 0, 0, 0, 1, b'h', b'i'];
    let goaway = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11];
    // One byte more of a window than there may be (RFC 9113, 6.9.1), and a frame of settings on a stream.
    let window = [0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff];
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 1];
    let said = |said: &str| Failure::Http2 {
        said: said.to_owned(),
        processed: true,
    };
    for (frames, expected) in [
        (
            [head(&[0x88]), reset.to_vec()].concat(),
            said("INTERNAL_ERROR, an error of its own"),
        ),
        (
            [head(&[0x88]), goaway.to_vec()].concat(),
            said("ENHANCE_YOUR_CALM, too many requests"),
        ),
        (
            [head(&[0x88]), window.to_vec()].concat(),
            said("what it sent is against the rules of HTTP/2 (FLOW_CONTROL_ERROR)"),
        ),
        (
            [head(&[0x88]), settings.to_vec()].concat(),
            said("what it sent is against the rules of HTTP/2 (PROTOCOL_ERROR)"),
        ),
        (
            [head(&[0x88, 0x0f, 0x0d, 2, b'1', b'0']), short.to_vec()].concat(),
            Failure::ClosedEarly,
        ),
    ] {
        let authority = Authority::new();
        let mut config = authority.server(&["127.0.0.1"], |_| {});
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stub = Stub::tls(config, Act::Http2(frames)).await;
        let reply = send_by(trusting(&authority), &get(&secure(&stub)), LONG).await;
        let Outcome::Cut(response, failure) = reply.outcome else {
            panic!("{:?}", reply.outcome)
        };
        assert_eq!((response.status, failure), (200, expected));
    }
}

#[tokio::test]
async fn a_server_that_wants_http_1_1_is_asked_so() {
    let reset = |code: u8| vec![0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, code];
    let authority = Authority::new();
    let stub_of = async |frames: Vec<u8>| {
        let mut config = authority.server(&["127.0.0.1"], |_| {});
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec();
        Stub::tls(config, Act::Http2Or(frames, ok)).await
    };
    let stub = async |code: u8| stub_of(reset(code)).await;
    let wants = stub(13).await;
    let reply = send_by(trusting(&authority), &with_key(&secure(&wants)), LONG).await;
    assert!(reply.sent && reply.tls.is_some_and(|facts| facts.verified));
    // A key goes once: whether once more is for whoever counts.
    assert!(reply.wants_http1 && reply.repeated.is_none());
    assert_eq!(wants.heads(), ["HTTP/2"]);
    // Whoever shares that knowledge sends so from then on.
    let goaway = vec![0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 13];
    for (frames, wants_http1) in [(reset(13), true), (goaway.clone(), false)] {
        let wants = stub_of(frames).await;
        let shared = SharedResources::default();
        let by = || Transport::within(&trusting(&authority), &shared).unwrap();
        let request = with_key(&secure(&wants));
        let reply = by().send(&request, Instant::now() + LONG, None).await;
        // An end of the whole connection says less of what became of the request.
        assert_eq!((wants.heads().len(), reply.wants_http1), (1, wants_http1));
        for further in 0..2 {
            let reply = by().send(&request, Instant::now() + LONG, None).await;
            let asked = (wants.heads().len(), reply.repeated);
            assert_eq!(asked, (2 + further, None));
            assert_eq!(answered(reply.outcome).status, 200);
        }
    }
    // Without a key that makes no difference.
    let wants = stub_of(goaway).await;
    let reply = send_by(trusting(&authority), &get(&secure(&wants)), LONG).await;
    assert_eq!(reply.repeated, Some(Repeated::OverHttp1));
    assert_eq!(answered(reply.outcome).status, 200);
    // What it may have looked at is not sent twice.
    for code in [2, 7, 11] {
        let other = stub(code).await;
        let reply = send_by(trusting(&authority), &with_key(&secure(&other)), LONG).await;
        assert!(matches!(
            reply.outcome,
            Outcome::Failed(Failure::Http2 { .. })
        ));
        assert_eq!((reply.repeated, other.connections()), (None, 1), "{code}");
    }
}

#[tokio::test]
async fn a_server_that_wants_http_1_1_no_more_is_asked_as_any() {
    let authority = Authority::new();
    let server = |protocols: &[&[u8]]| {
        let mut config = authority.server(&["127.0.0.1"], |_| {});
        config.alpn_protocols = protocols.iter().map(|one| one.to_vec()).collect();
        config
    };
    let wants_http1 = vec![0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 13];
    let ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec();
    let act = Act::Http2Or(wants_http1, ok);
    let before = Stub::tls(server(&[b"h2", b"http/1.1"]), act).await;
    let (shared, address) = (SharedResources::default(), before.address);
    let request = with_key(&secure(&before));
    let send = async || {
        let by = Transport::within(&trusting(&authority), &shared).unwrap();
        by.send(&request, Instant::now() + LONG, None).await.outcome
    };
    assert!(
        matches!(send().await, Outcome::Failed(_)),
        "a key goes once"
    );
    assert_eq!(answered(send().await).status, 200);
    drop(before);
    // Its listener goes with its task.
    while tokio::net::TcpListener::bind(address).await.is_err() {
        tokio::task::yield_now().await;
    }
    let act = Act::Http2(HTTP2_OK.to_vec());
    let _after = Stub::start(&address.to_string(), act, Some(server(&[b"h2"]))).await;
    let outcome = send().await;
    let refused = matches!(outcome, Outcome::Failed(Failure::Tls(_)));
    assert!(refused, "it does not speak that: {outcome:?}");
    assert_eq!(answered(send().await).status, 200);
}

#[tokio::test]
async fn a_chain_that_does_not_hold_is_told_and_gets_no_request() {
    let authority = Authority::new();
    let of_authority =
        |change: fn(&mut rcgen::CertificateParams)| authority.server(&["127.0.0.1"], change);
    let cases = [
        (
            of_authority(|p| p.not_after = date_time_ymd(2021, 1, 1)),
            TlsFailure::Expired,
        ),
        (
            of_authority(|p| p.not_before = date_time_ymd(2080, 1, 1)),
            TlsFailure::NotYetValid,
        ),
        (
            authority.server(&["other.example"], |_| {}),
            TlsFailure::WrongName,
        ),
        (
            Authority::named("Nobody's").server(&["127.0.0.1"], |_| {}),
            TlsFailure::UnknownIssuer,
        ),
        (self_signed(|_| {}), TlsFailure::UnknownIssuer),
    ];
    for (config, failure) in cases {
        let stub = Stub::tls(config, Act::Answer(OK.to_vec())).await;
        let reply = send_by(trusting(&authority), &with_key(&secure(&stub)), LONG).await;
        assert_eq!(
            reply.outcome,
            Outcome::Failed(Failure::Tls(failure.clone()))
        );
        let facts = reply.tls.unwrap();
        assert!(!facts.verified && facts.chain.len() == 1, "{failure:?}");
        assert_eq!(reply.addresses[0].state, State::Ok, "TCP stood");
        assert_eq!(
            stub.heads().len(),
            0,
            "no request, so no credentials: {failure:?}"
        );
    }
}

#[tokio::test]
async fn a_namesake_of_a_trusted_authority_is_not_taken_for_it() {
    let authority = Authority::new();
    let named = |p: &mut rcgen::CertificateParams| {
        p.distinguished_name
            .push(rcgen::DnType::CommonName, "Rehearsal authority");
    };
    for (config, failure) in [
        (self_signed(named), TlsFailure::UnknownIssuer),
        (
            Authority::new().server(&["127.0.0.1"], |_| {}),
            TlsFailure::Signature,
        ),
    ] {
        let stub = Stub::tls(config, Act::Answer(OK.to_vec())).await;
        let reply = send_by(trusting(&authority), &with_key(&secure(&stub)), LONG).await;
        assert_eq!(reply.outcome, Outcome::Failed(Failure::Tls(failure)));
        assert_eq!(stub.heads().len(), 0);
    }
}

#[tokio::test]
async fn a_key_that_is_not_the_certificates_is_told_as_that() {
    const EACH: [Versions; 2] = [&[&rustls::version::TLS12], &[&rustls::version::TLS13]];
    let authority = Authority::new();
    for versions in EACH {
        let config = authority.server_with_another_key(versions);
        let stub = Stub::tls(config, Act::Answer(OK.to_vec())).await;
        let reply = send_by(trusting(&authority), &with_key(&secure(&stub)), LONG).await;
        let told = Outcome::Failed(Failure::Tls(TlsFailure::ForeignKey));
        assert_eq!(reply.outcome, told, "{versions:?}");
        assert!(!reply.tls.unwrap().verified);
        assert_eq!(stub.heads().len(), 0);
    }
}

#[tokio::test]
async fn an_authority_as_a_server_is_told() {
    let config = self_signed(|p| p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let stub = Stub::tls(config, Act::Answer(OK.to_vec())).await;
    let reply = send(&with_key(&secure(&stub))).await;
    let authority = Failure::Tls(TlsFailure::Authority);
    assert_eq!(reply.outcome, Outcome::Failed(authority));
    assert_eq!(stub.heads().len(), 0);
}

#[tokio::test]
async fn what_is_not_tls_is_told() {
    let plain_port = Stub::plain(Act::Speak(b"HTTP/1.1 400 Bad\r\n\r\n".to_vec())).await;
    let reply = send(&with_key(&secure(&plain_port))).await;
    let not_tls = Outcome::Failed(Failure::Tls(TlsFailure::NotTls));
    assert_eq!(reply.outcome, not_tls);
    let silent = Stub::plain(Act::Wait).await;
    let reply = send_by(
        Profile::default(),
        &with_key(&secure(&silent)),
        Duration::from_secs(1),
    )
    .await;
    let slow = Outcome::Failed(Failure::Tls(TlsFailure::Timeout));
    assert_eq!(reply.outcome, slow);
    let closing = Stub::plain(Act::Close).await;
    let reply = send(&with_key(&secure(&closing))).await;
    assert!(
        matches!(
            reply.outcome,
            Outcome::Failed(Failure::Tls(TlsFailure::Other(_)) | Failure::Reset)
        ),
        "{reply:?}"
    );
    assert!(!reply.sent, "a handshake that broke carried no request");
}

#[tokio::test]
async fn plain_http_to_a_tls_port_is_not_http() {
    let authority = Authority::new();
    let stub = Stub::tls(authority.server(&["127.0.0.1"], |_| {}), Act::Wait).await;
    let reply = send(&get(&plain(&stub))).await;
    assert!(
        matches!(
            reply.outcome,
            Outcome::Failed(Failure::NotHttp | Failure::Reset)
        ),
        "{reply:?}"
    );
}

const TLS_1_2: Versions = &[&rustls::version::TLS12];
const TLS_1_3: Versions = &[&rustls::version::TLS13];

#[tokio::test]
async fn a_missing_client_certificate_is_told_in_both_versions() {
    let authority = Authority::new();
    for versions in [TLS_1_2, TLS_1_3] {
        let config = authority.server_for_known_clients(versions);
        let stub = Stub::tls(config, Act::Answer(OK.to_vec())).await;
        let reply = send_by(trusting(&authority), &get(&secure(&stub)), LONG).await;
        // Its alert may be lost to a reset.
        let is_missed = matches!(
            reply.outcome,
            Outcome::Failed(Failure::Tls(
                TlsFailure::ClientCertificate | TlsFailure::ClientCertificateUnsaid
            ))
        );
        assert!(is_missed, "{versions:?}: {:?}", reply.outcome);

        let (certificate, key) = authority.client();
        let mut profile = trusting(&authority);
        profile.identity = Some(ClientIdentity {
            certificate,
            key: Secret::new(key),
        });
        let reply = send_by(profile, &get(&secure(&stub)), LONG).await;
        assert_eq!(answered(reply.outcome).status, 200, "{versions:?}");
    }
}

#[tokio::test]
async fn who_asked_for_a_certificate_and_breaks_off_may_have_read_the_request() {
    let authority = Authority::new();
    for versions in [TLS_1_2, TLS_1_3] {
        let config = authority.server_for_any_client(versions);
        let stub = Stub::tls(config, Act::Answer(Vec::new())).await;
        let mut profile = trusting(&authority);
        let reply = send_by(profile.clone(), &get(&secure(&stub)), LONG).await;
        let failure = Failure::Tls(TlsFailure::ClientCertificateUnsaid);
        assert_eq!(reply.outcome, Outcome::Failed(failure), "{versions:?}");
        assert!(reply.sent && stub.heads().len() == 1, "{versions:?}");
        // It was sent one, and says no more of it.
        let (certificate, key) = authority.client();
        profile.identity = Some(ClientIdentity {
            certificate,
            key: Secret::new(key),
        });
        let reply = send_by(profile, &get(&secure(&stub)), LONG).await;
        assert!(reply.sent, "{versions:?}");
        assert_eq!(reply.outcome, Outcome::Failed(Failure::ClosedEarly));
    }
}

#[tokio::test]
async fn reachability_ends_before_http() {
    let stub = Stub::plain(Act::Wait).await;
    let reply = send(&reach(&plain(&stub))).await;
    assert_eq!(reply.outcome, Outcome::Reached);
    assert_eq!(reply.addresses[0].state, State::Ok);
    stub.closed_by_client().await;
    assert_eq!((stub.connections(), stub.heads().len()), (1, 0));

    let authority = Authority::new();
    let stub = Stub::tls(authority.server(&["127.0.0.1"], |_| {}), Act::Wait).await;
    let reply = send_by(trusting(&authority), &reach(&secure(&stub)), LONG).await;
    assert_eq!(reply.outcome, Outcome::Reached);
    assert!(reply.tls.unwrap().verified && reply.phases.tls.is_some());
    stub.closed_by_client().await;
    assert_eq!(stub.heads().len(), 0);

    let reply = send(&reach(&secure(&stub))).await;
    let unknown = Failure::Tls(TlsFailure::UnknownIssuer);
    assert_eq!(reply.outcome, Outcome::Failed(unknown));
}

#[tokio::test]
async fn a_cancelled_request_closes_its_connection() {
    let stub = Stub::plain(Act::Wait).await;
    let transport = Transport::new(Profile::default()).unwrap();
    let request = get(&plain(&stub));
    {
        let sending = transport.send(&request, Instant::now() + LONG, None);
        tokio::select! {
            reply = sending => panic!("{reply:?}"),
            () = stub.head_came() => {}
        }
    }
    stub.closed_by_client().await;
}

#[tokio::test]
async fn a_name_is_looked_up_and_each_address_told() {
    let stub = Stub::plain(Act::Answer(OK.to_vec())).await;
    let url = format!("http://localhost:{}/", stub.address.port());
    let mut profile = Profile::default();
    for family in [AddressFamily::Any, AddressFamily::V4] {
        profile.family = family;
        let reply = send_by(profile.clone(), &get(&url), LONG).await;
        assert!(reply.phases.dns.is_some());
        for told in &reply.addresses {
            let expected = if told.address == stub.address {
                State::Ok
            } else {
                State::Down
            };
            assert_eq!(told.state, expected, "{reply:?}");
        }
        assert_eq!(answered(reply.outcome).status, 200);
    }
    assert_eq!(stub.connections(), 2, "one for each request");
    let numeric = plain(&stub);
    profile.family = AddressFamily::V6;
    let reply = send_by(profile, &get(&numeric), LONG).await;
    assert!(
        matches!(reply.outcome, Outcome::Failed(Failure::Local(_))),
        "{reply:?}"
    );
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_told() {
    // Over 63 characters without a dot: no name server is asked.
    let url = format!("http://{}.invalid/", "a".repeat(70));
    let reply = send(&get(&url)).await;
    let Outcome::Failed(failure) = reply.outcome else {
        panic!("{reply:?}")
    };
    assert!(
        matches!(failure, Failure::DnsNotFound | Failure::DnsFailed),
        "{failure:?}"
    );
    assert!(reply.phases.dns.is_some());
}

#[tokio::test]
async fn an_address_of_ipv6_is_reached() {
    if tokio::net::TcpListener::bind("[::1]:0").await.is_err() {
        return; // No IPv6 here.
    }
    let stub = Stub::start("[::1]:0", Act::Answer(OK.to_vec()), None).await;
    let reply = send(&get(&plain(&stub))).await;
    assert_eq!(answered(reply.outcome).status, 200);
    assert_eq!(reply.addresses[0].address, stub.address);
}

#[tokio::test]
async fn a_target_is_reached_through_an_http_proxy() {
    let authority = Authority::new();
    let target = Stub::tls(
        authority.server(&["shop.test"], |_| {}),
        Act::Answer(OK.to_vec()),
    )
    .await;
    let proxy = Stub::plain(Act::Tunnel(target.address)).await;
    let mut profile = proxied(&proxy, "http");
    profile.extra_roots = vec![authority.pem()];
    let reply = send_by(profile, &with_key("https://shop.test/x"), LONG).await;
    let shown = format!("http://{}", proxy.address);
    assert_eq!(reply.proxy.as_deref(), Some(shown.as_str()));
    assert!(reply.tls.unwrap().verified);
    assert!(reply.phases.connect.is_some() && reply.phases.tls.is_some());
    assert_eq!(answered(reply.outcome).status, 200);
    let heads = proxy.heads();
    let head = heads[0].to_ascii_lowercase();
    assert!(head.starts_with("connect shop.test:443 "), "{head}");
    assert!(head.contains("proxy-authorization: basic"), "{head}");
    assert!(!head.contains("\r\nauthorization:"), "{head}");
}

#[tokio::test]
async fn a_proxy_may_itself_speak_tls() {
    let authority = Authority::new();
    let target = Stub::tls(
        authority.server(&["shop.test"], |_| {}),
        Act::Answer(OK.to_vec()),
    )
    .await;
    let proxy = Stub::tls(
        authority.server(&["127.0.0.1"], |_| {}),
        Act::Tunnel(target.address),
    )
    .await;
    let mut profile = proxied(&proxy, "https");
    profile.extra_roots = vec![authority.pem()];
    let reply = send_by(profile, &with_key("https://shop.test/"), LONG).await;
    let facts = reply.tls.unwrap();
    assert_eq!(facts.chain[0].names, ["shop.test"]);
    assert!(facts.verified);
    assert_eq!(answered(reply.outcome).status, 200);

    let reply = send_by(
        proxied(&proxy, "https"),
        &with_key("https://shop.test/"),
        LONG,
    )
    .await;
    let untrusted = ProxyFailure::Unheard("nobody whom this machine trusts signed its certificate");
    assert_eq!(reply.outcome, Outcome::Failed(Failure::Proxy(untrusted)));
    assert_eq!(reply.tls, None, "its certificate is not the target's");
    assert_eq!(target.heads().len(), 1, "nothing came through");
}

#[tokio::test]
async fn a_certificate_that_a_proxy_wants_is_no_matter_of_the_target() {
    let authority = Authority::new();
    let as_client = |of: &Authority| {
        let (certificate, key) = of.client();
        Some(ClientIdentity {
            certificate,
            key: Secret::new(key),
        })
    };
    // Has no certificate for any name: the handshake is refused.
    let mut config = authority.server(&["shop.test"], |_| {});
    config.cert_resolver = Arc::new(rustls::server::ResolvesServerCertUsingSni::new());
    let target = Stub::tls(config, Act::Wait).await;
    for versions in [TLS_1_2, TLS_1_3] {
        let config = authority.server_for_known_clients(versions);
        let proxy = Stub::tls(config, Act::Tunnel(target.address)).await;
        let profile = || Profile {
            extra_roots: vec![authority.pem()],
            ..proxied(&proxy, "https")
        };
        for url in ["https://shop.test/", "http://shop.test/"] {
            let reply = send_by(profile(), &get(url), LONG).await;
            let wanted = ProxyFailure::Unheard("it wants a client certificate");
            let expected = Outcome::Failed(Failure::Proxy(wanted));
            assert_eq!(reply.outcome, expected, "{url} {versions:?}");
        }
        let mut known = profile();
        known.identity = as_client(&authority);
        let reply = send_by(known, &get("https://shop.test/"), LONG).await;
        let refused = Outcome::Failed(Failure::Tls(TlsFailure::Refused));
        assert_eq!(reply.outcome, refused, "the target's, {versions:?}");
    }
    let config = authority.server_for_known_clients(TLS_1_2);
    let proxy = Stub::tls(config, Act::Tunnel(target.address)).await;
    let mut unknown = proxied(&proxy, "https");
    unknown.extra_roots = vec![authority.pem()];
    unknown.identity = as_client(&Authority::named("another"));
    let reply = send_by(unknown, &get("https://shop.test/"), LONG).await;
    let refused = ProxyFailure::Unheard("it refuses the client certificate");
    assert_eq!(reply.outcome, Outcome::Failed(Failure::Proxy(refused)));
}

#[tokio::test]
async fn a_target_that_fails_behind_a_proxy_is_not_the_proxy() {
    let authority = Authority::new();
    let config = authority.server(&["other.test"], |_| {});
    let target = Stub::tls(config, Act::Answer(OK.to_vec())).await;
    let proxy = Stub::plain(Act::Tunnel(target.address)).await;
    let mut profile = proxied(&proxy, "http");
    profile.extra_roots = vec![authority.pem()];
    let reply = send_by(profile, &with_key("https://shop.test/"), LONG).await;
    let wrong_name = Failure::Tls(TlsFailure::WrongName);
    assert_eq!(reply.outcome, Outcome::Failed(wrong_name));
    assert_eq!(target.heads().len(), 0);
}

#[tokio::test]
async fn a_target_is_reached_through_a_socks_proxy() {
    let target = Stub::plain(Act::Answer(OK.to_vec())).await;
    let proxy = Stub::plain(Act::Socks(target.address)).await;
    for (scheme, host, kind) in [
        ("socks5", "localhost", "SOCKS kind 1"),
        ("socks5h", "shop.test", "SOCKS kind 3"),
    ] {
        let profile = Profile {
            proxy: ProxyChoice::Url(ProxyUrl::new(format!("{scheme}://{}", proxy.address))),
            family: AddressFamily::V4,
            ..Profile::default()
        };
        let reply = send_by(profile, &get(&format!("http://{host}/")), LONG).await;
        assert_eq!(answered(reply.outcome).status, 200, "{scheme}");
        assert_eq!(proxy.heads().last().unwrap(), kind);
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_up_that_runs_out_of_time_is_told_with_what_it_took() {
    let shared = SharedResources::default();
    let transport = Transport::within(&Profile::default(), &shared).unwrap();
    let mut taken = Vec::new();
    for _ in 0..64 {
        taken.push(shared.resolver.place().await);
    }
    let request = get("http://shop.test/");
    let reply = transport.send(&request, Instant::now() + SHORT, None).await;
    assert_eq!(reply.outcome, Outcome::Failed(Failure::DnsFailed));
    assert!(reply.phases.dns >= Some(SHORT), "{:?}", reply.phases);
}

#[tokio::test]
async fn the_name_of_a_proxy_does_not_wait_behind_those_of_targets() {
    let proxy = Stub::plain(Act::Answer(OK.to_vec())).await;
    let url = format!("http://localhost:{}", proxy.address.port());
    let profile = Profile {
        proxy: ProxyChoice::Url(ProxyUrl::new(url)),
        ..Profile::default()
    };
    let shared = SharedResources::default();
    let transport = Transport::within(&profile, &shared).unwrap();
    let mut taken = Vec::new();
    for _ in 0..64 {
        taken.push(shared.resolver.place().await);
    }
    let request = get("http://shop.test/");
    let place = transport.place(&request.url, Asker::Watch).await;
    assert!(place.is_none(), "the proxy looks that one up");
    let reply = transport
        .send(&request, Instant::now() + SHORT, place)
        .await;
    assert_eq!(answered(reply.outcome).status, 200);
}

#[tokio::test]
async fn a_proxy_that_was_given_no_login_asks_for_one() {
    let proxy = Stub::plain(Act::Answer(
        b"HTTP/1.1 407 Auth\r\nContent-Length: 0\r\n\r\n".to_vec(),
    ))
    .await;
    let nameless = Profile {
        proxy: ProxyChoice::Url(ProxyUrl::new(format!("http://{}", proxy.address))),
        ..Profile::default()
    };
    let reply = send_by(nameless, &with_key("https://shop.test/"), LONG).await;
    assert_eq!(
        reply.outcome,
        Outcome::Failed(Failure::Proxy(ProxyFailure::Password))
    );
}

#[tokio::test]
async fn a_proxy_that_fails_is_told_apart() {
    let needs_auth = b"HTTP/1.1 407 Auth\r\nContent-Length: 0\r\n\r\n".to_vec();
    let bad = b"HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n".to_vec();
    for (act, target, failure) in [
        (
            Act::Answer(needs_auth.clone()),
            "https://shop.test/",
            ProxyFailure::PasswordRefused,
        ),
        (
            Act::Answer(needs_auth),
            "http://shop.test/",
            ProxyFailure::PasswordRefused,
        ),
        (
            Act::Answer(bad),
            "https://shop.test/",
            ProxyFailure::Refused(502),
        ),
        (
            Act::Close,
            "https://shop.test/",
            ProxyFailure::Unheard("it closed the connection"),
        ),
    ] {
        let proxy = Stub::plain(act).await;
        let reply = send_by(proxied(&proxy, "http"), &with_key(target), LONG).await;
        assert_eq!(
            reply.outcome,
            Outcome::Failed(Failure::Proxy(failure)),
            "{target}"
        );
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for target in ["http://shop.test/", "https://shop.test/"] {
        for scheme in ["http", "socks5h"] {
            let profile = Profile {
                proxy: ProxyChoice::Url(ProxyUrl::new(url.replace("http", scheme))),
                ..Profile::default()
            };
            let reply = send_by(profile, &get(target), LONG).await;
            // What the client says of SOCKS is no more than that.
            let unheard = ProxyFailure::Unheard(match scheme {
                "http" => "nothing listens there",
                _ => "no connection to it could be made",
            });
            assert_eq!(
                reply.outcome,
                Outcome::Failed(Failure::Proxy(unheard)),
                "{target} {scheme}"
            );
        }
    }
    let silent = Stub::plain(Act::Wait).await;
    let reply = send_by(proxied(&silent, "http"), &get("https://shop.test/"), SHORT).await;
    let silent = Failure::Proxy(ProxyFailure::Silent);
    assert_eq!(reply.outcome, Outcome::Failed(silent));
}

#[tokio::test]
async fn a_socks_proxy_is_told_by_what_it_answers() {
    let reply = |code| [5, 0, 5, code, 0, 1, 0, 0, 0, 0, 0, 0].to_vec();
    let behind = |why| ProxyFailure::Socks(SocksRefusal::Behind(why));
    let unsupported = |why| ProxyFailure::Socks(SocksRefusal::Unsupported(why));
    let foreign = || {
        ProxyFailure::Unheard("it answers what SOCKS5 does not know, as one whose URL says http")
    };
    for (said, login, failure) in [
        (vec![5, 255], "", ProxyFailure::Socks(SocksRefusal::Login)),
        (vec![5, 2], "", ProxyFailure::Socks(SocksRefusal::Login)),
        (
            vec![5, 2, 1, 1],
            "me:pw@",
            ProxyFailure::Socks(SocksRefusal::LoginRefused),
        ),
        (reply(1), "", behind("it does not say why (reply 1)")),
        (reply(2), "", ProxyFailure::Socks(SocksRefusal::Rule)),
        (reply(3), "", behind("it has no route there (reply 3)")),
        (
            reply(4),
            "",
            behind("no such name for it, or no such host in reach (reply 4)"),
        ),
        (reply(5), "", behind("nothing listens there (reply 5)")),
        (reply(6), "", behind("the way there does not end (reply 6)")),
        (
            reply(7),
            "",
            unsupported("it opens no connections (reply 7)"),
        ),
        (
            reply(8),
            "",
            unsupported("it takes no such address (reply 8)"),
        ),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "", foreign()),
        (reply(9), "", foreign()),
    ] {
        let proxy = Stub::plain(Act::Speak(said.clone())).await;
        let by = format!("socks5h://{login}{}", proxy.address);
        for target in ["http://shop.test/", "https://shop.test/"] {
            let profile = Profile {
                proxy: ProxyChoice::Url(ProxyUrl::new(by.as_str())),
                ..Profile::default()
            };
            let reply = send_by(profile, &with_key(target), LONG).await;
            let expected = Outcome::Failed(Failure::Proxy(failure));
            assert_eq!(reply.outcome, expected, "{said:?} {target}");
        }
    }
    let closing = Stub::plain(Act::Close).await;
    let profile = Profile {
        proxy: ProxyChoice::Url(ProxyUrl::new(format!("socks5h://{}", closing.address))),
        ..Profile::default()
    };
    let reply = send_by(profile, &get("http://shop.test/"), LONG).await;
    let closed = ProxyFailure::Unheard("it closed the connection");
    assert_eq!(reply.outcome, Outcome::Failed(Failure::Proxy(closed)));
}

#[tokio::test]
async fn why_tls_with_a_proxy_fails_is_told() {
    let authority = Authority::new();
    for (config, why) in [
        (
            authority.server(&["other.test"], |_| {}),
            "its certificate is for other names",
        ),
        (
            self_signed(|_| {}),
            "nobody whom this machine trusts signed its certificate",
        ),
    ] {
        let proxy = Stub::tls(config, Act::Wait).await;
        let profile = Profile {
            proxy: ProxyChoice::Url(ProxyUrl::new(format!("https://{}", proxy.address))),
            ..trusting(&authority)
        };
        let reply = send_by(profile, &get("https://shop.test/"), LONG).await;
        let unheard = Failure::Proxy(ProxyFailure::Unheard(why));
        assert_eq!(reply.outcome, Outcome::Failed(unheard));
    }
    let plain = Stub::plain(Act::Speak(b"HTTP/1.1 400 Bad\r\n\r\n".to_vec())).await;
    let profile = Profile {
        proxy: ProxyChoice::Url(ProxyUrl::new(format!("https://{}", plain.address))),
        ..trusting(&authority)
    };
    let reply = send_by(profile, &get("https://shop.test/"), LONG).await;
    let unheard = ProxyFailure::Unheard("it does not speak TLS, as one whose URL says http");
    assert_eq!(reply.outcome, Outcome::Failed(Failure::Proxy(unheard)));
}

#[tokio::test]
async fn a_proxy_that_refuses_a_tunnel_is_asked_once_more_by_which_status() {
    let forbidden = || Act::Answer(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_vec());
    let proxy = Stub::plain(forbidden()).await;
    let reply = send_by(
        proxied(&proxy, "http"),
        &with_key("https://shop.test:8443/"),
        LONG,
    )
    .await;
    assert_eq!(
        (reply.outcome, reply.repeated),
        (
            Outcome::Failed(Failure::Proxy(ProxyFailure::Refused(403))),
            Some(Repeated::Tunnel)
        )
    );
    assert!(!reply.sent);
    let heads: Vec<String> = proxy
        .heads()
        .iter()
        .map(|head| head.to_lowercase())
        .collect();
    assert_eq!(heads.len(), 2);
    for head in &heads {
        assert!(
            head.starts_with("connect shop.test:8443 http/1.1\r\n"),
            "{head}"
        );
        assert!(head.contains("proxy-authorization: basic "), "{head}");
        let user_agent = |head: &str| {
            head.lines()
                .find(|line| line.starts_with("user-agent"))
                .map(str::to_owned)
        };
        assert!(
            user_agent(head).is_some() && user_agent(head) == user_agent(&heads[0]),
            "{head}"
        );
        assert!(!head.contains("\r\nauthorization"), "{head}");
    }
    // A proxy that itself speaks TLS is asked within it.
    let authority = Authority::new();
    let secure = Stub::tls(authority.server(&["127.0.0.1"], |_| {}), forbidden()).await;
    let profile = Profile {
        proxy: ProxyChoice::Url(ProxyUrl::new(format!("https://{}", secure.address))),
        ..trusting(&authority)
    };
    let reply = send_by(profile, &get("https://shop.test/"), LONG).await;
    let refused = ProxyFailure::Refused(403);
    assert_eq!(reply.outcome, Outcome::Failed(Failure::Proxy(refused)));
    // Another program behind that port refuses nothing.
    let other = Stub::plain(Act::Speak(b"SSH-2.0-OpenSSH\r\n".to_vec())).await;
    let reply = send_by(proxied(&other, "http"), &get("https://shop.test/"), LONG).await;
    let none = ProxyFailure::Unheard("what answers there is no HTTP proxy");
    assert_eq!(reply.outcome, Outcome::Failed(Failure::Proxy(none)));
}

#[tokio::test]
async fn the_environment_names_proxies_and_exemptions() {
    let stub = Stub::plain(Act::Answer(OK.to_vec())).await;
    let mut proxies = EnvironmentProxies {
        all: Some(ProxyUrl::new("http://127.0.0.1:1")),
        none: "127.0.0.1".to_owned(),
        ..EnvironmentProxies::default()
    };
    let profile = |proxies: &EnvironmentProxies| Profile {
        proxy: ProxyChoice::Environment(proxies.clone()),
        ..Profile::default()
    };
    let reply = send_by(profile(&proxies), &get(&plain(&stub)), LONG).await;
    assert_eq!((answered(reply.outcome).status, reply.proxy), (200, None));
    proxies.none.clear();
    let reply = send_by(profile(&proxies), &get(&plain(&stub)), LONG).await;
    let absent = ProxyFailure::Unheard("nothing listens there");
    assert_eq!(reply.outcome, Outcome::Failed(Failure::Proxy(absent)));
    assert_eq!(reply.proxy.as_deref(), Some("http://127.0.0.1:1"));
}

#[test]
fn a_profile_that_can_t_be_used_is_told() {
    let authority = Authority::new();
    let (certificate, _) = authority.client();
    let (_, other_key) = authority.client();
    let with_identity = |certificate: &[u8], key: &str| Profile {
        identity: Some(ClientIdentity {
            certificate: certificate.to_vec(),
            key: Secret::new(key),
        }),
        ..Profile::default()
    };
    for (profile, word) in [
        (
            Profile {
                extra_roots: vec![b"nothing".to_vec()],
                ..Profile::default()
            },
            "no certificate",
        ),
        (with_identity(b"nothing", &other_key), "no certificate"),
        (with_identity(&certificate, "nothing"), "no private key"),
        (with_identity(&certificate, &other_key), "does not belong"),
        (
            Profile {
                proxy: ProxyChoice::Url(ProxyUrl::new("ftp://u:hunter2@p")),
                ..Profile::default()
            },
            "not ftp",
        ),
    ] {
        let problem = Transport::new(profile).unwrap_err().to_string();
        assert!(problem.contains(word), "{problem}");
        assert!(!problem.contains("hunter2"));
    }
}

#[tokio::test]
async fn no_time_left_is_not_the_network_s_fault() {
    let stub = Stub::plain(Act::Wait).await;
    let reply = send_by(Profile::default(), &get(&plain(&stub)), Duration::ZERO).await;
    assert_eq!(reply.outcome, Outcome::Failed(Failure::ResponseTimeout));
    assert_eq!(stub.connections(), 0);
}
