use std::path::Path;

use super::*;
use crate::domain::{AuthStyle, ServiceId};
use crate::service::Catalog;

const HEX: &str = "00112233445566778899aabbccddeeff";

fn curl(text: &str) -> Candidate {
    let mut reading = curl::read(&Catalog::embedded(), text).unwrap();
    assert_eq!(reading.left_out, [""; 0]);
    assert_eq!(reading.candidates.len(), 1);
    reading.candidates.remove(0)
}

fn refused(text: &str) -> String {
    let reading = curl::read(&Catalog::embedded(), text).unwrap();
    assert_eq!(reading.candidates, []);
    reading.left_out.join("\n")
}

fn env(text: &str) -> Reading {
    dotenv::read(&Catalog::embedded(), text).unwrap()
}

#[test]
fn a_pair_is_taken_from_dash_u() {
    let found = curl("curl -sSu shop-api:s3cret https://api.example.com/health");
    assert_eq!(found.connection.service, ServiceId::http());
    assert_eq!(found.connection.url, "https://api.example.com/health");
    assert_eq!(found.connection.username, "shop-api");
    assert_eq!(found.key, Some(Secret::new("s3cret")));
    assert_eq!(found.connection.name.as_str(), "api.example.com");
}

#[test]
fn blesta_is_known_by_its_headers_and_by_its_calls() {
    let found = curl(&format!(
        "curl 'https://billing.example.com/shop/api/users/get.json?user_id=1' \\\n  \
         -H 'BLESTA-API-USER: shop-api' -H 'BLESTA-API-KEY: {HEX}'"
    ));
    assert_eq!(found.connection.service, ServiceId::blesta());
    assert_eq!(found.connection.url, "https://billing.example.com/shop");
    assert_eq!(found.connection.auth, AuthStyle::Headers);
    assert_eq!(found.key, Some(Secret::new(HEX)));
    let call = curl("curl -u a:b https://billing.example.com/api/clients/get.json");
    assert_eq!(call.connection.service, ServiceId::blesta());
    assert_eq!(call.connection.url, "https://billing.example.com");
    let other = curl("curl https://example.com/api/health.json");
    assert_eq!(other.connection.service, ServiceId::http());
}

#[test]
fn connect_is_known_by_its_scheme_and_by_its_path() {
    let found = curl(
        "curl -H \"Authorization: ApiKey SU-160-984-311:abcdef0123\" \
         https://api.connect.cloudblue.com/public/v1/auth/tokens?limit=1",
    );
    assert_eq!(found.connection.service, ServiceId::connect());
    assert_eq!(
        found.connection.url,
        "https://api.connect.cloudblue.com/public/v1"
    );
    assert_eq!(found.connection.username, "SU-160-984-311");
    assert_eq!(found.key, Some(Secret::new("abcdef0123")));
}

#[test]
fn other_ways_to_say_a_key() {
    let bearer = curl("$ curl -H 'Authorization: Bearer glsa_abc' https://g.example.com/api/org");
    assert_eq!(bearer.key, Some(Secret::new("glsa_abc")));
    let basic = curl("curl -H 'Authorization: Basic dXNlcjprOjE=' https://x.example.com");
    assert_eq!(basic.connection.username, "user");
    assert_eq!(basic.key, Some(Secret::new("k:1")));
    let header = curl("curl -H 'X-Api-Key: abc' https://x.example.com");
    assert_eq!(header.connection.auth, AuthStyle::Headers);
    let in_url = curl("curl https://me:pw@x.example.com/y");
    assert_eq!(in_url.connection.url, "https://x.example.com/y");
    assert_eq!(in_url.key, Some(Secret::new("pw")));
}

#[test]
fn a_variable_becomes_a_reference_and_not_its_value() {
    let found = curl("curl -H \"Authorization: Bearer $API_TOKEN\" https://x.example.com");
    assert_eq!(found.key, None);
    assert_eq!(
        found.connection.key,
        Some(SecretRef::Env("API_TOKEN".into()))
    );
    let part = curl("curl -H \"Authorization: Bearer pre$API_TOKEN\" https://x.example.com");
    assert_eq!((part.key, part.connection.key), (None, None));
    assert!(part.notes[0].contains("a part of it"), "{:?}", part.notes);
}

#[test]
fn what_a_probe_would_not_send_is_named_and_no_secret_is() {
    let found = curl(
        "curl -k -L -X POST -d 'a=SECRET' -b 'session=SECRET' -H 'X-Odd: SECRET' \
         'https://x.example.com/a?api_key=SECRET&page=2'",
    );
    assert_eq!(found.connection.url, "https://x.example.com/a?page=2");
    let notes = found.notes.join("\n");
    for word in ["-k", "-L", "POST", "body", "cookies", "X-Odd", "api_key"] {
        assert!(notes.contains(word), "{word} in {notes}");
    }
    assert!(!notes.contains("SECRET"), "{notes}");
}

