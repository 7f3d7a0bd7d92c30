//! Remote tokens over the rehearsal service and real files: killed at every step, and nothing is lost.

use std::future::Future;
use std::sync::Mutex;

use super::super::tests::{Home, name};
use super::*;
use crate::domain::budget::AttemptEnd;
use crate::domain::token::{RenewalAction, Status};
use crate::domain::{
    Cause, Connection, HandleSlot, HostPort, Reason, Secret, SecretRef, ServiceId, State,
};
use crate::service::Trigger;
use crate::sim::{Access, Answer, Behaviour, Connect, Fault, Mishap, Sim, SimSettings};
use crate::store::StoreKind;
use crate::tokens::{NewToken, TokenEdit, TokenProblem};
use crate::work::{ConnectionEdit, Edit, WatchEvent, WatchSettings, WorkError, silent};

const OWN: &str = "SU-160-984-311";
const UNTIL: Option<&str> = Some("2030-01-01T00:00:00+00:00");

/// A user with two connections that share one key, and the service behind them.
struct Stage {
    home: Home,
    sim: Sim,
    connect: Connect,
    url: String,
    port: u16,
}

fn passphrase() -> Secret {
    Secret::new("correct horse")
}

impl Stage {
    async fn new() -> Self {
        Self::with(|connect| connect).await
    }

    async fn with(change: impl FnOnce(Connect) -> Connect) -> Self {
        let mut sim = Sim::bare(SimSettings::default()).unwrap();
        let (id, secret) = sim.connect_pair();
        let connect = change(Connect::new(&id, &secret, 12));
        let stand = sim.serve(Behaviour::Connect(connect.clone())).unwrap();
        let home = Home::new();
        let core = home.core();
        core.create_vault(passphrase()).await.unwrap();
        for label in ["market", "copy"] {
            let url = format!("{}/public/v1", stand.url);
            let mut connection = Connection::new(name(label), ServiceId::connect(), &url);
            connection.username.clone_from(&id);
            let draft = ConnectionEdit {
                key: Edit::Set(Secret::new(secret.as_str())),
                store: Some(StoreKind::Vault),
                ..ConnectionEdit::new(connection)
            };
            core.save(draft).await.unwrap();
        }
        Self {
            home,
            sim,
            connect,
            url: stand.url,
            port: stand.port,
        }
    }

    /// The core of a program that was just started, its vault open.
    async fn core(&self) -> Core {
        let core = self.home.core();
        core.unlock(passphrase()).await.unwrap();
        core
    }

    async fn account(&self) -> Account {
        self.core().await.account(&name("market")).await.unwrap()
    }

    /// How often `line` (method and end of path) was asked.
    fn asked(&self, method: &str, end: &str) -> usize {
        let log = self.sim.log();
        let seen = log.at(self.port);
        let fits =
            |seen: &&&crate::sim::SeenRequest| seen.method == method && seen.path.ends_with(end);
        seen.iter().filter(fits).count()
    }

    /// The names of what the vault holds.
    async fn entries(&self) -> Vec<String> {
        let core = self.core().await;
        core.0.vault.names().unwrap()
    }

    /// Everything that was asked of the service has its answer.
    async fn all_answered(&self) {
        let port = self.port;
        let wait = self
            .sim
            .wait_for(|log| log.at(port).iter().all(|seen| seen.answered.is_some()));
        wait.await;
    }

    /// Asks for the tokens, and goes once the request has reached the service.
    async fn ask_and_go(&self, account: &Account) {
        let before = self.sim.log().at(self.port).len();
        let query = TokenQuery::default();
        tokio::select! {
            answered = account.tokens(&query) => panic!("it is held back: {answered:?}"),
            _ = self.sim.wait_for(|log| log.at(self.port).len() > before) => {}
        }
    }

    /// Both connections are up in a fresh program, whatever happened before; the old secret is dead by now.
    async fn all_is_well(&self) {
        self.connect.let_expire(OWN);
        self.both_are_up().await;
    }

    async fn both_are_up(&self) {
        let core = self.core().await;
        for label in ["market", "copy"] {
            let verdict = core
                .probe_saved(&name(label), Trigger::Asked, &silent)
                .await;
            assert_eq!(verdict.state(), State::Ok, "{label}: {verdict:?}");
        }
    }
}

/// Runs `work` in a task of its own; whether that was killed.
async fn killed(work: impl Future<Output = Result<(), TokenError>> + Send + 'static) -> bool {
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(work);
    tasks
        .join_next()
        .await
        .unwrap()
        .is_err_and(|end| end.is_panic())
}

#[tokio::test]
async fn two_never_renew_at_once() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let other = stage.core().await;
    let first = other.sole_renewal().await.unwrap();
    let refused = account.renew(OWN, UNTIL, Guard::On, &unheard).await;
    assert!(matches!(refused, Err(TokenError::Busy)), "{refused:?}");
    drop(first);
    account
        .renew(OWN, UNTIL, Guard::On, &unheard)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_renewal_updates_every_connection_that_holds_the_secret() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let steps = Mutex::new(Vec::new());
    let progress = |step| steps.lock().unwrap().push(step);
    let renewed = account
        .renew(OWN, UNTIL, Guard::On, &progress)
        .await
        .unwrap();
    assert_eq!(renewed.updated, [name("market"), name("copy")]);
    assert_eq!(renewed.verdicts.len(), 2);
    assert_eq!(
        renewed.expires.shown().as_deref(),
        Some("2030-01-01T00:00:00Z")
    );
    assert_eq!(steps.into_inner().unwrap().len(), 8);
    let core = stage.core().await;
    assert_eq!(core.unfinished_renewals().await.unwrap(), []);
    let new = core
        .handle(&name("market"), &HandleSlot::Key)
        .await
        .unwrap();
    let row = stage.connect.token_row(OWN).unwrap();
    let expected = format!("ApiKey {OWN}:{}", row["renewed_token"].as_str().unwrap());
    assert_eq!(new.secret(), &Secret::new(expected));
    assert_eq!(stage.asked("POST", "/renew"), 1);
    stage.all_is_well().await;
}

/// A watch reads the configuration every few seconds alone, and the vault at each probe.
#[tokio::test]
async fn whoever_knows_the_place_of_before_looks_where_the_key_is_now() {
    let stage = Stage::new().await;
    let core = stage.core().await;
    let before = core.connection(&name("market")).await.unwrap();
    let account = stage.account().await;
    let renewed = account.renew(OWN, UNTIL, Guard::On, &unheard).await;
    renewed.unwrap();
    assert_ne!(
        core.connection(&name("market")).await.unwrap().key,
        before.key
    );
    let scheduled = core.probe_unrecorded(&before, Trigger::Scheduled, &silent);
    assert_eq!(scheduled.await.state(), State::Ok);
}

#[tokio::test]
async fn that_a_connection_was_removed_meanwhile_is_no_failure_of_its_key() {
    let stage = Stage::new().await;
    let core = stage.core().await;
    let mut watch = core.watch(None, WatchSettings::default()).await.unwrap();
    let mut removed = false;
    for _ in 0..20 {
        let WatchEvent::Finished {
            verdict, change, ..
        } = watch.next().await
        else {
            continue;
        };
        if verdict.connection != Some(name("copy")) {
            continue;
        }
        if removed {
            assert_eq!(verdict.reason, Reason::SecretUnavailable);
            assert_eq!(change, None, "{verdict:?}");
            return;
        }
        assert_eq!(verdict.state(), State::Ok);
        let other = stage.core().await;
        other.remove(&name("copy")).await.unwrap();
        removed = true;
        watch.hasten(&name("copy"));
    }
    panic!("it is not probed again");
}

#[tokio::test]
async fn a_handle_is_of_what_a_probe_sends_however_the_key_was_kept() {
    let stage = Stage::new().await;
    let core = stage.core().await;
    let whole = format!("ApiKey {OWN}:a-secret");
    for (label, username, kept) in [
        ("line", OWN, whole.as_str()),
        ("line alone", "", &whole),
        ("blanks", OWN, "  a-secret "),
    ] {
        let mut connection = Connection::new(name(label), ServiceId::connect(), &stage.url);
        username.clone_into(&mut connection.username);
        let draft = ConnectionEdit {
            key: Edit::Set(Secret::new(kept)),
            store: Some(StoreKind::Vault),
            ..ConnectionEdit::new(connection)
        };
        core.save(draft).await.unwrap();
        let handle = core.handle(&name(label), &HandleSlot::Key).await.unwrap();
        assert_eq!(handle.secret(), &Secret::new(whole.as_str()), "{label}");
    }
}

#[tokio::test]
async fn killed_after_any_step_it_goes_on_and_is_never_renewed_twice() {
    const STEPS: [RenewalStep; 8] = [
        RenewalStep::WrittenDown,
        RenewalStep::Answered,
        RenewalStep::Placed,
        RenewalStep::Kept,
        RenewalStep::Proven,
        RenewalStep::Switched,
        RenewalStep::ProvenAgain,
        RenewalStep::Tidied,
    ];
    for last in STEPS {
        let stage = Stage::new().await;
        let account = stage.account().await;
        let killed = killed(async move {
            let progress = |step| assert!(step != last, "killed");
            account
                .renew(OWN, UNTIL, Guard::On, &progress)
                .await
                .map(drop)
        });
        assert!(killed.await);
        let core = stage.core().await;
        let unfinished = core.unfinished_renewals().await.unwrap();
        assert_eq!(unfinished.len(), 1, "{last:?}");
        let resumed = core.resume_renewal(&unfinished[0], &unheard).await;
        if last == RenewalStep::WrittenDown {
            // Nothing shows yet that the service never heard, as the request may still be on its way.
            assert!(
                matches!(resumed, Err(TokenError::Undecided { .. })),
                "{resumed:?}"
            );
            assert_eq!(stage.asked("POST", "/renew"), 0);
            continue;
        }
        assert!(resumed.unwrap().resumed, "{last:?}");
        assert_eq!(core.unfinished_renewals().await.unwrap(), []);
        assert_eq!(stage.asked("POST", "/renew"), 1, "{last:?}");
        stage.all_is_well().await;
    }
}

