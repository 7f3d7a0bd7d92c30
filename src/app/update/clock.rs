//! What ends by itself: by the clock, also where that was set back, and where the store is found locked.

use jiff::{SignedDuration, Timestamp};

use crate::app::model::Model;

impl Model {
    /// The time is `now`. Where that is before the last message, the clock was set back, and every deadline
    /// moves with it: a handle must not stay in the open, nor a store unlocked, for as long as that was.
    /// (A leap forward needs nothing: what would be over is over.)
    pub(super) fn tell_time(&mut self, now: Timestamp) {
        let back = self.now.duration_since(now);
        if back > SignedDuration::ZERO {
            self.move_deadlines(back);
        }
        self.now = now;
    }

    /// The store is locked, whoever locked it: nothing stays in the open.
    pub(super) fn found_locked(&mut self) {
        self.lock.find_locked();
        self.hide_secrets();
    }

    /// Nothing stays in the open.
    pub(super) fn hide_secrets(&mut self) {
        self.revealed = None;
        if let Some(form) = &mut self.form {
            form.shown = None;
        }
    }

    fn move_deadlines(&mut self, back: SignedDuration) {
        let earlier = |time: Timestamp| time.checked_sub(back).unwrap_or(Timestamp::MIN);
        let form = self.form.as_mut();
        let (due, shown) = form.map_or((None, None), |form| {
            (
                form.due.as_mut(),
                form.shown.as_mut().map(|shown| &mut shown.until),
            )
        });
        let copied = self.copied.as_mut();
        let deadlines = [
            Some(&mut self.last_input),
            Some(&mut self.overlay_since),
            self.yes_from.as_mut(),
            self.answered.as_mut().map(|(_, at)| at),
            self.revealed.as_mut().map(|revealed| &mut revealed.until),
            self.notice.as_mut().map(|notice| &mut notice.until),
            copied.and_then(|copied| copied.clears_at.as_mut()),
            due,
            shown,
        ];
        let deadlines = deadlines.into_iter().flatten();
        let deadlines = deadlines.chain(self.tokens.deadline());
        for deadline in deadlines.chain(self.board.deadlines()) {
            *deadline = earlier(*deadline);
        }
    }
}
