//! Where an installed `mlflow` package keeps its built UI. Found by looking at folders: no Python is run, so that nothing
//! of that environment runs as the server.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::exit::{Failure, Result};

/// Where the UI lies in an environment's `site-packages`.
const BUILT: &str = "mlflow/server/js/build";

/// A folder with a built UI.
#[derive(Debug)]
pub(crate) struct InstalledUi {
    /// The folder.
    pub(crate) folder: PathBuf,
    /// The package's version, where there is one.
    pub(crate) version: Option<String>,
}

impl InstalledUi {
    /// What `--ui` says: `mlflow`, or a folder.
    pub(crate) fn find(given: &str) -> Result<Self> {
        if given != "mlflow" {
            return Ok(Self { folder: PathBuf::from(given), version: None });
        }
        let searched = site_packages(&Surroundings::of_process());
        searched.iter().find_map(|packages| Self::in_packages(packages)).ok_or_else(|| {
            let error = match searched.len() {
                0 => anyhow!("no Python environment was found to take MLflow's UI from"),
                _ => anyhow!("mlflow with its UI is installed in none of {}", shown(&searched)),
            };
            Failure::could_not(error).hint(
                "activate the environment where it is installed (pip install mlflow; mlflow-skinny has no UI), or name \
                 the folder with --ui DIR",
            )
        })
    }

    fn in_packages(packages: &Path) -> Option<Self> {
        let folder = packages.join(BUILT);
        folder.join("index.html").is_file().then(|| Self { folder, version: version(packages) })
    }
}

fn shown(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// What says where Python is.
#[derive(Debug, Default)]
struct Surroundings {
    environments: Vec<PathBuf>,
    path: Vec<PathBuf>,
    home: Option<PathBuf>,
}

impl Surroundings {
    fn of_process() -> Self {
        let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self {
            environments: ["VIRTUAL_ENV", "CONDA_PREFIX"].into_iter().filter_map(named).collect(),
            path: std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default(),
            home: named("HOME"),
        }
    }
}

/// The `site-packages` of the active environment, of the `python3` on the path, and of the user, in this order.
fn site_packages(around: &Surroundings) -> Vec<PathBuf> {
    let mut roots = around.environments.clone();
    // A virtual environment's python3 is a link; what matters is where the link lies.
    let python = around.path.iter().find(|folder| folder.is_absolute() && folder.join("python3").is_file());
    if let Some(root) = python.and_then(|folder| folder.parent()) {
        roots.push(root.to_owned());
        // Debian's pip installs here for a python3 that lies in /usr/bin.
        if root == Path::new("/usr") {
            roots.push(PathBuf::from("/usr/local"));
        }
    }
    roots.extend(around.home.iter().map(|home| home.join(".local")));
    let mut found = Vec::new();
    for root in roots {
        let Ok(entries) = std::fs::read_dir(root.join("lib")) else { continue };
        let mut versions: Vec<_> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.starts_with("python3"))
            .collect();
        // The newest first: python3.12 before python3.9.
        versions.sort_by_key(|name| {
            let minor = name.trim_start_matches("python3").trim_start_matches('.').parse::<u32>();
            std::cmp::Reverse(minor.unwrap_or(0))
        });
        for version in versions {
            for kind in ["site-packages", "dist-packages"] {
                let packages = root.join("lib").join(&version).join(kind);
                if packages.is_dir() && !found.contains(&packages) {
                    found.push(packages);
                }
            }
        }
    }
    found
}

/// The version that stands in the name of the package's metadata.
fn version(packages: &Path) -> Option<String> {
    std::fs::read_dir(packages).ok()?.find_map(|entry| {
        let name = entry.ok()?.file_name().into_string().ok()?;
        Some(name.strip_prefix("mlflow-")?.strip_suffix(".dist-info")?.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn install(root: &Path, python: &str, version: &str) {
        let packages = root.join("lib").join(python).join("site-packages");
        fs::create_dir_all(packages.join(BUILT)).unwrap();
        fs::write(packages.join(BUILT).join("index.html"), "").unwrap();
        fs::create_dir_all(packages.join(format!("mlflow-{version}.dist-info"))).unwrap();
        fs::create_dir_all(root.join("bin")).unwrap();
        fs::write(root.join("bin/python3"), "").unwrap();
    }

    fn found(around: &Surroundings) -> Option<String> {
        site_packages(around).iter().find_map(|packages| InstalledUi::in_packages(packages)).unwrap().version
    }

    #[test]
    fn the_active_environment_comes_before_the_path_and_the_user() {
        let folder = tempfile::tempdir().unwrap();
        let [active, path, home] = ["active", "path", "home"].map(|name| folder.path().join(name));
        install(&active, "python3.11", "3.12.0");
        install(&path, "python3.11", "3.1.0");
        install(&home.join(".local"), "python3.11", "2.22.0");
        let mut around = Surroundings {
            environments: vec![active],
            path: vec![folder.path().join("nothing"), path.join("bin")],
            home: Some(home),
        };
        assert_eq!(found(&around).as_deref(), Some("3.12.0"));
        around.environments.clear();
        assert_eq!(found(&around).as_deref(), Some("3.1.0"));
        around.path.clear();
        assert_eq!(found(&around).as_deref(), Some("2.22.0"));
    }

    #[test]
    fn the_newest_python_of_an_environment_is_first() {
        let folder = tempfile::tempdir().unwrap();
        for python in ["python3.9", "python3.12", "python3.10"] {
            install(folder.path(), python, python);
        }
        let around = Surroundings { environments: vec![folder.path().to_owned()], ..Surroundings::default() };
        assert_eq!(found(&around).as_deref(), Some("python3.12"));
    }

    #[test]
    fn a_package_without_a_ui_is_none() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("lib/python3.11/site-packages/mlflow/server")).unwrap();
        let around = Surroundings { environments: vec![folder.path().to_owned()], ..Surroundings::default() };
        let packages = site_packages(&around);
        assert_eq!(packages.len(), 1);
        assert!(InstalledUi::in_packages(&packages[0]).is_none());
    }
}
