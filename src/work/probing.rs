//! Probing: a ladder over a connection, saved or not, with what is remembered of it, ending in a verdict.

mod saved;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::OnceCell;

use super::climb;
use super::core::{Core, Inner, shared};
use super::damping::Damping;
use super::edit::Unsaved;
use super::error::WorkError;
use super::gate::{self, LockoutGate};
use super::job::{ProbeJob, RememberedAs, host_of};
use super::local::{DEFECT, local_error};
use super::preparations;
use super::record::Recorder;
use super::secrets::Trust;
use super::targets::{Probing, TargetSettings, Targets, Tell, further_threads};
use super::watch::{Watch, WatchSettings};
use crate::domain::budget::LiftedPause;
use crate::domain::{
    Checks, Connection, Endpoint, HandleSlot, Name, Origin, Reason, Secret, ServiceId, State,
    Verdict, error_chain,
};
use crate::probe::Profile;
use crate::service::{HinderedBy, Hindrance, Ladder, SecretState, Service, Subject, Trigger};

/// Told of every rung that ended, with all rungs so far.
pub type Progress<'a> = &'a (dyn Fn(&Checks) + Send + Sync);

/// Says nothing: for callers that wait for the verdict alone.
pub fn silent(_: &Checks) {}

impl Core {
    /// Probes a saved connection. Always ends in a verdict: what fails here is `local-error`.
    pub async fn probe_saved(
        &self,
        name: &Name,
        trigger: Trigger,
        progress: Progress<'_>,
    ) -> Verdict {
        // Where the configuration can't be read now, what it said last holds, as for the watch.
        let configuration = self.blocking(Inner::last_configuration).await;
        let connection = configuration.and_then(|last| shared(&last, name).map(Arc::clone));
        match connection {
            Ok(connection) => self.probe_connection(&connection, trigger, progress).await,
            Err(problem) => local_error(Some(name), &ServiceId::http(), "", &error_chain(&problem)),
        }
    }

    /// Probes a saved connection without keeping the result: the watch keeps its own.
    pub(super) async fn probe_unrecorded(
        &self,
        connection: &Connection,
        trigger: Trigger,
        progress: Progress<'_>,
    ) -> Verdict {
        let job = self.job(connection, trigger).await;
        self.run(job, progress).await
    }

    /// The same on a schedule and within a time of the caller's, which is no longer than the connection's own.
    pub async fn probe_within(&self, connection: &Connection, timeout: Duration) -> Verdict {
        let mut job = self.job(connection, Trigger::Scheduled).await;
        job.timeout = Some(timeout);
        self.run(job, &silent).await
    }

    /// Checks the shared token of a saved connection alone: the signed `Verify` call.
    pub async fn verify_saved(&self, name: &Name, progress: Progress<'_>) -> Verdict {
        let connection = match self.connection(name).await {
            Ok(connection) => connection,
            Err(problem) => {
                return local_error(Some(name), &ServiceId::blesta(), "", &error_chain(&problem));
            }
        };
        let origin = Origin::parse(&connection.url);
        let job = ProbeJob {
            key: SecretState::Absent,
            token: self
                .held(
                    &connection,
                    &HandleSlot::Token,
                    origin.as_ref(),
                    Trust::Saved,
                )
                .await,
            connection,
            known: RememberedAs::Saved,
            trigger: Trigger::Asked,
            token_only: true,
            timeout: None,
            via: None,
        };
        self.run(job, progress).await
    }

    /// The same for what arguments say: a CMS URL and a token.
    pub async fn verify_unsaved(
        &self,
        connection: Connection,
        token: Option<Secret>,
        progress: Progress<'_>,
    ) -> Verdict {
        let job = ProbeJob {
            key: SecretState::Absent,
            token: token.map_or(SecretState::Absent, SecretState::Present),
            connection,
            known: RememberedAs::Nothing,
            trigger: Trigger::Asked,
            token_only: true,
            timeout: None,
            via: None,
        };
        self.run(job, progress).await
    }

    /// Probes what stands in a form or in arguments.
    pub async fn probe_unsaved(&self, unsaved: Unsaved, progress: Progress<'_>) -> Verdict {
        let job = self.job_unsaved(unsaved).await;
        self.run(job, progress).await
    }

