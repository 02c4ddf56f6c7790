//! A requirement that takes whatever the index serves tomorrow.

use super::{Refusal, went_through};
use crate::demo::context::Context;
use crate::exit::{Failure, Result};
use crate::output::Progress;
use crate::training;

pub(super) async fn carry_out(demo: &Context) -> Result<Refusal> {
    let project = demo.scratch("unpinned")?.join("project");
    crate::demo::project::write(&project)?;
    let lock = project.join("requirements.txt");
    let mut text = std::fs::read_to_string(&lock)?;
    text.push_str("left-pad>=1.0\n");
    std::fs::write(&lock, text)?;
    let job = training::Job { project, ..crate::demo::stages::job(demo, "main") };
    let certificate = demo.connection.certificate.as_deref();
    match training::train(&demo.admin, certificate, &demo.experiment, job, &Progress::new(true)).await {
        Ok(_) => Err(went_through("it was trained with an unpinned requirement")),
        Err(failure) => by_rule(failure),
    }
}

/// The rule of a run that was refused.
pub(super) fn by_rule(failure: Failure) -> Result<Refusal> {
    let rule = failure.error.downcast_ref::<sealyard_runner::RunError>().and_then(sealyard_runner::RunError::rule);
    match rule {
        Some(rule) => {
            let reason = failure
                .error
                .downcast_ref::<sealyard_runner::RunError>()
                .map_or_else(|| failure.error.to_string(), ToString::to_string);
            Ok(Refusal::new(rule, reason))
        }
        None => Err(failure),
    }
}
