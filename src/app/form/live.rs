//! Testing while typing: what of the form is tested by itself, what waits, and what is known already.

use crate::app::clean;
use crate::app::draft::FieldId;
use crate::app::model::{Form, ProbeState};
use crate::domain::{CheckId, State, Verdict};
use crate::service::{Catalog, Service, Trigger, hints};

/// What of a form a probe is about. Each part takes in those before it: where the place is another, nothing that was
/// found out holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum ProbedPart {
    /// Nothing.
    #[default]
    Nothing,
    /// The shared token, and where it is checked.
    Token,
    /// Who asks: user name, key, and how they are sent.
    Pair,
    /// Who is asked, and by which way.
    Place,
}

/// How a form stands to its last probe.
#[derive(Debug, Default)]
pub struct LiveTest {
    /// The field that was changed last, by a key: what stands there may be a part of what is meant, until the cursor
    /// leaves it.
    pub half_typed: Option<FieldId>,
    /// What was changed since the verdict's probe began.
    pub changed: ProbedPart,
    /// What was changed since the running probe began.
    pub changed_meanwhile: ProbedPart,
    /// The running probe, or the last one, went without a key.
    pub ran_bare: bool,
    /// The status with which the place as it stands has refused a call without a key: it is not asked again because
    /// something else was typed, as a host may count that as an attempt.
    pub bare_refusal: Option<u16>,
}

/// What a test by itself is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestWorth {
    /// It is begun.
    Now,
    /// One runs that may tell the same.
    Later,
    /// What it would find out is known, or is not to be asked again.
    Nothing,
}

impl LiveTest {
    /// Writes down that a part was changed. Whether a probe that runs is spoiled by that: one without a key finds
    /// out nothing about the pair, and what was found out about both holds whatever the token.
    pub(in crate::app) fn was_changed(&mut self, part: ProbedPart) -> bool {
        self.changed = self.changed.max(part);
        self.changed_meanwhile = self.changed_meanwhile.max(part);
        if part == ProbedPart::Place {
            self.bare_refusal = None;
        }
        part == ProbedPart::Place || part == ProbedPart::Pair && !self.ran_bare
    }
}

impl Form {
    /// Whether the verdict, if there is one, is of what stands here.
    pub fn is_tested(&self) -> bool {
        self.verdict.is_some() && !self.is_stale()
    }

    /// Whether the verdict is of an earlier content of the fields.
    pub fn is_stale(&self) -> bool {
        self.live.changed != ProbedPart::Nothing
    }

    /// The secret that waits until the cursor leaves its field, which is being typed letter by letter: a part of the
    /// secret, or of what goes with it, would be sent, or could be read from a signature. A key whose service issues
    /// all of one length tells by itself when it is whole.
    pub fn withheld(&self, catalog: &Catalog) -> Option<FieldId> {
        let half = self.live.half_typed.filter(|id| *id == self.focused())?;
        let one_length = || {
            catalog
                .get(&self.service())
                .is_some_and(hints::keys_are_of_one_length)
        };
        let secret = match half {
            FieldId::Key if one_length() => return None,
            FieldId::Token | FieldId::CmsUrl => FieldId::Token,
            _ => FieldId::Key,
        };
        self.is_set(secret).then_some(secret)
    }

    /// The part of a probe that a change of the field is about. A shared token is checked nowhere without the URL of
    /// its CMS, nor that without a token: the key would be sent once more for nothing.
    pub(in crate::app) fn part_of(&self, id: FieldId) -> ProbedPart {
        let lacks = |other| !self.is_set(other);
        let is_idle = match id {
            FieldId::Token => lacks(FieldId::CmsUrl),
            FieldId::CmsUrl => lacks(FieldId::Token),
            FieldId::Cms => lacks(FieldId::CmsUrl) || lacks(FieldId::Token),
            _ => false,
        };
        if is_idle {
            ProbedPart::Nothing
        } else {
            id.part()
        }
    }

    /// Writes down that the field is worked on letter by letter, where a part of what is meant there must not be sent.
    pub(in crate::app) fn begin_typing(&mut self, id: FieldId) {
        let waits = id.goes_with_secret() && self.part_of(id) != ProbedPart::Nothing;
        self.live.half_typed = waits.then_some(id);
    }

