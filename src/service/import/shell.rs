//! Words as a shell divides them: quotes, escapes, line continuations, and where variables stand. Nothing is
//! run, and nothing is expanded: a variable becomes [`OPEN`] name [`CLOSE`] inside its word.

/// Stands before a variable's name in a word.
pub(super) const OPEN: char = '\u{1}';
/// Stands behind it.
pub(super) const CLOSE: char = '\u{2}';

/// One command: its words.
pub(super) type Command = Vec<String>;

/// Why a text can't be divided into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// A quote that nobody closed.
    Quote,
    /// `` ` `` or `$(`: the word would be what a program prints.
    Substitution,
}

impl Broken {
    pub(super) const fn say(self) -> &'static str {
        match self {
            Self::Quote => "a quote is not closed",
            Self::Substitution => "a word is what another program prints, which is not run here",
        }
    }
}

/// The commands in `text`, divided at line ends, `;`, `&` and `|`. A broken one stands as its problem.
pub(super) fn commands(text: &str) -> Vec<Result<Command, Broken>> {
    let clean: String = text
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect();
    let mut reader = ShellLexer {
        rest: clean.chars().peekable(),
        words: Vec::new(),
        word: None,
        broken: None,
        done: Vec::new(),
    };
    reader.run();
    reader.done
}

struct ShellLexer<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    words: Command,
    word: Option<String>,
    broken: Option<Broken>,
    done: Vec<Result<Command, Broken>>,
}

impl ShellLexer<'_> {
    fn run(&mut self) {
        while let Some(c) = self.rest.next() {
            match c {
                '\\' => match self.rest.next() {
                    Some('\n') | None => {}
                    Some(escaped) => self.push(escaped),
                },
                '\'' => self.single(),
                '"' => self.double(),
                '`' => self.broken = Some(Broken::Substitution),
                '$' => self.dollar(false),
                ' ' | '\t' => self.end_word(),
                '\n' | ';' | '&' | '|' => self.end_command(),
                '#' if self.word.is_none() => while self.rest.next_if(|c| *c != '\n').is_some() {},
                other => self.push(other),
            }
        }
        self.end_command();
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
                Some('`') => self.broken = Some(Broken::Substitution),
                Some('$') => self.dollar(true),
                Some(c) => self.push(c),
                None => return self.broken = Some(Broken::Quote),
            }
        }
    }

    /// `$NAME`, `${NAME}`, `$(…)`, `$'…'` (not inside double quotes), or the sign itself.
    fn dollar(&mut self, quoted: bool) {
        match self.rest.peek() {
            Some('(') => self.broken = Some(Broken::Substitution),
            Some('\'') if !quoted => {
                self.rest.next();
                self.ansi();
            }
            Some('{') => {
                self.rest.next();
                let mut name = String::new();
                while let Some(c) = self.rest.next_if(|c| *c != '}') {
                    name.push(c);
                }
                self.rest.next();
                // `${NAME:-default}`: the name is what counts.
                let end = name.find(|c: char| !is_name(c)).unwrap_or(name.len());
                self.variable(name.get(..end).unwrap_or_default());
            }
            Some(c) if is_name(*c) => {
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
            Some('n' | 'r' | 't' | 'a' | 'b' | 'e' | 'f' | 'v' | '0') | None => {}
            Some('x') => self.coded(2),
            Some('u') => self.coded(4),
            Some(c) => self.push(c),
        }
    }

    fn coded(&mut self, digits: usize) {
        let mut code = 0;
        for _ in 0..digits {
            match self.rest.next_if(char::is_ascii_hexdigit) {
                Some(c) => code = code * 16 + c.to_digit(16).unwrap_or(0),
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

    fn words(text: &str) -> Vec<String> {
        commands(text).remove(0).unwrap()
    }

    #[test]
    fn words_are_divided_as_a_shell_does() {
        assert_eq!(
            words("curl  'a b' \"c \\\"d\\\" \\x\" e\\ f ''"),
            ["curl", "a b", "c \"d\" \\x", "e f", ""]
        );
        assert_eq!(words("curl \\\n  -s x # more"), ["curl", "-s", "x"]);
        assert_eq!(words(r"curl $'it\'s\x41\u0042\n'"), ["curl", "it'sAB"]);
    }

    #[test]
    fn variables_are_marked_and_never_read() {
        assert_eq!(
            words("a $KEY \"x ${B:-c}\" '$C' $"),
            ["a", "\u{1}KEY\u{2}", "x \u{1}B\u{2}", "$C", "$"]
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
    fn what_would_run_a_program_is_broken() {
        assert_eq!(commands("curl $(pass x)")[0], Err(Broken::Substitution));
        assert_eq!(commands("curl \"`id`\"")[0], Err(Broken::Substitution));
        assert_eq!(commands("curl 'x")[0], Err(Broken::Quote));
    }
}
