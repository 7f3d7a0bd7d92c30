//! Where secrets are kept.

mod slot;

pub use slot::{Part, Slot};

/// k
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// k
    Keyring,
    /// v
    Vault,
    /// a
    Ask,
}
