//! What an entry says of a person, kept apart from the log so that it can be erased without breaking a single hash.
//!
//! The log has a digest: SHA-256 over a salt of 32 random bytes and the text. Without the salt nobody can try addresses until
//! one fits, so whoever erases salt and text leaves nothing to find.

use std::collections::BTreeMap;

use sealyard_core::{Digest, Hasher};
use serde_json::{Map, Value};

use crate::verify::{Problem, VerifyReport};

/// The field of an entry that has the digest.
const FIELD: &str = "personal";
/// Most problems that are listed.
const MOST: usize = 1000;

/// An event's bytes for the log, and what is kept apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parted {
    /// What the log hashes.
    pub bytes: Vec<u8>,
    /// What is kept apart, if there is something.
    pub personal: Option<Personal>,
}

/// What is kept apart of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Personal {
    /// What the log has of it.
    pub digest: Digest,
    /// The salt.
    pub salt: [u8; 32],
    /// One JSON object.
    pub text: String,
}

impl Personal {
    /// What the log has of this text under this salt.
    #[must_use]
    pub fn digest_of(salt: &[u8], text: &str) -> Digest {
        let mut hasher = Hasher::default();
        hasher.update(salt);
        hasher.update(text.as_bytes());
        hasher.finish()
    }
}

/// Takes `fields` out of an event's bytes.
///
/// # Errors
/// When the bytes are no JSON object.
pub fn part(bytes: Vec<u8>, fields: &[&str], salt: [u8; 32]) -> Result<Parted, serde_json::Error> {
    let mut event: Map<String, Value> = serde_json::from_slice(&bytes)?;
    let apart: Map<String, Value> =
        fields.iter().filter_map(|field| Some(((*field).to_owned(), event.remove(*field)?))).collect();
    if apart.is_empty() {
        return Ok(Parted { bytes, personal: None });
    }
    let text = serde_json::to_string(&apart)?;
    let digest = Personal::digest_of(&salt, &text);
    event.insert(FIELD.to_owned(), Value::String(digest.to_hex()));
    Ok(Parted { bytes: serde_json::to_vec(&event)?, personal: Some(Personal { digest, salt, text }) })
}

/// The digest of what an entry has apart; `None` where it has nothing, as entries of earlier releases.
#[must_use]
pub fn digest_in(entry: &[u8]) -> Option<Digest> {
    let event: Value = serde_json::from_slice(entry).ok()?;
    Digest::from_hex(event.get(FIELD)?.as_str()?).ok()
}

/// How the part of an entry that is kept apart is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It is there.
    There {
        /// The salt.
        salt: Vec<u8>,
        /// The text.
        text: String,
    },
    /// It was erased.
    Erased,
    /// There is no row of it.
    Missing,
}

/// Looks at each entry of a log in its order, and says in the end what is wrong with what is kept apart: text that was changed
/// (`ledger.personal`), or that is gone although no entry says that it was erased (`ledger.erasure`).
#[derive(Debug, Default)]
pub struct PersonalCheck {
    problems: Vec<Problem>,
    /// Of each actor, index and time of the newest entry whose text is erased.
    erased: BTreeMap<String, (u64, i64)>,
    /// What entries say that was erased: index, of whom, before when.
    erasures: Vec<(u64, Option<String>, i64)>,
    count: u64,
}

impl PersonalCheck {
    /// Takes in one entry; `kept` is asked for what is kept of it.
    ///
    /// # Errors
    /// Those of `kept`.
    pub fn entry<E>(
        &mut self,
        index: u64,
        bytes: &[u8],
        kept: impl FnOnce(&Digest) -> Result<Kept, E>,
    ) -> Result<(), E> {
        let Ok(event) = serde_json::from_slice::<Value>(bytes) else { return Ok(()) };
        let text = |field: &str| event.get(field).and_then(Value::as_str).map(str::to_owned);
        let number = |field: &str| event.get(field).and_then(Value::as_i64).unwrap_or_default();
        if text("act").as_deref() == Some("personal-erased") {
            self.erasures.push((index, text("of"), number("before")));
        }
        let Some(digest) = text(FIELD).and_then(|digest| Digest::from_hex(&digest).ok()) else { return Ok(()) };
        match kept(&digest)? {
            Kept::There { salt, text } if Personal::digest_of(&salt, &text) == digest => {}
            Kept::There { .. } => self.add("ledger.personal", index, "what is kept apart of this entry was changed"),
            Kept::Missing => self.add("ledger.erasure", index, "what was kept apart of this entry is gone"),
            Kept::Erased => {
                self.count += 1;
                // A refused log-in is kept under the account that it was for, if it names one.
                let named = text("name").filter(|_| text("act").as_deref() == Some("login-failed"));
                let newest = self.erased.entry(named.or_else(|| text("actor")).unwrap_or_default()).or_default();
                *newest = (index.max(newest.0), number("time").max(newest.1));
            }
        }
        Ok(())
    }

