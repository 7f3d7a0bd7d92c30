//! `vault.age`: secrets encrypted to recipients, opened by the identity in `identity.age`, which a
//! passphrase protects. The `age` command opens both.
//!
//! scrypt's work is done once, for the identity; saving costs milliseconds. The recipients stand inside the
//! encrypted file: whoever can change a file beside it could otherwise add themselves and read the next
//! version. Every call blocks; [`Vault::create`], [`Vault::unlock`] and [`Vault::change_passphrase`] for
//! about a second, with 128 MiB.

pub mod bundle;
mod contents;
mod problem;
mod seal;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use age::x25519::Identity;
use jiff::Timestamp;

pub use contents::{Recipient, VaultEntry};
pub use problem::{Damage, VaultProblem};

use self::contents::Contents;
use super::configuration::Stamp;
use super::files::{self, FileProblem, Lock};
use crate::domain::text::inert;
use crate::domain::{Origin, Secret};

/// scrypt's cost of `identity.age` as a power of two: half a second and 128 MiB, which small hosts have.
const WORK_FACTOR: u8 = 17;

/// How the vault stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VaultState {
    /// There is neither identity nor vault here: [`Vault::create`] makes both.
    Absent,
    /// There is a vault, and no identity that could open it: it was lost, or somebody joins a team.
    WithoutIdentity,
    /// The passphrase is needed.
    Locked,
    /// Open.
    Unlocked,
}

/// The vault in a folder. Values and identity are in memory only while it is unlocked.
pub struct Vault {
    folder: PathBuf,
    work_factor: u8,
    open: Mutex<Option<OpenVault>>,
    /// Whether `open` holds something. Whoever only asks does not wait for a change that is being written.
    is_open: AtomicBool,
    /// How often it was to be locked.
    locks: AtomicU64,
    /// Of those, how many came before whoever opened it last began to.
    opened_after: AtomicU64,
    /// Whether connections refer to it: then it has entries, wherever its file is.
    is_in_use: AtomicBool,
}

