use std::collections::BTreeMap;

use super::time;
use crate::model::{
    GatewayBinding, GatewayBindingQuery, GatewayEndpoint, GatewayFallback, GatewayLinkage, GatewayModelDefinition,
    GatewaySecret, NewGatewayMapping, OnlineScoring, Pair,
};
use crate::{StoreError, Transaction};

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn secret(id: &str, provider: Option<&str>) -> GatewaySecret {
    GatewaySecret {
        id: id.into(),
        name: format!("secret {id}"),
        provider: provider.map(str::to_owned),
        masked: map(&[("api_key", "sk-...2345")]),
        auth_config: map(&[]),
        created: time(5),
        updated: time(5),
        created_by: "ada".into(),
        updated_by: "ada".into(),
    }
}

fn definition(id: &str, secret: Option<&str>, provider: &str) -> GatewayModelDefinition {
    GatewayModelDefinition {
        id: id.into(),
        name: format!("definition {id}"),
        secret_id: secret.map(str::to_owned),
        secret_name: secret.map(|secret| format!("secret {secret}")),
        provider: provider.into(),
        model_name: "m".into(),
        created: time(5),
        updated: time(5),
        created_by: "ada".into(),
        updated_by: "ada".into(),
    }
}

fn endpoint(id: &str) -> GatewayEndpoint {
    GatewayEndpoint {
        id: id.into(),
        name: format!("endpoint-{id}"),
        routing_strategy: None,
        fallback: None,
        experiment_id: None,
        usage_tracking: true,
        models: vec![],
        tags: vec![],
        created: time(5),
        updated: time(5),
        created_by: "ada".into(),
        updated_by: "ada".into(),
    }
}

fn mapping(id: &str, definition: &str, linkage: GatewayLinkage) -> NewGatewayMapping {
    NewGatewayMapping {
        id: id.into(),
        definition_id: definition.into(),
        weight: 0.5,
        linkage,
        fallback_order: (linkage == GatewayLinkage::Fallback).then_some(0),
        created: time(6),
        created_by: "ada".into(),
    }
}

pub(super) fn secrets(tx: &mut dyn Transaction) {
    let openai = secret("s-1", Some("openai"));
    tx.create_gateway_secret(&openai, b"sealed").unwrap();
    tx.create_gateway_secret(&secret("s-2", None), b"").unwrap();
    let mut same_name = secret("s-3", None);
    same_name.name.clone_from(&openai.name);
    assert!(matches!(tx.create_gateway_secret(&same_name, b""), Err(StoreError::AlreadyExists { .. })));
    assert_eq!(tx.count_gateway_secrets().unwrap(), 2);
    assert_eq!(tx.gateway_secret("s-1").unwrap(), Some(openai.clone()));
    assert_eq!(tx.gateway_secret("s-9").unwrap(), None);
    assert_eq!(tx.gateway_secrets(None).unwrap().len(), 2);
    assert_eq!(tx.gateway_secrets(Some("openai")).unwrap(), std::slice::from_ref(&openai));
    assert_eq!(tx.sealed_gateway_secret("s-1").unwrap().unwrap(), b"sealed");
    let changed = GatewaySecret { auth_config: map(&[("region", "x")]), updated: time(9), ..openai };
    tx.update_gateway_secret(&changed, None).unwrap();
    assert_eq!(tx.gateway_secret("s-1").unwrap(), Some(changed.clone()));
    assert_eq!(tx.sealed_gateway_secret("s-1").unwrap().unwrap(), b"sealed");
    tx.update_gateway_secret(&changed, Some(b"other")).unwrap();
    assert_eq!(tx.sealed_gateway_secret("s-1").unwrap().unwrap(), b"other");
    tx.delete_gateway_secret("s-1").unwrap();
    assert_eq!(tx.sealed_gateway_secret("s-1").unwrap(), None);
    for outcome in [tx.delete_gateway_secret("s-1"), tx.update_gateway_secret(&changed, None)] {
        assert!(matches!(outcome, Err(StoreError::NotFound { .. })));
    }
}

