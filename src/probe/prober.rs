//! Runs a ladder: asks what it wants asked, books every key before it is sent, and hands back the answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use url::Url;

use crate::domain::budget::AttemptEnd;
use crate::domain::{
    Checks, Failure, HostPort, Outcome, Phases, Repeated, Reply, Verdict, error_chain,
};
use crate::http::resolve::{LookupPlace, numeric};
use crate::service::{
    Accepted, Ask, Ladder, LastGood, Request, RungAnswer, Service, Step, Subject,
};

use super::gate::{Gate, Permit, Ticket};
use super::profile::Profile;
use super::transport::{Asker, SharedResources, Transport, TransportProblem};

/// Clients that are kept for further use.
const MOST_TRANSPORTS: usize = 64;

/// Bounds of a [`Prober`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProberSettings {
    /// Requests in flight to one host and port for the watch, and as many for whom a person waits. Addresses of this
    /// machine have no bound.
    pub per_host: usize,
}

impl Default for ProberSettings {
    fn default() -> Self {
        Self { per_host: 4 }
    }
}

/// Runs ladders, any number at a time: how many is for `work` to bound. A run ends when its future is dropped: its connection is closed, and
/// an attempt that was under way stays booked as pending.
#[derive(Debug)]
pub struct Prober {
    shared: SharedResources,
    transports: Mutex<Vec<(Profile, Transport)>>,
    hosts: Mutex<Hosts>,
    /// For whom a person waits: those of the watch may hold their turn as long as they wait for a look-up.
    of_people: Mutex<Hosts>,
    per_host: usize,
}

/// What a run found out.
#[derive(Clone, Debug, PartialEq)]
pub struct LadderOutcome {
    /// What it ended in.
    pub verdict: Box<Verdict>,
    /// How the pair was accepted, for the next run.
    pub accepted: Option<Accepted>,
    /// Whether the service was recognised at exactly this URL.
    pub service_seen: bool,
    /// Whether it was asked through its fallback in the end, `/index.php`.
    pub through_index: bool,
    /// The fingerprint of this run, where it was good.
    pub last_good: Option<LastGood>,
}

/// Told of all rungs before each request, and once more at the end.
pub type Progress<'a> = &'a mut (dyn FnMut(&Checks) + Send);

impl Default for Prober {
    fn default() -> Self {
        Self::new(ProberSettings::default())
    }
}

impl Prober {
    /// A prober that has read nothing and built nothing yet.
    pub fn new(settings: ProberSettings) -> Self {
        Self {
            shared: SharedResources::default(),
            transports: Mutex::default(),
            hosts: Mutex::default(),
            of_people: Mutex::default(),
            per_host: settings.per_host.max(1),
        }
    }

    /// Reads the system's certificate authorities, if that was not done before, for whoever begins many probes after it.
    /// Why there are none, each probe says that wants one.
    pub async fn read_authorities(&self) {
        self.shared.read_authorities().await;
    }

