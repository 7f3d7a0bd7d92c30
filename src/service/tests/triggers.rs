//! Which requests are asked for each trigger, and which of them carry the key.

use super::harness::*;
use crate::domain::budget::{AttemptEnd, Stop, StoppedBy};
use crate::domain::{AuthStyle, CheckId, Failure, Name, Reason, Reply, State, Who};
use crate::service::{Accepted, HinderedBy, Hindrance, RungAnswer, SecretState, Subject, Trigger};

const BARE: &str = "GET /api/companies/getAll.json bare";
const BASIC: &str = "GET /api/companies/getAll.json Basic shop-api";
const HEADERS: &str = "GET /api/companies/getAll.json BLESTA-API-USER+BLESTA-API-KEY";
const REACH: &str = "GET /api/companies/getAll.json reach";
const VERSION: &str = "GET /api/settings/getVersion.json Basic shop-api";

fn seen(trigger: Trigger) -> Subject {
    let mut subject = shop();
    subject.trigger = trigger;
    subject.past.service_seen = true;
    subject
}

fn accepted(trigger: Trigger, by_headers: bool) -> Subject {
    let mut subject = seen(trigger);
    subject.past.accepted = Some(Accepted {
        by_headers,
        through_index: false,
        own_token: None,
    });
    subject
}

fn denied() -> Reply {
    json(401, DENIED)
}

fn companies() -> Reply {
    json(200, COMPANIES)
}

