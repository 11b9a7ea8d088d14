//! Which addresses belong to the public internet.

use std::net::IpAddr;

/// Whether an address is one that a listed name may lead to.
///
/// Loopback, private, link-local and shared addresses, those of cloud metadata,
/// multicast, reserved, benchmark and documentation addresses are none, nor are
/// IPv6 addresses that carry one of them (mapped, 6to4, NAT64). Of IPv6 only
/// global unicast is public, so unique local, site local and IPv4-compatible
/// addresses are none either.
///
/// Source: the IANA registries of special-purpose addresses, RFC 6890 and its updates.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address.octets()),
        IpAddr::V6(address) => is_public_v6(address.segments()),
    }
}

fn is_public_v4(octets: [u8; 4]) -> bool {
    !matches!(
        octets,
        // This network, private networks, shared by carriers, loopback.
        [0 | 10 | 127, ..]
            | [100, 64..=127, ..]
            | [172, 16..=31, ..]
            | [192, 168, ..]
            // Link-local, with the metadata of most clouds; the metadata of one that is not.
            | [169, 254, ..]
            | [168, 63, 129, 16]
            // Protocol assignments, documentation, 6to4 relays, benchmarks.
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            // Multicast, reserved, broadcast.
            | [224..=255, ..]
    )
}

fn is_public_v6(segments: [u16; 8]) -> bool {
    match segments {
        // Mapped and NAT64: what counts is the address inside.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            is_public_v4(embedded(high, low))
        }
        // 6to4: the same.
        [0x2002, high, low, ..] => is_public_v4(embedded(high, low)),
        // Protocol assignments with Teredo and ORCHID, documentation.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // Global unicast; all else is local, multicast or not given out.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

const fn embedded(high: u16, low: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(public: bool, addresses: &[&str]) {
        for text in addresses {
            assert_eq!(is_public(text.parse().unwrap()), public, "{text}");
        }
    }

    #[test]
    fn addresses_of_the_internet_are_public() {
        check(
            true,
            &[
                "1.1.1.1",
                "8.8.8.8",
                "100.63.255.255",
                "100.128.0.1",
                "168.63.129.17",
                "172.15.0.1",
                "172.32.0.1",
                "192.0.1.1",
                "223.255.255.255",
                "2606:4700::1111",
                "2a00:1450::1",
                "2001:4860:4860::8888",
                "64:ff9b::1.1.1.1",
                "2002:101:101::1",
            ],
        );
    }

    #[test]
    fn addresses_of_this_machine_and_its_networks_are_not() {
        check(
            false,
            &[
                "0.0.0.0",
                "0.1.2.3",
                "10.0.0.1",
                "100.64.0.1",
                "100.100.100.200",
                "127.0.0.1",
                "127.255.255.254",
                "169.254.0.1",
                "169.254.169.254",
                "168.63.129.16",
                "172.16.0.1",
                "172.31.255.255",
                "192.0.0.192",
                "192.0.2.1",
                "192.88.99.1",
                "192.168.1.1",
                "198.18.0.1",
                "198.51.100.1",
                "203.0.113.1",
                "224.0.0.1",
                "240.0.0.1",
                "255.255.255.255",
                "::",
                "::1",
                "fc00::1",
                "fd00:ec2::254",
                "fe80::1",
                "fec0::1",
                "ff02::1",
                "100::1",
                "2001:db8::1",
                "2001::1",
                "2001:20::1",
                "3fff::1",
                "5f00::1",
            ],
        );
    }

    #[test]
    fn an_address_inside_an_address_is_what_counts() {
        check(
            false,
            &[
                "::ffff:127.0.0.1",
                "::ffff:10.0.0.1",
                "::ffff:169.254.169.254",
                "::127.0.0.1",
                "::10.0.0.1",
                "64:ff9b::10.0.0.1",
                "64:ff9b::169.254.169.254",
                "64:ff9b:1::1.1.1.1",
                "2002:7f00:1::1",
                "2002:a9fe:a9fe::1",
                "2002:c0a8:101::",
                "::ffff:0:127.0.0.1",
            ],
        );
    }
}
