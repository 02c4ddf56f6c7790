//! pip's `requirements.txt` as `pip-compile --generate-hashes` and `uv pip compile --generate-hashes` write it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;
use std::str::FromStr as _;

use pep440_rs::{Operator, Version};
use pep508_rs::{MarkerEnvironment, Requirement, VerbatimUrl, VersionOrUrl};
use sealyard_core::Digest;

use crate::EnvError;

const MAX_BYTES: u64 = 16 << 20;
const MAX_REQUIREMENTS: usize = 20_000;
const MAX_LINE: usize = 4 << 20;

/// A lock whose every requirement has one version and SHA-256 hashes.
#[derive(Debug, Clone)]
pub struct Lock {
    digest: Digest,
    requirements: Vec<Locked>,
}

/// One requirement of a lock.
#[derive(Debug, Clone)]
pub struct Locked {
    /// The project's normalised name.
    pub name: String,
    /// Its one version.
    pub version: Version,
    /// SHA-256 of every file that may be installed.
    pub hashes: BTreeSet<Digest>,
    /// The line in the lock, from 1.
    pub line: usize,
    requirement: Requirement<VerbatimUrl>,
}

impl std::fmt::Display for Locked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}=={}", self.name, self.version)
    }
}

impl Lock {
    /// Reads and parses the file at `path`.
    ///
    /// # Errors
    /// [`EnvError`] when it can't be read or is not a lock.
    pub fn read(path: &Path) -> Result<Self, EnvError> {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(EnvError::io("open the lock", path))?;
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(EnvError::io("read the lock", path))?;
        let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.display().to_string());
        Self::parse(&name, &bytes)
    }

    /// Parses a lock; `file` names it in errors.
    ///
    /// # Errors
    /// [`EnvError::Unpinned`], [`EnvError::Unhashed`], or [`EnvError::Lock`] for what is not understood: options,
    /// other files, editable installs and direct URLs are refused, not skipped.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, EnvError> {
        let refuse = |line, detail: String| EnvError::Lock { file: file.to_owned(), line, detail };
        if bytes.len() as u64 > MAX_BYTES {
            return Err(refuse(1, format!("it is larger than {MAX_BYTES} bytes")));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| refuse(1, "it is not UTF-8".into()))?;
        let mut requirements = Vec::new();
        for (line, logical) in logical_lines(text).map_err(|line| refuse(line, "a line is too long".into()))? {
            if requirements.len() == MAX_REQUIREMENTS {
                return Err(refuse(line, format!("it has more than {MAX_REQUIREMENTS} requirements")));
            }
            requirements.push(requirement(file, line, &logical)?);
        }
        if requirements.is_empty() {
            return Err(refuse(1, "it has no requirement".into()));
        }
        Ok(Self { digest: Digest::of(bytes), requirements })
    }

    /// SHA-256 of the lock's bytes.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Every requirement, in the lock's order.
    #[must_use]
    pub fn requirements(&self) -> &[Locked] {
        &self.requirements
    }

    /// The requirements whose markers hold for `markers`, by name.
    ///
    /// # Errors
    /// [`EnvError::Lock`] when two of them give one project different versions.
    pub fn select(&self, markers: &MarkerEnvironment) -> Result<Vec<&Locked>, EnvError> {
        let mut selected: BTreeMap<&str, &Locked> = BTreeMap::new();
        for locked in &self.requirements {
            if !locked.requirement.evaluate_markers(markers, &[]) {
                continue;
            }
            if let Some(previous) = selected.insert(&locked.name, locked)
                && (previous.version != locked.version || previous.hashes != locked.hashes)
            {
                let detail = format!("{locked} contradicts {previous} of line {}", previous.line);
                return Err(EnvError::Lock { file: "the lock".into(), line: locked.line, detail });
            }
        }
        Ok(selected.into_values().collect())
    }
}

/// Lines with continuations joined and comments gone, each with the number of its first line.
fn logical_lines(text: &str) -> Result<Vec<(usize, String)>, usize> {
    let mut lines = Vec::new();
    let mut current: Option<(usize, String)> = None;
    for (index, raw) in text.lines().enumerate() {
        let comment = raw.trim_start().starts_with('#');
        let (body, continues) = match raw.strip_suffix('\\') {
            Some(body) if !comment => (body, true),
            _ => (raw, false),
        };
        let (_, joined) = current.get_or_insert_with(|| (index + 1, String::new()));
        if !comment {
            joined.push_str(body);
            joined.push(' ');
        }
        if joined.len() > MAX_LINE {
            return Err(index + 1);
        }
        if !continues {
            lines.extend(current.take());
        }
    }
    lines.extend(current);
    let stripped = lines.into_iter().map(|(line, text)| (line, without_comment(&text).trim().to_owned()));
    Ok(stripped.filter(|(_, text)| !text.is_empty()).collect())
}

/// A comment starts at a `#` that begins the line or follows white space, as in pip.
fn without_comment(line: &str) -> &str {
    let mut blank_before = true;
    for (position, character) in line.char_indices() {
        if character == '#' && blank_before {
            return line.get(..position).unwrap_or_default();
        }
        blank_before = character.is_whitespace();
    }
    line
}

