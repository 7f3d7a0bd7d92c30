//! How a command is written elsewhere than in a shell's words: for Windows' shell, and into a `printf` before it.

use std::fmt::Write as _;

use crate::service::sign::{is_of_cmd, of_cmd};

/// `text` with the commands that are written for Windows' shell as others have them. A browser copies them so.
pub(super) fn without_cmd(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut command = format!("{line}\n");
        if !super::begins_with_curl(line) || !is_of_cmd(&command) {
            plain.push_str(&command);
            continue;
        }
        let mut last = line;
        while last.trim_end().ends_with('^') {
            let Some(next) = lines.next() else { break };
            let _ = writeln!(command, "{next}");
            last = next;
        }
        // What is a variable or a program's output elsewhere is a letter there.
        for letter in of_cmd(command.trim_end()).chars() {
            if matches!(letter, '$' | '`') {
                plain.push('\\');
            }
            plain.push(letter);
        }
        plain.push('\n');
    }
    plain
}

/// The options that a `printf` writes for the curl behind it, as words of a command line.
pub(super) fn printed(words: &[String]) -> Option<Vec<String>> {
    let [program, format, values @ ..] = words else {
        return None;
    };
    if program != "printf" {
        return None;
    }
    let mut values = values.iter();
    let mut text = String::new();
    let mut rest = format.chars();
    while let Some(c) = rest.next() {
        match (c, rest.clone().next()) {
            ('%', Some('s')) => text.push_str(values.next()?),
            ('%', Some('%')) => text.push('%'),
            ('\\', Some('\\')) => text.push('\\'),
            ('\\', Some('n')) => text.push('\n'),
            ('%' | '\\', _) => return None,
            (c, _) => {
                text.push(c);
                continue;
            }
        }
        rest.next();
    }
    let option = |line: &str| {
        let (option, value) = line.split_once(" = ")?;
        let quoted = value.strip_prefix('"')?.strip_suffix('"')?;
        let mut value = String::new();
        let mut rest = quoted.chars();
        while let Some(c) = rest.next() {
            value.extend(if c == '\\' { rest.next() } else { Some(c) });
        }
        Some([format!("--{option}"), value])
    };
    let options: Option<Vec<_>> = text.lines().map(option).collect();
    Some(options?.concat())
}

/// The path of a certificate, and whether a password stands behind it, as curl reads them: `\:` and `\\` are escapes.
pub(super) fn certificate(text: &str) -> (String, bool) {
    let mut path = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            ':' => return (path, true),
            '\\' => path.push(rest.next_if(|c| matches!(c, ':' | '\\')).unwrap_or(c)),
            _ => path.push(c),
        }
    }
    (path, false)
}
