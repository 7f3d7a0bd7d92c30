//! `switchboard watch`: one line a change, for logs, screen readers and pipes; runs until a signal or `--for`.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::arguments::{WatchArguments, WatchFormat};
use super::context::Context;
use super::fault::{Fault, OURS};
use super::output::OutputProblem;
use super::output::human::{self, Colours};
use super::signals::{self, Signals};
use super::{output, probe};
use crate::domain::text::{harmless, shell_word};
use crate::domain::verdict::whole_seconds;
use crate::domain::{Connection, Name, Reason, State, Verdict};
use crate::store::Stamp;
use crate::work::{Change, Watch, WatchEvent, WatchSettings, announcement};

/// How often the configuration's file is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// What becomes of a watch whose configuration can't be read.
const AS_IT_WAS: &str =
    "the watch goes on with what it said last, and follows it once it can be read again";

/// How long the end waits for the user's command without a word, and after `--for` for whoever reads.
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs the command where its probes run: between two threads every one of them would wake both. 0 after `--for`, 3
/// where nobody reads what is told by then; 128 + the number of the signal that ended it, or the wait after `--for`.
pub async fn run(context: Context, arguments: WatchArguments) -> Result<u8, Fault> {
    let mut inside = JoinSet::new();
    inside.spawn(async move { watched(&context, arguments).await });
    match inside.join_next().await {
        Some(Ok(done)) => done,
        Some(Err(broken)) => match broken.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Ok(OURS),
        },
        None => Ok(OURS),
    }
}

async fn watched(context: &Context, arguments: WatchArguments) -> Result<u8, Fault> {
    let stamp = context.core.stamp().await?;
    let connections = chosen(context, &arguments).await?;
    tell_of_paused(&connections);
    let names: Vec<_> = connections.iter().map(|one| one.name.clone()).collect();
    context.have_keys_of(&names).await?;
    let time = |text: &Option<String>| text.as_deref().map(probe::duration).transpose();
    let settings = WatchSettings {
        interval: time(&arguments.interval)?,
        ..WatchSettings::default()
    };
    // Too long to be told apart from for ever is for ever.
    let until = time(&arguments.lasts)?.and_then(|lasts| Instant::now().checked_add(lasts));
    let watch = context.core.watch(Some(&names), settings).await?;
    context.say_where_nothing_is_remembered().await;
    let mut printer = ChangePrinter {
        format: arguments.format(),
        colours: context.colours,
        told: HashMap::new(),
        writing: JoinSet::new(),
    };
    let mut signals = Signals::listen(signals::HANGUP)?;
    let mut followed = Followed {
        watch,
        stamp,
        names: names.into_iter().collect(),
    };
    let watching = follow(context, &arguments, &mut followed, &mut printer);
    let ended = tokio::select! {
        failed = watching => failed.map(|never| match never {}),
        number = signals.next() => Ok(128 + number),
        () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => Ok(0),
    };
    let mut watch = followed.watch;
    let found = found_by_now(&mut watch).await;
    // No further probe begins, and those that run are ended.
    watch.replace(Vec::<Arc<Connection>>::new());
    settle(context, printer, (&found, watch), &mut signals, ended).await
}

/// What has ended by now and was not told yet.
async fn found_by_now(watch: &mut Watch) -> Vec<WatchEvent> {
    watch.set_paused(true);
    let mut found = Vec::new();
    while let Ok(event) = timeout(Duration::ZERO, watch.next()).await {
        found.push(event);
    }
    found
}

/// Nothing that was found is lost: whoever is to be called is called, and all is written, unless the time is over and
/// nobody reads within [`PATIENCE`]. The next signal ends that. Gives how the watch ended, after that.
async fn settle(
    context: &Context,
    mut printer: ChangePrinter,
    (found, mut watch): (&[WatchEvent], Watch),
    signals: &mut Signals,
    mut ended: Result<u8, Fault>,
) -> Result<u8, Fault> {
    let settling = async {
        printer.settled(found, &mut ended).await;
        let announcing = context.core.settle_announcements();
        tokio::pin!(announcing);
        if timeout(PATIENCE, &mut announcing).await.is_err() {
            printer
                .say_at_end("waiting for on_change to end; the next signal ends it")
                .await;
            announcing.await;
        }
        // Whether the last of them failed is known now.
        for event in found_by_now(&mut watch).await {
            if let WatchEvent::Trouble(why) = event {
                printer.say_at_end(&why).await;
            }
        }
        if !context.core.settle_history().await {
            printer
                .say_at_end("results of this run are not in the history: they could not be written")
                .await;
        }
    };
    tokio::select! {
        () = settling => ended,
        number = signals.next() => ended.map(|code| if code == 0 { 128 + number } else { code }),
    }
}

