//! Happy eyeballs over requests: each address of a name is tried in turn, the first connection that stands
//! sends the request, and what came of every address is kept (RFC 8305; see [`super::layer`] for why here).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::domain::reply::milliseconds;
use crate::domain::{Address, State};
use crate::http::failure::{self, WantsHttp1};

use super::route::is_routed;
use super::trace::{ATTEMPT, Attempt, Race};

/// Between two attempts, while none stands (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// An attempt that waited this long when another had won counts as down.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where a request goes.
pub(super) struct Destination {
    /// The host as the resolver is asked for it; nothing where it is an address, or the proxy's affair.
    pub(super) name: Option<String>,
    /// Its addresses in the order of trying; empty where the proxy looks the name up.
    pub(super) addresses: Vec<SocketAddr>,
    /// Only the first address is tried, by the proxy.
    pub(super) through_proxy: bool,
    /// Stop once a connection stands.
    pub(super) reach_only: bool,
    /// For the head of the response.
    pub(super) deadline: Instant,
}

/// What came of a race.
pub(super) struct RaceOutcome {
    /// The attempt that counts.
    pub(super) attempt: Arc<Attempt>,
    /// Its response, or why there is none.
    pub(super) result: Result<reqwest::Response, Ended>,
    /// What came of every address.
    pub(super) addresses: Vec<Address>,
}

impl RaceOutcome {
    /// Whether the server wants the same request over HTTP/1.1, and how it said so.
    pub(super) fn wants_http1(&self) -> Option<WantsHttp1> {
        match &self.result {
            Err(Ended::Failed(failures)) => failures
                .iter()
                .find_map(|(_, error)| failure::wants_http1(error)),
            Err(Ended::Deadline) | Ok(_) => None,
        }
    }

    /// Whether it ended within the TLS handshake.
    pub(super) fn ended_in_tls(&self) -> bool {
        let marks = self.attempt.marks();
        self.result.is_err() && marks.tls_begun.is_some() && marks.joined.is_none()
    }
}

/// Why there is no response.
pub(super) enum Ended {
    /// Each attempt that failed, in the order of failing; at least one. (A connection that stood and was to
    /// be closed then is among them.)
    Failed(Vec<(Arc<Attempt>, reqwest::Error)>),
    /// The deadline came.
    Deadline,
}

type AttemptFuture = BoxFuture<'static, (usize, Result<reqwest::Response, reqwest::Error>)>;

/// Sends `request` over the first connection that stands.
pub(super) async fn run(
    client: &reqwest::Client,
    request: reqwest::Request,
    destination: &Destination,
) -> RaceOutcome {
    let mut racers = HappyEyeballs {
        client,
        request: Some(request),
        destination,
        race: Race::new(destination.reach_only),
        attempts: Vec::with_capacity(1),
        running: FuturesUnordered::new(),
    };
    let result = if destination.through_proxy || destination.addresses.len() <= 1 {
        racers.run_one().await
    } else {
        racers.run_all().await
    };
    racers.land(result)
}

struct HappyEyeballs<'a> {
    client: &'a reqwest::Client,
    /// Nothing once the only attempt has taken it.
    request: Option<reqwest::Request>,
    destination: &'a Destination,
    race: Arc<Race>,
    attempts: Vec<Arc<Attempt>>,
    running: FuturesUnordered<AttemptFuture>,
}

type Finish = Result<(Arc<Attempt>, reqwest::Response), Ended>;

