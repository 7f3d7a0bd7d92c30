//! Whether an answer came out of a cache: then nobody has looked at the key that went with the request.

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
        let lower = value.to_lowercase();
        let is_kept = lower.contains("hit") && !lower.contains("refresh");
        is_kept.then(|| format!("{name}: {value}"))
    };
    let age = header("age").map(str::trim);
    let age = age
        .filter(|age| age.parse::<u64>().is_ok_and(|age| age > 0))
        .map(|age| format!("age: {age}"));
    age.or_else(|| CACHES.into_iter().find_map(says))
}
