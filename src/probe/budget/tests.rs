//! The budget holds, whatever the sequence.

use proptest::prelude::*;

use super::*;

const MINUTE: i64 = 60;

fn key(name: &str) -> KeyFingerprint {
    KeyFingerprint(name.to_owned())
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_000_000_000 + seconds).unwrap()
}

fn send(record: &mut BudgetRecord, name: &str, end: AttemptEnd, seconds: i64) -> bool {
    match book(record, &key(name), at(seconds)) {
        Decision::Granted(number) => {
            settle(record, number, end, at(seconds));
            true
        }
        Decision::Paused(_) | Decision::Busy { .. } => false,
    }
}

use AttemptEnd::{Accepted, Cached, Inconclusive, Kept, Rejected, Unheard};

#[test]
fn two_rejections_of_a_key_pause_it() {
    let mut record = BudgetRecord::default();
    assert!(send(&mut record, "a", Rejected, 0));
    assert_eq!(paused(&record, &key("a"), at(1)), None);
    assert!(send(&mut record, "a", Rejected, 1));
    let stop = paused(&record, &key("a"), at(2)).unwrap();
    assert_eq!(stop.until, at(1 + 15 * MINUTE));
    assert!(!send(&mut record, "a", Accepted, 2));
    assert!(
        send(&mut record, "b", Accepted, 2),
        "another key may be sent"
    );
}

#[test]
fn five_rejections_of_any_keys_pause_all() {
    let mut record = BudgetRecord::default();
    for (index, name) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        let seconds = i64::try_from(index).unwrap();
        assert!(send(&mut record, name, Rejected, seconds), "{name}");
    }
    let stop = paused(&record, &key("z"), at(5)).unwrap();
    assert_eq!(stop.until, at(4 + 15 * MINUTE));
    assert!(!send(&mut record, "z", Accepted, 6));
    let later = 4 + 15 * MINUTE;
    assert!(send(&mut record, "z", Accepted, later), "one try");
    assert!(
        send(&mut record, "y", Accepted, later),
        "it lifted the pause"
    );
}

#[test]
fn rejections_further_apart_than_ten_minutes_do_not_add_up() {
    let mut record = BudgetRecord::default();
    for (index, name) in ["a", "b", "c", "d", "e", "f"].into_iter().enumerate() {
        let seconds = i64::try_from(index).unwrap() * 3 * MINUTE;
        assert!(send(&mut record, name, Rejected, seconds), "{name}");
    }
}

#[test]
fn after_a_pause_one_try_and_a_rejection_doubles_it_up_to_a_day() {
    let mut record = BudgetRecord::default();
    assert!(send(&mut record, "a", Rejected, 0));
    assert!(send(&mut record, "a", Rejected, 0));
    let mut now = 0;
    for minutes in [15, 30, 60, 120, 240, 480, 960, 1440, 1440] {
        assert!(!send(
            &mut record,
            "a",
            Rejected,
            now + minutes * MINUTE - 1
        ));
        now += minutes * MINUTE;
        assert!(send(&mut record, "a", Rejected, now), "{minutes}");
        assert!(!send(&mut record, "a", Rejected, now), "{minutes}");
    }
}

#[test]
fn an_accepted_try_frees_the_key_and_an_inconclusive_one_does_not() {
    let mut record = BudgetRecord::default();
    assert!(send(&mut record, "a", Rejected, 0));
    assert!(send(&mut record, "a", Inconclusive, 0));
    assert!(send(&mut record, "a", Rejected, 0));
    assert!(!send(&mut record, "a", Rejected, 1));
    let later = 15 * MINUTE;
    assert!(send(&mut record, "a", Inconclusive, later));
    assert!(send(&mut record, "a", Accepted, later));
    assert!(send(&mut record, "a", Rejected, later));
    assert!(send(&mut record, "a", Rejected, later));
    assert!(!send(&mut record, "a", Rejected, later));
}

#[test]
fn only_a_person_lifts_a_pause_early() {
    let mut record = BudgetRecord::default();
    assert!(send(&mut record, "a", Rejected, 0));
    assert!(send(&mut record, "a", Rejected, 0));
    assert_eq!(
        resume(&mut record, &key("a"), at(1)),
        Some(LiftedPause::OfKey)
    );
    assert!(
        resume(&mut record, &key("a"), at(1)).is_none(),
        "there is none any more"
    );
    assert!(send(&mut record, "a", Rejected, 1));
    assert!(send(&mut record, "a", Rejected, 1));
    assert!(!send(&mut record, "a", Rejected, 1));
}

