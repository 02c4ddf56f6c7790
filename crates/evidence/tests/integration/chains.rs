use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use sealyard_core::{Digest, Subject, Timestamp};
use sealyard_evidence::{
    Bundle, ChainError, Signer, SigningKey, Statement, Trust, TrustedRoots, VerifyError, verify_at,
};

use crate::{now, scan_report};

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: Vec<u8>,
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2036, 1, 1);
    params
}

fn leaf_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "signer");
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    params.not_before = date_time_ymd(2026, 11, 1);
    params.not_after = date_time_ymd(2026, 12, 1);
    params
}

fn root(params: CertificateParams) -> Authority {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Authority { pem: certificate.pem(), der: certificate.der().to_vec(), issuer: Issuer::new(params, key) }
}

fn intermediate(params: CertificateParams, by: &Authority) -> Authority {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &by.issuer).unwrap();
    Authority { pem: certificate.pem(), der: certificate.der().to_vec(), issuer: Issuer::new(params, key) }
}

fn leaf(params: &CertificateParams, by: &Authority) -> (SigningKey, Vec<u8>) {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &by.issuer).unwrap();
    (SigningKey::from_pem(&key.serialize_pem()).unwrap(), certificate.der().to_vec())
}

fn bundle(key: &SigningKey, chain: &[Vec<u8>]) -> Bundle {
    let subject = Subject { name: "m".into(), digest: Digest::of(b"m") };
    Bundle::sign_with_chain(&Statement::new(&[subject], &scan_report()).unwrap(), key, chain).unwrap()
}

fn trusting(roots: &[&Authority]) -> Trust {
    let mut trusted = TrustedRoots::new();
    for root in roots {
        trusted.add_pem(&root.pem).unwrap();
    }
    Trust { roots: trusted, ..Trust::default() }
}

