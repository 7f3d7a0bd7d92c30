//! The end of the ladder: the check that broke is written down, warnings are ranked, the verdict is made.

use crate::domain::{CheckId, Endpoint, Reason, State};

use super::super::judge::conclude::{self, Ending};
use super::super::judge::{Finding, changes, tls};
use super::super::sign;
use super::super::step::Step;
use super::super::subject::{SecretState, Trigger};
use super::{Ladder, Stage};

impl Ladder {
    /// Concludes with what was found.
    pub(super) fn finish(&mut self, finding: impl Into<Finding>) -> Step {
        let finding = finding.into();
        self.stage = Stage::Idle;
        self.write_check(&finding);
        if let Some(pair) = &self.pair {
            self.facts.set("username", &pair.username);
        }
        if self.subject.trigger == Trigger::Bisect && !self.token_only {
            let asked = self.asked.len().saturating_sub(self.way_alone);
            let carried = self.carried;
            self.notes
                .push(format!("requests sent: {asked}; with the key: {carried}"));
        }
        let suffix = self.suffix();
        let mut verdict = conclude::verdict(&Ending {
            service: &self.service,
            subject: &self.subject,
            endpoint: self.endpoint.as_ref(),
            suffix: &suffix,
            finding,
            judged: self.main.as_ref().map(|main| &main.judged),
            reply: self.main.as_ref().map(|main| &main.reply),
            noted: &self.facts,
            notes: &self.notes,
            redirects: &self.redirects,
            identity: self.identity.as_ref(),
            version: self.version.as_deref(),
            retry_at: self.retry_at,
            correction: self.correction.clone(),
            checks: &self.checks,
            now: self.now,
        });
        let token = match &self.subject.token {
            SecretState::Present(token) => Some(token),
            SecretState::Absent | SecretState::Unavailable(_) | SecretState::Unrecordable(_) => {
                None
            }
        };
        sign::mask_verdict(&mut verdict, self.pair(), token);
        if verdict.state() == State::Ok {
            let reply = self.main.as_ref().map(|main| &main.reply);
            self.last_good = Some(changes::last_good(&verdict, conclude::server(reply)));
        }
        Step::Conclude(Box::new(verdict))
    }

    /// An answer that nobody waits for: the ladder has ended already.
    pub(super) fn over(&mut self) -> Step {
        let finding = self
            .main
            .as_ref()
            .map_or(Reason::LocalError.into(), |main| {
                main.judged.finding.clone()
            });
        self.finish(finding)
    }

    /// Concludes an accepted pair: the first warning of the table's order, or `connected`.
    pub(super) fn finish_accepted(&mut self) -> Step {
        let noisy = self.main.as_ref().is_some_and(|main| {
            let page = main.judged.page.as_ref();
            page.is_some_and(|page| page.noise.is_some())
        });
        if noisy {
            self.warnings.push(Reason::ConnectedNoisy.into());
        }
        let expiring = self.expiring();
        if expiring.is_some() {
            self.warnings.push(Reason::TlsExpiring.into());
        }
        self.warnings.sort_by_key(|finding| finding.reason);
        let mut warnings = std::mem::take(&mut self.warnings).into_iter();
        let mut finding = match warnings.next() {
            Some(finding) => finding,
            None if self.through_index => Reason::RewriteOff.into(),
            None if self.pair.is_none() => Finding::variant(Reason::Connected, "bare"),
            None => self.as_judged(Reason::Connected),
        };
        if finding.variant.is_none() {
            finding.variant = self.unproven_by(finding.reason).map(str::to_owned);
        }
        for further in warnings {
            self.notes.push(format!("also: {}", further.reason.title()));
        }
        if self.through_index && finding.reason != Reason::RewriteOff {
            let note = format!("also: reached only through {}", self.fallback());
            self.notes.push(note);
        }
        let urgent = expiring.filter(|left| *left <= tls::URGENT);
        let named = finding.reason == Reason::TlsExpiring;
        let step = self.finish(finding);
        match (step, urgent) {
            (Step::Conclude(mut verdict), Some(left)) if !named => {
                let days = tls::in_days(left);
                verdict.title = format!("{}, certificate ends in {days}", verdict.title);
                Step::Conclude(verdict)
            }
            (step, _) => step,
        }
    }

