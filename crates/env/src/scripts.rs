//! Programs in `bin`: those a wheel brings, and those its entry points name.

use sealyard_core::TreePath;

/// Replaces a wheel's `#!python` line.
pub(crate) fn with_interpreter(bytes: Vec<u8>, python: &str) -> Vec<u8> {
    if !bytes.starts_with(b"#!python") {
        return bytes;
    }
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let mut script = format!("#!{python}").into_bytes();
    script.extend_from_slice(bytes.get(end..).unwrap_or_default());
    script
}

/// The console scripts that `entry_points` asks for.
pub(crate) fn console(entry_points: &str, python: &str) -> Result<Vec<(TreePath, Vec<u8>)>, String> {
    let mut scripts = Vec::new();
    let mut section = "";
    for line in entry_points.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name.trim();
            continue;
        }
        if !matches!(section, "console_scripts" | "gui_scripts") {
            continue;
        }
        let malformed = || format!("its entry point {line:?} is malformed");
        let (name, target) = line.split_once('=').ok_or_else(malformed)?;
        let target = target.split('[').next().unwrap_or_default().trim();
        let (module, attribute) = target.split_once(':').ok_or_else(malformed)?;
        let (module, attribute) = (module.trim(), attribute.trim());
        // The names go into a program: nothing but identifiers may.
        if !is_dotted_name(module) || !is_dotted_name(attribute) {
            return Err(malformed());
        }
        let path = TreePath::new(&format!("bin/{}", name.trim())).map_err(|error| error.to_string())?;
        if path.as_str().matches('/').count() != 1 || path.file_name().starts_with("python") {
            return Err(malformed());
        }
        let first = attribute.split('.').next().unwrap_or(attribute);
        let text = format!(
            "#!{python}\nimport sys\nfrom {module} import {first}\nif __name__ == \"__main__\":\n    sys.exit({attribute}())\n"
        );
        scripts.push((path, text.into_bytes()));
    }
    Ok(scripts)
}

fn is_dotted_name(name: &str) -> bool {
    name.split('.').all(|part| {
        let mut characters = part.chars();
        characters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
            && characters.all(|character| character.is_alphanumeric() || character == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_points_become_scripts() {
        let scripts =
            console("[other]\nx = y:z\n[console_scripts]\nmlflow = mlflow.cli:cli.run [extra]\n", "/env/bin/python")
                .unwrap();
        assert_eq!(scripts.len(), 1);
        assert_eq!(scripts[0].0.as_str(), "bin/mlflow");
        let text = String::from_utf8(scripts[0].1.clone()).unwrap();
        assert!(text.starts_with("#!/env/bin/python\n"));
        assert!(text.contains("from mlflow.cli import cli\n") && text.contains("sys.exit(cli.run())"));
    }

    #[test]
    fn a_hostile_entry_point_is_refused() {
        for line in
            ["x = os:system('id')", "../x = a:b", "a/b = a:b", "python = a:b", "x = a;b:c", "x = a", "x = a:b\u{0}"]
        {
            assert!(console(&format!("[console_scripts]\n{line}\n"), "p").is_err(), "{line}");
        }
    }

    #[test]
    fn a_wheels_own_script_gets_the_environments_interpreter() {
        assert_eq!(with_interpreter(b"#!python -x\nprint()".to_vec(), "/e/python"), b"#!/e/python\nprint()");
        assert_eq!(with_interpreter(b"#!/bin/sh\n".to_vec(), "/e/python"), b"#!/bin/sh\n");
    }
}
