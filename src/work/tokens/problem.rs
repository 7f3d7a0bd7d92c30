//! Why something about remote tokens was not done, and the reason that it stands for.

use jiff::Timestamp;

use super::super::error::WorkError;
use crate::domain::text::shell_word;
use crate::domain::token::RenewalAction;
use crate::domain::verdict::whole_seconds;
use crate::domain::{Cause, Name, Reason, Secret, SecretRef, ServiceId, UrlProblem, Verdict};
use crate::tokens::TokenProblem;

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Something here: no such connection, a locked vault, a file.
    #[error(transparent)]
    Work(#[from] WorkError),
    /// The service, or the way to it.
    #[error(transparent)]
    Api(#[from] TokenProblem),
    /// A change was asked for, and its answer was lost.
    #[error("{problem}: whether it was done is not known")]
    Uncertain {
        /// The connection that it was asked through.
        name: Name,
        /// The token's id, or the label that it was to have.
        which: String,
        /// How the answer was lost.
        problem: TokenProblem,
    },
    /// Only Connect has tokens behind its connections.
    #[error("{0} is a connection to {1}: only connect has tokens that can be managed")]
    NotConnect(Name, ServiceId),
    /// The connection is marked read-only.
    #[error("{0} is read-only: nothing at its service is changed")]
    ReadOnly(Name),
    /// Username or key is missing.
    #[error("{0} needs a username (SU-…) and a key")]
    KeyMissing(Name),
    /// The URL can't be asked.
    #[error(transparent)]
    Url(#[from] UrlProblem),
    /// The key is not at hand, or not for this URL.
    #[error("{0}")]
    SecretUnavailable(String),
    /// The lock-out budget.
    #[error("the key was not sent: {why}{}", until.map(|until| format!(" (next try {})", whole_seconds(until))).unwrap_or_default())]
    Paused {
        /// The time of the next try.
        until: Option<Timestamp>,
        /// One plain sentence.
        why: String,
    },
    /// The attempt could not be booked.
    #[error("the key was not sent")]
    Unbooked(#[source] Cause),
    /// The token is the key that connections run on, and nobody said that this is meant.
    #[error(
        "{id} {}: {doing} it would cut {} off",
        in_use(names, unread),
        them(names, unread)
    )]
    KeyInUse {
        /// The token's id.
        id: String,
        /// What was to be done.
        doing: &'static str,
        /// Who runs on it.
        names: Vec<Name>,
        /// Who may: their key could not be read.
        unread: Vec<Name>,
    },
    /// The token was renewed already, and nobody said that the renewed secret may be replaced.
    #[error(
        "{id} was renewed already: the secret that came with that is dead at once, wherever it is used, as by a \
         rotation"
    )]
    RenewedAlready {
        /// The token's id.
        id: String,
        /// Who runs on the secret that would be dead.
        names: Vec<Name>,
    },
    /// The token is the key of the connection that asks, and what that holds could not be found.
    #[error(
        "{name} runs on {id}, and its key was not found among those of the connections here: nothing was \
         asked of the service"
    )]
    Unheld {
        /// The token's id.
        id: String,
        /// The connection.
        name: Name,
    },
    /// The token is not in force: no secret of it is accepted, so a new one can't be proven.
    #[error(
        "{id} is {status}: a new secret could not be proven, and nothing was asked for. Enable the token first"
    )]
    NotInForce {
        /// The token's id.
        id: String,
        /// As people call it.
        status: &'static str,
    },
    /// Something else that was begun earlier was ended, and what was asked for was not done afterwards.
    #[error("a {} of {id} that was begun earlier was ended first, and what was asked for was not done", action.noun())]
    EarlierEnded {
        /// The token's id.
        id: String,
        /// What was ended.
        action: RenewalAction,
        /// Why the rest was not done.
        #[source]
        problem: Box<Self>,
    },
    /// The answer was lost, and nothing shows whether the service heard.
    #[error(
        "{}: run the same command again, two minutes after it was asked for or later",
        self::undecided(id, (*action, *leaves_the_old), *since, why)
    )]
    Undecided {
        /// The token's id.
        id: String,
        /// What was asked for.
        action: RenewalAction,
        /// When it was asked for.
        since: Timestamp,
        /// Whether the secret in use is good afterwards too.
        leaves_the_old: bool,
        /// One plain sentence.
        why: String,
    },
    /// The key in use was renewed or rotated, the answer was lost, and no secret of it that is kept here is accepted.
    #[error(
        "the answer to the {} of {id} at {} was lost, and the secret in use is refused by now. The new one is on \
         the service's page of its tokens: give it to every connection that runs on it, with {}",
        action.noun(),
        whole_seconds(*since),
        commands_to_set(names)
    )]
    Lost {
        /// The token's id.
        id: String,
        /// What was asked for.
        action: RenewalAction,
        /// When it was asked for.
        since: Timestamp,
        /// The connections that run on it.
        names: Vec<Name>,
    },
    /// Another program, or another task of this one, is at it.
    #[error("a token is being renewed by another program: try again once that is done")]
    Busy,
    /// The service never heard.
    #[error("the {} of {id} asked for at {} never happened; nothing was changed", action.noun(), whole_seconds(*since))]
    NeverHappened {
        /// The token's id.
        id: String,
        /// What was asked for.
        action: RenewalAction,
        /// When it was asked for.
        since: Timestamp,
    },
    /// The new secret was not accepted; the old one is stored and works.
    #[error("the new secret of {id} was not accepted ({}); the old one stays in use", verdict.title)]
    SteppedBack {
        /// The token's id.
        id: String,
        /// What the probe with the new secret found.
        verdict: Box<Verdict>,
    },
    /// The new secret is kept, and could not be proven now: the same command goes on.
    #[error("the new secret of {id} is kept, and could not be proven now ({}): run the same command again to go on", verdict.title)]
    Unproven {
        /// The token's id.
        id: String,
        /// What the probe found.
        verdict: Box<Verdict>,
    },
    /// There is a new secret, and nothing that keeps it. It is here, to be shown.
    #[error("{id} has a new secret, which could not be kept: {why}")]
    NotKept {
        /// The token's id.
        id: String,
        /// The new secret.
        secret: Secret,
        /// Whether the secret that was in use is dead: then the new one is the only one that works.
        replaces: bool,
        /// One plain sentence.
        why: String,
    },
    /// The new secret is the only one that works and is kept here, but no connection uses it yet.
    #[error(
        "{}: mend that, then run the same command again to go on",
        self::unused(id, places, why)
    )]
    Unused {
        /// The token's id.
        id: String,
        /// Where it is kept.
        places: Vec<SecretRef>,
        /// One plain sentence.
        why: String,
    },
}

