-- Workspaces. What lives in one has its number, or hangs on something that has. All there was is in the first one, number 0.
--
-- `key` is what is unique among experiments and among registered models: the workspace's number, a '/', and the name.
CREATE TABLE workspaces (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    created INTEGER NOT NULL
) STRICT;
INSERT INTO workspaces (number, name, created) VALUES (0, 'default', 0);

ALTER TABLE experiments RENAME COLUMN name TO key;
ALTER TABLE experiments ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE experiments ADD COLUMN workspace INTEGER NOT NULL DEFAULT 0;
UPDATE experiments SET name = key, key = '0/' || key;
CREATE INDEX experiments_by_name ON experiments (name, workspace);
DROP INDEX experiments_by_creation;
CREATE INDEX experiments_by_creation ON experiments (workspace, deleted, created DESC, number);

ALTER TABLE registered_models RENAME COLUMN name TO key;
ALTER TABLE registered_models ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE registered_models ADD COLUMN workspace INTEGER NOT NULL DEFAULT 0;
UPDATE registered_models SET name = key, key = '0/' || key;
CREATE INDEX registered_models_by_name ON registered_models (name, workspace);
CREATE INDEX registered_models_by_workspace ON registered_models (workspace, name);

ALTER TABLE webhooks ADD COLUMN workspace INTEGER NOT NULL DEFAULT 0;
CREATE INDEX webhooks_by_workspace ON webhooks (workspace, number);

ALTER TABLE evaluation_datasets ADD COLUMN workspace INTEGER NOT NULL DEFAULT 0;
DROP INDEX evaluation_datasets_by_creation;
CREATE INDEX evaluation_datasets_by_creation ON evaluation_datasets (workspace, created DESC, number DESC);

-- The same files in two workspaces have evidence of their own in each.
CREATE TABLE evidence_of_workspaces (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace INTEGER NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    subject BLOB NOT NULL CHECK (length(subject) = 32),
    predicate_type TEXT NOT NULL,
    bundle TEXT NOT NULL,
    added INTEGER NOT NULL,
    added_by TEXT NOT NULL,
    UNIQUE (digest, subject, workspace)
) STRICT;
INSERT INTO evidence_of_workspaces
    SELECT number, 0, digest, subject, predicate_type, bundle, added, added_by FROM evidence;
DROP TABLE evidence;
ALTER TABLE evidence_of_workspaces RENAME TO evidence;
CREATE INDEX evidence_by_subject ON evidence (subject, workspace, number);

-- 'default', or the number of another workspace: equal bytes are shared within one.
CREATE INDEX stored_objects_by_workspace ON stored_objects (workspace);