    /// What a probe of something unsaved begins with.
    pub(super) async fn job_unsaved(&self, unsaved: Unsaved) -> ProbeJob {
        let trust = if unsaved.origin_confirmed {
            Trust::Confirmed
        } else {
            Trust::Unsaved
        };
        let Unsaved {
            mut connection,
            trigger,
            editing,
            key_held_back,
            ..
        } = unsaved;
        self.0.make_paths_whole(&mut connection);
        let origin = Origin::parse(&connection.url);
        // A stored secret stands at the place of the connection that is being edited.
        let stored = Connection {
            name: editing.clone().unwrap_or_else(|| connection.name.clone()),
            ..connection.clone()
        };
        let mut held = [SecretState::Absent, SecretState::Absent];
        // What is not sent is not fetched either.
        if !trigger.withholds_secrets() {
            let typed = [
                (HandleSlot::Key, unsaved.key),
                (HandleSlot::Token, unsaved.token),
            ];
            for (held, (slot, typed)) in held.iter_mut().zip(typed) {
                *held = match typed {
                    Some(secret) if secret.is_empty() => SecretState::Absent,
                    Some(secret) => SecretState::Present(secret),
                    None => self.held(&stored, &slot, origin.as_ref(), trust).await,
                };
            }
        }
        let [mut key, token] = held;
        if key_held_back && matches!(key, SecretState::Absent) {
            let why =
                "it was entered for another host, and is not sent to this one unless you agree";
            key = SecretState::Unavailable(Hindrance::new(HinderedBy::Form, why));
        }
        let known = editing.map_or(RememberedAs::Nothing, RememberedAs::Edited);
        ProbeJob {
            connection,
            known,
            key,
            token,
            trigger,
            token_only: false,
            timeout: unsaved.timeout,
            via: None,
        }
    }

