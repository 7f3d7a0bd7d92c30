//! Pastes: cleaned visibly, said, taken back.

use super::scene::{KEY, Scene, shops, verdict};
use crate::app::effect::{Effect, ProbeEffect, Target};
use crate::app::model::{FieldText, Overlay};
use crate::app::{FieldId, Message};
use crate::domain::{Reason, Secret};

fn in_key() -> Scene {
    let mut scene = Scene::empty();
    scene.keys("n").types("a.example").keys("tab tab");
    scene
}

#[test]
fn a_clean_paste_is_put_in_at_the_cursor_and_nothing_is_said() {
    let mut scene = in_key();
    scene.pastes(KEY);
    assert!(scene.key_is(KEY));
    assert_eq!(scene.notice(), "");
    assert!(scene.form().undo.is_none());
    scene.wait(400);
    assert!(scene.probes().pop().unwrap().carries(KEY));
}

#[test]
fn outer_blanks_and_line_ends_are_taken_off_and_put_back() {
    let mut scene = Scene::empty();
    scene.keys("n").pastes("  https://a.example.com\r\n");
    assert_eq!(scene.text(FieldId::Url), "https://a.example.com");
    assert!(scene.notice().contains("Ctrl-Z"), "{}", scene.notice());
    scene.keys("ctrl-z");
    assert_eq!(scene.text(FieldId::Url), "  https://a.example.com");
    scene.keys("ctrl-z");
    assert!(
        scene.notice().contains("no cleaned paste"),
        "{}",
        scene.notice()
    );
}

#[test]
fn what_was_pasted_is_not_brought_back_after_the_lock_has_taken_it() {
    let mut scene = in_key();
    scene.pastes(&format!("Bearer {KEY}"));
    assert!(scene.form().undo.is_some());
    scene.keys("alt-L y");
    assert!(scene.key_is(""));
    scene.keys("ctrl-z");
    assert!(scene.key_is(""));
    assert!(
        scene.notice().contains("no cleaned paste"),
        "{}",
        scene.notice()
    );
}

#[test]
fn a_url_with_user_info_is_divided_and_said() {
    let mut scene = Scene::empty();
    scene.keys("n").pastes("https://joe:pw@a.example.com");
    assert_eq!(scene.text(FieldId::Url), "https://a.example.com");
    assert_eq!(scene.text(FieldId::Username), "joe");
    assert!(scene.key_is("pw"));
    assert!(scene.notice().contains("moved"), "{}", scene.notice());
    scene.keys("ctrl-z");
    scene.wait(1_000);
    assert_eq!(scene.text(FieldId::Username), "", "it stays undone");
    assert!(scene.key_is(""));
    assert_eq!(scene.text(FieldId::Url), "");
    assert!(scene.notice().contains("taken back"), "{}", scene.notice());
}

#[test]
fn a_password_without_a_user_is_taken_out_of_the_url() {
    let mut scene = Scene::empty();
    scene
        .keys("n")
        .types("https://:pw@a.example.com")
        .keys("tab");
    assert_eq!(scene.text(FieldId::Url), "https://a.example.com");
    assert_eq!(scene.text(FieldId::Username), "");
    assert!(scene.key_is("pw"));
    let said = scene.notice();
    assert!(said.starts_with("the password moved"), "{said}");
}

#[test]
fn the_service_that_a_paste_has_turned_is_turned_back() {
    let mut scene = in_key();
    scene.pastes("ApiKey SU-160-984-311:abcdef0123456789");
    assert_eq!(scene.text(FieldId::Service), "connect");
    scene.keys("ctrl-z");
    assert_eq!(scene.text(FieldId::Service), "blesta");
    assert!(scene.notice().contains("as it came"), "{}", scene.notice());
}

