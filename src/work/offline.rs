//! Is it this machine that is offline? Then nothing is painted red. Pure, but for a look at the routes at the end.
//!
//! One probe alone never says so. Several distinct hosts that fail at the name server or at routing, with
//! nobody answering in between, do. Hosts whose name never worked are left out: they fail online as well.

use std::collections::HashSet;

use crate::domain::{Endpoint, HostPort, Reason, Verdict};
use crate::probe::route;

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
    /// Takes in what became of a probe of `host`, one of `watched` distinct hosts, and says whether this machine
    /// seems to be offline now.
    pub fn hear(&mut self, host: &HostPort, reason: Reason, watched: usize) -> bool {
        match reason {
            failed if Self::is_network_failure(failed) && !self.chronic.contains(host) => {
                self.silent.insert(host.clone());
            }
            answer if Self::is_answer(answer) => {
                self.chronic.extend(self.silent.drain());
                self.chronic.remove(host);
            }
            _ => {}
        }
        self.is_offline(watched)
    }

    /// Whether a probe that ended so failed at the name server or at routing.
    pub const fn is_network_failure(reason: Reason) -> bool {
        matches!(reason, Reason::DnsFailed | Reason::Unreachable)
    }

    /// Whether somebody beyond this machine answered a probe that ended so.
    const fn is_answer(reason: Reason) -> bool {
        // Not asked at all; a firewall, perhaps at the other end; an answer of a name server, or a failure of a proxy,
        // which may be this machine's own: these say nothing.
        let silent = matches!(
            reason,
            Reason::UrlMissing
                | Reason::UrlInvalid
                | Reason::LocalError
                | Reason::Offline
                | Reason::ConnectTimeout
                | Reason::DnsNotFound
                | Reason::ProxyFailed
        );
        !silent && !Self::is_network_failure(reason)
    }

    /// Whether this machine seems to be offline, of whose probes so many distinct hosts are asked.
    pub fn is_offline(&self, watched: usize) -> bool {
        self.silent.len() >= (watched / SHARE).clamp(FEWEST, MOST)
    }
}

/// Verdicts of several connections that were asked once, side by side. Those that failed at the name server or
/// at routing are kept back until another host answers, or the last has come: only then is it known whose
/// failure it is.
#[derive(Debug, Default)]
pub struct SideBySide {
    reach: Reachability,
    kept: Vec<Verdict>,
    hosts: HashSet<HostPort>,
    answered: bool,
}

impl SideBySide {
    /// Whether a verdict of this reason may be read anew once others have come.
    pub const fn may_keep(reason: Reason) -> bool {
        Reachability::is_network_failure(reason)
    }

    /// Takes in one verdict, and gives those that can be told by now.
    pub fn hear(&mut self, verdict: Verdict) -> Vec<Verdict> {
        let is_distant = !is_here(&verdict) && distant(&verdict.url).is_some();
        let mut told = if is_distant {
            self.overhear(&verdict.url, verdict.reason)
        } else {
            Vec::new()
        };
        let is_kept = Self::may_keep(verdict.reason) && !self.answered && is_distant;
        if is_kept {
            self.kept.push(verdict);
        } else {
            told.insert(0, verdict);
        }
        told
    }

    /// Takes in what became of a probe of `url`, which is not [`is_here`], and gives what can be told by now of those before it.
    pub fn overhear(&mut self, url: &str, reason: Reason) -> Vec<Verdict> {
        if self.answered {
            return Vec::new();
        }
        if let Some(host) = distant(url) {
            self.hosts.insert(host.clone());
            self.reach.hear(&host, reason, self.hosts.len());
            self.answered = Reachability::is_answer(reason);
        }
        if self.answered {
            std::mem::take(&mut self.kept)
        } else {
            Vec::new()
        }
    }

    /// The last has come: what is left, as `offline` where that is what it was.
    pub fn end(self) -> Vec<Verdict> {
        let is_offline = self.reach.is_offline(self.hosts.len());
        let read = |verdict| {
            if is_offline {
                offline(verdict, route::leads_out())
            } else {
                verdict
            }
        };
        self.kept.into_iter().map(read).collect()
    }
}

/// Whether what was asked is this machine, by its addresses: what it answers says nothing of the network.
pub fn is_here(verdict: &Verdict) -> bool {
    let mut addresses = verdict.addresses.iter();
    !verdict.addresses.is_empty() && addresses.all(|one| one.address.ip().is_loopback())
}

/// Whom `url` means, unless it is this machine or nobody.
fn distant(url: &str) -> Option<HostPort> {
    let endpoint = Endpoint::parse(url).ok()?;
    (!endpoint.is_loopback()).then(|| HostPort::of(endpoint.url()))
}

