-- What makes accounts of this server harder to take over, and when their tokens were used last.
ALTER TABLE tokens ADD COLUMN used BIGINT;

-- `id` is what the sealed secret is bound to.
CREATE TABLE second_factors (
    member BIGINT PRIMARY KEY REFERENCES users (number) ON DELETE CASCADE,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    secret BYTEA NOT NULL,
    confirmed BIGINT NOT NULL CHECK (confirmed IN (0, 1)),
    used_step BIGINT NOT NULL,
    created BIGINT NOT NULL
);

CREATE TABLE recovery_codes (
    member BIGINT NOT NULL REFERENCES users (number) ON DELETE CASCADE,
    hash TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (member, hash)
);

CREATE TABLE login_failures (
    member BIGINT PRIMARY KEY REFERENCES users (number) ON DELETE CASCADE,
    failures BIGINT NOT NULL,
    last BIGINT NOT NULL
);

-- Where each account has logged in from.
CREATE TABLE login_networks (
    member BIGINT NOT NULL REFERENCES users (number) ON DELETE CASCADE,
    network TEXT COLLATE "C" NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (member, network)
);
