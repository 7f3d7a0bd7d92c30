//! `switchboard man`: one page a command in section 1, one a guide in section 7.

use std::fmt::Write;
use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use super::arguments::Arguments;
use super::fault::Fault;
use super::guide::{Piece, guides, pieces, title};
use super::output;
use crate::domain::text::inert;
use crate::store::files;

/// One page.
struct ManPage {
    /// As `man` knows it: `switchboard-connection-import`.
    name: String,
    section: char,
    text: Vec<u8>,
}

/// Writes one page to stdout, or all into `folder`.
pub fn run(page: Option<&str>, folder: Option<&Path>) -> Result<u8, Fault> {
    let pages = pages()?;
    if let Some(folder) = folder {
        for page in &pages {
            let folder = folder.join(format!("man{}", page.section));
            let path = folder.join(format!("{}.{}", page.name, page.section));
            files::write_public(&path, &page.text).map_err(Fault::of)?;
        }
        return Ok(0);
    }
    output::raw(&found(&pages, page)?.text)?;
    Ok(0)
}

/// The page that is called `wanted`, by its own name or without what all begin with.
fn found<'a>(pages: &'a [ManPage], wanted: Option<&str>) -> Result<&'a ManPage, Fault> {
    let name = wanted.unwrap_or("switchboard").replace(' ', "-");
    let is_it = |page: &&ManPage| {
        page.name == name || page.name.strip_prefix("switchboard-") == Some(name.as_str())
    };
    pages.iter().find(is_it).ok_or_else(|| {
        let names: Vec<_> = pages
            .iter()
            .filter_map(|page| page.name.strip_prefix("switchboard-"))
            .collect();
        let page = inert(wanted.unwrap_or_default(), 60);
        Fault::usage(format!("there is no page called {page}"))
            .hint(format!("there are {}", names.join(", ")))
    })
}

fn pages() -> Result<Vec<ManPage>, Fault> {
    let mut command = Arguments::command();
    command.build();
    let mut pages = Vec::new();
    add(&command, &mut pages)?;
    for (name, text) in guides() {
        pages.push(guide(name, text));
    }
    for page in &mut pages {
        page.text = ascii(&page.text);
    }
    Ok(pages)
}

/// `text` with every character outside of ASCII as groff writes it, `\[u2026]`: which encoding a reader takes is not known.
fn ascii(text: &[u8]) -> Vec<u8> {
    let mut plain = String::with_capacity(text.len());
    for c in String::from_utf8_lossy(text).chars() {
        if c.is_ascii() {
            plain.push(c);
        } else {
            // Writing to a String does not fail.
            let _ = write!(plain, "\\[u{:04X}]", u32::from(c));
        }
    }
    plain.into_bytes()
}

fn add(command: &clap::Command, pages: &mut Vec<ManPage>) -> Result<(), Fault> {
    let name = command
        .get_display_name()
        .unwrap_or(command.get_name())
        .to_owned();
    let mut text = Vec::new();
    let source = format!("switchboard {}", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone())
        .title(name.as_str())
        .source(source.as_str())
        .manual("switchboard");
    man.render(&mut text).map_err(output::OutputProblem)?;
    if name == "switchboard" {
        text.extend(ending().render().into_bytes());
    }
    pages.push(ManPage {
        name,
        section: '1',
        text,
    });
    for sub in command.get_subcommands() {
        if !sub.is_hide_set() {
            add(sub, pages)?;
        }
    }
    Ok(())
}

/// What stands on the first page alone: exit codes, files, guides.
fn ending() -> Roff {
    let mut roff = Roff::new();
    let table: [(&str, &[(&str, &str)]); 2] = [
        (
            "EXIT STATUS",
            &[
                ("0", "up, or done"),
                ("1", "check: something is to be looked at"),
                ("2", "down"),
                (
                    "3",
                    "unknown; wrong usage, configuration, a locked store, cancelled",
                ),
                ("128+n", "ended by signal n (the screen and watch)"),
            ],
        ),
        (
            "FILES",
            &[
                (
                    "~/.config/switchboard/switchboard.toml",
                    "settings and connections, no secrets",
                ),
                (
                    "~/.config/switchboard/services/*.toml",
                    "services of your own",
                ),
                (
                    "~/.local/share/switchboard/{identity,vault}.age",
                    "the vault",
                ),
                (
                    "~/.local/state/switchboard/history.sqlite",
                    "lock-out budget and history",
                ),
            ],
        ),
    ];
    for (heading, rows) in table {
        roff.control("SH", [heading]);
        for (term, words) in rows {
            roff.control("TP", []);
            roff.text([bold(*term)]);
            roff.text([roman(*words)]);
        }
    }
    roff.control("SH", ["GUIDES"]);
    for (name, text) in guides() {
        roff.control("TP", []);
        roff.text([bold(format!("switchboard-{name}")), roman("(7)")]);
        roff.text([roman(title(text))]);
    }
    roff
}

