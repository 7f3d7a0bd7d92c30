//! curl commands, as people keep them in notes and as browsers copy them.
//!
//! What a probe needs is taken: URL, pair or header, certificates, proxy, address family. What it would not
//! send (a method, a body, cookies) is named. `-K` is refused: its file may hold anything. (But for `-K -` behind a
//! `printf`, as this program's own export has it.)

use std::path::Path;

use super::header::{self, plain, set};
use super::place::{Place, host, pair, place, value};
use super::{Candidate, Reading, Unreadable, name_of, tell_apart};
use crate::domain::text::inert;
use crate::domain::{AddressFamily, Connection, Name, ServiceId};
use crate::service::{Catalog, shell};

/// The variable that an exported command reads the key from.
pub const KEY_VARIABLE: &str = "SWITCHBOARD_KEY";

/// The value of [`KEY_VARIABLE`] as a word of a shell, with what ends or escapes a value of curl's configuration
/// written so that curl reads it as it is.
pub const KEY_QUOTED: &str = r#""$(printf %s "$SWITCHBOARD_KEY" | sed 's/["\\]/\\&/g')""#;

/// Options without a value that change nothing for a probe.
const SILENT: &[&str] = &[
    "-s",
    "-S",
    "-i",
    "-v",
    "-f",
    "-g",
    "-N",
    "-#",
    "-q",
    "-a",
    "-j",
    "--silent",
    "--show-error",
    "--include",
    "--verbose",
    "--fail",
    "--fail-with-body",
    "--globoff",
    "--no-buffer",
    "--compressed",
    "--progress-bar",
    "--http1.0",
    "--http1.1",
    "--http2",
    "--http3",
    "--tcp-nodelay",
    "--no-keepalive",
    "--path-as-is",
    "--disable",
    "--no-progress-meter",
    "--tlsv1.2",
    "--tlsv1.3",
    "--basic",
    "-0",
    "-1",
];

/// Options with a value that change nothing for a probe.
const SILENT_WITH_VALUE: &[&str] = &[
    "-o",
    "-w",
    "-A",
    "-D",
    "-c",
    "-e",
    "-C",
    "-r",
    "-T",
    "-y",
    "-Y",
    "-z",
    "--output",
    "--write-out",
    "--user-agent",
    "--dump-header",
    "--cookie-jar",
    "--referer",
    "--retry",
    "--retry-delay",
    "--connect-timeout",
    "--max-redirs",
    "--limit-rate",
    "--stderr",
    "--trace",
    "--trace-ascii",
    "--capath",
    "--ciphers",
    "--tls-max",
    "--noproxy",
    "--keepalive-time",
    "--range",
    "--interface",
];

/// Options with a value that a probe would not send, and why.
const LEFT_OUT: &[(&[&str], &str)] = &[
    (
        &[
            "-d",
            "-F",
            "--data",
            "--data-raw",
            "--data-binary",
            "--data-ascii",
            "--data-urlencode",
            "--json",
            "--form",
        ],
        "the body was left out: a probe sends none",
    ),
    (
        &["-b", "--cookie"],
        "cookies were left out: a connection has a key, not a session",
    ),
    (
        &["--resolve", "--connect-to"],
        "--resolve was left out: a probe asks the name server",
    ),
    (
        &[
            "--netrc-file",
            "--aws-sigv4",
            "--cert-type",
            "--key-type",
            "--pass",
            "--proxy-user",
            "-U",
        ],
        "an option with credentials of its own kind was left out",
    ),
];

/// Whether `line` is a curl command, perhaps behind a prompt or variables.
pub(super) fn begins_with_curl(line: &str) -> bool {
    let line = line.trim_start_matches(['$', '#', '>', ' ']);
    let line = match line.split_once("| curl ") {
        Some((before, _)) if before.starts_with("printf ") => "curl",
        _ => line,
    };
    let mut words = line.split_whitespace();
    words.find(|word| !is_assignment(word)).is_some_and(is_curl)
}

/// The options that a `printf` writes for the curl behind it, as words of a command line.
fn printed(words: &[String]) -> Option<Vec<String>> {
    let [program, format, values @ ..] = words else {
        return None;
    };
    if program != "printf" {
        return None;
    }
    let mut values = values.iter();
    let mut text = String::new();
    let mut rest = format.chars();
    while let Some(c) = rest.next() {
        match (c, rest.clone().next()) {
            ('%', Some('s')) => text.push_str(values.next()?),
            ('%', Some('%')) => text.push('%'),
            ('\\', Some('\\')) => text.push('\\'),
            ('\\', Some('n')) => text.push('\n'),
            ('%' | '\\', _) => return None,
            (c, _) => {
                text.push(c);
                continue;
            }
        }
        rest.next();
    }
    let option = |line: &str| {
        let (option, value) = line.split_once(" = ")?;
        let quoted = value.strip_prefix('"')?.strip_suffix('"')?;
        let mut value = String::new();
        let mut rest = quoted.chars();
        while let Some(c) = rest.next() {
            value.extend(if c == '\\' { rest.next() } else { Some(c) });
        }
        Some([format!("--{option}"), value])
    };
    let options: Option<Vec<_>> = text.lines().map(option).collect();
    Some(options?.concat())
}

