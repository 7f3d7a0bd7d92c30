//! Connections: what an admin sets up, and where its secrets are.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use super::shape;
use super::window::Window;

/// The name of a connection: unique, and what every command and message refers to.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name(Arc<str>);

/// Why a text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameProblem {
    /// Empty.
    #[error("a connection needs a name")]
    Empty,
    /// Over 64 characters.
    #[error("a name has at most 64 characters")]
    Long,
    /// Blanks at an end, or several between two words.
    #[error("a name has no blanks at its ends, and single ones between its words")]
    Blanks,
    /// A control or another character that nobody sees, or a third mark on one letter.
    #[error(
        "a name is visible characters, with two marks on a letter at most: leave out its character {place}, U+{:04X}",
        u32::from(*odd)
    )]
    Invisible {
        /// The first that is none.
        odd: char,
        /// Its place, from 1.
        place: usize,
    },
    /// A leading dash would be read as a flag.
    #[error("a name does not start with a dash")]
    Dash,
}

impl Name {
    /// Checks `text` as a name.
    pub fn parse(text: &str) -> Result<Self, NameProblem> {
        if text.is_empty() {
            return Err(NameProblem::Empty);
        }
        if text.chars().count() > 64 {
            return Err(NameProblem::Long);
        }
        let mut characters = super::text::screened(text).zip(1..);
        if let Some(((odd, _), place)) = characters.find(|((_, harmless), _)| !harmless) {
            return Err(NameProblem::Invisible { odd, place });
        }
        if super::text::inert(text, 64) != text {
            return Err(NameProblem::Blanks);
        }
        if text.starts_with('-') {
            return Err(NameProblem::Dash);
        }
        Ok(Self(text.into()))
    }

    /// What a connection is called as long as nobody named it.
    pub fn unnamed() -> Self {
        Self("new".into())
    }

    /// This name, or with the first number from 2 behind it that is not taken.
    #[must_use]
    pub fn free(&self, taken: impl Fn(&Self) -> bool) -> Self {
        if !taken(self) {
            return self.clone();
        }
        (2..=u16::MAX)
            .filter_map(|number| self.numbered(number))
            .find(|name| !taken(name))
            .unwrap_or_else(Self::unnamed)
    }

    /// This name with `number` behind it.
    pub fn numbered(&self, number: u16) -> Option<Self> {
        // Room for the number, and no blank before it.
        let short: String = self.0.chars().take(56).collect();
        Self::parse(&format!("{}-{number}", short.trim_end())).ok()
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// As people look names up: whatever the case, numbers by their value, letters with a mark beside those without.
/// Where that makes no difference the text decides, so that no two names are equal.
impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        super::text::by_name(&self.0, &other.0).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Names are looked up by their text, in tables that hash: they equal and hash as it does, and stand in another order.
impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// Which service is at the other end: `blesta`, `connect`, `http`, or one that the user describes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceId(Arc<str>);

impl ServiceId {
    /// The service called `id`; whether it is described anywhere is asked of the catalog.
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    /// Blesta, the default of the form.
    pub fn blesta() -> Self {
        Self::new("blesta")
    }

    /// `CloudBlue` Connect.
    pub fn connect() -> Self {
        Self::new("connect")
    }

    /// Any HTTP API, the default of the command line.
    pub fn http() -> Self {
        Self::new("http")
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Where a secret's value is kept. Stands in the configuration; the value never does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SecretRef {
    /// The desktop's Secret Service, under this item name.
    Keyring(String),
    /// `vault.age`, under this entry name.
    Vault(String),
    /// An environment variable.
    Env(String),
    /// The first line of a file.
    File(PathBuf),
    /// The first line that a program prints; program and arguments, quoted as in a shell, and run without one.
    Cmd(Vec<String>),
    /// Asked for once, and kept for this session only.
    Ask,
}

/// Why a text is not a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretRefProblem {
    /// No known kind before the colon. The text itself may be a secret pasted by mistake: it is not shown.
    #[error(
        "not a reference: use keyring:NAME, vault:NAME, env:NAME, file:PATH, cmd:PROGRAM ARGS or ask"
    )]
    Kind,
    /// Nothing after the colon.
    #[error("nothing stands after {0}:")]
    Empty(&'static str),
    /// What no variable can be called: often its value. It is not shown.
    #[error(
        "not a reference: after env: stands the name of a variable that holds the value (letters, digits and _, no \
         digit in front), without a $"
    )]
    Variable,
    /// The value itself stands there, as the slip of `$KEY` for `KEY` leaves it. It is not shown.
    #[error(
        "not a reference: it looks like the key itself, which does not belong there: name the place that holds it, as \
         in env:NAME without a $"
    )]
    Key,
}

