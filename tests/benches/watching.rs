//! What watching costs: a fleet of 5,000 for minutes, and 500 that flap for half an hour.
//!
//! ```text
//! cargo bench --bench watching -- fleet [--count 5000] [--minutes 5] [--interval 60] [--keys]
//! cargo bench --bench watching -- flapping [--count 500] [--minutes 30] [--interval 1]
//! ```
//!
//! Without a word it is `fleet`. `--binary PATH` measures another build than the release.
//!
//! The program under test is the real binary, a process of its own; its figures are read from `/proc`. The
//! targets stand in this process. `fleet` also asks `switchboard serve` and, where it is installed,
//! prometheus-blackbox-exporter for the same targets at the same rate.
#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::too_many_lines,
    reason = "a bench measures and prints; what is missing shall end it"
)]

#[path = "program.rs"]
mod program;

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use program::program;
use switchboard::domain::Name;
use switchboard::sim::{Behaviour, Plain, Sim, SimSettings};
use switchboard::store::StateDb;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Ports that the targets are spread over.
const PORTS: usize = 50;
/// Requests at once while an exporter is asked.
const ASKERS: usize = 16;

fn main() {
    let arguments: Vec<String> = std::env::args().filter(|word| word != "--bench").collect();
    let number = |flag: &str, default: u64| {
        let at = arguments.iter().position(|word| word == flag);
        at.map_or(default, |at| arguments[at + 1].parse().unwrap())
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let _inside = runtime.enter();
    match arguments.get(1).map(String::as_str) {
        None | Some("fleet") => fleet(
            usize::try_from(number("--count", 5_000)).unwrap(),
            number("--minutes", 5),
            number("--interval", 60),
        ),
        Some("flapping") => flapping(
            usize::try_from(number("--count", 500)).unwrap(),
            number("--minutes", 30),
            number("--interval", 1),
        ),
        Some(_) => println!("say which: fleet or flapping"),
    }
}

/// Made up, and only with `--keys`: then each connection has it, and it is booked before it is sent.
fn key() -> Option<String> {
    let wanted = std::env::args().any(|word| word == "--keys");
    wanted.then(|| "made-up".to_owned())
}

/// A user with `http` connections to these URLs.
fn home(urls: &[String], settings: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    fs::create_dir(&config).unwrap();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o700)).unwrap();
    let mut text = format!("version = 1\n[settings]\n{settings}\n");
    for (number, url) in urls.iter().enumerate() {
        let _ = writeln!(
            text,
            "[[connection]]\nname = \"c{number:05}\"\nservice = \"http\"\nurl = \"{url}\""
        );
        if key().is_some() {
            let _ = writeln!(text, "key = \"env:BENCH_KEY\"\nallow_http = true");
        }
    }
    let file = config.join("switchboard.toml");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    folder
}

