use sealyard_app::{AppError, NewToken, NewUser};
use sealyard_evidence::oms;
use sealyard_identity::{Edit, LedgerLog, Read, ResourcePattern, Scope};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::StoreError;

use crate::harness::{PASSWORD, TestApp, id, key, model, name, password, refused_by};
use crate::samples;

#[tokio::test(flavor = "multi_thread")]
async fn every_act_fails_when_its_event_can_not_be_written() {
    let test = TestApp::new().await;
    let subject = test.version_without("signature").await;
    let (tree, _) = test.write(|tx| tx.model_version_files("m", 1)).await;
    let signature = oms::sign(&tree, "m", &key("release")).unwrap();
    let experiment = test.experiment("e").await;
    let (run, pending) = (test.run(&experiment).await, test.logged_model(&experiment).await);
    test.put(&experiment, &run, "model/MLmodel", samples::MLMODEL).await.unwrap();
    test.put(&experiment, &pending, "MLmodel", samples::MLMODEL).await.unwrap();
    test.user("ada", &[("server", "READ")]).await;
    let admin = &test.admin;
    let (token, made) =
        test.app.create_token(admin, NewToken { scopes: vec![Scope::All], expires: None }).await.unwrap();
    let may = test.administer().await;
    let may_edit = test.app.authorize(admin, Edit, crate::harness::entry("m")).await.unwrap();
    let pattern = || "server".parse::<ResourcePattern>().unwrap();
    let (objects, events) = (test.objects(), test.entries().await.len());
    test.take_no_events();

    assert!(test.put(&experiment, &run, "new", b"content").await.is_err());
    assert!(test.put(&experiment, &run, "model/MLmodel", b"other").await.is_err());
    assert!(test.delete(&experiment, &run, "model").await.is_err());
    assert!(test.put(&experiment, &run, "bad.pkl", &samples::malicious()).await.is_err());
    assert!(test.finalise(&experiment, &pending).await.is_err());
    assert!(test.version_from(admin, "m", &format!("runs:/{}/model", id(&run))).await.is_err());
    assert!(test.app.add_evidence(admin, &may_edit, 1, signature.text().as_bytes().to_vec()).await.is_err());
    assert!(test.app.set_alias(admin, model("m"), "candidate".into(), 1).await.is_err());
    let new = NewUser { name: name("new"), password: password(PASSWORD), admin: false };
    assert!(test.app.create_user(admin, &may, new).await.is_err());
    assert!(test.app.create_token(admin, NewToken { scopes: vec![Scope::All], expires: None }).await.is_err());
    assert!(test.app.revoke_token(admin, &made.id).await.is_err());
    let right = "MANAGE".parse().unwrap();
    assert!(test.app.set_grant(admin, &may, &name("ada"), pattern(), right).await.is_err());
    let right = "READ".parse().unwrap();
    assert!(test.app.remove_grant(admin, &may, &name("ada"), pattern(), right).await.is_err());
    // Not even a refusal is given without its event.
    assert!(test.log_in("ada", "Marl-Siskin-Threnody-73").await.unwrap_err().rules().is_empty());
    assert!(test.publish().await.unwrap_err().rules().is_empty());
    test.take_events_again();

    assert_eq!((test.objects(), test.entries().await.len()), (objects, events));
    let (run, pending) = (id(&run), id(&pending));
    test.write(move |tx| {
        let owner = sealyard_store::model::ArtifactOwner::Run(run);
        let left = tx.artifacts_below(&owner, "")?;
        assert_eq!((left.len(), left[0].path.as_str()), (1, "model/MLmodel"));
        assert_eq!(tx.logged_model(&pending)?.unwrap().tree, None);
        assert_eq!((tx.model_version("m", 2)?, tx.version_by_alias("m", "candidate")?), (None, None));
        assert!(tx.evidence_for(&subject)?.iter().all(|record| record.digest != signature.digest()));
        assert_eq!((tx.user("new")?, tx.tokens_of("admin")?.len()), (None, 1));
        assert_eq!(tx.grants()?.len(), 1);
        Ok(())
    })
    .await;
    test.with_token(&token).await.unwrap();
    assert!(!test.app.may(&test.log_in("ada", PASSWORD).await.unwrap(), Edit, sealyard_identity::ServerWide));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publication_and_a_protected_alias_need_their_event_too() {
    let test = TestApp::new().await;
    let subject = test.version_without("").await;
    let before = test.write(move |tx| tx.evidence_for(&subject)).await.len();
    test.take_no_events();
    assert!(test.publish().await.is_err());
    test.take_events_again();
    assert_eq!(test.write(|tx| tx.model_version("m", 1)).await.unwrap().published, None);
    assert_eq!(test.write(move |tx| tx.evidence_for(&subject)).await.len(), before);
    test.publish().await.unwrap();
    test.take_no_events();
    assert!(test.deploy().await.is_err());
    assert!(test.app.set_alias(&test.admin, model("m"), "champion".into(), 1).await.is_err());
    test.take_events_again();
    assert_eq!(test.write(|tx| tx.version_by_alias("m", "champion")).await, None);
    assert_eq!(test.write(move |tx| tx.evidence_for(&subject)).await.len(), before + 1);
    assert_eq!(test.count(Outcome::Done, |act| matches!(act, Act::GateDecided { .. })).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_is_in_a_log_that_verifies() {
    let test = TestApp::new().await;
    test.app.record_start("0.0.0").await.unwrap();
    test.version_without("").await;
    test.publish().await.unwrap();
    test.deploy().await.unwrap();
    test.app.set_alias(&test.admin, model("m"), "champion".into(), 1).await.unwrap();
    let report = test.verify_ledger().await;
    assert!(report.ok && report.size > 10, "{report:?}");
    let may = test.app.authorize(&test.admin, Read, LedgerLog).await.unwrap();
    let status = test.app.ledger_status(&may).await.unwrap();
    assert_eq!(status.size, report.size);
    let entries = test.app.ledger_entries(&may, 1, 3).await.unwrap();
    assert_eq!(entries.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1, 2, 3]);
    let eve = test.user("eve", &[]).await;
    refused_by(test.app.authorize(&eve, Read, LedgerLog).await, "authorization");
}

/// No sequencer runs here: what is read is complete all the same.
#[tokio::test(flavor = "multi_thread")]
async fn who_reads_the_ledger_finds_what_was_acknowledged() {
    let test = TestApp::new().await;
    let may = test.app.authorize(&test.admin, Read, LedgerLog).await.unwrap();
    test.app.record_start("first").await.unwrap();
    let size = test.app.ledger_status(&may).await.unwrap().size;
    test.app.record_start("second").await.unwrap();
    let entries = test.app.ledger_entries(&may, size, 10).await.unwrap();
    assert_eq!(entries.len(), 1);
    assert!(String::from_utf8_lossy(&entries[0].1).contains("second"));
    // A log that was changed can be read still, but is not extended: a new signature would hide the change.
    let last = "DELETE FROM ledger_entries WHERE position = (SELECT max(position) FROM ledger_entries)";
    test.sql_past_the_triggers_of("ledger_entries", last);
    test.app.record_start("third").await.unwrap();
    assert_eq!(test.app.ledger_entries(&may, size, 10).await.unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_or_dropped_entry_is_found() {
    for spoil in [
        "UPDATE ledger_entries SET event = CAST(replace(CAST(event AS TEXT), 'admin', 'nimda') AS BLOB) WHERE position = 1",
        "DELETE FROM ledger_entries WHERE position = (SELECT max(position) FROM ledger_entries)",
    ] {
        let test = TestApp::new().await;
        test.user("ada", &[]).await;
        assert!(test.verify_ledger().await.ok);
        test.sql_past_the_triggers_of("ledger_entries", spoil);
        assert!(!test.verify_ledger().await.ok, "{spoil}");
    }
}

/// A trigger that is gone or new stops all writing. Whoever looks finds what is there; what may not be read unseen is not read.
#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_is_read_and_nothing_else_where_the_schema_is_not_ours() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let run = test.run(&experiment).await;
    test.put(&experiment, &run, "model/MLmodel", samples::MLMODEL).await.unwrap();
    let known = test.entries().await.len();
    test.app.record_start("not in the log yet").await.unwrap();
    let may = test.app.authorize(&test.admin, Read, LedgerLog).await.unwrap();
    test.sql("DROP TRIGGER ledger_entries_stay");
    assert_eq!(test.app.ledger_entries(&may, 0, 1000).await.unwrap().len(), known);
    assert_eq!(test.app.ledger_status(&may).await.unwrap().size, known as u64);
    let refused = test.app.record_start("another").await.unwrap_err();
    assert!(
        matches!(&refused, AppError::Store(StoreError::Schema(what)) if what.contains("ledger_entries_stay")),
        "{refused:?}"
    );
    assert!(test.put(&experiment, &run, "new", b"content").await.is_err());
    // An export by hand is on record or is not.
    assert!(test.app.record_export(&test.admin, &may, 0, None).await.is_err());
    assert!(test.get(&experiment, &run, "model/MLmodel").await.is_err());
    assert!(test.log_in("admin", "Marl-Siskin-Threnody-73").await.unwrap_err().rules().is_empty());
    test.sql(
        "CREATE TRIGGER ledger_entries_stay BEFORE DELETE ON ledger_entries
         BEGIN SELECT RAISE (ABORT, 'ledger entries are never removed'); END",
    );
    assert_eq!(test.app.ledger_status(&may).await.unwrap().size, known as u64 + 1);
    assert!(test.verify_ledger().await.ok);
    test.get(&experiment, &run, "model/MLmodel").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sequencer_takes_up_what_others_left() {
    let test = TestApp::new().await;
    let sequencer = tokio::spawn(std::sync::Arc::clone(&test.app).run_sequencer());
    test.user("ada", &[]).await;
    let begun = std::time::Instant::now();
    loop {
        let left = test.write(|tx| tx.outbox(10)).await.len();
        if left == 0 {
            break;
        }
        assert!(begun.elapsed().as_secs() < 10, "{left} events are left");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    sequencer.abort();
    assert!(test.verify_ledger().await.ok);
}

/// A catalog that is put back while the server runs has a log without a fault; only this server knows that it was longer.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_put_back_while_the_server_ran_is_not_signed() {
    let test = TestApp::new().await;
    test.app.record_start("first").await.unwrap();
    test.app.sequence().await.unwrap();
    let size = test.entries().await.len();
    test.app.record_start("second").await.unwrap();
    test.app.sequence().await.unwrap();
    let entries = format!("DELETE FROM ledger_entries WHERE position >= {size}");
    test.sql_past_the_triggers_of("ledger_entries", &entries);
    let checkpoints = format!("DELETE FROM ledger_checkpoints WHERE size > {size}");
    test.sql_past_the_triggers_of("ledger_checkpoints", &checkpoints);
    test.sql(&format!(
        "DELETE FROM ledger_index WHERE position >= {size}; DELETE FROM ledger_subjects WHERE position >= {size}; \
         UPDATE settings SET value = '{size}' WHERE key = 'ledger.indexed'"
    ));
    assert!(test.verify_ledger().await.ok, "nothing in it shows that");
    for _ in 0..3 {
        test.app.record_start("another second").await.unwrap();
        let refused = test.app.sequence().await.unwrap_err();
        let AppError::Store(StoreError::Ledger(why)) = &refused else { panic!("{refused:?}") };
        assert!(why.contains("put back"), "{why}");
    }
    assert_eq!(test.write(|tx| tx.entry_count()).await, size as u64, "what is in the outbox stays there");
}