#[test]
fn a_curl_command_in_the_urls_field_goes_where_its_parts_belong() {
    let mut scene = Scene::empty();
    scene.keys("n").pastes(&format!(
        "curl -sS \\\n  -u joe:{KEY} \\\n  'https://a.example.com/x'\n"
    ));
    assert_eq!(scene.text(FieldId::Url), "https://a.example.com/x");
    assert_eq!(scene.text(FieldId::Username), "joe");
    assert!(scene.key_is(KEY));
    let said = scene.notice();
    assert!(
        said.contains("curl command") && !said.contains(KEY),
        "{said}"
    );
    scene.keys("ctrl-z");
    assert_eq!(scene.text(FieldId::Url), "");
    assert_eq!(scene.text(FieldId::Username), "");
    assert!(scene.key_is(""));
    scene.pastes("curl --version");
    assert_eq!(scene.text(FieldId::Url), "");
    assert!(
        scene.notice().contains("without a URL"),
        "{}",
        scene.notice()
    );
}

#[test]
fn an_entry_of_three_lines_is_divided_into_its_fields() {
    for entry in [
        format!("https://a.example.com\nshop-api\n{KEY}\n"),
        format!("https://a.example.com\tshop-api\t{KEY}"),
        format!("URL: https://a.example.com\r\nUser: shop-api\r\nAPI Key: {KEY}\r\n"),
        // As terminals hand a paste on.
        format!("https://a.example.com\rshop-api\r{KEY}\r"),
        format!("Our shop\nhttps://a.example.com\nKey: {KEY}\nUser: shop-api\n"),
    ] {
        let mut scene = Scene::empty();
        scene.keys("n").pastes(&entry);
        assert_eq!(scene.text(FieldId::Url), "https://a.example.com", "{entry}");
        assert_eq!(scene.text(FieldId::Username), "shop-api");
        assert!(scene.key_is(KEY));
        assert!(scene.notice().contains("divided"), "{}", scene.notice());
        scene.keys("ctrl-z");
        assert_eq!(scene.text(FieldId::Url), "");
        assert_eq!(scene.text(FieldId::Username), "");
        assert!(scene.key_is(""));
    }
    let mut scene = Scene::empty();
    scene.keys("n tab").pastes(&format!("shop-api\n{KEY}\n"));
    assert_eq!(scene.text(FieldId::Username), "shop-api");
    assert!(scene.key_is(KEY));
}

#[test]
fn of_two_lines_what_may_be_a_key_goes_where_it_is_not_shown() {
    for (service, entry, username, key) in [
        (
            "http",
            "https://a.example.com/health\nsk_live_0123456789",
            "",
            "sk_live_0123456789",
        ),
        (
            "connect",
            "https://a.example.com/public/v1\nSU-160-984-311:0123456789",
            "SU-160-984-311",
            "0123456789",
        ),
        ("blesta", "https://a.example.com\nshop-api", "shop-api", ""),
    ] {
        let mut scene = Scene::empty();
        scene.keys("n");
        scene
            .model
            .form
            .as_mut()
            .unwrap()
            .set_text(FieldId::Service, service);
        scene.pastes(entry);
        assert_eq!(scene.text(FieldId::Username), username, "{entry}");
        assert!(scene.key_is(key), "{entry}");
        assert!(
            scene
                .text(FieldId::Url)
                .starts_with("https://a.example.com")
        );
    }
    // Nothing of what is not understood is taken, least of all glued together.
    let mut scene = Scene::empty();
    scene.keys("n").pastes("one\ntwo\nthree\nfour");
    assert_eq!(scene.text(FieldId::Url), "");
    assert!(
        scene.notice().contains("several lines"),
        "{}",
        scene.notice()
    );
}

