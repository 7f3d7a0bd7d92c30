//! `probe --via ssh:HOST`: two verdicts on one connection, from here and from there, and what they say together.

use serde::Serialize;

use super::arguments::{Format, ProbeArguments};
use super::context::Context;
use super::fault::Fault;
use super::output::{self, human, nagios};
use super::probe;
use crate::domain::{Name, SecondOpinion, SshHost, State, Verdict};
use crate::work::{Unsaved, silent};

/// Both verdicts.
struct VerdictPair {
    here: Verdict,
    opinion: SecondOpinion,
}

/// The verdict's object with `via` added.
#[derive(Serialize)]
struct PairObject<'a> {
    #[serde(flatten)]
    here: &'a Verdict,
    via: ViaObject<'a>,
}

#[derive(Serialize)]
struct ViaObject<'a> {
    host: &'a str,
    conclusion: &'static str,
    text: String,
    verdict: &'a Verdict,
}

impl VerdictPair {
    fn object(&self) -> PairObject<'_> {
        let SecondOpinion {
            host,
            verdict,
            conclusion,
        } = &self.opinion;
        PairObject {
            here: &self.here,
            via: ViaObject {
                host: host.as_str(),
                conclusion: conclusion.id(),
                text: conclusion.sentence(host),
                verdict,
            },
        }
    }
}

/// Probes saved connections, one after the other; `several` makes an array of them.
pub async fn saved(
    context: &Context,
    (names, several): (&[Name], bool),
    host: &SshHost,
    arguments: &ProbeArguments,
) -> Result<u8, Fault> {
    let core = &context.core;
    let mut all = Vec::with_capacity(names.len());
    for name in names {
        core.connection(name).await?;
        let trigger = probe::trigger(arguments);
        let here = Box::pin(core.probe_saved(name, trigger, &silent)).await;
        let opinion = Box::pin(core.second_opinion(name, host, &here, &silent)).await;
        let both = VerdictPair { here, opinion };
        if arguments.format == Format::Ndjson {
            output::ndjson(&both.object())?;
        }
        all.push(both);
    }
    written(context, &all, arguments.format, several)
}

/// Probes what arguments say.
pub async fn unsaved(
    context: &Context,
    unsaved: Unsaved,
    host: &SshHost,
    format: Format,
) -> Result<u8, Fault> {
    let core = &context.core;
    let here = Box::pin(core.probe_unsaved(unsaved.clone(), &silent)).await;
    let asked = core.second_opinion_unsaved(unsaved, host, &here, &silent);
    let opinion = Box::pin(asked).await;
    let both = VerdictPair { here, opinion };
    if format == Format::Ndjson {
        output::ndjson(&both.object())?;
    }
    written(context, &[both], format, false)
}

/// Writes all; gives the exit code of the worst verdict from here: the second one only explains it.
fn written(
    context: &Context,
    all: &[VerdictPair],
    format: Format,
    several: bool,
) -> Result<u8, Fault> {
    match (format, all) {
        (Format::Json, [both]) if !several => output::json(&both.object())?,
        (Format::Json, all) => {
            output::json(&all.iter().map(VerdictPair::object).collect::<Vec<_>>())?;
        }
        (Format::Ndjson, _) => {}
        (Format::Human, all) => {
            let texts = all.iter().map(|both| {
                let here = human::verdict(&both.here, context.colours);
                let beside = human::side_by_side(&both.here, &both.opinion, context.colours);
                format!("{here}\n{beside}")
            });
            output::data(&texts.collect::<Vec<_>>().join("\n"))?;
        }
        (Format::Nagios, all) => {
            let said = all.iter().map(|both| {
                let conclusion = both.opinion.conclusion.id();
                let host = both.opinion.host.as_str();
                (&both.here, format!("{conclusion} as {host} sees it"))
            });
            output::text(&nagios::several_with(&said.collect::<Vec<_>>()))?;
        }
    }
    Ok(State::worst(all.iter().map(|both| both.here.state())).exit_code())
}
