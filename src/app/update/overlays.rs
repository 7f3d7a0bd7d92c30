//! What lies over the panes: help, palette, questions, choices. Each takes all keys while it is open.

use crossterm::event::KeyCode;
use jiff::{SignedDuration, Timestamp};

use super::{Effects, Model, after, editing_request};
use crate::app::effect::ScreenEnd;
use crate::app::hints;
use crate::app::keymap::{Action, HelpGroup, KeyPress};
use crate::app::model::{OpenForm, Overlay, Question};
use crate::app::screen::LEAST;
use crate::app::tokens::TokenSheet;
use crate::app::watching::WatchingEffect;
use crate::service::Trigger;

/// A question that nobody asked for takes an answer after a rest: what is typed ahead is none. So long have no keys to
/// come since it stands there, over a line that takes its time to show it too.
const REST: SignedDuration = SignedDuration::from_secs(1);

const TOO_SOON: &str = "that came too soon to be an answer: once more, please";

const TOO_SOON_BEHIND: &str = "that came too soon behind the answer: wait a second, then once more";

/// No yes comes so soon behind another key, the one that opened the question too: those are letters of a text that came
/// as keys, each maybe by itself.
const BETWEEN_LETTERS: SignedDuration = SignedDuration::from_millis(200);

impl Model {
    /// What is to be seen now stood before its reader at `now`: a question can be read from then on.
    pub fn drawn(&mut self, now: Timestamp) {
        if self.is_too_small() {
            // A question is not to be seen there.
            self.yes_from = None;
        } else if self.yes_from.is_none() {
            self.yes_from = Some(after(now, BETWEEN_LETTERS));
            if self.is_asking() {
                self.overlay_since = self.overlay_since.max(now);
            }
        }
    }

    /// The number of the question that stands here and was not seen yet; nothing where none must be.
    pub fn unseen(&self) -> Option<u32> {
        let is_unseen = self.yes_from.is_none() && self.is_asking() && !self.is_too_small();
        is_unseen.then_some(self.questions)
    }

    fn is_asking(&self) -> bool {
        let confirms = matches!(self.overlay, Some(Overlay::Confirm(_)));
        confirms || matches!(self.tokens.sheets.last(), Some(TokenSheet::Wizard(_)))
    }

    fn is_too_small(&self) -> bool {
        self.size.0 < LEAST.0 || self.size.1 < LEAST.1
    }

    /// Something stands here that must be seen before it is answered.
    pub(super) fn is_to_be_seen(&mut self) {
        self.questions = self.questions.wrapping_add(1);
        self.yes_from = None;
    }

    /// Another key came: the rest begins anew, where the question has been seen.
    fn rest_anew(&mut self) {
        if let Some(from) = &mut self.yes_from {
            *from = after(self.now, BETWEEN_LETTERS);
        }
    }

    pub(in crate::app) fn open_overlay(&mut self, overlay: Overlay) {
        // What was said before is no part of it, and would stand where its keys are named; what this key has just done is.
        let just_now = after(self.now, super::NOTICE);
        self.notice.take_if(|notice| notice.until < just_now);
        self.overlay = Some(overlay);
        self.overlay_since = self.now;
        self.is_to_be_seen();
    }

    pub(in crate::app) fn ask(&mut self, question: Question) {
        self.open_overlay(Overlay::Confirm(question));
    }

    /// Whether `press` locks although something lies over the panes; where letters type, with Alt alone. A question
    /// takes its keys itself: one that nobody asked for may have come between two letters.
    pub(super) fn locks_over_what_is_open(&self, press: KeyPress) -> bool {
        match &self.overlay {
            None | Some(Overlay::Confirm(_)) => false,
            Some(overlay) => self.locks(press, overlay.types()),
        }
    }

    pub(super) fn locks(&self, press: KeyPress, types: bool) -> bool {
        let lock = Some(Action::Lock);
        self.keymap.in_fields(press) == lock || (!types && self.keymap.in_lists(press) == lock)
    }

    /// Locks, with what lies over the panes put away. Whoever is asked for an answer or a secret does not mean to
    /// unlock by it.
    pub(super) fn lock_over_what_is_open(&mut self, out: &mut Effects) {
        match &self.overlay {
            Some(Overlay::Confirm(_)) => self.put_question_away(out),
            // They are parts of something that waits for them.
            Some(Overlay::Passphrase(_) | Overlay::ChooseStore { .. }) => self.dialog_cancelled(),
            Some(Overlay::AddToken(_)) => {}
            None
            | Some(
                Overlay::Help { .. }
                | Overlay::Palette { .. }
                | Overlay::CopyAs { .. }
                | Overlay::SharedToken(_)
                | Overlay::Watching(_),
            ) => {
                self.overlay = None;
                return self.act(Action::Lock, out);
            }
        }
        self.lock_by_hand(out);
    }