#[test]
fn a_key_in_a_field_that_anybody_reads_goes_to_its_own_and_is_not_looked_up() {
    for field in ["n", "n tab"] {
        let mut scene = Scene::empty();
        scene.keys(field).pastes(&format!(" {KEY}\n"));
        assert_eq!(scene.text(FieldId::Url), "");
        assert_eq!(scene.text(FieldId::Username), "");
        assert!(scene.key_is(KEY));
        assert!(scene.notice().contains("the key went to its field"));
        scene.wait(1_000);
        assert_eq!(scene.probes(), [], "there is no URL yet");
    }
    let mut scene = Scene::empty();
    scene.keys("n").pastes("ApiKey SU-160-984-311:0123456789");
    assert_eq!(scene.text(FieldId::Url), "");
    assert_eq!(scene.text(FieldId::Username), "SU-160-984-311");
}

#[test]
fn prefixes_and_pairs_are_taken_apart_and_said() {
    for (pasted, username, key, said) in [
        (format!(" {KEY}\r\n"), "", KEY, "line ends"),
        (format!("Bearer {KEY}"), "", KEY, "Bearer"),
        (format!("joe:{KEY}"), "joe", KEY, "split"),
        (
            "Authorization: Basic am9lOnB3".to_owned(),
            "joe",
            "pw",
            "Basic",
        ),
        (
            "ApiKey SU-160-984-311:f45bee7e".to_owned(),
            "SU-160-984-311",
            "f45bee7e",
            "ApiKey",
        ),
    ] {
        let mut scene = in_key();
        scene.pastes(&pasted);
        assert_eq!(scene.text(FieldId::Username), username, "{pasted}");
        assert!(scene.key_is(key), "{pasted}");
        assert!(
            scene.notice().contains(said),
            "{pasted}: {}",
            scene.notice()
        );
        assert!(!scene.notice().contains(key), "a secret is never said");
        scene.keys("ctrl-z");
        assert_eq!(scene.text(FieldId::Username), "", "{pasted}");
        assert!(
            scene.key_is(pasted.trim_end_matches(['\r', '\n'])),
            "{pasted}"
        );
    }
}

#[test]
fn a_pasted_connect_id_turns_the_service() {
    let mut scene = in_key();
    scene.pastes("ApiKey SU-160-984-311:f45bee7e");
    assert_eq!(scene.text(FieldId::Service), "connect");
}

#[test]
fn a_pair_pasted_into_the_username_is_divided_too() {
    let mut scene = Scene::empty();
    scene.keys("n tab").pastes(&format!("joe:{KEY}"));
    assert_eq!(scene.text(FieldId::Username), "joe");
    assert!(scene.key_is(KEY));
    scene.keys("ctrl-z");
    assert_eq!(scene.text(FieldId::Username), format!("joe:{KEY}"));
    assert!(scene.key_is(""));
}

#[test]
fn a_token_is_never_divided() {
    let mut scene = in_key();
    scene.keys("tab").pastes("abc:def\n");
    let token = &scene.form().secret(FieldId::Token).unwrap().value;
    assert_eq!(*token, crate::domain::Secret::new("abc:def"));
    assert_eq!(scene.text(FieldId::Username), "");
}

#[test]
fn a_swapped_pair_and_an_odd_key_are_pointed_out() {
    let mut scene = Scene::empty();
    scene.keys("n tab").types(KEY).keys("tab").pastes("joe");
    assert!(scene.notice().contains("swapped"), "{}", scene.notice());
    let mut scene = in_key();
    scene.types("short").keys("tab");
    assert!(
        scene.notice().contains("shape"),
        "said when the cursor leaves: {}",
        scene.notice()
    );
}

#[test]
fn typing_ends_the_chance_to_undo() {
    let mut scene = Scene::empty();
    scene
        .keys("n")
        .pastes(" a.example ")
        .types("x")
        .keys("ctrl-z");
    assert_eq!(scene.text(FieldId::Url), "a.examplex");
}

#[test]
fn a_paste_that_comes_late_is_not_shown_in_an_open_field() {
    let mut scene = in_key();
    scene.keys("up");
    scene.send(Message::SecretInput(crate::app::SecretInput::Paste(
        crate::domain::Secret::new(KEY),
    )));
    assert_eq!(scene.text(FieldId::Username), "");
    assert!(scene.notice().contains("dropped"));
}

