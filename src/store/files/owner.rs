//! Folders of ours, whose they are, and whether they can be written.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

use rustix::fs::{Access, OFlags, StatVfsMountFlags, access, statvfs};
use rustix::process::geteuid;

use super::trust::is_trusted;
use super::whole::parts;
use super::{FileProblem, shown};
use crate::domain::text::shell_word;

/// Less than this, in bytes, and the next save may not fit: the index of SQLite's log alone takes 32 KiB.
const ROOM: u64 = 40 * 1024;

/// Makes the folder at `path`, and those above it, with mode 0700 where they do not exist.
pub fn make_private_folder(path: &Path) -> Result<(), FileProblem> {
    let missing = path.ancestors().take_while(|folder| !folder.exists());
    let missing: Vec<&Path> = missing.collect();
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| FileProblem::Write {
        path: path.to_owned(),
        source,
    })?;
    if geteuid().is_root() {
        let no_link = (OFlags::DIRECTORY | OFlags::NOFOLLOW).bits();
        for folder in missing.into_iter().rev() {
            let opened = OpenOptions::new()
                .read(true)
                .custom_flags(i32::try_from(no_link).unwrap_or_default())
                .open(folder);
            if let Ok(opened) = opened {
                leave_to_owner(&opened, folder);
            }
        }
    }
    Ok(())
}

/// What root has just made at `path` belongs to whom the folder around it does, where that is the user who called it:
/// after one `sudo switchboard` with the user's home, they could else save nothing any more. Anybody else's it would
/// not read again. By its descriptor, as the user may put another thing there meanwhile.
pub(in crate::store) fn leave_to_owner(made: &File, path: &Path) {
    if geteuid().is_root()
        && let Ok((folder, _)) = parts(path)
        && let Ok(owner) = fs::metadata(folder)
        && owner.uid() != 0
        && is_trusted(owner.uid())
    {
        let _ = fchown(made, Some(owner.uid()), Some(owner.gid()));
    }
}

/// Makes the file at `path`, mode 0600, where there is none.
pub(in crate::store) fn make_private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create_new(true).mode(0o600);
    let made = options.open(path)?;
    leave_to_owner(&made, path);
    Ok(made)
}

/// Why nothing can be written at `path`, a file or a folder that may not exist yet; `None` where it can.
pub fn unwritable(path: &Path) -> Option<String> {
    let nearest = path.ancestors().find(|above| above.exists())?;
    if !nearest.is_dir() && nearest != path {
        return Some(format!("{} is not a folder", shown(nearest)));
    }
    let mend = whose(nearest).or_else(|| kept_from_owner(nearest));
    let mend = mend.unwrap_or_default();
    match access(nearest, Access::WRITE_OK) {
        Err(problem) => Some(format!(
            "{} can't be written ({problem}){mend}",
            shown(nearest)
        )),
        Ok(()) => out_of_room(nearest),
    }
}

/// Why nothing can be written in the folder `path`, which may not exist yet; `None` where it can.
pub fn unwritable_folder(path: &Path) -> Option<String> {
    let is_in_the_way = path.exists() && !path.is_dir();
    if is_in_the_way {
        return Some(format!("{} is not a folder", shown(path)));
    }
    unwritable(path)
}

/// Whether the disk that holds `path`, or the folder where it would be, is mounted to be read only.
pub fn is_read_only(path: &Path) -> bool {
    let nearest = path.ancestors().find(|above| above.exists());
    let disk = nearest.and_then(|nearest| statvfs(nearest).ok());
    disk.is_some_and(|disk| disk.f_flag.contains(StatVfsMountFlags::RDONLY))
}

fn out_of_room(path: &Path) -> Option<String> {
    let disk = statvfs(path).ok()?;
    // Some file systems count nothing.
    let is_full = disk.f_blocks > 0 && disk.f_bavail.saturating_mul(disk.f_frsize) < ROOM;
    let has_no_more_files = disk.f_files > 0 && disk.f_ffree == 0;
    (is_full || has_no_more_files).then(|| {
        format!(
            "there is no room left for {}: make room on its disk",
            shown(path)
        )
    })
}

/// Whose the thing at `path`, or the folder around it, is where it lies in a folder of ours and is not ours, as after a
/// `sudo`, with the cure. What lies elsewhere, such as `/tmp`, nobody is to take for their own.
fn whose(path: &Path) -> Option<String> {
    let user = geteuid().as_raw();
    let owner = |path: &Path| fs::metadata(path).ok().map(|found| found.uid());
    let around = [Some(path), path.parent()].into_iter().flatten();
    let path = around
        .filter(|path| owner(path).is_some_and(|owner| owner != user))
        .find(|path| path.parent().and_then(owner) == Some(user))?;
    let whole = if path.is_dir() { "-R " } else { "" };
    let (owner, text) = (owner(path)?, shown(path));
    let cure = match whole_word(path) {
        Some(word) => format!("`sudo chown {whole}{user} {word}` makes it yours"),
        None => format!("make it uid {user}'s"),
    };
    Some(format!("; {text} belongs to uid {owner}: {cure}"))
}

