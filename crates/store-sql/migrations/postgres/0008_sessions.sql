-- Browsers' sessions. `hash` is of the cookie's value, which is kept nowhere.
CREATE TABLE sessions (
    id TEXT COLLATE "C" PRIMARY KEY,
    "user" BIGINT NOT NULL REFERENCES users (number) ON DELETE CASCADE,
    hash TEXT COLLATE "C" NOT NULL UNIQUE,
    created BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions ("user", created);
