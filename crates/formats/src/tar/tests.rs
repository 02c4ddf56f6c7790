use proptest::prelude::*;

use super::*;

/// A header and its bytes, as ustar has them.
pub(crate) fn member(name: &str, kind: u8, link: &str, bytes: &[u8]) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..107].copy_from_slice(b"0000644");
    block[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
    block[156] = kind;
    block[157..157 + link.len()].copy_from_slice(link.as_bytes());
    block[257..265].copy_from_slice(b"ustar\x0000");
    seal(&mut block);
    block.extend(bytes);
    block.resize(block.len().next_multiple_of(BLOCK), 0);
    block
}

fn seal(block: &mut [u8]) {
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block[..BLOCK].iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

fn archive(members: &[Vec<u8>]) -> Vec<u8> {
    [members.concat(), vec![0; 2 * BLOCK]].concat()
}

fn open(bytes: &[u8]) -> Tar {
    Tar::open(&bytes.to_vec(), &TarLimits::default()).unwrap()
}

fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let mut text = String::new();
    for (key, value) in records {
        let body = key.len() + value.len() + 3;
        let length = (body..body + 9).find(|length| length.to_string().len() + body == *length).unwrap();
        text.push_str(&format!("{length} {key}={value}\n"));
    }
    text.into_bytes()
}

#[test]
fn members_are_listed_with_their_bytes() {
    let bytes = archive(&[member("a", b'0', "", b"one"), member("d/", b'5', "", b""), member("d/b", 0, "", b"two")]);
    let tar = open(&bytes);
    let names: Vec<_> = tar.members.iter().map(|member| (member.name.as_str(), member.kind)).collect();
    assert_eq!(names, [("a", MemberKind::File), ("d/", MemberKind::Directory), ("d/b", MemberKind::File)]);
    let data = &tar.members[2].data;
    assert_eq!(&bytes[data.start as usize..data.end as usize], b"two");
    assert_eq!(tar.anomalies, []);
    assert!(tar.broken.is_none());
}

#[test]
fn long_names_of_every_form_are_read() {
    let long = "very/".repeat(40) + "long";
    let gnu = [member("././@LongLink", b'L', "", format!("{long}\0").as_bytes()), member("short", b'0', "", b"1")];
    assert_eq!(open(&archive(&gnu)).members[0].name, long);
    let records = pax(&[("path", &long), ("size", "4")]);
    let plain = [member("x", b'x', "", &records), member("short", b'0', "", b"1234")];
    let tar = open(&archive(&plain));
    assert_eq!((tar.members[0].name.as_str(), tar.members[0].data.clone()), (long.as_str(), 1536..1540));
    let global =
        [member("g", b'g', "", &pax(&[("path", "../all")])), member("a", b'0', "", b""), member("b", b'0', "", b"")];
    assert_eq!(open(&archive(&global)).members[1].name, "../all");
    let mut prefixed = member("name", b'0', "", b"");
    prefixed[345..351].copy_from_slice(b"folder");
    seal(&mut prefixed);
    assert_eq!(open(&archive(&[prefixed])).members[0].name, "folder/name");
}

#[test]
fn what_leads_out_is_told() {
    let members = [
        member("/etc/passwd", b'0', "", b""),
        member("a/../../b", b'0', "", b""),
        member("one", b'2', "/etc", b""),
        member("two", b'1', "../x", b""),
        member("deep/three", b'2', "../four", b""),
        member("deep/five", b'2', "../../x", b""),
        member("one/through", b'0', "", b""),
        member("dev", b'3', "", b""),
        member("C:\\x", b'0', "", b""),
        member("pipe", b'6', "", b""),
    ];
    let found = open(&archive(&members)).anomalies;
    let link = |name: &str, target: &str| TarAnomaly::LinkOutside { name: name.into(), target: target.into() };
    assert_eq!(
        found,
        [
            TarAnomaly::UnsafeName("/etc/passwd".into()),
            TarAnomaly::UnsafeName("a/../../b".into()),
            link("one", "/etc"),
            link("two", "../x"),
            link("deep/five", "../../x"),
            TarAnomaly::ThroughLink("one/through".into()),
            TarAnomaly::Device("dev".into()),
            TarAnomaly::UnsafeName("C:\\x".into()),
            TarAnomaly::Device("pipe".into()),
        ]
    );
}

#[test]
fn members_behind_the_end_are_found() {
    let bytes =
        [archive(&[member("a", b'0', "", b"1")]), archive(&[member("hidden", b'0', "", b"2")]), b"tail".to_vec()];
    let tar = open(&bytes.concat());
    assert!(tar.members[1].is_behind && tar.members[1].name == "hidden");
    assert_eq!(tar.anomalies, [TarAnomaly::Behind("hidden".into()), TarAnomaly::Tail(4)]);
    // Padding is none of that.
    assert_eq!(open(&[archive(&[member("a", b'0', "", b"1")]), vec![0; 10_000]].concat()).anomalies, []);
}

#[test]
fn twice_and_with_bytes_that_links_have_not() {
    let bytes = archive(&[member("./a", b'0', "", b"1"), member("a", b'0', "", b"2")]);
    assert_eq!(open(&bytes).anomalies, [TarAnomaly::DuplicateName("a".into())]);
    let inner = member("inner", b'0', "", b"2");
    let bytes = archive(&[member("link", b'2', "a", &inner)]);
    let tar = open(&bytes);
    assert_eq!(tar.anomalies, [TarAnomaly::Sized("link".into())]);
    assert_eq!(tar.members[1].name, "inner");
}

#[test]
fn what_breaks_off_is_told() {
    let mut bytes = archive(&[member("a", b'0', "", b"1"), member("b", b'0', "", &[1; 600])]);
    bytes.truncate(1024 + 512 + 100);
    assert!(matches!(open(&bytes).broken, Some(TarError::Truncated(_))));
    let mut bytes = archive(&[member("a", b'0', "", b"1"), member("b", b'0', "", b"1")]);
    bytes[1024] = b'c';
    assert!(matches!(open(&bytes).broken, Some(TarError::Broken(1024))));
    assert!(matches!(Tar::open(&vec![1; 600], &TarLimits::default()), Err(TarError::NoHeader)));
    // A length of the highest number allocates nothing.
    let mut huge = member("a", b'L', "", b"");
    huge[124..136].copy_from_slice(b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff");
    seal(&mut huge);
    assert!(matches!(Tar::open(&huge, &TarLimits::default()), Err(TarError::Bound(_))));
    let many: Vec<_> = (0..20).map(|count| member(&count.to_string(), b'0', "", b"")).collect();
    let limits = TarLimits { members: 10, ..TarLimits::default() };
    assert!(matches!(Tar::open(&archive(&many), &limits).unwrap().broken, Some(TarError::Bound(_))));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(changes in prop::collection::vec((0_usize..4096, any::<u8>()), 0..20), cut in 0_usize..4096) {
        let mut bytes = archive(&[
            member("x", b'x', "", &pax(&[("path", "a"), ("size", "3")])),
            member("a", b'0', "", b"123"),
            member("s", b'S', "", b"123"),
        ]);
        for (place, byte) in changes {
            if let Some(at) = bytes.get_mut(place) {
                *at = byte;
            }
        }
        bytes.truncate(cut);
        let _ = Tar::open(&bytes, &TarLimits::default());
    }
}
