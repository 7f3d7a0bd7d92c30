//! A second opinion: the same probe from another machine, through ssh, and what both say together.

use super::core::{Core, Inner};
use super::draft::Unsaved;
use super::error::WorkError;
use super::probing::Progress;
use crate::domain::text::inert;
use crate::domain::{Conclusion, Name, Reason, SecondOpinion, ServiceId, SshHost, Verdict};
use crate::probe::{Profile, ProxyChoice, Via};
use crate::service::{SecretState, Trigger};
use crate::store::files::PrivateFolder;

impl Core {
    /// Asks for a saved connection from `host`, after `here` was found from this machine.
    pub async fn second_opinion(
        &self,
        name: &Name,
        host: &SshHost,
        here: &Verdict,
        progress: Progress<'_>,
    ) -> SecondOpinion {
        let connection = match self.connection(name).await {
            Ok(connection) => connection,
            Err(problem) => {
                let why = problem.to_string();
                let there = super::local::local_error(Some(name), &ServiceId::http(), "", &why);
                return opinion(host, (here, there), false);
            }
        };
        let job = self.job(&connection, Trigger::Asked).await;
        self.ask_from(host, job, here, progress).await
    }

    /// The same for what is not saved.
    pub async fn second_opinion_unsaved(
        &self,
        unsaved: Unsaved,
        host: &SshHost,
        here: &Verdict,
        progress: Progress<'_>,
    ) -> SecondOpinion {
        let trigger = Trigger::Asked;
        let job = self.job_unsaved(Unsaved { trigger, ..unsaved }).await;
        self.ask_from(host, job, here, progress).await
    }

    async fn ask_from(
        &self,
        host: &SshHost,
        mut job: super::job::ProbeJob,
        here: &Verdict,
        progress: Progress<'_>,
    ) -> SecondOpinion {
        // A key that was refused here is refused there: a second try would only bring its pause nearer.
        let refused = [Reason::CredentialsRejected, Reason::AuthPaused];
        let left_out = refused.contains(&here.reason) && job.key != SecretState::Absent;
        if left_out {
            job.key = SecretState::Absent;
        }
        job.via = Some(host.clone());
        let there = self.run(job, progress).await;
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
    let failed = |problem| WorkError::failed("making room for ssh", &problem);
    let folder = PrivateFolder::make(&inner.environment.temporary).map_err(failed)?;
    profile.proxy = ProxyChoice::None;
    profile.via = Some(Via {
        host: host.clone(),
        folder: folder.path().to_owned(),
        environment: inner.children.variables("ssh"),
    });
    Ok(folder)
}
