//! Files that are either wholly there or not there at all, also after a power cut.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// Writes `bytes` to a temporary name beside `path`, syncs it, renames it to `path` and syncs the directory.
/// `mode` is the file's permission bits; secrets take `0o600`. A device or pipe, such as `/dev/null` or `/dev/stdout`, is
/// written to and never replaced.
///
/// # Errors
/// Any error of the disk; the temporary file is removed then and `path` is as it was.
pub fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
        return OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = Path::new(&temporary);
    let result = create(temporary, mode).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(temporary, path)?;
        sync_parent(path)
    });
    if result.is_err() {
        let _ = fs::remove_file(temporary);
    }
    result
}

/// Creates a new file that only holds what the caller writes; an existing one is truncated, a link is not followed.
///
/// # Errors
/// Any error of the disk.
#[cfg(unix)]
pub fn create(path: &Path, mode: u32) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

/// Makes sure that `path`'s name itself survives a power cut.
///
/// # Errors
/// Any error of the disk.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// Creates `path` and its parents as directories that only the owner may enter.
///
/// # Errors
/// Any error of the disk.
#[cfg(unix)]
pub fn create_private_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

/// The longest secret that [`read_private`] reads. No key, token or password file is larger.
pub const LONGEST_PRIVATE: usize = 1 << 20;

/// Reads a secret; `None` when there is no such file.
///
/// # Errors
/// `PermissionDenied` when anybody but the owner may read or write it; any error of the disk.
#[cfg(unix)]
pub fn read_private(path: &Path) -> io::Result<Option<zeroize::Zeroizing<Vec<u8>>>> {
    use std::io::Read as _;
    use std::os::unix::fs::PermissionsExt as _;
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o077 != 0 {
        let message = format!(
            "{} can be read by others (mode {:03o}); run `chmod 600 {}`, and replace the secret if anybody may have seen it",
            path.display(),
            mode & 0o777,
            path.display()
        );
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    file.take(LONGEST_PRIVATE as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > LONGEST_PRIVATE {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_replaces_wholly_and_keeps_secrets_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        write(&path, b"one", 0o600).unwrap();
        write(&path, b"two", 0o600).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_device_is_written_to_and_stays_one() {
        use std::os::unix::fs::{FileTypeExt as _, symlink};
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out");
        symlink("/dev/null", &path).unwrap();
        write(&path, b"gone", 0o600).unwrap();
        assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }

    #[test]
    fn a_secret_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        assert!(read_private(&path).unwrap().is_none());
        write(&path, b"secret", 0o600).unwrap();
        assert_eq!(read_private(&path).unwrap().unwrap().as_slice(), b"secret");
        for mode in [0o640, 0o604, 0o620, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read_private(&path).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        }
    }
}
