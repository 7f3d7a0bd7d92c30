//! The curl command of a connection: what a person runs elsewhere to see the same. No secret is in it.
//!
//! The key is read from `$SWITCHBOARD_KEY` and handed over on stdin (`-K -`), so that it stands in no
//! argument either: `printf` is built into the shell. `sed` writes what curl would read as the end of a value, or as
//! an escape, so that it is read as it is.

use crate::domain::text::{shell_quoted, shell_word};
use crate::domain::{
    AddressFamily, AuthStyle, CheckId, Connection, Endpoint, Reason, State, Verdict,
};
use crate::service::Service;
use crate::service::catalog::format::Scheme;
use crate::service::import::curl::KEY_QUOTED;

/// The scheme that a connection's style means for a service; nothing where no credentials are sent.
pub(super) fn scheme(service: &Service, style: AuthStyle, username: &str) -> Option<Scheme> {
    let first = service.first_scheme(!username.is_empty())?;
    Some(match style {
        AuthStyle::Auto => first,
        AuthStyle::Basic => Scheme::Basic,
        AuthStyle::Headers => Scheme::Headers,
    })
}

/// Whether a probe of `connection` may send a key to `base`: over plain http only where the connection says so.
pub(super) fn may_carry(connection: &Connection, base: &Endpoint) -> bool {
    let stays_here = base.is_loopback() && connection.proxy.is_none();
    connection.key.is_some() && (!base.is_plain() || stays_here || connection.allow_http)
}

/// The scheme of the call that `verdict` rests on, `scheme` being that of the connection; nothing where that call
/// carried no key. Whoever runs the command shall see the same, and not send a key where the probe has kept it.
pub(super) fn carried(
    service: &Service,
    verdict: &Verdict,
    scheme: Option<Scheme>,
) -> Option<Scheme> {
    let scheme = scheme?;
    match verdict.reason {
        Reason::AuthorizationStripped => return Some(Scheme::Basic),
        Reason::AuthPaused
        | Reason::KeyWithheld
        | Reason::SecretUnavailable
        | Reason::ServiceFound
        | Reason::RateLimited
        | Reason::NotTheService
        | Reason::HttpOnTlsPort
        | Reason::RedirectHttps
        | Reason::RedirectHost
        | Reason::RedirectPath
        | Reason::RedirectLoop => return None,
        _ => {}
    }
    let answered = verdict.checks.get(CheckId::Credentials).state != State::Unknown;
    // Where no call goes ahead of the key, whatever was answered was answered to it.
    let with_the_first = !service.asks_bare_first() && verdict.status > 0;
    (answered || with_the_first).then_some(scheme)
}

/// A command that asks `service` at `base` what a probe of `connection` asks, on the same way, with the key of the
/// variable.
pub(super) fn command(
    service: &Service,
    scheme: Option<Scheme>,
    base: &Endpoint,
    connection: &Connection,
) -> String {
    let requests = &service.text().requests;
    // Without credentials it asks what a probe asks then.
    let path = match scheme {
        Some(_) => requests.authenticated.as_deref(),
        None => requests
            .bare
            .as_deref()
            .or(requests.authenticated.as_deref()),
    };
    let url = path.map_or_else(|| base.clone(), |path| base.join(path));
    let url = url.url().as_str();
    let way = way(connection, url);
    let url = shell_quoted(url);
    let lines = scheme.map_or_else(Vec::new, |scheme| {
        lines(service, scheme, &connection.username)
    });
    if lines.is_empty() {
        return format!("curl -sS -i{way} {url}");
    }
    let format = lines.concat();
    // A percent sign of the user name stands there twice.
    let keys = format.replace("%%", "").matches("%s").count();
    let format = shell_quoted(&format);
    let arguments = vec![KEY_QUOTED; keys].join(" ");
    format!("printf {format} {arguments} | curl -sS -i{way} -K - {url}")
}

