//! The way through another machine: the request's TCP stream is carried by `ssh -W HOST:PORT`.
//!
//! Nothing is installed there. TLS stays end to end, so that machine sees no more than any router would. Here,
//! the client reaches ssh through a unix socket in a folder of this user alone: no port is opened that another
//! user of this machine could use.
//!
//! ssh tells of the far connection in its debug lines alone (`channel 0: open confirm`, the same words since
//! 2004): from them the phases stay honest. Without them, as over a shared connection, they are left out.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, copy, sink};
use tokio::net::{UnixListener, UnixStream};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use crate::domain::text::inert;
use crate::domain::{Failure, Outcome, Phases, SshHost, TlsFailure};
use crate::jobs;

/// How long a failed request waits for ssh to say why.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Lines of ssh's talk that are kept.
const MOST_LINES: usize = 20;
/// Bytes of its talk that are read: with its debug lines, far more than a connection makes.
const MOST_TALK: u64 = 1024 * 1024;

/// Through which machine, and what is needed for it here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// The machine.
    pub host: SshHost,
    /// A folder of this user alone, which lives as long as the probe.
    pub folder: PathBuf,
    /// All that ssh, and what its configuration starts, get of the environment.
    pub environment: Vec<(OsString, OsString)>,
}

/// One connection through the other machine: the socket that the client connects to, and ssh behind it.
pub(super) struct Bridge {
    pub(super) socket: PathBuf,
    heard: Arc<SharedOutput>,
    /// Ends ssh when it is dropped.
    _carrying: JoinSet<()>,
}

#[derive(Default)]
struct SharedOutput {
    told: Mutex<SshOutput>,
    changed: Notify,
}

/// What ssh said.
#[derive(Default)]
struct SshOutput {
    /// The far connection was asked for.
    asked: Option<Instant>,
    /// It stood.
    opened: Option<Instant>,
    /// Its lines for people.
    lines: Vec<String>,
    /// ssh has ended.
    has_ended: bool,
}

impl SharedOutput {
    fn told(&self) -> MutexGuard<'_, SshOutput> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        self.told().has_ended = true;
        self.changed.notify_waiters();
    }

    async fn wait_for(&self, what: impl Fn(&SshOutput) -> bool) {
        loop {
            // Made before the look: what changes in between is not missed.
            let changed = self.changed.notified();
            if what(&self.told()) {
                return;
            }
            changed.await;
        }
    }
}

impl Via {
    /// Listens for the one connection of a request to `target`; ssh is started once it comes. `limit` is for
    /// the login there.
    pub(super) fn bridge(&self, target: &Url, limit: Duration) -> Result<Bridge, Failure> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let socket = self.folder.join(number.to_string());
        let listener = UnixListener::bind(&socket).map_err(|error| {
            let why = inert(&error.to_string(), 100);
            Failure::Local(format!("no way to ssh could be made: {why}"))
        })?;
        let heard = Arc::new(SharedOutput::default());
        let mut carrying = JoinSet::new();
        carrying.spawn(carry(
            listener,
            self.command(target, limit),
            Arc::clone(&heard),
        ));
        Ok(Bridge {
            socket,
            heard,
            _carrying: carrying,
        })
    }

    fn command(&self, target: &Url, limit: Duration) -> Command {
        let host = target.host_str().unwrap_or_default();
        let port = target.port_or_known_default().unwrap_or_default();
        let mut command = Command::new("ssh");
        command
            // Nobody is asked for a password, and no agent or display goes there.
            .args(["-T", "-a", "-x", "-o", "BatchMode=yes"])
            .args(["-o", "LogLevel=DEBUG2", "-o", "PermitLocalCommand=no"])
            .arg("-o")
            .arg(format!("ConnectTimeout={}", limit.as_secs().max(1)))
            .arg("-W")
            .arg(format!("{host}:{port}"))
            .arg("--")
            .arg(self.host.as_str())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let environment = self.environment.iter();
        command
            .env_clear()
            .envs(environment.map(|(name, value)| (name, value)));
        command
    }

    /// The failure of ssh itself, in its own words.
    fn broken(&self, lines: &[String]) -> Failure {
        let host = self.host.as_str();
        let words = lines
            .last()
            .map_or("it ended without a word", String::as_str);
        Failure::Local(inert(&format!("ssh to {host} failed: {words}"), 300))
    }
}

