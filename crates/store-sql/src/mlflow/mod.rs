//! The database of an MLflow server, read only.
//!
//! Its schema is MLflow's own (`mlflow/store/tracking/dbmodels`, `mlflow/store/model_registry/dbmodels`), known by the
//! revision that its migrations leave in `alembic_version`. Everything is read from one snapshot.

mod database;
mod evaluation;
mod postgres;
mod registry;
mod source;
mod sqlite;
mod traces;
mod tracking;
mod users;
mod webhooks;

pub use source::MlflowSource;
pub use users::read_mlflow_users;
