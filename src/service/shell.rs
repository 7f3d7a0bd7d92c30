//! Words as a shell divides them: quotes, escapes, line continuations, and where variables stand. Nothing is
//! run, and nothing is expanded: for [`commands`] a variable becomes [`OPEN`] name [`CLOSE`] inside its word, for
//! [`words`] it stays as it is written.

use std::iter::Peekable;
use std::str::Chars;

use zeroize::Zeroizing;

/// Stands before a variable's name in a word.
pub(in crate::service) const OPEN: char = '\u{1}';
/// Stands behind it.
pub(in crate::service) const CLOSE: char = '\u{2}';

/// One command: its words.
pub(in crate::service) type Command = Vec<String>;

/// Why a text can't be divided into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::service) enum Broken {
    /// A quote that nobody closed.
    #[error("a quote is not closed")]
    Quote,
    /// `` ` `` or `$(`: the word would be what a program prints.
    #[error("a word is what another program prints, which is not run here")]
    Substitution,
}

/// The commands in `text`, divided at line ends, `;`, `&` and `|`. A broken one stands as its problem.
pub(in crate::service) fn commands(text: &str) -> Vec<Result<Command, Broken>> {
    let clean = clean(text);
    let mut lexer = ShellLexer::new(&clean, Extent::File);
    lexer.run();
    lexer.done
}

/// The commands that begin in the first line of `text`, which is [`clean`], and how many lines they take: a quote, or a
/// backslash at its end, goes on in the next one.
pub(in crate::service) fn first_line(text: &str) -> (Vec<Result<Command, Broken>>, usize) {
    let mut lexer = ShellLexer::new(text, Extent::Line);
    lexer.run();
    let lines = lexer.rest.line_ends;
    let ends_here = lexer.rest.peek().is_none() && !text.ends_with('\n');
    (lexer.done, lines + usize::from(ends_here))
}

/// The words of the one command that somebody pasted, as far as it goes: a quote that nobody closed ends with the
/// text, and a line's end is a blank, as terminals break lines where they are copied. Signs that would join commands
/// are letters: an address is pasted without its quotes, and what stands behind is looked at no less.
pub(in crate::service) fn words(text: &str) -> Command {
    let clean = clean(text);
    let mut lexer = ShellLexer::new(&clean, Extent::Pasted);
    lexer.run();
    lexer.words
}

/// `text` with one sign for a line's end, and without other control characters than tabs.
pub(in crate::service) fn clean(text: &str) -> Zeroizing<String> {
    let text = Zeroizing::new(text.replace("\r\n", "\n"));
    let lines = text.chars().map(|c| if c == '\r' { '\n' } else { c });
    let clean = lines.filter(|c| !c.is_control() || matches!(c, '\n' | '\t'));
    Zeroizing::new(clean.collect())
}

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// Commands, as a shell would run them.
    File,
    /// The same, and only those of the first line count.
    Line,
    /// One command.
    Pasted,
}

/// What is left of a text.
struct Rest<'a> {
    chars: Peekable<Chars<'a>>,
    /// How many ends of lines are behind it.
    line_ends: usize,
}

impl Rest<'_> {
    fn next(&mut self) -> Option<char> {
        self.next_if(|_| true)
    }

    fn next_if(&mut self, is_wanted: impl FnOnce(&char) -> bool) -> Option<char> {
        let next = self.chars.next_if(is_wanted);
        self.line_ends += usize::from(next == Some('\n'));
        next
    }

    fn peek(&mut self) -> Option<char> {
        self.chars.peek().copied()
    }
}

struct ShellLexer<'a> {
    extent: Extent,
    rest: Rest<'a>,
    words: Command,
    word: Option<String>,
    broken: Option<Broken>,
    done: Vec<Result<Command, Broken>>,
}

impl<'a> ShellLexer<'a> {
    fn new(text: &'a str, extent: Extent) -> Self {
        Self {
            extent,
            rest: Rest {
                chars: text.chars().peekable(),
                line_ends: 0,
            },
            words: Vec::new(),
            word: None,
            broken: None,
            done: Vec::new(),
        }
    }

