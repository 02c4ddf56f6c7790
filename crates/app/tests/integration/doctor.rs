use sealyard_app::{Deployment, DoctorReport, Grade, Listening};
use sealyard_identity::{Administer, UserDirectory};
use sealyard_ledger::{Act, Outcome};

use crate::harness::{POLICY, TestApp, start};

fn deployment() -> Deployment {
    let listener = Listening {
        address: std::net::SocketAddr::from(([127, 0, 0, 1], 5000)),
        kind: "api".into(),
        tls: true,
        allow_list: false,
    };
    Deployment {
        listeners: vec![listener],
        certificate_ends: Some(start().plus_seconds(90 * 24 * 60 * 60)),
        exports: vec!["siem".into()],
        rate_limits: true,
        ..Deployment::default()
    }
}

async fn examine(test: &TestApp, deployment: Option<Deployment>) -> DoctorReport {
    let app = sealyard_app::App::clone(&test.app);
    let app = match deployment {
        Some(deployment) => app.with_deployment(deployment),
        None => app,
    };
    let may = app.authorize(&test.admin, Administer, UserDirectory).await.unwrap();
    app.examine(&test.admin, &may).await.unwrap()
}

fn found(report: &DoctorReport, id: &str) -> String {
    report.checks.iter().find(|check| check.id == id).unwrap().found.join("\n")
}

fn grade(report: &DoctorReport, id: &str) -> Grade {
    report.checks.iter().find(|check| check.id == id).unwrap().grade
}

