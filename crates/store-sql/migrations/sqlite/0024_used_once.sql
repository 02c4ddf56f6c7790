-- What is good for one time, by its digest: log-ins at providers of identities, their log-out tokens.
CREATE TABLE used_once (
    digest TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX used_once_until ON used_once (until);
