use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::{Subcommand, ValueEnum};
use sealyard_core::{SystemRng, durable};
use sealyard_evidence::{Curve, PublicKey, SigningKey};
use serde::Serialize;

use crate::cli::Common;
use crate::exit::{Exit, Failure, Result};
use crate::{keys, output, remote};

/// Makes and lists the signing keys that commands use by name.
///
/// A key called NAME is two files in ~/.config/sealyard/keys: NAME.key, which only you may read, and NAME.pub, which
/// goes to everybody who verifies.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sealyard keys create release
  sealyard sign ./model --key release
  sealyard keys show release > release.pub      for those who verify")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key pair.
    Create {
        /// Letters, digits, `.`, `_` and `-`.
        name: String,
        /// The curve; the hash goes with it.
        #[arg(long, value_enum, default_value = "p256")]
        curve: CurveName,
        /// Where to put NAME.key and NAME.pub [default: ~/.config/sealyard/keys].
        #[arg(long, value_name = "DIR")]
        output: Option<PathBuf>,
    },
    /// Make a recovery key: NAME.recovery reads the backups that are made for NAME.recovery.pub.
    ///
    /// Keep NAME.recovery away from the server, and two copies of it: without it no backup can be read.
    Recovery {
        /// Letters, digits, `.`, `_` and `-`.
        name: String,
        /// Where to put the two files [default: here].
        #[arg(long, value_name = "DIR", default_value = ".")]
        output: PathBuf,
    },
    /// List the named keys.
    List,
    /// Print a key's public half as PEM.
    Show {
        /// A name, or a file of a public key.
        name: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum CurveName {
    P256,
    P384,
    P521,
}

#[derive(Debug, Serialize)]
struct Shown {
    name: String,
    key_id: String,
    curve: String,
    /// Where the private half is, if it is here.
    #[serde(skip_serializing_if = "Option::is_none")]
    private: Option<PathBuf>,
    public: PathBuf,
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        match self.command {
            Command::Create { name, curve, output } => create(common, &name, curve, output),
            Command::Recovery { name, output } => recovery(common, &name, &output),
            Command::List => list(common),
            Command::Show { name } => {
                let key = keys::public_key(&name)?;
                if remote::wants_json(common)? {
                    let (id, curve) = (key.key_id().to_string(), key.curve().to_string());
                    let value = serde_json::json!({"name": name, "key_id": id, "curve": curve, "pem": key.to_pem()});
                    output::json(&value)?;
                } else {
                    output::data(&key.to_pem())?;
                }
                Ok(Exit::Fine)
            }
        }
    }
}

fn recovery(common: &Common, name: &str, directory: &Path) -> Result {
    if !keys::is_name(name) {
        return Err(anyhow!("{name:?} can't be a key's name: letters, digits, `.`, `_` and `-` can").into());
    }
    let (private, public) =
        (directory.join(format!("{name}.recovery")), directory.join(format!("{name}.recovery.pub")));
    for path in [&private, &public] {
        if path.symlink_metadata().is_ok() {
            return Err(Failure::could_not(anyhow!("{} exists already", path.display()))
                .hint("choose another name, or move the old key away"));
        }
    }
    let key = sealyard_backup::RecoveryKey::generate(&SystemRng)?;
    let written = |path: &Path| format!("could not write {}", path.display());
    durable::write(&private, key.to_text().expose().as_bytes(), 0o600).with_context(|| written(&private))?;
    durable::write(&public, key.recipient().to_text().as_bytes(), 0o644).with_context(|| written(&public))?;
    if remote::wants_json(common)? {
        output::json(&serde_json::json!({"id": key.recipient().to_string(), "private": private, "public": public}))?;
    } else {
        output::data(&format!(
            "recovery key {}\n  private  {}\n  public   {}\n",
            key.recipient(),
            private.display(),
            public.display()
        ))?;
        output::say(common.quiet, "Keep the private half away from the server, and two copies of it.");
    }
    Ok(Exit::Fine)
}

