use sealyard_core::{FixedRng, SystemRng};
use sealyard_evidence::{Curve, KeyError, PublicKey, SigningKey};

const CURVES: [Curve; 3] = [Curve::P256, Curve::P384, Curve::P521];

/// The sample that `model-signing` 1.1.1 gives the hint below.
const SAMPLE: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAElB2YAznXlO8GlxrwS+Tw7x9O8Z40
hpCRxBOvlHy2dopBmDTA1sWGdkBN4QiegqlxESFsCva/oDORs7TfCGULOw==
-----END PUBLIC KEY-----
";

#[test]
fn keys_round_trip_on_every_curve() {
    for curve in CURVES {
        let key = SigningKey::generate(curve, &SystemRng).unwrap();
        let signature = key.sign(b"message").unwrap();
        let again = SigningKey::from_pem(key.to_pkcs8_pem().unwrap().expose()).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        let public = PublicKey::from_pem(&key.public_key().to_pem()).unwrap();
        assert_eq!(public.curve(), curve);
        public.verify(b"message", &signature).unwrap();
        public.verify(b"message", &again.sign(b"message").unwrap()).unwrap();
        assert_eq!(public.verify(b"massage", &signature), Err(KeyError::BadSignature));
        let other = SigningKey::generate(curve, &SystemRng).unwrap().public_key();
        assert_eq!(other.verify(b"message", &signature), Err(KeyError::BadSignature));
    }
}

#[test]
fn generation_takes_its_randomness_from_the_generator() {
    for curve in CURVES {
        let key = |seed| SigningKey::generate(curve, &FixedRng::seeded(seed)).unwrap().public_key().key_id();
        assert_eq!(key(1), key(1));
        assert_ne!(key(1), key(2));
    }
}

#[test]
fn the_key_id_is_the_hint_of_model_signing() {
    let key = PublicKey::from_pem(SAMPLE).unwrap();
    assert_eq!(key.to_pem(), SAMPLE);
    assert_eq!(key.key_id().to_string(), "1e3a4f4545cb3d193f68005f20dfe1fea4b38f1c84d2c039d11c26f3b9192f87");
}

#[test]
fn keys_of_openssl_are_read() {
    // Made by `openssl ecparam -name … -genkey` and `openssl genpkey -algorithm EC`.
    for pem in [include_str!("data/sec1.pem"), include_str!("data/pkcs8.pem")] {
        let key = SigningKey::from_pem(pem).unwrap();
        key.public_key().verify(b"m", &key.sign(b"m").unwrap()).unwrap();
    }
    let public = PublicKey::from_pem(include_str!("data/sec1.pub")).unwrap();
    assert_eq!(SigningKey::from_pem(include_str!("data/sec1.pem")).unwrap().public_key(), public);
}

#[test]
fn a_wrong_file_is_named_for_what_it_is() {
    let private = key_pem();
    let cut = &private[..private.len() / 2];
    let cases = [
        ("", KeyError::NotPem),
        ("weights", KeyError::NotPem),
        (cut, KeyError::Corrupt),
        (&private.replace("M", "!"), KeyError::Corrupt),
        (SAMPLE, KeyError::PublicGiven),
        (include_str!("data/encrypted.pem"), KeyError::Encrypted),
        (include_str!("data/encrypted-sec1.pem"), KeyError::Encrypted),
        (include_str!("data/rsa.pem"), KeyError::Unusable),
        (include_str!("data/secp256k1.pem"), KeyError::Unusable),
    ];
    for (text, expected) in cases {
        assert_eq!(SigningKey::from_pem(text).unwrap_err(), expected, "{text}");
    }
    assert_eq!(PublicKey::from_pem(&private), Err(KeyError::PrivateGiven));
    assert!(matches!(PublicKey::from_pem(&format!("{SAMPLE}{SAMPLE}")), Err(KeyError::Unexpected { .. })));
    assert!(matches!(SigningKey::from_pem(&" ".repeat(1 << 20)), Err(KeyError::TooLarge(_))));
    assert!(KeyError::Encrypted.to_string().contains("openssl pkcs8"));
}

#[test]
fn a_point_off_the_curve_is_refused() {
    let mut der = PublicKey::from_pem(SAMPLE).unwrap().spki_der().to_vec();
    *der.last_mut().unwrap() ^= 1;
    assert_eq!(PublicKey::from_spki_der(&der), Err(KeyError::Unusable));
    der.push(0);
    assert_eq!(PublicKey::from_spki_der(&der), Err(KeyError::Unusable));
}

#[test]
fn secrets_do_not_show() {
    let key = SigningKey::generate(Curve::P256, &FixedRng::seeded(7)).unwrap();
    assert!(!format!("{key:?}{:?}", key.to_pkcs8_pem().unwrap()).contains("PRIVATE"));
}

fn key_pem() -> String {
    SigningKey::generate(Curve::P256, &FixedRng::seeded(7)).unwrap().to_pkcs8_pem().unwrap().expose().clone()
}