    /// A question that is open is answered with no.
    pub(super) fn put_question_away(&mut self, out: &mut Effects) {
        if let Some(Overlay::Confirm(question)) = &self.overlay {
            let question = question.clone();
            self.overlay = None;
            self.declined(&question, out);
        }
    }

    pub(super) fn overlay_key(&mut self, press: KeyPress, out: &mut Effects) {
        match &self.overlay {
            Some(Overlay::Help { .. }) => self.help_key(press),
            Some(Overlay::Palette { .. }) => self.palette_key(press, out),
            Some(Overlay::Confirm(question)) => {
                let question = question.clone();
                self.confirm_key(press, question, out);
            }
            Some(Overlay::ChooseStore { .. }) => self.store_key(press, out),
            Some(Overlay::CopyAs { .. }) => self.copy_as_key(press, out),
            Some(Overlay::Passphrase(_)) => self.passphrase_key(press, out),
            Some(Overlay::AddToken(_)) => self.add_token_key(press, out),
            Some(Overlay::SharedToken(_)) => self.shared_token_key(press, out),
            Some(Overlay::Watching(_)) => self.watching_key(press, out),
            None => {}
        }
    }

    /// What scrolls can begin with the line `last` at most.
    pub(super) fn measured(&mut self, last: u16) {
        self.last_line = Some(last);
        if let Some(scroll) = self.overlay_scroll() {
            *scroll = last.min(*scroll);
        } else if self.overlay.is_none() {
            self.response_scroll = last.min(self.response_scroll);
        }
    }

    /// First line shown of the overlay, where it scrolls.
    fn overlay_scroll(&mut self) -> Option<&mut u16> {
        match &mut self.overlay {
            Some(Overlay::Help { scroll }) => Some(scroll),
            Some(Overlay::SharedToken(sheet)) => Some(&mut sheet.scroll),
            None
            | Some(
                Overlay::Palette { .. }
                | Overlay::Confirm(_)
                | Overlay::ChooseStore { .. }
                | Overlay::Passphrase(_)
                | Overlay::CopyAs { .. }
                | Overlay::AddToken(_)
                | Overlay::Watching(_),
            ) => None,
        }
    }

    /// Scrolls the overlay by the keys that move in lists, whatever they were remapped to.
    pub(super) fn scroll_overlay(&mut self, press: KeyPress) {
        let page = isize::try_from(self.size.1.saturating_sub(6).max(1)).unwrap_or(1);
        let rows = match self.keymap.in_lists(press) {
            Some(Action::Up) => -1,
            Some(Action::Down) => 1,
            Some(Action::PageUp) => -page,
            Some(Action::PageDown) => page,
            Some(Action::First) => isize::MIN,
            Some(Action::Last) => isize::MAX,
            _ if press.code == KeyCode::Char(' ') => page,
            _ => 0,
        };
        self.move_overlay(rows);
    }

    /// Scrolls the overlay by so many lines, not beyond its end.
    pub(super) fn move_overlay(&mut self, rows: isize) {
        let last = usize::from(self.last_line.unwrap_or(u16::MAX));
        if let Some(scroll) = self.overlay_scroll() {
            let line = usize::from(*scroll).saturating_add_signed(rows).min(last);
            *scroll = u16::try_from(line).unwrap_or(u16::MAX);
        }
    }

    fn help_key(&mut self, press: KeyPress) {
        let moves = self.keymap.in_lists(press);
        let moves = moves.is_some_and(|action| action.row().group == HelpGroup::Move);
        let closes = matches!(press.code, KeyCode::Esc | KeyCode::Enter | KeyCode::Tab);
        if (moves && !closes) || press.code == KeyCode::Char(' ') {
            self.scroll_overlay(press);
        } else {
            self.overlay = None;
        }
    }

