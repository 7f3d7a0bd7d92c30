//! What the transport needs for a connection: its files read, its proxy chosen.

use std::path::Path;
use std::time::Duration;

use super::error::WorkError;
use super::targets::TargetSettings;
use crate::config::Environment;
use crate::domain::proxy::ProxyUrl;
use crate::domain::{Connection, Secret};
use crate::probe::Profile;
use crate::probe::profile::{ClientIdentity, EnvironmentProxies, ProxyChoice};
use crate::store::files;

/// The profile of a connection. Blocks on its files.
pub(super) fn read(
    connection: &Connection,
    timeout: Duration,
    environment: &Environment,
) -> Result<Profile, WorkError> {
    let roots = connection.ca_file.as_deref().map(pem).transpose()?;
    Ok(Profile {
        timeout,
        proxy: proxy(connection.proxy.as_deref(), environment),
        extra_roots: roots.into_iter().collect(),
        identity: identity(connection)?,
        family: connection.family,
        ..Profile::default()
    })
}

impl TargetSettings {
    /// The profile of a list's targets.
    pub(super) fn profile(&self, timeout: Duration, environment: &Environment) -> Profile {
        let default = Profile::default();
        Profile {
            timeout,
            proxy: proxy(self.proxy.as_deref(), environment),
            family: self.family,
            ..default
        }
    }
}

fn proxy(own: Option<&str>, environment: &Environment) -> ProxyChoice {
    if let Some(own) = own {
        return ProxyChoice::Url(ProxyUrl::new(own));
    }
    let variables = &environment.proxies;
    let url = |value: &Option<String>| value.as_deref().map(ProxyUrl::new);
    ProxyChoice::Environment(EnvironmentProxies {
        http: url(&variables.http),
        https: url(&variables.https),
        all: url(&variables.all),
        none: variables.no.clone().unwrap_or_default(),
    })
}

fn identity(connection: &Connection) -> Result<Option<ClientIdentity>, WorkError> {
    let Some(certificate) = &connection.client_cert else {
        return Ok(None);
    };
    // One file may hold both.
    let key = connection.client_key.as_ref().unwrap_or(certificate);
    let Ok(text) = String::from_utf8(pem(key)?) else {
        return Err(WorkError::failed(
            "reading the client's key",
            format!("{} is not text", files::shown(key)),
        ));
    };
    Ok(Some(ClientIdentity {
        certificate: pem(certificate)?,
        key: Secret::new(text),
    }))
}

fn pem(path: &Path) -> Result<Vec<u8>, WorkError> {
    files::read_pem(path)
        .map_err(|problem| WorkError::failed("reading a certificate file", problem))
}