/// Whoever began it was told to give the same command again: it is no further renewal, whoever ended it meanwhile.
#[tokio::test]
async fn what_a_probe_has_ended_is_told_to_whoever_asks_again_and_not_done_twice() {
    for action in [RenewalAction::Renew, RenewalAction::Rotate] {
        let stage = Stage::new().await;
        let ask = async |account: Account, guard, progress: RenewalProgress<'_>| match action {
            RenewalAction::Renew => account.renew(OWN, UNTIL, guard, progress).await,
            RenewalAction::Rotate => account.rotate(OWN, UNTIL, guard, progress).await,
        };
        let guard = match action {
            RenewalAction::Renew => Guard::On,
            RenewalAction::Rotate => Guard::Lifted,
        };
        let account = stage.account().await;
        let (begun, its_guard) = (account.clone(), guard.clone());
        let killed = killed(async move {
            let progress = |step| assert!(step != RenewalStep::Kept, "killed");
            let done = match action {
                RenewalAction::Renew => begun.renew(OWN, UNTIL, its_guard, &progress).await,
                RenewalAction::Rotate => begun.rotate(OWN, UNTIL, its_guard, &progress).await,
            };
            done.map(drop)
        });
        assert!(killed.await);
        let core = stage.core().await;
        let ended = core.resume_renewals_of(&[name("copy")]).await.unwrap();
        assert!(matches!(ended.as_slice(), [(_, Ok(_))]), "{ended:?}");
        let asked = || stage.asked("POST", "/renew") + stage.asked("POST", "/rotate");
        assert_eq!(asked(), 1, "{action:?}");

        let again = ask(stage.account().await, guard.clone(), &unheard).await;
        let again = again.unwrap();
        assert!(again.resumed && again.aside.is_some(), "{again:?}");
        assert_eq!(again.updated, [name("market"), name("copy")]);
        assert_eq!(asked(), 1, "{action:?}");

        // Once: from now on another one is meant.
        let further = ask(stage.account().await, guard, &unheard).await;
        match action {
            RenewalAction::Renew => {
                let is_asked = matches!(further, Err(TokenError::RenewedAlready { .. }));
                assert!(is_asked, "{further:?}");
            }
            RenewalAction::Rotate => {
                assert_eq!(further.unwrap().aside, None);
                assert_eq!(asked(), 2);
            }
        }
        stage.both_are_up().await;
    }
}

/// A person who goes on with it on the screen sees how it ends.
#[tokio::test]
async fn what_was_gone_on_with_by_hand_is_not_told_once_more() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let killed = killed(async move {
        let progress = |step| assert!(step != RenewalStep::Answered, "killed");
        let renewed = account.renew(OWN, UNTIL, Guard::On, &progress).await;
        renewed.map(drop)
    });
    assert!(killed.await);
    let core = stage.core().await;
    let unfinished = core.unfinished_renewals().await.unwrap();
    let resumed = core.resume_renewal(&unfinished[0], &unheard).await;
    assert_eq!(resumed.unwrap().aside, None);
    let again = stage
        .account()
        .await
        .renew(OWN, UNTIL, Guard::On, &unheard)
        .await;
    let is_asked = matches!(again, Err(TokenError::RenewedAlready { .. }));
    assert!(is_asked, "{again:?}");
}

#[tokio::test]
async fn a_configuration_that_can_t_be_read_ends_no_renewal_as_done() {
    for last in [
        RenewalStep::Kept,
        RenewalStep::Switched,
        RenewalStep::ProvenAgain,
    ] {
        let stage = Stage::new().await;
        let account = stage.account().await;
        let folders = account.core.0.folders.as_ref().unwrap();
        let file = folders.configuration.clone();
        let whole = Mutex::new(String::new());
        let progress = |step| {
            if step == last {
                *whole.lock().unwrap() = std::fs::read_to_string(&file).unwrap();
                std::fs::write(&file, "[half").unwrap();
            }
        };
        let ended = account.renew(OWN, UNTIL, Guard::On, &progress).await;
        assert!(matches!(ended, Err(TokenError::Work(_))), "{ended:?}");
        std::fs::write(&file, whole.into_inner().unwrap()).unwrap();
        let core = stage.core().await;
        let ended = core.resume_renewals_of(&[name("market")]).await.unwrap();
        let [(_, Ok(renewed))] = ended.as_slice() else {
            panic!("{last:?}: {ended:?}")
        };
        assert_eq!(renewed.verdicts.len(), 2, "each connection was probed");
        stage.all_is_well().await;
    }
}

#[tokio::test]
async fn a_lost_answer_is_looked_up() {
    let stage = Stage::new().await;
    stage.connect.plan(
        "POST /auth/tokens/SU-160-984-311/renew",
        Mishap::After(Fault::Reset),
    );
    let account = stage.account().await;
    account
        .renew(OWN, UNTIL, Guard::On, &unheard)
        .await
        .unwrap();
    assert_eq!(stage.asked("POST", "/renew"), 1);
    stage.all_is_well().await;
}

#[tokio::test]
async fn what_can_t_be_known_is_undecided_and_not_asked_again() {
    let stage = Stage::new().await;
    let at = "POST /auth/tokens/SU-160-984-311/renew";
    stage.connect.plan(at, Mishap::Before(Fault::Close));
    let account = stage.account().await;
    for _ in 0..2 {
        let problem = account
            .renew(OWN, UNTIL, Guard::On, &unheard)
            .await
            .unwrap_err();
        assert!(
            matches!(problem, TokenError::Undecided { .. }),
            "{problem:?}"
        );
    }
    assert_eq!(stage.asked("POST", "/renew"), 1);
    let verdict = stage
        .core()
        .await
        .probe_saved(&name("market"), Trigger::Asked, &silent)
        .await;
    assert_eq!(verdict.state(), State::Ok, "the old secret is untouched");
}

#[tokio::test]
async fn what_a_cache_had_kept_ends_no_renewal() {
    let at = format!("/auth/tokens/{OWN}");
    for lost in [Mishap::Before(Fault::Close), Mishap::Instead(kept_401())] {
        let stage = Stage::new().await;
        let account = stage.account().await;
        stage.connect.plan(&format!("POST {at}/renew"), lost);
        let asked = account.renew(OWN, UNTIL, Guard::On, &unheard).await;
        let is_open = matches!(asked, Err(TokenError::Undecided { .. }));
        assert!(is_open, "{asked:?}");
        let mut record = account.under_way(OWN).await.unwrap().unwrap();
        record.began -= jiff::SignedDuration::from_hours(1);
        let earlier = account
            .core
            .journal(move |state| state.put_renewal(&record));
        earlier.await.unwrap();

        let row = stage.connect.token_row(OWN).unwrap();
        let kept = Answer::json(200, &row).with("Age", "5");
        stage
            .connect
            .plan(&format!("GET {at}"), Mishap::Instead(kept));
        let resumed = async || {
            let core = stage.core().await;
            core.resume_renewals_of(&[name("market")]).await.unwrap()
        };
        let ended = resumed().await;
        assert!(
            matches!(ended.as_slice(), [(_, Err(TokenError::Undecided { .. }))]),
            "{ended:?}"
        );
        let ended = resumed().await;
        assert!(
            matches!(
                ended.as_slice(),
                [(_, Err(TokenError::NeverHappened { .. }))]
            ),
            "{ended:?}"
        );
    }
}

#[tokio::test]
async fn a_refused_renewal_leaves_nothing() {
    let stage = Stage::new().await;
    stage.connect.plan(
        "POST /auth/tokens/SU-160-984-311/renew",
        Mishap::throttled(Some(1)),
    );
    let account = stage.account().await;
    let problem = account
        .renew(OWN, UNTIL, Guard::On, &unheard)
        .await
        .unwrap_err();
    assert_eq!(problem.reason(), Some(Reason::RateLimited));
    let core = stage.core().await;
    assert_eq!(core.unfinished_renewals().await.unwrap(), []);
}

#[tokio::test]
async fn without_an_answer_to_the_proof_it_waits_with_the_old_secret_in_use() {
    let stage = Stage::new().await;
    // The first request that is no token call is the proof.
    stage
        .connect
        .plan("GET /accounts", Mishap::Before(Fault::Reset));
    let account = stage.account().await;
    let before = stage
        .core()
        .await
        .handle(&name("market"), &HandleSlot::Key)
        .await;
    let problem = account
        .renew(OWN, UNTIL, Guard::On, &unheard)
        .await
        .unwrap_err();
    assert!(
        matches!(problem, TokenError::Unproven { .. }),
        "{problem:?}"
    );
    let core = stage.core().await;
    let now = core
        .handle(&name("market"), &HandleSlot::Key)
        .await
        .unwrap();
    assert_eq!(before.unwrap(), now);
    let ended = core.resume_renewals_of(&[name("copy")]).await.unwrap();
    assert!(matches!(ended.as_slice(), [(_, Ok(_))]), "{ended:?}");
    assert_eq!(stage.asked("POST", "/renew"), 1);
    stage.all_is_well().await;
}

#[tokio::test]
async fn a_rotation_keeps_the_new_secret_first() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let guarded = account.rotate(OWN, UNTIL, Guard::On, &unheard).await;
    let Err(TokenError::KeyInUse { names, .. }) = guarded else {
        panic!("{guarded:?}");
    };
    assert_eq!(names, [name("market"), name("copy")]);
    assert_eq!(stage.asked("POST", "/rotate"), 0);
    let rotated = account.rotate(OWN, UNTIL, Guard::Lifted, &unheard).await;
    assert_eq!(rotated.unwrap().updated.len(), 2);
    let core = stage.core().await;
    for label in ["market", "copy"] {
        let verdict = core
            .probe_saved(&name(label), Trigger::Asked, &silent)
            .await;
        assert_eq!(verdict.state(), State::Ok, "{verdict:?}");
    }
}

