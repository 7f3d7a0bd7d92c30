//! Several that ask the same targets, by turns.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::blackbox::Blackbox;
use crate::peers::Tally;
use crate::runs::{Asker, Lists, Run};
use crate::table::{Row, half};
use crate::targets::Targets;

/// What is asked, and how.
#[derive(Clone, Copy)]
pub struct Setting {
    /// The number of the goal.
    pub number: &'static str,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// What the targets do: see [`crate::targets`].
    pub path: &'static str,
    /// Targets.
    pub count: usize,
    /// Of them, so many at once.
    pub at_once: usize,
    /// How often each asks them all.
    pub times: usize,
}

/// All runs of one asker.
pub struct Series {
    asker: Asker,
    runs: Vec<Run>,
}

/// What came of it.
pub struct Contest {
    setting: Setting,
    series: Vec<Series>,
}

impl Series {
    /// The median of something.
    pub fn median(&self, of: impl Fn(&Run) -> f64) -> f64 {
        half(&self.runs.iter().map(of).collect::<Vec<_>>())
    }

    /// The median time from the start to the end, in milliseconds.
    pub fn wall(&self) -> f64 {
        self.median(|run| run.wall_ms)
    }

    /// The median processor time, in milliseconds.
    pub fn cpu(&self) -> f64 {
        self.median(|run| run.cpu_ms)
    }
}

impl Contest {
    /// Lets those of `askers` that are installed ask, and tells what each found and took.
    pub fn held(setting: Setting, askers: &[Asker]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let authority = home.path().join("authority.pem");
        let mut targets = Targets::start((setting.scheme == "https").then_some(&*authority));
        let askers = askers.iter().filter(|asker| asker.is_here());
        let mut series: Vec<_> = askers
            .map(|asker| Series {
                asker: *asker,
                runs: Vec::new(),
            })
            .collect();
        let wanted = series.iter().any(|series| series.asker == Asker::Blackbox);
        let blackbox = wanted.then(|| Blackbox::start(home.path()));
        let lists = lists(setting, home.path(), &targets, blackbox.as_ref());
        for _ in 0..setting.times {
            for series in &mut series {
                let run = series.asker.run(&lists, setting.at_once, &mut targets);
                series.runs.push(run);
            }
        }
        let changed = targets.counted().changed;
        assert_eq!(changed, 0, "a target answers the same in every run");
        let contest = Self { setting, series };
        contest.tell();
        contest
    }

    fn tell(&self) {
        println!("{}", self.named(&format!("/{}", self.setting.path)));
        for series in &self.series {
            let Some(last) = series.runs.last() else {
                continue;
            };
            let (name, served, tally) = (format!("{:?}", series.asker), last.served, &last.tally);
            println!(
                "  {name:16} {:7.0} ms, processor {:6.0} ms, served {served}: {tally:?}",
                series.wall(),
                series.cpu()
            );
        }
        println!();
    }

    fn named(&self, what: &str) -> String {
        let Setting { count, at_once, .. } = self.setting;
        format!("{count} targets, {at_once} at once: {what}")
    }

    fn of(&self, asker: Asker) -> Option<&Series> {
        self.series.iter().find(|series| series.asker == asker)
    }

    /// The runs of the program.
    pub fn program(&self) -> &Series {
        self.of(Asker::Program).unwrap()
    }

    /// The program's figure beside the one of a peer, where that is installed.
    pub fn beside(
        &self,
        peer: Asker,
        what: &str,
        figure: fn(&Series) -> f64,
        times: f64,
    ) -> Option<Row> {
        let (program, peer) = (figure(self.program()), figure(self.of(peer)?));
        Some(Row::times(
            self.setting.number,
            self.named(what),
            program,
            peer,
            times,
        ))
    }

    /// The program's time to the first line of output.
    pub fn first(&self, number: &'static str, most: f64) -> Row {
        let first = self.program().median(|run| run.first_ms);
        Row::most(number, self.named("first result, ms"), first, most)
    }

    /// That the work was done: each target was asked once, and what was found is what `peer` found.
    pub fn work(&self, peer: Asker) -> [Row; 2] {
        let expected = &self.of(peer).unwrap().runs[0].tally;
        let runs = &self.program().runs;
        let astray: usize = runs
            .iter()
            .map(|run| run.served.abs_diff(self.setting.count))
            .sum();
        let differing: usize = runs.iter().map(|run| distance(&run.tally, expected)).sum();
        let row =
            |what, figure| Row::most(self.setting.number, self.named(what), figure, 0.0).gate();
        [
            row("requests beyond or below one each", astray as f64),
            row("outcomes that the bare loop has not", differing as f64),
        ]
    }
}

/// How many outcomes are different.
fn distance(one: &Tally, other: &Tally) -> usize {
    let outcomes: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    let count = |tally: &Tally, outcome: &str| tally.get(outcome).copied().unwrap_or(0);
    outcomes
        .into_iter()
        .map(|outcome| count(one, outcome).abs_diff(count(other, outcome)))
        .sum()
}

/// Writes the lists of the targets.
fn lists(setting: Setting, home: &Path, targets: &Targets, blackbox: Option<&Blackbox>) -> Lists {
    let urls: Vec<_> = (0..setting.count)
        .map(|number| targets.url(setting.scheme, number, setting.path))
        .collect();
    let address = blackbox.map_or("", |blackbox| &blackbox.address);
    let written = |name: &str, line: &dyn Fn(&String) -> String| {
        let file = home.join(name);
        fs::write(&file, urls.iter().map(line).collect::<String>()).unwrap();
        file
    };
    Lists {
        urls: written("urls", &|url| format!("{url}\n")),
        curl: written("curl", &|url| {
            format!("url = \"{url}\"\noutput = \"/dev/null\"\n")
        }),
        blackbox: written("blackbox", &|url| {
            format!("http://{address}/probe?module=any&target={url}\n")
        }),
        authority: home.join("authority.pem"),
        home: home.to_owned(),
    }
}
