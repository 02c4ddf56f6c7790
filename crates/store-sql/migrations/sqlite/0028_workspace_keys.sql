-- The key that the objects of a workspace are under, sealed by the vault. Without it they can't be read.
CREATE TABLE workspace_keys (
    workspace INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    sealed BLOB NOT NULL,
    created INTEGER NOT NULL
) STRICT;