#[test]
fn an_open_paste_that_meets_a_secret_field_goes_in_masked() {
    let mut scene = in_key();
    scene.send(Message::Pasted(KEY.to_owned()));
    assert!(scene.key_is(KEY));
    let FieldText::Secret(field) = &scene.form().field(FieldId::Key).text else {
        panic!()
    };
    assert!(field.mirror.value().chars().all(|c| c == '•'));
}

#[test]
fn controls_in_a_paste_never_reach_a_field() {
    let mut scene = Scene::empty();
    scene.keys("n").pastes("a\u{1b}[31m.ex\u{7}ample\u{9b}");
    assert!(!scene.text(FieldId::Url).chars().any(char::is_control));
    scene.keys("/");
    let mut scene = Scene::empty();
    scene.keys("/").pastes("x\u{1b}\ny");
    assert_eq!(scene.model.list.filter.value(), "xy");
}

#[test]
fn nothing_is_pasted_into_a_list() {
    let mut scene = Scene::empty();
    scene.pastes("qqq\n");
    assert_eq!(scene.effects(), []);
}

#[test]
fn a_paste_that_is_too_long_is_said_and_changes_nothing() {
    let long = "x".repeat(70_000);
    let mut scene = Scene::empty();
    scene.keys("n").types("a.example").pastes(&long);
    assert!(
        scene.notice().contains("nothing of it"),
        "{}",
        scene.notice()
    );
    assert_eq!(scene.text(FieldId::Url), "a.example");
    scene.pastes(&"y".repeat(3_000));
    assert!(scene.notice().contains("left out"), "{}", scene.notice());
    assert_eq!(scene.text(FieldId::Url).chars().count(), 2_048);
    scene.keys("ctrl-u tab tab").types("k");
    for length in [8_192, 9_000, 70_000] {
        scene.pastes(&"z".repeat(length));
        assert!(scene.notice().contains("nothing of it"), "{length}");
        assert!(scene.key_is("k"), "{length}");
        // Cleaned, it is another way in.
        scene.pastes(&format!("Bearer {}\n", "z".repeat(length + 1)));
        assert!(scene.key_is("k"), "{length}");
    }
    scene.pastes(&"z".repeat(8_191));
    assert!(scene.key_is(&format!("k{}", "z".repeat(8_191))));
}

#[test]
fn what_is_pasted_into_a_dialog_is_cleaned_and_said() {
    let mut scene = Scene::with(shops(&["alpha"]));
    scene.keys("a").pastes("label\r\nline two");
    assert!(scene.notice().contains("line ends"), "{}", scene.notice());
    scene.keys("tab").pastes(" tok\ren\u{7}x ");
    let Some(Overlay::AddToken(dialog)) = &scene.model.overlay else {
        panic!("the dialog");
    };
    assert_eq!(dialog.label.value(), "labelline two");
    assert!(dialog.value.value == Secret::new("tokenx"));
    for taken in ["line ends", "invisible", "blanks"] {
        assert!(scene.notice().contains(taken), "{}", scene.notice());
    }
}

