//! A list of URLs, thousands of them: each is told as its probe ends, and what bears on others once they have come.

use std::path::Path;

use super::{Shape, duration, written};
use crate::cli::arguments::{Format, ProbeArguments};
use crate::cli::context::Context;
use crate::cli::fault::Fault;
use crate::cli::output::{self, OutputProblem, Texts, human};
use crate::cli::sources;
use crate::domain::{AddressFamily, Reason, State, Verdict};
use crate::store::files;
use crate::work::offline::{SideBySide, is_here};
use crate::work::{TargetSettings, Targets, targets};

/// Probes the list; gives the exit code of the worst verdict.
pub(super) async fn run(
    context: &Context,
    path: &Path,
    arguments: &ProbeArguments,
) -> Result<u8, Fault> {
    let urls = listed(path)?;
    let settings = TargetSettings {
        concurrency: usize::try_from(arguments.concurrency).unwrap_or(1),
        timeout: arguments.way.timeout.as_deref().map(duration).transpose()?,
        proxy: arguments.way.proxy.clone(),
        family: if arguments.way.ipv4 {
            AddressFamily::V4
        } else if arguments.way.ipv6 {
            AddressFamily::V6
        } else {
            AddressFamily::Any
        },
    };
    let (format, colours) = (arguments.format, context.colours);
    // What these begin with is known at the end.
    let whole = matches!(format, Format::Json | Format::Nagios);
    let tell = move |verdict: &Verdict, told: &mut Told| {
        told.worst = State::worst([told.worst, verdict.state()]);
        match format {
            Format::Human => told.texts.push(&human::verdict(verdict, colours)),
            Format::Ndjson | Format::Json | Format::Nagios => {
                let written = told.texts.push_ndjson(verdict);
                told.problem = told.problem.take().or(written.err());
            }
        }
    };
    let running =
        context
            .core
            .probe_targets(urls, settings, move |verdict, bundle: &mut Bundle| {
                if whole || SideBySide::may_keep(verdict.reason) {
                    bundle.heard.push(Heard::Whole(verdict));
                    return;
                }
                tell(&verdict, &mut bundle.told);
                if !is_here(&verdict) {
                    let Verdict { url, reason, .. } = *verdict;
                    bundle.heard.push(Heard::Told { url, reason });
                }
            });
    if whole {
        let verdicts = all_verdicts(running).await;
        return written(context, &verdicts, format, Shape::Several);
    }
    print_verdicts(running, tell).await
}

/// The URLs of the list in the file, or on standard input.
fn listed(path: &Path) -> Result<Vec<String>, Fault> {
    let text = if path == Path::new("-") {
        sources::take(sources::STDIN)?;
        let read = files::read_all(std::io::stdin().lock(), Path::new("standard input"));
        let read = read.map_err(Fault::of)?;
        String::from_utf8(read.to_vec())
            .map_err(|_not_text| Fault::usage("the targets on standard input are not UTF-8 text"))?
    } else {
        files::read_text(path).map_err(Fault::of)?
    };
    let urls = targets::listed(&text);
    if urls.is_empty() {
        return Err(Fault::usage("the list names no URL"));
    }
    Ok(urls)
}

/// All verdicts of a list, at its end.
async fn all_verdicts(mut running: Targets<Bundle>) -> Vec<Verdict> {
    let (mut verdicts, mut together) = (Vec::new(), SideBySide::default());
    while let Some(bundle) = running.next().await {
        for heard in bundle.heard {
            verdicts.extend(heard.among(&mut together));
        }
    }
    verdicts.extend(together.end());
    verdicts
}

/// Writes the lines of a list as its probes end; gives the exit code of the worst verdict.
async fn print_verdicts(
    mut running: Targets<Bundle>,
    tell: impl Fn(&Verdict, &mut Told),
) -> Result<u8, Fault> {
    let (mut together, mut worst) = (SideBySide::default(), State::Ok);
    loop {
        let bundle = running.next().await;
        let ended = bundle.is_none();
        let Bundle { mut told, heard } = bundle.unwrap_or_default();
        for heard in heard {
            for verdict in heard.among(&mut together) {
                tell(&verdict, &mut told);
            }
        }
        if ended {
            for verdict in std::mem::take(&mut together).end() {
                tell(&verdict, &mut told);
            }
        }
        worst = State::worst([worst, told.worst]);
        told.problem.map_or(Ok(()), Err)?;
        output::texts(&told.texts)?;
        if ended {
            return Ok(worst.exit_code());
        }
    }
}

/// What some URLs of a list came to that ended close to one another.
#[derive(Default)]
struct Bundle {
    told: Told,
    heard: Vec<Heard>,
}

/// What is written of verdicts, and how they stand.
struct Told {
    texts: Texts,
    worst: State,
    /// Why one of them can't be written.
    problem: Option<OutputProblem>,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            texts: Texts::default(),
            worst: State::Ok,
            problem: None,
        }
    }
}

/// One URL that was probed, as it bears on others.
enum Heard {
    /// What is told of it shows when others have come: whose failure it is, or how all stand together.
    Whole(Box<Verdict>),
    /// It was told; what it says of the network, where it was not this machine that was asked.
    Told { url: String, reason: Reason },
}

impl Heard {
    /// What can be told by now.
    fn among(self, together: &mut SideBySide) -> Vec<Verdict> {
        match self {
            Self::Whole(verdict) => together.hear(*verdict),
            Self::Told { url, reason } => together.overhear(&url, reason),
        }
    }
}
