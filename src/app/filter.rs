//! The list's filter: letters in order, and terms such as `status:401` or `tag:eu`.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Matcher, Utf32Str};

use super::model::ListedConnection;
use crate::domain::State;
use crate::domain::text::inert;

/// A filter as it was typed, ready to be held against many entries. The default one lets everything pass.
#[derive(Debug, Default)]
pub(super) struct Filter {
    terms: Vec<FilterTerm>,
    letters: Option<Pattern>,
    /// The same as it must stand in a URL: letters in any order apart are found in nearly every one.
    in_url: Option<Pattern>,
    /// Made for the first text: it takes 130 KiB.
    matcher: Option<Matcher>,
    buffer: Vec<char>,
}

/// The filter that was read last: each verdict of a watch is held against the same one.
#[derive(Debug, Default)]
pub struct LastFilter {
    text: String,
    filter: Filter,
}

impl LastFilter {
    /// The filter of `text`; read where another one was before.
    pub(super) fn of(&mut self, text: &str) -> &mut Filter {
        if self.text != text {
            *self = Self {
                text: text.to_owned(),
                filter: Filter::read(text),
            };
        }
        &mut self.filter
    }
}

#[derive(Debug)]
enum FilterTerm {
    /// `401`, or `4` from `4xx`.
    Status(String),
    Tag(String),
    Service(String),
    Reason(String),
    State(String),
}

impl Filter {
    /// Reads `text`: terms are words with a known name before a colon, all else are letters. Within quotes a blank
    /// divides nothing: `tag:"ap south"`.
    pub(super) fn read(text: &str) -> Self {
        let mut terms = Vec::new();
        let mut letters = Vec::new();
        for word in words(text) {
            match FilterTerm::read(&word) {
                Some(term) => terms.push(term),
                None => letters.push(word),
            }
        }
        let letters = letters.join(" ");
        let in_url: Vec<_> = letters.split_whitespace().map(whole).collect();
        let in_url = (!in_url.is_empty()).then(|| pattern(&in_url.join(" ")));
        Self {
            terms,
            letters: (!letters.is_empty()).then(|| pattern(&letters)),
            in_url,
            ..Self::default()
        }
    }

    /// A filter of letters alone: colons have no meaning in it.
    pub(super) fn letters(text: &str) -> Self {
        let letters = text.trim();
        Self {
            letters: (!letters.is_empty()).then(|| pattern(letters)),
            ..Self::default()
        }
    }

    /// Whether everything passes.
    pub(super) fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.letters.is_none()
    }

    /// Whether `entry` passes: every term, and the letters in its name, or the words as they stand in its URL.
    pub(super) fn passes(&mut self, entry: &ListedConnection) -> bool {
        self.terms.iter().all(|term| term.passes(entry))
            && (self.matches(entry.connection.name.as_str())
                || self.stands_in(&entry.connection.url))
    }

    fn stands_in(&mut self, url: &str) -> bool {
        let Some(words) = &self.in_url else {
            return true;
        };
        let text = Utf32Str::new(url, &mut self.buffer);
        words
            .score(text, self.matcher.get_or_insert_default())
            .is_some()
    }

    /// Whether the letters are found in `text`, in order.
    pub(super) fn matches(&mut self, text: &str) -> bool {
        self.score(text).is_some()
    }

    /// How well the letters are found in `text`; nothing where they are not.
    pub(super) fn score(&mut self, text: &str) -> Option<u32> {
        match &self.letters {
            None => Some(0),
            Some(pattern) => {
                let text = Utf32Str::new(text, &mut self.buffer);
                let matcher = self.matcher.get_or_insert_default();
                pattern.score(text, matcher)
            }
        }
    }
}

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text, CaseMatching::Ignore, Normalization::Smart)
}

/// `word` as a pattern that it must stand whole for. One that says itself how it is meant stays.
fn whole(word: &str) -> String {
    let is_at_end = word.ends_with('$') && !word.ends_with("\\$");
    if is_at_end || word.starts_with(['^', '!', '\'', '\\']) {
        word.to_owned()
    } else {
        format!("'{word}")
    }
}

impl FilterTerm {
    fn read(word: &str) -> Option<Self> {
        let (name, value) = word.split_once(':')?;
        let value = value.to_lowercase();
        match name.to_lowercase().as_str() {
            "status" => Some(Self::Status(value.trim_end_matches('x').to_owned())),
            "tag" => Some(Self::Tag(value)),
            "service" => Some(Self::Service(value)),
            "reason" => Some(Self::Reason(value)),
            "state" => Some(Self::State(value)),
            _ => None,
        }
    }

    /// Beginnings are enough, so that the list narrows while the term is typed.
    fn passes(&self, entry: &ListedConnection) -> bool {
        let verdict = entry.verdict.as_ref();
        match self {
            Self::Status(wanted) => {
                wanted.is_empty()
                    || verdict.is_some_and(|v| v.status.to_string().starts_with(wanted))
            }
            Self::Tag(wanted) => {
                let mut tags = entry.connection.tags.iter();
                wanted.is_empty() || tags.any(|tag| tag.to_lowercase().starts_with(wanted))
            }
            Self::Service(wanted) => entry.connection.service.as_str().starts_with(wanted),
            Self::Reason(wanted) => {
                wanted.is_empty() || verdict.is_some_and(|v| v.reason.id().starts_with(wanted))
            }
            Self::State(wanted) if entry.connection.paused => "paused".starts_with(&**wanted),
            Self::State(wanted) => is_state(entry.state(), wanted),
        }
    }
}

/// What can't be meant by `text`, where it finds nothing: a term that nobody knows, or a value that none has.
pub(super) fn misread(text: &str) -> Option<String> {
    words(text).iter().find_map(|word| {
        let (name, value) = word.split_once(':')?;
        let number = value.trim_end_matches(['x', 'X']);
        match FilterTerm::read(word) {
            None if !value.starts_with("//") => Some(format!(
                "no field {}: status, tag, service, reason and state are known",
                inert(name, 20)
            )),
            Some(FilterTerm::State(wanted)) if !is_known(&wanted) => {
                Some("state: is up, check, down, unknown or paused".to_owned())
            }
            Some(FilterTerm::Status(_)) if number.parse::<u16>().is_err() && !value.is_empty() => {
                Some("status: is a number such as 401, or 4xx".to_owned())
            }
            None | Some(_) => None,
        }
    })
}

/// The same of a filter of an account's tokens, which its service has read.
pub(super) fn misread_of_tokens(text: &str) -> Option<String> {
    const STATUSES: [&str; 6] = [
        "pending",
        "active",
        "inactive",
        "expiring",
        "expired",
        "revitalised",
    ];
    text.split_whitespace().find_map(|word| {
        let (name, value) = word.split_once(':')?;
        let value = value.to_lowercase();
        match name {
            "status" if STATUSES.iter().any(|status| status.contains(&value)) => None,
            "status" => Some(format!("status: is {}", STATUSES.join(", "))),
            "extension" | "ext" | "by" | "module" => None,
            _ if value.starts_with("//") => None,
            _ => Some(format!(
                "no field {}: status, extension, by and module are known",
                inert(name, 20)
            )),
        }
    })
}

fn is_known(wanted: &str) -> bool {
    "paused".starts_with(wanted) || State::ALL.iter().any(|state| is_state(*state, wanted))
}

/// A state by its word on the screen or its name in JSON.
fn is_state(state: State, wanted: &str) -> bool {
    state.word().starts_with(wanted) || state.id().starts_with(wanted)
}

/// The words of a filter, without the quotes that hold blanks together. One that is still being typed has no end yet.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}
