use super::time;
use crate::Transaction;
use crate::model::EvidenceRecord;
use sealyard_core::Digest;

pub(super) fn by_subject(tx: &mut dyn Transaction) {
    let record = |bundle: &str, subject: &[u8]| EvidenceRecord {
        digest: Digest::of(bundle.as_bytes()),
        subject: Digest::of(subject),
        predicate_type: "https://slsa.dev/provenance/v1".into(),
        bundle: bundle.into(),
        added: time(5),
        added_by: "ada".into(),
    };
    let records = [record("z", b"model"), record("a", b"model"), record("b", b"other"), record("a", b"other")];
    for record in &records {
        tx.add_evidence(record).unwrap();
    }
    tx.add_evidence(&EvidenceRecord { added_by: "eve".into(), ..records[0].clone() }).unwrap();
    assert_eq!(tx.evidence_for(&Digest::of(b"model")).unwrap(), records[..2]);
    assert_eq!(tx.evidence_for(&Digest::of(b"other")).unwrap(), records[2..]);
    assert!(tx.evidence_for(&Digest::of(b"none")).unwrap().is_empty());
    assert_eq!(tx.evidence(&Digest::of(b"z")).unwrap().as_ref(), Some(&records[0]));
    assert_eq!(tx.evidence(&Digest::of(b"none")).unwrap(), None);
}
