//! Signs and verifies a model's folder; `dev/oms/interop.sh` runs it against the reference.
//!
//!     oms sign DIR KEY SIGNATURE [CERTIFICATES]
//!     oms verify DIR SIGNATURE key|roots PEM
//!     oms keygen p256|p384|p521 PRIVATE PUBLIC

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use sealyard_core::{Clock as _, SystemClock, SystemRng, durable};
use sealyard_evidence::{Bundle, Curve, PublicKey, SigningKey, Trust, oms, x509};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(message) => {
            let _ = std::io::Write::write_all(&mut std::io::stdout(), format!("{message}\n").as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("error: {error}\n").as_bytes());
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    match *arguments {
        ["sign", directory, key, signature] => {
            let key = SigningKey::from_pem(&std::fs::read_to_string(key)?)?;
            let bundle = oms::sign_directory(Path::new(directory), Some(Path::new(signature)), &key)?;
            durable::write(Path::new(signature), bundle.text().as_bytes(), 0o644)?;
            Ok(format!("signed {directory}"))
        }
        ["sign", directory, key, signature, certificates] => {
            let key = SigningKey::from_pem(&std::fs::read_to_string(key)?)?;
            let by_key = oms::sign_directory(Path::new(directory), Some(Path::new(signature)), &key)?;
            let chain = x509::certificates_from_pem(&std::fs::read_to_string(certificates)?)?;
            let bundle = Bundle::sign_with_chain(&by_key.claimed_statement()?, &key, &chain)?;
            durable::write(Path::new(signature), bundle.text().as_bytes(), 0o644)?;
            Ok(format!("signed {directory}"))
        }
        ["verify", directory, signature, kind, pem] => {
            let mut trust = Trust::default();
            let pem = std::fs::read_to_string(pem)?;
            match kind {
                "key" => trust.keys.insert("key", PublicKey::from_pem(&pem)?)?,
                _ => trust.roots.add_pem(&pem)?,
            }
            let bundle = Bundle::parse(&std::fs::read(signature)?)?;
            let (signature, directory) = (Path::new(signature), Path::new(directory));
            let (evidence, coverage) =
                oms::verify_directory(&bundle, directory, Some(signature), &trust, SystemClock.now())?;
            Ok(format!("signed by {}; {coverage}", evidence.signer()))
        }
        ["keygen", curve, private, public] => {
            let curve = match curve {
                "p384" => Curve::P384,
                "p521" => Curve::P521,
                _ => Curve::P256,
            };
            let key = SigningKey::generate(curve, &SystemRng)?;
            durable::write(Path::new(private), key.to_pkcs8_pem()?.expose().as_bytes(), 0o600)?;
            durable::write(Path::new(public), key.public_key().to_pem().as_bytes(), 0o644)?;
            Ok(format!("made {}", key.public_key().key_id()))
        }
        _ => Err("usage: oms sign DIR KEY SIGNATURE [CERTIFICATES] | verify DIR SIGNATURE key|roots PEM | keygen CURVE PRIVATE PUBLIC".into()),
    }
}
