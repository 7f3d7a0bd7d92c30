//! Terminal safety: the worst that anybody can send comes in by every path, and nothing of it comes out as
//! anything but text: not on the screen, not in plain output, not in a log.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::string_slice,
    reason = "what is missing shall fail the test"
)]
#![expect(
    clippy::format_collect,
    clippy::format_push_string,
    clippy::too_many_lines,
    reason = "texts of tests: read easily, and made once"
)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::json;
use support::commands::{BINARY, Done, finish, switchboard};
use support::is_here;
use support::pty::{Home, Terminal};
use support::rig::{Certificates, Server, available};
use switchboard::domain::text::is_active;

/// Window titles, colours, copies, C1, bidi, zero width, tags, line ends of Unicode, annotations, private use,
/// the placeholder of pictures, a flood of marks, wide characters, back and delete.
const WORST: &str = concat!(
    "\u{1b}]0;pwned\u{7}\u{1b}[31mred\u{1b}[2J\u{1b}]52;c;cHduZWQ=\u{1b}\\",
    "\u{9b}32m\u{9d}0;c1\u{9c}\u{90}q\u{85}",
    "\u{202e}bidi\u{202d}\u{2066}iso\u{2069}\u{200f}\u{61c}",
    "\u{200b}\u{200c}\u{200d}zw\u{2060}\u{feff}\u{ad}\u{34f}",
    "\u{e0001}\u{e0041}\u{e007f}tag",
    "\u{2028}ls\u{2029}ps",
    "\u{fff9}an\u{fffa}no\u{fffb}",
    "\u{e000}\u{f8ff}\u{f1234}\u{10eeee}\u{10fffd}pua",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    "x\u{489}\u{489}\u{489}\u{489}\u{489}\u{94d}\u{94d}\u{94d}\u{94d}",
    "\u{3164}\u{115f}東京\u{ff21}\u{8}\u{7f}\r\u{b}\u{c}"
);

/// A piece of it that remains: that the text did come by here is proved by it.
const REMAINS: &str = "bidi";

/// For places that take no control characters below 0x20: headers, names of certificates.
fn without_c0() -> String {
    WORST
        .chars()
        .filter(|c| u32::from(*c) >= 0x20 && *c != '\u{7f}')
        .collect()
}

/// For values of the configuration, which takes no control characters at all.
fn soft() -> String {
    WORST.chars().filter(|c| !c.is_control()).collect()
}

/// As a text in TOML or JSON.
fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| format!("\\U{:08X}", u32::from(c)))
        .collect();
    format!("\"{escaped}\"")
}

/// Whether `text`, what the program itself says to a terminal taken out, is nothing but text.
fn assert_inert(text: &str, whence: &str) {
    let mut marks = 0;
    for (at, c) in text.char_indices() {
        let near: String = text.get(at..).unwrap_or("").chars().take(40).collect();
        assert!(
            c == '\n' || !is_active(c),
            "{whence}: {c:?} before {near:?}"
        );
        marks = if unicode_width::UnicodeWidthChar::width(c) == Some(0) && c != '\n' {
            marks + 1
        } else {
            0
        };
        assert!(marks <= 2, "{whence}: a flood of marks before {near:?}");
    }
}

fn assert_done(done: &Done, whence: &str) {
    // Lines of CSV end like this, by its own rules.
    assert_inert(
        &done.out.replace("\r\n", "\n"),
        &format!("stdout of {whence}"),
    );
    assert_inert(&done.err, &format!("stderr of {whence}"));
    assert!(!done.err.contains("panicked"), "{whence}: {done:?}");
    assert!(done.code <= 3, "{whence}: {done:?}");
}

/// What came out to a terminal, without the sequences that the screen is made of: moves, styles, modes.
fn without_own(raw: &[u8]) -> String {
    // One row up is a sequence of two bytes; columns back may be backspaces.
    let text = String::from_utf8(raw.to_vec()).expect("the screen is UTF-8");
    let text = text.replace("\u{1b}M", "").replace('\u{8}', "");
    let mut rest = text.as_str();
    let mut left = String::new();
    while let Some(at) = rest.find("\u{1b}[") {
        left.push_str(&rest[..at]);
        let sequence = &rest[at + 2..];
        let end = sequence.find(|c: char| !"0123456789;?".contains(c));
        let end = end.expect("a sequence ends");
        let (parameters, last) = (&sequence[..end], &sequence[end..=end]);
        let own = match last {
            "m" => parameters.split(';').all(|one| one != "31" && one != "32"),
            // The one question: whether it is ready.
            "n" => parameters == "5",
            "A" | "B" | "C" | "D" | "G" | "H" | "X" | "d" | "h" | "l" | "J" | "K" => true,
            _ => false,
        };
        assert!(own, "ESC [ {parameters} {last} is not ours");
        rest = &sequence[end + 1..];
    }
    left.push_str(rest);
    left.replace('\r', "")
}

