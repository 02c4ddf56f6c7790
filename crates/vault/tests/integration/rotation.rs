use std::fs;
use std::sync::Arc;

use sealyard_core::SystemRng;
use sealyard_vault::{Keyring, Vault};

use crate::common::{CHUNK, HEADER, House, content};

#[test]
fn a_rotated_keyring_reads_the_old_and_rewraps_it_without_touching_the_chunks() {
    let house = House::new();
    let id = house.store(&content(2 * CHUNK + 5));
    let before = fs::read(house.path(&id)).unwrap();
    assert!(!house.vault.rewrap(&id).unwrap(), "nothing to do under the same key");

    let keys = house.directory.path().join("keys");
    let rotated = Keyring::open(&keys).unwrap().with_new_key(&SystemRng);
    let new = rotated.newest();
    rotated.save(&keys).unwrap();
    let keyring = Keyring::open(&keys).unwrap();
    assert_eq!(keyring.newest(), new);
    let vault = Vault::open_or_create(&house.directory.path().join("vault"), keyring, Arc::new(SystemRng)).unwrap();
    assert_eq!(vault.open(&id).unwrap().size(), (2 * CHUNK + 5) as u64);

    assert!(vault.rewrap(&id).unwrap());
    let after = fs::read(house.path(&id)).unwrap();
    assert_eq!(before[HEADER..], after[HEADER..]);
    assert_ne!(before[..HEADER], after[..HEADER]);
    let mut read = Vec::new();
    vault.open(&id).unwrap().copy_to(&mut read).unwrap();
    assert_eq!(read, content(2 * CHUNK + 5));
    assert_eq!(fs::read_dir(house.pending()).unwrap().count(), 0);
    assert!(house.is_refused(&id), "the old keyring alone no longer opens it");
}

#[test]
fn a_damaged_object_is_not_rewrapped() {
    let house = House::new();
    let id = house.store(b"abc");
    let mut bytes = fs::read(house.path(&id)).unwrap();
    bytes[HEADER - 1] ^= 1;
    fs::write(house.path(&id), &bytes).unwrap();
    let keys = house.directory.path().join("keys");
    let rotated = Keyring::open(&keys).unwrap().with_new_key(&SystemRng);
    let vault = Vault::open_or_create(&house.directory.path().join("vault"), rotated, Arc::new(SystemRng)).unwrap();
    assert_eq!(vault.rewrap(&id).unwrap_err().rule(), Some("vault.authentication"));
    assert_eq!(fs::read(house.path(&id)).unwrap(), bytes);
}
