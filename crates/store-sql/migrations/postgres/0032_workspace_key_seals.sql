-- The key of a workspace that was deleted must not come back by its old row.
ALTER TABLE workspace_keys ADD COLUMN seal BYTEA;