pub(super) fn definitions(tx: &mut dyn Transaction) {
    tx.create_gateway_secret(&secret("s-1", None), b"").unwrap();
    let first = definition("d-1", Some("s-1"), "openai");
    tx.create_gateway_model_definition(&first).unwrap();
    tx.create_gateway_model_definition(&definition("d-2", None, "cohere")).unwrap();
    let mut same_name = definition("d-3", None, "openai");
    same_name.name.clone_from(&first.name);
    assert!(matches!(tx.create_gateway_model_definition(&same_name), Err(StoreError::AlreadyExists { .. })));
    let lost = definition("d-4", Some("s-9"), "openai");
    assert!(matches!(tx.create_gateway_model_definition(&lost), Err(StoreError::NotFound { .. })));
    assert_eq!(tx.count_gateway_model_definitions().unwrap(), 2);
    assert_eq!(tx.gateway_model_definition("d-1").unwrap(), Some(first.clone()));
    assert_eq!(tx.gateway_model_definitions(None, None).unwrap().len(), 2);
    assert_eq!(tx.gateway_model_definitions(Some("openai"), None).unwrap(), std::slice::from_ref(&first));
    assert_eq!(tx.gateway_model_definitions(None, Some("s-1")).unwrap(), std::slice::from_ref(&first));
    assert!(tx.gateway_model_definitions(Some("cohere"), Some("s-1")).unwrap().is_empty());
    let taken = GatewayModelDefinition { name: "definition d-2".into(), ..first.clone() };
    assert!(matches!(tx.update_gateway_model_definition(&taken), Err(StoreError::AlreadyExists { .. })));
    let changed = GatewayModelDefinition { provider: "anthropic".into(), updated: time(9), ..first };
    tx.update_gateway_model_definition(&changed).unwrap();
    assert_eq!(tx.gateway_model_definition("d-1").unwrap(), Some(changed.clone()));
    // What used a deleted secret uses none.
    tx.delete_gateway_secret("s-1").unwrap();
    let orphan = tx.gateway_model_definition("d-1").unwrap().unwrap();
    assert_eq!((orphan.secret_id, orphan.secret_name), (None, None));
    tx.create_gateway_endpoint(&endpoint("e-1")).unwrap();
    tx.add_gateway_mapping("e-1", &mapping("m-1", "d-1", GatewayLinkage::Primary)).unwrap();
    assert!(matches!(tx.delete_gateway_model_definition("d-1"), Err(StoreError::Conflict(_))));
    tx.delete_gateway_endpoint("e-1").unwrap();
    tx.delete_gateway_model_definition("d-1").unwrap();
    assert!(matches!(tx.delete_gateway_model_definition("d-1"), Err(StoreError::NotFound { .. })));
}

