use sealyard_core::ReadAt;
use sealyard_formats::decompress::ExpandEnd;
use sealyard_formats::npy::Npy;
use sealyard_formats::skops::{self, Skops};
use sealyard_formats::zip::{Anomaly, Archive, Member, ZipError, ZipLimits};

use super::{content, pickle};
use crate::judge::Persistence;
use crate::kind::Kind;
use crate::rules;
use crate::sink::Sink;

/// Largest member that is expanded.
const MAX_MEMBER: u64 = 256 << 20;
/// Bytes that show whether numpy would read a member as an array.
const ARRAY_HEAD: u16 = 8;
/// Archives inside archives.
const MAX_DEPTH: usize = 4;

/// What could make two readers of an archive see different members.
#[derive(Debug)]
pub(crate) enum Mismatch<'a> {
    /// Of the archive's layout.
    Layout(&'a Anomaly),
    /// The member's bytes have another CRC or size than the directory says, or break off.
    Content(&'a str),
}

/// Looks at an archive: at its layout, and at every member that any reader could find.
pub(super) fn inspect(data: &dyn ReadAt, sink: &mut Sink) -> &'static str {
    if sink.depth() >= MAX_DEPTH {
        sink.miss("archives are nested too deeply");
        return "zip";
    }
    let archive = match Archive::open(data, &ZipLimits::default()) {
        Ok(archive) => archive,
        Err(error) => {
            sink.miss(format!("the archive can't be read: {error}"));
            return "zip";
        }
    };
    for anomaly in archive.anomalies() {
        if *anomaly == Anomaly::SeveralEnds && others_are_stored(data, archive.members()) {
            continue;
        }
        rules::zip::run(&Mismatch::Layout(anomaly), sink);
    }
    let kind = kind_of(archive.members());
    // Each reader looks for its own members only, so one archive may be a model for several of them.
    let has = |name: &str| archive.members().iter().any(|member| member.name == name);
    if has(skops::SCHEMA) {
        match Skops::open(&archive) {
            Ok(schema) => sink.inside(skops::SCHEMA, |sink| rules::skops::run(&schema, sink)),
            Err(error) => sink.miss(format!("the skops schema can't be read: {error}")),
        }
    }
    if has("config.json") && has("metadata.json") {
        sink.miss("the format keras is not supported");
    }
    for member in archive.members().iter().filter(|member| !member.is_directory()) {
        sink.inside(&member.name, |sink| look(&archive, member, kind, sink));
    }
    if archive.members().is_empty() {
        sink.miss("the archive is empty");
    }
    kind
}

const END: &[u8] = b"PK\x05\x06";
const END_SIZE: usize = 22;

/// Every end record in the part of the file where one may lie: its offset, and whether its comment ends with the file.
fn ends(data: &dyn ReadAt) -> std::io::Result<Vec<(u64, bool)>> {
    let window = data.size().min(0xffff + END_SIZE as u64);
    let start = data.size() - window;
    let mut tail = vec![0; usize::try_from(window).unwrap_or_default()];
    data.read_exact_at(start, &mut tail)?;
    let record = |place: usize| tail.get(place..place + END_SIZE).filter(|record| record.starts_with(END));
    Ok((0..tail.len())
        .filter_map(|place| {
            let comment = record(place)?.last_chunk::<2>().map(|length| usize::from(u16::from_le_bytes(*length)))?;
            Some((start + place as u64, place + END_SIZE + comment == tail.len()))
        })
        .collect())
}

/// Whether a file that begins as something else is an archive for readers that look at its end.
pub(super) fn is_behind(data: &dyn ReadAt) -> bool {
    // Where the end can't be read, the rest of the file is reported as unreadable.
    let Ok(ends) = ends(data) else { return false };
    if ends.iter().any(|(_, fits)| *fits) {
        return true;
    }
    // Python's zipfile takes the last end record, whatever comment it claims and whatever follows it.
    !ends.is_empty()
        && match Archive::open(data, &ZipLimits::default()) {
            Ok(archive) => !archive.members().is_empty(),
            Err(error) => matches!(error, ZipError::Bound(_)),
        }
}

/// Whether all end records but the one that closes the file lie within stored members: an archive inside this one has
/// its own.
fn others_are_stored(data: &dyn ReadAt, members: &[Member]) -> bool {
    let Ok(ends) = ends(data) else { return false };
    let within = |offset: u64| {
        members.iter().any(|member| {
            let end = member.data_offset.saturating_add(member.compressed);
            (member.data_offset..end).contains(&offset)
        })
    };
    ends.iter().filter(|(_, fits)| *fits).count() == 1 && ends.iter().all(|(offset, fits)| *fits || within(*offset))
}

fn kind_of(members: &[Member]) -> &'static str {
    let has = |name: &str| members.iter().any(|member| member.name == name);
    let below =
        |name: &str| members.iter().any(|member| member.name.split_once('/').is_some_and(|(_, rest)| rest == name));
    if below("data.pkl") {
        "torch"
    } else if has(skops::SCHEMA) {
        "skops"
    } else if has("config.json") && has("metadata.json") {
        "keras"
    } else if !members.is_empty() && members.iter().all(|member| member.name.ends_with(".npy")) {
        "npz"
    } else {
        "zip"
    }
}

fn look(archive: &Archive<'_>, member: &Member, kind: &str, sink: &mut Sink) {
    let is_array = || archive.head(member, ARRAY_HEAD).is_ok_and(|head| Npy::matches(&head));
    if kind == "torch" && is_storage(&member.name) && !is_array() {
        // Raw numbers that only `data.pkl` gives a meaning. PyTorch never interprets them, however they begin; numpy
        // would take those with its own magic for an array.
        return;
    }
    let bytes = match archive.read(member, MAX_MEMBER.min(sink.budget())) {
        Ok(content) => {
            if content.end == ExpandEnd::Bound {
                sink.miss("it expands to more than the bound");
            } else if content.end != ExpandEnd::Complete || !content.matches {
                rules::zip::run(&Mismatch::Content(&member.name), sink);
            }
            content.bytes
        }
        Err(error) => return sink.miss(format!("it can't be read: {error}")),
    };
    sink.spend(bytes.len());
    let found = match Kind::of(&bytes) {
        Ok(found) => found,
        Err(error) => return sink.miss(format!("it can't be read: {error}")),
    };
    if kind == "torch" {
        match member.name.split_once('/').map(|(_, rest)| rest) {
            Some("data.pkl") => {
                pickle::inspect_bytes(&bytes, Persistence::Torch, sink);
                return;
            }
            Some(rest) if rest.starts_with("code/") || rest == "constants.pkl" => {
                return sink.miss("TorchScript is not supported");
            }
            // The version, byte order and alignment that PyTorch itself writes.
            Some("byteorder" | "version" | ".format_version" | ".storage_alignment" | ".data/serialization_id")
                if found != Kind::Npy =>
            {
                return;
            }
            _ => {}
        }
    }
    content(found, &member.name, &bytes, sink);
}

fn is_storage(name: &str) -> bool {
    let key = name.split_once('/').and_then(|(_, rest)| rest.strip_prefix("data/"));
    key.is_some_and(|key| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit()))
}
