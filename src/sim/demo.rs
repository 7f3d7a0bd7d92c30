//! The connections of `switchboard demo`: every state at once, and something to mend.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::Sim;
use super::behaviour::{Behaviour, Fault};
use super::blesta::{Blesta, BlestaState};
use super::bridge::{Bridge, BridgeState};
use super::certificates::Certificate;
use super::connect::Connect;
use super::http::Style;
use super::pages::StockPage;

/// One connection of the demonstration. Its key and token open nothing but the rehearsal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rehearsal {
    /// Its name.
    pub name: &'static str,
    /// What is at the other end.
    pub service: &'static str,
    /// Where.
    pub url: String,
    /// The username to give.
    pub username: String,
    /// The key to give.
    pub key: Option<String>,
    /// The shared token to give.
    pub token: Option<String>,
    /// Where the CMS of that token is.
    pub cms_url: Option<String>,
    /// For filters and groups.
    pub tags: Vec<&'static str>,
    /// The authority that it needs, PEM.
    pub ca_file: Option<PathBuf>,
    /// Seconds that a whole probe may take, where it is not the default.
    pub timeout_s: Option<u32>,
}

impl Sim {
    /// Raises the demonstration: up, refused credentials, maintenance, a front page, a slow one, and more.
    pub fn demo_set(&mut self) -> io::Result<Vec<Rehearsal>> {
        let mut set = self.up()?;
        set.extend(self.with_something_to_mend()?);
        set.extend(self.down()?);
        Ok(set)
    }

    fn up(&mut self) -> io::Result<Vec<Rehearsal>> {
        let shop = self.blesta();
        let mut eu = self.blesta();
        "/billing".clone_into(&mut eu.base);
        if let Some(company) = eu.companies.first_mut() {
            "Shop Europe".clone_into(&mut company.name);
        }
        let token = self.shared_token();
        let cms = self.serve(Behaviour::Bridge(Bridge {
            token: token.clone(),
            state: BridgeState::On,
        }))?;
        let shop = Rehearsal {
            token: Some(token),
            cms_url: Some(cms.url),
            ..self.over_blesta("shop", &shop, vec!["prod"])?
        };
        let mut eu = self.over_blesta("eu", &eu, vec!["prod", "eu"])?;
        eu.url.push_str("/billing");

        let (id, secret) = self.connect_pair();
        // More than two pages, of every kind.
        let account = Connect::new(&id, &secret, 260).with_quota(64);
        let market = self.serve(Behaviour::Connect(account))?;
        let market = Rehearsal {
            name: "marketplace",
            service: "connect",
            url: format!("{}{}", market.url, super::connect::BASE),
            username: id,
            key: Some(secret),
            tags: vec!["prod"],
            ..Rehearsal::default()
        };
        let slow = self.blesta();
        let slow = self.over_blesta("slow", &slow, vec!["prod", "us"])?;
        self.dress(
            &slow.url,
            Style {
                latency: Duration::from_millis(900),
                ..Style::default()
            },
        );
        Ok(vec![shop, eu, market, slow])
    }

    fn with_something_to_mend(&mut self) -> io::Result<Vec<Rehearsal>> {
        let sound = self.blesta();
        let staging = Rehearsal {
            key: Some("0".repeat(32)),
            ..self.over_blesta("staging", &sound, vec!["test"])?
        };
        let stripped = Blesta {
            strips_authorization: true,
            ..sound.clone()
        };
        let cgi = self.over_blesta("cgi-host", &stripped, vec!["test"])?;
        let front = self.serve(Behaviour::Page(StockPage::Front("Our Shop".to_owned())))?;
        let moved = Rehearsal {
            name: "moved",
            service: "blesta",
            url: front.url,
            username: sound.username,
            key: Some(sound.key),
            tags: vec!["test"],
            ..Rehearsal::default()
        };
        let draft = Rehearsal {
            username: String::new(),
            key: None,
            ..self.over_blesta("draft", &self.blesta(), vec!["test"])?
        };
        Ok(vec![staging, cgi, moved, draft])
    }

    fn down(&mut self) -> io::Result<Vec<Rehearsal>> {
        let sound = self.blesta();
        let legacy = Rehearsal {
            url: self.refuse()?.url,
            ..Self::keyed("legacy", &sound, vec!["old"])
        };
        let expired = self.serve_tls(Behaviour::Blesta(sound.clone()), Certificate::Expired)?;
        let expired = Rehearsal {
            url: expired.url,
            ca_file: Some(self.ca_file()),
            ..Self::keyed("partner", &sound, vec!["eu"])
        };
        let closed = Blesta {
            mood: BlestaState::Maintenance,
            ..sound.clone()
        };
        let upgrade = self.over_blesta("upgrade", &closed, vec!["test"])?;
        let silent = self.serve(Behaviour::Fault(Fault::Silence))?;
        let silent = Rehearsal {
            url: silent.url,
            timeout_s: Some(3),
            ..Self::keyed("branch", &sound, vec!["us"])
        };
        Ok(vec![legacy, expired, upgrade, silent])
    }

    fn over_blesta(
        &mut self,
        name: &'static str,
        blesta: &Blesta,
        tags: Vec<&'static str>,
    ) -> io::Result<Rehearsal> {
        let stand = self.serve(Behaviour::Blesta(blesta.clone()))?;
        Ok(Rehearsal {
            url: stand.url,
            ..Self::keyed(name, blesta, tags)
        })
    }

    fn keyed(name: &'static str, blesta: &Blesta, tags: Vec<&'static str>) -> Rehearsal {
        Rehearsal {
            name,
            service: "blesta",
            username: blesta.username.clone(),
            key: Some(blesta.key.clone()),
            tags,
            ..Rehearsal::default()
        }
    }
}
