//! Whose files are believed: nobody else's than the user's and root's, and none that others can change.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::OnceLock;

use rustix::process::{Uid, geteuid};

use super::{FileProblem, followed, quoted};

const GROUP_OR_OTHERS_WRITE: u32 = 0o022;

/// The user who called root by `sudo`.
static CALLER: OnceLock<u32> = OnceLock::new();

/// Has root believe the files of `caller` as well: the user who called it by `sudo`, where one did. To be said once,
/// before anything is read.
pub fn trust_caller(caller: Option<u32>) {
    if let Some(caller) = caller {
        let _ = CALLER.set(caller);
    }
}

/// Refuses a file that group or others may change, or that is another user's, or that lies in such a folder. A
/// symbolic link is followed: both folders count.
pub fn refuse_writable_by_others(path: &Path) -> Result<(), FileProblem> {
    let target = followed(path);
    // A device is none, and nobody is to change its mode.
    if fs::metadata(&target).is_ok_and(|found| !found.is_file()) {
        return Err(FileProblem::NotAFile {
            path: path.to_owned(),
        });
    }
    for path in [Some(target.as_path()), target.parent(), path.parent()] {
        let Some(path) = path else { continue };
        // A bare name lies in the folder where the program was started.
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        let found = match fs::metadata(path) {
            Ok(found) => found,
            Err(source) if source.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => {
                return Err(FileProblem::Read {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        if found.permissions().mode() & GROUP_OR_OTHERS_WRITE != 0 {
            return Err(FileProblem::WritableByOthers {
                path: path.to_owned(),
            });
        }
        if !is_trusted(found.uid()) {
            return Err(FileProblem::AnothersFile {
                path: path.to_owned(),
                owner: found.uid(),
            });
        }
    }
    Ok(())
}

/// Whether what belongs to `owner` is believed here.
pub(super) fn is_trusted(owner: u32) -> bool {
    trusts(geteuid(), CALLER.get().copied(), owner)
}

/// `user` believes their own files and root's; root those of its `caller` as well, and nobody else's: whoever can change
/// them would have their programs run as root.
fn trusts(user: Uid, caller: Option<u32>, owner: u32) -> bool {
    let is_callers = user.is_root() && caller == Some(owner);
    owner == 0 || owner == user.as_raw() || is_callers
}

/// What to do where the file at `path` is another user's.
pub(super) fn cure(path: &Path, owner: u32) -> String {
    let (user, word) = (geteuid(), quoted(path));
    if user.is_root() {
        return format!(
            "run this as that user (in a container: with `--user {owner}`), or run `chown 0 {word}`, or name folders of \
             root's with --config-dir and --state-dir"
        );
    }
    format!("copy it, or run `chown {} {word}`", user.as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_another_users_is_not_believed() {
        let (root, user) = (Uid::ROOT, Uid::from_raw(1000));
        for (user, caller, owner, trusted) in [
            (user, None, 1000, true),
            (user, None, 0, true),
            (user, None, 1234, false),
            (user, Some(1234), 1234, false),
            (root, None, 0, true),
            (root, None, 1234, false),
            (root, Some(1234), 1234, true),
            (root, Some(1234), 1000, false),
            (root, Some(0), 0, true),
        ] {
            let told = trusts(user, caller, owner);
            assert_eq!(told, trusted, "{owner}'s for {user:?} of {caller:?}");
        }
    }
}
