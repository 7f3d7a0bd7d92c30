//! A masked text field: the value in a wiped buffer, the cursor in a mirror that holds only dots.
//!
//! The mirror is a `tui_input::Input` of as many dots as the value has characters: it does the cursor's work,
//! and the buffer follows at the same place. Requests that would put text into the mirror's yank buffer or
//! search for words are not handed on: dots have no words, and a cut secret must not lie about.

use jiff::Timestamp;
use tui_input::{Input, InputRequest};

use super::draft::FieldId;
use crate::domain::{Origin, Secret};

/// Characters that a secret field takes at most; what is longer was not meant for it.
pub const LIMIT: usize = 8_192;

/// A field for a secret.
#[derive(Debug, Clone)]
pub struct SecretField {
    /// As many dots as the value has characters.
    pub mirror: Input,
    /// The value.
    pub value: Secret,
    /// The person typed or pasted here since it was opened or loaded.
    pub touched: bool,
    /// A value is stored for this field, whether it was loaded yet or not.
    pub stored: bool,
    /// The value was made here: nobody sees what one letter more would spoil, so that none goes in.
    pub is_made: bool,
}

impl Default for SecretField {
    fn default() -> Self {
        Self {
            mirror: Input::default(),
            value: Secret::new(""),
            touched: false,
            stored: false,
            is_made: false,
        }
    }
}

/// What was said to "send the key to this host?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyAnswer {
    /// The origin that was asked about.
    pub origin: Origin,
    /// Whether the key may go there.
    pub allows: bool,
}

/// A secret field in the open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownField {
    /// Which.
    pub id: FieldId,
    /// When it is hidden again.
    pub until: Timestamp,
}

impl SecretField {
    /// A field that holds `value`, the cursor at its end.
    pub fn holding(value: Secret) -> Self {
        Self {
            mirror: dots(value.length()),
            value,
            ..Self::default()
        }
    }

    /// Where the cursor stands, in characters.
    pub fn cursor(&self) -> usize {
        self.mirror.cursor()
    }

    /// Whether a value is here or stored: what a lamp calls "set".
    pub fn is_set(&self) -> bool {
        !self.value.is_empty() || (self.stored && !self.touched)
    }

    /// Whether `request` would change a value that was made here, and not take the whole of it away.
    pub fn refuses(&self, request: InputRequest) -> bool {
        let changes = matches!(
            request,
            InputRequest::InsertChar(_)
                | InputRequest::DeletePrevChar
                | InputRequest::DeleteNextChar
        );
        self.is_made && changes
    }

    /// Carries out `request`; whether the value was changed.
    pub fn handle(&mut self, request: InputRequest) -> bool {
        if self.refuses(request) {
            return false;
        }
        let cursor = self.mirror.cursor();
        let length = self.value.length();
        match request {
            InputRequest::InsertChar(c) => {
                if length >= LIMIT || c.is_control() {
                    return false;
                }
                self.value.insert(cursor, c);
                self.mirror.handle(InputRequest::InsertChar('•'));
            }
            InputRequest::DeletePrevChar if cursor > 0 => {
                self.value.remove(cursor - 1);
                self.mirror.handle(request);
            }
            InputRequest::DeleteNextChar if cursor < length => {
                self.value.remove(cursor);
                self.mirror.handle(request);
            }
            InputRequest::DeleteLine if length > 0 => self.clear(),
            InputRequest::GoToPrevChar
            | InputRequest::GoToNextChar
            | InputRequest::GoToStart
            | InputRequest::GoToEnd
            | InputRequest::SetCursor(_) => {
                self.mirror.handle(request);
                return false;
            }
            _ => return false,
        }
        self.touched = true;
        true
    }

    /// Puts `secret` in at the cursor, or in place of a value that was made here.
    pub fn insert(&mut self, secret: &Secret) {
        if self.is_made {
            self.clear();
        }
        let cursor = self.mirror.cursor();
        let added = secret.length();
        if added == 0 || self.value.length() + added > LIMIT {
            return;
        }
        self.value.insert_all(cursor, secret);
        self.mirror = dots(self.value.length()).with_cursor(cursor + added);
        self.touched = true;
    }

    /// Replaces what stands here by `secret`, as if it had been typed.
    pub fn replace(&mut self, secret: Secret) {
        self.mirror = dots(secret.length());
        self.value = secret;
        self.touched = true;
        self.is_made = false;
    }

    /// The same with one that was made here.
    pub fn replace_by_made(&mut self, secret: Secret) {
        self.replace(secret);
        self.is_made = true;
    }

    /// Empties the field, as if its characters had been deleted.
    pub fn clear(&mut self) {
        self.replace(Secret::new(""));
    }
}

fn dots(length: usize) -> Input {
    Input::new("•".repeat(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(text: &str) -> SecretField {
        SecretField::holding(Secret::new(text))
    }

    #[test]
    fn one_letter_in_the_middle_is_changed() {
        let mut field = field("hunter2");
        for request in [
            InputRequest::GoToStart,
            InputRequest::GoToNextChar,
            InputRequest::DeleteNextChar,
            InputRequest::InsertChar('ü'),
        ] {
            field.handle(request);
        }
        assert_eq!(field.value, Secret::new("hünter2"));
        assert_eq!(field.cursor(), 2);
        assert!(field.touched);
    }

    #[test]
    fn the_mirror_holds_only_dots_and_never_yanks() {
        let mut field = field("");
        for c in "geheim".chars() {
            field.handle(InputRequest::InsertChar(c));
        }
        field.handle(InputRequest::DeletePrevWord);
        field.handle(InputRequest::DeleteTillEnd);
        assert_eq!(field.mirror.value(), "••••••");
        field.handle(InputRequest::DeleteLine);
        field.handle(InputRequest::Yank);
        assert!(field.value.is_empty());
        assert_eq!(field.mirror.value(), "");
    }

    #[test]
    fn deleting_at_the_ends_changes_nothing() {
        let mut field = field("ab");
        assert!(!field.handle(InputRequest::DeleteNextChar));
        field.handle(InputRequest::GoToStart);
        assert!(!field.handle(InputRequest::DeletePrevChar));
        assert!(!field.touched);
        assert_eq!(field.value, Secret::new("ab"));
    }

    #[test]
    fn what_was_made_is_taken_away_whole() {
        let mut field = field("");
        field.replace_by_made(Secret::new("made"));
        assert!(!field.handle(InputRequest::InsertChar('y')));
        field.handle(InputRequest::DeleteLine);
        assert!(field.handle(InputRequest::InsertChar('y')));
        field.replace_by_made(Secret::new("made"));
        field.insert(&Secret::new("pasted"));
        assert_eq!(field.value, Secret::new("pasted"));
        assert!(field.handle(InputRequest::InsertChar('y')));
    }

    #[test]
    fn a_paste_goes_in_at_the_cursor() {
        let mut field = field("ad");
        field.handle(InputRequest::GoToPrevChar);
        field.insert(&Secret::new("bc"));
        assert_eq!(
            (field.value.clone(), field.cursor()),
            (Secret::new("abcd"), 3)
        );
        field.insert(&Secret::new("x".repeat(LIMIT)));
        assert_eq!(field.value, Secret::new("abcd"), "a flood is not taken");
    }
}
