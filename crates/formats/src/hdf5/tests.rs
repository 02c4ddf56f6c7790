use proptest::prelude::*;

use super::*;

/// Files of h5py 3.16: the form of HDF5 1.6, the newest form, and one with everything that leads to other files.
const OLD: &[u8] = include_bytes!("../../tests/fixtures/old.h5");
const NEW: &[u8] = include_bytes!("../../tests/fixtures/new.h5");
const OUTSIDE: &[u8] = include_bytes!("../../tests/fixtures/outside.h5");

fn open(bytes: &[u8]) -> Hdf5<'_> {
    // A slice is no sized source; a reference to one is.
    let source: &'static Vec<u8> = Box::leak(Box::new(bytes.to_vec()));
    Hdf5::open(source, &Hdf5Limits::default()).unwrap()
}

fn object<'f>(file: &'f Hdf5<'_>, path: &str) -> &'f Object {
    file.objects.iter().find(|object| object.path == path).unwrap_or_else(|| panic!("{path}"))
}

#[test]
fn old_and_new_files_are_read_alike() {
    for (bytes, version) in [(OLD, 0), (NEW, 3)] {
        let file = open(bytes);
        assert_eq!((file.version, &file.faults), (version, &Vec::new()));
        let root = object(&file, "/");
        assert_eq!(root.attribute("fixed").unwrap().text(), Some("fixed text"));
        assert_eq!(root.attribute("variable").unwrap().text(), Some("variable text é"));
        assert_eq!(root.attribute("list").unwrap().items, [b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]);
        assert_eq!(root.attribute("variables").unwrap().items, [b"x".to_vec(), b"yy".to_vec(), Vec::new()]);
        assert!(root.attribute("empty").unwrap().items.is_empty());
        let named = |name: &str| {
            let dataset = object(&file, &format!("/hard/{name}")).dataset.as_ref().unwrap();
            (dataset.datatype.name(), dataset.dimensions.clone().unwrap())
        };
        // The group has two names, and the shorter one is found first.
        assert_eq!(named("weights"), ("float32".to_owned(), vec![2, 3]));
        assert_eq!(named("chunked"), ("int64".to_owned(), vec![100]));
        assert_eq!(named("sequences"), ("sequences of uint8".to_owned(), vec![2]));
        assert_eq!(named("texts"), ("variable text".to_owned(), vec![2]));
        assert_eq!(named("compound"), ("compound".to_owned(), vec![2]));
        assert_eq!(object(&file, "/of_named").dataset.as_ref().unwrap().datatype.name(), "float64");
        assert_eq!(file.objects.iter().filter(|object| object.path.starts_with("/many/child")).count(), 12);
        assert_eq!(file.links, [Link { path: "/soft".to_owned(), target: Target::Soft("/a/b".to_owned()) }]);
        let mut heaps = Vec::new();
        file.search_heaps(&mut |object| heaps.push(object.to_vec())).unwrap();
        assert!(heaps.iter().any(|object| object.starts_with(b"\x80\x04K\x01.")));
    }
}

#[test]
fn attributes_in_heaps_are_read() {
    let file = open(NEW);
    let object = object(&file, "/attributes");
    assert_eq!(object.attributes.len(), 13);
    assert_eq!(object.attribute("name07").unwrap().text(), Some("value 7"));
    assert_eq!(object.attribute("long").unwrap().text(), Some("l".repeat(5000).as_str()));
}

#[test]
fn what_leads_outside_is_seen_behind_a_block_too() {
    let file = open(OUTSIDE);
    assert!(file.faults.is_empty(), "{:?}", file.faults);
    let target = Target::External { file: "/etc/other.h5".to_owned(), path: "/secret".to_owned() };
    assert_eq!(file.links, [Link { path: "/elsewhere".to_owned(), target }]);
    let storage = |path: &str| object(&file, path).dataset.as_ref().unwrap().storage.clone();
    assert_eq!(storage("/raw"), Storage::External(vec!["/etc/passwd".to_owned()]));
    assert_eq!(storage("/virtual"), Storage::Virtual("../v.h5".to_owned()));
}

#[test]
fn bounds_end_the_look() {
    let source = OLD.to_vec();
    for limits in [
        Hdf5Limits { bytes: 1000, ..Hdf5Limits::default() },
        Hdf5Limits { values: 10, ..Hdf5Limits::default() },
        Hdf5Limits { reads: 10, ..Hdf5Limits::default() },
        Hdf5Limits { objects: 5, ..Hdf5Limits::default() },
        Hdf5Limits { links: 5, ..Hdf5Limits::default() },
    ] {
        assert!(matches!(Hdf5::open(&source, &limits), Err(Hdf5Error::Bound(_))), "{limits:?}");
    }
}

#[test]
fn what_is_no_whole_file_is_told() {
    let limits = Hdf5Limits::default();
    assert!(matches!(Hdf5::open(&b"\x89HDF".to_vec(), &limits), Err(Hdf5Error::NoSuperblock)));
    let cut = OLD[..OLD.len() / 2].to_vec();
    assert!(matches!(Hdf5::open(&cut, &limits), Err(Hdf5Error::Truncated)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn nothing_panics(
        which in 0_usize..3,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        near in any::<bool>(),
    ) {
        let mut bytes = [OLD, NEW, OUTSIDE][which].to_vec();
        // Half of the changes are in the structure at the beginning.
        let span = if near { 2000 } else { bytes.len() };
        for (place, byte) in changes {
            let place = place.index(span);
            bytes[place] = byte;
        }
        let limits = Hdf5Limits { bytes: 16 << 20, reads: 20_000, ..Hdf5Limits::default() };
        if let Ok(file) = Hdf5::open(&bytes, &limits) {
            let _ = file.search_heaps(&mut |_| {});
        }
    }
}