#[tokio::test]
async fn a_rotation_killed_once_it_is_kept_goes_on() {
    for last in [RenewalStep::Kept, RenewalStep::Switched] {
        let stage = Stage::new().await;
        let account = stage.account().await;
        let killed = killed(async move {
            let progress = |step| assert!(step != last, "killed");
            let rotated = account.rotate(OWN, UNTIL, Guard::Lifted, &progress).await;
            rotated.map(drop)
        });
        assert!(killed.await);
        let core = stage.core().await;
        let ended = core.resume_renewals_of(&[name("market")]).await.unwrap();
        assert!(
            matches!(ended.as_slice(), [(_, Ok(_))]),
            "{last:?}: {ended:?}"
        );
        let core = stage.core().await;
        let verdict = core
            .probe_saved(&name("copy"), Trigger::Asked, &silent)
            .await;
        assert_eq!(verdict.state(), State::Ok, "{verdict:?}");
    }
}

/// Nothing that goes on needs the vault but the place of the new secret.
#[tokio::test]
async fn a_rotation_goes_on_once_the_vault_for_its_secret_is_open() {
    const ID: &str = "SU-500-000-000";
    // Before there is a place for it, and once it is in the vault that its connection does not name yet.
    for last in [RenewalStep::Answered, RenewalStep::Kept] {
        let stage = Stage::new().await;
        let (_, own) = stage.sim.connect_pair();
        let row = stage.connect.token_row(ID).unwrap();
        let variables = [
            ("OWN", own.as_str()),
            ("OTHER", row["token"].as_str().unwrap()),
        ];
        let core = stage.home.core_with(&variables);
        for (label, id, variable) in [("asks", OWN, "OWN"), ("other", ID, "OTHER")] {
            let url = format!("{}/public/v1", stage.url);
            let mut connection = Connection::new(name(label), ServiceId::connect(), &url);
            id.clone_into(&mut connection.username);
            connection.key = Some(SecretRef::Env(variable.into()));
            core.save(ConnectionEdit::new(connection)).await.unwrap();
        }
        core.unlock(passphrase()).await.unwrap();
        let account = core.account(&name("asks")).await.unwrap();
        let killed = killed(async move {
            let progress = move |reached| assert!(reached != last, "killed");
            let rotated = account.rotate(ID, UNTIL, Guard::Lifted, &progress).await;
            rotated.map(drop)
        });
        assert!(killed.await);
        let core = stage.home.core_with(&variables);
        let ended = core.resume_renewals_of(&[name("other")]).await.unwrap();
        let locked =
            |ended: &TokenError| matches!(ended, TokenError::Work(WorkError::PassphraseNeeded(_)));
        assert!(
            matches!(ended.as_slice(), [(_, Err(why))] if locked(why)),
            "{last:?}: {ended:?}"
        );
        core.unlock(passphrase()).await.unwrap();
        let ended = core.resume_renewals_of(&[name("other")]).await.unwrap();
        assert!(
            matches!(ended.as_slice(), [(_, Ok(_))]),
            "{last:?}: {ended:?}"
        );
    }
}

/// The old secret is dead and the new one was in the answer alone: nobody can look it up, and that is said.
#[tokio::test]
async fn a_rotation_whose_answer_was_lost_says_where_the_new_secret_is() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let killed = killed(async move {
        let progress = |step| assert!(step != RenewalStep::Answered, "killed");
        let rotated = account.rotate(OWN, UNTIL, Guard::Lifted, &progress).await;
        rotated.map(drop)
    });
    assert!(killed.await);
    let core = stage.core().await;
    {
        let ended = core.resume_renewals_of(&[name("market")]).await.unwrap();
        let [(_, Err(lost @ TokenError::Lost { .. }))] = ended.as_slice() else {
            panic!("{ended:?}");
        };
        assert!(lost.to_string().contains("switchboard secret set market"));
        assert_eq!(lost.exit_code(), 1);
    }
    let found = core.examine().await.findings;
    let told = found.iter().find(|finding| finding.text.contains(OWN));
    assert_eq!(told.unwrap().about, "connection market", "{found:?}");

    let row = stage.connect.token_row(OWN).unwrap();
    let new = row["token"].as_str().unwrap();
    for label in ["market", "copy"] {
        let key = Secret::new(new);
        core.set_secret(&name(label), &HandleSlot::Key, key, None)
            .await
            .unwrap();
    }
    let core = stage.core().await;
    let ended = core.resume_renewals_of(&[name("market")]).await.unwrap();
    assert!(matches!(ended.as_slice(), [(_, Ok(_))]), "{ended:?}");
    stage.both_are_up().await;
    assert_eq!(stage.asked("POST", "/rotate"), 1);
    assert!(core.unfinished_renewals().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_rotation_follows_connections_that_run_on_the_renewed_secret() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    account
        .renew(OWN, UNTIL, Guard::On, &unheard)
        .await
        .unwrap();
    let account = stage.account().await;
    let rotated = account.rotate(OWN, UNTIL, Guard::Lifted, &unheard).await;
    assert_eq!(rotated.unwrap().updated, [name("market"), name("copy")]);
    stage.both_are_up().await;
}

#[tokio::test]
async fn a_second_renewal_kills_the_first_one_s_secret_and_is_asked_for_twice() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    account
        .renew(OWN, UNTIL, Guard::On, &unheard)
        .await
        .unwrap();
    let account = stage.account().await;
    let refused = account.renew(OWN, UNTIL, Guard::On, &unheard).await;
    assert!(
        matches!(refused, Err(TokenError::RenewedAlready { .. })),
        "{refused:?}"
    );
    assert_eq!(stage.asked("POST", "/renew"), 1);
    let renewed = account.renew(OWN, UNTIL, Guard::Lifted, &unheard).await;
    assert_eq!(renewed.unwrap().updated, [name("market"), name("copy")]);
    stage.both_are_up().await;
    stage.all_is_well().await;
}

/// What is asked for is done, and told as what it is, whatever an earlier run has left.
#[tokio::test]
async fn a_rotation_is_never_taken_for_done_because_a_renewal_was() {
    for (earlier, wanted) in [
        (RenewalAction::Renew, RenewalAction::Rotate),
        (RenewalAction::Rotate, RenewalAction::Renew),
    ] {
        let stage = Stage::new().await;
        let old = stage.connect.token_row(OWN).unwrap()["token"].clone();
        let account = stage.account().await;
        let killed = killed(async move {
            let progress = |step| assert!(step != RenewalStep::Kept, "killed");
            let guard = Guard::Lifted;
            let begun = match earlier {
                RenewalAction::Renew => account.renew(OWN, UNTIL, guard, &progress).await,
                RenewalAction::Rotate => account.rotate(OWN, UNTIL, guard, &progress).await,
            };
            begun.map(drop)
        });
        assert!(killed.await);
        let account = stage.account().await;
        let guard = Guard::Lifted;
        let done = match wanted {
            RenewalAction::Renew => account.renew(OWN, UNTIL, guard, &unheard).await,
            RenewalAction::Rotate => account.rotate(OWN, UNTIL, guard, &unheard).await,
        };
        let done = done.unwrap();
        assert_eq!((done.action, done.earlier), (wanted, Some(earlier)));
        assert_eq!(stage.asked("POST", "/renew"), 1);
        assert_eq!(stage.asked("POST", "/rotate"), 1);
        let row = stage.connect.token_row(OWN).unwrap();
        assert_ne!(row["token"], old, "the old one is dead");
        stage.both_are_up().await;
    }
}

/// Nobody takes a rotation for what never came because of what was asked for after it.
#[tokio::test]
async fn what_was_ended_first_is_told_where_the_rest_fails() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let killed = killed(async move {
        let progress = |step| assert!(step != RenewalStep::Kept, "killed");
        let begun = account.rotate(OWN, UNTIL, Guard::Lifted, &progress).await;
        begun.map(drop)
    });
    assert!(killed.await);
    let renew = format!("POST /auth/tokens/{OWN}/renew");
    stage.connect.plan(&renew, Mishap::throttled(None));
    let account = stage.account().await;
    let renewed = account.renew(OWN, UNTIL, Guard::On, &unheard).await;
    let problem = renewed.unwrap_err();
    let said = crate::domain::error_chain(&problem);
    assert!(said.starts_with("a rotation of SU-"), "{said}");
    assert!(
        said.contains("ended first") && said.contains("asks to wait"),
        "{said}"
    );
    let code = problem.exit_code();
    let TokenError::EarlierEnded { problem, .. } = problem else {
        panic!("{problem:?}");
    };
    assert_eq!(code, problem.exit_code());
}

/// A rotation can't be taken back: what it needs is tried before.
#[tokio::test]
async fn nothing_is_rotated_that_could_not_be_kept() {
    let stage = Stage::new().await;
    let folders = stage.core().await;
    let folders = folders.folders().unwrap();
    let backup = folders.config().join("backup");
    std::fs::remove_dir_all(&backup).unwrap();
    std::fs::write(&backup, "no folder").unwrap();
    let account = stage.account().await;
    let refused = account.rotate(OWN, UNTIL, Guard::Lifted, &unheard).await;
    let problem = crate::domain::error_chain(&refused.unwrap_err());
    assert!(problem.contains("backup"), "{problem}");
    assert_eq!(stage.asked("POST", "/rotate"), 0);
    let unfinished = stage.core().await.unfinished_renewals().await;
    assert_eq!(unfinished.unwrap(), []);
}

/// The vault holds the new secret by then: it is named, and not handed out.
#[tokio::test]
async fn a_rotated_secret_that_is_kept_is_not_handed_out() {
    let stage = Stage::new().await;
    let folders = stage.core().await;
    let folders = folders.folders().unwrap();
    let backup = folders.config().join("backup");
    let account = stage.account().await;
    let progress = |step| {
        if step == RenewalStep::Kept {
            std::fs::remove_dir_all(&backup).unwrap();
            std::fs::write(&backup, "no folder").unwrap();
        }
    };
    let rotated = account
        .rotate(OWN, UNTIL, Guard::Lifted, &progress)
        .await
        .unwrap_err();
    let TokenError::Unused { places, .. } = &rotated else {
        panic!("{rotated:?}");
    };
    assert!(places.contains(&SecretRef::Vault("market/key-2".to_owned())));
    std::fs::remove_file(&backup).unwrap();
    let core = stage.core().await;
    let ended = core.resume_renewals_of(&[name("market")]).await.unwrap();
    assert!(matches!(ended.as_slice(), [(_, Ok(_))]), "{ended:?}");
    stage.both_are_up().await;
}