/// The connections that the arguments name; all where they name none.
async fn chosen(
    context: &Context,
    arguments: &WatchArguments,
) -> Result<Vec<Arc<Connection>>, Fault> {
    let known = context.core.connections().await?;
    for name in &arguments.names {
        if !known.iter().any(|one| one.name.as_str() == name) {
            let name = crate::domain::text::inert(name, 64);
            return Err(Fault::usage(format!("there is no connection named {name}"))
                .hint("switchboard connection list names them"));
        }
    }
    let chosen = wanted(&known, arguments);
    if chosen.is_empty() {
        return Err(match &arguments.tag {
            Some(tag) => Fault::usage(format!(
                "no connection has the tag {}",
                crate::domain::text::inert(tag, 60)
            ))
            .hint("switchboard connection list names what there is"),
            None => Fault::usage("there is nothing to watch")
                .hint("switchboard connection add NAME --service S --url U"),
        });
    }
    Ok(chosen)
}

/// Those of `known` that the arguments name.
fn wanted(known: &[Arc<Connection>], arguments: &WatchArguments) -> Vec<Arc<Connection>> {
    let WatchArguments { names, tag, .. } = arguments;
    let is_wanted = |one: &&Arc<Connection>| {
        let named = names.iter().any(|name| name == one.name.as_str());
        let tagged = tag.as_ref().is_none_or(|tag| one.tags.contains(tag));
        (names.is_empty() || named) && tagged
    };
    known.iter().filter(is_wanted).map(Arc::clone).collect()
}

/// Says what nothing will be heard of: silence would be taken for no change.
fn tell_of_paused(chosen: &[Arc<Connection>]) {
    let paused = chosen.iter().filter(|one| one.paused);
    let names: Vec<_> = paused.map(|one| &one.name).collect();
    if names.len() > FEW {
        let count = names.len();
        output::say(&format!(
            "switchboard: {count} connections are paused, and not watched: switchboard connection edit NAME --unpause"
        ));
        return;
    }
    for name in names {
        let word = shell_word(name.as_str());
        output::say(&format!(
            "switchboard: {name} is paused, and not watched: switchboard connection edit {word} --unpause"
        ));
    }
}

/// A watch that follows the configuration.
struct Followed {
    watch: Watch,
    /// Of the configuration when it was looked at last.
    stamp: Stamp,
    /// Of the connections that are watched, or paused.
    names: HashSet<Name>,
}

/// Nothing to end with but a failure.
enum Never {}

/// Tells what the watch finds, and follows changes of the configuration.
async fn follow(
    context: &Context,
    arguments: &WatchArguments,
    followed: &mut Followed,
    printer: &mut ChangePrinter,
) -> Result<Never, Fault> {
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failed: Option<String> = None;
    loop {
        tokio::select! {
            event = followed.watch.next() => printer.tell(&event).await?,
            _ = look.tick() => {
                let found = context.core.stamp().await?;
                // Giving a permission back changes no stamp: what failed is tried again.
                if found == followed.stamp && failed.is_none() {
                    continue;
                }
                followed.stamp = found;
                // One that can't be read changes nothing.
                match replan(context, arguments, followed).await {
                    Ok(gone) => {
                        if failed.take().is_some() {
                            let text = "switchboard: the configuration is read again";
                            printer.say(text.to_owned()).await?;
                        }
                        printer.forget(&gone).await?;
                    }
                    Err(fault) => {
                        let why = Some(fault.text());
                        if failed != why {
                            let hint = fault.hint.as_deref().or(Some(AS_IT_WAS));
                            printer.say(output::error_text(&fault, hint)).await?;
                        }
                        failed = why;
                    }
                }
            }
        }
    }
}

/// Watches what the configuration has by now. What it has no more is not asked any more, and gets no key; gives those.
async fn replan(
    context: &Context,
    arguments: &WatchArguments,
    followed: &mut Followed,
) -> Result<Vec<Name>, Fault> {
    let configuration = context.core.configuration().await?;
    let connections = wanted(&configuration.connections, arguments);
    let names = connections.iter().map(|one| one.name.clone()).collect();
    let before = std::mem::replace(&mut followed.names, names);
    let mut gone: Vec<_> = before.difference(&followed.names).cloned().collect();
    gone.sort();
    followed.watch.obey(&configuration.settings);
    followed.watch.replace(connections);
    Ok(gone)
}