    /// Probes a list of URLs as service `http`; see [`super::targets::listed`] for the file. `tell` adds what is
    /// to be told of each verdict to a bundle, beside the probes that still run.
    pub fn probe_targets<B: Default + Send + 'static>(
        &self,
        urls: Vec<String>,
        settings: TargetSettings,
        tell: impl Fn(Box<Verdict>, &mut B) + Send + Sync + 'static,
    ) -> Targets<B> {
        let concurrency = settings.concurrency.min(urls.len());
        let (core, prepared) = (self.clone(), Arc::new(OnceCell::new()));
        let settings = Arc::new(settings);
        let with_tls = urls.iter().any(|url| is_https(url));
        let (preparing, making) = (core.clone(), Arc::clone(&prepared));
        let prepare = move || -> BoxFuture<'static, ()> {
            let (core, settings) = (preparing.clone(), Arc::clone(&settings));
            let prepared = Arc::clone(&making);
            Box::pin(async move {
                let made = core.prepare_targets(&settings, with_tls);
                prepared.get_or_init(|| made).await;
            })
        };
        let probe = move |url: String| -> BoxFuture<'static, Box<Verdict>> {
            let (core, prepared) = (core.clone(), Arc::clone(&prepared));
            Box::pin(async move {
                match prepared.get() {
                    Some(Ok(prepared)) => core.probe_target(&url, prepared).await,
                    Some(Err(problem)) => Box::new(unprobed(&url, &error_chain(problem))),
                    None => Box::new(unprobed(&url, DEFECT)),
                }
            })
        };
        let probing = Probing {
            prepare: Arc::new(prepare),
            probe: Arc::new(probe),
        };
        let tell: Tell<B> = Arc::new(tell);
        Targets::new(
            &probing,
            &tell,
            urls,
            concurrency,
            further_threads(concurrency),
        )
    }

    /// Watches these connections, or all. The watch works while its `next` is awaited.
    pub async fn watch(
        &self,
        names: Option<&[Name]>,
        mut settings: WatchSettings,
    ) -> Result<Watch, WorkError> {
        // One that was paused a moment ago has results on their way to the disk.
        self.settle_history().await;
        let names = names.map(<[Name]>::to_vec);
        let read = self.blocking_bare(move |inner| {
            let configuration = inner.configuration()?;
            let connections = match &names {
                None => configuration.connections.clone(),
                Some(names) => {
                    let look_up = |name| shared(&configuration, name).map(Arc::clone);
                    names.iter().map(look_up).collect::<Result<_, _>>()?
                }
            };
            let announced = inner.announced(&connections);
            Ok((configuration, connections, announced))
        });
        let (configuration, connections, announced) = read.await?;
        settings
            .maintenance
            .clone_from(&configuration.settings.maintenance);
        settings.default_interval = Duration::from_secs(configuration.settings.interval_s.into());
        let core = self.clone();
        let probe = move |connection: Arc<Connection>| -> BoxFuture<'static, Verdict> {
            let core = core.clone();
            Box::pin(async move {
                core.probe_unrecorded(&connection, Trigger::Scheduled, &silent)
                    .await
            })
        };
        let recorder = Recorder::new(self.clone(), configuration.settings.on_change.clone());
        let core = self.clone();
        let watch = Watch::new(Arc::new(probe), connections, settings).silent_while(Arc::new(
            move |connection| {
                let core = core.clone();
                Box::pin(async move {
                    core.locks_away(&connection).await || !core.is_saved(&connection.name).await
                })
            },
        ));
        Ok(watch.recording(recorder, announced))
    }

    /// Why nothing can be remembered or looked up of earlier runs, where that is so: results, budgets, origins.
    pub async fn state_problem(&self) -> Option<String> {
        let _turn = self.0.state.turn().await;
        let opened = self.blocking_bare(|inner| inner.state().map(drop));
        opened.await.err().map(|problem| error_chain(&problem))
    }

    /// Takes the company or account that the connection's key belongs to now for the one that is meant: the
    /// next success pins it. Says whether another one was pinned.
    pub async fn accept_identity(&self, name: &Name) -> Result<bool, WorkError> {
        let Connection { name, url, .. } = self.connection(name).await?;
        self.blocking(move |inner| {
            let state = inner.state()?;
            state
                .update_past(&name, &url, |record| record.identity.take().is_some())
                .map_err(|problem| WorkError::failed("forgetting the account", problem))
        })
        .await
    }

    /// Lifts the pause of the connection's key at its host, and that of all keys there. Says which, where
    /// there was one. The key must be at hand: it is by its digest that the budget knows it.
    pub async fn resume(&self, name: &Name) -> Result<Option<LiftedPause>, WorkError> {
        let connection = self.connection(name).await?;
        let key = self.secret(&connection, &HandleSlot::Key).await?;
        self.resume_key(&connection, key).await
    }

    /// Until when the connection's host itself asked for quiet: that stays, whatever is resumed.
    pub async fn quiet_until(&self, name: &Name) -> Option<Timestamp> {
        let connection = self.connection(name).await.ok()?;
        let host = host_of(&connection.url)?;
        let asked = self.blocking(move |inner| {
            let state = inner.state()?;
            Ok(gate::quiet_until(&state, &host))
        });
        asked.await.ok().flatten()
    }

    /// The same for a connection that is not saved, or not so. The pair is looked up as it is sent: a key may be kept
    /// with its user name, or with what people copy around it.
    pub async fn resume_key(
        &self,
        connection: &Connection,
        key: Secret,
    ) -> Result<Option<LiftedPause>, WorkError> {
        let Some(host) = host_of(&connection.url) else {
            return Ok(None);
        };
        let (username, key) = self.pair_of(connection, &key).await?;
        self.blocking(move |inner| {
            let state = inner.state()?;
            let key = state.fingerprint(&username, &key);
            gate::resume(&state, &host, &key)
        })
        .await
    }

    pub(super) async fn run(&self, job: ProbeJob, progress: Progress<'_>) -> Verdict {
        let job = Arc::new(job);
        let prepared = if job.trigger == Trigger::Scheduled && !job.reads_files() {
            preparations::prepare(&self.0, &job).await
        } else {
            let asked = Arc::clone(&job);
            self.blocking(move |inner| asked.prepare(inner)).await
        };
        let mut prepared = match prepared {
            Ok(prepared) => prepared,
            Err(problem) => return job.broken(&error_chain(&problem)),
        };
        let known = prepared.known.take();
        // Until what it finds is remembered: whoever comes a moment later looks there.
        let first = self.first_asker(&mut prepared).await;
        let tell = |checks: &Checks| {
            if let Some(first) = &first {
                first.hears(checks);
            }
            progress(checks);
        };
        let (mut verdict, found) = Box::pin(self.climb(Box::new(prepared), &tell)).await;
        if let Some(first) = &first {
            first.has_asked(found.is_there());
        }
        job.add_family(&mut verdict);
        // It may be mended by now where it came from.
        if verdict.reason == Reason::CredentialsRejected {
            self.0.kept.forget_of(&job.connection.name);
        }
        // What another machine found is no past of this one's.
        if job.token_only || job.via.is_some() || found.is_known(known.as_deref(), &verdict) {
            return verdict;
        }
        let (told, kept) = (verdict.clone(), Arc::clone(&job));
        let remembered = self.blocking(move |inner| kept.remember(inner, &told, &found));
        if let Err(problem) = remembered.await {
            tracing::warn!(problem = %error_chain(&problem), "what the probe found is not remembered");
        }
        verdict
    }

    /// What the targets of one list have in common; else why none can be probed.
    async fn prepare_targets(
        &self,
        settings: &TargetSettings,
        with_tls: bool,
    ) -> Result<PreparedTargets, WorkError> {
        if with_tls {
            self.0.prober.read_authorities().await;
        }
        let catalog = self.catalog().await?;
        let service = catalog.get(&ServiceId::http()).cloned();
        let service = service.ok_or_else(|| WorkError::NoSuchService {
            id: ServiceId::http(),
            left_out: Vec::new(),
        })?;
        let timeout = if let Some(timeout) = settings.timeout {
            timeout
        } else {
            let configuration = self.configuration().await?;
            Duration::from_secs(configuration.settings.timeout_s.into())
        };
        let profile = settings.profile(timeout, self.environment());
        Ok(PreparedTargets {
            service,
            profile,
            gate: LockoutGate::new(Arc::clone(&self.0), false),
        })
    }

    /// One target of a list: no secret, no memory, nothing that blocks.
    async fn probe_target(&self, url: &str, prepared: &PreparedTargets) -> Box<Verdict> {
        let PreparedTargets {
            service,
            profile,
            gate,
        } = prepared;
        let subject = Subject::new(service.id().clone(), url);
        let begun = Ladder::begin(service, subject, Timestamp::now());
        let prober = &self.0.prober;
        let ended = prober.run_begun(begun, profile, gate, &mut |_| {}).await;
        climb::log(&ended.verdict);
        ended.verdict
    }
}

