-- What entries of the ledger say of persons. The log has SHA-256 over salt and text; here both can be erased.
CREATE TABLE ledger_personal (
    digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
    salt BLOB CHECK (length(salt) = 32),
    personal TEXT,
    actor TEXT NOT NULL,
    time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_personal_by_actor ON ledger_personal (actor, time) WHERE salt IS NOT NULL;
CREATE INDEX ledger_personal_by_time ON ledger_personal (time) WHERE salt IS NOT NULL;
CREATE TRIGGER ledger_personal_stays BEFORE DELETE ON ledger_personal
BEGIN SELECT RAISE (ABORT, 'what is kept apart is erased, and never removed'); END;