#[test]
fn what_is_under_way_takes_its_place() {
    let mut record = BudgetRecord::default();
    let Decision::Granted(first) = book(&mut record, &key("a"), at(0)) else {
        panic!("granted")
    };
    let Decision::Granted(second) = book(&mut record, &key("a"), at(1)) else {
        panic!("granted")
    };
    let third = book(&mut record, &key("a"), at(2));
    assert_eq!(third, Decision::Busy { until: at(120) });
    assert_eq!(paused(&record, &key("a"), at(2)), None, "busy is no pause");
    settle(&mut record, first, Accepted, at(3));
    assert!(send(&mut record, "a", Accepted, 3));
    settle(&mut record, second, Accepted, at(3));
}

#[test]
fn what_is_under_way_outlasts_a_resumption_and_the_acceptance_of_another() {
    type Freed = fn(&mut BudgetRecord, u64);
    let resumed: Freed = |record, _| {
        resume(record, &key("a"), at(1));
    };
    let accepted: Freed = |record, number| settle(record, number, Accepted, at(1));
    for freed in [resumed, accepted] {
        let mut record = BudgetRecord::default();
        let Decision::Granted(first) = book(&mut record, &key("a"), at(0)) else {
            panic!("granted")
        };
        let Decision::Granted(second) = book(&mut record, &key("a"), at(0)) else {
            panic!("granted")
        };
        freed(&mut record, first);
        settle(&mut record, first, Rejected, at(2));
        settle(&mut record, second, Rejected, at(2));
        // What the host says to it counts all the same.
        let left = refusals_left(&record, &key("a"), at(2));
        let refused = record.attempts.iter().filter(|one| one.end == Rejected);
        assert_eq!(left, PER_KEY.saturating_sub(refused.count()));
        assert!(left < PER_KEY, "{record:?}");
    }
}

#[test]
fn a_late_acceptance_frees_its_own_key_and_leaves_the_pause_of_all() {
    let mut record = BudgetRecord::default();
    for name in ["a", "b", "c", "d", "e"] {
        assert!(send(&mut record, name, Rejected, 0), "{name}");
    }
    let first = record.attempts[0].number;
    settle(&mut record, first, Accepted, at(1));
    assert!(
        !send(&mut record, "z", Rejected, 2),
        "the host has refused five all the same"
    );
}

#[test]
fn the_refusals_of_others_at_a_host_leave_fewer_to_each_key() {
    let mut record = BudgetRecord::default();
    let mut left = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        left.push(refusals_left(&record, &key("z"), at(0)));
        assert!(send(&mut record, name, Rejected, 0), "{name}");
    }
    assert_eq!(left, [2, 2, 2, 2, 1]);
    assert_eq!(refusals_left(&record, &key("z"), at(0)), 0);
}

#[test]
fn a_killed_program_has_used_its_attempt_up() {
    let mut record = BudgetRecord::default();
    assert!(matches!(
        book(&mut record, &key("a"), at(0)),
        Decision::Granted(0)
    ));
    assert!(send(&mut record, "a", Rejected, 1));
    assert!(matches!(
        book(&mut record, &key("a"), at(119)),
        Decision::Busy { .. }
    ));
    let Decision::Paused(stop) = book(&mut record, &key("a"), at(120)) else {
        panic!("two rejections by now")
    };
    assert_eq!(stop.until, at(120 + 15 * MINUTE));
    settle(&mut record, 0, Accepted, at(121));
    assert!(
        send(&mut record, "a", Accepted, 121),
        "better late than never"
    );
}

#[test]
fn the_pause_after_killed_programs_ends_whoever_looks_and_when() {
    let mut record = BudgetRecord::default();
    book(&mut record, &key("a"), at(0));
    book(&mut record, &key("a"), at(10));
    let until = at(130 + 15 * MINUTE);
    for seconds in [130, 500, 1_029] {
        assert_eq!(
            paused(&record, &key("a"), at(seconds)).unwrap().until,
            until
        );
    }
    assert_eq!(paused(&record, &key("a"), until), None);
    let mut resumed = record.clone();
    assert!(
        resume(&mut resumed, &key("a"), at(500)).is_some(),
        "nobody had booked since"
    );
    assert_eq!(paused(&resumed, &key("a"), at(500)), None);
    assert!(
        send(&mut record, "a", Accepted, 130 + 15 * MINUTE),
        "one try"
    );
}

