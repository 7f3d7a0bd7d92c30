//! `keyring:` references: the desktop's Secret Service, spoken to by one thread of its own.
//!
//! The service's library must not be called inside a runtime, and waits for ever on a bus that does not
//! answer. So calls queue for one thread, the caller waits only so long, and a queue that does not move
//! takes no more.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use keyring_core::api::CredentialStoreApi;
use keyring_core::{Entry, Error};
use tokio::sync::oneshot;
use zbus_secret_service_keyring_store::Store;
use zeroize::Zeroizing;

use super::FoundSecret;
use crate::domain::text::inert;
use crate::domain::{Origin, Secret};
use crate::store::stack::wiping;

/// How long a call may take: the desktop may be asking somebody for a password.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// How long it may take to find out whether there is a service at all.
const PRESENCE_TIME_LIMIT: Duration = Duration::from_secs(3);
/// Calls that wait at most.
const QUEUE: usize = 64;
/// What all our items have in common.
const SERVICE: &str = "switchboard";
/// The attribute beside the value.
const ORIGIN: &str = "origin";

/// Why the keyring did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringProblem {
    /// There is none to talk to.
    #[error("no Secret Service answers on this machine: choose vault, or another place")]
    Absent,
    /// It takes the call and says nothing.
    #[error(
        "the Secret Service does not answer: is a desktop asking for its password? Else choose vault"
    )]
    Silent,
    /// It can't be unlocked from here.
    #[error(
        "the keyring is locked, and nobody can be asked here: unlock it on the desktop, or choose vault"
    )]
    Locked,
    /// Nothing under that name.
    #[error("the keyring has no item {0:?}: enter the secret again, or correct the reference")]
    NoItem(String),
    /// More than one under that name.
    #[error(
        "the keyring has several items {0:?}: delete all but one with the desktop's own program"
    )]
    Several(String),
    /// Not a text.
    #[error("the keyring's item {0:?} is not a text")]
    NotText(String),
    /// Anything else that it said.
    #[error("the keyring refused: {0}")]
    Refused(String),
}

type Job = Box<dyn FnOnce(&mut KeyringService) + Send>;

/// The way to the thread that speaks with the service; it starts at the first call.
#[derive(Default)]
pub(super) struct Keyring {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    waiting: Arc<AtomicUsize>,
}

/// The thread's connection to the service, made when needed.
#[derive(Default)]
struct KeyringService(Option<Arc<Store>>);

impl Keyring {
    /// The value under `name`, and its origin.
    pub(super) async fn get(&self, name: &str) -> Result<FoundSecret, KeyringProblem> {
        self.with_item(name, get).await
    }

    /// Whether something stands under `name`, as far as the service says.
    pub(super) async fn holds(&self, name: &str) -> bool {
        match self.get(name).await {
            Ok(_) | Err(KeyringProblem::Several(_) | KeyringProblem::NotText(_)) => true,
            Err(
                KeyringProblem::Absent
                | KeyringProblem::Silent
                | KeyringProblem::Locked
                | KeyringProblem::NoItem(_)
                | KeyringProblem::Refused(_),
            ) => false,
        }
    }

    /// Keeps `value` under `name`.
    pub(super) async fn put(
        &self,
        name: &str,
        value: &Secret,
        origin: Option<&Origin>,
    ) -> Result<(), KeyringProblem> {
        let value = value.clone();
        let origin = origin.map(Origin::to_string).unwrap_or_default();
        self.with_item(name, move |item| put(item, &value, &origin))
            .await
    }

    /// Writes down the origin of the value under `name`.
    pub(super) async fn set_origin(
        &self,
        name: &str,
        origin: &Origin,
    ) -> Result<(), KeyringProblem> {
        let origin = origin.to_string();
        let set =
            move |item: &Entry| item.update_attributes(&HashMap::from([(ORIGIN, origin.as_str())]));
        self.with_item(name, set).await
    }

    /// Takes the item `name` out; it need not be there.
    pub(super) async fn remove(&self, name: &str) -> Result<(), KeyringProblem> {
        let removed = self.with_item(name, Entry::delete_credential).await;
        if matches!(removed, Err(KeyringProblem::NoItem(_))) {
            Ok(())
        } else {
            removed
        }
    }

    /// Whether a service answers; it may still be locked.
    pub(super) async fn works(&self) -> Result<(), KeyringProblem> {
        let ask = |store: &Store| store.build(SERVICE, "presence", None).map(drop);
        self.call(PRESENCE_TIME_LIMIT, "", ask).await
    }

