use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use sealyard_client::{Client, FileFetcher, ModelUri};
use sealyard_core::{Clock as _, Digest, FileTree, Subject, SystemClock, durable};
use sealyard_evidence::{Bundle, SigningKey, Trust, bundle, oms, x509};
use serde::Serialize;

use super::verify::read_model;
use crate::cli::Common;
use crate::exit::{Exit, Failure, Result};
use crate::{keys, output, remote};

/// Signs every file of a model, in the format of OpenSSF Model Signing.
///
/// A folder's signature is written into it as model.sig, and leaves itself out. Of a registered model every file is
/// downloaded and hashed here, so that the signature is over what the server really hands out; the bundle then becomes
/// evidence of that version.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sealyard keys create release
  sealyard sign ./model --key release
  sealyard sign ./model --key ./release.key --signature ./model.sig
  sealyard sign ./model --key ./signer.key --certificate ./signer-chain.pem
  sealyard sign models:/diabetes/1 --key release")]
pub(crate) struct Arguments {
    /// A folder, or models:/NAME/VERSION, or models:/NAME@ALIAS.
    target: String,
    /// The private key: a name that `sealyard keys list` shows, or a file.
    #[arg(long, value_name = "NAME|FILE")]
    key: String,
    /// The signer's certificate and those up to the authority, as PEM, the signer's first. The key must be its.
    #[arg(long, value_name = "PEM")]
    certificate: Option<PathBuf>,
    /// Where to write the signature [default: model.sig in the folder; for a registered model only the server].
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Signed {
    schema: &'static str,
    subject: Subject,
    /// Digest of the bundle.
    evidence: Digest,
    /// Id of the key.
    key: String,
    /// Where the bundle was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let json = remote::wants_json(common)?;
        let key = keys::signing_key(&self.key)?;
        let chain = self.certificate.as_deref().map(|path| read_chain(path, &key)).transpose()?;
        let signer = Signer { key, chain };
        let signed = if self.target.starts_with("models:") {
            let uri: ModelUri = self.target.parse()?;
            self.signature.as_deref().map_or(Ok(()), may_be_replaced)?;
            let client = remote::connect(common)?;
            remote::block_on(registered(common, &client, &uri, &signer, self.signature))?
        } else {
            let directory = Path::new(&self.target);
            let signature = self.signature.unwrap_or_else(|| directory.join("model.sig"));
            folder(directory, signature, &signer)?
        };
        if json {
            output::json(&signed)?;
        } else {
            let Signed { subject, evidence, signature, .. } = &signed;
            output::say(common.quiet, &format!("signed {} ({})", remote::plain(&subject.name), subject.digest));
            match signature {
                Some(path) => output::data(&format!("{}\n", path.display()))?,
                None => output::data(&format!("{evidence}\n"))?,
            }
        }
        Ok(Exit::Fine)
    }
}

/// Who signs.
struct Signer {
    key: SigningKey,
    /// DER, the signer's first.
    chain: Option<Vec<Vec<u8>>>,
}

impl Signer {
    /// What the key signed, by certificate if there is one.
    fn finish(&self, by_key: Bundle) -> Result<Bundle> {
        match &self.chain {
            Some(chain) => Ok(Bundle::sign_with_chain(&by_key.claimed_statement()?, &self.key, chain)?),
            None => Ok(by_key),
        }
    }
}

/// Certificates, of which the first must be of the key: nobody could verify the signature otherwise.
fn read_chain(path: &Path, key: &SigningKey) -> Result<Vec<Vec<u8>>> {
    let chain = x509::certificates_from_pem(&remote::read_certificate(path)?)
        .with_context(|| format!("{} holds no certificates", path.display()))?;
    let public = key.public_key();
    let spki = public.spki_der();
    if chain.first().is_some_and(|leaf| leaf.windows(spki.len()).any(|part| part == spki)) {
        return Ok(chain);
    }
    Err(Failure::could_not(anyhow!("the first certificate in {} is not of this key", path.display()))
        .hint("put the signer's own certificate first, and name the key that belongs to it"))
}

