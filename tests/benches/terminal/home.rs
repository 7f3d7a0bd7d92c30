//! Homes of a user: a configuration, and nothing else.

use std::fmt::{Display, Write as _};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use tempfile::TempDir;

/// A home with this configuration.
pub fn home(configuration: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    configured(home.path(), configuration);
    home
}

/// Gives a home this configuration.
pub fn configured(home: &Path, configuration: &str) {
    let folder = home.join(".config/switchboard");
    let mut made = fs::DirBuilder::new();
    made.recursive(true).mode(0o700).create(&folder).unwrap();
    written(&folder.join("switchboard.toml"), configuration);
}

/// Writes a file that is nobody else's.
pub fn written(path: &Path, text: &str) {
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

/// A configuration with these settings and a connection to each URL, in this order by name; the first `resting`
/// of them are left out of watching.
pub fn connections(
    settings: &str,
    resting: usize,
    urls: impl IntoIterator<Item = impl Display>,
) -> String {
    let mut text = format!("version = 1\n[settings]\n{settings}\n");
    for (number, url) in urls.into_iter().enumerate() {
        let _ = write!(
            text,
            "\n[[connection]]\nname = \"conn-{number:05}\"\nservice = \"http\"\nurl = \"{url}\"\npaused = {}\n",
            number < resting
        );
    }
    text
}
