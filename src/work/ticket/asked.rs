//! What a host is asked for: the steps of its remedy as its own people read them. A remedy speaks to whoever has the
//! connection, to whom "this machine" is the one that probes.

/// Where the sender's address goes: nobody but the sender can find it out.
const GAP: &str = "________ (to be filled in before this is sent: curl https://icanhazip.com \
                   shows it where the probe was made)";

/// A step that begins or goes on with one of these is one of whoever has the connection.
const DONE_HERE: &[&str] = &[
    "probe by hand",
    "on the screen",
    "switchboard connection",
    "switchboard token",
    "add its CA file to the connection",
    "add it as CA file to the connection",
    "connection's CA file",
    "add the certificate and its key to the connection",
    "another network",
    "this machine's clock",
    "longer timeout",
    "NO_PROXY",
    "the proxy's administrator",
];

/// The same where it begins with it.
const BEGUN_HERE: &[&str] = &[
    "Check the port in the URL.",
    "Check the port:",
    "Check scheme and port",
    "Check the name in the URL for a typo.",
    "If this address never worked",
    "Use a name of the certificate",
    "If anybody sees this page",
    "Tell whoever runs the server",
    "Compare the URL",
    "Probe again",
    "Then probe again: nothing",
    "Try again.",
    "Wait:",
    "If it only asks for time",
];

/// Each for the other, in this order.
const REWORDED: &[(&str, &str)] = &[
    (
        " and ask the host whether it is banned",
        " and tell us whether it is banned",
    ),
    ("Probe less often, or ask the host to ", ""),
    ("probe less often, or ask the host to ", ""),
    ("; probe less often", ""),
    (", and probe less often if it counts requests", ""),
    (
        ", and probe less often: one probe is up to three requests",
        ": one probe is up to three requests",
    ),
    (": probe again.", "."),
    ("Then probe again. If", "If"),
    (
        "Check the port in the URL, and on the host that its",
        "Check that the host's",
    ),
    ("Wait, or ask the host", "Tell us"),
    ("Ask the host to ", ""),
    ("Ask it to ", ""),
    ("ask the host to ", ""),
    ("Ask the host for the ", "Look into the "),
    ("ask the host for the ", "look into the "),
    ("Ask the host for a path", "Tell us a path"),
    ("Ask the host for ", "Get "),
    ("Ask the host, or read its", "Read the"),
    ("Ask the host ", "Tell us "),
    ("ask the host: ", ""),
    ("ask the host what", "see what"),
    (", and to let ", ", and let "),
    (", and to ", ", and "),
    (", or to ", ", or "),
    (" and to look ", " and look "),
    (" or to want none", " or want none"),
    (" (curl https://icanhazip.com)", ""),
    ("this machine's address", "our address"),
    ("this machine", "the machine that probes"),
];

/// What refers to a step before it.
const FOLLOWS: &[&str] = &["Otherwise ", "If it is right, ", "If it is right: "];

/// The steps that are asked of whoever runs `host`, in their words.
pub(super) fn asked_of<'a>(steps: impl IntoIterator<Item = &'a String>, host: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut is_left_out = false;
    for step in steps {
        // It speaks of a step that they are not shown.
        let follows = FOLLOWS.iter().find_map(|words| step.strip_prefix(words));
        let step = match follows.filter(|_| is_left_out && all.is_empty()) {
            Some(rest) => &capitalised(rest),
            None => step,
        };
        let asked = asked(step, host);
        is_left_out |= asked.is_none();
        all.extend(asked);
    }
    all
}

/// `step` as it is asked of whoever runs `host`; nothing where it is not theirs.
fn asked(step: &str, host: &str) -> Option<String> {
    let begins = |words: &&str| step.starts_with(*words);
    if DONE_HERE.iter().any(|words| step.contains(words)) || BEGUN_HERE.iter().any(begins) {
        return None;
    }
    let mut text = match step.strip_prefix("Find out which address this machine has outside") {
        Some(rest) => address(rest),
        None => step.to_owned(),
    };
    text = text.replace(&format!("sk whoever runs {host}"), "sk the host");
    for (theirs, ours) in REWORDED {
        text = text.replace(theirs, ours);
    }
    // A command is none with another letter.
    let is_sentence = step.starts_with(char::is_uppercase);
    Some(if is_sentence {
        capitalised(&text)
    } else {
        text
    })
}

