//! What came of what was asked: taken in where it is still waited for, dropped otherwise.

use super::super::{Effects, Model};
use crate::app::filter::misread_of_tokens;
use crate::app::model::PendingUnlock;
use crate::app::notice::About;
use crate::app::tokens::account::{AskedPage, LastUse, LookUp};
use crate::app::tokens::exchange::{Changed, Made, RowPage, TokenOperation};
use crate::app::tokens::sheet::{Ending, Ends};
use crate::app::tokens::wizard::WizardOutcome;
use crate::app::tokens::{
    ChangeAnswer, Fetch, TokenRow, TokenSheet, TokensAnswer, TokensEffect, TokensMessage,
    TokensRenewal, Trouble, TroubleKind,
};
use crate::domain::{Name, PassphrasePurpose};

impl Model {
    /// Takes in an answer about tokens.
    pub(in crate::app::update) fn tokens_answered(
        &mut self,
        message: TokensMessage,
        out: &mut Effects,
    ) {
        match message {
            TokensMessage::Answered { generation, answer } => {
                self.query_answered(generation, answer);
            }
            TokensMessage::ChangeAnswered { generation, answer } => match answer {
                ChangeAnswer::Created(made) => self.token_made(generation, made),
                ChangeAnswer::Edited(edited) => self.token_edited(generation, edited, out),
                ChangeAnswer::Switched(row) => self.token_switched(generation, row, out),
            },
            TokensMessage::StepReached { generation, step } => self.step_reached(generation, step),
            TokensMessage::Renewed { generation, result } => {
                self.token_renewed(generation, result, out);
            }
            TokensMessage::Revealed { name, id, result } => self.token_revealed(name, id, result),
            TokensMessage::UnfinishedFound(list) => self.unfinished_found(list),
            TokensMessage::CertificatesFound(found) => self.certificates_found(found),
            TokensMessage::PassphraseNeeded(kind, effect) => {
                self.tokens_need_passphrase(kind, effect);
            }
        }
    }

    fn query_answered(&mut self, generation: u64, answer: TokensAnswer) {
        match answer {
            TokensAnswer::Page { offset, page } => self.page_loaded(generation, offset, page),
            TokensAnswer::LastUse(last_used) => self.use_looked_up(generation, last_used),
            TokensAnswer::Token(row) => self.token_read(generation, row),
            TokensAnswer::Usage(usage) => {
                for sheet in self.tokens.all_sheets() {
                    if let TokenSheet::Details(details) = sheet {
                        details.usage.take(generation, usage.clone());
                    }
                }
            }
            TokensAnswer::Extensions(extensions) => {
                if let Some(wizard) = self.wizard() {
                    wizard.extensions.take(generation, extensions);
                }
            }
            TokensAnswer::Modules(modules) => {
                if let Some(wizard) = self.wizard() {
                    wizard.modules.take(generation, modules);
                }
            }
            TokensAnswer::Endings { name, rows } => self.endings_found(generation, &name, rows),
        }
    }

    fn page_loaded(&mut self, generation: u64, offset: u64, page: Result<RowPage, Trouble>) {
        let seen = self.seen_tokens();
        let war_room = self.war_room;
        self.want_token();
        let Some(list) = &mut self.tokens.list else {
            return;
        };
        if list.loading != Some(AskedPage { generation, offset }) {
            return;
        }
        match page {
            Ok(page) => {
                if war_room {
                    for row in &page.rows {
                        self.disguise.learn_token(&row.token);
                    }
                }
                list.take(offset, page, seen);
                let place = list.take_wanted();
                let is_empty = list.length() == 0;
                let misread = misread_of_tokens(&list.listing.filter).filter(|_| is_empty);
                self.token_is_at(place);
                if let Some(why) = misread {
                    self.complain_about(About::Filter, why);
                }
            }
            Err(trouble) => {
                list.loading = None;
                list.trouble = Some(trouble);
            }
        }
    }

    fn use_looked_up(&mut self, generation: u64, last_used: Result<LastUse, Trouble>) {
        let Some(list) = &mut self.tokens.list else {
            return;
        };
        let waiting = list
            .looking_up
            .take_if(|asked| asked.generation == generation);
        if let Some(LookUp { id, .. }) = waiting {
            match last_used {
                Ok(last_used) => list.note_use(&id, last_used),
                Err(trouble) => {
                    list.note_use(&id, LastUse::NotTold);
                    list.trouble = Some(trouble);
                }
            }
        }
    }

