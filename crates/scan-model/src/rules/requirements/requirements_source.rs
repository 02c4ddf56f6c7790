use sealyard_core::Severity;
use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports requirements that are taken from elsewhere than the usual indexes: other indexes and pages of links,
    /// plain HTTP, hosts whose certificates are not checked, archives and repositories by URL, commands in a line.
    ///
    /// # Why it matters
    /// Whoever restores the model's environment installs them and so runs their set-up. A second index can give a newer
    /// version of any package that is named, internal ones too.
    ///
    /// # What to do
    /// Name packages of an index that you trust, with versions and hashes.
    id: "requirements-source",
    name: "Requirement from another source",
    severity: Medium,
    summary: "Requirements name an index, archive or repository other than the usual ones.",
    help: "Name packages of an index that you trust, with versions and hashes.",
    references: ["https://pip.pypa.io/en/stable/cli/pip_install/#options"],
}

/// Indexes and pages of projects whose packages models need.
const USUAL: &[&str] = &[
    "https://pypi.org/",
    "https://files.pythonhosted.org/",
    "https://download.pytorch.org/",
    "https://pypi.nvidia.com",
    "https://pypi.ngc.nvidia.com",
    "https://data.pyg.org/",
    "https://github.com/explosion/spacy-models/releases/download/",
    "https://storage.googleapis.com/jax-releases/",
    "https://conda.anaconda.org/",
    "https://repo.anaconda.com/",
    "https://developer.download.nvidia.com/",
    "https://flashinfer.ai/whl",
    "https://wheels.vllm.ai/",
    "https://download.openmmlab.com/",
];

pub(super) fn check(artifact: &Artifact, sink: &mut Sink) {
    let mut find = |line: u64, severity: Severity, message: String| {
        let mut location = sink.location();
        location.line = Some(line);
        sink.push(Finding::new(&METADATA, location, message).severity(severity));
    };
    for (number, line) in &artifact.lines {
        if let Some((severity, what)) = look(line) {
            find(*number, severity, format!("{what}: {line}"));
        }
    }
    for (number, channel) in &artifact.channels {
        if channel.contains("://") && !is_usual(channel) {
            find(*number, Severity::Medium, format!("another channel: {channel}"));
        }
    }
}

fn is_usual(url: &str) -> bool {
    USUAL.iter().any(|usual| {
        url.strip_prefix(usual).is_some_and(|rest| usual.ends_with('/') || rest.is_empty() || rest.starts_with('/'))
    })
}

/// Long options that tell where packages come from or how they are set up; pip takes beginnings of them too.
const LONG: &[&str] = &[
    "--index-url",
    "--pypi-url",
    "--extra-index-url",
    "--find-links",
    "--trusted-host",
    "--editable",
    "--requirement",
    "--constraint",
    "--global-option",
    "--install-option",
    "--config-settings",
];

fn look(line: &str) -> Option<(Severity, &'static str)> {
    let line = line.split(" #").next().unwrap_or_default().trim();
    if line.starts_with('#') || line.is_empty() {
        return None;
    }
    if ["$(", "`", "&&", "| sh", "|sh", "| bash", "|bash"].iter().any(|mark| line.contains(mark)) {
        return Some((Severity::High, "a command"));
    }
    // Options stand behind what is to be installed.
    let options = if line.starts_with('-') { 0 } else { line.find(" -").map_or(line.len(), |place| place + 1) };
    let (requirement, options) = line.split_at(options);
    let what = source(requirement.trim()).or_else(|| {
        let words = words(options);
        (0..words.len()).find_map(|at| option(words.get(at)?, words.get(at + 1).map_or("", String::as_str)))
    });
    what.map(|what| (Severity::Medium, what))
}

/// What is odd about an option with what stands behind it.
fn option(word: &str, next: &str) -> Option<&'static str> {
    let (name, value) = if word.starts_with("--") {
        let (name, value) = word.split_once('=').map_or((word, next), |(name, value)| (name, value));
        // Of several that begin so, pip takes none.
        let is_begun = |long: &&&str| name.len() > 2 && long.starts_with(name);
        (*LONG.iter().find(is_begun)?, value)
    } else {
        let value = word.get(2..).filter(|value| !value.is_empty()).unwrap_or(next);
        let name = match word.get(..2)? {
            "-i" => "--index-url",
            "-f" => "--find-links",
            "-e" => "--editable",
            "-r" => "--requirement",
            "-c" => "--constraint",
            "-C" => "--config-settings",
            _ => return None,
        };
        (name, value)
    };
    match name {
        "--index-url" | "--pypi-url" | "--extra-index-url" | "--find-links" => {
            (!is_usual(value)).then_some("another index")
        }
        "--trusted-host" => Some("a host whose certificate is not checked"),
        "--editable" => source(value).or(Some("a local path")),
        "--requirement" | "--constraint" => (value.contains("://") && !is_usual(value)).then_some("a list by URL"),
        _ => Some("an option for the set-up"),
    }
}

