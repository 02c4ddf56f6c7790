//! What an entry can be found by. Read from the entry's own bytes, so that entries of any version have it, and so that
//! whoever is given an entry can see for themselves that it is one that was asked for.

use serde_json::{Map, Value};

/// Longest text that is an index's.
const MAX_TEXT: usize = 1024;
/// Most subjects of one entry.
const MAX_SUBJECTS: usize = 16;

/// What one entry can be found by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// Who.
    pub actor: String,
    /// What was done, such as `run-created`.
    pub act: String,
    /// `done`, `refused` or `failed`.
    pub outcome: String,
    /// The request's id.
    pub request_id: Option<String>,
    /// What it was done to: `experiment:7`, `run:…`, `registered-model:fraud`, `registered-model:fraud/3`, `user:ada`, a
    /// digest, …
    pub subjects: Vec<String>,
    /// Names of the rules that refused.
    pub rules: Vec<String>,
}

/// Fields that name the same thing in every act.
const FIELDS: &[(&str, &str)] = &[
    ("experiment", "experiment"),
    ("run", "run"),
    ("model_id", "logged-model"),
    ("workspace", "workspace"),
    ("in_workspace", "workspace"),
    ("user", "user"),
    ("owner", "user"),
    ("principal", "user"),
    ("session", "session"),
    ("dataset", "evaluation-dataset"),
    ("secret", "gateway-secret"),
    ("group", "group"),
    ("key", "key"),
    ("export", "ledger-export"),
];

/// What the `id` and the `name` of an act are of, by how the act's name begins.
const KINDS: &[(&str, &str, &str)] = &[
    ("experiment-", "experiment", ""),
    ("run-", "run", ""),
    ("token-", "token", ""),
    ("webhook-", "webhook", ""),
    ("role-", "role", ""),
    ("group-", "group", "group"),
    ("gateway-secret-", "gateway-secret", ""),
    ("gateway-model-definition-", "gateway-model-definition", ""),
    ("gateway-endpoint-", "gateway-endpoint", ""),
    ("user-", "user", "user"),
    ("login-failed", "", "user"),
    ("workspace-", "", "workspace"),
    ("registered-model-", "", "registered-model"),
    ("version-", "", "registered-model"),
    ("published", "", "registered-model"),
    ("deployed", "", "registered-model"),
    ("promoted", "", "registered-model"),
    ("approved", "", "registered-model"),
    ("alias-", "", "registered-model"),
    ("scorer-", "", "scorer"),
];

impl Facets {
    /// Of an entry's bytes. What is no event has an empty act, so that it is found among those without one.
    #[must_use]
    pub fn of(entry: &[u8]) -> Self {
        let Ok(Value::Object(event)) = serde_json::from_slice::<Value>(entry) else { return Self::default() };
        let text = |field: &str| event.get(field).and_then(Value::as_str).map(short);
        let act = text("act").unwrap_or_default();
        let subjects = subjects(&event, &act);
        let mut rules: Vec<String> = text("rule").into_iter().collect();
        rules.extend(texts(&event, "refused_by"));
        rules.truncate(MAX_SUBJECTS);
        rules.sort();
        rules.dedup();
        Self {
            time: event.get("time").and_then(Value::as_i64).unwrap_or_default(),
            actor: text("actor").unwrap_or_default(),
            outcome: text("outcome").unwrap_or_default(),
            request_id: text("request_id"),
            act,
            subjects,
            rules,
        }
    }
}

fn subjects(event: &Map<String, Value>, act: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (field, kind) in FIELDS {
        if let Some(value) = plain(event.get(*field)) {
            found.push(format!("{kind}:{value}"));
        }
    }
    for experiment in texts(event, "experiments") {
        found.push(format!("experiment:{experiment}"));
    }
    for definition in texts(event, "definitions") {
        found.push(format!("gateway-model-definition:{definition}"));
    }
    if let Some((_, of_id, of_name)) = KINDS.iter().find(|(prefix, ..)| act.starts_with(prefix)) {
        if let Some(id) = plain(event.get("id")).filter(|_| !of_id.is_empty()) {
            found.push(format!("{of_id}:{id}"));
        }
        if let Some(name) = plain(event.get("name")).filter(|_| !of_name.is_empty()) {
            if let Some(version) = plain(event.get("version")) {
                found.push(format!("{of_name}:{name}/{version}"));
            }
            found.push(format!("{of_name}:{name}"));
        }
    }
    if act == "registered-model-renamed"
        && let Some(name) = plain(event.get("to"))
    {
        found.push(format!("registered-model:{name}"));
    }
    if let Some(resource) = plain(event.get("resource")) {
        found.extend(of_uri(&resource));
        found.push(resource);
    }
    if let Some(path) = plain(event.get("path")) {
        found.extend(of_uri(&path));
    }
    for digest in ["digest", "subject", "evidence", "attestation"] {
        found.extend(plain(event.get(digest)).filter(|digest| digest.starts_with("sha256:")));
    }
    found.sort();
    found.dedup();
    found.truncate(MAX_SUBJECTS);
    found
}