#[tokio::test]
async fn the_old_secret_lives_where_a_renewed_one_could_not_be_kept() {
    const ID: &str = "SU-500-000-000";
    let stage = Stage::new().await;
    let account = stage.account().await;
    let connect = stage.connect.clone();
    let progress = move |step| {
        if step == RenewalStep::Kept {
            connect.plan(&format!("GET /auth/tokens/{ID}"), Mishap::throttled(None));
        }
    };
    let renewed = account.renew(ID, UNTIL, Guard::On, &progress).await;
    assert!(
        matches!(
            renewed,
            Err(TokenError::NotKept {
                replaces: false,
                ..
            })
        ),
        "{renewed:?}"
    );
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_not_told_as_refused() {
    const ID: &str = "SU-500-000-000";
    let stage = Stage::new().await;
    let account = stage.account().await;
    let deactivate = format!("POST /auth/tokens/{ID}/deactivate");
    stage
        .connect
        .plan(&deactivate, Mishap::Before(Fault::Close));
    // The token stands as before: what was asked for may still be on its way.
    let lost = account.disable(ID, Guard::On).await.unwrap_err();
    let told = lost.to_string();
    assert!(told.contains("not known"), "{told}");
    assert!(matches!(lost, TokenError::Uncertain { which, .. } if which == ID));

    let made = Mishap::After(Fault::Close);
    stage.connect.plan("POST /auth/tokens", made);
    stage
        .connect
        .plan("GET /auth/tokens", Mishap::throttled(None));
    let new = NewToken {
        name: "reports".into(),
        extension: "EXT-000".into(),
        ..NewToken::default()
    };
    let lost = account.create(&new, &[]).await.unwrap_err();
    assert!(
        matches!(&lost, TokenError::Uncertain { which, .. } if which == "reports"),
        "{lost:?}"
    );
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_looked_up() {
    const ID: &str = "SU-500-000-000";
    const LOST: Mishap = Mishap::After(Fault::Close);
    let stage = Stage::new().await;
    let account = stage.account().await;
    let plan = |method: &str, end: &str| {
        let at = format!("{method} /auth/tokens/{ID}{end}");
        stage.connect.plan(&at, LOST);
    };
    plan("POST", "/deactivate");
    let off = account.disable(ID, Guard::On).await.unwrap();
    assert_eq!(off.status, Status::Inactive);
    plan("POST", "/activate");
    let on = account.enable(ID).await.unwrap();
    assert_eq!(on.status, Status::Active);

    let fields = TokenEdit {
        name: Some("told".to_owned()),
        description: Some(String::new()),
        ..TokenEdit::default()
    };
    let held = account.permissions(ID).await.unwrap();
    let held: Vec<_> = held.into_iter().filter_map(|held| held.module).collect();
    let wanted = difference(held.iter().map(String::as_str), ["MD-0003"]);
    plan("PUT", "");
    plan("POST", "/permissions");
    plan("DELETE", "/permissions");
    let edited = account.edit(ID, &fields, wanted.clone(), Guard::On).await;
    let edited = edited.unwrap();
    assert!(edited.fields && edited.problem.is_none(), "{edited:?}");
    assert_eq!(
        (edited.granted, edited.revoked),
        (wanted.grant, wanted.revoke)
    );

    plan("DELETE", "");
    account.delete(ID, Guard::On).await.unwrap();
    let row = stage.connect.token_row(ID).unwrap();
    assert_eq!(row["status"], "deleted");
    for (method, end) in [("POST", "/activate"), ("PUT", ID), ("DELETE", ID)] {
        assert_eq!(
            stage.asked(method, end),
            1,
            "each is asked for once: {method} {end}"
        );
    }
}

/// Whoever shows it no more has deleted it; what a stranger, or a cache, says proves nothing.
#[tokio::test]
async fn only_the_service_s_own_not_found_shows_that_a_token_is_deleted() {
    const ID: &str = "SU-500-000-000";
    let gone = |is_service: bool| {
        let body = r#"{"error_code":"NOT_FOUND","errors":["Object not found."]}"#;
        let (kind, body) = if is_service {
            ("application/json", body)
        } else {
            ("text/html", "<h1>Not Found</h1>")
        };
        Answer::new(404, kind, body)
    };
    for (answer, is_told) in [
        (gone(true), true),
        (gone(false), false),
        (gone(true).with("Age", "60"), false),
    ] {
        let stage = Stage::new().await;
        let account = stage.account().await;
        account.tokens(&TokenQuery::default()).await.unwrap();
        let delete = format!("DELETE /auth/tokens/{ID}");
        stage.connect.plan(&delete, Mishap::After(Fault::Close));
        let get = format!("GET /auth/tokens/{ID}");
        stage.connect.plan(&get, Mishap::Instead(answer.clone()));
        let deleted = account.delete(ID, Guard::Lifted).await;
        assert_eq!(deleted.is_ok(), is_told, "{answer:?} {deleted:?}");
    }
}

/// Its key would be refused for the look, which counts against it.
#[tokio::test]
async fn a_key_that_may_have_switched_itself_off_looks_no_more() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    account.tokens(&TokenQuery::default()).await.unwrap();
    let deactivate = format!("POST /auth/tokens/{OWN}/deactivate");
    stage.connect.plan(&deactivate, Mishap::After(Fault::Close));
    let asked = stage.sim.log().at(stage.port).len();
    let lost = account.disable(OWN, Guard::Lifted).await.unwrap_err();
    assert!(matches!(lost, TokenError::Uncertain { .. }), "{lost:?}");
    assert_eq!(stage.sim.log().at(stage.port).len(), asked + 1);
}

#[tokio::test]
async fn the_guard_is_lifted_for_those_who_were_named() {
    let stage = Stage::new().await;
    let url = stage.url.replace("127.0.0.1", "localhost");
    let url = format!("{url}/public/v1");
    let mut alias = Connection::new(name("alias"), ServiceId::connect(), &url);
    OWN.clone_into(&mut alias.username);
    stage
        .core()
        .await
        .save(ConnectionEdit::new(alias))
        .await
        .unwrap();
    let account = stage.account().await;
    let named = vec![name("market"), name("copy")];
    let refused = account.disable(OWN, Guard::Agreed(named.clone())).await;
    let Err(TokenError::KeyInUse { names, .. }) = refused else {
        panic!("the same service by another host: {refused:?}");
    };
    assert_eq!(names.len(), 3, "{names:?}");
    account.disable(OWN, Guard::Agreed(names)).await.unwrap();
}

#[tokio::test]
async fn a_key_that_is_not_found_again_is_not_renewed() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let core = stage.core().await;
    let other = Secret::new("entered meanwhile");
    let market = name("market");
    let set = core.set_secret(&market, &HandleSlot::Key, other, None);
    set.await.unwrap();
    let refused = account.rotate(OWN, UNTIL, Guard::Lifted, &unheard).await;
    assert!(
        matches!(refused, Err(TokenError::Unheld { .. })),
        "{refused:?}"
    );
    assert_eq!(stage.asked("POST", "/rotate"), 0);
    assert_eq!(core.unfinished_renewals().await.unwrap(), []);
}

