use std::io;
use std::os::fd::OwnedFd;

use sealyard_core::{Hasher, Redacted};

use crate::Output;

/// Lines longer than this are cut.
const MAX_LINE: usize = 64 << 10;
/// How much text is kept.
const MAX_TEXT: usize = 1 << 20;
/// Shorter secrets would mask common words.
const MIN_SECRET: usize = 8;
const MASK: &[u8] = b"[redacted]";

/// Takes the command's output apart into lines and hashes it, secrets masked.
#[derive(Debug)]
pub(super) struct OutputLog {
    secrets: Vec<Redacted<String>>,
    pending: Vec<u8>,
    hasher: Hasher,
    size: u64,
    text: Vec<u8>,
    truncated: bool,
}

impl OutputLog {
    pub(super) fn new(secrets: Vec<Redacted<String>>) -> Self {
        let secrets = secrets.into_iter().filter(|secret| secret.expose().len() >= MIN_SECRET).collect();
        Self { secrets, pending: Vec::new(), hasher: Hasher::default(), size: 0, text: Vec::new(), truncated: false }
    }

    /// Takes in what is there; false at the end.
    pub(super) fn read(&mut self, reader: &OwnedFd, on_output: &mut impl FnMut(&str)) -> io::Result<bool> {
        let mut buffer = vec![0; 64 << 10];
        match rustix::io::read(reader, &mut buffer) {
            Ok(0) => Ok(false),
            Ok(read) => {
                self.take(buffer.get(..read).unwrap_or_default(), on_output);
                Ok(true)
            }
            Err(rustix::io::Errno::INTR) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    fn take(&mut self, bytes: &[u8], on_output: &mut impl FnMut(&str)) {
        self.pending.extend_from_slice(bytes);
        let pending = std::mem::take(&mut self.pending);
        let mut lines = pending.split_inclusive(|byte| *byte == b'\n').peekable();
        while let Some(line) = lines.next() {
            if lines.peek().is_none() && !line.ends_with(b"\n") {
                self.pending = line.to_vec();
            } else {
                self.line(line, on_output);
            }
        }
        if self.pending.len() > MAX_LINE {
            // A secret may lie across the cut: mask first, and hold back what could be the start of one.
            let masked = self.masked(&self.pending);
            let held = self.secrets.iter().map(|secret| secret.expose().len()).max().unwrap_or_default();
            let cut = masked.len().saturating_sub(held);
            let (line, rest) = masked.split_at(cut);
            let (line, rest) = (line.to_vec(), rest.to_vec());
            self.pending = rest;
            self.line(&line, on_output);
        }
    }

    fn line(&mut self, line: &[u8], on_output: &mut impl FnMut(&str)) {
        let line = self.masked(line);
        self.hasher.update(&line);
        self.size += line.len() as u64;
        self.text.extend_from_slice(&line);
        if self.text.len() > MAX_TEXT {
            let excess = self.text.len() - MAX_TEXT / 2;
            self.text.drain(..excess);
            self.truncated = true;
        }
        on_output(&plain(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r'])));
    }

    fn masked(&self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for secret in &self.secrets {
            let secret = secret.expose().as_bytes();
            let mut from = 0;
            // What was masked is not looked at again: the mask itself may hold the secret.
            while let Some(found) =
                bytes.get(from..).and_then(|rest| rest.windows(secret.len()).position(|window| window == secret))
            {
                let start = from + found;
                bytes.splice(start..start + secret.len(), MASK.iter().copied());
                from = start + MASK.len();
            }
        }
        bytes
    }

    /// The last words, for an error message.
    pub(super) fn tail(&self) -> String {
        let text = String::from_utf8_lossy(&self.text);
        let last: Vec<&str> = text.lines().rev().take(3).collect();
        last.into_iter().rev().collect::<Vec<_>>().join("; ")
    }

    pub(super) fn finish(mut self, on_output: &mut impl FnMut(&str)) -> Output {
        if !self.pending.is_empty() {
            let rest = std::mem::take(&mut self.pending);
            self.line(&rest, on_output);
        }
        let text = String::from_utf8_lossy(&self.text).into_owned();
        Output { digest: self.hasher.finish(), size: self.size, text, truncated: self.truncated }
    }
}

/// A line that does nothing to a terminal but to show itself: no colours, no moved cursor, no reversed text.
#[must_use]
pub fn plain(line: &str) -> String {
    let harmless = |character: char| {
        let reorders = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
        character == '\t' || !(character.is_control() || reorders)
    };
    line.chars().map(|character| if harmless(character) { character } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(chunks: &[&[u8]]) -> (Vec<String>, Output) {
        let mut log = OutputLog::new(vec!["s3cret-token".to_owned().into(), "a".to_owned().into()]);
        let mut lines = Vec::new();
        for chunk in chunks {
            log.take(chunk, &mut |line: &str| lines.push(line.to_owned()));
        }
        let output = log.finish(&mut |line: &str| lines.push(line.to_owned()));
        (lines, output)
    }

    #[test]
    fn secrets_are_masked_also_across_reads() {
        let (lines, output) = log(&[b"a s3cret-", b"token s3cret-tokens3cret-token\nb"]);
        assert_eq!(lines, ["a [redacted] [redacted][redacted]", "b"]);
        assert_eq!(output.digest, sealyard_core::Digest::of(b"a [redacted] [redacted][redacted]\nb"));
        assert!(!output.truncated);
    }

    #[test]
    fn secrets_are_masked_across_the_cut_of_a_long_line() {
        let mut long = vec![b'x'; MAX_LINE - 3];
        long.extend_from_slice(b"s3cret");
        let (lines, output) = log(&[&long, b"-token\n"]);
        assert!(!output.text.contains("s3cret"), "{:?}", lines.last());
    }

    #[test]
    fn a_line_can_not_command_the_terminal() {
        let (lines, output) = log(&[b"\x1b]0;title\x07\x1b[2Jgone\rover\ta\xe2\x80\xae\xc2\x9b\r\n"]);
        assert_eq!(lines, ["\u{fffd}]0;title\u{fffd}\u{fffd}[2Jgone\u{fffd}over\ta\u{fffd}\u{fffd}"]);
        assert!(output.text.starts_with("\x1b]0;"), "the log itself is what was printed");
    }

    #[test]
    fn a_secret_that_the_mask_holds_is_masked_once() {
        let mut log = OutputLog::new(vec!["redacted".to_owned().into()]);
        log.take(b"a redacted b\n", &mut |line| assert_eq!(line, "a [redacted] b"));
        assert_eq!(log.finish(&mut |_| {}).size, 15);
    }

    #[test]
    fn endless_output_keeps_the_end() {
        let line = [b"y".repeat(1023), b"\n".to_vec()].concat();
        let chunks: Vec<&[u8]> = std::iter::repeat_n(&line[..], 3000).collect();
        let (_, output) = log(&chunks);
        assert_eq!(output.size, 3000 * 1024);
        assert!(output.truncated && output.text.len() <= MAX_TEXT);
    }
}