/// The connection's own options of the way to `url`, each with a blank before it. (A proxy's login never stands in a
/// configuration; what the session names, curl reads itself.)
pub(super) fn way(connection: &Connection, url: &str) -> String {
    // By itself curl takes brackets for a range, and asks, with the key, for each of its URLs.
    let is_range = |c: &[char]| {
        url.splitn(4, '/')
            .nth(3)
            .is_some_and(|path| path.contains(c))
    };
    let whole = if is_range(&['[', ']', '{', '}']) {
        " -g"
    } else {
        ""
    };
    let mut way = whole.to_owned();
    way.push_str(match connection.family {
        AddressFamily::Any => "",
        AddressFamily::V4 => " -4",
        AddressFamily::V6 => " -6",
    });
    let path = |path: &Option<Box<std::path::Path>>| {
        let path = path.as_ref()?.to_str()?;
        (!path.chars().any(char::is_control)).then(|| path.to_owned())
    };
    let timeout = connection.timeout_s.map(|seconds| seconds.to_string());
    let proxy = connection.proxy.clone().filter(|url| !url.contains('@'));
    for (option, value) in [
        ("-m", timeout),
        ("-x", proxy),
        ("--cacert", path(&connection.ca_file)),
        ("--cert", path(&connection.client_cert).map(certificate)),
        ("--key", path(&connection.client_key)),
    ] {
        if let Some(value) = value {
            way.extend([" ", option, " ", &shell_word(&value)]);
        }
    }
    way
}

/// A path as curl takes it for `--cert`, where a password may stand behind a colon.
fn certificate(path: String) -> String {
    path.replace('\\', r"\\").replace(':', r"\:")
}

/// The lines of curl's configuration as a format for printf, the key as `%s`.
fn lines(service: &Service, scheme: Scheme, username: &str) -> Vec<String> {
    let username = literal(username);
    match scheme {
        Scheme::Basic => vec![format!("user = \"{username}:%s\"\\n")],
        Scheme::Bearer => vec!["header = \"Authorization: Bearer %s\"\\n".to_owned()],
        Scheme::Headers => service
            .text()
            .auth
            .iter()
            .flat_map(|auth| &auth.headers)
            .map(|header| {
                let value = literal(&header.value)
                    .replace("{key}", "%s")
                    .replace("{username}", &username);
                format!("header = \"{}: {value}\"\\n", literal(&header.name))
            })
            .collect(),
    }
}

