use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use sealyard_core::{Digest, ReadAt as _, SystemRng};
use sealyard_vault::{Keyring, Vault, VaultError};

use crate::common::{CHUNK, HEADER, House, SEALED_CHUNK, content};

fn edit(path: &Path, edit: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    edit(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[test]
fn every_flipped_bit_of_a_small_object_is_noticed_when_it_is_opened() {
    let house = House::new();
    let id = house.store(b"a small model");
    let intact = fs::read(house.path(&id)).unwrap();
    for at in 0..intact.len() {
        for bit in 0..8 {
            let mut bytes = intact.clone();
            bytes[at] ^= 1 << bit;
            fs::write(house.path(&id), bytes).unwrap();
            let error = house.vault.open(&id).unwrap_err();
            assert_eq!(error.rule(), Some("vault.authentication"), "byte {at}, bit {bit}");
        }
    }
    fs::write(house.path(&id), intact).unwrap();
    assert_eq!(house.load(&id).unwrap(), b"a small model");
}

#[test]
fn a_flipped_byte_in_each_chunk_of_a_large_object_is_noticed() {
    let house = House::new();
    let id = house.store(&content(3 * CHUNK + 100));
    for chunk in 0..4 {
        for within in [0, 50, 115] {
            let at = HEADER + chunk * SEALED_CHUNK + within;
            edit(&house.path(&id), |bytes| bytes[at] ^= 0x80);
            assert!(house.is_refused(&id), "chunk {chunk}, byte {within}");
            edit(&house.path(&id), |bytes| bytes[at] ^= 0x80);
        }
    }
    assert!(house.load(&id).is_ok());
}

#[test]
fn truncation_and_extension_are_noticed_when_it_is_opened() {
    let house = House::new();
    let id = house.store(&content(3 * CHUNK));
    let intact = fs::read(house.path(&id)).unwrap();
    let mut lengths = vec![0, 1, HEADER - 1, HEADER, HEADER + 15, HEADER + 16, intact.len() - 1];
    for chunk in 1..3 {
        let border = HEADER + chunk * SEALED_CHUNK;
        lengths.extend([border - 1, border, border + 1, border + 16, border + 17]);
    }
    for length in lengths {
        fs::write(house.path(&id), &intact[..length]).unwrap();
        let error = house.vault.open(&id).unwrap_err();
        assert_eq!(error.rule(), Some("vault.authentication"), "{length}");
    }
    for more in [1, 16, 17, SEALED_CHUNK] {
        let longer = [&intact[..], &intact[HEADER..HEADER + more]].concat();
        fs::write(house.path(&id), longer).unwrap();
        assert!(house.vault.open(&id).is_err(), "{more} more");
    }
}

#[test]
fn a_file_cut_while_it_is_read_is_noticed() {
    let house = House::new();
    let id = house.store(&content(3 * CHUNK));
    let object = house.vault.open(&id).unwrap();
    fs::OpenOptions::new().write(true).open(house.path(&id)).unwrap().set_len((HEADER + 10) as u64).unwrap();
    let error = object.copy_to(&mut std::io::sink()).unwrap_err();
    assert_eq!(error.rule(), Some("vault.authentication"));
}

#[test]
fn swapped_repeated_and_dropped_chunks_are_noticed() {
    let house = House::new();
    let id = house.store(&content(4 * CHUNK));
    let intact = fs::read(house.path(&id)).unwrap();
    let (header, body) = intact.split_at(HEADER);
    let chunks: Vec<&[u8]> = body.chunks(SEALED_CHUNK).collect();
    assert_eq!(chunks.len(), 4);
    for order in
        [&[1, 0, 2, 3][..], &[0, 2, 1, 3], &[0, 1, 3, 2], &[0, 0, 2, 3], &[0, 1, 3], &[1, 2, 3], &[0, 1, 2, 3, 3]]
    {
        let mut bytes = header.to_vec();
        for chunk in order {
            bytes.extend_from_slice(chunks[*chunk]);
        }
        fs::write(house.path(&id), bytes).unwrap();
        assert!(house.is_refused(&id), "{order:?}");
    }
}

#[test]
fn a_chunk_or_header_of_another_object_is_noticed() {
    let house = House::new();
    let (one, other) = (house.store(&content(2 * CHUNK)), house.store(&content(2 * CHUNK)));
    let foreign = fs::read(house.path(&other)).unwrap();
    let intact = fs::read(house.path(&one)).unwrap();
    for range in [0..HEADER, 0..19, 19..HEADER, HEADER..HEADER + SEALED_CHUNK, HEADER + SEALED_CHUNK..intact.len()] {
        let mut bytes = intact.clone();
        bytes[range.clone()].copy_from_slice(&foreign[range.clone()]);
        fs::write(house.path(&one), bytes).unwrap();
        assert!(house.is_refused(&one), "{range:?}");
    }
}

#[test]
fn a_whole_object_under_another_id_is_noticed() {
    let house = House::new();
    let (one, other) = (house.store(b"the good model"), house.store(b"the bad model."));
    fs::copy(house.path(&other), house.path(&one)).unwrap();
    assert!(house.is_refused(&one));
    assert!(house.load(&other).is_ok());
}

#[test]
fn a_directory_or_device_in_an_object_s_place_is_refused() {
    let house = House::new();
    let id = house.store(b"abc");
    fs::remove_file(house.path(&id)).unwrap();
    fs::create_dir(house.path(&id)).unwrap();
    assert!(house.is_refused(&id));
    fs::remove_dir(house.path(&id)).unwrap();
    std::os::unix::fs::symlink("/dev/zero", house.path(&id)).unwrap();
    assert!(house.is_refused(&id));
}

#[test]
fn another_key_opens_neither_the_vault_nor_an_object() {
    let house = House::new();
    let id = house.store(b"abc");
    let directory = house.directory.path().join("vault");
    let keyring = |name: &str| Keyring::open_or_create(&house.directory.path().join(name), &SystemRng).unwrap();
    let error = Vault::open_or_create(&directory, keyring("other"), Arc::new(SystemRng)).unwrap_err();
    assert!(matches!(error, VaultError::ForeignKeyring { .. }));
    assert!(error.hint().is_some());
    // The marker is only there for a clear message: without it nothing opens either.
    fs::remove_file(directory.join("VAULT")).unwrap();
    let vault = Vault::open_or_create(&directory, keyring("other"), Arc::new(SystemRng)).unwrap();
    let error = vault.open(&id).unwrap_err();
    assert_eq!(error.rule(), Some("vault.authentication"));
    // And saying that the object was wrapped with the key at hand doesn't help.
    let foreign = house_with(&vault, b"abc");
    let bytes = fs::read(directory.join("objects").join(&foreign[..2]).join(&foreign)).unwrap();
    edit(&house.path(&id), |object| object[19..27].copy_from_slice(&bytes[19..27]));
    assert_eq!(vault.open(&id).unwrap_err().rule(), Some("vault.authentication"));
}

fn house_with(vault: &Vault, content: &[u8]) -> String {
    let mut pending = vault.begin().unwrap();
    pending.write_all(content).unwrap();
    let sealed = pending.seal().unwrap();
    vault.commit(&sealed).unwrap();
    sealed.id.to_string()
}

/// The vault's limit, and what is above it for: a holder of the key can write another object under the same id; the
/// digest in the catalog then differs.
#[test]
fn a_properly_encrypted_other_object_is_told_by_its_digest() {
    let house = House::new();
    let id = house.store(b"the good model");
    assert!(matches!(house.vault.begin_with_id(id), Err(VaultError::Exists { .. })));
    house.vault.delete(&id).unwrap();
    let mut pending = house.vault.begin_with_id(id).unwrap();
    pending.write_all(b"the bad model.").unwrap();
    house.vault.commit(&pending.seal().unwrap()).unwrap();
    let object = house.vault.open(&id).unwrap();
    assert_eq!(object.read_all(100).unwrap(), b"the bad model.");
    assert_eq!(object.digest().unwrap(), Digest::of(b"the bad model."));
    assert_ne!(object.digest().unwrap(), Digest::of(b"the good model"));
}