fn folder(directory: &Path, signature: PathBuf, signer: &Signer) -> Result<Signed> {
    let shown = directory.display();
    if !directory.is_dir() {
        return Err(
            Failure::could_not(anyhow!("{shown} is no folder")).hint("sign the folder that the model's files are in")
        );
    }
    may_be_replaced(&signature)?;
    let bundle = oms::sign_directory(directory, Some(&signature), &signer.key)
        .with_context(|| format!("could not sign {shown}"))?;
    // Hashed again: what is written down must hold for the files as they are, also if one was changed meanwhile.
    let tree = read_model(directory, &signature).with_context(|| format!("could not read {shown}"))?;
    let mut trust = Trust::default();
    trust.keys.insert("signer", signer.key.public_key())?;
    oms::verify(&bundle, &tree, &trust, SystemClock.now())
        .with_context(|| format!("{shown} was changed while it was signed"))?;
    let bundle = signer.finish(bundle)?;
    write_bundle(&signature, &bundle)?;
    let subject = Subject { name: shown.to_string(), digest: tree.digest() };
    let key = signer.key.public_key().key_id().to_string();
    Ok(Signed { schema: "sealyard.sign/1", subject, evidence: bundle.digest(), key, signature: Some(signature) })
}

async fn registered(
    common: &Common,
    client: &Client,
    uri: &ModelUri,
    signer: &Signer,
    signature: Option<PathBuf>,
) -> Result<Signed> {
    let (name, version) = client.resolve(uri).await.map_err(remote::failure)?;
    let manifest = client.manifest(&name, version).await.map_err(remote::failure)?;
    let shown = format!("models:/{name}/{version}");
    let digest = manifest.files.digest();
    if manifest.name != name || manifest.version != Some(version) || manifest.digest != digest {
        return Err(Failure::no(anyhow!("the server's list of files is not that of {shown}, so nothing was signed")));
    }
    hash_files(common, client, &name, version, &manifest.files).await?;
    let bundle = signer.finish(oms::sign(&manifest.files, &shown, &signer.key)?)?;
    let item = client.add_evidence(&name, version, bundle.text()).await.map_err(remote::failure)?;
    if item.digest != bundle.digest() {
        return Err(anyhow!("the server says that it stored {}, sent was {}", item.digest, bundle.digest()).into());
    }
    if let Some(path) = &signature {
        write_bundle(path, &bundle)?;
    }
    let key = signer.key.public_key().key_id().to_string();
    let subject = Subject { name: shown, digest };
    Ok(Signed { schema: "sealyard.sign/1", subject, evidence: bundle.digest(), key, signature })
}

/// Downloads every file and compares size and digest with the list. A file that was hashed is thrown away.
async fn hash_files(common: &Common, client: &Client, name: &str, version: u32, files: &FileTree) -> Result<()> {
    let directory = output::private_folder("sealyard-sign-").context("could not make a temporary folder")?;
    let target = directory.path().join("file");
    let fetcher = FileFetcher::new(client.clone(), name.to_owned(), version);
    let progress = output::Progress::new(common.quiet);
    for entry in files.entries() {
        progress.now(&format!("hashing {}", remote::plain(entry.path.as_str())));
        let same = match fetcher.fetch(entry, &target).await {
            Ok(same) => same,
            Err(sealyard_client::FetchError::Client(error)) => return Err(remote::failure(error)),
            Err(error) => return Err(error.into()),
        };
        if !same {
            let path = &entry.path;
            return Err(Failure::no(anyhow!("the server's {path} is not the file it lists, so nothing was signed")));
        }
    }
    progress.done();
    Ok(())
}

/// An older signature may; a file of the model, named by mistake, may not.
fn may_be_replaced(path: &Path) -> Result<()> {
    let wrong = |failure: Failure| failure.hint("--signature takes the file to write; name one that is not there yet");
    match keys::read_bounded(path, bundle::MAX_BYTES as u64).map_err(wrong)? {
        Some(bytes) if Bundle::parse(&bytes).is_err() => {
            Err(wrong(Failure::could_not(anyhow!("{} is there already and is no signature", path.display()))))
        }
        _ => Ok(()),
    }
}

fn write_bundle(path: &Path, bundle: &Bundle) -> Result<()> {
    durable::write(path, bundle.text().as_bytes(), 0o644)
        .with_context(|| format!("could not write the signature {}", path.display()))?;
    Ok(())
}
