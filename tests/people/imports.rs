//! What an import takes, fills in and leaves out, and that a dry run says the same.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::support::commands::{Done, switchboard};
use super::{Home, KEY};

/// Takes in `text` with these further arguments.
fn import(home: &Home, text: &str, more: &[&str]) -> Done {
    let arguments = [&["connection", "import", "-"], more].concat();
    home.run_with(&arguments, text)
}

/// A bundle of what is in `home`, under the passphrase of the home.
fn bundle(home: &Home) -> String {
    let path = home.path().join("bundle.age");
    let path = path.to_str().unwrap().to_owned();
    let seal = home.path().join("pass");
    let seal = seal.to_str().unwrap();
    let export = ["connection", "export", "--format", "bundle", "-o", &path];
    let done = home.run(&[&export[..], &["--bundle-passphrase-file", seal]].concat());
    assert_eq!(done.code, 0, "{done:?}");
    path
}

fn open(home: &Home, bundle: &str, more: &[&str]) -> Done {
    let seal = home.path().join("pass");
    let seal = seal.to_str().unwrap();
    let import = [
        "connection",
        "import",
        bundle,
        "--bundle-passphrase-file",
        seal,
    ];
    home.run(&[&import[..], more].concat())
}

#[test]
fn a_dry_run_and_the_import_leave_out_the_same() {
    let swapped = format!(
        "curl -u {KEY}:shop-api https://b.example.com/api/companies/getAll.json\n\
         curl -u shop-api:{KEY} https://c.example.com/api/companies/getAll.json\n"
    );
    for format in ["human", "json"] {
        let home = Home::new();
        let dry = import(&home, &swapped, &["--dry-run", "--format", format]);
        let done = import(&home, &swapped, &["--store", "vault", "--format", format]);
        assert_eq!((dry.code, done.code), (1, 1), "{dry:?}\n{done:?}");
        for shown in [&dry, &done] {
            assert!(!shown.out.contains(KEY), "{shown:?}");
            assert!(shown.out.contains("looks like a key"), "{shown:?}");
        }
        assert!(home.configuration().contains("c.example.com"), "{done:?}");
        assert!(!home.configuration().contains("b.example.com"), "{done:?}");
    }
    let first = r#"{"accounts":[
        {"id":"VA-4","name":"first","api_key":"ApiKey SU-2:secret2","endpoint":"https://plain.example.com/public/v1?api_key=foo"},
        {"id":"VA-5","name":"good","api_key":"ApiKey SU-2:secret2"}]}"#;
    let home = Home::new();
    let dry = import(&home, first, &["--dry-run"]);
    assert!(dry.out.contains("2 would come in, 0 would"), "{dry:?}");
    let done = import(&home, first, &["--store", "vault"]);
    assert!(done.out.contains("2 came in, 0 stayed"), "{done:?}");
    assert!(done.out.contains("parameter api_key was left out"));
    assert!(!home.configuration().contains("foo"));
    let again = import(&home, first, &["--store", "vault"]);
    assert!(
        again.out.contains("it is here already, as good\n"),
        "{again:?}"
    );
}

#[test]
fn what_can_not_be_saved_is_left_out_wherever_it_stands() {
    let one = |name: &str, proxy: &str| {
        format!(
            "[[connection]]\nname = \"{name}\"\nservice = \"http\"\nurl = \"https://{name}.example.com\"\n{proxy}\n"
        )
    };
    let bad = one("bad", "proxy = \"http://me:hunter2@proxy:1\"");
    for text in [
        format!("version = 1\n{bad}{}", one("good", "")),
        format!("version = 1\n{}{bad}", one("good", "")),
    ] {
        let home = Home::new();
        let dry = import(&home, &text, &["--dry-run"]);
        let done = import(&home, &text, &[]);
        assert_eq!((dry.code, done.code), (1, 1), "{dry:?}\n{done:?}");
        assert!(dry.out.contains("1 would come in, 1 would"), "{dry:?}");
        assert!(done.out.contains("1 came in, 1 stayed"), "{done:?}");
        assert!(home.configuration().contains("good.example.com"));
        assert!(!format!("{dry:?}{done:?}").contains("hunter2"), "{done:?}");
    }
}