    fn token_read(&mut self, generation: u64, row: Result<Box<TokenRow>, Trouble>) {
        let again = self.tokens.reading_again == Some(generation);
        let mut name = None;
        for sheet in self.tokens.all_sheets() {
            if let TokenSheet::Details(details) = sheet {
                let answer = row.as_ref().map(|_| ()).map_err(Trouble::clone);
                if details.reading.take(generation, answer) || again {
                    if again {
                        // An older reading was ended by this one.
                        details.reading = Fetch::Not;
                    }
                    name = Some(details.name.clone());
                    break;
                }
            }
        }
        if again {
            self.tokens.reading_again = None;
            name = name.or_else(|| self.tokens.list.as_ref().map(|list| list.name.clone()));
        }
        if let (Some(name), Ok(row)) = (name, row) {
            self.token_is(&name, &row);
        }
    }

    fn token_made(&mut self, generation: u64, made: Result<Box<Made>, Trouble>) {
        let Some(wizard) = self.wizard() else {
            return;
        };
        let name = wizard.name.clone();
        let trouble = made.as_ref().err().cloned();
        let outcome = made.map(|made| WizardOutcome::Made(*made));
        if !wizard.outcome.take(generation, outcome) {
            return;
        }
        let Some(trouble) = trouble else {
            return self.made_well(&name);
        };
        if trouble.kind == TroubleKind::Uncertain {
            // The list shows whether it is there.
            self.reload_tokens(&name);
        }
        self.close_action(&name, TokenOperation::Create, &trouble);
    }

    /// The token of the wizard exists, with all its modules or without some.
    fn made_well(&mut self, name: &Name) {
        let Some(wizard) = self.wizard() else {
            return;
        };
        let id = wizard.made_id().map(str::to_owned);
        let whole = matches!(wizard.outcome.here(),
            Some(WizardOutcome::Made(made)) if made.trouble.is_none());
        // The sheet says it, and its footer names what can be done now.
        let is_shown = matches!(self.tokens.sheets.last(), Some(TokenSheet::Wizard(_)));
        if whole && !is_shown {
            self.say("the token is created");
        }
        if let Some(list) = self.tokens.list.as_mut().filter(|list| list.name == *name) {
            list.wanted.extend(id);
        }
        self.reload_tokens(name);
    }

    fn token_edited(
        &mut self,
        generation: u64,
        edited: Result<Box<Changed>, Trouble>,
        out: &mut Effects,
    ) {
        let Some(wizard) = self.wizard() else {
            return;
        };
        if wizard.outcome != Fetch::Loading(generation) {
            return;
        }
        let name = wizard.name.clone();
        let editing = wizard.editing.as_ref();
        let id = editing.and_then(|row| row.token.id.clone());
        let outcome = WizardOutcome::after(wizard.before.take(), edited);
        wizard.outcome.take(generation, outcome.clone());
        match outcome {
            Err(trouble) => {
                if trouble.kind == TroubleKind::Uncertain {
                    self.read_again(&name, &id.unwrap_or_default(), out);
                }
                self.edit_refused(name, trouble);
            }
            Ok(WizardOutcome::Made(_)) => self.made_well(&name),
            Ok(WizardOutcome::Changed(changed)) => {
                match changed.row {
                    Some(row) => self.token_is(&name, &row),
                    None => self.reload_tokens(&name),
                }
                match changed.trouble {
                    // What was agreed to was done in part; others run on it by now.
                    Some(trouble) if matches!(trouble.kind, TroubleKind::InUse(_)) => {
                        self.edit_refused(name, trouble);
                    }
                    Some(_) => {}
                    None => {
                        let is_open = |sheet: &TokenSheet| !matches!(sheet, TokenSheet::Wizard(_));
                        self.tokens.sheets.retain(is_open);
                        self.tokens.aside.retain(is_open);
                        self.say("the token is changed");
                    }
                }
            }
        }
    }

    /// Other connections run on it than this screen knew of: then their names are typed, too.
    fn edit_refused(&mut self, name: Name, trouble: Trouble) {
        let token = self.wizard().and_then(|wizard| {
            let row = wizard.editing.as_ref()?;
            Some((row.token.id.clone()?, row.label().to_owned()))
        });
        let on_top = matches!(self.tokens.sheets.last(), Some(TokenSheet::Wizard(_)));
        if let (TroubleKind::InUse(names), Some((id, label)), true) = (&trouble.kind, token, on_top)
        {
            self.open_confirm(name, id, label, TokenOperation::Edit);
            if let Some(TokenSheet::Confirm(confirm)) = self.tokens.sheets.last_mut() {
                confirm.in_use.clone_from(names);
            }
            if let Some(wizard) = self.wizard()
                && wizard.outcome.here().is_none()
            {
                wizard.outcome = Fetch::Not;
            }
            return;
        }
        self.close_action(&name, TokenOperation::Edit, &trouble);
    }

