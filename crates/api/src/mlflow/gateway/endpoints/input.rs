use sealyard_app::GivenModel;
use sealyard_store::model::{GatewayFallback, GatewayLinkage};
use serde::Deserialize;

use crate::http::{ApiError, Integer, Number, required};

/// A model of an endpoint, as a request has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ModelInput {
    model_definition_id: String,
    linkage_type: String,
    weight: Option<Number>,
    fallback_order: Option<Integer>,
}

impl ModelInput {
    pub(super) fn parse(self) -> Result<GivenModel, ApiError> {
        let linkage = match self.linkage_type.as_str() {
            "" => Some(GatewayLinkage::Primary),
            text => GatewayLinkage::from_text(text),
        };
        required("model_definition_id", &self.model_definition_id)?;
        Ok(GivenModel {
            definition_id: self.model_definition_id,
            weight: self.weight.map_or(1.0, |weight| weight.0),
            linkage: linkage.ok_or_else(|| ApiError::invalid("'linkage_type' is PRIMARY or FALLBACK"))?,
            fallback_order: small("fallback_order", self.fallback_order)?,
        })
    }
}

/// What happens when a model fails, as a request has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FallbackInput {
    strategy: String,
    max_attempts: Option<Integer>,
}

impl FallbackInput {
    pub(super) fn parse(self) -> Result<GatewayFallback, ApiError> {
        let strategy = specified(self.strategy);
        Ok(GatewayFallback { strategy, max_attempts: small("max_attempts", self.max_attempts)? })
    }
}

/// The name of an enumeration's value, if one was meant.
pub(super) fn specified(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty() && !text.ends_with("_UNSPECIFIED"))
}

fn small(what: &str, number: Option<Integer>) -> Result<Option<i32>, ApiError> {
    let wrong = |_| ApiError::invalid(format!("'{what}' is out of range"));
    number.map(|number| i32::try_from(number.0).map_err(wrong)).transpose()
}
