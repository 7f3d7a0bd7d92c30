//! Service files: the embedded ones are whole, and a user's problems are named.

use super::*;
use crate::domain::shape;

fn problem(text: &str) -> ServiceFileProblem {
    Catalog::with([("my.toml".to_owned(), text.to_owned())]).unwrap_err()
}

#[test]
fn the_embedded_files_parse() {
    let mut words = 0;
    for Embedded { label, text, json } in COMMON.into_iter().chain(SERVICES) {
        let file = load::parse(label, text).unwrap_or_else(|problem| panic!("{problem}"));
        if file.service.is_none() {
            words += file.reason.len();
        }
        let read: ServiceFile = serde_json::from_str(json).unwrap();
        assert_eq!(read, file, "{label} is read as it was written");
    }
    let catalog = Catalog::embedded();
    assert_eq!(SHIPPED.reason.len(), words, "one file has another's");
    let ids: Vec<_> = catalog.ids().map(ToString::to_string).collect();
    assert_eq!(ids, ["blesta", "connect", "http"]);
}

/// Where no service is at hand, keys of these two are told by what is known of them in `domain::shape`.
#[test]
fn the_embedded_services_issue_keys_of_the_shapes_that_are_looked_for() {
    let catalog = Catalog::embedded();
    let blesta = catalog.get(&ServiceId::blesta()).unwrap();
    assert_eq!(blesta.key().hex, Some(shape::BLESTA_KEY_DIGITS));
    let connect = catalog.get(&ServiceId::connect()).unwrap();
    let start = shape::TOKEN_ID_START;
    assert_eq!(connect.username().starts.as_deref(), Some(start));
    assert_eq!(connect.text().detect.username_starts, [start]);
    let handle = format!("{}{{username}}:{{key}}", shape::TOKEN_SCHEME);
    assert_eq!(connect.text().handle, handle);
}

#[test]
fn every_reason_has_words() {
    let catalog = Catalog::embedded();
    for reason in Reason::ALL {
        for service in [None, Some(ServiceId::blesta()), Some(ServiceId::connect())] {
            let entry = catalog.entry(*reason, service.as_ref());
            assert!(entry.cause.ends_with('.'), "{reason}: {}", entry.cause);
            assert_ne!(entry.cause, reason.title(), "{reason} has no cause");
            assert!(!entry.title.is_empty(), "{reason}");
            assert!(
                !entry.steps.is_empty() || reason.state() == crate::domain::State::Ok,
                "{reason} has no remedy"
            );
        }
        assert!(SHIPPED.reason.contains_key(reason.id()), "{reason}");
    }
}

#[test]
fn every_named_variant_exists() {
    let catalog = Catalog::embedded();
    for service in catalog.services() {
        for rule in service.rules() {
            let Some(variant) = &rule.variant else {
                continue;
            };
            let key = format!("{}/{variant}", rule.reason.id());
            assert!(
                service.own.reason.contains_key(&key) || SHIPPED.reason.contains_key(&key),
                "{key}"
            );
        }
    }
}