#[tokio::test]
async fn a_disabled_token_is_not_renewed_since_nothing_could_prove_it() {
    const ID: &str = "SU-500-000-000";
    let stage = Stage::new().await;
    let account = stage.account().await;
    account.disable(ID, Guard::On).await.unwrap();
    let renewed = account.renew(ID, UNTIL, Guard::On, &unheard).await;
    let rotated = account.rotate(ID, UNTIL, Guard::On, &unheard).await;
    for refused in [renewed, rotated] {
        assert!(
            matches!(refused, Err(TokenError::NotInForce { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(stage.asked("POST", "/renew"), 0);
    assert_eq!(stage.asked("POST", "/rotate"), 0);
}

#[tokio::test]
async fn a_secret_that_no_connection_keeps_is_handed_out_where_the_service_does_not_show_it() {
    const ID: &str = "SU-500-000-000";
    let stage = Stage::new().await;
    let account = stage.account().await;
    let rotated = account.rotate(ID, UNTIL, Guard::On, &unheard).await;
    assert_eq!(rotated.unwrap().updated, [], "the service shows it");
    let connect = stage.connect.clone();
    let progress = move |step| {
        if step == RenewalStep::Kept {
            connect.plan(&format!("GET /auth/tokens/{ID}"), Mishap::throttled(None));
        }
    };
    let rotated = account.rotate(ID, UNTIL, Guard::On, &progress).await;
    let Err(TokenError::NotKept { secret, .. }) = rotated else {
        panic!("{rotated:?}");
    };
    let row = stage.connect.token_row(ID).unwrap();
    assert_eq!(secret, Secret::new(row["token"].as_str().unwrap()));
    let unfinished = stage.core().await.unfinished_renewals().await;
    assert_eq!(unfinished.unwrap(), []);
}

#[tokio::test]
async fn a_program_s_words_are_told_apart_in_a_renewal() {
    let stage = Stage::new().await;
    let row = stage.connect.token_row(OWN).unwrap();
    let print = format!("echo {}", row["token"].as_str().unwrap());
    let core = stage.core().await;
    let mut connection = core.connection(&name("market")).await.unwrap();
    let words = ["/bin/sh", "-c", &print].map(str::to_owned).to_vec();
    connection.key = Some(SecretRef::Cmd(words));
    let draft = ConnectionEdit {
        replaces: Some(name("market")),
        ..ConnectionEdit::new(connection)
    };
    core.save(draft).await.unwrap();
    let account = core.account(&name("market")).await.unwrap();
    let renewed = account
        .renew(OWN, UNTIL, Guard::On, &unheard)
        .await
        .unwrap();
    assert_eq!(renewed.updated, [name("market"), name("copy")]);
    let after = core.connection(&name("market")).await.unwrap();
    assert!(
        matches!(after.key, Some(SecretRef::Vault(_))),
        "{:?}",
        after.key
    );
    stage.all_is_well().await;
}

#[tokio::test]
async fn a_key_that_was_entered_meanwhile_stays_and_is_told() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let killed = killed(async move {
        let progress = |step| assert!(step != RenewalStep::Kept, "killed");
        account
            .renew(OWN, UNTIL, Guard::On, &progress)
            .await
            .map(drop)
    });
    assert!(killed.await);
    let core = stage.core().await;
    let other = Secret::new("entered meanwhile");
    let market = name("market");
    let set = core.set_secret(&market, &HandleSlot::Key, other, None);
    set.await.unwrap();
    let (_, ended) = core
        .resume_renewals_of(&[name("copy")])
        .await
        .unwrap()
        .remove(0);
    let renewed = ended.unwrap();
    assert_eq!(renewed.updated, [name("copy")]);
    assert_eq!(renewed.unread[0].connection, name("market"));
    let now = core
        .handle(&name("market"), &HandleSlot::Key)
        .await
        .unwrap();
    let expected = Secret::new(format!("ApiKey {OWN}:entered meanwhile"));
    assert_eq!(now.secret(), &expected);
    let entries = stage.entries().await;
    assert_eq!(entries.len(), 2, "no place for the other one: {entries:?}");
}

#[tokio::test]
async fn an_expiring_key_is_renewed() {
    let stage = Stage::with(Connect::expiring).await;
    let account = stage.account().await;
    let renewed = account
        .renew(OWN, UNTIL, Guard::On, &unheard)
        .await
        .unwrap();
    assert_eq!(renewed.updated, [name("market"), name("copy")]);
    stage.all_is_well().await;
}

#[tokio::test]
async fn a_refused_key_whose_askers_have_gone_is_paused() {
    let stage = Stage::new().await;
    stage.connect.revoke_after(OWN, 0);
    let control = stage.sim.control(&stage.url).unwrap().clone();
    control.hold();
    let account = stage.account().await;
    for _ in 0..2 {
        stage.ask_and_go(&account).await;
    }
    control.release();
    stage.all_answered().await;
    let problem = account.tokens(&TokenQuery::default()).await.unwrap_err();
    assert_eq!(problem.reason(), Some(Reason::AuthPaused));
    assert_eq!(stage.sim.log().keys_sent(stage.port), 2);
}

#[tokio::test]
async fn a_good_key_whose_askers_have_gone_stays_good() {
    let stage = Stage::new().await;
    let control = stage.sim.control(&stage.url).unwrap().clone();
    control.hold();
    let account = stage.account().await;
    for _ in 0..2 {
        stage.ask_and_go(&account).await;
    }
    control.release();
    stage.all_answered().await;
    account.tokens(&TokenQuery::default()).await.unwrap();
}

#[tokio::test]
async fn silence_counts_against_a_key_that_was_never_accepted_and_is_asked_once() {
    let stage = Stage::new().await;
    for _ in 0..6 {
        let silent = Mishap::Before(Fault::Close);
        stage.connect.plan("GET /auth/tokens", silent);
    }
    let account = stage.account().await;
    let mut reasons = Vec::new();
    for _ in 0..3 {
        let problem = account.tokens(&TokenQuery::default()).await.unwrap_err();
        reasons.push(problem.reason());
    }
    assert_eq!(reasons[2], Some(Reason::AuthPaused), "{reasons:?}");
    assert_eq!(stage.asked("GET", "/auth/tokens"), 2);
}

#[tokio::test]
async fn the_key_in_use_is_guarded() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    for refused in [
        account.disable(OWN, Guard::On).await.map(drop),
        account.delete(OWN, Guard::On).await,
    ] {
        assert!(
            matches!(refused, Err(TokenError::KeyInUse { .. })),
            "{refused:?}"
        );
    }
    let fields = TokenEdit {
        name: Some("renamed".into()),
        ..TokenEdit::default()
    };
    let before = account.token(OWN).await.unwrap();
    let module = before.modules()[0].to_owned();
    let revoked = difference([module.as_str()], []);
    let edited = account.edit(OWN, &fields, revoked.clone(), Guard::On).await;
    assert!(
        matches!(edited, Err(TokenError::KeyInUse { .. })),
        "{edited:?}"
    );
    let token = account.token(OWN).await.unwrap();
    assert_ne!(token.name, fields.name, "not even its name");
    assert_eq!(token.modules(), before.modules());
    let edited = account.edit(OWN, &fields, revoked, Guard::Lifted).await;
    assert_eq!(edited.unwrap().revoked, [module]);
    account.delete("SU-500-000-000", Guard::On).await.unwrap();
    let row = stage.connect.token_row("SU-500-000-000").unwrap();
    assert_eq!(row["status"], "deleted");
}

#[tokio::test]
async fn the_key_in_a_pasted_pair_is_guarded_and_one_that_can_t_be_read_too() {
    let stage = Stage::new().await;
    let id = "SU-500-000-000";
    let account = stage.account().await;
    let pasted = |label: &str| {
        let url = format!("{}/public/v1", stage.url);
        Connection::new(name(label), ServiceId::connect(), &url)
    };
    let pair = ConnectionEdit {
        key: Edit::Set(Secret::new(format!("{id}:s3cret"))),
        store: Some(StoreKind::Vault),
        ..ConnectionEdit::new(pasted("pair"))
    };
    account.core.save(pair).await.unwrap();
    let guarded = account.delete(id, Guard::On).await.unwrap_err();
    let words = "SU-500-000-000 is the key that pair runs on: deleting it would cut it off";
    assert_eq!(guarded.to_string(), words);
    account
        .guard("SU-500-000-001", "deleting", Guard::On)
        .await
        .unwrap();

    let mut hidden = pasted("hidden");
    hidden.key = Some(SecretRef::Env("NOT_SET".to_owned()));
    account
        .core
        .save(ConnectionEdit::new(hidden))
        .await
        .unwrap();
    let guarded = account.disable(id, Guard::On).await.unwrap_err();
    let words = "runs on, and may be the key of hidden, which can't be read: disabling";
    assert!(guarded.to_string().contains(words), "{guarded}");
}

#[tokio::test]
async fn a_token_whose_modules_failed_is_told_and_finished() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let new = NewToken {
        name: "for reports".into(),
        extension: "EXT-002".into(),
        ..NewToken::default()
    };
    let modules = ["MD-0001", "MD-0003"].map(str::to_owned);
    stage
        .connect
        .plan("POST /auth/tokens/SU-900", Mishap::Before(Fault::Reset));
    let created = account.create(&new, &modules).await.unwrap();
    assert_eq!(created.missing, modules);
    assert!(created.problem.is_some());
    let done = account
        .grant_all(&created.id, &created.missing)
        .await
        .unwrap();
    assert_eq!((done.granted.len(), done.left.is_empty()), (2, true));
    let again = account.create(&new, &[]).await.unwrap_err();
    assert!(again.to_string().contains("exists"), "{again}");
}

#[tokio::test]
async fn a_lost_creation_is_found_again() {
    let stage = Stage::new().await;
    stage
        .connect
        .plan("POST /auth/tokens", Mishap::After(Fault::Close));
    let new = NewToken {
        name: "once".into(),
        extension: "EXT-000".into(),
        ..NewToken::default()
    };
    let created = stage.account().await.create(&new, &[]).await.unwrap();
    assert_eq!(created.token.id, Some(created.id));
    assert_eq!(stage.asked("POST", "/auth/tokens"), 1);
}

#[tokio::test]
async fn a_creation_answered_without_an_id_is_looked_up() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let new = NewToken {
        name: "once".into(),
        extension: "EXT-000".into(),
        ..NewToken::default()
    };
    let modules = ["MD-0001".to_owned()];
    let empty = || Mishap::Instead(crate::sim::Answer::new(201, "application/json", ""));
    stage.connect.plan("POST /auth/tokens", empty());
    let problem = account.create(&new, &modules).await.unwrap_err();
    assert!(problem.to_string().contains("which token"), "{problem}");
    let made = account.create(&new, &[]).await.unwrap();
    stage.connect.plan("POST /auth/tokens", empty());
    let found = account.create(&new, &modules).await.unwrap();
    assert_eq!((found.id, found.granted), (made.id, modules.to_vec()));
}

#[tokio::test]
async fn an_edit_sends_what_differs() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let id = "SU-500-000-000";
    let edit = TokenEdit {
        name: Some("renamed".into()),
        ..TokenEdit::default()
    };
    let wanted = difference(["MD-0001"], ["MD-0002", "MD-0003"]);
    assert_eq!(wanted.revoke, ["MD-0001"]);
    let edited = account.edit(id, &edit, wanted, Guard::On).await.unwrap();
    assert!(edited.fields && edited.problem.is_none() && edited.left.is_empty());
    let token = account.token(id).await.unwrap();
    assert_eq!(token.name.as_deref(), Some("renamed"));
    assert_eq!(token.modules(), ["MD-0002", "MD-0003"]);
}

#[tokio::test]
async fn a_dead_key_is_not_sent_again_and_again() {
    let stage = Stage::new().await;
    stage.connect.revoke_after(OWN, 0);
    let mut sent = Vec::new();
    for _ in 0..4 {
        let problem = stage
            .core()
            .await
            .tokens(&name("market"), &TokenQuery::default())
            .await
            .unwrap_err();
        sent.push(problem.reason());
    }
    let rejected = Some(Reason::CredentialsRejected);
    let paused = Some(Reason::AuthPaused);
    assert_eq!(sent, [rejected, rejected, paused, paused]);
    assert_eq!(stage.sim.log().keys_sent(stage.port), 2);
}

fn kept_401() -> Answer {
    let body = serde_json::json!({ "error_code": "AUTH_001", "errors": ["Not you."] });
    Answer::json(401, &body).with("Age", "5")
}