struct ChangePrinter {
    format: WatchFormat,
    colours: Colours,
    told: HashMap<Name, LastPrinted>,
    /// What somebody takes time to read.
    writing: JoinSet<Result<(), OutputProblem>>,
}

/// What was told of a connection last.
struct LastPrinted {
    state: State,
    reason: Reason,
    /// How it stood at first, which nothing has confirmed yet: a first failure, or one that is planned; or that
    /// nothing is known.
    is_open: bool,
    /// Probes since it was told.
    since: usize,
}

/// Something to tell of a connection.
struct News {
    /// What was told or announced before, here or in an earlier run.
    was: Option<State>,
    /// The reason that was told before, where it is another one now and the state is the same.
    reason: Option<Reason>,
}

/// How many names are told one by one.
const FEW: usize = 5;

impl ChangePrinter {
    /// Says that these are not watched any more. One that comes back under the name is another one.
    async fn forget(&mut self, gone: &[Name]) -> Result<(), OutputProblem> {
        for name in gone {
            self.told.remove(name);
        }
        let line = |name| format!("switchboard: {name} is gone: it is watched no more");
        let text = match gone.len() {
            0 => return Ok(()),
            1..=FEW => gone.iter().map(line).collect::<Vec<_>>().join("\n"),
            count => {
                format!("switchboard: {count} connections are gone: they are watched no more")
            }
        };
        self.say(text).await
    }

    /// Writes a line. Whoever reads may take time: the probes go on meanwhile, on the thread that this would hold up.
    async fn put(&mut self, line: String) -> Result<(), OutputProblem> {
        if output::goes_at_once(&line) {
            return output::data(&line);
        }
        self.writing.spawn_blocking(move || output::data(&line));
        self.written().await
    }

    /// Waits until what is under way was read.
    async fn written(&mut self) -> Result<(), OutputProblem> {
        match self.writing.join_next().await {
            Some(Ok(written)) => written,
            Some(Err(broken)) => Err(io::Error::other(broken).into()),
            None => Ok(()),
        }
    }

    /// Waits until all is written, with what was `found` at the end: where the time is over for no longer than
    /// [`PATIENCE`], as whoever reads no more may never do. Then `ended` becomes a failure where it is not.
    async fn settled(&mut self, found: &[WatchEvent], ended: &mut Result<u8, Fault>) {
        let found = if ended.is_ok() { found } else { &[] };
        let writing = async {
            self.written().await?;
            for event in found {
                self.tell(event).await?;
            }
            Ok::<_, OutputProblem>(())
        };
        if !matches!(ended, Ok(0)) {
            // Where it can't be written, nobody reads any more.
            let _ = writing.await;
            return;
        }
        if let Ok(written) = timeout(PATIENCE, writing).await {
            *ended = written.map(|()| 0).map_err(Fault::from);
        } else {
            *ended = Ok(OURS);
            let text = "the time is over, and nobody reads: what was found last is not written";
            self.say_at_end(text).await;
        }
    }

    /// Says it to the person: as they may not read that either, beside what runs here.
    async fn say(&mut self, text: String) -> Result<(), OutputProblem> {
        self.writing.spawn_blocking(move || {
            output::say(&text);
            Ok(())
        });
        self.written().await
    }

    /// The same, waiting no longer than [`PATIENCE`].
    async fn say_at_end(&mut self, text: &str) {
        // Where it can't be said, nobody is left to be told.
        let _ = timeout(PATIENCE, self.say(format!("switchboard: {text}"))).await;
    }

    async fn tell(&mut self, event: &WatchEvent) -> Result<(), OutputProblem> {
        match event {
            WatchEvent::Started(_) => Ok(()),
            WatchEvent::Finished {
                verdict,
                change,
                is_other_reason,
            } => {
                let name = verdict.connection.as_ref();
                if verdict.reason == Reason::Offline
                    && name.is_some_and(|name| self.told.contains_key(name))
                {
                    // That is told of the machine, once.
                    return Ok(());
                }
                let heard = (verdict.reason, *is_other_reason);
                match name.and_then(|name| self.news(name, heard, *change)) {
                    Some(news) => self.put(self.line(verdict, &news)).await,
                    None => Ok(()),
                }
            }
            WatchEvent::Offline(offline) => self.put(self.network(*offline)).await,
            WatchEvent::Trouble(why) => self.say(format!("switchboard: {why}")).await,
        }
    }

