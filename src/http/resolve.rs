//! Names to addresses by the system's own rules (nsswitch, hosts file), with the kind of failure kept.
//!
//! The standard library and tokio hide `getaddrinfo`'s code; `dns-lookup` gives it. A hung lookup takes
//! ten seconds and can't be cancelled, so at most `AT_ONCE` run at a time, each in a blocking task. The others wait for
//! a place first, which is no silence of a name server's: see [`Resolver::place`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use dns_lookup::{AddrFamily, AddrInfoHints, LookupError, LookupErrorKind, SockType, getaddrinfo};
use reqwest::dns::{Addrs, Name, Resolving};
use rustix::io::Errno;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::{AddressFamily, Failure, endpoint};

/// Lookups that run at the same time.
const AT_ONCE: usize = 64;

/// A place among the lookups that run at the same time, until it is dropped.
pub type LookupPlace = OwnedSemaphorePermit;

/// Looks names up.
#[derive(Clone, Debug)]
pub struct Resolver {
    permits: Arc<Semaphore>,
}

impl Default for Resolver {
    fn default() -> Self {
        Self::new()
    }
}

/// Why a name has no addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupFailure {
    /// The name does not exist, or has no address of the family.
    #[error("no such name")]
    NotFound,
    /// The name server failed or did not answer.
    #[error("the name server did not answer")]
    Failed,
    /// The lookup itself could not run.
    #[error("this machine could not look names up")]
    Local,
    /// No descriptor was left to look names up with.
    #[error("no file descriptors are left to look names up with")]
    Shortage,
}

impl LookupFailure {
    /// The same in the judge's words.
    pub fn failure(self) -> Failure {
        match self {
            Self::NotFound => Failure::DnsNotFound,
            Self::Failed => Failure::DnsFailed,
            Self::Local => Failure::Local("names can't be looked up".to_owned()),
            Self::Shortage => Failure::Local(format!("{self} (`ulimit -n` raises the limit)")),
        }
    }
}

