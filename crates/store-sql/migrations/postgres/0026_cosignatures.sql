-- What witnesses signed below the ledger's checkpoints: signature lines of C2SP tlog-cosignature.
CREATE TABLE ledger_cosignatures (
    size BIGINT NOT NULL CHECK (size > 0),
    witness TEXT COLLATE "C" NOT NULL,
    line TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (size, witness)
);
CREATE INDEX ledger_cosignatures_by_witness ON ledger_cosignatures (witness, size);
CREATE TRIGGER ledger_cosignatures_stand BEFORE UPDATE OR DELETE ON ledger_cosignatures
FOR EACH ROW EXECUTE FUNCTION ledger_stays();
