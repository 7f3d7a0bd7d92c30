//! Whether this machine has a way out at all. Nothing is sent: the kernel looks into its table of routes.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Addresses for documentation, which nobody has (RFC 5737, RFC 3849): only a default route leads there.
const BEYOND: [SocketAddr; 2] = [
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9),
    SocketAddr::new(
        std::net::IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
        9,
    ),
];

/// Whether there is a default route, of either address family.
pub fn leads_out() -> bool {
    BEYOND.iter().any(is_routed)
}

/// Whether this machine has a route to that address.
pub(super) fn is_routed(to: &SocketAddr) -> bool {
    let any: SocketAddr = if to.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, 0).into()
    };
    UdpSocket::bind(any).is_ok_and(|socket| socket.connect(to).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_routes_is_asked() {
        assert!(is_routed(&(Ipv4Addr::LOCALHOST, 9).into()));
        // 240.0.0.0/4 is for nobody, and the kernel has no route for it without a default one.
        let nobody = (Ipv4Addr::BROADCAST, 9).into();
        assert!(!is_routed(&nobody), "not without SO_BROADCAST");
    }
}
