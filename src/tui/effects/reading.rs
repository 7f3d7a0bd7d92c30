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
use crate::work::{Core, FilesNow, WorkError};

/// How often one is tried that can't be read.
const RETRY: Duration = Duration::from_secs(2);

/// Reads it, and tells what is new.
pub(super) struct ReadingTasks {
    banner: Vec<String>,
    last: LastReading,
}

/// How the configuration was read last.
#[derive(Default)]
struct LastReading {
    stamp: Option<Stamp>,
    /// Why it could not be read.
    failed: Option<String>,
    /// The services, where a file of the user was left out of them.
    lacking: Option<LoadedServices>,
}

impl ReadingTasks {
    /// Reads it for the first time, and tells `queue`; gives the last call to lock, too, as of before that.
    pub(super) async fn begin(
        core: &Core,
        banner: Vec<String>,
        queue: &Queue,
    ) -> (Self, Option<Stamp>) {
        let (shown, told) = (banner.clone(), queue.clone());
        let first = core.files_first(move |now| {
            let call = now.lock_call;
            (LastReading::default().follow(now, shown, &told), call)
        });
        let (last, call) = match first.await {
            Ok(first) => first,
            Err(problem) => (LastReading::default().fail(problem, queue), None),
        };
        (Self { banner, last }, call)
    }

    /// Ends with `changed`, or when one that could not be read is to be tried again.
    pub(super) async fn until_due(&self, changed: impl Future<Output = ()>) {
        if self.last.failed.is_none() && self.last.lacking.is_none() {
            changed.await;
        } else {
            // Whether in time or not: it is looked at.
            drop(tokio::time::timeout(RETRY, changed).await);
        }
    }

    /// Reads it where it has changed or could not be read, and tells `queue` what is new.
    pub(super) async fn again_where_due(&mut self, core: &Core, queue: &Queue) {
        let is_due = self.last.failed.is_some()
            || core.stamp().await.ok() != self.last.stamp
            || self.has_other_services(core).await;
        if is_due {
            self.read(core, queue).await;
        }
    }

    /// Reads it, whatever is known of it, and tells `queue` in any case.
    pub(super) async fn again(&mut self, core: &Core, queue: &Queue) {
        self.last = LastReading::default();
        self.read(core, queue).await;
    }

    /// Whether a service file that was left out is another one by now.
    async fn has_other_services(&self, core: &Core) -> bool {
        let Some(known) = &self.last.lacking else {
            return false;
        };
        let now = core.services().await;
        now.is_ok_and(|now| now != *known)
    }

    async fn read(&mut self, core: &Core, queue: &Queue) {
        // A connection to a service that was described just now; what fails is told by the reading.
        let _ = core.read_services(Reread::WhatIsInOrder).await;
        let (last, shown) = (std::mem::take(&mut self.last), self.banner.clone());
        let told = queue.clone();
        let read = core.files_now(move |now| last.follow(now, shown, &told));
        self.last = match read.await {
            Ok(read) => read,
            Err(problem) => LastReading::default().fail(problem, queue),
        };
    }
}

impl LastReading {
    /// What follows from `now`, told to `queue`.
    fn follow(self, now: FilesNow, banner: Vec<String>, queue: &Queue) -> Self {
        let stamp = Some(now.stamp);
        match now.read {
            Ok((configuration, services)) => {
                let loaded = Loaded {
                    banner,
                    locked: now.is_vault_locked,
                    ..translate::configuration(&configuration, &services)
                };
                queue.tell(Message::ConfigurationLoaded(Box::new(loaded)));
                Self {
                    stamp,
                    failed: None,
                    lacking: (!services.left_out.is_empty()).then_some(services),
                }
            }
            Err(problem) => Self { stamp, ..self }.fail(problem, queue),
        }
    }

    fn fail(self, problem: WorkError, queue: &Queue) -> Self {
        let why = match problem {
            WorkError::Failed { source, .. } => error_chain(&source),
            other => error_chain(&other),
        };
        if self.failed.as_ref() != Some(&why) {
            queue.tell(Message::ConfigurationFailed(why.clone()));
        }
        Self {
            failed: Some(why),
            ..self
        }
    }
}
