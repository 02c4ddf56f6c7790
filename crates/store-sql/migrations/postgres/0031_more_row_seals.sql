-- Seals of what names models and workspaces, of which bytes a file has, and of second factors.
ALTER TABLE registered_models ADD COLUMN seal BYTEA;
ALTER TABLE workspaces ADD COLUMN seal BYTEA;
ALTER TABLE artifacts ADD COLUMN seal BYTEA;
ALTER TABLE version_files ADD COLUMN seal BYTEA;
ALTER TABLE stored_objects ADD COLUMN seal BYTEA;
ALTER TABLE second_factors ADD COLUMN seal BYTEA;
ALTER TABLE recovery_codes ADD COLUMN seal BYTEA;

-- Which rows a table of sealed rows has, all together: a keyed digest of the set, so that one that is removed is missed.
CREATE TABLE row_sets (
    name TEXT COLLATE "C" PRIMARY KEY,
    changes BIGINT NOT NULL,
    members BIGINT NOT NULL,
    tag BYTEA NOT NULL,
    masked BYTEA NOT NULL
);
