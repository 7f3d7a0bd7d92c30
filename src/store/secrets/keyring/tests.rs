//! The keyring answers, or says why not, and never makes its caller wait for ever.

use std::process::{Command, Stdio};

use super::*;

fn origin() -> Origin {
    Origin::parse("https://a.example").unwrap()
}

/// Run by [`a_real_service_keeps_value_and_origin`] inside a session bus of its own.
#[tokio::test]
#[ignore = "run by another test"]
async fn inside_a_session() {
    let keyring = Keyring::default();
    keyring.works().await.unwrap();
    assert!(
        matches!(keyring.get("shop/key").await, Err(KeyringProblem::NoItem(name)) if name == "shop/key")
    );
    keyring
        .put("shop/key", &Secret::new("hunter2"), Some(&origin()))
        .await
        .unwrap();
    keyring.put("other", &Secret::new("x"), None).await.unwrap();
    let kept = keyring.get("shop/key").await.unwrap();
    assert_eq!(
        (kept.value.expose(), kept.origin),
        ("hunter2", Some(origin()))
    );
    assert_eq!(keyring.get("other").await.unwrap().origin, None);
    keyring
        .put("shop/key", &Secret::new("hunter3"), None)
        .await
        .unwrap();
    let kept = keyring.get("shop/key").await.unwrap();
    assert_eq!(
        (kept.value.expose(), kept.origin),
        ("hunter3", None),
        "a new value is not for the old host"
    );
    keyring.set_origin("shop/key", &origin()).await.unwrap();
    assert_eq!(
        keyring.get("shop/key").await.unwrap().origin,
        Some(origin())
    );
    keyring.remove("shop/key").await.unwrap();
    keyring.remove("shop/key").await.unwrap();
    assert!(matches!(
        keyring.get("shop/key").await,
        Err(KeyringProblem::NoItem(_))
    ));
}

#[test]
fn a_real_service_keeps_value_and_origin() {
    let there = |program| {
        Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .status()
            .is_ok()
    };
    if !there("dbus-run-session") || !there("gnome-keyring-daemon") {
        assert!(option_env!("CI").is_none(), "must run in CI: no keyring");
        // Their packages are named in the test script; without them there is no service to talk to.
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let script = "printf x | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; exec \"$0\" \"$@\"";
    let run = Command::new("dbus-run-session")
        .args(["--", "sh", "-c", script])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "store::secrets::keyring::tests::inside_a_session",
        ])
        .env("HOME", home.path())
        .env("XDG_RUNTIME_DIR", home.path())
        .env_remove("XDG_DATA_HOME")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

/// Run by [`without_a_bus_it_says_so`] with no bus to be found.
#[tokio::test]
#[ignore = "run by another test"]
async fn outside_any_session() {
    assert_eq!(
        Keyring::default().works().await,
        Err(KeyringProblem::Absent)
    );
    let keyring = Keyring::default();
    for _ in 0..3 {
        assert_eq!(keyring.get("a").await.err(), Some(KeyringProblem::Absent));
    }
    assert_eq!(keyring.waiting.load(Ordering::Relaxed), 0);
}

#[test]
fn without_a_bus_it_says_so() {
    let run = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "store::secrets::keyring::tests::outside_any_session",
        ])
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
async fn a_service_that_never_answers_is_given_up() {
    let keyring = Keyring::default();
    let (release, held) = mpsc::channel::<()>();
    keyring
        .send(Box::new(move |_| held.recv().unwrap_or_default()))
        .unwrap();
    let calls: Vec<_> = (0..QUEUE + 5)
        .map(|_| keyring.call(Duration::from_millis(1), "a", |_| Ok(())))
        .collect();
    let answers = futures_util::future::join_all(calls).await;
    assert!(
        answers
            .iter()
            .all(|answer| *answer == Err(KeyringProblem::Silent))
    );
    drop(release);
}
