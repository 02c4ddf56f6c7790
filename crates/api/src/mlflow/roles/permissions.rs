//! `POST roles/permissions/add`, `GET …/list`, `PATCH …/update`, `DELETE …/remove`.

use axum::Json;
use sealyard_app::NewRolePermission;
use serde::{Deserialize, Serialize};

use super::view::PermissionView;
use super::{RoleRequest, explain, id};
use crate::http::{Answer, Empty, Identified, InWorkspace, Input, Integer, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AddRequest {
    role_id: Option<Integer>,
    resource_type: String,
    resource_pattern: String,
    permission: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PermissionRequest {
    role_permission_id: Option<Integer>,
    permission: String,
}

#[derive(Debug, Serialize)]
pub(super) struct OneResponse {
    role_permission: PermissionView,
}

#[derive(Debug, Serialize)]
pub(super) struct AllResponse {
    role_permissions: Vec<PermissionView>,
}

pub(super) async fn add(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<AddRequest>,
) -> Answer<OneResponse> {
    let role = id("role_id", request.role_id)?;
    required("resource_type", &request.resource_type)?;
    required("resource_pattern", &request.resource_pattern)?;
    let new = NewRolePermission {
        resource_type: request.resource_type,
        resource_pattern: request.resource_pattern,
        permission: request.permission,
    };
    let made = state.app().add_role_permission(&caller, role, new).await.map_err(explain)?;
    Ok(Json(OneResponse { role_permission: made.into() }))
}

pub(super) async fn list(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<RoleRequest>,
) -> Answer<AllResponse> {
    let role = state.app().role(&caller, id("role_id", request.role_id)?).await.map_err(explain)?;
    Ok(Json(AllResponse { role_permissions: role.permissions.into_iter().map(PermissionView::from).collect() }))
}

pub(super) async fn update(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<PermissionRequest>,
) -> Answer<OneResponse> {
    let id = id("role_permission_id", request.role_permission_id)?;
    let changed = state.app().update_role_permission(&caller, id, &request.permission).await.map_err(explain)?;
    Ok(Json(OneResponse { role_permission: changed.into() }))
}

pub(super) async fn remove(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<PermissionRequest>,
) -> Answer<Empty> {
    let id = id("role_permission_id", request.role_permission_id)?;
    state.app().remove_role_permission(&caller, id).await.map_err(explain)?;
    Ok(Json(Empty {}))
}
