//! Is it this machine that is offline? Then nothing is painted red. Pure.
//!
//! One probe alone never says so. Several distinct hosts that fail at the name server or at routing, with
//! nobody answering in between, do. Hosts whose name never worked are left out: they fail online as well.

use std::collections::HashSet;

use crate::domain::{HostPort, Reason, Verdict};

/// Distinct hosts that must fail at once, at the least.
const FEWEST: usize = 3;
/// And where many are watched: this share of them, at the most [`MOST`].
const SHARE: usize = 10;
/// See [`SHARE`].
const MOST: usize = 20;

/// What was heard of the watched hosts since the last one that answered.
#[derive(Clone, Debug, Default)]
pub struct Reachability {
    silent: HashSet<HostPort>,
    chronic: HashSet<HostPort>,
}

impl Reachability {
    /// Takes in what became of a probe of `host`, one of `watched` hosts, and says whether this machine
    /// seems to be offline now.
    pub fn hear(&mut self, host: &HostPort, reason: Reason, watched: usize) -> bool {
        match reason {
            failed if Self::is_network_failure(failed) => {
                if !self.chronic.contains(host) {
                    self.silent.insert(host.clone());
                }
            }
            // Not asked at all; a firewall, perhaps at the other end; an answer of a name server, which may
            // be this machine's own: these say nothing.
            Reason::UrlMissing
            | Reason::UrlInvalid
            | Reason::LocalError
            | Reason::Offline
            | Reason::ConnectTimeout
            | Reason::DnsNotFound => {}
            _ => {
                self.chronic.extend(self.silent.drain());
                self.chronic.remove(host);
            }
        }
        self.is_offline(watched)
    }

    /// Whether a probe that ended so failed at the name server or at routing.
    pub const fn is_network_failure(reason: Reason) -> bool {
        matches!(reason, Reason::DnsFailed | Reason::Unreachable)
    }

    /// Whether this machine seems to be offline.
    pub fn is_offline(&self, watched: usize) -> bool {
        self.silent.len() >= (watched / SHARE).clamp(FEWEST, MOST)
    }
}

/// `verdict` as it reads when this machine is offline: what was found stays, the reason is ours.
pub fn offline(mut verdict: Verdict) -> Verdict {
    let found = std::mem::replace(&mut verdict.reason, Reason::Offline);
    if found == Reason::Offline {
        return verdict;
    }
    verdict.title = Reason::Offline.title().into();
    verdict.cause =
        "Several hosts failed at the name server or at routing at once, and none answered.".into();
    verdict.evidence.insert(0, format!("this probe: {found}"));
    verdict.remedy = crate::domain::Remedy {
        who: crate::domain::Who::You,
        steps: vec![
            "Check the network of this machine: cable, wireless, VPN, name server.".to_owned(),
        ],
        snippet: None,
        url: None,
        doc: None,
    };
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str) -> HostPort {
        HostPort {
            host: name.to_owned(),
            port: 443,
        }
    }

    #[test]
    fn three_distinct_hosts_failing_at_once_are_needed() {
        let mut reach = Reachability::default();
        for _ in 0..5 {
            assert!(!reach.hear(&host("a"), Reason::DnsFailed, 3));
        }
        assert!(!reach.hear(&host("b"), Reason::Unreachable, 3));
        assert!(reach.hear(&host("c"), Reason::DnsFailed, 3));
    }

    #[test]
    fn one_answer_of_any_kind_ends_it() {
        let mut reach = Reachability::default();
        for name in ["a", "b", "c"] {
            reach.hear(&host(name), Reason::DnsFailed, 3);
        }
        assert!(!reach.hear(&host("a"), Reason::Refused, 3));
    }

    #[test]
    fn names_that_never_worked_do_not_count_again() {
        let mut reach = Reachability::default();
        for name in ["a", "b"] {
            reach.hear(&host(name), Reason::DnsFailed, 4);
        }
        reach.hear(&host("c"), Reason::Connected, 4);
        for name in ["a", "b", "d"] {
            assert!(!reach.hear(&host(name), Reason::DnsFailed, 4));
        }
    }

    #[test]
    fn what_a_name_server_answered_is_no_sign_either_way() {
        let mut reach = Reachability::default();
        for name in ["a", "b", "c", "d"] {
            assert!(!reach.hear(&host(name), Reason::DnsNotFound, 4));
        }
        for name in ["a", "b"] {
            assert!(!reach.hear(&host(name), Reason::Unreachable, 4));
        }
        assert!(!reach.hear(&host("c"), Reason::DnsNotFound, 4));
        assert!(reach.hear(&host("d"), Reason::Unreachable, 4));
    }

    #[test]
    fn many_watched_hosts_need_more_failures() {
        let mut reach = Reachability::default();
        let offline = (0..20)
            .map(|n| reach.hear(&host(&n.to_string()), Reason::DnsFailed, 5_000))
            .collect::<Vec<_>>();
        assert_eq!(offline.iter().filter(|offline| **offline).count(), 1);
    }
}
