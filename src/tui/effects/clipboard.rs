//! Copies, and the end of what was copied.

use std::future::Future;
use std::sync::{Arc, PoisonError};

use tokio::time::{Instant, timeout};

use super::{Effects, Key, LAST_CLEARING, Owned, Queue};
use crate::app::Message;
use crate::app::effect::ClipboardEffect;
use crate::app::message::{ClipboardMessage, VaultMessage};
use crate::clipboard::{Certainty, Life, Placed, Terminal, TerminalBytes};
use crate::domain::error_chain;
use crate::tui::event_loop::Inbound;
use crate::tui::translate;
use crate::work::ticket::Freshness;
use crate::work::{Core, WorkError};

impl Effects {
    /// Starts what `effect` asks for.
    #[inline(never)]
    pub(super) fn clipboard(&mut self, effect: ClipboardEffect) {
        let core = self.core.clone();
        match effect {
            ClipboardEffect::CopyHandle { name, slot, form } => {
                self.copy(async move { core.copy(&name, &slot, form, Life::Program).await });
            }
            ClipboardEffect::CopyText(text) => {
                self.copy(async move { core.copy_text(&text, Life::Outlive).await });
            }
            ClipboardEffect::CopyTicket { name, verdict } => self.copy(async move {
                let reader = translate::reader(verdict.remedy.who);
                let text = core
                    .ticket(&name, &verdict, (reader, Freshness::Last))
                    .await?;
                core.copy_text(&text, Life::Outlive).await
            }),
            ClipboardEffect::Clear => self.clear_clipboard(None),
            ClipboardEffect::TakeBack => {
                let copy = self.tasks.remove(&Key::Clipboard);
                self.clear_clipboard(copy);
            }
        }
    }

    /// Copies, and owns the clearing when its time has come: the screen may be blocked by then. A copy that
    /// fails leaves the one before it where it is, and its time too.
    pub(super) fn copy(
        &mut self,
        copy: impl Future<Output = Result<Placed, WorkError>> + Send + 'static,
    ) {
        self.copy_where_ready(async move { copy.await.map(Some) });
    }

    /// The same for a copy that may turn out to be none, of which nothing is to be said.
    pub(super) fn copy_where_ready(
        &mut self,
        copy: impl Future<Output = Result<Option<Placed>, WorkError>> + Send + 'static,
    ) {
        let (core, queue) = (self.core.clone(), self.queue.clone());
        let clears_at = Arc::clone(&self.clears_at);
        self.own(Key::Clipboard, async move {
            match copy.await {
                Ok(None) => {}
                Ok(Some(mut placed)) => {
                    let bytes = placed.terminal_bytes.take();
                    // Told first: what the terminal answers puts right what is told.
                    queue.tell(Message::Clipboard(ClipboardMessage::Copied(
                        translate::copied(&placed),
                    )));
                    queue.write_copy(bytes, &placed);
                    if placed.certainty != Certainty::Shown {
                        let time = placed.clear_after.map(|after| Instant::now() + after);
                        *clears_at.lock().unwrap_or_else(PoisonError::into_inner) = time;
                    }
                }
                Err(WorkError::PassphraseNeeded(what)) => {
                    queue.tell(Message::Vault(VaultMessage::PassphraseNeeded(what)));
                }
                Err(error) => queue.tell(Message::Noticed(error_chain(&error))),
            }
            let time = *clears_at.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(time) = time else { return };
            tokio::select! {
                () = tokio::time::sleep_until(time) => {}
                () = core.clipboard_replaced() => {}
            }
            *clears_at.lock().unwrap_or_else(PoisonError::into_inner) = None;
            clear(&core, &queue).await;
        });
    }

    /// Whether the terminal is asked now whether it takes a clipboard: once a session.
    pub fn asks_terminal(&mut self) -> bool {
        !std::mem::replace(&mut self.asked, true)
    }

    /// What the terminal has told of itself; whether more is known of copies now than was said. What nobody asked
    /// for may come from a tmux or be meant for another program.
    pub fn terminal_told(&self, terminal: Terminal) -> bool {
        self.asked && terminal == Terminal::Announces && self.core.terminal_announces()
    }

