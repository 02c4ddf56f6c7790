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
    USUAL.iter().any(|usual| url.starts_with(usual))
}

fn look(line: &str) -> Option<(Severity, &'static str)> {
    let line = line.trim();
    let (option, value) = line.split_once([' ', '=']).map_or((line, ""), |(option, value)| (option, value.trim()));
    let is_shell = ["$(", "`", "&&", "| sh", "|sh", "| bash", "|bash"].iter().any(|mark| line.contains(mark));
    let what = match option {
        _ if line.starts_with('#') || line.is_empty() => return None,
        _ if is_shell => return Some((Severity::High, "a command")),
        "-i" | "--index-url" | "--extra-index-url" | "-f" | "--find-links" if !is_usual(value) => "another index",
        "--trusted-host" => "a host whose certificate is not checked",
        "-e" | "--editable" if value.contains("://") => "a repository",
        "--global-option" | "--install-option" | "--config-settings" => "an option for the set-up",
        _ if option.starts_with('-') => return None,
        _ => {
            let url = line.split_once('@').map_or(line, |(_, url)| url.trim());
            let is_repository = ["git+", "hg+", "svn+", "bzr+"].iter().any(|kind| url.starts_with(kind));
            let is_url = ["http:", "https:", "ftp:"].iter().any(|scheme| url.starts_with(scheme)) && !is_usual(url);
            if is_repository {
                "a repository"
            } else if is_url {
                "an archive by URL"
            } else {
                return None;
            }
        }
    };
    Some((Severity::Medium, what))
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
            "--hash=sha256:00",
        ] {
            assert!(look(line).is_none(), "{line}");
        }
    }
}