/// A server that says the worst to everything.
struct Evil {
    url: String,
    /// The target of every request that came, in their order.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Evil {
    /// Answers each request by its target (path and query).
    fn start(answer: impl Fn(&str, &[String]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&asked);
        let answer = Arc::new(move |target: &str, headers: &[String]| {
            seen.lock().unwrap().push(target.to_owned());
            answer(target, headers)
        });
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = Arc::clone(&answer);
                std::thread::spawn(move || serve(stream, &*answer));
            }
        });
        Self { url, asked }
    }

    /// How often something below `/name` was asked for.
    fn asked_for(&self, name: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        let first = |target: &&String| target.split(['/', '?']).nth(1) == Some(name);
        asked.iter().filter(first).count()
    }
}

fn serve(stream: TcpStream, answer: &dyn Fn(&str, &[String]) -> Vec<u8>) -> Option<()> {
    let mut writer = stream.try_clone().ok()?;
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let mut headers = Vec::new();
    for line in lines {
        let line = line.ok()?;
        if line.is_empty() {
            break;
        }
        headers.push(line);
    }
    let target = first.split(' ').nth(1)?;
    writer.write_all(&answer(target, &headers)).ok()
}

fn reply(status: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut head = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    [head.as_bytes(), b"\r\n", body.as_bytes()].concat()
}

fn is_keyed(headers: &[String]) -> bool {
    let mut names = headers.iter().map(|line| line.to_lowercase());
    names.any(|line| line.starts_with("authorization:"))
}

/// What a Blesta says to whoever shows no key: then the next request has one.
fn refused() -> Vec<u8> {
    let invalid = "The authorization details given appear to be invalid.";
    let refusal = json!({"message": invalid, "response": null});
    let json = [("Content-Type", "application/json")];
    reply("401 No", &json, &refusal.to_string())
}

/// Every answer that a service, its server or a stranger can give, each with the worst in it.
fn answers() -> Vec<(&'static str, Vec<u8>)> {
    let mut all = server_answers();
    all.extend(own_answers());
    all
}

/// What web servers, gateways and firewalls say.
fn server_answers() -> Vec<(&'static str, Vec<u8>)> {
    let soft = without_c0();
    let page =
        format!("<html><head><title>{WORST}</title></head><body><h1>{WORST}</h1></body></html>");
    let error = json!({"error_code": WORST, "errors": [WORST], "message": WORST, "detail": WORST});
    vec![
        (
            "page",
            reply(
                "200 OK",
                &[("Server", &soft), ("Content-Type", "text/html")],
                &page,
            ),
        ),
        (
            "redirect",
            reply(
                "302 Found",
                &[
                    ("Location", &format!("http://{soft}.example/{soft}")),
                    ("Server", &soft),
                ],
                "",
            ),
        ),
        (
            "away",
            reply("301 Moved", &[("Location", &format!("/{soft}"))], ""),
        ),
        (
            "password",
            reply(
                "401 No",
                &[
                    ("WWW-Authenticate", &format!("Basic realm=\"{soft}\"")),
                    ("Server", &soft),
                ],
                &page,
            ),
        ),
        (
            "refusal",
            reply(
                "401 No",
                &[("Content-Type", "application/json")],
                &error.to_string(),
            ),
        ),
        (
            "rule",
            reply(
                "403 No",
                &[("X-Powered-By", &soft), ("Via", &soft), ("CF-RAY", &soft)],
                &page,
            ),
        ),
        ("wait", reply("429 Slow", &[("Retry-After", &soft)], WORST)),
        (
            "error",
            reply("500 Error", &[("Server", &soft)], &error.to_string()),
        ),
        ("gateway", reply("502 Bad", &[("Server", &soft)], &page)),
    ]
}

/// The same in the service's own words, and from what is no web server at all.
fn own_answers() -> Vec<(&'static str, Vec<u8>)> {
    let soft = without_c0();
    let raw = format!("HTTP/1.1 200 {WORST}\r\nServer: {WORST}\r\n\r\n{WORST}");
    let company = json!([{"id": WORST, "name": WORST, "hostname": WORST}]);
    vec![
        (
            "company",
            reply(
                "200 OK",
                &[("Content-Type", "application/json")],
                &json!({"response": company}).to_string(),
            ),
        ),
        (
            "rows",
            reply(
                "200 OK",
                &[("Content-Range", &format!("items 0-0/{soft}"))],
                &company.to_string(),
            ),
        ),
        (
            "noise",
            reply(
                "200 OK",
                &[],
                &format!("{WORST}{{\"response\":[{{\"id\":1,\"name\":\"{WORST}\"}}]}}"),
            ),
        ),
        (
            "coding",
            reply(
                "200 OK",
                &[("Content-Encoding", "gzip"), ("Server", &soft)],
                WORST,
            ),
        ),
        ("raw", raw.into_bytes()),
        ("banner", format!("SSH-2.0-{WORST}\r\n").into_bytes()),
        ("nothing", WORST.as_bytes().to_vec()),
    ]
}

