//! A model as an admin would have it after a morning's work: eight connections in every state.

use std::time::Duration;

use jiff::Timestamp;
use switchboard::app::model::{
    FieldLamp, FieldText, Form, ListedConnection, LoadState, ProbeState, UrlHint,
};
use switchboard::app::secret_field::SecretField;
use switchboard::app::{FieldId, Model};
use switchboard::domain::{
    Address, AnsweredBy, Certificate, CheckId, Checks, Connection, Identity, Name, Phases, Reason,
    Remedy, Secret, SecretRef, ServiceId, State, TlsFacts, Verdict, Who,
};

/// The moment at which all samples are looked at.
pub(crate) fn now() -> Timestamp {
    "2026-11-23T10:00:00Z".parse().unwrap()
}

/// `now` and some seconds.
pub(crate) fn after(seconds: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() + seconds).unwrap()
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// Eight connections, `shop` selected, the list focused.
pub(crate) fn model(width: u16, height: u16) -> Model {
    let mut model = empty(width, height);
    for entry in entries() {
        model.disguise.learn_connection(&entry.connection);
        if let Some(verdict) = &entry.verdict {
            model.disguise.learn_verdict(verdict);
        }
        let name = entry.connection.name.clone();
        model.list.visible.push(name.clone());
        model.entries.insert(name, Box::new(entry));
    }
    model.list.visible.sort_by_key(|name| {
        let severity = match model.entries[name].state() {
            State::Down => 0,
            State::Warn => 1,
            State::Unknown => 2,
            State::Ok => 3,
        };
        (severity, name.clone())
    });
    let key = SecretRef::Vault("shop/key".to_owned());
    model
        .dates
        .insert(key, "2026-03-02T09:00:00Z".parse().unwrap());
    select(&mut model, "shop");
    model
}

/// A model with nothing in it, its configuration read.
pub(crate) fn empty(width: u16, height: u16) -> Model {
    let mut model = Model::new((width, height), now());
    model.loaded = LoadState::Ready;
    model.watching = true;
    model
}

pub(crate) fn select(model: &mut Model, text: &str) {
    model.list.selected = Some(name(text));
}

fn entries() -> Vec<ListedConnection> {
    vec![
        entry(
            connection("shop", "https://billing.example.com"),
            Some(good("shop", 42)),
        ),
        entry(
            connection("eu", "https://eu.example.com/billing"),
            Some(good("eu", 88)),
        ),
        entry(
            connection("us", "https://us.example.com"),
            Some(good("us", 131)),
        ),
        entry(
            connection("staging", "https://staging.example.com"),
            Some(stripped()),
        ),
        entry(
            connection("legacy", "https://legacy.example.net:8443"),
            Some(refused()),
        ),
        entry(
            connection("partner", "https://partner.example.org"),
            Some(paused()),
        ),
        ListedConnection {
            probe: ProbeState::Running {
                generation: 7,
                checks: Box::new(half_way()),
            },
            ..entry(
                connection("東京支店の請求サーバー", "https://tokyo.example.jp"),
                None,
            )
        },
        entry(
            Connection {
                service: ServiceId::connect(),
                username: "SU-160-984-311".into(),
                token: None,
                ..connection("connect", "https://api.connect.cloudblue.com/public/v1")
            },
            None,
        ),
    ]
}

pub(crate) fn connection(text: &str, url: &str) -> Connection {
    Connection {
        username: format!("{text}-api"),
        key: Some(SecretRef::Vault(format!("{text}/key"))),
        token: Some(SecretRef::Vault(format!("{text}/token"))),
        tags: vec!["eu".into(), "prod".into()],
        ..Connection::new(name(text), ServiceId::blesta(), url)
    }
}

pub(crate) fn entry(connection: Connection, verdict: Option<Verdict>) -> ListedConnection {
    ListedConnection {
        connection: connection.into(),
        strip: verdict.as_ref().map_or_else(Vec::new, strip),
        since: verdict.as_ref().map(|_| after(-2_900)),
        verdict: verdict.map(Box::new),
        probe: ProbeState::Idle,
        stood: None,
        share: None,
    }
}

