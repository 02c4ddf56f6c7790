-- What an import did not take in, each once: the note of how far it came stays small however many there are.
CREATE TABLE import_refusals (
    number INTEGER PRIMARY KEY,
    what TEXT NOT NULL UNIQUE,
    rule TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