fn create(common: &Common, name: &str, curve: CurveName, output: Option<PathBuf>) -> Result {
    if !keys::is_name(name) {
        return Err(anyhow!("{name:?} can't be a key's name: letters, digits, `.`, `_` and `-` can").into());
    }
    let directory = match output {
        Some(directory) => {
            std::fs::create_dir_all(&directory).with_context(|| format!("could not make {}", directory.display()))?;
            directory
        }
        None => {
            let directory = keys::directory()?;
            durable::create_private_directory(&directory)
                .with_context(|| format!("could not make {}", directory.display()))?;
            directory
        }
    };
    let private = directory.join(format!("{name}.key"));
    let public = directory.join(format!("{name}.pub"));
    for path in [&private, &public] {
        if path.symlink_metadata().is_ok() {
            // A key that is gone can't be made again: what it signed would be orphaned.
            return Err(Failure::could_not(anyhow!("{} exists already", path.display()))
                .hint("choose another name, or move the old key away"));
        }
    }
    let curve = match curve {
        CurveName::P256 => Curve::P256,
        CurveName::P384 => Curve::P384,
        CurveName::P521 => Curve::P521,
    };
    let key = SigningKey::generate(curve, &SystemRng)?;
    let written = |path: &Path| format!("could not write {}", path.display());
    durable::write(&private, key.to_pkcs8_pem()?.expose().as_bytes(), 0o600).with_context(|| written(&private))?;
    if let Err(error) = durable::write(&public, key.public_key().to_pem().as_bytes(), 0o644) {
        let _ = std::fs::remove_file(&private);
        return Err(anyhow!(error).context(written(&public)).into());
    }
    let shown = Shown {
        name: name.to_owned(),
        key_id: key.public_key().key_id().to_string(),
        curve: curve.to_string(),
        private: Some(private),
        public,
    };
    if remote::wants_json(common)? {
        output::json(&shown)?;
    } else {
        output::say(common.quiet, &format!("made {} on {}; keep it secret", private_of(&shown), shown.curve));
        output::data(&format!("{}\n", shown.public.display()))?;
    }
    Ok(Exit::Fine)
}

fn private_of(shown: &Shown) -> String {
    shown.private.as_deref().unwrap_or(Path::new("")).display().to_string()
}

fn list(common: &Common) -> Result {
    let directory = keys::directory()?;
    let mut found = Vec::new();
    let mut unreadable = Vec::new();
    let entries = match std::fs::read_dir(&directory) {
        Ok(entries) => entries.collect::<std::io::Result<Vec<_>>>()?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(anyhow!(error).context(format!("could not list {}", directory.display())).into()),
    };
    let mut paths: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for public in paths {
        let name = public.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if public.extension().is_none_or(|extension| extension != "pub") || !keys::is_name(&name) {
            continue;
        }
        let text = keys::read_pem(&public)?.unwrap_or_default();
        match PublicKey::from_pem(&text) {
            Ok(key) => found.push(Shown {
                name,
                key_id: key.key_id().to_string(),
                curve: key.curve().to_string(),
                private: Some(public.with_extension("key")).filter(|private| private.exists()),
                public,
            }),
            Err(error) => unreadable.push(format!("{}: {error}", public.display())),
        }
    }
    if remote::wants_json(common)? {
        output::json(&found)?;
    } else if found.is_empty() {
        output::say(common.quiet, "no keys yet; make one with `sealyard keys create NAME`");
    } else {
        for Shown { name, key_id, curve, private, .. } in &found {
            let what = if private.is_some() { "signs" } else { "verifies only" };
            output::data(&format!("{name:<24} {curve:<6} {what:<14} {key_id}\n"))?;
        }
    }
    if unreadable.is_empty() {
        return Ok(Exit::Fine);
    }
    Err(anyhow!("not every key can be read: {}", unreadable.join("; ")).into())
}