pub(super) fn endpoints(tx: &mut dyn Transaction) {
    tx.create_gateway_secret(&secret("s-1", None), b"").unwrap();
    tx.create_gateway_model_definition(&definition("d-1", Some("s-1"), "openai")).unwrap();
    tx.create_gateway_model_definition(&definition("d-2", None, "cohere")).unwrap();
    tx.create_gateway_endpoint(&endpoint("e-1")).unwrap();
    tx.create_gateway_endpoint(&endpoint("e-2")).unwrap();
    let same_name = GatewayEndpoint { id: "e-3".into(), ..endpoint("e-1") };
    assert!(matches!(tx.create_gateway_endpoint(&same_name), Err(StoreError::AlreadyExists { .. })));
    assert_eq!(tx.count_gateway_endpoints().unwrap(), 2);
    assert_eq!(tx.gateway_endpoint_id("endpoint-e-1").unwrap().as_deref(), Some("e-1"));
    assert_eq!(tx.gateway_endpoint_name("e-1").unwrap().as_deref(), Some("endpoint-e-1"));
    tx.add_gateway_mapping("e-1", &mapping("m-1", "d-1", GatewayLinkage::Primary)).unwrap();
    tx.add_gateway_mapping("e-1", &mapping("m-2", "d-2", GatewayLinkage::Fallback)).unwrap();
    tx.add_gateway_mapping("e-2", &mapping("m-3", "d-2", GatewayLinkage::Primary)).unwrap();
    let twice = mapping("m-4", "d-1", GatewayLinkage::Primary);
    assert!(matches!(tx.add_gateway_mapping("e-1", &twice), Err(StoreError::AlreadyExists { .. })));
    for (to, what) in [("e-9", "d-1"), ("e-1", "d-9")] {
        let lost = tx.add_gateway_mapping(to, &mapping("m-5", what, GatewayLinkage::Primary));
        assert!(matches!(lost, Err(StoreError::NotFound { .. })));
    }
    tx.set_gateway_endpoint_tag("e-1", "b", "1").unwrap();
    tx.set_gateway_endpoint_tag("e-1", "b", "2").unwrap();
    tx.set_gateway_endpoint_tag("e-1", "a", "").unwrap();
    assert!(matches!(tx.set_gateway_endpoint_tag("e-9", "a", ""), Err(StoreError::NotFound { .. })));
    let read = tx.gateway_endpoint("e-1").unwrap().unwrap();
    assert_eq!(read.tags, [Pair::new("a", ""), Pair::new("b", "2")]);
    assert_eq!(read.models.iter().map(|model| model.id.as_str()).collect::<Vec<_>>(), ["m-1", "m-2"]);
    assert_eq!(read.models[0].definition, definition("d-1", Some("s-1"), "openai"));
    assert_eq!(read.models[1].definition.secret_id, None);
    assert_eq!((read.models[1].weight, read.models[1].fallback_order), (0.5, Some(0)));
    assert_eq!(tx.gateway_endpoints(None, None).unwrap()[0], read);
    let ids = |found: Vec<GatewayEndpoint>| found.into_iter().map(|endpoint| endpoint.id).collect::<Vec<_>>();
    assert_eq!(ids(tx.gateway_endpoints(Some("cohere"), None).unwrap()), ["e-1", "e-2"]);
    assert_eq!(ids(tx.gateway_endpoints(None, Some("s-1")).unwrap()), ["e-1"]);
    assert_eq!(ids(tx.gateway_endpoints(Some("cohere"), Some("s-1")).unwrap()), Vec::<String>::new());
    let taken = GatewayEndpoint { name: "endpoint-e-2".into(), ..read.clone() };
    assert!(matches!(tx.update_gateway_endpoint(&taken), Err(StoreError::AlreadyExists { .. })));
    let changed = GatewayEndpoint {
        name: "other".into(),
        routing_strategy: Some("REQUEST_BASED_TRAFFIC_SPLIT".into()),
        fallback: Some(GatewayFallback { strategy: None, max_attempts: Some(3) }),
        experiment_id: Some("0".into()),
        usage_tracking: false,
        updated: time(9),
        ..read
    };
    tx.update_gateway_endpoint(&changed).unwrap();
    assert_eq!(tx.gateway_endpoint("e-1").unwrap(), Some(changed));
    tx.touch_gateway_endpoint("e-1", time(11), "bob").unwrap();
    let touched = tx.gateway_endpoint("e-1").unwrap().unwrap();
    assert_eq!((touched.updated, touched.updated_by.as_str()), (time(11), "bob"));
    assert_eq!(tx.remove_gateway_mappings("e-1", Some("d-2")).unwrap(), 1);
    assert_eq!(tx.remove_gateway_mappings("e-1", Some("d-2")).unwrap(), 0);
    assert_eq!(tx.remove_gateway_mappings("e-1", None).unwrap(), 1);
    assert_eq!(tx.gateway_endpoint("e-2").unwrap().unwrap().models.len(), 1);
    assert!(tx.delete_gateway_endpoint_tag("e-1", "a").unwrap());
    assert!(!tx.delete_gateway_endpoint_tag("e-1", "a").unwrap());
    tx.delete_gateway_endpoint("e-1").unwrap();
    assert_eq!(tx.gateway_endpoint("e-1").unwrap(), None);
    assert!(matches!(tx.delete_gateway_endpoint("e-1"), Err(StoreError::NotFound { .. })));
}

