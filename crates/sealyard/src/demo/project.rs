//! The bundled example, written out as a project of its own.

use std::path::Path;
use std::process::Command;

use crate::exit::Result;

/// The files of `examples/diabetes`.
const FILES: &[(&str, &[u8])] = &[
    ("MLproject", include_bytes!("../../../../examples/diabetes/MLproject")),
    ("python_env.yaml", include_bytes!("../../../../examples/diabetes/python_env.yaml")),
    ("requirements.in", include_bytes!("../../../../examples/diabetes/requirements.in")),
    ("requirements.txt", include_bytes!("../../../../examples/diabetes/requirements.txt")),
    ("sealyard.toml", include_bytes!("../../../../examples/diabetes/sealyard.toml")),
    ("train.py", include_bytes!("../../../../examples/diabetes/train.py")),
    ("attacks/egress.py", include_bytes!("../../../../examples/diabetes/attacks/egress.py")),
    ("data/diabetes.csv", include_bytes!("../../../../examples/diabetes/data/diabetes.csv")),
];

/// Writes the project to `folder` and commits it, as a team's project would be. Gives whether git was there to do so;
/// without it the provenance says that the source has no commit.
pub(crate) fn write(folder: &Path) -> Result<bool> {
    for (name, content) in FILES {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, content)?;
    }
    let git = |arguments: &[&str]| {
        Command::new("git")
            .args([
                "-c",
                "user.name=Sealyard demo",
                "-c",
                "user.email=demo@sealyard.invalid",
                "-c",
                "commit.gpgsign=false",
            ])
            .args(arguments)
            .current_dir(folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .stdin(std::process::Stdio::null())
            .output()
            .is_ok_and(|output| output.status.success())
    };
    Ok(git(&["init", "--quiet"])
        && git(&["add", "--all"])
        && git(&["commit", "--quiet", "-m", "Add the diabetes project"]))
}
