//! What the commands of a diagnosis take and refuse, and what they say.

use std::path::Path;

use crate::support::commands::{Done, switchboard};
use crate::support::rig::{Nginx, available, free_port};

fn run(home: &Path, arguments: &[&str]) -> Done {
    let variables = [
        ("KEY", "0123456789abcdef0123456789abcdef"),
        ("TOKEN", "secret"),
    ];
    switchboard(home, arguments, &variables, "")
}

#[test]
fn what_would_change_nothing_is_refused_with_a_sentence() {
    let home = tempfile::tempdir().unwrap();
    let url = format!("http://127.0.0.1:{}", free_port());
    let run = |arguments: &[&str]| run(home.path(), arguments);
    let add = [
        "connection",
        "add",
        "one",
        "--service",
        "http",
        "--url",
        &url,
    ];
    assert_eq!(run(&add).code, 0);
    let list = home.path().join("list");
    std::fs::write(&list, format!("{url}\n")).unwrap();
    let list = list.to_str().unwrap();
    for (arguments, flag) in [
        (
            ["probe", "one", "--service", "blesta"].as_slice(),
            "--service",
        ),
        (&["probe", "one", "--timeout", "1s"], "--timeout"),
        (&["probe", "--all", "--cms", "joomla"], "--cms"),
        (&["probe", "one", "-4"], "-4"),
        (
            &["probe", "--targets", list, "--service", "blesta"],
            "--service",
        ),
        (&["probe", "--targets", list, "--full"], "--full"),
        (
            &["probe", "--targets", list, "--key-env", "KEY"],
            "--key-env",
        ),
    ] {
        let done = run(arguments);
        assert_eq!((done.code, done.out.as_str()), (3, ""), "{arguments:?}");
        assert!(
            done.err.contains(flag) && done.err.contains("would change nothing"),
            "{done:?}"
        );
    }
    assert_eq!(
        run(&["probe", "--targets", list, "--service", "http"]).code,
        2
    );
    std::fs::write(list, "# nothing yet\n").unwrap();
    let done = run(&["probe", "--targets", list, "--format", "json"]);
    assert!(
        done.code == 3 && done.err.contains("names no URL"),
        "{done:?}"
    );
}

#[test]
fn plain_http_can_be_allowed_and_taken_back() {
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| run(home.path(), arguments);
    let add = [
        "connection",
        "add",
        "one",
        "--service",
        "http",
        "--url",
        "http://x.example",
    ];
    assert_eq!(run(&[&add[..], &["--allow-http"]].concat()).code, 0);
    let allowed =
        || run(&["connection", "show", "one", "--format", "json"]).json()["allow_http"].clone();
    assert_eq!(allowed(), true);
    assert_eq!(run(&["connection", "edit", "one", "--note", "x"]).code, 0);
    assert_eq!(allowed(), true, "what is not named stays");
    assert_eq!(
        run(&["connection", "edit", "one", "--no-allow-http"]).code,
        0
    );
    assert_eq!(allowed(), false);
    let both = [
        "connection",
        "edit",
        "one",
        "--no-allow-http",
        "--allow-http",
    ];
    assert_eq!(run(&both).code, 3);
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    if !available() {
        return;
    }
    let nginx = Nginx::start_on_free_port(
        "server { listen 127.0.0.1:{port}; location / { return 200 '{}'; } }",
    );
    let home = tempfile::tempdir().unwrap();
    let probe = [
        "probe",
        "--url",
        &nginx.url(),
        "--key-env",
        "NO_SUCH",
        "--format",
        "json",
    ];
    let verdict = run(home.path(), &probe).json();
    assert_eq!(verdict["reason"], "secret-unavailable", "{verdict:#}");
    let cause = verdict["cause"].as_str().unwrap();
    assert!(
        cause.contains("NO_SUCH") && cause.contains("not set"),
        "{cause}"
    );
    assert!(!nginx.log().contains("Basic "), "{}", nginx.log());
}

/// A bridge of another CMS: other names for everything.
const DEFINITION: &str = "[[cms]]
id = \"own\"
title = \"Own CMS\"

