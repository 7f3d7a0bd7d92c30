//! The configuration keeps comments, refuses damage, and loses nobody's change.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};
use std::thread;

use super::*;
use crate::domain::{AuthStyle, Name, SecretRef, ServiceId};

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn connection(text: &str) -> Connection {
    Connection::new(
        name(text),
        ServiceId::blesta(),
        "https://billing.example.com",
    )
}

fn full() -> Connection {
    Connection {
        username: "shop-api".into(),
        key: Some("vault:shop/key".parse().unwrap()),
        token: Some(SecretRef::Cmd(vec![
            "op".into(),
            "read".into(),
            "op://a b/c".into(),
        ])),
        added: vec![
            ("deploy bot".into(), "env:DEPLOY".parse().unwrap()),
            ("a".into(), SecretRef::Ask),
        ],
        tags: vec!["eu".into(), "paid \"x\"".into()],
        cms: Some("joomla".into()),
        cms_url: Some("https://cms.example.com".into()),
        company: Some("1".into()),
        auth: AuthStyle::Headers,
        family: crate::domain::AddressFamily::V6,
        interval_s: Some(30),
        timeout_s: Some(5),
        proxy: Some("socks5://proxy:1080".into()),
        ca_file: Some(Path::new("/etc/ca.pem").into()),
        client_cert: Some(Path::new("/etc/c.pem").into()),
        client_key: Some(Path::new("/etc/k.pem").into()),
        allow_http: true,
        read_only: true,
        note: "two\nlines".into(),
        paused: true,
        maintenance: vec!["sun 02:00-04:00".parse().unwrap()],
        ..connection("shop")
    }
}

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("switchboard/switchboard.toml")
    }

    fn store(&self) -> Store {
        Store::at(self.path())
    }

    fn with(text: &str) -> Self {
        let home = Self::new();
        files::make_private_folder(home.path().parent().unwrap()).unwrap();
        files::write_whole(&home.path(), text.as_bytes()).unwrap();
        home
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    /// The versions that were kept, by name.
    fn versions(&self) -> std::collections::BTreeMap<String, String> {
        let entries = fs::read_dir(self.path().with_file_name("backup")).unwrap();
        let version = |entry: fs::DirEntry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read_to_string(entry.path()).unwrap())
        };
        entries.flatten().map(version).collect()
    }
}

fn mode(path: &Path) -> u32 {
    files::mode(path).unwrap()
}

#[test]
fn no_file_means_defaults_and_none_is_made() {
    let home = Home::new();
    let configuration = home.store().load().unwrap();
    assert_eq!(configuration, Configuration::default());
    assert_eq!(
        (
            configuration.settings.interval_s,
            configuration.settings.timeout_s
        ),
        (60, 10)
    );
    assert_eq!(configuration.settings.clipboard_clear_s, 20);
    assert_eq!(configuration.settings.lock_after_minutes, 15);
    home.store().sweep();
    assert_eq!(fs::read_dir(home.0.path()).unwrap().count(), 0);
}

#[test]
fn a_connection_comes_back_as_it_was_saved() {
    let home = Home::new();
    home.store().edit(|document| document.add(&full())).unwrap();
    assert_eq!(home.store().load().unwrap().connections, [Arc::new(full())]);
    assert!(
        home.store().unknown_keys().unwrap().is_empty(),
        "every key that is written is read"
    );
    assert_eq!(mode(&home.path()), 0o600);
    assert_eq!(mode(home.path().parent().unwrap()), 0o700);
}

#[test]
fn comments_order_and_unknown_keys_survive_every_edit() {
    let home = Home::with(
        "# mine\nversion = 1 # one\nflavor = \"x\"\n\n[settings] # s\ntheme = \"light\" # bright\n\n# the shop\n\
         [[connection]]\nurl = \"https://a.example\" # moved in May\nname = \"shop\"\nservice = \"blesta\"\n\
         extra = { a = 1 }\n\n# the rest\n\n# old one\n[[connection]]\nname = \"old\"\nservice = \"http\"\n\
         url = \"https://b.example\"\n# the end\n",
    );
    let store = home.store();
    store
        .edit(|document| {
            let mut shop = document.connection(&name("shop"))?;
            shop.url = "https://c.example".into();
            shop.username = "u".into();
            document.replace(&name("shop"), &shop)?;
            document.rename(&name("shop"), &name("store"))?;
            document.remove(&name("old"))?;
            document.set_setting("theme", SettingValue::Text("dark".into()))?;
            document.set_setting("bell", SettingValue::Flag(true))?;
            document.add(&connection("new"))
        })
        .unwrap();
    assert_eq!(
        home.text(),
        "# mine\nversion = 1 # one\nflavor = \"x\"\n\n[settings] # s\ntheme = \"dark\" # bright\nbell = true\n\n\
         # the shop\n[[connection]]\nurl = \"https://c.example\" # moved in May\nname = \"store\"\n\
         service = \"blesta\"\nextra = { a = 1 }\nusername = \"u\"\n\n[[connection]]\nname = \"new\"\n\
         service = \"blesta\"\nurl = \"https://billing.example.com\"\n\n# the rest\n\n# the end\n"
    );
    let unknown = store.unknown_keys().unwrap();
    assert_eq!(
        unknown,
        [
            "line 3: `flavor` is not known here: there are `version`, [settings] and [[connection]]",
            "line 14: `extra` is not known here"
        ]
    );
}

