//! The connections that may be asked for, as the configuration has them by now.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::domain::{Connection, Name, error_chain};
use crate::store::Stamp;
use crate::work::services::Reread;
use crate::work::{Core, WorkError};

/// After which time what could not be read is tried again: giving a permission back changes no stamp.
const RETRY: Duration = Duration::from_secs(5);

/// The connections that may be asked for.
#[derive(Debug)]
pub(super) struct KnownConnections {
    pub(super) connections: HashMap<Name, Arc<Connection>>,
    /// For connections that name none.
    pub(super) timeout: Duration,
}

/// The same, following the configuration.
pub(super) struct FollowedConnections {
    core: Core,
    known: RwLock<Arc<KnownConnections>>,
    /// Held by whoever looks, so that nobody is answered by what another one is about to replace.
    looked: Mutex<LastLook>,
}

/// What the configuration was when it was looked at last.
struct LastLook {
    stamp: Stamp,
    failed: Option<FailedLook>,
}

struct FailedLook {
    why: String,
    at: Instant,
}

impl LastLook {
    /// Whether it has to be read, where its stamp is this one now.
    fn is_old(&self, stamp: Stamp) -> bool {
        let retries = |failed: &FailedLook| failed.at.elapsed() >= RETRY;
        self.stamp != stamp || self.failed.as_ref().is_some_and(retries)
    }
}

impl FollowedConnections {
    /// Reads them.
    pub(super) async fn read(core: Core) -> Result<Self, WorkError> {
        // Taken before it is read: a change in between is seen the next time.
        let stamp = core.stamp().await?;
        let configuration = core.configuration().await?;
        Ok(Self {
            known: RwLock::new(Arc::new(KnownConnections::of(&configuration))),
            looked: Mutex::new(LastLook {
                stamp,
                failed: None,
            }),
            core,
        })
    }

    /// As they were read last.
    pub(super) fn known(&self) -> Arc<KnownConnections> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads them again, and the service files. What is broken stays as it was.
    pub(super) async fn reload(&self) -> Result<usize, WorkError> {
        let mut looked = self.looked.lock().await;
        self.core.refuse_open_to_others().await?;
        self.look(&mut looked).await
    }

    /// Reads them again where the configuration has changed: a key that was changed is in another place, and one that
    /// was removed is sent no more. The outcome, where it was read: a failure that is known already is none.
    pub(super) async fn follow(&self) -> Option<Result<usize, WorkError>> {
        let mut looked = self.looked.lock().await;
        let stamp = self.core.stamp().await.ok()?;
        if !looked.is_old(stamp) {
            return None;
        }
        let known = looked.failed.as_ref().map(|failed| failed.why.clone());
        let read = self.look(&mut looked).await;
        let is_known = looked.failed.as_ref().map(|failed| &failed.why) == known.as_ref();
        (read.is_ok() || !is_known).then_some(read)
    }

    async fn look(&self, looked: &mut LastLook) -> Result<usize, WorkError> {
        let stamp = self.core.stamp().await?;
        let read = async {
            let configuration = self.core.configuration().await?;
            let known = KnownConnections::of(&configuration);
            let count = known.connections.len();
            *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
            self.core.read_services(Reread::WholeOrNot).await?;
            Ok(count)
        };
        // Nothing is written down before it ends: whoever asked may hang up meanwhile, and the next one looks again.
        let read: Result<_, WorkError> = read.await;
        looked.stamp = stamp;
        looked.failed = read.as_ref().err().map(|problem| FailedLook {
            why: error_chain(&problem),
            at: Instant::now(),
        });
        read
    }
}

impl KnownConnections {
    fn of(configuration: &crate::store::Configuration) -> Self {
        let connections = configuration.connections.iter();
        Self {
            connections: connections
                .map(|connection| (connection.name.clone(), Arc::clone(connection)))
                .collect(),
            timeout: Duration::from_secs(configuration.settings.timeout_s.into()),
        }
    }
}