impl SecretRef {
    /// The environment variable called `name`. A name that is none, or is a key by its shape, is refused: it would be
    /// saved in the open and shown.
    pub fn variable(name: &str) -> Result<Self, SecretRefProblem> {
        let of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if shape::name_holds_key(name) {
            return Err(SecretRefProblem::Key);
        }
        if name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(of_name) {
            return Err(SecretRefProblem::Variable);
        }
        Ok(Self::Env(name.to_owned()))
    }
}

impl FromStr for SecretRef {
    type Err = SecretRefProblem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "ask" {
            return Ok(Self::Ask);
        }
        let (kind, rest) = text.split_once(':').ok_or(SecretRefProblem::Kind)?;
        let rest = rest.trim();
        let filled = |kind| {
            if rest.is_empty() {
                Err(SecretRefProblem::Empty(kind))
            } else {
                Ok(rest)
            }
        };
        if shape::name_holds_key(rest) {
            return Err(SecretRefProblem::Key);
        }
        match kind {
            "keyring" => Ok(Self::Keyring(filled("keyring")?.to_owned())),
            "vault" => Ok(Self::Vault(filled("vault")?.to_owned())),
            "env" => Self::variable(filled("env")?),
            "file" => Ok(Self::File(filled("file")?.into())),
            "cmd" => {
                let words = words(filled("cmd")?);
                if words.first().is_none_or(String::is_empty) {
                    return Err(SecretRefProblem::Empty("cmd"));
                }
                Ok(Self::Cmd(words))
            }
            _ => Err(SecretRefProblem::Kind),
        }
    }
}

/// Program and arguments: divided at blanks, and where there are quotes, as a shell divides them. A quote that nobody
/// closes is an apostrophe, and `#` is no comment: both stood in such lines before quotes meant anything.
fn words(text: &str) -> Vec<String> {
    /// Stands for `#` while a shell's words are divided: no character of its own.
    const NUMBER_SIGN: &str = "\u{f8ff}";
    let quoted = text.contains(['"', '\'']);
    let divided = quoted.then(|| shell_words::split(&text.replace('#', NUMBER_SIGN)));
    match divided {
        Some(Ok(words)) => words
            .iter()
            .map(|word| word.replace(NUMBER_SIGN, "#"))
            .collect(),
        Some(Err(shell_words::ParseError)) | None => {
            text.split_whitespace().map(str::to_owned).collect()
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyring(name) => write!(f, "keyring:{name}"),
            Self::Vault(name) => write!(f, "vault:{name}"),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Cmd(words) => {
                let plain = words.join(" ");
                if self::words(&plain) == *words {
                    write!(f, "cmd:{plain}")
                } else {
                    write!(f, "cmd:{}", shell_words::join(words))
                }
            }
            Self::Ask => f.write_str("ask"),
        }
    }
}

macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum $name { #[default] $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every choice, the default first.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word in the configuration and on the command line.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The choice that `word` names.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|choice| choice.word() == word)
            }
        }
    };
}

choice! {
    /// How credentials are sent.
    AuthStyle {
        /// As the service prefers, with one further try after a rejection.
        Auto "auto",
        /// `Authorization: Basic`.
        Basic "basic",
        /// The service's own headers.
        Headers "headers",
    }
}

choice! {
    /// Which kind of address is used.
    AddressFamily {
        /// Whatever answers first.
        Any "any",
        /// IPv4 only.
        V4 "ipv4",
        /// IPv6 only.
        V6 "ipv6",
    }
}

