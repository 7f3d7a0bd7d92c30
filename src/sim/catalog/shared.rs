//! Reasons of the shared token: a sound Blesta, and a CMS at its other end.

use std::io;

use super::super::Sim;
use super::super::behaviour::Behaviour;
use super::super::bridge::{Bridge, BridgeState};
use super::super::entry::CatalogEntry;
use crate::domain::Reason;

pub(super) fn raise(sim: &mut Sim) -> io::Result<Vec<CatalogEntry>> {
    let mut entries = Vec::new();
    let token = sim.shared_token();
    for (reason, state) in [
        (Reason::TokenMismatch, BridgeState::On),
        (Reason::TokenHeaderStripped, BridgeState::HeaderStripped),
        (Reason::TokenClock, BridgeState::ClockAhead(600)),
        (Reason::TokenEndpointAbsent, BridgeState::Absent),
    ] {
        let there = match reason {
            Reason::TokenMismatch => "another-token-than-the-one-here".to_owned(),
            _ => token.clone(),
        };
        let blesta = sim.blesta();
        let (username, key) = (blesta.username.clone(), blesta.key.clone());
        let stand = sim.serve(Behaviour::Blesta(blesta))?;
        let cms = sim.serve(Behaviour::Bridge(Bridge {
            token: there,
            state,
        }))?;
        entries.push(CatalogEntry {
            token: Some(token.clone()),
            cms_url: Some(cms.url),
            ..CatalogEntry::new(reason, 200)
                .at(stand.url)
                .with_pair(&username, &key)
        });
    }
    entries.extend(verify_alone(sim, &token)?);
    Ok(entries)
}

/// These two end `token verify` only: in a probe they are the state of the check `token`.
fn verify_alone(sim: &mut Sim, token: &str) -> io::Result<[CatalogEntry; 2]> {
    let cms = sim.serve(Behaviour::Bridge(Bridge {
        token: token.to_owned(),
        state: BridgeState::On,
    }))?;
    let valid = CatalogEntry {
        status: 200,
        token: Some(token.to_owned()),
        cms_url: Some(cms.url),
        ..CatalogEntry::explained(
            Reason::TokenValid,
            "ends `token verify` only: give it this cms_url and token",
        )
    };
    let unverifiable = CatalogEntry {
        token: Some(token.to_owned()),
        ..CatalogEntry::explained(
            Reason::TokenUnverifiable,
            "ends `token verify` only: give it this token and no CMS URL",
        )
    };
    Ok([valid, unverifiable])
}
