//! What `doctor` looks at on disk: modes of files and folders, and secrets in plain text.
//!
//! Nothing is changed, and no value is shown: a finding names the file and the line.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::configuration::{BACKUP, SERVICES};
use super::files::{self, FileProblem, quoted, shown};
use crate::domain::{Secret, error_chain, shape};

/// Bits of a mode that give group or others anything.
const OTHERS: u32 = 0o077;
/// The bit that lets all others read.
const ALL_READ: u32 = 0o004;
/// Bits that let group or others write.
const OTHERS_WRITE: u32 = 0o022;
/// Shorter values stand in texts by chance.
const SHORTEST: usize = 8;
/// Bytes that are looked at in one piece. No file that a person writes is larger.
const PIECE: u64 = files::TEXT_LIMIT;
/// Lines of a file that are named, at most: a log may have thousands.
const NAMED_LINES: usize = 12;

/// Files below a home in which a shell, an editor or a pager keeps what was typed, yanked or looked for.
const HISTORIES: [&str; 12] = [
    ".bash_history",
    ".zsh_history",
    ".zhistory",
    ".histfile",
    ".history",
    ".sh_history",
    ".ash_history",
    ".local/share/fish/fish_history",
    ".local/state/bash/history",
    ".python_history",
    ".viminfo",
    ".lesshst",
];

/// Folders of ours with everything in them, as deep as we write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnFolders {
    /// Folders that exist.
    folders: Vec<PathBuf>,
    /// Files that exist.
    files: Vec<PathBuf>,
    /// What could not be looked at, a sentence each.
    unread: Vec<String>,
}

/// What a search through files has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Searched {
    /// Where a secret stands, a sentence each.
    pub findings: Vec<String>,
    /// Where none was looked for, and why.
    pub unread: Vec<String>,
}

impl OwnFolders {
    /// What stands in `folders`, and in the folders that we make inside them. Blocks, as all here.
    pub fn below(folders: &[&Path]) -> Self {
        let mut belongings = Self {
            folders: Vec::new(),
            files: Vec::new(),
            unread: Vec::new(),
        };
        for folder in folders {
            for folder in [
                (*folder).to_owned(),
                folder.join(BACKUP),
                folder.join(SERVICES),
            ] {
                belongings.add(folder);
            }
        }
        belongings
    }

    /// These files of the user's own, as far as they exist.
    pub fn of(files: impl IntoIterator<Item = PathBuf>) -> Self {
        Self {
            folders: Vec::new(),
            files: files.into_iter().filter(|path| path.is_file()).collect(),
            unread: Vec::new(),
        }
    }

    /// Where shells and editors below `home` keep what was typed and copied in them.
    pub fn histories(home: &Path) -> Self {
        Self::of(HISTORIES.iter().map(|name| home.join(name)))
    }

    fn add(&mut self, folder: PathBuf) {
        if self.folders.contains(&folder) {
            return;
        }
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    let problem = read_problem(&folder, error);
                    self.unread.push(not_looked_at(&problem));
                }
                return;
            }
        };
        let paths = entries.flatten().map(|entry| entry.path());
        let mut files: Vec<_> = paths.filter(|path| path.is_file()).collect();
        files.sort();
        self.files.extend(files);
        self.folders.push(folder);
    }

    /// What others may do there that they must not, a sentence each with the chmod that mends it.
    pub fn modes(&self) -> Vec<String> {
        let folders = self.folders.iter().map(|path| (path, "700"));
        let files = self.files.iter().map(|path| (path, "600"));
        folders
            .chain(files)
            .filter_map(|(path, right)| {
                let mode = files::mode(path).ok()?;
                (mode & forbidden(path) != 0).then(|| {
                    format!(
                        "{} has mode {mode:04o}, so others get at it: run `chmod {right} {}`",
                        shown(path),
                        quoted(path)
                    )
                })
            })
            .collect()
    }

    /// Files that anybody may read, a sentence each with the chmod that mends it. (Whom a group is for, its owner
    /// knows.)
    pub fn open_to_all(&self) -> Vec<String> {
        let open = self.files.iter().filter_map(|path| {
            let mode = files::mode(path).ok()?;
            (mode & ALL_READ != 0).then(|| {
                let (path, word) = (shown(path), quoted(path));
                format!("{path} has mode {mode:04o}, so anybody reads the key in it: run `chmod o-r {word}`")
            })
        });
        open.collect()
    }

    /// Files that hold one of `values` as it is, or something of a key's shape.
    pub fn plain_texts(&self, values: &[Secret]) -> Searched {
        self.searched(&SearchTargets::new(values, Shapes::Too))
    }

    /// Files that hold one of `values` as it is: for files of others, in which much has a key's shape.
    pub fn known_texts(&self, values: &[Secret]) -> Searched {
        self.searched(&SearchTargets::new(values, Shapes::Not))
    }

    fn searched(&self, wanted: &SearchTargets<'_>) -> Searched {
        let mut searched = Searched {
            findings: Vec::new(),
            unread: self.unread.clone(),
        };
        for path in &self.files {
            let lines = files::open_regular(path).and_then(|(file, metadata)| {
                let size = usize::try_from(PIECE.min(metadata.len() + 1)).unwrap_or_default();
                let lines = wanted.lines_in(file, size);
                lines.map_err(|source| read_problem(path, source))
            });
            match lines {
                Ok(lines) => searched.findings.extend(finding(path, &lines)),
                // Taken away meanwhile.
                Err(FileProblem::Read { source, .. })
                    if source.kind() == io::ErrorKind::NotFound => {}
                Err(problem) => searched.unread.push(not_looked_at(&problem)),
            }
        }
        searched
    }
}