#[tokio::test(flavor = "multi_thread")]
async fn every_control_of_both_lists_has_a_check() {
    let test = TestApp::with_policy(Some(POLICY)).await;
    let report = examine(&test, Some(deployment())).await;
    let all = (1..=11).map(|number| format!("A{number}")).chain((1..=7).map(|number| format!("C{number}")));
    for control in all {
        let asked = report.checks.iter().any(|check| check.controls.contains(&control.as_str()));
        assert!(asked, "{control}");
    }
    for check in &report.checks {
        assert!(!check.found.is_empty(), "{}", check.id);
        assert!(check.grade == Grade::Pass || !check.advice.is_empty(), "{}: no advice", check.id);
    }
    let counted = report.summary.pass + report.summary.fail + report.summary.not_assessed;
    assert_eq!(counted, report.checks.len());
    assert_eq!(test.count(Outcome::Done, |act| matches!(act, Act::Examined { .. })).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_known_is_not_well() {
    let test = TestApp::new().await;
    let report = examine(&test, None).await;
    for id in ["transport", "accounts", "network", "process"] {
        assert_eq!(grade(&report, id), Grade::NotAssessed, "{id}");
    }
    assert!(!report.ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_thing_that_is_wrong_fails_its_check_and_no_other() {
    let test = TestApp::with_policy(Some(POLICY)).await;
    let well = examine(&test, Some(deployment())).await;
    let plain = |mut deployment: Deployment| {
        deployment.listeners[0].tls = false;
        deployment
    };
    let anywhere = |mut deployment: Deployment| {
        deployment.listeners[0].address = "0.0.0.0:5000".parse().unwrap();
        deployment
    };
    let wrong: Vec<(&str, Deployment)> = vec![
        ("transport", plain(deployment())),
        ("transport", Deployment { certificate_ends: Some(start().plus_seconds(60)), ..deployment() }),
        ("transport", Deployment { self_signed: true, ..deployment() }),
        ("accounts", Deployment { no_auth: true, ..deployment() }),
        ("audit", Deployment { exports: vec![], ..deployment() }),
        ("network", anywhere(deployment())),
        ("network", Deployment { rate_limits: false, ..deployment() }),
        ("encryption", Deployment { open_files: vec!["keys/master.key".into()], ..deployment() }),
        ("process", Deployment { root: true, ..deployment() }),
    ];
    for (id, deployment) in wrong {
        assert_eq!(grade(&well, id), Grade::Pass, "{id}");
        let report = examine(&test, Some(deployment.clone())).await;
        assert_eq!(grade(&report, id), Grade::Fail, "{id}: {deployment:?}");
        for check in report.checks.iter().filter(|check| check.id != id) {
            assert_eq!(check.grade, grade(&well, check.id), "{} for {id}", check.id);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_in_the_catalog_is_found() {
    let test = TestApp::with_policy(Some(POLICY)).await;
    for number in 0..4 {
        test.user(&format!("a{number}"), &[("experiment:*", "MANAGE")]).await;
    }
    let before = examine(&test, Some(deployment())).await;
    assert_eq!(grade(&before, "least-privilege"), Grade::Fail, "wide grants");
    assert_eq!(grade(&before, "access"), Grade::Pass);
    test.sql("UPDATE grants SET permission = 'READ'");
    let after = examine(&test, Some(deployment())).await;
    assert_eq!(grade(&after, "access"), Grade::Fail);
    assert_eq!(after.unrecorded, None);
    let spoil = "UPDATE ledger_entries SET event = x'7b7d' WHERE position = 2";
    test.sql_past_the_triggers_of("ledger_entries", spoil);
    let after = examine(&test, Some(deployment())).await;
    assert_eq!(grade(&after, "audit"), Grade::Fail);
    assert!(found(&after, "audit").contains("does not verify"), "{after:?}");
}

/// Nothing can be written then, not even that somebody looked: it is said, and so is all that is wrong.
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_schema_is_found_and_keeps_nothing_from_being_found() {
    let test = TestApp::with_policy(Some(POLICY)).await;
    test.user("ada", &[("experiment:*", "MANAGE")]).await;
    let fine = examine(&test, Some(deployment())).await;
    assert!(found(&fine, "audit").contains("schema is what the releases made"), "{fine:?}");
    let examined = || test.count(Outcome::Done, |act| matches!(act, Act::Examined { .. }));
    let before = examined().await;
    test.sql("DROP TRIGGER ledger_entries_stand");
    test.sql("UPDATE ledger_entries SET event = CAST(event || ' ' AS BLOB) WHERE position = 2");
    test.sql("UPDATE grants SET permission = 'READ'");
    let report = examine(&test, Some(deployment())).await;
    assert_eq!((grade(&report, "audit"), grade(&report, "access"), report.ok), (Grade::Fail, Grade::Fail, false));
    let audit = found(&report, "audit");
    assert!(audit.contains("trigger ledger_entries_stand") && audit.contains("does not verify"), "{audit}");
    assert!(report.unrecorded.as_ref().is_some_and(|why| why.contains("ledger_entries_stand")), "{report:?}");
    test.sql("UPDATE ledger_entries SET event = CAST(trim(CAST(event AS TEXT)) AS BLOB) WHERE position = 2");
    test.sql(
        "CREATE TRIGGER ledger_entries_stand BEFORE UPDATE ON ledger_entries
         BEGIN SELECT RAISE (ABORT, 'ledger entries are never changed'); END",
    );
    let report = examine(&test, Some(deployment())).await;
    assert_eq!((report.unrecorded, examined().await), (None, before + 1));
    // What could not be told is told now.
    assert_eq!(test.count(Outcome::Failed, |act| matches!(act, Act::CatalogDamaged { .. })).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_file_that_was_changed_is_found() {
    let test = TestApp::with_policy(Some(POLICY)).await;
    test.good_version().await;
    assert_eq!(grade(&examine(&test, Some(deployment())).await, "encryption"), Grade::Pass);
    let object = test.write(|tx| Ok(tx.model_version_files("m", 1)?.1[0].object.clone())).await;
    test.change_a_byte(&object);
    assert_eq!(grade(&examine(&test, Some(deployment())).await, "encryption"), Grade::Fail);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_was_made_lately_is_found_wherever_it_stands() {
    let test = TestApp::with_policy(Some(POLICY)).await;
    assert_eq!(grade(&examine(&test, Some(deployment())).await, "recovery"), Grade::Fail);
    let event = sealyard_ledger::Event {
        time: start(),
        actor: "admin".into(),
        source: None,
        request_id: None,
        in_workspace: None,
        outcome: Outcome::Done,
        act: Act::BackupMade { backup: "b".into(), objects: 1, missing: 0 },
    };
    test.write(move |tx| tx.record(&event)).await;
    assert_eq!(grade(&examine(&test, Some(deployment())).await, "recovery"), Grade::Pass);
    test.clock.set(start().plus_seconds(8 * 24 * 60 * 60));
    assert_eq!(grade(&examine(&test, Some(deployment())).await, "recovery"), Grade::Fail, "too old");
}
