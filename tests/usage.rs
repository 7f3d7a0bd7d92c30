//! Wrong usage of every command: exit code 3, one clear sentence with a way out, and nothing is changed.
#![expect(clippy::unwrap_used, reason = "what is missing shall fail the test")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::commands::{Done, switchboard};

/// A command as somebody may get it wrong, and what the answer must name.
struct Wrong {
    said: &'static str,
    named: &'static [&'static str],
}

const fn wrong(said: &'static str, named: &'static [&'static str]) -> Wrong {
    Wrong { said, named }
}

/// Every command with every kind of mistake: no such thing, too little, too much, what excludes each other,
/// values out of range, words that are none.
const ALL: &[Wrong] = &[
    wrong("nonsense", &["nonsense", "--help"]),
    wrong("prob shop", &["prob", "probe"]),
    wrong("--nonsense", &["--nonsense", "--help"]),
    wrong("", &["terminal", "hint: "]),
    wrong("demo", &["terminal", "hint: "]),
    wrong("demo --theme pink", &["pink"]),
    wrong("--theme", &["--theme"]),
    wrong("--log", &["--log"]),
    wrong(
        "--log /nowhere/log connection list --state-dir",
        &["--state-dir"],
    ),
    wrong(
        "--passphrase-fd x connection list",
        &["--passphrase-fd", "x"],
    ),
    wrong("--passphrase-fd -1 connection list", &["-1"]),
    wrong(
        "--passphrase-file /nowhere secret recipient own",
        &["/nowhere"],
    ),
    wrong(
        "--passphrase-fd 99 secret recipient own",
        &["descriptor 99"],
    ),
    wrong("connection list --theme dark", &["--theme"]),
    wrong("watch --for 1s --mouse", &["--mouse"]),
    wrong("--theme dark connection list", &["--theme", "--help"]),
    wrong("--mouse watch --for 1s", &["--mouse", "--help"]),
    wrong("probe", &["hint: ", "--targets"]),
    wrong("probe nobody", &["nobody", "hint: ", "connection list"]),
    wrong("probe shop nobody", &["nobody", "connection list"]),
    wrong("probe -- -x", &["dash"]),
    wrong("probe --all shop", &["--all"]),
    wrong("probe --all --tag eu", &["--all", "--tag"]),
    wrong(
        "probe --tag nowhere",
        &["the tag nowhere", "hint: ", "connection list"],
    ),
    wrong("probe --url", &["--url"]),
    wrong("probe --url http://127.0.0.1:9 shop", &["--url"]),
    wrong(
        "probe --url http://127.0.0.1:9 --service nope",
        &["nope", "blesta", "connect", "http"],
    ),
    wrong(
        "probe --url http://127.0.0.1:9 --timeout soon",
        &["soon", "10s"],
    ),
    wrong(
        "probe --url http://127.0.0.1:9 --timeout 0s",
        &["0s", "10s"],
    ),
    wrong("probe --url http://127.0.0.1:9 --timeout -5s", &["-5"]),
    wrong(
        "probe --url http://127.0.0.1:9 --timeout 99999999999999999999s",
        &["10s"],
    ),
    wrong(
        "probe --url http://127.0.0.1:9 --auth maybe",
        &["maybe", "basic", "headers"],
    ),
    wrong(
        "probe --url http://127.0.0.1:9 --format pretty",
        &["pretty", "human", "json"],
    ),
    wrong("probe --url http://127.0.0.1:9 -4 -6", &["-4", "-6"]),
    wrong(
        "probe --url http://127.0.0.1:9 --key-stdin --key-env A",
        &["--key-stdin", "--key-env"],
    ),
    wrong(
        "probe --url http://127.0.0.1:9 --key-stdin --token-stdin",
        &["standard input", "--token-fd"],
    ),
    wrong(
        "probe --url http://127.0.0.1:9 --key-fd 88 --username a",
        &["descriptor 88"],
    ),
    wrong("probe --url http://127.0.0.1:9 --key secret", &["--key"]),
    wrong(
        "probe --url http://127.0.0.1:9 --client-cert a",
        &["--client-key"],
    ),
    wrong(
        "probe --url http://127.0.0.1:9 --client-key a",
        &["--client-cert"],
    ),
    wrong("probe shop --client-key a", &["--client-key", "--url"]),
    wrong(
        "probe --url http://127.0.0.1:9 --proxy http://a:b@p:1",
        &["hint: ", "https_proxy"],
    ),
    wrong("probe --targets /nowhere/list", &["/nowhere/list"]),
    wrong("probe --targets list shop", &["--targets"]),
    wrong("probe --targets list --concurrency 0", &["0", "1..=16384"]),
    wrong("probe --targets list --concurrency many", &["many"]),
    wrong("probe --targets list --key-env A", &["--key-env", "--url"]),
    wrong(
        "probe shop --username other",
        &["--username", "hint: ", "connection edit"],
    ),
    wrong("probe shop --timeout 3s", &["--timeout", "connection edit"]),
    wrong("watch nobody", &["nobody", "connection list"]),
    wrong("watch shop --tag eu --for 1s", &["--tag"]),
    wrong("watch --tag nowhere", &["the tag nowhere", "hint: "]),
    wrong("watch --interval never", &["never", "10s"]),
    wrong("watch --for 0", &["0", "10s"]),
    wrong("watch --plain --format ndjson", &["--plain", "--format"]),
    wrong("history nobody", &["nobody", "connection list"]),
    wrong("history --since yesterday", &["yesterday"]),
    wrong("history --rows some", &["some", "runs", "events"]),
    wrong("history --format xml", &["xml", "csv"]),
    wrong("connection", &["list", "add"]),
    wrong("connection frobnicate", &["frobnicate"]),
    wrong("connection show", &["NAME"]),
    wrong("connection show nobody", &["nobody", "connection list"]),
    wrong("connection show -- -x", &["dash"]),
    wrong("connection add", &["--service", "--url"]),
    wrong("connection add new", &["--service", "--url"]),
    wrong("connection add new --service http", &["--url"]),
    wrong(
        "connection add shop --service http --url http://a.example",
        &["shop", "already"],
    ),
    wrong(
        "connection add new --service nope --url http://a.example",
        &["nope", "blesta"],
    ),
    wrong(
        "connection add new --service http --url ftp://a.example",
        &["http"],
    ),
    wrong("connection add new --service http --url http://", &["host"]),
    wrong(
        "connection add new --service http --url http://a:b@c.example",
        &["hint: ", "--username"],
    ),
    wrong(
        "connection add new --service http --url http://a.example --key-ref plain",
        &["keyring:", "vault:"],
    ),
    wrong(
        "connection add new --service http --url http://a.example --key-ref env:",
        &["env:"],
    ),
    wrong(
        "connection add new --service http --url http://a.example --key-ref ask --key-stdin",
        &["--key-ref"],
    ),
    wrong(
        "connection add new --service http --url http://a.example --store paper --key-stdin",
        &["paper", "vault"],
    ),
    wrong(
        "connection add new --service http --url http://a.example --store vault --key-stdin",
        &["key", "empty"],
    ),
    wrong(
        "connection add new --service http --url http://a.example --interval often",
        &["often"],
    ),
    wrong(
        "connection add new --service http --url http://a.example --proxy http://a:b@p:1",
        &["https_proxy"],
    ),
    wrong(
        "connection edit nobody --note x",
        &["nobody", "connection list"],
    ),
    wrong("connection edit shop --service nope", &["nope"]),
    wrong("connection edit shop --url ://", &["https://"]),
    wrong("connection edit shop --timeout x", &["10s"]),
    wrong(
        "connection edit shop --timeout 11m",
        &["the timeout is 1 to 600", "hint: "],
    ),
    wrong(
        "connection edit shop --interval 500ms",
        &["the interval is 1 to 604800", "500ms"],
    ),
    wrong("connection edit shop --tag ,", &["no tag", "--unset tags"]),
    wrong(
        "connection edit shop --tag a --add-tag b",
        &["--tag", "--add-tag"],
    ),
    wrong(
        "connection edit shop --tag a --remove-tag b",
        &["--tag", "--remove-tag"],
    ),
    wrong("connection edit shop --remove-tag ,", &["no tag"]),
    wrong(
        "connection edit kept --unset key --key-ref env:OTHER",
        &["--unset key", "--key-ref", "hint: "],
    ),
    wrong(
        "connection edit kept --unset key --key-stdin",
        &["--unset key", "--key-stdin"],
    ),
    wrong(
        "connection edit shop --unset token --token-ref env:OTHER",
        &["--unset token", "--token-ref"],
    ),
    wrong(
        "connection edit shop --unset tags --add-tag b",
        &["--unset tags", "--add-tag"],
    ),
    wrong(
        "connection edit shop --maintenance 2020-01-01T00:00Z/2020-01-02T00:00Z",
        &["is over", "UTC"],
    ),
    wrong("connection rename shop", &["NEW"]),
    wrong(
        "connection rename nobody other",
        &["nobody", "connection list"],
    ),
    wrong("connection rename shop kept", &["kept", "already"]),
    wrong("connection clone nobody other", &["nobody"]),
    wrong("connection clone shop kept", &["kept", "already"]),
    wrong(
        "connection remove nobody --yes",
        &["nobody", "connection list"],
    ),
    wrong("connection remove shop", &["hint: ", "--yes"]),
    wrong("connection list --format nope", &["nope", "json"]),
    wrong("token", &["list", "reveal"]),
    wrong("token reveal nobody", &["nobody", "connection list"]),
    wrong("token reveal shop other", &["shop", "other"]),
    wrong("token reveal shop token", &["shop", "token"]),
    wrong(
        "token reveal kept",
        &["identity.age", "put its folder back"],
    ),
    wrong("token copy nobody", &["nobody"]),
    wrong("token copy kept", &["identity.age", "put its folder back"]),
    wrong("token verify", &["hint: ", "--cms-url"]),
    wrong("token verify nobody", &["nobody"]),
    wrong(
        "token verify shop --cms-url http://a.example",
        &["--cms-url"],
    ),
    wrong(
        "token verify shop --token-env T",
        &["--token-env", "--cms-url", "connection edit"],
    ),
    wrong("token verify shop --token-stdin", &["--token-stdin"]),
    wrong("token verify shop --timeout 3s", &["--timeout"]),
    wrong("token verify shop --auth basic", &["--auth"]),
    wrong(
        "token verify --cms-url http://127.0.0.1:9 --auth basic",
        &["--auth"],
    ),
    wrong(
        "token verify --cms-url http://127.0.0.1:9 --allow-http",
        &["--allow-http"],
    ),
    wrong("token verify shop --cms joomla", &["--cms"]),
    wrong("token verify shop --ca-file f", &["--ca-file"]),
    wrong("token verify shop --proxy http://p:1", &["--proxy"]),
    wrong("token verify shop -4", &["-4"]),
    wrong("token list", &["NAME"]),
    wrong("token list nobody", &["nobody"]),
    wrong("token list shop", &["shop", "onnect"]),
    wrong("token list shop --group rich", &["rich", "expiring"]),
    wrong("token show mp", &["ID"]),
    wrong("token show mp ../x", &["../x", "SU-"]),
    wrong("token create mp", &["--name"]),
    wrong("token renew mp", &["ID"]),
    wrong("token delete mp SU-1", &["--yes"]),
    wrong("token disable mp SU-1", &["--yes"]),
    wrong("token rotate mp SU-1", &["--yes"]),
    wrong("token permissions mp", &["ID"]),
    wrong(
        "token permissions mp SU-1 --grant MD-2 --grant MD-1 --revoke MD-1",
        &["MD-1", "granted and revoked", "hint: "],
    ),
    wrong(
        "token permissions mp SU-1 --grant MD-1 --revoke md-1",
        &["MD-1", "granted and revoked"],
    ),
    wrong("secret", &["where", "set"]),
    wrong("secret where --format nope", &["nope"]),
    wrong("secret set nobody --key-stdin", &["nobody"]),
    wrong("secret set shop other --key-stdin", &["other", "token"]),
    wrong("secret set shop --store paper --key-stdin", &["paper"]),
    wrong("secret set shop", &["--key-stdin"]),
    wrong("secret add shop", &["LABEL"]),
    wrong("secret add nobody deploy-bot --key-stdin", &["nobody"]),
    wrong("secret move shop", &["--store"]),
    wrong("secret move nobody --store vault", &["nobody"]),
    wrong("secret move shop other --store vault", &["other"]),
    wrong("doctor now", &["now"]),
    wrong("doctor --format nope", &["nope"]),
    wrong("explain nonsense", &["nonsense"]),
    wrong("explain offline --service nope", &["nope", "blesta"]),
    wrong("service", &["list", "check"]),
    wrong("service show", &["ID"]),
    wrong("service show nope", &["nope", "blesta"]),
    wrong("service check", &["FILE"]),
    wrong("service check /nowhere", &["/nowhere"]),
    wrong("serve --listen nonsense", &["nonsense"]),
    wrong("serve --listen 0.0.0.0:9797", &["0.0.0.0", "127.0.0.1"]),
    wrong("serve --listen 127.0.0.1:99999", &["99999"]),
    wrong("sim --listen nonsense", &["nonsense", "127.0.0.1:0"]),
    wrong("sim --listen 127.0.0.1:80", &["127.0.0.1:0"]),
    wrong("completions", &["SHELL"]),
    wrong("completions csh", &["csh", "bash", "fish"]),
    wrong("man now", &["now"]),
];

/// Three connections: one with a key in a variable, one with a key in a vault that is not there, one of
/// Connect.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let at = "http://127.0.0.1:9";
    for add in [
        format!(
            "connection add shop --service blesta --url {at} --username a --key-ref env:SHOP_KEY"
        ),
        format!(
            "connection add kept --service blesta --url {at} --username a --key-ref vault:kept/key"
        ),
        format!(
            "connection add mp --service connect --url {at}/public/v1 --username SU-1 --key-ref env:SHOP_KEY"
        ),
    ] {
        let words: Vec<_> = add.split(' ').collect();
        let done = switchboard(home.path(), &words, &[], "");
        assert_eq!(done.code, 0, "{done:?}");
    }
    fs::write(home.path().join("list"), "http://127.0.0.1:9\n").unwrap();
    home
}

