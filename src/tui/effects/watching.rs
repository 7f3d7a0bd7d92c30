//! Watching and its history: the watch itself, what its table asks for, and the terminal's notification.

use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{Effects, Key, Queue};
use crate::app::Message;
use crate::app::message::ProbeMessage;
use crate::app::watching::{BoardEvent, Planning, WatchingEffect, WatchingMessage};
use crate::domain::{Connection, Name, SshHost, Verdict, error_chain};
use crate::service::Trigger;
use crate::work::{Change, Core, Watch, WatchEvent, WatchSettings, WorkError};

/// What a task of watching is for: at most one of each runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum WatchTask {
    Pasts,
    Standings,
    Shares,
    Plot,
    Setting,
    SecondOpinion,
}

impl Effects {
    #[inline(never)]
    fn watch(&mut self, on: bool) {
        self.tasks.remove(&Key::Watch);
        self.replan = None;
        if !on {
            return;
        }
        let (core, queue) = (self.core.clone(), self.queue.clone());
        let (sender, replans) = unbounded_channel();
        self.replan = Some(sender);
        self.own(Key::Watch, async move {
            if let Some(why) = core.state_problem().await {
                queue.tell(Message::Noticed(format!(
                    "nothing is remembered, and no key is sent: {why}"
                )));
            }
            match core.watch(None, WatchSettings::default()).await {
                Ok(watch) => follow(&core, watch, replans, &queue).await,
                Err(error) => queue.tell(Message::Noticed(error_chain(&error))),
            }
        });
    }

    /// Starts what `effect` asks for.
    #[inline(never)]
    pub(super) fn watching(&mut self, effect: WatchingEffect) {
        let core = self.core.clone();
        match effect {
            WatchingEffect::Switch(on) => self.watch(on),
            WatchingEffect::ReadPasts(names) => self.read(WatchTask::Pasts, async move {
                Ok(match core.histories(names.clone()).await {
                    Ok(pasts) => WatchingMessage::PastsRead(pasts),
                    Err(error) => WatchingMessage::PastsFailed(names, error_chain(&error)),
                })
            }),
            WatchingEffect::ReadStandings => self.read(WatchTask::Standings, async move {
                let all = core.standings().await?;
                Ok(WatchingMessage::StandingsRead(all.into_iter().collect()))
            }),
            WatchingEffect::ReadShares => self.read(WatchTask::Shares, async move {
                let all = core.shares().await?;
                Ok(WatchingMessage::SharesRead(all.into_iter().collect()))
            }),
            WatchingEffect::ReadPlot(name, span) => self.read(WatchTask::Plot, async move {
                let plot = Box::new(core.plot(&name, span).await?);
                Ok(WatchingMessage::PlotRead(name, plot))
            }),
            WatchingEffect::Replan => {
                if let Some(replan) = &self.replan {
                    // A watch that has ended has said why.
                    let _ = replan.send(());
                }
            }
            WatchingEffect::SetPaused(name, paused) => {
                let set = async move { core.set_paused(&name, paused).await };
                self.set(Planning::Paused, set);
            }
            WatchingEffect::SetMaintenance(name, windows) => {
                let set = async move { core.set_maintenance(&name, windows).await };
                self.set(Planning::Maintenance, set);
            }
            WatchingEffect::SetAllPaused(names, paused) => {
                let set = async move { core.set_all_paused(names, paused).await };
                self.set_all(Planning::Paused, set);
            }
            WatchingEffect::SetAllMaintenance(names, windows, beside) => {
                let now = Timestamp::now();
                let set =
                    async move { core.set_all_maintenance(names, windows, beside, now).await };
                self.set_all(Planning::Maintenance, set);
            }
            WatchingEffect::AskFrom(name, host) => self.ask_from(name, host),
        }
    }

    fn read(
        &mut self,
        part: WatchTask,
        reading: impl Future<Output = Result<WatchingMessage, WorkError>> + Send + 'static,
    ) {
        self.answer(Key::Watching(part), async move {
            let read = reading.await;
            let failed = |error: WorkError| WatchingMessage::HistoryFailed(error_chain(&error));
            Message::Watching(read.unwrap_or_else(failed))
        });
    }

    fn set(
        &mut self,
        what: Planning,
        setting: impl Future<Output = Result<Connection, WorkError>> + Send + 'static,
    ) {
        self.set_all(what, async {
            setting.await.map(|connection| vec![connection])
        });
    }

