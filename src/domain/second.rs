//! A second opinion: the same connection asked from another machine, and what both verdicts say together. Pure.

use std::fmt;
use std::str::FromStr;

use super::reason::{AnsweredBy, Reason, State};
use super::text::inert;
use super::verdict::Verdict;

/// Longest host that is taken, in characters.
const LONGEST: usize = 255;

/// The machine that lends its address: a host as ssh takes it, with or without `user@`, or an alias of its
/// configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SshHost(String);

/// Why a text is no way to another machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViaProblem {
    /// Another way than ssh, or none.
    #[error("another machine is named as ssh:HOST, such as ssh:web1 or ssh:me@web1")]
    Scheme,
    /// Nothing behind the colon.
    #[error("nothing stands after ssh:")]
    Empty,
    /// ssh would take it for an option.
    #[error("the host after ssh: must not start with a dash")]
    Dash,
    /// Blanks, control characters, or too long.
    #[error("the host after ssh: is one word of visible characters")]
    Word,
}

impl SshHost {
    /// The host as it is handed to ssh.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SshHost {
    type Err = ViaProblem;

    /// Reads `ssh:HOST`.
    fn from_str(text: &str) -> Result<Self, ViaProblem> {
        let host = text.strip_prefix("ssh:").ok_or(ViaProblem::Scheme)?;
        if host.is_empty() {
            return Err(ViaProblem::Empty);
        }
        // Behind `user@` too: some versions split there.
        if host.split('@').any(|part| part.starts_with('-')) {
            return Err(ViaProblem::Dash);
        }
        let odd = |c: char| c.is_whitespace() || c.is_control();
        if host.contains(odd) || inert(host, LONGEST) != host {
            return Err(ViaProblem::Word);
        }
        Ok(Self(host.to_owned()))
    }
}

impl fmt::Display for SshHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ssh:{}", self.0)
    }
}

/// What another machine found, and what follows.
#[derive(Clone, Debug, PartialEq)]
pub struct SecondOpinion {
    /// Through which machine.
    pub host: SshHost,
    /// What was found from there.
    pub verdict: Verdict,
    /// What both say together.
    pub conclusion: Conclusion,
}

/// What two verdicts on one connection, from two machines, say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Both found the same: it is no matter of the address.
    Same,
    /// Both are answered; what they found beyond that differs.
    BothAnswered,
    /// The same, and what is answered to one of them is an error, or cut: whether that is for its address is not known.
    OneBroken,
    /// Both get there, and the key was not sent from there: nothing is to be said of it.
    KeyNotSentThere,
    /// The same, and it was from here that it was not sent.
    KeyNotSentHere,
    /// From there it works, from here something turns this address away.
    AddressFiltered,
    /// From there it works, and this machine's name server is why not from here.
    NameServerHere,
    /// From there it works; this machine, or its way out, is why not from here.
    OnlyHere,
    /// It works from here, and not from there.
    OnlyThere,
    /// Neither gets through, each in its own way.
    BothFail,
    /// The other machine could not be asked.
    NotAsked,
}

impl Conclusion {
    /// What follows from the verdicts `here` and `there`; `left_out` says that the key, which was at hand, was
    /// kept from being sent from there.
    pub fn of(here: &Verdict, there: &Verdict, left_out: bool) -> Self {
        use Reason::{
            DnsFailed, DnsNotFound, LocalError, Offline, ProxyFailed, TlsExpired, TlsNotTls,
            TlsNotYetValid, TlsUnknownIssuer, TlsWrongName, Unreachable,
        };
        if there.reason == LocalError {
            return Self::NotAsked;
        }
        if here.reason == there.reason && !left_out {
            return Self::Same;
        }
        if let Some(unlike) = Self::of_unlike_questions(here, there, left_out) {
            return unlike;
        }
        match (gets_through(here), gets_through(there)) {
            (true, true) => Self::BothAnswered,
            // A broken answer is one. Limits by address are often told by a 503, so it may turn the address away.
            (true, false) if is_answered(there) => Self::OneBroken,
            (false, true) if is_answered(here) => Self::OneBroken,
            (true, false) => Self::OnlyThere,
            (false, false) => Self::BothFail,
            (false, true) => match here.reason {
                DnsFailed | DnsNotFound => Self::NameServerHere,
                Offline | LocalError | Unreachable | ProxyFailed => Self::OnlyHere,
                // TLS is this machine's on both ways: somebody else answers on the one from here.
                TlsExpired | TlsNotYetValid | TlsWrongName | TlsUnknownIssuer | TlsNotTls => {
                    Self::OnlyHere
                }
                _ => Self::AddressFiltered,
            },
        }
    }

