//! curl commands, as people keep them in notes and as browsers copy them.
//!
//! What a probe needs is taken: URL, pair or header, certificates, proxy, address family. What it would not
//! send (a method, a body, cookies) is named. `-K` is refused: its file may hold anything. (But for `-K -` behind a
//! `printf`, as this program's own export has it.)

mod options;
mod written;

use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use options::{LEFT_OUT, SILENT, takes_value};
use written::{printed, without_cmd};

use super::header::{self, plain};
use super::place::{Place, PlaceProblem, host, pair, place, value};
use super::{Candidate, Reading, Unreadable, name_of, note_unseen, tell_apart};
use crate::domain::error::whole_chain;
use crate::domain::text::inert;
use crate::domain::{AddressFamily, Connection, Endpoint, Name, ServiceId};
use crate::service::{Catalog, shell};

/// The variable that an exported command reads the key from.
pub const KEY_VARIABLE: &str = "SWITCHBOARD_KEY";

/// The value of [`KEY_VARIABLE`] as a word of a shell, with what ends or escapes a value of curl's configuration
/// written so that curl reads it as it is.
pub const KEY_QUOTED: &str = r#""$(printf %s "$SWITCHBOARD_KEY" | sed 's/["\\]/\\&/g')""#;

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

/// Whether these words are a curl command, perhaps behind a prompt or variables.
pub(super) fn is_command(words: &[String]) -> bool {
    behind_prompt(words).next().is_some_and(is_curl)
}

fn behind_prompt(words: &[String]) -> impl Iterator<Item = &str> {
    let prompt = |word: &&String| is_assignment(word) || *word == "$" || *word == ">";
    words.iter().skip_while(prompt).map(String::as_str)
}

fn is_curl(word: &str) -> bool {
    let program = word.rsplit('/').next();
    matches!(program, Some("curl" | "curl.exe"))
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
    let commands = text.replace(KEY_QUOTED, &format!("\"${KEY_VARIABLE}\""));
    let mut before = None;
    for command in shell::commands(&without_cmd(&commands)) {
        let piped = before.take();
        let words = match command {
            Ok(words) => words,
            Err(broken) => {
                number += 1;
                let why = format!("command {number} was left out: {broken}");
                reading.left_out.push(why);
                continue;
            }
        };
        let mut own = behind_prompt(&words);
        if !own.next().is_some_and(is_curl) {
            before = printed(&words);
            continue;
        }
        let mut own: Vec<&str> = own.collect();
        let from_stdin = own.windows(2).position(|pair| pair == ["-K", "-"]);
        if let (Some(piped), Some(at)) = (&piped, from_stdin) {
            own.splice(at..at + 2, piped.iter().map(String::as_str));
        }
        let mut own = own.into_iter().peekable();
        // Each part of a command divided by `--next` has options, and a key, of its own.
        loop {
            number += 1;
            match CurlArguments::default().read(catalog, &mut own) {
                Ok(candidate) => reading.candidates.push(candidate),
                Err(problem) => reading.left_out.push(format!(
                    "command {number} was left out: {}",
                    whole_chain(&problem)
                )),
            }
            if own.peek().is_none() {
                break;
            }
        }
        if reading.candidates.len() > super::LIMIT {
            return Err(Unreadable::Many);
        }
    }
    note_unseen(text, &mut reading.candidates);
    reading.candidates = tell_apart(reading.candidates);
    Ok(reading)
}

/// Why a command is no connection.
#[derive(Debug, thiserror::Error)]
enum CurlProblem {
    /// Nothing to ask.
    #[error("there is no URL in it")]
    NoUrl,
    /// `-K`.
    #[error(
        "-K reads options from elsewhere, which are not read here: write them out, \
         or add the connection by `connection add`"
    )]
    OptionsElsewhere,
    /// A URL that can't be asked.
    #[error(transparent)]
    Place(#[from] PlaceProblem),
}

/// The value of a header that is `Host`.
fn host_header(line: &str) -> Option<String> {
    let (name, value) = line.split_once(':')?;
    name.trim()
        .eq_ignore_ascii_case("host")
        .then(|| value.trim().to_owned())
}

