use std::fs::File;
use std::io::{self, Seek as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use glob::MatchOptions;
use sealyard_scan::Report;
use sealyard_scan_model::Scanner;

use crate::exit::{Failure, Result};

/// Most files of one pattern.
const MOST: usize = 1_000_000;

/// Something to look at.
pub(super) enum Input {
    Path(PathBuf),
    /// What came on standard input, put aside: readers of archives begin at the end.
    Standard(File),
}

impl Input {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::Standard(_) => "standard input".to_owned(),
        }
    }

    pub(super) fn scan(&self, scanner: &Scanner) -> Report {
        match self {
            Self::Path(path) => scanner.scan_path(path),
            Self::Standard(file) => Report::new(Scanner::tool(), vec![scanner.scan_file("-", file)]),
        }
    }
}

/// What the words on the command line mean. Nothing is looked at while one of them means nothing.
pub(super) fn find(words: &[PathBuf], scanner: &Scanner) -> Result<Vec<Input>> {
    let mut found = Vec::new();
    for word in words {
        if word.as_os_str() == "-" {
            if found.iter().any(|input| matches!(input, Input::Standard(_))) {
                return Err(Failure::could_not(anyhow!("standard input can be read once")));
            }
            found.push(Input::Standard(standard_input()?));
        } else if word.symlink_metadata().is_ok() {
            found.push(Input::Path(word.clone()));
        } else {
            found.extend(matching(word, scanner)?.into_iter().map(Input::Path));
        }
    }
    Ok(found)
}

/// The files of a pattern that no shell has replaced, such as one between quotes.
fn matching(word: &Path, scanner: &Scanner) -> Result<Vec<PathBuf>> {
    let absent = || {
        Failure::could_not(anyhow!("there is no file or folder {}", word.display()))
            .hint("name a file, a folder, a pattern in quotes such as './runs/**/*.joblib', or - for standard input")
    };
    let text = word.to_str().filter(|text| text.contains(['*', '?', '['])).ok_or_else(absent)?;
    let options = MatchOptions { require_literal_separator: true, ..MatchOptions::new() };
    let paths = glob::glob_with(text, options).with_context(|| format!("the pattern {text} can't be understood"))?;
    let paths = paths.take(MOST + 1).collect::<std::result::Result<Vec<_>, _>>();
    let paths = paths.with_context(|| format!("the pattern {text} could not be followed everywhere"))?;
    match paths.len() {
        0 => Err(Failure::could_not(anyhow!("nothing is there that the pattern {text} describes"))
            .hint("** stands for any number of folders, * for anything within one name")),
        count if count > MOST => Err(Failure::could_not(anyhow!("more than a million files have names of {text}"))),
        _ => Ok(outermost(paths).into_iter().filter(|path| !scanner.leaves_out(path)).collect()),
    }
}

/// Without what lies in a folder that is among them: that is looked at with the folder.
fn outermost(mut paths: Vec<PathBuf>) -> Vec<PathBuf> {
    paths.sort();
    let mut kept: Vec<PathBuf> = Vec::new();
    for path in paths {
        if kept.last().is_none_or(|folder| !path.starts_with(folder)) {
            kept.push(path);
        }
    }
    kept
}

fn standard_input() -> Result<File> {
    let mut file = tempfile::tempfile().context("standard input could not be put aside")?;
    io::copy(&mut io::stdin().lock(), &mut file).context("standard input could not be read to its end")?;
    file.rewind().context("standard input could not be put aside")?;
    Ok(file)
}
