//! The program that a bench measures.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// The build that `--binary PATH` names; else the release that users have, built now where it is not there yet.
///
/// What cargo builds beside a bench is another program: the test libraries ask for features of crates that both use
/// (such as tokio's clock for tests), and with those the names of functions differ, so that the linker does not find
/// what `assets/linking` lists. That one needs more memory, and more time to end.
pub fn program() -> PathBuf {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
        let mut arguments = std::env::args().skip_while(|word| word != "--binary");
        arguments.nth(1).map_or_else(built, PathBuf::from)
    });
    PROGRAM.clone()
}

/// Where both builds are put; the later one stays.
const BUILT: &str = env!("CARGO_BIN_EXE_switchboard");

fn built() -> PathBuf {
    let target = Path::new(BUILT).ancestors().nth(2).unwrap();
    let mut build = Command::new(env!("CARGO"));
    build.args([
        "build",
        "--release",
        "--locked",
        "--bin",
        "switchboard",
        "--target-dir",
    ]);
    build.arg(target).current_dir(env!("CARGO_MANIFEST_DIR"));
    // cargo has told this process what package it is of. ring's build script looks at these names, and would have it,
    // and all that uses it, built anew by each of the two builds in turn.
    for (name, _) in std::env::vars_os() {
        let of_package = ["CARGO_PKG_", "CARGO_MANIFEST_"];
        if of_package
            .iter()
            .any(|begin| name.to_string_lossy().starts_with(begin))
        {
            build.env_remove(name);
        }
    }
    assert!(
        build.status().unwrap().success(),
        "the release does not build"
    );
    BUILT.into()
}
