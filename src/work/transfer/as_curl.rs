//! A connection as a curl command that goes the way its probes go: through the same proxy, by the same certificates.

use std::fmt::Write as _;
use std::path::Path;

use crate::domain::text::shell_quoted;
use crate::domain::{AddressFamily, Connection, Endpoint};
use crate::work::core::Core;
use crate::work::error::WorkError;

/// What the command begins with, wherever that stands behind a pipe.
const PROGRAM: &str = "curl -sS -i";

impl Core {
    /// The command, below a line for each thing that is not in it. It has no key where a probe withholds it.
    pub async fn export_curl(&self, connection: &Connection) -> Result<String, WorkError> {
        let mut text = String::new();
        let mut shown = connection.clone();
        if shown.key.is_some() && is_withheld(connection) {
            shown.key = None;
            text.push_str("# no key: plain http gets none unless the connection allows it\n");
        }
        let options = options(connection, &mut text);
        let command = self.curl(&shown).await?;
        // A user name may have these words too; it stands before.
        match command.rfind(PROGRAM) {
            Some(at) => {
                let (before, behind) = command.split_at(at + PROGRAM.len());
                let _ = write!(text, "{before}{options}{behind}");
            }
            None => text.push_str(&command),
        }
        Ok(text)
    }
}

/// Whether a probe sends no key there: as the ladder has it.
fn is_withheld(connection: &Connection) -> bool {
    let is_elsewhere = |endpoint: Endpoint| {
        endpoint.is_plain() && !(endpoint.is_loopback() && connection.proxy.is_none())
    };
    !connection.allow_http && Endpoint::parse(&connection.url).is_ok_and(is_elsewhere)
}

/// The options that make curl go the same way, each after a blank; what is left out goes to `notes`.
fn options(connection: &Connection, notes: &mut String) -> String {
    let mut options = String::new();
    let mut add = |option: &str, value: &str| {
        let _ = write!(options, " {option} {}", shell_quoted(value));
    };
    match connection.proxy.as_deref() {
        Some(proxy) if proxy.contains('@') => notes.push_str(
            "# its proxy is left out: a user name or password stands in it; give it by --proxy\n",
        ),
        Some(proxy) => add("--proxy", proxy),
        None => {}
    }
    let files = [
        ("--cacert", &connection.ca_file),
        ("--cert", &connection.client_cert),
        ("--key", &connection.client_key),
    ];
    for (option, path) in files {
        if let Some(path) = path.as_deref().and_then(Path::to_str) {
            add(option, path);
        }
    }
    if let Some(seconds) = connection.timeout_s {
        add("--max-time", &seconds.to_string());
    }
    options.push_str(match connection.family {
        AddressFamily::Any => "",
        AddressFamily::V4 => " -4",
        AddressFamily::V6 => " -6",
    });
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Name, ServiceId};

    fn connection(url: &str) -> Connection {
        Connection::new(Name::parse("shop").unwrap(), ServiceId::http(), url)
    }

    #[test]
    fn what_a_probe_goes_through_curl_goes_through() {
        let mut notes = String::new();
        let mut one = connection("https://e.com");
        assert_eq!(options(&one, &mut notes), "");
        one.proxy = Some("socks5://p:1".to_owned());
        one.ca_file = Some(Path::new("/it's.pem").into());
        one.client_cert = Some(Path::new("/c.pem").into());
        one.client_key = Some(Path::new("/k.pem").into());
        one.family = AddressFamily::V6;
        one.timeout_s = Some(7);
        let all = r" --proxy 'socks5://p:1' --cacert '/it'\''s.pem' --cert '/c.pem' --key '/k.pem' --max-time '7' -6";
        assert_eq!(options(&one, &mut notes), all);
        assert_eq!(notes, "");
        one.proxy = Some("http://me:hunter2@p:1".to_owned());
        assert!(!options(&one, &mut notes).contains("hunter2"));
        assert!(notes.contains("its proxy is left out") && !notes.contains("hunter2"));
    }

    #[test]
    fn a_key_that_a_probe_withholds_is_not_sent_by_curl_either() {
        for (url, allow_http, proxy, is) in [
            ("http://e.com", false, None, true),
            ("http://e.com", true, None, false),
            ("https://e.com", false, None, false),
            ("http://127.0.0.1:1", false, None, false),
            ("http://127.0.0.1:1", false, Some("http://p:1"), true),
        ] {
            let one = Connection {
                allow_http,
                proxy: proxy.map(str::to_owned),
                ..connection(url)
            };
            assert_eq!(is_withheld(&one), is, "{url} {allow_http} {proxy:?}");
        }
    }
}