    fn palette_key(&mut self, press: KeyPress, out: &mut Effects) {
        let Some(Overlay::Palette { input, row }) = &mut self.overlay else {
            return;
        };
        let (typed, at) = (input.value().to_owned(), *row);
        let rows = hints::palette(self, &typed);
        let last = rows.len().saturating_sub(1);
        let chosen = rows.get(at.min(last)).map(|(_, row)| row.action);
        match self.keymap.in_fields(press) {
            Some(Action::FieldUp) => return self.set_row(at.saturating_sub(1)),
            Some(Action::FieldDown) => return self.set_row((at + 1).min(last)),
            _ => {}
        }
        match press.code {
            KeyCode::Esc => self.overlay = None,
            KeyCode::Enter => {
                if let Some(action) = chosen {
                    self.overlay = None;
                    self.act_by_name(action, out);
                }
            }
            KeyCode::Tab => self.set_row((at + 1).min(last)),
            _ => self.type_in_palette(press),
        }
    }

    /// What means nothing over a sheet is said, not passed over: whoever names an action waits for it.
    fn act_by_name(&mut self, action: Action, out: &mut Effects) {
        use Action::{
            Back, Copy, CopyAs, Delete, Edit, Filter, Leave, LoadTokens, RenewToken, Reveal,
            RotateToken, SwitchToken,
        };
        let of_sheets = [
            Reveal,
            Copy,
            CopyAs,
            Edit,
            Delete,
            Filter,
            LoadTokens,
            SwitchToken,
            RenewToken,
            RotateToken,
        ];
        let works = action.is_of_the_screen() || of_sheets.contains(&action);
        if self.tokens.sheet().is_some() && !works {
            let types = self.tokens.takes_text();
            let back = self.keymap.list_key(if types { Leave } else { Back });
            let back = back.unwrap_or_default();
            return self.complain(format!(
                "{back} leads back first: that works on what lies below"
            ));
        }
        self.act(action, out);
    }

    fn set_row(&mut self, to: usize) {
        if let Some(
            Overlay::Palette { row, .. }
            | Overlay::ChooseStore { row, .. }
            | Overlay::CopyAs { row, .. },
        ) = &mut self.overlay
        {
            *row = to;
        }
    }

    fn type_in_palette(&mut self, press: KeyPress) {
        if let (Some(request), Some(Overlay::Palette { input, row })) =
            (editing_request(press), &mut self.overlay)
            && input.handle(request).is_some_and(|changed| changed.value)
        {
            *row = 0;
        }
    }

    /// Whether `press` is the key that has just answered a question, once more: that row is gone, or the question is
    /// another one. A key that is held comes again after less than [`REST`], and then faster. Where letters type, no more
    /// than one that bounces is kept out. It is said: somebody may have meant it.
    pub(super) fn repeats_answer(&mut self, press: KeyPress) -> bool {
        let Some((answer, at)) = self.answered.take() else {
            return false;
        };
        let rest = if self.letters_type() {
            BETWEEN_LETTERS
        } else {
            REST
        };
        let repeats = press == answer && self.now.duration_since(at) < rest;
        if repeats {
            let asks = matches!(self.overlay, Some(Overlay::Confirm(_)));
            self.answered = Some((press, if asks { at } else { self.now }));
            if asks {
                // Its own rest keeps out what is held.
                self.rest_anew();
                self.say(TOO_SOON);
            } else if self.notice.as_ref().is_none_or(|notice| !notice.error) {
                self.say(TOO_SOON_BEHIND);
            }
        }
        repeats
    }

    fn confirm_key(&mut self, press: KeyPress, question: Question, out: &mut Effects) {
        let unexpected = matches!(question, Question::SendKeyTo(_));
        // A letter may have been typed for a field.
        if unexpected && self.locks(press, true) {
            return self.lock_over_what_is_open(out);
        }
        if unexpected && self.comes_too_soon(answers(press)) {
            return;
        }
        match press.code {
            KeyCode::Char('y' | 'Y')
                if press.types() && self.yes_from.is_some_and(|from| from <= self.now) =>
            {
                self.overlay = None;
                self.answered = Some((press, self.now));
                self.confirmed(question, out);
            }
            KeyCode::Char('n' | 'N') => {
                self.answered = Some((press, self.now));
                self.put_question_away(out);
            }
            KeyCode::Esc => self.put_question_away(out),
            KeyCode::Char('y' | 'Y') if press.types() => {
                if self.yes_from.is_none() {
                    // Where the answer that it was seen was lost, one comes to this.
                    self.is_to_be_seen();
                }
                self.rest_anew();
                self.say(TOO_SOON);
            }
            _ if question != Question::LockLosesSecrets && self.locks(press, false) => {
                self.lock_over_what_is_open(out);
            }
            _ => self.rest_anew(),
        }
    }

