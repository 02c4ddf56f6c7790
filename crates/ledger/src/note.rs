use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::key::VerifierKey;

/// Longest note that is read, and most signatures on it.
const MAX_BYTES: usize = 64 * 1024;
const MAX_SIGNATURES: usize = 32;

/// Text with signatures below it (C2SP signed-note).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Signature {
    name: String,
    key_id: [u8; 4],
    bytes: Vec<u8>,
}

/// The text is not a signed note, or not one that the key signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// It is longer than 64 KiB.
    #[error("the note is longer than 64 KiB")]
    TooLong,
    /// It is not laid out as a note.
    #[error("the text is not a signed note: {0}")]
    Malformed(&'static str),
    /// No line has a signature of the key.
    #[error("the note has no signature of {0:?} with that key")]
    Unsigned(String),
    /// A signature that says it is of the key is not.
    #[error("the signature of {0:?} on the note is wrong")]
    Forged(String),
}

impl Note {
    /// Reads a note. This says nothing of its signatures: only [`Note::verified_text`] gives its text.
    ///
    /// # Errors
    /// [`NoteError`] when it is too long or not laid out as a note.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_BYTES {
            return Err(NoteError::TooLong);
        }
        if note.chars().any(|character| character.is_ascii_control() && character != '\n') {
            return Err(NoteError::Malformed("it holds a control character"));
        }
        let (text, below) = note.rsplit_once("\n\n").ok_or(NoteError::Malformed("there is no blank line"))?;
        let lines = below.strip_suffix('\n').ok_or(NoteError::Malformed("the last line has no end"))?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == MAX_SIGNATURES {
                return Err(NoteError::Malformed("it has more than 32 signatures"));
            }
            signatures.push(Signature::parse(line).ok_or(NoteError::Malformed("a signature line can't be read"))?);
        }
        Ok(Self { text: format!("{text}\n"), signatures })
    }

    /// The text, if `key` signed it. Signatures of other keys are passed over, a false one of this key is not.
    ///
    /// # Errors
    /// [`NoteError::Unsigned`], [`NoteError::Forged`].
    pub fn verified_text(&self, key: &VerifierKey) -> Result<&str, NoteError> {
        let mut signed = false;
        for signature in &self.signatures {
            if signature.name == key.name() && signature.key_id == key.key_id() {
                if !key.verifies(self.text.as_bytes(), &signature.bytes) {
                    return Err(NoteError::Forged(key.name().to_owned()));
                }
                signed = true;
            }
        }
        if signed { Ok(&self.text) } else { Err(NoteError::Unsigned(key.name().to_owned())) }
    }

    /// The text, whoever signed it or nobody.
    #[must_use]
    pub fn unverified_text(&self) -> &str {
        &self.text
    }

    /// What stands below the text under this name and key id, unverified.
    pub(crate) fn signatures_by(&self, name: &str, key_id: [u8; 4]) -> impl Iterator<Item = &[u8]> {
        let by = move |signature: &&Signature| signature.name == name && signature.key_id == key_id;
        self.signatures.iter().filter(by).map(|signature| signature.bytes.as_slice())
    }

    /// Puts a signature line below `text`, which ends in a newline.
    pub(crate) fn write(text: &str, name: &str, key_id: [u8; 4], signature: &[u8]) -> String {
        let encoded = STANDARD.encode([&key_id, signature].concat());
        format!("{text}\n\u{2014} {name} {encoded}\n")
    }
}

impl Signature {
    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        if name.is_empty() || name.contains('+') || name.contains(char::is_whitespace) {
            return None;
        }
        let bytes = STANDARD.decode(encoded).ok()?;
        let (key_id, bytes) = bytes.split_first_chunk::<4>()?;
        Some(Self { name: name.to_owned(), key_id: *key_id, bytes: bytes.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the documentation of golang.org/x/mod/sumdb/note.
    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\
        \n\
        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    #[test]
    fn a_note_of_another_implementation_verifies() {
        let key: VerifierKey = KEY.parse().unwrap();
        assert_eq!(key.to_string(), KEY);
        let note = Note::parse(NOTE).unwrap();
        assert!(note.verified_text(&key).unwrap().ends_with("your problem is.\n"));
    }

    #[test]
    fn a_changed_note_does_not() {
        let key: VerifierKey = KEY.parse().unwrap();
        let changed = Note::parse(&NOTE.replace("answer", "enigma")).unwrap();
        assert_eq!(changed.verified_text(&key), Err(NoteError::Forged("PeterNeumann".into())));
        let renamed = Note::parse(&NOTE.replace("PeterNeumann", "Mallory")).unwrap();
        assert_eq!(renamed.verified_text(&key), Err(NoteError::Unsigned("PeterNeumann".into())));
    }

    #[test]
    fn other_text_is_refused() {
        let many = format!("a\n\n{}", "\u{2014} a AAAAAAAA\n".repeat(33));
        let long = format!("{}{NOTE}", "a".repeat(MAX_BYTES));
        for text in
            ["", "a", "a\n", "a\n\n", "a\n\n- a AAAA\n", NOTE.trim_end(), "a\r\n\n\u{2014} a AAAAAA==\n", &many, &long]
        {
            assert!(Note::parse(text).is_err(), "{text:.40}");
        }
    }
}