#[test]
fn whatever_a_server_says_is_text() {
    let server = Evil::start(|target, headers| {
        let kind = target
            .trim_start_matches('/')
            .split('/')
            .next()
            .unwrap_or_default();
        if kind == "company" && target.contains("/api/") && !is_keyed(headers) {
            return refused();
        }
        let found = answers().into_iter().find(|(name, _)| *name == kind);
        found.map_or_else(|| reply("404 None", &[], WORST), |(_, bytes)| bytes)
    });
    let logs = tempfile::tempdir().unwrap();
    let log = logs.path().join("log");
    let mut silent = Vec::new();
    for (name, _) in answers() {
        let mut shown = String::new();
        for service in ["http", "blesta", "connect"] {
            for format in ["human", "json", "ndjson", "nagios"] {
                // A home for each: what was refused before would keep the key, and so the request, back.
                let home = tempfile::tempdir().unwrap();
                let url = format!("{}/{name}", server.url);
                let arguments = [
                    "-vv",
                    "--log",
                    log.to_str().unwrap(),
                    "probe",
                    "--url",
                    &url,
                    "--service",
                    service,
                    "--username",
                    "SU-1",
                    "--key-env",
                    "KEY",
                    "--format",
                    format,
                ];
                let variables = [("KEY", "0123456789abcdef0123456789abcdef")];
                let before = server.asked_for(name);
                let done = switchboard(home.path(), &arguments, &variables, "");
                assert_done(&done, &format!("{service} {name} {format}"));
                assert!(!done.out.is_empty(), "{done:?}");
                assert!(
                    server.asked_for(name) > before,
                    "{name} never came: {done:?}"
                );
                shown += &done.out;
                shown += &done.err;
            }
        }
        if !shown.contains(REMAINS) {
            silent.push(name);
        }
    }
    // Of these no word is told.
    let untold = [
        "redirect", "wait", "rows", "noise", "coding", "raw", "banner", "nothing",
    ];
    assert_eq!(silent, untold, "all others are told in their own words");
    assert_inert(&fs::read_to_string(&log).unwrap(), "the log");
}

/// The list of reasons is long: with a coloured terminal the only escapes are our own colours.
#[test]
fn on_a_coloured_terminal_only_our_own_colours_are_escapes() {
    let server = Evil::start(|_, _| answers().swap_remove(0).1);
    let home = Home::new();
    let url = format!("{}/page", server.url);
    let mut terminal = Terminal::start(
        home.command(&["probe", "--url", &url, "--service", "blesta"]),
        100,
        30,
    );
    terminal.ended();
    terminal.wait_until_ended();
    let text = String::from_utf8(terminal.raw()).unwrap().replace('\r', "");
    let mut plain = text;
    for colour in ["32", "33", "31", "90", "0"] {
        plain = plain.replace(&format!("\u{1b}[{colour}m"), "");
    }
    assert_inert(&plain, "the coloured verdict");
    assert!(plain.contains(REMAINS), "{plain}");
}

#[test]
fn names_in_certificates_are_text() {
    if !available() {
        return;
    }
    let made = Certificates::new();
    let folder = made.folder.path();
    let name: String = without_c0().chars().take(40).collect();
    let extra = format!("{name}\u{1b}[31m");
    let file = |name: &str| folder.join(name);
    let config = format!(
        "[req]\ndistinguished_name=dn\nprompt=no\nutf8=yes\nstring_mask=utf8only\nx509_extensions=ext\n\
         [dn]\nCN={extra}\nO={extra}\nOU=bidi\u{202e}\n[ext]\nsubjectAltName=email:a@b\n"
    );
    fs::write(file("evil.cnf"), config).unwrap();
    let made = Command::new("/usr/bin/openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ])
        .args([
            "-days", "5", "-config", "evil.cnf", "-keyout", "evil.key", "-out", "evil.pem",
        ])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let server = Server::tls(&(file("evil.pem"), file("evil.key")), &["-www"]);
    let home = tempfile::tempdir().unwrap();
    let mut shown = String::new();
    for (more, format) in [
        (false, "human"),
        (true, "human"),
        (false, "json"),
        (true, "json"),
        (true, "nagios"),
    ] {
        let url = server.url();
        let mut arguments = vec!["probe", "--url", &url, "--format", format];
        let authority = file("evil.pem");
        if more {
            arguments.extend(["--ca-file", authority.to_str().unwrap()]);
        }
        let done = switchboard(home.path(), &arguments, &[], "");
        assert_done(&done, &format!("a certificate, {format}"));
        shown += &done.out;
    }
    assert!(shown.contains("pwned"), "no name came by: {shown}");
}

/// Every command that shows something of the service's tokens.
const OVER_TOKENS: &[&str] = &[
    "token list mp",
    "token show mp SU-1",
    "token permissions mp SU-1",
    "token usage mp SU-1",
    "token renew mp SU-1 --yes",
    "token disable mp SU-1 --yes --even-in-use",
    "token delete mp SU-1 --yes --even-in-use",
    "token create mp --name x --module MD-0000",
    "token edit mp SU-1 --name y",
    "token edit mp SU-1 --module MD-1",
    "probe mp",
];

/// An account whose labels, people, modules and refusals are the worst.
fn account() -> Evil {
    let token = json!({
        "id": "SU-1", "name": WORST, "description": WORST, "external_id": WORST, "status": WORST,
        "owner": {"id": WORST, "name": WORST, "email": WORST},
        "extension": {"id": WORST, "name": WORST}, "expiration_date": WORST,
        "permissions": [{"id": WORST, "object": {"id": WORST, "name": WORST}, "events": {"granted": {"at": WORST}}}],
        "events": {"created": {"at": WORST, "by": {"id": WORST, "name": WORST}}, "updated": {"at": WORST}},
    });
    let refusal = json!({"error_code": WORST, "errors": [WORST, WORST]});
    Evil::start(move |target, _| {
        let rows = json!([token]).to_string();
        let one = token.to_string();
        let path = target.split('?').next().unwrap_or_default();
        if path.ends_with("/accounts") {
            let account = json!([{"id": "VA-1", "name": WORST}]);
            reply("200 OK", &[], &account.to_string())
        } else if path.ends_with("/tokens") {
            reply("200 OK", &[("Content-Range", "items 0-0/1")], &rows)
        } else if path.ends_with("/SU-1") {
            reply("200 OK", &[], &one)
        } else if path.contains("/permissions") {
            reply("200 OK", &[], &token["permissions"].to_string())
        } else {
            reply("400 No", &[], &refusal.to_string())
        }
    })
}

const ACCOUNT_KEY: &str = "SU-1:0123456789abcdef0123456789abcdef01234567";

/// Tokens of an account: labels, people, modules, refusals.
#[test]
fn labels_of_tokens_are_text() {
    let server = account();
    let home = tempfile::tempdir().unwrap();
    let url = format!("{}/public/v1", server.url);
    let variables = [("KEY", ACCOUNT_KEY)];
    let run = |arguments: &[&str]| switchboard(home.path(), arguments, &variables, "");
    let add = [
        "connection",
        "add",
        "mp",
        "--service",
        "connect",
        "--url",
        &url,
        "--username",
        "SU-1",
        "--key-ref",
        "env:KEY",
    ];
    let done = run(&add);
    assert_eq!(done.code, 0, "{done:?}");
    for command in OVER_TOKENS {
        for format in ["human", "json"] {
            let words: Vec<_> = command.split(' ').chain(["--format", format]).collect();
            let done = run(&words);
            assert_done(&done, &format!("{command} {format}"));
        }
    }
    assert!(run(&["token", "list", "mp"]).out.contains(REMAINS));
}

/// The first line of `screen` that holds `text`.
fn line_with<'a>(screen: &'a str, text: &str) -> &'a str {
    let found = screen.lines().find(|line| line.contains(text));
    found.unwrap_or_default()
}

