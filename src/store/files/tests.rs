//! Files are replaced whole, links stay links, and what others may change is refused.

use std::os::unix::fs::{MetadataExt, symlink};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use super::*;

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_file_is_replaced_whole_and_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    write_whole(&path, b"one").unwrap();
    chmod(&path, 0o644);
    write_whole(&path, b"two").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(mode(&path).unwrap(), 0o600);
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "no temporary file stays"
    );
}

#[test]
fn a_link_stays_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let (elsewhere, path) = (folder.path().join("real"), folder.path().join("link"));
    fs::create_dir(&elsewhere).unwrap();
    symlink("real/a.toml", &path).unwrap();
    write_whole(&path, b"one").unwrap();
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    assert_eq!(fs::read(elsewhere.join("a.toml")).unwrap(), b"one");
}

#[test]
fn what_a_killed_write_left_is_swept_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    for name in [".a.toml.x1.tmp", ".b.toml.x1.tmp", "a.toml", ".a.toml.lock"] {
        fs::write(folder.path().join(name), "x").unwrap();
    }
    assert_eq!(sweep(&path), 1);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[test]
fn a_folder_that_is_gone_or_closed_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("absent/a.toml");
    let problem = write_whole(&path, b"x").unwrap_err();
    assert!(problem.to_string().contains("absent/a.toml"), "{problem}");
    assert!(problem.to_string().contains("unchanged"), "{problem}");
}

#[test]
fn what_others_can_change_is_refused_with_the_chmod() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    fs::write(&path, "x").unwrap();
    chmod(&path, 0o640);
    refuse_writable_by_others(&path).unwrap();
    chmod(&path, 0o660);
    let problem = refuse_writable_by_others(&path).unwrap_err().to_string();
    assert!(
        problem.contains(&format!("chmod go-w {}", path.display())),
        "{problem}"
    );
    chmod(&path, 0o600);
    chmod(folder.path(), 0o702);
    let problem = refuse_writable_by_others(&path).unwrap_err().to_string();
    assert!(
        problem.ends_with(&format!("chmod go-w {}`", folder.path().display())),
        "{problem}"
    );
}

#[test]
fn a_passphrase_file_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pass");
    fs::write(&path, "correct horse\r\nsecond line\n").unwrap();
    for mode in [0o640, 0o644, 0o620, 0o604] {
        chmod(&path, mode);
        assert!(
            matches!(
                read_passphrase(&path),
                Err(FileProblem::ReadableByOthers { .. })
            ),
            "{mode:o}"
        );
    }
    // As a credential of systemd: root's, and the mask of its access list where the group's bits stand.
    chmod(&path, 0o440);
    let is_roots = fs::metadata(&path).unwrap().uid() == 0;
    assert_eq!(read_passphrase(&path).is_ok(), is_roots);
    if is_roots {
        // Another's, or opened to another group, it is none.
        for (owner, group) in [(Some(65_534), None), (None, Some(65_534))] {
            std::os::unix::fs::chown(&path, owner, group).unwrap();
            let read = read_passphrase(&path);
            assert!(
                matches!(read, Err(FileProblem::ReadableByOthers { .. })),
                "{read:?}"
            );
            std::os::unix::fs::chown(&path, Some(0), Some(0)).unwrap();
        }
    }
    chmod(&path, 0o400);
    assert_eq!(read_passphrase(&path).unwrap().expose(), "correct horse");
}

#[test]
fn one_line_is_read_and_its_end_dropped() {
    for (bytes, expected) in [
        (&b"key"[..], "key"),
        (b"key\n", "key"),
        (b"key\r\nmore", "key"),
        (b" key \n", " key "),
        (b"", ""),
        (b"\xef\xbb\xbfkey\n", "key"),
    ] {
        assert_eq!(first_line(bytes).unwrap().unwrap().expose(), expected);
    }
    assert_eq!(first_line(&vec![b'x'; 70_000][..]).unwrap(), None);
    assert!(first_line(&b"\xff\n"[..]).is_err());
    let mut long = vec![b'x'; 60_000];
    long.push(b'\n');
    assert_eq!(first_line(&long[..]).unwrap().unwrap().length(), 60_000);
}

