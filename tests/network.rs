//! The network itself, by the kernel: machines of their own in network namespaces, with a wire between them,
//! firewalls that drop, routes that lead nowhere, name servers that are not there. Beside it proxies, and what
//! only a sequence of probes shows.
#![expect(clippy::unwrap_used, reason = "what is missing shall fail the test")]

#[path = "network/lockout.rs"]
mod lockout;
#[path = "network/proxies.rs"]
mod proxies;
#[path = "network/sequences.rs"]
mod sequences;
#[path = "network/servers.rs"]
mod servers;
mod support;

use std::path::Path;

use serde_json::Value;
use support::commands::Done;
use support::netns::{Link, Machine, permitted};
use support::skip;

/// Asserts how a probe ended: reason, state, status, who answered, exit code.
fn expect(done: &Done, reason: &str) -> Value {
    let verdict = done.json();
    assert_eq!(verdict["reason"], reason, "{verdict:#}");
    let (state, code) = match reason {
        "connected" => ("ok", 0),
        "offline" | "local-error" => ("unknown", 3),
        _ => ("down", 2),
    };
    assert_eq!((verdict["state"].as_str(), done.code), (Some(state), code));
    if state != "ok" {
        assert_eq!(verdict["status"], 0);
        assert_eq!(verdict["answered_by"], "nobody");
        let steps = verdict["remedy"]["steps"].as_array().unwrap();
        assert!(!steps.is_empty(), "no remedy: {verdict:#}");
    }
    verdict
}

/// The state of each address, in the order they were tried.
fn addresses(verdict: &Value) -> Vec<(&str, &str)> {
    let all = verdict["addresses"].as_array().unwrap().iter();
    all.map(|one| {
        let text = |field: &str| one[field].as_str().unwrap();
        (text("address"), text("state"))
    })
    .collect()
}

fn check<'a>(verdict: &'a Value, id: &str) -> &'a Value {
    let all = verdict["checks"].as_array().unwrap();
    all.iter().find(|check| check["id"] == id).unwrap()
}

#[test]
fn across_a_wire_the_kernel_connects_refuses_and_finds_no_route() {
    if !permitted() {
        return;
    }
    let link = Link::new();
    let _nginx = link.there.nginx("192.0.2.2:8080");
    let verdict = expect(&link.here.probe("http://192.0.2.2:8080", &[]), "connected");
    assert_eq!(addresses(&verdict), [("192.0.2.2:8080", "ok")]);
    let verdict = expect(&link.here.probe("http://192.0.2.2:9", &[]), "refused");
    assert_eq!(addresses(&verdict), [("192.0.2.2:9", "down")]);

    expect(&link.here.probe("http://198.51.100.1", &[]), "unreachable");
    let route = |kind: &str, to: &str| link.here.ip(&["route", "add", kind, to]);
    route("unreachable", "198.51.100.0/25");
    expect(&link.here.probe("http://198.51.100.1", &[]), "unreachable");
    route("blackhole", "198.51.100.128/25");
    expect(
        &link.here.probe("http://198.51.100.129", &[]),
        "unreachable",
    );
    // This machine's own rule: nothing that the other end could mend.
    route("prohibit", "203.0.113.0/24");
    expect(&link.here.probe("http://203.0.113.1", &[]), "local-error");
}