pub(super) fn bindings(tx: &mut dyn Transaction) {
    tx.register_scorer("0", "judge", "scorer-1", "{}", 5).unwrap();
    for id in ["e-1", "e-2"] {
        tx.create_gateway_endpoint(&endpoint(id)).unwrap();
    }
    let binding = |endpoint: &str, resource: &str| GatewayBinding {
        endpoint_id: endpoint.into(),
        resource_type: "scorer".into(),
        resource_id: resource.into(),
        scorer: None,
        created: time(5),
        created_by: "ada".into(),
    };
    for (endpoint, resource) in [("e-1", "scorer-1"), ("e-1", "job"), ("e-2", "scorer-1")] {
        tx.create_gateway_binding(&binding(endpoint, resource)).unwrap();
    }
    assert!(matches!(tx.create_gateway_binding(&binding("e-1", "job")), Err(StoreError::AlreadyExists { .. })));
    assert!(matches!(tx.create_gateway_binding(&binding("e-9", "job")), Err(StoreError::NotFound { .. })));
    let everything = tx.gateway_bindings(&GatewayBindingQuery::default(), 10).unwrap();
    let named = GatewayBinding { scorer: Some(("0".into(), "judge".into())), ..binding("e-1", "scorer-1") };
    assert_eq!(everything.len(), 3);
    assert_eq!(everything[..2], [binding("e-1", "job"), named]);
    assert_eq!(tx.gateway_bindings(&GatewayBindingQuery::default(), 2).unwrap().len(), 2);
    let narrow = GatewayBindingQuery {
        endpoint_id: Some("e-1".into()),
        resource_type: Some("scorer".into()),
        resource_id: Some("job".into()),
    };
    assert_eq!(tx.gateway_bindings(&narrow, 10).unwrap(), [binding("e-1", "job")]);
    assert_eq!(tx.count_gateway_bindings("e-1").unwrap(), 2);
    tx.delete_gateway_binding("e-1", "scorer", "job").unwrap();
    assert!(matches!(tx.delete_gateway_binding("e-1", "scorer", "job"), Err(StoreError::NotFound { .. })));
    assert_eq!(tx.release_gateway_bindings("scorer", "scorer-1").unwrap(), ["e-1", "e-2"]);
    assert_eq!(tx.release_gateway_bindings("scorer", "scorer-1").unwrap(), Vec::<String>::new());
    tx.create_gateway_binding(&binding("e-1", "x")).unwrap();
    tx.delete_gateway_endpoint("e-1").unwrap();
    assert!(tx.gateway_bindings(&GatewayBindingQuery::default(), 10).unwrap().is_empty());
}

pub(super) fn online_scoring(tx: &mut dyn Transaction) {
    tx.register_scorer("0", "judge", "scorer-1", "{}", 5).unwrap();
    tx.register_scorer("0", "other", "scorer-2", "{}", 5).unwrap();
    let scoring = |id: &str, rate: f64, filter: Option<&str>| OnlineScoring {
        id: id.into(),
        scorer_id: "scorer-1".into(),
        experiment_id: "0".into(),
        sample_rate: rate,
        filter: filter.map(str::to_owned),
    };
    tx.set_online_scoring(&scoring("a", 0.5, None)).unwrap();
    tx.set_online_scoring(&scoring("b", 1.0, Some("status = 'OK'"))).unwrap();
    let asked = ["scorer-2".to_owned(), "scorer-1".to_owned(), "scorer-9".to_owned()];
    assert_eq!(tx.online_scoring(&asked).unwrap(), [scoring("b", 1.0, Some("status = 'OK'"))]);
    assert!(tx.online_scoring(&[]).unwrap().is_empty());
    let lost = OnlineScoring { scorer_id: "scorer-9".into(), ..scoring("c", 0.5, None) };
    assert!(matches!(tx.set_online_scoring(&lost), Err(StoreError::NotFound { .. })));
    tx.delete_scorer("0", "judge", None).unwrap();
    assert!(tx.online_scoring(&asked).unwrap().is_empty());
}
