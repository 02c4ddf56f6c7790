-- A keyed digest of what decides something, so that a row that was changed behind the server's back is known.
ALTER TABLE users ADD COLUMN seal BYTEA;
ALTER TABLE tokens ADD COLUMN seal BYTEA;
ALTER TABLE sessions ADD COLUMN seal BYTEA;
ALTER TABLE grants ADD COLUMN seal BYTEA;
ALTER TABLE roles ADD COLUMN seal BYTEA;
ALTER TABLE role_permissions ADD COLUMN seal BYTEA;
ALTER TABLE role_members ADD COLUMN seal BYTEA;
ALTER TABLE groups ADD COLUMN seal BYTEA;
ALTER TABLE group_members ADD COLUMN seal BYTEA;
ALTER TABLE group_roles ADD COLUMN seal BYTEA;
ALTER TABLE external_identities ADD COLUMN seal BYTEA;
ALTER TABLE model_versions ADD COLUMN seal BYTEA;
ALTER TABLE aliases ADD COLUMN seal BYTEA;
ALTER TABLE evidence ADD COLUMN seal BYTEA;
