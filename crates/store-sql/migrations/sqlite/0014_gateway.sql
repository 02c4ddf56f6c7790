-- The AI gateway: keys of model providers, sealed; models with the key they are asked with; endpoints; who uses them.
CREATE TABLE gateway_secrets (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    provider TEXT,
    sealed BLOB NOT NULL,
    masked TEXT NOT NULL,
    auth_config TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_by TEXT NOT NULL
) STRICT;
CREATE INDEX gateway_secrets_by_provider ON gateway_secrets (provider);

CREATE TABLE gateway_model_definitions (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    secret INTEGER REFERENCES gateway_secrets (number) ON DELETE SET NULL,
    provider TEXT NOT NULL,
    model_name TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_by TEXT NOT NULL
) STRICT;
CREATE INDEX gateway_model_definitions_by_secret ON gateway_model_definitions (secret);
CREATE INDEX gateway_model_definitions_by_provider ON gateway_model_definitions (provider);

-- `experiment` is an id and no reference: an experiment that is removed leaves the endpoint as it is.
CREATE TABLE gateway_endpoints (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    routing_strategy TEXT,
    fallback INTEGER NOT NULL CHECK (fallback IN (0, 1)),
    fallback_strategy TEXT,
    fallback_attempts INTEGER,
    experiment TEXT,
    usage_tracking INTEGER NOT NULL CHECK (usage_tracking IN (0, 1)),
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_by TEXT NOT NULL
) STRICT;

CREATE TABLE gateway_endpoint_models (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    endpoint INTEGER NOT NULL REFERENCES gateway_endpoints (number) ON DELETE CASCADE,
    definition INTEGER NOT NULL REFERENCES gateway_model_definitions (number),
    weight REAL NOT NULL CHECK (weight >= 0),
    linkage TEXT NOT NULL CHECK (linkage IN ('PRIMARY', 'FALLBACK')),
    fallback_order INTEGER,
    created INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (endpoint, definition, linkage)
) STRICT;
CREATE INDEX gateway_endpoint_models_by_definition ON gateway_endpoint_models (definition);

CREATE TABLE gateway_endpoint_tags (
    endpoint INTEGER NOT NULL REFERENCES gateway_endpoints (number) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (endpoint, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE gateway_bindings (
    endpoint INTEGER NOT NULL REFERENCES gateway_endpoints (number) ON DELETE CASCADE,
    resource_type TEXT NOT NULL,
    resource TEXT NOT NULL,
    created INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (endpoint, resource_type, resource)
) STRICT, WITHOUT ROWID;
CREATE INDEX gateway_bindings_by_resource ON gateway_bindings (resource, resource_type);

CREATE TABLE online_scoring (
    scorer INTEGER PRIMARY KEY REFERENCES scorers (number) ON DELETE CASCADE,
    id TEXT NOT NULL UNIQUE,
    sample_rate REAL NOT NULL CHECK (sample_rate >= 0 AND sample_rate <= 1),
    filter TEXT
) STRICT;