fn version() -> Reply {
    json(200, r#"{"response":"5.13.7"}"#)
}

#[test]
fn while_the_url_is_edited_nothing_carries_a_key() {
    for mut subject in [
        shop(),
        seen(Trigger::Asked),
        accepted(Trigger::Asked, false),
    ] {
        subject.trigger = Trigger::UrlTyping;
        let run = climb(subject, vec![denied()]);
        assert_eq!(run.asked, [BARE]);
        assert_eq!(run.reason(), Reason::ServiceFound);
        assert_eq!(run.attempts, []);
    }
}

#[test]
fn a_pair_is_sent_once_the_service_was_recognised() {
    let run = climb(shop(), vec![denied(), companies(), version()]);
    assert_eq!(run.asked, [BARE, BASIC, VERSION]);
    assert_eq!(run.attempts, [AttemptEnd::Accepted, AttemptEnd::Accepted]);
    let run = climb(seen(Trigger::Typing), vec![companies(), version()]);
    assert_eq!(run.asked, [BASIC, VERSION]);
    let run = climb(shop(), vec![html(200, &[], "<html><title>x</title>")]);
    assert_eq!(
        (run.asked, run.verdict.reason),
        (vec![BARE.to_owned()], Reason::NotTheService)
    );
}

#[test]
fn a_scheduled_probe_of_an_accepted_pair_is_the_authenticated_call_alone() {
    let run = climb(accepted(Trigger::Scheduled, false), vec![companies()]);
    assert_eq!(run.asked, [BASIC]);
    assert_eq!(run.reason(), Reason::Connected);
    let state = |id| run.verdict.checks.get(id).state;
    assert_eq!(state(CheckId::Service), State::Ok);
    assert_eq!(state(CheckId::Credentials), State::Ok);
}

#[test]
fn after_a_first_rejection_one_further_request_carries_the_key() {
    let run = climb(shop(), vec![denied(), denied(), denied()]);
    assert_eq!(run.asked, [BARE, BASIC, HEADERS]);
    assert_eq!(run.attempts, [AttemptEnd::Rejected, AttemptEnd::Rejected]);
    assert_eq!(
        (run.reason(), run.verdict.status),
        (Reason::CredentialsRejected, 401)
    );
    assert!(
        run.verdict
            .cause
            .contains("neither by Basic nor by headers")
    );
    assert_eq!(
        run.verdict.checks.get(CheckId::Credentials).state,
        State::Warn
    );
    assert_eq!(run.verdict.checks.get(CheckId::Service).state, State::Ok);
}

#[test]
fn a_style_that_was_chosen_is_the_only_one() {
    for (auth, asked) in [(AuthStyle::Basic, BASIC), (AuthStyle::Headers, HEADERS)] {
        let mut subject = seen(Trigger::Asked);
        subject.auth = auth;
        let run = climb(subject, vec![denied()]);
        assert_eq!(run.asked, [asked]);
        assert_eq!(run.reason(), Reason::CredentialsRejected);
    }
}

#[test]
fn a_stripped_header_is_found_out() {
    let run = climb(seen(Trigger::Asked), vec![denied(), companies(), version()]);
    assert_eq!(run.asked[..2], [BASIC, HEADERS]);
    assert_eq!(
        (run.reason(), run.verdict.status),
        (Reason::AuthorizationStripped, 401)
    );
    assert_eq!(
        run.verdict.remedy.snippet.as_deref(),
        Some(
            "RewriteRule .* - [E=HTTP_AUTHORIZATION:%{HTTP:Authorization}]\n\
             SetEnvIf Authorization \"(.*)\" HTTP_AUTHORIZATION=$1"
        )
    );
    assert_eq!(
        run.verdict.identity.unwrap().name.as_deref(),
        Some("Shop Ltd")
    );
    assert!(run.ladder.accepted().unwrap().by_headers);

    // Scheduled, the headers go alone, and the warning stays; asked for, Basic is tried anew.
    let run = climb(accepted(Trigger::Scheduled, true), vec![companies()]);
    assert_eq!(run.asked, [HEADERS]);
    assert_eq!(run.reason(), Reason::AuthorizationStripped);
    // A cache makes no difference.
    let kept = answer(200, &[("Age", "5")], COMPANIES);
    let run = climb(accepted(Trigger::Scheduled, true), vec![kept]);
    assert_eq!(run.reason(), Reason::AuthorizationStripped);
    let run = climb(accepted(Trigger::Asked, true), vec![companies(), version()]);
    assert_eq!(run.asked, [BASIC, VERSION]);
    assert_eq!(run.reason(), Reason::Connected);
    let mut chosen = accepted(Trigger::Scheduled, true);
    chosen.auth = AuthStyle::Headers;
    assert_eq!(climb(chosen, vec![companies()]).reason(), Reason::Connected);
}

#[test]
fn headers_rejected_and_basic_accepted_is_an_older_version() {
    let run = climb(
        accepted(Trigger::Scheduled, true),
        vec![denied(), companies()],
    );
    assert_eq!(run.asked, [HEADERS, BASIC]);
    assert_eq!(run.reason(), Reason::Connected);
    assert!(!run.ladder.accepted().unwrap().by_headers);
}

#[test]
fn an_inconclusive_second_answer_keeps_the_rejection() {
    let run = climb(
        seen(Trigger::Asked),
        vec![denied(), html(502, &[], "<html>x")],
    );
    assert_eq!(run.reason(), Reason::CredentialsRejected);
    assert_eq!(
        run.attempts,
        [AttemptEnd::Rejected, AttemptEnd::Inconclusive]
    );
}

#[test]
fn a_bisect_of_a_paused_key_tells_of_no_request_where_the_way_alone_was_tried() {
    let mut paused = accepted(Trigger::Bisect, false);
    paused.past.paused = Some(stop("2026-11-23T10:15:00Z", StoppedBy::Refusals));
    let run = climb(paused, vec![reached()]);
    assert_eq!(run.asked, [REACH]);
    assert!(
        run.says("requests sent: 0; with the key: 0"),
        "{:?}",
        run.verdict.evidence
    );
}

#[test]
fn a_bisect_asks_four_times_at_most() {
    let run = climb(seen(Trigger::Bisect), vec![companies(), companies()]);
    assert_eq!(run.asked, [BASIC, HEADERS]);
    assert!(run.says("both accepted"));
    assert!(run.says("requests sent: 2; with the key: 2"));
    let run = climb(seen(Trigger::Bisect), vec![companies(), denied()]);
    assert_eq!(run.reason(), Reason::Connected);
    assert!(run.says("does not know them"));
    assert_eq!(
        run.attempts,
        [AttemptEnd::Accepted, AttemptEnd::Inconclusive],
        "a style that is not known says nothing of the pair"
    );
    let mut subject = shop();
    subject.trigger = Trigger::Bisect;
    let run = climb(subject.clone(), vec![denied(), denied(), denied()]);
    assert_eq!(run.asked, [BARE, BASIC, HEADERS]);
    assert!(run.says("requests sent: 3; with the key: 2"));

    let page = || html(404, &[], "<html><title>404</title>");
    let run = climb(subject.clone(), vec![page(), denied(), denied(), denied()]);
    assert_eq!(run.asked.len(), 4, "{:?}", run.asked);
    assert_eq!(run.reason(), Reason::CredentialsRejected);

    let mut shared = subject.clone();
    shared.token = SecretState::Present(crate::domain::Secret::new("shared"));
    shared.cms_url = Some("https://cms.example".to_owned());
    let run = climb(shared, vec![page(), denied(), companies(), companies()]);
    assert_eq!((run.asked.len(), run.reason()), (4, Reason::RewriteOff));

    let run = climb(subject.clone(), vec![page(), page(), denied()]);
    assert_eq!(run.asked[2], "GET /blesta/api/companies/getAll.json bare");
    assert_eq!(run.reason(), Reason::NotFound);
    assert_eq!(
        run.verdict.remedy.url.as_deref(),
        Some("https://billing.example.com/blesta")
    );

    subject.url = "https://billing.example.com/b/api".to_owned();
    let format =
        r#"{"message":"The format requested is not supported by the server.","response":null}"#;
    let run = climb(subject, vec![json(415, format), denied()]);
    assert_eq!(run.asked[1], "GET /b/api/companies/getAll.json bare");
    assert_eq!(run.reason(), Reason::UrlHasApi);
    assert!(run.says("Blesta answers at https://billing.example.com/b"));
}

/// The words that the steps of each case must have, and no other case's may.
const STEPS: [(HinderedBy, &str); 10] = [
    (HinderedBy::Lock, "L on the screen asks for the passphrase"),
    (HinderedBy::Variable, "Set the variable"),
    (HinderedBy::File, "--key-ref file:PATH"),
    (HinderedBy::Program, "Run the program by hand"),
    (HinderedBy::Vault, "sentence says of the vault"),
    (HinderedBy::Keyring, "Unlock the keyring"),
    (
        HinderedBy::Session,
        "type the key into its field, and Ctrl-S",
    ),
    (
        HinderedBy::Origin,
        "edit shop --send-key-to https://billing.example.com",
    ),
    (HinderedBy::Form, "asks once more whether to send it"),
    (HinderedBy::Other, "Mend what the sentence names"),
];

#[test]
fn each_key_that_is_not_at_hand_has_its_own_steps() {
    for (by, _) in STEPS {
        let mut subject = accepted(Trigger::Asked, false);
        subject.connection = Some(Name::parse("shop").unwrap());
        subject.key = SecretState::Unavailable(Hindrance::new(by, "it is away."));
        let verdict = climb(subject, vec![reached()]).verdict;
        assert_eq!(verdict.reason, Reason::SecretUnavailable, "{by:?}");
        assert_eq!(verdict.title, "Key not at hand", "{by:?}");
        assert!(verdict.cause.ends_with(": it is away."), "{verdict:#?}");
        let steps = verdict.remedy.steps.join("\n");
        for (other, others) in STEPS {
            assert_eq!(steps.contains(others), other == by, "{by:?}: {steps}");
        }
    }
    let named = STEPS.map(|(by, _)| by);
    assert_eq!(named, HinderedBy::ALL, "each once, in their order");
}

#[test]
fn a_locked_or_paused_key_leaves_reachability_alone() {
    for trigger in [
        Trigger::Asked,
        Trigger::Typing,
        Trigger::Scheduled,
        Trigger::Bisect,
    ] {
        let mut locked = accepted(trigger, false);
        locked.key = SecretState::Unavailable(Hindrance::new(
            HinderedBy::Lock,
            "the vault is locked: unlock it with L.",
        ));
        let run = climb(locked, vec![reached()]);
        assert_eq!(run.asked, [REACH]);
        assert_eq!(
            (run.reason(), run.verdict.status),
            (Reason::SecretUnavailable, 0)
        );
        assert!(
            run.verdict
                .cause
                .ends_with("the vault is locked: unlock it with L.")
        );

        let mut unrecordable = accepted(trigger, false);
        unrecordable.key = SecretState::Unrecordable("the history is damaged.".to_owned());
        let run = climb(unrecordable, vec![reached()]);
        assert_eq!(run.asked, [REACH]);
        assert_eq!(run.reason(), Reason::SecretUnavailable);
        assert_eq!(run.verdict.title, "Key not sent: no history");
        assert!(run.verdict.cause.ends_with("the history is damaged."));
        let steps = run.verdict.remedy.steps.join(" ");
        assert!(!steps.contains("--send-key-to"), "{steps}");

        let mut paused = accepted(trigger, false);
        paused.past.paused = Some(stop("2026-11-23T10:15:00Z", StoppedBy::Budget));
        let run = climb(paused, vec![reached()]);
        assert_eq!(run.asked, [REACH]);
        assert_eq!(run.reason(), Reason::AuthPaused);
        let steps = run.verdict.remedy.steps.join(" ");
        assert!(
            steps.contains("nothing to correct"),
            "it was accepted: {steps}"
        );
        let mut refused = accepted(trigger, false);
        refused.past.paused = Some(stop("2026-11-23T10:15:00Z", StoppedBy::Refusals));
        let since = climb(refused, vec![reached()]);
        let steps = since.verdict.remedy.steps.join(" ");
        assert!(
            steps.contains("Compare user name and key"),
            "it was refused since: {steps}"
        );
        assert_eq!(
            run.verdict.retry_at,
            Some("2026-11-23T10:15:00Z".parse().unwrap())
        );
    }
    let mut over = accepted(Trigger::Scheduled, false);
    over.past.paused = Some(stop("2026-11-23T09:59:59Z", StoppedBy::Budget));
    assert_eq!(climb(over, vec![companies()]).asked, [BASIC]);
}

fn stop(until: &str, by: StoppedBy) -> Stop {
    Stop {
        until: until.parse().unwrap(),
        why: "the reason of the stop".to_owned(),
        by,
    }
}

#[test]
fn the_quiet_of_a_host_is_not_told_as_a_refused_key() {
    let mut known = accepted(Trigger::Asked, false);
    known.past.paused = Some(stop("2026-11-23T10:15:00Z", StoppedBy::Host));
    let asked = RungAnswer::Paused {
        until: "2026-11-23T10:15:00Z".parse().ok(),
        why: "the reason of the stop".to_owned(),
        by: StoppedBy::Host,
    };
    let reach = || RungAnswer::Reply(Box::new(reached()));
    for run in [
        climb(known, vec![reached()]),
        climb_over(accepted(Trigger::Asked, false), vec![asked, reach()]),
    ] {
        assert_eq!(run.reason(), Reason::AuthPaused);
        assert!(run.says("the reason of the stop"), "{:#?}", run.verdict);
        // A new program does not know whether it was 429 or 503.
        let cause = &run.verdict.cause;
        assert!(
            cause.contains("too many requests, or out of service"),
            "{cause}"
        );
        assert!(!run.verdict.can_be_resumed());
        let steps = run.verdict.remedy.steps.join(" ");
        assert!(!steps.contains("lift the pause"), "{steps}");
        // Who is named is who has something to do first.
        assert_eq!(run.verdict.remedy.who, Who::Host);
        assert!(steps.starts_with("Ask the host"), "{steps}");
    }
    let mut paused = accepted(Trigger::Asked, false);
    paused.past.paused = Some(stop("2026-11-23T10:15:00Z", StoppedBy::Budget));
    let run = climb(paused, vec![reached()]);
    assert!(run.verdict.can_be_resumed() && run.says("the reason of the stop"));
}

#[test]
fn a_cache_that_answers_is_not_told_as_a_refused_key() {
    for past in [
        accepted(Trigger::Scheduled, false),
        seen(Trigger::Scheduled),
    ] {
        let mut held = past;
        held.past.paused = Some(stop("2026-11-23T10:15:00Z", StoppedBy::Cache));
        let run = climb(held, vec![reached()]);
        assert_eq!(run.asked, [REACH]);
        let told = (run.reason(), run.verdict.title.as_str());
        assert_eq!(told, (Reason::AuthPaused, "Key not sent: a cache answers"));
        assert!(run.verdict.can_be_resumed() && run.verdict.retry_at.is_some());
        let steps = run.verdict.remedy.steps.join(" ");
        assert!(!steps.contains("Compare user name"), "{steps}");
    }
}

/// Hosts ban whoever is refused again and again.
#[test]
fn where_the_key_stays_here_a_service_that_was_found_is_not_asked_for_its_401_again() {
    let plain = with_pair(blesta("http://billing.example.com"), "shop-api", KEY);
    let odd = with_pair(shop(), "shop-api", "hunter2");
    for trigger in [Trigger::Typing, Trigger::Scheduled] {
        for mut held in [plain.clone(), odd.clone()] {
            held.trigger = trigger;
            held.past.service_seen = true;
            let run = climb(held, vec![reached()]);
            assert!(run.asked[0].ends_with(" reach"), "{:?}", run.asked);
            assert_eq!(run.attempts, []);
        }
    }
    let mut bare = blesta("https://billing.example.com");
    bare.trigger = Trigger::Typing;
    bare.past.service_seen = true;
    assert_eq!(climb(bare, vec![reached()]).asked, [REACH]);
}

#[test]
fn a_401_in_whose_words_whatever_counts_against_the_key() {
    for (headers, body) in [
        (
            &[("cf-mitigated", "challenge")][..],
            "<title>Just a moment...</title>",
        ),
        (
            &[("Server", "cloudflare"), ("CF-Ray", "1")][..],
            "<title>Access denied</title>",
        ),
        (&[][..], "<title>Not Acceptable!</title> Mod_Security"),
        (&[][..], "<title>Sign in</title>"),
        (
            &[("WWW-Authenticate", "Basic realm=\"x\"")][..],
            "<title>401</title>",
        ),
    ] {
        let mut chosen = seen(Trigger::Asked);
        chosen.auth = AuthStyle::Basic;
        let run = climb(chosen, vec![html(401, headers, body)]);
        assert_eq!(run.attempts, [AttemptEnd::Rejected], "{:?}", run.verdict);
    }
}

#[test]
fn the_budget_may_stop_any_request() {
    let until = "2026-11-23T10:15:00Z".parse().ok();
    let paused = || RungAnswer::Paused {
        until,
        why: "two rejections of this key".to_owned(),
        by: StoppedBy::Budget,
    };
    let reply = |reply| RungAnswer::Reply(Box::new(reply));
    let run = climb_over(
        accepted(Trigger::Scheduled, false),
        vec![paused(), reply(reached())],
    );
    assert_eq!(run.asked, [BASIC, REACH]);
    assert_eq!(run.reason(), Reason::AuthPaused);
    assert!(run.says("two rejections"));
    let run = climb_over(shop(), vec![reply(denied()), paused()]);
    assert_eq!(
        (run.reason(), run.verdict.retry_at),
        (Reason::AuthPaused, until)
    );
    let run = climb_over(seen(Trigger::Asked), vec![reply(denied()), paused()]);
    assert_eq!(
        (run.reason(), run.verdict.retry_at),
        (Reason::CredentialsRejected, until)
    );
    let run = climb_over(seen(Trigger::Asked), vec![reply(companies()), paused()]);
    assert_eq!(run.reason(), Reason::Connected);
}

#[test]
fn without_a_booking_the_key_stays_and_the_way_is_checked_all_the_same() {
    let unbooked = || RungAnswer::Unbooked("the disk is full".to_owned());
    let reply = |reply: Reply| RungAnswer::Reply(Box::new(reply));
    let watched = || accepted(Trigger::Scheduled, false);
    let run = climb_over(watched(), vec![unbooked(), reply(reached())]);
    assert_eq!(run.asked, [BASIC, REACH]);
    assert_eq!(run.reason(), Reason::SecretUnavailable);
    assert_eq!(run.verdict.title, "Key not sent: no history");
    assert!(run.verdict.cause.ends_with("the disk is full."));
    // An outage stays one.
    let run = climb_over(watched(), vec![unbooked(), reply(failed(Failure::Refused))]);
    assert_eq!(run.reason(), Reason::Refused);
    // What was found before stands, and nothing is asked twice.
    let run = climb_over(shop(), vec![reply(denied()), unbooked()]);
    assert_eq!(run.reason(), Reason::SecretUnavailable);
    let asked = accepted(Trigger::Asked, false);
    let run = climb_over(asked, vec![reply(companies()), unbooked()]);
    assert_eq!(run.reason(), Reason::Connected);
}

#[test]
fn plain_http_withholds_the_key() {
    let plain = |url: &str| with_pair(blesta(url), "shop-api", KEY);
    let run = climb(plain("http://billing.example.com"), vec![denied()]);
    assert_eq!((run.reason(), run.attempts.len()), (Reason::KeyWithheld, 0));
    assert_eq!(
        run.verdict.remedy.url.as_deref(),
        Some("https://billing.example.com")
    );
    let mut allowed = plain("http://billing.example.com");
    allowed.allow_http = true;
    let run = climb(allowed, vec![denied(), companies(), version()]);
    assert_eq!(run.reason(), Reason::Connected);
    let here = r#"{"response":[{"id":1,"name":"Shop","hostname":"localhost"}]}"#;
    for url in [
        "http://127.0.0.1:8080",
        "http://localhost",
        "http://[::1]:1",
    ] {
        let run = climb(plain(url), vec![denied(), json(200, here), version()]);
        assert_eq!(run.reason(), Reason::Connected, "{url}");
    }
    let mut scheduled = plain("http://billing.example.com");
    scheduled.trigger = Trigger::Scheduled;
    scheduled.past.service_seen = true;
    let run = climb(scheduled, vec![reached()]);
    assert_eq!(run.reason(), Reason::KeyWithheld);
}

#[test]
fn a_key_of_an_odd_shape_waits_for_enter() {
    let odd = |trigger| {
        let mut subject = with_pair(seen(trigger), "shop-api", "hunter2");
        subject.past.service_seen = false;
        subject
    };
    let run = climb(odd(Trigger::Typing), vec![denied()]);
    assert_eq!(
        (run.asked, run.verdict.reason),
        (vec![BARE.to_owned()], Reason::ServiceFound)
    );
    assert!(
        run.verdict.cause.contains("32 hexadecimal digits"),
        "{}",
        run.verdict.cause
    );
    let run = climb(odd(Trigger::Scheduled), vec![denied()]);
    assert_eq!(run.reason(), Reason::ServiceFound);
    let run = climb(odd(Trigger::Asked), vec![denied(), companies(), version()]);
    assert_eq!(run.reason(), Reason::Connected);
    assert!(run.says("32 hexadecimal digits"));
    let mut once = odd(Trigger::Scheduled);
    once.past = accepted(Trigger::Scheduled, false).past;
    assert_eq!(climb(once, vec![companies()]).asked, [BASIC]);
}

#[test]
fn what_is_half_typed_goes_nowhere_and_repeats_no_bare_call() {
    for mut subject in [seen(Trigger::Asked), accepted(Trigger::Asked, false)] {
        subject.trigger = Trigger::HalfTyped;
        let run = climb(subject, vec![reached()]);
        assert_eq!((run.asked, run.attempts), (vec![REACH.to_owned()], vec![]));
        assert_eq!(run.verdict.reason, Reason::ServiceFound);
        let cause = &run.verdict.cause;
        assert!(cause.contains("when you leave the field"), "{cause}");
        assert_eq!(run.verdict.checks.get(CheckId::Service).state, State::Ok);
    }
    let mut new = shop();
    new.trigger = Trigger::HalfTyped;
    let run = climb(new, vec![denied()]);
    assert_eq!((run.asked, run.attempts), (vec![BARE.to_owned()], vec![]));
    // One that answers without credentials is not asked again for each letter of a user name either.
    for trigger in [Trigger::HalfTyped, Trigger::Typing] {
        let mut open = Subject::new(crate::domain::ServiceId::http(), "https://e.com");
        open.username = "me".to_owned();
        open.trigger = trigger;
        open.past.service_seen = true;
        let run = climb(open, vec![reached()]);
        assert_eq!(run.asked, ["GET https://e.com/ reach"]);
        assert_eq!(run.verdict.reason, Reason::KeyMissing);
    }
}

#[test]
fn halves_of_a_pair_are_asked_for() {
    let mut user = blesta("https://billing.example.com");
    user.username = "shop-api".to_owned();
    let run = climb(user, vec![denied()]);
    assert_eq!((run.reason(), run.asked.len()), (Reason::KeyMissing, 1));
    let mut key = shop();
    key.username = String::new();
    assert_eq!(climb(key, vec![denied()]).reason(), Reason::UsernameMissing);
    // In the form, the service that was found a moment ago is not asked for a 401 once more.
    let mut form = blesta("https://billing.example.com");
    form.username = "shop".to_owned();
    form.trigger = Trigger::Typing;
    form.past.service_seen = true;
    let run = climb(form, vec![reached()]);
    assert_eq!(
        (run.asked, run.verdict.reason),
        (vec![REACH.to_owned()], Reason::KeyMissing)
    );
    assert_eq!(run.verdict.checks.get(CheckId::Service).state, State::Ok);
}

#[test]
fn a_pasted_pair_is_split_before_it_is_sent() {
    let subject = with_pair(seen(Trigger::Asked), "", &format!(" shop-api:{KEY}\n"));
    let run = climb(subject, vec![companies(), version()]);
    assert_eq!(run.asked, [BASIC, VERSION]);
    let (username, key) = run.ladder.pair().unwrap();
    assert_eq!((username, key.expose()), ("shop-api", KEY));
}

#[test]
fn a_colon_in_the_user_name_leaves_headers() {
    let subject = with_pair(seen(Trigger::Asked), "shop:api", KEY);
    let run = climb(
        subject,
        vec![companies(), json(200, r#"{"response":null}"#)],
    );
    assert_eq!(run.asked[0], HEADERS);
    assert_eq!(
        (run.reason(), run.verdict.service_version),
        (Reason::Connected, None)
    );
    let mut basic = with_pair(shop(), "shop:api", KEY);
    basic.auth = AuthStyle::Basic;
    let run = climb(basic, vec![denied()]);
    assert_eq!(
        (run.asked, run.verdict.reason),
        (vec![BARE.to_owned()], Reason::ServiceFound)
    );
}

#[test]
fn a_path_through_index_is_remembered() {
    let remembered = |trigger| {
        let mut subject = accepted(trigger, false);
        subject.past.accepted = Some(Accepted {
            by_headers: false,
            through_index: true,
            own_token: None,
        });
        subject
    };
    let run = climb(remembered(Trigger::Scheduled), vec![companies()]);
    assert_eq!(
        run.asked,
        ["GET /index.php/api/companies/getAll.json Basic shop-api"]
    );
    assert_eq!(run.reason(), Reason::RewriteOff);
    let run = climb(
        remembered(Trigger::Asked),
        vec![denied(), companies(), version()],
    );
    assert_eq!(run.asked, [BARE, BASIC, VERSION]);
    assert_eq!(run.reason(), Reason::Connected);
}

#[test]
fn a_429_asks_for_quiet() {
    let run = climb(
        accepted(Trigger::Scheduled, false),
        vec![html(429, &[("Retry-After", "120")], "")],
    );
    let at = Some("2026-11-23T10:02:00.042Z".parse().unwrap());
    assert_eq!((run.ladder.quiet_until(), run.verdict.retry_at), (at, at));
    assert_eq!(run.attempts, [AttemptEnd::Inconclusive]);
}

#[test]
fn before_the_network_the_url_is_read() {
    let run = climb(blesta(""), vec![]);
    assert_eq!(run.reason(), Reason::UrlMissing);
    let run = climb(blesta("ftp://x"), vec![]);
    assert_eq!((run.reason(), run.verdict.status), (Reason::UrlInvalid, 0));
    let run = climb(blesta("https://me:hunter2@billing.example.com/b"), vec![]);
    assert_eq!(run.reason(), Reason::UrlInvalid);
    assert_eq!(
        run.verdict.remedy.url.as_deref(),
        Some("https://billing.example.com/b")
    );
    assert!(!format!("{:?}", run.verdict).contains("hunter2"));
}
