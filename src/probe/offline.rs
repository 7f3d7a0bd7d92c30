//! Whether it is this machine that is offline, rather than everything it asks.

use std::collections::HashMap;
use std::time::Duration;

use crate::domain::{Failure, HostPort, Outcome, Reply};

/// So many distinct hosts have to fail.
const HOSTS: usize = 3;
/// Failures this close together count as at once.
const AT_ONCE: Duration = Duration::from_secs(60);

/// Watches the outcomes of all probes: three distinct hosts whose name
/// server does not answer, or to which there is no route, within a
/// minute, and nothing that was reached since, mean that this machine is offline.
#[derive(Clone, Debug, Default)]
pub struct OfflineWatch {
    failed: HashMap<String, Duration>,
}

impl OfflineWatch {
    /// Takes in what came of asking `host`; `now` is any monotonic reading. This machine itself tells nothing
    /// about the network.
    pub fn note(&mut self, host: &HostPort, reply: &Reply, now: Duration) {
        if is_this_machine(&host.host) || reply.proxy.is_some() {
            return;
        }
        match &reply.outcome {
            Outcome::Failed(Failure::DnsFailed | Failure::Unreachable) => {
                self.failed.insert(host.host.clone(), now);
                self.failed
                    .retain(|_, at| now.saturating_sub(*at) <= AT_ONCE);
            }
            // A timeout may be a firewall at either end, "no such name" may come from a file or a cache of
            // this machine; whatever else came, came over the network.
            Outcome::Failed(Failure::Local(_) | Failure::ConnectTimeout | Failure::DnsNotFound) => {
            }
            Outcome::Failed(_) | Outcome::Reached | Outcome::Answered(_) | Outcome::Cut(..) => {
                self.failed.clear();
            }
        }
    }

    /// Whether this machine is offline, as far as can be told.
    pub fn is_offline(&self, now: Duration) -> bool {
        self.failed
            .values()
            .filter(|at| now.saturating_sub(**at) <= AT_ONCE)
            .count()
            >= HOSTS
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || super::resolve::numeric(host).is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Phases;

    fn reply(outcome: Outcome) -> Reply {
        Reply {
            at: jiff::Timestamp::UNIX_EPOCH,
            phases: Phases::default(),
            addresses: Vec::new(),
            tls: None,
            proxy: None,
            outcome,
        }
    }

    fn host(host: &str) -> HostPort {
        HostPort {
            host: host.to_owned(),
            port: 443,
        }
    }

    fn second(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn three_distinct_hosts_at_once_mean_offline() {
        let mut watch = OfflineWatch::default();
        let failed = reply(Outcome::Failed(Failure::DnsFailed));
        let unrouted = reply(Outcome::Failed(Failure::Unreachable));
        watch.note(&host("a"), &failed, second(0));
        watch.note(&host("a"), &failed, second(1));
        watch.note(&host("b"), &unrouted, second(2));
        assert!(!watch.is_offline(second(2)), "two hosts");
        watch.note(&host("c"), &unrouted, second(3));
        assert!(watch.is_offline(second(3)));
        assert!(!watch.is_offline(second(100)), "long ago");
        watch.note(&host("d"), &reply(Outcome::Reached), second(4));
        assert!(!watch.is_offline(second(4)), "something was reached");
    }

    #[test]
    fn other_failures_and_loopback_tell_nothing() {
        let mut watch = OfflineWatch::default();
        let failed = reply(Outcome::Failed(Failure::Unreachable));
        for (at, name) in ["localhost", "127.0.0.1", "[::1]", "a", "b"]
            .iter()
            .enumerate()
        {
            watch.note(&host(name), &failed, second(at as u64));
        }
        assert!(!watch.is_offline(second(5)));
        let timeout = reply(Outcome::Failed(Failure::ConnectTimeout));
        watch.note(&host("c"), &timeout, second(5));
        assert!(!watch.is_offline(second(5)));
    }
}
