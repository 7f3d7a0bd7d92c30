//! The screen at the end of a slow line: what a terminal that is behind is spared, and what is waited for.

use std::time::Duration;

use switchboard::app::effect::ScreenEnd;
use tokio::time::Instant;

use super::{Person, core, session};

/// The terminal is known to answer, and more is on its way to it than it is given at once.
fn falls_behind(person: &Person) {
    let mut flow = person.flow.lock().unwrap();
    flow.wrote(2_000);
    assert!(flow.asks());
    flow.answered();
    flow.wrote(20_000);
    assert!(flow.asks());
}

/// In a paused runtime: until everything that goes on by itself has gone on.
async fn at_rest() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_terminal_that_is_behind_is_shown_the_last_state_alone() {
    let ended = session(core(Vec::new()).await, async |person: &mut Person| {
        person.sees("none yet").await;
        at_rest().await;
        falls_behind(person);
        person.press("?");
        at_rest().await;
        person.press("esc n");
        at_rest().await;
        assert!(person.screen().contains("none yet"), "{}", person.screen());
        person.answers_in(Duration::ZERO);
        let screen = person.sees("not saved").await;
        assert!(screen.contains("URL"), "{screen}");
    });
    assert_eq!(ended.await.unwrap(), ScreenEnd::Quit);
}

/// How long the end takes, with an answer of the terminal that comes so long after `q`.
async fn ending(answers: Option<Duration>) -> Duration {
    let mut quit = None;
    let ended = session(core(Vec::new()).await, async |person: &mut Person| {
        person.sees("none yet").await;
        at_rest().await;
        falls_behind(person);
        quit = Some(Instant::now());
        person.press("q");
        if let Some(time) = answers {
            person.answers_in(time);
        }
    });
    assert_eq!(ended.await.unwrap(), ScreenEnd::Quit);
    quit.unwrap().elapsed()
}

#[tokio::test(start_paused = true)]
async fn no_answer_is_left_for_the_shell_and_one_that_never_comes_is_not_waited_for() {
    let soon = ending(Some(Duration::from_millis(400))).await;
    let never = ending(None).await;
    assert!(soon >= Duration::from_millis(400), "{soon:?}");
    assert!(soon < Duration::from_millis(600), "{soon:?}");
    assert!(never >= Duration::from_secs(1), "{never:?}");
    assert!(never < Duration::from_secs(9), "{never:?}");
}