#[test]
fn a_running_screen_notices_what_others_can_write() {
    let home = Home::with("version=1\n");
    let path = home.path();
    let folder = path.parent().unwrap();
    for (path, open, shut) in [(path.as_ref(), 0o664, 0o600), (folder, 0o770, 0o700)] {
        let mode = |bits| fs::set_permissions(path, fs::Permissions::from_mode(bits)).unwrap();
        mode(shut);
        let stamp = home.store().stamp();
        mode(open);
        assert_ne!(home.store().stamp(), stamp, "{}", path.display());
        assert!(home.store().load().is_err(), "{}", path.display());
        mode(shut);
        assert_eq!(home.store().stamp(), stamp, "{}", path.display());
        home.store().load().unwrap();
    }
}

#[test]
fn an_edit_that_changes_nothing_writes_nothing() {
    let home = Home::with(
        "version=1\n[[connection]]\nname='a'\nservice='http'\nurl='https://a.example'\n",
    );
    let stamp = home.store().stamp();
    home.store()
        .edit(|document| {
            let same = document.connection(&name("a"))?;
            document.replace(&name("a"), &same)
        })
        .unwrap();
    assert_eq!(home.store().stamp(), stamp);
    home.store()
        .edit(|document| document.add(&connection("b")))
        .unwrap();
    assert_ne!(home.store().stamp(), stamp, "a running screen notices");
}

#[test]
fn inline_connections_are_read_and_edited() {
    let home = Home::with(
        "version = 1\nconnection = [{ name = \"a\", service = \"http\", url = \"https://a.example\" }]\n\
         settings.bell = true\n",
    );
    home.store()
        .edit(|document| document.add(&connection("b")))
        .unwrap();
    home.store()
        .edit(|document| document.set_setting("mouse", SettingValue::Flag(true)))
        .unwrap();
    let configuration = home.store().load().unwrap();
    assert_eq!(configuration.connections.len(), 2);
    assert!(configuration.settings.bell && configuration.settings.mouse);
}

#[test]
fn inline_connections_keep_their_comments() {
    let home = Home::with(
        "version = 1\n\n# all of them\nconnection = [ # those of the shop\n  # the first\n  \
         { name = \"a\", service = \"http\", url = \"https://a.example\", tags = [\n    \"eu\", # europe\n  ] }, # live\n  \
         # the second\n  # with two lines\n  \
         { name = \"b\", service = \"http\", url = \"https://b.example\" } # test\n  , # odd\n  \
         # more to come\n] # the end\n# below\n[settings]\nbell = true # loud\n# last\n",
    );
    home.store()
        .edit(|document| document.add(&connection("c")))
        .unwrap();
    let text = home.text();
    let (before, after) = text.split_once("[[connection]]").unwrap();
    assert!(
        before.ends_with("bell = true # loud\n\n# all of them\n# those of the shop\n# the first\n"),
        "{text}"
    );
    let expected = " # live\nname = \"a\"\nservice = \"http\"\nurl = \"https://a.example\"\ntags = [\n    \"eu\", # europe\n  ]\n\n\
         # the second\n# with two lines\n[[connection]]";
    assert!(after.starts_with(expected), "{text}");
    let behind = [
        "# test",
        "# odd",
        "# more to come",
        "# the end",
        "# below",
        "# last",
    ];
    for comment in behind {
        assert_eq!(text.matches(comment).count(), 1, "{comment} in {text}");
    }
    let configuration = home.store().load().unwrap();
    assert_eq!(configuration.connections.len(), 3);
    home.store()
        .edit(|document| document.set_setting("mouse", SettingValue::Flag(true)))
        .unwrap();
    assert!(home.text().contains("# more to come"));
}