/// What an entry of a password manager, a mail or another program's file may look like.
/// The key goes where the command sent it, and not where the form stood.
#[test]
fn a_curl_command_is_divided_whichever_field_it_is_pasted_into() {
    let command = format!("curl -u joe:{KEY} https://a.example.com/x");
    for field in ["n", "n tab", "n tab tab"] {
        let mut scene = Scene::empty();
        scene.keys(field).pastes(&command);
        assert_eq!(scene.text(FieldId::Url), "https://a.example.com/x");
        assert_eq!(scene.text(FieldId::Username), "joe");
        assert!(scene.key_is(KEY));
        let said = scene.notice();
        assert!(said.contains("the URL was taken out"), "{said}");
        scene.keys("ctrl-z");
        assert_eq!(scene.text(FieldId::Url), "", "{field}");
        assert!(scene.key_is(""));
    }
    for (typed, stands) in [
        ("https://a.example.com", "https://a.example.com"),
        ("https://b.example.com", "https://a.example.com/x"),
    ] {
        let mut scene = Scene::empty();
        scene.keys("n").types(typed).keys("tab tab");
        scene.pastes(&command);
        assert_eq!(scene.text(FieldId::Url), stands);
        assert!(scene.key_is(KEY) && scene.text(FieldId::Username) == "joe");
        scene.keys("ctrl-z");
        assert_eq!(scene.text(FieldId::Url), typed);
    }
    let mut scene = in_key();
    scene.pastes("curl https://a.example.com/x");
    assert!(scene.key_is(""), "it holds none");
    // A URL with a pair in it is the origin of none, as a field that is empty is.
    for field in ["n tab", "n tab tab"] {
        let mut scene = Scene::empty();
        scene.keys(field);
        scene.pastes(&format!("curl https://joe:{KEY}@a.example.com/x"));
        assert_eq!(scene.text(FieldId::Url), "https://a.example.com/x");
        assert_eq!(scene.text(FieldId::Username), "joe");
        assert!(scene.key_is(KEY), "{field}");
    }
}

fn entries() -> Vec<String> {
    let (url, name) = ("https://a.example.com", "shop-api");
    vec![
        format!("Benutzername: {name}\nKennwort: {KEY}\nAdresse: {url}\n"),
        format!("Benutzer: {name}\nAPI-Schlüssel: {KEY}\nURL: {url}"),
        format!("Nom d'utilisateur : {name}\nMot de passe : {KEY}\nSite web : {url}\n"),
        format!("Utilisateur : {name}\nClé API : {KEY}\nURL : {url}"),
        format!("Jméno: {name}\nHeslo: {KEY}\nOdkaz: {url}"),
        format!("username\n{name}\npassword\n{KEY}\nwebsite\n{url}\n"),
        format!("BLESTA_URL={url}\nBLESTA_USER={name}\nBLESTA_KEY=\"{KEY}\"\n"),
        format!(
            "export API_URL=\"{url}\"\nexport API_USER={name} # the user\nexport API_KEY={KEY}"
        ),
        format!("{{\"url\":\"{url}\",\"user\":\"{name}\",\"key\":\"{KEY}\"}}"),
        format!(
            "{{\n  \"url\": \"{url}\",\n  \"username\": \"{name}\",\n  \"password\": \"{KEY}\"\n}}"
        ),
        format!(
            "url,username,password,totp,extra,name,grouping,fav\n{url},{name},{KEY},,,Shop,,0\n"
        ),
        format!("Title: Shop\nUsername: {name}\nPassword: {KEY}\nURL: {url}\nNotes: bla bla"),
        format!("{KEY}\n{name}\n{url}\n"),
        format!("{url}\r{name}\r{KEY}\r"),
    ]
}

#[test]
fn an_entry_goes_into_its_fields_whichever_field_it_is_pasted_into() {
    for field in ["n", "n tab", "n tab tab"] {
        for entry in entries() {
            let mut scene = Scene::empty();
            scene.keys(field).pastes(&entry);
            assert_eq!(scene.text(FieldId::Url), "https://a.example.com", "{entry}");
            assert_eq!(scene.text(FieldId::Username), "shop-api", "{entry}");
            assert!(scene.key_is(KEY), "{entry}");
            assert!(scene.notice().contains("divided"), "{}", scene.notice());
            scene.keys("ctrl-z");
            assert_eq!(scene.text(FieldId::Url), "", "{entry}");
            assert_eq!(scene.text(FieldId::Username), "", "{entry}");
            assert!(scene.key_is(""), "{entry}");
        }
    }
    let mut scene = Scene::empty();
    scene.keys("n").pastes(&entries()[11]);
    let said = scene.notice();
    assert!(said.contains("2 other lines were left out"), "{said}");
}