/// Whether a line of `screen` holds all of `words`.
fn has_row(screen: &str, words: &[&str]) -> bool {
    let mut rows = screen.lines();
    rows.any(|row| words.iter().all(|word| row.contains(word)))
}

/// How many boxes begin at the top.
fn side_by_side(screen: &str) -> usize {
    let top = screen.lines().nth(1).unwrap_or_default();
    top.matches('┌').count()
}

/// The pane alone on the screen, and then beside the others again. A narrow screen has it alone anyway.
fn in_full_and_back(terminal: &mut Terminal) {
    let usual = side_by_side(&terminal.screen());
    for boxes in [1, usual] {
        terminal.type_keys("z");
        terminal.wait_until("the pane in full, and back", |screen| {
            side_by_side(screen) == boxes
        });
    }
}

/// The same account in the tokens pane: list, filter, details, wizard, every dialog.
#[test]
fn the_tokens_pane_shows_the_worst_as_text() {
    for (columns, rows) in [(100, 30), (80, 24), (45, 14)] {
        let server = account();
        let home = Home::new();
        let file = home.path().join(".config/switchboard/switchboard.toml");
        private(
            &file,
            &format!(
                "version = 1\n[[connection]]\nname = \"mp\"\nservice = \"connect\"\nusername = \"SU-1\"\n\
             url = \"{}/public/v1\"\nkey = \"env:KEY\"\n",
                server.url
            ),
        );
        let mut command = home.command(&[]);
        command.env("KEY", ACCOUNT_KEY);
        let mut terminal = Terminal::start(command, columns, rows);
        terminal.wait_for("● 1");
        terminal.type_keys("\t\t\tl");
        terminal.wait_for("1 token");
        terminal.type_keys("j");
        terminal.wait_until("the token's row", |screen| has_row(screen, &["▸", "pwned"]));
        in_full_and_back(&mut terminal);
        // Details in three parts.
        for (key, part) in [("\r", "▸General"), ("\t", "▸Permissions"), ("\t", "▸Usage")] {
            terminal.type_keys(key);
            terminal.wait_for(part);
        }
        terminal.wait_for("400");
        terminal.type_keys("\x1b");
        terminal.wait_until("the end of the details", |screen| {
            !screen.contains("▸Usage")
        });
        // Every dialog, opened and left again.
        for (key, title) in [
            ("t", "┌ New token"),
            ("e", "┌ Edit "),
            ("d", "┌ Delete "),
            ("N", "┌ Renew "),
            ("O", "┌ Rotate "),
        ] {
            terminal.type_keys(key);
            terminal.wait_for(title);
            terminal.type_keys("\x1b");
            terminal.wait_until("the dialog's end", |screen| !screen.contains(title));
        }
        terminal.type_keys("f");
        terminal.wait_for("group: ");
        terminal.type_keys("/");
        terminal.paste(WORST);
        terminal.wait_until("the filter", |screen| {
            line_with(screen, " /").contains('東')
        });
        terminal.type_keys("\x1b");
        terminal.wait_until("the filter's end", |screen| !screen.contains('東'));
        terminal.type_keys("t");
        terminal.wait_for("▸1 General");
        terminal.paste(WORST);
        terminal.wait_until("the label", |screen| {
            line_with(screen, "▸ Label").contains('東')
        });
        terminal.type_keys("\r\r\r\r");
        terminal.wait_for("▸2 Extension");
        // What the service says instead of its extensions.
        terminal.wait_for("400");
        terminal.resize(columns + 1, rows + 1);
        terminal.signal(rustix::process::Signal::TERM);
        assert_eq!(terminal.ended().exit_code(), 143);
        terminal.wait_until_ended();
        let raw = without_own(&terminal.raw());
        assert_inert(&raw, "the tokens pane");
        assert!(raw.contains(REMAINS), "{raw}");
        terminal.assert_restored();
    }
}