#[test]
fn an_empty_list_of_connections_can_be_added_to() {
    let home = Home::with("version = 1\nconnection = [ # none yet\n]\n");
    home.store()
        .edit(|document| document.add(&connection("a")))
        .unwrap();
    assert_eq!(home.store().load().unwrap().connections.len(), 1);
    assert!(home.text().contains("# none yet"), "{}", home.text());
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_does_not_fit_is_named_by_place_and_never_by_value() {
    let start = "version = 1\n[[connection]]\nname = \"a\"\nservice = \"http\"\nurl = \"https://a.example\"\n";
    for (text, line, words) in [
        (format!("{start}key = \"hunter2\"\n"), 6, "not a reference"),
        (format!("{start}key = hunter2\n"), 6, "quoted"),
        (
            "version = 1\n[ connection ]\nname = \"hunter2\"\n".to_owned(),
            2,
            "write [[connection]]",
        ),
        (
            format!("{start}interval_s = \"hunter2\"\n"),
            6,
            "whole number of seconds from 1",
        ),
        (
            format!("{start}interval_s = 0\n"),
            6,
            "whole number of seconds from 1",
        ),
        (
            format!("{start}auth = \"hunter2\"\n"),
            6,
            "auto, basic, headers",
        ),
        (format!("{start}tags = \"hunter2\"\n"), 6, "list of texts"),
        (
            format!("{start}allow_http = \"hunter2\"\n"),
            6,
            "true or false",
        ),
        (format!("{start}token = [\"hunter2\"]\n"), 6, "cmd:PROGRAM"),
        (
            format!("{start}added = {{ a = \"hunter2\" }}\n"),
            6,
            "not a reference",
        ),
        (format!("{start}note = \"\"\"x\nhunter2\n"), 8, ""),
        (
            format!("{start}[[connection]]\nname = \"a\"\nservice = \"http\"\nurl = \"x\"\n"),
            7,
            "two connections",
        ),
        (
            "version = 1\n[[connection]]\nname = \"a\"\nservice = \"http\"\n".into(),
            2,
            "needs a `url`",
        ),
        (
            "version = 1\n[[connection]]\nservice = \"http\"\n".into(),
            2,
            "needs a name",
        ),
        (
            "version = 1\nsettings = \"hunter2\"\n".into(),
            2,
            "expected here",
        ),
        (
            "version = 1\n[connection]\nname = \"hunter2\"\n".into(),
            2,
            "write [[connection]]",
        ),
        (
            "version = 1\n[settings]\nkeys = { a = 1 }\n".into(),
            3,
            "table of actions",
        ),
        (
            "version = 1\n[settings]\non_change = [\"\"]\n".into(),
            3,
            "starts with the program",
        ),
        ("version = 1\nversion = 1\n".into(), 2, "duplicate key"),
        ("version = \"hunter2\"\n".into(), 1, "`version` is 1"),
        ("[settings]\n".into(), 1, "missing field `version`"),
    ] {
        let home = Home::with(&text);
        let problem = home.store().load().unwrap_err();
        let ConfigurationProblem::FieldProblem {
            line: found, what, ..
        } = &problem
        else {
            panic!("{text}: {problem:?}")
        };
        assert_eq!(*found, line, "{text}: {problem}");
        assert!(what.contains(words), "{text}: {problem}");
        assert!(
            problem.to_string().contains("switchboard.toml, line"),
            "{problem}"
        );
        assert!(
            !format!("{problem} {problem:?}").contains("hunter2"),
            "{problem:?}"
        );
        assert!(
            home.store()
                .edit(|document| document.add(&connection("x")))
                .is_err()
        );
        assert_eq!(
            home.text(),
            text,
            "a file that can't be read is never overwritten"
        );
    }
}

#[test]
fn an_empty_file_is_damage_and_a_newer_one_is_left_alone() {
    for text in ["", "\n \n"] {
        let home = Home::with(text);
        assert!(matches!(
            home.store().load(),
            Err(ConfigurationProblem::Empty { .. })
        ));
        assert!(
            home.store()
                .edit(|document| document.add(&connection("x")))
                .is_err()
        );
        assert_eq!(home.text(), text);
    }
    for text in ["version = 2\n", "version = 2\nsettings = 1\n"] {
        let home = Home::with(text);
        assert!(matches!(
            home.store().load(),
            Err(ConfigurationProblem::Newer { found: 2, .. })
        ));
        assert!(
            home.store()
                .edit(|document| document.add(&connection("x")))
                .is_err()
        );
        assert_eq!(home.text(), text);
    }
}

#[test]
fn bytes_that_are_not_text_and_folders_are_named() {
    let home = Home::with("version = 1\n");
    fs::write(home.path(), b"version = 1\n\xff\n").unwrap();
    let problem = home.store().load().unwrap_err();
    assert!(
        matches!(
            problem,
            ConfigurationProblem::File(FileProblem::NotText { line: 2, .. })
        ),
        "{problem:?}"
    );
    fs::remove_file(home.path()).unwrap();
    fs::create_dir(home.path()).unwrap();
    let problem = home.store().load().unwrap_err();
    assert!(
        matches!(
            problem,
            ConfigurationProblem::File(FileProblem::NotAFile { .. })
        ),
        "{problem:?}"
    );
}

#[test]
fn a_file_that_others_can_change_is_refused() {
    let home = Home::with("version = 1\n");
    for (path, bits) in [
        (home.path(), 0o620),
        (home.path().parent().unwrap().to_owned(), 0o770),
    ] {
        let before = mode(&path);
        fs::set_permissions(&path, fs::Permissions::from_mode(bits)).unwrap();
        let problem = home.store().load().unwrap_err().to_string();
        assert!(
            problem.contains(&format!("`chmod go-w {}`", path.display())),
            "{problem}"
        );
        assert!(
            home.store()
                .edit(|document| document.add(&connection("x")))
                .is_err()
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(before)).unwrap();
    }
    home.store().load().unwrap();
}

#[test]
fn two_programs_that_edit_in_turn_or_at_once_lose_nothing() {
    let home = Home::new();
    let (one, two) = (home.store(), home.store());
    one.edit(|document| document.add(&connection("a"))).unwrap();
    two.edit(|document| document.add(&connection("b"))).unwrap();
    one.edit(|document| document.rename(&name("a"), &name("c")))
        .unwrap();
    thread::scope(|scope| {
        for thread in 0..8 {
            let store = home.store();
            scope.spawn(move || {
                for number in 0..5 {
                    store
                        .edit(|document| document.add(&connection(&format!("n{thread}-{number}"))))
                        .unwrap();
                }
            });
        }
    });
    let names: Vec<String> = two.edit(|document| Ok(document.names())).unwrap();
    assert_eq!(names.len(), 42, "{names:?}");
}

#[test]
fn two_people_who_edit_different_fields_both_keep_them() {
    let home = Home::new();
    home.store()
        .edit(|document| document.add(&connection("a")))
        .unwrap();
    let before = connection("a");
    let mine = Connection {
        note: "mine".into(),
        ..before.clone()
    };
    let theirs = Connection {
        url: "https://new.example".into(),
        ..before.clone()
    };
    home.store()
        .edit(|document| document.merge(&before, &theirs))
        .unwrap();
    home.store()
        .edit(|document| document.merge(&before, &mine))
        .unwrap();
    let found = home.store().load().unwrap().connections.remove(0);
    assert_eq!(
        (found.note.as_str(), found.url.as_str()),
        ("mine", "https://new.example")
    );
}

/// One more tag, beside those that are there: of several who say so at once, each is heard.
#[test]
fn of_tags_each_stands_for_itself() {
    let home = Home::new();
    let store = home.store();
    let with = |tags: &[&str]| Connection {
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        ..connection("a")
    };
    let before = with(&["eu", "old"]);
    store.edit(|document| document.add(&before)).unwrap();
    let tags = |after: Connection| {
        store
            .edit(|document| document.merge(&before, &after))
            .unwrap();
        store.load().unwrap().connections.remove(0).tags.clone()
    };
    assert_eq!(tags(with(&["eu", "old", "one"])), ["eu", "old", "one"]);
    assert_eq!(
        tags(with(&["eu", "old", "two"])),
        ["eu", "old", "one", "two"]
    );
    assert_eq!(tags(with(&["eu"])), ["eu", "one", "two"]);
    assert_eq!(
        tags(with(&["eu", "two", "new"])),
        ["eu", "one", "two", "new"]
    );
    // Who changes something else says nothing of them; who alone orders them anew is heard.
    let noted = Connection {
        note: "noted".to_owned(),
        ..before.clone()
    };
    assert_eq!(tags(noted), ["eu", "one", "two", "new"]);
    let [now, anew] = [["eu", "one", "two", "new"], ["two", "one", "eu", "new"]];
    store
        .edit(|document| document.merge(&with(&now), &with(&anew)))
        .unwrap();
    assert_eq!(store.load().unwrap().connections[0].tags, anew);
}

/// The parser's picture of a large file is of no use afterwards: what it took is given back with the thread.
#[test]
fn a_large_file_is_changed_on_a_thread_of_its_own() {
    let home = Home::new();
    let store = home.store();
    let edited_here = || {
        let here = thread::current().id();
        let there = store.edit(|_| Ok(thread::current().id()));
        there.unwrap() == here
    };
    store
        .edit(|document| document.add(&connection("a")))
        .unwrap();
    assert!(edited_here());
    store
        .edit(|document| (0..1_000).try_for_each(|n| document.add(&connection(&format!("n{n}")))))
        .unwrap();
    assert!(!edited_here());
    assert_eq!(store.load().unwrap().connections.len(), 1_001);
    let refused = store.edit(|document| document.add(&connection("n7")));
    assert!(refused.unwrap_err().to_string().contains("n7"));
}

#[test]
fn of_two_people_who_edit_one_field_the_second_is_told() {
    let home = Home::new();
    let store = home.store();
    store
        .edit(|document| document.add(&connection("a")))
        .unwrap();
    let before = connection("a");
    let with = |note: &str, username: &str| Connection {
        note: note.into(),
        username: username.into(),
        ..before.clone()
    };
    let theirs = with("theirs", &before.username);
    store
        .edit(|document| document.merge(&before, &theirs))
        .unwrap();
    let written = home.text();
    let refused = store.edit(|document| document.merge(&before, &with("mine", "other")));
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("`note` of \"a\" was changed meanwhile"),
        "{refused}"
    );
    assert_eq!(home.text(), written, "nothing of it, either");
    // Who has typed the same, or has seen it, goes on.
    let same = with("theirs", "same");
    store
        .edit(|document| document.merge(&before, &same))
        .unwrap();
    store
        .edit(|document| document.merge(&same, &with("mine", "same")))
        .unwrap();
    let found = store.load().unwrap().connections.remove(0);
    assert_eq!(
        (found.note.as_str(), found.username.as_str()),
        ("mine", "same")
    );
}