fn is_curl(word: &str) -> bool {
    word.rsplit('/').next() == Some("curl")
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

/// Every curl command in `text`.
pub fn read(catalog: &Catalog, text: &str) -> Result<Reading, Unreadable> {
    let mut reading = Reading::default();
    let mut number = 0;
    let text = text.replace(KEY_QUOTED, &format!("\"${KEY_VARIABLE}\""));
    let mut before = None;
    for command in shell::commands(&text) {
        let piped = before.take();
        let words = match command {
            Ok(words) => words,
            Err(broken) => {
                number += 1;
                let why = format!("command {number} was left out: {}", broken.say());
                reading.left_out.push(why);
                continue;
            }
        };
        let prompt = |word: &&String| is_assignment(word) || *word == "$" || *word == ">";
        let mut own = words.iter().skip_while(prompt).map(String::as_str);
        if !own.next().is_some_and(is_curl) {
            before = printed(&words);
            continue;
        }
        let mut own: Vec<&str> = own.collect();
        let from_stdin = own.windows(2).position(|pair| pair == ["-K", "-"]);
        if let (Some(piped), Some(at)) = (&piped, from_stdin) {
            own.splice(at..at + 2, piped.iter().map(String::as_str));
        }
        number += 1;
        match CurlArguments::default().read(catalog, own.into_iter()) {
            Ok(candidate) => reading.candidates.push(candidate),
            Err(why) => reading
                .left_out
                .push(format!("command {number} was left out: {why}")),
        }
        if reading.candidates.len() > super::LIMIT {
            return Err(Unreadable::Many);
        }
    }
    tell_apart(&mut reading.candidates);
    Ok(reading)
}

/// One command as it is read.
struct CurlArguments {
    candidate: Candidate,
    service: Option<ServiceId>,
    url: Option<String>,
    /// The word behind an option that is not known: its value, unless there is no other URL. A key would be bound to
    /// a host that it is not for.
    doubtful: Option<String>,
    /// Such an option was read just before.
    after_unknown: bool,
}

impl Default for CurlArguments {
    fn default() -> Self {
        let unnamed = Connection::new(Name::unnamed(), ServiceId::http(), "");
        Self {
            candidate: Candidate::new(unnamed),
            service: None,
            url: None,
            doubtful: None,
            after_unknown: false,
        }
    }
}

impl CurlArguments {
    fn read<'a>(
        mut self,
        catalog: &Catalog,
        mut words: impl Iterator<Item = &'a str>,
    ) -> Result<Candidate, String> {
        while let Some(word) = words.next() {
            let doubtful = std::mem::take(&mut self.after_unknown);
            if word.starts_with("--") {
                self.option(word, &mut words)?;
            } else if word.starts_with('-') && word.len() > 1 {
                self.short(word, &mut words)?;
            } else if doubtful {
                self.doubtful.get_or_insert_with(|| word.to_owned());
            } else {
                self.take_url(word);
            }
        }
        let url = self.url.take().or(self.doubtful.take());
        let url = url.ok_or("there is no URL in it")?;
        let Place {
            service,
            url,
            pair,
            notes,
        } = place(catalog, &url, self.service)?;
        let candidate = &mut self.candidate;
        if let Some((username, key)) = pair {
            candidate.connection.username = username;
            set(candidate, key);
        }
        for note in &notes {
            candidate.note(note);
        }
        candidate.connection.name = name_of(&host(&url), "imported");
        candidate.connection.service = service;
        candidate.connection.url = url;
        Ok(self.candidate)
    }

    fn take_url(&mut self, word: &str) {
        if self.url.is_none() {
            self.url = Some(word.to_owned());
        } else {
            self.candidate
                .note("a second URL was left out: a connection has one");
        }
    }

    /// `-sSu user:key`, `-uuser:key`: letters, the last of which may have a value.
    fn short<'a>(
        &mut self,
        word: &'a str,
        words: &mut impl Iterator<Item = &'a str>,
    ) -> Result<(), String> {
        for (at, letter) in word.char_indices().skip(1) {
            let option = format!("-{letter}");
            if !takes_value(&option) {
                self.flag(&option);
                continue;
            }
            let rest = word.get(at + letter.len_utf8()..).unwrap_or_default();
            let value = if rest.is_empty() {
                words.next()
            } else {
                Some(rest)
            };
            return self.valued(&option, value.unwrap_or_default());
        }
        Ok(())
    }

    fn option<'a>(
        &mut self,
        option: &str,
        words: &mut impl Iterator<Item = &'a str>,
    ) -> Result<(), String> {
        if takes_value(option) {
            self.valued(option, words.next().unwrap_or_default())
        } else {
            self.flag(option);
            Ok(())
        }
    }

    fn flag(&mut self, option: &str) {
        let connection = &mut self.candidate.connection;
        match option {
            "-4" | "--ipv4" => connection.family = AddressFamily::V4,
            "-6" | "--ipv6" => connection.family = AddressFamily::V6,
            "-k" | "--insecure" => self.candidate.note(
                "-k was left out: a key is sent only where the certificate was verified; \
                 give the authority by --ca-file",
            ),
            "-L" | "--location" | "--location-trusted" => self
                .candidate
                .note("-L was left out: redirects are shown, and never followed with a key"),
            "-I" | "--head" | "-G" | "--get" => {}
            "-n" | "--netrc" | "--netrc-optional" => self
                .candidate
                .note("--netrc was left out: give the pair by connection edit"),
            option if SILENT.contains(&option) => {}
            option => {
                self.after_unknown = true;
                self.candidate.note(format!(
                    "{} was left out: it is not known here",
                    inert(option, 40)
                ));
            }
        }
    }

    fn valued(&mut self, option: &str, text: &str) -> Result<(), String> {
        match option {
            "-K" | "--config" => {
                return Err(
                    "-K reads options from elsewhere, which are not read here: write them out, \
                     or add the connection by `connection add`"
                        .to_owned(),
                );
            }
            "-H" | "--header" => {
                let shown = header::take(&mut self.candidate, text);
                self.service = shown.or(self.service.take());
            }
            "-u" | "--user" => {
                let (user, key) = pair(text);
                self.candidate.connection.username = plain(&mut self.candidate, &user);
                set(&mut self.candidate, key);
            }
            "--oauth2-bearer" => self.candidate.set_key(value(text)),
            "--url" => self.take_url(text),
            "-X" | "--request" if text.eq_ignore_ascii_case("get") => {}
            "-X" | "--request" => self.candidate.note(format!(
                "the method {} was left out: a probe asks with GET",
                inert(text, 20)
            )),
            _ => self.way(option, text),
        }
        Ok(())
    }

    /// A file's path, as a configuration can hold it. Behind a certificate's may stand `:` and a password.
    fn path(&mut self, option: &str, text: &str) -> Option<Box<Path>> {
        let (path, password) = match option {
            "-E" | "--cert" => text.split_once(':').unzip(),
            _ => (None, None),
        };
        if password.is_some() {
            self.candidate.note(format!(
                "the password behind {option} was left out: give a client key that needs none"
            ));
        }
        let path = path.unwrap_or(text);
        if path.is_empty() || path.chars().any(char::is_control) {
            self.candidate.note(format!(
                "{option} was left out: its path is empty, a variable, or holds what no name of a file should"
            ));
            return None;
        }
        Some(Path::new(path).into())
    }

    fn way(&mut self, option: &str, text: &str) {
        let path = match option {
            "--cacert" | "-E" | "--cert" | "--key" => self.path(option, text),
            _ => None,
        };
        let connection = &mut self.candidate.connection;
        match option {
            "--cacert" => connection.ca_file = path,
            "-E" | "--cert" => connection.client_cert = path,
            "--key" => connection.client_key = path,
            "-m" | "--max-time" => {
                let seconds = text
                    .split('.')
                    .next()
                    .and_then(|whole| whole.parse::<u32>().ok());
                connection.timeout_s = seconds.map(|seconds| {
                    let allowed = Connection::TIMEOUT_S;
                    seconds.clamp(*allowed.start(), *allowed.end())
                });
            }
            "-x" | "--proxy" if text.contains('@') => self.candidate.note(
                "the proxy was left out: user name and password don't belong in the configuration",
            ),
            "-x" | "--proxy" => match inert(text, 200) {
                nothing if nothing.is_empty() => {
                    connection.proxy = None;
                    self.candidate.note(format!(
                        "{option} was left out: it names no proxy; that of the environment still applies"
                    ));
                }
                proxy => connection.proxy = Some(proxy),
            },
            option => {
                let why = LEFT_OUT
                    .iter()
                    .find(|(options, _)| options.contains(&option))
                    .map(|(_, why)| *why);
                if let Some(why) = why {
                    self.candidate.note(why);
                }
            }
        }
    }
}

fn takes_value(option: &str) -> bool {
    const TAKEN: &[&str] = &[
        "-K",
        "--config",
        "-H",
        "--header",
        "-u",
        "--user",
        "--oauth2-bearer",
        "--url",
        "-X",
        "--request",
        "--cacert",
        "-E",
        "--cert",
        "--key",
        "-m",
        "--max-time",
        "-x",
        "--proxy",
    ];
    TAKEN.contains(&option)
        || SILENT_WITH_VALUE.contains(&option)
        || LEFT_OUT
            .iter()
            .any(|(options, _)| options.contains(&option))
}