impl Bridge {
    /// What a failed request means, now that ssh may have said why.
    pub(super) async fn explain(&self, via: &Via, failure: Failure) -> Failure {
        let out_of_time = matches!(
            failure,
            Failure::ConnectTimeout | Failure::ResponseTimeout | Failure::Tls(TlsFailure::Timeout)
        );
        if !out_of_time {
            let ended = self.heard.wait_for(|told| told.has_ended);
            let _ = timeout(LAST_WORDS, ended).await;
        }
        let told = self.heard.told();
        if told.opened.is_some() {
            // What happened after it stood is the service's own.
            return failure;
        }
        if told.has_ended {
            return refusal(&told.lines).unwrap_or_else(|| via.broken(&told.lines));
        }
        if told.asked.is_some() {
            return Failure::ConnectTimeout;
        }
        if out_of_time {
            let host = via.host.as_str();
            return Failure::Local(format!("ssh to {host} was not through in time"));
        }
        // Over a shared connection ssh says nothing: then the request's own failure is all there is.
        failure
    }

    /// Whether the far connection stands, where nothing more was asked for than that. The client closes its end
    /// at once, which ssh outlives until it knows.
    pub(super) async fn reached(&self, via: &Via, deadline: Instant) -> Result<Outcome, Failure> {
        let heard = self
            .heard
            .wait_for(|told| told.opened.is_some() || told.has_ended);
        if timeout_at(deadline, heard).await.is_err() {
            return Err(self.explain(via, Failure::ConnectTimeout).await);
        }
        if self.heard.told().opened.is_some() {
            return Ok(Outcome::Reached);
        }
        Err(self.explain(via, Failure::ClosedEarly).await)
    }

    /// Corrects the phases: the client knows only of the socket on this machine.
    pub(super) fn correct(&self, phases: &mut Phases, begun: Instant, is_tls: bool) {
        let told = self.heard.told();
        let (Some(asked), Some(opened)) = (told.asked, told.opened) else {
            phases.connect = None;
            if is_tls {
                phases.tls = None;
            } else {
                phases.wait = None;
            }
            return;
        };
        phases.connect = Some(opened.duration_since(asked));
        // The client's own clock ran from the socket's connection on: what ssh took stands in its first phase.
        let login = opened.duration_since(begun);
        let first = if is_tls {
            &mut phases.tls
        } else {
            &mut phases.wait
        };
        *first = first.map(|time| time.saturating_sub(login));
    }
}

/// Carries the first connection through ssh, to the end of either side.
async fn carry(listener: UnixListener, mut command: Command, heard: Arc<SharedOutput>) {
    let Ok((stream, _)) = listener.accept().await else {
        return heard.end();
    };
    drop(listener);
    match jobs::start(&mut command) {
        Ok(child) => through(stream, child, &heard).await,
        Err(error) => {
            let why = match error.kind() {
                std::io::ErrorKind::NotFound => "the program ssh is not installed".to_owned(),
                _ => inert(&error.to_string(), 100),
            };
            heard.told().lines.push(why);
        }
    }
    heard.end();
}

