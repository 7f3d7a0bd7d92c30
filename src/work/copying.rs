//! Copying: what goes out of the process by the clipboard, and how it is taken back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::core::{Core, Inner};
use super::curl;
use super::error::WorkError;
use super::transfer::refuse_open_secret;
use crate::clipboard::{Certainty, Cleared, Clipboard, Life, Limits, Placed, Surroundings};
use crate::domain::endpoint::secret_parameter;
use crate::domain::{AuthStyle, Connection, CopyForm, Endpoint, HandleSlot, Name, Secret, Verdict};
use crate::service::{Accepted, Service, sign};

impl Core {
    /// Copies something of a saved connection. What must be written to the terminal is in the answer; after
    /// [`Placed::clear_after`] the caller calls [`Core::clear_clipboard`].
    pub async fn copy(
        &self,
        name: &Name,
        slot: &HandleSlot,
        form: CopyForm,
        life: Life,
    ) -> Result<Placed, WorkError> {
        let connection = self.connection(name).await?;
        match form {
            CopyForm::Handle => {
                let handle = self.handle(name, slot).await?;
                self.place(handle.secret(), Content::Secret, life).await
            }
            CopyForm::Header => {
                let lines = self.header_lines(&connection, slot).await?;
                self.place(&lines, Content::Secret, life).await
            }
            CopyForm::Curl => {
                refuse_open_secret(&connection, "copying")?;
                self.copy_text(&self.curl(&connection).await?, life).await
            }
            CopyForm::Username => self.copy_text(&connection.username, life).await,
            CopyForm::Url if secret_parameter(&connection.url).is_some() => {
                let url = Secret::new(&connection.url);
                self.place(&url, Content::Secret, life).await
            }
            CopyForm::Url => self.copy_text(&connection.url, life).await,
        }
    }

    /// Copies a text that is no secret: a snippet, a corrected URL. It is not cleared.
    pub async fn copy_text(&self, text: &str, life: Life) -> Result<Placed, WorkError> {
        self.place(&Secret::new(text), Content::Open, life).await
    }

    /// Copies a secret that no connection holds: a token that was just generated.
    pub async fn copy_secret(&self, secret: &Secret, life: Life) -> Result<Placed, WorkError> {
        self.place(secret, Content::Secret, life).await
    }

    /// Takes back the secret that was copied last, where it is still ours as far as that can be told. Its
    /// bytes for the terminal must be written. Nothing where the last copy was no secret.
    pub async fn clear_clipboard(&self) -> Option<Cleared> {
        let clipboard = self.0.clipboard.get()?;
        if !self.0.copied_secret.swap(false, Ordering::SeqCst) {
            return None;
        }
        let mut unfinished = Unfinished(Some(&self.0.copied_secret));
        let cleared = clipboard.clear().await;
        unfinished.0 = None;
        Some(cleared)
    }

    /// The terminal has said that it takes OSC 52; whether that is news of a clipboard that was used.
    pub fn terminal_announces(&self) -> bool {
        let clipboard = self.0.clipboard.get();
        clipboard.is_some_and(Clipboard::terminal_announces)
    }

    /// Waits until another program has replaced what was copied last; for ever where that can't be told.
    pub async fn clipboard_replaced(&self) {
        match self.0.clipboard.get() {
            Some(clipboard) => clipboard.replaced().await,
            None => std::future::pending().await,
        }
    }

    /// Whether a copied secret stays where it is while this program is stopped.
    pub async fn clipboard_needs_running(&self) -> bool {
        match self.0.clipboard.get() {
            Some(clipboard) => clipboard.needs_running().await,
            None => false,
        }
    }

    /// Whether a copied secret stays where it is unless this program takes it back.
    pub async fn clipboard_needs_program(&self) -> bool {
        match self.0.clipboard.get() {
            Some(clipboard) => clipboard.needs_program().await,
            None => false,
        }
    }

    /// The curl command of a connection, with the key left to `$SWITCHBOARD_KEY`.
    pub async fn curl(&self, connection: &Connection) -> Result<String, WorkError> {
        self.curl_of(connection, None).await
    }

    /// The same, or the command that shows what `verdict` says: it carries the key only where the probe's call did.
    pub(super) async fn curl_of(
        &self,
        connection: &Connection,
        verdict: Option<&Verdict>,
    ) -> Result<String, WorkError> {
        let service = self.service_of(connection).await?;
        let accepted = self.accepted(connection).await;
        let mut base = endpoint(connection)?;
        if let (Some(fallback), true) = (
            &service.text().requests.fallback,
            accepted.as_ref().is_some_and(|how| how.through_index),
        ) {
            base = base.join(fallback);
        }
        let style = match connection.auth {
            AuthStyle::Auto if accepted.as_ref().is_some_and(|how| how.by_headers) => {
                AuthStyle::Headers
            }
            style => style,
        };
        // Where no key is held a probe sends none.
        let scheme = curl::may_carry(connection, &base)
            .then(|| curl::scheme(&service, style, &connection.username))
            .flatten();
        let scheme = match verdict {
            Some(verdict) => curl::carried(&service, verdict, scheme),
            None => scheme,
        };
        Ok(curl::command(&service, scheme, &base, connection))
    }

