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
fn a_scheme_that_a_probe_would_not_send_is_left_out_and_named() {
    for scheme in ["Token", "Digest"] {
        let found = curl(&format!(
            "curl -H 'Authorization: {scheme} abcdefghijkl' https://x.example.com"
        ));
        assert_eq!(found.key, None, "{scheme}");
        let notes = found.notes.join("\n");
        assert!(notes.contains(scheme) && !notes.contains("abc"), "{notes}");
    }
}

#[test]
fn what_a_program_would_print_is_left_out_and_said() {
    for written in ["`id`", "$(id)"] {
        for command in [
            format!("curl -H 'Authorization: Bearer {written}' https://x.example.com"),
            format!("curl -u 'me:{written}' https://x.example.com"),
            format!("curl -u '{written}:k' https://x.example.com"),
        ] {
            let found = curl(&command);
            let notes = found.notes.join("\n");
            assert!(
                notes.contains("another program prints"),
                "{command}: {notes}"
            );
            assert!(!found.connection.username.contains("id"), "{command}");
            assert_ne!(found.key, Some(Secret::new(written)), "{command}");
        }
        let reading = env(&format!("A_URL=https://x.example.com\nA_KEY={written}\n"));
        let found = &reading.candidates[0];
        assert_eq!(found.key, None, "{written}");
        let said = [found.notes.clone(), reading.left_out.clone()].concat();
        let said = said.join("\n");
        assert!(said.contains("another program prints"), "{written}: {said}");
    }
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
fn what_a_probe_does_otherwise_than_curl_is_said() {
    for (more, told) in [
        (
            "-H 'Host: other.example.com'",
            "the header Host was left out: api.example.com is asked for itself",
        ),
        ("-H @headers.txt", "its file of headers is not read here"),
        ("--noproxy '*'", "--noproxy was left out"),
        ("--interface eth1", "--interface was left out"),
        ("--http1.0", "--http1.0 was left out"),
        ("-0", "-0 was left out"),
    ] {
        let found = curl(&format!("curl https://api.example.com/v1 {more}"));
        assert!(says(&found.notes, told), "{more}: {:?}", found.notes);
        assert_eq!(found.notes.len(), 1, "{more}: {:?}", found.notes);
    }
    let same = curl("curl https://api.example.com:444/v1 -H 'host: API.example.com:444'");
    assert_eq!(same.notes, [""; 0]);
    // What curl would ask in the clear is asked so on this machine alone.
    let here = curl("curl -u a:k1234567 localhost:8080/x?u=http://y");
    assert_eq!(here.connection.url, "http://localhost:8080/x?u=http://y");
    assert_eq!(here.notes, [""; 0]);
    let away = curl("curl -u a:k1234567 api.example.com/x");
    assert_eq!(away.connection.url, "https://api.example.com/x");
    assert!(says(&away.notes, "which is http for curl, and https here"));
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

fn curls(text: &str) -> Vec<Candidate> {
    let reading = curl::read(&Catalog::embedded(), text).unwrap();
    assert_eq!(reading.left_out, [""; 0], "{text}");
    reading.candidates
}

#[test]
fn a_key_that_reads_like_a_variable_is_pointed_out() {
    let quoted = |key: &str| {
        curl(&format!(
            "curl -H 'Authorization: Bearer {key}' https://e.com/a"
        ))
    };
    for key in ["$TOK", "${TOK}"] {
        let odd = quoted(key);
        assert_eq!(odd.key, Some(Secret::new(key)));
        assert!(says(&odd.notes, "--key-ref env:NAME"), "{:?}", odd.notes);
    }
    for plain in ["TOK", "$2y$10$abc.def/x"] {
        let notes = quoted(plain).notes;
        assert!(!says(&notes, "--key-ref"), "{notes:?}");
    }
}

fn says(notes: &[String], words: &str) -> bool {
    notes.iter().any(|note| note.contains(words))
}

#[test]
fn what_stands_behind_next_is_a_command_of_its_own() {
    for (next, first, second) in [
        ("--next", "-u a:one", "-u b:two"),
        ("-:", "-u a:one", "-u b:two"),
        ("-s:", "-u a:one", "-u b:two"),
        (
            "--next",
            "-H 'Authorization: Bearer one'",
            "-H 'Authorization: Bearer two'",
        ),
    ] {
        let text =
            format!("curl http://127.0.0.1:1/v1 {first} {next} http://127.0.0.1:2/v1 {second}");
        let [one, two] = &curls(&text)[..] else {
            panic!("{text}")
        };
        assert_eq!(one.connection.url, "http://127.0.0.1:1/v1", "{text}");
        assert_eq!(one.key, Some(Secret::new("one")), "{text}");
        assert_eq!(two.connection.url, "http://127.0.0.1:2/v1", "{text}");
        assert_eq!(two.key, Some(Secret::new("two")), "{text}");
        assert_eq!((&one.notes, &two.notes), (&vec![], &two.notes), "{text}");
    }
    // What can't be read ends with its part, and takes no key along.
    let reading = curl::read(
        &Catalog::embedded(),
        "curl -K f -u a:one https://x.example.com --next https://y.example.com",
    );
    let reading = reading.unwrap();
    assert!(reading.left_out[0].contains("-K reads options"));
    assert_eq!(reading.candidates.len(), 1);
    assert_eq!(reading.candidates[0].key, None);
    assert_eq!(
        reading.candidates[0].connection.url,
        "https://y.example.com"
    );
}

#[test]
fn a_second_key_is_left_out_and_said() {
    for (text, user, key) in [
        (
            "curl -H 'Authorization: Bearer one' -H 'Authorization: Bearer two' https://x.example.com",
            "",
            "one",
        ),
        (
            "curl -u a:two -H 'Authorization: Bearer one' https://x.example.com",
            "",
            "one",
        ),
        ("curl -u a:one https://b:two@x.example.com", "a", "one"),
        (
            "curl -H 'X-Api-Key: one' --oauth2-bearer two https://x.example.com",
            "",
            "one",
        ),
    ] {
        let found = curl(text);
        assert_eq!(found.key, Some(Secret::new(key)), "{text}");
        assert_eq!(found.connection.username, user, "{text}");
        assert!(says(&found.notes, "second"), "{text}: {:?}", found.notes);
        assert!(!says(&found.notes, "two"), "{:?}", found.notes);
    }
    // curl sends the last of these.
    let last = curl("curl -u a:one -u b:two https://x.example.com");
    assert_eq!(last.connection.username, "b");
    assert_eq!(last.key, Some(Secret::new("two")));
    assert!(says(&last.notes, "an earlier -u was left out"));
    let same = curl("curl -u a:one -H 'Authorization: Basic YTpvbmU=' https://x.example.com");
    assert_eq!((same.notes, same.key), (vec![], Some(Secret::new("one"))));
}

#[test]
fn several_calls_of_one_service_are_one_connection() {
    let calls = ["companies/getAll", "clients/get", "settings/getVersion"];
    let text: Vec<_> = calls
        .iter()
        .map(|call| format!("curl -u shop:{HEX} https://b.example.com/api/{call}.json\n"))
        .collect();
    let [one] = &curls(&text.concat())[..] else {
        panic!("{text:?}")
    };
    assert_eq!(one.connection.url, "https://b.example.com");
    assert!(says(&one.notes, "several times"), "{:?}", one.notes);
    let two = curls("curl -u a:one https://x.example.com\ncurl -u a:two https://x.example.com\n");
    assert_eq!(two.len(), 2, "another key is another connection");
}

#[test]
fn thousands_of_one_name_are_told_apart_in_a_moment() {
    let lines = (0..5000).map(|at| format!("curl -u a:key{at} https://x.example.com/v1\n"));
    let text: String = lines.collect();
    let begun = std::time::Instant::now();
    let all = curls(&text);
    assert_eq!(all.len(), 5000);
    assert_eq!(all[4999].connection.name.as_str(), "x.example.com-5000");
    // It was half a minute in a build like this one.
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}

#[test]
fn a_command_for_windows_shell_is_read_too() {
    let text = "curl ^\"https://x.example.com/v1?a=1^&b=2^\" ^\r\n  -H ^\"accept: */*^\" ^\r\n  \
                -H ^\"authorization: Bearer a$b^\"\r\ncurl https://y.example.com\r\n";
    let [one, two] = &curls(text)[..] else {
        panic!("{text}")
    };
    assert_eq!(one.connection.url, "https://x.example.com/v1?a=1&b=2");
    assert_eq!(one.key, Some(Secret::new("a$b")));
    assert_eq!(two.connection.url, "https://y.example.com");
    let exe = curl("curl.exe -u a:b https://x.example.com");
    assert_eq!(exe.connection.username, "a");
}

#[test]
fn options_that_change_the_request_are_read_or_said() {
    let query = curl("curl -G https://x.example.com/v1 -d a=b -d c=d");
    assert_eq!(query.connection.url, "https://x.example.com/v1?a=b&c=d");
    let open = curl("curl -G https://x.example.com/v1 -d a=$B");
    assert!(says(&open.notes, "the query of -G was left out"));
    let encoded =
        curl("curl -G https://x.example.com/v1 --data-urlencode 'q=a b&c' --data-urlencode =x@y");
    assert_eq!(
        encoded.connection.url,
        "https://x.example.com/v1?q=a%20b%26c&x%40y"
    );
    for file in ["q@name", "@name"] {
        let file = curl(&format!(
            "curl -G https://x.example.com/v1 --data-urlencode {file}"
        ));
        assert!(
            says(&file.notes, "the query of -G was left out"),
            "{:?}",
            file.notes
        );
    }
    let digest = curl("curl --digest -u a:b https://x.example.com");
    assert!(says(&digest.notes, "--digest was left out: a probe would"));
    let unknown = curl("curl --pinned=TOPSECRET https://x.example.com");
    assert!(!says(&unknown.notes, "TOPSECRET"), "{:?}", unknown.notes);
    let long = curl("curl -m 99999 https://x.example.com");
    assert!(says(&long.notes, "-m was left out or changed"));
    let unseen = curl("curl -u 'a:b\u{7}c' https://x.example.com");
    assert!(says(&unseen.notes, "control characters, first in line 1"));
}

#[test]
fn of_several_names_for_one_thing_the_surest_counts_and_the_others_are_told() {
    let reading = env(
        "SHOP_URL=https://shop.example.com\nSHOP_PASSWORD=third3333\nSHOP_API_KEY=first1111\n\
         SHOP_TOKEN=second2222\nSHOP_API_URL=https://api.example.com\n",
    );
    let [shop] = &reading.candidates[..] else {
        panic!("{reading:?}")
    };
    assert_eq!(shop.key, Some(Secret::new("first1111")));
    assert_eq!(shop.connection.url, "https://api.example.com");
    assert_eq!(shop.notes[0], "made of SHOP_API_KEY, SHOP_API_URL");
    for name in ["SHOP_PASSWORD", "SHOP_TOKEN"] {
        let told = format!("{name} was left out: SHOP_API_KEY is the key that was taken");
        assert!(reading.left_out.contains(&told), "{:?}", reading.left_out);
    }
    assert!(says(
        &reading.left_out,
        "SHOP_URL was left out: SHOP_API_URL"
    ));
    let short = env("A_URL=https://x.example.com\nA_PASS=one\n");
    assert_eq!(short.candidates[0].key, Some(Secret::new("one")));
    let twice = env("A_URL=https://x.example.com\nA_KEY=one\nA_KEY=two\n");
    assert_eq!(twice.candidates[0].key, Some(Secret::new("two")));
    assert!(says(&twice.left_out, "A_KEY stands several times"));
}

#[test]
fn a_quote_that_is_not_closed_takes_no_connection_along() {
    let text = "LOG_DIR=\"C:\\logs\\\"\nMORE=1\nSHOP_URL=https://shop.example.com\nSHOP_USER=me\nGREETING='it's'\n\
                OTHER_URL=https://o.example.com\n";
    let reading = env(text);
    let [other, shop] = &reading.candidates[..] else {
        panic!("{reading:?}")
    };
    assert_eq!(other.connection.url, "https://o.example.com");
    assert_eq!(shop.connection.username, "me");
    assert!(says(&reading.left_out, "lines 1 to 2 were left out"));
    assert!(says(&reading.left_out, "lines 5 to 5 were left out"));
}

#[test]
fn what_was_not_taken_is_not_among_what_it_is_made_of() {
    let text = "SHOP_URL=https://shop.example.com\nSHOP_KEY=\"-----BEGIN KEY-----\nQUJDREVGsecret==\n\
                -----END KEY-----\"\nSHOP_USER=$(cat /etc/passwd)\nOTHER_URL=https://o.example.com\n\
                OTHER_USER=\"Joe $LAST\"\nOTHER_KEY=${FOO:-bar}\nOTHER_CMS_URL=$X\nSHOP_PASS: abc\n";
    let reading = env(text);
    let [other, shop] = &reading.candidates[..] else {
        panic!("{reading:?}")
    };
    assert_eq!(shop.notes, ["made of SHOP_URL"]);
    assert_eq!(other.notes[0], "made of OTHER_URL");
    assert_eq!(
        (&shop.key, &other.key, &other.connection.key),
        (&None, &None, &None)
    );
    assert_eq!(other.connection.username, "");
    for words in [
        "the username was left out: a variable",
        "the key was left out: a variable",
    ] {
        assert!(says(&other.notes, words), "{words}: {:?}", other.notes);
    }
    for words in [
        "SHOP_KEY was left out: a quote is not closed",
        "lines 2 to 4 were left out",
        "SHOP_USER was left out",
        "line 10: what stands there is no NAME=value",
    ] {
        assert!(
            says(&reading.left_out, words),
            "{words}: {:?}",
            reading.left_out
        );
    }
    for secret in ["QUJD", "secret", "bar", "abc"] {
        assert!(
            !format!("{:?}", reading.left_out).contains(secret),
            "{reading:?}"
        );
    }
    // A piece of a key that lost its beginning is no name.
    let torn = env("A_URL=https://a.example.com\nQ1JZ.UFRPS2V5=\n");
    assert!(!format!("{:?}", torn.left_out).contains("Q1JZ"), "{torn:?}");
    let windows = env("set A_URL=https://a.example.com\n$env:A_KEY = \"k\"\n");
    assert_eq!(windows.candidates[0].key, Some(Secret::new("k")));
}

#[test]
fn definitions_are_known_however_they_are_spaced_and_other_files_are_not_misread() {
    for (text, form) in [
        (
            "[[ connection ]]\nurl = \"https://x\"\n",
            Ok(Form::Definitions),
        ),
        (
            "connection = [{ name = \"a\", url = \"https://x\", key = \"vault:a/key\" }]\n",
            Ok(Form::Definitions),
        ),
        ("[connection refused]\ncurl https://x\n", Ok(Form::Curl)),
        ("A_URL=\"https://x\"\nA_KEY=\"k\"\n", Ok(Form::Dotenv)),
        (
            "[service]\nid = \"x\"\nkey = \"y\"\n",
            Err(Unreadable::Tables),
        ),
    ] {
        assert_eq!(form_of(text), form, "{text}");
    }
    let other = accounts::read("{\"info\":{}}").unwrap_err().to_string();
    assert!(other.contains("curl commands"), "{other}");
}

#[test]
fn a_key_of_an_account_is_whole_or_left_out() {
    let read = |key: &str, end: &str| {
        let text = format!(
            r#"{{"accounts":[{{"id":"VA-1","name":"a","api_key":"{key}","endpoint":"https://a.example.com/public/v1{end}"}}]}}"#
        );
        let mut reading = accounts::read(&text).unwrap();
        reading.candidates.remove(0)
    };
    let empty = read("ApiKey SU-1:", "");
    assert_eq!(empty.key, None);
    assert!(says(&empty.notes, "nothing behind the colon"));
    let rings = read("SU-1:sec\\u0007ret", "");
    assert_eq!(rings.key, None);
    assert!(says(
        &rings.notes,
        "the key was left out: it holds a control"
    ));
    let asked = read("SU-1:secret", "?api_key=foo");
    assert_eq!(asked.connection.url, "https://a.example.com/public/v1");
    assert!(says(&asked.notes, "the parameter api_key was left out"));
    assert_eq!(asked.key, Some(Secret::new("secret")));
}

#[test]
fn a_pair_in_blestas_own_words_is_taken_for_blestas() {
    let hex = "00112233445566778899aabbccddeeff";
    for (user, key, service) in [
        ("API_USER", hex, "blesta"),
        ("USER", hex, "http"),
        ("API_USER", "0011", "http"),
    ] {
        let text =
            format!("SHOP_URL=https://shop.example.com\nSHOP_{user}=me\nSHOP_API_KEY={key}\n");
        let found = &env(&text).candidates[0];
        assert_eq!(found.connection.service.as_str(), service, "{user} {key}");
        let told = found
            .notes
            .iter()
            .any(|note| note.contains("taken for Blesta"));
        assert_eq!(told, service == "blesta", "{:?}", found.notes);
    }
}

#[test]
fn what_is_longer_than_any_secret_is_left_out_and_the_rest_comes_in() {
    let long = "x".repeat(64 * 1024 + 1);
    let reading = env(&format!(
        "A_URL=https://a.example.com\nA_KEY={long}\nB_URL=https://b.example.com\nB_KEY={}\n",
        "x".repeat(64 * 1024)
    ));
    let [a, b] = &reading.candidates[..] else {
        panic!("{}", reading.candidates.len())
    };
    assert!(a.key.is_none() && b.key.is_some());
    let told = "the key was left out: it is longer than 64 KiB";
    assert!(says(&a.notes, told), "{:?}", a.notes);
    let one = curl(&format!("curl -u me:{long} https://a.example.com"));
    assert!(
        one.key.is_none() && says(&one.notes, told),
        "{:?}",
        one.notes
    );
}

/// Names of what `text` brings, and what it says of the rest.
fn notes_of(text: &str) -> (Vec<String>, Vec<String>) {
    assert_eq!(form_of(text), Ok(Form::Curl));
    let reading = notes::read(&Catalog::embedded(), text).unwrap();
    let candidates = reading.candidates.iter();
    let shown = candidates.map(|one| {
        let Connection { url, username, .. } = &one.connection;
        let has = ["k", "a&b$c;d"].map(Secret::new);
        let key = has.iter().position(|key| one.key.as_ref() == Some(key));
        format!("{url} {username} {key:?}")
    });
    (shown.collect(), reading.left_out)
}

const SET: &str =
    "BLESTA_URL=https://shop.example/billing\nBLESTA_API_USER=\"shop\"\nBLESTA_API_KEY=a&b$c;d\n";

#[test]
fn notes_may_hold_commands_and_variables_in_any_order() {
    let command =
        "curl -u me:k https://a.example/v1 \\\n  -d 'X_URL=https://no.example\nX_KEY=no'\n";
    let (of_command, of_set) = (
        "https://a.example/v1 me Some(0)".to_owned(),
        "https://shop.example/billing shop Some(1)".to_owned(),
    );
    for text in [
        format!("{command}{SET}"),
        format!("Keys, don't lose them:\r\n\r\n{SET}\n$ {command}"),
        format!("BLESTA_NAME='My\nshop'\n{SET}{command}"),
    ] {
        let (brought, left_out) = notes_of(&text);
        assert_eq!(brought, [of_command.clone(), of_set.clone()], "{text}");
        let of_name = ["BLESTA_NAME:", "lines 1 to 2 were left out: a quote"];
        let is_of_name = |line: &String| of_name.iter().any(|start| line.starts_with(start));
        assert!(left_out.iter().all(is_of_name), "{left_out:?}");
    }
}

#[test]
fn a_quote_that_is_not_closed_takes_no_variable_along() {
    let (brought, left_out) = notes_of(&format!("curl -u 'me:k https://a.example\n{SET}"));
    assert_eq!(brought, ["https://shop.example/billing shop Some(1)"]);
    assert_eq!(left_out, ["command 1 was left out: a quote is not closed"]);
}

#[test]
fn a_variable_of_a_script_that_makes_no_connection_is_named() {
    let (brought, left_out) =
        notes_of("SHOP_KEY=abc\nVERBOSE=1\ncurl -H \"X-Api-Key: $SHOP_KEY\" https://a.example\n");
    assert_eq!(brought.len(), 1);
    let said = [
        "SHOP_KEY: there is no URL beside it",
        "VERBOSE: no URL, user or key by their names",
    ];
    assert_eq!(left_out, said);
}

#[test]
fn a_command_for_windows_shell_between_variables_stays_whole() {
    let text =
        format!("curl ^\"https://a.example/^\" ^\r\n  -u ^\"me:k^\" ^\r\n  -d ^\"a=b^\"\r\n{SET}");
    let (brought, _) = notes_of(&text);
    assert_eq!(brought.len(), 2, "{brought:?}");
    assert_eq!(brought[0], "https://a.example me Some(0)");
}
