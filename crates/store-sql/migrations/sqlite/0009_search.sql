-- Searches are answered by indexes: what belongs to a run carries the run's experiment and start, so that one index finds a
-- value within an experiment and gives its runs newest first. Neither ever changes.
--
-- Texts are indexed, compared in an order and sorted by their first 200 characters, so that no value makes an index
-- entry larger than every database takes.

DROP INDEX runs_by_experiment;
CREATE INDEX runs_by_start ON runs (experiment, deleted, started DESC, number DESC);
CREATE INDEX runs_by_end ON runs (experiment, deleted, ended, started DESC, number DESC);
CREATE INDEX runs_by_name ON runs (experiment, deleted, name, started DESC, number DESC);
CREATE INDEX runs_by_status ON runs (experiment, deleted, status, started DESC, number DESC);
CREATE INDEX runs_by_user ON runs (experiment, deleted, "user", started DESC, number DESC);
CREATE INDEX runs_of_all ON runs (deleted, started DESC, number DESC);

ALTER TABLE run_params ADD COLUMN experiment INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run_params ADD COLUMN started INTEGER NOT NULL DEFAULT 0;
UPDATE run_params SET (experiment, started) = (SELECT r.experiment, r.started FROM runs r WHERE r.number = run);
DROP INDEX run_params_by_key;
CREATE INDEX run_params_by_value ON run_params (experiment, key, substr(value, 1, 200), started DESC, run DESC);

ALTER TABLE run_tags ADD COLUMN experiment INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run_tags ADD COLUMN started INTEGER NOT NULL DEFAULT 0;
UPDATE run_tags SET (experiment, started) = (SELECT r.experiment, r.started FROM runs r WHERE r.number = run);
DROP INDEX run_tags_by_key;
CREATE INDEX run_tags_by_value ON run_tags (experiment, key, substr(value, 1, 200), started DESC, run DESC);

ALTER TABLE latest_metrics ADD COLUMN experiment INTEGER NOT NULL DEFAULT 0;
ALTER TABLE latest_metrics ADD COLUMN started INTEGER NOT NULL DEFAULT 0;
UPDATE latest_metrics SET (experiment, started) = (SELECT r.experiment, r.started FROM runs r WHERE r.number = run);
DROP INDEX latest_metrics_by_key;
CREATE INDEX latest_metrics_by_value ON latest_metrics (experiment, key, nan, value, started DESC, run DESC);

DROP INDEX logged_models_by_experiment;
CREATE INDEX logged_models_by_creation ON logged_models (experiment, deleted, created DESC, number DESC);
DROP INDEX logged_model_tags_by_key;
CREATE INDEX logged_model_tags_by_value ON logged_model_tags (key, substr(value, 1, 200));
DROP INDEX logged_model_params_by_key;
CREATE INDEX logged_model_params_by_value ON logged_model_params (key, substr(value, 1, 200));
DROP INDEX logged_model_metrics_by_key;
CREATE INDEX logged_model_metrics_by_value ON logged_model_metrics (key, nan, value);
CREATE INDEX logged_model_metrics_by_dataset ON logged_model_metrics (dataset_name, dataset_digest);

DROP INDEX experiment_tags_by_key;
CREATE INDEX experiment_tags_by_value ON experiment_tags (key, substr(value, 1, 200));
CREATE INDEX experiments_by_creation ON experiments (deleted, created DESC, number);

DROP INDEX registered_model_tags_by_key;
CREATE INDEX registered_model_tags_by_value ON registered_model_tags (key, substr(value, 1, 200));
DROP INDEX model_version_tags_by_key;
CREATE INDEX model_version_tags_by_value ON model_version_tags (key, substr(value, 1, 200));
