//! Watching: every connection at its interval, bounded, without pile-up, for thousands in one process.
//!
//! A [`Watch`] is pulled: it works while [`Watch::next`] is awaited, and owns every probe that it started;
//! dropping it ends them. `next` may be dropped at any await and called again, so it stands well in a
//! `select!`; pausing and the like are plain methods between two calls.
//!
//! A connection is due again only after its probe has ended, so that a slow host never gathers probes. At
//! most [`WatchSettings::concurrency`] run at once, [`WatchSettings::per_host`] of them at one host.

#[cfg(test)]
mod endurance;
mod queues;
mod round;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::damping::{Change, Damping};
use super::jitter::Jitter;
use super::offline::{Network, Reachability, is_here, offline};
use super::record::Recorder;
use crate::domain::window::planned_until;
use crate::domain::{Connection, Endpoint, HostPort, Name, Reason, Verdict, Window};
use crate::probe::schedule::{SHORTEST, Schedule};
use crate::store::Settings;
use queues::HostQueues;
use round::{RoundState, ScheduledProbe, Weight};

/// What falls due within so long starts together: each time that a machine at rest is woken costs it more than
/// the start of a probe.
const GRAIN_MS: u64 = 50;

/// Between the first probes of two connections at the start.
const STAGGER: Duration = Duration::from_millis(20);

/// How watching goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchSettings {
    /// Between two probes of a connection, for all of them; each connection's own where absent.
    pub interval: Option<Duration>,
    /// For connections that name none.
    pub default_interval: Duration,
    /// Probes at once.
    pub concurrency: usize,
    /// Of those, at one host and port.
    pub per_host: usize,
    /// When all connections may fail as planned, beside each one's own times.
    pub maintenance: Vec<Window>,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self {
            interval: None,
            default_interval: Duration::from_secs(60),
            concurrency: 64,
            per_host: 4,
            maintenance: Vec::new(),
        }
    }
}

/// Something that the watch has to tell.
#[derive(Clone, Debug, PartialEq)]
pub enum WatchEvent {
    /// A probe was started.
    Started(Name),
    /// A probe ended. [`Verdict::connection`] says whose it was.
    Finished {
        /// What it found.
        verdict: Box<Verdict>,
        /// What is to be announced because of it, after damping.
        change: Option<Change>,
        /// Whether it stands as before, but for another reason, after damping. That is no change of state.
        is_other_reason: bool,
    },
    /// This machine seems to be offline, or no longer.
    Offline(bool),
    /// The user's command failed, or the history is not written; one inert sentence.
    Trouble(String),
}

/// Runs one probe of a saved connection.
pub(super) type Probe = Arc<dyn Fn(Arc<Connection>) -> BoxFuture<'static, Verdict> + Send + Sync>;

/// Whether a lock keeps the secrets of a connection from its probes, or it is saved no more. That may take its time, as the vault's folder may
/// be on a share that hangs: it is asked within the probe's task, beside the watch's timers.
pub(super) type Locked = Arc<dyn Fn(Arc<Connection>) -> BoxFuture<'static, bool> + Send + Sync>;

/// What a probe of the watch ended in.
struct ProbeResult {
    verdict: Verdict,
    /// A lock kept the key from it, or it is gone: it is no news of any service.
    is_hidden: bool,
}

/// A running watch.
pub struct Watch {
    probe: Probe,
    is_locked: Locked,
    settings: WatchSettings,
    entries: HashMap<Name, ScheduledProbe>,
    /// What was announced of those that are left out for now.
    left_out: HashMap<Name, Damping>,
    schedule: Schedule<Name>,
    /// What the schedule's times are the distance from.
    start: Instant,
    queues: HostQueues,
    tasks: JoinSet<ProbeResult>,
    names: HashMap<Id, Name>,
    told: VecDeque<WatchEvent>,
    paused: bool,
    reach: Reachability,
    /// How many distinct hosts beyond this machine are asked.
    hosts: usize,
    offline: bool,
    jitter: Jitter,
    recorder: Option<Recorder>,
}

