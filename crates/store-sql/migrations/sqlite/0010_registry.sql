-- Where a metric of a logged model was logged, and where the files of a copied version are.
ALTER TABLE logged_model_metrics ADD COLUMN run_id TEXT;
ALTER TABLE model_versions ADD COLUMN location TEXT;

-- What people or programs found wrong in an experiment. `severity` is a rank, -1 for none; lists are JSON.
CREATE TABLE issues (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    experiment INTEGER NOT NULL REFERENCES experiments (number),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    status TEXT NOT NULL,
    severity INTEGER NOT NULL,
    root_causes TEXT NOT NULL,
    categories TEXT NOT NULL,
    source_run TEXT,
    said_by TEXT,
    created_by TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL
) STRICT;
CREATE INDEX issues_by_experiment ON issues (experiment, severity DESC, created DESC, id);
CREATE INDEX issues_by_severity ON issues (severity DESC, created DESC, id);