#[test]
fn the_value_of_an_unknown_option_is_not_taken_for_the_url() {
    for (command, url) in [
        (
            "curl --doh-url https://dns.example.net/dns-query -u a:b https://x.example.com/v1",
            "https://x.example.com/v1",
        ),
        (
            "curl --retry-max-time 60 https://x.example.com/v1",
            "https://x.example.com/v1",
        ),
        (
            "curl https://x.example.com/v1 --new-option https://other.example.net",
            "https://x.example.com/v1",
        ),
        // It had no value then.
        (
            "curl --new-switch https://x.example.com/v1",
            "https://x.example.com/v1",
        ),
        (
            "curl -Z https://x.example.com/v1",
            "https://x.example.com/v1",
        ),
    ] {
        assert_eq!(curl(command).connection.url, url, "{command}");
    }
}

#[test]
fn a_variable_for_the_other_side_stays_out() {
    let reading = env(
        "SHOP_URL=https://x.example.com\nSHOP_CMS_URL=$SITE\nB_URL=https://b.example.com\nB_CMS_URL=https://site.example.com\n",
    );
    let [b, shop] = &reading.candidates[..] else {
        panic!("{reading:?}")
    };
    assert_eq!(shop.connection.cms_url, None);
    assert!(
        shop.notes
            .iter()
            .any(|note| note.starts_with("SHOP_CMS_URL was left out")),
        "{:?}",
        shop.notes
    );
    assert_eq!(
        b.connection.cms_url.as_deref(),
        Some("https://site.example.com")
    );
}

#[test]
fn what_can_not_be_read_is_refused_with_its_reason() {
    assert!(refused("curl -K ~/.curlrc https://x.example.com").contains("-K reads options"));
    assert!(refused("curl -sK - https://x.example.com").contains("-K reads options"));
    assert!(refused("curl -u a:$(pass x) https://x.example.com").contains("not run here"));
    assert!(refused("curl -s").contains("no URL"));
    assert!(refused("curl https://$HOST/").contains("variable"));
    assert!(refused("curl 'https://x").contains("quote"));
}

#[test]
fn several_commands_are_told_apart() {
    let text = "# notes\ncurl https://x.example.com/a | jq .\nHTTPS_PROXY=p curl https://x.example.com/b\n";
    let reading = curl::read(&Catalog::embedded(), text).unwrap();
    let names: Vec<_> = reading
        .candidates
        .iter()
        .map(|one| one.connection.name.as_str())
        .collect();
    assert_eq!(names, ["x.example.com", "x.example.com-2"]);
}

#[test]
fn names_of_an_env_file_make_connections() {
    let reading = env(&format!(
        "# shop\nexport BLESTA_API_URL=\"https://billing.example.com/api\"\nBLESTA_API_USER=shop\n\
         BLESTA_API_KEY='{HEX}' # the key\nBLESTA_LOGIN_TOKEN=tok\nDEBUG=1\nDB_HOST=db\n\
         CONNECT_URL=https://api.connect.cloudblue.com/public/v1\nCONNECT_API_KEY=ApiKey SU-1-2:abcdefgh\n\
         ORPHAN_KEY=zzz\nGRAFANA_URL=https://g.example.com\nGRAFANA_TOKEN=${{GRAFANA}}\n"
    ));
    let [shop, connect, grafana] = &reading.candidates[..] else {
        panic!("{reading:?}")
    };
    assert_eq!(shop.connection.name.as_str(), "blesta");
    assert_eq!(shop.connection.service, ServiceId::blesta());
    assert_eq!(shop.connection.url, "https://billing.example.com");
    assert_eq!(shop.connection.username, "shop");
    assert_eq!(shop.key, Some(Secret::new(HEX)));
    assert_eq!(shop.token, Some(Secret::new("tok")));
    assert_eq!(connect.connection.service, ServiceId::connect());
    assert_eq!(connect.connection.username, "SU-1-2");
    assert_eq!(connect.key, Some(Secret::new("abcdefgh")));
    assert_eq!(
        grafana.connection.key,
        Some(SecretRef::Env("GRAFANA".into()))
    );
    let left = reading.left_out.join("\n");
    assert!(left.contains("ORPHAN_KEY: there is no URL"), "{left}");
    assert!(
        left.contains("DEBUG, DB_HOST: no URL, user or key"),
        "{left}"
    );
    assert!(!left.contains("zzz"), "no value is told: {left}");
}