/// What ssh and the machine behind it say.
#[test]
fn what_ssh_says_is_text() {
    let home = tempfile::tempdir().unwrap();
    let octal: String = WORST.bytes().map(|byte| format!("\\{byte:03o}")).collect();
    let ssh = home.path().join("ssh");
    for end in ["exit 255", "exit 1", "cat"] {
        let script = format!(
            "#!/bin/sh\nprintf '{octal}\\n' >&2\nprintf 'channel 0: open failed: {octal}\\n' >&2\n{end}\n"
        );
        fs::write(&ssh, script).unwrap();
        fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:/usr/bin:/bin", home.path().display());
        let mut shown = String::new();
        for format in ["human", "json", "ndjson", "nagios"] {
            let arguments = [
                "probe",
                "--url",
                "http://127.0.0.1:9/",
                "--via",
                "ssh:far",
                "--timeout",
                "1s",
                "--format",
                format,
            ];
            let done = switchboard(home.path(), &arguments, &[("PATH", &path)], "");
            assert_done(&done, &format!("--via, {end}, {format}"));
            shown += &done.out;
            shown += &done.err;
        }
        assert!(shown.contains("ssh"), "{shown}");
        assert!(end == "cat" || shown.contains(REMAINS), "{end}: {shown}");
    }
}

/// What somebody sends to be taken in: every form, read, planned and taken.
#[test]
fn what_is_imported_is_text() {
    let soft = soft();
    let here = "http://127.0.0.1:9/a";
    let account = json!({"accounts": [
        {"api_key": format!("ApiKey SU-1:{WORST}"), "endpoint": here, "id": WORST, "name": WORST},
        {"api_key": WORST, "endpoint": WORST, "id": WORST, "name": WORST},
    ], "active": WORST});
    let files = [
        (
            "curl",
            format!("curl -u '{WORST}:x' -H 'X-A: {WORST}' --{WORST} {here}\ncurl '{WORST}'\n"),
        ),
        (
            "env",
            format!("SHOP_URL={here}\nSHOP_USER='{WORST}'\nSHOP_KEY=\"{WORST}\"\n{WORST}=1\n"),
        ),
        ("accounts.json", account.to_string()),
        ("definitions.toml", configuration(here)),
        (
            "broken.toml",
            format!("[[connection]]\nname = \"a\"\nurl = \"{WORST}\"\n{soft}\n"),
        ),
        ("nothing", WORST.to_owned()),
        (
            "bundle",
            format!("age-encryption.org/v1\n-> X25519 {WORST}\n--- {WORST}\n"),
        ),
    ];
    let mut shown = String::new();
    for (name, text) in files {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(name);
        private(&file, &text);
        let file = file.to_str().unwrap();
        for command in [
            vec!["connection", "import", file, "--dry-run"],
            vec!["connection", "import", file, "--dry-run", "--trust"],
            vec!["connection", "import", file],
            vec!["connection", "apply", file, "--dry-run"],
            vec!["connection", "apply", file],
            vec!["connection", "list"],
            vec!["connection", "export"],
        ] {
            for format in [&[][..], &["--format", "json"]] {
                let arguments = [&command[..], format].concat();
                let done = switchboard(home.path(), &arguments, &[], "");
                // A file of connections holds every text as it is, within quotes.
                if command[1] != "export" {
                    assert_done(&done, &format!("{arguments:?}"));
                }
                shown += &done.out;
                shown += &done.err;
            }
        }
    }
    assert!(shown.contains(REMAINS), "{shown}");
}