/// Whether a probe of one asks the same as a probe of the other, as often.
fn is_asked_alike(one: &Arc<Connection>, other: &Arc<Connection>) -> bool {
    let asked = |connection: &Connection| Connection {
        tags: Vec::new(),
        note: String::new(),
        added: Vec::new(),
        maintenance: Vec::new(),
        read_only: false,
        ..connection.clone()
    };
    one == other || asked(one) == asked(other)
}

/// Why the user's command failed; never, where there is no command.
async fn failed_command(recorder: Option<&mut Recorder>) -> Option<String> {
    match recorder {
        Some(recorder) => recorder.failed_command().await,
        None => None,
    }
}

impl Watch {
    pub(super) fn new(
        probe: Probe,
        connections: Vec<impl Into<Arc<Connection>>>,
        settings: WatchSettings,
    ) -> Self {
        let mut watch = Self {
            probe,
            is_locked: Arc::new(|_| Box::pin(std::future::ready(false))),
            queues: HostQueues::new(settings.per_host),
            settings,
            entries: HashMap::new(),
            left_out: HashMap::new(),
            schedule: Schedule::default(),
            start: Instant::now(),
            tasks: JoinSet::new(),
            names: HashMap::new(),
            told: VecDeque::new(),
            paused: false,
            reach: Reachability::default(),
            hosts: 0,
            offline: false,
            jitter: Jitter::seeded(),
            recorder: None,
        };
        watch.replace(connections);
        watch
    }

    /// Hands every finished probe to `recorder`, and goes on from what was announced of each connection before, so
    /// that a restart announces nothing anew.
    pub(super) fn recording(mut self, recorder: Recorder, announced: Vec<(Name, Damping)>) -> Self {
        self.recorder = Some(recorder);
        for (name, damping) in announced {
            match self.entries.get_mut(&name) {
                Some(entry) => entry.damping = damping,
                None => drop(self.left_out.insert(name, damping)),
            }
        }
        self
    }

    /// Announces nothing of keys that are not at hand while `is_locked`: neither a lock nor a connection that was removed
    /// meanwhile is news of any service.
    pub(super) fn silent_while(mut self, is_locked: Locked) -> Self {
        self.is_locked = is_locked;
        self
    }

    /// The next event. Never ends: with nothing to watch, or paused, it waits for ever.
    pub async fn next(&mut self) -> WatchEvent {
        loop {
            self.start_what_is_due();
            if let Some(event) = self.told.pop_front() {
                return event;
            }
            let wake = self.wake();
            tokio::select! {
                Some(joined) = self.tasks.join_next_with_id() => self.ended(joined),
                Some(why) = failed_command(self.recorder.as_mut()) => {
                    self.told.push_back(WatchEvent::Trouble(why));
                }
                () = sleep_until(wake.unwrap_or(self.start)), if wake.is_some() => {}
                else => std::future::pending().await,
            }
        }
    }

    /// Stops starting probes (those that run end as usual), or goes on with what has become due meanwhile.
    pub fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Goes by these settings from now on: when all connections may fail as planned, how often those are probed that
    /// name no interval, and what is run at a change.
    pub fn obey(&mut self, settings: &Settings) {
        self.settings.maintenance.clone_from(&settings.maintenance);
        if let Some(recorder) = &mut self.recorder {
            recorder.obey(&settings.on_change);
        }
        let interval = Duration::from_secs(settings.interval_s.into());
        if interval == std::mem::replace(&mut self.settings.default_interval, interval)
            || self.settings.interval.is_some()
        {
            return;
        }
        let follows = |entry: &&ScheduledProbe| entry.connection.interval_s.is_none();
        let following = self.entries.values().filter(follows);
        let following: Vec<_> = following
            .map(|entry| Arc::clone(&entry.connection))
            .collect();
        self.begin_anew(following);
    }

    /// Makes the connection due now, where it is not running anyway.
    pub fn hasten(&mut self, name: &Name) {
        self.schedule.hasten(name, self.start.elapsed());
    }

