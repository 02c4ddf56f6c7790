-- The key that the objects of a workspace are under, sealed by the vault. Without it they can't be read.
CREATE TABLE workspace_keys (
    workspace BIGINT PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    sealed BYTEA NOT NULL,
    created BIGINT NOT NULL
);