/// How its owner may write what is at `path` again, where its mode alone forbids it.
fn kept_from_owner(path: &Path) -> Option<String> {
    let found = fs::metadata(path).ok()?;
    if found.uid() != geteuid().as_raw() || found.mode() & 0o200 != 0 {
        return None;
    }
    let mode = if found.is_dir() { "u+rwx" } else { "u+rw" };
    let word = whole_word(path)?;
    Some(format!(
        "; `chmod {mode} {word}` gives you the permission back"
    ))
}

/// `path` as a word of a command; nothing where it is too long or too odd to be shown as it is: the command would
/// mean another path.
pub(super) fn whole_word(path: &Path) -> Option<String> {
    let text = shown(path);
    (Some(text.as_str()) == path.to_str()).then(|| shell_word(&text))
}

/// The same where the system refused for want of a permission.
pub(super) fn whose_where_denied(path: &Path, cause: &io::Error) -> String {
    let denied = cause.kind() == io::ErrorKind::PermissionDenied;
    denied.then(|| whose(path)).flatten().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::chown;

    use super::*;
    use crate::store::files::{Lock, trust_caller, write_whole};

    /// Somebody who is not root: in all tests here the one who has called it.
    const USER: u32 = 65534;
    /// And somebody else.
    const OTHER: u32 = 12345;

    #[test]
    fn what_root_makes_in_a_users_folder_is_the_users() {
        if !geteuid().is_root() {
            return;
        }
        trust_caller(Some(USER));
        let home = tempfile::tempdir().unwrap();
        let owner = |path: &Path| fs::metadata(path).unwrap().uid();
        let below = home.path().join("a/b");
        make_private_folder(&below).unwrap();
        assert_eq!(owner(&below), 0, "root's own stays root's");
        chown(home.path(), Some(OTHER), Some(OTHER)).unwrap();
        let below = home.path().join("of/others");
        make_private_folder(&below).unwrap();
        write_whole(&below.join("text"), b"text").unwrap();
        for path in [below.parent().unwrap(), &below, &below.join("text")] {
            assert_eq!(owner(path), 0, "root could not read {path:?} again");
        }
        chown(home.path(), Some(USER), Some(USER)).unwrap();
        let below = home.path().join("c/d");
        make_private_folder(&below).unwrap();
        let (lock, text) = (below.join("lock"), below.join("text"));
        Lock::take(&lock).unwrap();
        write_whole(&text, b"text").unwrap();
        make_private_file(&below.join("file")).unwrap();
        let log = below.join("log");
        crate::store::files::open_log(&log).unwrap();
        for path in [
            below.parent().unwrap(),
            &below,
            &lock,
            &text,
            &log,
            &below.join("file"),
        ] {
            assert_eq!(owner(path), USER, "{path:?}");
        }
        // What is the user's stays theirs, wherever it lies.
        let theirs = tempfile::tempdir().unwrap();
        let theirs = theirs.path().join("text");
        fs::write(&theirs, "old").unwrap();
        chown(&theirs, Some(USER), Some(USER)).unwrap();
        write_whole(&theirs, b"new").unwrap();
        assert_eq!(owner(&theirs), USER);
        // What was there before is not given away.
        let held = below.join("held");
        fs::write(&held, "").unwrap();
        Lock::take(&held).unwrap();
        assert_eq!(owner(&held), 0);
    }

    #[test]
    fn a_command_names_the_path_itself_or_is_none() {
        for (path, word) in [
            ("/home/a/b.lock", Some("/home/a/b.lock")),
            ("/home/a b;$(id)/l", Some("'/home/a b;$(id)/l'")),
            ("/home/it's/l", Some(r"'/home/it'\''s/l'")),
            ("/home/a  b", None),
            ("/home/a\u{1b}b", None),
        ] {
            assert_eq!(whole_word(Path::new(path)).as_deref(), word, "{path:?}");
        }
        let long = Path::new("/home").join("a".repeat(400));
        assert_eq!(whole_word(&long), None);
        assert_eq!(crate::store::files::quoted(&long), "PATH");
    }

    #[test]
    fn what_is_anothers_in_a_folder_of_ours_is_named_with_the_cure() {
        if !geteuid().is_root() {
            return;
        }
        let home = tempfile::tempdir().unwrap();
        let backup = home.path().join("backup");
        make_private_folder(&backup).unwrap();
        let lock = home.path().join("lock");
        fs::write(&lock, "").unwrap();
        assert_eq!(whose(&backup.join("x.1")), None);
        for path in [&backup, &lock] {
            chown(path, Some(USER), None).unwrap();
        }
        let said = |path: &Path| {
            let source = io::ErrorKind::PermissionDenied.into();
            let path = path.to_owned();
            FileProblem::Lock { path, source }.to_string()
        };
        let cure = format!("`sudo chown 0 {}` makes it yours", lock.display());
        assert!(said(&lock).contains(&cure), "{}", said(&lock));
        let cure = format!("`sudo chown -R 0 {}` makes it yours", backup.display());
        let within = said(&backup.join("x.1"));
        assert!(within.contains(&cure), "{within}");
        // What is another's in a folder of others is nobody's to take.
        chown(home.path(), Some(USER), None).unwrap();
        let within = said(&backup.join("x.1"));
        assert!(!within.contains("chown"), "{within}");
    }
}
