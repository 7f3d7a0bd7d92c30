//! Is it this machine that is offline? Then nothing is painted red. Pure, but for a look at the routes at the end.
//!
//! One probe alone never says so. Several distinct hosts that fail at the name server or at routing, with
//! nobody answering in between, do. Hosts whose name never worked are left out: they fail online as well.

use std::collections::HashSet;
use std::ops::Range;
use std::time::Duration;

use crate::domain::{Endpoint, HostPort, Reason, Verdict};
use crate::probe::route;

/// Distinct hosts that must fail at once, at the least.
const FEWEST: usize = 3;
/// And where many are watched: this share of them, at the most [`MOST`].
const SHARE: usize = 10;
/// See [`SHARE`].
const MOST: usize = 20;

/// How long after the first silence it is still being found out whether this machine is offline. A neighbour that is
/// gone is suspected after 5 seconds and asked for 3, and only then, and after 3 more at each further try, does the
/// kernel say that there is no way (`delay_first_probe_time`, `ucast_solicit` and `mcast_solicit` in arp(7)).
/// Whoever gives up before that has seen a timeout.
const FOUND_OUT_WITHIN: Duration = Duration::from_secs(15);

/// What was heard of the watched hosts since the last one that answered.
#[derive(Clone, Debug, Default)]
pub struct Reachability {
    silent: HashSet<HostPort>,
    chronic: HashSet<HostPort>,
    /// Those that did not answer in time: the host, a firewall there, or this machine.
    late: HashSet<HostPort>,
    /// Those of them beside which another host has answered since: they do so online as well.
    late_alone: HashSet<HostPort>,
    /// When the first of all these was heard of.
    since: Option<Duration>,
}

/// How this machine stands, as far as its probes show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Nothing speaks against it.
    Online,
    /// As many hosts as would show that it is offline have just fallen silent, and none has answered since: whose
    /// failure that is will be known in a moment.
    Doubtful,
    /// It seems to be offline.
    Offline,
}

impl Reachability {
    /// Takes in what became of a probe of `host`, one of `watched` distinct hosts, that ran at this time (as far from
    /// any one moment), and says how this machine stands now.
    pub fn hear(
        &mut self,
        host: &HostPort,
        (reason, ran): (Reason, Range<Duration>),
        watched: usize,
    ) -> Network {
        match reason {
            Reason::ConnectTimeout if !self.late_alone.contains(host) => {
                self.late.insert(host.clone());
                self.since.get_or_insert(ran.end);
            }
            failed if Self::is_network_failure(failed) && !self.chronic.contains(host) => {
                self.silent.insert(host.clone());
                self.since.get_or_insert(ran.end);
            }
            // Its host answered once, before the others fell silent, and then no more.
            Reason::ResponseTimeout | Reason::TlsFailed
                if self.since.is_some_and(|since| ran.start < since) => {}
            answer if Self::is_answer(answer) => {
                self.chronic.extend(self.silent.drain());
                self.chronic.remove(host);
                self.late_alone.extend(self.late.drain());
                self.late_alone.remove(host);
                self.since = None;
            }
            _ => {}
        }
        self.network(ran.end, watched)
    }

    fn network(&self, now: Duration, watched: usize) -> Network {
        if self.is_offline(watched) {
            return Network::Offline;
        }
        let mute = self.late.union(&self.silent).count();
        let is_new = |since| now.saturating_sub(since) < FOUND_OUT_WITHIN;
        if mute >= fewest(watched) && self.since.is_some_and(is_new) {
            Network::Doubtful
        } else {
            Network::Online
        }
    }

    /// Whether a probe that ended so failed at the name server or at routing.
    const fn is_network_failure(reason: Reason) -> bool {
        matches!(reason, Reason::DnsFailed | Reason::Unreachable)
    }

    /// Whether nobody beyond this machine answered, so that it says nothing of the host where this machine is offline.
    /// A name server that knows no such name has answered.
    pub fn is_silence(verdict: &Verdict) -> bool {
        let by_proxy = verdict.reason == Reason::ProxyFailed && verdict.status == 0;
        by_proxy || SideBySide::may_keep(verdict.reason)
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
    fn is_offline(&self, watched: usize) -> bool {
        self.silent.len() >= fewest(watched)
    }
}

/// How many of so many watched hosts must fail at once.
fn fewest(watched: usize) -> usize {
    (watched / SHARE).clamp(FEWEST, MOST)
}

/// Verdicts of several connections that were asked once, side by side. Those that failed at the name server or
/// at routing, or found nobody in time, are kept back until another host answers, or the last has come: only then is it
/// known whose failure it is.
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
        Reachability::is_network_failure(reason) || matches!(reason, Reason::ConnectTimeout)
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
            let once = Duration::ZERO..Duration::ZERO;
            self.reach.hear(&host, (reason, once), self.hosts.len());
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
    use Network::{Doubtful, Offline, Online};
    use Reason::{
        ConnectTimeout, Connected, DnsFailed, DnsNotFound, ProxyFailed, Refused, ResponseTimeout,
        TlsFailed, Unreachable,
    };

    fn host(name: &str) -> HostPort {
        HostPort {
            host: name.to_owned(),
            port: 443,
        }
    }

    /// How this machine stands after each of these, heard one after another at these seconds.
    fn heard(all: &[(u64, &str, Reason)], watched: usize) -> Vec<Network> {
        let mut reach = Reachability::default();
        all.iter()
            .map(|(at, name, reason)| {
                let at = Duration::from_secs(*at);
                reach.hear(&host(name), (*reason, at..at), watched)
            })
            .collect()
    }

