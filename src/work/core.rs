//! The core: what every use case works on, shared by all of them.

use std::any::Any;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::bookings::Bookings;
use super::climb::DetachedTasks;
use super::error::WorkError;
use super::gate::InFlight;
use super::history_writer::HistoryWriter;
use super::job::Recent;
use super::lazy_state::LazyState;
use super::lines::Lines;
use super::preparations::Preparations;
use super::recognising::Recognising;
use super::secret_cache::SecretCache;
use super::services::Services;
use crate::clipboard::{Clipboard, Terminal};
use crate::config::{Children, Environment, Folders};
use crate::domain::{Connection, Name, Origin, Secret, SecretRef};
use crate::probe::Prober;
use crate::store::configuration::SettingValue;
use crate::store::secrets::Entered;
use crate::store::stack::wiping;
use crate::store::{
    Configuration, SecretPlace, Secrets, Settings, Stamp, StateDb, Store, StoreKind, Vault, files,
};

/// For how long a configuration that can't be read is taken for still the same.
const RETRY: Duration = Duration::from_secs(2);

/// What a core is opened with: everything that is outside of it, read once.
#[derive(Clone, Debug)]
pub struct CoreOptions {
    /// The environment.
    pub environment: Environment,
    /// Where everything is kept.
    pub folders: Folders,
}

/// What is open while somebody is there: the vault as it stands, and what was entered. It outlives a core.
#[derive(Clone)]
pub struct Session {
    vault: Arc<Vault>,
    entered: Entered,
}

/// Where all use cases start. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Core(pub(super) Arc<Inner>);

/// What the clones share. Whatever takes time is made when it is first needed.
pub(super) struct Inner {
    pub(super) environment: Environment,
    /// The environment of the programs that are run for the user, as the configuration that was read last
    /// has it.
    pub(super) children: Children,
    /// Nothing where everything is in memory.
    pub(super) folders: Option<Folders>,
    /// What is known of the terminal on our stdout, for the clipboard.
    pub(super) terminal: OnceLock<Terminal>,
    pub(super) store: Store,
    read: Mutex<Option<(Stamp, Arc<Configuration>)>>,
    /// The one that could not be read, and when.
    failed: Mutex<Option<(Stamp, Instant)>>,
    pub(super) state: Arc<LazyState>,
    pub(super) services: Services,
    pub(super) vault: Arc<Vault>,
    pub(super) entered: Entered,
    pub(super) secrets: OnceLock<Secrets>,
    pub(super) kept: SecretCache,
    pub(super) recent: Recent,
    pub(super) recognising: Recognising,
    pub(super) prober: Prober,
    pub(super) detached: DetachedTasks,
    /// What follows from changes that were announced: the user's command, and what is remembered of them.
    pub(super) following: DetachedTasks,
    pub(super) history_writer: HistoryWriter,
    pub(super) in_flight: InFlight,
    /// Whether the program, or its command, is at its end: no further key is sent.
    pub(super) closing: AtomicBool,
    pub(super) bookings: Bookings,
    pub(super) lines: Lines,
    pub(super) preparations: Preparations,
    /// Wakes those who wait for attempts under way to end.
    pub(super) settled: Notify,
    pub(super) clipboard: OnceLock<Clipboard>,
    /// Whether what was copied last is to be cleared.
    pub(super) copied_secret: AtomicBool,
    /// Whether the program ends with what it was asked for: a session in which nothing can be kept.
    pub(super) ends_at_once: OnceLock<()>,
}

/// Something of a rehearsal: a connection with the values that it needs.
#[derive(Clone, Debug)]
pub struct Rehearsed {
    /// Its references are set by the values.
    pub connection: Connection,
    /// The key of its pair.
    pub key: Option<Secret>,
    /// Its shared token.
    pub token: Option<Secret>,
}

impl Core {
    /// Opens the core over files. Fast: nothing is read yet, no vault, no keyring, no network.
    pub fn open(options: CoreOptions) -> Self {
        let session = Session {
            vault: Arc::new(Vault::at(&options.folders.data)),
            entered: Entered::default(),
        };
        Self::open_in(options, session)
    }