    /// Where both get there and the key was sent from one side at most, they were asked different questions:
    /// only the way is compared.
    fn of_unlike_questions(here: &Verdict, there: &Verdict, left_out: bool) -> Option<Self> {
        let kept = [here, there].map(|verdict| keeps_the_key(verdict.reason));
        if !(left_out || kept[0] || kept[1]) || !(is_reached(here) && is_reached(there)) {
            return None;
        }
        // Where one was not asked beyond TLS, what turned the other away there says nothing of the address.
        let way_alone = here.status == 0 || there.status == 0;
        if !way_alone && gets_through(here) != gets_through(there) {
            return None;
        }
        Some(if left_out || kept[1] {
            Self::KeyNotSentThere
        } else {
            Self::KeyNotSentHere
        })
    }

    /// The name in JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::BothAnswered | Self::OneBroken => "both-answered",
            Self::KeyNotSentThere => "key-not-sent-there",
            Self::KeyNotSentHere => "key-not-sent-here",
            Self::AddressFiltered => "address-filtered",
            Self::NameServerHere => "name-server-here",
            Self::OnlyHere => "only-here-fails",
            Self::OnlyThere => "only-there-fails",
            Self::BothFail => "both-fail",
            Self::NotAsked => "not-asked",
        }
    }

    /// One sentence for people.
    pub fn sentence(self, host: &SshHost) -> String {
        let host = host.as_str();
        match self {
            Self::Same => {
                format!("{host} finds the same: it is not about the address that is asked from.")
            }
            Self::BothAnswered => format!(
                "Both are answered: nothing turns your address away. What is answered to {host} differs."
            ),
            Self::OneBroken => format!("Both are answered. What is answered to {host} differs."),
            Self::KeyNotSentThere => format!(
                "Both reach the host. The key was not sent from {host}, so what is said of it can't be compared."
            ),
            Self::KeyNotSentHere => format!(
                "Both reach the host. The key was sent from {host} alone, so what is said of it can't be compared."
            ),
            Self::AddressFiltered => format!(
                "Your address is filtered: {host} gets through to the same service at the same time, and this machine does not."
            ),
            Self::NameServerHere => format!(
                "The name server of this machine is the cause: {host} finds the name and gets through."
            ),
            Self::OnlyHere => format!(
                "This machine or its way out is the cause: {host} gets through to the same service."
            ),
            Self::OnlyThere => format!(
                "Only {host} fails: its address is filtered, or its way out is closed. From this machine it works."
            ),
            Self::BothFail => {
                "Neither gets through, and each fails in its own way: the service itself is the \
                likely cause, not your address."
                    .to_owned()
            }
            Self::NotAsked => format!("{host} could not be asked, so there is no second opinion."),
        }
    }
}

/// Whether it was we who kept the key here: then the host was asked no more than whether the way is free.
fn keeps_the_key(reason: Reason) -> bool {
    use Reason::{AuthPaused, KeyWithheld, SecretUnavailable};
    matches!(reason, AuthPaused | KeyWithheld | SecretUnavailable)
}

