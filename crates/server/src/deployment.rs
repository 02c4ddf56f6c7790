//! What the doctor is told of how the server was started.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use sealyard_app::Deployment;
use sealyard_core::Timestamp;

use crate::doors::Doors;
use crate::{Config, DataDirectory, TlsMode};

/// More files than this are not looked at.
const MOST_FILES: usize = 100_000;

/// As far as `config` and the machine say it.
pub(crate) fn describe(config: &Config, directory: &DataDirectory, doors: &Doors, master_key: &str) -> Deployment {
    let ends = doors.tls().and_then(|slot| slot.expires());
    Deployment {
        listeners: doors.describe(),
        no_auth: config.no_auth,
        certificate_ends: ends.map(|seconds| Timestamp::from_millis(seconds.saturating_mul(1000))),
        // What a directory gave is none that was made here.
        self_signed: config.tls == TlsMode::Automatic,
        root: rustix::process::geteuid().is_root(),
        open_files: open_files(directory.root()),
        database: if config.database.is_some() { "postgresql" } else { "sqlite" }.to_owned(),
        artifacts: config.artifacts.as_ref().map_or("the data directory".to_owned(), ToString::to_string),
        master_key: if master_key == "file" { "a file in the data directory" } else { master_key }.to_owned(),
        providers: providers(config),
        exports: exports(config),
        witnesses: config.settings.ledger.witnesses.iter().map(|witness| witness.name.clone()).collect(),
        rate_limits: config.settings.limits.bound_rates(),
    }
}

/// Where the ledger is sent on to, by name.
pub(crate) fn exports(config: &Config) -> Vec<String> {
    config.settings.ledger.export.keys().cloned().collect()
}

/// Providers of identities, by their names in the settings.
pub(crate) fn providers(config: &Config) -> Vec<String> {
    let identity = &config.settings.identity;
    identity.ldap.keys().chain(identity.oidc.keys()).chain(identity.saml.keys()).cloned().collect()
}

/// Files that somebody else can read, but for what is public; by their names below `root`.
fn open_files(root: &Path) -> Vec<String> {
    let public = |name: &str| ["pub", "crt", "origin"].iter().any(|ending| name.ends_with(&format!(".{ending}")));
    let (mut found, mut folders, mut looked) = (Vec::new(), vec![root.to_owned()], 0);
    // Nobody else can come to what is in a folder that is closed to them.
    let closed = |path: &Path| path.metadata().is_ok_and(|data| data.permissions().mode() & 0o077 == 0);
    if closed(root) {
        return found;
    }
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            looked += 1;
            if looked > MOST_FILES || found.len() >= 20 {
                return found;
            }
            let path = entry.path();
            let Ok(data) = entry.metadata() else { continue };
            if data.is_dir() {
                if !closed(&path) {
                    folders.push(path);
                }
            } else if data.permissions().mode() & 0o077 != 0 && !public(&entry.file_name().to_string_lossy()) {
                found.push(path.strip_prefix(root).unwrap_or(&path).display().to_string());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_others_can_read_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        std::fs::create_dir(root.join("keys")).unwrap();
        for (name, permissions) in [("keys/master.key", 0o640), ("keys/gate.pub", 0o644), ("catalog.sqlite", 0o600)] {
            std::fs::write(root.join(name), "x").unwrap();
            mode(&root.join(name), permissions);
        }
        mode(root, 0o755);
        mode(&root.join("keys"), 0o755);
        assert_eq!(open_files(root), ["keys/master.key"]);
        mode(&root.join("keys"), 0o700);
        assert!(open_files(root).is_empty(), "nobody else can come to it");
        mode(&root.join("keys"), 0o755);
        mode(root, 0o700);
        assert!(open_files(root).is_empty());
    }
}