#[test]
fn a_killed_program_costs_nobody_a_key_that_was_taken_before() {
    let mut record = BudgetRecord::default();
    for seconds in [0, 1] {
        let Decision::Granted(number) = book(&mut record, &key("a"), at(seconds)) else {
            panic!("granted")
        };
        mark_proven(&mut record, number);
    }
    let third = book(&mut record, &key("a"), at(60));
    assert_eq!(
        third,
        Decision::Busy { until: at(120) },
        "it may be under way"
    );
    assert_eq!(paused(&record, &key("a"), at(121)), None);
    let mut again = record.clone();
    assert!(send(&mut record, "a", Rejected, 121));
    assert!(send(&mut record, "a", Rejected, 121), "only these count");
    assert!(!send(&mut record, "a", Rejected, 121));
    // Who ends each one before it is answered is stopped all the same, and loses nothing by it.
    let mut left = |seconds| match book(&mut again, &key("a"), at(seconds)) {
        Decision::Granted(number) => {
            mark_proven(&mut again, number);
            settle(&mut again, number, Unheard, at(seconds));
            true
        }
        Decision::Paused(_) | Decision::Busy { .. } => false,
    };
    let sent: Vec<bool> = (0..6).map(|n| left(130 + n)).collect();
    assert_eq!(sent, [true, true, true, false, false, false]);
    // The first two are ten minutes ago by then.
    assert!(left(601) && left(601) && !left(601));
    let stop = paused(&again, &key("a"), at(601)).unwrap();
    assert_eq!(stop.until, at(130 + 10 * MINUTE));
    assert!(send(&mut again, "b", Accepted, 602), "another key is none");
    let lifted = resume(&mut again, &key("a"), at(602));
    assert!(lifted.is_some(), "a person lifts it");
    assert!(send(&mut again, "a", Accepted, 602));
}

#[test]
fn a_bisect_makes_four_attempts_and_leaves_a_pause() {
    let mut record = BudgetRecord::default();
    for made in 0..4 {
        let Decision::Granted(number) = book_bisect(&mut record, &key("a"), made, at(0)) else {
            panic!("granted")
        };
        settle(&mut record, number, Rejected, at(0));
        // What others do at the host meanwhile is no part of it.
        send(&mut record, "watched", Accepted, 0);
    }
    let fifth = book_bisect(&mut record, &key("a"), 4, at(0));
    assert!(matches!(fifth, Decision::Paused(_)), "{fifth:?}");
    let stop = paused(&record, &key("a"), at(1)).unwrap();
    assert_eq!(stop.until, at(15 * MINUTE), "once, not doubled");
    let again = book_bisect(&mut record, &key("a"), 0, at(1));
    assert!(matches!(again, Decision::Paused(_)), "{again:?}");
}

#[test]
fn a_bisect_with_one_rejection_pauses_too() {
    let mut record = BudgetRecord::default();
    let Decision::Granted(first) = book_bisect(&mut record, &key("a"), 0, at(0)) else {
        panic!("granted")
    };
    settle(&mut record, first, Rejected, at(0));
    end_bisect(&mut record, &key("a"), first, at(1));
    assert!(paused(&record, &key("a"), at(2)).is_some());
}

#[test]
fn a_bisect_goes_by_what_the_host_asked_for_meanwhile() {
    let mut record = BudgetRecord::default();
    let Decision::Granted(first) = book_bisect(&mut record, &key("a"), 0, at(0)) else {
        panic!("granted")
    };
    settle(&mut record, first, Inconclusive, at(0));
    quiet(&mut record, at(60), at(0));
    let Decision::Paused(stop) = book_bisect(&mut record, &key("a"), 1, at(1)) else {
        panic!("it asked for quiet")
    };
    assert_eq!((stop.until, stop.by), (at(60), StoppedBy::Host));
    assert!(matches!(
        book_bisect(&mut record, &key("a"), 1, at(60)),
        Decision::Granted(_)
    ));
}

