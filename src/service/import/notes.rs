//! Notes as people keep them: curl commands, and between them `NAME=value` lines. Each line is read as what it is; what
//! is neither is read over.

use zeroize::Zeroizing;

use super::{Reading, Unreadable, curl, dotenv, tell_apart};
use crate::service::{Catalog, shell};

/// What a line belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// Nothing that is read here: it may hold an apostrophe, which is no quote.
    Nobody,
    /// A curl command.
    Command,
    /// A variable that is set.
    Variable,
}

/// Every connection that the curl commands in `text`, and the variables beside them, make.
pub fn read(catalog: &Catalog, text: &str) -> Result<Reading, Unreadable> {
    let text = Zeroizing::new(text.replace("\r\n", "\n"));
    let text = Zeroizing::new(text.replace('\r', "\n"));
    let lines: Vec<&str> = text.split('\n').collect();
    let owners = owners(&text, &lines);
    let mut reading = curl::read(catalog, &of(Owner::Command, &lines, &owners))?;
    if owners.contains(&Owner::Variable) {
        let set = dotenv::read(catalog, &of(Owner::Variable, &lines, &owners))?;
        reading.candidates.extend(set.candidates);
        if reading.candidates.len() > super::LIMIT {
            return Err(Unreadable::Many);
        }
        reading.candidates = tell_apart(reading.candidates);
        reading.left_out.extend(set.left_out);
    }
    Ok(reading)
}

/// The lines of one owner, each in its place.
fn of(owner: Owner, lines: &[&str], owners: &[Owner]) -> Zeroizing<String> {
    // In one piece from the start: a text that grows leaves its keys behind.
    let room = lines.iter().map(|line| line.len() + 1).sum();
    let mut text = Zeroizing::new(String::with_capacity(room));
    for (line, of) in lines.iter().zip(owners) {
        if *of == owner {
            text.push_str(line);
        }
        text.push('\n');
    }
    text
}

/// Whose each of `lines` is, which are those of `text`.
fn owners(text: &str, lines: &[&str]) -> Vec<Owner> {
    let clean = shell::clean(text);
    let mut rest: &str = &clean;
    let mut owners = Vec::with_capacity(lines.len());
    while let Some(left) = lines.get(owners.len()..).filter(|left| !left.is_empty()) {
        let (owner, count) = first(left, rest);
        owners.extend(std::iter::repeat_n(owner, count));
        for _ in 0..count {
            rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
        }
    }
    owners
}

/// Whose the first of these lines is, and how many of them go with it; `clean` is their text as a shell has it.
fn first(lines: &[&str], clean: &str) -> (Owner, usize) {
    let line = lines.first().copied().unwrap_or_default();
    let is_variable = dotenv::pair(line).is_some();
    let is_printed = line.trim_start().starts_with("printf ");
    if !is_variable && !is_printed && !line.contains("curl") {
        return (Owner::Nobody, 1);
    }
    // Windows' shell goes on behind a caret.
    let carets = lines
        .iter()
        .take_while(|line| line.trim_end().ends_with('^'));
    if let (count @ 1.., true) = (carets.count(), curl::begins_with_curl(line)) {
        return (Owner::Command, lines.len().min(count + 1));
    }
    let (commands, count) = shell::first_line(clean);
    let is_curl = |words: &shell::Command| curl::is_command(words);
    let is_whole = commands.iter().all(Result::is_ok);
    // A quote that nobody closes takes no other line along.
    let is_open = commands.contains(&Err(shell::Broken::Quote));
    let count = if is_open {
        1
    } else {
        count.clamp(1, lines.len())
    };
    if is_printed || commands.iter().flatten().any(is_curl) || curl::begins_with_curl(line) {
        return (Owner::Command, count);
    }
    if !is_variable {
        return (Owner::Nobody, 1);
    }
    // What was meant as an apostrophe holds more than its line.
    let has_curl = |line: &&str| line.contains("curl");
    let is_apart = lines.iter().take(count).skip(1).any(has_curl);
    let count = if is_whole && !is_apart { count } else { 1 };
    (Owner::Variable, count)
}