#[tokio::test]
async fn a_401_out_of_a_cache_is_booked_as_that_of_a_probe() {
    for was_accepted in [false, true] {
        let stage = Stage::new().await;
        let account = stage.account().await;
        let tokens = async || account.tokens(&TokenQuery::default()).await;
        if was_accepted {
            tokens().await.unwrap();
        }
        for _ in 0..2 {
            stage
                .connect
                .plan("GET /auth/tokens", Mishap::Instead(kept_401()));
            let problem = tokens().await.unwrap_err();
            assert_eq!(problem.reason(), Some(Reason::UnexpectedStatus));
            assert!(
                problem.to_string().contains("a cache had kept"),
                "{problem}"
            );
        }
        let host = HostPort::of(&stage.url.parse().unwrap());
        let record = account.core.0.state().unwrap().budget(&host).unwrap();
        let ends: Vec<_> = record.attempts.iter().map(|booked| booked.end).collect();
        assert_eq!(ends, [AttemptEnd::Kept; 2], "{was_accepted}");
        assert!(record.paused.is_empty(), "the key may be as good as ever");
        let problem = tokens().await.unwrap_err();
        assert_eq!(problem.reason(), Some(Reason::AuthPaused));
    }
}

#[tokio::test]
async fn after_a_401_out_of_a_cache_each_attempt_is_booked_before() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let tokens = async || account.tokens(&TokenQuery::default()).await;
    tokens().await.unwrap();
    for mishap in [Mishap::Instead(kept_401()), Mishap::Before(Fault::Close)] {
        stage.connect.plan("GET /auth/tokens", mishap);
        tokens().await.unwrap_err();
    }
    let host = HostPort::of(&stage.url.parse().unwrap());
    let record = account.core.0.state().unwrap().budget(&host).unwrap();
    let ends: Vec<_> = record.attempts.iter().map(|booked| booked.end).collect();
    // Silence counts as a rejection, as long as nothing shows that the key is accepted.
    assert_eq!(ends, [AttemptEnd::Kept, AttemptEnd::Rejected]);
}

#[tokio::test]
async fn an_answer_out_of_a_cache_is_no_proof_of_the_key() {
    let refused = serde_json::json!({ "error_code": "AUTH_001", "errors": ["Not you."] });
    let rows = Answer::json(200, &serde_json::json!([]));
    let stranger = Answer::json(502, &serde_json::json!({}));
    for answer in [rows, Answer::json(403, &refused), stranger] {
        let stage = Stage::new().await;
        let account = stage.account().await;
        for answer in [Answer::json(401, &refused), answer.with("Age", "5")] {
            stage
                .connect
                .plan("GET /auth/tokens", Mishap::Instead(answer));
            let told = account.tokens(&TokenQuery::default()).await;
            let reason = told.as_ref().err().and_then(TokenError::reason);
            assert_ne!(reason, Some(Reason::PermissionMissing), "{told:?}");
        }
        let host = HostPort::of(&stage.url.parse().unwrap());
        let record = account.core.0.state().unwrap().budget(&host).unwrap();
        let ends: Vec<_> = record.attempts.iter().map(|booked| booked.end).collect();
        assert_eq!(ends, [AttemptEnd::Rejected, AttemptEnd::Kept]);
        let problem = account.tokens(&TokenQuery::default()).await.unwrap_err();
        assert_eq!(problem.reason(), Some(Reason::AuthPaused));
    }
}

#[tokio::test]
async fn a_gateway_that_answers_first_makes_no_proof_of_a_cached_answer() {
    let stage = Stage::new().await;
    let base = crate::domain::Endpoint::parse(&format!("{}/public/v1", stage.url)).unwrap();
    let route = crate::tokens::Route {
        pause: std::time::Duration::ZERO,
        ..crate::tokens::Route::default()
    };
    let (id, secret) = stage.sim.connect_pair();
    let key = Secret::new(secret.as_str());
    let client = crate::tokens::TokenClient::new(&base, &id, &key, &route).unwrap();
    let body = serde_json::json!([]);
    for answer in [
        Answer::json(502, &body),
        Answer::json(200, &body).with("Age", "5"),
    ] {
        stage
            .connect
            .plan("GET /auth/tokens", Mishap::Instead(answer));
    }
    let one = client.afresh();
    one.tokens(&TokenQuery::default()).await.unwrap();
    assert_eq!(stage.asked("GET", "/auth/tokens"), 2);
    assert!(!one.was_taken());
    let two = client.afresh();
    two.tokens(&TokenQuery::default()).await.unwrap();
    assert!(two.was_taken(), "the service itself took it");
}

#[tokio::test]
async fn an_answer_whose_status_nobody_read_counts_as_silence() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let long = Answer::json(401, &serde_json::json!({})).with("X-Long", &"a".repeat(600_000));
    stage
        .connect
        .plan("GET /auth/tokens", Mishap::Instead(long));
    let problem = account.tokens(&TokenQuery::default()).await.unwrap_err();
    assert_eq!(problem.reason(), Some(Reason::NotHttp), "{problem}");
    let host = HostPort::of(&stage.url.parse().unwrap());
    let record = account.core.0.state().unwrap().budget(&host).unwrap();
    let ends: Vec<_> = record.attempts.iter().map(|booked| booked.end).collect();
    assert_eq!(ends, [AttemptEnd::Rejected]);
}

#[tokio::test]
async fn a_key_that_may_not_names_the_module() {
    let stage = Stage::with(|connect| connect.with_access(Access::NoTokens)).await;
    let problem = stage
        .account()
        .await
        .tokens(&TokenQuery::default())
        .await
        .unwrap_err();
    assert_eq!(problem.reason(), Some(Reason::PermissionMissing));
    assert!(
        problem.to_string().contains("module Integrations"),
        "{problem}"
    );
    assert_eq!(problem.exit_code(), 1);
}

#[tokio::test]
async fn a_failing_service_that_names_a_time_is_left_alone_by_later_commands() {
    for accepted in [false, true] {
        let stage = Stage::new().await;
        let account = stage.account().await;
        let query = TokenQuery::default();
        if accepted {
            account.tokens(&query).await.unwrap();
        }
        let later = Answer::new(503, "text/plain", "").with("Retry-After", "120");
        stage
            .connect
            .plan("GET /auth/tokens", Mishap::Instead(later));
        let problem = account.tokens(&query).await.unwrap_err();
        assert_eq!(problem.reason(), Some(Reason::GatewayDown));
        let asked = stage.sim.log().at(stage.port).len();
        let held_back = stage.account().await.tokens(&query).await;
        assert!(
            matches!(held_back, Err(TokenError::Paused { until: Some(_), .. })),
            "{accepted}: {held_back:?}"
        );
        assert_eq!(stage.sim.log().at(stage.port).len(), asked);
    }
}

#[tokio::test]
async fn a_large_account_is_paged() {
    let mut sim = Sim::bare(SimSettings::default()).unwrap();
    let connect = Connect::new(OWN, "s3cret", 25_000).with_pages_of(50);
    let stand = sim.serve(Behaviour::Connect(connect)).unwrap();
    let base = crate::domain::Endpoint::parse(&format!("{}/public/v1", stand.url)).unwrap();
    let route = crate::tokens::Route::default();
    let key = Secret::new("s3cret");
    let client = crate::tokens::TokenClient::new(&base, OWN, &key, &route).unwrap();
    let first = client.tokens(&TokenQuery::default()).await.unwrap();
    assert_eq!((first.rows.len(), first.total), (50, Some(25_001)));
    assert_eq!(first.next_offset(), Some(50), "the server has cut the page");
    assert_eq!(
        sim.log().at(stand.port).len(),
        1,
        "one request for the first page"
    );
}

#[tokio::test]
async fn modules_that_could_not_be_read_are_not_called_untold() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let at = format!("GET /auth/tokens/{OWN}");
    let bare = serde_json::json!({ "id": OWN, "name": "Switchboard", "status": "active" });
    let refused = serde_json::json!({ "error_code": "AUTH_002", "errors": ["Not for you."] });
    let plan = |at: &str, status, body| {
        let answer = Answer::json(status, body);
        stage.connect.plan(at, Mishap::Instead(answer));
    };
    plan(&at, 200, &bare);
    plan(&format!("{at}/permissions"), 403, &refused);
    let whole = account.whole_token(OWN).await.unwrap();
    assert_eq!(whole.token.permissions, None);
    let why = crate::domain::error_chain(&whole.unread.unwrap());
    assert!(why.contains("Not for you."), "{why}");
    plan(&at, 200, &bare);
    let whole = account.whole_token(OWN).await.unwrap();
    assert!(whole.unread.is_none(), "{:?}", whole.unread);
    assert!(whole.token.permissions.is_some());
}

#[test]
fn what_can_t_be_booked_has_the_reason_that_a_probe_gives_it() {
    let unbooked = TokenError::Unbooked(Cause::new("the disk is full"));
    assert_eq!(unbooked.reason(), Some(Reason::SecretUnavailable));
}

/// What the service says of a secret that it does not take.
fn refused() -> Mishap {
    let body = serde_json::json!({ "error_code": "AUTH_001", "errors": ["Not you."] });
    Mishap::Instead(Answer::json(401, &body))
}

#[tokio::test]
async fn a_renewed_secret_takes_the_place_of_the_old_one_in_the_vault() {
    let stage = Stage::new().await;
    assert_eq!(stage.entries().await, ["copy/key", "market/key"]);
    let account = stage.account().await;
    let renewed = account.renew(OWN, UNTIL, Guard::On, &unheard).await;
    assert!(renewed.unwrap().left_behind.is_empty());
    assert_eq!(stage.entries().await, ["copy/key-2", "market/key-2"]);
}

