-- Objects of the vault that have, or had, a row somewhere. `new` ones have bytes of their own and were not compared with
-- others yet; `kept` ones have bytes that others may share; `shared` ones have the bytes of another; nobody shares those of
-- `lone` ones, which are not what they should be; a `part` belongs to an upload; `retired` ones are gone and stay so.
CREATE TABLE stored_objects (
    object TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    workspace TEXT COLLATE "C" NOT NULL DEFAULT 'default',
    digest BYTEA NOT NULL,
    size BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('new', 'kept', 'shared', 'lone', 'part', 'retired')),
    bytes TEXT COLLATE "C",
    changed BIGINT NOT NULL,
    CHECK ((state = 'shared') = (bytes IS NOT NULL))
);
CREATE INDEX stored_objects_by_content ON stored_objects (digest, size, workspace, state);
CREATE INDEX stored_objects_by_bytes ON stored_objects (bytes);
CREATE INDEX stored_objects_by_state ON stored_objects (state, changed);

INSERT INTO stored_objects (object, digest, size, state, changed)
    SELECT DISTINCT object, digest, size, 'new', 0 FROM artifacts WHERE 1 = 1 ON CONFLICT (object) DO NOTHING;
INSERT INTO stored_objects (object, digest, size, state, changed)
    SELECT DISTINCT object, digest, size, 'new', 0 FROM version_files WHERE 1 = 1 ON CONFLICT (object) DO NOTHING;

-- Uploads in parts.
CREATE TABLE uploads (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    owner_kind TEXT COLLATE "C" NOT NULL CHECK (owner_kind IN ('run', 'model')),
    owner TEXT COLLATE "C" NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    parts BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'completing', 'done'))
);
CREATE INDEX uploads_by_time ON uploads (created);
CREATE INDEX uploads_by_creator ON uploads (created_by, state);

CREATE TABLE upload_parts (
    upload TEXT COLLATE "C" NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    object TEXT COLLATE "C" NOT NULL,
    digest BYTEA NOT NULL CHECK (length(digest) = 32),
    size BIGINT NOT NULL CHECK (size >= 0),
    PRIMARY KEY (upload, number)
);
CREATE INDEX upload_parts_by_object ON upload_parts (object);
