//! Gzip without compression: a container (RFC 1952) around stored blocks (RFC 1951, 3.2.4).

/// `body` in a gzip container.
pub(super) fn stored(body: &[u8]) -> Vec<u8> {
    // Magic, deflate, no flags, no time, no extra flags, unknown system.
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
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
