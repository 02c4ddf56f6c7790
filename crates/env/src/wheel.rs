//! Reading one wheel: its files, where each belongs, and its RECORD.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read as _, Write};
use std::path::Path;

use base64::Engine as _;
use sealyard_core::{Digest, Hasher, TreePath};
use zip::ZipArchive;

use crate::EnvError;
use crate::cache::Cached;

const MAX_FILES: usize = 200_000;
const MAX_FILE: u64 = 8 << 30;
const MAX_TEXT: u64 = 64 << 20;
/// All files of a wheel together. Real ones grow to three or four times their size.
const MAX_TOTAL: u64 = 32 << 30;
const MAX_GROWTH: u64 = 50;
/// What even a small wheel may grow to.
const FREE_GROWTH: u64 = 64 << 20;

/// A wheel that is open, its directory read and checked.
#[derive(Debug)]
pub(crate) struct OpenWheel {
    pub(crate) filename: String,
    archive: ZipArchive<BufReader<File>>,
    /// Files by their place in the environment.
    pub(crate) members: BTreeMap<TreePath, Member>,
    pub(crate) entry_points: String,
}

/// One file of a wheel.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) index: usize,
    pub(crate) size: u64,
    /// What RECORD says; RECORD itself has none.
    pub(crate) digest: Option<Digest>,
    pub(crate) script: bool,
    pub(crate) executable: bool,
}

impl OpenWheel {
    pub(crate) fn open(cached: &Cached, library: &str) -> Result<Self, EnvError> {
        let filename = cached.wheel.filename.clone();
        let refuse = |detail: String| EnvError::Wheel { wheel: filename.clone(), detail };
        let archive = open_archive(&cached.path, &filename)?;
        if archive.len() > MAX_FILES || archive.has_duplicate_names() {
            return Err(refuse(format!("it has more than {MAX_FILES} files, or a name twice")));
        }
        let packed = std::fs::metadata(&cached.path).map_err(EnvError::io("read", &cached.path))?.len();
        let most = packed.saturating_mul(MAX_GROWTH).saturating_add(FREE_GROWTH).min(MAX_TOTAL);
        let mut total = 0_u64;
        let mut files = BTreeMap::new();
        for index in 0..archive.len() {
            let entry = archive.by_index_data(index).map_err(|error| refuse(error.to_string()))?;
            if entry.is_dir() {
                continue;
            }
            let name = entry.name().map_err(|error| refuse(error.to_string()))?;
            let path = TreePath::new(&name).map_err(|error| refuse(error.to_string()))?;
            if entry.is_symlink() || entry.encrypted() || entry.size() > MAX_FILE {
                return Err(refuse(format!("{path} is a link, encrypted or too large")));
            }
            total = total.saturating_add(entry.size());
            if total > most {
                return Err(refuse(format!("its {packed} bytes would unpack to more than {most}")));
            }
            let executable = entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
            files.insert(path, (index, entry.size(), executable));
        }
        let mut wheel =
            Self { filename: filename.clone(), archive, members: BTreeMap::new(), entry_points: String::new() };
        let information = information_folder(&files, &cached.wheel.name)
            .ok_or_else(|| refuse("it does not have exactly one .dist-info folder with the project's name".into()))?;
        let text = |wheel: &mut Self, name: &str| -> Result<Option<String>, EnvError> {
            let found = TreePath::new(&format!("{information}/{name}")).ok().and_then(|path| files.get(&path));
            found.map(|(index, _, _)| wheel.text(*index)).transpose()
        };
        let metadata = text(&mut wheel, "WHEEL")?.ok_or_else(|| refuse("it has no WHEEL file".into()))?;
        if !metadata.lines().any(|line| line.trim().starts_with("Wheel-Version: 1.")) {
            return Err(refuse("its wheel version is not 1".into()));
        }
        let record = text(&mut wheel, "RECORD")?.ok_or_else(|| refuse("it has no RECORD".into()))?;
        let mut record = parse_record(&record).map_err(refuse)?;
        wheel.entry_points = text(&mut wheel, "entry_points.txt")?.unwrap_or_default();
        let data = information.strip_suffix(".dist-info").map(|stem| format!("{stem}.data/")).unwrap_or_default();
        for (path, (index, size, executable)) in &files {
            let own = path
                .as_str()
                .strip_prefix(&information)
                .is_some_and(|rest| matches!(rest, "/RECORD" | "/RECORD.jws" | "/RECORD.p7s"));
            let digest = record.remove(path.as_str()).flatten();
            if digest.is_none() && !own {
                return Err(refuse(format!("{path} is not in its RECORD with a sha256 digest")));
            }
            let digest = if own { None } else { digest };
            let (place, script) = place(path, &data, library, &cached.wheel.name).map_err(refuse)?;
            let member = Member { index: *index, size: *size, digest, script, executable: *executable };
            if wheel.members.insert(place, member).is_some() {
                return Err(refuse(format!("{path} would be installed over another of its files")));
            }
        }
        Ok(wheel)
    }

