//! Tells when somebody changes the configuration or calls to lock, without looking again and again.
//!
//! The system tells (inotify), so that a screen at rest wakes for nothing. Where it can't (no watches left, a file
//! system without them), the files are looked at every two seconds.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
    sendmsg, socketpair,
};
use tokio::net::unix::pipe::Receiver;

/// How often the files are looked at where the system does not tell.
const LOOK: Duration = Duration::from_secs(2);
/// An editor that saves touches its file more than once.
const SETTLED: Duration = Duration::from_millis(50);

/// A file was written, replaced or taken away.
const WRITTEN: WatchFlags = WatchFlags::CLOSE_WRITE
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::DELETE);
/// Something appeared in a folder that holds more than ours.
const APPEARED: WatchFlags = WatchFlags::CREATE.union(WatchFlags::MOVED_TO);

/// Waits for changes beside some files.
pub struct Changes {
    inotify: Option<Receiver>,
    /// Lets the program end at once.
    _deferred_close: Option<DeferredClose>,
    /// The configuration, and where it really stands.
    configuration: PathBuf,
    /// The folder of the state: written into all the time, so that only what is moved there counts.
    state: PathBuf,
    /// Something was reported, and it was not yet looked at whether other folders are to be watched now.
    unsettled: bool,
}

impl Changes {
    /// Watches the configuration file and the folder of the state, whether or not they are there yet. Needs a
    /// running runtime.
    pub fn of(configuration: &Path, state: &Path) -> Self {
        let open = || -> io::Result<_> {
            let inotify = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
            Receiver::from_owned_fd_unchecked(inotify)
        };
        let inotify = open().ok();
        let mut changes = Self {
            _deferred_close: inotify
                .as_ref()
                .and_then(|inotify| DeferredClose::around(inotify).ok()),
            inotify,
            configuration: configuration.to_owned(),
            state: state.to_owned(),
            unsettled: false,
        };
        changes.watch();
        changes
    }

    /// For what is kept in memory: looked at every two seconds.
    pub fn in_memory() -> Self {
        Self {
            inotify: None,
            _deferred_close: None,
            configuration: PathBuf::new(),
            state: PathBuf::new(),
            unsettled: false,
        }
    }

    /// Ends when something may have changed. What changes from the call of [`Changes::of`] on is not missed.
    pub async fn next(&mut self) {
        if std::mem::take(&mut self.unsettled) {
            self.watch();
        }
        let Some(inotify) = &self.inotify else {
            return tokio::time::sleep(LOOK).await;
        };
        if heard(inotify).await.is_err() {
            // Looked at from now on.
            self.inotify = None;
            return;
        }
        // Whoever waits for this may give up here: the next call does the rest first.
        self.unsettled = true;
        tokio::time::sleep(SETTLED).await;
        while read(inotify).is_ok() {}
        self.unsettled = false;
        // A folder that was made meanwhile, or a link that leads elsewhere now.
        self.watch();
    }

    fn watch(&mut self) {
        let real = std::fs::canonicalize(&self.configuration).ok();
        let folder = self.configuration.parent();
        let elsewhere = real.as_deref().and_then(Path::parent);
        let watched = [
            folder.map(|folder| (folder, WRITTEN)),
            elsewhere.map(|folder| (folder, WRITTEN)),
            Some((self.state.as_path(), WatchFlags::MOVED_TO)),
        ];
        let Some(inotify) = &self.inotify else { return };
        for (folder, flags) in watched.into_iter().flatten() {
            if watch_or_above(inotify, folder, flags).is_err() {
                self.inotify = None;
                return;
            }
        }
    }
}

/// A message that is never read, in the queue of a socket that the message itself holds, and with it the inotify
/// instance.
///
/// Whoever closes an inotify instance for the last time waits for the kernel to be done with its watches: five to
/// twenty milliseconds, in which a program that has ended is still there for its shell. Held by the message, the
/// instance is closed last by the kernel's collector of such circles (unix(7), `SCM_RIGHTS`), which works aside from
/// Linux 6.9 on. Before, the end takes as long as it did.
struct DeferredClose {
    _ends: (OwnedFd, OwnedFd),
    /// Closed with the others at the end: every socket that is closed calls the collector.
    _caller: (OwnedFd, OwnedFd),
}

impl DeferredClose {
    fn around(inotify: &impl AsFd) -> Result<Self, Errno> {
        let pair = || {
            let kind = SocketType::DGRAM;
            socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)
        };
        let (caller, (from, to)) = (pair()?, pair()?);
        let held = [inotify.as_fd(), from.as_fd(), to.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&held));
        sendmsg(
            &from,
            &[IoSlice::new(b"-")],
            &mut control,
            SendFlags::empty(),
        )?;
        Ok(Self {
            _ends: (from, to),
            _caller: caller,
        })
    }
}

/// Ends when the system has reported something.
async fn heard(inotify: &Receiver) -> io::Result<()> {
    loop {
        inotify.readable().await?;
        match read(inotify) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => return read,
        }
    }
}

/// Takes in what was reported: that it was is enough.
fn read(inotify: &Receiver) -> io::Result<()> {
    match inotify.try_read(&mut [0; 4096])? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// Watches a folder, or the nearest one above it that is there.
fn watch_or_above(inotify: &Receiver, folder: &Path, flags: WatchFlags) -> Result<(), Errno> {
    let mut flags = flags;
    for folder in folder.ancestors() {
        match add_watch(inotify, folder, flags | WatchFlags::MASK_ADD) {
            Err(Errno::NOENT | Errno::NOTDIR) => flags = APPEARED,
            done => return done.map(drop),
        }
    }
    Err(Errno::NOENT)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    async fn change(changes: &mut Changes) {
        tokio::time::timeout(LIMIT, changes.next()).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_written_and_moved_there_is_told_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let (folder, state) = (home.path().join("config/ours"), home.path().join("state"));
        let file = folder.join("ours.toml");
        fs::create_dir(&state).unwrap();
        let mut changes = Changes::of(&file, &state);
        // Not there yet: a folder after the other is made.
        fs::create_dir(home.path().join("config")).unwrap();
        change(&mut changes).await;
        fs::create_dir(&folder).unwrap();
        change(&mut changes).await;
        fs::write(&file, "a = 1").unwrap();
        change(&mut changes).await;
        fs::write(&file, "a = 2").unwrap();
        change(&mut changes).await;
        // As the history does.
        fs::write(state.join("history"), "row").unwrap();
        let nothing = tokio::time::timeout(Duration::from_millis(200), changes.next());
        assert!(nothing.await.is_err());
        fs::write(state.join("new"), "").unwrap();
        fs::rename(state.join("new"), state.join("call")).unwrap();
        change(&mut changes).await;
        assert!(changes.inotify.is_some(), "by the system, not by looking");
    }

    #[tokio::test]
    async fn a_link_is_followed() {
        let home = tempfile::tempdir().unwrap();
        let (file, real) = (home.path().join("link/ours"), home.path().join("real/ours"));
        for path in [&file, &real] {
            fs::create_dir(path.parent().unwrap()).unwrap();
        }
        fs::write(&real, "").unwrap();
        std::os::unix::fs::symlink(&real, &file).unwrap();
        let mut changes = Changes::of(&file, home.path());
        fs::write(&real, "a = 1").unwrap();
        change(&mut changes).await;
        assert!(changes.inotify.is_some());
    }
}