    /// How the last pair was accepted at the connection's URL, as far as that is known.
    async fn accepted(&self, connection: &Connection) -> Option<Accepted> {
        let (name, url) = (connection.name.clone(), connection.url.clone());
        let record = self.blocking(move |inner| {
            let record = inner.state()?.past(&name, &url);
            record.map_err(|problem| WorkError::failed("reading earlier probes", problem))
        });
        let (_, how) = record.await.ok()?.accepted?;
        Some(how)
    }

    async fn header_lines(
        &self,
        connection: &Connection,
        slot: &HandleSlot,
    ) -> Result<Secret, WorkError> {
        let service = self.service_of(connection).await?;
        let key = self.secret(connection, slot).await?;
        let unsent = || WorkError::unavailable(format!("{slot} is not sent in headers here"));
        let scheme =
            curl::scheme(&service, connection.auth, &connection.username).ok_or_else(unsent)?;
        match slot {
            HandleSlot::Token => Err(unsent()),
            HandleSlot::Key => {
                let (username, key) = self.pair_of(connection, &key).await?;
                sign::header_lines(&service, scheme, &username, &key).ok_or_else(unsent)
            }
            HandleSlot::Added(_) => {
                sign::header_lines(&service, scheme, &connection.username, &key).ok_or_else(unsent)
            }
        }
    }

    async fn place(
        &self,
        text: &Secret,
        content: Content,
        life: Life,
    ) -> Result<Placed, WorkError> {
        if text.is_empty() {
            return Err(WorkError::unavailable("there is nothing to copy"));
        }
        let secret = content == Content::Secret;
        let settings = self.settings().await?;
        let clipboard = self.0.clipboard(settings.clipboard_command);
        let clear_after = (secret && settings.clipboard_clear_s > 0)
            .then(|| Duration::from_secs(settings.clipboard_clear_s.into()));
        // Before it is placed: where this call is dropped half-way, the clearing must know.
        let before = self.0.copied_secret.fetch_or(secret, Ordering::SeqCst);
        let life = if secret { life } else { Life::Outlive };
        let placed = clipboard.copy(text, clear_after, life).await;
        // Where nothing took it, what was copied before it is still there.
        let held = match placed.certainty {
            Certainty::Shown => before,
            Certainty::Confirmed | Certainty::Handed | Certainty::SentUnconfirmed => secret,
        };
        self.0.copied_secret.store(held, Ordering::SeqCst);
        Ok(placed)
    }

    /// The description of the connection's service.
    pub(super) async fn service_of(&self, connection: &Connection) -> Result<Service, WorkError> {
        let id = connection.service.clone();
        self.blocking(move |inner| inner.service(&*inner.catalog()?, &id))
            .await
    }
}

/// What is copied: a secret is taken back, anything else stays.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Secret,
    Open,
}

/// A clearing that is dropped half-way is left for the next call.
struct Unfinished<'a>(Option<&'a AtomicBool>);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(copied_secret) = self.0 {
            copied_secret.store(true, Ordering::SeqCst);
        }
    }
}

impl Inner {
    /// The clipboard; the surroundings are those of the first copy, `command` that of the settings as they are.
    fn clipboard(&self, command: Vec<String>) -> &Clipboard {
        let clipboard = self.clipboard.get_or_init(|| {
            let look_up = |name: &str| self.environment.raw(name);
            let terminal = self.terminal.get().copied().unwrap_or_default();
            let surroundings = Surroundings::read(look_up, None, terminal);
            // What runs now, even where the file was replaced by an upgrade meanwhile.
            Clipboard::new(surroundings, "/proc/self/exe".into(), Limits::default())
        });
        clipboard.set_command(Some(command));
        clipboard
    }
}