#[test]
fn problems_name_file_line_and_key() {
    let unknown_key = problem("[service]\nid = 'x'\ntitle = 'X'\ncolour = 'red'\n");
    assert_eq!(
        (unknown_key.file.as_str(), unknown_key.line),
        ("my.toml", 4)
    );
    assert_eq!(unknown_key.key, "colour");
    assert!(
        unknown_key.problem.contains("unknown field"),
        "{unknown_key}"
    );

    let reason = problem("[service]\nid='x'\ntitle='X'\n[[rule]]\nreason = 'great'\nwhen = {}\n");
    assert_eq!((reason.line, reason.key.as_str()), (5, "reason"));
    assert!(reason.problem.contains("great"));

    let placeholder =
        problem("[service]\nid='x'\ntitle='X'\n[reason.connected]\ncause='{nobody}.'\nwho='you'\n");
    assert_eq!((placeholder.line, placeholder.key.as_str()), (5, "cause"));

    let twice = problem("[service]\nid = 'blesta'\ntitle='X'\n");
    assert_eq!((twice.line, twice.key.as_str()), (2, "id"));

    let path = problem("[service]\nid='x'\ntitle='X'\n[service.requests]\nbare = 'api'\n");
    assert_eq!((path.line, path.key.as_str()), (5, "bare"));
    let headers = "[service.auth]\nfirst = 'headers'\nheaders = [\n{ name = 'X-Key', value = '{key}' },\n\
                   { name = 'x-key', value = '{username}' },\n{ name = 'X-Id', value = '1' },\n]\n";
    let twice = problem(&format!("[service]\nid='x'\ntitle='X'\n{headers}"));
    assert_eq!(twice.line, 6, "{twice}");
    assert!(twice.problem.contains("one of each name"), "{twice}");
    let rule = |status| format!("[[rule]]\nreason='connected'\nwhen={{ status=[{status}] }}\n");
    for status in ["99999", "true", "'40x'"] {
        let status = problem(&rule(status));
        assert_eq!(status.line, 3);
        assert!(status.problem.contains("\"4xx\""), "{status}");
    }

    let word = problem("[reason.nonsense]\ncause='x.'\nwho='you'\n[service]\nid='x'\ntitle='X'");
    assert_eq!((word.line, word.key.as_str()), (1, "nonsense"));

    assert_eq!(problem("[service\n").line, 1);
    assert_eq!(problem("").key, "service");
}

#[test]
fn pointers_and_paths_that_lead_nowhere_are_refused_at_their_lines() {
    let (identity, token) = (
        "list='/l'\nid='/i'\nname='/n'",
        "path='/p'\nstatus='/s'\ninactive=[]",
    );
    let renewed =
        format!("{token}\n[service.own_token.renewed]\nsecret='/s'\nexpires='/e'\nstatus='both'");
    let places: [(&str, &str, &[&str]); 5] = [
        ("requests", "", &["bare", "authenticated", "fallback"]),
        ("version", "", &["path", "pointer"]),
        ("identity", identity, &["list", "id", "name", "host"]),
        ("own_token", token, &["path", "status", "expires"]),
        ("own_token", &renewed, &["secret", "expires"]),
    ];
    for (table, whole, keys) in places {
        for key in keys {
            let others = whole
                .lines()
                .filter(|line| !line.starts_with(&format!("{key}=")));
            let others: Vec<_> = others.collect();
            let text = format!("[service.{table}]\n{}\n{key}='x/y'\n", others.join("\n"));
            let text = format!("[service]\nid='x'\ntitle='X'\n{text}");
            let nowhere = problem(&text);
            assert_eq!(nowhere.line, text.lines().count(), "{text}: {nowhere}");
            assert!(nowhere.problem.contains("starts with /"), "{nowhere}");
        }
    }
    let mark =
        "[[mark]]\nwhen = { json = [{ at = 'id' }] }\nwho = 'service'\nname = 'X'\nscore = 1\n";
    assert!(problem(mark).problem.contains("starts with /"));
}

#[test]
fn a_file_that_is_not_in_order_keeps_no_other_out() {
    let cms = "[[cms]]\nid = 'drupal'\ntitle = 'Drupal'\n";
    let file = |id: &str| format!("[service]\nid = '{id}'\ntitle = 'X'\n");
    let texts = [
        ("a.toml", file("first")),
        ("b.toml", file("second") + "colour = 'red'\n"),
        ("c.toml", format!("{cms}{}", file("blesta"))),
        ("d.toml", file("first")),
        (
            "e.toml",
            format!("{}{}", file("last"), cms.replace("drupal", "typo3")),
        ),
        ("f.toml", cms.replace("drupal", "typo3")),
    ];
    let texts = texts.map(|(label, text)| (label.to_owned(), text));
    let (catalog, problems) = Catalog::with_those_in_order(texts);
    let ids: Vec<_> = catalog.ids().map(ServiceId::as_str).collect();
    assert_eq!(ids, ["blesta", "connect", "first", "http", "last"]);
    let labels: Vec<_> = problems
        .iter()
        .map(|problem| problem.file.as_str())
        .collect();
    assert_eq!(labels, ["b.toml", "c.toml", "d.toml", "f.toml"]);
    for (at, why) in [
        (1, "this service comes with switchboard"),
        (2, "this service is described already, by a.toml"),
        (3, "this CMS is described already, by e.toml"),
    ] {
        let problem = &problems[at].problem;
        assert!(problem.starts_with(why), "{problem}");
    }
    assert!(
        catalog.cms().iter().all(|cms| cms.id != "drupal"),
        "half of c.toml was taken"
    );
}

