//! PEM (RFC 7468), one block at a time, strict about what is between the lines.

use crate::encoding;

/// Larger than any key or chain of certificates.
pub(crate) const MAX_BYTES: usize = 256 * 1024;

/// The blocks of a text: label and content. Text between blocks is skipped, as `openssl` writes it.
/// `None` when a block does not end, or when its content is not base64.
pub(crate) fn blocks(text: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines().map(str::trim) {
        if let Some(label) = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----")) {
            if open.is_some() {
                return None;
            }
            open = Some((label.to_owned(), String::new()));
        } else if let Some(label) = line.strip_prefix("-----END ").and_then(|rest| rest.strip_suffix("-----")) {
            let (begun, content) = open.take()?;
            if begun != label {
                return None;
            }
            // The header lines of old encrypted keys are no base64; the label alone says enough then.
            let content = if content.contains(':') { Vec::new() } else { encoding::decode(&content)? };
            blocks.push((begun, content));
        } else if let Some((_, content)) = &mut open {
            content.push_str(line);
        }
    }
    open.is_none().then_some(blocks)
}

/// `content` with lines of 64 characters and a newline at the end, as OpenSSL and `cryptography` write it.
pub(crate) fn encode(label: &str, content: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for (position, character) in encoding::encode(content).chars().enumerate() {
        if position > 0 && position % 64 == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}