impl Inner {
    /// What earlier watches announced of these connections. (Of one that is up, and of which nothing else was ever
    /// announced, that it is up.) Without a state: of none. Blocks.
    fn announced(&self, connections: &[Arc<Connection>]) -> Vec<(Name, Damping)> {
        let Ok(state) = self.state() else {
            return Vec::new();
        };
        let announced = |connection: &Arc<Connection>| {
            let Connection { name, url, .. } = &**connection;
            let standing = state.standing(name).ok().flatten()?;
            let is_up = standing.state == State::Ok;
            let past = state.past(name, url).ok()?;
            let last = past.announced.or_else(|| is_up.then_some(State::Ok))?;
            Some((name.clone(), Damping::resumed(last)))
        };
        connections.iter().filter_map(announced).collect()
    }
}

/// The verdict of a target that could not be probed.
fn unprobed(url: &str, why: &str) -> Verdict {
    local_error(None, &ServiceId::http(), url, why)
}

/// Whether a target will want the system's certificate authorities. One without a scheme will (`https` is added).
fn is_https(url: &str) -> bool {
    let named = url.split_once("://").map(|(scheme, _)| scheme);
    Endpoint::scheme_was_added(url) || named.is_some_and(|one| one.eq_ignore_ascii_case("https"))
}

/// What the targets of one list have in common.
struct PreparedTargets {
    service: Service,
    profile: Profile,
    /// No key passes it: it is there for hosts that ask for quiet.
    gate: LockoutGate,
}

#[cfg(test)]
mod tests;