/// An hour of results: a stumble, then what the last one says.
fn strip(verdict: &Verdict) -> Vec<State> {
    let mut strip = vec![State::Ok; 24];
    strip[9] = State::Down;
    strip[10] = State::Warn;
    strip.extend([verdict.state(); 6]);
    strip
}

fn verdict(text: &str, reason: Reason) -> Verdict {
    Verdict {
        connection: Some(name(text)),
        service: ServiceId::blesta(),
        url: format!("https://{text}.example.com"),
        reason,
        status: 0,
        title: reason.title().to_owned(),
        cause: String::new(),
        answered_by: AnsweredBy::Nobody,
        evidence: Vec::new(),
        remedy: Remedy {
            who: Who::You,
            steps: Vec::new(),
            snippet: None,
            url: None,
            doc: None,
        },
        checks: Checks::default(),
        addresses: vec![address("203.0.113.7:443", State::Ok, Some(8.2))],
        phases: Phases::default(),
        tls: None,
        identity: None,
        service_version: None,
        redirects: Vec::new(),
        retry_at: None,
        changed_since_last_good: Vec::new(),
        at: now(),
    }
}

fn address(text: &str, state: State, ms: Option<f64>) -> Address {
    Address {
        address: text.parse().unwrap(),
        state,
        ms,
    }
}

/// Checks of which the first `passed` are in order.
fn passed(count: usize) -> Checks {
    let mut checks = Checks::default();
    for id in CheckId::ALL.into_iter().take(count) {
        checks.set(id, State::Ok, format!("{} in order", id.word()), Some(4.0));
    }
    checks
}

fn half_way() -> Checks {
    let mut checks = Checks::default();
    checks.set(CheckId::Url, State::Ok, "https://tokyo.example.jp", None);
    checks.set(
        CheckId::Dns,
        State::Ok,
        "203.0.113.9, 2001:db8::9",
        Some(12.4),
    );
    checks.set(CheckId::Connect, State::Ok, "203.0.113.9:443", Some(201.0));
    checks
}

fn phases(total: u64) -> Phases {
    let ms = |ms| Some(Duration::from_millis(ms));
    Phases {
        dns: ms(1),
        connect: ms(8),
        tls: ms(17),
        wait: ms(total - 26),
        body: Some(Duration::from_micros(300)),
        total: ms(total),
    }
}

fn tls(days: i64) -> TlsFacts {
    TlsFacts {
        version: Some("TLSv1.3".into()),
        chain: vec![Certificate {
            subject: "CN=billing.example.com".into(),
            issuer: "CN=R11, O=Let's Encrypt".into(),
            names: vec!["billing.example.com".into()],
            not_before: after(-86_400 * 29),
            not_after: after(86_400 * days),
            fingerprint: "ab".repeat(32),
        }],
        verified: true,
    }
}

/// Everything in order.
pub(crate) fn good(text: &str, total: u64) -> Verdict {
    Verdict {
        status: 200,
        answered_by: AnsweredBy::Service,
        cause: "Blesta answered as itself and took the credentials.".into(),
        checks: passed(8),
        phases: phases(total),
        tls: Some(tls(61)),
        identity: Some(Identity {
            id: Some("1".into()),
            name: Some("Shop Ltd".into()),
            host: Some("billing.example.com".into()),
        }),
        service_version: Some("5.13.7".into()),
        ..verdict(text, Reason::Connected)
    }
}

