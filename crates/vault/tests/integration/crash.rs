use std::fs;
use std::io::Write as _;
use std::mem;

use sealyard_vault::VaultError;

use crate::common::{House, content, open};

fn pending_count(house: &House) -> usize {
    fs::read_dir(house.pending()).unwrap().count()
}

#[test]
fn what_is_dropped_or_discarded_is_gone() {
    let house = House::new();
    let mut pending = house.vault.begin().unwrap();
    pending.write_all(&content(200_000)).unwrap();
    assert_eq!(pending_count(&house), 1);
    drop(pending);
    assert_eq!(pending_count(&house), 0);
    drop(house.seal(b"abc"));
    let sealed = house.seal(b"abc");
    house.vault.discard(&sealed).unwrap();
    assert_eq!(pending_count(&house), 0);
    assert!(house.vault.commit(&sealed).is_err());
    assert!(!house.vault.contains(&sealed.id).unwrap());
    drop(sealed);
    assert_eq!(pending_count(&house), 0);
    assert_eq!(house.vault.sweep_staging().unwrap(), (0, 0));
    assert_eq!(house.vault.each_object(&mut |object| panic!("{} was stored", object.id)).unwrap(), 0);
}

#[test]
fn a_committed_object_stays_when_its_handle_is_dropped() {
    let house = House::new();
    let sealed = house.seal(b"abc");
    assert!(matches!(house.vault.open(&sealed.id), Err(VaultError::Missing { .. })), "pending is not stored");
    house.vault.commit(&sealed).unwrap();
    assert_eq!(house.vault.open_sealed(&sealed).unwrap().size(), 3);
    assert!(matches!(house.vault.commit(&sealed), Err(VaultError::Exists { .. })));
    assert!(matches!(house.vault.discard(&sealed), Err(VaultError::Exists { .. })));
    let id = sealed.id;
    drop(sealed);
    assert_eq!(house.load(&id).unwrap(), b"abc");
    assert_eq!(pending_count(&house), 0);
    let again = open(house.directory.path()).unwrap();
    assert_eq!(again.open(&id).unwrap().size(), 3);
}

/// A killed process runs no destructors, but the system releases its locks.
#[test]
fn leftovers_of_a_crash_are_swept_and_all_objects_shown() {
    let house = House::new();
    let kept = house.store(b"referenced");
    let other = house.store(b"its row was never written");
    for name in ["00112233445566778899aabbccddeeff", "junk"] {
        fs::write(house.pending().join(name), b"half").unwrap();
    }
    let shard = house.path(&kept).parent().unwrap().to_owned();
    fs::write(shard.join("stranger"), b"?").unwrap();
    fs::write(house.directory.path().join("vault/objects/stranger"), b"?").unwrap();
    let vault = open(house.directory.path()).unwrap();
    assert_eq!(vault.sweep_staging().unwrap(), (2, 0));
    assert_eq!(pending_count(&house), 0);
    let mut found = Vec::new();
    assert_eq!(vault.each_object(&mut |object| found.push(object.id)).unwrap(), 2, "strangers are counted");
    found.sort_unstable();
    let mut stored = [kept, other];
    stored.sort_unstable();
    assert_eq!(found, stored);
    assert_eq!(house.load(&kept).unwrap(), b"referenced");
}

#[test]
fn pipes_and_links_in_the_vault_hold_nobody_up() {
    let house = House::new();
    let (id, target) = (house.store(b"abc"), house.store(b"target"));
    std::os::unix::fs::symlink(house.path(&target), house.pending().join("link")).unwrap();
    fs::create_dir(house.pending().join("directory")).unwrap();
    fs::remove_file(house.path(&id)).unwrap();
    for pipe in [house.pending().join("pipe"), house.path(&id)] {
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    }
    assert_eq!(house.vault.open(&id).unwrap_err().rule(), Some("vault.authentication"));
    assert_eq!(house.vault.sweep_staging().unwrap(), (2, 1));
    assert_eq!(house.vault.each_object(&mut |_| {}).unwrap(), 1);
    assert_eq!(house.load(&target).unwrap(), b"target", "what a link points to is left");
}

#[test]
fn a_sweep_leaves_what_is_being_written_alone() {
    let house = House::new();
    let mut pending = house.vault.begin().unwrap();
    pending.write_all(b"still ").unwrap();
    let sealed = house.seal(b"being scanned");
    let other = open(house.directory.path()).unwrap();
    assert_eq!(other.sweep_staging().unwrap(), (0, 0));
    assert_eq!(house.vault.sweep_staging().unwrap(), (0, 0));
    pending.write_all(b"here").unwrap();
    let written = pending.seal().unwrap();
    house.vault.commit(&written).unwrap();
    house.vault.commit(&sealed).unwrap();
    assert_eq!(house.load(&written.id).unwrap(), b"still here");
    assert_eq!(house.load(&sealed.id).unwrap(), b"being scanned");
}

#[test]
fn two_restores_of_one_object_do_not_mix() {
    let house = House::new();
    let id = house.store(b"abc");
    house.vault.delete(&id).unwrap();
    let mut one = house.vault.begin_with_id(id).unwrap();
    let mut two = house.vault.begin_with_id(id).unwrap();
    one.write_all(b"one").unwrap();
    two.write_all(b"two").unwrap();
    let (one, two) = (one.seal().unwrap(), two.seal().unwrap());
    house.vault.commit(&one).unwrap();
    assert!(matches!(house.vault.commit(&two), Err(VaultError::Exists { .. })));
    assert_eq!(house.load(&id).unwrap(), b"one");
}

#[test]
fn another_vault_s_object_can_not_be_committed() {
    let (house, other) = (House::new(), House::new());
    let sealed = house.seal(b"abc");
    assert!(matches!(other.vault.commit(&sealed), Err(VaultError::Missing { .. })));
    assert!(matches!(other.vault.open_sealed(&sealed), Err(VaultError::UnknownKey { .. })));
}

#[test]
fn a_directory_that_is_no_vault_of_this_version_is_refused() {
    let house = House::new();
    for marker in ["", "sealyard-vault v2\nkey 0011223344556677\n", "sealyard-vault v1\n", "\u{0}"] {
        fs::write(house.directory.path().join("vault/VAULT"), marker).unwrap();
        assert!(matches!(open(house.directory.path()), Err(VaultError::UnknownFormat { .. })), "{marker:?}");
    }
    mem::drop(house);
}