/// Whether the other side was reached at all.
fn is_reached(verdict: &Verdict) -> bool {
    let answered = verdict.status != 0 || verdict.answered_by == AnsweredBy::Service;
    answered || keeps_the_key(verdict.reason)
}

/// Whether what was answered turns the address away.
fn is_turned_away(verdict: &Verdict) -> bool {
    use Reason::{CdnBlock, ChallengePage, RateLimited, ServerRule, WafBlock};
    matches!(
        verdict.reason,
        CdnBlock | ChallengePage | WafBlock | ServerRule | RateLimited
    )
}

/// Whether an answer came from the other side, be it an error, empty or cut.
fn is_answered(verdict: &Verdict) -> bool {
    verdict.status != 0 && verdict.reason != Reason::ProxyFailed && !is_turned_away(verdict)
}

/// Whether the service's side answered, and nothing on the way turned the address away.
fn gets_through(verdict: &Verdict) -> bool {
    let broken = verdict.state() == State::Down && verdict.reason != Reason::GatewayDown;
    is_reached(verdict) && !is_turned_away(verdict) && !broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Checks, Phases, Remedy, ServiceId, Who};

    fn verdict(reason: Reason, status: u16) -> Verdict {
        Verdict {
            connection: None,
            service: ServiceId::http(),
            url: "https://shop.example".to_owned(),
            reason,
            status,
            title: reason.title().to_owned(),
            cause: String::new(),
            answered_by: AnsweredBy::Unknown,
            evidence: Vec::new(),
            remedy: Remedy {
                who: Who::You,
                steps: Vec::new(),
                snippet: None,
                url: None,
                doc: None,
            },
            checks: Checks::default(),
            addresses: Vec::new(),
            phases: Phases::default(),
            tls: None,
            identity: None,
            service_version: None,
            redirects: Vec::new(),
            retry_at: None,
            changed_since_last_good: Vec::new(),
            at: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn two_verdicts_have_one_conclusion() {
        use Reason::*;
        for (here, there, conclusion) in [
            (
                (ConnectTimeout, 0),
                (Connected, 200),
                Conclusion::AddressFiltered,
            ),
            ((Refused, 0), (Connected, 200), Conclusion::AddressFiltered),
            (
                (WafBlock, 403),
                (Connected, 200),
                Conclusion::AddressFiltered,
            ),
            (
                (ConnectTimeout, 0),
                (KeyWithheld, 401),
                Conclusion::AddressFiltered,
            ),
            ((ConnectTimeout, 0), (ConnectTimeout, 0), Conclusion::Same),
            (
                (CredentialsRejected, 401),
                (ServiceFound, 401),
                Conclusion::BothAnswered,
            ),
            ((Connected, 200), (Refused, 0), Conclusion::OnlyThere),
            ((Connected, 200), (CdnBlock, 403), Conclusion::OnlyThere),
            ((ConnectTimeout, 0), (Refused, 0), Conclusion::BothFail),
            // The beginning of an answer came.
            (
                (ResponseTimeout, 200),
                (Connected, 200),
                Conclusion::OneBroken,
            ),
            ((Connected, 200), (ServerError, 500), Conclusion::OneBroken),
            ((ServerError, 500), (Refused, 0), Conclusion::BothFail),
            ((ProxyFailed, 407), (Connected, 200), Conclusion::OnlyHere),
            ((DnsFailed, 0), (Connected, 200), Conclusion::NameServerHere),
            ((Offline, 0), (Connected, 200), Conclusion::OnlyHere),
            ((Unreachable, 0), (Connected, 200), Conclusion::OnlyHere),
            ((ConnectTimeout, 0), (LocalError, 0), Conclusion::NotAsked),
            ((LocalError, 0), (LocalError, 0), Conclusion::NotAsked),
        ] {
            let sides = [here, there].map(|(reason, status)| verdict(reason, status));
            let found = Conclusion::of(&sides[0], &sides[1], false);
            assert_eq!(found, conclusion, "{here:?} {there:?}");
            let told = found.sentence(&"ssh:web1".parse().unwrap());
            let is_sure = conclusion == Conclusion::BothAnswered;
            assert_eq!(told.contains("nothing turns your address away"), is_sure);
        }
    }

    /// The one list of what is taken for a filter: a new reason is to be looked at.
    #[test]
    fn what_fails_here_alone_is_a_filter_only_where_one_may_do_that() {
        let mut filtered = Vec::new();
        for reason in Reason::ALL.iter().copied() {
            let status = if reason.title().starts_with("0 ") {
                0
            } else {
                403
            };
            let sides = [verdict(reason, status), verdict(Reason::Connected, 200)];
            if Conclusion::of(&sides[0], &sides[1], false) == Conclusion::AddressFiltered {
                filtered.push(reason.id());
            }
        }
        let expected = [
            "server-rule",
            "cdn-block",
            "challenge-page",
            "waf-block",
            "rate-limited",
            "refused",
            "connect-timeout",
            "reset",
            "closed-early",
            "response-timeout",
            "not-http",
            "tls-protocol",
            "tls-client-certificate",
            "tls-failed",
        ];
        assert_eq!(filtered, expected);
    }

    #[test]
    fn where_the_key_was_left_out_only_the_way_is_compared() {
        use Conclusion::{AddressFiltered, KeyNotSentHere, KeyNotSentThere, OnlyThere, Same};
        use Reason::*;
        for (here, there, left_out, conclusion) in [
            ((AuthPaused, 0), (KeyMissing, 401), true, KeyNotSentThere),
            (
                (CredentialsRejected, 401),
                (KeyMissing, 401),
                true,
                KeyNotSentThere,
            ),
            (
                (CredentialsRejected, 401),
                (CredentialsRejected, 401),
                true,
                KeyNotSentThere,
            ),
            ((Connected, 200), (KeyWithheld, 401), false, KeyNotSentThere),
            (
                (SecretUnavailable, 0),
                (Connected, 200),
                false,
                KeyNotSentHere,
            ),
            ((AuthPaused, 0), (WafBlock, 403), true, KeyNotSentThere),
            ((AuthPaused, 0), (ConnectTimeout, 0), true, OnlyThere),
            ((ConnectTimeout, 0), (AuthPaused, 0), false, AddressFiltered),
            ((CredentialsRejected, 401), (WafBlock, 403), true, OnlyThere),
            ((AuthPaused, 0), (AuthPaused, 0), false, Same),
        ] {
            let sides = [here, there].map(|(reason, status)| verdict(reason, status));
            let found = Conclusion::of(&sides[0], &sides[1], left_out);
            assert_eq!(found, conclusion, "{here:?} {there:?}");
            let host = "ssh:web1".parse().unwrap();
            assert_eq!(
                found.sentence(&host).contains("was not sent from web1"),
                conclusion == KeyNotSentThere
            );
        }
    }

    #[test]
    fn a_host_is_one_word_that_ssh_takes_for_a_host() {
        for good in [
            "ssh:web1",
            "ssh:me@web1.example",
            "ssh:10.0.0.1",
            "ssh:[::1]",
        ] {
            assert_eq!(good.parse::<SshHost>().unwrap().to_string(), good);
        }
        for (bad, problem) in [
            ("web1", ViaProblem::Scheme),
            ("http:web1", ViaProblem::Scheme),
            ("ssh:", ViaProblem::Empty),
            ("ssh:-oProxyCommand=id", ViaProblem::Dash),
            ("ssh:me@-oProxyCommand=id", ViaProblem::Dash),
            ("ssh:a b", ViaProblem::Word),
            ("ssh:a\u{1b}[2J", ViaProblem::Word),
        ] {
            assert_eq!(bad.parse::<SshHost>(), Err(problem), "{bad:?}");
        }
    }
}
