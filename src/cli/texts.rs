//! Guides, schemas and services, as they were written, which the build has compressed (`assets/texts.rs`): few ask for them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use flate2::read::DeflateDecoder;

const PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/texts.json.z"));

/// The text at a path below `assets`. (A test proves that each that is asked for is there.)
pub fn text(path: &str) -> &'static str {
    static TEXTS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
        let read = serde_json::from_reader(DeflateDecoder::new(PACKED));
        debug_assert!(read.is_ok(), "the build packs what is read here");
        read.unwrap_or_default()
    });
    TEXTS.get(path).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Catalog;

    #[test]
    fn they_are_as_they_were_written() {
        for (path, written) in [
            ("guide/keys.md", include_str!("../../assets/guide/keys.md")),
            (
                "schema/config.json",
                include_str!("../../assets/schema/config.json"),
            ),
            (
                "schema/service.json",
                include_str!("../../assets/schema/service.json"),
            ),
        ] {
            assert_eq!(text(path), written, "{path}");
        }
        for id in Catalog::embedded().ids() {
            let path = format!("services/{id}.toml");
            assert!(text(&path).contains(&format!("id = \"{id}\"")), "{path}");
        }
        assert_eq!(text("guide/none.md"), "");
    }
}