/// One named connection as it stands in the configuration. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Unique name.
    pub name: Name,
    /// What is at the other end.
    pub service: ServiceId,
    /// The URL as entered; [`super::Endpoint::parse`] reads it.
    pub url: String,
    /// The username of the pair: for Connect the `SU-` id.
    pub username: String,
    /// Where the key is.
    pub key: Option<SecretRef>,
    /// Where the shared token is.
    pub token: Option<SecretRef>,
    /// Further handles held here: label and where the value is.
    pub added: Vec<(String, SecretRef)>,
    /// For filters and groups.
    pub tags: Vec<String>,
    /// The CMS of the shared token: `joomla`, `modx`, `concrete5` or a definition file's id.
    pub cms: Option<String>,
    /// Where that CMS is.
    pub cms_url: Option<String>,
    /// The company or account that is meant, where a key sees several.
    pub company: Option<String>,
    /// How credentials are sent.
    pub auth: AuthStyle,
    /// Which kind of address is used.
    pub family: AddressFamily,
    /// Seconds between scheduled probes; the settings' own where absent.
    pub interval_s: Option<u32>,
    /// Seconds that a whole probe may take; 10 where absent.
    pub timeout_s: Option<u32>,
    /// `http://`, `https://` or `socks5://` proxy.
    pub proxy: Option<String>,
    /// Further certificate authorities, PEM.
    pub ca_file: Option<Box<Path>>,
    /// Client certificate, PEM.
    pub client_cert: Option<Box<Path>>,
    /// Its key, PEM.
    pub client_key: Option<Box<Path>>,
    /// Whether the key may be sent over plain http.
    pub allow_http: bool,
    /// Whether actions that change something at the service are refused.
    pub read_only: bool,
    /// For people.
    pub note: String,
    /// Whether scheduled probing leaves it out.
    pub paused: bool,
    /// When it may fail as planned.
    pub maintenance: Vec<Window>,
}

impl Connection {
    /// Seconds between two scheduled probes: at most a week.
    pub const INTERVAL_S: RangeInclusive<u32> = 1..=604_800;
    /// Seconds that a whole probe may take.
    pub const TIMEOUT_S: RangeInclusive<u32> = 1..=600;

    /// Whether its key is one of the token `id`, as far as its settings tell: by its username. Nothing where
    /// it has a key and no username, as the key may be a pasted pair, which names the token itself.
    pub fn runs_on(&self, id: &str) -> Option<bool> {
        let username = self.username.trim();
        let may_be_pair = username.is_empty() && self.key.is_some();
        (!may_be_pair).then(|| username.eq_ignore_ascii_case(id))
    }

    /// A connection with nothing but its name, service and URL.
    pub fn new(name: Name, service: ServiceId, url: &str) -> Self {
        Self {
            name,
            service,
            url: url.to_owned(),
            username: String::new(),
            key: None,
            token: None,
            added: Vec::new(),
            tags: Vec::new(),
            cms: None,
            cms_url: None,
            company: None,
            auth: AuthStyle::Auto,
            family: AddressFamily::Any,
            interval_s: None,
            timeout_s: None,
            proxy: None,
            ca_file: None,
            client_cert: None,
            client_key: None,
            allow_http: false,
            read_only: false,
            note: String::new(),
            paused: false,
            maintenance: Vec::new(),
        }
    }

