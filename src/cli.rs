//! The commands' composition root: parse, open the core, do it, write the result, give the exit code.
//!
//! stdout is data, stderr is talk; every command is also an action of the screen, and both share the use cases
//! below them, not each other.

pub mod arguments;
pub mod completing;
pub mod connection;
pub mod context;
pub mod demo;
pub mod doctor;
pub mod evidence;
pub mod explain;
pub mod fault;
pub mod guide;
pub mod history;
pub mod man;
pub mod output;
pub mod probe;
pub mod prompt;
pub mod recipient;
pub mod rehearse;
pub mod remote_token;
pub mod schema;
pub mod screen;
pub mod second;
pub mod secret;
pub mod serve;
pub mod shield;
pub mod signals;
pub mod sources;
pub mod texts;
pub mod token;
pub mod transfer;
pub mod watch;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches};
use signal_hook::consts::SIGTERM;

use crate::app::effect::ScreenEnd;
use crate::config::Environment;
use crate::store::files;
use crate::work::{Core, TaskThread};
use arguments::{Arguments, Command, Global};
use context::Context;
use fault::{Fault, OURS};
use signals::Signals;

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    shield::raise();
    let environment = Environment::read();
    files::trust_caller(environment.sudo_uid);
    if let Some(shell) = &environment.complete {
        return ended(completing::answer(shell, std::env::args_os().collect()));
    }
    // Without a word there is nothing to parse, and the screen is there sooner.
    let arguments = match std::env::args_os().len() {
        0 | 1 => Arguments::default(),
        _ => {
            let matches = Arguments::command().try_get_matches();
            let parsed = matches.and_then(|matches| {
                let arguments = Arguments::from_arg_matches(&matches)?;
                arguments.refuse_foreign_look()?;
                Ok((arguments, matches))
            });
            match parsed {
                Ok((arguments, matches)) => match sources::apart(&matches) {
                    Ok(()) => arguments,
                    Err(fault) => return ended(told_to_nagios(Err(fault))),
                },
                Err(error) => return ExitCode::from(misread(&error)),
            }
        }
    };
    if matches!(arguments.command, Some(Command::ClipboardHolder)) {
        return crate::clipboard::holder::run();
    }
    shield::note_descriptors();
    let done = shield::descriptors().and_then(|()| shield::clock());
    let done = done.map_err(Fault::of);
    let done = done.and_then(|()| dispatch(environment, arguments));
    ended(told_to_nagios(done))
}

/// Tells the fault, if there is one, and gives the exit code.
fn ended(done: Result<u8, Fault>) -> ExitCode {
    // Where a command has listened to signals, nobody does any more; and nobody may read what is told.
    let _ =
        signal_hook::flag::register_conditional_default(SIGTERM, Arc::new(AtomicBool::new(true)));
    output::tell_of_missing_lines();
    match done {
        Ok(code) => ExitCode::from(code),
        Err(fault) => {
            // Nobody is told what nobody waits for: `switchboard … | head -1` is no failure.
            if fault.code != fault::GONE {
                output::error(&fault, fault.hint.as_deref());
            }
            ExitCode::from(fault.code)
        }
    }
}

/// Help and version are data and 0; everything else is talk and 3 (clap's own would be 2, which means down).
fn misread(error: &clap::Error) -> u8 {
    let text = error.render().to_string();
    if error.use_stderr() {
        output::say(text.trim_end());
        if is_for_nagios() {
            let why = text.lines().next().unwrap_or_default();
            let _ = output::text(&output::nagios::failed(why));
        }
        return OURS;
    }
    match output::data(&text).map_err(Fault::from) {
        Ok(()) => 0,
        Err(fault) => {
            if fault.code != fault::GONE {
                output::error(&fault, None);
            }
            fault.code
        }
    }
}

fn dispatch(environment: Environment, arguments: Arguments) -> Result<u8, Fault> {
    let Arguments { global, look, .. } = arguments;
    match arguments.command {
        None => screen::run(environment, global, &look),
        Some(Command::Demo(own)) => {
            demo::run(environment, global, &own.or(look), false).map(ScreenEnd::exit_code)
        }
        Some(Command::Sim { listen }) => rehearse::run(&listen),
        Some(Command::Completions { shell }) => completing::script(shell),
        Some(Command::Man { page, dir }) => man::run(page.as_deref(), dir.as_deref()),
        Some(Command::Schema { which }) => schema::run(which),
        Some(Command::Help { words }) => {
            guide::run(&words, context::colours(&environment, &global))
        }
        Some(command) => with_core(environment, global, command),
    }
}

