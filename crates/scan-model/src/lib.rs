//! The model-file scanner.
//!
//! [`Scanner`] looks at a file or a model folder and says what loading it could do. It executes nothing: pickles are
//! interpreted over abstract values (`sealyard-formats`), and every import, call and state change in them is compared
//! with an allow-list of exact names, operations and argument shapes. What is on no list is a finding; what could not
//! be read is "not assessed". The verdict never depends on what is installed on the host.
//!
//! Content decides what a file is: `sealyard_formats::sniff` tells the format, `inspect` has a file for each and a
//! registry of them, and hands what it read to the format's rules. To add a format, see `inspect`.
//!
//! To add a rule, write `rules/<format>/<id>.rs` and add a line to `group!` in `rules/<format>/mod.rs`; fixtures go to
//! `corpus/<rule-id>/{bad,ok}/` and are found by themselves.
#![forbid(unsafe_code)]

mod allow;
mod budget;
mod code;
mod context;
mod exclude;
mod inspect;
mod judge;
mod parallel;
mod path;
mod rules;
mod scanner;
mod sink;
mod walk;

pub use scanner::Scanner;