#[test]
fn changes_that_do_not_fit_are_refused_and_nothing_is_written() {
    let home = Home::new();
    let store = home.store();
    store
        .edit(|document| document.add(&connection("a")))
        .unwrap();
    store
        .edit(|document| document.add(&connection("b")))
        .unwrap();
    let before = home.text();
    let refused = |change: &(dyn Fn(&mut Document) -> Result<(), EditProblem> + Sync)| {
        store.edit(change).unwrap_err().to_string()
    };
    assert!(refused(&|document| document.add(&connection("a"))).contains("already"));
    assert!(refused(&|document| document.rename(&name("a"), &name("b"))).contains("already"));
    assert!(refused(&|document| document.remove(&name("x"))).contains("no connection"));
    assert!(
        refused(&|document| document.replace(&name("x"), &connection("x")))
            .contains("no connection")
    );
    let url = Connection {
        url: "https://u:hunter2@a.example".into(),
        ..connection("c")
    };
    assert!(refused(&|document| document.add(&url)).contains("don't belong"));
    let proxy = Connection {
        proxy: Some("socks5://u:hunter2@p:1080".into()),
        ..connection("c")
    };
    assert!(refused(&|document| document.add(&proxy)).contains("don't belong"));
    assert!(
        refused(&|document| document.set_setting("interval_s", SettingValue::Number(0)))
            .contains("whole number")
    );
    assert!(
        refused(&|document| document.set_setting("bell", SettingValue::Text("x".into())))
            .contains("true or false")
    );
    assert_eq!(home.text(), before);
}

#[test]
fn settings_come_back_and_go_back_to_their_defaults() {
    let home = Home::new();
    let store = home.store();
    store
        .edit(|document| {
            document.set_setting("interval_s", SettingValue::Number(30))?;
            document.set_setting("store", SettingValue::Text("vault".into()))?;
            document.set_setting(
                "on_change",
                SettingValue::Words(vec!["notify send".into(), "-x".into()]),
            )
        })
        .unwrap();
    let settings = store.load().unwrap().settings;
    assert_eq!(settings.interval_s, 30);
    assert_eq!(settings.store, Some(crate::store::StoreKind::Vault));
    assert_eq!(settings.on_change, ["notify send", "-x"]);
    store
        .edit(|document| {
            document.set_setting("interval_s", SettingValue::Default)?;
            document.set_setting("store", SettingValue::Default)?;
            document.set_setting("on_change", SettingValue::Default)
        })
        .unwrap();
    assert_eq!(store.load().unwrap().settings, Settings::default());
}

