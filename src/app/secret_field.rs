//! A masked text field: the value in a wiped buffer, the cursor in a mirror that holds only dots.

use tui_input::Input;

use crate::domain::Secret;

/// A field for a secret. The mirror does the cursor's work on dots; the buffer follows at the same place.
#[derive(Debug)]
pub struct SecretField {
    /// As many dots as the value has characters.
    pub mirror: Input,
    /// The value.
    pub value: Secret,
}
