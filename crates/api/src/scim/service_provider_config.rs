//! `GET ServiceProviderConfig`: what of SCIM there is here.

use http::StatusCode;
use serde_json::json;

use super::answer::{Scim, ScimAnswer, may_provision};
use super::filter::MOST_RESULTS;
use crate::http::{Identified, InWorkspace};

pub(super) async fn handler(InWorkspace(state): InWorkspace, Identified(caller): Identified) -> ScimAnswer {
    let app = state.app();
    let _may = may_provision(app, &caller).await?;
    let not = json!({"supported": false});
    Ok(Scim(
        StatusCode::OK,
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
            "patch": {"supported": true},
            "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
            "filter": {"supported": true, "maxResults": MOST_RESULTS},
            "changePassword": not, "sort": not, "etag": not,
            "authenticationSchemes": [{
                "type": "oauthbearertoken", "name": "A token", "primary": true,
                "description": "A token of this server with the scope scim, as a bearer token",
            }],
            "meta": {"resourceType": "ServiceProviderConfig", "location": "/scim/v2/ServiceProviderConfig"},
        }),
    ))
}
