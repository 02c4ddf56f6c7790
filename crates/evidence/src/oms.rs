//! OpenSSF Model Signing: a signature over every file of a model, that `model-signing` reads and writes too.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sealyard_core::{Digest, FileEntry, FileTree, FileTreeError, Hasher, Subject, Timestamp, TreePath};

use crate::bundle::{Bundle, BundleError};
use crate::key::SigningKey;
use crate::predicate::{HashType, Method, ModelSignature, Predicate, Resource, Serialization};
use crate::statement::{Statement, StatementError};
use crate::verify::{Trust, VerifiedEvidence, VerifyError, verify_at};

/// What the reference leaves out by default, at the top of a model's folder.
pub const IGNORED: [&str; 4] = [".git", ".gitattributes", ".github", ".gitignore"];

/// How the files of a tree stand against those a signature lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Listed, but not in the tree.
    pub missing: Vec<String>,
    /// Listed with another digest.
    pub changed: Vec<String>,
    /// In the tree, but not listed.
    pub unlisted: Vec<String>,
    /// In the tree, and left out by the signature's own rules. Nobody vouches for their content.
    pub ignored: Vec<String>,
}

impl Coverage {
    /// Every file is listed with its digest and nothing else is there. What gates ask for.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.is_accepted() && self.ignored.is_empty()
    }

    /// As exact, apart from ignored files. What the reference asks for.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.missing.is_empty() && self.changed.is_empty() && self.unlisted.is_empty()
    }
}

impl std::fmt::Display for Coverage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [
            ("missing", &self.missing),
            ("changed", &self.changed),
            ("not signed", &self.unlisted),
            ("ignored by the signature", &self.ignored),
        ];
        let mut separator = "";
        for (what, paths) in parts {
            if !paths.is_empty() {
                let named = paths.iter().take(5).map(|path| format!("{path:?}")).collect::<Vec<_>>().join(", ");
                let more = if paths.len() > 5 { format!(" and {} more", paths.len() - 5) } else { String::new() };
                write!(f, "{separator}{what}: {named}{more}")?;
                separator = "; ";
            }
        }
        if separator.is_empty() { f.write_str("every file is signed") } else { Ok(()) }
    }
}

/// What [`sign`] would sign: `name` is the model's name, for people.
///
/// # Errors
/// [`OmsError::NothingToSign`] when every file is an ignored one.
pub fn statement(tree: &FileTree, name: &str) -> Result<Statement, OmsError> {
    statement_ignoring(tree, name, &[])
}

fn statement_ignoring(tree: &FileTree, name: &str, also: &[String]) -> Result<Statement, OmsError> {
    let ignore_paths: Vec<String> = IGNORED.iter().map(|&path| path.to_owned()).chain(also.iter().cloned()).collect();
    let mut entries: Vec<&FileEntry> =
        tree.entries().iter().filter(|entry| !is_ignored(entry.path.as_str(), &ignore_paths)).collect();
    if entries.is_empty() {
        return Err(OmsError::NothingToSign);
    }
    entries.sort_by(|one, other| by_components(&one.path, &other.path));
    let mut root = Hasher::default();
    let mut resources = Vec::with_capacity(entries.len());
    for FileEntry { path, digest, .. } in entries {
        root.update(digest.as_bytes());
        let (name, algorithm) = (path.as_str().to_owned(), "sha256".to_owned());
        resources.push(Resource { name, algorithm, digest: digest.to_hex() });
    }
    let serialization = Serialization {
        method: Method::Files,
        hash_type: HashType::Sha256,
        allow_symlinks: false,
        ignore_paths,
        shard_size: None,
    };
    let subject = Subject { name: name.to_owned(), digest: root.finish() };
    Ok(Statement::new(&[subject], &ModelSignature { resources, serialization })?)
}

/// Signs every file of `tree` but the ones the reference ignores.
///
/// # Errors
/// [`OmsError`] when there is nothing to sign or the key can't.
pub fn sign(tree: &FileTree, name: &str, key: &SigningKey) -> Result<Bundle, OmsError> {
    Ok(Bundle::sign(&statement(tree, name)?, key)?)
}

