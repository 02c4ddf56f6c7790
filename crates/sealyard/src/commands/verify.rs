use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::Subcommand;
use sealyard_core::{Clock as _, FileTree, FileTreeError, Subject, SystemClock, TreePath};
use sealyard_evidence::{Bundle, Trust, bundle, oms, verify_at};
use serde::Serialize;

use crate::cli::Common;
use crate::exit::{Exit, Failure, Result};
use crate::{keys, output, remote};

/// Verifies signed things against keys and certificates that you name.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A model's folder against its signature (OpenSSF Model Signing).
    ///
    /// Every file must be as it was signed, none may be missing and none may be there that was not signed.
    ///
    /// Exit codes: 0 verified; 1 not verified; 2 the model, signature or key could not be read.
    Model(Model),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sealyard verify model ./model --key release
  sealyard verify model ./model --signature ./model.sig --key ./release.pub
  sealyard verify model ./model --certificate-chain ./roots.pem --format json")]
struct Model {
    /// The model's folder.
    directory: PathBuf,
    /// The signature [default: model.sig in the folder].
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    #[command(flatten)]
    by: By,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct By {
    /// The signer's public key: a name that `sealyard keys list` shows, or a file.
    #[arg(long, value_name = "NAME|FILE")]
    key: Option<String>,
    /// Certificates of the authorities to trust, as PEM.
    #[arg(long, value_name = "PEM")]
    certificate_chain: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Verification {
    schema: &'static str,
    subject: Option<Subject>,
    verified: bool,
    evidence: Vec<Evidence>,
    reasons: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Evidence {
    r#type: Option<String>,
    signer: Option<String>,
    checks: Vec<Check>,
}

#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    detail: String,
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let json = remote::wants_json(common)?;
        let Command::Model(model) = self.command;
        let result = model.verify()?;
        if json {
            output::json(&result)?;
        } else {
            output::data(&text(&result))?;
        }
        Ok(if result.verified { Exit::Fine } else { Exit::No })
    }
}

impl Model {
    /// Everything that can't be read is an error; everything that can and does not hold is a failed check.
    fn verify(&self) -> Result<Verification> {
        let trust = self.by.trust()?;
        let signature = self.signature.clone().unwrap_or_else(|| self.directory.join("model.sig"));
        let bytes = keys::read_bounded(&signature, bundle::MAX_BYTES as u64)?.ok_or_else(|| {
            Failure::could_not(anyhow!("there is no signature {}", signature.display()))
                .hint("name it with --signature FILE; `sealyard sign` makes one")
        })?;
        let bundle =
            Bundle::parse(&bytes).with_context(|| format!("{} can't be read as a signature", signature.display()))?;
        let mut checks = Vec::new();
        let tree = match read_model(&self.directory, &signature) {
            Ok(tree) => Some(tree),
            // Read well enough to see that no signature can cover it.
            Err(error @ (FileTreeError::NotPlain(_) | FileTreeError::Path(_) | FileTreeError::Empty))
                if self.directory.is_dir() =>
            {
                checks.push(Check { name: "model.files", ok: false, detail: error.to_string() });
                None
            }
            Err(error) => {
                return Err(anyhow!(error)
                    .context(format!("could not read the model {}", self.directory.display()))
                    .into());
            }
        };
        let mut evidence = Evidence { r#type: None, signer: None, checks };
        match verify_at(&bundle, &trust, SystemClock.now()) {
            Err(error) => {
                evidence.checks.push(Check { name: "signature", ok: false, detail: error.to_string() });
            }
            Ok(verified) => {
                let signer = verified.signer().to_string();
                evidence.checks.push(Check { name: "signature", ok: true, detail: format!("signed by {signer}") });
                evidence.r#type = Some(verified.predicate().predicate_type().to_owned());
                evidence.signer = Some(signer);
                if let Some(tree) = &tree {
                    match oms::coverage(&verified, tree) {
                        Ok(coverage) => evidence.checks.extend(files(&coverage)),
                        Err(error) => {
                            evidence.checks.push(Check { name: "statement", ok: false, detail: error.to_string() });
                        }
                    }
                }
            }
        }
        let subject = tree.map(|tree| Subject { name: self.directory.display().to_string(), digest: tree.digest() });
        let failed = evidence.checks.iter().filter(|check| !check.ok);
        let reasons: Vec<_> = failed.map(|check| format!("{}: {}", check.name, check.detail)).collect();
        // Four file checks and one of the signature: fewer means that something was not looked at.
        let verified = reasons.is_empty() && subject.is_some() && evidence.checks.len() == 5;
        Ok(Verification { schema: "sealyard.verify/1", subject, verified, evidence: vec![evidence], reasons })
    }
}

impl By {
    fn trust(&self) -> Result<Trust> {
        let mut trust = Trust::default();
        if let Some(named) = &self.key {
            let stem = Path::new(named).file_stem().and_then(|stem| stem.to_str()).filter(|stem| keys::is_name(stem));
            trust.keys.insert(stem.unwrap_or("key"), keys::public_key(named)?)?;
        }
        if let Some(path) = &self.certificate_chain {
            let pem = remote::read_certificate(path)?;
            trust.roots.add_pem(&pem).with_context(|| format!("{} holds no authority to trust", path.display()))?;
        }
        Ok(trust)
    }
}

fn files(coverage: &oms::Coverage) -> [Check; 4] {
    let check = |name, paths: &[String], fine: &str| {
        let named = paths.iter().take(20).map(|path| format!("{path:?}")).collect::<Vec<_>>().join(", ");
        let more = if paths.len() > 20 { format!(" and {} more", paths.len() - 20) } else { String::new() };
        let detail = if paths.is_empty() { fine.to_owned() } else { format!("{named}{more}") };
        Check { name, ok: paths.is_empty(), detail }
    };
    let mut ignored = check("files.ignored", &coverage.ignored, "no file is left out by the signature");
    // The reference lets them through, and so does this; but it says so.
    ignored.ok = true;
    [
        check("files.missing", &coverage.missing, "every signed file is there"),
        check("files.changed", &coverage.changed, "every file is as it was signed"),
        check("files.unlisted", &coverage.unlisted, "no file is there that was not signed"),
        ignored,
    ]
}

/// The model's files without the signature that lies among them.
pub(super) fn read_model(directory: &Path, signature: &Path) -> std::result::Result<FileTree, FileTreeError> {
    let inside = match (signature.canonicalize(), directory.canonicalize()) {
        (Ok(signature), Ok(directory)) => signature
            .strip_prefix(directory)
            .ok()
            .and_then(|relative| relative.to_str())
            .and_then(|relative| TreePath::new(relative).ok()),
        _ => None,
    };
    let tree = FileTree::of_directory(directory)?;
    FileTree::new(tree.entries().iter().filter(|entry| Some(&entry.path) != inside.as_ref()).cloned())
}

fn text(result: &Verification) -> String {
    let mut text = String::new();
    if let Some(Subject { name, digest }) = &result.subject {
        text.push_str(&format!("{} {digest}\n", remote::plain(name)));
    }
    for check in result.evidence.iter().flat_map(|evidence| &evidence.checks) {
        let mark = if check.ok { "ok    " } else { "FAILED" };
        text.push_str(&format!("  {mark} {:<16} {}\n", check.name, remote::plain(&check.detail)));
    }
    text.push_str(if result.verified { "verified\n" } else { "NOT VERIFIED\n" });
    text
}
