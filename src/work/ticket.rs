//! Tickets: what a verdict rests on, worded for whoever must act. Times in UTC; no secret is in one, which a
//! scan proves before anybody sees it.

mod words;

use super::desk::Desk;
use super::draft::Slot;
use super::error::WorkError;
use crate::domain::history::History;
use crate::domain::{Connection, Name, Secret, Verdict};
use crate::service::sign::scan;

/// Who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reader {
    /// Whoever runs the host: what to allow or mend.
    Host,
    /// The maker of the service: what it answered.
    Vendor,
    /// The owner of the connection: everything, and what to do next.
    Me,
}

impl Reader {
    /// Everyone.
    pub const ALL: [Self; 3] = [Self::Host, Self::Vendor, Self::Me];

    /// The word on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Vendor => "vendor",
            Self::Me => "me",
        }
    }

    /// The reader that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reader| reader.word() == word)
    }
}

/// When the verdict was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// By a probe made for this ticket.
    Fresh,
    /// Before: the last one that the screen shows.
    Last,
}

/// All that a ticket is made of.
pub(super) struct Case<'a> {
    pub(super) verdict: &'a Verdict,
    pub(super) connection: &'a Connection,
    pub(super) curl: Option<String>,
    pub(super) history: Option<History>,
    pub(super) service: String,
    pub(super) freshness: Freshness,
}

impl Desk {
    /// The ticket on `verdict` of the saved connection `name`. Refused where a secret would be in it.
    pub async fn ticket(
        &self,
        name: &Name,
        verdict: &Verdict,
        (reader, freshness): (Reader, Freshness),
    ) -> Result<String, WorkError> {
        let connection = self.connection(name).await?;
        let service = self.service_of(&connection).await?;
        let curl = self.curl(&connection).await.ok();
        // A query of the URL's own may be a key; one that the service's description adds is none.
        let curl = curl.map(|curl| {
            if connection.url.contains('?') {
                words::without_values(&curl)
            } else {
                curl
            }
        });
        let case = Case {
            verdict,
            connection: &connection,
            curl,
            history: self.history(name).await.ok(),
            service: service.title().to_owned(),
            freshness,
        };
        let text = words::ticket(&case, reader);
        let secrets = self.secrets_at_hand(&connection).await;
        match scan::line_with_secret(&text, &connection.username, &secrets) {
            None => Ok(text),
            Some(line) => Err(WorkError::Failed {
                doing: format!("writing the ticket on {name}"),
                why: format!(
                    "line {line} would hold a secret or what looks like one; nothing was written. \
                     Look for it in the URL, the username and the note"
                ),
            }),
        }
    }

    /// The values that can be had without asking anybody: those that the scan looks for.
    async fn secrets_at_hand(&self, connection: &Connection) -> Vec<Secret> {
        let slots = [Slot::Key, Slot::Token]
            .into_iter()
            .chain((0..connection.added.len()).map(Slot::Added));
        let mut secrets = Vec::new();
        for slot in slots {
            if let Ok(secret) = self.secret(connection, slot).await {
                secrets.push(secret);
            }
        }
        secrets
    }
}
