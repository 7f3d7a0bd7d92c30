//! Probing a list of URLs: thousands, bounded, each verdict as it comes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use std::vec::IntoIter;

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet, yield_now};
use tokio::time::{Instant, sleep_until};

use super::local::{DEFECT, local_error};
use crate::domain::{AddressFamily, ServiceId, Verdict};

/// How a list is probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetSettings {
    /// Probes at once.
    pub concurrency: usize,
    /// For each probe as a whole; the settings' own where absent.
    pub timeout: Option<Duration>,
    /// Proxy for all of them.
    pub proxy: Option<String>,
    /// Which kind of address is used.
    pub family: AddressFamily,
}

impl Default for TargetSettings {
    fn default() -> Self {
        Self {
            concurrency: 64,
            timeout: None,
            proxy: None,
            family: AddressFamily::Any,
        }
    }
}

/// The URLs of a targets file: one a line, outer blanks, empty lines and comments left out, and the mark of UTF-8 that
/// editors of Windows put before the first, which may be anywhere once files were put together. A `#` begins a comment
/// where it stands first or behind a blank: in a URL it has none before it.
/// What is no URL stays in: its verdict is `url-invalid`.
pub fn listed(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| line.trim_start_matches('\u{feff}').trim())
        .map(|line| without_comment(line).trim_end())
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

fn without_comment(line: &str) -> &str {
    let before = |(at, _)| line.get(..at);
    let behind_blank = |before: &&str| before.ends_with(char::is_whitespace);
    let url = line
        .match_indices('#')
        .filter_map(before)
        .find(behind_blank);
    url.unwrap_or(line)
}

/// As many probes may run at first, and as many more with each step: who asks for a thousand at once is told of the
/// first one when it ends, not when all of them have taken their turns at the processor.
const AT_ONCE: usize = 16;
/// The shortest time between two steps: less than anything that is far away takes to answer.
const PACE: Duration = Duration::from_millis(1);
/// The shortest time between two bundles: whoever writes them sits on another thread, and is not woken for each result.
/// Nobody sees the difference, and the first of all is told at once.
const GATHERED_FOR: Duration = Duration::from_millis(4);

/// Probes one URL.
pub(super) type ProbeUrl = Arc<dyn Fn(String) -> BoxFuture<'static, Verdict> + Send + Sync>;
/// Makes what is told of a verdict. It does so where the probe ran, beside the other probes: what a verdict consists
/// of is given back by the thread that took it.
pub(super) type Tell<T> = Arc<dyn Fn(Verdict) -> T + Send + Sync>;

/// So many bundles of results may wait for whoever tells them; then no more probes begin.
const BUNDLES: usize = 8;

/// The running probes of a list, each with what is told of it. They begin at once, in the caller's runtime; dropping
/// it ends them.
pub struct Targets<T> {
    bundles: mpsc::Receiver<Vec<T>>,
    /// What came with the one before.
    ready: IntoIter<T>,
    /// The round itself: a task of its own, on the threads of its probes. Whoever waits for the verdicts sits on
    /// another one, and would be woken for each, and wake these again for each new probe.
    round: JoinSet<()>,
}

impl<T: Send + 'static> Targets<T> {
    pub(super) fn new(
        probe: ProbeUrl,
        tell: Tell<T>,
        urls: Vec<String>,
        concurrency: usize,
    ) -> Self {
        let round = Round {
            probe,
            tell,
            waiting: urls.into_iter(),
            tasks: JoinSet::new(),
            running: HashMap::new(),
            concurrency: concurrency.max(1),
            room: 0,
            grows: Instant::now(),
            next_bundle: Instant::now(),
        };
        let (told, bundles) = mpsc::channel(BUNDLES);
        let mut owner = JoinSet::new();
        owner.spawn(round.run(told));
        Self {
            bundles,
            ready: Vec::new().into_iter(),
            round: owner,
        }
    }

    /// The next result, in the order of finishing; `None` after the last.
    pub async fn next(&mut self) -> Option<T> {
        if self.ready.len() == 0 {
            let Some(bundle) = self.bundles.recv().await else {
                return self.ended().await;
            };
            self.ready = bundle.into_iter();
        }
        self.ready.next()
    }

    /// The next results, in the order of finishing: one, and what ended with it. None after the last.
    pub async fn some(&mut self) -> Vec<T> {
        let Some(first) = self.next().await else {
            return Vec::new();
        };
        let mut some = vec![first];
        some.extend(&mut self.ready);
        some
    }

    /// The end, unless it is that of a round that broke: a list must not look complete that is not.
    async fn ended(&mut self) -> Option<T> {
        if let Some(Err(error)) = self.round.join_next().await
            && let Ok(panic) = error.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
        None
    }
}