#[test]
fn what_was_left_out_once_is_filled_in_later() {
    let home = Home::new();
    let curl = "curl -H \"Authorization: Bearer $SOME_KEY\" https://x.example.com\n\
                curl -u me:s3cret1 https://y.example.com\n";
    let wary = import(&home, curl, &["--without-secrets"]);
    assert!(wary.out.contains("2 came in"), "{wary:?}");
    assert!(wary.out.contains("--trust lets these in"), "{wary:?}");
    let filled = import(
        &home,
        curl,
        &["--trust", "--store", "vault", "--format", "json"],
    );
    assert_eq!(filled.code, 0, "{filled:?}");
    let taken = &filled.json()["taken"];
    assert_eq!(taken[0]["completed"], true, "{filled:?}");
    assert_eq!(taken[0]["references"][0], "key", "{filled:?}");
    assert_eq!(taken[1]["secrets"][0], "key", "{filled:?}");
    assert!(home.configuration().contains("env:SOME_KEY"));
    let revealed = home.run(&["token", "reveal", "y.example.com"]);
    assert_eq!(revealed.out.trim(), "s3cret1");
    let again = import(&home, curl, &["--trust", "--store", "vault"]);
    assert!(again.out.contains("0 came in, 2 stayed out"), "{again:?}");
    assert!(!again.out.contains("was left out"), "{again:?}");
    assert_eq!(home.configuration().matches("[[connection]]").count(), 2);
}

#[test]
fn another_key_for_what_is_here_is_said_and_not_taken() {
    let home = Home::new();
    let curl = |key: &str| format!("curl https://x.example.com/v1 -u a:{key}\n");
    import(&home, &curl("b12345678"), &["--store", "vault"]);
    for more in [&[][..], &["--rename"], &["--dry-run"]] {
        let other = import(&home, &curl("OTHERKEY"), more);
        let told = "its key in the file is another one than here, and was left out: \
                    `switchboard secret set x.example.com key`";
        assert!(other.out.contains(told), "{other:?}");
        assert!(!other.out.contains("OTHERKEY"), "{other:?}");
        let same = import(&home, &curl("b12345678"), more);
        assert!(same.out.contains("as x.example.com\n"), "{same:?}");
    }
    let locked = ["connection", "import", "-"];
    let locked = switchboard(home.path(), &locked, &[], &curl("OTHERKEY"));
    assert!(locked.out.contains("was not compared"), "{locked:?}");
    let revealed = home.run(&["token", "reveal", "x.example.com"]);
    assert_eq!(revealed.out.trim(), "b12345678");
}

#[test]
fn a_bearer_key_comes_in_once() {
    let home = Home::new();
    let curl = |key: &str| format!("curl -H 'Authorization: Bearer {key}' https://x.example.com\n");
    let arguments = ["--store", "vault", "--rename"];
    import(&home, &curl("one11111"), &["--without-secrets"]);
    let filled = import(&home, &curl("one11111"), &arguments);
    assert!(filled.out.contains("~ x.example.com"), "{filled:?}");
    for _ in 0..2 {
        let again = import(&home, &curl("one11111"), &arguments);
        assert!(again.out.contains("0 came in, 1 stayed"), "{again:?}");
    }
    let other = import(&home, &curl("two22222"), &arguments);
    assert!(other.out.contains("+ x.example.com-2"), "{other:?}");
    let again = import(&home, &curl("two22222"), &arguments);
    assert!(again.out.contains("as x.example.com-2\n"), "{again:?}");
    let reveal = |name: &str| home.run(&["token", "reveal", name]).out;
    assert_eq!(reveal("x.example.com").trim(), "one11111");
    assert_eq!(reveal("x.example.com-2").trim(), "two22222");
}

#[test]
fn a_key_that_is_filled_in_is_sent_as_the_file_says() {
    let home = Home::new();
    let bare = "curl https://api.example.com/health\n";
    import(&home, bare, &[]);
    // Nothing of the first one is filled in: what is lacking is so for the second.
    let keyed = format!(
        "{bare}curl -x http://p:1 -H 'X-API-Key: k1234567' {}",
        &bare[5..]
    );
    let done = import(&home, &keyed, &["--store", "vault"]);
    assert!(done.out.contains("~ api.example.com"), "{done:?}");
    assert!(done.out.contains("otherwise here: its proxy"), "{done:?}");
    let kept = home.configuration();
    assert!(kept.contains("auth = \"headers\""), "{kept}");
    assert!(!kept.contains("proxy = \""), "{kept}");
}

