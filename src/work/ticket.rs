//! Tickets: what a verdict rests on, worded for whoever must act. Times in UTC. Before anybody sees one it is
//! compared with the secrets of its connection and looked through for the shape of any; its last line says
//! which of them could not be read to be compared.

mod asked;
mod cms;
mod words;

use super::core::Core;
use super::error::WorkError;
use crate::domain::history::History;
use crate::domain::{Connection, HandleSlot, Name, Reason, Secret, State, Verdict, shape};
use crate::service::sign::scan;
use crate::service::verify::{CmsQuestion, is_about_cms};

/// Who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Whoever runs the host: what to allow or mend.
    Host,
    /// The maker of the service: what it answered.
    Vendor,
    /// The owner of the connection: everything, and what to do next.
    Me,
}

impl Audience {
    /// Everyone.
    pub const ALL: [Self; 3] = [Self::Host, Self::Vendor, Self::Me];

    /// The word on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Vendor => "vendor",
            Self::Me => "me",
        }
    }

    /// The reader that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reader| reader.word() == word)
    }
}

/// When the verdict was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// By a probe made for this ticket.
    Fresh,
    /// Before: the last one that the screen shows.
    Last,
}

/// All that a ticket is made of.
pub(super) struct Case<'a> {
    pub(super) verdict: &'a Verdict,
    pub(super) connection: &'a Connection,
    /// What was asked of the CMS, where that is what the verdict is about: it and the service may be run by two.
    pub(super) cms: Option<CmsQuestion>,
    pub(super) curl: Option<String>,
    pub(super) history: Option<History>,
    pub(super) service: String,
    pub(super) freshness: Freshness,
    /// Secrets of the connection that could not be read: whether one is in the text is not known.
    pub(super) uncompared: Vec<HandleSlot>,
}

impl Core {
    /// The ticket on `verdict` of the saved connection `name`. Refused where a secret would be in it.
    pub async fn ticket(
        &self,
        name: &Name,
        verdict: &Verdict,
        (reader, freshness): (Audience, Freshness),
    ) -> Result<String, WorkError> {
        let connection = self.connection(name).await?;
        let service = self.service_of(&connection).await?;
        // Where the key is paused each answer of 401 would lengthen a ban; where nothing was asked for a reason of this
        // side, nothing is to be seen elsewhere.
        let is_paused = verdict.reason == Reason::AuthPaused;
        let on_the_way = verdict.checks.iter().any(|one| one.state == State::Down);
        let shows = !is_paused && (words::was_asked(verdict) || on_the_way);
        let curl = self.curl_of(&connection, Some(verdict)).await.ok();
        let is_secret = shape::username_holds_secret(&connection.username);
        let curl = curl.filter(|_| shows && !is_secret);
        // A query of the URL's own may be a key; one that the service's description adds is none.
        let curl = curl.map(|curl| {
            if connection.url.contains('?') {
                words::without_values(&curl)
            } else {
                curl
            }
        });
        let (mut secrets, uncompared) = self.secrets_to_compare(&connection).await;
        secrets.extend(is_secret.then(|| Secret::new(connection.username.as_str())));
        let asked = CmsQuestion::of(&service, &connection).filter(|_| is_about_cms(verdict.reason));
        let case = Case {
            verdict,
            connection: &connection,
            cms: asked,
            curl,
            history: self.history(name).await.ok(),
            service: service.title().to_owned(),
            freshness,
            uncompared,
        };
        let text = words::ticket(&case, reader);
        match scan::line_with_secret(&text, &connection.username, &secrets) {
            None => Ok(text),
            Some(line) => Err(WorkError::failed(
                format!("writing the ticket on {name}"),
                format!(
                    "line {line} would hold a secret or what looks like one; nothing was written. \
                     Look for it in the URL, the username and the note"
                ),
            )),
        }
    }