    /// All bytes of a small text member.
    fn text(&mut self, index: usize) -> Result<String, EnvError> {
        let refuse = |detail: String| EnvError::Wheel { wheel: self.filename.clone(), detail };
        let entry = self.archive.by_index(index).map_err(|error| refuse(error.to_string()))?;
        let mut text = String::new();
        entry.take(MAX_TEXT).read_to_string(&mut text).map_err(|error| refuse(error.to_string()))?;
        Ok(text)
    }

    /// A script's bytes, checked against RECORD. It is changed on its way, so it must fit into memory.
    pub(crate) fn read(&mut self, member: &Member) -> Result<Vec<u8>, EnvError> {
        if member.size > MAX_TEXT {
            let detail = format!("its script, file number {}, has more than {MAX_TEXT} bytes", member.index);
            return Err(EnvError::Wheel { wheel: self.filename.clone(), detail });
        }
        let mut bytes = Vec::new();
        self.copy(member, &mut bytes)?;
        Ok(bytes)
    }

    /// Writes a member's bytes to `target`, checked against RECORD; on an error what was written is of no use. A length field is
    /// never believed: no more is read than it says, and no more than a piece is held in memory.
    pub(crate) fn copy(&mut self, member: &Member, target: &mut impl Write) -> Result<(), EnvError> {
        let filename = self.filename.clone();
        let refuse = |detail: String| EnvError::Wheel { wheel: filename.clone(), detail };
        let entry = self.archive.by_index(member.index).map_err(|error| refuse(error.to_string()))?;
        let mut entry = entry.take(member.size.saturating_add(1));
        let (mut hasher, mut size, mut buffer) = (Hasher::default(), 0_u64, vec![0; 1 << 16]);
        loop {
            let read = entry.read(&mut buffer).map_err(|error| refuse(error.to_string()))?;
            let bytes = buffer.get(..read).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            hasher.update(bytes);
            size += read as u64;
            target.write_all(bytes).map_err(|error| refuse(format!("it can't be unpacked: {error}")))?;
        }
        if size != member.size || member.digest.is_some_and(|digest| digest != hasher.finish()) {
            return Err(refuse(format!("its file number {} is not what its RECORD says", member.index)));
        }
        Ok(())
    }
}

fn open_archive(path: &Path, filename: &str) -> Result<ZipArchive<BufReader<File>>, EnvError> {
    let file = File::open(path).map_err(EnvError::io("open", path))?;
    ZipArchive::new(BufReader::new(file))
        .map_err(|error| EnvError::Wheel { wheel: filename.to_owned(), detail: error.to_string() })
}

/// The one `.dist-info` folder at the top.
fn information_folder<T>(files: &BTreeMap<TreePath, T>, name: &str) -> Option<String> {
    let mut found: Option<&str> = None;
    for path in files.keys() {
        let Some((top, _)) = path.as_str().split_once('/') else { continue };
        if top.ends_with(".dist-info") && found != Some(top) {
            if found.is_some() {
                return None;
            }
            found = Some(top);
        }
    }
    let found = found?;
    let project = found.strip_suffix(".dist-info")?.split('-').next()?;
    let normalised: pep508_rs::PackageName = project.parse().ok()?;
    (normalised.to_string() == name).then(|| found.to_owned())
}