/// Every file but those that only say when somebody looked: locks, and the state, which a refused probe may
/// open.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if !name.ends_with("lock") && !name.starts_with("history.sqlite") {
                let content = fs::read(&path).unwrap_or_default();
                files.push((path, content));
            }
        }
    }
    files.sort();
    files
}

fn run(home: &Path, said: &str) -> Done {
    let words: Vec<_> = said.split(' ').filter(|word| !word.is_empty()).collect();
    let variables = [("SHOP_KEY", "0123456789abcdef0123456789abcdef")];
    switchboard(home, &words, &variables, "")
}

#[test]
fn wrong_usage_is_told_with_a_way_out_and_changes_nothing() {
    let home = home();
    let before = files(home.path());
    let mut failed = Vec::new();
    for Wrong { said, named } in ALL {
        let done = run(home.path(), said);
        let told = done.code == 3
            && done.out.is_empty()
            && !done.err.contains("panicked")
            && (done.err.starts_with("switchboard: ")
                || done.err.starts_with("error: ")
                || done.err.contains("Usage:"))
            && named.iter().all(|word| done.err.contains(word));
        if !told {
            failed.push(format!(
                "{said:?} names {named:?}?\n  {} {:?}\n  {}",
                done.code, done.out, done.err
            ));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert_eq!(files(home.path()), before, "something was changed");
}

/// A secret that somebody put where none belongs is not repeated.
#[test]
fn what_may_be_a_secret_is_not_repeated() {
    let home = home();
    let secret = "hunter2hunter2";
    for said in [
        format!("connection add new --service http --url http://a.example --key-ref {secret}"),
        format!("connection add new --service http --url http://a:{secret}@c.example"),
        format!("connection edit shop --url http://a:{secret}@c.example"),
        format!("probe --url http://a:{secret}@127.0.0.1:9"),
        format!("probe --url http://a:{secret}@127.0.0.1:9 --format json"),
        format!("probe --url http://127.0.0.1:9 --proxy http://a:{secret}@p:1"),
    ] {
        let done = run(home.path(), &said);
        assert_ne!(done.code, 0, "{done:?}");
        assert!(
            !format!("{}{}", done.out, done.err).contains(secret),
            "{said}: {done:?}"
        );
    }
    for (path, content) in files(home.path()) {
        let held = content
            .windows(secret.len())
            .any(|part| part == secret.as_bytes());
        assert!(!held, "{}", path.display());
    }
}
