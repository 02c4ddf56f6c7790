use std::collections::BTreeMap;
use std::io::Read;

use sealyard_core::ReadAt;
use sealyard_formats::Section;
use sealyard_formats::sevenz::{File, SevenZip, SevenZipError, SevenZipLimits};
use sealyard_formats::tar::leaves;
use sealyard_scan::FactKind;

use super::archive::ArchiveConcern;
use crate::context::Context;
use crate::rules;

/// A 7z archive: models that were meant to get past scanners were published in such ones.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let archive = match SevenZip::open(data, &SevenZipLimits::default()) {
        Ok(archive) => archive,
        Err(error) => {
            miss(&error, context);
            return "7z";
        }
    };
    context.fact(FactKind::Format, "7z", archive.files().len());
    for file in archive.files() {
        if leaves(&file.name) {
            let message = format!("the member {:?} leads out of the folder", file.name);
            rules::archive::run(&ArchiveConcern::UnsafePath(message), context.sink());
        }
    }
    let mut folders: BTreeMap<usize, Vec<&File>> = BTreeMap::new();
    for file in archive.files() {
        if let Some(folder) = file.folder {
            folders.entry(folder).or_default().push(file);
        }
    }
    for (index, files) in folders {
        match archive.folder(index) {
            Ok(mut stream) => {
                for file in files {
                    if !look(&mut *stream, file, context) {
                        break;
                    }
                }
            }
            Err(error) => {
                let label = files.first().map_or("", |file| file.name.as_str());
                context.inside(label, |context| miss(&error, context));
            }
        }
    }
    if archive.tail() > 0 {
        rules::archive::run(&ArchiveConcern::Trailing(archive.tail()), context.sink());
        let start = data.size() - archive.tail();
        context.nest("what follows the archive", &Section::new(data, start..data.size()));
    }
    "7z"
}

fn miss(error: &SevenZipError, context: &mut Context) {
    if let SevenZipError::Encrypted = error {
        rules::archive::run(&ArchiveConcern::Encrypted, context.sink());
    }
    context.miss(format!("it can't be read: {error}"));
}

/// Looks at the next file of a folder; false if what is behind it can't be reached.
fn look(stream: &mut dyn Read, file: &File, context: &mut Context) -> bool {
    let most = context.budget().bytes();
    if file.size > most {
        context.inside(&file.name, |context| context.miss("it expands to more than the bound"));
        context.budget().spend_bytes(most);
        return false;
    }
    let mut bytes = Vec::new();
    let read = stream.take(file.size).read_to_end(&mut bytes);
    let is_whole = read.is_ok() && bytes.len() as u64 == file.size;
    context.nest_expanded(&file.name, &bytes);
    context.inside(&file.name, |context| {
        if !is_whole {
            context.miss("its bytes break off");
        } else if !file.matches(&bytes) {
            let message = "its bytes are not those that the archive describes".to_owned();
            rules::archive::run(&ArchiveConcern::Ambiguous(message), context.sink());
        }
    });
    is_whole
}
