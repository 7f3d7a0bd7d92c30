//! The JSON Schemas fit the files: what is shipped, what the program writes, and what people may write.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::Home;

/// What of `value` does not fit `schema`, as `path: why`. Knows the words that our schemas use, and no others.
fn misfits(root: &Value, schema: &Value, value: &Value, path: &str, out: &mut Vec<String>) {
    for word in schema.as_object().unwrap().keys() {
        assert!(
            [
                "$schema",
                "title",
                "description",
                "type",
                "required",
                "additionalProperties",
                "properties",
                "items",
                "prefixItems",
                "enum",
                "const",
                "minimum",
                "maximum",
                "minLength",
                "maxLength",
                "pattern",
                "anyOf",
                "$ref",
                "$defs"
            ]
            .contains(&word.as_str()),
            "{word} is not known to this check"
        );
    }
    if let Some(reference) = schema.get("$ref") {
        let name = reference.as_str().unwrap().strip_prefix('#').unwrap();
        return misfits(root, root.pointer(name).unwrap(), value, path, out);
    }
    if let Some(all) = schema.get("anyOf") {
        let fits = |one: &Value| {
            let mut inner = Vec::new();
            misfits(root, one, value, path, &mut inner);
            inner.is_empty()
        };
        if !all.as_array().unwrap().iter().any(fits) {
            out.push(format!("{path}: fits none"));
        }
    }
    let wrong = match schema.get("type").and_then(Value::as_str) {
        Some("object") => !value.is_object(),
        Some("array") => !value.is_array(),
        Some("string") => !value.is_string(),
        Some("boolean") => !value.is_boolean(),
        Some("integer") => !value.is_i64() && !value.is_u64(),
        _ => false,
    };
    let other = schema.get("const").is_some_and(|one| one != value)
        || schema
            .get("enum")
            .is_some_and(|all| !all.as_array().unwrap().contains(value));
    if wrong || other {
        return out.push(format!("{path}: {value} is another kind or word"));
    }
    let number = |word: &str| schema.get(word).and_then(Value::as_i64);
    if let Some(found) = value.as_i64()
        && (number("minimum").is_some_and(|least| found < least)
            || number("maximum").is_some_and(|most| found > most))
    {
        out.push(format!("{path}: {found} is out of range"));
    }
    if let Some(text) = value.as_str() {
        let length = i64::try_from(text.chars().count()).unwrap();
        if number("minLength").is_some_and(|least| length < least)
            || number("maxLength").is_some_and(|most| length > most)
        {
            out.push(format!("{path}: length {length}"));
        }
        if schema
            .get("pattern")
            .is_some_and(|pattern| !matches(pattern.as_str().unwrap(), text))
        {
            out.push(format!("{path}: {text} has another form"));
        }
    }
    let first = schema.get("prefixItems").and_then(Value::as_array);
    for (at, item) in value.as_array().into_iter().flatten().enumerate() {
        let of_its_own = first.and_then(|first| first.get(at));
        if let Some(items) = of_its_own.or_else(|| schema.get("items")) {
            misfits(root, items, item, &format!("{path}/{at}"), out);
        }
    }
    for (key, field) in value.as_object().into_iter().flatten() {
        let known = schema.get("properties").and_then(|known| known.get(key));
        match (known, schema.get("additionalProperties")) {
            (Some(known), _) => misfits(root, known, field, &format!("{path}/{key}"), out),
            (None, Some(Value::Bool(false))) => out.push(format!("{path}/{key}: not known")),
            (None, Some(rest @ Value::Object(_))) => {
                misfits(root, rest, field, &format!("{path}/{key}"), out);
            }
            (None, _) => {}
        }
    }
    for key in schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if value.is_object() && value.get(key.as_str().unwrap()).is_none() {
            out.push(format!("{path}: {key} is missing"));
        }
    }
}

/// The two patterns that our schemas have.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern {
        "^(ask|(keyring|vault|env|file|cmd):.+)$" => {
            text == "ask"
                || text.split_once(':').is_some_and(|(kind, rest)| {
                    ["keyring", "vault", "env", "file", "cmd"].contains(&kind) && !rest.is_empty()
                })
        }
        "^([1-9]xx|[0-9]+(-[0-9]+)?)$" => text.strip_suffix("xx").map_or_else(
            || text.split('-').all(|part| part.parse::<u16>().is_ok()),
            |class| {
                class
                    .parse::<u8>()
                    .is_ok_and(|class| (1..=9).contains(&class))
            },
        ),
        other => panic!("{other} is not known to this check"),
    }
}

fn schema(which: &str) -> Value {
    Home::new().run(&["schema", which]).json()
}

fn check(schema: &Value, toml: &str) -> Vec<String> {
    let value: toml::Value = toml::from_str(toml).unwrap();
    let value = serde_json::to_value(value).unwrap();
    let mut out = Vec::new();
    misfits(schema, schema, &value, "", &mut out);
    out
}

#[test]
fn shipped_service_files_fit() {
    let schema = schema("service");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/services");
    let (mut folders, mut files) = (vec![shipped], 0);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            assert_eq!(check(&schema, &text), [""; 0], "{path:?}");
            files += 1;
        }
    }
    assert_eq!(files, 12);
    let odd = "[service]\nid = \"x\"\ntitle = \"X\"\nhandel = \"{key}\"\n[[rule]]\nreason = \"connected\"\nwhen = { status = [\"2x\"] }\n";
    assert_eq!(check(&schema, odd).len(), 2, "{:?}", check(&schema, odd));
}

#[test]
fn the_configuration_fits_as_the_program_writes_and_as_people_may() {
    let schema = schema("config");
    let home = Home::new();
    let add = [
        "connection",
        "add",
        "shop",
        "--service",
        "blesta",
        "--url",
        "https://a.example.com",
        "--username",
        "u",
        "--key-ref",
        "cmd:pass show a",
        "--token-ref",
        "env:TOKEN",
        "--cms-url",
        "https://cms.example.com",
        "--cms",
        "joomla",
        "--tag",
        "eu",
        "--interval",
        "5m",
        "--note",
        "n",
        "--auth",
        "headers",
        "--timeout",
        "5s",
        "--proxy",
        "http://p:1",
        "-4",
    ];
    assert_eq!(home.run(&add).code, 0);
    assert_eq!(check(&schema, &home.configuration()), [""; 0]);
    let settings = "version = 1\n[settings]\ntheme = \"light\"\nreduce_motion = true\nstore = \"vault\"\n\
                    on_change = [\"x\"]\n[settings.keys]\nprobe = [\"r\", \"f5\"]\nquit = \"q\"\n";
    assert_eq!(check(&schema, settings), [""; 0]);
    for odd in [
        "settings = 1\nversion = 1",
        "version = 2",
        "version = 1\n[settings]\ninterval_s = 0",
        "version = 1\n[[connection]]\nname = \"a\"\nservice = \"http\"",
        "version = 1\n[[connection]]\nname = \"a\"\nservice = \"http\"\nurl = \"x\"\nkey = \"00112233\"",
    ] {
        assert!(!check(&schema, odd).is_empty(), "{odd}");
    }
}