    /// Watches these connections from now on: those that are the same keep their turn, those that changed or
    /// are new come soon, and probes of all others are ended. Paused ones are left out; what was announced of
    /// them is known when they come back.
    pub fn replace(&mut self, connections: Vec<impl Into<Arc<Connection>>>) {
        let connections = connections.into_iter().map(Into::into);
        let (paused, connections): (Vec<Arc<Connection>>, Vec<_>) =
            connections.partition(|connection| connection.paused);
        let kept: HashSet<_> = connections.iter().map(|c| c.name.clone()).collect();
        let gone: Vec<_> = self
            .entries
            .keys()
            .filter(|name| !kept.contains(*name))
            .cloned()
            .collect();
        for name in gone {
            if let Some(damping) = self.forget(&name) {
                self.left_out.insert(name, damping);
            }
        }
        let mut changed = Vec::new();
        for new in connections {
            match self.entries.get_mut(&new.name) {
                // A note or a tag is no reason to ask again.
                Some(old) if is_asked_alike(&old.connection, &new) => old.connection = new,
                Some(_) | None => changed.push(new),
            }
        }
        self.begin_anew(changed);
        let paused: HashSet<_> = paused.iter().map(|c| &c.name).collect();
        self.left_out.retain(|name, _| paused.contains(name));
        let hosts = self.entries.values().filter_map(|e| e.distant.as_ref());
        self.hosts = hosts.collect::<HashSet<_>>().len();
    }

    /// Probes these soon, and then at their intervals. What was announced of them stays.
    fn begin_anew(&mut self, connections: Vec<Arc<Connection>>) {
        let spread = self.spread(connections.len());
        for connection in connections {
            let damping = self.forget(&connection.name);
            let damping = damping.or_else(|| self.left_out.remove(&connection.name));
            self.add(connection, damping.unwrap_or_default(), spread);
        }
    }

    /// Over which time so many connections are first probed: a handful at once, thousands within an interval.
    fn spread(&self, count: usize) -> Duration {
        let count = u32::try_from(count.saturating_sub(1)).unwrap_or(u32::MAX);
        let interval = self
            .settings
            .interval
            .unwrap_or(self.settings.default_interval);
        STAGGER.saturating_mul(count).min(interval)
    }

    fn add(&mut self, connection: Arc<Connection>, damping: Damping, spread: Duration) {
        let endpoint = Endpoint::parse(&connection.url).ok();
        let host = |endpoint: &Endpoint| HostPort::of(endpoint.url());
        let nowhere = || HostPort {
            host: String::new(),
            port: 0,
        };
        let own = connection.interval_s.map(|s| Duration::from_secs(s.into()));
        let interval = self
            .settings
            .interval
            .or(own)
            .unwrap_or(self.settings.default_interval);
        let name = connection.name.clone();
        let entry = ScheduledProbe {
            distant: endpoint.as_ref().filter(|e| !e.is_loopback()).map(host),
            queue: endpoint.as_ref().map_or_else(nowhere, host),
            interval: interval.max(SHORTEST),
            turn: RoundState::Scheduled,
            damping,
            connection,
        };
        let share = spread.as_secs_f64() / entry.interval.as_secs_f64();
        let mut first = || share.min(1.0) * self.jitter.fraction();
        let now = self.start.elapsed();
        self.schedule
            .insert(name.clone(), entry.interval, now, &mut first);
        self.entries.insert(name, entry);
    }

    /// Ends what runs for `name`, and gives what was announced of it.
    fn forget(&mut self, name: &Name) -> Option<Damping> {
        let entry = self.entries.remove(name)?;
        self.schedule.remove(name);
        match entry.turn {
            RoundState::Scheduled => {}
            RoundState::Queued => self.queues.withdraw(&entry.queue, name),
            // The end of the task gives the queue back.
            RoundState::Running(task, _) => task.abort(),
        }
        Some(entry.damping)
    }

    /// When to look for what is due, unless paused.
    fn wake(&self) -> Option<Instant> {
        let due = self.schedule.next_due().filter(|_| !self.paused)?;
        let due = u64::try_from(due.as_millis()).unwrap_or(u64::MAX);
        let due = due.saturating_add(1).next_multiple_of(GRAIN_MS);
        Some(self.start + Duration::from_millis(due))
    }

