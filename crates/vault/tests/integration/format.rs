use std::fs;
use std::io::Write as _;
use std::sync::Arc;

use sealyard_core::{Digest, FixedRng, durable};
use sealyard_vault::{Keyring, ObjectId, Vault};

use crate::common::{CHUNK, content};

const KEYS: &str = "sealyard-vault-keys v1\nkey ID 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

/// What is stored today must be readable for ever. If this fails the format has changed: give it a new version, and keep
/// reading this one. The digest was computed by another implementation, written from the crate's documentation.
#[test]
fn the_format_is_the_one_of_version_1() {
    let directory = tempfile::tempdir().unwrap();
    let keys = directory.path().join("keys");
    durable::write(&keys, KEYS.replace("ID", "0a9be04509c2847f").as_bytes(), 0o600).unwrap();
    let keyring = Keyring::open(&keys).unwrap();
    let vault = Vault::open_or_create(&directory.path().join("vault"), keyring, Arc::new(FixedRng::seeded(7))).unwrap();
    let id: ObjectId = "00112233445566778899aabbccddeeff".parse().unwrap();
    let mut pending = vault.begin_with_id(id).unwrap();
    pending.write_all(&content(CHUNK + 3)).unwrap();
    vault.commit(&pending.seal().unwrap()).unwrap();
    let stored = fs::read(directory.path().join("vault/objects/00").join(id.to_string())).unwrap();
    assert_eq!(stored[..12], *b"SYVAULT\x01\x00\x01\x00\x00");
    assert_eq!(Digest::of(&stored).to_hex(), "99a2cc94bc0beba9edd9a30e84e08aa809897f1082d8ff7819ecd1d5018ea060");
}
