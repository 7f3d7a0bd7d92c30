//! The dead part of a thread's stack: calls that have returned leave copies there of what they worked with,
//! which no allocator wipes: a block of a digest, a key that was moved from one variable to the next.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll};

/// How far down it is wiped, bytes: deeper than anything here calls with a secret in hand. Without
/// optimisation a copy stood 82 KiB below its task.
const DEPTH: usize = if cfg!(debug_assertions) { 256 } else { 64 } * 1024;

/// Overwrites what calls of this thread that have returned left behind. Takes microseconds.
#[inline(never)]
#[expect(
    clippy::large_stack_arrays,
    reason = "the stack itself is what is to be overwritten"
)]
pub fn wipe_dead_stack() {
    let dead = [0_u8; DEPTH];
    // As if somebody read it: so the zeros must really stand there.
    black_box(&dead);
}

/// Does `work`, then wipes what its calls left on the stack. What it gives back is its own to look after.
pub fn wiping<R>(work: impl FnOnce() -> R) -> R {
    let done = called(work);
    wipe_dead_stack();
    done
}

/// A call of its own: inlined, its variables would stand above what is wiped.
#[inline(never)]
fn called<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// A task after each of whose steps the stack is wiped.
#[derive(Debug)]
pub struct Wiping<F: ?Sized>(Pin<Box<F>>);

impl<F: Future> Wiping<F> {
    /// The same task.
    pub fn new(task: F) -> Self {
        Self(Box::pin(task))
    }
}

impl<F: Future + ?Sized> From<Pin<Box<F>>> for Wiping<F> {
    fn from(task: Pin<Box<F>>) -> Self {
        Self(task)
    }
}

impl<F: Future + ?Sized> Future for Wiping<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        wiping(|| self.0.as_mut().poll(context))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a call has its variables, and what stands in one of them: read again by a later call whose
    /// variables lie at the same place.
    #[inline(never)]
    fn leave_behind(text: &[u8; 32]) -> usize {
        let mut block = [0_u8; 4096];
        block[2048..2080].copy_from_slice(text);
        black_box(&block).as_ptr() as usize
    }

    /// What stands at `address` in this process's memory.
    fn in_memory(address: usize, length: usize) -> Vec<u8> {
        use std::os::unix::fs::FileExt;
        let memory = std::fs::File::open("/proc/self/mem").unwrap();
        let mut bytes = vec![0; length];
        memory.read_exact_at(&mut bytes, address as u64).unwrap();
        bytes
    }

    #[test]
    fn what_a_call_left_is_overwritten() {
        const TEXT: &[u8; 32] = b"planted on the stack, to be gone";
        let there = |address| {
            in_memory(address, 4096)
                .windows(32)
                .any(|part| part == TEXT)
        };
        let address = leave_behind(TEXT);
        assert!(there(address), "it looks in the wrong place");
        let address = wiping(|| leave_behind(TEXT));
        assert!(!there(address));
    }

    #[test]
    fn a_task_gives_what_it_gave() {
        let mut task = Wiping::new(async { 7 });
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert_eq!(Pin::new(&mut task).poll(&mut context), Poll::Ready(7));
    }
}