#[test]
fn the_last_ten_versions_are_kept() {
    let home = Home::new();
    for number in 0..14 {
        home.store()
            .edit(|document| document.add(&connection(&format!("n{number}"))))
            .unwrap();
    }
    let folder = home.path().with_file_name("backup");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 10);
    let count = |number: u32| {
        let text = fs::read_to_string(folder.join(format!("switchboard.toml.{number}"))).unwrap();
        read::parse(&text).unwrap().connections.len()
    };
    assert_eq!((count(1), count(10)), (13, 4));
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("switchboard.toml.1")), 0o600);
}

#[test]
fn a_version_that_cannot_make_way_is_not_overwritten() {
    let home = Home::new();
    let add = |name: &str| {
        home.store()
            .edit(|document| document.add(&connection(name)))
    };
    for number in 0..11 {
        add(&format!("n{number}")).unwrap();
    }
    let folder = home.path().with_file_name("backup");
    let [ninth, oldest] = [9, 10].map(|number| folder.join(format!("switchboard.toml.{number}")));
    let kept = fs::read_to_string(&ninth).unwrap();
    fs::remove_file(&oldest).unwrap();
    fs::create_dir(&oldest).unwrap();
    let before = home.text();
    let problem = add("more").unwrap_err();
    let told = crate::domain::error_chain(&problem);
    assert!(told.contains("switchboard.toml.10"), "{told}");
    assert_eq!(fs::read_to_string(&ninth).unwrap(), kept);
    assert_eq!(home.text(), before);
}

#[test]
fn a_version_that_cannot_be_kept_moves_none() {
    let home = Home::new();
    let add = |name: &str| {
        home.store()
            .edit(|document| document.add(&connection(name)))
    };
    for name in ["a", "b", "c"] {
        add(name).unwrap();
    }
    let newest = home.path().with_file_name("backup/switchboard.toml.1");
    let kept = fs::read_to_string(&newest).unwrap();
    fs::remove_file(&newest).unwrap();
    let others = home.versions();
    // Nothing can be put there.
    fs::create_dir(&newest).unwrap();
    let before = home.text();
    for _ in 0..2 {
        let problem = add("d").unwrap_err();
        assert!(
            matches!(problem, ConfigurationProblem::File(_)),
            "{problem:?}"
        );
        assert!(newest.is_dir());
    }
    fs::remove_dir(&newest).unwrap();
    assert_eq!(
        (home.text(), home.versions()),
        (before.clone(), others.clone())
    );
    // The gap is filled, and pushes nobody on; nor does what is kept already.
    add("d").unwrap();
    assert_eq!(home.versions().len(), others.len() + 1);
    assert_ne!(kept, home.versions()["switchboard.toml.1"]);
    let versions = home.versions();
    files::write_whole(&home.path(), before.as_bytes()).unwrap();
    add("d").unwrap();
    assert_eq!(home.versions(), versions);
}

#[test]
fn tables_that_nobody_reads_are_named_with_their_line() {
    let known = "\nname = \"%\"\nservice = \"http\"\nurl = \"https://a.example\"\n";
    let known = format!("\n[[connection]]{known}");
    let many: String = (0..2_000)
        .map(|at| known.replace('%', &at.to_string()))
        .collect();
    let head = "version = 1\n[setings]\nlock_after_minutes = 1\n";
    let behind = "\n[[connections]]\nname = \"b\"\n";
    for (text, expected) in [
        (
            format!("{head}{behind}"),
            vec![("line 2", "setings"), ("line 5", "connections")],
        ),
        (format!("{head}{many}"), vec![("line 2", "setings")]),
        (
            format!("version = 1\n{many}{behind}"),
            vec![("line 10003", "connections")],
        ),
        (
            format!("odd = 1\nversion = 1\n{many}"),
            vec![("line 1", "odd")],
        ),
    ] {
        let unknown = Home::with(&text).store().unknown_keys().unwrap();
        assert_eq!(unknown.len(), expected.len(), "{unknown:?}");
        for (line, (place, word)) in unknown.iter().zip(expected) {
            let begin = format!("{place}: `{word}` is not known here");
            assert!(line.starts_with(&begin), "{line}");
        }
    }
}

#[test]
fn line_ends_and_byte_order_marks_stay() {
    let text = "\u{feff}# ours\r\nversion = 1\r\n\r\n[settings]\r\nbell = true\r\n";
    let home = Home::with(text);
    let edit = |flag| {
        let edited = home
            .store()
            .edit(|document| document.set_setting("bell", SettingValue::Flag(flag)));
        edited.unwrap();
    };
    let stamp = home.store().stamp();
    edit(true);
    assert_eq!(
        home.store().stamp(),
        stamp,
        "nothing is written for nothing"
    );
    edit(false);
    assert_eq!(home.text(), text.replace("true", "false"));
    let kept = home.path().with_file_name("backup/switchboard.toml.1");
    assert_eq!(fs::read_to_string(kept).unwrap(), text);
    // Of which only one line has another end: it goes, as it went before.
    let home = Home::with("version = 1\r\n\n");
    home.store()
        .edit(|document| document.set_setting("bell", SettingValue::Flag(true)))
        .unwrap();
    assert!(!home.text().contains('\r'));
}