    /// The same within the session of an earlier core over the same files: what was unlocked or entered there is so
    /// here.
    pub fn open_in(options: CoreOptions, session: Session) -> Self {
        let store =
            Store::at(&options.folders.configuration).with_home(options.environment.home.clone());
        Self(Arc::new(Inner {
            state: Arc::new(LazyState::at(options.folders.state.clone())),
            folders: Some(options.folders),
            ..Inner::new(options.environment, store, session)
        }))
    }

    /// What is open here, for another core over the same files.
    pub fn session(&self) -> Session {
        Session {
            vault: Arc::clone(&self.0.vault),
            entered: self.0.entered.clone(),
        }
    }

    /// A core that keeps everything in memory and writes no file: the demonstration's.
    pub async fn rehearsal(
        environment: Environment,
        entries: Vec<Rehearsed>,
    ) -> Result<Self, WorkError> {
        let referring: Vec<_> = entries.iter().map(Rehearsed::referring).collect();
        let failed = |error| WorkError::failed("setting up the rehearsal", error);
        let store = Store::in_memory(&referring).map_err(failed)?;
        let ask = SettingValue::Text(StoreKind::Ask.word().to_owned());
        let set = store.edit(|document| document.set_setting("store", ask));
        set.map_err(failed)?;
        // No file can be made there.
        let session = Session {
            vault: Arc::new(Vault::at("/dev/null/vault")),
            entered: Entered::default(),
        };
        let core = Self(Arc::new(Inner::new(environment, store, session)));
        let secrets = core.secrets().await?;
        for entry in entries {
            let name = &entry.connection.name;
            let origin = Origin::parse(&entry.connection.url);
            let values = [
                (SecretPlace::key(name), entry.key),
                (SecretPlace::token(name), entry.token),
            ];
            for (slot, value) in values {
                if let Some(value) = value {
                    let put = secrets
                        .put(&SecretRef::Ask, &slot, &value, origin.as_ref())
                        .await;
                    if let Err(problem) = put {
                        return Err(core.refused(problem).await);
                    }
                }
            }
        }
        core.0.entered.keep();
        Ok(core)
    }

    /// The same core with what is known of the terminal on our stdout, for the clipboard. To be called
    /// before anything else shares it.
    #[must_use]
    pub fn with_terminal(self, terminal: Terminal) -> Self {
        let _ = self.0.terminal.set(terminal);
        self
    }

    /// The same core for one command: what would be kept for the session is refused, as it would be lost.
    #[must_use]
    pub fn for_one_command(self) -> Self {
        let _ = self.0.ends_at_once.set(());
        self
    }

    /// What the configuration says. Read anew only where the file has changed since the last time.
    pub async fn configuration(&self) -> Result<Arc<Configuration>, WorkError> {
        self.blocking(Inner::configuration).await
    }

    /// Refuses a configuration that others can change, though it was read before.
    pub async fn refuse_open_to_others(&self) -> Result<(), WorkError> {
        self.blocking_bare(|inner| {
            let looked = inner.store.refuse_open_to_others();
            looked.map_err(|problem| WorkError::failed("reading the configuration", problem))
        })
        .await
    }

    /// Tells whether somebody has changed the configuration since an earlier stamp. One look at the file.
    pub async fn stamp(&self) -> Result<Stamp, WorkError> {
        self.blocking_bare(|inner| Ok(inner.store.stamp())).await
    }

    /// The settings.
    pub async fn settings(&self) -> Result<Settings, WorkError> {
        Ok(self.configuration().await?.settings.clone())
    }

    /// The settings without the connections, read at once: what the first frame needs.
    pub fn settings_alone(&self) -> Settings {
        self.0.store.settings_alone()
    }

    /// All connections, in the order of the file.
    pub async fn connections(&self) -> Result<Vec<Arc<Connection>>, WorkError> {
        Ok(self.configuration().await?.connections.clone())
    }