    /// Climbs the ladder of `subject`. The profile's time covers the whole run, but not the
    /// waiting for a turn at the host, for a place of a look-up, or for what is written down of an attempt.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is another room's, and no two of them belong together"
    )]
    pub async fn run(
        &self,
        service: &Service,
        subject: Subject,
        profile: &Profile,
        gate: &impl Gate,
        progress: Progress<'_>,
    ) -> LadderOutcome {
        let begun = Ladder::begin(service, subject, Timestamp::now());
        self.run_begun(begun, profile, gate, progress).await
    }

    /// The same for a ladder that has begun already, such as that of `token verify`.
    pub async fn run_begun(
        &self,
        (mut ladder, mut step): (Box<Ladder>, Step),
        profile: &Profile,
        gate: &impl Gate,
        progress: Progress<'_>,
    ) -> LadderOutcome {
        let mut context = RunContext {
            profile,
            transport: self.transport(profile),
            deadline: Instant::now() + profile.timeout,
            took: None,
            gate,
        };
        loop {
            progress(ladder.checks());
            let ask = match step {
                Step::Ask(ask) => ask,
                Step::Conclude(verdict) => {
                    return LadderOutcome {
                        verdict,
                        accepted: ladder.accepted(),
                        service_seen: ladder.service_seen(),
                        through_index: ladder.is_through_index(),
                        last_good: ladder.take_last_good(),
                    };
                }
            };
            step = self.step(&mut ladder, *ask, &mut context).await;
        }
    }

    /// One request: its turn at the host, its booking, its answer, its settlement.
    async fn step<G: Gate>(
        &self,
        ladder: &mut Ladder,
        ask: Ask,
        context: &mut RunContext<'_, G>,
    ) -> Step {
        let host = HostPort::of(&ask.request.url);
        if let Some(late) = context.is_late_for(&ask) {
            return ladder.answer(late);
        }
        let waiting = Instant::now();
        let asker = if ladder.is_scheduled() {
            Asker::Watch
        } else {
            Asker::Person
        };
        let turn = self.turn(&host, asker).await;
        // Before anything is booked: nobody is asked until then.
        let place = context.place(&ask.request.url, asker).await;
        let booked = context.book(ladder, &ask, &host).await;
        // Also where nothing may be sent: what is asked instead has its whole time.
        context.deadline += waiting.elapsed();
        let ticket = match booked {
            Ok(ticket) => ticket,
            Err(answer) => return ladder.answer(answer),
        };
        // By its certificate a client is known: that is for the connection's own host, and for nobody else.
        let nameless = context.profile.identity.is_some() && !ladder.is_at_home(&ask.request.url);
        let nameless = nameless.then(|| {
            self.transport(&Profile {
                identity: None,
                ..context.profile.clone()
            })
        });
        let transport = nameless.as_ref().unwrap_or(&context.transport);
        let reply = context.send(transport, &ask.request, place).await;
        let (reply, ticket) = if reply.wants_http1 {
            let nameless = nameless.as_ref();
            match Box::pin(context.send_again(ladder, &ask, nameless, ticket)).await {
                Ok(sent) => sent,
                Err(answer) => return ladder.answer(answer),
            }
        } else {
            (reply, ticket)
        };
        drop(turn);
        context.took = Some(reply.phases.wait.unwrap_or_default());
        let step = ladder.answer(RungAnswer::Reply(Box::new(reply)));
        let settling = Instant::now();
        if let Some(ticket) = ticket {
            let end = ladder.attempt_end().unwrap_or(AttemptEnd::Inconclusive);
            context.gate.settle(ticket, end).await;
        }
        if let Some(until) = ladder.quiet_until() {
            context.gate.quiet(&host, until).await;
        }
        // The disk's time is not the host's.
        context.deadline += settling.elapsed();
        step
    }

    /// Drops every client with its idle connections, whose buffers have held keys. Runs under way keep theirs
    /// until they end.
    pub fn forget(&self) {
        self.transports
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// The transport of `profile`, built once for all that share a client.
    fn transport(&self, profile: &Profile) -> Result<Transport, TransportProblem> {
        let mut transports = self
            .transports
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let known = transports
            .iter()
            .find(|(other, _)| other.shares_client_with(profile));
        if let Some((_, transport)) = known {
            return Ok(transport.for_family(profile.family));
        }
        let transport = Transport::within(profile, &self.shared)?;
        // Its folder ends with the probe: it is of no further use.
        if profile.via.is_some() {
            return Ok(transport);
        }
        if transports.len() >= MOST_TRANSPORTS {
            transports.remove(0);
        }
        transports.push((profile.clone(), transport.clone()));
        Ok(transport)
    }

    /// A place among the requests in flight to `host`; this machine needs no such politeness.
    async fn turn(&self, host: &HostPort, asker: Asker) -> Option<OwnedSemaphorePermit> {
        if numeric(&host.host).is_some_and(|address| address.is_loopback()) {
            return None;
        }
        let hosts = match asker {
            Asker::Person => &self.of_people,
            Asker::Watch => &self.hosts,
        };
        let places = hosts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .places(host, self.per_host);
        // A semaphore that nobody closes always gives a permit.
        places.acquire_owned().await.ok()
    }
}

/// What one run goes by.
struct RunContext<'a, G> {
    profile: &'a Profile,
    transport: Result<Transport, TransportProblem>,
    deadline: Instant,
    /// How long the last answer was waited for.
    took: Option<Duration>,
    gate: &'a G,
}

