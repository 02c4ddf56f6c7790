use sealyard_core::Severity;
use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports Python code in a TorchServe archive that does more than compute: imports of other than a few libraries of
    /// the trade, built-in functions that run text or open files, attributes that load or save, and what an archive has
    /// installed.
    ///
    /// # Why it matters
    /// TorchServe imports the handler and the model's file of each archive that is registered, and installs its
    /// requirements: they run before the first request. The handlers that TorchServe brings itself need no code.
    ///
    /// # What to do
    /// Review the code and scan it with `sealyard scan code`.
    id: "mar-code",
    name: "Archive with code for the server",
    severity: Medium,
    summary: "Code in a TorchServe archive does more than compute.",
    help: "Review the code, or use a handler of TorchServe's own.",
    references: ["https://docs.pytorch.org/serve/custom_service.html"],
}

pub(super) fn check(concern: &Artifact, sink: &mut Sink) {
    let (severity, message) = match concern {
        Artifact::ActiveCode(name) => (Severity::High, format!("its code uses {name}")),
        Artifact::UnknownCode(why) => (Severity::Medium, format!("its code can't be told from harmful code: {why}")),
        Artifact::OutsidePath(_) => return,
    };
    sink.push(Finding::new(&METADATA, sink.location(), message).severity(severity));
}