#[test]
fn a_definition_of_a_cms_comes_before_the_common_words_and_behind_the_common_rules() {
    let text = "[[cms]]\nid = 'drupal'\ntitle = 'Drupal'\n[reason.refused]\ncause = 'Ours.'\nwho = 'you'\n\
                [[rule]]\nreason = 'refused'\nwhen = { status = [299] }\n";
    let embedded = Catalog::embedded();
    let catalog = Catalog::with([("drupal.toml".to_owned(), text.to_owned())]).unwrap();
    assert_eq!(catalog.entry(Reason::Refused, None).cause, "Ours.");
    assert_ne!(embedded.entry(Reason::Refused, None).cause, "Ours.");
    let of = |catalog: &Catalog| {
        let service = catalog.get(&ServiceId::http()).unwrap();
        assert!(service.words(Reason::Reset, None).is_some());
        let words = service.words(Reason::Refused, None).unwrap();
        assert_eq!(words.cause.fill(|_| None) == "Ours.", catalog != &embedded);
        service.rules().map(|rule| rule.reason).collect::<Vec<_>>()
    };
    let mut rules = of(&embedded);
    rules.push(Reason::Refused);
    assert_eq!(of(&catalog), rules);
}

#[test]
fn any_http_api_is_described_without_code() {
    let text = r#"
[service]
id = "grafana"
title = "Grafana"
[service.fields]
key = { need = "required", starts = "glsa_" }
[service.auth]
first = "bearer"
[service.requests]
bare = "/api/health"
bare_is_rejected = false
authenticated = "/api/org"
[service.identity]
list = ""
id = "/id"
name = "/name"
[[mark]]
who = "service"
name = "Grafana"
score = 10
when = { json = [{ at = "/database", exists = true }] }
[[rule]]
reason = "connected"
when = { rung = "credentials", status = [200], json = [{ at = "/id", is = "number" }] }
"#;
    let catalog = Catalog::with([("grafana.toml".to_owned(), text.to_owned())]).unwrap();
    let grafana = catalog.get(&ServiceId::new("grafana")).unwrap();
    assert_eq!(grafana.title(), "Grafana");
    assert!(!grafana.bare_is_rejected());
    assert_eq!(grafana.first_scheme(false), Some(Scheme::Bearer));
}

#[test]
fn a_file_may_add_a_cms_alone() {
    let text = "[[cms]]\nid='drupal'\ntitle='Drupal'\nverify={ header='X-Sig' }\n";
    let catalog = Catalog::with([("drupal.toml".to_owned(), text.to_owned())]).unwrap();
    let blesta = catalog.get(&ServiceId::blesta()).unwrap();
    let verify = blesta.cms("drupal").unwrap().verify.as_ref().unwrap();
    assert_eq!(
        (verify.header.as_str(), verify.parameter.as_str()),
        ("X-Sig", "jblesta")
    );
}

#[test]
fn the_documented_example_parses() {
    let lines: Vec<&str> = include_str!("format.rs")
        .lines()
        .skip_while(|line| *line != "//! ```toml")
        .skip(1)
        .take_while(|line| *line != "//! ```")
        .map(|line| line.trim_start_matches("//!"))
        .collect();
    let text = lines.join("\n");
    let catalog = Catalog::with([("example.toml".to_owned(), text)]).unwrap();
    let example = catalog.get(&ServiceId::new("grafana")).unwrap();
    assert_eq!(example.text().requests.bare.as_deref(), Some("/api/health"));
    let entry = catalog.entry(Reason::CredentialsRejected, Some(example.id()));
    assert!(entry.cause.starts_with("Grafana"), "{}", entry.cause);
}
