use super::{new_logged_model, new_run, time};
use crate::model::{Comparison, Condition, Field, LoggedModelQuery, LoggedModelStatus, Operand, Pair};
use crate::{StoreError, Transaction};
use sealyard_core::Digest;

pub(super) fn lifecycle(tx: &mut dyn Transaction) {
    tx.create_run(&new_run("r1", 5)).unwrap();
    let made = tx.create_logged_model(&new_logged_model("m-1", "0")).unwrap();
    assert_eq!(made.status, LoggedModelStatus::Pending);
    assert_eq!(made.artifact_uri, "mlflow-artifacts:/0/models/m-1/artifacts");
    assert_eq!(tx.logged_model("m-1").unwrap(), Some(made));
    assert!(matches!(tx.create_logged_model(&new_logged_model("m-1", "0")), Err(StoreError::AlreadyExists { .. })));
    assert!(matches!(tx.create_logged_model(&new_logged_model("m-2", "9")), Err(StoreError::NotFound { .. })));
    tx.set_logged_model_tags("m-1", &[Pair::new("a", "1"), Pair::new("b", "2")], time(20)).unwrap();
    tx.delete_logged_model_tag("m-1", "a").unwrap();
    tx.log_logged_model_params("m-1", &[Pair::new("alpha", "0.03")]).unwrap();
    tx.log_logged_model_params("m-1", &[Pair::new("alpha", "0.03")]).unwrap();
    assert!(matches!(tx.log_logged_model_params("m-1", &[Pair::new("alpha", "0.04")]), Err(StoreError::Conflict(_))));
    let ready = LoggedModelStatus::Ready;
    let tree = Digest::of(b"tree");
    let pending = tx.finalise_logged_model("m-1", LoggedModelStatus::Pending, "", None, time(29));
    assert!(matches!(pending, Err(StoreError::Invalid(_))));
    let done = tx.finalise_logged_model("m-1", ready, "", Some(tree), time(30)).unwrap();
    assert_eq!((done.status, done.tree, done.updated), (ready, Some(tree), time(30)));
    assert_eq!((done.tags, done.params), (vec![Pair::new("b", "2")], vec![Pair::new("alpha", "0.03")]));
    for tree in [tree, Digest::of(b"other")] {
        let again = tx.finalise_logged_model("m-1", ready, "", Some(tree), time(31));
        assert!(matches!(again, Err(StoreError::Conflict(_))));
    }
    // It can be said to have failed after all, and stays frozen; there is no way back.
    let failed = LoggedModelStatus::UploadFailed;
    let after = tx.finalise_logged_model("m-1", failed, "", None, time(32)).unwrap();
    assert_eq!((after.status, after.tree), (failed, Some(tree)));
    for status in [ready, failed] {
        let again = tx.finalise_logged_model("m-1", status, "", None, time(33));
        assert!(matches!(again, Err(StoreError::Conflict(_))));
    }
    tx.delete_logged_model("m-1", time(40)).unwrap();
    assert!(tx.logged_model("m-1").unwrap().is_none());
    assert!(matches!(tx.delete_logged_model("m-1", time(41)), Err(StoreError::NotFound { .. })));
    assert!(matches!(tx.create_logged_model(&new_logged_model("m-1", "0")), Err(StoreError::AlreadyExists { .. })));
}

pub(super) fn search(tx: &mut dyn Transaction) {
    for id in ["m-1", "m-2", "m-3"] {
        tx.create_logged_model(&new_logged_model(id, "0")).unwrap();
    }
    tx.delete_logged_model("m-2", time(20)).unwrap();
    tx.set_logged_model_tags("m-3", &[Pair::new("a", "1")], time(21)).unwrap();
    let mut ids = |filter: Vec<Condition>, experiment: &str| -> Vec<String> {
        let query =
            LoggedModelQuery { experiments: vec![experiment.into()], filter, limit: 10, ..LoggedModelQuery::default() };
        tx.search_logged_models(&query).unwrap().items.into_iter().map(|model| model.id).collect()
    };
    assert_eq!(ids(vec![], "0"), ["m-3", "m-1"]);
    assert!(ids(vec![], "1").is_empty());
    let named =
        |field, value: &str| Condition { field, comparison: Comparison::Equal, operand: Operand::Text(value.into()) };
    assert_eq!(ids(vec![named(Field::Attribute("name"), "model m-1")], "0"), ["m-1"]);
    assert_eq!(ids(vec![named(Field::Tag("a".into()), "1")], "0"), ["m-3"]);
}
