//! The tokens of an account, few and very many: what a key costs, and what they take.

use std::path::Path;
use std::time::Duration;

use switchboard::sim::{Behaviour, Connect, Sim, SimSettings};

use crate::home::{configured, written};
use crate::measures::{Keys, press};
use crate::session::Session;

/// So few that all are on one page of the screen and one of the service.
pub const FEW: usize = 20;
/// What an issue of the service's largest accounts asks for.
pub const MANY: usize = 25_000;
/// What nobody has.
pub const MOST: usize = 100_000;

const MOVES: usize = 120;
const PAGES: usize = 60;

/// What was measured over one account.
#[derive(Default)]
pub struct Account {
    /// Moves by one row, inside of what is held.
    pub moves: Keys,
    /// Moves by a page, there and back.
    pub pages: Keys,
    /// Letters of the filter. The service filters; a letter shows the text alone.
    pub letters: Keys,
    /// Resident memory after all of it, in KiB.
    pub memory_kib: f64,
}

impl Account {
    /// Opens the tokens of an account that has `total` of them.
    pub fn taken(program: &Path, total: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let _inside = runtime.enter();
        let mut sim = Sim::bare(SimSettings::default()).unwrap();
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
        let mut account = Self::default();
        for at in 0..MOVES {
            let key = if at / 15 % 2 == 0 { "j" } else { "k" };
            press(&mut app, key, &mut account.moves);
        }
        for at in 0..PAGES {
            let key = if at % 2 == 0 { "\x1b[6~" } else { "\x1b[5~" };
            press(&mut app, key, &mut account.pages);
        }
        app.press("/");
        for _ in 0..20 {
            for key in ["9", "\x7f"] {
                press(&mut app, key, &mut account.letters);
            }
        }
        app.press("\x1b");
        app.settle(Duration::from_secs(1));
        account.memory_kib = app.memory_kib() as f64;
        account
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
