-- Experiments and runs. `number` is the internal key; what clients see is its decimal text or `id`.
CREATE TABLE experiments (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)),
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL
) STRICT;

CREATE TABLE experiment_tags (
    experiment INTEGER NOT NULL REFERENCES experiments (number) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (experiment, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX experiment_tags_by_key ON experiment_tags (key, value);

CREATE TABLE runs (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    experiment INTEGER NOT NULL REFERENCES experiments (number),
    name TEXT NOT NULL,
    user TEXT NOT NULL,
    created_by TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED')),
    started INTEGER NOT NULL,
    ended INTEGER,
    deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1))
) STRICT;
CREATE INDEX runs_by_experiment ON runs (experiment, deleted, started DESC, id);

CREATE TABLE run_tags (
    run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_tags_by_key ON run_tags (key, value);

CREATE TABLE run_params (
    run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_params_by_key ON run_params (key, value);

-- SQLite has no NaN: it is kept as 0 with the flag set.
CREATE TABLE metric_history (
    run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
    key TEXT NOT NULL,
    step INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    value REAL NOT NULL,
    nan INTEGER NOT NULL CHECK (nan IN (0, 1)),
    model_id TEXT,
    dataset_name TEXT,
    dataset_digest TEXT,
    PRIMARY KEY (run, key, step, timestamp, value, nan)
) STRICT, WITHOUT ROWID;

CREATE TABLE latest_metrics (
    run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
    key TEXT NOT NULL,
    step INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    value REAL NOT NULL,
    nan INTEGER NOT NULL CHECK (nan IN (0, 1)),
    model_id TEXT,
    dataset_name TEXT,
    dataset_digest TEXT,
    PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX latest_metrics_by_key ON latest_metrics (key, value, nan);

CREATE TABLE run_datasets (
    run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    source_type TEXT NOT NULL,
    source TEXT NOT NULL,
    schema TEXT,
    profile TEXT,
    context TEXT,
    tags TEXT NOT NULL,
    PRIMARY KEY (run, name, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_datasets_by_name ON run_datasets (name, digest);
CREATE INDEX run_datasets_by_digest ON run_datasets (digest);

CREATE TABLE run_model_inputs (
    run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
    model_id TEXT NOT NULL,
    PRIMARY KEY (run, model_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_model_outputs (
    run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
    model_id TEXT NOT NULL,
    step INTEGER NOT NULL,
    PRIMARY KEY (run, model_id, step)
) STRICT, WITHOUT ROWID;

-- Logged models.
CREATE TABLE logged_models (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    experiment INTEGER NOT NULL REFERENCES experiments (number),
    name TEXT NOT NULL,
    source_run TEXT,
    model_type TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('PENDING', 'READY', 'UPLOAD_FAILED')),
    message TEXT NOT NULL DEFAULT '',
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    tree BLOB CHECK (tree IS NULL OR length(tree) = 32),
    deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1))
) STRICT;
CREATE INDEX logged_models_by_experiment ON logged_models (experiment, deleted, created DESC, id);
CREATE INDEX logged_models_by_run ON logged_models (source_run);

CREATE TABLE logged_model_tags (
    model INTEGER NOT NULL REFERENCES logged_models (number) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (model, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX logged_model_tags_by_key ON logged_model_tags (key, value);

CREATE TABLE logged_model_params (
    model INTEGER NOT NULL REFERENCES logged_models (number) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (model, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX logged_model_params_by_key ON logged_model_params (key, value);

-- The latest value for each metric and data set; no data set is the empty text.
CREATE TABLE logged_model_metrics (
    model INTEGER NOT NULL REFERENCES logged_models (number) ON DELETE CASCADE,
    key TEXT NOT NULL,
    dataset_name TEXT NOT NULL,
    dataset_digest TEXT NOT NULL,
    step INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    value REAL NOT NULL,
    nan INTEGER NOT NULL CHECK (nan IN (0, 1)),
    PRIMARY KEY (model, key, dataset_name, dataset_digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX logged_model_metrics_by_key ON logged_model_metrics (key, value, nan);

-- The registry. `last_version` only grows, so that a number never comes to mean another version.
CREATE TABLE registered_models (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    last_version INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE registered_model_tags (
    model INTEGER NOT NULL REFERENCES registered_models (number) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (model, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX registered_model_tags_by_key ON registered_model_tags (key, value);

CREATE TABLE model_versions (
    number INTEGER PRIMARY KEY,
    model INTEGER NOT NULL REFERENCES registered_models (number) ON DELETE CASCADE,
    version INTEGER NOT NULL CHECK (version > 0),
    description TEXT NOT NULL,
    source TEXT NOT NULL,
    run_id TEXT,
    model_id TEXT,
    experiment TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('PENDING_REGISTRATION', 'READY', 'FAILED_REGISTRATION')),
    message TEXT NOT NULL DEFAULT '',
    stage TEXT NOT NULL DEFAULT 'None',
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    tree BLOB NOT NULL CHECK (length(tree) = 32),
    verdict TEXT NOT NULL,
    published BLOB CHECK (published IS NULL OR length(published) = 32),
    UNIQUE (model, version)
) STRICT;
CREATE INDEX model_versions_by_run ON model_versions (run_id);
CREATE INDEX model_versions_by_tree ON model_versions (tree);
CREATE INDEX model_versions_by_update ON model_versions (updated DESC);

CREATE TABLE model_version_tags (
    version INTEGER NOT NULL REFERENCES model_versions (number) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (version, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX model_version_tags_by_key ON model_version_tags (key, value);

CREATE TABLE version_files (
    version INTEGER NOT NULL REFERENCES model_versions (number) ON DELETE CASCADE,
    path TEXT NOT NULL,
    object TEXT NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    size INTEGER NOT NULL CHECK (size >= 0),
    executable INTEGER NOT NULL CHECK (executable IN (0, 1)),
    PRIMARY KEY (version, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX version_files_by_object ON version_files (object);

CREATE TABLE aliases (
    model INTEGER NOT NULL,
    alias TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (model, alias),
    FOREIGN KEY (model, version) REFERENCES model_versions (model, version) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX aliases_by_version ON aliases (model, version);

-- Uploaded files.
CREATE TABLE artifacts (
    owner_kind TEXT NOT NULL CHECK (owner_kind IN ('run', 'model')),
    owner TEXT NOT NULL,
    path TEXT NOT NULL,
    object TEXT NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    size INTEGER NOT NULL CHECK (size >= 0),
    verdict TEXT NOT NULL,
    created INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (owner_kind, owner, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX artifacts_by_object ON artifacts (object);

-- Evidence.
CREATE TABLE evidence (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    subject BLOB NOT NULL CHECK (length(subject) = 32),
    predicate_type TEXT NOT NULL,
    bundle TEXT NOT NULL,
    added INTEGER NOT NULL,
    added_by TEXT NOT NULL,
    UNIQUE (digest, subject)
) STRICT;
CREATE INDEX evidence_by_subject ON evidence (subject, number);

-- Identities.
CREATE TABLE users (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    password TEXT,
    admin INTEGER NOT NULL CHECK (admin IN (0, 1)),
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES users (number) ON DELETE CASCADE,
    hash TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER,
    revoked INTEGER NOT NULL DEFAULT 0 CHECK (revoked IN (0, 1))
) STRICT;
CREATE INDEX tokens_by_user ON tokens (user, created);

-- `slot` is `level` for permissions and denials, of which there is one, and the act's own name for acts.
CREATE TABLE grants (
    grantee TEXT NOT NULL,
    pattern TEXT NOT NULL,
    slot TEXT NOT NULL,
    permission TEXT NOT NULL,
    PRIMARY KEY (grantee, pattern, slot)
) STRICT, WITHOUT ROWID;

-- The ledger.
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    event BLOB NOT NULL
) STRICT;

CREATE TABLE ledger_entries (
    position INTEGER PRIMARY KEY CHECK (position >= 0),
    event BLOB NOT NULL,
    leaf BLOB NOT NULL CHECK (length(leaf) = 32)
) STRICT;

CREATE TABLE ledger_checkpoints (
    size INTEGER PRIMARY KEY CHECK (size > 0),
    note TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;

-- No code path changes what is in the log; these keep a mistake from doing so unseen.
CREATE TRIGGER ledger_entries_stay BEFORE DELETE ON ledger_entries
BEGIN SELECT RAISE (ABORT, 'ledger entries are never removed'); END;
CREATE TRIGGER ledger_entries_stand BEFORE UPDATE ON ledger_entries
BEGIN SELECT RAISE (ABORT, 'ledger entries are never changed'); END;
CREATE TRIGGER ledger_checkpoints_stay BEFORE DELETE ON ledger_checkpoints
BEGIN SELECT RAISE (ABORT, 'checkpoints are never removed'); END;
CREATE TRIGGER ledger_checkpoints_stand BEFORE UPDATE ON ledger_checkpoints
BEGIN SELECT RAISE (ABORT, 'checkpoints are never changed'); END;

CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
