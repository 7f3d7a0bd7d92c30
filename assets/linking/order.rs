//! Has the linker put together what a start, a key, a probe and a watch run (`order.ld`).
//!
//! The kernel maps a program by windows of 16 pages around whatever is touched. Of the 11 MB of instructions a
//! start runs 2, but they stood all over the file, and so nearly all of it was read from the disk and counted
//! as the program's memory. A function that is not in the list, or no longer has its name, only stands elsewhere.
//! Names are those of the scheme that `.cargo/config.toml` asks for: with another one, all of ours do.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// Hands the list to the linker, where it understands it.
pub(super) fn arrange() {
    println!("cargo::rerun-if-changed=assets/linking");
    for name in ["RUSTFLAGS", "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let Ok(root) = env::var("CARGO_MANIFEST_DIR") else {
        return;
    };
    let order = format!("{root}/assets/linking/order.ld");
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux") && is_understood(&order) {
        let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
        if !flags.contains("symbol-mangling-version=v0") {
            println!(
                "cargo::warning=other flags stand in for those of .cargo/config.toml: the program will take more memory"
            );
        }
        for argument in ["-T", &order] {
            println!("cargo::rustc-link-arg-bins={argument}");
        }
    }
}

/// Whether a program is linked with this list, by the linker and the flags of this build. The toolchain's own and
/// GNU's insert a section before another one; mold and gold refuse to, and then the release is linked as ever.
fn is_understood(order: &str) -> bool {
    let (Ok(folder), Ok(rustc), Ok(target)) =
        (env::var("OUT_DIR"), env::var("RUSTC"), env::var("TARGET"))
    else {
        return false;
    };
    let tried = Path::new(&folder).join("tried.rs");
    if fs::write(&tried, "fn main() {}\n").is_err() {
        return false;
    }
    let mut linking = Command::new(rustc);
    linking.args(["--target", &target, "--out-dir", &folder]);
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    linking.args(flags.split('\u{1f}').filter(|flag| !flag.is_empty()));
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        linking.args(["-C", &format!("linker={linker}")]);
    }
    for argument in ["-T", order] {
        linking.args(["-C", &format!("link-arg={argument}")]);
    }
    linking
        .arg(&tried)
        .output()
        .is_ok_and(|done| done.status.success())
}