#[tokio::test]
async fn a_new_secret_that_is_refused_leaves_all_as_it_was() {
    // Before any connection names it, and once all of them do.
    for last in [RenewalStep::Kept, RenewalStep::Switched] {
        let stage = Stage::new().await;
        let account = stage.account().await;
        let connect = stage.connect.clone();
        let progress = move |step| {
            if step == last {
                connect.plan("GET /accounts", refused());
            }
        };
        let ended = account.renew(OWN, UNTIL, Guard::On, &progress).await;
        assert!(
            matches!(ended, Err(TokenError::SteppedBack { .. })),
            "{last:?}: {ended:?}"
        );
        let core = stage.core().await;
        for label in ["market", "copy"] {
            let key = core.connection(&name(label)).await.unwrap().key;
            assert_eq!(key, Some(SecretRef::Vault(format!("{label}/key"))));
        }
        assert_eq!(stage.entries().await, ["copy/key", "market/key"]);
        assert_eq!(core.unfinished_renewals().await.unwrap(), []);
        stage.both_are_up().await;
    }
}

/// The secret of before is dead by then, whatever becomes of the new one.
#[tokio::test]
async fn nobody_steps_back_to_a_secret_that_is_dead() {
    for action in [RenewalAction::Rotate, RenewalAction::Renew] {
        let stage = Stage::new().await;
        if action == RenewalAction::Renew {
            let account = stage.account().await;
            let first = account.renew(OWN, UNTIL, Guard::On, &unheard).await;
            first.unwrap();
        }
        let account = stage.account().await;
        stage.connect.plan("GET /accounts", refused());
        let guard = Guard::Lifted;
        let ended = match action {
            RenewalAction::Renew => account.renew(OWN, UNTIL, guard, &unheard).await,
            RenewalAction::Rotate => account.rotate(OWN, UNTIL, guard, &unheard).await,
        };
        assert!(
            matches!(ended, Err(TokenError::Unproven { .. })),
            "{action:?}: {ended:?}"
        );
        let core = stage.core().await;
        let ended = core.resume_renewals_of(&[name("market")]).await.unwrap();
        assert!(
            matches!(ended.as_slice(), [(_, Ok(_))]),
            "{action:?}: {ended:?}"
        );
        stage.both_are_up().await;
    }
}

#[tokio::test]
async fn the_secret_of_an_earlier_renewal_is_not_taken_for_the_new_one() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let first = account.renew(OWN, UNTIL, Guard::On, &unheard).await;
    first.unwrap();
    let at = format!("POST /auth/tokens/{OWN}/renew");
    stage.connect.plan(&at, Mishap::Before(Fault::Close));
    let account = stage.account().await;
    let second = account.renew(OWN, UNTIL, Guard::Lifted, &unheard).await;
    let Err(undecided @ TokenError::Undecided { .. }) = second else {
        panic!("{second:?}");
    };
    let said = undecided.to_string();
    assert!(said.contains("dead if it happened"), "{said}");
    stage.both_are_up().await;
}

/// A connection that runs on the renewed secret, which another renewal has killed before its answer was lost: the
/// first secret is kept until the outcome is known, and finds the new one.
#[tokio::test]
async fn a_further_renewal_whose_answer_was_lost_is_looked_up_with_the_first_secret() {
    for lost in [Mishap::After(Fault::Close), Mishap::After(Fault::Reset)] {
        let stage = Stage::new().await;
        let account = stage.account().await;
        let first = account.renew(OWN, UNTIL, Guard::On, &unheard).await;
        first.unwrap();
        let entries = stage.entries().await;
        let at = format!("POST /auth/tokens/{OWN}/renew");
        stage.connect.plan(&at, lost);
        let account = stage.account().await;
        let again = account.renew(OWN, UNTIL, Guard::On, &unheard).await;
        let Err(TokenError::RenewedAlready { names, .. }) = again else {
            panic!("{again:?}");
        };
        assert_eq!(names, [name("market"), name("copy")]);
        let renewed = account.renew(OWN, UNTIL, Guard::Lifted, &unheard).await;
        assert_eq!(renewed.unwrap().updated, [name("market"), name("copy")]);
        assert_eq!(stage.entries().await.len(), entries.len(), "no first one");
        stage.both_are_up().await;
    }
}

/// The same where that program was killed on the way: the first secret is still there.
#[tokio::test]
async fn killed_before_its_answer_a_further_renewal_is_gone_on_with() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let first = account.renew(OWN, UNTIL, Guard::On, &unheard).await;
    first.unwrap();
    let account = stage.account().await;
    let killed = killed(async move {
        let progress = |step| assert!(step != RenewalStep::Answered, "killed");
        let renewed = account.renew(OWN, UNTIL, Guard::Lifted, &progress).await;
        renewed.map(drop)
    });
    assert!(killed.await);
    let core = stage.core().await;
    let ended = core.resume_renewals_of(&[name("market")]).await.unwrap();
    assert!(matches!(ended.as_slice(), [(_, Ok(_))]), "{ended:?}");
    stage.both_are_up().await;
}

/// Nothing that is kept here is accepted: that is said, and how to go on, also once the key is paused.
#[tokio::test]
async fn a_renewal_that_took_every_secret_says_so_and_where_the_new_one_is() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let first = account.renew(OWN, UNTIL, Guard::On, &unheard).await;
    first.unwrap();
    let account = stage.account().await;
    let at = format!("/auth/tokens/{OWN}");
    let lost = Mishap::After(Fault::Close);
    stage.connect.plan(&format!("POST {at}/renew"), lost);
    let deaf = |step| {
        if step == RenewalStep::WrittenDown {
            for _ in 0..8 {
                stage.connect.plan(&format!("GET {at}"), refused());
            }
        }
    };
    let renewed = account.renew(OWN, UNTIL, Guard::Lifted, &deaf).await;
    let mut problem = renewed.unwrap_err();
    for _ in 0..3 {
        assert!(matches!(problem, TokenError::Lost { .. }), "{problem:?}");
        let said = problem.to_string();
        for label in ["market", "copy"] {
            let command = format!("`switchboard secret set {label}`");
            assert!(said.contains(&command), "{said}");
        }
        assert!(!said.contains("works"), "{said}");
        let core = stage.core().await;
        let ended = core.resume_renewals_of(&[name("market")]).await.unwrap();
        let [(_, Err(_))] = ended.as_slice() else {
            panic!("{ended:?}");
        };
        problem = ended.into_iter().next().unwrap().1.unwrap_err();
    }
}

#[tokio::test]
async fn a_service_that_shows_no_secret_ends_no_renewal_as_one_that_never_happened() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let at = format!("/auth/tokens/{OWN}");
    let lost = Mishap::After(Fault::Close);
    stage.connect.plan(&format!("POST {at}/renew"), lost);
    let mut row = stage.connect.token_row(OWN).unwrap();
    for field in ["token", "renewed_token"] {
        row.as_object_mut().unwrap().remove(field);
    }
    let plan = || {
        let shown = Mishap::Instead(Answer::json(200, &row));
        stage.connect.plan(&format!("GET {at}"), shown);
    };
    let progress = |step| {
        if step == RenewalStep::WrittenDown {
            plan();
        }
    };
    let asked = account.renew(OWN, UNTIL, Guard::On, &progress).await;
    let is_open = matches!(asked, Err(TokenError::Undecided { .. }));
    assert!(is_open, "{asked:?}");
    let mut record = account.under_way(OWN).await.unwrap().unwrap();
    record.began -= jiff::SignedDuration::from_hours(1);
    let earlier = account
        .core
        .journal(move |state| state.put_renewal(&record));
    earlier.await.unwrap();

    plan();
    let core = stage.core().await;
    let ended = core.resume_renewals_of(&[name("market")]).await.unwrap();
    assert!(
        matches!(ended.as_slice(), [(_, Err(TokenError::Undecided { .. }))]),
        "{ended:?}"
    );
    let ended = core.resume_renewals_of(&[name("market")]).await.unwrap();
    assert!(matches!(ended.as_slice(), [(_, Ok(_))]), "{ended:?}");
    stage.all_is_well().await;
}

/// Nobody names it any more, and with the old one nobody can look it up.
#[tokio::test]
async fn a_rotated_secret_whose_connections_have_gone_is_handed_out() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let folders = account.core.0.folders.as_ref().unwrap();
    let file = folders.configuration.clone();
    let progress = |step| {
        if step == RenewalStep::Switched {
            let whole = std::fs::read_to_string(&file).unwrap();
            let (settings, _) = whole.split_once("[[connection]]").unwrap();
            std::fs::write(&file, settings).unwrap();
        }
    };
    let rotated = account.rotate(OWN, UNTIL, Guard::Lifted, &progress).await;
    let Err(TokenError::NotKept { secret, .. }) = rotated else {
        panic!("{rotated:?}");
    };
    let row = stage.connect.token_row(OWN).unwrap();
    assert_eq!(secret, Secret::new(row["token"].as_str().unwrap()));
}

/// Else a program that goes on would not know what it left where.
#[tokio::test]
async fn a_renewed_secret_is_put_nowhere_that_is_not_written_down() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let folders = account.core.0.folders.as_ref().unwrap();
    let file = folders.state.join(crate::store::state::FILE);
    let away = folders.state.join("away");
    let progress = |step| {
        if step == RenewalStep::Answered {
            std::fs::rename(&file, &away).unwrap();
        }
    };
    let ended = account.renew(OWN, UNTIL, Guard::On, &progress).await;
    assert!(matches!(ended, Err(TokenError::Work(_))), "{ended:?}");
    assert_eq!(stage.entries().await, ["copy/key", "market/key"]);
    std::fs::rename(&away, &file).unwrap();
    let core = stage.core().await;
    let ended = core.resume_renewals_of(&[name("market")]).await.unwrap();
    assert!(matches!(ended.as_slice(), [(_, Ok(_))]), "{ended:?}");
    assert_eq!(stage.asked("POST", "/renew"), 1);
    stage.all_is_well().await;
}

