-- What makes accounts of this server harder to take over, and when their tokens were used last.
ALTER TABLE tokens ADD COLUMN used INTEGER;

-- `id` is what the sealed secret is bound to.
CREATE TABLE second_factors (
    member INTEGER PRIMARY KEY REFERENCES users (number) ON DELETE CASCADE,
    id TEXT NOT NULL UNIQUE,
    secret BLOB NOT NULL,
    confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
    used_step INTEGER NOT NULL,
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE recovery_codes (
    member INTEGER NOT NULL REFERENCES users (number) ON DELETE CASCADE,
    hash TEXT NOT NULL,
    PRIMARY KEY (member, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE login_failures (
    member INTEGER PRIMARY KEY REFERENCES users (number) ON DELETE CASCADE,
    failures INTEGER NOT NULL,
    last INTEGER NOT NULL
) STRICT;

-- Where each account has logged in from.
CREATE TABLE login_networks (
    member INTEGER NOT NULL REFERENCES users (number) ON DELETE CASCADE,
    network TEXT NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (member, network)
) STRICT, WITHOUT ROWID;
