//! The configuration as the screen follows it: read anew where its file has changed, and where it could not be
//! read again and again until it can. Giving a permission back changes no stamp. Service files that were left out are
//! tried in the same way.

use std::time::Duration;

use super::Queue;
use crate::app::Message;
use crate::app::message::Loaded;
use crate::domain::error_chain;
use crate::store::Stamp;
use crate::tui::translate;
use crate::work::services::{LoadedServices, Reread};
use crate::work::{Core, WorkError};

/// How often one is tried that can't be read.
const RETRY: Duration = Duration::from_secs(2);

/// How the configuration was read last.
pub(super) struct ReadingTasks {
    banner: Vec<String>,
    stamp: Option<Stamp>,
    /// Why it could not be read.
    failed: Option<String>,
    /// The services, where a file of the user was left out of them.
    lacking: Option<LoadedServices>,
}

impl ReadingTasks {
    /// Reads it, and tells `queue`.
    pub(super) async fn begin(core: &Core, banner: Vec<String>, queue: &Queue) -> Self {
        let mut reading = Self {
            banner,
            stamp: None,
            failed: None,
            lacking: None,
        };
        reading.read(core, queue).await;
        reading
    }

    /// Ends with `changed`, or when one that could not be read is to be tried again.
    pub(super) async fn until_due(&self, changed: impl Future<Output = ()>) {
        if self.failed.is_none() && self.lacking.is_none() {
            changed.await;
        } else {
            // Whether in time or not: it is looked at.
            drop(tokio::time::timeout(RETRY, changed).await);
        }
    }

    /// Reads it where it has changed or could not be read, and tells `queue` what is new.
    pub(super) async fn again_where_due(&mut self, core: &Core, queue: &Queue) {
        let is_due = self.failed.is_some()
            || core.stamp().await.ok() != self.stamp
            || self.has_other_services(core).await;
        if is_due {
            // A connection to a service that was described just now; what fails is told by the reading.
            let _ = core.read_services(Reread::WhatIsInOrder).await;
            self.read(core, queue).await;
        }
    }

    /// Whether a service file that was left out is another one by now.
    async fn has_other_services(&self, core: &Core) -> bool {
        let Some(known) = &self.lacking else {
            return false;
        };
        let now = core.services().await;
        now.is_ok_and(|now| now != *known)
    }

    async fn read(&mut self, core: &Core, queue: &Queue) {
        // Before it is read: a change in between is seen the next time.
        self.stamp = core.stamp().await.ok();
        let read = async { Ok((core.configuration().await?, core.services().await?)) };
        let read: Result<_, WorkError> = read.await;
        match read {
            Ok((configuration, services)) => {
                self.failed = None;
                let loaded = translate::configuration(&configuration, &services);
                self.lacking = (!services.left_out.is_empty()).then_some(services);
                let loaded = Loaded {
                    banner: self.banner.clone(),
                    locked: core.is_vault_locked().await,
                    ..loaded
                };
                queue.tell(Message::ConfigurationLoaded(Box::new(loaded)));
            }
            Err(problem) => {
                let why = match problem {
                    WorkError::Failed { source, .. } => error_chain(&source),
                    other => error_chain(&other),
                };
                if self.failed.as_ref() != Some(&why) {
                    queue.tell(Message::ConfigurationFailed(why.clone()));
                }
                self.failed = Some(why);
            }
        }
    }
}
