-- Groups, each of one source: made here (''), or as a provider of identities, by its name in the settings, tells them. What a
-- provider calls a group is never one of ours.
ALTER TABLE users ADD COLUMN kind TEXT NOT NULL DEFAULT 'person';
ALTER TABLE users ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN provider TEXT;
ALTER TABLE sessions ADD COLUMN external TEXT;

CREATE TABLE groups (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    created INTEGER NOT NULL,
    UNIQUE (source, name)
) STRICT;

CREATE TABLE group_members (
    group_number INTEGER NOT NULL REFERENCES groups (number) ON DELETE CASCADE,
    member INTEGER NOT NULL REFERENCES users (number) ON DELETE CASCADE,
    PRIMARY KEY (group_number, member)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_members_by_member ON group_members (member, group_number);

-- Roles that all of a group have: given by somebody, or declared in the settings.
CREATE TABLE group_roles (
    group_number INTEGER NOT NULL REFERENCES groups (number) ON DELETE CASCADE,
    role INTEGER NOT NULL REFERENCES roles (number) ON DELETE CASCADE,
    declared INTEGER NOT NULL CHECK (declared IN (0, 1)),
    PRIMARY KEY (group_number, role, declared)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_roles_by_role ON group_roles (role, group_number);

-- Whom a provider means by its subject.
CREATE TABLE external_identities (
    provider TEXT NOT NULL,
    subject TEXT NOT NULL,
    member INTEGER NOT NULL REFERENCES users (number) ON DELETE CASCADE,
    created INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (provider, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX external_identities_by_member ON external_identities (member);
CREATE INDEX sessions_by_external ON sessions (provider, external);