    fn endings_found(&mut self, generation: u64, of: &Name, rows: Result<Vec<TokenRow>, Trouble>) {
        let own = self
            .entries
            .get(of)
            .map(|entry| entry.connection.username.clone());
        for sheet in self.tokens.all_sheets() {
            let TokenSheet::ExpiryHorizon(horizon) = sheet else {
                continue;
            };
            let answer = rows.as_ref().map(|_| ()).map_err(Trouble::clone);
            let mut asked = horizon.asked.iter_mut();
            let fetch = asked.find_map(|(name, fetch)| (name == of).then_some(fetch));
            if fetch.is_some_and(|fetch| fetch.take(generation, answer))
                && let Ok(rows) = &rows
            {
                let own = own.as_deref().unwrap_or_default().trim();
                horizon.note_tokens(of, own, rows, self.now);
            }
        }
        if self.war_room {
            for row in rows.iter().flatten() {
                self.disguise.learn_token(&row.token);
            }
        }
    }

    fn certificates_found(&mut self, found: Result<Vec<Ending>, Trouble>) {
        let found = match found {
            Ok(found) => found,
            Err(trouble) => {
                let text = trouble.text;
                self.complain(format!("certificates seen earlier can't be read: {text}"));
                return;
            }
        };
        for sheet in self.tokens.all_sheets() {
            let TokenSheet::ExpiryHorizon(horizon) = sheet else {
                continue;
            };
            for ending in &found {
                // What was seen in this session is newer.
                let known = horizon.endings.iter().any(|known| {
                    known.connection == ending.connection
                        && matches!(known.what, Ends::Certificate { .. })
                });
                if !known {
                    horizon.note(ending.clone());
                }
            }
        }
    }

    /// The vault is needed: what was asked for goes on once it is open.
    fn tokens_need_passphrase(&mut self, kind: PassphrasePurpose, effect: Box<TokensEffect>) {
        if kind == PassphrasePurpose::Open {
            self.lock.find_locked();
        }
        // Somebody else's dialog is not taken away.
        if self.overlay.is_some() {
            return self.tokens_not_sent(*effect);
        }
        self.waiting = Some(PendingUnlock::Tokens(effect));
        self.open_passphrase(kind);
    }

    /// Nobody opens the vault for `effect`. What only reads has not come, and what would have changed something was
    /// never sent: it can be asked for again.
    pub(in crate::app::update) fn tokens_not_sent(&mut self, effect: TokensEffect) {
        self.tokens_give_up("the vault is locked");
        if !effect.is_change() {
            return;
        }
        let text = "nothing was sent: the vault is locked".to_owned();
        if let TokensEffect::Renewal {
            generation,
            renewal: TokensRenewal::Start { .. },
        } = &effect
        {
            return self.renewal_not_sent(*generation, &text);
        }
        let trouble = Trouble {
            text,
            kind: TroubleKind::Other,
        };
        if let Some(answer) = effect.failed(trouble) {
            // (What was never sent asks for nothing further.)
            self.tokens_answered(answer, &mut Effects::new());
        }
    }

    /// The wizard, wherever it lies.
    pub(super) fn wizard(&mut self) -> Option<&mut crate::app::tokens::wizard::Wizard> {
        self.tokens.all_sheets().find_map(|sheet| match sheet {
            TokenSheet::Wizard(wizard) => Some(&mut **wizard),
            _ => None,
        })
    }
}

impl TokenSheet {
    /// What it waits for will not come.
    pub(super) fn give_up(&mut self, why: &Trouble) {
        fn end<T>(fetch: &mut Fetch<T>, why: &Trouble) {
            if fetch.is_loading() {
                *fetch = Fetch::Failed(why.clone());
            }
        }
        match self {
            Self::Details(details) => {
                end(&mut details.reading, why);
                end(&mut details.usage, why);
            }
            Self::Wizard(wizard) => {
                end(&mut wizard.extensions, why);
                end(&mut wizard.modules, why);
            }
            Self::ExpiryHorizon(horizon) => {
                for (_, fetch) in &mut horizon.asked {
                    end(fetch, why);
                }
            }
            // What changes something is not taken back: its answer still counts, see [`Model::tokens_not_sent`].
            Self::Confirm(_) | Self::Renewal(_) | Self::Unfinished(_) => {}
        }
    }
}