fn endpoint(connection: &Connection) -> Result<Endpoint, WorkError> {
    Endpoint::parse(&connection.url).map_err(|problem| {
        WorkError::failed(format!("reading the URL of {}", connection.name), problem)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clipboard::Terminal;
    use crate::domain::KeyFingerprint;
    use crate::work::ConnectionEdit;
    use crate::work::tests::{Home, name, shop};

    #[tokio::test]
    async fn the_curl_command_asks_what_a_probe_asks() {
        let home = Home::new();
        let core = home.core();
        let url = "https://billing.example.com";
        let mut connection = shop(url);
        let bare = core.curl(&connection).await.unwrap();
        assert_eq!(
            bare,
            format!("curl -sS -i '{url}/api/companies/getAll.json'"),
            "no key is held, so none is sent"
        );

        connection.key = Some("env:KEY".parse().unwrap());
        let basic = core.curl(&connection).await.unwrap();
        assert!(basic.contains("user = \"shop-api:%s\""), "{basic}");
        let mut plain = connection.clone();
        plain.url = "http://billing.example.com".to_owned();
        let withheld = core.curl(&plain).await.unwrap();
        assert!(withheld.starts_with("curl "), "{withheld}");
        plain.allow_http = true;
        let allowed = core.curl(&plain).await.unwrap();
        assert!(allowed.contains("SWITCHBOARD_KEY"), "{allowed}");

        let how = Accepted {
            by_headers: true,
            through_index: true,
            own_token: None,
        };
        let state = core.0.state().unwrap();
        let accepted = Some((KeyFingerprint("k".to_owned()), how));
        state
            .update_past(&connection.name, url, |record| record.accepted = accepted)
            .unwrap();
        let found = core.curl(&connection).await.unwrap();
        assert!(found.contains("BLESTA-API-KEY: %s"), "{found}");
        assert!(
            found.ends_with(&format!("'{url}/index.php/api/companies/getAll.json'")),
            "{found}"
        );
    }

    #[tokio::test]
    async fn a_command_that_was_set_after_the_first_copy_is_the_one_that_is_run() {
        let home = Home::new();
        let core = home.core_with(&[("TERM", "xterm"), ("PATH", "/usr/bin:/bin")]);
        let core = core.with_terminal(Terminal::Silent);
        let first = core.copy_text("https://a", Life::Outlive).await.unwrap();
        assert_eq!(first.certainty, Certainty::SentUnconfirmed);
        let folder = core.folders().unwrap().config();
        std::fs::create_dir_all(folder).unwrap();
        let settings = "version = 1\n[settings]\nclipboard_command = [\"cat\"]\n";
        std::fs::write(folder.join("switchboard.toml"), settings).unwrap();
        let second = core.copy_text("https://a", Life::Outlive).await.unwrap();
        assert_eq!(second.words, "handed to cat");
    }

    #[tokio::test]
    async fn a_clearing_that_was_broken_off_is_made_by_the_next_one() {
        let home = Home::new();
        let core = home.core_with(&[("TERM", "xterm"), ("PATH", "/usr/bin:/bin")]);
        let core = core.with_terminal(Terminal::Silent);
        let folder = core.folders().unwrap().config();
        std::fs::create_dir_all(folder).unwrap();
        let settings = "version = 1\n[settings]\nclipboard_command = [\"cat\"]\n";
        std::fs::write(folder.join("switchboard.toml"), settings).unwrap();
        let secret = Secret::new("s3cret");
        core.copy_secret(&secret, Life::Program).await.unwrap();
        {
            let mut clearing = std::pin::pin!(core.clear_clipboard());
            assert!(futures_util::poll!(&mut clearing).is_pending());
        }
        let cleared = core.clear_clipboard().await.unwrap();
        assert_eq!(cleared.words, "a blank handed to cat");
        assert_eq!(core.clear_clipboard().await, None, "once");
    }

    /// Some APIs want the key in the URL: that is no text like another.
    #[tokio::test]
    async fn a_secret_in_a_url_is_taken_back_and_in_no_argument() {
        let home = Home::new();
        let core = home.core_with(&[("TERM", "xterm")]);
        let core = core.with_terminal(Terminal::Silent);
        let open = shop("https://a.example.com/x?page=1");
        let keyed = Connection {
            name: name("keyed"),
            url: "https://a.example.com/keyed".to_owned(),
            ..shop("")
        };
        for connection in [&open, &keyed] {
            core.save(ConnectionEdit::new(connection.clone()))
                .await
                .unwrap();
        }
        // By hand: no command saves one.
        let file = home.options(&[]).folders.configuration;
        let text = std::fs::read_to_string(&file).unwrap();
        let by_hand = text.replace("com/keyed", "com/x?api_key=s3cret");
        std::fs::write(&file, by_hand).unwrap();
        let copy = async |of: &Connection, form| {
            core.copy(&of.name, &HandleSlot::Key, form, Life::Outlive)
                .await
        };
        copy(&open, CopyForm::Url).await.unwrap();
        assert_eq!(core.clear_clipboard().await, None);
        copy(&open, CopyForm::Curl).await.unwrap();
        copy(&keyed, CopyForm::Url).await.unwrap();
        assert!(core.clear_clipboard().await.is_some());
        let refused = copy(&keyed, CopyForm::Curl).await.unwrap_err();
        let refused = crate::domain::error_chain(&refused);
        assert!(
            refused.contains("api_key") && !refused.contains("s3cret"),
            "{refused}"
        );
    }

    #[tokio::test]
    async fn a_text_that_nothing_took_leaves_the_secret_before_it_to_be_cleared() {
        let home = Home::new();
        let core = home.core_with(&[("TERM", "xterm")]);
        let core = core.with_terminal(Terminal::Silent);
        let secret = Secret::new("s3cret");
        let first = core.copy_secret(&secret, Life::Program).await.unwrap();
        assert_eq!(first.certainty, Certainty::SentUnconfirmed);
        let long = "x".repeat(80_000);
        let second = core.copy_text(&long, Life::Outlive).await.unwrap();
        assert_eq!(second.certainty, Certainty::Shown);
        let cleared = core.clear_clipboard().await.unwrap();
        assert!(cleared.terminal_bytes.is_some());

        core.copy_secret(&secret, Life::Program).await.unwrap();
        core.copy_text("https://a", Life::Outlive).await.unwrap();
        let cleared = core.clear_clipboard().await;
        assert_eq!(cleared, None, "what stands there now is no secret");
    }
}
