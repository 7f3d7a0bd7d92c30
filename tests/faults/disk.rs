//! Disks that are full, read-only, taken away, or that fail to keep what they took.

use std::fs;
use std::process::Command;

use crate::support::commands::{BINARY, finish};
use crate::{SOON, User, assert_no_panic, assert_told, is_here, mounts_permitted, set_mode};

/// Puts `folder` of the user's home onto a small disk of its own, with what it holds, and fills that.
fn on_a_full_disk(folder: &str, lines: &str) -> String {
    format!(
        "set -e; cp -a {folder} before; mount -t tmpfs -o size=512k,mode=700 tmpfs {folder}
cp -a before/. {folder}/; dd if=/dev/zero of={folder}/fill bs=1k status=none 2>/dev/null || true
dd if=/dev/zero of={folder}/fill2 bs=1 count=65536 status=none 2>/dev/null || true
set +e; {lines}
code=$?; rm {folder}/fill {folder}/fill2; diff -r -x backup before {folder} >&2 && echo UNCHANGED; exit $code"
    )
}

#[test]
fn a_full_disk_keeps_the_configuration_as_it_is() {
    if !mounts_permitted() {
        return;
    }
    let user = User::new();
    for command in [
        "connection add two --service http --url http://127.0.0.1:9",
        "connection edit shop --note changed",
        "connection rename shop other",
        "connection remove shop --yes",
    ] {
        let lines = on_a_full_disk(".config/switchboard", &format!("\"$0\" {command}"));
        let done = user.aside(&lines);
        assert_told(&done, &["switchboard.toml", "No space left"]);
        assert!(done.out.contains("UNCHANGED"), "{command}: {done:?}");
        fs::remove_dir_all(user.path().join("before")).unwrap();
    }
    assert_eq!(user.run(&["connection", "list"]).out.lines().count(), 1);
}

#[test]
fn a_full_disk_under_the_vault_keeps_the_secrets_that_are_there() {
    if !mounts_permitted() {
        return;
    }
    let user = User::new();
    fs::write(user.path().join("pass"), "correct horse\n").unwrap();
    set_mode(&user.path().join("pass"), 0o600);
    let set = |value: &str| {
        format!(
            "printf '%s\\n' {value} | \"$0\" --passphrase-file pass secret set shop --store vault --key-stdin"
        )
    };
    let first = user.shell(&set("00000000000000000000000000000001"));
    assert_eq!(first.code, 0, "{first:?}");
    let lines = on_a_full_disk(
        ".local/share/switchboard",
        &set("00000000000000000000000000000002"),
    );
    let done = user.aside(&lines);
    assert_told(&done, &["vault.age", "No space left", "unchanged"]);
    assert!(done.out.contains("UNCHANGED"), "{done:?}");
    let shown = user.shell("\"$0\" --passphrase-file pass token reveal shop");
    assert_eq!(shown.out, "00000000000000000000000000000001", "{shown:?}");
}

/// An attempt that can't be booked on disk is not made: another program would not know of it.
#[test]
fn where_the_attempt_cannot_be_booked_no_key_is_sent() {
    if !mounts_permitted() {
        return;
    }
    let user = User::new();
    assert_eq!(user.run(&["probe", "shop"]).code, 0);
    let before = user.keys_sent();
    let folder = ".local/state/switchboard";
    let probe = "\"$0\" probe shop --format json >verdict";
    for lines in [
        format!("mount -t tmpfs -o ro tmpfs {folder}; {probe}"),
        format!("mount --bind {folder} {folder}; mount -o remount,bind,ro {folder}; {probe}"),
        on_a_full_disk(folder, probe),
    ] {
        let done = user.aside(&lines);
        assert_no_panic(&done);
        let text = fs::read_to_string(user.path().join("verdict")).unwrap();
        let verdict: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(user.keys_sent(), before, "{lines}: {verdict:#}");
        assert_eq!(
            (done.code, &verdict["state"]),
            (3, &"unknown".into()),
            "{verdict:#}"
        );
        let told = verdict["cause"].to_string();
        assert!(told.contains(folder), "it says where: {told}");
        assert!(!verdict["remedy"]["steps"].as_array().unwrap().is_empty());
        user.assert_no_leak(&done);
        let _ = fs::remove_dir_all(user.path().join("before"));
    }
    assert_eq!(
        user.run(&["probe", "shop"]).code,
        0,
        "and afterwards all is well"
    );
}

