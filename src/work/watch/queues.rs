//! Room for probes at each host: who is due waits in the host's queue until one of its probes ends.

use std::collections::{HashMap, VecDeque};

use tokio::task::Id;

use crate::domain::{HostPort, Name};

/// The queues of all hosts. Every operation but withdrawing takes constant time.
#[derive(Debug)]
pub(super) struct HostQueues {
    per_host: usize,
    hosts: HashMap<HostPort, HostQueue>,
    /// Names that hold a place at their host and wait for room at all, the longest waiting first.
    ready: VecDeque<(HostPort, Name)>,
    running: HashMap<Id, HostPort>,
}

#[derive(Debug, Default)]
struct HostQueue {
    /// Running, or ready to.
    taken: usize,
    waiting: VecDeque<Name>,
}

impl HostQueues {
    pub(super) fn new(per_host: usize) -> Self {
        Self {
            per_host: per_host.max(1),
            hosts: HashMap::new(),
            ready: VecDeque::new(),
            running: HashMap::new(),
        }
    }

    /// Puts `name` at the end of its host's queue.
    pub(super) fn queue(&mut self, host: &HostPort, name: Name) {
        let queue = self.hosts.entry(host.clone()).or_default();
        if queue.taken < self.per_host {
            queue.taken += 1;
            self.ready.push_back((host.clone(), name));
        } else {
            queue.waiting.push_back(name);
        }
    }

    /// The next name that its host has room for. Its place stays taken until [`HostQueues::ended`].
    pub(super) fn next(&mut self) -> Option<Name> {
        self.ready.pop_front().map(|(_, name)| name)
    }

    /// The probe of a name that [`HostQueues::next`] gave runs as this task.
    pub(super) fn started(&mut self, task: Id, host: &HostPort) {
        self.running.insert(task, host.clone());
    }

    /// The task has ended, however it ended.
    pub(super) fn ended(&mut self, task: Id) {
        if let Some(host) = self.running.remove(&task) {
            self.leave(&host);
        }
    }

    /// Takes a queued name out again.
    pub(super) fn withdraw(&mut self, host: &HostPort, name: &Name) {
        if let Some(place) = self.ready.iter().position(|(_, ready)| ready == name) {
            self.ready.remove(place);
            self.leave(host);
        } else if let Some(queue) = self.hosts.get_mut(host) {
            queue.waiting.retain(|waiting| waiting != name);
        }
    }

    fn leave(&mut self, host: &HostPort) {
        let Some(queue) = self.hosts.get_mut(host) else {
            return;
        };
        if let Some(name) = queue.waiting.pop_front() {
            self.ready.push_back((host.clone(), name));
            return;
        }
        queue.taken = queue.taken.saturating_sub(1);
        if queue.taken == 0 {
            self.hosts.remove(host);
        }
    }
}
