//! Has the linker put together what a start, a key, a probe and a watch run (`order.ld`).
//!
//! The kernel maps a program by windows of 16 pages around whatever is touched. Of the 11 MB of instructions a
//! start runs 2, but they stood all over the file, and so nearly all of it was read from the disk and counted
//! as the program's memory. A function that is not in the list, or no longer has its name, only stands elsewhere.

#![expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script everything by the environment"
)]

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=assets/linking");
    let Ok(root) = env::var("CARGO_MANIFEST_DIR") else {
        return;
    };
    if understands_scripts() {
        for argument in ["-T", &format!("{root}/assets/linking/order.ld")] {
            println!("cargo::rustc-link-arg-bins={argument}");
        }
    }
}

/// Whether this is a release for a Linux whose linker is the toolchain's own or GNU's, which both insert a
/// section before another one. Whoever chose a linker has perhaps one that does not (mold, gold).
fn understands_scripts() -> bool {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let chosen = ["fuse-ld", "linker", "ld-path"];
    is("PROFILE", "release")
        && is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
        && is("CARGO_CFG_TARGET_ARCH", "x86_64")
        && env::var_os("RUSTC_LINKER").is_none()
        && !chosen.iter().any(|word| flags.contains(word))
}
