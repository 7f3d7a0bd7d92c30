//! `probe --via ssh:HOST`: two verdicts on one connection, from here and from there, and what they say together.

use serde::Serialize;

use super::arguments::{Format, ProbeArguments};
use super::context::Context;
use super::fault::Fault;
use super::output::{self, human, nagios};
use super::probe::{self, Shape};
use crate::domain::{Name, SecondOpinion, SshHost, State, Verdict};
use crate::work::Unsaved;
use crate::work::second::Comparison;

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

impl<'a> PairObject<'a> {
    fn of(both: &'a Comparison) -> Self {
        let SecondOpinion {
            host,
            verdict,
            conclusion,
        } = &both.opinion;
        Self {
            here: &both.here,
            via: ViaObject {
                host: host.as_str(),
                conclusion: conclusion.id(),
                text: conclusion.sentence(host),
                verdict,
            },
        }
    }
}

/// Probes saved connections, one after the other.
pub async fn saved(
    context: &Context,
    names: &[Name],
    shape: Shape,
    host: &SshHost,
    arguments: &ProbeArguments,
) -> Result<u8, Fault> {
    let core = &context.core;
    let mut all = Vec::with_capacity(names.len());
    for name in names {
        core.connection(name).await?;
        let trigger = probe::trigger(arguments);
        let both = Box::pin(core.compare_saved(name, trigger, host, |_| {})).await;
        if arguments.format == Format::Ndjson {
            output::ndjson(&PairObject::of(&both))?;
        }
        all.push(both);
    }
    written(context, &all, arguments.format, shape)
}

/// Probes what arguments say.
pub async fn unsaved(
    context: &Context,
    unsaved: Unsaved,
    host: &SshHost,
    format: Format,
) -> Result<u8, Fault> {
    let both = Box::pin(context.core.compare_unsaved(unsaved, host)).await;
    if format == Format::Ndjson {
        output::ndjson(&PairObject::of(&both))?;
    }
    written(context, &[both], format, Shape::One)
}

/// Writes all; gives the exit code of the worst verdict from here: the second one only explains it.
fn written(
    context: &Context,
    all: &[Comparison],
    format: Format,
    shape: Shape,
) -> Result<u8, Fault> {
    match (format, shape, all) {
        (Format::Json, Shape::One, [both]) => output::json(&PairObject::of(both))?,
        (Format::Json, _, all) => {
            output::json(&all.iter().map(PairObject::of).collect::<Vec<_>>())?;
        }
        (Format::Ndjson, ..) => {}
        (Format::Human, _, all) => {
            let texts = all.iter().map(|both| {
                let here = human::verdict(&both.here, context.colours);
                let beside = human::side_by_side(&both.here, &both.opinion, context.colours);
                format!("{here}\n{beside}")
            });
            output::data(&texts.collect::<Vec<_>>().join("\n"))?;
        }
        (Format::Nagios, _, all) => {
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