    /// Whether the key is of a shape that is sent on the person's wish alone.
    pub(in crate::app) fn key_waits_for_wish(&self, catalog: &Catalog) -> bool {
        let key = self.secret(FieldId::Key).map(|field| &field.value);
        key.filter(|key| !key.is_empty()).is_some_and(|key| {
            let username = self.text(FieldId::Username);
            clean::waits_for_wish(catalog, &self.service(), username, key)
        })
    }

    /// Whether a test by itself could find out something new.
    pub(in crate::app) fn worth_of_test(&self, catalog: &Catalog, trigger: Trigger) -> TestWorth {
        let half = self.live.half_typed;
        let in_token = half.is_some_and(|id| id.part() == ProbedPart::Token);
        let elsewhere = self.bound_origin() != self.origin();
        let is_bare = trigger == Trigger::HalfTyped
            || !self.is_set(FieldId::Key)
            || elsewhere
            || self.key_waits_for_wish(catalog);
        let running = self.probe != ProbeState::Idle;
        let key_waits = self.live.ran_bare && !is_bare;
        let since = if running {
            self.live.changed_meanwhile
        } else {
            self.live.changed
        };
        // What went without the key has found out nothing about it.
        let since = since.max(if key_waits {
            ProbedPart::Pair
        } else {
            ProbedPart::Nothing
        });
        let service = catalog.get(&self.service());
        let asks_bare = is_bare || service.is_none_or(Service::asks_bare_first);
        match self.live.bare_refusal {
            _ if trigger == Trigger::UrlTyping => TestWorth::Now,
            Some(_) if is_bare => TestWorth::Nothing,
            Some(status) if asks_bare && is_lasting(status) => TestWorth::Nothing,
            _ if in_token && since <= ProbedPart::Token && (running || self.verdict.is_some()) => {
                TestWorth::Nothing
            }
            _ if running && (is_bare || since <= ProbedPart::Token) => TestWorth::Later,
            _ => TestWorth::Now,
        }
    }

    /// Takes what the probe of this form found; what was changed since it began is not what it is about.
    pub(in crate::app) fn take_verdict(&mut self, verdict: Verdict) {
        let live = &mut self.live;
        live.changed = std::mem::take(&mut live.changed_meanwhile);
        if verdict.checks.get(CheckId::Service).state == State::Ok {
            live.bare_refusal = None;
        } else if live.ran_bare && verdict.status != 0 && live.changed < ProbedPart::Place {
            live.bare_refusal = Some(verdict.status);
        }
        self.verdict = Some(Box::new(verdict));
        self.refresh_lamps();
    }
}

/// Whether a refusal is one that another call meets too. A host that was too busy, or was asked too often, may answer
/// by the time a key is whole; what it said of that quiet is kept elsewhere.
const fn is_lasting(status: u16) -> bool {
    status < 500 && !matches!(status, 408 | 425 | 429)
}

impl FieldId {
    /// The part of a probe that this field belongs to.
    pub(in crate::app) const fn part(self) -> ProbedPart {
        match self {
            Self::Name | Self::Tags | Self::Interval | Self::ReadOnly | Self::Note => {
                ProbedPart::Nothing
            }
            Self::Token | Self::Cms | Self::CmsUrl => ProbedPart::Token,
            Self::Username | Self::Key | Self::Company | Self::Auth => ProbedPart::Pair,
            Self::Url
            | Self::Service
            | Self::Timeout
            | Self::Proxy
            | Self::CaFile
            | Self::ClientCert
            | Self::ClientKey
            | Self::Family
            | Self::AllowHttp => ProbedPart::Place,
        }
    }

    /// Whether a part of what is meant here must not be sent, nor signed with, nor have the key sent by it, or through
    /// it.
    pub(in crate::app) const fn goes_with_secret(self) -> bool {
        matches!(
            self,
            Self::Username
                | Self::Key
                | Self::Token
                | Self::CmsUrl
                | Self::Company
                | Self::Auth
                | Self::Proxy
        )
    }
}