/// Who writes a file that names a proxy and an authority reads every key that goes there: the origin stays the same.
#[test]
fn a_key_of_here_goes_the_way_that_a_file_names_only_where_it_is_trusted() {
    let shop = |name: &str, more: &str| {
        format!(
            "version = 1\n[[connection]]\nname = \"{name}\"\nservice = \"http\"\nurl = \"http://x.example.com\"\n{more}"
        )
    };
    let routed = "proxy = \"http://evil:1\"\nca_file = \"/evil.pem\"\nallow_http = true\n";
    let key = "key = \"vault:shop/key\"\n";
    // A new connection has no key of here, and one without a key none that could go anywhere.
    for how in ["import", "apply"] {
        let home = Home::new();
        let done = home.run_with(&["connection", how, "-"], &shop("new", routed));
        assert!(!done.out.contains('!'), "{done:?}");
        assert!(home.configuration().contains("http://evil:1"), "{done:?}");
    }
    // That of another connection, under a name of its own; and its own.
    for (how, name) in [("import", "new"), ("apply", "new"), ("apply", "shop")] {
        let home = Home::new();
        import(&home, &shop("shop", key), &[]);
        let evil = shop(name, &format!("username = \"{name}\"\n{key}{routed}"));
        let run = |more: &[&str]| home.run_with(&[&["connection", how, "-"], more].concat(), &evil);
        for more in [&["--dry-run"][..], &[]] {
            let wary = run(more);
            for what in [
                "proxy left out: it sends what goes to http://x.example.com by http://evil:1\n",
                "ca_file left out: it lets whomever /evil.pem vouches for be http://x.example.com\n",
                "allow_http left out: it lets the key go to http://x.example.com in the clear\n",
            ] {
                let line = format!("! {name}: {what}");
                assert!(wary.out.contains(&line), "{line} in {wary:?}");
            }
            assert!(wary.out.contains("  --trust lets these in"), "{wary:?}");
            let told = wary.out.contains("connection edit new --proxy …");
            assert_eq!(told, how == "import" && more.is_empty(), "{wary:?}");
        }
        let kept = home.configuration();
        assert!(
            !kept.contains("evil") && !kept.contains("allow_http = true"),
            "{kept}"
        );
        if how == "apply" {
            let trusted = run(&["--trust"]);
            assert!(trusted.out.contains(": proxy let in"), "{trusted:?}");
            assert!(home.configuration().contains("/evil.pem"), "{trusted:?}");
            let again = run(&[]);
            assert!(!again.out.contains('!'), "it is so already: {again:?}");
        }
    }
}

#[test]
fn a_reference_that_is_another_one_here_is_said() {
    let one = |name: &str, username: &str, key: &str| {
        format!(
            "version = 1\n[[connection]]\nname = \"{name}\"\nservice = \"http\"\nurl = \"https://x.example.com\"\n\
             username = \"{username}\"\nkey = \"{key}\"\n"
        )
    };
    let home = Home::new();
    let trusted = |text: &str| import(&home, text, &["--trust"]);
    trusted(&one("x", "me", "env:OLD_KEY"));
    let other = trusted(&one("x", "me", "env:NEW_KEY"));
    let told = "as x; its key in the file is another reference than here, and was left out\n";
    assert!(other.out.contains(told), "{other:?}");
    let same = trusted(&one("x", "me", "env:OLD_KEY"));
    assert!(same.out.contains("as x\n"), "{same:?}");
    // Without user names they are told apart by their keys.
    trusted(&one("shop-a", "", "env:A_KEY"));
    let further = trusted(&one("shop-b", "", "env:B_KEY"));
    assert!(further.out.contains("+ shop-b"), "{further:?}");
    let again = trusted(&one("shop-b", "", "env:B_KEY"));
    assert!(again.out.contains("as shop-b\n"), "{again:?}");
}