    /// Every reference to a secret: the key's, the token's, those of further handles.
    pub fn references(&self) -> impl Iterator<Item = &SecretRef> {
        let added = self.added.iter().map(|(_, reference)| reference);
        self.key.iter().chain(&self.token).chain(added)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ordered_as_people_look_them_up_and_no_two_are_equal() {
        let name = |text: &str| Name::parse(text).unwrap();
        let mut names = ["shop10", "Shop2", "Zoo", "shop2", "Ärger", "azure"].map(name);
        names.sort();
        let texts = names.each_ref().map(Name::as_str);
        assert_eq!(texts, ["Ärger", "azure", "Shop2", "shop2", "shop10", "Zoo"]);
        assert_ne!(name("a01").cmp(&name("A1")), Ordering::Equal);
    }

    #[test]
    fn names_are_visible_and_never_flags() {
        assert_eq!(Name::parse("shop eu").unwrap().as_str(), "shop eu");
        assert_eq!(Name::parse(""), Err(NameProblem::Empty));
        assert_eq!(Name::parse("-x"), Err(NameProblem::Dash));
        assert_eq!(Name::parse(" x"), Err(NameProblem::Blanks));
        assert_eq!(Name::parse("a  b"), Err(NameProblem::Blanks));
        for (text, odd, place) in [
            ("a\u{1b}b", '\u{1b}', 2),
            ("\u{2764}\u{fe0f}", '\u{fe0f}', 2),
            ("e\u{301}\u{302}\u{303}", '\u{303}', 4),
        ] {
            let problem = NameProblem::Invisible { odd, place };
            assert_eq!(Name::parse(text), Err(problem), "{text:?}");
        }
        let odd = Name::parse("shop\u{200d}").unwrap_err().to_string();
        assert_eq!(
            odd,
            "a name is visible characters, with two marks on a letter at most: leave out its character 5, U+200D"
        );
        assert_eq!(Name::parse(&"x".repeat(65)), Err(NameProblem::Long));
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number_and_stays_a_name() {
        let free = |wished: &str, taken: &[&str]| {
            let taken = |name: &Name| taken.contains(&name.as_str());
            Name::parse(wished).unwrap().free(taken).to_string()
        };
        assert_eq!(free("shop", &["other"]), "shop");
        assert_eq!(free("shop", &["shop"]), "shop-2");
        assert_eq!(free("shop", &["shop", "shop-2"]), "shop-3");
        let long = format!("{} {}", "x".repeat(55), "y".repeat(8));
        assert_eq!(
            free(&long, &[long.as_str()]),
            format!("{}-2", "x".repeat(55))
        );
    }

    #[test]
    fn a_key_in_the_place_of_its_name_is_refused_and_not_shown() {
        use SecretRefProblem::{Key, Variable};
        for (text, problem) in [
            ("env:6da3f56bd53a92a2932b929860a171bf", Key),
            ("env:da3f56bd53a92a2932b929860a171bf6", Key),
            ("vault:6da3f56bd53a92a2932b929860a171bf", Key),
            ("keyring:ghp_16C7e42F292c6912E7710c838347Ae178B4a", Key),
            ("file:k3j9xw8q2m5n7p4r6t8v", Key),
            ("cmd:glsa_A1b2C3d4E5f6G7h8J9k0", Key),
            ("env:SU-160-984-311:6da3f56bd53a92a2932b929860a171bf", Key),
            ("env:A B", Variable),
            ("env:1ST", Variable),
            ("env:$KEY", Variable),
            ("env:hunter2!", Variable),
            ("env:SCHL\u{dc}SSEL", Variable),
        ] {
            let found = text.parse::<SecretRef>().unwrap_err();
            assert_eq!(found, problem, "{text}");
            let (_, value) = text.split_once(':').unwrap();
            assert!(!found.to_string().contains(value), "{found}");
        }
        for text in [
            "env:_",
            "env:AWS_SECRET_ACCESS_KEY",
            "env:VERY_LONG_NAME_OF_A_KEY_2026_07_11",
            "env:blestaProductionApiKey2",
            "vault:6da3f56bd53a92a2932b929860a171bf/key",
            "vault:billing.example.com/key-2",
            "file:/run/secrets/6da3f56bd53a92a2932b929860a171bf",
            "cmd:pass show 6da3f56bd53a92a2932b929860a171bf",
        ] {
            assert!(text.parse::<SecretRef>().is_ok(), "{text}");
        }
    }

    #[test]
    fn references_are_read_as_they_are_written() {
        for text in [
            "keyring:shop/key",
            "vault:shop/key",
            "env:KEY",
            "file:/run/key",
            "cmd:pass show a",
            "ask",
        ] {
            assert_eq!(text.parse::<SecretRef>().unwrap().to_string(), text);
        }
        let program = r#"cmd:op read "op://My Vault/x" it\'s"#.parse().unwrap();
        let SecretRef::Cmd(words) = &program else {
            panic!("{program}");
        };
        assert_eq!(words, &["op", "read", "op://My Vault/x", "it's"]);
        assert_eq!(program.to_string().parse(), Ok(program.clone()));
        for (text, words) in [
            ("cmd:pass show #1/key", &["pass", "show", "#1/key"][..]),
            ("cmd:pass show Bob's/key", &["pass", "show", "Bob's/key"]),
            (r"cmd:prog a\b", &["prog", r"a\b"]),
            ("cmd:sh -c 'echo #1'", &["sh", "-c", "echo #1"]),
        ] {
            let read: SecretRef = text.parse().unwrap();
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(read, SecretRef::Cmd(words), "{text}");
            assert_eq!(read.to_string().parse(), Ok(read), "{text}");
        }
        assert_eq!(
            "cmd:'' x".parse::<SecretRef>(),
            Err(SecretRefProblem::Empty("cmd"))
        );
        assert_eq!(
            "env:".parse::<SecretRef>(),
            Err(SecretRefProblem::Empty("env"))
        );
        let problem = "d41d8cd98f00b204e9800998ecf8427e"
            .parse::<SecretRef>()
            .unwrap_err();
        assert!(
            !problem.to_string().contains("d41d"),
            "a key pasted by mistake is not shown"
        );
    }
}
