//! How often a frame is drawn that nobody asked for.
//!
//! What a person does is shown at once. What comes by itself (a thousand probes that answer) is shown at once as
//! well, a few times; after that ten times a second is as much as an eye follows and a slow line carries.

use std::time::Duration;

use tokio::time::Instant;

/// The time for one frame.
const EACH: Duration = Duration::from_millis(100);
/// So many come at once after a rest.
const AT_ONCE: u32 = 4;

/// When frames may be drawn.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Until when the frames of late have used the time up.
    used: Option<Instant>,
    /// Whether a frame was put off.
    owed: bool,
}

impl Pace {
    /// Whether a frame is drawn now; `asked` where a person waits for it.
    pub(super) fn allows(&mut self, asked: bool) -> bool {
        let now = Instant::now();
        let used = self.used.map_or(now, |used| used.max(now));
        self.owed = !asked && used > now + EACH * (AT_ONCE - 1);
        if !asked && !self.owed {
            self.used = Some(used + EACH);
        }
        !self.owed
    }

    /// Ends when the frame that was put off is due; never where none was.
    pub(super) async fn due(&self) {
        match self.used {
            Some(used) if self.owed => {
                tokio::time::sleep_until(used - EACH * (AT_ONCE - 1)).await;
            }
            _ => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ten_frames_a_second_and_the_last_state_is_shown() {
        let mut pace = Pace::default();
        let (began, mut drawn, mut shown) = (Instant::now(), 0, 0);
        for change in 1..=1_000 {
            tokio::time::sleep(Duration::from_millis(2)).await;
            if pace.allows(false) {
                drawn += 1;
                shown = change;
            }
        }
        assert!(drawn <= 20 + AT_ONCE, "{drawn} frames in two seconds");
        assert!(shown < 1_000);
        pace.due().await;
        assert!(pace.allows(false), "the last change");
        assert!(began.elapsed() < Duration::from_millis(2_200));
        let nothing = tokio::time::timeout(Duration::from_secs(3_600), pace.due());
        assert!(nothing.await.is_err(), "nothing is owed");
    }

    #[tokio::test(start_paused = true)]
    async fn a_person_never_waits() {
        let mut pace = Pace::default();
        for _ in 0..100 {
            pace.allows(false);
        }
        assert!(pace.allows(true));
    }
}