fn requirement(file: &str, line: usize, text: &str) -> Result<Locked, EnvError> {
    let refuse = |detail: String| EnvError::Lock { file: file.to_owned(), line, detail };
    let shown = || text.chars().take(80).collect::<String>();
    if !text.is_ascii() {
        return Err(refuse("a requirement holds a character that is not ASCII".into()));
    }
    if text.starts_with('-') {
        let option = text.split([' ', '=']).next().unwrap_or(text);
        return Err(refuse(format!("the option {option} is refused: a lock lists pinned wheels and nothing else")));
    }
    let (specifier, options) = match text.find(" --") {
        Some(position) => text.split_at(position),
        None => (text, ""),
    };
    if specifier.contains("://") || specifier.contains('@') {
        return Err(refuse(format!("{:?} is a direct URL; only versions of an index can be locked", shown())));
    }
    // The parser panics on a name such as `a-` that something else follows, of a package as of an extra.
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    let name = specifier.trim_start().split(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c)).next();
    if !name.is_some_and(is_name) {
        return Err(refuse(format!("{:?} does not begin with a package's name", shown())));
    }
    if let Some((_, extras)) = specifier.split_once('[') {
        let extras = extras.split(']').next().unwrap_or(extras);
        if !extras.split(',').map(str::trim).all(|extra| extra.is_empty() || is_name(extra)) {
            return Err(refuse(format!("{:?} has an extra that is no name", shown())));
        }
    }
    let parsed = Requirement::<VerbatimUrl>::from_str(specifier.trim())
        .map_err(|error| refuse(format!("{:?} is not a requirement: {}", shown(), error.message)))?;
    let named = specifier.split(';').next().unwrap_or(specifier).trim();
    let named: String = named.chars().filter(|character| !character.is_control()).take(200).collect();
    let unpinned = || EnvError::Unpinned { file: file.to_owned(), line, requirement: named.clone() };
    let Some(VersionOrUrl::VersionSpecifier(specifiers)) = &parsed.version_or_url else {
        return Err(unpinned());
    };
    let mut specifiers = specifiers.iter();
    let version = match (specifiers.next(), specifiers.next()) {
        (Some(only), None) if matches!(only.operator(), Operator::Equal | Operator::ExactEqual) => {
            only.version().clone()
        }
        _ => return Err(unpinned()),
    };
    let hashes = hashes(options).map_err(refuse)?;
    if hashes.is_empty() {
        return Err(EnvError::Unhashed { file: file.to_owned(), line, requirement: named });
    }
    Ok(Locked { name: parsed.name.to_string(), version, hashes, line, requirement: parsed })
}

/// The SHA-256 hashes among `options`. Other algorithms are read over; they never count as a hash.
fn hashes(options: &str) -> Result<BTreeSet<Digest>, String> {
    let mut hashes = BTreeSet::new();
    let mut words = options.split_whitespace();
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--hash=") {
            Some(value) => value,
            None if word == "--hash" => words.next().unwrap_or_default(),
            None => return Err(format!("the option {word} is refused after a requirement")),
        };
        match value.split_once(':') {
            Some(("sha256", hex)) => {
                hashes.insert(Digest::from_hex(hex).map_err(|error| error.to_string())?);
            }
            Some(("sha384" | "sha512", _)) => {}
            _ => return Err(format!("{value:?} is not a hash")),
        }
    }
    Ok(hashes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interpreter::test_markers;

    const A: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn parse(text: &str) -> Result<Lock, EnvError> {
        Lock::parse("requirements.txt", text.as_bytes())
    }

    #[test]
    fn continuations_comments_extras_and_markers_are_read() {
        let text = format!(
            "# made by uv\na==1.0 \\\n    --hash={A} \\\n    --hash=sha512:00\n    # via b\nB_c[x]==2 ; python_full_version < '3.12' --hash {A} # why\n\
             b-c==3 ; python_full_version >= '3.12' --hash={A}\n"
        );
        let lock = parse(&text).unwrap();
        assert_eq!(lock.requirements().len(), 3);
        let selected: Vec<String> =
            lock.select(&test_markers("3.11.7")).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(selected, ["a==1.0", "b-c==2"]);
        let selected = lock.select(&test_markers("3.12.1")).unwrap();
        assert_eq!(selected.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a==1.0", "b-c==3"]);
    }

    #[test]
    fn what_is_not_pinned_or_hashed_is_refused_by_its_rule() {
        for (line, rule) in [
            ("a", Some("environment.unpinned")),
            ("a>=1", Some("environment.unpinned")),
            ("a==1.*", Some("environment.unpinned")),
            ("a==1,<2", Some("environment.unpinned")),
            ("a==1.0", Some("environment.unhashed")),
            ("a==1.0 --hash=sha512:00", Some("environment.unhashed")),
            ("a==1.0 --hash=md5:00", None),
            ("a==1.0 --hash=sha256:00", None),
            ("-r other.txt", None),
            ("-e .", None),
            ("--index-url https://example.org", None),
            ("a @ https://example.org/a.whl", None),
            ("https://example.org/a.whl", None),
            ("./a.whl", None),
            ("ä==1", None),
            ("", None),
        ] {
            let error = parse(&format!("{line}\n")).unwrap_err();
            assert_eq!(error.rule(), rule, "{line}: {error}");
        }
    }

    #[test]
    fn contradicting_requirements_are_refused() {
        let lock = parse(&format!("a==1 --hash={A}\na==2 --hash={A}\n")).unwrap();
        assert!(matches!(lock.select(&test_markers("3.11.7")), Err(EnvError::Lock { line: 2, .. })));
    }

    #[test]
    fn a_name_that_ends_in_a_dash_is_refused() {
        for text in ["a-~", "a.==1", "a_;x", "-a==1", ".==1", "a[0-\n", "a[b-]==1", "a[b,-c]==1"] {
            assert!(Lock::parse("lock", text.as_bytes()).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-z=<>~!;'\"\\[\\]()., #\\\\\n@:/0-9-]{0,120}") {
            let _ = parse(&text);
        }
    }
}
