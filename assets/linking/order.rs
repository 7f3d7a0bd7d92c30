//! Has the linker put together what a start, a key, a probe and a watch run (`order.ld`).
//!
//! The kernel maps a program by windows of 16 pages around whatever is touched. Of the 11 MB of instructions a
//! start runs 2, but they stood all over the file, and so nearly all of it was read from the disk and counted
//! as the program's memory. A function that is not in the list, or no longer has its name, only stands elsewhere.
//! Names are those of the scheme that `.cargo/config.toml` asks for: with another one, all of ours do.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// What the linker is told for relocations in their short form (RELR), which glibc knows since 2.36: 10 KB to read
/// at a start instead of 440.
const SHORT: [&str; 1] = ["-Wl,-z,pack-relative-relocs"];

/// What the linker is told for functions that come to the same instructions: one of them stands for all, which is 90 KB
/// less. No address of a function means anything in Rust. SQLite compares some (a destructor, a callback, a step of an
/// aggregate), and none that may stand at those places comes to the same as the one that is asked about. The
/// toolchain's own linker and mold know the word, GNU's does not.
const ONE_FOR_ALL: [&str; 1] = ["-Wl,--icf=all"];

/// Hands the list to the linker, where it understands it.
pub(super) fn arrange() {
    println!("cargo::rerun-if-changed=assets/linking");
    for name in [
        "RUSTFLAGS",
        "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER",
        "SWITCHBOARD_PORTABLE",
        "SWITCHBOARD_UNFOLDED",
    ] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let Ok(root) = env::var("CARGO_MANIFEST_DIR") else {
        return;
    };
    let order = format!("{root}/assets/linking/order.ld");
    if !is("PROFILE", "release") || !is("CARGO_CFG_TARGET_OS", "linux") {
        return;
    }
    let list = ["-T", order.as_str()];
    if linked(&list).is_some() {
        let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
        if !flags.contains("symbol-mangling-version=v0") {
            println!(
                "cargo::warning=other flags stand in for those of .cargo/config.toml: the program will take more memory"
            );
        }
        tell(&list);
    }
    // tests/order wants to see each function under its own name.
    let folds = env::var_os("SWITCHBOARD_UNFOLDED").is_none();
    if folds && linked(&ONE_FOR_ALL).is_some() {
        tell(&ONE_FOR_ALL);
    }
    // Only for the machine that it is built on: one with an older glibc would refuse to load the program. Who builds
    // for others sets SWITCHBOARD_PORTABLE, as assets/packaging/build does.
    let is_for_here = env::var("HOST").ok() == env::var("TARGET").ok()
        && env::var_os("SWITCHBOARD_PORTABLE").is_none();
    if is_for_here && linked(&SHORT).is_some_and(|program| runs(&program)) {
        tell(&SHORT);
    }
}

fn tell(arguments: &[&str]) {
    for argument in arguments {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
}

/// A program that does nothing, linked with these arguments, by the linker and the flags of this build; nothing where
/// they are refused. The toolchain's own linker and GNU's insert a section before another one; mold and gold do not,
/// and then the release is linked as ever.
fn linked(arguments: &[&str]) -> Option<PathBuf> {
    let (Ok(folder), Ok(rustc), Ok(target)) =
        (env::var("OUT_DIR"), env::var("RUSTC"), env::var("TARGET"))
    else {
        return None;
    };
    let source = Path::new(&folder).join("tried.rs");
    fs::write(&source, "fn main() {}\n").ok()?;
    let mut linking = Command::new(rustc);
    linking.args(["--target", &target, "--out-dir", &folder]);
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    linking.args(flags.split('\u{1f}').filter(|flag| !flag.is_empty()));
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        linking.args(["-C", &format!("linker={linker}")]);
    }
    for argument in arguments {
        linking.args(["-C", &format!("link-arg={argument}")]);
    }
    let done = linking.arg(&source).output().ok()?;
    done.status
        .success()
        .then(|| Path::new(&folder).join("tried"))
}

/// Whether this machine loads and runs it.
fn runs(program: &Path) -> bool {
    Command::new(program)
        .output()
        .is_ok_and(|done| done.status.success())
}
