//! What the system can do so that secrets in memory stay there: no core dumps, no tracing by others.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Switches core dumps off and makes `/proc/PID/mem` and `environ` unreadable for other processes of the same
/// user. Where the system does not allow it the program works all the same: `doctor` tells.
pub fn raise() {
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    );
}