/// The sentence about the lines of one file that hold a secret; nothing where there is none.
fn finding(path: &Path, lines: &BTreeSet<usize>) -> Option<String> {
    let one_line = "holds a secret in plain text: take it out, and change it where it is issued";
    let path = shown(path);
    let named: Vec<_> = lines
        .iter()
        .take(NAMED_LINES)
        .map(usize::to_string)
        .collect();
    let (last, others) = named.split_last()?;
    if others.is_empty() {
        return Some(format!("line {last} of {path} {one_line}"));
    }
    let named = match lines.len() - named.len() {
        0 => format!("{} and {last}", others.join(", ")),
        more => format!("{} and {more} more", named.join(", ")),
    };
    Some(format!(
        "lines {named} of {path} hold secrets in plain text: take them out, and change them where they are issued"
    ))
}

fn read_problem(path: &Path, source: io::Error) -> FileProblem {
    FileProblem::Read {
        path: path.to_owned(),
        source,
    }
}

fn not_looked_at(problem: &FileProblem) -> String {
    format!(
        "{}: whether a secret stands there was not looked at",
        error_chain(problem)
    )
}

/// A vault is encrypted, and a checkout of a team's repository gives it the mode that git keeps.
fn forbidden(path: &Path) -> u32 {
    let shared_vault = path.file_name().is_some_and(|name| name == "vault.age")
        && files::git_work_tree(path).is_some();
    if shared_vault { OTHERS_WRITE } else { OTHERS }
}

/// Whether what only has the shape of a key is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shapes {
    Too,
    Not,
}

/// What is looked for.
struct SearchTargets<'a> {
    /// Whether a value begins with this byte: most places are passed by for it.
    begins: [bool; 256],
    by_start: HashMap<&'a [u8], Vec<&'a [u8]>>,
    longest: usize,
    shapes: Shapes,
}

impl<'a> SearchTargets<'a> {
    fn new(values: &'a [Secret], shapes: Shapes) -> Self {
        let mut wanted = Self {
            begins: [false; 256],
            by_start: HashMap::new(),
            longest: 0,
            shapes,
        };
        for value in values {
            let value = value.expose().as_bytes();
            if let Some(start) = value.get(..SHORTEST) {
                wanted.begins[usize::from(start[0])] = true;
                wanted.by_start.entry(start).or_default().push(value);
                wanted.longest = wanted.longest.max(value.len());
            }
        }
        wanted
    }

    /// The lines, from 1, in which something of it stands, in pieces of `size` bytes. A piece ends with a line
    /// where it can: so a word is whole in it. Where a line is longer than that, the next piece begins with as
    /// much of this one as a value may have there.
    fn lines_in(&self, mut source: impl Read, size: usize) -> io::Result<BTreeSet<usize>> {
        let mut buffer = Zeroizing::new(vec![0; size.max(2 * self.longest)]);
        let (mut held, mut line) = (0, 1);
        // A database and an encrypted file hold all kinds of bytes: nothing has a shape in them.
        let mut is_text = self.shapes == Shapes::Too;
        let (mut known, mut of_shape) = (BTreeSet::new(), BTreeSet::new());
        loop {
            let full = held + fill(&mut source, buffer.get_mut(held..).unwrap_or_default())?;
            let is_last = full < buffer.len();
            let all = buffer.get(..full).unwrap_or_default();
            let end_of_line = all.iter().rposition(|byte| *byte == b'\n');
            let end = match end_of_line {
                Some(at) if !is_last => at + 1,
                _ => full,
            };
            let piece = all.get(..end).unwrap_or_default();
            known.extend(self.known_lines(piece).map(|at| line + at));
            is_text = is_text && std::str::from_utf8(piece).is_ok();
            if is_text {
                of_shape.extend(shaped_lines(piece).map(|at| line + at));
            }
            if is_last {
                if is_text {
                    known.append(&mut of_shape);
                }
                return Ok(known);
            }
            line += files::line_of(piece, end) - 1;
            let again = if end_of_line.is_some() {
                0
            } else {
                self.longest
            };
            buffer.copy_within(end.saturating_sub(again)..full, 0);
            held = full - end.saturating_sub(again);
        }
    }

