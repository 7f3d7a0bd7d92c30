//! The tokens behind a Connect connection: lists, their whole life, and renewals that are proven.
//!
//! [`Core::account`] opens the account of a connection; everything else is asked of it. An [`Account`] is
//! cheap to clone and keeps its connections open: hold on to it while a list is on the screen.
//!
//! ```text
//! account(&name) -> Account                     no request yet
//! account.tokens(&query) -> Page<Token>         one request
//! account.token(id) usage(id) permissions(id) modules() extensions()
//! account.create(&new, &modules) -> Created     two kinds of calls: what exists is told where one fails
//! account.edit(id, &edit, wanted) -> Edited     difference() shows it before
//! account.enable(id) disable(id, guard) delete(id, guard)
//! account.renew(id, expires, guard, progress) rotate(…) -> Renewed
//! core.certificates()                           when they end, as the last probes saw
//! core.unfinished_renewals() resume_renewal(&unfinished, progress) resume_renewal_aside(&unfinished)
//! ```

mod account;
mod aside;
mod begin;
mod holders;
mod horizon;
mod life;
mod lookup;
mod outcome;
mod problem;
mod renewal;
mod steps;

pub use account::{Account, WholeToken};
pub use horizon::KnownCertificate;
pub use life::{Created, Edited};
pub use outcome::{RenewalProgress, unheard};
pub use problem::{TokenError, undecided, unused};

pub use crate::domain::token::{Difference, Guard, RenewalStep, Renewed, Unfinished, difference};

use super::core::Core;
use crate::domain::Name;
use crate::tokens::{Page, Token, TokenQuery};

impl Core {
    /// One page of the tokens of the account behind `name`.
    pub async fn tokens(&self, name: &Name, query: &TokenQuery) -> Result<Page<Token>, TokenError> {
        self.account(name).await?.tokens(query).await
    }
}

#[cfg(test)]
mod tests;