#[test]
fn what_is_dropped_on_the_way_times_out() {
    if !permitted() {
        return;
    }
    let link = Link::new();
    let _nginx = link.there.nginx("192.0.2.2:8080");
    let patience = ["--timeout", "1s"];
    // Somebody has that address, and takes what comes to it without a word.
    let nobody = [
        "neighbor",
        "add",
        "192.0.2.7",
        "lladdr",
        "02:00:00:00:00:07",
    ];
    link.here.ip(&[&nobody[..], &["dev", "wire"]].concat());
    let done = link.here.probe("http://192.0.2.7:8080", &patience);
    let verdict = expect(&done, "connect-timeout");
    assert_eq!(addresses(&verdict), [("192.0.2.7:8080", "down")]);
    assert_eq!(check(&verdict, "connect")["state"], "down");

    // The answers are dropped at the other end.
    link.there
        .ip(&["route", "add", "blackhole", "192.0.2.1/32"]);
    let done = link.here.probe("http://192.0.2.2:8080", &patience);
    expect(&done, "connect-timeout");
    link.there
        .ip(&["route", "del", "blackhole", "192.0.2.1/32"]);
    let done = link.here.probe("http://192.0.2.2:8080", &patience);
    expect(&done, "connected");

    let rules = "add table inet wall; add chain inet wall in { type filter hook input priority 0; }; \
                 add rule inet wall in tcp dport 8080 drop";
    if !link.there.runs("/usr/sbin/nft", &[rules]) {
        skip("the rest: a DROP rule needs nftables");
        return;
    }
    let done = link.here.probe("http://192.0.2.2:8080", &patience);
    let verdict = expect(&done, "connect-timeout");
    let told = format!("{} {}", verdict["cause"], verdict["remedy"]);
    assert!(told.to_lowercase().contains("firewall"), "{told}");
    // A port that the rule leaves alone answers as before: that is what tells a rule from a dead machine.
    expect(&link.here.probe("http://192.0.2.2:9", &patience), "refused");
}

#[test]
fn a_neighbour_that_never_answers_is_no_route_or_a_timeout() {
    if !permitted() {
        return;
    }
    let link = Link::new();
    // The kernel gives up on the neighbour after three seconds; with less patience nothing is known yet.
    expect(
        &link.here.probe("http://192.0.2.9", &["--timeout", "1s"]),
        "connect-timeout",
    );
    expect(
        &link.here.probe("http://192.0.2.9", &["--timeout", "20s"]),
        "unreachable",
    );
}

#[test]
fn names_that_are_absent_and_name_servers_that_are_silent() {
    if !permitted() {
        return;
    }
    let link = Link::new();
    let here = &link.here;
    let _nginx = link.there.nginx("192.0.2.2:8080");
    here.etc(
        "resolv.conf",
        "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
    );
    here.etc("hosts", "192.0.2.2 shop.example\n");
    let verdict = expect(&here.probe("http://shop.example:8080", &[]), "connected");
    assert_eq!(check(&verdict, "dns")["state"], "ok");

    let verdict = expect(&here.probe("http://other.example:8080", &[]), "dns-failed");
    assert_eq!(check(&verdict, "dns")["state"], "down");
    assert_eq!(addresses(&verdict), []);

    // Names by the hosts file alone, as nsswitch says: then what is not there is not anywhere.
    here.etc("nsswitch.conf", "hosts: files\n");
    let verdict = expect(
        &here.probe("http://other.example:8080", &[]),
        "dns-not-found",
    );
    assert_eq!(check(&verdict, "dns")["state"], "down");
    // And a name without an address of the family that was asked for.
    let verdict = expect(
        &here.probe("http://shop.example:8080", &["-6"]),
        "dns-not-found",
    );
    let evidence = verdict["evidence"].to_string().to_lowercase();
    assert!(evidence.contains("only ipv6"), "{evidence}");
}

#[test]
fn one_failing_family_is_shown_and_does_no_harm() {
    if !permitted() {
        return;
    }
    let link = Link::new();
    link.here.etc(
        "hosts",
        "192.0.2.2 shop.example\n2001:db8::2 shop.example\n",
    );
    link.here.etc("nsswitch.conf", "hosts: files\n");
    let url = "http://shop.example:8080";
    let (four, six) = ("192.0.2.2:8080", "[2001:db8::2]:8080");

    let nginx = link.there.nginx(four);
    let verdict = expect(&link.here.probe(url, &[]), "connected");
    assert_eq!(addresses(&verdict), [(six, "down"), (four, "ok")]);
    assert_eq!(check(&verdict, "connect")["state"], "warn", "{verdict:#}");
    expect(&link.here.probe(url, &["-6"]), "refused");
    let verdict = expect(&link.here.probe(url, &["-4"]), "connected");
    assert_eq!(addresses(&verdict), [(four, "ok")]);
    assert_eq!(check(&verdict, "connect")["state"], "ok");
    drop(nginx);

    let machine = &link.there;
    machine.ip(&["-6", "address", "flush", "dev", "wire", "scope", "global"]);
    machine.ip(&["address", "add", "2001:db8::2/64", "dev", "wire", "nodad"]);
    let _nginx = link.there.nginx(six);
    link.here
        .ip(&["route", "add", "unreachable", "192.0.2.2/32"]);
    let verdict = expect(&link.here.probe(url, &[]), "connected");
    let all = addresses(&verdict);
    assert!(all.contains(&(six, "ok")), "{all:?}");
    assert_eq!(all.len(), 2, "every address is shown: {all:?}");
}