    fn add(&mut self, rule: &'static str, index: u64, detail: &str) {
        if self.problems.len() < MOST {
            self.problems.push(Problem { rule, index: Some(index), detail: detail.to_owned() });
        }
    }

    /// How many entries have their text erased.
    #[must_use]
    pub const fn erased(&self) -> u64 {
        self.count
    }

    /// Adds what is wrong to the report.
    #[must_use]
    pub fn judge(mut self, mut report: VerifyReport) -> VerifyReport {
        let erased = std::mem::take(&mut self.erased);
        for (actor, (index, time)) in erased {
            let said = self
                .erasures
                .iter()
                .any(|(at, of, before)| *at > index && time < *before && of.as_ref().is_none_or(|of| *of == actor));
            if !said {
                self.add("ledger.erasure", index, "what was kept apart was erased, and no entry says so");
            }
        }
        report.problems.extend(self.problems);
        report.ok = report.problems.is_empty();
        report
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use serde_json::json;

    use super::*;

    fn event(time: i64, actor: &str) -> Vec<u8> {
        json!({"time": time, "actor": actor, "source": "203.0.113.9", "act": "logged-in"}).to_string().into_bytes()
    }

    #[test]
    fn the_log_has_only_a_digest() {
        let parted = part(event(5, "ada"), &["source", "name"], [7; 32]).unwrap();
        let text = String::from_utf8(parted.bytes.clone()).unwrap();
        assert!(!text.contains("203.0.113.9") && text.contains("ada"), "{text}");
        let personal = parted.personal.unwrap();
        assert_eq!(personal.text, r#"{"source":"203.0.113.9"}"#);
        assert_eq!(digest_in(&parted.bytes), Some(personal.digest));
        assert_eq!(Personal::digest_of(&personal.salt, &personal.text), personal.digest);
        let other = part(event(5, "ada"), &["source"], [8; 32]).unwrap().personal.unwrap();
        assert_ne!(other.digest, personal.digest, "equal texts have different digests");
        let plain = json!({"act": "server-started"}).to_string().into_bytes();
        assert_eq!(part(plain.clone(), &["source"], [7; 32]).unwrap(), Parted { bytes: plain, personal: None });
    }

    fn rules(entries: &[(Vec<u8>, Kept)]) -> Vec<&'static str> {
        let mut check = PersonalCheck::default();
        for (index, (bytes, kept)) in entries.iter().enumerate() {
            let Ok(()) = check.entry(index as u64, bytes, |_| Ok::<_, Infallible>(kept.clone()));
        }
        let root = crate::merkle::empty_root();
        let report = VerifyReport { schema: crate::SCHEMA, ok: true, size: 0, root, witnessed: None, problems: vec![] };
        check.judge(report).problems.into_iter().map(|problem| problem.rule).collect()
    }

    #[test]
    fn what_was_erased_must_be_said() {
        let parted = |time, actor| part(event(time, actor), &["source"], [7; 32]).unwrap();
        let there = |time, actor| {
            let Parted { bytes, personal } = parted(time, actor);
            let personal = personal.unwrap();
            (bytes, Kept::There { salt: personal.salt.to_vec(), text: personal.text })
        };
        let as_kept = |time, actor, kept: Kept| (parted(time, actor).bytes, kept);
        let said = |of: Option<&str>, before: i64| {
            (json!({"act": "personal-erased", "of": of, "before": before}).to_string().into_bytes(), Kept::Missing)
        };
        assert!(
            rules(&[there(5, "ada"), (event(6, "ada"), Kept::Missing)]).is_empty(),
            "entries of before have it in them"
        );
        let changed = Kept::There { salt: vec![7; 32], text: "{}".into() };
        assert_eq!(rules(&[as_kept(5, "ada", changed)]), ["ledger.personal"]);
        assert_eq!(rules(&[as_kept(5, "ada", Kept::Missing)]), ["ledger.erasure"]);
        let erased = || as_kept(5, "ada", Kept::Erased);
        assert_eq!(rules(&[erased()]), ["ledger.erasure"]);
        assert!(rules(&[erased(), said(Some("ada"), 6)]).is_empty());
        assert!(rules(&[erased(), said(None, 6)]).is_empty());
        assert_eq!(rules(&[erased(), said(Some("ada"), 5)]), ["ledger.erasure"], "not before its time");
        assert_eq!(rules(&[erased(), said(Some("bob"), 6)]), ["ledger.erasure"]);
        let refused = json!({"time": 5, "actor": "anonymous", "source": "x", "act": "login-failed", "name": "ada"});
        let refused = part(refused.to_string().into_bytes(), &["source"], [7; 32]).unwrap().bytes;
        assert!(rules(&[(refused.clone(), Kept::Erased), said(Some("ada"), 6)]).is_empty(), "of whom it names");
        assert_eq!(rules(&[(refused, Kept::Erased), said(Some("anonymous"), 6)]), ["ledger.erasure"]);
        assert_eq!(rules(&[said(None, 9), erased()]), ["ledger.erasure"], "what came after was not meant");
    }
}
