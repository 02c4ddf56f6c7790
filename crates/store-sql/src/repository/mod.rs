//! One file for each repository trait.

mod artifacts;
mod batch;
mod convert;
mod datasets;
mod evaluation_datasets;
mod evidence;
mod experiments;
mod figures;
mod gateway;
mod groups;
mod histories;
mod identities;
mod import;
mod issues;
mod ledger;
mod logged_models;
mod metrics;
mod model_versions;
mod objects;
mod once;
mod pairs;
mod registered_models;
mod registry;
mod roles;
mod run_links;
mod runs;
mod scorers;
mod sealed;
mod sessions;
mod settings;
mod traces;
mod version_records;
mod webhooks;
mod workspaces;

pub(crate) use convert::Columns;
mod uploads;