/// `NAME=TEXT` or `TEXT` of `--data-urlencode` as curl sends it; what is read from a file as that of `-d` is written.
fn encoded(text: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~');
    let (name, content) = match text.split_once('=') {
        Some(("", content)) => (String::new(), content),
        Some((name, content)) => (format!("{name}="), content),
        None => (String::new(), text),
    };
    if text.contains(shell::OPEN)
        || name.contains('@')
        || (name.is_empty() && content.contains('@') && !text.starts_with('='))
    {
        return format!("@{text}");
    }
    format!("{name}{}", utf8_percent_encode(content, KEPT))
}

/// One command as it is read.
struct CurlArguments {
    candidate: Candidate,
    service: Option<ServiceId>,
    url: Option<String>,
    /// The value of a `Host` header.
    host: Option<String>,
    /// What stands behind `-u`: of several the last counts for curl, and a header before it.
    user: Option<String>,
    /// What would be the body, or with `-G` the query.
    data: Vec<String>,
    /// `-G`: the data are the query.
    as_query: bool,
    /// The word behind an option that is not known: its value, unless there is no other URL. A key would be bound to
    /// a host that it is not for.
    doubtful: Option<String>,
    /// What was read just before.
    after: After,
}

/// What the word before says of the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum After {
    /// Nothing.
    #[default]
    Known,
    /// An option that is not known here: it may be its value.
    Unknown,
    /// `--next`: it belongs to another command.
    End,
}

impl Default for CurlArguments {
    fn default() -> Self {
        let unnamed = Connection::new(Name::unnamed(), ServiceId::http(), "");
        Self {
            candidate: Candidate::new(unnamed),
            service: None,
            url: None,
            host: None,
            user: None,
            data: Vec::new(),
            as_query: false,
            doubtful: None,
            after: After::Known,
        }
    }
}