/// Signs the files below `directory`. A signature file inside it is left out, and the signature says so.
///
/// # Errors
/// [`OmsError`] when the folder can't be read or the key can't sign.
pub fn sign_directory(directory: &Path, signature_file: Option<&Path>, key: &SigningKey) -> Result<Bundle, OmsError> {
    let inside = signature_file.and_then(|file| path_inside(directory, file));
    let tree = read_directory(directory, inside.as_ref())?;
    let name = directory.canonicalize().ok().and_then(|path| path.file_name()?.to_str().map(str::to_owned));
    let also: Vec<String> = inside.iter().map(ToString::to_string).collect();
    let statement = statement_ignoring(&tree, &name.unwrap_or_else(|| "model".to_owned()), &also)?;
    Ok(Bundle::sign(&statement, key)?)
}

/// Verifies a model signature: who signed, and that the signed files are exactly those of `tree`. Ignored files are
/// let through and reported in the coverage; a gate asks [`Coverage::is_exact`] besides.
///
/// # Errors
/// [`OmsError`] when the bundle does not verify, is no model signature, or the files differ.
pub fn verify(
    bundle: &Bundle,
    tree: &FileTree,
    trust: &Trust,
    now: Timestamp,
) -> Result<(VerifiedEvidence, Coverage), OmsError> {
    let evidence = verify_at(bundle, trust, now)?;
    let coverage = coverage(&evidence, tree)?;
    if coverage.is_accepted() { Ok((evidence, coverage)) } else { Err(OmsError::Files(coverage)) }
}

/// [`verify`] for the files below `directory`; a signature file inside it is no part of the model.
///
/// # Errors
/// [`OmsError`], also when the folder can't be read.
pub fn verify_directory(
    bundle: &Bundle,
    directory: &Path,
    signature_file: Option<&Path>,
    trust: &Trust,
    now: Timestamp,
) -> Result<(VerifiedEvidence, Coverage), OmsError> {
    let inside = signature_file.and_then(|file| path_inside(directory, file));
    verify(bundle, &read_directory(directory, inside.as_ref())?, trust, now)
}

/// Compares what a verified model signature lists with `tree`.
///
/// # Errors
/// [`OmsError`] when the evidence is no model signature, contradicts itself, or hashes files in a way that can't be
/// compared with a tree of SHA-256 digests.
pub fn coverage(evidence: &VerifiedEvidence, tree: &FileTree) -> Result<Coverage, OmsError> {
    let Predicate::ModelSignature(signature) = evidence.predicate() else {
        return Err(OmsError::NotAModelSignature(evidence.predicate().predicate_type()));
    };
    let [subject] = evidence.subjects() else { return Err(OmsError::Subjects(evidence.subjects().len())) };
    if signature.serialization.hash_type != HashType::Sha256 {
        return Err(OmsError::Hash);
    }
    let mut root = Hasher::default();
    let mut listed: BTreeMap<TreePath, (Digest, Option<u64>)> = BTreeMap::new();
    for resource in &signature.resources {
        if resource.algorithm != "sha256" {
            return Err(OmsError::Hash);
        }
        let digest = Digest::from_hex(&resource.digest).map_err(|_| OmsError::Hash)?;
        root.update(digest.as_bytes());
        let (path, size) = match signature.serialization.method {
            Method::Files => (resource.name.as_str(), None),
            Method::Shards => whole_shard(&resource.name)?,
        };
        let path = TreePath::new(path).map_err(|error| OmsError::Path(error.to_string()))?;
        if listed.insert(path.clone(), (digest, size)).is_some() {
            return Err(OmsError::Twice(path));
        }
    }
    if root.finish() != subject.digest {
        return Err(OmsError::Root);
    }
    Ok(compare(listed, tree, signature))
}