#[test]
fn text_is_utf8_and_within_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("targets");
    fs::write(&path, b"a\nb\xff\n").unwrap();
    assert!(matches!(
        read_text(&path),
        Err(FileProblem::NotText { line: 2, .. })
    ));
    fs::write(&path, "\u{feff}a").unwrap();
    assert_eq!(read_text(&path).unwrap(), "a");
    assert!(matches!(
        read_bytes(&path, 2),
        Err(FileProblem::TooLarge { limit: 2, .. })
    ));
    assert!(matches!(
        read_text(folder.path()),
        Err(FileProblem::NotAFile { .. })
    ));
}

#[test]
fn a_lock_is_held_by_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let held = Lock::take(&path).unwrap();
    assert!(Lock::try_take(&path).unwrap().is_none());
    let barrier = Arc::new(Barrier::new(2));
    let waiting = {
        let (path, barrier) = (path.clone(), Arc::clone(&barrier));
        spawned(move || {
            barrier.wait();
            Lock::take(&path).map(|_| ())
        })
    };
    barrier.wait();
    drop(held);
    waiting.join().unwrap().unwrap();
    assert!(Lock::try_take(&path).unwrap().is_some());
    assert_eq!(mode(&path).unwrap(), 0o600);
}

#[test]
fn a_wait_for_a_lock_that_ends_in_vain_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let _held = Lock::take(&path).unwrap();
    let problem = Lock::take_within(&path, Duration::from_millis(20)).unwrap_err();
    assert!(matches!(problem, FileProblem::Busy { .. }), "{problem}");
    let opened = fs::read_dir("/proc/self/fd").unwrap();
    let opened = opened.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    assert_eq!(opened.filter(|at| *at == path).count(), 1);
}

#[test]
fn a_lock_makes_no_file_where_a_link_leads() {
    let folder = tempfile::tempdir().unwrap();
    let (path, elsewhere) = (folder.path().join("lock"), folder.path().join("elsewhere"));
    symlink(&elsewhere, &path).unwrap();
    let problem = Lock::take(&path).unwrap_err();
    assert!(problem.to_string().contains("can't be locked"), "{problem}");
    assert!(!elsewhere.exists());
    // Nor does it take one that is there for its own.
    fs::write(&elsewhere, "").unwrap();
    assert!(Lock::take(&path).is_err());
}

#[test]
fn what_lies_behind_a_link_in_a_folder_of_others_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (path, elsewhere) = (folder.path().join("link"), folder.path().join("theirs"));
    fs::create_dir(&elsewhere).unwrap();
    let target = elsewhere.join("a.toml");
    fs::write(&target, "x").unwrap();
    chmod(&target, 0o600);
    symlink(&target, &path).unwrap();
    for (mode, is_refused) in [(0o755, false), (0o775, true), (0o757, true)] {
        chmod(&elsewhere, mode);
        let problem = refuse_writable_by_others(&path).err();
        assert_eq!(problem.is_some(), is_refused, "{mode:o}: {problem:?}");
        let named = problem.is_none_or(|problem| problem.to_string().contains("/theirs"));
        assert!(named, "{mode:o}");
    }
}

#[test]
fn a_private_folder_is_private_and_goes_with_its_owner() {
    let place = tempfile::tempdir().unwrap();
    let folder = PrivateFolder::make(place.path()).unwrap();
    let path = folder.path().to_owned();
    assert_eq!(mode(&path).unwrap(), 0o700);
    drop(folder);
    assert!(!path.exists());
}

fn spawned<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> std::thread::JoinHandle<T> {
    std::thread::spawn(work)
}

#[test]
fn a_log_is_appended_to_and_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/switchboard.log");
    let line = "2026-11-27T03:45:58Z  WARN switchboard: said\n";
    for _ in 0..2 {
        io::Write::write_all(&mut open_log(&path).unwrap(), line.as_bytes()).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), line.repeat(2));
    assert_eq!(mode(&path).unwrap(), 0o600);
    assert_eq!(mode(path.parent().unwrap()).unwrap(), 0o700);
}

#[test]
fn what_is_no_log_is_not_written_into() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("switchboard.toml");
    for held in ["version = 1\n", "x", "2026"] {
        fs::write(&path, held).unwrap();
        let refused = open_log(&path).unwrap_err();
        let why = crate::domain::error_chain(&refused);
        assert!(why.contains("something else than a log"), "{why}");
        assert_eq!(fs::read_to_string(&path).unwrap(), held);
    }
    fs::write(&path, "").unwrap();
    assert!(open_log(&path).is_ok());
}