#[test]
fn a_request_that_a_browser_copied_goes_into_its_fields() {
    let basic = "c2hvcC1hcGk6MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    for request in [
        format!(
            "curl ^\"https://a.example.com/x^\" ^\r\n  -H ^\"accept: application/json^\" ^\r\n  \
             -H ^\"authorization: Basic {basic}^\""
        ),
        format!(
            "$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession\n\
             Invoke-WebRequest -UseBasicParsing -Uri \"https://a.example.com/x\" `\n\
             -WebSession $session `\n-Headers @{{\n\"authority\"=\"a.example.com\"\n  \
             \"authorization\"=\"Basic {basic}\"\n}}"
        ),
    ] {
        let mut scene = Scene::empty();
        scene.keys("n").pastes(&request);
        assert_eq!(scene.text(FieldId::Url), "https://a.example.com/x");
        assert_eq!(scene.text(FieldId::Username), "shop-api", "{request}");
        assert!(scene.key_is(KEY));
    }
}

#[test]
fn what_is_not_clear_is_not_taken_and_least_of_all_into_the_open() {
    for entry in [
        format!(
            "\"Root\",\"Shop\",\"shop-api\",\"{KEY}\",\"https://a.example.com\",\"notes\",\"0\""
        ),
        format!("https://a.example.com,shop-api,{KEY},,,Shop,,0"),
        format!("Username: one\nUsername: two\nPassword: {KEY}"),
        format!("url,username,password\nhttps://a,one,{KEY}\nhttps://b,two,{KEY}"),
        format!("one\ntwo\nthree\n{KEY}"),
        format!("the key is {KEY}, and it is ours"),
    ] {
        for field in ["n", "n tab"] {
            let mut scene = Scene::empty();
            scene.keys(field).pastes(&entry);
            let said = scene.notice();
            assert!(said.contains("not clear which is what"), "{entry}: {said}");
            assert_eq!(scene.text(FieldId::Url), "", "{entry}");
            assert_eq!(scene.text(FieldId::Username), "", "{entry}");
            assert!(scene.key_is(""), "{entry}");
        }
    }
}

#[test]
fn a_label_is_no_user_name() {
    for pasted in [
        format!("Password: {KEY}"),
        format!("API-Schlüssel: {KEY}"),
        format!("API key:{KEY}"),
        format!("API_KEY={KEY}"),
        format!("\"{KEY}\","),
        format!("Mot de passe : {KEY}\n"),
    ] {
        let mut scene = Scene::empty();
        scene
            .keys("n")
            .types("a.example")
            .keys("tab")
            .types("shop-api");
        scene.keys("tab").pastes(&pasted);
        assert_eq!(scene.text(FieldId::Username), "shop-api", "{pasted}");
        assert!(scene.key_is(KEY), "{pasted}");
        assert!(scene.notice().contains("taken off"), "{}", scene.notice());
    }
    for (pasted, url, username) in [
        ("Username: shop-api", "", "shop-api"),
        ("Benutzername: shop-api", "", "shop-api"),
        ("URL: https://a.example.com", "https://a.example.com", ""),
        (
            "BLESTA_URL=https://a.example.com",
            "https://a.example.com",
            "",
        ),
    ] {
        for field in ["n", "n tab"] {
            let mut scene = Scene::empty();
            scene.keys(field).pastes(pasted);
            assert_eq!(scene.text(FieldId::Url), url, "{pasted}");
            assert_eq!(scene.text(FieldId::Username), username, "{pasted}");
        }
    }
    let mut scene = Scene::empty();
    scene.keys("n").pastes("<https://a.example.com>");
    assert_eq!(scene.text(FieldId::Url), "https://a.example.com");
    let mut scene = Scene::empty();
    scene.keys("n").pastes("http://127.0.0.1:18080/a,b,c?d=e");
    assert_eq!(scene.text(FieldId::Url), "http://127.0.0.1:18080/a,b,c?d=e");
    let with_key = format!("https://a.example.com/x?token={KEY}");
    for url in ["[::1]", "https://[::1]:8443", &with_key] {
        let mut scene = Scene::empty();
        scene.keys("n").pastes(url);
        assert_eq!(scene.text(FieldId::Url), url);
    }
}