/// A header that never arrives: somebody else must act, with something to paste.
pub(crate) fn stripped() -> Verdict {
    let mut checks = passed(6);
    checks.set(
        CheckId::Credentials,
        State::Warn,
        "Basic 401, headers 200",
        Some(31.0),
    );
    Verdict {
        status: 401,
        answered_by: AnsweredBy::WebServer,
        cause: "The web server takes the Authorization header out of the request before Blesta sees it: \
                with Basic the key was refused, by the BLESTA-API headers it was accepted."
            .into(),
        evidence: vec![
            "Basic: 401 {\"message\":\"The authorization details given appear to be invalid.\"}".into(),
            "BLESTA-API-USER and BLESTA-API-KEY: 200".into(),
            "Server: Apache/2.4.57 (Debian), PHP by FastCGI".into(),
        ],
        remedy: Remedy {
            who: Who::Host,
            steps: vec![
                "Add the two lines below to .htaccess in the folder of Blesta, above its own rules.".into(),
                "With PHP-FPM behind a <VirtualHost>, set CGIPassAuth On instead.".into(),
                "Probe again: Basic must be accepted too.".into(),
            ],
            snippet: Some(
                "RewriteEngine On\nRewriteRule .* - [E=HTTP_AUTHORIZATION:%{HTTP:Authorization}]".into(),
            ),
            url: None,
            doc: Some("https://docs.blesta.com/developers/api".into()),
        },
        checks,
        phases: phases(118),
        tls: Some(tls(9)),
        changed_since_last_good: vec![
            "server: nginx/1.24.0 → Apache/2.4.57 (Debian)".into(),
            "address: 203.0.113.4 → 203.0.113.7".into(),
        ],
        ..verdict("staging", Reason::AuthorizationStripped)
    }
}

fn refused() -> Verdict {
    let mut checks = passed(2);
    checks.set(
        CheckId::Connect,
        State::Down,
        "refused at both addresses",
        Some(0.8),
    );
    Verdict {
        cause: "Nothing listens on port 8443 of legacy.example.net.".into(),
        evidence: vec!["203.0.113.20:8443 and [2001:db8::20]:8443 refused within 1 ms".into()],
        remedy: Remedy {
            who: Who::You,
            steps: vec!["Check the port: Blesta is usually reached on 443.".into()],
            snippet: None,
            url: Some("https://legacy.example.net".into()),
            doc: None,
        },
        checks,
        addresses: vec![
            address("203.0.113.20:8443", State::Down, Some(0.8)),
            address("[2001:db8::20]:8443", State::Down, Some(0.4)),
            address("203.0.113.21:8443", State::Unknown, None),
        ],
        phases: Phases {
            dns: Some(Duration::from_millis(3)),
            connect: Some(Duration::from_micros(200)),
            ..Phases::default()
        },
        redirects: vec!["https://legacy.example.net/".into()],
        ..verdict("legacy", Reason::Refused)
    }
}

fn paused() -> Verdict {
    Verdict {
        cause: "The key was refused twice, so it is not sent again for a while: the host would ban this \
                machine."
            .into(),
        checks: passed(4),
        phases: Phases {
            dns: Some(Duration::from_millis(2)),
            ..phases(60)
        },
        retry_at: Some(after(872)),
        ..verdict("partner", Reason::AuthPaused)
    }
}

fn lamp(state: State, word: &str) -> FieldLamp {
    FieldLamp {
        state,
        word: word.into(),
        probing: false,
    }
}

/// A form as `n` and some typing leave it: the cursor at the end of the URL, which has a hint.
pub(crate) fn form() -> Form {
    let mut form = Form::empty();
    form.set_text(
        FieldId::Url,
        "https://billing.example.com/admin/login?from=/client/index",
    );
    form.set_text(FieldId::Username, "shop-api");
    form.set_text(FieldId::Name, "billing.example.com");
    for field in &mut form.fields {
        match field.id {
            FieldId::Url => field.lamp.probing = true,
            FieldId::Username => field.lamp = lamp(State::Ok, "set"),
            FieldId::Key => {
                let key = Secret::new("0123456789abcdef0123456789abcdef");
                field.text = FieldText::Secret(SecretField::holding(key));
                field.lamp = lamp(State::Warn, "401 Denied: header stripped");
            }
            _ => {}
        }
    }
    form.probe = ProbeState::Running {
        generation: 8,
        checks: Box::new(half_way()),
    };
    form.dirty = true;
    form.hint = Some(UrlHint {
        text: "/admin is for people, the API is at the top".into(),
        url: Some("https://billing.example.com".into()),
    });
    form
}
