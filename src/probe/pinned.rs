//! The resolver of a probe's client: each attempt of a race has one address, and looks nothing up.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::trace::ATTEMPT;
use crate::domain::AddressFamily;
use crate::http::resolve::{OfFamily, Resolver};

/// Gives the address that an attempt is pinned to, for the target's own name; any other name is a proxy's, and is looked
/// up.
#[derive(Clone, Debug)]
pub(super) struct Pinned(pub(super) Resolver);

impl Resolve for Pinned {
    fn resolve(&self, name: Name) -> Resolving {
        let pinned = ATTEMPT
            .try_with(|attempt| match &attempt.pinned {
                Some((host, address)) if host == name.as_str() => Some(*address),
                _ => None,
            })
            .ok()
            .flatten();
        match pinned {
            Some(address) => {
                Box::pin(async move { Ok(Box::new(std::iter::once(address)) as Addrs) })
            }
            None => OfFamily(self.0.clone(), AddressFamily::Any).resolve(name),
        }
    }
}