    /// The connection called `name`.
    pub async fn connection(&self, name: &Name) -> Result<Connection, WorkError> {
        let configuration = self.configuration().await?;
        found(&configuration, name).cloned()
    }

    /// Takes away what a killed program left beside the files. To be called once, some time after the
    /// start; nothing that fails here matters.
    pub async fn sweep(&self) {
        let swept = self.blocking_bare(|inner| {
            inner.sweep();
            Ok(())
        });
        let _ = swept.await;
    }

    /// The settings and connections as they are kept: for roots that change settings or doctor files.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The environment that this core was opened with.
    pub fn environment(&self) -> &Environment {
        &self.0.environment
    }

    /// Where everything is kept; nothing where all is in memory.
    pub fn folders(&self) -> Option<&Folders> {
        self.0.folders.as_ref()
    }

    /// Runs `work`, which blocks, beside the runtime. What was begun is ended even where nobody waits for it
    /// any more: files are never left half-way.
    pub(super) async fn blocking<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<R, WorkError> + Send + 'static,
    ) -> Result<R, WorkError> {
        let work = |inner: &Inner| Box::new(work(inner)) as Box<dyn Any + Send>;
        given(
            self.beside(Box::new(move |inner| wiping(|| work(inner))))
                .await,
        )
    }

    /// The same for work that has no secret in hand. There is nothing to wipe behind it, and a thread that has done
    /// no other has the less to give back at its end.
    pub(super) async fn blocking_bare<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<R, WorkError> + Send + 'static,
    ) -> Result<R, WorkError> {
        given(self.beside(Box::new(|inner| Box::new(work(inner)))).await)
    }

    async fn beside(&self, work: BoxedWork) -> Result<Box<dyn Any + Send>, WorkError> {
        let inner = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(&inner)).await;
        done.map_err(|error| WorkError::failed(BACKGROUND, error))
    }
}

/// What blocks, and what it gives, by their addresses: what a runtime has around them would be there once for each.
type BoxedWork = Box<dyn FnOnce(&Inner) -> Box<dyn Any + Send> + Send>;

const BACKGROUND: &str = "working in the background";

/// What such work gave.
fn given<R: 'static>(done: Result<Box<dyn Any + Send>, WorkError>) -> Result<R, WorkError> {
    match done?.downcast::<Result<R, WorkError>>() {
        Ok(given) => *given,
        Err(_) => Err(WorkError::failed(
            BACKGROUND,
            "it gave what was not asked for",
        )),
    }
}

impl Session {
    /// Locks: forgets the vault's identity, its values, and what was entered. Waits for a change of the vault that is
    /// being written.
    pub fn lock(&self) {
        self.vault.lock();
        self.entered.forget();
    }
}

impl Rehearsed {
    fn referring(&self) -> Connection {
        Connection {
            key: self.key.as_ref().map(|_| SecretRef::Ask),
            token: self.token.as_ref().map(|_| SecretRef::Ask),
            ..self.connection.clone()
        }
    }
}

impl Inner {
    fn new(environment: Environment, store: Store, session: Session) -> Self {
        Self {
            children: Children::new(environment.clone()),
            environment,
            folders: None,
            terminal: OnceLock::new(),
            store,
            read: Mutex::default(),
            failed: Mutex::default(),
            state: Arc::default(),
            services: Services::default(),
            vault: session.vault,
            entered: session.entered,
            secrets: OnceLock::new(),
            kept: SecretCache::default(),
            recent: Recent::default(),
            recognising: Recognising::default(),
            prober: Prober::default(),
            detached: DetachedTasks::default(),
            following: DetachedTasks::default(),
            history_writer: HistoryWriter::default(),
            in_flight: InFlight::default(),
            closing: AtomicBool::new(false),
            bookings: Bookings::default(),
            lines: Lines::default(),
            preparations: Preparations::default(),
            settled: Notify::new(),
            clipboard: OnceLock::new(),
            copied_secret: AtomicBool::new(false),
            ends_at_once: OnceLock::new(),
        }
    }

    /// As [`Core::sweep`]. Blocks.
    pub(super) fn sweep(&self) {
        self.store.sweep();
        self.vault.sweep();
    }