    /// The same of hosts that are all heard of at once, where it is the last that counts.
    fn at_last(all: &[(&str, Reason)], watched: usize) -> Network {
        let all: Vec<_> = all.iter().map(|(name, why)| (0, *name, *why)).collect();
        heard(&all, watched).pop().unwrap()
    }

    #[test]
    fn three_distinct_hosts_failing_at_once_are_needed() {
        let (again, b, c) = ([("a", DnsFailed); 5], ("b", Unreachable), ("c", DnsFailed));
        assert_eq!(at_last(&again, 3), Online);
        assert_eq!(at_last(&[&again[..], &[b]].concat(), 3), Online);
        assert_eq!(at_last(&[&again[..], &[b, c]].concat(), 3), Offline);
    }

    #[test]
    fn one_answer_of_any_kind_ends_it() {
        let failed = ["a", "b", "c"].map(|name| (name, DnsFailed));
        assert_eq!(at_last(&failed, 3), Offline);
        let answered = [&failed[..], &[("a", Refused)]].concat();
        assert_eq!(at_last(&answered, 3), Online);
    }

    #[test]
    fn names_that_never_worked_do_not_count_again() {
        let mut all = vec![("a", DnsFailed), ("b", DnsFailed), ("c", Connected)];
        for name in ["a", "b", "d"] {
            all.push((name, DnsFailed));
            assert_eq!(at_last(&all, 4), Online);
        }
    }

    #[test]
    fn what_a_name_server_answered_is_no_sign_either_way() {
        let mut all = ["a", "b", "c", "d"]
            .map(|name| (name, DnsNotFound))
            .to_vec();
        all.extend(["a", "b"].map(|name| (name, Unreachable)));
        // Nor is a proxy that nobody reaches.
        all.extend([("c", DnsNotFound), ("e", ProxyFailed)]);
        assert_eq!(at_last(&all, 4), Online);
        all.push(("d", Unreachable));
        assert_eq!(at_last(&all, 4), Offline);
    }

    #[test]
    fn hosts_that_only_do_not_answer_in_time_are_doubted_for_a_moment_and_show_nothing() {
        let late = |at| ["a", "b", "c"].map(|name| (at, name, ConnectTimeout));
        assert_eq!(heard(&late(7), 3), [Online, Online, Doubtful]);
        // As long as the kernel may take to say that there is no way; from the first of them on.
        let all = [&late(7)[..], &late(21), &late(22)].concat();
        assert_eq!(heard(&all, 3)[3..6], [Doubtful; 3]);
        assert_eq!(heard(&all, 3)[6..], [Online; 3]);
        // Those that say so count with those that time out; offline is what three of them show.
        let mut mixed = vec![(0, "a", Unreachable), (1, "b", ConnectTimeout)];
        mixed.extend([(1, "c", ConnectTimeout), (2, "b", Unreachable)]);
        mixed.push((2, "c", DnsFailed));
        let stands = [Online, Online, Doubtful, Doubtful, Offline];
        assert_eq!(heard(&mixed, 3), stands);
        // And then it is, however long ago that was.
        mixed.push((90, "a", ConnectTimeout));
        assert_eq!(heard(&mixed, 3).pop(), Some(Offline));
    }

    #[test]
    fn while_others_answer_no_failure_is_in_doubt() {
        let round = |at| {
            [
                ("a", ConnectTimeout),
                ("b", ConnectTimeout),
                ("up", Connected),
                ("c", ConnectTimeout),
            ]
            .map(|(name, reason)| (at, name, reason))
        };
        let all = [&round(0)[..], &round(5), &round(10)].concat();
        // Between two answers of the one, three of four fail: the last of them would be in doubt each time.
        assert_eq!(heard(&all, 4), [Online; 12]);
        // Who has answered again is one that may show it.
        let mut again: Vec<_> = ["a", "b", "c"].map(|name| (12, name, Connected)).into();
        again.extend(["a", "b", "c"].map(|name| (20, name, ConnectTimeout)));
        let stands = heard(&[&all[..], &again].concat(), 4);
        assert_eq!(stands[15..], [Online, Online, Doubtful]);
    }

    #[test]
    fn who_answered_once_before_the_others_fell_silent_and_then_no_more_shows_nothing() {
        let second = Duration::from_secs;
        for reason in [ResponseTimeout, TlsFailed] {
            for (began, stands) in [(1, Offline), (5, Online)] {
                let mut reach = Reachability::default();
                for name in ["a", "b", "c"] {
                    reach.hear(&host(name), (Unreachable, second(2)..second(3)), 4);
                }
                let ran = second(began)..second(9);
                assert_eq!(reach.hear(&host("d"), (reason, ran), 4), stands, "{reason}");
            }
        }
    }

    #[test]
    fn a_proxy_that_answered_is_no_silence() {
        let mut verdict = of("http://a.example", ProxyFailed);
        assert!(Reachability::is_silence(&verdict));
        verdict.status = 407;
        assert!(!Reachability::is_silence(&verdict));
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
        use Reason::Offline;
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
        // Whoever gives up early has seen a timeout, before the others or after them.
        let early = [&[("http://d.example", ConnectTimeout)], &failing[..]].concat();
        let late = [&failing[..], &[("http://d.example", ConnectTimeout)]].concat();
        for all in [early, late] {
            assert_eq!(reasons(&all), [Offline; 4]);
        }
        let late = [("http://d.example", ConnectTimeout); 4];
        assert_eq!(reasons(&late), [ConnectTimeout; 4]);
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
        let names: Vec<_> = (0..20).map(|n| n.to_string()).collect();
        let all: Vec<_> = names.iter().map(|name| (0, &**name, DnsFailed)).collect();
        let offline = heard(&all, 5_000).into_iter();
        assert_eq!(offline.filter(|one| *one == Offline).count(), 1);
    }
}