    fn start_what_is_due(&mut self) {
        if self.paused {
            return;
        }
        let (now, jitter) = (self.start.elapsed(), &mut self.jitter);
        for name in self
            .schedule
            .take_due(now, usize::MAX, &mut || jitter.fraction())
        {
            if let Some(entry) = self.entries.get_mut(&name) {
                entry.turn = RoundState::Queued;
                self.queues.queue(&entry.queue, name);
            }
        }
        while self.tasks.len() < self.settings.concurrency.max(1) {
            let Some(name) = self.queues.next() else {
                break;
            };
            self.start(name);
        }
    }

    fn start(&mut self, name: Name) {
        let Some(entry) = self.entries.get_mut(&name) else {
            return;
        };
        let probing = (self.probe)(Arc::clone(&entry.connection));
        let (is_locked, connection) = (Arc::clone(&self.is_locked), Arc::clone(&entry.connection));
        let task = self.tasks.spawn(async move {
            let verdict = probing.await;
            let is_hidden =
                verdict.reason == Reason::SecretUnavailable && is_locked(connection).await;
            ProbeResult { verdict, is_hidden }
        });
        self.names.insert(task.id(), name.clone());
        self.queues.started(task.id(), &entry.queue);
        entry.turn = RoundState::Running(task, self.start.elapsed());
        self.told.push_back(WatchEvent::Started(name));
    }

    fn ended(&mut self, joined: Result<(Id, ProbeResult), JoinError>) {
        let id = match &joined {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        self.queues.ended(id);
        let Some(name) = self.names.remove(&id) else {
            return;
        };
        let hosts = self.hosts;
        // Removed or replaced meanwhile: the answer is of no interest.
        let entry = self.entries.get_mut(&name);
        let running = entry.and_then(|entry| Some((entry.runs_since(id)?, entry)));
        let Some((began, entry)) = running else {
            return;
        };
        entry.turn = RoundState::Scheduled;
        let (now, random) = (self.start.elapsed(), &mut self.jitter);
        let (mut verdict, is_hidden) = match joined {
            Ok((_, ended)) => (ended.verdict, ended.is_hidden),
            Err(_) => (entry.broken(), false),
        };
        let not_before = verdict.quiet_for(Timestamp::now()).map(|quiet| now + quiet);
        self.schedule
            .finished(&name, now, not_before, &mut || random.fraction());
        let distant = entry.distant.as_ref().filter(|_| !is_here(&verdict));
        let network = distant.map(|host| {
            let heard = (verdict.reason, began..now);
            self.reach.hear(host, heard, hosts)
        });
        // This machine itself, whatever it answers, shows nothing.
        let is_offline = network.map_or(self.offline, |network| network == Network::Offline);
        let is_silence = Reachability::is_silence(&verdict);
        let weight = match network.filter(|_| is_silence) {
            Some(Network::Offline) => Weight::Nothing,
            Some(Network::Doubtful) => Weight::Doubtful,
            // Until then nothing could confirm it, and nobody would hear of it.
            _ if not_before.is_some_and(|until| until > now + entry.interval) => Weight::Alone,
            Some(Network::Online) | None => Weight::Usual,
        };
        if weight == Weight::Nothing {
            verdict = offline(verdict, crate::probe::route::leads_out());
        }
        let of_all = &self.settings.maintenance;
        let maintained = planned_until(&entry.connection, of_all, verdict.at).is_some();
        let (change, is_other_reason) = if maintained || is_hidden {
            // What lasts beyond the window, or the lock, is announced after it.
            (None, false)
        } else {
            entry.hear(verdict.reason, weight)
        };
        if is_offline != std::mem::replace(&mut self.offline, is_offline) {
            self.told.push_back(WatchEvent::Offline(is_offline));
        }
        // A lock keeps the key from this copy alone: the history is shared with those that may have it.
        if let Some(recorder) = self.recorder.as_ref().filter(|_| !is_hidden) {
            recorder.ended(&verdict, change, maintained);
        }
        self.told.push_back(WatchEvent::Finished {
            verdict: Box::new(verdict),
            change,
            is_other_reason,
        });
    }
}