/// The words of a renewal or rotation of which nothing is known yet.
///
/// `leaves_the_old`: the secret in use is good afterwards too. That it works now is nothing that anybody has seen.
pub fn undecided(
    id: &str,
    (action, leaves_the_old): (RenewalAction, bool),
    since: Timestamp,
    why: &str,
) -> String {
    let old = if leaves_the_old {
        "The old secret is still stored, and stays valid until its own end"
    } else {
        "The secret in use is still stored, and dead if it happened"
    };
    let (done, since) = (action.done(), whole_seconds(since));
    format!(
        "it is undecided whether {id} was {done} (asked at {since}): {why}. {old}; the service is not asked for \
         it again until that is known"
    )
}

/// The words of a new secret that is kept and not used.
pub fn unused(id: &str, places: &[SecretRef], why: &str) -> String {
    let places: Vec<_> = places.iter().map(SecretRef::to_string).collect();
    format!(
        "the new secret of {id} is kept in {}, and the connections can't be switched to it: {why}",
        places.join(", ")
    )
}

/// The commands that give these connections another key.
fn commands_to_set(names: &[Name]) -> String {
    let command = |name: &Name| format!("`switchboard secret set {}`", shell_word(name.as_str()));
    let commands: Vec<_> = names.iter().map(command).collect();
    commands.join(", ")
}

fn in_use(names: &[Name], unread: &[Name]) -> String {
    let list = |names: &[Name]| {
        let list: Vec<_> = names.iter().map(Name::to_string).collect();
        list.join(", ")
    };
    let verb = if names.len() == 1 { "runs" } else { "run" };
    let runs = (!names.is_empty()).then(|| format!("is the key that {} {verb} on", list(names)));
    let may = format!("may be the key of {}, which can't be read", list(unread));
    let may = (!unread.is_empty()).then_some(may);
    runs.into_iter()
        .chain(may)
        .collect::<Vec<_>>()
        .join(", and ")
}

const fn them(names: &[Name], unread: &[Name]) -> &'static str {
    if names.len() + unread.len() == 1 {
        "it"
    } else {
        "them"
    }
}

impl TokenError {
    /// The reason that this stands for, where it is one; its state gives the exit code.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Api(problem) | Self::Uncertain { problem, .. } => Some(problem.reason()),
            Self::KeyMissing(_) => Some(Reason::KeyMissing),
            Self::Url(_) => Some(Reason::UrlInvalid),
            // As a probe says of what can't be booked, too.
            Self::SecretUnavailable(_) | Self::Unbooked(_) => Some(Reason::SecretUnavailable),
            Self::Paused { .. } => Some(Reason::AuthPaused),
            Self::SteppedBack { verdict, .. } | Self::Unproven { verdict, .. } => {
                Some(verdict.reason)
            }
            Self::EarlierEnded { problem, .. } => problem.reason(),
            Self::Undecided { .. } => Some(Reason::ReplyCut),
            Self::Lost { .. } => Some(Reason::CredentialsRejected),
            Self::Work(_)
            | Self::NotConnect(..)
            | Self::ReadOnly(_)
            | Self::RenewedAlready { .. }
            | Self::Unused { .. }
            | Self::KeyInUse { .. }
            | Self::Unheld { .. }
            | Self::NotInForce { .. }
            | Self::Busy
            | Self::NeverHappened { .. }
            | Self::NotKept { .. } => None,
        }
    }

    /// The exit code of a command that this stopped.
    pub fn exit_code(&self) -> u8 {
        self.reason()
            .map_or(3, |reason| reason.state().exit_code().max(1))
    }
}
