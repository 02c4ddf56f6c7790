//! Signing keys by name or by file.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use sealyard_core::durable;
use sealyard_evidence::{PublicKey, SigningKey};

use crate::exit::{Failure, Result};

/// No PEM file that is read here is larger.
const LARGEST_PEM: u64 = 1 << 20;

/// Where the commands remember things: `$XDG_CONFIG_HOME/sealyard`, else `~/.config/sealyard`.
pub(crate) fn configuration_directory() -> Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value: &OsString| Path::new(value).is_absolute());
    let base = variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".config")));
    base.map(|base| base.join("sealyard")).ok_or_else(|| {
        Failure::could_not(anyhow!(
            "there is no place to remember keys and log ins: neither XDG_CONFIG_HOME nor HOME is set"
        ))
        .hint("set HOME, or name key and token files by their paths")
    })
}

/// Where named keys lie.
pub(crate) fn directory() -> Result<PathBuf> {
    Ok(configuration_directory()?.join("keys"))
}

/// Whether `text` can be a key's name: letters, digits, `.`, `_` and `-`, and no leading `.` or `-`.
pub(crate) fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !text.is_empty() && text.len() <= 100 && !text.starts_with(['.', '-']) && text.bytes().all(plain)
}

/// The private key that `--key NAME|FILE` means.
pub(crate) fn signing_key(named: &str) -> Result<SigningKey> {
    let path = locate(named, "key")?;
    let bytes = durable::read_private(&path)
        .with_context(|| format!("could not read the key {}", path.display()))?
        .ok_or_else(|| missing(named, &path))?;
    let wrong = || format!("{} is no usable private key", path.display());
    let text = std::str::from_utf8(&bytes).with_context(wrong)?;
    Ok(SigningKey::from_pem(text).with_context(wrong)?)
}

/// The public key that `--key NAME|FILE` means.
pub(crate) fn public_key(named: &str) -> Result<PublicKey> {
    let path = locate(named, "pub")?;
    let text = read_pem(&path)?.ok_or_else(|| missing(named, &path))?;
    Ok(PublicKey::from_pem(&text).with_context(|| format!("{} is no usable public key", path.display()))?)
}

/// The text of a PEM file that holds no secret; `None` when there is none.
pub(crate) fn read_pem(path: &Path) -> Result<Option<String>> {
    let bytes = read_bounded(path, LARGEST_PEM)?;
    bytes
        .map(|bytes| {
            String::from_utf8(bytes).map_err(|_| anyhow!("{} is not text, so it is no PEM file", path.display()))
        })
        .transpose()
        .map_err(Into::into)
}

/// A whole regular file of at most `limit` bytes; `None` when there is none. A pipe or device, which might never end,
/// is refused.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> Result<Option<Vec<u8>>> {
    let shown = path.display();
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(anyhow!("{shown} is not a regular file").into()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(anyhow!(error).context(format!("could not read {shown}")).into()),
    }
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(|| format!("could not read {shown}"))?;
    file.take(limit + 1).read_to_end(&mut bytes).with_context(|| format!("could not read {shown}"))?;
    if bytes.len() as u64 > limit {
        return Err(anyhow!("{shown} is larger than the {limit} bytes such a file can have").into());
    }
    Ok(Some(bytes))
}

/// A path when it looks like one, else a name in the keys' directory. A file in the current folder that is called like one
/// of the user's keys must not pass for it.
fn locate(named: &str, extension: &str) -> Result<PathBuf> {
    let path = Path::new(named);
    let file_like = named.contains('/') || path.extension().is_some_and(|e| e == "key" || e == "pub" || e == "pem");
    if file_like || !is_name(named) {
        return Ok(path.to_owned());
    }
    Ok(directory()?.join(format!("{named}.{extension}")))
}

fn missing(named: &str, path: &Path) -> Failure {
    let failure = Failure::could_not(anyhow!("there is no key {}", path.display()));
    if is_name(named) && path != Path::new(named) {
        failure.hint(format!(
            "make it with `sealyard keys create {named}`, see yours with `sealyard keys list`, or name a file by a path such as ./{named}"
        ))
    } else {
        failure.hint("`sealyard keys create NAME` makes a key; --key then takes the name")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_not_leave_the_keys_directory() {
        for name in ["release", "team-a.2026", "A_1"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "..", "../x", "a/b", ".hidden", "-x", "a b", "é", "a\n"] {
            assert!(!is_name(name), "{name:?}");
        }
    }

    #[test]
    fn a_name_never_means_a_file_of_the_current_folder() {
        // `Cargo.toml` is there when this runs; a name is a name all the same.
        assert!(Path::new("Cargo.toml").exists());
        assert!(locate("Cargo.toml", "pub").unwrap().ends_with("keys/Cargo.toml.pub"));
        assert_eq!(locate("./Cargo.toml", "pub").unwrap(), Path::new("./Cargo.toml"));
        assert_eq!(locate("release.pub", "pub").unwrap(), Path::new("release.pub"));
    }

    #[test]
    fn what_never_ends_is_not_read() {
        assert!(read_bounded(Path::new("/dev/zero"), 10).is_err());
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("large");
        std::fs::write(&path, [0; 11]).unwrap();
        assert!(read_bounded(&path, 10).is_err());
        assert_eq!(read_bounded(&path, 11).unwrap().unwrap().len(), 11);
        assert!(read_bounded(&directory.path().join("none"), 10).unwrap().is_none());
    }
}
