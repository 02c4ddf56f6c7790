use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use proptest::prelude::*;
use sealyard_core::{Digest, ReadAt as _};
use sealyard_vault::VaultError;

use crate::common::{CHUNK, HEADER, House, SEALED_CHUNK, content};

#[test]
fn sizes_around_chunk_borders_round_trip() {
    let house = House::new();
    for chunks in 0..4_usize {
        for size in [-1, 0, 1].into_iter().filter_map(|by| (chunks * CHUNK).checked_add_signed(by)) {
            let content = content(size);
            let sealed = house.seal(&content);
            assert_eq!((sealed.size, sealed.digest), (size as u64, Digest::of(&content)));
            house.vault.commit(&sealed).unwrap();
            assert_eq!(house.load(&sealed.id).unwrap(), content, "{size}");
            let object = house.vault.open(&sealed.id).unwrap();
            assert_eq!(object.size(), size as u64);
            assert_eq!(object.digest().unwrap(), sealed.digest);
            let sealed_chunks = size.div_ceil(CHUNK).max(1);
            let on_disk = fs::metadata(house.path(&sealed.id)).unwrap().len();
            assert_eq!(on_disk, (HEADER + size + sealed_chunks * (SEALED_CHUNK - CHUNK)) as u64);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_writes_and_any_ranges_agree(
        size in prop_oneof![0..200_usize, CHUNK - 3..CHUNK + 3, 2 * CHUNK - 3..2 * CHUNK + 3, 0..3 * CHUNK],
        step in prop_oneof![1..100_usize, CHUNK - 2..CHUNK + 2, 1..200_000_usize],
        ranges in prop::collection::vec((0..3 * CHUNK + 10, 0..CHUNK + 10), 1..8),
    ) {
        let house = House::new();
        let content = content(size);
        let mut pending = house.vault.begin().unwrap();
        for part in content.chunks(step) {
            pending.write_all(part).unwrap();
        }
        let sealed = pending.seal().unwrap();
        prop_assert_eq!(sealed.digest, Digest::of(&content));
        let object = house.vault.open_sealed(&sealed).unwrap();
        for (start, length) in ranges {
            let mut buffer = vec![0; length];
            let read = object.read_at(start as u64, &mut buffer).unwrap();
            let start = start.min(size);
            prop_assert_eq!(&buffer[..read], &content[start..(start + length).min(size)]);
        }
    }
}

#[test]
fn reads_past_the_end_give_nothing() {
    let house = House::new();
    let object = house.vault.open(&house.store(b"abc")).unwrap();
    let mut buffer = [0; 4];
    for offset in [3, 4, u64::MAX - 1, u64::MAX] {
        assert_eq!(object.read_at(offset, &mut buffer).unwrap(), 0);
    }
    assert_eq!(object.read_at(2, &mut buffer).unwrap(), 1);
}

#[test]
fn many_can_read_one_object_at_once() {
    let house = House::new();
    let content = Arc::new(content(5 * CHUNK + 77));
    let object = Arc::new(house.vault.open(&house.store(&content)).unwrap());
    let readers: Vec<_> = (0..8)
        .map(|reader| {
            let (content, object) = (Arc::clone(&content), Arc::clone(&object));
            std::thread::spawn(move || {
                for round in 0..60 {
                    let start = (reader * 7_919 + round * 40_009) % content.len();
                    let mut buffer = vec![0; 3_000.min(content.len() - start)];
                    object.read_exact_at(start as u64, &mut buffer).unwrap();
                    assert_eq!(buffer, content[start..start + buffer.len()]);
                }
            })
        })
        .collect();
    for reader in readers {
        reader.join().unwrap();
    }
}

/// Finding the bytes of a file's middle must not mean to decrypt all of it: damage elsewhere goes unnoticed, which
/// shows that nothing else was read.
#[test]
fn a_range_decrypts_only_its_chunks() {
    let house = House::new();
    let content = content(4 * CHUNK);
    let id = house.store(&content);
    let mut bytes = fs::read(house.path(&id)).unwrap();
    bytes[HEADER + 5] ^= 1;
    fs::write(house.path(&id), bytes).unwrap();
    let object = house.vault.open(&id).unwrap();
    let mut buffer = vec![0; 2 * CHUNK];
    object.read_exact_at(CHUNK as u64, &mut buffer).unwrap();
    assert_eq!(buffer, content[CHUNK..3 * CHUNK]);
    let error = object.read_at(0, &mut buffer).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    assert_eq!(VaultError::within(&error).unwrap().rule(), Some("vault.authentication"));
}

#[test]
fn no_plaintext_and_nothing_open_to_others_is_ever_on_the_disk() {
    let house = House::new();
    let secret = b"a sentence that must not be found anywhere on the disk";
    let content = secret.repeat(4_000);
    let is_absent = || {
        for path in house.files() {
            let bytes = fs::read(&path).unwrap();
            assert!(!bytes.windows(16).any(|window| window == &secret[..16]), "{}", path.display());
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
        }
    };
    let mut pending = house.vault.begin().unwrap();
    for part in content.chunks(10_000) {
        pending.write_all(part).unwrap();
        is_absent();
    }
    let sealed = pending.seal().unwrap();
    is_absent();
    house.vault.commit(&sealed).unwrap();
    house.load(&sealed.id).unwrap();
    is_absent();
    let mode = fs::metadata(house.directory.path().join("vault")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_missing_object_is_missing_and_a_deleted_one_too() {
    let house = House::new();
    let id = house.store(b"abc");
    house.vault.delete(&id).unwrap();
    assert!(!house.vault.contains(&id).unwrap());
    assert!(matches!(house.vault.open(&id), Err(VaultError::Missing { .. })));
    assert!(matches!(house.vault.delete(&id), Err(VaultError::Missing { .. })));
    assert_eq!(house.vault.open(&id).unwrap_err().rule(), None);
}

#[test]
fn the_same_content_looks_different_each_time() {
    let house = House::new();
    let one = fs::read(house.path(&house.store(&content(500)))).unwrap();
    let other = fs::read(house.path(&house.store(&content(500)))).unwrap();
    assert_ne!(one[HEADER..], other[HEADER..]);
}

#[test]
fn output_that_fails_is_not_called_damage() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let house = House::new();
    let object = house.vault.open(&house.store(b"abc")).unwrap();
    let error = object.copy_to(&mut Full).unwrap_err();
    assert!(matches!(error, VaultError::Output { .. }));
    assert_eq!(error.rule(), None);
}
