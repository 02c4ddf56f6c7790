use crate::{StoreError, Transaction};

pub(super) fn versions(tx: &mut dyn Transaction) {
    let first = tx.register_scorer("0", "judge", "s-1", "{\"a\":1}", 5).unwrap();
    assert_eq!((first.version, first.scorer_id.as_str(), first.created), (1, "s-1", 5));
    let second = tx.register_scorer("0", "judge", "s-2", "{}", 6).unwrap();
    assert_eq!((second.version, second.scorer_id.as_str()), (2, "s-1"));
    tx.register_scorer("0", "another", "s-3", "{}", 7).unwrap();
    let newest: Vec<(String, u32)> =
        tx.scorers("0", 10).unwrap().into_iter().map(|scorer| (scorer.name, scorer.version)).collect();
    assert_eq!(newest, [("another".to_owned(), 1), ("judge".to_owned(), 2)]);
    assert_eq!(tx.scorer_versions("0", "judge", 10).unwrap().len(), 2);
    assert_eq!(tx.size_of_scorers("0").unwrap(), 7 + 2 + 2);
    // What would be too much to give at once ends early.
    let large = "é".repeat(15 << 20);
    for (number, name) in ["l1", "l2", "l3"].into_iter().enumerate() {
        tx.register_scorer("0", name, &format!("s-l{number}"), &large, 7).unwrap();
    }
    let listed: Vec<String> = tx.scorers("0", 10).unwrap().into_iter().map(|scorer| scorer.name).collect();
    assert_eq!(listed, ["another", "judge", "l1"]);
    tx.register_scorer("0", "l1", "s-l1", &large, 8).unwrap();
    assert_eq!(tx.scorer_versions("0", "l1", 10).unwrap().len(), 1);
    for name in ["l1", "l2", "l3"] {
        tx.delete_scorer("0", name, None).unwrap();
    }
    assert_eq!(tx.scorer("0", "judge", Some(1)).unwrap(), Some(first));
    assert_eq!(tx.scorer("0", "judge", None).unwrap(), Some(second));
    assert_eq!(tx.scorer("0", "judge", Some(9)).unwrap(), None);
    assert_eq!(tx.delete_scorer("0", "judge", Some(2)).unwrap(), 1);
    // A number never comes to mean another version.
    assert_eq!(tx.register_scorer("0", "judge", "s-4", "{}", 8).unwrap().version, 3);
    assert_eq!(tx.delete_scorer("0", "judge", None).unwrap(), 2);
    assert_eq!(tx.delete_scorer("0", "judge", None).unwrap(), 0);
    assert!(matches!(tx.register_scorer("9", "judge", "s-5", "{}", 9), Err(StoreError::NotFound { .. })));
}