/// Three saved connections to three hosts: two by address, one by name.
fn save_three(machine: &Machine, home: &Path) {
    for (name, url) in [
        ("one", "http://192.0.2.11"),
        ("two", "http://198.51.100.12"),
        ("three", "http://three.example"),
    ] {
        let add = ["connection", "add", name, "--service", "http", "--url", url];
        assert_eq!(machine.switchboard(home, &add).code, 0);
    }
}

#[test]
fn a_machine_without_any_route_is_offline_and_nothing_is_painted_red() {
    if !permitted() {
        return;
    }
    let machine = Machine::alone();
    machine.etc(
        "resolv.conf",
        "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
    );
    let home = tempfile::tempdir().unwrap();
    save_three(&machine, home.path());
    let run = |arguments: &[&str]| machine.switchboard(home.path(), arguments);

    // One probe alone never says it.
    expect(&run(&["probe", "one", "--format", "json"]), "unreachable");
    expect(&run(&["probe", "three", "--format", "json"]), "dns-failed");

    let done = run(&["probe", "--all", "--format", "json"]);
    let verdicts = done.json();
    let names: Vec<_> = verdicts
        .as_array()
        .unwrap()
        .iter()
        .map(|v| &v["connection"])
        .collect();
    assert_eq!(names, ["one", "two", "three"], "in their order");
    for verdict in verdicts.as_array().unwrap() {
        assert_eq!(
            (&verdict["reason"], &verdict["state"]),
            (&"offline".into(), &"unknown".into())
        );
        let evidence = verdict["evidence"][0].as_str().unwrap();
        assert!(evidence.contains("unreachable") || evidence.contains("dns-failed"));
    }
    assert_eq!(done.code, 3, "unknown, not down");

    let done = run(&["probe", "--all", "--format", "ndjson"]);
    assert_eq!(done.out.lines().count(), 3);
    assert!(
        done.out.lines().all(|line| line.contains("\"offline\"")),
        "{}",
        done.out
    );

    let file = home.path().join("targets");
    std::fs::write(
        &file,
        "http://192.0.2.1\nhttp://192.0.2.2\nhttp://192.0.2.3\n",
    )
    .unwrap();
    let targets = [
        "probe",
        "--targets",
        file.to_str().unwrap(),
        "--format",
        "ndjson",
    ];
    let done = run(&targets);
    assert_eq!((done.out.matches("\"offline\"").count(), done.code), (3, 3));
}

#[test]
fn one_host_that_answers_says_that_this_machine_is_not_offline() {
    if !permitted() {
        return;
    }
    let link = Link::new();
    link.here.etc(
        "resolv.conf",
        "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
    );
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("targets");
    // The second network has no route; the refusal of 192.0.2.2 shows that packets come and go.
    let list =
        "http://198.51.100.1\nhttp://198.51.100.2\nhttp://three.example\nhttp://192.0.2.2:9\n";
    std::fs::write(&file, list).unwrap();
    let targets = [
        "probe",
        "--targets",
        file.to_str().unwrap(),
        "--format",
        "ndjson",
    ];
    let done = link.here.switchboard(home.path(), &targets);
    assert_eq!(done.out.lines().count(), 4);
    assert!(!done.out.contains("\"offline\""), "{}", done.out);
    assert_eq!(done.code, 2);
}
