//! Whoever calls: a connection on which nothing is asked in time, or whose answer nobody takes, is let go, so that
//! half-sent requests take no descriptor from the probes. axum has no such limit.
//!
//! So many may be connected at once. One that keeps its connection open after an answer, for a next request that may
//! come in a minute or never, gives way once somebody waits to be let in.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// For the head of a request, from its first byte on; also for the first request of a connection.
const FOR_HEAD: Duration = Duration::from_secs(10);
/// Until the next request is begun, or more of an answer is taken. Prometheus keeps connections open for minutes, and
/// opens another one for nothing.
const BETWEEN: Duration = Duration::from_secs(90);

/// What comes in by either kind of listener: what serves it is there once.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The places of those that may be connected at once.
pub(super) struct Places {
    free: Arc<Semaphore>,
    /// A permit for everybody who waits for one: whoever is idle takes it and goes.
    wanted: Arc<Semaphore>,
}

/// One of them.
pub(super) struct Place {
    _taken: OwnedSemaphorePermit,
    wanted: Arc<Semaphore>,
}

impl Places {
    pub(super) fn new(count: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(count)),
            wanted: Arc::new(Semaphore::new(0)),
        }
    }

    /// A place, once there is one. The longest idle connection gives way for it, where there is such a one by then.
    pub(super) async fn take(&self) -> Place {
        let taken = match Arc::clone(&self.free).try_acquire_owned() {
            Ok(taken) => taken,
            Err(_) => self.wait_for().await,
        };
        Place {
            _taken: taken,
            wanted: Arc::clone(&self.wanted),
        }
    }

    async fn wait_for(&self) -> OwnedSemaphorePermit {
        let _waiting = Waiting::new(&self.wanted);
        loop {
            // Nobody closes it.
            if let Ok(taken) = Arc::clone(&self.free).acquire_owned().await {
                return taken;
            }
        }
    }
}

/// Somebody waits to be let in, as long as this lives: somebody idle is to go.
struct Waiting<'a>(&'a Semaphore);

impl<'a> Waiting<'a> {
    fn new(wanted: &'a Semaphore) -> Self {
        wanted.add_permits(1);
        Self(wanted)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        // Where somebody went, it is gone already.
        self.0.forget_permits(1);
    }
}

/// A connection, and its place among those that may be open at once.
pub(super) struct Caller {
    stream: Box<dyn Stream>,
    asked: Asked,
    until: Pin<Box<Sleep>>,
    /// Ready once this connection is to give way; there while it is idle.
    gives_way: Option<BoxFuture<'static, ()>>,
    /// It gave way: nothing is read any more.
    gave_way: bool,
    place: Place,
}

/// How far a request has come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// Nothing of the first one.
    Nothing,
    /// Nothing of the next one, while the answer to the one before goes out.
    Answered,
    /// Nothing of the next one, and nothing is to be done.
    Idle,
    /// A part of its head.
    Part {
        /// Whether anything stands on the line that has begun.
        has_text: bool,
    },
    /// All of its head: it is being answered.
    Whole,
}

impl Asked {
    /// After these bytes. A head ends with an empty line; before it there may be some.
    fn after(self, bytes: &[u8]) -> Self {
        let mut asked = self;
        for byte in bytes {
            asked = match (asked, byte) {
                (Self::Whole, _) => return Self::Whole,
                (Self::Part { has_text: false }, b'\n') => Self::Whole,
                (Self::Part { .. }, b'\n') => Self::Part { has_text: false },
                (other, b'\r') | (other @ (Self::Nothing | Self::Answered | Self::Idle), b'\n') => {
                    other
                }
                (_, _) => Self::Part { has_text: true },
            };
        }
        asked
    }

    /// Whether the next request has begun.
    fn has_begun(self) -> bool {
        matches!(self, Self::Part { .. } | Self::Whole)
    }
}

impl Caller {
    /// Begins to wait for the first request.
    pub(super) fn new(stream: Box<dyn Stream>, place: Place) -> Self {
        Self {
            stream,
            asked: Asked::Nothing,
            until: Box::pin(sleep(FOR_HEAD)),
            gives_way: None,
            gave_way: false,
            place,
        }
    }

