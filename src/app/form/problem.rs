//! Why a form can't be saved as it stands: each is of one field, and shown as it is.

use crate::domain::connection::NameProblem;
use crate::domain::endpoint::UrlProblem;
use crate::domain::{Misfit, Name, Origin};

/// Why what stands in a field can't be saved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldProblem {
    /// No URL that can be asked.
    #[error(transparent)]
    Url(#[from] UrlProblem),
    /// A further field that can't be what is meant.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// The configuration would show it. Holds the parameter's name.
    #[error(
        "{0} in it holds a secret, which the configuration would show: leave it out, and enter it as the key"
    )]
    SecretInUrl(String),
    /// Nobody has agreed to the new origin yet. Holds the origin that the key was entered for.
    #[error("the key was entered for {}: agree to send it to the new host, or enter it anew", shown(entered_for.as_ref()))]
    KeyOfAnotherHost {
        /// Nothing where that is not known.
        entered_for: Option<Origin>,
    },
    /// No name that a connection can have.
    #[error(transparent)]
    Name(#[from] NameProblem),
    /// Another connection has it.
    #[error("there is a connection called {0} already")]
    NameTaken(Name),
    /// Empty.
    #[error("a connection needs a service")]
    NoService,
    /// Nothing describes it. Holds those that are described.
    #[error("the service is one of {}", known.join(", "))]
    UnknownService {
        /// The ids of all services.
        known: Vec<String>,
    },
    /// Nothing describes it. Holds those that are described.
    #[error("the CMS is one of {}, or the path of a definition file", known.join(", "))]
    UnknownCms {
        /// The ids of all CMSs.
        known: Vec<String>,
    },
    /// The configuration would show it.
    #[error(
        "the user name holds what looks like a key, which the configuration would show: put that into the key's field, and leave the name alone here"
    )]
    KeyAsUsername,
    /// Another word.
    #[error("Auth is auto, basic or headers")]
    Auth,
    /// Another word.
    #[error("Addresses are any, ipv4 or ipv6")]
    Family,
    /// No time, or one out of bounds.
    #[error("{what} is {least} to {most} seconds, such as 90, 5m or 2h")]
    Seconds {
        /// What the field is called.
        what: &'static str,
        /// The shortest, in seconds.
        least: u32,
        /// The longest, in seconds.
        most: u32,
    },
    /// Another word. Holds what the field is called.
    #[error("{0} is yes or no")]
    YesOrNo(&'static str),
}

impl FieldProblem {
    /// The same beside the field, whose label stands before it; nothing of what another service or a test would say.
    pub(in crate::app) fn word(&self) -> Option<String> {
        match self {
            Self::Seconds { least, most, .. } => Some(format!("{least} to {most} s")),
            Self::Auth | Self::Family | Self::YesOrNo(_) => Some("none of its words".to_owned()),
            Self::Url(_)
            | Self::Misfit(_)
            | Self::SecretInUrl(_)
            | Self::KeyOfAnotherHost { .. }
            | Self::Name(_)
            | Self::NameTaken(_)
            | Self::NoService
            | Self::UnknownService { .. }
            | Self::UnknownCms { .. }
            | Self::KeyAsUsername => None,
        }
    }
}

fn shown(origin: Option<&Origin>) -> String {
    origin.map(Origin::to_string).unwrap_or_default()
}