/// The probes that run, and what has yet to.
struct Round<T> {
    probe: ProbeUrl,
    tell: Tell<T>,
    waiting: IntoIter<String>,
    tasks: JoinSet<T>,
    running: HashMap<Id, String>,
    concurrency: usize,
    /// How many may run by now.
    room: usize,
    /// When that becomes more.
    grows: Instant,
    /// When the next bundle may go.
    next_bundle: Instant,
}

/// The verdict of a probe that panicked.
fn broken(url: &str) -> Verdict {
    local_error(None, &ServiceId::http(), url, DEFECT)
}

impl<T: Send + 'static> Round<T> {
    async fn run(mut self, told: mpsc::Sender<Vec<T>>) {
        while let Some(first) = self.next().await {
            self.start_some();
            // All others that are about to end take their turn, and are told with it.
            yield_now().await;
            let bundle = self.gathered(first).await;
            self.start_some();
            if told.send(bundle).await.is_err() {
                return;
            }
            self.next_bundle = Instant::now() + GATHERED_FOR;
        }
    }

    /// `first`, and what ends until a bundle may go.
    async fn gathered(&mut self, first: T) -> Vec<T> {
        let mut bundle = vec![first];
        let may_go = sleep_until(self.next_bundle);
        tokio::pin!(may_go);
        loop {
            while let Some(joined) = self.tasks.try_join_next_with_id() {
                bundle.push(self.ended(joined));
            }
            let one = tokio::select! {
                biased;
                () = &mut may_go => return bundle,
                one = self.next() => one,
            };
            match one {
                Some(one) => bundle.push(one),
                None => return bundle,
            }
        }
    }

    async fn next(&mut self) -> Option<T> {
        let joined = loop {
            self.start_some();
            let is_growing = self.room < self.concurrency && self.waiting.len() > 0;
            tokio::select! {
                biased;
                Some(joined) = self.tasks.join_next_with_id() => break joined,
                () = sleep_until(self.grows), if is_growing => {}
                else => return None,
            }
        };
        Some(self.ended(joined))
    }

    fn ended(&mut self, joined: Result<(Id, T), JoinError>) -> T {
        let id = match &joined {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let url = self.running.remove(&id).unwrap_or_default();
        match joined {
            Ok((_, told)) => told,
            Err(_) => (self.tell)(broken(&url)),
        }
    }

    /// Starts as many as there is room for by now.
    fn start_some(&mut self) {
        let now = Instant::now();
        if self.room < self.concurrency && now >= self.grows {
            self.room = self.concurrency.min(self.room + AT_ONCE);
            self.grows = now + PACE;
        }
        while self.tasks.len() < self.room
            && let Some(url) = self.waiting.next()
        {
            let (probe, tell) = ((self.probe)(url.clone()), Arc::clone(&self.tell));
            let task = self.tasks.spawn(async move { tell(probe.await) });
            self.running.insert(task.id(), url);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn as_it_is() -> Tell<Verdict> {
        Arc::new(std::convert::identity)
    }

    #[test]
    fn a_list_is_one_url_a_line() {
        assert_eq!(
            listed("# ours\nhttps://a.example\r\n\n  b.example \nno url\n"),
            ["https://a.example", "b.example", "no url"]
        );
        assert_eq!(
            listed(
                "https://a.example/#part # ours\n\u{feff}# theirs # too\n\u{feff}https://b.example\t#x\n"
            ),
            ["https://a.example/#part", "https://b.example"],
            "comments behind a URL, and files put together"
        );
        assert_eq!(
            listed("\u{feff}https://a.example\r\n"),
            ["https://a.example"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_is_told_before_the_last_begins() {
        let begun = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&begun);
        let probe: ProbeUrl = Arc::new(move |url| {
            counted.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                tokio::time::sleep(PACE).await;
                local_error(None, &ServiceId::http(), &url, "")
            })
        });
        let urls = (0..1_000).map(|n| format!("u{n}")).collect();
        let mut targets = Targets::new(probe, as_it_is(), urls, 1_000);
        assert!(targets.next().await.is_some());
        assert!(begun.load(Ordering::SeqCst) <= 3 * AT_ONCE);
        let mut rest = 0;
        while targets.next().await.is_some() {
            rest += 1;
        }
        assert_eq!(rest, 999);
    }

    #[tokio::test]
    async fn what_ends_together_is_told_together_and_once() {
        let probe: ProbeUrl = Arc::new(|url| {
            Box::pin(async move { local_error(None, &ServiceId::http(), &url, "") })
        });
        let urls = (0..1_000).map(|n| format!("u{n}")).collect();
        let mut targets = Targets::new(probe, as_it_is(), urls, AT_ONCE);
        let (mut bundles, mut told) = (0, HashSet::new());
        loop {
            let some = targets.some().await;
            if some.is_empty() {
                break;
            }
            bundles += 1;
            for verdict in some {
                assert!(told.insert(verdict.url));
            }
        }
        assert_eq!(told.len(), 1_000);
        assert!(bundles < 500, "{bundles}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_ends_one_after_the_other_is_gathered_but_for_the_first() {
        let probe: ProbeUrl = Arc::new(|url| {
            Box::pin(async move {
                let number = url.trim_start_matches('u').parse().unwrap();
                tokio::time::sleep(Duration::from_millis(number)).await;
                local_error(None, &ServiceId::http(), &url, "")
            })
        });
        let urls = (1..=100).map(|n| format!("u{n}")).collect();
        let mut targets = Targets::new(probe, as_it_is(), urls, 100);
        let mut bundles = Vec::new();
        loop {
            let some = targets.some().await;
            if some.is_empty() {
                break;
            }
            bundles.push(some.len());
        }
        assert_eq!(bundles[0], 1, "the first of all waits for none");
        assert_eq!(bundles.iter().sum::<usize>(), 100);
        assert!(bundles.len() <= 34, "{bundles:?}");
    }

    #[tokio::test]
    #[should_panic(expected = "no probe")]
    async fn a_round_that_breaks_is_no_end_of_the_list() {
        let probe: ProbeUrl = Arc::new(|_| panic!("no probe"));
        let mut targets = Targets::new(probe, as_it_is(), vec!["u".to_owned()], 1);
        targets.next().await;
    }

    #[tokio::test(start_paused = true)]
    async fn step_by_step_as_many_run_as_may() {
        let running = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&running);
        let probe: ProbeUrl = Arc::new(move |url| {
            let counted = Arc::clone(&counted);
            Box::pin(async move {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_secs(60)).await;
                local_error(None, &ServiceId::http(), &url, "")
            })
        });
        let urls = (0..1_000).map(|n| format!("u{n}")).collect();
        let mut targets = Targets::new(probe, as_it_is(), urls, 100);
        let mut seen = Vec::new();
        for _ in 0..12 {
            let step = tokio::time::timeout(PACE, targets.next());
            assert!(step.await.is_err(), "none ends so soon");
            seen.push(running.load(Ordering::SeqCst));
        }
        assert!(seen[0] <= 2 * AT_ONCE, "{seen:?}");
        assert_eq!(seen.last(), Some(&100), "{seen:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn all_are_probed_bounded_and_the_quick_come_first() {
        let running = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let counted = (Arc::clone(&running), Arc::clone(&most));
        let probe: ProbeUrl = Arc::new(move |url| {
            let (running, most) = counted.clone();
            Box::pin(async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                let takes = if url == "u0" { 60_000 } else { 100 };
                tokio::time::sleep(Duration::from_millis(takes)).await;
                running.fetch_sub(1, Ordering::SeqCst);
                local_error(None, &ServiceId::http(), &url, "")
            })
        });
        let urls = (0..1_000).map(|n| format!("u{n}")).collect();
        let mut targets = Targets::new(probe, as_it_is(), urls, 16);
        let mut order = Vec::new();
        while let Some(verdict) = targets.next().await {
            order.push(verdict.url);
        }
        assert_eq!(order.last().map(String::as_str), Some("u0"));
        assert_eq!(order.iter().collect::<HashSet<_>>().len(), 1_000);
        assert_eq!(most.load(Ordering::SeqCst), 16);
    }
}
