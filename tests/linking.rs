//! The order that the release is linked in, with the linker that the toolchain links with.
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

use std::fs;
use std::path::Path;
use std::process::Command;

/// A function that the list names, one that it does not, and two that come to the same.
const PROGRAM: &str = r#"
#[unsafe(no_mangle)] #[unsafe(link_section = ".text.once")] #[inline(never)] extern "C" fn once(number: u32) -> u32 { number.rotate_left(7) ^ 0x51 }
#[unsafe(no_mangle)] #[unsafe(link_section = ".text.again")] #[inline(never)] extern "C" fn again(number: u32) -> u32 { number.rotate_left(7) ^ 0x51 }
#[unsafe(no_mangle)] #[inline(never)] extern "C" fn sqlite3VdbeExec() { println!("listed") }
#[unsafe(no_mangle)] #[inline(never)] extern "C" fn never_heard_of() { println!("other") }
fn main() { sqlite3VdbeExec(); never_heard_of(); println!("{}", once(1) == again(1)); }
"#;

#[test]
fn the_listed_functions_stand_together_and_the_program_runs() {
    let order = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/linking/order.ld");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.rs"), PROGRAM).unwrap();
    let linked = Command::new("rustc")
        .args(["--edition", "2024", "-O", "small.rs", "-C", "link-arg=-T"])
        .arg("-C")
        .arg(format!("link-arg={}", order.display()))
        .args(["-C", "link-arg=-Wl,--icf=all"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&linked.stderr);
    assert!(linked.status.success(), "{said}");

    let ran = Command::new(folder.path().join("small")).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&ran.stdout),
        "listed\nother\ntrue\n"
    );

    // Which section a function stands in, by its address: "… .text.used PROGBITS address offset size …".
    let said_by = |tool: &str, words: &[&str]| {
        let output = Command::new(tool).args(words).current_dir(&folder).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    let hex = |word: &str| u64::from_str_radix(word, 16).unwrap();
    let symbols = said_by("nm", &["small"]);
    let sections = said_by("readelf", &["-S", "-W", "small"]);
    let address_of = |function: &str| {
        let line = symbols.lines().find(|line| line.ends_with(function));
        hex(line.unwrap().split(' ').next().unwrap())
    };
    let words: Vec<_> = sections.split_whitespace().collect();
    let at = words.iter().position(|word| *word == ".text.used").unwrap();
    let (begin, size) = (hex(words[at + 2]), hex(words[at + 4]));
    let together = begin..begin + size;
    assert!(together.contains(&address_of(" sqlite3VdbeExec")));
    assert!(!together.contains(&address_of(" never_heard_of")));
    assert_eq!(address_of(" once"), address_of(" again"));
}
