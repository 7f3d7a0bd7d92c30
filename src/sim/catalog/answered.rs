//! Reasons that somebody's answer carries: the service's own, a web server's, a redirect.

use std::io;

use super::super::Sim;
use super::super::behaviour::{Behaviour, Fault, Redirect};
use super::super::blesta::{Blesta, BlestaState, Company, Noise};
use super::super::connect::{Access, BASE, Connect};
use super::super::entry::CatalogEntry;
use super::super::pages::StockPage;
use crate::domain::Reason;

/// The limit of a reply is 1 MiB; this many bytes are far over it.
const FLOOD: u64 = 200 * 1024 * 1024;

pub(super) fn raise(sim: &mut Sim) -> io::Result<Vec<CatalogEntry>> {
    let mut entries = in_the_way(sim)?;
    entries.extend(blesta_with_key(sim)?);
    entries.extend(blesta_without_key(sim)?);
    entries.extend(redirects(sim)?);
    entries.extend(connect(sim)?);
    entries.extend(spoilt(sim)?);
    Ok(entries)
}

/// Somebody else answers, so no credentials are given.
fn in_the_way(sim: &mut Sim) -> io::Result<Vec<CatalogEntry>> {
    [
        (Reason::ServerPassword, StockPage::ApachePassword),
        (Reason::ServerRule, StockPage::ApacheForbidden),
        (Reason::CdnBlock, StockPage::CloudflareBlock),
        (Reason::ChallengePage, StockPage::CloudflareChallenge),
        (Reason::WafBlock, StockPage::Sucuri),
        (Reason::NotAcceptable, StockPage::NotAcceptable),
        (Reason::NotFound, StockPage::ApacheNotFound),
        (
            Reason::NotTheService,
            StockPage::Front("Our Shop".to_owned()),
        ),
        (Reason::EmptyReply, StockPage::Empty),
        (Reason::RateLimited, StockPage::TooManyRequests(120)),
        (Reason::ServerError, StockPage::ApacheError),
        (Reason::GatewayDown, StockPage::NginxGateway(502)),
        (Reason::UnexpectedStatus, StockPage::Status(418)),
    ]
    .into_iter()
    .map(|(reason, page)| {
        let status = page.answer().status;
        let stand = sim.serve(Behaviour::Page(page))?;
        Ok(CatalogEntry::new(reason, status).at(stand.url))
    })
    .collect()
}

/// Blesta answers, and username and key are right unless the reason is that they are not.
fn blesta_with_key(sim: &mut Sim) -> io::Result<Vec<CatalogEntry>> {
    let sound = sim.blesta();
    let changed = |change: &dyn Fn(&mut Blesta)| {
        let mut blesta = sound.clone();
        change(&mut blesta);
        blesta
    };
    let plan = [
        (Reason::Connected, 200, sound.clone()),
        (
            Reason::ConnectedNoisy,
            200,
            changed(&|b| b.noise = Noise::PhpNotice),
        ),
        (
            Reason::CredentialsRejected,
            401,
            changed(&|b| b.key = "0".repeat(32)),
        ),
        (
            Reason::AuthorizationStripped,
            401,
            changed(&|b| b.strips_authorization = true),
        ),
        (Reason::RewriteOff, 200, changed(&|b| b.rewriting = false)),
        (Reason::WrongCompany, 200, changed(&other_company)),
        (
            Reason::Maintenance,
            503,
            changed(&|b| b.mood = BlestaState::Maintenance),
        ),
        (
            Reason::ServiceException,
            500,
            changed(&|b| {
                b.mood = BlestaState::Exception("SQLSTATE[HY000] [2002] Connection refused".into());
            }),
        ),
    ];
    plan.into_iter()
        .map(|(reason, status, blesta)| {
            let stand = sim.serve(Behaviour::Blesta(blesta))?;
            let entry = CatalogEntry::new(reason, status).at(stand.url);
            Ok(entry.with_pair(&sound.username, &sound.key))
        })
        .collect()
}