/// `verdict` as it reads when this machine is offline: what was found stays, the reason is ours. With a route that
/// leads out, it is the name server, or what lies behind the gateway, that comes first.
pub fn offline(mut verdict: Verdict, leads_out: bool) -> Verdict {
    let found = std::mem::replace(&mut verdict.reason, Reason::Offline);
    if found == Reason::Offline {
        return verdict;
    }
    verdict.title = Reason::Offline.title().into();
    verdict.cause =
        "Several hosts failed at the name server or at routing at once, and none answered.".into();
    let (route, step) = if leads_out {
        (
            "this machine has a default route",
            "This machine has a route: check its name server (/etc/resolv.conf, or resolvectl status), then the gateway \
             that ip route names, and the VPN.",
        )
    } else {
        (
            "this machine has no default route",
            "Bring up the network of this machine: cable, wireless or VPN. Then ip route shows a line that begins with \
             default.",
        )
    };
    let found = [format!("this probe: {found}"), route.to_owned()];
    verdict.evidence.splice(0..0, found);
    verdict.remedy = crate::domain::Remedy {
        who: crate::domain::Who::You,
        steps: vec![step.to_owned()],
        snippet: None,
        url: None,
        doc: None,
    };
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Address, ServiceId, State};
    use crate::work::local::local_error;

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
        // Nor is a proxy that nobody reaches.
        assert!(!reach.hear(&host("e"), Reason::ProxyFailed, 4));
        assert!(reach.hear(&host("d"), Reason::Unreachable, 4));
    }

    fn of(url: &str, reason: Reason) -> Verdict {
        let mut verdict = super::super::local::local_error(None, &ServiceId::http(), url, "");
        verdict.reason = reason;
        verdict
    }

    fn side_by_side(all: &[(&str, Reason)]) -> Vec<(String, Reason)> {
        let mut together = SideBySide::default();
        let mut told: Vec<_> = all
            .iter()
            .flat_map(|(url, reason)| together.hear(of(url, *reason)))
            .collect();
        told.extend(together.end());
        told.into_iter().map(|one| (one.url, one.reason)).collect()
    }

    #[test]
    fn three_hosts_that_fail_side_by_side_are_this_machine_unless_another_answers() {
        use Reason::{DnsFailed, Offline, Refused, Unreachable};
        let (a, b, c) = ("http://a.example", "http://b.example", "http://c.example");
        let failing = [(a, DnsFailed), (b, Unreachable), (c, DnsFailed)];
        let reasons = |all: &[(&str, Reason)]| {
            let told = side_by_side(all).into_iter();
            told.map(|(_, reason)| reason).collect::<Vec<_>>()
        };
        assert_eq!(reasons(&failing), [Offline; 3]);
        assert_eq!(reasons(&failing[..2]), [DnsFailed, Unreachable]);
        assert_eq!(
            reasons(&[(a, DnsFailed), (a, DnsFailed), (a, DnsFailed)]),
            [DnsFailed; 3]
        );
        // An answer, early or late, shows that this machine is online; this machine's own shows nothing.
        let late = [&failing[..], &[("http://d.example", Refused)]].concat();
        let early = [&[("http://d.example", Refused)], &failing[..]].concat();
        for all in [late, early] {
            let told = reasons(&all);
            assert_eq!(told.len(), 4);
            assert!(!told.contains(&Offline), "{told:?}");
        }
        let own = [&failing[..], &[("http://127.0.0.1", Refused)]].concat();
        assert_eq!(reasons(&own), [Refused, Offline, Offline, Offline]);
    }

    fn at(addresses: &[&str]) -> Verdict {
        let mut verdict = local_error(None, &ServiceId::http(), "http://shop.example", "");
        verdict.reason = Reason::Connected;
        verdict.addresses = addresses
            .iter()
            .map(|address| Address {
                address: address.parse().unwrap(),
                state: State::Ok,
                ms: None,
            })
            .collect();
        verdict
    }

    #[test]
    fn this_machine_is_known_by_the_addresses_that_were_asked() {
        assert!(is_here(&at(&["127.0.0.1:80", "[::1]:80"])));
        assert!(!is_here(&at(&["127.0.0.1:80", "192.0.2.1:80"])));
        assert!(!is_here(&at(&[])), "a proxy looked the name up");
    }

    /// As a list in `json` or `nagios` hears it; in the other formats the caller looks at the addresses.
    #[test]
    fn an_answer_of_this_machine_under_another_name_is_none_of_the_network() {
        for (address, reason) in [
            ("127.0.0.1:80", Reason::Offline),
            ("192.0.2.1:80", Reason::DnsFailed),
        ] {
            let mut together = SideBySide::default();
            let mut told = together.hear(at(&[address]));
            for url in ["http://a.example", "http://b.example", "http://c.example"] {
                told.extend(together.hear(of(url, Reason::DnsFailed)));
            }
            told.extend(together.end());
            let reasons: Vec<_> = told.into_iter().map(|one| one.reason).collect();
            assert_eq!(reasons, [Reason::Connected, reason, reason, reason]);
        }
    }

    #[test]
    fn the_remedy_goes_by_whether_a_route_leads_out() {
        for (leads_out, said, step) in [
            (true, "has a default route", "name server"),
            (false, "has no default route", "Bring up"),
        ] {
            let verdict = offline(of("http://a.example", Reason::DnsFailed), leads_out);
            assert!(verdict.evidence.iter().any(|line| line.contains(said)));
            assert!(
                verdict.remedy.steps[0].contains(step),
                "{:?}",
                verdict.remedy
            );
            let again = offline(verdict.clone(), leads_out);
            assert_eq!(again.evidence, verdict.evidence);
        }
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
