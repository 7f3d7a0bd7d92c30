//! Renewals and rotations: asked for, told step by step, and gone on with where an earlier run did not end.

use tui_input::Input;

use super::super::{Effects, Model};
use crate::app::effect::{Effect, TokenCopy};
use crate::app::handles::RevealedHandle;
use crate::app::keymap::Action;
use crate::app::model::PendingUnlock;
use crate::app::tokens::exchange::TokenOperation;
use crate::app::tokens::sheet::{Confirm, Renewal, RenewalStage};
use crate::app::tokens::{
    TokenRow, TokenSheet, TokensEffect, TokensQuery, TokensRenewal, Trouble, TroubleKind,
};
use crate::domain::token::{Expiry, Guard, RenewalAction, RenewalStep, Renewed, parse_expiry};
use crate::domain::{Name, PassphrasePurpose};

impl Model {
    pub(super) fn open_renewal(
        &mut self,
        name: Name,
        id: String,
        row: &TokenRow,
        how: RenewalAction,
    ) {
        let end = match row.token.expires {
            Expiry::Never | Expiry::Unknown => "never",
            Expiry::At(_) => "365d",
        };
        let in_use = self.runs_on(&name, &id);
        self.tokens
            .sheets
            .push(TokenSheet::Renewal(Box::new(Renewal {
                name,
                id,
                label: row.label().to_owned(),
                how,
                expires: Input::new(end.to_owned()),
                problem: None,
                in_use,
                is_renewed: row.is_renewed,
                stage: RenewalStage::Asking,
                proven: false,
            })));
    }

    /// Enter where the end of the new secret is typed.
    pub(super) fn renewal_typed(&mut self, out: &mut Effects) {
        let now = self.now;
        let Some(TokenSheet::Renewal(renewal)) = self.tokens.sheets.last_mut() else {
            return;
        };
        if let Err(problem) = parse_expiry(renewal.expires.value(), now) {
            renewal.problem = Some(problem.to_string());
            return;
        }
        renewal.problem = None;
        if renewal.replaces() {
            let (name, id, label) = (
                renewal.name.clone(),
                renewal.id.clone(),
                renewal.label.clone(),
            );
            let doing = TokenOperation::from(renewal.how);
            return self.open_confirm(name, id, label, doing);
        }
        self.run_renewal(Guard::On, out);
    }

    pub(super) fn run_renewal(&mut self, guard: Guard, out: &mut Effects) {
        let (now, generation) = (self.now, self.tokens.next_generation());
        let Some(TokenSheet::Renewal(renewal)) = self.tokens.sheets.last_mut() else {
            return;
        };
        let Ok(expires) = parse_expiry(renewal.expires.value(), now) else {
            return;
        };
        renewal.stage = RenewalStage::Running {
            generation,
            reached: None,
        };
        renewal.proven = false;
        out.push(Effect::Tokens(TokensEffect::Renewal {
            generation,
            renewal: TokensRenewal::Start {
                name: renewal.name.clone(),
                id: renewal.id.clone(),
                how: renewal.how,
                expires,
                guard,
            },
        }));
    }

    /// Enter on a renewal that an earlier run has begun.
    pub(super) fn go_on(&mut self, out: &mut Effects) {
        if self.war_room {
            return self.complain("nothing is changed in the war-room");
        }
        let generation = self.tokens.next_generation();
        let Some(TokenSheet::Unfinished(sheet)) = self.tokens.sheets.last_mut() else {
            return;
        };
        if sheet.row >= sheet.list.len() {
            return;
        }
        let unfinished = sheet.list.remove(sheet.row);
        sheet.row = 0;
        if sheet.list.is_empty() {
            self.tokens.sheets.pop();
        }
        self.tokens
            .sheets
            .push(TokenSheet::Renewal(Box::new(Renewal {
                name: unfinished.connection.clone(),
                id: unfinished.id.clone(),
                label: unfinished.id.clone(),
                how: unfinished.action,
                expires: Input::default(),
                problem: None,
                in_use: unfinished.holders.clone(),
                is_renewed: false,
                stage: RenewalStage::Running {
                    generation,
                    reached: None,
                },
                proven: false,
            })));
        out.push(Effect::Tokens(TokensEffect::Renewal {
            generation,
            renewal: TokensRenewal::Resume(unfinished),
        }));
    }

    pub(super) fn step_reached(&mut self, number: u64, step: RenewalStep) {
        for sheet in self.tokens.all_sheets() {
            if let TokenSheet::Renewal(renewal) = sheet
                && let RenewalStage::Running {
                    generation,
                    reached,
                } = &mut renewal.stage
                && *generation == number
            {
                *reached = Some(step);
                // Where something else was ended first, the steps begin anew.
                renewal.proven &= step != RenewalStep::WrittenDown;
                renewal.proven |= step == RenewalStep::Proven;
            }
        }
    }

