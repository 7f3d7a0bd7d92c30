//! Signatures, handles, headers and cleaned pastes.

use super::*;
use crate::domain::ServiceId;
use crate::service::Catalog;

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn service(id: &str) -> Service {
    Catalog::embedded()
        .get(&ServiceId::new(id))
        .unwrap()
        .clone()
}

fn secret(text: &str) -> Secret {
    Secret::new(text)
}

#[test]
fn the_published_signature_is_made() {
    let text = "https://joomla.example/index.php?jblesta=/e4c2e8edac362acab7123654b9e73432/Verify\
                &apitimestamp=1700000000";
    assert_eq!(
        signature(&secret("secret"), text),
        "GVbF389urCXW4OQ1+kKFeq2WypeUAqcfe6ZxTT0HrFI="
    );
}

#[test]
fn handles_are_what_their_owners_paste() {
    for (id, expected) in [
        ("blesta", KEY),
        ("connect", "ApiKey SU-1:0123456789abcdef0123456789abcdef"),
        ("http", KEY),
    ] {
        let handle = handle(&service(id), "SU-1", &secret(KEY));
        assert_eq!(handle.secret().expose(), expected, "{id}");
    }
    let odd = handle(&service("connect"), "{key}", &secret("{username}"));
    assert_eq!(odd.secret().expose(), "ApiKey {key}:{username}");
}

#[test]
fn credentials_go_where_the_scheme_says() {
    let with = |id: &str, scheme, username: &str| {
        authorization(&service(id), scheme, username, &secret(KEY))
    };
    assert_eq!(
        with("blesta", Scheme::Basic, "u"),
        Some(Authorization::Basic {
            username: "u".to_owned(),
            key: secret(KEY)
        })
    );
    assert_eq!(with("blesta", Scheme::Basic, "u:v"), None);
    let headers = |authorization: Option<Authorization>| match authorization {
        Some(Authorization::Headers(headers)) => headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.expose()))
            .collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        headers(with("blesta", Scheme::Headers, "u")),
        [
            "BLESTA-API-USER: u",
            "BLESTA-API-KEY: 0123456789abcdef0123456789abcdef"
        ]
    );
    assert_eq!(
        headers(with("connect", Scheme::Headers, "SU-1")),
        ["Authorization: ApiKey SU-1:0123456789abcdef0123456789abcdef"]
    );
    assert_eq!(
        headers(with("http", Scheme::Bearer, "")),
        ["Authorization: Bearer 0123456789abcdef0123456789abcdef"]
    );
    assert_eq!(
        headers(with("http", Scheme::Headers, "")),
        ["X-Api-Key: 0123456789abcdef0123456789abcdef"]
    );
}

#[test]
fn copied_lines_are_whole() {
    let basic = header_lines(&service("blesta"), Scheme::Basic, "u", &secret("k")).unwrap();
    assert_eq!(basic.expose(), "Authorization: Basic dTpr");
    let own = header_lines(&service("blesta"), Scheme::Headers, "u", &secret("k")).unwrap();
    assert_eq!(own.expose(), "BLESTA-API-USER: u\nBLESTA-API-KEY: k");
}