/// A guide as a page.
fn guide(name: &str, text: &str) -> ManPage {
    let page = format!("switchboard-{name}");
    let mut roff = Roff::new();
    let heading = page.to_uppercase();
    let source = format!("switchboard {}", env!("CARGO_PKG_VERSION"));
    roff.control(
        "TH",
        [heading.as_str(), "7", "", source.as_str(), "switchboard"],
    );
    roff.control("SH", ["NAME"]);
    roff.text([roman(format!("{page} - {}", title(text)))]);
    roff.control("SH", ["DESCRIPTION"]);
    let mut sample = false;
    for piece in pieces(text) {
        let is_sample = matches!(piece, Piece::Sample(_));
        if sample && !is_sample {
            roff.control("fi", []);
            roff.control("RE", []);
        }
        if is_sample && !sample {
            roff.control("RS", ["4"]);
            roff.control("nf", []);
        }
        sample = is_sample;
        place(&mut roff, piece);
    }
    if sample {
        roff.control("fi", []);
        roff.control("RE", []);
    }
    ManPage {
        text: roff.render().into_bytes(),
        name: page,
        section: '7',
    }
}

fn place(roff: &mut Roff, piece: Piece<'_>) {
    match piece {
        // It stands behind the name.
        Piece::Title(_) => {}
        Piece::Heading(words) => {
            roff.control("SH", [words]);
        }
        Piece::Text(words) | Piece::More(words) => {
            roff.text(inline(words));
        }
        Piece::Item("-", words) => {
            roff.control("IP", ["-", "2"]);
            roff.text(inline(words));
        }
        Piece::Item(mark, words) => {
            let mark = format!("{mark}.");
            roff.control("IP", [mark.as_str(), "4"]);
            roff.text(inline(words));
        }
        Piece::Sample(words) => {
            roff.text([roman(words)]);
        }
        Piece::Gap => {
            roff.control("PP", []);
        }
    }
}

/// Words with what stands between backticks in bold.
fn inline(words: &str) -> Vec<Inline> {
    let parts = words.split('`').enumerate();
    parts
        .filter(|(_, part)| !part.is_empty())
        .map(|(at, part)| if at % 2 == 1 { bold(part) } else { roman(part) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_and_every_guide_has_its_page() {
        let pages = pages().unwrap();
        let names: Vec<_> = pages.iter().map(|page| page.name.as_str()).collect();
        for name in [
            "switchboard",
            "switchboard-probe",
            "switchboard-connection-import",
            "switchboard-token-list",
            "switchboard-blesta",
        ] {
            assert!(names.contains(&name), "{name} in {names:?}");
        }
        assert!(!names.iter().any(|name| name.contains("holder")));
        let export = found(&pages, Some("connection export")).unwrap();
        let text = String::from_utf8(export.text.clone()).unwrap();
        assert!(text.contains("\\[u2026]"), "{text}");
        for page in &pages {
            let text = String::from_utf8(page.text.clone()).unwrap();
            assert!(text.contains(".SH NAME"), "{}", page.name);
            assert!(text.is_ascii(), "{}", page.name);
            let own = page.name.as_str();
            assert_eq!(found(&pages, Some(own)).unwrap().name, own);
            let (_, listed) = text.split_once(".SH SUBCOMMANDS").unwrap_or_default();
            for (name, _) in listed.lines().filter_map(|line| line.split_once("(1)")) {
                let name = name.replace('\\', "");
                assert!(names.contains(&name.as_str()), "{name} of {}", page.name);
            }
        }
    }

    #[test]
    fn a_guide_becomes_a_page() {
        let text = "# Blesta\n\nUse `n`.\n\n    switchboard probe\n\n- one\n";
        let page = String::from_utf8(guide("x", text).text).unwrap();
        assert!(
            page.contains("switchboard\\-x \\- Blesta\n.SH DESCRIPTION"),
            "{page}"
        );
        assert!(page.contains("\\fBn\\fR"), "{page}");
        assert!(page.contains(".nf\nswitchboard probe\n.fi"), "{page}");
    }
}