    async fn with_item<R: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(&Entry) -> keyring_core::Result<R> + Send + 'static,
    ) -> Result<R, KeyringProblem> {
        let user = name.to_owned();
        let work = move |store: &Store| {
            let label = format!("{SERVICE} {user}");
            work(&store.build(
                SERVICE,
                &user,
                Some(&HashMap::from([("label", label.as_str())])),
            )?)
        };
        self.call(TIME_LIMIT, name, work).await
    }

    async fn call<R: Send + 'static>(
        &self,
        limit: Duration,
        name: &str,
        work: impl FnOnce(&Store) -> keyring_core::Result<R> + Send + 'static,
    ) -> Result<R, KeyringProblem> {
        let waiting = QueuedCall::take(&self.waiting).ok_or(KeyringProblem::Silent)?;
        let (sender, receiver) = oneshot::channel();
        self.send(Box::new(move |line: &mut KeyringService| {
            // Nobody listens any more: they gave up, and a late write would surprise them.
            let answer = (!sender.is_closed()).then(|| line.speak(work));
            drop(waiting);
            let _ = answer.map(|answer| sender.send(answer));
        }))?;
        match tokio::time::timeout(limit, receiver).await {
            Ok(Ok(answer)) => answer.map_err(|error| keyring_problem(name, &error)),
            Ok(Err(_)) => Err(KeyringProblem::Absent),
            Err(_) => Err(KeyringProblem::Silent),
        }
    }

    fn send(&self, job: Job) -> Result<(), KeyringProblem> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let job = match jobs.as_ref() {
            None => job,
            Some(open) => match open.send(job) {
                Ok(()) => return Ok(()),
                // The thread has ended, by a panic in the library: the next one may fare better.
                Err(mpsc::SendError(job)) => job,
            },
        };
        *jobs = Some(start(job)?);
        Ok(())
    }
}

impl KeyringService {
    fn speak<R>(
        &mut self,
        work: impl FnOnce(&Store) -> keyring_core::Result<R>,
    ) -> keyring_core::Result<R> {
        let store = match &self.0 {
            Some(store) => Arc::clone(store),
            None => Store::new()?,
        };
        let answer = work(&store);
        // After a failure of the bus the next call connects anew: the desktop may have been started again.
        self.0 = (!matches!(answer, Err(Error::PlatformFailure(_)))).then_some(store);
        answer
    }
}

/// Counts a call as waiting until it is done or given up.
struct QueuedCall(Arc<AtomicUsize>);

impl QueuedCall {
    fn take(count: &Arc<AtomicUsize>) -> Option<Self> {
        let waiting = Self(Arc::clone(count));
        (waiting.0.fetch_add(1, Ordering::Relaxed) < QUEUE).then_some(waiting)
    }
}

impl Drop for QueuedCall {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn start(first: Job) -> Result<mpsc::Sender<Job>, KeyringProblem> {
    let (sender, receiver) = mpsc::channel::<Job>();
    let run = move || {
        let mut line = KeyringService::default();
        wiping(|| first(&mut line));
        // Ends with the last sender, which is to say with the program.
        for job in receiver {
            wiping(|| job(&mut line));
        }
    };
    match thread::Builder::new().name("keyring".to_owned()).spawn(run) {
        Ok(_) => Ok(sender),
        Err(error) => Err(KeyringProblem::Refused(inert(&error.to_string(), 80))),
    }
}

fn get(item: &Entry) -> keyring_core::Result<FoundSecret> {
    let bytes = Zeroizing::new(item.get_secret()?);
    // The library's error would carry the value along.
    let text = std::str::from_utf8(&bytes).map_err(|_not_text| Error::BadEncoding(Vec::new()))?;
    let origin = item
        .get_attributes()?
        .get(ORIGIN)
        .and_then(|origin| Origin::parse(origin));
    Ok(FoundSecret {
        value: Secret::new(text),
        origin,
    })
}

/// The value and its origin can't be written in one step: the old origin goes first, so that a new value is
/// never taken for one of the old host.
fn put(item: &Entry, value: &Secret, origin: &str) -> keyring_core::Result<()> {
    match item.update_attributes(&HashMap::from([(ORIGIN, "")])) {
        Ok(()) | Err(Error::NoEntry) => {}
        Err(error) => return Err(error),
    }
    item.set_secret(value.expose().as_bytes())?;
    item.update_attributes(&HashMap::from([(ORIGIN, origin)]))
}

/// The library's words, without what it may quote.
fn keyring_problem(name: &str, error: &Error) -> KeyringProblem {
    let name = inert(name, 80);
    match error {
        Error::NoEntry => KeyringProblem::NoItem(name),
        Error::Ambiguous(_) => KeyringProblem::Several(name),
        Error::BadEncoding(_) | Error::BadDataFormat(..) => KeyringProblem::NotText(name),
        Error::NoStorageAccess(_) => KeyringProblem::Locked,
        Error::PlatformFailure(_) => KeyringProblem::Absent,
        other => KeyringProblem::Refused(inert(&other.to_string(), 120)),
    }
}

#[cfg(test)]
mod tests;