fn compare(
    mut listed: BTreeMap<TreePath, (Digest, Option<u64>)>,
    tree: &FileTree,
    signature: &ModelSignature,
) -> Coverage {
    let Serialization { method, ignore_paths, .. } = &signature.serialization;
    let mut coverage = Coverage::default();
    for entry in tree.entries() {
        let path = entry.path.to_string();
        match listed.remove(&entry.path) {
            Some((digest, size)) if digest == entry.digest && size.is_none_or(|size| size == entry.size) => {}
            Some(_) => coverage.changed.push(path),
            // Shards leave empty files out, so nobody signed that there is one.
            None if *method == Method::Shards && entry.size == 0 => coverage.ignored.push(path),
            None if is_ignored(&path, ignore_paths) => coverage.ignored.push(path),
            None => coverage.unlisted.push(path),
        }
    }
    coverage.missing = listed.into_keys().map(|path| path.to_string()).collect();
    coverage
}

/// `path:0:end` of a file that is one shard; its digest is then the file's.
fn whole_shard(name: &str) -> Result<(&str, Option<u64>), OmsError> {
    let mut parts = name.rsplitn(3, ':');
    match (parts.next().map(str::parse), parts.next(), parts.next()) {
        (Some(Ok(end)), Some("0"), Some(path)) => Ok((path, Some(end))),
        _ => Err(OmsError::Shards(name.chars().take(200).collect())),
    }
}

fn is_ignored(path: &str, ignored: &[String]) -> bool {
    ignored.iter().map(|ignored| ignored.trim_end_matches('/')).any(|ignored| {
        path.strip_prefix(ignored).is_some_and(|rest| !ignored.is_empty() && (rest.is_empty() || rest.starts_with('/')))
    })
}

/// The reference sorts paths component by component, where `a/b` comes before `a.b`.
fn by_components(one: &TreePath, other: &TreePath) -> Ordering {
    one.as_str().split('/').cmp(other.as_str().split('/'))
}

fn path_inside(directory: &Path, file: &Path) -> Option<TreePath> {
    // The file need not exist yet; its folder does.
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let absolute: PathBuf = parent.canonicalize().ok()?.join(file.file_name()?);
    let relative = absolute.strip_prefix(directory.canonicalize().ok()?).ok()?.to_str()?.to_owned();
    TreePath::new(&relative).ok()
}

fn read_directory(directory: &Path, without: Option<&TreePath>) -> Result<FileTree, OmsError> {
    let tree = FileTree::of_directory(directory)?;
    Ok(FileTree::new(tree.entries().iter().filter(|entry| Some(&entry.path) != without).cloned())?)
}

/// The model can't be signed, or its signature does not hold.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OmsError {
    /// The bundle does not verify.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// Signed, but something else.
    #[error("it is no model signature but {0}")]
    NotAModelSignature(&'static str),
    /// One model, one subject.
    #[error("the signature is about {0} subjects, expected one model")]
    Subjects(usize),
    /// Another hash.
    #[error("the signature hashes files with something else than SHA-256; sign with --hash-algorithm sha256")]
    Hash,
    /// The root digest is not that of the list.
    #[error("the signature contradicts itself: its subject is not the digest of the files it lists")]
    Root,
    /// A path that leaves the model.
    #[error("the signature lists a file that can't be in a model: {0}")]
    Path(String),
    /// A file twice.
    #[error("the signature lists {0} twice")]
    Twice(TreePath),
    /// A file in several shards.
    #[error("the signature lists {0:?}, part of a file; only whole files can be compared, sign with the method files")]
    Shards(String),
    /// The files are others.
    #[error("the files are not the signed ones: {0}")]
    Files(Coverage),
    /// Nothing but ignored files.
    #[error("there is nothing to sign: every file is one that signatures leave out")]
    NothingToSign,
    /// The folder can't be read.
    #[error("the model's folder can't be read")]
    Directory(#[from] FileTreeError),
    /// The bundle can't be made.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The statement can't be made.
    #[error(transparent)]
    Statement(#[from] StatementError),
}