#[test]
fn a_bisect_takes_its_place_among_what_others_have_under_way() {
    // Before its first request and before each further one.
    for made in 0..PER_BISECT {
        let mut record = BudgetRecord::default();
        for name in ["b", "c", "d", "e"] {
            book(&mut record, &key(name), at(0));
        }
        let fifth = book_bisect(&mut record, &key("a"), made, at(1));
        assert!(matches!(fifth, Decision::Granted(_)), "{made}: {fifth:?}");
        let sixth = book_bisect(&mut record, &key("a"), made, at(2));
        assert_eq!(sixth, Decision::Busy { until: at(120) }, "{made}");
    }
}

#[test]
fn a_bisect_is_the_one_try_after_a_pause() {
    let mut record = BudgetRecord::default();
    pause_key(&mut record, &key("a"), at(0));
    let then = 15 * MINUTE;
    let Decision::Granted(number) = book_bisect(&mut record, &key("a"), 0, at(then)) else {
        panic!("granted")
    };
    let second = book_bisect(&mut record, &key("a"), 0, at(then));
    assert!(matches!(second, Decision::Busy { .. }), "{second:?}");
    settle(&mut record, number, Rejected, at(then));
    let stop = paused(&record, &key("a"), at(then)).unwrap();
    assert_eq!(stop.until, at(then + 30 * MINUTE), "doubled");
}

#[test]
fn a_bisect_after_the_end_of_a_pause_leaves_one_again() {
    let then = 15 * MINUTE + 1;
    for ends in [[Inconclusive; 3], [Inconclusive, Rejected, Rejected]] {
        let mut record = BudgetRecord::default();
        pause_key(&mut record, &key("a"), at(0));
        for (made, end) in ends.into_iter().enumerate() {
            let Decision::Granted(number) = book_bisect(&mut record, &key("a"), made, at(then))
            else {
                panic!("granted")
            };
            settle(&mut record, number, end, at(then));
        }
        pause_key(&mut record, &key("a"), at(then));
        let stop = paused(&record, &key("a"), at(then)).unwrap();
        assert_eq!(stop.until, at(then + 15 * MINUTE));
    }
}

#[test]
fn lifting_the_pause_of_a_host_says_that_it_is_that_of_all_keys() {
    let mut record = BudgetRecord::default();
    for name in ["a", "b", "c", "d", "e"] {
        assert!(send(&mut record, name, Rejected, 0));
    }
    assert!(!send(&mut record, "f", Rejected, 0));
    let lifted = resume(&mut record, &key("a"), at(1));
    assert_eq!(lifted, Some(LiftedPause::OfAllKeys));
    assert!(send(&mut record, "b", Rejected, 1), "this one as well");
}

#[test]
fn a_clock_that_was_set_back_makes_no_quiet_longer_than_it_was_asked_for() {
    let mut record = BudgetRecord::default();
    quiet(&mut record, at(36_120), at(36_000));
    assert_eq!(quiet_until(&record, at(36_060)), Some(at(36_120)));
    assert_eq!(quiet_until(&record, at(0)), Some(at(120)));
    // And stays so once it was written down with that clock.
    let _ = book(&mut record, &key("a"), at(0));
    assert_eq!(quiet_until(&record, at(60)), Some(at(120)));
    assert_eq!(quiet_until(&record, at(120)), None);
}

#[test]
fn the_host_may_ask_for_quiet() {
    let mut record = BudgetRecord::default();
    quiet(&mut record, at(60), at(0));
    quiet(&mut record, at(30), at(0));
    assert_eq!(paused(&record, &key("a"), at(1)).unwrap().until, at(60));
    resume(&mut record, &key("a"), at(1));
    assert!(!send(&mut record, "a", Accepted, 59));
    assert!(send(&mut record, "a", Accepted, 60));
    quiet(&mut record, at(1_000_000_000), at(60));
    let day = 24 * 60 * MINUTE;
    assert_eq!(
        paused(&record, &key("a"), at(61)).unwrap().until,
        at(60 + day)
    );
}

