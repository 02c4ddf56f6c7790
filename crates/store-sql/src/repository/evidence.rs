use sealyard_core::Digest;
use sealyard_store::model::EvidenceRecord;
use sealyard_store::{EvidenceRecords, StoreError};

use super::convert::Columns as _;
use crate::seals::EVIDENCE;
use crate::session::Session;
use crate::sql::Row;

impl EvidenceRecords for Session<'_> {
    fn add_evidence(&mut self, record: &EvidenceRecord) -> Result<(), StoreError> {
        let number = self.insert(
            "INSERT INTO evidence (digest, subject, predicate_type, bundle, added, added_by, workspace)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (digest, subject, workspace) DO NOTHING RETURNING number",
            (
                record.digest.as_bytes(),
                record.subject.as_bytes(),
                &record.predicate_type,
                &record.bundle,
                record.added.as_millis(),
                &record.added_by,
                self.workspace(),
            ),
        )?;
        let Some(number) = number else { return Ok(()) };
        let (digest, subject) = (record.digest.as_bytes(), record.subject.as_bytes());
        let meant =
            (number, digest, subject, &record.predicate_type, &record.bundle, &record.added_by, self.workspace());
        self.seal(&EVIDENCE, meant)
    }

    fn evidence_for(&mut self, subject: &Digest) -> Result<Vec<EvidenceRecord>, StoreError> {
        let found = self.all(
            &format!("SELECT {} FROM evidence WHERE subject = ?1 AND workspace = ?2 ORDER BY number", columns()),
            (subject.as_bytes(), self.workspace()),
            |row| {
                // A bundle that was changed would be refused by whoever verifies it; this one is told apart here.
                Ok(if self.is_intact(&EVIDENCE, row, 0)? { Some(read(row)?) } else { None })
            },
        )?;
        Ok(found.into_iter().flatten().collect())
    }

    fn evidence(&mut self, digest: &Digest) -> Result<Option<EvidenceRecord>, StoreError> {
        self.optional(
            &format!("SELECT {} FROM evidence WHERE digest = ?1 AND workspace = ?2 ORDER BY number LIMIT 1", columns()),
            (digest.as_bytes(), self.workspace()),
            |row| {
                self.check(&EVIDENCE, row, 0)?;
                read(row)
            },
        )
    }
}

/// What is sealed, the seal, and when it was added.
fn columns() -> String {
    format!("{}, evidence.added", EVIDENCE.list("evidence"))
}

fn read(row: &Row<'_>) -> Result<EvidenceRecord, StoreError> {
    Ok(EvidenceRecord {
        digest: row.digest(1)?,
        subject: row.digest(2)?,
        predicate_type: row.get(3)?,
        bundle: row.get(4)?,
        added: row.timestamp(EVIDENCE.width())?,
        added_by: row.get(5)?,
    })
}