[cms.verify]
path = \"/bridge.php\"
parameter = \"call\"
call = \"/v1/Verify\"
timestamp = \"stamp\"
signature = \"sig\"
header = \"X-Own-Signature\"
";

#[test]
fn a_definition_file_brings_the_names_of_another_bridge() {
    if !available() {
        return;
    }
    let nginx = Nginx::start_on_free_port(
        "server { listen 127.0.0.1:{port}; default_type application/json; location = /bridge.php {
            if ($arg_call != '%2Fv1%2FVerify') { return 404; }
            if ($arg_stamp = '') { return 404; }
            if ($arg_sig = '') { return 404; }
            if ($http_x_own_signature = '') { return 200 '{\"result\":\"error\",\"error\":\"Signatures do not match\"}'; }
            return 200 '{\"result\":\"success\",\"data\":\"pong\"}';
        } }",
    );
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("own.toml");
    std::fs::write(&file, DEFINITION).unwrap();
    let url = nginx.url();
    let verify = [
        "token",
        "verify",
        "--cms-url",
        &url,
        "--token-env",
        "TOKEN",
        "--cms",
    ];
    let run = |arguments: &[&str]| run(home.path(), arguments);
    let done = run(&[&verify[..], &["own.toml"]].concat());
    assert_eq!(done.code, 0, "{done:?}");
    for row in ["API URL", "URL Found", "Token Set", "Token Valid"] {
        let line = done.out.lines().find(|line| line.contains(row)).unwrap();
        assert!(line.starts_with("● up"), "{line}");
    }
    // Kept with its whole path, wherever the next command is run.
    let add = [
        "connection",
        "add",
        "shop",
        "--service",
        "blesta",
        "--url",
        "https://x.example",
    ];
    let cms = [
        "--cms-url",
        &url,
        "--token-ref",
        "env:TOKEN",
        "--cms",
        "own.toml",
    ];
    assert_eq!(run(&[&add[..], &cms].concat()).code, 0);
    let done = run(&["token", "verify", "shop", "--format", "json"]);
    assert_eq!(done.json()["reason"], "token-valid", "{done:?}");

    for (text, word) in [
        (
            "[[cms]]\nid = \"own\"\ntitle = \"Own\"\n[cms.verify]\npaths = \"/x\"\n",
            "line 5, paths",
        ),
        (
            "[service]\nid = \"own\"\ntitle = \"Own\"\n",
            "describes no CMS",
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        let done = run(&[&verify[..], &["own.toml"]].concat());
        assert!(done.code == 3 && done.err.contains(word), "{done:?}");
    }
    let done = run(&[&verify[..], &["drupal"]].concat());
    assert!(done.code == 3 && done.err.contains("joomla"), "{done:?}");
}

#[test]
fn a_cms_without_a_check_leaves_the_url_in_order() {
    let home = tempfile::tempdir().unwrap();
    let verify = [
        "token",
        "verify",
        "--cms-url",
        "https://cms.example",
        "--token-env",
        "TOKEN",
    ];
    let done = run(home.path(), &[&verify[..], &["--cms", "modx"]].concat());
    assert_eq!(done.code, 3, "{done:?}");
    let row = |label: &str| done.out.lines().find(|line| line.contains(label)).unwrap();
    assert!(row("API URL").starts_with("● up"), "{}", row("API URL"));
    assert!(
        row("Token Valid").contains("published no check"),
        "{}",
        row("Token Valid")
    );
}

#[test]
fn a_reason_is_explained_with_its_closer_cases() {
    let home = tempfile::tempdir().unwrap();
    let explain = |reason: &str| run(home.path(), &["explain", reason]).out;
    let text = explain("tls-unknown-issuer");
    for part in [
        "signed by itself",
        "fullchain.pem",
        "--ca-file",
        "whoever runs the host",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let text = explain("not-the-service");
    assert!(text.contains("Not a Blesta: a parked domain"), "{text}");
    assert!(!text.contains('{'), "{text}");
    let text = explain("connected");
    assert!(text.contains("  Blesta answered as itself"), "{text}");
}