#[test]
fn pastes_are_cleaned_and_it_is_said() {
    for (id, pasted, username, key, notes) in [
        ("blesta", KEY, None, KEY, 0),
        (
            "blesta",
            " 0123456789abcdef0123456789abcdef\r\n",
            None,
            KEY,
            1,
        ),
        (
            "blesta",
            "shop:0123456789abcdef0123456789abcdef",
            Some("shop"),
            KEY,
            1,
        ),
        ("connect", "ApiKey SU-1:s3cret", Some("SU-1"), "s3cret", 2),
        (
            "connect",
            "Authorization: ApiKey SU-1:s3cret\n",
            Some("SU-1"),
            "s3cret",
            4,
        ),
        (
            "connect",
            "authorization:apikey SU-1:s3cret",
            Some("SU-1"),
            "s3cret",
            3,
        ),
        (
            "blesta",
            "Authorization: Basic c2hvcDprZXk=",
            Some("shop"),
            "key",
            3,
        ),
        ("http", "Bearer abc", None, "abc", 1),
        ("http", "id:secret", None, "id:secret", 0),
        ("http", "Basic bWU6c2VjcmV0", Some("me"), "secret", 2),
        ("blesta", ":x", None, ":x", 0),
        ("blesta", "", None, "", 0),
        ("blesta", "äöü", None, "äöü", 0),
    ] {
        let cleaned = clean_secret(&service(id), &secret(pasted));
        assert_eq!(cleaned.username.as_deref(), username, "{pasted}");
        assert_eq!(cleaned.value.expose(), key, "{pasted}");
        assert_eq!(cleaned.notes.len(), notes, "{pasted}: {:?}", cleaned.notes);
        let said = cleaned.notes.join(" ");
        assert!(!said.contains("s3cret") && !said.contains("0123"), "{said}");
    }
}

#[test]
fn what_nobody_sees_or_means_is_taken_off_and_it_is_said() {
    for (id, pasted, username, key, notes) in [
        (
            "connect",
            "ApiKey\u{a0}SU-1:s3cret",
            Some("SU-1"),
            "s3cret",
            3,
        ),
        ("http", "\u{201c}s3cret\u{201d}", None, "s3cret", 1),
        ("http", "\"'s3cret'\"", None, "s3cret", 1),
        ("http", "'s3'cret'", None, "'s3'cret'", 0),
        ("http", "\u{200b}s3\u{ad}cret\u{feff}", None, "s3cret", 1),
        ("http", "Basic s3cret!", None, "s3cret!", 2),
        // Without padding, and of the alphabet for URLs.
        ("blesta", "Basic c2hvcDprZXk", Some("shop"), "key", 2),
        ("blesta", "Basic c2hvcDo_Pz8", Some("shop"), "???", 2),
    ] {
        let cleaned = clean_secret(&service(id), &secret(pasted));
        assert_eq!(cleaned.username.as_deref(), username, "{pasted}");
        assert_eq!(cleaned.value.expose(), key, "{pasted}");
        assert_eq!(cleaned.notes.len(), notes, "{pasted}: {:?}", cleaned.notes);
        let said = cleaned.notes.join(" ");
        assert!(!said.contains("s3cret") && !said.contains("0123"), "{said}");
    }
}

#[test]
fn header_lines_commands_and_cells_are_read_and_it_is_said() {
    const SHOP: &str = "0123456789abcdef0123456789abcdef";
    let lines = format!("BLESTA-API-USER: shop\r\nBLESTA-API-KEY: {SHOP}\r\n");
    let curl_headers = format!(
        "curl -sS \\\n  -H 'BLESTA-API-USER: shop' \\\n  -H \"blesta-api-key: {SHOP}\" https://a"
    );
    for (id, pasted, username, key, said) in [
        ("blesta", lines.as_str(), Some("shop"), SHOP, "header lines"),
        (
            "connect",
            "POST /x HTTP/1.1\nAuthorization: ApiKey SU-1:s3cret\nAccept: */*\n",
            Some("SU-1"),
            "s3cret",
            "2 other lines were left out",
        ),
        ("http", "x-api-key: s3cret", None, "s3cret", "header lines"),
        ("blesta", &curl_headers, Some("shop"), SHOP, "curl command"),
        (
            "http",
            "$ curl -ume:s3cret https://a",
            Some("me"),
            "s3cret",
            "curl command",
        ),
        (
            "blesta",
            "curl https://a --user 'me:s\"3'cret -k",
            Some("me"),
            "s\"3cret",
            "curl command",
        ),
        (
            "connect",
            "curl -H \"Authorization: ApiKey SU-1:s3\\\"cret\" https://a",
            Some("SU-1"),
            "s3\"cret",
            "curl command",
        ),
        (
            "http",
            r#"curl https://a --user "me:s\3'cret""#,
            Some("me"),
            r"s\3'cret",
            "curl command",
        ),
        (
            "http",
            r"curl 'https://a' -H $'Authorization: Bearer s3\u0021cr\'et'",
            None,
            "s3!cr'et",
            "curl command",
        ),
        (
            "http",
            "curl --oauth2-bearer s3cret https://a",
            None,
            "s3cret",
            "curl command",
        ),
        (
            "blesta",
            &format!("shop\t{SHOP}\n"),
            Some("shop"),
            SHOP,
            "cells",
        ),
        (
            "blesta",
            &format!("shop\n{SHOP}"),
            Some("shop"),
            SHOP,
            "cells",
        ),
        (
            "blesta",
            &format!("{SHOP}:shop"),
            Some("shop"),
            SHOP,
            "look swapped, and were put right",
        ),
        (
            "http",
            "curl https://a -X GET",
            None,
            "curl https://a -X GET",
            "paste the key alone",
        ),
        ("http", "curly: brackets", None, "curly: brackets", ""),
    ] {
        let cleaned = clean_secret(&service(id), &secret(pasted));
        assert_eq!(cleaned.username.as_deref(), username, "{pasted}");
        assert_eq!(cleaned.value.expose(), key, "{pasted}");
        let notes = cleaned.notes.join("; ");
        assert!(notes.contains(said), "{pasted}: {notes}");
        assert!(
            !notes.contains("cret") && !notes.contains("0123"),
            "{notes}"
        );
    }
}