impl<G: Gate> RunContext<'_, G> {
    /// Whether an answer to an ask that carries the key is not to be expected in the time that is left, by how long
    /// the last one took. Its silence would count as a refusal, whoever was too slow.
    fn is_late_for(&self, ask: &Ask) -> Option<RungAnswer> {
        let took = self.took.filter(|_| ask.carries_key())?;
        let left = self.deadline.saturating_duration_since(Instant::now());
        (took > left).then_some(RungAnswer::Late { took, left })
    }

    /// Books an ask that carries the key; the answer for the ladder where it may not be sent.
    async fn book(
        &self,
        ladder: &Ladder,
        ask: &Ask,
        host: &HostPort,
    ) -> Result<Option<Ticket>, RungAnswer> {
        if !ask.carries_key() {
            return Ok(None);
        }
        let Some(pair) = ladder.pair() else {
            let why = "the attempt could not be booked: it is not known whose key it is";
            return Err(RungAnswer::Unbooked(why.to_owned()));
        };
        match self.gate.book(host, pair, ladder.is_proven()).await {
            Permit::Granted(ticket) => Ok(Some(ticket)),
            Permit::Paused { until, why, by } => Err(RungAnswer::Paused { until, why, by }),
            Permit::Unbooked(why) => Err(RungAnswer::Unbooked(error_chain(&why))),
        }
    }

    /// Sends what the server wants over HTTP/1.1 once more. With a key that is one more attempt, booked as such: the
    /// server may have looked at the first.
    async fn send_again(
        &mut self,
        ladder: &Ladder,
        ask: &Ask,
        nameless: Option<&Result<Transport, TransportProblem>>,
        first: Option<Ticket>,
    ) -> Result<(Reply, Option<Ticket>), RungAnswer> {
        let waiting = Instant::now();
        if let Some(first) = first {
            self.gate.settle(first, AttemptEnd::Unheard).await;
        }
        let host = HostPort::of(&ask.request.url);
        let booked = self.book(ladder, ask, &host).await;
        // As before the first one: a key that is booked has the time that is left to be answered.
        self.deadline += waiting.elapsed();
        let ticket = booked?;
        let transport = nameless.unwrap_or(&self.transport);
        let mut reply = self.send(transport, &ask.request, None).await;
        reply.repeated = Some(Repeated::OverHttp1);
        Ok((reply, ticket))
    }

    /// A place for the look-up of the URL's name, where it is looked up here.
    async fn place(&self, url: &Url, asker: Asker) -> Option<LookupPlace> {
        self.transport.as_ref().ok()?.place(url, asker).await
    }

    async fn send(
        &self,
        transport: &Result<Transport, TransportProblem>,
        request: &Request,
        place: Option<LookupPlace>,
    ) -> Reply {
        let is_over = self.took.is_none() && self.deadline <= Instant::now();
        let why = match transport {
            // Whom nobody has asked yet is not silent.
            Ok(_) if is_over => "the time was over before anything was asked: give more".to_owned(),
            Ok(transport) => return transport.send(request, self.deadline, place).await,
            Err(problem) => error_chain(&problem),
        };
        Reply {
            at: Timestamp::now(),
            phases: Phases {
                total: Some(Duration::ZERO),
                ..Phases::default()
            },
            addresses: Vec::new(),
            tls: None,
            proxy: None,
            sent: false,
            wants_http1: false,
            repeated: None,
            outcome: Outcome::Failed(Failure::Local(why)),
        }
    }
}

/// The places of every host that was asked lately.
#[derive(Debug, Default)]
struct Hosts {
    places: HashMap<HostPort, Arc<Semaphore>>,
    /// At so many hosts, those that nobody asks now are dropped.
    sweep_at: usize,
}

impl Hosts {
    fn places(&mut self, host: &HostPort, per_host: usize) -> Arc<Semaphore> {
        if let Some(places) = self.places.get(host) {
            return Arc::clone(places);
        }
        if self.places.len() >= self.sweep_at {
            self.places
                .retain(|_, places| Arc::strong_count(places) > 1);
            self.sweep_at = (self.places.len() * 2).max(256);
        }
        let places = Arc::new(Semaphore::new(per_host));
        self.places.insert(host.clone(), Arc::clone(&places));
        places
    }
}

#[cfg(test)]
mod tests;
