//! The README says what the program does: its table of keys is the program's own.

use std::fs;
use std::path::Path;

use switchboard::app::{Keymap, hints};

/// Where the table begins and ends.
const BEGIN: &str = "<!-- keys: made from the program's table, held by a test -->\n";
const END: &str = "<!-- /keys -->";

#[test]
fn the_table_of_keys_is_the_programs_own() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    let made = hints::markdown(&Keymap::default());
    // UPDATE_README=1 writes it anew.
    if std::env::vars_os().any(|(name, _)| name == "UPDATE_README") {
        fs::write(&path, format!("{before}{BEGIN}{made}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(table, made, "run UPDATE_README=1 cargo test --test readme");
}