#[test]
fn a_clock_set_back_makes_no_pause_longer() {
    let mut record = BudgetRecord::default();
    assert!(send(&mut record, "a", Rejected, 1_000_000));
    assert!(send(&mut record, "a", Rejected, 1_000_000));
    assert!(!send(&mut record, "a", Accepted, 0));
    assert_eq!(
        paused(&record, &key("a"), at(1)).unwrap().until,
        at(15 * MINUTE)
    );
    assert!(send(&mut record, "a", Accepted, 15 * MINUTE));
}

#[test]
fn a_clock_set_back_makes_a_quiet_without_its_begin_no_longer_than_a_day() {
    let mut record = BudgetRecord::default();
    let day = 24 * 60 * MINUTE;
    quiet(&mut record, at(10 * day + 60), at(10 * day));
    // Programs before this one did not write it down.
    record.retry_asked = None;
    let stop = paused(&record, &key("a"), at(0)).unwrap();
    assert_eq!(stop.until, at(day));
    assert_eq!(quiet_until(&record, at(0)), Some(at(day)));
}

#[test]
fn a_clock_set_back_keeps_nothing_under_way_for_long() {
    let mut record = BudgetRecord::default();
    book(&mut record, &key("a"), at(1_000_000));
    book(&mut record, &key("a"), at(1_000_000));
    let third = book(&mut record, &key("a"), at(0));
    assert_eq!(third, Decision::Busy { until: at(120) });
}

#[test]
fn an_answer_that_was_never_heard_counts() {
    let mut record = BudgetRecord::default();
    assert!(send(&mut record, "a", Unheard, 0));
    assert!(send(&mut record, "a", Rejected, 1));
    assert!(!send(&mut record, "a", Accepted, 2));
    // An answer that comes after all is never too late to lift it.
    settle(&mut record, 0, Accepted, at(3));
    assert!(send(&mut record, "a", Accepted, 4));
}

#[test]
fn a_refusal_out_of_a_cache_is_no_free_one_and_pauses_no_key() {
    let mut record = BudgetRecord::default();
    assert!(send(&mut record, "a", Kept, 0));
    assert_eq!(paused(&record, &key("a"), at(1)), None);
    assert!(send(&mut record, "a", Kept, 1));
    // Further and further apart, and never further than an hour.
    let mut last = 1;
    for minutes in [15, 30, 60, 60] {
        let until = last + minutes * MINUTE;
        let stop = paused(&record, &key("a"), at(last)).unwrap();
        assert_eq!((stop.until, stop.by), (at(until), StoppedBy::Cache));
        assert!(!send(&mut record, "a", Kept, until - 1), "{minutes}");
        assert!(send(&mut record, "a", Kept, until), "{minutes}");
        last = until;
    }
    assert_eq!(record.paused.len(), 0, "it may be as good as ever");
    assert!(
        send(&mut record, "b", Accepted, last),
        "another key is none"
    );
    // One acceptance, and all of it is over.
    let until = last + 60 * MINUTE;
    assert!(send(&mut record, "a", Accepted, until));
    assert!(send(&mut record, "a", Kept, until) && send(&mut record, "a", Kept, until));
    // A person lifts it, too.
    let lifted = resume(&mut record, &key("a"), at(until));
    assert_eq!(lifted, Some(LiftedPause::OfKey));
    assert!(send(&mut record, "a", Kept, until));
    // What is a day old says nothing of today.
    assert!(send(&mut record, "a", Kept, until + 24 * 60 * MINUTE));
    assert_eq!(
        paused(&record, &key("a"), at(until + 24 * 60 * MINUTE)),
        None
    );
}

