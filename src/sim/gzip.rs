//! Gzip (RFC 1952) by hand: bodies without compression, and one that compresses all too well.

/// Magic, deflate, no flags, no time, no extra flags, unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// `body` in stored blocks (RFC 1951, 3.2.4).
pub(super) fn stored(body: &[u8]) -> Vec<u8> {
    let mut bytes = HEADER.to_vec();
    let mut blocks = body.chunks(usize::from(u16::MAX)).peekable();
    if blocks.peek().is_none() {
        bytes.extend_from_slice(&[1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        bytes.push(u8::from(blocks.peek().is_none()));
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&(!length).to_le_bytes());
        bytes.extend_from_slice(block);
    }
    bytes.extend_from_slice(&checksum(body).to_le_bytes());
    let size = u32::try_from(body.len() & 0xffff_ffff).unwrap_or_default();
    bytes.extend_from_slice(&size.to_le_bytes());
    bytes
}

/// At least `length` blanks in a hundredth of the bytes, by fixed codes (RFC 1951, 3.2.6). Its checksum is
/// left at zero: whoever reads so far has no limit.
pub(super) fn bomb(length: u32) -> Vec<u8> {
    /// The last block, with fixed codes. Bits in the order in which they are read.
    const START: &str = "110";
    const BLANK: &str = "01010000";
    /// Copy 258 bytes from one byte back.
    const REPEAT: &str = "1100010100000";
    const END: &str = "0000000";
    let mut bits = format!("{START}{BLANK}");
    for _ in 0..=length / 258 {
        bits.push_str(REPEAT);
    }
    bits.push_str(END);
    let mut bytes = HEADER.to_vec();
    bytes.extend(
        bits.as_bytes()
            .chunks(8)
            .map(|byte| byte.iter().rev().fold(0, |sum, bit| (sum << 1) | (bit & 1))),
    );
    bytes.extend_from_slice(&[0; 8]);
    bytes
}

/// CRC-32 as gzip has it.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_standard_one() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn long_bodies_take_several_blocks() {
        assert_eq!(stored(&[]).len(), 10 + 5 + 8);
        assert_eq!(stored(&vec![7; 70_000]).len(), 10 + 5 + 5 + 70_000 + 8);
    }
}
