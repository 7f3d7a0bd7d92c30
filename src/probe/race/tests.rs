//! Several addresses of one name: refused, silent, quick.

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::*;
use crate::probe::profile::Profile;
use crate::probe::stub::{Act, Authority, Stub};
use crate::probe::transport::Transport;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const LONG: Duration = Duration::from_secs(20);

/// An address that answers no SYN: its backlog is full.
struct Silent {
    address: SocketAddr,
    _listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl Silent {
    async fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        while let Ok(Ok(stream)) =
            tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await
        {
            waiting.push(stream);
        }
        Self {
            address,
            _listener: listener,
            _waiting: waiting,
        }
    }
}

async fn refused() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

async fn race(addresses: &[SocketAddr], reach_only: bool, within: Duration) -> RaceOutcome {
    let transport = Transport::new(Profile::default()).unwrap();
    let url = "http://shop.test/x".parse().unwrap();
    let request = reqwest::Request::new(reqwest::Method::GET, url);
    let destination = Destination {
        name: Some("shop.test".to_owned()),
        addresses: addresses.to_vec(),
        through_proxy: false,
        reach_only,
        deadline: Instant::now() + within,
    };
    run(transport.client(), request, &destination).await
}

fn states(outcome: &RaceOutcome) -> Vec<State> {
    outcome
        .addresses
        .iter()
        .map(|address| address.state)
        .collect()
}

#[tokio::test]
async fn a_refusal_leads_to_the_next_address() {
    let stub = Stub::plain(Act::Answer(OK.to_vec())).await;
    let never = refused().await;
    let outcome = race(&[refused().await, stub.address, never], false, LONG).await;
    assert_eq!(outcome.result.as_ref().ok().unwrap().status(), 200);
    assert_eq!(states(&outcome), [State::Down, State::Ok, State::Unknown]);
    assert!(outcome.addresses[0].ms.is_some() && outcome.addresses[1].ms.is_some());
    assert_eq!(outcome.addresses[2].ms, None);
    assert_eq!((stub.connections(), stub.heads().len()), (1, 1));
}

#[tokio::test]
async fn an_address_without_a_route_is_not_down_where_another_answers() {
    // No machine has a way there, as one without IPv6 has none to any address of it.
    let nowhere: SocketAddr = "255.255.255.255:9".parse().unwrap();
    let stub = Stub::plain(Act::Answer(OK.to_vec())).await;
    let outcome = race(&[nowhere, stub.address], false, LONG).await;
    assert_eq!(outcome.result.as_ref().ok().unwrap().status(), 200);
    assert_eq!(states(&outcome), [State::Unknown, State::Ok]);
    assert_eq!(outcome.addresses[0].ms, None, "nobody was waited for");
    let outcome = race(&[nowhere, refused().await], false, LONG).await;
    assert_eq!(states(&outcome), [State::Down, State::Down]);
}

#[tokio::test]
async fn a_silent_address_is_overtaken() {
    let silent = Silent::new().await;
    let stub = Stub::plain(Act::Answer(OK.to_vec())).await;
    let outcome = race(&[silent.address, stub.address], false, LONG).await;
    assert_eq!(outcome.result.as_ref().ok().unwrap().status(), 200);
    assert_eq!(outcome.addresses[1].state, State::Ok);
    assert_ne!(outcome.addresses[0].state, State::Ok);
    assert_eq!(outcome.attempt.index, 1);
}

#[tokio::test]
async fn silence_everywhere_ends_by_the_deadline() {
    let (one, other) = (Silent::new().await, Silent::new().await);
    let within = Duration::from_millis(600);
    let outcome = race(&[one.address, other.address], false, within).await;
    assert!(matches!(outcome.result, Err(Ended::Deadline)));
    assert_eq!(states(&outcome), [State::Down, State::Down]);
    let alone = race(&[one.address], true, Duration::from_millis(200)).await;
    assert!(matches!(alone.result, Err(Ended::Deadline)));
    assert!(alone.attempt.marks().stood().is_none());
}

#[tokio::test]
async fn all_refusals_are_told() {
    let outcome = race(&[refused().await, refused().await], false, LONG).await;
    let Err(Ended::Failed(failures)) = &outcome.result else {
        panic!("both refused")
    };
    assert_eq!(failures.len(), 2);
    assert_eq!(states(&outcome), [State::Down, State::Down]);
}

#[tokio::test]
async fn reachability_of_several_addresses_sends_nothing() {
    let stub = Stub::plain(Act::Wait).await;
    let outcome = race(&[refused().await, stub.address], true, LONG).await;
    assert!(matches!(outcome.result, Err(Ended::Failed(_))));
    assert!(outcome.attempt.marks().joined.is_some());
    stub.closed_by_client().await;
    assert_eq!((stub.connections(), stub.heads().len()), (1, 0));
}

#[tokio::test]
async fn a_failed_handshake_is_not_tried_elsewhere() {
    let authority = Authority::new();
    let tls = || authority.server(&["shop.test"], |_| {});
    let first = Stub::tls(tls(), Act::Wait).await;
    let second = Stub::tls(tls(), Act::Wait).await;
    let transport = Transport::new(Profile::default()).unwrap();
    let url = "https://shop.test/x".parse().unwrap();
    let request = reqwest::Request::new(reqwest::Method::GET, url);
    let destination = Destination {
        name: Some("shop.test".to_owned()),
        addresses: vec![first.address, second.address],
        through_proxy: false,
        reach_only: false,
        deadline: Instant::now() + LONG,
    };
    let outcome = run(transport.client(), request, &destination).await;
    assert!(matches!(outcome.result, Err(Ended::Failed(_))));
    assert_eq!(states(&outcome), [State::Ok, State::Unknown]);
    assert_eq!((first.connections(), second.connections()), (1, 0));
}
