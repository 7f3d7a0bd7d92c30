//! Probing a list of URLs: thousands, bounded, each verdict as it comes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;
use std::time::Duration;
use std::vec::IntoIter;

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet, yield_now};
use tokio::time::{Instant, sleep_until};

use super::local::{DEFECT, local_error};
use super::task_thread::TaskThread;
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

/// As many probes may run at first on each thread, and as many more with each step: who asks for a thousand at once is told of the
/// first one when it ends, not when all of them have taken their turns at the processor.
const AT_ONCE: usize = 16;
/// The shortest time between two steps: less than anything that is far away takes to answer.
const PACE: Duration = Duration::from_millis(1);
/// The shortest time between two bundles of a thread: whoever writes them sits on another thread, and is not woken for each result.
/// Nobody sees the difference, and the first of all is told at once.
const GATHERED_FOR: Duration = Duration::from_millis(4);

/// Probes one URL.
pub(super) type ProbeUrl = Arc<dyn Fn(String) -> BoxFuture<'static, Verdict> + Send + Sync>;
/// Makes what is told of a verdict. It does so where the probe ran, beside the other probes: what a verdict consists
/// of is given back by the thread that took it.
pub(super) type Tell<T> = Arc<dyn Fn(Verdict) -> T + Send + Sync>;

/// So many threads probe at most: with more of them it is hosts that are waited for.
const MOST_THREADS: usize = 8;

/// Threads beside the one that runs the caller's tasks, for so many probes at once: as many as there are processors, each
/// with enough probes to be worth it. Where the system gives fewer, fewer do. Only probes without a key are divided:
/// what others share (bookings, preparations) may run in the runtime of whoever came first.
pub(super) fn further_threads(concurrency: usize) -> Vec<TaskThread> {
    let processors = available_parallelism().map_or(1, usize::from);
    let threads = processors.min(MOST_THREADS).min(concurrency / AT_ONCE);
    (1..threads)
        .map_while(|_| TaskThread::start(None).ok())
        .collect()
}

/// So many bundles of results may wait for whoever tells them; then no more probes begin.
const BUNDLES: usize = 8;

/// The running probes of a list, each with what is told of it. They begin at once, in the caller's runtime; dropping
/// it ends them.
pub struct Targets<T> {
    bundles: mpsc::Receiver<Vec<T>>,
    /// What came with the one before.
    ready: IntoIter<T>,
    /// The rounds: each a task of its own, on the thread of its probes. Whoever waits for the verdicts sits on
    /// another one, and would be woken for each, and wake these again for each new probe.
    rounds: JoinSet<()>,
    /// They end when this does.
    _threads: Vec<TaskThread>,
}

/// The URLs that no round has taken yet.
#[derive(Clone)]
struct Waiting(Arc<Mutex<IntoIter<String>>>);