/// A bundle is encrypted, and whoever made it may have written anything into it.
#[test]
fn what_is_in_a_bundle_is_text() {
    if !is_here("/usr/bin/age-keygen") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let identity = home.path().join("identity");
    let made = Command::new("age-keygen")
        .arg("-o")
        .arg(&identity)
        .output()
        .unwrap();
    let talk = String::from_utf8(made.stderr).unwrap();
    let recipient = talk.split_whitespace().last().unwrap();
    fs::set_permissions(&identity, fs::Permissions::from_mode(0o600)).unwrap();
    let definitions = format!(
        "version = 1\n[[connection]]\nname = \"a\"\nservice = {0}\nurl = \"http://127.0.0.1:9\"\n\
         [[connection]]\nname = \"b\"\nservice = {0}\nurl = \"http://127.0.0.1:9/b\"\n",
        quoted(&soft())
    );
    let contents = json!({
        "format": "switchboard-bundle", "version": 1, "definitions": definitions,
        "secrets": [{"connection": "a", "part": format!("added/{WORST}"), "value": "x"},
                    {"connection": WORST, "part": WORST, "value": "x"}],
    });
    let plain = home.path().join("plain");
    fs::write(&plain, contents.to_string()).unwrap();
    let bundle = home.path().join("bundle");
    let mut sealing = Command::new("age");
    sealing
        .args(["-r", recipient, "-o"])
        .arg(&bundle)
        .arg(&plain);
    assert!(sealing.status().unwrap().success());
    let mut shown = String::new();
    for words in [&["--dry-run"][..], &["--dry-run", "--format", "json"], &[]] {
        let mut arguments = vec!["connection", "import", bundle.to_str().unwrap()];
        arguments.extend(["--identity", identity.to_str().unwrap()]);
        arguments.extend(words);
        let done = switchboard(home.path(), &arguments, &[], "");
        assert_done(&done, &format!("{arguments:?}"));
        shown += &done.out;
        shown += &done.err;
    }
    assert!(shown.contains(REMAINS), "{shown}");
}

