//! Trains a project: `run PROJECT CACHE TRACKING-URL [ENTRY]`; prints the provenance.
use std::sync::Arc;

use sealyard_core::SystemClock;
use sealyard_runner::{Experiment, Progress, RunRequest, Runner, Tracking};

#[allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to people")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == sealyard_sandbox::INIT_ARGUMENT) {
        sealyard_sandbox::init_main();
    }
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().unwrap_or_default();
    let (project, cache, url, entry_point) = (next(), next(), next(), next());
    let request = RunRequest {
        project_directory: project.into(),
        entry_point: if entry_point.is_empty() { "main".into() } else { entry_point },
        parameters: std::collections::BTreeMap::new(),
        data: std::collections::BTreeMap::new(),
        tracking: Tracking {
            url,
            ca_pem: std::env::var("CA").ok().and_then(|path| std::fs::read_to_string(path).ok()),
            token: Some("sy_this-token-is-not-shown".to_owned().into()),
            experiment: Experiment::Name("diabetes".into()),
        },
        cache_directory: cache.into(),
        interpreter: None,
        invocation: "by-hand".into(),
        limits: sealyard_sandbox::Limits::default(),
    };
    let mut last = None;
    let record = Runner::new(Arc::new(SystemClock)).run(&request, &mut |progress| match progress {
        Progress::Output(line) => eprintln!("| {line}"),
        Progress::Environment(step) => {
            let kind = std::mem::discriminant(&step);
            if last.replace(kind) != Some(kind) {
                eprintln!("{step:?}");
            }
        }
        other => eprintln!("{other:?}"),
    });
    match record {
        Ok(record) => println!("{}", serde_json::to_string_pretty(&record.provenance())?),
        Err(error) => eprintln!("error: {error}\nrule: {:?}\nhint: {:?}", error.rule(), error.hint()),
    }
    Ok(())
}
