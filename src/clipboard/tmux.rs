//! tmux: a private buffer by `load-buffer -w`, which reaches the terminal outside under every setting of
//! `set-clipboard`, and is deleted when its time is over.

use std::ffi::OsString;
use std::time::Duration;

use zeroize::Zeroizing;

use super::child::{Call, CallError, Limit};
use super::escape;
use super::surroundings::is_multiplexer;
use crate::domain::Secret;

/// What a call of tmux needs: to be found, to find its server, and to know which pane asks.
pub(super) const VARIABLES: [&str; 8] = [
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TMUX",
    "TMUX_PANE",
    "TMUX_TMPDIR",
];

/// The names of the buffers, newest first.
const LIST_BUFFERS: [&str; 3] = ["list-buffers", "-F", "#{buffer_name}"];

/// tmux's own timer deletes the buffer this much after ours should have: a net for the case that this
/// program is killed or stopped.
const NET_DELAY: Duration = Duration::from_secs(5);

/// How far a text gets that is given to tmux.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// On to the terminal of this client, which takes a clipboard as far as tmux knows.
    Client(String),
    /// On to this client, which is another tmux or GNU screen.
    Nested(String),
    /// Into tmux's buffer and no further: tmux knows of no clipboard in the client's terminal.
    NoClipboard,
    /// Into tmux's buffer and no further: nobody is attached.
    NoClient,
    /// Into tmux's buffer and no further: too long for a terminal.
    TooLong,
}

/// What was found where our buffer should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TmuxBuffer {
    /// Our text, and nothing was copied in tmux since.
    Ours,
    /// Our text, under a newer buffer: what the terminal's clipboard holds now is not ours.
    Older,
    /// No buffer of ours, and nothing was copied in tmux since: its timer or a person deleted it.
    Gone,
    /// Another text, or no buffer of ours and a newer one.
    Changed,
}

/// How the clearing of a buffer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clearing {
    /// Deleted, and the terminal's clipboard overwritten with one blank as far as tmux knows.
    Overwritten,
    /// The same; but the terminal is another tmux or GNU screen, which keeps what it passes on.
    OverwrittenInFront,
    /// Deleted; it had not gone further than tmux.
    Deleted,
    /// Deleted; the terminal that took it is not attached any more.
    ClientLeft,
    /// Something else was copied since; only our own buffer was deleted.
    Replaced,
}

