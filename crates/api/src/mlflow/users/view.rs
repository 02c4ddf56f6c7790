use sealyard_app::UserDetails;
use serde::Serialize;

use super::super::permissions::{ExperimentPermissionView, ModelPermissionView};

/// A user with what it was given.
#[derive(Debug, Serialize)]
pub(super) struct UserView {
    id: i64,
    username: String,
    is_admin: bool,
    experiment_permissions: Vec<ExperimentPermissionView>,
    registered_model_permissions: Vec<ModelPermissionView>,
    scorer_permissions: [(); 0],
}

impl From<UserDetails> for UserView {
    fn from(user: UserDetails) -> Self {
        let UserDetails { id, name, admin, experiments, models } = user;
        Self {
            id,
            username: name,
            is_admin: admin,
            experiment_permissions: experiments
                .into_iter()
                .map(|held| ExperimentPermissionView::new(held.id, id, held.level))
                .collect(),
            registered_model_permissions: models
                .into_iter()
                .map(|held| ModelPermissionView::new(held.workspace, held.id, id, held.level))
                .collect(),
            scorer_permissions: [],
        }
    }
}

/// `{"user": …}`.
#[derive(Debug, Serialize)]
pub(super) struct Response {
    pub(super) user: UserView,
}

/// A user by itself.
#[derive(Debug, Serialize)]
pub(super) struct PlainUserView {
    id: i64,
    username: String,
    is_admin: bool,
}

impl From<UserDetails> for PlainUserView {
    fn from(user: UserDetails) -> Self {
        Self { id: user.id, username: user.name, is_admin: user.admin }
    }
}
