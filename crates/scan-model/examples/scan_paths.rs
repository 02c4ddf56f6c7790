//! Scans each given path, file or folder, as a whole: `cargo run -p sealyard-scan-model --example scan_paths -- PATH…`.
//!
//! One JSON line for each path, in the order given: `path`, `verdict`, `rules` that had something to say, and why
//! something was not assessed. `dev/bench/scan.py` measures the scanner with it where the whole binary is not built.
//! With `-` the paths are read from standard input, one a line.
#![allow(clippy::print_stdout, reason = "the result goes to stdout")]

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{BufRead as _, Write as _};
use std::path::Path;

use sealyard_scan_model::Scanner;

fn main() -> Result<(), Box<dyn Error>> {
    let scanner = Scanner::new();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "-") {
        for line in std::io::stdin().lock().lines() {
            show(&scanner, &line?)?;
        }
        return Ok(());
    }
    arguments.iter().try_for_each(|path| show(&scanner, path))
}

fn show(scanner: &Scanner, path: &str) -> Result<(), Box<dyn Error>> {
    let report = scanner.scan_path(Path::new(path));
    let rules: BTreeSet<_> = report.findings().map(|finding| finding.rule.as_str()).collect();
    let reasons: Vec<_> = report.not_assessed().map(|missed| missed.reason.as_str()).collect();
    let line = serde_json::json!({
        "path": path,
        "verdict": report.verdict(),
        "rules": rules,
        "not_assessed": reasons,
    });
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}