fn switchboard(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .env("BENCH_KEY", key().unwrap_or_default())
        .env("SWITCHBOARD_CONFIG_DIR", home.join("config"))
        .env("SWITCHBOARD_STATE_DIR", home.join("state"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// A process as `/proc` shows it.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    cpu: Duration,
    rss_kb: u64,
    descriptors: usize,
    threads: u64,
}

fn sample(child: &Child) -> Option<Sample> {
    let folder = format!("/proc/{}", child.id());
    let stat = fs::read_to_string(format!("{folder}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().ok()? + fields[12].parse::<u64>().ok()?;
    let status = fs::read_to_string(format!("{folder}/status")).ok()?;
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    Some(Sample {
        // The kernel counts in hundredths of a second for everybody.
        cpu: Duration::from_millis(ticks * 10),
        rss_kb: field("VmRSS:")?,
        descriptors: fs::read_dir(format!("{folder}/fd")).ok()?.count(),
        threads: field("Threads:")?,
    })
}

/// Ends with the bench.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Samples a process every `every` for so long.
fn watched(running: &Running, lasts: Duration, every: Duration) -> Vec<(Duration, Sample)> {
    let begun = Instant::now();
    let mut samples = Vec::new();
    while begun.elapsed() < lasts {
        std::thread::park_timeout(every.min(lasts.saturating_sub(begun.elapsed())));
        match sample(&running.0) {
            Some(sample) => samples.push((begun.elapsed(), sample)),
            None => break,
        }
    }
    samples
}

/// CPU between two samples, in percent of a core.
fn cores(samples: &[(Duration, Sample)]) -> f64 {
    match (samples.first(), samples.last()) {
        (Some((from, one)), Some((to, other))) if to > from => {
            other.cpu.saturating_sub(one.cpu).as_secs_f64() / to.saturating_sub(*from).as_secs_f64()
                * 100.0
        }
        _ => 0.0,
    }
}

fn fleet(count: usize, minutes: u64, interval: u64) {
    let mut sim = Sim::bare(SimSettings::default()).unwrap();
    let ports: Vec<String> = (0..PORTS)
        .map(|_| {
            sim.serve(Behaviour::Plain(Plain { key: key() }))
                .unwrap()
                .url
        })
        .collect();
    let urls: Vec<String> = (0..count)
        .map(|number| format!("{}/status", ports[number % PORTS]))
        .collect();
    let home = home(&urls, &format!("interval_s = {interval}"));
    let lasts = Duration::from_secs(minutes * 60);
    let keys = if key().is_some() {
        "with keys"
    } else {
        "without keys"
    };
    println!(
        "{count} connections {keys}, one probe each every {interval} s, {minutes} min; release build"
    );
    println!("goals: none late, CPU 5 % of a core, 120 MB");
    println!(
        "                          probes/s  late  worst late  CPU %  RSS MB  threads  descriptors"
    );

    let arguments = ["watch", "--plain"];
    let mut running = Running(switchboard(home.path(), &arguments).spawn().unwrap());
    let samples = watched(&running, lasts, Duration::from_secs(5));
    let _ = Command::new("kill")
        .arg(running.0.id().to_string())
        .status();
    let _ = running.0.wait();
    let late = lateness(home.path(), count, interval);
    // The first interval is the start: every connection is probed once, in a shorter time.
    let steady: Vec<_> = samples
        .iter()
        .filter(|(at, _)| at.as_secs() >= interval)
        .copied()
        .collect();
    row(
        "switchboard watch",
        late.0 as f64 / lasts.as_secs_f64(),
        Some((late.1, late.2)),
        &steady,
    );

    let rate = count as f64 / interval as f64;
    let mut serving = Running(
        switchboard(home.path(), &["serve", "--listen", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let address = said(&mut serving.0, "on http://");
    let paths = (0..count).map(|number| format!("/probe?target=c{number:05}"));
    let (asked, samples) = asked(&serving, &address, &paths.collect::<Vec<_>>(), rate, lasts);
    row("switchboard serve", asked, None, &samples);
    drop(serving);

    if !Path::new("/usr/bin/prometheus-blackbox-exporter").exists() {
        println!("prometheus-blackbox-exporter is not installed");
        return;
    }
    let config = home.path().join("blackbox.yml");
    let token = key().map_or_else(String::new, |key| {
        format!("    http:\n      bearer_token: {key}\n")
    });
    let module = format!("modules:\n  any:\n    prober: http\n{token}");
    fs::write(&config, module).unwrap();
    let mut blackbox = Running(
        Command::new("/usr/bin/prometheus-blackbox-exporter")
            .arg("--web.listen-address=127.0.0.1:0")
            .arg(format!("--config.file={}", config.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let address = said(&mut blackbox.0, "msg=\"Listening on\" address=");
    let paths = urls
        .iter()
        .map(|url| format!("/probe?module=any&target={url}"));
    let (answered, samples) =
        self::asked(&blackbox, &address, &paths.collect::<Vec<_>>(), rate, lasts);
    row("blackbox exporter", answered, None, &samples);
}

fn row(what: &str, rate: f64, late: Option<(usize, Duration)>, samples: &[(Duration, Sample)]) {
    let last = samples
        .last()
        .map(|(_, sample)| *sample)
        .unwrap_or_default();
    let highest = samples
        .iter()
        .map(|(_, sample)| sample.rss_kb)
        .max()
        .unwrap_or(0);
    let late = late.map_or_else(
        || "     –           –".to_owned(),
        |(count, worst)| format!("{count:6} {:8.1} s ", worst.as_secs_f64()),
    );
    println!(
        "{what:24} {rate:9.1} {late} {:6.1} {:7.1} {:8} {:12}",
        cores(samples),
        highest as f64 / 1024.0,
        last.threads,
        last.descriptors
    );
}

/// Probes on disk; how many came later than an interval, its jitter and a second allow; by how much the worst.
fn lateness(home: &Path, count: usize, interval: u64) -> (usize, usize, Duration) {
    let state = StateDb::open(&home.join("state")).unwrap();
    let allowed = Duration::from_secs_f64(interval as f64 * 1.1 + 1.0);
    let (mut probes, mut late, mut worst) = (0, 0, Duration::ZERO);
    for number in 0..count {
        let name = Name::parse(&format!("c{number:05}")).unwrap();
        let runs = state.results(&name, Timestamp::UNIX_EPOCH).unwrap();
        probes += runs.len();
        for pair in runs.windows(2) {
            let gap = pair[1].at.duration_since(pair[0].at);
            let over = Duration::try_from(gap)
                .unwrap_or_default()
                .saturating_sub(allowed);
            if !over.is_zero() {
                late += 1;
                worst = worst.max(over);
            }
        }
    }
    (probes, late, worst)
}

/// What a program says behind `words` on stderr; the rest of its talk is read and dropped.
fn said(child: &mut Child, words: &str) -> String {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let found = loop {
        let line = lines.next().unwrap().unwrap();
        if let Some((_, found)) = line.split_once(words) {
            break found.split_whitespace().next().unwrap().to_owned();
        }
    };
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    found
}

/// Asks an exporter for `paths`, round and round, `rate` a second. Gives answers a second, and its samples.
fn asked(
    exporter: &Running,
    address: &str,
    paths: &[String],
    rate: f64,
    lasts: Duration,
) -> (f64, Vec<(Duration, Sample)>) {
    let answered = Arc::new(AtomicUsize::new(0));
    let (sender, receiver) = mpsc::sync_channel::<String>(ASKERS);
    let receiver = Arc::new(std::sync::Mutex::new(receiver));
    for _ in 0..ASKERS {
        let (receiver, answered) = (Arc::clone(&receiver), Arc::clone(&answered));
        let address = address.to_owned();
        std::thread::spawn(move || {
            loop {
                let Ok(path) = receiver.lock().unwrap().recv() else {
                    return;
                };
                if get(&address, &path).is_some_and(|answer| answer.contains("probe_success 1")) {
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    let paths = paths.to_vec();
    let asking = std::thread::spawn(move || {
        let begun = Instant::now();
        for (number, path) in paths.iter().cycle().enumerate() {
            let due = Duration::from_secs_f64(number as f64 / rate);
            if due >= lasts {
                return;
            }
            while begun.elapsed() < due {
                std::thread::park_timeout(due.saturating_sub(begun.elapsed()));
            }
            sender.send(path.clone()).unwrap();
        }
    });
    let samples = watched(exporter, lasts, Duration::from_secs(5));
    asking.join().unwrap();
    let rate = answered.load(Ordering::Relaxed) as f64 / lasts.as_secs_f64();
    (rate, samples)
}

fn get(address: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn flapping(count: usize, minutes: u64, interval: u64) {
    let address = flapper();
    let urls: Vec<String> = (0..count)
        .map(|number| format!("http://{address}/{number}"))
        .collect();
    let home = home(&urls, "on_change = [\"/bin/true\"]\ntimeout_s = 2");
    let every = format!("{interval}s");
    let command = ["watch", "--plain", "--interval", &every];
    let mut running = Running(switchboard(home.path(), &command).spawn().unwrap());
    let lasts = Duration::from_secs(minutes * 60);
    println!(
        "{count} flapping targets, one probe each every {interval} s, {minutes} min, on_change = /bin/true"
    );
    println!("minute   CPU %  RSS MB  descriptors  threads  history MB");
    let begun = Instant::now();
    let mut all = Vec::new();
    while begun.elapsed() < lasts {
        let some = watched(&running, Duration::from_secs(30), Duration::from_secs(1));
        let Some((_, last)) = some.last() else {
            println!("it ended: {:?}", running.0.try_wait());
            return;
        };
        let most = some
            .iter()
            .map(|(_, sample)| sample.descriptors)
            .max()
            .unwrap();
        println!(
            "{:6.1} {:7.1} {:7.1} {most:12} {:8} {:11.1}",
            begun.elapsed().as_secs_f64() / 60.0,
            cores(&some),
            last.rss_kb as f64 / 1024.0,
            last.threads,
            size(home.path()) as f64 / 1_048_576.0
        );
        all.push((begun.elapsed(), *last));
    }
    let _ = Command::new("kill")
        .arg(running.0.id().to_string())
        .status();
    let _ = running.0.wait();
    // The first third fills what is bounded: caches, pools, the allocator's own.
    let steady = &all[all.len() / 3..];
    if let (Some((from, one)), Some((to, other))) = (steady.first(), steady.last()) {
        let hours = to.saturating_sub(*from).as_secs_f64() / 3600.0;
        let growth = (other.rss_kb as f64 - one.rss_kb as f64) / 1024.0;
        println!(
            "from minute {:.1} on: RSS {growth:+.1} MB ({:+.1} MB an hour), descriptors {} to {}, threads {} to {}",
            from.as_secs_f64() / 60.0,
            growth / hours.max(1e-9),
            one.descriptors,
            other.descriptors,
            one.threads,
            other.threads
        );
    }
    let (probes, late, worst) = lateness(home.path(), count, interval);
    println!(
        "{probes} probes on disk, {late} of them late, the worst by {:.1} s",
        worst.as_secs_f64()
    );
}

fn size(home: &Path) -> u64 {
    let files = fs::read_dir(home.join("state")).unwrap();
    files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum()
}

/// A server whose every path answers 200, then 500, then not at all, each for a while of its own.
fn flapper() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let begun = Instant::now();
    tokio::runtime::Handle::current().spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        loop {
            let Ok((mut stream, _)) = listener.accept().await else {
                continue;
            };
            tokio::runtime::Handle::current().spawn(async move {
                let mut head = [0; 1024];
                let read = stream.read(&mut head).await.unwrap_or(0);
                let text = String::from_utf8_lossy(&head[..read]).into_owned();
                let path = text.split_whitespace().nth(1).unwrap_or("/0");
                let number: u64 = path.trim_matches('/').parse().unwrap_or(0);
                let period = 3 + number % 17;
                match (begun.elapsed().as_secs() / period + number) % 3 {
                    0 => {
                        let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
                        let _ = stream.write_all(answer.as_bytes()).await;
                    }
                    1 => {
                        let answer = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n";
                        let _ = stream.write_all(answer.as_bytes()).await;
                    }
                    _ => drop(stream),
                }
            });
        }
    });
    address
}