fn private(path: &Path, text: &str) {
    let folder = path.parent().unwrap();
    fs::create_dir_all(folder).unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A configuration with the worst in every value that takes it. The names of connections take none.
fn configuration(url: &str) -> String {
    let soft = soft();
    let worst = quoted(&soft);
    // The program's own talk holds all of it.
    let octal: String = WORST.bytes().map(|byte| format!("\\{byte:03o}")).collect();
    let talk = quoted(&format!("printf '{octal}' >&2; exit 9"));
    let command = format!("[\"cmd:/bin/sh\", \"-c\", {talk}]");
    format!(
        "version = 1\n[settings]\norder = \"name\"\n
[[connection]]\nname = \"words\"\nservice = \"blesta\"\nurl = {url}\nusername = {worst}\nnote = {worst}\ntags = [\"eu\"]
cms = \"joomla\"\ncms_url = {worst}\nkey = {command}\ntoken = \"ask\"\nadded = {{ more = \"ask\" }}
[[connection]]\nname = \"place\"\nservice = \"http\"\nurl = {worst}\nkey = {file}\n
[[connection]]\nname = \"host\"\nservice = \"http\"\nurl = {host}\nkey = {variable}\nusername = \"a\"
[[connection]]\nname = \"kept\"\nservice = {worst}\nurl = \"http://127.0.0.1:9\"\nkey = {vault}\nca_file = {worst}
[[connection]]\nname = \"path\"\nservice = \"http\"\nurl = {url}\nca_file = {worst}\n",
        url = quoted(url),
        file = quoted(&format!("file:/nowhere/{soft}")),
        host = quoted(&format!("https://{soft}.example/{soft}?{soft}#{soft}")),
        variable = quoted("env:NOWHERE"),
        vault = quoted(&format!("vault:{soft}")),
    )
}

/// Every command that shows something of the configuration.
const OVER_VALUES: &[&str] = &[
    "connection list",
    "connection list --format json",
    "connection list --format ndjson",
    "connection show words",
    "connection show words --format json",
    "connection show place",
    "connection show host --format json",
    "connection show kept",
    "probe words",
    "probe words --format json",
    "probe place",
    "probe host",
    "probe host --format json",
    "probe kept",
    "probe path",
    "probe path --format json",
    "probe words place host --format ndjson",
    "probe words place --format nagios",
    "secret where",
    "secret where --format json",
    "doctor",
    "doctor --format json",
    "token reveal words",
    "token reveal place",
    "token reveal host",
    "token reveal kept",
    "token copy words",
    "token verify words",
    "token verify words --format json",
    "watch --plain --interval 1s --for 2s",
    "watch --format ndjson --interval 1s --for 2s",
    "watch --interval 1s --for 2s",
    "history",
    "history --format json",
    "history --rows runs",
    "secret move words --store vault",
    "token list words",
];

#[test]
fn values_of_the_configuration_are_text() {
    let server = Evil::start(|_, _| answers().swap_remove(0).1);
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(".config/switchboard/switchboard.toml");
    private(&file, &configuration(&server.url));
    let log = home.path().join("log");
    let log = log.to_str().unwrap();
    let listed = switchboard(home.path(), &["connection", "list"], &[], "");
    assert_eq!(listed.out.lines().count(), 5, "it can be read: {listed:?}");
    for command in OVER_VALUES {
        let words: Vec<_> = ["-vv", "--log", log]
            .into_iter()
            .chain(command.split(' '))
            .collect();
        let done = switchboard(home.path(), &words, &[], "");
        assert_done(&done, command);
    }
    assert_inert(&fs::read_to_string(log).unwrap(), "the log");
    let shown = switchboard(
        home.path(),
        &["connection", "show", "words", "--format", "json"],
        &[],
        "",
    );
    assert_eq!(
        shown.json()["note"],
        soft(),
        "JSON means what stands in the file"
    );
    assert!(
        switchboard(home.path(), &["connection", "show", "words"], &[], "")
            .out
            .contains(REMAINS)
    );
    assert!(
        switchboard(home.path(), &["token", "reveal", "words"], &[], "")
            .err
            .contains("code 9")
    );
}

#[test]
fn files_that_do_not_fit_are_told_as_text() {
    let home = tempfile::tempdir().unwrap();
    let worst = quoted(WORST);
    let file = home.path().join(".config/switchboard/switchboard.toml");
    for text in [
        format!("version = 1\n[[connection]]\nname = {worst}\nservice = \"http\"\nurl = \"x\"\n"),
        format!("version = {worst}\n"),
        format!("version = 1\n{worst} = {worst}\n"),
        format!("version = 1\n[settings]\n{worst} = 1\ntheme = {worst}\norder = {worst}\n"),
        format!("version = 1\n[settings.keys]\n{worst} = [{worst}]\n"),
        format!("version = 1\n[[connection]]\n{worst} = 2\n"),
        format!(
            "version = 1\n[[connection]]\nname=\"a\"\nservice=\"http\"\nurl=\"x\"\nkey={worst}\n"
        ),
        format!(
            "version = 1\n[[connection]]\nname=\"a\"\nservice=\"http\"\nurl=\"x\"\nauth={worst}\n"
        ),
        format!("version = 1\n{WORST}\n"),
        format!("version = 1\nx = \"{WORST}\n"),
    ] {
        private(&file, &text);
        for command in [
            "connection list",
            "doctor",
            "probe a",
            "connection edit a --note x",
        ] {
            let words: Vec<_> = command.split(' ').collect();
            let done = switchboard(home.path(), &words, &[], "");
            assert_done(&done, &format!("{command} over {text:?}"));
        }
    }
    fs::remove_file(&file).unwrap();
    let own = home.path().join(".config/switchboard/services/own.toml");
    for text in [
        format!("id = {worst}\n"),
        format!("id = \"own\"\ntitle = {worst}\n{worst} = {worst}\n"),
        WORST.to_owned(),
        fs::read_to_string("tests/fuzz/corpus/service_file/grafana")
            .unwrap()
            .replace("Grafana", "Gra\\u001bfana\\u202e"),
    ] {
        private(&own, &text);
        for command in [
            "service list",
            "service show own",
            "service check .config/switchboard/services/own.toml",
            "connection list",
            "explain offline --service own",
        ] {
            let words: Vec<_> = command.split(' ').collect();
            let done = switchboard(home.path(), &words, &[], "");
            assert_done(&done, &format!("{command} over {text:?}"));
        }
    }
}

/// Words at every place of every command: `{worst}` is the worst, the others are names of things that have it.
const ARGUMENTS: &[&str] = &[
    "{worst}",
    "connection {worst}",
    "connection show {worst}",
    "connection add {worst} --service http --url {here}",
    "connection add a --service {worst} --url {here}",
    "connection add a --service http --url {worst}",
    "connection add a --service http --url {here} --key-ref {worst}",
    "connection add a --service http --url {here} --interval {worst}",
    "connection list --format {worst}",
    "probe {worst}",
    "probe --tag {worst}",
    "probe --url {worst}",
    "probe --url {worst} --format nagios",
    "probe --url {worst} --format json",
    "probe --url {here} --service {worst}",
    "probe --url {here} --timeout {worst}",
    "probe --url {here} --proxy {worst}",
    "probe --url {here} --auth {worst}",
    "probe --url {here} --key-env {worst} --username a --service blesta",
    "probe --url {here} --ca-file {file}",
    "probe --url {here} --ca-file {worst}",
    "probe --url {here} --client-cert {file} --client-key {file}",
    "probe --targets {worst}",
    "probe --targets {folder}",
    "probe --targets {list}",
    "probe --targets {list} --format nagios",
    "probe --targets {list} --format json",
    "watch {worst}",
    "watch --tag {worst}",
    "history {worst}",
    "history --since {worst}",
    "token reveal {worst}",
    "token verify {worst}",
    "token verify --cms-url {worst} --token-env HOME",
    "token verify --cms-url {here} --cms {worst} --token-env HOME",
    "token show a {worst}",
    "secret set {worst}",
    "secret move a {worst} --store vault",
    "explain {worst}",
    "explain offline --service {worst}",
    "service show {worst}",
    "service check {worst}",
    "service check {file}",
    "serve --listen {worst}",
    "sim --listen {worst}",
    "completions {worst}",
    "--config-dir {folder} connection list",
    "--config-dir {file} connection list",
    "--state-dir {file} history",
    "--log {folder} connection list",
    "--passphrase-file {worst} secret where",
    "--passphrase-file {file} token reveal a",
    "--theme {worst} demo",
];

/// Names of files, folders, variables, hosts, services, and words that are none of ours.
#[test]
fn arguments_and_names_of_files_are_text() {
    let home = tempfile::tempdir().unwrap();
    let name: String = WORST
        .chars()
        .filter(|c| *c != '\0' && *c != '/')
        .take(60)
        .collect();
    let there = home.path().join(&name);
    fs::create_dir_all(&there).unwrap();
    let in_there = there.join("a.toml");
    private(&in_there, "no service\n");
    let listed = home.path().join("list");
    fs::write(
        &listed,
        format!("http://127.0.0.1:9/{WORST}\n{WORST}\nhttp://{WORST}/\n"),
    )
    .unwrap();
    let path = |path: &PathBuf| path.to_str().unwrap().to_owned();
    let filled = |word: &str| match word {
        "{worst}" => WORST.to_owned(),
        "{here}" => "http://127.0.0.1:9".to_owned(),
        "{folder}" => path(&there),
        "{file}" => path(&in_there),
        "{list}" => path(&listed),
        word => word.to_owned(),
    };
    for case in ARGUMENTS {
        let arguments: Vec<String> = case.split(' ').map(filled).collect();
        let mut command = Command::new(BINARY);
        command.args(&arguments);
        let done = finish(command, home.path(), &[], "");
        assert_done(&done, &format!("{arguments:?}"));
    }
}

/// The connections of the screen's test, as they stand in its list.
const LISTED: &[&str] = &["answered", "host", "kept", "path", "place", "words"];

/// A Blesta to whoever shows no key; then its company is the worst.
fn blesta() -> Evil {
    Evil::start(|target, headers| {
        let name = match target.contains("/api/") {
            true if is_keyed(headers) => "company",
            true => return refused(),
            false => "page",
        };
        let found = answers().into_iter().find(|(one, _)| *one == name);
        found.unwrap().1
    })
}

/// Each connection, each pane, each of them in full.
fn look_at_all(terminal: &mut Terminal) {
    for name in LISTED {
        terminal.wait_until(name, |screen| line_with(screen, "▸").contains(name));
        for pane in ["e edit", "r probe", "v reveal", "n new"] {
            in_full_and_back(terminal);
            terminal.type_keys("\t");
            terminal.wait_until(pane, |screen| footer(screen).starts_with(pane));
        }
        terminal.type_keys("j");
    }
}

fn footer(screen: &str) -> &str {
    screen.lines().last().unwrap_or_default().trim_start()
}

/// The help, the palette, the filter, a new connection with the worst in its fields, and its further fields.
fn open_and_type(terminal: &mut Terminal) {
    // A frame may have come in part: its title, and not yet its footer.
    let list =
        |title: &str, screen: &str| footer(screen).starts_with("n new") && !screen.contains(title);
    for (key, title) in [("?", "┌ Help"), (":", "│ :")] {
        terminal.type_keys(key);
        terminal.wait_for(title);
        terminal.type_keys("\x1b");
        terminal.wait_until("the list", |screen| list(title, screen));
    }
    terminal.type_keys("/");
    terminal.paste(WORST);
    terminal.wait_until("the filter", |screen| {
        line_with(screen, "┌ /").contains('東')
    });
    terminal.type_keys("\x1b");
    terminal.wait_until("the list", |screen| list("┌ /", screen));
    terminal.type_keys("n");
    for field in ["▸URL", "▸Username"] {
        terminal.wait_for(field);
        terminal.paste(WORST);
        terminal.wait_until(field, |screen| line_with(screen, field).contains('東'));
        terminal.type_keys("\t");
    }
    terminal.wait_for("▸Key");
    terminal.paste(WORST);
    terminal.wait_until("the key", |screen| line_with(screen, "▸Key").contains('•'));
    terminal.type_keys("\x0f");
    terminal.wait_for("▸Name");
    terminal.type_keys("\x1b");
    terminal.wait_until("the list", |screen| list("▸Name", screen));
}

/// The screen over all of it: every pane of every connection, the form, a paste, the filter, the palette.
#[test]
fn the_screen_shows_the_worst_as_text() {
    let server = blesta();
    let home = Home::new();
    let file = home.path().join(".config/switchboard/switchboard.toml");
    let answered = format!(
        "[[connection]]\nname = \"answered\"\nservice = \"blesta\"\nurl = \"{}\"\nusername = \"SU-1\"\nkey = \"env:KEY\"\n",
        server.url
    );
    private(&file, &(configuration(&server.url) + &answered));
    let log = home.path().join("log");
    for (columns, rows) in [(100, 30), (62, 20), (33, 9)] {
        let mut command = home.command(&["-vv", "--log", log.to_str().unwrap()]);
        command.env("KEY", "0123456789abcdef0123456789abcdef");
        let mut terminal = Terminal::start(command, columns, rows);
        // Its key was sent, and the company came.
        terminal.wait_until("the company", |screen| has_row(screen, &["▲", "answered"]));
        look_at_all(&mut terminal);
        open_and_type(&mut terminal);
        terminal.type_keys("W");
        terminal.wait_for("conn-");
        terminal.resize(columns + 1, rows + 1);
        terminal.signal(rustix::process::Signal::TERM);
        assert_eq!(terminal.ended().exit_code(), 143);
        terminal.wait_until_ended();
        let raw = without_own(&terminal.raw());
        assert_inert(&raw, "the screen");
        // The narrowest shows no more than the beginning of it.
        let part = if columns < 60 { "pwned" } else { REMAINS };
        assert!(raw.contains(part), "{raw}");
        terminal.assert_restored();
    }
    assert_inert(&fs::read_to_string(&log).unwrap(), "the log");
}