    /// Clears, once the copy that is to `end` before has ended: what it still had to write would come behind that.
    fn clear_clipboard(&mut self, end: Option<Owned>) {
        let (core, queue) = (self.core.clone(), self.queue.clone());
        let clears_at = Arc::clone(&self.clears_at);
        let copy = end.map(|copy| copy.0.clone());
        // Else beside the copy that is under way or waits for its time: ending that half-way could lose what it
        // must still write.
        self.own(Key::Clearing, async move {
            if let Some(copy) = copy {
                while !copy.is_finished() {
                    tokio::task::yield_now().await;
                }
                *clears_at.lock().unwrap_or_else(PoisonError::into_inner) = None;
            }
            clear(&core, &queue).await;
        });
    }

    /// Before the program is stopped: takes back what has a time to be cleared at, where nobody else would do it in
    /// time. The words for how that went.
    pub async fn clear_before_stop(&self) -> Option<String> {
        self.clears_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()?;
        let clearing = async {
            if !self.core.clipboard_needs_running().await {
                return None;
            }
            clear(&self.core, &self.queue).await
        };
        let late = "not cleared in time; it may still hold what was copied";
        let cleared = timeout(LAST_CLEARING, clearing).await;
        cleared.unwrap_or_else(|_| Some(late.to_owned()))
    }
}

impl Queue {
    /// What a copy gave.
    fn write_copy(&self, bytes: Option<TerminalBytes>, placed: &Placed) {
        match bytes {
            Some(bytes) if placed.could_be_announced() => {
                let _ = self.0.send(Inbound::WriteAndAsk(bytes));
            }
            bytes => self.write(bytes),
        }
    }
}

/// Clears, and gives the words for how that went, where there was something to clear.
async fn clear(core: &Core, queue: &Queue) -> Option<String> {
    let cleared = core.clear_clipboard().await?;
    queue.write(cleared.terminal_bytes);
    let words = Some(cleared.words).filter(|words| !words.is_empty())?;
    let message = ClipboardMessage::Cleared(words.clone());
    queue.tell(Message::Clipboard(message));
    Some(words)
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Handle;
    use tokio::sync::{mpsc, oneshot};

    use super::*;
    use crate::config::Environment;
    use crate::domain::Secret;

    #[tokio::test]
    async fn what_is_taken_back_on_its_way_does_not_arrive() {
        let environment = Environment::of([("TERM", "xterm")]);
        let core = Core::rehearsal(environment, Vec::new()).await.unwrap();
        let core = core.with_terminal(Terminal::Silent);
        let (sender, mut inbox) = mpsc::unbounded_channel();
        let mut effects = Effects::new(core.clone(), Handle::current(), Queue(sender), Vec::new());
        let copying = |go: oneshot::Receiver<()>, done: oneshot::Sender<()>| {
            let core = core.clone();
            async move {
                let _ = go.await;
                let placed = core
                    .copy_secret(&Secret::new("s3cret"), Life::Program)
                    .await;
                let _ = done.send(());
                placed
            }
        };
        let (go, may_go) = oneshot::channel();
        let (ends, done) = oneshot::channel();
        effects.copy(copying(may_go, ends));
        tokio::task::yield_now().await;
        effects.clipboard(ClipboardEffect::TakeBack);
        let _ = go.send(());
        assert!(done.await.is_err(), "it was ended");
        assert!(inbox.try_recv().is_err());

        // One that has arrived is cleared.
        let (go, may_go) = oneshot::channel();
        let (ends, done) = oneshot::channel();
        effects.copy(copying(may_go, ends));
        let _ = go.send(());
        assert!(done.await.is_ok());
        assert!(matches!(inbox.recv().await, Some(Inbound::Message(_))));
        let copied = inbox.recv().await;
        assert!(matches!(copied, Some(Inbound::WriteAndAsk(_))));
        effects.clipboard(ClipboardEffect::TakeBack);
        assert!(matches!(inbox.recv().await, Some(Inbound::Write(_))));
    }
}