#[test]
fn a_token_keeps_what_is_inside_and_loses_what_is_around() {
    let cleaned = clean_whole(&secret("  \u{201e}ab:cd-\u{2013}\u{201c}\n"));
    assert_eq!(cleaned.value.expose(), "ab:cd-\u{2013}");
    assert_eq!(
        cleaned.notes,
        ["line ends, blanks and quotes were taken off"]
    );
}

#[test]
fn the_colours_of_a_terminal_come_off_whole() {
    let coloured = "\u{1b}[31;1m0123456789abcdef\u{1b}[0m0123456789abcdef \u{1b}[K\r\n";
    let cleaned = clean_whole(&secret(coloured));
    assert_eq!(cleaned.value.expose(), KEY);
    assert_eq!(
        cleaned.notes,
        ["terminal colours, line ends and blanks were taken off"]
    );
    let link = "\u{1b}]8;;https://evil.example\u{7}https://a.example\u{1b}]8;;\u{1b}\\";
    assert_eq!(clean_text(link).value, "https://a.example");
    assert_eq!(clean_text("a[31mb").value, "a[31mb", "no escape, no colour");
}

#[test]
fn a_request_of_windows_is_read_by_its_own_escapes() {
    let bearer = "Authorization: Bearer";
    for (pasted, key) in [
        // Of another shell, whose letter it is.
        (
            format!("curl 'https://a.example' -H '{bearer} s3cr^\"et'"),
            "s3cr^\"et",
        ),
        (
            format!("curl https://a.example -H \"{bearer} s3cret^\""),
            "s3cret^",
        ),
        (
            format!("curl ^\"https://a.example^\" -H ^\"{bearer} s3^^cr^%et^\""),
            "s3^cr%et",
        ),
        (
            format!("curl \"https://a.example\" ^\r\n  -H \"{bearer} s3^cret\""),
            "s3^cret",
        ),
        (
            "Invoke-RestMethod -uri \"https://a.example\" -headers @{\"accept\"=\"*/*\"; \
             \"authorization\"=\"Bearer s3cret\"}"
                .to_owned(),
            "s3cret",
        ),
        (
            "Invoke-WebRequest -Uri \"https://a.example\" \
             -Headers @{\"authorization\"=\"Bearer s3cret}\"}"
                .to_owned(),
            "s3cret}",
        ),
    ] {
        let command = command(&service("http"), &pasted).unwrap();
        assert_eq!(
            command.url.as_deref(),
            Some("https://a.example"),
            "{pasted}"
        );
        let credentials = command.credentials.unwrap();
        assert_eq!(credentials.value.expose(), key, "{pasted}");
        assert_eq!(credentials.username, None, "{pasted}");
    }
}
