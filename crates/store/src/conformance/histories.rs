use super::new_run;
use super::runs::metric;
use crate::model::{Metric, RunBatch};
use crate::{StoreError, Transaction};

pub(super) fn steps_are_thinned_out(tx: &mut dyn Transaction) {
    let log = |tx: &mut dyn Transaction, run: &str, metrics: Vec<Metric>| {
        tx.log_batch(run, &RunBatch { metrics, ..RunBatch::default() }).unwrap();
    };
    for (run, count) in [("r1", 10), ("r2", 20)] {
        tx.create_run(&new_run(run, 5)).unwrap();
        log(tx, run, (0..count).map(|step| metric("m", 1.0, 1, step)).collect());
    }
    log(tx, "r1", vec![metric("other", 1.0, 1, 99), metric("m", 2.0, 1, 4), metric("m", 0.5, 2, 4)]);
    let runs = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let one = runs(&["r1"]);
    assert_eq!(tx.sampled_steps(&one, "m", None, 5).unwrap(), [0, 2, 4, 6, 8, 9]);
    assert_eq!(tx.sampled_steps(&one, "m", Some((0, 4)), 5).unwrap(), [0, 1, 2, 3, 4]);
    assert_eq!(tx.sampled_steps(&one, "m", Some((7, 100)), 1).unwrap(), [7, 9]);
    assert!(tx.sampled_steps(&one, "nothing", None, 5).unwrap().is_empty());
    // The end of the shorter run stays.
    let both = runs(&["r1", "r2"]);
    assert_eq!(tx.sampled_steps(&both, "m", None, 5).unwrap(), [0, 4, 8, 9, 12, 16, 19]);
    assert!(matches!(tx.sampled_steps(&runs(&["r9"]), "m", None, 5), Err(StoreError::NotFound { .. })));

    let found = tx.metric_at_steps("r1", "m", &[4, 5, 77], 10).unwrap();
    let values: Vec<_> = found.iter().map(|metric| (metric.step, metric.timestamp, metric.value)).collect();
    assert_eq!(values, [(4, 1, 1.0), (4, 1, 2.0), (4, 2, 0.5), (5, 1, 1.0)]);
    assert_eq!(tx.metric_at_steps("r1", "m", &[4, 5], 2).unwrap(), found[..2]);
    assert!(tx.metric_at_steps("r1", "m", &[], 2).unwrap().is_empty());
}