    fn set_all(
        &mut self,
        what: Planning,
        setting: impl Future<Output = Result<Vec<Connection>, WorkError>> + Send + 'static,
    ) {
        self.answer(Key::Watching(WatchTask::Setting), async move {
            Message::Watching(match setting.await {
                Ok(connections) => WatchingMessage::ConnectionsSet(connections, what),
                Err(error) => WatchingMessage::SetFailed(error_chain(&error)),
            })
        });
    }

    fn ask_from(&mut self, name: Name, host: SshHost) {
        let (core, queue) = (self.core.clone(), self.queue.clone());
        self.answer(Key::Watching(WatchTask::SecondOpinion), async move {
            let heard = |here: &Verdict| {
                let here = Box::new(here.clone());
                queue.tell(Message::Probe(ProbeMessage::Watched(here)));
            };
            let compared = core
                .compare_saved(&name, Trigger::Asked, &host, heard)
                .await;
            let opinion = Box::new(compared.opinion);
            Message::Watching(WatchingMessage::SecondOpinionGiven(opinion))
        });
    }

    /// The bytes that raise the terminal's notification: OSC 777 where rxvt or VTE show that one, else OSC 9;
    /// in tmux wrapped for the terminal outside.
    pub fn notification(&self, text: &str) -> Vec<u8> {
        let environment = self.core.environment();
        let is_set = |name: &str| environment.raw(name).is_some();
        let term = environment.term.as_deref().unwrap_or_default();
        let by_777 = term.starts_with("rxvt") || is_set("VTE_VERSION");
        let sequence = sequence(text, by_777);
        if environment.tmux.is_some() {
            let inner = sequence.replace('\u{1b}', "\u{1b}\u{1b}");
            return format!("\u{1b}Ptmux;{inner}\u{1b}\\").into_bytes();
        }
        sequence.into_bytes()
    }
}

/// The text is inert, so nothing in it ends the sequence; a semicolon would divide its fields, and a number at
/// the beginning is another command of some terminals.
fn sequence(text: &str, by_777: bool) -> String {
    let text = text.replace(';', ",");
    if by_777 {
        format!("\u{1b}]777;notify;switchboard;{text}\u{7}")
    } else {
        format!("\u{1b}]9;switchboard: {text}\u{7}")
    }
}

/// Tells what the watch finds, and follows changes of the configuration.
async fn follow(core: &Core, mut watch: Watch, mut replans: UnboundedReceiver<()>, queue: &Queue) {
    loop {
        tokio::select! {
            event = watch.next() => tell(event, queue),
            Some(()) = replans.recv() => {
                // One that can't be read changes nothing: the screen has said so.
                if let Ok(configuration) = core.configuration().await {
                    watch.obey(&configuration.settings);
                    watch.replace(configuration.connections.clone());
                }
            }
        }
    }
}

fn tell(event: WatchEvent, queue: &Queue) {
    let watching = |message| queue.tell(Message::Watching(message));
    match event {
        WatchEvent::Started(name) => queue.tell(Message::Probe(ProbeMessage::WatchStarted(name))),
        WatchEvent::Finished {
            verdict, change, ..
        } => {
            let news = change.filter(|change| change.is_news());
            let event = news.and_then(|change| happened(&verdict, change));
            queue.tell(Message::Probe(ProbeMessage::Watched(verdict)));
            if let Some(event) = event {
                watching(WatchingMessage::Changed(event));
            }
        }
        WatchEvent::Offline(offline) => watching(WatchingMessage::Offline(offline)),
        WatchEvent::Trouble(why) => watching(WatchingMessage::Trouble(why)),
    }
}

fn happened(verdict: &Verdict, change: Change) -> Option<BoardEvent> {
    let name = verdict.connection.clone()?;
    let at: Timestamp = verdict.at;
    Some(BoardEvent::change(
        name,
        change.from,
        change.to,
        (at, verdict.reason),
        &verdict.title,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_is_one_sequence() {
        let osc9 = sequence("a is down; b", false);
        assert_eq!(osc9, "\u{1b}]9;switchboard: a is down, b\u{7}");
        let osc777 = sequence("a is up", true);
        assert_eq!(osc777, "\u{1b}]777;notify;switchboard;a is up\u{7}");
    }
}
