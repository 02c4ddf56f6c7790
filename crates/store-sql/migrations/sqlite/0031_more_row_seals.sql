-- Seals of what names models and workspaces, of which bytes a file has, and of second factors.
ALTER TABLE registered_models ADD COLUMN seal BLOB;
ALTER TABLE workspaces ADD COLUMN seal BLOB;
ALTER TABLE artifacts ADD COLUMN seal BLOB;
ALTER TABLE version_files ADD COLUMN seal BLOB;
ALTER TABLE stored_objects ADD COLUMN seal BLOB;
ALTER TABLE second_factors ADD COLUMN seal BLOB;
ALTER TABLE recovery_codes ADD COLUMN seal BLOB;

-- Which rows a table of sealed rows has, all together: a keyed digest of the set, so that one that is removed is missed.
CREATE TABLE row_sets (
    name TEXT PRIMARY KEY,
    changes INTEGER NOT NULL,
    members INTEGER NOT NULL,
    tag BLOB NOT NULL,
    masked BLOB NOT NULL
) STRICT, WITHOUT ROWID;