    fn run(&mut self) {
        let is_pasted = self.is_pasted();
        while let Some(c) = self.rest.next() {
            match c {
                '\\' => match self.rest.next() {
                    Some('\n') | None => {}
                    Some(escaped) => self.push(escaped),
                },
                '\'' => self.single(),
                '"' => self.double(),
                '$' => self.dollar(false),
                ' ' | '\t' => self.end_word(),
                blank if is_pasted && blank.is_whitespace() => self.end_word(),
                other if is_pasted => self.push(other),
                '`' => self.broken = Some(Broken::Substitution),
                '\n' if self.extent == Extent::Line => break,
                '\n' | ';' | '&' | '|' => self.end_command(),
                '#' if self.word.is_none() => while self.rest.next_if(|c| *c != '\n').is_some() {},
                other => self.push(other),
            }
        }
        if is_pasted {
            self.end_word();
        } else {
            self.end_command();
        }
    }

    fn is_pasted(&self) -> bool {
        self.extent == Extent::Pasted
    }

    fn push(&mut self, c: char) {
        self.word.get_or_insert_default().push(c);
    }

    fn single(&mut self) {
        self.word.get_or_insert_default();
        loop {
            match self.rest.next() {
                Some('\'') => return,
                Some(c) => self.push(c),
                None => return self.broken = Some(Broken::Quote),
            }
        }
    }

    fn double(&mut self) {
        self.word.get_or_insert_default();
        loop {
            match self.rest.next() {
                Some('"') => return,
                Some('\\') => match self.rest.next() {
                    Some('\n') | None => {}
                    Some(c @ ('"' | '\\' | '$' | '`')) => self.push(c),
                    Some(c) => {
                        self.push('\\');
                        self.push(c);
                    }
                },
                Some('`') if !self.is_pasted() => {
                    self.broken = Some(Broken::Substitution);
                }
                Some('$') => self.dollar(true),
                Some(c) => self.push(c),
                None => return self.broken = Some(Broken::Quote),
            }
        }
    }

    /// `$NAME`, `${NAME}`, `$(…)`, `$'…'` (not inside double quotes), or the sign itself.
    fn dollar(&mut self, quoted: bool) {
        match self.rest.peek() {
            Some('\'') if !quoted => {
                self.rest.next();
                self.ansi();
            }
            _ if self.is_pasted() => self.push('$'),
            Some('(') => self.broken = Some(Broken::Substitution),
            Some('{') => {
                self.rest.next();
                let mut name = String::new();
                while let Some(c) = self.rest.next_if(|c| *c != '}') {
                    name.push(c);
                }
                self.rest.next();
                let end = name.find(|c: char| !is_name(c)).unwrap_or(name.len());
                let (name, rest) = name.split_at(end);
                self.variable(name);
                // `${NAME:?sentence}` is the variable or nothing; `${NAME:-default}` and the like may be another text.
                if !rest.starts_with(":?") && !rest.starts_with('?') {
                    rest.chars().for_each(|c| self.push(c));
                }
            }
            Some(c) if is_name(c) => {
                let mut name = String::new();
                while let Some(c) = self.rest.next_if(|c| is_name(*c)) {
                    name.push(c);
                }
                self.variable(&name);
            }
            _ => self.push('$'),
        }
    }

    fn variable(&mut self, name: &str) {
        let word = self.word.get_or_insert_default();
        word.push(OPEN);
        word.push_str(name);
        word.push(CLOSE);
    }

    /// `$'…'`, as browsers write it.
    fn ansi(&mut self) {
        self.word.get_or_insert_default();
        loop {
            match self.rest.next() {
                Some('\'') => return,
                Some('\\') => self.ansi_escape(),
                Some(c) => self.push(c),
                None => return self.broken = Some(Broken::Quote),
            }
        }
    }

    fn ansi_escape(&mut self) {
        match self.rest.next() {
            // Control characters have no place in a URL or a header.
            Some('n' | 'r' | 't' | 'a' | 'b' | 'e' | 'f' | 'v') | None => {}
            Some('x') => self.coded(0, 16, 2),
            Some('u') => self.coded(0, 16, 4),
            Some('U') => self.coded(0, 16, 8),
            Some(c @ '0'..='7') => self.coded(c.to_digit(8).unwrap_or(0), 8, 2),
            Some(c) => self.push(c),
        }
    }

