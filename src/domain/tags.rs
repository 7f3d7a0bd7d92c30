//! Tags as people write them: one rule for the form and the command.

/// The tags in `texts`, each of which may hold several, divided by commas: in the order that they come, each once.
pub fn read<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    let parts = texts.into_iter().flat_map(|text| text.split(','));
    for tag in parts.map(str::trim).filter(|tag| !tag.is_empty()) {
        if !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_divides_and_what_is_there_twice_is_once() {
        assert_eq!(read(["eu, prod", "eu", " ,gold"]), ["eu", "prod", "gold"]);
        assert!(read(["", " , "]).is_empty());
    }
}