async fn through(stream: UnixStream, mut child: Child, heard: &SharedOutput) {
    let (Some(mut stdin), Some(mut stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return;
    };
    let (mut from_client, mut to_client) = stream.into_split();
    let up = async {
        let _ = copy(&mut from_client, &mut stdin).await;
        drop(stdin);
        // The answer goes on: its end is the other direction's.
        std::future::pending::<()>().await;
    };
    let down = async {
        let _ = copy(&mut stdout, &mut to_client).await;
    };
    let ending = async {
        tokio::join!(down, listen(stderr, heard));
        let _ = child.wait().await;
    };
    tokio::select! {
        () = up => {}
        () = ending => {}
    }
    // Its last words are known before the client sees the end, as both halves close behind this.
    heard.end();
}

/// Reads what ssh says, to its end.
async fn listen(stderr: ChildStderr, heard: &SharedOutput) {
    let mut talk = BufReader::new(stderr.take(MOST_TALK));
    let mut line = Vec::new();
    while let Ok(1..) = talk.read_until(b'\n', &mut line).await {
        heard.told().take(&String::from_utf8_lossy(&line));
        heard.changed.notify_waiters();
        line.clear();
    }
    // More than that is of no interest, but a full pipe would stop it.
    let _ = copy(talk.get_mut().get_mut(), &mut sink()).await;
}

impl SshOutput {
    fn take(&mut self, line: &str) {
        if line.contains("channel_connect_stdio_fwd") {
            self.asked.get_or_insert_with(Instant::now);
        } else if line.contains("open confirm rwindow") {
            self.opened.get_or_insert_with(Instant::now);
        } else if !is_noise(line) && self.lines.len() < MOST_LINES {
            self.lines.push(inert(line.trim(), 200));
        }
    }
}

/// What ssh says where all is well.
fn is_noise(line: &str) -> bool {
    const NOISE: [&str; 8] = [
        "debug",
        "OpenSSH_",
        "Authenticated to",
        "Warning: Permanently added",
        "Transferred:",
        "Bytes per second",
        "stdio forwarding failed",
        "** ",
    ];
    line.trim().is_empty() || NOISE.iter().any(|words| line.starts_with(words))
}

/// Why the other machine got no connection, by the words of its ssh server; nothing where ssh itself failed.
fn refusal(lines: &[String]) -> Option<Failure> {
    let words = lines
        .iter()
        .find_map(|line| line.split_once("open failed: "))?
        .1;
    let has = |text: &str| words.contains(text);
    Some(if has("Connection refused") {
        Failure::Refused
    } else if has("timed out") {
        Failure::ConnectTimeout
    } else if has("No route") || has("Host is unreachable") {
        Failure::HostUnreachable
    } else if has("unreachable") {
        Failure::Unreachable
    } else if has("Connection reset") {
        Failure::Reset
    } else if has("Temporary failure") {
        Failure::DnsFailed
    } else if has("not known") || has("No address") || has("resolve") {
        Failure::DnsNotFound
    } else if has("prohibited") {
        Failure::Local(
            "the ssh server there does not let connections through (AllowTcpForwarding, PermitOpen)"
                .to_owned(),
        )
    } else {
        Failure::Local(inert(&format!("the ssh server there said: {words}"), 200))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(lines: &str) -> SshOutput {
        let mut told = SshOutput::default();
        lines.lines().for_each(|line| told.take(line));
        told
    }

    #[test]
    fn the_words_of_ssh_become_failures_of_the_far_side() {
        for (words, failure) in [
            ("connect failed: Connection refused", Failure::Refused),
            (
                "connect failed: Connection timed out",
                Failure::ConnectTimeout,
            ),
            ("connect failed: No route to host", Failure::HostUnreachable),
            (
                "connect failed: Network is unreachable",
                Failure::Unreachable,
            ),
            (
                "connect failed: Name or service not known",
                Failure::DnsNotFound,
            ),
            (
                "connect failed: Temporary failure in name resolution",
                Failure::DnsFailed,
            ),
        ] {
            let told = said(&format!(
                "debug1: Entering interactive session.\nchannel 0: open failed: {words}\nstdio forwarding failed\n"
            ));
            assert_eq!(refusal(&told.lines), Some(failure), "{words}");
        }
        let told = said("channel 0: open failed: administratively prohibited: open failed");
        assert!(
            matches!(refusal(&told.lines), Some(Failure::Local(why)) if why.contains("AllowTcp"))
        );
        let told = said(
            "Warning: Permanently added 'a' to the list of known hosts.\nHost key verification failed.\r\n",
        );
        assert_eq!(told.lines, ["Host key verification failed."]);
        assert_eq!(refusal(&told.lines), None);
    }

    #[test]
    fn debug_lines_tell_when_the_far_connection_was_asked_for_and_stood() {
        let told = said("debug1: channel_connect_stdio_fwd: 127.0.0.1:443\n");
        assert!(told.asked.is_some() && told.opened.is_none() && told.lines.is_empty());
        let told = said("debug2: channel 0: open confirm rwindow 2097152 rmax 32768\n");
        assert!(told.opened.is_some());
    }

    #[test]
    fn no_word_of_the_url_or_the_host_is_an_option() {
        let via = Via {
            host: "ssh:me@web1".parse().unwrap(),
            folder: PathBuf::new(),
            environment: vec![("PATH".into(), "/bin".into())],
        };
        let url = Url::parse("https://[::1]/x").unwrap();
        let command = via.command(&url, Duration::from_secs(5));
        let arguments: Vec<_> = command.as_std().get_args().collect();
        assert_eq!(
            arguments[arguments.len() - 4..],
            ["-W", "[::1]:443", "--", "me@web1"]
        );
        assert!(arguments.contains(&std::ffi::OsStr::new("ConnectTimeout=5")));
    }
}
