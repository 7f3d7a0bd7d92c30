//! The lock, as the screen knows it.

/// Whether secrets are locked, and how that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lock {
    /// Nothing is locked, or there is nothing that a passphrase could open.
    #[default]
    Open,
    /// No passphrase has opened the vault since the start. Nobody was refused yet.
    NeverOpened,
    /// Something of the vault was asked for, and it is locked. What was typed here is still here.
    FoundLocked,
    /// Locked by hand or by idle time: what was held here is forgotten.
    Shut {
        /// With it a secret that was typed and not saved.
        typed_was_lost: bool,
    },
}

impl Lock {
    /// Whether what needs a secret waits for the passphrase.
    pub const fn is_locked(self) -> bool {
        match self {
            Self::Open | Self::NeverOpened => false,
            Self::FoundLocked | Self::Shut { .. } => true,
        }
    }

    /// The vault was found locked. Who has locked it here has forgotten more than that.
    pub(super) fn find_locked(&mut self) {
        match self {
            Self::Open | Self::NeverOpened => *self = Self::FoundLocked,
            Self::FoundLocked | Self::Shut { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_shut_here_is_not_merely_found_locked() {
        for (before, after) in [
            (Lock::Open, Lock::FoundLocked),
            (Lock::NeverOpened, Lock::FoundLocked),
            (
                Lock::Shut {
                    typed_was_lost: true,
                },
                Lock::Shut {
                    typed_was_lost: true,
                },
            ),
        ] {
            let mut lock = before;
            lock.find_locked();
            assert_eq!(lock, after);
        }
    }
}
