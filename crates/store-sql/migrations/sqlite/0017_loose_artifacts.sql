-- Files outside of every experiment. SQLite can't change a CHECK: the table is made anew.

CREATE TABLE artifacts_and_loose_ones (
    owner_kind TEXT NOT NULL CHECK (owner_kind IN ('run', 'model', 'trace', 'loose')),
    owner TEXT NOT NULL,
    path TEXT NOT NULL,
    object TEXT NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    size INTEGER NOT NULL CHECK (size >= 0),
    verdict TEXT NOT NULL,
    created INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (owner_kind, owner, path)
) STRICT, WITHOUT ROWID;
INSERT INTO artifacts_and_loose_ones
    SELECT owner_kind, owner, path, object, digest, size, verdict, created, created_by FROM artifacts;
DROP TABLE artifacts;
ALTER TABLE artifacts_and_loose_ones RENAME TO artifacts;
CREATE INDEX artifacts_by_object ON artifacts (object);
