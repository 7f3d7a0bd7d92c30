//! URL hints, cleaned texts, shapes, and the service that is meant.

use super::*;
use crate::domain::SecretRef;

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn service(id: &str) -> Service {
    Catalog::embedded()
        .get(&ServiceId::new(id))
        .unwrap()
        .clone()
}

#[test]
fn what_does_not_belong_in_a_url_is_pointed_out() {
    for (typed, corrected) in [
        ("https://e.com/api", Some("https://e.com")),
        (
            "https://e.com/blesta/API/companies/getAll.json",
            Some("https://e.com/blesta"),
        ),
        ("https://e.com/index.php/api/", Some("https://e.com")),
        ("e.com/admin/login", Some("https://e.com")),
        ("https://e.com/b/client", Some("https://e.com/b")),
        ("https://e.com/b?x=1", Some("https://e.com/b")),
        ("https://e.com/b#top", Some("https://e.com/b")),
        ("https://e.com/b", None),
        ("https://e.com/clients", None),
        ("https://e.com/index.php", None),
        ("not a url", None),
        ("", None),
    ] {
        let hint = url_hint(&service("blesta"), typed);
        assert_eq!(
            hint.map(|hint| hint.corrected).as_deref(),
            corrected,
            "{typed}"
        );
    }
    assert_eq!(url_hint(&service("http"), "https://e.com/api?x"), None);
    assert_eq!(
        url_hint(&service("connect"), "https://e.com/public/v1"),
        None
    );
}

#[test]
fn texts_are_cleaned() {
    let cleaned = clean_text(" https://e.com\r\n");
    assert_eq!(
        (cleaned.value.as_str(), cleaned.notes.len()),
        ("https://e.com", 1)
    );
    let cleaned = clean_text("https://e.com");
    assert_eq!(
        (cleaned.value.as_str(), cleaned.notes.len()),
        ("https://e.com", 0)
    );
}

#[test]
fn connect_is_recognised_by_url_and_id() {
    let catalog = Catalog::embedded();
    let detect = |current: &str, url: &str, username: &str| {
        detect(&catalog, &ServiceId::new(current), url, username).map(|id| id.to_string())
    };
    assert_eq!(
        detect("blesta", "https://e.com/public/v1", "").as_deref(),
        Some("connect")
    );
    assert_eq!(
        detect("blesta", "https://e.com", "SU-160-984-311").as_deref(),
        Some("connect")
    );
    assert_eq!(detect("connect", "https://e.com/public/v1", ""), None);
    assert_eq!(detect("blesta", "https://e.com", "shop"), None);
}

#[test]
fn a_user_called_like_a_kind_of_reference_has_a_pair_all_the_same() {
    for user in ["vault", "keyring"] {
        let pasted = Secret::new(format!("{user}:{KEY}"));
        let (username, cleaned) = as_sent(&service("blesta"), "", &pasted);
        assert_eq!((username.as_str(), cleaned.value), (user, Secret::new(KEY)));
    }
}

#[test]
fn odd_shapes_are_named() {
    let odd =
        |id: &str, username: &str, key: &str| odd_shape(&service(id), username, &Secret::new(key));
    assert_eq!(odd("blesta", "shop", KEY), None);
    assert_eq!(odd("blesta", "shop", &KEY.to_uppercase()), None);
    assert!(
        odd("blesta", "shop", "abc")
            .unwrap()
            .contains("32 hexadecimal digits")
    );
    assert!(odd("blesta", "ab", KEY).unwrap().contains("user name"));
    assert_eq!(odd("connect", "SU-160-984-311", "f45bee7e79b1"), None);
    assert!(odd("connect", "shop", "f45bee7e79b1").is_some());
    // A key that was cut off, beside the right id; then both in each other's place.
    let cut = odd("connect", "SU-160-984-311", "f45be").unwrap();
    assert!(cut.starts_with("the key is not of"), "{cut}");
    let swapped = odd("connect", "f45bee7e79b1", "SU-160-984-311");
    assert_eq!(swapped.as_deref(), Some("user name and key look swapped"));
    let handle = "SU-160-984-311:f45bee7e79b1";
    let other = odd("connect", "SU-160-984-312", handle).unwrap();
    assert!(other.contains("another id"), "{other}");
    assert_eq!(odd("http", "SU-160-984-312", handle), None);
    // As it is typed, before anything is taken off.
    for username in ["SU-160-984-311", ""] {
        assert_eq!(odd("connect", username, handle), None, "{username}");
    }
    assert_eq!(odd("http", "", "anything"), None);
    for reference in [
        SecretRef::Keyring("shop/key".to_owned()),
        SecretRef::Vault("shop/key".to_owned()),
        SecretRef::Env("SHOP_KEY".to_owned()),
        SecretRef::File("/run/key".into()),
        SecretRef::Cmd(vec!["pass".to_owned(), "shop".to_owned()]),
        SecretRef::Ask,
    ] {
        for id in ["http", "blesta", "connect"] {
            // No pair, either: it would be sent in two halves.
            let typed = Secret::new(reference.to_string());
            let (username, cleaned) = as_sent(&service(id), "", &typed);
            assert_eq!((username.as_str(), cleaned.username), ("", None));
            let odd = odd_shape(&service(id), &username, &cleaned.value).unwrap();
            assert!(odd.contains("--key-ref"), "{odd}");
        }
    }
    assert_eq!(
        odd("blesta", KEY, "shop").as_deref(),
        Some("user name and key look swapped")
    );
}
