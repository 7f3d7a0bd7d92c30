//! What `doctor` looks at on disk: modes of files and folders, and secrets in plain text.
//!
//! Nothing is changed, and no value is shown: a finding names the file and the line.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::configuration::{BACKUP, SERVICES};
use super::files::{self, shown};
use crate::domain::Secret;

/// Bits of a mode that give group or others anything.
const OTHERS: u32 = 0o077;
/// Bits that let group or others write.
const OTHERS_WRITE: u32 = 0o022;
/// Shorter values stand in texts by chance.
const SHORTEST: usize = 8;
/// Hexadecimal digits of a Blesta API key (docs.blesta.com/developers/api).
const BLESTA_KEY: usize = 32;

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
pub struct Belongings {
    /// Folders that exist.
    folders: Vec<PathBuf>,
    /// Files that exist.
    files: Vec<PathBuf>,
}

impl Belongings {
    /// What stands in `folders`, and in the folders that we make inside them. Blocks, as all here.
    pub fn below(folders: &[&Path]) -> Self {
        let mut belongings = Self {
            folders: Vec::new(),
            files: Vec::new(),
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

    /// Where shells and editors below `home` keep what was typed and copied in them.
    pub fn histories(home: &Path) -> Self {
        let files = HISTORIES.iter().map(|name| home.join(name));
        Self {
            folders: Vec::new(),
            files: files.filter(|path| path.is_file()).collect(),
        }
    }

    fn add(&mut self, folder: PathBuf) {
        if self.folders.contains(&folder) {
            return;
        }
        let Ok(entries) = fs::read_dir(&folder) else {
            return;
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
                        shown(path)
                    )
                })
            })
            .collect()
    }

    /// Files that hold one of `values` as it is, or something of a key's shape.
    pub fn plain_texts(&self, values: &[Secret]) -> Vec<String> {
        self.found(|bytes| first_secret(bytes, values))
    }

    /// Files that hold one of `values` as it is: for files of others, in which much has a key's shape.
    pub fn known_texts(&self, values: &[Secret]) -> Vec<String> {
        self.found(|bytes| first_known(bytes, values))
    }

    fn found(&self, find: impl Fn(&[u8]) -> Option<usize>) -> Vec<String> {
        self.files
            .iter()
            .filter_map(|path| {
                let bytes = Zeroizing::new(files::read_regular(path, files::TEXT_LIMIT).ok()?);
                let line = files::line_of(&bytes, find(&bytes)?);
                let path = shown(path);
                Some(format!(
                    "line {line} of {path} holds a secret in plain text: take it out, and change it where it is issued"
                ))
            })
            .collect()
    }
}

/// A vault is encrypted, and a checkout of a team's repository gives it the mode that git keeps.
fn forbidden(path: &Path) -> u32 {
    let shared_vault = path.file_name().is_some_and(|name| name == "vault.age")
        && files::git_work_tree(path).is_some();
    if shared_vault { OTHERS_WRITE } else { OTHERS }
}

/// Where the first value, or the first text of a key's shape, begins.
fn first_secret(bytes: &[u8], values: &[Secret]) -> Option<usize> {
    // A database and an encrypted file hold all kinds of bytes.
    let shaped = std::str::from_utf8(bytes).ok().and_then(shaped);
    first_known(bytes, values).into_iter().chain(shaped).min()
}

/// Where the first of the values begins. One pass, however many they are.
fn first_known(bytes: &[u8], values: &[Secret]) -> Option<usize> {
    let mut by_start: HashMap<&[u8], Vec<&[u8]>> = HashMap::new();
    for value in values {
        let value = value.expose().as_bytes();
        if let Some(start) = value.get(..SHORTEST) {
            by_start.entry(start).or_default().push(value);
        }
    }
    bytes.windows(SHORTEST).enumerate().find_map(|(at, start)| {
        let candidates = by_start.get(start)?;
        let here = bytes.get(at..)?;
        candidates
            .iter()
            .any(|value| here.starts_with(value))
            .then_some(at)
    })
}

/// Where a Blesta key (32 hexadecimal digits) or a Connect key (`SU-…:…`) stands.
fn shaped(text: &str) -> Option<usize> {
    let mut at = 0;
    for word in text.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || "-:_".contains(c))) {
        let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let blesta = bare.len() == BLESTA_KEY
            && bare.bytes().all(|byte| byte.is_ascii_hexdigit())
            && bare.bytes().any(|byte| byte.is_ascii_digit());
        let connect = bare.starts_with("SU-")
            && bare
                .split_once(':')
                .is_some_and(|(_, secret)| secret.len() >= SHORTEST);
        if blesta || connect {
            return Some(at);
        }
        at += word.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn folder_with(name: &str, text: &str, mode: u32) -> (tempfile::TempDir, Belongings) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), text).unwrap();
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(folder.path().join(name), permissions).unwrap();
        let private = fs::Permissions::from_mode(0o700);
        fs::set_permissions(folder.path(), private).unwrap();
        let belongings = Belongings::below(&[folder.path()]);
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
            let found = belongings.plain_texts(std::slice::from_ref(&value));
            assert!(found[0].starts_with("line 2 of "), "{found:?}");
            assert!(!found[0].contains("horse") && !found[0].contains("0123"));
        }
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
        let histories = Belongings::histories(home.path());
        let found = histories.known_texts(&[Secret::new("hunter2hunter2")]);
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
                [""; 0],
                "{text}"
            );
        }
    }
}