#[test]
fn what_stands_before_a_key_is_never_the_key() {
    // A key over two lines of a narrow terminal is one.
    let mut scene = in_key();
    let (first, second) = KEY.split_at(20);
    scene.pastes(&format!("{first}\n{second}\n"));
    assert!(scene.key_is(KEY));
    let mut scene = in_key();
    let form = scene.model.form.as_mut().unwrap();
    form.set_text(FieldId::Service, "http");
    form.service_chosen = true;
    scene.pastes("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx\nMjM0In0.x9Q\n");
    assert!(scene.key_is("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.x9Q"));
    assert_eq!(scene.text(FieldId::Username), "");
    let mut scene = in_key();
    scene.pastes(&format!("{KEY}\nhttps://a.example.com\n"));
    assert_eq!(scene.text(FieldId::Username), "");
    assert_eq!(scene.text(FieldId::Url), "https://a.example.com");
    assert!(scene.key_is(KEY));
    let mut scene = in_key();
    scene.pastes(&format!("{KEY}:shop-api"));
    assert_eq!(scene.text(FieldId::Username), "shop-api");
    assert!(scene.key_is(KEY) && scene.notice().contains("swapped"));
    for unclear in ["one two\nthree\nfour", "https://a\nhttps://b\nhttps://c"] {
        let mut scene = in_key();
        scene.pastes(unclear);
        assert!(scene.key_is(""), "{unclear}");
        assert!(scene.notice().contains("not clear"), "{}", scene.notice());
    }
}

#[test]
fn what_is_said_of_taking_a_paste_back_goes_with_the_chance() {
    let mut scene = Scene::empty();
    scene.keys("n").pastes(" https://a.example.com ");
    assert!(scene.notice().contains("takes it back"));
    scene.keys("tab").types("x");
    assert_eq!(scene.notice(), "");
}

/// What a shared token or an administrator's password looks like.
const RANDOM: &str = "aB3dE5gH7jK9mN1pQ3sT";

#[test]
fn of_two_secrets_neither_stands_in_the_open() {
    for entry in [
        format!("{RANDOM}\n{KEY}"),
        format!("{KEY}\n{RANDOM}"),
        format!("shop-api\n{RANDOM}\n{KEY}\n"),
        format!("https://a.example.com\n{RANDOM}\n{KEY}"),
        format!("https://a.example.com\nshop-api\n{KEY}\n{RANDOM}"),
        format!("Key: {KEY}\n{RANDOM}\nURL: https://a.example.com"),
        format!("URL: https://a.example.com\nUser: {KEY}\nKey: {RANDOM}"),
        format!("My Blesta key\n{KEY}\nask Bob"),
        format!("shop.example.com\n{KEY}\nask Bob"),
        format!("shop\nx\n{KEY}"),
    ] {
        for field in ["n", "n tab", "n tab tab"] {
            let mut scene = Scene::empty();
            scene.keys(field).pastes(&entry);
            let said = scene.notice();
            assert!(said.contains("not clear which is what"), "{entry}: {said}");
            assert_eq!(scene.text(FieldId::Url), "", "{entry}");
            assert_eq!(scene.text(FieldId::Username), "", "{entry}");
            assert!(scene.key_is(""), "{entry}");
        }
    }
    // Alone, it is the key as far as one can tell, and in no case a host.
    let entry = format!("https://a.example.com\nshop-api\n{RANDOM}");
    let mut scene = Scene::empty();
    scene.keys("n").pastes(&entry);
    assert_eq!(scene.text(FieldId::Username), "shop-api");
    assert!(scene.key_is(RANDOM));
    let entry = format!("shop.example.com\nshop-api\n{KEY}");
    let mut scene = Scene::empty();
    scene.keys("n").pastes(&entry);
    assert_eq!(scene.text(FieldId::Url), "shop.example.com");
    assert_eq!(scene.text(FieldId::Username), "shop-api");
    assert!(scene.key_is(KEY));
}

