use super::time;
use crate::model::{Issue, IssueQuery, IssueUpdate, NewExperiment};
use crate::{StoreError, Transaction};

pub(super) fn lifecycle_and_search(tx: &mut dyn Transaction) {
    let other = tx.create_experiment(&NewExperiment { name: "other".into(), tags: vec![], created: time(1) }).unwrap();
    let issue = |id: &str, severity: Option<u8>, created: i64| Issue {
        id: id.into(),
        experiment_id: "0".into(),
        name: "slow".into(),
        description: "d".into(),
        status: "pending".into(),
        severity,
        root_causes: vec!["a \"quoted\" cause".into()],
        categories: vec![],
        source_run_id: Some("r1".into()),
        said_by: None,
        created_by: "ada".into(),
        created: time(created),
        updated: time(created + 1),
    };
    let elsewhere = Issue { experiment_id: other.id.clone(), source_run_id: None, ..issue("e", Some(1), 9) };
    let all = [issue("a", None, 5), issue("b", Some(3), 1), issue("c", Some(1), 2), issue("d", Some(1), 2), elsewhere];
    for one in &all {
        tx.create_issue(one).unwrap();
        assert_eq!(tx.issue(&one.id).unwrap().as_ref(), Some(one));
    }
    assert!(matches!(tx.create_issue(&all[0]), Err(StoreError::AlreadyExists { .. })));
    let nowhere = Issue { id: "x".into(), experiment_id: "77".into(), ..all[0].clone() };
    assert!(matches!(tx.create_issue(&nowhere), Err(StoreError::NotFound { .. })));
    let update = IssueUpdate { status: Some("resolved".into()), severity: Some(2), ..IssueUpdate::default() };
    let changed = tx.update_issue("d", &update, time(50)).unwrap();
    assert_eq!((changed.status.as_str(), changed.severity, changed.name.as_str()), ("resolved", Some(2), "slow"));
    assert_eq!(changed.updated, time(50));
    assert!(matches!(tx.update_issue("x", &update, time(50)), Err(StoreError::NotFound { .. })));
    assert!(tx.issue("x").unwrap().is_none());
    let some = tx.issues(&["e", "x", "d", "a"]).unwrap();
    assert_eq!(some, [all[4].clone(), changed, all[0].clone()]);
    assert!(tx.issues(&[]).unwrap().is_empty());

    let mut find = |query: IssueQuery| {
        let found = tx.search_issues(&IssueQuery { limit: 10, ..query }).unwrap();
        found.into_iter().map(|issue| issue.place.id).collect::<Vec<_>>()
    };
    assert_eq!(find(IssueQuery::default()), ["b", "d", "e", "c", "a"]);
    assert_eq!(find(IssueQuery { experiment: Some("0".into()), ..IssueQuery::default() }), ["b", "d", "c", "a"]);
    let status = |same| IssueQuery { status: vec![("resolved".into(), same)], ..IssueQuery::default() };
    assert_eq!(
        (find(status(true)), find(status(false))),
        (vec!["d".into()], vec!["b".into(), "e".into(), "c".into(), "a".into()])
    );
    let run = |same| IssueQuery { source_run: vec![("r1".into(), same)], ..IssueQuery::default() };
    assert_eq!((find(run(true)).len(), find(run(false))), (4, vec!["e".to_owned()]));
    for (place, id) in ["b", "d", "e", "c", "a"].iter().enumerate() {
        let issue = tx.issue(id).unwrap().unwrap();
        let known = IssueQuery { experiment: Some(issue.experiment_id.clone()), limit: 10, ..IssueQuery::default() };
        assert!(tx.search_issues(&known).unwrap().iter().any(|found| found.place == issue.place()));
        let after = Some(issue.place());
        let found = tx.search_issues(&IssueQuery { after, limit: 10, ..IssueQuery::default() }).unwrap();
        assert_eq!(found.len(), 4 - place, "behind {id}");
    }
}
