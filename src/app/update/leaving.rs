//! Ways out of the screen that lead back: the demo, and an import that asks on the bare terminal. And the
//! ticket, which leaves by the clipboard.

use super::{Effects, Model};
use crate::app::effect::{ClipboardEffect, Effect, ScreenEnd, TerminalEffect};
use crate::app::keymap::Action;

impl Model {
    /// `D` and `I`. Nothing that was typed is lost on the way.
    pub(super) fn leave_for(&mut self, action: Action, out: &mut Effects) {
        if !self.banner.is_empty() {
            return self.complain("this is the demo: nothing is saved here");
        }
        if self.war_room {
            // What comes back knows nothing of it, and would show the names.
            return self.complain("the war-room would end there: leave it first");
        }
        if self.tokens.is_under_way() {
            return self.complain("it is under way: this can't be left half-way");
        }
        if self.holds_unsaved() {
            return self.complain("save or discard the draft first");
        }
        if action == Action::Demo {
            return self.end(ScreenEnd::Demo, out);
        }
        match self.refuses_changes() {
            Some(sentence) => self.complain(sentence),
            None => self.end(ScreenEnd::Import, out),
        }
    }

    /// Ctrl-Z, or its signal. Whoever comes back later may be somebody else.
    pub(super) fn suspend(&mut self, out: &mut Effects) {
        self.hide_secrets();
        out.push(Effect::Terminal(TerminalEffect::Suspend));
    }

    /// `S`: the ticket on what is shown, for whoever must act.
    pub(super) fn copy_ticket(&mut self, out: &mut Effects) {
        if self.war_room {
            return self.complain("nothing is copied in the war-room");
        }
        let name = self.list.selected.clone();
        let entry = name.as_ref().and_then(|name| self.entries.get(name));
        match (name, entry.and_then(|entry| entry.verdict.clone())) {
            (Some(name), Some(verdict)) if self.visible_form().is_none() => {
                out.push(Effect::Clipboard(ClipboardEffect::CopyTicket {
                    name,
                    verdict,
                }));
            }
            (Some(_), Some(_)) => self.complain(
                "a ticket is on what is saved, and the form is open: save it, or leave and drop it, first",
            ),
            _ => self.complain("there is no verdict on a saved connection to write a ticket on"),
        }
    }
}
