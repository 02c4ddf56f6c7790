-- A keyed digest of what decides something, so that a row that was changed behind the server's back is known.
ALTER TABLE users ADD COLUMN seal BLOB;
ALTER TABLE tokens ADD COLUMN seal BLOB;
ALTER TABLE sessions ADD COLUMN seal BLOB;
ALTER TABLE grants ADD COLUMN seal BLOB;
ALTER TABLE roles ADD COLUMN seal BLOB;
ALTER TABLE role_permissions ADD COLUMN seal BLOB;
ALTER TABLE role_members ADD COLUMN seal BLOB;
ALTER TABLE groups ADD COLUMN seal BLOB;
ALTER TABLE group_members ADD COLUMN seal BLOB;
ALTER TABLE group_roles ADD COLUMN seal BLOB;
ALTER TABLE external_identities ADD COLUMN seal BLOB;
ALTER TABLE model_versions ADD COLUMN seal BLOB;
ALTER TABLE aliases ADD COLUMN seal BLOB;
ALTER TABLE evidence ADD COLUMN seal BLOB;
