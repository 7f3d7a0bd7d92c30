//! The environment of the programs that are run for the user: `cmd:`, `on_change`.
//!
//! They get what a program needs to find its files, its agent and the desktop, and what bears their own
//! name; nothing else of ours. A variable that an `env:` reference names is a secret of another
//! connection, and never handed on.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::Environment;

/// Variables that every program gets, each for a reason: to be found and to find its files, to speak the
/// user's language, to ask an agent, to reach the desktop, to get through a proxy.
pub const HANDED_ON: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "PWD",
    "TMPDIR",
    "TZ",
    "LANG",
    "LANGUAGE",
    "TERM",
    "COLORTERM",
    "NO_COLOR",
    "TMUX",
    "TMUX_PANE",
    "TMUX_TMPDIR",
    "STY",
    "GNUPGHOME",
    "GPG_TTY",
    "GPG_AGENT_INFO",
    "PINENTRY_USER_DATA",
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "SSH_CONNECTION",
    "SSH_TTY",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "DBUS_SESSION_BUS_ADDRESS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "WSL_INTEROP",
    "WSL_DISTRO_NAME",
    "PREFIX",
];

/// Families that every program gets.
const FAMILIES: &[&str] = &["LC_", "XDG_"];

/// Ours: folders, and above all the way to the passphrase.
const OURS: &str = "SWITCHBOARD_";

/// What programs read besides the variables that begin with their own name.
const RELATED: &[(&str, &[&str])] = &[
    ("pass", &["PASSWORD_STORE_"]),
    ("gopass", &["PASSWORD_STORE_"]),
    ("passage", &["PASSAGE_", "PASSWORD_STORE_"]),
    ("bao", &["VAULT_"]),
    ("az", &["AZURE_"]),
    ("gcloud", &["CLOUDSDK_"]),
];

/// Makes the environment of a program; shared by all who run one.
#[derive(Clone)]
pub struct Children {
    environment: Environment,
    rules: Arc<Mutex<Rules>>,
}

/// What the configuration says about it.
#[derive(Default)]
struct Rules {
    withheld: BTreeSet<String>,
    further: BTreeSet<String>,
}

impl fmt::Debug for Children {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Children").finish_non_exhaustive()
    }
}

impl Children {
    /// For programs that run in `environment`.
    pub fn new(environment: Environment) -> Self {
        Self {
            environment,
            rules: Arc::default(),
        }
    }

    /// From now on `withheld` are handed to nobody, as `env:` references name them, and `further` to all, as
    /// the settings say so.
    pub fn obey(
        &self,
        withheld: impl IntoIterator<Item = String>,
        further: impl IntoIterator<Item = String>,
    ) {
        *self.rules.lock().unwrap_or_else(PoisonError::into_inner) = Rules {
            withheld: withheld.into_iter().collect(),
            further: further.into_iter().collect(),
        };
    }

    /// The whole environment of `program`.
    pub fn variables(&self, program: &str) -> Vec<(OsString, OsString)> {
        let rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let own = families(program);
        let handed_on = |name: &OsStr| {
            name.to_str().is_some_and(|name| {
                let begins = |start: &str| name.starts_with(start);
                let needed = HANDED_ON.contains(&name)
                    || FAMILIES.iter().any(|start| begins(start))
                    || own.iter().any(|start| begins(start))
                    || rules.further.contains(name);
                needed && !begins(OURS) && !rules.withheld.contains(name)
            })
        };
        let names = self.environment.names();
        let handed_on = names.into_iter().filter(|name| handed_on(name));
        handed_on
            .filter_map(|name| {
                let value = self.environment.raw(name.to_str()?)?;
                Some((name, value))
            })
            .collect()
    }
}

/// How the names of a program's own variables begin: `vault` reads `VAULT_ADDR` and `VAULT_TOKEN`.
fn families(program: &str) -> Vec<String> {
    let name = program.rsplit('/').next().unwrap_or(program);
    let stem = name.split('.').next().unwrap_or(name);
    let mut families = Vec::new();
    if !stem.is_empty() {
        families.push(stem.to_ascii_uppercase().replace('-', "_") + "_");
    }
    let related = RELATED.iter().filter(|(program, _)| *program == stem);
    families.extend(related.flat_map(|(_, starts)| starts.iter().map(|start| (*start).to_owned())));
    families
}

#[cfg(test)]
mod tests {
    use super::*;

    fn children() -> Children {
        Children::new(Environment::of([
            ("PATH", "/usr/bin"),
            ("HOME", "/home/a"),
            ("LC_TIME", "C"),
            ("GNUPGHOME", "/g"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
            ("PASSWORD_STORE_DIR", "/p"),
            ("VAULT_TOKEN", "t"),
            ("OP_SERVICE_ACCOUNT_TOKEN", "o"),
            ("SHOP_KEY", "k"),
            ("SWITCHBOARD_PASSPHRASE_FILE", "/x"),
        ]))
    }

    fn names(children: &Children, program: &str) -> Vec<String> {
        let mut names: Vec<_> = children
            .variables(program)
            .into_iter()
            .map(|(name, _)| name.into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_program_gets_the_common_ones_and_its_own() {
        let common = ["GNUPGHOME", "HOME", "LC_TIME", "PATH"];
        for (program, own) in [
            ("sh", None),
            ("/usr/bin/pass", Some("PASSWORD_STORE_DIR")),
            ("vault", Some("VAULT_TOKEN")),
            ("bao", Some("VAULT_TOKEN")),
            ("./op", Some("OP_SERVICE_ACCOUNT_TOKEN")),
            ("", None),
        ] {
            let mut expected: Vec<_> = common.into_iter().chain(own).collect();
            expected.sort_unstable();
            assert_eq!(names(&children(), program), expected, "{program}");
        }
        let path = children().variables("sh");
        assert!(path.contains(&("PATH".into(), "/usr/bin".into())));
    }

    #[test]
    fn what_a_reference_names_is_withheld_and_what_the_settings_name_is_added() {
        let children = children();
        let owned = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        children.obey(
            owned(&["VAULT_TOKEN", "HOME", "SHOP_KEY"]),
            owned(&[
                "SHOP_KEY",
                "AWS_SECRET_ACCESS_KEY",
                "SWITCHBOARD_PASSPHRASE_FILE",
            ]),
        );
        assert_eq!(
            names(&children, "vault"),
            ["AWS_SECRET_ACCESS_KEY", "GNUPGHOME", "LC_TIME", "PATH"]
        );
    }
}
