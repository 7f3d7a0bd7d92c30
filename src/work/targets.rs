//! Probing a list of URLs: thousands, bounded, each verdict as it comes.

use std::future::poll_fn;
use std::hint::black_box;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread::available_parallelism;
use std::time::Duration;
use std::vec::IntoIter;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, CatchUnwind};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet, unconstrained, yield_now};
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

/// So many probes begin at a time on each thread; then everything else has its turn, and what ends by it comes first.
/// Who asks for a thousand at once is told of the first one when it ends, and of hosts that answer at once no more run
/// than that takes: what a thousand of them hold does not fit into a processor's cache.
const AT_ONCE: usize = 8;
/// The shortest time between two bundles of a thread: whoever writes them sits on another thread, and is not woken for each result.
/// Nobody sees the difference, and the first of all is told at once.
const GATHERED_FOR: Duration = Duration::from_millis(4);

/// What [`AT_ONCE`] probes take of the heap, in pieces of so many bytes: above 128 KiB a piece has a mapping of its own.
const PIECES: usize = 3;
const PIECE: usize = 116 * 1024;

/// Lets this thread's heap grow by what the next probes take. By itself that of glibc grows by a page or two at a time,
/// each by a call of the system that the page faults of all threads wait for: 4,000 of them for a thousand probes.
fn grow_heap() {
    drop([(); PIECES].map(|()| black_box(Vec::<u8>::with_capacity(PIECE))));
}

/// Probes one URL. What comes of it stays where it was made: on its way to whoever tells it a verdict would be copied at
/// each step.
pub(super) type ProbeUrl = Arc<dyn Fn(String) -> BoxFuture<'static, Box<Verdict>> + Send + Sync>;
/// Makes ready what all probes of a list have in common. No probe begins before: those that wait for it together would
/// go on at the same moment, all of them ahead of the first answer.
pub(super) type Prepare = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;
/// Adds what is told of a verdict to a bundle. It does so where the probe ran, beside the other probes: what a verdict
/// consists of is given back by the thread that took it.
pub(super) type Tell<B> = Arc<dyn Fn(Box<Verdict>, &mut B) + Send + Sync>;

/// How the URLs of a list are probed.
pub(super) struct Probing {
    pub prepare: Prepare,
    pub probe: ProbeUrl,
}

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