#[test]
fn a_read_only_home_is_probed_from_and_not_written_to() {
    if !mounts_permitted() {
        return;
    }
    let user = User::new();
    let read_only = "mount --bind . . && mount -o remount,bind,ro . && cd \"$HOME\" && ";
    let listed = user.aside(&format!("{read_only} \"$0\" connection list"));
    assert!(listed.out.contains("shop"), "{listed:?}");
    let done = user.aside(&format!("{read_only} \"$0\" connection edit shop --note x"));
    assert_told(&done, &["Read-only file system"]);
    let done = user.aside(&format!("{read_only} \"$0\" doctor"));
    let told = ".config/switchboard can be written: it is mounted to be read only, and nothing is saved there";
    assert!(done.err.contains(told), "{done:?}");
    let done = user.aside(&format!(
        "{read_only} \"$0\" probe --url http://127.0.0.1:9 --format json"
    ));
    assert_eq!(done.json()["reason"], "refused", "{done:?}");
    let done = user.aside(&format!("{read_only} \"$0\" --log new/log probe shop"));
    assert_told(&done, &["new", "Read-only file system"]);
}

#[test]
fn a_log_that_takes_nothing_stops_nothing() {
    let user = User::new();
    let done = user.run(&["-vv", "--log", "/dev/full", "probe", "shop"]);
    assert_eq!(done.code, 0, "{done:?}");
    let told = "switchboard: the log /dev/full is not complete: No space left";
    assert_eq!(done.err.matches(told).count(), 1, "{done:?}");
    assert_no_panic(&done);
}

/// Every step of saving fails once: what stood there stands there, and nothing is left beside it.
#[test]
fn saving_fails_at_every_step_and_leaves_what_was_there() {
    if !is_here("/usr/bin/strace") {
        return;
    }
    let user = User::new();
    let before = fs::read_to_string(user.configuration()).unwrap();
    for (calls, error, word) in [
        ("fsync", "EIO", "Input/output error"),
        ("fsync", "ENOSPC", "No space left"),
        ("fsync", "EDQUOT", "quota"),
        ("rename,renameat,renameat2", "EACCES", "Permission denied"),
        ("rename,renameat,renameat2", "EROFS", "Read-only"),
    ] {
        let inject = format!("inject={calls}:error={error}");
        let trace = format!("trace={calls}");
        let mut command = Command::new("/usr/bin/strace");
        command.args([
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            &trace,
            "-e",
            &inject,
            BINARY,
        ]);
        command.args(["connection", "edit", "shop", "--note", "changed"]);
        let done = finish(command, user.path(), &[], "");
        assert_told(&done, &["switchboard.toml", "unchanged", word]);
        assert_eq!(fs::read_to_string(user.configuration()).unwrap(), before);
        let folder = user.configuration().parent().unwrap().to_owned();
        let left: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| name.to_string_lossy().ends_with("tmp"))
            .collect();
        assert!(left.is_empty(), "{calls} {error}: {left:?}");
    }
    let done = user.run(&["connection", "edit", "shop", "--note", "changed"]);
    assert_eq!(done.code, 0, "{done:?}");
}

