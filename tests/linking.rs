//! The order that the release is linked in, with the linker that the toolchain links with.
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

use std::fs;
use std::path::Path;
use std::process::Command;

/// A function that the list names, and one that it does not.
const PROGRAM: &str = r#"
#[unsafe(no_mangle)] #[inline(never)] extern "C" fn sqlite3VdbeExec() { println!("listed") }
#[unsafe(no_mangle)] #[inline(never)] extern "C" fn never_heard_of() { println!("other") }
fn main() { sqlite3VdbeExec(); never_heard_of(); }
"#;

#[test]
fn the_listed_functions_stand_together_and_the_program_runs() {
    let order = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/linking/order.ld");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.rs"), PROGRAM).unwrap();
    let map = folder.path().join("map");
    let linked = Command::new("rustc")
        .args(["--edition", "2024", "-O", "small.rs", "-C", "link-arg=-T"])
        .arg("-C")
        .arg(format!("link-arg={}", order.display()))
        .arg("-C")
        .arg(format!("link-arg=-Wl,-Map={}", map.display()))
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&linked.stderr);
    assert!(linked.status.success(), "{said}");

    let ran = Command::new(folder.path().join("small")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "listed\nother\n");

    // The map names output sections at the end of a line by themselves, and what stands in them below.
    let map = fs::read_to_string(&map).unwrap();
    let section_of = |function: &str| {
        let stands = map.find(&format!(".text.{function}")).unwrap();
        let heads = map[..stands].lines().filter_map(|line| {
            let word = line.split_whitespace().last()?;
            [".text", ".text.used"].into_iter().find(|it| *it == word)
        });
        heads.last().unwrap()
    };
    assert_eq!(section_of("sqlite3VdbeExec"), ".text.used");
    assert_eq!(section_of("never_heard_of"), ".text");
}
