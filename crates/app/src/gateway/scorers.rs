//! Scorers that ask a model of the gateway. What a client registers names the endpoint, and what is stored has its id: an
//! endpoint can be renamed, and a name that comes to mean another endpoint leads nobody to it.

use sealyard_core::Timestamp;
use sealyard_identity::{Authorized, GatewayEndpointId, Use};
use sealyard_ledger::{Act, Event};
use sealyard_store::Transaction;
use sealyard_store::model::{GatewayBinding, ScorerVersion};
use serde_json::Value;

use super::bindings::SCORER;
use crate::AppError;

const SCHEME: &str = "gateway:/";
/// Where the different kinds of scorers have their model.
const HOLDERS: [&str; 3] =
    ["instructions_judge_pydantic_data", "builtin_scorer_pydantic_data", "third_party_scorer_data"];
/// Wraps another scorer.
const WRAPPER: &str = "memory_augmented_judge_data";
const WRAPPED: &str = "base_judge";

/// What a scorer's model says behind `gateway:/`, if it says that.
pub(crate) fn endpoint_of(scorer: &Value) -> Option<&str> {
    model(scorer)?.as_str()?.strip_prefix(SCHEME).filter(|endpoint| !endpoint.is_empty())
}

fn model(scorer: &Value) -> Option<&Value> {
    let mut scorer = scorer;
    while let Some(inner) = scorer.get(WRAPPER).and_then(|wrapper| wrapper.get(WRAPPED)) {
        scorer = inner;
    }
    HOLDERS.iter().find_map(|holder| scorer.get(holder)?.get("model"))
}

fn set_model(scorer: &mut Value, model: Value) {
    if let Some(inner) = scorer.get_mut(WRAPPER).and_then(|wrapper| wrapper.get_mut(WRAPPED)) {
        return set_model(inner, model);
    }
    for holder in HOLDERS {
        if let Some(place) = scorer.get_mut(holder).and_then(|holder| holder.get_mut("model")) {
            *place = model;
            return;
        }
    }
}

/// The scorer with the endpoint's id, as it is stored.
pub(crate) fn with_endpoint(mut scorer: Value, endpoint: &Authorized<Use, GatewayEndpointId>) -> String {
    set_model(&mut scorer, Value::String(format!("{SCHEME}{}", endpoint.resource())));
    scorer.to_string()
}

/// The scorer with the endpoint's name, as it is given back; without a model when the endpoint is not there any more.
pub(crate) fn show_names(tx: &mut dyn Transaction, scorer: ScorerVersion) -> Result<ScorerVersion, AppError> {
    if !scorer.serialized.contains(SCHEME) {
        return Ok(scorer);
    }
    let Ok(mut parsed) = serde_json::from_str::<Value>(&scorer.serialized) else { return Ok(scorer) };
    let Some(id) = endpoint_of(&parsed).map(str::to_owned) else { return Ok(scorer) };
    let name = tx.gateway_endpoint_name(&id)?;
    set_model(&mut parsed, name.map_or(Value::Null, |name| Value::String(format!("{SCHEME}{name}"))));
    Ok(ScorerVersion { serialized: parsed.to_string(), ..scorer })
}

/// Notes that the scorer uses the endpoint, and none of those before.
pub(crate) fn bind_scorer(
    tx: &mut dyn Transaction,
    event: &Event,
    endpoint: &GatewayEndpointId,
    scorer: &str,
) -> Result<(), AppError> {
    release_scorer(tx, event, scorer)?;
    let binding = GatewayBinding {
        endpoint_id: endpoint.to_string(),
        resource_type: SCORER.to_owned(),
        resource_id: scorer.to_owned(),
        scorer: None,
        created: Timestamp::from_millis(event.time.as_millis()),
        created_by: event.actor.clone(),
    };
    tx.create_gateway_binding(&binding)?;
    let act = Act::GatewayEndpointBound {
        id: binding.endpoint_id,
        resource_type: SCORER.to_owned(),
        resource: scorer.to_owned(),
    };
    Ok(tx.record(&Event { act, ..event.clone() })?)
}

/// Notes that the scorer uses no endpoint.
pub(crate) fn release_scorer(tx: &mut dyn Transaction, event: &Event, scorer: &str) -> Result<(), AppError> {
    for id in tx.release_gateway_bindings(SCORER, scorer)? {
        let act = Act::GatewayEndpointUnbound { id, resource_type: SCORER.to_owned(), resource: scorer.to_owned() };
        tx.record(&Event { act, ..event.clone() })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_model_is_found_wherever_it_is() {
        for mut scorer in [
            json!({"instructions_judge_pydantic_data": {"model": "gateway:/a"}}),
            json!({"builtin_scorer_pydantic_data": {"model": "gateway:/a"}}),
            json!({"third_party_scorer_data": {"model": "gateway:/a"}}),
            json!({"memory_augmented_judge_data":
                {"base_judge": {"instructions_judge_pydantic_data": {"model": "gateway:/a"}}}}),
        ] {
            assert_eq!(endpoint_of(&scorer), Some("a"));
            set_model(&mut scorer, json!("gateway:/b"));
            assert_eq!(endpoint_of(&scorer), Some("b"));
        }
        for scorer in [
            json!({}),
            json!([]),
            json!({"instructions_judge_pydantic_data": {"model": "openai:/a"}}),
            json!({"instructions_judge_pydantic_data": {"model": "gateway:/"}}),
            json!({"instructions_judge_pydantic_data": {"model": null}}),
            json!({"model": "gateway:/a"}),
        ] {
            assert_eq!(endpoint_of(&scorer), None, "{scorer}");
        }
    }
}
