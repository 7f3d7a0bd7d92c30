//! `switchboard help`: the commands' own help, and the guides in `assets/guide`.
//!
//! A guide is written once: in a small part of Markdown (headings, paragraphs, lists, indented samples). Here it
//! becomes text for a terminal, in `man` a page of section 7.

use std::fmt::Write as _;

use clap::CommandFactory;

use super::arguments::Arguments;
use super::fault::Fault;
use super::output::human::Colours;
use super::{output, texts};
use crate::domain::text::inert;

/// The guides' names, in the order in which they are listed.
const NAMES: [&str; 12] = [
    "first-connection",
    "blesta",
    "connect",
    "http",
    "secrets",
    "clipboard",
    "watching",
    "prometheus",
    "lock-out",
    "files",
    "keys",
    "scripts",
];

/// Every guide by its name, in the order in which they are listed.
pub fn guides() -> impl Iterator<Item = (&'static str, &'static str)> {
    NAMES
        .into_iter()
        .map(|name| (name, texts::text(&format!("guide/{name}.md"))))
}

/// One piece of a guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// `# …`: what the guide is about.
    Title(&'a str),
    /// `## …`
    Heading(&'a str),
    /// A line of a paragraph.
    Text(&'a str),
    /// `- …` or `1. …`, its first line: mark and words.
    Item(&'a str, &'a str),
    /// A further line of an item.
    More(&'a str),
    /// A line of a sample, four blanks taken off.
    Sample(&'a str),
    /// An empty line.
    Gap,
}

/// The pieces of a guide, a line each.
pub fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    text.lines().map(piece)
}

fn piece(line: &str) -> Piece<'_> {
    if let Some(title) = line.strip_prefix("# ") {
        return Piece::Title(title);
    }
    if let Some(heading) = line.strip_prefix("## ") {
        return Piece::Heading(heading);
    }
    if let Some(sample) = line.strip_prefix("    ") {
        return Piece::Sample(sample);
    }
    if let Some(words) = line.strip_prefix("- ") {
        return Piece::Item("-", words);
    }
    if let Some((mark, words)) = line.split_once(". ")
        && !mark.is_empty()
        && mark.chars().all(|c| c.is_ascii_digit())
    {
        return Piece::Item(mark, words);
    }
    match line.strip_prefix("  ").map(str::trim_start) {
        Some(more) if !more.is_empty() => Piece::More(more),
        _ if line.trim().is_empty() => Piece::Gap,
        _ => Piece::Text(line),
    }
}

/// The title of a guide.
pub fn title(text: &str) -> &str {
    text.lines()
        .next()
        .and_then(|line| line.strip_prefix("# "))
        .unwrap_or_default()
}

/// Runs the command: nothing lists commands and guides, a command shows its help, a guide itself.
pub fn run(words: &[String], colours: Colours) -> Result<u8, Fault> {
    let text = match words {
        [] => overview(),
        [topic] if guide(topic).is_some() => rendered(guide(topic).unwrap_or_default(), colours),
        words => command(words).ok_or_else(|| unknown(words))?,
    };
    output::data(&text)?;
    Ok(0)
}

fn guide(name: &str) -> Option<&'static str> {
    guides()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| text)
}

fn overview() -> String {
    let mut text = Arguments::command().render_help().to_string();
    text.push_str("\nGuides, by switchboard help GUIDE:\n");
    for (name, guide) in guides() {
        let _ = writeln!(text, "  {name:18}{}", title(guide));
    }
    text
}

/// The help of the command that `words` name.
fn command(words: &[String]) -> Option<String> {
    let mut command = Arguments::command();
    command.build();
    for word in words {
        command = command.find_subcommand(word)?.clone();
    }
    Some(command.render_long_help().to_string())
}

fn unknown(words: &[String]) -> Fault {
    let words = inert(&words.join(" "), 60);
    Fault::usage(format!("there is no command and no guide called {words}"))
        .hint(format!("guides: {}", NAMES.join(", ")))
}

/// A guide for a terminal.
fn rendered(text: &str, colours: Colours) -> String {
    let bold = |words: &str| match colours {
        Colours::On => format!("\x1b[1m{words}\x1b[0m"),
        Colours::Off => words.to_owned(),
    };
    let plain = |words: &str| words.replace('`', "");
    pieces(text)
        .map(|piece| match piece {
            Piece::Title(words) | Piece::Heading(words) => format!("{}\n", bold(words)),
            Piece::Text(words) => format!("{}\n", plain(words)),
            Piece::Item("-", words) => format!("  - {}\n", plain(words)),
            Piece::Item(mark, words) => format!("  {mark}. {}\n", plain(words)),
            Piece::More(words) => format!("    {}\n", plain(words)),
            Piece::Sample(words) => format!("    {words}\n"),
            Piece::Gap => "\n".to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_guide_has_a_title_and_fits_a_terminal() {
        for (name, text) in guides() {
            assert!(!title(text).is_empty(), "{name}");
            for line in text.lines() {
                let width = line.chars().count();
                assert!(width <= 80, "{name}: {width} columns: {line}");
            }
        }
    }

    #[test]
    fn what_a_key_of_the_screen_does_is_told_as_a_command_too() {
        for (guide, command) in [
            ("lock-out", "connection resume NAME"),
            ("watching", "connection accept NAME"),
        ] {
            let (_, text) = guides().find(|(name, _)| *name == guide).unwrap();
            let words: Vec<&str> = text.split_whitespace().collect();
            assert!(words.join(" ").contains(command), "{guide}");
        }
    }

    #[test]
    fn pieces_are_told_apart() {
        let text = "# T\n\nWords `x`\n## H\n- one\n  more\n10. ten\n    sample\n";
        let all: Vec<_> = pieces(text).collect();
        assert_eq!(
            all,
            [
                Piece::Title("T"),
                Piece::Gap,
                Piece::Text("Words `x`"),
                Piece::Heading("H"),
                Piece::Item("-", "one"),
                Piece::More("more"),
                Piece::Item("10", "ten"),
                Piece::Sample("sample"),
            ]
        );
    }
}
