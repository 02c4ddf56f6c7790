use sealyard_core::Verdict;
use sealyard_scan_model::Scanner;

use crate::corpus::{entries, root};

#[test]
fn files_of_real_libraries_are_safe() {
    let mut problems = Vec::new();
    let mut count = 0;
    for set in entries(&root().join("benign")) {
        for file in entries(&set) {
            count += 1;
            let report = Scanner::new().scan_path(&file);
            if report.verdict() != Verdict::Safe {
                let findings: Vec<_> = report.findings().map(|finding| (&finding.rule, &finding.message)).collect();
                let missed: Vec<_> = report.not_assessed().collect();
                problems.push(format!("{}: {} {findings:?} {missed:?}", file.display(), report.verdict()));
            }
        }
    }
    assert!(problems.is_empty(), "{} of {count}:\n{}", problems.len(), problems.join("\n"));
    assert!(count > 50, "the benign corpus is missing");
}
