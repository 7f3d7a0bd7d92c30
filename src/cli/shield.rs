//! What the system can do so that secrets in memory stay there: no core dumps, no tracing by others.

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, dumpable_behavior, getrlimit, set_dumpable_behavior,
    setrlimit,
};

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

/// What [`raise`] could not switch off, a sentence each.
pub fn gaps() -> Vec<&'static str> {
    let mut gaps = Vec::new();
    if dumpable_behavior() != Ok(DumpableBehavior::NotDumpable) {
        gaps.push("other programs of this user can read this program's memory: this system lets nobody switch that off");
    }
    if getrlimit(Resource::Core).current != Some(0) {
        gaps.push("a crash can write secrets into a core dump: run `ulimit -c 0` before starting");
    }
    gaps
}