/// `text` inside double quotes of curl's configuration, inside a format of printf. What would end the line, or
/// move the cursor of whoever looks at it, is dropped: the line behind it would be an option of curl.
fn literal(text: &str) -> String {
    let visible: String = text.chars().filter(|c| !c.is_control()).collect();
    visible
        .replace('\\', "\\\\\\\\")
        .replace('"', "\\\\\"")
        .replace('%', "%%")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Name, ServiceId};
    use crate::service::Catalog;

    fn asked(service: &str, scheme: Option<Scheme>, username: &str) -> String {
        let catalog = Catalog::embedded();
        let service = catalog.get(&ServiceId::new(service)).unwrap();
        let base = Endpoint::parse("https://e.com/it's").unwrap();
        let mut connection = Connection::new(Name::unnamed(), service.id().clone(), "");
        connection.username = username.to_owned();
        command(service, scheme, &base, &connection)
    }

    #[test]
    fn it_signs_in_as_the_call_did_that_the_verdict_rests_on() {
        let catalog = Catalog::embedded();
        let service = catalog.get(&ServiceId::blesta()).unwrap();
        let mut verdict = crate::work::local::local_error(None, service.id(), "", "");
        for (reason, expected) in [
            (Reason::AuthorizationStripped, Some(Scheme::Basic)),
            (Reason::CredentialsRejected, Some(Scheme::Headers)),
            (Reason::KeyWithheld, None),
        ] {
            verdict.reason = reason;
            verdict
                .checks
                .set(CheckId::Credentials, State::Warn, "", None);
            let scheme = carried(service, &verdict, Some(Scheme::Headers));
            assert_eq!(scheme, expected, "{reason:?}");
        }
        assert_eq!(carried(service, &verdict, None), None);
    }

    #[test]
    fn it_goes_the_way_that_a_probe_goes() {
        let catalog = Catalog::embedded();
        let service = catalog.get(&ServiceId::http()).unwrap();
        let base = Endpoint::parse("https://e.com").unwrap();
        let mut connection = Connection::new(Name::unnamed(), ServiceId::http(), "");
        connection.family = AddressFamily::V4;
        connection.timeout_s = Some(30);
        connection.proxy = Some("http://proxy.test:3128".to_owned());
        connection.ca_file = Some(std::path::Path::new("/etc/our ca.pem").into());
        connection.client_cert = Some(std::path::Path::new("/c.pem").into());
        connection.client_key = Some(std::path::Path::new("/k.pem").into());
        let asked = command(service, Some(Scheme::Basic), &base, &connection);
        let way = "curl -sS -i -4 -m 30 -x http://proxy.test:3128 --cacert '/etc/our ca.pem' \
                   --cert /c.pem --key /k.pem -K - 'https://e.com/'";
        assert!(asked.ends_with(way), "{asked}");
        let read = crate::service::import::curl::read(&catalog, &asked).unwrap();
        let read = &read.candidates[0].connection;
        assert_eq!(
            (read.family, read.timeout_s, &read.proxy, &read.ca_file),
            (
                connection.family,
                connection.timeout_s,
                &connection.proxy,
                &connection.ca_file
            )
        );
        connection.proxy = Some("http://u:p@proxy.test".to_owned());
        assert!(!command(service, None, &base, &connection).contains("-x"));
    }

    /// curl would ask three times, each time with the key.
    #[test]
    fn brackets_in_a_url_are_no_range() {
        let catalog = Catalog::embedded();
        let service = catalog.get(&ServiceId::http()).unwrap();
        for (url, whole) in [
            ("https://e.com/bad?page[1-3]=a", true),
            ("https://e.com/x?filter[status]=a", true),
            ("https://[::1]:8443/x?page=1", false),
        ] {
            let base = Endpoint::parse(url).unwrap();
            let connection = Connection::new(Name::unnamed(), ServiceId::http(), url);
            let asked = command(service, Some(Scheme::Basic), &base, &connection);
            assert_eq!(asked.contains(" -g "), whole, "{asked}");
            let read = crate::service::import::curl::read(&catalog, &asked).unwrap();
            assert_eq!(read.left_out, [""; 0], "{asked}");
            assert_eq!(read.candidates[0].connection.url, url);
        }
    }

    #[test]
    fn a_colon_in_a_certificates_path_begins_no_password() {
        let catalog = Catalog::embedded();
        let service = catalog.get(&ServiceId::http()).unwrap();
        let base = Endpoint::parse("https://e.com").unwrap();
        let mut connection = Connection::new(Name::unnamed(), ServiceId::http(), "https://e.com");
        connection.client_cert = Some(std::path::Path::new(r"/c:\d.pem").into());
        let asked = command(service, None, &base, &connection);
        assert!(asked.contains(r" --cert '/c\:\\d.pem' "), "{asked}");
        let read = crate::service::import::curl::read(&catalog, &asked).unwrap();
        let read = &read.candidates[0];
        assert_eq!(read.connection.client_cert, connection.client_cert);
        assert!(!format!("{:?}", read.notes).contains("password"));
    }

    #[test]
    fn the_key_is_read_from_its_variable_alone() {
        let key = r#""$(printf %s "$SWITCHBOARD_KEY" | sed 's/["\\]/\\&/g')" | curl -sS -i -K - 'https://e.com/it'\''s"#;
        for (service, scheme, username, lines) in [
            ("blesta", Scheme::Basic, "shop", "user = \"shop:%s\"\\n"),
            (
                "blesta",
                Scheme::Headers,
                "shop",
                "header = \"BLESTA-API-USER: shop\"\\nheader = \"BLESTA-API-KEY: %s\"\\n",
            ),
            (
                "connect",
                Scheme::Headers,
                "SU-1",
                "header = \"Authorization: ApiKey SU-1:%s\"\\n",
            ),
            (
                "http",
                Scheme::Bearer,
                "",
                "header = \"Authorization: Bearer %s\"\\n",
            ),
        ] {
            let asked = asked(service, Some(scheme), username);
            let begun = format!("printf '{lines}' {key}");
            assert!(asked.starts_with(&begun), "{asked}\n{begun}");
        }
        let bare = asked("blesta", None, "shop");
        assert!(
            bare.starts_with("curl -sS -i 'https://e.com/it'\\''s"),
            "{bare}"
        );
    }

    #[test]
    fn an_odd_username_adds_no_option_and_ends_no_word() {
        let odd = asked("blesta", Some(Scheme::Basic), "a'b%\"\\\noutput = x\u{1b}");
        assert!(
            odd.starts_with(r#"printf 'user = "a'\''b%%\\"\\\\output = x:%s"\n' "$(printf %s "#),
            "{odd}"
        );
    }

    #[test]
    fn a_username_stays_what_it_is_through_shell_printf_and_curl() {
        // sh: '…' keeps all but the quote; printf: \\ is one backslash, %% one percent sign;
        // curl: \\ is one backslash, \" a quote.
        assert_eq!(literal(r"a\b"), r"a\\\\b");
        assert_eq!(literal("a\"b"), r#"a\\"b"#);
        assert_eq!(literal("100%"), "100%%");
    }

    #[test]
    fn a_percent_sign_in_a_username_is_no_place_of_the_key() {
        let odd = asked("blesta", Some(Scheme::Basic), "a%sb");
        assert_eq!(odd.matches("SWITCHBOARD_KEY").count(), 1, "{odd}");
    }

    /// What curl's own reader makes of a quoted value of its configuration: `\\` and `\"` are escapes.
    fn as_curl_reads(line: &str) -> String {
        let (_, value) = line.split_once(" = \"").unwrap();
        let mut read = String::new();
        let mut rest = value.chars();
        while let Some(c) = rest.next() {
            match c {
                '"' => break,
                '\\' => read.extend(rest.next()),
                c => read.push(c),
            }
        }
        read
    }

    #[test]
    fn a_key_stays_what_it_is_through_shell_and_curl() {
        let whole = asked("http", Some(Scheme::Basic), "a%s\"\\b");
        let (printed, _) = whole.split_once(" | curl").unwrap();
        for key in [
            "plain",
            r#"q"uo\te"#,
            "$(id)`x`'",
            "a%sb&",
            "\\",
            "\"",
            "it's; #",
        ] {
            let shell = std::process::Command::new("sh")
                .args(["-c", printed])
                .env("SWITCHBOARD_KEY", key)
                .output()
                .unwrap();
            let line = String::from_utf8(shell.stdout).unwrap();
            assert_eq!(as_curl_reads(&line), format!("a%s\"\\b:{key}"), "{line}");
        }
    }

    #[test]
    fn what_is_exported_can_be_imported() {
        let catalog = Catalog::embedded();
        for (service, scheme, username) in [
            ("blesta", Scheme::Basic, "it's%s \"x\\"),
            ("blesta", Scheme::Headers, "shop"),
            ("connect", Scheme::Headers, "SU-1-2"),
            ("http", Scheme::Bearer, ""),
        ] {
            let text = format!("# shop\n{}\n", asked(service, Some(scheme), username));
            assert_eq!(
                crate::service::import::form_of(&text),
                Ok(crate::service::import::Form::Curl)
            );
            let read = crate::service::import::curl::read(&catalog, &text).unwrap();
            assert_eq!(read.left_out, [""; 0], "{text}");
            let connection = &read.candidates[0].connection;
            assert_eq!(connection.username, username, "{text}");
            let key = connection.key.as_ref().map(ToString::to_string);
            assert_eq!(key.as_deref(), Some("env:SWITCHBOARD_KEY"), "{text}");
        }
    }
}