/// What follows on "find out which address this machine has outside".
fn address(rest: &str) -> String {
    let rest = rest
        .trim_start_matches(" (curl https://icanhazip.com)")
        .trim_start_matches(": curl https://icanhazip.com shows it.");
    let wish = rest.trim_start_matches(", and ask the host to ");
    match rest.trim_start_matches(", and ask the host ") {
        "" => format!("Our address: {GAP}."),
        _ if wish != rest => format!("Please {wish} It is: {GAP}."),
        whether if whether != rest => format!("Tell us {whether} Our address: {GAP}."),
        _ => format!("Our address: {GAP}.{rest}"),
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Who;
    use crate::service::{Catalog, Service};

    /// Every step of a remedy for a host that is shipped, of every service and variant.
    #[test]
    fn no_step_of_the_sender_is_asked_of_a_host() {
        let (mut count, mut misfits) = (0, Vec::new());
        let catalog = Catalog::embedded();
        for words in catalog.services().flat_map(Service::reason_texts) {
            if words.who != Who::Host {
                continue;
            }
            for step in &words.steps {
                let step = step.general();
                let Some(asked) = asked(&step, "HOST") else {
                    continue;
                };
                count += 1;
                for odd in [
                    "this machine",
                    "sk the host",
                    "sk whoever runs",
                    "sk it to",
                    "the host to ",
                    "switchboard connection",
                    "(--",
                    "robe again",
                    "less often",
                    "{",
                ] {
                    if asked.contains(odd) {
                        misfits.push(format!("{odd:?}: {step}\n  {asked}"));
                    }
                }
            }
        }
        assert!(misfits.is_empty(), "{}", misfits.join("\n"));
        assert!(count > 100, "{count}");
    }

    #[test]
    fn no_list_begins_with_the_second_half_of_a_thought() {
        let catalog = Catalog::embedded();
        let mut lists = 0;
        for words in catalog.services().flat_map(Service::reason_texts) {
            if words.who != Who::Host {
                continue;
            }
            let mut steps = Vec::new();
            for step in &words.steps {
                steps.push(step.general());
            }
            let asked = asked_of(&steps, "HOST");
            let Some(first) = asked.first() else {
                continue;
            };
            lists += 1;
            assert!(
                !FOLLOWS.iter().any(|words| first.starts_with(words)),
                "{first}"
            );
            for step in &asked {
                assert!(!step.contains(", or to "), "{step}");
                let is_command = step.starts_with("openssl ");
                assert!(step.starts_with(char::is_uppercase) || is_command, "{step}");
            }
        }
        assert!(lists > 50, "{lists}");
    }

    #[test]
    fn a_host_is_spoken_to() {
        let gap = |text: &str| text.replace("GAP", GAP);
        for (step, expected) in [
            ("Check the port in the URL.", None),
            (
                "Ask the host to send the full chain.",
                Some("Send the full chain."),
            ),
            (
                "Otherwise ask the host to switch on TLS 1.2.",
                Some("Otherwise switch on TLS 1.2."),
            ),
            (
                "Ask whoever runs e.com to set https up there.",
                Some("Set https up there."),
            ),
            (
                "Ask the host whether this machine's address is banned.",
                Some("Tell us whether our address is banned."),
            ),
            (
                "Find out which address this machine has outside: curl https://icanhazip.com shows it.",
                Some("Our address: GAP."),
            ),
            (
                "Find out which address this machine has outside (curl https://icanhazip.com), and ask the host \
                 to allow it and to look whether it is banned.",
                Some("Please allow it and look whether it is banned. It is: GAP."),
            ),
            (
                "Find out which address this machine has outside (curl https://icanhazip.com), and ask the host \
                 whether it is banned.",
                Some("Tell us whether it is banned. Our address: GAP."),
            ),
        ] {
            let expected = expected.map(gap);
            assert_eq!(asked(step, "e.com"), expected, "{step}");
        }
    }
}
