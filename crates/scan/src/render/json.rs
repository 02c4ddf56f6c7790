use crate::Report;

/// The report as `sealyard.scan/1`, indented, with a newline at the end.
///
/// # Errors
/// None of its own; serde's signature allows one.
pub fn json(report: &Report) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::report::tests::sample;

    #[test]
    fn the_contract_holds() {
        let value: serde_json::Value = serde_json::from_str(&super::json(&sample()).unwrap()).unwrap();
        assert_eq!(value["schema"], "sealyard.scan/1");
        assert_eq!(value["tool"], json!({"name": "sealyard", "version": "0.1.0", "rules": "1"}));
        assert_eq!(
            value["summary"],
            json!({"verdict": "unsafe", "subjects": 3, "safe": 1, "suspicious": 0, "unsafe": 1, "not_assessed": 1})
        );
        assert_eq!(
            value["subjects"][1],
            json!({
                "path": "model/m.zip", "digest": null, "kind": "zip", "verdict": "unsafe", "not_assessed": [],
                "findings": [{
                    "rule": "pickle-dangerous-global", "severity": "critical",
                    "message": "the stream calls posix.system",
                    "location": {"path": "model/m.zip", "member": "data.pkl", "offset": 42, "line": null, "column": null, "cell": null},
                    "trace": ["posix.system('env > \u{1b}[2Jpwnd.txt')"],
                    "help": "Do not load it.",
                    "references": ["https://docs.python.org/3/library/pickle.html"],
                }],
                "facts": [{"kind": "framework", "name": "torch", "value": "2.9", "member": null}],
            })
        );
        let mut read: crate::Report = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(read, sample());
        // Reports from before there were facts are read too.
        let mut value = value;
        for subject in value["subjects"].as_array_mut().unwrap() {
            subject.as_object_mut().unwrap().remove("facts");
        }
        read.subjects.iter_mut().for_each(|subject| subject.facts.clear());
        assert_eq!(serde_json::from_value::<crate::Report>(value).unwrap(), read);
    }
}