/// What is odd about where a requirement comes from.
fn source(requirement: &str) -> Option<&'static str> {
    let lower = requirement.to_ascii_lowercase();
    let scheme = |url: &str| {
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
        let is_scheme = scheme.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"+-.".contains(&letter));
        if is_scheme { scheme.to_owned() } else { String::new() }
    };
    // A name may stand before the place.
    let url = lower.split_once('@').filter(|_| scheme(&lower).is_empty()).map_or(lower.as_str(), |(_, url)| url.trim());
    let is_named = url.len() < lower.len();
    let scheme = scheme(url);
    if ["git+", "hg+", "svn+", "bzr+"].iter().any(|kind| scheme.starts_with(kind)) {
        return Some("a repository");
    }
    if ["http", "https", "ftp"].contains(&scheme.as_str()) {
        return (!is_usual(url)).then_some("an archive by URL");
    }
    if scheme == "file" {
        return (!is_named || !is_built(url)).then_some("a local path");
    }
    if lower.contains("${") {
        return Some("a place that the environment names");
    }
    // Marks of where it is needed may hold anything.
    let path = lower.split(';').next().unwrap_or_default().trim_end();
    let is_archive = ARCHIVES.iter().any(|ending| path.ends_with(ending));
    (path.starts_with('.') || path.contains(['/', '\\']) || is_archive).then_some("a local path")
}

/// Endings of what pip takes for an archive.
const ARCHIVES: &[&str] =
    &[".whl", ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tlz", ".tar.lz", ".tar.lzma"];

/// Whether it is where conda builds packages: its lists name such paths, which nobody else has.
fn is_built(url: &str) -> bool {
    let marks =
        ["/croot/", "conda", "feedstock", "/bld/", "/build/", "/tmp/build", "/ci/", "/ci_", "/work/", "rattler"];
    marks.iter().any(|mark| url.contains(mark)) || url.ends_with("/work")
}

/// The words of a line as a shell reads them.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            (_, Some(mark)) if letter == mark => quote = None,
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(letters.next()),
            ('\'' | '"', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (_, None) if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_sources_are_found() {
        for line in [
            "--extra-index-url http://10.0.0.1/simple",
            "--index-url=https://example.org/simple",
            "-i https://example.org",
            "--trusted-host example.org",
            "-e git+https://example.org/x.git#egg=x",
            "x @ git+ssh://git@example.org/x",
            "x @ http://example.org/x.whl",
            "https://example.org/x.tar.gz",
            "x; $(curl example.org)",
            "--extra http://example.org",
            "--find http://example.org",
            "--ind=http://example.org",
            "-ihttp://example.org",
            "-fhttp://example.org",
            "-i\thttp://example.org",
            "--extra-index-url\thttp://example.org",
            "--\"extra\"-index-url 'http://example.org'",
            "--pre --extra-index-url http://example.org",
            "-i https://pypi.nvidia.com.example.org",
            "git+https://user@example.org/x",
            "x @ HTTP://example.org/x.whl",
            "-r http://example.org/x.txt",
            "./evil",
            ".",
            "-e .",
            "--editable=./evil",
            "evil.whl",
            "evil/",
            "file:///tmp/x",
            "file:evil.whl",
            "x @ file:///tmp/x",
            "x @ ${EVIL}",
            "${EVIL}",
        ] {
            assert!(look(line).is_some(), "{line}");
        }
        for line in [
            "numpy==1.0",
            "# --index-url http://example.org",
            "--index-url https://pypi.org/simple",
            "--extra-index-url https://download.pytorch.org/whl/cu121",
            "certifi @ file:///croot/certifi/work/certifi",
            "torch @ https://download.pytorch.org/whl/x.whl",
            "x[a] >= 1 ; python_version < '3'",
            "-r other.txt",
            "-r ../other.txt",
            "-c constraints.txt",
            "--requirement other.txt",
            "--pre",
            "--no-binary :all:",
            "--prefer-binary --no-index",
            "--require-hashes",
            "-i https://pypi.nvidia.com",
            "torch==2.0 --hash=sha256:00 --hash=sha256:11",
            "x @ file:///tmp/build/80754af9/x_1600000000000/work",
            "x @ file:///home/conda/feedstock_root/build_artifacts/x_1/work",
            "x ~= 1.0; sys_platform == 'win32' and platform_machine != 'a/b'",
            "numpy>=1.0,<2  # as in a/b",
            "--hash=sha256:00",
        ] {
            assert!(look(line).is_none(), "{line}");
        }
    }
}
