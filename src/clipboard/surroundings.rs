//! What the program stands in, as far as a copy cares: a plain value made from a look-up of variables.

use std::ffi::OsString;

use super::child::{Call, Limit};
use super::tmux;

/// The variables that are kept for children, each for a reason: to be found (`PATH`, `HOME`), to reach a
/// desktop (`DISPLAY` to `XDG_RUNTIME_DIR`), tmux, or what a user's own command may speak to.
const KEPT: [&str; 22] = [
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TERM",
    "TMPDIR",
    "DISPLAY",
    "XAUTHORITY",
    "WAYLAND_DISPLAY",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "TMUX",
    "TMUX_PANE",
    "TMUX_TMPDIR",
    "SSH_CONNECTION",
    "SSH_TTY",
    "SSH_AUTH_SOCK",
    "WSL_INTEROP",
    "WSL_DISTRO_NAME",
    "PREFIX",
];

/// Values of `TERM` that have no clipboard, and some of which print what they do not know.
const WITHOUT_CLIPBOARD: [&str; 8] = [
    "", "dumb", "unknown", "linux", "vt52", "vt100", "vt102", "vt220",
];

/// Whether a terminal of this name (`TERM`) is a tmux or a GNU screen: the latter's name was tmux's own for long.
pub(super) fn is_multiplexer(term: &str) -> bool {
    term.starts_with("tmux") || term.starts_with("screen")
}

/// What the terminal on our stdout is known to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Terminal {
    /// There is none, or one of a kind that has no clipboard.
    #[default]
    Without,
    /// There is one, and it has not said whether it takes OSC 52. Most never say.
    Silent,
    /// It announced that it takes OSC 52 (parameter 52 in its answer to DA1).
    Announces,
}

impl Terminal {
    /// Reads the answer to DA1 (`ESC [ c`), which is `ESC [ ? 64 ; … c`: parameter 52 announces that the
    /// terminal takes OSC 52. Its absence proves nothing, as most that do take it leave it out.
    ///
    /// To be asked only where the answer is taken out of the keys, however late it comes, and not in a tmux or
    /// GNU screen, which answer for themselves.
    pub fn announced_in(answer: &[u8]) -> Self {
        let parameters = answer
            .split(|byte| *byte == b'\x1b')
            .filter_map(|sequence| sequence.strip_prefix(b"[?")?.strip_suffix(b"c"));
        let mut all = parameters.flat_map(|it| it.split(|byte| *byte == b';'));
        if all.any(|parameter| parameter == b"52") {
            Self::Announces
        } else {
            Self::Silent
        }
    }
}

/// What a copy is decided from. Made by [`Surroundings::read`]; tests write it down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The user's own command, program and arguments; it gets the text on stdin.
    pub command: Option<Vec<String>>,
    /// Whether the person sits at another machine than this one.
    pub ssh: bool,
    /// Whether we run in a pane of tmux.
    pub tmux: bool,
    /// Whether we run in a window of GNU screen.
    pub screen: bool,
    /// The terminal on our stdout.
    pub terminal: Terminal,
    /// The variables that children may get; each gets only those that it needs.
    pub variables: Vec<(&'static str, OsString)>,
}