/// The database can't be synced: the attempt is not booked, so no key goes out.
#[test]
fn where_syncing_the_budget_fails_no_key_is_sent() {
    if !is_here("/usr/bin/strace") {
        return;
    }
    let user = User::new();
    assert_eq!(user.run(&["probe", "shop"]).code, 0);
    let before = user.keys_sent();
    for calls in [
        "fsync,fdatasync",
        "pwrite64",
        "ftruncate,fallocate,pwrite64",
    ] {
        let mut command = Command::new("/usr/bin/strace");
        let (trace, inject) = (
            format!("trace={calls}"),
            format!("inject={calls}:error=EIO"),
        );
        command.args([
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            &trace,
            "-e",
            &inject,
            BINARY,
        ]);
        command.args(["probe", "shop", "--format", "json"]);
        let variables = [("SHOP_KEY", user.blesta.key.as_str())];
        let done = finish(command, user.path(), &variables, "");
        assert_no_panic(&done);
        let verdict = done.json();
        assert_eq!(user.keys_sent(), before, "{calls}: {verdict:#}");
        assert_eq!(
            (done.code, &verdict["state"]),
            (3, &"unknown".into()),
            "{verdict:#}"
        );
        assert!(
            verdict["cause"].to_string().contains("history.sqlite"),
            "{verdict:#}"
        );
    }
    assert_eq!(user.run(&["probe", "shop"]).code, 0);
}

/// What a watch finds while its disk is full is written as soon as there is room.
#[test]
fn results_that_find_no_room_are_written_once_there_is_some() {
    if !mounts_permitted() {
        return;
    }
    let user = User::new();
    user.add_open();
    let folder = ".local/state/switchboard";
    // The second batch that finds no room, seen from when the disk was full, has results of then among it.
    let done = user.aside(&format!(
        "{SOON}
runs() {{ \"$0\" history open --rows runs --format ndjson; }}
any_runs() {{ runs | grep -q .; }}
refused() {{ grep -c 'not written yet' log; }}
refused_again() {{ [ $(refused) -ge $((before + 2)) ]; }}
last() {{ runs | grep -o '\"at\":\"[^\"]*' | cut -d'\"' -f4 | sort | tail -n 1; }}
written_later() {{ [[ $(last) > $full ]]; }}
now() {{ date -u +%Y-%m-%dT%H:%M:%S.%NZ; }}
mount -t tmpfs -o size=1m,mode=700 tmpfs {folder}
\"$0\" --log log watch open --plain --interval 1s >told & watch=$!
trap 'kill -9 $watch 2>/dev/null' EXIT
soon any_runs
dd if=/dev/zero of={folder}/fill bs=1k status=none 2>/dev/null
dd if=/dev/zero of={folder}/fill2 bs=1 count=65536 status=none 2>/dev/null
full=$(now); before=$(refused)
soon refused_again
room=$(now)
rm {folder}/fill {folder}/fill2
soon written_later
echo $full; echo $room; runs
kill -TERM $watch; wait $watch; exit 0"
    ));
    assert_eq!(done.code, 0, "{done:?}");
    let mut lines = done.out.lines();
    let mut time = || -> jiff::Timestamp { lines.next().unwrap().parse().unwrap() };
    let full = time()..time();
    let at = |line: &str| -> jiff::Timestamp {
        let run: serde_json::Value = serde_json::from_str(line).unwrap();
        run["at"].as_str().unwrap().parse().unwrap()
    };
    let kept = lines.filter(|line| full.contains(&at(line))).count();
    assert!(kept > 0, "none of {full:?}: {done:?}");
    assert_no_panic(&done);
}

/// A watch whose folder is shut for writing above it goes on, writes into what it holds open, and has nothing to say.
#[test]
fn a_watch_goes_on_where_its_folder_becomes_read_only() {
    if !mounts_permitted() {
        return;
    }
    let user = User::new();
    let folder = ".local/state/switchboard";
    let done = user.aside(&format!(
        "{SOON}
\"$0\" watch --plain --interval 1s --for 6s >told 2>said & watch=$!
soon grep -qs shop told
mount --bind -o ro {folder} {folder} || exit 9
touch {folder}/probe 2>/dev/null && exit 9
wait $watch; code=$?; cat told; cat said >&2; exit $code"
    ));
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{done:?}");
    assert!(done.out.contains("up"), "{done:?}");
    let history = user.run(&["history", "--rows", "runs"]);
    let runs = history.out.matches(",ok,connected,").count();
    assert!(runs >= 4, "what it found later is there too: {history:?}");
    user.assert_no_leak(&done);
}
