//! The options of the way to a server, put into a connection.

use std::path::{Path, PathBuf};

use crate::cli::arguments::{RouteArguments, SendingArguments};
use crate::cli::fault::Fault;
use crate::cli::output;
use crate::domain::{AddressFamily, AuthStyle, Connection};
use crate::store::files;

/// Puts into `connection` how its key is sent.
pub fn apply_sending(connection: &mut Connection, sending: &SendingArguments) {
    if let Some(style) = sending.auth.as_deref().and_then(AuthStyle::from_word) {
        connection.auth = style;
    }
    connection.allow_http |= sending.allow_http;
}

/// Puts the options of the way there into `connection`.
pub fn apply_route(connection: &mut Connection, way: &RouteArguments) -> Result<(), Fault> {
    let file = |field: &mut Option<Box<Path>>, value: &Option<PathBuf>| {
        if let Some(value) = value {
            *field = Some(value.as_path().into());
        }
    };
    file(&mut connection.ca_file, &way.ca_file);
    file(&mut connection.client_cert, &way.client_cert);
    file(&mut connection.client_key, &way.client_key);
    if let Some(proxy) = &way.proxy {
        refuse_password(proxy)?;
        connection.proxy = Some(proxy.clone());
    }
    let given = way.client_cert.is_some() || way.client_key.is_some();
    if given && connection.client_cert.is_some() != connection.client_key.is_some() {
        return Err(
            Fault::usage("a client certificate and its key belong together")
                .hint("--client-cert F --client-key F; one file may hold both"),
        );
    }
    if way.client_cert.is_some() && way.client_key.is_none() {
        let stays = connection.client_key.as_deref().map(files::shown);
        output::say(&format!(
            "switchboard: its key stays {}",
            stays.unwrap_or_default()
        ));
    }
    if way.ipv4 {
        connection.family = AddressFamily::V4;
    } else if way.ipv6 {
        connection.family = AddressFamily::V6;
    }
    Ok(())
}

/// Arguments can be read by others: a proxy's password belongs into the variable.
pub(super) fn refuse_password(proxy: &str) -> Result<(), Fault> {
    if proxy.contains('@') {
        return Err(
            Fault::usage("a proxy's password can't stand in an argument")
                .hint("put the proxy into the variable https_proxy or http_proxy"),
        );
    }
    Ok(())
}