impl Resolver {
    /// One that is to be shared: what it limits, it limits for all of its copies.
    pub fn new() -> Self {
        Self {
            permits: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// A place among the lookups that run, in the order of asking; who stops waiting leaves the row. Nobody has been asked
    /// for the name until then, so that whoever times a lookup begins with its place.
    ///
    /// A place is free when its lookup has ended, which is when the system gives up: by default after 10 seconds, else
    /// `timeout` × `attempts` for each server and search domain of `resolv.conf`. So the wait has an end: with n names
    /// before it that hang, n / 64 times as long.
    pub async fn place(&self) -> Option<LookupPlace> {
        // A semaphore that nobody closes always gives a permit.
        Arc::clone(&self.permits).acquire_owned().await.ok()
    }

    /// The addresses of `host`, each once, in the system's order; without a place it waits for one.
    pub async fn lookup(
        &self,
        place: Option<LookupPlace>,
        host: &str,
        family: AddressFamily,
    ) -> Result<Vec<IpAddr>, LookupFailure> {
        let place = match place {
            Some(place) => Some(place),
            None => self.place().await,
        };
        let host = host.to_owned();
        let is_here = endpoint::is_localhost(&host);
        let lookup = tokio::task::spawn_blocking(move || {
            // It goes with the thread: a caller that gave up does not free its place.
            let _place = place;
            system_lookup(&host, family)
        });
        let found = lookup.await.unwrap_or(Err(LookupFailure::Local));
        if is_here {
            Ok(of_this_machine(found.unwrap_or_default(), family))
        } else {
            found
        }
    }
}

/// What `localhost` and the names below it stand for: this machine, whatever a name server says (RFC 6761, section
/// 6.3). A key may go there in the open.
fn of_this_machine(mut found: Vec<IpAddr>, family: AddressFamily) -> Vec<IpAddr> {
    found.retain(IpAddr::is_loopback);
    if found.is_empty() {
        let both = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        found.extend(both.into_iter().filter(|address| belongs(*address, family)));
    }
    found
}

fn system_lookup(host: &str, family: AddressFamily) -> Result<Vec<IpAddr>, LookupFailure> {
    let hints = AddrInfoHints {
        socktype: SockType::Stream.into(),
        address: match family {
            AddressFamily::Any => 0,
            AddressFamily::V4 => AddrFamily::Inet.into(),
            AddressFamily::V6 => AddrFamily::Inet6.into(),
        },
        ..AddrInfoHints::default()
    };
    let answers =
        getaddrinfo(Some(host), None, Some(hints)).map_err(|error| kind(&error, is_short()))?;
    let mut addresses = Vec::new();
    for answer in answers.flatten() {
        let address = answer.sockaddr.ip();
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(LookupFailure::NotFound);
    }
    Ok(addresses)
}

/// Whether no descriptor is left. Then the system can open neither its hosts file nor a way to a name server, and says
/// of every name that there is none.
fn is_short() -> bool {
    let opened = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
    let code = opened.err().and_then(|error| error.raw_os_error());
    let short = [Errno::NFILE, Errno::MFILE];
    code.is_some_and(|code| short.contains(&Errno::from_raw_os_error(code)))
}

fn kind(error: &LookupError, is_short: bool) -> LookupFailure {
    match error.kind() {
        _ if is_short => LookupFailure::Shortage,
        // EAI_ADDRFAMILY (-9 in glibc, without a kind of its own): the name has addresses, none of this family.
        LookupErrorKind::NoName | LookupErrorKind::NoData => LookupFailure::NotFound,
        _ if error.error_num() == -9 => LookupFailure::NotFound,
        LookupErrorKind::Again | LookupErrorKind::Fail => LookupFailure::Failed,
        // A name that no name server can be asked for: over 63 characters between two dots, and the like.
        LookupErrorKind::IO | LookupErrorKind::Unknown => LookupFailure::NotFound,
        LookupErrorKind::Badflags
        | LookupErrorKind::Family
        | LookupErrorKind::Socktype
        | LookupErrorKind::Service
        | LookupErrorKind::Memory
        | LookupErrorKind::System => LookupFailure::Local,
    }
}

/// A resolver that gives a client the addresses of one family alone.
#[derive(Clone, Debug)]
pub struct OfFamily(pub Resolver, pub AddressFamily);

impl reqwest::dns::Resolve for OfFamily {
    fn resolve(&self, name: Name) -> Resolving {
        let Self(resolver, family) = self.clone();
        Box::pin(async move {
            let found = resolver.lookup(None, name.as_str(), family).await?;
            // The connector puts the port in.
            let addresses = found.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

/// Takes turns between the families, beginning with the first address's (RFC 8305, section 4).
pub fn interleaved(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let Some(first) = addresses.first().copied() else {
        return addresses;
    };
    let (leading, trailing): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv4() == first.is_ipv4());
    let longest = leading.len().max(trailing.len());
    let (mut leading, mut trailing) = (leading.into_iter(), trailing.into_iter());
    (0..longest)
        .flat_map(|_| [leading.next(), trailing.next()])
        .flatten()
        .collect()
}

/// The host as an address, where it is one (`brackets` around IPv6 are taken off).
pub fn numeric(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .ok()
}

/// Whether `address` belongs to `family`.
pub fn belongs(address: IpAddr, family: AddressFamily) -> bool {
    match family {
        AddressFamily::Any => true,
        AddressFamily::V4 => address.is_ipv4(),
        AddressFamily::V6 => address.is_ipv6(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let read = |texts: &[&str]| -> Vec<IpAddr> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        assert_eq!(
            interleaved(read(&["::1", "::2", "::3", "1.1.1.1", "2.2.2.2"])),
            read(&["::1", "1.1.1.1", "::2", "2.2.2.2", "::3"])
        );
        assert_eq!(interleaved(Vec::new()), Vec::<IpAddr>::new());
    }

    #[tokio::test]
    async fn localhost_has_an_address_and_a_reserved_name_has_none() {
        let resolver = Resolver::new();
        let found = resolver.lookup(None, "localhost", AddressFamily::V4).await;
        assert_eq!(found, Ok(vec!["127.0.0.1".parse().unwrap()]));
        let overlong = "a".repeat(70);
        assert!(
            resolver
                .lookup(None, &overlong, AddressFamily::Any)
                .await
                .is_err()
        );
    }

    #[test]
    fn names_of_this_machine_lead_nowhere_else() {
        let read = |texts: &[&str]| -> Vec<IpAddr> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let any = AddressFamily::Any;
        let both = read(&["127.0.0.1", "::1"]);
        assert_eq!(of_this_machine(read(&["203.0.113.7"]), any), both);
        assert_eq!(of_this_machine(Vec::new(), any), both);
        assert_eq!(
            of_this_machine(Vec::new(), AddressFamily::V6),
            read(&["::1"])
        );
        let hosts_file = read(&["127.0.0.2", "203.0.113.7"]);
        assert_eq!(of_this_machine(hosts_file, any), read(&["127.0.0.2"]));
    }

    #[test]
    fn kinds_are_told_apart_by_code() {
        for (code, expected) in [
            (-2, LookupFailure::NotFound),
            (-5, LookupFailure::NotFound),
            (-9, LookupFailure::NotFound),
            (-3, LookupFailure::Failed),
            (-4, LookupFailure::Failed),
            (-10, LookupFailure::Local),
        ] {
            assert_eq!(kind(&LookupError::new(code), false), expected, "{code}");
            // Nobody was asked.
            let short = kind(&LookupError::new(code), true);
            assert_eq!(short, LookupFailure::Shortage, "{code}");
        }
    }
}
