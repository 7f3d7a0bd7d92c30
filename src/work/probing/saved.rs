//! What a probe of a saved connection begins with.

use std::sync::Arc;

use crate::domain::{Connection, HandleSlot, Name, Origin};
use crate::service::{SecretState, Trigger};
use crate::work::core::{Core, Inner, shared};
use crate::work::job::{ProbeJob, RememberedAs};
use crate::work::secrets::Trust;

impl Core {
    /// What a probe of a saved connection begins with. A secret that is not where the connection says may have been moved
    /// by another program, or by another task of this one, since that was read: then the connection is probed as it is
    /// saved now.
    pub(in crate::work) async fn job(&self, connection: &Connection, trigger: Trigger) -> ProbeJob {
        let job = self.job_as_read(connection, trigger).await;
        if !lacks_a_secret(&job) {
            return job;
        }
        match self.saved_elsewhere(connection).await {
            Some(now) => self.job_as_read(&now, trigger).await,
            None => job,
        }
    }

    /// The connection as it is saved now, where its secrets have other places than `known` says.
    async fn saved_elsewhere(&self, known: &Connection) -> Option<Arc<Connection>> {
        let configuration = self.blocking(Inner::last_configuration).await.ok()?;
        let now = shared(&configuration, &known.name).ok()?;
        let is_moved = now.key != known.key || now.token != known.token;
        is_moved.then(|| Arc::clone(now))
    }

    /// Whether a connection of that name is saved, as far as that can be read.
    pub(super) async fn is_saved(&self, name: &Name) -> bool {
        let configuration = self.blocking(Inner::last_configuration).await;
        configuration.map_or(true, |last| shared(&last, name).is_ok())
    }

    async fn job_as_read(&self, connection: &Connection, trigger: Trigger) -> ProbeJob {
        let trust = match trigger {
            Trigger::Scheduled => Trust::Watched,
            Trigger::UrlTyping
            | Trigger::HalfTyped
            | Trigger::Typing
            | Trigger::Asked
            | Trigger::Bisect => Trust::Saved,
        };
        let origin = Origin::parse(&connection.url);
        ProbeJob {
            key: self
                .held(connection, &HandleSlot::Key, origin.as_ref(), trust)
                .await,
            token: self
                .held(connection, &HandleSlot::Token, origin.as_ref(), trust)
                .await,
            connection: connection.clone(),
            known: RememberedAs::Saved,
            trigger,
            token_only: false,
            timeout: None,
            via: None,
        }
    }
}

/// Whether a secret that it should have is not at hand.
const fn lacks_a_secret(job: &ProbeJob) -> bool {
    matches!(job.key, SecretState::Unavailable(_))
        || matches!(job.token, SecretState::Unavailable(_))
}
