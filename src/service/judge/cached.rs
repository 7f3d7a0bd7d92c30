//! Whether an answer came out of a cache: then it says nothing of the key that went with the request.

/// Headers by which caches tell that they answered themselves.
const CACHES: [&str; 6] = [
    "x-cache",
    "x-cache-status",
    "x-proxy-cache",
    "cache-status",
    "cf-cache-status",
    "x-litespeed-cache",
];

/// What shows that an answer came from a cache; `header` looks one up by its name in lower case. (One that was validated
/// anew was asked for behind it.)
pub fn from_cache<'a>(header: &dyn Fn(&str) -> Option<&'a str>) -> Option<String> {
    let says = |name: &str| {
        let value = header(name)?;
        // A word of its own: it may be in a host's name.
        let mut words = value.split(|c: char| !c.is_ascii_alphanumeric());
        let is_kept = words.any(|word| word.eq_ignore_ascii_case("hit"))
            && !value.to_ascii_lowercase().contains("refresh");
        is_kept.then(|| format!("{name}: {value}"))
    };
    let age = header("age").map(str::trim);
    let age = age
        .filter(|age| age.parse::<u64>().is_ok_and(|age| age > 0))
        .map(|age| format!("age: {age}"));
    age.or_else(|| CACHES.into_iter().find_map(says))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hit_is_a_word_of_its_own() {
        for (name, value, kept) in [
            ("x-cache", "Hit from cloudfront", true),
            ("x-cache", "TCP_HIT from a.example", true),
            ("x-cache", "TCP_MEM_HIT", true),
            ("x-cache", "HIT, MISS", true),
            ("cache-status", "nginx; hit", true),
            ("x-cache", "TCP_REFRESH_HIT", false),
            ("x-cache", "RefreshHit from cloudfront", false),
            ("x-cache", "MISS from cache.hitachi.example", false),
            ("cache-status", "whitelabel; fwd=miss", false),
        ] {
            let found = from_cache(&|asked| (asked == name).then_some(value));
            assert_eq!(found.is_some(), kept, "{name}: {value}");
        }
    }
}