    /// Whether a key was pressed before anybody can have read what it answers; said where it is an answer.
    pub(super) fn comes_too_soon(&mut self, is_answer: bool) -> bool {
        let is_unseen = self.yes_from.is_none();
        let too_soon = is_unseen || self.now.duration_since(self.overlay_since) < REST;
        if is_unseen && is_answer {
            self.is_to_be_seen();
        }
        if too_soon {
            self.overlay_since = self.now;
            if is_answer {
                self.say(TOO_SOON);
            }
        }
        too_soon
    }

    fn confirmed(&mut self, question: Question, out: &mut Effects) {
        use crate::app::effect::{Effect, StoreEffect};
        match question {
            Question::Remove(name) => {
                self.removing = Some(name.clone());
                out.push(Effect::Store(StoreEffect::Remove(name)));
            }
            Question::RemoveToken { name, label } => {
                out.push(Effect::Store(StoreEffect::RemoveToken { name, label }));
            }
            Question::SaveAllTheSame => self.save_all_the_same(out),
            Question::SaveOver(fields) => self.save_over(&fields, out),
            Question::LoseDraft => {
                let wanted = self.next_form.take().unwrap_or(OpenForm::Nothing);
                self.open_now(wanted, out);
            }
            Question::QuitUnsaved | Question::QuitUnderWay => self.end(ScreenEnd::Quit, out),
            Question::LoseToken => self.adding = None,
            Question::SendKeyTo(_) => self.key_answered(true, out),
            Question::Bisect(name) => self.probe_saved(&name, Trigger::Bisect, out),
            Question::BisectDraft => self.probe_draft(Trigger::Bisect, out),
            Question::LockLosesSecrets => self.lock_now(out),
            Question::PauseAll(_, names, pauses) => {
                let set = WatchingEffect::SetAllPaused(names, pauses);
                out.push(Effect::Watching(set));
            }
            Question::LeaveSheet => self.close_sheet(),
        }
    }

    fn declined(&mut self, question: &Question, out: &mut Effects) {
        match question {
            Question::SendKeyTo(_) => self.key_answered(false, out),
            Question::LoseDraft => self.next_form = None,
            Question::QuitUnsaved
            | Question::QuitUnderWay
            | Question::LoseToken
            | Question::LockLosesSecrets => {
                self.overlay = self.adding.take().map(Overlay::AddToken);
            }
            Question::Remove(_)
            | Question::RemoveToken { .. }
            | Question::SaveAllTheSame
            | Question::SaveOver(_)
            | Question::Bisect(_)
            | Question::BisectDraft
            | Question::PauseAll(..)
            | Question::LeaveSheet => {}
        }
    }

    fn store_key(&mut self, press: KeyPress, out: &mut Effects) {
        let Some(Overlay::ChooseStore { offers, row }) = &self.overlay else {
            return;
        };
        let (at, count) = (*row, offers.len());
        match press.code {
            KeyCode::Esc => self.dialog_cancelled(),
            KeyCode::Enter => {
                if let Some(offer) = offers.get(at).cloned() {
                    self.store_chosen(&offer, out);
                }
            }
            _ => self.choose(press, at, count),
        }
    }

    /// Another row of `count` by the keys that move in lists.
    fn choose(&mut self, press: KeyPress, at: usize, count: usize) {
        let last = count.saturating_sub(1);
        match self.keymap.in_lists(press) {
            Some(Action::Up) => self.set_row(at.saturating_sub(1)),
            Some(Action::Down) => self.set_row((at + 1).min(last)),
            Some(Action::First) => self.set_row(0),
            Some(Action::Last) => self.set_row(last),
            _ if press.code == KeyCode::Tab => self.set_row((at + 1).min(last)),
            _ => {}
        }
    }

    fn copy_as_key(&mut self, press: KeyPress, out: &mut Effects) {
        let Some(Overlay::CopyAs { row, of }) = &self.overlay else {
            return;
        };
        let (at, choices) = (*row, of.choices().len());
        match press.code {
            KeyCode::Esc => self.overlay = None,
            KeyCode::Enter => self.copy_chosen(at, out),
            _ => self.choose(press, at, choices),
        }
    }
}

/// Whether the key answers a question.
fn answers(press: KeyPress) -> bool {
    matches!(
        press.code,
        KeyCode::Char('y' | 'Y' | 'n' | 'N') | KeyCode::Esc
    )
}