/// Verifies a chain root ← intermediate ← leaf made of these parameters.
fn outcome(
    root_params: CertificateParams,
    intermediate_params: CertificateParams,
    leaf_params: &CertificateParams,
    at: Timestamp,
) -> Result<String, ChainError> {
    let root = root(root_params);
    let middle = intermediate(intermediate_params, &root);
    let (key, der) = leaf(leaf_params, &middle);
    match verify_at(&bundle(&key, &[der, middle.der]), &trusting(&[&root]), at) {
        Ok(evidence) => Ok(evidence.signer().to_string()),
        Err(VerifyError::Chain(error)) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

fn changed(params: CertificateParams, change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = params;
    change(&mut params);
    params
}

#[test]
fn a_chain_to_a_trusted_root_holds() {
    let root = root(authority_params("root"));
    let middle = intermediate(authority_params("intermediate"), &root);
    let (key, der) = leaf(&leaf_params(), &middle);
    // With the root in the chain or not, and in whatever order the authorities stand.
    for chain in [
        vec![der.clone(), middle.der.clone()],
        vec![der.clone(), middle.der.clone(), root.der.clone()],
        vec![der.clone(), root.der.clone(), middle.der.clone()],
    ] {
        let evidence = verify_at(&bundle(&key, &chain), &trusting(&[&root]), now()).unwrap();
        assert_eq!(evidence.signer().to_string(), "certificate:CN=signer");
        assert_eq!(evidence.signer_name(), None);
        assert!(
            matches!(evidence.signer(), Signer::Certificate { fingerprint, .. } if *fingerprint == Digest::of(&der))
        );
    }
}

#[test]
fn chains_that_lead_elsewhere_are_refused() {
    let (root, stranger) = (root(authority_params("root")), root_of_same_name());
    let middle = intermediate(authority_params("intermediate"), &root);
    let (key, der) = leaf(&leaf_params(), &middle);
    let refused = |bundle: &Bundle, roots: &[&Authority]| match verify_at(bundle, &trusting(roots), now()) {
        Err(VerifyError::Chain(error)) => error,
        other => panic!("{other:?}"),
    };
    let whole = bundle(&key, &[der.clone(), middle.der.clone()]);
    assert!(matches!(refused(&whole, &[]), ChainError::NoRoot(_)));
    // A root of the right name with another key.
    assert!(matches!(refused(&whole, &[&stranger]), ChainError::NoRoot(_)));
    let short = bundle(&key, std::slice::from_ref(&der));
    assert!(matches!(refused(&short, &[&root]), ChainError::NoRoot(_)));
    // The issuer's signature over the leaf is looked at.
    let mut broken = der.clone();
    *broken.last_mut().unwrap() ^= 1;
    let broken = bundle(&key, &[broken, middle.der.clone()]);
    assert!(matches!(refused(&broken, &[&root]), ChainError::NoRoot(_) | ChainError::Malformed));
    let noise = bundle(&key, &[b"noise".to_vec()]);
    assert_eq!(refused(&noise, &[&root]), ChainError::Malformed);
    // Whoever is trusted to issue is not thereby trusted to be the leaf's key.
    let (other, _) = leaf(&leaf_params(), &middle);
    let stolen = bundle(&other, &[der, middle.der]);
    assert!(matches!(verify_at(&stolen, &trusting(&[&root]), now()), Err(VerifyError::Signature(_))));
}

fn root_of_same_name() -> Authority {
    root(authority_params("root"))
}

#[test]
fn every_certificate_must_be_valid_now() {
    let at = |text| Timestamp::from_rfc3339(text).unwrap();
    let check = |at| outcome(authority_params("r"), authority_params("i"), &leaf_params(), at);
    assert!(check(now()).is_ok());
    assert!(matches!(check(at("2026-10-31T23:59:59Z")), Err(ChainError::NotYetValid { .. })));
    assert!(check(at("2026-11-01T00:00:00Z")).is_ok());
    assert!(check(at("2026-12-01T00:00:00Z")).is_ok());
    assert!(matches!(check(at("2026-12-01T00:00:01Z")), Err(ChainError::Expired { .. })));

    let ended = |name| changed(authority_params(name), |params| params.not_after = date_time_ymd(2026, 11, 2));
    let expired = |result: Result<String, ChainError>, whose: &str| match result {
        Err(ChainError::Expired { of, .. }) => assert!(of.contains(whose), "{of}"),
        other => panic!("{other:?}"),
    };
    expired(outcome(ended("root"), authority_params("i"), &leaf_params(), now()), "root");
    expired(outcome(authority_params("r"), ended("middle"), &leaf_params(), now()), "middle");
}

#[test]
fn usages_are_kept_to() {
    let usage = |result: Result<String, ChainError>| match result {
        Err(ChainError::Usage { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    let leaf_with = |change: fn(&mut CertificateParams)| {
        outcome(authority_params("r"), authority_params("i"), &changed(leaf_params(), change), now())
    };
    assert!(usage(leaf_with(|params| params.key_usages = vec![KeyUsagePurpose::KeyEncipherment])).contains("keyUsage"));
    let server =
        |params: &mut CertificateParams| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    assert!(usage(leaf_with(server)).contains("codeSigning"));
    let bare = |params: &mut CertificateParams| {
        params.key_usages.clear();
        params.extended_key_usages.clear();
    };
    assert!(usage(leaf_with(bare)).contains("says nothing"));
    assert!(usage(leaf_with(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained))).contains("authority"));
    assert!(leaf_with(|params| params.extended_key_usages.clear()).is_ok());

    let middle_with = |change: fn(&mut CertificateParams)| {
        outcome(authority_params("r"), changed(authority_params("i"), change), &leaf_params(), now())
    };
    assert!(usage(middle_with(|params| params.is_ca = IsCa::ExplicitNoCa)).contains("basicConstraints"));
    assert!(usage(middle_with(|params| params.is_ca = IsCa::NoCa)).contains("basicConstraints"));
    assert!(usage(middle_with(|params| params.key_usages = vec![KeyUsagePurpose::CrlSign])).contains("keyCertSign"));
    assert!(usage(middle_with(server)).contains("codeSigning"));
}

#[test]
fn path_lengths_are_kept_to() {
    let constrained = |name, limit| {
        changed(authority_params(name), |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(limit)))
    };
    assert!(outcome(constrained("r", 1), constrained("i", 0), &leaf_params(), now()).is_ok());
    let refused = outcome(constrained("r", 0), authority_params("i"), &leaf_params(), now());
    assert!(matches!(refused, Err(ChainError::Usage { why, .. }) if why.contains("path length")));
}

#[test]
fn unknown_critical_extensions_are_refused() {
    let extended = |critical| {
        let mut extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 55555, 1], vec![5, 0]);
        extension.set_criticality(critical);
        changed(leaf_params(), |params| params.custom_extensions = vec![extension])
    };
    assert!(outcome(authority_params("r"), authority_params("i"), &extended(false), now()).is_ok());
    let refused = outcome(authority_params("r"), authority_params("i"), &extended(true), now());
    assert!(matches!(refused, Err(ChainError::Critical { .. })));
}

#[test]
fn the_issuer_must_be_the_one_that_is_named() {
    // The same key under another name: the name is part of what the leaf says.
    let key = KeyPair::generate().unwrap();
    let other = authority_params("other");
    let pem = other.self_signed(&key).unwrap().pem();
    let named = authority_params("named");
    let certificate = named.self_signed(&key).unwrap();
    let named = Authority { pem: certificate.pem(), der: certificate.der().to_vec(), issuer: Issuer::new(named, key) };
    let (key, der) = leaf(&leaf_params(), &named);
    let bundle = bundle(&key, &[der]);
    assert!(verify_at(&bundle, &trusting(&[&named]), now()).is_ok());
    let mut trust = Trust::default();
    trust.roots.add_pem(&pem).unwrap();
    assert!(matches!(verify_at(&bundle, &trust, now()), Err(VerifyError::Chain(ChainError::NoRoot(_)))));
}

/// The algorithm stands in a certificate twice, once where the issuer signs it; both must say the same.
#[test]
fn both_names_of_the_algorithm_must_agree() {
    let root_key = KeyPair::generate().unwrap();
    let signer = SigningKey::from_pem(&root_key.serialize_pem()).unwrap();
    let params = authority_params("root");
    let certificate = params.self_signed(&root_key).unwrap();
    let root =
        Authority { pem: certificate.pem(), der: certificate.der().to_vec(), issuer: Issuer::new(params, root_key) };
    let (key, der) = leaf(&leaf_params(), &root);

    // SEQUENCE { TBSCertificate, algorithm, signature }, all of lengths from 256 to 65535, or below 128.
    let signed_end = 8 + usize::from(u16::from_be_bytes([der[6], der[7]]));
    let ecdsa_sha256 = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
    let rebuilt = |signed: &[u8]| {
        let signature = signer.sign(signed).unwrap();
        let mut content = signed.to_vec();
        content.extend_from_slice(ecdsa_sha256);
        content.extend_from_slice(&[3, u8::try_from(signature.len() + 1).unwrap(), 0]);
        content.extend_from_slice(&signature);
        let mut der = vec![0x30, 0x82];
        der.extend_from_slice(&u16::try_from(content.len()).unwrap().to_be_bytes());
        der.extend_from_slice(&content);
        der
    };
    let mut signed = der[4..signed_end].to_vec();
    assert!(verify_at(&bundle(&key, &[rebuilt(&signed)]), &trusting(&[&root]), now()).is_ok());
    let position = signed.windows(12).position(|window| window == ecdsa_sha256).unwrap();
    signed[position + 11] = 3;
    let refused = verify_at(&bundle(&key, &[rebuilt(&signed)]), &trusting(&[&root]), now());
    assert!(matches!(refused, Err(VerifyError::Chain(ChainError::Malformed))));
}

#[test]
fn a_renewed_root_holds_beside_the_old_one() {
    let key = KeyPair::generate().unwrap();
    let old = changed(authority_params("root"), |params| params.not_after = date_time_ymd(2026, 2, 1));
    let old_pem = old.self_signed(&key).unwrap().pem();
    let new = authority_params("root");
    let certificate = new.self_signed(&key).unwrap();
    let new = Authority { pem: certificate.pem(), der: certificate.der().to_vec(), issuer: Issuer::new(new, key) };
    let (key, der) = leaf(&leaf_params(), &new);
    let bundle = bundle(&key, &[der]);
    let trusting = |pems: &[&str]| {
        let mut trust = Trust::default();
        pems.iter().for_each(|pem| trust.roots.add_pem(pem).unwrap());
        trust
    };
    for pems in [[old_pem.as_str(), new.pem.as_str()], [new.pem.as_str(), old_pem.as_str()]] {
        assert!(verify_at(&bundle, &trusting(&pems), now()).is_ok());
    }
    let expired = verify_at(&bundle, &trusting(&[&old_pem]), now());
    assert!(matches!(expired, Err(VerifyError::Chain(ChainError::Expired { .. }))));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(128))]

    #[test]
    fn no_flipped_bit_of_a_certificate_holds(position: proptest::sample::Index, bit in 0_u8..8, which in 0_usize..2) {
        let root = root(authority_params("root"));
        let middle = intermediate(authority_params("intermediate"), &root);
        let (key, der) = leaf(&leaf_params(), &middle);
        let mut chain = [der, middle.der];
        let position = position.index(chain[which].len());
        chain[which][position] ^= 1 << bit;
        proptest::prop_assert!(verify_at(&bundle(&key, &chain), &trusting(&[&root]), now()).is_err());
    }
}

#[test]
fn a_root_must_be_an_authority() {
    let not = root(changed(authority_params("root"), |params| params.is_ca = IsCa::NoCa));
    assert!(matches!(TrustedRoots::new().add_pem(&not.pem), Err(ChainError::Usage { .. })));
    assert_eq!(TrustedRoots::new().add_pem("nothing"), Err(ChainError::Empty));
}
