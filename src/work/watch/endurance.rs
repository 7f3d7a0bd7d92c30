//! A day of watching under paused time, over connections that flap: nothing grows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::{Probe, Watch, WatchEvent, WatchSettings};
use crate::domain::{Connection, Name, Reason, ServiceId};
use crate::work::local::local_error;

const CONNECTIONS: usize = 40;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Up, down, refused, hanging: another one at every turn.
fn flapping() -> Probe {
    let turn = Arc::new(AtomicU64::new(0));
    Arc::new(move |connection: Arc<Connection>| {
        let turn = turn.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            let takes = [1, 40, 900, 29_000][usize::try_from(turn % 4).unwrap_or(0)];
            tokio::time::sleep(Duration::from_millis(takes)).await;
            assert!(
                turn == 0 || !turn.is_multiple_of(997),
                "a probe that panics now and then"
            );
            let reasons = [
                Reason::Connected,
                Reason::Refused,
                Reason::CredentialsRejected,
                Reason::ResponseTimeout,
                Reason::Connected,
            ];
            let Connection {
                name, service, url, ..
            } = &*connection;
            let mut verdict = local_error(Some(name), service, url, "");
            verdict.reason = reasons[usize::try_from(turn % 5).unwrap_or(0)];
            verdict
        })
    })
}

/// What must not grow: everything that the watch holds.
fn held(watch: &Watch) -> [usize; 5] {
    let Watch {
        entries,
        tasks,
        names,
        told,
        ..
    } = watch;
    let capacity = told.capacity().max(told.len());
    [
        entries.len(),
        tasks.len(),
        names.len(),
        told.len(),
        capacity,
    ]
}

#[tokio::test(start_paused = true)]
async fn a_day_of_flapping_leaves_nothing_behind() {
    let connections: Vec<_> = (0..CONNECTIONS)
        .map(|at| {
            let name = Name::parse(&format!("c{at}")).unwrap();
            let url = format!("https://h{}.example", at % 50);
            Connection::new(name, ServiceId::http(), &url)
        })
        .collect();
    let mut watch = Watch::new(flapping(), connections.clone(), WatchSettings::default());
    let runtime = tokio::runtime::Handle::current();
    let (began, mut finished, mut changes) = (Instant::now(), 0_usize, 0_usize);
    let mut most = [[0; 5]; 2];
    let mut tasks = [0; 2];
    let mut reloads = 0;
    while began.elapsed() < DAY {
        if let WatchEvent::Finished { change, .. } = watch.next().await {
            finished += 1;
            changes += usize::from(change.is_some());
        }
        // The configuration is saved anew every hour, and once in a while half of it is gone.
        if began.elapsed() > HOUR * (reloads + 1) {
            reloads += 1;
            let kept = if reloads.is_multiple_of(3) {
                CONNECTIONS / 2
            } else {
                CONNECTIONS
            };
            watch.replace(connections.iter().take(kept).cloned().collect());
        }
        let half = usize::from(began.elapsed() > DAY / 2);
        for (most, now) in most[half].iter_mut().zip(held(&watch)) {
            *most = (*most).max(now);
        }
        tasks[half] = tasks[half].max(runtime.metrics().num_alive_tasks());
    }
    assert!(finished > CONNECTIONS * 600, "{finished} probes in a day");
    assert!(changes > 200, "{changes} changes were told");
    assert!(most[1][1] <= 64 && tasks[1] <= 64 + 2, "{most:?} {tasks:?}");
    for (first, second) in most[0].into_iter().zip(most[1]) {
        assert!(second <= first.max(8) * 2, "it grows: {most:?}");
    }
}