/// What a path such as `runs:/ID/a/b` or `models:/NAME/3` is of.
fn of_uri(uri: &str) -> Vec<String> {
    let Some((scheme, rest)) = uri.split_once(":/") else { return Vec::new() };
    let (first, more) = rest.split_once('/').unwrap_or((rest, ""));
    match scheme {
        "runs" => vec![format!("run:{first}")],
        "traces" => vec![format!("trace:{first}")],
        "models" if first.starts_with("m-") => vec![format!("logged-model:{first}")],
        "models" => {
            let version = more.split('/').next().filter(|version| !version.is_empty());
            let mut found = vec![format!("registered-model:{first}")];
            found.extend(version.map(|version| format!("registered-model:{first}/{version}")));
            found
        }
        _ => Vec::new(),
    }
}

fn plain(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(short(text)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn texts<'a>(event: &'a Map<String, Value>, field: &str) -> impl Iterator<Item = String> + use<'a> {
    let list = event.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_str).take(MAX_SUBJECTS).map(short)
}

fn short(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(event: &Value) -> Facets {
        Facets::of(event.to_string().as_bytes())
    }

    #[test]
    fn what_an_entry_is_about() {
        for (event, subjects) in [
            (json!({"act": "run-created", "id": "r1", "experiment": "7"}), vec!["experiment:7", "run:r1"]),
            (
                json!({"act": "published", "name": "fraud", "version": 3, "digest": "sha256:ab", "attestation": "sha256:cd"}),
                vec!["registered-model:fraud", "registered-model:fraud/3", "sha256:ab", "sha256:cd"],
            ),
            (
                json!({"act": "gate-decided", "resource": "models:/fraud/3", "subject": "sha256:ab"}),
                vec!["models:/fraud/3", "registered-model:fraud", "registered-model:fraud/3", "sha256:ab"],
            ),
            (json!({"act": "artifact-uploaded", "path": "runs:/r1/a/b"}), vec!["run:r1"]),
            (json!({"act": "artifact-uploaded", "path": "models:/m-1/a"}), vec!["logged-model:m-1"]),
            (json!({"act": "access-denied", "resource": "experiment:7"}), vec!["experiment:7"]),
            (json!({"act": "grant-set", "principal": "ada", "resource": "ledger"}), vec!["ledger", "user:ada"]),
            (json!({"act": "role-assigned", "id": 4, "user": "ada"}), vec!["role:4", "user:ada"]),
            (
                json!({"act": "registered-model-renamed", "name": "a", "to": "b"}),
                vec!["registered-model:a", "registered-model:b"],
            ),
            (json!({"act": "server-started", "version": "1"}), vec![]),
            (json!({"act": "of a later version", "experiments": ["1", "2"]}), vec!["experiment:1", "experiment:2"]),
        ] {
            assert_eq!(of(&event).subjects, subjects, "{event}");
        }
    }

    #[test]
    fn who_when_and_why_not() {
        let found = of(&json!({
            "time": 5, "actor": "ada", "act": "gate-decided", "outcome": "refused", "request_id": "q",
            "refused_by": ["b", "a", "b"],
        }));
        assert_eq!((found.time, found.actor.as_str(), found.outcome.as_str()), (5, "ada", "refused"));
        assert_eq!(found.rules, ["a", "b"]);
        assert_eq!(found.request_id.as_deref(), Some("q"));
    }

    #[test]
    fn other_bytes_have_nothing() {
        for bytes in [b"".as_slice(), b"[]", b"\xff", b"{\"time\":\"x\",\"actor\":7}"] {
            assert_eq!(Facets::of(bytes), Facets::default());
        }
        let many: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
        let found = of(&json!({"act": "x".repeat(5000), "experiments": many}));
        assert_eq!((found.act.len(), found.subjects.len()), (MAX_TEXT, MAX_SUBJECTS));
    }
}
