//! The service files (`services`) and the themes as JSON, which is what the program reads of them.
//!
//! A start reads them, and TOML took a fifth of it: the tokens of a text take ten times its size, and are made
//! only to be thrown away. That they mean the same is tested where they are read.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Writes a file of JSON for each file of TOML, under the same name in the build's own folder.
pub(super) fn write() -> Result<(), String> {
    let into = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo names no folder to write to")?);
    for name in ["services", "themes"] {
        let from = Path::new("assets").join(name);
        println!("cargo::rerun-if-changed={}", from.display());
        folder(&from, &into.join(name))?;
    }
    Ok(())
}

fn folder(from: &Path, into: &Path) -> Result<(), String> {
    let failed =
        |what: &Path, problem: &dyn std::fmt::Display| format!("{}: {problem}", what.display());
    fs::create_dir_all(into).map_err(|problem| failed(into, &problem))?;
    for entry in fs::read_dir(from).map_err(|problem| failed(from, &problem))? {
        let path = entry.map_err(|problem| failed(from, &problem))?.path();
        let Some(name) = path.file_name() else {
            continue;
        };
        if path.is_dir() {
            folder(&path, &into.join(name))?;
        } else if path.extension().is_some_and(|kind| kind == "toml") {
            let text = fs::read_to_string(&path).map_err(|problem| failed(&path, &problem))?;
            let value: serde_json::Value =
                toml::from_str(&text).map_err(|problem| failed(&path, &problem))?;
            let to = into.join(name).with_extension("json");
            fs::write(&to, value.to_string()).map_err(|problem| failed(&to, &problem))?;
        }
    }
    Ok(())
}