#[test]
fn a_token_is_not_filled_in_for_another_site() {
    let from = Home::new();
    let env = |cms: &str| {
        format!(
            "SHOP_URL=https://shop.example.com\nSHOP_USER=me\nSHOP_CMS_URL={cms}\nSHOP_LOGIN_TOKEN=tok12345\n"
        )
    };
    let text = env("https://one.example.com");
    import(&from, &text, &["--without-secrets"]);
    let other = import(
        &from,
        &env("https://two.example.com"),
        &["--store", "vault"],
    );
    let told = "its token in the file is for another CMS URL than the one here, and was left out\n";
    assert!(other.out.contains(told), "{other:?}");
    assert!(!from.configuration().contains("vault:"), "{other:?}");
    let same = import(&from, &text, &["--store", "vault"]);
    assert!(same.out.contains("~ shop"), "{same:?}");
}

#[test]
fn a_bundle_opens_where_its_form_is_named_and_makes_no_identity() {
    let home = Home::new();
    import(
        &home,
        "curl -u a:b12345678 https://x.example.com\n",
        &["--store", "vault"],
    );
    let sealed = bundle(&home);
    let other = Home::new();
    let named = open(&other, &sealed, &["--as", "bundle", "--dry-run"]);
    assert!(named.out.contains("1 would come in"), "{named:?}");
    // One for an identity, where there is none.
    let recipient = home.run(&["secret", "recipient", "own"]).out;
    let to = [
        "connection",
        "export",
        "--format",
        "bundle",
        "--to",
        recipient.trim(),
        "-o",
    ];
    let for_one = home.path().join("own.age");
    let for_one = for_one.to_str().unwrap();
    assert_eq!(home.run(&[&to[..], &[for_one]].concat()).code, 0);
    let closed = other.run(&["connection", "import", for_one, "--dry-run"]);
    assert_eq!(closed.code, 3, "{closed:?}");
    assert!(closed.err.contains("there is none here yet"), "{closed:?}");
    let data = other.path().join(".local/share/switchboard");
    assert!(!data.join("identity.age").exists() && !data.join("vault.age").exists());
}

#[test]
fn a_label_that_none_can_have_is_told_before() {
    let home = Home::new();
    let identity = home.path().join("identity");
    let made = std::process::Command::new("age-keygen")
        .arg("-o")
        .arg(&identity)
        .output();
    let Ok(made) = made else { return };
    let talk = String::from_utf8(made.stderr).unwrap();
    let recipient = talk.split_whitespace().last().unwrap();
    fs::set_permissions(&identity, fs::Permissions::from_mode(0o600)).unwrap();
    let definitions = "version = 1\n[[connection]]\nname = \"a\"\nservice = \"nosuchsvc\"\nurl = \"not a url\"\n\
                       [[connection]]\nname = \"b\"\nservice = \"http\"\nurl = \"https://b.example.com\"\n";
    let contents = serde_json::json!({
        "format": "switchboard-bundle", "version": 1, "definitions": definitions,
        "secrets": [{"connection": "b", "part": "added/", "value": "x"}],
    });
    let plain = home.file("plain", contents.to_string());
    let sealed = home.path().join("sealed");
    let mut sealing = std::process::Command::new("age");
    sealing
        .args(["-r", recipient, "-o"])
        .arg(&sealed)
        .arg(plain);
    assert!(sealing.status().unwrap().success());
    let base = [
        "connection",
        "import",
        sealed.to_str().unwrap(),
        "--identity",
    ];
    let base = [&base[..], &[identity.to_str().unwrap(), "--store", "vault"]].concat();
    for more in [&["--dry-run"][..], &[]] {
        let done = home.run(&[&base[..], more].concat());
        assert_eq!(done.code, 1, "{done:?}");
        assert!(done.out.contains("- b: adding a token to b"), "{done:?}");
        for words in ["no service is called nosuchsvc", "its URL is none"] {
            assert!(done.out.contains(words), "{words}: {done:?}");
        }
    }
}