impl Waiting {
    fn urls(&self) -> MutexGuard<'_, IntoIter<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + 'static> Targets<T> {
    /// Probes in the caller's runtime and on these threads, which share the list and `concurrency`.
    pub(super) fn new(
        probe: &ProbeUrl,
        tell: &Tell<T>,
        urls: Vec<String>,
        concurrency: usize,
        threads: Vec<TaskThread>,
    ) -> Self {
        let waiting = Waiting(Arc::new(Mutex::new(urls.into_iter())));
        let (told, bundles) = mpsc::channel(BUNDLES);
        let mut rounds = JoinSet::new();
        let (mut left, mut places) = (concurrency.max(1), threads.len() + 1);
        let mut round = || {
            let share = left.div_ceil(places);
            (left, places) = (left - share, places - 1);
            Round {
                probe: Arc::clone(probe),
                tell: Arc::clone(tell),
                waiting: waiting.clone(),
                tasks: JoinSet::new(),
                running: HashMap::new(),
                concurrency: share,
                room: 0,
                grows: Instant::now(),
                next_bundle: Instant::now(),
            }
        };
        rounds.spawn(round().run(told.clone()));
        for thread in &threads {
            rounds.spawn_on(round().run(told.clone()), thread.handle());
        }
        Self {
            bundles,
            ready: Vec::new().into_iter(),
            rounds,
            _threads: threads,
        }
    }

    /// The next result, in the order of finishing; `None` after the last.
    pub async fn next(&mut self) -> Option<T> {
        while self.ready.len() == 0 {
            tokio::select! {
                biased;
                // One that broke is told before what the others still do.
                Some(joined) = self.rounds.join_next() => go_on_breaking(joined),
                bundle = self.bundles.recv() => match bundle {
                    Some(bundle) => self.ready = bundle.into_iter(),
                    None => return self.ended().await,
                },
            }
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
        while let Some(joined) = self.rounds.join_next().await {
            go_on_breaking(joined);
        }
        None
    }
}

/// The panic of a round is its list's.
fn go_on_breaking(round: Result<(), JoinError>) {
    if let Err(error) = round
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}

/// The probes that run on one thread, and what has yet to.
struct Round<T> {
    probe: ProbeUrl,
    tell: Tell<T>,
    waiting: Waiting,
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
            let is_growing = self.room < self.concurrency && self.waiting.urls().len() > 0;
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
        while self.tasks.len() < self.room {
            let Some(url) = self.waiting.urls().next() else {
                break;
            };
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
        let mut targets = Targets::new(&probe, &as_it_is(), urls, 1_000, Vec::new());
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
        let mut targets = Targets::new(&probe, &as_it_is(), urls, AT_ONCE, Vec::new());
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
        let mut targets = Targets::new(&probe, &as_it_is(), urls, 100, Vec::new());
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
    async fn several_threads_share_the_list_and_how_many_run() {
        let running = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let on = Arc::new(Mutex::new(HashSet::new()));
        let counted = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&on));
        let probe: ProbeUrl = Arc::new(move |url| {
            let (running, most, on) = counted.clone();
            Box::pin(async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                on.lock().unwrap().insert(std::thread::current().id());
                // Until both threads have one, none ends.
                while on.lock().unwrap().len() < 2 {
                    yield_now().await;
                }
                tokio::time::sleep(PACE).await;
                running.fetch_sub(1, Ordering::SeqCst);
                local_error(None, &ServiceId::http(), &url, "")
            })
        });
        let urls = (0..500).map(|n| format!("u{n}")).collect();
        let threads = vec![TaskThread::start(None).unwrap()];
        let mut targets = Targets::new(&probe, &as_it_is(), urls, 33, threads);
        let mut told = HashSet::new();
        while let Some(verdict) = targets.next().await {
            assert!(told.insert(verdict.url));
        }
        assert_eq!(told.len(), 500);
        assert_eq!(on.lock().unwrap().len(), 2);
        assert!(most.load(Ordering::SeqCst) <= 33);
    }

    #[tokio::test]
    #[should_panic(expected = "no probe")]
    async fn a_round_on_another_thread_that_breaks_is_no_end_of_the_list() {
        let here = std::thread::current().id();
        let begun = Arc::new(AtomicUsize::new(0));
        let probe: ProbeUrl = Arc::new(move |url| {
            if std::thread::current().id() != here {
                begun.store(1, Ordering::SeqCst);
                panic!("no probe");
            }
            let begun = Arc::clone(&begun);
            Box::pin(async move {
                // It leaves one to the other thread.
                while begun.load(Ordering::SeqCst) == 0 {
                    yield_now().await;
                }
                local_error(None, &ServiceId::http(), &url, "")
            })
        });
        let urls = (0..10).map(|n| format!("u{n}")).collect();
        let threads = vec![TaskThread::start(None).unwrap()];
        let mut targets = Targets::new(&probe, &as_it_is(), urls, 2, threads);
        while targets.next().await.is_some() {}
    }

    #[tokio::test]
    #[should_panic(expected = "no probe")]
    async fn a_round_that_breaks_is_told_while_another_one_runs() {
        let here = std::thread::current().id();
        let probe: ProbeUrl = Arc::new(move |_| {
            assert_eq!(std::thread::current().id(), here, "no probe");
            Box::pin(std::future::pending())
        });
        let urls = (0..10).map(|n| format!("u{n}")).collect();
        let threads = vec![TaskThread::start(None).unwrap()];
        let mut targets = Targets::new(&probe, &as_it_is(), urls, 2, threads);
        // Far beyond what it takes, on a busy machine too.
        let told = tokio::time::timeout(Duration::from_secs(60), targets.next());
        assert!(told.await.is_ok(), "it waits for the other one");
    }

    #[tokio::test]
    #[should_panic(expected = "no probe")]
    async fn a_round_that_breaks_is_no_end_of_the_list() {
        let probe: ProbeUrl = Arc::new(|_| panic!("no probe"));
        let mut targets = Targets::new(&probe, &as_it_is(), vec!["u".to_owned()], 1, Vec::new());
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
        let mut targets = Targets::new(&probe, &as_it_is(), urls, 100, Vec::new());
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
        let mut targets = Targets::new(&probe, &as_it_is(), urls, 16, Vec::new());
        let mut order = Vec::new();
        while let Some(verdict) = targets.next().await {
            order.push(verdict.url);
        }
        assert_eq!(order.last().map(String::as_str), Some("u0"));
        assert_eq!(order.iter().collect::<HashSet<_>>().len(), 1_000);
        assert_eq!(most.load(Ordering::SeqCst), 16);
    }
}
