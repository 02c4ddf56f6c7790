-- Webhooks. `events` keeps their order; `webhook_events` finds who wants one. `waiting` counts deliveries that are not done.
CREATE TABLE webhooks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    url TEXT NOT NULL,
    secret BLOB,
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    events TEXT NOT NULL,
    waiting INTEGER NOT NULL DEFAULT 0 CHECK (waiting >= 0),
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT;
CREATE INDEX webhooks_waiting ON webhooks (number) WHERE waiting > 0;

CREATE TABLE webhook_events (
    event TEXT NOT NULL,
    webhook INTEGER NOT NULL REFERENCES webhooks (number) ON DELETE CASCADE,
    PRIMARY KEY (event, webhook)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_events_by_webhook ON webhook_events (webhook);

-- What is to be delivered, and what became of it. `due` is when it is tried next; one that is being tried is due again
-- when its lease runs out.
CREATE TABLE webhook_deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    webhook INTEGER NOT NULL REFERENCES webhooks (number) ON DELETE CASCADE,
    event TEXT NOT NULL,
    body TEXT NOT NULL,
    created INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    due INTEGER NOT NULL,
    status INTEGER,
    error TEXT,
    finished INTEGER,
    delivered INTEGER NOT NULL DEFAULT 0 CHECK (delivered IN (0, 1))
) STRICT;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook, due, number) WHERE finished IS NULL;
CREATE INDEX webhook_deliveries_done ON webhook_deliveries (webhook, number) WHERE finished IS NOT NULL;
CREATE INDEX webhook_deliveries_all ON webhook_deliveries (webhook, number);

-- Roles: names for sets of rights, and who has them.
CREATE TABLE roles (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    created INTEGER NOT NULL,
    UNIQUE (workspace, name)
) STRICT;

CREATE TABLE role_permissions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    role INTEGER NOT NULL REFERENCES roles (number) ON DELETE CASCADE,
    resource_type TEXT NOT NULL,
    resource_pattern TEXT NOT NULL,
    permission TEXT NOT NULL,
    UNIQUE (role, resource_type, resource_pattern)
) STRICT;

CREATE TABLE role_members (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    member INTEGER NOT NULL REFERENCES users (number) ON DELETE CASCADE,
    role INTEGER NOT NULL REFERENCES roles (number) ON DELETE CASCADE,
    UNIQUE (member, role)
) STRICT;
CREATE INDEX role_members_by_role ON role_members (role, number);
