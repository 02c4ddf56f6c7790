use std::sync::Arc;

use super::new_run;
use crate::model::{Comparison, Condition, Field, Operand, OrderBy, Pair, RunBatch, RunQuery};
use crate::{Store, StoreError, Transaction};

/// A database may be unable to hold it. It is refused then as the caller's mistake.
pub(super) fn a_nul_character_is_kept_or_refused(tx: &mut dyn Transaction) {
    let fine = |outcome: Result<usize, StoreError>| match outcome {
        Ok(found) => assert_eq!(found, 0),
        Err(error) => assert!(matches!(error, StoreError::Invalid(_)), "{error:?}"),
    };
    tx.create_run(&new_run("a", 1)).unwrap();
    fine(tx.experiment_by_name("\0").map(|found| found.iter().count()));
    let query =
        |filter, order| RunQuery { experiments: vec!["0".into()], filter, order, limit: 9, ..RunQuery::default() };
    for field in [Field::Tag("\0".into()), Field::Parameter("x\0".into()), Field::Metric("\0x".into())] {
        let condition = Condition { field, comparison: Comparison::IsNotNull, operand: Operand::None };
        fine(tx.search_runs(&query(vec![condition], vec![])).map(|page| page.items.len()));
    }
    for (comparison, operand) in
        [(Comparison::Equal, Operand::Text("\0".into())), (Comparison::Like, Operand::Text("\0%".into()))]
    {
        let condition = Condition { field: Field::Attribute("run_name"), comparison, operand };
        fine(tx.search_runs(&query(vec![condition], vec![])).map(|page| page.items.len()));
    }
    let by = OrderBy { field: Field::Tag("\0".into()), ascending: true };
    match tx.search_runs(&query(vec![], vec![by])) {
        Ok(page) => assert_eq!(page.items.len(), 1),
        Err(error) => assert!(matches!(error, StoreError::Invalid(_)), "{error:?}"),
    }
}

/// As bytes, whatever language the database believes to speak.
pub(super) fn sorts_by_its_bytes(tx: &mut dyn Transaction) {
    tx.create_run(&new_run("a", 1)).unwrap();
    let mut keys = ["b", "B", "a", "_", "\u{e4}", "Z", "\u{e9}", "10", "9", "~", "\u{1f600}", "a b", "ab"];
    let params = keys.iter().map(|key| Pair::new(*key, "v")).collect();
    tx.log_batch("a", &RunBatch { params, ..RunBatch::default() }).unwrap();
    let found = tx.run("a").unwrap().unwrap().data.params;
    keys.sort_unstable();
    assert_eq!(found.iter().map(|pair| pair.key.as_str()).collect::<Vec<_>>(), keys);
}

/// In a transaction of its own, since a statement that fails may end it.
pub(super) async fn a_nul_character_in_a_list(store: Arc<dyn Store>) {
    let condition = Condition {
        field: Field::Attribute("run_name"),
        comparison: Comparison::In,
        operand: Operand::List(vec!["\0".into()]),
    };
    let query = RunQuery { experiments: vec!["0".into()], filter: vec![condition], limit: 9, ..RunQuery::default() };
    match store.read(move |tx| tx.search_runs(&query)).await {
        Ok(page) => assert!(page.items.is_empty()),
        Err(error) => assert!(matches!(error, StoreError::Invalid(_)), "{error:?}"),
    }
}
