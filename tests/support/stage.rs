//! The rehearsal services for tests that are not asynchronous themselves.

use switchboard::sim::{Log, Sim, SimSettings};

/// Services on a runtime of their own, raised one by one.
pub struct Stage {
    /// What runs there.
    pub sim: Sim,
    runtime: tokio::runtime::Runtime,
}

impl Stage {
    /// Nothing is open yet.
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let inside = runtime.enter();
        let sim = Sim::bare(SimSettings::default()).unwrap();
        drop(inside);
        Self { sim, runtime }
    }

    /// Raises something.
    pub fn raise<T>(&mut self, raise: impl FnOnce(&mut Sim) -> std::io::Result<T>) -> T {
        let _inside = self.runtime.enter();
        raise(&mut self.sim).unwrap()
    }

    /// The log, as soon as `test` holds for it.
    pub fn wait_for(&self, what: &str, test: impl FnMut(&Log) -> bool) -> Log {
        let limit = std::time::Duration::from_secs(60);
        let waited = self
            .runtime
            .block_on(async { tokio::time::timeout(limit, self.sim.wait_for(test)).await });
        waited.unwrap_or_else(|_| panic!("{what} did not come: {:?}", self.sim.log()))
    }
}