#[test]
fn a_git_work_tree_is_found() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("a/b")).unwrap();
    let path = folder.path().join("a/b/key");
    assert_eq!(git_work_tree(&path), None);
    fs::create_dir(folder.path().join(".git")).unwrap();
    assert_eq!(git_work_tree(&path), Some(folder.path().to_owned()));
}

#[test]
fn a_secret_comes_through_a_descriptor() {
    use std::os::fd::AsRawFd;

    let (reader, mut writer) = std::io::pipe().unwrap();
    let number = u32::try_from(reader.as_raw_fd()).unwrap();
    let waiting = spawned(move || read_secret_from(number));
    io::Write::write_all(&mut writer, b"key\nmore").unwrap();
    assert_eq!(waiting.join().unwrap().unwrap().expose(), "key");
    drop(reader);
    assert!(matches!(
        read_secret_from(999_999),
        Err(FileProblem::Read { .. })
    ));
}

#[test]
fn a_pipe_is_written_into_and_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    let problem = write_whole(&path, b"one").unwrap_err();
    assert!(matches!(problem, FileProblem::NotAFile { .. }), "{problem}");
    let reading = {
        let path = path.clone();
        std::thread::spawn(move || fs::read(path).unwrap())
    };
    write_out(&path, b"two").unwrap();
    assert_eq!(reading.join().unwrap(), b"two");
    let found = fs::symlink_metadata(&path).unwrap();
    assert!(!found.is_file(), "it is still a pipe");
    let file = folder.path().join("file");
    write_out(&file, b"three").unwrap();
    assert_eq!(mode(&file).unwrap(), 0o600);
}

#[test]
fn nothing_can_be_written_below_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for below in [file.join("lock"), file.join("folder/lock")] {
        let why = unwritable(&below).unwrap_or_default();
        assert_eq!(why, format!("{} is not a folder", shown(&file)));
    }
    assert_eq!(unwritable(&file), None);
    assert_eq!(unwritable(&folder.path().join("new/lock")), None);
}

#[test]
fn a_descriptor_is_read_where_it_stands() {
    use std::io::Seek;
    use std::os::fd::AsRawFd;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two");
    fs::write(&path, "first\nsecond\n").unwrap();
    let mut open = File::open(&path).unwrap();
    open.seek(io::SeekFrom::Start(6)).unwrap();
    let number = u32::try_from(open.as_raw_fd()).unwrap();
    assert_eq!(read_secret_from(number).unwrap(), Secret::new("second"));
    let (socket, mut other) = std::os::unix::net::UnixStream::pair().unwrap();
    std::io::Write::write_all(&mut other, b"by a socket\n").unwrap();
    let number = u32::try_from(socket.as_raw_fd()).unwrap();
    assert_eq!(
        read_secret_from(number).unwrap(),
        Secret::new("by a socket")
    );
    assert!(read_secret_from(u32::MAX).is_err());
    // One that does not wait is waited for all the same.
    let (reader, writer) = io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&reader, true).unwrap();
    let number = u32::try_from(reader.as_raw_fd()).unwrap();
    let reading = std::thread::spawn(move || read_secret_from(number).unwrap());
    let mut writer = writer;
    std::io::Write::write_all(&mut writer, b"later\n").unwrap();
    assert_eq!(reading.join().unwrap(), Secret::new("later"));
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    let largest = vec![b'a'; usize::try_from(TEXT_LIMIT).unwrap()];
    write_whole(&path, &largest).unwrap();
    assert_eq!(read_regular_text(&path).unwrap().len(), largest.len());
    let over = [largest.as_slice(), b"a"].concat();
    let problem = write_whole(&path, &over).unwrap_err().to_string();
    assert!(problem.contains("is unchanged"), "{problem}");
    assert_eq!(fs::read(&path).unwrap().len(), largest.len());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_public_file_takes_the_place_of_another_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (path, kept) = (folder.path().join("man1/a.1"), folder.path().join("kept"));
    write_public(&path, b"old").unwrap();
    fs::hard_link(&path, &kept).unwrap();
    write_public(&path, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(fs::read(&kept).unwrap(), b"old", "it was not written into");
}
