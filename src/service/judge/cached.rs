//! Whether an answer came out of a cache: then it says nothing of the key that went with the request.

/// Headers by which caches tell how they came by an answer, beside `Age` and `X-Varnish`. (Many an admin of nginx chooses
/// the name for its `$upstream_cache_status`: these are those of the guides.)
const CACHES: [&str; 12] = [
    "x-cache",
    "x-cache-status",
    "x-proxy-cache",
    "cache-status",
    "cf-cache-status",
    "x-litespeed-cache",
    "x-nginx-cache",
    "x-fastcgi-cache",
    "fastcgi-cache",
    "rt-fastcgi-cache",
    "x-vercel-cache",
    "cdn-cache",
];

/// What they say of an answer that was kept from another call: nginx and Cloudflare `STALE` and `UPDATING` of one that
/// had expired, Akamai `HitStale`, Vercel `PRERENDER`, RFC 9211 `collapsed` of one that was asked for by another request
/// in flight.
///
/// `REVALIDATED` is not among them: the server was asked, with this request's own headers as for a `MISS`, and says that
/// nothing has changed only where it would have said yes (RFC 9110, 13.2.1). Nor is `EXPIRED`, or `fwd=stale` of RFC 9211:
/// there the answer is new.
const KEPT: [&str; 6] = [
    "hit",
    "stale",
    "updating",
    "hitstale",
    "prerender",
    "collapsed",
];

/// The first of the headers (names in lower case) that shows that an answer came from a cache.
pub fn from_cache<'a>(headers: &mut dyn Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    for (name, value) in headers {
        if is_sign(name, value) {
            return Some(format!("{name}: {}", value.trim()));
        }
    }
    None
}

fn is_sign(name: &str, value: &str) -> bool {
    // What stands in one line, or in several, are the caches on the way: any of them may have answered.
    let mut caches = value.split(',');
    match name {
        "age" => value.trim().parse().is_ok_and(|age: u64| age > 0),
        // The call's own number, and that of the one before whose answer it was given.
        "x-varnish" => caches.any(|cache| cache.split_ascii_whitespace().count() == 2),
        _ => CACHES.contains(&name) && caches.any(is_kept),
    }
}

fn is_kept(said: &str) -> bool {
    let said = said.to_ascii_lowercase();
    // What could be refreshed was asked for (RefreshHit, TCP_REFRESH_HIT).
    let is_refreshed = said.contains("refresh") && !said.contains("fail");
    // A word of its own: it may be in a host's name, or be the value of a parameter.
    let mut words = said.split(|c: char| !c.is_ascii_alphanumeric() && c != '=');
    !is_refreshed && words.any(|word| KEPT.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_caches_say_is_told_apart_by_words_of_their_own() {
        for (name, value, kept) in [
            ("x-cache", "Hit from cloudfront", true),
            ("x-cache", "TCP_HIT from a.example", true),
            ("x-cache", "TCP_MEM_HIT", true),
            ("x-cache", "TCP_EXPIRED_HIT", true),
            ("x-cache", "HIT, MISS", true),
            ("cache-status", "nginx; hit", true),
            ("x-cache", "TCP_REFRESH_HIT", false),
            ("x-cache", "TCP_REFRESH_FAIL_HIT", true),
            ("x-cache", "RefreshHit from cloudfront", false),
            ("x-cache", "RefreshHit from child, Hit from parent", true),
            ("x-cache", "HitStale from child", true),
            ("x-cache", "MISS from cache.hitachi.example", false),
            ("x-cache", "REVALIDATE from a.example", false),
            ("x-cache-status", "STALE", true),
            ("x-proxy-cache", "UPDATING", true),
            ("x-cache-status", "REVALIDATED", false),
            ("x-cache-status", "EXPIRED", false),
            ("x-cache-status", "BYPASS", false),
            ("rt-fastcgi-cache", "HIT", true),
            ("cf-cache-status", "STALE", true),
            ("cf-cache-status", "UPDATING", true),
            ("cf-cache-status", "REVALIDATED", false),
            ("cf-cache-status", "DYNAMIC", false),
            ("x-vercel-cache", "PRERENDER", true),
            ("x-drupal-dynamic-cache", "HIT", false),
            ("cache-control", "stale, hit", false),
            ("cache-status", "whitelabel; fwd=miss", false),
            ("cache-status", "edge; fwd=stale; fwd-status=304", false),
            ("cache-status", "origin; hit, edge; fwd=miss", true),
            ("cache-status", "edge; fwd=miss; collapsed", true),
            ("x-varnish", "32770", false),
            ("x-varnish", "32770 32768", true),
            ("x-varnish", "32770, 9", false),
            ("age", "0", false),
            ("age", " 7", true),
        ] {
            let found = from_cache(&mut [(name, value)].into_iter());
            assert_eq!(found.is_some(), kept, "{name}: {value}");
        }
    }

    #[test]
    fn each_line_of_a_header_is_read() {
        let lines = [("x-cache", "MISS"), ("server", "hit"), ("x-cache", "HIT")];
        let found = from_cache(&mut lines.into_iter());
        assert_eq!(found.as_deref(), Some("x-cache: HIT"));
    }
}
