use std::sync::Arc;

use sealyard_core::{ReadAt, TreePath};
use sealyard_scan::SubjectReport;

use super::{hf_folder, mlmodel, raw_tensors, xml};
use crate::sink::Sink;

/// What looks at the files of a folder together.
const LOOKS: &[fn(&mut Folder<'_>)] = &[mlmodel::folder, hf_folder::folder, raw_tensors::folder, xml::folder];

/// The files of a folder, each of which has been looked at alone.
pub(crate) struct Folder<'f> {
    pub(crate) files: &'f [(TreePath, Arc<dyn ReadAt>)],
    subjects: &'f mut [SubjectReport],
}

/// Looks at what only the files together can tell.
pub(crate) fn folder(files: &[(TreePath, Arc<dyn ReadAt>)], subjects: &mut [SubjectReport]) {
    let mut folder = Folder { files, subjects };
    for look in LOOKS {
        look(&mut folder);
    }
}

impl Folder<'_> {
    /// The files whose last part is `name`.
    pub(crate) fn named(&self, name: &str) -> Vec<(TreePath, Arc<dyn ReadAt>)> {
        self.files.iter().filter(|(path, _)| path.file_name() == name).cloned().collect()
    }

    /// The paths of the files that were found to be of a kind.
    pub(crate) fn of_kind(&self, kind: &str) -> Vec<String> {
        self.subjects.iter().filter(|subject| subject.kind == kind).map(|subject| subject.path.clone()).collect()
    }

    /// The reports on the files.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = &SubjectReport> {
        self.subjects.iter()
    }

    /// The report on one file.
    pub(crate) fn subject(&mut self, path: &str) -> Option<&mut SubjectReport> {
        self.subjects.iter_mut().find(|subject| subject.path == path)
    }

    /// Adds what was seen of the file at `path` to what has been said of it alone.
    pub(crate) fn add(&mut self, path: &str, seen: Sink) {
        let Some(subject) = self.subject(path) else { return };
        for finding in seen.findings {
            if !subject.findings.contains(&finding) {
                subject.push(finding);
            }
        }
        for missed in seen.not_assessed {
            subject.miss(missed.reason);
        }
        for fact in seen.facts {
            if !subject.facts.contains(&fact) {
                subject.facts.push(fact);
            }
        }
    }
}
