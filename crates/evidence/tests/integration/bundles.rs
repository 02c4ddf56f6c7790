use proptest::prelude::*;
use sealyard_core::{Digest, Subject};
use sealyard_evidence::bundle::MAX_BYTES;
use sealyard_evidence::predicate::{PredicateError, ResourceDescriptor};
use sealyard_evidence::{
    Bundle, BundleError, Predicate, PredicateType, Statement, StatementError, TrustError, VerifyError, verify,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{key, scan_bundle, scan_report, trust};

fn edited(bundle: &Bundle, edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value: Value = serde_json::from_str(bundle.text()).unwrap();
    edit(&mut value);
    serde_json::to_vec(&value).unwrap()
}

#[test]
fn a_trusted_signature_gives_verified_evidence() {
    let scanner = key(1);
    let bundle = scan_bundle(&scanner);
    let evidence = verify(&bundle, &trust(&[("other", &key(2)), ("scanner", &scanner)])).unwrap();
    assert_eq!(evidence.signer_name(), Some("scanner"));
    assert_eq!(evidence.subjects()[0].digest, Digest::of(b"model"));
    assert_eq!(evidence.bundle_digest(), Digest::of(bundle.text().as_bytes()));
    assert_eq!(*evidence.predicate(), Predicate::ScanReport(scan_report()));
    assert_eq!(Bundle::parse(bundle.text().as_bytes()).unwrap(), bundle);
}

#[test]
fn unknown_keys_and_empty_trust_are_refused() {
    let bundle = scan_bundle(&key(1));
    assert!(matches!(verify(&bundle, &trust(&[])), Err(VerifyError::NoTrust)));
    assert!(matches!(verify(&bundle, &trust(&[("other", &key(2))])), Err(VerifyError::UnknownKey(_))));
}

#[test]
fn a_hint_only_hints() {
    let (scanner, release) = (key(1), key(2));
    let keys = trust(&[("scanner", &scanner), ("release", &release)]);
    let bundle = scan_bundle(&scanner);

    // Saying that release signed does not make it so.
    let lie = edited(&bundle, |value| {
        value["verificationMaterial"]["publicKey"]["hint"] = json!(release.public_key().key_id().to_string());
    });
    assert!(matches!(verify(&Bundle::parse(&lie).unwrap(), &keys), Err(VerifyError::Signature(_))));

    // Without a hint, or with the older rawBytes, the key that fits is found.
    for material in [json!({}), json!({ "rawBytes": "AAAA", "keyDetails": "PKIX_ECDSA_P256_SHA_256" })] {
        let bytes = edited(&bundle, |value| value["verificationMaterial"]["publicKey"] = material);
        let evidence = verify(&Bundle::parse(&bytes).unwrap(), &keys).unwrap();
        assert_eq!(evidence.signer_name(), Some("scanner"));
    }
}

#[test]
fn a_changed_payload_is_refused() {
    let scanner = key(1);
    let bundle = scan_bundle(&scanner);
    let text = String::from_utf8(bundle.envelope().payload.clone()).unwrap();
    let payload = base64(text.replace("safe", "unsafe").as_bytes());
    let bytes = edited(&bundle, |value| value["dsseEnvelope"]["payload"] = json!(payload));
    let changed = Bundle::parse(&bytes).unwrap();
    assert!(matches!(verify(&changed, &trust(&[("scanner", &scanner)])), Err(VerifyError::Signature(_))));
    // White space too: the received bytes are what was signed.
    let payload = base64(format!("{text}\n").as_bytes());
    let bytes = edited(&bundle, |value| value["dsseEnvelope"]["payload"] = json!(payload));
    let changed = Bundle::parse(&bytes).unwrap();
    assert!(matches!(verify(&changed, &trust(&[("scanner", &scanner)])), Err(VerifyError::Signature(_))));
}

#[test]
fn bundles_of_another_shape_are_refused() {
    let bundle = scan_bundle(&key(1));
    type Edit = fn(&mut Value);
    let edits: [Edit; 8] = [
        |value| value["mediaType"] = json!("application/vnd.dev.sigstore.bundle+json;version=0.1"),
        |value| value["dsseEnvelope"]["payloadType"] = json!("text/plain"),
        |value| value["dsseEnvelope"]["payload"] = json!("not base64!"),
        |value| value["verificationMaterial"] = json!({}),
        |value| value["verificationMaterial"]["certificate"] = json!({ "rawBytes": "AAAA" }),
        |value| value["verificationMaterial"] = json!({ "x509CertificateChain": { "certificates": [] } }),
        |value| {
            let many = vec![json!({ "rawBytes": "AAAA" }); 11];
            value["verificationMaterial"] = json!({ "x509CertificateChain": { "certificates": many } });
        },
        |value| *value = json!([]),
    ];
    for edit in edits {
        let bytes = edited(&bundle, edit);
        assert!(Bundle::parse(&bytes).is_err(), "{}", String::from_utf8_lossy(&bytes));
    }
    assert!(matches!(Bundle::parse(b"\xff"), Err(BundleError::NotText)));
    assert!(matches!(Bundle::parse(&vec![b' '; MAX_BYTES + 1]), Err(BundleError::TooLarge(_))));
    let deep = "[".repeat(100_000);
    assert!(matches!(Bundle::parse(deep.as_bytes()), Err(BundleError::Json(_))));
}

#[test]
fn a_bundle_by_certificate_is_no_bundle_by_key() {
    let scanner = key(1);
    let bundle = scan_bundle(&scanner);
    let bytes = edited(&bundle, |value| {
        value["verificationMaterial"] = json!({ "certificate": { "rawBytes": "AAAA" } });
    });
    let bundle = Bundle::parse(&bytes).unwrap();
    let refused = verify(&bundle, &trust(&[("scanner", &scanner)]));
    assert!(matches!(refused, Err(VerifyError::CertificateNotAccepted)));
}

#[derive(Serialize, Deserialize)]
struct Unknown {}

impl PredicateType for Unknown {
    const TYPE: &'static str = "https://example.com/unknown/v1";
}

/// Claims to be a scan report and is not.
#[derive(Serialize, Deserialize)]
struct NotAScan {
    verdict: String,
}

impl PredicateType for NotAScan {
    const TYPE: &'static str = "https://sealyard.dev/scan/v1";
}

#[test]
fn signed_nonsense_is_still_refused() {
    let scanner = key(1);
    let keys = trust(&[("scanner", &scanner)]);
    let subjects = [Subject { name: "m".into(), digest: Digest::of(b"m") }];
    let unknown = Bundle::sign(&Statement::new(&subjects, &Unknown {}).unwrap(), &scanner).unwrap();
    assert!(matches!(verify(&unknown, &keys), Err(VerifyError::Predicate(PredicateError::Unknown(_)))));
    let malformed = Statement::new(&subjects, &NotAScan { verdict: "safe".into() }).unwrap();
    let malformed = Bundle::sign(&malformed, &scanner).unwrap();
    assert!(matches!(verify(&malformed, &keys), Err(VerifyError::Predicate(PredicateError::Malformed { .. }))));
    assert!(matches!(Statement::new(&[], &Unknown {}), Err(StatementError::Subjects(0))));
}

#[test]
fn statements_without_a_plain_digest_are_refused() {
    let statement = |kind: &str, subject: Value| {
        let value = json!({ "_type": kind, "subject": subject, "predicateType": "t", "predicate": {} });
        Statement::parse(&serde_json::to_vec(&value).unwrap())
    };
    let v1 = sealyard_evidence::statement::STATEMENT_V1;
    let digest = Digest::of(b"m").to_hex();
    let good = json!([{ "name": "m", "digest": { "sha256": digest } }]);
    assert_eq!(statement(v1, good.clone()).unwrap().subjects().unwrap()[0].name, "m");
    assert!(matches!(statement("https://in-toto.io/Statement/v0.1", good), Err(StatementError::Type(_))));
    assert!(matches!(statement(v1, json!([])), Err(StatementError::Subjects(0))));
    for digests in [json!({}), json!({ "sha1": digest }), json!({ "sha256": digest.to_uppercase() })] {
        let statement = statement(v1, json!([{ "name": "m", "digest": digests }])).unwrap();
        assert!(matches!(statement.subjects(), Err(StatementError::Subject(_))));
    }
}

#[test]
fn names_and_keys_are_one_to_one() {
    let (one, two) = (key(1), key(2));
    let mut keys = trust(&[("one", &one)]);
    assert!(matches!(keys.insert("one", two.public_key()), Err(TrustError::NameTwice(_))));
    assert!(matches!(keys.insert("two", one.public_key()), Err(TrustError::KeyTwice { .. })));
    for name in ["", "certificate:CN=one", "a b", "ünï"] {
        assert!(matches!(keys.insert(name, two.public_key()), Err(TrustError::Name(_))), "{name}");
    }
}

#[test]
fn pinned_means_every_digest_is_hex_and_one_is_strong() {
    let pinned = |digests: &[(&str, &str)]| {
        let digest = digests.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        ResourceDescriptor { digest, ..ResourceDescriptor::default() }.is_pinned()
    };
    let (hex40, hex64) = ("a".repeat(40), "b".repeat(64));
    assert!(pinned(&[("sha256", &hex64)]));
    assert!(pinned(&[("gitCommit", &hex40)]));
    assert!(pinned(&[("gitCommit", &hex64), ("sha1", &hex40)]));
    assert!(!pinned(&[]));
    assert!(!pinned(&[("sha1", &hex40)]));
    assert!(!pinned(&[("md5", &"c".repeat(32))]));
    assert!(!pinned(&[("sha256", &hex40)]));
    assert!(!pinned(&[("sha256", &hex64.to_uppercase())]));
    assert!(!pinned(&[("sha256", &hex64), ("other", "")]));
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

proptest! {
    #[test]
    fn parsing_never_panics(position in 0_usize..600, byte: u8) {
        let mut bytes = scan_bundle(&key(1)).text().as_bytes().to_vec();
        let position = position % bytes.len();
        bytes[position] = byte;
        if let Ok(bundle) = Bundle::parse(&bytes) {
            let _ = bundle.claimed_statement();
        }
        let _ = Bundle::parse(&bytes[..position]);
    }

    /// Whatever is flipped inside the payload or the signature, nothing verifies but the original.
    #[test]
    fn no_flipped_bit_verifies(position: proptest::sample::Index, bit in 0_u8..8) {
        let scanner = key(1);
        let bundle = scan_bundle(&scanner);
        let mut payload = bundle.envelope().payload.clone();
        let position = position.index(payload.len());
        payload[position] ^= 1 << bit;
        let bytes = edited(&bundle, |value| value["dsseEnvelope"]["payload"] = json!(base64(&payload)));
        prop_assert!(verify(&Bundle::parse(&bytes).unwrap(), &trust(&[("scanner", &scanner)])).is_err());
    }
}

#[test]
fn what_readers_could_take_in_two_ways_is_refused() {
    let bundle = scan_bundle(&key(1));
    let doubled = bundle.text().replacen('{', r#"{"mediaType":"x","#, 1);
    assert!(matches!(Bundle::parse(doubled.as_bytes()), Err(BundleError::Json(_))));
    let both = edited(&bundle, |value| value["messageSignature"] = json!({ "signature": "AAAA" }));
    assert!(matches!(Bundle::parse(&both), Err(BundleError::Content)));
    // In the signed part too, where the decoder would take the last one.
    let payload = String::from_utf8(bundle.envelope().payload.clone()).unwrap();
    Statement::parse(payload.as_bytes()).unwrap();
    let place = payload.find("\"predicate\"").unwrap();
    let inner = place + payload[place..].find('{').unwrap() + 1;
    let doubled = format!("{}\"verdict\": \"safe\", {}", &payload[..inner], &payload[inner..]);
    assert!(matches!(Statement::parse(doubled.as_bytes()), Err(StatementError::Json(_))), "{doubled}");
}