#[tokio::test]
async fn a_pair_that_is_kept_whole_is_renewed_whole() {
    let stage = Stage::new().await;
    let (id, secret) = stage.sim.connect_pair();
    let core = stage.core().await;
    for label in ["market", "copy"] {
        core.remove(&name(label)).await.unwrap();
    }
    let url = format!("{}/public/v1", stage.url);
    let draft = ConnectionEdit {
        key: Edit::Set(Secret::new(format!("{id}:{secret}"))),
        store: Some(StoreKind::Vault),
        ..ConnectionEdit::new(Connection::new(name("pair"), ServiceId::connect(), &url))
    };
    core.save(draft).await.unwrap();
    let account = core.account(&name("pair")).await.unwrap();
    let renewed = account.renew(OWN, UNTIL, Guard::On, &unheard).await;
    assert_eq!(renewed.unwrap().updated, [name("pair")]);
    stage.connect.let_expire(OWN);
    let core = stage.core().await;
    let verdict = core
        .probe_saved(&name("pair"), Trigger::Asked, &silent)
        .await;
    assert_eq!(verdict.state(), State::Ok, "{verdict:?}");
}

#[tokio::test]
async fn nothing_is_rotated_for_a_vault_that_can_t_be_written() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let lock = account.core.0.vault.lock_path();
    let _ = std::fs::remove_file(&lock);
    std::fs::create_dir(&lock).unwrap();
    let refused = account.rotate(OWN, UNTIL, Guard::Lifted, &unheard).await;
    let problem = crate::domain::error_chain(&refused.unwrap_err());
    assert!(
        problem.contains("nothing was asked of the service"),
        "{problem}"
    );
    assert_eq!(stage.asked("POST", "/rotate"), 0);
    let unfinished = stage.core().await.unfinished_renewals().await;
    assert_eq!(unfinished.unwrap(), []);
}

/// Each value is bound to the host that it was entered for.
#[tokio::test]
async fn holders_of_one_value_at_two_hosts_get_a_place_each() {
    let stage = Stage::new().await;
    let (_, secret) = stage.sim.connect_pair();
    let core = stage.home.core_with(&[("SHARED", secret.as_str())]);
    let there = stage.url.replace("127.0.0.1", "localhost");
    for (label, url) in [("here", &stage.url), ("there", &there)] {
        let url = format!("{url}/public/v1");
        let mut connection = Connection::new(name(label), ServiceId::connect(), &url);
        OWN.clone_into(&mut connection.username);
        connection.key = Some(SecretRef::Env("SHARED".into()));
        core.save(ConnectionEdit::new(connection)).await.unwrap();
    }
    core.unlock(passphrase()).await.unwrap();
    let account = core.account(&name("here")).await.unwrap();
    let renewed = account.renew(OWN, UNTIL, Guard::On, &unheard).await;
    let updated = ["market", "copy", "here", "there"].map(name);
    assert_eq!(renewed.unwrap().updated, updated);
    let mut places = Vec::new();
    for label in ["here", "there"] {
        let verdict = core
            .probe_saved(&name(label), Trigger::Asked, &silent)
            .await;
        assert_eq!(verdict.state(), State::Ok, "{label}: {verdict:?}");
        places.push(core.connection(&name(label)).await.unwrap().key);
    }
    assert_ne!(places[0], places[1]);
}

#[tokio::test]
async fn a_connection_with_another_secret_under_the_id_is_left_alone() {
    let stage = Stage::new().await;
    let core = stage.core().await;
    let url = format!("{}/public/v1", stage.url);
    let mut other = Connection::new(name("other"), ServiceId::connect(), &url);
    OWN.clone_into(&mut other.username);
    let draft = ConnectionEdit {
        key: Edit::Set(Secret::new("of another account")),
        store: Some(StoreKind::Vault),
        ..ConnectionEdit::new(other)
    };
    core.save(draft).await.unwrap();
    let account = core.account(&name("market")).await.unwrap();
    let renewed = account.renew(OWN, UNTIL, Guard::On, &unheard).await;
    assert_eq!(renewed.unwrap().updated, [name("market"), name("copy")]);
    let kept = core.connection(&name("other")).await.unwrap().key;
    assert_eq!(kept, Some(SecretRef::Vault("other/key".to_owned())));
}

/// They would go on with a secret that ends, and nobody would have said so.
#[tokio::test]
async fn a_renewal_waits_for_the_vault_whose_connections_may_hold_the_secret() {
    let stage = Stage::new().await;
    let (_, secret) = stage.sim.connect_pair();
    let core = stage.home.core();
    let url = format!("{}/public/v1", stage.url);
    let mut entered = Connection::new(name("entered"), ServiceId::connect(), &url);
    OWN.clone_into(&mut entered.username);
    let draft = ConnectionEdit {
        key: Edit::Set(Secret::new(secret)),
        store: Some(StoreKind::Ask),
        ..ConnectionEdit::new(entered)
    };
    core.save(draft).await.unwrap();
    let account = core.account(&name("entered")).await.unwrap();
    let refused = account.renew(OWN, UNTIL, Guard::On, &unheard).await;
    assert!(
        matches!(
            refused,
            Err(TokenError::Work(WorkError::PassphraseNeeded(_)))
        ),
        "{refused:?}"
    );
    assert_eq!(stage.asked("POST", "/renew"), 0);
    core.unlock(passphrase()).await.unwrap();
    let renewed = account.renew(OWN, UNTIL, Guard::On, &unheard).await;
    assert_eq!(renewed.unwrap().updated.len(), 3);
    stage.all_is_well().await;
}

#[tokio::test]
async fn nothing_is_revoked_where_a_grant_failed() {
    const ID: &str = "SU-500-000-000";
    let stage = Stage::new().await;
    let account = stage.account().await;
    let grant = format!("POST /auth/tokens/{ID}/permissions");
    stage.connect.plan(&grant, Mishap::failed());
    let wanted = difference(["MD-0001"], ["MD-0002"]);
    let edit = TokenEdit::default();
    let edited = account.edit(ID, &edit, wanted.clone(), Guard::On).await;
    let edited = edited.unwrap();
    assert!(edited.problem.is_some(), "{edited:?}");
    assert_eq!((edited.left, edited.revoked.len()), (wanted, 0));
    assert_eq!(stage.asked("DELETE", ""), 0);
}

#[tokio::test]
async fn a_token_is_guarded_for_the_sake_of_one_key_that_can_t_be_read() {
    const ID: &str = "SU-500-000-000";
    let stage = Stage::new().await;
    let account = stage.account().await;
    let url = format!("{}/public/v1", stage.url);
    let mut hidden = Connection::new(name("hidden"), ServiceId::connect(), &url);
    hidden.key = Some(SecretRef::Env("NOT_SET".to_owned()));
    let saved = account.core.save(ConnectionEdit::new(hidden)).await;
    saved.unwrap();
    let guarded = account.disable(ID, Guard::On).await;
    let Err(TokenError::KeyInUse { names, unread, .. }) = guarded else {
        panic!("{guarded:?}");
    };
    assert_eq!((names, unread.as_slice()), (vec![], &[name("hidden")][..]));
    account.disable(ID, Guard::Agreed(unread)).await.unwrap();
}

#[tokio::test]
async fn through_a_read_only_connection_nothing_is_changed() {
    const ID: &str = "SU-500-000-000";
    let stage = Stage::new().await;
    let core = stage.core().await;
    let mut market = core.connection(&name("market")).await.unwrap();
    market.read_only = true;
    let draft = ConnectionEdit {
        replaces: Some(name("market")),
        ..ConnectionEdit::new(market)
    };
    core.save(draft).await.unwrap();
    let account = core.account(&name("market")).await.unwrap();
    let (new, edit) = (NewToken::default(), TokenEdit::default());
    let module = ["MD-0001".to_owned()];
    let wanted = difference([], ["MD-0001"]);
    let lifted = Guard::Lifted;
    for refused in [
        account.create(&new, &[]).await.map(drop),
        account.grant_all(ID, &module).await.map(drop),
        account
            .edit(ID, &edit, wanted, lifted.clone())
            .await
            .map(drop),
        account.enable(ID).await.map(drop),
        account.disable(ID, lifted.clone()).await.map(drop),
        account.delete(ID, lifted.clone()).await,
        account
            .renew(ID, UNTIL, lifted.clone(), &unheard)
            .await
            .map(drop),
        account.rotate(ID, UNTIL, lifted, &unheard).await.map(drop),
    ] {
        assert!(
            matches!(refused, Err(TokenError::ReadOnly(_))),
            "{refused:?}"
        );
    }
    for method in ["POST", "PUT", "DELETE"] {
        assert_eq!(stage.asked(method, ""), 0, "{method}");
    }
    account.tokens(&TokenQuery::default()).await.unwrap();
}

#[tokio::test]
async fn an_account_in_use_keeps_the_quiet_that_another_program_was_asked_for() {
    let stage = Stage::new().await;
    let (account, other) = (stage.account().await, stage.account().await);
    let query = TokenQuery::default();
    account.tokens(&query).await.unwrap();
    let later = Answer::new(503, "text/plain", "").with("Retry-After", "120");
    stage
        .connect
        .plan("GET /auth/tokens", Mishap::Instead(later));
    other.tokens(&query).await.unwrap_err();
    let asked = stage.sim.log().at(stage.port).len();
    let held_back = account.tokens(&query).await;
    assert!(
        matches!(held_back, Err(TokenError::Paused { until: Some(_), .. })),
        "{held_back:?}"
    );
    assert_eq!(stage.sim.log().at(stage.port).len(), asked);
}

#[tokio::test]
async fn a_key_does_not_leave_in_the_open_unless_that_was_agreed_to() {
    let stage = Stage::new().await;
    let core = stage.home.core_with(&[("KEY", "s3cret")]);
    for (label, allow_http) in [("closed", false), ("open", true)] {
        let url = "http://market.invalid/public/v1";
        let mut connection = Connection::new(name(label), ServiceId::connect(), url);
        OWN.clone_into(&mut connection.username);
        connection.key = Some(SecretRef::Env("KEY".to_owned()));
        connection.allow_http = allow_http;
        core.save(ConnectionEdit::new(connection)).await.unwrap();
        let refused = core.account(&name(label)).await.err();
        let is_refused = matches!(
            refused,
            Some(TokenError::Api(TokenProblem::PlainHttp { .. }))
        );
        assert_eq!(is_refused, !allow_http, "{refused:?}");
    }
}
