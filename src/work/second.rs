//! A second opinion: the same probe from another machine, through ssh, and what both say together.

use super::core::{Core, Inner};
use super::edit::Unsaved;
use super::error::WorkError;
use super::probing::silent;
use crate::domain::text::inert;
use crate::domain::{
    Conclusion, Name, Reason, SecondOpinion, ServiceId, SshHost, Verdict, error_chain,
};
use crate::probe::{Profile, ProxyChoice, Via};
use crate::service::{SecretState, Trigger};
use crate::store::files::PrivateFolder;

/// What this machine finds, and what another one says of it.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// Found from here.
    pub here: Verdict,
    /// Found from there, and what both say together.
    pub opinion: SecondOpinion,
}

impl Core {
    /// Probes a saved connection from here, which `heard` is told, then from `host`.
    pub async fn compare_saved(
        &self,
        name: &Name,
        trigger: Trigger,
        host: &SshHost,
        heard: impl FnOnce(&Verdict) + Send,
    ) -> Comparison {
        let here = self.probe_saved(name, trigger, &silent).await;
        heard(&here);
        let opinion = self.second_opinion(name, host, &here).await;
        Comparison { here, opinion }
    }

    /// The same for what is not saved.
    pub async fn compare_unsaved(&self, unsaved: Unsaved, host: &SshHost) -> Comparison {
        let here = self.probe_unsaved(unsaved.clone(), &silent).await;
        let trigger = Trigger::Asked;
        let job = self.job_unsaved(Unsaved { trigger, ..unsaved }).await;
        let opinion = self.ask_from(host, job, &here).await;
        Comparison { here, opinion }
    }

    async fn second_opinion(&self, name: &Name, host: &SshHost, here: &Verdict) -> SecondOpinion {
        let connection = match self.connection(name).await {
            Ok(connection) => connection,
            Err(problem) => {
                let why = error_chain(&problem);
                let there = super::local::local_error(Some(name), &ServiceId::http(), "", &why);
                return opinion(host, (here, there), false);
            }
        };
        let job = self.job(&connection, Trigger::Asked).await;
        self.ask_from(host, job, here).await
    }

    async fn ask_from(
        &self,
        host: &SshHost,
        mut job: super::job::ProbeJob,
        here: &Verdict,
    ) -> SecondOpinion {
        // A key that was refused here is refused there: a second try would only bring its pause nearer.
        let refused = [Reason::CredentialsRejected, Reason::AuthPaused];
        let left_out = refused.contains(&here.reason) && job.key != SecretState::Absent;
        if left_out {
            job.key = SecretState::Absent;
        }
        job.via = Some(host.clone());
        let there = self.run(job, &silent).await;
        opinion(host, (here, there), left_out)
    }
}

fn opinion(
    host: &SshHost,
    (here, mut there): (&Verdict, Verdict),
    left_out: bool,
) -> SecondOpinion {
    let from = format!("asked from {}, through ssh", host.as_str());
    there.evidence.insert(0, inert(&from, 300));
    SecondOpinion {
        conclusion: Conclusion::of(here, &there, left_out),
        host: host.clone(),
        verdict: there,
    }
}

/// Makes `profile` go through `host`. The folder must live as long as the probe. Blocks.
pub(super) fn go_through(
    inner: &Inner,
    host: &SshHost,
    profile: &mut Profile,
) -> Result<PrivateFolder, WorkError> {
    let failed = |problem| WorkError::failed("making room for ssh", problem);
    let folder = PrivateFolder::make(&inner.environment.temporary).map_err(failed)?;
    profile.proxy = ProxyChoice::None;
    profile.via = Some(Via {
        host: host.clone(),
        folder: folder.path().to_owned(),
        environment: inner.children.variables("ssh"),
    });
    Ok(folder)
}
