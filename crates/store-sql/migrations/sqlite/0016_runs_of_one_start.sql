-- Of runs with the same start the one with the lowest id comes first, as clients of MLflow expect.

DROP INDEX runs_by_start;
CREATE INDEX runs_by_start ON runs (experiment, deleted, started DESC, id);
DROP INDEX runs_of_all;
CREATE INDEX runs_of_all ON runs (deleted, started DESC, id);
DROP INDEX runs_by_end;
CREATE INDEX runs_by_end ON runs (experiment, deleted, ended, started DESC, id);