#[test]
fn a_list_keeps_the_comments_of_what_stays() {
    let begin = "version = 1\n[[connection]]\nname = \"a\"\nservice = \"http\"\nurl = \"https://a.example\"\n";
    let lines = "[ # all\n  \"eu\",  # europe\n  # the old one\n  \"us\", # america\n]";
    let comma = "[\n  \"eu\" # europe\n]";
    for (list, tags, expected) in [
        (
            lines,
            &["eu", "us", "as"][..],
            "[ # all\n  \"eu\",  # europe\n  # the old one\n  \"us\", # america\n  \"as\",\n]",
        ),
        (
            lines,
            &["us"],
            "[ # all\n  # the old one\n  \"us\", # america\n]",
        ),
        (lines, &["eu"], "[ # all\n  \"eu\",  # europe\n]"),
        (
            lines,
            &["as", "eu", "us"],
            "[ # all\n  \"as\",\n  \"eu\",  # europe\n  # the old one\n  \"us\", # america\n]",
        ),
        (comma, &["eu", "us"], "[\n  \"eu\" # europe\n,\n  \"us\"]"),
        (
            "[\"eu\", \"us\"]",
            &["as", "eu", "us"],
            "[\"as\", \"eu\", \"us\"]",
        ),
        (
            "[\"eu\", \"us\"]",
            &["eu", "as", "us"],
            "[\"eu\", \"as\", \"us\"]",
        ),
        ("[\"eu\", \"us\"]", &["us", "eu"], "[\"us\", \"eu\"]"),
        ("[\"eu\", \"us\"]", &["us"], "[\"us\"]"),
        ("[ \"eu\" ]", &["us"], "[\"us\"]"),
        ("[]", &["us", "eu"], "[\"us\", \"eu\"]"),
    ] {
        let home = Home::with(&format!("{begin}tags = {list} # mine\n"));
        let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        home.store()
            .edit(|document| {
                let mut changed = document.connection(&name("a"))?;
                changed.tags.clone_from(&tags);
                document.replace(&name("a"), &changed)
            })
            .unwrap();
        assert_eq!(
            home.text(),
            format!("{begin}tags = {expected} # mine\n"),
            "{list}"
        );
        assert_eq!(home.store().load().unwrap().connections[0].tags, tags);
    }
}

#[test]
fn relative_paths_are_beside_the_file_and_stay_as_they_were_written() {
    let text = "version = 1\n[[connection]]\nname = \"a\"\nservice = \"http\"\nurl = \"https://a.example\"\n\
                ca_file = \"ca.pem\"\nkey = \"file:~/key\"\n";
    let home = Home::with(text);
    let store = home.store().with_home(Some("/home/a".into()));
    let read = &store.load().unwrap().connections[0];
    let beside = home.path().with_file_name("ca.pem");
    assert_eq!(read.ca_file.as_deref(), Some(&*beside));
    assert_eq!(read.key, Some(SecretRef::File("/home/a/key".into())));
    let noted = Connection {
        note: "n".to_owned(),
        ..Connection::clone(read)
    };
    store
        .edit(|document| {
            assert_eq!(document.connection(&name("a"))?, **read);
            document.replace(&name("a"), &noted)
        })
        .unwrap();
    assert_eq!(home.text(), format!("{text}note = \"n\"\n"));
}

#[test]
fn a_file_that_is_gone_while_its_versions_are_not_is_lost() {
    let home = Home::new();
    assert_eq!(home.store().lost(), None, "a new user");
    for name in ["a", "b"] {
        home.store()
            .edit(|document| document.add(&connection(name)))
            .unwrap();
    }
    assert_eq!(home.store().lost(), None);
    fs::remove_file(home.path()).unwrap();
    let newest = home.path().with_file_name("backup/switchboard.toml.1");
    assert_eq!(home.store().lost(), Some(newest));
}

#[test]
fn what_a_killed_program_left_does_no_harm_and_is_swept() {
    let home = Home::new();
    home.store()
        .edit(|document| document.add(&connection("a")))
        .unwrap();
    let left = home.path().with_file_name(".switchboard.toml.Ab12.tmp");
    fs::write(&left, "version = 1\n[[conn").unwrap();
    assert_eq!(home.store().load().unwrap().connections.len(), 1);
    home.store().sweep();
    assert!(!left.exists());
    assert_eq!(home.store().load().unwrap().connections.len(), 1);
}

/// The folder that a test gives to the program that it starts: its current one.
fn given() -> Store {
    Store::at(
        fs::read_link("/proc/self/cwd")
            .unwrap()
            .join("switchboard/switchboard.toml"),
    )
}

/// Starts the ignored test `name` as a program of its own, in the folder of `home`.
fn program(home: &Home, name: &str, limits: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{limits} exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            &format!("store::configuration::tests::{name}"),
        ])
        .current_dir(home.0.path())
        .stdout(Stdio::piped());
    command
}

/// Run by [`killed_at_any_moment_the_file_is_whole`].
#[test]
#[ignore = "run by another test"]
fn edits_until_it_is_killed() {
    for number in 0.. {
        given()
            .edit(|document| {
                document.set_setting("theme", SettingValue::Text(format!("t{number}")))
            })
            .unwrap();
    }
}