#[test]
fn an_export_as_curl_goes_the_way_of_a_probe() {
    let home = Home::new();
    let add = [
        "connection",
        "add",
        "--service",
        "http",
        "--key-ref",
        "env:K",
    ];
    for (name, url, more) in [
        (
            "open",
            "http://plain.example.com",
            &["--username", "me"][..],
        ),
        (
            "own",
            "https://own.example.com",
            &["--username", "curl -sS -i", "--proxy", "http://p:1", "-4"],
        ),
    ] {
        let added = home.run(&[&add[..], &[name, "--url", url], more].concat());
        assert_eq!(added.code, 0, "{added:?}");
    }
    let export = |name: &str| {
        home.run(&["connection", "export", "--format", "curl", name])
            .out
    };
    let open = export("open");
    assert!(open.starts_with("# no key: plain http"), "{open}");
    assert!(!open.contains("SWITCHBOARD_KEY"), "{open}");
    let own = export("own");
    assert!(
        own.contains("| curl -sS -i -4 -x http://p:1 -K - 'https://own"),
        "{own}"
    );
    let again = Home::new();
    let back = import(&again, &own, &["--trust", "--format", "json"]);
    assert_eq!(
        back.json()["taken"][0]["username"],
        "curl -sS -i",
        "{back:?}"
    );
    assert!(again.configuration().contains("proxy = \"http://p:1\""));
}

#[test]
fn what_is_empty_is_said_in_words_of_its_own() {
    let home = Home::new();
    let nothing = home.run(&["connection", "export"]);
    assert!(nothing.err.contains("nothing is saved yet"), "{nothing:?}");
    home.file("empty", "\n");
    let empty = home.run(&["connection", "apply", "empty", "--prune"]);
    assert!(empty.err.contains("there is nothing in empty"), "{empty:?}");
    let text = "version = 1\n[[connection]]\nname = \"a\"\nservice = \"http\"\nurl = \"https://a.example.com\"\n";
    home.run_with(&["connection", "apply", "-"], text);
    let keyed = format!("{text}key = \"env:K\"\n");
    let wary = home.run_with(&["connection", "apply", "-"], &keyed);
    assert!(
        wary.out
            .contains("1 as the file says, but for what was left out"),
        "{wary:?}"
    );
}

#[test]
fn a_key_that_is_sent_otherwise_than_it_is_kept_is_told() {
    let home = Home::new();
    let told = "the key is kept as it came, and sent otherwise: quotes were taken off";
    let account = r#"{"accounts":[{"id":"VA-5","name":"good","api_key":"ApiKey SU-2:'secret2'"}]}"#;
    for more in [&["--dry-run"][..], &[]] {
        let done = import(&home, account, &[&["--store", "vault"], more].concat());
        assert_eq!(done.code, 0, "{done:?}");
        assert!(done.out.contains(told), "{done:?}");
    }
    let add = "connection add shop --service blesta --url http://127.0.0.1:1 --username a --store vault --key-stdin";
    let add: Vec<_> = add.split(' ').collect();
    let done = home.run_with(&add, &format!("\"{KEY}\"\n"));
    assert_eq!((done.code, done.err.trim()), (0, told), "{done:?}");
    let set = ["secret", "set", "shop", "--key-stdin"];
    let done = home.run_with(&set, &format!("Bearer {KEY}"));
    assert!(done.err.contains("\"Bearer\" before it"), "{done:?}");
    let done = home.run_with(&set, KEY);
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{done:?}");
}

#[test]
fn what_is_longer_than_a_field_takes_is_named() {
    let home = Home::new();
    let table = |name: &str, note: &str| {
        format!(
            "[[connection]]\nname = \"{name}\"\nservice = \"http\"\nurl = \"https://a.example/{name}\"\nnote = \"{note}\"\n"
        )
    };
    let (most, over) = ("x".repeat(2_048), "x".repeat(2_049));
    let text = format!(
        "version = 1\n{}{}",
        table("short", &most),
        table("long", &over)
    );
    let told = "the note of \"long\" is longer than 2048 characters: shorten it";
    for more in [&["--dry-run"][..], &[]] {
        let applied = home.run_with(&[&["connection", "apply", "-"], more].concat(), &text);
        assert_eq!((applied.code, applied.out.as_str()), (3, ""), "{applied:?}");
        let line = applied.err.contains("line 7, column 1: ");
        assert!(line && applied.err.contains(told), "{applied:?}");
    }
    let done = import(&home, &text, &[]);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.out.contains("- long: saving: "), "{done:?}");
    assert!(done.out.contains(told), "{done:?}");
    assert!(home.configuration().contains(&most));
}
