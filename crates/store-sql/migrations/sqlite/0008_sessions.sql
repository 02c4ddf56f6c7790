-- Browsers' sessions. `hash` is of the cookie's value, which is kept nowhere.
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    "user" INTEGER NOT NULL REFERENCES users (number) ON DELETE CASCADE,
    hash TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_user ON sessions ("user", created);
