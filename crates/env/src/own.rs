//! Folders and files that nobody else can change. Who owns one can change it later, whatever its mode and that of the folders
//! around it are now: a folder that is open stays open.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use sealyard_core::durable;

use crate::EnvError;

/// Whether it is this process's user's own.
pub(crate) fn is_own(metadata: &Metadata) -> bool {
    is_of(metadata, rustix::process::geteuid().as_raw())
}

fn is_of(metadata: &Metadata, user: u32) -> bool {
    // Who may write into a folder of ours may have put anything there; a file is hashed before each use.
    metadata.uid() == user && (metadata.is_dir() && metadata.mode() & 0o022 == 0 || metadata.is_file())
}

/// Makes a folder that only its owner may enter; one that is there already must be the caller's own.
///
/// # Errors
/// [`EnvError::Io`] when it belongs to another user, or can't be made.
pub fn own_directory(path: &Path) -> Result<(), EnvError> {
    let user = rustix::process::geteuid().as_raw();
    match fs::metadata(path) {
        Ok(metadata) if metadata.uid() != user => {
            let text =
                format!("it belongs to user {}, who could exchange what is in it; use another cache", metadata.uid());
            let source = io::Error::new(io::ErrorKind::PermissionDenied, text);
            Err(EnvError::io("use as a cache", path)(source))
        }
        _ => durable::create_private_directory(path).map_err(EnvError::io("create", path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_others_own_or_may_write_is_not_ours() {
        let directory = tempfile::tempdir().unwrap();
        let user = rustix::process::geteuid().as_raw();
        let metadata = fs::metadata(directory.path()).unwrap();
        assert!(is_of(&metadata, user) && is_own(&metadata));
        assert!(!is_of(&metadata, user.wrapping_add(1)));
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(!is_own(&fs::metadata(directory.path()).unwrap()));
    }

    #[test]
    fn a_cache_of_another_user_is_refused_also_for_root() {
        let directory = tempfile::tempdir().unwrap();
        let cache = directory.path().join("cache");
        own_directory(&cache).unwrap();
        own_directory(&cache).unwrap();
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&cache, Some(65_534), None).unwrap();
            assert!(own_directory(&cache).unwrap_err().to_string().contains("cache"));
        } else {
            assert!(own_directory(Path::new("/")).is_err());
        }
    }
}
