//! `switchboard demo`: the screen over rehearsal services on loopback; nothing is saved.

use super::arguments::{Global, Look};
use super::fault::Fault;
use super::{output, screen};
use crate::app::effect::ScreenEnd;
use crate::config::Environment;
use crate::domain::{Connection, Name, Secret, ServiceId};
use crate::sim::{Rehearsal, Sim, SimSettings};
use crate::work::{Core, Rehearsed, TaskThread};

/// Runs the demonstration. What can be tried stands in the response pane at first, and on stdout at the end; gives how
/// the screen ended. `goes_on`: it leads back to another screen.
pub fn run(
    environment: Environment,
    global: Global,
    look: &Look,
    goes_on: bool,
) -> Result<ScreenEnd, Fault> {
    let mut options = screen::options(&environment, &global, look, Vec::new())?;
    screen::refuse_without_screen(&environment)?;
    // Nothing is left behind that was not asked for.
    if let Some(path) = &global.log {
        output::log_to(path, global.verbose)?;
    }
    let _held = screen::hold_stops();
    let tasks =
        TaskThread::start(None).map_err(|error| Fault::step("starting the rehearsal", error))?;
    let started = {
        let _inside = tasks.handle().enter();
        Sim::bare(SimSettings::default()).and_then(|mut sim| Ok((sim.demo_set()?, sim)))
    };
    let (set, sim) =
        started.map_err(|error| Fault::step("starting the rehearsal services", error))?;
    let words = words(&set);
    let rehearsed = set
        .into_iter()
        .map(rehearsed)
        .collect::<Result<Vec<_>, _>>()?;
    let core = tasks.block_on(Core::rehearsal(environment.clone(), rehearsed))?;
    options.banner.clone_from(&words);
    options.goes_on = goes_on;
    let end = screen::open(core, options)?;
    drop(sim);
    drop(tasks);
    let told = output::text(&format!("{}\n", words.join("\n")));
    match end {
        ScreenEnd::Quit | ScreenEnd::Demo | ScreenEnd::Import => told?,
        // The terminal may be gone.
        ScreenEnd::Signal(_) | ScreenEnd::Panicked => {}
    }
    Ok(end)
}

fn rehearsed(rehearsal: Rehearsal) -> Result<Rehearsed, Fault> {
    let name = Name::parse(rehearsal.name).map_err(Fault::of)?;
    let mut connection = Connection::new(name, ServiceId::new(rehearsal.service), &rehearsal.url);
    connection.username = rehearsal.username;
    connection.cms = rehearsal.cms_url.as_ref().map(|_| "joomla".to_owned());
    connection.cms_url = rehearsal.cms_url;
    connection.tags = rehearsal.tags.into_iter().map(str::to_owned).collect();
    connection.ca_file = rehearsal.ca_file.map(Into::into);
    connection.timeout_s = rehearsal.timeout_s;
    Ok(Rehearsed {
        connection,
        key: rehearsal.key.map(Secret::new),
        token: rehearsal.token.map(Secret::new),
    })
}

/// The credentials to try: they open nothing but the rehearsal.
fn words(set: &[Rehearsal]) -> Vec<String> {
    let mut lines = vec![
        "A rehearsal: every service here runs on this machine and ends with this screen."
            .to_owned(),
        "Nothing is saved. These open nothing but the rehearsal; try them with n and e:".to_owned(),
        String::new(),
    ];
    let mut services = Vec::new();
    for one in set {
        let Some(key) = &one.key else { continue };
        if services.contains(&one.service) {
            continue;
        }
        services.push(one.service);
        lines.push(format!("{} ({})", one.name, one.service));
        lines.push(format!("  URL       {}", one.url));
        lines.push(format!("  Username  {}", one.username));
        lines.push(format!("  Key       {key}"));
        if one.service == "connect" {
            lines.push("  Tokens    choose it, Shift-Tab, then l loads its account's".to_owned());
        }
    }
    lines
}
