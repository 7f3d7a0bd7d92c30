//! Guides, schemas and services, as they were written, in one compressed file: texts that few ask for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// The folders, below `assets`.
const FOLDERS: [&str; 3] = ["guide", "schema", "services"];

/// Writes `texts.json.z` in the build's own folder: the texts by their paths below `assets`.
pub(super) fn write() -> Result<(), String> {
    let mut texts = BTreeMap::new();
    for folder in FOLDERS {
        let from = Path::new("assets").join(folder);
        println!("cargo::rerun-if-changed={}", from.display());
        let failed = |problem: std::io::Error| format!("{}: {problem}", from.display());
        for entry in fs::read_dir(&from).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.path().is_dir() {
                continue;
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            let text = fs::read_to_string(entry.path()).map_err(failed)?;
            texts.insert(format!("{folder}/{name}"), text);
        }
    }
    let into = env::var_os("OUT_DIR").ok_or("cargo names no folder to write to")?;
    let to = PathBuf::from(into).join("texts.json.z");
    let failed = |problem: &dyn std::fmt::Display| format!("{}: {problem}", to.display());
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
    serde_json::to_writer(&mut packed, &texts).map_err(|problem| failed(&problem))?;
    let packed = packed.finish().map_err(|problem| failed(&problem))?;
    fs::write(&to, packed).map_err(|problem| failed(&problem))
}