    /// The configuration, read anew where its stamp is another one. Where connections are known from before, a file
    /// that is away (removed, or on a disk that is not mounted now) says nothing of them, and is an error. Blocks.
    pub(super) fn configuration(&self) -> Result<Arc<Configuration>, WorkError> {
        // The stamp is taken before the file is read: a change in between is seen the next time.
        let stamp = self.store.stamp();
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, configuration)) = read.as_ref()
            && *known == stamp
        {
            return Ok(Arc::clone(configuration));
        }
        let configuration = self
            .store
            .load()
            .map_err(|error| WorkError::failed("reading the configuration", error))?;
        let knew_some = read
            .as_ref()
            .is_some_and(|(_, known)| !known.connections.is_empty());
        if knew_some && self.store.is_gone() {
            return Err(WorkError::failed(
                "reading the configuration",
                self.put_it_back(),
            ));
        }
        self.children.obey(
            configuration.variables_with_secrets(),
            configuration.settings.command_variables.clone(),
        );
        self.vault.set_in_use(configuration.uses_vault());
        let configuration = Arc::new(configuration);
        *read = Some((stamp, Arc::clone(&configuration)));
        Ok(configuration)
    }

    /// Refuses a change of a configuration that is away: the file would be made anew, with the change alone in it.
    pub(super) fn refuse_where_gone(&self) -> Result<(), WorkError> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let knew_some = read
            .as_ref()
            .is_some_and(|(_, known)| !known.connections.is_empty());
        drop(read);
        if knew_some && self.store.is_gone() {
            return Err(WorkError::failed(
                "changing the configuration",
                self.put_it_back(),
            ));
        }
        Ok(())
    }

    fn put_it_back(&self) -> String {
        let path = self.store.path().map(files::shown).unwrap_or_default();
        let newest = self.store.lost().map(|newest| {
            let newest = files::shown(&newest);
            format!(" (the version before its last change is {newest})")
        });
        format!("{path} is gone: put it back{}", newest.unwrap_or_default())
    }

    /// The configuration, or where it can't be read now (somebody edits it, or took a permission away) as it was
    /// when it could: for what goes on meanwhile. Blocks.
    pub(super) fn last_configuration(&self) -> Result<Arc<Configuration>, WorkError> {
        let stamp = self.store.stamp();
        {
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            // One that is broken is not parsed anew for each of thousands of probes.
            let is_known = failed
                .as_ref()
                .is_some_and(|(known, at)| *known == stamp && at.elapsed() < RETRY);
            if is_known && let Some(last) = self.last_read() {
                return Ok(last);
            }
            *failed = None;
        }
        self.configuration().or_else(|problem| {
            let last = self.last_read().ok_or(problem)?;
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            *failed = Some((stamp, Instant::now()));
            Ok(last)
        })
    }

    fn last_read(&self) -> Option<Arc<Configuration>> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.as_ref().map(|(_, last)| Arc::clone(last))
    }

    /// Makes the paths whole that somebody has just entered: from the current folder on, and `~/…` from the home.
    pub(super) fn make_paths_whole(&self, entered: &mut Connection) {
        if let Ok(folder) = std::path::absolute(".") {
            entered.make_paths_whole(&folder, self.environment.home.as_deref());
        }
    }

    /// The state that all programs share; opened at the first call that succeeds. Blocks.
    pub(super) fn state(&self) -> Result<Arc<StateDb>, WorkError> {
        self.state.get()
    }
}

/// The connection called `name` in `configuration`.
pub(super) fn found<'a>(
    configuration: &'a Configuration,
    name: &Name,
) -> Result<&'a Connection, WorkError> {
    shared(configuration, name).map(|connection| &**connection)
}

/// The same, to be kept.
pub(super) fn shared<'a>(
    configuration: &'a Configuration,
    name: &Name,
) -> Result<&'a Arc<Connection>, WorkError> {
    configuration
        .connections
        .iter()
        .find(|connection| connection.name == *name)
        .ok_or_else(|| WorkError::NoSuchConnection(name.clone()))
}
