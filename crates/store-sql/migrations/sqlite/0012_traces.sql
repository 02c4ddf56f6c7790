-- Traces. Times are the clients' own: milliseconds for traces, nanoseconds for spans.
CREATE TABLE traces (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    experiment INTEGER NOT NULL REFERENCES experiments (number),
    client_request_id TEXT,
    started INTEGER NOT NULL,
    duration INTEGER,
    state TEXT NOT NULL CHECK (state IN ('STATE_UNSPECIFIED', 'OK', 'ERROR', 'IN_PROGRESS')),
    request_preview TEXT,
    response_preview TEXT,
    finalised INTEGER NOT NULL DEFAULT 0 CHECK (finalised IN (0, 1)),
    spans INTEGER NOT NULL DEFAULT 0 CHECK (spans >= 0),
    created_by TEXT NOT NULL
) STRICT;
CREATE INDEX traces_by_experiment ON traces (experiment, started DESC, id);
CREATE INDEX traces_by_client_request ON traces (client_request_id);

CREATE TABLE trace_tags (
    trace INTEGER NOT NULL REFERENCES traces (number) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (trace, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX trace_tags_by_key ON trace_tags (key, substr(value, 1, 100), trace);

CREATE TABLE trace_metadata (
    trace INTEGER NOT NULL REFERENCES traces (number) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (trace, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX trace_metadata_by_key ON trace_metadata (key, substr(value, 1, 100), trace);

CREATE TABLE trace_metrics (
    trace INTEGER NOT NULL REFERENCES traces (number) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (trace, key)
) STRICT, WITHOUT ROWID;

-- By the trace's id: clients link traces that they have not sent yet.
CREATE TABLE trace_runs (
    trace_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    PRIMARY KEY (run_id, trace_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX trace_runs_by_trace ON trace_runs (trace_id);

CREATE TABLE trace_prompts (
    trace INTEGER NOT NULL REFERENCES traces (number) ON DELETE CASCADE,
    prompt TEXT NOT NULL,
    PRIMARY KEY (trace, prompt)
) STRICT, WITHOUT ROWID;
CREATE INDEX trace_prompts_by_prompt ON trace_prompts (prompt, trace);

-- `name` is cut for the index; `content` is the whole span.
CREATE TABLE spans (
    number INTEGER PRIMARY KEY,
    trace INTEGER NOT NULL REFERENCES traces (number) ON DELETE CASCADE,
    id TEXT NOT NULL,
    parent TEXT,
    name TEXT NOT NULL,
    kind TEXT,
    status TEXT NOT NULL CHECK (status IN ('OK', 'ERROR', 'UNSET')),
    started INTEGER NOT NULL,
    ended INTEGER,
    model TEXT,
    provider TEXT,
    content TEXT NOT NULL,
    UNIQUE (trace, id)
) STRICT;
CREATE INDEX spans_by_name ON spans (name, trace);
CREATE INDEX spans_by_kind ON spans (kind, trace);

-- What searches by attribute look at: the beginning of each value, and whether there is more of it in the content.
CREATE TABLE span_attributes (
    span INTEGER NOT NULL REFERENCES spans (number) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    cut INTEGER NOT NULL CHECK (cut IN (0, 1)),
    PRIMARY KEY (span, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX span_attributes_by_key ON span_attributes (key, substr(value, 1, 100), span);

CREATE TABLE span_metrics (
    span INTEGER NOT NULL REFERENCES spans (number) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (span, key)
) STRICT, WITHOUT ROWID;

-- `of_session`: it speaks of the whole session that its trace belongs to.
CREATE TABLE trace_assessments (
    number INTEGER PRIMARY KEY,
    trace INTEGER NOT NULL REFERENCES traces (number) ON DELETE CASCADE,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('feedback', 'expectation', 'issue')),
    value TEXT NOT NULL,
    error TEXT,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    source_type TEXT NOT NULL,
    source_id TEXT,
    run_id TEXT,
    span_id TEXT,
    rationale TEXT,
    overrides TEXT,
    valid INTEGER NOT NULL CHECK (valid IN (0, 1)),
    metadata TEXT NOT NULL,
    of_session INTEGER NOT NULL CHECK (of_session IN (0, 1)),
    created_by TEXT NOT NULL,
    UNIQUE (trace, id)
) STRICT;
CREATE INDEX trace_assessments_by_name ON trace_assessments (kind, name, trace);

-- Evaluation data sets.
CREATE TABLE evaluation_datasets (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    schema TEXT,
    profile TEXT,
    digest TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    created_by TEXT,
    updated_by TEXT,
    owner TEXT NOT NULL
) STRICT;
CREATE INDEX evaluation_datasets_by_name ON evaluation_datasets (name);
CREATE INDEX evaluation_datasets_by_creation ON evaluation_datasets (created DESC, number DESC);

CREATE TABLE evaluation_dataset_tags (
    dataset INTEGER NOT NULL REFERENCES evaluation_datasets (number) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (dataset, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX evaluation_dataset_tags_by_key ON evaluation_dataset_tags (key, substr(value, 1, 200), dataset);

CREATE TABLE evaluation_dataset_experiments (
    dataset INTEGER NOT NULL REFERENCES evaluation_datasets (number) ON DELETE CASCADE,
    experiment INTEGER NOT NULL REFERENCES experiments (number),
    PRIMARY KEY (dataset, experiment)
) STRICT, WITHOUT ROWID;
CREATE INDEX evaluation_dataset_experiments_by_experiment ON evaluation_dataset_experiments (experiment, dataset);

CREATE TABLE evaluation_dataset_records (
    number INTEGER PRIMARY KEY,
    dataset INTEGER NOT NULL REFERENCES evaluation_datasets (number) ON DELETE CASCADE,
    id TEXT NOT NULL UNIQUE,
    inputs TEXT NOT NULL,
    input_hash TEXT NOT NULL,
    outputs TEXT,
    expectations TEXT,
    tags TEXT,
    source TEXT,
    source_id TEXT,
    source_type TEXT,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    created_by TEXT,
    updated_by TEXT,
    UNIQUE (dataset, input_hash)
) STRICT;
CREATE INDEX evaluation_dataset_records_in_order ON evaluation_dataset_records (dataset, created, id);

-- Scorers. `last_version` only grows, so that a number never comes to mean another version.
CREATE TABLE scorers (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    experiment INTEGER NOT NULL REFERENCES experiments (number),
    name TEXT NOT NULL,
    last_version INTEGER NOT NULL DEFAULT 0,
    UNIQUE (experiment, name)
) STRICT;

CREATE TABLE scorer_versions (
    scorer INTEGER NOT NULL REFERENCES scorers (number) ON DELETE CASCADE,
    version INTEGER NOT NULL CHECK (version > 0),
    serialized TEXT NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (scorer, version)
) STRICT, WITHOUT ROWID;

-- Artifacts can belong to traces too.
CREATE TABLE artifacts_of_traces_too (
    owner_kind TEXT NOT NULL CHECK (owner_kind IN ('run', 'model', 'trace')),
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
INSERT INTO artifacts_of_traces_too
    SELECT owner_kind, owner, path, object, digest, size, verdict, created, created_by FROM artifacts;
DROP TABLE artifacts;
ALTER TABLE artifacts_of_traces_too RENAME TO artifacts;
CREATE INDEX artifacts_by_object ON artifacts (object);
