use sealyard_core::ReadAt;

use super::Format;
use crate::zip::{Archive, Member, ZipLimits};

const BLOCK: u64 = 512;
/// Members of a tar that are looked at for what it is.
const MAX_TAR: usize = 64;

/// Which library's zip it is; none if its directory can't be read.
pub(super) fn zip(source: &dyn ReadAt) -> Option<Format> {
    let archive = Archive::open(source, &ZipLimits { gaps: 0, ..ZipLimits::default() }).ok()?;
    Some(zip_of(archive.members()))
}

/// Which library's zip one with these members is.
#[must_use]
pub fn zip_of(members: &[Member]) -> Format {
    let any = |test: &dyn Fn(&str) -> bool| members.iter().any(|member| test(&member.name));
    let has = |wanted: &str| any(&|name| name == wanted);
    let below =
        |wanted: &str| any(&|name| name == wanted || name.split_once('/').is_some_and(|(_, rest)| rest == wanted));
    if below("data.pkl") {
        let program = any(&|name| name.split_once('/').is_some_and(|(_, rest)| rest.starts_with("code/")));
        if program || below("constants.pkl") { Format::TorchScript } else { Format::TorchZip }
    } else if has("schema.json") {
        Format::Skops
    } else if has("config.json") && has("metadata.json") {
        Format::Keras
    } else if has("MAR-INF/MANIFEST.json") {
        Format::Mar
    } else if !members.is_empty() && members.iter().all(|member| member.name.ends_with(".npy")) {
        Format::Npz
    } else {
        Format::Zip
    }
}

/// Whether the first block is the header of a tar: by its mark, or, for those from before there was one, by its sum.
pub(super) fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar") || sum_fits(head)
}

fn sum_fits(head: &[u8]) -> bool {
    let Some(header) = head.get(..512) else { return false };
    let Some(claimed) = header.get(148..156).and_then(octal) else { return false };
    let sum = |signed: bool| {
        header.iter().enumerate().fold(0_i64, |sum, (place, byte)| {
            let byte = if (148..156).contains(&place) { b' ' } else { *byte };
            sum + if signed { i64::from(byte.cast_signed()) } else { i64::from(byte) }
        })
    };
    // Some writers added up signed bytes.
    let named = header.first().is_some_and(|first| *first != 0);
    named && [sum(false), sum(true)].contains(&i64::try_from(claimed).unwrap_or(-1))
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    u64::from_str_radix(text, 8).ok()
}

/// Which library's tar it is.
pub(super) fn tar(source: &dyn ReadAt) -> Format {
    let mut place = 0;
    let mut header = [0; 512];
    for _ in 0..MAX_TAR {
        if source.read_exact_at(place, &mut header).is_err() || !is_tar(&header) {
            break;
        }
        let name = header.get(..100).and_then(|name| name.split(|byte| *byte == 0).next()).unwrap_or_default();
        if name == b"model_config.yaml" || name == b"./model_config.yaml" {
            return Format::Nemo;
        }
        let size = header.get(124..136).and_then(octal).unwrap_or(u64::MAX);
        let Some(next) = size.checked_next_multiple_of(BLOCK).and_then(|size| place.checked_add(size + BLOCK)) else {
            break;
        };
        place = next;
    }
    Format::Tar
}