/// Where a wheel's file belongs in the environment, and whether it is a script.
fn place(path: &TreePath, data: &str, library: &str, name: &str) -> Result<(TreePath, bool), String> {
    let text = path.as_str();
    let packages = format!("lib/{library}/site-packages");
    let (target, script) = match text.strip_prefix(data).filter(|_| !data.is_empty()) {
        None => (format!("{packages}/{text}"), false),
        Some(rest) => match rest.split_once('/') {
            Some(("purelib" | "platlib", rest)) => (format!("{packages}/{rest}"), false),
            Some(("scripts", rest)) => (format!("bin/{rest}"), true),
            Some(("data", rest)) => (rest.to_owned(), false),
            Some(("headers", rest)) => (format!("include/site/{library}/{name}/{rest}"), false),
            _ => return Err(format!("{path} belongs to no known part of an environment")),
        },
    };
    let reserved = ["pyvenv.cfg", "bin/python", "bin/python3", "lib64"];
    if reserved.contains(&target.as_str()) || target.starts_with("lib64/") || target == format!("bin/{library}") {
        return Err(format!("{path} would replace a part of the environment itself"));
    }
    Ok((TreePath::new(&target).map_err(|error| error.to_string())?, script))
}

/// RECORD: path, `sha256=<base64url>`, size.
fn parse_record(text: &str) -> Result<BTreeMap<String, Option<Digest>>, String> {
    let mut record = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (path, rest) = csv_field(line).ok_or_else(|| format!("its RECORD has the line {line:?}"))?;
        let hash = rest.split(',').next().unwrap_or_default();
        let digest = hash.strip_prefix("sha256=").and_then(|encoded| {
            let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(encoded.trim_end_matches('=')).ok()?;
            Some(Digest::from_bytes(bytes.try_into().ok()?))
        });
        if record.insert(path.clone(), digest).is_some() {
            return Err(format!("its RECORD lists {path:?} twice"));
        }
    }
    Ok(record)
}

/// The first field of a CSV line, and what follows its comma.
fn csv_field(line: &str) -> Option<(String, &str)> {
    let Some(quoted) = line.strip_prefix('"') else {
        let (field, rest) = line.split_once(',')?;
        return Some((field.to_owned(), rest));
    };
    let mut field = String::new();
    let mut characters = quoted.char_indices();
    while let Some((position, character)) = characters.next() {
        if character != '"' {
            field.push(character);
            continue;
        }
        let rest = quoted.get(position + 1..)?;
        if rest.starts_with('"') {
            field.push('"');
            characters.next();
        } else {
            return Some((field, rest.strip_prefix(',')?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_lines_are_read_with_quotes() {
        let record =
            parse_record("\"a, \"\"b\"\".py\",sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\nR,,\n").unwrap();
        assert_eq!(record["a, \"b\".py"], Some(Digest::of(b"")));
        assert_eq!(record["R"], None);
        assert!(parse_record("a,,\na,,\n").is_err());
        assert!(parse_record("\"a\n").is_err());
    }

    #[test]
    fn data_folders_go_where_they_belong_and_no_further() {
        let put = |path: &str| {
            place(&TreePath::new(path).unwrap(), "a-1.data/", "python3.11", "a").map(|(path, _)| path.to_string())
        };
        assert_eq!(put("a/b.py").unwrap(), "lib/python3.11/site-packages/a/b.py");
        assert_eq!(put("a-1.data/purelib/b.py").unwrap(), "lib/python3.11/site-packages/b.py");
        assert_eq!(put("a-1.data/scripts/run").unwrap(), "bin/run");
        assert_eq!(put("a-1.data/data/share/x").unwrap(), "share/x");
        for path in
            ["a-1.data/scripts/python", "a-1.data/data/pyvenv.cfg", "a-1.data/other/x", "a-1.data/data/bin/python3.11"]
        {
            assert!(put(path).is_err(), "{path}");
        }
    }
}
