//! stub
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
