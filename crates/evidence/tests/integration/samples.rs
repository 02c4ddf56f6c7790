//! Signatures that `model-signing` 1.1.1 made, by key and by certificate.

use std::path::PathBuf;

use sealyard_core::Timestamp;
use sealyard_evidence::oms::{self, OmsError};
use sealyard_evidence::{Bundle, ChainError, PublicKey, Trust, VerifyError};

use crate::now;

fn folder() -> PathBuf {
    let folder = std::env::var_os("SEALYARD_OMS_SAMPLES");
    PathBuf::from(folder.expect("SEALYARD_OMS_SAMPLES names the folder of the samples; the feature needs it"))
}

fn read(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

fn trust() -> Trust {
    let mut trust = Trust::default();
    trust.keys.insert("sample", PublicKey::from_pem(&read("keys/ec.pub")).unwrap()).unwrap();
    trust.roots.add_pem(&read("keys/root.pem")).unwrap();
    trust
}

#[test]
fn the_reference_signatures_verify() {
    for (signature, signer) in [("key.sig", "sample"), ("cert.sig", "certificate:CN=signer")] {
        let bundle = Bundle::parse(read(signature).as_bytes()).unwrap();
        let (evidence, coverage) =
            oms::verify_directory(&bundle, &folder().join("model"), None, &trust(), now()).unwrap();
        assert_eq!(evidence.signer().to_string(), signer);
        assert_eq!(coverage.ignored, [".gitignore"]);
    }
}

#[test]
fn an_expired_leaf_is_refused_where_the_reference_accepts_it() {
    let bundle = Bundle::parse(read("cert.sig").as_bytes()).unwrap();
    let late = Timestamp::from_rfc3339("2028-01-01T00:00:00Z").unwrap();
    let refused = oms::verify_directory(&bundle, &folder().join("model"), None, &trust(), late);
    assert!(matches!(refused, Err(OmsError::Verify(VerifyError::Chain(ChainError::Expired { .. })))));
}