    fn wait_for(&mut self, time: Duration) {
        self.until.as_mut().reset(Instant::now() + time);
    }

    /// Whether this connection is idle, and the one that gives its place to somebody who waits.
    fn poll_gives_way(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.gave_way {
            return Poll::Ready(());
        }
        if self.asked != Asked::Idle {
            return Poll::Pending;
        }
        let wanted = &self.place.wanted;
        let gives_way = self.gives_way.get_or_insert_with(|| {
            let wanted = Arc::clone(wanted);
            Box::pin(async move {
                match wanted.acquire_owned().await {
                    Ok(one) => one.forget(),
                    // Nobody closes it.
                    Err(_) => std::future::pending().await,
                }
            })
        });
        ready!(gives_way.as_mut().poll(context));
        self.gave_way = true;
        self.gives_way = None;
        Poll::Ready(())
    }
}

impl AsyncRead for Caller {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let caller = self.get_mut();
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut caller.stream).poll_read(context, buffer) {
            let bytes = buffer.filled().get(before..).unwrap_or_default();
            let asked = caller.asked.after(bytes);
            if !caller.asked.has_begun() && asked.has_begun() {
                caller.wait_for(FOR_HEAD);
                caller.gives_way = None;
            }
            caller.asked = asked;
            return Poll::Ready(read);
        }
        let is_over = match caller.asked {
            Asked::Whole => return Poll::Pending,
            _ => caller.until.as_mut().poll(context).is_ready(),
        };
        if !is_over {
            ready!(caller.poll_gives_way(context));
        }
        // As if whoever called had hung up.
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Caller {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let caller = self.get_mut();
        let written = Pin::new(&mut caller.stream).poll_write(context, bytes);
        if written.is_ready() || caller.asked != Asked::Answered {
            caller.asked = Asked::Answered;
            caller.gives_way = None;
            caller.wait_for(BETWEEN);
        }
        if written.is_pending() {
            ready!(caller.until.as_mut().poll(context));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let caller = self.get_mut();
        let flushed = ready!(Pin::new(&mut caller.stream).poll_flush(context));
        if caller.asked == Asked::Answered {
            caller.asked = Asked::Idle;
            // hyper reads again once it is woken, and nothing else would: it last read while the answer was being made,
            // when there was nothing to wait for but bytes.
            context.waker().wake_by_ref();
        }
        Poll::Ready(flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::timeout;

    use super::*;

    fn pair() -> (DuplexStream, Caller) {
        call(&Places::new(1))
    }

    /// Takes a place that is free.
    fn call(places: &Places) -> (DuplexStream, Caller) {
        let (client, stream) = duplex(1024);
        let place = places.take().now_or_never().expect("a place is free");
        (client, Caller::new(Box::new(stream), place))
    }

    async fn answer(caller: &mut Caller) {
        caller.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        caller.flush().await.unwrap();
    }

    /// Bytes read, and after how many seconds.
    async fn read(caller: &mut Caller) -> (usize, u64) {
        let begun = Instant::now();
        let mut buffer = [0; 256];
        let read = timeout(Duration::from_secs(1_000), caller.read(&mut buffer));
        let count = read.await.expect("it is let go").unwrap();
        (count, begun.elapsed().as_secs())
    }

    #[test]
    fn a_head_ends_with_an_empty_line() {
        let part = |has_text| Asked::Part { has_text };
        for (bytes, asked) in [
            ("", Asked::Nothing),
            ("\r\n", Asked::Nothing),
            ("GET", part(true)),
            ("GET / HTTP/1.1\r\n", part(false)),
            ("GET / HTTP/1.1\r\nHost: a\r\n\r", part(false)),
            ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Asked::Whole),
            ("GET / HTTP/1.1\n\nbody", Asked::Whole),
        ] {
            assert_eq!(Asked::Nothing.after(bytes.as_bytes()), asked, "{bytes:?}");
            let one_by_one = bytes
                .bytes()
                .fold(Asked::Nothing, |asked, byte| asked.after(&[byte]));
            assert_eq!(one_by_one, asked, "{bytes:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_no_whole_request_is_let_go() {
        let (_client, mut caller) = pair();
        assert_eq!(read(&mut caller).await, (0, 10));
        let (mut client, mut caller) = pair();
        client
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: ")
            .await
            .unwrap();
        assert_eq!(read(&mut caller).await, (29, 0));
        let slowly = async {
            for _ in 0..100 {
                sleep(Duration::from_secs(1)).await;
                let _ = client.write_all(b"x").await;
            }
        };
        let reads = async {
            let mut seconds = 0;
            loop {
                let (count, took) = read(&mut caller).await;
                seconds += took;
                if count == 0 {
                    break seconds;
                }
            }
        };
        tokio::select! {
            seconds = reads => assert_eq!(seconds, 10, "however it drips"),
            () = slowly => panic!("it is still read"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_gives_way_to_one_that_waits_and_nobody_else_does() {
        let places = Places::new(4);
        let [mut fresh, mut busy, mut idle, mut later] = [(); 4].map(|()| call(&places));
        busy.0.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert_eq!(read(&mut busy.1).await, (18, 0));
        answer(&mut idle.1).await;
        answer(&mut later.1).await;
        let short = Duration::from_millis(1);
        for caller in [&mut idle.1, &mut later.1] {
            assert!(
                timeout(short, caller.read_u8()).await.is_err(),
                "nobody waits"
            );
        }
        let mut waits = Box::pin(places.take());
        assert!(waits.as_mut().now_or_never().is_none(), "none is free");
        for caller in [&mut fresh.1, &mut busy.1, &mut later.1] {
            assert!(
                timeout(short, caller.read_u8()).await.is_err(),
                "not the one to go"
            );
        }
        for _ in 0..2 {
            assert_eq!(read(&mut idle.1).await, (0, 0), "and it stays so");
        }
        drop(idle);
        let taken = waits.await;
        // Whoever asks anew in that moment is answered first.
        let mut waits = Box::pin(places.take());
        assert!(waits.as_mut().now_or_never().is_none(), "none is free");
        later.0.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert_eq!(read(&mut later.1).await, (18, 0));
        answer(&mut later.1).await;
        assert_eq!(read(&mut later.1).await, (0, 0), "after its answer");
        drop(later);
        drop((waits.await, taken, fresh, busy));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_gives_way_to_one_that_waited_and_went() {
        let places = Places::new(1);
        let (_client, mut caller) = call(&places);
        assert!(places.take().now_or_never().is_none(), "none is free");
        answer(&mut caller).await;
        let short = Duration::from_millis(1);
        assert!(timeout(short, caller.read_u8()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_take_its_answer_is_let_go() {
        let (mut client, mut caller) = pair();
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert_eq!(read(&mut caller).await, (18, 0));
        sleep(Duration::from_secs(600)).await;
        let slowly = async {
            for _ in 0..3 {
                sleep(Duration::from_secs(80)).await;
                client.read_exact(&mut [0; 1024]).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(caller.write_all(&[0; 4 * 1024]), slowly);
        written.unwrap();
        let begun = Instant::now();
        let writes = timeout(Duration::from_secs(1_000), caller.write_all(b"x"));
        let problem = writes.await.expect("it is let go").unwrap_err();
        assert_eq!(problem.kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed().as_secs(), 90);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_take_its_time_and_the_next_request_too() {
        let (mut client, mut caller) = pair();
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert_eq!(read(&mut caller).await, (18, 0));
        let waits = timeout(Duration::from_secs(600), read(&mut caller)).await;
        assert!(waits.is_err(), "a probe is under way");
        caller.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        assert_eq!(read(&mut caller).await, (0, 90));
        // Once it has begun, it has as long as the first one.
        let (mut client, mut caller) = pair();
        caller.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        sleep(Duration::from_secs(85)).await;
        client.write_all(b"GET /").await.unwrap();
        assert_eq!(read(&mut caller).await, (5, 0));
        assert_eq!(read(&mut caller).await, (0, 10));
    }
}