#[test]
fn a_name_above_a_password_is_no_part_of_a_broken_key() {
    for entry in [
        "shop-api\nS3cret",
        "api.example.com\nuser\npass",
        "integration@billing.example.com\nS3cretPassword1",
        "eyJhbGciOiJIUzI1NiJ9\neyJzdWIiOiIx\neyJhbGciOiJIUzI1NiJ9",
        "aB3dE5gH7jK9mN1pQ3sT\nand-a-longer-secret-behind-it",
    ] {
        let mut scene = in_key();
        let form = scene.model.form.as_mut().unwrap();
        form.set_text(FieldId::Service, "http");
        form.service_chosen = true;
        scene.pastes(entry);
        assert!(scene.key_is(""), "{entry}");
        assert!(scene.notice().contains("not clear"), "{}", scene.notice());
    }
}

#[test]
fn of_two_values_below_a_url_the_id_is_the_user_name() {
    let at = "https://a.example.com/public/v1";
    for service in ["blesta", "connect"] {
        for (entry, username, key) in [
            (
                "s3cret-of-it\nSU-160-984-311",
                "SU-160-984-311",
                "s3cret-of-it",
            ),
            (
                "SU-160-984-311\ns3cret-of-it",
                "SU-160-984-311",
                "s3cret-of-it",
            ),
            ("one\ntwo", "one", "two"),
        ] {
            let mut scene = Scene::empty();
            scene.keys("n");
            let form = scene.model.form.as_mut().unwrap();
            form.set_text(FieldId::Service, service);
            scene.pastes(&format!("{at}\n{entry}"));
            let is_unclear = service == "connect" && entry == "one\ntwo";
            let (username, key) = if is_unclear {
                ("", "")
            } else {
                (username, key)
            };
            assert_eq!(
                scene.text(FieldId::Username),
                username,
                "{service}: {entry}"
            );
            assert!(scene.key_is(key), "{service}: {entry}");
        }
    }
}

#[test]
fn a_probe_of_what_was_pasted_ends_where_the_paste_is_taken_back() {
    let mut scene = Scene::empty();
    scene.keys("n").types("https://a.example.com").keys("tab");
    scene.wait(400);
    scene.draft_is(verdict(Reason::ServiceFound));
    scene.effects();
    scene.pastes("URL: https://b.example.com\nUser: shop-api\n");
    scene.wait(400);
    assert_eq!(
        scene.probe().draft().connection.url,
        "https://b.example.com"
    );
    scene.keys("ctrl-z");
    assert_eq!(scene.text(FieldId::Url), "https://a.example.com");
    assert_eq!(
        scene.effects(),
        [Effect::Probe(ProbeEffect::Cancel(Target::Draft))]
    );
}

#[test]
fn a_url_with_user_info_and_a_query_is_divided_too() {
    for tail in ["/?x=1", "/admin/?x=1", "/admin/settings?x=1#y"] {
        let mut scene = Scene::empty();
        scene
            .keys("n")
            .pastes(&format!("http://shop-api:{KEY}@a.example.com{tail}"));
        assert_eq!(scene.text(FieldId::Username), "shop-api", "{tail}");
        assert!(scene.key_is(KEY), "{tail}: {}", scene.notice());
        assert!(!scene.text(FieldId::Url).contains(KEY));
    }
    // What only begins like one is several values.
    let mut scene = Scene::empty();
    scene
        .keys("n")
        .pastes(&format!("http://u:p@a.example.com/ key={KEY}"));
    assert_eq!(scene.text(FieldId::Url), "");
}