struct OpenVault {
    identity: Identity,
    contents: Contents,
    stamp: Stamp,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl Vault {
    /// The vault in `folder`, which need not exist. Nothing is read yet.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            work_factor: WORK_FACTOR,
            open: Mutex::new(None),
            is_open: AtomicBool::new(false),
            locks: AtomicU64::new(0),
            opened_after: AtomicU64::new(0),
            is_in_use: AtomicBool::new(false),
        }
    }

    /// Says whether connections refer to it. While they do, a `vault.age` that is not there is one that is away, and
    /// no empty one is written in its place.
    pub fn set_in_use(&self, is_in_use: bool) {
        self.is_in_use.store(is_in_use, Ordering::SeqCst);
    }

    /// `identity.age`.
    pub fn identity_path(&self) -> PathBuf {
        self.folder.join("identity.age")
    }

    /// `vault.age`.
    pub fn path(&self) -> PathBuf {
        self.folder.join("vault.age")
    }

    /// How it stands. One that can't be looked at is there: nobody is to be offered a new one for it. Waits
    /// for nobody who is about the vault.
    pub fn state(&self) -> VaultState {
        if self.is_open() {
            VaultState::Unlocked
        } else if is_there(&self.identity_path()).unwrap_or(true) {
            VaultState::Locked
        } else if is_there(&self.path()).unwrap_or(false) {
            VaultState::WithoutIdentity
        } else {
            VaultState::Absent
        }
    }

    /// What is said where there is a vault and no identity.
    pub fn without_identity(&self) -> VaultProblem {
        VaultProblem::WithoutIdentity {
            vault: self.path(),
            identity: self.identity_path(),
        }
    }

    /// What is said where there is none.
    pub fn absent(&self) -> VaultProblem {
        VaultProblem::Absent {
            path: self.identity_path(),
        }
    }

    /// What of the two files can be seen to be damaged without the passphrase: each begins as age files do.
    pub fn damaged(&self) -> Vec<VaultProblem> {
        let begins = |path: &Path| {
            let read = files::read_regular(path, files::TEXT_LIMIT);
            // What is not there, or can't be read, is told by others.
            read.is_ok_and(|bytes| !bytes.starts_with(b"age-encryption.org/"))
        };
        let both = [self.identity_path(), self.path()];
        both.into_iter()
            .filter(|path| begins(path))
            .map(Damage::NotAge.of_file())
            .collect()
    }

    /// Makes an identity under `passphrase`, and the vault if there is none; gives the recipient that belongs
    /// to the identity. Where a team's vault is there already, somebody in it must add that recipient
    /// ([`Vault::add_recipient`]) before it can be unlocked here.
    pub fn create(&self, passphrase: &Secret) -> Result<String, VaultProblem> {
        if passphrase.is_empty() {
            return Err(VaultProblem::EmptyPassphrase);
        }
        let begun = self.locks();
        files::make_private_folder(&self.folder)?;
        let (mut guard, _lock) = self.both_locks()?;
        if is_there(&self.identity_path())? {
            return Err(VaultProblem::Exists {
                path: self.identity_path(),
            });
        }
        let identity = Identity::generate();
        let recipient = identity.to_public().to_string();
        let sealed =
            seal::seal_identity(&identity, passphrase, self.work_factor).map_err(|source| {
                VaultProblem::Unsealed {
                    path: self.identity_path(),
                    source,
                }
            })?;
        files::write_whole(&self.identity_path(), &sealed)?;
        if !is_there(&self.path())? {
            let mut contents = Contents::default();
            contents
                .recipients
                .insert(recipient.clone(), "own".to_owned());
            let stamp = self.save(&contents)?;
            let open = OpenVault {
                identity,
                contents,
                stamp,
            };
            self.open_since(begun, &mut guard, open)?;
        }
        Ok(recipient)
    }

    /// Opens the vault. A wrong passphrase is told apart from a damaged file, as far as age allows: a file
    /// whose wrapped key was changed looks like a wrong passphrase. Where it is locked meanwhile it stays so.
    pub fn unlock(&self, passphrase: &Secret) -> Result<(), VaultProblem> {
        self.unlock_since(self.locks(), passphrase)
    }

    fn unlock_since(&self, begun: u64, passphrase: &Secret) -> Result<(), VaultProblem> {
        let identity = self.identity(passphrase)?;
        let (contents, stamp) = self.load(&identity)?;
        let open = OpenVault {
            identity,
            contents,
            stamp,
        };
        self.open_since(begun, &mut self.opened(), open)
    }

    /// The recipient that belongs to the identity here, whether the vault is encrypted to it or not: for
    /// whoever shall add it.
    pub fn public_key(&self, passphrase: &Secret) -> Result<String, VaultProblem> {
        Ok(self.identity(passphrase)?.to_public().to_string())
    }

    /// From now on it counts as locked, and nobody who has begun to open it opens it any more.
    pub fn begin_lock(&self) {
        self.locks.fetch_add(1, Ordering::SeqCst);
    }

    /// Forgets the identity and every value; their memory is wiped. Waits for a change that is being written.
    pub fn lock(&self) {
        // Once for each lock: whoever opens it again meanwhile is not in its way.
        if !self.is_shut() {
            self.begin_lock();
        }
        self.set(&mut self.opened(), None);
    }

    /// Whether it was locked since it was opened last.
    pub fn is_shut(&self) -> bool {
        self.opened_after.load(Ordering::SeqCst) != self.locks()
    }

    fn locks(&self) -> u64 {
        self.locks.load(Ordering::SeqCst)
    }

    /// Puts the identity under another passphrase. The vault must be unlocked: whoever asks for the old
    /// passphrase unlocks it with that first.
    pub fn change_passphrase(&self, passphrase: &Secret) -> Result<(), VaultProblem> {
        if passphrase.is_empty() {
            return Err(VaultProblem::EmptyPassphrase);
        }
        if !self.is_open() {
            return Err(VaultProblem::Locked);
        }
        let (guard, _lock) = self.both_locks()?;
        let open = guard.as_ref().ok_or(VaultProblem::Locked)?;
        let sealed = seal::seal_identity(&open.identity, passphrase, self.work_factor).map_err(
            |source| VaultProblem::Unsealed {
                path: self.identity_path(),
                source,
            },
        )?;
        Ok(files::write_whole(&self.identity_path(), &sealed)?)
    }

    /// The entry called `name`, as the file has it now: what another program has saved is seen.
    pub fn get(&self, name: &str) -> Result<Option<VaultEntry>, VaultProblem> {
        self.read(|contents| contents.entries.get(name).cloned())
    }

    /// The names of all entries.
    pub fn names(&self) -> Result<Vec<String>, VaultProblem> {
        self.read(|contents| contents.entries.keys().cloned().collect())
    }

    /// Since when each entry holds what it holds.
    pub fn dates(&self) -> Result<HashMap<String, Timestamp>, VaultProblem> {
        let date = |(name, entry): (&String, &VaultEntry)| (name.clone(), entry.changed);
        self.read(|contents| contents.entries.iter().map(date).collect())
    }

    /// Keeps `value` under `name`, with the origin that it was entered for.
    pub fn put(
        &self,
        name: &str,
        value: &Secret,
        origin: Option<&Origin>,
    ) -> Result<(), VaultProblem> {
        let entry = VaultEntry {
            value: value.clone(),
            origin: origin.map(Origin::to_string),
            changed: Timestamp::now(),
        };
        self.change(|contents| {
            contents.entries.insert(name.to_owned(), entry);
            Ok(())
        })
    }

    /// Fails where an entry could not be put now: the vault is written as it is.
    pub fn try_to_write(&self) -> Result<(), VaultProblem> {
        self.change(|_| Ok(()))
    }

    /// Writes down the origin that the entry `name` is for from now on.
    pub fn set_origin(&self, name: &str, origin: &Origin) -> Result<(), VaultProblem> {
        self.change(|contents| {
            let entry = contents.entries.get_mut(name);
            let entry = entry.ok_or_else(|| VaultProblem::NoEntry(inert(name, 80)))?;
            entry.origin = Some(origin.to_string());
            Ok(())
        })
    }

    /// Takes the entry `name` out; whether it was there.
    pub fn remove(&self, name: &str) -> Result<bool, VaultProblem> {
        self.change(|contents| Ok(contents.entries.remove(name).is_some()))
    }

    /// Those it is encrypted to.
    pub fn recipients(&self) -> Result<Vec<Recipient>, VaultProblem> {
        let own = self.own_recipient()?;
        let recipient = |(key, label): (&String, &String)| Recipient {
            key: key.clone(),
            label: label.clone(),
            own: *key == own,
        };
        self.read(|contents| contents.recipients.iter().map(recipient).collect())
    }

    /// Encrypts it to one more person from now on: their `age1…`, and a label.
    pub fn add_recipient(&self, key: &str, label: &str) -> Result<(), VaultProblem> {
        let key = seal::recipient(key)
            .ok_or(VaultProblem::NotARecipient)?
            .to_string();
        let label = inert(label, 64);
        self.change(|contents| {
            contents.recipients.insert(key, label);
            Ok(())
        })
    }

    /// Encrypts it to one person less from now on. They keep what they have seen, and older versions: the
    /// secrets inside must be changed where they are issued.
    pub fn remove_recipient(&self, key: &str) -> Result<(), VaultProblem> {
        if self.own_recipient()? == key {
            return Err(VaultProblem::OwnRecipient);
        }
        self.change(|contents| match contents.recipients.remove(key) {
            Some(_) => Ok(()),
            None => Err(VaultProblem::NotARecipient),
        })
    }

    /// Takes away what a killed program left beside the files. Called once at start; nothing that fails here
    /// matters.
    pub fn sweep(&self) {
        if self.identity_path().exists()
            && let Ok(Some(_lock)) = Lock::try_take(&self.lock_path())
        {
            files::sweep(&self.path());
            files::sweep(&self.identity_path());
        }
    }

    fn identity(&self, passphrase: &Secret) -> Result<Identity, VaultProblem> {
        let path = self.identity_path();
        if !is_there(&path)? {
            return Err(self.absent());
        }
        files::refuse_writable_by_others(&path)?;
        let sealed = files::read_regular(&path, files::SECRET_LIMIT)?;
        seal::open_identity(&sealed, passphrase, &path)
    }

    fn own_recipient(&self) -> Result<String, VaultProblem> {
        let guard = self.opened();
        let open = guard.as_ref().ok_or(VaultProblem::Locked)?;
        Ok(open.identity.to_public().to_string())
    }

    fn read<R>(&self, read: impl FnOnce(&Contents) -> R) -> Result<R, VaultProblem> {
        let mut guard = self.opened();
        let open = guard.as_mut().ok_or(VaultProblem::Locked)?;
        // One that is away may have been taken for an empty one before anybody said that it is in use.
        if Stamp::of(&self.path()) != open.stamp || open.stamp == Stamp::default() {
            (open.contents, open.stamp) = self.load(&open.identity)?;
        }
        Ok(read(&open.contents))
    }

    /// Changes the fresh contents under the lock, so that two programs never lose each other's entries.
    fn change<R>(
        &self,
        change: impl FnOnce(&mut Contents) -> Result<R, VaultProblem>,
    ) -> Result<R, VaultProblem> {
        // It may have no folder yet, to hold a lock.
        if !self.is_open() {
            return Err(VaultProblem::Locked);
        }
        let (mut guard, _lock) = self.both_locks()?;
        let open = guard.as_mut().ok_or(VaultProblem::Locked)?;
        let (mut contents, _) = self.load(&open.identity)?;
        let result = change(&mut contents)?;
        open.stamp = self.save(&contents)?;
        open.contents = contents;
        Ok(result)
    }

    /// A vault that is not there, and that nothing refers to, is an empty one: killed between its two files. One that
    /// is in use, or that a link leads to, is away (a stick, a checkout), with its entries and recipients.
    fn load(&self, identity: &Identity) -> Result<(Contents, Stamp), VaultProblem> {
        let path = self.path();
        let stamp = Stamp::of(&path);
        let mut contents = if is_there(&path)? {
            // Whoever can put another file there can encrypt it to themselves too, and read what is saved next.
            files::refuse_writable_by_others(&path)?;
            let sealed = files::read_regular(&path, files::TEXT_LIMIT);
            let sealed = sealed.map_err(VaultProblem::of_vault)?;
            seal::open(&sealed, identity, &path)?
        } else if self.is_in_use.load(Ordering::SeqCst) || path.is_symlink() {
            return Err(VaultProblem::Away {
                path: files::followed(&path),
                identity: self.identity_path(),
            });
        } else {
            Contents::default()
        };
        if contents.recipients.is_empty() {
            contents
                .recipients
                .insert(identity.to_public().to_string(), "own".to_owned());
        }
        Ok((contents, stamp))
    }

    fn save(&self, contents: &Contents) -> Result<Stamp, VaultProblem> {
        let path = self.path();
        let sealed = seal::seal(contents).map_err(|source| VaultProblem::Unsealed {
            path: path.clone(),
            source,
        })?;
        files::sweep(&path);
        files::write_whole(&path, &sealed)?;
        Ok(Stamp::of(&path))
    }

    /// The lock beside both files.
    pub fn lock_path(&self) -> PathBuf {
        self.folder.join(".vault.lock")
    }

    /// What whoever writes needs: first the lock among the threads here, then the one among programs. In
    /// another order two threads would wait for each other.
    fn both_locks(&self) -> Result<(MutexGuard<'_, Option<OpenVault>>, Lock), VaultProblem> {
        let guard = self.opened();
        Ok((guard, Lock::take(&self.lock_path())?))
    }

    fn opened(&self) -> MutexGuard<'_, Option<OpenVault>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_open(&self) -> bool {
        self.is_open.load(Ordering::SeqCst)
    }

    /// Opens it, unless it was locked after so many locks.
    fn open_since(
        &self,
        begun: u64,
        guard: &mut MutexGuard<'_, Option<OpenVault>>,
        open: OpenVault,
    ) -> Result<(), VaultProblem> {
        if self.locks() != begun {
            return Err(VaultProblem::Locked);
        }
        self.set(guard, Some(open));
        self.opened_after.store(begun, Ordering::SeqCst);
        Ok(())
    }

    fn set(&self, guard: &mut MutexGuard<'_, Option<OpenVault>>, open: Option<OpenVault>) {
        self.is_open.store(open.is_some(), Ordering::SeqCst);
        **guard = open;
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Whether there is anything at `path`; without a permission to look, that is not known.
fn is_there(path: &Path) -> Result<bool, FileProblem> {
    match path.try_exists() {
        // Something else stands where its folder would be.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
        there => there.map_err(|source| FileProblem::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

#[cfg(test)]
mod tests;