    /// The lines of a piece, from 0, in which a value begins. One pass, however many the values are.
    fn known_lines<'b>(&'b self, piece: &'b [u8]) -> impl Iterator<Item = usize> + 'b {
        let (mut line, mut counted) = (0, 0);
        let starts = piece.windows(SHORTEST).enumerate();
        let starts = starts.filter(|(_, start)| self.begins[usize::from(start[0])]);
        let known = starts.filter(move |(at, start)| {
            let here = piece.get(*at..).unwrap_or_default();
            let candidates = self.by_start.get(*start).map_or(&[][..], Vec::as_slice);
            candidates.iter().any(|value| here.starts_with(value))
        });
        known.map(move |(at, _)| {
            line += files::line_of(piece.get(counted..).unwrap_or_default(), at - counted) - 1;
            counted = at;
            line
        })
    }
}

/// Reads until `buffer` is full or `source` at its end; gives the bytes.
fn fill(source: &mut impl Read, mut buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while !buffer.is_empty() {
        match source.read(buffer) {
            Ok(0) => break,
            Ok(read) => {
                filled += read;
                buffer = buffer.get_mut(read..).unwrap_or_default();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The lines of a piece of text, from 0, in which something has the shape of a secret.
fn shaped_lines(piece: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let text = std::str::from_utf8(piece).unwrap_or_default();
    let lines = text.split('\n').enumerate();
    let shaped = lines.filter(|(_, line)| shape::line_holds_secret(line));
    shaped.map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn folder_with(name: &str, text: &str, mode: u32) -> (tempfile::TempDir, OwnFolders) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), text).unwrap();
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(folder.path().join(name), permissions).unwrap();
        let private = fs::Permissions::from_mode(0o700);
        fs::set_permissions(folder.path(), private).unwrap();
        let belongings = OwnFolders::below(&[folder.path()]);
        (folder, belongings)
    }

    #[test]
    fn what_others_get_at_is_named_with_its_chmod() {
        let (folder, belongings) = folder_with("switchboard.toml", "", 0o640);
        let path = folder.path().join("switchboard.toml").display().to_string();
        let expected = format!("{path} has mode 0640, so others get at it: run `chmod 600 {path}`");
        assert_eq!(belongings.modes(), [expected]);
        let (_folder, belongings) = folder_with("switchboard.toml", "", 0o600);
        assert_eq!(belongings.modes(), [""; 0]);
    }

    #[test]
    fn a_vault_in_git_may_be_read_but_not_written_by_others() {
        let (folder, belongings) = folder_with("vault.age", "age", 0o644);
        assert_eq!(belongings.modes().len(), 1);
        fs::create_dir(folder.path().join(".git")).unwrap();
        assert_eq!(belongings.modes(), [""; 0]);
    }

    #[test]
    fn a_known_value_and_the_shape_of_a_key_are_found_and_not_shown() {
        let value = Secret::new("correct horse battery");
        for text in [
            "a\nb correct horse battery",
            "a\nnote = \"0123456789abcdef0123456789abcdef\"",
            "a\nApiKey SU-123-456-789:0a1b2c3d4e5f",
        ] {
            let (_folder, belongings) = folder_with("switchboard.log", text, 0o600);
            let found = belongings
                .plain_texts(std::slice::from_ref(&value))
                .findings;
            assert!(found[0].starts_with("line 2 of "), "{found:?}");
            assert!(!found[0].contains("horse") && !found[0].contains("0123"));
        }
    }

    #[test]
    fn every_line_of_a_file_is_named_as_long_as_they_are_few() {
        let user = "username = \"SU-1-2:0a1b2c3d4e5f\"\n";
        let at = |lines: usize| {
            let text = format!("a\n{}", user.repeat(lines));
            let (_folder, belongings) = folder_with("switchboard.toml", &text, 0o600);
            let found = belongings.plain_texts(&[]).findings;
            assert_eq!(found.len(), 1, "{found:?}");
            found[0].clone()
        };
        assert!(at(1).starts_with("line 2 of "), "{}", at(1));
        assert!(at(3).starts_with("lines 2, 3 and 4 of "), "{}", at(3));
        let many = at(30);
        assert!(many.contains(" 12, 13 and 18 more of "), "{many}");
    }

    #[test]
    fn a_value_that_was_typed_into_a_shell_is_found_and_nothing_that_looks_like_one() {
        let home = tempfile::tempdir().unwrap();
        let fish = home.path().join(".local/share/fish");
        fs::create_dir_all(&fish).unwrap();
        fs::write(
            fish.join("fish_history"),
            "ls\ncurl -u me:hunter2hunter2 x\n",
        )
        .unwrap();
        let hash = "sha 0123456789abcdef0123456789abcdef\n";
        fs::write(home.path().join(".bash_history"), hash).unwrap();
        let histories = OwnFolders::histories(home.path());
        let found = histories.known_texts(&[Secret::new("hunter2hunter2")]);
        assert_eq!(found.unread, [""; 0]);
        let found = found.findings;
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("line 2 of ") && found[0].contains("fish_history"));
        assert!(!found[0].contains("hunter2"));
    }

    #[test]
    fn what_only_looks_like_a_key_is_left_alone() {
        for text in [
            "username = \"SU-123-456-789\"",
            "fingerprint 0123456789abcdef0123456789abcdef01",
            "key = \"vault:shop/key\"",
            "shop",
        ] {
            let (_folder, belongings) = folder_with("switchboard.toml", text, 0o600);
            assert_eq!(
                belongings.plain_texts(&[Secret::new("shop")]),
                Searched::default(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_file_is_looked_through_in_pieces_of_any_size() {
        let value = Secret::new("correct horse battery");
        let key = "0123456789abcdef0123456789abcdef";
        for (text, expected) in [
            (
                format!("{}correct horse battery\n", "line\n".repeat(40)),
                vec![41],
            ),
            (
                format!("a\n{}correct horse battery", "x".repeat(999)),
                vec![2],
            ),
            (
                format!("{}{key}\n{}", "a\n".repeat(70), "b\n".repeat(90)),
                vec![71],
            ),
            (
                format!("{key}\n{}correct horse battery\n{key}", "a\n".repeat(70)),
                vec![1, 72, 73],
            ),
            (format!("{}{key}{key}\n", "a\n".repeat(70)), vec![]),
            ("correct horse\n battery".repeat(30), vec![]),
        ] {
            let wanted = SearchTargets::new(std::slice::from_ref(&value), Shapes::Too);
            for size in [90, 91, 128, 1 << 20] {
                let found = wanted.lines_in(text.as_bytes(), size).unwrap();
                let expected = expected.iter().copied().collect();
                assert_eq!(found, expected, "pieces of {size}: {text}");
            }
        }
        let binary = [b"\xff\xfe\n".repeat(90), key.as_bytes().to_owned()].concat();
        let wanted = SearchTargets::new(&[], Shapes::Too);
        assert!(wanted.lines_in(&*binary, 128).unwrap().is_empty());
    }

    #[test]
    fn what_is_too_big_for_one_piece_is_looked_through_all_the_same() {
        let (folder, belongings) = folder_with("switchboard.log", "", 0o600);
        let log = fs::File::create(folder.path().join("switchboard.log")).unwrap();
        log.set_len(PIECE + 10).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&log, b"\nhunter2hunter2", PIECE - 5).unwrap();
        let found = belongings.known_texts(&[Secret::new("hunter2hunter2")]);
        assert_eq!(found.unread, [""; 0]);
        assert!(found.findings[0].starts_with("line 2 of "), "{found:?}");
    }

    #[test]
    fn what_cannot_be_read_is_not_clean() {
        let (folder, belongings) = folder_with("switchboard.log", "", 0o600);
        let path = folder.path().join("switchboard.log");
        fs::remove_file(&path).unwrap();
        assert_eq!(belongings.plain_texts(&[]), Searched::default(), "gone");
        // Something that can't be read, even by root.
        fs::create_dir(&path).unwrap();
        let searched = belongings.plain_texts(&[]);
        assert_eq!(searched.findings, [""; 0]);
        let said = &searched.unread[0];
        assert!(
            said.contains(&shown(&path)) && said.ends_with("was not looked at"),
            "{said}"
        );
        // A file where a folder belongs can't be looked into either.
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let belongings = OwnFolders::below(&[&file]);
        assert_eq!(belongings.plain_texts(&[]).unread.len(), 3);
    }
}
