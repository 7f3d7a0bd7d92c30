//! Reasons below HTTP: names, connections, proxies, this machine; and those that one probe can't end in.

use std::io;
use std::net::IpAddr;

use super::super::Sim;
use super::super::behaviour::{Behaviour, Fault};
use super::super::entry::CatalogEntry;
use crate::domain::Reason;

/// No resolver looks up a label that begins with a dash, and no such name can exist.
const NO_SUCH_NAME: &str = "http://-no-such-name.invalid";
/// The broadcast address of the loopback network: TCP has no route there, and nothing leaves the machine.
const NO_ROUTE: &str = "http://127.255.255.255:9";
/// Nobody sets this variable.
const UNSET: &str = "SWITCHBOARD_SIM_UNSET";

pub(super) fn raise(sim: &mut Sim) -> io::Result<Vec<CatalogEntry>> {
    let mut entries = vec![
        CatalogEntry::new(Reason::DnsNotFound, 0).at(NO_SUCH_NAME),
        CatalogEntry::new(Reason::Refused, 0).at(sim.refuse()?.url),
        CatalogEntry::new(Reason::ConnectTimeout, 0)
            .at(sim.never_accept()?.url)
            .with_args(["--timeout", "1s"]),
        CatalogEntry::new(Reason::Unreachable, 0).at(NO_ROUTE),
    ];
    entries.extend(faults(sim)?);
    entries.extend(this_machine(sim)?);
    entries.extend(sequences());
    Ok(entries)
}

fn faults(sim: &mut Sim) -> io::Result<Vec<CatalogEntry>> {
    let mut at = |fault| sim.serve(Behaviour::Fault(fault)).map(|stand| stand.url);
    Ok(vec![
        CatalogEntry::new(Reason::Reset, 0).at(at(Fault::Reset)?),
        CatalogEntry::new(Reason::ClosedEarly, 0).at(at(Fault::Close)?),
        CatalogEntry::new(Reason::NotHttp, 0).at(at(Fault::Banner)?),
        CatalogEntry::new(Reason::ResponseTimeout, 0)
            .at(at(Fault::Silence)?)
            .with_args(["--timeout", "1s"]),
    ])
}

/// The proxy, the key and the files of whoever asks.
fn this_machine(sim: &mut Sim) -> io::Result<Vec<CatalogEntry>> {
    let blesta = sim.blesta();
    let (username, key) = (blesta.username.clone(), blesta.key.clone());
    let proxy = sim.refuse()?.url;
    let behind_proxy = sim.serve(Behaviour::Blesta(blesta.clone()))?;
    let withheld = sim.serve(Behaviour::Blesta(blesta.clone()))?;
    let unavailable = sim.serve(Behaviour::Blesta(blesta.clone()))?;
    let local = sim.serve(Behaviour::Blesta(blesta))?;
    let absent = sim.absent_file().display().to_string();
    Ok(vec![
        CatalogEntry::new(Reason::ProxyFailed, 0)
            .at(behind_proxy.url)
            .with_args(["--proxy", &proxy]),
        CatalogEntry::new(Reason::KeyWithheld, 401)
            .at(unspecified(sim.listens_on(), withheld.port))
            .with_pair(&username, &key),
        CatalogEntry {
            username: Some(username),
            ..CatalogEntry::new(Reason::SecretUnavailable, 0)
                .at(unavailable.url)
                .with_args(["--key-env", UNSET])
        },
        CatalogEntry::new(Reason::LocalError, 0)
            .at(local.url)
            .with_args(["--ca-file", &absent]),
    ])
}

/// The unspecified address leads to this machine, and is no loopback address.
fn unspecified(listen: IpAddr, port: u16) -> String {
    match listen {
        IpAddr::V4(_) => format!("http://0.0.0.0:{port}"),
        IpAddr::V6(_) => format!("http://[::]:{port}"),
    }
}

fn sequences() -> [CatalogEntry; 4] {
    [
        CatalogEntry {
            status: 200,
            ..CatalogEntry::explained(
                Reason::IdentityChanged,
                "needs a sequence: a saved connection that was up once, and another account at the same URL afterwards",
            )
        },
        CatalogEntry::explained(
            Reason::DnsFailed,
            "needs a namespace: a resolver that does not answer, such as `nameserver 127.0.0.1` in a resolv.conf of its own",
        ),
        CatalogEntry::explained(
            Reason::Offline,
            "needs a namespace: a machine without any route, or three hosts that fail at once",
        ),
        CatalogEntry::explained(
            Reason::AuthPaused,
            "needs a sequence: probe the entry credentials-rejected twice, and once more",
        ),
    ]
}
