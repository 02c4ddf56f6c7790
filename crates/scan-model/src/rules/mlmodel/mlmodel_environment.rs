use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::inspect::Beside;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports requirements in the `python_env.yaml` of an MLflow model that come from elsewhere than the usual index: from a
    /// URL, a repository, a path, or another index that an option names.
    ///
    /// # Why it matters
    /// `mlflow models serve` and everything that restores the environment installs them, and installing runs code of
    /// whoever owns that place, before the model is loaded.
    ///
    /// # What to do
    /// Log the model again with requirements by name and version, or review what is installed.
    id: "mlmodel-environment",
    name: "Environment from elsewhere",
    severity: Medium,
    summary: "The environment of an MLflow model is installed from elsewhere than the usual index.",
    help: "Name packages and versions only, or review what is installed.",
    references: ["https://mlflow.org/docs/latest/ml/model/#additional-logged-files"],
}

/// Where wheels of the trade are kept.
const KNOWN: &[&str] = &["https://pypi.org/", "https://download.pytorch.org/", "https://files.pythonhosted.org/"];

pub(super) fn check(model: &Artifact, sink: &mut Sink) {
    for beside in &model.beside {
        if let Beside::Requirement { file, line } = beside
            && is_elsewhere(line)
        {
            sink.push(Finding::new(&METADATA, sink.location(), format!("{file} has {line:?}")));
        }
    }
}

fn is_elsewhere(line: &str) -> bool {
    let line = line.trim();
    // Another file is looked at by itself.
    let is_file = ["-r ", "-c ", "--requirement ", "--constraint "].iter().any(|option| line.starts_with(option));
    let place = line.split(['=', ' ', '@']).find(|part| part.contains("://")).unwrap_or_default();
    let is_known = KNOWN.iter().any(|known| place.trim_start_matches("git+").starts_with(known));
    let is_option =
        line.starts_with('-') && !is_file && !line.starts_with("--no-binary") && !line.starts_with("--only-binary");
    let is_path = line.starts_with(['.', '/', '~']) || line.contains("file:");
    (line.contains("://") || is_option && !line.starts_with("--pre")) && !is_known || is_path
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_and_versions_come_from_the_index() {
        for line in [
            "pip==24.0",
            "torch>=2,<3 ; python_version > '3.8'",
            "-r requirements.txt",
            "--pre",
            "a[b]==1",
            "--extra-index-url https://download.pytorch.org/whl/cpu",
        ] {
            assert!(!super::is_elsewhere(line), "{line}");
        }
        for line in [
            "git+https://example.org/x.git",
            "x @ https://example.org/x.whl",
            "--index-url http://127.0.0.1/simple",
            "-e .",
            "./x",
            "--trusted-host example.org",
            "file:///tmp/x",
            "x @ file:x.whl",
        ] {
            assert!(super::is_elsewhere(line), "{line}");
        }
    }
}
