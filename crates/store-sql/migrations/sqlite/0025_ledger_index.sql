-- What makes the ledger quick to search and to prove from. All of it is made of the entries and can be made again; who
-- asks is given the entries themselves. Who and to what are the first 63 bits of a hash: an index needs no more, and
-- what it finds is compared with the entry.

-- Each act with each outcome that there was.
CREATE TABLE ledger_deeds (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    act TEXT NOT NULL,
    outcome TEXT NOT NULL,
    UNIQUE (act, outcome)
) STRICT;

CREATE TABLE ledger_index (
    time INTEGER NOT NULL,
    position INTEGER NOT NULL,
    actor INTEGER NOT NULL,
    deed INTEGER NOT NULL,
    request INTEGER,
    PRIMARY KEY (time, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_index_by_deed ON ledger_index (deed, time, position);
CREATE INDEX ledger_index_by_actor ON ledger_index (actor, deed, time, position);
CREATE INDEX ledger_index_by_request ON ledger_index (request) WHERE request IS NOT NULL;

CREATE TABLE ledger_subjects (
    subject INTEGER NOT NULL,
    deed INTEGER NOT NULL,
    time INTEGER NOT NULL,
    position INTEGER NOT NULL,
    actor INTEGER NOT NULL,
    PRIMARY KEY (subject, deed, time, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_subjects_by_actor ON ledger_subjects (subject, actor, deed, time, position);

-- Roots of complete subtrees: at level 1 of each 256 leaves, at level 2 of each 256 of those, and so on.
CREATE TABLE ledger_nodes (
    level INTEGER NOT NULL CHECK (level > 0),
    position INTEGER NOT NULL CHECK (position >= 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, position)
) STRICT, WITHOUT ROWID;