    /// The values that the text is compared with, and those that can't be had. A store is asked and a program
    /// run for one, as for a probe: what leaves for other people is not compared with half of them to save that.
    async fn secrets_to_compare(&self, connection: &Connection) -> (Vec<Secret>, Vec<HandleSlot>) {
        let slots = [HandleSlot::Key, HandleSlot::Token]
            .into_iter()
            .chain(HandleSlot::of_added(connection));
        let (mut secrets, mut unread) = (Vec::new(), Vec::new());
        for slot in slots {
            match self.secret(connection, &slot).await {
                Ok(secret) => secrets.push(secret),
                Err(WorkError::NoSuchHandle(..)) => {}
                Err(_) => unread.push(slot),
            }
        }
        (secrets, unread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CheckId, Who};
    use crate::work::edit::{ConnectionEdit, Edit};
    use crate::work::local::local_error;
    use crate::work::tests::{Home, name, shop};

    #[tokio::test]
    async fn the_command_carries_the_key_only_where_the_probe_did() {
        let home = Home::new();
        let mut connection = shop("https://billing.example.com");
        connection.key = Some("env:KEY".parse().unwrap());
        let edit = ConnectionEdit {
            key: Edit::Keep,
            ..ConnectionEdit::new(connection.clone())
        };
        let core = home.core_with(&[("KEY", "the-first-one")]);
        core.save(edit).await.unwrap();
        let how = (Audience::Host, Freshness::Last);
        let keyed = "printf 'user = ";
        let bare = "  curl -sS -i 'https://billing";
        for (reason, credentials, expected) in [
            (Reason::AuthPaused, State::Unknown, None),
            (Reason::KeyWithheld, State::Unknown, Some(bare)),
            (Reason::NotTheService, State::Unknown, Some(bare)),
            (Reason::RateLimited, State::Warn, Some(bare)),
            (Reason::RedirectHost, State::Unknown, Some(bare)),
            (Reason::ServerPassword, State::Unknown, Some(bare)),
            (Reason::CredentialsRejected, State::Warn, Some(keyed)),
            (Reason::AuthorizationStripped, State::Warn, Some(keyed)),
        ] {
            let mut verdict = local_error(Some(&connection.name), &connection.service, "", "");
            verdict.reason = reason;
            verdict.status = 401;
            verdict
                .checks
                .set(CheckId::Credentials, credentials, "", None);
            let text = core.ticket(&name("shop"), &verdict, how).await.unwrap();
            match expected {
                Some(command) => assert!(text.contains(command), "{reason:?} {text}"),
                None => assert!(!text.contains("curl"), "{reason:?} {text}"),
            }
            let warned = text.contains("one more refusal");
            assert_eq!(warned, expected == Some(keyed), "{text}");
        }
    }

    /// What each reason looks like that ends before a request, and two that end behind one.
    #[tokio::test]
    async fn nobody_is_accused_of_what_was_not_asked() {
        let home = Home::new();
        let connection = shop("https://billing.example.com");
        let core = home.core_with(&[]);
        core.save(ConnectionEdit::new(connection.clone()))
            .await
            .unwrap();
        let curl = "curl -sS";
        for (reason, down, waited, expected) in [
            (Reason::UrlInvalid, Some(CheckId::Url), false, "not sent"),
            (Reason::SecretUnavailable, None, false, "not sent"),
            (Reason::AuthPaused, None, false, "not sent"),
            (Reason::KeyWithheld, None, false, "not sent"),
            (Reason::LocalError, None, false, "not sent"),
            (Reason::Offline, None, false, "not sent"),
            (Reason::ProxyFailed, None, false, "not sent"),
            (Reason::DnsNotFound, Some(CheckId::Dns), false, curl),
            (Reason::Refused, Some(CheckId::Connect), false, curl),
            (Reason::TlsExpired, Some(CheckId::Tls), false, curl),
            // TLS 1.3: the certificate is asked for once the request is on its way.
            (
                Reason::TlsClientCertificate,
                Some(CheckId::Tls),
                true,
                "not answered",
            ),
            (
                Reason::ResponseTimeout,
                Some(CheckId::Http),
                true,
                "not answered",
            ),
        ] {
            let mut verdict = local_error(Some(&connection.name), &connection.service, "", "");
            verdict.reason = reason;
            verdict.phases.wait = waited.then_some(std::time::Duration::from_millis(1));
            if let Some(down) = down {
                verdict.checks.set(down, State::Down, "", None);
            }
            for reader in Audience::ALL {
                let how = (reader, Freshness::Last);
                let text = core.ticket(&name("shop"), &verdict, how).await.unwrap();
                assert!(text.contains(expected), "{reason:?} {text}");
                assert_eq!(text.contains("not sent"), !waited, "{reason:?} {text}");
                assert_eq!(text.contains("answer"), waited, "{reason:?} {text}");
                let has_curl = waited || expected == curl || down.is_some();
                assert_eq!(text.contains(curl), has_curl, "{reason:?} {text}");
                let no_address = down.is_some_and(|down| down == CheckId::Dns);
                assert_eq!(text.contains("no address"), no_address, "{reason:?} {text}");
            }
        }
    }

    #[tokio::test]
    async fn a_host_is_asked_for_its_own_steps_alone() {
        let home = Home::new();
        let connection = shop("https://billing.example.com");
        let core = home.core_with(&[]);
        core.save(ConnectionEdit::new(connection.clone()))
            .await
            .unwrap();
        let mut verdict = local_error(Some(&connection.name), &connection.service, "", "");
        verdict.reason = Reason::TlsUnknownIssuer;
        verdict.remedy.who = Who::Host;
        let ours = [
            "Then probe by hand: a watch does not see the cure.",
            "Without the host: h on the screen, switchboard connection edit shop --auth headers.",
            "For a private authority, add its CA file to the connection (--ca-file).",
            "Then add the certificate and its key to the connection (--client-cert, --client-key).",
            "Or check the token once the site is open: switchboard token verify.",
        ];
        let theirs = "Hand the header on.";
        let steps = ours.into_iter().chain([theirs]).map(str::to_owned);
        verdict.remedy.steps = steps.collect();
        for reader in [Audience::Host, Audience::Me] {
            let how = (reader, Freshness::Last);
            let text = core.ticket(&name("shop"), &verdict, how).await.unwrap();
            let is_mine = reader == Audience::Me;
            let number = if is_mine { 6 } else { 1 };
            assert!(text.contains(&format!("  {number}. {theirs}")), "{text}");
            for step in ours {
                assert_eq!(text.contains(step), is_mine, "{step}\n{text}");
            }
        }
    }

    #[tokio::test]
    async fn a_user_name_with_a_key_in_it_stays_here() {
        let home = Home::new();
        let core = home.core_with(&[]);
        let url = "https://billing.example.com";
        let mut connection = shop(url);
        connection.username = "shop-api".to_owned();
        core.save(ConnectionEdit::new(connection.clone()))
            .await
            .unwrap();
        // Written there by hand.
        let path = core.folders().unwrap().configuration.clone();
        let text = std::fs::read_to_string(&path).unwrap();
        let pair = "SU-1-2:hunter2hunter2";
        std::fs::write(&path, text.replace("shop-api", pair)).unwrap();
        let mut verdict = local_error(Some(&connection.name), &connection.service, "", "");
        verdict.reason = Reason::CredentialsRejected;
        verdict.status = 401;
        for reader in Audience::ALL {
            let how = (reader, Freshness::Last);
            let core = home.core_with(&[]);
            let text = core.ticket(&name("shop"), &verdict, how).await.unwrap();
            assert!(!text.contains("hunter2"), "{text}");
            let is_named = reader == Audience::Vendor;
            assert_eq!(text.contains("as: ••••"), is_named, "{text}");
        }
    }

    #[tokio::test]
    async fn a_secret_that_could_not_be_compared_is_named() {
        let home = Home::new();
        let mut connection = shop("https://billing.example.com");
        connection.key = Some("env:KEY".parse().unwrap());
        connection.token = Some("env:TOKEN".parse().unwrap());
        let edit = ConnectionEdit {
            key: Edit::Keep,
            token: Edit::Keep,
            ..ConnectionEdit::new(connection.clone())
        };
        let both = [("KEY", "the-first-one"), ("TOKEN", "the-second")];
        home.core_with(&both).save(edit).await.unwrap();
        let verdict = local_error(Some(&connection.name), &connection.service, "", "");
        let how = (Audience::Me, Freshness::Last);
        for (variables, words) in [
            (&both[..], "No key, token or password is in it."),
            (&both[..1], "not read, so not compared: its token."),
            (&[], "not read, so not compared: its key, its token."),
        ] {
            let core = home.core_with(variables);
            let text = core.ticket(&name("shop"), &verdict, how).await.unwrap();
            let end = text.lines().last().unwrap();
            assert!(end.ends_with(words), "{end}");
        }
    }
}
