use std::io::Write as _;

use sealyard_core::Redacted;
use sealyard_vault::Keyring;

use crate::common::{CHUNK, House, content};

/// Once the key of a part is gone, nobody reads what is in it, whoever has all the other keys.
#[test]
fn a_part_whose_key_is_gone_can_not_be_read_with_all_other_keys() {
    let house = House::new();
    let vault = &house.vault;
    let outside = house.store(b"outside");
    let part = vault.add_scoped_key(Redacted::new([9; 32]));
    let mut pending = vault.begin_in(Some(part)).unwrap();
    pending.write_all(&content(CHUNK + 9)).unwrap();
    let sealed = pending.seal().unwrap();
    vault.commit(&sealed).unwrap();
    let id = sealed.id;
    assert_eq!(vault.key_of(&id).unwrap(), part);
    assert_eq!(house.load(&id).unwrap(), content(CHUNK + 9));
    // A change of the vault's keys leaves it under its own.
    let ring = Keyring::clone(&vault.keyring());
    vault.use_keyring(ring.with_new_key(&sealyard_core::SystemRng));
    assert!(vault.rewrap(&outside).unwrap());
    assert!(!vault.rewrap(&id).unwrap());
    vault.reencrypt(&id).unwrap();
    assert_eq!(vault.key_of(&id).unwrap(), part);
    assert_eq!(house.load(&id).unwrap(), content(CHUNK + 9));
    // It stands in no key file.
    let file = house.directory.path().join("saved");
    vault.keyring().save(&file).unwrap();
    assert!(!Keyring::open(&file).unwrap().contains(part));
    vault.forget_scoped_key(part);
    assert!(house.is_refused(&id));
    assert!(vault.begin_in(Some(part)).is_err());
    assert_eq!(house.load(&outside).unwrap(), b"outside");
}

/// A rotation takes a while: the keys that it puts in place are a copy of before, and keys of parts come and go meanwhile.
#[test]
fn new_keys_neither_bring_back_the_key_of_a_part_nor_lose_one() {
    let house = House::new();
    let vault = &house.vault;
    let destroyed = vault.add_scoped_key(Redacted::new([9; 32]));
    let rotated = Keyring::clone(&vault.keyring()).with_new_key(&sealyard_core::SystemRng);
    let newest = rotated.newest();
    vault.forget_scoped_key(destroyed);
    let made = vault.add_scoped_key(Redacted::new([8; 32]));
    vault.use_keyring(rotated);
    let ring = vault.keyring();
    assert_eq!(ring.newest(), newest);
    assert!(!ring.is_scoped(destroyed), "a destroyed key came back");
    assert!(ring.is_scoped(made), "a key that was just made is lost");
}
