//! Whoever calls: a connection on which nothing is asked in time is let go, so that half-sent requests take no
//! descriptor from the probes. axum has no such limit.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep};

/// For the head of a request, from its first byte on; also for the first request of a connection.
const FOR_HEAD: Duration = Duration::from_secs(10);
/// Until the next request is begun. Prometheus keeps connections open for minutes, and opens another one for nothing.
const BETWEEN: Duration = Duration::from_secs(90);

/// What comes in by either kind of listener: what serves it is there once.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection, and its place among those that may be open at once.
pub(super) struct Caller {
    stream: Box<dyn Stream>,
    asked: Asked,
    until: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

/// How far a request has come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// Nothing of the next one.
    Nothing,
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
                (other, b'\r') | (other @ Self::Nothing, b'\n') => other,
                (Self::Nothing | Self::Part { .. }, _) => Self::Part { has_text: true },
            };
        }
        asked
    }
}

impl Caller {
    /// Begins to wait for the first request.
    pub(super) fn new(stream: Box<dyn Stream>, place: OwnedSemaphorePermit) -> Self {
        Self {
            stream,
            asked: Asked::Nothing,
            until: Box::pin(sleep(FOR_HEAD)),
            _place: place,
        }
    }

    fn wait_for(&mut self, time: Duration) {
        self.until.as_mut().reset(Instant::now() + time);
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
            if caller.asked == Asked::Nothing && asked != Asked::Nothing {
                caller.wait_for(FOR_HEAD);
            }
            caller.asked = asked;
            return Poll::Ready(read);
        }
        if caller.asked != Asked::Whole {
            ready!(caller.until.as_mut().poll(context));
            // As if whoever called had hung up.
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }
}

impl AsyncWrite for Caller {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let caller = self.get_mut();
        let written = ready!(Pin::new(&mut caller.stream).poll_write(context, bytes));
        caller.asked = Asked::Nothing;
        caller.wait_for(BETWEEN);
        Poll::Ready(written)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::sync::Semaphore;
    use tokio::time::timeout;

    use super::*;

    fn pair() -> (DuplexStream, Caller) {
        let (client, stream) = duplex(1024);
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        (client, Caller::new(Box::new(stream), place))
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