impl Surroundings {
    /// Reads the surroundings through `look_up`, which gives the value of an environment variable.
    /// `command` is the user's setting; `terminal` is what is known of the one on our stdout, and is
    /// lowered to [`Terminal::Without`] where `TERM` names one that has no clipboard.
    pub fn read(
        look_up: impl Fn(&str) -> Option<OsString>,
        command: Option<Vec<String>>,
        terminal: Terminal,
    ) -> Self {
        let set = |name: &str| look_up(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        let deaf = WITHOUT_CLIPBOARD.iter().any(|known| term == *known);
        Self {
            command: runnable(command),
            ssh: ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"]
                .iter()
                .any(|name| set(name).is_some()),
            tmux: set("TMUX").is_some(),
            screen: set("STY").is_some(),
            terminal: if deaf { Terminal::Without } else { terminal },
            variables: KEPT
                .into_iter()
                .filter_map(|name| Some((name, set(name)?)))
                .collect(),
        }
    }

    /// The user has set another command, or none.
    pub(super) fn set_command(&mut self, command: Option<Vec<String>>) {
        self.command = runnable(command);
    }

    /// Whether a tmux or GNU screen of another machine stands before us, as where somebody came by ssh out of one:
    /// it can't be called, and keeps what it passes on.
    pub(super) fn is_behind_tmux(&self) -> bool {
        is_multiplexer(self.term()) && !self.tmux && !self.screen
    }

    /// Whether that may be a GNU screen, whose name a tmux can have too.
    pub(super) fn may_be_behind_screen(&self) -> bool {
        self.is_behind_tmux() && self.term().starts_with("screen")
    }

    fn term(&self) -> &str {
        let mut variables = self.variables.iter();
        let term = variables.find_map(|(name, value)| (*name == "TERM").then_some(value));
        term.and_then(|term| term.to_str()).unwrap_or_default()
    }

    /// Whether a desktop may be within reach.
    pub fn has_desktop(&self) -> bool {
        self.variables
            .iter()
            .any(|(name, _)| matches!(*name, "DISPLAY" | "WAYLAND_DISPLAY"))
    }

    /// The variables of `names`, for a child.
    pub(super) fn only(&self, names: &[&str]) -> Vec<(&'static str, OsString)> {
        self.variables
            .iter()
            .filter(|(name, _)| names.contains(name))
            .cloned()
            .collect()
    }

    /// In tmux our own variables are those of the day the pane was opened; who sits in front of it now is
    /// asked of tmux, which takes `SSH_CONNECTION` over at every attach. Without an answer, or where the
    /// user has switched that off, our own variables count.
    pub(super) async fn refined(mut self, limit: Limit) -> Self {
        if self.tmux {
            let asked = Call::new("tmux", &["show-environment", "SSH_CONNECTION"])
                .with_variables(self.only(&tmux::VARIABLES))
                .answer(limit)
                .await;
            if let Some(ssh) = asked.ok().and_then(|answer| attached_over_ssh(&answer)) {
                self.ssh = ssh;
            }
        }
        self
    }
}

/// Reads tmux's answer: `NAME=value` is set, `-NAME` is known to be unset.
fn attached_over_ssh(answer: &[u8]) -> Option<bool> {
    let answer = str::from_utf8(answer).ok()?.trim();
    if answer == "-SSH_CONNECTION" {
        return Some(false);
    }
    let value = answer.strip_prefix("SSH_CONNECTION=")?;
    Some(!value.is_empty())
}

/// One that names a program.
fn runnable(command: Option<Vec<String>>) -> Option<Vec<String>> {
    command.filter(|words| words.first().is_some_and(|it| !it.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Surroundings {
        Surroundings::read(
            |name| {
                let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
                Some(OsString::from(value))
            },
            None,
            Terminal::Silent,
        )
    }

    #[test]
    fn any_of_sshds_variables_means_ssh() {
        for name in ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"] {
            assert!(read(&[(name, "10.0.0.1 1 10.0.0.2 22")]).ssh, "{name}");
            assert!(!read(&[(name, "")]).ssh, "{name} is empty");
        }
        assert!(!read(&[("SSH_AUTH_SOCK", "/tmp/agent")]).ssh);
    }

    #[test]
    fn a_terminal_without_a_clipboard_is_known_by_its_name() {
        let kind = |term| read(&[("TERM", term)]).terminal;
        for term in ["linux", "dumb", "vt220", ""] {
            assert_eq!(kind(term), Terminal::Without, "{term}");
        }
        for term in ["xterm", "xterm-256color", "screen", "tmux-256color", "foot"] {
            assert_eq!(kind(term), Terminal::Silent, "{term}");
        }
    }

    #[test]
    fn a_tmux_of_another_machine_is_known_by_the_terminals_name() {
        for (variables, expected) in [
            (&[("TERM", "tmux-256color")][..], true),
            (&[("TERM", "screen")], true),
            (&[("TERM", "xterm-256color")], false),
            (&[("TERM", "tmux-256color"), ("TMUX", "/tmp/t,1,0")], false),
            (&[("TERM", "screen"), ("STY", "1.pts-0")], false),
        ] {
            let around = read(variables);
            assert_eq!(around.is_behind_tmux(), expected, "{variables:?}");
            let is_named = variables[0].1 == "screen";
            assert_eq!(around.may_be_behind_screen(), expected && is_named);
        }
    }

    #[test]
    fn only_parameter_52_announces_a_clipboard() {
        let table: [(&[u8], Terminal); 7] = [
            (b"\x1b[?62;22;52c", Terminal::Announces),
            (b"\x1b[?1;1$y\x1b[?52;6c", Terminal::Announces),
            (b"\x1b[?1;2c", Terminal::Silent),
            (b"\x1b[?64;152;522c", Terminal::Silent),
            (b"\x1b[>0;52;0c", Terminal::Silent),
            (b"\x1b[?52", Terminal::Silent),
            (b"", Terminal::Silent),
        ];
        for (answer, expected) in table {
            assert_eq!(Terminal::announced_in(answer), expected, "{answer:?}");
        }
    }

    #[test]
    fn a_desktop_is_an_x_or_a_wayland_display() {
        assert!(read(&[("DISPLAY", ":0")]).has_desktop());
        assert!(read(&[("WAYLAND_DISPLAY", "wayland-0")]).has_desktop());
        assert!(!read(&[("DISPLAY", "")]).has_desktop());
        assert!(!read(&[("HOME", "/home/a")]).has_desktop());
    }

    #[test]
    fn children_get_nothing_that_is_not_on_the_list() {
        let around = read(&[
            ("HOME", "/home/a"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("DISPLAY", ":0"),
        ]);
        let names: Vec<_> = around.variables.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["HOME", "DISPLAY"]);
        assert_eq!(
            around.only(&["DISPLAY"]),
            [("DISPLAY", OsString::from(":0"))]
        );
    }

    #[test]
    fn a_command_without_a_program_is_none() {
        let with = |command| Surroundings::read(|_| None, command, Terminal::Silent).command;
        assert_eq!(with(Some(vec![])), None);
        assert_eq!(with(Some(vec![String::new()])), None);
        assert_eq!(with(Some(vec!["xclip".into()])), Some(vec!["xclip".into()]));
    }

    #[test]
    fn tmux_says_who_sits_in_front_of_it() {
        let table: [(&[u8], Option<bool>); 5] = [
            (b"SSH_CONNECTION=10.0.0.1 5 10.0.0.2 22\n", Some(true)),
            (b"-SSH_CONNECTION\n", Some(false)),
            (b"SSH_CONNECTION=\n", Some(false)),
            (b"", None),
            (b"\xff", None),
        ];
        for (answer, expected) in table {
            assert_eq!(attached_over_ssh(answer), expected, "{answer:?}");
        }
    }
}