impl CurlArguments {
    /// Reads up to the end, or behind `--next`.
    fn read<'a>(
        mut self,
        catalog: &Catalog,
        words: &mut impl Iterator<Item = &'a str>,
    ) -> Result<Candidate, CurlProblem> {
        let mut refused = None;
        while self.after != After::End
            && let Some(word) = words.next()
        {
            let doubtful = std::mem::take(&mut self.after) == After::Unknown;
            let read = if word.starts_with("--") {
                self.option(word, words)
            } else if word.starts_with('-') && word.len() > 1 {
                self.short(word, words)
            } else if doubtful {
                self.doubtful.get_or_insert_with(|| word.to_owned());
                Ok(())
            } else {
                self.take_url(word);
                Ok(())
            };
            // What stands behind is read all the same: another command may begin there.
            refused = refused.or(read.err());
        }
        match refused {
            Some(problem) => Err(problem),
            None => self.finished(catalog),
        }
    }

    fn finished(mut self, catalog: &Catalog) -> Result<Candidate, CurlProblem> {
        let url = self.url.take().or(self.doubtful.take());
        let url = self.with_query(url.ok_or(CurlProblem::NoUrl)?);
        let url = self.with_scheme(url);
        if let Some(text) = self.user.take() {
            let (user, key) = pair(&text);
            let user = plain(&mut self.candidate, &user);
            self.candidate.set_pair(user, key);
        }
        let Place {
            service,
            url,
            pair,
            notes,
        } = place(catalog, &url, self.service)?;
        let candidate = &mut self.candidate;
        if let Some((username, key)) = pair {
            candidate.set_pair(username, key);
        }
        for note in &notes {
            candidate.note(note);
        }
        let asked = url.split_once("://").map_or("", |(_, rest)| rest);
        let asked = asked.split(['/', '?']).next().unwrap_or_default();
        if let Some(other) = self.host.filter(|other| !other.eq_ignore_ascii_case(asked)) {
            candidate.note(format!(
                "the header Host was left out: {asked} is asked for itself, not for {}",
                inert(&other, 60)
            ));
        }
        candidate.connection.name = name_of(&host(&url), "imported");
        candidate.connection.service = service;
        candidate.connection.url = url;
        Ok(self.candidate)
    }

    /// `url` with the scheme that curl takes where there is none; https in its place where a key would go to others in
    /// the clear.
    fn with_scheme(&mut self, url: String) -> String {
        let before = url.split(['/', '?']).next();
        if before.is_some_and(|before| before.ends_with(':')) {
            return url;
        }
        let plain = format!("http://{url}");
        if Endpoint::parse(&plain).is_ok_and(|endpoint| endpoint.is_loopback()) {
            return plain;
        }
        self.candidate
            .note("the URL has no scheme, which is http for curl, and https here");
        url
    }

    /// `url` with what `-G` puts behind it. Without that, the data are a body.
    fn with_query(&mut self, url: String) -> String {
        let is_plain = |text: &String| !text.starts_with('@') && !text.contains(shell::OPEN);
        let data = std::mem::take(&mut self.data);
        if data.is_empty() {
            url
        } else if self.as_query && data.iter().all(is_plain) {
            let sign = if url.contains('?') { '&' } else { '?' };
            format!("{url}{sign}{}", data.join("&"))
        } else {
            self.candidate.note(if self.as_query {
                "the query of -G was left out: a file or a variable is a part of it"
            } else {
                "the body was left out: a probe sends none"
            });
            url
        }
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
    ) -> Result<(), CurlProblem> {
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
    ) -> Result<(), CurlProblem> {
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
            "--next" | "-:" => self.after = After::End,
            "-G" | "--get" => self.as_query = true,
            "-I" | "--head" => {}
            "--digest" | "--ntlm" | "--negotiate" | "--anyauth" => self.candidate.note(format!(
                "{option} was left out: a probe would send the key as Basic, or as the service says"
            )),
            "-0" | "--http1.0" => self.candidate.note(format!(
                "{option} was left out: a probe asks by HTTP/1.1 or HTTP/2"
            )),
            "-n" | "--netrc" | "--netrc-optional" => self
                .candidate
                .note("--netrc was left out: give the pair by connection edit"),
            option if SILENT.contains(&option) => {}
            option => {
                self.after = After::Unknown;
                // What stands behind the sign may be a secret.
                let name = option.split('=').next().unwrap_or_default();
                self.candidate.note(format!(
                    "{} was left out: it is not known here",
                    inert(name, 40)
                ));
            }
        }
    }

    fn valued(&mut self, option: &str, text: &str) -> Result<(), CurlProblem> {
        match option {
            "-K" | "--config" => return Err(CurlProblem::OptionsElsewhere),
            "-H" | "--header" if text.starts_with('@') => self
                .candidate
                .note("-H @… was left out: its file of headers is not read here"),
            "-H" | "--header" => {
                self.host = host_header(text).or(self.host.take());
                let shown = header::take(&mut self.candidate, text);
                self.service = shown.or(self.service.take());
            }
            "-u" | "--user" => {
                let earlier = self.user.replace(text.to_owned());
                if earlier.is_some_and(|earlier| earlier != text) {
                    self.candidate
                        .note("an earlier -u was left out: curl sends the last one");
                }
            }
            "-d" | "--data" | "--data-raw" | "--data-binary" | "--data-ascii" => {
                self.data.push(text.to_owned());
            }
            "--data-urlencode" => self.data.push(encoded(text)),
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
        let (path, has_password) = match option {
            "-E" | "--cert" => written::certificate(text),
            _ => (text.to_owned(), false),
        };
        if has_password {
            self.candidate.note(format!(
                "the password behind {option} was left out: give a client key that needs none"
            ));
        }
        if path.is_empty() || path.chars().any(char::is_control) {
            self.candidate.note(format!(
                "{option} was left out: its path is empty, a variable, or holds what no name of a file should"
            ));
            return None;
        }
        Some(Path::new(&path).into())
    }

    fn time_limit(&mut self, option: &str, text: &str) {
        let whole = text.split('.').next().unwrap_or_default();
        let asked = whole.parse::<u32>().ok();
        let allowed = Connection::TIMEOUT_S;
        let taken = asked.map(|seconds| seconds.clamp(*allowed.start(), *allowed.end()));
        self.candidate.connection.timeout_s = taken;
        if taken != asked || asked.is_none() {
            let (least, most) = (allowed.start(), allowed.end());
            self.candidate.note(format!(
                "{option} was left out or changed: a time limit is {least} to {most} seconds"
            ));
        }
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
            "-m" | "--max-time" => self.time_limit(option, text),
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