#[test]
fn refusals_of_both_kinds_add_up() {
    // Of one key.
    let mut record = BudgetRecord::default();
    assert!(send(&mut record, "a", Rejected, 0) && send(&mut record, "a", Kept, 1));
    let stop = paused(&record, &key("a"), at(1)).unwrap();
    assert_eq!(
        (stop.until, stop.by),
        (at(1 + 15 * MINUTE), StoppedBy::Refusals)
    );
    assert!(!send(&mut record, "a", Accepted, 2));
    assert!(send(&mut record, "a", Rejected, 1 + 15 * MINUTE));
    let stop = paused(&record, &key("a"), at(1 + 15 * MINUTE)).unwrap();
    assert_eq!(stop.until, at(1 + 30 * MINUTE), "two refusals pause it");
    // The one try after a pause is not repeated because a cache answered it.
    assert!(send(&mut record, "a", Kept, 1 + 30 * MINUTE));
    assert!(!send(&mut record, "a", Accepted, 2 + 30 * MINUTE));
    // Of any keys at one host.
    let mut record = BudgetRecord::default();
    for (index, (name, end)) in [
        ("a", Kept),
        ("b", Rejected),
        ("c", Kept),
        ("d", Kept),
        ("e", Kept),
    ]
    .into_iter()
    .enumerate()
    {
        let seconds = i64::try_from(index).unwrap();
        assert!(send(&mut record, name, end, seconds), "{name}");
    }
    let stop = paused(&record, &key("z"), at(5)).unwrap();
    assert_eq!((stop.until, stop.by), (at(10 * MINUTE), StoppedBy::Budget));
    let lifted = resume(&mut record, &key("z"), at(5));
    assert_eq!(lifted, Some(LiftedPause::OfAllKeys));
    assert!(send(&mut record, "z", Accepted, 5));
    // Where no key was refused, it is the cache's doing; not for a key that was.
    let mut record = BudgetRecord::default();
    assert!(send(&mut record, "b", Rejected, -11 * MINUTE));
    for name in ["a", "c", "d", "e", "f"] {
        assert!(send(&mut record, name, Kept, 0), "{name}");
    }
    let by = |name| paused(&record, &key(name), at(0)).map(|stop| stop.by);
    assert_eq!(by("z"), Some(StoppedBy::Cache));
    assert_eq!(by("b"), Some(StoppedBy::Refusals));
}

#[test]
fn a_cache_shortens_no_pause() {
    // Of one key, and of all.
    for names in [&["a", "a"][..], &["a", "b", "c", "d", "e"]] {
        let mut record = BudgetRecord::default();
        for name in names {
            assert!(send(&mut record, name, Rejected, 0), "{name}");
        }
        // 15, 30 and 60 minutes; then two hours.
        for minutes in [15, 45, 105] {
            assert!(send(&mut record, "a", Rejected, minutes * MINUTE));
        }
        // Answered by a cache, the trial leaves the pause as long as it was, again and again.
        for minutes in [225, 345, 465] {
            assert!(!send(&mut record, "a", Kept, minutes * MINUTE - 1));
            assert!(send(&mut record, "a", Kept, minutes * MINUTE), "{minutes}");
            let stop = paused(&record, &key("a"), at(minutes * MINUTE)).unwrap();
            let expected = (at((minutes + 120) * MINUTE), StoppedBy::Refusals);
            assert_eq!((stop.until, stop.by), expected);
        }
        // A refusal doubles it as ever.
        assert!(send(&mut record, "a", Rejected, 585 * MINUTE));
        let stop = paused(&record, &key("a"), at(585 * MINUTE)).unwrap();
        assert_eq!(stop.until, at((585 + 240) * MINUTE));
        assert!(resume(&mut record, &key("a"), at(585 * MINUTE)).is_some());
        assert!(send(&mut record, "a", Accepted, 585 * MINUTE));
    }
}

#[test]
fn the_trials_of_a_pause_that_a_cache_answers_are_spaced_as_its_others() {
    let mut record = BudgetRecord::default();
    assert!(send(&mut record, "a", Rejected, 0) && send(&mut record, "a", Rejected, 0));
    // The two rejections are not remembered any more, and count all the same.
    for (minutes, next) in [(15, 30), (30, 60), (60, 120)] {
        assert!(send(&mut record, "a", Kept, minutes * MINUTE));
        let stop = paused(&record, &key("a"), at(minutes * MINUTE)).unwrap();
        assert_eq!(stop.until, at(next * MINUTE), "{minutes}");
    }
}