    /// What keeps the answer from being a proof of the key, where the words of `reason` would say that it is one.
    fn unproven_by(&self, reason: Reason) -> Option<&'static str> {
        let page = Finding::variant(Reason::Connected, "page");
        let is_page = self.pair.is_some() && self.as_judged(Reason::Connected) == page;
        match reason {
            _ if self.is_unproven() => Some("cached"),
            Reason::TlsExpiring if is_page => Some("page"),
            _ => None,
        }
    }

    /// What the answer was judged to be, with its closer words, where that is `reason`.
    fn as_judged(&self, reason: Reason) -> Finding {
        let judged = self.main.as_ref().map(|main| &main.judged.finding);
        judged
            .filter(|finding| finding.reason == reason)
            .cloned()
            .unwrap_or_else(|| reason.into())
    }

    /// An accepted answer without credentials: of a service that needs none.
    pub(super) fn accepted_bare(&mut self, finding: Finding) -> Step {
        if let Some(main) = self.main.take() {
            self.read_identity(&main);
            self.main = Some(main);
        }
        if finding.reason != Reason::Connected {
            self.warnings.push(finding);
        }
        self.finish_accepted()
    }

    /// The path that was asked behind the base.
    fn suffix(&self) -> String {
        if self.token_only {
            return self.verify_path();
        }
        let path = self
            .path_of(super::super::catalog::condition::Rung::Credentials)
            .unwrap_or_default();
        match &self.service.text().requests.fallback {
            Some(fallback) if self.through_index => format!("{fallback}{path}"),
            _ => path,
        }
    }

    /// Writes the check of the rung that the reason belongs to.
    fn write_check(&mut self, finding: &Finding) {
        let reason = finding.reason;
        let Some(id) = self.rung_of(reason) else {
            return;
        };
        let words = reason.title().to_owned();
        let ms = match reason {
            Reason::ConnectedNoisy | Reason::TlsClientCertificate => self.checks.get(id).ms,
            _ => None,
        };
        self.checks.set(id, reason.state(), words, ms);
    }

    /// The rung that a reason speaks of, where no earlier step wrote it down.
    fn rung_of(&self, reason: Reason) -> Option<CheckId> {
        match about(reason) {
            // What is known of the key is from before.
            About::Rung(CheckId::Credentials) if self.is_unproven() => None,
            About::Rung(CheckId::Tls) if self.checks.get(CheckId::Tls).state == State::Down => None,
            // What answers is behind whoever wants it.
            About::Rung(CheckId::Tls) if self.endpoint.as_ref().is_some_and(Endpoint::is_plain) => {
                Some(CheckId::Service)
            }
            About::Rung(id) => Some(id),
            About::Way => None,
            About::Answer if self.token_only => Some(CheckId::Token),
            About::Answer => {
                let is_found = self.checks.get(CheckId::Service).state == State::Ok;
                Some(if is_found && self.pair.is_some() {
                    CheckId::Credentials
                } else {
                    CheckId::Service
                })
            }
        }
    }
}

/// What a reason is about.
enum About {
    /// The same rung always.
    Rung(CheckId),
    /// An answer: somebody replied, and not as the service should.
    Answer,
    /// The way there, or what was found and not asked: the steps before have written down what there is to say.
    Way,
}

fn about(reason: Reason) -> About {
    use Reason::{
        ApiPathWrong, AuthPaused, AuthorizationStripped, BodyTooLarge, CdnBlock, ChallengePage,
        ClosedEarly, ConnectTimeout, Connected, ConnectedNoisy, CredentialsRejected, DnsFailed,
        DnsNotFound, EmptyReply, GatewayDown, HttpOnTlsPort, IdentityChanged, KeyInUseInactive,
        KeyMissing, KeyWithheld, LocalError, Maintenance, NotAcceptable, NotFound, NotHttp,
        NotTheService, Offline, PermissionMissing, ProxyFailed, RateLimited, RedirectHost,
        RedirectHttps, RedirectLoop, RedirectPath, Refused, ReplyCut, Reset, ResponseTimeout,
        RewriteOff, SecretUnavailable, ServerError, ServerPassword, ServerRule, ServiceException,
        ServiceFound, TlsClientCertificate, TlsExpired, TlsExpiring, TlsFailed, TlsNotTls,
        TlsNotYetValid, TlsProtocol, TlsUnknownIssuer, TlsWrongName, TokenClock,
        TokenEndpointAbsent, TokenHeaderStripped, TokenMismatch, TokenUnverifiable, TokenValid,
        UnexpectedStatus, Unreachable, UrlHasAdmin, UrlHasApi, UrlInvalid, UrlMissing,
        UsernameMissing, WafBlock, WrongCompany,
    };
    match reason {
        CredentialsRejected | AuthorizationStripped | PermissionMissing | KeyInUseInactive => {
            About::Rung(CheckId::Credentials)
        }
        TokenMismatch | TokenHeaderStripped | TokenClock | TokenEndpointAbsent | TokenValid => {
            About::Rung(CheckId::Token)
        }
        ServerPassword | ServerRule | CdnBlock | ChallengePage | WafBlock | NotAcceptable
        | NotFound | ApiPathWrong | UrlHasApi | UrlHasAdmin | NotTheService | EmptyReply
        | RedirectHttps | RedirectHost | RedirectPath | RedirectLoop | RateLimited
        | Maintenance | ServiceException | ServerError | GatewayDown | UnexpectedStatus
        | HttpOnTlsPort => About::Answer,
        // The answer that names it is over TLS that stands.
        TlsClientCertificate => About::Rung(CheckId::Tls),
        ConnectedNoisy => About::Rung(CheckId::Service),
        Connected | ServiceFound | UrlMissing | UrlInvalid | UsernameMissing | KeyMissing
        | RewriteOff | WrongCompany | IdentityChanged | DnsNotFound | DnsFailed | Refused
        | ConnectTimeout | Unreachable | Reset | ClosedEarly | ResponseTimeout | NotHttp
        | TlsExpired | TlsNotYetValid | TlsWrongName | TlsUnknownIssuer | TlsProtocol
        | TlsNotTls | BodyTooLarge | ProxyFailed | Offline | KeyWithheld | SecretUnavailable
        | ReplyCut | TlsFailed | TlsExpiring | LocalError | AuthPaused | TokenUnverifiable => {
            About::Way
        }
    }
}
