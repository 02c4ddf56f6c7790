//! The whole pipeline on a bundled project, then the attacks.

mod attacks;
mod context;
mod project;
mod report;
mod stages;

use std::time::Instant;

use crate::cli::Common;
use crate::exit::{Exit, Failure, Result};
use crate::output::{self, Progress};

pub(crate) use context::Context;
use report::{Attack, Report, Stage};
use stages::Outcome;

/// Runs everything. Each stage needs the one before; each attack stands alone. The server still runs when this returns.
pub(crate) async fn run(common: &Common, keep: bool) -> Result<(Report, Context)> {
    let progress = Progress::new(common.quiet);
    let mut stages = Vec::new();
    progress.line("The pipeline:");

    let (mut demo, outcome) = timed("server", &progress, &mut stages, Context::start(&progress)).await?;
    announce(&progress, &mut stages, outcome);
    let (_, outcome) = timed("data", &progress, &mut stages, stages::data(&demo)).await?;
    announce(&progress, &mut stages, outcome);
    let (_, outcome) = timed("environment", &progress, &mut stages, stages::environment(&demo)).await?;
    announce(&progress, &mut stages, outcome);
    let (trained, outcome) = timed("training", &progress, &mut stages, stages::train(&demo)).await?;
    announce(&progress, &mut stages, outcome);
    demo.trained = Some(trained);
    let (release, outcome) = timed("registration and scan", &progress, &mut stages, stages::register(&demo)).await?;
    announce(&progress, &mut stages, outcome);
    demo.release = Some(release);
    let (_, outcome) = timed("provenance", &progress, &mut stages, stages::provenance(&demo)).await?;
    announce(&progress, &mut stages, outcome);
    let (_, outcome) = timed("signature", &progress, &mut stages, stages::sign(&demo)).await?;
    announce(&progress, &mut stages, outcome);
    let (_, outcome) = timed("publish gate", &progress, &mut stages, stages::publish(&demo)).await?;
    announce(&progress, &mut stages, outcome);
    let (_, outcome) = timed("deploy gate", &progress, &mut stages, stages::deploy(&demo)).await?;
    announce(&progress, &mut stages, outcome);
    let (prediction, outcome) = timed("load gate, prediction", &progress, &mut stages, stages::predict(&demo)).await?;
    announce(&progress, &mut stages, outcome);

    progress.line("The attacks:");
    let mut done = Vec::new();
    for attack in attacks::ALL {
        progress.now(attack.name);
        let result = attack.carry_out(&demo).await;
        let (refused, reason) = match result {
            Ok(refusal) => (refusal.rules.iter().any(|rule| rule == attack.gate), refusal.describe()),
            Err(failure) => (false, format!("NOT STOPPED, or not carried out: {:#}", failure.error)),
        };
        progress.line(&format!("  {} {} — {}", if refused { "✔" } else { "✘" }, attack.name, attack.gate));
        done.push(Attack { name: attack.name, gate: attack.gate, refused, reason });
    }
    progress.done();
    Ok((Report::new(stages, done, prediction, demo.go_on(keep)), demo))
}

/// Runs one stage. A stage that fails ends the demo: the next ones would rest on nothing.
async fn timed<T>(
    name: &'static str,
    progress: &Progress,
    done: &mut Vec<Stage>,
    work: impl Future<Output = Result<(T, Outcome)>>,
) -> Result<(T, Stage)> {
    progress.now(name);
    let started = Instant::now();
    match work.await {
        Ok((value, Outcome { evidence, decision })) => {
            let seconds = started.elapsed().as_secs_f64();
            Ok((value, Stage { name, ok: true, evidence, seconds, decision }))
        }
        Err(failure) => {
            progress.done();
            for stage in done {
                output::say(false, &format!("  ✔ {}", stage.name));
            }
            Err(Failure {
                exit: if failure.exit == Exit::No { Exit::No } else { Exit::CouldNot },
                error: failure.error.context(format!("the demo stopped at the stage {name:?}")),
                hint: failure.hint,
            })
        }
    }
}

fn announce(progress: &Progress, stages: &mut Vec<Stage>, stage: Stage) {
    progress.line(&format!("  ✔ {} — {} ({:.1} s)", stage.name, stage.decision, stage.seconds));
    stages.push(stage);
}