#[test]
fn what_a_cache_gives_is_free_for_a_proven_key_alone_and_for_no_trial() {
    let mut record = BudgetRecord::default();
    let proven = |record: &mut BudgetRecord, seconds| {
        let Decision::Granted(number) = book(record, &key("a"), at(seconds)) else {
            panic!("at {seconds}")
        };
        mark_proven(record, number);
        settle(record, number, Cached, at(seconds));
    };
    for seconds in 0..20 {
        proven(&mut record, seconds);
    }
    assert_eq!(record.attempts, []);
    assert!(send(&mut record, "b", Cached, 0) && send(&mut record, "b", Cached, 1));
    let stop = paused(&record, &key("b"), at(2)).unwrap();
    let told = (stop.until, stop.by);
    assert_eq!(told, (at(1 + 15 * MINUTE), StoppedBy::Cache));
    // The trial of a pause.
    assert!(send(&mut record, "a", Rejected, 0) && send(&mut record, "a", Rejected, 0));
    proven(&mut record, 15 * MINUTE);
    let stop = paused(&record, &key("a"), at(15 * MINUTE)).unwrap();
    assert_eq!(stop.until, at(30 * MINUTE));
}

#[test]
fn a_cache_before_a_key_that_was_taken_stops_no_other_key() {
    let mut record = BudgetRecord::default();
    for name in ["a", "b", "c", "d", "e", "f"] {
        let Decision::Granted(number) = book(&mut record, &key(name), at(0)) else {
            panic!("{name}")
        };
        mark_proven(&mut record, number);
        settle(&mut record, number, Kept, at(0));
    }
    assert!(send(&mut record, "z", Accepted, 1));
}

#[test]
fn the_record_stays_small() {
    let mut record = BudgetRecord::default();
    for index in 0..2_000 {
        let name = index.to_string();
        send(&mut record, &name, Rejected, index * 20 * MINUTE);
        send(&mut record, &name, Rejected, index * 20 * MINUTE);
    }
    assert!(record.attempts.len() <= MOST_KEPT && record.paused.len() <= MOST_KEPT + 1);
}

#[test]
fn of_very_many_paused_keys_those_are_forgotten_whose_pause_ends_first() {
    let mut record = BudgetRecord::default();
    for index in 0..300 {
        pause_key(&mut record, &key(&index.to_string()), at(index));
    }
    let is_paused = |index: i64| paused(&record, &key(&index.to_string()), at(300)).is_some();
    let kept: Vec<i64> = (0..300).filter(|index| is_paused(*index)).collect();
    assert_eq!(kept, (44..300).collect::<Vec<_>>());
}

#[test]
fn a_flood_of_one_kind_pushes_out_none_of_the_other() {
    for (flood, lone) in [(Kept, Rejected), (Rejected, Kept)] {
        let mut record = BudgetRecord::default();
        assert!(send(&mut record, "a", lone, 0));
        for index in 1..=300 {
            let name = format!("of the flood {index}");
            assert!(
                send(&mut record, &name, flood, index * 3 * MINUTE),
                "{name}"
            );
        }
        // The last one was booked behind the look.
        assert_eq!(record.attempts.len(), MOST_KEPT + 2);
        let later = 301 * 3 * MINUTE;
        assert!(send(&mut record, "a", lone, later));
        assert!(paused(&record, &key("a"), at(later)).is_some(), "{lone:?}");
    }
}

#[test]
fn neither_a_cache_nor_silence_pushes_out_the_other() {
    for (flood, lone) in [(Kept, Unheard), (Unheard, Kept)] {
        let mut record = BudgetRecord::default();
        let mut send = |name: &str, end, seconds| {
            if let Decision::Granted(number) = book(&mut record, &key(name), at(seconds)) {
                mark_proven(&mut record, number);
                settle(&mut record, number, end, at(seconds));
            }
        };
        send("a", lone, 0);
        for index in 1..=300 {
            send(&format!("of the flood {index}"), flood, index);
        }
        for _ in 1..UNHEARD_PER_KEY {
            send("a", lone, 301);
        }
        assert!(paused(&record, &key("a"), at(301)).is_some(), "{lone:?}");
        let of_one = record.attempts.iter().filter(|one| one.end == flood);
        assert!(of_one.count() <= MOST_KEPT + 1, "{flood:?}");
    }
}