    /// A renewal or rotation has ended.
    pub(super) fn token_renewed(
        &mut self,
        number: u64,
        result: Result<Box<Renewed>, Trouble>,
        out: &mut Effects,
    ) {
        let waiting = self.tokens.all_sheets().find_map(|sheet| match sheet {
            TokenSheet::Renewal(renewal) => match renewal.stage {
                RenewalStage::Running {
                    generation,
                    reached,
                } if generation == number => Some((renewal, reached)),
                _ => None,
            },
            _ => None,
        });
        let Some((renewal, reached)) = waiting else {
            return;
        };
        let (name, id) = (renewal.name.clone(), renewal.id.clone());
        let doing = TokenOperation::from(renewal.how);
        match result {
            Ok(renewed) => {
                renewal.stage = RenewalStage::Done(*renewed);
                self.read_again(&name, &id, out);
            }
            Err(trouble) => {
                let label = renewal.label.clone();
                match &trouble.kind {
                    TroubleKind::InUse(names) => {
                        renewal.stage = RenewalStage::Asking;
                        renewal.in_use.clone_from(names);
                        let mut confirm = self.confirm(name, id, label, doing);
                        confirm.in_use.clone_from(names);
                        return self.ask_over_renewal(confirm);
                    }
                    TroubleKind::RenewedAlready => {
                        renewal.stage = RenewalStage::Asking;
                        renewal.is_renewed = true;
                        let confirm = self.confirm(name, id, label, doing);
                        return self.ask_over_renewal(confirm);
                    }
                    TroubleKind::Rejected
                    | TroubleKind::Forbidden(_)
                    | TroubleKind::Missing
                    | TroubleKind::Quiet(_)
                    | TroubleKind::Paused(_)
                    | TroubleKind::Failed
                    | TroubleKind::Unanswered
                    | TroubleKind::Unreadable
                    | TroubleKind::Unfinished
                    | TroubleKind::SecretLost
                    | TroubleKind::Uncertain
                    | TroubleKind::OnlySecret { .. }
                    | TroubleKind::Other => {}
                }
                renewal.stage = RenewalStage::Failed {
                    trouble: trouble.clone(),
                    reached,
                };
                self.close_action(&name, doing, &trouble);
            }
        }
    }

    /// The question lies over its renewal, wherever that lies: what the war-room has put aside comes back with it.
    fn ask_over_renewal(&mut self, confirm: Confirm) {
        let is_renewal = |sheet: &TokenSheet| matches!(sheet, TokenSheet::Renewal(_));
        let confirm = TokenSheet::Confirm(Box::new(confirm));
        if self.tokens.sheets.last().is_some_and(is_renewal) {
            self.tokens.sheets.push(confirm);
        } else {
            self.tokens.aside.push(confirm);
            self.say(
                "a renewal asks something before it goes on: it waits for the end of the war-room",
            );
        }
    }

    /// A renewal was held back: it can be asked for again, as it was typed.
    pub(super) fn renewal_not_sent(&mut self, number: u64, why: &str) {
        for sheet in self.tokens.all_sheets() {
            if let TokenSheet::Renewal(renewal) = sheet
                && matches!(renewal.stage, RenewalStage::Running { generation, .. } if generation == number)
            {
                renewal.stage = RenewalStage::Asking;
                renewal.problem = Some(why.to_owned());
            }
        }
    }

    /// The dates of a token have changed: where it is shown, it is read again.
    pub(super) fn read_again(&mut self, name: &Name, id: &str, out: &mut Effects) {
        let shown = self.tokens.all_sheets().any(|sheet| {
            matches!(sheet, TokenSheet::Details(details)
                if details.name == *name && details.row.id() == Some(id))
        });
        let listed = self.tokens.list.as_ref();
        let listed = listed.is_some_and(|list| list.name == *name && list.find(id).is_some());
        if shown || listed {
            let generation = self.tokens.next_generation();
            self.tokens.reading_again = Some(generation);
            out.push(Effect::Tokens(TokensEffect::Query {
                name: name.clone(),
                generation,
                query: TokensQuery::Token { id: id.to_owned() },
            }));
        }
    }

    /// What is on the sheet alone is shown and copied as what is kept would be: not while locked.
    pub(in crate::app::update) fn renewal_act(&mut self, action: Action, out: &mut Effects) {
        let Some(TokenSheet::Renewal(renewal)) = self.tokens.sheets.last() else {
            return;
        };
        let done = matches!(renewal.stage, RenewalStage::Done(_));
        let only = renewal.only_secret().map(|(handle, _)| handle.clone());
        let (name, id) = (renewal.name.clone(), renewal.id.clone());
        match (action, only) {
            (Action::Reveal | Action::Copy | Action::CopyAs, _) if self.war_room => {
                self.complain("nothing is shown or copied in the war-room");
            }
            (Action::Reveal | Action::Copy | Action::CopyAs, Some(_)) if self.lock.is_locked() => {
                self.waiting = Some(PendingUnlock::SheetSecret(action));
                self.open_passphrase(PassphrasePurpose::Open);
            }
            (Action::Reveal, Some(handle)) => {
                self.show_handle(name, RevealedHandle::Token(id), handle);
            }
            (Action::Copy | Action::CopyAs, Some(handle)) => {
                out.push(Effect::Tokens(TokensEffect::CopyHeld(handle)));
            }
            (Action::Copy | Action::CopyAs, None) if done => {
                let form = TokenCopy::Handle;
                out.push(Effect::Tokens(TokensEffect::Copy { name, id, form }));
            }
            (Action::Open, None) if done => self.close_sheet(),
            (Action::Back, _) => self.leave_sheet(),
            _ => {}
        }
    }
}
