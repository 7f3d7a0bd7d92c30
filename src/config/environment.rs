//! The one reader of the environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::domain::Secret;

/// Finds the value of an environment variable for an `env:` reference; nothing where it is unset or not text.
pub type LookUp = Arc<dyn Fn(&str) -> Option<Secret> + Send + Sync>;

type Variables = Arc<dyn Fn(&str) -> Option<OsString> + Send + Sync>;

type Names = Arc<dyn Fn() -> Vec<OsString> + Send + Sync>;

/// The proxy variables as they stand. Their values may hold passwords, so they are never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProxyVariables {
    /// `http_proxy` (lower case only: in CGI the other one is a request header).
    pub http: Option<String>,
    /// `https_proxy`, else `HTTPS_PROXY`.
    pub https: Option<String>,
    /// `all_proxy`, else `ALL_PROXY`.
    pub all: Option<String>,
    /// `no_proxy`, else `NO_PROXY`.
    pub no: Option<String>,
}

/// What the environment says. Empty variables count as unset.
#[derive(Clone)]
pub struct Environment {
    /// The home folder: `HOME`, else the account's.
    pub home: Option<PathBuf>,
    /// Where confy looks for the configuration.
    pub configuration: Option<PathBuf>,
    /// `XDG_DATA_HOME`, if absolute.
    pub xdg_data: Option<PathBuf>,
    /// `XDG_STATE_HOME`, if absolute.
    pub xdg_state: Option<PathBuf>,
    /// `SWITCHBOARD_CONFIG_DIR`.
    pub config_dir: Option<PathBuf>,
    /// `SWITCHBOARD_STATE_DIR`.
    pub state_dir: Option<PathBuf>,
    /// `SWITCHBOARD_PASSPHRASE_FILE`.
    pub passphrase_file: Option<PathBuf>,
    /// Where the system keeps what is temporary: `TMPDIR`, else `/tmp`.
    pub temporary: PathBuf,
    /// `SWITCHBOARD_COMPLETE`: the shell that asks for completions.
    pub complete: Option<String>,
    /// `SUDO_UID`: the number of the user who called `sudo`; nothing where it is no number.
    pub sudo_uid: Option<u32>,
    /// `NO_COLOR`: set and not empty.
    pub no_color: bool,
    /// `TERM`.
    pub term: Option<String>,
    /// `COLORTERM`: `truecolor` or `24bit` where the terminal has it.
    pub colorterm: Option<String>,
    /// `COLORFGBG`: foreground and background as palette numbers.
    pub colorfgbg: Option<String>,
    /// `TMUX`.
    pub tmux: Option<String>,
    /// Whether a multiplexer of this machine draws what is written: `TMUX`, or `STY` of GNU screen.
    pub multiplexed: bool,
    /// The locale of characters: `LC_ALL`, else `LC_CTYPE`, else `LANG`.
    pub locale: Option<String>,
    /// Proxies.
    pub proxies: ProxyVariables,
    look_up: LookUp,
    variable: Variables,
    names: Names,
}

impl Environment {
    /// Reads the environment of this process. Called once, in `main`.
    pub fn read() -> Self {
        let configuration = confy::get_configuration_file_path("switchboard", "switchboard").ok();
        Self {
            configuration: configuration.filter(|path| path.is_absolute()),
            home: std::env::home_dir().filter(|home| home.is_absolute()),
            names: Arc::new(all_names),
            ..Self::from_look_up(
                variable,
                Arc::new(|name| variable(name)?.into_string().ok().map(Secret::new)),
            )
        }
    }

