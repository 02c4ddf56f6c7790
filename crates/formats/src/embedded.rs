//! Files that hide in texts.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sealyard_core::ReadAt;

use crate::sniff::{Format, sniff};

/// Shortest text that is taken for base64.
const MIN_BASE64: usize = 12;

/// The pickle that a text is, as it stands or in base64.
#[must_use]
pub fn pickle_in(text: &[u8]) -> Option<Vec<u8>> {
    let is_pickle = |bytes: &dyn ReadAt| matches!(sniff(bytes), Ok(Format::Pickle));
    if is_pickle(&text) {
        return Some(text.to_vec());
    }
    let text: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    if text.len() < MIN_BASE64 {
        return None;
    }
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    [STANDARD, URL_SAFE]
        .iter()
        .filter_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(&text).ok())
        .find(|bytes| is_pickle(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pickle_is_found_as_it_is_written() {
        let pickle = b"\x80\x04\x95\x0a\0\0\0\0\0\0\0\x8c\x05hello\x94.";
        assert_eq!(pickle_in(pickle).unwrap(), pickle);
        for text in ["gASVCgAAAAAAAACMBWhlbGxvlC4=", "gASVCgAAAAAAAACM\nBWhlbGxvlC4"] {
            assert_eq!(pickle_in(text.as_bytes()).unwrap(), pickle, "{text}");
        }
        for text in ["{0: 'person', 1: 'car'}", "", "2024-01-01T00:00:00", "description of a model"] {
            assert_eq!(pickle_in(text.as_bytes()), None, "{text}");
        }
    }
}
