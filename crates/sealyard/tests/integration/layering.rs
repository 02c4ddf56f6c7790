//! Crates point only downward.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// By crate: its layer, and what it depends on with whether that is for development only.
type Workspace = BTreeMap<String, (u64, Vec<(String, bool)>)>;

fn workspace() -> Workspace {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo metadata");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let layer = package["metadata"]["sealyard"]["layer"].as_u64();
            let layer = layer.unwrap_or_else(|| panic!("{} names no layer", package["name"]));
            let uses = package["dependencies"].as_array().expect("dependencies").iter();
            let uses = uses.map(|used| (text(&used["name"]), used["kind"] == "dev")).collect();
            (text(&package["name"]), (layer, uses))
        })
        .collect()
}

/// The pairs that break the rule: a crate uses one that is not below it. `sealyard-core` may be used within layer 0.
fn violations(workspace: &Workspace) -> Vec<String> {
    let mut found = Vec::new();
    for (name, (layer, uses)) in workspace {
        for (used, development) in uses {
            let Some((below, _)) = workspace.get(used) else { continue };
            let core = used == "sealyard-core" && *layer == 0;
            if below >= layer && !core && !development {
                found.push(format!("{name} (layer {layer}) uses {used} (layer {below})"));
            }
        }
    }
    found
}

#[test]
fn crates_point_only_downward() {
    assert_eq!(violations(&workspace()), Vec::<String>::new());
}

#[test]
fn an_upward_dependency_is_seen() {
    let mut workspace = workspace();
    let core = workspace.get_mut("sealyard-core").expect("the core crate");
    core.1.push(("sealyard-api".into(), false));
    assert_eq!(violations(&workspace).len(), 1);
}
