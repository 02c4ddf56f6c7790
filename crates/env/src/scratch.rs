//! Folders that are only needed while a process works, and what is left of them when it was killed.

use std::fs;
use std::path::Path;

const MARK: &str = ".scratch-";

/// The start of a temporary folder's name. It holds the process's id, so that a later process sees whether it still runs.
#[must_use]
pub fn scratch_prefix(purpose: &str) -> String {
    format!("{MARK}{purpose}-{}-", std::process::id())
}

/// Removes the scratch folders in `directory` whose process is gone. What can't be removed stays; it is only litter.
pub fn remove_leftovers(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(MARK)).and_then(|rest| rest.split('-').nth(1));
        if owner.is_some_and(|owner| owner.parse::<u32>().is_ok() && !Path::new("/proc").join(owner).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_processes_that_are_gone_are_removed() {
        let directory = tempfile::tempdir().unwrap();
        let own = format!("{}abc", scratch_prefix("run"));
        let names = [own.as_str(), ".scratch-run-4194305-abc", ".scratch-run-x-abc", "environments", "4194305"];
        for name in names {
            fs::create_dir(directory.path().join(name)).unwrap();
        }
        remove_leftovers(directory.path());
        for name in names {
            assert_eq!(directory.path().join(name).exists(), !name.contains("run-4194305"), "{name}");
        }
    }
}
