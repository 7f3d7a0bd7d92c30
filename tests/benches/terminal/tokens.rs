//! The tokens of an account, few and very many: what a key costs, and what they take.

use std::path::Path;
use std::time::Duration;

use switchboard::sim::{Behaviour, Connect, Sim, SimSettings};

use crate::home::{configured, written};
use crate::measures::{Keys, press};
use crate::session::Session;
use crate::table::{Row, half};

/// So few that all are on one page of the screen and one of the service.
const FEW: usize = 20;
/// What an issue of the service's largest accounts asks for.
const MANY: usize = 25_000;
/// What nobody has.
const MOST: usize = 100_000;

const MOVES: usize = 240;
const PAGES: usize = 240;
const LETTERS: usize = 40;

/// What was measured over accounts of three sizes.
pub struct Accounts {
    few: Account,
    many: Account,
    most: Account,
}

/// What was measured over one account.
#[derive(Default)]
struct Account {
    /// Moves by one row, inside of what is held.
    moves: Keys,
    /// Moves by a page, there and back.
    pages: Keys,
    /// Letters of the filter. The service filters; a letter shows the text alone.
    letters: Keys,
    /// Resident memory after all of it, in KiB.
    memory_kib: f64,
}

/// A program that shows the tokens of an account.
struct Shown {
    app: Session,
    account: Account,
    _home: tempfile::TempDir,
}

impl Accounts {
    /// Opens the tokens of each, and presses each key in one after the other: what the machine does meanwhile, it does
    /// to all.
    pub fn taken(program: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let _inside = runtime.enter();
        let mut sim = Sim::bare(SimSettings::default()).unwrap();
        let mut shown = [FEW, MANY, MOST].map(|total| Shown::opened(program, &mut sim, total));
        for at in 0..MOVES {
            let key = if at / 15 % 2 == 0 { "j" } else { "k" };
            for Shown { app, account, .. } in &mut shown {
                press(app, key, &mut account.moves);
            }
        }
        for at in 0..PAGES {
            let key = if at % 2 == 0 { "\x1b[6~" } else { "\x1b[5~" };
            for Shown { app, account, .. } in &mut shown {
                press(app, key, &mut account.pages);
            }
        }
        for Shown { app, .. } in &mut shown {
            app.press("/");
        }
        for at in 0..LETTERS {
            let key = if at % 2 == 0 { "9" } else { "\x7f" };
            for Shown { app, account, .. } in &mut shown {
                press(app, key, &mut account.letters);
            }
        }
        let [few, many, most] = shown.map(Shown::ended);
        Self { few, many, most }
    }

    /// What does not depend on how many tokens an account has.
    pub fn rows(&self) -> Vec<Row> {
        let Self { few, many, most } = self;
        let cpu = |what, keys: &Keys, few: &Keys| {
            Row::times("8a", what, keys.cpu_ms, few.cpu_ms, 1.2).gate()
        };
        let time = |what, keys: &Keys, few: &Keys, times| {
            Row::times("8a", what, half(&keys.last_ms), half(&few.last_ms), times)
        };
        let memory = |what, account: &Account| {
            Row::most("5b", what, account.memory_kib - few.memory_kib, 32_768.0).gate()
        };
        vec![
            cpu(
                "processor time a move, 25,000 tokens to 20",
                &many.moves,
                &few.moves,
            ),
            cpu(
                "processor time a move, 100,000 tokens to 20",
                &most.moves,
                &few.moves,
            ),
            cpu(
                "processor time a page, 25,000 tokens to 20",
                &many.pages,
                &few.pages,
            ),
            cpu(
                "processor time a page, 100,000 tokens to 20",
                &most.pages,
                &few.pages,
            ),
            time(
                "key to last byte, a move, 100,000 tokens to 20",
                &most.moves,
                &few.moves,
                1.2,
            ),
            time(
                "key to last byte, a letter, 100,000 tokens to 20",
                &most.letters,
                &few.letters,
                1.5,
            ),
            memory("memory of 25,000 tokens over 20, KiB", many),
            memory("memory of 100,000 tokens over 20, KiB", most),
        ]
    }
}

impl Shown {
    fn opened(program: &Path, sim: &mut Sim, total: usize) -> Self {
        let (id, secret) = sim.connect_pair();
        let connect = Connect::new(&id, &secret, total - 1);
        let stand = sim.serve(Behaviour::Connect(connect)).unwrap();
        let home = home_of(&format!("{}/public/v1", stand.url), &id, &secret);
        let mut app = Session::start(program, &[], home.path());
        app.ready("Successfully Connected");
        app.press("\t");
        app.press("\t");
        app.press("\t");
        app.press("l");
        app.ready("newest first");
        // The connection's own probes rest; what the footer says about it goes by itself.
        app.press("p");
        app.rest(Duration::from_secs(10));
        Self {
            app,
            account: Account::default(),
            _home: home,
        }
    }

    fn ended(mut self) -> Account {
        self.app.press("\x1b");
        self.app.settle(Duration::from_secs(1));
        self.account.memory_kib = self.app.memory_kib() as f64;
        self.account
    }
}

/// A home with one connection, its key in a file.
fn home_of(url: &str, id: &str, secret: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let key = home.path().join("key");
    written(&key, secret);
    let text = format!(
        "version = 1\n\n[[connection]]\nname = \"market\"\nservice = \"connect\"\nurl = \"{url}\"\n\
         username = \"{id}\"\nkey = \"file:{}\"\n",
        key.display()
    );
    configured(home.path(), &text);
    home
}
