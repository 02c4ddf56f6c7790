//! Training code that sends what it sees to a server outside.

use super::unpinned::by_rule;
use super::{Refusal, went_through};
use crate::demo::context::Context;
use crate::demo::stages;
use crate::exit::Result;
use crate::output::Progress;
use crate::training;

pub(super) async fn carry_out(demo: &Context) -> Result<Refusal> {
    let certificate = demo.connection.certificate.as_deref();
    let job = stages::job(demo, "egress");
    match training::train(&demo.admin, certificate, &demo.experiment, job, &Progress::new(true)).await {
        Ok(_) => Err(went_through("the training code reached 203.0.113.7:443")),
        Err(failure) => by_rule(failure),
    }
}