/// A private buffer in a tmux server.
#[derive(Clone, Debug)]
pub(super) struct Buffer {
    name: String,
    reach: Reach,
    /// The newest buffer before ours.
    before: Option<String>,
    text: Secret,
    variables: Vec<(&'static str, OsString)>,
    limit: Limit,
}

impl Buffer {
    /// Asks tmux how far `text` would get, and names a buffer for it. Nothing is placed yet.
    pub(super) async fn prepare(
        text: &Secret,
        variables: Vec<(&'static str, OsString)>,
        limit: Limit,
    ) -> Result<Self, CallError> {
        let client = "#{client_name} #{client_termname} #{client_termfeatures}";
        let arguments = ["display-message", "-p", client, ";"];
        let asked = Call::new("tmux", &[&arguments[..], &LIST_BUFFERS].concat());
        let asked = asked
            .with_variables(variables.clone())
            .answer(limit)
            .await?;
        let asked = String::from_utf8_lossy(&asked);
        let mut lines = asked.lines();
        let reach = match reach(lines.next().unwrap_or_default()) {
            Reach::Client(_) | Reach::Nested(_) if escape::fits(text).is_err() => Reach::TooLong,
            reach => reach,
        };
        Ok(Self {
            name: private_name(),
            reach,
            before: lines.next().map(str::to_owned),
            text: text.clone(),
            variables,
            limit,
        })
    }

    /// How far the text gets.
    pub(super) fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Places the text. With `clear_after`, tmux is asked to delete the buffer some seconds after that.
    pub(super) async fn load(&self, clear_after: Option<Duration>) -> Result<(), CallError> {
        self.write(&self.text).await?;
        if let Some(clear_after) = clear_after {
            let seconds = (clear_after + NET_DELAY).as_secs().to_string();
            // Most often it is gone by then. A command that fails with nobody there to be told is shown by tmux in the
            // next new session, over what runs there: so the buffer is made before it is deleted.
            let name = &self.name;
            let delete = format!("set-buffer -b {name} - ; delete-buffer -b {name}");
            let net = self.call(&["run-shell", "-b", "-d", &seconds, "-C", &delete]);
            // Older versions can't; then it is us alone.
            let _ = net.success(self.limit).await;
        }
        Ok(())
    }

    /// Takes the text back, from tmux always, from the terminal only where nothing was copied since.
    pub(super) async fn clear(&self) -> Result<Clearing, CallError> {
        let found = self.find().await?;
        let clearing = match (found, &self.reach) {
            (TmuxBuffer::Changed, _) => return Ok(Clearing::Replaced),
            (TmuxBuffer::Older, _) => Clearing::Replaced,
            (TmuxBuffer::Ours | TmuxBuffer::Gone, Reach::Client(client)) => {
                self.overwrite(client, Clearing::Overwritten).await?
            }
            (TmuxBuffer::Ours | TmuxBuffer::Gone, Reach::Nested(client)) => {
                self.overwrite(client, Clearing::OverwrittenInFront).await?
            }
            (TmuxBuffer::Gone, _) => return Ok(Clearing::Deleted),
            (TmuxBuffer::Ours, _) => Clearing::Deleted,
        };
        if (found, clearing) != (TmuxBuffer::Gone, Clearing::ClientLeft) {
            self.delete().await?;
        }
        Ok(clearing)
    }

    /// Deletes the buffer and leaves the terminal's clipboard alone: a newer copy has replaced it.
    pub(super) async fn delete(&self) -> Result<(), CallError> {
        let delete = self.call(&["delete-buffer", "-b", &self.name]);
        delete.success(self.limit).await
    }

    /// Looks whether our text is still what was copied last.
    pub(super) async fn find(&self) -> Result<TmuxBuffer, CallError> {
        let names = self.call(&LIST_BUFFERS).answer(self.limit).await?;
        let names = String::from_utf8_lossy(&names);
        let newest = names.lines().next();
        if !names.lines().any(|name| name == self.name) {
            let since = newest != self.before.as_deref();
            return Ok(if since {
                TmuxBuffer::Changed
            } else {
                TmuxBuffer::Gone
            });
        }
        let text = self.call(&["show-buffer", "-b", &self.name]);
        let text: Zeroizing<Vec<u8>> = text.answer(self.limit).await?;
        let same = str::from_utf8(&text).is_ok_and(|text| Secret::new(text) == self.text);
        Ok(match (same, newest == Some(&self.name)) {
            (false, _) => TmuxBuffer::Changed,
            (true, true) => TmuxBuffer::Ours,
            (true, false) => TmuxBuffer::Older,
        })
    }

    async fn overwrite(&self, client: &str, done: Clearing) -> Result<Clearing, CallError> {
        let clients = self.call(&["list-clients", "-F", "#{client_name}"]);
        let clients = clients.answer(self.limit).await?;
        if !String::from_utf8_lossy(&clients)
            .lines()
            .any(|it| it == client)
        {
            return Ok(Clearing::ClientLeft);
        }
        self.write(&Secret::new(" ")).await?;
        Ok(done)
    }

    async fn write(&self, text: &Secret) -> Result<(), CallError> {
        let mut arguments = vec!["load-buffer"];
        if let Reach::Client(client) | Reach::Nested(client) = &self.reach {
            arguments.extend(["-w", "-t", client]);
        }
        arguments.extend(["-b", &self.name, "-"]);
        let call = self.call(&arguments).with_input(text);
        call.success(self.limit).await
    }

    fn call<'a>(&self, arguments: &[&'a str]) -> Call<'a> {
        Call::new("tmux", arguments).with_variables(self.variables.clone())
    }
}

/// Reads the name of the client in front of our pane, that of its terminal, and what tmux knows of it.
fn reach(answer: &str) -> Reach {
    let mut words = answer.splitn(3, ' ');
    let mut word = || words.next().unwrap_or_default();
    let (client, term, features) = (word(), word(), word());
    let takes_clipboard = features.split(',').any(|feature| feature == "clipboard");
    match (client, takes_clipboard) {
        ("", _) => Reach::NoClient,
        (_, false) => Reach::NoClipboard,
        (client, true) if is_multiplexer(term) => Reach::Nested(client.to_owned()),
        (client, true) => Reach::Client(client.to_owned()),
    }
}

/// A name that no other copy has: two copies never share a buffer, so each clears its own.
fn private_name() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COPIES: AtomicU32 = AtomicU32::new(0);
    let copy = COPIES.fetch_add(1, Ordering::Relaxed);
    format!("switchboard-{}-{copy}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reach_is_read_from_what_tmux_knows() {
        let table = [
            (
                "/dev/pts/1 xterm-256color bpaste,ccolour,clipboard,cstyle,focus,title",
                Reach::Client("/dev/pts/1".into()),
            ),
            (
                "/dev/pts/1 foot clipboard",
                Reach::Client("/dev/pts/1".into()),
            ),
            (
                "/dev/pts/1 tmux-256color bpaste,clipboard",
                Reach::Nested("/dev/pts/1".into()),
            ),
            ("/dev/pts/1 xterm bpaste,focus,title", Reach::NoClipboard),
            ("/dev/pts/1 screen ", Reach::NoClipboard),
            ("  ", Reach::NoClient),
            ("", Reach::NoClient),
        ];
        for (answer, expected) in table {
            assert_eq!(reach(answer), expected, "{answer:?}");
        }
    }

    #[test]
    fn two_copies_never_share_a_buffer() {
        assert_ne!(private_name(), private_name());
    }
}
