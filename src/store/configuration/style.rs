//! How a file is written beside what it says: line ends of Windows and a byte order mark stay as they are.

use std::borrow::Cow;

/// The byte order mark, as a text begins with it.
const MARK: &str = "\u{feff}";

/// What an editor gave the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Style {
    marked: bool,
    carriage_returns: bool,
}

/// `text`, which stands in `bytes`, with plain line ends, and the style that it had.
pub(super) fn taken_from<'a>(text: &'a str, bytes: &[u8]) -> (Cow<'a, str>, Style) {
    let lines = text.matches('\n').count();
    let style = Style {
        marked: bytes.starts_with(MARK.as_bytes()),
        carriage_returns: lines > 0 && text.matches("\r\n").count() == lines,
    };
    if style.carriage_returns {
        (text.replace("\r\n", "\n").into(), style)
    } else {
        (text.into(), style)
    }
}

impl Style {
    /// `text`, whose line ends are plain, in this style.
    pub(super) fn given_to(self, text: String) -> String {
        let text = if self.carriage_returns {
            text.replace('\n', "\r\n")
        } else {
            text
        };
        if self.marked {
            format!("{MARK}{text}")
        } else {
            text
        }
    }
}
