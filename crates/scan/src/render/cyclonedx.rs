use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::set;
use crate::{Fact, FactKind, Report, SubjectReport};

/// Kinds of files that are no model by themselves.
const NO_MODELS: [&str; 8] = ["directory", "empty", "mismatch", "special", "text", "unknown", "yaml", "json"];

/// What the files hold as a CycloneDX 1.6 bill of materials: a component for each model, with its card, and for each library that one
/// names. Files that hold no model are plain files in it.
///
/// <https://cyclonedx.org/docs/1.6/json/>
///
/// # Errors
/// None of its own; serde's signature allows one.
pub fn cyclonedx(report: &Report) -> Result<String, serde_json::Error> {
    let mut libraries: BTreeMap<(String, String), String> = BTreeMap::new();
    for fact in report.subjects.iter().flat_map(|subject| &subject.facts).filter(|fact| is_library(fact)) {
        let named = (fact.name.clone(), plain(&fact.value));
        let reference = format!("library:{}@{}", named.0, named.1);
        libraries.insert(named, reference);
    }
    let mut components: Vec<Value> = report.subjects.iter().map(component).collect();
    for ((name, version), reference) in &libraries {
        let mut library = json!({"type": "library", "bom-ref": reference, "name": name});
        if !version.is_empty() {
            set(&mut library, "version", json!(version));
        }
        components.push(library);
    }
    let dependencies: Vec<Value> = report
        .subjects
        .iter()
        .map(|subject| {
            let named = subject.facts.iter().filter(|fact| is_library(fact));
            let mut on: Vec<&str> = named
                .filter_map(|fact| libraries.get(&(fact.name.clone(), plain(&fact.value))).map(String::as_str))
                .collect();
            on.sort_unstable();
            on.dedup();
            json!({"ref": reference(subject), "dependsOn": on})
        })
        .collect();
    let tool = json!({
        "type": "application", "name": report.tool.name, "version": report.tool.version,
        "properties": [{"name": "sealyard:rules", "value": report.tool.rules}],
    });
    let bom = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"tools": {"components": [tool]}},
        "components": components,
        "dependencies": dependencies,
    });
    let mut text = serde_json::to_string_pretty(&bom)?;
    text.push('\n');
    Ok(text)
}

fn is_library(fact: &Fact) -> bool {
    matches!(fact.kind, FactKind::Framework)
}

fn reference(subject: &SubjectReport) -> String {
    format!("file:{}", subject.path)
}

fn component(subject: &SubjectReport) -> Value {
    let is_model = !NO_MODELS.contains(&subject.kind.as_str());
    let kind = if is_model { "machine-learning-model" } else { "file" };
    let mut component = json!({"type": kind, "bom-ref": reference(subject), "name": subject.path});
    if let Some(digest) = &subject.digest {
        set(&mut component, "hashes", json!([{"alg": "SHA-256", "content": digest.to_hex()}]));
    }
    let mut properties =
        vec![property("sealyard:format", &subject.kind), property("sealyard:verdict", &subject.verdict.to_string())];
    properties.extend(subject.findings.iter().map(|finding| property("sealyard:finding", &finding.rule)));
    set(&mut component, "properties", Value::Array(properties));
    if is_model && !subject.facts.is_empty() {
        set(&mut component, "modelCard", card(&subject.facts));
    }
    component
}

fn card(facts: &[Fact]) -> Value {
    let mut parameters = Map::new();
    let of = |kind: FactKind| facts.iter().filter(move |fact| fact.kind == kind);
    if let Some(family) = of(FactKind::Architecture).next() {
        parameters.insert("architectureFamily".into(), family.name.clone().into());
    }
    let estimators: Vec<&str> = of(FactKind::Estimator).map(|fact| fact.name.as_str()).collect();
    if let Some(first) = estimators.first() {
        parameters.insert("modelArchitecture".into(), (*first).into());
    }
    for (side, name) in [("inputs", "input"), ("outputs", "output")] {
        let named = of(FactKind::Signature).filter(|fact| fact.name.starts_with(name));
        let formats: Vec<Value> = named.map(|fact| json!({"format": text_of(fact)})).collect();
        if !formats.is_empty() {
            parameters.insert(side.into(), formats.into());
        }
    }
    let properties: Vec<Value> = facts
        .iter()
        .filter(|fact| !matches!(fact.kind, FactKind::Framework))
        .map(|fact| property(&format!("sealyard:{}", word(fact.kind)), &text_of(fact)))
        .collect();
    json!({"modelParameters": parameters, "properties": properties})
}

fn word(kind: FactKind) -> String {
    serde_json::to_value(kind).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn text_of(fact: &Fact) -> String {
    let value = plain(&fact.value);
    let place = fact.member.as_ref().map(|member| format!(" ({member})")).unwrap_or_default();
    if value.is_empty() { format!("{}{place}", fact.name) } else { format!("{}: {value}{place}", fact.name) }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn property(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::report::tests::sample;
    use crate::{Fact, FactKind};

    #[test]
    fn models_have_cards_and_libraries_are_components() {
        let mut report = sample();
        report.subjects[1].facts.extend([
            Fact::new(FactKind::Estimator, "sklearn.linear_model.Ridge", 1),
            Fact::new(FactKind::Hyperparameter, "alpha", 1.5),
            Fact::new(FactKind::Signature, "input x", "float32[1, 3]"),
        ]);
        let bom: Value = serde_json::from_str(&super::cyclonedx(&report).unwrap()).unwrap();
        let model = &bom["components"][1];
        assert_eq!((&model["type"], &model["name"]), (&json!("machine-learning-model"), &json!("model/m.zip")));
        let parameters = &model["modelCard"]["modelParameters"];
        assert_eq!(parameters["modelArchitecture"], "sklearn.linear_model.Ridge");
        assert_eq!(parameters["inputs"], json!([{"format": "input x: float32[1, 3]"}]));
        let properties = model["modelCard"]["properties"].as_array().unwrap();
        assert!(properties.contains(&json!({"name": "sealyard:hyperparameter", "value": "alpha: 1.5"})));
        assert_eq!(
            bom["components"][3],
            json!({"type": "library", "bom-ref": "library:torch@2.9", "name": "torch", "version": "2.9"})
        );
        assert_eq!(bom["dependencies"][1], json!({"ref": "file:model/m.zip", "dependsOn": ["library:torch@2.9"]}));
        assert_eq!(bom["components"][0]["type"], "file");
    }

    /// References must be unique in a bill of materials.
    #[test]
    fn nothing_is_named_twice() {
        let bom: Value = serde_json::from_str(&super::cyclonedx(&sample()).unwrap()).unwrap();
        let mut references: Vec<&str> =
            bom["components"].as_array().unwrap().iter().map(|one| one["bom-ref"].as_str().unwrap()).collect();
        let count = references.len();
        references.sort_unstable();
        references.dedup();
        assert_eq!(references.len(), count);
    }
}