    /// The character whose code begins with `code` and goes on for `most` further digits.
    fn coded(&mut self, mut code: u32, base: u32, most: usize) {
        for _ in 0..most {
            match self.rest.next_if(|c| c.is_digit(base)) {
                Some(c) => {
                    code = code
                        .saturating_mul(base)
                        .saturating_add(c.to_digit(base).unwrap_or(0));
                }
                None => break,
            }
        }
        if let Some(c) = char::from_u32(code).filter(|c| !c.is_control()) {
            self.push(c);
        }
    }

    fn end_word(&mut self) {
        self.words.extend(self.word.take());
    }

    fn end_command(&mut self) {
        self.end_word();
        let words = std::mem::take(&mut self.words);
        match self.broken.take() {
            Some(broken) => self.done.push(Err(broken)),
            None if words.is_empty() => {}
            None => self.done.push(Ok(words)),
        }
    }
}

const fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> Vec<String> {
        commands(text).remove(0).unwrap()
    }

    #[test]
    fn words_are_divided_as_a_shell_does() {
        assert_eq!(
            first("curl  'a b' \"c \\\"d\\\" \\x\" e\\ f ''"),
            ["curl", "a b", "c \"d\" \\x", "e f", ""]
        );
        assert_eq!(first("curl \\\n  -s x # more"), ["curl", "-s", "x"]);
        assert_eq!(first(r"curl $'it\'s\x41\u0042\n'"), ["curl", "it'sAB"]);
    }

    #[test]
    fn a_pasted_command_is_divided_the_same_way_and_kept_as_written() {
        for text in [
            "curl  'a b' \"c \\\"d\\\" \\x\" e\\ f ''",
            r"curl \$x 'it'\''s' $'it\'s\x41\u0042\103\n'",
            "curl \\\n  -s x",
        ] {
            assert_eq!(words(text), first(text), "{text}");
        }
        assert_eq!(
            words("curl -u \"a:$KEY\" `x` $(y)\r\nhttps://e.com/?a=1&b=2; \"c\\r"),
            [
                "curl",
                "-u",
                "a:$KEY",
                "`x`",
                "$(y)",
                "https://e.com/?a=1&b=2;",
                "c\\r"
            ]
        );
        assert_eq!(words("curl \\\r\n -s\r-i"), ["curl", "-s", "-i"]);
    }

    #[test]
    fn variables_are_marked_and_never_read() {
        assert_eq!(
            first("a $KEY \"x ${B:-c}\" '$C' $"),
            ["a", "\u{1}KEY\u{2}", "x \u{1}B\u{2}:-c", "$C", "$"]
        );
    }

    #[test]
    fn commands_end_at_line_ends_and_pipes() {
        let all = commands("curl a | jq .; curl b && curl c &\ncurl d");
        let firsts: Vec<_> = all
            .iter()
            .map(|words| words.as_ref().unwrap().join(" "))
            .collect();
        assert_eq!(firsts, ["curl a", "jq .", "curl b", "curl c", "curl d"]);
    }

    #[test]
    fn a_line_is_as_long_as_its_quotes_and_its_backslash_have_it() {
        for (text, count, lines) in [
            ("", 0, 1),
            ("\n", 0, 1),
            ("curl a", 1, 1),
            ("curl a\n", 1, 1),
            ("A=1; curl b # it's c\ncurl d", 2, 1),
            ("curl a \\\n -d 'x\ny' | jq .\ncurl d", 2, 3),
            ("curl 'x\n\ny", 1, 3),
        ] {
            let (commands, taken) = first_line(text);
            assert_eq!((commands.len(), taken), (count, lines), "{text:?}");
        }
    }

    #[test]
    fn what_would_run_a_program_is_broken() {
        assert_eq!(commands("curl $(pass x)")[0], Err(Broken::Substitution));
        assert_eq!(commands("curl \"`id`\"")[0], Err(Broken::Substitution));
        assert_eq!(commands("curl 'x")[0], Err(Broken::Quote));
    }
}
