//! A thread for tasks, beside the one that waits for them.
//!
//! tokio's scheduler for many threads is not used: a screen or a watch wants one of them, and a list of URLs as many as
//! there are processors, each with probes of its own. Tasks that move from thread to thread give back memory of one
//! to the other; and for one power in its statistics that scheduler alone has the program load the library of
//! mathematics, half a megabyte.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;
use std::{io, thread};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

/// Runs the tasks that are spawned on it. Dropping it ends them, and is not waited for: a hung look-up of a name can't be
/// ended, and is left behind.
#[derive(Debug)]
pub struct TaskThread {
    handle: Handle,
    /// Closed when this is dropped.
    _open: oneshot::Sender<Infallible>,
}

impl TaskThread {
    /// Starts it. Its threads for files wait so long for more work, or as long as tokio has it.
    ///
    /// # Errors
    /// The system gives no thread, or no descriptors to wait with.
    pub fn start(kept: Option<Duration>) -> io::Result<Self> {
        let mut builder = Builder::new_current_thread();
        builder.enable_all();
        if let Some(kept) = kept {
            builder.thread_keep_alive(kept);
        }
        let runtime = builder.build()?;
        let handle = runtime.handle().clone();
        let driver = Driver(Some(runtime));
        let (open, closed) = oneshot::channel::<Infallible>();
        let named = thread::Builder::new().name("tasks".into());
        named.spawn(move || {
            if let Some(runtime) = &driver.0 {
                // An error is all that can come: the other end is gone.
                let _ = runtime.block_on(closed);
            }
            drop(driver);
        })?;
        Ok(Self {
            handle,
            _open: open,
        })
    }

    /// Where tasks are spawned.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs `future` on the calling thread to its end; what it spawns runs on this one.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.handle.block_on(future)
    }
}

/// A runtime that nobody waits for, wherever it is dropped. (Within a task tokio's own panics: so it would be where the
/// system gives no thread for it.)
struct Driver(Option<Runtime>);

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;

    use super::*;

    #[test]
    fn tasks_run_while_nobody_waits_for_them_and_end_with_it() {
        struct Told(std::sync::mpsc::Sender<&'static str>);
        impl Drop for Told {
            fn drop(&mut self) {
                let _ = self.0.send("dropped");
            }
        }
        let tasks = TaskThread::start(None).unwrap();
        let (told, heard) = std::sync::mpsc::channel();
        let ran = told.clone();
        tasks.handle().spawn(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            ran.send(thread::current().name().unwrap() == "tasks")
        });
        let held = std::sync::mpsc::channel();
        let told_at_end = Told(held.0);
        tasks.handle().spawn(async move {
            let _kept = told_at_end;
            std::future::pending::<()>().await;
        });
        assert_eq!(heard.recv(), Ok(true), "nobody waits in it");
        drop(told);
        let here = thread::current().id();
        let (waiter, spawned) = tasks.block_on(async {
            let mut spawned = JoinSet::new();
            spawned.spawn(async { thread::current().id() });
            (
                thread::current().id(),
                spawned.join_next().await.unwrap().unwrap(),
            )
        });
        assert_eq!(waiter, here);
        assert_ne!(spawned, here);
        drop(tasks);
        assert_eq!(held.1.recv(), Ok("dropped"));
    }
}