#[test]
fn accounts_of_the_vendors_command_line() {
    let text = r#"{"accounts":[
        {"api_key":"ApiKey SU-1-2-3:abcdefgh","endpoint":"https://api.cnct.info/public/v1/","id":"VA-000-001","name":"Shop"},
        {"api_key":"SU-1-2-4:abcdefgh","id":"VA-000-002","name":"Shop"},
        {"api_key":"nonsense SECRET","id":"VA-3","name":"x"},
        {"api_key":5}
    ],"active":"VA-000-002"}"#;
    let reading = accounts::read(text).unwrap();
    let [first, second] = &reading.candidates[..] else {
        panic!("{reading:?}")
    };
    assert_eq!(first.connection.url, "https://api.cnct.info/public/v1");
    assert_eq!(first.connection.username, "SU-1-2-3");
    assert_eq!(first.key, Some(Secret::new("abcdefgh")));
    assert_eq!(first.connection.company.as_deref(), Some("VA-000-001"));
    assert_eq!(second.connection.name.as_str(), "Shop-2");
    assert!(
        second
            .connection
            .url
            .starts_with("https://api.connect.cloudblue.com")
    );
    assert!(second.notes.iter().any(|note| note.contains("active")));
    let left = reading.left_out.join("\n");
    assert_eq!(reading.left_out.len(), 2, "{left}");
    assert!(!left.contains("SECRET"), "{left}");
    assert_eq!(accounts::read("{\n\n"), Err(Unreadable::Json(3)));
    assert_eq!(
        accounts::read(r#"{"accounts":"SECRET"}"#),
        Err(Unreadable::Json(1))
    );
}

#[test]
fn a_form_is_known_by_its_beginning() {
    for (text, form) in [
        ("curl https://x", Ok(Form::Curl)),
        ("# notes\n$ curl https://x", Ok(Form::Curl)),
        ("A_URL=https://x", Ok(Form::Dotenv)),
        ("\u{feff}{\"accounts\":[]}", Ok(Form::Accounts)),
        ("version = 1\n[[connection]]\n", Ok(Form::Definitions)),
        ("age-encryption.org/v1\n", Ok(Form::Bundle)),
        ("-----BEGIN AGE ENCRYPTED FILE-----\n", Ok(Form::Bundle)),
        (" \n", Err(Unreadable::Empty)),
        ("hello there", Err(Unreadable::Unknown)),
    ] {
        assert_eq!(form_of(text), form, "{text}");
    }
}

#[test]
fn hostile_words_stay_words() {
    let found =
        curl("curl 'https://x.example.com' -u '\u{1b}]0;x\u{7}me:k' -H 'X-\u{1b}[31mOdd: v'");
    assert_eq!(found.connection.username, "]0;xme");
    assert!(found.notes.iter().all(|note| !note.contains('\u{1b}')));
    let names = [
        name_of("--yes", "f"),
        name_of("\u{202e}", "f"),
        name_of(&"x".repeat(99), "f"),
    ];
    assert_eq!(names[0].as_str(), "yes");
    assert_eq!(names[1].as_str(), "f");
    assert_eq!(names[2].as_str().len(), 60);
}

#[test]
fn a_proxy_without_a_name_stays_out() {
    for nothing in ["-x ''", "--proxy ' '", "-x \u{1}"] {
        let found = curl(&format!("curl https://api.example.com {nothing}"));
        assert_eq!(found.connection.proxy, None, "{nothing:?}");
        let told = found
            .notes
            .iter()
            .any(|note| note.contains("it names no proxy"));
        assert!(told, "{:?}", found.notes);
    }
    let found = curl("curl -x http://a:1 https://api.example.com -x ''");
    assert_eq!(found.connection.proxy, None, "the last one counts");
    let found = curl("curl -x socks5://proxy:1080 https://api.example.com");
    let proxy = found.connection.proxy.as_deref();
    assert_eq!((proxy, found.notes.len()), (Some("socks5://proxy:1080"), 0));
}

#[test]
fn a_certificate_s_password_and_what_is_no_path_stay_out() {
    let found = curl("curl -E me.pem:hunter2hunter2 --key me.key https://api.example.com");
    assert_eq!(
        found.connection.client_cert.as_deref(),
        Some(Path::new("me.pem"))
    );
    assert_eq!(
        found.connection.client_key.as_deref(),
        Some(Path::new("me.key"))
    );
    assert!(
        found
            .notes
            .iter()
            .any(|note| note.contains("the password behind -E"))
    );
    assert!(!format!("{found:?}").contains("hunter2"));
    for text in [
        "curl --cert \"$CERT\" https://api.example.com",
        "curl --cacert '' https://api.example.com",
    ] {
        let found = curl(text);
        assert_eq!(found.connection.client_cert, None, "{text:?}");
        assert_eq!(found.connection.ca_file, None, "{text:?}");
        assert!(
            found.notes.iter().any(|note| note.contains("its path")),
            "{text:?}"
        );
    }
}
