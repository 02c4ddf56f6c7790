-- Files outside of every experiment.

ALTER TABLE artifacts DROP CONSTRAINT artifacts_owner_kind_check;
ALTER TABLE artifacts ADD CONSTRAINT artifacts_owner_kind_check CHECK (owner_kind IN ('run', 'model', 'trace', 'loose'));
