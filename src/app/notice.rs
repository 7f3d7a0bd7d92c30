//! What the footer says, for how long, and about what.

use std::borrow::Cow;

use jiff::Timestamp;

use super::draft::FieldId;

/// A sentence in the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Inert. Borrowed where it is a sentence of this program's own: in any other the words of others may stand.
    pub text: Cow<'static, str>,
    /// Drawn as an error.
    pub error: bool,
    /// What it is about: taken back once that has changed.
    pub about: About,
    /// When it goes.
    pub until: Timestamp,
}

/// What a sentence in the footer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// Something that stays as it is said.
    Past,
    /// What a key did or could not do in the place where it was pressed.
    Place,
    /// That the secrets are locked.
    Lock,
    /// That the draft is kept aside.
    Draft,
    /// That a paste was cleaned, and can be taken back.
    Undo,
    /// What is odd about the filter.
    Filter,
    /// That nothing is selected any more.
    Selection,
    /// Why this field can't be saved as it is.
    Field(FieldId),
}

/// What the footer says of the clipboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedNotice {
    /// "→ your terminal (OSC 52)".
    pub words: String,
    /// When it is cleared.
    pub clears_at: Option<Timestamp>,
}
