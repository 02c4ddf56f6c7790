use sealyard_core::Digest;
use sealyard_store::model::EvidenceRecord;
use sealyard_store::{EvidenceRecords, StoreError};

use super::convert::Columns as _;
use crate::session::Session;
use crate::sql::Row;

impl EvidenceRecords for Session<'_> {
    fn add_evidence(&mut self, record: &EvidenceRecord) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO evidence (digest, subject, predicate_type, bundle, added, added_by, workspace)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (digest, subject, workspace) DO NOTHING",
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
        Ok(())
    }

    fn evidence_for(&mut self, subject: &Digest) -> Result<Vec<EvidenceRecord>, StoreError> {
        self.all(
            "SELECT digest, subject, predicate_type, bundle, added, added_by FROM evidence
             WHERE subject = ?1 AND workspace = ?2 ORDER BY number",
            (subject.as_bytes(), self.workspace()),
            read,
        )
    }

    fn evidence(&mut self, digest: &Digest) -> Result<Option<EvidenceRecord>, StoreError> {
        self.optional(
            "SELECT digest, subject, predicate_type, bundle, added, added_by FROM evidence
             WHERE digest = ?1 AND workspace = ?2 ORDER BY number LIMIT 1",
            (digest.as_bytes(), self.workspace()),
            read,
        )
    }
}

fn read(row: &Row<'_>) -> Result<EvidenceRecord, StoreError> {
    Ok(EvidenceRecord {
        digest: row.digest(0)?,
        subject: row.digest(1)?,
        predicate_type: row.get(2)?,
        bundle: row.get(3)?,
        added: row.timestamp(4)?,
        added_by: row.get(5)?,
    })
}