/// Whether the line, which may not be readable, asks for a plugin's words.
fn is_for_nagios() -> bool {
    let words: Vec<_> = std::env::args_os().collect();
    let parted =
        |pair: &[OsString]| matches!(pair, [flag, word] if flag == "--format" && word == "nagios");
    words.windows(2).any(parted) || words.iter().any(|word| word == "--format=nagios")
}

/// Who runs a plugin is told by stdout what a command itself failed of, or what kept it from its begin.
fn told_to_nagios(done: Result<u8, Fault>) -> Result<u8, Fault> {
    if let Err(fault) = &done
        && fault.code == OURS
        && is_for_nagios()
    {
        // Where stdout is what failed, stderr says so.
        let _ = output::text(&output::nagios::failed(&fault.text()));
    }
    done
}

/// (Apart from the rest: the room of every command on the stack would be touched for the screen, too.)
#[inline(never)]
fn with_core(environment: Environment, global: Global, command: Command) -> Result<u8, Fault> {
    output::log(&environment, &global)?;
    let context = Context::open(environment, global)?.for_one_command();
    let runs_on = matches!(command, Command::Watch(_) | Command::Serve { .. });
    to_its_end(context, runs_on, async |context| match command {
        Command::Probe(arguments) => Box::pin(probe::run(&context, *arguments)).await,
        Command::Connection(command) => connection::run(&context, command).await,
        Command::Token(command) => token::run(&context, command).await,
        Command::Secret(command) => secret::run(&context, command).await,
        Command::Doctor { strict, format } => doctor::run(&context, strict, format).await,
        Command::Explain { reason, service } => {
            explain::reason(&context, reason.as_deref(), &service).await
        }
        Command::Service(command) => explain::service(&context, command).await,
        Command::Evidence(arguments) => Box::pin(evidence::run(&context, arguments)).await,
        Command::History(arguments) => history::run(&context, arguments).await,
        Command::Watch(arguments) => watch::run(context, arguments).await,
        Command::Serve { listen } => serve::run(&context, &listen).await,
        Command::Demo(_)
        | Command::Sim { .. }
        | Command::Completions { .. }
        | Command::Man { .. }
        | Command::Schema { .. }
        | Command::Help { .. }
        | Command::ClipboardHolder => Ok(OURS),
    })
}

/// How long a thread for files waits for more work, in what runs for days: they take turns, so that of many not
/// one would ever end, and each would come to its turn with nothing of it at hand.
const KEPT: Duration = Duration::from_millis(250);

/// Runs `work` over `context`, and all that follows from its end. What `runs_on` for days listens to signals itself.
fn to_its_end(
    context: Context,
    runs_on: bool,
    work: impl AsyncFnOnce(Context) -> Result<u8, Fault>,
) -> Result<u8, Fault> {
    let tasks = TaskThread::start(runs_on.then_some(KEPT))
        .map_err(|error| Fault::usage(format!("starting the tasks: {error}")))?;
    let core = context.core.clone();
    // What runs for days says at once what it does not know, the others when they are done.
    if runs_on {
        let _ = tasks.block_on(core.catalog());
        tell_left_out(&core);
    }
    let ending = if runs_on {
        None
    } else {
        let _inside = tasks.handle().enter();
        let signals = Signals::listen(signals::ALL)?;
        Some(tasks.handle().spawn(signals::end(signals, core.clone())))
    };
    let done = tasks.block_on(work(context));
    if !runs_on {
        tell_left_out(&core);
    }
    if let Some(ending) = ending {
        // It holds the core, which writes what is left when the last one lets go of it.
        if !signals::have_come() {
            ending.abort();
        }
        let _ = tasks.block_on(ending);
    }
    tasks.block_on(core.end_attempts());
    done
}

/// Tells which service files of the user are not in order.
fn tell_left_out(core: &Core) {
    for why in core.services_left_out() {
        output::say(&format!("switchboard: left out: {why}"));
    }
}