fn other_company(blesta: &mut Blesta) {
    blesta.companies = vec![Company {
        id: 2,
        name: "Other Ltd".to_owned(),
        hostname: "billing.other.example".to_owned(),
    }];
}

/// The URL alone, or half of the pair.
fn blesta_without_key(sim: &mut Sim) -> io::Result<Vec<CatalogEntry>> {
    let sound = sim.blesta();
    let mut at = |blesta: &Blesta| {
        sim.serve(Behaviour::Blesta(blesta.clone()))
            .map(|stand| stand.url)
    };
    let cut = Blesta {
        mood: BlestaState::PathCut,
        ..sound.clone()
    };
    let (username, key) = (Some(sound.username.clone()), Some(sound.key.clone()));
    Ok(vec![
        CatalogEntry::new(Reason::UrlMissing, 0).at(""),
        CatalogEntry::new(Reason::UrlInvalid, 0).at("ftp://billing.example.com"),
        CatalogEntry::new(Reason::ServiceFound, 401).at(at(&sound)?),
        CatalogEntry {
            key,
            ..CatalogEntry::new(Reason::UsernameMissing, 401).at(at(&sound)?)
        },
        CatalogEntry {
            username,
            ..CatalogEntry::new(Reason::KeyMissing, 401).at(at(&sound)?)
        },
        CatalogEntry::new(Reason::ApiPathWrong, 404).at(at(&cut)?),
        CatalogEntry::new(Reason::UrlHasApi, 415).at(format!("{}/api", at(&sound)?)),
        CatalogEntry::new(Reason::UrlHasAdmin, 302).at(format!("{}/admin", at(&sound)?)),
    ])
}

fn redirects(sim: &mut Sim) -> io::Result<Vec<CatalogEntry>> {
    let behind = sim.blesta();
    let ca = sim.ca_file().display().to_string();
    let https = sim.serve_both(Behaviour::Redirect(Redirect::Https, behind.clone()))?;
    let https = CatalogEntry::new(Reason::RedirectHttps, 301)
        .at(https.url)
        .with_args(["--ca-file", &ca]);
    let mut entries = vec![https];
    for (reason, redirect) in [
        (Reason::RedirectHost, Redirect::Host("localhost".to_owned())),
        (Reason::RedirectPath, Redirect::Path("/billing".to_owned())),
        (Reason::RedirectLoop, Redirect::Loop),
    ] {
        let mut behind = behind.clone();
        if let Redirect::Path(folder) = &redirect {
            behind.base.clone_from(folder);
        }
        let stand = sim.serve(Behaviour::Redirect(redirect, behind))?;
        entries.push(CatalogEntry::new(reason, 301).at(stand.url));
    }
    Ok(entries)
}

fn connect(sim: &mut Sim) -> io::Result<Vec<CatalogEntry>> {
    let (id, secret) = sim.connect_pair();
    let forbidden = Connect::new(&id, &secret, 0).with_access(Access::Nothing);
    let expiring = Connect::new(&id, &secret, 3).expiring();
    [
        (Reason::PermissionMissing, 403, forbidden),
        (Reason::KeyInUseInactive, 200, expiring),
    ]
    .into_iter()
    .map(|(reason, status, connect)| {
        let stand = sim.serve(Behaviour::Connect(connect))?;
        Ok(CatalogEntry {
            service: "connect",
            ..CatalogEntry::new(reason, status)
                .at(format!("{}{BASE}", stand.url))
                .with_pair(&id, &secret)
        })
    })
    .collect()
}

/// A status comes, and then the reply goes wrong.
fn spoilt(sim: &mut Sim) -> io::Result<Vec<CatalogEntry>> {
    [
        (Reason::BodyTooLarge, Fault::Flood(FLOOD)),
        (Reason::ReplyCut, Fault::ShortBody),
    ]
    .into_iter()
    .map(|(reason, fault)| {
        let stand = sim.serve(Behaviour::Fault(fault))?;
        Ok(CatalogEntry::new(reason, 200).at(stand.url))
    })
    .collect()
}