#[test]
fn killed_at_any_moment_the_file_is_whole() {
    let home = Home::new();
    home.store().edit(|document| document.add(&full())).unwrap();
    for round in 1..=8 {
        let mut child = program(&home, "edits_until_it_is_killed", "")
            .spawn()
            .unwrap();
        let first = home.store().stamp();
        let mut seen = first;
        // Killed after some edits, at a moment that nobody chose.
        for _ in 0..round * 3 {
            while home.store().stamp() == seen {
                assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
                thread::yield_now();
            }
            seen = home.store().stamp();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let configuration = home.store().load().unwrap();
        assert_eq!(configuration.connections, [Arc::new(full())]);
        let theme = configuration.settings.theme.unwrap();
        assert!(theme.starts_with('t'));
    }
    home.store()
        .edit(|document| document.set_setting("bell", SettingValue::Flag(true)))
        .unwrap();
    let left = fs::read_dir(home.path().parent().unwrap()).unwrap();
    let left: Vec<_> = left.flatten().map(|entry| entry.file_name()).collect();
    assert!(
        !left
            .iter()
            .any(|name| name.to_string_lossy().ends_with(".tmp")),
        "{left:?}"
    );
}

/// Run by [`a_full_disk_loses_nothing`], which lets no file grow beyond a few hundred bytes.
#[test]
#[ignore = "run by another test"]
fn saves_in_vain() {
    let note = Connection {
        ca_file: Some(Path::new(&"/x".repeat(2_500)).into()),
        ..connection("big")
    };
    let problem = given().edit(|document| document.add(&note)).unwrap_err();
    assert!(
        matches!(
            &problem,
            ConfigurationProblem::File(FileProblem::Write { .. })
        ),
        "{problem:?}"
    );
    assert!(problem.to_string().contains("unchanged"), "{problem}");
    assert_eq!(
        given().load().unwrap().connections,
        [Arc::new(connection("a"))]
    );
}

#[test]
fn a_full_disk_loses_nothing() {
    let home = Home::new();
    for name in ["b", "c", "a"] {
        home.store()
            .edit(|document| document.add(&connection(name)))
            .unwrap();
        if name != "a" {
            home.store()
                .edit(|document| document.remove(&super::tests::name(name)))
                .unwrap();
        }
    }
    let (before, versions) = (home.text(), home.versions());
    assert!(versions.len() > 2);
    let limits = "trap '' XFSZ; ulimit -f 2;";
    let run = program(&home, "saves_in_vain", limits).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
    assert_eq!(home.text(), before);
    assert_eq!(
        home.versions(),
        versions,
        "no earlier version is pushed out"
    );
    let left = fs::read_dir(home.path().parent().unwrap())
        .unwrap()
        .flatten();
    assert!(
        !left
            .into_iter()
            .any(|entry| entry.file_name().to_string_lossy().ends_with(".tmp"))
    );
}

#[test]
fn a_linked_file_stays_linked_and_its_lock_is_shared() {
    let home = Home::new();
    let real = home.0.path().join("dotfiles/switchboard.toml");
    files::make_private_folder(real.parent().unwrap()).unwrap();
    files::make_private_folder(home.path().parent().unwrap()).unwrap();
    symlink(&real, home.path()).unwrap();
    // Whose target is away is not made anew: it may be mounted, or checked out, in a moment.
    let refused = [
        home.store().load().map(drop),
        home.store().edit(|document| document.add(&connection("a"))),
    ];
    for refused in refused {
        let problem = refused.unwrap_err();
        let is_dangling = matches!(
            &problem,
            ConfigurationProblem::File(FileProblem::Dangling { target, .. }) if *target == real
        );
        assert!(is_dangling, "{problem:?}");
    }
    assert!(!real.exists());
    files::write_whole(&real, b"version = 1\n").unwrap();
    home.store()
        .edit(|document| document.add(&connection("a")))
        .unwrap();
    Store::at(&real)
        .edit(|document| document.add(&connection("b")))
        .unwrap();
    assert!(fs::symlink_metadata(home.path()).unwrap().is_symlink());
    assert_eq!(home.store().load().unwrap().connections.len(), 2);
    assert_eq!(lock_path(&home.path()), lock_path(&real));
}

#[test]
fn service_files_are_listed_and_checked() {
    let home = Home::with("version = 1\n");
    assert_eq!(home.store().service_files().unwrap(), []);
    let folder = home.path().with_file_name("services");
    files::make_private_folder(&folder).unwrap();
    for name in ["b.toml", "a.toml", "notes.txt"] {
        files::write_whole(&folder.join(name), name.as_bytes()).unwrap();
    }
    fs::create_dir(folder.join("c.toml")).unwrap();
    let files = home.store().service_files().unwrap();
    let texts: Vec<_> = files.into_iter().map(|file| file.text).collect();
    assert_eq!(texts[..2], ["a.toml", "b.toml"].map(|it| Ok(it.to_owned())));
    assert!(
        texts[2]
            .as_ref()
            .unwrap_err()
            .to_string()
            .contains("c.toml"),
        "{texts:?}"
    );
    fs::set_permissions(folder.join("a.toml"), fs::Permissions::from_mode(0o666)).unwrap();
    assert!(matches!(
        home.store().service_files(),
        Err(FileProblem::WritableByOthers { .. })
    ));
}

#[test]
fn a_configuration_in_memory_is_edited_and_writes_no_file() {
    let store = Store::in_memory(&[connection("a"), full()]).unwrap();
    let stamp = store.stamp();
    let other = store.clone();
    other.edit(|document| document.remove(&name("a"))).unwrap();
    assert_eq!(store.load().unwrap().connections, [Arc::new(full())]);
    assert_ne!(store.stamp(), stamp);
    assert_eq!(store.path(), None);
}

#[test]
fn a_password_that_somebody_wrote_into_a_url_can_be_taken_out() {
    let home = Home::with(
        "version = 1\n[[connection]]\nname = \"a\"\nservice = \"http\"\nurl = \"https://u:hunter2@a.example\"\n",
    );
    let store = home.store();
    store
        .edit(|document| document.rename(&name("a"), &name("b")))
        .unwrap();
    let worse = store.edit(|document| {
        let mut found = document.connection(&name("b"))?;
        found.url = "https://u:hunter3@a.example".into();
        document.replace(&name("b"), &found)
    });
    assert!(worse.unwrap_err().to_string().contains("don't belong"));
    store
        .edit(|document| {
            let mut found = document.connection(&name("b"))?;
            found.url = "https://a.example".into();
            document.replace(&name("b"), &found)
        })
        .unwrap();
    assert!(!home.text().contains("hunter"));
}

#[test]
fn names_stay_unique_within_one_edit() {
    let store = Store::in_memory(&[connection("a"), connection("b")]).unwrap();
    store
        .edit(|document| {
            document.rename(&name("a"), &name("c"))?;
            assert_eq!(
                document.add(&connection("c")),
                Err(EditProblem::Taken(name("c")))
            );
            document.add(&connection("a"))?;
            document.remove(&name("b"))?;
            document.add(&connection("b"))
        })
        .unwrap();
    let names: Vec<String> = store
        .load()
        .unwrap()
        .connections
        .iter()
        .map(|one| one.name.to_string())
        .collect();
    assert_eq!(names, ["c", "a", "b"]);
}

#[test]
fn the_schema_names_the_keys_that_are_read() {
    let schema = include_str!("../../../assets/schema/config.json");
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    for (pointer, known) in [
        ("/properties/connection/items/properties", read::KNOWN),
        ("/properties/settings/properties", settings::KNOWN),
    ] {
        let named = schema.pointer(pointer).unwrap().as_object().unwrap();
        let mut named: Vec<&str> = named.keys().map(String::as_str).collect();
        let mut known = known.to_vec();
        named.sort_unstable();
        known.sort_unstable();
        assert_eq!(named, known, "{pointer}");
    }
}

#[test]
fn settings_are_read_without_the_connections() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("switchboard.toml");
    let connection =
        "[[connection]]\nname = \"a\"\nservice = \"http\"\nurl = \"https://a.example\"\n";
    for (text, theme) in [
        (
            format!("version = 1\n[settings]\ntheme = \"mono\"\n{connection}"),
            Some("mono"),
        ),
        (
            format!("version = 1\n{connection}\n[settings]\ntheme = \"mono\"\n"),
            Some("mono"),
        ),
        (
            "version = 1\n[settings.keys]\ndelete = []\n[settings]\ntheme = \"mono\"\n".to_owned(),
            Some("mono"),
        ),
        // A broken connection is told by whoever reads it.
        (
            "version = 1\n[settings]\ntheme = \"mono\"\n[[connection]]\nnothing\n".to_owned(),
            Some("mono"),
        ),
        (connection.to_owned(), None),
        ("[settings\n".to_owned(), None),
    ] {
        std::fs::write(&path, &text).unwrap();
        let settings = Store::at(&path).settings_alone();
        assert_eq!(settings.theme.as_deref(), theme, "{text}");
        if let Ok(whole) = Store::at(&path).load() {
            assert_eq!(whole.settings, settings, "{text}");
        }
    }
    let nowhere = Store::at(folder.path().join("nowhere")).settings_alone();
    assert_eq!(nowhere, crate::store::Settings::default());
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let home = Home::new();
    let store = home.store();
    store
        .edit(|document| document.add(&connection("a")))
        .unwrap();
    let before = home.text();
    let most = usize::try_from(files::TEXT_LIMIT).unwrap();
    let large = Connection {
        ca_file: Some(Path::new(&"/x".repeat(most / 2)).into()),
        ..connection("b")
    };
    let refused = store.edit(|document| document.add(&large)).unwrap_err();
    assert!(refused.to_string().contains("would be larger"), "{refused}");
    assert_eq!(home.text(), before);
    let at = |length: usize| Connection {
        url: format!("https://a.example/{}", "x".repeat(length - 18)),
        ..connection("b")
    };
    let long = store.edit(|document| document.add(&at(2_049)));
    let words = long.unwrap_err().to_string();
    assert!(words.contains("longer than 2048 characters"), "{words}");
    store.edit(|document| document.add(&at(2_048))).unwrap();
    assert_eq!(store.load().unwrap().connections.len(), 2);
}