/// What may happen to a record, by any number of programs: each works on the shared one in turn.
#[derive(Clone, Debug)]
enum Event {
    Book(usize),
    /// The how-manieth of the attempts under way, and its end.
    Settle(usize, AttemptEnd),
    /// Of the clock, in seconds.
    Forward(i64),
    Back(i64),
    Resume(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let end = prop_oneof![
        6 => Just(Rejected),
        1 => Just(Accepted),
        1 => Just(Inconclusive),
        2 => Just(Unheard),
        3 => Just(Kept),
        1 => Just(Cached),
    ];
    prop_oneof![
        8 => (0..4_usize).prop_map(Event::Book),
        7 => (0..6_usize, end).prop_map(|(which, end)| Event::Settle(which, end)),
        3 => (0..3_000_i64).prop_map(Event::Forward),
        1 => (0..3_000_i64).prop_map(Event::Back),
        1 => (0..4_usize).prop_map(Event::Resume),
    ]
}

/// An attempt as an onlooker counts it, by how far the clock moved forward in all.
#[derive(Clone, Debug)]
struct Sent {
    number: u64,
    key: usize,
    odometer: i64,
    end: AttemptEnd,
}

/// Counts along, without a rule of the machine's own.
#[derive(Default)]
struct Onlooker {
    record: BudgetRecord,
    clock: i64,
    odometer: i64,
    sent: Vec<Sent>,
}

impl Onlooker {
    fn see(&mut self, event: &Event) -> Result<(), TestCaseError> {
        match *event {
            Event::Book(index) => return self.book(index),
            Event::Settle(which, end) => self.settle(which, end),
            Event::Forward(seconds) => {
                self.clock += seconds;
                self.odometer += seconds;
            }
            Event::Back(seconds) => self.clock -= seconds,
            Event::Resume(index) => {
                let now = at(self.clock);
                // What is paused shows once those that were given up are counted.
                tidy(&mut self.record, now);
                let of_all =
                    self.record.all_paused.is_some() || kept::of_host(&self.record, now).is_some();
                resume(&mut self.record, &key(&index.to_string()), now);
                self.forgive(|sent| of_all || sent.key == index);
            }
        }
        Ok(())
    }

    /// Forgets those that are not under way any more, or were given up.
    fn forgive(&mut self, whose: impl Fn(&Sent) -> bool) {
        let under_way: Vec<u64> = self
            .record
            .attempts
            .iter()
            .filter(|attempt| attempt.end == AttemptEnd::Pending)
            .map(|attempt| attempt.number)
            .collect();
        self.sent
            .retain(|sent| under_way.contains(&sent.number) || !whose(sent));
    }

    fn book(&mut self, index: usize) -> Result<(), TestCaseError> {
        let decision = book(&mut self.record, &key(&index.to_string()), at(self.clock));
        let Decision::Granted(number) = decision else {
            return Ok(());
        };
        let same: Vec<&Sent> = self.sent.iter().filter(|sent| sent.key == index).collect();
        if same.len() >= PER_KEY {
            let last = same.iter().map(|sent| sent.odometer).max().unwrap_or(0);
            prop_assert!(
                self.odometer - last >= 15 * MINUTE,
                "key {} sent {} times without a pause",
                index,
                same.len() + 1
            );
        }
        let recent = self
            .sent
            .iter()
            .filter(|sent| self.odometer - sent.odometer < 10 * MINUTE)
            .count();
        prop_assert!(
            recent < PER_HOST,
            "{} attempts within ten minutes",
            recent + 1
        );
        self.sent.push(Sent {
            number,
            key: index,
            odometer: self.odometer,
            end: AttemptEnd::Pending,
        });
        Ok(())
    }

    fn settle(&mut self, which: usize, end: AttemptEnd) {
        let Some(position) = self
            .sent
            .iter()
            .enumerate()
            .filter(|(_, sent)| sent.end == AttemptEnd::Pending)
            .map(|(position, _)| position)
            .nth(which)
        else {
            return;
        };
        settle(
            &mut self.record,
            self.sent[position].number,
            end,
            at(self.clock),
        );
        let index = self.sent[position].key;
        match end {
            Rejected | Unheard | Kept | Cached => self.sent[position].end = Rejected,
            Accepted => {
                self.sent.remove(position);
                self.forgive(|sent| sent.key == index);
            }
            Inconclusive | AttemptEnd::Pending => {
                self.sent.remove(position);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// No key is sent a third time without a pause, no five of any keys within ten minutes: whatever the
    /// order of bookings and ends, whatever the clock does.
    #[test]
    fn never_more_than_the_budget(events in prop::collection::vec(event(), 1..120)) {
        let mut onlooker = Onlooker::default();
        for event in &events {
            onlooker.see(event)?;
        }
    }
}