    /// What is told of a verdict: how each one stands at first, and every change that is announced. The announcement
    /// of what was just told as the first is the same news; that a first failure was none is told as well.
    fn news(
        &mut self,
        name: &Name,
        (reason, is_other_reason): (Reason, bool),
        change: Option<Change>,
    ) -> Option<News> {
        let state = reason.state();
        let from = change.and_then(|change| change.from);
        let told = LastPrinted {
            state,
            reason,
            is_open: change.is_none() && matches!(state, State::Down | State::Unknown),
            since: 0,
        };
        let Some(before) = self.told.get_mut(name) else {
            self.told.insert(name.clone(), told);
            return Some(News {
                was: from,
                reason: None,
            });
        };
        before.since += 1;
        let is_known =
            before.state == state && from.is_none() && (state != State::Down || before.since == 1);
        let recovered = before.is_open && matches!(state, State::Ok | State::Warn);
        if !recovered && (change.is_none() || is_known) {
            before.is_open &= change.is_none();
            if !is_other_reason || before.state != state {
                return None;
            }
            let reason = std::mem::replace(&mut before.reason, reason);
            return Some(News {
                was: Some(state),
                reason: Some(reason),
            });
        }
        let was = from.or(Some(before.state));
        *before = told;
        Some(News { was, reason: None })
    }

    fn line(&self, verdict: &Verdict, news: &News) -> String {
        let was = news.was;
        if self.format == WatchFormat::Ndjson {
            let object = announcement(verdict, was);
            return output::escaped(&object.to_string()).into_owned() + "\n";
        }
        let lamp = match self.format {
            WatchFormat::Human => human::lamp(verdict.state(), self.colours),
            WatchFormat::Plain | WatchFormat::Ndjson => verdict.state().word().to_owned(),
        };
        let name = verdict.connection.as_ref().map_or("", |name| name.as_str());
        let was = match (news.reason, was) {
            (Some(reason), _) => format!(", was {reason}"),
            (None, Some(was)) => format!(", was {}", was.word()),
            (None, None) => String::new(),
        };
        let at = whole_seconds(verdict.at);
        let (title, reason) = (&verdict.title, verdict.reason);
        let (name, title) = (harmless(name), harmless(title));
        format!("{at} {name} {lamp}: {title} ({reason}{was})\n")
    }