/// The running probes of a list, and bundles of what is told of them. They begin at once, in the caller's runtime;
/// dropping it ends them.
pub struct Targets<B> {
    bundles: mpsc::Receiver<B>,
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

impl<B: Default + Send + 'static> Targets<B> {
    /// Probes in the caller's runtime and on these threads, which share the list and `concurrency`.
    pub(super) fn new(
        probing: &Probing,
        tell: &Tell<B>,
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
                prepare: Arc::clone(&probing.prepare),
                probe: Arc::clone(&probing.probe),
                tell: Arc::clone(tell),
                waiting: waiting.clone(),
                running: FuturesUnordered::new(),
                concurrency: share,
                room: 0,
                next_bundle: Instant::now(),
            }
        };
        rounds.spawn(unconstrained(round().run(told.clone())));
        for thread in &threads {
            rounds.spawn_on(unconstrained(round().run(told.clone())), thread.handle());
        }
        Self {
            bundles,
            rounds,
            _threads: threads,
        }
    }

    /// What is told of the next ones to end, one or more; `None` after the last.
    pub async fn next(&mut self) -> Option<B> {
        loop {
            tokio::select! {
                biased;
                // One that broke is told before what the others still do.
                Some(joined) = self.rounds.join_next() => go_on_breaking(joined),
                bundle = self.bundles.recv() => return match bundle {
                    Some(bundle) => Some(bundle),
                    None => self.ended().await,
                },
            }
        }
    }

    /// The end, unless it is that of a round that broke: a list must not look complete that is not.
    async fn ended(&mut self) -> Option<B> {
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

/// The probes that run on one thread, and what has yet to. They are parts of its task: as tasks of their own each would
/// be put into the runtime's queue, and its result be fetched from there.
struct Round<B> {
    prepare: Prepare,
    probe: ProbeUrl,
    tell: Tell<B>,
    waiting: Waiting,
    running: FuturesUnordered<Running>,
    concurrency: usize,
    /// For so many the heap has room.
    room: usize,
    /// When the next bundle may go.
    next_bundle: Instant,
}

/// A probe under way. One that panics ends in a verdict like any other.
struct Running {
    url: String,
    probe: CatchUnwind<AssertUnwindSafe<BoxFuture<'static, Box<Verdict>>>>,
}

impl Future for Running {
    type Output = Box<Verdict>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Box<Verdict>> {
        let ended = self.probe.poll_unpin(context);
        ended.map(|ended| ended.unwrap_or_else(|_| Box::new(broken(&self.url))))
    }
}

/// The verdict of a probe that panicked.
fn broken(url: &str) -> Verdict {
    local_error(None, &ServiceId::http(), url, DEFECT)
}

impl<B: Default + Send + 'static> Round<B> {
    async fn run(mut self, told: mpsc::Sender<B>) {
        (self.prepare)().await;
        while let Some(first) = self.next().await {
            let mut bundle = B::default();
            (self.tell)(first, &mut bundle);
            self.gather(&mut bundle).await;
            let Some(place) = self.place(&told, &mut bundle).await else {
                return;
            };
            place.send(bundle);
            self.next_bundle = Instant::now() + GATHERED_FOR;
        }
    }

    /// Adds what ends until the bundle may go.
    async fn gather(&mut self, bundle: &mut B) {
        let may_go = sleep_until(self.next_bundle);
        tokio::pin!(may_go);
        loop {
            tokio::select! {
                biased;
                ended = self.next() => match ended {
                    Some(verdict) => (self.tell)(verdict, bundle),
                    None => return,
                },
                () = &mut may_go => return,
            }
            if Instant::now() >= self.next_bundle {
                return;
            }
        }
    }

    /// A place for the bundle; nothing where nobody waits for it any more. Until there is one, what runs goes on and is
    /// added to it: a probe must not run out of time because somebody reads slowly. No more begin.
    async fn place<'a>(
        &mut self,
        told: &'a mpsc::Sender<B>,
        bundle: &mut B,
    ) -> Option<mpsc::Permit<'a, B>> {
        loop {
            tokio::select! {
                biased;
                place = told.reserve() => return place.ok(),
                Some(verdict) = self.running.next() => (self.tell)(verdict, bundle),
            }
        }
    }

    /// The next verdict, in the order of finishing; `None` after the last. More probes begin where none has ended.
    async fn next(&mut self) -> Option<Box<Verdict>> {
        loop {
            let ended = poll_fn(|context| Poll::Ready(self.poll_ended(context)));
            if let Poll::Ready(Some(verdict)) = ended.await {
                return Some(verdict);
            }
            if self.running.len() + AT_ONCE > self.room {
                self.room += AT_ONCE;
                grow_heap();
            }
            if !self.start(AT_ONCE) {
                return poll_fn(|context| self.poll_ended(context)).await;
            }
            yield_now().await;
        }
    }

    /// The next verdict. Where as many run as may, its place is taken at once, whatever else has ended: who waits for
    /// slow hosts waits for places.
    fn poll_ended(&mut self, context: &mut Context<'_>) -> Poll<Option<Box<Verdict>>> {
        let is_full = self.running.len() >= self.concurrency;
        let ended = self.running.poll_next_unpin(context);
        if is_full && matches!(ended, Poll::Ready(Some(_))) {
            self.start(1);
        }
        ended
    }

    /// Starts so many, where there are places and URLs; says whether there were any.
    fn start(&mut self, most: usize) -> bool {
        let room = self.concurrency - self.running.len();
        let urls: Vec<_> = self.waiting.urls().by_ref().take(room.min(most)).collect();
        let any = !urls.is_empty();
        for url in urls {
            let probe = AssertUnwindSafe((self.probe)(url.clone())).catch_unwind();
            self.running.push(Running { url, probe });
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn as_it_is() -> Tell<Vec<Verdict>> {
        Arc::new(|verdict, bundle: &mut Vec<Verdict>| bundle.push(*verdict))
    }

    /// Nothing has to be made ready.
    fn at_once(probe: ProbeUrl) -> Probing {
        let prepare: Prepare = Arc::new(|| Box::pin(std::future::ready(())));
        Probing { prepare, probe }
    }

    async fn all(targets: &mut Targets<Vec<Verdict>>) -> Vec<Verdict> {
        let mut all = Vec::new();
        while let Some(bundle) = targets.next().await {
            all.extend(bundle);
        }
        all
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

    /// Probes that each take two turns of the runtime, with the number of those that run, and the most that did.
    fn quick() -> (ProbeUrl, Arc<AtomicUsize>, Arc<AtomicUsize>) {
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counted = (Arc::clone(&running), Arc::clone(&most));
        let probe: ProbeUrl = Arc::new(move |url| {
            let (running, most) = counted.clone();
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            Box::pin(async move {
                yield_now().await;
                yield_now().await;
                running.fetch_sub(1, Ordering::SeqCst);
                Box::new(local_error(None, &ServiceId::http(), &url, ""))
            })
        });
        (probe, running, most)
    }

    #[tokio::test(start_paused = true)]
    async fn of_hosts_that_answer_at_once_few_run_and_the_first_is_told_early() {
        let (probe, running, most) = quick();
        let urls = (0..1_000).map(|n| format!("u{n}")).collect();
        let mut targets = Targets::new(&at_once(probe), &as_it_is(), urls, 1_000, Vec::new());
        let first = targets.next().await.unwrap().len();
        let begun = first + running.load(Ordering::SeqCst);
        assert!(begun <= 6 * AT_ONCE, "{begun}");
        assert_eq!(first + all(&mut targets).await.len(), 1_000);
        let most = most.load(Ordering::SeqCst);
        assert!((AT_ONCE..=6 * AT_ONCE).contains(&most), "{most}");
    }

    #[tokio::test(start_paused = true)]
    async fn none_begins_before_what_all_need_is_there_and_then_few_do() {
        let (probe, running, _) = quick();
        let ready = Arc::new(tokio::sync::Semaphore::new(0));
        let waited_for = Arc::clone(&ready);
        let prepare: Prepare = Arc::new(move || {
            let ready = Arc::clone(&waited_for);
            Box::pin(async move { drop(ready.acquire().await) })
        });
        let urls = (0..1_000).map(|n| format!("u{n}")).collect();
        let probing = Probing { prepare, probe };
        let mut targets = Targets::new(&probing, &as_it_is(), urls, 1_000, Vec::new());
        for _ in 0..100 {
            yield_now().await;
        }
        assert_eq!(running.load(Ordering::SeqCst), 0);
        ready.add_permits(1);
        let first = targets.next().await.unwrap().len();
        let begun = first + running.load(Ordering::SeqCst);
        assert!(begun <= 6 * AT_ONCE, "{begun}");
        assert_eq!(first + all(&mut targets).await.len(), 1_000);
    }

    #[tokio::test]
    async fn what_ends_together_is_told_together_and_once() {
        let probe: ProbeUrl = Arc::new(|url| {
            Box::pin(async move { Box::new(local_error(None, &ServiceId::http(), &url, "")) })
        });
        let urls = (0..1_000).map(|n| format!("u{n}")).collect();
        let mut targets = Targets::new(&at_once(probe), &as_it_is(), urls, AT_ONCE, Vec::new());
        let (mut bundles, mut told) = (0, HashSet::new());
        while let Some(bundle) = targets.next().await {
            bundles += 1;
            for verdict in bundle {
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
                Box::new(local_error(None, &ServiceId::http(), &url, ""))
            })
        });
        let urls = (1..=100).map(|n| format!("u{n}")).collect();
        let mut targets = Targets::new(&at_once(probe), &as_it_is(), urls, 100, Vec::new());
        let mut bundles = Vec::new();
        while let Some(bundle) = targets.next().await {
            bundles.push(bundle.len());
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
                tokio::time::sleep(GATHERED_FOR).await;
                running.fetch_sub(1, Ordering::SeqCst);
                Box::new(local_error(None, &ServiceId::http(), &url, ""))
            })
        });
        let urls = (0..500).map(|n| format!("u{n}")).collect();
        let threads = vec![TaskThread::start(None).unwrap()];
        let mut targets = Targets::new(&at_once(probe), &as_it_is(), urls, 33, threads);
        let mut told = HashSet::new();
        for verdict in all(&mut targets).await {
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
                Box::new(local_error(None, &ServiceId::http(), &url, ""))
            })
        });
        let urls = (0..10).map(|n| format!("u{n}")).collect();
        let threads = vec![TaskThread::start(None).unwrap()];
        let mut targets = Targets::new(&at_once(probe), &as_it_is(), urls, 2, threads);
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
        let mut targets = Targets::new(&at_once(probe), &as_it_is(), urls, 2, threads);
        // Far beyond what it takes, on a busy machine too.
        let told = tokio::time::timeout(Duration::from_secs(60), targets.next());
        assert!(told.await.is_ok(), "it waits for the other one");
    }

    #[tokio::test]
    #[should_panic(expected = "no probe")]
    async fn a_round_that_breaks_is_no_end_of_the_list() {
        let probe: ProbeUrl = Arc::new(|_| panic!("no probe"));
        let mut targets = Targets::new(
            &at_once(probe),
            &as_it_is(),
            vec!["u".to_owned()],
            1,
            Vec::new(),
        );
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
                Box::new(local_error(None, &ServiceId::http(), &url, ""))
            })
        });
        let urls = (0..1_000).map(|n| format!("u{n}")).collect();
        let _targets = Targets::new(&at_once(probe), &as_it_is(), urls, 100, Vec::new());
        let mut before = 0;
        for _ in 0..20 {
            yield_now().await;
            let now = running.load(Ordering::SeqCst);
            assert!(
                (before..=before + 2 * AT_ONCE).contains(&now),
                "{before}, {now}"
            );
            before = now;
        }
        assert_eq!(before, 100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_taken_again_while_others_have_ended() {
        const PLACES: usize = 100;
        let (begun, ended) = (
            Arc::new(AtomicUsize::new(0)),
            Arc::new(Mutex::new(Vec::new())),
        );
        let counted = (Arc::clone(&begun), Arc::clone(&ended));
        let probe: ProbeUrl = Arc::new(move |url| {
            let (begun, ended) = counted.clone();
            begun.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                tokio::time::sleep(Duration::from_secs(60)).await;
                ended.lock().unwrap().push(begun.load(Ordering::SeqCst));
                Box::new(local_error(None, &ServiceId::http(), &url, ""))
            })
        });
        let urls = (0..3 * PLACES).map(|n| format!("u{n}")).collect();
        let mut targets = Targets::new(&at_once(probe), &as_it_is(), urls, PLACES, Vec::new());
        assert_eq!(all(&mut targets).await.len(), 3 * PLACES);
        // As many end at the same moment as have places: when each does, one has begun for each before it.
        let ended = ended.lock().unwrap();
        let expected: Vec<_> = (0..PLACES).map(|before| PLACES + before).collect();
        assert_eq!(ended[..PLACES], expected);
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
                Box::new(local_error(None, &ServiceId::http(), &url, ""))
            })
        });
        let urls = (0..1_000).map(|n| format!("u{n}")).collect();
        let mut targets = Targets::new(&at_once(probe), &as_it_is(), urls, 16, Vec::new());
        let all = all(&mut targets).await;
        let order: Vec<_> = all.into_iter().map(|verdict| verdict.url).collect();
        assert_eq!(order.last().map(String::as_str), Some("u0"));
        assert_eq!(order.iter().collect::<HashSet<_>>().len(), 1_000);
        assert_eq!(most.load(Ordering::SeqCst), 16);
    }

    #[tokio::test]
    async fn a_probe_that_panics_ends_in_a_verdict_of_its_own() {
        let probe: ProbeUrl = Arc::new(|url| {
            Box::pin(async move {
                yield_now().await;
                assert_ne!(url, "u1", "this one breaks");
                Box::new(local_error(None, &ServiceId::http(), &url, ""))
            })
        });
        let urls = (0..3).map(|n| format!("u{n}")).collect();
        let mut targets = Targets::new(&at_once(probe), &as_it_is(), urls, 3, Vec::new());
        let mut all = all(&mut targets).await;
        all.sort_by(|one, other| one.url.cmp(&other.url));
        let told = |verdict: &Verdict| (verdict.url.clone(), verdict.cause.clone());
        let whole = |url| local_error(None, &ServiceId::http(), url, "");
        let expected = [whole("u0"), broken("u1"), whole("u2")];
        assert_eq!(
            all.iter().map(told).collect::<Vec<_>>(),
            expected.iter().map(told).collect::<Vec<_>>()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_runs_goes_on_while_nobody_fetches_what_ended() {
        let ended = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&ended);
        let probe: ProbeUrl = Arc::new(move |url| {
            let counted = Arc::clone(&counted);
            Box::pin(async move {
                let number = url.trim_start_matches('u').parse().unwrap();
                tokio::time::sleep(GATHERED_FOR * number).await;
                counted.fetch_add(1, Ordering::SeqCst);
                Box::new(local_error(None, &ServiceId::http(), &url, ""))
            })
        });
        let urls = (1..=100).map(|n| format!("u{n}")).collect();
        let mut targets = Targets::new(&at_once(probe), &as_it_is(), urls, 50, Vec::new());
        tokio::time::sleep(GATHERED_FOR * 200).await;
        // More than the bundles that may wait, and none begin behind them but what had begun already.
        let ended = ended.load(Ordering::SeqCst);
        assert!((50..100).contains(&ended), "{ended}");
        assert_eq!(all(&mut targets).await.len(), 100);
    }
}
