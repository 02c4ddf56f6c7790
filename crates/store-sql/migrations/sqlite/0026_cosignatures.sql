-- What witnesses signed below the ledger's checkpoints: signature lines of C2SP tlog-cosignature.
CREATE TABLE ledger_cosignatures (
    size INTEGER NOT NULL CHECK (size > 0),
    witness TEXT NOT NULL,
    line TEXT NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (size, witness)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_cosignatures_by_witness ON ledger_cosignatures (witness, size);
CREATE TRIGGER ledger_cosignatures_stay BEFORE DELETE ON ledger_cosignatures
BEGIN SELECT RAISE (ABORT, 'cosignatures are never removed'); END;
CREATE TRIGGER ledger_cosignatures_stand BEFORE UPDATE ON ledger_cosignatures
BEGIN SELECT RAISE (ABORT, 'cosignatures are never changed'); END;