    fn network(&self, offline: bool) -> String {
        let at = whole_seconds(jiff::Timestamp::now());
        match (self.format, offline) {
            (WatchFormat::Ndjson, _) => {
                format!("{}\n", serde_json::json!({"offline": offline, "at": at}))
            }
            (_, true) => format!("{at} this machine is offline\n"),
            (_, false) => format!("{at} this machine is online again\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fault::GONE;
    use State::{Down, Ok as Up};

    /// What is told of a connection that stands so, one probe after the other: each state, and what it was.
    fn told(heard: &[(State, Option<Change>)]) -> Vec<(State, Option<State>)> {
        let mut printer = ChangePrinter {
            format: WatchFormat::Plain,
            colours: Colours::Off,
            told: HashMap::new(),
            writing: JoinSet::new(),
        };
        let name = Name::parse("a").unwrap();
        let heard = heard.iter();
        let told = heard.filter_map(|(state, change)| {
            let news = printer.news(&name, (why(*state), false), *change)?;
            Some((*state, news.was))
        });
        told.collect()
    }

    const fn why(state: State) -> Reason {
        match state {
            Up => Reason::Connected,
            State::Warn => Reason::CredentialsRejected,
            Down => Reason::Refused,
            State::Unknown => Reason::AuthPaused,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_time_a_line_that_nobody_reads_is_waited_for_no_longer() {
        let mut printer = ChangePrinter {
            format: WatchFormat::Plain,
            colours: Colours::Off,
            told: HashMap::new(),
            writing: JoinSet::new(),
        };
        assert_eq!(after_the_time(&mut printer).await.unwrap(), 0);
        printer.writing.spawn(async { Ok(()) });
        assert_eq!(after_the_time(&mut printer).await.unwrap(), 0);
        printer.writing.spawn(std::future::pending());
        let in_time = timeout(60 * PATIENCE, after_the_time(&mut printer)).await;
        assert_eq!(in_time.unwrap().unwrap(), OURS);
        let began = Instant::now();
        let mut ended = Ok(143);
        let by_signal = printer.settled(&[], &mut ended);
        assert!(timeout(60 * PATIENCE, by_signal).await.is_err());
        assert_eq!(began.elapsed(), 60 * PATIENCE, "the next signal ends it");
    }

    /// What the watch ends with whose time is over.
    async fn after_the_time(printer: &mut ChangePrinter) -> Result<u8, Fault> {
        let mut ended = Ok(0);
        printer.settled(&[], &mut ended).await;
        ended
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_time_a_line_that_fails_is_the_failure_that_it_is_before() {
        let mut printer = ChangePrinter {
            format: WatchFormat::Plain,
            colours: Colours::Off,
            told: HashMap::new(),
            writing: JoinSet::new(),
        };
        let mut fails_with = async |kind: io::ErrorKind| {
            let problem = OutputProblem(kind.into());
            printer.writing.spawn(async move { Err(problem) });
            after_the_time(&mut printer).await.unwrap_err()
        };
        assert_eq!(fails_with(io::ErrorKind::BrokenPipe).await.code, GONE);
        let full = fails_with(io::ErrorKind::StorageFull).await;
        assert_eq!(full.code, OURS);
        assert!(full.text().starts_with("writing the result: "));
    }

    #[test]
    fn another_reason_within_a_state_is_told_with_the_one_before() {
        let name = Name::parse("a").unwrap();
        let mut printer = ChangePrinter {
            format: WatchFormat::Plain,
            colours: Colours::Off,
            told: HashMap::new(),
            writing: JoinSet::new(),
        };
        let fell = Some(change(Some(Up), Down));
        assert!(
            printer
                .news(&name, (Reason::Refused, false), fell)
                .is_some()
        );
        let news = printer.news(&name, (Reason::TlsExpired, true), None);
        let told = news.map(|news| (news.was, news.reason));
        assert_eq!(told, Some((Some(Down), Some(Reason::Refused))));
        assert!(
            printer
                .news(&name, (Reason::TlsExpired, false), None)
                .is_none()
        );
    }

    const fn change(from: Option<State>, to: State) -> Change {
        Change { from, to }
    }

    #[test]
    fn how_it_stands_at_first_is_told_once() {
        assert_eq!(
            told(&[(Up, Some(change(None, Up))), (Up, None)]),
            [(Up, None)]
        );
        assert_eq!(
            told(&[(Down, None), (Down, Some(change(None, Down))), (Down, None)]),
            [(Down, None)]
        );
        assert_eq!(
            told(&[(Up, None), (Down, None), (Up, None)]),
            [(Up, None)],
            "a single failure is none"
        );
    }

    #[test]
    fn a_first_failure_that_was_none_is_told_as_one() {
        assert_eq!(
            told(&[(Down, None), (Up, None), (Down, None)]),
            [(Down, None), (Up, Some(Down))]
        );
    }

    #[test]
    fn what_stood_open_is_closed() {
        use State::{Unknown, Warn};
        assert_eq!(
            told(&[(Down, None), (Warn, None), (Warn, None)]),
            [(Down, None), (Warn, Some(Down))]
        );
        assert_eq!(
            told(&[(Unknown, None), (Up, None)]),
            [(Unknown, None), (Up, Some(Unknown))]
        );
        // It was up all the time, within maintenance and after it.
        assert_eq!(
            told(&[(Up, None), (Up, None), (Up, Some(change(None, Up)))]),
            [(Up, None)]
        );
    }

    #[test]
    fn every_change_that_is_announced_is_told() {
        let fell = Some(change(Some(Up), Down));
        assert_eq!(
            told(&[(Down, None), (Down, fell)]),
            [(Down, None), (Down, Some(Up))],
            "it was up when it was watched last"
        );
        // Within maintenance, and after it.
        assert_eq!(
            told(&[
                (Down, None),
                (Down, None),
                (Down, None),
                (Down, Some(change(None, Down)))
            ]),
            [(Down, None), (Down, Some(Down))]
        );
        assert_eq!(
            told(&[(Up, None), (Down, fell), (Up, Some(change(Some(Down), Up)))]),
            [(Up, None), (Down, Some(Up)), (Up, Some(Down))]
        );
    }
}
