//! Errors with their causes: kept as they came, and made one sentence only where somebody reads it.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::text::inert;

/// Longest sentence of [`error_chain`], characters.
const LONGEST: usize = 400;

/// An error of any type, with its own causes. Copies share it; two are equal where their sentences are.
#[derive(Clone)]
pub struct Cause(Arc<dyn Error + Send + Sync>);

/// A step that came to nothing, and why.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
struct Step {
    doing: String,
    source: Cause,
}

impl Cause {
    /// Keeps an error, or a sentence where there is no error behind it.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Arc::from(error.into()))
    }

    /// What was being done to what, and behind it why that came to nothing.
    pub fn of_step(
        doing: impl Into<String>,
        error: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::new(Step {
            doing: doing.into(),
            source: Self::new(error),
        })
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

impl PartialEq for Cause {
    fn eq(&self, other: &Self) -> bool {
        whole_chain(self) == whole_chain(other)
    }
}

impl Eq for Cause {}

/// `error` and its causes as one inert sentence, for places that show a text.
pub fn error_chain(error: &dyn Error) -> String {
    inert(&whole_chain(error), LONGEST)
}

/// The same of any length, and as it came. A cause that the words before it tell already is not told again.
pub fn whole_chain(error: &dyn Error) -> String {
    let mut sentence = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !sentence.contains(&words) {
            sentence.push_str(": ");
            sentence.push_str(&words);
        }
        sentence.push_str(cure(cause));
        next = cause.source();
    }
    sentence
}

/// What to do about an answer of the system, where that is always the same.
fn cure(cause: &(dyn Error + 'static)) -> &'static str {
    use std::io::ErrorKind as E;
    let kept = cause
        .downcast_ref::<Cause>()
        .map(|kept| &*kept.0 as &(dyn Error + 'static));
    match kept
        .unwrap_or(cause)
        .downcast_ref::<std::io::Error>()
        .map(std::io::Error::kind)
    {
        Some(E::PermissionDenied) => "; give this user the permission back, then try again",
        Some(E::StorageFull | E::QuotaExceeded) => "; make room on its disk, then try again",
        _ => "",
    }
}

/// What is wrong with a text of JSON, and where. The parser's own words may quote the text, which may hold secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonProblem {
    /// The text stops in the middle.
    #[error("it ends too early, at byte {byte} of line {line}")]
    Cut {
        /// From 1.
        line: usize,
        /// From 1.
        byte: usize,
    },
    /// Not JSON.
    #[error("it is not JSON, at byte {byte} of line {line}")]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1.
        byte: usize,
    },
    /// JSON of another form, read from a text.
    #[error("it has another form, at byte {byte} of line {line}")]
    OtherForm {
        /// From 1.
        line: usize,
        /// From 1.
        byte: usize,
    },
    /// JSON of another form, read from values that have no place.
    #[error("it has another form")]
    OtherValues,
}

impl From<serde_json::Error> for JsonProblem {
    fn from(error: serde_json::Error) -> Self {
        let (line, byte) = (error.line(), error.column());
        if error.is_eof() {
            Self::Cut { line, byte }
        } else if !error.is_data() {
            Self::NotJson { line, byte }
        } else if line > 0 {
            Self::OtherForm { line, byte }
        } else {
            Self::OtherValues
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_chain_is_told_once_with_every_cause_and_what_to_do() {
        let denied = || io::Error::new(io::ErrorKind::PermissionDenied, "not yours");
        let error = Cause::of_step("saving", Cause::of_step("writing the file", denied()));
        let told = "saving: writing the file: not yours; give this user the permission back, then try again";
        assert_eq!(error_chain(&error), told);
        assert_eq!(
            error,
            Cause::of_step("saving", Cause::of_step("writing the file", denied()))
        );
        assert_ne!(error, Cause::of_step("saving", denied()));
        let repeated = Cause::of_step("reading: torn off", "torn off");
        assert_eq!(error_chain(&repeated), "reading: torn off");
        assert_eq!(error_chain(&Cause::new("a\u{1b}[2Jb")), "a[2Jb");
    }
}