    /// An environment that holds `variables` and nothing else: for tests and the demonstration.
    pub fn of<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let variables: BTreeMap<String, String> = variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let variables = Arc::new(variables);
        let secrets = Arc::clone(&variables);
        let look_up: LookUp = Arc::new(move |name| secrets.get(name).map(Secret::new));
        let known = Arc::clone(&variables);
        Self {
            names: Arc::new(move || known.keys().map(OsString::from).collect()),
            ..Self::from_look_up(move |name| variables.get(name).map(OsString::from), look_up)
        }
    }

    fn from_look_up(
        variable: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static,
        look_up: LookUp,
    ) -> Self {
        let variable = Arc::new(variable);
        let raw = |name: &str| variable(name).filter(|value| !value.is_empty());
        let text = |name: &str| raw(name).and_then(|value| value.into_string().ok());
        let first = |names: &[&str]| names.iter().find_map(|name| text(name));
        let path = |name: &str| raw(name).map(PathBuf::from);
        let absolute = |name: &str| path(name).filter(|path| path.is_absolute());
        let home = absolute("HOME");
        let config = absolute("XDG_CONFIG_HOME").or_else(|| Some(home.as_ref()?.join(".config")));
        Self {
            configuration: config.map(|folder| folder.join("switchboard/switchboard.toml")),
            home,
            xdg_data: absolute("XDG_DATA_HOME"),
            xdg_state: absolute("XDG_STATE_HOME"),
            config_dir: path("SWITCHBOARD_CONFIG_DIR"),
            state_dir: path("SWITCHBOARD_STATE_DIR"),
            passphrase_file: path("SWITCHBOARD_PASSPHRASE_FILE"),
            temporary: path("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp")),
            complete: text("SWITCHBOARD_COMPLETE"),
            sudo_uid: text("SUDO_UID").and_then(|number| number.parse().ok()),
            no_color: raw("NO_COLOR").is_some(),
            term: text("TERM"),
            colorterm: text("COLORTERM"),
            colorfgbg: text("COLORFGBG"),
            tmux: text("TMUX"),
            multiplexed: ["TMUX", "STY"].iter().any(|name| raw(name).is_some()),
            locale: first(&["LC_ALL", "LC_CTYPE", "LANG"]),
            proxies: ProxyVariables {
                http: text("http_proxy"),
                https: first(&["https_proxy", "HTTPS_PROXY"]),
                all: first(&["all_proxy", "ALL_PROXY"]),
                no: first(&["no_proxy", "NO_PROXY"]),
            },
            look_up,
            variable,
            names: Arc::new(Vec::new),
        }
    }

    /// A variable as it stands, for the surroundings of the clipboard. Not for secrets.
    pub fn raw(&self, name: &str) -> Option<OsString> {
        (self.variable)(name)
    }

    /// The names of all variables.
    pub(super) fn names(&self) -> Vec<OsString> {
        (self.names)()
    }

    /// The value of the variable `name`, for an `env:` reference or `--key-env`; read when asked.
    pub fn lookup(&self, name: &str) -> Option<Secret> {
        (self.look_up)(name)
    }

    /// [`Environment::lookup`] as a value, for the room that resolves references.
    pub fn look_up(&self) -> LookUp {
        Arc::clone(&self.look_up)
    }
}

fn all_names() -> Vec<OsString> {
    std::env::vars_os().map(|(name, _)| name).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one reader of the environment"
)]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

impl fmt::Debug for ProxyVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = |value: &Option<String>| if value.is_some() { "set" } else { "unset" };
        f.debug_struct("ProxyVariables")
            .field("http", &set(&self.http))
            .field("https", &set(&self.https))
            .field("all", &set(&self.all))
            .field("no", &set(&self.no))
            .finish()
    }
}

/// Names what matters for a report of a mistake; no value that could be a secret, no address of the user.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("configuration", &self.configuration)
            .field("term", &self.term)
            .field("colorterm", &self.colorterm)
            .field("no_color", &self.no_color)
            .field("tmux", &self.tmux.is_some())
            .field("proxies", &self.proxies)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_and_empty_ones_are_unset() {
        let environment = Environment::of([
            ("HOME", "/home/a"),
            ("NO_COLOR", ""),
            ("XDG_DATA_HOME", "relative"),
            ("HTTP_PROXY", "http://cgi"),
            ("HTTPS_PROXY", "http://upper"),
            ("https_proxy", "http://lower"),
        ]);
        assert!(!environment.no_color);
        assert_eq!(environment.xdg_data, None);
        assert_eq!(environment.temporary, PathBuf::from("/tmp"));
        let moved = Environment::of([("TMPDIR", "/var/tmp")]);
        assert_eq!(moved.temporary, PathBuf::from("/var/tmp"));
        for (word, uid) in [
            ("1000", Some(1000)),
            ("me", None),
            ("1000 0", None),
            ("-1", None),
        ] {
            assert_eq!(
                Environment::of([("SUDO_UID", word)]).sudo_uid,
                uid,
                "{word}"
            );
        }
        assert_eq!(environment.proxies.http, None);
        assert_eq!(environment.proxies.https.as_deref(), Some("http://lower"));
    }

    #[test]
    fn debug_shows_no_value_that_may_be_a_secret() {
        let environment = Environment::of([
            ("https_proxy", "http://user:hunter2@proxy"),
            ("KEY", "hunter2"),
            ("SSH_CONNECTION", "203.0.113.7 1 10.0.0.1 22"),
        ]);
        let text = format!("{environment:?}");
        assert!(
            !text.contains("hunter2") && !text.contains("203.0.113.7"),
            "{text}"
        );
        assert_eq!(environment.lookup("KEY").unwrap().expose(), "hunter2");
        assert_eq!(environment.look_up()("OTHER"), None);
    }

    #[test]
    fn this_process_has_an_environment() {
        let environment = Environment::read();
        assert!(environment.lookup("PATH").is_some());
        assert!(environment.lookup("no=such\0name").is_none());
        assert!(
            environment
                .configuration
                .unwrap()
                .ends_with("switchboard/switchboard.toml")
        );
    }
}