impl HappyEyeballs<'_> {
    fn next_attempt(&mut self) -> Arc<Attempt> {
        let index = self.attempts.len();
        let pinned = self
            .destination
            .name
            .clone()
            .zip(self.destination.addresses.get(index).copied());
        let attempt = Attempt::new(index, pinned, Arc::clone(&self.race));
        self.attempts.push(Arc::clone(&attempt));
        attempt
    }

    /// The usual case, without a set of futures.
    async fn run_one(&mut self) -> Finish {
        let attempt = self.next_attempt();
        let Some(request) = self.request.take() else {
            return Err(Ended::Deadline);
        };
        let attempt_future = ATTEMPT.scope(Arc::clone(&attempt), self.client.execute(request));
        match timeout_at(self.destination.deadline, attempt_future).await {
            Ok(Ok(response)) => Ok((attempt, response)),
            Ok(Err(error)) => {
                attempt.marks().failed = Some(Instant::now());
                Err(Ended::Failed(vec![(attempt, error)]))
            }
            Err(_) => Err(Ended::Deadline),
        }
    }

    async fn run_all(&mut self) -> Finish {
        let mut failures = Vec::new();
        self.launch();
        let mut next_launch = Instant::now() + STAGGER;
        loop {
            let may_launch = self.has_untried() && !self.one_stands();
            tokio::select! {
                biased;
                landed = self.running.next() => match landed {
                    Some((index, result)) => {
                        if let Some(finish) = self.landed(index, result, &mut failures) {
                            return finish;
                        }
                        if self.running.is_empty() || !self.one_stands() {
                            self.launch();
                            next_launch = Instant::now() + STAGGER;
                        }
                    }
                    None => return Err(Ended::Failed(failures)),
                },
                () = sleep_until(next_launch), if may_launch => {
                    self.launch();
                    next_launch = Instant::now() + STAGGER;
                }
                () = sleep_until(self.destination.deadline) => return Err(Ended::Deadline),
            }
        }
    }

    fn has_untried(&self) -> bool {
        self.attempts.len() < self.destination.addresses.len()
    }

    /// Whether some attempt's TCP connection stands and has not lost: no further address is tried then.
    fn one_stands(&self) -> bool {
        self.attempts.iter().any(|attempt| {
            let marks = attempt.marks();
            marks.stood().is_some() && !marks.lost
        })
    }

    fn launch(&mut self) {
        if !self.has_untried() {
            return;
        }
        // A request without a body, as all of ours, can be copied.
        let Some(request) = self.request.as_ref().and_then(reqwest::Request::try_clone) else {
            return;
        };
        let attempt = self.next_attempt();
        let index = attempt.index;
        let sending = ATTEMPT.scope(attempt, self.client.execute(request));
        self.running
            .push(Box::pin(async move { (index, sending.await) }));
    }

    /// Takes in one attempt's result; says whether the race is over.
    fn landed(
        &self,
        index: usize,
        result: Result<reqwest::Response, reqwest::Error>,
        failures: &mut Vec<(Arc<Attempt>, reqwest::Error)>,
    ) -> Option<Finish> {
        let attempt = Arc::clone(self.attempts.get(index)?);
        let error = match result {
            Ok(response) => return Some(Ok((attempt, response))),
            Err(error) => error,
        };
        let (lost, stood) = {
            let mut marks = attempt.marks();
            marks.failed = Some(Instant::now());
            (marks.lost, marks.stood().is_some())
        };
        if lost {
            return None;
        }
        if stood {
            // What TLS or HTTP said is about the service, not about the address.
            return Some(Err(Ended::Failed(vec![(attempt, error)])));
        }
        failures.push((attempt, error));
        None
    }

    fn land(self, finish: Finish) -> RaceOutcome {
        let addresses = self.addresses(matches!(finish, Err(Ended::Deadline)));
        match finish {
            Ok((attempt, response)) => RaceOutcome {
                attempt,
                result: Ok(response),
                addresses,
            },
            Err(ended) => RaceOutcome {
                attempt: self.last_word(&ended),
                result: Err(ended),
                addresses,
            },
        }
    }

    /// The attempt that tells most of a failure: the winner's, else one that stood, else the last.
    fn last_word(&self, ended: &Ended) -> Arc<Attempt> {
        if let Ended::Failed(failures) = ended
            && let Some((attempt, _)) = failures.last()
        {
            return Arc::clone(attempt);
        }
        let winner = self
            .race
            .winner()
            .and_then(|index| self.attempts.get(index));
        winner
            .or_else(|| {
                self.attempts
                    .iter()
                    .find(|attempt| attempt.marks().stood().is_some())
            })
            .or(self.attempts.last())
            .map_or_else(|| Attempt::new(0, None, Arc::clone(&self.race)), Arc::clone)
    }

    fn addresses(&self, out_of_time: bool) -> Vec<Address> {
        let now = Instant::now();
        let any_stood = self
            .attempts
            .iter()
            .any(|one| one.marks().stood().is_some());
        self.destination
            .addresses
            .iter()
            .enumerate()
            .map(|(index, address)| {
                let (state, took) = match self.attempts.get(index) {
                    Some(attempt) if self.destination.through_proxy => by_proxy(attempt),
                    Some(attempt) => match straight(attempt, now, out_of_time) {
                        // This machine has no way there, such as no IPv6: where others answer, that is no fault of the address.
                        (State::Down, _) if any_stood && !is_routed(address) => {
                            (State::Unknown, None)
                        }
                        told => told,
                    },
                    None => (State::Unknown, None),
                };
                Address {
                    address: *address,
                    state,
                    ms: took.map(milliseconds),
                }
            })
            .collect()
    }
}

fn straight(attempt: &Attempt, now: Instant, out_of_time: bool) -> (State, Option<Duration>) {
    let marks = attempt.marks();
    let since = |end: Instant| marks.begun.map(|begun| end.duration_since(begun));
    if let Some(stood) = marks.stood() {
        return (State::Ok, since(stood));
    }
    if let Some(failed) = marks.failed {
        return (State::Down, since(failed));
    }
    let waited = since(now);
    if out_of_time || waited.is_some_and(|waited| waited >= PATIENCE) {
        return (State::Down, waited);
    }
    // Tried, and still silent when another one answered: whether it ever would have is not known.
    (State::Unknown, waited.filter(|waited| *waited >= STAGGER))
}

/// How long TCP took there is known to the proxy alone.
fn by_proxy(attempt: &Attempt) -> (State, Option<Duration>) {
    let state = match attempt.marks().stood() {
        Some(_) => State::Ok,
        None => State::Unknown,
    };
    (state, None)
}

#[cfg(test)]
mod tests;