#[test]
fn what_no_field_takes_is_refused_unless_it_stood_there() {
    let home = Home::new();
    let store = home.store();
    let (most, over) = ("x".repeat(2_048), "y".repeat(2_049));
    let with = |note: &str, username: &str| Connection {
        note: note.to_owned(),
        username: username.to_owned(),
        ..connection("a")
    };
    for (long, what) in [
        (with(&over, ""), "the note of"),
        (with("", &over), "the user name of"),
    ] {
        let refused = store.edit(|document| document.add(&long)).unwrap_err();
        let words = refused.to_string();
        assert!(words.contains(what) && words.contains("shorten"), "{words}");
        assert!(words.contains("\"a\""), "{words}");
    }
    let fits = with(&most, &most);
    store.edit(|document| document.add(&fits)).unwrap();
    // As an older copy has left it.
    let text = home
        .text()
        .replacen(&most, &over, 1)
        .replacen(&most, &over, 1);
    fs::write(home.path(), text).unwrap();
    let stood = store.load().unwrap().connections[0].clone();
    assert_eq!((stood.note.len(), stood.username.len()), (2_049, 2_049));
    let moved = Connection {
        url: "https://b.example".to_owned(),
        ..(*stood).clone()
    };
    store
        .edit(|document| document.merge(&stood, &moved))
        .unwrap();
    // And goes elsewhere from here.
    let exported = crate::store::transfer::export(&[moved]).unwrap();
    assert!(exported.contains(&over));
}

#[test]
fn one_that_is_too_large_already_says_what_helps() {
    let home = Home::new();
    let store = home.store();
    store
        .edit(|document| document.add(&connection("a")))
        .unwrap();
    let most = usize::try_from(files::TEXT_LIMIT).unwrap();
    let large = format!("{}# {}\n", home.text(), "x".repeat(most));
    fs::write(home.path(), &large).unwrap();
    let read = store.load().unwrap_err().to_string();
    let edited = store.edit(|document| document.add(&connection("b")));
    for words in [read, edited.unwrap_err().to_string()] {
        assert!(words.contains("take out by hand"), "{words}");
        assert!(words.contains(super::BACKUP), "{words}");
    }
    assert_eq!(home.text(), large);
}
