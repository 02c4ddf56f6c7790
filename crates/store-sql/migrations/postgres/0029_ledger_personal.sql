-- What entries of the ledger say of persons. The log has SHA-256 over salt and text; here both can be erased.
CREATE TABLE ledger_personal (
    digest BYTEA PRIMARY KEY CHECK (length(digest) = 32),
    salt BYTEA CHECK (length(salt) = 32),
    personal TEXT COLLATE "C",
    actor TEXT COLLATE "C" NOT NULL,
    time BIGINT NOT NULL
);
CREATE INDEX ledger_personal_by_actor ON ledger_personal (actor, time) WHERE salt IS NOT NULL;
CREATE INDEX ledger_personal_by_time ON ledger_personal (time) WHERE salt IS NOT NULL;
CREATE TRIGGER ledger_personal_stays BEFORE DELETE ON ledger_personal
FOR EACH ROW EXECUTE FUNCTION ledger_stays();
